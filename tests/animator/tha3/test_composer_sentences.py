"""A sentence that comes in pieces: what the face does at seams, in underruns and when it is cut off."""

from __future__ import annotations

import numpy as np
import pytest

from animator.lipsync import response
from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3 import pose as p
from animator.tha3.composer import Composer

RATE = 16_000
FRAME_S = 1 / 30
SHUT = 0.05


def piece(turn: int, index: int, *sounds: tuple[str, float], continues: bool = False, text: str = "") -> SpeechClip:
    """A clip that is all sound: (ipa, ms) from its first sample to its last."""
    phones, at_s = [], 0.0
    for ipa, length_ms in sounds:
        phones.append(Phone(ipa, at_s, at_s + length_ms / 1000))
        at_s += length_ms / 1000
    t = np.arange(round(at_s * RATE)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * 150 * t)).astype(np.float32)
    return SpeechClip(turn, index, samples, RATE, text, tuple(phones), last=False, continues=continues, final=False)


def area(pose: np.ndarray) -> float:
    return float(response.area(pose[p.MOUTH]))


def heard(composer: Composer, clip: SpeechClip, from_s: float, to_s: float, host_s: float) -> list[np.ndarray]:
    """Frames while `clip` is heard from `from_s` to `to_s`, its first sample at host time `host_s`."""
    times = np.arange(from_s, to_s - 1e-9, FRAME_S)
    return [composer.pose(SpeechTime(clip.turn, clip.index, float(t)), host_s + float(t)) for t in times]


AAA = (("ˈɑː", 500),)


def test_a_vowel_across_two_clips_keeps_the_mouth_open() -> None:
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, *AAA, continues=True)
    composer.push(one)
    composer.push(two)

    areas = [area(pose) for pose in heard(composer, one, 0.1, 0.5, 100.0) + heard(composer, two, 0.0, 0.3, 100.5)]

    assert min(areas) > 0.85 * max(areas)


def test_two_sentences_are_two_mouths() -> None:
    """The next clip does not continue this one, and its sound begins 0.3 s later: the mouth rests in between."""
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, *AAA)
    composer.push(one)
    composer.push(two)

    poses = heard(composer, one, 0.1, 0.7, 100.0)

    assert max(area(pose) for pose in poses[-2:]) <= SHUT


@pytest.mark.parametrize("comes_s", [0.1, 0.3, 0.44])
def test_a_piece_that_comes_while_the_one_before_is_heard_makes_no_jump(comes_s: float) -> None:
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, ("ˈuː", 400), continues=True)
    composer.push(one)
    before = heard(composer, one, 0.0, comes_s, 100.0)
    composer.push(two)
    after = heard(composer, one, comes_s, 0.5, 100.0) + heard(composer, two, 0.0, 0.4, 100.5)

    mouths = np.array([pose[p.MOUTH] for pose in [before[-1], *after]])
    assert np.abs(np.diff(response.area(mouths))).max() < 0.5
    assert area(after[-1]) > 0.1


def test_an_underrun_shuts_the_mouth_and_it_comes_back() -> None:
    """The sound stops at the seam for 0.6 s though the next piece is known."""
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, *AAA, continues=True)
    composer.push(one)
    composer.push(two)
    heard(composer, one, 0.1, 0.5, 100.0)

    held_up = heard(composer, one, 0.5, 0.9, 100.0)
    silent = [composer.pose(None, 100.9 + k * FRAME_S) for k in range(3)]
    back = heard(composer, two, -0.1, 0.4, 101.1)

    areas = [area(pose) for pose in [*held_up, *silent, *back]]
    assert max(areas[5 : len(held_up) + 3]) <= SHUT
    assert max(area(pose) for pose in back) > 0.8
    assert np.abs(np.diff(areas)).max() < 0.6


def test_a_piece_that_comes_after_the_sound_was_over_begins_anew() -> None:
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, ("b", 60), ("ˈɑː", 300), continues=True)
    composer.push(one)
    heard(composer, one, 0.1, 0.9, 100.0)
    composer.push(two)

    waiting = heard(composer, one, 0.8, 0.9, 100.1)
    back = heard(composer, two, -0.2, 0.3, 101.5)

    assert max(area(pose) for pose in waiting) <= SHUT
    assert back[6][p.MOUTH].max() <= SHUT  # the b
    assert area(back[-1]) > 0.5


def test_a_barge_in_between_two_pieces_shuts_the_mouth_for_good() -> None:
    composer = Composer(1)
    one, two = piece(1, 0, *AAA), piece(1, 1, *AAA, continues=True)
    composer.push(one)
    composer.push(two)
    heard(composer, one, 0.1, 0.5, 100.0)
    composer.clear(2)

    after = [composer.pose(None, 100.5 + k * FRAME_S) for k in range(12)]
    late = piece(1, 2, *AAA, continues=True)
    composer.push(late)
    even_so = heard(composer, late, 0.0, 0.3, 101.0)

    assert max(area(pose) for pose in after[4:]) <= SHUT
    assert max(area(pose) for pose in even_so) == 0.0


def test_a_clause_that_is_skipped_leaves_the_next_ones_mouth_alone() -> None:
    """Piece 1 never comes; piece 2 says that it continues something that is not there."""
    composer = Composer(1)
    one, three = piece(1, 0, *AAA), piece(1, 2, ("ˈuː", 400), continues=True)
    composer.push(one)
    composer.push(three)

    heard(composer, one, 0.1, 0.5, 100.0)
    poses = heard(composer, three, 0.0, 0.4, 100.6)

    assert poses[6][p.MOUTH][2] > 0.5


def test_a_question_tilts_the_head_with_its_last_piece_only() -> None:
    first = piece(1, 0, *AAA, text="Did you know that?")
    last = SpeechClip(1, 1, first.samples, RATE, "", first.phones, last=True, continues=True, final=True)
    composer = Composer(1)
    composer.push(first)
    composer.push(last)

    heard(composer, first, 0.0, 0.5, 100.0)
    before = len(composer._gestures)
    heard(composer, last, 0.0, 0.5, 100.5)

    assert (0, 1) == (before, len(composer._gestures))


def test_breath_is_not_taken_at_a_seam() -> None:
    composer = Composer(1)
    one, two = piece(1, 0, ("ˈɑː", 1500)), piece(1, 1, ("ˈɑː", 1500), continues=True)
    composer.push(one)
    composer.push(two)

    poses = heard(composer, one, 0.6, 1.5, 100.0) + heard(composer, two, 0.0, 1.5, 101.5)
    breath = np.array([pose[p.INDEX["breathing"]] for pose in poses])

    assert np.diff(breath).max() < 0.02
    assert breath[-1] < breath[0] - 0.2
