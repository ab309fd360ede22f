"""Two sound devices whose clocks differ, in simulated time: the second plays what the first one plays, when it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app.policy.sample_clock import SampleClock
from app.policy.sound_follow import SoundFollower

RATE = 48_000
HZ = 220.0


@dataclass
class Device:
    """Asks for blocks while its buffer has room; its clock runs `ppm` fast; its driver's times jitter."""

    ppm: float = 0.0
    rate: int = RATE
    block: int = 960
    buffer_s: float = 0.08
    jitter_s: float = 0.0
    free_s: float = 1.0

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(4)

    @property
    def block_s(self) -> float:
        return self.block / self.rate / (1.0 + self.ppm * 1e-6)

    def wants(self, now_s: float) -> bool:
        return self.free_s - now_s <= self.buffer_s - self.block_s

    def told_ns(self) -> int:
        return round((self.free_s + self._chance.uniform(-1, 1) * self.jitter_s) * 1e9)


def tone(start: int, count: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * HZ / RATE * (start + np.arange(count)))).astype(np.float32)


class Pair:
    """The first device plays a tone that never ends; `heard` is what the second one gives, with its true times."""

    def __init__(self, first: Device, second: Device, sound=tone) -> None:
        self.first, self.second, self.sound = first, second, sound
        self.follower = SoundFollower(first.rate, second.rate)
        self.now_s = 1.0
        self.rendered = 0
        self.stalls: list[tuple[float, float]] = []
        self.heard: list[tuple[float, float, np.ndarray]] = []
        """(true time of its first sample, source sample that the first device plays then, block)."""

    def source_at(self, host_s: float) -> float:
        return (host_s - self._zero_s) * self.first.rate * (1.0 + self.first.ppm * 1e-6)

    def run(self, seconds: float) -> None:
        self._zero_s = getattr(self, "_zero_s", self.first.free_s)
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            is_stalled = any(start <= self.now_s < end for start, end in self.stalls)
            while not is_stalled and self.first.wants(self.now_s):
                self.follower.feed(self.sound(self.rendered, self.first.block), self.first.told_ns())
                self.rendered += self.first.block
                self.first.free_s += self.first.block_s
            while self.second.wants(self.now_s):
                at_s = self.second.free_s
                block = self.follower.pull(self.second.block, self.second.told_ns())
                self.heard.append((at_s, self.source_at(at_s), block))
                self.second.free_s += self.second.block_s
            self.now_s += 0.005

    def late_s(self, from_s: float) -> np.ndarray:
        """By how much each block is later than at the first device, from the tone's phase (within half a period)."""
        late = []
        for at_s, source, block in self.heard:
            if at_s < from_s or not block.any():
                continue
            n = np.arange(len(block)) * self.first.rate / self.second.rate
            found = np.angle(np.sum(block * np.exp(-2j * np.pi * HZ / self.first.rate * n)))
            wanted = 2 * np.pi * HZ / self.first.rate * source - np.pi / 2
            off = (wanted - found + np.pi) % (2 * np.pi) - np.pi
            late.append(off / (2 * np.pi * HZ))
        return np.array(late)


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_with_clocks_200_ppm_apart_nothing_is_lost_nothing_clicks_and_it_stays_in_place(ppm: float) -> None:
    pair = Pair(Device(buffer_s=0.12), Device(ppm, block=1024, jitter_s=0.002))

    pair.run(300.0)

    after_s = 30.0
    sound = np.concatenate([block for at_s, _, block in pair.heard if at_s > after_s])
    assert (0, 0) == (pair.follower.gaps, pair.follower.jumps)
    # A tone of 220 Hz bends by no more than this from one sample to the next; a click of -60 dB would show.
    assert np.abs(np.diff(sound, 2)).max() < 0.5 * (2 * np.pi * HZ / RATE) ** 2 * 1.05 + 1e-5
    assert 0.5 == pytest.approx(np.abs(sound).max(), abs=0.002)
    assert np.abs(pair.late_s(after_s)).max() < 0.0015
    assert pair.follower.lag_s == 0.0
    assert pair.follower.drift_ppm == pytest.approx(ppm, abs=10)


def test_where_the_first_device_hands_over_late_the_second_is_later_by_what_that_needs_and_no_more() -> None:
    pair = Pair(Device(buffer_s=0.06), Device(50.0, buffer_s=0.1))

    pair.run(60.0)

    assert pair.follower.gaps <= 1
    assert 0.04 < pair.follower.lag_s < 0.12
    assert np.ptp(pair.late_s(30.0)) < 0.0015


