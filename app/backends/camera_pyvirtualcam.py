"""The virtual camera, through pyvirtualcam."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from app.canvas import Canvas, Scene, i420
from app.errors import AppError
from app.messages import Frame

REMEDIES = {
    "linux": (
        "Install the v4l2loopback module (Debian/Ubuntu: sudo apt install v4l2loopback-dkms), then run: "
        'sudo modprobe v4l2loopback exclusive_caps=1 card_label="Kuchipaku"'
    ),
    "darwin": "Install OBS Studio 30 or newer, start and stop its virtual camera once, then switch it on here.",
    "win32": "Install OBS Studio (its virtual camera comes with it), restart Kuchipaku, then switch the camera on.",
}


class VirtualCamera:
    """A FrameSink that streaming software sees as a webcam. Opened, fed and closed on one thread at a time."""

    def __init__(
        self,
        width_px: int = 1280,
        height_px: int = 720,
        device: str | None = None,
        scene: Callable[[], Scene] = Scene,
    ) -> None:
        """`scene` is asked with every frame and must not wait."""
        self._canvas = Canvas(width_px, height_px)
        self._scene = scene
        self._wanted = device
        self._camera: Any = None
        self.device = device or "virtual camera"

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Open the device; the frame size is the canvas's own, whatever the character's is."""
        try:
            import pyvirtualcam
        except ImportError as error:
            raise AppError(
                f"The virtual camera library does not load: {error}.", "Run `python installer setup`."
            ) from error
        try:
            self._camera = pyvirtualcam.Camera(
                width=self._canvas.width_px,
                height=self._canvas.height_px,
                fps=fps,
                fmt=pyvirtualcam.PixelFormat.I420,
                device=self._wanted,
            )
        except (RuntimeError, KeyError, OSError) as error:
            platform = "linux" if sys.platform.startswith("linux") else sys.platform
            problem = f"No virtual camera could be opened: {' '.join(str(error).split())}"
            raise AppError(problem, REMEDIES.get(platform, REMEDIES["linux"])) from error
        self.device = str(self._camera.device)

    def send(self, frame: Frame) -> None:
        """Send one frame. Raises AppError if the device has gone."""
        if self._camera is None:
            return
        scene = self._scene()
        if scene is not self._canvas.scene:
            self._canvas.set_scene(scene)
        picture = i420(self._canvas.place(frame.pixels))
        try:
            self._camera.send(picture)
        except (RuntimeError, OSError) as error:
            problem = f"The virtual camera stopped taking pictures: {error}"
            raise AppError(problem, "Switch the camera off and on again.") from error

    def close(self) -> None:
        """Release the device; safe to call twice."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
