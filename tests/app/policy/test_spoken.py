from __future__ import annotations

import pytest

from app.policy.spoken import espeak_language, spoken


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Well—then, and/or 50% (approx)", "Well, then, and or 50 percent, approx."),
        ("#1 + 2 = 3", "number 1 plus 2 equals 3."),
        ("It is 3°C & sunny.", "It is 3 degrees Celsius and sunny."),
        ("₹500 or $2.50 or €3 million", "500 rupees or 2 dollars and 50 cents or 3 million euros."),
        ("Mail me@site.org", "Mail me at site dot org."),
        ("See https://www.example.com/a/b?c=1.", "See example dot com"),
        ("from 3-5 apples", "from 3 to 5 apples."),
        ("Awwwww!!! So cute…", "Aww! So cute..."),
        ("He said “hi”, didn’t he?", "He said hi, didn't he?"),
        ("well-known words stay", "well-known words stay."),
        ("A clause,", "A clause,"),
        ("*waves* **bold** 😊", "waves bold."),
        ("zero\u200bwidth\x00 and\ttabs", "zero width and tabs."),
    ],
)
def test_symbols_become_words(written: str, expected: str) -> None:
    assert spoken(written).rstrip(".") == expected.rstrip(".")


@pytest.mark.parametrize("written", ["", "...", "😊", "?!", "—", "* * *", "\n", "“”"])
def test_what_has_no_word_is_nothing_to_say(written: str) -> None:
    assert spoken(written) == ""


def test_romanised_hindi_is_given_to_the_voice_in_devanagari_and_english_stays_english() -> None:
    assert spoken("Kya haal hai bhai? See you tomorrow.") == "क्या हाल है भाई? See you tomorrow."
    assert (
        spoken("An H100 is a fast card, and the main hall is big.")
        == "An H100 is a fast card, and the main hall is big."
    )
    assert spoken("Kya haal hai?", "en") == "Kya haal hai?"


@pytest.mark.parametrize(
    ("words", "setting", "code"),
    [
        ("Good morning.", "auto", "en"),
        ("おはよう。", "auto", "ja"),
        ("आप कैसे हैं?", "auto", "hi"),
        ("你好。", "auto", "cmn"),
        ("你好。", "zh-cn", "cmn"),
        ("Guten Morgen.", "de", "de"),
        ("Olá.", "pt_BR", "pt-br"),
        ("Olá.", "Brazilian Portuguese", ""),
        ("", "auto", ""),
        ("", "de", ""),
    ],
)
def test_the_lips_are_told_the_language_by_espeaks_code(words: str, setting: str, code: str) -> None:
    assert espeak_language(words, setting) == code
