"""What every face engine promises. The worker knows engines by this alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from animator.messages import Pixels, SpeechClip, SpeechTime

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done in [0, 1]."""


class LoadCancelled(Exception):
    """Another character is wanted: raised out of the work on this one, by its own progress."""


def unless(is_cancelled: Callable[[], bool], progress: Progress) -> Progress:
    """`progress`, which raises LoadCancelled once `is_cancelled` holds."""

    def told(what: str, share: float) -> None:
        if is_cancelled():
            raise LoadCancelled
        progress(what, share)

    return told


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Facts about an engine. Size never changes; the rest may with the face that draws."""

    width_px: int
    height_px: int
    tier: str
    """What is on screen, shown to the user: "exact", "live", …"""
    problem: str = ""
    """Why it is not the tier that was wanted; empty where it is."""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Lips:
    """What the lips of a clip are made from.

    `method`: "durations" (the voice said when each of its sounds falls), "aligned" (its text was laid onto the sound),
    "decoded" (heard from the sound alone) or "loudness". `model` names the phone model that was used, "" where none
    was. `reason` says why it is not a better method, in words but never in those that were spoken; "" for none.
    """

    method: str
    model: str = ""
    reason: str = ""


class Animator(Protocol):
    """A face. `render` is called on the worker's main thread, `load` on its loader, the rest on its inbox thread."""

    @property
    def capabilities(self) -> Capabilities:
        """What draws now: another object whenever the face was exchanged."""
        ...

    @property
    def clamped(self) -> int:
        """Values of poses so far that were no numbers or out of range, and were brought into range."""
        ...

    def load(self, character: Path, progress: Progress) -> None:
        """Take a character's folder (or one PNG) in; may take long; replaces the one before on success."""
        ...

    def cancel_load(self) -> None:
        """Make a `load` that is running return soon; what is on screen stays."""
        ...

    def push(self, clip: SpeechClip) -> Lips | None:
        """Prepare the lips of one clip; returns what they are made from, None for a clip that is out of date."""
        ...

    def clear(self, before_turn: int) -> None:
        """Drop every clip of turns older than `before_turn` and bring the mouth to rest."""
        ...

    def express(self, name: str, host_ns: int) -> None:
        """The user's wish: fade to expression `name`; "neutral" lets go of it. Unknown names raise ValueError."""
        ...

    def feel(self, name: str, intensity: float, host_ns: int) -> None:
        """Fade to emotion `name` at `intensity` in [0, 1]; seen where `express` has chosen nothing.

        Unknown names raise ValueError.
        """
        ...

    def gesture(self, name: str, host_ns: int) -> None:
        """Begin gesture `name` ("nod", "shake", …); unknown names raise ValueError."""
        ...

    def preview(self, values: Mapping[str, float] | None, host_ns: int) -> None:
        """Show these parameters by name in place of the expression, without keeping them; None ends it.

        Unknown names raise ValueError; values out of range are brought into it.
        """
        ...

    def think(self, turn: int, on: bool, host_ns: int) -> None:
        """The brain works on `turn`: look away until it is heard. `on` False: it no longer does."""
        ...

    def render(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Draw the face at `host_ns`; `speech` is None in silence. Same inputs, same frame."""
        ...

    def follow(self, speech: SpeechTime | None, host_ns: int) -> None:
        """Let the time of one frame pass without drawing it; called in place of `render`."""
        ...

    def close(self) -> None:
        """Let go of what is held outside of this process's memory; nothing is drawn after it."""
        ...
