from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from animator.lipsync import clip_phones, response
from animator.lipsync import visemes as mouth_shapes
from animator.lipsync.phonemes import Choice
from animator.lipsync.sources import Heard
from animator.manner import Motion
from animator.messages import Phone, SpeechClip, SpeechTime
from animator.protocol import Lips
from animator.tha3 import pose as p
from animator.tha3.composer import HEAD_FREE, HEAD_LIMIT, Composer, within_reach
from animator.tha3.expressions import PRESETS
from animator.tha3.gestures import GESTURES
from tests.animator.lipsync.coded_speech import CodedModel, say

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


@pytest.mark.parametrize("name", [*PRESETS])
@pytest.mark.parametrize("layer", ["emotion", "hotkey"])
def test_lips_shut_for_b_under_every_expression(name: str, layer: str) -> None:
    """The mouth is the last layer: no expression holds it open in a closure."""
    composer = Composer(1)
    show = composer.express if layer == "hotkey" else composer.feel
    show(name, 90.0)
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
    assert mouth(composer.pose(None, 104.0))[4] == pytest.approx(0.5)


@pytest.mark.parametrize("name", [name for name, values in PRESETS.items() if any(k in values for k in p.MOUTH_NAMES)])
def test_no_emotion_of_an_answer_opens_the_mouth_again_when_its_words_are_over(name: str) -> None:
    """Lips that part in the silence after the voice look like a voice that is not heard."""
    composer = Composer(1)
    speech = clip(1, 0, *BABA)
    composer.push(speech)
    play(composer, speech, 100.0, to_s=0.1)
    composer.feel(name, 100.1)
    play(composer, speech, 100.0, from_s=0.1)
    end_s = 100.0 + speech.duration_s
    rests_s = end_s + 1.6  # LineOptions.face_rests_after_s

    after = [composer.pose(None, t) for t in np.arange(end_s + 0.4, rests_s, FRAME_S)]
    composer.feel("neutral", rests_s)
    after += [composer.pose(None, t) for t in np.arange(rests_s, rests_s + 3.0, FRAME_S)]

    assert max(mouth(pose).max() for pose in after) <= SHUT


def test_the_mouth_of_an_expression_stays_away_in_a_gap_between_two_sentences() -> None:
    composer = Composer(1, {"gasp": {"mouth_ooo": 0.5}})
    composer.express("gasp", 90.0)
    first, second = clip(1, 0, *BABA), clip(1, 1, *BABA)
    composer.push(first)
    play(composer, first, 100.0)
    start_s = 100.0 + first.duration_s + 1.5
    gap = [composer.pose(None, t) for t in np.arange(100.4 + first.duration_s, start_s - 0.2, FRAME_S)]
    composer.push(second)
    gap += play(composer, second, start_s, to_s=0.0)

    assert max(mouth(pose)[4] for pose in gap) <= SHUT


def test_an_expression_that_is_chosen_in_the_silence_after_speech_shows_its_mouth_at_once() -> None:
    composer = Composer(1, {"gasp": {"mouth_ooo": 0.5}})
    speech = clip(1, 0, *BABA)
    composer.push(speech)
    play(composer, speech, 100.0)
    since_s = 100.5 + speech.duration_s

    composer.express("gasp", since_s)
    poses = [composer.pose(None, t) for t in np.arange(since_s, since_s + 0.4, 0.004)]

    assert mouth(poses[-1])[4] == pytest.approx(0.5)
    assert np.abs(np.diff([mouth(pose)[4] for pose in poses])).max() < 0.02


