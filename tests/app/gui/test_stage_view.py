"""The stage: placed by mouse, wheel and keys, in the scene of the settings, and what viewers get of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas import Canvas, Placement
from app.gui.mini_view import MiniView
from app.gui.stage_bar import step_of, zoom_of
from app.messages import Configure, Frame, PlaceCharacter, StageColours, StopTalking, ToggleMute
from app.scene import SceneKeeper

if TYPE_CHECKING:
    from app.gui.stage_view import StageView
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


def character(side: int = 512) -> np.ndarray:
    """An ellipse with a soft edge, left half red and right half blue."""
    down, across = np.mgrid[0:side, 0:side] / side - 0.5
    far = np.hypot(across / 0.25, (down - 0.1) / 0.4)
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., 3] = np.clip((1.0 - far) * 900, 0, 255).astype(np.uint8)
    pixels[:, : side // 2, 0] = 220
    pixels[:, side // 2 :, 2] = 220
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def picture_of(stage: QWidget) -> np.ndarray:
    """RGB of a widget as it is painted."""
    image = stage.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def stage(rig: Rig) -> StageView:
    rig.frames.newest = Frame(1, character(), 0)
    rig.page.stage.poll()
    rig.page.stage.stop()
    return rig.page.stage


def wheel(widget: QWidget, at: QPointF, notches: int) -> None:
    event = QWheelEvent(
        at,
        widget.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def in_force(rig: Rig, name: str, value: object) -> None:
    rig.tell("settings", "changed", name=name, value=value)


@pytest.mark.parametrize("placement", [Placement(), Placement(1.7, 0.1, -0.05), Placement(0.6, -0.2, 0.1)])
@pytest.mark.parametrize("background", ["theme", "colour", "green"])
def test_viewers_get_the_picture_that_the_stage_shows(
    rig: Rig, stage: StageView, placement: Placement, background: str
) -> None:
    for badge in (stage.lamp, stage.tier, stage.lips, stage.rate, stage.words, stage.card):
        badge.hide()
    in_force(rig, "stage.background", background)
    stage.place(placement)
    where = stage.canvas()
    keeper = SceneKeeper(rig.window.studio.settings.stage)
    for command in rig.commands():
        if isinstance(command, StageColours):
            keeper.colours(command.top, command.bottom, command.light)
    keeper.colours(*(getattr(rig.window.studio.theme, f"stage_{name}") for name in ("top", "bottom", "glow")))
    keeper.place(placement)
    canvas = Canvas(where.width(), where.height())
    canvas.set_scene(keeper.current())

    shown = picture_of(stage)[where.top() : where.bottom() + 1, where.left() : where.right() + 1].astype(int)
    sent = canvas.place(character()).astype(int)

    inner = (slice(16, -16), slice(16, -16))  # the window rounds its corners
    assert np.abs(shown - sent)[inner].mean() < 1.5
    assert np.percentile(np.abs(shown - sent)[inner], 99) < 40  # edges lie less than a pixel apart


def test_dragging_moves_the_character_and_tells_viewers_at_once(rig: Rig, stage: StageView) -> None:
    where = stage.canvas()
    start = where.center()
    rig.commands()

    rig.qtbot.mousePress(stage, Qt.MouseButton.LeftButton, pos=start)
    rig.qtbot.mouseMove(stage, start + QPoint(where.width() // 4, 0))
    stage.poll()
    told = [c for c in rig.commands() if isinstance(c, PlaceCharacter)]

    assert told[-1].x == pytest.approx(0.25, abs=0.01)
    rig.qtbot.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=start + QPoint(where.width() // 4, 0))
    kept = {c.name: c.value for c in rig.commands() if isinstance(c, Configure)}
    assert kept["stage.x"] == pytest.approx(0.25, abs=0.01)


def test_while_the_button_is_down_nothing_is_written(rig: Rig, stage: StageView) -> None:
    start = stage.canvas().center()
    rig.commands()
    rig.qtbot.mousePress(stage, Qt.MouseButton.LeftButton, pos=start)
    rig.qtbot.mouseMove(stage, start + QPoint(30, 10))

    stage._rest.timeout.emit()

    assert not [c for c in rig.commands() if isinstance(c, Configure)]


def test_the_wheel_zooms_and_what_is_under_the_pointer_stays(rig: Rig, stage: StageView) -> None:
    where = stage.canvas()
    at = QPointF(where.x() + 0.5 * where.width(), where.y() + 0.4 * where.height())
    before = picture_of(stage)[round(at.y()), where.left() : where.right()]

    wheel(stage, at, 3)

    assert stage.scene.placement.zoom == pytest.approx(1.1**3)
    after = picture_of(stage)[round(at.y()), where.left() : where.right()]

    def border(row: np.ndarray) -> int:
        """Where red turns to blue."""
        red, blue = row[:, 0].astype(int), row[:, 2].astype(int)
        return int(np.flatnonzero((red > 200) & (blue < 60))[-1])

    assert border(before) == pytest.approx(border(after), abs=2)


def test_the_wheel_is_kept_once_it_rests(rig: Rig, stage: StageView) -> None:
    rig.commands()
    wheel(stage, QPointF(stage.canvas().center()), 1)
    assert not [c for c in rig.commands() if isinstance(c, Configure)]

    rig.qtbot.waitUntil(lambda: not stage.is_moving, timeout=5000)

    kept = {c.name: c.value for c in rig.commands() if isinstance(c, Configure)}
    assert kept["stage.zoom"] == pytest.approx(1.1)


def test_keys_do_what_the_mouse_does_and_home_puts_everything_back(rig: Rig, stage: StageView) -> None:
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Plus):
        rig.qtbot.keyClick(stage, key)
    moved = stage.scene.placement
    assert moved.x > 0
    assert moved.y < 0
    assert moved.zoom > 1

    rig.qtbot.keyClick(stage, Qt.Key.Key_Home)

    assert stage.scene.placement == Placement()


def test_a_double_click_puts_the_character_back(rig: Rig, stage: StageView) -> None:
    stage.place(Placement(2.0, 0.1, 0.1))

    rig.qtbot.mouseDClick(stage, Qt.MouseButton.LeftButton, pos=stage.canvas().center())

    assert stage.scene.placement == Placement()


def test_the_canvas_has_the_shape_of_the_cameras_picture(rig: Rig, stage: StageView) -> None:
    in_force(rig, "camera.width_px", 720)

    assert stage.canvas().width() == pytest.approx(stage.canvas().height(), abs=1)


def test_a_setting_of_elsewhere_moves_the_character(rig: Rig, stage: StageView) -> None:
    in_force(rig, "stage.zoom", 2.5)

    assert stage.scene.placement.zoom == 2.5
    assert rig.page.bar.zoom.value() == step_of(2.5)


def test_the_chosen_picture_is_read_aside_and_shown(rig: Rig, stage: StageView, tmp_path: Path) -> None:
    file = tmp_path / "sea.png"
    Image.new("RGB", (64, 36), (10, 140, 200)).save(file)
    in_force(rig, "stage.picture", str(file))
    in_force(rig, "stage.background", "picture")

    rig.qtbot.waitUntil(lambda: stage.scene.picture is not None, timeout=5000)

    where = stage.canvas()
    assert picture_of(stage)[where.top() + 60, where.left() + 20].tolist() == [10, 140, 200]


def test_a_picture_that_is_gone_leaves_the_themes_background(rig: Rig, stage: StageView, tmp_path: Path) -> None:
    in_force(rig, "stage.picture", str(tmp_path / "gone.png"))
    in_force(rig, "stage.background", "green")
    in_force(rig, "stage.background", "picture")

    rig.qtbot.waitUntil(lambda: stage.scene.background == "theme", timeout=5000)


def test_the_safe_area_is_drawn_a_twentieth_inside(rig: Rig, stage: StageView) -> None:
    in_force(rig, "stage.background", "colour")
    before = picture_of(stage)

    in_force(rig, "stage.safe_area", True)

    where = stage.canvas()
    changed = np.flatnonzero(np.abs(picture_of(stage).astype(int) - before).sum(axis=2).sum(axis=0))
    assert changed[0] - where.left() == pytest.approx(0.05 * where.width(), abs=2)


def test_the_lamp_says_whether_viewers_get_the_picture(rig: Rig, stage: StageView) -> None:
    assert stage.lamp.state == "off"
    rig.tell("camera", "state", state="ready", label="Camera: x")
    assert stage.lamp.state == "on"
    rig.tell("show", "panic", on=True)
    assert stage.lamp.state == "away"
    rig.tell("show", "panic", on=False)
    rig.tell("camera", "state", state="failed", label="No camera", problem="Gone.", remedy="Look.")

    assert stage.lamp.state == "off"


def test_choosing_a_background_asks_for_it(rig: Rig, stage: StageView) -> None:
    rig.commands()

    rig.page.bar.background.setCurrentIndex(rig.page.bar.background.findData("green"))
    rig.page.bar.background.activated.emit(rig.page.bar.background.currentIndex())

    assert rig.commands() == [Configure("stage.background", "green")]


def test_only_what_applies_is_shown_in_the_bar(rig: Rig, stage: StageView) -> None:
    bar = rig.page.bar
    assert (bar.colour.isVisible(), bar.picture.isVisible()) == (False, False)

    in_force(rig, "stage.background", "colour")

    assert (bar.colour.isVisible(), bar.picture.isVisible()) == (True, False)


@pytest.mark.parametrize("zoom", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_the_slider_goes_by_proportion(zoom: float) -> None:
    assert zoom_of(step_of(zoom)) == pytest.approx(zoom, rel=0.01)


def test_sliding_zooms_at_once_and_is_kept(rig: Rig, stage: StageView) -> None:
    rig.page.bar.zoom.setValue(step_of(2.0))

    assert stage.scene.placement.zoom == pytest.approx(2.0, rel=0.01)


@pytest.fixture
def mini(rig: Rig, stage: StageView) -> MiniView:
    rig.qtbot.mouseClick(rig.page.bar.mini, Qt.MouseButton.LeftButton)
    assert rig.page.mini is not None
    rig.qtbot.waitExposed(rig.page.mini)
    rig.page.mini.poll()
    return rig.page.mini


def test_the_mini_view_stays_above_other_windows_and_has_no_frame(mini: MiniView) -> None:
    flags = mini.windowFlags()

    assert flags & Qt.WindowType.WindowStaysOnTopHint
    assert flags & Qt.WindowType.FramelessWindowHint


def test_the_mini_view_follows_the_stage(rig: Rig, stage: StageView, mini: MiniView) -> None:
    in_force(rig, "stage.background", "green")
    stage.place(Placement(2.0, 0.1, 0.0))

    mini.poll()

    assert mini.scene.placement == Placement(2.0, 0.1, 0.0)
    assert picture_of(mini)[20, 20].tolist() == [0, 255, 0]


def test_the_mascot_is_the_character_alone(stage: StageView, mini: MiniView) -> None:
    mini.set_mascot(True)
    mini.poll()

    image = mini.grab().toImage()

    assert image.pixelColor(3, 3).alpha() == 0
    middle = image.pixelColor(round(image.width() * 0.45), image.height() // 2)
    assert (middle.red(), middle.alpha()) == (220, 255)


def test_the_menu_of_the_mini_view_stops_the_talk_and_switches_the_microphone(rig: Rig, mini: MiniView) -> None:
    rig.commands()
    actions = {action.text(): action for action in mini.make_menu().actions()}

    actions["Stop talking"].trigger()
    actions["Microphone on or off"].trigger()

    assert rig.commands() == [StopTalking(), ToggleMute()]


def test_escape_closes_the_mini_view_and_the_window_stays(rig: Rig, mini: MiniView) -> None:
    rig.qtbot.keyClick(mini, Qt.Key.Key_Escape)

    assert not mini.isVisible()
    assert rig.window.isVisible()


def test_a_closed_window_leaves_no_mini_view(rig: Rig, mini: MiniView) -> None:
    rig.window.close()

    assert not mini.isVisible()


def test_the_mini_view_keeps_its_shape_when_resized(mini: MiniView) -> None:
    wheel(mini, QPointF(mini.rect().center()), 4)

    assert mini.width() / mini.height() == pytest.approx(16 / 9, abs=0.02)


def test_an_answer_shows_how_long_it_was_waited_for(rig: Rig, make_rig: Callable[..., Rig]) -> None:
    rig.tell("stt", "transcript", turn=1, text="Hello?", took_ms=0, typed=True)
    rig.tell("llm", "first_token", turn=1, took_ms=1)
    rig.tell("playback", "clip_started", turn=1, index=0, text="Hello!")

    bars = [bubble.times for bubble in rig.page.log._bubbles if bubble.times is not None]

    assert len(bars) == 1
    assert "Brain, first word" in bars[0].toolTip()


def test_a_greeting_shows_no_wait(rig: Rig) -> None:
    rig.tell("playback", "clip_started", turn=1, index=0, text="Hello, I am here.")

    assert [bubble.times for bubble in rig.page.log._bubbles] == [None]
