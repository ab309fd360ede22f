"""The wire between the app and the animator process: one JSON line, then as many bytes as it announces.

No pickles cross it. Both ends read with limits, so a damaged stream is an error and never an endless wait
for memory.
"""

from __future__ import annotations

import json
from typing import IO, Any

import numpy as np

from animator.messages import Phone, PlayoutAnchor, SpeechClip

MAX_HEADER_BYTES = 4 << 20
MAX_PAYLOAD_BYTES = 256 << 20

Header = dict[str, Any]


class BorderError(OSError):
    """The other side sent something that is not a message."""


def write_message(stream: IO[bytes], header: Header, payload: bytes = b"") -> None:
    """Send one message and flush. Callers on several threads hold a lock around it."""
    line = json.dumps({**header, "bytes": len(payload)}, separators=(",", ":")).encode() + b"\n"
    stream.write(line + payload if payload else line)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[Header, bytes] | None:
    """Read one message; None at the end of the stream. Raises BorderError on anything else that is not a message."""
    line = stream.readline(MAX_HEADER_BYTES)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise BorderError(f"a message header broke off after {len(line)} bytes")
    try:
        header = json.loads(line)
        size = int(header["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise BorderError(
            f"expected a JSON header with a byte count, got {len(line)} bytes of something else"
        ) from error
    if not 0 <= size <= MAX_PAYLOAD_BYTES:
        raise BorderError(f"a message announced {size} bytes; at most {MAX_PAYLOAD_BYTES} are taken")
    payload = stream.read(size) if size else b""
    if len(payload) != size:
        raise BorderError(f"a message announced {size} bytes and brought {len(payload)}")
    return header, payload


def clip_message(clip: SpeechClip) -> tuple[Header, bytes]:
    """A clip as header and flat float32 bytes."""
    header: Header = {
        "type": "clip",
        "turn": clip.turn,
        "index": clip.index,
        "sample_rate": clip.sample_rate,
        "text": clip.text,
        "last": clip.last,
        "phones": None if clip.phones is None else [[p.ipa, p.start_s, p.end_s] for p in clip.phones],
    }
    return header, np.ascontiguousarray(clip.samples, dtype="<f4").tobytes()


def clip_of(header: Header, payload: bytes) -> SpeechClip:
    """The clip that `clip_message` sent."""
    phones = header["phones"]
    return SpeechClip(
        turn=int(header["turn"]),
        index=int(header["index"]),
        samples=np.frombuffer(payload, dtype="<f4").astype(np.float32),
        sample_rate=int(header["sample_rate"]),
        text=str(header["text"]),
        phones=None if phones is None else tuple(Phone(str(i), float(a), float(b)) for i, a, b in phones),
        last=bool(header["last"]),
    )


def anchor_message(anchor: PlayoutAnchor) -> Header:
    """An anchor as header."""
    return {
        "type": "anchor",
        "turn": anchor.turn,
        "index": anchor.index,
        "sample": anchor.sample,
        "sample_rate": anchor.sample_rate,
        "host_ns": anchor.host_ns,
    }


def anchor_of(header: Header) -> PlayoutAnchor:
    """The anchor that `anchor_message` sent."""
    return PlayoutAnchor(*(int(header[key]) for key in ("turn", "index", "sample", "sample_rate", "host_ns")))
