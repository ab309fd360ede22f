"""What is to be painted next, and how much of it is shown. Pure: no network, no clock, no thread.

Frames are numbered within a sentence at 25 a second; frame k is shown from k / 25 s of the sentence's sound on. A
sentence is one clip, or several that continue each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from animator.lipsync.loudness import FLOOR, quiet_stretches
from animator.messages import Samples, SpeechTime
from animator.musetalk.sound import FPS, LOOK_AHEAD_S, RATE_HZ

FADE_S = 0.12
"""How long the mouth takes between the source's and the painted one."""
PAUSE_S = 0.30
"""Shorter silences within a sentence are painted through."""
EDGE_S = 0.08
"""Silence at a sentence's ends that is not painted."""
LEAD_FRAMES = 38
"""Painted ahead of what is heard: 1.5 s."""
BATCHES = ((2, 1), (6, 2), (14, 4))
"""Frames ahead below which the batch is so small; 8 from there on. The first must come soon, later ones cheaply."""
LARGEST_BATCH = 8
BEGINNING = -1 - round(FADE_S * FPS)
"""Before the first frame: the mouth fades in before the sound."""
HOLD_FRAMES = 3
"""So long the last painted frame stands in for one that is late."""


@dataclass(slots=True, eq=False)
class Sentence:
    """The sound of one sentence, as far as it has come; 16 kHz."""

    number: int
    """Its own, whatever its turn."""
    turn: int
    samples: Samples
    final: bool
    starts_s: dict[int, float] = field(default_factory=dict)
    """Where each of its clips begins, by the clip's index."""
    done: int = BEGINNING
    """The last frame that was painted or passed over."""
    first_frame: int | None = None
    """Which of the avatar's frames, counted on without end, lies under frame 0."""
    silences: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.measure()

    @property
    def duration_s(self) -> float:
        """Length of what has come."""
        return len(self.samples) / RATE_HZ

    @property
    def end(self) -> int:
        """The frame after its last, the fade included."""
        return int(np.ceil((self.duration_s + FADE_S) * FPS))

    def measure(self) -> None:
        """Find its silences; again whenever sound was added."""
        end_s = self.duration_s
        self.silences = [
            (start_s, stop_s)
            for start_s, stop_s in quiet_stretches(self.samples, RATE_HZ, EDGE_S)
            if stop_s - start_s >= PAUSE_S or start_s <= 0.0 or (self.final and stop_s >= end_s)
        ]
        if not len(self.samples) or float(np.abs(self.samples).max()) < FLOOR:
            self.silences = [(0.0, end_s)]

    def again(self) -> None:
        """Have it painted from its beginning; what has been heard is passed over."""
        self.done, self.first_frame = BEGINNING, None

    def gate(self, frames: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """How much of the painted mouth each frame shows: 1 where it speaks, 0 in silence, 120 ms between."""
        edges = [0.0, *(t for pair in self.silences for t in pair), self.duration_s]
        at_s = frames / FPS
        shown = np.zeros(len(frames))
        for start_s, stop_s in zip(edges[::2], edges[1::2], strict=True):
            if stop_s - start_s > 1e-6:
                away_s = np.maximum(np.maximum(start_s - at_s, at_s - stop_s), 0.0)
                shown = np.maximum(shown, 1.0 - away_s / FADE_S)
        return np.maximum(shown, 0.0).astype(np.float32)

    def ready(self, heard_s: float | None) -> int:
        """The frame after the last that can be painted: its window is known, or it is due and will not be known."""
        if self.final:
            return self.end
        known = int(np.floor((self.duration_s - LOOK_AHEAD_S) * FPS)) + 1
        due = 0 if heard_s is None else int(np.floor(heard_s * FPS)) + 2
        return min(max(known, due), self.end)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Frames of one sentence to be painted together."""

    sentence: Sentence
    frames: npt.NDArray[np.int64]
    gate: npt.NDArray[np.float32]


class Speech:
    """The sentences that are to be spoken, in order. Not thread-safe: hold a lock around it."""

    def __init__(self) -> None:
        self._sentences: list[Sentence] = []
        self._before_turn = 0
        self._count = 0
        self._heard: tuple[Sentence, float] | None = None

    def add(self, turn: int, index: int, samples: Samples, *, continues: bool, final: bool) -> Sentence | None:
        """Take one clip's sound (16 kHz); None where its turn has been cleared."""
        if turn < self._before_turn:
            return None
        last = self._sentences[-1] if self._sentences else None
        if continues and last is not None and last.turn == turn and not last.final:
            last.starts_s[index] = last.duration_s
            last.samples = np.concatenate([last.samples, samples])
            last.final = final
            last.measure()
            return last
        if last is not None:
            last.final = True
            last.measure()
        self._count += 1
        sentence = Sentence(self._count, turn, samples, final, {index: 0.0})
        self._sentences.append(sentence)
        return sentence

    def clear(self, before_turn: int) -> None:
        """Drop older turns."""
        self._before_turn = before_turn
        self._sentences = [each for each in self._sentences if each.turn >= before_turn]
        if self._heard is not None and self._heard[0].turn < before_turn:
            self._heard = None

    def find(self, speech: SpeechTime) -> tuple[Sentence, float] | None:
        """The sentence and the moment in it, in s from its start."""
        for sentence in reversed(self._sentences):
            start_s = sentence.starts_s.get(speech.index)
            if sentence.turn == speech.turn and start_s is not None:
                return sentence, start_s + speech.time_s
        return None

    def hear(self, speech: SpeechTime | None) -> tuple[Sentence, float] | None:
        """Say what is heard now; sentences before it are over."""
        found = None if speech is None else self.find(speech)
        if found is not None:
            sentence, at_s = found
            self._heard = found
            while self._sentences[0] is not sentence:
                del self._sentences[0]
            # Frames that have passed are not painted any more.
            sentence.done = max(sentence.done, int(np.floor(at_s * FPS)) - 1)
        elif self._heard is not None:
            sentence, at_s = self._heard
            if sentence.final and at_s >= sentence.duration_s:  # else its sound has only been held up
                self._sentences.remove(sentence)
                self._heard = None
        return found

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Those that are not over, in order."""
        return tuple(self._sentences)

    def before(self, sentence: Sentence) -> Sentence | None:
        """The one spoken before, where that is not over."""
        place = self._sentences.index(sentence)
        return self._sentences[place - 1] if place else None

    @property
    def waits(self) -> bool:
        """Whether a sentence has been begun to be painted that is not heard yet."""
        return any(each.first_frame is not None for each in self._sentences) and self._heard is None

    def next_job(self) -> Job | None:
        """What to paint next, None where nothing is to be painted now. Counts it as done."""
        ahead = 0
        for sentence in self._sentences:
            heard = self._heard is not None and self._heard[0] is sentence
            heard_s = self._heard[1] if self._heard is not None and heard else None
            passed = int(np.floor(heard_s * FPS)) if heard_s is not None else -1
            ready = sentence.ready(heard_s)
            while sentence.done + 1 < ready:
                lead = ahead + max(sentence.done - passed, 0)
                if lead >= LEAD_FRAMES:
                    return None
                size = next((batch for below, batch in BATCHES if lead < below), LARGEST_BATCH)
                frames = np.arange(sentence.done + 1, min(sentence.done + 1 + size, ready), dtype=np.int64)
                gate = sentence.gate(frames)
                sentence.done = int(frames[-1])
                shown = gate > 0.0
                if shown.any():
                    return Job(sentence, frames[shown], gate[shown])
            if not sentence.final:
                return None
            ahead += max(sentence.end - 1 - passed, 0)
        return None


def mirrored(count_on: int, frames: int) -> int:
    """The frame of a loop that runs forth and back, for a count that goes on without end."""
    if frames == 1:
        return 0
    place = count_on % (2 * frames - 2)
    return place if place < frames else 2 * frames - 2 - place
