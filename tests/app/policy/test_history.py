from __future__ import annotations

from app.policy.history import History


def contents(history: History) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in history.messages("P")][1:]


def test_the_persona_comes_first() -> None:
    assert History().messages("You are Kuchi.") == [{"role": "system", "content": "You are Kuchi."}]


def test_an_answer_is_what_was_heard_of_it() -> None:
    history = History()
    history.ask(1, "How are you?")
    history.heard(1, "Fine.")
    history.heard(1, "And you?")

    assert contents(history) == [("user", "How are you?"), ("assistant", "Fine. And you?")]


def test_an_interrupted_answer_ends_with_a_dash() -> None:
    history = History()
    history.ask(1, "How are you?")
    history.heard(1, "Well, you see,")
    history.cut(1)

    assert contents(history)[-1] == ("assistant", "Well, you see, —")


def test_questions_without_an_answer_are_asked_together() -> None:
    history = History()
    history.ask(1, "Are you there?")
    history.cut(1)
    history.ask(2, "Hello?")

    assert contents(history) == [("user", "Are you there?\nHello?")]


def test_roles_alternate_whatever_happened() -> None:
    history = History()
    history.heard(1, "Good evening.")
    history.ask(2, "Hi.")
    history.heard(2, "Hi!")
    history.heard(3, "By the way.")
    history.ask(4, "Yes?")

    roles = [role for role, _ in contents(history)]
    assert roles == ["assistant", "user", "assistant", "user"]


def test_a_turn_that_failed_is_left_out_with_its_apology() -> None:
    history = History()
    history.ask(1, "What?")
    history.forget(1)
    history.heard(1, "Sorry, I lost my train of thought.")

    assert contents(history) == []


def test_the_oldest_exchanges_fall_out_of_the_budget() -> None:
    history = History(budget_chars=100)
    for turn in range(10):
        history.ask(turn, f"Question number {turn} of many.")
        history.heard(turn, "A.")

    kept = contents(history)
    assert kept[-2] == ("user", "Question number 9 of many.")
    assert sum(len(text) for _, text in kept) <= 130


def test_one_long_question_still_fits() -> None:
    history = History(budget_chars=100)
    history.ask(1, "x" * 500 + " the end?")

    assert len(contents(history)[0][1]) == 100
    assert contents(history)[0][1].endswith("the end?")
