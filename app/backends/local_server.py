"""What every server of this app shares: it listens on 127.0.0.1 alone, and answers nobody without the token.

A web page that the user visits cannot ask anything: a request with another Origin is refused, and so is one for another
host name, which would be a page whose name was made to mean this computer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import threading
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from app.errors import AppError

HOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024
WRONG_TOKEN_S = 0.2
"""Whoever guesses waits."""
END_S = 0.5
"""How long whoever is being answered is waited for at the end, and as long again until it is cut off."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LocalServer:
    """One aiohttp application. Its loop runs on a thread of its own."""

    def __init__(
        self, what: str, port: int, token: Callable[[], str], token_remedy: str, *, pages: bool = False
    ) -> None:
        """Nothing listens before `start`.

        Args:
            what: Its name in sentences, such as "control".
            port: Where to listen; 0 takes any that is free.
            token: Gives the one that counts now; it may raise AppError.
            token_remedy: What to do for whoever has none.
            pages: It gives pages to browsers, and these may ask it; else every request with an Origin is refused.
        """
        self._what = what
        self._port = port
        self._token = token
        self._token_remedy = token_remedy
        self._pages = pages
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Future[None] | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens: what was wanted, or what the system gave for 0."""
        return self._port

    def start(self, routes: Iterable[web.AbstractRouteDef], end: Callable[[], Awaitable[None]]) -> None:
        """Listen. `end` is awaited before the last connections are cut. Raises AppError where the port is taken."""
        ready = threading.Event()
        problem: list[OSError] = []

        async def shut_down(_app: web.Application) -> None:
            await end()

        async def serve() -> None:
            app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
            app.router.add_routes(routes)
            app.on_shutdown.append(shut_down)
            # No access log: an address may hold the token.
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=END_S)
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
            # Whoever was let in a moment ago is not yet among those whom the clean-up cuts off; asyncio loses the
            # socket of a connection whose server closes before it is set up.
            await _settle()
            there = [connection.transport for connection in runner.server.connections] if runner.server else []
            await runner.cleanup()
            for transport in there:  # whoever does not take the last bytes would keep the socket open for good
                if transport is not None:
                    transport.abort()
            await _settle()

        def run() -> None:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(serve())

        self._thread = threading.Thread(target=run, name=f"{self._what}-server", daemon=True)
        self._thread.start()
        ready.wait(5.0)
        if problem or not ready.is_set():
            why = problem[0].strerror if problem else "it did not start in time"
            raise AppError(
                f"The {self._what} cannot listen on port {self._port} of {HOST}: {why}.",
                "Choose another port, or end the program that uses it.",
            )

    def call_soon(self, call: Callable[[], None]) -> None:
        """Have `call` done on the server's own thread; nothing happens once it has ended. Any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(call)

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

    def is_known(self, request: web.Request) -> bool:
        """Whether the token that it came with counts (still). Raises AppError where there can be none."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = request.query.get("token", "")
        return hmac.compare_digest(given.strip().encode(), self._token().encode())

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        names = (f"{HOST}:{self._port}", f"localhost:{self._port}")
        if request.headers.get("Host", "") not in names:
            return refusal(403, f"This address is called {HOST}:{self._port}.", "Ask for that one.")
        origin = request.headers.get("Origin")
        if origin is not None and not (self._pages and origin == f"http://{request.headers['Host']}"):
            return refusal(403, f"Web pages may not ask the {self._what}.", "Use a program of this computer.")
        # Pictures, frames and links of other pages come without an Origin.
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return refusal(403, f"Web pages may not ask the {self._what}.", "Open the address itself.")
        try:
            if not self.is_known(request):
                await asyncio.sleep(WRONG_TOKEN_S)
                return refusal(401, "The token is missing or wrong.", self._token_remedy)
            return await handler(request)
        except AppError as error:
            return refusal(400, error.problem, error.remedy)


async def _settle() -> None:
    """Let connections that are on their way come, or go: each takes asyncio up to three turns."""
    for _ in range(4):
        await asyncio.sleep(0)


def refusal(status: int, problem: str, remedy: str) -> web.Response:
    """What is said to whoever gets nothing else."""
    return web.json_response({"problem": problem, "remedy": remedy}, status=status)
