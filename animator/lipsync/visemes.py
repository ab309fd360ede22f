"""Which mouth shape each speech sound has: the table `assets/visemes.toml`, checked and looked up.

Sounds come as espeak IPA. Before the lookup they are brought to base letters, as eSpeak-NG writes 40 languages:
combining marks, tones, quotes and language markers go, modifiers (ʰ ʲ ʷ …), stress and length go, tie bars go.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

ASSETS = Path(__file__).parents[2] / "assets"
TABLE = ASSETS / "visemes.toml"

CHANNELS = "AIUEOD"
"""Letters of the table's weights, in the order of `animator.tha3.pose.MOUTH_NAMES`."""

KINDS = frozenset({"silence", "closure", "near", "sibilant", "lip_heavy", "tongue", "vowel"})

NUCLEUS_SHARE = 0.6
"""Share of a diphthong's time that belongs to its first vowel (Rhubarb splits 60/40)."""
GLIDE_GAIN = 0.7
"""How far a diphthong's second vowel is reached."""

STRESS = "ˈˌ"
AFFRICATES = frozenset({"tʃ", "dʒ", "ts", "dz", "tɕ", "dʑ", "tʂ", "dʐ"})
DIPHTHONGS = frozenset(
    {"aɪ", "aʊ", "eɪ", "oʊ", "əʊ", "ɔɪ", "eə", "ɪə", "ʊə", "ɛə", "ai", "au", "ei", "ou", "oi", "ɛɪ", "œy"}
)

_LANGUAGE_MARKER = re.compile(r"\([a-z-]+\)")
# Modifier letters say how, not with which lips; length, half-length and stress change time and gain only.
_MODIFIERS = frozenset("ʰʱʲʷˤᵝʼ˞ːˑˈˌˀⁿˡ̚")
# Kokoro's Misaki writes diphthongs and two affricates as single letters.
_MISAKI = {"A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ", "T": "ɾ"}
# Where a letter is unknown: its manner from its Unicode name's base letter (“LATIN SMALL LETTER D WITH TAIL” -> D).
_BASE_LETTER = re.compile(
    r"LETTER (?:SMALL |CAPITAL |TURNED |REVERSED |OPEN |CLOSED |SCRIPT |GREEK |STRETCHED )*([A-Z]+)\b"
)
_NAMED = {
    "ESH": "ʃ",
    "EZH": "ʒ",
    "ENG": "ŋ",
    "ETH": "ð",
    "THETA": "θ",
    "BETA": "β",
    "PHI": "ɸ",
    "CHI": "χ",
    "GAMMA": "ɣ",
}
_NAMED |= {
    "EPSILON": "ɛ",
    "SCHWA": "ə",
    "ALPHA": "ɑ",
    "UPSILON": "ʊ",
    "IOTA": "ɪ",
    "AE": "æ",
    "OE": "œ",
    "GLOTTAL": "ʔ",
}


@dataclass(frozen=True, slots=True)
class Viseme:
    """One mouth shape. `weights` are parameters in MOUTH_NAMES order; `gate` and `dominance` in [0, 1]; times in s."""

    name: str
    weights: tuple[float, float, float, float, float, float]
    kinds: frozenset[str]
    gate: float
    dominance: float
    anticipation_s: float
    carry_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one sound: its shape, its share of the sound's time, and how far the shape is reached."""

    viseme: Viseme
    share: float
    gain: float
    plosive: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The checked table: shapes by name, shapes by symbol, and which closures are labelled at their release."""

    classes: Mapping[str, Viseme]
    by_symbol: Mapping[str, Viseme]
    plosives: frozenset[str]


def _number(entry: Mapping[str, Any], key: str, low: float, high: float, where: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{where}: {key} must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)


def load_table(path: Path = TABLE) -> Table:
    """Read and check a viseme table.

    Raises:
        FileNotFoundError: If the file is not there: the installation is not complete.
        ValueError: If it does not hold what it should; the message names the entry.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"The table of mouth shapes is missing: expected {path}. Reinstall, or restore the assets folder."
        ) from None
    try:
        entries = tomllib.loads(text).get("class", {})
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not valid TOML: {error}") from error
    classes: dict[str, Viseme] = {}
    by_symbol: dict[str, Viseme] = {}
    plosives: set[str] = set()
    for name, entry in entries.items():
        where = f"{path.name}, [class.{name}]"
        weights = entry.get("weights", {})
        if unknown := set(weights) - set(CHANNELS):
            raise ValueError(f"{where}: weights know only {', '.join(CHANNELS)}, got {', '.join(sorted(unknown))}")
        if unknown := set(entry.get("kinds", ())) - KINDS:
            raise ValueError(f"{where}: kinds know only {', '.join(sorted(KINDS))}, got {', '.join(sorted(unknown))}")
        a, i, u, e, o, d = (_number({"w": weights.get(c, 0)}, "w", 0.0, 1.0, f"{where} weight {c}") for c in CHANNELS)
        kinds = frozenset(entry["kinds"])
        gated = bool(kinds & {"closure", "near"})
        classes[name] = viseme = Viseme(
            name=name,
            weights=(a, i, u, e, o, d),
            kinds=kinds,
            gate=_number(entry, "gate", 0.0, 1.0, where) if gated else 0.0,
            dominance=_number(entry, "dominance", 0.0, 1.0, where),
            anticipation_s=_number(entry, "anticipation_ms", 10, 400, where) / 1000,
            carry_s=_number(entry, "carry_ms", 10, 400, where) / 1000,
        )
        if "closure" in kinds and (any(viseme.weights) or viseme.gate != 1.0):
            raise ValueError(f"{where}: a closure has no open weight and gate 1, or the lips would not shut")
        for symbol in entry.get("ipa", ()):
            if symbol in by_symbol:
                raise ValueError(f"{where}: {symbol!r} already belongs to {by_symbol[symbol].name}")
            by_symbol[symbol] = viseme
        plosives.update(entry.get("plosives", ()))
    if missing := {"SIL", "PP", "schwa", "KK", "DD"} - set(classes):
        raise ValueError(f"{path.name}: the classes {', '.join(sorted(missing))} are missing")
    return Table(MappingProxyType(classes), MappingProxyType(by_symbol), frozenset(plosives))


