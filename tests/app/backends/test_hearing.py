"""Silero and Whisper on real speech."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest

from animator.messages import Samples
from app.audio_file import read_speech
from app.backends.stt_faster_whisper import FasterWhisperTranscriber, WhisperByChoice
from app.backends.vad_silero import SileroDetector
from app.errors import AppError
from app.policy.endpointing import Endpointing, EndpointingOptions, SpeechEdge, SpeechEnded, SpeechStarted

JFK = Path(__file__).parents[2] / "data" / "jfk.flac"
JFK_WORDS = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def listen(samples: Samples, options: EndpointingOptions | None = None) -> list[SpeechEdge]:
    detector, endpointing = SileroDetector(), Endpointing(options)
    edges: list[SpeechEdge] = []
    for start in range(0, len(samples) - 511, 512):
        window = samples[start : start + 512]
        edges += endpointing.feed(window, detector.probability(window))
    return edges + endpointing.finish()


@pytest.fixture(scope="module")
def jfk() -> Samples:
    return read_speech(JFK)


def test_silero_wants_whole_windows() -> None:
    with pytest.raises(ValueError, match="512"):
        SileroDetector().probability(np.zeros(511, np.float32))


def test_noise_hum_clicks_and_silence_are_no_speech() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(64_000) / 16_000
    clicks = np.zeros(64_000)
    clicks[::8_000] = 0.9
    for sound in (np.zeros(64_000), 0.05 * rng.standard_normal(64_000), 0.3 * np.sin(2 * np.pi * 50 * t), clicks):
        assert listen(sound.astype(np.float32)) == []


def test_a_speech_with_long_pauses_is_one_utterance_where_pauses_are_allowed(jfk: Samples) -> None:
    edges = listen(jfk, EndpointingOptions(min_silence_ms=1500))

    assert [SpeechStarted, SpeechEnded] == [type(e) for e in edges if isinstance(e, SpeechStarted | SpeechEnded)]
    ended = edges[-1]
    assert isinstance(ended, SpeechEnded)
    assert 9.5 < len(ended.samples) / 16_000 <= 11.0


def test_the_same_speech_is_several_utterances_at_the_usual_patience(jfk: Samples) -> None:
    ends = [edge for edge in listen(jfk) if isinstance(edge, SpeechEnded)]

    assert len(ends) >= 3


def test_reset_makes_the_detector_repeat_itself(jfk: Samples) -> None:
    detector = SileroDetector()
    first = [detector.probability(jfk[k * 512 : (k + 1) * 512]) for k in range(60)]
    detector.reset()

    assert first == [detector.probability(jfk[k * 512 : (k + 1) * 512]) for k in range(60)]


@pytest.fixture(scope="module")
def whisper(models: Callable[[str], Path]) -> FasterWhisperTranscriber:
    made = FasterWhisperTranscriber(models("whisper-tiny-en"))
    made.load()
    return made


@pytest.mark.slow
def test_whisper_hears_jfk_with_at_most_one_word_in_ten_wrong(whisper: FasterWhisperTranscriber, jfk: Samples) -> None:
    assert jiwer.wer(JFK_WORDS, words(whisper.transcribe(jfk))) <= 0.10


@pytest.mark.slow
def test_whisper_hears_what_the_line_would_send_it(whisper: FasterWhisperTranscriber, jfk: Samples) -> None:
    """Cut by the endpointing at its usual patience, and each piece decoded alone."""
    pieces = [edge.samples for edge in listen(jfk) if isinstance(edge, SpeechEnded)]

    heard = " ".join(words(whisper.transcribe(piece)) for piece in pieces)

    assert jiwer.wer(JFK_WORDS, heard) <= 0.10


def no_speech() -> dict[str, Samples]:
    """What microphones hear where nobody speaks, 3 s each."""
    rng = np.random.default_rng(1)
    t = np.arange(48_000) / 16_000
    clicks = np.zeros(48_000)
    clicks[::8_000] = 0.9
    cough = np.zeros(48_000)
    for start, length in ((8_000, 4_000), (14_400, 3_200)):
        # A burst of breath through a throat: noise around 500 Hz that dies away within 100 ms.
        noise = np.convolve(rng.standard_normal(length), np.sin(np.arange(64) * 0.2) * np.hanning(64), "same")
        cough[start : start + length] = 0.1 * noise * np.exp(-np.arange(length) / 1_000)
    sounds = {
        "silence": np.zeros(48_000),
        "quiet noise": 0.02 * rng.standard_normal(48_000),
        "noise": 0.1 * rng.standard_normal(48_000),
        "breath": 0.02 * rng.standard_normal(3_000),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * t),
        "clicks": clicks,
        "cough": cough,
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(no_speech()))
def test_whisper_hears_nothing_where_nothing_is_said(whisper: FasterWhisperTranscriber, name: str) -> None:
    assert whisper.transcribe(no_speech()[name]) == ""


def test_an_incomplete_model_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"model\.bin and config\.json and tokenizer\.json missing"):
        FasterWhisperTranscriber(tmp_path).load()


@pytest.mark.slow
def test_a_damaged_model_is_an_error_to_act_on(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"garbage")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(AppError, match="cannot be loaded"):
        FasterWhisperTranscriber(tmp_path).load()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ja", "hi", "auto"])
def test_an_english_model_says_what_to_add_for_other_languages(models: Callable[[str], Path], language: str) -> None:
    for ears in (
        FasterWhisperTranscriber(models("whisper-tiny-en"), language=language),
        WhisperByChoice([models("whisper-tiny-en")], language=language),
    ):
        with pytest.raises(AppError, match="hears English only") as raised:
            ears.load()
        assert "kuchipaku models add whisper-base" in raised.value.remedy
