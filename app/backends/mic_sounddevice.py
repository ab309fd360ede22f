"""The computer's microphone through PortAudio."""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
import soxr

from animator.timebase import Clock
from app.backends.portaudio import STREAMS, Registry, Ring, chosen, device_error, import_sounddevice
from app.errors import AppError
from app.messages import HEARING_RATE, AudioBlock

_log = logging.getLogger(__name__)

BLOCK_MS = 20
RING_S = 4.0
LOST_AFTER_S = 2.0
"""A device that is silent for this long, without even noise, was unplugged: drivers often do not say so."""


class SoundDeviceMicrophone:
    """Records at the device's own rate and hands out 16 kHz mono.

    `device` is a name, part of one, an index, or None for the system's default. The callback copies into a ring and
    does nothing else; mixing and resampling happen in `read`, on the capture thread.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        clock: Clock | None = None,
        sounddevice: Any = None,
        streams: Registry = STREAMS,
    ) -> None:
        self.name = "microphone"
        self._device = device if device != "" else None
        self._sounddevice = sounddevice
        self._clock = clock
        self._streams = streams
        self._stream: Any = None
        self._using = threading.Lock()
        """Held while the stream is opened, closed or paused."""
        self._is_paused = False
        self._ring = Ring(1)
        self._resample: Any = None
        self._rate = HEARING_RATE
        self._first_sample = 0
        self._quiet_s = 0.0
        self._tick = threading.Event()
        self._end_ns = 0
        """Host time of the newest sample in the ring, by the driver's clock. Written by the callback."""
        self.overflows = 0

    def open(self) -> None:
        """Start recording; raises AppError with a remedy where there is no such device."""
        sd = self._sounddevice or import_sounddevice()
        try:
            try:
                self._open(sd)
            except Exception:
                if not self._streams.look_again(sd, ("input", self._device)):
                    raise
                self._open(sd)
        except AppError:
            raise
        except Exception as error:  # PortAudioError, ValueError for unknown names, and whatever a driver raises
            self.close()
            raise device_error("microphone", self._device, error) from error
        self._streams.opened(self, ("input", self._device))

    def _open(self, sd: Any) -> None:
        with self._using:
            device = chosen(sd, self._device, "input")
            info = sd.query_devices(device, "input")
            self._rate = int(info["default_samplerate"])
            self._ring = Ring(int(RING_S * self._rate))
            self._resample = soxr.ResampleStream(self._rate, HEARING_RATE, 1, dtype="float32", quality="MQ")
            self._stream = sd.InputStream(
                samplerate=self._rate,
                device=device,
                # Both sides of a stereo microphone: some devices have silence on one of them.
                channels=max(1, min(2, int(info["max_input_channels"]))),
                dtype="float32",
                blocksize=self._rate * BLOCK_MS // 1000,
                latency="low",
                callback=self._callback,
            )
            self._stream.start()
            self.name = str(info["name"])
            self._quiet_s = 0.0

    def may_pause(self) -> bool:
        """A moment without hearing is a moment."""
        return True

    def pause(self) -> None:
        """Let go of the device for a moment."""
        self._is_paused = True
        with self._using:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()

    def go_on(self) -> None:
        """Listen again; a device that is gone is noticed by the next `read`."""
        try:
            self._open(self._sounddevice or import_sounddevice())
        except Exception as error:
            _log.info("the microphone did not come back: %s", type(error).__name__)
        self._is_paused = False

    def read(self, timeout_s: float) -> AudioBlock | None:
        """What has come since the last call, at least one block. Raises AppError where the device was lost."""
        need = self._rate * BLOCK_MS // 1000
        waited_s = 0.0
        while len(self._ring) < need:
            stream = self._stream
            if not self._is_paused and (stream is None or not stream.active):
                raise self._lost()
            if waited_s >= timeout_s:
                self._quiet_s += waited_s
                if self._quiet_s >= LOST_AFTER_S:
                    raise self._lost()
                return None
            # The callback must not signal (that takes a lock), so the reader looks again.
            self._tick.wait(0.01)
            waited_s += 0.01
        self._quiet_s = 0.0
        end_ns = self._end_ns
        samples = np.nan_to_num(self._resample.resample_chunk(self._ring.read())).clip(-1.0, 1.0)
        block = AudioBlock(samples, self._first_sample, heard_ns=end_ns)
        self._first_sample += len(samples)
        return block

    def close(self) -> None:
        """Stop and release the device; safe to call twice."""
        self._streams.closed(self)
        with self._using:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()

    def _lost(self) -> AppError:
        return AppError(
            f"The microphone {self.name!r} was lost.", "Plug it in again; it is taken up within a few seconds."
        )

    def _callback(self, indata: Any, frames: int, time: Any, status: Any) -> None:
        if status.input_overflow:
            self.overflows += 1
        if self._clock is not None:
            # When the block's last sample was in the air, not when this code got its turn.
            ago_s = time.currentTime - time.inputBufferAdcTime
            block_ns = frames * 1_000_000_000 // self._rate
            ago_ns = int(ago_s * 1e9) if 0.0 < ago_s < 1.0 else block_ns
            self._end_ns = self._clock.now_ns() - ago_ns + block_ns
        self._ring.write(indata[:, 0] if indata.shape[1] == 1 else indata.mean(axis=1))
