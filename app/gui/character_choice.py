"""Who is on stage, in a combo box: it lists all characters, follows the show, and asks for whom the user picks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox

from app.gui.studio import Studio
from app.messages import SwitchCharacter


class CharacterChoice(QObject):
    """Fills `box` with names (and their paths) and keeps it up to date; its parent is the box."""

    def __init__(self, studio: Studio, box: QComboBox) -> None:
        super().__init__(box)
        self._studio = studio
        self._box = box
        self._name, self._path = studio.info.character, ""
        self._fill(studio.bridge.all_characters or studio.info.characters)
        if studio.bridge.now_on_stage is not None:
            self._follow(*studio.bridge.now_on_stage)
        box.activated.connect(self._pick)
        studio.bridge.on_stage.connect(self._follow)
        studio.bridge.character.connect(self._follow_face)
        studio.bridge.characters.connect(self._fill)
        studio.bridge.failed.connect(self._go_back)

    def _pick(self, index: int) -> None:
        self._studio.retried.emit(("avatar", "gate"))
        # The path names nobody else; two may be called alike.
        self._studio.put(SwitchCharacter(str(self._box.itemData(index) or self._box.itemText(index))))

    def _fill(self, found: list[tuple[str, str]]) -> None:
        known = {self._box.itemText(at): self._box.itemData(at) for at in range(self._box.count())}
        self._box.clear()
        for name, path in found:
            self._box.addItem(name, path or known.get(name, ""))
        self._show()

    def _follow(self, name: str, path: str, _expressions: list[str]) -> None:
        """Somebody was chosen, here or elsewhere: marked at once, however long the face takes to be ready."""
        self._name, self._path = name, path
        if self._index() < 0:  # of a folder that is in no list
            self._box.addItem(name, path)
        self._show()

    def _follow_face(self, key: str) -> None:
        if not self._path:  # a show that does not say who was chosen
            self._name = next(
                (self._box.itemText(at) for at in range(self._box.count()) if key.casefold() in self._calls(at)),
                self._name,
            )
            self._show()

    def _go_back(self, stage: str, _problem: str, _remedy: str) -> None:
        if stage in ("avatar", "gate"):
            self._show()

    def _show(self) -> None:
        self._box.setCurrentIndex(self._index())

    def _index(self) -> int:
        places = range(self._box.count())
        by_path = (at for at in places if self._path and self._box.itemData(at) == self._path)
        by_name = (at for at in places if self._name.casefold() in self._calls(at))
        return next(by_path, next(by_name, -1))

    def _calls(self, at: int) -> tuple[str, str]:
        """What the character at this place may be called by: its name, and that of its folder."""
        return self._box.itemText(at).casefold(), Path(self._box.itemData(at) or "").stem.casefold()
