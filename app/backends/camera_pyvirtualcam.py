"""The virtual camera, through pyvirtualcam."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.canvas import Canvas, Overlay, Picture, Scene, i420
from app.errors import AppError
from app.messages import Frame
from app.policy.virtual_camera import explain

_LOOPBACKS = Path("/sys/devices/virtual/video4linux")
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus, version, capabilities, and those of this device file."""
_VIDIOC_QUERYCAP = 0x80685600
_VIDEO_CAPTURE, _VIDEO_OUTPUT = 0x1, 0x2
"""V4L2_CAP_VIDEO_CAPTURE, V4L2_CAP_VIDEO_OUTPUT."""
_VIDIOC_STREAMON = 0x40045612
_BUFFERS_OF_OUTPUT = struct.pack("=i", 2)
"""V4L2_BUF_TYPE_VIDEO_OUTPUT. Source of all: the kernel's userspace API, linux/videodev2.h."""


class VirtualCamera:
    """A FrameSink that streaming software sees as a webcam. Opened, fed and closed on one thread at a time."""

    def __init__(
        self,
        width_px: int = 1280,
        height_px: int = 720,
        device: str | None = None,
        scene: Callable[[], Scene] = Scene,
        captions: Callable[[int, int], Overlay | None] = lambda *_: None,
    ) -> None:
        """`scene` and `captions` (by the canvas's width and height) are asked with every frame and must not wait.

        Of an odd size a line is left out: colour is sent at half the resolution.
        """
        self._canvas = Canvas(width_px & ~1, height_px & ~1)
        self._scene = scene
        self._captions = captions
        self._wanted = device
        self._camera: Any = None
        self._convert: Callable[[Picture], npt.NDArray[np.uint8]] = i420
        self._node: int | None = None
        """Which device the file stood for when it was opened, on Linux."""
        self.device = device or "virtual camera"

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Open the device; the frame size is the canvas's own, whatever the character's is."""
        try:
            import pyvirtualcam
        except ImportError as error:
            raise AppError(
                f"The virtual camera library does not load: {error}.", "Run `python installer setup`."
            ) from error
        size_px = (self._canvas.width_px, self._canvas.height_px)
        refusals = []
        for device, backend, pixel_format, convert in _ways(self._wanted, pyvirtualcam.PixelFormat):
            try:
                _check_writable(device)
                self._camera = pyvirtualcam.Camera(
                    width=size_px[0], height=size_px[1], fps=fps, fmt=pixel_format, device=device, backend=backend
                )
            except (RuntimeError, ValueError, KeyError, OSError) as error:
                refusals.append(str(error))
            else:
                self._convert = convert
                break
        else:
            said = "; ".join(refusals) or "No v4l2 loopback device"
            raise AppError(*explain(said, _platform(), self._wanted or "", size_px, programs_by_camera()))
        self.device = str(self._camera.device)
        self._node = _node(self.device)

    def send(self, frame: Frame) -> None:
        """Send one frame. Raises AppError if the device has gone."""
        if self._camera is None:
            return
        scene = self._scene()
        if scene is not self._canvas.scene:
            self._canvas.set_scene(scene)
        captions = self._captions(self._canvas.width_px, self._canvas.height_px)
        picture = self._convert(self._canvas.place(frame.pixels, captions))
        try:
            self._camera.send(picture)
        except (RuntimeError, OSError) as error:
            problem = f"The virtual camera stopped taking pictures: {error}"
            raise AppError(problem, "It is opened again as soon as it is back.") from error
        # pyvirtualcam prints what Linux refuses to take, and raises nothing.
        if self._node is not None and _node(self.device) != self._node:
            raise AppError(
                f"The virtual camera {self.device} has been taken away.",
                "It is opened again as soon as it is back, or choose another device.",
            )

    def close(self) -> None:
        """Release the device; safe to call twice."""
        camera, self._camera = self._camera, None
        if camera is not None:
            if self._node is not None:
                _give_back(self.device)
            camera.close()


def _ways(
    wanted: str | None, formats: Any
) -> Iterable[tuple[str | None, str | None, Any, Callable[[Picture], npt.NDArray[np.uint8]]]]:
    """The devices and backends to try, each with the format whose colours arrive as they are, and what makes it."""
    if _platform() == "win32":
        yield wanted, "obs", formats.I420, i420
        # Unity Capture's filter hands on RGBA; pyvirtualcam would make it of I420 by BT.601.
        yield wanted, "unitycapture", formats.RGB, np.asarray
    elif _platform() == "linux" and not wanted:
        # pyvirtualcam would open every camera on its way to the first virtual one, and wake the real ones.
        virtual = list(programs_by_camera())
        for device in virtual:
            yield device, None, formats.I420, i420
        if not virtual and not any(Path("/dev").glob("video*")):
            yield None, None, formats.I420, i420
    else:
        yield wanted, None, formats.I420, i420


def _platform() -> str:
    return "linux" if sys.platform.startswith("linux") else sys.platform


def _node(device: str) -> int | None:
    """The number of the device behind a file in /dev; None elsewhere, and where there is none."""
    if not device.startswith("/dev/"):
        return None
    try:
        return os.stat(device).st_rdev
    except OSError:
        return None


def _check_writable(device: str | None) -> None:
    """Raise RuntimeError, in pyvirtualcam's words, for a device of Linux that takes no pictures just now.

    pyvirtualcam finds out the same, but then leaves the device open for good: whoever tries again and again runs out of
    files, and a camera that somebody has open is never free again.
    """
    if device is None or _platform() != "linux":
        return
    capabilities = _capabilities(device)
    if not capabilities & (_VIDEO_CAPTURE | _VIDEO_OUTPUT):
        # Nobody sends, or there would be something to capture: whoever sent last did not give it back.
        _give_back(device)
        capabilities = _capabilities(device)
    if not capabilities & _VIDEO_OUTPUT:
        raise RuntimeError(f"Device {device} is not a video output device.")


def _capabilities(device: str) -> int:
    """What a device file can do just now. Raises RuntimeError in pyvirtualcam's words."""
    import fcntl  # not on Windows

    try:
        opened = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise RuntimeError(f"Device {device} does not exist.") from error
    except PermissionError as error:
        raise RuntimeError(f"Could not access {device} due to missing permissions.") from error
    except OSError as error:
        raise RuntimeError(f"Device {device} could not be opened: {error.strerror}") from error
    try:
        capability = bytearray(_CAPABILITY.size)
        fcntl.ioctl(opened, _VIDIOC_QUERYCAP, capability)
        _, _, _, _, _, device_caps = _CAPABILITY.unpack(capability)
    except OSError as error:
        raise RuntimeError(f"Device {device} is not a V4L2 device.") from error
    finally:
        os.close(opened)
    return int(device_caps)


def _give_back(device: str) -> None:
    """Let others send to a device that this program sends to, or nobody.

    v4l2loopback 0.12 (Debian 12, Ubuntu 22.04) with exclusive_caps is never free again after a sender that writes its
    pictures, as pyvirtualcam does: it only looks whether whoever closes it has streamed. Later versions need nothing.
    """
    import fcntl  # not on Windows

    with contextlib.suppress(OSError):
        opened = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(opened, _VIDIOC_STREAMON, _BUFFERS_OF_OUTPUT)
        finally:
            os.close(opened)


def programs_by_camera(loopbacks: Path = _LOOPBACKS, processes: Path = Path("/proc")) -> dict[str, list[str]]:
    """The virtual cameras that Linux has, each with the programs that have it open, as far as this user may know."""
    found: dict[str, list[str]] = {f"/dev/{entry.name}": [] for entry in sorted(loopbacks.glob("video*"))}
    if not found:
        return found
    for process in processes.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            opened = {os.readlink(descriptor) for descriptor in (process / "fd").iterdir()}
            name = (process / "comm").read_text("utf-8").strip()
        except OSError:  # it has ended, or is another user's
            continue
        for device in opened & found.keys():
            found[device].append(name)
    return found
