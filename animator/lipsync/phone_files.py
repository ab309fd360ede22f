"""Phone models by name or path: "own" (comes along), "hama" (a package), a folder or an ONNX file of the user's."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

from animator.lipsync.hama_model import HamaModel
from animator.lipsync.sources import AcousticModel

NAMES = ("own", "hama")


class PhoneSourceError(ValueError):
    """A phone model cannot be used; the message says what happened, what was expected and what to do."""


@lru_cache(maxsize=4)
def load_model(name: str) -> AcousticModel:
    """The model called `name`, or the one at that path: of wav2vec2-espeak (folder or ONNX file), or of our own kind.

    Takes seconds. Raises PhoneSourceError.
    """
    if name == "hama":
        model = HamaModel.load()
        if model is None:
            raise PhoneSourceError(
                "The phone model hama does not run here: its package has no library for this system, or is not "
                'installed. Choose "own", or the path of another model.'
            )
        return model
    if name == "own":
        return _own(None)
    try:
        path = Path(name).expanduser()
        is_there = bool(name) and (path.is_dir() or (path.suffix == ".onnx" and path.is_file()))
    except (OSError, ValueError, RuntimeError):  # longer than a path may be, a zero byte, nobody's home
        is_there = False
    if is_there:
        return _brought(path)
    raise PhoneSourceError(
        f"There is no phone model {name[:200]!r}. Choose one of {', '.join(NAMES)}, the folder of a wav2vec2-espeak "
        "model (config.json, vocab.json, model.safetensors), or an .onnx file of a phone model."
    )


def _own(path: Path | None) -> AcousticModel:
    # Comes with the training code; a checkout without it has no model of our own.
    if importlib.util.find_spec("animator.lipsync.phone_model") is None:
        raise PhoneSourceError("There is no phone model of our own here.")
    from animator.lipsync.phone_model import PhoneModel

    try:
        return PhoneModel.load(path) if path is not None else PhoneModel.load()
    except (OSError, ValueError) as error:
        raise PhoneSourceError(str(error)) from error


def _brought(path: Path) -> AcousticModel:
    from animator.lipsync import wav2vec2

    if path.is_file() and not wav2vec2.is_export(path):
        return _own(path)
    try:
        return wav2vec2.load(path)
    except (OSError, ValueError, ImportError) as error:
        raise PhoneSourceError(str(error)) from error
