from __future__ import annotations

import itertools

import numpy as np
import pytest

from animator.lipsync import visemes
from animator.lipsync.align import Scores
from animator.lipsync.sentence_stream import LOOK_AHEAD_S, SentenceStream
from animator.lipsync.sources import phones_of
from animator.messages import Phone, Samples
from tests.animator.lipsync.coded_speech import RATE, CodedModel, say

TEXT = "Hello mum, hello mum."
_ONCE = (("h", 60), ("ə", 60), ("l", 60), ("oʊ", 140), ("m", 80), ("ə", 100), ("m", 80))
SOUND = say(("", 200), *_ONCE, ("", 300), *_ONCE, ("", 200))
OTHER = say(("", 100), ("f", 80), ("i", 120), ("t", 60), ("s", 80), ("ɑ", 200), ("p", 60), ("i", 120), ("", 100))
TOLERANCE_S = 0.02
"""How far an onset may lie from where the whole sound puts it: one frame of the coarser model."""


def pieces(sound: Samples, seed: int) -> list[Samples]:
    """Cut into 50 to 400 ms."""
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(rng.integers(RATE // 20, RATE * 2 // 5, 200))
    return np.split(sound, cuts[cuts < len(sound)])


def heard(stream: SentenceStream, sound: Samples, seed: int) -> list[Phone]:
    found = [phone for piece in pieces(sound, seed) for phone in stream.push(piece).phones]
    return [*found, *stream.finish().phones]


@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize(
    ("sound", "text"),
    [(SOUND, TEXT), (SOUND, ""), (np.concatenate([SOUND, OTHER]), TEXT)],
    ids=["text", "no text", "more than the text"],
)
@pytest.mark.parametrize("seed", range(4))
def test_pieces_give_the_phones_of_the_whole(sound: Samples, text: str, ctc: bool, seed: int) -> None:
    whole = phones_of(sound, RATE, text, "en", model=CodedModel(ctc=ctc)).phones
    found = heard(SentenceStream(CodedModel(ctc=ctc), RATE, text, "en"), sound, seed)

    def letters(phones: list[Phone] | tuple[Phone, ...]) -> list[str]:
        return [visemes.classify(p.ipa).name for p in phones]

    assert letters(whole) == letters(found)
    assert [p.start_s for p in whole] == pytest.approx([p.start_s for p in found], abs=TOLERANCE_S + 1e-6)


@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize(("sound", "text"), [(SOUND, "Fifty keys, fishing boats."), (OTHER, TEXT)])
def test_a_text_that_is_not_said_costs_three_phones_at_most(sound: Samples, text: str, ctc: bool) -> None:
    free = heard(SentenceStream(CodedModel(ctc=ctc, sure=0.999), RATE), sound, 1)
    found = heard(SentenceStream(CodedModel(ctc=ctc, sure=0.999), RATE, text, "en"), sound, 1)

    right, got = {(p.ipa, p.start_s) for p in free}, {(p.ipa, p.start_s) for p in found}
    assert len(right - got) <= 3
    assert len(got - right) <= 3


@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize("text", [TEXT, ""])
@pytest.mark.parametrize("seed", range(6))
def test_what_was_given_is_never_taken_back_and_comes_in_order(ctc: bool, text: str, seed: int) -> None:
    stream = SentenceStream(CodedModel(ctc=ctc), RATE, text, "en")
    given: list[Phone] = []
    for piece in pieces(np.concatenate([SOUND, OTHER, SOUND]), seed):
        given += stream.push(piece).phones
        ahead = stream.pending().phones
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise([*given, *ahead]))
        assert all(p.end_s <= stream.duration_s + 1e-6 for p in [*given, *ahead])
    given += stream.finish().phones

    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(given))


@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize("text", [TEXT, ""])
def test_a_phone_is_final_once_the_look_ahead_after_its_end_is_known(ctc: bool, text: str) -> None:
    """20 ms at a time; a CTC model knows an end by the next beginning."""
    stream = SentenceStream(CodedModel(ctc=ctc), RATE, text, "en")
    waits_s: list[float] = []
    for at in range(0, len(SOUND), 320):
        found = stream.push(SOUND[at : at + 320]).phones
        waits_s += [stream.duration_s - phone.end_s for phone in found if phone.end_s < 0.75]

    assert len(waits_s) >= 6
    assert max(waits_s) <= LOOK_AHEAD_S + 0.02


def test_what_is_pending_is_what_will_be_given_where_the_sound_goes_on_as_expected() -> None:
    stream = SentenceStream(CodedModel(), RATE, TEXT, "en")
    given = [*stream.push(SOUND[: int(0.6 * RATE)]).phones]
    ahead = stream.pending().phones
    given += stream.push(SOUND[int(0.6 * RATE) :]).phones
    given += stream.finish().phones

    assert ahead
    for phone in ahead[:-1]:
        assert any(phone.ipa == p.ipa and phone.start_s == pytest.approx(p.start_s, abs=0.02) for p in given)


def test_the_source_and_the_reason_are_said() -> None:
    known = SentenceStream(CodedModel(), RATE, TEXT, "en")
    unknown = SentenceStream(CodedModel(), RATE)

    assert ("aligned", "coded", "") == ((h := known.push(SOUND)).method, h.model, h.reason)
    assert ("decoded", "the text is not known") == ((h := unknown.push(SOUND)).method, h.reason)
    assert ("loudness", "no phone model runs here") == ((h := SentenceStream(None, RATE).push(SOUND)).method, h.reason)


def test_sound_in_which_nothing_is_heard_moves_the_mouth_by_its_loudness() -> None:
    class Deaf(CodedModel):
        def log_probs(self, samples: Samples) -> Scores:
            return super().log_probs(np.zeros_like(samples))

    found = heard(SentenceStream(Deaf(), RATE, TEXT, "en"), SOUND, 1)

    assert found
    assert all(phone.ipa in ("ɑ", "ʌ", "ə") for phone in found)


def test_a_model_that_fails_in_mid_sentence_leaves_the_loudness(caplog: pytest.LogCaptureFixture) -> None:
    class Tired(CodedModel):
        def log_probs(self, samples: Samples) -> Scores:
            if self.calls >= 3:
                raise RuntimeError("secret words")
            return super().log_probs(samples)

    stream = SentenceStream(Tired(), RATE, "secret", "en")
    found = heard(stream, np.concatenate([SOUND, SOUND]), 2)

    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(found))
    assert found[-1].end_s > 2.0
    assert "secret" not in caplog.text


@pytest.mark.parametrize("model", [CodedModel(), CodedModel(ctc=True), None], ids=["frame-wise", "ctc", "none"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_no_sound_raises_and_silence_says_nothing(model: CodedModel | None, rate: int) -> None:
    rng = np.random.default_rng(4)
    for sound in (
        np.zeros(0, np.float32),
        np.zeros(5 * rate, np.float32),
        np.full(rate, np.nan, np.float32),
        (0.3 * rng.standard_normal(rate)).astype(np.float32),
        np.ones(3, np.float32),
    ):
        stream = SentenceStream(model, rate, "hello", "en")
        found = [*stream.push(sound).phones, *stream.pending().phones, *stream.finish().phones]
        if not np.nan_to_num(sound).any():
            assert [] == found
