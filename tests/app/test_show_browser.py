"""The real show on a browser source: what a page gets of the face, of a panic, and of what is said."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from animator.clock import SystemClock
from app import compose
from app.backends.browser_server import HEAD
from app.bus import Bus
from app.cli import main
from app.control_token import browser_token_file, control_token, token_file
from app.messages import Configure, Panic, Say
from app.settings import BrowserSettings, KeySettings, Settings
from app.show import Show
from tests.fakes import Facts, FakeMicrophone

pytestmark = pytest.mark.slow

BAKE_TIMEOUT_S = 600.0
TIMEOUT_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def ready(models) -> None:
    for name in (compose.FACE_MODEL, compose.HEARING_MODEL, compose.BRAIN_MODEL, compose.VOICE_MODEL):
        models(name)
    assert main(["bake"]) == 0


class Studio:
    """The show with a browser source and captions, silent until it is told something."""

    def __init__(self, captions: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.captions = captions
        clock = SystemClock()
        self.bus = Bus(clock.now_ns)
        self.facts = Facts(self.bus)
        self.show = Show(
            self.bus,
            clock,
            Settings(keys=KeySettings(on=False), browser=BrowserSettings(on=True, port=self.port, captions=True)),
            compose.find_character("haru"),
            microphone=FakeMicrophone(),
            speaker=compose.null_speaker(clock),
            greet=False,
        )
        self.show.start()
        assert self.show.wait_until_loaded(BAKE_TIMEOUT_S)
        self.facts.wait("browser", "status", on=True)

    def url(self, token: str) -> str:
        return f"http://127.0.0.1:{self.port}/frames?token={token}"

    def status_with(self, token: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", f"/?token={token}")
            return connection.getresponse().status
        finally:
            connection.close()

    def watch(self, what: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(TIMEOUT_S), aiohttp.ClientSession() as session:
                token = control_token(browser_token_file())
                async with session.ws_connect(self.url(token), max_msg_size=0) as page:
                    await what(page)

        asyncio.run(main())


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    studio = Studio(tmp_path / "captions.txt")
    yield studio
    studio.show.stop()


async def next_of(
    page: aiohttp.ClientWebSocketResponse, kind: type, wanted: Callable[[Any], bool] = lambda it: True
) -> Any:
    """The next message of this kind that is wanted; every frame is said to be painted."""
    while True:
        message = await page.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            await page.send_str("painted")
            if kind is bytes and wanted(message.data):
                return message.data
        elif message.type is aiohttp.WSMsgType.TEXT:
            told = message.json()
            if kind is dict and wanted(told):
                return told
        else:
            raise AssertionError(f"the page was cut off: {message.type}")


def is_away(message: bytes) -> bool:
    away = compose.be_right_back()
    _, width, height, left, top, part_width, part_height = HEAD.unpack_from(message)
    if (height, width) != away.shape[:2]:
        return False
    part = np.frombuffer(message, np.uint8, offset=HEAD.size).reshape(part_height, part_width, 4)
    return bool(np.array_equal(part, away[top : top + part_height, left : left + part_width]))


def test_a_page_gets_the_moving_face_the_panic_picture_and_the_words(studio: Studio) -> None:
    async def look(page: aiohttp.ClientWebSocketResponse) -> None:
        seen = {await next_of(page, bytes) for _ in range(10)}
        assert 10 == len(seen)
        assert not any(map(is_away, seen))

        studio.bus.gate.put(Panic(True))
        await next_of(page, bytes, is_away)
        studio.bus.gate.put(Panic(False))
        await next_of(page, bytes, lambda message: not is_away(message))

        text = "Hello, dear viewers."
        studio.bus.gate.put(Say(text))
        counts = []
        while not counts or counts[-1] < len(text):
            caption = (await next_of(page, dict, lambda told: told.get("caption", {}).get("text") == text))["caption"]
            counts.append(caption["heard"])
        assert 3 <= len(counts)
        await next_of(page, dict, lambda told: told.get("caption") == {"text": "", "heard": 0})

    studio.watch(look)


def test_captions_go_into_a_file_and_a_folder_that_is_missing_is_refused(studio: Studio) -> None:
    studio.bus.gate.put(Configure("captions.file", str(studio.captions)))
    studio.facts.wait("settings", "changed", name="captions.file", value=str(studio.captions))
    assert "" == studio.captions.read_text(encoding="utf-8")

    wrong = str(studio.captions.parent / "missing" / "captions.txt")
    studio.bus.gate.put(Configure("captions.file", wrong))
    studio.facts.wait("settings", "refused", name="captions.file", value=wrong)
    assert str(studio.captions) == studio.show.settings.captions.file


def test_a_port_that_is_taken_is_refused_and_off_means_that_nobody_listens(studio: Studio) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        studio.bus.gate.put(Configure("browser.port", port))
        assert "cannot listen" in studio.facts.wait("settings", "refused", name="browser.port").data["problem"]
    assert 401 == studio.status_with("wrong")

    studio.bus.gate.put(Configure("browser.on", False))
    studio.facts.wait("settings", "changed", name="browser.on", value=False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", studio.port))


def test_the_token_of_the_control_opens_no_page(studio: Studio) -> None:
    assert control_token(token_file()) != control_token(browser_token_file())

    assert 401 == studio.status_with(control_token(token_file()))
