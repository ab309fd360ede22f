"""Whisper on CTranslate2, from a folder on this computer; never the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.ear_choice import BUDGET_S, SURE_FROM_S, Measured, choose, heard_language, in_order, is_usable
from app.policy.hallucination import compression_ratio, is_repeated, keep
from app.policy.log_mel import BANDS, HOP, log_mel

MIN_SAMPLES = HEARING_RATE
"""Shorter sounds are padded with silence to 1 s: Whisper invents words on fragments."""
WINDOW = 30 * HEARING_RATE
MARGIN = HEARING_RATE // 2
"""Samples of silence that are encoded together with the sound."""
_STATES = WINDOW // HOP // 2
_TOKENS_AT_LEAST = 24
_TOKENS_PER_S, _TOKENS_PER_S_OF_OTHERS = 12, 40
"""More than anybody says; who gets this far is going round in circles. A letter of Hindi may be two tokens."""
MEASURE_S = 3
_MEASURE_TOKENS = 13


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
    """Decodes one utterance at a time.

    `language` is a Whisper code, or "auto": then each sound of 3 s and more says its own, and shorter ones are taken
    for the last that was known. English-only models take "en" alone. The attribute `language` is that of the last
    decode.

    Whisper's encoder always looks at 30 s, most of them silence here. On the CPU only the sound is encoded; the states
    that follow are those of silence, kept from one encoding at the start. The decoder so hears the long quiet after
    the last word by which it knows where to stop. Where the result looks bad, the whole 30 s are encoded once more.
    Figures: docs/investigations/live-whisper.md.
    """

    def __init__(self, folder: Path, *, language: str = "en", device: str = "cpu", threads: int = 2) -> None:
        self.name = f"Whisper {folder.name.removeprefix('whisper-')}"
        self.multilingual = False
        """Known once it is loaded."""
        self.language = "en" if language == "auto" else language
        self.retries = 0
        """How often the whole window had to be encoded."""
        self._wanted = language
        self._known: str | None = None
        self._folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._silence: np.ndarray[Any, np.dtype[np.float32]] | None = None
        self._prompts: dict[str, list[int]] = {}

    def load(self) -> None:
        """Load the weights and decode half a second, so that the first real call is warm.

        Raises:
            AppError: If the folder does not hold a CTranslate2 Whisper model, or it does not know the language.
        """
        missing = [
            name for name in ("model.bin", "config.json", "tokenizer.json") if not (self._folder / name).is_file()
        ]
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
        self.multilingual = bool(model.model.is_multilingual)
        if not is_usable(self.multilingual, self._wanted):
            raise no_model_for(self._wanted)
        if model.feature_extractor.mel_filters.shape[0] != model.model.n_mels:
            # The file that says so is often left out beside large-v3.
            from faster_whisper.feature_extractor import FeatureExtractor

            model.feature_extractor = FeatureExtractor(feature_size=model.model.n_mels)
        self._model, self._prompts = model, {}
        self._prompt(self.language)
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
        if self._wanted == "auto":
            self.language = ""  # asked of the first encoding
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
            language=self.language,
        )

    def measure(self, seconds: Callable[[], float] = time.perf_counter) -> float:
        """Seconds that a warm decode of 3 s of speech takes: its encoding, and its usual 13 words and marks."""
        samples = np.zeros(MEASURE_S * HEARING_RATE, np.float32)
        took: list[float] = []
        for _ in range(2):
            start_s = seconds()
            if self._silence is None:
                self._transcribe_whole(samples, MEASURE_S)
            else:
                states = self._encode(np.pad(samples, (0, MARGIN)))
                padded = np.concatenate([states, self._silence[:, states.shape[1] :]], axis=1)
                prompt = self._prompt(self.language)
                # Without an end, since nobody speaks here.
                never = [-1, self._model.hf_tokenizer.token_to_id("<|endoftext|>")]
                self._model.model.generate(
                    _storage(padded),
                    [prompt],
                    beam_size=1,
                    max_length=len(prompt) + _MEASURE_TOKENS,
                    suppress_tokens=never,
                )
            took.append(seconds() - start_s)
        return min(took)

    def _decode(self, samples: Samples, window: int) -> _Decoded:
        # Two frames make one state of the encoder.
        window = min(WINDOW, -(-window // (2 * HOP)) * 2 * HOP)
        states = self._encode(np.pad(samples, (0, max(0, window - len(samples)))))
        assert self._silence is not None
        padded = np.concatenate([states, self._silence[:, states.shape[1] :]], axis=1)
        storage = _storage(padded)
        if not self.language:
            self._detect(storage, len(samples) / HEARING_RATE)
        prompt = self._prompt(self.language)
        rate = _TOKENS_PER_S if self.language == "en" else _TOKENS_PER_S_OF_OTHERS
        limit = len(prompt) + _TOKENS_AT_LEAST + rate * len(samples) // HEARING_RATE
        result = self._model.model.generate(
            storage,
            [prompt],
            beam_size=1,
            max_length=min(limit, 448),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        text = self._model.hf_tokenizer.decode(tokens).strip()
        return _Decoded(
            text,
            float(result.scores[0]),
            float(result.no_speech_prob),
            compression_ratio(text),
            is_cut=len(tokens) + len(prompt) >= limit,
        )

    def _detect(self, storage: Any, duration_s: float) -> None:
        if duration_s < SURE_FROM_S and self._known is not None:
            self.language = self._known
            return
        token, _ = self._model.model.detect_language(storage)[0][0]
        self.language, self._known = heard_language(duration_s, token.strip("<|>"), self._known)

    def _prompt(self, language: str) -> list[int]:
        if language not in self._prompts:
            words = [f"<|{language}|>", "<|transcribe|>"] if self.multilingual else []
            words = ["<|startoftranscript|>", *words, "<|notimestamps|>"]
            ids = [self._model.hf_tokenizer.token_to_id(word) for word in words]
            if None in ids:
                raise AppError(f"{self.name} does not know the language {language!r}.", _CHOOSE)
            self._prompts[language] = ids
        return self._prompts[language]

    def _encode(self, samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
        states = np.array(self._model.model.encode(_storage(log_mel(samples)[None]), to_cpu=True))
        return states[:, :_STATES].astype(np.float32)

    def _transcribe_whole(self, samples: Samples, duration_s: float) -> str:
        """Through faster-whisper's own window: for models of other mel bands, and on a GPU, where it costs little."""
        seconds = len(samples) / HEARING_RATE
        known: str | None = self._wanted
        if self._wanted == "auto":
            known = self._known if seconds < SURE_FROM_S else None
        segments, info = self._model.transcribe(
            np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples)))),
            language=known,
            beam_size=1,
            # One temperature: the usual ladder of retries costs a second each where the first decode was poor.
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            no_speech_threshold=None,
        )
        if self._wanted == "auto":
            self.language, self._known = heard_language(seconds, info.language, self._known)
        texts = [
            keep(
                segment.text.strip(),
                duration_s=min(duration_s, segment.end - segment.start) or duration_s,
                no_speech_probability=segment.no_speech_prob,
                mean_log_probability=segment.avg_logprob,
                compression_ratio=compression_ratio(segment.text.strip()),
                language=self.language,
            )
            for segment in segments
        ]
        return " ".join(text for text in texts if text)


