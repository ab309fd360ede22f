"""What is wrong with a virtual camera, and what to do about it: from the words of the library that opens it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LOAD_LINUX = 'sudo modprobe v4l2loopback exclusive_caps=1 card_label="Kuchipaku"'
INSTALL = {
    "linux": (
        "Install the v4l2loopback module (Debian and Ubuntu: sudo apt install v4l2loopback-dkms, Fedora with RPM "
        f"Fusion: akmod-v4l2loopback, Arch: v4l2loopback-dkms), then run: {LOAD_LINUX}"
    ),
    "darwin": (
        "Install OBS Studio 30 or newer, click Start Virtual Camera in OBS, allow its extension in System Settings, "
        "click Stop Virtual Camera, then switch the camera on here."
    ),
    "win32": (
        "Install OBS Studio, whose virtual camera comes with it, or Unity Capture (github.com/schellingb/UnityCapture, "
        "Install.bat); then switch the camera on here."
    ),
}
"""How a virtual camera gets onto a computer, by `sys.platform`."""

_TAKEN = (
    "already in use",  # pyvirtualcam on Linux: this very program has it
    "is not a video output device",  # v4l2loopback with exclusive_caps, while another program sends to it
    "resource busy",
    "output could not be started",  # pyvirtualcam for OBS on Windows, while OBS itself sends
    "couldn't start stream",  # the same on macOS
    "multiple cameras are not supported",
)


def explain(
    error: str, platform: str, wanted: str, size_px: tuple[int, int], holders: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """Problem and remedy for a camera that could not be opened.

    Args:
        error: What the library said (pyvirtualcam 0.15; of all its backends, where it has tried several).
        platform: As `sys.platform`.
        wanted: The device that was asked for; "" for any.
        size_px: Width and height that were asked for.
        holders: The virtual cameras that are there, each with the programs that have it open, as far as is known.
    """
    said = error.lower()
    name = wanted or "The virtual camera"
    install = INSTALL.get(platform, INSTALL["linux"])
    if "missing permissions" in said or "permission denied" in said:
        return (
            f"{name} may not be written to by you: no virtual camera was opened.",
            "Add yourself to the group video (sudo usermod -aG video $USER), log out, and log in again.",
        )
    if wanted and platform == "linux" and "does not exist" in said:
        others = ", ".join(holders)
        remedy = f"Choose another device ({others})." if others else install
        return f"There is no virtual camera {wanted}.", remedy
    is_real = wanted and platform == "linux" and wanted not in holders
    if is_real and ("not a video output" in said or "not a v4l2 device" in said):
        return (
            f"{wanted} is no virtual camera: it shows what is before its lens.",
            f"Choose another device. {install}" if not holders else f"Choose another device: {', '.join(holders)}.",
        )
    if any(words in said for words in _TAKEN) or ("no v4l2 loopback device" in said and holders):
        return _taken(platform, wanted, holders)
    if "could not be configured" in said or "unsupported image format" in said:
        width_px, height_px = size_px
        return (
            f"{name} does not take pictures of {width_px} × {height_px}.",
            "Close the programs that show it, then switch it on again; or choose another size.",
        )
    if "no camera registered with this name" in said or "supports only the" in said:
        return f"There is no virtual camera called {wanted}.", "Choose another device, or the first that is free."
    if any(
        words in said for words in ("no v4l2 loopback device", "not found", "not installed", "no camera registered")
    ):
        return "There is no virtual camera on this computer.", install
    return f"No virtual camera could be opened: {' '.join(error.split())}", install


def _taken(platform: str, wanted: str, holders: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    programs = sorted(
        {program for names in holders.values() for program in names} if not wanted else holders.get(wanted, ())
    )
    device = wanted or (", ".join(holders) if holders else "The virtual camera")
    who = f" It is open in {', '.join(programs)}." if programs else ""
    remedy = "Switch it off there (in OBS: Stop Virtual Camera) and on again here, or choose another device."
    if platform == "linux":
        remedy += (
            " For a second camera: sudo modprobe -r v4l2loopback, then "
            "sudo modprobe v4l2loopback devices=2 exclusive_caps=1,1"
        )
    return f"Another program sends to the virtual camera {device}.{who}", remedy
