"""The five THA3 networks in PyTorch, in the separable and the full-size ("standard") variant.

Written from a description of the published architecture (Talking Head Anime from a Single Image 3,
P. Khungurn, MIT code, CC BY 4.0 weights). Module names and nesting follow the published weight files, so that
those load as they are. All pictures are NCHW, linear RGB + alpha, straight alpha, scaled to [-1, 1].

In the separable variant each convolution is a depthwise and a pointwise one. The standard variant has one in their
place, and plain ReLU in the stride-2 blocks of its rotator and editor, where the separable one has LeakyReLU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEAK = 0.1


class _Norm(nn.Module):
    """Instance normalisation with learned scale and shift.

    Group norm with one group per channel is the same sum without the copies of scale and shift that
    `F.instance_norm` makes on every call.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, x.shape[1], self.weight, self.bias, 1e-5)


class _Residual(nn.Module):
    def __init__(self, path: nn.Sequential) -> None:
        super().__init__()
        self.resnet_path = path

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.resnet_path(x)
        return out.add_(x)


def _relu() -> nn.Module:
    return nn.ReLU(inplace=True)


def _leaky() -> nn.Module:
    return nn.LeakyReLU(_LEAK, inplace=True)


Activation = Callable[[], nn.Module]


def _depthwise(channels: int, kernel: int, stride: int, padding: int) -> nn.Module:
    return nn.Conv2d(channels, channels, kernel, stride, padding, groups=channels, bias=False)


def _pointwise(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 1, bias=False)


class _Layers(NamedTuple):
    """Makes the layers of one variant."""

    separable: bool

    def conv(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> list[nn.Module]:
        if self.separable:
            return [_depthwise(inputs, kernel, stride, padding), _pointwise(inputs, outputs)]
        return [nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)]

    def block(
        self, inputs: int, outputs: int, act: Activation, kernel: int = 3, stride: int = 1, padding: int = 1
    ) -> nn.Sequential:
        return nn.Sequential(*self.conv(inputs, outputs, kernel, stride, padding), _Norm(outputs), act())

    def up_block(self, inputs: int, outputs: int, act: Activation) -> nn.Sequential:
        if self.separable:
            widen = nn.ConvTranspose2d(inputs, inputs, 4, 2, 1, groups=inputs, bias=False)
            return nn.Sequential(widen, _pointwise(inputs, outputs), _Norm(outputs), act())
        return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), _Norm(outputs), act())

    def residual(self, channels: int, act: Activation) -> _Residual:
        def conv() -> nn.Module:
            layers = self.conv(channels, channels)
            return nn.Sequential(*layers) if self.separable else layers[0]

        return _Residual(nn.Sequential(conv(), _Norm(channels), act(), conv(), _Norm(channels)))

    @property
    def halving_act(self) -> Activation:
        """Of the rotator's and the editor's stride-2 blocks."""
        return _leaky if self.separable else _relu


def _alpha(channels: int, outputs: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, outputs, 3, padding=1), nn.Sigmoid())


def _colour(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.Tanh())


def _grid(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, 2, 3, padding=1, bias=False)


def _planes(pose: Tensor, like: Tensor) -> Tensor:
    """Each pose value as a flat plane as big as `like`."""
    return pose[:, :, None, None].expand(-1, -1, like.shape[2], like.shape[3])


@lru_cache(maxsize=16)
def _identity(height: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    x = (torch.arange(width, device=device, dtype=dtype) * 2.0 + 1.0) / width - 1.0
    y = (torch.arange(height, device=device, dtype=dtype) * 2.0 + 1.0) / height - 1.0
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1)[None]


def warp(image: Tensor, grid_change: Tensor) -> Tensor:
    """Sample `image` at identity + `grid_change` (N,2,H,W; x, y; 1.0 is half the picture's size); borders repeat."""
    base = _identity(int(grid_change.shape[2]), int(grid_change.shape[3]), grid_change.device, grid_change.dtype)
    grid = base + grid_change.permute(0, 2, 3, 1)
    image = image.expand(grid.shape[0], -1, -1, -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)


def mix(alpha: Tensor, colour: Tensor, image: Tensor) -> Tensor:
    """`colour` where `alpha` is 1, `image` where it is 0."""
    return image + alpha * (colour - image)


