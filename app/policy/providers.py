"""Who is asked next: providers in the user's order, less those that rest. Pure; the clock is passed in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import Trouble

FIRST_REST_S, LONGEST_REST_S = 10.0, 120.0
"""A provider that has trouble rests this long; each further failure in a row doubles it."""
LIMIT_REST_S = 20.0
"""For a reached limit without a word on how long it lasts: Groq's are per minute."""
FOREVER_S = float("inf")
_SHARED: frozenset[Trouble] = frozenset({"key", "unreachable"})
"""What one model of a provider suffers from, all of them do: they share the key and the address."""
_NOT_CHAT = re.compile(
    r"whisper|\btts\b|speech|orpheus|playai|guard|embed|rerank|moderation|transcri|vision-only|compound", re.IGNORECASE
)


@dataclass(slots=True)
class _State:
    until_s: float = 0.0
    failures: int = 0
    is_last_resort: bool = False
    """Resting, but better than nobody: it had trouble, it did not refuse."""


class ProviderOrder:
    """The order of providers, by index into `groups` (who shares a key and an address has the same name there).

    Times are in s on any clock that only grows. Not thread-safe.
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self._groups = tuple(groups)
        self._states = [_State() for _ in groups]

    def order(self, now_s: float) -> list[int]:
        """Whom to ask, first to last: the rested in their order, then those whose trouble may be over.

        Whoever refused the key or named a time when to come back is not asked at all.
        """
        rested = [i for i in range(len(self._states)) if self._is_rested(i, now_s)]
        return rested + [i for i, state in enumerate(self._states) if i not in rested and state.is_last_resort]

    def may_ask(self, i: int, now_s: float) -> bool:
        """Whether asking `i` still makes sense: another model of its provider may have failed meanwhile."""
        return self._is_rested(i, now_s) or self._states[i].is_last_resort

    def rest_left_s(self, i: int, now_s: float) -> float:
        """Seconds until `i` is asked again; 0 if it may be now, infinite until a restart."""
        return max(0.0, self._states[i].until_s - now_s)

    def failed(self, i: int, kind: Trouble, now_s: float, retry_after_s: float | None = None) -> None:
        """`i` failed in this way."""
        shared = [k for k, group in enumerate(self._groups) if group == self._groups[i]] if kind in _SHARED else [i]
        for k in shared:
            state = self._states[k]
            state.failures += 1
            trouble_s = min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(state.failures - 1, 10))
            rest_s, is_last_resort = {
                "key": (FOREVER_S, False),
                "model": (FOREVER_S, False),
                "limit": (LIMIT_REST_S if retry_after_s is None else retry_after_s, False),
                # About this question or this answer only; the next one may go well.
                "refused": (0.0, True),
                "empty": (0.0, True),
            }.get(kind, (trouble_s if retry_after_s is None else retry_after_s, True))
            state.until_s = now_s + rest_s
            # Nobody hangs on an address that does not answer for each of its models in turn.
            state.is_last_resort = is_last_resort and k == shared[0]

    def worked(self, i: int) -> None:
        """`i` answered."""
        self._states[i] = _State()

    def _is_rested(self, i: int, now_s: float) -> bool:
        return now_s >= self._states[i].until_s


def nearest_model(wanted: str, offered: Sequence[str], without: frozenset[str] = frozenset()) -> str | None:
    """The model of `offered` that stands in for `wanted`: itself, another edition of it, else the most alike.

    Models that do not chat (ears, voices, guards) and those of `without` are left out; None where nothing is left.
    An empty `wanted` takes the first.
    """
    usable = [model for model in offered if model not in without and not _NOT_CHAT.search(model)]
    if wanted in usable or not usable:
        return wanted if usable else None
    if not wanted:
        return usable[0]

    def likeness(model: str) -> tuple[bool, float]:
        edition = model.split(":")[0] == wanted.split(":")[0]  # Ollama's "llama3.2" is "llama3.2:latest"
        return edition, difflib.SequenceMatcher(None, _family(wanted), _family(model)).ratio()

    return max(usable, key=likeness)


def _family(model: str) -> str:
    """What a model is called, without its maker, folder and file ending."""
    return re.sub(r"\.gguf$", "", model.lower().replace("\\", "/").rsplit("/", 1)[-1])
