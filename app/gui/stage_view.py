"""The stage with what is written on it: tier, frame rate, set-up progress."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.canvas import SAFE_AREA, Placement
from app.gui.lip_sync import LipsBadge
from app.gui.preview import Preview
from app.gui.theme import Theme
from app.messages import Frame

ROWS = 3
"""Progress bars shown at once."""


class ProgressCard(QFrame):
    """One bar per thing that is being prepared; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._shares: dict[str, float] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 12, 16, 14)
        self._column.setSpacing(6)
        self._rows: list[tuple[QLabel, QLabel, QProgressBar]] = []
        for _ in range(ROWS):
            what, percent, bar = QLabel(), QLabel(), QProgressBar()
            percent.setProperty("role", "dim")
            bar.setTextVisible(False)
            bar.setRange(0, 1000)
            head = QHBoxLayout()
            head.addWidget(what, 1)
            head.addWidget(percent)
            self._column.addLayout(head)
            self._column.addWidget(bar)
            self._rows.append((what, percent, bar))
        self.setFixedWidth(340)
        self.hide()

    def set_share(self, what: str, share: float) -> None:
        """`share` in [0, 1]; 1 takes the row away."""
        if share >= 1.0:
            self._shares.pop(what, None)
        else:
            self._shares[what] = share
        shown = list(self._shares.items())[-ROWS:]
        for row, (label, percent, bar) in enumerate(self._rows):
            for widget in (label, percent, bar):
                widget.setVisible(row < len(shown))
            if row < len(shown):
                name, part = shown[row]
                words = name[:1].upper() + name[1:]
                label.setText(label.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 250))
                label.setToolTip(name)
                percent.setText(self.tr("{percent} %").format(percent=int(part * 100)))
                bar.setValue(round(part * 1000))
                bar.setAccessibleName(name)
        self.setVisible(bool(shown))

    def clear(self) -> None:
        """Nothing is being prepared any more."""
        for what in list(self._shares):
            self.set_share(what, 1.0)


class Lamp(QLabel):
    """Whether viewers get the picture: a filled dot and "On air", or a ring and "Off air"."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "badge")
        self._theme = theme
        self._state = ""
        self.set_state("off", is_away=False)

    @property
    def state(self) -> str:
        """Either "on", "off" or "away"."""
        return self._state

    def set_theme(self, theme: Theme) -> None:
        """Draw the dot in other colours."""
        self._theme = theme
        self._draw()

    def set_state(self, camera: str, *, is_away: bool) -> None:
        """`camera`: the camera's state; `is_away`: viewers are shown the picture "be right back"."""
        on = camera in ("ready", "busy")
        state = "away" if on and is_away else "on" if on else "off"
        if state != self._state:
            self._state = state
            self._draw()

    def _draw(self) -> None:
        words = {"on": self.tr("On air"), "off": self.tr("Off air"), "away": self.tr("Be right back")}[self._state]
        tip = {
            "on": self.tr("The virtual camera is on: other programs get this picture."),
            "off": self.tr("The virtual camera is off: nobody but you sees this picture."),
            "away": self.tr("The virtual camera shows the picture “be right back”."),
        }[self._state]
        theme = self._theme
        colour = {"on": theme.bad, "off": theme.dim, "away": theme.warn}[self._state]
        sign = "○" if self._state == "off" else "●"
        self.setText(f'<span style="color:{colour}">{sign}</span>&nbsp;{words}')
        self.setToolTip(tip)
        self.setAccessibleName(words)
        self.setAccessibleDescription(tip)


STEP = 0.02
"""How far an arrow key moves the character, in parts of the stage."""
NOTCH = 1.1
"""How much larger one notch of the wheel makes it."""
KEEP_AFTER_MS = 500
"""A placement is written into the settings once the wheel has rested so long."""


