"""Whisper on CTranslate2, from a folder on this computer; never the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.hallucination import keep, without_loop

MIN_SAMPLES = HEARING_RATE
"""Shorter sounds are padded with silence to 1 s: Whisper invents words on fragments."""
FRAMES_PER_S = 100
WHOLE_FRAMES = 3000
SHORT_FRAMES = 800
SHORT_MARGIN_S = 2.0
"""A window of 8 s, or the utterance and 2 s. Measured over 40 sentences of eight voices: docs/investigations/
live-whisper.md."""
POOR_LOG_PROBABILITY = -0.6
TOKENS_PER_S, MIN_TOKENS = 8, 12


class FasterWhisperTranscriber:
    """Decodes one utterance at a time. `language` is a Whisper code; English-only models take "en" alone."""

    def __init__(self, folder: Path, *, language: str = "en", device: str = "cpu", threads: int = 2) -> None:
        self.name = f"Whisper {folder.name.removeprefix('whisper-')}"
        self.language = language
        self._folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._tokenizer: Any = None
        self._prompt: list[int] = []
        self._suppressed: Any = None

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
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        tokenizer = Tokenizer(
            self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language=self.language
        )
        self._tokenizer = tokenizer
        self._prompt = self._model.get_prompt(tokenizer, [], without_timestamps=True)
        self._suppressed = get_suppressed_tokens(tokenizer, [-1])
        self.transcribe(np.zeros(MIN_SAMPLES // 2, np.float32))

    def transcribe(self, samples: Samples) -> str:
        """Text of at most 30 s of 16 kHz mono; "" where Whisper heard nothing or made something up.

        Whisper's encoder costs the same for 1 s as for the 30 s that it was trained on, so it is given a window that
        is as short as the utterance allows: a third of the time for the same words. What comes out poor is decoded
        again over the whole window.
        """
        if self._model is None:
            raise AppError("Speech recognition is not loaded.", "Wait until it reports ready.")
        if len(samples) < MIN_SAMPLES:
            samples = np.pad(samples, (0, MIN_SAMPLES - len(samples)))
        duration_s = len(samples) / HEARING_RATE
        frames = max(SHORT_FRAMES, int((duration_s + SHORT_MARGIN_S) * FRAMES_PER_S))
        if frames < WHOLE_FRAMES // 2:
            text, poor = self._decode(samples, frames)
            if not poor:
                return text
        return self._decode(samples, WHOLE_FRAMES)[0]

    def _decode(self, samples: Samples, frames: int) -> tuple[str, bool]:
        """The words, and whether they are doubtful."""
        from faster_whisper.transcribe import get_compression_ratio, get_ctranslate2_storage

        model, duration_s = self._model, len(samples) / HEARING_RATE
        mel = model.feature_extractor(samples)
        window = np.full((mel.shape[0], frames), mel.min(), np.float32)
        count = min(frames, mel.shape[1])
        window[:, :count] = mel[:, :count]
        result = model.model.generate(
            model.model.encode(get_ctranslate2_storage(window[None]), to_cpu=False),
            [self._prompt],
            # Greedy and one temperature: the usual ladder of retries costs a second each where the first was poor.
            beam_size=1,
            max_length=min(model.max_length, len(self._prompt) + MIN_TOKENS + int(duration_s * TOKENS_PER_S)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
        )[0]
        tokens = result.sequences_ids[0]
        log_probability = result.scores[0] * len(tokens) / (len(tokens) + 1)
        text = without_loop(self._tokenizer.decode(tokens).strip())
        kept = keep(
            text,
            duration_s=duration_s,
            no_speech_probability=result.no_speech_prob,
            mean_log_probability=log_probability,
            compression_ratio=get_compression_ratio(text) if text else 1.0,
            english=self.language == "en",
        )
        return kept, log_probability < POOR_LOG_PROBABILITY
