from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest

from animator.lipsync import phonemes, response, visemes
from animator.lipsync.mouth_track import MouthTrack
from animator.lipsync.phonemes import LOUDNESS, HamaPhonemes, phones_for
from animator.messages import Phone, Samples, SpeechClip

RATE = 22_050
RNG = np.random.default_rng(3)

needs_hama = pytest.mark.skipif(sys.platform == "win32", reason="the package hama has no Windows library")


def seconds(length_s: float) -> np.ndarray:
    return np.arange(int(length_s * RATE)) / RATE


def syllables(count: int) -> Samples:
    """`count` bursts of 150 ms with 100 ms between them, in a second of silence on either side."""
    t = seconds(2 + 0.25 * count)
    on = ((t >= 1) & (t < 1 + 0.25 * count)) & (((t - 1) % 0.25) < 0.15)
    return (0.4 * on * np.sin(2 * np.pi * 140 * t)).astype(np.float32)


MUSIC = (0.2 * sum(np.sin(2 * np.pi * f * seconds(2)) for f in (220, 277, 330))).astype(np.float32)
ODD_SOUNDS: dict[str, Samples] = {
    "empty": np.zeros(0, np.float32),
    "three samples": np.full(3, 0.5, np.float32),
    "50 ms": syllables(2)[RATE : RATE + RATE // 20],
    "silence": np.zeros(RATE, np.float32),
    "faint hiss": (1e-4 * RNG.standard_normal(RATE)).astype(np.float32),
    "noise": (0.2 * RNG.standard_normal(2 * RATE)).astype(np.float32),
    "music": MUSIC,
    "not a number": np.full(RATE, np.nan, np.float32),
    "clipped": np.sign(MUSIC) * 3,
}


@pytest.mark.parametrize("name", ODD_SOUNDS)
def test_any_sound_gives_phones_inside_the_clip_in_order(name: str) -> None:
    samples = ODD_SOUNDS[name]
    found = phones_for(samples, RATE)

    assert all(0 <= p.start_s < p.end_s <= len(samples) / RATE + 1e-6 for p in found)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(found))
    assert all(visemes.parts(p.ipa) for p in found)
    MouthTrack(found, samples, RATE).at(0.1)


@pytest.mark.parametrize("name", ["empty", "silence", "faint hiss", "not a number"])
def test_nothing_is_said_in_silence(name: str) -> None:
    assert phones_for(ODD_SOUNDS[name], RATE) == ()


@pytest.mark.parametrize("source", ["best", "loudness"])
def test_the_mouth_does_not_flap_in_the_silence_around_sound(source: str) -> None:
    samples = syllables(4)
    found = phones_for(samples, RATE) if source == "best" else LOUDNESS.phones(samples, RATE)
    track = MouthTrack(found, samples, RATE)

    quiet = [*np.arange(0.0, 0.8, 1 / 60), *np.arange(2.2, 3.0, 1 / 60)]

    assert max(float(response.area(track.at(float(t)))) for t in quiet) == 0.0


def test_loudness_finds_one_vowel_per_syllable() -> None:
    found = LOUDNESS.phones(syllables(4), RATE)

    assert len(found) == 4
    for k, phone in enumerate(found):
        assert phone.start_s == pytest.approx(1 + 0.25 * k, abs=0.04)
        assert phone.end_s == pytest.approx(1.15 + 0.25 * k, abs=0.06)


def test_a_failing_source_leaves_the_mouth_to_the_loudness(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def phones(self, samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
            raise RuntimeError("the native library gave up")

    monkeypatch.setattr(phonemes, "best_source", Broken)

    assert LOUDNESS.phones(syllables(3), RATE) == phones_for(syllables(3), RATE)


def test_without_a_library_there_is_no_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    assert HamaPhonemes.load() is None


@needs_hama
@pytest.mark.slow
def test_p_b_m_heard_in_a_real_voice_close_the_lips_where_they_are_said(spoken: tuple[SpeechClip, ...]) -> None:
    """The reference is the voice's own timing; within ±60 ms, at 30 fps."""
    source = HamaPhonemes.load()
    assert source is not None
    closed = count = 0
    for clip in spoken:
        track = MouthTrack(source.phones(clip.samples, clip.sample_rate), clip.samples, clip.sample_rate)
        times = np.arange(0, clip.duration_s, 1 / 30)
        widest = np.array([track.at(float(t)).max() for t in times])
        for phone in clip.phones or ():
            if visemes.normalise(phone.ipa) in {"p", "b", "m"}:
                count += 1
                near = (times >= phone.start_s - 0.06) & (times <= phone.end_s + 0.06)
                closed += int(widest[near].min() <= 0.05)

    assert count >= 25
    assert closed / count >= 0.85


@needs_hama
@pytest.mark.slow
def test_sounds_heard_in_a_real_voice_move_the_mouth_as_the_known_ones_do(spoken: tuple[SpeechClip, ...]) -> None:
    source = HamaPhonemes.load()
    assert source is not None
    likeness = []
    for clip in spoken:
        heard = MouthTrack(source.phones(clip.samples, clip.sample_rate), clip.samples, clip.sample_rate)
        known = MouthTrack(clip.phones or (), clip.samples, clip.sample_rate)
        times = np.arange(0, clip.duration_s, 1 / 30)
        areas = [[float(response.area(track.at(float(t)))) for t in times] for track in (heard, known)]
        likeness.append(np.corrcoef(areas)[0, 1])

    assert np.mean(likeness) > 0.6


@needs_hama
@pytest.mark.slow
def test_long_sound_is_cut_at_quiet_places_and_heard_as_a_whole(spoken: tuple[SpeechClip, ...]) -> None:
    source = HamaPhonemes.load()
    assert source is not None
    once = spoken[0]
    samples = np.tile(once.samples, 7)
    found = source.phones(samples, once.sample_rate)

    assert len(samples) / once.sample_rate > phonemes.HAMA_CHUNK_S
    per_repeat = [
        sum(1 for p in found if k * once.duration_s <= p.start_s < (k + 1) * once.duration_s) for k in range(7)
    ]
    assert max(per_repeat) - min(per_repeat) <= 3
