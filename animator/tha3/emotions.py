"""The 28 emotions of go-emotions as THA3 faces. Values are our own, tuned by looking at our two characters."""

from __future__ import annotations

from collections.abc import Mapping

# A bare pair name sets both sides. Corners are barely seen on shut lips; mouth_smirk draws the line of the lips.
EMOTIONS: Mapping[str, Mapping[str, float]] = {
    "admiration": {
        "eyebrow_raised": 0.45, "eyebrow_happy": 0.5, "eye_surprised": 0.35, "eye_raised_lower_eyelid": 0.25,
        "mouth_aaa": 0.28, "mouth_raised_corner": 1.0, "head_x": 0.12, "neck_z": 0.08,
    },
    "amusement": {
        "eyebrow_happy": 0.9, "eyebrow_raised": 0.2, "eye_happy_wink": 0.55, "mouth_eee": 0.55,
        "mouth_raised_corner": 1.0, "head_x": 0.08, "neck_z": 0.16,
    },
    "anger": {
        "eyebrow_angry": 1.0, "eyebrow_lowered": 0.5, "eye_unimpressed": 0.35, "iris_small": 0.25, "mouth_iii": 0.75,
        "mouth_lowered_corner": 1.0, "mouth_smirk": 0.3, "head_x": -0.2,
    },
    "annoyance": {
        "eyebrow_angry": 0.55, "eyebrow_serious": 0.4, "eye_unimpressed": 0.6, "mouth_smirk": 0.6,
        "mouth_lowered_corner": 1.0, "iris_rotation_y": 0.35, "head_y": -0.1, "neck_z": -0.1,
    },
    "approval": {
        "eyebrow_happy": 0.6, "eye_relaxed": 0.2, "eye_raised_lower_eyelid": 0.3, "mouth_smirk": 0.7,
        "mouth_raised_corner": 1.0, "head_x": -0.12,
    },
    "caring": {
        "eyebrow_troubled": 0.4, "eyebrow_happy": 0.4, "eye_relaxed": 0.25, "eye_raised_lower_eyelid": 0.3,
        "mouth_smirk": 0.6, "mouth_raised_corner": 0.8, "head_x": -0.1, "neck_z": 0.24,
    },
    "confusion": {
        "eyebrow_troubled": 0.5, "eyebrow_raised_left": 0.75, "eyebrow_lowered_right": 0.4,
        "eye_unimpressed_right": 0.35, "mouth_smirk": 0.6, "mouth_lowered_corner": 0.6, "iris_rotation_x": 0.15, "head_y": 0.08, "neck_z": -0.28,
    },
    "curiosity": {
        "eyebrow_raised": 0.6, "eyebrow_happy": 0.25, "eye_surprised": 0.3, "mouth_delta": 0.3, "mouth_smirk": 0.3,
        "head_x": 0.08, "head_y": -0.1, "neck_z": 0.26,
    },
    "desire": {
        "eyebrow_happy": 0.4, "eyebrow_troubled": 0.25, "eye_relaxed": 0.42, "eye_raised_lower_eyelid": 0.35,
        "mouth_smirk": 0.8, "mouth_raised_corner_left": 1.0, "head_x": -0.14, "head_y": 0.14, "neck_z": 0.16,
    },
    "disappointment": {
        "eyebrow_troubled": 0.8, "eyebrow_lowered": 0.3, "eye_unimpressed": 0.45, "eye_relaxed": 0.15,
        "mouth_smirk": 0.6, "mouth_lowered_corner": 1.0, "iris_rotation_x": -0.2, "iris_rotation_y": -0.25,
        "head_x": -0.22, "head_y": -0.12, "neck_z": -0.1,
    },
    "disapproval": {
        "eyebrow_angry": 0.4, "eyebrow_serious": 0.7, "eyebrow_lowered": 0.3, "eye_unimpressed": 0.7,
        "mouth_smirk": 0.7, "mouth_lowered_corner": 1.0, "head_x": 0.1, "head_y": -0.14,
    },
    "disgust": {
        "eyebrow_angry": 0.5, "eyebrow_troubled": 0.45, "eyebrow_lowered": 0.5, "eye_unimpressed": 0.5,
        "eye_raised_lower_eyelid": 0.7, "mouth_iii": 0.6, "mouth_eee": 0.2, "mouth_lowered_corner": 1.0,
        "iris_rotation_y": 0.2, "head_x": 0.14, "head_y": -0.2, "neck_z": -0.12,
    },
    "embarrassment": {
        "eyebrow_troubled": 0.85, "eyebrow_raised": 0.2, "eye_raised_lower_eyelid": 0.4, "mouth_iii": 0.55,
        "mouth_uuu": 0.25, "iris_rotation_x": -0.3, "iris_rotation_y": -0.6, "head_x": -0.2, "head_y": -0.2,
        "neck_z": 0.14,
    },
    "excitement": {
        "eyebrow_raised": 0.7, "eyebrow_happy": 0.7, "eye_surprised": 0.5, "mouth_aaa": 0.75,
        "mouth_raised_corner": 1.0, "head_x": 0.14, "neck_z": 0.1,
    },
    "fear": {
        "eyebrow_troubled": 1.0, "eyebrow_raised": 0.5, "eye_surprised": 0.6, "iris_small": 0.6, "mouth_eee": 0.35,
        "mouth_lowered_corner": 1.0, "head_x": -0.12, "head_y": 0.12, "neck_z": 0.06,
    },
    "gratitude": {
        "eyebrow_happy": 0.8, "eyebrow_troubled": 0.25, "eye_happy_wink": 1.0, "mouth_smirk": 0.7,
        "mouth_raised_corner": 1.0, "head_x": -0.26,
    },
    "grief": {
        "eyebrow_troubled": 1.0, "eye_wink": 0.55, "mouth_eee": 0.3, "mouth_lowered_corner": 1.0, "head_x": -0.42,
        "neck_z": -0.14,
    },
    "joy": {
        "eyebrow_happy": 1.0, "eyebrow_raised": 0.2, "eye_happy_wink": 1.0, "mouth_aaa": 0.65,
        "mouth_raised_corner": 1.0, "head_x": 0.1, "neck_z": 0.12,
    },
    "love": {
        "eyebrow_happy": 0.9, "eyebrow_troubled": 0.2, "eye_relaxed": 0.15, "eye_raised_lower_eyelid": 0.6,
        "mouth_smirk": 0.7, "mouth_raised_corner": 1.0, "head_x": -0.06, "neck_z": -0.26,
    },
    "nervousness": {
        "eyebrow_troubled": 0.8, "eyebrow_raised": 0.3, "iris_small": 0.3, "eye_surprised": 0.15, "mouth_iii": 0.6,
        "mouth_lowered_corner": 0.5, "iris_rotation_y": 0.5, "head_x": -0.1, "head_y": -0.12,
    },
    "neutral": {"mouth_smirk": 0.5},
    "optimism": {
        "eyebrow_happy": 0.6, "eyebrow_raised": 0.35, "eye_surprised": 0.12, "eye_raised_lower_eyelid": 0.25,
        "mouth_delta": 0.42, "mouth_raised_corner": 1.0, "iris_rotation_x": 0.2, "head_x": 0.2, "neck_z": -0.08,
    },
    "pride": {
        "eyebrow_happy": 0.5, "eyebrow_serious": 0.2, "eye_happy_wink": 0.25, "eye_relaxed": 0.35, "mouth_smirk": 0.85,
        "mouth_raised_corner": 1.0, "head_x": 0.3, "head_y": -0.08,
    },
    "realization": {
        "eyebrow_raised": 0.9, "eye_surprised": 0.45, "iris_small": 0.12, "mouth_delta": 0.5, "head_x": 0.16,
    },
    "relief": {
        "eyebrow_troubled": 0.35, "eyebrow_happy": 0.4, "eye_wink": 0.0, "eye_happy_wink": 0.0, "eye_relaxed": 0.75,
        "mouth_delta": 0.4, "mouth_raised_corner": 0.8, "head_x": -0.14, "neck_z": 0.12,
    },
    "remorse": {
        "eyebrow_troubled": 0.9, "eyebrow_lowered": 0.2, "eye_relaxed": 0.35, "mouth_smirk": 0.6,
        "mouth_lowered_corner": 1.0, "iris_rotation_x": -0.5, "iris_rotation_y": 0.3, "head_x": -0.36, "head_y": 0.1,
    },
    "sadness": {
        "eyebrow_troubled": 1.0, "eye_unimpressed": 0.35, "eye_relaxed": 0.2, "mouth_smirk": 0.6,
        "mouth_lowered_corner": 1.0, "iris_rotation_x": -0.25, "head_x": -0.3, "neck_z": -0.08,
    },
    "surprise": {
        "eyebrow_raised": 1.0, "eye_surprised": 0.85, "iris_small": 0.35, "mouth_ooo": 0.65, "head_x": 0.18,
    },
}  # fmt: skip
"""By the names of the go-emotions data set, in its order. The mouths that open here close to speak."""
