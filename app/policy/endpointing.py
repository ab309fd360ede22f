"""When the user starts and stops speaking, from Silero's probability for each window. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from animator.messages import Samples

SAMPLE_RATE = 16_000
QUIET_BELOW_PEAK_DB = 26.0
"""A window so far below the loudest of the last second or two is quiet, whatever the detector says: Silero goes on
hearing a voice for 100 to 200 ms after its end, which every answer would have to wait for."""
_PEAK_DECAY_DB = 0.3
"""Per window: 9 dB in a second."""
_LEVEL_FLOOR_DB = -70.0


@dataclass(frozen=True, slots=True)
class EndpointingOptions:
    """Thresholds. Names are Silero's; times in ms."""

    threshold: float = 0.6
    neg_threshold: float = 0.35
    start_windows: int = 3
    """This many of the last 4 windows above `threshold` begin speech."""
    min_speech_ms: int = 250
    """Anything shorter is a click or a cough and never becomes a turn."""
    forget_after_ms: int = 400
    """Quiet after which a sound that was too short is forgotten."""
    min_silence_ms: int = 500
    speech_pad_ms: int = 400
    """Pre-roll: what is kept from before the first window that counted."""
    tail_pad_ms: int = 128
    """What is kept after the last one. A speculative decode ends at the same place, so its text can be reused."""
    max_utterance_s: float = 30.0
    """Whisper's window. Longer speech is split at its longest pause."""

    def __post_init__(self) -> None:
        if not 0 < self.neg_threshold <= self.threshold < 1:
            raise ValueError(f"need 0 < neg_threshold <= threshold < 1, got {self.neg_threshold!r}, {self.threshold!r}")
        if self.min_silence_ms < self.tail_pad_ms:
            raise ValueError(f"min_silence_ms must be at least {self.tail_pad_ms}, got {self.min_silence_ms!r}")


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user speaks, and has done so for `min_speech_ms`."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeechPaused:
    """`tail_pad_ms` of quiet: the user may have finished.

    If SpeechEnded comes with the same `revision`, nothing was said in between; then `samples` has every word.
    """

    samples: Samples
    revision: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The user goes on after SpeechPaused: the guess with the revision before `revision` was wrong."""

    revision: int


@dataclass(frozen=True, slots=True, eq=False)
class SpeechSplit:
    """`max_utterance_s` reached: `samples` is the part before the longest pause; the turn goes on."""

    samples: Samples


@dataclass(frozen=True, slots=True, eq=False)
class SpeechEnded:
    """The user has finished. `speech_s` counts only the windows that were speech."""

    samples: Samples
    speech_s: float
    revision: int


SpeechEdge = SpeechStarted | SpeechPaused | SpeechResumed | SpeechSplit | SpeechEnded


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    samples: Samples
    probability: float


class Endpointing:
    """Feed it one window after another; it answers with edges."""

    def __init__(self, options: EndpointingOptions | None = None, window: int = 512) -> None:
        self.options = options or EndpointingOptions()
        self._window = window
        pre_roll = self._windows(self.options.speech_pad_ms)
        self._before: deque[_Window] = deque(maxlen=pre_roll + 4)
        self._pre_roll = pre_roll
        self._kept: list[_Window] = []
        self._in_speech = False
        self._announced = False
        self._speech_windows = 0
        self._quiet_windows = 0
        self._revision = 0
        self._has_paused = False
        self._pause_windows = 0
        self._peak_db = _LEVEL_FLOOR_DB
        self._hears_speech = False

    @property
    def is_speaking(self) -> bool:
        """Whether a turn is open, i.e. between SpeechStarted and SpeechEnded."""
        return self._announced

    @property
    def is_open(self) -> bool:
        """Whether there is sound that is or may become a turn."""
        return self._in_speech

    @property
    def quiet_ms(self) -> float:
        """Since the last speech; 0 while somebody speaks. A breath in a pause does not count as speech."""
        windows = self._pause_windows if self._has_paused else self._quiet_windows
        return windows * self._window * 1000 / SAMPLE_RATE

    @property
    def speech_ms(self) -> float:
        """Speech in what is open, quiet windows not counted."""
        return self._speech_windows * self._window * 1000 / SAMPLE_RATE

    @property
    def revision(self) -> int:
        """Grows whenever the user goes on after a pause."""
        return self._revision

    def sound(self) -> Samples:
        """Everything of what is open, the quiet at its end included."""
        return self._joined(self._kept)

    def ended(self) -> SpeechEnded:
        """What is open, as if it were over now; it stays open, so that the user may still go on with it."""
        surplus = self._quiet_windows - self._windows(self.options.tail_pad_ms)
        kept = self._kept[:-surplus] if surplus > 0 else self._kept
        return SpeechEnded(self._joined(kept), self._speech_windows * self._window / SAMPLE_RATE, self._revision)

    @property
    def hears_speech(self) -> bool:
        """Whether the last window was speech."""
        return self._hears_speech

    def _believed(self, samples: Samples, probability: float) -> float:
        """The detector's probability, or 0 where the window is too quiet to be the voice that spoke just now."""
        level_db = 10.0 * np.log10(float(np.mean(np.square(samples))) + 1e-12)
        if probability >= self.options.threshold:
            self._peak_db = max(self._peak_db - _PEAK_DECAY_DB, level_db)
        if self._in_speech and level_db < self._peak_db - QUIET_BELOW_PEAK_DB and level_db < -30.0:
            probability = 0.0
        self._hears_speech = probability >= self.options.neg_threshold
        return probability

    def finish(self) -> list[SpeechEdge]:
        """The user has finished, whatever the silence says: end what is open."""
        return self._end() if self._in_speech else []

    def remember(self, samples: Samples) -> None:
        """Take a window as pre-roll only: it may become the first syllable, but begins nothing."""
        self._before.append(_Window(samples, 0.0))

    def feed(self, samples: Samples, probability: float) -> list[SpeechEdge]:
        """Take the next window (exactly `window` samples) and its probability of speech in [0, 1]."""
        if len(samples) != self._window:
            raise ValueError(f"a window has {self._window} samples, got {len(samples)}")
        probability = self._believed(samples, probability)
        window = _Window(samples, probability)
        if not self._in_speech:
            self._before.append(window)
            recent = list(self._before)[-4:]
            if not self._is_onset(recent):
                return []
            first = next(i for i, w in enumerate(recent) if w.probability > self.options.threshold)
            self._kept = list(self._before)[-(len(recent) - first) - self._pre_roll :]
            self._before.clear()
            self._in_speech = True
            self._speech_windows = sum(w.probability >= self.options.neg_threshold for w in recent[first:])
            self._quiet_windows = 0
            return self._announce()
        self._kept.append(window)
        self._pause_windows += 1
        resumed: list[SpeechEdge] = []
        if self._has_paused and self._is_onset(self._kept[-4:]):
            self._has_paused = False
            self._revision += 1
            resumed.append(SpeechResumed(self._revision))
        if probability >= self.options.neg_threshold:
            self._speech_windows += 1
            self._quiet_windows = 0
            return resumed + self._announce() + self._split()
        self._quiet_windows += 1
        enough_ms = self.options.min_silence_ms
        if not self._announced:
            enough_ms = min(enough_ms, self.options.forget_after_ms)
        if self._quiet_windows >= self._windows(enough_ms):
            return resumed + self._end()
        if self._announced and self._quiet_windows == self._windows(self.options.tail_pad_ms):
            if not self._has_paused:
                self._has_paused, self._pause_windows = True, self._quiet_windows
            return [*resumed, SpeechPaused(self._joined(self._kept), self._revision)]
        return resumed + self._split()

    def reset(self) -> None:
        """Forget what was heard; an open turn ends without an edge."""
        self._before.clear()
        self._kept = []
        self._peak_db = _LEVEL_FLOOR_DB
        self._in_speech = self._announced = self._has_paused = False
        self._revision = 0
        self._speech_windows = self._quiet_windows = 0

    def _is_onset(self, recent: list[_Window]) -> bool:
        """Whether speech begins in the last four windows. One alone is a breath or a click."""
        return sum(window.probability > self.options.threshold for window in recent) >= self.options.start_windows

    def _windows(self, ms: float) -> int:
        return max(1, round(ms * SAMPLE_RATE / 1000 / self._window))

    def _joined(self, windows: list[_Window]) -> Samples:
        return np.concatenate([w.samples for w in windows]) if windows else np.zeros(0, np.float32)

    def _announce(self) -> list[SpeechEdge]:
        if self._announced or self._speech_windows < self._windows(self.options.min_speech_ms):
            return []
        self._announced = True
        return [SpeechStarted()]

    def _end(self) -> list[SpeechEdge]:
        # Quiet windows are the next utterance's pre-roll.
        tail = self._kept[len(self._kept) - self._quiet_windows :]
        edges: list[SpeechEdge] = []
        if self._announced:
            edges.append(self.ended())
        self.reset()
        self._before.extend(tail)
        return edges

    def _split(self) -> list[SpeechEdge]:
        if len(self._kept) * self._window < self.options.max_utterance_s * SAMPLE_RATE:
            return []
        at = self._longest_pause()
        head, self._kept = self._kept[:at], self._kept[at:]
        return [SpeechSplit(self._joined(head))]

    def _longest_pause(self) -> int:
        """Index of the window in the middle of the longest pause, or the least speech-like one where there is none."""
        probabilities = [w.probability for w in self._kept]
        # Not in the first second (the pre-roll is quiet), so that parts do not get tiny.
        first = self._windows(1000)
        best_length, best_at = 0, 0
        start: int | None = None
        for i in range(first, len(probabilities) + 1):
            is_quiet = i < len(probabilities) and probabilities[i] < self.options.neg_threshold
            if is_quiet and start is None:
                start = i
            elif not is_quiet and start is not None:
                if i - start >= best_length:
                    best_length, best_at = i - start, (start + i) // 2
                start = None
        if best_length:
            return max(1, best_at)
        later = len(probabilities) // 2
        return later + int(np.argmin(probabilities[later:]))
