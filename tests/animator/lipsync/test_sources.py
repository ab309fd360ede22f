from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest

from animator.lipsync import visemes
from animator.lipsync.align import Scores
from animator.lipsync.loudness import LOUDNESS
from animator.lipsync.mouth_track import MouthTrack
from animator.lipsync.sources import Heard, SymbolMap, _Sound, in_speech, phones_of
from animator.messages import Phone, Samples
from tests.animator.lipsync.coded_speech import RATE, SYMBOLS, CodedModel, say

HELLO_MUM = (("", 200), ("h", 60), ("ə", 60), ("l", 60), ("oʊ", 140), ("m", 80), ("ə", 100), ("m", 80), ("", 200))
"""What the text "hello mum" says, as the coded model hears it (ʌ is a variant of ə)."""


def ipa(heard: Heard) -> list[str]:
    return [visemes.normalise(phone.ipa) for phone in heard.phones]


def test_what_the_voice_states_is_taken_as_it_is() -> None:
    stated = (Phone("m", 0.0, 0.1),)
    model = CodedModel()

    heard = phones_of(say(("ɑ", 300)), RATE, "mum", "en", stated, model)

    assert (stated, (1.0,), "durations", "") == (heard.phones, heard.confidences, heard.method, heard.reason)
    assert model.calls == 0


@pytest.mark.parametrize("ctc", [False, True])
def test_a_known_text_is_forced_onto_the_sound(ctc: bool) -> None:
    heard = phones_of(say(*HELLO_MUM), RATE, "Hello, mum!", "en", model=CodedModel(ctc=ctc))

    assert ("aligned", "coded", "") == (heard.method, heard.model, heard.reason)
    assert ["h", "ə", "l", "oʊ", "m", "ʌ", "m"] == ipa(heard)
    starts_s = [phone.start_s for phone in heard.phones]
    assert starts_s == pytest.approx([0.2, 0.26, 0.32, 0.38, 0.52, 0.6, 0.7], abs=0.021)
    assert heard.phones[-1].end_s == pytest.approx(0.78, abs=0.03)
    assert "ˈ" in heard.phones[3].ipa
    assert all(0.5 < confidence <= 1.0 for confidence in heard.confidences)


@pytest.mark.parametrize("ctc", [False, True])
def test_without_a_text_the_sound_is_decoded_and_that_is_said(ctc: bool) -> None:
    heard = phones_of(say(*HELLO_MUM), RATE, model=CodedModel(ctc=ctc))

    assert ("decoded", "the text is not known") == (heard.method, heard.reason)
    assert ["h", "ə", "l", "oʊ", "m", "ə", "m"] == ipa(heard)


@pytest.mark.parametrize("ctc", [False, True])
def test_a_text_that_was_not_said_is_not_forced_onto_the_sound(ctc: bool) -> None:
    heard = phones_of(say(*HELLO_MUM), RATE, "Fifty keys, fishing boats.", "en", model=CodedModel(ctc=ctc))

    assert ("decoded", "the text does not match the sound") == (heard.method, heard.reason)
    assert ["h", "ə", "l", "oʊ", "m", "ə", "m"] == ipa(heard)


@pytest.mark.parametrize("ctc", [False, True])
def test_words_that_were_not_said_are_decoded_where_others_are_aligned(ctc: bool) -> None:
    other = (("f", 80), ("i", 120), ("t", 60), ("s", 80), ("f", 80), ("i", 120), ("p", 60), ("s", 80))
    sound = say(*HELLO_MUM[:-1], *other, *HELLO_MUM[1:])

    heard = phones_of(sound, RATE, "Hello mum hello mum", "en", model=CodedModel(ctc=ctc))

    assert "aligned" == heard.method
    found = "".join(ipa(heard))
    assert "fitsfips" in found
    assert found.startswith("həloʊmʌm")
    assert found.endswith("həloʊmʌm")


def test_a_text_that_espeak_cannot_read_says_so() -> None:
    heard = phones_of(say(*HELLO_MUM), RATE, "私です", "ja", model=CodedModel())

    assert ("decoded", "espeak cannot read Kanji") == (heard.method, heard.reason)


@pytest.mark.parametrize("text", ["😀🎉", "...", ""])
def test_a_text_without_words_leaves_what_is_heard(text: str) -> None:
    assert "decoded" == phones_of(say(*HELLO_MUM), RATE, text, "en", model=CodedModel()).method


@pytest.mark.parametrize("text", ["", "hello mum"])
def test_guesswork_is_replaced_by_the_loudness(text: str) -> None:
    """A model that is sure of nothing: music, noise, two voices."""
    sound = say(*([("ɑ", 60), ("p", 60), ("i", 60), ("t", 60), ("u", 60), ("s", 60)] * 4))

    heard = phones_of(sound, RATE, text, "en", model=CodedModel(sure=0.2))

    assert ("loudness", "what is heard is no clear speech") == (heard.method, heard.reason)
    assert LOUDNESS.phones(sound, RATE) == heard.phones


def test_sound_in_which_nothing_is_heard_moves_the_mouth_by_its_loudness() -> None:
    class Deaf(CodedModel):
        def log_probs(self, samples: Samples) -> Scores:
            return super().log_probs(np.zeros_like(samples))

    heard = phones_of(say(*HELLO_MUM), RATE, model=Deaf())

    assert ("loudness", "no phones were heard") == (heard.method, heard.reason)
    assert heard.phones


def test_a_model_that_fails_leaves_the_loudness_and_logs_nothing_that_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(CodedModel):
        def log_probs(self, samples: Samples) -> Scores:
            raise RuntimeError("secret words")

    heard = phones_of(say(*HELLO_MUM), RATE, "secret words", "en", model=Broken())

    assert "loudness" == heard.method
    assert "RuntimeError" in heard.reason
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + heard.reason


