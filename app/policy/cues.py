"""Emotion and gesture tags of an answer: what they mean, and when their word is heard. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from animator.manner import EMOTION_NAMES, EXPRESSION_NAMES, GESTURE_NAMES
from app.messages import Cue

HINT = (
    "You have a face. Where it fits, at most twice per answer, put one tag in square brackets before the words that it "
    "belongs to: [happy], [joy], [amusement], [excitement], [love], [shy], [smug], [curiosity], [confusion], "
    "[surprised], [sad], [caring], [nervousness], [annoyance], [angry], [sleepy] or [neutral] for how you feel, "
    "[nod], [shake], [tilt] or [bow] for your head. Never write other things in brackets, and never speak of the tags."
)
"""Asks a model that follows instructions for tags."""

LEAD_S = 0.12
"""A face moves a little before the word: its fade takes 0.24 s, and anchors come every 0.1 s."""

_ALIASES = {
    **dict.fromkeys(("smile", "smiles", "smiling", "grin", "grins", "cheerful", "glad", "content"), "happy"),
    **dict.fromkeys(("laugh", "laughs", "laughing", "giggle", "giggles", "chuckle", "chuckles"), "amusement"),
    **dict.fromkeys(("amused", "playful", "teasing", "wink", "winks"), "amusement"),
    **dict.fromkeys(("excited", "cheer", "cheers", "hyped"), "excitement"),
    **dict.fromkeys(("sadly", "cry", "cries", "crying", "tearful", "sob", "sobs"), "sadness"),
    **dict.fromkeys(("sigh", "sighs", "disappointed", "pout", "pouts"), "disappointment"),
    **dict.fromkeys(("mad", "furious"), "anger"),
    **dict.fromkeys(("annoyed", "grumpy", "huff", "huffs"), "annoyance"),
    **dict.fromkeys(("gasp", "gasps", "shocked", "wow", "amazed"), "surprise"),
    **dict.fromkeys(("blush", "blushes", "blushing", "embarrassed", "flustered"), "embarrassment"),
    **dict.fromkeys(("nervous", "anxious", "worried"), "nervousness"),
    **dict.fromkeys(("confused", "puzzled"), "confusion"),
    **dict.fromkeys(("curious", "thinking", "thoughtful", "hmm"), "curiosity"),
    **dict.fromkeys(("smirk", "smirks", "smirking", "sly"), "smug"),
    **dict.fromkeys(("yawn", "yawns", "tired"), "sleepy"),
    **dict.fromkeys(("scared", "afraid"), "fear"),
    **dict.fromkeys(("disgusted",), "disgust"),
    **dict.fromkeys(("proud",), "pride"),
    **dict.fromkeys(("grateful", "thankful"), "gratitude"),
    **dict.fromkeys(("relieved",), "relief"),
    **dict.fromkeys(("sorry", "apologetic"), "remorse"),
    **dict.fromkeys(("loving", "affectionate"), "love"),
    **dict.fromkeys(("impressed", "admiring"), "admiration"),
    **dict.fromkeys(("hopeful",), "optimism"),
    **dict.fromkeys(("gentle", "warm", "soft"), "caring"),
    "joyful": "joy",
    "calm": "neutral",
    **dict.fromkeys(("nods", "nodding", "yes"), "nod"),
    **dict.fromkeys(("shakes", "shake head", "shakes head", "head shake", "no"), "shake"),
    **dict.fromkeys(("tilts", "tilts head", "tilt head", "head tilt"), "tilt"),
    **dict.fromkeys(("bows", "bowing"), "bow"),
    **dict.fromkeys(("leans", "lean in", "leans in", "leans closer"), "lean"),
}
_EMOTIONS = frozenset((*EMOTION_NAMES, *EXPRESSION_NAMES))
_GESTURES = frozenset(GESTURE_NAMES)
_TAG = re.compile(
    r"(?:(?:emotion|mood|gesture|expression)\s*[:=]\s*)?([a-z][a-z ]{1,24}?)\s*(?:[:=]?\s*([01]?\.\d+|[01]))?"
)
_MOST = 3
"""Cues of one tag: a list such as [happy, nod] is two."""


def cues_of(inside: str) -> tuple[Cue, ...]:
    """What the words within brackets (or asterisks) mean; () where they are no known tag. `at_char` is 0."""
    found: list[Cue] = []
    for part in re.split(r"[,;|/+]", inside.lower())[:_MOST]:
        match = _TAG.fullmatch(" ".join(part.split()))
        if match is None:
            continue
        name = match[1] if match[1] in _EMOTIONS or match[1] in _GESTURES else _ALIASES.get(match[1], "")
        if name in _GESTURES:
            found.append(Cue("gesture", name))
        elif name:
            found.append(Cue("emotion", name, min(1.0, max(0.1, float(match[2]))) if match[2] else 1.0))
    return tuple(found)


def heard_chars(text: str, time_s: float, sounds_s: Sequence[float], duration_s: float) -> int:
    """How many characters of `text` are heard `time_s` after its clip's start, LEAD_S ahead.

    `sounds_s` is when each of the clip's sounds begins, pauses left out; where its voice does not say (or names a few
    only), time runs evenly over `duration_s`. Letters and sounds go hand in hand: measured with Piper over 34 word
    beginnings, the median error is 46 ms (105 ms for even time), which is below the distance of two anchors.
    """
    now_s = time_s + LEAD_S
    letters = [i for i, char in enumerate(text) if char.isalnum()]
    if len(sounds_s) * 3 >= len(letters):
        share = sum(start_s <= now_s for start_s in sounds_s) / len(sounds_s)
    else:
        share = now_s / duration_s if duration_s > 0 else 1.0
    if share >= 1.0:
        return len(text)
    # A word has begun once its first letter's sound has.
    return letters[int(share * len(letters))] if letters else len(text)


class CueBook:
    """The cues of the sentences that are still to be heard. Not thread-safe: one lock guards it and its clips."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], list[Cue]] = {}

    def add(self, turn: int, index: int, cues: Sequence[Cue]) -> None:
        """Sentence `index` of `turn` will be heard, with these."""
        if cues:
            self._waiting[turn, index] = sorted(cues, key=lambda cue: cue.at_char)

    def due(self, turn: int, index: int, heard: int) -> list[Cue]:
        """What is to be shown now that `heard` characters of the sentence are heard, in order; each cue once.

        What an earlier sentence of the turn still has comes first: its end may have passed between two looks.
        """
        due: list[Cue] = []
        for key in sorted(key for key in self._waiting if key[0] == turn and key[1] <= index):
            cues = self._waiting[key]
            ripe = [cue for cue in cues if key[1] < index or cue.at_char <= heard]
            due += ripe
            left = cues[len(ripe) :]
            if left:
                self._waiting[key] = left
            else:
                del self._waiting[key]
        return due

    def cut(self, before_turn: int) -> None:
        """Turns before this one are not heard any more."""
        self._waiting = {key: cues for key, cues in self._waiting.items() if key[0] >= before_turn}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))


def moved(cues: Sequence[Cue], at_char: int) -> tuple[Cue, ...]:
    """The cues at another place."""
    return tuple(replace(cue, at_char=at_char) for cue in cues)
