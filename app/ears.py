"""The ears of the settings: which transcriber hears, and in which language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from animator.timebase import Clock
from app import secrets
from app.errors import AppError
from app.models import ModelStore
from app.ports import Transcriber
from app.settings import HearingSettings

HEARING_MODEL = "whisper-tiny-en"
GROQ_KEY = "GROQ_API_KEY"
_PREFIX = "whisper-"


def transcriber(
    hearing: HearingSettings,
    store: ModelStore,
    clock: Clock,
    on_trouble: Callable[[AppError], None],
    environment: dict[str, str] | None = None,
) -> Transcriber:
    """The transcriber of the settings, not loaded yet. `on_trouble` says why Groq is not asked for a while.

    Raises AppError where the model is not there, or Groq is asked for without a key.
    """
    from app.backends.stt_faster_whisper import FasterWhisperTranscriber, WhisperByChoice
    from app.backends.stt_groq import GroqTranscriber

    local: Transcriber
    if hearing.model == "auto":
        local = WhisperByChoice(folders(store), language=hearing.language)
    else:
        local = FasterWhisperTranscriber(folder_of(hearing.model, store), language=hearing.language)
    if hearing.transcriber == "local":
        return local
    variables = secrets.environment() if environment is None else environment
    key = variables.get(GROQ_KEY, "").strip()
    if not key:
        raise AppError(
            "The settings ask Groq to listen, and no Groq key is set.",
            f'Store one on the page Brain, set {GROQ_KEY}, or write transcriber = "local" under [hearing].',
        )
    return GroqTranscriber(
        local,
        key,
        clock,
        language=hearing.language,
        base_url=variables.get("GROQ_BASE_URL") or None,
        on_trouble=on_trouble,
    )


def folders(store: ModelStore) -> list[Path]:
    """The folders of every Whisper that is there. Raises AppError where there is none."""
    there = [
        store.root / name
        for name, model in store.brought().items()
        if name.startswith(_PREFIX) and not model.missing(store.root / name)
    ]
    try:
        return [store.path(HEARING_MODEL), *there]
    except AppError:
        if not there:
            raise
        return there


def folder_of(chosen: str, store: ModelStore) -> Path:
    """The folder of a Whisper by its name ("base.en", "whisper-base-en") or its path. Raises AppError."""
    name = _PREFIX + chosen.removeprefix(_PREFIX).replace(".", "-")
    if name == HEARING_MODEL:
        return store.path(name)
    brought = [model for model in store.brought() if model.startswith(_PREFIX)]
    if name in brought:
        return store.brought_path(name)
    folder = Path(chosen).expanduser()
    if chosen and folder.is_dir():
        return folder
    names = ", ".join(model.removeprefix(_PREFIX) for model in [HEARING_MODEL, *brought])
    raise AppError(
        f"[hearing] model names {chosen!r}, which is neither a folder nor one of {names}.",
        "Name one of these or the folder of a Whisper for CTranslate2, or leave it out.",
    )
