"""wav2vec2 fine-tuned on espeak phones (`facebook/wav2vec2-lv-60-espeak-cv-ft`, `wav2vec2-xlsr-53-espeak-cv-ft`).

The files are brought by the user (1.26 GB). They are read strictly: the configuration has to be that of
`Wav2Vec2ForCTC`, the vocabulary has to fit the network, weights come from safetensors, or from a PyTorch file of which
nothing but tensors is unpickled; no code of the folder runs. The tokenizer is not needed: a class is an espeak phone.

    python -m animator.lipsync.wav2vec2 export FOLDER OUT.onnx

writes the same network as one ONNX file, which runs without PyTorch.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.lipsync import onset_bias
from animator.lipsync.align import Scores
from animator.lipsync.onset_bias import Biases
from animator.lipsync.windows import WindowedStream, in_parts
from animator.messages import Samples

RATE_HZ = 16_000
HOP_S = 0.020
"""The feature encoder's strides multiply to 320 samples."""
STRIDE = 320
RECEPTIVE_FIELD = 400
BIAS_S = 0.020
"""Until it is measured (`benchmarks/phones_bias.py --store`): a peak lies near a phone's middle (arXiv 2109.11680's
models are CTC, 20 ms frames; the first of them is centred 12.5 ms into the sound)."""
LOOK_AHEAD_S = 0.16
CONTEXT_S = 2.0
SPECIAL = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3}
"""The vocabulary's first entries; <pad> is the CTC blank."""
BIAS_FILE = "kuchipaku.json"
"""Beside the model: {"bias_s": ..., "biases_s": {sound: [...]}} (`onset_bias.py`), as measured by
`benchmarks/phones_bias.py --store`."""
MAX_TEXT_BYTES = 4 << 20
MAX_WEIGHT_BYTES = 4 << 30
MAX_VOCABULARY = 4096
EXPORT_FORMAT = "kuchipaku-wav2vec2-1"
REMEDY = "Fetch the model's files again (facebook/wav2vec2-lv-60-espeak-cv-ft or wav2vec2-xlsr-53-espeak-cv-ft)."

Logits = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


class Wav2Vec2Error(ValueError):
    """A file is missing or is not what it should be; the message says which, what was expected and what to do."""


