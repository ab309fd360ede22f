"""Groq's ears through its own SDK against a server of Groq's shape; the local ears are told what they hear."""

from __future__ import annotations

import concurrent.futures
import gc
import io
import logging
import wave
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from animator.clock import SystemClock
from app.backends.stt_groq import GroqText, GroqTranscriber
from app.errors import AppError
from tests.fakes import FakeTranscriber, speech
from tests.servers import ChatServer

KEY = "gsk_verysecret"
SOUND = speech(1500)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(answer="What is the capital of France?") as made:
        yield made


class Ears:
    def __init__(self, server: ChatServer, language: str = "en", deadline_s: float = 1.0) -> None:
        self.troubles: list[AppError] = []
        self.groq = GroqTranscriber(
            FakeTranscriber("local words"),
            KEY,
            SystemClock(),
            language=language,
            base_url=server.root,
            deadline_s=deadline_s,
            on_trouble=self.troubles.append,
        )

    def final(self) -> str | None:
        """What counts; None where Groq is not even asked."""
        pending = self.groq.begin_final(SOUND)
        return None if pending is None else pending.result("local words", lambda: False)


@pytest.fixture
def ears(server: ChatServer) -> Iterator[Ears]:
    made = Ears(server)
    made.groq.load()
    yield made
    made.groq.close()


def test_the_request_is_what_groq_expects(server: ChatServer, ears: Ears) -> None:
    assert ears.final() == "What is the capital of France?"

    asked = server.seen[0]
    assert asked["path"] == "/openai/v1/audio/transcriptions"
    assert (asked["model"], asked["response_format"]) == ("whisper-large-v3-turbo", "verbose_json")
    assert (asked["language"], float(asked["temperature"])) == ("en", 0.0)
    assert set(server.keys) == {f"Bearer {KEY}"}
    name, data = asked["file"]
    with wave.open(io.BytesIO(data)) as sent:
        pcm = np.frombuffer(sent.readframes(sent.getnframes()), "<i2") / 32767
        assert (name, sent.getframerate(), sent.getnchannels()) == ("a.wav", 16_000, 1)
    assert np.abs(pcm - SOUND).max() < 1e-4


def test_partials_stay_here(server: ChatServer, ears: Ears) -> None:
    assert ears.groq.transcribe(SOUND) == "local words"
    assert server.seen == []


def test_without_a_language_groq_says_which_it_was(server: ChatServer) -> None:
    ears = Ears(server, language="auto")
    server.language, server.answer = "Hindi", "आप कैसे हैं?"
    ears.groq.load()
    try:
        assert (ears.final(), ears.groq.language) == ("आप कैसे हैं?", "hi")
        assert "language" not in server.seen[0]
    finally:
        ears.groq.close()


@pytest.mark.parametrize(
    ("day", "problem", "asked_again"),
    [
        ("401", "does not accept the key", False),
        ("403", "does not accept the key", False),
        ("404", "does not know this model", False),
        ("429", "has reached its limit", False),
        ("500", "has trouble of its own", False),
        ("503", "has trouble of its own", False),
        ("slow", "did not answer in time", False),
        ("hang up", "cannot be reached", False),
        ("garbage", "not a transcript", False),
        ("413", "too long", True),
    ],
)
def test_on_a_bad_day_the_local_words_count_and_it_is_said_once(
    server: ChatServer, day: str, problem: str, asked_again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ears = Ears(server, deadline_s=0.4 if day == "slow" else 2.0)
    ears.groq.load()
    try:
        server.day = day

        assert ears.final() == "local words"
        assert ears.final() == ("local words" if asked_again else None)
        assert len(server.seen) == (2 if asked_again else 1)
        assert [problem in trouble.problem for trouble in ears.troubles] == [True]
        assert "secret" not in str(ears.troubles[0]) + caplog.text
    finally:
        ears.groq.close()


def test_a_key_that_is_refused_is_known_before_anybody_speaks(server: ChatServer) -> None:
    server.day = "401"
    ears = Ears(server)
    ears.groq.load()
    try:
        assert ears.final() is None
        assert ["key" in trouble.problem for trouble in ears.troubles] == [True]
        assert server.seen == []
    finally:
        ears.groq.close()


def test_where_nobody_is_there_the_local_words_count() -> None:
    with ChatServer() as gone:
        ears = Ears(gone)
    ears.groq.load()
    try:
        assert ears.final() is None
        assert "cannot be reached" in ears.troubles[0].problem
    finally:
        ears.groq.close()


@pytest.mark.parametrize(
    ("segment", "kept"),
    [
        ({"text": " Thank you.", "no_speech_prob": 0.4}, ""),
        ({"text": " Hello there.", "no_speech_prob": 0.8, "avg_logprob": -1.3}, ""),
        ({"text": " la la la la la la", "compression_ratio": 3.1}, ""),
        ({"text": " 시청해 주셔서 감사합니다."}, ""),
        ({"text": " Subtitles by the Amara.org community"}, ""),
        ({"text": " Thank you.", "no_speech_prob": 0.01, "avg_logprob": -0.2}, "Thank you."),
        ({"text": " Odd numbers.", "no_speech_prob": None, "avg_logprob": "x"}, "Odd numbers."),
    ],
)
def test_what_groq_makes_up_is_dropped(server: ChatServer, ears: Ears, segment: dict[str, object], kept: str) -> None:
    server.segments = [segment]

    assert ears.final() == kept


def test_a_failed_request_keeps_nothing_of_whoever_asked() -> None:
    """A Whisper stands behind the owner; Python looks for objects that hold each other only every now and then."""
    owner = GroqTranscriber(FakeTranscriber("local words"), KEY, SystemClock())
    held = weakref.ref(owner)
    future: concurrent.futures.Future[object] = concurrent.futures.Future()
    future.set_exception(OSError("the line broke"))
    gc.disable()
    try:
        assert "local words" == GroqText(owner, future, 1.5, 1.0, SystemClock()).result("local words", lambda: False)
        owner.close()
        del owner, future

        assert held() is None
    finally:
        gc.enable()


def test_a_newer_sound_gives_up_the_older(server: ChatServer, ears: Ears) -> None:
    server.day = "slow"
    old = ears.groq.begin_final(SOUND)
    assert old is not None
    assert old.result("old", lambda: True) is None
    server.day = "good"

    assert ears.final() == "What is the capital of France?"
    assert old.result("old", lambda: False) == "old"
    assert ears.troubles == []
