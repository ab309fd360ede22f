"""The page for browser sources at the real port: who gets it, and what is sent."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest

from animator.messages import Pixels
from app.backends.browser_server import AHEAD, HEAD, BrowserSource, packed
from app.errors import AppError
from app.messages import Frame
from tests.fakes import TIMEOUT_S

TOKEN = "t" * 32
ADDRESS = f"/?token={TOKEN}"


def picture(value: int, size_px: int = 8) -> Pixels:
    """Transparent but for a block of 3 x 2 px at (2, 4)."""
    pixels = np.zeros((size_px, size_px, 4), np.uint8)
    pixels[4:6, 2:5] = value, 10, 20, 200
    return pixels


class Rig:
    def __init__(self) -> None:
        self.token = TOKEN
        self.source = BrowserSource(0, lambda: self.token)
        self.source.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.source.port}"

    def send(self, pixels: Pixels) -> None:
        self.source.send(Frame(1, pixels, 0))

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.source.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def watch(self, what: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(TIMEOUT_S), aiohttp.ClientSession() as session:
                url = f"{self.origin}/frames?token={TOKEN}"
                async with session.ws_connect(url, headers={"Origin": self.origin}, max_msg_size=0) as page:
                    await what(page)

        asyncio.run(main())


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.source.close()


def shown(message: bytes) -> tuple[int, Pixels]:
    """What a page makes of it: the number, and the whole frame."""
    number, width, height, left, top, part_width, part_height = HEAD.unpack_from(message)
    whole = np.zeros((height, width, 4), np.uint8)
    part = np.frombuffer(message, np.uint8, offset=HEAD.size).reshape(part_height, part_width, 4)
    whole[top : top + part_height, left : left + part_width] = part
    return number, whole


def test_the_page_is_given_to_who_has_its_address(rig: Rig) -> None:
    status, text, headers = rig.get(ADDRESS)

    assert 200 == status
    assert "<canvas" in text
    assert "no-store" == headers["Cache-Control"]
    assert "no-referrer" == headers["Referrer-Policy"]
    assert TOKEN not in text


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("", {}, 401),
        ("?token=wrong", {}, 401),
        (f"?token={TOKEN}", {"Origin": "https://example.org"}, 403),
        (f"?token={TOKEN}", {"Origin": "null"}, 403),
        (f"?token={TOKEN}", {"Origin": "http://127.0.0.1:1"}, 403),
        (f"?token={TOKEN}", {"Host": "example.org"}, 403),
        (f"?token={TOKEN}", {"Host": "example.org:8794", "Origin": "http://example.org:8794"}, 403),
        (f"?token={TOKEN}", {"Sec-Fetch-Site": "cross-site"}, 403),
        (f"?token={TOKEN}", {"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_strangers_and_pages_of_other_origins_get_nothing(
    rig: Rig, path: str, headers: dict[str, str], status: int
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="

    for where, more in (("/", {}), ("/frames", {}), ("/frames", upgrade)):
        answer = rig.get(where + path, {**more, **headers})
        assert status == answer[0]
        assert {"problem", "remedy"} == json.loads(answer[1]).keys()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no 127.0.0.2 by themselves")
def test_only_this_computer_is_listened_to(rig: Rig) -> None:
    other = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with other:  # the same port of every other address of this computer is free
        other.bind(("127.0.0.2", rig.source.port))


def test_a_taken_port_is_said(rig: Rig) -> None:
    with pytest.raises(AppError, match="browser source cannot listen"):
        BrowserSource(rig.source.port, lambda: TOKEN).start()


def test_after_its_end_nobody_listens(rig: Rig) -> None:
    rig.source.close()

    with pytest.raises(OSError, match="refused"):
        rig.get(ADDRESS)


def test_a_frame_is_sent_exactly_and_without_its_transparent_rim() -> None:
    pixels = picture(99)
    message = packed(7, pixels)

    number, whole = shown(message)
    assert 7 == number
    assert np.array_equal(pixels, whole)
    assert HEAD.size + 3 * 2 * 4 == len(message)


def test_a_frame_that_shows_nothing_is_sent_too() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)

    assert np.array_equal(pixels, shown(packed(1, pixels))[1])


def test_a_page_that_comes_later_gets_the_last_picture_at_once(rig: Rig) -> None:
    rig.send(picture(50))

    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        assert np.array_equal(picture(50), shown(await page.receive_bytes())[1])

    rig.watch(look)


def test_a_page_that_paints_slowly_gets_the_newest_picture_not_all_of_them(rig: Rig) -> None:
    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        for value in range(1, AHEAD + 1):
            rig.send(picture(value))
            assert np.array_equal(picture(value), shown(await page.receive_bytes())[1])
        for value in (100, 101, 102):
            rig.send(picture(value))
        rig.source.caption("still there", 5)  # comes through, while frames wait
        assert {"caption": {"text": "still there", "heard": 5}} == await page.receive_json()
        await page.send_str("1")
        assert np.array_equal(picture(102), shown(await page.receive_bytes())[1])

    rig.watch(look)


def test_a_picture_that_stays_is_sent_once(rig: Rig) -> None:
    pixels = picture(50)

    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        rig.send(pixels)
        await page.receive_bytes()
        await page.send_str("1")
        rig.send(pixels)
        rig.source.show_captions(True)
        assert {"captions": True} == await page.receive_json()

    rig.watch(look)


def test_a_page_that_comes_later_is_told_what_is_being_said(rig: Rig) -> None:
    rig.source.show_captions(True)
    rig.source.caption("Old.", 4)
    rig.source.caption("Hello there.", 5)

    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        told: dict[str, Any] = {}
        while len(told) < 2:
            told |= await page.receive_json()
        assert {"captions": True, "caption": {"text": "Hello there.", "heard": 5}} == told

    rig.watch(look)


def test_a_new_token_shuts_pages_with_the_old_one_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.backends.browser_server.CHECK_S", 0.0)

    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        rig.send(picture(1))
        await page.receive_bytes()
        rig.token = "u" * 32
        rig.send(picture(2))
        assert aiohttp.WSMsgType.CLOSE == (await page.receive()).type

    rig.watch(look)
