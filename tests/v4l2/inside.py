"""What runs in the guest: the app sends to real virtual cameras, ffmpeg and OpenCV read them back.

    python tests/v4l2/inside.py FOLDER [SCENE ...]

Each scene writes what it found into FOLDER/results.json; `test_v4l2.py` judges.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from animator.clock import SystemClock
from animator.messages import Pixels
from app import test_card
from app.backends.camera_pyvirtualcam import VirtualCamera
from app.bus import Bus
from app.canvas import Canvas, Overlay, Picture, Placement, Scene, i420
from app.caption_picture import CaptionLayer
from app.compose import be_right_back, character_of, find_character
from app.errors import AppError
from app.messages import Fact, Frame
from app.stages.camera import CameraStage, CameraSwitch

FIRST, SECOND = "/dev/video10", "/dev/video11"
MODULE = "/job/v4l2loopback.ko"
LOAD = ["insmod", MODULE, "devices=2", "video_nr=10,11", "exclusive_caps=1,1", "card_label=first,second"]
FPS = 8
"""The guest takes some 50 ms for a picture of 720p, and a viewer that falls behind sees torn ones."""
WITHIN_S = 40.0
CELL_PX = 16
CELLS_TOP = 330
"""Of the cells on the character's chest, in px of a frame."""
CAPTION = "One two three four."


class Recorded:
    """A recorded performance: the character sways, and a row of cells on its chest counts the frames."""

    def __init__(self) -> None:
        self._art = character_of(find_character("haru")).image
        self._number = 0

    def frame(self, number: int) -> Pixels:
        """Frame `number`: RGBA, straight alpha."""
        pixels = np.roll(self._art, round(6 * np.sin(number / 5)), axis=1)
        # A canvas cuts out what it has ever seen of a character: two specks make that the same from the first frame on.
        pixels[0, 0] = pixels[-1, -1] = 255
        for digit in range(8):
            left = 192 + digit * CELL_PX
            pixels[CELLS_TOP : CELLS_TOP + CELL_PX, left : left + CELL_PX] = (
                *(3 * [255 * (number >> (7 - digit) & 1)]),
                255,
            )
        return pixels

    def latest(self) -> Frame:
        """The next frame; called at each deadline."""
        self._number += 1
        return Frame(self._number, self.frame(self._number % 256), 0)


class Expected:
    """What the canvas makes of each frame, by its number."""

    def __init__(self, size_px: tuple[int, int], scene: Scene, over: Overlay | None, recorded: Recorded) -> None:
        self._canvas = Canvas(*size_px)
        self._canvas.set_scene(scene)
        self._over = over
        self._recorded = recorded

    def picture(self, number: int) -> Picture:
        return self._canvas.place(self._recorded.frame(number), self._over).copy()

    def number(self, luma: np.ndarray) -> int:
        """The number that is drawn in a frame on the canvas."""
        height, width = luma.shape
        scale = min(width, height) / (0.75 * 512)
        left = width / 2 - (0.125 + 0.375) * 512 * scale
        top = height - (0.047 + 0.75) * 512 * scale
        row = round(top + (CELLS_TOP + CELL_PX / 2) * scale)
        columns = [round(left + (192 + (digit + 0.5) * CELL_PX) * scale) for digit in range(8)]
        return int("".join("1" if luma[row, column] > 125 else "0" for column in columns), 2)


