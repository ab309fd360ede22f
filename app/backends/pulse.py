"""The sound server of Linux (PulseAudio, or PipeWire in its place): its sinks by name, and a cable of the app's own.

PortAudio knows the server as one device. A sink is chosen by the variables that the server's own libraries read when a
stream is opened (PULSE_SINK; PIPEWIRE_NODE for PipeWire's ALSA plugin).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.errors import AppError
from app.policy.cables import OWN_NAME

ANSWER_S = 4.0
OWN_SINK = "kuchipaku"
_MARK = "kuchipaku.made"
"""Property of the sink that this app made, maybe before it was killed."""
_VARIABLES = ("PULSE_SINK", "PIPEWIRE_NODE")
THROUGH = ("pulse", "pipewire", "default")
"""PortAudio's names for the server, best first."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where the server plays: `description` is what people read, `module` what it goes with."""

    name: str
    description: str
    is_null: bool
    module: str
    is_own: bool
    rate_hz: int


def sinks() -> tuple[Sink, ...]:
    """What the server offers now; nothing where there is no server or no `pactl`. Takes some 10 ms; never raises."""
    try:
        listed: list[dict[str, Any]] = json.loads(_pactl("--format=json", "list", "sinks") or "[]")
        return tuple(_sink(each) for each in listed)
    except (AppError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def _sink(listed: dict[str, Any]) -> Sink:
    properties = listed.get("properties") or {}
    is_null = "null-sink" in str(listed.get("driver", "")) or "null-audio-sink" in str(properties.get("factory.name"))
    return Sink(
        str(listed["name"]),
        " ".join(str(listed.get("description") or listed["name"]).split()),
        is_null,
        str(listed.get("owner_module", "")),
        _MARK in properties or str(listed["name"]) == OWN_SINK,
        int(str(listed["sample_specification"]).split()[-1].removesuffix("Hz")),
    )


def sink_called(name: str) -> Sink | None:
    """The sink whose description or name is, or has in it, `name`."""
    wanted = " ".join(name.split()).casefold()
    found = [sink for sink in sinks() if wanted in sink.description.casefold() or wanted in sink.name.casefold()]
    exact = [sink for sink in found if wanted in (sink.description.casefold(), sink.name.casefold())]
    return next(iter(exact or found), None)


@contextmanager
def routed_to(sink: Sink) -> Iterator[None]:
    """Streams that are opened meanwhile play into `sink`. One at a time: it is the process's environment."""
    before = {variable: os.environ.get(variable) for variable in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, sink.name))
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def make_cable() -> None:
    """Have a null sink called Kuchipaku: whatever plays into it can be recorded from its monitor.

    One that is left from before is taken as it is. Raises AppError where that cannot be.
    """
    if any(sink.name == OWN_SINK for sink in sinks()):
        return
    properties = f'sink_properties="device.description={OWN_NAME} {_MARK}=1"'
    _pactl("load-module", "module-null-sink", f"sink_name={OWN_SINK}", "rate=48000", "channels=2", properties)
    if not any(sink.name == OWN_SINK for sink in sinks()):
        raise AppError("The sound server did not make the cable.", "Look into its log, or make one by pactl yourself.")


def remove_cable() -> None:
    """Take the app's own cable away, where it is there. Raises AppError where the server refuses."""
    for sink in sinks():
        if sink.name == OWN_SINK and sink.is_own and sink.module:
            _pactl("unload-module", sink.module)


def _pactl(*arguments: str) -> str:
    if not sys.platform.startswith("linux") or shutil.which("pactl") is None:
        raise AppError(
            "The sound server cannot be asked: pactl is not installed.",
            "Debian/Ubuntu: sudo apt install pulseaudio-utils. It works with PulseAudio and with PipeWire.",
        )
    try:
        done = subprocess.run(
            ["pactl", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=ANSWER_S,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AppError(
            f"The sound server did not answer within {ANSWER_S:.0f} s.", "Start PulseAudio or PipeWire again."
        ) from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise AppError(
            f"The sound server refused: {lines[-1] if lines else 'no reason was given'}.",
            "Look whether PulseAudio or PipeWire runs (pactl info), then try again.",
        )
    return done.stdout