def test_devices_of_other_rates_follow_too() -> None:
    pair = Pair(Device(buffer_s=0.12), Device(-120.0, rate=44_100, block=882))

    pair.run(60.0)

    sound = np.concatenate([block for at_s, _, block in pair.heard if at_s > 30.0])
    spectrum = np.abs(np.fft.rfft(sound[:44_100] * np.hanning(44_100)))
    assert 220 == np.argmax(spectrum)
    spectrum[210:231] = 0.0
    assert 20 * np.log10(spectrum.max() / (44_100 / 8)) < -70.0
    assert 0 == pair.follower.gaps


def test_after_a_hang_of_the_first_device_it_is_in_place_again() -> None:
    pair = Pair(Device(buffer_s=0.12), Device(100.0))
    pair.run(20.0)
    pair.stalls = [(pair.now_s, pair.now_s + 0.4)]
    pair.run(0.4)
    stalled_to_s = pair.now_s
    # What is heard next is heard later: the device had nothing for that long.
    gap_s = stalled_to_s - pair.first.free_s
    pair.first.free_s = stalled_to_s
    pair._zero_s += gap_s
    pair.run(20.0)

    assert pair.follower.gaps >= 1
    assert pair.follower.lag_s <= 0.3
    assert np.ptp(pair.late_s(stalled_to_s + 10.0)) < 0.0015


def test_what_is_off_in_a_silence_is_put_right_there_at_once() -> None:
    def sound(start: int, count: int) -> np.ndarray:
        return tone(start, count) if start >= 10 * RATE else np.zeros(count, np.float32)

    pair = Pair(Device(buffer_s=0.12), Device(), sound)
    pair.run(5.0)
    pair.follower._at -= 0.04 * RATE
    pair.run(8.0)

    assert np.abs(pair.late_s(0.0)[1:]).max() < 0.001  # the first block begins in silence
    assert 0 == pair.follower.jumps


def test_what_the_first_device_left_is_played_before_what_is_made_anew() -> None:
    """Its device is lost in mid-word: the second one sets the pace from there on, without a gap."""
    pair = Pair(Device(buffer_s=0.12), Device(block=480))
    pair.run(5.0)
    follower = pair.follower
    before = pair.heard[-1][2]

    def render(count: int, heard_ns: int) -> np.ndarray:
        block = tone(pair.rendered, count)
        pair.rendered += count
        follower.feed(block, heard_ns)
        return block

    after = np.concatenate([follower.bridge(480, round(pair.now_s * 1e9), render) for _ in range(100)])

    sound = np.concatenate([before, after])
    assert np.abs(np.diff(sound, 2)).max() < 0.5 * (2 * np.pi * HZ / RATE) ** 2 * 1.05 + 1e-5
    assert np.abs(after[-480:]).max() > 0.3


def test_without_another_pace_every_sample_comes_out_as_it_went_in() -> None:
    follower = SoundFollower(RATE, RATE)
    noise = np.random.default_rng(1).normal(0.0, 0.2, RATE).astype(np.float32)
    place = [0]

    def render(count: int, heard_ns: int) -> np.ndarray:
        block = noise[place[0] : place[0] + count]
        place[0] += count
        follower.feed(block, heard_ns)
        return block

    out = np.concatenate([follower.bridge(480, 0, render) for _ in range(50)])

    np.testing.assert_allclose(out[32:], noise[32 : len(out)], atol=1e-6)


def test_a_clock_is_known_through_the_jitter_of_its_driver() -> None:
    clock, chance = SampleClock(RATE), np.random.default_rng(2)
    for k in range(6000):
        clock.note(k * 480, round(k * 0.01 / (1 - 100e-6) * 1e9 + chance.uniform(-3e6, 3e6)))

    assert clock.drift_ppm() == pytest.approx(-100, abs=15)
    assert clock.count_at(60e9 / (1 - 100e-6)) == pytest.approx(60 * RATE, abs=0.0015 * RATE)


def test_no_drift_is_told_of_a_clock_that_was_not_watched_for_long() -> None:
    clock = SampleClock(RATE)
    for k in range(1000):
        clock.note(k * 480, k * 10_000_000)

    assert clock.drift_ppm() is None
