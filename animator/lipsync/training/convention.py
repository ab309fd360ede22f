"""Measures where an engine puts the start of a plosive's and a vowel's label, against the energy of its sound.

A plosive between two loud sounds is a dip in the level: it begins where the level falls by half of the dip (in dB) and
ends where it rises by half again. An engine whose labels follow our convention (the closure belongs to the plosive)
starts its label at the fall: lead 0. One that labels at the burst starts it at the rise: lead = length of the closure.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from animator.lipsync import visemes
from animator.lipsync.training.pack import read_pack
from animator.lipsync.training.speech import SAMPLE_RATE, Samples, Utterance

STEP_S = 0.002
WINDOW_S = 0.010
SEARCH_BEFORE_S = 0.11
DIP_DB = 12.0
"""A shallower dip is no closure that could be timed (a flap, a voiced stop said as an approximant)."""
_PLOSIVES = frozenset(["p", "b", "t", "d", "k", "ɡ", "ʈ", "ɖ", "c", "ɟ", "ts", "tʃ", "tɕ", "dʒ", "dʑ"])


@dataclass(frozen=True, slots=True)
class Convention:
    """Medians over the plosives of one group, in s; `count` of them had a dip that could be timed.

    `lead_s` is the label's start minus the dip's begin (positive: the label is late), `release_s` the rise minus the
    label's start, `spread_s` half the distance of the 10th and 90th percentile of the lead.
    """

    count: int
    lead_s: float
    release_s: float
    spread_s: float


def envelope_db(samples: Samples) -> npt.NDArray[np.float64]:
    """Level in dB at every STEP_S, over a window of WINDOW_S centred there. Above 150 Hz, so that voicing that goes on
    inside a closed mouth does not hide the closure."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[hz < 300] *= 0.05
    power = np.square(np.fft.irfft(spectrum, len(samples)))
    total = np.concatenate([[0.0], np.cumsum(power)])
    centre = np.arange(0, len(samples), round(STEP_S * SAMPLE_RATE))
    half = round(WINDOW_S * SAMPLE_RATE / 2)
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, len(samples))
    return 10 * np.log10(np.maximum((total[high] - total[low]) / (high - low), 1e-10))


def measure(utterances: Iterable[Utterance]) -> dict[str, Convention]:
    """The convention per plosive, and `"all"`, and `"vowel"` (vowel after a pause: label start against the rise)."""
    leads: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for utterance in utterances:
        level = envelope_db(utterance.samples)
        phones = utterance.phones
        for before, phone, after in zip(phones, phones[1:], phones[2:], strict=False):
            base = visemes.normalise(phone[0])
            if base in _PLOSIVES and _is_vowel(before[0]) and _is_vowel(after[0]):
                found = _dip(level, before, phone, after)
                if found is not None:
                    leads[base].append((phone[1] - found[0], found[1] - phone[1]))
                    leads["all"].append(leads[base][-1])
            if not before[0] and _is_vowel(phone[0]) and before[2] - before[1] > 0.05:
                onset = _rise(level, phone)
                if onset is not None:
                    leads["vowel"].append((phone[1] - onset, 0.0))
    return {
        name: Convention(
            len(rows),
            median(lead for lead, _ in rows),
            median(release for _, release in rows),
            float(np.subtract(*np.percentile([lead for lead, _ in rows], [90, 10])) / 2),
        )
        for name, rows in sorted(leads.items())
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the conventions of a pack: `python -m animator.lipsync.training.convention FOLDER`."""
    parser = argparse.ArgumentParser(prog="convention", description=main.__doc__)
    parser.add_argument("pack", type=Path)
    groups: dict[tuple[str, str, str], list[Utterance]] = defaultdict(list)
    for entry, sound in read_pack(parser.parse_args(arguments).pack):
        for voice in ("*", entry.voice) if entry.engine != "espeak" else ("*",):
            groups[entry.engine, entry.language, voice].append(Utterance(sound, entry.phones))
    for (engine, language, voice), utterances in sorted(groups.items()):
        for name, found in measure(utterances).items():
            if found.count >= 10:
                sys.stdout.write(
                    f"{engine:10} {language:3} {voice:10} {name:6} {found.count:5}  lead {found.lead_s * 1000:4.0f}"
                    f"  release {found.release_s * 1000:4.0f}  spread {found.spread_s * 1000:4.0f} ms\n"
                )
    return 0


def _is_vowel(ipa: str) -> bool:
    return bool(ipa) and "vowel" in visemes.classify(ipa).kinds


def _at(time_s: float) -> int:
    return round(time_s / STEP_S)


def _dip(
    level: npt.NDArray[np.float64],
    before: tuple[str, float, float],
    phone: tuple[str, float, float],
    after: tuple[str, float, float],
) -> tuple[float, float] | None:
    first = _at(max(before[1], phone[1] - SEARCH_BEFORE_S))
    last = min(_at(after[1] + 0.6 * (after[2] - after[1])), len(level))
    floor_from, floor_to = _at(max(phone[1] - SEARCH_BEFORE_S, before[1])), min(_at(phone[2]), len(level))
    if floor_to - floor_from < 5 or last - first < 20:
        return None
    lowest = floor_from + int(np.argmin(level[floor_from:floor_to]))
    loud_before = float(np.max(level[first : lowest + 1]))
    loud_after = float(np.max(level[lowest:last]))
    floor = float(level[lowest])
    if min(loud_before, loud_after) - floor < DIP_DB:
        return None
    down = floor + 0.5 * (loud_before - floor)
    up = floor + 0.5 * (loud_after - floor)
    falls = np.flatnonzero(level[first:lowest] > down)
    rises = np.flatnonzero(level[lowest:last] > up)
    if not len(falls) or not len(rises):
        return None
    return (first + int(falls[-1]) + 1) * STEP_S, (lowest + int(rises[0])) * STEP_S


def _rise(level: npt.NDArray[np.float64], phone: tuple[str, float, float]) -> float | None:
    first, last = max(0, _at(phone[1] - 0.1)), min(_at(phone[2]), len(level))
    if last - first < 10:
        return None
    top, floor = float(np.max(level[first:last])), float(np.min(level[first:last]))
    if top - floor < DIP_DB:
        return None
    above = np.flatnonzero(level[first:last] > floor + 0.5 * (top - floor))
    return (first + int(above[0])) * STEP_S


if __name__ == "__main__":
    sys.exit(main())
