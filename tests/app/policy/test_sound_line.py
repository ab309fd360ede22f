"""The sound of a recording lies where it was heard, whatever the loudspeaker's clock does."""

from __future__ import annotations

import numpy as np
import pytest

from app.policy.sound_line import LINE_RATE, SoundLine

START_NS = 5_000_000_000


def heard(at_s: float) -> int:
    return START_NS + round(at_s * 1e9)


def loud(samples: int) -> np.ndarray:
    return np.full(samples, 0.5, np.float32)


def first_loud(line: np.ndarray) -> float:
    return float(np.flatnonzero(np.abs(line) > 0.25)[0]) / LINE_RATE


def test_a_block_lies_where_it_is_heard_and_silence_before_it() -> None:
    sound = SoundLine(START_NS)

    line = sound.add(loud(480), LINE_RATE, heard(0.25))

    assert 0.25 == first_loud(line)
    assert round(0.25 * LINE_RATE) + 480 == len(line) == sound.samples


def test_what_was_heard_before_the_first_picture_is_left_out() -> None:
    sound = SoundLine(START_NS)
    block = np.concatenate([np.zeros(480, np.float32), loud(480)])

    assert 480 == len(line := sound.add(block, LINE_RATE, heard(-0.01)))
    assert 0.0 == first_loud(line)


def test_host_times_that_tremble_are_not_heard() -> None:
    sound = SoundLine(START_NS)
    chance = np.random.default_rng(3)
    t = np.arange(LINE_RATE) / LINE_RATE
    tone = (0.5 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)

    parts = [
        sound.add(tone[first : first + 480], LINE_RATE, heard(first / LINE_RATE + chance.uniform(-0.004, 0.004)))
        for first in range(0, LINE_RATE, 480)
    ]
    line = np.concatenate(parts)[-LINE_RATE + 480 :]

    assert np.abs(np.diff(line)).max() <= np.abs(np.diff(tone)).max() * 1.01


@pytest.mark.parametrize("ppm", [-100, 100])
def test_clocks_that_drift_apart_for_an_hour_stay_together(ppm: int) -> None:
    sound = SoundLine(START_NS)
    block = 4800
    line_end_s = {}
    for number in range(36_000):
        at_s = number * block / LINE_RATE * (1 + ppm * 1e-6)
        is_word = number % 40 < 30  # three seconds of speech, one of silence
        samples = loud(block) if is_word else np.zeros(block, np.float32)
        sound.add(samples, LINE_RATE, heard(at_s))
        if number % 6000 == 5999:
            end_s = (number + 1) * block / LINE_RATE * (1 + ppm * 1e-6)
            line_end_s[number] = sound.samples / LINE_RATE - end_s

    assert all(abs(off_s) < 0.006 for off_s in line_end_s.values()), line_end_s


def test_a_device_that_stood_still_begins_anew_where_it_is_heard() -> None:
    sound = SoundLine(START_NS)
    line = np.concatenate(
        [sound.add(np.zeros(4800, np.float32), LINE_RATE, heard(0.0)), sound.add(loud(480), LINE_RATE, heard(0.4))]
    )

    assert 0.4 == first_loud(line)


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000])
def test_other_rates_end_up_at_the_same_place(rate: int) -> None:
    sound = SoundLine(START_NS)
    parts = []
    for number in range(20):
        samples = loud(rate // 50) if number == 10 else np.zeros(rate // 50, np.float32)
        parts.append(sound.add(samples, rate, heard(0.1 + number / 50)))
    parts.append(sound.silence_until(heard(1.0)))
    line = np.concatenate(parts)

    assert LINE_RATE == len(line) == sound.samples
    assert 0.3 == pytest.approx(first_loud(line), abs=0.001)


def test_silence_fills_what_nobody_played_and_is_never_laid_over_sound() -> None:
    sound = SoundLine(START_NS)
    sound.silence_until(heard(0.5))

    late = sound.add(loud(9600), LINE_RATE, heard(0.4))

    assert 4800 == len(late)
    assert round(0.6 * LINE_RATE) == sound.samples
    assert 0 == len(sound.silence_until(heard(0.55)))
