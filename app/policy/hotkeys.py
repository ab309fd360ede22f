"""Keys that work everywhere: how they are written, what they do, and which stand in each other's way. Pure.

A binding is written `action = "Ctrl+Alt+1"`, in the mode of its action, or `"Ctrl+Alt+1 hold"`, `"Ctrl+Alt+1 3 s"`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.errors import AppError
from app.messages import (
    Command,
    Express,
    Gesture,
    NextCharacter,
    Panic,
    PushToTalk,
    SaveReplay,
    Screenshot,
    StopTalking,
    ToggleHuman,
    ToggleMute,
    ToggleRecording,
)

Mode = Literal["press", "toggle", "hold", "timed"]
"""What a key does: something once; an expression on and off; one while it is held; one for some seconds."""

TALK, MUTE, STOP, NEXT, PANIC = "talk", "mute", "stop", "next_character", "panic"
HUMAN = "anime_human"
RECORD, REPLAY, SCREENSHOT = "record", "replay", "screenshot"
ACTIONS = (TALK, MUTE, STOP, NEXT, HUMAN, PANIC, RECORD, REPLAY, SCREENSHOT)
"""Actions of their own, beside "express NAME" and "gesture NAME"."""
NEUTRAL = "neutral"

SECONDS = (0.2, 600.0)
"""What "timed" may last."""
DEFAULT_S = 3.0

MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")
"""In the order in which they are written. Meta is the Windows key, and Command on a Mac."""
_MODIFIERS = {
    **{each.casefold(): each for each in MODIFIERS},
    "control": "Ctrl",
    "option": "Alt",
    "win": "Meta",
    "super": "Meta",
    "cmd": "Meta",
    "command": "Meta",
}
_FUNCTION = tuple(f"F{n}" for n in range(1, 25))
_NUMPAD = (*(f"Num{n}" for n in range(10)), "NumAdd", "NumSubtract", "NumMultiply", "NumDivide", "NumDecimal")
_LONE = (*_FUNCTION, *_NUMPAD, "Pause", "ScrollLock", "PrintScreen", "Insert", "Menu")
"""May be used without Ctrl, Alt or Meta: nobody writes with them."""
_WRITING = (
    *(chr(code) for code in range(ord("A"), ord("Z") + 1)),
    *(str(n) for n in range(10)),
    *("Space", "Tab", "Enter", "Esc", "Backspace", "Delete", "Home", "End", "PageUp", "PageDown"),
    *("Left", "Right", "Up", "Down"),
    *("Minus", "Equal", "Comma", "Period", "Slash", "Backslash", "Semicolon", "Quote", "Grave"),
    *("BracketLeft", "BracketRight"),
)
KEYS = (*_WRITING, *_LONE)
"""Every key that can be named; letters and digits are those that the keyboard's own layout writes."""
_KEYS = {each.casefold(): each for each in KEYS} | {
    "escape": "Esc",
    "return": "Enter",
    "del": "Delete",
    "ins": "Insert",
    "pgup": "PageUp",
    "pgdown": "PageDown",
}
_OWNED = {
    **dict.fromkeys(("Alt+F4", "Alt+Tab", "Alt+Shift+Tab", "Ctrl+Alt+Delete", "Meta+L"), "belongs to the desktop"),
    **dict.fromkeys(
        ("Ctrl+C", "Ctrl+X", "Ctrl+V", "Ctrl+Z", "Ctrl+A", "Ctrl+S"), "copies, pastes, saves or undoes in every program"
    ),
}
_MODE = re.compile(r"(?P<keys>\S+)(?:\s+(?:(?P<name>hold|toggle)|(?P<seconds>\d+(?:\.\d+)?)\s*s))?")


@dataclass(frozen=True, slots=True)
class Binding:
    """A key and what it does. `keys` is written as `normal_keys` writes it; `for_s` counts in the mode "timed".

    `character` is the folder name of the one character that it is for, "" for all.
    """

    action: str
    keys: str
    mode: Mode = "press"
    for_s: float = DEFAULT_S
    character: str = ""

    @property
    def setting(self) -> str:
        """The dotted name of its setting."""
        return setting_of(self.action, self.character)

    @property
    def value(self) -> str:
        """As it is written in the settings."""
        if not self.keys or not self.action.startswith("express ") or self.mode == "toggle":
            return self.keys
        return f"{self.keys} hold" if self.mode == "hold" else f"{self.keys} {self.for_s:g} s"


def setting_of(action: str, character: str = "") -> str:
    """The dotted name of the setting of an action's keys."""
    return f"keys.bindings.{character}/{action}" if character else f"keys.bindings.{action}"


