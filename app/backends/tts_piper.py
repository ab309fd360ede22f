"""Piper: a neural voice in this process, which also says when each sound falls."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Phone, Samples, SpeechClip
from app.errors import AppError
from app.policy.levels import dbfs, fade_edges, to_level

_STRESS = "ˈˌ"
_LENGTH = "ːˑ"
_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɞɘɤɨɪɯɵʉʊʌʏɶ")
_PAUSES = frozenset("^$_ .,;:!?…-—–\"'()«»“”¡¿")
_QUIET_DBFS = -45.0
CLAUSE_PAUSE_S = 0.10
SENTENCE_PAUSE_S = 0.25
"""Silence after a clip that ends with a comma, or with a full stop: what joins two clips like one breath."""
LEAD_IN_S = 0.05


class PiperSynth:
    """Speaks one sentence at a time, about seven times faster than real time on two cores.

    `speed` 1.2 is a fifth faster; `speaker` picks one voice of a model that has several.
    """

    def __init__(self, model: Path, *, speed: float = 1.0, speaker: int | None = None, threads: int = 2) -> None:
        if not 0.5 <= speed <= 2.0:
            raise ValueError(f"speed must be from 0.5 to 2, got {speed!r}")
        self.name = f"Piper {model.name.removesuffix('.onnx')}"
        self._model = model
        self._speed = speed
        self._speaker = speaker
        self._threads = threads
        self._voice: Any = None
        self._options: Any = None

    def load(self) -> None:
        """Load the voice and speak once silently, so that the first real call is warm.

        Raises:
            AppError: If the model or its settings file (`<model>.json`) is missing or damaged.
        """
        config = Path(f"{self._model}.json")
        for path in (self._model, config):
            if not path.is_file():
                raise AppError(f"The voice is not complete: {path} is missing.", "Run `kuchipaku models` to fetch it.")
        # Imported here: it takes seconds, and only the tts thread should wait.
        from piper import PiperVoice
        from piper.config import PiperConfig, SynthesisConfig

        try:
            settings = PiperConfig.from_dict(json.loads(config.read_text("utf-8")))
            self._voice = PiperVoice(config=settings, session=_session(self._model, self._threads))
        except Exception as error:  # onnxruntime raises its own family, piper KeyError: all mean the same here
            raise AppError(
                f"The voice in {self._model} cannot be loaded.", "Run `kuchipaku models` to fetch it again."
            ) from error
        self._options = SynthesisConfig(length_scale=1.0 / self._speed, speaker_id=self._speaker)
        self.synthesize(0, 0, "Ready, steady, go.", last=True)

    def synthesize(self, turn: int, index: int, text: str, last: bool) -> SpeechClip:
        """Speak `text`: mono float32 at about -20 dBFS, peaks below -1 dBFS, with the time of every sound.

        A text with nothing to say gives a clip of 0 samples.
        """
        if self._voice is None:
            raise AppError("The voice is not loaded.", "Wait until it reports ready.")
        rate = int(self._voice.config.sample_rate)
        pieces: list[Samples] = []
        phones: list[Phone] | None = []
        start_s = 0.0
        if any(c.isalnum() for c in text):
            for chunk in self._voice.synthesize(text, self._options, include_alignments=True):
                samples = np.asarray(chunk.audio_float_array, np.float32)
                if phones is not None and chunk.phoneme_alignments:
                    phones += to_phones(
                        ((item.phoneme, int(item.num_samples)) for item in chunk.phoneme_alignments), rate, start_s
                    )
                else:
                    phones = None
                pieces.append(samples)
                start_s += len(samples) / rate
        if not pieces:
            return SpeechClip(turn, index, np.zeros(0, np.float32), rate, text, phones=(), last=last)
        spoken = to_level(np.concatenate(pieces), rate)
        pause_s = CLAUSE_PAUSE_S if text.rstrip().endswith((",", ";", ":", "-")) else SENTENCE_PAUSE_S
        spoken, phones = trim(spoken, rate, phones, pause_s)
        spoken = fade_edges(spoken, rate)
        return SpeechClip(turn, index, spoken, rate, text, tuple(phones) if phones is not None else None, last)


def _session(model: Path, threads: int) -> Any:
    """The voice as an onnxruntime session whose output also has the length of every sound."""
    import onnx
    import onnxruntime
    from piper.patch_voice_with_alignment import add_alignment_output

    graph = onnx.load(str(model))
    # ValueError: patched on disk already. What has no such output at all speaks as well, without the times.
    with contextlib.suppress(ValueError):
        add_alignment_output(graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # By default waiting threads spin. With the face on the same two cores that made every sentence 1.4 to 1.7 times
    # slower (measured beside none, one and two busy loops).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def to_phones(alignment: Iterable[tuple[str, int]], sample_rate: int, start_s: float = 0.0) -> list[Phone]:
    """Phones from Piper's alignment, pairs of (symbol, samples): no gap, no overlap, same total length.

    Stress marks join the vowel that follows, length marks the sound before.
    Word gaps, punctuation, start and end become pauses; neighbouring pauses are one.
    """
    rows: list[list[Any]] = []
    stress, stress_samples = "", 0
    for symbol, samples in alignment:
        if symbol in _STRESS:
            stress += symbol
            stress_samples += samples
        elif symbol in _LENGTH or _is_combining(symbol):
            if rows and rows[-1][0]:
                rows[-1][0] += symbol
                rows[-1][1] += samples
            elif rows:
                rows[-1][1] += samples
        elif symbol in _PAUSES:
            if rows and not rows[-1][0]:
                rows[-1][1] += samples
            else:
                rows.append(["", samples])
        elif symbol[0] in _VOWELS:
            rows.append([stress + symbol, samples + stress_samples])
            stress, stress_samples = "", 0
        else:
            rows.append([symbol, samples + stress_samples])
            stress_samples = 0
    if stress_samples:
        if rows:
            rows[-1][1] += stress_samples
        else:
            rows.append(["", stress_samples])
    phones: list[Phone] = []
    at = 0
    for ipa, samples in rows:
        phones.append(Phone(ipa, start_s + at / sample_rate, start_s + (at + samples) / sample_rate))
        at += samples
    return phones


def _is_combining(symbol: str) -> bool:
    return len(symbol) == 1 and ("\u0300" <= symbol <= "\u036f" or symbol in "ʰʲʷˠˤ̩")


def trim(
    samples: Samples, sample_rate: int, phones: list[Phone] | None, pause_s: float
) -> tuple[Samples, list[Phone] | None]:
    """Bring the silence before the first sound to at most LEAD_IN_S and that after the last one to `pause_s`.

    Only what is really silent is cut; `phones` move with the sound and end where it ends.
    """
    block = max(1, sample_rate // 200)
    count = -(-len(samples) // block)
    loud = [k for k in range(count) if dbfs(samples[k * block : (k + 1) * block]) > _QUIET_DBFS]
    if not loud:
        return samples, phones
    first = max(0, loud[0] * block - round(LEAD_IN_S * sample_rate))
    end = min(len(samples), (loud[-1] + 1) * block) + round(pause_s * sample_rate)
    kept = samples[first : min(end, len(samples))]
    kept = np.pad(kept, (0, end - first - len(kept)))
    if phones is None:
        return kept, None
    offset_s, length_s = first / sample_rate, len(kept) / sample_rate
    moved: list[Phone] = []
    for phone in phones:
        start_s, end_s = max(0.0, phone.start_s - offset_s), min(length_s, phone.end_s - offset_s)
        if end_s > start_s:
            moved.append(Phone(phone.ipa, start_s, end_s))
    if moved and moved[-1].end_s < length_s:
        if moved[-1].ipa:
            moved.append(Phone("", moved[-1].end_s, length_s))
        else:
            moved[-1] = Phone("", moved[-1].start_s, length_s)
    return kept, moved
