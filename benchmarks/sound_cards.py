"""PortAudio without a sound card: devices that a script plugs in and pulls out, with the habits of real ones.

It stands in for the module sounddevice, so the app's own code for microphones and loudspeakers runs over it. Habits:

- the list of devices is as old as PortAudio's start: what is plugged in later is not on it, and a device that is gone
  still is, but cannot be opened;
- a stream whose device is pulled out goes on being "active" and never calls back again, and nothing is raised;
- callbacks come from threads of their own, in blocks, with times by the driver's clock;
- starting PortAudio anew ends every open stream.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

RATE_HZ = 48_000
BLOCK_S = 0.02
NOISE = 0.0005
"""Of a quiet room: about -66 dBFS."""


class PortAudioError(Exception):
    """As sounddevice raises it."""


@dataclass(eq=False)
class Card:
    """A device; `sound` is what its microphone hears, mono at RATE_HZ, in pieces of any length."""

    name: str
    inputs: int
    outputs: int
    sound: deque[npt.NDArray[np.float32]] = field(default_factory=deque)
    is_in: bool = True
    """Whether it is plugged in."""


class Stream:
    """An open stream, in or out."""

    def __init__(self, card: Card, options: dict[str, Any], fill: Callable[[Any], None]) -> None:
        self._card = card
        self._options = options
        self._fill = fill
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.latency = 0.06
        self.active = False

    def start(self) -> None:
        """Begin to call back."""
        self.active = True
        self._thread = threading.Thread(target=self._run, name="sound-card", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Call back no more; returns once the last call is over."""
        self.active = False
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2.0)

    def _run(self) -> None:
        frames = round(RATE_HZ * BLOCK_S)
        block = np.zeros((frames, int(self._options["channels"])), np.float32)
        status = SimpleNamespace(input_overflow=False, output_underflow=False)
        due_s = time.perf_counter()
        while not self._ended.wait(max(0.0, due_s - time.perf_counter())):
            due_s += BLOCK_S
            if not self._card.is_in:
                continue
            self._fill(block)
            now_s = time.perf_counter()
            at = SimpleNamespace(
                currentTime=now_s, inputBufferAdcTime=now_s - BLOCK_S, outputBufferDacTime=now_s + self.latency
            )
            self._options["callback"](block, frames, at, status)


class SoundCards:
    """What `import sounddevice` gives while it is in place of that module."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.default = SimpleNamespace(hostapi=0)
        self._listed: list[Card] = []
        self._open: list[Stream] = []
        self._chance = np.random.default_rng(6)

    def plug_in(self, name: str, *, inputs: int = 0, outputs: int = 0) -> Card:
        """Another device; PortAudio knows of it from its next start on."""
        card = Card(name, inputs, outputs)
        self.cards.append(card)
        return card

    def pull_out(self, card: Card) -> None:
        """The device is gone; streams on it fall silent and do not say so."""
        card.is_in = False
        self.cards.remove(card)

    def put_back(self, card: Card) -> Card:
        """The same device at its socket again: to the system it is a new one."""
        return self.plug_in(card.name, inputs=card.inputs, outputs=card.outputs)

    # What the app calls.

    def _initialize(self) -> None:
        self._listed = list(self.cards)

    def _terminate(self) -> None:
        for stream in self._open:
            stream.close()
        self._open.clear()

    def query_devices(self, device: object = None, kind: str = "") -> Any:
        """The list, or one of it."""
        told = [self._told(card) for card in self._listed]
        return told if not kind else self._told(self._found(device, kind))

    def InputStream(self, **options: Any) -> Stream:
        """A microphone."""
        card = self._found(options.get("device"), "input")

        def fill(block: Any) -> None:
            mono = self._chance.normal(0.0, NOISE, len(block)).astype(np.float32)
            if card.sound:
                piece = card.sound.popleft()
                mono[: len(piece)] += piece[: len(mono)]
                if len(piece) > len(mono):
                    card.sound.appendleft(piece[len(mono) :])
            block[:] = mono[:, None]

        return self._stream(card, options, fill)

    def OutputStream(self, **options: Any) -> Stream:
        """A loudspeaker that nobody hears."""
        return self._stream(self._found(options.get("device"), "output"), options, lambda block: None)

    def _stream(self, card: Card, options: dict[str, Any], fill: Callable[[Any], None]) -> Stream:
        if not card.is_in:
            raise PortAudioError("Error opening stream: Device unavailable [PaErrorCode -9985]")
        self._open = [stream for stream in self._open if stream.active]
        self._open.append(Stream(card, options, fill))
        return self._open[-1]

    def _found(self, device: object, kind: str) -> Card:
        if isinstance(device, int):
            return self._listed[device]
        able = [card for card in self._listed if (card.inputs if kind == "input" else card.outputs)]
        if not able:
            raise PortAudioError("Error querying device -1")
        return able[0]

    def _told(self, card: Card) -> dict[str, Any]:
        return {
            "name": card.name,
            "hostapi": 0,
            "max_input_channels": card.inputs,
            "max_output_channels": card.outputs,
            "default_samplerate": float(RATE_HZ),
            "default_low_input_latency": 0.01,
            "default_low_output_latency": 0.01,
        }
