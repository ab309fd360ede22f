"""An MP4 from frames and samples: H.264 and AAC, constant frame rate, picture and sound on one time line."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soxr

from animator.messages import Pixels, Samples
from app.canvas import Canvas
from app.errors import AppError
from app.media_note import NOTE

AUDIO_RATE = 48_000
"""Hz; what streaming sites and players expect."""
AAC_BLOCK = 1024


class VideoFile:
    """Writes one film. Not thread-safe. The file appears under its name only when `close` has finished it."""

    def __init__(self, path: Path, fps: int = 30, width_px: int = 1280, height_px: int = 720) -> None:
        self._path = path
        self._part = path.with_name(f".{path.stem}.part.mp4")
        self._canvas = Canvas(width_px, height_px)
        self._frames = 0
        self._fps = fps
        self._samples_at_rate: list[Samples] = []
        self._sound_samples = 0
        self._closed = False
        if path.suffix.lower() != ".mp4":
            raise AppError(
                f"Films are written as MP4, and {path.name} does not end in .mp4.", "Choose a name that does."
            )
        try:
            self._part.open("wb").close()  # PyAV opens it only at the first packet, far too late to be told
            self._file = av.open(str(self._part), "w", options={"movflags": "+faststart"})
        except OSError as error:
            raise AppError(f"{path} cannot be written: {error.strerror or error}.", "Choose another --out.") from error
        self._file.metadata["comment"] = NOTE
        self._video = self._file.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "18"})
        self._video.width, self._video.height, self._video.pix_fmt = width_px, height_px, "yuv420p"
        self._video.time_base = Fraction(1, fps)
        context = self._video.codec_context
        # The matrix is said in the file and used in the conversion: players then show our colours, not their guess.
        context.colorspace = context.color_primaries = context.color_trc = 1  # ITU-R BT.709
        context.color_range = 1  # limited
        self._audio = self._file.add_stream("aac", rate=AUDIO_RATE, layout="mono")
        self._audio.codec_context.bit_rate = 128_000

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._frames

    @property
    def duration_s(self) -> float:
        """Length of the picture so far in s."""
        return self._frames / self._fps

    @property
    def sound_s(self) -> float:
        """Length of the sound so far in s."""
        return self._sound_samples / AUDIO_RATE

    def frame(self, pixels: Pixels) -> None:
        """Add one frame, 1 / fps s long. Raises AppError on a full disk."""
        picture = av.VideoFrame.from_ndarray(self._canvas.place(pixels), format="rgb24")
        converted = picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        converted.pts = self._frames
        self._frames += 1
        self._mux(self._video.encode(converted))

    def sound(self, samples: Samples, sample_rate: int) -> None:
        """Add sound right after what is there: mono float32 in [-1, 1]."""
        if len(samples) == 0:
            return
        resampled = samples if sample_rate == AUDIO_RATE else soxr.resample(samples, sample_rate, AUDIO_RATE)
        self._samples_at_rate.append(resampled.astype(np.float32))
        self._sound_samples += len(resampled)

    def silence_until(self, time_s: float) -> None:
        """Fill with silence up to `time_s` of the film; sound that is longer already stays."""
        missing = round(time_s * AUDIO_RATE) - self._sound_samples
        if missing > 0:
            self.sound(np.zeros(missing, np.float32), AUDIO_RATE)

    def close(self) -> None:
        """Pad the sound to the picture's length, finish the file and give it its name; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self.silence_until(self.duration_s)
        try:
            self._write_sound()
            self._mux(self._video.encode(None))
            self._file.close()
            os.replace(self._part, self._path)
        except OSError as error:
            self._part.unlink(missing_ok=True)
            raise AppError(
                f"{self._path} could not be finished: {error}.", "Free some disk space and try again."
            ) from error

    def discard(self) -> None:
        """Leave nothing behind; safe after `close`."""
        if not self._closed:
            self._closed = True
            self._file.close()
            self._part.unlink(missing_ok=True)

    def _write_sound(self) -> None:
        samples = np.concatenate(self._samples_at_rate) if self._samples_at_rate else np.zeros(0, np.float32)
        samples = np.clip(samples[: round(self.duration_s * AUDIO_RATE)], -1.0, 1.0)
        for first in range(0, len(samples), AAC_BLOCK):
            block = av.AudioFrame.from_ndarray(samples[None, first : first + AAC_BLOCK], format="fltp", layout="mono")
            block.sample_rate = AUDIO_RATE
            block.pts = first
            block.time_base = Fraction(1, AUDIO_RATE)
            self._mux(self._audio.encode(block))
        self._mux(self._audio.encode(None))

    def _mux(self, packets: list[av.Packet]) -> None:
        try:
            self._file.mux(packets)
        except OSError as error:
            raise AppError(
                f"{self._path} could not be written: {error}.", "Free some disk space and try again."
            ) from error
