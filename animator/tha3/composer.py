"""Everything that moves the face, put together to one pose per frame.

Layers, in this order: idle (with gestures), emotion (from the brain), hotkey (from the user), gaze, mouth. The mouth
comes last and nothing touches it afterwards, or lips that should shut would not.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from animator.lipsync import visemes as mouth_shapes
from animator.lipsync.clip_phones import ClipPhones, HeardClip
from animator.lipsync.sentence_track import PieceTrack, SentenceTrack
from animator.lipsync.sources import by_loudness
from animator.manner import Motion
from animator.messages import Pose, SpeechClip, SpeechTime
from animator.protocol import Lips
from animator.tha3 import pose as p
from animator.tha3.breath import INHALE_S, SETTLE_S, SpokenBreath, rest_breath
from animator.tha3.crossfade import Crossfade, Curve, smoothstep
from animator.tha3.expressions import FADE_S, HAPPY_LIDS_OPEN, NEUTRAL, ExpressionFader, drawable_lids, while_speaking
from animator.tha3.gaze import Gaze, steadied
from animator.tha3.gestures import Cue, cue_of, gesture_at, gesture_length_s
from animator.tha3.idle import BODY_LAG_S, BODY_PER_HEAD, idle_pose, random_at
from animator.timebase import LEAD_S, TAIL_S

log = logging.getLogger(__name__)

FRAME_S = 1 / 30
HEAD_LIMIT = 0.5
"""The live tier is baked within this on head_x, head_y and neck_z."""
HEAD_FREE = 0.38
"""Up to here the head goes where all layers together want it; beyond, ever less, and never past HEAD_LIMIT."""
PREVIEW_FADE_S = 0.080
"""A face that is being edited follows the slider this soon; at once, it would flicker between two values."""
SAME_GESTURE_S = 0.4
MAX_GESTURES = 4
"""At once; more are not begun."""
ACTIVITY_FALL_S = 0.25
"""An expression's own mouth comes back over this long at a clip's end (it leaves over LEAD_S before its start)."""
MOUTH_BACK_AFTER_S, MOUTH_BACK_S = 2.2, 0.4
"""An expression's open mouth comes back so long after the last sound, over so long. Lips that part again when the words
are over look like a voice that is not heard; the emotion of an answer is gone 1.6 s + FADE_S after its voice, so what
comes back is what the user chose."""
GLIDE_S = np.array([0.080] * 6 + [0.25, 0.5, 0.25, 0.25], dtype=np.float32)
"""How long a jump is smoothed when speech changes clips or stops: each value of a `State`."""
MAX_GAP_S = 0.25
"""Frames further apart than this are not joined."""
SHOWN_MARGIN_S = 0.050
"""So far past the last picture's moment the mouth stays as it was when a sentence's next piece comes: the next picture
may be in the making."""
LATE_S = 0.020
"""A sentence that is heard this much later or earlier than a picture ago has been held up."""
OLD_CLIPS = 2
"""Clips of the same turn that are kept behind the one that is heard."""

_HEAD = slice(39, 42)
_TURN_AND_TILT = slice(40, 42)
_BODY = slice(42, 44)
_BREATHING = p.INDEX["breathing"]
_IRIS = slice(37, 39)
_SIDES = 50
"""This module's stream of `random_at`."""
_WINK = slice(12, 14)
_HAPPY_LIDS = slice(14, 16)
_OTHER_LIDS = slice(14, 24)

Key = tuple[int, int]
State = npt.NDArray[np.float32]
"""Six mouth parameters, activity, energy, nod, and how far an expression's mouth stays shut: float32, shape (10,)."""
_SHUT_AFTER = 9


@dataclass(frozen=True, slots=True)
class _Glide:
    """A jump that is being smoothed: what is still missing at its start, and when that was."""

    rest: State
    since_s: float


@dataclass(frozen=True, slots=True)
class _Speech:
    """What one clip does to the face."""

    track: PieceTrack
    breath: SpokenBreath
    cue: Cue | None = None
    text: str = ""
    """Of the whole sentence; never logged."""


@dataclass(frozen=True, slots=True)
class _Gesture:
    name: str
    since_s: float
    strength: float


