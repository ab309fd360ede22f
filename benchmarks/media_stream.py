"""What does the character cost on its way into a media source, by each way there is?

Draws 150 frames of a character once, then sends them at 30 fps from the app's own server in a process of its own to a
reader in another one, FFmpeg through PyAV, by each way for --seconds s, and gives:

- server: processor time of the sending process for 30 frames, in percent of a second, less what feeding it takes;
- reader: the same of the reading process, for 30 pictures that it decoded;
- shown: pictures that it had, a second; size: of a frame on the wire;
- first: from asking until the first picture was decoded;
- lag: from the moment at which the server was given a frame until the reader had it decoded, once it is under way;
- alpha, colour: by how much the reader's picture is off at most where the frame is not transparent; colour only of
  those with alpha.

"page" is the browser source's own WebSocket, read by a program that paints nothing, for comparison; "alpha" and "jpeg"
are the app's streams. The others stand in for "alpha" in the same server: other codings that keep alpha.

    python benchmarks/media_stream.py [--seconds 8] [--only NAME ...] [--frames FILE.npy] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import platform
import statistics
import struct
import sys
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from app.control_token import ALPHA_PATH, JPEG_PATH, browser_url  # noqa: E402

FPS = 30
TOKEN = "t" * 32
CAMERA_PX = (1280, 720)
BITS, BIT_PX, BITS_LEFT, BITS_TOP = 12, 24, 80, 40
"""A frame's number stands in it, one block for each bit, where the camera's picture shows it too."""
HEAD = struct.Struct("<7I")

Picture = np.ndarray
Talk = multiprocessing.connection.Connection


@dataclass(frozen=True)
class Coding:
    """A coding with alpha in a container."""

    container: str
    codec: str
    pixels: str
    options: dict[str, str] = field(default_factory=dict)


VP9 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0", "threads": "1"}
CODINGS = {
    "matroska raw": Coding("matroska", "rawvideo", "rgba"),
    "nut png": Coding("nut", "png", "rgba", {"compression_level": "1", "pred": "none"}),
    "matroska ffv1": Coding("matroska", "ffv1", "bgra", {"threads": "1"}),
    "matroska vp9": Coding("matroska", "libvpx-vp9", "yuva420p", VP9),
}
ALL = ["page", "alpha", "jpeg", *CODINGS]


class Coded:
    """A way of the server that encodes, one encoder for each reader."""

    content_type = "video/x-matroska"

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._out = io.BytesIO()
        self._begin_ns = 0
        self._file: Any = None

    def __call__(self, frame: Any) -> list[bytes]:
        """The bytes of this frame."""
        import av

        if self._file is None:
            options = {"flush_packets": "1"}
            if self._coding.container == "matroska":
                options |= {"live": "1", "cluster_time_limit": "0"}
            self._file = av.open(
                Unseekable(self._out), "w", format=self._coding.container, buffer_size=4 << 20, options=options
            )
            self._stream = self._file.add_stream(self._coding.codec, rate=FPS, options=self._coding.options)
            self._stream.width = self._stream.height = frame.pixels.shape[0]
            self._stream.pix_fmt = self._coding.pixels
            if self._coding.codec == "libvpx-vp9":
                self._stream.bit_rate = 4_000_000
            self._begin_ns = frame.due_ns
        shown = av.VideoFrame.from_ndarray(frame.pixels, format="rgba")
        shown.pts = round((frame.due_ns - self._begin_ns) * FPS / 1e9)
        shown.time_base = Fraction(1, FPS)
        self._file.mux(self._stream.encode(shown))
        got = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return [got]


class Unseekable:
    """What a muxer is to take for a pipe."""

    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        """Add to it."""
        return self._out.write(data)


def numbered(frame: Picture, number: int) -> Picture:
    """The frame with its number in it, in memory of its own."""
    out = frame.copy()
    for bit in range(BITS):
        left = BITS_LEFT + bit * BIT_PX
        out[BITS_TOP : BITS_TOP + BIT_PX, left : left + BIT_PX] = 255 if number >> bit & 1 else (0, 0, 0, 255)
    return out


def number_of(picture: Picture, is_camera: bool) -> int:
    """The number that stands in a frame, or in the camera's picture of it."""
    scale, left, top = 1.0, 0.0, 0.0
    if is_camera:
        scale = CAMERA_PX[1] / (0.75 * 512)
        left, top = CAMERA_PX[0] / 2 - 256 * scale, -0.047 * 512 * scale
    row = round((BITS_TOP + BIT_PX / 2) * scale + top)
    columns = [round((BITS_LEFT + (bit + 0.5) * BIT_PX) * scale + left) for bit in range(BITS)]
    return sum(1 << bit for bit, column in enumerate(columns) if picture[row, column, 1] > 128)


