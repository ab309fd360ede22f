"""One mouth across the clips of one sentence, for voices that stream it in pieces. Pure, immutable.

A piece alone knows nothing of the next sound: its mouth would shut at every seam, round no lips ahead of time and show
half a closure. A `SentenceTrack` is one `MouthTrack` over all pieces that have come so far. When the next piece comes,
a new one is made of both; what has been shown stays as it was, and the rest changes without a jump.

Where a piece does not come in time, the sound stops at the seam: the mouth shuts over `PAUSE_CLOSE_S`, and is open
again when the sound goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from animator.lipsync import response, visemes
from animator.lipsync.mouth_track import PAUSE_CLOSE_S, PAUSE_OPEN_S, Late, MouthTrack
from animator.lipsync.response import Mouth
from animator.lipsync.visemes import Table, Viseme
from animator.messages import Phone, Samples
from animator.timebase import TAIL_S

JOIN_S = 0.080
"""What a new piece changes comes in over this long, from the moment that was shown last (as `GLIDE_S` of a jump)."""
SEAM_S = 0.030
"""A pause of at most twice this that a voice or an aligner leaves at a seam is none: the sounds on both sides of it are
one piece of speech. Cutting costs a decoder about a hop on either side (256 to 512 samples at 22,050 Hz)."""


@dataclass(frozen=True, slots=True)
class _Before:
    """The mouth that was shown until `until_s` of the sentence."""

    track: SentenceTrack
    until_s: float


class SentenceTrack:
    """The lips of one sentence, of the pieces known so far. Read from any thread.

    Args:
        phones: What is said when in the first piece, times in s from its start.
        samples: Its sound, float32 mono.
        sample_rate: Hz, the same for all pieces.
        language: An espeak code, "" where nobody knows.
        table: Which shape each sound has.
        late: See `MouthTrack`; for `extended`.
    """

    def __init__(
        self,
        phones: Sequence[Phone],
        samples: Samples,
        sample_rate: int,
        *,
        language: str = "",
        table: Table = visemes.TABLE_OF_ASSETS,
        late: Late | None = None,
    ) -> None:
        self._phones = tuple(phones)
        self._samples = np.asarray(samples, dtype=np.float32).reshape(-1)
        self.sample_rate = sample_rate
        self._language, self._table = language, table
        self.whole = MouthTrack(self._phones, self._samples, sample_rate, language=language, table=table, late=late)
        """The mouth over all pieces, as it would be had they come at once."""
        self._before: _Before | None = None
        self.starts_s: tuple[float, ...] = (0.0,)
        """Where each piece begins, in s of the sentence."""

    @property
    def duration_s(self) -> float:
        """Length of all pieces so far in s."""
        return self.whole.duration_s

    @property
    def phones(self) -> tuple[Phone, ...]:
        """Everything that is said so far, in s of the sentence."""
        return self._phones

    @property
    def kept_until_s(self) -> float:
        """Until here the mouth is as it was before the last piece came, in s of the sentence; -inf where none of it."""
        return self._before.until_s if self._before is not None else -math.inf

    def extended(self, phones: Sequence[Phone], samples: Samples, shown_s: float = -math.inf) -> SentenceTrack:
        """This sentence with one more piece.

        Args:
            phones: What is said when in that piece, times in s from its own start.
            samples: Its sound, float32 mono, at the sentence's rate.
            shown_s: Until here (s of the sentence) the mouth may have been drawn: it stays as it was up to there.
        """
        begins_s = len(self._samples) / self.sample_rate
        moved = [Phone(p.ipa, p.start_s + begins_s, p.end_s + begins_s) for p in phones]
        return self.retold(_seamless(self._phones, moved, begins_s), samples, shown_s)

    def retold(self, phones: Sequence[Phone], samples: Samples, shown_s: float = -math.inf) -> SentenceTrack:
        """This sentence with one more piece, where its sound tells more of the pieces before it.

        Args:
            phones: What is said when in all pieces, times in s from the sentence's start.
            samples: The new piece's sound, as for `extended`.
            shown_s: As for `extended`.
        """
        begins_s = len(self._samples) / self.sample_rate
        until_s = min(shown_s, begins_s)
        whole = SentenceTrack(
            phones,
            np.concatenate([self._samples, np.asarray(samples, dtype=np.float32).reshape(-1)]),
            self.sample_rate,
            language=self._language,
            table=self._table,
            late=Late(begins_s, until_s) if until_s > -math.inf else None,
        )
        whole.starts_s = (*self.starts_s, begins_s)
        if until_s > -math.inf:
            whole._before = _Before(self, until_s)
        return whole

    def piece(self, index: int) -> PieceTrack:
        """The mouth of piece `index` in its own time."""
        return PieceTrack(self, index)

    def at(self, time_s: float, frame_s: float = 1 / 30) -> Mouth:
        """As `MouthTrack.at`, in s of the sentence."""
        before = self._before
        if before is None or time_s >= before.until_s + JOIN_S:
            return self.whole.at(time_s, frame_s)
        if time_s <= before.until_s:
            return before.track.at(time_s, frame_s)
        missing = before.track.at(before.until_s, frame_s) - self.whole.at(before.until_s, frame_s)
        share = _rest((time_s - before.until_s) / JOIN_S) * (1.0 - self.closure(time_s, frame_s))
        return response.limited(self.whole.at(time_s, frame_s) + missing * np.float32(share))

    def closure(self, time_s: float, frame_s: float = 1 / 30) -> float:
        """As `MouthTrack.closure`."""
        return self._knew(time_s).whole.closure(time_s, frame_s)

    def viseme(self, time_s: float, frame_s: float = 1 / 30) -> Viseme:
        """As `MouthTrack.viseme`."""
        return self._knew(time_s).whole.viseme(time_s, frame_s)

    def energy(self, time_s: float) -> float:
        """As `MouthTrack.energy`."""
        return self.slow(time_s, MouthTrack.energy)

    def nod(self, time_s: float) -> float:
        """As `MouthTrack.nod`."""
        return self.slow(time_s, MouthTrack.nod)

    def _knew(self, time_s: float) -> SentenceTrack:
        """Who knew the mouth at `time_s` when it was shown."""
        track = self
        while track._before is not None and time_s <= track._before.until_s:
            track = track._before.track
        return track

    def slow(self, time_s: float, curve: Callable[[MouthTrack, float], float]) -> float:
        """One of the slow values at `time_s`; a new piece changes it over TAIL_S, because it moves the head."""
        before = self._before
        if before is None or time_s > before.until_s + TAIL_S:
            return curve(self.whole, time_s)
        if time_s <= before.until_s:
            return before.track.slow(time_s, curve)
        missing = before.track.slow(before.until_s, curve) - curve(self.whole, before.until_s)
        return curve(self.whole, time_s) + missing * _rest((time_s - before.until_s) / TAIL_S)


class PieceTrack:
    """The mouth of one piece of a sentence, in s from that piece's first sample; what `MouthTrack` is for a clip.

    Outside the piece it moves into what lies beyond only at the sentence's own ends. At a seam it waits: whoever still
    hears this piece after its end hears nothing (the next has not begun), and the mouth shuts.
    """

    def __init__(self, sentence: SentenceTrack, index: int) -> None:
        self.sentence = sentence
        self.index = index
        self.starts_s = sentence.starts_s[index]
        is_last = index + 1 == len(sentence.starts_s)
        self.ends_s = sentence.duration_s if is_last else sentence.starts_s[index + 1]
        self._joins_before, self._joins_after = index > 0, not is_last

    @property
    def duration_s(self) -> float:
        """Length of the piece in s."""
        return self.ends_s - self.starts_s

    @property
    def rest_s(self) -> float:
        """How much of the sentence is known after this piece, in s."""
        return self.sentence.duration_s - self.ends_s

    def at(self, time_s: float, frame_s: float = 1 / 30) -> Mouth:
        """As `MouthTrack.at`, in s of the piece."""
        mouth = self.sentence.at(self._inside(time_s), frame_s)
        share = self._share(time_s)
        return mouth if share >= 1.0 else response.scaled(mouth, share)

    def closure(self, time_s: float, frame_s: float = 1 / 30) -> float:
        """As `MouthTrack.closure`."""
        return self.sentence.closure(self._inside(time_s), frame_s)

    def viseme(self, time_s: float, frame_s: float = 1 / 30) -> Viseme:
        """As `MouthTrack.viseme`."""
        if self._share(time_s) < 0.5:
            return visemes.SILENCE
        return self.sentence.viseme(self._inside(time_s), frame_s)

    def energy(self, time_s: float) -> float:
        """As `MouthTrack.energy`."""
        return self.sentence.energy(self._inside(time_s))

    def nod(self, time_s: float) -> float:
        """As `MouthTrack.nod`."""
        return self.sentence.nod(self._inside(time_s))

    def _inside(self, time_s: float) -> float:
        """The place in the sentence, held at a seam."""
        low = self.starts_s if self._joins_before else -math.inf
        high = self.ends_s if self._joins_after else math.inf
        return min(max(self.starts_s + time_s, low), high)

    def _share(self, time_s: float) -> float:
        """How far the mouth is open beyond a seam, in [0, 1]; 1 within the piece."""
        if self._joins_before and time_s < 0.0:
            return 1.0 - _rest(1.0 + time_s / PAUSE_OPEN_S)
        if self._joins_after and time_s > self.duration_s:
            return _rest((time_s - self.duration_s) / PAUSE_CLOSE_S)
        return 1.0


def _rest(x: float) -> float:
    """From 1 at 0 smoothly to 0 at 1."""
    x = min(max(x, 0.0), 1.0)
    return 1.0 - x * x * (3.0 - 2.0 * x)


def _seamless(before: Sequence[Phone], after: Sequence[Phone], seam_s: float) -> list[Phone]:
    """Both pieces' phones; what little pause lies at the seam is given to the sounds on its sides."""
    spoken = sorted((p for p in before if p.ipa), key=lambda p: p.start_s)
    coming = sorted((p for p in after if p.ipa), key=lambda p: p.start_s)
    joined = [*before, *after]
    if not spoken or not coming:
        return joined
    last, first = spoken[-1], coming[0]
    if seam_s - last.end_s > SEAM_S or first.start_s - seam_s > SEAM_S:
        return joined
    kept = [p for p in joined if p is not last and p is not first and (p.ipa or not _touches(p, last, first))]
    return [*kept, Phone(last.ipa, last.start_s, seam_s), Phone(first.ipa, seam_s, first.end_s)]


def _touches(pause: Phone, last: Phone, first: Phone) -> bool:
    return pause.start_s >= last.start_s and pause.end_s <= first.end_s
