"""What makes lips right, as numbers: phones against phones, and drawn mouths against what is really said. Pure.

Everything is measured against the reference, the phones with the times that the voice itself states. A frame at `t`
is looked at when sound second `t` is heard; since the mouth is `AHEAD_S` early on purpose, the sound that it should
show is the one at `t + AHEAD_S`.

Phones (`phone_figures`)
    per                 Levenshtein distance of the sounds (classes of `animator/lipsync/inventory.py`) / sounds said
    bias_ms             median of heard minus true onset over the sounds that both hold
    onset_median_ms     median, with the bias removed, of the absolute error of those onsets; onset_p90_ms its 90th
                        percentile, onset_20_ms and onset_40_ms the shares within 20 and 40 ms
    phones_found        share of the sounds said that the source holds as the same sound

Mouths (`mouth_figures`), at one frame rate over several frame phases
    closure_recall      share of p b m that have a drawn frame with all six open parameters <= SHUT, within NEAR_S
    near_recall         share of f v that have a drawn frame with an open area <= NEAR_AREA, within NEAR_S
    closure_precision   share of the runs of frames that are so shut, between the first and the last sound, that come
                        within NEAR_S of a p b m or of a pause of at least PAUSE_S, labelled as one or silent in
                        truth (below SILENT: some voices' labels of sounds go on through silence)
    viseme_accuracy     share of the frames of sounds whose dominant viseme (`MouthTrack.viseme`) is that of the sound
                        at that time, by the table; a sound made by the tongue alone (kind "tongue") has no lips of its
                        own and may show those of either neighbour, and in the CLOSED_EARLY_S before a p or b, which
                        voices label at its release, the lips may be shut already (the sound is down there)
    viseme_strict       the same without these two allowances
    shape_accuracy      share of those frames whose drawn parameters look right to a lip reader: shut (p b m f v),
                        round (o u w ʃ ɹ ...), spread (i e s ...) or open (a æ ʌ); see `shape_of`. Tongue-only sounds
                        and central vowels, which have no such look, are left out
    openness            mean over sentences of the correlation of the open area with a jaw that follows from the
                        reference by a rule of its own: vowel height on the IPA chart, smoothed over JAW_SMOOTH_S,
                        down in pauses of PAUSE_S and more (the shorter gaps between words are no silence)
    envelope, lag_ms    mean over sentences of the best correlation of the open area with the loudness within LAG_S, and
                        the median lag of that best one (positive: the mouth is late)
    silence_leak        share of frames with an open area > LEAK_AREA in silences of more than SILENCE_S, from SETTLE_S
                        after the last sound until SETTLE_S before the next
    jitter_hz           turns of the open area per second of sound; a turn of less than TURN_AREA is not one
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from animator.lipsync import inventory, response, visemes
from animator.lipsync.mouth_track import AHEAD_S, merge_phones
from animator.lipsync.segments import Segment, segments_of
from animator.messages import Phone, Samples

Array = npt.NDArray[np.float64]

SHUT = 0.05
NEAR_AREA = 0.10
NEAR_S = 0.040
PAUSE_S = 0.100
SILENT = 0.02
"""Loudness below which nothing is heard, relative to the 95th percentile (-34 dB)."""
SILENCE_S = 0.150
SETTLE_S = 0.120
LEAK_AREA = 0.05
TURN_AREA = 0.02
CLOSED_EARLY_S = 0.045
"""Measured on Piper (en_US-joe): the sound is down from 50 ms (p) and 40 ms (b) before the label."""
LAG_S = 0.100
LAG_STEP_S = 0.005
ENVELOPE_S = 0.050
JAW_SMOOTH_S = 0.120
"""A Hann window of this length: the jaw needs about 120 ms from shape to shape (JALI, SIGGRAPH 2016)."""

_JAW_HEIGHT = {
    **dict.fromkeys("aɑɒɶ", 1.0),
    **dict.fromkeys("æɐ", 0.85),
    **dict.fromkeys("ɛɔœʌɜɞ", 0.70),
    **dict.fromkeys("əɚɝᵊɘeoøɵɤ", 0.50),
    **dict.fromkeys("ɪʊʏᵻᵿ", 0.35),
    **dict.fromkeys("iuyɯɨʉ", 0.25),
    **dict.fromkeys("pbmɓfvɱ", 0.0),
    **dict.fromkeys("szʃʒɕʑʂʐ", 0.10),
}
"""How far the jaw is down, from the IPA chart's rows; see `OTHER_JAW` for everything else."""
OTHER_JAW = 0.20
NUCLEUS_SHARE = 0.6

