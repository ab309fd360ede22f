from __future__ import annotations

import numpy as np
import pytest

from animator.lipsync import response, visemes
from animator.lipsync.mouth_track import MouthTrack, merge_phones
from animator.messages import Phone, Samples, SpeechClip

RATE = 16_000
SHUT = 0.05
A, I, U, E, O, D = range(6)  # noqa: E741


def said(*sounds: tuple[str, float], start_s: float = 0.1) -> tuple[Phone, ...]:
    """Phones one after another: (ipa, length in ms)."""
    phones = []
    for ipa, length_ms in sounds:
        phones.append(Phone(ipa, start_s, start_s + length_ms / 1000))
        start_s += length_ms / 1000
    return tuple(phones)


def hum(phones: tuple[Phone, ...], tail_s: float = 0.2) -> Samples:
    """A tone wherever a sound is, silence in pauses."""
    t = np.arange(int((phones[-1].end_s + tail_s) * RATE)) / RATE
    on = np.zeros_like(t)
    for phone in phones:
        if phone.ipa:
            on[(t >= phone.start_s) & (t < phone.end_s)] = 0.3
    return (on * np.sin(2 * np.pi * 150 * t)).astype(np.float32)


def track_of(*sounds: tuple[str, float]) -> MouthTrack:
    phones = said(*sounds)
    return MouthTrack(phones, hum(phones), RATE)


