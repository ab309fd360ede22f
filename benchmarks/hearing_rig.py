"""The head of the line on a time of its own: the real vad stage, models and echo canceller, in a simulated room.

Faster than real time and the same in every run. Used by talk.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.bus import Bus
from app.guesses import Guesses
from app.line import LineOptions, hearing_of
from app.messages import AudioBlock, Fact, Utterance
from app.ports import SpeechDetector, Transcriber, TurnDetector
from app.stage import Channel, Turns
from app.stages.vad import VadStage

RATE = 16_000
BLOCK = RATE // 50
BLOCK_NS = 20_000_000
DUCK = 10.0 ** (-12.0 / 20.0)


def dbfs(samples: Samples) -> float:
    """Level in dB of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-9))


def at_level(samples: Samples, level_dbfs: float) -> Samples:
    """`samples` brought to `level_dbfs` where they are loud (their upper 60 %)."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    powers = np.sort(np.mean(frames.astype(np.float64) ** 2, axis=1))
    loud = 10 * np.log10(np.mean(powers[len(powers) * 2 // 5 :]) + 1e-12)
    return (samples * np.float32(10 ** ((level_dbfs - loud) / 20))).astype(np.float32)


def room(delay_ms: float, level_db: float, seed: int = 1, rt60_s: float = 0.25) -> Samples:
    """An impulse response: delay, direct sound, decaying reflections; its gain is `level_db` in all."""
    rng = np.random.default_rng(seed)
    tail = rng.standard_normal(int(rt60_s * RATE)) * np.exp(-6.9 * np.arange(int(rt60_s * RATE)) / (rt60_s * RATE))
    tail[0] = 6.0
    tail *= 10 ** (level_db / 20) / np.sqrt(np.sum(tail**2))
    return np.concatenate([np.zeros(int(delay_ms * RATE / 1000)), tail]).astype(np.float32)


@dataclass
class Ears:
    """The models, loaded once."""

    detector: SpeechDetector
    turn_detector: TurnDetector | None
    transcriber: Transcriber


@dataclass
class Rig:
    """One listener. `own` is what the character says (16 kHz), played from the first block on while it is not stopped.

    `decode_ms` is how long the ears take; their text is known that much later, as in life.
    """

    ears: Ears
    own: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    own_text: str = ""
    echo: Samples | None = None
    cancel: bool = True
    decode_ms: float = 200.0
    options: LineOptions = field(default_factory=lambda: LineOptions(hearing="open"))
    output_latency_ms: float = 60.0
    answer_ms: float | None = None
    """An answer is heard so long after the end of speech, and never before it is decided; None: nobody answers."""
    is_clean: bool = False
    """No noise floor, no soft clipping."""

    def __post_init__(self) -> None:
        self.now_ns = 1_000_000_000
        self.bus = Bus(lambda: self.now_ns)
        self.facts: list[Fact] = []
        self.bus.listen(self.facts.append)
        self.turns = Turns()
        self.guesses = Guesses()
        self.outbox: Channel[Utterance] = Channel(1000, "wait")
        self.busy = bool(len(self.own))
        if self.busy:
            self.turns.mint()
        self.answer_at_ns: int | None = None
        self._is_heard = False
        self._stopped_at: int | None = None
        self._gain = 1.0
        self._played = 0
        self._speaker = np.zeros(0, np.float32)
        self._pending: list[tuple[int, Callable[[], None]]] = []
        self._rng = np.random.default_rng(7)
        self.utterances: list[Utterance] = []
        self.heard_ms: list[float] = []
        """When answers began to sound, in ms from the start."""
        self.began_ms: float | None = None
        """Where the first utterance begins."""
        self.stage = VadStage(
            self.bus,
            self.turns,
            Channel(1, "drop oldest"),
            self.outbox,
            self.ears.detector,
            self.ears.turn_detector,
            hearing_of(self.options),
            self.guesses,
            begin_turn=self._begin,
            release=self._release,
            prepare=lambda turn, text, ended_ns: None,
            is_deaf=lambda: False,
            is_busy=lambda: self.busy,
            is_sounding=lambda: self.busy and self.answer_at_ns is not None and self.now_ns >= self.answer_at_ns,
            is_pushed=lambda: False,
            spoken=lambda: self.own_text,
            duck=self._duck,
            on_end=lambda: None,
        )
        self.ears.detector.reset()
        self._canceller: Any = None
        if self.echo is not None and self.cancel:
            from app.backends.echo_webrtc import WebRtcEchoCanceller

            self._canceller = WebRtcEchoCanceller(self._take_played)

    def feed(self, user: Samples) -> None:
        """Let `user` be said into the microphone, over whatever the room holds."""
        user = np.pad(user, (0, -len(user) % BLOCK))
        for start in range(0, len(user), BLOCK):
            near = user[start : start + BLOCK].copy()
            self._play(BLOCK)
            if self.echo is not None:
                near += self._echo(BLOCK)
            if not self.is_clean:
                near += (10 ** (-62 / 20) * self._rng.standard_normal(BLOCK)).astype(np.float32)
                near = np.tanh(near).astype(np.float32)
            self.now_ns += BLOCK_NS
            self._deliver()
            if self.busy and self.answer_at_ns is not None and not self._is_heard and self.now_ns >= self.answer_at_ns:
                self._is_heard = True
                self.heard_ms.append((self.now_ns - 1_000_000_000) / 1e6)
            block = AudioBlock(near, (self.now_ns - 1_000_000_000) // BLOCK_NS * BLOCK - BLOCK, heard_ns=self.now_ns)
            if self._canceller is not None:
                block = self._canceller.cancel(block)
            self.stage.handle(block)
            self._collect()

    def at_ms(self, event: str, **data: object) -> list[float]:
        """When facts of the vad stage came, in ms from the start."""
        return [
            (fact.at_ns - 1_000_000_000) / 1e6
            for fact in self.facts
            if fact.event == event and data.items() <= fact.data.items()
        ]

    def _begin(self, continues: int | None) -> int:
        if self.began_ms is None:
            # The windows that are kept end with the one that is being looked at.
            now_ms = (self.now_ns - 1_000_000_000) / 1e6
            self.began_ms = now_ms - 1000 * len(self.stage.open_sound()) / RATE
        self.busy, self.answer_at_ns = False, None
        self._stopped_at = self._played
        return self.turns.mint()

    def _release(self, turn: int) -> None:
        if self.answer_ms is not None:
            ended_ns = self.stage.last_speech_ns
            self.busy, self.answer_at_ns = True, max(self.now_ns, ended_ns + int(self.answer_ms * 1e6))
            self._is_heard = False

    def _duck(self, on: bool) -> None:
        self._gain = DUCK if on else 1.0

    def _play(self, count: int) -> None:
        piece = np.zeros(count, np.float32)
        if self._stopped_at is None:
            left = self.own[self._played : self._played + count]
            piece[: len(left)] = left
            if self.busy and len(self.own) and self._played >= len(self.own):
                self.busy = False
        self._speaker = np.concatenate([self._speaker, piece * np.float32(self._gain)])[-RATE * 2 :]
        self._played += count
        self._new = piece * np.float32(self._gain)

    def _take_played(self) -> tuple[Samples, int, int]:
        return self._new, RATE, self.now_ns + int(self.output_latency_ms * 1e6)

    def _echo(self, count: int) -> Samples:
        """What of the loudspeaker reaches the microphone now: the room's response, after the output's latency."""
        assert self.echo is not None
        late = int(self.output_latency_ms * RATE / 1000)
        need = count + len(self.echo) - 1 + late
        sound = self._speaker[-need:]
        sound = np.pad(sound, (need - len(sound), 0))[: need - late]
        if not sound.any():
            return np.zeros(count, np.float32)
        size = len(sound)
        spectrum = np.fft.rfft(sound) * np.fft.rfft(self.echo, size)
        return np.fft.irfft(spectrum, size)[len(self.echo) - 1 :].astype(np.float32)

    def _collect(self) -> None:
        while len(self.outbox):
            utterance = self.outbox.get()
            assert utterance is not None
            self.utterances.append(utterance)
            if not (utterance.partial or utterance.speculative) or not len(utterance.samples):
                continue
            text = self.ears.transcriber.transcribe(utterance.samples)
            due_ns = self.now_ns + int(self.decode_ms * 1e6)
            partial = utterance.partial

            def tell(u: Utterance = utterance, text: str = text, partial: bool = partial) -> None:
                if partial:
                    self.guesses.decoded_partial(u.turn, u.revision, text)
                else:
                    self.guesses.decoded(u.turn, u.revision, text, is_settled=u.part == 0)

            self._pending.append((due_ns, tell))

    def _deliver(self) -> None:
        due = [tell for due_ns, tell in self._pending if due_ns <= self.now_ns]
        self._pending = [(due_ns, tell) for due_ns, tell in self._pending if due_ns > self.now_ns]
        for tell in due:
            tell()


def load_ears(models: Callable[[str], Path]) -> Ears:
    """The ears that come with the app."""
    from app.backends.stt_faster_whisper import FasterWhisperTranscriber
    from app.backends.turn_smart import SmartTurnDetector
    from app.backends.vad_silero import SileroDetector

    turn = SmartTurnDetector(next(models("smart-turn-v3").glob("*.onnx")))
    turn.load()
    whisper = FasterWhisperTranscriber(models("whisper-tiny-en"))
    whisper.load()
    return Ears(SileroDetector(), turn, whisper)


def joined(pieces: Sequence[Samples], pause_ms: float = 300.0) -> Samples:
    """Pieces with pauses between them."""
    gap = np.zeros(int(pause_ms * RATE / 1000), np.float32)
    return np.concatenate([part for piece in pieces for part in (piece, gap)])