_SHAPES = {
    "shut": ("PP", "FF"),
    "round": ("CH", "RR", "WW", "oh", "aw", "uu", "uh", "yy", "oe"),
    "spread": ("SS", "JJ", "ii", "ih", "E"),
    "open": ("aa", "ae", "ah"),
}
SHAPE_OF_CLASS = {name: shape for shape, names in _SHAPES.items() for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One sentence with the truth about it. `samples` float32 mono; `group` is what tables are split by."""

    text: str
    language: str
    group: str
    samples: Samples
    sample_rate: int
    reference: tuple[Phone, ...]

    @property
    def duration_s(self) -> float:
        """Length of the sound in s."""
        return len(self.samples) / self.sample_rate


class Mouths(Protocol):
    """A mouth over the time of one utterance."""

    def drawn(self, times_s: Array, fps: float) -> Array:
        """Six parameters per frame, shape (n, 6)."""
        ...

    def visemes(self, times_s: Array, fps: float) -> list[str] | None:
        """Name of the dominant class per frame; None where a scheme knows no visemes."""
        ...


# --- Phones ----------------------------------------------------------------------------------------------------------


def _tokens(phones: Sequence[Phone]) -> list[tuple[int, float | None]]:
    """(class, onset in s) of every sound; the second sound of one label has no onset of its own."""
    found: list[tuple[int, float | None]] = []
    for phone in merge_phones(phones):
        for k, token in enumerate(inventory.tokens_of(phone.ipa)):
            found.append((token, phone.start_s if k == 0 else None))
    return found


def matched(said: Sequence[int], heard: Sequence[int]) -> tuple[int, list[tuple[int, int]]]:
    """Levenshtein distance, and the index pairs that one best alignment holds to be the same sound."""
    rows, columns = len(said) + 1, len(heard) + 1
    cost = np.zeros((rows, columns), dtype=np.int32)
    cost[:, 0], cost[0] = np.arange(rows), np.arange(columns)
    for i in range(1, rows):
        for j in range(1, columns):
            swap = cost[i - 1, j - 1] + (said[i - 1] != heard[j - 1])
            cost[i, j] = min(swap, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    pairs = []
    i, j = rows - 1, columns - 1
    while i and j:
        same = said[i - 1] == heard[j - 1]
        if cost[i, j] == cost[i - 1, j - 1] + (not same):
            if same:
                pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return int(cost[-1, -1]), pairs[::-1]


def phone_figures(pairs: Sequence[tuple[Sequence[Phone], Sequence[Phone]]]) -> dict[str, float]:
    """Figures of heard against reference phones, given as (reference, heard) of each utterance."""
    distance = count = found = 0
    errors: list[float] = []
    for reference, heard in pairs:
        said, got = _tokens(reference), _tokens(heard)
        cost, same = matched([token for token, _ in said], [token for token, _ in got])
        distance, count, found = distance + cost, count + len(said), found + len(same)
        for i, j in same:
            true_s, heard_s = said[i][1], got[j][1]
            if true_s is not None and heard_s is not None:
                errors.append(1000 * (heard_s - true_s))
    bias = float(np.median(errors)) if errors else math.nan
    off = np.abs(np.array(errors) - bias) if errors else np.array([math.nan])
    return {
        "per": distance / max(count, 1),
        "phones_found": found / max(count, 1),
        "bias_ms": bias,
        "onset_median_ms": float(np.median(off)),
        "onset_p90_ms": float(np.percentile(off, 90)),
        "onset_20_ms": float((off <= 20).mean()),
        "onset_40_ms": float((off <= 40).mean()),
    }


# --- Mouths ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    closures: list[int] = field(default_factory=lambda: [0, 0])
    nears: list[int] = field(default_factory=lambda: [0, 0])
    shut_runs: list[int] = field(default_factory=lambda: [0, 0])
    visemes: list[int] = field(default_factory=lambda: [0, 0])
    strict: list[int] = field(default_factory=lambda: [0, 0])
    shapes: list[int] = field(default_factory=lambda: [0, 0])
    silence: list[int] = field(default_factory=lambda: [0, 0])
    turns: int = 0
    seconds: float = 0.0
    openness: list[float] = field(default_factory=list)
    envelope: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)


def mouth_figures(
    utterances: Sequence[Utterance], mouths: Sequence[Mouths], fps: float, phases: int
) -> dict[str, float]:
    """All figures of drawn mouths, at `fps` over `phases` frame phases."""
    counts = _Counts()
    for utterance, mouth in zip(utterances, mouths, strict=True):
        truth = _Truth(utterance)
        for phase in range(phases):
            times = np.arange((phase / phases - 6) / fps, utterance.duration_s + 0.2, 1 / fps)
            drawn = np.asarray(mouth.drawn(times, fps), dtype=np.float64)
            areas = np.asarray(response.area(drawn), dtype=np.float64)
            _count_lips(counts, truth, times, drawn, areas)
            _count_precision(counts, truth, times, drawn, fps)
            _count_visemes(counts, truth, times, drawn, areas, mouth.visemes(times, fps))
            _count_silence(counts, truth, times, areas)
            inside = (times >= 0) & (times <= utterance.duration_s)
            counts.turns += turns(areas[inside])
            counts.seconds += utterance.duration_s
            _correlate(counts, truth, times[inside], areas[inside], with_lag=phase == 0)
    return {
        "closure_recall": _share(counts.closures),
        "near_recall": _share(counts.nears),
        "closure_precision": _share(counts.shut_runs),
        "viseme_accuracy": _share(counts.visemes),
        "viseme_strict": _share(counts.strict),
        "shape_accuracy": _share(counts.shapes),
        "openness": _mean(counts.openness),
        "envelope": _mean(counts.envelope),
        "lag_ms": 1000 * float(np.median(counts.lags)) if counts.lags else math.nan,
        "silence_leak": _share(counts.silence),
        "jitter_hz": counts.turns / counts.seconds if counts.seconds else math.nan,
        "closures": counts.closures[1] / phases,
        "silent_frames": counts.silence[1] / phases,
    }


def _share(count: list[int]) -> float:
    return count[0] / count[1] if count[1] else math.nan


def _mean(values: list[float]) -> float:
    real = [value for value in values if math.isfinite(value)]
    return float(np.mean(real)) if real else math.nan


class _Truth:
    """What one utterance really holds, ready to be asked."""

    def __init__(self, utterance: Utterance) -> None:
        self.utterance = utterance
        phones = merge_phones(utterance.reference)
        self.spoken = [phone for phone in phones if phone.ipa]
        self.lips = [p for p in self.spoken if _is_closure(p.ipa)]
        self.nears = [p for p in self.spoken if visemes.classify(p.ipa).name == "FF"]
        self.shown = [s for s in segments_of(utterance.reference, utterance.language) if s.viseme is not None]
        self.silences = self._silences()
        self.unheard = _unheard(utterance)

    def _silences(self) -> list[tuple[float, float]]:
        """Spans without sound, those before the first and after the last one too."""
        edges = [0.0]
        for phone in self.spoken:
            edges += [phone.start_s, phone.end_s]
        edges.append(max(self.utterance.duration_s, edges[-1]))
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1e-3]

    def shape_index(self, times: Array) -> npt.NDArray[np.int64]:
        """Index into `shown` at each time; -1 in a pause."""
        starts = np.array([s.start_s for s in self.shown] or [0.0])
        ends = np.array([s.end_s for s in self.shown] or [0.0])
        index = np.searchsorted(starts, times, side="right") - 1
        inside = (index >= 0) & (times < ends[np.maximum(index, 0)])
        return np.where(inside, index, -1)


def _unheard(utterance: Utterance) -> list[tuple[float, float]]:
    """Stretches of the sound in which nothing is heard, whatever the labels say."""
    step_s = 0.005
    grid = np.arange(0.0, utterance.duration_s, step_s)
    if len(grid) < 2:
        return []
    quiet = envelope(utterance.samples, utterance.sample_rate, grid, 0.020) < SILENT
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return [(float(grid[a]), float(grid[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _name(segment: Segment) -> str:
    return segment.viseme.name if segment.viseme else visemes.SILENCE.name


def _is_closure(ipa: str) -> bool:
    return visemes.normalise(ipa)[:1] in {"p", "b", "m"}


def _count_lips(counts: _Counts, truth: _Truth, times: Array, drawn: Array, areas: Array) -> None:
    for phones, count, openness, limit in (
        (truth.lips, counts.closures, drawn.max(axis=1), SHUT),
        (truth.nears, counts.nears, areas, NEAR_AREA),
    ):
        for phone in phones:
            near = (times >= phone.start_s - NEAR_S) & (times <= phone.end_s + NEAR_S)
            count[1] += 1
            count[0] += int(openness[near].min(initial=1.0) <= limit)


def _count_precision(counts: _Counts, truth: _Truth, times: Array, drawn: Array, fps: float) -> None:
    if not truth.spoken:
        return
    first_s, last_s = truth.spoken[0].start_s, truth.spoken[-1].end_s
    allowed = [(s.start_s, s.end_s) for s in truth.shown if s.has("closure")]
    allowed += [(a, b) for a, b in (*truth.silences, *truth.unheard) if b - a >= PAUSE_S]
    shut = (drawn.max(axis=1) <= SHUT) & (times >= first_s) & (times <= last_s)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shut.astype(np.int8), [0]])))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        from_s, to_s = times[a] - NEAR_S, times[b - 1] + NEAR_S
        counts.shut_runs[1] += 1
        counts.shut_runs[0] += int(any(low <= to_s and high >= from_s for low, high in allowed))


def shape_of(drawn: Array, areas: Array) -> npt.NDArray[np.str_]:
    """What drawn mouths look like: "shut" up to SHUT of open area, else the pair of parameters that is largest.

    round: mouth_uuu and mouth_ooo; spread: mouth_iii and mouth_eee; open: mouth_aaa and mouth_delta.
    """
    pairs = np.stack([drawn[:, 2] + drawn[:, 4], drawn[:, 1] + drawn[:, 3], drawn[:, 0] + drawn[:, 5]], axis=1)
    names = np.array(["round", "spread", "open"])[pairs.argmax(axis=1)]
    return np.where(areas <= SHUT, "shut", names)


def _count_visemes(
    counts: _Counts, truth: _Truth, times: Array, drawn: Array, areas: Array, dominant: list[str] | None
) -> None:
    index = truth.shape_index(times + AHEAD_S)
    looks = shape_of(drawn, areas)
    for k in np.flatnonzero(index >= 0):
        i = int(index[k])
        due = truth.shown[i]
        name = _name(due)
        if shape := SHAPE_OF_CLASS.get(name):
            counts.shapes[1] += 1
            counts.shapes[0] += int(looks[k] == shape)
        if dominant is None:
            continue
        right = {name}
        counts.strict[1] += 1
        counts.strict[0] += int(dominant[k] in right)
        if due.has("tongue"):
            right |= {_name(other) for other in truth.shown[max(i - 1, 0) : i + 2]}
        following = truth.shown[i + 1] if i + 1 < len(truth.shown) else None
        if following and following.plosive and following.start_s - (times[k] + AHEAD_S) <= CLOSED_EARLY_S:
            right.add(_name(following))
        counts.visemes[1] += 1
        counts.visemes[0] += int(dominant[k] in right)


def _count_silence(counts: _Counts, truth: _Truth, times: Array, areas: Array) -> None:
    for start_s, end_s in truth.silences:
        if end_s - start_s <= SILENCE_S:
            continue
        from_s = -math.inf if start_s <= 0.0 else start_s + SETTLE_S
        to_s = math.inf if end_s >= truth.utterance.duration_s else end_s - SETTLE_S
        inside = (times > from_s) & (times < to_s) & (times >= 0)
        counts.silence[1] += int(inside.sum())
        counts.silence[0] += int((areas[inside] > LEAK_AREA).sum())


def turns(areas: Array) -> int:
    """How often an opening turns from opening to closing or back, turns of less than TURN_AREA left out."""
    count, direction, extreme = 0, 0, float(areas[0]) if len(areas) else 0.0
    for value in areas:
        step = float(value) - extreme
        if (direction >= 0 and step > 0) or (direction <= 0 and step < 0):
            direction = direction or (int(np.sign(step)) if abs(step) >= TURN_AREA else 0)
            extreme = float(value) if direction else extreme
        elif abs(step) >= TURN_AREA:
            count, direction, extreme = count + 1, -direction, float(value)
    return count


def jaw(reference: Sequence[Phone], times: Array) -> Array:
    """How far the jaw should be down at each time, in [0, 1]: vowel height by the chart, smoothed. (n,)."""
    step_s = 0.005
    start_s = float(times.min()) - 0.2
    grid = np.arange(start_s, float(times.max()) + 0.2, step_s)
    height = np.zeros(len(grid))
    spoken = [phone for phone in merge_phones(reference) if phone.ipa]
    for phone, following in zip(spoken, [*spoken[1:], None], strict=True):
        letters = list(visemes.normalise(phone.ipa))
        vowels = len(letters) > 1 and all("vowel" in visemes.classify(c).kinds for c in letters[:2])
        middle_s = phone.start_s + NUCLEUS_SHARE * (phone.end_s - phone.start_s) if vowels else phone.end_s
        spans = [(phone.start_s, middle_s), (middle_s, phone.end_s)][: len(letters)]
        gap_s = following.start_s - phone.end_s if following else PAUSE_S
        if gap_s < PAUSE_S and following:
            spans[-1 if vowels else 0] = (spans[-1 if vowels else 0][0], phone.end_s + gap_s / 2)
            height[(grid >= phone.end_s + gap_s / 2) & (grid < following.start_s)] = _JAW_HEIGHT.get(
                visemes.normalise(following.ipa)[:1], OTHER_JAW
            )
        for letter, (low_s, high_s) in zip(letters, spans, strict=False):
            height[(grid >= low_s) & (grid < high_s)] = _JAW_HEIGHT.get(letter, OTHER_JAW)
    window = np.hanning(round(JAW_SMOOTH_S / step_s) + 2)[1:-1]
    return np.interp(times, grid, np.convolve(height, window / window.sum(), mode="same"))


def envelope(samples: Samples, sample_rate: int, times: Array, window_s: float = ENVELOPE_S) -> Array:
    """RMS over `window_s` at each time, relative to its 95th percentile; 0 outside the sound. (n,)."""
    window = round(window_s * sample_rate)
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = (times * sample_rate).astype(np.int64)
    low, high = np.clip(centre - window // 2, 0, len(samples)), np.clip(centre + window // 2, 0, len(samples))
    rms = np.sqrt(np.maximum(total[high] - total[low], 0.0) / window)
    return np.asarray(rms / max(float(np.percentile(rms, 95)), 1e-6))


def _correlate(counts: _Counts, truth: _Truth, times: Array, areas: Array, *, with_lag: bool) -> None:
    if len(times) < 3 or areas.std() < 1e-6:
        counts.openness.append(0.0)
        return
    counts.openness.append(float(np.corrcoef(areas, jaw(truth.utterance.reference, times + AHEAD_S))[0, 1]))
    if not with_lag:
        return
    lags = np.arange(-LAG_S, LAG_S + LAG_STEP_S / 2, LAG_STEP_S)
    found = []
    for lag in lags:
        loud = envelope(truth.utterance.samples, truth.utterance.sample_rate, times - lag)
        found.append(float(np.corrcoef(areas, loud)[0, 1]) if loud.std() > 1e-6 else 0.0)
    counts.envelope.append(max(found))
    counts.lags.append(float(lags[int(np.argmax(found))]))
