"""Virtual cables by their names: sound devices whose other end is a microphone for other programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

OWN_NAME = "Kuchipaku"
"""Of the cable that the app makes on Linux."""
_KINDS: tuple[tuple[str, str], ...] = (
    (rf"\b{OWN_NAME}\b", "own"),
    (r"\bCABLE(-[A-D])? In(put| 16)|\bVB-?(Audio )?(Virtual )?Cable\b", "vb-cable"),
    (r"\bVoice ?meeter\b", "voicemeeter"),
    (r"\bBlackHole\b", "blackhole"),
    (r"\bSoundflower\b", "soundflower"),
    (r"\bLoopback Audio\b", "loopback"),
    (r"\bNull (Output|Sink)\b", "null-sink"),
)
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _KINDS)

OTHER_ENDS = {
    "own": "Monitor of Kuchipaku",
    "vb-cable": "CABLE Output",
    "voicemeeter": "VoiceMeeter Output (switch the strip to B)",
    "blackhole": "the same BlackHole device",
    "soundflower": "the same Soundflower device",
    "loopback": "the same Loopback device",
    "null-sink": "its monitor",
}
"""What streaming software chooses to hear each kind."""

REMEDIES = {
    "win32": "Install VB-Cable (vb-audio.com/Cable), start the computer again, then choose CABLE Input.",
    "darwin": "Install BlackHole 2ch (existential.audio/blackhole), then choose it.",
    "linux": "Switch on the cable of the app's own in the settings, or name another device.",
}


def cable_kind(name: str) -> str | None:
    """Which kind of virtual cable a device of this name is: a key of OTHER_ENDS; None where it is none."""
    for pattern, kind in _PATTERNS:
        if pattern.search(name):
            return kind
    return None


def cables_of(names: Iterable[str]) -> tuple[str, ...]:
    """The virtual cables among these names, in their order but with the app's own first."""
    found = [name for name in names if cable_kind(name) is not None]
    return tuple(sorted(found, key=lambda name: cable_kind(name) != "own"))
