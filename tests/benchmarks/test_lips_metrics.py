"""The figures of the lips: what is counted right, and what wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from animator.lipsync.mouth_track import MouthTrack
from animator.messages import Phone
from benchmarks.lips import PEERS, TrackMouths
from benchmarks.lips_metrics import Utterance, jaw, matched, mouth_figures, phone_figures, shape_of, turns
from benchmarks.lips_pack import read_pack
from benchmarks.lips_sentences import SENTENCES

RATE = 16_000
PHONES = tuple(
    Phone(ipa, a / 1000, b / 1000)
    for ipa, a, b in (
        ("", 0, 200), ("m", 200, 280), ("ˈaɪ", 280, 460), ("p", 460, 520), ("ˈiː", 520, 640), ("", 640, 1000),
        ("b", 1000, 1060), ("ˈoʊ", 1060, 1260), ("f", 1260, 1340), ("ˈʌ", 1340, 1460), ("", 1460, 1700),
    )
)  # fmt: skip


def utterance() -> Utterance:
    """A hum where there is sound, silent in closures and pauses."""
    t = np.arange(round(1.7 * RATE)) / RATE
    on = np.zeros_like(t)
    for phone in PHONES:
        if phone.ipa and phone.ipa not in "pb":
            on[(t >= phone.start_s) & (t < phone.end_s)] = 0.3
    return Utterance("My pea. Bow fa.", "en-us", "test", (on * np.sin(900 * t)).astype(np.float32), RATE, PHONES)


def moved(by_s: float) -> tuple[Phone, ...]:
    return tuple(Phone(p.ipa, p.start_s + by_s, p.end_s + by_s) for p in PHONES)


def test_there_are_at_least_200_different_sentences() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES) >= 200


def test_the_same_phones_have_no_error_and_a_constant_delay_is_bias_alone() -> None:
    same, late = (phone_figures([(PHONES, phones)]) for phones in (PHONES, moved(0.03)))

    assert (0.0, 1.0, 0.0) == (same["per"], same["phones_found"], same["onset_median_ms"])
    assert late["bias_ms"] == pytest.approx(30)
    assert late["onset_p90_ms"] == pytest.approx(0, abs=1e-6)


def test_a_sound_left_out_is_one_error_and_the_others_are_still_found() -> None:
    assert (1, [(0, 0), (2, 1)]) == matched([1, 2, 3], [1, 3])
    assert (2, [(0, 0), (2, 1)]) == matched([1, 2, 3, 4], [1, 3, 5])


def test_our_lips_by_the_true_phones_are_right() -> None:
    said = utterance()
    track = MouthTrack(said.reference, said.samples, RATE)

    for fps in (30, 60):
        figures = mouth_figures([said], [TrackMouths(track)], fps, 4)
        assert (1.0, 1.0, 1.0) == (figures["closure_recall"], figures["closure_precision"], figures["near_recall"])
        assert figures["viseme_accuracy"] > 0.8
        assert figures["openness"] > 0.8
        assert figures["silence_leak"] == 0.0
        assert figures["jitter_hz"] < 10


def test_lips_that_are_a_quarter_of_a_second_late_are_not() -> None:
    said = utterance()
    late = mouth_figures([said], [TrackMouths(MouthTrack(moved(0.25), said.samples, RATE))], 30, 4)

    assert late["viseme_accuracy"] < 0.5
    assert late["openness"] < 0.3


@pytest.mark.parametrize("name", [*PEERS])
def test_a_peers_scheme_is_measured_with_the_same_ruler_and_has_no_visemes(name: str) -> None:
    figures = mouth_figures([utterance()], [PEERS[name](utterance())], 30, 2)

    assert np.isnan(figures["viseme_accuracy"])
    assert 0.0 <= figures["closure_recall"] <= 1.0
    assert figures["jitter_hz"] > 0.0


def test_shapes_are_told_apart_by_what_is_drawn() -> None:
    drawn = np.array([[0, 0.55, 0, 0, 0, 0], [0, 0, 0.9, 0, 0, 0], [0, 1, 0, 0.25, 0, 0], [1.0, 0, 0, 0, 0, 0]])

    assert ["shut", "round", "spread", "open"] == list(shape_of(drawn, np.array([0.03, 0.2, 0.2, 1.0])))


def test_a_wobble_too_small_to_see_is_no_turn() -> None:
    assert 0 == turns(np.array([0.5, 0.51, 0.5, 0.51, 0.5]))
    assert 3 == turns(np.array([0.0, 0.3, 0.1, 0.4, 0.2]))


def test_the_reference_jaw_is_low_for_open_vowels_and_up_for_lips_and_pauses() -> None:
    middle = {p.ipa: float(jaw(PHONES, np.array([(p.start_s + p.end_s) / 2]))[0]) for p in PHONES}

    assert middle["ˈaɪ"] > middle["ˈoʊ"] > middle["ˈiː"] > middle["p"]
    assert middle[""] == pytest.approx(0.0, abs=0.02)


def test_a_pack_gives_its_utterances_in_groups(tmp_path: Path) -> None:
    said = utterance()
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.zeros(1600, np.float32), said.samples]), RATE)
    row = {"file": "a.wav", "start_s": 0.1, "seconds": 1.7, "voice": "v", "engine": "espeak", "text": said.text}
    row |= {"phones": [[p.ipa, p.start_s, p.end_s] for p in PHONES], "split": "test"}
    rows = [{**row, "language": "en"}, {**row, "language": "ja"}, {**row, "language": "ja", "split": "train"}]
    (tmp_path / "index.json").write_text(json.dumps({"utterances": rows}), "utf-8")

    read = read_pack(tmp_path, 10)

    assert ["espeak, en", "espeak, ja"] == [each.group for each in read]
    assert PHONES == read[0].reference
    np.testing.assert_allclose(said.samples, read[0].samples, atol=1e-4)


def test_a_pack_cannot_name_a_file_outside_its_folder(tmp_path: Path) -> None:
    row = {"file": "../a.wav", "language": "en", "phones": []}
    (tmp_path / "index.json").write_text(json.dumps({"utterances": [row]}), "utf-8")

    with pytest.raises(ValueError, match="plain file name"):
        read_pack(tmp_path, 10)
