"""How long does a global hotkey take to change the face on screen, while another window has the focus?

Starts the app as users do, gives the focus to a window of another program, and presses a hotkey with xdotool 200 times.
A press is timed from when the X server has the key down until a pixel of the face on screen has changed, which is read
from the server as a screen recorder would. Needs X11 with xdotool; without a display:

    xvfb-run -a -s "-screen 0 1280x1024x24" python benchmarks/hotkeys.py [--presses 200] [--json]

Which pixels to watch, and how much they move by themselves, is measured first. The character keeps its head still for
this (liveliness 0), or its sway would be taken for the answer to a key.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

KEYS, XDOTOOL_KEYS, KEY_NAME = "Ctrl+Alt+1", "ctrl+alt+1", "1"
EXPRESSION = "surprised"
PATCH_PX = 24
START_S = 90.0
SETTLE_S = 0.6
"""A fade and its end; the next press comes at a random moment of the frame clock."""
GIVE_UP_S = 2.0

Patch = npt.NDArray[np.int16]


class Screen:
    """The X server as a keyboard, another program and a screen recorder see it."""

    def __init__(self) -> None:
        from Xlib import XK, X
        from Xlib.display import Display

        self._x = X
        self._display = Display()
        self._root = self._display.screen().root
        self._code = self._display.keysym_to_keycode(XK.string_to_keysym(KEY_NAME))
        self._other = self._root.create_window(
            0, 940, 220, 60, 0, self._display.screen().root_depth, event_mask=X.KeyPressMask
        )
        self._other.set_wm_name("Another program")
        self._other.map()
        self._display.sync()

    def focus_other(self) -> None:
        """Give the focus to the window of another program."""
        self._other.configure(stack_mode=self._x.Above)
        self._other.set_input_focus(self._x.RevertToParent, self._x.CurrentTime)
        self._display.sync()

    @property
    def is_other_focused(self) -> bool:
        """Whether it has it."""
        return int(getattr(self._display.get_input_focus().focus, "id", 0)) == self._other.id

    def window(self, name: str) -> tuple[int, int, int, int] | None:
        """Left, top, width and height of the visible window of this name, in px."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", f"^{name}$"], capture_output=True, text=True, check=False
        ).stdout.split()
        if not found:
            return None
        shell = subprocess.run(
            ["xdotool", "getwindowgeometry", "--shell", found[-1]], capture_output=True, text=True, check=True
        ).stdout
        values = dict(line.split("=", 1) for line in shell.splitlines() if "=" in line)
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    def grab(self, left: int, top: int, width: int, height: int) -> Patch:
        """Pixels of the screen, int16 (height, width, 3)."""
        image = self._root.get_image(left, top, width, height, self._x.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(image.data, np.uint8).reshape(height, width, 4)[..., :3].astype(np.int16)

    def is_down(self) -> bool:
        """Whether the key is down."""
        bits: list[int] = self._display.query_keymap()
        return bool(bits[self._code // 8] >> (self._code % 8) & 1)


def press() -> subprocess.Popen[bytes]:
    """Begin to press the hotkey."""
    return subprocess.Popen(["xdotool", "key", XDOTOOL_KEYS])


@contextlib.contextmanager
def app_running(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The app in its window, with a still character and one hotkey."""
    character = folder / "still"
    character.mkdir()
    shutil.copy(ROOT / "characters" / "haru" / "haru.png", character / "still.png")
    (character / "character.toml").write_text(
        'name = "Still"\nimage = "still.png"\ngreeting = ""\n[motion]\nliveliness = 0.0\nblink_every_s = 20.0\n'
    )
    (folder / "settings.toml").write_text(
        f'version = 1\n[face]\ncharacter = "{character}"\n[window]\nfirst_steps = false\n'
        f'[keys.bindings]\n"express {EXPRESSION}" = "{KEYS}"\n'
    )
    environment = {**os.environ, "KUCHIPAKU_CONFIG": str(folder), "KUCHIPAKU_MEMORY": str(folder / "memory")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "app", "run", "--muted", "--trace", str(folder / "trace.jsonl")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def facts(folder: Path) -> list[dict[str, Any]]:
    """The facts of the app so far."""
    trace = folder / "trace.jsonl"
    if not trace.exists():
        return []
    return [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def wait_until_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the keys are taken and the whole face is on screen; raises SystemExit with what went wrong."""
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        told = facts(folder)
        keys = [each for each in told if each["stage"] == "keys" and each["event"] == "status"]
        if keys and (keys[-1]["problem"] or keys[-1]["refused"]):
            raise SystemExit(f"The hotkey cannot be used: {keys[-1]['problem']} {keys[-1]['refused']}")
        is_ready = any(each["stage"] == "avatar" and each.get("state") == "ready" for each in told)
        busy = {each["stage"]: each["state"] for each in told if each["event"] == "state"}
        if keys and is_ready and "starting" not in busy.values():
            return
        threading.Event().wait(0.25)
    raise SystemExit("The app was not ready in time.")


def on_the_way(told: list[dict[str, Any]]) -> tuple[float, float]:
    """Within how many ms, for 95 % of the presses, the line and then the face's own process had the expression."""
    to_gate, to_face = [], []
    pressed_s, seen = None, 0
    for each in told:
        if (each["stage"], each["event"]) == ("keys", "pressed"):
            pressed_s, seen = each["at_s"], 0
        elif (each["stage"], each["event"]) == ("avatar", "expression") and pressed_s is not None:
            seen += 1
            (to_gate if seen == 1 else to_face).append((each["at_s"] - pressed_s) * 1e3)
            if seen == 2:
                pressed_s = None
    if not to_gate or not to_face:
        return math.nan, math.nan
    return round(float(np.percentile(to_gate, 95)), 1), round(float(np.percentile(to_face, 95)), 1)


def find_patch(screen: Screen, window: tuple[int, int, int, int]) -> tuple[tuple[int, int], float, float]:
    """The corner of the square that the expression changes most, the change that is surely no idle motion, and all.

    Changes are mean differences of 0 to 255.
    """
    left, top, width, height = window
    area = (left + width // 8, top + height // 10, width // 2, height // 2)
    still = [screen.grab(*area)]
    for _ in range(20):
        threading.Event().wait(0.15)
        still.append(screen.grab(*area))
    press().wait()
    threading.Event().wait(1.0)
    changed = np.abs(screen.grab(*area) - still[-1]).mean(axis=2)
    press().wait()
    threading.Event().wait(1.0)
    # As long apart as a press takes: what drifts slower, such as the breath, is not taken for a change.
    idle = [np.abs(late - early).mean(axis=2) for early, late in itertools.pairwise(still)]
    rows, columns = changed.shape[0] // PATCH_PX, changed.shape[1] // PATCH_PX

    def squares(values: Any) -> Any:
        cut = values[: rows * PATCH_PX, : columns * PATCH_PX]
        return cut.reshape(rows, PATCH_PX, columns, PATCH_PX).mean(axis=(1, 3))

    full_by_square, noise_by_square = squares(changed), np.max([squares(each) for each in idle], axis=0)
    gain = full_by_square - 8.0 * noise_by_square
    row, column = np.unravel_index(int(np.argmax(gain)), gain.shape)
    full, noise = float(full_by_square[row, column]), float(noise_by_square[row, column])
    if full < 8.0 or full < 8.0 * noise:
        raise SystemExit(f"No part of the window shows the expression clearly ({full:.1f} of 255, idle {noise:.1f}).")
    threshold = max(3.0 * noise, 0.02 * full, 0.5)
    return (area[0] + int(column) * PATCH_PX, area[1] + int(row) * PATCH_PX), threshold, full


def measure(screen: Screen, corner: tuple[int, int], threshold: float) -> tuple[float, float] | None:
    """One press: ms from the key, and from the start of xdotool, until the face has changed. None: it did not."""
    place = (*corner, PATCH_PX, PATCH_PX)
    before = screen.grab(*place)
    began_ns = time.perf_counter_ns()
    tool = press()
    down_ns: int | None = None
    deadline_ns = began_ns + int(GIVE_UP_S * 1e9)
    try:
        while time.perf_counter_ns() < deadline_ns:
            if down_ns is None:
                if screen.is_down():
                    down_ns = time.perf_counter_ns()
                continue
            if float(np.abs(screen.grab(*place) - before).mean()) > threshold:
                seen_ns = time.perf_counter_ns()
                return (seen_ns - down_ns) / 1e6, (seen_ns - began_ns) / 1e6
            time.sleep(0.001)  # or the reading itself would take a core from what is measured
    finally:
        tool.wait()
    return None


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    if not os.environ.get("DISPLAY") or shutil.which("xdotool") is None:
        print("This needs an X11 display and xdotool (sudo apt install xdotool xvfb).", file=sys.stderr)
        return 1
    chance = random.Random(6)
    timings: list[tuple[float, float]] = []
    missed = 0
    with tempfile.TemporaryDirectory(prefix="kuchipaku-hotkeys-") as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        if shutil.which("openbox"):
            manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(manager.wait, 5)
            stack.callback(manager.terminate)
        process = stack.enter_context(app_running(folder))
        wait_until_ready(folder, process)
        screen = Screen()
        window = screen.window("Kuchipaku")
        if window is None:
            raise SystemExit("The window is not there.")
        threading.Event().wait(2.0)
        screen.focus_other()
        corner, threshold, full = find_patch(screen, window)
        load = os.getloadavg()[0]
        focused = 0
        for _ in range(arguments.presses):
            threading.Event().wait(SETTLE_S + chance.random() * 0.1)
            focused += screen.is_other_focused
            found = measure(screen, corner, threshold)
            if found is None:
                missed += 1
            else:
                timings.append(found)
        told = facts(folder)
        pressed = sum(each["stage"] == "keys" and each["event"] == "pressed" for each in told)
    if not timings:
        raise SystemExit("No press changed the face.")
    from_key, from_tool = (np.array(each) for each in zip(*timings, strict=True))
    report = {
        "presses": arguments.presses,
        "changed": len(timings),
        "missed": missed,
        "other_window_focused": focused,
        "pressed_facts": pressed - 2,
        "p50_ms": round(float(np.percentile(from_key, 50)), 1),
        "p95_ms": round(float(np.percentile(from_key, 95)), 1),
        "max_ms": round(float(from_key.max()), 1),
        "p95_to_gate_and_face_ms": on_the_way(told),
        "p95_with_xdotool_start_ms": round(float(np.percentile(from_tool, 95)), 1),
        "full_change": round(full, 1),
        "threshold": round(threshold, 2),
        "load_1min": [round(load, 1), round(os.getloadavg()[0], 1)],
        "cores": os.cpu_count(),
        "machine": platform.platform(),
    }
    if arguments.json:
        print(json.dumps(report))
    else:
        print(f"{report['changed']} of {report['presses']} presses changed the face, another window focused.")
        print(f"From the key down to a changed pixel: median {report['p50_ms']} ms, 95 % within {report['p95_ms']} ms,")
        print(f"at most {report['max_ms']} ms. Load {report['load_1min']}, {report['cores']} cores.")
    return 0 if missed == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
