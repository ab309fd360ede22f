"""Which microphones, loudspeakers and cameras are there now."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.backends.pulse import sinks
from app.policy.cables import cables_of

LIST_WITHIN_S = 15.0
_LOOPBACKS = Path("/sys/devices/virtual/video4linux")
_CAMERAS = {"win32": ("OBS Virtual Camera", "Unity Video Capture"), "darwin": ("OBS Virtual Camera",)}
"""What pyvirtualcam can open by name where the system lists no virtual cameras."""

# PortAudio takes its list when it is started, and starting it anew ends every open stream: so another process asks.
_ASK = """
import json, sounddevice as sd
print(json.dumps([[d["name"], d["max_input_channels"], d["max_output_channels"]] for d in sd.query_devices()]))
"""


@dataclass(frozen=True, slots=True)
class Devices:
    """Names in the system's order, each once; cameras by their device file where they have one."""

    microphones: tuple[str, ...]
    speakers: tuple[str, ...]
    """Sinks of a sound server too, each by what people read."""
    cameras: tuple[str, ...]
    cables: tuple[str, ...] = ()
    """Those of the speakers that are virtual cables, the app's own first."""


def list_devices() -> Devices:
    """Look at what is plugged in now. Takes some 0.3 s. A system without sound has none; never raises."""
    found = _sound_devices()
    served = sinks()
    descriptions = [sink.description for sink in served]
    called = [s.description if descriptions.count(s.description) == 1 else s.name for s in served]
    speakers = _names([*(name for name, _, outputs in found if outputs > 0), *called])
    null = [name for name, sink in zip(called, served, strict=True) if sink.is_null]
    cables = _names([*cables_of(speakers), *null])
    return Devices(_names(name for name, inputs, _ in found if inputs > 0), speakers, cameras(), cables)


def cameras() -> tuple[str, ...]:
    """The virtual cameras that can be chosen."""
    if (platform := str(sys.platform)).startswith("linux"):
        return tuple(str(device) for device in loopback_devices(_LOOPBACKS))
    return _CAMERAS.get(platform, ())


def loopback_devices(folder: Path) -> list[Path]:
    """The device files of the virtual video devices that the kernel lists in `folder`."""
    return [Path("/dev") / entry.name for entry in sorted(folder.glob("video*"))]


def _sound_devices() -> list[tuple[str, int, int]]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _ASK],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIST_WITHIN_S,
            stdin=subprocess.DEVNULL,
            check=True,
        )
        return [(str(name), int(inputs), int(outputs)) for name, inputs, outputs in json.loads(done.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(name.split()) for name in names if name.strip()))
