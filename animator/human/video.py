"""Videos from anywhere: what a file claims is checked before it is decoded; its frames come upright at 25 a second.

Needs PyAV only; knows nothing of faces. Sound is not looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from animator.files import NotPlain, open_plain
from animator.human.photo import PhotoError

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv")
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_PIXELS = 4096 * 2304
MIN_SIDE_PX = 128
LONGEST_PX = 1920
"""Frames are scaled down to this; a portrait of 512 px needs no more."""
FPS = 25
"""Of the frames that are taken. MuseTalk's."""
MIN_S, LONGEST_S = 1.0, 20.0
"""Shorter ones are refused; of longer ones the beginning is used."""
MOST_FPS = 250
"""No camera of a phone is faster; a file that says so is not decoded without end."""
CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores"})
"""What cameras, phones and browsers write. The other decoders of FFmpeg are not fed with a stranger's bytes."""
_HDR = (16, 18)
"""PQ and HLG among the transfer functions of ITU-T H.273."""
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""What a file of the MP4 family begins with."""
_THREADS = 2
_HASH_BYTES = 1024 * 1024
_DAMAGED = "The video is damaged and cannot be decoded."
_SAVE_ANEW = "Export it again as MP4 (H.264)."

Rgb = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""


class VideoError(PhotoError):
    """A video that cannot be used: `problem` says what is wrong, `remedy` what to change."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the header claims: `duration_s` is None where it does not say (browsers record so)."""

    width_px: int
    height_px: int
    duration_s: float | None


class Clip:
    """An open video that was checked by its header. Used by one thread; each `frames` decodes it anew."""

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        self._stream = stream
        self._kind = kind
        self.facts = self._checked()
        self.is_cut = self.facts.duration_s is not None and self.facts.duration_s > LONGEST_S + 1 / FPS
        """Whether more is there than is used."""
        self.is_turned = False
        """Whether the camera says that it was held otherwise; known after the first frame."""
        self.is_hdr = False
        """Whether its colours are for screens of high dynamic range; known after the first frame."""

    def key(self) -> str:
        """Names the file's content."""
        digest = hashlib.sha256()
        self._stream.seek(0)
        while part := self._stream.read(_HASH_BYTES):
            digest.update(part)
        return digest.hexdigest()[:32]

    @property
    def count(self) -> int:
        """About how many frames there will be."""
        duration_s = self.facts.duration_s
        return round(FPS * (LONGEST_S if duration_s is None else min(duration_s, LONGEST_S)))

    def frames(self) -> Iterator[Rgb]:
        """Its frames at 25 a second, upright, at most LONGEST_PX a side; at most 20 s.

        Raises:
            VideoError: If it cannot be decoded, or its frames are not what the header claims.
        """
        try:
            with self._opened() as container:
                yield from self._resampled(container)
        except VideoError:
            raise
        except Exception as error:  # a decoder fed with a stranger's bytes may raise anything
            raise VideoError(_DAMAGED, _SAVE_ANEW) from error

    def _resampled(self, container: Any) -> Iterator[Rgb]:
        """Of the frames of any rate those that are seen at each 25th of a second."""
        stream = _stream_of(container)
        # The header may lie: the decoder itself refuses what is larger.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        stream.codec_context.thread_count = _THREADS
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or stream.guessed_rate or FPS)
        most = round(FPS * LONGEST_S)
        given = 0
        start_s = at_s = 0.0
        before: Any = None
        shown: Rgb | None = None
        for number, frame in enumerate(container.decode(stream)):
            if number >= MOST_FPS * LONGEST_S:
                break
            time_s = float(frame.time) if frame.time is not None else number / rate
            if before is None:
                start_s = time_s
                self.is_turned = _quarter_turns(frame) != 0
                self.is_hdr = frame.color_trc in _HDR
            at_s = max(at_s, time_s - start_s)
            while before is not None and given / FPS < at_s - 1e-6 and given < most:
                shown = _picture(before) if shown is None else shown
                given += 1
                yield shown
            if given >= most:
                self.is_cut = True
                return
            before, shown = frame, None
        if before is None:
            raise VideoError(_DAMAGED, _SAVE_ANEW)
        if given < most and given / FPS <= at_s + 1e-6:
            yield _picture(before)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        import av  # 0.1 s, and most characters are no video

        self._stream.seek(0)
        # The kind is ours, and the bytes come through a stream: no playlist can name another file or an address.
        with av.open(self._stream, mode="r", format=self._kind) as container:
            yield container

    def _checked(self) -> Facts:
        try:
            with self._opened() as container:
                stream = _stream_of(container)
                context = stream.codec_context
                name = context.codec.canonical_name
                width, height = int(context.width), int(context.height)
                duration_s: float | None = None
                if stream.duration is not None and stream.time_base is not None:
                    duration_s = float(stream.duration * stream.time_base)
                elif container.duration is not None:
                    duration_s = container.duration / 1e6
        except VideoError:
            raise
        except Exception as error:
            raise VideoError(_DAMAGED, _SAVE_ANEW) from error
        if name not in CODECS:
            raise VideoError(f"The video is coded as {name:.20}, which is not read here.", _SAVE_ANEW)
        if min(width, height) < MIN_SIDE_PX:
            raise VideoError(f"The video has only {width}x{height} pixels.", "Record it with 1280x720 or more.")
        if width * height > MAX_PIXELS:
            raise VideoError(
                f"The video has {width}x{height} pixels, more than can be decoded safely.", "Export it as 1920x1080."
            )
        if duration_s is not None and duration_s < MIN_S - 0.5 / FPS:
            raise too_short(duration_s)
        return Facts(width, height, duration_s)


