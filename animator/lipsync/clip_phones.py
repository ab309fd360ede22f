"""The phones of clips in playing order, where several clips may be pieces of one sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from animator.lipsync.phonemes import best_source, heard_in
from animator.lipsync.sentence_stream import SentenceStream
from animator.lipsync.sources import Heard
from animator.messages import Phone, SpeechClip


@dataclass(frozen=True, slots=True, eq=False)
class HeardClip:
    """What is known once a clip has come.

    `phones` are all of its sentence so far, in s from the start of that sentence's first clip: those of earlier pieces
    too, of which more may be known now. `pieces` is the number of clips that have come of it, this one included, and
    `starts_s` where this one begins. `heard` says where the phones come from.
    """

    phones: tuple[Phone, ...]
    heard: Heard
    pieces: int = 1
    starts_s: float = 0.0

    def own(self, duration_s: float) -> tuple[Phone, ...]:
        """The phones within this clip, which lasts `duration_s`, in s from its own start."""
        moved = (replace(p, start_s=p.start_s - self.starts_s, end_s=p.end_s - self.starts_s) for p in self.phones)
        return tuple(
            replace(p, start_s=max(p.start_s, 0.0), end_s=min(p.end_s, duration_s))
            for p in moved
            if p.end_s > 0.0 and p.start_s < duration_s
        )


@dataclass(slots=True, eq=False)
class _Sentence:
    """A sentence that comes in pieces, so far; `index` is that of its newest clip."""

    turn: int
    index: int
    sample_rate: int
    stream: SentenceStream
    phones: list[Phone]
    pieces: int = 0

    def goes_on_in(self, clip: SpeechClip) -> bool:
        """Whether `clip` is the next piece."""
        expected = (self.turn, self.index + 1, self.sample_rate)
        return clip.continues and (clip.turn, clip.index, clip.sample_rate) == expected


class ClipPhones:
    """Hears clip after clip. For one thread at a time; call it from one that may wait."""

    def __init__(self) -> None:
        self._sentence: _Sentence | None = None

    def hear(self, clip: SpeechClip) -> HeardClip:
        """What is known of the sentence of `clip`. Phones older than the look-ahead are as they were before."""
        sentence, self._sentence = self._sentence, None
        if clip.phones is not None or (clip.final and not clip.continues):
            heard = heard_in(clip)
            return HeardClip(heard.phones, heard)
        if sentence is None or not sentence.goes_on_in(clip):
            stream = SentenceStream(best_source().model, clip.sample_rate, clip.spoken, clip.language)
            sentence = _Sentence(clip.turn, clip.index, clip.sample_rate, stream, [])
        stream = sentence.stream
        starts_s = stream.duration_s
        heard = stream.push(clip.samples)
        sentence.phones += heard.phones
        ahead = stream.finish() if clip.final else stream.pending()
        sentence.index = clip.index
        sentence.pieces += 1
        self._sentence = None if clip.final else sentence
        return HeardClip((*sentence.phones, *ahead.phones), heard if heard.phones else ahead, sentence.pieces, starts_s)
