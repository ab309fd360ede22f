"""The virtual camera: which way it is opened on which system, and what it gives away of a picture."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.backends import camera_pyvirtualcam
from app.backends.camera_pyvirtualcam import VirtualCamera, programs_by_camera
from app.canvas import Canvas, Scene, i420
from app.errors import AppError
from app.messages import Frame

FACE = np.full((64, 64, 4), 255, np.uint8)


class Library:
    """Stands in for pyvirtualcam: `refuses` holds what each backend says, or nothing where it opens."""

    def __init__(self, refuses: dict[str | None, str]) -> None:
        self.opened: list[dict[str, Any]] = []
        self.sent: list[np.ndarray] = []
        self.closed = 0
        library = self

        class Camera:
            def __init__(self, *, backend: str | None, **options: Any) -> None:
                if said := refuses.get(backend):
                    raise RuntimeError(f"'{backend}' backend: {said}")
                library.opened.append({"backend": backend, **options})
                self.device = options["device"] or "OBS Virtual Camera"

            def send(self, picture: np.ndarray) -> None:
                library.sent.append(picture.copy())

            def close(self) -> None:
                library.closed += 1

        self.module = SimpleNamespace(Camera=Camera, PixelFormat=SimpleNamespace(I420="I420", RGB="RGB"))


def library(monkeypatch: pytest.MonkeyPatch, platform: str, **refuses: str) -> Library:
    made = Library(dict(refuses))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", made.module)
    monkeypatch.setattr(camera_pyvirtualcam, "_platform", lambda: platform)
    return made


def test_obs_on_windows_gets_bt709(monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(monkeypatch, "win32")
    camera = VirtualCamera(640, 360)

    camera.open(512, 512, 60.0)
    camera.send(Frame(1, FACE, 0))
    camera.close()

    assert [("obs", "I420", 640, 360, 60.0)] == [
        (way["backend"], way["fmt"], way["width"], way["height"], way["fps"]) for way in made.opened
    ]
    assert np.array_equal(i420(Canvas(640, 360).place(FACE)), made.sent[0])
    assert 1 == made.closed


def test_unity_capture_gets_rgb_where_obs_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyvirtualcam would make its RGBA of I420 by BT.601."""
    made = library(monkeypatch, "win32", obs="OBS Virtual Camera device not found! Did you install OBS?")
    camera = VirtualCamera(640, 360)

    camera.open(512, 512, 30.0)
    camera.send(Frame(1, FACE, 0))

    assert [("unitycapture", "RGB")] == [(way["backend"], way["fmt"]) for way in made.opened]
    assert np.array_equal(Canvas(640, 360).place(FACE), made.sent[0])


def test_windows_without_any_is_told_both(monkeypatch: pytest.MonkeyPatch) -> None:
    library(monkeypatch, "win32", obs="OBS Virtual Camera device not found!", unitycapture="No camera registered.")

    with pytest.raises(AppError) as raised:
        VirtualCamera().open(512, 512, 30.0)

    assert "OBS Studio" in raised.value.remedy
    assert "Unity Capture" in raised.value.remedy


def test_an_odd_size_loses_a_line_and_not_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(monkeypatch, "darwin")
    camera = VirtualCamera(641, 361)

    camera.open(512, 512, 30.0)
    camera.send(Frame(1, FACE, 0))

    assert (640, 360) == (made.opened[0]["width"], made.opened[0]["height"])
    assert (540, 640) == made.sent[0].shape


def test_scene_and_captions_are_asked_for_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(monkeypatch, "darwin")
    scenes = [Scene(background="green"), Scene(card=True)]
    asked: list[tuple[int, int]] = []
    camera = VirtualCamera(640, 360, None, lambda: scenes[0], lambda *size: asked.append(size))
    camera.open(512, 512, 30.0)

    camera.send(Frame(1, FACE, 0))
    scenes.pop(0)
    camera.send(Frame(2, FACE, 0))

    assert [(640, 360), (640, 360)] == asked
    assert not np.array_equal(made.sent[0], made.sent[1])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
def test_what_is_no_camera_is_refused_by_name_and_not_left_open(tmp_path: Path) -> None:
    file = tmp_path / "video7"
    file.touch()
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(AppError, match="video7 is no virtual camera"):
        VirtualCamera(device=str(file)).open(512, 512, 30.0)

    assert before == len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
def test_a_camera_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="There is no virtual camera"):
        VirtualCamera(device=str(tmp_path / "video9")).open(512, 512, 30.0)


def test_programs_are_found_by_what_they_have_open(tmp_path: Path) -> None:
    cameras, processes = tmp_path / "video4linux", tmp_path / "proc"
    for name in ("video10", "video11"):
        (cameras / name).mkdir(parents=True)
    for number, program, device in (
        (7, "obs", "/dev/video10"),
        (8, "bash", "/dev/null"),
        (os.getpid(), "us", "/dev/video10"),
    ):
        (processes / str(number) / "fd").mkdir(parents=True)
        (processes / str(number) / "fd/3").symlink_to(device)
        (processes / str(number) / "comm").write_text(f"{program}\n")
    (processes / "9").mkdir()  # another user's

    assert {"/dev/video10": ["obs"], "/dev/video11": []} == programs_by_camera(cameras, processes)
    assert {} == programs_by_camera(tmp_path / "none", processes)
