from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers")

from animator.musetalk.avatar import encoded
from animator.musetalk.config import SMALL
from animator.musetalk.step import OnDevice, Step
from animator.musetalk.tensors import Checkpoint
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decoder, Encoder, TinyDecoder
from benchmarks.human_reference import Reference, paste, positions
from tests.animator.musetalk.avatars import made

CPU, FLOAT = torch.device("cpu"), torch.float32


def taken(model: torch.nn.Module, *prefixes: str) -> Checkpoint:
    return Checkpoint({k: v.clone() for k, v in model.state_dict().items() if k.startswith(prefixes)}, CPU, FLOAT)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(SMALL)


@pytest.mark.parametrize("quality", ["best", "fast"])
def test_the_painted_frame_is_the_published_pipelines(reference: Reference, quality: str) -> None:
    avatar = made(3)
    encoder = Encoder(taken(reference.vae, "encoder.", "quant"), SMALL.vae)
    avatar = replace(avatar, latents=encoded(avatar, encoder, SMALL.face_px, CPU, FLOAT))
    if quality == "best":
        decode = Decoder(taken(reference.vae, "decoder.", "post"), SMALL.vae)
    else:
        decode = TinyDecoder(taken(reference.tiny, "decoder."), SMALL.tiny)
    step = Step(UNet(taken(reference.unet, ""), SMALL.unet), decode, OnDevice.of(avatar, CPU, FLOAT))
    windows = torch.randn(3, 50, 384)
    ours = step.paint(windows + positions(50, 384), np.arange(3), np.ones(3, np.float32))
    for f in range(3):
        left, top, right, bottom = box = tuple(int(each) for each in avatar.boxes[f])
        bgr = np.ascontiguousarray(avatar.frames[f, :, :, ::-1])
        crop = reference.crops(
            reference.latents(bgr[top:bottom, left:right]), windows[f : f + 1], tiny=quality == "fast"
        )
        theirs = paste(crop[0], bgr, box, avatar.masks[f])[top:bottom, left:right, ::-1]
        assert np.abs(ours[f].astype(int) - theirs).max() <= 2
    untouched = step.paint(windows[:1], np.array([1]), np.zeros(1, np.float32))
    left, top, right, bottom = avatar.boxes[1]
    assert np.array_equal(untouched[0], avatar.frames[1, top:bottom, left:right])
