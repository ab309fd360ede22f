"""MuseTalk's folder as it is published, with small networks of the true architecture and random values."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from animator.musetalk.config import SMALL, WhisperConfig
from animator.musetalk.sound import Ears
from animator.musetalk.tensors import Random
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decoder, Encoder, TinyDecoder

CPU, FLOAT = torch.device("cpu"), torch.float32
WHISPER_STEPS = 300
CONFIGS = {
    "musetalkV15/musetalk.json": {
        "block_out_channels": list(SMALL.unet.channels),
        "attention_head_dim": SMALL.unet.heads,
        "norm_num_groups": SMALL.unet.groups,
    },
    "sd-vae/config.json": {
        "block_out_channels": list(SMALL.vae.channels),
        "norm_num_groups": SMALL.vae.groups,
    },
    "taesd/config.json": {"decoder_block_out_channels": [SMALL.tiny.channels] * 4},
    "whisper/config.json": {"max_source_positions": WHISPER_STEPS, "d_model": 384, "encoder_layers": 4},
}


def shapes(whisper_steps: int = 1500) -> dict[str, dict[str, torch.Tensor]]:
    """Random tensors of the small networks, by the files they are published in."""

    def of(*builds: object) -> dict[str, torch.Tensor]:
        source = Random(CPU, FLOAT)
        for build in builds:
            build(source)  # type: ignore[operator]
        return {key: source.take(key, shape) for key, shape in source.taken.items()}

    ears = WhisperConfig(steps=whisper_steps)
    return {
        "musetalkV15/unet.pth": of(lambda s: UNet(s, SMALL.unet)),
        "sd-vae/diffusion_pytorch_model.bin": {
            old_name(key): value
            for key, value in of(lambda s: Decoder(s, SMALL.vae), lambda s: Encoder(s, SMALL.vae)).items()
        },
        "taesd/diffusion_pytorch_model.safetensors": {
            **of(lambda s: TinyDecoder(s, SMALL.tiny)),
            "encoder.layers.0.weight": torch.zeros(1),
        },
        "whisper/model.safetensors": {
            **{f"model.encoder.{k}": v for k, v in of(lambda s: Ears(s, ears, CPU, FLOAT)).items()},
            "model.decoder.layer_norm.weight": torch.zeros(1),
        },
    }


def old_name(key: str) -> str:
    """What the published autoencoder calls a tensor of its attention."""
    for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        key = key.replace(f".{new}.", f".{old}.")
    return key


def write(folder: Path, *, whisper_steps: int = 1500) -> Path:
    """Write the files alone: their shapes have to be known from elsewhere."""
    for name, tensors in shapes(whisper_steps).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            save_file(tensors, path)
        else:
            torch.save(tensors, path)
    return folder


def write_whole(folder: Path) -> Path:
    """Write the files, and beside them the configs that state how small they are."""
    write(folder, whisper_steps=WHISPER_STEPS)
    for name, table in CONFIGS.items():
        (folder / name).write_text(json.dumps(table), "utf-8")
    return folder
