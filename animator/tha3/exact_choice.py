"""Which exact face a machine gets: our CUDA graph, PyTorch on CUDA, ONNX Runtime, PyTorch on the CPU; in this order.

Loads without PyTorch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from animator.messages import Pixels
from animator.tha3.face import Face
from animator.tha3.providers import first_line

_log = logging.getLogger(__name__)

Maker = Callable[[], Face]


class FaceFailed(RuntimeError):
    """The exact face could not go on: `problem` says why in words for the user, `remedy` what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def cuda_is_there() -> bool:
    """Whether PyTorch finds a CUDA device; asked only where a driver is, since importing torch costs seconds."""
    if not (Path("/proc/driver/nvidia").exists() or Path("C:/Windows/System32/nvcuda.dll").exists()):
        return False
    import torch

    return torch.cuda.is_available()


def open_exact(weights: Path, image: Pixels, cache_root: Path) -> Face:
    """The fastest exact face that works here.

    Args:
        weights: Folder with the five weight files.
        image: The character, uint8 RGBA (512,512,4).
        cache_root: Where ONNX graphs are kept.

    Raises:
        ValueError: If picture or weights do not fit.
        OSError: If a file cannot be read.
        RuntimeError: If nothing can draw it.
    """
    makers: list[tuple[str, Maker]] = []
    if cuda_is_there():
        makers += [("CUDA", lambda: open_cuda(weights, image))]
    makers += [
        ("ONNX Runtime", lambda: _onnx_face(weights, image, cache_root)),
        ("PyTorch on the CPU", lambda: _torch_face(weights, image, "cpu")),
    ]
    return first_that_works(makers)


def open_cuda(weights: Path, image: Pixels) -> Face:
    """The fastest exact face of the CUDA device. Raises as `open_exact` does; out of memory is a RuntimeError."""
    return first_that_works(
        [
            ("the CUDA graph", lambda: _cuda_face(weights, image)),
            ("PyTorch on CUDA", lambda: _torch_face(weights, image, "cuda")),
        ]
    )


def first_that_works(makers: list[tuple[str, Maker]]) -> Face:
    """The face of the first maker that does not fail; what failed before it is logged.

    A ValueError or OSError says that picture or weights are wrong, which no other maker would mend: it is raised.
    """
    for place, (name, make) in enumerate(makers):
        try:
            return make()
        except (ImportError, RuntimeError, MemoryError) as error:
            if place == len(makers) - 1:
                raise
            _log.warning("the exact face does not run on %s: %s", name, first_line(error))
    raise RuntimeError("nothing was given that could draw the face")


def _cuda_face(weights: Path, image: Pixels) -> Face:
    from animator.tha3.exact_cuda import CudaFace  # ImportError without Triton

    return CudaFace(weights, image, "cuda")


def _torch_face(weights: Path, image: Pixels, device: str) -> Face:
    from animator.tha3.exact import ExactFace

    return ExactFace(weights, image, device)


def _onnx_face(weights: Path, image: Pixels, cache_root: Path) -> Face:
    from animator.tha3.exact_onnx import OnnxFace

    try:
        return OnnxFace(weights, image, cache_root)
    except OSError as error:
        raise RuntimeError(f"its graphs cannot be kept in {cache_root}: {error}") from error


def failure(error: BaseException) -> FaceFailed:
    """What `error`, raised by an exact face, means to the user. PyTorch's errors are known by name, not imported."""
    said = first_line(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "out of memory" in said.lower():
        return FaceFailed(
            "The graphics card has no memory left for the exact face; the prepared (live) face draws instead.",
            'Close what else uses the card and choose the character again, or set [face] tier = "live".',
        )
    device_words = ("cuda", "cudnn", "cublas", "hip error", "device")
    if type(error).__name__ == "AcceleratorError" or any(word in said.lower() for word in device_words):
        return FaceFailed(
            f"The graphics card stopped answering ({said}); the prepared (live) face draws instead.",
            'Choose the character again; if it stays so, restart the computer or set [face] tier = "live".',
        )
    return FaceFailed(
        f"The exact face could not be drawn ({said}); the prepared (live) face draws instead.",
        "Choose the character again, or run `kuchipaku doctor`.",
    )
