"""The pages of the window. A page of the rail is one line of `PAGES`; its module is imported when it is first shown."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.gui.studio import Page


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One place of the rail: its name, its label (English, translated when shown), its icon, and where its class is."""

    name: str
    label: object
    icon: str
    module: str
    kind: str

    @property
    def title(self) -> str:
        """The label in the language of the window."""
        return QCoreApplication.translate("pages", str(self.label))

    def load(self) -> type[Page]:
        """Import the page's class."""
        found: type[Page] = getattr(importlib.import_module(f"app.gui.pages.{self.module}"), self.kind)
        return found


PAGES: list[PageEntry] = [
    PageEntry("stage", QT_TRANSLATE_NOOP("pages", "Stage"), "stage", "stage_page", "StagePage"),
    PageEntry(
        "characters", QT_TRANSLATE_NOOP("pages", "Characters"), "characters", "characters_page", "CharactersPage"
    ),
    PageEntry("history", QT_TRANSLATE_NOOP("pages", "History"), "history", "history_page", "HistoryPage"),
    PageEntry("hearing", QT_TRANSLATE_NOOP("pages", "Hearing"), "microphone", "hearing_page", "HearingPage"),
    PageEntry("brain", QT_TRANSLATE_NOOP("pages", "Brain"), "brain", "brain_page", "BrainPage"),
    PageEntry("voice", QT_TRANSLATE_NOOP("pages", "Voice"), "voice", "voice_page", "VoicePage"),
    PageEntry("face", QT_TRANSLATE_NOOP("pages", "Face"), "face", "face_page", "FacePage"),
    PageEntry("output", QT_TRANSLATE_NOOP("pages", "Output"), "output", "output_page", "OutputPage"),
    PageEntry("keys", QT_TRANSLATE_NOOP("pages", "Hotkeys"), "keys", "keys_page", "KeysPage"),
    PageEntry("window", QT_TRANSLATE_NOOP("pages", "Window"), "window", "window_page", "WindowPage"),
    PageEntry("log", QT_TRANSLATE_NOOP("pages", "Log"), "log", "log_page", "LogPage"),
]
"""In the order of the rail. The first is shown at the start and made with the window; others when first chosen."""
