"""How one character moves and how its picture is finished: what `[motion]` and `[finish]` of character.toml say."""

from __future__ import annotations

from dataclasses import dataclass


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