class _PoseInBottleneck(nn.Module):
    """Encoder, bottleneck that takes the pose behind the features, decoder: decomposer, combiner and morpher."""

    def __init__(self, make: _Layers, inputs: int, pose_size: int) -> None:
        super().__init__()
        self.downsample_blocks = nn.ModuleList([make.block(inputs, 64, _relu)])
        for channels in (64, 128, 256):
            self.downsample_blocks.append(make.block(channels, channels * 2, _relu, 4, 2, 1))
        self.bottleneck_blocks = nn.ModuleList([make.block(512 + pose_size, 512, _relu)])
        for _ in range(5):
            self.bottleneck_blocks.append(make.residual(512, _relu))
        self.upsample_blocks = nn.ModuleList(
            [make.up_block(channels, channels // 2, _relu) for channels in (512, 256, 128)]
        )

    def encode(self, x: Tensor) -> Tensor:
        for block in self.downsample_blocks:
            x = block(x)
        return x

    def decode(self, x: Tensor, pose: Tensor | None) -> Tensor:
        if pose is not None:
            x = torch.cat([x.expand(pose.shape[0], -1, -1, -1), _planes(pose, x)], dim=1)
        for block in self.bottleneck_blocks:
            x = block(x)
        for block in self.upsample_blocks:
            x = block(x)
        return x


class Layers(NamedTuple):
    """The brow crop taken apart, each (1,4,128,128)."""

    background: Tensor
    eyebrow: Tensor


class EyebrowDecomposer(nn.Module):
    """Takes the brows off the face."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.body = _PoseInBottleneck(_Layers(separable), 4, 0)
        self.background_layer_alpha = _alpha(64)
        self.background_layer_color_change = _colour(64)
        self.eyebrow_layer_alpha = _alpha(64)
        self.eyebrow_layer_color_change = _colour(64)

    def forward(self, image: Tensor) -> Layers:
        """Split a brow crop (N,4,128,128)."""
        x = self.body.decode(self.body.encode(image), None)
        background = mix(self.background_layer_alpha(x), self.background_layer_color_change(x), image)
        # Here the two sides of the mix are swapped: alpha 1 keeps the picture.
        eyebrow = mix(self.eyebrow_layer_alpha(x), image, self.eyebrow_layer_color_change(x))
        return Layers(background, eyebrow)


class EyebrowMorphingCombiner(nn.Module):
    """Moves the brows and puts them back."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.body = _PoseInBottleneck(_Layers(separable), 8, 12)
        self.morphed_eyebrow_layer_grid_change = _grid(64)
        self.morphed_eyebrow_layer_alpha = _alpha(64)
        self.morphed_eyebrow_layer_color_change = _colour(64)
        self.combine_alpha = _alpha(64)
        """In the weight file, but the picture that THA3 goes on with does not need it."""

    def encode(self, layers: Layers) -> Tensor:
        """What does not depend on the pose."""
        return self.body.encode(torch.cat([layers.background, layers.eyebrow], dim=1))

    def decode(self, features: Tensor, layers: Layers, pose: Tensor) -> Tensor:
        """The brow crop (N,4,128,128) under `pose` (N,12)."""
        x = self.body.decode(features, pose)
        moved = warp(layers.eyebrow, self.morphed_eyebrow_layer_grid_change(x))
        moved = mix(self.morphed_eyebrow_layer_alpha(x), self.morphed_eyebrow_layer_color_change(x), moved)
        background = layers.background.expand(pose.shape[0], -1, -1, -1)
        rgb = mix((moved[:, 3:4] + 1.0) / 2.0, moved[:, :3], background[:, :3])
        return torch.cat([rgb, background[:, 3:4]], dim=1)


class FaceMorpher(nn.Module):
    """Moves eyes, irises and mouth."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.body = _PoseInBottleneck(_Layers(separable), 4, 27)
        self.iris_mouth_grid_change = _grid(64)
        self.iris_mouth_color_change = _colour(64)
        self.iris_mouth_alpha = _alpha(64)
        self.eye_color_change = _colour(64)
        self.eye_alpha = _alpha(64)

    def encode(self, image: Tensor) -> Tensor:
        """What does not depend on the pose: (1,512,24,24) of a face crop (1,4,192,192)."""
        return self.body.encode(image)

    def decode(self, features: Tensor, image: Tensor, pose: Tensor) -> Tensor:
        """The face crop (N,4,192,192) under `pose` (N,27)."""
        x = self.body.decode(features, pose)
        face = warp(image, self.iris_mouth_grid_change(x))
        face = mix(self.iris_mouth_alpha(x), self.iris_mouth_color_change(x), face)
        return mix(self.eye_alpha(x), self.eye_color_change(x), face)


class _RotatorBody(nn.Module):
    def __init__(self, make: _Layers) -> None:
        super().__init__()
        self.downsample_blocks = nn.ModuleList([make.block(4 + 6, 64, _leaky, 7, 1, 3)])
        for channels in (64, 128, 256):
            self.downsample_blocks.append(make.block(channels, channels * 2, make.halving_act, 4, 2, 1))
        self.bottleneck_blocks = nn.ModuleList([make.residual(512, _leaky) for _ in range(6)])
        self.upsample_blocks = nn.ModuleList(
            [
                nn.Sequential(nn.Upsample(scale_factor=2), make.block(channels, channels // 2, _leaky))
                for channels in (512, 256, 128)
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        for blocks in (self.downsample_blocks, self.bottleneck_blocks, self.upsample_blocks):
            for block in blocks:
                x = block(x)
        return x


class BodyRotator(nn.Module):
    """Finds how the picture flows when head and body turn, at half size."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.encoder_decoder = _RotatorBody(_Layers(separable))
        self.direct_creator = _colour(64)
        """In the weight file; THA3 computes its picture and throws it away."""
        self.grid_change_creator = _grid(64)

    def forward(self, image: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Warped picture (N,4,256,256) and grid change (N,2,256,256) of `image` (N,4,256,256) under `pose` (N,6)."""
        x = self.encoder_decoder(torch.cat([image, _planes(pose, image)], dim=1))
        grid_change = self.grid_change_creator(x)
        return warp(image, grid_change), grid_change


class _EditorBody(nn.Module):
    def __init__(self, make: _Layers) -> None:
        super().__init__()
        self.downsample_blocks = nn.ModuleList([make.block(4 + 4 + 2 + 6, 32, _leaky)])
        for channels in (32, 64, 128):
            self.downsample_blocks.append(make.block(channels, channels * 2, make.halving_act, 4, 2, 1))
        self.bottleneck_blocks = nn.ModuleList([make.residual(256, _leaky) for _ in range(6)])
        self.upsample_blocks = nn.ModuleList(
            [make.block(channels + channels // 2, channels // 2, _leaky) for channels in (256, 128, 64)]
        )

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for block in self.downsample_blocks:
            x = block(x)
            skips.append(x)
        skips.pop()
        for block in self.bottleneck_blocks:
            x = block(x)
        for block in self.upsample_blocks:
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0), skips.pop()], dim=1))
        return x


class Edit(NamedTuple):
    """How the editor makes its picture: warp the face by `grid_change`, then mix `colour` in where `alpha` says."""

    grid_change: Tensor
    alpha: Tensor
    colour: Tensor

    def apply(self, image: Tensor) -> Tensor:
        """The finished picture (N,4,512,512)."""
        return mix(self.alpha, self.colour, warp(image, self.grid_change))


class Editor(nn.Module):
    """Refines the rotator's flow at full size and paints what it uncovered."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.body = _EditorBody(_Layers(separable))
        self.color_change_creator = _colour(32)
        self.alpha_creator = _alpha(32, 4)
        self.grid_change_creator = _grid(32)

    def forward(self, image: Tensor, warped: Tensor, grid_change: Tensor, pose: Tensor) -> Edit:
        """What to do to `image` (N,4,512,512), given the rotator's results enlarged to its size."""
        image = image.expand(pose.shape[0], -1, -1, -1)
        x = self.body(torch.cat([image, warped, grid_change, _planes(pose, image)], dim=1))
        return Edit(grid_change + self.grid_change_creator(x), self.alpha_creator(x), self.color_change_creator(x))


class Networks(nn.Module):
    """All five; the attribute names are the weight files' names."""

    def __init__(self, separable: bool = True) -> None:
        super().__init__()
        self.separable = separable
        self.eyebrow_decomposer = EyebrowDecomposer(separable)
        self.eyebrow_morphing_combiner = EyebrowMorphingCombiner(separable)
        self.face_morpher = FaceMorpher(separable)
        self.two_algo_face_body_rotator = BodyRotator(separable)
        self.editor = Editor(separable)

    def edit(self, face_full: Tensor, pose: Tensor) -> Edit:
        """Rotator and editor for `face_full` (N or 1,4,512,512) under `pose` (N,6)."""
        half = F.interpolate(face_full, size=(256, 256), mode="bilinear", align_corners=False)
        half = half.expand(pose.shape[0], -1, -1, -1)
        warped, grid_change = self.two_algo_face_body_rotator(half, pose)
        warped = F.interpolate(warped, size=(512, 512), mode="bilinear", align_corners=False)
        grid_change = F.interpolate(grid_change, size=(512, 512), mode="bilinear", align_corners=False)
        edit: Edit = self.editor(face_full, warped, grid_change, pose)
        return edit
