"""How late a model puts onsets: measured, drawn towards the whole, stored, taken off."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from animator.lipsync import onset_bias
from animator.lipsync.align import Scores
from animator.lipsync.onset_bias import OTHER, OnsetError, Row, calibrate, difference_s, from_plain, in_order, to_plain
from animator.lipsync.sentence_stream import SentenceStream
from animator.lipsync.sources import phones_of
from animator.lipsync.windows import WindowedStream
from animator.messages import Phone, Samples
from tests.animator.lipsync.coded_speech import RATE, SYMBOLS, CodedModel, say

LATE_FRAMES = {"m": 4, "l": 2}


def measured(sound: str, late_ms: float, count: int, *, is_initial: bool = False) -> list[OnsetError]:
    return [OnsetError(sound, is_initial, late_ms / 1000)] * count


def test_the_constant_is_the_median_over_all_sounds() -> None:
    constant_s, _ = calibrate(measured("a", 20, 60) + measured("p", 70, 30))

    assert 0.020 == pytest.approx(constant_s)


@pytest.mark.parametrize(("count", "kept"), [(10, 0.5), (90, 0.9), (1, 1 / 11)])
def test_a_sound_keeps_as_much_of_its_difference_as_it_was_measured_often(count: int, kept: float) -> None:
    _, table = calibrate(measured("a", 20, 500) + measured("p", 60, count))

    assert 0.040 * kept == pytest.approx(table["p"].anywhere)


def test_a_sound_may_be_later_at_the_beginning_of_words() -> None:
    errors = measured("a", 0, 500) + measured("p", 0, 90) + measured("p", 30, 90, is_initial=True)

    _, table = calibrate(errors)

    assert table["p"].initial > 0.025
    assert abs(table["p"].inside) < 0.005


def test_a_sound_never_measured_there_has_what_all_sounds_have_at_the_beginning_of_words() -> None:
    errors = measured("a", 0, 500) + measured("t", -20, 400, is_initial=True) + measured("t", 0, 400)

    _, table = calibrate([*errors, *measured("k", 0, 200)])

    assert table["k"].initial == pytest.approx(table[OTHER].initial)
    assert table[OTHER].initial < -0.005


def test_without_a_measurement_there_is_no_table() -> None:
    with pytest.raises(ValueError, match="no sound"):
        calibrate([])


def test_a_difference_is_bounded() -> None:
    _, table = calibrate(measured("a", 0, 500) + measured("p", 900, 400))

    assert onset_bias.MOST_S == table["p"].anywhere


def test_stress_and_length_do_not_matter_and_other_sounds_have_the_common_row() -> None:
    table = {OTHER: Row(0.0, 0.001, 0.002), "ɑ": Row(0.01, 0.02, 0.03)}

    assert [0.01, 0.02, 0.03] == [difference_s(table, "ˈɑː", place) for place in (None, False, True)]
    assert [0.0, 0.001, 0.002] == [difference_s(table, "m", place) for place in (None, False, True)]
    assert 0.0 == difference_s({}, "m", True)


def test_a_table_is_read_back_as_it_was_written() -> None:
    _, table = calibrate(measured("ɑ", 0, 50) + measured("p", 40, 30) + measured("p", 60, 20, is_initial=True))

    read = from_plain(to_plain(table))

    assert list(table) == list(read)
    assert np.allclose([*table.values()], [*read.values()], atol=1e-4)


@pytest.mark.parametrize(
    "value",
    [[], "p", {"p": 0.1}, {"p": [0, 0]}, {"p": [0, 0, 0.2]}, {"p": [0, 0, float("nan")]}, {"p": [0, 0, True]},
     {str(k): [0, 0, 0] for k in range(600)}],
)  # fmt: skip
def test_what_is_no_table_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        from_plain(value)


def test_starts_that_crossed_are_drawn_back_and_no_sound_is_lost() -> None:
    assert [0.08, 0.09, 0.2] == pytest.approx(in_order([0.0999, 0.15, 0.2], [0.1, 0.1, 0.3], 0.01))


def test_starts_in_order_stay() -> None:
    assert [0.0, 0.1, 0.2] == in_order([0.0, 0.1, 0.2], [0.1, 0.2, 0.3], 0.01)


class LateModel(CodedModel):
    """Hears some sounds late: what was before them goes on for so long."""

    biases_s: ClassVar = {symbol: Row(*(frames * 0.01,) * 3) for symbol, frames in LATE_FRAMES.items()}

    def log_probs(self, samples: Samples) -> Scores:
        scores = super().log_probs(samples)
        late = scores.copy()
        heard = scores.argmax(axis=1)
        for frame in range(1, len(scores)):
            if heard[frame] != heard[frame - 1]:
                frames = LATE_FRAMES.get(SYMBOLS[heard[frame]], 0)
                late[frame : frame + frames] = scores[frame - 1]
        return late

    def stream(self) -> WindowedStream:
        return WindowedStream(self.log_probs, len(SYMBOLS), self.hop_s, 1.0, self.look_ahead_s)


def truth(spoken: list[tuple[str, int]]) -> list[float]:
    ends = np.cumsum([ms for _, ms in spoken]) / 1000
    return [end - ms / 1000 for end, (symbol, ms) in zip(ends, spoken, strict=True) if symbol]


SPOKEN = [("", 200), ("h", 60), ("ə", 80), ("l", 90), ("oʊ", 200), ("m", 100), ("ə", 120), ("m", 100), ("", 300)]


@pytest.mark.parametrize("text", ["hello mum", ""])
def test_sounds_that_are_late_by_themselves_are_put_right(text: str) -> None:
    heard = phones_of(say(*SPOKEN), RATE, text, "en", model=LateModel())

    assert truth(SPOKEN) == pytest.approx([phone.start_s for phone in heard.phones], abs=0.011)
    assert_joined(heard.phones)


@pytest.mark.parametrize("text", ["hello mum", ""])
@pytest.mark.parametrize("piece", [400, 1600, 5000])
def test_they_are_in_pieces_too_and_nothing_given_is_taken_back(piece: int, text: str) -> None:
    sound = say(*SPOKEN)
    stream = SentenceStream(LateModel(), RATE, text, "en")
    given: list[Phone] = []
    for at in range(0, len(sound), piece):
        given += stream.push(sound[at : at + piece]).phones
    given += stream.finish().phones

    assert truth(SPOKEN) == pytest.approx([phone.start_s for phone in given], abs=0.011)
    assert_joined(given)


def assert_joined(phones: list[Phone] | tuple[Phone, ...]) -> None:
    """In order, none over another, and no hole inside the speech."""
    for before, after in pairwise(phones):
        assert before.start_s < before.end_s
        assert before.end_s == pytest.approx(after.start_s, abs=0.002)


@pytest.mark.parametrize("ctc", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_any_table_leaves_every_sound_in_order(seed: int, ctc: bool) -> None:
    rng = np.random.default_rng(seed)
    model = CodedModel(ctc=ctc)
    model.biases_s = {symbol: Row(*rng.uniform(-0.1, 0.1, 3)) for symbol in SYMBOLS[1:]}  # type: ignore[attr-defined]
    names = rng.permutation(SYMBOLS[1:14])
    sound = say(("", 300), *((str(name), int(rng.integers(3, 9)) * 20) for name in names), ("", 300))

    whole = phones_of(sound, RATE, model=model)
    stream = SentenceStream(model, RATE)
    pieces = [stream.push(sound[at : at + 800]) for at in range(0, len(sound), 800)] + [stream.finish()]
    streamed = [phone for piece in pieces for phone in piece.phones]

    for phones in (whole.phones, streamed):
        assert list(names) == [phone.ipa for phone in phones]
        assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(phones))
        assert all(phone.start_s < phone.end_s for phone in phones)


def test_the_table_of_hama_is_one_that_could_be_stored() -> None:
    from animator.lipsync.hama_model import BIASES_S

    assert from_plain(to_plain(BIASES_S)) == BIASES_S
    assert OTHER in BIASES_S
    assert all(onset_bias.key_of(sound) == sound for sound in BIASES_S)


def test_a_closure_before_a_pause_is_not_delayed_into_the_silence() -> None:
    model = CodedModel()
    model.biases_s = {"p": Row(-0.05, -0.05, -0.05)}  # type: ignore[attr-defined]

    heard = phones_of(say(("", 200), ("ɑ", 200), ("p", 40), ("", 400)), RATE, model=model)

    assert ["ɑ", "p"] == [phone.ipa for phone in heard.phones]
    assert 0.4 == pytest.approx(heard.phones[1].start_s, abs=0.011)
