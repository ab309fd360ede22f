from __future__ import annotations

import pytest

from app.backends.llm_failover import REST_REPLIES, FailoverChat
from app.errors import AppError
from tests.fakes import FakeChat

BROKEN = AppError("Groq cannot be reached.", "Check the connection.")
MESSAGES = [{"role": "user", "content": "Hi"}]


def named(chat: FakeChat, name: str) -> FakeChat:
    chat.name = name
    return chat


def ask(chat: FailoverChat) -> str:
    return "".join(chat.reply(MESSAGES, lambda: False)).strip()


def test_the_first_model_answers_while_it_can() -> None:
    local = named(FakeChat(), "local")
    chat = FailoverChat([named(FakeChat("Hello."), "cloud"), local])
    chat.load()

    assert ask(chat) == "Hello."
    assert (chat.name, local.asked) == ("cloud", [])


def test_a_failure_before_the_first_word_goes_to_the_next_and_is_said() -> None:
    switches: list[tuple[str, str]] = []
    chat = FailoverChat(
        [named(FakeChat(BROKEN), "cloud"), named(FakeChat("Local here."), "local")],
        on_switch=lambda name, error: switches.append((name, error.problem)),
    )
    chat.load()

    assert ask(chat) == "Local here."
    assert chat.name == "local"
    assert switches == [("local", "Groq cannot be reached.")]


def test_an_empty_answer_counts_as_a_failure() -> None:
    chat = FailoverChat([named(FakeChat(""), "cloud"), named(FakeChat("Something."), "local")])

    assert ask(chat) == "Something."


def test_a_failure_in_mid_answer_is_not_continued_by_another_voice() -> None:
    local = named(FakeChat(), "local")
    chat = FailoverChat([named(FakeChat(["I think that", BROKEN]), "cloud"), local])

    with pytest.raises(AppError):
        ask(chat)
    assert local.asked == []


def test_a_model_that_failed_rests_and_then_gets_another_chance() -> None:
    cloud = named(FakeChat(BROKEN, *["Cloud again."] * 9), "cloud")
    chat = FailoverChat([cloud, named(FakeChat(*["Local."] * 9), "local")])

    answers = [ask(chat) for _ in range(REST_REPLIES + 2)]

    assert answers == ["Local."] * (REST_REPLIES + 1) + ["Cloud again."]
    assert chat.name == "cloud"


def test_if_all_fail_the_first_ones_error_is_told() -> None:
    other = AppError("The local model died.", "Start it again.")
    chat = FailoverChat([named(FakeChat(BROKEN), "cloud"), named(FakeChat(other), "local")])

    with pytest.raises(AppError, match="Groq cannot be reached"):
        ask(chat)


def test_close_closes_all() -> None:
    models = [FakeChat(), FakeChat()]
    FailoverChat(models).close()

    assert [model.closed for model in models] == [1, 1]
