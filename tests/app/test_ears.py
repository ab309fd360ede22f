"""Which ears the settings give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from animator.clock import SystemClock
from app import ears
from app.backends.stt_faster_whisper import FasterWhisperTranscriber, WhisperByChoice
from app.backends.stt_groq import GroqTranscriber
from app.errors import AppError
from app.models import ModelStore, read_brought
from app.paths import models_manifest
from app.ports import Transcriber
from app.settings import HearingSettings


@pytest.fixture
def store(tmp_path: Path, models: Callable[[str], Path]) -> ModelStore:
    """Holds tiny.en, and what a test adds."""
    made = ModelStore(tmp_path / "models")
    folder = made.folder(ears.HEARING_MODEL)
    folder.mkdir(parents=True)
    for file in models(ears.HEARING_MODEL).iterdir():
        (folder / file.name).symlink_to(file)
    return made


def add(store: ModelStore, tmp_path: Path, name: str, vocabulary: str = "vocabulary.txt") -> None:
    own = tmp_path / "own"
    own.mkdir(exist_ok=True)
    for file in ("config.json", "model.bin", "tokenizer.json", vocabulary):
        (own / file).write_text("x")
    store.add(name, str(own))


def made(store: ModelStore, environment: dict[str, str] | None = None, **settings: str) -> Transcriber:
    hearing = HearingSettings(**settings)  # type: ignore[arg-type]
    return ears.transcriber(hearing, store, SystemClock(), lambda error: None, environment or {})


def test_every_whisper_that_is_there_may_be_chosen(store: ModelStore, tmp_path: Path) -> None:
    assert ["whisper-tiny-en"] == [folder.name for folder in ears.folders(store)]

    add(store, tmp_path, "whisper-base")
    add(store, tmp_path, "whisper-large-v3-turbo", "vocabulary.json")

    names = ["whisper-tiny-en", "whisper-base", "whisper-large-v3-turbo"]
    assert names == [folder.name for folder in ears.folders(store)]
    assert isinstance(made(store), WhisperByChoice)


@pytest.mark.parametrize("name", ["base.en", "base-en", "whisper-base-en"])
def test_a_model_is_named_as_people_write_it(store: ModelStore, tmp_path: Path, name: str) -> None:
    add(store, tmp_path, "whisper-base-en")

    found = made(store, model=name)

    assert isinstance(found, FasterWhisperTranscriber)
    assert found.name == "Whisper base-en"
    assert ears.folder_of("tiny.en", store) == store.path(ears.HEARING_MODEL)


def test_a_model_that_was_not_added_says_how_to(store: ModelStore) -> None:
    with pytest.raises(AppError, match="has not been added") as raised:
        made(store, model="small")

    assert "Systran/faster-whisper-small on Hugging Face" in raised.value.remedy
    assert "kuchipaku models add whisper-small FOLDER" in raised.value.remedy


def test_an_unknown_model_names_those_there_are(store: ModelStore) -> None:
    with pytest.raises(
        AppError, match="neither a folder nor one of tiny-en, tiny, base-en, base, small, large-v3-turbo"
    ):
        made(store, model="huge")


def test_a_folder_of_ones_own_may_be_named(store: ModelStore, tmp_path: Path) -> None:
    assert ears.folder_of(str(tmp_path), store) == tmp_path


def test_groq_needs_a_key_and_tells_nobody(store: ModelStore) -> None:
    with pytest.raises(AppError, match="no Groq key is set"):
        made(store, transcriber="groq")

    found = made(store, {"GROQ_API_KEY": "gsk_verysecret"}, transcriber="groq")

    assert isinstance(found, GroqTranscriber)
    assert found.name == "whisper-large-v3-turbo (Groq) and Whisper"
    assert "secret" not in repr(found)


def test_each_brought_whisper_says_the_setting_that_uses_it() -> None:
    settings = {name: m.setting for name, m in read_brought(models_manifest()).items() if name.startswith("whisper-")}

    assert len(settings) == 5
    assert settings["whisper-base-en"] == '[hearing] model = "base.en"'
