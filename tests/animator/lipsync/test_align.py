from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from animator.lipsync.align import Kind, Lattice, Target, Viterbi, align, decode, loop_lattice, runs, text_lattice

CTC = Kind(blank=0)
FRAMEWISE = Kind(silence=0)
CLASSES = 8


def scores(*classes: int, sure: float = 0.9) -> np.ndarray:
    """One frame per class, that class at `sure`."""
    found = np.full((len(classes), CLASSES), np.log((1 - sure) / (CLASSES - 1)))
    found[np.arange(len(classes)), classes] = np.log(sure)
    return found.astype(np.float32)


def target(*words: tuple[int, ...]) -> Target:
    return Target(
        tuple((each,) for word in words for each in word), tuple(k for k, word in enumerate(words) for _ in word)
    )


def where(found, wanted: Target) -> list[tuple[int, int, int]]:
    return [(wanted.classes[span.index][0], span.start, span.end) for span in found.spans]


def test_phones_of_a_framewise_model_lie_where_their_class_is_likely() -> None:
    wanted = target((1, 2), (3,))
    found = align(scores(0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 0), wanted, FRAMEWISE)

    assert found is not None
    assert [(1, 2, 5), (2, 5, 7), (3, 7, 10)] == where(found, wanted)
    assert 0.85 < min(span.confidence for span in found.spans) <= 0.91


def test_a_pause_between_words_belongs_to_no_phone() -> None:
    wanted = target((1,), (2,))
    found = align(scores(1, 1, 1, 0, 0, 0, 0, 2, 2, 2), wanted, FRAMEWISE)

    assert found is not None
    assert [(1, 0, 3), (2, 7, 10)] == where(found, wanted)


def test_a_framewise_phone_lasts_two_frames_at_least() -> None:
    wanted = target((1, 2, 3))
    found = align(scores(1, 1, 1, 2, 3, 3, 3), wanted, FRAMEWISE)

    assert found is not None
    assert all(span.end - span.start >= 2 for span in found.spans)
    assert [1, 2, 3] == [place[0] for place in where(found, wanted)]


def test_peaks_of_a_ctc_model_are_found_between_its_blanks() -> None:
    wanted = target((1, 2), (3,))
    found = align(scores(0, 1, 0, 0, 2, 0, 3, 0), wanted, CTC)

    assert found is not None
    assert [(1, 1, 2), (2, 4, 5), (3, 6, 7)] == where(found, wanted)


def test_a_ctc_label_that_is_repeated_needs_a_blank_between() -> None:
    wanted = target((1, 1))

    apart = align(scores(0, 1, 0, 1, 0), wanted, CTC)
    one = align(scores(0, 1, 1, 1, 0), wanted, CTC)

    assert apart is not None
    assert [(1, 1, 2), (1, 3, 4)] == where(apart, wanted)
    assert one is not None
    first, second = one.spans
    assert second.start > first.end


def test_any_of_several_classes_may_stand_for_a_phone() -> None:
    wanted = Target(((1,), (2, 5), (3,)), (0, 0, 0))
    found = align(scores(1, 1, 5, 5, 5, 3, 3), wanted, FRAMEWISE)

    assert found is not None
    assert [(0, 0, 2), (1, 2, 5), (2, 5, 7)] == [(s.index, s.start, s.end) for s in found.spans]
    assert found.spans[1].margin == 0.0


@pytest.mark.parametrize("kind", [CTC, FRAMEWISE])
def test_a_word_that_was_not_said_does_not_smear_over_its_neighbours(kind: Kind) -> None:
    wanted = target((1, 2), (4, 5, 6, 4, 5), (3, 7))
    if kind is CTC:
        found = align(scores(0, 1, 0, 2, 0, 0, 3, 0, 7, 0), wanted, kind)
        expected = [(1, 1, 2), (2, 3, 4), (3, 6, 7), (7, 8, 9)]
    else:
        found = align(scores(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 7, 7, 7, 7), wanted, kind)
        expected = [(1, 0, 4), (2, 4, 8), (3, 8, 12), (7, 12, 16)]

    assert found is not None
    said = where(found, wanted)
    assert [place[0] for place in expected] == [place[0] for place in said]
    assert all(abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1 for a, b in zip(expected, said, strict=True))


def test_what_was_said_but_is_not_in_the_text_belongs_to_no_phone() -> None:
    wanted = target((1, 2), (3, 7))
    sound = [*[1] * 4, *[2] * 4, *[5] * 6, *[6] * 6, *[5] * 6, *[3] * 4, *[7] * 4]
    found = align(scores(*sound), wanted, FRAMEWISE)

    assert found is not None
    assert [(1, 0, 4), (2, 4, 8), (3, 26, 30), (7, 30, 34)] == where(found, wanted)