def too_short(duration_s: float) -> VideoError:
    """What is said of a video that ends too soon."""
    return VideoError(
        f"The video is only {max(duration_s, 0.0):.1f} s long.", f"Use one of {MIN_S:g} s to {LONGEST_S:g} s."
    )


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Clip]:
    """The video in `file`, checked.

    Raises:
        VideoError: If it cannot be used; says what to change.
    """
    try:
        stream = open_plain(file)
    except OSError as error:
        raise VideoError(f"The video cannot be opened: {error.strerror}.", "Check that the file is there.") from error
    except NotPlain as error:
        raise VideoError("The video is not a plain file.", "Give a file of its own.") from error
    with stream:
        if os.fstat(stream.fileno()).st_size > MAX_FILE_BYTES:
            raise VideoError(
                f"The video is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.",
                f"Cut it to {LONGEST_S:g} s, or export it as 1920x1080.",
            )
        yield Clip(stream, _kind(stream.read(12)))


def first_frame(file: Path) -> Rgb:
    """The first frame of the video in `file`, for lists.

    Raises:
        VideoError: If it cannot be used; says what to change.
    """
    with opened(file) as clip:
        frames = clip.frames()
        with contextlib.closing(frames):  # type: ignore[type-var]  # a generator
            for frame in frames:
                return frame
    raise VideoError(_DAMAGED, _SAVE_ANEW)


def is_video(file: Path) -> bool:
    """Whether a file is called like a video."""
    return file.suffix.lower() in SUFFIXES


def _kind(begin: bytes) -> str:
    """FFmpeg's name of the format."""
    if begin[4:8] in _BOXES:
        return "mov"
    if begin[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    what = "an empty file" if not begin else "no MP4, MOV, WebM or MKV file"
    raise VideoError(f"The video is {what}.", "Export it as MP4 (H.264).")


def _stream_of(container: Any) -> Any:
    """The first stream of moving pictures: a cover is none."""
    for stream in container.streams.video:
        if "attached_pic" not in str(stream.disposition):
            return stream
    raise VideoError("The file holds no moving picture.", "Use a video of a person who looks into the camera.")


def _quarter_turns(frame: Any) -> int:
    """How often the frame has to be turned to the left by 90 degrees to be upright."""
    turns: int = round(frame.rotation / 90) % 4
    return turns


def _picture(frame: Any) -> Rgb:
    width, height = frame.width, frame.height
    if min(width, height) < MIN_SIDE_PX or width * height > MAX_PIXELS:  # it may change within a file
        raise VideoError(_DAMAGED, _SAVE_ANEW)
    scale = min(1.0, LONGEST_PX / max(width, height))
    size = {"width": max(2, round(width * scale)), "height": max(2, round(height * scale))}
    pixels = frame.to_ndarray(format="rgb24", interpolation="AREA" if scale < 1.0 else "BICUBIC", **size)
    return np.ascontiguousarray(np.rot90(pixels, _quarter_turns(frame)))
