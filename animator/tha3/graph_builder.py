"""Writes THA3's networks as ONNX graphs, node by node, from their weights. Needs no PyTorch.

The arithmetic is that of `networks.py`; the form is what runs fastest in ONNX Runtime
(docs/investigations/onnx-face.md):

* all heads of a network are one convolution, because a CPU computes 16 output channels at the price of one;
* a block that takes several pictures convolves each by itself and adds, so that nothing is concatenated at full size;
* instance normalisation is one node, grids are constants, shapes are fixed, the batch is 1;
* sRGB is worked out by exponential and logarithm, which are vectorised where a power is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]
Weights = Mapping[str, npt.NDArray[np.float32]]
Part = tuple[str, int]
"""A value's name and how many channels it has."""

OPSET = 17
IR_VERSION = 8
"""What ONNX Runtime 1.20 reads."""
SIZE_PX = 512
FACE_PX, BROW_PX = 192, 128
FACE_TOP, FACE_LEFT = 32, 160
BROW_TOP, BROW_LEFT = 64, 192
BROW_IN_FACE = 32


Shape = tuple[int, tuple[int, ...]]
"""ONNX element type and size."""


class _Graph:
    """Nodes and constants of one graph being written."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; its name is returned."""
        return self.ops(kind, inputs, 1, **attributes)[0]

    def ops(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Add a node with several outputs."""
        names = [f"{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def constant(self, value: Array) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def cut(self, x: str, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> str:
        return self.op("Slice", x, self.ints(*starts), self.ints(*ends), self.ints(*axes))

    def finish(self, name: str, inputs: Mapping[str, Shape], outputs: Mapping[str, tuple[str, Shape]]) -> bytes:
        """The serialised graph. `outputs` maps each output's name to the value that it is, and its shape."""
        for wanted, (value, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [wanted]))
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, *shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, *shape) for key, (_, shape) in outputs.items()],
            list(self.constants.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="kuchipaku")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


def _floats(*shape: int) -> Shape:
    return TensorProto.FLOAT, shape


def _bytes(*shape: int) -> Shape:
    return TensorProto.UINT8, shape


