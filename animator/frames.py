"""Frames between two processes: a few slots in a memory-mapped file, the latest one wins.

A mapped file and not `multiprocessing.shared_memory`: before Python 3.13 both sides of the latter register the
segment with a resource tracker, and the side that attaches removes it under the owner's feet. The file lies in
/dev/shm where there is one, so no disk is touched.

Each slot carries its frame's number twice (sequence lock): the writer clears it, writes the picture, sets it; a
reader that finds another number after copying than before throws the copy away and takes the newer frame.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
from pathlib import Path

import numpy as np

from animator.messages import Pixels

_MAGIC = b"KPFRAME2"
_HEAD = struct.Struct("<8sIII")  # magic, largest width and height, slots
_LATEST = struct.Struct("<Q")
_LATEST_AT = 24
_SLOT = struct.Struct("<QqQII")  # seq, due_ns, speaking turn + 1 (0 = silent), width, height
_HEAD_BYTES = 64
_SLOT_HEAD_BYTES = 32
SLOTS = 3


def shared_folder() -> Path:
    """Memory-backed where the system has such a folder, else the temporary folder."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


class FrameSlots:
    """One writer, any number of readers. Frames are numbered from 1; each is at most `width_px` x `height_px`."""

    def __init__(self, path: Path, mapped: mmap.mmap, width_px: int, height_px: int) -> None:
        self.path = path
        self.width_px = width_px
        self.height_px = height_px
        self._mapped = mapped
        self._stride = _SLOT_HEAD_BYTES + width_px * height_px * 4

    @classmethod
    def create(cls, path: Path, width_px: int, height_px: int) -> FrameSlots:
        """Make the file, owner-readable only, and map it."""
        size = _HEAD_BYTES + SLOTS * (_SLOT_HEAD_BYTES + width_px * height_px * 4)
        path.touch(mode=0o600, exist_ok=False)
        with path.open("r+b") as file:
            file.truncate(size)
            mapped = mmap.mmap(file.fileno(), size)
        mapped[: _HEAD.size] = _HEAD.pack(_MAGIC, width_px, height_px, SLOTS)
        return cls(path, mapped, width_px, height_px)

    @classmethod
    def attach(cls, path: Path) -> FrameSlots:
        """Map a file that `create` made. Raises ValueError if it is something else."""
        with path.open("r+b") as file:
            mapped = mmap.mmap(file.fileno(), 0)
        magic, width_px, height_px, slots = _HEAD.unpack(mapped[: _HEAD.size])
        expected = _HEAD_BYTES + slots * (_SLOT_HEAD_BYTES + width_px * height_px * 4)
        if magic != _MAGIC or slots != SLOTS or len(mapped) != expected:
            mapped.close()
            raise ValueError(f"{path} holds no frame slots")
        return cls(path, mapped, width_px, height_px)

    def write(self, pixels: Pixels, seq: int, due_ns: int, speaking_turn: int | None = None) -> None:
        """Publish frame `seq`. `pixels` is uint8 (height, width, 4), no larger than the slots."""
        height_px, width_px = pixels.shape[:2]
        if (
            pixels.shape[2:] != (4,)
            or pixels.dtype != np.uint8
            or not (0 < height_px <= self.height_px and 0 < width_px <= self.width_px)
        ):
            expected = (self.height_px, self.width_px, 4)
            raise ValueError(f"a frame must be uint8, at most {expected}, got {pixels.dtype} {pixels.shape}")
        at = _HEAD_BYTES + (seq % SLOTS) * self._stride
        turn = 0 if speaking_turn is None else speaking_turn + 1
        _SLOT.pack_into(self._mapped, at, 0, due_ns, turn, width_px, height_px)
        body = np.frombuffer(self._mapped, np.uint8, pixels.size, at + _SLOT_HEAD_BYTES)
        np.copyto(body.reshape(pixels.shape), pixels)
        _SLOT.pack_into(self._mapped, at, seq, due_ns, turn, width_px, height_px)
        _LATEST.pack_into(self._mapped, _LATEST_AT, seq)

    def latest_seq(self) -> int:
        """Number of the newest frame; 0 before the first."""
        return int(_LATEST.unpack_from(self._mapped, _LATEST_AT)[0])

    def read(self) -> tuple[int, int, int | None, Pixels] | None:
        """The newest frame as (seq, due_ns, speaking turn, pixels copied out); None before the first."""
        for _ in range(8):
            seq = self.latest_seq()
            if seq == 0:
                return None
            at = _HEAD_BYTES + (seq % SLOTS) * self._stride
            before, due_ns, turn, width_px, height_px = _SLOT.unpack_from(self._mapped, at)
            if before != seq or width_px > self.width_px or height_px > self.height_px:
                continue  # it is being written
            size = width_px * height_px * 4
            pixels = np.frombuffer(self._mapped, np.uint8, size, at + _SLOT_HEAD_BYTES).copy()
            after = _SLOT.unpack_from(self._mapped, at)[0]
            if after == seq:
                return seq, due_ns, (turn - 1 if turn else None), pixels.reshape(height_px, width_px, 4)
        return None

    def close(self) -> None:
        """Unmap; the file stays until its creator removes it."""
        self._mapped.close()

    def unlink(self) -> None:
        """Remove the file (creator only)."""
        self.path.unlink(missing_ok=True)
