"""How soon is the window there, how soon does the character move, and what does the window cost while nobody speaks?

Starts the real app on a display of its own (Xvfb, with openbox where it is installed), once to fill the file cache and
then --runs times, and measures from the start of the process:

- visible: the window is mapped and something is drawn in it;
- moving: the picture of the character's face on the screen has changed three times within half a second;
- ready: every part has loaded that a talk needs (Whisper, brain, voice, face); a microphone or loudspeaker that the
  machine lacks is left out and named.

Then it waits until the character is silent and adds up the processor time of the window's process alone, from /proc,
over --idle seconds: of the whole process, and of each of its threads by name. The face, which is drawn in a process of
its own, is given beside it. Linux only. Needs Xvfb and python-xlib.

    python benchmarks/window.py [--runs 3] [--idle 20] [--size 1280x800] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from Xlib import X, display, error

ROOT = Path(__file__).resolve().parents[1]
TITLE = "Kuchipaku"
NEEDED = ("stt", "llm", "tts", "avatar")
DEVICES = ("capture", "playback")
LONGEST_S = 90.0
TICKS_HZ = os.sysconf("SC_CLK_TCK")


@contextmanager
def screen(width_px: int, height_px: int) -> Iterator[str]:
    """A display of our own with a window manager; gives its name."""
    read, write = os.pipe()
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width_px}x{height_px}x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as answer:
        name = f":{answer.readline().strip()}"
    manager = None
    if shutil.which("openbox"):
        manager = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": name}, stderr=subprocess.DEVNULL)
    try:
        yield name
    finally:
        for process in (manager, xvfb):
            if process is not None:
                process.terminate()
                process.wait(10)


def find_window(root: Any) -> Any | None:
    """The app's window where it is mapped, else None."""
    pending = [root]
    while pending:
        window = pending.pop()
        try:
            if window.get_wm_name() == TITLE and window.get_attributes().map_state == X.IsViewable:
                return window
            pending += window.query_tree().children
        except error.XError:
            continue  # closed meanwhile
    return None


