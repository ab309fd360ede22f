"""Utterances → transcripts."""

from __future__ import annotations

from animator.timebase import Clock
from app.bus import Bus
from app.messages import Transcript, Utterance
from app.policy.agreement import Agreement
from app.ports import Transcriber
from app.stage import Channel, Stage, Turns


class SttStage(Stage[Utterance]):
    """Decodes each part once. A speculative decode is reused where the part turned out to be what was guessed.

    Partials are decoded only while nothing newer waits, and one that fails costs nothing but itself.
    """

    name = "stt"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[Utterance],
        outbox: Channel[Transcript],
        transcriber: Transcriber,
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._outbox = outbox
        self._transcriber = transcriber
        self._language = str(getattr(transcriber, "language", "en"))
        self._guess: tuple[tuple[int, int, int], str] | None = None
        self._turn = 0
        self._parts: list[str] = []
        self._took_ns = 0
        self._failed_to_load: Exception | None = None
        self._agreement = Agreement()
        self._agreed_on = (0, 0)

    def load(self) -> str:
        """Load the model."""
        try:
            self._transcriber.load()
        except Exception as error:
            self._failed_to_load = error
            raise
        return str(getattr(self._transcriber, "name", "Whisper"))

    def handle(self, item: Utterance) -> None:
        """Decode, and send the transcript once the turn's last part is there."""
        if not self._turns.is_current(item.turn):
            return
        if item.partial:
            self._say_partial(item)
            return
        if item.turn != self._turn:
            self._turn, self._parts, self._took_ns = item.turn, [], 0
        if item.speculative:
            self._guess = (self._key(item), self._decode(item))
            return
        start_ns = self._clock.now_ns()
        if len(item.samples):
            if self._guess is not None and self._guess[0] == self._key(item):
                text = self._guess[1]
            else:
                self.say_state("busy")
                text = self._decode(item)
                self.say_state("ready")
            self._parts.append(text)
        self._guess = None
        self._took_ns += self._clock.now_ns() - start_ns
        if item.last and self._turns.is_current(item.turn):
            self._send(item)

    def recover(self, item: Utterance) -> None:
        """What could not be decoded counts as not heard, so that the turn ends."""
        if item.last and not item.speculative and not item.partial and self._turns.is_current(item.turn):
            self._send(item)

    def _send(self, item: Utterance) -> None:
        text = " ".join(part for part in self._parts if part)
        took_ms = round(self._took_ns / 1e6)
        self.bus.emit(self.name, "transcript", turn=item.turn, text=text, took_ms=took_ms, typed=False)
        self._outbox.put(Transcript(item.turn, text, self._language, item.ended_ns))

    def _say_partial(self, item: Utterance) -> None:
        if len(self.inbox) or self._failed_to_load is not None:
            return  # latest wins; what waits is a newer partial, a guess or the end
        if self._agreed_on != (item.turn, item.part):
            self._agreed_on = (item.turn, item.part)
            self._agreement.reset()
        text = self._decode(item)
        committed, _ = self._agreement.feed(text)
        if text and self._turns.is_current(item.turn):
            words = len(text.split())
            self.bus.emit(self.name, "partial", turn=item.turn, text=text, committed=committed, words=words)

    def _decode(self, item: Utterance) -> str:
        if self._failed_to_load is not None:
            raise self._failed_to_load
        return self._transcriber.transcribe(item.samples)

    @staticmethod
    def _key(item: Utterance) -> tuple[int, int, int]:
        return (item.turn, item.part, item.revision)
