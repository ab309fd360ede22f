"""How the sound devices are, told to whoever shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from app.bus import Bus
from app.messages import SoundStatus

STAGE = "sound"


class SoundReport:
    """Turns reports of the loudspeaker into facts: `sound status`, and `sound state` where one is lost or back.

    Called on one thread at a time.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._problems: tuple[str, ...] = ()

    def __call__(self, devices: Sequence[SoundStatus]) -> None:
        """Tell how `devices` are."""
        self._bus.emit(STAGE, "status", devices=[dataclasses.asdict(device) for device in devices])
        label = " + ".join(device.device for device in devices if not device.problem)
        broken = [device for device in devices if device.problem]
        problems = tuple(device.problem for device in broken)
        if problems == self._problems:
            return
        for device in broken:
            if device.problem not in self._problems:
                problem, remedy = device.problem, device.remedy
                self._bus.emit(STAGE, "state", state="failed", label=label, problem=problem, remedy=remedy)
        if not broken:
            self._bus.emit(STAGE, "state", state="ready", label=label)
        self._problems = problems