def test_without_a_model_there_is_the_loudness() -> None:
    sound = say(*HELLO_MUM)

    assert "loudness" == phones_of(sound, RATE, "hello mum", "en").method


def test_phones_do_not_last_into_silence() -> None:
    heard = phones_of(say(("m", 100), ("ɑ", 200), ("", 800), ("m", 100), ("ɑ", 200)), RATE, model=CodedModel(ctc=True))

    assert ["m", "ɑ", "m", "ɑ"] == ipa(heard)
    assert heard.phones[1].end_s == pytest.approx(0.3, abs=0.03)
    assert heard.phones[2].start_s == pytest.approx(1.1, abs=0.03)


def test_a_p_whose_closure_is_all_that_is_left_of_it_before_a_pause_is_kept() -> None:
    """The "p" of "lamp." is often not released: silence is all that its closure sounds like."""
    sounds = [_Sound("m", 0.2, 0.4, 0.9), _Sound("p", 0.45, 0.9, 0.5), _Sound("s", 1.2, 1.3, 0.5)]

    kept = in_speech(sounds, [(0.4, 2.0)], 2.0)

    assert [("m", 0.2, 0.4), ("p", 0.45, pytest.approx(0.51))] == [(s.ipa, s.start_s, s.end_s) for s in kept]


def test_a_b_that_opens_a_word_after_a_pause_is_kept() -> None:
    """The closure of "but" is silent: it lies in the pause before it, right before its burst."""
    sounds = [_Sound("oʊ", 0.2, 0.4, 0.9), _Sound("b", 0.8, 0.95, 0.5), _Sound("ʌ", 0.97, 1.2, 0.9)]

    kept = in_speech(sounds, [(0.4, 0.97)], 2.0)

    assert [("oʊ", 0.2, 0.4), ("b", pytest.approx(0.89), 0.95), ("ʌ", 0.97, 1.2)] == [
        (s.ipa, s.start_s, s.end_s) for s in kept
    ]


def test_a_models_bias_is_taken_off() -> None:
    model = CodedModel()
    model.bias_s = 0.03

    late = phones_of(say(*HELLO_MUM), RATE, "hello mum", "en", model=model)

    assert late.phones[1].start_s == pytest.approx(0.26 - 0.03, abs=0.011)


SPEECH = say(*HELLO_MUM)
RNG = np.random.default_rng(3)
ODD: dict[str, Samples] = {
    "empty": np.zeros(0, np.float32),
    "one sample": np.ones(1, np.float32),
    "50 ms": SPEECH[4000:4800],
    "30 s of silence": np.zeros(30 * RATE, np.float32),
    "noise": (0.2 * RNG.standard_normal(2 * RATE)).astype(np.float32),
    "music": (0.2 * sum(np.sin(2 * np.pi * f * np.arange(2 * RATE) / RATE) for f in (220, 277, 330))).astype(
        np.float32
    ),
    "two voices": SPEECH + SPEECH[::-1],
    "not a number": np.full(RATE, np.nan, np.float32),
    "infinite": np.full(RATE, np.inf, np.float32),
    "clipped": np.sign(SPEECH) * 3,
    "constant": np.full(RATE, 0.5, np.float32),
}


@pytest.mark.parametrize("text", ["", "hello mum", "😀", "Ein ganz anderer Satz, der nie gesagt wurde."])
@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_any_sound_with_any_text_gives_phones_inside_it_in_order(name: str, ctc: bool, text: str) -> None:
    samples = ODD[name]
    heard = phones_of(samples, RATE, text, "en", model=CodedModel(ctc=ctc))

    assert len(heard.phones) == len(heard.confidences)
    assert all(0 <= p.start_s < p.end_s <= len(samples) / RATE + 1e-6 for p in heard.phones)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(heard.phones))
    assert all(visemes.parts(p.ipa) for p in heard.phones)
    assert all(0.0 <= confidence <= 1.0 for confidence in heard.confidences)
    MouthTrack(heard.phones, samples, RATE).at(0.1)


@pytest.mark.parametrize("name", ["empty", "30 s of silence", "not a number"])
def test_nothing_is_said_in_silence(name: str) -> None:
    heard = phones_of(ODD[name], RATE, "hello mum", "en", model=CodedModel())

    assert ((), "loudness", "there is no sound") == (heard.phones, heard.method, heard.reason)


def test_a_segment_that_a_model_has_no_class_for_is_cut_into_sounds_it_has() -> None:
    symbols = SymbolMap(SYMBOLS, 0)

    assert [("ˈaɪ", (SYMBOLS.index("aɪ"),))] == [(i, c) for i, c in symbols.parts("ˈaɪ")]
    assert ["ˈaɪ", "ɚ"] == [part for part, _ in symbols.parts("ˈaɪɚ")]
    assert [("ʌ", (SYMBOLS.index("ə"),))] == list(symbols.parts("ʌ"))
    assert ["ɔ", "ɪ"] == [part for part, _ in symbols.parts("ɔɪ")]
    assert () == symbols.parts("ˈ")


def test_a_model_with_whole_espeak_segments_keeps_them_whole() -> None:
    symbols = SymbolMap(("", "aɪɚ", "aɪ", "iː", "i"), 0)

    assert [("ˈaɪɚ", (1,))] == list(symbols.parts("ˈaɪɚ"))
    assert [("iː", (3, 4))] == list(symbols.parts("iː"))


@pytest.fixture(autouse=True)
def _logs_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
