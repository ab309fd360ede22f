"""All utterances of the packs as one long tape of sound and labels on the training device; batches are cut from it.

Labels lie in cells of 2.5 ms (40 samples), four to a frame of the model, so that a boundary inside a frame teaches a
mixture and speed can be changed by reading sound and labels at another pace.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from animator.lipsync import phone_features as features
from animator.lipsync.inventory import PHONES, PLOSIVES, SILENCE, tokens_of
from animator.lipsync.training.network import Shape

CELL = 40
"""Samples to a label: 2.5 ms."""
CELLS_A_FRAME = features.HOP // CELL
IGNORE = 255
"""A cell whose sound is known but whose class is not (where two sounds of one espeak segment meet)."""
BLUR = 0.2
"""Share of such a segment's sounds, on either side of where they meet, that teaches nothing."""
SHORT_PAUSE_S = 0.06
"""A shorter pause between two sounds teaches nothing: Piper gives every word gap some time, heard or not."""
MOST_LEAD = 0.5
"""A plosive's closure takes at most this share of the sound before it."""
GUARD = 40
"""Zeros between utterances, so that no resampling filter reads a neighbour."""

SPEED_SHARE = 0.6
SPEEDS = (0.8, 1.25)
LONG_PAUSE_SHARE = 0.4
PAUSES_S = ((0.0, 0.3), (0.3, 1.5))
SEGMENTS = 6
"""Most utterances that one item of a batch is cut from."""
TAPS = 16

ENGINE_WEIGHTS = {"piper": 1.0, "kokoro": 1.0, "espeak": 0.45}
OTHER_ENGINE_WEIGHT = 0.5
"""Share of the batches an engine gets per square root of its hours: espeak's formants are far from any voice."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled recording. `samples` is int16 at 16 kHz; `phones` are (ipa, start_s, end_s)."""

    samples: npt.NDArray[np.int16]
    phones: Sequence[tuple[str, float, float]]
    voice: str
    engine: str
    language: str
    split: str
    plosive_lead_s: Mapping[str, float]
    """How late the engine labels a plosive, by base letter (`training.pack`)."""


def with_closures(
    phones: Sequence[tuple[str, float, float]], plosive_lead_s: Mapping[str, float]
) -> list[tuple[str, float, float]]:
    """Move the starts of plosives earlier by `plosive_lead_s`, to their closures; what comes before gives way.

    An affricate takes its first letter's time.
    """
    moved: list[tuple[str, float, float]] = []
    for ipa, start_s, end_s in phones:
        tokens = tokens_of(ipa)
        phone = PHONES[tokens[0]] if tokens else ""
        lead_s = plosive_lead_s.get(phone, plosive_lead_s.get(phone[:1], 0.0)) if phone in PLOSIVES else 0.0
        if lead_s:
            if moved and moved[-1][2] > start_s - lead_s:
                before_ipa, before_start_s, before_end_s = moved[-1]
                lead_s = min(lead_s, MOST_LEAD * (before_end_s - before_start_s) + start_s - before_end_s)
                moved[-1] = (before_ipa, before_start_s, min(before_end_s, start_s - lead_s))
            start_s = max(start_s - lead_s, 0.0)
        moved.append((ipa, start_s, end_s))
    return moved