@dataclass(frozen=True, slots=True)
class _Breathing:
    """The clip that the chest follows, and the host times of its first and last sample."""

    key: Key
    start_s: float
    end_s: float


def within_reach(head: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Head rotations as they are up to HEAD_FREE, eased towards HEAD_LIMIT beyond it. float32."""
    room = HEAD_LIMIT - HEAD_FREE
    over = np.maximum(np.abs(head) - HEAD_FREE, 0.0)
    eased = np.minimum(np.abs(head), HEAD_FREE) + room * np.tanh(over / room)
    return np.asarray(np.copysign(np.minimum(eased, HEAD_LIMIT), head), dtype=np.float32)


def _still(pose: Pose) -> Curve:
    return lambda _: pose


class Composer:
    """The pose of one character over time.

    `pose` belongs to one thread; everything else may be called from others. The same calls in the same order give
    the same poses, at any frame rate.
    """

    def __init__(
        self,
        seed: int,
        expressions: Mapping[str, Mapping[str, float]] | None = None,
        motion: Motion | None = None,
        table: mouth_shapes.Table = mouth_shapes.TABLE_OF_ASSETS,
    ) -> None:
        self._seed = seed
        self._mouth_shapes = table
        self._motion = motion or Motion()
        self._emotion = ExpressionFader(expressions)
        self._hotkey = ExpressionFader(expressions, under=self._emotion.pose_at)
        self._previewed: Pose | None = None
        self._preview = Crossfade(self._hotkey.pose_at)
        """The user's expression, or what is being edited in its place."""
        self._gaze = Gaze(seed)
        self._thinking: int | None = None
        self._gestures: tuple[_Gesture, ...] = ()
        self._gestures_begun = 0
        self._breath = Crossfade(lambda time_s: np.array([rest_breath(time_s)], dtype=np.float32))
        self._breathing: _Breathing | None = None
        self._tracks: Mapping[Key, _Speech] = {}  # replaced as a whole: `pose` reads it without the lock
        self._phones = ClipPhones()
        self._hearing = threading.Lock()  # for `_phones`: clips are heard one after the other
        self._lock = threading.Lock()
        self._oldest_turn = -(1 << 62)
        self._heard: Key | None = None
        self._shown: tuple[Key, float] | None = None
        """The clip drawn last and the moment of it, in s."""
        self._place: tuple[Key, bool] | None = None
        self._sentence: tuple[SentenceTrack, float] | None = None
        """The sentence drawn last and the host time of its first sample."""
        self._glide: _Glide | None = None
        self._last: tuple[float, State] | None = None
        self._drawn_s = -math.inf
        self._sounded_s = -math.inf
        """Host time of the last sound of speech so far."""
        self._wished_s = -math.inf
        """Host time at which the user last chose an expression."""
        self.not_finite = 0
        """Values of poses so far that were no numbers; they were drawn as 0."""

    @property
    def oldest_turn(self) -> int:
        """Clips of turns before it are dropped."""
        return self._oldest_turn

    @property
    def expressions(self) -> tuple[str, ...]:
        """Names that `express` and `feel` know."""
        return self._emotion.names

    @property
    def expression(self) -> str:
        """The expression that is shown or being faded to: the user's if one is set, else the emotion."""
        return self._hotkey.name if self._hotkey.name != NEUTRAL else self._emotion.name

    def take_over(self, before: Composer) -> bool:
        """Go on where another character's composer is: what it shows, thinks and gestures, as far as it is known here.

        Returns whether its clips were taken along; push them again where they were not, because the mouths have other
        shapes. Nothing may be pushed meanwhile.
        """
        for mine, other in ((self._emotion, before._emotion), (self._hotkey, before._hotkey)):
            if other.name in mine.names:
                mine.set(other.name, -1e9, other.intensity)
        if before._previewed is not None:
            self._previewed = before._previewed
            self._preview.to(_still(before._previewed), -1e9, PREVIEW_FADE_S)
        with before._lock:
            self._gaze, self._thinking, self._gestures = before._gaze, before._thinking, before._gestures
            self._breath, self._breathing = before._breath, before._breathing
            self._sounded_s, self._wished_s = before._sounded_s, before._wished_s
            self._oldest_turn, self._drawn_s = before._oldest_turn, before._drawn_s
            self._place, self._sentence = before._place, before._sentence
            self._glide, self._last = before._glide, before._last
            if self._mouth_shapes != before._mouth_shapes:
                return False
            self._tracks, self._heard, self._shown = before._tracks, before._heard, before._shown
        self._phones = before._phones
        return True

    def push(self, clip: SpeechClip) -> Lips | None:
        """Prepare the lips of one clip; takes up to 0.1 s per second of sound where its phones are not known.

        Returns what they are made from; None for a clip of a turn that is over. Never raises: a clip whose phones
        cannot be used moves the mouth by its loudness.
        """
        if clip.turn < self._oldest_turn:
            return None
        speech, lips = self._speech(clip)
        with self._lock:
            heard = self._heard
            tracks = {**self._tracks, (clip.turn, clip.index): speech}
            sentence = speech.track.sentence
            for k in range(len(sentence.starts_s) - 1):  # what came before knows now what follows
                key = (clip.turn, clip.index - len(sentence.starts_s) + 1 + k)
                if key in tracks:
                    tracks[key] = replace(tracks[key], track=sentence.piece(k))
            self._tracks = {
                key: each
                for key, each in tracks.items()
                if key[0] >= self._oldest_turn and (heard is None or key >= (heard[0], heard[1] - OLD_CLIPS))
            }
        return lips

    def _speech(self, clip: SpeechClip) -> tuple[_Speech, Lips]:
        reason = "the sounds of the clip could not be used"
        try:
            with self._hearing:
                found = self._phones.hear(clip)
            heard = found.heard
            return self._spoken(clip, found), Lips(heard.method, heard.model, heard.reason)
        except Exception:  # whatever a voice sends, the face goes on; words are not logged
            log.exception("The sounds of a clip could not be used; its mouth follows the loudness.")
        try:
            heard = by_loudness(clip.samples, clip.sample_rate, reason)
            return self._spoken(clip, HeardClip(heard.phones, heard)), Lips("loudness", reason=reason)
        except Exception:
            log.exception("A clip could not be used at all; its mouth stays shut.")
            reason = "the clip could not be used at all, so its mouth stays shut"
        track = SentenceTrack((), np.zeros(0, dtype=np.float32), 1).piece(0)
        return _Speech(track, SpokenBreath((), track.duration_s)), Lips("loudness", reason=reason)

    def _spoken(self, clip: SpeechClip, found: HeardClip) -> _Speech:
        """What a clip does to the face, together with the pieces of its sentence that came before it."""
        before = self._tracks.get((clip.turn, clip.index - 1)) if clip.continues else None
        if before is None or before.track.sentence.sample_rate != clip.sample_rate or before.track.rest_s > 0.0:
            phones = found.own(clip.duration_s) if found.pieces > 1 else found.phones
            sentence = SentenceTrack(
                phones, clip.samples, clip.sample_rate, language=clip.language, table=self._mouth_shapes
            )
            text = clip.text
        else:
            said = before.track.sentence
            shown_s = self._shown_s(said, clip.turn, clip.index)
            if found.pieces == len(said.starts_s) + 1:
                sentence = said.retold(found.phones, clip.samples, shown_s)
            else:  # pieces of whose sentence only the voice, or nobody, knows what came before
                sentence = said.extended(found.own(clip.duration_s), clip.samples, shown_s)
            text = before.text
        track = sentence.piece(len(sentence.starts_s) - 1)
        cue = cue_of(text, sentence.duration_s)
        whole = cue_of(text, math.inf)
        if cue is not None and whole is not None:
            # One at a sentence's end belongs to its last piece, any other to its first.
            is_here = clip.final if math.isinf(whole.at_s) else track.index == 0
            cue = replace(cue, at_s=max(cue.at_s - track.starts_s, 0.0)) if is_here else None
        return _Speech(track, SpokenBreath(sentence.phones, sentence.duration_s), cue, text)

    def _shown_s(self, sentence: SentenceTrack, turn: int, index: int) -> float:
        """Until when the mouth of `sentence`, whose next piece is clip `index`, may have been drawn; -inf: not at all.

        Also -inf where its sound is over: then the mouth is shut or shutting, and begins anew.
        """
        shown = self._shown
        if shown is None or shown[0][0] != turn:
            return -math.inf
        k = shown[0][1] - index + len(sentence.starts_s)
        if not 0 <= k < len(sentence.starts_s):
            return -math.inf
        shown_s = sentence.starts_s[k] + shown[1]
        return shown_s + SHOWN_MARGIN_S if shown_s < sentence.duration_s else -math.inf

    def clear(self, before_turn: int) -> None:
        """Drop every clip of turns older than `before_turn`, and what is thought about them.

        The mouth glides to rest within 0.1 s.
        """
        with self._lock:
            self._oldest_turn = max(self._oldest_turn, before_turn)
            self._tracks = {key: track for key, track in self._tracks.items() if key[0] >= before_turn}
        self.attend(before_turn - 1, self._drawn_s)

    def express(self, name: str, time_s: float) -> None:
        """The user's wish: fade to expression `name` from host time `time_s` on, over whatever emotion there is.

        "neutral" lets go of it, and the emotion shows again. An unknown name raises ValueError.
        """
        self._hotkey.set(name, time_s, self._motion.intensity)
        if name != NEUTRAL:
            self._wished_s = time_s

    def preview(self, values: Mapping[str, float] | None, time_s: float) -> None:
        """Show `values` (THA3 names, a pair's bare name for both sides) in place of any expression, from `time_s` on.

        Blinks, sway, breath and lips go on over it. None ends it. An unknown name raises ValueError; what is out of
        range or no number is clamped.
        """
        if values is None:
            if self._previewed is not None:
                self._previewed = None
                self._preview.to(self._hotkey.pose_at, time_s, FADE_S)
            return
        pose = p.clamp(p.pose_of(**values))[0]
        self._previewed = pose
        self._preview.to(_still(pose), time_s, PREVIEW_FADE_S)
        if self._wished_s <= self._sounded_s:  # an open mouth is to be seen, also right after an answer
            self._wished_s = time_s

    def feel(self, name: str, time_s: float, intensity: float = 1.0) -> None:
        """The brain's emotion: fade to `name` at `intensity` in [0, 1] from host time `time_s` on.

        It is seen where the user has not chosen an expression. An unknown name raises ValueError.
        """
        self._emotion.set(name, time_s, intensity * self._motion.intensity)

    def gesture(self, name: str, time_s: float, strength: float = 1.0) -> None:
        """Begin gesture `name` (one of `gestures.GESTURES`) at host time `time_s`; it joins those that are running.

        One that begins within SAME_GESTURE_S of another of its name is the same one: the brain's tag and the word "yes"
        mean one nod. Which side a tilt or a lean goes to is drawn from the seed. An unknown name raises ValueError.
        """
        length_s = gesture_length_s(name)
        with self._lock:
            running = [each for each in self._gestures if time_s < each.since_s + gesture_length_s(each.name)]
            is_begun = any(each.name == name and abs(each.since_s - time_s) < SAME_GESTURE_S for each in running)
            if is_begun or len(running) >= MAX_GESTURES or not length_s:
                return
            self._gestures_begun += 1
            side = 1.0 if random_at(self._seed, _SIDES, self._gestures_begun) < 0.5 else -1.0
            self._gestures = (
                *running,
                _Gesture(name, time_s, side * self._motion.liveliness * min(max(strength, 0.0), 1.0)),
            )

    def think(self, turn: int, time_s: float) -> None:
        """The brain works on `turn` from host time `time_s` on: look away until that turn (or a later one) is heard."""
        with self._lock:
            if turn < self._oldest_turn:
                return
            if self._thinking is None:
                self._gaze.away(time_s)
            self._thinking = turn

    def attend(self, turn: int, time_s: float) -> None:
        """`turn` and those before it are no longer thought about: look at the viewer from host time `time_s` on."""
        with self._lock:
            if self._thinking is not None and self._thinking <= turn:
                self._thinking = None
                self._gaze.back(time_s)

    def pose(self, speech: SpeechTime | None, time_s: float) -> Pose:
        """The pose at host time `time_s` while `speech` is heard (None: silence); float32 (45,), within THA3's ranges.

        head_x, head_y and neck_z stay within 0.5.
        """
        self._listen(speech, time_s)
        state, shut_lips = self._speech_state(speech, time_s)
        mouth, activity, energy, nod = state[:6], float(state[6]), float(state[7]), float(state[8])
        expression = while_speaking(self._preview.at(time_s), activity)
        expression[p.MOUTH] *= 1.0 - state[_SHUT_AFTER]
        idle = idle_pose(time_s, self._seed, energy, nod, self._motion)
        gesture = self._gesture_offsets(time_s)
        gaze = self._gaze.at(time_s)

        expression[_HAPPY_LIDS] = drawable_lids(expression[_HAPPY_LIDS])
        # Eyes that are shut with a smile do not blink: the lid would jump from one arc to the other.
        idle[_WINK] *= 1.0 - smoothstep((expression[_HAPPY_LIDS] - HAPPY_LIDS_OPEN) / 0.4)
        pose = idle + expression
        pose[_WINK] = np.maximum(idle[_WINK], expression[_WINK])
        # Lids have one place: what else an expression does with them gives way while they are shut.
        pose[_OTHER_LIDS] = expression[_OTHER_LIDS] * np.tile(1.0 - idle[_WINK], 5)
        look = [steadied(float(idle[i] + gesture[i - 39])) for i in (39, 40)]
        pose[_IRIS] = (pose[_IRIS] + look) * (1.0 - gaze[5]) + gaze[:2]
        pose[_HEAD] = within_reach(pose[_HEAD] + gesture[:3] + gaze[2:5])
        then = self._preview.at(time_s - BODY_LAG_S)[_TURN_AND_TILT] + self._gaze.at(time_s - BODY_LAG_S)[3:5]
        pose[_BODY] = np.clip(pose[_BODY] + gesture[3:] + BODY_PER_HEAD * then, -HEAD_LIMIT, HEAD_LIMIT)
        pose[_BREATHING] = max(float(self._breath.at(time_s)[0]), float(expression[_BREATHING]))
        pose[p.MOUTH] = np.maximum(mouth, expression[p.MOUTH] * np.float32(1.0 - shut_lips))
        self._drawn_s = time_s
        # Layers may well add up to more than a range holds; what is no number at all is a fault worth counting.
        self.not_finite += int(np.count_nonzero(~np.isfinite(pose)))
        return p.clamp(pose)[0]

    def _shut_after(self, time_s: float) -> float:
        """How far the speech before keeps an expression's mouth shut in silence, in [0, 1]."""
        back = float(smoothstep((time_s - self._sounded_s - MOUTH_BACK_AFTER_S) / MOUTH_BACK_S))
        if self._wished_s > self._sounded_s:  # what is chosen in the silence is meant to be seen at once
            back = max(back, float(smoothstep((time_s - self._wished_s) / FADE_S)))
        return 1.0 - back

    def _gesture_offsets(self, time_s: float) -> npt.NDArray[np.float32]:
        total = np.zeros(5, dtype=np.float32)
        for each in self._gestures:
            total += gesture_at(each.name, time_s - each.since_s, each.strength)
        return total

    def _listen(self, speech: SpeechTime | None, time_s: float) -> None:
        """Let breath, gaze and gestures follow where a clip begins and where speech ends."""
        spoken = self._tracks.get((speech.turn, speech.index)) if speech is not None else None
        now = self._breathing
        # What is heard of late must not move the face in the past, or it would jump.
        drawn_s = self._drawn_s if 0.0 <= time_s - self._drawn_s <= MAX_GAP_S else -math.inf
        if speech is not None and spoken is not None:
            if speech.time_s >= 0.0:
                self._sounded_s = time_s - max(0.0, speech.time_s - spoken.track.duration_s)
            start_s = time_s - speech.time_s
            # From when the clip came into reach, whichever frame sees it first.
            self.attend(speech.turn, max(start_s - LEAD_S, drawn_s))
            key = (speech.turn, speech.index)
            if now is not None and now.key == key:
                return
            breath, begin_s = spoken.breath, start_s - spoken.track.starts_s
            # `Playout` changes clips halfway where the pause between them is short.
            since_s = start_s - LEAD_S if now is None else max(start_s - LEAD_S, (now.end_s + start_s) / 2)
            self._breathing = _Breathing(key, start_s, start_s + spoken.track.duration_s)
            self._breath.to(
                lambda t: np.array([breath.at(t - begin_s)], dtype=np.float32), max(since_s, drawn_s), INHALE_S
            )
            if spoken.cue is not None and self._motion.gestures:
                self.gesture(spoken.cue.name, max(start_s + spoken.cue.at_s, drawn_s), spoken.cue.strength)
        elif now is not None:
            self._breathing = None
            # What was cut short ends now; what was played to its end did so TAIL_S ago.
            end_s = min(time_s, now.end_s + TAIL_S)
            self._breath.to(lambda t: np.array([rest_breath(t, end_s)], dtype=np.float32), end_s, SETTLE_S)
            if time_s < now.end_s:
                self._forget_gestures_after(time_s)

    def _forget_gestures_after(self, time_s: float) -> None:
        """Whoever is cut short does not make the gesture that was still to come."""
        with self._lock:
            self._gestures = tuple(each for each in self._gestures if each.since_s <= time_s)

    def _speech_state(self, speech: SpeechTime | None, time_s: float) -> tuple[State, float]:
        """What speech wants of the face, without jumps when it changes clips or stops, and how far lips must shut."""
        tracks = self._tracks
        spoken = tracks.get((speech.turn, speech.index)) if speech is not None else None
        raw = np.zeros(len(GLIDE_S), dtype=np.float32)
        shut = 0.0
        place: tuple[Key, bool] | None = None
        sentence: tuple[SentenceTrack, float] | None = None
        if speech is not None and spoken is not None:
            track = spoken.track
            key = (speech.turn, speech.index)
            self._heard = key
            self._shown = (key, speech.time_s)
            raw, shut = self._read(track, speech.time_s)
            # The next clip follows without a gap if it is there in time, so its lips may move before it is heard.
            following = tracks.get((speech.turn, speech.index + 1))
            early_s = speech.time_s - track.duration_s
            is_apart = following is not None and following.track.sentence is not track.sentence
            overlaps = is_apart and -LEAD_S <= early_s <= 0.0
            if following is not None and overlaps:
                ahead, _ = self._read(following.track, early_s)
                ahead[:6] *= 1.0 - shut
                raw = np.maximum(raw, ahead)
            sentence = (track.sentence, time_s - speech.time_s - track.starts_s)
            # Pieces of a sentence are one place, unless its sound was held up between them.
            place = ((key[0], key[1] - track.index), overlaps)
        raw[_SHUT_AFTER] = self._shut_after(time_s)
        last = self._last
        if place != self._place or self._is_held_up(sentence):
            joins = last is not None and 0.0 <= time_s - last[0] <= MAX_GAP_S
            self._glide = _Glide(last[1] - raw, time_s) if joins and last is not None else None
            self._place = place
        self._sentence = sentence
        state = raw
        if self._glide is not None:
            rest = self._glide.rest * (1.0 - smoothstep((time_s - self._glide.since_s) / GLIDE_S))
            rest[:6] *= 1.0 - shut  # also a glide may not open lips that have to shut
            state = np.clip(raw + rest, 0.0, 1.0)
        self._last = (time_s, state)
        return state, shut

    def _is_held_up(self, now: tuple[SentenceTrack, float] | None) -> bool:
        """Whether the same sentence is heard elsewhere than a picture ago, or got a piece after its sound was over."""
        if now is None or self._sentence is None:
            return False
        is_new = now[0] is not self._sentence[0] and now[0].kept_until_s == -math.inf
        return is_new or abs(now[1] - self._sentence[1]) > LATE_S

    @staticmethod
    def _read(track: PieceTrack, time_s: float) -> tuple[State, float]:
        rise = smoothstep((time_s + track.starts_s + LEAD_S) / LEAD_S)
        fall = smoothstep((track.duration_s + track.rest_s + TAIL_S - time_s) / ACTIVITY_FALL_S)
        state = np.zeros(len(GLIDE_S), dtype=np.float32)
        state[:6] = track.at(time_s, FRAME_S)
        state[6:9] = float(rise * fall), track.energy(time_s), track.nod(time_s)
        return state, track.closure(time_s, FRAME_S)
