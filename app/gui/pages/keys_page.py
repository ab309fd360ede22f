"""Hotkeys: keys that work while another program has the focus, and how other programs press them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.characters import library
from app.control_token import token_file
from app.errors import AppError
from app.gui import icons
from app.gui.background import in_background
from app.gui.expressions import readable
from app.gui.fields import Note, NumberField, Row, SwitchField, calm, make_picker
from app.gui.form_page import FormPage
from app.gui.key_names import keys_of
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.gui.token_row import TokenRow
from app.messages import RecordKey
from app.policy.hotkeys import DEFAULT_S, SECONDS, Binding, Bindings, Mode, natural_mode, normal_keys

EXPRESSIONS = ("happy", "sad", "angry", "surprised", "shy", "sleepy", "smug", "neutral")
"""What every character can show."""
GESTURES = ("nod", "shake", "tilt", "bow", "lean")


class Recorder(QPushButton):
    """Shows keys, and takes those that are pressed after a click. Esc, or to look elsewhere, leaves them as they are.

    `recorded` has them as they are written in the settings; `refused` says why they cannot be used.
    """

    recorded = Signal(str)
    refused = Signal(str)
    recording = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._is_recording = False  # Qt sends events from the first moment
        super().__init__(parent)
        self.setProperty("role", "field")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._keys = ""
        self.clicked.connect(self._begin)
        self.show_keys("")

    @property
    def is_recording(self) -> bool:
        """Whether the next keys are taken."""
        return self._is_recording

    def show_keys(self, keys: str, for_all: str = "") -> None:
        """Show these keys; where there are none, those `for_all` characters."""
        self._keys = keys
        self._for_all = for_all
        if not self._is_recording:
            self._show()

    def _show(self) -> None:
        if self._keys:
            self.setText(self._keys)
        elif self._for_all:
            self.setText(self.tr("{keys}, as for every character").format(keys=self._for_all))
        else:
            self.setText(self.tr("Set a key…"))

    def _begin(self) -> None:
        if self._is_recording:
            return
        self._is_recording = True
        self.setText(self.tr("Press the keys… (Esc: leave)"))
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.grabKeyboard()
        self.recording.emit(True)

    def end(self) -> None:
        """Take no keys any longer."""
        if not self._is_recording:
            return
        self._is_recording = False
        self.releaseKeyboard()
        self._show()
        self.recording.emit(False)

    def event(self, event: QEvent) -> bool:
        """While recording, no key is a shortcut of the window, and none moves the focus."""
        if self._is_recording and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if self._is_recording and event.type() == QEvent.Type.KeyPress:
            self.keyPressEvent(cast("QKeyEvent", event))
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys once one is down that is more than Ctrl, Alt, Shift or Meta."""
        if not self._is_recording:
            super().keyPressEvent(event)
            return
        keys = keys_of(event)
        if not keys or event.isAutoRepeat():
            return
        if keys == "Esc":
            self.end()
            return
        try:
            found = normal_keys(keys)
        except AppError as error:
            self.end()
            self.refused.emit(f"{error.problem} {error.remedy}")
            return
        self.end()
        self.recorded.emit(found)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The space that began the recording is not pressed again by being let go."""
        if not self._is_recording:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Who looks elsewhere records nothing."""
        self.end()
        super().focusOutEvent(event)


