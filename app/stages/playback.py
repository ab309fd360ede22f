"""Clips → the loudspeaker, and to the avatar with the moments at which they are heard."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from animator.messages import PlayoutAnchor, SpeechClip
from animator.timebase import Clock
from app.bus import Bus
from app.messages import Cue
from app.policy.captions import CaptionBook
from app.policy.cues import CueBook, heard_chars
from app.policy.heard import heard_text
from app.ports import AvatarHost, Speaker
from app.stage import Channel, Stage, Turns

_log = logging.getLogger(__name__)

AGAIN_AFTER_S = 3.0
"""So often a loudspeaker that was lost is looked for."""


class PlaybackStage(Stage[SpeechClip]):
    """Plays clips in order, and is the one place that knows what is being said.

    Where the sound card cannot be opened, or fails later, `fallback` plays instead and the show goes on in silence;
    this is said once.
    """

    name = "playback"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[SpeechClip],
        speaker: Speaker,
        fallback: Speaker | None,
        avatar: AvatarHost | None,
        *,
        on_heard: Callable[[int, str], None],
        on_finished: Callable[[int], None],
        on_cue: Callable[[int, Cue], None] = lambda turn, cue: None,
        tail_ms: int = 250,
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._speaker = speaker
        self._wanted = speaker
        """What should play where it can; else `fallback` does."""
        self._fallback = fallback
        self._again_ns = 0
        self._replacing = threading.Lock()
        self._avatar = avatar
        self._on_heard = on_heard
        self._on_finished = on_finished
        self._on_cue = on_cue
        self._cues = CueBook()
        self._captions = CaptionBook()
        self._tail_ns = tail_ms * 1_000_000
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._unplayed: dict[tuple[int, int], SpeechClip] = {}
        self._started: set[tuple[int, int]] = set()
        self._closed_turn = 0
        self._done_turn = self._done = 0
        self._silent_since_ns: int | None = None
        self._is_open = False
        self._released_turn = 0
        self._is_held = False
        self._heard_to: tuple[int, int, float, int] | None = None
        """(turn, index, share of the clip, host time) of the newest anchor."""

    def load(self) -> str:
        """Open the device, or the silent one in its place."""
        try:
            self._open(self._speaker)
        except Exception as error:
            if self._fallback is None:
                raise
            self._switch_to_fallback(error)
        self._is_open = True
        return str(getattr(self._speaker, "name", "loudspeaker"))

    def say_ready(self) -> None:
        """A loudspeaker that was replaced stays marked as failed."""
        if self._fallback is None or self._speaker is not self._fallback:
            super().say_ready()

    def replace(self, speaker: Speaker) -> None:
        """Play through `speaker` from now on; what sounds at the moment begins again there. Any thread.

        Raises what its `open` raises; then the one before goes on.
        """
        with self._replacing:
            self._replace(speaker)

    def _replace(self, speaker: Speaker) -> None:
        self._open(speaker)
        with self._turns.lock:
            with self._lock:
                old, self._speaker, self._wanted = self._speaker, speaker, speaker
                waiting, is_held = list(self._unplayed.values()), self._is_held
            self._is_open = True
            for clip in waiting:
                try:
                    speaker.play(clip)
                except Exception as error:
                    self.say_failed(error)
                    self.recover(clip)
            if is_held:
                self._guarded(lambda: speaker.duck(True))
        self._guarded(old.close)
        self.label = str(getattr(speaker, "name", "loudspeaker"))
        if self.stopping.is_set():
            self._guarded(speaker.close)
        else:
            self.say_ready()

    def try_again(self) -> None:
        """Open the loudspeaker that was lost, where that is due and nothing sounds (idle thread)."""
        now_ns = self._clock.now_ns()
        is_lost = self._is_open and self._speaker is self._fallback and self._wanted is not self._fallback
        if not is_lost or self.is_sounding() or now_ns < self._again_ns:
            return
        self._again_ns = now_ns + int(AGAIN_AFTER_S * 1e9)
        try:
            self.replace(self._wanted)
        except Exception as error:  # it was said when the device was lost
            _log.debug("the loudspeaker is still not there: %s", type(error).__name__)

    def is_speaking(self) -> bool:
        """Whether sound is coming out, or did so less than the tail ago. Called from any thread."""
        if self.is_sounding():
            return True
        since_ns = self._silent_since_ns
        return since_ns is not None and self._clock.now_ns() - since_ns < self._tail_ns

    def is_sounding(self) -> bool:
        """Whether a clip is being heard, or waits in the loudspeaker. Any thread."""
        with self._lock:
            return bool(self._unplayed)

    def release(self, turn: int) -> None:
        """`turn` may be heard: the user has finished. Any thread."""
        with self._room:
            self._released_turn = max(self._released_turn, turn)
            self._room.notify_all()

    def duck(self, on: bool) -> None:
        """Somebody may be interrupting: what sounds gets quiet, what does not sound yet waits. Any thread."""
        with self._room:
            self._is_held = on
            self._room.notify_all()
        if self._is_open:
            self._guarded(lambda: self._speaker.duck(on))

    def spoken(self) -> str:
        """The text of what is being said or about to be, for telling an echo from a user. Any thread."""
        with self._lock:
            return " ".join(clip.text for clip in self._unplayed.values())

    def heard_of(self, turn: int) -> str | None:
        """What was heard of the sentence of `turn` that began last, where it still sounds; else None. Any thread.

        Also None in a later piece of a sentence: its text was given with the first, and all of it counts.
        """
        with self._lock:
            heard_to, clip = self._heard_to, None
            if heard_to is not None and heard_to[0] == turn:
                clip = self._unplayed.get(heard_to[:2])
        if heard_to is None or clip is None or not clip.text:
            return None
        since_s = max(0.0, (self._clock.now_ns() - heard_to[3]) / 1e9)
        return heard_text(clip.text, heard_to[2] + since_s / max(clip.duration_s, 0.1))

    def add_cues(self, turn: int, index: int, cues: Sequence[Cue]) -> None:
        """What the face does at the words of a sentence to come: `on_cue` is called when they are heard."""
        with self._lock:
            if self._turns.is_current(turn):
                self._cues.add(turn, index, cues)

    def wait_for_room(self, turn: int, sent: int, clips: int, seconds: float) -> None:
        """Wait until fewer than `clips` of the `sent` clips of `turn` are unheard and less than `seconds` s are queued.

        Also returns when `turn` is over or the line stops. Called on the tts thread.
        """
        with self._room:
            while not self.stopping.is_set() and self._turns.is_current(turn):
                unheard = sent - (self._done if self._done_turn == turn else 0)
                if unheard == 0 or (unheard < clips and self._speaker.queued_s() < seconds):
                    return
                # The clip's end wakes us; the timeout is for the seconds, which pass without a word.
                self._room.wait(0.05)

    def clear(self, turn: int) -> int | None:
        """A new turn, `turn`, has begun: fall silent. Returns the turn that was being spoken, if any.

        Called with `Turns.lock` held.
        """
        with self._room:
            spoken = next(iter(self._unplayed), None)
            if self._unplayed:
                self._silent_since_ns = self._clock.now_ns()
            self._unplayed.clear()
            self._started.clear()
            self._cues.cut(turn)
            self._captions.cut(turn)
            self._room.notify_all()
        self.inbox.discard(lambda clip: clip.turn < turn)
        if self._is_open:
            self._guarded(self._speaker.clear)
        if self._avatar is not None:
            avatar = self._avatar
            self._guarded(lambda: avatar.clear(turn))
        return spoken[0] if spoken else None

    def handle(self, item: SpeechClip) -> None:
        """Give one clip to the avatar, then to the loudspeaker."""
        with self._room:
            if not self._unplayed:
                # Between two clips of an answer nobody waits: that gap would be heard.
                self._room.wait_for(
                    lambda: (
                        self.stopping.is_set()
                        or not self._turns.is_current(item.turn)
                        or (self._released_turn >= item.turn and not self._is_held)
                    )
                )
        # One lock with minting: a clip is never handed out after its turn was cleared.
        with self._turns.lock:
            if not self._turns.is_current(item.turn):
                return
            if len(item.samples):
                if self._avatar is not None:
                    avatar = self._avatar
                    self._guarded(lambda: avatar.push(item))
                with self._lock:
                    self._unplayed[item.turn, item.index] = item
                    self._captions.add(item)
                    if item.last:
                        self._closed_turn = item.turn
                self._play(item)
                return
            with self._room:
                self._count_done(item.turn)
                if item.last:
                    self._closed_turn = item.turn
            self._finish_if_done(item.turn)

    def recover(self, item: SpeechClip) -> None:
        """No device plays this clip: it counts as played."""
        self._on_played(item.turn, item.index)

    def request_stop(self) -> None:
        """Wake whoever waits for room."""
        super().request_stop()
        with self._room:
            self._room.notify_all()

    def close(self) -> None:
        """Release the device. Safe to call twice."""
        self._is_open = False
        self._guarded(self._speaker.close)

    def _play(self, clip: SpeechClip) -> None:
        try:
            self._speaker.play(clip)
        except Exception as error:
            if self._fallback is None or self._speaker is self._fallback:
                raise
            self._guarded(self._speaker.close)
            self._switch_to_fallback(error)
            with self._lock:
                waiting = list(self._unplayed.values())
            for unplayed in waiting:
                self._speaker.play(unplayed)

    def _open(self, speaker: Speaker) -> None:
        """Open `speaker`; what it says after it was replaced counts no more."""

        def on_anchor(anchor: PlayoutAnchor) -> None:
            if self._speaker is speaker:
                self._on_anchor(anchor)

        def on_played(turn: int, index: int) -> None:
            if self._speaker is speaker:
                self._on_played(turn, index)

        speaker.open(on_anchor, on_played)

    def _switch_to_fallback(self, error: Exception) -> None:
        assert self._fallback is not None
        self._speaker = self._fallback
        self._open(self._speaker)
        self._again_ns = self._clock.now_ns() + int(AGAIN_AFTER_S * 1e9)
        self.label = str(getattr(self._speaker, "name", "no sound"))
        self.say_failed(error)

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            self.say_failed(error)

    def _on_anchor(self, anchor: PlayoutAnchor) -> None:
        key = (anchor.turn, anchor.index)
        with self._lock:
            clip = self._unplayed.get(key)
            is_start = clip is not None and key not in self._started
            if is_start:
                self._started.add(key)
            if clip is not None:
                share = anchor.sample / anchor.sample_rate / max(clip.duration_s, 0.001)
                self._heard_to = (anchor.turn, anchor.index, share, anchor.host_ns)
            cues: list[Cue] = []
            caption = None
            if clip is not None:
                caption = self._captions.at(anchor.turn, anchor.index, anchor.sample / anchor.sample_rate)
            if clip is not None and len(self._cues):
                sounds_s = [phone.start_s for phone in clip.phones or () if phone.ipa]
                heard = heard_chars(clip.text, anchor.sample / anchor.sample_rate, sounds_s, clip.duration_s)
                cues = self._cues.due(anchor.turn, anchor.index, heard)
        if clip is None or not self._turns.is_current(anchor.turn):
            return
        if self._avatar is not None:
            avatar = self._avatar
            self._guarded(lambda: avatar.anchor(anchor))
        if is_start and clip.text:  # a later piece of a sentence has none: it was said with the first
            self._on_heard(clip.turn, clip.text)
            self.bus.emit(self.name, "clip_started", turn=clip.turn, index=clip.index, text=clip.text)
        if caption is not None:
            index, text, heard = caption.index, caption.text, caption.heard
            self.bus.emit(self.name, "caption", turn=caption.turn, index=index, text=text, heard=heard)
        self._show(clip.turn, cues)

    def _on_played(self, turn: int, index: int) -> None:
        with self._room:
            if self._unplayed.pop((turn, index), None) is None:
                return
            if not self._unplayed:
                self._silent_since_ns = self._clock.now_ns()
            self._count_done(turn)
        self._finish_if_done(turn)

    def _count_done(self, turn: int) -> None:
        """One more clip of `turn` needs no waiting for. Called with the lock held."""
        if self._done_turn != turn:
            self._done_turn, self._done = turn, 0
        self._done += 1
        self._room.notify_all()

    def _finish_if_done(self, turn: int) -> None:
        with self._lock:
            if self._unplayed or self._closed_turn != turn or not self._turns.is_current(turn):
                return
            self._closed_turn = 0
            self._started.clear()
            cues = self._cues.due(turn, _PAST_ALL, 0)
        self._show(turn, cues)
        self._on_finished(turn)

    def _show(self, turn: int, cues: list[Cue]) -> None:
        for cue in cues:
            self._guarded(partial(self._on_cue, turn, cue))


_PAST_ALL = 1 << 30
"""An index behind every sentence."""
