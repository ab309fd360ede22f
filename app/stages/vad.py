"""Blocks of sound → utterances. The head of the line: a turn begins here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.messages import Samples
from app.bus import Bus
from app.messages import HEARING_RATE, AudioBlock, Utterance
from app.policy.endpointing import (
    Endpointing,
    EndpointingOptions,
    SpeechEdge,
    SpeechEnded,
    SpeechPaused,
    SpeechSplit,
    SpeechStarted,
)
from app.ports import SpeechDetector
from app.stage import Channel, Stage, Turns


class VadStage(Stage[AudioBlock]):
    """Runs the detector over every window and turns its edges into utterances.

    With `one_question` everything up to the end of the stream is one turn: a recording is one question, however long
    its speaker thinks between two phrases.
    """

    name = "vad"

    def __init__(
        self,
        bus: Bus,
        turns: Turns,
        inbox: Channel[AudioBlock],
        outbox: Channel[Utterance],
        detector: SpeechDetector,
        options: EndpointingOptions,
        *,
        begin_turn: Callable[[], int],
        is_deaf: Callable[[], bool],
        on_end: Callable[[], None],
        one_question: bool,
        speculate: bool,
    ) -> None:
        super().__init__(bus, inbox)
        self._turns = turns
        self._outbox = outbox
        self._detector = detector
        self._endpointing = Endpointing(options, detector.window)
        self._begin_turn = begin_turn
        self._is_deaf = is_deaf
        self._on_end = on_end
        self._one_question = one_question
        self._speculate = speculate
        self._rest: Samples = np.zeros(0, np.float32)
        self._next_sample: int | None = None
        self._turn = 0
        self._part = 0
        self._was_deaf = False
        self._last_speech_ns = 0
        self._paused: tuple[int, int] | None = None

    def load(self) -> str:
        """Run the detector once, so that its first window is not late."""
        self._detector.probability(np.zeros(self._detector.window, np.float32))
        self._detector.reset()
        return "Silero"

    def handle(self, item: AudioBlock) -> None:
        """Look at every whole window of the block."""
        if self._is_deaf() and not item.end_of_stream:
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
            piece = samples[k * window : (k + 1) * window]
            probability = self._detector.probability(piece)
            if probability >= self._endpointing.options.neg_threshold:
                after = len(samples) - (k + 1) * window
                self._last_speech_ns = item.heard_ns - after * 1_000_000_000 // HEARING_RATE
            for edge in self._endpointing.feed(piece, probability):
                self._take(edge)
        self._rest = samples[count * window :]
        if item.end_of_stream:
            self._end_stream()

    def _end_stream(self) -> None:
        for edge in self._endpointing.flush():
            self._take(edge)
        if self._one_question and self._turn and self._turns.is_current(self._turn):
            self._send(np.zeros(0, np.float32), last=True)
        self._on_end()

    def _forget(self) -> None:
        """The microphone is not listened to: an utterance that was open is dropped, its turn closed."""
        if self._endpointing.is_speaking and self._turn:
            self._send(np.zeros(0, np.float32), last=True)
        self._endpointing.reset()
        self._rest = np.zeros(0, np.float32)

    def _take(self, edge: SpeechEdge) -> None:
        match edge:
            case SpeechStarted():
                if not (self._one_question and self._turn):
                    self._turn = self._begin_turn()
                    self._part = 0
                self.bus.emit(self.name, "speech_started", turn=self._turn)
            case SpeechPaused(samples=samples, revision=revision):
                self._paused = (revision, self._last_speech_ns)
                # Behind with listening (a recording that is read at full speed): a guess would only take time.
                if self._speculate and len(self.inbox) <= 16:
                    self._send(samples, last=False, speculative=True, revision=revision)
            case SpeechSplit(samples=samples):
                self._paused = None
                self._send(samples, last=False)
            case SpeechEnded(samples=samples, speech_s=speech_s, revision=revision):
                if self._paused is not None and self._paused[0] == revision:
                    # What came after the pause was a breath or a click, not speech.
                    self._last_speech_ns = self._paused[1]
                self._paused = None
                self.bus.emit(
                    self.name,
                    "speech_ended",
                    turn=self._turn,
                    speech_s=round(speech_s, 3),
                    ended_ns=self._last_speech_ns,
                )
                self._send(samples, last=not self._one_question, revision=revision)

    def _send(self, samples: Samples, *, last: bool, speculative: bool = False, revision: int = 0) -> None:
        # A guess is worth nothing once something newer is known.
        self._outbox.discard(lambda queued: queued.speculative)
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
