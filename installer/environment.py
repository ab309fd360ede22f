"""The virtual environment in `.venv`: made once, filled with pip, known to be ready by a stamp."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from installer.console import InstallError, say, warn

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ASK_PIP = ["--disable-pip-version-check", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-"]
OLDEST_PIP = (23, 2)
"""Earlier ones download a whole wheel to answer a dry run, which for a CUDA build of torch is about 900 MB."""


@dataclass(frozen=True)
class Stamp:
    """What `.venv` was filled for; a start is quick while this is still true."""

    fingerprint: str
    interpreter: str
    dev: bool


class Environment:
    """`.venv` of the checkout at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._stamp_file = self.folder / "kuchipaku-setup.json"

    def is_ready(self, dev: bool) -> bool:
        """Whether everything that pyproject.toml asks for was installed here, by this Python, at this place."""
        stamp = self._stamp()
        return stamp is not None and self._belongs_here(stamp) and (stamp.dev or not dev)

    def fill(self, dev: bool) -> None:
        """Make the environment and install torch and Kuchipaku into it. Can be interrupted and run again.

        Raises:
            InstallError: No venv module, no network, or pip failed (it has then said why).
        """
        self._create()
        dev = dev or (stamp.dev if (stamp := self._stamp()) else False)
        self._stamp_file.unlink(missing_ok=True)
        self._renew_pip()
        self._install_torch()
        say("Installing Kuchipaku and what it is built on")
        self._pip("--only-binary=:all:", "--editable", ".[dev]" if dev else ".")
        stamp = Stamp(self._fingerprint(), self._interpreter(), dev)
        fresh = self._stamp_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(stamp), indent=2), "utf-8")
        os.replace(fresh, self._stamp_file)

    def command(self, module: str, *arguments: str) -> list[str]:
        """The command that runs `module` here. -P: whatever lies in the user's current folder is not imported."""
        return [str(self.python), "-P", "-m", module, *arguments]

    def _stamp(self) -> Stamp | None:
        try:
            return Stamp(**json.loads(self._stamp_file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _belongs_here(self, stamp: Stamp) -> bool:
        return (stamp.fingerprint, stamp.interpreter) == (self._fingerprint(), self._interpreter())

    def _interpreter(self) -> str:
        # An upgrade of the system's Python changes where this link ends, and with it which packages are seen.
        return os.path.realpath(self.python) if self.python.exists() else ""

    def _fingerprint(self) -> str:
        # The place counts: an environment that was moved still points to where it was made.
        facts = [sys.platform, platform.machine(), str(self.root), (self.root / "pyproject.toml").read_text("utf-8")]
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()

    def _create(self) -> None:
        stamp = self._stamp()
        upgraded = stamp is not None and stamp.interpreter != self._interpreter()
        if not upgraded and self.python.exists() and self._ask("import pip") is not None:
            return
        say(f"Making a virtual environment in {self.folder}")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.folder)], check=False)
        if made.returncode != 0:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise InstallError(
                "Python could not make a virtual environment.",
                f"On Debian and Ubuntu run: sudo apt-get install python{version}-venv. "
                "Elsewhere install Python from https://www.python.org/downloads/. Also see that the disk is not full.",
            )

    def _ask(self, code: str) -> str | None:
        done = subprocess.run([str(self.python), "-P", "-c", code], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def _pip(self, *arguments: str) -> None:
        # Output goes straight to the user: pip draws its bars on a terminal and prints lines elsewhere.
        command = self.command("pip", "install", "--disable-pip-version-check", *arguments)
        if subprocess.run(command, cwd=self.root, check=False).returncode != 0:
            raise InstallError(
                "pip could not install everything; its last lines say why.",
                "Check the connection to the internet and the free space, then run the same command again: "
                "it goes on where it stopped.",
            )

    def _renew_pip(self) -> None:
        version = self._ask("import pip; print(pip.__version__)") or "0.0"
        if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST_PIP:
            say(f"Renewing pip {version}")
            self._pip("--upgrade", "pip")

    def _install_torch(self) -> None:
        requirement = torch_requirement(self.root / "pyproject.toml")
        version = self._ask("import importlib.metadata as m; print(m.version('torch'))") or ""
        if version.split("+")[0] == requirement.removeprefix("torch=="):
            return
        say(f"Installing PyTorch ({requirement})")
        self._pip(*torch_arguments(requirement, self._build_offered, has_nvidia_gpu()), requirement)

    def _build_offered(self, arguments: Sequence[str]) -> str:
        """The version that pip would install with `arguments`, or "" if it found none."""
        command = self.command("pip", "install", *ASK_PIP, *arguments)
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        try:
            return str(json.loads(done.stdout)["install"][0]["metadata"]["version"])
        except (ValueError, LookupError):
            return ""


def torch_requirement(pyproject: Path) -> str:
    """The pinned torch of pyproject.toml, as "torch==VERSION"."""
    dependencies: list[str] = tomllib.loads(pyproject.read_text("utf-8"))["project"]["dependencies"]
    return next(item for item in dependencies if item.startswith("torch=="))


def has_nvidia_gpu() -> bool:
    """Whether an NVIDIA driver is there."""
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


def torch_arguments(
    requirement: str, build_offered: Callable[[Sequence[str]], str], nvidia: bool, system: str = sys.platform
) -> list[str]:
    """Further pip arguments for torch: without an NVIDIA GPU the CPU build (200 MB), not the CUDA one (3 GB).

    Args:
        requirement: "torch==VERSION".
        build_offered: Which version pip would take with given arguments; local versions end in "+cpu" and so on.
        nvidia: An NVIDIA GPU is there: the index's own build is the CUDA one.
        system: As `sys.platform`. Only on Linux does the package index carry CUDA builds by default.
    """
    if nvidia or system != "linux":
        return []
    # The user's own pip configuration may already offer a CPU build; it is asked first.
    if "+cpu" in build_offered([requirement]):
        return []
    from_pytorch = ["--extra-index-url", TORCH_CPU_INDEX]
    if "+cpu" in build_offered(["--timeout", "8", "--retries", "1", *from_pytorch, requirement]):
        return from_pytorch
    warn(
        "No CPU build of PyTorch is to be had here, so pip takes the index's own build, which may weigh 3 GB.",
        f"If that is too much, make {TORCH_CPU_INDEX} reachable and start again.",
    )
    return []
