"""Blocks of sound → utterances. The head of the line: a turn begins here, and here it is decided that it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from animator.messages import Samples
from app.bus import Bus
from app.guesses import Guesses
from app.messages import HEARING_RATE, AudioBlock, Utterance
from app.policy.barge_in import BargeIn, BargeInOptions, Onset
from app.policy.endpointing import (
    Endpointing,
    EndpointingOptions,
    SpeechEdge,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechSplit,
    SpeechStarted,
)
from app.policy.turn_end import TurnEnd, TurnEndOptions
from app.ports import SpeechDetector, TurnDetector
from app.stage import Channel, Stage, Turns

PARTIAL_EVERY_MS = 500
"""New speech between two partial decodes."""
FIRST_WORDS_MS = 320
"""The words of what may be an interruption are asked for so early."""
_WORDS_WITHIN_MS = 2000
"""So long a short sound may wait for its words."""
_BEHIND = 16
"""Blocks in the inbox from which listening is behind: guesses and partials would only take more time."""


PROBABILITY_EVERY_MS = 100


@dataclass(frozen=True, slots=True)
class Hearing:
    """How the stage listens; see LineOptions."""

    endpointing: EndpointingOptions
    turn_end: TurnEndOptions
    barge_in: BargeInOptions
    talk: Literal["open", "push"]
    one_question: bool
    speculate: bool
    partials: bool


class VadStage(Stage[AudioBlock]):
    """Runs the detector over every window and turns its edges into utterances.

    While the user speaks, growing partials are sent; at a pause a guess, from which the answer is prepared. The turn
    is over when `turn_detector`, words and silence say so (`TurnEnd`); if the user goes on before that, or before the
    answer is heard (`is_sounding`), `begin_turn` is called with what it continues, and the sound stays whole.

    While an answer is open (`is_busy`), sound is only an interruption when `BargeIn` says so; until then the voice is
    ducked (`duck`). With `one_question` everything up to the end of the stream is one turn: a recording is one
    question, however long its speaker thinks between two phrases. With `talk` "push" only what is said while
    `is_pushed` counts, and letting go ends the turn.
    """

    name = "vad"

    def __init__(
        self,
        bus: Bus,
        turns: Turns,
        inbox: Channel[AudioBlock],
        outbox: Channel[Utterance],
        detector: SpeechDetector,
        turn_detector: TurnDetector | None,
        hearing: Hearing,
        guesses: Guesses,
        *,
        begin_turn: Callable[[int | None], int],
        release: Callable[[int], None],
        prepare: Callable[[int, str, int], None],
        is_deaf: Callable[[], bool],
        is_busy: Callable[[], bool],
        is_sounding: Callable[[], bool],
        is_pushed: Callable[[], bool],
        spoken: Callable[[], str],
        duck: Callable[[bool], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(bus, inbox)
        self._turns = turns
        self._outbox = outbox
        self._detector = detector
        self._turn_detector = turn_detector
        self._hearing = hearing
        self._next_hearing: Hearing | None = None
        self._guesses = guesses
        self._endpointing = Endpointing(hearing.endpointing, detector.window)
        self._turn_end = TurnEnd(hearing.turn_end, has_detector=turn_detector is not None)
        self._onset = Onset(hearing.endpointing.threshold)
        self._begin_turn = begin_turn
        self._release = release
        self._prepare = prepare
        self._is_deaf = is_deaf
        self._is_busy = is_busy
        self._is_sounding = is_sounding
        self._is_pushed = is_pushed
        self._spoken = spoken
        self._duck = duck
        self._on_end = on_end
        self._rest: Samples = np.zeros(0, np.float32)
        self._next_sample: int | None = None
        self._turn = 0
        self._part = 0
        self._was_deaf = False
        self._was_pushed = False
        self._last_speech_ns = 0
        self._highest = self._untold_ms = 0.0
        self._paused: tuple[int, int] | None = None
        self._guessed: tuple[int, int] | None = None
        self._partial_at_ms = 0.0
        self._number = 0
        """Of the sound that is open: partials are asked for by it while it has no turn of its own."""
        self._barge_in: BargeIn | None = None
        """Set while somebody speaks who has not interrupted (yet)."""
        self._left: tuple[SpeechEnded, int, int] | None = None
        """A sound that is over and waits for its words, its number, and the windows it may still wait."""
        self._is_ducked = False
        self._lingers = False
        """The turn is over and its answer not heard yet: if the user goes on now, it was not over after all."""

    def load(self) -> str:
        """Run the detectors once, so that their first window is not late."""
        self._detector.probability(np.zeros(self._detector.window, np.float32))
        self._detector.reset()
        if self._turn_detector is None:
            return "Silero"
        try:
            self._turn_detector.load()
        except Exception as error:  # pauses are then judged by their length, and this is said
            self._turn_detector = None
            self._turn_end = TurnEnd(self._hearing.turn_end, has_detector=False)
            self.say_failed(error)
            return "Silero"
        return f"Silero, {self._turn_detector.name}"

    def listen(self, hearing: Hearing) -> None:
        """Listen like this from now on; what is being said at the moment is heard to its end as before. Any thread."""
        with self.between_items:
            self._next_hearing = hearing
            self._take_hearing()

    def _take_hearing(self) -> None:
        is_open = self._endpointing.is_open or self._lingers or self._barge_in is not None or self._left is not None
        if self._next_hearing is None or is_open:
            return
        hearing, self._next_hearing = self._next_hearing, None
        self._hearing = hearing
        self._endpointing = Endpointing(hearing.endpointing, self._detector.window)
        self._turn_end = TurnEnd(hearing.turn_end, has_detector=self._turn_detector is not None)
        self._onset = Onset(hearing.endpointing.threshold)
        self._paused = self._guessed = None
        self._was_pushed = False
        self._let_speak()

    def handle(self, item: AudioBlock) -> None:
        """Look at every whole window of the block."""
        self._take_hearing()
        if item.is_lost or (self._is_deaf() and not item.end_of_stream):
            self._forget()
            self._was_deaf = True
            return
        if self._was_deaf or (self._next_sample is not None and item.first_sample != self._next_sample):
            # Sound is missing here (half-duplex, mute, a full channel): the detector must not join the ends.
            self._detector.reset()
            self._rest = np.zeros(0, np.float32)
            self._was_deaf = False
        self._next_sample = item.first_sample + len(item.samples)
        samples = np.concatenate([self._rest, item.samples]) if len(self._rest) else item.samples
        window = self._detector.window
        count = len(samples) // window
        for k in range(count):
            after = len(samples) - (k + 1) * window
            self._look_at(samples[k * window : (k + 1) * window], item.heard_ns - after * 1_000_000_000 // HEARING_RATE)
        self._rest = samples[count * window :]
        if item.end_of_stream:
            self._end_stream()

    @property
    def last_speech_ns(self) -> int:
        """Host time of the end of the last speech."""
        return self._last_speech_ns

    def open_sound(self) -> Samples:
        """What is being said now, from its first syllable on; empty while nobody speaks."""
        return self._endpointing.sound()

    def _look_at(self, piece: Samples, end_ns: int) -> None:
        probability = self._detector.probability(piece)
        self._say_probability(probability, len(piece))
        endpointing = self._endpointing
        if self._hearing.talk == "push" and not self._push(piece):
            return
        self._suspect(probability)
        was_open = endpointing.is_open
        edges = endpointing.feed(piece, probability)
        if endpointing.hears_speech:
            self._last_speech_ns = end_ns
        for edge in edges:
            self._take(edge)
        if endpointing.is_open and not was_open:
            self._number += 1
            self._partial_at_ms = 0.0
        self._check_left()
        if not endpointing.is_speaking:
            if not endpointing.is_open:
                self._let_speak()
            return
        self._ask_partial()
        if self._barge_in is not None:
            self._check_barge_in(self._barge_in)
        elif self._lingers:
            if self._is_sounding() or not self._turns.is_current(self._turn) or not self._is_busy():
                self._close()
        elif not endpointing.hears_speech:
            self._check_end()

    def _say_probability(self, probability: float, samples: int) -> None:
        """For the meter in which the user sets the threshold."""
        self._highest = max(self._highest, probability)
        self._untold_ms += samples * 1000 / HEARING_RATE
        if self._untold_ms >= PROBABILITY_EVERY_MS:
            self.bus.emit(self.name, "probability", p=round(self._highest, 3))
            self._highest = self._untold_ms = 0.0

    # The end of a turn

    def _check_end(self) -> None:
        """Quiet at the moment: is the turn over?"""
        if self._hearing.one_question or self._hearing.talk == "push":
            return
        endpointing, turn_end = self._endpointing, self._turn_end
        quiet_ms = endpointing.quiet_ms
        if turn_end.is_due(quiet_ms) and self._turn_detector is not None:
            turn_end.answer(quiet_ms, self._turn_detector.probability(endpointing.sound()))
            likely = self._guesses.judge(self._turn, endpointing.revision, turn_end.probability or 0.0)
            if likely is not None:
                self._prepare(self._turn, likely, self._last_speech_ns)
        text = self._guesses.text(self._turn, endpointing.revision)
        if text:
            turn_end.words(text)
        if turn_end.is_over(quiet_ms):
            self._end(endpointing.ended())
            if self._part == 1:
                self._lingers = True
            else:  # its first parts are text already; what comes now is a question of its own
                endpointing.finish()

    def _close(self) -> None:
        """The answer is heard, or the turn over: what is said from now on is something new."""
        self._lingers = False
        self._endpointing.finish()

    def _end_stream(self) -> None:
        for edge in self._endpointing.finish():
            self._take(edge)
        if self._hearing.one_question and self._turn and self._turns.is_current(self._turn):
            self._release(self._turn)
            self._send(np.zeros(0, np.float32), last=True)
        self._on_end()

    def _forget(self) -> None:
        """The microphone is not listened to: an utterance that was open is dropped, its turn closed."""
        if self._endpointing.is_speaking and self._turn and self._barge_in is None and not self._lingers:
            self._guesses.resume()
            self._send(np.zeros(0, np.float32), last=True)
            self._release(self._turn)
        self._endpointing.reset()
        self._lingers = False
        self._turn_end.reset()
        self._onset.reset()
        self._barge_in = self._left = None
        self._rest = np.zeros(0, np.float32)
        self._was_pushed = False
        self._let_speak()

    # Edges

    def _take(self, edge: SpeechEdge) -> None:
        match edge:
            case SpeechStarted():
                self._turn_end.reset()
                if self._hearing.one_question and self._turn:
                    self.bus.emit(self.name, "speech_started", turn=self._turn)
                elif self._is_busy() and not self._hearing.one_question and self._hearing.talk != "push":
                    self._left = None
                    self._barge_in = BargeIn(self._hearing.barge_in)
                else:
                    self._start_turn()
            case SpeechPaused(samples=samples, revision=revision):
                self._pause(samples, revision)
            case SpeechResumed():
                self._turn_end.reset()
                self._guessed = None
                was_prepared = self._guesses.resume() or self._lingers
                self._lingers = False
                if was_prepared and self._turns.is_current(self._turn):
                    # The guess was wrong: what is being prepared for it is out of date, and so is its question.
                    continues, self._turn, self._part = self._turn, self._begin_turn(self._turn), 0
                    self.bus.emit(self.name, "speech_resumed", turn=self._turn, continues=continues)
            case SpeechSplit(samples=samples):
                self._paused = self._guessed = None
                if self._barge_in is None:
                    self._send(samples, last=False)
            case SpeechEnded():
                if not self._lingers:  # else it was sent when it was decided
                    self._end(edge)
                self._lingers = False

    def _start_turn(self) -> None:
        self._turn = self._begin_turn(None)
        self._part = 0
        self._guessed = None
        if self._is_ducked:
            self._is_ducked = False
            self._duck(False)
        self.bus.emit(self.name, "speech_started", turn=self._turn)

    def _pause(self, samples: Samples, revision: int) -> None:
        self._paused = (revision, self._last_speech_ns)
        if self._barge_in is not None:
            self._send_partial(samples)
            return
        is_new = self._guessed != (self._turn, revision)
        if self._hearing.speculate and is_new and len(self.inbox) <= _BEHIND:
            self._guessed = (self._turn, revision)
            self._guesses.pause(self._turn, revision)
            self._send(samples, last=False, speculative=True, revision=revision)

    def _end(self, edge: SpeechEnded) -> None:
        if self._paused is not None and self._paused[0] == edge.revision:
            # What came after the pause was a breath or a click, not speech.
            self._last_speech_ns = self._paused[1]
        self._paused = self._guessed = None
        probability = self._turn_end.probability
        self._turn_end.reset()
        if self._barge_in is not None:
            # "Stop!" is shorter than an interruption has to be: its words decide.
            self._left = (edge, self._number, _WORDS_WITHIN_MS * HEARING_RATE // 1000 // self._detector.window)
            self._send_partial(edge.samples)
            return
        self.bus.emit(
            self.name,
            "speech_ended",
            turn=self._turn,
            speech_s=round(edge.speech_s, 3),
            ended_ns=self._last_speech_ns,
            finished=None if probability is None else round(probability, 3),
        )
        self._guesses.resume()
        self._send(edge.samples, last=not self._hearing.one_question, revision=edge.revision)
        if not self._hearing.one_question:
            self._release(self._turn)

    # Interruptions

    def _suspect(self, probability: float) -> None:
        """Somebody may be speaking while the character has the floor: lower its voice at once."""
        if self._hearing.one_question or self._hearing.talk == "push":
            return
        self._onset.feed(probability)
        if self._onset.may_speak and not self._is_ducked and not self._endpointing.is_speaking and self._is_busy():
            self._is_ducked = True
            self._duck(True)
            self.bus.emit(self.name, "ducked", on=True)

    def _let_speak(self) -> None:
        """Nobody interrupts: the voice goes on as before."""
        if self._is_ducked and self._left is None and not self._onset.may_speak:
            self._is_ducked = False
            self._duck(False)
            self.bus.emit(self.name, "ducked", on=False)

    def _check_barge_in(self, barge_in: BargeIn) -> None:
        text = self._guesses.take_partial(self._turns.current, self._number)
        if text is not None:
            barge_in.heard(text, self._spoken())
        if not self._is_busy():
            # The answer ended by itself while somebody began to speak: an ordinary turn.
            self._interrupt()
        elif barge_in.interrupts(self._endpointing.speech_ms):
            self._interrupt()
        elif self._endpointing.quiet_ms >= self._hearing.turn_end.without_detector_ms:
            for edge in self._endpointing.finish():
                self._take(edge)

    def _interrupt(self) -> None:
        """What is being said now is a turn; its sound is kept from the first syllable."""
        self._barge_in = None
        self._left = None
        self._start_turn()

    def _check_left(self) -> None:
        """A sound that ended before it was an interruption: do its words make it one?"""
        if self._left is None or self._barge_in is None:
            return
        edge, number, windows = self._left
        text = self._guesses.take_partial(self._turns.current, number)
        if text is not None:
            self._barge_in.heard(text, self._spoken())
            if self._barge_in.interrupts(0.0):
                self._interrupt()
                self._end(edge)
                return
        if text is not None or windows <= 0:
            self._left = self._barge_in = None
            self._let_speak()
            return
        self._left = (edge, number, windows - 1)

    # Push to talk

    def _push(self, piece: Samples) -> bool:
        """Whether the key is held; letting go ends the turn, pressing silences the character."""
        is_pushed = self._is_pushed()
        if is_pushed and not self._was_pushed and self._is_busy():
            self._start_turn()
        elif not is_pushed and self._was_pushed:
            edges = self._endpointing.finish()
            for edge in edges:
                self._take(edge)
            if not edges and self._turn and self._turns.is_current(self._turn):
                # Pressed and nothing said.
                self._release(self._turn)
                self._send(np.zeros(0, np.float32), last=True)
        self._was_pushed = is_pushed
        if not is_pushed:
            self._endpointing.remember(piece)
        return is_pushed

    # Out

    def _ask_partial(self) -> None:
        if not self._hearing.partials or len(self.inbox) > _BEHIND or self._endpointing.quiet_ms > 0:
            return
        every_ms = FIRST_WORDS_MS if self._barge_in is not None and not self._partial_at_ms else PARTIAL_EVERY_MS
        if self._endpointing.speech_ms - self._partial_at_ms >= every_ms:
            self._partial_at_ms = self._endpointing.speech_ms
            self._send_partial(self._endpointing.sound())

    def _send_partial(self, samples: Samples) -> None:
        self._outbox.discard(lambda queued: queued.partial)
        self._outbox.put(
            Utterance(
                self._turns.current, samples, self._last_speech_ns, last=False, partial=True, revision=self._number
            )
        )

    def _send(self, samples: Samples, *, last: bool, speculative: bool = False, revision: int = 0) -> None:
        # A guess is worth nothing once something newer is known.
        self._outbox.discard(lambda queued: queued.speculative or queued.partial)
        self._outbox.put(
            Utterance(
                self._turn,
                samples,
                self._last_speech_ns,
                self._part,
                last=last,
                speculative=speculative,
                revision=revision,
            )
        )
        if not speculative:
            self._part += 1
