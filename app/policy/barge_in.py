"""Whether somebody who makes a sound while the character speaks means to interrupt it. Pure.

A cough, "mm-hm" or the character's own voice from the loudspeakers does not; two words or 600 ms of speech do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_BACKCHANNELS = frozenset(
    re.findall(
        r"\S+",
        "mm mmm mhm hm hmm mmhm uh huh uhhuh ah aha oh ooh yeah yep yes yup ok okay right sure cool nice wow "
        "ha haha lol haan han accha acha hmmm ji theek अच्छा हाँ हां जी ठीक うん ううん はい へえ へー そう ええ なるほど",
    )
)
_COMMANDS = frozenset(
    re.findall(
        r"\S+",
        "stop wait pause hold quiet enough hey no ruko bas रुको बस まって 待って ストップ やめて",
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_ONSET_WINDOWS, _ONSET_OF = 3, 6
# Echo cancellation takes some of the user's voice away while both speak, so his windows come sparsely.


@dataclass(frozen=True, slots=True)
class BargeInOptions:
    """What it takes to interrupt."""

    speech_ms: int = 600
    words: int = 2
    patience_ms: int = 250
    """So much longer the sound may last while its words are not known yet, or only "mm-hm": Whisper hears a first
    word as "oh" now and then, and the next look at the sound comes after that."""
    has_words: bool = True
    """Whether words will be known at all."""


def real_words(text: str) -> list[str]:
    """The words of `text` that are no backchannel, in lower case."""
    return [word for word in (m[0].lower() for m in _WORD.finditer(text)) if word not in _BACKCHANNELS]


def is_backchannel(text: str) -> bool:
    """Whether `text` has words and all of them are of the "mm-hm" kind."""
    return bool(_WORD.search(text)) and not real_words(text)


def is_command(text: str) -> bool:
    """Whether a single word is enough: "stop", "wait", "hey"."""
    words = [m[0].lower() for m in _WORD.finditer(text)]
    return bool(words) and words[0] in _COMMANDS


def is_own_voice(text: str, spoken: str) -> bool:
    """Whether `text` is what the character has just `spoken`: its echo, not the user.

    Most of its words have to stand in runs of two and more that come in the same order, since everybody says "do you"
    and "you know".
    """
    words = [m[0].lower() for m in _WORD.finditer(text)]
    own = [m[0].lower() for m in _WORD.finditer(spoken)]
    blocks = SequenceMatcher(None, words, own, autojunk=False).get_matching_blocks()
    return len(words) > 1 and sum(block.size for block in blocks if block.size > 1) >= 0.6 * len(words)


class Onset:
    """Suspicion from sparse windows: three of six above the threshold."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._recent: list[bool] = []

    @property
    def may_speak(self) -> bool:
        """Whether somebody may be speaking."""
        return sum(self._recent) >= _ONSET_WINDOWS

    def feed(self, probability: float) -> None:
        """Take one window's probability of speech."""
        self._recent = [*self._recent, probability > self._threshold][-_ONSET_OF:]

    def reset(self) -> None:
        """Forget."""
        self._recent = []


class BargeIn:
    """One utterance that began while the character had the floor. Not thread-safe."""

    def __init__(self, options: BargeInOptions | None = None) -> None:
        self.options = options or BargeInOptions()
        self._text: str | None = None
        self._spoken = ""

    def heard(self, text: str, spoken: str) -> None:
        """Words of the utterance so far, and what the character has said meanwhile."""
        self._text, self._spoken = text, spoken

    def interrupts(self, speech_ms: float) -> bool:
        """Whether `speech_ms` of speech and the words heard so far are an interruption."""
        if self._text:
            if is_own_voice(self._text, self._spoken):
                return False
            if is_command(self._text) or len(real_words(self._text)) >= self.options.words:
                return True
        is_open = self.options.has_words and (self._text is None or is_backchannel(self._text))
        wait_ms = self.options.patience_ms if is_open else 0
        return speech_ms >= self.options.speech_ms + wait_ms
