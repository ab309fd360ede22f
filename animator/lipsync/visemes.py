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
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from animator.lipsync import features

ASSETS = Path(__file__).parents[2] / "assets"
TABLE = ASSETS / "visemes.toml"

CHANNELS = "AIUEOD"
"""Letters of the table's weights, in the order of `animator.tha3.pose.MOUTH_NAMES`."""

KINDS = frozenset({"silence", "closure", "near", "sibilant", "lip_heavy", "tongue", "vowel"})

NUCLEUS_SHARE = 0.6
"""Share of a diphthong's time that belongs to its first vowel (Rhubarb splits 60/40)."""
GLIDE_GAIN = 0.7
"""How far a diphthong's second vowel is reached."""

LEAST_GATE = 0.3
"""A near-closure below this would not be seen as one."""
PALATALISED_I = 0.20
"""What a palatalised consonant (ʲ, Slavic) adds to mouth_iii."""
LABIALISED_U = 0.30
"""What a labialised one (ʷ) adds to mouth_uuu."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The checked table: shapes by name, shapes by symbol, and which closures are labelled at their release."""

    classes: Mapping[str, Viseme]
    by_symbol: Mapping[str, Viseme]
    plosives: frozenset[str]

    def with_rows(self, rows: Mapping[str, Any], where: str) -> Table:
        """This table with the shapes of some classes changed, such as a character's own.

        Args:
            rows: By the class's name, any of `weights`, `gate`, `dominance`, `anticipation_ms`, `carry_ms`. Weights
                replace all six; which sounds belong to a class cannot be changed.
            where: What the rows stand in, for messages: `character.toml, [visemes.`.

        Raises:
            ValueError: If a row is not what it should be; the message names the entry.
        """
        classes = dict(self.classes)
        for name, row in rows.items():
            entry = f"{where}{name}]"
            if name not in classes or name == "SIL":
                known = ", ".join(sorted(set(classes) - {"SIL"}))
                raise ValueError(f"{entry}: there is no such class; there are {known}")
            if not isinstance(row, Mapping):
                raise ValueError(f"{entry}: must be a table, got {row!r:.40}")
            if unknown := set(row) - set(ROW_KEYS):
                raise ValueError(f"{entry}: knows only {', '.join(ROW_KEYS)}, got {', '.join(sorted(unknown))}")
            classes[name] = _row(entry, name, row, classes[name].kinds, classes[name])
        by_symbol = {symbol: classes[viseme.name] for symbol, viseme in self.by_symbol.items()}
        return Table(MappingProxyType(classes), MappingProxyType(by_symbol), self.plosives)


def _number(entry: Mapping[str, Any], key: str, low: float, high: float, where: str) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{where}: {key} must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)


ROW_KEYS = ("weights", "gate", "dominance", "anticipation_ms", "carry_ms")
"""What a character may change of a class."""


def _row(where: str, name: str, entry: Mapping[str, Any], kinds: frozenset[str], before: Viseme | None) -> Viseme:
    """One class of the table, checked; what `entry` leaves out is as `before`, or has to be there if that is None."""
    given = (
        entry
        if before is None
        else {
            "gate": before.gate,
            "dominance": before.dominance,
            "anticipation_ms": 1000 * before.anticipation_s,
            "carry_ms": 1000 * before.carry_s,
            "weights": dict(zip(CHANNELS, before.weights, strict=True)),
            **entry,
        }
    )
    weights = given.get("weights", {})
    if not isinstance(weights, Mapping):
        raise ValueError(f"{where}: weights must be a table such as {{ A = 0.6, E = 0.4 }}, got {weights!r:.40}")
    if unknown := set(weights) - set(CHANNELS):
        raise ValueError(f"{where}: weights know only {', '.join(CHANNELS)}, got {', '.join(sorted(unknown))}")
    a, i, u, e, o, d = (_number({"w": weights.get(c, 0)}, "w", 0.0, 1.0, f"{where} weight {c}") for c in CHANNELS)
    gated = bool(kinds & {"closure", "near"})
    viseme = Viseme(
        name=name,
        weights=(a, i, u, e, o, d),
        kinds=kinds,
        gate=_number(given, "gate", 0.0, 1.0, where) if gated else 0.0,
        dominance=_number(given, "dominance", 0.0, 1.0, where),
        anticipation_s=_number(given, "anticipation_ms", 10, 400, where) / 1000,
        carry_s=_number(given, "carry_ms", 10, 400, where) / 1000,
    )
    if "closure" in kinds and (any(viseme.weights) or viseme.gate != 1.0):
        raise ValueError(f"{where}: a closure has no open weight and gate 1, or the lips would not shut")
    if "near" in kinds and viseme.gate < LEAST_GATE:
        raise ValueError(f"{where}: gate must be at least {LEAST_GATE:g}, got {viseme.gate:g}")
    return viseme


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
        if unknown := set(entry.get("kinds", ())) - KINDS:
            raise ValueError(f"{where}: kinds know only {', '.join(sorted(KINDS))}, got {', '.join(sorted(unknown))}")
        classes[name] = viseme = _row(where, name, entry, frozenset(entry.get("kinds", ())), None)
        for symbol in entry.get("ipa", ()):
            if symbol in by_symbol:
                raise ValueError(f"{where}: {symbol!r} already belongs to {by_symbol[symbol].name}")
            by_symbol[symbol] = viseme
        plosives.update(entry.get("plosives", ()))
    if missing := {"SIL", "PP", "schwa", "KK", "DD"} - set(classes):
        raise ValueError(f"{path.name}: the classes {', '.join(sorted(missing))} are missing")
    return Table(MappingProxyType(classes), MappingProxyType(by_symbol), frozenset(plosives))


