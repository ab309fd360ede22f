"""A night of talking by simulated clocks: the sound card's runs 100 ppm beside the computer's, 2.9 s in the end. What
is simulated is time alone; loudspeaker, anchors, playout and frame clock are the app's own."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from animator.messages import PlayoutAnchor
from animator.timebase import STALE_S, FrameClock, Playout
from app.backends.speaker_sounddevice import SoundDeviceSpeaker
from app.policy.sound_line import LINE_RATE, SoundLine
from tests.app.test_lips_clock import COUNT_S, LEVEL, RATE, Card, counting

HOURS = 8
DRIFT = 100e-6
FPS = 30
CLIP_S = 50.0
TICK_S = 0.1
LATE_S = 0.03
"""How long an anchor takes to the animator process."""
SEEN_EVERY = 10
"""Every so many frames one is compared with what is heard."""


class Night:
    """A loudspeaker on a card, and a face that is told its anchors and draws by the frame clock."""

    def __init__(self, drift: float, jitter_s: float, block: int = 4096) -> None:
        self.card = Card(drift=drift, jitter_s=jitter_s, buffer_s=0.3, block=block)
        self.card.heard = deque(maxlen=16)  # type: ignore[assignment]
        self.speaker = SoundDeviceSpeaker(self.card, sounddevice=self.card)
        self.speaker.open(self._on_anchor, lambda turn, index: None)
        self.speaker._closed.set()  # its thread ends: this test is the thread
        self.playout = Playout(STALE_S)
        self.frame_clock = FrameClock(self.card.now_ns(), FPS)
        self.begun_s = self.card.now_s
        self.wrong_s: list[float] = []
        self.clips = 0
        self._on_the_way: deque[tuple[float, PlayoutAnchor]] = deque()

    def _on_anchor(self, anchor: PlayoutAnchor) -> None:
        self._on_the_way.append((self.card.now_s + LATE_S, anchor))

    def talk(self, seconds: float) -> None:
        """Clip after clip, each there well before the one before is over."""
        end_s = self.card.now_s + seconds
        due_ns, number = self.frame_clock.next_due_ns(self.card.now_ns()), 0
        while self.card.now_s < end_s:
            if self.speaker.queued_s() < 5.0:
                clip = counting(CLIP_S, 1, self.clips, 0.0)
                self.playout.add_clip(1, self.clips, clip.duration_s)
                self.speaker.play(clip)
                self.clips += 1
            self.card.run()
            self.speaker._report()
            while self._on_the_way and self._on_the_way[0][0] <= self.card.now_s:
                self.playout.anchor(self._on_the_way.popleft()[1])
            while due_ns <= self.card.now_ns():
                if number % SEEN_EVERY == 0:
                    self._look(due_ns)
                number += 1
                due_ns = self.frame_clock.next_due_ns(due_ns)
            self.card.now_s += TICK_S

    def _look(self, due_ns: int) -> None:
        speech = self.playout.speech_time(due_ns)
        seen_s = due_ns / 1e9
        for at_s, block in reversed(self.card.heard):
            if at_s <= seen_s:
                value = float(block[min(len(block) - 1, int((seen_s - at_s) * RATE))])
                break
        else:
            return
        heard_s = (value - LEVEL) * COUNT_S
        # At its ends a clip is faded, or another one is nearer.
        if speech is not None and value >= LEVEL and 1.0 < heard_s < CLIP_S - 1.0 and 0.0 < speech.time_s < CLIP_S:
            self.wrong_s.append(heard_s - speech.time_s)


@pytest.mark.slow
@pytest.mark.parametrize(("drift", "jitter_s"), [(DRIFT, 0.0), (-DRIFT, 0.003)])
def test_after_eight_hours_of_talking_the_mouth_is_where_the_sound_is(drift: float, jitter_s: float) -> None:
    night = Night(drift, jitter_s)

    night.talk(HOURS * 3600)

    wrong_ms = 1e3 * np.array(night.wrong_s)
    hour = len(wrong_ms) // HOURS
    assert hour > 0.9 * 3600 * FPS / SEEN_EVERY
    assert 1000 / FPS > np.abs(wrong_ms).max()
    assert 5.0 > abs(wrong_ms[-hour:].mean() - wrong_ms[:hour].mean()) / (HOURS - 1)  # ms an hour
    assert night.frame_clock.missed == 0


@pytest.mark.slow
@pytest.mark.parametrize("drift", [DRIFT, -DRIFT])
def test_after_eight_hours_a_recording_has_its_sound_where_its_pictures_are(drift: float) -> None:
    """Sentences of 8 s with 2 s of silence between; each begins with a click."""
    line = SoundLine(0)
    block = np.zeros(LINE_RATE, np.float32)
    made = 0
    wrong_s = []

    def placed(samples: np.ndarray) -> None:
        nonlocal made
        found = np.flatnonzero(samples > 0.5)
        wrong_s.extend((made + int(at)) / LINE_RATE - wanted_s for at in found)
        made += len(samples)

    for number in range(HOURS * 360):
        wanted_s = 10.0 * number + 1.0
        placed(line.silence_until(round((wanted_s - 0.05) * 1e9)))
        for second in range(8):
            sound = block.copy()
            sound[0] = 0.9 if second == 0 else 0.0
            # Of a device that runs `drift` fast a second of samples is over before the computer's is.
            placed(line.add(sound, LINE_RATE, round((wanted_s + second / (1 + drift)) * 1e9)))

    assert len(wrong_s) > 0.9 * HOURS * 360
    assert 1 / FPS > np.abs(wrong_s).max()
