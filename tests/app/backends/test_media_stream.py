"""The streams for media players, read by FFmpeg at the real port: what is exact, who is left out, who gets nothing."""

from __future__ import annotations

import gc
import http.client
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest

from animator.messages import Pixels
from app.backends import media_stream
from app.backends.browser_server import BrowserSource
from app.backends.media_stream import MAX_READERS
from app.canvas import Canvas, Scene, resized
from app.control_token import ALPHA_PATH, JPEG_PATH, browser_url
from app.messages import Frame
from tests.fakes import TIMEOUT_S

TOKEN = "t" * 32
SIDE_PX = 64
FPS = 100
CAMERA_PX = (320, 180)


def picture(number: int, side_px: int = SIDE_PX) -> Pixels:
    """Noise of every alpha, with `number` in its first pixel."""
    pixels = np.random.default_rng(number).integers(0, 256, (side_px, side_px, 4), dtype=np.uint8)
    pixels[0, 0] = number >> 8, number & 255, 0, 255
    return pixels


def number_of(pixels: Pixels) -> int:
    return int(pixels[0, 0, 0]) << 8 | int(pixels[0, 0, 1])


class Rig:
    """A source that is fed as the camera's stage feeds it."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.scene = Scene()
        self.source = BrowserSource(0, lambda: self.token, lambda: CAMERA_PX, lambda: self.scene)
        self.source.open(*CAMERA_PX, FPS)
        self.source.start()
        self._numbers = itertools.count(1)
        self._over = threading.Event()
        self._feeder = threading.Thread(target=self._feed)
        self.make = picture

    def feed(self) -> None:
        self._feeder.start()

    def send(self, pixels: Pixels, due_ms: int) -> None:
        self.source.send(Frame(1, pixels, due_ms * 1_000_000))

    def _feed(self) -> None:
        begun = time.monotonic_ns()
        for number in self._numbers:
            due_ns = begun + number * 1_000_000_000 // FPS
            if self._over.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
                return
            self.source.send(Frame(number, self.make(number), due_ns))

    def url(self, path: str) -> str:
        return browser_url(self.source.port, TOKEN, path)

    def watch(self, path: str) -> Any:
        return av.open(self.url(path), timeout=TIMEOUT_S)

    def frames(self, path: str, count: int) -> list[tuple[float | None, Pixels]]:
        """The first `count` pictures that FFmpeg makes of it, with their times in s."""
        with self.watch(path) as stream:
            shown = itertools.islice(stream.decode(video=0), count)
            return [(frame.time, frame.to_ndarray(format="rgba" if path == ALPHA_PATH else "rgb24")) for frame in shown]

    def ask(self, path: str, headers: dict[str, str] | None = None) -> socket.socket:
        """A reader that has asked, and reads what it wants to."""
        connection = socket.create_connection(("127.0.0.1", self.source.port), timeout=TIMEOUT_S)
        told = {"Host": f"127.0.0.1:{self.source.port}", **(headers or {})}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        return connection

    def close(self) -> None:
        self._over.set()
        if self._feeder.ident is not None:
            self._feeder.join(TIMEOUT_S)
        self.source.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def until_closed(connection: socket.socket) -> bytes:
    """What comes until the other end closes."""
    got = bytearray()
    with connection:
        try:
            while part := connection.recv(1 << 20):
                got += part
        except ConnectionResetError:
            pass
    return bytes(got)


def test_colours_and_alpha_arrive_exactly_and_in_time(rig: Rig) -> None:
    rig.feed()

    shown = rig.frames(ALPHA_PATH, 30)

    for _, pixels in shown:
        assert np.array_equal(picture(number_of(pixels)), pixels)
    numbers = [number_of(pixels) for _, pixels in shown]
    assert sorted(set(numbers)) == numbers
    (first_s, first), (last_s, last) = shown[0], shown[-1]
    assert last_s - first_s == pytest.approx((number_of(last) - number_of(first)) / FPS, abs=0.002)


def test_a_reader_that_comes_later_gets_the_newest_picture(rig: Rig) -> None:
    rig.feed()
    early = number_of(rig.frames(ALPHA_PATH, 10)[-1][1])

    late = number_of(rig.frames(ALPHA_PATH, 1)[0][1])

    assert late >= early


def test_several_readers_see_the_same(rig: Rig) -> None:
    rig.feed()

    with rig.watch(ALPHA_PATH) as one, rig.watch(ALPHA_PATH) as other, rig.watch(JPEG_PATH) as third:
        shown = [
            {number_of(frame.to_ndarray(format="rgba")) for frame in itertools.islice(stream.decode(video=0), 30)}
            for stream in (one, other)
        ]
        assert next(third.decode(video=0)).width == CAMERA_PX[0]

    assert shown[0] & shown[1]


def test_the_jpeg_is_the_cameras_picture(rig: Rig) -> None:
    calm = np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)
    calm[16:48, 16:48] = 200, 30, 60, 255
    rig.make = lambda number: calm
    rig.feed()

    [(_, shown)] = rig.frames(JPEG_PATH, 1)

    wanted = Canvas(*CAMERA_PX).place(calm)
    assert wanted.shape == shown.shape
    assert 2.0 > np.abs(wanted.astype(int) - shown).mean()


def test_another_background_is_seen_in_a_stream_that_runs(rig: Rig) -> None:
    rig.make = lambda number: np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)
    rig.feed()

    with rig.watch(JPEG_PATH) as stream:
        pictures = stream.decode(video=0)
        assert 100 > next(pictures).to_ndarray(format="rgb24")[..., 1].max()
        rig.scene = Scene(background="green")
        assert any(frame.to_ndarray(format="rgb24")[..., 1].min() > 240 for frame in itertools.islice(pictures, 60))


def test_a_picture_that_stays_is_sent_again_at_every_deadline(rig: Rig) -> None:
    still = picture(1)
    rig.make = lambda number: still
    rig.feed()

    times = [at for at, _ in rig.frames(ALPHA_PATH, 20)]

    assert 20 == len(set(times))


def test_a_frame_of_another_size_is_scaled_and_the_stream_goes_on(rig: Rig) -> None:
    rig.make = lambda number: picture(number, SIDE_PX if number < 30 else SIDE_PX * 2)
    rig.feed()

    with rig.watch(ALPHA_PATH) as stream:
        for frame in itertools.islice(stream.decode(video=0), 60):
            pixels = frame.to_ndarray(format="rgba")
            assert (SIDE_PX, SIDE_PX, 4) == pixels.shape
    assert np.array_equal(resized(picture(60, SIDE_PX * 2), SIDE_PX).shape, pixels.shape)


def test_a_slow_reader_misses_pictures_and_gets_the_newest_one(rig: Rig) -> None:
    """What it has not taken is held as far as the system's buffers go, and no further."""
    rig.make = lambda number: picture(number, 256)
    rig.feed()
    connection = http.client.HTTPConnection("127.0.0.1", rig.source.port, timeout=TIMEOUT_S)
    connection.request("GET", f"{ALPHA_PATH}?token={TOKEN}")
    with connection.getresponse() as answer, av.open(answer, format="nut") as slow:
        pictures = (number_of(frame.to_ndarray(format="rgba")) for frame in slow.decode(video=0))
        seen = [next(pictures)]
        last = number_of(rig.frames(ALPHA_PATH, 300)[-1][1])  # another one is not held up by it
        while seen[-1] < last:
            seen.append(next(pictures))
    connection.close()

    assert max(np.diff(seen)) > 100


