"""Sentences → clips of the character's voice, all at one loudness."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from animator.messages import SpeechClip
from animator.timebase import Clock
from app.bus import Bus
from app.messages import Cue, Sentence, SpeechPiece
from app.policy.loudness import Leveller
from app.policy.spoken import espeak_language, spoken
from app.ports import SpeechSynth
from app.stage import Channel, Stage, Turns


class TtsStage(Stage[Sentence]):
    """Speaks sentence after sentence, a little ahead of playout.

    `wait_for_room(turn, sent, clips)` waits until fewer than `clips` of the `sent` clips are unheard. Clips of a turn
    are numbered here, in playing order: a voice that streams gives several for one sentence. The first of them carries
    the sentence as it was written and, for the lips, as it was spelled out; later ones carry no text.
    """

    name = "tts"
    gives_way = True

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[Sentence],
        outbox: Channel[SpeechClip],
        synth: SpeechSynth,
        wait_for_room: Callable[[int, int, int], None],
        *,
        sentences_ahead: int = 2,
        language: str = "auto",
        on_cues: Callable[[int, int, tuple[Cue, ...]], None] = lambda turn, index, cues: None,
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._outbox = outbox
        self._synth = synth
        self._wait_for_room = wait_for_room
        self._language = language
        self._on_cues = on_cues
        self._failed_to_load: Exception | None = None
        self._sample_rate = 22_050
        self._leveller = Leveller()
        self._turn = 0
        self._sent = 0
        self._pieces = 0
        """Clips sent of the sentence that is being spoken."""
        self._clips_of: deque[int] = deque(maxlen=max(1, sentences_ahead))
        """How many clips each of the latest sentences took."""

    def load(self) -> str:
        """Load the voice."""
        try:
            self._synth.load()
        except Exception as error:
            self._failed_to_load = error
            raise
        return self._synth.name

    def replace(self, synth: SpeechSynth) -> None:
        """Speak with `synth`, which is loaded, from the next sentence on; the one before is closed."""
        if not self.loaded.is_set():
            self._synth.close()  # ends a wait for a server that nobody wants any more
        with self.between_items:
            old, self._synth = self._synth, synth
            self._failed_to_load = None
            self.label = synth.name
            if not self.stopping.is_set():
                self.say_ready()
        old.close()
        if self.stopping.is_set():
            synth.close()

    def speak_at(self, speed: float) -> bool:
        """Speak at this speed from the next sentence on; False where the voice has to be made anew for that."""
        with self.between_items:
            set_speed = getattr(self._synth, "set_speed", None)
            if set_speed is None or self._failed_to_load is not None:
                return False
            set_speed(speed)
        return True

    def read_out_in(self, language: str) -> None:
        """Spell figures and units out in `language` (of VoiceSettings) from the next sentence on. Any thread."""
        self._language = language

    def request_stop(self) -> None:
        """End a wait for a server too."""
        super().request_stop()
        try:
            self._synth.close()
        except Exception as error:
            self.say_failed(error)

    def handle(self, item: Sentence) -> None:
        """Speak one sentence."""
        if not self._turns.is_current(item.turn):
            return
        self._begin(item)
        self._pieces = 0
        # The face's cues go with the clips' own numbers: a sentence may become several.
        self._on_cues(item.turn, self._sent, item.cues)
        words = spoken(item.text, self._language)
        if not words:
            self._send_silence(item)
            return
        if self._failed_to_load is not None:
            raise self._failed_to_load
        # A sentence that came in many pieces fills the room of one.
        self._wait_for_room(item.turn, self._sent, sum(self._clips_of) + 1)
        if self._is_over(item):
            return
        self.say_state("busy")
        self._speak(item, words)
        self.label = self._synth.name
        self.say_state("ready")

    def recover(self, item: Sentence) -> None:
        """A sentence that could not be spoken becomes a clip of nothing, so that the turn ends."""
        if self._turns.is_current(item.turn):
            self._begin(item)
            self._send_silence(item)

    def _speak(self, item: Sentence, words: str) -> None:
        pieces = self._synth.speak(words, lambda: self._is_over(item))
        try:
            self._send_pieces(item, words, pieces)
        finally:
            # What frees a connection when the turn is over.
            if (close := getattr(pieces, "close", None)) is not None:
                close()

    def _send_pieces(self, item: Sentence, words: str, pieces: Iterator[SpeechPiece]) -> None:
        start_ns = self._clock.now_ns()
        gain_db: float | None = None
        closed = False
        language = espeak_language(words, self._language)
        for piece in pieces:
            if self._is_over(item):
                return
            if not len(piece.samples):
                continue
            if gain_db is None:
                gain_db = self._leveller.gain_db(piece.voice or self._synth.name, piece.samples, piece.sample_rate)
            self._sample_rate = piece.sample_rate
            closed = item.last and piece.final
            clip = SpeechClip(
                item.turn,
                self._sent,
                self._leveller.apply(piece.samples, piece.sample_rate, gain_db),
                piece.sample_rate,
                "" if self._pieces else item.text,
                piece.phones,
                last=closed,
                language=language,
                spoken="" if self._pieces else words,
                continues=self._pieces > 0,
                final=piece.final,
            )
            self.bus.emit(
                self.name,
                "clip",
                turn=item.turn,
                index=clip.index,
                duration_s=round(clip.duration_s, 3),
                took_ms=round((self._clock.now_ns() - start_ns) / 1e6),
                sentence=item.index,
            )
            self._send(clip)
            self._pieces += 1
        if self._is_over(item):
            return
        if not self._pieces or (item.last and not closed):
            self._send_silence(item)
        self._clips_of.append(max(1, self._pieces))

    def _begin(self, item: Sentence) -> None:
        if item.turn != self._turn:
            self._turn, self._sent = item.turn, 0
            self._clips_of.clear()
            self._clips_of.extend([1] * (self._clips_of.maxlen or 1))

    def _is_over(self, item: Sentence) -> bool:
        return self.stopping.is_set() or not self._turns.is_current(item.turn)

    def _send_silence(self, item: Sentence) -> None:
        """Close a sentence of which nothing (more) can be heard."""
        silence = np.zeros(0, np.float32)
        text = "" if self._pieces else item.text
        continues = self._pieces > 0
        self._send(
            SpeechClip(
                item.turn, self._sent, silence, self._sample_rate, text, phones=(), last=item.last, continues=continues
            )
        )

    def _send(self, clip: SpeechClip) -> None:
        self._sent += 1
        self._outbox.put(clip)
