"""Which sounds the phone model tells apart: silence and 65 classes of espeak phones. Pure.

The classes are what eSpeak-NG 1.52 writes for 29,152 English words (en-us and en-gb), 33,419 Japanese ones in kana and
23,914 Hindi ones, normalised (`visemes.normalise`), with two kinds of neighbours merged: the same sound under different
names in different languages (Japanese `ɽ` and Hindi `r` are the tap `ɾ`, Hindi `c ɟ` are `tʃ dʒ`, `ᵻ` is `ɪ`), and rare
ones beside a frequent sound with the same mouth shape (`ɳ` `q` `χ` `ɣ` `ʂ`). Everything else that espeak writes in
any language goes to its nearest class by place, manner, voice and rounding (`NEAREST`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from animator.lipsync import visemes

# fmt: off
PHONES: tuple[str, ...] = (
    "",
    "p", "b", "m", "f", "v", "ʋ", "ɸ", "θ", "ð", "t", "d", "ʈ", "ɖ", "n", "l", "ɾ", "ɹ", "s", "z",
    "ʃ", "ʒ", "ɕ", "ts", "tʃ", "dʒ", "tɕ", "dʑ", "k", "ɡ", "ŋ", "ɴ", "x", "h", "ʔ", "j", "ç", "ɲ",
    "w",
    "i", "ɪ", "e", "ɛ", "æ", "a", "ɑ", "ɒ", "ʌ", "ɐ", "ə", "ɚ", "ɜ", "ɔ", "o", "u", "ʊ", "ɯ",
    "aɪ", "aʊ", "eɪ", "oʊ", "əʊ", "ɔɪ", "eə", "iə", "ʊə",
)
# fmt: on
"""The classes in the model's order; index 0 is silence. Affricates and diphthongs are one class each."""

SILENCE = 0

PLOSIVES = frozenset(["p", "b", "t", "d", "ʈ", "ɖ", "k", "ɡ", "ʔ", "ts", "tʃ", "dʒ", "tɕ", "dʑ"])
"""Sounds that begin with a closure (affricates too): synthesisers differ in whether it belongs to their label."""

NEAREST: Mapping[str, str] = MappingProxyType(
    {
        # Lips.
        **dict.fromkeys("ɓʙʘ", "b"),
        **dict.fromkeys("ɱⱱ", "v"),
        "β": "ʋ",
        # Tongue tip and blade.
        "ɗ": "d",
        **dict.fromkeys("ǀǂǃ", "t"),
        "ɳ": "n",
        **dict.fromkeys("ɭɫɮʎǁ", "l"),
        **dict.fromkeys("rɽɺ", "ɾ"),
        "ɬ": "ʃ",
        "ɻ": "ɹ",
        "dz": "z",
        "ʑ": "ʒ",
        **dict.fromkeys("ʂɧ", "ʃ"),
        "ʐ": "ʒ",
        **dict.fromkeys(("ʧ", "tʂ", "ʈʂ", "c"), "tʃ"),
        **dict.fromkeys(("ʤ", "dʐ", "ɖʐ", "ɟ", "ʄ"), "dʒ"),
        # Tongue body and throat.
        "q": "k",
        **dict.fromkeys("gɢɠʛɣɰ", "ɡ"),
        **dict.fromkeys("χʀʁħʜʢʕ", "x"),
        "ɦ": "h",
        "ʡ": "ʔ",
        "ʟ": "l",
        "ʝ": "j",
        **dict.fromkeys("ʍɥ", "w"),
        # Vowels: height first, then rounding, then backness.
        **dict.fromkeys("yʉ", "u"),
        **dict.fromkeys("ʏᵿ", "ʊ"),
        **dict.fromkeys("ᵻɨ", "ɪ"),
        **dict.fromkeys("øɵ", "o"),
        "œ": "ɔ",
        **dict.fromkeys("ɤɘᵊ", "ə"),
        "ε": "ɛ",
        "ɝ": "ɚ",
        "ɞ": "ɜ",
        "ɶ": "a",
        "ai": "aɪ",
        "au": "aʊ",
        **dict.fromkeys(("ei", "ɛɪ"), "eɪ"),
        "ou": "oʊ",
        **dict.fromkeys(("oi", "œy"), "ɔɪ"),
        "ɛə": "eə",
        "ɪə": "iə",
    }
)
"""The class of every further symbol of `assets/visemes.toml` and of diphthongs and affricates without a class."""

# fmt: off
_OF_SHAPE: Mapping[str, str] = MappingProxyType(
    {
        "PP": "b", "FF": "v", "BV": "ʋ", "TH": "ð", "DD": "d", "NN": "n",
        "SS": "s", "CH": "ʃ", "KK": "k", "RR": "ɹ", "JJ": "j", "WW": "w",
        "aa": "a", "ae": "æ", "ah": "ʌ", "schwa": "ə", "E": "ɛ", "ih": "ɪ",
        "ii": "i", "oh": "o", "aw": "ɔ", "uu": "u", "uh": "ʊ", "mu": "ɯ",
        "er": "ɚ", "yy": "u", "oe": "o",
    }
)
# fmt: on
"""The class that stands for a mouth shape: for letters that neither table holds."""

_INDEX: Mapping[str, int] = MappingProxyType({phone: index for index, phone in enumerate(PHONES)})
_LONGEST = 2


def token_of(ipa: str) -> int | None:
    """The class of one espeak segment (of its first sound, where it holds several); None for marks and pauses."""
    tokens = tokens_of(ipa)
    return tokens[0] if tokens else None


@lru_cache(maxsize=8192)
def tokens_of(ipa: str) -> tuple[int, ...]:
    """The classes of one espeak segment in order: `aɪɚ` is two, `tʃ` one, `ää` (a long vowel) one, a mark none."""
    base = visemes.normalise(ipa)
    tokens: list[int] = []
    i = 0
    while i < len(base):
        for width in range(min(_LONGEST, len(base) - i), 0, -1):
            symbol = base[i : i + width]
            token = _INDEX.get(NEAREST.get(symbol, symbol))
            if token is not None:
                break
        else:
            token = _INDEX[_OF_SHAPE.get(visemes.classify(base[i]).name, "ə")]
        if not tokens or tokens[-1] != token:
            tokens.append(token)
        i += width
    return tuple(tokens)
