"""The 28 emotions of go-emotions as THA3 faces. Values are our own, tuned by looking at our two characters.

What they showed: per side one brow and one shape of the eye look best, and irises stay within half their range, since
the live face adds up what each parameter changes and sums of them leave traces. eye_relaxed reads up to 0.5,
eye_happy_wink is either shut or not there. Corners are barely seen on shut lips, and lowered ones leave traces on open
ones; mouth_smirk draws the line of shut lips, 0.5 (`pose.REST_SMIRK`) belongs to open ones.
"""

from __future__ import annotations

from collections.abc import Mapping

# A bare pair name sets both sides.
EMOTIONS: Mapping[str, Mapping[str, float]] = {
    "admiration": {
        "eyebrow_raised": 0.6, "eye_surprised": 0.45, "mouth_aaa": 0.4, "mouth_smirk": 0.5,
        "mouth_raised_corner": 1.0, "head_x": 0.16, "neck_z": 0.1,
    },
    "amusement": {
        "eyebrow_happy": 1.0, "eye_happy_wink": 1.0, "mouth_eee": 0.75, "mouth_smirk": 0.5,
        "mouth_raised_corner": 1.0, "head_x": -0.06, "neck_z": 0.22,
    },
    "anger": {
        "eyebrow_angry": 1.0, "iris_small": 0.25, "mouth_iii": 1.0, "mouth_smirk": 0.5, "head_x": -0.26,
    },
    "annoyance": {
        "eyebrow_angry": 0.6, "eye_unimpressed": 0.9, "mouth_smirk": 0.9, "mouth_lowered_corner": 1.0,
        "head_x": -0.06, "head_y": -0.2, "neck_z": -0.16,
    },
    "approval": {
        "eyebrow_happy": 0.9, "eye_raised_lower_eyelid": 0.6, "mouth_smirk": 0.9, "mouth_raised_corner": 1.0,
        "head_x": -0.2,
    },
    "caring": {
        "eyebrow_troubled": 0.45, "eye_relaxed": 0.3, "mouth_smirk": 0.85, "mouth_raised_corner": 1.0,
        "head_x": -0.14, "neck_z": 0.28,
    },
    "confusion": {
        "eyebrow_troubled_right": 0.9, "eyebrow_raised_left": 0.9, "eye_unimpressed_right": 0.6, "mouth_smirk": 0.7,
        "mouth_lowered_corner": 0.6, "head_y": 0.1, "neck_z": -0.34,
    },
    "curiosity": {
        "eyebrow_raised": 0.8, "eye_surprised": 0.45, "mouth_delta": 0.5, "mouth_smirk": 0.5, "head_x": 0.06,
        "head_y": -0.18, "neck_z": 0.32,
    },
    "desire": {
        "eyebrow_happy": 0.4, "eye_relaxed": 0.5, "mouth_smirk": 1.0, "mouth_raised_corner": 1.0, "head_x": -0.24,
        "head_y": 0.2, "neck_z": 0.22,
    },
    "disappointment": {
        "eyebrow_troubled": 0.7, "eye_unimpressed": 0.9, "mouth_smirk": 0.8, "mouth_lowered_corner": 1.0,
        "head_x": -0.26, "head_y": -0.24, "neck_z": -0.14,
    },
    "disapproval": {
        "eyebrow_lowered": 1.0, "eye_unimpressed": 1.0, "mouth_smirk": 0.9, "mouth_lowered_corner": 1.0,
        "head_x": 0.22, "head_y": -0.16,
    },
    "disgust": {
        "eyebrow_angry": 0.5, "eye_relaxed": 0.4, "mouth_eee": 0.5, "mouth_smirk": 0.5, "head_x": 0.14,
        "head_y": -0.36, "neck_z": -0.2,
    },
    "embarrassment": {
        "eyebrow_troubled": 1.0, "mouth_iii": 0.8, "mouth_smirk": 0.5, "iris_rotation_x": -0.25,
        "iris_rotation_y": -0.5, "head_x": -0.26, "head_y": -0.26, "neck_z": 0.18,
    },
    "excitement": {
        "eyebrow_raised": 0.8, "eye_surprised": 0.6, "mouth_aaa": 1.0, "mouth_smirk": 0.5, "mouth_raised_corner": 1.0,
        "head_x": 0.16, "neck_z": 0.12,
    },
    "fear": {
        "eyebrow_troubled": 1.0, "eye_surprised": 0.6, "iris_small": 0.5, "mouth_eee": 0.55, "mouth_smirk": 0.5,
        "head_x": -0.16, "head_y": 0.16, "neck_z": 0.08,
    },
    "gratitude": {
        "eyebrow_happy": 1.0, "eye_happy_wink": 1.0, "mouth_smirk": 0.9, "mouth_raised_corner": 1.0, "head_x": -0.38,
    },
    "grief": {
        "eyebrow_troubled": 1.0, "eye_wink": 1.0, "mouth_eee": 0.4, "mouth_smirk": 0.5, "head_x": -0.42,
        "neck_z": -0.2,
    },
    "joy": {
        "eyebrow_happy": 1.0, "eye_happy_wink": 1.0, "mouth_aaa": 1.0, "mouth_smirk": 0.5, "mouth_raised_corner": 1.0,
        "head_x": 0.14, "neck_z": 0.16,
    },
    "love": {
        "eyebrow_happy": 0.9, "eye_relaxed": 0.28, "mouth_smirk": 1.0, "mouth_raised_corner": 1.0, "head_x": -0.1,
        "neck_z": -0.34,
    },
    "nervousness": {
        "eyebrow_troubled": 0.8, "mouth_iii": 0.9, "mouth_smirk": 0.5, "iris_rotation_y": 0.5, "head_x": -0.04,
        "head_y": -0.22, "neck_z": -0.06,
    },
    "neutral": {"mouth_smirk": 0.5},
    "optimism": {
        "eyebrow_happy": 0.8, "eye_raised_lower_eyelid": 0.3, "mouth_aaa": 0.45, "mouth_smirk": 0.5,
        "mouth_raised_corner": 1.0, "iris_rotation_x": 0.25, "head_x": 0.32, "head_y": 0.12, "neck_z": -0.14,
    },
    "pride": {
        "eyebrow_raised": 0.35, "eye_happy_wink": 1.0, "mouth_smirk": 1.0, "mouth_raised_corner": 1.0, "head_x": 0.4,
        "head_y": -0.14,
    },
    "realization": {
        "eyebrow_raised": 1.0, "eye_surprised": 0.7, "mouth_delta": 0.75, "mouth_smirk": 0.5, "head_x": 0.26,
    },
    "relief": {
        "eyebrow_troubled": 0.5, "eye_wink": 1.0, "mouth_delta": 0.5, "mouth_smirk": 0.5, "head_x": -0.08,
        "neck_z": 0.18,
    },
    "remorse": {
        "eyebrow_troubled": 1.0, "eye_relaxed": 0.5, "mouth_smirk": 0.7, "mouth_lowered_corner": 1.0, "head_x": -0.42,
        "head_y": 0.2, "neck_z": 0.12,
    },
    "sadness": {
        "eyebrow_troubled": 1.0, "eye_relaxed": 0.35, "mouth_smirk": 0.7, "mouth_lowered_corner": 1.0,
        "head_x": -0.34, "neck_z": -0.16,
    },
    "surprise": {
        "eyebrow_raised": 1.0, "eye_surprised": 1.0, "iris_small": 0.3, "mouth_ooo": 0.85, "mouth_smirk": 0.5,
        "head_x": 0.22,
    },
}  # fmt: skip
"""By the names of the go-emotions data set, in its order. Mouths that are open here shut to speak."""
