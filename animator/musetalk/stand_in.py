"""MuseTalk on the air, with another engine behind it that can always draw.

A photo of a person is drawn by MuseTalk once its networks are ready for it; until then, and as soon as the card fails,
by the engine behind it (the photo puppet), which hears everything too, so its lips are in step from its first frame
on. It also blinks, looks, and moves brows and head in MuseTalk's picture. Drawings are that engine's alone, and
MuseTalk's memory is given back while one is seen. Loads no PyTorch itself.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from animator.character import Character, load_character
from animator.human.mark import Mark, mark_of, stamp
from animator.messages import Pixels, SpeechClip, SpeechTime
from animator.musetalk.failure import MuseFailed
from animator.protocol import Animator, Capabilities, Lips, Progress
from animator.tha3.finish import finished

_log = logging.getLogger(__name__)

CLIPS_KEPT = 16
"""More than a voice works ahead of its sound."""
FADE_S = 0.2
"""From one's picture of a photo to the other's, whose head is held otherwise."""
END_WITHIN_S = 60.0
"""Reading the networks takes that long at most; a card that hangs is not waited for."""
MARK_TEXT = "AI: MuseTalk"


class StandIn(Animator, Protocol):
    """An engine that can move a photo around a mouth that another one paints."""

    def draw_around(self, picture: Pixels, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Let time pass as `follow`, and give `picture`, the photo's portrait at rest, eyes and the head's motion."""
        ...


