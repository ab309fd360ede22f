"""Where the phones of a sound come from: the voice itself, its text, or what is heard; best source first.

`AcousticModel` is what every phone model looks like from here: log-probabilities per frame. `phones_of` chooses and
says which source it was and why a better one was not. `SentenceStream` (`sentence_stream.py`) does the same for sound
that comes in pieces.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from animator.lipsync import inventory, onset_bias, visemes
from animator.lipsync.align import (
    Alignment,
    Kind,
    Scores,
    Span,
    Target,
    align,
    decode,
    runs,
)
from animator.lipsync.loudness import LOUDNESS, clean, quiet_stretches
from animator.lipsync.text_phones import TextPhones, text_phones
from animator.messages import Phone, Samples

log = logging.getLogger(__name__)

RATE_HZ = 16_000
SHORTEST_S = 0.10
"""Below this there is nothing to recognise."""
SILENT = 1e-3
"""Peak below which a sound is silent as a whole (-60 dBFS)."""

WORD_MARGIN = -4.5
"""A word of the text counts as said if its phones are, in the mean, at most this far below the likeliest class.

With hama on 70 sentences by Piper: above -4.2 for every word of the right text, below it for most of a wrong one.
"""
TEXT_MARGIN = -3.0
"""The same for all words together that were said: above -2.1 with every right text, below -3.9 with every wrong one."""
TEXT_SHARE = 0.3
"""Share of the text's phones that have to be said, or the text is not what was said."""
CLEAR = 0.06
"""Mean probability (geometric) below which even the right text is guesswork: 0.2 and more in clean speech, 0.08 in
noise as loud as the voice."""
SURE = 0.35
"""Mean probability (geometric) of the phones around one below which a decode is guesswork: music, noise, two voices."""
NEIGHBOURS = 7
"""A phone is judged by the mean of so many: itself and those around it."""
MISSED = -9.0
"""A phone that was skipped, or is less likely than this, counts as much: one phone must not decide for seven."""
EXTRA = 2
"""So many phones between two words of the text are a word that is not in it; one is a model's whim."""
END_OF_TIME = 1 << 60
LONGEST_CLOSURE_S = 0.15
"""A plosive within a longer silence was not said there."""
SILENT_CLOSURE_S = 0.06
"""A p or b that is not heard to open lasts at most so long."""

Method = Literal["durations", "aligned", "decoded", "loudness"]


class AcousticStream(Protocol):
    """Log-probabilities of sound that comes in pieces."""

    def push(self, samples: Samples) -> Scores:
        """Take in 16 kHz mono; return the frames that are now final, float32 (new frames, classes)."""
        ...

    def finish(self) -> Scores:
        """The frames that were still open; the sound has ended."""
        ...


