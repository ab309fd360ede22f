from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.backends.memory_sqlite import SqliteMemory
from app.errors import AppError
from app.messages import UserFact


def fact(key: str, text: str = "", importance: int = 4) -> UserFact:
    return UserFact("told", key, text or f"Text of {key}.", importance)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


@pytest.fixture
def memory(tmp_path: Path) -> SqliteMemory:
    return SqliteMemory(tmp_path / "deep" / "memory.sqlite3", limit=5, now_s=Clock())


def texts(memory: SqliteMemory, character: str | None = None) -> list[str]:
    return [fact.text for _, fact in memory.facts(character)]


def test_what_is_remembered_is_there_per_character_oldest_first(memory: SqliteMemory) -> None:
    memory.remember("Haru", [fact("a")])
    memory.remember("Rei", [fact("b")])
    memory.remember("Haru", [fact("c")])

    assert texts(memory, "Haru") == ["Text of a.", "Text of c."]
    assert [name for name, _ in memory.facts()] == ["Haru", "Rei", "Haru"]


def test_a_fact_with_the_same_key_takes_the_place_of_the_old_one(memory: SqliteMemory) -> None:
    memory.remember("Haru", [fact("name", "The user's name is Sam.")])
    memory.remember("Haru", [fact("name", "The user's name is Tom.")])

    assert texts(memory) == ["The user's name is Tom."]


def test_the_oldest_of_the_least_important_make_room(memory: SqliteMemory) -> None:
    memory.remember("Haru", [fact("name", importance=9)])
    for k in range(7):
        memory.remember("Haru", [fact(f"taste {k}")])
    memory.remember("Rei", [fact("other")])

    assert texts(memory, "Haru") == ["Text of name.", *[f"Text of taste {k}." for k in (3, 4, 5, 6)]]
    assert texts(memory, "Rei") == ["Text of other."]


def test_facts_can_be_forgotten_one_by_one_or_all(memory: SqliteMemory) -> None:
    memory.remember("Haru", [fact("a"), fact("b")])
    memory.remember("Rei", [fact("c")])
    first = memory.facts()[0][1].id

    assert (memory.forget(first), memory.forget(first)) == (True, False)
    assert memory.erase("Haru") == 1
    assert memory.erase() == 1
    assert memory.facts() == []


@pytest.mark.parametrize("one_by_one", [True, False])
def test_what_was_erased_is_in_no_file_any_more(memory: SqliteMemory, one_by_one: bool) -> None:
    memory.remember("Haru", [fact("k", "The user's cat is called Momo.")])
    if one_by_one:
        memory.forget(memory.facts()[0][1].id)
    else:
        memory.erase()

    left = b"".join(path.read_bytes() for path in memory.path.parent.iterdir())
    assert b"Momo" not in left


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_the_file_is_for_the_users_eyes_only(memory: SqliteMemory) -> None:
    memory.remember("Haru", [fact("a")])

    assert {stat.S_IMODE(path.stat().st_mode) for path in memory.path.parent.iterdir()} == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_what_was_told_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from app.backends.memory_sqlite import SqliteMemory\n"
        "from app.messages import UserFact\n"
        "SqliteMemory(pathlib.Path(sys.argv[1])).remember('Haru', [UserFact('told', 'k', 'Kept.', 4)])\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    path = tmp_path / "memory.sqlite3"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    process.stdin.close()

    assert texts(SqliteMemory(path)) == ["Kept."]


def test_two_may_write_at_once(tmp_path: Path) -> None:
    """The command `kuchipaku memory` while the window is open."""
    path = tmp_path / "memory.sqlite3"
    memories = [SqliteMemory(path), SqliteMemory(path)]

    def write(k: int) -> None:
        for i in range(20):
            memories[k].remember("Haru", [fact(f"{k} {i}")])

    threads = [threading.Thread(target=write, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(memories[0].facts()) == 40
    for memory in memories:
        memory.close()


def test_a_file_that_is_no_database_is_an_error_to_act_on_and_does_not_quote(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(AppError, match="cannot be used") as caught:
        SqliteMemory(path).remember("Haru", [fact("secret words")])

    assert "secret" not in str(caught.value)


def test_hostile_words_are_only_words(memory: SqliteMemory) -> None:
    hostile = "x'); DROP TABLE facts; --"
    memory.remember(hostile, [fact(hostile, hostile)])

    assert memory.facts(hostile)[0][1].text == hostile