class Show:
    """The app's own camera stage and switch, and what they tell."""

    def __init__(self, size_px: tuple[int, int], device: str | None = FIRST) -> None:
        self.recorded = Recorded()
        self.size_px = size_px
        self.scene = Scene(Placement(), "colour", (43, 90, 58))
        self.layer = CaptionLayer()
        clock = SystemClock()
        bus = Bus(clock.now_ns)
        self._changed = threading.Condition()
        self.states: list[dict[str, Any]] = []
        bus.listen(self._take)
        self.stage = CameraStage(bus, clock, self.recorded.latest, (512, 512), FPS)
        self.switch = CameraSwitch(
            bus, self.stage, lambda: VirtualCamera(*size_px, device, lambda: self.scene, self.layer.at)
        )
        self.stage.start()

    def _take(self, fact: Fact) -> None:
        if (fact.stage, fact.event) == ("camera", "state"):
            with self._changed:
                self.states.append(dict(fact.data))
                self._changed.notify_all()

    def wait(self, holds: Callable[[dict[str, Any]], bool], since: int = 0) -> dict[str, Any]:
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(holds, self.states[since:])), WITHIN_S):
                raise AssertionError(f"never told: {self.states}")
            return next(state for state in self.states[since:] if holds(state))

    def expected(self) -> Expected:
        return Expected(self.size_px, self.scene, self.layer.at(*self.size_px), self.recorded)

    def stop(self) -> None:
        self.switch.stop()
        self.stage.stop(5.0)


@contextmanager
def show(size_px: tuple[int, int], device: str | None = FIRST) -> Iterator[Show]:
    running = Show(size_px, device)
    try:
        yield running
    finally:
        running.stop()


