"""The real code for all languages, on a Whisper with random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.messages import Samples
from app.backends.stt_faster_whisper import FasterWhisperTranscriber, WhisperByChoice
from app.errors import AppError
from tests.random_whisper import make_whisper

pytestmark = pytest.mark.slow


def noise(seconds: float) -> Samples:
    return (0.1 * np.random.default_rng(1).standard_normal(int(seconds * 16_000))).astype(np.float32)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("models") / "whisper-base", detects="ja")


def test_the_language_of_the_settings_is_kept(small: Path) -> None:
    ears = FasterWhisperTranscriber(small, language="hi")
    ears.load()
    ears.transcribe(noise(4))

    assert (ears.language, ears.multilingual) == ("hi", True)


@pytest.mark.parametrize("bands", [80, 128])
def test_a_long_sound_says_its_language_and_a_short_one_keeps_it(tmp_path: Path, bands: int) -> None:
    """128 bands: large-v3's way through the whole window, without its preprocessor_config.json."""
    ears = FasterWhisperTranscriber(make_whisper(tmp_path / "whisper-x", bands=bands, detects="ja"), language="auto")
    ears.load()
    ears.transcribe(noise(4))
    assert ears.language == "ja"

    ears._known = "hi"
    ears.transcribe(noise(1))
    assert ears.language == "hi"

    ears.transcribe(noise(4))
    assert ears.language == "ja"


def test_a_language_that_the_model_does_not_know_is_said(small: Path) -> None:
    with pytest.raises(AppError, match="does not know the language 'tlh'"):
        FasterWhisperTranscriber(small, language="tlh").load()


def test_by_itself_it_takes_the_one_that_hears_the_language(models: Callable[[str], Path], small: Path) -> None:
    ears = WhisperByChoice([small, models("whisper-tiny-en")], language="ja")
    ears.load()

    assert ears.name.startswith("Whisper base (the largest that is quick enough: 0.")
    assert ears.language == "ja"


def test_by_itself_it_takes_no_slow_one(models: Callable[[str], Path], small: Path) -> None:
    """On a clock by which the second model takes a second."""
    ticks = iter([0.0, 0.1, 1.0, 1.1, 2.0, 3.0, 4.0, 5.0])
    ears = WhisperByChoice([small, models("whisper-tiny-en")], language="en", seconds=lambda: next(ticks))
    ears.load()

    assert ears.name == "Whisper tiny-en (the largest that is quick enough: 0.10 s for 3 s of speech)"
    assert next(ticks, None) is None


def test_alone_nothing_is_measured(models: Callable[[str], Path]) -> None:
    ears = WhisperByChoice([models("whisper-tiny-en")], seconds=lambda: pytest.fail("measured"))
    ears.load()

    assert (ears.name, ears.language) == ("Whisper tiny-en", "en")


def test_a_damaged_one_does_not_keep_the_others_from_hearing(models: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "whisper-base").mkdir()
    ears = WhisperByChoice([models("whisper-tiny-en"), tmp_path / "whisper-base"])
    ears.load()

    assert ears.name.startswith("Whisper tiny-en")
