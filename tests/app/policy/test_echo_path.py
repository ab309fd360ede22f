from __future__ import annotations

import numpy as np

from animator.messages import Samples
from app.policy.echo_path import FRAME, EchoPath

RATE = 16_000


def voice(seconds: float, seed: int) -> Samples:
    """Noise with the ups and downs of speech."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    envelope = np.repeat(rng.uniform(0.0, 1.0, count // 1600 + 1) ** 2, 1600)[:count]
    return (0.2 * envelope * rng.standard_normal(count)).astype(np.float32)


def room(seed: int = 3) -> Samples:
    rng = np.random.default_rng(seed)
    tail = rng.standard_normal(2400) * np.exp(-np.arange(2400) / 500)
    return np.concatenate([np.zeros(800), 0.5 * tail / np.sqrt(np.sum(tail**2))]).astype(np.float32)


def rest_of(near: Samples, far: Samples) -> Samples:
    path = EchoPath()
    frames = range(0, len(near) // FRAME * FRAME, FRAME)
    return np.concatenate([path.step(near[i : i + FRAME], far[i : i + FRAME]) for i in frames])


def db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def test_within_three_seconds_most_of_an_echo_is_explained() -> None:
    far = voice(6.0, 1)
    echo = np.convolve(far, room())[: len(far)].astype(np.float32)

    rest = rest_of(echo, far)

    assert db(rest[3 * RATE :]) < db(echo[3 * RATE :]) - 15


def test_a_voice_over_the_echo_stays_whole_and_the_room_stays_known() -> None:
    far, user = voice(8.0, 1), np.zeros(8 * RATE, np.float32)
    user[4 * RATE : 6 * RATE] = voice(2.0, 2)
    echo = np.convolve(far, room())[: len(far)].astype(np.float32)

    rest = rest_of(echo + user, far)

    talking, after = slice(4 * RATE, 6 * RATE), slice(6 * RATE, 8 * RATE)
    assert db(rest[talking] - user[talking]) < db(echo[talking]) - 8
    assert db(rest[after]) < db(echo[after]) - 12


def test_without_a_reference_the_sound_passes_unchanged() -> None:
    user = voice(1.0, 2)

    np.testing.assert_allclose(rest_of(user, np.zeros_like(user)), user, atol=1e-6)
