"""The app's own motion, for measuring faces: somebody who talks, thinks, blinks, gestures and feels.

`app_motion` builds what the running app builds (a `Composer` with clips, gestures, emotions and looks) and reads one
pose per frame. The same arguments give the same poses. `python benchmarks/face_motion.py OUT.npy` saves them, ready
for `kuchipaku render`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.messages import Phone, PlayoutAnchor, SpeechClip  # noqa: E402
from animator.tha3.composer import Composer  # noqa: E402
from animator.timebase import Playout  # noqa: E402

RATE = 16_000
PERIOD_S = 10.0
"""The scene: it begins again, with other blinks and sways, when it is over."""

# Sounds of espeak IPA with their lengths in ms, as Piper speaks them; "" is a pause.
_FIRST = (
    ("", 60), ("ˈoʊ", 210), ("", 180),  # Oh,
    ("ð", 50), ("ˈæ", 110), ("t", 50), ("s", 80),  # that's
    ("ɐ", 50), ("b", 60), ("ˈaʊ", 150), ("t", 60),  # about
    ("ð", 40), ("ə", 50), ("b", 60), ("ˈɛ", 110), ("s", 80), ("t", 60),  # the best
    ("f", 80), ("ˈɪ", 80), ("l", 60), ("m", 80),  # film
    ("aɪ", 130), ("v", 50), ("", 280), ("ˈɛ", 100), ("v", 60), ("ɚ", 110),  # I've ... ever
    ("s", 90), ("ˈiː", 150), ("n", 120), ("", 140),  # seen.
)  # fmt: skip
_SECOND = (
    ("", 50), ("b", 60), ("ˌʌ", 90), ("t", 60),  # But
    ("m", 70), ("ˈeɪ", 150), ("b", 50), ("i", 90),  # maybe
    ("j", 50), ("uː", 80), ("ʃ", 90), ("ʊ", 70), ("d", 40),  # you should
    ("w", 70), ("ˈɑː", 140), ("tʃ", 100), ("ɪ", 60), ("t", 60),  # watch it
    ("", 330),
    ("w", 70), ("ɪ", 60), ("ð", 60), ("s", 80), ("ˈʌ", 90), ("m", 70),  # with some
    ("p", 70), ("ˈɑː", 130), ("p", 70), ("k", 70), ("ɔː", 110), ("ɹ", 50), ("n", 130), ("", 120),  # popcorn.
)  # fmt: skip


def _clip(turn: int, index: int, sounds: tuple[tuple[str, int], ...]) -> SpeechClip:
    """A clip whose sound is a hum with hiss, as loud as its phones are: vowels most, stops least."""
    phones: list[Phone] = []
    levels: list[npt.NDArray[np.float32]] = []
    at_s = 0.0
    for ipa, length_ms in sounds:
        end_s = at_s + length_ms / 1000
        phones.append(Phone(ipa, at_s, end_s))
        count = round(end_s * RATE) - round(at_s * RATE)
        vowel = any(letter in "aeiouæɐɑɔəɚɛɪʊʌ" for letter in ipa)
        level = 0.0 if not ipa else 0.36 if "ˈ" in ipa else 0.24 if vowel else 0.08
        levels.append(np.full(count, level, dtype=np.float32))
        at_s = end_s
    level = np.convolve(np.concatenate(levels), np.full(320, 1 / 320, dtype=np.float32), mode="same")
    t = np.arange(len(level)) / RATE
    hiss = np.random.default_rng(index).standard_normal(len(level)) * 0.2
    samples = (level * (np.sin(2 * np.pi * 140 * t) + hiss)).astype(np.float32)
    return SpeechClip(turn, index, samples, RATE, "", tuple(phones), last=index == 1)


def app_motion(frames: int = 300, fps: float = 30.0, seed: int = 5) -> npt.NDArray[np.float32]:
    """Poses of a talk of ten seconds, over and over: float32 (frames, 45), one every 1/fps s.

    In each: a question is thought about (look away), two sentences are spoken with a pause within and between, a nod,
    a shake, a tilt, three emotions and a hotkey, blinks and small looks. Deterministic.
    """
    composer = Composer(seed)
    playout = Playout()
    clips = [(_FIRST, 1.6), (_SECOND, 5.2)]
    events = [
        (0.2, lambda c, turn, t: c.think(turn, t)),
        (1.5, lambda c, turn, t: c.feel("joy", t, 0.9)),
        (2.3, lambda c, turn, t: c.gesture("nod", t)),
        (4.3, lambda c, turn, t: c.gesture("tilt", t)),
        (5.0, lambda c, turn, t: c.feel("confusion", t, 0.8)),
        (6.2, lambda c, turn, t: c.gesture("shake", t)),
        (6.9, lambda c, turn, t: c.express("surprised", t)),
        (7.7, lambda c, turn, t: c.express("neutral", t)),
        (8.2, lambda c, turn, t: c.feel("love", t)),
        (8.6, lambda c, turn, t: c.gesture("nod", t)),
        (9.5, lambda c, turn, t: c.feel("neutral", t)),
    ]
    # A start in the middle of the host's clock, as in life.
    begin_s = 1000.0
    poses = np.empty((frames, 45), dtype=np.float32)
    turn = 0
    due: list[tuple[float, object]] = []
    for k in range(frames):
        now_s = k / fps
        while now_s >= turn * PERIOD_S:
            start_s = begin_s + turn * PERIOD_S
            turn += 1
            composer.clear(turn)
            playout.clear(turn)
            for index, (sounds, after_s) in enumerate(clips):
                clip = _clip(turn, index, sounds)
                composer.push(clip)
                playout.add_clip(turn, index, clip.duration_s)
                playout.anchor(PlayoutAnchor(turn, index, 0, RATE, round((start_s + after_s) * 1e9)))
            due = [(start_s + after_s, what) for after_s, what in events]
        time_s = begin_s + now_s
        while due and due[0][0] <= time_s:
            at_s, what = due.pop(0)
            what(composer, turn, at_s)
        poses[k] = composer.pose(playout.speech_time(round(time_s * 1e9)), time_s)
    return poses


def main() -> None:
    """Save the poses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="file to write, .npy")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    poses = app_motion(given.frames, given.fps, given.seed)
    np.save(given.out, poses)
    print(f"{given.out}: {len(poses)} poses at {given.fps:g} fps")


if __name__ == "__main__":
    main()
