"""Stand-ins for devices and paid services. They keep the promises of `app.ports`; nothing in them is random."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from animator.messages import Phone, PlayoutAnchor, Samples, SpeechClip
from app.bus import Bus
from app.errors import AppError
from app.messages import AudioBlock, Fact, Frame, SpeechPiece

RATE = 16_000
TIMEOUT_S = 10.0
"""Only ever reached by a test that fails."""


class FakeClock:
    """Host time that the test owns. With `jumps`, whoever sleeps moves it on at once; otherwise only `advance` does."""

    def __init__(self, *, jumps: bool = False) -> None:
        self._now_ns = 1_000_000_000
        self._jumps = jumps
        self._changed = threading.Condition()

    def now_ns(self) -> int:
        with self._changed:
            return self._now_ns

    def sleep_until(self, host_ns: int) -> None:
        with self._changed:
            if self._jumps:
                self._now_ns = max(self._now_ns, host_ns)
            else:
                self._changed.wait_for(lambda: self._now_ns >= host_ns, TIMEOUT_S)

    def advance(self, seconds: float) -> None:
        with self._changed:
            self._now_ns += round(seconds * 1e9)
            self._changed.notify_all()


class Facts:
    """Every fact of a bus, and a way to wait for one."""

    def __init__(self, bus: Bus) -> None:
        self.all: list[Fact] = []
        self._changed = threading.Condition()
        bus.listen(self._take)

    def _take(self, fact: Fact) -> None:
        with self._changed:
            self.all.append(fact)
            self._changed.notify_all()

    def of(self, stage: str, event: str, **data: object) -> list[Fact]:
        with self._changed:
            return [
                fact
                for fact in self.all
                if (fact.stage, fact.event) == (stage, event) and data.items() <= fact.data.items()
            ]

    def wait(self, stage: str, event: str, count: int = 1, **data: object) -> Fact:
        """The `count`th fact of this kind whose data hold `data`."""
        with self._changed:
            found = self._changed.wait_for(lambda: len(self.of(stage, event, **data)) >= count, TIMEOUT_S)
            assert found, f"no {stage} {event} {data} among {[(f.stage, f.event, f.data) for f in self.all]}"
            return self.of(stage, event, **data)[count - 1]


def speech(ms: int) -> Samples:
    """Sound that FakeDetector takes for speech."""
    t = np.arange(RATE * ms // 1000) / RATE
    return (0.5 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)


def silence(ms: int) -> Samples:
    return np.zeros(RATE * ms // 1000, np.float32)


class FakeMicrophone:
    """Gives what the test says, in blocks of 20 ms. `lose()` makes the next read fail like an unplugged device."""

    name = "fake microphone"

    def __init__(self) -> None:
        self._blocks: queue.SimpleQueue[AudioBlock | AppError] = queue.SimpleQueue()
        self._sample = 0
        self.opened = 0
        self.closed = 0

    def say(self, *sounds: Samples, end: bool = False) -> None:
        samples = np.concatenate(sounds) if sounds else np.zeros(0, np.float32)
        for start in range(0, len(samples), RATE // 50):
            piece = samples[start : start + RATE // 50]
            self._blocks.put(AudioBlock(piece, self._sample))
            self._sample += len(piece)
        if end:
            self._blocks.put(AudioBlock(np.zeros(0, np.float32), self._sample, end_of_stream=True))

    @property
    def is_drained(self) -> bool:
        return self._blocks.empty()

    def lose(self) -> None:
        self._blocks.put(AppError("The microphone was lost.", "Plug it in again."))

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> AudioBlock | None:
        try:
            block = self._blocks.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(block, AppError):
            raise block
        return block

    def close(self) -> None:
        self.closed += 1


class FakeDetector:
    """Loud is speech."""

    window = 512

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, samples: Samples) -> float:
        return 0.95 if float(np.abs(samples).max()) > 0.1 else 0.02

    def reset(self) -> None:
        self.resets += 1


class FakeTurnDetector:
    """Always as sure that the user has finished as the test says."""

    name = "fake manners"

    def __init__(self, probability: float) -> None:
        self.answer = probability
        self.asked_s: list[float] = []

    def load(self) -> None:
        pass

    def probability(self, samples: Samples) -> float:
        self.asked_s.append(len(samples) / RATE)
        return self.answer


class FakeTranscriber:
    """Hears the texts it was given, one after another; an exception among them is raised."""

    name = "fake ears"
    language = "en"

    def __init__(self, *texts: str | Exception) -> None:
        self._texts = deque(texts)
        self.heard_s: list[float] = []

    def load(self) -> None:
        pass

    def transcribe(self, samples: Samples) -> str:
        self.heard_s.append(len(samples) / RATE)
        text = self._texts.popleft() if self._texts else "something"
        if isinstance(text, Exception):
            raise text
        return text


Answer = str | Exception | Callable[[], str]


class FakeChat:
    """Answers with the texts it was given, word by word; an exception is raised in the place where it stands."""

    name = "fake brain"

    def __init__(self, *answers: Answer | list[Answer], loaded: threading.Event | None = None) -> None:
        self._answers = deque(answers)
        self._loaded = loaded
        self.asked: list[list[dict[str, str]]] = []
        self.closed = 0

    def load(self) -> None:
        if self._loaded is not None:
            assert self._loaded.wait(TIMEOUT_S)

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        self.asked.append([dict(message) for message in messages])
        answer = self._answers.popleft() if self._answers else "I see what you mean."
        for part in answer if isinstance(answer, list) else [answer]:
            if isinstance(part, Exception):
                raise part
            text = part if isinstance(part, str) else part()
            for word in text.split(" "):
                if should_stop():
                    return
                yield word + " "

    def close(self) -> None:
        self.closed += 1


class BlockedChat(FakeChat):
    """Says its first words and then thinks until nobody wants the rest."""

    def __init__(self, first: str) -> None:
        super().__init__()
        self._first = first
        self.thinks = threading.Event()

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        self.asked.append([dict(message) for message in messages])
        yield self._first
        self.thinks.set()
        nudge = threading.Event()
        while not should_stop():
            nudge.wait(0.005)


class FakeSynth:
    """A tone of 0.1 s per word. A text among `unspeakable` raises. With `pieces`, it streams so many a sentence."""

    name = "fake voice"

    def __init__(self, unspeakable: str = "", loaded: threading.Event | None = None, *, pieces: int = 1) -> None:
        self.spoken: list[str] = []
        self.unspeakable = unspeakable
        self.closed = 0
        self._loaded = loaded
        self._pieces = pieces

    def load(self) -> None:
        if self._loaded is not None:
            assert self._loaded.wait(TIMEOUT_S)

    def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
        if self.unspeakable and self.unspeakable in text:
            raise AppError("The voice failed.", "Choose another voice.")
        self.spoken.append(text)
        for samples in np.array_split(speech(100 * len(text.split())), self._pieces):
            if should_stop():
                return
            phones = (Phone("a", 0.0, len(samples) / RATE),)
            yield SpeechPiece(samples, RATE, phones, final=self._pieces == 1)

    def close(self) -> None:
        self.closed += 1


class FakeSpeaker:
    """Plays when the test says so: `start()` begins the first clip, `finish()` ends it. With `instant`, at once."""

    name = "fake loudspeaker"

    def __init__(self, *, instant: bool = False, broken: AppError | None = None) -> None:
        self.instant = instant
        self.broken = broken
        self.clips: list[SpeechClip] = []
        """Everything that was ever queued."""
        self.ducked: list[bool] = []
        self.cleared = 0
        self.closed = 0
        self._queue: deque[SpeechClip] = deque()
        self._changed = threading.Condition()
        self._on_anchor: Callable[[PlayoutAnchor], None] = lambda anchor: None
        self._on_played: Callable[[int, int], None] = lambda turn, index: None

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        if self.broken is not None:
            raise self.broken
        self._on_anchor, self._on_played = on_anchor, on_played

    def play(self, clip: SpeechClip) -> None:
        if self.broken is not None:
            raise self.broken
        with self._changed:
            self.clips.append(clip)
            self._queue.append(clip)
            self._changed.notify_all()
        if self.instant:
            self.start()
            self.finish()

    def queued_s(self) -> float:
        with self._changed:
            return sum(clip.duration_s for clip in self._queue)

    def clear(self) -> None:
        with self._changed:
            self.cleared += 1
            self._queue.clear()

    def duck(self, on: bool) -> None:
        with self._changed:
            self.ducked.append(on)
            self._changed.notify_all()

    def close(self) -> None:
        self.closed += 1

    def wait_for_clips(self, count: int) -> None:
        """Until `count` clips wait or sound."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._queue) >= count, TIMEOUT_S), len(self._queue)

    def start(self) -> SpeechClip:
        """The first clip begins to sound."""
        self.wait_for_clips(1)
        clip = self._queue[0]
        self._on_anchor(PlayoutAnchor(clip.turn, clip.index, 0, clip.sample_rate, 0))
        return clip

    def hear(self, clip: SpeechClip, share: float) -> None:
        """So much of `clip` has been heard by now."""
        sample = round(share * len(clip.samples))
        self._on_anchor(PlayoutAnchor(clip.turn, clip.index, sample, clip.sample_rate, 1_000_000_000))

    def finish(self) -> SpeechClip:
        """The first clip has been heard."""
        with self._changed:
            clip = self._queue.popleft()
        self._on_played(clip.turn, clip.index)
        return clip


class FakeAvatar:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def push(self, clip: SpeechClip) -> None:
        self.calls.append(("push", (clip.turn, clip.index)))

    def anchor(self, anchor: PlayoutAnchor) -> None:
        self.calls.append(("anchor", (anchor.turn, anchor.index)))

    def clear(self, before_turn: int) -> None:
        self.calls.append(("clear", before_turn))

    def express(self, name: str) -> None:
        self.calls.append(("express", name))

    def feel(self, name: str, intensity: float) -> None:
        self.calls.append(("feel", (name, intensity)))

    def gesture(self, name: str) -> None:
        self.calls.append(("gesture", name))

    def mouth_offset(self, offset_ms: int) -> None:
        self.calls.append(("mouth_offset", offset_ms))

    def preview(self, values: dict[str, float] | None) -> None:
        self.calls.append(("preview", (values,)))

    def think(self, turn: int, on: bool) -> None:
        self.calls.append(("think", (turn, on)))

    def load(self, character: str) -> None:
        self.calls.append(("load", character))

    def latest(self) -> Frame | None:
        return None

    def close(self) -> None:
        self.calls.append(("close", None))
