from __future__ import annotations

import threading

import pytest

from app.backends.llm_failover import Candidate, FailoverChat
from app.errors import AppError, ServiceError, Trouble
from app.policy.providers import FIRST_REST_S
from tests.fakes import TIMEOUT_S, FakeChat, FakeClock

MESSAGES = [{"role": "user", "content": "Hi"}]


def trouble(kind: Trouble = "unreachable", retry_after_s: float | None = None) -> ServiceError:
    return ServiceError("Groq cannot be reached.", "Check the connection.", kind, retry_after_s)


def named(chat: FakeChat, name: str) -> Candidate:
    chat.name = name
    return Candidate(chat, name)


def ask(chat: FailoverChat) -> str:
    return "".join(chat.reply(MESSAGES, lambda: False)).strip()


def test_the_first_model_answers_while_it_can() -> None:
    local = FakeChat()
    chat = FailoverChat([named(FakeChat("Hello."), "cloud"), named(local, "local")], FakeClock())
    chat.load()

    assert ask(chat) == "Hello."
    assert (chat.name, local.asked) == ("cloud", [])


def test_a_failure_before_the_first_word_goes_to_the_next_and_is_said() -> None:
    switches: list[tuple[str, str]] = []
    chat = FailoverChat(
        [named(FakeChat(trouble()), "cloud"), named(FakeChat("Local here."), "local")],
        FakeClock(),
        on_switch=lambda name, error: switches.append((name, error.problem)),
    )
    chat.load()

    assert ask(chat) == "Local here."
    assert chat.name == "local"
    assert switches == [("local", "Groq cannot be reached.")]


def test_an_empty_answer_counts_as_a_failure() -> None:
    chat = FailoverChat([named(FakeChat(""), "cloud"), named(FakeChat("Something."), "local")], FakeClock())

    assert ask(chat) == "Something."


def test_a_failure_in_mid_answer_is_not_continued_by_another_voice() -> None:
    local = FakeChat()
    chat = FailoverChat(
        [named(FakeChat(["I think that", trouble("broken")]), "cloud"), named(local, "local")], FakeClock()
    )

    with pytest.raises(AppError):
        ask(chat)
    assert local.asked == []


def test_a_model_that_failed_rests_for_a_time_and_then_gets_another_chance() -> None:
    clock = FakeClock()
    cloud = FakeChat(trouble(), "Cloud again.")
    chat = FailoverChat([named(cloud, "cloud"), named(FakeChat(*["Local."] * 9), "local")], clock)

    answers = [ask(chat), ask(chat)]
    clock.advance(FIRST_REST_S)

    assert [*answers, ask(chat)] == ["Local.", "Local.", "Cloud again."]
    assert chat.name == "cloud"


def test_a_limit_is_kept_to_the_second() -> None:
    clock = FakeClock()
    cloud = FakeChat(trouble("limit", 30.0), "Cloud again.")
    chat = FailoverChat([named(cloud, "cloud"), named(FakeChat(*["Local."] * 9), "local")], clock)

    first = ask(chat)
    clock.advance(29.9)
    second = ask(chat)
    clock.advance(0.1)

    assert [first, second, ask(chat)] == ["Local.", "Local.", "Cloud again."]


def test_whoever_named_a_time_is_not_asked_before_even_if_nobody_else_is_there() -> None:
    cloud = FakeChat(trouble("limit", 30.0), "Too early.")
    chat = FailoverChat([named(cloud, "cloud")], FakeClock())

    for _ in range(2):
        with pytest.raises(AppError, match="Groq cannot be reached"):
            ask(chat)
    assert len(cloud.asked) == 1


def test_if_all_fail_the_first_ones_error_is_told() -> None:
    other = AppError("The local model died.", "Start it again.")
    chat = FailoverChat([named(FakeChat(trouble()), "cloud"), named(FakeChat(other), "local")], FakeClock())

    with pytest.raises(AppError, match="Groq cannot be reached"):
        ask(chat)


def test_an_answer_that_nobody_waits_for_is_no_failure() -> None:
    cloud = FakeChat("Never said.", "Hello.")
    chat = FailoverChat([named(cloud, "cloud"), named(FakeChat("Local."), "local")], FakeClock())

    assert list(chat.reply(MESSAGES, lambda: True)) == []
    assert ask(chat) == "Hello."


def test_the_last_model_stands_by_while_the_first_answers() -> None:
    loaded, asked_to_load = threading.Event(), threading.Event()

    class Local(FakeChat):
        def load(self) -> None:
            asked_to_load.set()
            assert loaded.wait(TIMEOUT_S)

    chat = FailoverChat([named(FakeChat("Hello."), "cloud"), named(Local(), "local")], FakeClock(), stand_by=True)

    chat.load()

    assert asked_to_load.wait(TIMEOUT_S)
    assert ask(chat) == "Hello."
    loaded.set()


def test_whether_tags_can_be_asked_for_depends_on_who_would_answer() -> None:
    cloud = FakeChat(trouble("key"))
    cloud.capable = True  # type: ignore[attr-defined]
    chat = FailoverChat([named(cloud, "cloud"), named(FakeChat("Local."), "local")], FakeClock())

    before = chat.capable
    ask(chat)

    assert (before, chat.capable) == (True, False)


def test_close_closes_all() -> None:
    models = [FakeChat(), FakeChat()]
    FailoverChat([Candidate(model, "x") for model in models], FakeClock()).close()

    assert [model.closed for model in models] == [1, 1]
