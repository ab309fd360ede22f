"""The control for other programs of this computer: HTTP and WebSocket on 127.0.0.1, by aiohttp.

Every request needs the token; no web page is answered (`app.backends.local_server`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from app.backends.local_server import LocalServer, refusal
from app.errors import AppError
from app.ports import RemoteControl

MAX_MESSAGE_BYTES = 16 * 1024
MAX_SOCKETS = 16


class AiohttpControlServer:
    """Keeps `app.ports.ControlServer`. Its loop runs on a thread of its own."""

    def __init__(self, port: int, token: Callable[[], str]) -> None:
        """`token` gives the one that counts now; it may raise AppError."""
        remedy = "Send it as the header Authorization: Bearer TOKEN; the page Hotkeys has it."
        self._server = LocalServer("control", port, token, remedy)
        self._control: RemoteControl | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def port(self) -> int:
        """Where it listens: what was wanted, or what the system gave for 0."""
        return self._server.port

    def start(self, control: RemoteControl) -> None:
        """Listen. Raises AppError where the port is taken."""
        self._control = control
        routes = [
            web.get("/v1/state", self._get_state),
            web.get("/v1/actions", self._get_actions),
            web.post("/v1/action", self._post),
            web.post("/v1/action/{action}", self._post_named),
            web.get("/v1/events", self._socket),
        ]
        self._server.start(routes, self._end_sockets)

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        self._server.close()

    # What is asked

    async def _get_state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._remote.state())

    async def _get_actions(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self._remote.actions())

    async def _post(self, request: web.Request) -> web.StreamResponse:
        self._remote.request(_parsed(await request.text()))
        return web.json_response({"ok": True})

    async def _post_named(self, request: web.Request) -> web.StreamResponse:
        """An action by its address alone, for programs that can send no body."""
        wanted: dict[str, Any] = {"action": request.match_info["action"]}
        if "pressed" in request.query:
            wanted["pressed"] = {"1": True, "true": True, "0": False, "false": False}.get(request.query["pressed"], "")
        if "mode" in request.query:
            wanted["mode"] = request.query["mode"]
        if "seconds" in request.query:
            try:
                wanted["seconds"] = float(request.query["seconds"])
            except ValueError:
                wanted["seconds"] = None
        self._remote.request(wanted)
        return web.json_response({"ok": True})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Requests in, the state out: at once, and whenever it changes. What a program holds is let go with it."""
        if len(self._sockets) >= MAX_SOCKETS:
            return refusal(503, f"There are {MAX_SOCKETS} programs connected already.", "Close one of them.")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        loop = asyncio.get_running_loop()
        states: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        end = self._remote.listen(lambda state: _post_to(loop, states, state))
        held: set[str] = set()
        self._sockets.add(socket)
        sender = asyncio.create_task(self._send_states(request, socket, states))
        try:
            states.put_nowait(self._remote.state())
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                if not self._server.is_known(request):  # there is a new token since
                    await socket.close()
                    break
                try:
                    holding = self._remote.request(_parsed(message.data))
                except AppError as error:
                    await socket.send_json({"problem": error.problem, "remedy": error.remedy})
                    continue
                if holding is not None:
                    (held.add if holding[1] else held.discard)(holding[0])
                await socket.send_json({"ok": True})
        finally:
            end()
            sender.cancel()
            self._sockets.discard(socket)
            for action in held:
                self._remote.let_go(action)
        return socket

    async def _send_states(
        self, request: web.Request, socket: web.WebSocketResponse, states: asyncio.Queue[dict[str, Any]]
    ) -> None:
        while True:
            state = await states.get()
            while not states.empty():  # a slow reader gets the newest one
                state = states.get_nowait()
            if not self._server.is_known(request):
                await socket.close()
                return
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"state": state})

    async def _end_sockets(self) -> None:
        for socket in list(self._sockets):
            await socket.close()

    @property
    def _remote(self) -> RemoteControl:
        assert self._control is not None
        return self._control


def _post_to(loop: asyncio.AbstractEventLoop, states: asyncio.Queue[dict[str, Any]], state: dict[str, Any]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(states.put_nowait, state)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AppError("The request is not JSON.", 'Send an object such as {"action": "mute"}.') from None
