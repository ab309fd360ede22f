"""Recordings through PyAV: an encoder whose packets go to as many files as want them, and files that survive a crash.

MP4 is written in fragments of half a second, WebM in clusters of that length, each flushed at once: what a killed
recording has written plays. An MP4 that is closed becomes an ordinary one (`hybrid_fragmented`).
"""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.codec.context import Flags

from animator.messages import Pixels, Samples
from app.canvas import Picture, i420
from app.errors import AppError
from app.media_note import NOTE
from app.messages import Encoded
from app.policy.sound_line import LINE_RATE

_log = logging.getLogger(__name__)

FRAGMENT_S = 0.5
KEY_EVERY_S = 1.0
"""A replay begins with a key picture, so it is longer than asked for by at most this."""
H264 = {"preset": "superfast", "crf": "20", "bf": "0", "rc-lookahead": "0", "threads": "1"}
"""No picture waits for later ones: they would be lost in a crash, and held in memory."""
VP9 = {
    "deadline": "realtime",
    "cpu-used": "8",
    "lag-in-frames": "0",
    "auto-alt-ref": "0",
    "row-mt": "1",
    "threads": "2",
    "crf": "24",
}
VP9_BITS_PER_PIXEL = 0.12
"""At most, on average: 3.3 Mbit/s at 720p and 30 fps."""
AAC_BITS, OPUS_BITS = 160_000, 96_000
_BT709 = 1
_LIMITED = 1


