from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.lipsync import response, visemes
from animator.tha3 import pose

NOT_SOUNDS = frozenset("_^$ !'(),-.:;?\"#↓0123456789ˈˌːˑ˞ʲʰˤ") | {"̧", "̃", "̪", "̯", "̩"}


def test_every_sound_that_piper_can_say_has_a_shape_of_its_own(models: Callable[[str], Path]) -> None:
    config = next(models("piper-joe").glob("*.onnx.json"))
    symbols = set(json.loads(config.read_text("utf-8"))["phoneme_id_map"])
    sounds = symbols - NOT_SOUNDS
    visemes.unknown_segments.clear()

    silent = {s for s in sounds if visemes.classify(s) is visemes.SILENCE}

    assert len(sounds) > 100
    assert set() == silent
    assert visemes.unknown_segments == {}
    assert {visemes.SILENCE.name} == {visemes.classify(s).name for s in symbols & NOT_SOUNDS}


@pytest.mark.parametrize(
    ("ipa", "names"),
    [
        ("pʰ", ["PP"]),
        ("mʲ", ["PP"]),
        ("t͡ʃ", ["CH"]),
        ("dʒ", ["CH"]),
        ("ˈiː", ["ii"]),
        ("d̪", ["DD"]),
        ("ẽ", ["E"]),
        ("ç", ["JJ"]),
        ("aɪ", ["aa", "ih"]),
        ("ˈoʊ", ["oh", "uh"]),
        ("A", ["E", "ih"]),  # Kokoro's eɪ
        ("oːɹ", ["oh", "RR"]),
        ("aɪɚ", ["aa", "ih", "er"]),
        ("(en)ə", ["schwa"]),
        ("ma5", ["PP", "aa"]),
        ("", []),
        ("ˈ", []),
        ("?!", []),
    ],
)
def test_a_sound_is_found_whatever_marks_it_carries(ipa: str, names: list[str]) -> None:
    assert names == [part.viseme.name for part in visemes.parts(ipa)]


def test_a_diphthong_spends_60_percent_on_its_nucleus_and_reaches_its_glide_by_0_7() -> None:
    nucleus, glide = visemes.parts("aʊ")

    assert (nucleus.share, nucleus.gain) == (pytest.approx(0.6), 1.0)
    assert (glide.share, glide.gain) == (pytest.approx(0.4), 0.7)


@pytest.mark.parametrize("ipa", ["aɪɚ", "oːɹ", "əl", "tʃ", "aɪ", "kst"])
def test_the_parts_of_a_sound_fill_its_time(ipa: str) -> None:
    assert sum(part.share for part in visemes.parts(ipa)) == pytest.approx(1.0)


def test_an_unknown_letter_gets_its_look_alikes_shape_and_is_counted() -> None:
    visemes.unknown_segments.clear()
    visemes._lookup.cache_clear()

    assert visemes.classify("ᵽ").name == "PP"  # p with stroke
    assert visemes.classify("ж").name == "schwa"
    assert visemes.unknown_segments == {"ᵽ": 1, "ж": 1}


def test_only_closures_have_a_shut_mouth_and_every_shape_fits_the_sum_the_networks_bear() -> None:
    for name, weights in visemes.VISEMES.items():
        assert len(pose.MOUTH_NAMES) == len(weights)
        assert sum(weights) <= 1.25
        assert (name in {"SIL", "PP"}) == (sum(weights) == 0.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{ A = 0.68 }", "{ A = 1.68 }", "must be a number from 0 to 1"),
        ("{ A = 0.68 }", "{ X = 0.68 }", "weights know only"),
        ('kinds = ["near"]', 'kinds = ["far"]', "kinds know only"),
        ('ipa = ["æ"]', 'ipa = ["a"]', "already belongs to aa"),
        ("gate = 1.0", "gate = 0.5", "the lips would not shut"),
        ("[class.KK]", "[class.K2]", "KK are missing"),
        ("[class.KK]", "[class.KK", "not valid TOML"),
    ],
)
def test_a_damaged_table_says_what_is_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = visemes.TABLE.read_text("utf-8")
    assert old in text
    (tmp_path / "visemes.toml").write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(ValueError, match=words):
        visemes.load_table(tmp_path / "visemes.toml")


def test_a_missing_table_says_where_it_was_expected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Reinstall, or restore the assets folder"):
        visemes.load_table(tmp_path / "visemes.toml")


def test_openings_and_parameters_are_inverse_to_each_other() -> None:
    mouths = np.random.default_rng(1).random((100, 6)).astype(np.float32)

    np.testing.assert_allclose(mouths, response.parameters(response.openings(mouths)), atol=1e-4)


def test_half_an_opening_is_seen_half_as_wide() -> None:
    """The parameters have dead zones: half the parameter would be much less than half the mouth."""
    for name in ("aa", "E", "oh"):
        full = np.array(visemes.VISEMES[name], dtype=np.float32)

        seen = response.area(response.scaled(full, 0.5)) / response.area(full)

        assert 0.35 < seen < 0.7
    assert response.scaled(full, 0.0).max() == 0.0
