from __future__ import annotations

from app.policy.agreement import Agreement


def test_a_word_is_committed_once_two_hypotheses_agree_on_it() -> None:
    agreement = Agreement()

    assert ("", "What is") == agreement.feed("What is")
    assert ("What is", "the cap") == agreement.feed("What is the cap")
    assert ("What is the", "capital of") == agreement.feed("What is the capital of")


def test_case_and_punctuation_do_not_count() -> None:
    agreement = Agreement()
    agreement.feed("So. What")

    assert ("So, what", "do you") == agreement.feed("So, what do you")


def test_what_is_committed_never_changes() -> None:
    agreement = Agreement()
    agreement.feed("I scream")
    agreement.feed("I scream for")

    assert ("I scream", "love it") == agreement.feed("Ice cream love it")
    assert ("I scream", "love it") == agreement.feed("Ice cream love it")


def test_a_shorter_hypothesis_takes_nothing_back() -> None:
    agreement = Agreement()
    agreement.feed("one two three")
    agreement.feed("one two three")

    assert ("one two three", "") == agreement.feed("one")
    assert ("one two three", "") == agreement.feed("")


def test_reset_begins_anew() -> None:
    agreement = Agreement()
    agreement.feed("one two")
    agreement.feed("one two")
    agreement.reset()

    assert ("", "three") == agreement.feed("three")
