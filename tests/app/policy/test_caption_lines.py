"""Where captions are broken. A letter is one wide here, and one of East Asia two."""

from __future__ import annotations

from app.policy.caption_lines import at_hand, lines_of


def width_of(part: str) -> float:
    return sum(2 if ord(letter) >= 0x2E80 else 0 if ord(letter) in range(0x93E, 0x950) else 1 for letter in part)


def broken(text: str, width: float) -> list[str]:
    return [text[line.start : line.end] for line in lines_of(text, width, width_of)]


def test_a_text_that_fits_is_one_line() -> None:
    assert ["Hello there."] == broken(" Hello there. ", 40)


def test_lines_end_between_words_and_two_are_about_as_wide() -> None:
    assert ["a first line and", "a second one"] == broken("a first line and a second one", 26)


def test_no_line_is_wider_than_there_is_room() -> None:
    text = "several words that go on and on, until nobody knows any more where all of this began or will end"

    assert all(width_of(line) <= 21 for line in broken(text, 21))
    assert text.split() == " ".join(broken(text, 21)).split()


def test_a_word_that_is_too_long_is_broken_anywhere() -> None:
    assert ["see", "abcdefghij", "klm"] == broken("see abcdefghijklm", 10)


def test_japanese_is_broken_between_letters_but_no_line_begins_with_a_full_stop_or_a_small_letter() -> None:
    lines = broken("今日はとても良い天気ですね。きっとどこかへ行きましょう。", 30)

    assert "今日はとても良い天気ですね。きっとどこかへ行きましょう。" == "".join(lines)
    assert not [line for line in lines if line[0] in "。っょ"]


def test_an_opening_bracket_ends_no_line() -> None:
    assert ["あいう", "「えお」"] == broken("あいう「えお」", 8)


def test_marks_of_devanagari_stay_with_their_letter() -> None:
    for line in broken("नमस्तेनमस्तेनमस्ते", 5):
        assert line[0] in "नमसत"


def test_the_line_that_is_spoken_is_shown_with_the_one_before_it() -> None:
    text = "one two three four five six seven eight"
    lines = lines_of(text, 10, width_of)
    assert ["one two", "three four", "five six", "seven", "eight"] == [text[line.start : line.end] for line in lines]

    assert [] == at_hand(lines, 0)
    assert lines[0:2] == at_hand(lines, len("one"))
    assert lines[0:2] == at_hand(lines, len("one two three"))
    assert lines[1:3] == at_hand(lines, len("one two three four five"))
    assert lines[3:5] == at_hand(lines, len(text))


def test_nothing_is_in_no_line() -> None:
    assert [] == broken("  ", 10)
    assert [] == at_hand([], 5)
