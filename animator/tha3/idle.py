"""What a living face does by itself: blinks, sway, small looks. Pure functions of time and seed.

Everything is in closed form, so a frame is the same whenever and however often it is asked for, at any frame rate.
Random-looking moments sit on a jittered grid: slot k of a fixed length holds one event at a seeded place within it,
so any time can be answered without playing through what came before.
"""

from __future__ import annotations

import math

from animator.manner import Motion
from animator.messages import Pose
from animator.tha3 import pose as p

# Blinks
BLINK_CLOSE_S, BLINK_HOLD_S, BLINK_OPEN_S = 0.080, 0.040, 0.140
"""The hold is longer than a frame at 30 fps, so every blink is seen fully shut."""
BLINK_S = BLINK_CLOSE_S + BLINK_HOLD_S + BLINK_OPEN_S
BLINK_SLOT_S, BLINK_JITTER_S = 4.0, 2.0
"""Gaps between blinks lie between 2 and 6 s."""
DOUBLE_BLINK_SHARE = 0.12
DOUBLE_BLINK_AFTER_S = 0.340
LID_POWER = 3
"""eye_wink shuts 32 % at 0.10 and 67 % at 0.25 (measured on THA3): the third power makes the lid move evenly."""

# Sway, in THA3 parameters (1 is about 15 degrees)
SWAY_HZ = (0.071, 0.127, 0.233)
"""Incommensurate, so that the sway does not repeat within an hour."""
SWAY_WEIGHTS = (0.50, 0.32, 0.18)
HEAD_X_SWAY, HEAD_Y_SWAY, NECK_Z_SWAY = 0.14, 0.22, 0.18
SPEECH_SWAY = 0.6
"""A lively speaker sways this much more."""
NOD = 0.10
"""How far head_x goes down on a stressed word."""
HEAD_LIMIT = 0.45
"""Idle motion stays within this on head_x, head_y and neck_z (the baked face reaches to 0.5)."""
BODY_LAG_S = 0.150
"""The body follows the head this much later."""
BODY_PER_HEAD = 0.4
"""body_y per head_y and body_z per neck_z."""

# Looks
SACCADE_SLOT_S, SACCADE_JITTER_S = 1.75, 1.25
"""A look is held for 0.5 to 3 s."""
SACCADE_S = 0.050
"""An eye needs 30-60 ms for a small jump."""
LOOK_X, LOOK_Y = 0.12, 0.20
LOOK_HOME_SHARE = 0.45
"""Share of looks that go straight ahead, to the viewer."""

_USUAL = Motion()
_MASK = (1 << 64) - 1
_BLINKS, _DOUBLES, _SACCADES, _LOOKS_X, _LOOKS_Y, _HOMES, _PHASES = range(7)


def random_at(seed: int, stream: int, k: int) -> float:
    """A number in [0, 1) that belongs to (seed, stream, k) for good (SplitMix64's mixing).

    Streams below 40 are this module's, those from 40 on are for others.
    """
    z = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + k * 0x8CB92BA72F3D8DD7 + 0x632BE59BD9B4E019) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) / (1 << 53)