def serve(name: str, frames: Picture, seconds: float, talk: Talk) -> None:
    """The server's process: feeds itself by a clock, and says at the end what it cost."""
    from app.backends import media_stream
    from app.backends.browser_server import BrowserSource
    from app.messages import Frame

    cv2.setNumThreads(1)
    if name in CODINGS:
        media_stream.NutAlpha = lambda fps: Coded(CODINGS[name])  # type: ignore[assignment,misc]
    source = BrowserSource(0, lambda: TOKEN, lambda: CAMERA_PX)
    source.open(*CAMERA_PX, FPS)
    source.start()
    talk.send(source.port)
    begun = time.monotonic_ns()
    given: list[int] = []

    def feed(count: int) -> tuple[float, float]:
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(count):
            number = len(given)
            due_ns = begun + number * 1_000_000_000 // FPS
            time.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
            given.append(time.monotonic_ns())
            source.send(Frame(number, numbered(frames[number % len(frames)], number), due_ns))
        return time.process_time() - cpu, time.monotonic() - wall

    alone, _ = feed(2 * FPS)  # nobody reads yet
    talk.send(time.monotonic_ns())
    while not talk.poll():
        feed(1)
    talk.recv()
    count = int(seconds * FPS)
    cost, took = feed(count)
    talk.send({"percent": 100 * (cost / count - alone / (2 * FPS)) * FPS, "took": took, "given": given})
    while not talk.poll():
        feed(1)
    source.close()


def read(name: str, port: int, seconds: float, talk: Talk) -> None:
    """The reader's process."""
    import av

    asked_ns = time.monotonic_ns()
    path = JPEG_PATH if name == "jpeg" else ALPHA_PATH
    rows: list[tuple[int, int]] = []
    held: list[tuple[int, Picture]] = []
    marks: list[tuple[float, float]] = []
    first_s = 0.0

    def note(picture: Picture) -> bool:
        """Whether it is enough."""
        nonlocal first_s
        now_ns = time.monotonic_ns()
        rows.append((number_of(picture, name == "jpeg"), now_ns))
        if len(rows) == 1:
            first_s = (now_ns - asked_ns) / 1e9
            talk.send("first")
        if len(rows) == FPS:
            marks.append((time.process_time(), time.monotonic()))
        if len(rows) % 40 == 0 and len(held) < 5:
            held.append((rows[-1][0], picture.copy()))
        return talk.poll()

    if name == "page":
        asyncio.run(read_page(port, note))
    else:
        with av.open(browser_url(port, TOKEN, path)) as stream:
            stream.streams.video[0].thread_count = 1
            decoder = av.CodecContext.create("libvpx-vp9", "r") if name == "matroska vp9" else None
            for packet in stream.demux(video=0):
                shown = packet.decode() if decoder is None else decoder.decode(packet)
                enough = [note(frame.to_ndarray(format="rgb24" if name == "jpeg" else "rgba")) for frame in shown]
                if any(enough):
                    break
    cpu, wall = time.process_time() - marks[0][0], time.monotonic() - marks[0][1]
    talk.send({"first_s": first_s, "rows": rows, "held": held, "cpu": cpu, "wall": wall})


