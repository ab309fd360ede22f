"""Everything that moves the face, put together to one pose per frame.

Layers, in this order: idle, expression (from the brain or a hotkey), look, mouth. The mouth comes last and nothing
touches it afterwards, or lips that should shut would not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animator.lipsync import phonemes
from animator.lipsync.mouth_track import MouthTrack
from animator.messages import Phone, Pose, SpeechClip, SpeechTime
from animator.tha3 import pose as p
from animator.tha3.expressions import ExpressionFader, while_speaking
from animator.tha3.idle import BODY_PER_HEAD, idle_pose
from animator.timebase import LEAD_S, TAIL_S

log = logging.getLogger(__name__)

FRAME_S = 1 / 30
HEAD_LIMIT = 0.5
"""The live tier is baked within this on head_x, head_y and neck_z."""
ACTIVITY_FALL_S = 0.25
"""An expression's own mouth comes back over this long at a clip's end (it leaves over LEAD_S before its start)."""
GLIDE_S = np.array([0.080] * 6 + [0.25, 0.5, 0.25], dtype=np.float32)
"""How long a jump is smoothed when speech changes clips or stops: mouth, activity, energy, nod."""
MAX_GAP_S = 0.25
"""Frames further apart than this are not joined."""
OLD_CLIPS = 2
"""Clips of the same turn that are kept behind the one that is heard."""

_HEAD = [p.INDEX[name] for name in ("head_x", "head_y", "neck_z")]
_BODY = [p.INDEX[name] for name in ("body_y", "body_z")]
_TURN_AND_TILT = [p.INDEX[name] for name in ("head_y", "neck_z")]
_WINK = slice(12, 14)
_OTHER_LIDS = slice(14, 24)

Key = tuple[int, int]
State = npt.NDArray[np.float32]
"""Six mouth parameters, activity, energy, nod: float32, shape (9,)."""


@dataclass(frozen=True, slots=True)
class _Glide:
    """A jump that is being smoothed: what is still missing at its start, and when that was."""

    rest: State
    since_s: float


def _smoothstep(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    x = np.clip(np.asarray(x, dtype=np.float32), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)


class Composer:
    """The pose of one character over time.

    `push` and `clear` may be called from another thread than `pose` and `express`. The same calls in the same order
    give the same poses.
    """

    def __init__(self, seed: int, expressions: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._seed = seed
        self._fader = ExpressionFader(expressions)
        self._tracks: Mapping[
            Key, MouthTrack
        ] = {}  # replaced as a whole, never changed: `pose` reads it without the lock
        self._lock = threading.Lock()
        self._oldest_turn = -(1 << 62)
        self._heard: Key | None = None
        self._place: tuple[Key, bool] | None = None
        self._glide: _Glide | None = None
        self._last: tuple[float, State] | None = None
        self.not_finite = 0
        """Values of poses so far that were no numbers; they were drawn as 0."""

    @property
    def expressions(self) -> tuple[str, ...]:
        """Names that `express` knows."""
        return self._fader.names

    @property
    def expression(self) -> str:
        """The expression that is shown or being faded to."""
        return self._fader.name

    def push(self, clip: SpeechClip) -> None:
        """Prepare the lips of one clip; takes up to 0.1 s per second of sound where its phones are not known.

        Never raises: a clip whose phones cannot be used moves the mouth by its loudness.
        """
        if clip.turn < self._oldest_turn:
            return
        track = self._track(clip)
        with self._lock:
            heard = self._heard
            tracks = {**self._tracks, (clip.turn, clip.index): track}
            self._tracks = {
                key: each
                for key, each in tracks.items()
                if key[0] >= self._oldest_turn and (heard is None or key >= (heard[0], heard[1] - OLD_CLIPS))
            }

    @staticmethod
    def _track(clip: SpeechClip) -> MouthTrack:
        phones: tuple[Phone, ...] = ()
        try:
            phones = clip.phones if clip.phones is not None else phonemes.phones_for(clip.samples, clip.sample_rate)
            return MouthTrack(phones, clip.samples, clip.sample_rate)
        except Exception:  # whatever a voice sends, the face goes on; words are not logged
            log.exception("The sounds of a clip could not be used; its mouth follows the loudness.")
        try:
            return MouthTrack(phonemes.LOUDNESS.phones(clip.samples, clip.sample_rate), clip.samples, clip.sample_rate)
        except Exception:
            log.exception("A clip could not be used at all; its mouth stays shut.")
            return MouthTrack((), np.zeros(0, dtype=np.float32), 1)

    def clear(self, before_turn: int) -> None:
        """Drop every clip of turns older than `before_turn`; the mouth glides to rest within 0.1 s."""
        with self._lock:
            self._oldest_turn = max(self._oldest_turn, before_turn)
            self._tracks = {key: track for key, track in self._tracks.items() if key[0] >= before_turn}

    def express(self, name: str, time_s: float) -> None:
        """Fade to expression `name` from host time `time_s` on; an unknown name raises ValueError."""
        self._fader.set(name, time_s)

    def pose(self, speech: SpeechTime | None, time_s: float) -> Pose:
        """The pose at host time `time_s` while `speech` is heard (None: silence); float32 (45,), within THA3's ranges.

        head_x, head_y and neck_z stay within 0.5.
        """
        state, shut_lips = self._speech_state(speech, time_s)
        mouth, activity, energy, nod = state[:6], float(state[6]), float(state[7]), float(state[8])
        expression = while_speaking(self._fader.pose_at(time_s), activity)
        idle = idle_pose(time_s, self._seed, energy, nod)

        pose = idle + expression
        pose[_WINK] = np.maximum(idle[_WINK], expression[_WINK])
        # Lids have one place: what else an expression does with them gives way while they are shut.
        pose[_OTHER_LIDS] = expression[_OTHER_LIDS] * np.tile(1.0 - idle[_WINK], 5)
        pose[_HEAD] = np.clip(pose[_HEAD], -HEAD_LIMIT, HEAD_LIMIT)
        pose[_BODY] = pose[_BODY] + BODY_PER_HEAD * expression[_TURN_AND_TILT]
        pose[p.MOUTH] = np.maximum(mouth, expression[p.MOUTH] * np.float32(1.0 - shut_lips))
        # Layers may well add up to more than a range holds; what is no number at all is a fault worth counting.
        self.not_finite += int(np.count_nonzero(~np.isfinite(pose)))
        return p.clamp(pose)[0]

    def _speech_state(self, speech: SpeechTime | None, time_s: float) -> tuple[State, float]:
        """What speech wants of the face, without jumps when it changes clips or stops, and how far lips must shut."""
        tracks = self._tracks
        track = tracks.get((speech.turn, speech.index)) if speech is not None else None
        raw = np.zeros(9, dtype=np.float32)
        shut = 0.0
        place: tuple[Key, bool] | None = None
        if speech is not None and track is not None:
            key = (speech.turn, speech.index)
            self._heard = key
            raw, shut = self._read(track, speech.time_s)
            # The next clip follows without a gap if it is there in time, so its lips may move before it is heard.
            following = tracks.get((speech.turn, speech.index + 1))
            early_s = speech.time_s - track.duration_s
            overlaps = following is not None and -LEAD_S <= early_s <= 0.0
            if following is not None and overlaps:
                ahead, _ = self._read(following, early_s)
                ahead[:6] *= 1.0 - shut
                raw = np.maximum(raw, ahead)
            place = (key, overlaps)
        last = self._last
        if place != self._place:
            joins = last is not None and 0.0 <= time_s - last[0] <= MAX_GAP_S
            self._glide = _Glide(last[1] - raw, time_s) if joins and last is not None else None
            self._place = place
        state = raw
        if self._glide is not None:
            rest = self._glide.rest * (1.0 - _smoothstep((time_s - self._glide.since_s) / GLIDE_S))
            rest[:6] *= 1.0 - shut  # also a glide may not open lips that have to shut
            state = np.clip(raw + rest, 0.0, 1.0)
        self._last = (time_s, state)
        return state, shut

    @staticmethod
    def _read(track: MouthTrack, time_s: float) -> tuple[State, float]:
        rise = _smoothstep((time_s + LEAD_S) / LEAD_S)
        fall = _smoothstep((track.duration_s + TAIL_S - time_s) / ACTIVITY_FALL_S)
        state = np.zeros(9, dtype=np.float32)
        state[:6] = track.at(time_s, FRAME_S)
        state[6:] = float(rise * fall), track.energy(time_s), track.nod(time_s)
        return state, track.closure(time_s, FRAME_S)
