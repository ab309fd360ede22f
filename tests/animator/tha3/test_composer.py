from __future__ import annotations

import threading

import numpy as np
import pytest

from animator.lipsync import phonemes, response
from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3 import pose as p
from animator.tha3.composer import HEAD_LIMIT, Composer

RATE = 16_000
FRAME_S = 1 / 30
SHUT = 0.05


def clip(
    turn: int, index: int, *sounds: tuple[str, float], known: bool = True, start_s: float = 0.05, end_s: float = 0.25
) -> SpeechClip:
    """A clip of (ipa, ms) sounds: a tone where there is sound."""
    phones = []
    at_s = start_s
    for ipa, length_ms in sounds:
        phones.append(Phone(ipa, at_s, at_s + length_ms / 1000))
        at_s += length_ms / 1000
    t = np.arange(int((at_s + end_s) * RATE)) / RATE
    on = np.zeros_like(t)
    for phone in phones:
        if phone.ipa:
            on[(t >= phone.start_s) & (t < phone.end_s)] = 0.3
    samples = (on * np.sin(2 * np.pi * 150 * t)).astype(np.float32)
    return SpeechClip(turn, index, samples, RATE, "", tuple(phones) if known else None, last=False)


BABA = (("b", 50), ("ˈɑː", 150), ("b", 50), ("ˈɑː", 150))
AAA = (("ˈɑː", 600),)


def mouth(pose: np.ndarray) -> np.ndarray:
    return pose[p.MOUTH]


def play(
    composer: Composer, speech: SpeechClip, host_s: float, from_s: float = -0.2, to_s: float | None = None
) -> list:
    """Poses at 30 fps while `speech` is heard, its sample 0 at host time `host_s`."""
    end_s = speech.duration_s + 0.4 if to_s is None else to_s
    times = np.arange(from_s, end_s, FRAME_S)
    return [composer.pose(SpeechTime(speech.turn, speech.index, float(t)), host_s + float(t)) for t in times]


def test_the_lips_of_a_pushed_clip_move_and_come_to_rest() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *BABA)
    composer.push(speech)

    poses = play(composer, speech, 100.0)

    areas = [float(response.area(mouth(pose))) for pose in poses]
    assert max(areas) > 0.4
    assert areas[0] <= SHUT
    assert mouth(poses[-1]).max() == 0.0
    assert mouth(composer.pose(None, 101.5)).max() == 0.0


def test_a_clip_that_never_came_leaves_the_mouth_at_rest() -> None:
    assert mouth(Composer(1).pose(SpeechTime(9, 9, 0.1), 1.0)).max() == 0.0


@pytest.mark.parametrize("name", ["surprised", "happy", "smug"])
def test_lips_shut_for_b_under_every_expression(name: str) -> None:
    """The mouth is the last layer: no expression holds it open in a closure."""
    composer = Composer(1)
    composer.express(name, 90.0)
    speech = clip(1, 0, ("ˈɑː", 150), ("b", 50), ("ˈɑː", 150))
    composer.push(speech)
    around = [
        pose
        for pose, t in zip(play(composer, speech, 100.0), np.arange(-0.2, 2, FRAME_S), strict=False)
        if 0.16 <= t <= 0.29
    ]

    assert min(mouth(pose).max() for pose in around) <= SHUT


def test_an_open_mouth_of_an_expression_returns_after_speech() -> None:
    composer = Composer(1, {"gasp": {"mouth_ooo": 0.5}})
    composer.express("gasp", 90.0)
    speech = clip(1, 0, *BABA)
    composer.push(speech)
    at_rest = mouth(composer.pose(None, 99.0))[4]

    play(composer, speech, 100.0)

    assert at_rest == pytest.approx(0.5)
    assert mouth(composer.pose(None, 102.0))[4] == pytest.approx(0.5)


def test_the_mouth_is_at_rest_100_ms_after_a_clear_and_gets_there_without_a_jump() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA)
    composer.push(speech)
    before = play(composer, speech, 100.0, to_s=0.35)[-1]
    assert float(response.area(mouth(before))) > 0.6

    composer.clear(2)
    times = 100.35 + np.arange(0, 0.2, 0.01)
    areas = [float(response.area(mouth(composer.pose(None, float(t))))) for t in times]

    assert np.abs(np.diff([float(response.area(mouth(before))), *areas])).max() < 0.3
    assert max(areas[10:]) <= SHUT


def test_a_cleared_clip_no_longer_moves_the_lips_even_if_it_is_said_to_be_heard() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA)
    composer.push(speech)
    composer.clear(2)
    composer.push(speech)  # one that was still being prepared

    assert max(mouth(pose).max() for pose in play(composer, speech, 100.0)) == 0.0


def test_clips_that_follow_each_other_leave_no_jump_at_the_seam() -> None:
    composer = Composer(1)
    first = clip(1, 0, *AAA, end_s=0.0)
    second = clip(1, 1, ("ˈɔː", 400), start_s=0.0)
    composer.push(first)
    composer.push(second)

    poses = play(composer, first, 100.0, to_s=first.duration_s)
    poses += play(composer, second, 100.0 + first.duration_s, from_s=0.01)
    areas = [float(response.area(mouth(pose))) for pose in poses]

    seam = round((0.2 + first.duration_s) / FRAME_S)
    around = np.array([mouth(pose) for pose in poses[seam - 6 : seam + 7]])
    assert np.abs(np.diff(around, axis=0)).max() < 0.25
    assert min(areas[seam - 6 : seam + 7]) > 0.8


