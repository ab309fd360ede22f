"""The local model, for real: SmolLM2 in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from animator.priority import GIVES_WAY_TO_THE_VOICE
from app.backends.llama_server import default_threads
from app.backends.llm_llama_server import HISTORY_TOKENS, PERSONA_CHARS, LlamaServerChat
from app.errors import AppError
from app.policy.history import tokens

pytestmark = pytest.mark.slow

PERSONA = "You are Kuchi, a cheerful young woman who streams on the internet. Answer in one or two short sentences."


def question(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": PERSONA}, {"role": "user", "content": text}]


@pytest.fixture(scope="module")
def model(models: Callable[[str], Path]) -> Path:
    return next(models("smollm2-135m").glob("*.gguf"))


@pytest.fixture(scope="module")
def chat(model: Path) -> Iterator[LlamaServerChat]:
    made = LlamaServerChat(model, persona=PERSONA)
    made.load()
    yield made
    made.close()


def ask(chat: LlamaServerChat, text: str) -> str:
    return "".join(chat.reply(question(text), lambda: False)).strip()


@pytest.mark.parametrize(
    "text",
    [
        "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.",
        "What should I do when I am sad?",
        "Tell me a joke.",
        "Why is the sky blue?",
    ],
)
def test_answers_are_a_few_whole_sentences(chat: LlamaServerChat, text: str) -> None:
    answer = ask(chat, text)

    assert 8 <= len(answer) <= 400
    assert answer[-1] in ".!?\"'…)"
    assert answer.isascii() or "’" in answer


def test_it_knows_a_capital(chat: LlamaServerChat) -> None:
    """Its answers differ each time; one of three has always had it."""
    assert any("Paris" in ask(chat, "What is the capital of France?") for _ in range(3))


def test_a_stopped_answer_ends_and_the_next_one_is_whole(chat: LlamaServerChat) -> None:
    pieces = chat.reply(question("Tell me a long story about a dragon."), lambda: True)
    assert len("".join(pieces)) < 60

    assert len(ask(chat, "How are you?")) >= 5


def test_it_listens_on_loopback_only_and_behind_a_key(chat: LlamaServerChat) -> None:
    assert chat._stream is not None
    endpoint = chat._stream.endpoint

    assert endpoint.url.startswith("http://127.0.0.1:")
    body = {"messages": question("Hi."), "max_tokens": 1}
    assert httpx.post(f"{endpoint.url}/chat/completions", json=body, timeout=20).status_code == 401


def test_without_even_loopback_it_answers_over_a_socket_of_its_own(model: Path, monkeypatch, tmp_path: Path) -> None:
    """A sandbox may have no network at all, not even 127.0.0.1."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    no_loopback = tmp_path / "sitecustomize.py"
    no_loopback.write_text(
        "import socket\ndef refuse(*_, **__):\n    raise OSError(101, 'Network is unreachable')\n"
        "socket.create_connection = refuse\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    chat = LlamaServerChat(model)
    try:
        chat.load()

        assert chat._stream is not None
        assert chat._stream.endpoint.socket.startswith(str(tmp_path))
        assert len(ask(chat, "How are you?")) >= 5
    finally:
        chat.close()
    assert list(tmp_path.glob("kuchipaku-*")) == []


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="Windows has no niceness")
def test_it_is_less_urgent_than_the_face(chat: LlamaServerChat) -> None:
    assert chat.pid is not None
    mine = os.getpriority(os.PRIO_PROCESS, 0)

    assert os.getpriority(os.PRIO_PROCESS, chat.pid) == min(19, mine + GIVES_WAY_TO_THE_VOICE)


def test_a_server_that_died_is_started_again(chat: LlamaServerChat) -> None:
    assert chat._process is not None
    first = chat.pid
    chat._process.kill()
    chat._process.wait(5)

    assert len(ask(chat, "Are you still there?")) >= 5
    assert chat.pid not in (None, first)


def test_close_ends_the_process_within_a_second(model: Path) -> None:
    chat = LlamaServerChat(model)
    chat.load()
    process = chat._process
    assert process is not None

    start = time.perf_counter()
    chat.close()
    chat.close()

    assert time.perf_counter() - start < 1.5
    assert process.poll() is not None


def test_the_server_does_not_outlive_its_parent(model: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.backends.llama_server", "--model", str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert b"127.0.0.1" in process.stdout.readline()

    process.stdin.close()  # what happens to a child's pipe when the parent is killed

    assert process.wait(5) == 0
    process.stdout.close()


def test_a_missing_or_damaged_model_is_an_error_to_act_on(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="is missing"):
        LlamaServerChat(tmp_path / "none.gguf").load()
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF but not really")
    chat = LlamaServerChat(damaged)
    with pytest.raises(AppError, match="did not start"):
        chat.load()
    chat.close()


def talk(exchanges: int) -> list[dict[str, str]]:
    said = [("user", f"Question number {k} of this talk?") for k in range(exchanges)]
    answers = [("assistant", f"This is answer number {k}, and it goes on for quite a while.") for k in range(exchanges)]
    both = [message for pair in zip(said, answers, strict=True) for message in pair]
    return [{"role": role, "content": text} for role, text in [("system", PERSONA), *both, ("user", "And now?")]]


def test_a_long_talk_is_cut_rarely_and_begins_with_a_question() -> None:
    """What begins with the same words need not be read again."""
    chat = LlamaServerChat(Path("never-started.gguf"))

    shown = [chat._fitting(talk(exchanges), 1.0) for exchanges in range(1, 60)]

    beginnings = list(dict.fromkeys(messages[1]["content"] for messages in shown))
    assert 3 <= len(beginnings) <= 9
    assert all(messages[1]["role"] == "user" for messages in shown)
    assert all(sum(tokens(message["content"]) for message in messages[1:]) < HISTORY_TOKENS + 20 for messages in shown)
    assert {messages[-1]["content"] for messages in shown} == {"And now?"}


def test_a_persona_that_is_too_long_is_cut_at_a_sentence() -> None:
    chat = LlamaServerChat(Path("never-started.gguf"))
    persona = "You are Kuchi. " * 1000

    system = chat._fitting([{"role": "system", "content": persona}, {"role": "user", "content": "Hi."}], 1.0)[0]

    assert PERSONA_CHARS - 20 <= len(system["content"]) <= PERSONA_CHARS
    assert system["content"].endswith("You are Kuchi.")


def test_a_talk_that_has_to_be_cut_soon_is_read_ahead_while_nobody_waits(chat: LlamaServerChat) -> None:
    messages = talk(14)
    chat.read_ahead(messages[:-1], lambda: False)
    first = chat._first_shown

    assert len("".join(chat.reply(messages, lambda: False))) >= 5
    assert first == chat._first_shown != messages[1]


def test_half_the_cores_at_most_four() -> None:
    assert 1 <= default_threads() <= 4
