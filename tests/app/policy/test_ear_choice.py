"""Which Whisper is taken, and which language."""

from __future__ import annotations

import pytest

from app.policy.ear_choice import Measured, choose, heard_language, in_order, is_usable

TINY_EN = Measured("whisper-tiny-en", False, 0.11)
TINY = Measured("whisper-tiny", True, 0.11)
BASE = Measured("whisper-base", True, 0.22)
BASE_EN = Measured("whisper-base-en", False, 0.22)
SMALL = Measured("whisper-small", True, 0.80)


@pytest.mark.parametrize(
    ("there", "language", "chosen"),
    [
        ([TINY_EN], "en", "whisper-tiny-en"),
        ([TINY_EN, BASE, SMALL], "en", "whisper-base"),
        ([TINY_EN, BASE_EN, BASE], "en", "whisper-base-en"),
        ([TINY_EN, BASE_EN, BASE], "ja", "whisper-base"),
        ([TINY_EN, TINY], "auto", "whisper-tiny"),
        ([TINY_EN, SMALL], "hi", "whisper-small"),
    ],
)
def test_the_largest_that_is_quick_and_hears_the_language_is_taken(
    there: list[Measured], language: str, chosen: str
) -> None:
    found = choose(there, language)

    assert found is not None
    assert found[0] == chosen


def test_it_is_said_why() -> None:
    assert choose([TINY, BASE], "en") == ("whisper-base", "the largest that is quick enough: 0.22 s for 3 s of speech")
    assert choose([TINY_EN, SMALL], "ja") == ("whisper-small", "the quickest here: 0.80 s for 3 s of speech")


def test_no_english_only_model_is_taken_for_another_language() -> None:
    assert choose([TINY_EN, BASE_EN], "hi") is None
    assert choose([], "en") is None
    assert [True, True, True, False, False] == [
        *(is_usable(True, language) for language in ("en", "auto")),
        *(is_usable(False, language) for language in ("en", "ja", "auto")),
    ]


def test_quick_models_are_tried_first_and_unknown_ones_last() -> None:
    names = ["my-own", "whisper-large-v3-turbo", "whisper-small", "whisper-tiny.en", "whisper-base"]

    assert ["whisper-tiny.en", "whisper-base", "whisper-small", "whisper-large-v3-turbo", "my-own"] == in_order(names)


def test_a_short_sound_keeps_the_known_language() -> None:
    assert heard_language(1.0, "ja", None) == ("ja", None)
    assert heard_language(4.0, "hi", None) == ("hi", "hi")
    assert heard_language(1.0, "ur", "hi") == ("hi", "hi")
    assert heard_language(3.0, "en", "hi") == ("en", "en")
