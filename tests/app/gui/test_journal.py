"""What the log keeps of the states, and what it masks."""

from __future__ import annotations

import pytest

from app.gui.journal import KEPT, Journal, masked


def journal() -> Journal:
    return Journal(lambda: "12:00:00")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key gsk_abcdef123456 refused", "key … refused"),
        ("key sk-proj-abcDEF_123-456 refused", "key … refused"),
        ("token 0123456789abcdef0123456789abcdef here", "token … here"),
        ("at http://me:secret@host/v1", "at http://…@host/v1"),
        ("at http://host/v1?api_key=secret&x=1", "at http://host/v1?api_key=…&x=1"),
        ("in /home/mei/.cache/x", "in ~/.cache/x"),
        ("Whisper large-v3-turbo on http://127.0.0.1:7851", "Whisper large-v3-turbo on http://127.0.0.1:7851"),
    ],
)
def test_keys_passwords_and_the_users_folder_are_masked(text: str, kept: str) -> None:
    assert kept == masked(text, home="/home/mei")


def test_a_state_is_kept_when_it_is_new_and_work_is_not_news() -> None:
    log = journal()

    news = [log.note_state("llm", *state) for state in (("ready", "A"), ("busy", "A"), ("ready", "A"), ("ready", "B"))]

    assert [True, False, False, True] == news
    assert ["A", "B"] == [entry.text for entry in log.entries]


def test_the_same_problem_again_is_one_line() -> None:
    log = journal()
    for _ in range(3):
        log.note_problem("capture", "No microphone.", "Plug one in.")

    assert ["12:00:00  capture   problem   No microphone. Plug one in."] == [entry.line() for entry in log.entries]


def test_only_the_newest_lines_are_kept() -> None:
    log = journal()
    for number in range(KEPT + 10):
        log.note_state("llm", "ready", f"model {number}")

    assert (KEPT, f"model {KEPT + 9}") == (len(log.entries), log.entries[-1].text)
