"""How much later than the truth a phone model puts the onset of each sound: measured, kept with the model, taken off.

The delay is not one constant. Our own model begins a plosive at its closure, the voices that are the yardstick label
it at about its burst; a CTC model is later for open vowels; and a voice whose gaps between words take a part of the
closure or of the friction labels a word's first sound later than the same sound inside a word.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

from animator.lipsync import inventory

SHRINK = 10
"""A sound measured n times keeps n / (n + SHRINK) of how it differs; the rest is what all sounds have."""
OTHER = ""
"""The row for sounds without a row of their own."""
MOST_ROWS = 512
MOST_S = 0.1
"""A larger difference from the constant is no convention but a fault."""


class Row(NamedTuple):
    """What is added to the constant for one sound, in s: `anywhere` where it is not known where words begin."""

    anywhere: float
    inside: float
    initial: float


Biases = Mapping[str, Row]
"""By class of `inventory.PHONES`; OTHER stands for every sound that has no row."""
NONE: Biases = MappingProxyType({})
_ZERO = Row(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class OnsetError:
    """One sound that model and voice both hold: how late the model has it, in s, and whether it begins a word."""

    sound: str
    is_initial: bool
    late_s: float


def key_of(ipa: str) -> str:
    """The row of a symbol: its first sound as the inventory writes it; OTHER where that has none."""
    tokens = inventory.tokens_of(ipa)
    return inventory.PHONES[tokens[0]] if tokens else OTHER


def difference_s(biases: Biases, ipa: str, is_initial: bool | None) -> float:
    """How much later than the constant a model puts `ipa`, in s. `is_initial` is None where words are not known."""
    row = biases.get(key_of(ipa)) or biases.get(OTHER, _ZERO)
    return row.anywhere if is_initial is None else row.initial if is_initial else row.inside


def calibrate(errors: Sequence[OnsetError]) -> tuple[float, Biases]:
    """The constant in s (the median) and the table around it.

    Each value is a median, drawn towards what it is a part of while it is measured seldom: a sound towards the
    constant, a sound's place in the word towards the sound with the median difference of that place.

    Raises:
        ValueError: If there is nothing to measure by.
    """
    if not errors:
        raise ValueError("no sound was found that both the model and the voice hold; expected some hundred")
    constant_s = median(error.late_s for error in errors)
    sounds: dict[str, list[OnsetError]] = defaultdict(list)
    for error in errors:
        sounds[error.sound].append(error)
    anywhere = {sound: _drawn([e.late_s for e in rows], constant_s) - constant_s for sound, rows in sounds.items()}
    place = {
        is_initial: _median([e.late_s - constant_s - anywhere[e.sound] for e in errors if e.is_initial is is_initial])
        for is_initial in (False, True)
    }
    table = {OTHER: Row(0.0, place[False], place[True])}
    for sound in sorted(sounds):
        inside, initial = (
            _drawn(
                [e.late_s for e in sounds[sound] if e.is_initial is is_initial],
                constant_s + anywhere[sound] + place[is_initial],
            )
            - constant_s
            for is_initial in (False, True)
        )
        table[sound] = Row(anywhere[sound], inside, initial)
    return constant_s, {sound: Row(*(min(max(x, -MOST_S), MOST_S) for x in row)) for sound, row in table.items()}


def _median(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def _drawn(values: Sequence[float], towards: float) -> float:
    """The median of the values, drawn towards a value by the weight of SHRINK of them."""
    if not values:
        return towards
    return towards + len(values) / (len(values) + SHRINK) * (median(values) - towards)


def to_plain(biases: Biases) -> dict[str, list[float]]:
    """The table for JSON, to 0.1 ms."""
    return {sound: [round(value, 4) for value in row] for sound, row in biases.items()}


def from_plain(value: object) -> Biases:
    """The table from JSON, checked.

    Raises:
        ValueError: If it is anything but at most MOST_ROWS rows of three numbers within MOST_S of 0.
    """
    if not isinstance(value, dict) or len(value) > MOST_ROWS:
        raise ValueError(f"expected an object with at most {MOST_ROWS} sounds")
    rows: dict[str, Row] = {}
    for sound, row in value.items():
        is_row = isinstance(row, list) and len(row) == len(Row._fields)
        if not is_row or not all(_is_bias(number) for number in row):
            raise ValueError(f"the row of {str(sound)[:20]!r} is {str(row)[:60]}; expected three numbers of s")
        rows[str(sound)] = Row(*(float(number) for number in row))
    return MappingProxyType(rows)


def _is_bias(number: object) -> bool:
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return is_number and math.isfinite(number) and abs(number) <= MOST_S  # type: ignore[arg-type]


def in_order(starts_s: Sequence[float], ends_s: Sequence[float], shortest_s: float) -> list[float]:
    """Starts drawn back where the correction put one past its sound's end or the next start.

    `ends_s` are upper bounds. Each sound keeps `shortest_s`, or what is left between its neighbours.
    """
    kept = list(starts_s)
    for k in reversed(range(len(kept))):
        end_s = min(ends_s[k], kept[k + 1]) if k + 1 < len(kept) else ends_s[k]
        kept[k] = min(kept[k], end_s - shortest_s)
    return kept
