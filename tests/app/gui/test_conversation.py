"""What the log shows, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

from app.gui.conversation import KEPT

pytestmark = pytest.mark.gui


def hear(rig: Rig, turn: int, text: str, typed: bool = False) -> None:
    rig.tell("stt", "transcript", turn=turn, text=text, took_ms=100, typed=typed)


def speak(rig: Rig, turn: int, index: int, text: str) -> None:
    rig.tell("playback", "clip_started", turn=turn, index=index, text=text)


def test_an_answer_grows_sentence_by_sentence_as_it_is_spoken(rig: Rig) -> None:
    hear(rig, 1, "Hi!")
    rig.tell("llm", "sentence", turn=1, index=0, text="Hello.", last=False)
    rig.tell("llm", "sentence", turn=1, index=1, text="How are you?", last=True)
    assert rig.page.log.messages == [("user", "Hi!")]
    assert rig.page.log.is_waiting

    speak(rig, 1, 0, "Hello.")
    assert rig.page.log.messages == [("user", "Hi!"), ("character", "Hello.")]
    speak(rig, 1, 1, "How are you?")

    assert rig.page.log.messages == [("user", "Hi!"), ("character", "Hello. How are you?")]
    assert not rig.page.log.is_waiting


def test_the_same_clip_told_twice_is_shown_once(rig: Rig) -> None:
    speak(rig, 1, 0, "Hello.")
    speak(rig, 1, 0, "Hello.")

    assert rig.page.log.messages == [("character", "Hello.")]


def test_a_typed_question_is_shown_at_once_and_not_again_as_a_transcript(rig: Rig) -> None:
    rig.page.field.setText("Who are you?")
    rig.page.send.click()
    assert rig.page.log.messages == [("user", "Who are you?")]

    hear(rig, 1, "Who are you?", typed=True)
    speak(rig, 1, 0, "I am Haru.")

    assert rig.page.log.messages == [("user", "Who are you?"), ("character", "I am Haru.")]


def test_the_same_words_typed_twice_are_two_questions(rig: Rig) -> None:
    for turn in (1, 2):
        rig.page.field.setText("Again?")
        rig.page.send.click()
        hear(rig, turn, "Again?", typed=True)

    assert rig.page.log.messages == [("user", "Again?")] * 2


def test_an_interrupted_answer_says_so(rig: Rig) -> None:
    hear(rig, 1, "Tell me a story")
    speak(rig, 1, 0, "Once upon a time")

    rig.tell("playback", "stopped", turn=1)

    assert rig.page.log.notes == ["You", "Haru · interrupted"]


def test_waiting_ends_without_an_answer(rig: Rig) -> None:
    hear(rig, 1, "Hello?")
    assert rig.page.log.is_waiting

    rig.tell("llm", "state", state="failed", label="", problem="The model did not answer.", remedy="Check the network.")

    assert not rig.page.log.is_waiting
    assert rig.page.log.messages == [("user", "Hello?")]


def test_without_a_voice_the_answer_is_shown_as_it_is_thought(rig: Rig) -> None:
    hear(rig, 1, "Hi!")
    rig.tell("llm", "sentence", turn=1, index=0, text="Hello.", last=False)
    rig.tell("tts", "state", state="failed", label="", problem="No voice.", remedy="Fetch one.")
    assert rig.page.log.messages[-1] == ("character", "Hello.")

    rig.tell("llm", "sentence", turn=1, index=1, text="Can you read me?", last=True)

    assert rig.page.log.messages[-1] == ("character", "Hello. Can you read me?")


def test_nothing_heard_shows_nothing(rig: Rig) -> None:
    hear(rig, 1, "  ")

    assert rig.page.log.messages == []
    assert not rig.page.log.is_waiting


def test_words_are_never_markup(rig: Rig) -> None:
    hear(rig, 1, "<b>bold</b> & <img src=x>")

    assert rig.page.log.messages == [("user", "<b>bold</b> & <img src=x>")]


def test_a_word_wider_than_the_log_breaks(rig: Rig) -> None:
    rig.window.resize(900, 600)
    hear(rig, 1, "https://example.org/" + "x" * 400)
    rig.qtbot.waitUntil(lambda: rig.page.log.widget().width() <= rig.page.log.viewport().width(), timeout=5000)

    assert rig.page.log.horizontalScrollBar().maximum() == 0
    assert rig.window.width() == 900


def test_text_can_be_selected_and_copied(rig: Rig) -> None:
    hear(rig, 1, "remember this")
    (bubble,) = [
        b for b in rig.page.log.findChildren(type(rig.window.banner.problem)) if b.toPlainText() == "remember this"
    ]

    bubble.selectAll()

    assert bubble.textCursor().selectedText() == "remember this"
    assert bubble.isReadOnly()


def test_only_the_newest_messages_are_kept(rig: Rig) -> None:
    for turn in range(KEPT + 5):
        rig.page.log.add_heard(turn, f"message {turn}", typed=False)

    assert len(rig.page.log.messages) <= KEPT
    assert ("user", f"message {KEPT + 4}") == rig.page.log.messages[-1]


def test_the_log_follows_the_newest_words_unless_the_reader_scrolled_up(rig: Rig) -> None:
    bar = rig.page.log.verticalScrollBar()
    for turn in range(40):
        speak(rig, turn, 0, f"Sentence number {turn}.")
    rig.qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum(), timeout=5000)

    bar.setValue(0)
    before = bar.maximum()
    speak(rig, 50, 0, "One more.")
    rig.qtbot.waitUntil(lambda: bar.maximum() > before, timeout=5000)

    assert bar.value() == 0