async def read_page(port: int, note: Any) -> None:
    """As a page does it, without painting."""
    import aiohttp

    url = f"http://127.0.0.1:{port}/frames?token={TOKEN}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as page:
        while True:
            message = await page.receive_bytes()
            _, width, height, left, top, part_width, part_height = HEAD.unpack_from(message)
            whole = np.zeros((height, width, 4), np.uint8)
            part = np.frombuffer(message, np.uint8, offset=HEAD.size).reshape(part_height, part_width, 4)
            whole[top : top + part_height, left : left + part_width] = part
            await page.send_str("1")
            if note(whole):
                return


def measure(name: str, frames: Picture, seconds: float) -> dict[str, Any]:
    """One way."""
    spawn = multiprocessing.get_context("spawn")
    server_talk, server_end = spawn.Pipe()
    reader_talk, reader_end = spawn.Pipe()
    server = spawn.Process(target=serve, args=(name, frames, seconds, server_end), daemon=True)
    server.start()
    port = server_talk.recv()
    server_talk.recv()
    reader = spawn.Process(target=read, args=(name, port, seconds, reader_end), daemon=True)
    reader.start()
    reader_talk.recv()  # it has its first picture
    sent_before = loopback_bytes()
    server_talk.send("begin")
    cost = server_talk.recv()
    sent = loopback_bytes() - sent_before
    reader_talk.send("enough")
    got = reader_talk.recv()
    server_talk.send("end")
    for process in (reader, server):
        process.join(5)
        if process.is_alive():
            process.kill()
    given = cost["given"]
    settled = [(number, at) for number, at in got["rows"][FPS:] if number < len(given)]
    lags = sorted((at - given[number]) / 1e6 for number, at in settled)
    found: dict[str, Any] = {
        "way": name,
        "server_percent": round(cost["percent"], 1),
        "reader_percent": round(100 * got["cpu"] / max(1, len(got["rows"]) - FPS) * FPS, 1),
        "shown_fps": round((len(got["rows"]) - FPS) / got["wall"], 1),
        "kib": round(sent / (seconds * FPS) / 1024),
        "first_s": round(got["first_s"], 2),
        "lag_ms": round(statistics.median(lags), 1),
        "lag_p99_ms": round(lags[int(0.99 * (len(lags) - 1))], 1),
    }
    if name != "jpeg":
        alpha = colour = 0
        for number, picture in got["held"]:
            wanted = numbered(frames[number % len(frames)], number).astype(int)
            off = np.abs(wanted - picture)
            alpha = max(alpha, int(off[..., 3].max()))
            colour = max(colour, int(off[..., :3][wanted[..., 3] > 0].max()))
        found |= {"alpha_off": alpha, "colour_off": colour}
    return found


def loopback_bytes() -> int:
    """What has gone over this computer's own network; 0 where that is not told."""
    table = Path("/proc/net/dev")
    if not table.exists():
        return 0
    return next((int(line.split()[1]) for line in table.read_text().splitlines() if line.strip().startswith("lo:")), 0)


def main() -> None:
    """Run it."""
    from benchmarks.browser_source import drawn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", nargs="*", choices=ALL, default=ALL)
    parser.add_argument("--frames", type=Path, help="a .npy of frames of 512 px, kept there for the next time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.frames is not None and arguments.frames.exists():
        frames = np.load(arguments.frames)
    else:
        frames = drawn(512)
        if arguments.frames is not None:
            np.save(arguments.frames, frames)
    if not arguments.json:
        print(f"{platform.platform()}, {os.cpu_count()} cores, {frames.shape[2]} px, {FPS} fps, load {os.getloadavg()}")
    for name in arguments.only:
        found = measure(name, frames, arguments.seconds)
        print(json.dumps(found) if arguments.json else "  ".join(f"{key} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