class _Network:
    """One network's layers, written into a graph.

    Args:
        graph: What is being written.
        weights: The network's own tensors by their names in `networks.py`.
        separable: Whether each convolution is a depthwise one and a pointwise one.
        leak: Slope below 0 of the activations; 0 is a plain ReLU.
        down_leak: The same in the blocks of stride 2.
    """

    def __init__(
        self, graph: _Graph, weights: Weights, separable: bool, leak: float = 0.0, down_leak: float | None = None
    ) -> None:
        self.graph = graph
        self.weights = weights
        self.separable = separable
        self.leak = leak
        self.down_leak = leak if down_leak is None else down_leak

    def _conv(self, x: str, weight: Array, bias: Array | None = None, stride: int = 1, groups: int = 1) -> str:
        kernel = int(weight.shape[2])
        pad = (kernel - stride + 1) // 2  # 1 for 3x3 and for 4x4 with stride 2, 3 for 7x7, 0 for 1x1
        return self.graph.op(
            "Conv",
            x,
            self.graph.constant(weight),
            *([] if bias is None else [self.graph.constant(bias)]),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            group=groups,
        )

    def _unit(self, keys: tuple[str, str], parts: Sequence[Part], stride: int = 1) -> str:
        """The convolution of all `parts` side by side. `keys`: the depthwise or only weight, and the pointwise one."""
        first = self.weights[f"{keys[0]}.weight"]
        at = 0
        total = ""
        for x, channels in parts:
            those = slice(at, at + channels)
            at += channels
            if self.separable:
                x = self._conv(x, first[those], stride=stride, groups=channels)
                x = self._conv(x, self.weights[f"{keys[1]}.weight"][:, those])
            else:
                x = self._conv(x, first[:, those], stride=stride)
            total = self.graph.op("Add", total, x) if total else x
        return total

    def _norm(self, x: str, key: str) -> str:
        # ONNX Runtime sums a plane in one float and works its mean in last: 1.2e-3 off in the picture. Taking the
        # mean off first leaves 3e-4.
        x = self.graph.op("Sub", x, self.graph.op("GlobalAveragePool", x))
        scale, shift = (self.graph.constant(self.weights[f"{key}.{kind}"]) for kind in ("weight", "bias"))
        return self.graph.op("InstanceNormalization", x, scale, shift, epsilon=1e-5)

    def _act(self, x: str, leak: float) -> str:
        return self.graph.op("LeakyRelu", x, alpha=leak) if leak else self.graph.op("Relu", x)

    def block(self, key: str, *parts: Part, stride: int = 1) -> str:
        """Convolution, normalisation, activation."""
        x = self._unit((f"{key}.0", f"{key}.1"), parts, stride)
        return self._act(self._norm(x, f"{key}.{1 + self.separable}"), self.down_leak if stride == 2 else self.leak)

    def widen(self, key: str, x: str, channels: int) -> str:
        """The same with a transposed convolution that doubles the size."""
        weight = self.weights[f"{key}.0.weight"]
        x = self.graph.op(
            "ConvTranspose",
            x,
            self.graph.constant(weight),
            kernel_shape=[4, 4],
            strides=[2, 2],
            pads=[1] * 4,
            group=channels if self.separable else 1,
        )
        if self.separable:
            x = self._conv(x, self.weights[f"{key}.1.weight"])
        return self._act(self._norm(x, f"{key}.{1 + self.separable}"), self.leak)

    def residual(self, key: str, x: str, channels: int) -> str:
        """Two convolutions around an activation, added to what came in."""
        path = f"{key}.resnet_path"
        inner = ".0" if self.separable else ""
        y = self._unit((f"{path}.0{inner}", f"{path}.0.1"), [(x, channels)])
        y = self._act(self._norm(y, f"{path}.1"), self.leak)
        y = self._unit((f"{path}.3{inner}", f"{path}.3.1"), [(y, channels)])
        return self.graph.op("Add", self._norm(y, f"{path}.4"), x)

    def heads(self, x: str, names: Sequence[str]) -> list[str]:
        """The named heads' pictures: alpha in [0, 1], colour in [-1, 1], or a change of grid, as each name says."""
        weights, biases, sizes = [], [], []
        for name in names:
            inner = "" if name.endswith("grid_change") or name == "grid_change_creator" else ".0"
            weight = self.weights[f"{name}{inner}.weight"]
            weights.append(weight)
            biases.append(self.weights.get(f"{name}{inner}.bias", np.zeros(weight.shape[0], np.float32)))
            sizes.append(int(weight.shape[0]))
        y = self._conv(x, np.concatenate(weights), np.concatenate(biases))
        parts = [y]
        if len(names) > 1:
            parts = self.graph.ops("Split", [y, self.graph.ints(*sizes)], len(names), axis=1)
        return [self._finish_head(part, name) for part, name in zip(parts, names, strict=True)]

    def _finish_head(self, x: str, name: str) -> str:
        if "alpha" in name:
            return self.graph.op("Sigmoid", x)
        return x if "grid" in name else self.graph.op("Tanh", x)

    def encode(self, key: str, *parts: Part, first: int = 64) -> list[str]:
        """The four blocks that halve the size three times; all their results."""
        x = self.block(f"{key}downsample_blocks.0", *parts)
        found = [x]
        for i in (1, 2, 3):
            x = self.block(f"{key}downsample_blocks.{i}", (x, first << (i - 1)), stride=2)
            found.append(x)
        return found

    def pose_decode(self, key: str, features: str, *pose: Part) -> str:
        """Bottleneck with the pose in it, and back to full size: decomposer, combiner and morpher."""
        x = self.block(f"{key}bottleneck_blocks.0", (features, 512), *pose)
        for i in range(1, 6):
            x = self.residual(f"{key}bottleneck_blocks.{i}", x, 512)
        for i in range(3):
            x = self.widen(f"{key}upsample_blocks.{i}", x, 512 >> i)
        return x


