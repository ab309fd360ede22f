"""Where each sound of a known text lies in a recording, and what is said where no text is known. Pure NumPy.

An acoustic model says, frame by frame, how likely each class is (log-probabilities). A `Lattice` says in which order
classes may follow one another; `Viterbi` finds the likeliest way through it, for a whole sound or as it comes in.

`text_lattice` holds the phones of a text, with optional pauses between words, optional skipping of a phone or a whole
word that was not said, and a filler at word gaps that takes up what was said but not written. `loop_lattice` holds any
phone after any other. Both know CTC models (`blank`) and frame-wise ones (`silence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
"""Log-probabilities, natural logarithm, float32, shape (frames, classes)."""
Indices = npt.NDArray[np.intp]

FLOOR = -16.0
"""What a class is worth at least per frame: one frame of a model's certainty must not decide a whole sentence."""
SKIP_PHONE = -10.0
"""Log-probability of a phone of the text that was not said."""
SKIP_FIRM = -40.0
"""The same for a firm one: it is left out with its word only, or where the sound leaves it no frame."""
SKIP_WORD = -5.0
"""Log-probability of leaving out a word, on top of SKIP_WORD_PHONE for each of its phones."""
SKIP_WORD_PHONE = -2.5
FILLER = -3.0
"""What sound that belongs to no word of the text costs per frame, below the likeliest class."""
FILLER_PEAK = -8.0
"""The same for a CTC model, where a phone has one frame or two."""
PAUSE = -0.7
"""Log-probability of a pause at a word gap; without it a frame of silence in a plosive becomes one."""
BIGRAM = 0.5
"""How much a model's table of pairs counts beside its ears."""
CHANGE = -2.0
"""Log-probability that one phone follows another in a free decode: keeps it from flickering."""
NEVER = np.float32(-1e30)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a model marks that no phone is there.

    Exactly one of `blank` (CTC: between any two phones) and `silence` (frame-wise: in pauses only) is a class.
    `min_frames` is how long a phone of a frame-wise model lasts at least.
    """

    blank: int | None = None
    silence: int | None = None
    min_frames: int = 2

    def __post_init__(self) -> None:
        if (self.blank is None) == (self.silence is None):
            raise ValueError(f"a model has either a blank or a silence, got {self.blank!r} and {self.silence!r}")

    @property
    def rest(self) -> int:
        """The class of no phone."""
        if self.blank is not None:
            return self.blank
        assert self.silence is not None
        return self.silence

    @property
    def filler(self) -> float:
        """What a frame of unwritten sound costs."""
        return FILLER if self.blank is None else FILLER_PEAK


@dataclass(frozen=True, slots=True)
class Target:
    """What was said, as a model's classes.

    `classes` holds for each phone the classes that may stand for it (the likeliest counts); `words` the number of the
    word that each phone belongs to, in order; `firm` the places of phones that are not left out of a word that is said.
    """

    classes: tuple[tuple[int, ...], ...]
    words: tuple[int, ...]
    firm: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.words) or any(b < a for a, b in pairwise(self.words)):
            raise ValueError("each phone needs a word, in order")
        if any(not allowed for allowed in self.classes):
            raise ValueError("each phone needs a class at least")

    def skip(self, phone: int) -> float:
        """Log-probability of leaving out one phone alone."""
        return SKIP_FIRM if phone in self.firm else SKIP_PHONE


@dataclass(frozen=True, slots=True)
class Span:
    """One phone's frames [start, end).

    `index` is its place in the target (or its class, in a free decode); `log_prob` the mean log-probability of its
    class over its frames, `margin` by how much that lies below the likeliest class of each frame (0 is best).
    """

    index: int
    start: int
    end: int
    log_prob: float
    margin: float

    @property
    def confidence(self) -> float:
        """The mean probability (geometric), in [0, 1]."""
        return float(np.exp(min(self.log_prob, 0.0)))


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the phones lie: `spans` leaves out what was skipped.

    `log_prob` is the mean over all phones of the text, FLOOR for those skipped.
    """

    spans: tuple[Span, ...]
    log_prob: float