class AcousticModel(Protocol):
    """Says how likely each phone is, frame by frame.

    `symbols` are IPA per class; exactly one of `blank` (CTC) and `silence` (frame-wise) is a class, the other None.
    Frame i covers [i, i+1) * `hop_s` of the sound. `bias_s` is how much later than the truth it puts a phone's onset;
    who uses the times takes it off. A model may bring `biases_s` (`onset_bias.Biases`): what single sounds add to it.
    `look_ahead_s` is how much sound after a frame its stream waits for. Calls from
    several threads are serialised inside.
    """

    @property
    def name(self) -> str:
        """Of the model, for people."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """IPA of each class."""
        ...

    @property
    def blank(self) -> int | None:
        """The class between two phones, of a CTC model."""
        ...

    @property
    def silence(self) -> int | None:
        """The class of pauses, of a frame-wise model."""
        ...

    @property
    def hop_s(self) -> float:
        """Length of a frame in s."""
        ...

    @property
    def bias_s(self) -> float:
        """By how much onsets come late, in s."""
        ...

    @property
    def look_ahead_s(self) -> float:
        """How much later sound a frame of the stream waits for, in s."""
        ...

    def log_probs(self, samples: Samples) -> Scores:
        """Of a whole sound, 16 kHz mono float32 in [-1, 1]: float32 (frames, classes)."""
        ...

    def stream(self) -> AcousticStream:
        """The same for sound that comes in pieces."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said when, and how that is known.

    `confidences` has a value in [0, 1] per phone: 1 for a voice's own durations, the model's probability for what was
    aligned or decoded, 0 for syllables by loudness. `method` is what most of the phones come from; `reason` says in
    words (never those that were spoken) why it is not a better one, or is empty.
    """

    phones: tuple[Phone, ...]
    confidences: tuple[float, ...]
    method: Method
    model: str = ""
    reason: str = ""


# ------------------------------------------------------------------------------------------------- symbols and classes

# What speakers say for what espeak writes: the classes that may stand for a phone besides its own.
_VARIANTS: dict[str, str] = {
    "ə": "ʌ ɐ ɪ ᵻ ɜ",
    "ɐ": "ə ʌ a",
    "ʌ": "ə ɐ",
    "ɪ": "i ə ɨ ᵻ",
    "ᵻ": "ɪ ə ɨ i",
    "i": "ɪ",
    "ʊ": "u ə",
    "u": "ʊ ʉ ɯ",
    "ɯ": "u ɨ",
    "ɑ": "ɔ ɒ a",
    "ɔ": "ɑ ɒ o",
    "ɒ": "ɑ ɔ",
    "a": "ɑ ä æ ɐ",
    "ä": "a ɑ",
    "æ": "a ɛ",
    "ɛ": "e æ",
    "e": "ɛ eɪ",
    "o": "ɔ oʊ",
    "oʊ": "əʊ o",
    "əʊ": "oʊ o",
    "eɪ": "e",
    "ɚ": "ɜ ɝ ə ɹ",
    "ɜ": "ɚ ɝ",
    "ɝ": "ɚ ɜ",
    "ɾ": "t d ɽ r",
    "ɽ": "ɾ r ɹ l",
    "r": "ɾ ɹ",
    "t": "ɾ ʔ",
    "d": "ɾ",
    "g": "ɡ",
    "ɡ": "g",
    "v": "ʋ",
    "ʋ": "v w",
    "n": "ɲ ɴ",
    "ɴ": "ŋ n m",
    "ŋ": "ɴ",
    "ç": "h x ʃ",
    "ɸ": "f h",
    "ʃ": "ɕ ʂ",
    "ɕ": "ʃ",
    "tɕ": "tʃ",
    "tʃ": "tɕ",
    "dʑ": "dʒ",
    "dʒ": "dʑ ʒ",
}


def _bare(symbol: str) -> str:
    return visemes.normalise(symbol)


class SymbolMap:
    """From espeak segments to a model's classes."""

    def __init__(self, symbols: Sequence[str], rest: int) -> None:
        self._exact: dict[str, list[int]] = {}
        self._bare: dict[str, list[int]] = {}
        self._token: dict[int, list[int]] = {}
        self._shape: dict[str, list[int]] = {}
        for index, symbol in enumerate(symbols):
            bare = _bare(symbol)
            if index == rest or not bare:
                continue
            self._exact.setdefault(symbol, []).append(index)
            self._bare.setdefault(bare, []).append(index)
            if len(bare) == 1:
                self._shape.setdefault(visemes.classify(bare).name, []).append(index)
            if len(tokens := inventory.tokens_of(symbol)) == 1:
                self._token.setdefault(tokens[0], []).append(index)
        self._known: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {}

    def parts(self, segment: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """`segment` as (IPA, classes) in order; () where the model has nothing near it, or it is a mark.

        A segment that the model has as a whole is one part; any other is cut into sounds. The first keeps the stress.
        """
        found = self._known.get(segment)
        if found is None:
            found = self._known[segment] = self._parts(segment)
        return found

    def _parts(self, segment: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
        plain = segment.lstrip(visemes.STRESS)
        if not _bare(plain):
            return ()
        if classes := self._classes(plain):
            return ((segment, classes),)
        marks = segment[: len(segment) - len(plain)]
        parts: list[tuple[str, tuple[int, ...]]] = []
        for token in inventory.tokens_of(plain):
            ipa = inventory.PHONES[token]
            if classes := self._classes(ipa):
                parts.append(((marks if not parts else "") + ipa, classes))
            else:  # a diphthong or affricate that the model has no class for
                for letter in ipa:
                    if classes := self._classes(letter):
                        parts.append(((marks if not parts else "") + letter, classes))
        return tuple(parts)

    def _classes(self, ipa: str) -> tuple[int, ...]:
        bare = _bare(ipa)
        found = dict.fromkeys([*self._exact.get(ipa, []), *self._bare.get(bare, [])])
        tokens = inventory.tokens_of(ipa)
        if not found and len(tokens) == 1:
            found.update(dict.fromkeys(self._token.get(tokens[0], [])))
        if len(tokens) == 1:
            for variant in _VARIANTS.get(bare, "").split():
                found.update(dict.fromkeys(self._bare.get(variant, [])))
        if not found and len(bare) == 1:
            found.update(dict.fromkeys(self._shape.get(visemes.classify(bare).name, [])))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Script:
    """A text as one model's classes, and the IPA that each of its phones is written with."""

    target: Target
    ipa: tuple[str, ...]

    def is_initial(self, index: int) -> bool:
        """Whether a word begins with this phone."""
        words = self.target.words
        return index == 0 or words[index - 1] != words[index]


@dataclass(slots=True)
class Ear:
    """A model with what is worked out about it once."""

    model: AcousticModel
    kind: Kind = field(init=False)
    symbols: SymbolMap = field(init=False)
    bigram: Scores | None = field(init=False)
    """Log-probability of a class after another, where the model brings it."""

    def __post_init__(self) -> None:
        self.kind = Kind(blank=self.model.blank, silence=self.model.silence)
        self.bigram = getattr(self.model, "bigram", None)
        self.symbols = SymbolMap(self.model.symbols, self.kind.rest)

    def onset_s(self, frame: int, ipa: str, is_initial: bool | None) -> float:
        """When a phone that the model puts at `frame` really begins, in s; None: where words begin is not known."""
        biases = getattr(self.model, "biases_s", onset_bias.NONE)
        late_s = self.model.bias_s + onset_bias.difference_s(biases, ipa, is_initial)
        return float(frame * self.model.hop_s - late_s)

    def script(self, text: TextPhones) -> Script | None:
        """What the model should hear for a text; None where it has nothing to hear."""
        classes, words, written = [], [], []
        for number, word in enumerate(text.words):
            for segment in word:
                for ipa, allowed in self.symbols.parts(segment):
                    classes.append(allowed)
                    words.append(number)
                    written.append(ipa)
        # Nobody says a word without shutting the lips for its p, b and m, however little of them is heard.
        firm = frozenset(i for i, ipa in enumerate(written) if "closure" in visemes.classify(ipa).kinds)
        return Script(Target(tuple(classes), tuple(words), firm), tuple(written)) if classes else None


# ------------------------------------------------------------------------------------------------------- what is heard


@dataclass(frozen=True, slots=True)
class _Sound:
    """One phone with its confidence, while phones are put together."""

    ipa: str
    start_s: float
    end_s: float
    confidence: float


def phones_of(
    samples: Samples,
    sample_rate: int,
    text: str = "",
    language: str = "",
    stated: Sequence[Phone] | None = None,
    model: AcousticModel | None = None,
) -> Heard:
    """What is said when in a whole sound, by the best source there is.

    A voice's own durations (`stated`) come first; then the text, forced onto what `model` hears, but decoded freely
    where the two do not agree; then what the model hears alone; then loudness. Pauses are left out.

    Args:
        samples: float32 mono, any level; what is no number counts as silence.
        sample_rate: In Hz.
        text: What was said, if it is known.
        language: Its espeak code; "" finds it by the script.
        stated: Phones that the voice itself stated.
        model: The phone model; None: only loudness is left.

    Takes up to 0.15 s per second of sound; call it from a thread that may wait. Raises nothing: whatever fails, the
    loudness is left.
    """
    if stated is not None:
        return Heard(tuple(stated), (1.0,) * len(stated), "durations")
    samples = clean(samples)
    duration_s = len(samples) / max(sample_rate, 1)
    if not len(samples) or float(np.abs(samples).max()) < SILENT:
        return Heard((), (), "loudness", reason="there is no sound")
    if model is None:
        return by_loudness(samples, sample_rate, "no phone model runs here")
    if duration_s < SHORTEST_S:
        return by_loudness(samples, sample_rate, "the sound is too short to recognise anything")
    try:
        ear = ear_of(model)
        scores = model.log_probs(at_16k(samples, sample_rate))
        return _heard(ear, scores, samples, sample_rate, text_phones(text, language))
    except Exception as error:  # a model's native failure must not cost the character its lips
        log.warning("The phone model %s failed (%s); the mouth follows the loudness.", model.name, type(error).__name__)
        return by_loudness(samples, sample_rate, f"the phone model failed ({type(error).__name__})", model.name)


def at_16k(samples: Samples, sample_rate: int) -> Samples:
    """The sound at 16 kHz, float32."""
    if sample_rate == RATE_HZ:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, sample_rate, RATE_HZ), dtype=np.float32)


