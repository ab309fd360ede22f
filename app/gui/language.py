"""The window's language: English as it stands in the code, or a translation of `translations/`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parent / "translations"
LANGUAGES = ("ja",)
"""Those that there is a translation for."""


def language_of(wish: str, wanted: list[str] | None = None) -> str:
    """The language that the setting `window.language` asks for: "en" or one of LANGUAGES.

    Args:
        wish: The setting; "auto" goes by the system.
        wanted: What the system asks for, best first, such as "ja-JP"; None asks it.
    """
    if wish != "auto":
        return wish if wish in LANGUAGES else "en"
    for tag in QLocale.system().uiLanguages() if wanted is None else wanted:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language == "en":
            return "en"
        if language in LANGUAGES:
            return language
    return "en"


def install(application: QCoreApplication, wish: str) -> list[QTranslator]:
    """Translate what is made from now on; returns the translators in force, which belong to `application`."""
    language = language_of(wish)
    if language == "en":
        return []
    own = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    installed = []
    # Qt's own words (file dialogs) first: the newest is asked first.
    for name, folder in ((f"qtbase_{language}", own), (language, str(FOLDER))):
        translator = QTranslator(application)
        if translator.load(name, folder) and application.installTranslator(translator):
            installed.append(translator)
    return installed
