"""Which Whisper hears, and in which language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BUDGET_S = 0.6
"""For 3 s of speech on the CPU: it is decoded at the first pause (0.2 s), and an answer within 1 s leaves no more."""
SURE_FROM_S = 3.0
"""Shorter sounds are poor witnesses of their language."""
SIZES = ("tiny", "base", "small", "medium", "large")
"""Whisper's sizes; each is two to four times the work of the one before, and makes fewer mistakes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A model that is there. `took_s`: its warm decode of 3 s of sound."""

    name: str
    multilingual: bool
    took_s: float


def size_of(name: str) -> int:
    """Place of a model in SIZES by its name; one that says nothing counts as the largest, so that it is tried last."""
    words = name.lower().replace(".", "-").replace("_", "-").split("-")
    return next((i for i, size in enumerate(SIZES) if size in words), len(SIZES))


def in_order(names: Sequence[str]) -> list[str]:
    """The models from quick to slow: measured in this order, none has to be tried once one is too slow."""
    return sorted(names, key=lambda name: (size_of(name), name))


def is_usable(multilingual: bool, language: str) -> bool:
    """Whether a model hears `language` ("auto": any)."""
    return multilingual or language == "en"


def choose(measured: Sequence[Measured], language: str, budget_s: float = BUDGET_S) -> tuple[str, str] | None:
    """(model, why) of the largest one that hears `language` within `budget_s`; the quickest where all are slower.

    Of two of a size, an English-only one hears English better. None where no model hears the language.
    """
    usable = [model for model in measured if is_usable(model.multilingual, language)]
    if not usable:
        return None
    quick = [model for model in usable if model.took_s <= budget_s]
    if not quick:
        best = min(usable, key=lambda model: model.took_s)
        return best.name, f"the quickest here: {best.took_s:.2f} s for 3 s of speech"
    best = max(quick, key=lambda model: (size_of(model.name), not model.multilingual, -model.took_s))
    return best.name, f"the largest that is quick enough: {best.took_s:.2f} s for 3 s of speech"


def heard_language(duration_s: float, detected: str, known: str | None) -> tuple[str, str | None]:
    """(language to decode in, what is known from now on), for a sound in which `detected` was found.

    A short sound keeps the language that is known; where none is, its own is taken, but not remembered.
    """
    if duration_s >= SURE_FROM_S:
        return detected, detected
    return known or detected, known
