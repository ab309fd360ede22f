from __future__ import annotations

import logging
import threading

import pytest

from animator.lipsync.text_phones import language_of, text_phones


def said(text: str, language: str = "") -> list[str]:
    return ["".join(word) for word in text_phones(text, language).words]


def unstressed(text: str, language: str) -> list[str]:
    """Which syllable espeak stresses depends on what it read before, in some languages."""
    return [word.translate({ord(c): None for c in "ˈˌ"}) for word in said(text, language)]


def test_words_come_with_their_segments_and_stress() -> None:
    assert (("h", "ə", "l", "ˈoʊ"), ("m", "ˈʌ", "m")) == text_phones("Hello, mum!", "en").words


def test_numbers_and_signs_are_read_out() -> None:
    assert ["twˈɛlv", "pɚsˈɛnt"] == said("12 %", "en")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("water", "en-gb", ["wɔːtə"]),
        ("water", "en", ["wɔːɾɚ"]),
        ("bonjour", "fr", ["bɔ̃ʒuʁ"]),
        ("らーめん", "", ["ɽääme̞ɴ"]),
        ("コンピ", "ja", ["ko̞mpi"]),
        ("आप", "", ["aːp"]),
    ],
)
def test_each_language_is_read_by_its_own_rules(text: str, language: str, expected: list[str]) -> None:
    assert expected == unstressed(text, language)


def test_devanagari_within_english_is_read_by_hindi_rules() -> None:
    assert ["nəmʌsteː", "maɪ", "fɹɛnd", "kːjaː", "haːl"] == unstressed("नमस्ते my friend, क्या हाल?", "en")


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "... ?! —", "♪♫", "❤️", "👩‍👩‍👧", "\0", "\ud800", "ー", "​"])
def test_what_says_nothing_has_no_words_and_no_problem(text: str) -> None:
    found = text_phones(text)

    assert ((), "") == (found.words, found.problem)


def test_emoji_are_not_read_out_beside_words() -> None:
    assert said("hi", "en") == said("😀 hi 🎉", "en")


def test_kanji_make_a_japanese_text_unknown() -> None:
    found = text_phones("私はラーメンが好き", "ja")

    assert not found
    assert "Kanji" in found.problem


@pytest.mark.parametrize("language", ["xx", "../../etc", "", "auto", "EN", "en_US", "\0", "mb-us1"])
@pytest.mark.parametrize(
    "text", ["hello", "x" * 9000, "a " * 9000, "<script>", "%s%n", "[[h@l'oU]]", "\n\t\r", "日本語", "́́́"]
)
def test_no_string_raises(text: str, language: str) -> None:
    found = text_phones(text, language)

    assert all(segment for word in found.words for segment in word)


def test_letters_that_a_language_does_not_have_make_the_text_unknown() -> None:
    assert "another language" in text_phones("so 日本語 it is", "en").problem
    assert "another language" in text_phones("こんにちは", "en").problem


def test_an_unknown_language_is_a_problem_that_does_not_repeat_the_text() -> None:
    found = text_phones("secret", "xx")

    assert not found
    assert "secret" not in found.problem


def test_nothing_that_was_said_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        text_phones("secret words नमस्ते", "en")
        text_phones("secret 私", "ja")

    assert "" == caplog.text
    assert ("", "") == tuple(capfd.readouterr())


def test_several_threads_get_what_one_gets() -> None:
    texts = [("Good morning, everybody.", "en"), ("आप कैसे हैं", "hi"), ("おはよう", "ja"), ("Guten Morgen", "de")]
    expected = [unstressed(*each) for each in texts]
    wrong: list[object] = []

    def read() -> None:
        for _ in range(50):
            wrong.extend(each for each, right in zip(texts, expected, strict=True) if unstressed(*each) != right)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [("hello", "en-us"), ("こんにちは", "ja"), ("你好", "cmn"), ("नमस्ते", "hi"), ("नमस्ते yaar", "en-us"), ("안녕", "ko")],
)
def test_the_script_says_which_language(text: str, expected: str) -> None:
    assert expected == language_of(text)
