"""Captions: how much of a sentence has been heard, word by word. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from animator.messages import SpeechClip
from app.policy.cues import heard_chars

LETTERS_PER_S = 14.0
"""Of a voice at its ordinary pace; only for a sentence that streams in, whose length nobody knows yet."""
_NO_SPACES_FROM = 0x2E80
"""From here on Unicode has the scripts of East Asia, which put no spaces between words."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence of `turn`, of which the first `heard` characters have begun to sound."""

    turn: int
    index: int
    text: str
    heard: int


@dataclass(slots=True)
class _Sentence:
    index: int
    text: str
    duration_s: float = 0.0
    is_whole: bool = False
    has_sounds: bool = True
    sounds_s: list[float] = field(default_factory=list)
    shown: int = 0


class CaptionBook:
    """The sentences that are still to be heard. Not thread-safe: one lock guards it and its clips."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, int], tuple[_Sentence, float]] = {}
        """Of each clip: its sentence, and where in it the clip begins, in s."""
        self._newest: tuple[int, _Sentence] | None = None

    def add(self, clip: SpeechClip) -> None:
        """A clip will be heard; called in playing order."""
        newest = self._newest
        if newest is None or newest[0] != clip.turn or not clip.continues:
            if newest is not None:
                newest[1].is_whole = True
            newest = self._newest = clip.turn, _Sentence(clip.index, clip.text)
        sentence = newest[1]
        begins_s = sentence.duration_s
        self._places[clip.turn, clip.index] = sentence, begins_s
        sentence.duration_s += clip.duration_s
        sentence.is_whole = sentence.is_whole or clip.final or clip.last
        if clip.phones is None:
            sentence.has_sounds = False
        else:
            sentence.sounds_s += [begins_s + phone.start_s for phone in clip.phones if phone.ipa]

    def at(self, turn: int, index: int, time_s: float) -> Caption | None:
        """The caption at `time_s` of a clip, where more of it is heard than when last asked; else None."""
        if (turn, index) not in self._places:
            return None
        # What comes before in this turn has been heard, and every earlier turn with it.
        self._places = {key: place for key, place in self._places.items() if key >= (turn, index)}
        sentence, begins_s = self._places[turn, index]
        if not sentence.text:
            return None
        heard = _to_the_end_of_the_word(sentence.text, _heard(sentence, begins_s + time_s))
        if heard <= sentence.shown:
            return None
        sentence.shown = heard
        return Caption(turn, sentence.index, sentence.text, heard)

    def cut(self, before_turn: int) -> None:
        """Turns before this one are not heard any more."""
        self._places = {key: place for key, place in self._places.items() if key[0] >= before_turn}


def _heard(sentence: _Sentence, time_s: float) -> int:
    if sentence.is_whole:
        sounds_s = sentence.sounds_s if sentence.has_sounds else ()
        return heard_chars(sentence.text, time_s, sounds_s, sentence.duration_s)
    likely_s = sum(map(str.isalnum, sentence.text)) / LETTERS_PER_S
    return heard_chars(sentence.text, time_s, (), max(sentence.duration_s, likely_s))


def _to_the_end_of_the_word(text: str, at: int) -> int:
    """A word that has begun is shown whole, with what is written up to the next space."""
    if at < len(text) and ord(text[at]) >= _NO_SPACES_FROM:
        at += 1
        while at < len(text) and ord(text[at]) >= _NO_SPACES_FROM and not text[at].isalnum():
            at += 1  # a full stop does not wait for the next word
        return at
    while at < len(text) and not text[at].isspace() and ord(text[at]) < _NO_SPACES_FROM:
        at += 1
    return at