class KeyRow(Row):
    """One action: its keys, for an expression also what they do, a way to take them away, and who else wants them."""

    def __init__(self, studio: Studio, action: str, label: str, help_text: str) -> None:
        super().__init__(label, help_text)
        self.studio = studio
        self.action = action
        self.scope = ""
        """The character that the keys are for; "" for all."""
        self._refused: dict[str, str] = {}
        self._wrong: dict[str, str] = {}
        self._is_expression = action.startswith("express ")
        self._has_how = action.startswith(("express ", "gesture "))
        self.recorder = Recorder()
        self.recorder.setAccessibleName(self.tr("Key for: {action}").format(action=label))
        self.recorder.setAccessibleDescription(help_text)
        self.recorder.recorded.connect(lambda keys: self._want(keys=keys))
        self.recorder.refused.connect(self.problem.say)
        self.recorder.recording.connect(self._say_recording)
        self.clear = QPushButton()
        self.clear.setProperty("role", "quiet")
        self.clear.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clear.setToolTip(self.tr("Take the key away"))
        self.clear.setAccessibleName(self.tr("Take the key away: {action}").format(action=label))
        self.clear.clicked.connect(lambda: self._want(keys=""))
        policy = self.clear.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.clear.setSizePolicy(policy)
        self.mode = make_picker(studio.theme)
        self.mode.setAccessibleName(self.tr("What the key does: {action}").format(action=label))
        for mode, words in (
            ("toggle", self.tr("On and off")),
            ("hold", self.tr("While held")),
            ("timed", self.tr("For a while")),
        ):
            self.mode.addItem(words, mode)
        self.mode.activated.connect(lambda index: self._want(mode=self.mode.itemData(index)))
        self.seconds = QDoubleSpinBox()
        self.seconds.setRange(*SECONDS)
        self.seconds.setDecimals(1)
        self.seconds.setSingleStep(0.5)
        self.seconds.setValue(DEFAULT_S)
        self.seconds.setSuffix(self.tr(" s"))
        self.seconds.setKeyboardTracking(False)
        self.seconds.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.seconds.setAccessibleName(self.tr("How long: {action}").format(action=label))
        calm(self.seconds)
        self.seconds.valueChanged.connect(lambda value: self._want(for_s=round(value, 1)))
        self._how = QWidget()
        """Keeps its room where there is nothing to choose, so that all keys stand in one column."""
        how = QHBoxLayout(self._how)
        how.setContentsMargins(0, 0, 0, 0)
        how.setSpacing(8)
        how.addWidget(self.mode, 1)
        how.addWidget(self.seconds)
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.recorder, 1)
        row.addWidget(self._how)
        row.addWidget(self.clear)
        self._how.setVisible(self._has_how)
        self.put_editor(editor)
        named = self._grid.itemAtPosition(0, 0)
        if not help_text and named is not None and isinstance(named.layout(), QVBoxLayout):
            cast("QVBoxLayout", named.layout()).insertStretch(0, 1)  # a name alone stands level with its key
        self.set_theme(studio.theme)
        studio.theme_changed.connect(self.set_theme)
        studio.setting_changed.connect(self._note_changed)
        studio.setting_refused.connect(self._note_refused)
        self.show_binding()

    def _fit(self) -> None:
        if self._editor is not None:
            # Expressions have two controls more, and gestures below them leave room for these.
            letter_px = self.fontMetrics().averageCharWidth()
            self._how.setFixedWidth(30 * letter_px)
            self._editor.setFixedWidth((78 if self._has_how else 50) * letter_px)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.clear.setIcon(icons.icon("close", theme.text, 16))
        self.mode.arrow = theme.dim
        self.mode.update()

    def set_scope(self, character: str) -> None:
        """Show and set the keys for one character, or for all ("")."""
        self.recorder.end()
        self.scope = character
        self.problem.say("")
        self.show_binding()

    def set_status(self, refused: dict[str, str], wrong: dict[str, str]) -> None:
        """What the desktop and the settings file say about keys."""
        self._refused, self._wrong = refused, wrong
        self.show_binding()

    @property
    def bindings(self) -> Bindings:
        """All that the settings bind."""
        return Bindings.of(self.studio.settings.keys.bindings)

    def _binding(self, scope: str) -> Binding:
        for each in self.bindings.all:
            if each.action == self.action and each.character.casefold() == scope.casefold():
                return each
        return Binding(self.action, "", natural_mode(self.action), character=scope)

    def show_binding(self) -> None:
        """Show what is in force, and who else wants the same keys."""
        binding = self._binding(self.scope)
        shared = self._binding("") if self.scope else binding
        self.recorder.show_keys(binding.keys, shared.keys if self.scope else "")
        self.clear.setVisible(bool(binding.keys))
        for control in (self.mode, self.seconds):
            control.blockSignals(True)
        self.mode.setCurrentIndex(max(0, self.mode.findData(binding.mode)))
        self.seconds.setValue(binding.for_s)
        for control in (self.mode, self.seconds):
            control.blockSignals(False)
        self.mode.setVisible(self._is_expression and bool(binding.keys))
        self.seconds.setVisible(self._is_expression and binding.mode == "timed" and bool(binding.keys))
        self.problem.say(self._trouble(binding))

    def _trouble(self, binding: Binding) -> str:
        name = binding.setting.removeprefix("keys.bindings.")
        if name in self._wrong:
            return self._wrong[name]
        if not binding.keys:
            return ""
        others = self.bindings.conflicts(binding)
        if others:
            return self.tr("{keys} is also the key of: {others}. Only one of them works; choose another.").format(
                keys=binding.keys, others=", ".join(words_of(each.action) for each in others)
            )
        return self._refused.get(binding.keys, "")

    def _want(self, keys: str | None = None, mode: Mode | None = None, for_s: float | None = None) -> None:
        binding = self._binding(self.scope)
        wanted = replace(
            binding,
            keys=binding.keys if keys is None else keys,
            mode=binding.mode if mode is None else mode,
            for_s=binding.for_s if for_s is None else for_s,
        )
        self.studio.set(wanted.setting, wanted.value)

    def _say_recording(self, on: bool) -> None:
        if on:
            self.problem.say("")
        self.studio.put(RecordKey(on))

    def _note_changed(self, name: str, _value: object) -> None:
        if name.startswith("keys.bindings."):
            self.show_binding()

    def _note_refused(self, name: str, problem: str, remedy: str) -> None:
        if name == self._binding(self.scope).setting:
            self.show_binding()
            self.problem.say(f"{problem} {remedy}".strip())


