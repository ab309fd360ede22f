"""Groq's own SDK against a server of Groq's shape."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from app.backends.llm_groq import DEFAULT_MODEL, GroqChat
from app.backends.openai_stream import StreamTimeouts
from app.errors import AppError
from tests.servers import ChatServer

MESSAGES = [{"role": "user", "content": "secret words"}]
KEY = "gsk_verysecret"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as made:
        yield made


@pytest.fixture
def chat(server: ChatServer) -> Iterator[GroqChat]:
    timeouts = StreamTimeouts(connect_s=1.0, first_token_s=1.0, next_token_s=0.3)
    made = GroqChat(KEY, base_url=server.root, timeouts=timeouts)
    yield made
    made.close()


def test_the_request_is_what_groq_expects(server: ChatServer, chat: GroqChat) -> None:
    chat.load()

    assert "".join(chat.reply(MESSAGES, lambda: False)) == server.answer

    asked = server.seen[0]
    assert asked["path"] == "/openai/v1/chat/completions"
    assert asked["model"] == DEFAULT_MODEL == "openai/gpt-oss-20b"
    assert (asked["reasoning_effort"], asked["include_reasoning"], asked["stream"]) == ("low", False, True)
    assert asked["max_completion_tokens"] >= 512
    assert set(server.keys) == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("401", "does not accept the key"),
        ("404", "does not know this model"),
        ("429", "has reached its limit"),
        ("500", "has trouble of its own"),
        ("cut", "broke off"),
        ("error event", "error in the middle"),
        ("stall", "did not answer in time"),
        ("slow", "did not answer in time"),
    ],
)
def test_every_bad_day_is_told_without_key_or_question(
    server: ChatServer, chat: GroqChat, day: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    chat.load()
    server.day = day

    with pytest.raises(AppError, match=problem) as raised:
        list(chat.reply(MESSAGES, lambda: False))

    assert "secret" not in str(raised.value)
    assert "secret" not in caplog.text


def test_nothing_is_asked_twice(server: ChatServer, chat: GroqChat) -> None:
    """The SDK's own retries would sleep up to a minute while the user waits."""
    chat.load()
    server.day = "429"

    with pytest.raises(AppError):
        list(chat.reply(MESSAGES, lambda: False))

    assert len(server.seen) == 1


def test_a_refused_key_is_found_out_while_loading(server: ChatServer, chat: GroqChat) -> None:
    server.day = "401"

    with pytest.raises(AppError, match="does not accept the key"):
        chat.load()


@pytest.mark.parametrize("key", ["", "  "])
def test_without_a_key_the_remedy_says_where_it_goes(key: str) -> None:
    with pytest.raises(AppError) as raised:
        GroqChat(key).load()

    assert "GROQ_API_KEY" in raised.value.remedy