def _planes(graph: _Graph, pose: str, channels: int, size: int) -> Part:
    flat = graph.op("Reshape", pose, graph.ints(1, channels, 1, 1))
    return graph.op("Expand", flat, graph.ints(1, channels, size, size)), channels


def _warp(graph: _Graph, image: str, grid_change: str, size: int) -> str:
    line = (np.arange(size, dtype=np.float32) * 2.0 + 1.0) / size - 1.0
    identity = np.stack([np.broadcast_to(line, (size, size)), np.broadcast_to(line[:, None], (size, size))])[None]
    grid = graph.op("Add", grid_change, graph.constant(identity.astype(np.float32)))
    grid = graph.op("Transpose", grid, perm=[0, 2, 3, 1])
    return graph.op("GridSample", image, grid, mode="bilinear", padding_mode="border", align_corners=0)


def _mix(graph: _Graph, alpha: str, colour: str, image: str) -> str:
    return graph.op("Add", image, graph.op("Mul", alpha, graph.op("Sub", colour, image)))


def _nearest(graph: _Graph, x: str) -> str:
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    return graph.op(
        "Resize", x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )


def _linear(graph: _Graph, x: str) -> str:
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    return graph.op("Resize", x, "", scales, mode="linear", coordinate_transformation_mode="pytorch_half_pixel")


def _to_linear(graph: _Graph, source: str) -> str:
    """uint8 sRGB (512,512,4) as linear floats (1,4,512,512): a table, since there are 256 colours."""
    steps = np.arange(256) / 255.0
    colour = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    x = graph.op("Cast", graph.op("Transpose", source, perm=[2, 0, 1]), to=TensorProto.INT32)
    rgb, alpha = graph.ops("Split", [x, graph.ints(3, 1)], 2, axis=0)
    rgb = graph.op("Gather", graph.constant((colour * 2.0 - 1.0).astype(np.float32)), rgb)
    alpha = graph.op("Gather", graph.constant((steps * 2.0 - 1.0).astype(np.float32)), alpha)
    return graph.op("Unsqueeze", graph.op("Concat", rgb, alpha, axis=0), graph.ints(0))


def _to_srgb(graph: _Graph, x: str) -> str:
    """Linear (1,4,H,W) as float sRGB (1,4,H,W) in 8-bit steps, [0, 255], not rounded."""
    x = graph.op("Mul", graph.op("Add", x, graph.number(1.0)), graph.number(0.5))
    x = graph.op("Clip", x, graph.number(0.0), graph.number(1.0))
    rgb, alpha = graph.ops("Split", [x, graph.ints(3, 1)], 2, axis=1)
    bright = graph.op("Log", graph.op("Max", rgb, graph.number(0.0031308)))
    bright = graph.op("Exp", graph.op("Mul", bright, graph.number(1.0 / 2.4)))
    bright = graph.op("Sub", graph.op("Mul", bright, graph.number(1.055)), graph.number(0.055))
    dark = graph.op("Mul", rgb, graph.number(12.92))
    rgb = graph.op("Where", graph.op("LessOrEqual", rgb, graph.number(0.0031308)), dark, bright)
    return graph.op("Mul", graph.op("Concat", rgb, alpha, axis=1), graph.number(255.0))


