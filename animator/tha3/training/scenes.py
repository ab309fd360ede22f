"""Poses as the app makes them: scenes of talk with every emotion and gesture, and poses beyond what it does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from animator.messages import Phone, PlayoutAnchor, Pose, SpeechClip
from animator.tha3.composer import Composer
from animator.tha3.emotions import EMOTIONS
from animator.tha3.gestures import GESTURES
from animator.tha3.live_nodes import BROWS, CORNERS, EYE_EXTRAS, mouth_nodes, tied
from animator.tha3.pose import INDEX, MOUTH, REST_SMIRK, clamp, pose_of
from animator.timebase import Playout

SCENE_S = 10.0
_RATE = 16_000
_BEGIN_S = 1000.0
_VOWELS = ("ɑː", "eɪ", "iː", "oʊ", "uː", "æ", "ɛ", "ɪ", "ʌ", "ɔː")
_CONSONANTS = ("b", "p", "m", "t", "d", "s", "k", "f", "v", "w", "l", "n", "ʃ", "ð", "ɹ")

Poses = npt.NDArray[np.float32]
Event = Callable[[Composer, float], object]


def scene(seed: int, fps: float = 10.0) -> Poses:
    """Ten seconds of somebody who thinks, talks, feels and gestures, as the app would draw it: float32 (n,45)."""
    rng = np.random.default_rng(seed)
    composer, playout = Composer(seed), Playout()
    composer.clear(1)
    playout.clear(1)
    for index, after_s in enumerate((1.2 + rng.random(), 5.2)):
        clip = _babble(rng, index)
        composer.push(clip)
        playout.add_clip(1, index, clip.duration_s)
        playout.anchor(PlayoutAnchor(1, index, 0, _RATE, round((_BEGIN_S + after_s) * 1e9)))
    due = sorted(_events(rng), key=lambda event: event[0])
    poses = []
    for k in range(round(SCENE_S * fps)):
        now_s = k / fps
        while due and due[0][0] <= now_s:
            at_s, event = due.pop(0)
            event(composer, _BEGIN_S + at_s)
        time_s = _BEGIN_S + now_s
        poses.append(composer.pose(playout.speech_time(round(time_s * 1e9)), time_s))
    return np.stack(poses)


def _events(rng: np.random.Generator) -> list[tuple[float, Event]]:
    found: list[tuple[float, Event]] = []
    if rng.random() < 0.5:
        found.append((0.2, lambda composer, at_s: composer.think(1, at_s)))
    at = 0.3
    while at < SCENE_S:
        name, strength = str(rng.choice(list(EMOTIONS))), float(rng.uniform(0.4, 1.0))
        found.append((at, _feel(name, strength)))
        at += rng.uniform(1.0, 3.0)
        if rng.random() < 0.3:
            found.append((at, _feel("neutral", 1.0)))
            at += rng.uniform(0.5, 2.0)
    at = 0.5
    while at < SCENE_S:
        found.append((at, _gesture(str(rng.choice(list(GESTURES))))))
        at += rng.uniform(1.2, 3.5)
    return found


def _feel(name: str, strength: float) -> Event:
    return lambda composer, at_s: composer.feel(name, at_s, strength)


def _gesture(name: str) -> Event:
    return lambda composer, at_s: composer.gesture(name, at_s)


def _babble(rng: np.random.Generator, index: int) -> SpeechClip:
    """Syllables without sense, each as loud as its sound is."""
    phones: list[Phone] = []
    levels: list[Poses] = []
    at_s = 0.0
    for k in range(24):
        vowel = k % 2 == 1
        ipa = str(rng.choice(_VOWELS if vowel else _CONSONANTS))
        stressed = vowel and rng.random() < 0.4
        if k == 12:
            ipa, stressed = "", False  # a pause
        length_s = float(rng.uniform(0.08, 0.16) if vowel else rng.uniform(0.05, 0.09))
        phones.append(Phone("ˈ" + ipa if stressed else ipa, at_s, at_s + length_s))
        count = round((at_s + length_s) * _RATE) - round(at_s * _RATE)
        loud = 0.36 if stressed else 0.24 if vowel and ipa else 0.08 if ipa else 0.0
        levels.append(np.full(count, loud, np.float32))
        at_s += length_s
    level = np.concatenate(levels)
    hum = np.sin(2 * np.pi * 140 * np.arange(len(level)) / _RATE) + 0.2 * rng.standard_normal(len(level))
    return SpeechClip(1, index, (level * hum).astype(np.float32), _RATE, "", tuple(phones), last=index == 1)


def spread(count: int, seed: int = 20, power: float = 1.8, mixed: bool = True) -> Poses:
    """Poses that fill the space of head turns: float32 (count,45).

    Args:
        count: How many.
        seed: Other seeds, other poses.
        power: The larger, the denser in the middle.
        mixed: Most faces are expressions of the app with its mouths; without it, parameters moved at random.
    """
    rng = np.random.default_rng(seed)
    emotions, mouths = [pose_of(**values) for values in EMOTIONS.values()], mouth_nodes()
    first = 0 if seed == 20 else int(rng.integers(1, 5000))
    poses = []
    for k in range(count):
        places = [2.0 * _halton(first + k + 1, base) - 1.0 for base in (2, 3, 5)]
        x, y, z = (float(np.clip(0.52 * np.sign(s) * abs(s) ** power, -0.5, 0.5)) for s in places)
        pose = tied(head_x=x, head_y=y, neck_z=z, breathing=rng.random(), mouth_smirk=REST_SMIRK)
        loose = 0.045 if rng.random() < 0.6 else 0.08
        pose[INDEX["body_y"]] += loose * rng.standard_normal()
        pose[INDEX["body_z"]] += 0.7 * loose * rng.standard_normal()
        if not mixed or rng.random() < 0.35:
            _random_face(pose, rng)
        else:
            _known_face(pose, rng, emotions, mouths)
        poses.append(clamp(pose)[0])
    return np.stack(poses)


def _known_face(pose: Pose, rng: np.random.Generator, emotions: list[Pose], mouths: Poses) -> None:
    if rng.random() < 0.6:
        pose[:39] += emotions[rng.integers(len(emotions))][:39] * np.float32(rng.uniform(0.15, 1.0))
    if rng.random() < 0.25:
        pose[12:14] = np.maximum(pose[12:14], rng.random() ** 2)
    if rng.random() < 0.75:
        pose[MOUTH] = mouths[rng.integers(len(mouths))] * rng.uniform(0.4, 1.1)
    pose[INDEX["iris_rotation_x"]] += 0.1 * rng.standard_normal()
    pose[INDEX["iris_rotation_y"]] += 0.18 * rng.standard_normal()


def _random_face(pose: Pose, rng: np.random.Generator) -> None:
    def pair(name: str, value: float) -> None:
        which = rng.random()
        if which < 0.85:
            pose[INDEX[f"{name}_left"]] = value
        if which < 0.70 or which >= 0.85:
            pose[INDEX[f"{name}_right"]] = value

    if rng.random() < 0.8:
        for k in rng.permutation(len(BROWS))[: 1 + int(rng.random() < 0.5)]:
            pair(BROWS[k], rng.uniform(0.2, 1.0))
    kind = rng.random()
    if kind < 0.3:
        pair("eye_wink", rng.random() ** 2)
    elif kind < 0.5:
        pair("eye_happy_wink", rng.uniform(0.1, 1.0))
    if kind > 0.2 and rng.random() < 0.6:
        for k in rng.permutation(4)[: 1 + int(rng.random() < 0.5)]:
            pair(EYE_EXTRAS[k], rng.uniform(0.1, 0.9))
    if rng.random() < 0.25:
        pair("iris_small", rng.uniform(0.1, 0.8))
    pose[INDEX["iris_rotation_x"]] = 0.2 * rng.standard_normal()
    pose[INDEX["iris_rotation_y"]] = 0.3 * rng.standard_normal()
    if rng.random() < 0.5:
        pose[INDEX["mouth_smirk"]] = rng.random()
    if rng.random() < 0.75:
        pose[MOUTH] = rng.dirichlet([0.4] * 6) * rng.uniform(0.2, 1.1)
    if rng.random() < 0.5:
        pair(CORNERS[int(rng.random() < 0.6)], rng.uniform(0.3, 1.0))


def _halton(index: int, base: int) -> float:
    """The radical inverse of `index`: evenly spread numbers in (0, 1) (Halton, 1960)."""
    share, out = 1.0, 0.0
    while index:
        share /= base
        out += share * (index % base)
        index //= base
    return out
