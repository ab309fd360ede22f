from __future__ import annotations

import itertools

from app.policy.silence import OPENERS, SpeakFirst


def test_it_is_off_by_default() -> None:
    silence = SpeakFirst(0.0)

    assert not any(silence.due(now_s, is_busy=False) for now_s in (0.0, 1e6))


def test_the_silence_is_broken_after_its_time_and_not_before() -> None:
    silence = SpeakFirst(30.0)

    assert [silence.due(now_s, is_busy=False) for now_s in (0.0, 29.9, 30.0)] == [False, False, True]


def test_the_time_counts_from_the_last_word() -> None:
    silence = SpeakFirst(30.0)
    silence.due(0.0, is_busy=False)
    silence.due(25.0, is_busy=True)

    assert [silence.due(now_s, is_busy=False) for now_s in (26.0, 55.9, 56.0)] == [False, False, True]


def test_after_so_many_times_without_an_answer_it_waits_for_the_user() -> None:
    silence = SpeakFirst(10.0, times=2)
    begun = []
    for now_s in range(0, 100):
        if silence.due(float(now_s), is_busy=False):
            silence.began()
            begun.append(now_s)
    silence.heard_user()
    again = [now_s for now_s in range(100, 111) if silence.due(float(now_s), is_busy=False)]

    assert begun == [10, 21]
    assert again == [110]


def test_no_opener_comes_twice_in_a_row() -> None:
    silence = SpeakFirst(10.0)

    said = [silence.opener() for _ in range(20)] + [silence.opener(("One.", "Two.")) for _ in range(5)]

    assert set(OPENERS) <= set(said)
    assert all(a != b for a, b in itertools.pairwise(said))
    assert [silence.opener(("Only.",)) for _ in range(2)] == ["Only.", "Only."]
