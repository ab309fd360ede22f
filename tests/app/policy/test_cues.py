from __future__ import annotations

import pytest

from animator.character import DEFAULT_EXPRESSIONS
from animator.manner import EMOTION_NAMES, EXPRESSION_NAMES, GESTURE_NAMES
from animator.tha3.emotions import EMOTIONS
from animator.tha3.gestures import GESTURES
from app.messages import Cue
from app.policy.cues import HINT, LEAD_S, CueBook, cues_of, heard_chars


def test_the_table_of_names_is_what_the_engine_shows() -> None:
    assert set(EMOTION_NAMES) == set(EMOTIONS)
    assert tuple(DEFAULT_EXPRESSIONS) == EXPRESSION_NAMES
    assert tuple(GESTURES) == GESTURE_NAMES


def test_every_name_that_the_brain_is_told_of_is_understood() -> None:
    named = [part.split("]")[0] for part in HINT.split("[")[1:]]

    assert len(named) > 15
    assert [name for name in named if not cues_of(name)] == []


@pytest.mark.parametrize(
    ("inside", "cues"),
    [
        ("happy", [("emotion", "happy", 1.0)]),
        ("HAPPY", [("emotion", "happy", 1.0)]),
        ("joy:0.6", [("emotion", "joy", 0.6)]),
        ("joy 0.6", [("emotion", "joy", 0.6)]),
        ("emotion: sadness", [("emotion", "sadness", 1.0)]),
        ("happy, nod", [("emotion", "happy", 1.0), ("gesture", "nod", 1.0)]),
        ("shakes head", [("gesture", "shake", 1.0)]),
        ("joy:0.0", [("emotion", "joy", 0.1)]),
        ("joy:9", []),
        ("system", []),
        ("", []),
        ("nod" * 40, []),
        ("joy, nod, sad, bow, tilt", [("emotion", "joy", 1.0), ("gesture", "nod", 1.0), ("emotion", "sad", 1.0)]),
    ],
)
def test_a_tag_is_a_known_word_or_nothing(inside: str, cues: list[tuple[str, str, float]]) -> None:
    assert cues == [(cue.kind, cue.name, cue.intensity) for cue in cues_of(inside)]


HAPPY, NOD = Cue("emotion", "happy", at_char=0), Cue("gesture", "nod", at_char=10)


def test_a_cue_comes_once_when_its_word_is_heard() -> None:
    book = CueBook()
    book.add(1, 0, [NOD, HAPPY])

    assert [book.due(1, 0, heard) for heard in (0, 9, 10, 40)] == [[HAPPY], [], [NOD], []]
    assert len(book) == 0


def test_a_cue_that_the_last_look_missed_comes_with_the_next_sentence() -> None:
    book = CueBook()
    book.add(1, 0, [NOD])
    book.add(1, 1, [HAPPY])

    assert book.due(1, 1, 0) == [NOD, HAPPY]


def test_a_turn_that_was_cut_moves_nothing_any_more() -> None:
    book = CueBook()
    book.add(1, 0, [HAPPY])
    book.add(2, 0, [NOD])

    book.cut(2)

    assert book.due(1, 0, 99) == []
    assert book.due(2, 0, 99) == [NOD]


def test_letters_and_sounds_go_hand_in_hand_whatever_the_pauses() -> None:
    """Four letters, four sounds, a second of pause in the middle."""
    text, sounds_s = "ab, cd", (0.5, 0.6, 1.7, 1.8)

    heard = [heard_chars(text, time_s - LEAD_S, sounds_s, 2.0) for time_s in (0.0, 0.5, 1.6, 1.7, 1.8)]

    assert heard == [0, 1, 4, 5, 6]


def test_without_known_sounds_time_runs_evenly() -> None:
    heard = [heard_chars("x" * 100, time_s - LEAD_S, (), 2.0) for time_s in (0.0, 1.0, 2.0, 3.0)]

    assert heard == [0, 50, 100, 100]
    assert heard_chars("x" * 100, 0.0, (), 0.0) == 100