def test_a_voice_that_comes_without_a_lead_shuts_the_mouth_of_an_expression_without_a_jump() -> None:
    composer = Composer(1, {"gasp": {"mouth_ooo": 0.5}})
    composer.express("gasp", 90.0)
    speech = clip(1, 0, ("", 600))
    composer.push(speech)
    poses = [composer.pose(None, t) for t in np.arange(99.9, 100.0, 0.004)]
    poses += [composer.pose(SpeechTime(1, 0, t), 100.0 + t) for t in np.arange(0.0, 0.5, 0.004)]
    opening = np.array([mouth(pose)[4] for pose in poses])

    assert opening[0] == pytest.approx(0.5)
    assert opening[-1] == 0.0
    assert np.abs(np.diff(opening)).max() < 0.03


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
    assert np.abs(np.diff(around, axis=0)).max() < 0.35  # a whole shape in 0.1 s, as inside a sentence
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


def sung_aaa(seconds: float) -> np.ndarray:
    """A vowel as a throat makes it: harmonics of 130 Hz through the resonances of ɑ. A bare tone is a hum, an m."""
    time_s = np.arange(int(seconds * RATE)) / RATE
    sound = np.zeros(len(time_s))
    for hz in np.arange(130.0, 4000.0, 130.0):
        gain = sum(level / (1.0 + ((hz - at) / width) ** 2) for at, width, level in ((730, 60, 1), (1090, 70, 0.6)))
        sound += (gain + 0.02) * np.sin(2 * np.pi * hz * (time_s + 0.0006 * np.sin(2 * np.pi * 4 * time_s)))
    return (0.4 * sound / np.abs(sound).max()).astype(np.float32)


def test_a_clip_without_phones_gets_them_from_its_sound() -> None:
    composer = Composer(1)
    samples = np.zeros(int(0.9 * RATE), np.float32)
    samples[int(0.05 * RATE) : int(0.65 * RATE)] = sung_aaa(0.6)
    speech = SpeechClip(1, 0, samples, RATE, "", None, last=False)
    composer.push(speech)

    areas = [float(response.area(mouth(pose))) for pose in play(composer, speech, 100.0)]

    assert max(areas) > 0.2
    assert areas[0] <= SHUT
    assert areas[-1] <= SHUT


