"""The stage: the character, the switches below it, and the conversation with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.canvas import Placement
from app.gui import icons
from app.gui.character_choice import CharacterChoice
from app.gui.conversation import Conversation
from app.gui.expressions import KEYS, ExpressionBar
from app.gui.lip_sync import LipSyncPanel
from app.gui.meter import LevelMeter
from app.gui.mini_view import MiniView
from app.gui.picker import Picker
from app.gui.scenery import Scenery
from app.gui.stage_bar import StageBar
from app.gui.stage_view import StageView
from app.gui.studio import Page, Studio
from app.gui.switch import Switch
from app.gui.theme import Theme
from app.messages import (
    Ask,
    Express,
    Gesture,
    LipSyncTest,
    MouthOffset,
    Mute,
    StopTalking,
    SwitchCamera,
)

MAX_TYPED = 2000
"""Characters: more than a small model's context takes."""

GESTURE_KEYS = {
    Qt.Key.Key_Y: "nod",
    Qt.Key.Key_N: "shake",
    Qt.Key.Key_H: "tilt",
    Qt.Key.Key_B: "bow",
    Qt.Key.Key_L: "lean",
}
"""Yes, no, hm, bow, lean."""


class StagePage(Page):
    """What is seen while the show runs. Its single-letter keys count only while this page is shown."""

    icon = "stage"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self._info = studio.info
        self._theme = studio.theme
        self._voice_states: dict[str, str] = {}
        self._microphone_works = True
        self._microphone_wanted = self._info.microphone_on
        self._shortcuts: list[QShortcut] = []
        self._camera_state = "off"
        self._is_away = False
        self._build()
        self._add_keys()
        self._apply_theme(studio.theme)
        studio.theme_changed.connect(self._apply_theme)
        self._connect()

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Stage")

    def enter(self) -> None:
        """Not the text field gets the focus: the keys 1 to 8 work from the first moment."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(True)
        self.stage.setFocus()

    def leave(self) -> None:
        """The letters belong to other pages now; the lip-sync test ends and its offset is kept."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
        self.lip_sync.leave()

    def close_down(self) -> None:
        """The window closes: no timer goes on, and the offset of the mouth is kept."""
        self.stage.stop()
        if self.mini is not None:
            self.mini.close_down()
        self.lip_sync.keep()

    # What is where.

    def _build(self) -> None:
        camera = self.studio.settings.camera
        self.stage = StageView(
            self.studio.latest_frame, self._info.character, self._theme, aspect=camera.width_px / camera.height_px
        )
        self.scenes = Scenery(self.studio, self.stage)
        self.bar = StageBar(self.studio)
        self.mini: MiniView | None = None
        self.expressions = ExpressionBar(self._info.expressions, self._theme)
        if "neutral" in self._info.expressions:
            self.expressions.set_active("neutral")
        self.lip_sync = LipSyncPanel(self._info.mouth_offset_ms, self._theme)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(10)
        column.addWidget(self.stage, 1)
        column.addWidget(self.bar)
        column.addWidget(self.lip_sync)
        column.addWidget(self.expressions)
        column.addWidget(self._build_dock())
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(8)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self._build_talk())
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([800, 335])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter, 1)

    def _build_dock(self) -> QWidget:
        dock = QFrame()
        dock.setProperty("role", "panel")
        row = QHBoxLayout(dock)
        row.setContentsMargins(12, 9, 10, 9)
        row.setSpacing(12)
        self.microphone = Switch("microphone", self.tr("Microphone"), self._theme)
        self.microphone.setChecked(self._info.microphone_on)
        self.microphone.setToolTip(self.tr("Switch the microphone on or off (M)"))
        self.meter = LevelMeter(self._theme)
        self.meter.set_open(self._info.microphone_on)
        self.meter.setMaximumWidth(260)
        self.no_microphone = QLabel(self.tr("not available"))
        self.no_microphone.setProperty("role", "dim")
        self.no_microphone.hide()
        self.camera = Switch("camera", self.tr("Camera"), self._theme)
        self.camera.setChecked(self._info.camera_on)
        self.camera.setToolTip(self.tr("Show the character as a webcam to other programs (C)"))
        self.stop = QPushButton(self.tr("Stop talking"))
        self.stop.setToolTip(self.tr("Fall silent now (Esc; Ctrl+. also while typing)"))
        row.addWidget(self.microphone)
        row.addWidget(self.meter, 4)
        row.addWidget(self.no_microphone)
        row.addStretch(1)
        row.addWidget(self.camera)
        row.addWidget(self.stop)
        return dock

    def _build_talk(self) -> QWidget:
        panel = QFrame()
        panel.setProperty("role", "panel")
        panel.setMinimumWidth(240)
        self.picker = Picker()
        self.picker.setAccessibleName(self.tr("Character"))
        self.picker.setToolTip(self.tr("Who you talk with"))
        self.picker.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.picker.setMinimumContentsLength(8)
        CharacterChoice(self.studio, self.picker)
        self.presence = QLabel()
        self.presence.hide()
        self.presence.setProperty("role", "presence")
        self.presence.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.log = Conversation(self._info.character)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Type a message…"))
        self.field.setAccessibleName(self.tr("Message"))
        self.field.setToolTip(self.tr("Type a message (T); Enter sends, Escape leaves the field"))
        self.field.setMaxLength(MAX_TYPED)
        self.send = QPushButton()
        self.send.setProperty("role", "primary")
        self.send.setAccessibleName(self.tr("Send"))
        self.send.setToolTip(self.tr("Send (Enter)"))
        self.send.setEnabled(False)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.picker, 1)
        head.addWidget(self.presence)
        line = QFrame()
        line.setProperty("role", "line")
        entry = QHBoxLayout()
        entry.setSpacing(8)
        entry.addWidget(self.field, 1)
        entry.addWidget(self.send)
        column = QVBoxLayout(panel)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(line)
        column.addWidget(self.log, 1)
        column.addLayout(entry)
        return panel

    def _add_keys(self) -> None:
        for key in range(1, KEYS + 1):
            code = Qt.Key(Qt.Key.Key_0 + key)
            keys = [QKeySequence(code), QKeySequence(QKeyCombination(Qt.KeyboardModifier.KeypadModifier, code))]
            self._on_keys(keys, partial(self.expressions.press_key, key))
        for code, gesture in GESTURE_KEYS.items():
            self._on_keys([QKeySequence(code)], partial(self.studio.put, Gesture(gesture)))
        self._on_keys([QKeySequence(Qt.Key.Key_M)], self.microphone.toggle)
        self._on_keys([QKeySequence(Qt.Key.Key_C)], self.camera.click)
        self._on_keys([QKeySequence(Qt.Key.Key_T)], lambda: self.field.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self._on_keys([QKeySequence(Qt.Key.Key_Escape)], self._escape, also_in_field=True)

    def _on_keys(self, keys: list[QKeySequence], act: Callable[[], object], also_in_field: bool = False) -> None:
        shortcut = QShortcut(self)
        shortcut.setKeys(list(dict.fromkeys(keys)))
        shortcut.setAutoRepeat(False)
        # What is typed into the field is text, never a command.
        shortcut.activated.connect(lambda: act() if also_in_field or not self.field.hasFocus() else None)
        self._shortcuts.append(shortcut)

    def _connect(self) -> None:
        bridge = self.studio.bridge
        bridge.level.connect(self.meter.set_level)
        bridge.tick.connect(self.meter.fall)
        bridge.slow_tick.connect(self._refresh_texts)
        bridge.state.connect(self._show_state)
        bridge.user_speaking.connect(self._show_user_speaking)
        bridge.talk_key.connect(self._show_talk_key)
        bridge.hearing.connect(self.log.set_hearing)
        bridge.heard.connect(self._show_heard)
        bridge.sentence.connect(self.log.add_sentence)
        bridge.spoken.connect(self._show_spoken)
        bridge.fell_silent.connect(self._show_silence)
        bridge.progress.connect(self.stage.card.set_share)
        bridge.frames.connect(self.stage.set_figures)
        bridge.answered.connect(self.log.set_times)
        bridge.panic.connect(self._show_panic)
        self.stage.placed.connect(lambda placement: self.bar.show_zoom(placement.zoom))
        self.bar.zoomed.connect(lambda zoom: self.stage.zoom(zoom / self.stage.scene.placement.zoom))
        self.bar.reset.connect(lambda: self.stage.place(Placement()))
        self.bar.mini_wanted.connect(self.toggle_mini)
        bridge.expression.connect(self.expressions.set_active)
        bridge.on_stage.connect(self._show_character)
        bridge.character.connect(lambda _: self.log.set_character(self.picker.currentText()))
        self.studio.setting_changed.connect(self._note_setting)
        bridge.lips.connect(self._show_lips)
        bridge.lip_sync_test.connect(self.lip_sync.begin_test)
        bridge.fell_silent.connect(lambda turn, _: self.lip_sync.end_turn(turn))
        self.stage.lips.clicked.connect(self._toggle_lip_sync)
        self.lip_sync.close_button.clicked.connect(self.lip_sync.leave)
        self.lip_sync.offset_changed.connect(lambda ms, keep: self.studio.put(MouthOffset(ms, keep)))
        self.lip_sync.test_wanted.connect(self._test_lip_sync)
        self.expressions.chosen.connect(lambda name: self.studio.put(Express(name)))
        self.microphone.toggled.connect(self._switch_microphone)
        self.camera.clicked.connect(lambda on: self.studio.put(SwitchCamera(on)))
        self.stop.clicked.connect(self.stop_talking)
        self.field.returnPressed.connect(self._ask)
        self.field.textChanged.connect(lambda text: self.send.setEnabled(bool(text.strip())))
        self.send.clicked.connect(self._ask)

    # What the user does.

    def _ask(self) -> None:
        text = self.field.text().strip()
        if not text:
            return
        # A new attempt: should it fail as the last one did, the user must learn of it.
        self.studio.retried.emit(("stt", "llm", "tts", "playback"))
        self.studio.put(Ask(text))
        self.field.clear()
        self.log.add_typed(text)
        self._say_presence(self.tr("thinking"))

    def stop_talking(self) -> None:
        """Have the character fall silent now."""
        self.studio.put(StopTalking())
        self.log.stop_waiting()

    def _escape(self) -> None:
        if self.field.hasFocus():
            self.stage.setFocus()
        else:
            self.stop_talking()

    def _switch_microphone(self, on: bool) -> None:
        self._microphone_wanted = on
        if on:
            self.studio.retried.emit(("capture",))
        self.meter.set_open(on and self._microphone_works)
        self.studio.put(Mute(not on))

    def _toggle_lip_sync(self) -> None:
        if self.lip_sync.isVisible():
            self.lip_sync.leave()
        self.lip_sync.setVisible(not self.lip_sync.isVisible())

    def _test_lip_sync(self, on: bool) -> None:
        if on:
            self.studio.retried.emit(("playback",))
        self.studio.put(LipSyncTest(on))

    # What the facts say.

    def _show_state(self, stage: str, state: str, _label: str) -> None:
        if stage == "capture":
            self._microphone_works = state != "failed"
            # A microphone that failed is off, and switching it on is how to try again. The wish itself is kept.
            self._show_microphone()
            self.meter.setVisible(self._microphone_works)
            self.no_microphone.setVisible(not self._microphone_works)
        elif stage == "camera":
            # The camera's own word counts: the switch never claims a picture that nobody gets.
            if state != "busy":
                self.camera.setChecked(state in ("ready", "starting"))
            self._camera_state = state
            self.stage.lamp.set_state(state, is_away=self._is_away)
        elif stage == "avatar":
            self.stage.set_face_state(state)
        elif stage in ("tts", "playback"):
            self._voice_states[stage] = state
            self.log.set_can_speak(not {"failed", "off"} & set(self._voice_states.values()))
        if state == "failed" and stage in ("stt", "llm"):
            self.log.stop_waiting()
            self._say_presence("")

    def _note_setting(self, name: str, value: object) -> None:
        """The microphone was switched, or the mouth shifted, by a key, in the tray, or on another page."""
        if name == "hearing.muted":
            self._microphone_wanted = not value
            self._show_microphone()
        elif name == "lips.mouth_offset_ms":
            self.lip_sync.set_offset(int(str(value)))

    def _show_microphone(self) -> None:
        self.microphone.blockSignals(True)
        self.microphone.setChecked(self._microphone_wanted and self._microphone_works)
        self.microphone.blockSignals(False)
        self.meter.set_open(self.microphone.isChecked())

    def _show_user_speaking(self, is_speaking: bool) -> None:
        self._say_presence(self.tr("listening") if is_speaking else self.tr("understanding"))

    def _show_talk_key(self, on: bool) -> None:
        self._say_presence(self.tr("listening") if on else "")

    def _show_heard(self, turn: int, text: str, typed: bool) -> None:
        self.log.add_heard(turn, text, typed)
        self._say_presence(self.tr("thinking") if text.strip() else "")

    def _show_spoken(self, turn: int, index: int, text: str) -> None:
        self.log.add_spoken(turn, index, text)
        self._say_presence(self.tr("speaking"))

    def _show_silence(self, turn: int, interrupted: bool) -> None:
        self.log.end_turn(turn, interrupted)
        if self.presence.text() == self.tr("speaking"):
            self._say_presence("")

    def _show_lips(self, method: str, model: str, reason: str) -> None:
        self.lip_sync.set_source(method, model, reason)
        self.stage.lips.set_source(method)
        self.stage.lips.set_explanation(self.lip_sync.explanation())

    def _show_character(self, name: str, _path: str, expressions: list[str]) -> None:
        """Who answers from now on, and what its face can show; the face itself may take minutes to be ready."""
        self.expressions.set_names(expressions)
        self.stage.set_character(name)
        self.log.set_character(name)

    def _say_presence(self, words: str) -> None:
        self.presence.setText(words)
        self.presence.setVisible(bool(words))

    def _show_panic(self, on: bool) -> None:
        self._is_away = on
        self.stage.lamp.set_state(self._camera_state, is_away=on)

    def toggle_mini(self) -> None:
        """Open the small window, or close it."""
        if self.mini is not None and self.mini.isVisible():
            self.mini.close()
            return
        if self.mini is None:
            self.mini = MiniView(self.studio, self.stage, self.window())
        self.mini.open_beside()

    def _refresh_texts(self) -> None:
        self.stage.refresh()
        self.log.animate()

    def _apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.stage, self.bar, self.lip_sync, self.expressions, self.meter, self.microphone, self.camera):
            part.set_theme(theme)
        self.picker.arrow = theme.dim
        self.stop.setIcon(icons.icon("stop", theme.text))
        self.send.setIcon(icons.icon("send", theme.on_accent, disabled=theme.dim))