def test_a_single_phone_that_was_swallowed_is_skipped() -> None:
    wanted = target((1, 2, 3))
    found = align(scores(*[1] * 5, *[3] * 5, sure=0.9999), wanted, FRAMEWISE)

    assert found is not None
    assert [1, 3] == [place[0] for place in where(found, wanted)]


@pytest.mark.parametrize(("kind", "sure"), [(CTC, 0.9998), (FRAMEWISE, 0.99)])
@pytest.mark.parametrize("firm", [1, 2])
def test_a_firm_phone_is_not_left_out_of_its_word(kind: Kind, sure: float, firm: int) -> None:
    """Lips shut for the b of "rabbit" however little of it is heard, in a word and at its end."""
    said = (1, 2, 3) if firm == 1 else (1, 3, 2)
    plain = target(said)
    heard = [1, 0, 0, 0, 3, 0, 0, 0] if kind is CTC else [1] * 6 + [3] * 6
    found = align(scores(*heard, sure=sure), replace(plain, firm=frozenset([firm])), kind)
    without = align(scores(*heard, sure=sure), plain, kind)

    assert found is not None
    assert without is not None
    assert firm in [span.index for span in found.spans]
    assert firm not in [span.index for span in without.spans]


@pytest.mark.parametrize("kind", [CTC, FRAMEWISE])
def test_a_sound_shorter_than_its_text_gives_nothing(kind: Kind) -> None:
    assert align(scores(1, 2), target((1, 2, 3), (4, 5, 6), (1, 2, 3)), kind) is None
    assert align(scores()[:0].reshape(0, CLASSES), target((1,)), kind) is None


@pytest.mark.parametrize("kind", [CTC, FRAMEWISE])
def test_any_numbers_and_any_text_give_spans_in_order_within_the_sound(kind: Kind) -> None:
    rng = np.random.default_rng(5)
    for _ in range(40):
        frames, phones = int(rng.integers(1, 60)), int(rng.integers(1, 12))
        logits = rng.normal(0, 3, (frames, CLASSES)).astype(np.float32)
        odd = rng.random() < 0.3
        logits[:, 3] = -np.inf if odd else logits[:, 3]
        wanted = Target(
            tuple((int(c),) for c in rng.integers(1, CLASSES, phones)),
            tuple(np.sort(rng.integers(0, 4, phones)).tolist()),
        )
        found = align(logits, wanted, kind)
        for spans in ([] if found is None else found.spans, decode(logits, kind)):
            assert all(0 <= span.start < span.end <= frames for span in spans)
            assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
        if found is not None:
            assert sorted({s.index for s in found.spans}) == [s.index for s in found.spans]


def test_a_ctc_decode_joins_repeats_and_leaves_blanks_out() -> None:
    found = decode(scores(0, 1, 1, 0, 1, 2, 0), CTC)

    assert [(1, 1, 3), (1, 4, 5), (2, 5, 6)] == [(s.index, s.start, s.end) for s in found]


def test_a_framewise_decode_does_not_flicker() -> None:
    """One odd frame within a vowel is no phone."""
    found = decode(scores(0, 0, 1, 1, 1, 4, 1, 1, 1, 2, 2, 2, 0, 0), FRAMEWISE)

    assert [(1, 2, 9), (2, 9, 12)] == [(s.index, s.start, s.end) for s in found]


def test_a_table_of_pairs_decides_between_phones_that_sound_alike() -> None:
    sound = scores(1, 1, 1, 2, 2, 2)
    sound[3:] = scores(2, 2, 2, sure=0.45)
    sound[3:, 3] = np.log(0.46)
    pairs = np.full((CLASSES, CLASSES), np.log(0.1), np.float32)
    pairs[1, 2], pairs[1, 3] = np.log(0.9), np.log(0.001)

    assert [1, 3] == [span.index for span in decode(sound, FRAMEWISE)]
    assert [1, 2] == [span.index for span in decode(sound, FRAMEWISE, pairs)]


@pytest.mark.parametrize("lattice", [text_lattice(target((1, 2), (3, 4)), FRAMEWISE), loop_lattice(CLASSES, FRAMEWISE)])
def test_frames_in_pieces_give_the_same_way_as_all_at_once(lattice: Lattice) -> None:
    sound = scores(0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 3, 4, 4, 0)
    whole, pieces = Viterbi(lattice), Viterbi(lattice)
    whole.push(sound)
    for at in range(0, len(sound), 4):
        pieces.push(sound[at : at + 4])

    assert np.array_equal(whole.path(), pieces.path())
    pieces.keep(6)
    assert np.array_equal(whole.path()[-6:], pieces.path())


def test_runs_are_half_open() -> None:
    assert [(0, 2), (3, 4)] == runs(np.array([True, True, False, True]))
    assert [] == runs(np.zeros(0, bool))


def test_a_model_has_either_a_blank_or_a_silence() -> None:
    with pytest.raises(ValueError, match="either a blank or a silence"):
        Kind()
    with pytest.raises(ValueError, match="either a blank or a silence"):
        Kind(blank=0, silence=0)
