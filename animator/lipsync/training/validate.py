"""How well frame-wise log-probabilities tell what is said when: the figures of the model card. Pure NumPy.

The decoders here are the plainest that do the job; the product's own are in `animator.lipsync.align`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from animator.lipsync import visemes
from animator.lipsync.inventory import PHONES, SILENCE, tokens_of

HOP_S = 0.010
CLOSURES = frozenset(index for index, phone in enumerate(PHONES) if phone in {"p", "b", "m"})
CLOSURE_TOLERANCE_S = 0.040
SHAPES: tuple[str, ...] = tuple(visemes.classify(phone).name if phone else "SIL" for phone in PHONES)
SWITCH_PENALTY = 2.0
"""Log-probability that a change of class costs in free decoding, beside the bigram's own."""

LogProbs = npt.NDArray[np.float32]
Span = tuple[int, int, int]
"""Class, first frame, frame after its last."""


def decode(log_probs: LogProbs, bigram: LogProbs | None = None, switch_penalty: float = SWITCH_PENALTY) -> list[Span]:
    """The best path of classes: staying is free, a change costs. `bigram` is log p(class | class before)."""
    classes = log_probs.shape[1]
    change = np.full((classes, classes), -switch_penalty, np.float32)
    if bigram is not None:
        change = change + 0.5 * bigram
    np.fill_diagonal(change, 0.0)
    score = log_probs[0].copy()
    back = np.zeros(log_probs.shape, np.int16)
    for t in range(1, len(log_probs)):
        paths = score[:, None] + change
        back[t] = paths.argmax(0)
        score = paths[back[t], np.arange(classes)] + log_probs[t]
    path = np.empty(len(log_probs), np.int64)
    path[-1] = int(score.argmax())
    for t in range(len(log_probs) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    edges = np.flatnonzero(np.diff(path)) + 1
    bounds = [0, *edges.tolist(), len(path)]
    return [(int(path[a]), a, b) for a, b in pairwise(bounds)]


def align(log_probs: LogProbs, tokens: Sequence[int]) -> list[int] | None:
    """The first frame of each token on the best path through all of them, silence optional between any two.

    None where there are fewer frames than tokens.
    """
    if not tokens or len(log_probs) < len(tokens):
        return None
    states = np.full(2 * len(tokens) + 1, SILENCE)
    states[1::2] = tokens
    emitted = log_probs[:, states]
    may_skip = np.zeros(len(states), bool)
    may_skip[3::2] = True  # from a token to the next, past the silence between them
    score = np.full(len(states), -np.inf, np.float32)
    score[:2] = emitted[0, :2]
    back = np.zeros(emitted.shape, np.int8)
    for t in range(1, len(emitted)):
        step = np.concatenate([[-np.inf], score[:-1]])
        skip = np.where(may_skip, np.concatenate([[-np.inf, -np.inf], score[:-2]]), -np.inf)
        choices = np.stack([score, step, skip])
        back[t] = choices.argmax(0)
        score = choices.max(0) + emitted[t]
    state = len(states) - 1 if score[-1] > score[-2] else len(states) - 2
    onsets = [0] * len(tokens)
    for t in range(len(emitted) - 1, -1, -1):
        move = int(back[t, state]) if t else 0
        if state % 2 and (move or not t):
            onsets[state // 2] = t
        state -= move
    return onsets


def edit_distance(heard: Sequence[int], said: Sequence[int]) -> int:
    """Insertions, deletions and substitutions between two sequences (Levenshtein)."""
    row = np.arange(len(said) + 1)
    target = np.asarray(said, dtype=np.int64)
    for i, token in enumerate(heard, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (target != token))
        chained = np.concatenate([[i], best])
        offsets = np.arange(len(chained))
        row = np.minimum.accumulate(chained - offsets) + offsets
    return int(row[-1])


@dataclass
class Tally:
    """Counts of one test group; sums of several are sums of their fields."""

    utterances: int = 0
    seconds: float = 0.0
    frames: int = 0
    right: int = 0
    shape_right: int = 0
    said: int = 0
    edits: int = 0
    closures: int = 0
    closures_found: int = 0
    closures_heard: int = 0
    closures_heard_right: int = 0
    silent_frames: int = 0
    silent_wrong: int = 0
    errors_s: list[float] = field(default_factory=list)
    """Forced alignment's onset minus the stated one, of every token."""

    def add(self, other: Tally) -> None:
        """Sum `other` into this."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))

    def row(self) -> dict[str, float]:
        """The figures, shares in [0, 1], times in ms."""
        errors_ms = np.array(self.errors_s or [np.nan]) * 1000
        bias_ms = float(np.median(errors_ms))
        unbiased = np.abs(errors_ms - bias_ms)
        return {
            "utterances": self.utterances,
            "seconds": round(self.seconds, 1),
            "frame_accuracy": self.right / max(self.frames, 1),
            "viseme_accuracy": self.shape_right / max(self.frames, 1),
            "phone_error_rate": self.edits / max(self.said, 1),
            "closure_recall": self.closures_found / max(self.closures, 1),
            "closure_precision": self.closures_heard_right / max(self.closures_heard, 1),
            "silence_leak": self.silent_wrong / max(self.silent_frames, 1),
            "onset_bias_ms": bias_ms,
            "onset_median_ms": float(np.median(unbiased)),
            "onset_within_20": float(np.mean(unbiased <= 20)),
            "onset_within_40": float(np.mean(unbiased <= 40)),
        }


def measure(
    log_probs: LogProbs,
    phones: Sequence[tuple[str, float, float]],
    bigram: LogProbs | None = None,
    short_pause_s: float = 0.06,
) -> Tally:
    """Compare one utterance's log-probabilities with its phones (a gap or "" is a pause)."""
    middles = (np.arange(len(log_probs)) + 0.5) * HOP_S
    truth = np.full(len(log_probs), SILENCE)
    counted = np.ones(len(log_probs), bool)
    tokens: list[int] = []
    onsets_s: list[float] = []
    closures_s: list[tuple[float, float]] = []
    spoken_s: float | None = None
    for ipa, start_s, end_s in phones:
        found = tokens_of(ipa)
        if not found:
            continue
        if spoken_s is not None and 0 < start_s - spoken_s < short_pause_s:
            counted &= ~((middles >= spoken_s) & (middles < start_s))
        spoken_s = end_s
        edges_s = np.linspace(start_s, end_s, len(found) + 1)
        for token, low_s, high_s in zip(found, edges_s[:-1], edges_s[1:], strict=True):
            truth[(middles >= low_s) & (middles < high_s)] = token
            if token in CLOSURES:
                closures_s.append((low_s, high_s))
        if tokens and tokens[-1] == found[0] and len(found) == 1:
            continue  # the same sound twice cannot be told from a long one
        tokens += found
        # Only the first sound of a segment has a stated onset.
        onsets_s += [start_s, *[np.nan] * (len(found) - 1)]
    best = log_probs.argmax(1)
    shape = np.array(SHAPES)
    spans = decode(log_probs, bigram)
    heard = [token for token, _, _ in spans if token != SILENCE]
    heard_closures = [(a * HOP_S, b * HOP_S) for token, a, b in spans if token in CLOSURES]
    tally = Tally(
        utterances=1,
        seconds=len(log_probs) * HOP_S,
        frames=int(counted.sum()),
        right=int((best == truth)[counted].sum()),
        shape_right=int((shape[best] == shape[truth])[counted].sum()),
        said=len(tokens),
        edits=edit_distance(heard, tokens),
        closures=len(closures_s),
        closures_found=sum(_touched(c, heard_closures) for c in closures_s),
        closures_heard=len(heard_closures),
        closures_heard_right=sum(_touched(c, closures_s) for c in heard_closures),
        silent_frames=int((counted & (truth == SILENCE)).sum()),
        silent_wrong=int((counted & (truth == SILENCE) & (best != SILENCE)).sum()),
    )
    placed = align(log_probs, tokens)
    if placed is not None:
        errors_s = np.array(placed) * HOP_S - np.array(onsets_s)
        tally.errors_s = errors_s[np.isfinite(errors_s)].tolist()
    return tally


def _touched(span_s: tuple[float, float], others_s: Sequence[tuple[float, float]]) -> bool:
    low_s, high_s = span_s[0] - CLOSURE_TOLERANCE_S, span_s[1] + CLOSURE_TOLERANCE_S
    return any(a < high_s and b > low_s for a, b in others_s)


COLUMNS = (
    ("frame_accuracy", "frame"),
    ("viseme_accuracy", "viseme"),
    ("phone_error_rate", "PER"),
    ("closure_recall", "pbm rec"),
    ("closure_precision", "pbm prec"),
    ("silence_leak", "leak"),
    ("onset_bias_ms", "bias ms"),
    ("onset_median_ms", "med ms"),
    ("onset_within_20", "<=20"),
    ("onset_within_40", "<=40"),
)


def table(groups: dict[str, Tally]) -> str:
    """The figures of all groups as a Markdown table."""
    lines = [
        "| group | n | " + " | ".join(title for _, title in COLUMNS) + " |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for name, tally in groups.items():
        row = tally.row()
        cells = [f"{row[key]:.1f}" if key.endswith("_ms") else f"{100 * row[key]:.1f} %" for key, _ in COLUMNS]
        lines.append(f"| {name} | {tally.utterances} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
