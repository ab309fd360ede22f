"""The phones of a sentence whose sound comes in pieces; what has been given never changes."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from animator.lipsync import visemes
from animator.lipsync.align import (
    FLOOR,
    Lattice,
    Scores,
    Span,
    Viterbi,
    best_phone,
    loop_lattice,
    spans_of,
    text_lattice,
)
from animator.lipsync.loudness import FLOOR as SILENT_RMS
from animator.lipsync.loudness import LOUDNESS, QUIET_SHARE, clean
from animator.lipsync.onset_bias import MOST_S
from animator.lipsync.sources import (
    LONGEST_CLOSURE_S,
    MISSED,
    NEIGHBOURS,
    RATE_HZ,
    SURE,
    AcousticModel,
    Heard,
    Method,
    Script,
    ear_of,
    unwritten,
)
from animator.lipsync.text_phones import text_phones
from animator.messages import Phone, Samples

log = logging.getLogger(__name__)

LOOK_AHEAD_S = 0.25
"""No phone waits for more sound than this after its end (CTC models: after the onset of the next)."""
RESAMPLER_S = 0.02
"""What the resampler holds back."""
SHORTEST_LAG_FRAMES = 3
TRUST = 1
"""So many phones as expected are taken for granted before the first: one bad one must not cost a sentence its text."""
STREAM_MARGIN = -3.5
"""As `sources.WORD_MARGIN`, which judges whole words with what follows them. Here nothing but the past is known."""
UNHEARD_S = 0.6
"""A sentence that begins with so much sound and no phone is music or noise: the loudness stands in until one comes."""
KEPT_S = 5.0
"""So much of the past is kept: to judge a text by, and sound for the loudness."""


@dataclass(frozen=True, slots=True)
class _Event:
    """A phone that begins at frame `start`; `end` is None where the model does not say.

    `ipa` is empty where the model only guesses: the loudness knows better.
    """

    ipa: str
    start: int
    end: int | None
    confidence: float
    method: Method
    onset_s: float
    """When it begins, without the model's bias."""


class _Track:
    """A search that runs along, and the spans on its likeliest way through the last KEPT_S."""

    def __init__(self, lattice: Lattice, hop_s: float) -> None:
        self._lattice = lattice
        self._viterbi = Viterbi(lattice)
        self._kept = round(KEPT_S / hop_s)
        self._scores: Scores | None = None
        self.frames = 0
        """Frames taken in so far."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was forgotten yet."""
        return self.frames <= self._kept

    def push(self, scores: Scores) -> None:
        """Go on by frames of log-probabilities."""
        self._viterbi.push(scores)
        self._viterbi.keep(self._kept)
        self.frames += len(scores)
        known = scores if self._scores is None else np.concatenate([self._scores, scores])
        self._scores = known[-self._kept :]

    def look(self, *, is_end: bool = False) -> tuple[Span, ...] | None:
        """Spans as they look now; None where the sound ended before the lattice could."""
        path = self._viterbi.path(is_end=is_end)
        if path is None:
            return None
        if self._scores is None:
            return ()
        first = self.frames - len(path)
        emissions = self._lattice.emissions(self._scores)
        return spans_of(path, self._lattice, emissions, best_phone(self._scores), first)


