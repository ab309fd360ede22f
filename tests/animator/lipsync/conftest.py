"""Speech of a real voice with the exact time of every sound, spoken once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from animator.messages import SpeechClip

SENTENCES = (
    "Please bring my blue umbrella, maybe the big pump is broken.",
    "My mom bought a brown paper bag for Bob.",
    "I know, you saw five boys boiling oil by the stormy shore.",
    "Robots remember many important problems. What would you like to talk about?",
)


@pytest.fixture(scope="session")
def spoken(models: Callable[[str], Path]) -> tuple[SpeechClip, ...]:
    """Four Piper sentences rich in p, b and m, with phones."""
    from app.backends.tts_piper import PiperSynth

    voice = PiperSynth(next(models("piper-joe").glob("*.onnx")))
    voice.load()
    return tuple(voice.synthesize(0, i, text, last=False) for i, text in enumerate(SENTENCES))
