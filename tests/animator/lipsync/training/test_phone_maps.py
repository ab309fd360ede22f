"""Other engines' phones in espeak IPA: the tables are total, and give only sounds that the mouth knows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from animator.lipsync import visemes
from animator.lipsync.training.phone_maps import CMU, ITALIAN, NSK_HINDI, OPEN_JTALK, japanese
from animator.lipsync.training.speakers_espeak import espeak_phones
from animator.lipsync.training.texts import WRITTEN


@pytest.mark.parametrize("table", [CMU, NSK_HINDI, ITALIAN, OPEN_JTALK])
def test_every_phone_of_a_table_has_a_mouth_shape(table: Mapping[str, str]) -> None:
    for name, ipa in table.items():
        assert not ipa or visemes.is_known(visemes.normalise(ipa)), name


def test_cmus_39_phones_are_all_there() -> None:
    said = "aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh"
    phones = said.split(" ")

    assert 39 == len(phones)
    assert set(phones) <= set(CMU)


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (["i", "cl", "p", "a", "i"], ["i", "p", "ä", "i"]),
        (["s", "a", "N", "p", "o"], ["s", "ä", "m", "p", "o̞"]),
        (["k", "e", "N", "ky", "u"], ["k", "e̞", "ŋ", "kʲ", "ɯᵝ"]),
        (["h", "o", "N"], ["h", "o̞", "ɴ"]),
        (["h", "i", "t", "o"], ["ç", "i", "t", "o̞"]),
        (["a", "cl", "pau"], ["ä", "ʔ", ""]),
        (["sh", "I", "t", "a"], ["ɕ", "i̥", "t", "ä"]),
    ],
)
def test_open_jtalks_phones_become_what_is_said(symbols: list[str], expected: list[str]) -> None:
    phones = japanese([(s, float(i), i + 1.0) for i, s in enumerate(symbols)])

    assert expected == [ipa for ipa, _, _ in phones]
    assert float(len(symbols)) == phones[-1][2]


def test_a_held_consonant_begins_where_it_is_held() -> None:
    phones = japanese([("i", 0.0, 1.0), ("cl", 1.0, 2.0), ("p", 2.0, 2.5)])

    assert ("p", 1.0, 2.5) == phones[-1]


def test_a_phone_that_open_jtalk_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="'zz'"):
        japanese([("zz", 0.0, 1.0)])


@pytest.mark.parametrize(
    ("language", "voice", "sounds"),
    [
        ("en", "en-us", "p b m f v w θ ð s z ʃ ʒ tʃ dʒ k ɡ ŋ h j ɹ l ɾ aɪ aʊ eɪ oʊ ɔɪ æ ɑ ɛ ɪ i ʊ u ʌ ɔ ə ɚ ɜ"),
        ("ja", "ja", "p b m w ɸ ç ɕ tɕ dʑ ts z ɽ ɴ ŋ j k ɡ t d n h s a i ɯ e o"),
        ("hi", "hi", "p b m ʋ f t d ʈ ɖ k ɡ c ɟ ʃ s z h n ɾ l j a ɪ i ʊ u e ɛ o ɔ ʌ ə"),
    ],
)
def test_the_written_sentences_hold_every_sound_of_their_language(language: str, voice: str, sounds: str) -> None:
    said = {visemes.normalise(p) for text in WRITTEN[language] for p in espeak_phones(text, voice)}

    assert set() == {visemes.normalise(s) for s in sounds.split()} - said
