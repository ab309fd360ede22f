"""Weights to the model's file: `python -m animator.lipsync.training.export model.npz model.onnx`.

The graph is written node by node, because it is not the network that training ran: it takes a piece of sound's
features and what the layers remember of the piece before, and gives log-probabilities and what they remember now.
Needs `onnx`, not PyTorch.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.lipsync import onset_bias
from animator.lipsync import phone_features as features
from animator.lipsync.phone_model import FORMAT, LICENCE

OPSET = 20
"""The first with Gelu."""
IR_VERSION = 9
KEPT_FLOAT32 = 4096
"""Weights with fewer numbers stay float32: biases and norms cost nothing and carry the scale."""

Array = npt.NDArray[Any]


class _Graph:
    """Collects nodes; every method gives the name of its result."""

    def __init__(self, half: bool) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._half = half
        self._count = 0

    def node(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        self._count += 1
        result = name or f"{kind.lower()}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def weight(self, array: Array, name: str) -> str:
        from onnx import TensorProto, numpy_helper

        array = np.ascontiguousarray(array)
        if self._half and array.dtype == np.float32 and array.size >= KEPT_FLOAT32:
            stored = f"{name}.half"
            self.weights.append(numpy_helper.from_array(array.astype(np.float16), stored))
            return self.node("Cast", stored, to=TensorProto.FLOAT)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values: int) -> str:
        self._count += 1
        return self.weight(np.array(values, np.int64), f"ints_{self._count}")

    def cut(self, x: str, first: int, last: int) -> str:
        """Rows [first, last) of x; a negative or large `last` counts as in Python."""
        return self.node("Slice", x, self.ints(first), self.ints(last), self.ints(0))

    def rows(self, x: str, first: int, less: int) -> str:
        """Rows [first, rows - less) of x."""
        return self.cut(x, first, -less if less else np.iinfo(np.int64).max)

    def norm(self, x: str, weights: Mapping[str, Array], name: str) -> str:
        scale = self.weight(weights[f"{name}.weight"], f"{name}.weight")
        bias = self.weight(weights[f"{name}.bias"], f"{name}.bias")
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def linear(self, x: str, matrix: Array, bias: Array, name: str) -> str:
        product = self.node("MatMul", x, self.weight(np.ascontiguousarray(matrix.T), f"{name}.weight"))
        return self.node("Add", product, self.weight(bias, f"{name}.bias"))


def build(weights: Mapping[str, Array], shape: Mapping[str, Any], half: bool = True) -> Any:
    """The model as an ONNX ModelProto.

    Inputs are `features` (n, 80), `heard` (a, 80) and `memory` (b, width); outputs `log_probs` (n, classes), `onsets`
    (n,) as probabilities, and `heard_next` and `memory_next` for the next piece. `shape` is `Shape.to_plain()`;
    `half` stores large weights as float16 (they are computed with as float32).
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph(half)
    width = int(shape["width"])
    kernel = int(shape["stem"][0])
    x = graph.node("Concat", "heard", "features", axis=0)
    graph.node("Slice", x, graph.ints(1 - kernel), graph.ints(np.iinfo(np.int64).max), graph.ints(0), name="heard_next")
    taps = [graph.rows(x, k, kernel - 1 - k) for k in range(kernel)]
    stem = graph.linear(graph.node("Concat", *taps, axis=1), weights["stem.weight"], weights["stem.bias"], "stem")
    x = graph.norm(stem, weights, "stem_norm")
    remembered: list[str] = []
    at = 0
    for index, (kernel, dilation, right) in enumerate(shape["blocks"]):
        name = f"blocks.{index}"
        context = (kernel - 1) * dilation
        x = graph.node("Concat", graph.cut("memory", at, at + context), x, axis=0)
        at += context
        remembered.append(graph.rows(x, -context, 0))
        h = graph.weight(weights[f"{name}.bias"], f"{name}.bias")
        for k in range(kernel):
            piece = graph.rows(x, k * dilation, context - k * dilation)
            tap = graph.weight(np.asarray(weights[f"{name}.taps"][k]), f"{name}.taps.{k}")
            h = graph.node("Add", h, graph.node("Mul", piece, tap))
        h = graph.norm(h, weights, f"{name}.norm")
        h = graph.linear(h, weights[f"{name}.up.weight"], weights[f"{name}.up.bias"], f"{name}.up")
        h = graph.node("Gelu", h)
        scale = weights[f"{name}.scale"]
        h = graph.linear(
            h, weights[f"{name}.down.weight"] * scale[:, None], weights[f"{name}.down.bias"] * scale, f"{name}.down"
        )
        left = (kernel - 1 - right) * dilation
        x = graph.node("Add", graph.rows(x, left, context - left), h)
    graph.node("Concat", *remembered, axis=0, name="memory_next")
    x = graph.norm(x, weights, "norm")
    phones = graph.linear(x, weights["phones.weight"], weights["phones.bias"], "phones")
    graph.node("LogSoftmax", phones, axis=-1, name="log_probs")
    onset = graph.linear(x, weights["onset.weight"], weights["onset.bias"], "onset")
    graph.node("Squeeze", graph.node("Sigmoid", onset), graph.ints(1), name="onsets")

    classes = int(shape["classes"])
    heard = int(shape["stem"][0]) - 1

    def value(name: str, *size: int | str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(size))

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "phones",
            [
                value("features", "frames", features.BANDS),
                value("heard", heard, features.BANDS),
                value("memory", at, width),
            ],
            [
                value("log_probs", "frames", classes),
                value("onsets", "frames"),
                value("heard_next", heard, features.BANDS),
                value("memory_next", at, width),
            ],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="kuchipaku",
    )
    model.ir_version = IR_VERSION
    checker.check_model(model, full_check=True)
    return model


