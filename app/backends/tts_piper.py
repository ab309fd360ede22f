"""Piper: a neural voice in this process, which also says when each sound falls."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Phone, Samples, SpeechClip
from app.errors import AppError
from app.messages import SpeechPiece
from app.policy.edges import LEAD_IN_S, SENTENCE_PAUSE_S, pause_after, quiet_dbfs, trim
from app.policy.hindi_sounds import DEVANAGARI, for_english_voice
from app.policy.levels import fade_edges, to_level

__all__ = ["LEAD_IN_S", "SENTENCE_PAUSE_S", "PiperSynth", "to_phones", "trim"]

_STRESS = "ˈˌ"
_LENGTH = "ːˑ"
_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɞɘɤɨɪɯɵʉʊʌʏɶ")
_PAUSES = frozenset("^$_ .,;:!?…-—–\"'()«»“”¡¿")
WATCH_S = 0.02
"""How often a running sentence asks whether its turn is still wanted."""
LONG_SOUNDS = 100
"""Numbers that the network is given for a sentence of some three seconds; the first one of an answer is shorter."""


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
        self._session: StoppableSession | None = None
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
        from piper.config import PiperConfig, SynthesisConfig

        try:
            settings = PiperConfig.from_dict(json.loads(config.read_text("utf-8")))
            self._session = StoppableSession(_session(self._model, self._threads))
            self._voice = _mixed_voice(settings, self._session)
        except Exception as error:  # onnxruntime raises its own family, piper KeyError: all mean the same here
            raise AppError(
                f"The voice in {self._model} cannot be loaded.", "Run `kuchipaku models` to fetch it again."
            ) from error
        # Not normalised: that would bring every sentence's highest peak to full scale, so that two words shout.
        self._options = SynthesisConfig(length_scale=1.0 / self._speed, speaker_id=self._speaker, normalize_audio=False)
        self.synthesize(0, 0, "Ready, steady, go.", last=True)

    def set_speed(self, speed: float) -> None:
        """Speak at `speed`, 0.5 to 2, from the next sentence on. Not while one is being spoken."""
        self._speed = speed
        if self._options is not None:
            self._options = replace(self._options, length_scale=1.0 / speed)

    def speak(self, text: str, should_stop: Callable[[], bool] = lambda: False) -> Iterator[SpeechPiece]:
        """Speak `text` in one piece with the time of every sound, at the voice's own loudness.

        Devanagari is read by Hindi rules, by an English voice too. A text with nothing to say gives no piece.
        """
        if self._voice is None or self._session is None:
            raise AppError("The voice is not loaded.", "Wait until it reports ready.")
        rate = int(self._voice.config.sample_rate)
        pieces: list[Samples] = []
        phones: list[Phone] | None = []
        start_s = 0.0
        if not any(c.isalnum() for c in text):
            return
        with self._session.stopping_when(should_stop):
            try:
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
            except Exception:  # onnxruntime's own family, once it was told to stop
                if should_stop():
                    return
                raise
        if not pieces or should_stop():
            return
        raw = np.concatenate(pieces)
        sound, phones = trim(raw, rate, phones, pause_after(text), quiet_dbfs(raw, rate))
        yield SpeechPiece(
            fade_edges(sound, rate), rate, tuple(phones) if phones is not None else None, final=True, voice=self.name
        )

    def synthesize(self, turn: int, index: int, text: str, last: bool) -> SpeechClip:
        """One sentence as a clip at about -20 dBFS with peaks below -1 dBFS, for whoever has no line around it.

        A text with nothing to say gives a clip of 0 samples.
        """
        if self._voice is None:
            raise AppError("The voice is not loaded.", "Wait until it reports ready.")
        for piece in self.speak(text):
            level = to_level(piece.samples, piece.sample_rate)
            return SpeechClip(turn, index, level, piece.sample_rate, text, piece.phones, last, spoken=text)
        return SpeechClip(
            turn, index, np.zeros(0, np.float32), int(self._voice.config.sample_rate), text, phones=(), last=last
        )

    def close(self) -> None:
        """Nothing is held open; what speaks ends by `should_stop`."""


class StoppableSession:
    """An onnxruntime session whose run can be broken off between two of its operations.

    After a long sentence it lets the memory go that it worked in. Kept for the longest sentence so far, as onnxruntime
    does by itself, that came to 347 MB after 45 sentences; let go after each it is 174, for 10 to 15 % of the time.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._should_stop: Callable[[], bool] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @contextlib.contextmanager
    def stopping_when(self, should_stop: Callable[[], bool]) -> Iterator[None]:
        """Inside, `run` ends with an error of onnxruntime's soon after `should_stop()` is true."""
        self._should_stop = should_stop
        try:
            yield
        finally:
            self._should_stop = None

    def run(self, output_names: Any, feeds: Any, run_options: Any = None) -> Any:
        """As onnxruntime's own."""
        import onnxruntime

        options = run_options or onnxruntime.RunOptions()
        if feeds["input"].shape[-1] >= LONG_SOUNDS:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        should_stop = self._should_stop
        if should_stop is None:
            return self._session.run(output_names, feeds, options)
        done = threading.Event()

        def watch() -> None:
            while not done.wait(WATCH_S):
                if should_stop():
                    options.terminate = True
                    return

        watcher = threading.Thread(target=watch, name="voice-watch", daemon=True)
        watcher.start()
        try:
            return self._session.run(output_names, feeds, options)
        finally:
            done.set()
            watcher.join()


def _mixed_voice(settings: Any, session: Any) -> Any:
    """Piper's voice, which reads Devanagari inside another language's text by Hindi rules."""
    from piper import PiperVoice
    from piper.phonemize_espeak import ESPEAK_DATA_DIR, EspeakPhonemizer

    class MixedVoice(PiperVoice):  # type: ignore[misc]
        def phonemize(self, text: str) -> list[list[str]]:
            own: Callable[[str], list[list[str]]] = super().phonemize
            if self.config.espeak_voice.startswith("hi") or not DEVANAGARI.search(text):
                return own(text)
            sentences: list[list[str]] = [[]]
            for run in DEVANAGARI.split(text):
                if not run.strip():
                    continue
                if DEVANAGARI.fullmatch(run):
                    hindi = EspeakPhonemizer(ESPEAK_DATA_DIR).phonemize("hi", run)
                    read = [list(for_english_voice("".join(sounds))) for sounds in hindi]
                elif any(c.isalnum() for c in run):
                    read = own(run)
                else:
                    sentences[-1] += [c for c in run if c in self.config.phoneme_id_map]
                    continue
                for i, sounds in enumerate(read):
                    if i or (sentences[-1] and sentences[-1][-1] in ".!?"):
                        sentences.append([])
                    elif sentences[-1] and sentences[-1][-1] != " ":
                        sentences[-1].append(" ")
                    sentences[-1] += sounds
            return [sentence for sentence in sentences if sentence]

    return MixedVoice(config=settings, session=session)


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
    # A plan of the memory is kept for each length of input, and no two sentences are as long: 60 of them took 436 MB
    # with such plans, and went on growing, and 394 without, for 2 % of the time.
    options.enable_mem_pattern = False
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
