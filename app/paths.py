"""Where things lie on disk. Needs only the standard library and platformdirs: it is imported early."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP_NAME = "kuchipaku"
REPOSITORY = Path(__file__).resolve().parents[1]
"""The checkout that this copy runs from; characters, assets and the manifest of the models lie in it."""


def _folder(variable: str, default: Path) -> Path:
    chosen = os.environ.get(variable, "")
    return Path(chosen).expanduser().resolve() if chosen else default


def data_dir() -> Path:
    """The user's data folder (models, imported characters): KUCHIPAKU_DATA or the platform's own. Not created here."""
    return _folder("KUCHIPAKU_DATA", platformdirs.user_data_path(APP_NAME, appauthor=False))


def cache_dir() -> Path:
    """What can be made again (bakes): KUCHIPAKU_CACHE or the platform's own. Not created here."""
    return _folder("KUCHIPAKU_CACHE", platformdirs.user_cache_path(APP_NAME, appauthor=False))


def config_dir() -> Path:
    """The folder of settings.toml: KUCHIPAKU_CONFIG or the platform's own. Not created here."""
    return _folder("KUCHIPAKU_CONFIG", platformdirs.user_config_path(APP_NAME, appauthor=False))


def settings_file() -> Path:
    """What the user has set. It need not exist."""
    return config_dir() / "settings.toml"


def models_dir() -> Path:
    """The root of the model store: one folder per model."""
    return data_dir() / "models"


def memory_file() -> Path:
    """What the user told the characters: KUCHIPAKU_MEMORY or a file of the data folder. Not created here."""
    return _folder("KUCHIPAKU_MEMORY", data_dir() / "memory.sqlite3")


def history_file() -> Path:
    """What was said: KUCHIPAKU_HISTORY or a file of the data folder. Not created here."""
    return _folder("KUCHIPAKU_HISTORY", data_dir() / "history.sqlite3")


def recordings_dir() -> Path:
    """Recordings and screenshots: KUCHIPAKU_RECORDINGS or a folder in the system's one for videos. Not created here."""
    return _folder("KUCHIPAKU_RECORDINGS", platformdirs.user_videos_path() / "Kuchipaku")


def models_manifest() -> Path:
    """The list of models with their sources, sizes and hashes."""
    return REPOSITORY / "installer" / "models.toml"
