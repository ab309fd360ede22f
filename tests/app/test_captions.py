"""Captions for other programs: told on in order, taken away in time, and never half a file."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.bus import Bus
from app.captions import CaptionRuntime
from app.errors import AppError
from tests.fakes import TIMEOUT_S, FakeClock

FOREVER_S = 3600.0


class Rig:
    def __init__(self, hold_s: float) -> None:
        self.bus = Bus(FakeClock().now_ns)
        self.told: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self.captions = CaptionRuntime(self.bus, hold_s=hold_s)
        self.captions.add(lambda text, heard: self.told.put((text, heard)))
        self.captions.start()

    def say(self, text: str, heard: int) -> None:
        self.bus.emit("playback", "caption", turn=1, index=0, text=text, heard=heard)

    def next(self) -> tuple[str, int]:
        return self.told.get(timeout=TIMEOUT_S)


@pytest.fixture
def make_rig() -> Iterator[Callable[[float], Rig]]:
    rigs: list[Rig] = []

    def make(hold_s: float) -> Rig:
        rigs.append(Rig(hold_s))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.captions.stop()


def test_what_is_heard_is_told_word_by_word(make_rig: Callable[[float], Rig]) -> None:
    rig = make_rig(FOREVER_S)
    rig.say("Hello there.", 5)
    rig.say("Hello there.", 12)

    assert ("Hello there.", 5) == rig.next()
    assert ("Hello there.", 12) == rig.next()


def test_the_last_words_go_after_a_while(make_rig: Callable[[float], Rig]) -> None:
    rig = make_rig(0.01)
    rig.say("Bye.", 4)
    rig.bus.emit("playback", "turn_finished", turn=1)

    assert ("Bye.", 4) == rig.next()
    assert ("", 0) == rig.next()


def test_words_that_were_broken_off_go_at_once(make_rig: Callable[[float], Rig]) -> None:
    rig = make_rig(FOREVER_S)
    rig.say("A long st", 6)
    rig.bus.emit("playback", "stopped", turn=1)

    assert ("A long st", 6) == rig.next()
    assert ("", 0) == rig.next()


def test_the_next_turn_takes_the_place_of_the_last_words(make_rig: Callable[[float], Rig]) -> None:
    rig = make_rig(FOREVER_S)
    rig.say("Bye.", 4)
    rig.bus.emit("playback", "turn_finished", turn=1)
    rig.say("Oh, and", 3)

    assert ["Bye.", "Oh, and"] == [rig.next()[0], rig.next()[0]]


def test_a_file_holds_what_was_heard_so_far(make_rig: Callable[[float], Rig], tmp_path: Path) -> None:
    rig, file = make_rig(FOREVER_S), tmp_path / "captions.txt"
    rig.captions.write_to(str(file))
    assert "" == file.read_text(encoding="utf-8")

    rig.say("Grüße, 世界!", 6)
    rig.next()
    assert "Grüße,\n" == file.read_text(encoding="utf-8")

    rig.captions.stop()
    assert "" == file.read_text(encoding="utf-8")


def test_who_reads_the_file_never_sees_a_part_of_it(
    make_rig: Callable[[float], Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written beside its place and moved there whole."""
    rig, file = make_rig(FOREVER_S), tmp_path / "captions.txt"
    rig.captions.write_to(str(file))
    moved: list[tuple[str, str]] = []
    replace = os.replace

    def look(source: Path, target: Path) -> None:
        moved.append((target.read_text(encoding="utf-8"), source.read_text(encoding="utf-8")))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    rig.say("One two.", 3)
    rig.say("One two.", 8)
    rig.next(), rig.next()

    assert [("", "One\n"), ("One\n", "One two.\n")] == moved
    assert [file] == list(tmp_path.iterdir())


def test_a_file_that_is_no_longer_written_to_is_empty(make_rig: Callable[[float], Rig], tmp_path: Path) -> None:
    rig, file = make_rig(FOREVER_S), tmp_path / "captions.txt"
    rig.captions.write_to(str(file))
    rig.say("One.", 4)
    rig.next()
    rig.captions.write_to("")

    assert "" == file.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_refused_and_the_one_before_goes_on(
    make_rig: Callable[[float], Rig], tmp_path: Path
) -> None:
    rig, file = make_rig(FOREVER_S), tmp_path / "captions.txt"
    rig.captions.write_to(str(file))
    with pytest.raises(AppError, match="cannot be written"):
        rig.captions.write_to(str(tmp_path / "missing" / "captions.txt"))

    rig.say("One.", 4)
    rig.next()
    assert "One.\n" == file.read_text(encoding="utf-8")