class Wav2Vec2Model:
    """Log-probabilities by wav2vec2. Calls are serialised."""

    blank: int | None = 0
    silence: int | None = None
    hop_s = HOP_S
    look_ahead_s = LOOK_AHEAD_S

    def __init__(
        self,
        name: str,
        symbols: tuple[str, ...],
        logits: Logits,
        normalises: bool,
        bias_s: float,
        biases_s: Biases = onset_bias.NONE,
    ) -> None:
        self.name = name
        self.symbols = symbols
        self.bias_s = bias_s
        self.biases_s = biases_s
        self._logits = logits
        self._normalises = normalises
        self._lock = threading.Lock()

    def log_probs(self, samples: Samples) -> Scores:
        """Of a whole sound, 16 kHz mono: float32 (ceil(samples / 320), classes)."""
        sound = np.asarray(samples, np.float32)
        if self._normalises and len(sound):
            # As the model's own feature extractor: zero mean, unit variance, 1e-7 against silence.
            sound = ((sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)).astype(np.float32)
        return in_parts(self._part, sound, HOP_S)

    def _part(self, sound: Samples) -> Scores:
        frames = -(-len(sound) // STRIDE)
        if not frames:
            return np.zeros((0, len(self.symbols)), np.float32)
        if len(sound) < RECEPTIVE_FIELD:
            sound = np.pad(sound, (0, RECEPTIVE_FIELD - len(sound)))
        with self._lock:
            logits = self._logits(sound[None])[0]
        # The network gives no frame where its 400 samples would reach past the end: the last one stands in.
        logits = np.concatenate([logits, np.repeat(logits[-1:], max(0, frames - len(logits)), axis=0)])
        top = logits.max(axis=1, keepdims=True)
        scores = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        # Speaker marks and the unknown are no phones: their share goes to the blank.
        blank = np.logaddexp.reduce(scores[:, : len(SPECIAL)], axis=1)
        scores[:, : len(SPECIAL)] = np.float32(-30.0)
        scores[:, 0] = blank
        return np.asarray(scores[:frames], np.float32)

    def stream(self) -> WindowedStream:
        """Windows with 2 s before and 0.16 s after what is new."""
        return WindowedStream(self.log_probs, len(self.symbols), HOP_S, CONTEXT_S, LOOK_AHEAD_S)


@dataclass(frozen=True, slots=True)
class _Description:
    """The checked small files of a folder."""

    symbols: tuple[str, ...]
    normalises: bool
    bias_s: float
    biases_s: Biases
    config: dict[str, Any]


def load(path: Path, device: str = "") -> Wav2Vec2Model:
    """The model of a folder (PyTorch), or of a file that `export` wrote (ONNX Runtime).

    Args:
        path: The folder or the file.
        device: "cpu", "cuda", or "" for a graphics card where there is one; half precision there.

    Raises:
        Wav2Vec2Error: If a file is missing or damaged, or is not this kind of model.
    """
    return _load_export(path) if path.suffix == ".onnx" else _load_folder(path, device)


def is_export(path: Path) -> bool:
    """Whether an ONNX file says that `export` wrote it."""
    try:
        import onnx

        model = onnx.load(str(path), load_external_data=False)
        return any(each.key == "format" and each.value == EXPORT_FORMAT for each in model.metadata_props)
    except Exception:  # protobuf's own family: whatever it is, it is none of ours
        return False


def describe(folder: Path) -> _Description:
    """Read and check the small files of a folder. Raises Wav2Vec2Error."""
    config = _json(folder / "config.json")
    kinds = config.get("architectures")
    if config.get("model_type") != "wav2vec2" or not isinstance(kinds, list) or "Wav2Vec2ForCTC" not in kinds:
        raise Wav2Vec2Error(
            f"{folder / 'config.json'} describes {config.get('model_type')!r} {kinds!r}; expected a wav2vec2 model "
            f"with Wav2Vec2ForCTC. {REMEDY}"
        )
    vocabulary = _json(folder / "vocab.json")
    ids = list(vocabulary.values())
    if not all(type(i) is int for i in ids) or sorted(ids) != list(range(len(ids))) or len(ids) > MAX_VOCABULARY:
        raise Wav2Vec2Error(
            f"{folder / 'vocab.json'} numbers its {len(ids)} entries otherwise than 0, 1, 2, …; expected at most "
            f"{MAX_VOCABULARY} entries without gaps. {REMEDY}"
        )
    if wrong := [token for token, i in SPECIAL.items() if vocabulary.get(token) != i]:
        raise Wav2Vec2Error(
            f"{folder / 'vocab.json'} has {', '.join(wrong)} elsewhere than expected ({SPECIAL}): it belongs to "
            f"another model. {REMEDY}"
        )
    if config.get("vocab_size") != len(ids):
        raise Wav2Vec2Error(
            f"{folder / 'config.json'} speaks of {config.get('vocab_size')!r} classes, vocab.json holds {len(ids)}: "
            f"the files belong to different models. {REMEDY}"
        )
    if config.get("pad_token_id", 0) != 0:
        raise Wav2Vec2Error(
            f"{folder / 'config.json'} has its blank at {config['pad_token_id']!r}; expected 0. {REMEDY}"
        )
    _check_grid(folder / "config.json", config)
    extractor = _json(folder / "preprocessor_config.json")
    if extractor.get("sampling_rate", RATE_HZ) != RATE_HZ:
        raise Wav2Vec2Error(
            f"{folder / 'preprocessor_config.json'} wants sound at {extractor['sampling_rate']!r} Hz; expected "
            f"{RATE_HZ}. {REMEDY}"
        )
    by_id = {i: token for token, i in vocabulary.items()}
    symbols = tuple("" if i < len(SPECIAL) else by_id[i] for i in range(len(ids)))
    return _Description(symbols, bool(extractor.get("do_normalize", True)), *_bias_s(folder), config)


def _check_grid(path: Path, config: dict[str, Any]) -> None:
    """The feature encoder has to give a frame every 320 samples, of 400 each."""
    kernels, strides = config.get("conv_kernel"), config.get("conv_stride")
    try:
        reach, step = 1, 1
        for kernel, stride in zip(kernels, strides, strict=True):  # type: ignore[arg-type]
            reach += (kernel - 1) * step
            step *= stride
    except (TypeError, ValueError):
        reach, step = 0, 0
    if (reach, step) != (RECEPTIVE_FIELD, STRIDE):
        raise Wav2Vec2Error(
            f"{path} has convolutions {kernels!r} with strides {strides!r}; expected frames of {RECEPTIVE_FIELD} "
            f"samples every {STRIDE}. {REMEDY}"
        )


def _bias_s(folder: Path) -> tuple[float, Biases]:
    path = folder / BIAS_FILE
    if not path.is_file():
        return BIAS_S, onset_bias.NONE
    held = _json(path)
    value = held.get("bias_s")
    remedy = "Measure it again (python benchmarks/phones_bias.py), or delete the file."
    if isinstance(value, bool) or not isinstance(value, int | float) or not -0.1 <= value <= 0.2:
        raise Wav2Vec2Error(f"{path} has a bias_s of {value!r}; expected s from -0.1 to 0.2. {remedy}")
    try:
        return float(value), onset_bias.from_plain(held.get("biases_s", {}))
    except ValueError as error:
        raise Wav2Vec2Error(f"{path} has biases_s that do not fit: {error}. {remedy}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise Wav2Vec2Error(f"{path} is larger than {MAX_TEXT_BYTES >> 20} MB. {REMEDY}")
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Wav2Vec2Error(f"{path} is missing. {REMEDY}") from None
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, Wav2Vec2Error):
            raise
        raise Wav2Vec2Error(f"{path} cannot be read as JSON. {REMEDY}") from error
    if not isinstance(value, dict):
        raise Wav2Vec2Error(f"{path} holds no JSON object. {REMEDY}")
    return value


# --------------------------------------------------------------------------------------------------------- PyTorch


def _load_folder(folder: Path, device: str) -> Wav2Vec2Model:
    about = describe(folder)
    network = network_of(folder, about.config)
    import torch

    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    logits = torch_logits(network, chosen)
    return Wav2Vec2Model("wav2vec2", about.symbols, logits, about.normalises, about.bias_s, about.biases_s)


def torch_logits(network: Any, device: str) -> Logits:
    """The network as a function of normalised sound, on `device`; half precision on a graphics card."""
    import torch

    dtype = torch.float16 if device.startswith("cuda") else torch.float32
    network = network.to(device=device, dtype=dtype).eval()

    def logits(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            found = network(torch.from_numpy(sound).to(device=device, dtype=dtype)).logits
        return np.asarray(found.float().cpu().numpy())

    return logits


def network_of(folder: Path, config: dict[str, Any]) -> Any:
    """The network with the folder's weights. Raises Wav2Vec2Error."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    weights = _weights(folder)
    try:
        # Only what describes the network: a folder names neither code nor how to save.
        settings = {key: value for key, value in config.items() if key not in ("auto_map", "_name_or_path")}
        network = Wav2Vec2ForCTC(Wav2Vec2Config(**settings))
    except Exception as error:  # the library's checks have many types
        raise Wav2Vec2Error(f"{folder / 'config.json'} describes no network that can be built. {REMEDY}") from error
    wanted = network.state_dict()
    found = {_new_name(name): tensor for name, tensor in weights.items()}
    # Only training masks sound with it.
    found.setdefault("wav2vec2.masked_spec_embed", wanted.get("wav2vec2.masked_spec_embed", torch.zeros(1)))
    problems = [f"{name} is missing" for name in wanted if name not in found]
    problems += [
        f"{name} has the shape {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted
        if name in found and found[name].shape != wanted[name].shape
    ]
    problems += [f"{name} is not known" for name in found if name not in wanted and not name.startswith("quantizer")]
    if not problems:
        problems = [
            f"{n} has values that are no numbers" for n, t in found.items() if not bool(torch.isfinite(t).all())
        ]
    if problems:
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise Wav2Vec2Error(f"The weights in {folder} do not fit: {'; '.join(problems[:3])}{more}. {REMEDY}")
    network.load_state_dict({name: found[name] for name in wanted})
    return network


def _new_name(name: str) -> str:
    """Weight norm as PyTorch writes it since 2.0; the published files use the older names."""
    name = name.replace("pos_conv_embed.conv.weight_g", "pos_conv_embed.conv.parametrizations.weight.original0")
    return name.replace("pos_conv_embed.conv.weight_v", "pos_conv_embed.conv.parametrizations.weight.original1")


def _weights(folder: Path) -> dict[str, Any]:
    safe, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    path = safe if safe.is_file() else pickled
    if not path.is_file():
        raise Wav2Vec2Error(f"{safe} (or pytorch_model.bin) is missing. {REMEDY}")
    if path.stat().st_size > MAX_WEIGHT_BYTES:
        raise Wav2Vec2Error(f"{path} is larger than {MAX_WEIGHT_BYTES >> 30} GB. {REMEDY}")
    import torch

    try:
        if path == safe:
            from safetensors.torch import load_file

            weights = load_file(str(path))
        else:
            weights = torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # safetensors and pickle have their own families
        raise Wav2Vec2Error(f"{path} is damaged, or holds more than tensors. {REMEDY}") from error
    if not isinstance(weights, dict) or not all(isinstance(t, torch.Tensor) for t in weights.values()):
        raise Wav2Vec2Error(f"{path} holds more than named tensors. {REMEDY}")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}


# ------------------------------------------------------------------------------------------------------------ ONNX


def export(folder: Path, out: Path) -> None:
    """Write the folder's network as one ONNX file. Needs PyTorch. Raises Wav2Vec2Error."""
    about = describe(folder)
    network = network_of(folder, about.config).eval()
    export_network(network, about.symbols, about.normalises, about.bias_s, out, about.biases_s)


def export_network(
    network: Any,
    symbols: tuple[str, ...],
    normalises: bool,
    bias_s: float,
    out: Path,
    biases_s: Biases = onset_bias.NONE,
) -> None:
    """Write a network as ONNX, with what has to be known about it in the file."""
    import onnx
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, sound: Any) -> Any:
            return self.network(sound).logits

    out.parent.mkdir(parents=True, exist_ok=True)
    # The exporter that traces: the newer one wants a further package, and this network has no branches.
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits().eval(),
            (torch.zeros(1, RATE_HZ),),
            str(out),
            input_names=["sound"],
            output_names=["logits"],
            dynamic_axes={"sound": {1: "samples"}, "logits": {1: "frames"}},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(out))
    facts = {
        "format": EXPORT_FORMAT,
        "symbols": json.dumps(symbols, ensure_ascii=False),
        "normalises": json.dumps(normalises),
        "bias_s": json.dumps(bias_s),
        "biases_s": json.dumps(onset_bias.to_plain(biases_s), ensure_ascii=False),
    }
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, str(out))