class Lattice:
    """States and how one may follow another, from frame to frame.

    `label[s]` is a phone's index, REST (no phone) or GAP (between two words); `sets[column[s]]` the classes whose
    likeliest counts. The predecessors of state s are `before[k, s]` at `cost[k, s]`; k = 0 is the state itself. With
    `hub`, state `leave[i]` may be followed by `enter[j]` at `hub[i, j]`.
    """

    REST = -1
    GAP = -2

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.sets: list[tuple[int, ...]] = []
        self._columns: dict[tuple[int, ...], int] = {}
        self._column: list[int] = []
        self._label: list[int] = []
        self._before: list[list[tuple[int, float]]] = []
        self._start: list[float] = []
        self._end: list[float] = []
        self.hub: Scores | None = None
        self.leave: Indices = np.zeros(0, np.intp)
        self.enter: Indices = np.zeros(0, np.intp)

    def add(self, classes: tuple[int, ...], label: int, *, stays: bool, start: float = float(NEVER)) -> int:
        """A new state; returns its number."""
        if classes not in self._columns:
            self._columns[classes] = len(self.sets)
            self.sets.append(classes)
        state = len(self._label)
        self._column.append(self._columns[classes])
        self._label.append(label)
        self._before.append([(state, 0.0 if stays else float(NEVER))])
        self._start.append(start)
        self._end.append(float(NEVER))
        return state

    def follow(self, state: int, before: int, cost: float = 0.0) -> None:
        """Let `state` follow `before` at `cost` (a log-probability)."""
        self._before[state].append((before, cost))

    def may_start(self, state: int) -> None:
        """Let the sound begin in `state`."""
        self._start[state] = 0.0

    def may_end(self, state: int, cost: float = 0.0) -> None:
        """Let the sound end in `state`."""
        self._end[state] = max(self._end[state], cost)

    def finish(self) -> Lattice:
        """Turn the lists into arrays."""
        most = max(len(each) for each in self._before)
        self.column = np.array(self._column, np.intp)
        self.label = np.array(self._label, np.intp)
        self.before = np.zeros((most, len(self._label)), np.intp)
        self.cost = np.full((most, len(self._label)), NEVER, np.float32)
        for state, each in enumerate(self._before):
            for k, (before, cost) in enumerate(each):
                self.before[k, state], self.cost[k, state] = before, cost
        self.start = np.array(self._start, np.float32)
        self.end = np.array(self._end, np.float32)
        return self

    def emissions(self, scores: Scores) -> Scores:
        """What each state is worth in each frame, float32 (frames, states)."""
        scores = np.maximum(scores, np.float32(FLOOR))
        rest = self.kind.rest
        best: Scores | None = None
        columns = np.empty((len(scores), len(self.sets)), np.float32)
        for column, classes in enumerate(self.sets):
            if classes == _FILLER_SET:
                if best is None:
                    best = np.delete(scores, rest, axis=1).max(axis=1)
                # In a CTC model's blanks, too, something unwritten may go on.
                columns[:, column] = np.maximum(scores[:, rest], best + np.float32(self.kind.filler))
            elif len(classes) == 1:
                columns[:, column] = scores[:, classes[0]]
            else:
                columns[:, column] = scores[:, classes].max(axis=1)
        return columns[:, self.column]


_FILLER_SET: tuple[int, ...] = (-1,)


def text_lattice(target: Target, kind: Kind) -> Lattice:
    """The lattice of a known text. Raises ValueError for a text without phones."""
    if not target.classes:
        raise ValueError("a text without phones cannot be aligned")
    return _ctc_text(target, kind) if kind.blank is not None else _framewise_text(target, kind)


def _words(target: Target) -> list[range]:
    """The phones of each word."""
    edges = [0, *(i for i in range(1, len(target.words)) if target.words[i] != target.words[i - 1]), len(target.words)]
    return [range(a, b) for a, b in pairwise(edges)]


def _word_cost(word: range) -> float:
    return SKIP_WORD + SKIP_WORD_PHONE * len(word)


