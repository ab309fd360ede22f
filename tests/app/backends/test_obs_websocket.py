"""The connection to OBS against a server that speaks its protocol on loopback: what is said when it does not work."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from app.backends import obs_websocket
from app.backends.obs_websocket import ObsWebSocket, proof
from app.errors import ServiceError

PASSWORD = "open sesame"
SALT, CHALLENGE = "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=", "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="
TIMEOUT_S = 10.0


class FakeObs:
    """Greets, checks the password, and answers; `rpc` is the version that it speaks."""

    def __init__(self, *, rpc: int = 1, silent: bool = False) -> None:
        self.rpc = rpc
        self.silent = silent
        self.drop_at = ""
        """The request at which it goes away."""
        self.port = 0

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=("obswebsocket.json",))
        await ws.prepare(request)
        if self.silent:
            await ws.receive()
            return ws
        hello = {"rpcVersion": self.rpc, "authentication": {"salt": SALT, "challenge": CHALLENGE}}
        await ws.send_json({"op": 0, "d": hello})
        message = await ws.receive()
        if message.type is not WSMsgType.TEXT:
            return ws
        if message.json()["d"]["authentication"] != proof(PASSWORD, SALT, CHALLENGE):
            await ws.close(code=4009, message=b"Authentication failed.")
            return ws
        await ws.send_json({"op": 2, "d": {"negotiatedRpcVersion": 1}})
        async for message in ws:
            asked = message.json()["d"]
            kind = asked["requestType"]
            if kind == self.drop_at:
                assert request.transport is not None
                request.transport.abort()
                return ws
            if kind == "Hang":
                continue
            status = {"result": True, "code": 100}
            if kind == "GetNothing":
                status = {"result": False, "code": 600, "comment": "No source was found."}
            if kind == "Tell":
                await ws.send_json({"op": 5, "d": {"eventType": "SceneRemoved", "eventData": {"sceneName": "x"}}})
            answer = {"requestType": kind, "requestId": asked["requestId"], "requestStatus": status}
            await ws.send_json({"op": 7, "d": {**answer, "responseData": {"obsVersion": "30.2.3"}}})
        return ws


@contextmanager
def serving(obs: FakeObs) -> Iterator[FakeObs]:
    ready, end = threading.Event(), threading.Event()

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/", obs.socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        obs.port = runner.addresses[0][1]
        ready.set()
        await asyncio.to_thread(end.wait)
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(TIMEOUT_S)
    try:
        yield obs
    finally:
        end.set()
        thread.join(TIMEOUT_S)


class Client:
    def __init__(self, port: int, *passwords: str, is_enabled: bool | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.lost = threading.Event()
        self.link = ObsWebSocket(port, passwords, is_enabled, lambda *event: self.events.append(event), self.lost.set)


@pytest.fixture
def make_client() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(port: int, *passwords: str, **more: Any) -> Client:
        made.append(Client(port, *passwords, **more))
        return made[-1]

    yield make
    for client in made:
        client.link.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_it_proves_the_password_asks_and_hears_of_events(make_client: Callable[..., Client]) -> None:
    with serving(FakeObs()) as obs:
        client = make_client(obs.port, "an old one", PASSWORD)

        assert "30.2.3" == client.link.connect()
        client.link.ask("Tell")

        assert [("SceneRemoved", {"sceneName": "x"})] == client.events
        client.link.close()
        assert not client.lost.is_set()


def test_no_obs_and_a_server_that_is_switched_off_are_told_apart(make_client: Callable[..., Client]) -> None:
    with pytest.raises(ServiceError, match="OBS is not running") as error:
        make_client(free_port(), PASSWORD).link.connect()
    assert "unreachable" == error.value.kind

    with pytest.raises(ServiceError, match="is switched off") as error:
        make_client(free_port(), PASSWORD, is_enabled=False).link.connect()
    assert "Tools → WebSocket Server Settings" in error.value.remedy


def test_a_wrong_password_and_none_are_said_and_no_password_reaches_a_log(
    make_client: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(FakeObs()) as obs, caplog.at_level(logging.DEBUG):
        with pytest.raises(ServiceError, match="refuses the password") as error:
            make_client(obs.port, "hunter2").link.connect()
        assert "key" == error.value.kind
        assert "hunter2" not in str(error.value)
        with pytest.raises(ServiceError, match="wants a password") as error:
            make_client(obs.port).link.connect()
        make_client(obs.port, PASSWORD).link.connect()

    assert not any(word in caplog.text for word in ("hunter2", PASSWORD, proof(PASSWORD, SALT, CHALLENGE)))


def test_an_obs_that_is_too_old_is_told_what_to_install(make_client: Callable[..., Client]) -> None:
    with serving(FakeObs(rpc=0)) as obs, pytest.raises(ServiceError, match="too old") as error:
        make_client(obs.port, PASSWORD).link.connect()
    assert "OBS Studio 28" in error.value.remedy


def test_one_that_does_not_greet_is_given_up(
    make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obs_websocket, "CONNECT_S", 0.2)

    with serving(FakeObs(silent=True)) as obs, pytest.raises(ServiceError, match="does not greet") as error:
        make_client(obs.port, PASSWORD).link.connect()
    assert "timeout" == error.value.kind


def test_another_program_on_the_port_is_no_obs(make_client: Callable[..., Client]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ServiceError, match="no WebSocket server of OBS"):
            make_client(other.getsockname()[1], PASSWORD).link.connect()
        thread.join(TIMEOUT_S)


def test_a_refusal_is_told_in_obs_own_words(make_client: Callable[..., Client]) -> None:
    with serving(FakeObs()) as obs:
        client = make_client(obs.port, PASSWORD)
        client.link.connect()

        with pytest.raises(ServiceError, match="OBS refused GetNothing: No source was found") as error:
            client.link.ask("GetNothing")
    assert "refused" == error.value.kind


def test_who_waits_for_an_answer_is_told_at_once_that_obs_is_gone(make_client: Callable[..., Client]) -> None:
    with serving(FakeObs()) as obs:
        client = make_client(obs.port, PASSWORD)
        client.link.connect()
        obs.drop_at = "GetSceneList"

        with pytest.raises(ServiceError) as error:
            client.link.ask("GetSceneList")

        assert "broken" == error.value.kind
        assert client.lost.wait(TIMEOUT_S)
        with pytest.raises(ServiceError):
            client.link.ask("GetSceneList")


def test_an_obs_that_is_stuck_is_said_and_closing_does_not_wait_for_it(
    make_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeObs()) as obs:
        client = make_client(obs.port, PASSWORD)
        client.link.connect()
        monkeypatch.setattr(obs_websocket, "ANSWER_S", 0.2)

        with pytest.raises(ServiceError, match="did not answer") as error:
            client.link.ask("Hang")

    assert "timeout" == error.value.kind