def _smoothstep(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


def _event_s(seed: int, stream: int, k: int, slot_s: float, jitter_s: float) -> float:
    return k * slot_s + jitter_s * random_at(seed, stream, k)


def _lid(since_s: float) -> float:
    """How far the lid has come since a blink began, in [0, 1]."""
    if since_s <= BLINK_CLOSE_S:
        return _smoothstep(since_s / BLINK_CLOSE_S)
    return 1.0 - _smoothstep((since_s - BLINK_CLOSE_S - BLINK_HOLD_S) / BLINK_OPEN_S)


def blink(time_s: float, seed: int, every_s: float = BLINK_SLOT_S) -> float:
    """How far the lids are shut at `time_s`, in [0, 1], evenly in what is seen. `every_s`: mean time between blinks."""
    shut = 0.0
    slot = math.floor(time_s / every_s)
    for k in (slot - 1, slot):
        begin_s = _event_s(seed, _BLINKS, k, every_s, every_s * BLINK_JITTER_S / BLINK_SLOT_S)
        begins_s = [begin_s]
        if random_at(seed, _DOUBLES, k) < DOUBLE_BLINK_SHARE:
            begins_s.append(begin_s + DOUBLE_BLINK_AFTER_S)
        for each_s in begins_s:
            if 0.0 <= time_s - each_s <= BLINK_S:
                shut = max(shut, _lid(time_s - each_s))
    return shut


def look(time_s: float, seed: int) -> tuple[float, float]:
    """Where the eyes look: (iris_rotation_x, iris_rotation_y), within (LOOK_X, LOOK_Y)."""

    def target(k: int) -> tuple[float, float]:
        if random_at(seed, _HOMES, k) < LOOK_HOME_SHARE:
            return 0.0, 0.0
        return LOOK_X * (2 * random_at(seed, _LOOKS_X, k) - 1), LOOK_Y * (2 * random_at(seed, _LOOKS_Y, k) - 1)

    k = math.floor(time_s / SACCADE_SLOT_S)
    if time_s < _event_s(seed, _SACCADES, k, SACCADE_SLOT_S, SACCADE_JITTER_S):
        k -= 1
    begin_s = _event_s(seed, _SACCADES, k, SACCADE_SLOT_S, SACCADE_JITTER_S)
    share = _smoothstep((time_s - begin_s) / SACCADE_S)
    (from_x, from_y), (to_x, to_y) = target(k - 1), target(k)
    return from_x + share * (to_x - from_x), from_y + share * (to_y - from_y)


def _sway(time_s: float, seed: int, axis: int) -> float:
    """A slow wander in [-1, 1]."""
    total = 0.0
    for i, (hz, weight) in enumerate(zip(SWAY_HZ, SWAY_WEIGHTS, strict=True)):
        phase = random_at(seed, _PHASES, 8 * axis + i)
        total += weight * math.sin(2 * math.pi * (hz * (1 + 0.07 * axis) * time_s + phase))
    return total


def idle_pose(
    time_s: float, seed: int, speech_energy: float = 0.0, nod: float = 0.0, motion: Motion | None = None
) -> Pose:
    """The face at `time_s` with nothing to express: blinks, sway and looks.

    Args:
        time_s: Host time in s.
        seed: Another seed, another rhythm.
        speech_energy: How lively the character speaks now, in [0, 1]; should change slowly.
        nod: How far a nod on a stressed word has come, in [0, 1].
        motion: How lively the character is; as usual if absent.

    Returns:
        float32 (45,). head_x, head_y and neck_z within HEAD_LIMIT; mouth, brows and breath 0.
    """
    energy = min(max(speech_energy, 0.0), 1.0)
    motion = motion or _USUAL
    lively = motion.liveliness * (1.0 + SPEECH_SWAY * energy)
    then_s = time_s - BODY_LAG_S
    head_x = HEAD_X_SWAY * lively * _sway(time_s, seed, 0) - NOD * motion.liveliness * min(max(nod, 0.0), 1.0)
    head_y, head_y_then = (HEAD_Y_SWAY * lively * _sway(t, seed, 1) for t in (time_s, then_s))
    neck_z, neck_z_then = (NECK_Z_SWAY * lively * _sway(t, seed, 2) for t in (time_s, then_s))
    look_x, look_y = look(time_s, seed)
    return p.pose_of(
        eye_wink=blink(time_s, seed, motion.blink_every_s) ** LID_POWER,
        iris_rotation_x=look_x,
        iris_rotation_y=look_y,
        head_x=min(max(head_x, -HEAD_LIMIT), HEAD_LIMIT),
        head_y=min(max(head_y, -HEAD_LIMIT), HEAD_LIMIT),
        neck_z=min(max(neck_z, -HEAD_LIMIT), HEAD_LIMIT),
        body_y=BODY_PER_HEAD * head_y_then,
        body_z=BODY_PER_HEAD * neck_z_then,
    )