def drawn(track: MouthTrack, fps: float, phase: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Frame times in s and mouths (n, 6), phase in frames."""
    times = np.arange(-0.25 + phase / fps, track.duration_s + 0.45, 1 / fps)
    return times, np.array([track.at(float(t), 1 / fps) for t in times])


PHASES = np.linspace(0, 1, 9, endpoint=False)


@pytest.mark.parametrize("fps", [24, 25, 30, 48, 60])
@pytest.mark.parametrize("length_ms", [25, 40, 60, 120])
@pytest.mark.parametrize("lips", ["p", "b", "m"])
def test_every_p_b_m_is_drawn_shut_at_any_frame_rate_and_phase(lips: str, length_ms: float, fps: float) -> None:
    track = track_of(("ˈɑː", 140), (lips, length_ms), ("ˈɑː", 140))
    onset_s, end_s = 0.24, 0.24 + length_ms / 1000

    for phase in PHASES:
        times, mouths = drawn(track, fps, phase)
        near = (times >= onset_s - 0.04) & (times <= end_s + 0.04)
        assert mouths[near].max(axis=1).min() <= SHUT


def test_the_mouth_is_open_again_on_both_sides_of_a_closure() -> None:
    track = track_of(("ˈɑː", 140), ("b", 45), ("ˈɑː", 140))

    before, after = (float(response.area(track.at(t))) for t in (0.16, 0.36))

    assert before > 0.5
    assert after > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_every_closure_of_a_real_voice_is_drawn(spoken: tuple[SpeechClip, ...], fps: float) -> None:
    missed, count = [], 0
    for clip in spoken:
        assert clip.phones
        track = MouthTrack(clip.phones, clip.samples, clip.sample_rate)
        for phase in PHASES:
            times, mouths = drawn(track, fps, phase)
            for phone in clip.phones:
                if visemes.normalise(phone.ipa) in {"p", "b", "m"}:
                    count += 1
                    near = (times >= phone.start_s - 0.04) & (times <= phone.end_s + 0.04)
                    if mouths[near].max(axis=1).min() > SHUT:
                        missed.append((clip.text, phone))

    assert count > 200
    assert missed == []


@pytest.mark.slow
def test_the_mouth_follows_the_loudness_of_a_real_voice(spoken: tuple[SpeechClip, ...]) -> None:
    correlations = []
    for clip in spoken:
        track = MouthTrack(clip.phones or (), clip.samples, clip.sample_rate)
        times = np.arange(0, clip.duration_s, 1 / 60)
        areas = [float(response.area(track.at(float(t)))) for t in times]
        window = int(0.05 * clip.sample_rate)
        envelope = np.sqrt(np.convolve(clip.samples**2, np.full(window, 1 / window), mode="same"))
        correlations.append(np.corrcoef(areas, envelope[(times * clip.sample_rate).astype(int)])[0, 1])

    assert np.mean(correlations) > 0.5


@pytest.mark.parametrize("pause_ms", [320, 500, 1500])
def test_the_mouth_rests_in_a_silence_of_more_than_300_ms(pause_ms: float) -> None:
    track = track_of(("ˈɑː", 200), ("", pause_ms), ("ˈuː", 200))

    times, mouths = drawn(track, 60)
    inside = (times > 0.3 + 0.10) & (times < 0.3 + pause_ms / 1000 - 0.12)

    assert inside.any()
    assert response.area(mouths[inside]).max() <= 0.15
    middle = abs(times - (0.3 + pause_ms / 2000)) < 0.02
    assert mouths[middle].max() <= SHUT


def test_a_quiet_pause_under_150_ms_keeps_a_part_of_the_shape() -> None:
    track = track_of(("ˈɑː", 200), ("", 100), ("ˈɑː", 200))
    vowel, pause = (float(response.area(track.at(t))) for t in (0.2, 0.34))

    assert 0.2 < pause / vowel < 0.6


def test_a_word_gap_in_which_the_voice_goes_on_does_not_close_the_mouth() -> None:
    phones = said(("ˈɑː", 200), ("", 60), ("ˈɑː", 200))
    samples = hum((Phone("ɑ", 0.1, phones[-1].end_s),))
    track = MouthTrack(phones, samples, RATE)
    vowel, gap = (float(response.area(track.at(t))) for t in (0.2, 0.31))

    assert gap > 0.85 * vowel


def test_silence_inside_a_sound_closes_the_mouth() -> None:
    """An aligner that only knows onsets lets the last sound before a pause go on through it."""
    phones = said(("ˈɑː", 1200), ("ˈɑː", 200))
    samples = hum(phones)
    samples[int(0.4 * RATE) : int(1.2 * RATE)] = 0.0
    track = MouthTrack(phones, samples, RATE)

    assert float(response.area(track.at(0.3))) > 0.4
    assert float(track.at(0.8).max()) <= SHUT


def test_a_pause_in_a_noisy_recording_closes_the_mouth_too() -> None:
    """A room's noise at -30 dB, and an aligner that lets the last sound go on through the pause."""
    phones = said(("ˈɑː", 1200), ("ˈɑː", 200))
    samples = hum(phones)
    samples[int(0.4 * RATE) : int(1.2 * RATE)] = 0.0
    samples += (0.007 * np.random.default_rng(3).standard_normal(len(samples))).astype(np.float32)
    track = MouthTrack(phones, samples, RATE)

    assert float(response.area(track.at(0.3))) > 0.4
    assert float(track.at(0.8).max()) <= SHUT


def test_lips_of_a_p_that_is_labelled_too_early_are_held_until_it_is_heard() -> None:
    phones = said(("ˈɑː", 140), ("p", 90), ("ˈɑː", 140))
    samples = hum(phones)
    samples[int(0.22 * RATE) : int(0.30 * RATE)] = 0.0  # labelled at 0.24 s, bursts at 0.30 s
    track = MouthTrack(phones, samples, RATE)

    assert all(track.at(float(t), 1 / 60).max() <= SHUT for t in np.arange(0.23, 0.285, 0.005))
    assert float(response.area(track.at(0.36, 1 / 60))) > 0.4


def test_the_mouth_is_at_rest_before_its_lead_and_150_ms_after_the_last_sound() -> None:
    track = track_of(("ˈɑː", 300))

    assert track.at(-0.21).max() == 0.0
    assert track.at(0.55).max() <= SHUT
    assert track.at(track.duration_s + 0.41).max() == 0.0


def test_lips_open_ahead_of_the_sound_but_not_long_before_it() -> None:
    track = track_of(("ˈɑː", 300))

    assert float(response.area(track.at(0.1))) > 0.8
    assert float(response.area(track.at(-0.1))) <= 0.05


def test_lips_at_rest_stay_shut_until_a_first_p_is_released() -> None:
    """Opening the mouth only to shut it for the p would be a false word."""
    track = track_of(("p", 50), ("ˈɑː", 200))

    for t in np.arange(-0.2, 0.12, 0.01):
        assert track.at(float(t)).max() <= SHUT


def test_teeth_meet_the_lip_for_f_and_v() -> None:
    track = track_of(("ˈɑː", 150), ("f", 80), ("ˈɑː", 150))
    mouth = track.at(0.28)

    assert float(response.area(mouth)) < 0.2
    assert mouth[I] > 0.4


@pytest.mark.parametrize("sibilant", ["s", "z", "ʃ", "tʃ"])
def test_the_jaw_stays_narrow_in_sibilants(sibilant: str) -> None:
    track = track_of(("ˈɑː", 150), (sibilant, 100), ("ˈɑː", 150))
    mouth = track.at(0.28)

    assert max(mouth[A], mouth[O], mouth[D]) <= 0.21


def test_lips_are_rounded_on_the_s_of_stew_already() -> None:
    stew = track_of(("s", 80), ("t", 60), ("ˈuː", 200))
    stay = track_of(("s", 80), ("t", 60), ("ˈeɪ", 200))

    assert stew.at(0.16)[U] > 0.35
    assert stew.at(0.16)[U] > stay.at(0.16)[U] + 0.2


def test_rounding_does_not_reach_through_shut_lips() -> None:
    blue = track_of(("ˈɪ", 150), ("b", 50), ("ˈuː", 200))

    assert blue.at(0.19)[U] < 0.1


def test_a_louder_vowel_opens_the_mouth_wider() -> None:
    phones = said(("ɑ", 200), ("", 300), ("ɑ", 200))
    samples = hum(phones)
    samples[: int(0.4 * RATE)] *= 0.2
    track = MouthTrack(phones, samples, RATE)

    quiet, loud = (float(response.area(track.at(t))) for t in (0.2, 0.7))

    assert loud > 1.3 * quiet > 0.2


def test_a_stressed_vowel_opens_the_mouth_wider() -> None:
    track = track_of(("ʌ", 150), ("", 300), ("ˈʌ", 150))

    assert float(response.area(track.at(0.65))) > 1.2 * float(response.area(track.at(0.17)))


def test_a_very_short_vowel_is_reached_less_and_mp_is_one_closure() -> None:
    long, short = (track_of(("", 20), ("ɛ", ms)) for ms in (150, 40))
    pump = track_of(("ˈʌ", 120), ("m", 50), ("p", 50), ("ˈʌ", 120))

    assert float(response.area(short.at(0.13))) < 0.9 * float(response.area(long.at(0.17)))
    held = [t for t in np.arange(0.20, 0.285, 0.01) if pump.at(float(t)).max() <= SHUT]
    assert len(held) == 9


def test_between_two_closures_a_vowel_of_100_ms_is_seen() -> None:
    track = track_of(("b", 45), ("ˈɛ", 100), ("b", 45))

    _, mouths = drawn(track, 30)

    assert response.area(mouths).max() > 0.2


def test_no_frame_jumps_by_more_than_a_closures_pop() -> None:
    """Without p b m f v the opening changes smoothly; a jump would be seen as a flicker."""
    track = track_of(("h", 60), ("ə", 60), ("l", 60), ("ˈoʊ", 180), ("", 200), ("j", 50), ("ˈɛ", 120), ("s", 100))

    _, mouths = drawn(track, 60)

    assert np.abs(np.diff(response.area(mouths))).max() < 0.2


def test_stretches_of_one_sound_are_joined_before_they_are_shaped() -> None:
    phones = said(("t", 40), ("ʃ", 50), ("ˈ", 30), ("e", 60), ("ɪ", 40), ("ː", 20), ("", 50), ("a", 50), ("ˈɪ", 50))

    merged = merge_phones(phones)

    assert [p.ipa for p in merged] == ["tʃ", "ˈeɪ", "", "a", "ˈɪ"]
    assert [round(1000 * (p.end_s - p.start_s)) for p in merged] == [90, 150, 50, 50, 50]


def test_a_pause_is_not_swallowed_by_a_diphthong() -> None:
    assert [p.ipa for p in merge_phones(said(("e", 60), ("ɪ", 60), ("", 300), ("ə", 60)))] == ["eɪ", "", "ə"]


@pytest.mark.parametrize(
    "phones",
    [
        (),
        (Phone("a", 0.5, 0.2),),
        (Phone("a", float("nan"), 0.2),),
        (Phone("a", 0.3, 0.5), Phone("b", 0.1, 0.4), Phone("", 0.0, 9.0)),
        (Phone("ˈ", 0.1, 0.2),),
        (Phone("💥", 0.1, 0.2), Phone("m", 5.0, 6.0)),
        (Phone("a" * 300, 0.0, 0.5),),
    ],
)
@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(8000), np.full(8000, np.nan), np.full(3, 0.5)])
def test_odd_phones_and_odd_sound_give_a_mouth_all_the_same(phones: tuple[Phone, ...], samples: np.ndarray) -> None:
    track = MouthTrack(phones, samples.astype(np.float32), RATE)

    for t in np.arange(-0.3, 1.0, 0.05):
        mouth = track.at(float(t))
        assert mouth.shape == (6,)
        assert np.float32 == mouth.dtype
        assert np.isfinite(mouth).all()
        assert mouth.min() >= 0.0
        assert mouth.max() <= 1.0
        assert mouth.sum() <= response.MAX_SUM + 1e-5
        assert 0.0 <= track.energy(float(t)) <= 1.0
        assert 0.0 <= track.nod(float(t)) <= 1.0


def test_the_same_place_gives_the_same_mouth_in_any_order() -> None:
    track = track_of(("m", 60), ("ˈaɪ", 150), ("", 200), ("b", 50), ("ˈɔɪ", 150))
    times = [float(t) for t in np.arange(-0.2, 1.0, 0.037)]

    forward = [track.at(t) for t in times]
    backward = [track.at(t) for t in reversed(times)][::-1]

    np.testing.assert_array_equal(forward, backward)


def test_energy_rises_with_speech_and_rests_without_it() -> None:
    track = track_of(("ˈɑː", 600), ("", 1500), ("ˈɑː", 300))

    assert track.energy(0.4) > 0.8
    assert track.energy(1.5) < 0.05
    assert track.nod(0.4) > 0.2
    assert track.energy(-0.2) < 0.05
