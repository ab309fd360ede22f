"""What OBS's own files say of its WebSocket server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.backends.obs_config import ObsConfig, config_folders, config_in, read_config

NEW = {"auth_required": True, "server_enabled": True, "server_password": "s3cret", "server_port": 4460}
OLD = "[General]\nFirstRun=true\n\n[OBSWebSocket]\nServerEnabled=false\nServerPort=4461\nAuthRequired=true\n"


def write_new(folder: Path, text: str) -> Path:
    path = folder / "plugin_config" / "obs-websocket" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_new_obs_is_read_from_its_plugins_folder(tmp_path: Path) -> None:
    write_new(tmp_path, json.dumps(NEW))

    found = config_in(tmp_path)

    assert found is not None
    assert ObsConfig(4460, "s3cret", True) == found[1]


def test_an_older_one_is_read_from_its_ini_file_with_a_mark_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "global.ini").write_text(OLD + "ServerPassword=a%b;c=d\n", encoding="utf-8-sig")

    found = config_in(tmp_path)

    assert found is not None
    assert ObsConfig(4461, "a%b;c=d", False) == found[1]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\x00", '{"server_port": "x", "server_password": 5}'])
def test_a_file_that_makes_no_sense_says_nothing(tmp_path: Path, text: str) -> None:
    write_new(tmp_path, text)

    found = config_in(tmp_path)

    assert ObsConfig() == (found[1] if found is not None else ObsConfig())


def test_without_authentication_there_is_no_password(tmp_path: Path) -> None:
    write_new(tmp_path, json.dumps({**NEW, "auth_required": False}))

    found = config_in(tmp_path)

    assert found is not None
    assert "" == found[1].password


def test_the_password_is_in_no_representation(tmp_path: Path) -> None:
    assert "s3cret" not in repr(ObsConfig(4460, "s3cret", True))


def test_each_system_has_its_folders() -> None:
    home = Path("/home/me")

    assert [Path("C:/R/obs-studio")] == config_folders({"APPDATA": "C:/R"}, home, "win32")
    assert [home / "Library/Application Support/obs-studio"] == config_folders({}, home, "darwin")
    assert home / ".config/obs-studio" == config_folders({}, home, "linux")[0]
    assert Path("/x/obs-studio") == config_folders({"XDG_CONFIG_HOME": "/x"}, home, "linux")[0]


@pytest.mark.skipif(os.name != "posix", reason="the folders of Linux")
def test_of_two_installations_the_last_used_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    old = write_new(tmp_path / ".config" / "obs-studio", json.dumps(NEW))
    flatpak = tmp_path / ".var" / "app" / "com.obsproject.Studio" / "config" / "obs-studio"
    write_new(flatpak, json.dumps({**NEW, "server_port": 4470}))
    os.utime(old, (1, 1))

    assert 4470 == read_config().port
