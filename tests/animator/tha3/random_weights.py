"""THA3's four variants as weight files with random numbers in them, after the published key names and shapes.

Written from the description of the files alone, not from `networks.py`, so that the two check each other.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch

Shapes = dict[str, tuple[int, ...]]

HEADS = {
    "eyebrow_decomposer": {
        "background_layer_alpha": 1,
        "background_layer_color_change": 4,
        "eyebrow_layer_alpha": 1,
        "eyebrow_layer_color_change": 4,
    },
    "eyebrow_morphing_combiner": {
        "morphed_eyebrow_layer_grid_change": 2,
        "morphed_eyebrow_layer_alpha": 1,
        "morphed_eyebrow_layer_color_change": 4,
        "combine_alpha": 1,
    },
    "face_morpher": {
        "iris_mouth_grid_change": 2,
        "iris_mouth_color_change": 4,
        "iris_mouth_alpha": 1,
        "eye_color_change": 4,
        "eye_alpha": 1,
    },
    "two_algo_face_body_rotator": {"direct_creator": 4, "grid_change_creator": 2},
    "editor": {"color_change_creator": 4, "alpha_creator": 4, "grid_change_creator": 2},
}
INPUTS = {
    "eyebrow_decomposer": (4, 0),
    "eyebrow_morphing_combiner": (8, 12),
    "face_morpher": (4, 27),
    "two_algo_face_body_rotator": (10, 0),
    "editor": (16, 0),
}
"""Channels that come in, and pose values that join at the bottleneck."""


def shapes_of(network: str, separable: bool) -> Shapes:
    """Every key of a network's file and its shape."""
    found: Shapes = {}

    def conv(key: str, inputs: int, outputs: int, kernel: int, inner: str = "") -> None:
        if separable:
            found[f"{key}{inner}.0.weight"] = (inputs, 1, kernel, kernel)
            found[f"{key}{inner}.1.weight"] = (outputs, inputs, 1, 1)
        else:
            found[f"{key}{inner}.weight" if inner else f"{key}.0.weight"] = (outputs, inputs, kernel, kernel)

    def norm(key: str, channels: int) -> None:
        found[f"{key}.weight"] = found[f"{key}.bias"] = (channels,)

    def block(key: str, inputs: int, outputs: int, kernel: int = 3) -> None:
        conv(key, inputs, outputs, kernel)
        norm(f"{key}.{2 if separable else 1}", outputs)

    def residual(key: str, channels: int) -> None:
        for place in (0, 3):
            conv(f"{key}.resnet_path", channels, channels, 3, inner=f".{place}")
            norm(f"{key}.resnet_path.{place + 1}", channels)

    turns = network in ("two_algo_face_body_rotator", "editor")
    wide = 32 if network == "editor" else 64
    prefix = "encoder_decoder." if network == "two_algo_face_body_rotator" else "body."
    if network == "face_morpher" and not separable:
        prefix = ""
    inputs, pose = INPUTS[network]
    block(f"{prefix}downsample_blocks.0", inputs, wide, 7 if network == "two_algo_face_body_rotator" else 3)
    for i in (1, 2, 3):
        block(f"{prefix}downsample_blocks.{i}", wide << (i - 1), wide << i, 4)
    deep = wide << 3
    if not turns:
        block(f"{prefix}bottleneck_blocks.0", deep + pose, deep)
    for i in range(0 if turns else 1, 6):
        residual(f"{prefix}bottleneck_blocks.{i}", deep)
    for i in range(3):
        outputs = deep >> (i + 1)
        key = f"{prefix}upsample_blocks.{i}"
        if network == "editor":
            block(key, (deep >> i) + outputs, outputs)
        elif turns:
            block(f"{key}.1", deep >> i, outputs)
        elif separable:
            found[f"{key}.0.weight"] = (deep >> i, 1, 4, 4)
            found[f"{key}.1.weight"] = (outputs, deep >> i, 1, 1)
            norm(f"{key}.2", outputs)
        else:
            found[f"{key}.0.weight"] = (deep >> i, outputs, 4, 4)
            norm(f"{key}.1", outputs)
    for head, outputs in HEADS[network].items():
        if "grid" in head:
            found[f"{head}.weight"] = (outputs, wide, 3, 3)
        else:
            found[f"{head}.0.weight"] = (outputs, wide, 3, 3)
            found[f"{head}.0.bias"] = (outputs,)
    return found


def write_random_weights(folder: Path, separable: bool, half: bool, seed: int = 5) -> Path:
    """Five files whose networks give pictures and flows of ordinary size: nothing saturated, nothing dead."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    for network in HEADS:
        state: OrderedDict[str, torch.Tensor] = OrderedDict()
        for key, shape in shapes_of(network, separable).items():
            noise = torch.randn(shape, generator=generator)
            if len(shape) == 4:
                fan_in = shape[1] * shape[2] * shape[3]
                gain = 0.01 if "grid" in key else 0.5 if key.split(".")[0] in HEADS[network] else 1.4
                value = noise * (gain / fan_in**0.5)
            elif key.split(".")[0] in HEADS[network]:
                value = noise * 0.3
            else:
                value = 1.0 + 0.2 * noise if key.endswith("weight") else 0.2 * noise
            state[key] = value.half() if half else value
        torch.save(state, folder / f"{network}.pt")
    return folder