def parse(name: str, value: str) -> Binding:
    """The binding of one line of the settings: `name` such as "haru/express happy", `value` such as "Ctrl+Alt+1 hold".

    Raises:
        AppError: For an action, a key or a mode that there is none, with what would be right.
    """
    character, _, action = name.rpartition("/")
    action = " ".join(action.split())
    if not is_action(action):
        raise AppError(
            f"No key can do {action!r:.60}.",
            f"There are {', '.join(ACTIONS)}, and express or gesture with a name, such as express happy.",
        )
    if not value.strip():
        return Binding(action, "", natural_mode(action), character=character)
    found = _MODE.fullmatch(value.strip())
    if found is None:
        raise AppError(
            f"{value!r:.60} is no key.",
            'Write keys as in "Ctrl+Alt+1"; for an expression also "Ctrl+Alt+1 hold" or "Ctrl+Alt+1 3 s".',
        )
    keys = normal_keys(found["keys"])
    mode, for_s = natural_mode(action), DEFAULT_S
    if found["name"] or found["seconds"]:
        if not action.startswith("express "):
            raise AppError(f"Only an expression can be held or timed, not {action!r}.", f'Write "{keys}" alone.')
        if found["seconds"]:
            mode, for_s = "timed", float(found["seconds"])
            if not SECONDS[0] <= for_s <= SECONDS[1]:
                low, high = SECONDS
                raise AppError(f"An expression cannot show for {for_s:g} s.", f"It can for {low:g} to {high:g} s.")
        else:
            mode = "hold" if found["name"] == "hold" else "toggle"
    return Binding(action, keys, mode, for_s, character)


def is_action(action: str) -> bool:
    """Whether there is such an action."""
    kind, _, name = action.partition(" ")
    return action in ACTIONS or (kind in ("express", "gesture") and bool(name.strip()))


def in_words(action: str) -> str:
    """What the action does, in English: for desktops that show it."""
    kind, _, name = action.partition(" ")
    return {
        "talk": "Talk while held",
        "mute": "Microphone off or on",
        "stop": "Stop talking",
        "next_character": "Next character",
        "anime_human": "Drawing or photo",
        "panic": "Panic: off air, or back",
        "record": "Start or stop recording",
        "replay": "Save the last seconds",
        "screenshot": "Screenshot",
        "express": f"Expression: {name}",
        "gesture": f"Gesture: {name}",
    }.get(kind, action)


def natural_mode(action: str) -> Mode:
    """What the action's key does where nothing else is said."""
    if action == TALK:
        return "hold"
    return "toggle" if action.startswith("express ") else "press"


def normal_keys(text: str) -> str:
    """Keys in the one way in which they are written: "alt+CTRL+f1" is "Ctrl+Alt+F1". Also an empty text.

    Raises:
        AppError: For what is no key, and for keys that would take writing or copying away from every program.
    """
    if not text:
        return ""
    *held, last = (part.strip() for part in text.split("+"))
    wrong = next((part for part in held if part.casefold() not in _MODIFIERS), None)
    if wrong is not None or last.casefold() not in _KEYS:
        told = last if wrong is None else wrong
        if told.casefold() in _MODIFIERS:
            raise AppError(f"{text!r:.60} names no key but Ctrl, Alt, Shift or Meta.", "Add another key, such as F9.")
        raise AppError(
            f"There is no key called {told!r:.30}.",
            "There are Ctrl, Alt, Shift and Meta, letters, digits, F1 to F24, Num0 to Num9, Space, PageUp, …",
        )
    modifiers = {_MODIFIERS[part.casefold()] for part in held}
    key = _KEYS[last.casefold()]
    keys = "+".join([*(each for each in MODIFIERS if each in modifiers), key])
    if keys in _OWNED:
        raise AppError(f"{keys} {_OWNED[keys]}.", "Choose another key.")
    if key not in _LONE and not modifiers & {"Ctrl", "Alt", "Meta"}:
        raise AppError(
            f"{keys} alone would no longer reach any other program, so that you could not write with it.",
            "Hold Ctrl, Alt or Meta with it, or choose F1 to F24 or a key of the number pad.",
        )
    return keys


