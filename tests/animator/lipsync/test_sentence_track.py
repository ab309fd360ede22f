"""A voice streams a sentence in pieces: one mouth, as if it had come at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from animator.lipsync import response
from animator.lipsync.mouth_track import MouthTrack
from animator.lipsync.sentence_track import SentenceTrack
from animator.messages import Phone, Samples

RATE = 16_000
SHUT = 0.05
U = 2

Sounds = tuple[tuple[str, float], ...]


def said(sounds: Sounds) -> tuple[Phone, ...]:
    """Phones one after another from 0 on: (ipa, length in ms)."""
    phones, at_s = [], 0.0
    for ipa, length_ms in sounds:
        phones.append(Phone(ipa, at_s, at_s + length_ms / 1000))
        at_s += length_ms / 1000
    return tuple(phones)


def hum(phones: tuple[Phone, ...]) -> Samples:
    t = np.arange(round(phones[-1].end_s * RATE)) / RATE
    on = np.zeros_like(t)
    for phone in phones:
        if phone.ipa:
            on[(t >= phone.start_s) & (t < phone.end_s)] = 0.3
    return (on * np.sin(2 * np.pi * 150 * t)).astype(np.float32)


def piece(*sounds: tuple[str, float]) -> tuple[tuple[Phone, ...], Samples]:
    phones = said(sounds)
    return phones, hum(phones)


def sentence(*pieces: tuple[tuple[Phone, ...], Samples], shown_s: float = -math.inf) -> SentenceTrack:
    track = SentenceTrack(*pieces[0], RATE)
    for each in pieces[1:]:
        track = track.extended(*each, shown_s=shown_s)
    return track


OPEN = (("ˈɑː", 300),)
LONG_OPEN = (("h", 60), ("ˈɑː", 300))


def test_pieces_give_the_mouth_of_the_sentence_that_they_are() -> None:
    first, second = (("t", 60), ("ˈɛ", 140), ("s", 80)), (("t", 60), ("ˈuː", 200), ("m", 80), ("ˈɑː", 200))
    joined = sentence(piece(*first), piece(*second))
    whole = MouthTrack(*piece(*first, *second), RATE)

    for t in np.arange(-0.2, whole.duration_s + 0.3, 0.011):
        np.testing.assert_allclose(joined.at(float(t)), whole.at(float(t)), atol=0.02)


def test_a_vowel_that_is_cut_in_two_stays_open_at_the_seam() -> None:
    joined = sentence(piece(*OPEN), piece(*OPEN))

    areas = [float(response.area(joined.at(t))) for t in np.arange(0.2, 0.4, 0.01)]

    assert min(areas) > 0.8 * max(areas)


def test_a_hop_of_silence_at_a_seam_is_none() -> None:
    """A decoder's pieces may begin and end with a label for a few ms of nothing."""
    joined = sentence(piece(("ˈɑː", 300), ("", 20)), piece(("", 15), ("ˈɑː", 300)))

    assert float(response.area(joined.at(0.31))) > 0.6


def test_lips_round_ahead_of_a_sound_in_the_next_piece() -> None:
    alone = sentence(piece(("ˈɛ", 140), ("s", 80), ("t", 60)))
    joined = sentence(piece(("ˈɛ", 140), ("s", 80), ("t", 60)), piece(("ˈuː", 250)))

    assert joined.at(0.25)[U] > alone.at(0.25)[U] + 0.2


@pytest.mark.parametrize("fps", [24, 30, 60])
def test_lips_are_shut_for_a_b_right_behind_the_seam(fps: float) -> None:
    joined = sentence(piece(*OPEN), piece(("b", 50), ("ˈɑː", 200)))

    for phase in np.linspace(0, 1, 7, endpoint=False):
        times = np.arange(0.26 + phase / fps, 0.36, 1 / fps)
        assert min(joined.at(float(t), 1 / fps).max() for t in times) <= SHUT


