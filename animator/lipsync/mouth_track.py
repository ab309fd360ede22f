"""The mouth of one clip as a function of speech time. Pure: NumPy only, no clock, no state after construction.

Neighbouring sounds are blended by dominance (Cohen & Massaro 1993): every sound pulls the mouth towards its shape,
most within its own span, less the further away. On top of the blend come rules that a blend cannot keep: lips that
shut for p b m do so fully and are seen to (at least one rendered frame), lips and teeth meet for f v, teeth stay
together in s z ʃ, the mouth rests in pauses. Closures are applied last; nothing smooths after them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animator.lipsync import response, visemes
from animator.lipsync.response import Mouth
from animator.lipsync.segments import STEP_S, Segment, merge_phones, segments_of
from animator.lipsync.visemes import Table, Viseme
from animator.messages import Phone, Samples
from animator.timebase import LEAD_S, TAIL_S

__all__ = ["MouthTrack", "merge_phones"]

Grid = npt.NDArray[np.float32]

AHEAD_S = 0.020
"""Shapes are this early: a picture ahead of its sound is noticed later than one behind it."""

# Blend
SUSTAIN_SHARE = 0.75
"""A vowel holds its shape for this share of its length (JALI, SIGGRAPH 2016)."""
FALL_OFF = 1.25
"""Power in D = alpha * exp(-(d / theta) ** FALL_OFF); at 1 (Cohen & Massaro) far neighbours blur fast speech."""
SHARPNESS = 1.8
"""Power of the pull: between round and wide lips a mean is neither, so the stronger of two sounds gets more than its
part (2: of 0.6 and 0.4, it gets 0.69)."""
REST_DOMINANCE = 0.005
"""Pull of the resting mouth where no sound is near."""
LIP_HEAVY_REACH_S = 0.200
"""How far before its place a rounded sound is felt through tongue consonants ("stew": rounded on the s)."""
LIP_HEAVY_LEAD_S = 0.030
"""How much earlier than others a lip-heavy sound holds its shape; with its time constant it is felt from ~150 ms."""
LIPS_EDGE_S = 0.035
"""Time constant with which a neighbour fades beyond the edge of a vowel or a rounded sound: what is said is also seen.
Consonants made by the tongue have no lips of their own, and a neighbour reaches across them at its own, slower pace."""
BARRIER = 0.15
"""What is left of a sound's pull beyond shut lips: nobody rounds "blue" through its b."""

# Closures
CLOSE_S = 0.045
"""The lips take this long to shut."""
RELEASE_S = 0.032
"""... and this long to part: they pop open faster than they close."""
MIN_HOLD_S = 0.040
"""A closure is held at least this long; with the share of time of the frame that draws it, 73 ms at 30 fps."""
LATE_CLOSE_S = 0.020
LATE_HOLD_S = LATE_CLOSE_S + MIN_HOLD_S
"""A closure that became known too late begins this soon after what is drawn already, and is over after that."""
OPEN_INTO_HOLD_S = 0.060
"""Lips at rest change from resting to shut for a first p over this long before its release; neither is seen."""
PLOSIVE_PULL_S = (0.030, 0.045)
"""p and b are labelled at their burst; the lips shut half the sound before earlier, within these bounds.

Measured on Piper (en_US-joe): the sound is down from 50 ms (p) and 40 ms (b) before the label and comes back at it."""
PLOSIVE_HOLD_SHARE = 0.25
"""Share of the labelled plosive still shut, for aligners that label from the closure; at most PLOSIVE_HOLD_S."""
PLOSIVE_HOLD_S = 0.030
RELEASE_SEARCH_S = 0.060
"""So far from its label the release of a p or b is looked for in the sound: quiet, then louder from one moment to the
next. An aligner's label may be off by more than the closure lasts. Loudness counts by its square root here, so that the
breath of a p counts beside the voice of a b."""
RELEASE_EARLY_S = 0.015
"""Where a burst is found earlier than this before its label, the lips are held until then: an error of the search must
not take the closure out of the 40 ms in which it counts, at 24 fps and more."""
CLOSED_FOR_S, BURST_S = 0.040, 0.030
CLOSED_LOUDNESS, BURST_RISE, BURST_CAP = 0.45, 0.10, 0.35
"""Most in the CLOSED_FOR_S before a release, least rise to the BURST_S after it, and what counts as loud (all roots).

Measured as above: loudness 0.0 to 0.05 in a closure, 0.05 to 0.15 right after a p, 0.5 right after a b."""
RELEASE_PULL = 0.20
"""How much more a burst at the search's end has to rise to win over one at the label."""
VOICELESS, LONGEST_HOLD_S = 0.030, 0.080
"""While the sound is below this (-30 dB) after a label, the lips of a p or b have not been heard to part: they are held
on, for so long at most. Aligners may label a closure where it begins, or too early."""
MERGE_CLOSURES_S = 0.090
"""Two closures nearer than this are one hold ("mp")."""
MERGE_OVER_VOWEL_S = 0.050
"""... but a vowel between them is seen unless it is shorter than this."""

