"""Which words a caption shows, and when."""

from __future__ import annotations

import numpy as np
import pytest

from animator.messages import Phone, SpeechClip
from app.policy.captions import LETTERS_PER_S, CaptionBook
from app.policy.cues import LEAD_S

RATE = 1000


def clip(
    text: str,
    seconds: float = 1.0,
    *,
    turn: int = 1,
    index: int = 0,
    continues: bool = False,
    final: bool = True,
    phones: tuple[Phone, ...] | None = None,
    last: bool = False,
) -> SpeechClip:
    samples = np.zeros(int(seconds * RATE), np.float32)
    return SpeechClip(turn, index, samples, RATE, text, phones, last, continues=continues, final=final)


def told(book: CaptionBook, index: int, time_s: float, turn: int = 1) -> str | None:
    caption = book.at(turn, index, time_s - LEAD_S)
    return None if caption is None else caption.text[: caption.heard]


def test_words_come_whole_as_they_begin_and_each_once() -> None:
    book = CaptionBook()
    book.add(clip("One two, three."))

    assert "One" == told(book, 0, 0.0)
    assert told(book, 0, 0.1) is None
    assert "One two," == told(book, 0, 0.35)
    assert "One two, three." == told(book, 0, 0.7)
    assert told(book, 0, 1.0) is None


def test_the_voices_own_sounds_tell_when_a_word_begins() -> None:
    book = CaptionBook()
    late = tuple(Phone("a", 2.0 + at / 10, 2.1 + at / 10) for at in range(6))
    book.add(clip("abc def", 3.0, phones=(Phone("", 0.0, 2.0), *late)))

    assert "abc" == told(book, 0, 1.9)
    assert "abc def" == told(book, 0, 2.35)


def test_scripts_without_spaces_come_letter_by_letter_with_their_full_stops() -> None:
    book = CaptionBook()
    book.add(clip("こんにちは。元気"))

    assert "こ" == told(book, 0, 0.0)
    assert "こんにちは。" == told(book, 0, 0.6)
    assert "こんにちは。元気" == told(book, 0, 0.99)


def test_a_sentence_that_comes_in_pieces_is_one_caption() -> None:
    book = CaptionBook()
    book.add(clip("One two three four.", 0.5, final=False))
    book.add(clip("", 0.5, index=1, continues=True))

    assert "One two" == told(book, 0, 0.35)
    assert "One two three four." == told(book, 1, 0.4)


def test_a_piece_whose_end_nobody_knows_runs_at_an_ordinary_pace() -> None:
    """Its text is that of the whole sentence: the words must not hurry to fit into the first piece."""
    book = CaptionBook()
    text = " ".join(["word"] * 14)
    book.add(clip(text, 0.5, final=False))

    heard = told(book, 0, 0.5)
    assert heard is not None
    assert sum(map(str.isalnum, heard)) == pytest.approx(0.5 * LETTERS_PER_S, abs=4)


def test_the_next_sentence_begins_its_own_caption() -> None:
    book = CaptionBook()
    book.add(clip("One."))
    book.add(clip("Two.", index=1))

    assert "One." == told(book, 0, 0.5)
    assert "Two." == told(book, 1, 0.0)
    assert told(book, 0, 0.9) is None


def test_a_turn_that_was_cut_is_told_no_more() -> None:
    book = CaptionBook()
    book.add(clip("One two."))
    book.cut(2)
    book.add(clip("Yes.", turn=2))

    assert told(book, 0, 0.9) is None
    assert "Yes." == told(book, 0, 0.0, turn=2)


def test_a_sound_without_words_is_no_caption() -> None:
    book = CaptionBook()
    book.add(clip(""))

    assert told(book, 0, 0.5) is None