class WithStandIn:
    """The engine behind `animator.protocol.Animator`.

    Args:
        stand_in: Draws whatever MuseTalk does not.
        make: A MuseTalk that nothing is loaded into yet; called on the loader thread.
    """

    def __init__(self, stand_in: StandIn, make: Callable[[], Animator]) -> None:
        self._stand_in = stand_in
        self._make = make
        self._lock = threading.Lock()
        self._muse: Animator | None = None
        """Hears what is spoken, whether or not it draws."""
        self._is_drawing = False
        self._until: Capabilities | None = None
        """Those of the stand-in when another character was chosen: MuseTalk draws until they are others."""
        self._character: Character | None = None
        self._mark: Mark | None = None
        self._why: tuple[str, str] = ("", "")
        """Why it is not MuseTalk that draws a photo, and what to do about it."""
        self._clips: deque[SpeechClip] = deque(maxlen=CLIPS_KEPT)
        self._heard: tuple[int, int] | None = None
        """Turn and index of the clip that was heard last."""
        self._is_heard = False
        self._last: tuple[Pixels, int] | None = None
        """The last picture, and its host time."""
        self._from: tuple[Pixels, int] | None = None
        """What is faded from."""
        self._cancelled = False
        self._ending: list[threading.Thread] = []
        """What is still giving its memory back: the next one comes after it, since a card seldom holds two."""
        self._moved = threading.Event()
        """MuseTalk has loaded, or is not to be waited for any more."""

    @property
    def capabilities(self) -> Capabilities:
        """Of whoever draws."""
        muse = self._muse
        if self._is_drawing and muse is not None:
            return muse.capabilities
        found = self._stand_in.capabilities
        problem, remedy = self._why
        return replace(found, problem=problem, remedy=remedy) if problem else found

    @property
    def clamped(self) -> int:
        """Of the stand-in; MuseTalk has no pose."""
        return self._stand_in.clamped

    def load(self, character: Path, progress: Progress) -> None:
        """Take a character in (loader thread): the stand-in shows it at once, MuseTalk a photo when it is ready.

        Returns when whoever is to draw it does. Where MuseTalk cannot, the stand-in goes on, and `capabilities` says
        why.

        Raises:
            ValueError: If the character cannot be used; nothing changes then.
        """
        self._cancelled = False
        loaded = load_character(character)
        self._until = self._stand_in.capabilities
        try:
            self._stand_in.load(character, progress)
        except BaseException:
            self._until = None
            raise
        self._is_drawing, self._until = False, None
        self._why = ("", "")
        if not loaded.is_person:
            self._let_go()
        elif not self._cancelled:
            self._open(character, loaded, progress)

    def _open(self, character: Path, loaded: Character, progress: Progress) -> None:
        muse = self._muse
        if muse is None:
            try:
                muse = self._make()
            except Exception as error:
                self._say_why(error)
                return
            with self._lock:
                for clip in self._waiting():
                    muse.push(clip)
                self._muse = muse
        self._moved.clear()
        ending = [each for each in self._ending if each.is_alive()]
        loading = _Loading(muse, character, progress, self._moved.set, ending)
        while not loading.is_over and not self._cancelled:
            self._moved.wait()
            self._moved.clear()
        if not loading.is_over and loading.leave():
            with self._lock:
                self._muse = None
                self._ending = [*ending, loading.thread]
            return
        if loading.error is not None:
            self._say_why(loading.error)
            self._let_go()
            return
        width_px = muse.capabilities.width_px
        self._character = loaded
        self._mark = mark_of(MARK_TEXT, width_px) if loaded.ai_mark else None
        self._from = self._last
        self._is_drawing = True

    def _say_why(self, error: BaseException) -> None:
        _log.warning("MuseTalk cannot draw: %s", type(error).__name__)
        self._why = _told(error)

    def _waiting(self) -> list[SpeechClip]:
        """The clips of the sentence that is heard and those after it. Holds the lock."""
        clips = list(self._clips)
        at = next((k for k, clip in enumerate(clips) if (clip.turn, clip.index) == self._heard), None)
        if at is None:
            return clips
        if not self._is_heard:
            return clips[at + 1 :]
        while at > 0 and clips[at].continues:
            at -= 1
        return clips[at:]

    def _let_go(self) -> None:
        """Give MuseTalk's memory back, without waiting for a card that hangs."""
        with self._lock:
            muse, self._muse = self._muse, None
            self._is_drawing = False
            if muse is None:
                return
            ending = threading.Thread(target=muse.close, name="muse-close", daemon=True)
            ending.start()
            self._ending = [*(each for each in self._ending if each.is_alive()), ending]

    def cancel_load(self) -> None:
        """Make a `load` that is running return soon (any thread); networks that are being read are let go of."""
        self._cancelled = True
        self._stand_in.cancel_load()
        self._moved.set()

    def push(self, clip: SpeechClip) -> Lips | None:
        """Give one clip to both; returns what the lips are made from that are seen."""
        lips = None
        with self._lock:
            self._clips.append(clip)
            if self._muse is not None:
                lips = self._muse.push(clip)
        found = self._stand_in.push(clip)
        return lips if self._is_drawing and lips is not None else found

    def clear(self, before_turn: int) -> None:
        """Drop older turns; the mouth comes to rest within 100 ms."""
        with self._lock:
            self._clips = deque((clip for clip in self._clips if clip.turn >= before_turn), maxlen=CLIPS_KEPT)
            if self._muse is not None:
                self._muse.clear(before_turn)
        self._stand_in.clear(before_turn)

    def express(self, name: str, host_ns: int) -> None:
        """Fade to expression `name`; in MuseTalk's picture the mouth does not show it."""
        self._stand_in.express(name, host_ns)

    def feel(self, name: str, intensity: float, host_ns: int) -> None:
        """Fade to emotion `name`; seen as `express`."""
        self._stand_in.feel(name, intensity, host_ns)

    def gesture(self, name: str, host_ns: int) -> None:
        """Begin gesture `name`; seen as `express`."""
        self._stand_in.gesture(name, host_ns)

    def preview(self, values: Mapping[str, float] | None, host_ns: int) -> None:
        """Show these parameters; seen as `express`."""
        self._stand_in.preview(values, host_ns)

    def think(self, turn: int, on: bool, host_ns: int) -> None:
        """Look away while the brain works; seen as `express`."""
        self._stand_in.think(turn, on, host_ns)

    def render(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Draw the face at `host_ns`.

        Raises:
            MuseFailed: Once, if MuseTalk failed; from the next frame on the stand-in draws.
        """
        pixels = self._faded(self._draw(speech, host_ns), host_ns)
        self._last = (pixels, host_ns)
        return pixels

    def _faded(self, pixels: Pixels, host_ns: int) -> Pixels:
        if self._from is None:
            return pixels
        before, since_ns = self._from
        share = (host_ns - since_ns) / 1e9 / FADE_S
        if not 0.0 <= share < 1.0 or before.shape != pixels.shape:
            self._from = None
            return pixels
        return np.asarray(cv2.addWeighted(before, 1.0 - share, pixels, share, 0.0))

    def _draw(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        self._note(speech)
        muse = self._muse
        if self._until is not None and self._stand_in.capabilities is not self._until:
            self._is_drawing = False  # the next character can be drawn
            self._from = None
        if muse is None or not self._is_drawing:
            if muse is not None:
                muse.follow(speech, host_ns)
            return self._stand_in.render(speech, host_ns)
        try:
            pixels = muse.render(speech, host_ns)
        except Exception as error:  # whatever it was, the show goes on without it
            self._stand_in.follow(speech, host_ns)
            self._say_why(error)
            self._let_go()
            self._from = self._last
            raise MuseFailed(*self._why) from error
        if self._character is not None and self._character.video is not None:
            self._stand_in.follow(speech, host_ns)  # the person in the video moves by themselves
        else:
            pixels = self._stand_in.draw_around(pixels, speech, host_ns)
        if self._mark is not None:
            stamp(pixels, self._mark)
        return pixels if self._character is None else finished(pixels, self._character.finish)

    def follow(self, speech: SpeechTime | None, host_ns: int) -> None:
        """Let time pass without drawing."""
        self._note(speech)
        if self._muse is not None:
            self._muse.follow(speech, host_ns)
        self._stand_in.follow(speech, host_ns)

    def _note(self, speech: SpeechTime | None) -> None:
        self._is_heard = speech is not None
        if speech is not None:
            self._heard = (speech.turn, speech.index)

    def close(self) -> None:
        """Let go of the card, and end what the stand-in has running."""
        self.cancel_load()
        with self._lock:
            muse, self._muse = self._muse, None
        if muse is not None:
            muse.close()
        self._stand_in.close()


class _Loading:
    """A load on a thread of its own, which can be left alone: then its MuseTalk is closed when it is over.

    It begins when the threads `after` have ended, or have taken longer than END_WITHIN_S.
    """

    def __init__(
        self,
        muse: Animator,
        character: Path,
        progress: Progress,
        on_over: Callable[[], None],
        after: Sequence[threading.Thread] = (),
    ) -> None:
        self._muse = muse
        self._lock = threading.Lock()
        self._is_left = False
        self.is_over = False
        self.error: BaseException | None = None

        def told(what: str, share: float) -> None:
            if not self._is_left:
                progress(what, share)

        def run() -> None:
            for each in after:
                each.join(END_WITHIN_S)
            try:
                if not self._is_left:
                    muse.load(character, told)
            except BaseException as error:  # whoever waits says it
                self.error = error
            with self._lock:
                self.is_over = True
                is_left = self._is_left
            if is_left:
                muse.close()
            on_over()

        self.thread = threading.Thread(target=run, name="muse-loader", daemon=True)
        self.thread.start()

    def leave(self) -> bool:
        """Have nobody wait for it; False where it is over already."""
        with self._lock:
            self._is_left = not self.is_over
            if self._is_left:
                self._muse.cancel_load()
            return self._is_left


def _told(error: BaseException) -> tuple[str, str]:
    """What happened and what to do, for the user."""
    said = getattr(error, "problem", "") or str(error) or type(error).__name__
    remedy = getattr(error, "remedy", "") or "Choose the face again; if it stays so, use the photo puppet."
    return f"{said} The photo puppet draws instead.", remedy
