"""Utterances → transcripts."""

from __future__ import annotations

from collections.abc import Callable

from animator.timebase import Clock
from app.bus import Bus
from app.guesses import Guesses
from app.messages import Transcript, Utterance
from app.policy.agreement import Agreement
from app.ports import PendingText, Transcriber
from app.stage import Channel, Stage, Turns

VERDICT_WITHIN_S = 0.25
"""The turn detector takes 50 ms and starts with the decode."""


class SttStage(Stage[Utterance]):
    """Decodes each part once. A speculative decode is reused where the part turned out to be what was guessed.

    Where somebody else has better ears, the sound of a pause goes to them while it is decoded here, and no answer is
    prepared before they have replied: an answer is begun once, with the words that count. Theirs are taken where they
    come in time. Partials are decoded here alone.

    Partials are decoded only while nothing newer waits, and one that fails costs nothing but itself.
    `accept` gives the text that is meant for the character, "" where none is (the wake word).
    """

    name = "stt"
    gives_way = True

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[Utterance],
        outbox: Channel[Transcript],
        transcriber: Transcriber,
        guesses: Guesses,
        accept: Callable[[str], str] = lambda text: text,
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._outbox = outbox
        self._transcriber = transcriber
        self._guesses = guesses
        self._accept = accept
        self._language = "en"
        self._guess: tuple[tuple[int, int, int], str] | None = None
        self._pending: PendingText | None = None
        """The better text of the guess, until it is there."""
        self._turn = 0
        self._parts: list[str] = []
        self._took_ns = 0
        self._failed_to_load: Exception | None = None
        self._agreement = Agreement()
        self._agreed_on = (0, 0, 0)

    def load(self) -> str:
        """Load the model."""
        try:
            self._transcriber.load()
        except Exception as error:
            self._failed_to_load = error
            raise
        return str(getattr(self._transcriber, "name", "Whisper"))

    def replace(self, transcriber: Transcriber) -> None:
        """Hear with `transcriber`, which is loaded, from the next utterance on; the one before is closed."""
        with self.between_items:
            self._give_up()
            old, self._transcriber = self._transcriber, transcriber
            self._failed_to_load = None
            self._agreement.reset()
            self.label = str(getattr(transcriber, "name", "Whisper"))
            if not self.stopping.is_set():
                self.say_ready()
        _close(old)
        if self.stopping.is_set():
            _close(transcriber)

    def accept_by(self, accept: Callable[[str], str]) -> None:
        """Let `accept` say from now on what of the words is meant for the character."""
        with self.between_items:
            self._accept = accept

    def run_loop(self) -> None:
        """As every stage's; then let go of connections."""
        super().run_loop()
        _close(self._transcriber)

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
            self._guess_at(item)
            return
        start_ns = self._clock.now_ns()
        if len(item.samples):
            if self._guess is not None and self._guess[0] == self._key(item):
                text = self._guess[1]
            else:
                self.say_state("busy")
                self._begin(item)
                text = self._decode(item)
                self.say_state("ready")
            better = self._better(text, lambda: self.stopping.is_set() or not self._turns.is_current(item.turn))
            self._parts.append(text if better is None else better)
        self._give_up()
        self._took_ns += self._clock.now_ns() - start_ns
        if item.last and self._turns.is_current(item.turn):
            self._send(item)

    def _guess_at(self, item: Utterance) -> None:
        """Decode what may be the whole turn, and let the answer be prepared where it likely is."""
        start_ns = self._clock.now_ns()
        self._begin(item)
        text = self._decode(item)
        self._guess = (self._key(item), text)
        self.bus.emit(self.name, "guess", turn=item.turn, took_ms=round((self._clock.now_ns() - start_ns) / 1e6))
        if self._pending is not None:
            self._guesses.decoded(item.turn, item.revision, self._accept(text), is_settled=False)
        # Whatever waits says that the user went on, or that the turn is over; then nothing is prepared.
        better = self._better(text, lambda: bool(len(self.inbox)) or not self._turns.is_current(item.turn))
        if better is None:
            return
        self._guess = (self._key(item), better)
        meant = self._accept(better)
        # The later parts of a long turn are not the question.
        is_whole = item.part == 0
        self._guesses.decoded(item.turn, item.revision, meant, is_settled=is_whole)
        if is_whole and meant and self._guesses.prepare(item.turn, item.revision, VERDICT_WITHIN_S):
            self.prepare(item.turn, meant, item.ended_ns)

    def prepare(self, turn: int, text: str, ended_ns: int) -> None:
        """Let the answer to what may be the whole turn be prepared. Any thread."""
        self._outbox.put(Transcript(turn, text, self._language, ended_ns, speculative=True))

    def recover(self, item: Utterance) -> None:
        """What could not be decoded counts as not heard, so that the turn ends."""
        if item.last and not item.speculative and not item.partial and self._turns.is_current(item.turn):
            self._send(item)

    def _send(self, item: Utterance) -> None:
        text = self._accept(" ".join(part for part in self._parts if part))
        took_ms = round(self._took_ns / 1e6)
        self.bus.emit(self.name, "transcript", turn=item.turn, text=text, took_ms=took_ms, typed=False)
        self._outbox.put(Transcript(item.turn, text, self._language, item.ended_ns))

    def _say_partial(self, item: Utterance) -> None:
        if len(self.inbox) or self._failed_to_load is not None:
            return  # latest wins; what waits is a newer partial, a guess or the end
        # What may become an interruption has no turn of its own yet: `revision` is the sound's number.
        if self._agreed_on != (item.turn, item.part, item.revision):
            self._agreed_on = (item.turn, item.part, item.revision)
            self._agreement.reset()
        text = self._decode(item)
        self._guesses.decoded_partial(item.turn, item.revision, text)
        committed, _ = self._agreement.feed(text)
        if text and self._turns.is_current(item.turn):
            words = len(text.split())
            self.bus.emit(self.name, "partial", turn=item.turn, text=text, committed=committed, words=words)

    def _decode(self, item: Utterance) -> str:
        if self._failed_to_load is not None:
            raise self._failed_to_load
        text = self._transcriber.transcribe(item.samples)
        self._language = str(getattr(self._transcriber, "language", "en"))
        return text

    def _begin(self, item: Utterance) -> None:
        self._give_up()
        begin = getattr(self._transcriber, "begin_final", None)
        if begin is not None and self._failed_to_load is None:
            self._pending = begin(item.samples)

    def _better(self, text: str, should_stop: Callable[[], bool]) -> str | None:
        """The text that counts; None where it is not there yet and `should_stop()`."""
        if self._pending is None:
            return text
        better = self._pending.result(text, should_stop)
        if better is not None:
            self._pending = None
            self._language = str(getattr(self._transcriber, "language", "en"))
        return better

    def _give_up(self) -> None:
        self._guess = None
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    @staticmethod
    def _key(item: Utterance) -> tuple[int, int, int]:
        return (item.turn, item.part, item.revision)


def _close(transcriber: Transcriber) -> None:
    close = getattr(transcriber, "close", None)
    if close is not None:
        close()