class StageView(Preview):
    """The canvas that viewers get, with badges in its corners and start-up words in its middle.

    The mouse moves the character, the wheel makes it larger around the pointer, a double click puts it back; so do the
    arrow keys, plus and minus, and Home. `placed` is told while it moves, `kept` once it rests.
    """

    placed = Signal(object)
    """A Placement, at most once per POLL_MS."""
    kept = Signal(object)
    """A Placement."""

    def __init__(
        self,
        latest_frame: Callable[[], Frame | None],
        character: str,
        theme: Theme,
        parent: QWidget | None = None,
        aspect: float = 16 / 9,
    ) -> None:
        super().__init__(latest_frame, theme, parent, aspect)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setAccessibleDescription(
            self.tr("Live picture of the character. Arrow keys move it, plus and minus zoom, Home puts it back.")
        )
        self._grabbed_at: QPointF | None = None
        self._is_moving = False
        self._untold: Placement | None = None
        self._shows_safe_area = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(KEEP_AFTER_MS)
        self._rest.timeout.connect(self._keep)
        self.tier = QLabel()
        self.tier.setProperty("role", "badge")
        self.tier.hide()
        self.lamp = Lamp(theme)
        self.lips = LipsBadge()
        self.rate = QLabel()
        self.rate.setProperty("role", "badge")
        self.rate.hide()
        self.words = QLabel()
        self.words.setProperty("role", "words")
        self.card = ProgressCard()
        self._missed: deque[int] = deque(maxlen=60)
        self._missed_in_all = 0
        self._figures: tuple[float, str] | None = None
        self._waking_words = self.tr("{name} is waking up…").format(name=character)
        self._grid = grid = QGridLayout(self)
        grid.setVerticalSpacing(14)
        left = QHBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.lamp)
        left.addWidget(self.tier)
        left.addWidget(self.lips)
        grid.addLayout(left, 0, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.rate, 0, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.words, 2, 0, 1, 2, Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(self.card, 3, 0, 1, 2, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        grid.setRowStretch(1, 1)
        self.words.setText(self._waking_words)

    def set_character(self, name: str) -> None:
        """Somebody else comes on: it is what the start-up words speak of."""
        before, self._waking_words = self._waking_words, self.tr("{name} is waking up…").format(name=name)
        if self.words.text() == before:
            self.words.setText(self._waking_words)

    # Where the character is.

    def set_aspect(self, aspect: float) -> None:
        """The canvas has another shape: width by height."""
        if aspect != self._aspect:
            self._aspect = aspect
            self._fit()

    def set_safe_area(self, on: bool) -> None:
        """Draw the frame within which nothing is cut off, or do not."""
        self._shows_safe_area = on
        self.update()

    @property
    def is_moving(self) -> bool:
        """Whether a placement is under way that the settings do not know yet."""
        return self._is_moving

    def place(self, placement: Placement) -> None:
        """Show the character there, tell so, and keep it once it rests."""
        if placement == self.scene.placement:
            return
        self._is_moving = True
        self._untold = placement
        self.set_scene(replace(self.scene, placement=placement))
        self._rest.start()

    def _keep(self) -> None:
        if self._grabbed_at is not None:
            self._rest.start()  # the button is still down
            return
        self._tell_place()
        self.kept.emit(self.scene.placement)
        self._is_moving = False

    def _tell_place(self) -> None:
        if self._untold is not None:
            placement, self._untold = self._untold, None
            self.placed.emit(placement)

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Make the character `factor` times as large around `at`; the canvas's middle by default."""
        where = self.canvas()
        if where.isEmpty():
            return
        at = QPointF(where.center()) if at is None else at
        at_x, at_y = (at.x() - where.x()) / where.width(), (at.y() - where.y()) / where.height()
        self.place(self.scene.placement.zoomed(factor, at_x, at_y, where.width() / where.height()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the character."""
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.canvas().contains(event.position().toPoint()):
            self._grabbed_at = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it along."""
        where = self.canvas()
        if self._grabbed_at is None or where.isEmpty():
            super().mouseMoveEvent(event)
            return
        way = event.position() - self._grabbed_at
        self._grabbed_at = event.position()
        self.place(self.scene.placement.moved(way.x() / where.width(), way.y() / where.height()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let it go."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._grabbed_at is not None:
            self._grabbed_at = None
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            if self._is_moving:
                self._rest.stop()
                self._keep()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Put it back to its place."""
        self.place(Placement())
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Make it larger or smaller."""
        notches = event.angleDelta().y() / 120
        if notches and self.canvas().contains(event.position().toPoint()):
            self.zoom(NOTCH**notches, event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, plus, minus and Home do what the mouse does."""
        moves = {
            Qt.Key.Key_Left: (-STEP, 0.0),
            Qt.Key.Key_Right: (STEP, 0.0),
            Qt.Key.Key_Up: (0.0, -STEP),
            Qt.Key.Key_Down: (0.0, STEP),
        }
        key = Qt.Key(event.key())
        if key in moves:
            self.place(self.scene.placement.moved(*moves[key]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(NOTCH)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / NOTCH)
        elif key == Qt.Key.Key_Home:
            self.place(Placement())
        else:
            super().keyPressEvent(event)

    # How it looks.

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.lamp.set_theme(theme)
        super().set_theme(theme)

    def _draw_over(self, painter: QPainter, where: QRect) -> None:
        if not self._shows_safe_area:
            return
        across, down = where.width() * SAFE_AREA, where.height() * SAFE_AREA
        area = QRectF(where).adjusted(across, down, -across, -down)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        # Dark beside light: seen before every background.
        for colour, offset in ((QColor(0, 0, 0, 130), 1.0), (QColor(255, 255, 255, 190), 0.0)):
            painter.setPen(QPen(colour, 1.0, Qt.PenStyle.DashLine))
            painter.drawRect(area.translated(offset, offset))

    def _fit(self) -> None:
        where = self.canvas()
        right, below = self.width() - where.right() - 1, self.height() - where.bottom() - 1
        self._grid.setContentsMargins(where.left() + 12, where.top() + 12, right + 12, below + 16)
        self._backdrop = QPixmap()
        self._take()
        self._fit_badges()
        self.update()

    def _fit_badges(self) -> None:
        """Where the picture is too narrow for all badges, the tier goes: whole words before all words."""
        badges = [badge for badge in (self.lamp, self.lips, self.rate) if not badge.isHidden()]
        wanted_px = sum(badge.sizeHint().width() + 8 for badge in [*badges, self.tier])
        self.tier.setVisible(bool(self.tier.text()) and wanted_px <= self.canvas().width() - 24)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The badges stay in the corners of the canvas."""
        super().resizeEvent(event)
        self._fit()

    def poll(self) -> None:
        """Take the newest frame; the first one clears the start-up words."""
        self._tell_place()
        had = self.has_frame
        super().poll()
        if self.has_frame and not had:
            self.words.hide()

    def set_face_state(self, state: str) -> None:
        """The face failed, works, or starts."""
        if state == "failed":
            self.words.setText(self.tr("No picture: the face is not running"))
        elif state in ("starting", "busy"):
            self.words.setText(self._waking_words)
        elif state == "ready":
            self.words.setText("")
        if not self.has_frame:
            self.words.setVisible(bool(self.words.text()))
        if state in ("failed", "ready"):
            self.card.clear()
        if state in ("failed", "off", "starting"):
            self.rate.hide()
            self._figures = None

    def set_figures(self, fps: float, missed: int, tier: str) -> None:
        """Take in the figures of one second; `refresh` shows them."""
        self._missed.append(missed)
        self._missed_in_all += missed
        self._figures = (fps, tier)

    def refresh(self) -> None:
        """Write the newest figures."""
        if self._figures is None:
            return
        fps, tier = self._figures
        dropped = sum(self._missed)
        self.rate.setText(self.tr("{fps:.0f} fps · {dropped} dropped").format(fps=fps, dropped=dropped))
        self.rate.setToolTip(
            self.tr("Frames per second, and frames that came too late in the last minute ({all} in all)").format(
                all=self._missed_in_all
            )
        )
        self.rate.show()
        name = {"live": self.tr("LIVE"), "exact": self.tr("EXACT")}.get(tier.lower(), tier.upper())
        if name != self.tier.text():
            self.tier.setText(name)
            self.tier.setProperty("tier", tier.lower())
            self.tier.style().unpolish(self.tier)
            self.tier.style().polish(self.tier)
            self.tier.setToolTip(
                {
                    "live": self.tr(
                        "Live tier: the face plays what was prepared for this character (fast, on the CPU)"
                    ),
                    "exact": self.tr("Exact tier: every frame comes from the full networks"),
                }.get(tier.lower(), tier)
            )
        self._fit_badges()
