"""The page in a real Chromium: what viewers see of the character, over any ground."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.character import load_character
from animator.messages import Pixels
from app.backends.browser_server import BrowserSource
from app.messages import Frame
from app.paths import REPOSITORY
from tests.chromium import Page, chromium, find

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(find() is None, reason="no Chromium is installed (Debian/Ubuntu: apt install chromium)"),
]

TOKEN = "t" * 32
SIZE_PX = 512
LIMIT_S = 30.0
"""Only ever reached by a test that fails."""


def character() -> Pixels:
    """Haru as drawn, with the soft edges of the artist."""
    return np.ascontiguousarray(load_character(REPOSITORY / "characters" / "haru").image)


def watch(source: BrowserSource, what: Callable[[Page], Awaitable[None]]) -> None:
    """Start the source, open its page in Chromium, do `what`, end both."""

    async def main() -> None:
        source.start()
        async with asyncio.timeout(3 * LIMIT_S), chromium() as page:
            await page.size(SIZE_PX, SIZE_PX)
            await page.ground(0, 0, 0, 0)
            await page.open(f"http://127.0.0.1:{source.port}/?token={TOKEN}")
            await what(page)

    try:
        asyncio.run(main())
    finally:
        source.close()


def new_source(port: int = 0) -> BrowserSource:
    return BrowserSource(port, lambda: TOKEN)


async def photo(page: Page) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(await page.picture())).convert("RGBA"))


async def painted(page: Page, count: int) -> None:
    await page.wait_until(f"window.painted >= {count}", LIMIT_S)


def over(pixels: Pixels, ground: tuple[int, int, int]) -> np.ndarray:
    share = pixels[..., 3:].astype(np.float32) / 255
    return pixels[..., :3] * share + np.asarray(ground, np.float32) * (1 - share)


def test_alpha_and_colour_are_exact_over_any_ground() -> None:
    """No dark fringe, no halo: every pixel is what straight alpha makes of it."""
    pixels, source = character(), new_source()
    source.send(Frame(1, pixels, 0))

    async def look(page: Page) -> None:
        await painted(page, 1)
        bare = await photo(page)
        assert np.array_equal(pixels[..., 3], bare[..., 3])
        for ground in ((255, 0, 255), (255, 255, 255), (0, 200, 0)):
            await page.ground(*ground, 1)
            off = np.abs((await photo(page))[..., :3] - over(pixels, ground))
            assert off.max() <= 2
            assert off.mean() <= 0.05

    watch(source, look)


def test_where_the_next_picture_has_nothing_the_one_before_is_gone() -> None:
    source = new_source()
    left, right = np.zeros((2, SIZE_PX, SIZE_PX, 4), np.uint8)
    left[100:200, 50:150] = 255, 0, 0, 255
    right[300:400, 350:450] = 0, 0, 255, 128
    source.send(Frame(1, left, 0))

    async def look(page: Page) -> None:
        await painted(page, 1)
        source.send(Frame(2, right, 0))
        await painted(page, 2)
        assert np.array_equal(right, await photo(page))

    watch(source, look)


def test_the_last_picture_stays_while_the_app_restarts_and_the_next_one_comes_by_itself() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    first, second = new_source(port), new_source(port)
    before, after = character(), character()[:, ::-1].copy()
    first.send(Frame(1, before, 0))

    async def look(page: Page) -> None:
        await painted(page, 1)
        first.close()
        assert np.array_equal(before[..., 3], (await photo(page))[..., 3])
        second.send(Frame(1, after, 0))
        second.start()
        await painted(page, 2)
        assert np.array_equal(after[..., 3], (await photo(page))[..., 3])

    try:
        watch(first, look)
    finally:
        second.close()


def test_captions_are_seen_word_by_word_where_they_are_switched_on() -> None:
    source = new_source()
    source.send(Frame(1, character(), 0))

    async def look(page: Page) -> None:
        await painted(page, 1)
        source.caption("Hello, dear viewers!", 6)
        await page.wait_until("heard.textContent === 'Hello,'", LIMIT_S)
        without = await photo(page)
        source.show_captions(True)
        await page.wait_until("document.body.classList.contains('on')", LIMIT_S)
        one = await photo(page)
        source.caption("Hello, dear viewers!", 20)
        await page.wait_until("coming.textContent === ''", LIMIT_S)
        all_ = await photo(page)
        changed = [np.abs(a.astype(int) - b.astype(int)).sum(axis=2) > 60 for a, b in ((one, without), (all_, one))]
        assert changed[0].any()
        assert changed[1].any()
        # What has been said stays where it is, and what comes is to its right.
        assert not (changed[0] & changed[1]).any()
        assert np.flatnonzero(changed[0].any(axis=0)).max() < np.flatnonzero(changed[1].any(axis=0)).min()

    watch(source, look)


def test_a_page_of_another_origin_sees_nothing(tmp_path: Path) -> None:
    """Neither as a frame, nor as a picture, nor over a WebSocket, though it knows the whole address."""
    source = new_source()
    source.send(Frame(1, character(), 0))

    async def look(page: Page) -> None:
        await painted(page, 1)
        stranger = tmp_path / "stranger.html"
        stranger.write_text("<!doctype html><title>stranger</title>", encoding="utf-8")
        await page.open(stranger.as_uri())
        await page.wait_until("document.title === 'stranger'", LIMIT_S)
        host = f"127.0.0.1:{source.port}"
        tried = await page.run(
            f"""(async () => {{
                const socket = new Promise(done => {{
                    const it = new WebSocket("ws://{host}/frames?token={TOKEN}");
                    it.onmessage = () => done("seen"); it.onerror = it.onclose = () => done("nothing"); }});
                const page = fetch("http://{host}/?token={TOKEN}", {{mode: "no-cors"}})
                    .then(answer => answer.text()).then(text => text ? "seen" : "nothing", () => "nothing");
                return await Promise.all([socket, page]); }})()"""
        )
        assert ["nothing", "nothing"] == tried

    watch(source, look)
