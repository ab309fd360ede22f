"""The character as a stream over HTTP, for the media sources of streaming software that has no browser in it.

Two ways. NUT with the pixels as they are keeps the alpha straight and exact, and within one computer bytes are cheaper
than any coding of them. Motion JPEG has no alpha: it shows what the camera shows, the character before its background,
and every viewer understands it. Measured side by side: docs/investigations/media-stream.md.

Nothing is muxed or encoded while nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

import av
import cv2
from aiohttp import web

from animator.messages import Pixels
from app.backends.local_server import LocalServer, refusal
from app.canvas import Canvas, Scene, resized
from app.control_token import ALPHA_PATH, JPEG_PATH
from app.errors import AppError
from app.messages import Frame

MAX_READERS = 8
CHECK_S = 1.0
"""So often it is looked whether a reader's token still counts, and whether it is still there."""
STALLED_S = 30.0
"""A reader that takes nothing for so long makes room for others; players of streams connect again."""
SEND_BUFFER_BYTES = 512 * 1024
"""What the system may hold for a reader. Its own choice would hold seconds of Motion JPEG for one that is slow."""
JPEG_QUALITY = 90
_MS = Fraction(1, 1000)
_BOUNDARY = b"frame"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Way(Protocol):
    """Makes bytes of frames for one reader. Used on the server's thread alone."""

    content_type: str

    def __call__(self, frame: Frame) -> list[bytes]:
        """What to send for this frame."""
        ...


