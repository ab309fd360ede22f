"""The window: a rail of pages, what went wrong above them, and how every part of the show is doing below."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.bus import Bus
from app.gui import pages
from app.gui.banner import Banner
from app.gui.bridge import Bridge
from app.gui.display import require_display
from app.gui.language import install
from app.gui.off_air import OffAir
from app.gui.pages.stage_page import StagePage
from app.gui.rail import Rail
from app.gui.status import StatusLine
from app.gui.studio import Page, Studio
from app.gui.theme import Look, Theme, theme_of
from app.gui.tray import Tray
from app.gui.window_info import WindowInfo
from app.messages import Frame, PushToTalk, Quit

if TYPE_CHECKING:
    from app.gui.first_steps import FirstSteps

__all__ = ["MainWindow", "WindowInfo", "run_window"]

ICON = Path(__file__).resolve().parents[2] / "assets" / "icon.png"

TALK_KEY = Qt.Key.Key_F8

NARROW_PX = 1080
"""Below this width the rail shows its icons alone."""


class MainWindow(QWidget):
    """One window over one bus. Everything it does goes through `bus.gate`; everything it shows comes from the tap."""

    closed = Signal()

    def __init__(self, bus: Bus, latest_frame: Callable[[], Frame | None], info: WindowInfo) -> None:
        super().__init__()
        self._info = info
        self._look = self._look_of(theme_of(info.settings.window.theme), info.settings.window.text_scale)
        self._has_quit = False
        self._is_talk_held = False
        self._entries = {entry.name: entry for entry in pages.PAGES}
        self._pages: dict[str, Page] = {}
        self._shown: Page | None = None
        self.first_steps: FirstSteps | None = None
        # All of it is painted here (`paintEvent`).
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setWindowTitle(info.title)
        self.setMinimumSize(900, 600)
        self.resize(1280, 800)
        if ICON.exists():
            self.setWindowIcon(QIcon(str(ICON)))
        self.bridge = Bridge(bus, self)
        self.studio = Studio(bus, self.bridge, info, self._look, latest_frame, self)
        self._build()
        self._add_keys()
        self._apply_look(self._look)
        self._connect()
        self._keep_on_top()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self.tray = Tray(self, self.studio, self.windowIcon())
        self.show_page(pages.PAGES[0].name)
        if self.studio.value("window.first_steps"):
            self.show_first_steps()
        self.bridge.start()

    # Pages.

    @property
    def page(self) -> Page | None:
        """The page that is shown."""
        return self._shown

    def show_page(self, name: str) -> Page:
        """Show the page called `name`, which is made now if it has not been shown yet."""
        page = self._page(name)
        self.rail.select(name)
        self._turn_to(page)
        self._leave_first_steps()
        return page

    def show_first_steps(self) -> FirstSteps:
        """Show the first steps in place of everything else; whatever page comes next ends them."""
        from app.gui.first_steps import FirstSteps  # most starts do without

        self._leave_first_steps()
        self.first_steps = FirstSteps(self.studio)
        self.stack.addWidget(self.first_steps)
        for part in (self.rail, self.status, self.version):
            part.hide()
        self._turn_to(self.first_steps)
        return self.first_steps

    def _leave_first_steps(self) -> None:
        steps, self.first_steps = self.first_steps, None
        if steps is None:
            return
        self.studio.set("window.first_steps", False)
        if self._shown is steps:
            self.show_page(pages.PAGES[0].name)
        steps.close_down()
        self.stack.removeWidget(steps)
        steps.deleteLater()
        for part in (self.rail, self.status, self.version):
            part.show()

    def _turn_to(self, page: Page) -> None:
        if page is not self._shown:
            if self._shown is not None:
                self._shown.leave()
            self._shown = page
            self._look.dress(page, page.own_rules())
            self.stack.setCurrentWidget(page)
            page.enter()

    def _page(self, name: str) -> Page:
        page = self._pages.get(name)
        if page is None:
            page = self._pages[name] = self._entries[name].load()(self.studio)
            self.stack.addWidget(page)
        return page

    # What is where.

    def _build(self) -> None:
        self.banner = Banner(self._look.theme)
        self.off_air = OffAir(self.studio)
        self.status = StatusLine(self._look.theme)
        self.rail = Rail(self._look.theme)
        for entry in pages.PAGES:
            self.rail.add(entry.name, entry.title, entry.icon)
        self.stack = QStackedWidget()
        stage_page = self._page(pages.PAGES[0].name)
        assert isinstance(stage_page, StagePage)
        self.stage_page = stage_page
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 6, 0)
        self.version = QLabel(self._info.version)
        self.version.setProperty("role", "small")
        self.version.setToolTip(self.tr("Version"))
        foot.addWidget(self.status, 1)
        foot.addWidget(self.version)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.off_air)
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        upper = QHBoxLayout()
        upper.setSpacing(10)
        upper.addWidget(self.rail)
        upper.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 14, 14, 8)
        whole.setSpacing(10)
        whole.addLayout(upper, 1)
        whole.addLayout(foot)

    def _add_keys(self) -> None:
        # Also while something is typed: none of these writes a letter.
        self._on_keys([QKeySequence("Ctrl+.")], self.stage_page.stop_talking)
        self._on_keys([QKeySequence(QKeySequence.StandardKey.Quit), QKeySequence("Ctrl+Q")], self.close)
        self._on_keys([QKeySequence("Ctrl+PgDown")], partial(self._turn_page, 1))
        self._on_keys([QKeySequence("Ctrl+PgUp")], partial(self._turn_page, -1))

    def _on_keys(self, keys: list[QKeySequence], act: Callable[[], object]) -> None:
        shortcut = QShortcut(self)
        shortcut.setKeys(list(dict.fromkeys(keys)))
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda: act())

    def _turn_page(self, step: int) -> None:
        if self.first_steps is not None:
            return
        names = list(self._entries)
        shown = next((name for name, page in self._pages.items() if page is self._shown), names[0])
        self.show_page(names[(names.index(shown) + step) % len(names)])

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.slow_tick.connect(self.status.refresh)
        bridge.state.connect(self._show_state)
        bridge.failed.connect(self._show_failure)
        bridge.took.connect(self.status.set_took)
        self.studio.retried.connect(self._forget_troubles)
        self.studio.setting_changed.connect(self._note_setting)
        self.studio.first_steps_wanted.connect(self.show_first_steps)
        self.studio.page_wanted.connect(self.show_page)
        self.rail.chosen.connect(self.show_page)
        for chip in self.status.chips:
            for stage in chip.stages:
                chip.clicked.connect(partial(self._recall, stage))

    # What the user does.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F8 is the talk key: it counts in the modes "hold" and "toggle", also while typing."""
        if event.key() == TALK_KEY:
            if not event.isAutoRepeat():
                self._is_talk_held = True
                self.studio.put(PushToTalk(True))
            return
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Letting the talk key go."""
        if event.key() == TALK_KEY:
            if not event.isAutoRepeat():
                self._let_go()
            return
        super().keyReleaseEvent(event)

    def _let_go(self) -> None:
        if self._is_talk_held:
            self._is_talk_held = False
            self.studio.put(PushToTalk(False))

    def _recall(self, stage: str, _checked: bool = False) -> None:
        self.banner.recall(stage)

    def _forget_troubles(self, stages: tuple[str, ...]) -> None:
        for stage in stages:
            self.banner.forget(stage)

    # What the facts say.

    def _show_state(self, stage: str, state: str, label: str) -> None:
        self.status.set_state(stage, state, label)
        if state in ("ready", "off"):
            self.banner.resolve(stage)
        if stage == "app" and state == "off":
            # The show is over (Ctrl-C, for one): the window goes with it.
            QTimer.singleShot(0, self, self.close)

    def _show_failure(self, stage: str, problem: str, remedy: str) -> None:
        self.banner.add(stage, problem, remedy)
        self.status.set_problem(stage, problem)

    # How it looks, and its end.

    def _follow_system(self) -> None:
        scale = float(self.studio.value("window.text_scale"))
        self._apply_look(self._look_of(theme_of(str(self.studio.value("window.theme"))), scale))

    def _note_setting(self, name: str, _value: object) -> None:
        if name in ("window.theme", "window.text_scale"):
            self._follow_system()
        elif name == "window.always_on_top":
            self._keep_on_top()

    def _keep_on_top(self) -> None:
        wanted = bool(self.studio.value("window.always_on_top"))
        if wanted != bool(self.windowFlags() & Qt.WindowType.WindowStaysOnTopHint):
            is_shown = self.isVisible()
            self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint, wanted)
            if is_shown:  # a new flag hides the window
                self.show()

    def changeEvent(self, event: QEvent) -> None:
        """Where the desktop tells no colour scheme, its palette is what changes.

        A talk key that is let go elsewhere is never seen here: it counts as let go when the window is left.
        """
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._let_go()
        changed = event.type() == QEvent.Type.ApplicationPaletteChange and hasattr(self, "studio")
        if changed and theme_of(str(self.studio.value("window.theme"))) is not self._look.theme:
            self._follow_system()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window keeps the icons of the rail and gives its labels' room to the page."""
        super().resizeEvent(event)
        self._fit_rail()

    def _fit_rail(self) -> None:
        self.rail.set_narrow(self.width() < NARROW_PX * float(self.studio.value("window.text_scale")))

    @staticmethod
    def _look_of(theme: Theme, scale: float) -> Look:
        return Look(theme, QApplication.font().pointSizeF(), scale)

    def _apply_look(self, look: Look) -> None:
        """Dress what is seen; a page that is not shown follows when it is."""
        self._look = look
        self.studio.set_look(look)
        for part in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if part is not self.stack:
                look.dress(part)
        if self._shown is not None:
            look.dress(self._shown, self._shown.own_rules())
        for part in (self.banner, self.rail, self.status):
            part.set_theme(look.theme)
        self._fit_rail()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill what is behind everything."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._look.theme.window))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the timers and ask the line to end; once."""
        self.bridge.stop()
        if not self._has_quit:
            self._has_quit = True
            if self._shown is not None:
                self._shown.leave()
            for page in self._pages.values():
                page.close_down()
            if self.first_steps is not None:
                self.first_steps.close_down()
            self.tray.close_down()
            self.studio.put(Quit())
            self.closed.emit()
        super().closeEvent(event)


