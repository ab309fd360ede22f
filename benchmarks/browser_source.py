"""What does a picture with alpha cost on its way into a browser, by each way there is?

Draws 150 frames of a character once, then sends them at 30 fps from a server in a process of its own to headless
Chromium, by each way for --seconds s, and gives:

- server: processor time of the sending process (cutting out, encoding, sending) for 30 frames, in percent of a second;
- browser: the same of all of Chromium's processes together, for 30 that it painted;
- shown: pictures that the page had painted, a second; size: of a message;
- latency: from the moment at which the server takes up the frame until it has the page's word that it is painted;
- alpha: by how much the alpha of what the page's canvas holds is off at most, colour: by how much the colour is at
  most, and on average, laid over mid grey.

"app" is the app's own server and page. VP9 with alpha is measured to the encoder's end only: what it costs is said
before a browser has seen it.

    python benchmarks/browser_source.py [--seconds 8] [--only NAME ...] [--size 512] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import dataclasses
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
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from aiohttp import WSMsgType, web
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.chromium import chromium, find  # noqa: E402

FPS = 30
FRAMES = 150
TICKS_HZ = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
HEAD = struct.Struct("<7I")  # number, canvas width and height, left, top, width, height
TOKEN = "t" * 32
LAST = 1 << 30
AHEAD = 2
"""So many pictures may be under way."""

Picture = np.ndarray


def drawn(size_px: int) -> Picture:
    """Frames of Haru, nodding, shaking her head and smiling: (FRAMES, size, size, 4)."""
    from animator.clock import SystemClock
    from app import compose
    from app.bus import Bus
    from app.settings import Settings

    face_settings = dataclasses.replace(Settings().face, detail="plain")
    settings = dataclasses.replace(Settings(), face=face_settings)
    face = compose.start_face(Bus(SystemClock().now_ns), settings, compose.find_character("haru"), stepped=True)
    frames = []
    try:
        face.wait_loaded(900)
        for number in range(FRAMES):
            if number in (20, 70):
                face.gesture("nod" if number == 20 else "shake")
            if number == 110:
                face.express("happy")
            pixels = face.step(None, number * 1_000_000_000 // FPS).pixels
            frames.append(pixels if pixels.shape[0] == size_px else cv2.resize(pixels, (size_px, size_px)))
    finally:
        face.close()
    return np.stack(frames)


def cut(frame: Picture) -> tuple[Picture, tuple[int, int]]:
    """The part that is not wholly transparent, and its left and top."""
    left, top, width, height = cv2.boundingRect(cv2.extractChannel(frame, 3))
    return frame[top : top + height, left : left + width], (left, top)


def bled(piece: Picture) -> Picture:
    """The colour, carried on where it is transparent: JPEG mixes neighbours, and black there would fringe the edge."""
    alpha = cv2.extractChannel(piece, 3)
    height, width = alpha.shape
    small = (max(1, width // 8), max(1, height // 8))
    weight = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = cv2.cvtColor(piece, cv2.COLOR_RGBA2BGR)
    mean = cv2.resize(cv2.bitwise_and(colour, colour, mask=alpha), small, interpolation=cv2.INTER_AREA)
    spread = cv2.blur(mean.astype(np.float32), (5, 5)) / np.maximum(cv2.blur(weight, (5, 5)), 0.02)[..., None]
    around = cv2.resize(cv2.convertScaleAbs(spread), (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.copyTo(colour, cv2.inRange(alpha, 1, 255), around)
    return around


def always(pack: Callable[[Picture], bytes]) -> Callable[[], Callable[[Picture], bytes]]:
    """What needs no memory of the frame before."""
    return lambda: pack


def raw(piece: Picture) -> bytes:
    """As it is."""
    return piece.tobytes()


def deflate(piece: Picture) -> bytes:
    """Deflate at its quickest."""
    return zlib.compress(piece.tobytes(), 1)


class Delta:
    """The difference from the frame before, whole frames, deflated."""

    whole = True

    def __init__(self) -> None:
        self._before: Picture | None = None

    def __call__(self, frame: Picture) -> bytes:
        """Pack a frame."""
        before = np.zeros_like(frame) if self._before is None else self._before
        self._before = frame
        return zlib.compress((frame - before).tobytes(), 1)


def png(piece: Picture) -> bytes:
    """PNG at its quickest."""
    swapped = cv2.cvtColor(piece, cv2.COLOR_RGBA2BGRA)
    return bytes(cv2.imencode(".png", swapped, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def webp_lossless(piece: Picture) -> bytes:
    """Lossless WebP at its quickest."""
    out = io.BytesIO()
    Image.fromarray(piece).save(out, "WEBP", lossless=True, quality=0, method=0)
    return out.getvalue()


def webp_lossy(piece: Picture) -> bytes:
    """WebP with lossy colour and lossless alpha."""
    out = io.BytesIO()
    Image.fromarray(piece).save(out, "WEBP", quality=85, method=0, alpha_quality=100)
    return out.getvalue()


def jpeg_alpha(piece: Picture) -> bytes:
    """JPEG for the colour, and the alpha deflated."""
    colour = bytes(cv2.imencode(".jpg", bled(piece), [cv2.IMWRITE_JPEG_QUALITY, 90])[1])
    return struct.pack("<I", len(colour)) + colour + zlib.compress(cv2.extractChannel(piece, 3).tobytes(), 1)


WAYS: dict[str, tuple[Callable[[], Callable[[Picture], bytes]], str]] = {
    "raw": (always(raw), "raw"),
    "deflate": (always(deflate), "deflate"),
    "delta": (Delta, "delta"),
    "png": (always(png), "image"),
    "webp-lossless": (always(webp_lossless), "image"),
    "webp-q85": (always(webp_lossy), "image"),
    "jpeg+alpha": (always(jpeg_alpha), "jpeg"),
}

ALL = ["app", *WAYS, "vp9-alpha"]

PAGE = """<!doctype html><body style="margin:0"><canvas id=c></canvas><script>
const canvas = document.getElementById("c"), draw = canvas.getContext("2d", {willReadFrequently: %(slow)s});
const way = "%(way)s"; let whole = null; window.painted = 0; let shown = 0;
const inflate = async bytes => new Uint8ClampedArray(await new Response(
  new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
const socket = new WebSocket("ws://" + location.host + "/s"); socket.binaryType = "arraybuffer";
let due = null; const paint = () => { if (due) { const now = due; due = null; now(); window.painted++; } };
const show = (seq, how) => {
  due = () => { how(); shown = seq; socket.send(String(seq)); }; requestAnimationFrame(paint); };
let order = Promise.resolve();
socket.onmessage = e => { order = order.then(() => take(e.data)); };
async function take(data) {
  const [seq, W, H, x, y, w, h] = new Uint32Array(data, 0, 7), body = new Uint8Array(data, 28);
  if (canvas.width !== W) { canvas.width = W; canvas.height = H; }
  const put = p => show(seq, () => { draw.clearRect(0, 0, W, H); draw.putImageData(new ImageData(p, w, h), x, y); });
  if (way === "raw") return put(new Uint8ClampedArray(data, 28));
  if (way === "deflate") return put(await inflate(body));
  if (way === "delta") {
    const d = await inflate(body); whole = whole || new Uint8ClampedArray(d.length); const a = new Uint8Array(
    whole.buffer); for (let i = 0; i < d.length; i++) a[i] += d[i]; return put(whole); }
  if (way === "image") { const p = await createImageBitmap(new Blob([body]));
    return show(seq, () => { draw.clearRect(0, 0, W, H); draw.drawImage(p, x, y); p.close(); }); }
  const n = new DataView(data).getUint32(28, true);
  const [p, a] = await Promise.all([createImageBitmap(new Blob([body.subarray(4, 4 + n)])),
    inflate(body.subarray(4 + n))]);
  const mask = new Uint8ClampedArray(w * h * 4); for (let i = 0; i < a.length; i++) mask[4 * i + 3] = a[i];
  show(seq, () => { draw.clearRect(0, 0, W, H); draw.putImageData(new ImageData(mask, w, h), x, y);
    draw.globalCompositeOperation = "source-in"; draw.drawImage(p, x, y);
    draw.globalCompositeOperation = "source-over"; p.close(); });
}
</script>"""


def serve(name: str, frames: Picture, seconds: float, slow: bool, talk: multiprocessing.connection.Connection) -> None:
    """The server's process: sends from the first connection on, and at the end says what it cost."""
    cv2.setNumThreads(1)
    make, painter = WAYS[name]
    pack = make()
    whole = getattr(pack, "whole", False)

    async def main() -> None:
        done = asyncio.Event()

        async def page(_request: web.Request) -> web.Response:
            text = PAGE % {"way": painter, "slow": "true" if slow else "false"}
            return web.Response(text=text, content_type="text/html")

        async def socket(request: web.Request) -> web.WebSocketResponse:
            answer = web.WebSocketResponse(compress=False)
            await answer.prepare(request)
            taken: dict[int, float] = {}
            latencies: list[float] = []

            async def acknowledge() -> None:
                while (message := await answer.receive()).type is WSMsgType.TEXT:
                    latencies.append(time.monotonic() - taken.pop(int(message.data)))

            reader = asyncio.create_task(acknowledge())
            sizes: list[int] = []
            skipped = 0
            begun, cpu = time.monotonic(), time.process_time()
            for number in range(int(seconds * FPS)):
                await asyncio.sleep(max(0.0, begun + number / FPS - time.monotonic()))
                if len(taken) >= AHEAD:
                    skipped += 1
                    continue
                frame = frames[number % len(frames)]
                taken[number] = time.monotonic()
                piece, (left, top) = (frame, (0, 0)) if whole else cut(frame)
                head = HEAD.pack(number, *frame.shape[1::-1], left, top, *piece.shape[1::-1])
                message = head + pack(np.ascontiguousarray(piece))
                sizes.append(len(message))
                await answer.send_bytes(message)
            cost = time.process_time() - cpu
            took = time.monotonic() - begun
            await asyncio.sleep(0.5)
            talk.send({"cost": cost, "took": took, "latencies": latencies, "sizes": sizes, "skipped": skipped})
            # Last the first frame, for its exactness.
            frame = frames[0]
            piece, (left, top) = (frame, (0, 0)) if whole else cut(frame)
            taken[LAST] = time.monotonic()
            head = HEAD.pack(LAST, *frame.shape[1::-1], left, top, *piece.shape[1::-1])
            await answer.send_bytes(head + pack(np.ascontiguousarray(piece)))
            await asyncio.to_thread(talk.recv)
            reader.cancel()
            done.set()
            return answer

        app = web.Application()
        app.router.add_get("/", page)
        app.router.add_get("/s", socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        talk.send(runner.addresses[0][1])
        await done.wait()
        await runner.cleanup()

    asyncio.run(main())


def serve_app(frames: Picture, seconds: float, talk: multiprocessing.connection.Connection) -> None:
    """The app's own browser source in a process of its own, fed by a clock as the camera's stage feeds it."""
    from app.backends.browser_server import BrowserSource
    from app.messages import Frame

    cv2.setNumThreads(1)
    source = BrowserSource(0, lambda: TOKEN)
    source.start()
    talk.send(source.port)
    source.send(Frame(0, frames[0], 0))
    talk.recv()  # the page is there
    begun, cpu = time.monotonic(), time.process_time()
    count = int(seconds * FPS)
    for number in range(1, count + 1):
        time.sleep(max(0.0, begun + number / FPS - time.monotonic()))
        # As from the face: every frame is an array of its own.
        source.send(Frame(number, frames[number % len(frames)].view(), 0))
    talk.send({"cost": time.process_time() - cpu, "took": time.monotonic() - begun, "count": count})
    source.send(Frame(count + 1, frames[0].view(), 0))
    talk.recv()
    source.close()


async def measure_app(frames: Picture, seconds: float) -> dict[str, Any]:
    """What the app itself costs, with the page that it gives."""
    spawn = multiprocessing.get_context("spawn")
    talk, theirs = spawn.Pipe()
    process = spawn.Process(target=serve_app, args=(frames, seconds, theirs), daemon=True)
    process.start()
    port = await asyncio.to_thread(talk.recv)
    try:
        async with chromium() as page:
            await page.size(frames.shape[2], frames.shape[1])
            await page.open(f"http://127.0.0.1:{port}/?token={TOKEN}")
            await page.wait_until("window.painted > 0", 20)
            before, painted = cpu_below(page.pid), int(await page.run("window.painted"))
            talk.send("begin")
            report = await asyncio.to_thread(talk.recv)
            painted = int(await page.run("window.painted")) - painted
            browser = cpu_below(page.pid) - before
            await asyncio.sleep(0.5)
            url = await page.run("canvas.toDataURL()")
            talk.send("end")
    finally:
        process.join(5)
        if process.is_alive():
            process.kill()
    alpha, colour, mean = exactness(base64.b64decode(url.partition(",")[2]), frames[0])
    return {
        "way": "app",
        "server_percent": round(100 * report["cost"] / report["count"] * FPS, 1),
        "browser_percent": round(100 * browser / max(1, painted) * FPS, 1),
        "shown_fps": round(painted / report["took"], 1),
        "alpha_off": alpha,
        "colour_off": colour,
        "colour_mean_off": mean,
    }


def cpu_below(pid: int) -> float:
    """Processor time in s of a process and all below it."""
    parents: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
            times[int(folder.name)] = (int(fields[11]) + int(fields[12])) / TICKS_HZ
    pending, total = [pid], 0.0
    while pending:
        now = pending.pop()
        total += times.get(now, 0.0)
        pending += parents.get(now, [])
    return total


def exactness(canvas_png: bytes, frame: Picture) -> tuple[int, int, float]:
    """How far off the canvas is: alpha at most; colour over mid grey at most, and on average where there is any."""
    shown = np.asarray(Image.open(io.BytesIO(canvas_png)).convert("RGBA")).astype(np.float32)
    wanted = frame.astype(np.float32)

    def over_grey(picture: Picture) -> Picture:
        share = picture[..., 3:] / 255
        return picture[..., :3] * share + 128 * (1 - share)

    off = np.abs(over_grey(shown) - over_grey(wanted))
    inside = frame[..., 3] > 0
    return int(np.abs(shown - wanted)[..., 3].max()), round(float(off.max())), round(float(off[inside].mean()), 2)


async def measure(name: str, frames: Picture, seconds: float, slow: bool) -> dict[str, Any]:
    """One way, to the end."""
    spawn = multiprocessing.get_context("spawn")
    talk, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(name, frames, seconds, slow, theirs), daemon=True)
    process.start()
    port = await asyncio.to_thread(talk.recv)
    try:
        async with chromium() as page:
            await page.size(frames.shape[2], frames.shape[1])
            await page.open(f"http://127.0.0.1:{port}/")
            await page.wait_until("window.painted > 0", 20)
            before, begun = cpu_below(page.pid), time.monotonic()
            report = await asyncio.to_thread(talk.recv)
            browser = (cpu_below(page.pid) - before) / (time.monotonic() - begun)
            await page.wait_until(f"shown === {LAST}", 10)
            url = await page.run("canvas.toDataURL()")
            talk.send("end")
    finally:
        process.join(5)
        if process.is_alive():
            process.kill()
    lags = sorted(report["latencies"])
    found = {
        "way": name,
        "server_percent": round(100 * report["cost"] / len(report["sizes"]) * FPS, 1),
        "browser_percent": round(100 * browser * report["took"] / max(1, len(lags)) * FPS, 1),
        "shown_fps": round(len(lags) / report["took"], 1),
        "kib": round(statistics.mean(report["sizes"]) / 1024, 1),
        "latency_ms": round(1000 * statistics.median(lags), 1),
        "latency_p99_ms": round(1000 * lags[int(0.99 * (len(lags) - 1))], 1),
    }
    alpha, colour, mean = exactness(base64.b64decode(url.partition(",")[2]), frames[0])
    return {**found, "alpha_off": alpha, "colour_off": colour, "colour_mean_off": mean}


def vp9(frames: Picture, seconds: float) -> dict[str, Any]:
    """The encoder alone: colour and alpha as libvpx's VP9 codes them, at its quickest, in Matroska."""
    import av

    out = io.BytesIO()
    container = av.open(out, "w", format="webm")
    stream = container.add_stream("libvpx-vp9", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuva420p"
    stream.bit_rate = 4_000_000
    stream.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "threads": "1",
    }
    count = int(seconds * FPS)
    cpu = time.process_time()
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(frames[number % len(frames)], format="rgba")
        frame.pts = number
        container.mux(stream.encode(frame))
    cost = time.process_time() - cpu
    container.mux(stream.encode(None))
    container.close()
    off = 0
    decoded = 0
    with av.open(io.BytesIO(out.getvalue())) as back:
        coder = av.CodecContext.create("libvpx-vp9", "r")
        for packet in back.demux(video=0):
            for shown in coder.decode(packet) if packet.size else []:
                wanted = frames[decoded % len(frames)][..., 3].astype(int)
                off = max(off, int(np.abs(shown.to_ndarray(format="rgba")[..., 3].astype(int) - wanted).max()))
                decoded += 1
    return {
        "way": "vp9-alpha",
        "server_percent": round(100 * cost / (count / FPS), 1),
        "kib": round(len(out.getvalue()) / count / 1024, 1),
        "alpha_off": off,
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", nargs="*", choices=ALL, default=ALL)
    parser.add_argument("--size", type=int, default=512, help="of the frames, in px")
    parser.add_argument("--gpu-canvas", action="store_true", help="let Chromium keep the canvas where it would anyway")
    parser.add_argument("--frames", type=Path, help="a .npy of frames, kept there for the next time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if find() is None:
        sys.exit("Chromium is not installed (Debian/Ubuntu: sudo apt install chromium).")
    if arguments.frames is not None and arguments.frames.exists():
        frames = np.load(arguments.frames)
    else:
        frames = drawn(arguments.size)
        if arguments.frames is not None:
            np.save(arguments.frames, frames)
    if not arguments.json:
        print(f"{platform.platform()}, {os.cpu_count()} cores, {frames.shape[2]} px, {FPS} fps, load {os.getloadavg()}")
    for name in arguments.only:
        if name == "vp9-alpha":
            found = vp9(frames, arguments.seconds)
        elif name == "app":
            found = asyncio.run(measure_app(frames, arguments.seconds))
        else:
            found = asyncio.run(measure(name, frames, arguments.seconds, not arguments.gpu_canvas))
        print(json.dumps(found) if arguments.json else "  ".join(f"{key} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
