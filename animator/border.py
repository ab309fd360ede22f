"""The wire between the app and the animator process: one JSON line, then as many bytes as it announces.

No pickles cross it. Both ends read with limits, so a damaged stream is an error and never an endless wait
for memory.
"""

from __future__ import annotations

import json
import math
import re
from typing import IO, Any

import numpy as np

from animator.messages import Phone, PlayoutAnchor, SpeechClip

MAX_HEADER_BYTES = 4 << 20
MAX_PAYLOAD_BYTES = 256 << 20
SAMPLE_RATES_HZ = (1_000, 384_000)
"""What a clip's rate may be: a rate outside is a damaged header, and would make clips of hours or of nothing."""
MAX_CLIP_S = 600.0
"""The longest clip that is taken. A sentence lasts some seconds; its lips cost memory for each of them."""
MAX_TEXT_CHARS = 100_000
MAX_PHONES = 100_000
MAX_FLASHES = 100
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{0,16}")

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
        "spoken": clip.spoken,
        "language": clip.language,
        "continues": clip.continues,
        "final": clip.final,
        "flashes_s": list(clip.flashes_s),
        "last": clip.last,
        "phones": None if clip.phones is None else [[p.ipa, p.start_s, p.end_s] for p in clip.phones],
    }
    return header, np.ascontiguousarray(clip.samples, dtype="<f4").tobytes()


def clip_of(header: Header, payload: bytes) -> SpeechClip:
    """The clip that `clip_message` sent.

    Raises BorderError for what no clip may be; its message repeats neither text nor phones.
    """
    rate = _whole(header, "sample_rate")
    if not SAMPLE_RATES_HZ[0] <= rate <= SAMPLE_RATES_HZ[1]:
        raise BorderError(f"a clip's sample rate is {rate} Hz; expected {SAMPLE_RATES_HZ[0]} to {SAMPLE_RATES_HZ[1]}")
    if len(payload) % 4 or len(payload) / 4 > MAX_CLIP_S * rate:
        raise BorderError(
            f"a clip brought {len(payload)} bytes at {rate} Hz; expected float32, {MAX_CLIP_S:g} s at most"
        )
    language = _text(header, "language")
    if not _LANGUAGE.fullmatch(language):
        raise BorderError('a clip\'s language is no code such as "en" or "cmn"')
    return SpeechClip(
        turn=_whole(header, "turn"),
        index=_whole(header, "index"),
        samples=np.frombuffer(payload, dtype="<f4").astype(np.float32),
        sample_rate=rate,
        text=_text(header, "text"),
        phones=_phones(header),
        last=_flag(header, "last"),
        language=language,
        spoken=_text(header, "spoken"),
        continues=_flag(header, "continues"),
        final=_flag(header, "final"),
        flashes_s=_flashes(header),
    )


def _whole(header: Header, key: str) -> int:
    value = header.get(key)
    if type(value) is not int:
        raise BorderError(f"a clip's {key} is no whole number")
    return value


def _flag(header: Header, key: str) -> bool:
    value = header.get(key)
    if type(value) is not bool:
        raise BorderError(f"a clip's {key} is neither true nor false")
    return value


def _text(header: Header, key: str) -> str:
    value = header.get(key)
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS:
        raise BorderError(f"a clip's {key} is no text of at most {MAX_TEXT_CHARS} characters")
    return value


def _flashes(header: Header) -> tuple[float, ...]:
    value = header.get("flashes_s")
    if not isinstance(value, list) or len(value) > MAX_FLASHES:
        raise BorderError(f"a clip's flashes are no list of at most {MAX_FLASHES}")
    if not all(type(each) in (int, float) and math.isfinite(each) for each in value):
        raise BorderError("a clip's flashes are no times")
    return tuple(float(each) for each in value)


def _phones(header: Header) -> tuple[Phone, ...] | None:
    phones = header.get("phones")
    if phones is None:
        return None
    if not isinstance(phones, list) or len(phones) > MAX_PHONES:
        raise BorderError(f"a clip's phones are no list of at most {MAX_PHONES}")
    try:
        found = tuple(Phone(str(ipa), float(start_s), float(end_s)) for ipa, start_s, end_s in phones)
    except (TypeError, ValueError):
        raise BorderError("a clip's phones are not triples of IPA, start and end") from None
    if not all(math.isfinite(phone.start_s) and math.isfinite(phone.end_s) for phone in found):
        raise BorderError("a clip's phones have times that are no numbers")
    return found


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