def words_of(action: str) -> str:
    """An action as the page calls it."""
    kind, _, name = action.partition(" ")
    return readable(name) if name else Words().of(kind)


class Words(QObject):
    """The names of the actions, translated."""

    def of(self, action: str) -> str:
        """What the action is called."""
        return {
            "talk": self.tr("Talk"),
            "mute": self.tr("Microphone off and on"),
            "stop": self.tr("Stop talking"),
            "next_character": self.tr("Next character"),
            "anime_human": self.tr("Drawing or photo"),
            "panic": self.tr("Panic"),
            "record": self.tr("Record"),
            "replay": self.tr("Instant replay"),
            "screenshot": self.tr("Screenshot"),
        }.get(action, action)


class KeysPage(FormPage):
    """Which key does what, whether the desktop gives them, and the control for other programs."""

    icon = "keys"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Hotkeys")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        self.say_intro(self.tr("Keys that work while a game or another program has the focus."))
        self._rows: list[KeyRow] = []
        yield from self._build_everywhere()
        yield from self._build_show()
        yield from self._build_character()
        yield from self._build_control()
        bridge = self.studio.bridge
        bridge.keys_status.connect(self._show_keys_status)
        bridge.control_status.connect(self._show_control_status)
        bridge.key_pressed.connect(self._show_pressed)
        bridge.characters.connect(self._offer_scopes)
        bridge.on_stage.connect(self._show_on_stage)
        if bridge.now_on_stage is not None:
            self._show_on_stage(*bridge.now_on_stage)
        if bridge.keys:
            self._show_keys_status(bridge.keys)
        if bridge.control:
            self._show_control_status(bridge.control)

    def _build_everywhere(self) -> Iterator[None]:
        section = self.section(self.tr("Everywhere"))
        section.add(
            SwitchField(
                self.studio,
                "keys.on",
                self.tr("Hotkeys"),
                self.tr("While this is off, no key is taken from other programs."),
            )
        )
        self.desktop = Note()
        section.add_widget(self.desktop)
        self.pressed = Note("good")
        section.add_widget(self.pressed)
        self._fade = QTimer(self)
        self._fade.setSingleShot(True)
        self._fade.setInterval(2500)
        self._fade.timeout.connect(lambda: self.pressed.say(""))
        yield

    def _build_show(self) -> Iterator[None]:
        section = self.section(self.tr("Show"))
        words = Words()
        for action, help_text in (
            (
                "talk",
                self.tr("Push to talk: what you say counts while it is held."),
            ),
            ("mute", self.tr("Nothing is heard while the microphone is off.")),
            ("stop", self.tr("The character falls silent now, and forgets what it was about to say.")),
            ("next_character", self.tr("The next one of your gallery comes on stage.")),
            (
                "anime_human",
                self.tr("A photo of a person talks in place of the character, or the character again."),
            ),
            (
                "panic",
                self.tr(
                    "Silence, microphone off, a neutral face, and “Be right back” for viewers of the camera. "
                    "Once more, and you are back."
                ),
            ),
            ("record", self.tr("Begins a recording of what viewers see and hear; once more, and it is kept.")),
            ("replay", self.tr("Keeps the last seconds, while the page Output has them held.")),
            ("screenshot", self.tr("Keeps the picture of the moment, transparent around the character.")),
        ):
            self._add_row(section.add, action, words.of(action), help_text)
            yield
        self._talk_note = Note()
        section.add_widget(self._talk_note)

    def _build_character(self) -> Iterator[None]:
        studio = self.studio
        section = self.section(self.tr("Expressions and gestures"))
        self.scope_row = Row(
            self.tr("For whom"),
            self.tr("A character's own keys come before those for every character, while it is on stage."),
        )
        self.scope = make_picker(studio.theme)
        self.scope.setAccessibleName(self.tr("For whom"))
        self.scope.activated.connect(self._choose_scope)
        self.scope_row.put_editor(self.scope)
        studio.theme_changed.connect(lambda theme: setattr(self.scope, "arrow", theme.dim))
        section.add(self.scope_row)
        self._paths: dict[str, str] = {}
        self._offer_scopes(studio.bridge.all_characters or studio.info.characters)
        on_stage = studio.bridge.now_on_stage
        self._shown_names = list(studio.info.expressions if on_stage is None else on_stage[2])
        """What the character on stage can show."""
        self._scope_names: list[str] = []
        """What the one that keys are chosen for can show."""
        self._expressions = section
        self._gestures = 0
        self._offered: set[str] = set()
        yield from self._build_expressions()
        for name in GESTURES:
            self._add_row(section.add, f"gesture {name}", self.tr("{name} (gesture)").format(name=readable(name)), "")
            self._gestures += 1
            yield

    def _build_expressions(self) -> Iterator[None]:
        """A row for each expression that has none yet, above the gestures."""
        known = {row.action for row in self._rows}
        for name in self._names():
            if f"express {name}" not in known:
                row = KeyRow(self.studio, f"express {name}", readable(name), "")
                row.set_scope(str(self.scope.currentData() or ""))
                self._rows.append(row)
                at = self._expressions.column.count() - self._gestures
                self._expressions.insert(at, row, partial(self._has_expression, name))
                yield

    def _names(self) -> list[str]:
        bound = [each.action.removeprefix("express ") for each in self._bound() if each.action.startswith("express ")]
        return list(dict.fromkeys([*self._shown_names, *EXPRESSIONS, *self._scope_names, *bound]))

    def _has_expression(self, name: str) -> bool:
        return name in self._offered

    def _show_on_stage(self, _name: str, _path: str, expressions: list[str]) -> None:
        self._shown_names = expressions
        self._grow()

    def _grow(self) -> None:
        known = {row.action for row in self._rows}
        if any(f"express {name}" not in known for name in self._names()):
            self.build_more(self._build_expressions())
        self.refresh()

    def _build_control(self) -> Iterator[None]:
        studio = self.studio
        section = self.section(self.tr("Other programs"))
        section.add(
            SwitchField(
                studio,
                "control.on",
                self.tr("Control"),
                self.tr(
                    "Lets programs of this computer that have the token press these keys over HTTP or WebSocket: "
                    "a Stream Deck, scripts, a shortcut of your desktop. Other computers and web pages are shut out."
                ),
            )
        )
        yield
        section.add(
            NumberField(
                studio,
                "control.port",
                self.tr("Port"),
                self.tr("Of 127.0.0.1. Another one is needed only where a program has taken this one."),
                step=1,
                with_slider=False,
            ),
            applies=lambda: bool(studio.value("control.on")),
        )
        yield
        self.token = TokenRow(
            self.tr("Token"),
            self.tr("Whoever has it can press your keys and let the character speak. It lies in a file of your own."),
            token_file(),
        )
        section.add(self.token, applies=lambda: bool(studio.value("control.on")))
        self.control_note = Note()
        section.add_widget(self.control_note)
        yield

    def _add_row(self, add: Callable[[Row], Row], action: str, label: str, help_text: str) -> None:
        row = KeyRow(self.studio, action, label, help_text)
        self._rows.append(row)
        add(row)

    def row(self, action: str) -> KeyRow:
        """The row of this action. Raises KeyError where there is none."""
        for row in self._rows:
            if row.action == action:
                return row
        raise KeyError(action)

    def _bound(self) -> tuple[Binding, ...]:
        return Bindings.of(self.studio.settings.keys.bindings).all

    def _offer_scopes(self, characters: list[tuple[str, str]]) -> None:
        """Offer these (name, path), and stay with who is chosen."""
        chosen = str(self.scope.currentData() or "")
        self._paths = {Path(path or name).stem: path for name, path in characters}
        self.scope.clear()
        self.scope.addItem(self.tr("Every character"), "")
        for name, path in characters:
            self.scope.addItem(self.tr("Only {name}").format(name=name), Path(path or name).stem)
        found = self.scope.findData(chosen)
        self.scope.setCurrentIndex(max(0, found))
        if chosen and found < 0:  # that character is gone
            self._choose_scope(0)

    def _choose_scope(self, index: int) -> None:
        scope = str(self.scope.itemData(index))
        for row in self._rows:
            if row.action.startswith(("express ", "gesture ")):
                row.set_scope(scope)
        path = self._paths.get(scope, "")

        def show(names: list[str]) -> None:
            if scope == str(self.scope.currentData()):
                self._scope_names = names
                self._grow()

        if path:
            in_background(
                self, lambda: list(library.character_at(Path(path)).expressions), show, lambda error: show([])
            )
        else:
            show([])

    def refresh(self) -> None:
        """Show what applies to the settings in force."""
        if hasattr(self, "_offered"):
            self._offered = set(self._names())
        super().refresh()
        if not hasattr(self, "control_note"):  # not whole yet
            return
        if self.studio.value("control.on") and not self.token.line.text() and self.isVisible():
            self.token.look()
        is_push = self.studio.value("hearing.mode") in ("hold", "toggle")
        has_key = bool(self.row("talk").recorder.text()) and bool(self.studio.value("keys.bindings.talk"))
        words = self.tr("The talk key does nothing yet: on the page Hearing, choose to be heard only while it is held.")
        self._talk_note.say("" if is_push or not has_key else words)

    def look(self) -> None:
        """Read the token, where it is to be seen."""
        if self.studio.value("control.on"):
            self.token.look()

    def leave(self) -> None:
        """No key is recorded any longer."""
        super().leave()
        for row in getattr(self, "_rows", ()):
            row.recorder.end()

    def _show_keys_status(self, status: dict[str, Any]) -> None:
        if not status.get("on"):
            self.desktop.say(self.tr("Switched off."), "dim")
        elif status.get("problem"):
            self.desktop.say(f"{status['problem']} {status.get('remedy', '')}".strip(), "problem")
        elif status.get("chooses_itself"):
            self.desktop.say(
                self.tr("Your desktop asks you about the keys, and may choose others: its own settings show them."),
                "good",
            )
        else:
            self.desktop.say(self.tr("They work everywhere on this desktop ({how}).").format(how=status["how"]), "good")
        for row in self._rows:
            row.set_status(dict(status.get("refused") or {}), dict(status.get("wrong") or {}))

    def _show_control_status(self, status: dict[str, Any]) -> None:
        if status.get("problem"):
            self.control_note.say(f"{status['problem']} {status.get('remedy', '')}".strip(), "problem")
        elif status.get("on"):
            address = f"http://127.0.0.1:{status['port']}/v1/action/mute"
            command = f'curl -X POST -H "Authorization: Bearer TOKEN" {address}'
            self.control_note.say(self.tr("Programs can ask now. To try it: {command}").format(command=command), "good")
        else:
            self.control_note.say("")

    def _show_pressed(self, action: str) -> None:
        self.pressed.say(self.tr("Pressed: {action}").format(action=words_of(action)))
        self._fade.start()
