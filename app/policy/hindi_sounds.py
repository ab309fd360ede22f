"""Hindi sounds for a voice that was trained on English: the nearest sounds that it knows. Pure."""

from __future__ import annotations

import re
import unicodedata

DEVANAGARI = re.compile(r"([\u0900-\u097f]+(?:[\s\u200c\u200d]*[\u0900-\u097f]+)*)")
"""A run of Devanagari words with the spaces between them; `split` keeps it."""

# Left: what espeak-ng's voice "hi" writes. Right: what its "en-us" writes for the nearest English sound, because only
# those symbols were ever heard by an English Piper voice. Aspirates keep their closure, which is what lips and ears
# need most; nasal vowels become the vowel and n, as English speakers say them.
_NEAREST = (
    ("r.h", "ɾh"),
    ("r.", "ɾ"),
    ("ʈʰ", "t"),
    ("ɖʰ", "d"),
    ("ɟʰ", "dʒ"),
    ("cʰ", "tʃ"),
    ("kʰ", "k"),
    ("ɡʰ", "ɡ"),
    ("tʰ", "t"),
    ("dʰ", "d"),
    ("pʰ", "f"),
    ("bʰ", "b"),
    ("ʰ", ""),
    ("ʈ", "t"),
    ("ɖ", "d"),
    ("ɟ", "dʒ"),
    ("c", "tʃ"),
    ("ʂ", "ʃ"),
    ("ɳ", "n"),
    ("ɲ", "n"),
    ("ɭ", "l"),
    ("ʋ", "v"),
    ("q", "k"),
    ("x", "k"),
    ("ɣ", "ɡ"),
    ("r", "ɹ"),
    ("ɛː", "ɛ"),
    ("aːi", "aɪ"),
    ("aː", "ɑː"),
    ("eː", "eɪ"),
    ("oː", "oʊ"),
)
_NASAL_VOWELS = (("ɛ", "ɛn"), ("a", "ɑːn"), ("u", "uːn"), ("i", "iːn"), ("o", "oʊn"), ("e", "eɪn"), ("ɔ", "ɔːn"))
_SINGLE = {"a": "ʌ", "e": "eɪ", "o": "oʊ"}
_CONSONANT_LENGTH = re.compile(r"(?<=[bcdfɡhjklmnpqɾsʃtvzʒʋɹŋʈɖɟ])ː")


def for_english_voice(ipa: str) -> str:
    """Symbols of espeak's "en-us" for `ipa` of its "hi", decomposed; stress marks stay.

    Examples: "kːjaː hˈaːl hɛː bʰˈaːi" becomes "kjɑː hˈɑːl hɛ bˈaɪ".
    """
    ipa = unicodedata.normalize("NFD", ipa)
    for vowel, spelled in _NASAL_VOWELS:
        ipa = re.sub(f"{vowel}ː?\u0303ː?", f"\u0001{spelled}\u0002", ipa)
    # Inside the marks everything is English already.
    parts = re.split("(\u0001[^\u0002]*\u0002)", ipa)
    return "".join(part[1:-1] if part.startswith("\u0001") else _plain(part) for part in parts)


def _plain(ipa: str) -> str:
    ipa = _CONSONANT_LENGTH.sub("", ipa).replace("\u0303", "n")
    out, i = "", 0
    while i < len(ipa):
        for symbol, near in _NEAREST:
            if ipa.startswith(symbol, i):
                out += near
                i += len(symbol)
                break
        else:
            out += _SINGLE.get(ipa[i], ipa[i])
            i += 1
    return out
