"""Which part of the machine ONNX Runtime runs the face on. Loads without PyTorch; ONNX Runtime is imported on use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

CPU = "CPUExecutionProvider"
ORDER = (
    "CUDAExecutionProvider",
    "TensorrtExecutionProvider",
    "MIGraphXExecutionProvider",
    "ROCMExecutionProvider",
    "DmlExecutionProvider",
    "OpenVINOExecutionProvider",
    CPU,
)
"""Fastest to be ready first: CUDA before TensorRT, which works on its engines for minutes before the first frame."""

NAMES: Mapping[str, str] = {
    "CUDAExecutionProvider": "CUDA",
    "TensorrtExecutionProvider": "TensorRT",
    "MIGraphXExecutionProvider": "MIGraphX",
    "ROCMExecutionProvider": "ROCm",
    "DmlExecutionProvider": "DirectML",
    "OpenVINOExecutionProvider": "OpenVINO",
    CPU: "CPU",
}
"""What users call them."""

_OPTIONS: Mapping[str, Mapping[str, str]] = {
    # Ten bits of mantissa leave the face visibly off.
    "CUDAExecutionProvider": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    "OpenVINOExecutionProvider": {"precision": "FP32"},
}


def preferred(available: Sequence[str]) -> list[str]:
    """Those of `available` that can run the face, best first, the CPU always last."""
    return [name for name in ORDER if name in available and name != CPU] + [CPU]


def available() -> list[str]:
    """What this ONNX Runtime was built with; whether it works shows only when a session is opened."""
    import onnxruntime

    found: list[str] = onnxruntime.get_available_providers()
    return found


class Opened(NamedTuple):
    """A session, where it runs, and what was tried before: one sentence for each provider that failed."""

    session: Any
    provider: str
    failed: tuple[str, ...]


def open_session(graph: bytes, order: Sequence[str], threads: int | None = None) -> Opened:
    """Open `graph` with the first provider of `order` that takes it.

    Raises:
        RuntimeError: If none does; the message names each and why.
    """
    import onnxruntime

    failed: list[str] = []
    there = available()
    for provider in order:
        if provider not in there:
            failed.append(f"{NAMES.get(provider, provider)}: not part of this ONNX Runtime")
            continue
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what it would print is in `failed`
        # Waiting threads must not spin: hearing, thinking and speaking work on the same cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        if provider == "DmlExecutionProvider":  # DirectML cannot plan memory ahead nor run in parallel
            options.enable_mem_pattern = False
        wanted: list[Any] = [(provider, dict(_OPTIONS.get(provider, {})))]
        if provider != CPU:
            wanted.append(CPU)  # for the few nodes that it does not know
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=wanted)
        except Exception as error:  # each provider raises its own kinds
            failed.append(f"{NAMES.get(provider, provider)}: {first_line(error, at_most=200)}")
            continue
        if session.get_providers()[0] == provider:
            return Opened(session, provider, tuple(failed))
        failed.append(f"{NAMES.get(provider, provider)}: its libraries could not be loaded")
    raise RuntimeError("ONNX Runtime cannot run the face. " + "; ".join(failed))


def first_line(error: BaseException, at_most: int = 160) -> str:
    """The first line of an error's text, at most `at_most` characters; its type where it says nothing."""
    lines = (line.strip()[:at_most] for line in str(error).splitlines() if line.strip())
    return next(lines, type(error).__name__)


def _probe() -> bytes:
    """The smallest graph there is: a float comes out as it went in."""
    from onnx import TensorProto, helper

    one = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y"))
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", [next(one)], [next(one)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    data: bytes = model.SerializeToString()
    return data


def describe() -> str:
    """One line for `kuchipaku doctor`: what runs the face's graphs here, and what was found not to work."""
    opened = open_session(_probe(), preferred(available()))
    cores = f", {os.cpu_count()} cores" if opened.provider == CPU else ""
    text = f"ONNX Runtime on {NAMES[opened.provider]}{cores}"
    return f"{text} (not usable: {'; '.join(opened.failed)})" if opened.failed else text
