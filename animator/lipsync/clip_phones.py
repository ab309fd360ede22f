"""The phones of clips in playing order, where several clips may be pieces of one sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from animator.lipsync.phonemes import best_source, heard_in
from animator.lipsync.sentence_stream import SentenceStream
from animator.lipsync.sources import Heard
from animator.messages import Phone, Samples, SpeechClip

CONTEXT_S = 5.0
"""So much of a sentence before a piece of it is handed along: lips and levels depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class HeardPiece:
    """What is known of one clip.

    `phones` and `samples` may reach back before the clip and past it, where it is a piece of a sentence: the clip's
    first sample lies at `offset_s`. All times count from the first of `samples`.
    """

    clip: SpeechClip
    phones: tuple[Phone, ...]
    samples: Samples
    offset_s: float
    heard: Heard

    def own_phones(self) -> tuple[Phone, ...]:
        """The phones within the clip, in s from its start."""
        end_s = self.clip.duration_s
        moved = (replace(p, start_s=p.start_s - self.offset_s, end_s=p.end_s - self.offset_s) for p in self.phones)
        return tuple(
            replace(p, start_s=max(p.start_s, 0.0), end_s=min(p.end_s, end_s))
            for p in moved
            if p.end_s > 0.0 and p.start_s < end_s
        )


@dataclass(slots=True, eq=False)
class _Sentence:
    """A sentence that comes in pieces, so far."""

    turn: int
    index: int
    """Of its newest clip."""
    sample_rate: int
    stream: SentenceStream
    phones: list[Phone]
    sound: Samples
    start_s: float
    """Where `sound` begins in the sentence: what is older is forgotten."""
    clips: list[tuple[SpeechClip, float]]
    """The newest two, and where each begins in the sentence."""

    def goes_on_in(self, clip: SpeechClip) -> bool:
        """Whether `clip` is the next piece."""
        return clip.continues and (clip.turn, clip.index, clip.sample_rate) == (
            self.turn,
            self.index + 1,
            self.sample_rate,
        )


class ClipPhones:
    """Hears clip after clip. For one thread at a time; call it from one that may wait."""

    def __init__(self) -> None:
        self._sentence: _Sentence | None = None

    def hear(self, clip: SpeechClip) -> tuple[HeardPiece, ...]:
        """What is known now of `clip`, and of those before it of which more is known than before.

        Phones older than the look-ahead are never different from what they were.
        """
        before = self._sentence
        if clip.phones is not None or (clip.final and not clip.continues):
            self._sentence = None
            heard = heard_in(clip)
            return (HeardPiece(clip, heard.phones, clip.samples, 0.0, heard),)
        if before is None or not before.goes_on_in(clip):
            stream = SentenceStream(best_source().model, clip.sample_rate, clip.spoken, clip.language)
            sound = np.zeros(0, np.float32)
            before = _Sentence(clip.turn, clip.index, clip.sample_rate, stream, [], sound, 0.0, [])
        self._sentence = None if clip.final else before
        return self._go_on(before, clip)

    @staticmethod
    def _go_on(sentence: _Sentence, clip: SpeechClip) -> tuple[HeardPiece, ...]:
        stream = sentence.stream
        sentence.clips = [*sentence.clips[-1:], (clip, stream.duration_s)]
        sentence.index = clip.index
        heard = stream.push(clip.samples)
        sentence.phones += heard.phones
        if clip.final:
            rest = stream.finish()
            sentence.phones += rest.phones
            heard = rest if rest.phones and not heard.phones else heard
        guessed = () if clip.final else stream.pending().phones
        known = round(CONTEXT_S * sentence.sample_rate) + len(clip.samples)
        sound = np.concatenate([sentence.sound, clip.samples])[-known:]
        sentence.start_s = stream.duration_s - len(sound) / sentence.sample_rate
        sentence.sound = sound
        start_s = sentence.start_s
        sentence.phones = [phone for phone in sentence.phones if phone.end_s > start_s]
        phones = tuple(Phone(p.ipa, p.start_s - start_s, p.end_s - start_s) for p in (*sentence.phones, *guessed))
        return tuple(
            HeardPiece(each, phones, sound, at_s - start_s, heard) for each, at_s in sentence.clips if at_s >= start_s
        )
