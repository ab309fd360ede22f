"""The sound of a media file that libsndfile does not read (M4A, WebM, MP4, WMA, …), decoded by FFmpeg as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,ogg,aac,asf,caf,amr,avi,mpegts,ac3,eac3,wv,ape,mpc8,tta"
"""What FFmpeg may take a file for. Playlists are not among them: they name other files, and addresses."""


class MediaError(Exception):
    """There is no sound that could be read, or it breaks off."""


class MediaFile:
    """As much of `soundfile.SoundFile` as `AudioFile` uses: mono, at the file's own rate.

    `frames` is what the file says of its length, 1 where it says nothing. Raises MediaError.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._container: Any = av.open(
                str(path), options={"protocol_whitelist": "file", "format_whitelist": FORMATS}, metadata_errors="ignore"
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(type(error).__name__) from error
        if not self._container.streams.audio:
            self._container.close()
            raise MediaError("no sound")
        stream = self._container.streams.audio[0]
        self.samplerate = int(stream.rate or 0)
        if self.samplerate <= 0:
            self._container.close()
            raise MediaError("no sample rate")
        length = self._container.duration  # in microseconds, where the file says
        self.frames = round(length / 1e6 * self.samplerate) if length and length > 0 else 1
        self._waiting: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._blocks = self._decode(stream)

    def read(self, frames: int, dtype: str = "float32", always_2d: bool = True) -> npt.NDArray[np.float32]:
        """The next `frames` samples, fewer at the end: float32, shape (n, 1). Raises MediaError."""
        while len(self._waiting) < frames:
            block = next(self._blocks, None)
            if block is None:
                break
            self._waiting = np.concatenate([self._waiting, block])
        read, self._waiting = self._waiting[:frames], self._waiting[frames:]
        return read[:, None]

    def close(self) -> None:
        """Release the file; safe to call twice."""
        self._container.close()

    def _decode(self, stream: Any) -> Iterator[npt.NDArray[np.float32]]:
        # Its own mix of two channels would be 3 dB louder than their mean.
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=self.samplerate)
        try:
            for frame in self._container.decode(stream):
                for planes in resampler.resample(frame):
                    yield planes.to_ndarray().mean(axis=0, dtype=np.float32)
            for planes in resampler.resample(None):
                yield planes.to_ndarray().mean(axis=0, dtype=np.float32)
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(type(error).__name__) from error