def build_character(weights: Mapping[str, Weights], separable: bool) -> bytes:
    """The graph that a character needs once: to linear light, brows taken off, combiner's encoder."""
    g = _Graph()
    image = _to_linear(g, "source")
    top, left = BROW_TOP, BROW_LEFT
    crop = g.cut(image, (top, left), (top + BROW_PX, left + BROW_PX), (2, 3))
    net = _Network(g, weights["eyebrow_decomposer"], separable)
    x = net.pose_decode("body.", net.encode("body.", (crop, 4))[-1])
    back_names = ("background_layer_alpha", "background_layer_color_change")
    brow_names = ("eyebrow_layer_alpha", "eyebrow_layer_color_change")
    back_alpha, back_colour, brow_alpha, brow_colour = net.heads(x, (*back_names, *brow_names))
    background = _mix(g, back_alpha, back_colour, crop)
    eyebrow = _mix(g, brow_alpha, crop, brow_colour)  # here alpha 1 keeps the picture
    net = _Network(g, weights["eyebrow_morphing_combiner"], separable)
    features = net.encode("body.", (g.op("Concat", background, eyebrow, axis=1), 8))[-1]
    layer = _floats(1, 4, BROW_PX, BROW_PX)
    return g.finish(
        "character",
        {"source": _bytes(SIZE_PX, SIZE_PX, 4)},
        {
            "image": (image, _floats(1, 4, SIZE_PX, SIZE_PX)),
            "background": (background, layer),
            "eyebrow": (eyebrow, layer),
            "brow_features": (features, _floats(1, 512, BROW_PX // 8, BROW_PX // 8)),
        },
    )


def build_brows(weights: Mapping[str, Weights], separable: bool) -> bytes:
    """The graph that runs when the brows move: combiner's decoder, brows into the face crop, morpher's encoder."""
    g = _Graph()
    net = _Network(g, weights["eyebrow_morphing_combiner"], separable)
    x = net.pose_decode("body.", "brow_features", _planes(g, "pose", 12, BROW_PX // 8))
    names = ("morphed_eyebrow_layer_grid_change", "morphed_eyebrow_layer_alpha", "morphed_eyebrow_layer_color_change")
    grid_change, alpha, colour = net.heads(x, names)
    moved = _mix(g, alpha, colour, _warp(g, "eyebrow", grid_change, BROW_PX))
    rgb, moved_alpha = g.ops("Split", [moved, g.ints(3, 1)], 2, axis=1)
    back_rgb, back_alpha = g.ops("Split", ["background", g.ints(3, 1)], 2, axis=1)
    share = g.op("Mul", g.op("Add", moved_alpha, g.number(1.0)), g.number(0.5))
    brows = g.op("Concat", _mix(g, share, rgb, back_rgb), back_alpha, axis=1)

    face = g.cut("image", (FACE_TOP, FACE_LEFT), (FACE_TOP + FACE_PX, FACE_LEFT + FACE_PX), (2, 3))
    edge, end = BROW_IN_FACE, BROW_IN_FACE + BROW_PX
    above, middle, below = g.ops("Split", [face, g.ints(edge, BROW_PX, FACE_PX - end)], 3, axis=2)
    before, _, after = g.ops("Split", [middle, g.ints(edge, BROW_PX, FACE_PX - end)], 3, axis=3)
    crop = g.op("Concat", above, g.op("Concat", before, brows, after, axis=3), below, axis=2)
    net = _Network(g, weights["face_morpher"], separable)
    features = net.encode("body.", (crop, 4))[-1]
    layer = _floats(1, 4, BROW_PX, BROW_PX)
    return g.finish(
        "brows",
        {
            "image": _floats(1, 4, SIZE_PX, SIZE_PX),
            "background": layer,
            "eyebrow": layer,
            "brow_features": _floats(1, 512, BROW_PX // 8, BROW_PX // 8),
            "pose": _floats(1, 12),
        },
        {
            "crop": (crop, _floats(1, 4, FACE_PX, FACE_PX)),
            "features": (features, _floats(1, 512, FACE_PX // 8, FACE_PX // 8)),
        },
    )


def build_face(weights: Mapping[str, Weights], separable: bool) -> bytes:
    """The graph that runs when eyes or mouth move: the morpher's decoder."""
    g = _Graph()
    net = _Network(g, weights["face_morpher"], separable)
    x = net.pose_decode("body.", "features", _planes(g, "pose", 27, FACE_PX // 8))
    names = ("iris_mouth_grid_change", "iris_mouth_color_change", "iris_mouth_alpha")
    grid_change, colour, alpha, eye_colour, eye_alpha = net.heads(x, (*names, "eye_color_change", "eye_alpha"))
    face = _mix(g, alpha, colour, _warp(g, "crop", grid_change, FACE_PX))
    face = _mix(g, eye_alpha, eye_colour, face)
    crop = _floats(1, 4, FACE_PX, FACE_PX)
    return g.finish(
        "face",
        {"crop": crop, "features": _floats(1, 512, FACE_PX // 8, FACE_PX // 8), "pose": _floats(1, 27)},
        {"face": (face, crop)},
    )


def build_body(weights: Mapping[str, Weights], separable: bool) -> bytes:
    """The graph that every new frame runs: rotator, editor, and the finished picture in three forms."""
    g = _Graph()
    leak = 0.1
    # The full-size networks were made with plain ReLU where they halve the size.
    down = leak if separable else 0.0
    half_px = SIZE_PX // 2
    half = g.op("AveragePool", "full", kernel_shape=[2, 2], strides=[2, 2])  # bilinear halving is the mean of four
    net = _Network(g, weights["two_algo_face_body_rotator"], separable, leak, down)
    key = "encoder_decoder."
    x = net.encode(key, (g.op("Concat", half, _planes(g, "pose", 6, half_px)[0], axis=1), 10))[-1]
    for i in range(6):
        x = net.residual(f"{key}bottleneck_blocks.{i}", x, 512)
    for i in range(3):
        x = net.block(f"{key}upsample_blocks.{i}.1", (_nearest(g, x), 512 >> i))
    (grid_change,) = net.heads(x, ("grid_change_creator",))
    warped = _warp(g, half, grid_change, half_px)
    enlarged = _linear(g, g.op("Concat", warped, grid_change, axis=1))
    grid_change = g.cut(enlarged, (4,), (6,), (1,))

    net = _Network(g, weights["editor"], separable, leak, down)
    planes, _ = _planes(g, "pose", 6, SIZE_PX)
    *skips, x = net.encode("body.", (g.op("Concat", "full", enlarged, planes, axis=1), 16), first=32)
    for i in range(6):
        x = net.residual(f"body.bottleneck_blocks.{i}", x, 256)
    for i in range(3):
        x = net.block(f"body.upsample_blocks.{i}", (_nearest(g, x), 256 >> i), (skips.pop(), 128 >> i))
    change, alpha, colour = net.heads(x, ("grid_change_creator", "alpha_creator", "color_change_creator"))
    grid_change = g.op("Add", grid_change, change)
    picture = _mix(g, alpha, colour, _warp(g, "full", grid_change, SIZE_PX))
    srgb = _to_srgb(g, picture)
    pixels = g.op("Transpose", g.op("Cast", g.op("Round", srgb), to=TensorProto.UINT8), perm=[0, 2, 3, 1])
    pixels = g.op("Reshape", pixels, g.ints(SIZE_PX, SIZE_PX, 4))
    whole = _floats(1, 4, SIZE_PX, SIZE_PX)
    return g.finish(
        "body",
        {"full": whole, "pose": _floats(1, 6)},
        {
            "pixels": (pixels, _bytes(SIZE_PX, SIZE_PX, 4)),
            "picture": (picture, whole),
            "grid_change": (grid_change, _floats(1, 2, SIZE_PX, SIZE_PX)),
        },
    )


BUILDERS = {"character": build_character, "brows": build_brows, "face": build_face, "body": build_body}
"""Every graph by its name, in the order in which a face runs them."""
