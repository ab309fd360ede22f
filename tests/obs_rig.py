"""A real OBS Studio without a display or a graphics card: Xvfb, a window manager, and OBS in a home of its own.

Debian's OBS 29 (obs-websocket 5.1) starts so in about a second. It has no browser source.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from Xlib import X
from Xlib.display import Display
from Xlib.protocol import event

from app.backends.obs_websocket import ObsWebSocket
from app.errors import ServiceError

PROGRAMS = ("obs", "Xvfb", "openbox")
PASSWORD = "correct horse"
START_S = 60.0
CANVAS = (640, 360)
# A first start opens dialogs that wait for somebody; these files say that it was long ago.
_GLOBAL = """[General]
FirstRun=true
Pre19Defaults=false
Pre21Defaults=false
Pre23Defaults=false
Pre24.1Defaults=false
LastVersion=486539266
InfoIncrement=99999
EnableAutoUpdates=false
ConfirmOnExit=false

[Basic]
Profile=tests
ProfileDir=tests
SceneCollection=tests
SceneCollectionFile=tests

[BasicWindow]
PreviewEnabled=false
ShowTransitions=false
SysTrayEnabled=false

[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AlertsEnabled=false
AuthRequired=true
ServerPassword={password}
"""
_PROFILE = f"""[General]
Name=tests

[Video]
BaseCX={CANVAS[0]}
BaseCY={CANVAS[1]}
OutputCX={CANVAS[0]}
OutputCY={CANVAS[1]}
FPSType=1
FPSInt=30
FPSCommon=30
"""


def skip_without_obs() -> None:
    """Skip the test where a program that it needs is not installed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


class Obs:
    """OBS with the scene "mine", in which there is a colour source of the user's. Start and end it at will."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._configure()
        self._programs: list[subprocess.Popen[bytes]] = []
        self._obs: subprocess.Popen[bytes] | None = None
        self._link: ObsWebSocket | None = None
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "LP_NUM_THREADS": "1",
            "QT_QPA_PLATFORM": "xcb",
            "LANG": "C.UTF-8",
        }
        self.environment["DISPLAY"] = self._start_display()
        self._spawn(["openbox", "--sm-disable"], "openbox.log")

    def _configure(self) -> None:
        folder = self.home / ".config" / "obs-studio"
        profile, scenes = folder / "basic" / "profiles" / "tests", folder / "basic" / "scenes"
        for each in (profile, scenes, self.home / "run"):
            each.mkdir(parents=True)
        (self.home / "run").chmod(0o700)
        (folder / "global.ini").write_text(_GLOBAL.format(port=self.port, password=PASSWORD))
        (profile / "basic.ini").write_text(_PROFILE)
        item = {"name": "my colour", "id": 1, "visible": True, "pos": {"x": 0.0, "y": 0.0}}
        collection = {
            "name": "tests",
            "current_scene": "mine",
            "current_program_scene": "mine",
            "scene_order": [{"name": "mine"}],
            "sources": [
                {"id": "scene", "name": "mine", "settings": {"id_counter": 1, "items": [item], "custom_size": False}},
                {
                    "id": "color_source",
                    "versioned_id": "color_source_v3",
                    "name": "my colour",
                    "settings": {"color": 0xFF336699, "width": CANVAS[0], "height": CANVAS[1]},
                },
            ],
        }
        (scenes / "tests.json").write_text(json.dumps(collection))

    def _start_display(self) -> str:
        reading, writing = os.pipe()
        screen = ["-screen", "0", "1024x768x24", "-nolisten", "tcp", "+extension", "Composite", "-noreset"]
        self._spawn(["Xvfb", "-displayfd", str(writing), *screen], "xvfb.log", pass_fds=(writing,))
        os.close(writing)
        with os.fdopen(reading) as number:
            return ":" + number.readline().strip()

    def _spawn(self, command: list[str], log: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        with (self.home / log).open("ab") as file:
            program = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        self._programs.append(program)
        return program

    def start(self) -> None:
        """Start OBS, and wait until its WebSocket server answers."""
        command = ["obs", "--multi", "--disable-updater", "--disable-missing-files-check", "--unfiltered_log"]
        self._obs = self._spawn([*command, "--collection", "tests", "--profile", "tests"], "obs.log")
        deadline_s = time.monotonic() + START_S
        while True:
            link = ObsWebSocket(self.port, [PASSWORD], None, lambda kind, data: None, lambda: None)
            try:
                link.connect()
                link.ask("GetSceneList")
                break
            except ServiceError as error:
                link.close()
                if self._obs.poll() is not None or time.monotonic() > deadline_s:
                    log = (self.home / "obs.log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"OBS does not answer: {error}\n{log}") from error
                threading.Event().wait(0.1)
        self._link = link

    def kill(self) -> None:
        """End OBS as a crash does: nothing is saved or said."""
        self._end(signal.SIGKILL)

    def close_window(self) -> None:
        """End OBS as the user does, by closing its window."""
        screen = Display(self.environment["DISPLAY"])
        try:
            for window in _windows(screen):
                if (window.get_wm_name() or "").startswith("OBS"):
                    protocols, delete = screen.intern_atom("WM_PROTOCOLS"), screen.intern_atom("WM_DELETE_WINDOW")
                    told = event.ClientMessage(window=window, client_type=protocols, data=(32, [delete, 0, 0, 0, 0]))
                    window.send_event(told)
            screen.flush()
            self._end(None)
        finally:
            screen.close()

    def wait_window(self, title: str, timeout_s: float = 20) -> None:
        """Wait until the window manager knows a window of this title."""
        screen = Display(self.environment["DISPLAY"])
        deadline_s = time.monotonic() + timeout_s
        try:
            while title not in [window.get_wm_name() for window in _windows(screen)]:
                assert time.monotonic() < deadline_s, f"no window “{title}”"
                threading.Event().wait(0.05)
        finally:
            screen.close()

    def _end(self, number: int | None) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        program, self._obs = self._obs, None
        if program is not None:
            if number is not None:
                program.send_signal(number)
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()

    def end(self) -> None:
        """End everything."""
        self.kill()
        for program in reversed(self._programs):
            if program.poll() is None:
                program.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(5)
            if program.poll() is None:
                program.kill()
                program.wait()

    def ask(self, request: str, **data: Any) -> dict[str, Any]:
        """What OBS answers to the test itself, beside the app."""
        assert self._link is not None
        return self._link.ask(request, **data)

    def state(self) -> dict[str, Any]:
        """Everything of the scene collection that the app could change."""
        scenes = self.ask("GetSceneList")
        names = sorted(scene["sceneName"] for scene in scenes["scenes"])
        inputs = sorted(each["inputName"] for each in self.ask("GetInputList")["inputs"])
        return {
            "programme": scenes["currentProgramSceneName"],
            "scenes": {name: self.ask("GetSceneItemList", sceneName=name)["sceneItems"] for name in names},
            "inputs": {name: self.ask("GetInputSettings", inputName=name) for name in inputs},
        }

    def wait_state(self, wanted: dict[str, Any], timeout_s: float = 20) -> None:
        """Wait until everything is as `wanted`: OBS lets go of what was removed in its own time."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(ServiceError):  # what is listed may be gone when it is asked for
                state = self.state()
                if state == wanted:
                    return
                assert time.monotonic() < deadline_s, f"{state} is not {wanted}"
            threading.Event().wait(0.1)

    def picture(self, source: str) -> np.ndarray | None:
        """A source as OBS draws it: uint8 RGBA; None while it has no size."""
        try:
            held = self.ask("GetSourceScreenshot", sourceName=source, imageFormat="png")["imageData"]
        except ServiceError as error:
            if error.kind != "refused":
                raise
            return None
        with Image.open(io.BytesIO(base64.b64decode(held.split(",", 1)[1]))) as image:
            return np.asarray(image.convert("RGBA"))

    def wait_picture(self, source: str, is_right: Callable[[np.ndarray], bool], timeout_s: float = 30) -> np.ndarray:
        """The first picture of a source that is right."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            pixels = self.picture(source)
            if pixels is not None and is_right(pixels):
                return pixels
            if time.monotonic() > deadline_s:
                shape = None if pixels is None else pixels.shape
                raise AssertionError(f"“{source}” never looked right; the last picture was {shape}")
            threading.Event().wait(0.1)


def _windows(screen: Display) -> list[Any]:
    """Those that the window manager looks after."""
    listed = screen.screen().root.get_full_property(screen.intern_atom("_NET_CLIENT_LIST"), X.AnyPropertyType)
    return [screen.create_resource_object("window", number) for number in (listed.value if listed else ())]


@contextlib.contextmanager
def running_obs(home: Path) -> Iterator[Obs]:
    """OBS for as long as a `with`."""
    skip_without_obs()
    obs = Obs(home)
    try:
        obs.start()
        yield obs
    finally:
        obs.end()
