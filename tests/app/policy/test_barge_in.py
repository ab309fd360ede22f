from __future__ import annotations

import pytest

from app.policy.barge_in import BargeIn, BargeInOptions, Onset, is_backchannel, is_command, is_own_voice, real_words

SPOKEN = "I was just thinking about the sea today."


def interrupts(text: str | None, speech_ms: float, options: BargeInOptions | None = None) -> bool:
    barge_in = BargeIn(options)
    if text is not None:
        barge_in.heard(text, SPOKEN)
    return barge_in.interrupts(speech_ms)


def test_two_words_interrupt_however_short_they_are() -> None:
    assert interrupts("Excuse me", 300)
    assert not interrupts("Excuse", 300)


def test_600_ms_of_speech_interrupt_once_its_words_are_no_mm_hm() -> None:
    assert interrupts("Excuse", 600)
    assert not interrupts("Mm-hm.", 600)
    assert not interrupts("Mm-hm.", 849)
    assert interrupts("Mm-hm.", 850)


def test_where_words_are_not_known_yet_it_waits_a_little_and_not_for_ever() -> None:
    assert not interrupts(None, 600)
    assert interrupts(None, 1000)


def test_where_words_are_never_known_speech_alone_decides() -> None:
    assert interrupts(None, 600, BargeInOptions(has_words=False))


@pytest.mark.parametrize("text", ["Stop!", "Wait.", "待って", "ruko"])
def test_one_word_that_means_it_is_enough(text: str) -> None:
    assert is_command(text)
    assert interrupts(text, 250)


@pytest.mark.parametrize("text", ["Mm-hm.", "Yeah, okay.", "Haan accha", "Oh wow", "うん"])
def test_backchannels_are_no_interruption(text: str) -> None:
    assert is_backchannel(text)
    assert real_words(text) == []
    assert not interrupts(text, 500)


def test_the_characters_own_words_never_interrupt_it() -> None:
    assert is_own_voice("thinking about the sea", SPOKEN)
    assert not interrupts("thinking about the sea", 3000)
    assert not is_own_voice("tell me about dogs", SPOKEN)


def test_sparse_windows_are_suspicious_and_single_ones_are_not() -> None:
    onset = Onset(0.6)
    suspicions = []
    for probability in (0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1):
        onset.feed(probability)
        suspicions.append(onset.may_speak)

    assert suspicions == [False, False, False, False, True, True, False, False, False, False]


def test_words_that_both_happen_to_say_are_not_an_echo() -> None:
    spoken = "Did you know that the sea is deep? I love it. What about you, do you play an instrument?"

    assert not is_own_voice("How do you know?", spoken)
    assert is_own_voice("do you play an instrument", spoken)
    assert is_own_voice("know that the see is deep", spoken)  # an echo is not understood word by word
