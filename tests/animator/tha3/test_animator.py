"""The THA3 engine behind its protocol: characters come and go, what is said stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3.animator import Tha3

pytestmark = pytest.mark.slow

HARU = Path(__file__).resolve().parents[3] / "characters" / "haru"
RATE = 22_050


def vowel(turn: int = 1) -> SpeechClip:
    """One second of an open a."""
    samples = (0.3 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
    return SpeechClip(turn, 0, samples, RATE, "", (Phone("ɑː", 0.0, 1.0),), True)


@pytest.fixture
def engine(weights, bake_folder) -> Tha3:
    return Tha3(weights, bake_folder.parent, "live")


def mouth(engine: Tha3, speech: SpeechTime | None, host_ns: int = 10**9) -> np.ndarray:
    return engine.render(speech, host_ns)[160:195, 236:276].astype(int)


def test_a_baked_character_is_there_at_once_and_live(engine):
    told = []

    engine.load(HARU, lambda what, share: told.append(share))

    assert told == [1.0]
    assert engine.capabilities.tier == "live"


def test_the_mouth_opens_for_a_vowel_and_rests_after_clear(engine):
    engine.load(HARU, lambda *_: None)
    rest = mouth(engine, None, 1_000_000_000)
    engine.push(vowel())

    speaking = mouth(engine, SpeechTime(1, 0, 0.5), 1_500_000_000)
    engine.clear(before_turn=2)
    for k in range(8):
        after = mouth(engine, None, 1_500_000_000 + k * 33_000_000)

    assert np.abs(speaking - rest).max() > 60
    assert np.abs(after - rest).mean() < np.abs(speaking - rest).mean() / 3


def test_whoever_comes_on_in_mid_sentence_goes_on_speaking_it(engine):
    engine.load(HARU, lambda *_: None)
    rest = mouth(engine, None)
    engine.push(vowel())

    engine.load(HARU, lambda *_: None)  # read anew: another character as far as the engine can tell

    assert np.abs(mouth(engine, SpeechTime(1, 0, 0.5)) - rest).max() > 60


def test_a_character_that_cannot_be_used_leaves_the_one_before(engine, tmp_path):
    engine.load(HARU, lambda *_: None)
    before = engine.render(None, 0)

    with pytest.raises(ValueError, match="no character"):
        engine.load(tmp_path / "nobody", lambda *_: None)

    assert np.array_equal(before, engine.render(None, 0))


def test_an_unknown_tier_is_refused(weights, tmp_path):
    with pytest.raises(ValueError, match="auto, live or exact"):
        Tha3(weights, tmp_path, "fast")
