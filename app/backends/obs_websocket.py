"""OBS Studio over its WebSocket server (obs-websocket 5, RPC version 1), through aiohttp.

Protocol: https://github.com/obsproject/obs-websocket/blob/master/docs/generated/protocol.md
Neither password nor what is asked reaches a log: an address in it may hold a token.
"""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextlib
import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from app.errors import AppError, ServiceError

HOST = "127.0.0.1"
RPC_VERSION = 1
CONNECT_S = 4.0
ANSWER_S = 8.0
"""OBS answers from the thread that draws its window, which a dialog or a slow source holds up."""
GENERAL, CONFIG, SCENES, INPUTS = 1, 2, 4, 8
"""Which events are told."""
_HELLO, _IDENTIFY, _IDENTIFIED, _EVENT, _REQUEST, _ANSWER = 0, 1, 2, 5, 6, 7
_AUTHENTICATION_FAILED, _UNSUPPORTED_RPC = 4009, 4010
_NOT_READY = 207
SWITCH_IT_ON = "In OBS choose Tools → WebSocket Server Settings, switch Enable WebSocket server on, and press OK."
COPY_IT = (
    "In OBS choose Tools → WebSocket Server Settings → Show Connect Info, copy the password, and store it on the page "
    "Output (or in KUCHIPAKU_OBS_PASSWORD)."
)
UPDATE = "Install OBS Studio 28 or newer, which has its WebSocket server built in."


