"""From phones to the shapes that the lips run through: marks joined, diphthongs split, languages' own rules. Pure.

What a letter of the IPA looks like stands in the table; here stands what depends on the neighbours or the language. All
of these rules are from the phonology of the languages, as eSpeak-NG writes them.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from animator.lipsync import visemes
from animator.lipsync.visemes import Table, Viseme
from animator.messages import Phone

STEP_S = 0.005
"""Grid of the curves that are made of segments; a shorter gap is none."""

DEVOICED_GAIN = 0.30
"""Japanese i and ɯ between voiceless consonants are hardly said: this much of their shape is seen."""
MORAIC_N_GAIN = 0.40
"""Japanese ɴ is a small opening at the back, where no lips follow."""
ASPIRATION_S, ASPIRATION_SHARE = 0.030, 0.40
"""pʰ and bʱ (Hindi) open into a breath for this long, and for at most this share of their label."""
INDIC_AFFRICATE_GAIN, INHERENT_VOWEL_GAIN = 0.70, 0.70
"""Hindi c ɟ are affricates with lips half as round as English ones; its ə and ʌ are an open vowel, not full."""
LONG_HOLD_SHARE = 0.80
"""A long p or b (sokuon, gemination) holds the lips for this share of its label, then is released."""

INDIC = frozenset(
    {"hi", "bn", "mr", "ne", "gu", "pa", "ur", "ta", "te", "kn", "ml", "or", "as", "si", "sa", "kok", "sd"}
)
_JAPANESE_VOICELESS = frozenset({"p", "t", "k", "s", "ɕ", "tɕ", "ts", "h", "ç", "ɸ", "f", "ʔ", "ʃ", "tʃ"})
_ROUNDED_VOWELS = frozenset("oɔuʊɒøœyʏʉ")
_LIP_CONSONANTS = frozenset("pbmɓ")
_DEVOICED_MARKS = frozenset("\u0325\u030a")
_NASAL_MARK = "\u0303"


@dataclass(frozen=True, slots=True)
class Segment:
    """One shape with its place in s; `viseme` None is a pause."""

    viseme: Viseme | None
    start_s: float
    end_s: float
    stress: str = ""
    gain: float = 1.0
    plosive: bool = False
    released_s: float = 0.0
    """Of a plosive: the label of its release; later than its start in a long one."""

    @property
    def length_s(self) -> float:
        """Its length in s."""
        return self.end_s - self.start_s

    @property
    def has_lips(self) -> bool:
        """Whether its lips are its own: vowels and rounded sounds."""
        return self.has("vowel") or self.has("lip_heavy")

    def has(self, kind: str) -> bool:
        """Whether its class is of this kind."""
        return self.viseme is not None and kind in self.viseme.kinds


def merge_phones(phones: Sequence[Phone]) -> list[Phone]:
    """Join what one sound was cut into: `t ʃ`, `a ɪ`, a lone length or stress mark.

    No diphthong is made of two vowels of which the second carries stress or is nasal alone. Phones come back in order,
    without overlaps and without empty spans; times in s.
    """
    ordered = sorted(
        (p for p in phones if math.isfinite(p.start_s) and math.isfinite(p.end_s)), key=lambda p: p.start_s
    )
    merged: list[Phone] = []
    stress = ""
    for phone in ordered:
        if phone.end_s <= phone.start_s:
            continue
        base = visemes.normalise(phone.ipa)
        if not base and phone.ipa and phone.ipa[-1] in visemes.STRESS:
            stress = phone.ipa[-1]  # a mark on its own: its time goes to the vowel that it marks
            merged.append(Phone(stress, phone.start_s, phone.end_s))
            continue
        ipa = phone.ipa if base else ""
        if merged:
            last = merged[-1]
            if last.end_s > phone.start_s:
                last = merged[-1] = replace(last, end_s=phone.start_s)
            adjacent = phone.start_s - last.end_s < 0.002
            if not ipa and phone.ipa.strip("ːˑ") == "" and phone.ipa.strip() and adjacent:  # a lone length mark
                merged[-1] = replace(last, end_s=phone.end_s)
                continue
            if last.ipa in tuple(visemes.STRESS):
                merged[-1] = Phone(last.ipa + ipa, last.start_s if adjacent else phone.start_s, phone.end_s)
                continue
            pair = visemes.normalise(last.ipa) + base
            is_apart = ipa.startswith(tuple(visemes.STRESS)) or (
                # Japanese ん after a vowel is written as a nasal u: no diphthong.
                _NASAL_MARK in _decomposed(ipa) and _NASAL_MARK not in _decomposed(last.ipa)
            )
            if base and adjacent and not is_apart and pair in visemes.AFFRICATES | visemes.DIPHTHONGS:
                merged[-1] = Phone(last.ipa + ipa, last.start_s, phone.end_s)
                continue
            if last.end_s <= last.start_s:
                merged.pop()
        merged.append(Phone(ipa, phone.start_s, phone.end_s))
    return [phone for phone in merged if phone.end_s > phone.start_s]


def segments_of(phones: Sequence[Phone], language: str = "", table: Table = visemes.TABLE_OF_ASSETS) -> list[Segment]:
    """The shapes that the phones run through, in order and without overlaps.

    Neighbours of one shape are joined, but for closures, each of which has a release of its own.

    Args:
        phones: What is said when; overlaps, gaps and unsorted input are put right.
        language: An espeak code such as "ja"; "" where nobody knows (some rules then go by the letters).
        table: Which shape each sound has.
    """
    merged = merge_phones(phones)
    rules = _Rules(merged, language, table)
    found: list[Segment] = []
    for i, phone in enumerate(merged):
        if found and phone.start_s - found[-1].end_s > STEP_S:
            found.append(Segment(None, found[-1].end_s, phone.start_s))
        found += rules.shapes(i)
    joined: list[Segment] = []
    for segment in found:
        last = joined[-1] if joined else None
        same = last is not None and last.viseme is segment.viseme and segment.start_s - last.end_s <= STEP_S
        if last is not None and same and not segment.has("closure"):  # each closure keeps its own release
            joined[-1] = replace(
                last, end_s=segment.end_s, stress=last.stress or segment.stress, gain=max(last.gain, segment.gain)
            )
        else:
            joined.append(segment)
    return joined


class _Rules:
    """What neighbours and language make of each phone."""

    def __init__(self, phones: Sequence[Phone], language: str, table: Table) -> None:
        self._phones = phones
        self._table = table
        self._bases = [visemes.normalise(phone.ipa) for phone in phones]
        code = language.lower().replace("_", "-").split("-")[0]
        letters = set("".join(self._bases))
        self._is_japanese = code == "ja" or (not code and any("ɯᵝ" in phone.ipa for phone in phones))
        # Hindi words in an English sentence keep their letters: nothing else in English has these.
        self._is_indic = code in INDIC or (code in {"", "en"} and bool(letters & set("ʈɖɳʋ")))

    def shapes(self, i: int) -> list[Segment]:
        """The segments of phone `i`."""
        phone, base = self._phones[i], self._bases[i]
        table = self._table
        stress = next((mark for mark in visemes.STRESS if mark in phone.ipa), "")
        if not base:
            return [Segment(None, phone.start_s, phone.end_s)]
        if (special := self._special(i)) is not None:
            name, gain = special
            viseme = table.classes[name]
            return [Segment(viseme, phone.start_s, phone.end_s, stress, gain, released_s=phone.start_s)]
        found: list[Segment] = []
        gain = self._gain(i)
        at_s, length_s = phone.start_s, phone.end_s - phone.start_s
        for part in visemes.parts(phone.ipa, table):
            end_s = at_s + part.share * length_s
            found.append(Segment(part.viseme, at_s, end_s, stress, part.gain * gain, part.plosive, at_s))
            at_s = end_s
        if found[-1].plosive:
            found[-1:] = self._released(found[-1], phone.ipa)
        return found

    def _released(self, closure: Segment, ipa: str) -> list[Segment]:
        """A plosive with how it ends: held when long, opening into a breath when aspirated."""
        if "ː" in ipa:
            closure = replace(closure, released_s=closure.start_s + LONG_HOLD_SHARE * closure.length_s)
        if not {"ʰ", "ʱ"} & set(ipa):
            return [closure]
        breath_s = min(ASPIRATION_S, ASPIRATION_SHARE * closure.length_s)
        opens_s = closure.end_s - breath_s
        return [replace(closure, end_s=opens_s), Segment(self._table.classes["KK"], opens_s, closure.end_s)]

    def _next(self, i: int) -> str:
        """Letters of the next sound, "" before a pause of more than a word gap and at the end."""
        return self._beside(i, 1)

    def _beside(self, i: int, step: int) -> str:
        here = self._phones[i]
        k = i + step
        if 0 <= k < len(self._phones) and not self._bases[k] and 0 <= k + step < len(self._phones):
            gap = self._phones[k]
            if gap.end_s - gap.start_s > WORD_GAP_S:
                return ""
            k += step
        if not 0 <= k < len(self._phones):
            return ""
        there = self._phones[k]
        apart_s = max(there.start_s - here.end_s, here.start_s - there.end_s)
        return self._bases[k] if apart_s <= WORD_GAP_S else ""

    def _special(self, i: int) -> tuple[str, float] | None:
        """Class and gain of a sound that its neighbours or its language make another one."""
        base, ipa = self._bases[i], self._phones[i].ipa
        after = self._next(i)
        closes = after[:1] in _LIP_CONSONANTS if after else False
        # Japanese ん is ɴ, or a nasal u before other consonants, as espeak writes it.
        is_moraic = base == "ɴ" or (self._is_japanese and base in {"u", "ɯ"} and _NASAL_MARK in _decomposed(ipa))
        if is_moraic:
            return ("PP", 1.0) if closes else ("KK", MORAIC_N_GAIN)
        if closes and base in {"n", "ŋ"} and (self._is_japanese or self._is_indic):
            return "PP", 1.0
        if closes and base == "ʔ" and self._is_japanese:  # a sokuon is the closure of what follows
            return "PP", 1.0
        if base == "ʋ" and after[:1] in _ROUNDED_VOWELS and after:
            return "WW", 1.0
        if self._is_indic and base in {"c", "ɟ"}:
            return "CH", INDIC_AFFRICATE_GAIN
        if self._is_indic and base in {"ə", "ʌ"}:
            return "ah", INHERENT_VOWEL_GAIN
        return None

    def _gain(self, i: int) -> float:
        base, ipa = self._bases[i], _decomposed(self._phones[i].ipa)
        if base[:1] not in {"i", "ɯ", "u", "ɪ"}:
            return 1.0
        if _DEVOICED_MARKS & set(ipa):
            return DEVOICED_GAIN
        if not self._is_japanese or base not in {"i", "ɯ"} or "ː" in ipa:
            return 1.0
        before, after = self._beside(i, -1), self._next(i)
        ends = not after  # "desu": the last one is devoiced too
        if before in _JAPANESE_VOICELESS and (after in _JAPANESE_VOICELESS or (ends and before in {"s", "ɕ", "ts"})):
            return DEVOICED_GAIN
        return 1.0


WORD_GAP_S = 0.090
"""A voice's gap between two words (46 to 58 ms in Piper) does not part them for these rules."""


def _decomposed(ipa: str) -> str:
    return unicodedata.normalize("NFD", ipa)
