"""One step of the engine: sound tokens in, painted pictures of the face's box out. On a card, one CUDA graph per batch.

A graph belongs to the thread that made it; `Step` is used by one thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from animator.musetalk import ops
from animator.musetalk.avatar import Avatar
from animator.musetalk.config import TOKENS
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decodes

BATCHES = (1, 2, 4, 8)
WARM_UPS = 3
"""Calls before a capture: cuDNN chooses its algorithms, Triton compiles."""


@dataclass(slots=True, eq=False)
class OnDevice:
    """What of an avatar lies on the device. F frames; see `ops.paste` for `frames`, `masks` and `boxes`."""

    latents: Tensor
    """(F,h,w,8)."""
    frames: Tensor
    masks: Tensor
    boxes: Tensor

    @classmethod
    def of(cls, avatar: Avatar, device: torch.device, dtype: torch.dtype) -> OnDevice:
        """Copy what the step needs of `avatar`, whose latents must be there."""
        boxes = avatar.boxes
        high = int((boxes[:, 3] - boxes[:, 1]).max())
        wide = int((boxes[:, 2] - boxes[:, 0]).max())
        frames = np.zeros((len(boxes), high, wide, 3), np.uint8)
        masks = np.zeros((len(boxes), high, wide), np.uint8)
        for f, (left, top, right, bottom) in enumerate(boxes):
            frames[f, : bottom - top, : right - left] = avatar.frames[f, top:bottom, left:right]
            masks[f, : bottom - top, : right - left] = avatar.masks[f, : bottom - top, : right - left]
        assert avatar.latents is not None
        return cls(
            torch.from_numpy(avatar.latents).to(device, dtype),
            torch.from_numpy(frames).to(device),
            torch.from_numpy(masks).to(device),
            torch.from_numpy(boxes.astype(np.int32)).to(device),
        )


class Step:
    """Paints batches of an avatar's frames.

    Args:
        unet: The network.
        decode: One of the two decoders.
        avatar: Whose face.
        batches: Sizes that may be asked for.
        graph: Whether to capture CUDA graphs; False on a CPU.
    """

    def __init__(
        self,
        unet: UNet,
        decode: Decodes,
        avatar: OnDevice,
        batches: tuple[int, ...] = BATCHES,
        *,
        graph: bool | None = None,
    ) -> None:
        self._unet, self._decode, self._avatar = unet, decode, avatar
        self._device, self._dtype = avatar.latents.device, avatar.latents.dtype
        self.batches = batches
        self._graph = self._device.type == "cuda" if graph is None else graph
        self._captured: dict[int, _Captured] = {}
        if self._graph:
            # The largest first: its memory serves the smaller ones too.
            pool = None
            for size in sorted(batches, reverse=True):
                self._captured[size] = _Captured(self, size, pool)
                pool = self._captured[size].pool

    def compute(self, tokens: Tensor, index: Tensor, gate: Tensor) -> Tensor:
        """Uncaptured: tokens (B,50,384), frame numbers int64 (B,), gates float32 (B,) to uint8 (B,roi_h,roi_w,3)."""
        avatar = self._avatar
        predicted = self._unet(avatar.latents[index], tokens)
        face = self._decode(predicted)
        return ops.paste(face, self._decode.bias, avatar.frames, avatar.masks, avatar.boxes, index, gate)

    @torch.inference_mode()
    def paint(
        self, tokens: Tensor, index: npt.NDArray[np.int64], gate: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.uint8]:
        """Paint one batch and wait for it.

        Args:
            tokens: (B,50,384) on the device, B of `batches` or fewer, positions added.
            index: Which of the avatar's frames each is painted on, (B,).
            gate: How much of the mouth is shown, in [0, 1], (B,).

        Returns:
            uint8 (B,roi_h,roi_w,3), the content of each frame's box, in the computer's memory; a copy of its own.
        """
        count = len(index)
        size = next(each for each in sorted(self.batches) if each >= count)
        if not self._graph:
            on_device = (torch.from_numpy(index).to(self._device), torch.from_numpy(gate).to(self._device))
            out: npt.NDArray[np.uint8] = self.compute(tokens, *on_device).cpu().numpy()
            return out
        return self._captured[size].replay(tokens, index, gate)[:count].copy()


class _Captured:
    """A CUDA graph with its inputs and its answer in pinned memory."""

    def __init__(self, step: Step, size: int, pool: Any) -> None:
        avatar = step._avatar  # noqa: SLF001 - one piece with Step
        device = avatar.latents.device
        self._tokens = torch.zeros((size, TOKENS, 384), device=device, dtype=avatar.latents.dtype)
        self._index_host = torch.zeros(size, dtype=torch.int64).pin_memory()
        self._gate_host = torch.zeros(size, dtype=torch.float32).pin_memory()
        roi_h, roi_w = avatar.frames.shape[1:3]
        self._answer = torch.zeros((size, roi_h, roi_w, 3), dtype=torch.uint8).pin_memory()
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream), torch.inference_mode():
            for _ in range(WARM_UPS):
                self._whole(step)
            stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                self._whole(step)
        self._stream = stream
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self.pool = self._graph.pool()

    def _whole(self, step: Step) -> None:
        device = self._tokens.device
        index = self._index_host.to(device, non_blocking=True)
        gate = self._gate_host.to(device, non_blocking=True)
        self._answer.copy_(step.compute(self._tokens, index, gate), non_blocking=True)

    def replay(
        self, tokens: Tensor, index: npt.NDArray[np.int64], gate: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.uint8]:
        count = len(index)
        self._index_host.numpy()[:count] = index
        self._gate_host.numpy()[:count] = gate
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._tokens[:count].copy_(tokens, non_blocking=True)
            self._graph.replay()
            self._done.record()
        self._done.synchronize()
        out: npt.NDArray[np.uint8] = self._answer.numpy()
        return out
