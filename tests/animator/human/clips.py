"""Videos of a still face, made for tests: it pans, tilts and comes nearer as a person does."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

FACES = Path(__file__).parents[2] / "data" / "faces"
Picture = np.ndarray


def face(name: str = "grace_hopper", height_px: int = 360) -> Picture:
    """A photo of the tests, with a ground around it that a moved camera would show; uint8 RGB."""
    photo = np.asarray(Image.open(FACES / f"{name}.jpg").convert("RGB"))
    scale = height_px / photo.shape[0]
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(photo, 40, 40, 90, 90, cv2.BORDER_REPLICATE)


def moved(picture: Picture, x_px: float = 0.0, y_px: float = 0.0, degrees: float = 0.0, zoom: float = 1.0) -> Picture:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[:, 2] += x_px, y_px
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def sway(k: int) -> dict[str, float]:
    """How the head is held in frame k: it sways by 12 px, tilts by 3 degrees, and comes 4 % nearer."""
    at = 2 * math.pi * k / 50
    return {"x_px": 12 * math.sin(at), "y_px": 5 * math.sin(2 * at), "degrees": 3 * math.sin(at + 1),
            "zoom": 1.02 + 0.02 * math.cos(at)}  # fmt: skip


def film(
    file: Path,
    count: int,
    draw: Callable[[int], Picture],
    *,
    fps: int = 25,
    codec: str = "libx264",
    with_sound: bool = False,
) -> Path:
    """Write `count` frames that `draw` makes; without sound unless it is wanted."""
    with av.open(str(file), "w") as container:
        first = draw(0)
        stream = container.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height = first.shape[1] // 2 * 2, first.shape[0] // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "16", "preset": "veryfast"} if codec == "libx264" else {"b": "2M"}
        sound = container.add_stream("aac", rate=16_000) if with_sound else None
        for k in range(count):
            picture = np.ascontiguousarray(draw(k)[: stream.height, : stream.width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        if sound is not None:
            tone = (0.1 * np.sin(np.arange(16_000) * 0.2)).astype(np.float32)[None]
            heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            heard.sample_rate = 16_000
            container.mux(sound.encode(heard))
            container.mux(sound.encode())
    return file


def held_sideways(file: Path) -> Path:
    """Say in the header that the camera was turned: shown, the frames are turned to the right by 90 degrees."""
    data = bytearray(file.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + 40  # version 0: flags, times, number, duration, layer, volume before it
    turned = (0, 0x10000, 0, -0x10000 & 0xFFFFFFFF, 0, 0, 0, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in turned)
    file.write_bytes(data)
    return file
