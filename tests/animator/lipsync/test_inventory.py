"""Rules of the phone classes: every espeak sound has one, and it has the same mouth shape wherever that is possible."""

from __future__ import annotations

import pytest

from animator.lipsync import visemes
from animator.lipsync.inventory import NEAREST, PHONES, PLOSIVES, SILENCE, token_of, tokens_of


def names(ipa: str) -> list[str]:
    return [PHONES[token] for token in tokens_of(ipa)]


def test_each_class_is_its_own_nearest_class():
    assert list(range(1, len(PHONES))) == [token_of(phone) for phone in PHONES[1:]]


def test_classes_are_normalised_and_occur_once():
    assert list(PHONES) == [visemes.normalise(phone) for phone in PHONES]
    assert len(PHONES) == len(set(PHONES))


def test_index_zero_is_silence_and_no_sound_falls_to_it():
    assert ("", 0) == (PHONES[SILENCE], SILENCE)
    assert SILENCE not in {token_of(symbol) for shape in visemes.CLASSES for symbol in _symbols(shape)}


def _symbols(shape: str) -> list[str]:
    return [symbol for symbol in (*PHONES[1:], *NEAREST) if visemes.classify(symbol).name == shape]


def test_every_symbol_of_the_mouth_shapes_has_a_class_without_guessing():
    """A letter that only falls to a class through its mouth shape would be a hole in the table of neighbours."""
    import tomllib

    table = tomllib.loads(visemes.TABLE.read_text(encoding="utf-8"))["class"]
    symbols = [symbol for entry in table.values() for symbol in entry["ipa"]]

    assert [] == [symbol for symbol in symbols if symbol not in PHONES and symbol not in NEAREST]


@pytest.mark.parametrize(
    "phone",
    [*"pbmɓ", *"fvɱ", "tʃ", "dʒ", "ʂ", *"iɪeɛæaɑɒʌəɚɜɔouʊɯɨ", "aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "ä", "o̞", "ɯᵝ", "ẽː"],
)
def test_a_sound_keeps_its_mouth_shape_in_its_class(phone: str):
    assert visemes.classify(phone) == visemes.classify(names(phone)[0])


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("aɪɚ", ["aɪ", "ɚ"]),
        ("ɔːɹ", ["ɔ", "ɹ"]),
        ("əl", ["ə", "l"]),
        ("ää", ["a"]),
        ("ʈʰʈʰ", ["ʈ"]),
        ("bʰ", ["b"]),
        ("ɽʲ", ["ɾ"]),
        ("r.", ["ɾ"]),
        ("n̩", ["n"]),
        ("t͡ʃ", ["tʃ"]),
        ("ɟʰ", ["dʒ"]),
        ("aːʰχ", ["a", "x"]),
        ("ˈiː", ["i"]),
        ("O", ["oʊ"]),
        ("(en)", []),
        ("ˈ", []),
        (".", []),
        ("", []),
    ],
)
def test_an_espeak_segment_is_cut_into_its_classes(segment: str, expected: list[str]):
    assert expected == names(segment)


def test_a_letter_outside_the_tables_falls_to_a_class_of_its_mouth_shape():
    assert visemes.classify("ᶑ") == visemes.classify(names("ᶑ")[0])


def test_plosives_are_classes():
    assert set(PHONES) >= PLOSIVES