def _framewise_text(target: Target, kind: Kind) -> Lattice:
    made = Lattice(kind)
    gap = made.add(_FILLER_SET, Lattice.GAP, stays=True, start=0.0)
    last: int | None = None
    """The last state of the phone before, and of the one before that."""
    second: int | None = None
    words = _words(target)
    ends: list[int] = []
    """The last state of each word so far."""
    for number, word in enumerate(words):
        for phone in word:
            first = made.add(target.classes[phone], phone, stays=kind.min_frames <= 1)
            if phone == word[0]:
                made.follow(first, gap)
                if number >= 2:
                    made.follow(first, ends[number - 2], _word_cost(words[number - 1]))
            if last is not None:
                made.follow(first, last)
            else:
                made.may_start(first)
            if second is not None:
                made.follow(first, second, target.skip(phone - 1))
            if phone == word[0] + 1:
                made.follow(first, gap, target.skip(phone - 1))
            state = first
            for k in range(1, kind.min_frames):
                after = made.add(target.classes[phone], phone, stays=k == kind.min_frames - 1)
                made.follow(after, state)
                state = after
            second, last = last, state
        assert last is not None
        ends.append(last)
        after = made.add(_FILLER_SET, Lattice.GAP, stays=True)
        made.follow(after, last, PAUSE)
        if second is not None:
            made.follow(after, second, PAUSE + target.skip(word[-1]))
        made.follow(after, gap, _word_cost(word))
        if number == len(words) - 1:
            made.may_end(after)
            made.may_end(last)
            if second is not None:
                made.may_end(second, target.skip(word[-1]))
        gap = after
    return made.finish()


def _ctc_text(target: Target, kind: Kind) -> Lattice:
    made = Lattice(kind)
    blank = kind.rest
    gap = made.add(_FILLER_SET, Lattice.GAP, stays=True, start=0.0)
    before, phone_before = gap, -1
    words = _words(target)
    for number, word in enumerate(words):
        for phone in word:
            state = made.add(target.classes[phone], phone, stays=True)
            made.follow(state, before)
            if phone_before >= 0:
                # A repeated class needs a blank between.
                if not set(target.classes[phone]) & set(target.classes[phone - 1]):
                    made.follow(state, phone_before)
            else:
                made.may_start(state)
            is_last = phone == word[-1]
            after = made.add(*((_FILLER_SET, Lattice.GAP) if is_last else ((blank,), Lattice.REST)), stays=True)
            made.follow(after, state)
            made.follow(after, before, target.skip(phone))
            before, phone_before = after, state
        made.follow(before, gap, _word_cost(word))
        if number == len(words) - 1:
            made.may_end(before)
            made.may_end(phone_before)
        gap = before
    return made.finish()


def loop_lattice(classes: int, kind: Kind, bigram: Scores | None = None) -> Lattice:
    """Any phone after any other, each at least `kind.min_frames` long (frame-wise models), or CTC's own rule.

    `bigram` (classes, classes) holds the log-probability of a class after another one; without it each change costs
    CHANGE.
    """
    made = Lattice(kind)
    enter, leave = [], []
    for each in range(classes):
        is_rest = each == kind.rest
        frames = 1 if is_rest or kind.blank is not None else kind.min_frames
        state = made.add((each,), Lattice.REST if is_rest else each, stays=frames == 1)
        made.may_start(state)
        enter.append(state)
        for k in range(1, frames):
            after = made.add((each,), each, stays=k == frames - 1)
            made.follow(after, state)
            state = after
        leave.append(state)
        made.may_end(state)
    if kind.blank is not None:
        # A CTC model's classes are peaks already: a price for each would lose the weak ones.
        made.hub = np.zeros((classes, classes), np.float32)
    elif bigram is None:
        made.hub = np.full((classes, classes), CHANGE, np.float32)
    else:
        made.hub = np.asarray(CHANGE + BIGRAM * bigram, np.float32)
    made.enter, made.leave = np.array(enter, np.intp), np.array(leave, np.intp)
    return made.finish()