def label_cells(
    phones: Iterable[tuple[str, float, float]], cells: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The class of every cell, uint8 (cells,), and how many phones have started up to its end, int32 (cells,)."""
    labels = np.full(cells, SILENCE, np.uint8)
    starts = np.zeros(cells, np.int32)
    cell_s = CELL / features.SAMPLE_RATE
    spoken_s: float | None = None
    for ipa, start_s, end_s in phones:
        tokens = tokens_of(ipa)
        first, last = (min(max(round(t / cell_s), 0), cells) for t in (start_s, end_s))
        if tokens:
            if spoken_s is not None and 0 < start_s - spoken_s < SHORT_PAUSE_S:
                labels[round(spoken_s / cell_s) : first] = IGNORE
            spoken_s = end_s
        if not tokens or last <= first:
            continue
        starts[first] += 1
        edges = np.linspace(first, last, len(tokens) + 1)
        blur = BLUR * (last - first) / len(tokens)
        for token, low, high in zip(tokens, edges[:-1], edges[1:], strict=True):
            labels[round(low) : round(high)] = token
            if low > first:
                labels[round(low - blur) : round(low + blur)] = IGNORE
    return labels, np.cumsum(starts, dtype=np.int32)


_Source = Callable[[Tensor], tuple[Tensor, Tensor]]


class Batch(NamedTuple):
    """Cut from the tape. The network's T frames lie behind `left` and before `right` frames of context."""

    sound: Tensor
    """float32 (items, samples)."""
    is_speech: Tensor
    """bool (items, samples)."""
    labels: Tensor
    """int64 (items, T, 4): class of each quarter of a frame, or IGNORE."""
    onsets: Tensor
    """bool (items, T): whether a phone starts within the frame."""


class Reel:
    """The training part of all packs on one device."""

    def __init__(self, utterances: Sequence[Utterance], device: torch.device, seed: int) -> None:
        if not utterances:
            raise ValueError("got no utterances to train on; expected packs with the split 'train'")
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)
        sounds: list[npt.NDArray[np.int16]] = []
        labels: list[npt.NDArray[np.uint8]] = []
        starts: list[npt.NDArray[np.int32]] = []
        offsets: list[int] = []
        at = 0
        for utterance in utterances:
            cells = len(utterance.samples) // CELL
            offsets.append(at + GUARD)
            sounds += [np.zeros(GUARD, np.int16), utterance.samples[: cells * CELL]]
            label, start = label_cells(with_closures(utterance.phones, utterance.plosive_lead_s), cells)
            labels += [np.zeros(GUARD // CELL, np.uint8), label]
            starts += [np.zeros(GUARD // CELL, np.int32), start]
            at += GUARD + cells * CELL
        sounds.append(np.zeros(2 * TAPS + CELL, np.int16))
        labels.append(np.zeros(1 + TAPS, np.uint8))
        starts.append(np.zeros(1 + TAPS, np.int32))
        self.sound = torch.from_numpy(np.concatenate(sounds)).to(device)
        self.labels = torch.from_numpy(np.concatenate(labels)).to(device)
        self.starts = torch.from_numpy(np.concatenate(starts)).to(device)
        self.offsets = torch.tensor(offsets, device=device)
        self.lengths = torch.tensor([len(u.samples) // CELL * CELL for u in utterances], device=device)
        self.weights = torch.from_numpy(_weights(utterances)).to(device)
        self.seconds = at / features.SAMPLE_RATE
        self.class_weights = self._class_weights()

    def _class_weights(self) -> Tensor:
        """Rare sounds count more, by the cube root of how rare they are, within [0.5, 3]."""
        of_cell = torch.zeros(len(self.labels), device=self.device)
        per_cell = self.weights / self.lengths
        for offset, length, weight in zip(self.offsets.tolist(), self.lengths.tolist(), per_cell.tolist(), strict=True):
            of_cell[offset // CELL : (offset + length) // CELL] = weight
        share = torch.zeros(256, device=self.device).index_add_(0, self.labels.long(), of_cell)[: len(PHONES)]
        share = share / share.sum()
        typical = share[1:][share[1:] > 0].median()
        return (typical / share.clamp(min=1e-7)).pow(1 / 3).clamp(0.5, 3.0)

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, device=self.device, generator=self.generator)

    def batch(self, items: int, frames: int, shape: Shape) -> Batch:
        """Cut `items` stretches of `frames` frames (and the context they need), each from several utterances."""
        hop = features.HOP
        length = (shape.left + frames + shape.right - 1) * hop + features.WINDOW
        speed = torch.exp(self._uniform(math.log(SPEEDS[0]), math.log(SPEEDS[1]), items, 1))
        speed = torch.where(self._uniform(0, 1, items, 1) < SPEED_SHARE, speed, 1.0)
        picks = torch.multinomial(self.weights, items * SEGMENTS, replacement=True, generator=self.generator)
        picks = picks.view(items, SEGMENTS)
        offsets, lengths = self.offsets[picks], self.lengths[picks].clone()
        # The first utterance is entered anywhere, so that every place of it is heard and starts are not special.
        skipped = (self._uniform(0, 1, items) * lengths[:, 0] / CELL).long() * CELL
        offsets[:, 0] += skipped
        lengths[:, 0] -= skipped
        pauses_s = torch.where(
            self._uniform(0, 1, items, SEGMENTS) < LONG_PAUSE_SHARE,
            self._uniform(*PAUSES_S[1], items, SEGMENTS),
            self._uniform(*PAUSES_S[0], items, SEGMENTS),
        )
        pauses_s[:, 0] *= self._uniform(0, 1, items) < 0.3
        pauses = (pauses_s * features.SAMPLE_RATE / CELL).long() * CELL
        ends = torch.cumsum(pauses + lengths, 1)
        begins = ends - lengths

        def source(place: Tensor) -> tuple[Tensor, Tensor]:
            """Where on the tape a place of the item lies, and whether it lies in an utterance."""
            at, inside = torch.zeros_like(place), torch.zeros_like(place, dtype=torch.bool)
            for k in range(SEGMENTS):
                here = (place >= begins[:, k : k + 1]) & (place < ends[:, k : k + 1])
                at = torch.where(here, place - begins[:, k : k + 1] + offsets[:, k : k + 1], at)
                inside |= here
            return at, inside

        # In double precision: a tape of hours has more samples than single precision tells apart.
        place = torch.arange(length, device=self.device, dtype=torch.float64) * speed
        at, inside = source(place)
        whole = at.floor()
        fraction = (at - whole).float()
        base = whole.long()
        cutoff = torch.clamp(1 / speed, max=1.0)
        sound = torch.zeros(items, length, device=self.device)
        for tap in range(1 - TAPS // 2, TAPS // 2 + 1):
            distance = tap - fraction
            kernel = torch.sinc(distance * cutoff) * cutoff * torch.cos(distance * (math.pi / TAPS)).square()
            sound += self.sound[(base + tap).clamp(0, len(self.sound) - 1)].float() * kernel
        sound = sound * inside / 32768

        quarter = torch.arange(frames * CELLS_A_FRAME, device=self.device, dtype=torch.float64) + 0.5
        middle = features.REACH + shape.left * hop + quarter * CELL
        at, heard = source(middle * speed)
        labels = torch.where(heard, self.labels[(at / CELL).long()].long(), SILENCE)
        edge = features.REACH + shape.left * hop + torch.arange(frames, device=self.device, dtype=torch.float64) * hop
        onsets = self._started(source, edge * speed, (edge + hop) * speed)
        speech = torch.repeat_interleave(_speech(self.labels, at, heard), CELL, 1)
        is_speech = torch.zeros(items, length, dtype=torch.bool, device=self.device)
        first = features.REACH + shape.left * hop
        is_speech[:, first : first + speech.shape[1]] = speech
        return Batch(sound, is_speech, labels.view(items, frames, CELLS_A_FRAME), onsets)

    def _started(self, source: _Source, low: Tensor, high: Tensor) -> Tensor:
        """Whether a phone starts between two places; a phone that an utterance begins with starts there."""
        (low_at, low_in), (high_at, high_in) = source(low), source(high)
        before = self.starts[(low_at / CELL).long().clamp(min=1) - 1]
        after = self.starts[(high_at / CELL).long().clamp(min=1) - 1]
        same = low_in & (high_at > low_at) & (high_at - low_at < 4 * features.HOP)
        return torch.logical_and(high_in, after > torch.where(same, before, 0))


def _speech(labels: Tensor, at: Tensor, heard: Tensor) -> Tensor:
    found = labels[(at / CELL).long()]
    return heard & (found != SILENCE) & (found != IGNORE)


def _weights(utterances: Sequence[Utterance]) -> npt.NDArray[np.float32]:
    """Chance of each utterance: engines and languages by weight and root of hours, then voices, then seconds."""
    engine_s: Counter[tuple[str, str]] = Counter()
    voice_s: Counter[tuple[str, str, str]] = Counter()
    for u in utterances:
        engine_s[u.engine, u.language] += len(u.samples)  # in samples: only ratios count
        voice_s[u.engine, u.language, u.voice] += len(u.samples)
    roots: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (engine, language, _), samples in voice_s.items():
        roots[engine, language] += math.sqrt(samples)
    chances = []
    for u in utterances:
        group, voice = (u.engine, u.language), (u.engine, u.language, u.voice)
        weight = ENGINE_WEIGHTS.get(u.engine, OTHER_ENGINE_WEIGHT) * math.sqrt(engine_s[group])
        chances.append(weight * math.sqrt(voice_s[voice]) / roots[group] * len(u.samples) / voice_s[voice])
    weights = np.array(chances, np.float64)
    return np.asarray(weights / weights.sum(), np.float32)
