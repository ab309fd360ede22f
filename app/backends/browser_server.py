"""A page that shows the character with its transparency, for the browser source of OBS and any Chromium.

Frames go over a WebSocket as they are, the part of them that is not transparent, uncompressed: within one computer that
is the cheapest for both ends, and exact (docs/investigations/browser-source.md). Nothing is sent while no page is open,
or none is visible.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from animator.messages import Pixels
from app.backends.local_server import LocalServer, refusal
from app.backends.media_stream import MediaStreams
from app.canvas import Box, Scene, opaque_box
from app.errors import AppError
from app.messages import Frame

PAGE = Path(__file__).with_name("browser_page.html")
HEAD = struct.Struct("<7I")
"""Before the pixels: number, width and height of the whole frame, left, top, width and height of the part."""
AHEAD = 2
"""So many frames may be under way to a page. More would come late: a socket's buffers hold half a second of them."""
MAX_SOCKETS = 8
MAX_MESSAGE_BYTES = 1024
CHECK_S = 1.0
"""So often it is looked whether a page's token still counts."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
}


def packed(number: int, pixels: Pixels) -> bytes:
    """A frame as it is sent: HEAD, then uint8 RGBA, straight alpha, row by row."""
    height_px, width_px = pixels.shape[:2]
    seen = opaque_box(pixels) or Box(0, 0, 1, 1)  # wholly transparent: one such pixel says it
    part = pixels[seen.rows, seen.columns]
    return HEAD.pack(number, width_px, height_px, seen.left, seen.top, seen.width, seen.height) + part.tobytes()


class _Viewer:
    """One page. Used on the server's thread alone."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.changed = asyncio.Event()
        self.under_way = 0
        self.shown: Pixels | None = None
        self.texts: list[str] = []


class BrowserSource:
    """A FrameSink whose viewers are pages, and media players that read its streams.

    All methods may be called from any thread, and none waits for a viewer.
    """

    def __init__(
        self,
        port: int,
        token: Callable[[], str],
        size_px: Callable[[], tuple[int, int]] = lambda: (1280, 720),
        scene: Callable[[], Scene] = Scene,
    ) -> None:
        """`token` gives the one that counts now; it may raise AppError.

        `size_px` and `scene` say what the stream without alpha looks like now.
        """
        remedy = "Copy the address anew from the page Output."
        self._server = LocalServer("browser source", port, token, remedy, pages=True)
        self._streams = MediaStreams(self._server, size_px, scene)
        self._page = PAGE.read_text(encoding="utf-8")
        self._pixels: Pixels | None = None
        self._number = 0
        self._message: tuple[Pixels, bytes] | None = None
        self._texts: dict[str, str] = {}
        """The newest text of each kind, for pages that come later."""
        self._viewers: set[_Viewer] = set()

    @property
    def port(self) -> int:
        """Where it listens: what was wanted, or what the system gave for 0."""
        return self._server.port

    def start(self) -> None:
        """Listen. Raises AppError where the port is taken."""
        routes = [web.get("/", self._get_page), web.get("/frames", self._socket), *self._streams.routes()]
        self._server.start(routes, self._end)

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Pages take what comes; streams state their rate."""
        self._streams.open(fps)

    def send(self, frame: Frame) -> None:
        """Show a frame; one that pages show already costs nothing."""
        self._streams.send(frame)
        if frame.pixels is self._pixels:
            return
        self._pixels = frame.pixels
        if self._viewers:
            self._server.call_soon(self._wake)

    def show_captions(self, on: bool) -> None:
        """Whether captions are to be seen."""
        self._tell("captions", on)

    def caption(self, text: str, heard: int) -> None:
        """What is being said, and how many characters of it have begun to sound; "" is nothing."""
        self._tell("caption", {"text": text, "heard": heard})

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        self._server.close()

    def _tell(self, kind: str, value: Any) -> None:
        text = json.dumps({kind: value})

        def tell() -> None:
            self._texts[kind] = text
            for viewer in self._viewers:
                viewer.texts.append(text)
                viewer.changed.set()

        self._server.call_soon(tell)

    # On the server's thread

    def _wake(self) -> None:
        for viewer in self._viewers:
            viewer.changed.set()

    async def _get_page(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._page, content_type="text/html", headers=HEADERS)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Frames and captions out; in comes one word for each frame that has been painted."""
        if len(self._viewers) >= MAX_SOCKETS:
            return refusal(503, f"There are {MAX_SOCKETS} pages connected already.", "Close one of them.")
        socket = web.WebSocketResponse(heartbeat=20.0, timeout=1.0, max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        viewer = _Viewer(socket)
        viewer.texts += self._texts.values()
        viewer.changed.set()
        self._viewers.add(viewer)
        sender = asyncio.create_task(self._show(request, viewer))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    viewer.under_way = max(0, viewer.under_way - 1)
                    viewer.changed.set()
        finally:
            self._viewers.discard(viewer)
            sender.cancel()
        return socket

    async def _show(self, request: web.Request, viewer: _Viewer) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + CHECK_S
        try:
            while True:
                await viewer.changed.wait()
                viewer.changed.clear()
                if loop.time() >= check_at:
                    check_at = loop.time() + CHECK_S
                    if not self._server.is_known(request):  # there is a new token since
                        break
                texts, viewer.texts = viewer.texts, []
                for text in texts:
                    await viewer.socket.send_str(text)
                pixels = self._pixels
                if pixels is None or pixels is viewer.shown or viewer.under_way >= AHEAD:
                    continue
                viewer.shown = pixels
                viewer.under_way += 1
                await viewer.socket.send_bytes(self._packed(pixels))
        except (AppError, ConnectionError):
            pass  # no token can be read, or the page has gone
        await viewer.socket.close()

    def _packed(self, pixels: Pixels) -> bytes:
        if self._message is None or self._message[0] is not pixels:  # all pages get the same
            self._number = (self._number + 1) & 0xFFFFFFFF
            self._message = pixels, packed(self._number, pixels)
        return self._message[1]

    async def _end(self) -> None:
        self._streams.end()
        for viewer in list(self._viewers):
            await viewer.socket.close()
