"""Whisper on CTranslate2, from a folder on this computer; never the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.hallucination import keep

MIN_SAMPLES = HEARING_RATE
"""Shorter sounds are padded with silence to 1 s: Whisper invents words on fragments."""


class FasterWhisperTranscriber:
    """Decodes one utterance at a time. `language` is a Whisper code; English-only models take "en" alone."""

    def __init__(self, folder: Path, *, language: str = "en", device: str = "cpu", threads: int = 2) -> None:
        self.name = f"Whisper {folder.name.removeprefix('whisper-')}"
        self.language = language
        self._folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None

    def load(self) -> None:
        """Load the weights and decode half a second, so that the first real call is warm.

        Raises:
            AppError: If the folder does not hold a CTranslate2 Whisper model.
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
            self._model = WhisperModel(
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
        self.transcribe(np.zeros(MIN_SAMPLES // 2, np.float32))

    def transcribe(self, samples: Samples) -> str:
        """Text of at most 30 s of 16 kHz mono; "" where Whisper heard nothing or made something up."""
        if self._model is None:
            raise AppError("Speech recognition is not loaded.", "Wait until it reports ready.")
        if len(samples) < MIN_SAMPLES:
            samples = np.pad(samples, (0, MIN_SAMPLES - len(samples)))
        segments, _ = self._model.transcribe(
            samples,
            language=self.language,
            beam_size=1,
            # One temperature: the usual ladder of retries costs a second each where the first decode was poor.
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=None,
        )
        duration_s = len(samples) / HEARING_RATE
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