class SentenceStream:
    """Hears one sentence as it comes in.

    `push` returns the phones that are final, in s from the sentence's start, in order, each once; `pending` how the
    rest looks so far; `finish` the rest. A phone is final once LOOK_AHEAD_S of sound after its end is known. Raises
    nothing: a model that fails leaves the loudness. For one thread at a time.

    Args:
        model: The phone model; None leaves loudness.
        sample_rate: Of the sound that will be pushed, in Hz.
        text: What the whole sentence says, if that is known; where the sound does not follow it, it is decoded freely.
        language: The text's espeak code; "" finds it by the script.
    """

    def __init__(self, model: AcousticModel | None, sample_rate: int, text: str = "", language: str = "") -> None:
        self._rate = sample_rate
        self._taken = 0
        """Samples pushed so far."""
        self._recent: Samples = np.zeros(0, np.float32)
        self._levels: list[float] = []
        """RMS every 10 ms of what was pushed, so far as whole."""
        self._tail: Samples = np.zeros(0, np.float32)
        self._given_s = 0.0
        """Phones up to here were given."""
        self._has_heard = False
        """The model has heard a phone."""
        self._hearing: _Hearing | None = None
        self._model = model
        self._reason = "no phone model runs here" if model is None else ""
        if model is not None:
            try:
                self._hearing = _Hearing(model, sample_rate, text, language)
                self._reason = self._hearing.reason
            except Exception as error:  # as in `_step`
                self._fail(error)

    def push(self, samples: Samples) -> Heard:
        """Take in the next piece (float32 mono, any length); the phones that are final now."""
        return self._step(clean(samples), is_end=False)

    def finish(self) -> Heard:
        """The sentence is over: the remaining phones."""
        return self._step(np.zeros(0, np.float32), is_end=True)

    @property
    def duration_s(self) -> float:
        """Sound taken in so far."""
        return self._taken / self._rate

    def pending(self) -> Heard:
        """How what is not final looks now: from the last final phone to the end of the sound so far."""
        try:
            hearing = self._hearing
            events = [*hearing.events, *hearing.guesses] if hearing is not None else []
            phones = self._phones(events, is_end=True, dry=True)
        except Exception as error:
            self._fail(error)
            phones = []
        return self._as_heard(phones)

    def _fail(self, error: Exception) -> None:
        log.warning("The phone model failed (%s); the mouth follows the loudness.", type(error).__name__)
        self._hearing = None
        self._reason = f"the phone model failed ({type(error).__name__})"

    def _step(self, samples: Samples, *, is_end: bool) -> Heard:
        self._taken += len(samples)
        self._recent = np.concatenate([self._recent, samples])[-round(KEPT_S * self._rate) :]
        self._measure(samples)
        if self._hearing is not None:
            try:
                self._hearing.push(samples, is_end=is_end)
            except Exception as error:  # a model's native failure must not cost the character its lips
                self._fail(error)
        events = self._hearing.events if self._hearing is not None else []
        return self._as_heard(self._phones(events, is_end=is_end, dry=False))

    def _measure(self, samples: Samples) -> None:
        hop = max(1, round(0.010 * self._rate))
        sound = np.concatenate([self._tail, samples])
        whole = len(sound) // hop
        self._tail = sound[whole * hop :]
        blocks = sound[: whole * hop].reshape(whole, hop)
        self._levels += np.sqrt(np.square(blocks, dtype=np.float64).mean(axis=1)).tolist()

    def _silence_after(self, start_s: float, until_s: float) -> float | None:
        """When the first silence between these times begins that is longer than a closure."""
        if not self._levels:
            return None
        levels = np.array(self._levels)
        is_quiet = levels < max(QUIET_SHARE * float(np.percentile(levels, 95)), SILENT_RMS)
        need = round(LONGEST_CLOSURE_S / 0.010)
        run = 0
        for hop in range(max(0, round(start_s / 0.010)), min(len(levels), round(until_s / 0.010))):
            run = run + 1 if is_quiet[hop] else 0
            if run >= need:
                return (hop + 1 - need) * 0.010
        return None

    def _phones(self, events: list[_Event], *, is_end: bool, dry: bool) -> list[tuple[Phone, float, Method]]:
        """Events whose end is known, as phones; they are taken off `events`."""
        hearing = self._hearing
        made: list[tuple[Phone, float, Method]] = []
        given_s = self._given_s
        duration_s = self.duration_s
        if hearing is not None:
            model = hearing.model
            while events:
                event = events[0]
                known_s = events[1].onset_s if len(events) > 1 else None
                if event.end is not None:
                    end_s = event.end * model.hop_s - model.bias_s
                    # The next sound may not be final yet: then where this one ends is as it looks now.
                    after = next((e for e in (*events[1:2], *hearing.guesses) if e.start >= event.end), None)
                    if after is not None:
                        end_s = after.onset_s if after.start == event.end else min(end_s, after.onset_s)
                    start_s = _before(event.onset_s, end_s - model.hop_s, given_s, duration_s)
                else:
                    latest_s = duration_s if known_s is None else known_s - model.hop_s
                    start_s = _before(event.onset_s, latest_s, given_s, duration_s)
                    # Beyond what the model has said there may be a phone before the silence.
                    said_s = duration_s if is_end else hearing.final * model.hop_s - model.bias_s
                    silence_s = self._silence_after(start_s + 0.02, said_s if known_s is None else known_s)
                    if silence_s is not None:
                        end_s = silence_s
                    elif known_s is not None or is_end:
                        end_s = duration_s if known_s is None else known_s
                    else:
                        break
                events.pop(0)
                made += self._unheard(given_s, start_s)
                self._has_heard = self._has_heard or not dry
                if end_s > given_s - MOST_S:
                    # Corrected times may cross; no sound is lost by that.
                    end_s = max(end_s, start_s + model.hop_s)
                end_s = min(max(end_s, 0.0), duration_s)
                if end_s > start_s:
                    if event.ipa:
                        made.append((Phone(event.ipa, start_s, end_s), event.confidence, event.method))
                    else:
                        made += self._syllables(start_s, end_s)
                    given_s = end_s
            horizon_s = duration_s if is_end else hearing.final * model.hop_s - model.bias_s - UNHEARD_S / 2
            if not events and (is_end or hearing.is_idle):
                syllables = self._unheard(given_s, horizon_s)
                made += syllables
                given_s = max(given_s, syllables[-1][0].end_s if syllables else given_s)
        else:
            horizon_s = duration_s if is_end else duration_s - LOOK_AHEAD_S
            syllables = self._syllables(given_s, horizon_s)
            made += syllables
            given_s = max(given_s, syllables[-1][0].end_s if syllables else given_s)
        if not dry:
            self._given_s = given_s
        return made

    def _unheard(self, start_s: float, end_s: float) -> list[tuple[Phone, float, Method]]:
        """Syllables where there is long sound and no phone has come yet."""
        return self._syllables(start_s, end_s) if end_s - start_s >= UNHEARD_S and not self._has_heard else []

    def _syllables(self, start_s: float, end_s: float) -> list[tuple[Phone, float, Method]]:
        """By loudness, of what lies between these times."""
        offset_s = self.duration_s - len(self._recent) / self._rate
        found = LOUDNESS.phones(self._recent, self._rate)
        phones = (Phone(p.ipa, max(p.start_s + offset_s, start_s), min(p.end_s + offset_s, end_s)) for p in found)
        return [(phone, 0.0, "loudness") for phone in phones if phone.end_s - phone.start_s > 0.03]

    def _as_heard(self, made: Sequence[tuple[Phone, float, Method]]) -> Heard:
        counts: Counter[Method] = Counter(method for _, _, method in made)
        method: Method = self._hearing.method if self._hearing is not None else "loudness"
        if counts:
            method = counts.most_common(1)[0][0]
        reason = self._reason
        if method == "loudness" and not reason:
            reason = "what is heard is no clear speech"
        elif method == "decoded" and not reason:
            reason = "the text does not match the sound"
        name = self._model.name if self._model is not None else ""
        return Heard(
            tuple(phone for phone, _, _ in made),
            tuple(confidence for _, confidence, _ in made),
            method,
            name,
            reason,
        )


