"""The doctor finds what is missing, says what to do, and gives no secret away."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import doctor, paths
from app.doctor import Check
from app.settings_file import keep_setting


def test_every_dependency_of_the_project_is_found_here() -> None:
    checks = {check.name: check for check in doctor.check_dependencies()}

    assert {f"package {name}" for name in doctor.dependencies()} == set(checks)
    assert [check for check in checks.values() if check.status != "ok"] == []
    assert checks["package torch"].detail.startswith("2.13.0")


def test_a_package_that_is_not_installed_fails_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "dependencies", lambda: ["no-such-package"])

    expected = Check("package no-such-package", "fail", "not installed", "Run: python installer setup")
    assert [expected] == list(doctor.check_dependencies())


def test_one_broken_check_never_hides_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Iterator[Check]:
        yield Check("half", "ok", "done")
        raise RuntimeError("driver fell over")

    monkeypatch.setattr(doctor, "CHECKS", (("broken", broken), ("python", doctor.check_python)))

    assert doctor.run_doctor(as_json=True) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert [check["name"] for check in report["checks"]] == ["half", "broken", "python"]
    assert "driver fell over" in report["checks"][1]["detail"]


def test_the_exit_code_is_1_only_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (("a", lambda: [Check("a", "warn", "so so", "Do this.")]),))
    assert doctor.run_doctor(as_json=False) == 0
    assert "Do this." in capsys.readouterr().out
    monkeypatch.setattr(doctor, "CHECKS", (("a", lambda: [Check("a", "fail", "bad", "Do that.")]),))
    assert doctor.run_doctor(as_json=False) == 1


def test_a_key_is_reported_but_never_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "gsk_very_secret")
    monkeypatch.setattr(doctor, "CHECKS", (("keys", doctor.check_keys),))

    doctor.run_doctor(as_json=False)
    doctor.run_doctor(as_json=True)

    printed = capsys.readouterr()
    assert "GROQ_API_KEY is set" in printed.out
    assert "secret" not in printed.out + printed.err


def test_without_a_credential_store_it_says_what_to_install() -> None:
    store, groq, *_ = doctor.check_keys()

    assert ("credential store", "warn") == (store.name, store.status)
    assert "GNOME Keyring" in store.remedy
    assert ("key of Groq", "ok", "none: the local model answers") == (groq.name, groq.status, groq.detail)


def test_settings_that_are_not_understood_are_named_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    path = tmp_path / "settings.toml"
    path.write_text("[voice]\nspeed = 9.0\n", encoding="utf-8")
    (tmp_path / "settings.aside-1.toml").write_text("[old", encoding="utf-8")

    wrong, aside = doctor.check_settings()

    assert ("fail", "warn") == (wrong.status, aside.status)
    assert "0.5 to 2" in wrong.detail
    assert "settings.aside-1.toml" in aside.detail
    assert "[voice]\nspeed = 9.0\n" == path.read_text(encoding="utf-8")


def test_settings_that_differ_from_their_defaults_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    (tmp_path / "settings.toml").write_text("[voice]\nspeed = 1.5\n[face]\nfps = 30\n", encoding="utf-8")

    [check] = doctor.check_settings()

    assert "1 differ" in check.detail


def test_a_missing_model_names_the_command_that_fetches_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))

    checks = list(doctor.check_models())

    assert [check.status for check in checks] == ["fail"] * 5
    assert checks[0].remedy == "Run: kuchipaku models fetch tha3-separable-float"


def test_without_portaudio_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_child", lambda code: (1, "", "OSError: PortAudio library not found"))

    [check] = doctor.check_sound()

    assert check.status == "warn"
    assert "libportaudio2" in check.remedy


def test_microphone_and_speakers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_child", lambda code: (0, 'noise\n{"input": null, "output": "Headphones"}', ""))

    statuses = {check.name: (check.status, check.detail) for check in doctor.check_sound()}

    assert statuses == {"microphone": ("warn", "none found"), "speakers": ("ok", "Headphones")}


def test_a_child_that_crashes_or_fails_is_told_by_its_last_line() -> None:
    assert doctor._child("print('fine')") == (0, "fine", "")
    assert doctor._child("raise ValueError('no device')") == (1, "", "ValueError: no device")
    code, _, _ = doctor._child("import os; os.abort()")
    assert code != 0


def test_without_a_display_only_the_window_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)

    assert [check.status for check in doctor.check_display()] == ["warn"]

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert [Check("display", "ok", "Qt opens windows (offscreen)")] == list(doctor.check_display())


def test_a_virtual_camera_is_found_by_what_the_kernel_lists(tmp_path: Path) -> None:
    (tmp_path / "video10").mkdir()

    assert doctor.loopback_devices(tmp_path) == [Path("/dev/video10")]
    assert doctor.loopback_devices(tmp_path / "nothing") == []


def test_too_little_disk_fails_with_the_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    free = argparse.Namespace(total=10**9, used=0, free=10**8)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: free)

    checks = list(doctor.check_disk())

    assert [check.status for check in checks] == ["fail", "fail"]
    assert "KUCHIPAKU_DATA" in checks[0].remedy


def test_the_whole_examination_names_every_area() -> None:
    names = {check.name for check in doctor.examine()}

    assert {"python", "platform", "data folder", "display", "virtual camera", "gpu", "settings", "espeak"} <= names
    assert {"model piper-joe", "package numpy"} <= names


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("torch", "triton", "status", "words"),
    [
        ("2.13.0+cpu", True, "warn", "built without CUDA"),
        ("2.13.0", False, "warn", "no Triton"),
        ("2.13.0", True, "ok", "CUDA graphs"),
    ],
)
def test_a_card_is_named_with_what_keeps_the_face_from_using_it_fully(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torch: str, triton: bool, status: str, words: str
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA Example, 81559 MiB, 580.1'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: torch)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object() if triton else None)

    [check] = doctor.check_gpu()

    assert (status, True) == (check.status, words in check.detail)
    assert "NVIDIA Example" in check.detail
    assert bool(check.remedy) == (status == "warn")


@pytest.mark.parametrize(
    ("platform", "found", "said"),
    [
        ("linux", None, []),
        ("win32", object(), [("Spout", "SpoutGL is installed", False)]),
        ("darwin", None, [("Syphon", "not installed; needed only to share the picture without a camera", True)]),
    ],
)
def test_spout_and_syphon_are_named_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, platform: str, found: object, said: list[tuple[str, str, bool]]
) -> None:
    monkeypatch.setattr("app.policy.sharing.sys.platform", platform)
    monkeypatch.setattr(doctor, "is_installed", lambda way: found is not None)

    checks = list(doctor.check_sharing())

    assert said == [(check.name, check.detail, "pip install" in check.remedy) for check in checks]


def test_musetalks_files_are_no_trouble_until_they_are_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))

    (unwanted,) = doctor.check_musetalk()
    keep_setting(paths.settings_file(), "face.human_engine", "musetalk")
    (wanted,) = doctor.check_musetalk()

    assert "ok" == unwanted.status
    assert "warn" == wanted.status
    assert str(tmp_path / "models" / "musetalk") in wanted.detail
    assert "kuchipaku models add musetalk FOLDER" in wanted.remedy
