"""What OBS Studio's own files say of its WebSocket server: port and password, where they can be read here.

OBS 30 and later keep them in `plugin_config/obs-websocket/config.json`, versions before in `global.ini`.
"""

from __future__ import annotations

import configparser
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_PORT = 4455
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ObsConfig:
    """What is known: `None` is "it does not say"."""

    port: int | None = None
    password: str = field(default="", repr=False)
    is_enabled: bool | None = None


def config_folders(environment: Mapping[str, str], home: Path, platform: str) -> list[Path]:
    """Where OBS may keep its files for this user, by `sys.platform`: the usual way, Flatpak, Snap."""
    if platform == "win32":
        roaming = environment.get("APPDATA", "")
        return [Path(roaming) / "obs-studio"] if roaming else []
    if platform == "darwin":
        return [home / "Library" / "Application Support" / "obs-studio"]
    own = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        own / "obs-studio",
        home / ".var" / "app" / "com.obsproject.Studio" / "config" / "obs-studio",
        home / "snap" / "obs-studio" / "current" / ".config" / "obs-studio",
    ]


def read_config() -> ObsConfig:
    """What this user's OBS says; nothing where it is not to be found. Of several, the one that was used last."""
    try:
        home = Path.home()
    except RuntimeError:
        return ObsConfig()
    found = [config for folder in config_folders(os.environ, home, sys.platform) if (config := config_in(folder))]
    return max(found, key=lambda each: each[0])[1] if found else ObsConfig()


def config_in(folder: Path) -> tuple[float, ObsConfig] | None:
    """What the files of one folder say, and when they were written (Unix time, s); None where there are none."""
    for path, parse in (
        (folder / "plugin_config" / "obs-websocket" / "config.json", _of_json),
        (folder / "global.ini", _of_ini),
    ):
        try:
            written_s = path.stat().st_mtime
            if path.stat().st_size > MAX_BYTES:
                continue
            return written_s, parse(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, configparser.Error):
            continue
    return None


def _of_json(text: str) -> ObsConfig:
    held = json.loads(text)
    if not isinstance(held, dict):
        raise ValueError("no object")
    enabled = held.get("server_enabled")
    return _config(held.get("server_port"), held.get("server_password"), enabled, held.get("auth_required"))


def _of_ini(text: str) -> ObsConfig:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.read_string(text)
    section = parser["OBSWebSocket"] if parser.has_section("OBSWebSocket") else {}
    flags = {"true": True, "false": False}
    return _config(
        section.get("ServerPort"),
        section.get("ServerPassword"),
        flags.get(str(section.get("ServerEnabled", "")).lower()),
        flags.get(str(section.get("AuthRequired", "")).lower()),
    )


def _config(port: Any, password: Any, is_enabled: Any, is_needed: Any) -> ObsConfig:
    number = int(port) if str(port).isdigit() and 0 < int(port) < 65536 else None
    word = password if isinstance(password, str) and is_needed is not False else ""
    return ObsConfig(number, word, is_enabled if isinstance(is_enabled, bool) else None)
