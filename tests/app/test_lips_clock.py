"""The mouth follows what a sound card really plays: a simulated PortAudio with the quirks of real ones, from its
callback to the six parameters of the face."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from animator.lipsync import response
from animator.messages import Phone, PlayoutAnchor, SpeechClip
from animator.tha3 import pose as p
from animator.tha3.composer import Composer
from animator.timebase import STALE_S, Playout
from app.backends.speaker_sounddevice import SoundDeviceSpeaker

RATE = 48_000
FPS = 60.0
TICK_S = 0.005
"""How often the simulated world goes on."""
SHUT = 0.05


@dataclass
class Card:
    """A sound card with a buffer. Its clock runs `drift` fast; the driver's times are up to `jitter_s` wrong, or none.

    PortAudio asks for a block whenever one fits, or for several in a row once most of the buffer is empty (`bursts`).
    """

    drift: float = 0.0
    jitter_s: float = 0.0
    has_dac_times: bool = True
    bursts: bool = False
    block: int = 512
    buffer_s: float = 0.08
    options: dict[str, Any] = field(default_factory=dict)
    active: bool = False
    now_s: float = 1.0
    hangs: bool = False
    heard: list[tuple[float, np.ndarray]] = field(default_factory=list)
    """(host time in s, block) as the loudspeaker gave it."""

    def __post_init__(self) -> None:
        self.latency = self.buffer_s
        self._free_s = self.now_s
        """Host time at which all that was copied will have been heard."""
        self._is_dry = False
        self._chance = np.random.default_rng(3)

    # What `sounddevice` looks like

    def query_devices(self, device: object, kind: str) -> dict[str, Any]:
        return {
            "name": "Card",
            "default_samplerate": float(RATE),
            "max_output_channels": 1,
            "default_low_output_latency": 0.01,
        }

    def OutputStream(self, **options: Any) -> Card:
        self.options = options
        return self

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False

    # Time

    def now_ns(self) -> int:
        return round(self.now_s * 1e9)

    def run(self) -> None:
        """Fill the buffer as far as the driver would at this moment."""
        if self.hangs:
            return
        block_s = self.block / RATE / (1.0 + self.drift)
        if self.bursts and self._free_s - self.now_s > self.buffer_s / 4:
            return
        while self._free_s - self.now_s <= self.buffer_s - block_s:
            if self._free_s < self.now_s:
                self._free_s, self._is_dry = self.now_s, True
            out = np.zeros((self.block, 1), np.float32)
            wrong_s = self._chance.uniform(-1, 1) * self.jitter_s
            told = self._free_s + wrong_s if self.has_dac_times else 0.0
            time = SimpleNamespace(outputBufferDacTime=told, currentTime=self.now_s if self.has_dac_times else 0.0)
            self.options["callback"](out, self.block, time, SimpleNamespace(output_underflow=self._is_dry))
            self._is_dry = False
            self.heard.append((self._free_s, out[:, 0]))
            self._free_s += block_s


class Stage:
    """A card, the loudspeaker on it, and the face: 60 frames a second, each drawn one frame before it is due."""

    def __init__(self, card: Card, *, late_s: float = 0.03) -> None:
        self.card = card
        self.late_s = late_s
        """How long an anchor takes to the animator process."""
        self.speaker = SoundDeviceSpeaker(card, sounddevice=card)
        self.speaker.open(self._on_anchor, lambda turn, index: None)
        self.speaker._closed.set()  # its threads end: this test is the thread
        self.playout = Playout(STALE_S)
        self.composer = Composer(1)
        self._on_the_way: list[tuple[float, PlayoutAnchor]] = []
        self.frames: list[tuple[float, float, float | None]] = []
        """(host time in s at which it is seen, how far the mouth is open, place in what `counting` counts)."""
        self._next_s = card.now_s
        self._counted: dict[tuple[int, int], float] = {}
        self.go_on(0.5)  # silence: a stream is open long before somebody speaks

    def _on_anchor(self, anchor: PlayoutAnchor) -> None:
        self._on_the_way.append((self.card.now_s + self.late_s, anchor))

    def say(self, seconds: float, *, turn: int = 1, index: int = 0, counts_from_s: float = 0.0) -> None:
        clip = counting(seconds, turn, index, counts_from_s)
        self._counted[turn, index] = counts_from_s
        self.playout.add_clip(clip.turn, clip.index, clip.duration_s)
        self.composer.push(clip)
        self.speaker.play(clip)

    def interrupt(self, turn: int) -> None:
        self.speaker.clear()
        self.playout.clear(turn)
        self.composer.clear(turn)

    def go_on(self, seconds: float) -> None:
        end_s = self.card.now_s + seconds
        while self.card.now_s < end_s:
            self.card.run()
            self.speaker._report()
            while self._on_the_way and self._on_the_way[0][0] <= self.card.now_s:
                self.playout.anchor(self._on_the_way.pop(0)[1])
            while self._next_s <= self.card.now_s:
                due_s = self._next_s + 1 / FPS
                speech = self.playout.speech_time(round(due_s * 1e9))
                pose = self.composer.pose(speech, due_s)
                area = float(response.area(pose[p.MOUTH]))
                place_s = None
                if speech is not None:
                    place_s = self._counted[speech.turn, speech.index] + speech.time_s
                self.frames.append((due_s, area, place_s))
                self._next_s += 1 / FPS
            self.card.now_s += TICK_S

    def wrong_s(self, from_s: float = 0.0) -> np.ndarray:
        """By how much what each frame shows lies behind (or, below zero, before) what is heard then, in s."""
        starts = np.array([at_s for at_s, _ in self.card.heard])
        wrong = []
        for seen_s, _, shown_s in self.frames:
            k = int(np.searchsorted(starts, seen_s, side="right")) - 1
            if k < 0 or shown_s is None or seen_s < from_s:
                continue
            at_s, block = self.card.heard[k]
            value = float(block[min(len(block) - 1, int((seen_s - at_s) * RATE))])
            if value >= LEVEL:
                wrong.append((value - LEVEL) * COUNT_S - shown_s)
        return np.array(wrong)

    def openings(self, from_s: float, to_s: float) -> np.ndarray:
        """How far the mouth is open in the frames between."""
        return np.array([area for at_s, area, _ in self.frames if from_s < at_s < to_s])


LEVEL, COUNT_S = 0.2, 1000.0


def counting(seconds: float, turn: int, index: int, counts_from_s: float) -> SpeechClip:
    """Sound whose every sample says where it is: LEVEL + place / COUNT_S. Its phones are open vowels throughout."""
    places_s = counts_from_s + np.arange(round(seconds * RATE)) / RATE
    samples = (LEVEL + places_s / COUNT_S).astype(np.float32)
    times_s = np.arange(0.0, seconds - 0.2, 0.25).tolist()
    phones = tuple(Phone("ˈɑː" if k % 2 else "ˈæ", at_s, at_s + 0.25) for k, at_s in enumerate(times_s))
    return SpeechClip(turn, index, samples, RATE, "", phones, last=True)


CARDS: dict[str, tuple[dict[str, Any], float]] = {
    "plain": ({}, 0.002),
    "a driver that jitters by 8 ms": ({"jitter_s": 0.008}, 0.010),
    "a clock that drifts by 0.02 %": ({"drift": 0.0002}, 0.002),
    "a broken clock": ({"drift": -0.01}, 0.006),
    "blocks in bursts": ({"bursts": True}, 0.002),
    "bursts that jitter": ({"bursts": True, "jitter_s": 0.008, "block": 256}, 0.010),
    "a long buffer": ({"buffer_s": 0.25, "block": 2048}, 0.002),
    # The stream's own latency is all that is known then: of a full buffer, when a block of it is free.
    "a driver without times": ({"has_dac_times": False}, 0.020),
}
"""Each with how far the mouth may be from its place."""


@pytest.mark.parametrize("kind", [*CARDS])
def test_what_the_mouth_shows_is_what_comes_out_of_the_loudspeaker(kind: str) -> None:
    card, limit_s = CARDS[kind]
    stage = Stage(Card(**card))
    stage.say(20.0)

    stage.go_on(21.0)

    wrong_s = stage.wrong_s()
    assert len(wrong_s) > 1100
    assert np.abs(wrong_s).max() <= limit_s


def test_over_ten_minutes_a_drifting_clock_moves_the_mouth_nowhere() -> None:
    """0.02 % are 120 ms in ten minutes."""
    stage = Stage(Card(drift=0.0002, block=2048, buffer_s=0.25))
    for index in range(10):
        stage.say(60.0, index=index, counts_from_s=60.0 * index)
        stage.go_on(59.9)

    wrong_s = stage.wrong_s()
    assert len(wrong_s) > 34_000
    assert np.abs(wrong_s).max() < 0.003


@pytest.mark.parametrize("length_s", [0.03, 0.1, 0.4])
def test_after_an_underrun_the_mouth_is_with_the_sound_again_at_once(length_s: float) -> None:
    card = Card()
    stage = Stage(card)
    stage.say(12.0)
    stage.go_on(4.0)
    card.hangs = True
    stage.go_on(card.buffer_s + length_s)
    card.hangs = False
    resumed_s = card.now_s
    stage.go_on(9.0)

    # The first anchor after it has to reach the face, which draws a frame ahead.
    wrong_s = stage.wrong_s(from_s=resumed_s + stage.late_s + TICK_S + 2 / FPS)
    assert len(wrong_s) > 400
    assert np.abs(wrong_s).max() <= 0.025
    assert np.abs(wrong_s[60:]).max() <= 0.002


def test_where_the_sound_hangs_the_mouth_shuts_and_goes_on_with_it() -> None:
    card = Card()
    stage = Stage(card)
    stage.say(12.0)
    stage.go_on(4.0)
    card.hangs = True
    stopped_s = card.now_s
    stage.go_on(2.5)
    card.hangs = False
    resumed_s = card.now_s
    stage.go_on(6.0)

    assert stage.openings(stopped_s - 1.0, stopped_s).min() > 0.2
    hanging = stage.openings(stopped_s + card.buffer_s + STALE_S + 0.15, resumed_s)
    assert len(hanging) > 60
    assert hanging.max() <= SHUT
    assert stage.openings(resumed_s + 0.3, resumed_s + 2.0).min() > 0.2
    assert np.abs(stage.wrong_s(from_s=resumed_s + 0.5)).max() <= 0.002


def test_an_interruption_shuts_the_mouth_within_a_tenth_of_a_second() -> None:
    stage = Stage(Card())
    stage.say(10.0)
    stage.go_on(3.3)

    stage.interrupt(2)
    cut_s = stage.card.now_s
    stage.go_on(1.0)
    stage.say(6.0, turn=2)
    again_s = stage.card.now_s
    stage.go_on(6.0)

    assert stage.openings(cut_s - 0.3, cut_s).min() > 0.2
    assert stage.openings(cut_s + 0.1 + 1 / FPS, again_s).max() <= SHUT
    assert stage.openings(again_s + 0.5, again_s + 5.0).min() > 0.2
    assert np.abs(stage.wrong_s(from_s=again_s)).max() <= 0.002


def test_an_anchor_that_was_on_its_way_when_it_was_interrupted_opens_nothing() -> None:
    stage = Stage(Card(), late_s=0.2)
    stage.say(10.0)
    stage.go_on(3.3)

    stage.interrupt(2)
    cut_s = stage.card.now_s
    stage.go_on(1.0)

    assert stage.openings(cut_s + 0.1 + 1 / FPS, cut_s + 1.0).max() <= SHUT


def test_a_clause_that_is_skipped_leaves_the_mouth_shut_until_the_next_one_sounds() -> None:
    """Clip 1 could not be spoken; clip 2 comes late."""
    stage = Stage(Card())
    began_s = stage.card.now_s
    stage.say(3.0, index=0)
    stage.go_on(4.5)
    over_s = began_s + 3.0 + stage.card.buffer_s
    stage.say(6.0, index=2)
    again_s = stage.card.now_s
    stage.go_on(6.0)

    between = stage.openings(over_s + 0.15, again_s)
    assert len(between) > 60
    assert between.max() <= SHUT
    assert stage.openings(again_s + 0.5, again_s + 5.0).min() > 0.2
    assert np.abs(stage.wrong_s(from_s=again_s)).max() <= 0.002


def test_clips_that_follow_each_other_are_shown_without_a_gap() -> None:
    stage = Stage(Card(jitter_s=0.003))
    for index in range(4):
        stage.say(2.5, index=index, counts_from_s=2.5 * index)
    stage.go_on(11.0)

    assert np.abs(stage.wrong_s()).max() <= 0.005
    seen = [at_s for at_s, _, shown_s in stage.frames if shown_s is not None]
    assert np.diff(seen).max() == pytest.approx(1 / FPS, abs=1e-6)