# Sibilants and tongue consonants
SIBILANT_CAP = 0.20
"""Most of mouth_aaa, mouth_ooo and mouth_delta within a sibilant: its teeth are together (JALI's hard rule)."""
CAP_RAMP_S = 0.030
JAW_FLOOR = 0.10
"""Least open area within a tongue consonant, so that the mouth does not freeze."""

# Gain
JAW_BASE, JAW_LOUD, JAW_BOUNDS = 0.90, 0.10, (0.40, 1.15)
"""Jaw gain = base + loud * loudness relative to the clip's 90th percentile, within the bounds. Little of it, since the
running loudness (ENVELOPE_SHARE) follows the voice too: with 0.35 a quiet vowel was taken down twice."""
LIP_BASE, LIP_LOUD, LIP_BOUNDS = 0.80, 0.25, (0.80, 1.10)
"""The same for the lips, which move less with loudness than the jaw, and less with stress and haste (by the root)."""
PRIMARY_STRESS, SECONDARY_STRESS, UNSTRESSED = 1.10, 1.05, 0.90
GAIN_BOUNDS = (0.40, 1.20)
"""All gains of a vowel together: what is said is always seen to be said."""
SHORT_VOWEL_S, SHORT_VOWEL_GAIN = (0.040, 0.080), 0.85
"""A vowel of 40 ms reaches 0.85 of its shape, one of 80 ms all of it: lips have no time for more (undershoot)."""
FAST_SYLLABLES_HZ, FAST_GAIN = (5.5, 6.5), 0.85
"""The same for speech as a whole: full shapes below 5.5 syllables a second, 0.85 of them above 6.5. Fast vowels are
short, so the smaller of the two gains counts, not both."""
LOUD_PERCENTILE = 90
ENVELOPE_SHARE, ENVELOPE_FULL, ENVELOPE_WINDOW_S = 0.75, 0.60, 0.050
"""The jaw also follows the running loudness, so that a label a few frames off does not show: a silent moment takes off
this share, one of 0.6 of the clip's loud parts or more nothing."""

# Silence
LONG_PAUSE_S = 0.150
"""A pause of this length or more closes the mouth."""
PAUSE_CLOSE_S = 0.120
PAUSE_OPEN_S = 0.120
"""The mouth opens for the first sound over this long before it (JALI: ~120 ms before the apex)."""
SHORT_PAUSE_KEEP = 0.40
"""A shorter pause keeps this much of the shapes around it, where it is truly quiet (between words voicing goes on)."""
SHORT_PAUSE_RAMP_S = 0.030
QUIET, AUDIBLE = 0.05, 0.30
"""Loudness relative to the clip's loud parts below which a short pause counts as quiet, and above which as sounding."""
SILENT = 0.020
"""Relative loudness (-34 dB) below which nothing is said, whatever the phones claim ..."""
FLOOR_PERCENTILE, SILENT_OVER_FLOOR, MOST_SILENT = 5, 3.5, 0.10
"""... but a recording has noise: what is within 3.5 times its quietest moments is silent too, up to -20 dB at most.

Measured on 11 recordings of people: quietest moments at 0.01 to 0.045, pauses at 0.03 to 0.07 (median)."""
SILENCE_WINDOW_S = 0.040
"""Loudness is smoothed over this before a silence is looked for: a click does not end it."""
SILENT_RUN_S = 0.200
"""Silence inside a sound is a pause from this length; the closure of a p is shorter."""
NO_SOUND = 1e-4
"""Peak below which a clip's loudness says nothing (-80 dBFS)."""
LOUDNESS_WINDOW_S = 0.020

# What the rest of the body may know of the speech
ENERGY_SMOOTH_S = 0.35
NOD_S = 0.50
"""Length of the nod on a stressed vowel ..."""
NOD_FROM_JAW = 0.60
"""... whose jaw gain is above this."""

_OPEN_CHANNELS = np.array([1.0, 0.0, 0.0, 0.5, 1.0, 1.0], dtype=np.float32)
"""How much of each channel is jaw (the rest is lips), in MOUTH_NAMES order."""
_JAW = np.array([0, 4, 5])
_EEE = 3
_EEE_AT_FLOOR = np.float32(0.25)  # the parameter at which mouth_eee opens JAW_FLOOR