class Viterbi:
    """The likeliest way through a lattice, given frame after frame.

    `push` takes log-probabilities in, `path` says through which states the likeliest way goes so far. As more comes in
    it may change its mind about the last frames; who cannot take words back waits a little.
    """

    def __init__(self, lattice: Lattice) -> None:
        self._lattice = lattice
        self._value: Scores | None = None
        self._back: list[Indices] = []
        """Of each kept frame: for each state, the state of the frame before. Newest last."""
        self._states = np.arange(len(lattice.label))

    def push(self, scores: Scores) -> None:
        """Take frames in: float32 (frames, classes)."""
        lattice = self._lattice
        emissions = lattice.emissions(scores)
        value = self._value
        before, cost, states = lattice.before, lattice.cost, self._states
        ways = np.empty(before.shape, np.float32)
        for emission in emissions:
            if value is None:
                value = lattice.start + emission
                self._back.append(states)
                continue
            np.take(value, before, out=ways)
            ways += cost
            way = ways.argmax(axis=0)
            back = before[way, states]
            best = ways[way, states]
            if lattice.hub is not None:
                through = value[lattice.leave, None] + lattice.hub
                source = through.argmax(axis=0)
                via = through[source, np.arange(through.shape[1])]
                is_better = via > best[lattice.enter]
                better = lattice.enter[is_better]
                best[better] = via[is_better]
                back[better] = lattice.leave[source[is_better]]
            best += emission
            value = best
            self._back.append(back)
        if value is not None and len(emissions):
            value -= value.max()  # float32 stays exact over hours
            self._value = value

    @property
    def frames(self) -> int:
        """Frames that are kept."""
        return len(self._back)

    def keep(self, frames: int) -> None:
        """Forget how older frames than the last `frames` were reached."""
        del self._back[: max(0, len(self._back) - frames)]

    def path(self, *, is_end: bool = False) -> Indices | None:
        """States of the kept frames.

        With `is_end` the way ends where the lattice may end; None where no such way exists (the sound is too short
        for the text).
        """
        if self._value is None:
            return np.zeros(0, np.intp)
        ends = self._value + self._lattice.end if is_end else self._value
        state = int(ends.argmax())
        if ends[state] <= NEVER / 2:
            return None
        path = np.empty(len(self._back), np.intp)
        for at in range(len(self._back) - 1, -1, -1):
            path[at] = state
            state = int(self._back[at][state])
        return path


def spans_of(
    path: Indices, lattice: Lattice, emissions: Scores, best: npt.NDArray[np.float32], first: int = 0
) -> tuple[Span, ...]:
    """The phones along `path` (states), which begins at frame `first`.

    `emissions` (frames, states) and `best` (frames; the likeliest phone's log-probability) belong to the same frames.
    """
    if not len(path):
        return ()
    labels = lattice.label[path]
    edges = np.flatnonzero(np.diff(labels)) + 1
    values = emissions[np.arange(len(path)), path]
    spans = []
    for start, end in pairwise([0, *edges.tolist(), len(path)]):
        if labels[start] >= 0:
            mean = float(values[start:end].mean())
            margin = float((values[start:end] - best[start:end]).mean())
            spans.append(Span(int(labels[start]), first + start, first + end, mean, margin))
    return tuple(spans)


def best_phone(scores: Scores) -> npt.NDArray[np.float32]:
    """The likeliest class's log-probability in each frame, but FLOOR at least."""
    return np.asarray(np.maximum(scores, np.float32(FLOOR)).max(axis=1))


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, end) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def align(scores: Scores, target: Target, kind: Kind) -> Alignment | None:
    """Force `target` onto a whole sound's log-probabilities, float32 (frames, classes).

    None where the sound has fewer frames than the shortest way through the text. Time grows with frames times phones:
    about 8 ms for 60 phones in 5 s at 10 ms a frame (`benchmarks/phones_speed.py`).
    """
    if not len(scores) or not target.classes:
        return None
    lattice = text_lattice(target, kind)
    viterbi = Viterbi(lattice)
    viterbi.push(scores)
    path = viterbi.path(is_end=True)
    if path is None:
        return None
    spans = spans_of(path, lattice, lattice.emissions(scores), best_phone(scores))
    said = sum(span.log_prob for span in spans)
    mean = (said + FLOOR * (len(target.classes) - len(spans))) / len(target.classes)
    return Alignment(spans, mean)


def decode(scores: Scores, kind: Kind, bigram: Scores | None = None) -> tuple[Span, ...]:
    """What is said, without a text: CTC's best path, or the likeliest way through a loop of phones."""
    if not len(scores):
        return ()
    if kind.blank is not None:
        return _best_path(scores, kind.blank)
    lattice = loop_lattice(scores.shape[1], kind, bigram)
    viterbi = Viterbi(lattice)
    viterbi.push(scores)
    path = viterbi.path(is_end=True)
    if path is None:
        return ()
    return spans_of(path, lattice, lattice.emissions(scores), best_phone(scores))


def _best_path(scores: Scores, blank: int) -> tuple[Span, ...]:
    classes = scores.argmax(axis=1)
    values = np.maximum(scores[np.arange(len(scores)), classes], np.float32(FLOOR))
    edges = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), len(classes)]
    return tuple(
        Span(int(classes[a]), a, b, float(values[a:b].mean()), 0.0) for a, b in pairwise(edges) if classes[a] != blank
    )
