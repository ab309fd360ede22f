"""The conversation: what was heard or typed, and the answer as it is spoken."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.gui.text import SelectableText
from app.gui.turn_bar import TurnBar
from app.policy.turn_times import TurnTimes

KEPT = 120
"""Bubbles kept. A relayout of all of them stays below 16 ms."""

SHARE = 0.86
"""Widest bubble, as a share of the log's width."""

PADDING_PX = (12, 8)

THINKING = ("·", "· ·", "· · ·")


class Bubble(QWidget):
    """One message. `who` is "user" or "character"."""

    def __init__(self, who: str, name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.who = who
        self.text = SelectableText()
        self.text.setProperty("who", who)
        self.name = QLabel(name)
        self.name.setProperty("role", "speaker")
        self._speaker = name
        self.times: TurnBar | None = None
        self._frame = QFrame()
        self._frame.setProperty("role", "bubble")
        self._frame.setProperty("who", who)
        inner = QHBoxLayout(self._frame)
        inner.setContentsMargins(PADDING_PX[0], PADDING_PX[1], PADDING_PX[0], PADDING_PX[1])
        inner.addWidget(self.text)
        side = Qt.AlignmentFlag.AlignRight if who == "user" else Qt.AlignmentFlag.AlignLeft
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.name, 0, side)
        column.addWidget(self._frame, 0, side)
        self.set_text(text)

    def set_text(self, text: str, weight: str = "") -> None:
        """Show `text`; `weight` "waiting" dims it."""
        if self.text.property("weight") != weight:
            self.text.setProperty("weight", weight)
            self.text.style().unpolish(self.text)
            self.text.style().polish(self.text)
        self.text.set_text(text)
        self.text.setAccessibleName(f"{self._speaker}: {text}")

    def set_note(self, note: str) -> None:
        """Add a remark to the speaker's name, such as "interrupted"."""
        self.name.setText(f"{self._speaker} · {note}" if note else self._speaker)

    def set_times(self, times: TurnTimes) -> None:
        """Show below it how long its first sound was waited for."""
        if self.times is None:
            self.times = TurnBar(times)
            column = self.layout()
            assert isinstance(column, QVBoxLayout)
            column.addWidget(self.times)

    def fit(self, log_width_px: int) -> None:
        """Wrap the text for a log of that width."""
        self.text.fit(max(80, int(log_width_px * SHARE) - 2 * PADDING_PX[0]))


