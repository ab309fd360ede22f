"""Whisper on CTranslate2, from a folder on this computer; never the network."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.hallucination import is_repeated, keep
from app.policy.log_mel import BANDS, HOP, log_mel

MIN_SAMPLES = HEARING_RATE
"""Shorter sounds are padded with silence to 1 s: Whisper invents words on fragments."""
WINDOW = 30 * HEARING_RATE
MARGIN = HEARING_RATE // 2
"""Samples of silence that are encoded together with the sound."""
_STATES = WINDOW // HOP // 2
_TOKENS_AT_LEAST = 24
_TOKENS_PER_S = 12
"""More than anybody says; a decode that gets this far is going round in circles."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    text: str
    mean_log_probability: float
    no_speech_probability: float
    compression_ratio: float
    is_cut: bool

    @property
    def is_doubtful(self) -> bool:
        """Whether Whisper's own thresholds call for another try, or the text repeats itself."""
        unsure = self.mean_log_probability < -1.0 and self.no_speech_probability <= 0.6
        return unsure or self.is_cut or self.compression_ratio > 2.4 or is_repeated(self.text)


class FasterWhisperTranscriber:
    """Decodes one utterance at a time. `language` is a Whisper code; English-only models take "en" alone.

    Whisper's encoder always looks at 30 s, most of them silence here. On the CPU only the sound is encoded; the states
    that follow are those of silence, kept from one encoding at the start. The decoder so hears the long quiet after
    the last word by which it knows where to stop. Where the result looks bad, the whole 30 s are encoded once more.
    Figures: docs/investigations/live-whisper.md.
    """

    def __init__(self, folder: Path, *, language: str = "en", device: str = "cpu", threads: int = 2) -> None:
        self.name = f"Whisper {folder.name.removeprefix('whisper-')}"
        self.language = language
        self.retries = 0
        """How often the whole window had to be encoded."""
        self._folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._silence: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._prompt: list[int] = []

    def load(self) -> None:
        """Load the weights and decode half a second, so that the first real call is warm.

        Raises:
            AppError: If the folder does not hold a CTranslate2 Whisper model, or it does not know the language.
        """
        missing = [name for name in ("model.bin", "config.json") if not (self._folder / name).is_file()]
        if missing:
            raise AppError(
                f"The speech recognition model is not complete: {' and '.join(missing)} missing in {self._folder}.",
                "Run `kuchipaku models` to fetch it again.",
            )
        # Imported here: it takes a second, and only the stt thread should wait for it.
        import tqdm
        from faster_whisper import WhisperModel

        # faster-whisper makes a progress bar per call; the first would start a thread that never ends.
        tqdm.tqdm.monitor_interval = 0
        try:
            model = WhisperModel(
                str(self._folder),
                device=self._device,
                compute_type="int8" if self._device == "cpu" else "int8_float16",
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise AppError(
                f"The speech recognition model in {self._folder} cannot be loaded.",
                "Run `kuchipaku models` to fetch it again.",
            ) from error
        words = ["<|startoftranscript|>"]
        if model.model.is_multilingual:
            words += [f"<|{self.language}|>", "<|transcribe|>"]
        ids = [model.hf_tokenizer.token_to_id(word) for word in [*words, "<|notimestamps|>"]]
        if None in ids:
            raise AppError(
                f"{self.name} does not know the language {self.language!r}.", "Choose another language or model."
            )
        self._model, self._prompt = model, ids
        if self._device == "cpu" and model.model.n_mels == BANDS:
            self._silence = self._encode(np.zeros(WINDOW, np.float32))
        self.transcribe(np.zeros(MIN_SAMPLES // 2, np.float32))

    def transcribe(self, samples: Samples) -> str:
        """Text of at most 30 s of 16 kHz mono; "" where Whisper heard nothing or made something up."""
        if self._model is None:
            raise AppError("Speech recognition is not loaded.", "Wait until it reports ready.")
        samples = np.asarray(samples[:WINDOW], np.float32)
        duration_s = max(len(samples), MIN_SAMPLES) / HEARING_RATE
        if self._silence is None:
            return self._transcribe_whole(samples, duration_s)
        found = self._decode(samples, max(MIN_SAMPLES, len(samples) + MARGIN))
        if found.is_doubtful:
            self.retries += 1
            found = self._decode(samples, WINDOW)
        return keep(
            found.text,
            duration_s=duration_s,
            no_speech_probability=found.no_speech_probability,
            mean_log_probability=found.mean_log_probability,
            compression_ratio=found.compression_ratio,
            english=self.language == "en",
        )

    def _decode(self, samples: Samples, window: int) -> _Decoded:
        # Two frames make one state of the encoder.
        window = min(WINDOW, -(-window // (2 * HOP)) * 2 * HOP)
        states = self._encode(np.pad(samples, (0, max(0, window - len(samples)))))
        assert self._silence is not None
        padded = np.concatenate([states, self._silence[:, states.shape[1] :]], axis=1)
        limit = len(self._prompt) + _TOKENS_AT_LEAST + _TOKENS_PER_S * len(samples) // HEARING_RATE
        result = self._model.model.generate(
            _storage(padded),
            [self._prompt],
            beam_size=1,
            max_length=min(limit, 448),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        text = self._model.hf_tokenizer.decode(tokens).strip()
        data = text.encode()
        return _Decoded(
            text,
            float(result.scores[0]),
            float(result.no_speech_prob),
            len(data) / len(zlib.compress(data)) if data else 1.0,
            is_cut=len(tokens) + len(self._prompt) >= limit,
        )

    def _encode(self, samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
        states = np.array(self._model.model.encode(_storage(log_mel(samples)[None]), to_cpu=True))
        return states[:, :_STATES].astype(np.float32)

    def _transcribe_whole(self, samples: Samples, duration_s: float) -> str:
        """Through faster-whisper's own window: for models of other mel bands, and on a GPU, where it costs little."""
        segments, _ = self._model.transcribe(
            np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples)))),
            language=self.language,
            beam_size=1,
            # One temperature: the usual ladder of retries costs a second each where the first decode was poor.
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=None,
        )
        texts = [
            keep(
                segment.text.strip(),
                duration_s=min(duration_s, segment.end - segment.start) or duration_s,
                no_speech_probability=segment.no_speech_prob,
                mean_log_probability=segment.avg_logprob,
                compression_ratio=segment.compression_ratio,
                english=self.language == "en",
            )
            for segment in segments
        ]
        return " ".join(text for text in texts if text)


def _storage(array: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    from faster_whisper.transcribe import get_ctranslate2_storage

    return get_ctranslate2_storage(array)