def _smoothstep(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    x = np.clip(np.asarray(x, dtype=np.float64), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def _distance(outside_s: Grid, beyond_edge_s: Grid, theta_s: npt.NDArray[np.float64]) -> Grid:
    """How far away a sound is, in its time constants; what lies beyond such an edge counts in LIPS_EDGE_S."""
    far = np.maximum(outside_s, 0) / theta_s
    extra = np.minimum(np.maximum(beyond_edge_s, 0), np.maximum(outside_s, 0))
    return np.asarray(far + extra * np.maximum(1 / LIPS_EDGE_S - 1 / theta_s, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Late:
    """Sounds from `from_s` on became known when the mouth was drawn until `drawn_s` already (both s of the track)."""

    from_s: float
    drawn_s: float


class MouthTrack:
    """The lips of one clip. Built once (a few ms per second of speech), then read from any thread.

    Args:
        phones: What is said when; overlaps, gaps and unsorted input are put right.
        samples: The clip's sound, float32 mono; sets how wide the mouth opens. May be empty or silent.
        sample_rate: Hz, positive.
        language: An espeak code such as "ja", "" where nobody knows.
        table: Which shape each sound has; a character may have its own.
        late: Where known, closures that should have been drawn before are drawn as soon as they can be.
    """

    def __init__(
        self,
        phones: Sequence[Phone],
        samples: Samples,
        sample_rate: int,
        *,
        language: str = "",
        table: Table = visemes.TABLE_OF_ASSETS,
        late: Late | None = None,
    ) -> None:
        if sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, got {sample_rate!r}")
        sound = np.nan_to_num(np.asarray(samples, dtype=np.float32).reshape(-1))
        self._table = table
        self._late = late
        segments = segments_of(phones, language, table)
        spoken_end_s = max((s.end_s for s in segments), default=0.0)
        self.duration_s = len(sound) / sample_rate if len(sound) else spoken_end_s
        self._start_s = -LEAD_S - 0.05
        count = math.ceil((self.duration_s + TAIL_S + 0.05 - self._start_s) / STEP_S) + 1
        self._time = self._start_s + STEP_S * np.arange(count)
        self._loudness = self._relative_loudness(sound, sample_rate)

        segments = self._without_silent_runs(segments)
        self._segments = segments
        voiced = [s for s in segments if s.viseme is not None]
        gains = self._gains(voiced)
        self._open = self._blend(voiced, gains)
        self._apply_sibilants_and_floor(voiced)
        self._shut, self._near, self._loose = self._closures(segments)
        share = 1.0 - self._pauses(segments)
        self._leader[share < 0.5] = -1  # a pause: the last of `_led_by`
        wide = share[:, None]
        if self._loudness is not None:
            width = int(ENVELOPE_WINDOW_S / STEP_S) | 1
            smooth = np.convolve(self._loudness, np.full(width, 1.0 / width), mode="same")
            follows = np.interp(smooth, (0.0, ENVELOPE_FULL), (ENVELOPE_SHARE, 0.0))
            wide = wide * (1.0 - follows[:, None] * _OPEN_CHANNELS)  # lips stay as round or as wide as they are
        self._open = response.scaled(self._open, wide)
        self._energy, self._nod = self._body(voiced, gains)

    # What the mouth looks like

    def at(self, time_s: float, frame_s: float = 1 / 30) -> Mouth:
        """Six parameters in MOUTH_NAMES order at `time_s` from the clip's first sample, for a frame of `frame_s`.

        float32, shape (6,), in [0, 1], sum at most 1.2; zeros outside [-0.2 s, duration + 0.4 s]. A closure that falls
        anywhere into the frame's share of time is drawn, so none is lost between two frames.
        """
        if not -LEAD_S <= time_s <= self.duration_s + TAIL_S:
            return np.zeros(6, dtype=np.float32)
        mouth = self._sample(self._open, time_s)
        for level, viseme in ((self._loose, self._table.classes["BV"]), (self._near, self._table.classes["FF"])):
            gate = self._gate(level, viseme.gate, time_s, frame_s)
            if gate > 0.0:
                own = np.array(viseme.weights, dtype=np.float32) * np.float32(gate / viseme.gate)
                mouth = mouth * np.float32(1.0 - gate) + own  # what is left of the vowel falls below its dead zone
        gate = self._gate(self._shut, 1.0, time_s, frame_s)
        if gate > 0.0:
            mouth = response.scaled(mouth, 1.0 - gate)
        return response.limited(mouth)

    def closure(self, time_s: float, frame_s: float = 1 / 30) -> float:
        """How far p b m hold the lips shut in this frame, in [0, 1]; 1 is shut."""
        return self._gate(self._shut, 1.0, time_s, frame_s)

    def viseme(self, time_s: float, frame_s: float = 1 / 30) -> Viseme:
        """The shape that rules the mouth in this frame: a closure at half its gate, else the sound that pulls most.

        SILENCE where a pause has closed the mouth by half, and outside the clip.
        """
        if not -LEAD_S <= time_s <= self.duration_s + TAIL_S:
            return visemes.SILENCE
        for level, viseme in ((self._shut, "PP"), (self._near, "FF"), (self._loose, "BV")):
            gate = self._table.classes[viseme].gate
            if self._gate(level, gate, time_s, frame_s) >= gate / 2:
                return self._table.classes[viseme]
        i = min(max(round((time_s - self._start_s) / STEP_S), 0), len(self._time) - 1)
        return self._led_by[int(self._leader[i])]

    def energy(self, time_s: float) -> float:
        """Liveliness of the speech around `time_s`, in [0, 1], slow (about a third of a second)."""
        return float(self._sample(self._energy, time_s))

    def nod(self, time_s: float) -> float:
        """How far a nod that goes with a stressed word has come, in [0, 1]."""
        return float(self._sample(self._nod, time_s))

    def _sample(self, curve: Grid, time_s: float) -> Grid:
        place = min(max((time_s - self._start_s) / STEP_S, 0.0), len(self._time) - 1.000001)
        i = int(place)
        share = np.float32(place - i)
        return np.asarray(curve[i] * (1 - share) + curve[i + 1] * share, dtype=np.float32)

    def _gate(self, curve: Grid, full: float, time_s: float, frame_s: float) -> float:
        """The gate's level at `time_s`, or its full level if that is reached anywhere in the frame's share of time."""
        low = (time_s - frame_s / 2 - self._start_s) / STEP_S
        high = (time_s + frame_s / 2 - self._start_s) / STEP_S
        span = curve[max(math.floor(low + 0.5), 0) : max(math.floor(high + 0.5), 0) + 1]
        if len(span) and float(span.max()) >= full - 1e-3:
            return full
        return min(float(self._sample(curve, time_s)), full)

    # How the curves come about

    def _relative_loudness(self, sound: Samples, sample_rate: int) -> npt.NDArray[np.float64] | None:
        """RMS around each grid point relative to the clip's loud parts; None where the sound says nothing."""
        if not len(sound) or float(np.abs(sound).max()) < NO_SOUND:
            return None
        total = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
        half = LOUDNESS_WINDOW_S / 2
        low = np.clip(((self._time - half) * sample_rate).astype(np.int64), 0, len(sound))
        high = np.clip(((self._time + half) * sample_rate).astype(np.int64), 0, len(sound))
        rms = np.sqrt(np.maximum(total[high] - total[low], 0.0) / max(1.0, LOUDNESS_WINDOW_S * sample_rate))
        within = (self._time >= 0) & (self._time <= self.duration_s)
        loud = np.percentile(rms[within], LOUD_PERCENTILE) if within.any() else 0.0
        return np.asarray(rms / max(float(loud), NO_SOUND))

    def _mean_loudness(self, start_s: float, end_s: float) -> float:
        if self._loudness is None:
            return 1.0
        first = int((start_s - self._start_s) / STEP_S)
        last = max(first + 1, int((end_s - self._start_s) / STEP_S) + 1)
        return float(self._loudness[max(first, 0) : last].mean()) if first < len(self._loudness) else 0.0

    def _loudest(self, start_s: float, end_s: float) -> float:
        if self._loudness is None:
            return 1.0
        first, last = (round((edge - self._start_s) / STEP_S) for edge in (start_s, end_s))
        return float(self._loudness[max(first, 0) : last + 1].max(initial=0.0))

    def _release_near(self, label_s: float, within_s: tuple[float, float]) -> float | None:
        """Where the sound bursts out of a closure near `label_s`, within the two bounds from it; None if nowhere."""
        if self._loudness is None:
            return None
        closed, burst = round(CLOSED_FOR_S / STEP_S), round(BURST_S / STEP_S)
        reach = round(RELEASE_SEARCH_S / STEP_S)
        root = np.sqrt(self._loudness)
        middle = round((label_s - self._start_s) / STEP_S)
        best: tuple[float, int] | None = None
        first, last = (middle + round(bound_s / STEP_S) for bound_s in within_s)
        for i in range(max(first, closed), min(last + 1, len(self._loudness) - burst)):
            quiet = float(root[i - closed : i].mean())
            rise = float(np.minimum(root[i + 1 : i + 1 + burst], BURST_CAP).mean()) - quiet
            score = rise - RELEASE_PULL * abs(i - middle) / reach
            if quiet <= CLOSED_LOUDNESS and rise >= BURST_RISE and (best is None or score > best[0]):
                best = score, i
        return None if best is None else float(self._time[best[1]])

    def _without_silent_runs(self, segments: list[Segment]) -> list[Segment]:
        """Cut true silence out of sounds: an aligner that knows only onsets lets sounds last through pauses."""
        if self._loudness is None:
            return segments
        width = int(SILENCE_WINDOW_S / STEP_S) | 1
        smooth = np.convolve(self._loudness, np.full(width, 1.0 / width), mode="same")
        within = (self._time >= 0) & (self._time <= self.duration_s)
        floor = float(np.percentile(self._loudness[within], FLOOR_PERCENTILE))
        most = min(max(SILENT, SILENT_OVER_FLOOR * floor), MOST_SILENT)
        silent = np.concatenate([[0], (smooth < most).astype(np.int8), [0]])
        edges = np.flatnonzero(np.diff(silent))
        runs = [
            (float(self._time[a]), float(self._time[min(b, len(self._time) - 1)]))
            for a, b in zip(edges[::2], edges[1::2], strict=True)
            if (b - a) * STEP_S >= SILENT_RUN_S
        ]
        for start_s, end_s in runs:
            kept: list[Segment] = []
            for segment in segments:
                is_within = start_s <= segment.start_s and segment.end_s <= end_s
                is_apart = segment.end_s <= start_s or segment.start_s >= end_s
                # A p within silence may well be right: lips that are shut make none.
                if segment.viseme is None or is_apart or (segment.plosive and is_within):
                    kept.append(segment)
                    continue
                if segment.start_s < start_s:
                    kept.append(replace(segment, end_s=start_s))
                kept.append(Segment(None, max(start_s, segment.start_s), min(end_s, segment.end_s)))
                if segment.end_s > end_s:
                    kept.append(replace(segment, start_s=end_s))
            segments = kept
        return segments

    def _gains(self, voiced: list[Segment]) -> npt.NDArray[np.float64]:
        """Jaw and lip gain of each segment, shape (n, 2)."""
        gains = np.ones((len(voiced), 2))
        vowels = [i for i, s in enumerate(voiced) if s.has("vowel")]
        if not vowels:
            return gains
        loudness = np.array([self._mean_loudness(voiced[i].start_s, voiced[i].end_s) for i in vowels])
        loudness = loudness / max(float(np.percentile(loudness, LOUD_PERCENTILE)), 1e-6)
        stress_is_known = any(s.stress for s in voiced)
        nuclei = sum(1 for i in vowels if voiced[i].gain == 1.0)
        speech_s = max(sum(s.length_s for s in voiced), 1e-3)
        tempo = float(np.interp(nuclei / speech_s, FAST_SYLLABLES_HZ, (1.0, FAST_GAIN))) if speech_s > 0.5 else 1.0
        for i, loud in zip(vowels, loudness, strict=True):
            segment = voiced[i]
            stress = 1.0
            if stress_is_known and segment.viseme is not self._table.classes["schwa"]:  # which is weak as it is
                stress = {"ˈ": PRIMARY_STRESS, "ˌ": SECONDARY_STRESS}.get(segment.stress, UNSTRESSED)
            length = float(np.interp(segment.length_s, SHORT_VOWEL_S, (SHORT_VOWEL_GAIN, 1.0)))
            common = segment.gain * min(length, tempo)
            jaw = float(np.clip(JAW_BASE + JAW_LOUD * loud, *JAW_BOUNDS)) * stress * common
            lip = float(np.clip(LIP_BASE + LIP_LOUD * loud, *LIP_BOUNDS)) * math.sqrt(stress * common)
            gains[i] = np.clip(jaw, *GAIN_BOUNDS), np.clip(lip, *GAIN_BOUNDS)
        return gains

    def _blend(self, voiced: list[Segment], gains: npt.NDArray[np.float64]) -> Grid:
        """Parameters over the grid, float32 (t, 6). Gated sounds take no part: their gate shapes them."""
        targets, alpha, first, last, before, after, wall_before, wall_after = [], [], [], [], [], [], [], []
        edge_before, edge_after = [], []
        self._led_by: list[Viseme] = []
        self._leader: npt.NDArray[np.int64] = np.full(len(self._time), -1, dtype=np.int64)
        walls = [(s.start_s + s.end_s) / 2 - AHEAD_S for s in voiced if s.viseme is not None and s.viseme.gate]
        for i, segment in enumerate(voiced):
            viseme = segment.viseme
            if viseme is None or viseme.gate:
                continue
            jaw, lip = gains[i]
            opening = response.openings(viseme.weights) * (jaw * _OPEN_CHANNELS + lip * (1 - _OPEN_CHANNELS))
            targets.append(opening)
            self._led_by.append(viseme)
            share = SUSTAIN_SHARE if segment.has("vowel") else 1.0
            start_s = segment.start_s
            lips_end_s = max((s.end_s for s in voiced[:i] if s.has_lips), default=-10.0)
            if segment.has("lip_heavy"):
                start_s -= LIP_HEAVY_LEAD_S
                reach_s = start_s
                for earlier in reversed(voiced[:i]):
                    if not (earlier.has("tongue") or earlier.has("sibilant")) or reach_s - earlier.end_s > LONG_PAUSE_S:
                        break
                    reach_s = earlier.start_s
                start_s = max(min(start_s, reach_s), segment.start_s - LIP_HEAVY_REACH_S + viseme.anticipation_s)
                start_s = max(min(start_s, segment.start_s - LIP_HEAVY_LEAD_S), min(lips_end_s, segment.start_s))
            wall_before.append(max((w for w in walls if w < segment.start_s), default=-10.0))
            wall_after.append(min((w for w in walls if w >= segment.end_s - AHEAD_S), default=1e6))
            edge_before.append(lips_end_s - AHEAD_S)
            edge_after.append(min((s.start_s for s in voiced[i + 1 :] if s.has_lips), default=1e6) - AHEAD_S)
            alpha.append(viseme.dominance)
            first.append(start_s - AHEAD_S)
            last.append(max(segment.start_s + share * segment.length_s - AHEAD_S, start_s - AHEAD_S))
            before.append(viseme.anticipation_s)
            after.append(viseme.carry_s)
        self._led_by.append(visemes.SILENCE)
        if not targets:
            return np.zeros((len(self._time), 6), dtype=np.float32)
        time = self._time[:, None].astype(np.float32)
        early = _distance(np.array(first) - time, np.array(edge_before) - time, np.array(before))
        late = _distance(time - np.array(last), time - np.array(edge_after), np.array(after))
        dominance = np.array(alpha, dtype=np.float32) * np.exp(-np.power(early + late, np.float32(FALL_OFF)))
        beyond = (time < np.array(wall_before, dtype=np.float32)) | (time > np.array(wall_after, dtype=np.float32))
        dominance[beyond] *= np.float32(BARRIER)
        self._leader = dominance.argmax(axis=1)
        dominance = np.power(dominance, np.float32(SHARPNESS))
        weight = dominance.sum(axis=1, keepdims=True) + np.float32(REST_DOMINANCE)
        # Mixed as openings: half of one shape and half of another would both drown in the parameters' dead zones.
        return response.parameters(dominance @ np.array(targets, dtype=np.float32) / weight)

    def _window(self, start_s: float, end_s: float, rise_s: float, fall_s: float) -> tuple[slice, Grid]:
        """A smooth 0-1-0 bump: 1 from start to end, rising before and falling after; with the grid slice it covers."""
        low = max(0, math.floor((start_s - rise_s - self._start_s) / STEP_S))
        high = min(len(self._time), math.ceil((end_s + fall_s - self._start_s) / STEP_S) + 1)
        where = slice(low, max(low, high))
        time = self._time[where]
        rise = _smoothstep((time - (start_s - rise_s)) / rise_s)
        fall = _smoothstep((end_s + fall_s - time) / fall_s)
        return where, np.minimum(rise, fall).astype(np.float32)

    def _apply_sibilants_and_floor(self, voiced: list[Segment]) -> None:
        for segment in voiced:
            start_s, end_s = segment.start_s - AHEAD_S, segment.end_s - AHEAD_S
            if segment.has("sibilant"):
                where, bump = self._window(start_s, end_s, CAP_RAMP_S, CAP_RAMP_S)
                jaw = self._open[where][:, _JAW]
                self._open[where, _JAW] = jaw + bump[:, None] * (np.minimum(jaw, SIBILANT_CAP) - jaw)
            elif segment.has("tongue"):
                where, bump = self._window(start_s, end_s, CAP_RAMP_S, CAP_RAMP_S)
                missing = np.maximum(0, JAW_FLOOR - response.area(self._open[where])) / JAW_FLOOR
                self._open[where, _EEE] = np.maximum(self._open[where, _EEE], bump * missing * _EEE_AT_FLOOR)

    def _pauses(self, segments: list[Segment]) -> Grid:
        """How far silence closes the mouth, over the grid, in [0, 1]."""
        far_s = self.duration_s + TAIL_S + 1.0
        spans: list[tuple[float, float]] = [(-1.0, segments[0].start_s)] if segments else [(-1.0, far_s)]
        for segment in segments:
            if segment.viseme is None:
                if spans and segment.start_s - spans[-1][1] <= STEP_S:
                    spans[-1] = (spans[-1][0], segment.end_s)
                else:
                    spans.append((segment.start_s, segment.end_s))
        if segments:
            if segments[-1].end_s - spans[-1][1] <= STEP_S:
                spans[-1] = (spans[-1][0], far_s)
            else:
                spans.append((segments[-1].end_s, far_s))
        level = np.zeros(len(self._time), dtype=np.float32)
        for start_s, end_s in spans:
            length_s = end_s - start_s
            if length_s >= LONG_PAUSE_S:
                shut_s, open_s, open_ramp_s = start_s - AHEAD_S, end_s - AHEAD_S, PAUSE_OPEN_S
                if first_hold := self._hold_at(end_s):  # lips that are at rest stay shut until the p is released
                    open_s, open_ramp_s = first_hold[1], OPEN_INTO_HOLD_S
                if last_hold := self._hold_at(start_s - 2 * STEP_S):  # and do not pop open after the last p
                    shut_s = min(shut_s, last_hold[1] - PAUSE_CLOSE_S)
                closing = _smoothstep((self._time - shut_s) / PAUSE_CLOSE_S)
                opening = _smoothstep((open_s - self._time) / open_ramp_s)
                pause = np.minimum(closing, opening).astype(np.float32)
                level = np.maximum(level, pause)
                continue
            quiet = 1.0
            if self._loudness is not None:
                quiet = float(np.interp(self._mean_loudness(start_s, end_s), (QUIET, AUDIBLE), (1.0, 0.0)))
            ramp_s = min(SHORT_PAUSE_RAMP_S, length_s / 2)
            where, bump = self._window(start_s + ramp_s - AHEAD_S, end_s - ramp_s - AHEAD_S, 2 * ramp_s, 2 * ramp_s)
            level[where] = np.maximum(level[where], bump * np.float32((1.0 - SHORT_PAUSE_KEEP) * quiet))
        return level

    def _hold_at(self, time_s: float) -> tuple[float, float] | None:
        """The lip closure whose sound covers `time_s`, with its hold."""
        segment = next((s for s in self._segments if s.has("closure") and s.start_s <= time_s < s.end_s), None)
        if segment is None:
            return None
        return next(
            ((a, b) for a, b in self._shut_holds if a < segment.end_s and b > segment.start_s - MIN_HOLD_S), None
        )

    def _holds(self, segments: list[Segment], kind: str, name: str | None = None) -> Iterator[tuple[float, float]]:
        """Spans in which the lips of this kind are held, merged where they are close to each other."""
        holds: list[tuple[float, float, int]] = []
        for i, segment in enumerate(segments):
            if not segment.has(kind) or (name is not None and segment.viseme is not self._table.classes[name]):
                continue
            shut_s, open_s = segment.start_s - AHEAD_S, segment.end_s - AHEAD_S
            if segment.plosive:
                shut_s, open_s = self._plosive_hold(segment, segments[i - 1].length_s if i else 0.0)
            if open_s - shut_s < MIN_HOLD_S:
                shut_s = min(shut_s, max(open_s - MIN_HOLD_S, shut_s - MIN_HOLD_S / 3))
                open_s = max(open_s, shut_s + MIN_HOLD_S)
            late = self._late
            if late is not None and segment.start_s >= late.from_s - STEP_S and open_s < late.drawn_s + LATE_HOLD_S:
                open_s = late.drawn_s + LATE_HOLD_S
                shut_s = min(max(shut_s, late.drawn_s + LATE_CLOSE_S), open_s - MIN_HOLD_S)
            if holds:
                between = segments[holds[-1][2] + 1 : i]
                limit_s = MERGE_OVER_VOWEL_S if any(s.has("vowel") for s in between) else MERGE_CLOSURES_S
                if not between or shut_s - holds[-1][1] < limit_s:
                    holds[-1] = (holds[-1][0], max(open_s, holds[-1][1]), i)
                    continue
            holds.append((shut_s, open_s, i))
        for shut_s, open_s, _ in holds:
            yield shut_s, open_s

    def _plosive_hold(self, segment: Segment, before_s: float) -> tuple[float, float]:
        """When p or b hold the lips, `before_s` the length of the sound before: until the burst that is heard."""
        pull_s = float(np.clip(before_s / 2, *PLOSIVE_PULL_S))
        label_s = segment.released_s
        shut_s = segment.start_s - pull_s
        open_s = label_s + min(PLOSIVE_HOLD_SHARE * (segment.end_s - label_s), PLOSIVE_HOLD_S)
        within_s = (
            -min(max(before_s, RELEASE_EARLY_S), RELEASE_SEARCH_S),
            min(segment.end_s - label_s, RELEASE_SEARCH_S),
        )
        release_s = self._release_near(label_s, within_s)
        if release_s is not None:
            early_s, late_s = sorted((release_s, label_s))
            if self._loudest(early_s, late_s) <= CLOSED_LOUDNESS**2:  # shut at the label too: from one to the other
                shut_s = min(shut_s, early_s - pull_s)
                open_s = max(min(late_s, label_s + PLOSIVE_HOLD_S), early_s)
            else:
                moved_s = release_s - pull_s
                shut_s = moved_s if label_s == segment.start_s else min(shut_s, moved_s)
                open_s = max(release_s, label_s - RELEASE_EARLY_S)
        return shut_s, max(open_s, min(self._silent_until(open_s), segment.end_s, label_s + LONGEST_HOLD_S))

    def _silent_until(self, start_s: float) -> float:
        """Until when nothing is heard from `start_s` on; `start_s` itself where something is."""
        if self._loudness is None:
            return start_s
        first = max(round((start_s - self._start_s) / STEP_S), 0)
        sounding = np.flatnonzero(self._loudness[first:] > VOICELESS)
        return start_s + float(sounding[0]) * STEP_S if len(sounding) else start_s

    def _closures(self, segments: list[Segment]) -> tuple[Grid, Grid, Grid]:
        """Gate curves of p b m, of f v, and of β ɸ ʋ, each over the grid, in [0, gate]."""
        curves = []
        self._shut_holds = list(self._holds(segments, "closure", "PP"))
        for kind, name in (("closure", "PP"), ("near", "FF"), ("near", "BV")):
            level = np.zeros(len(self._time), dtype=np.float32)
            gate = np.float32(self._table.classes[name].gate)
            for shut_s, open_s in self._holds(segments, kind, name):
                where, bump = self._window(shut_s, open_s, CLOSE_S, RELEASE_S)
                level[where] = np.maximum(level[where], gate * bump)
            curves.append(level)
        return curves[0], curves[1], curves[2]

    def _body(self, voiced: list[Segment], gains: npt.NDArray[np.float64]) -> tuple[Grid, Grid]:
        """Slow energy and nods over the grid, each in [0, 1]."""
        count = len(self._time)
        if not voiced:
            return np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
        loudness = np.zeros(count)
        for segment in voiced:
            first, last = (int((edge - self._start_s) / STEP_S) for edge in (segment.start_s, segment.end_s))
            loudness[first : last + 1] = 1.0
        if self._loudness is not None:
            loudness *= np.clip(self._loudness, 0.0, 1.0)
        width = int(ENERGY_SMOOTH_S / STEP_S) | 1
        kernel = np.hanning(width + 2)[1:-1]
        energy = np.convolve(loudness, kernel / kernel.sum(), mode="full")[width // 2 :][:count]
        beats = np.zeros(count)
        for segment, (jaw, _) in zip(voiced, gains, strict=True):
            if segment.has("vowel") and segment.stress == "ˈ":
                middle = int(((segment.start_s + segment.end_s) / 2 - self._start_s) / STEP_S)
                beats[min(middle, count - 1)] += max(0.0, float(jaw) - NOD_FROM_JAW) / (GAIN_BOUNDS[1] - NOD_FROM_JAW)
        half = int(NOD_S / STEP_S / 2)
        nod = np.tanh(np.convolve(beats, np.hanning(2 * half + 3)[1:-1], mode="full")[half : half + count])
        # A clip that is cut into the next must not leave a step: both start and end at rest.
        edge = _smoothstep((self._time + LEAD_S) / LEAD_S)
        edge *= _smoothstep((self.duration_s + TAIL_S - self._time) / TAIL_S)
        return (np.clip(1.5 * energy, 0, 1) * edge).astype(np.float32), (nod * edge).astype(np.float32)