_TABLE = load_table()

CLASSES: Mapping[str, Viseme] = _TABLE.classes
"""Every shape by its name."""

VISEMES: Mapping[str, tuple[float, float, float, float, float, float]] = MappingProxyType(
    {name: viseme.weights for name, viseme in _TABLE.classes.items()}
)
"""Six mouth parameters per class, in the order of `animator.tha3.pose.MOUTH_NAMES`."""

SILENCE = CLASSES["SIL"]

unknown_segments: Counter[str] = Counter()
"""How often each letter that the table does not hold was looked up (a nearest neighbour stood in for it)."""


def normalise(ipa: str) -> str:
    """Base letters of an IPA string; "" where it holds no sound (pause, punctuation, stress or tone alone).

    Combining marks U+0300-036F (tie bars too), tone digits and letters, modifiers, quotes, hyphens and language
    markers such as `(en)` are removed.
    """
    text = _LANGUAGE_MARKER.sub("", ipa)
    # ç is a sound of its own (U+00E7): decomposing it would leave c. Everything else is decomposed.
    text = "".join(c if c == "ç" else unicodedata.normalize("NFD", c) for c in unicodedata.normalize("NFC", text))
    letters = []
    for c in text:
        if c in _MODIFIERS or unicodedata.combining(c):
            continue
        if c in _TABLE.by_symbol:
            letters.append(c)
        elif unicodedata.category(c) in {"Ll", "Lu", "Lo", "Lm"}:
            letters.append(_MISAKI.get(c, c))
    return "".join(letters)


def is_known(base: str) -> bool:
    """Whether every sound of normalised letters is in the table."""
    return all(token in _TABLE.by_symbol for token in _tokens(base))


def _nearest(letter: str) -> Viseme:
    """A stand-in for a letter outside the table: its look-alike's shape, or a vowel-neutral one. Counted."""
    unknown_segments[letter] += 1
    match = _BASE_LETTER.search(unicodedata.name(letter, ""))
    if match:
        name = match[1]
        symbol = _NAMED.get(name, name.lower())
        if symbol in _TABLE.by_symbol:
            return _TABLE.by_symbol[symbol]
        if symbol[:1] in _TABLE.by_symbol and len(symbol) <= 2:
            return _TABLE.by_symbol[symbol[:1]]
    return CLASSES["schwa"]


def _tokens(base: str) -> list[str]:
    """Cut base letters into sounds, the longest known symbol first."""
    tokens, i = [], 0
    while i < len(base):
        width = 2 if base[i : i + 2] in _TABLE.by_symbol else 1
        tokens.append(base[i : i + width])
        i += width
    return tokens


@lru_cache(maxsize=4096)
def _lookup(base: str) -> tuple[tuple[str, Viseme], ...]:
    found = _TABLE.by_symbol
    return tuple((token, found[token] if token in found else _nearest(token)) for token in _tokens(base))


def parts(ipa: str) -> tuple[Part, ...]:
    """The shapes one sound runs through, in order; () for a pause.

    A diphthong gives its nucleus (60 % of the time) and its glide (40 %, at 0.7 of the shape); an affricate is one
    shape; several letters that are none of these (`oːɹ`, `əl`) share the time evenly.
    """
    looked_up = _lookup(normalise(ipa))
    if not looked_up:
        return ()
    shapes = [(viseme, token in _TABLE.plosives) for token, viseme in looked_up]
    if len(shapes) >= 2 and all("vowel" in viseme.kinds for viseme, _ in shapes[:2]):
        rest = len(shapes) - 2
        share = 1.0 / (1.0 + 0.5 * rest)  # whatever follows the diphthong (aɪɚ) takes half a sound each
        pair = [
            Part(shapes[0][0], NUCLEUS_SHARE * share, 1.0, False),
            Part(shapes[1][0], (1 - NUCLEUS_SHARE) * share, GLIDE_GAIN, False),
        ]
        return (*pair, *(Part(viseme, 0.5 * share, 1.0, plosive) for viseme, plosive in shapes[2:]))
    return tuple(Part(viseme, 1.0 / len(shapes), 1.0, plosive) for viseme, plosive in shapes)


def classify(ipa: str) -> Viseme:
    """The shape of one sound (of its first part, for a diphthong); SILENCE for a pause or a bare mark.

    A letter outside the table gets its nearest neighbour and is counted in `unknown_segments`.
    """
    found = parts(ipa)
    return found[0].viseme if found else SILENCE