class _Bytes(io.RawIOBase):
    """Takes what a muxer writes. PyAV wants a file."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self.parts.append(part)
        return len(part)

    def take(self) -> list[bytes]:
        parts, self.parts = self.parts, []
        return parts


class NutAlpha:
    """RGBA with straight alpha, uncompressed, in NUT. Every picture is whole, so any may be left out.

    A stream keeps the size that it began with: a frame of another size is scaled.
    """

    content_type = "video/x-nut"

    def __init__(self, fps: float) -> None:
        self._fps = Fraction(fps).limit_denominator(1001)
        self._out = _Bytes()
        self._side_px = 0
        self._begin_ns = 0
        self._last_ms = -1

    def __call__(self, frame: Frame) -> list[bytes]:
        """The bytes of this frame, at the time of its deadline; the first one comes with the header."""
        if not self._side_px:
            self._open(frame)
        pixels = frame.pixels
        if pixels.shape[0] != self._side_px:
            pixels = resized(pixels, self._side_px)
        self._last_ms = max(self._last_ms + 1, (frame.due_ns - self._begin_ns) // 1_000_000)
        packet = av.Packet(pixels.tobytes())
        packet.pts = packet.dts = self._last_ms
        packet.time_base = _MS
        packet.is_keyframe = True
        packet.stream = self._stream
        self._file.mux_one(packet)
        return self._out.take()

    def _open(self, frame: Frame) -> None:
        self._side_px = frame.pixels.shape[0]
        self._begin_ns = frame.due_ns
        self._file = av.open(self._out, "w", format="nut", buffer_size=frame.pixels.nbytes + 4096)
        self._stream = self._file.add_stream("rawvideo", rate=self._fps)
        self._stream.width = self._stream.height = self._side_px
        self._stream.pix_fmt = "rgba"
        self._stream.time_base = _MS
        self._file.start_encoding()


class JpegPictures:
    """The camera's picture as JPEG, encoded once for all readers. Used on the server's thread alone."""

    def __init__(self, size_px: Callable[[], tuple[int, int]], scene: Callable[[], Scene]) -> None:
        self._size_px = size_px
        self._scene = scene
        self._canvas: Canvas | None = None
        self._made: tuple[Pixels, Scene, tuple[int, int], bytes] | None = None

    def part(self, frame: Frame) -> bytes:
        """One part of a multipart answer."""
        size_px, scene = self._size_px(), self._scene()
        made = self._made
        if made is not None and made[0] is frame.pixels and made[1] is scene and made[2] == size_px:
            return made[3]
        canvas = self._canvas
        if canvas is None or (canvas.width_px, canvas.height_px) != size_px:
            canvas = self._canvas = Canvas(*size_px)
        if scene is not canvas.scene:
            canvas.set_scene(scene)
        picture = cv2.cvtColor(canvas.place(frame.pixels), cv2.COLOR_RGB2BGR)
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
        head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (_BOUNDARY, len(coded))
        part = head + coded + b"\r\n"
        self._made = frame.pixels, scene, size_px, part
        return part


class MotionJpeg:
    """Motion JPEG for one reader."""

    content_type = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"

    def __init__(self, pictures: JpegPictures) -> None:
        self._pictures = pictures

    def __call__(self, frame: Frame) -> list[bytes]:
        """The bytes of this frame."""
        return [self._pictures.part(frame)]


class MediaStreams:
    """The streams of one server. `send` and `open` may be called from any thread, the rest runs on the server's own.

    A picture goes out at every deadline, also one that has not changed: players with several decoding threads show
    one only when others follow. A reader that is slow is left out meanwhile, and gets the newest picture then.
    """

    def __init__(self, server: LocalServer, size_px: Callable[[], tuple[int, int]], scene: Callable[[], Scene]) -> None:
        """`size_px` and `scene` say what the Motion JPEG is to look like now."""
        self._server = server
        self._pictures = JpegPictures(size_px, scene)
        self._fps = 30.0
        self._frame: Frame | None = None
        self._readers: set[asyncio.Event] = set()
        self._is_ending = False

    def routes(self) -> list[web.AbstractRouteDef]:
        """What the server is to answer."""
        return [web.get(ALPHA_PATH, self._alpha), web.get(JPEG_PATH, self._jpeg)]

    def open(self, fps: float) -> None:
        """Frames will come at this rate."""
        self._fps = fps

    def send(self, frame: Frame) -> None:
        """Show a frame."""
        self._frame = frame
        if self._readers:
            self._server.call_soon(self._wake)

    def end(self) -> None:
        """Let every reader go."""
        self._is_ending = True
        self._wake()

    def _wake(self) -> None:
        for reader in self._readers:
            reader.set()

    async def _alpha(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, NutAlpha(self._fps))

    async def _jpeg(self, request: web.Request) -> web.StreamResponse:
        return await self._stream(request, MotionJpeg(self._pictures))

    async def _stream(self, request: web.Request, way: _Way) -> web.StreamResponse:
        if len(self._readers) >= MAX_READERS:
            return refusal(503, f"There are {MAX_READERS} streams running already.", "Close one of them.")
        answer = web.StreamResponse(headers={**HEADERS, "Content-Type": way.content_type})
        answer.force_close()
        changed = asyncio.Event()
        changed.set()  # the picture that is there
        self._readers.add(changed)
        try:
            await answer.prepare(request)
            await self._show(request, answer, way, changed)
        except (AppError, ConnectionError):
            pass  # no token can be read, or the reader has gone
        finally:
            self._readers.discard(changed)
        return answer

    async def _show(self, request: web.Request, answer: web.StreamResponse, way: _Way, changed: asyncio.Event) -> None:
        transport = request.transport
        if transport is None:
            return
        _hold_little(transport)
        loop = asyncio.get_running_loop()
        check_at = taken_at = loop.time()
        while not self._is_ending:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), CHECK_S)
            changed.clear()
            now = loop.time()
            if transport.is_closing() or now - taken_at > STALLED_S:
                transport.abort()
                return
            if now >= check_at:
                check_at = now + CHECK_S
                if not self._server.is_known(request):  # there is a new token since
                    return
            if transport.get_write_buffer_size():
                continue  # it is still busy with an older one
            taken_at = now
            if self._frame is not None:
                await answer.write(b"".join(way(self._frame)))


def _hold_little(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