def context_frames(shape: Mapping[str, Any]) -> tuple[int, int]:
    """Frames of the past and of the future that a frame's answer depends on."""
    reaches = [shape["stem"], *shape["blocks"]]
    right = sum(int(dilation) * int(right) for _, dilation, right in reaches)
    return sum((int(kernel) - 1) * int(dilation) for kernel, dilation, _ in reaches) - right, right


def export(source: Path, out: Path, bias_s: float = 0.0, half: bool = True) -> None:
    """Write the model file `out` from what `training.train` saved.

    Args:
        source: The .npz: weights, bigram, and `about` as JSON.
        out: The .onnx to write.
        bias_s: How much later than Piper's durations forced alignment puts onsets (median), measured once.
        half: Store large weights as float16.
    """
    import onnx

    with np.load(source, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name not in {"about", "bigram"}}
        about = json.loads(str(stored["about"]))
        bigram = np.asarray(stored["bigram"], np.float16)
    model = build({name: np.asarray(array, np.float32) for name, array in arrays.items()}, about["shape"], half)
    left, right = context_frames(about["shape"])
    metadata = {
        "format": FORMAT,
        "symbols": json.dumps(about["symbols"], ensure_ascii=False),
        "hop_s": str(features.HOP / features.SAMPLE_RATE),
        "left_frames": str(left),
        "right_frames": str(right),
        "bias_s": f"{bias_s:.4f}",
        "bigram": base64.b64encode(bigram.tobytes()).decode("ascii"),
        "licence": LICENCE,
        "data": json.dumps(about["data"], ensure_ascii=False),
        "figures": json.dumps(about["figures"], ensure_ascii=False),
        "trained_on": f"{about['machine']}; {about['steps']} steps",
    }
    onnx.helper.set_model_props(model, metadata)
    out.write_bytes(model.SerializeToString())


def store_biases(path: Path, bias_s: float, biases_s: onset_bias.Biases) -> None:
    """Write a measured onset bias into the model file `path`; the network and its weights stay as they are.

    Raises:
        OSError: If the file cannot be read or written; then it is as it was.
    """
    import onnx

    model = onnx.load(str(path))
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata["bias_s"] = f"{bias_s:.4f}"
    metadata["biases_s"] = json.dumps(onset_bias.to_plain(biases_s), ensure_ascii=False)
    onnx.helper.set_model_props(model, metadata)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(model.SerializeToString())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0 when the model is written."""
    parser = argparse.ArgumentParser(description="Write the phone model's file from trained weights.")
    parser.add_argument("source", type=Path, help="the .npz of training")
    parser.add_argument("out", type=Path, help="the .onnx to write")
    parser.add_argument("--bias-s", type=float, default=0.0, help="constant onset bias in s")
    parser.add_argument("--float32", action="store_true", help="do not store large weights as float16")
    options = parser.parse_args(arguments)
    export(options.source, options.out, options.bias_s, half=not options.float32)
    return 0


if __name__ == "__main__":
    sys.exit(main())