def test_lips_shut_at_the_start_of_a_following_clip_in_spite_of_the_glide() -> None:
    composer = Composer(1)
    first = clip(1, 0, *AAA, end_s=0.0)
    second = clip(1, 1, ("b", 50), ("ˈɑː", 200), start_s=0.02)
    composer.push(first)
    composer.push(second)

    play(composer, first, 100.0, to_s=first.duration_s)
    poses = play(composer, second, 100.0 + first.duration_s, from_s=0.005, to_s=0.11)

    assert min(mouth(pose).max() for pose in poses) <= SHUT


def test_a_clip_without_phones_gets_them_from_its_sound() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA, known=False)
    composer.push(speech)

    areas = [float(response.area(mouth(pose))) for pose in play(composer, speech, 100.0)]

    assert max(areas) > 0.2
    assert areas[0] <= SHUT
    assert areas[-1] <= SHUT


def test_a_clip_whose_sounds_cannot_be_used_follows_its_loudness(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(samples: np.ndarray, sample_rate: int) -> tuple[Phone, ...]:
        raise RuntimeError("no recogniser")

    monkeypatch.setattr(phonemes, "phones_for", fails)
    composer = Composer(1)
    speech = clip(1, 0, *AAA, known=False)

    composer.push(speech)

    assert max(float(response.area(mouth(pose))) for pose in play(composer, speech, 100.0)) > 0.3
    assert "follows the loudness" in caplog.text


def test_an_impossible_clip_does_not_stop_the_face(caplog: pytest.LogCaptureFixture) -> None:
    composer = Composer(1)
    composer.push(SpeechClip(1, 0, np.zeros(5, np.float32), 0, "secret words", (), last=True))

    assert mouth(composer.pose(SpeechTime(1, 0, 0.0), 100.0)).max() == 0.0
    assert "stays shut" in caplog.text
    assert "secret" not in caplog.text


def test_head_and_values_stay_in_range_under_every_expression_and_lively_speech() -> None:
    composer = Composer(3)
    speech = clip(1, 0, *AAA, *BABA, *AAA)
    for turn, name in enumerate(composer.expressions):
        composer.clear(turn)
        composer.push(SpeechClip(turn, 0, speech.samples, RATE, "", speech.phones, last=True))
        composer.express(name, 100.0 + 10 * turn)
        for k in range(120):
            at_s = k * FRAME_S
            pose = composer.pose(SpeechTime(turn, 0, at_s), 100.0 + 10 * turn + at_s)
            assert pose.shape == (45,)
            assert np.float32 == pose.dtype
            assert (pose >= p.LOW).all()
            assert (pose <= p.HIGH).all()
            for axis in ("head_x", "head_y", "neck_z"):
                assert abs(pose[p.INDEX[axis]]) <= HEAD_LIMIT


def test_the_head_does_not_jump_when_speech_stops_at_once() -> None:
    composer = Composer(3)
    speech = clip(1, 0, *AAA, *AAA)
    composer.push(speech)
    poses = play(composer, speech, 100.0, to_s=0.8)
    composer.clear(2)
    poses += [composer.pose(None, 100.8 + k * FRAME_S) for k in range(30)]

    steps = np.abs(np.diff(np.array(poses), axis=0))
    assert steps[:, 39:44].max() < 0.05
    assert steps[:, p.INDEX["breathing"]].max() < 0.12


def test_the_same_calls_give_the_same_poses_and_asking_twice_changes_nothing() -> None:
    def show(times_asked: int) -> np.ndarray:
        composer = Composer(8)
        speech = clip(1, 0, *BABA)
        composer.push(speech)
        composer.express("happy", 100.1)
        shown = []
        for t in np.arange(-0.2, 0.6, FRAME_S):
            for _ in range(times_asked):
                pose = composer.pose(SpeechTime(1, 0, float(t)), 100.0 + float(t))
            shown.append(pose)
        composer.clear(2)
        for k in range(10):
            for _ in range(times_asked):
                pose = composer.pose(None, 100.7 + k * FRAME_S)
            shown.append(pose)
        return np.array(shown)

    np.testing.assert_array_equal(show(1), show(1))
    np.testing.assert_allclose(show(1), show(3), atol=1e-6)


def test_lips_blinks_and_pose_do_not_need_a_pause_while_clips_are_pushed() -> None:
    composer = Composer(1)
    first = clip(1, 0, *AAA)
    composer.push(first)
    failures: list[Exception] = []

    def push_many() -> None:
        try:
            for index in range(1, 40):
                composer.push(clip(1, index, *BABA))
                composer.clear(1)
        except Exception as error:
            failures.append(error)

    pusher = threading.Thread(target=push_many)
    pusher.start()
    widest = 0.0
    while pusher.is_alive():
        widest = max(widest, float(mouth(composer.pose(SpeechTime(1, 0, 0.4), 100.0)).max()))
    pusher.join(timeout=30)

    assert failures == []
    assert widest > 0.5


def test_clips_long_heard_are_let_go() -> None:
    composer = Composer(1)
    for index in range(10):
        composer.push(clip(1, index, *BABA))
        composer.pose(SpeechTime(1, index, 0.1), 100.0 + index)

    assert len(composer._tracks) <= 4


def test_a_blink_shuts_the_eyes_of_every_expression_fully() -> None:
    from animator.tha3 import idle

    composer = Composer(1)
    shut_s = next(t for t in np.arange(0.0, 10.0, 0.005) if idle.blink(float(t), 1) >= 0.999)
    composer.express("surprised", shut_s - 5.0)

    pose = composer.pose(None, shut_s)

    assert pose[p.INDEX["eye_wink_left"]] > 0.99
    assert pose[p.INDEX["eye_surprised_left"]] < 0.01
