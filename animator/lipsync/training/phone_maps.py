"""How other engines' phones are written in espeak IPA.

Sounds that an engine cannot tell apart where espeak does (CMU's er is both ɜː and ɚ) get the more frequent one.
"""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
CMU: Mapping[str, str] = {
    "aa": "ɑː", "ae": "æ", "ah": "ʌ", "ao": "ɔː", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ",
    "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "əl", "em": "əm", "en": "ən", "er": "ɚ", "ey": "eɪ", "f": "f",
    "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "iy": "iː", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n",
    "nx": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ",
    "uh": "ʊ", "uw": "uː", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ", "pau": "", "h#": "", "brth": "", "ssil": "",
    "sil": "",
}
"""CMU's American phones (flite, Festival, pocketsphinx; lower case, without stress figures) as eSpeak-NG's en-us."""

# Of Festival's definition of its phones and of what it makes of each letter: th and dh are the dental त द, no
# English th; its aspirates are pairs (g h) except the ones with letters of their own.
NSK_HINDI: Mapping[str, str] = {
    "a": "ə", "aa": "aː", "ih": "ɪ", "iy": "i", "uh": "ʊ", "uw": "u", "eh": "eː", "ee": "eː", "ay": "ɛː", "oh": "oː",
    "oo": "oː", "aw": "ɔː", "f": "f", "k": "k", "g": "ɡ", "ch": "c", "T": "ʈ", "D": "ɖ", "N": "ɳ", "th": "t", "dh": "d",
    "n": "n", "p": "p", "b": "b", "m": "m", "y": "j", "r": "ɾ", "l": "l", "v": "ʋ", "L": "ɭ", "R": "ɾ", "s": "s",
    "sh": "ʃ", "j": "ɟ", "h": "h", "kh": "kʰ", "gh": "ɡʰ", "tth": "tʰ", "ddh": "dʰ", "bh": "bʰ", "zh": "ʒ", "w": "w",
    "pau": "",
}
"""Phones of Festival's Hindi voice NSK as eSpeak-NG's hi. Those that it never says (ksh, sri, x, td, @) are left out."""

ITALIAN: Mapping[str, str] = {
    "a": "a", "e": "e", "E": "ɛ", "i": "i", "o": "o", "O": "ɔ", "u": "u", "a1": "a", "e1": "e", "E1": "ɛ", "i1": "i",
    "o1": "o", "O1": "ɔ", "u1": "u", "j": "j", "w": "w", "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "g": "ɡ",
    "f": "f", "v": "v", "s": "s", "z": "z", "S": "ʃ", "tS": "tʃ", "dZ": "dʒ", "ts": "ts", "dz": "dz", "m": "m", "n": "n",
    "nf": "n", "ng": "ŋ", "J": "ɲ", "l": "l", "L": "ʎ", "LL": "ʎ", "r": "r", "SS": "ʃ", "JJ": "ɲ", "#": "", "pau": "",
}
"""Phones of Festival's Italian voices lp and pc as eSpeak-NG's it."""

_JAPANESE_CONSONANTS = {
    "k": "k", "g": "ɡ", "s": "s", "z": "z", "t": "t", "d": "d", "n": "n", "h": "h", "b": "b", "p": "p", "m": "m",
    "r": "ɽ", "v": "v",
}
OPEN_JTALK: Mapping[str, str] = {
    **_JAPANESE_CONSONANTS,
    **{f"{c}y": f"{ipa}ʲ" for c, ipa in _JAPANESE_CONSONANTS.items()},
    "a": "ä", "i": "i", "u": "ɯᵝ", "e": "e̞", "o": "o̞", "I": "i̥", "U": "ɯ̥ᵝ", "A": "ḁ", "E": "e̥", "O": "o̥",
    "sh": "ɕ", "j": "dʑ", "ts": "ts", "ch": "tɕ", "f": "ɸ", "hy": "ç", "y": "j", "w": "w", "kw": "k", "gw": "ɡ",
    "N": "ɴ", "sil": "", "pau": "",
}
"""Open JTalk's phones as eSpeak-NG's ja; `cl` (っ) and what N becomes before a consonant are for `japanese`. Devoiced
vowels (capitals) carry the ring below (U+0325), which `visemes.normalise` takes off: they are heard as breath at most."""
# fmt: on

_N_BEFORE = {
    **dict.fromkeys("pbm", "m"),
    **dict.fromkeys("kɡ", "ŋ"),
    **dict.fromkeys("tdnɽzlsɕ", "n"),
}


def japanese(symbols: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Open JTalk's phones with times in espeak IPA.

    っ joins the consonant after it: its closure or hiss is held. ん is what Japanese say there: m before p b m, ŋ before
    k ɡ, n before a sound of the tongue's tip, else ɴ (eSpeak-NG itself writes ũ before p, b, s and vowels).

    Raises:
        ValueError: If there is a phone that Open JTalk is not known to have.
    """
    phones: list[tuple[str, float, float]] = []
    held: float | None = None
    for i, (symbol, start_s, end_s) in enumerate(symbols):
        if symbol == "cl":
            held = start_s if held is None else held
            continue
        if symbol not in OPEN_JTALK:
            raise ValueError(f"Open JTalk has a phone {symbol!r} that is not in the table")
        ipa = OPEN_JTALK[symbol]
        if symbol == "h" and i + 1 < len(symbols) and symbols[i + 1][0] in ("i", "I"):
            ipa = "ç"
        if symbol == "N" and i + 1 < len(symbols):
            ipa = _N_BEFORE.get(OPEN_JTALK.get(symbols[i + 1][0], " ")[:1], ipa)
        if held is not None and ipa:
            start_s, held = held, None
        elif held is not None:  # っ before a pause is a stop of the throat
            phones.append(("ʔ", held, start_s))
            held = None
        phones.append((ipa, start_s, end_s))
    return phones