def _load_export(path: Path) -> Wav2Vec2Model:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.enable_mem_pattern = False  # one would be kept for each length of sound
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise Wav2Vec2Error(
            f"{path} is missing. Write it with `python -m animator.lipsync.wav2vec2 export FOLDER OUT`."
        )
    if path.stat().st_size > MAX_WEIGHT_BYTES:
        raise Wav2Vec2Error(f"{path} is larger than {MAX_WEIGHT_BYTES >> 30} GB. Export it again.")
    wanted = [p for p in ("CUDAExecutionProvider",) if p in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[*wanted, "CPUExecutionProvider"])
        facts = dict(session.get_modelmeta().custom_metadata_map)
    except Exception as error:  # onnxruntime's exception types are not public
        raise Wav2Vec2Error(f"{path} cannot be opened as a network. Export it again.") from error
    try:
        symbols = tuple(json.loads(facts["symbols"]))
        normalises, bias_s = bool(json.loads(facts["normalises"])), float(json.loads(facts["bias_s"]))
        biases_s = onset_bias.from_plain(json.loads(facts.get("biases_s", "{}")))
        is_ours = facts["format"] == EXPORT_FORMAT and all(isinstance(s, str) for s in symbols)
    except (KeyError, TypeError, ValueError, RecursionError):
        is_ours = False
    ends = [(v.name, len(v.shape), v.type) for v in (*session.get_inputs(), *session.get_outputs())]
    if ends != [("sound", 2, "tensor(float)"), ("logits", 3, "tensor(float)")] or not is_ours:
        raise Wav2Vec2Error(
            f"{path} was not written by `python -m animator.lipsync.wav2vec2 export`. Export the folder with it."
        )
    classes = session.get_outputs()[0].shape[2]
    if (isinstance(classes, int) and classes != len(symbols)) or not -0.1 <= bias_s <= 0.2:
        raise Wav2Vec2Error(f"{path} gives {classes} classes for {len(symbols)} symbols. Export it again.")

    def logits(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(session.run(None, {"sound": sound})[0])

    return Wav2Vec2Model("wav2vec2 (ONNX)", symbols, logits, normalises, bias_s, biases_s)


def main(arguments: list[str] | None = None) -> int:
    """`export FOLDER OUT.onnx`."""
    parser = argparse.ArgumentParser(prog="python -m animator.lipsync.wav2vec2", description="wav2vec2-espeak to ONNX.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("export", help="write a folder's network as one ONNX file")
    command.add_argument("folder", type=Path)
    command.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    try:
        export(options.folder, options.out)
    except (Wav2Vec2Error, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- a command's own words
        return 1
    print(f"{options.out} ({options.out.stat().st_size / 1e6:.0f} MB)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