def start(window: MainWindow) -> None:
    """Show the window, or begin without it where the settings say so: in the tray, else in the task bar."""
    if not window.studio.value("window.start_minimised"):
        window.show()
    elif not window.tray.is_there:
        window.showMinimized()


class _FirstPaint(QObject):
    """Calls `act` once, after the window has been painted for the first time."""

    def __init__(self, window: QWidget, act: Callable[[], object]) -> None:
        super().__init__(window)
        self._window = window
        self._act = act
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for the paint."""
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self, self._act)
        return super().eventFilter(watched, event)


def run_window(
    bus: Bus,
    latest_frame: Callable[[], Frame | None],
    info: WindowInfo,
    on_shown: Callable[[], object] = lambda: None,
) -> int:
    """Show the window until it is closed, then put Quit on the gate; returns the process's exit code.

    Args:
        bus: Where facts come from and commands go to.
        latest_frame: The newest frame or None; called on this thread every 16 ms, and must not wait.
        info: What the window needs to know before the first fact.
        on_shown: Called once the window can be seen, or will not be: what takes longer begins then. Must not wait.

    Raises:
        AppError: If there is no display, before Qt could end the process over it.

    Must be called on the main thread. Ctrl-C closes the window unless the caller has its own handler for it.
    """
    require_display()
    running = QApplication.instance()
    application = running if isinstance(running, QApplication) else QApplication([info.title])
    application.setApplicationName(info.title)
    application.setApplicationVersion(info.version)
    QGuiApplication.setDesktopFileName("kuchipaku")
    application.setStyle("Fusion")
    install(application, info.settings.window.language)
    window = MainWindow(bus, latest_frame, info)
    previous = signal.getsignal(signal.SIGINT)
    if previous is signal.default_int_handler:
        # As an exception it would end up in whichever slot runs at that moment, and Qt would only print it.
        def close(_number: int, _frame: FrameType | None) -> None:
            QTimer.singleShot(0, window, window.close)

        signal.signal(signal.SIGINT, close)
    try:
        # In the tray there may be no window whose end would end the program.
        window.closed.connect(application.quit, Qt.ConnectionType.QueuedConnection)
        if info.settings.window.start_minimised:
            QTimer.singleShot(0, window, on_shown)
        else:
            _FirstPaint(window, on_shown)
        start(window)
        return application.exec()
    finally:
        if previous is signal.default_int_handler:
            signal.signal(signal.SIGINT, previous)
        window.close()
        window.deleteLater()