class Conversation(QScrollArea):
    """Bubbles in order. An answer grows sentence by sentence as its clips start to sound."""

    def __init__(self, character: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._character = character
        self._bubbles: list[Bubble] = []
        self._typed: list[tuple[str, Bubble]] = []
        self._answers: dict[int, dict[int, str]] = {}
        self._thought: dict[int, dict[int, str]] = {}
        self._answer_bubbles: dict[int, Bubble] = {}
        self._waiting: Bubble | None = None
        self._hearing: Bubble | None = None
        self._waiting_step = 0
        self._can_speak = True
        self._follow = True
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        log = QWidget()
        log.setObjectName("log")
        self._column = QVBoxLayout(log)
        self._column.setContentsMargins(2, 6, 8, 6)
        self._column.setSpacing(10)
        self._empty = QLabel(self.tr("Nothing said yet.\n\nTalk, or type below.\nYou may interrupt the character."))
        self._empty.setProperty("role", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._column.addStretch(1)
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        self.setWidget(log)
        bar = self.verticalScrollBar()
        # Follow the newest words unless the reader has scrolled up.
        bar.valueChanged.connect(self._note_place)
        bar.rangeChanged.connect(self._keep_place)
        self.viewport().installEventFilter(self)
        self._refit = QTimer(self)
        self._refit.setSingleShot(True)
        self._refit.setInterval(0)
        self._refit.timeout.connect(self._fit_all)

    @property
    def messages(self) -> list[tuple[str, str]]:
        """(who, text) of every bubble but the ones that only wait or listen."""
        passing = (self._waiting, self._hearing)
        return [(b.who, b.text.toPlainText()) for b in self._bubbles if b not in passing]

    @property
    def notes(self) -> list[str]:
        """The line above each bubble."""
        return [b.name.text() for b in self._bubbles]

    @property
    def is_waiting(self) -> bool:
        """Whether the log shows that an answer is being thought of."""
        return self._waiting is not None

    def set_character(self, name: str) -> None:
        """Who answers from now on."""
        self._character = name

    def set_can_speak(self, can_speak: bool) -> None:
        """Without a voice no clip ever starts: answers are then shown as they are thought."""
        self._can_speak = can_speak
        if not can_speak:
            for turn, sentences in list(self._thought.items()):
                for index, text in sentences.items():
                    self._answer(turn, index, text)

    def add_typed(self, text: str) -> None:
        """Show at once what was typed; `add_heard` with the same text later gives it its turn."""
        self._typed.append((text.strip(), self._add("user", self.tr("You"), text.strip())))
        self._wait()

    def add_heard(self, turn: int, text: str, typed: bool) -> None:
        """What the user said or typed in `turn`."""
        text = text.strip()
        if not typed:
            self.set_hearing("")
        if not text:
            return
        match = next((entry for entry in self._typed if entry[0] == text), None) if typed else None
        if match is not None:
            # What was typed before it and never became a turn will not become one any more.
            del self._typed[: self._typed.index(match) + 1]
        else:
            self._add("user", self.tr("You"), text)
        self._forget_before(turn)
        self._wait()

    def set_hearing(self, text: str) -> None:
        """What the user is saying just now, as far as it is understood; "" where it came to nothing."""
        text = text.strip()
        if not text:
            if self._hearing is not None:
                hearing, self._hearing = self._hearing, None
                self._remove(hearing)
            return
        if self._hearing is None:
            self._hearing = self._add("user", self.tr("You"), "")
        self._hearing.set_text(text, "waiting")
        self._hearing.fit(self._log_width_px())

    def add_sentence(self, turn: int, index: int, text: str) -> None:
        """A sentence was thought. Shown when its sound starts, or now where there is no voice."""
        if not text.strip():
            return
        self._thought.setdefault(turn, {})[index] = text.strip()
        if not self._can_speak:
            self._answer(turn, index, text.strip())

    def add_spoken(self, turn: int, index: int, text: str) -> None:
        """The sound of a sentence starts; `text` is empty where another piece of the same sentence does."""
        if text.strip():
            self._answer(turn, index, text.strip())

    def set_times(self, times: TurnTimes) -> None:
        """How long the first sound of an answer was waited for."""
        bubble = self._answer_bubbles.get(times.turn)
        if bubble is not None:
            bubble.set_times(times)

    def end_turn(self, turn: int, interrupted: bool) -> None:
        """The character fell silent."""
        self._stop_waiting()
        self._thought.pop(turn, None)
        bubble = self._answer_bubbles.get(turn)
        if bubble is not None and interrupted:
            bubble.set_note(self.tr("interrupted"))

    def stop_waiting(self) -> None:
        """No answer will come."""
        self._stop_waiting()

    def animate(self) -> None:
        """One slow tick: move the waiting dots."""
        if self._waiting is not None:
            self._waiting_step = (self._waiting_step + 1) % len(THINKING)
            self._waiting.set_text(THINKING[self._waiting_step], "waiting")

    def _answer(self, turn: int, index: int, text: str) -> None:
        spoken = self._answers.setdefault(turn, {})
        if spoken.get(index) == text:
            return
        spoken[index] = text
        whole = " ".join(spoken[i] for i in sorted(spoken))
        bubble = self._answer_bubbles.get(turn)
        if bubble is None and self._waiting is not None:
            bubble, self._waiting = self._waiting, None
            bubble.set_text(whole)
        elif bubble is None:
            bubble = self._add("character", self._character, whole)
        else:
            bubble.set_text(whole)
        self._answer_bubbles[turn] = bubble

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting_step = 0
        waiting = self._add("character", self._character, "")
        waiting.set_text(THINKING[0], "waiting")
        self._waiting = waiting

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._remove(waiting)

    def _forget_before(self, turn: int) -> None:
        for table in (self._thought, self._answers, self._answer_bubbles):
            for old in [key for key in table if key < turn - 8]:
                del table[old]

    def _add(self, who: str, name: str, text: str) -> Bubble:
        self._empty.hide()
        if who == "user":
            self._follow = True
        bubble = Bubble(who, name, text)
        self._bubbles.append(bubble)
        # Before the last stretch, which keeps a short log at the top once the first one has shrunk to nothing.
        self._column.setStretch(0, 0)
        self._column.insertWidget(self._column.count() - 1, bubble)
        bubble.fit(self._log_width_px())
        if len(self._bubbles) > KEPT:
            self._remove(self._bubbles[0])
        return bubble

    def _remove(self, bubble: Bubble) -> None:
        self._bubbles.remove(bubble)
        if bubble is self._hearing:
            self._hearing = None
        self._typed = [entry for entry in self._typed if entry[1] is not bubble]
        self._answer_bubbles = {turn: b for turn, b in self._answer_bubbles.items() if b is not bubble}
        self._column.removeWidget(bubble)
        bubble.hide()
        bubble.deleteLater()
        if not self._bubbles:
            self._column.setStretch(0, 1)
            self._empty.show()

    def _log_width_px(self) -> int:
        margins = self._column.contentsMargins()
        return self.viewport().width() - margins.left() - margins.right()

    def _fit_all(self) -> None:
        width_px = self._log_width_px()
        for bubble in self._bubbles:
            bubble.fit(width_px)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wrap again once per burst of resizes, not at each of them."""
        if isinstance(event, QResizeEvent) and event.size().width() != event.oldSize().width():
            self._refit.start()
        return super().eventFilter(watched, event)

    def _note_place(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() > 0:
            self._follow = value >= bar.maximum() - 4

    def _keep_place(self, _low: int, high: int) -> None:
        if self._follow:
            self.verticalScrollBar().setValue(high)
