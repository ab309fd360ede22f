"""What was said: kept, found, written to files, and erased without a trace."""

import itertools
import json
import os
import sqlite3
import stat

import pytest

from app import cli
from app.bus import Bus
from app.errors import AppError
from app.history_keeper import HistoryKeeper
from app.history_store import HistoryStore, Said, as_json, as_markdown, export

AT_S = 1_764_300_000.0


@pytest.fixture
def store(tmp_path):
    made = HistoryStore(tmp_path / "data" / "history.sqlite3")
    yield made
    made.close()


def talk(character="Haru", *texts):
    return [Said(character, AT_S + k, "user" if k % 2 == 0 else "character", text) for k, text in enumerate(texts)]


def texts(messages):
    return [each.text for each in messages]


def test_messages_come_back_in_their_order(store):
    store.add(talk("Haru", "Hello?", "Hello!", "And now?"))

    assert texts(store.find()) == ["Hello?", "Hello!", "And now?"]


def test_what_was_kept_outlives_the_store(store):
    store.add(talk("Haru", "Hello?"))
    store.close()

    assert texts(HistoryStore(store.path).find()) == ["Hello?"]


@pytest.mark.parametrize(
    ("words", "text"), [("NOODLES", "I like noodles."), ("straße", "In der STRASSE."), ("ラーメン", "ラーメンが好き")]
)
def test_search_knows_no_case_in_any_script(store, words, text):
    store.add(talk("Haru", text, "Something else"))

    assert texts(store.find(words)) == [text]


@pytest.mark.parametrize("words", ["%", "_", "'; DROP TABLE said; --", "\\"])
def test_signs_are_searched_for_as_they_are(store, words):
    store.add(talk("Haru", "nothing of the kind", f"this: {words}"))

    assert texts(store.find(words)) == [f"this: {words}"]


def test_the_newest_of_many_are_found(store):
    store.add(talk("Haru", *map(str, range(10))))

    assert texts(store.find(limit=3)) == ["7", "8", "9"]


def test_each_character_has_a_history_of_its_own(store):
    store.add(talk("Haru", "to Haru"))
    store.add(talk("Rei", "to Rei"))

    assert texts(store.find(character="Rei")) == ["to Rei"]
    assert store.characters() == ["Haru", "Rei"]


def test_erasing_one_character_leaves_the_others(store):
    store.add(talk("Haru", "a", "b"))
    store.add(talk("Rei", "c"))

    assert store.erase("Haru") == 2
    assert texts(store.find()) == ["c"]


def test_what_was_erased_is_in_no_byte_of_the_files(store):
    store.add(talk("Haru", "the secret of the sea"))
    store.erase()

    for file in store.path.parent.iterdir():
        assert b"secret of the sea" not in file.read_bytes()


def test_looking_makes_no_file(store):
    assert (store.find(), store.characters(), store.erase()) == ([], [], 0)
    assert not store.path.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_the_file_is_for_the_user_alone(store):
    store.add(talk("Haru", "a"))

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_damaged_file_is_said_without_its_words(store):
    store.path.parent.mkdir()
    store.path.write_bytes(b"the user said something" * 100)

    with pytest.raises(AppError, match="cannot be used") as caught:
        store.find()

    assert "something" not in str(caught.value.problem)


def test_json_says_who_said_what_and_when():
    rows = json.loads(as_json([Said("Haru", AT_S, "user", "Hé", cut=False, id=7)]))

    assert rows[0]["character"] == "Haru"
    assert rows[0]["text"] == "Hé"
    assert rows[0]["at"][10] == "T"
    assert "id" not in rows[0]


def test_markdown_shows_markup_as_it_was_said():
    text = as_markdown([Said("Ha_ru", AT_S, "character", "# *Look* <b>here</b>\nand\nthere", cut=True)])

    assert "\\# \\*Look\\* \\<b\\>here\\</b\\> and there *(interrupted)*" in text
    assert "**Ha\\_ru**" in text


@pytest.mark.parametrize(("name", "start"), [("talk.json", "["), ("talk.md", "# Talks"), ("talk", "# Talks")])
def test_the_name_of_the_file_says_its_form(tmp_path, name, start):
    export(talk("Haru", "a"), tmp_path / name)

    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(AppError, match="could not be written"):
        export([], tmp_path / "no" / "talk.md")


