"""smart-turn v3.2: tells from the sound of a voice whether its speaker has finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.log_mel import HOP, log_mel

WINDOW = 8 * HEARING_RATE
"""Samples that the model looks at: the last 8 s."""
_SHAPE = (80, WINDOW // HOP)
_VARIANCE_FLOOR = 1e-7
_BAD_FILE_REMEDY = "Run: kuchipaku models fetch smart-turn-v3"


class SmartTurnDetector:
    """One thread, one query at a time. Knows 23 languages, English, Hindi and Japanese among them."""

    name = "smart-turn v3.2"

    def __init__(self, model: Path) -> None:
        self._model = model
        self._session: Any = None
        self._input = ""

    def load(self) -> None:
        """Load the network and ask it once, so that the first real query is warm.

        Raises:
            AppError: If the file is missing, or is not a network from (1, 80, 800) to one number.
        """
        if not self._model.is_file():
            raise AppError(f"The end-of-turn model {self._model} is missing.", _BAD_FILE_REMEDY)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Without instructions for 8-bit numbers (AVX-512 VNNI) sums of them overflow, and a finished sentence was given
        # 0.50 in place of 0.85. So the processor computes them with 16 bits, which takes a seventh longer.
        options.add_session_config_entry("session.x64quantprecision", "1")
        # One thread that sleeps when it has nothing to do: Whisper and the brain start at the same moment.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        problem = f"The end-of-turn model {self._model} cannot be used"
        try:
            session = onnxruntime.InferenceSession(str(self._model), options, providers=["CPUExecutionProvider"])
            inputs = session.get_inputs()
            if len(inputs) != 1 or tuple(inputs[0].shape[1:]) != _SHAPE:
                raise ValueError(f"its input is {[tuple(i.shape) for i in inputs]}, expected (batch, 80, 800)")
        except Exception as error:  # onnxruntime raises its own family: all mean the same here
            raise AppError(f"{problem}: {error}.", _BAD_FILE_REMEDY) from error
        self._session, self._input = session, inputs[0].name
        self.probability(np.zeros(HEARING_RATE, np.float32))

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that the speaker has finished, from the turn's sound so far (16 kHz mono).

        Only the last 8 s count; what is shorter is preceded by silence, as in training. Raises AppError where the model
        is not loaded or does not answer with a probability.
        """
        if self._session is None:
            raise AppError("The end-of-turn model is not loaded.", "Wait until it reports ready.")
        answer = float(np.ravel(self._session.run(None, {self._input: features(samples)[None]})[0])[0])
        if not 0.0 <= answer <= 1.0:
            raise AppError(f"The end-of-turn model answered {answer!r}, not a probability.", _BAD_FILE_REMEDY)
        return answer


def features(samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What the network sees: float32 (80, 800), the sound at mean 0 and variance 1, right-aligned in 8 s."""
    sound = np.asarray(samples[-WINDOW:], np.float32)
    mean = float(sound.sum(dtype=np.float64)) / WINDOW
    variance = float(np.square(sound, dtype=np.float64).sum()) / WINDOW - mean * mean
    scale = 1.0 / np.sqrt(max(variance, 0.0) + _VARIANCE_FLOOR)
    window = np.full(WINDOW, -mean * scale, np.float32)
    if len(sound):
        window[-len(sound) :] = (sound - mean) * scale
    return log_mel(window)
