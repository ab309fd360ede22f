"""System libraries that no Python wheel brings: sound (PortAudio) and what Qt needs to open a window on Linux."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from installer.console import confirm, say, warn

# What Qt's core, gui and D-Bus libraries and its xcb and wayland plugins (PySide6 6.12) link to and do not bring.
_DEBIAN_RUNTIME = (
    "libportaudio2 libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libfreetype6 libx11-6 libx11-xcb1 "
    "libwayland-client0 libwayland-cursor0 libxkbcommon0 libxkbcommon-x11-0 libxcb1 libxcb-cursor0 libxcb-glx0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render0 libxcb-render-util0 libxcb-shape0 "
    "libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1"
)
DEBIAN_RUNTIME = _DEBIAN_RUNTIME.split()
# The last lines: a sound server, a virtual machine with virtual cameras (tests/v4l2), fonts for captions in Hindi and
# Japanese.
_DEBIAN_TEST = (
    "xvfb xauth "
    "pulseaudio pulseaudio-utils libasound2-plugins "
    "qemu-system-x86 busybox-static cpio kmod gcc make ffmpeg "
    "fonts-dejavu-core fonts-lohit-deva fonts-ipafont-gothic"
)
DEBIAN_TEST = _DEBIAN_TEST.split()
DEBIAN_VIEWERS = ["obs-studio", "obs-plugins", "openbox", "chromium"]
"""Programs in which the tests look at the character; where one is missing, its tests are skipped."""

OTHER_COMMANDS = {
    "fedora": "sudo dnf install portaudio mesa-libEGL mesa-libGL libxkbcommon-x11 xcb-util-cursor xcb-util-image "
    "xcb-util-keysyms xcb-util-renderutil xcb-util-wm",
    "arch": "sudo pacman -S --needed portaudio libglvnd libxkbcommon-x11 xcb-util-cursor xcb-util-image "
    "xcb-util-keysyms xcb-util-renderutil xcb-util-wm",
    "suse": "sudo zypper install libportaudio2 Mesa-libEGL1 Mesa-libGL1 libxkbcommon-x11-0 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0",
}
PROBES = ("portaudio", "EGL", "xkbcommon-x11", "xcb-cursor")
"""Libraries whose absence is noticed on distributions whose package manager is not asked."""


def distribution_family(os_release: str) -> str:
    """The family ("debian", "fedora", "arch", "suse" or "") that the text of /etc/os-release tells."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = " ".join(fields.get(key, "").strip("\"'").lower() for key in ("ID", "ID_LIKE")).split()
    aliases = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse", "opensuse-leap": "suse"}
    for name in names:
        family = aliases.get(name, name)
        if family == "debian" or family in OTHER_COMMANDS:
            return family
    return ""


def missing_packages(wanted: Iterable[str], dpkg_status: str) -> list[str]:
    """Which of `wanted` are neither installed nor provided.

    Args:
        wanted: Debian package names.
        dpkg_status: Lines "STATUS|PACKAGE|PROVIDES" of dpkg-query. What provides a name counts: Debian 13 and
            Ubuntu 24.04 renamed libglib2.0-0 to libglib2.0-0t64 and so on.
    """
    there: set[str] = set()
    for line in dpkg_status.splitlines():
        status, package, provides = (*line.split("|"), "", "")[:3]
        if status.startswith("ii"):
            there.add(package)
            there.update(item.split("(")[0].split(":")[0].strip() for item in provides.split(","))
    return [package for package in wanted if package not in there]


def ensure(dev: bool, yes: bool, offline: bool) -> None:
    """Install what is missing where that can be done; otherwise print the command. Never fails.

    Args:
        dev: Also what the tests need (a display server without a display, a sound server, a virtual machine, fonts).
        yes: Do not ask.
        offline: Only say what is missing.
    """
    if sys.platform != "linux":
        return
    try:
        family = distribution_family(Path("/etc/os-release").read_text("utf-8"))
    except OSError:
        family = ""
    if family == "debian" and shutil.which("dpkg-query"):
        _ensure_debian(dev, yes, offline)
    elif absent := [name for name in PROBES if not ctypes.util.find_library(name)]:
        command = OTHER_COMMANDS.get(family, "install PortAudio, EGL, libxkbcommon-x11 and the xcb-util libraries")
        warn(f"These system libraries were not found: {', '.join(absent)}.", f"With your package manager: {command}")


def _ensure_debian(dev: bool, yes: bool, offline: bool) -> None:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Package}|${Provides}\n"]
    status = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    wanted = [*DEBIAN_RUNTIME, *(DEBIAN_TEST if dev else [])]
    if not importlib.util.find_spec("ensurepip"):  # Debian's python3 cannot make a venv without this
        wanted.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    missing = missing_packages(wanted, status)
    root = os.geteuid() == 0
    if dev and (viewers := missing_packages(DEBIAN_VIEWERS, status)):
        _ensure_viewers(viewers, root, yes and not offline)
    if not missing:
        say("  all there")
        return
    by_hand = "sudo apt-get install " + " ".join(missing)
    if offline or not (root or shutil.which("sudo")):
        warn("Some system packages are missing, and they cannot be installed from here.", f"Later: {by_hand}")
        return
    if not yes:
        if not sys.stdin.isatty():
            warn("Some system packages are missing.", f"Run this, or start again with --yes: {by_hand}")
            return
        say("  missing: " + " ".join(missing))
        if not confirm("  Install them with apt-get now?"):
            warn("Kuchipaku may not open its window or the microphone.", f"Later: {by_hand}")
            return
    if not _apt_install(missing, [] if root else ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]):
        warn("apt-get did not install everything.", f"Try by hand: sudo apt-get update && {by_hand}")


def _ensure_viewers(missing: Sequence[str], root: bool, may_install: bool) -> None:
    """One by one, because none has to be there: on Ubuntu chromium is a snap, which not every machine can take."""
    if may_install and (root or shutil.which("sudo")):
        prefix = [] if root else ["sudo", "-n"]
        missing = [name for name in missing if not _apt_install([name], prefix)]
    if missing:
        say("  not installed, so the tests that need them are skipped: " + " ".join(missing))


def _apt_install(packages: Sequence[str], prefix: Sequence[str]) -> bool:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    say("  " + shlex.join(install))
    if subprocess.run(install, check=False).returncode == 0:
        return True
    # Fresh machines have no package lists yet.
    subprocess.run([*apt, "update"], check=False)
    return subprocess.run(install, check=False).returncode == 0
