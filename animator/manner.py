"""How characters move: the names of what they can show, and what `[motion]` and `[finish]` of character.toml say."""

from __future__ import annotations

from dataclasses import dataclass

EMOTION_NAMES: tuple[str, ...] = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire"),
    *("disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy"),
    *("love", "nervousness", "neutral", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise"),
)
"""The 28 emotions of go-emotions; every engine shows them."""
EXPRESSION_NAMES: tuple[str, ...] = ("happy", "sad", "angry", "surprised", "shy", "sleepy", "smug", "neutral")
"""The short set of the keys 1 to 8."""
GESTURE_NAMES: tuple[str, ...] = ("nod", "shake", "tilt", "bow", "lean")


@dataclass(frozen=True, slots=True)
class Motion:
    """How lively a character is."""

    liveliness: float = 1.0
    """Scales sway, nods and gestures, 0 to 1.5."""
    blink_every_s: float = 4.0
    """Mean time between blinks, 1.5 to 20."""
    intensity: float = 1.0
    """How much of every expression and emotion is shown, 0 to 1."""
    gestures: bool = True
    """Whether words such as "yes" and "no" bring a nod or a shake with them."""


@dataclass(frozen=True, slots=True)
class Finish:
    """What is added to the finished picture. Strengths from 0 (off) to 1; colours as 0xRRGGBB."""

    outline: float = 0.0
    """A soft border around the character."""
    outline_color: int = 0xFFFFFF
    rim: float = 0.0
    """Light on the edges that face up and left."""
    rim_color: int = 0xFFF2D8
    bloom: float = 0.0
    """A glow of bright places."""

    @property
    def is_off(self) -> bool:
        """Whether the picture stays as it is."""
        return self.outline <= 0.0 and self.rim <= 0.0 and self.bloom <= 0.0
