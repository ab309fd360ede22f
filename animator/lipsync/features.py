"""How near two speech sounds are to each other on the lips: phonetic features, for letters outside the table. Pure.

Source: the chart of the International Phonetic Alphabet (2020). What is seen weighs most: whether the lips take part,
whether they are rounded, how far the jaw is down. Voice is not seen at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# fmt: off
_PLACES = {
    "bilabial": "pbmʙɸβⱱɓʘ", "labiodental": "fvɱʋ", "labiovelar": "wʍɥ", "dental": "θðǀ",
    "alveolar": "tdnrɾszɬɮɹlɗǃǁɺɫ", "postalveolar": "ʃʒɕʑǂɧ", "retroflex": "ʈɖɳɽʂʐɻɭ",
    "palatal": "cɟɲçʝjʎʄ", "velar": "kɡgŋxɣɰʟɠ", "uvular": "qɢɴʀχʁʛ", "pharyngeal": "ħʕʜʢʡ", "glottal": "ʔhɦ",
}
_MANNERS = {
    "stop": "pbtdʈɖcɟkɡgqɢʔʡɓɗʄɠʛʘǀǃǂǁ", "nasal": "mɱnɳɲŋɴ", "trill": "ʙrʀʢʜɾɽⱱɺ", "fricative": "ɸβfvθðçʝxɣχʁħʕhɦɬɮ",
    "sibilant": "szʃʒʂʐɕʑɧ", "approximant": "ʋɹɻjɰwʍɥlɭʎʟɫ",
}
_HEIGHTS = ("iyɨʉɯu", "ɪʏʊᵻᵿ", "eøɘɵɤo", "əᵊɚ", "ɛεœɜɝɞʌɔ", "æɐ", "aɶɑɒ")
_ROUNDED = frozenset("yʉuʏʊᵿøɵoœɞɔɶɒwʍɥʃʒʂʐɧɹɻ")
_BACKS = {"front": "iyɪʏeøɛεœæaɶ", "central": "ɨʉɘɵəᵊɚɜɝɞɐᵻᵿ", "back": "ɯuʊɤoʌɔɑɒ"}
_ORDER = ("bilabial", "labiodental", "labiovelar", "dental", "alveolar", "postalveolar", "retroflex", "palatal",
          "velar", "uvular", "pharyngeal", "glottal")
# fmt: on

_LIP_PLACES = 3
"""Bilabial, labiodental and labiovelar: each a look of its own."""
_VOWEL_OR_NOT, _LIPS, _ROUNDING, _MANNER, _PLACE_STEP, _HEIGHT_STEP, _BACKNESS = 20.0, 8.0, 4.0, 2.0, 0.3, 1.5, 0.5
"""Weights of a difference, in an order that follows what a lip reader sees first."""


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of one sound; vowels have a height (0 close to 6 open), consonants a place and a manner."""

    is_vowel: bool
    rounded: bool
    height: int = 0
    back: str = ""
    place: str = ""
    manner: str = ""


def _build() -> dict[str, Features]:
    found: dict[str, Features] = {}
    for height, letters in enumerate(_HEIGHTS):
        for letter in letters:
            back = next(name for name, members in _BACKS.items() if letter in members)
            found[letter] = Features(True, letter in _ROUNDED, height=height, back=back)
    for place, letters in _PLACES.items():
        for letter in letters:
            manner = next((name for name, members in _MANNERS.items() if letter in members), "approximant")
            found[letter] = Features(False, letter in _ROUNDED, place=place, manner=manner)
    return found


FEATURES = _build()
"""Every letter of the chart that stands for one sound."""

# A letter that is not on the chart tells what it is in its Unicode name: "LATIN SMALL LETTER P WITH STROKE",
# "LATIN SMALL LETTER S WITH SWASH TAIL", "LATIN LETTER SMALL CAPITAL OE".
_BASE_LETTER = re.compile(
    r"LETTER (?:(?:SMALL|CAPITAL|TURNED|REVERSED|OPEN|CLOSED|SCRIPT|GREEK|STRETCHED|SIDEWAYS|INSULAR) )*([A-Z]+)\b"
)
_NAMED = {
    "ESH": "ʃ", "EZH": "ʒ", "ENG": "ŋ", "ETH": "ð", "THETA": "θ", "BETA": "β", "PHI": "ɸ", "CHI": "χ", "GAMMA": "ɣ",
    "EPSILON": "ɛ", "SCHWA": "ə", "ALPHA": "ɑ", "UPSILON": "ʊ", "IOTA": "ɪ", "AE": "æ", "OE": "œ", "GLOTTAL": "ʔ",
}  # fmt: skip
_HOOKS = (("RETROFLEX HOOK", "retroflex"), ("PALATAL HOOK", "palatal"), ("LABIODENTAL", "labiodental"))


def features_of(letter: str) -> Features | None:
    """What one letter stands for: by the chart, else by its Unicode name; None where neither tells."""
    if letter in FEATURES:
        return FEATURES[letter]
    name = unicodedata.name(letter, "")
    match = _BASE_LETTER.search(name)
    if match is None:
        return None
    symbol = _NAMED.get(match[1], match[1].lower())
    base = FEATURES.get(symbol) or (FEATURES.get(symbol[:1]) if len(symbol) <= 2 else None)
    if base is None or base.is_vowel or base.place in _ORDER[:_LIP_PLACES]:
        return base  # what the tongue does besides is not seen behind lips that do something
    for words, place in _HOOKS:
        if words in name:
            return Features(False, base.rounded, place=place, manner=base.manner)
    return base


def distance(one: Features, other: Features) -> float:
    """How differently two sounds look; 0 for the same, above 20 for a vowel and a consonant."""
    if one.is_vowel != other.is_vowel:
        return _VOWEL_OR_NOT
    total = _ROUNDING * (one.rounded != other.rounded)
    if one.is_vowel:
        return total + _HEIGHT_STEP * abs(one.height - other.height) + _BACKNESS * (one.back != other.back)
    here, there = _ORDER.index(one.place), _ORDER.index(other.place)
    total += _LIPS * ((here < _LIP_PLACES or there < _LIP_PLACES) and here != there)
    return total + _MANNER * (one.manner != other.manner) + _PLACE_STEP * abs(here - there)


def nearest(letter: str, symbols: Iterable[str]) -> str | None:
    """The one of `symbols` that looks most like `letter` (the first of equals); None where nothing is known of it."""
    wanted = features_of(letter)
    if wanted is None:
        return None
    known = [(distance(wanted, FEATURES[symbol]), symbol) for symbol in symbols if symbol in FEATURES]
    return min(known, key=lambda each: each[0])[1] if known else None