def test_a_clip_whose_sounds_cannot_be_used_follows_its_loudness(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(clip: SpeechClip) -> Heard:
        raise RuntimeError("no recogniser")

    monkeypatch.setattr(clip_phones, "heard_in", fails)
    composer = Composer(1)
    speech = clip(1, 0, *AAA, known=False)

    lips = composer.push(speech)

    assert ("loudness", "the sounds of the clip could not be used") == (lips.method, lips.reason)
    assert max(float(response.area(mouth(pose))) for pose in play(composer, speech, 100.0)) > 0.3
    assert "follows the loudness" in caplog.text


def test_a_sentence_that_is_heard_in_pieces_closes_the_lips_on_every_m(monkeypatch: pytest.MonkeyPatch) -> None:
    """The voice states no phones; the text comes with the first piece, each next one while the one before is heard."""
    choice = Choice(CodedModel())
    monkeypatch.setattr(clip_phones, "best_source", lambda: choice)
    syllable = (("m", 90), ("ɑ", 160))
    sound = say(("", 100), *syllable * 6, ("", 200))
    cuts = np.split(sound, [5000, 11_000, 17_000, 22_000])
    composer = Composer(1)
    areas: list[float] = []
    for k, samples in enumerate(cuts):
        text = "" if k else "mama, mama, mama"
        last = k == len(cuts) - 1
        composer.push(
            SpeechClip(1, k, samples, 16_000, text, None, last, "en", spoken=text, continues=k > 0, final=last)
        )
        if k:  # the clip before is heard, from the first sample to the last
            begin_s = sum(map(len, cuts[: k - 1])) / 16_000
            times_s = np.arange(0, len(cuts[k - 1]) / 16_000, 1 / 60)
            poses = [composer.pose(SpeechTime(1, k - 1, float(t)), begin_s + float(t)) for t in times_s]
            areas += [float(response.area(mouth(pose))) for pose in poses]

    drawn = np.array(areas)
    starts_s = [0.1 + 0.25 * n for n in range(5)]
    shut = [bool((drawn[round(60 * (s - 0.03)) : round(60 * (s + 0.09))] <= SHUT).any()) for s in starts_s]
    wide = [float(drawn[round(60 * (s + 0.09)) : round(60 * (s + 0.25))].max()) for s in starts_s]
    assert [True] * 5 == shut
    assert min(wide) > 0.3


def test_it_says_what_the_lips_of_a_clip_are_made_from() -> None:
    composer = Composer(1)

    known = composer.push(clip(1, 0, *AAA))
    unknown = composer.push(clip(1, 1, *AAA, known=False))
    composer.clear(2)

    assert known == Lips("durations")
    assert unknown.method in ("decoded", "loudness")
    assert unknown.reason
    assert composer.push(clip(1, 2, *AAA)) is None


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


@pytest.fixture
def many_switches() -> Iterator[None]:
    """Threads change places every 0.1 ms: more interleavings, and no thread waits 5 ms after each of its array sums."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(before_s)


def test_lips_blinks_and_pose_do_not_need_a_pause_while_clips_are_pushed(many_switches: None) -> None:
    composer = Composer(1)
    first = clip(1, 0, *AAA)
    composer.push(first)
    failures: list[Exception] = []

    def push_many() -> None:
        try:
            for index in range(1, 11):
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


# Layers


def brows(pose: np.ndarray) -> np.ndarray:
    return pose[p.EYEBROW]


def preset(name: str) -> np.ndarray:
    return p.pose_of(**PRESETS[name])


def test_a_hotkey_beats_the_emotion_and_letting_go_of_it_shows_the_emotion_again() -> None:
    composer = Composer(1)
    composer.feel("anger", 10.0)
    with_emotion = composer.pose(None, 11.0)
    composer.express("surprised", 11.0)
    composer.feel("sadness", 11.5)
    with_hotkey = composer.pose(None, 12.0)
    composer.express("neutral", 12.0)
    after = composer.pose(None, 13.0)

    np.testing.assert_allclose(brows(preset("anger")), brows(with_emotion), atol=1e-6)
    np.testing.assert_allclose(brows(preset("surprised")), brows(with_hotkey), atol=1e-6)
    np.testing.assert_allclose(brows(preset("sadness")), brows(after), atol=1e-6)


def test_what_is_shown_is_named() -> None:
    composer = Composer(1)
    shown = [composer.expression]
    composer.feel("joy", 1.0)
    shown.append(composer.expression)
    composer.express("smug", 2.0)
    shown.append(composer.expression)
    composer.express("neutral", 3.0)
    shown.append(composer.expression)

    assert ["neutral", "joy", "smug", "joy"] == shown


def test_an_emotion_is_shown_as_strongly_as_it_is_felt_and_as_the_character_shows_it() -> None:
    composer, shy = Composer(1), Composer(1, {}, Motion(intensity=0.5))
    for each in (composer, shy):
        each.feel("anger", 10.0, 0.5)

    np.testing.assert_allclose(0.5 * brows(preset("anger")), brows(composer.pose(None, 11.0)), atol=1e-6)
    np.testing.assert_allclose(0.25 * brows(preset("anger")), brows(shy.pose(None, 11.0)), atol=1e-6)


def test_an_unknown_emotion_or_intensity_or_gesture_is_refused() -> None:
    composer = Composer(1)

    with pytest.raises(ValueError, match="no expression called 'glee'"):
        composer.feel("glee", 1.0)
    with pytest.raises(ValueError, match="expected a number from 0 to 1"):
        composer.feel("joy", 1.0, 1.5)
    with pytest.raises(ValueError, match="no gesture called 'wave'"):
        composer.gesture("wave", 1.0)


def test_thinking_looks_away_and_speech_brings_the_look_back_before_its_first_sound() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA)
    composer.push(speech)
    composer.think(1, 100.0)
    away = [composer.pose(None, 100.0 + k * FRAME_S) for k in range(90)]

    back = play(composer, speech, 103.3)

    iris = p.INDEX["iris_rotation_y"]
    assert abs(away[-1][iris]) > 0.3
    first_sound = back[round(0.2 / FRAME_S) : round(0.4 / FRAME_S)]
    assert max(abs(pose[iris]) for pose in first_sound) < 0.25


def test_an_older_turns_last_words_do_not_end_the_thought_about_a_newer_one() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA)
    composer.push(speech)
    composer.think(2, 100.0)

    play(composer, speech, 100.2)

    assert abs(composer.pose(None, 102.5)[p.INDEX["iris_rotation_y"]]) > 0.3


@pytest.mark.parametrize("end", ["cleared", "given up"])
def test_a_thought_that_comes_to_nothing_ends_too(end: str) -> None:
    composer = Composer(1)
    composer.think(1, 100.0)
    for k in range(60):
        composer.pose(None, 100.0 + k * FRAME_S)
    if end == "cleared":
        composer.clear(2)
    else:
        composer.attend(1, 102.0)

    assert abs(composer.pose(None, 103.0)[p.INDEX["iris_rotation_y"]]) < 0.25


def test_the_head_goes_where_it_is_wanted_and_is_eased_towards_its_limit() -> None:
    wanted = np.linspace(-3, 3, 601, dtype=np.float32)
    held = within_reach(wanted)

    free = np.abs(wanted) <= HEAD_FREE
    np.testing.assert_allclose(wanted[free], held[free], atol=1e-6)
    assert np.abs(held).max() <= HEAD_LIMIT
    assert (np.diff(held) >= 0).all()


@pytest.mark.parametrize("seed", [3, 8])
def test_the_head_stays_within_the_baked_range_in_any_mix_and_never_jumps(seed: int) -> None:
    composer = Composer(seed, {}, Motion(liveliness=1.5))
    rng = np.random.default_rng(seed)
    names = list(composer.expressions)
    poses = []
    for k in range(1200):
        time_s = 100.0 + k * FRAME_S
        if k % 7 == 0:
            composer.feel(names[rng.integers(len(names))], time_s)
        if k % 11 == 0:
            composer.express(names[rng.integers(len(names))], time_s)
        if k % 9 == 0:
            composer.gesture(list(GESTURES)[rng.integers(len(GESTURES))], time_s)
        if k % 50 == 0:
            composer.think(k, time_s)
        if k % 50 == 30:
            composer.attend(k, time_s)
        poses.append(composer.pose(None, time_s))
    head = np.array(poses)[:, 39:42]

    assert np.abs(head).max() <= HEAD_LIMIT
    assert np.abs(np.diff(head, axis=0)).max() < 0.3
    assert (np.array(poses) >= p.LOW).all()
    assert (np.array(poses) <= p.HIGH).all()


@pytest.mark.parametrize("name", [*GESTURES])
def test_a_gesture_in_the_middle_of_another_and_of_a_fade_has_no_kink(name: str) -> None:
    composer = Composer(3)
    composer.gesture("shake", 100.0)
    composer.feel("sadness", 100.3)
    composer.gesture(name, 100.45)
    composer.feel("joy", 100.5)
    times = np.arange(100.0, 103.5, 0.004)
    head = np.array([composer.pose(None, float(t)) for t in times])[:, 39:44]
    speed = np.diff(head, axis=0) / 0.004

    assert np.abs(np.diff(speed, axis=0)).max() < 0.6


def test_a_tag_and_a_word_for_the_same_gesture_mean_one() -> None:
    def lowest(*starts_s: float) -> float:
        composer = Composer(3)
        for start_s in starts_s:
            composer.gesture("nod", start_s)
        return min(float(composer.pose(None, 100.0 + k * FRAME_S)[p.INDEX["head_x"]]) for k in range(90))

    assert lowest(100.0) == lowest(100.0, 100.05)
    assert lowest(100.0, 100.5) < lowest(100.0)


def test_words_bring_gestures_unless_the_character_keeps_still() -> None:
    def lowest(motion: Motion) -> float:
        composer = Composer(1, {}, motion)
        spoken = clip(1, 0, *AAA)
        composer.push(SpeechClip(1, 0, spoken.samples, RATE, "Yes, of course.", spoken.phones, last=True))
        return min(float(pose[p.INDEX["head_x"]]) for pose in play(composer, spoken, 100.0))

    assert lowest(Motion()) < lowest(Motion(gestures=False)) - 0.15


def test_breath_is_taken_before_words_and_spent_on_them() -> None:
    composer = Composer(1)
    speech = clip(1, 0, *AAA, *AAA, *AAA, *AAA)
    composer.push(speech)
    calm = [composer.pose(None, 97.0 + k * FRAME_S) for k in range(84)]
    spoken = play(composer, speech, 100.0)
    after = [composer.pose(None, 102.9 + k * FRAME_S) for k in range(60)]

    chest = np.array([pose[p.INDEX["breathing"]] for pose in (*calm, *spoken, *after)])
    at = {name: chest[len(calm) + round((0.2 + s) / FRAME_S)] for name, s in (("first", 0.3), ("last", 2.4))}
    assert at["first"] > 0.85
    assert at["last"] < 0.7
    assert np.abs(np.diff(chest)).max() < 0.12


def test_a_lively_character_moves_more_and_a_still_one_only_breathes_and_blinks() -> None:
    still, lively = Composer(1, {}, Motion(liveliness=0.0)), Composer(1, {}, Motion(liveliness=1.5))
    times = 50.0 + np.arange(0, 60, 0.2)
    heads = [np.array([each.pose(None, float(t))[39:42] for t in times]) for each in (still, lively)]

    assert np.abs(heads[0]).max() == 0.0
    assert heads[1].std(axis=0).min() > 0.05


def test_smiling_lids_are_never_drawn_between_half_and_shut() -> None:
    composer = Composer(1)
    composer.feel("joy", 100.0)
    poses = np.array([composer.pose(None, 100.0 + float(t)) for t in np.arange(0.0, 8.0, 0.004)])
    lids, blink = poses[:, 14], poses[:, 12]
    still = lids[blink == 0.0]

    assert ((still <= 0.5) | (still == 1.0)).all()
    assert still.max() == 1.0


def test_eyes_that_smile_shut_do_not_blink() -> None:
    from animator.tha3 import idle

    composer = Composer(1)
    shut_s = next(t for t in np.arange(0.0, 10.0, 0.005) if idle.blink(float(t), 1) >= 0.999)
    composer.feel("joy", shut_s - 1.0)

    pose = composer.pose(None, shut_s)

    assert pose[p.INDEX["eye_wink_left"]] < 0.01
    assert pose[p.INDEX["eye_happy_wink_left"]] > 0.99


def test_a_new_character_goes_on_with_what_the_one_before_showed() -> None:
    before, after = Composer(1, {"wild": {"eye_wink_left": 1.0}}), Composer(1)
    before.feel("sadness", 90.0, 0.5)
    before.express("smug", 91.0)
    before.think(1, 99.0)
    before.gesture("tilt", 99.9)

    after.take_over(before)

    np.testing.assert_allclose(before.pose(None, 100.3), after.pose(None, 100.3), atol=1e-5)
    after.express("neutral", 101.0)
    after.attend(1, 101.0)
    np.testing.assert_allclose(
        0.5 * (brows(preset("sadness")) + brows(preset("neutral"))), brows(after.pose(None, 103.0)), atol=1e-6
    )


def test_an_expression_that_the_new_character_lacks_is_let_go() -> None:
    before, after = Composer(1, {"wild": {"eyebrow_angry": 1.0}}), Composer(1)
    before.express("wild", 90.0)

    after.take_over(before)

    assert "neutral" == after.expression


def test_a_preview_takes_the_place_of_the_expression_until_it_ends() -> None:
    """Who edits an expression sees its values, not what the character wears at the moment."""
    composer = Composer(20)
    composer.express("angry", 1.0)
    angry = composer.pose(None, 2.0)

    composer.preview({"eyebrow_happy": 0.8, "mouth_smirk": 0.25}, 2.0)
    shown = composer.pose(None, 2.5)
    composer.preview(None, 3.0)
    after = composer.pose(None, 4.0)

    assert [0.8, 0.8] == pytest.approx([shown[p.INDEX["eyebrow_happy_left"]], shown[p.INDEX["eyebrow_happy_right"]]])
    assert 0.25 == pytest.approx(shown[p.INDEX["mouth_smirk"]])
    assert 0.0 == shown[p.INDEX["eyebrow_angry_left"]]
    assert angry[p.INDEX["eyebrow_angry_left"]] == pytest.approx(after[p.INDEX["eyebrow_angry_left"]])


def test_a_slider_that_is_dragged_is_followed_within_a_tenth_of_a_second() -> None:
    composer = Composer(20)
    for k in range(60):
        composer.preview({"mouth_aaa": k / 59}, 1.0 + k / 60)

    assert 1.0 == pytest.approx(composer.pose(None, 2.1)[p.INDEX["mouth_aaa"]])


def test_every_parameter_of_a_preview_moves_the_face() -> None:
    for name in p.NAMES:
        still, moved = Composer(20, motion=Motion(liveliness=0.0)), Composer(20, motion=Motion(liveliness=0.0))
        moved.preview({name: 0.45}, 1.0)

        at = p.INDEX[name]
        seen = [abs(moved.pose(None, t)[at] - still.pose(None, t)[at]) for t in np.arange(2.0, 6.0, 0.5)]
        assert max(seen) > 0.04, name


def test_a_preview_survives_a_new_character_and_refuses_what_no_face_has() -> None:
    before, after = Composer(20), Composer(20)
    before.preview({"eye_wink_left": 1.0}, 1.0)
    after.take_over(before)

    assert 1.0 == pytest.approx(after.pose(None, 2.0)[p.INDEX["eye_wink_left"]])
    with pytest.raises(ValueError, match="nose"):
        after.preview({"nose": 1.0}, 3.0)


def test_whoever_takes_over_in_mid_sentence_has_the_lips_of_the_one_before() -> None:
    """Nothing is heard anew for it, which would take longer than a picture."""
    before, after = Composer(1), Composer(1)
    speech = clip(1, 0, *BABA)
    before.push(speech)
    play(before, speech, 100.0, to_s=0.2)

    assert after.take_over(before)

    for time_s in (0.2, 0.25, 0.3):
        there, here = (each.pose(SpeechTime(1, 0, time_s), 100.0 + time_s) for each in (before, after))
        np.testing.assert_allclose(mouth(there), mouth(here), atol=1e-6)
    assert mouth(here).max() > 0.1


def test_a_turn_that_was_cleared_stays_cleared_for_whoever_takes_over() -> None:
    before, after = Composer(1), Composer(1)
    before.clear(5)

    after.take_over(before)

    assert after.push(clip(4, 0, *BABA)) is None


def test_whoever_has_other_mouth_shapes_asks_for_the_clips_again() -> None:
    wide = mouth_shapes.TABLE_OF_ASSETS.with_rows({"aa": {"gate": 0.5}}, "[visemes.")
    before, after = Composer(1), Composer(1, table=wide)
    before.push(clip(1, 0, *AAA))

    assert not after.take_over(before)

    assert mouth(after.pose(SpeechTime(1, 0, 0.3), 100.0)).max() == 0.0