def by_loudness(samples: Samples, sample_rate: int, reason: str, model: str = "") -> Heard:
    """Syllables by loudness alone."""
    phones = LOUDNESS.phones(samples, sample_rate)
    return Heard(phones, (0.0,) * len(phones), "loudness", model, reason)


_EARS: deque[Ear] = deque(maxlen=4)


def ear_of(model: AcousticModel) -> Ear:
    """What is worked out about a model once."""
    for ear in list(_EARS):
        if ear.model is model:
            return ear
    ear = Ear(model)
    _EARS.append(ear)
    return ear


def _heard(ear: Ear, scores: Scores, samples: Samples, sample_rate: int, text: TextPhones) -> Heard:
    model = ear.model
    duration_s = len(samples) / sample_rate
    quiet = quiet_stretches(samples, sample_rate)
    spans = decode(scores, ear.kind, ear.bigram)
    free = decoded_sounds(ear, spans, duration_s)
    method: Method = "decoded"
    sounds, reason = free, text.problem or ("" if text else "the text is not known")
    script = ear.script(text) if text else None
    if script is not None:
        found = align(scores, script.target, ear.kind)
        said = said_words(found, script) if found is not None else None
        if found is None or said is None:
            reason = "the text does not match the sound"
        elif float(np.mean([span.log_prob for span in found.spans])) < np.log(CLEAR):
            reason = "the text cannot be made out in the sound"
        else:
            sounds, mended = _mended(ear, found, script, said, spans, duration_s)
            method, reason = "aligned", f"{mended} words were decoded freely" if mended else ""
    sounds = in_speech(sounds, quiet, duration_s)
    if not sounds:
        return by_loudness(samples, sample_rate, "no phones were heard", model.name)
    unsure = _unsure(sounds) if method == "decoded" else []
    if unsure:
        syllables = LOUDNESS.phones(samples, sample_rate)
        share = sum(b - a for a, b in unsure) / max(sounds[-1].end_s - sounds[0].start_s, 1e-6)
        if share > 0.5:
            return by_loudness(samples, sample_rate, "what is heard is no clear speech", model.name)
        sounds = _by_loudness_in(unsure, sounds, syllables)
        reason = "; ".join(filter(None, (reason, f"{sum(b - a for a, b in unsure):.1f} s are no clear speech")))
    phones = tuple(Phone(each.ipa, each.start_s, each.end_s) for each in sounds)
    return Heard(phones, tuple(each.confidence for each in sounds), method, model.name, reason)