class WhisperByChoice:
    """The Whisper of `folders` that suits the language and this computer, found by measuring while loading.

    From small to large each is loaded and times one decode; the first that is too slow ends it. One alone is not
    measured. Its `name` says why it was chosen.
    """

    def __init__(
        self, folders: Sequence[Path], *, language: str = "en", seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self._folders = {folder.name: folder for folder in folders}
        self._language = language
        self._seconds = seconds
        self._chosen: FasterWhisperTranscriber | None = None
        self.name = "Whisper"

    @property
    def language(self) -> str:
        """That of the last decode."""
        return self._chosen.language if self._chosen is not None else self._language.replace("auto", "en")

    def load(self) -> None:
        """Choose, and load. Raises AppError where no model hears the language, or none can be loaded."""
        names = in_order(list(self._folders))
        chosen: FasterWhisperTranscriber | None = None
        measured: list[Measured] = []
        problem: AppError | None = None
        for name in names:
            made = FasterWhisperTranscriber(self._folders[name], language=self._language)
            try:
                made.load()
            except AppError as error:  # a larger one may do
                problem = error.kept()
                continue
            took_s = made.measure(self._seconds) if len(names) > 1 else 0.0
            measured.append(Measured(name, made.multilingual, took_s))
            best = choose(measured, self._language)
            if best is not None and best[0] == name:
                chosen = made  # only the best so far stays in memory
            if took_s > BUDGET_S:
                break
        choice = choose(measured, self._language)
        if choice is None or chosen is None:
            raise problem.again() if problem else no_model_for(self._language)
        self._chosen = chosen
        self.name = self._chosen.name + (f" ({choice[1]})" if len(names) > 1 else "")

    def transcribe(self, samples: Samples) -> str:
        """As FasterWhisperTranscriber's."""
        if self._chosen is None:
            raise AppError("Speech recognition is not loaded.", "Wait until it reports ready.")
        return self._chosen.transcribe(samples)


_LANGUAGES = {"en": "English", "ja": "Japanese", "hi": "Hindi", "auto": "any language"}
_CHOOSE = "Choose another language or model under [hearing]."


def no_model_for(language: str) -> AppError:
    """No model that is there hears `language`."""
    return AppError(
        f"The speech recognition that is there hears English only; [hearing] language asks for "
        f"{_LANGUAGES.get(language, language)}.",
        "Add one for all languages with `kuchipaku models add whisper-base FOLDER` (Systran/faster-whisper-base on "
        'Hugging Face), or write language = "en".',
    )


def _storage(array: np.ndarray[Any, np.dtype[np.float32]]) -> Any:
    from faster_whisper.transcribe import get_ctranslate2_storage

    return get_ctranslate2_storage(array)