TABLE_OF_ASSETS = load_table()
"""The table that holds where a character has none of its own."""

CLASSES: Mapping[str, Viseme] = TABLE_OF_ASSETS.classes
"""Every shape by its name."""

VISEMES: Mapping[str, tuple[float, float, float, float, float, float]] = MappingProxyType(
    {name: viseme.weights for name, viseme in TABLE_OF_ASSETS.classes.items()}
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
        if c in TABLE_OF_ASSETS.by_symbol:
            letters.append(c)
        elif unicodedata.category(c) in {"Ll", "Lu", "Lo", "Lm"}:
            letters.append(_MISAKI.get(c, c))
    return "".join(letters)


def is_known(base: str) -> bool:
    """Whether every sound of normalised letters is in the table."""
    return all(token in TABLE_OF_ASSETS.by_symbol for token in _tokens(base))


def _nearest(letter: str, table: Table) -> Viseme:
    """A stand-in for a letter outside the table: the sound nearest by its features, or a neutral vowel. Counted."""
    unknown_segments[letter] += 1
    symbol = features.nearest(letter, table.by_symbol)
    return table.classes["schwa"] if symbol is None else table.by_symbol[symbol]


def _tokens(base: str) -> list[str]:
    """Cut base letters into sounds, the longest known symbol first."""
    tokens, i = [], 0
    while i < len(base):
        width = 2 if base[i : i + 2] in TABLE_OF_ASSETS.by_symbol else 1
        tokens.append(base[i : i + width])
        i += width
    return tokens


@lru_cache(maxsize=8192)
def _lookup(base: str, table: Table) -> tuple[tuple[str, Viseme], ...]:
    found = table.by_symbol
    return tuple((token, found[token] if token in found else _nearest(token, table)) for token in _tokens(base))


@lru_cache(maxsize=1024)
def _coloured(viseme: Viseme, channel: str, amount: float) -> Viseme:
    """The shape with a second articulation; gated ones, vowels and the sum that the networks bear stay as they are."""
    if viseme.gate or "vowel" in viseme.kinds:
        return viseme
    weights = list(viseme.weights)
    weights[CHANNELS.index(channel)] = min(weights[CHANNELS.index(channel)] + amount, 1.0)
    a, i, u, e, o, d = weights
    return replace(viseme, weights=(a, i, u, e, o, d))


def parts(ipa: str, table: Table = TABLE_OF_ASSETS) -> tuple[Part, ...]:
    """The shapes one sound runs through, in order; () for a pause.

    A diphthong gives its nucleus (60 % of the time) and its glide (40 %, at 0.7 of the shape); an affricate is one
    shape; several letters that are none of these (`oːɹ`, `əl`) share the time evenly. A palatalised consonant (`tʲ`)
    is a little wider, a labialised one (`kʷ`) a little rounder.
    """
    looked_up = _lookup(normalise(ipa), table)
    if not looked_up:
        return ()
    shapes = [(viseme, token in table.plosives) for token, viseme in looked_up]
    for mark, channel, amount in (("ʲ", "I", PALATALISED_I), ("ʷ", "U", LABIALISED_U)):
        if mark in ipa:
            shapes = [(_coloured(viseme, channel, amount), plosive) for viseme, plosive in shapes]
    if len(shapes) >= 2 and all("vowel" in viseme.kinds for viseme, _ in shapes[:2]):
        rest = len(shapes) - 2
        share = 1.0 / (1.0 + 0.5 * rest)  # whatever follows the diphthong (aɪɚ) takes half a sound each
        pair = [
            Part(shapes[0][0], NUCLEUS_SHARE * share, 1.0, False),
            Part(shapes[1][0], (1 - NUCLEUS_SHARE) * share, GLIDE_GAIN, False),
        ]
        return (*pair, *(Part(viseme, 0.5 * share, 1.0, plosive) for viseme, plosive in shapes[2:]))
    return tuple(Part(viseme, 1.0 / len(shapes), 1.0, plosive) for viseme, plosive in shapes)


def classify(ipa: str, table: Table = TABLE_OF_ASSETS) -> Viseme:
    """The shape of one sound (of its first part, for a diphthong); SILENCE for a pause or a bare mark.

    A letter outside the table gets its nearest neighbour by features and is counted in `unknown_segments`.
    """
    found = parts(ipa, table)
    return found[0].viseme if found else SILENCE