def picture(window: Any) -> bytes:
    """A strip of the window through the face, left of the middle; b"" where it cannot be read."""
    try:
        size = window.get_geometry()
        left, width = size.width // 5, size.width // 4
        grabbed: bytes = window.get_image(left, size.height // 3, width, 40, X.ZPixmap, 0xFFFFFF).data
    except error.XError:
        return b""
    return grabbed


def processes_below(pid: int) -> list[int]:
    """Child processes, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *processes_below(int(child))]
    return found


def cpu_s(stat: Path) -> tuple[str, float]:
    """Name and processor seconds, user and system, of a process or thread."""
    text = stat.read_text()
    name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    return name, (int(rest[11]) + int(rest[12])) / TICKS_HZ


def threads(pid: int) -> dict[str, tuple[str, float]]:
    """Name and processor seconds of each thread of a process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found[task.name] = cpu_s(task / "stat")
        except OSError:
            continue
    return found


class Trace:
    """The facts that the app has written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.states: dict[str, str] = {}
        self.ready_at_s: dict[str, float] = {}
        """When each part was first seen to have loaded, in s on `time.monotonic`."""
        self.last_talk_s = 0.0
        self.frames: list[dict[str, Any]] = []

    def read(self) -> None:
        """Take in what has come."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            lines = file.read()
        whole = lines.rfind(b"\n") + 1
        self._at += whole
        for line in lines[:whole].splitlines():
            fact = json.loads(line)
            if fact["event"] == "state":
                self.states[fact["stage"]] = fact["state"]
                if fact["state"] == "ready":
                    self.ready_at_s.setdefault(fact["stage"], time.monotonic())
            elif fact["stage"] == "playback":
                self.last_talk_s = time.monotonic()
            elif (fact["stage"], fact["event"]) == ("avatar", "frames"):
                self.frames.append(fact)


def run_once(display_name: str, idle_s: float) -> dict[str, Any]:
    """Start the app, measure, end it."""
    with tempfile.TemporaryDirectory() as folder:
        trace_file = Path(folder) / "trace.jsonl"
        environment = {
            **os.environ,
            "DISPLAY": display_name,
            "QT_QPA_PLATFORM": "xcb",
            "KUCHIPAKU_CONFIG": folder,
            "KUCHIPAKU_MEMORY": f"{folder}/memory.sqlite3",
            "KUCHIPAKU_HISTORY": f"{folder}/history.sqlite3",
        }
        environment.pop("WAYLAND_DISPLAY", None)
        (Path(folder) / "settings.toml").write_text("version = 1\n\n[window]\nfirst_steps = false\n")
        start_s = time.monotonic()
        app = subprocess.Popen(
            [sys.executable, "-m", "app", "run", "--trace", str(trace_file)],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _watch(app, display.Display(display_name), Trace(trace_file), start_s, idle_s)
        finally:
            app.send_signal(signal.SIGINT)
            try:
                app.wait(10)
            except subprocess.TimeoutExpired:
                app.kill()
                app.wait()


def _watch(app: subprocess.Popen[bytes], x: Any, trace: Trace, start_s: float, idle_s: float) -> dict[str, Any]:
    result: dict[str, Any] = {}
    root, window, last, changes = x.screen().root, None, b"", []
    while (at_s := time.monotonic() - start_s) < LONGEST_S:
        if app.poll() is not None:
            raise SystemExit(f"the app ended with {app.returncode}")
        trace.read()
        if window is None:
            window = find_window(root)
        if window is not None:
            now = picture(window)
            if now and "visible_s" not in result and len(set(now)) > 4:
                result["visible_s"] = round(at_s, 2)
            if now and last and now != last:
                changes = [*(t for t in changes if at_s - t < 0.5), at_s]
                if len(changes) >= 3 and "moving_s" not in result:
                    result["moving_s"] = round(at_s, 2)
            last = now
        settled = all(trace.states.get(stage) in ("ready", "failed", "off") for stage in (*NEEDED, *DEVICES))
        if settled and "moving_s" in result:
            break
        time.sleep(0.02)
    result["ready_s"] = round(max(trace.ready_at_s.get(stage, float("inf")) for stage in NEEDED) - start_s, 2)
    result["loaded_s"] = {stage: round(at_s - start_s, 2) for stage, at_s in trace.ready_at_s.items()}
    result["not_here"] = sorted(stage for stage, state in trace.states.items() if state == "failed")
    while time.monotonic() - max(trace.last_talk_s, start_s + 10) < 6:
        time.sleep(0.2)
        trace.read()
    frames_before = len(trace.frames)
    before, face_before = (
        threads(app.pid),
        {pid: cpu_s(Path(f"/proc/{pid}/stat"))[1] for pid in processes_below(app.pid)},
    )
    whole_before, begun = cpu_s(Path(f"/proc/{app.pid}/stat"))[1], time.monotonic()
    time.sleep(idle_s)
    whole, took_s = cpu_s(Path(f"/proc/{app.pid}/stat"))[1] - whole_before, time.monotonic() - begun
    after = threads(app.pid)
    trace.read()
    by_name: dict[str, float] = {}
    for task, (name, spent_s) in after.items():
        name = "gui" if task == str(app.pid) else name
        by_name[name] = by_name.get(name, 0.0) + spent_s - before.get(task, (name, 0.0))[1]
    result["idle_percent"] = round(100 * whole / took_s, 1)
    result["threads_percent"] = {
        name: round(100 * s / took_s, 1) for name, s in sorted(by_name.items(), key=lambda each: -each[1]) if s > 0
    }
    result["face_percent"] = round(
        100 * sum(cpu_s(Path(f"/proc/{pid}/stat"))[1] - s for pid, s in face_before.items()) / took_s, 1
    )
    shown = trace.frames[frames_before:]
    result["face_fps"] = round(statistics.median(each["fps"] for each in shown), 1) if shown else 0.0
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds")
    parser.add_argument("--size", default="1280x800", help="of the screen")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    width_px, height_px = map(int, arguments.size.split("x"))
    with screen(width_px, height_px) as name:
        run_once(name, 0.1)
        runs = [run_once(name, arguments.idle) for _ in range(arguments.runs)]
    report = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(), "runs": runs}
    if arguments.json:
        print(json.dumps(report))
        return
    for key, limit in (("visible_s", 1.5), ("moving_s", 3.0), ("ready_s", 10.0), ("idle_percent", 10.0)):
        values = [run.get(key, float("nan")) for run in runs]
        print(f"{key:<14} median {statistics.median(values):6.2f}   worst {max(values):6.2f}   limit {limit:g}")
    for run in runs:
        print(run)


if __name__ == "__main__":
    main()
