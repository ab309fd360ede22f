from __future__ import annotations

import pytest

from app.policy.hallucination import is_repeated, keep


def test_what_was_said_is_kept() -> None:
    assert keep("Ask what you can do.", duration_s=2.0, no_speech_probability=0.02) == "Ask what you can do."


@pytest.mark.parametrize("text", ["", " . ", "...", "[BLANK_AUDIO]", "(music)", "♪ ♪"])
def test_marks_and_notes_are_not_words(text: str) -> None:
    assert keep(text, duration_s=2.0) == ""


def test_a_stock_phrase_is_believed_only_where_there_surely_was_speech() -> None:
    assert keep("Thank you.", duration_s=1.0, no_speech_probability=0.3) == ""
    assert keep("Thank you.", duration_s=0.4, no_speech_probability=0.01) == ""
    assert keep("Thank you.", duration_s=1.0, no_speech_probability=0.01) == "Thank you."


def test_no_speech_is_believed_when_the_words_were_unsure_too() -> None:
    assert keep("Hello", duration_s=1.0, no_speech_probability=0.7, mean_log_probability=-1.2) == ""
    assert keep("Hello", duration_s=1.0, no_speech_probability=0.7, mean_log_probability=-0.3) == "Hello"


def test_loops_are_dropped_but_not_emphasis() -> None:
    assert keep("I am going to I am going to I am going to I am going to", duration_s=4.0) == ""
    assert keep("No, no, no, I really did not mean that at all.", duration_s=4.0) != ""
    assert is_repeated("ha ha ha ha ha ha")


def test_more_words_than_anybody_can_speak_are_dropped() -> None:
    assert keep("one two three four five six seven eight nine ten", duration_s=1.0) == ""


def test_another_script_is_dropped_only_where_english_is_expected() -> None:
    assert keep("시청해주셔서 감사합니다", duration_s=2.0) == ""
    assert keep("नमस्ते दोस्त", duration_s=2.0, english=False) == "नमस्ते दोस्त"
