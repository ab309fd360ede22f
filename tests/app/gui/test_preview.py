"""The stage shows new frames, only new frames, and never holds the window up."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from app.gui import preview
from app.gui.theme import DARK, LIGHT, Theme
from app.messages import Frame
from tests.app.gui.watchdog import HELD_UP_MS, Watchdog

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


def test_a_frame_is_taken_once(rig: Rig) -> None:
    stage = rig.page.stage
    rig.frames.show(seq=1)
    for _ in range(5):
        stage.poll()
    rig.frames.show(seq=2)
    stage.poll()

    assert stage.frames_shown == 2


def test_only_a_new_frame_repaints(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = rig.page.stage
    stage.stop()
    rig.frames.show(seq=1)
    stage.poll()
    updates: list[object] = []
    monkeypatch.setattr(stage, "update", lambda *area: updates.append(area))

    stage.poll()
    assert updates == []
    rig.frames.show(seq=2)
    stage.poll()

    assert len(updates) == 1


def test_the_picture_keeps_its_aspect_and_its_colours(rig: Rig) -> None:
    stage = rig.page.stage
    rig.frames.show(seq=1, colour=(200, 40, 90, 255))
    stage.poll()

    image = stage.grab().toImage()

    middle = image.pixelColor(image.width() // 2, image.height() // 2)
    assert (middle.red(), middle.green(), middle.blue()) == (200, 40, 90)
    wide = [x for x in range(image.width()) if image.pixelColor(x, image.height() // 2).getRgb()[:3] == (200, 40, 90)]
    canvas = stage.canvas()
    assert canvas.width() / canvas.height() == pytest.approx(16 / 9, abs=0.01)
    # Three quarters of a frame's side are as high as the canvas.
    assert len(wide) == pytest.approx(canvas.height() / 0.75, abs=3)


def test_what_is_transparent_shows_the_stage(rig: Rig) -> None:
    stage = rig.page.stage
    rig.frames.show(seq=1, colour=(255, 0, 0, 0))
    stage.poll()

    image = stage.grab().toImage()
    edge, middle = image.pixelColor(40, 200), image.pixelColor(image.width() // 2, 200)

    assert max(abs(edge.green() - middle.green()), abs(edge.red() - middle.red())) < 40
    assert middle.green() > 20


def test_the_picture_outlives_the_frames_buffer(rig: Rig) -> None:
    """The frame's memory may be a slot that the next frame is written to."""
    stage = rig.page.stage
    rig.frames.show(seq=1, colour=(10, 200, 30, 255))
    stage.poll()
    assert rig.frames.newest is not None
    rig.frames.newest.pixels[:] = 0

    image = stage.grab().toImage()

    assert image.pixelColor(image.width() // 2, image.height() // 2).getRgb()[:3] == (10, 200, 30)


@pytest.mark.parametrize("shape", [(512, 512, 3), (0, 0, 4), (512, 4)])
def test_a_frame_that_is_no_picture_is_passed_over(rig: Rig, shape: tuple[int, ...]) -> None:
    rig.frames.newest = Frame(1, np.zeros(shape, dtype=np.uint8), 0)

    rig.page.stage.poll()

    assert not rig.page.stage.has_frame


def test_a_view_of_a_larger_picture_is_shown_right(rig: Rig) -> None:
    large = np.zeros((600, 600, 4), dtype=np.uint8)
    large[:, :300] = (255, 255, 255, 255)
    large[:, 300:] = (1, 2, 3, 255)
    rig.frames.newest = Frame(1, large[50:350, 300:600], 0)

    rig.page.stage.poll()

    image = rig.page.stage.grab().toImage()
    assert image.pixelColor(image.width() // 2, image.height() // 2).getRgb()[:3] == (1, 2, 3)


def test_a_hidden_window_asks_for_no_frames(rig: Rig) -> None:
    rig.window.hide()
    asked = rig.frames.asked
    rig.qtbot.wait(5 * preview.POLL_MS)

    assert rig.frames.asked == asked
    rig.window.show()
    rig.qtbot.waitUntil(lambda: rig.frames.asked > asked, timeout=5000)


def test_the_watchdog_sees_a_thread_that_is_held_up(rig: Rig) -> None:
    """The measure itself must be able to fail."""
    watchdog = Watchdog()

    def hold() -> None:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    QTimer.singleShot(50, hold)
    rig.qtbot.wait(200)
    watchdog.stop()

    assert max(watchdog.gaps_ms) > 40


def test_at_30_fps_with_talk_and_levels_the_window_is_never_held_up(rig: Rig) -> None:
    pictures = [np.random.default_rng(k).integers(0, 256, (512, 512, 4), dtype=np.uint8) for k in range(4)]
    for turn in range(30):
        rig.tell("stt", "transcript", turn=turn, text="Something that was said before. " * 4, typed=False)
        rig.tell("playback", "clip_started", turn=turn, index=0, text="Something that was answered to it. " * 4)
    rig.qtbot.wait(300)
    count = 0

    def feed() -> None:
        nonlocal count
        count += 1
        rig.frames.newest = Frame(count, pictures[count % 4], 0)
        rig.bus.emit("capture", "level", dbfs=-40.0 + count % 40)
        if count % 10 == 0:
            rig.bus.emit("playback", "clip_started", turn=100, index=count, text="A sentence of the usual length.")
        if count % 15 == 0:
            rig.bus.emit("avatar", "frames", fps=30.0, due=30, missed=0, tier="live")

    feeder = QTimer()
    feeder.setInterval(33)
    feeder.timeout.connect(feed)
    feeder.start()
    shown_before = rig.page.stage.frames_shown
    watchdog = Watchdog()
    rig.qtbot.wait(2500)
    watchdog.stop()
    feeder.stop()

    assert rig.page.stage.frames_shown - shown_before >= 0.8 * count > 30
    assert watchdog.longest_ms < HELD_UP_MS, sorted(watchdog.gaps_ms)[-8:]


def test_ticks_and_frames_lose_no_references(rig: Rig) -> None:
    """What a binding drops too often ends the process before Python 3.12, where True and None are not immortal."""
    singletons = (True, False, None)
    before = [sys.getrefcount(one) for one in singletons]
    for k in range(600):
        rig.frames.show(seq=k)
        rig.page.stage.poll()
        rig.bus.emit("capture", "level", dbfs=-20.0)
        rig.window.bridge.drain()

    lost = [b - sys.getrefcount(one) for b, one in zip(before, singletons, strict=True)]

    assert max(lost) < 100, lost


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_keeps_its_contrast(theme: Theme) -> None:
    """WCAG 2 AA: 4.5:1 for text."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    pairs = [(theme.text, s) for s in (theme.window, theme.panel, theme.raised, theme.her_bubble, theme.accent_soft)]
    pairs += [(theme.dim, s) for s in (theme.window, theme.panel, theme.raised, theme.her_bubble)]
    pairs += [(theme.on_accent, theme.accent), (theme.user_text, theme.user_bubble), (theme.text, theme.bad_soft)]
    pairs += [(theme.accent, theme.panel), (theme.bad, theme.window)]
    weak = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < 4.5}

    assert weak == {}
