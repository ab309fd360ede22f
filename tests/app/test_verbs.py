from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import cli, verbs
from app.backends.memory_sqlite import SqliteMemory
from app.errors import AppError
from app.messages import UserFact
from tests.servers import ChatServer
from tests.speech_server import SpeechServer


def test_a_film_with_an_unknown_emotion_is_refused_before_anything_loads(tmp_path: Path) -> None:
    request = verbs.FilmRequest(tmp_path / "film.mp4", "haru", None, "glee")

    with pytest.raises(AppError) as refused:
        verbs.say("Hello.", request, lambda what, share: None)

    assert "no emotion called 'glee'" in refused.value.problem
    assert "admiration" in refused.value.remedy
    assert not (tmp_path / "film.mp4").exists()


def test_bench_runs_a_benchmark_with_its_own_options_and_returns_its_status(capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == verbs.bench("face", ["--help"])
    assert "--no-reference" in capfd.readouterr().out
    assert 0 != verbs.bench("face", ["--no-such-option"])


def test_an_unknown_benchmark_is_named_with_those_there_are() -> None:
    with pytest.raises(AppError, match="sky") as caught:
        verbs.bench("../sky", [])

    assert "frame_clock" in caught.value.remedy


def test_the_memory_can_be_seen_and_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUCHIPAKU_MEMORY", str(tmp_path / "memory.sqlite3"))
    memory = SqliteMemory(tmp_path / "memory.sqlite3")
    memory.remember("Haru", [UserFact("name", "name", "The user's name is Sam.", 9)])
    memory.remember("Rei", [UserFact("like", "tea", "The user likes tea.", 4)])
    memory.close()

    codes = [
        cli.main(["memory", *words])
        for words in (
            ["list", "--character", "haru", "--json"],
            ["forget", "2", "7"],
            ["erase", "--character", "Haru"],
            ["list"],
        )
    ]

    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])[0]["fact"] == "The user's name is Sam."
    assert lines[1:] == [
        "2 is forgotten.",
        "There is no fact with the number 7.",
        "1 fact is forgotten.",
        "Nothing is remembered.",
    ]
    assert codes == [0, 1, 0, 0]


def test_voices_says_which_one_speaks_and_which_there_are_or_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    monkeypatch.delenv("KUCHIPAKU_VOICE_KEY", raising=False)

    alone = cli.main(["voices"])
    assert (alone, capsys.readouterr().out) == (0, "Piper (built in): in use\n    en_US-joe-medium\n")

    with SpeechServer() as server:
        (tmp_path / "settings.toml").write_text(f'[voice]\nserver_url = "{server.url}"\nserver_voice = "af_heart"\n')

        good = cli.main(["voices", "--json"])
        piper, found = json.loads(capsys.readouterr().out)
        server.day = "500"
        bad = cli.main(["voices"])

    assert good == 0
    assert (piper["in_use"], found["in_use"], found["engine"]) == (False, True, "openai")
    assert found["voices"] == ["af_heart", "jf_alpha"]
    assert bad == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Piper (built in): speaks where the other cannot"
    assert "af_heart (127.0.0.1) has trouble of its own (500)." in lines[3]


def test_brain_test_says_how_each_provider_does_or_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ChatServer() as server:
        (tmp_path / "settings.toml").write_text(f'[brain]\nprovider = "server"\nserver_url = "{server.url}"\n')
        monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
        server.models = ["whisper", "tiny"]

        good = cli.main(["brain", "test", "--json"])
        server.day = "401"
        bad = cli.main(["brain", "test"])

    first, *rest = capsys.readouterr().out.splitlines()
    report = json.loads(first)[0]
    assert (good, report["model"], report["reachable"], report["problem"]) == (0, "tiny (127.0.0.1)", True, "")
    assert report["first_token_ms"] > 0
    assert bad == 1
    assert "does not accept the key" in rest[0]
    assert "Check the key" in rest[1]