def test_who_goes_and_comes_again_is_served_again(rig: Rig) -> None:
    rig.feed()

    for _ in range(2 * MAX_READERS):
        assert 2 == len(rig.frames(ALPHA_PATH, 2))


def test_more_readers_than_there_is_room_for_are_told_so(rig: Rig) -> None:
    rig.feed()
    path = f"{ALPHA_PATH}?token={TOKEN}"
    held = [rig.ask(path) for _ in range(MAX_READERS)]
    try:
        for connection in held:
            assert connection.recv(64).startswith(b"HTTP/1.1 200")
        with rig.ask(path, {"Connection": "close"}) as refused:
            assert refused.recv(64).startswith(b"HTTP/1.1 503")
    finally:
        for connection in held:
            connection.close()


def test_who_takes_nothing_for_long_makes_room(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_stream, "STALLED_S", 1.0)  # a busy machine may keep the fast one waiting for less
    rig.make = lambda number: picture(number, 256)
    rig.feed()

    stalled = rig.ask(f"{ALPHA_PATH}?token={TOKEN}")
    assert stalled.recv(64).startswith(b"HTTP/1.1 200")
    fast = rig.frames(ALPHA_PATH, 200)

    assert 200 == len(fast)
    assert 256 * 256 * 4 * 200 > len(until_closed(stalled))


def test_a_new_token_ends_streams_with_the_old_one(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_stream, "CHECK_S", 0.0)
    rig.feed()
    reader = rig.ask(f"{JPEG_PATH}?token={TOKEN}")
    assert reader.recv(64).startswith(b"HTTP/1.1 200")

    rig.token = "u" * 32

    assert until_closed(reader)


def test_the_end_of_the_source_is_the_end_of_the_streams(rig: Rig) -> None:
    rig.feed()
    reader = rig.ask(f"{ALPHA_PATH}?token={TOKEN}")
    assert reader.recv(64).startswith(b"HTTP/1.1 200")

    rig.source.close()

    assert until_closed(reader)


def test_the_end_of_the_source_cuts_off_who_takes_nothing(rig: Rig) -> None:
    rig.make = lambda number: picture(number, 256)
    rig.feed()
    stalled = rig.ask(f"{ALPHA_PATH}?token={TOKEN}")
    assert stalled.recv(64).startswith(b"HTTP/1.1 200")
    rig.frames(ALPHA_PATH, 20)  # meanwhile more is sent than the stalled one can hold

    rig.source.close()
    gc.collect()  # a socket that was lost would be told here

    stalled.close()


@pytest.mark.parametrize("path", [ALPHA_PATH, JPEG_PATH])
@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("?token=wrong", {}, 401),
        (f"?token={TOKEN}", {"Origin": "https://example.org"}, 403),
        (f"?token={TOKEN}", {"Host": "example.org"}, 403),
        (f"?token={TOKEN}", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_strangers_and_pages_of_other_origins_get_no_stream(
    rig: Rig, path: str, query: str, headers: dict[str, str], status: int
) -> None:
    rig.feed()

    answer = until_closed(rig.ask(path + query, {"Connection": "close", **headers}))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert {"problem", "remedy"} == json.loads(body).keys()
