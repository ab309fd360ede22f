from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.policy.hindi_sounds import for_english_voice
from app.policy.hinglish import devanagari, has_hindi, is_hindi, mixed_script, romanised

SENTENCES = [
    tuple(part.strip() for part in line.split("|"))
    for line in (Path(__file__).parents[2] / "data" / "hinglish.txt").read_text("utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]
WORD = re.compile(r"[A-Za-z']+|[\u0900-\u097f]+")


def score() -> tuple[int, int, int, int]:
    """(words, words of the right language, Hindi words, those of them in the right letters)."""
    words = right = hindi = spelled = 0
    for typed, wanted in SENTENCES:
        got = WORD.findall(mixed_script(typed))
        for one, gold in zip(got, WORD.findall(wanted), strict=True):
            is_gold_hindi = gold[0] > "\u0900"
            words += 1
            right += (one[0] > "\u0900") == is_gold_hindi
            if is_gold_hindi:
                hindi += 1
                spelled += one == gold
    return words, right, hindi, spelled


def test_of_the_words_in_chats_nearly_all_get_their_language_and_their_letters() -> None:
    words, right, hindi, spelled = score()

    assert len(SENTENCES) >= 40
    assert right / words >= 0.98
    assert spelled / hindi >= 0.95


@pytest.mark.parametrize(
    "text",
    [
        "I am in the main hall.",
        "Do you want to go to the office with me?",
        "He is late, so let us use the main gate.",
        "See ya later!",
        "The bat and the rat sat on the hat of a man in a band.",
        "Me too, hi there.",
    ],
)
def test_english_stays_english(text: str) -> None:
    assert mixed_script(text) == text
    assert not has_hindi(text)


def test_neighbours_decide_for_words_of_both_languages() -> None:
    assert mixed_script("main ghar me hoon") == "मैं घर में हूँ"
    assert mixed_script("tell me, kya hua") == "tell me, क्या हुआ"
    assert mixed_script("tum kahan the") == "तुम कहाँ थे"
    assert mixed_script("mein ghar mein hoon") == "मैं घर में हूँ"


def test_acronyms_and_punctuation_stay() -> None:
    assert mixed_script("TV pe kya aa raha hai?!") == "TV पे क्या आ रहा है?!"


def test_devanagari_that_is_there_already_makes_its_neighbours_hindi() -> None:
    assert mixed_script("यार main ghar ja raha hoon") == "यार मैं घर जा रहा हूँ"


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("bhagta", "भगता"),
        ("pyaari", "प्यारी"),
        ("kitaab", "किताब"),
        ("pakka", "पक्का"),
        ("sundar", "सुंदर"),
        ("dhoop", "धूप"),
        ("chhota", "छोता"),
        ("namak", "नमक"),
    ],
)
def test_words_that_nobody_listed_are_written_by_rule(word: str, written: str) -> None:
    assert devanagari(word) == written


def test_devanagari_is_written_back_for_voices_that_read_only_latin_letters() -> None:
    assert romanised("क्या हाल है भाई? I am fine.") == "kya haal hai bhai? I am fine."
    assert romanised("समझना ज़रूरी है।").startswith("samajhna zaroor")


def test_words_come_with_their_language() -> None:
    assert is_hindi("kya plan hai?") == [("kya", True), ("plan", False), ("hai", True)]


def test_hindi_sounds_become_the_nearest_that_an_english_voice_knows() -> None:
    assert for_english_voice("kːjaː hˈaːl hɛː bʰˈaːi") == "kjɑː hˈɑːl hɛ bˈaɪ"
    assert for_english_voice("hũ mɛ̃ ʈʰˈiːk pˈʌr.hənˌaː") == "huːn mɛn tˈiːk pˈʌɾhənˌɑː"