def said_words(found: Alignment, script: Script) -> set[int] | None:
    """The words of the text that were said as they are written; None if too few were.

    A word is judged with the phones around it: short words are said so quickly that a model may miss each of their
    sounds, and they lie where the words around them say.
    """
    words = np.array(script.target.words)
    margins = np.full(len(words), MISSED)
    for span in found.spans:
        margins[span.index] = max(span.margin, MISSED)
    around = _around(margins)
    said = {int(word) for word in np.unique(words) if float(around[words == word].mean()) >= WORD_MARGIN}
    is_said = np.isin(words, list(said))
    if float(is_said.mean()) < TEXT_SHARE or float(margins[is_said].mean()) < TEXT_MARGIN:
        return None
    return said


def _around(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The mean of each value and its neighbours, NEIGHBOURS in all."""
    half = NEIGHBOURS // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))


def decoded_sounds(ear: Ear, spans: Sequence[Span], duration_s: float) -> list[_Sound]:
    """What a free decode found, as IPA; what the table of mouth shapes does not know is left out."""
    known = []
    for span in spans:
        ipa = ear.model.symbols[span.index]
        if (bare := visemes.normalise(ipa)) and visemes.is_known(bare):
            known.append((span, ipa, ear.onset_s(span.start, ipa, None)))
    return _timed(ear, known, duration_s)


def aligned_sounds(ear: Ear, spans: Sequence[Span], script: Script, duration_s: float) -> list[_Sound]:
    """What was forced, as the text's IPA."""
    known = []
    for span in spans:
        ipa = script.ipa[span.index]
        known.append((span, ipa, ear.onset_s(span.start, ipa, script.is_initial(span.index))))
    return _timed(ear, known, duration_s)


def _timed(ear: Ear, known: Sequence[tuple[Span, str, float]], duration_s: float) -> list[_Sound]:
    """Spans with their IPA and onset in s as sounds; one that ends where the next begins does so when corrected too."""
    if not known:
        return []
    hop_s, is_ctc = ear.model.hop_s, ear.kind.blank is not None
    is_joined = [a.end == b.start for (a, _, _), (b, _, _) in pairwise(known)] + [False]
    ends = [
        END_OF_TIME if is_ctc or joined else span.end * hop_s - ear.model.bias_s
        for (span, _, _), joined in zip(known, is_joined, strict=True)
    ]
    # A closure before a pause stays where it was heard: delayed to its burst it may lie in the silence as a whole.
    onsets = [
        start_s if is_ctc or joined else min(start_s, span.start * hop_s - ear.model.bias_s)
        for (span, _, start_s), joined in zip(known, is_joined, strict=True)
    ]
    # No sound is shorter than the frame that it was heard in.
    starts = onset_bias.in_order(onsets, ends, hop_s)
    sounds = []
    for (span, ipa, _), start_s, end_s, next_s in zip(known, starts, ends, [*starts, END_OF_TIME][1:], strict=True):
        end_s = min(max(min(end_s, next_s), 0.0), duration_s)
        sounds.append(_Sound(ipa, min(max(start_s, 0.0), duration_s), end_s, span.confidence))
    return lasting(sounds, duration_s) if is_ctc else [each for each in sounds if each.end_s > each.start_s]


def lasting(sounds: Sequence[_Sound], duration_s: float) -> list[_Sound]:
    """Peaks of a CTC model as sounds: each lasts until the next begins."""
    return [
        _Sound(each.ipa, each.start_s, end_s, each.confidence)
        for each, end_s in zip(sounds, [*(each.start_s for each in sounds), duration_s][1:], strict=True)
        if end_s > each.start_s
    ]


def _mended(
    ear: Ear, found: Alignment, script: Script, said: set[int], free: Sequence[Span], duration_s: float
) -> tuple[list[_Sound], int]:
    """The aligned sounds, with what was decoded where the text was not said; and how many words that concerns."""
    words = script.target.words
    spans = [span for span in found.spans if words[span.index] in said]
    holes = unwritten(spans, script, free, len(script.ipa))
    kept = aligned_sounds(ear, spans, script, duration_s)
    extra = decoded_sounds(ear, [each for each in free if any(a <= each.start < b for a, b in holes)], duration_s)
    both = sorted([*kept, *extra], key=lambda each: each.start_s)
    # A CTC phone of the text was let last over the hole that follows it.
    sounds = [
        _Sound(each.ipa, each.start_s, min(each.end_s, after_s), each.confidence)
        for each, after_s in zip(both, [*(each.start_s for each in both), duration_s][1:], strict=True)
    ]
    return [each for each in sounds if each.end_s > each.start_s], len(set(words) - said)


def unwritten(spans: Sequence[Span], script: Script, free: Sequence[Span], until: int) -> list[tuple[int, int]]:
    """Frames [start, end) between phones of the text in which something else was said.

    That is where words of the text were left out, and where EXTRA phones or more were heard (inside a word: one more).
    `until` is the number of the phone that follows the last of `spans`.
    """
    words = script.target.words
    edges = [(-1, 0), *((span.index, span.end) for span in spans)]
    starts = [*((span.index, span.start) for span in spans), (until, END_OF_TIME)]
    holes = []
    for (before, end), (after, start) in zip(edges, starts, strict=True):
        is_gap = before < 0 or after >= len(words) or words[before] != words[after]
        left_out = {words[k] for k in range(before + 1, min(after, len(words)))} - {
            words[k] for k in (before, after) if 0 <= k < len(words)
        }
        heard = sum(1 for each in free if end <= each.start and each.end <= start)
        if left_out or heard >= (EXTRA if is_gap else EXTRA + 1):
            holes.append((end, start))
    return holes


def in_speech(sounds: Sequence[_Sound], quiet: Sequence[tuple[float, float]], duration_s: float) -> list[_Sound]:
    """`sounds` without what lies in silence: an end is drawn back to where the silence begins.

    A sound that lies within a silence as a whole is dropped, unless the silence is as short as a closure, or it is a p
    or b with which the silence begins or ends: its closure is silent, and at a sentence's end its burst is too.
    """
    kept = []
    for each in sounds:
        start_s, end_s = each.start_s, min(each.end_s, duration_s)
        for a, b in quiet:
            if a >= end_s or b <= start_s or (b - a <= LONGEST_CLOSURE_S and a > 0 and b < duration_s):
                continue
            if a <= start_s and b >= end_s:
                shuts = "closure" in visemes.classify(each.ipa).kinds
                if shuts and start_s - a < LONGEST_CLOSURE_S:
                    end_s = min(end_s, start_s + SILENT_CLOSURE_S)
                elif shuts and b - end_s < LONGEST_CLOSURE_S:
                    start_s = max(start_s, end_s - SILENT_CLOSURE_S)
                else:
                    end_s = start_s
            elif a > start_s:
                end_s = min(end_s, max(a, start_s + 0.02))
            elif b - start_s > 0.05:
                # Begins in a silence and goes on after it; a little early is how lips and models are.
                start_s = b - 0.02
        if end_s > start_s:
            kept.append(_Sound(each.ipa, start_s, end_s, each.confidence))
    return kept


def _unsure(sounds: Sequence[_Sound]) -> list[tuple[float, float]]:
    """Times in which the model only guessed."""
    around = np.exp(_around(np.log(np.maximum([each.confidence for each in sounds], 1e-6))))
    return [(sounds[a].start_s, sounds[b - 1].end_s) for a, b in runs(around < SURE)]


def _by_loudness_in(
    stretches: Sequence[tuple[float, float]], sounds: Sequence[_Sound], syllables: Sequence[Phone]
) -> list[_Sound]:
    """`sounds` outside the stretches, syllables inside."""
    made = [each for each in sounds if not any(a <= each.start_s < b for a, b in stretches)]
    for a, b in stretches:
        made += [
            _Sound(p.ipa, max(p.start_s, a), min(p.end_s, b), 0.0) for p in syllables if p.start_s < b and p.end_s > a
        ]
    return sorted(made, key=lambda each: each.start_s)