class ObsWebSocket:
    """One connection. `ask` and `close` may be called from any thread; it does not come back once it is lost."""

    def __init__(
        self,
        port: int,
        passwords: Sequence[str],
        is_enabled: bool | None,
        on_event: Callable[[str, dict[str, Any]], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Nothing happens before `connect`.

        Args:
            port: Of 127.0.0.1.
            passwords: Those that may be right, the likeliest first.
            is_enabled: What OBS's own settings say of the server; None where they say nothing.
            on_event: Called with the type and the data of OBS's events, on the connection's thread; must not wait.
            on_lost: Called once a connection that was there is gone without `close`; likewise.
        """
        self._port = port
        self._passwords = passwords
        self._is_enabled = is_enabled
        self._on_event = on_event
        self._on_lost = on_lost
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def connect(self) -> str:
        """Connect, and return OBS's version, such as "30.2.3".

        Raises ServiceError of the kind "unreachable", "key" (the password), "server" (too old, or no OBS) or "timeout".
        """
        ready: concurrent.futures.Future[None] = concurrent.futures.Future()

        def run() -> None:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._live(ready))

        thread = threading.Thread(target=run, name="obs-link", daemon=True)
        thread.start()
        self._thread = thread  # only now: `close`, on another thread, waits for its end
        ready.result()
        try:
            return str(self.ask("GetVersion").get("obsVersion", ""))
        except AppError:
            self.close()
            raise

    def ask(self, request: str, **data: Any) -> dict[str, Any]:
        """Have OBS do something, and return what it answers.

        Raises ServiceError: "refused" where OBS does not want to, "broken" where it is gone, "timeout" where it is
        silent.
        """
        loop = self._loop
        if loop is None or self._socket is None or self._is_closed:
            raise _gone()
        asking = self._ask(request, data)
        try:
            future = asyncio.run_coroutine_threadsafe(asking, loop)
        except RuntimeError:  # the loop has ended
            asking.close()
            raise _gone() from None
        try:
            return future.result(ANSWER_S + 1.0)
        except (concurrent.futures.CancelledError, concurrent.futures.TimeoutError):
            raise _gone() from None

    def close(self) -> None:
        """Let go; whoever waits for an answer gets none. Safe to call twice."""
        self._is_closed = True
        loop, socket = self._loop, self._socket
        if loop is not None and socket is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                asyncio.run_coroutine_threadsafe(_closed(socket), loop)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.5)

    async def _live(self, ready: concurrent.futures.Future[None]) -> None:
        async with aiohttp.ClientSession(trust_env=False) as session:
            try:
                socket = await self._opened(session)
            except BaseException as error:
                ready.set_exception(error if isinstance(error, AppError) else _strange(self._port))
                return
            self._socket = socket
            if self._is_closed:  # while it connected
                await socket.close()
                ready.set_exception(_gone())
                return
            ready.set_result(None)
            try:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._take(message.json())
            except (ValueError, KeyError, TypeError):
                pass  # whoever speaks nonsense is no OBS (any more)
            finally:
                self._socket = None
                for waiting in self._waiting.values():
                    if not waiting.done():
                        waiting.set_exception(_gone())
                await socket.close()
                if not self._is_closed:
                    self._on_lost()
                await asyncio.sleep(0)  # those who waited are told before the loop ends

    async def _opened(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        """A connection on which OBS knows who we are; the passwords are tried one after the other."""
        passwords = list(self._passwords) or [""]
        for password in passwords:
            try:
                async with asyncio.timeout(CONNECT_S):
                    if (socket := await self._greeted(session, password)) is not None:
                        return socket
            except TimeoutError:
                raise ServiceError(
                    f"What answers on port {self._port} does not greet as obs-websocket 5 does within {CONNECT_S:g} s.",
                    f"If OBS is busy or shows a dialog, end that and try again. If it is older than 28: {UPDATE}",
                    "timeout",
                ) from None
            except aiohttp.ClientConnectorError as error:
                raise self._away() from error
            except (aiohttp.ClientError, OSError) as error:
                raise _strange(self._port) from error
        unknown = "OBS wants a password, and its settings could not be read here."
        raise ServiceError("OBS refuses the password." if any(self._passwords) else unknown, COPY_IT, "key")

    async def _greeted(self, session: aiohttp.ClientSession, password: str) -> aiohttp.ClientWebSocketResponse | None:
        """A connection with this password; None where it is a wrong one."""
        socket = await session.ws_connect(f"ws://{HOST}:{self._port}", protocols=("obswebsocket.json",))
        is_known = False
        try:
            is_known = await self._identify(socket, password)
        finally:
            if not is_known:
                await _closed(socket)
        return socket if is_known else None

    async def _identify(self, socket: aiohttp.ClientWebSocketResponse, password: str) -> bool:
        """Whether OBS takes this password."""
        hello = await self._expect(socket, _HELLO)
        if hello is None or int(hello.get("rpcVersion", 0)) < RPC_VERSION:
            raise _old()
        wanted: dict[str, Any] = {
            "rpcVersion": RPC_VERSION,
            "eventSubscriptions": GENERAL | CONFIG | SCENES | INPUTS,
        }
        challenge = hello.get("authentication")
        if isinstance(challenge, dict):
            wanted["authentication"] = proof(password, str(challenge["salt"]), str(challenge["challenge"]))
        await socket.send_json({"op": _IDENTIFY, "d": wanted})
        if await self._expect(socket, _IDENTIFIED) is not None:
            return True
        if socket.close_code == _UNSUPPORTED_RPC:
            raise _old()
        if socket.close_code == _AUTHENTICATION_FAILED:
            return False
        raise self._away()

    async def _expect(self, socket: aiohttp.ClientWebSocketResponse, op: int) -> dict[str, Any] | None:
        """The next message's data; None where it is another one, or the end."""
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        try:
            held = message.json()
            return dict(held["d"]) if held["op"] == op else None
        except (ValueError, KeyError, TypeError):
            return None

    async def _ask(self, request: str, data: dict[str, Any]) -> dict[str, Any]:
        socket = self._socket
        if socket is None:
            raise _gone()
        self._asked += 1
        number = str(self._asked)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                asked = {"requestType": request, "requestId": number, "requestData": data}
                await socket.send_json({"op": _REQUEST, "d": asked})
                answer = await waiting
        except TimeoutError:
            raise ServiceError(
                f"OBS did not answer within {ANSWER_S:g} s.",
                "If it shows a dialog, close that; then try again.",
                "timeout",
            ) from None
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise _gone() from None
        finally:
            del self._waiting[number]
        status = answer["requestStatus"]
        if status.get("result"):
            return dict(answer.get("responseData") or {})
        if status.get("code") == _NOT_READY:
            raise ServiceError("OBS is not ready yet.", "Try again in a moment.", "timeout")
        comment = " ".join(str(status.get("comment") or f"status {status.get('code')}").split())[:200]
        raise ServiceError(f"OBS refused {request}: {comment}", "Look into OBS, and try again.", "refused")

    def _take(self, message: dict[str, Any]) -> None:
        op, data = message["op"], message["d"]
        if op == _ANSWER:
            waiting = self._waiting.get(str(data["requestId"]))
            if waiting is not None and not waiting.done():
                waiting.set_result(data)
        elif op == _EVENT:
            self._on_event(str(data["eventType"]), dict(data.get("eventData") or {}))

    def _away(self) -> ServiceError:
        if self._is_enabled is False:
            return ServiceError("The WebSocket server of OBS is switched off.", SWITCH_IT_ON, "unreachable")
        return ServiceError(
            f"Nobody answers on port {self._port}: OBS is not running, or its WebSocket server is switched off.",
            f"Start OBS. {SWITCH_IT_ON}",
            "unreachable",
        )


def proof(password: str, salt: str, challenge: str) -> str:
    """What proves that one knows the password, as the protocol's "Creating an authentication string" has it."""
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode("ascii")


async def _closed(socket: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(0.5):
            await socket.close()


def _gone() -> ServiceError:
    return ServiceError("The connection to OBS was lost.", "Start OBS again.", "broken")


def _old() -> ServiceError:
    return ServiceError("This OBS is too old: it does not speak obs-websocket 5.", UPDATE, "server")


def _strange(port: int) -> ServiceError:
    return ServiceError(
        f"What answers on port {port} is no WebSocket server of OBS 28 or newer.",
        "Look up the port in OBS under Tools → WebSocket Server Settings, and set it here.",
        "server",
    )
