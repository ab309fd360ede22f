from __future__ import annotations

import pytest

from animator.manner import EMOTION_NAMES, EXPRESSION_NAMES
from app.messages import Cue
from app.policy import mood
from app.policy.mood import GUESS, STRONG_GUESS, Mood, guess


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Oh, I'm so glad to hear that!", "joy"),
        ("Thank you, that is kind.", "gratitude"),
        ("Oh no, I'm sorry.", "remorse"),
        ("Haha, that is a good one.", "amusement"),
        ("Wow, really?", "surprise"),
        ("I can’t wait to see it.", "excitement"),
        ("Don't worry, you can do it.", "optimism"),
        ("I wonder what is behind the moon.", "curiosity"),
        ("今日はとても楽しいです。", "joy"),
        ("本当にごめんなさい。", "remorse"),
        ("मैं बहुत खुश हूँ।", "joy"),
        ("Shukriya, dost.", "gratitude"),
    ],
)
def test_clear_words_speak_for_themselves(text: str, name: str) -> None:
    found = guess(text)

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "text",
    [
        "I am not happy about it.",
        "It isn't really that annoying.",
        "There is nothing wonderful in it.",
        "Are you happy?",
        "If you are lonely, call a friend.",
        "What made you so furious?",
        "The capital of Italy is Rome.",
        "楽しくないです。",
        "मैं खुश नहीं हूँ।",
        "",
        "Wow, I'm sad, I'm scared, thank you.",
    ],
)
def test_what_is_denied_asked_supposed_or_mixed_does_not_count(text: str) -> None:
    assert guess(text) is None


def test_every_guess_is_a_face_that_exists() -> None:
    assert {name for name, _ in mood._WORDS} <= {*EMOTION_NAMES, *EXPRESSION_NAMES}


def test_a_guess_is_milder_than_a_tag_and_stands_at_its_word() -> None:
    assert guess("Well, thanks for that.") == Cue("emotion", "gratitude", GUESS, 6)
    assert guess("Well, thanks so much!") == Cue("emotion", "gratitude", STRONG_GUESS, 6)


def test_the_face_does_not_twitch_from_sentence_to_sentence() -> None:
    answer = ("Yay, great news!", "Oh no, I miss him.", "So it goes.", "I'm sad now.", "I'm sad.")
    face = Mood()

    shown = [[cue.name for cue in face.cues(text, ())] for text in answer]

    assert shown == [["joy"], [], [], ["sadness"], []]


def test_a_tag_of_the_brain_ends_all_guessing_and_a_gesture_does_not() -> None:
    face, smug = Mood(), Cue("emotion", "smug")
    nod = Cue("gesture", "nod")

    assert [cue.name for cue in face.cues("Thanks!", (nod,))] == ["nod", "gratitude"]
    assert face.cues("Hm, well.", (smug,)) == (smug,)
    assert face.cues("Yay, great news!", ()) == ()
