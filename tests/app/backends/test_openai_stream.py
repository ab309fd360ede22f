"""The streaming client against a server that misbehaves in every way that real ones do."""

from __future__ import annotations

import email.utils
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.backends.llm_openai import OpenAiChat
from app.backends.openai_stream import (
    OpenAiEndpoint,
    OpenAiStream,
    Piece,
    StreamTimeouts,
    retry_after_s,
    status_error,
    whole_sentences,
    without_thoughts,
)
from app.errors import AppError
from tests.servers import ChatServer

MESSAGES = [{"role": "user", "content": "secret words"}]
QUICK = StreamTimeouts(connect_s=1.0, first_token_s=0.3, next_token_s=0.3)


def never() -> bool:
    return False


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as made:
        yield made


@pytest.fixture
def chat(server: ChatServer) -> Iterator[OpenAiChat]:
    made = OpenAiChat(server.url, "tiny", key="sk-secret", timeouts=QUICK)
    yield made
    made.close()


def test_an_answer_comes_in_pieces_and_whole(server: ChatServer, chat: OpenAiChat) -> None:
    pieces = list(chat.reply(MESSAGES, never))

    assert "".join(pieces) == server.answer
    assert len(pieces) > 1
    asked = server.seen[0]
    assert (asked["path"], asked["model"], asked["stream"]) == ("/v1/chat/completions", "tiny", True)
    assert asked["messages"] == MESSAGES
    assert server.keys == ["Bearer sk-secret"]


def test_a_talk_that_the_character_began_is_told_so_that_every_template_takes_it(
    server: ChatServer, chat: OpenAiChat
) -> None:
    began = [{"role": "system", "content": "P"}, {"role": "assistant", "content": "Hi!"}, *MESSAGES]

    list(chat.reply(began, never))

    assert [message["role"] for message in server.seen[0]["messages"]] == ["system", "user", "assistant", "user"]


def test_load_says_whether_the_server_is_there_and_takes_the_key(server: ChatServer, chat: OpenAiChat) -> None:
    chat.load()
    server.day = "401"

    with pytest.raises(AppError, match="does not accept the key"):
        chat.load()


@pytest.mark.parametrize(
    ("day", "problem", "remedy"),
    [
        ("401", "does not accept the key", "Check the key"),
        ("404", "does not know this model", "Choose another model"),
        ("429", "has reached its limit", "Wait for 7 s"),
        ("500", "has trouble of its own", "Start the server"),
        ("cut", "broke off in the middle", "Start the server"),
        ("error event", "error in the middle", "Ask again"),
        ("garbage", "not an answer", "address"),
        ("slow", "did not answer in time", "Start the server"),
        ("stall", "stopped in the middle", "Start the server"),
    ],
)
def test_every_bad_day_has_a_problem_and_a_remedy(
    server: ChatServer, chat: OpenAiChat, day: str, problem: str, remedy: str
) -> None:
    server.day = day

    with pytest.raises(AppError) as raised:
        list(chat.reply(MESSAGES, never))

    assert problem in raised.value.problem
    assert remedy in raised.value.remedy
    assert "secret" not in str(raised.value)


def test_the_beginning_of_a_broken_answer_is_passed_on(server: ChatServer, chat: OpenAiChat) -> None:
    server.day = "cut"
    got = []

    with pytest.raises(AppError):
        got.extend(chat.reply(MESSAGES, never))  # extend keeps what came before the error

    assert "".join(got) == "Hello there,"


def test_an_answer_that_nobody_waits_for_is_given_up_at_once(server: ChatServer) -> None:
    server.day = "stall"
    chat = OpenAiChat(server.url, "tiny", timeouts=StreamTimeouts(next_token_s=20.0))
    stop = threading.Event()
    pieces = chat.reply(MESSAGES, stop.is_set)
    next(pieces)

    stop.set()
    start = time.perf_counter()
    rest = list(pieces)

    assert "".join(rest) in ("", " my friend.")  # what had come before
    assert time.perf_counter() - start < 1.0
    assert server.disconnected.wait(5)
    chat.close()


def test_a_server_that_is_not_there_is_named_with_its_remedy() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, but nobody listens
        chat = OpenAiChat(f"http://127.0.0.1:{bound.getsockname()[1]}/v1", "tiny", timeouts=QUICK)

        with pytest.raises(AppError, match="cannot be reached"):
            list(chat.reply(MESSAGES, never))
        chat.close()


def test_an_empty_answer_is_empty(server: ChatServer, chat: OpenAiChat) -> None:
    server.day = "empty"

    assert list(chat.reply(MESSAGES, never)) == []


def test_an_answer_that_hits_its_length_limit_ends_with_a_whole_sentence(server: ChatServer, chat: OpenAiChat) -> None:
    server.day = "length"
    server.answer = "This is the first one. This is the second. And this third one was cut in the"

    assert "".join(chat.reply(MESSAGES, never)).strip() == "This is the first one. This is the second."


def test_the_key_is_not_in_what_can_be_printed() -> None:
    endpoint = OpenAiEndpoint("Model", "http://127.0.0.1:1/v1", "m", key="sk-secret")

    assert "sk-secret" not in repr(endpoint)
    assert "sk-secret" not in repr(vars(OpenAiStream(endpoint)))


def test_a_retry_hint_that_is_not_a_number_is_left_out() -> None:
    assert status_error("X", 429, "<script>").remedy == "Wait, or choose another model."


def pieces(*texts: str, cut: bool = False) -> Iterator[Piece]:
    yield from (Piece(text) for text in texts)
    yield Piece("", cut=cut)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("<think>Hm.</think>", "Hello."), "Hello."),
        (("<th", "ink>a < b </", "think>\n\nHel", "lo."), "Hello."),
        ((" \n<think>", "never ends"), ""),
        (("<think>x</think>",), ""),
        (("<thin", " air"), "<thin air"),
        (("Hello. <think>", "later</think>"), "Hello. <think>later</think>"),
        (("", " "), " "),
    ],
)
def test_a_thought_at_the_beginning_is_no_word(texts: tuple[str, ...], said: str) -> None:
    assert "".join(piece.text for piece in without_thoughts(pieces(*texts))) == said


def test_a_date_says_how_long_to_wait_as_well() -> None:
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    waits = [retry_after_s(header) for header in ("7", "0.5", later, None, "", "soon", "-3", "1e9")]

    assert waits[:2] == [7.0, 0.5]
    assert waits[2] == pytest.approx(90, abs=3)
    assert waits[3:] == [None] * 5


def test_the_first_clause_is_not_held_back() -> None:
    stream = whole_sentences(pieces("Well, ", "that ", "is all."))

    assert next(stream) == "Well,"


def test_an_answer_of_many_sentences_is_ended_after_the_limit() -> None:
    assert "".join(whole_sentences(pieces("One. Two! ", "Three? ", "Four."), max_sentences=3)) == "One. Two! Three?"


def test_a_decimal_point_is_not_an_end() -> None:
    assert "".join(whole_sentences(pieces("It is 3", ".", "5 now. ", "Yes."), max_sentences=1)) == "It is 3.5 now."


def test_a_single_sentence_that_was_cut_is_better_than_nothing() -> None:
    assert "".join(whole_sentences(pieces("This goes on and on and", cut=True))) == "This goes on and on and"


def test_nothing_is_lost_where_nothing_is_cut() -> None:
    texts = ("Hi, ", "you! ", "No full stop ", "here")

    assert "".join(whole_sentences(pieces(*texts))) == "".join(texts)
