"""The recordings that benchmarks of the conversation are made with."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest

from benchmarks.recordings import RATE, Recording, recordings, with_pause


@pytest.fixture(scope="module")
def twenty(models: Callable[[str], Path]) -> list[Recording]:
    models("piper-joe")
    return list(recordings())


def test_there_are_twenty_of_at_least_two_real_and_two_synthetic_voices(twenty: list[Recording]) -> None:
    assert len(twenty) == len({item.name for item in twenty}) == 20
    assert len({item.voice for item in twenty if item.is_real}) >= 2
    assert len({item.voice for item in twenty if not item.is_real}) >= 2


def test_speech_lies_inside_its_recording_and_is_loud_there_only(twenty: list[Recording]) -> None:
    for item in twenty + list(recordings(long=True)):
        assert item.samples.dtype == np.float32
        start, end = round(item.speech_start_s * RATE), round(item.speech_end_s * RATE)
        assert 0 < start < end <= len(item.samples), item.name
        assert np.abs(item.samples[start:end]).max() > 3 * np.abs(item.samples[: start - RATE // 20]).max(), item.name
        for at_s in item.gaps_s:
            assert item.speech_start_s < at_s < item.speech_end_s
        for from_s, to_s in item.pauses_s:
            pause = item.samples[round((from_s + 0.05) * RATE) : round((to_s - 0.05) * RATE)]
            assert np.sqrt(np.mean(pause**2)) < 0.2 * np.sqrt(np.mean(item.samples[start:end] ** 2)), item.name


def test_a_pause_is_put_in_without_losing_a_sample(twenty: list[Recording]) -> None:
    item = next(item for item in twenty if item.gaps_s)
    paused = with_pause(item, item.gaps_s[0], 0.5)

    assert len(paused.samples) == len(item.samples) + RATE // 2
    assert paused.speech_end_s == pytest.approx(item.speech_end_s + 0.5)
    at = round(item.gaps_s[0] * RATE)
    assert np.array_equal(paused.samples[: at - 80], item.samples[: at - 80])
    assert np.array_equal(paused.samples[at + RATE // 2 + 80 :], item.samples[at + 80 :])
    assert np.abs(paused.samples[at : at + RATE // 2]).max() < 0.1 * np.abs(item.samples).max()


@pytest.mark.slow
def test_their_texts_are_what_is_said(twenty: list[Recording], models: Callable[[str], Path]) -> None:
    from app.backends.stt_faster_whisper import FasterWhisperTranscriber

    whisper = FasterWhisperTranscriber(models("whisper-tiny-en"))
    whisper.load()

    def words(text: str) -> str:
        text = re.sub(r"\b10\b", "ten", re.sub(r"\b7\b", "seven", text.lower().replace("-", " ")))
        return " ".join(re.findall(r"[a-z']+", text))

    said, heard = zip(*((words(r.text), words(whisper.transcribe(r.samples))) for r in twenty), strict=True)

    assert jiwer.wer(list(said), list(heard)) <= 0.12, list(zip(said, heard, strict=True))
