"""The face that is shown, and the next one that is being got ready behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from animator.messages import PlayoutAnchor, SpeechClip
from app.bus import Teller
from app.messages import Frame
from app.ports import AvatarHost


class LoadingAvatar(AvatarHost, Protocol):
    """An avatar that says when its character is there."""

    def wait_loaded(self, timeout_s: float) -> None:
        """Wait until the character is fully ready; raises AppError if it could not be."""
        ...


class HeldFacts:
    """What a face tells before it is shown: its progress gets out, the rest once it is taken on."""

    def __init__(self, bus: Teller) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._is_out = False
        self.held: dict[str, tuple[str, dict[str, Any]]] = {}
        """The newest of each event: its stage and data."""

    def emit(self, stage: str, event: str, **data: Any) -> None:
        """Pass a fact on, or hold it."""
        with self._lock:
            if not self._is_out and event != "progress":
                self.held[event] = (stage, data)
                return
        self._bus.emit(stage, event, **data)

    def let_out(self) -> None:
        """The face is shown: tell who it is and how it is doing, and hold nothing any more."""
        with self._lock:
            self._is_out = True
        for event in ("character", "state"):
            if event in self.held:
                stage, data = self.held[event]
                self._bus.emit(stage, event, **data)


class Face:
    """Keeps `app.ports.AvatarHost` over one avatar after another: the last picture stays in between.

    While the next one loads, both are told everything, so that its lips are in step from its first frame on.
    All methods may be called from any thread.
    """

    def __init__(self, avatar: LoadingAvatar | None) -> None:
        """Without an avatar there is no picture until one is brought in."""
        self._lock = threading.Lock()
        self._now = avatar
        self._coming: LoadingAvatar | None = None
        self._seen: Frame | None = None
        self._frame: Frame | None = None
        self._seq = 0
        self._expression = "neutral"
        self._feeling = ("neutral", 1.0)
        self._is_closed = False

    @property
    def current(self) -> LoadingAvatar | None:
        """The avatar that is shown; None where the first one could not be started."""
        return self._now

    def bring_in(self, avatar: LoadingAvatar, timeout_s: float, accept: Callable[[], None] = lambda: None) -> None:
        """Show `avatar`, which has been told to load its character, as soon as it can be; the old one is closed.

        `accept` is called when it could be shown, and raises AppError where it is not what was wanted.

        Raises AppError where it cannot: `avatar` is closed, and the old one goes on.
        """
        with self._lock:
            self._coming = avatar
        if self._expression != "neutral":
            avatar.express(self._expression)
        if self._feeling[0] != "neutral":
            avatar.feel(*self._feeling)
        try:
            avatar.wait_loaded(timeout_s)
            accept()
        except Exception:
            with self._lock:
                self._coming = None
            avatar.close()
            raise
        with self._lock:
            old, self._now, self._coming = self._now, avatar, None
            is_closed = self._is_closed
        if old is not None:
            old.close()
        if is_closed:
            avatar.close()

    def wait_loaded(self, timeout_s: float) -> None:
        """Wait until the character is fully ready; raises AppError if it could not be."""
        if self._now is not None:
            self._now.wait_loaded(timeout_s)

    def push(self, clip: SpeechClip) -> None:
        """Send a clip ahead of its sound."""
        self._tell(lambda avatar: avatar.push(clip))

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """Say what is heard when."""
        self._tell(lambda avatar: avatar.anchor(anchor))

    def clear(self, before_turn: int) -> None:
        """Drop older turns; the mouth comes to rest."""
        self._tell(lambda avatar: avatar.clear(before_turn))

    def express(self, name: str) -> None:
        """The user's wish: show an expression; "neutral" lets go of it."""
        self._expression = name
        self._tell(lambda avatar: avatar.express(name))

    def feel(self, name: str, intensity: float) -> None:
        """Show an emotion at `intensity` in [0, 1], where the user has chosen no expression."""
        self._feeling = (name, intensity)
        self._tell(lambda avatar: avatar.feel(name, intensity))

    def gesture(self, name: str) -> None:
        """Make a gesture: nod, shake, tilt, bow or lean."""
        self._tell(lambda avatar: avatar.gesture(name))

    def preview(self, values: Mapping[str, float] | None) -> None:
        """Show these parameters by name in place of the expression, until None ends it. Nothing is kept."""
        self._tell(lambda avatar: avatar.preview(values))

    def mouth_offset(self, offset_ms: int) -> None:
        """Show the mouth so much later than the sound (negative: earlier), from now on."""
        self._tell(lambda avatar: avatar.mouth_offset(offset_ms))

    def think(self, turn: int, on: bool) -> None:
        """The brain works on `turn`: look away until it is heard. `on` False: it no longer does."""
        self._tell(lambda avatar: avatar.think(turn, on))

    def load(self, character: str) -> None:
        """Switch the character (folder or PNG path)."""
        self._tell(lambda avatar: avatar.load(character))

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first. `seq` goes on growing over a change of the avatar."""
        with self._lock:
            frame = self._now.latest() if self._now is not None else None
            if frame is not None and frame is not self._seen:
                self._seen = frame
                self._seq += 1
                self._frame = Frame(self._seq, frame.pixels, frame.due_ns)
            return self._frame

    def close(self) -> None:
        """End both within 2 s; safe to call twice."""
        with self._lock:
            self._is_closed = True
            avatars = self._avatars()
        for avatar in avatars:
            avatar.close()

    def _tell(self, what: Callable[[AvatarHost], None]) -> None:
        with self._lock:
            avatars = self._avatars()
        for avatar in avatars:
            what(avatar)

    def _avatars(self) -> list[LoadingAvatar]:
        return [avatar for avatar in (self._now, self._coming) if avatar is not None]
