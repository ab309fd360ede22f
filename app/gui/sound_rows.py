"""What is known of a sound device, below its settings: level, test tone, what became of it, and its clock."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gui.fields import Note, make_button
from app.gui.meter import LevelMeter
from app.gui.studio import Studio
from app.messages import TestSound
from app.policy.cables import OTHER_ENDS, cable_kind


class SoundOutlook(QWidget):
    """Of one part, "headphones" or "stream"."""

    def __init__(self, studio: Studio, part: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._part = part
        self.meter = LevelMeter(studio.theme)
        self.meter.setAccessibleName(self.tr("Level of the voice"))
        self.meter.setToolTip(self.tr("Level of the voice at this device, -60 to 0 dBFS."))
        self.button = make_button(self.tr("Test tone"))
        self.button.clicked.connect(self._test)
        self.note = Note()
        self.hint = Note()
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.meter, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.note)
        column.addWidget(self.hint)
        studio.bridge.sound_status.connect(self._show)
        studio.bridge.tick.connect(self._fall)
        studio.theme_changed.connect(self.meter.set_theme)
        self._show(studio.bridge.sound)

    def _test(self) -> None:
        self._studio.retried.emit(("sound",))
        self._studio.put(TestSound(self._part))

    def _fall(self) -> None:
        if self.meter.isVisible():
            self.meter.fall()

    def _show(self, devices: list[dict[str, Any]]) -> None:
        found = next((device for device in devices if device.get("part") == self._part), None)
        self.button.setEnabled(found is not None and not found["problem"])
        self.meter.set_open(self.button.isEnabled())
        if found is None:
            self.note.say("")
            self.hint.say("")
            return
        if found["problem"]:
            self.note.say(f"{found['problem']} {found['remedy']}".strip(), "problem")
            self.hint.say("")
            return
        self.meter.set_level(float(found["peak_db"]))
        self.note.say(" ".join(self._sentences(found, is_alone=len(devices) == 1)), "dim")
        kind = cable_kind(str(found["device"]))
        if kind is None:
            self.hint.say("")
        else:
            words = self.tr("{device} is a virtual cable. As microphone of OBS, Discord or Zoom choose: {other_end}.")
            self.hint.say(words.format(device=found["device"], other_end=OTHER_ENDS[kind]), "good")

    def _sentences(self, found: dict[str, Any], *, is_alone: bool) -> list[str]:
        words = [self.tr("Plays on {device}.").format(device=found["device"])]
        if not is_alone and found["sets_pace"]:
            words.append(self.tr("Pictures and the other device follow its clock."))
        elif not is_alone:
            words.append(self.tr("{ms} ms after the other device.").format(ms=found["lag_ms"]))
        if found["drift_ppm"] is not None:
            words.append(
                self.tr("Its clock runs {ppm:+d} millionths against the pictures; that is made up for.").format(
                    ppm=int(found["drift_ppm"])
                )
            )
        if found["gaps"]:
            words.append(self.tr("It ran dry {count} times.").format(count=found["gaps"]))
        return words
