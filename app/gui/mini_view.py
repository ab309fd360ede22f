"""The character in a small window above all others: with its background, or alone as a mascot on the desktop."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from app.canvas import Placement, Scene
from app.gui.preview import Preview
from app.gui.stage_view import StageView
from app.gui.studio import Studio
from app.messages import StopTalking, ToggleMute

HEIGHTS_PX = (120, 720)
"""Least and largest height, device-independent."""
FIRST_HEIGHT_PX = 240
NOTCH = 1.1
MARGIN_PX = 24
"""Between the mini view and the edges of the screen where it first appears."""

_KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus, Qt.Key.Key_Menu)


def can_be_transparent() -> bool:
    """Whether the desktop shows what lies behind a window's transparent parts. On X11 a compositor does that."""
    if QGuiApplication.platformName() != "xcb":
        return True
    found = ctypes.util.find_library("X11")
    if found is None:
        return False
    x11 = ctypes.CDLL(found)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XGetSelectionOwner.restype = ctypes.c_ulong
    x11.XGetSelectionOwner.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x11.XDefaultScreen.argtypes = [ctypes.c_void_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(os.environ.get("DISPLAY", "").encode())
    if not display:
        return False
    try:
        # ICCCM and EWMH: the compositing manager of screen N owns the selection _NET_WM_CM_SN.
        name = f"_NET_WM_CM_S{x11.XDefaultScreen(display)}".encode()
        return bool(x11.XGetSelectionOwner(display, x11.XInternAtom(display, name, 0)))
    finally:
        x11.XCloseDisplay(display)


class MiniView(Preview):
    """Frameless and always on top. The mouse moves it, the wheel changes its size, the right button has its menu.

    It shows the scene of `stage`; as a mascot, the character alone, whole and at its own place.
    """

    def __init__(self, studio: Studio, stage: StageView, main_window: QWidget) -> None:
        super().__init__(studio.latest_frame, studio.theme, main_window, stage.aspect)
        studio.look.dress(self)  # for its menu
        self._studio = studio
        self._stage = stage
        self._main_window = main_window
        self._is_mascot = False
        self._grabbed_at: QPoint | None = None
        self._was_placed = False
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        self.setWindowFlags(flags)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        # Above all others, it must not take the keyboard from a game.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(HEIGHTS_PX[0], HEIGHTS_PX[0])
        self.setWindowTitle(self.tr("Kuchipaku mini view"))
        self.setAccessibleName(self.tr("Mini view"))
        self.setAccessibleDescription(
            self.tr("The character in a small window. The menu key opens its menu, Escape closes it.")
        )
        self.setToolTip(self.tr("Drag to move, wheel to resize, right button for more"))
        studio.theme_changed.connect(self.set_theme)
        self._size_for(FIRST_HEIGHT_PX)

    @property
    def is_mascot(self) -> bool:
        """Whether only the character is shown, and the desktop around it."""
        return self._is_mascot

    def open_beside(self) -> None:
        """Show it; the first time in the lower right corner of the screen, then where it was."""
        if not self._was_placed:
            self._was_placed = True
            screen = self._main_window.screen().availableGeometry()
            corner = screen.bottomRight() - QPoint(self.width() + MARGIN_PX, self.height() + MARGIN_PX)
            self.move(corner)
        self.show()
        self.raise_()

    def close_down(self) -> None:
        """The app ends."""
        self.stop()
        self.close()

    def set_mascot(self, on: bool) -> None:
        """Show the character alone, or before its background."""
        if on == self._is_mascot:
            return
        self._is_mascot = on
        self._aspect = None if on else self._stage.aspect
        self._follow(force=True)
        self._size_for(self.height())
        self.update()

    def poll(self) -> None:
        """Take the newest frame, in the scene that the stage shows by now."""
        self._follow()
        super().poll()

    def _follow(self, force: bool = False) -> None:
        wanted = self._stage.scene
        if self._is_mascot:
            wanted = Scene(background="transparent", glow=wanted.glow)
        elif self._aspect != self._stage.aspect:
            self._aspect = self._stage.aspect
            self._size_for(self.height())
        if force or (wanted is not self.scene and wanted != self.scene) or wanted.picture is not self.scene.picture:
            self.set_scene(replace(wanted, placement=Placement() if self._is_mascot else wanted.placement))

    def _size_for(self, height_px: int) -> None:
        height_px = max(HEIGHTS_PX[0], min(HEIGHTS_PX[1], height_px))
        # A mascot is as wide as it is high: its shoulders fit, and nothing of the desktop is covered for nothing.
        aspect = 1.0 if self._is_mascot or self._aspect is None else self._aspect
        size = QSize(round(height_px * aspect), height_px)
        if size != self.size():
            # The lower edge stays where the character stands.
            floor = self.geometry().bottom()
            middle = self.geometry().center().x()
            self.resize(size)
            if self.isVisible():
                self.move(middle - size.width() // 2, floor - size.height() + 1)

    # What the user does.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the window."""
        if event.button() == Qt.MouseButton.LeftButton:
            handle = self.windowHandle()
            # The window manager moves it where it can; Wayland allows nothing else.
            if handle is None or not handle.startSystemMove():
                self._grabbed_at = event.globalPosition().toPoint() - self.pos()
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the window along."""
        if self._grabbed_at is not None:
            self.move(event.globalPosition().toPoint() - self._grabbed_at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the window."""
        self._grabbed_at = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Bring up the large window."""
        self._open_main()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Make the window larger or smaller."""
        notches = event.angleDelta().y() / 120
        if notches:
            self._size_for(round(self.height() * NOTCH**notches))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Its keys are its own: the large window's shortcuts reach its tool windows too."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes, plus and minus resize, the menu key opens the menu."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.close()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._size_for(round(self.height() * NOTCH))
        elif key == Qt.Key.Key_Minus:
            self._size_for(round(self.height() / NOTCH))
        elif key == Qt.Key.Key_Menu:
            self.make_menu().exec(self.mapToGlobal(self.rect().center()))
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done."""
        self.make_menu().exec(event.globalPos())

    def make_menu(self) -> QMenu:
        """The menu as it is to be shown now."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        mascot = menu.addAction(self.tr("Without background (mascot)"))
        mascot.setCheckable(True)
        mascot.setChecked(self._is_mascot)
        if not self._is_mascot and not can_be_transparent():
            mascot.setEnabled(False)
            mascot.setText(self.tr("Without background (needs a compositor, which does not run)"))
        mascot.triggered.connect(self.set_mascot)
        menu.addSeparator()
        menu.addAction(self.tr("Stop talking")).triggered.connect(lambda: self._studio.put(StopTalking()))
        menu.addAction(self.tr("Microphone on or off")).triggered.connect(lambda: self._studio.put(ToggleMute()))
        menu.addSeparator()
        menu.addAction(self.tr("Larger")).triggered.connect(lambda: self._size_for(round(self.height() * 1.25)))
        menu.addAction(self.tr("Smaller")).triggered.connect(lambda: self._size_for(round(self.height() / 1.25)))
        menu.addSeparator()
        menu.addAction(self.tr("Open the window")).triggered.connect(self._open_main)
        menu.addAction(self.tr("Close the mini view")).triggered.connect(self.close)
        return menu

    def _open_main(self) -> None:
        window = self._main_window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    # How it looks.

    def _around(self) -> QColor:
        return QColor(Qt.GlobalColor.transparent)

    def paintEvent(self, event: QPaintEvent) -> None:
        """As a mascot, nothing is drawn behind the character."""
        if not self._is_mascot:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.fillRect(event.rect(), Qt.GlobalColor.transparent)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setClipRect(self.rect(), Qt.ClipOperation.IntersectClip)
        self._draw_character(painter, self.rect())
        painter.end()

    def _draw_over(self, painter: QPainter, where: QRect) -> None:
        """A thin edge, by which the window is seen before others of the same colour."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(self._theme.border))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(where.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 14, 14)

    def closeEvent(self, event: QCloseEvent) -> None:
        """The large window goes on as before."""
        self._grabbed_at = None
        super().closeEvent(event)