class Viewer:
    """ffmpeg as the camera's viewer, who sees the bytes as they come, or as RGB by BT.709."""

    def __init__(self, device: str, size_px: tuple[int, int], *, as_rgb: bool = False) -> None:
        self._size_px = size_px
        self._as_rgb = as_rgb
        seen = [
            "-vf",
            "scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int",
            "-pix_fmt",
            "rgb24",
        ]
        command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "v4l2", "-input_format", "yuv420p"]
        command += ["-video_size", f"{size_px[0]}x{size_px[1]}", "-i", device, "-vsync", "passthrough"]
        command += [*(seen if as_rgb else ["-pix_fmt", "yuv420p"]), "-f", "rawvideo", "-"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def frames(self, count: int) -> Iterator[np.ndarray]:
        width, height = self._size_px
        shape = (height, width, 3) if self._as_rgb else (height * 3 // 2, width)
        for _ in range(count):
            assert self.process.stdout is not None
            data = self.process.stdout.read(int(np.prod(shape)))
            if len(data) < np.prod(shape):
                said = self.process.stderr.read().decode() if self.process.stderr is not None else ""
                raise AssertionError(f"the viewer ended early: {said or 'it got no picture'}")
            yield np.frombuffer(data, np.uint8).reshape(shape)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


@contextmanager
def viewer(device: str, size_px: tuple[int, int], *, as_rgb: bool = False) -> Iterator[Viewer]:
    until(lambda: is_fed(device))
    watching = Viewer(device, size_px, as_rgb=as_rgb)
    watchdog = threading.Timer(WITHIN_S, watching.process.kill)
    watchdog.start()
    try:
        yield watching
    finally:
        watchdog.cancel()
        watching.kill()


def exact(seen: list[np.ndarray], expected: Expected, height: int) -> dict[str, Any]:
    """Which numbers have come, and the largest difference of any byte."""
    numbers = [expected.number(planes[:height]) for planes in seen]
    off = [
        int(np.abs(i420(expected.picture(number)).astype(np.int16) - planes).max())
        for number, planes in zip(numbers, seen, strict=True)
    ]
    return {"numbers": numbers, "worst": max(off)}


# The scenes.


def the_character_with_captions() -> dict[str, Any]:
    """ffmpeg reads the bytes, OpenCV the picture that it makes of them."""
    size_px = (1280, 720)
    with show(size_px) as running:
        running.layer.switch(True)
        running.layer.at(*size_px)
        running.layer.show(CAPTION, len("One two"))
        running.switch.switch(True)
        with viewer(FIRST, size_px) as watching:
            seen = [planes.copy() for planes in watching.frames(30)]
        found = {"device": running.states[-1]["label"], **exact(seen, running.expected(), size_px[1])}
        found["caption"] = running.layer.at(*size_px) is not None
        np.save(FOLDER / "character.npy", seen[-1])
        found["opencv"] = read_by_opencv(running, size_px)
    return found


def read_by_opencv(running: Show, size_px: tuple[int, int]) -> dict[str, Any]:
    capture = cv2.VideoCapture(FIRST, cv2.CAP_V4L2)
    try:
        seen = [capture.read() for _ in range(8)][3:]
    finally:
        capture.release()
    expected = running.expected()
    worst = 0
    for _, picture in seen:
        number = expected.number(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        planes = i420(expected.picture(number))
        worst = max(worst, int(np.abs(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420).astype(np.int16) - picture).max()))
    return {"got": sum(bool(ok) for ok, _ in seen), "size": list(seen[-1][1].shape[1::-1]), "worst": worst}


def the_colours_of_the_test_card() -> dict[str, Any]:
    """Read by BT.709, as OBS reads a webcam; and the counter, frame for frame."""
    size_px = (1280, 720)
    with show(size_px) as running:
        running.scene = replace(running.scene, card=True)
        running.switch.switch(True)
        with viewer(FIRST, size_px, as_rgb=True) as watching:
            seen = [picture.copy() for picture in watching.frames(20)]
    row = seen[-1][round(0.6 * size_px[1])].astype(int)
    middles = [row[round((number + 0.5) * size_px[0] / len(test_card.BARS))] for number in range(len(test_card.BARS))]
    np.save(FOLDER / "card.npy", seen[-1])
    return {
        "numbers": [test_card.read(picture) for picture in seen],
        "bars": [colour.tolist() for colour in middles],
    }


def be_right_back_and_back() -> dict[str, Any]:
    size_px = (1280, 720)
    away = be_right_back()
    with show(size_px) as running:
        running.switch.switch(True)
        running.stage.show_instead(away)
        with viewer(FIRST, size_px) as watching:
            planes = [each.copy() for each in watching.frames(6)][-1]
            running.stage.show_instead(None)
            later = [each.copy() for each in watching.frames(6)][-1]
        canvas = Canvas(*size_px)
        canvas.set_scene(running.scene)
        worst = int(np.abs(i420(canvas.place(away)).astype(np.int16) - planes).max())
        return {"worst": worst, "after": exact([later], running.expected(), size_px[1])["worst"]}


def other_sizes() -> dict[str, Any]:
    """One after the other on one device, as the settings change them."""
    found = {}
    for size_px in ((512, 512), (1920, 1080)):
        with show(size_px, SECOND) as running:
            running.switch.switch(True)
            with viewer(SECOND, size_px) as watching:
                seen = [planes.copy() for planes in watching.frames(3)]
            found[f"{size_px[0]}x{size_px[1]}"] = exact(seen, running.expected(), size_px[1])["worst"]
    return found


def a_viewer_that_is_killed() -> dict[str, Any]:
    size_px = (640, 360)
    with show(size_px) as running:
        running.switch.switch(True)
        with viewer(FIRST, size_px) as watching:
            before = [planes.copy() for planes in watching.frames(3)]
            watching.kill()
        with viewer(FIRST, size_px) as watching:
            after = [planes.copy() for planes in watching.frames(3)]
        expected = running.expected()
        return {
            "before": exact(before, expected, size_px[1])["worst"],
            "after": exact(after, expected, size_px[1])["worst"],
            "states": [state["state"] for state in running.states],
        }


def a_camera_that_another_program_has() -> dict[str, Any]:
    """ffmpeg sends to it; once it is gone, the app takes over by itself."""
    size_px = (640, 360)
    command = "ffmpeg -v error -nostdin -re -f lavfi -i testsrc=size=320x240:rate=5 -pix_fmt yuv420p -f v4l2"
    other = subprocess.Popen([*command.split(), SECOND])
    try:
        until(lambda: is_fed(SECOND))
        with show(size_px, SECOND) as running:
            refused = ""
            before = open_files()
            for _ in range(5):
                try:
                    running.switch.switch(True)
                except AppError as error:
                    refused = error.problem
            more_open = open_files() - before
            running.switch.switch(True, patiently=True)
            waiting = running.wait(lambda state: state["state"] == "starting" and bool(state.get("problem")))
            other.kill()
            other.wait()
            began_s = time.monotonic()
            running.wait(lambda state: state["state"] == "ready")
            took_s = time.monotonic() - began_s
            with viewer(SECOND, size_px) as watching:
                seen = [planes.copy() for planes in watching.frames(5)][2:]
            worst = exact(seen, running.expected(), size_px[1])["worst"]
        return {"refused": refused, **waiting, "took_s": took_s, "worst": worst, "open_files": more_open}
    finally:
        other.kill()
        other.wait()


def is_fed(device: str) -> bool:
    """Whether somebody has sent a picture: only then it counts as a camera."""
    capability = bytearray(104)  # struct v4l2_capability, whose 22nd word says what this device file can do
    with open(device, "rb", buffering=0) as file:
        fcntl.ioctl(file, 0x80685600, capability)  # VIDIOC_QUERYCAP
    return bool(struct.unpack_from("=I", capability, 88)[0] & 1)


def cameras_that_are_taken_away_and_come_back() -> dict[str, Any]:
    size_px = (640, 360)
    with show(size_px, None) as running:
        running.switch.switch(True)
        running.wait(lambda state: state["state"] == "ready")
        # A module in use cannot be unloaded; what can go is the device's file.
        in_use = subprocess.run(["rmmod", "v4l2loopback"], capture_output=True, check=False).returncode
        os.rename(FIRST, "/dev/hidden")
        lost = running.wait(lambda state: "taken away" in state.get("problem", ""))
        told = len(running.states)
        os.rename("/dev/hidden", FIRST)
        again = running.wait(lambda state: state["state"] == "ready", since=told - 1)
        running.switch.switch(False)
        subprocess.run(["rmmod", "v4l2loopback"], check=True)
        running.switch.switch(True, patiently=True)
        missing = running.wait(lambda state: "no virtual camera" in state.get("problem", ""))
        told = len(running.states)
        subprocess.run(LOAD, check=True)
        back = running.wait(lambda state: state["state"] == "ready", since=told)
        with viewer(FIRST, size_px) as watching:
            seen = [planes.copy() for planes in watching.frames(3)]
        worst = exact(seen, running.expected(), size_px[1])["worst"]
    labels = {"again": again["label"], "back": back["label"]}
    return {"in_use": in_use, "lost": lost, "missing": missing, **labels, "worst": worst}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def until(holds: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + WITHIN_S
    while not holds():
        if time.monotonic() > ends_s:
            raise AssertionError("it never came")
        time.sleep(0.2)


SCENES = (
    the_character_with_captions,
    the_colours_of_the_test_card,
    be_right_back_and_back,
    a_viewer_that_is_killed,
    a_camera_that_another_program_has,
    other_sizes,
    cameras_that_are_taken_away_and_come_back,
)


def fresh_cameras() -> None:
    """A device that has had another format confuses the next viewer (v4l2loopback 0.12)."""
    with suppress(FileNotFoundError):
        subprocess.run(["rmmod", "v4l2loopback"], capture_output=True, check=False)
    subprocess.run(LOAD, check=True)


def main(only: list[str]) -> None:
    results: dict[str, Any] = {}
    for scene in [scene for scene in SCENES if not only or scene.__name__ in only]:
        began_s = time.monotonic()
        try:
            fresh_cameras()
            results[scene.__name__] = scene()
        except Exception:
            results[scene.__name__] = {"error": traceback.format_exc()}
        print(f"{scene.__name__}: {time.monotonic() - began_s:.1f} s", flush=True)
        (FOLDER / "results.json").write_text(json.dumps(results, indent=1), "utf-8")


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    main(sys.argv[2:])
