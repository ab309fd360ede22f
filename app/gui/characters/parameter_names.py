"""THA3's parameters as people call them."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

_CONTEXT = "parameters"

_NAMES = {
    "eyebrow_troubled": QT_TRANSLATE_NOOP("parameters", "Troubled"),
    "eyebrow_angry": QT_TRANSLATE_NOOP("parameters", "Angry"),
    "eyebrow_lowered": QT_TRANSLATE_NOOP("parameters", "Lowered"),
    "eyebrow_raised": QT_TRANSLATE_NOOP("parameters", "Raised"),
    "eyebrow_happy": QT_TRANSLATE_NOOP("parameters", "Happy"),
    "eyebrow_serious": QT_TRANSLATE_NOOP("parameters", "Serious"),
    "eye_wink": QT_TRANSLATE_NOOP("parameters", "Shut"),
    "eye_happy_wink": QT_TRANSLATE_NOOP("parameters", "Shut with a smile"),
    "eye_surprised": QT_TRANSLATE_NOOP("parameters", "Wide open"),
    "eye_relaxed": QT_TRANSLATE_NOOP("parameters", "Relaxed"),
    "eye_unimpressed": QT_TRANSLATE_NOOP("parameters", "Unimpressed"),
    "eye_raised_lower_eyelid": QT_TRANSLATE_NOOP("parameters", "Lower lid raised"),
    "iris_small": QT_TRANSLATE_NOOP("parameters", "Small iris"),
    "mouth_aaa": QT_TRANSLATE_NOOP("parameters", "Open: ah"),
    "mouth_iii": QT_TRANSLATE_NOOP("parameters", "Open: ee"),
    "mouth_uuu": QT_TRANSLATE_NOOP("parameters", "Open: oo"),
    "mouth_eee": QT_TRANSLATE_NOOP("parameters", "Open: eh"),
    "mouth_ooo": QT_TRANSLATE_NOOP("parameters", "Open: oh"),
    "mouth_delta": QT_TRANSLATE_NOOP("parameters", "Triangle"),
    "mouth_lowered_corner": QT_TRANSLATE_NOOP("parameters", "Corner lowered"),
    "mouth_raised_corner": QT_TRANSLATE_NOOP("parameters", "Corner raised"),
    "mouth_smirk": QT_TRANSLATE_NOOP("parameters", "Smirk"),
    "iris_rotation_x": QT_TRANSLATE_NOOP("parameters", "Up and down"),
    "iris_rotation_y": QT_TRANSLATE_NOOP("parameters", "To the side"),
    "head_x": QT_TRANSLATE_NOOP("parameters", "Head up and down"),
    "head_y": QT_TRANSLATE_NOOP("parameters", "Head to the side"),
    "neck_z": QT_TRANSLATE_NOOP("parameters", "Head tilted"),
    "body_y": QT_TRANSLATE_NOOP("parameters", "Body to the side"),
    "body_z": QT_TRANSLATE_NOOP("parameters", "Body tilted"),
    "breathing": QT_TRANSLATE_NOOP("parameters", "Breath"),
}
_GROUPS = {
    "brows": QT_TRANSLATE_NOOP("parameters", "Brows"),
    "eyes": QT_TRANSLATE_NOOP("parameters", "Eyes"),
    "gaze": QT_TRANSLATE_NOOP("parameters", "Gaze"),
    "mouth": QT_TRANSLATE_NOOP("parameters", "Mouth"),
    "head": QT_TRANSLATE_NOOP("parameters", "Head"),
    "body": QT_TRANSLATE_NOOP("parameters", "Body"),
}
_LEFT = QT_TRANSLATE_NOOP("parameters", "{name}, left")
_RIGHT = QT_TRANSLATE_NOOP("parameters", "{name}, right")


def _translated(text: object) -> str:
    return QCoreApplication.translate(_CONTEXT, str(text))


def parameter_name(name: str) -> str:
    """The parameter called `name` by THA3, in the language of the window; its sides are the character's own."""
    for side, words in (("_left", _LEFT), ("_right", _RIGHT)):
        if name.endswith(side):
            return _translated(words).format(name=_translated(_NAMES[name.removesuffix(side)]))
    return _translated(_NAMES[name])


def group_name(group: str) -> str:
    """A part of the face, in the language of the window."""
    return _translated(_GROUPS[group])
