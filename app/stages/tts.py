"""Sentences → clips of the character's voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from animator.messages import SpeechClip
from animator.timebase import Clock
from app.bus import Bus
from app.messages import Sentence
from app.policy.spoken import spoken
from app.ports import SpeechSynth
from app.stage import Channel, Stage, Turns


class TtsStage(Stage[Sentence]):
    """Speaks sentence after sentence, a little ahead of playout: `wait_for_room(turn, sent)` waits for its time."""

    name = "tts"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[Sentence],
        outbox: Channel[SpeechClip],
        synth: SpeechSynth,
        wait_for_room: Callable[[int, int], None],
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._outbox = outbox
        self._synth = synth
        self._wait_for_room = wait_for_room
        self._failed_to_load: Exception | None = None
        self._sample_rate = 22_050
        self._turn = 0
        self._sent = 0

    def load(self) -> str:
        """Load the voice."""
        try:
            self._synth.load()
        except Exception as error:
            self._failed_to_load = error
            raise
        return str(getattr(self._synth, "name", "voice"))

    def handle(self, item: Sentence) -> None:
        """Speak one sentence; the clip keeps the text as it was written, not as it was spelled out."""
        if not self._turns.is_current(item.turn):
            return
        if item.turn != self._turn:
            self._turn, self._sent = item.turn, 0
        words = spoken(item.text)
        if not words:
            self._send(self._silence(item))
            return
        if self._failed_to_load is not None:
            raise self._failed_to_load
        self._wait_for_room(item.turn, self._sent)
        if not self._turns.is_current(item.turn):
            return
        self.say_state("busy")
        start_ns = self._clock.now_ns()
        clip = self._synth.synthesize(item.turn, item.index, words, item.last)
        took_ms = round((self._clock.now_ns() - start_ns) / 1e6)
        self._sample_rate = clip.sample_rate
        self.say_state("ready")
        if self._turns.is_current(item.turn):
            self.bus.emit(
                self.name,
                "clip",
                turn=item.turn,
                index=item.index,
                duration_s=round(clip.duration_s, 3),
                took_ms=took_ms,
            )
            self._send(clip if clip.text == item.text else replace(clip, text=item.text))

    def recover(self, item: Sentence) -> None:
        """A sentence that could not be spoken becomes a clip of nothing, so that the turn ends."""
        self._send(self._silence(item))

    def _silence(self, item: Sentence) -> SpeechClip:
        return SpeechClip(
            item.turn, item.index, np.zeros(0, np.float32), self._sample_rate, item.text, phones=(), last=item.last
        )

    def _send(self, clip: SpeechClip) -> None:
        self._sent += 1
        self._outbox.put(clip)
