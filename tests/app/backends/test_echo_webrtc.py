"""The real canceller in a simulated room."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from animator.messages import Samples
from app.backends.echo_webrtc import WebRtcEchoCanceller
from app.messages import AudioBlock

RATE = 16_000
BLOCK = 320
LATENCY_NS = 60_000_000


class Room:
    """A loudspeaker and a microphone with their own sample counts, and an echo between them."""

    def __init__(self, echo: Samples, *, jitter_ns: int = 0) -> None:
        self._echo = echo
        self._rng = np.random.default_rng(5)
        self._jitter_ns = jitter_ns
        self._new: Samples = np.zeros(0, np.float32)
        self._speaker: Samples = np.zeros(0, np.float32)
        self._now_ns = 10**9
        self._given = 0
        self.canceller = WebRtcEchoCanceller(self._played)

    def _played(self) -> tuple[Samples, int, int]:
        new, self._new = self._new, np.zeros(0, np.float32)
        return new, RATE, self._now_ns + LATENCY_NS

    def run(self, own: Samples, user: Samples) -> Samples:
        """Both speak; what is left of the microphone's sound."""
        out = []
        for start in range(0, len(own), BLOCK):
            self._new = own[start : start + BLOCK]
            self._speaker = np.concatenate([self._speaker, self._new])[-2 * RATE :]
            need = BLOCK + len(self._echo) - 1 + LATENCY_NS * RATE // 10**9
            heard = np.pad(self._speaker[-need:], (max(0, need - len(self._speaker)), 0))
            echo = np.convolve(heard[: BLOCK + len(self._echo) - 1], self._echo, "valid")
            self._now_ns += 20_000_000
            late_ns = int(self._rng.integers(0, self._jitter_ns + 1))
            near = (user[start : start + BLOCK] + echo).astype(np.float32)
            block = AudioBlock(near, self._given, heard_ns=self._now_ns + late_ns)
            self._given += BLOCK
            out.append(self.canceller.cancel(block).samples)
        return np.concatenate(out)


def echo_path(delay_ms: int) -> Samples:
    rng = np.random.default_rng(delay_ms)
    tail = rng.standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    return np.concatenate([np.zeros(delay_ms * 16), 0.5 * tail / np.sqrt(np.sum(tail**2))]).astype(np.float32)


def db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


@pytest.fixture(scope="module")
def own() -> Samples:
    samples, rate = soundfile.read("tests/data/jfk.flac", dtype="float32")
    assert rate == RATE
    return np.concatenate([samples, samples])[: 16 * RATE]


@pytest.fixture(scope="module")
def user(own: Samples) -> Samples:
    """Another voice: the same at another pitch and time, for two seconds."""
    other = np.interp(np.arange(0, 4 * RATE, 1.25), np.arange(4 * RATE), own[RATE : 5 * RATE]).astype(np.float32)
    silent = np.zeros(16 * RATE, np.float32)
    silent[10 * RATE : 12 * RATE] = other[: 2 * RATE]
    return silent


@pytest.mark.parametrize("delay_ms", [5, 80, 200])
def test_nothing_is_left_of_the_characters_own_voice(own: Samples, delay_ms: int) -> None:
    left = Room(echo_path(delay_ms)).run(own, np.zeros_like(own))

    assert db(left) < db(own) - 6 - 35


def test_clocks_that_jitter_do_not_disturb_it(own: Samples) -> None:
    room = Room(echo_path(40), jitter_ns=25_000_000)

    left = room.run(own, np.zeros_like(own))

    assert db(left) < db(own) - 6 - 35
    assert room.canceller.resyncs == 0


def test_a_user_who_speaks_over_the_echo_is_heard(own: Samples, user: Samples) -> None:
    left = Room(echo_path(40)).run(own, user)

    talking = slice(round(10.3 * RATE), 12 * RATE)
    assert db(left[talking]) > db(user[talking]) - 4


def test_while_the_character_is_silent_the_user_passes_unchanged(user: Samples) -> None:
    left = Room(echo_path(40)).run(np.zeros_like(user), user)

    np.testing.assert_array_equal(left, user)


def test_blocks_keep_their_samples_and_times_whatever_their_length() -> None:
    canceller = WebRtcEchoCanceller(lambda: (np.zeros(0, np.float32), RATE, 0))
    sound = np.linspace(-0.1, 0.1, 1000, dtype=np.float32)
    got, at = [], 0
    for length in (100, 333, 160, 7, 400):
        block = AudioBlock(sound[at : at + length], at, heard_ns=(at + length) * 1_000_000_000 // RATE)
        at += length
        clean = canceller.cancel(block)
        assert clean.first_sample == sum(map(len, got))
        got.append(clean.samples)
        assert clean.heard_ns == pytest.approx((clean.first_sample + len(clean.samples)) * 1e9 / RATE, abs=1e5)

    assert len(np.concatenate(got)) == 960
    np.testing.assert_array_equal(np.concatenate(got), sound[:960])
