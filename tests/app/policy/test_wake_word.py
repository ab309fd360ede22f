from __future__ import annotations

import pytest

from app.policy.wake_word import WakeWord, names
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hey Haru, how are you?", "Haru"),
        ("Harru what time is it", "Haru"),
        ("haru", "Haru"),
        ("Ha ru, are you there?", "Haru"),
        ("ハルさん、元気？", "ハル"),
    ],
)
def test_a_name_is_recognised_as_whisper_may_spell_it(text: str, name: str) -> None:
    assert names(text, name)


@pytest.mark.parametrize("text", ["How are you?", "The car is here.", "", "Her hair is red."])
def test_other_words_are_not_the_name(text: str) -> None:
    assert not names(text, "Haru")


def test_what_does_not_name_the_character_is_not_for_it_unless_they_are_talking() -> None:
    clock = FakeClock()
    wake = WakeWord("Haru", 20.0, clock.now_ns)

    assert wake.accept("Pass me the salt.") == ""
    assert wake.accept("Haru, what is salt?") == "Haru, what is salt?"
    clock.advance(15)
    assert wake.accept("And pepper?") == "And pepper?"
    clock.advance(19)
    assert wake.accept("And sugar?") == "And sugar?"
    clock.advance(21)
    assert wake.accept("Dinner is ready.") == ""
    assert wake.accept("  ") == ""
