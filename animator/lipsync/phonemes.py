"""Which sounds a clip holds and when: the one door through which the face asks.

`choose` says which phone model this process uses ("own", "hama", a folder or a file); `heard_in` what is said in a
clip, and how that is known. Models are loaded at their first use.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import lru_cache

from animator.lipsync import phone_files
from animator.lipsync.loudness import LOUDNESS, LoudnessPhones
from animator.lipsync.sources import AcousticModel, Heard, phones_of
from animator.messages import Phone, Samples, SpeechClip

__all__ = [
    "DEFAULT",
    "LOUDNESS",
    "Choice",
    "LoudnessPhones",
    "best_source",
    "choose",
    "heard_in",
    "phones_for",
    "source_for",
]


DEFAULT = ""
"""The best model that runs here: for whole sentences in hama's languages hama, else our own, then hama, then none."""

HAMA_LANGUAGES = frozenset({"en", "ko"})
"""Learnt from people, hama hears these better in voices that our own model was not trained on
(assets/phones/README.md). Pieces of a stream cost it twenty times as much, so those are our own model's."""

_lock = threading.Lock()
_wanted = DEFAULT


@dataclass(frozen=True, slots=True)
class Choice:
    """A phone model that runs, or None, and in words why it is not a better one ("" where there is nothing to say)."""

    model: AcousticModel | None
    reason: str = ""


def choose(wanted: str) -> None:
    """Use this model from now on: "own", "hama", the path of a model, or DEFAULT. It is loaded at its first use.

    What cannot be loaded is replaced by the best that can; `best_source` says so.
    """
    global _wanted
    with _lock:
        _wanted = wanted


def best_source() -> Choice:
    """The model in use, loaded once. Takes seconds the first time."""
    return _chosen(_wanted)


def source_for(language: str) -> Choice:
    """The model for a whole sentence in the language of this espeak code ("" where nobody knows), loaded once.

    A model that was chosen by name hears every language; where hama does not run, our own stands in.
    """
    return _chosen("hama" if _wanted == DEFAULT and language.split("-")[0] in HAMA_LANGUAGES else _wanted)


@lru_cache(maxsize=4)
def _chosen(wanted: str) -> Choice:
    problems: list[str] = []
    for name in dict.fromkeys((wanted or "own", "own", "hama")):
        try:
            return Choice(phone_files.load_model(name), "; ".join(problems))
        except phone_files.PhoneSourceError as error:
            problems.append(str(error))
    return Choice(None, "; ".join(problems))


def heard_in(clip: SpeechClip) -> Heard:
    """What is said when in a clip that is a sentence of its own.

    Raises nothing; call it from a thread that may wait.
    """
    if clip.phones is not None:
        return phones_of(clip.samples, clip.sample_rate, stated=clip.phones)
    choice = source_for(clip.language)
    heard = phones_of(clip.samples, clip.sample_rate, clip.spoken, clip.language, model=choice.model)
    return replace(heard, reason="; ".join(filter(None, (heard.reason, choice.reason.rstrip(".")))))


def phones_for(samples: Samples, sample_rate: int, text: str = "", language: str = "") -> tuple[Phone, ...]:
    """What is said when in `samples` (float32 mono), by the best source that runs here, pauses left out.

    Takes up to 0.15 s per second of sound; call it from a thread that may wait.
    """
    return phones_of(samples, sample_rate, text, language, model=source_for(language).model).phones