@pytest.mark.parametrize("shown_s", [0.05, 0.18, 0.26, 0.299])
def test_what_has_been_shown_stays_and_what_follows_does_not_jump(shown_s: float) -> None:
    first = piece(*OPEN)
    before = sentence(first)
    joined = before.extended(*piece(("s", 90), ("t", 60), ("ˈuː", 250)), shown_s=shown_s)

    for t in np.arange(-0.2, shown_s, 0.005):
        np.testing.assert_array_equal(before.at(float(t)), joined.at(float(t)))
    times = np.arange(shown_s - 0.01, shown_s + 0.15, 0.005)
    after, own = (response.area(np.array([each.at(float(t)) for t in times])) for each in (joined, joined.whole))
    assert np.abs(np.diff(after)).max() < max(0.12, 1.2 * np.abs(np.diff(own)).max())


@pytest.mark.parametrize("late_s", [0.0, 0.02, 0.05])
def test_a_b_that_became_known_at_the_last_moment_is_drawn_all_the_same(late_s: float) -> None:
    """Its piece came when its closure should have begun."""
    before = sentence(piece(*OPEN))
    joined = before.extended(*piece(("b", 50), ("ˈɑː", 200)), shown_s=0.3 - late_s)

    for fps in (24, 30, 60):
        for phase in np.linspace(0, 1, 7, endpoint=False):
            times = np.arange(0.2 + phase / fps, 0.42, 1 / fps)
            assert min(joined.at(float(t), 1 / fps).max() for t in times) <= SHUT


def test_at_a_seam_the_mouth_shuts_when_the_next_piece_is_not_heard() -> None:
    """An underrun: the piece is over, the next is known but its sound has not begun."""
    joined = sentence(piece(*OPEN), piece(*OPEN))
    first = joined.piece(0)

    areas = [float(response.area(first.at(0.3 + t))) for t in np.arange(0.0, 0.2, 0.01)]

    assert areas[0] > 0.6
    assert max(areas[13:]) <= SHUT
    assert np.abs(np.diff(areas)).max() < 0.2


def test_a_piece_that_is_heard_late_opens_the_mouth_for_its_own_first_sound() -> None:
    joined = sentence(piece(*OPEN), piece(("ˈuː", 300)))
    second = joined.piece(1)

    assert second.at(-0.15).max() <= SHUT
    assert second.at(0.1)[U] > 0.5
    areas = [float(response.area(second.at(t))) for t in np.arange(-0.2, 0.3, 0.01)]
    assert np.abs(np.diff(areas)).max() < 0.2


def test_a_sentence_whose_next_piece_never_comes_ends_like_any_other() -> None:
    alone = sentence(piece(*OPEN)).piece(0)

    assert alone.at(alone.duration_s + 0.15).max() <= SHUT
    assert alone.rest_s == 0.0


def test_pieces_know_their_places() -> None:
    joined = sentence(piece(*OPEN), piece(*LONG_OPEN), piece(*OPEN))

    pieces = [joined.piece(k) for k in range(3)]

    assert [0.0, pytest.approx(0.3), pytest.approx(0.66)] == [each.starts_s for each in pieces]
    assert [pytest.approx(0.3), pytest.approx(0.36), pytest.approx(0.3)] == [each.duration_s for each in pieces]
    assert [pytest.approx(0.66), pytest.approx(0.3), pytest.approx(0.0)] == [each.rest_s for each in pieces]
    assert joined.phones[-1].end_s == pytest.approx(joined.duration_s)


def test_energy_does_not_sink_at_a_seam() -> None:
    joined = sentence(piece(("ˈɑː", 600)), piece(("ˈɑː", 600)))

    assert joined.energy(0.6) > 0.8


@pytest.mark.parametrize("phones", [(), (Phone("a", math.nan, 1.0),), (Phone("", 0.0, 9.0),)])
def test_an_odd_piece_is_no_harm(phones: tuple[Phone, ...]) -> None:
    joined = sentence(piece(*OPEN)).extended(phones, np.zeros(1000, np.float32)).extended((), np.zeros(0, np.float32))

    for t in np.arange(-0.3, 1.0, 0.02):
        mouth = joined.piece(1).at(float(t))
        assert np.isfinite(mouth).all()
        assert mouth.min() >= 0.0
