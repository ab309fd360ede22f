"""The last seconds of a picture and its sound, encoded. Pure."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

from app.messages import Encoded

MOST_BYTES = 256 << 20
"""However long the replay is to be: memory is the show's."""


class ReplayRing:
    """Keeps what is needed to show at least the last `seconds` s, from a key picture on, in bounded memory."""

    def __init__(self, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._packets: deque[Encoded] = deque()
        self._keys: deque[Fraction] = deque()
        self.bytes = 0
        """Held now."""

    def add(self, packet: Encoded) -> None:
        """Take one packet; what is no longer needed goes."""
        is_key = packet.kind == "picture" and packet.is_key
        if not self._keys and not is_key:
            return  # nothing could be shown from here on
        if is_key:
            self._keys.append(packet.at)
        self._packets.append(packet)
        self.bytes += len(packet.data)
        while len(self._keys) > 1 and (packet.at - self._keys[1] >= self._seconds or self.bytes > self._most_bytes):
            self._drop_first()

    def _drop_first(self) -> None:
        self._keys.popleft()
        while self._packets:
            first = self._packets[0]
            if first.kind == "picture" and first.is_key and first.at >= self._keys[0]:
                return
            self._packets.popleft()
            self.bytes -= len(first.data)

    def packets(self) -> list[Encoded]:
        """What is held, oldest first; empty before the first key picture."""
        return list(self._packets)
