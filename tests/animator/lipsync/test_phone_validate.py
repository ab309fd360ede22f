"""Rules of the figures that a trained phone model is judged by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from animator.lipsync.inventory import PHONES, token_of
from animator.lipsync.training import validate

P, A, S, M = (token_of(ipa) or 0 for ipa in ("p", "a", "s", "m"))


def sure_of(*path: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Log-probabilities of a model that is 90 % sure: (class, frames), ..."""
    classes = np.repeat([token for token, _ in path], [frames for _, frames in path])
    probabilities = np.full((len(classes), len(PHONES)), 0.1 / (len(PHONES) - 1))
    probabilities[np.arange(len(classes)), classes] = 0.9
    return np.log(probabilities).astype(np.float32)


def test_decoding_gives_the_spans_of_the_best_classes():
    assert [(0, 0, 5), (P, 5, 12), (A, 12, 20)] == validate.decode(sure_of((0, 5), (P, 7), (A, 8)))


def test_a_single_stray_frame_is_not_a_sound():
    assert [(A, 0, 11)] == validate.decode(sure_of((A, 5), (S, 1), (A, 5)), switch_penalty=4.0)


def test_alignment_finds_the_first_frame_of_each_sound_and_skips_silence():
    found = validate.align(sure_of((0, 5), (P, 3), (A, 4), (0, 6), (M, 2), (A, 9)), [P, A, M, A])

    assert [5, 8, 18, 20] == found


def test_alignment_of_more_sounds_than_frames_is_none():
    assert validate.align(sure_of((A, 2)), [P, A, P]) is None


def test_alignment_places_a_sound_that_was_not_heard_between_its_neighbours():
    first, missing, last = validate.align(sure_of((P, 5), (A, 5)), [P, S, A]) or (0, 0, 0)

    assert 0 == first < missing < last


@pytest.mark.parametrize(
    ("heard", "said", "edits"), [("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "axc", 1)]
)
def test_edit_distance(heard: str, said: str, edits: int):
    assert edits == validate.edit_distance([ord(c) for c in heard], [ord(c) for c in said])


def test_a_perfect_model_has_perfect_figures():
    log_probs = sure_of((0, 10), (P, 10), (A, 10), (0, 10))

    row = validate.measure(log_probs, [("", 0.0, 0.1), ("p", 0.1, 0.2), ("aː", 0.2, 0.3), ("", 0.3, 0.4)]).row()

    assert (1.0, 1.0, 0.0, 1.0, 1.0, 0.0) == tuple(
        row[key]
        for key in (
            "frame_accuracy",
            "viseme_accuracy",
            "phone_error_rate",
            "closure_recall",
            "closure_precision",
            "silence_leak",
        )
    )
    assert abs(row["onset_median_ms"]) < 1e-6


def test_a_constant_lateness_is_bias_and_no_error():
    phones = [("", 0.0, 0.1), ("p", 0.1, 0.2), ("a", 0.2, 0.3), ("s", 0.3, 0.4)]

    row = validate.measure(sure_of((0, 12), (P, 10), (A, 10), (S, 8)), phones).row()

    assert (20.0, 0.0) == (round(row["onset_bias_ms"], 3), round(row["onset_median_ms"], 3))


def test_a_missed_closure_and_a_false_one_count():
    row = validate.measure(sure_of((A, 20), (P, 5), (A, 20)), [("m", 0.0, 0.05), ("a", 0.05, 0.45)]).row()

    assert (0.0, 0.0) == (row["closure_recall"], row["closure_precision"])


def test_tallies_of_utterances_add_up_to_a_table():
    one = validate.measure(sure_of((A, 20)), [("a", 0.0, 0.2)])
    total = validate.Tally()
    total.add(one)
    total.add(one)

    assert (2, 40) == (total.utterances, total.frames)
    assert "| all | 2 | 100.0 % |" in validate.table({"all": total})