class Rig:
    """A keeper over a bus, whose character and setting the test chooses."""

    def __init__(self, store):
        ticks = itertools.count()
        self.bus = Bus(lambda: next(ticks))
        self.store = store
        self.character = "Haru"
        self.wanted = True
        self.keeper = HistoryKeeper(self.bus, self, lambda: AT_S, store, lambda: self.character, lambda: self.wanted)

    def now_ns(self):
        return 0

    def say(self, turn, question, answer):
        self.bus.emit("stt", "transcript", turn=turn, text=question, typed=True)
        self.bus.emit("playback", "clip_started", turn=turn, index=0, text=answer)
        self.bus.emit("playback", "turn_finished", turn=turn)

    def end(self):
        self.keeper.start()
        self.keeper.stop(10)
        return [(each.character, each.text) for each in HistoryStore(self.store.path).find()]


def test_a_talk_is_kept_by_the_time_the_keeper_has_stopped(store):
    rig = Rig(store)
    rig.say(1, "Hello?", "Hello!")

    assert rig.end() == [("Haru", "Hello?"), ("Haru", "Hello!")]


def test_where_the_setting_is_off_nothing_is_written_at_all(store):
    rig = Rig(store)
    rig.wanted = False
    rig.say(1, "Hello?", "Hello!")

    assert rig.end() == []
    assert not store.path.exists()


def test_what_was_said_before_a_change_of_character_belongs_to_the_one_before(store):
    rig = Rig(store)
    rig.say(1, "Hello?", "Hello!")
    rig.character = "Rei"
    rig.bus.emit("avatar", "character", name="rei")
    rig.say(2, "And you?", "Rei.")

    assert rig.end() == [("Haru", "Hello?"), ("Haru", "Hello!"), ("Rei", "And you?"), ("Rei", "Rei.")]


def test_a_malformed_fact_stops_nothing(store):
    rig = Rig(store)
    rig.bus.emit("stt", "transcript")
    rig.bus.emit("playback", "clip_started", turn="x")
    rig.say(1, "Hello?", "Hello!")

    assert len(rig.end()) == 2


def test_a_file_that_cannot_be_used_is_said_once(store):
    store.path.parent.mkdir()
    store.path.write_bytes(b"no database" * 500)
    rig = Rig(store)
    tap = rig.bus.tap()
    rig.say(1, "Hello?", "Hello!")
    rig.bus.emit("avatar", "character", name="haru")
    rig.say(2, "Hello?", "Hello!")
    rig.keeper.start()
    rig.keeper.stop(10)

    said = [fact for fact in tap.drain() if fact.stage == "history"]
    assert [fact.data["state"] for fact in said] == ["failed"]
    assert "Hello" not in str(said[0].data)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    path = tmp_path / "history.sqlite3"
    monkeypatch.setenv("KUCHIPAKU_HISTORY", str(path))
    store = HistoryStore(path)
    store.add(talk("Haru", "I like noodles.", "So do I."))
    store.add(talk("Rei", "Hello, Rei."))
    store.close()
    return path


def test_the_command_lists_what_was_said(kept, capsys):
    assert cli.main(["history", "list", "--character", "Haru"]) == 0

    assert capsys.readouterr().out.splitlines()[0].endswith("You: I like noodles.")


def test_the_command_finds_words(kept, capsys):
    cli.main(["history", "list", "--search", "NOODLES", "--json"])

    assert [row["text"] for row in json.loads(capsys.readouterr().out)] == ["I like noodles."]


def test_the_command_writes_a_file(kept, tmp_path, capsys):
    assert cli.main(["history", "export", "--out", str(tmp_path / "talk.json")]) == 0

    assert len(json.loads((tmp_path / "talk.json").read_text("utf-8"))) == 3


def test_the_command_erases_nothing_where_it_cannot_ask(kept, capsys):
    assert cli.main(["history", "erase"]) == 1

    assert sqlite3.connect(kept).execute("SELECT count(*) FROM said").fetchone() == (3,)


def test_the_command_erases_after_yes(kept, capsys):
    assert cli.main(["history", "erase", "--yes", "--character", "Haru"]) == 0

    assert texts(HistoryStore(kept).find()) == ["Hello, Rei."]