@dataclass(frozen=True, slots=True)
class Bindings:
    """What the settings bind: those that are understood, and what is wrong with the others, by their names."""

    all: tuple[Binding, ...]
    wrong: Mapping[str, AppError]

    @classmethod
    def of(cls, table: Mapping[str, str]) -> Bindings:
        """Read the table of the settings; never raises."""
        found: list[Binding] = []
        wrong: dict[str, AppError] = {}
        for name, value in table.items():
            try:
                found.append(parse(name, value))
            except AppError as error:
                wrong[name] = error
        return cls(tuple(found), wrong)

    def of_character(self, character: str) -> tuple[Binding, ...]:
        """What counts while `character` is on stage: its own, then those for all.

        An action that it has of its own (also one without a key) hides the one for all, and so do its keys. Of two
        that want the same keys the first counts; `conflicts` names the other.
        """
        own = [each for each in self.all if each.character and _same(each.character, character)]
        actions = {each.action for each in own}
        shared = [each for each in self.all if not each.character and each.action not in actions]
        taken: dict[str, Binding] = {}
        for each in (*own, *shared):
            if each.keys:
                taken.setdefault(each.keys, each)
        return tuple(taken.values())

    def conflicts(self, binding: Binding) -> tuple[Binding, ...]:
        """The other bindings that would be pressed by the same keys at the same time.

        A character's own keys may stand over those for all: that is what they are for.
        """
        return tuple(
            each
            for each in self.all
            if each.keys
            and each.keys == binding.keys
            and each.setting != binding.setting
            and _same(each.character, binding.character)
        )


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


class Keyboard:
    """What presses and releases do, one after the other. Not thread-safe; times are host seconds.

    It follows what the face shows (`showed`), so that a key takes away what another or the window has set.
    """

    def __init__(self) -> None:
        self._shown = NEUTRAL
        self._base = NEUTRAL
        """What shows when nothing is held and nothing runs out."""
        self._held: list[str] = []
        self._timed: tuple[str, float] | None = None
        self._is_talking = False
        self._is_panic = False

    @property
    def shown(self) -> str:
        """The user's expression."""
        return self._shown

    def showed(self, name: str) -> None:
        """The face shows expression `name` now, whoever wanted it."""
        self._shown = name
        if not self._held and self._timed is None:
            self._base = name

    def panicked(self, on: bool) -> None:
        """Panic is on or over, whoever wanted it."""
        self._is_panic = on

    def press(self, binding: Binding, now_s: float) -> Sequence[Command]:
        """The key of `binding` went down."""
        kind, _, name = binding.action.partition(" ")
        match kind:
            case "talk":
                self._is_talking = True
                return (PushToTalk(True),)
            case "mute":
                return (ToggleMute(),)
            case "stop":
                return (StopTalking(),)
            case "next_character":
                return (NextCharacter(),)
            case "anime_human":
                return (ToggleHuman(),)
            case "panic":
                self._is_panic = not self._is_panic
                return (Panic(self._is_panic),)
            case "record":
                return (ToggleRecording(),)
            case "replay":
                return (SaveReplay(),)
            case "screenshot":
                return (Screenshot(),)
            case "gesture":
                return (Gesture(name),)
            case "express":
                return self._press_expression(name, binding, now_s)
        return ()

    def _press_expression(self, name: str, binding: Binding, now_s: float) -> Sequence[Command]:
        if binding.mode == "hold":
            self._keep_base()
            self._held.append(name)
            return self._show(name)
        if binding.mode == "timed":
            self._keep_base()
            self._timed = (name, now_s + binding.for_s)
            return self._show(name)
        self._held, self._timed = [], None
        self._base = NEUTRAL if self._shown == name else name
        return self._show(self._base)

    def release(self, binding: Binding) -> Sequence[Command]:
        """The key of `binding` was let go."""
        kind, _, name = binding.action.partition(" ")
        if kind == "talk" and self._is_talking:
            self._is_talking = False
            return (PushToTalk(False),)
        if kind == "express" and binding.mode == "hold" and name in self._held:
            self._held.remove(name)
            return self._fall_back(name)
        return ()

    def tick(self, now_s: float) -> Sequence[Command]:
        """Time has passed: what was shown for some seconds may be over."""
        if self._timed is None or now_s < self._timed[1]:
            return ()
        name, self._timed = self._timed[0], None
        return self._fall_back(name)

    @property
    def due_s(self) -> float | None:
        """When `tick` has something to do; None: never."""
        return None if self._timed is None else self._timed[1]

    def let_go(self) -> Sequence[Command]:
        """No key is followed any longer: whatever is held counts as let go."""
        held, self._held = list(self._held), []
        commands: list[Command] = []
        for name in reversed(held):
            commands += self._fall_back(name)
        if self._is_talking:
            self._is_talking = False
            commands.append(PushToTalk(False))
        return commands

    def _keep_base(self) -> None:
        if not self._held and self._timed is None:
            self._base = self._shown

    def _show(self, name: str) -> Sequence[Command]:
        self._shown = name
        return (Express(name),)

    def _fall_back(self, ended: str) -> Sequence[Command]:
        """`ended` is no longer wanted; what is beneath it shows, unless something else has been chosen meanwhile."""
        if self._shown != ended:
            if not self._held and self._timed is None:
                self._base = self._shown
            return ()
        if self._held:
            return self._show(self._held[-1])
        return self._show(self._timed[0] if self._timed is not None else self._base)