class _Hearing:
    """The model's side: log-probabilities, the searches over them, and which of the two is believed."""

    def __init__(self, model: AcousticModel, sample_rate: int, text: str, language: str) -> None:
        self.model = model
        ear = self._ear = ear_of(model)
        self._is_ctc = ear.kind.blank is not None
        self._stream = model.stream()
        self._resampler = _resampler(sample_rate)
        lag_s = LOOK_AHEAD_S - model.look_ahead_s - RESAMPLER_S
        self._lag = max(SHORTEST_LAG_FRAMES, int(lag_s / model.hop_s))
        known = text_phones(text, language)
        self._script: Script | None = ear.script(known) if known else None
        self.reason = known.problem or ("" if known else "the text is not known")
        self.method: Method = "aligned" if self._script is not None else "decoded"
        self._text: _Track | None = None
        if self._script is not None:
            self._text = _Track(text_lattice(self._script.target, ear.kind), model.hop_s)
        self._free = _Track(loop_lattice(len(model.symbols), ear.kind, ear.bigram), model.hop_s)
        self._upto = 0
        """Frames before this are accounted for."""
        self.final = 0
        """Frames that are final."""
        self.is_idle = True
        """Nothing is going on that may become a phone."""
        self._sureness: deque[float] = deque([0.0] * TRUST, NEIGHBOURS)
        self.events: list[_Event] = []
        """Phones whose beginning is final; whoever takes one removes it."""
        self.guesses: list[_Event] = []
        """How what follows them looks now."""

    def push(self, samples: Samples, *, is_end: bool) -> None:
        """Go on; new events are added to `events`."""
        sound = self._resampler(samples, is_end)
        pieces = [self._stream.push(sound)] if len(sound) else []
        if is_end:
            pieces.append(self._stream.finish())
        if not pieces:
            return
        new = np.concatenate(pieces)
        self._free.push(new)
        if self._text is not None:
            self._text.push(new)
        self.final = self._free.frames if is_end else max(0, self._free.frames - self._lag)
        found = self._found(is_end)
        self.events += [event for event, end in found if end <= self.final]
        self._upto = max([self._upto, *(end for _, end in found if end <= self.final)])
        self.guesses = [event for event, end in found if end > self.final]
        self.is_idle = not any(event.start < self.final for event in self.guesses)

    def _found(self, is_end: bool) -> list[tuple[_Event, int]]:
        """All phones after what is accounted for, as they look now, with the frame at which each ends."""
        free = self._free.look(is_end=is_end) or ()
        spans = self._text.look(is_end=is_end) if self._text is not None else None
        if self._text is not None and spans is None:
            self._text, self.reason = None, "the sound ended before the text"
        if spans is None or self._script is None:
            return self._decoded(free, [(0, self._free.frames)])
        is_whole = self._text is not None and self._text.is_whole
        said: list[Span] = []
        margins: deque[float] = deque([0.0] * TRUST, NEIGHBOURS)
        last = -1
        for span in spans:
            # What lies before the kept sound is not known any more, and was judged when it was.
            margins.extend([MISSED] * (span.index - last - 1) if last >= 0 or is_whole else [])
            margins.append(max(span.margin, MISSED))
            last = span.index
            if float(np.mean(margins)) >= STREAM_MARGIN:
                said.append(span)
        made: list[tuple[_Event, int]] = []
        for span in said:
            start = max(span.start, self._upto)
            if span.end - start >= (1 if span.start == start else 2):
                is_initial = self._script.is_initial(span.index)
                event = self._event(self._script.ipa[span.index], start, span, "aligned", is_initial)
                made.append((event, span.end))
        holes = [*unwritten(said, self._script, free, last + 1)]
        made += self._decoded(free, [*holes, *((s.start, s.end) for s in spans if s not in said)])
        return sorted(made, key=lambda each: each[0].start)

    def _decoded(self, spans: Sequence[Span], where: Sequence[tuple[int, int]]) -> list[tuple[_Event, int]]:
        """What was decoded freely and begins within `where`."""
        made = []
        sureness = self._sureness.copy()
        for span in spans:
            if span.start < self._upto or not any(a <= span.start < b for a, b in where):
                continue
            ipa = self.model.symbols[span.index]
            if (bare := visemes.normalise(ipa)) and visemes.is_known(bare):
                sureness.append(max(span.log_prob, FLOOR))
                if span.end <= self.final:
                    self._sureness = sureness.copy()
                is_sure = float(np.exp(np.mean(sureness))) >= SURE
                event = self._event(ipa if is_sure else "", span.start, span, "decoded", None)
                made.append((event, span.end))
        return made

    def _event(self, ipa: str, start: int, span: Span, method: Method, is_initial: bool | None) -> _Event:
        onset_s = self._ear.onset_s(start, ipa, is_initial)
        return _Event(ipa, start, None if self._is_ctc else span.end, span.confidence, method, onset_s)


def _before(time_s: float, latest_s: float, given_s: float, duration_s: float) -> float:
    """A start that leaves its sound some time, after what was given and inside the sound."""
    return min(max(min(time_s, latest_s), given_s), duration_s)


def _resampler(sample_rate: int) -> Callable[[Samples, bool], Samples]:
    """Pieces of sound at 16 kHz; the last piece is marked."""
    if sample_rate == RATE_HZ:
        return lambda samples, is_last: samples
    import soxr

    stream = soxr.ResampleStream(sample_rate, RATE_HZ, 1, dtype="float32", quality="MQ")
    return lambda samples, is_last: np.asarray(stream.resample_chunk(samples, last=is_last), np.float32).reshape(-1)
