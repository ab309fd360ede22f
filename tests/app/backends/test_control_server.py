"""Other programs at the real port: who is let in, and what they can do."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import queue
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest

from app.backends.control_server import AiohttpControlServer
from app.backends.local_server import MAX_BODY_BYTES
from app.errors import AppError
from tests.fakes import TIMEOUT_S

TOKEN = "t" * 32
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


class Remote:
    """What is asked for, and a state that the test changes."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.listeners: list[Callable[[dict[str, Any]], None]] = []

    def state(self) -> dict[str, Any]:
        return {"panic": False}

    def actions(self) -> list[str]:
        return ["mute"]

    def request(self, wanted: Any) -> tuple[str, bool] | None:
        if not isinstance(wanted, dict) or wanted.get("action") == "fly":
            raise AppError("No such thing.", "Try another.")
        self.asked.put(wanted)
        return (wanted["action"], wanted["pressed"]) if "pressed" in wanted else None

    def let_go(self, action: str) -> None:
        self.asked.put({"let go": action})

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Rig:
    def __init__(self) -> None:
        self.remote = Remote()
        self.token = TOKEN
        self.server = AiohttpControlServer(0, lambda: self.token)
        self.server.start(self.remote)

    def ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, KNOWN if headers is None else headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith(("{", "[")) else text
        finally:
            connection.close()

    def asked(self) -> Any:
        return self.remote.asked.get(timeout=TIMEOUT_S)


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.server.close()


def test_a_program_with_the_token_can_ask(rig: Rig) -> None:
    assert (200, {"ok": True}) == rig.ask("POST", "/v1/action", '{"action": "mute"}')
    assert {"action": "mute"} == rig.asked()
    assert (200, {"panic": False}) == rig.ask("GET", "/v1/state")
    assert (200, ["mute"]) == rig.ask("GET", "/v1/actions")


def test_one_that_can_only_call_an_address_can_ask_too(rig: Rig) -> None:
    path = f"/v1/action/express%20happy?token={TOKEN}&mode=timed&seconds=2"

    assert 200 == rig.ask("POST", path, headers={})[0]
    assert {"action": "express happy", "mode": "timed", "seconds": 2.0} == rig.asked()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({**KNOWN, "Origin": "https://example.org"}, 403),
        ({**KNOWN, "Origin": "null"}, 403),
        ({**KNOWN, "Host": "example.org"}, 403),
        ({**KNOWN, "Host": "example.org:8793"}, 403),
    ],
)
def test_strangers_and_web_pages_are_refused(rig: Rig, headers: dict[str, str], status: int) -> None:
    """A page whose name was made to mean this computer comes with its own name as the host."""
    assert status == rig.ask("POST", "/v1/action", '{"action": "mute"}', headers)[0]
    assert status == rig.ask("GET", "/v1/state", headers=headers)[0]
    assert status == rig.ask("GET", "/v1/events", headers=headers)[0]
    assert rig.remote.asked.empty()


@pytest.mark.parametrize("body", ["", "no json", "[" * 5000, '{"action": "fly"}', "[]"])
def test_a_request_that_means_nothing_is_refused_with_what_would_be_right(rig: Rig, body: str) -> None:
    status, answer = rig.ask("POST", "/v1/action", body)

    assert 400 == status
    assert answer["problem"]
    assert answer["remedy"]


def test_a_body_that_is_too_large_is_refused(rig: Rig) -> None:
    assert 413 == rig.ask("POST", "/v1/action", "x" * (MAX_BODY_BYTES + 1))[0]


def test_reading_an_address_does_nothing(rig: Rig) -> None:
    assert 405 == rig.ask("GET", "/v1/action/mute")[0]
    assert rig.remote.asked.empty()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no 127.0.0.2 by themselves")
def test_only_this_computer_is_listened_to(rig: Rig) -> None:
    with socket.create_connection(("127.0.0.1", rig.server.port)) as connection:
        assert "127.0.0.1" == connection.getpeername()[0]
    other = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with other:  # the same port of every other address of this computer is free
        other.bind(("127.0.0.2", rig.server.port))


def test_a_taken_port_is_said(rig: Rig) -> None:
    with pytest.raises(AppError, match="cannot listen"):
        AiohttpControlServer(rig.server.port, lambda: TOKEN).start(Remote())


def test_after_its_end_nobody_listens(rig: Rig) -> None:
    rig.server.close()

    with pytest.raises(ConnectionError):
        rig.ask("GET", "/v1/state")


def test_a_socket_gets_the_state_asks_and_lets_go_of_what_it_held(rig: Rig) -> None:
    async def talk() -> list[Any]:
        heard = []
        async with (
            aiohttp.ClientSession(headers=KNOWN) as session,
            session.ws_connect(f"http://127.0.0.1:{rig.server.port}/v1/events") as connection,
        ):
            heard.append(await connection.receive_json(timeout=TIMEOUT_S))
            await connection.send_json({"action": "talk", "pressed": True})
            heard.append(await connection.receive_json(timeout=TIMEOUT_S))
            rig.remote.listeners[0]({"panic": True})
            heard.append(await connection.receive_json(timeout=TIMEOUT_S))
            await connection.send_str("no json")
            heard.append(await connection.receive_json(timeout=TIMEOUT_S))
        return heard

    first, answer, changed, refused = asyncio.run(talk())

    assert {"state": {"panic": False}} == first
    assert {"ok": True} == answer
    assert {"state": {"panic": True}} == changed
    assert "not JSON" in refused["problem"]
    assert [{"action": "talk", "pressed": True}, {"let go": "talk"}] == [rig.asked(), rig.asked()]
    assert [] == rig.remote.listeners


def test_a_new_token_shuts_out_whoever_has_the_old_one(rig: Rig) -> None:
    async def talk() -> Any:
        async with (
            aiohttp.ClientSession(headers=KNOWN) as session,
            session.ws_connect(f"http://127.0.0.1:{rig.server.port}/v1/events") as connection,
        ):
            await connection.receive_json(timeout=TIMEOUT_S)
            rig.token = "n" * 32
            await connection.send_json({"action": "mute"})
            return (await connection.receive(timeout=TIMEOUT_S)).type

    assert aiohttp.WSMsgType.CLOSE == asyncio.run(talk())
    assert 401 == rig.ask("GET", "/v1/state")[0]
    assert rig.remote.asked.empty()


def test_whoever_came_just_before_its_end_is_let_go_of(recwarn: pytest.WarningsRecorder) -> None:
    for _ in range(5):
        rig = Rig()
        socket.create_connection(("127.0.0.1", rig.server.port)).close()
        rig.server.close()
    gc.collect()

    assert [] == [str(warning.message) for warning in recwarn if warning.category is ResourceWarning]