class AvEncoder:
    """Encodes one picture and one sound track. Used by one thread at a time."""

    def __init__(self, format: Literal["mp4", "webm"], width_px: int, height_px: int, fps: float) -> None:
        """Width and height are multiples of 4. Raises AppError where an encoder is missing or refuses."""
        self.format = format
        self.has_alpha = format == "webm"
        self._sound_samples = 0
        rate = Fraction(fps).limit_denominator(1001)
        try:
            # A container of its own gives encoders whose parameters files can be made from; nothing is written.
            self._encoders = av.open("encoders", "w", format="null")
            video = self._encoders.add_stream(
                "libvpx-vp9" if self.has_alpha else "libx264", rate=rate, options=VP9 if self.has_alpha else H264
            )
            video.width, video.height = width_px, height_px
            video.pix_fmt = "yuva420p" if self.has_alpha else "yuv420p"
            context = video.codec_context
            context.time_base = 1 / rate
            context.gop_size = max(1, round(float(rate) * KEY_EVERY_S))
            context.flags |= int(Flags.global_header)
            # The matrix is said in the file and used in the conversion: players then show our colours, not their guess.
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = _LIMITED
            if self.has_alpha:
                context.bit_rate = round(VP9_BITS_PER_PIXEL * width_px * height_px * float(rate))
            audio = self._encoders.add_stream("libopus" if self.has_alpha else "aac", rate=LINE_RATE, layout="mono")
            audio.codec_context.bit_rate = OPUS_BITS if self.has_alpha else AAC_BITS
            audio.codec_context.flags |= int(Flags.global_header)
            self._encoders.start_encoding()
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise AppError(
                f"The encoder of {format} recordings cannot be started: {error}.",
                "Choose the other format, or reinstall the package av: pip install --force-reinstall av",
            ) from error
        self._video, self._audio = video, audio

    def picture(self, pixels: Picture | Pixels, index: int, *, key: bool = False) -> list[Encoded]:
        """Add the picture that is shown from `index` / fps s on: RGB, or RGBA with straight alpha for "webm".

        `index` grows; where numbers are left out, the picture before is shown for longer. `key`: nothing before it
        will be needed.
        """
        if self.has_alpha:
            whole = av.VideoFrame.from_ndarray(pixels, format="rgba")
            converted = whole.reformat(format="yuva420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        else:  # our own conversion takes half the time
            converted = av.VideoFrame.from_ndarray(i420(pixels), format="yuv420p")
        converted.pts = index
        converted.time_base = self._video.codec_context.time_base
        converted.pict_type = av.video.frame.PictureType.I if key else av.video.frame.PictureType.NONE
        return [self._packet("picture", packet) for packet in self._video.encode(converted)]

    def sound(self, samples: Samples) -> list[Encoded]:
        """Add sound after what is there: mono float32 at LINE_RATE."""
        if len(samples) == 0:
            return []
        block = av.AudioFrame.from_ndarray(
            np.clip(samples, -1.0, 1.0)[None, :], format="flt" if self.has_alpha else "fltp", layout="mono"
        )
        block.sample_rate = LINE_RATE
        block.pts = self._sound_samples
        block.time_base = Fraction(1, LINE_RATE)
        self._sound_samples += len(samples)
        return [self._packet("sound", packet) for packet in self._audio.encode(block)]

    def finish(self) -> list[Encoded]:
        """The last packets; nothing can be added any more."""
        pictures = [self._packet("picture", packet) for packet in self._video.encode(None)]
        return pictures + [self._packet("sound", packet) for packet in self._audio.encode(None)]

    def file(self, path: Path) -> AvFile:
        """A new file for this encoder's packets. Raises AppError where it cannot be written."""
        return AvFile(path, self.format, self._video, self._audio)

    def _packet(self, kind: Literal["picture", "sound"], packet: Any) -> Encoded:
        alpha = None
        if packet.has_sidedata("matroska_block_additional"):
            alpha = packet.get_sidedata("matroska_block_additional")
        pts = packet.pts
        return Encoded(
            kind,
            bytes(packet),
            pts,
            packet.dts if packet.dts is not None else pts,
            packet.duration or 0,
            Fraction(packet.time_base),
            kind == "sound" or packet.is_keyframe,
            alpha,
        )


class AvFile:
    """One recording on disk, beginning with the first key picture that is written. Used by one thread at a time."""

    def __init__(self, path: Path, format: Literal["mp4", "webm"], video: Any, audio: Any) -> None:
        self.path = path
        self._begin: Fraction | None = None
        self._end = Fraction(0)
        options = {"flush_packets": "1"}
        if format == "mp4":
            options["movflags"] = "frag_keyframe+empty_moov+default_base_moof+hybrid_fragmented"
            options["frag_duration"] = str(round(FRAGMENT_S * 1e6))
        else:
            options["cluster_time_limit"] = str(round(FRAGMENT_S * 1e3))
        try:
            path.open("ab").close()  # PyAV opens it only at the first packet, far too late to be told
            self._file = av.open(str(path), "w", format=format, container_options=options)
            self._file.metadata["comment"] = NOTE
            self._video = self._file.add_stream_from_template(video)
            self._audio = self._file.add_stream_from_template(audio)
        except OSError as error:
            raise _trouble(path, error) from error
        if format == "webm":
            self._video.metadata["alpha_mode"] = "1"

    @property
    def duration_s(self) -> float:
        """How long it plays so far."""
        return float(self._end - self._begin) if self._begin is not None else 0.0

    def write(self, packets: Iterable[Encoded]) -> None:
        """Add packets. Raises AppError on a full disk, or where the folder has gone; then nothing can be added."""
        for packet in packets:
            if self._begin is None:
                if packet.kind == "sound" or not packet.is_key:
                    continue
                self._begin = packet.at
            if packet.kind == "sound" and packet.at < self._begin:
                continue
            self._end = max(self._end, packet.at + packet.duration * packet.time_base)
            self._mux(packet)

    def _mux(self, packet: Encoded) -> None:
        assert self._begin is not None
        out = av.Packet(packet.data)
        shift = round(self._begin / packet.time_base)
        out.pts, out.dts, out.duration = packet.pts - shift, packet.dts - shift, packet.duration
        out.time_base = packet.time_base
        out.is_keyframe = packet.is_key
        out.stream = self._audio if packet.kind == "sound" else self._video
        if packet.alpha is not None:
            out.set_sidedata(packet.alpha)
        try:
            self._file.mux(out)
        except (OSError, av.error.FFmpegError) as error:
            raise _trouble(self.path, error) from error

    def close(self) -> None:
        """Finish the file. Raises AppError where that cannot be; what was written before still plays."""
        try:
            self._file.close()
        except (OSError, av.error.FFmpegError) as error:
            raise _trouble(self.path, error) from error

    def abandon(self) -> None:
        """Let go of a file that could not be written; never raises."""
        with contextlib.suppress(OSError, av.error.FFmpegError, ValueError):
            self._file.close()
        with contextlib.suppress(OSError):
            if self.path.is_file() and self.path.stat().st_size == 0:
                self.path.unlink()


def _trouble(path: Path, error: Exception) -> AppError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return AppError(f"There is no room left for {path}.", "Free some disk space, or choose another folder.")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return AppError(f"{path} cannot be written: {reason}.", "Choose another folder for recordings on the page Output.")
