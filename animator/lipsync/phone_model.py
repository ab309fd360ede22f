"""Our own phone model: which speech sound every 10 ms of sound is, whole or as it arrives (ONNX, no PyTorch).

`PhoneModel` is an acoustic model for alignment and decoding: frame-wise log-probabilities over `inventory.PHONES`.
Unlike a CTC model it has no blank and no spikes: in each frame the class that sounds there holds the probability, and
index 0 holds it in silence. What a frame is depends on 1.1 s of sound before it and on `look_ahead_s` after its end.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.lipsync import onset_bias
from animator.lipsync import phone_features as features
from animator.lipsync.onset_bias import Biases
from animator.messages import Samples

FORMAT = "kuchipaku-phones-1"
LICENCE = "MIT"
ASSETS = Path(__file__).parents[2] / "assets"
BUNDLED = ASSETS / "phones" / "phones.onnx"
"""The model that comes along; its card lies beside it."""
LARGEST_BYTES = 64 * 1024 * 1024
MOST_CLASSES = 1024
MOST_CONTEXT_FRAMES = 2000
PIECE_FRAMES = 500
"""Whole sounds are computed 5 s at a time: memory stays small however long they are."""

LogProbs = npt.NDArray[np.float32]


class PhoneModelError(ValueError):
    """A file is not a phone model; the message says what was found, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the model says of some frames.

    Attributes:
        log_probs: float32 (frames, classes), natural logarithms; each row's exponentials sum to 1.
        onsets: float32 (frames,), probability that a sound starts within the frame.
    """

    log_probs: LogProbs
    onsets: npt.NDArray[np.float32]


class PhoneModel:
    """The model of one file. Calls are safe from several threads; one core is used per call.

    Attributes:
        symbols: Normalised IPA of each class; "" is silence.
        hop_s: Length of a frame in s. Frame i covers [i * hop_s, (i + 1) * hop_s) of the sound.
        look_ahead_s: Sound after a frame's end that its answer waits for, in s.
        bias_s: How much later than the truth alignment with this model puts onsets; already measured, to be subtracted.
        biases_s: What single sounds add to `bias_s`; empty where it was not measured.
        bigram: float32 (classes, classes), log probability of a class after another one, from the training texts.
        about: Further text of the file: `licence`, `data`, `figures`, `trained_on`.
    """

    name = "own"
    blank: int | None = None

    def __init__(self, file: bytes) -> None:
        self._session, metadata = _open(file)
        self.symbols: tuple[str, ...] = metadata.symbols
        self.silence: int | None = self.symbols.index("")
        self.hop_s = features.HOP / features.SAMPLE_RATE
        self.bias_s = metadata.bias_s
        self.biases_s = metadata.biases_s
        self.bigram = metadata.bigram
        self.about = metadata.about
        self.look_ahead_s = (metadata.right * features.HOP + features.REACH) / features.SAMPLE_RATE
        self._right = metadata.right
        self._lock = threading.Lock()
        shapes = {value.name: value.shape for value in self._session.get_inputs()}
        self._blank_state = tuple(np.zeros(shapes[name], np.float32) for name in ("heard", "memory"))
        silence = np.full((metadata.left + metadata.right, features.BANDS), features.SILENT, np.float32)
        # Before the first sample there was silence, in every layer.
        _, self._start = self._run(silence, self._blank_state)

    @classmethod
    def load(cls, path: Path = BUNDLED) -> PhoneModel:
        """The model of a file.

        Raises:
            FileNotFoundError: If there is none.
            PhoneModelError: If the file is not a phone model of this format.
        """
        try:
            size = path.stat().st_size
            if size > LARGEST_BYTES:
                raise PhoneModelError(
                    f"{path.name} holds {size} bytes; expected a phone model of at most {LARGEST_BYTES}. "
                    "Choose another file."
                )
            file = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"The phone model is missing: expected {path}. Reinstall, or restore the assets folder."
            ) from None
        try:
            return cls(file)
        except PhoneModelError as error:
            raise PhoneModelError(f"{path.name}: {error}") from error

    def _run(self, frames: features.Features, state: tuple[Any, ...]) -> tuple[Heard, tuple[Any, ...]]:
        heard, memory = state
        # onnxruntime allows concurrent calls, but they would share the one core that this model is given.
        with self._lock:
            log_probs, onsets, *after = self._session.run(None, {"features": frames, "heard": heard, "memory": memory})
        return Heard(log_probs, onsets), tuple(after)

    def hear(self, samples: Samples) -> Heard:
        """All frames of a whole sound (16 kHz float32 mono): ceil(len(samples) / 160) of them."""
        stream = self.stream()
        step = PIECE_FRAMES * features.HOP
        pieces = [stream.hear(samples[at : at + step]) for at in range(0, len(samples), step)]
        pieces.append(stream.hear_rest())
        return Heard(
            np.concatenate([piece.log_probs for piece in pieces]), np.concatenate([piece.onsets for piece in pieces])
        )

    def log_probs(self, samples_16k: Samples) -> LogProbs:
        """Log-probabilities of a whole sound, float32 (frames, classes)."""
        return self.hear(samples_16k).log_probs

    def stream(self) -> PhoneStream:
        """Start hearing a sound that arrives in pieces."""
        return PhoneStream(self._run, self._start, self._right, len(self.symbols))


class PhoneStream:
    """One sound in pieces; gives the same numbers as `PhoneModel.hear` of the whole. For one thread at a time."""

    def __init__(self, run: Any, start: tuple[Any, ...], right: int, classes: int) -> None:
        self._run = run
        self._state = start
        self._right = right
        self._to_skip = right  # the first answers are about the silence before the sound
        self._mel = features.FeatureStream()
        self._none = Heard(np.zeros((0, classes), np.float32), np.zeros(0, np.float32))

    def _answer(self, frames: features.Features) -> Heard:
        if not len(frames):
            return self._none
        heard, self._state = self._run(frames, self._state)
        skipped = min(self._to_skip, len(frames))
        self._to_skip -= skipped
        return Heard(heard.log_probs[skipped:], heard.onsets[skipped:])

    def hear(self, samples: Samples) -> Heard:
        """The frames that are final now. `samples` is 16 kHz float32 mono; not-a-number counts as silence."""
        sound = np.nan_to_num(np.asarray(samples, np.float32).reshape(-1), nan=0.0, posinf=0.0, neginf=0.0)
        return self._answer(self._mel.push(np.clip(sound, -1.0, 1.0)))

    def hear_rest(self) -> Heard:
        """The frames up to the end of the sound; what comes after it counts as silence."""
        silence = np.full((self._right, features.BANDS), features.SILENT, np.float32)
        return self._answer(np.concatenate([self._mel.finish(), silence]))

    def push(self, samples_16k: Samples) -> LogProbs:
        """Log-probabilities of the frames that are final now, float32 (new frames, classes)."""
        return self.hear(samples_16k).log_probs

    def finish(self) -> LogProbs:
        """Log-probabilities of the rest."""
        return self.hear_rest().log_probs


@dataclass(frozen=True, slots=True)
class _Metadata:
    symbols: tuple[str, ...]
    left: int
    right: int
    bias_s: float
    biases_s: Biases
    bigram: LogProbs
    about: dict[str, str]


def _open(file: bytes) -> tuple[Any, _Metadata]:
    """Open the network and check that it is what this module can run."""
    import onnxruntime

    if len(file) > LARGEST_BYTES:
        raise PhoneModelError(f"holds {len(file)} bytes; expected at most {LARGEST_BYTES}. Choose another file.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # one would be kept for each length of sound
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a dozen exception types of its own, none of them public
        raise PhoneModelError(
            "onnxruntime cannot open it as a network. Restore the file, or choose a phone model made by "
            "animator.lipsync.training.export."
        ) from error
    metadata = _read(dict(session.get_modelmeta().custom_metadata_map))
    classes = len(metadata.symbols)
    inputs = {value.name: (value.type, value.shape) for value in session.get_inputs()}
    outputs = {value.name: (value.type, value.shape) for value in session.get_outputs()}

    def rows(name: str) -> Any:
        shape = inputs.get(name, ("", []))[1]
        return shape[0] if len(shape) == 2 and isinstance(shape[0], int) else -1

    def width(name: str) -> Any:
        shape = inputs.get(name, ("", []))[1]
        return shape[1] if len(shape) == 2 and isinstance(shape[1], int) else -1

    float_type = "tensor(float)"
    state_fits = 0 < rows("heard") + rows("memory") <= 2 * MOST_CONTEXT_FRAMES and 0 < width("memory") <= 4096
    expected_inputs = {
        "features": (float_type, ["frames", features.BANDS]),
        "heard": (float_type, [rows("heard"), features.BANDS]),
        "memory": (float_type, [rows("memory"), width("memory")]),
    }
    expected_outputs = {
        "log_probs": (float_type, ["frames", classes]),
        "onsets": (float_type, ["frames"]),
        "heard_next": expected_inputs["heard"],
        "memory_next": expected_inputs["memory"],
    }
    if not state_fits or inputs != expected_inputs or outputs != expected_outputs:
        raise PhoneModelError(
            f"its network takes {inputs} and gives {outputs}; expected features of (frames, {features.BANDS}), what it "
            f"remembers, and log_probs of (frames, {classes}). Choose a phone model made by "
            "animator.lipsync.training.export."
        )
    return session, metadata


def _read(found: dict[str, str]) -> _Metadata:
    """Check the texts that stand beside the network."""
    if found.get("format") != FORMAT:
        raise PhoneModelError(
            f"its format is {found.get('format', 'not stated')!r}; expected {FORMAT!r}. Choose a phone model made for "
            "this version."
        )
    try:
        symbols = json.loads(found["symbols"])
        left, right = int(found["left_frames"]), int(found["right_frames"])
        bias_s, hop_s = float(found["bias_s"]), float(found["hop_s"])
        biases_s = onset_bias.from_plain(json.loads(found.get("biases_s", "{}")))
        bigram = np.frombuffer(base64.b64decode(found["bigram"], validate=True), np.float16).astype(np.float32)
    except (KeyError, ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise PhoneModelError(f"its description cannot be read ({error}). Restore the file.") from error
    wrong = None
    if not isinstance(symbols, list) or not all(isinstance(s, str) for s in symbols):
        wrong = "symbols are not a list of texts"
    elif not 2 <= len(symbols) <= MOST_CLASSES or len(set(symbols)) != len(symbols) or "" not in symbols:
        wrong = f"{len(symbols)} symbols; expected 2 to {MOST_CLASSES}, all different, one of them silence"
    elif bigram.size != len(symbols) ** 2 or not np.isfinite(bigram).all():
        wrong = f"a table of pairs with {bigram.size} numbers; expected {len(symbols) ** 2}"
    elif not (0 <= left <= MOST_CONTEXT_FRAMES and 0 <= right <= MOST_CONTEXT_FRAMES):
        wrong = f"a context of {left} and {right} frames; expected at most {MOST_CONTEXT_FRAMES}"
    elif abs(hop_s - features.HOP / features.SAMPLE_RATE) > 1e-9 or not abs(bias_s) <= 0.2:
        wrong = f"frames of {hop_s} s and a bias of {bias_s} s; expected 0.01 s and at most 0.2 s"
    if wrong is not None:
        raise PhoneModelError(f"its description holds {wrong}. Choose another phone model.")
    about = {key: text for key, text in found.items() if key in {"licence", "data", "figures", "trained_on"}}
    return _Metadata(tuple(symbols), left, right, bias_s, biases_s, bigram.reshape(len(symbols), -1), about)
