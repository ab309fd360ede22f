"""The control for other programs of this computer: HTTP and WebSocket on 127.0.0.1, by aiohttp.

Every request needs the token. A web page that the user visits cannot ask anything: a request with an Origin is
refused, and so is one for another host name, which would be a page whose name was made to mean this computer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from app.errors import AppError
from app.ports import RemoteControl

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE_BYTES = 16 * 1024
MAX_SOCKETS = 16
WRONG_TOKEN_S = 0.2
"""Whoever guesses waits."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AiohttpControlServer:
    """Keeps `app.ports.ControlServer`. Its loop runs on a thread of its own."""

    def __init__(self, port: int, token: Callable[[], str]) -> None:
        """`token` gives the one that counts now; it may raise AppError."""
        self._port = port
        self._token = token
        self._control: RemoteControl | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def port(self) -> int:
        """Where it listens: what was wanted, or what the system gave for 0."""
        return self._port

    def start(self, control: RemoteControl) -> None:
        """Listen. Raises AppError where the port is taken."""
        self._control = control
        ready = threading.Event()
        problem: list[OSError] = []

        async def serve() -> None:
            app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
            app.router.add_get("/v1/state", self._get_state)
            app.router.add_get("/v1/actions", self._get_actions)
            app.router.add_post("/v1/action", self._post)
            app.router.add_post("/v1/action/{action}", self._post_named)
            app.router.add_get("/v1/events", self._socket)
            app.on_shutdown.append(self._end_sockets)
            # No access log: an address may hold the token.
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            try:
                site = web.TCPSite(runner, HOST, self._port)
                await site.start()
                self._port = int(runner.addresses[0][1])
            except OSError as error:
                problem.append(error)
                await runner.cleanup()
                ready.set()
                return
            self._ending = asyncio.get_running_loop().create_future()
            ready.set()
            await self._ending
            await runner.cleanup()

        def run() -> None:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(serve())

        self._thread = threading.Thread(target=run, name="control-server", daemon=True)
        self._thread.start()
        ready.wait(5.0)
        if problem or not ready.is_set():
            why = problem[0].strerror if problem else "it did not start in time"
            raise AppError(
                f"The control cannot listen on port {self._port} of {HOST}: {why}.",
                "Choose another port, or end the program that uses it.",
            )

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return

        def end() -> None:
            if self._ending is not None and not self._ending.done():
                self._ending.set_result(None)

        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(end)
        thread.join(2.0)

    # Who may ask

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.headers.get("Host", "") not in (f"{HOST}:{self._port}", f"localhost:{self._port}"):
            return _refusal(403, f"This address is called {HOST}:{self._port}.", "Ask for that one.")
        if "Origin" in request.headers:
            return _refusal(403, "Web pages may not control this program.", "Use a program of this computer.")
        try:
            if not self._is_known(request):
                await asyncio.sleep(WRONG_TOKEN_S)
                remedy = "Send it as the header Authorization: Bearer TOKEN; the page Hotkeys has it."
                return _refusal(401, "The token is missing or wrong.", remedy)
            return await handler(request)
        except AppError as error:
            return _refusal(400, error.problem, error.remedy)

    def _is_known(self, request: web.Request) -> bool:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = request.query.get("token", "")
        return hmac.compare_digest(given.strip().encode(), self._token().encode())

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
            return _refusal(503, f"There are {MAX_SOCKETS} programs connected already.", "Close one of them.")
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
                if not self._is_known(request):  # there is a new token since
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
            if not self._is_known(request):
                await socket.close()
                return
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"state": state})

    async def _end_sockets(self, _app: web.Application) -> None:
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


def _refusal(status: int, problem: str, remedy: str) -> web.Response:
    return web.json_response({"problem": problem, "remedy": remedy}, status=status)
