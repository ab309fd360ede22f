"""Whose face is painted: frames, where the face lies in them, the mouth's mask, and the latents, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from animator.files import write_whole
from animator.musetalk.vae import Encoder

VERSION = 1
"""Of how latents are made; another one is computed anew."""
MAX_FRAMES = 1500
"""A minute at 25 fps."""
MAX_PX = 1024
MIN_FACE_PX = 48
ENCODE_BATCH = 8


class AvatarError(ValueError):
    """An avatar cannot be used: what is wrong with it, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """One face, in one frame (a photo) or several (a video's loop).

    `frames` uint8 RGB (F,H,W,3); `boxes` int32 (F,4), left, top, right, bottom in px, half open: MuseTalk's crop;
    `masks` uint8 (F,h,w), where the painted mouth is shown, in the upper left corner as large as each frame's box;
    `latents` float16 (F,h,w,8), masked crop first, None before they are computed; `opacity` uint8 (F,H,W), None where
    all is seen.
    """

    frames: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.int32]
    masks: npt.NDArray[np.uint8]
    latents: npt.NDArray[np.float16] | None = None
    opacity: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[3] != 3 or self.frames.dtype != np.uint8:
            raise AvatarError(f"an avatar's frames are uint8 (F,H,W,3), got {self.frames.dtype} {self.frames.shape}")
        count, height, width = self.frames.shape[:3]
        if not 1 <= count <= MAX_FRAMES:
            raise AvatarError(f"an avatar has 1 to {MAX_FRAMES} frames, got {count}")
        if max(height, width) > MAX_PX:
            raise AvatarError(f"an avatar's frames are at most {MAX_PX} px wide and high, got {width} x {height}")
        if self.boxes.shape != (count, 4) or self.boxes.dtype != np.int32:
            raise AvatarError(
                f"{count} frames need int32 boxes ({count}, 4), got {self.boxes.dtype} {self.boxes.shape}"
            )
        left, top, right, bottom = self.boxes.T
        inside = (left >= 0) & (top >= 0) & (right <= width) & (bottom <= height)
        large = (right - left >= MIN_FACE_PX) & (bottom - top >= MIN_FACE_PX)
        if not bool((inside & large).all()):
            bad = int(np.flatnonzero(~(inside & large))[0])
            raise AvatarError(
                f"the face's box {self.boxes[bad].tolist()} of frame {bad} must lie in the picture "
                f"({width} x {height} px) and be at least {MIN_FACE_PX} px wide and high"
            )
        high, wide = int((bottom - top).max()), int((right - left).max())
        if self.masks.dtype != np.uint8 or self.masks.ndim != 3 or len(self.masks) != count:
            raise AvatarError(
                f"{count} frames need uint8 masks ({count},h,w), got {self.masks.dtype} {self.masks.shape}"
            )
        if self.masks.shape[1] < high or self.masks.shape[2] < wide:
            raise AvatarError(f"the masks {self.masks.shape[1:]} are smaller than the largest box ({high}, {wide})")
        if self.opacity is not None and (
            self.opacity.shape != (count, height, width) or self.opacity.dtype != np.uint8
        ):
            raise AvatarError(
                f"the opacity is uint8 {(count, height, width)}, got {self.opacity.dtype} {self.opacity.shape}"
            )

    def key(self, encoder_hash: str) -> str:
        """Names this avatar's latents: changes with the pictures, the boxes, the encoder and how latents are made."""
        digest = hashlib.sha256(f"{VERSION} {encoder_hash} {self.frames.shape}".encode())
        for f, (left, top, right, bottom) in enumerate(self.boxes):
            digest.update(self.boxes[f].tobytes())
            digest.update(np.ascontiguousarray(self.frames[f, top:bottom, left:right]).tobytes())
        return digest.hexdigest()[:32]


def with_latents(avatar: Avatar, encoder: Encoder, encoder_hash: str, face_px: int, cache: Path, device: torch.device,
                 dtype: torch.dtype) -> Avatar:  # fmt: skip
    """The avatar with its latents, from `cache` where they are there, else computed and kept.

    Args:
        avatar: Frames, boxes and masks.
        encoder: Of the same weights as the decoder.
        encoder_hash: Names those weights.
        face_px: Side of the crop.
        cache: Folder in which latents are kept, one npz without pickles per avatar.
        device: The encoder's.
        dtype: The encoder's.
    """
    file = cache / f"{avatar.key(encoder_hash)}.npz"
    shape = (len(avatar.frames), face_px // 8, face_px // 8, 8)
    kept = _read(file, shape)
    if kept is None:
        kept = encoded(avatar, encoder, face_px, device, dtype)
        with contextlib.suppress(OSError):  # a full disk costs the computation at the next start
            _write(file, kept)
    return replace(avatar, latents=kept)


def crops(avatar: Avatar, face_px: int) -> npt.NDArray[np.uint8]:
    """Each frame's box, stretched to a square: uint8 (F,S,S,3)."""
    found = [
        cv2.resize(avatar.frames[f, t:b, x:r], (face_px, face_px), interpolation=cv2.INTER_LANCZOS4)
        for f, (x, t, r, b) in enumerate(avatar.boxes)
    ]
    return np.stack(found)


@torch.inference_mode()
def encoded(
    avatar: Avatar, encoder: Encoder, face_px: int, device: torch.device, dtype: torch.dtype
) -> npt.NDArray[np.float16]:
    """Latents float16 (F,h,w,8) of every frame's crop: lower half black, then whole."""
    faces = crops(avatar, face_px)
    parts = []
    for start in range(0, len(faces), ENCODE_BATCH):
        whole = torch.from_numpy(faces[start : start + ENCODE_BATCH]).to(device).to(dtype) / 127.5 - 1.0
        masked = whole.clone()
        masked[:, face_px // 2 :] = -1.0
        parts.append(torch.cat([encoder(masked), encoder(whole)], 3).to(torch.float16).cpu().numpy())
    out: npt.NDArray[np.float16] = np.concatenate(parts)
    return out


def _read(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.float16] | None:
    """What is kept, None where it is not there or not what it should be."""
    try:
        if file.stat().st_size > 2 * int(np.prod(shape)) + 65536:
            return None
        with np.load(file, allow_pickle=False) as kept:
            latents = kept["latents"]
    except Exception:  # a damaged file may raise anything
        return None
    fits = latents.shape == shape and latents.dtype == np.float16 and bool(np.isfinite(latents).all())
    return latents if fits else None


def _write(file: Path, latents: npt.NDArray[np.float16]) -> None:
    write_whole(file, lambda stream: np.savez(stream, latents=latents))
