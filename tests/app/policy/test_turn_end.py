from __future__ import annotations

import pytest

from app.policy.turn_end import PAUSE_MS, TurnEnd, TurnEndOptions, sounds_unfinished


def end_ms(turn_end: TurnEnd, *answers: float) -> int:
    """Quiet until the turn is over, in steps of a window; the detector answers as given, the last one from then on."""
    rest = list(answers)
    for quiet_ms in range(0, 10_000, 32):
        if turn_end.is_due(quiet_ms):
            turn_end.answer(quiet_ms, rest.pop(0) if len(rest) > 1 else rest[0])
        if turn_end.is_over(quiet_ms):
            return quiet_ms
    raise AssertionError("it never ends")


def test_the_surer_the_detector_the_sooner_the_turn_is_over() -> None:
    waits = [end_ms(TurnEnd(), p) for p in (0.95, 0.4, 0.2, 0.02)]

    assert waits == sorted(waits)
    assert waits[0] < 700
    assert waits[-1] > 1400


def test_even_a_sure_detector_waits_out_the_pauses_that_speakers_make() -> None:
    """Readers pause 250 to 600 ms after clauses that sound finished."""
    assert end_ms(TurnEnd(), 1.0) >= 600


def test_what_sounded_unfinished_at_first_is_not_taken_for_finished_because_it_stays_quiet() -> None:
    assert end_ms(TurnEnd(), 0.05, 0.95) > end_ms(TurnEnd(), 0.95, 0.95) + 60


@pytest.mark.parametrize("patience", [0.5, 1.0, 2.0])
def test_patience_stretches_every_wait_and_nobody_waits_longer_than_the_hard_stop(patience: float) -> None:
    options = TurnEndOptions(patience=patience)

    assert end_ms(TurnEnd(options), 0.9) == pytest.approx(patience * end_ms(TurnEnd(), 0.9), abs=64)
    unsure = TurnEnd(options)
    unsure.words("and then the")
    assert end_ms(unsure, 0.0) <= options.hard_stop_ms * patience + 32


def test_words_that_cannot_end_there_make_it_wait() -> None:
    turn_end = TurnEnd()
    turn_end.words("I like it because")

    assert end_ms(turn_end, 0.95) >= 1200


def test_a_new_pause_knows_nothing_of_the_one_before() -> None:
    turn_end = TurnEnd()
    turn_end.answer(PAUSE_MS, 0.9)
    turn_end.words("because")

    turn_end.reset()

    assert turn_end.probability is None
    assert end_ms(turn_end, 0.95) < 700


def test_without_a_detector_a_fixed_pause_ends_the_turn() -> None:
    turn_end = TurnEnd(TurnEndOptions(without_detector_ms=800), has_detector=False)

    assert not turn_end.is_due(5000)
    assert [turn_end.is_over(ms) for ms in (799, 800)] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "I went there and",
        "So, um...",
        "It is the",
        "I like it because",
        "Well -",
        "no full stop here",
        "main ghar ja raha tha lekin",
    ],
)
def test_these_words_want_more(text: str) -> None:
    assert sounds_unfinished(text)


@pytest.mark.parametrize("text", ["What is it?", "I think so.", "Stop!", "That's all.", "お元気ですか", "मैं ठीक हूँ"])
def test_these_words_may_be_all(text: str) -> None:
    assert not sounds_unfinished(text)


def test_a_patience_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="patience"):
        TurnEndOptions(patience=9.0)
