"""Keys that work everywhere, at work: from a key of the desktop, or a word of the control server, to a command."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from animator.timebase import Clock
from app.bus import Bus
from app.errors import AppError
from app.messages import Fact
from app.policy.hotkeys import Binding, Bindings, Keyboard, in_words, is_action, natural_mode
from app.ports import GlobalKeys
from app.settings import KeySettings, Settings, with_value

STAGE = "keys"


@dataclass(frozen=True, slots=True)
class _Key:
    keys: str
    down: bool


@dataclass(frozen=True, slots=True)
class _Refused:
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Act:
    binding: Binding
    pressed: bool


@dataclass(frozen=True, slots=True)
class _Pause:
    on: bool


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


_Event = _Key | _Refused | _Act | Fact | _Pause | _Stop


class KeyRuntime:
    """Takes the keys of the settings, for the character on stage, and puts what they mean on the gate.

    It follows settings, character, expression and panic by the bus's facts, so that it needs nobody to tell it. What
    became of the keys is told in the fact `keys status`: how (what makes them work), on, problem and remedy where
    nothing works, and refused: why, for each of the keys that could not be taken.
    """

    def __init__(
        self, bus: Bus, clock: Clock, settings: KeySettings, character: str, make: Callable[[], GlobalKeys]
    ) -> None:
        """`character` is the folder name of who is on stage. `make` gives the desktop's keys, or raises AppError."""
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._character = character
        self._make = make
        self._keyboard = Keyboard()
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._backend: GlobalKeys | None = None
        self._problem: AppError | None = None
        self._active: dict[str, Binding] = {}
        self._down: dict[str, Binding] = {}
        self._is_paused = False
        self._refused: Mapping[str, str] = {}
        self._wrong: dict[str, str] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._bus.listen(self._listen)
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.5) -> None:
        """Let every key go; safe to call twice."""
        self._events.put(_Stop())
        if self._thread is not None:
            self._thread.join(timeout_s)

    def act(
        self,
        action: str,
        pressed: bool,
        mode: Literal["toggle", "hold", "timed"] | None = None,
        for_s: float = 3.0,
    ) -> None:
        """Do as a key of `action` would, pressed (True) or let go (any thread). Raises AppError for no such action."""
        if not is_action(action):
            raise AppError(f"There is no action {action!r:.60}.", "GET /v1/actions lists them all.")
        chosen = mode if mode is not None and action.startswith("express ") else natural_mode(action)
        self._events.put(_Act(Binding(action, "", chosen, for_s), pressed))

    def pause(self, on: bool) -> None:
        """Let every key go for now (True), because one is being recorded, or take them again (any thread)."""
        self._events.put(_Pause(on))

    def _listen(self, fact: Fact) -> None:
        """Pick out what concerns keys (any thread; must not wait)."""
        match fact.stage, fact.event:
            case ("settings", "changed") if str(fact.data.get("name", "")).startswith("keys."):
                self._events.put(fact)
            case ("avatar", "expression" | "character") | ("show", "panic"):
                self._events.put(fact)

    def _run(self) -> None:
        self._apply()
        while True:
            event = self._next()
            now_s = self._clock.now_ns() / 1e9
            for command in self._keyboard.tick(now_s):
                self._bus.gate.put(command)
            match event:
                case _Stop():
                    break
                case _Key(keys=keys, down=down):
                    self._take_key(keys, down, now_s)
                case _Refused(why=why):
                    self._refused = why
                    self._say_status()
                case _Act(binding=binding, pressed=pressed):
                    self._take(binding, pressed, now_s)
                case _Pause(on=on):
                    if on != self._is_paused:
                        self._is_paused = on
                        self._apply()
                case Fact():
                    self._follow(event)
        self._let_go()
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _next(self) -> _Event | None:
        """The next event; None when a timed expression may be over."""
        due_s = self._keyboard.due_s
        if due_s is None:
            return self._events.get()
        try:
            return self._events.get(timeout=max(0.001, due_s - self._clock.now_ns() / 1e9))
        except queue.Empty:
            return None

    def _take_key(self, keys: str, down: bool, now_s: float) -> None:
        if not down:
            # What a key means is decided when it goes down: the character may have changed since.
            binding = self._down.pop(keys, None)
        else:
            binding = self._active.get(keys)
            if binding is not None:
                self._down[keys] = binding
                self._bus.emit(STAGE, "pressed", action=binding.action, key=keys)
        if binding is not None:
            self._take(binding, down, now_s)

    def _take(self, binding: Binding, pressed: bool, now_s: float) -> None:
        commands = self._keyboard.press(binding, now_s) if pressed else self._keyboard.release(binding)
        for command in commands:
            self._bus.gate.put(command)

    def _follow(self, fact: Fact) -> None:
        match fact.stage, fact.event:
            case "avatar", "expression":
                self._keyboard.showed(str(fact.data["name"]))
            case "show", "panic":
                self._keyboard.panicked(bool(fact.data["on"]))
            case "avatar", "character":
                if fact.data["name"] != self._character:
                    self._character = str(fact.data["name"])
                    self._apply()
            case "settings", "changed":
                try:
                    changed = with_value(Settings(keys=self._settings), str(fact.data["name"]), fact.data["value"])
                except AppError:
                    return  # whoever changes settings checks them; this one is not ours
                if changed.keys != self._settings:
                    self._settings = changed.keys
                    self._apply()

    def _let_go(self) -> None:
        self._down.clear()
        for command in self._keyboard.let_go():
            self._bus.gate.put(command)

    def _apply(self) -> None:
        """Take the keys that count now, and say what became of it."""
        bindings = Bindings.of(self._settings.bindings)
        is_on = self._settings.on and not self._is_paused
        active = bindings.of_character(self._character) if is_on else ()
        wanted = {each.keys: each for each in active}
        if any(wanted.get(keys) != binding for keys, binding in self._down.items()):
            self._let_go()
        self._active = wanted
        self._wrong = {name: f"{error.problem} {error.remedy}" for name, error in bindings.wrong.items()}
        if self._settings.on and self._backend is None:
            self._open()
        if self._backend is None:
            self._say_status()
        else:  # what becomes of it comes as an event
            self._backend.grab({keys: in_words(binding.action) for keys, binding in wanted.items()})

    def _say_status(self) -> None:
        backend, problem = self._backend, self._problem if self._settings.on else None
        self._bus.emit(
            STAGE,
            "status",
            on=self._settings.on,
            how=backend.name if backend is not None else "",
            chooses_itself=backend is not None and backend.chooses_itself,
            problem=problem.problem if problem is not None else "",
            remedy=problem.remedy if problem is not None else "",
            refused=dict(self._refused),
            wrong=self._wrong,
            character=self._character,
        )

    def _open(self) -> None:
        self._problem = None
        backend: GlobalKeys | None = None
        try:
            backend = self._make()
            backend.start(
                lambda keys, down: self._events.put(_Key(keys, down)),
                lambda refused: self._events.put(_Refused(refused)),
            )
        except AppError as error:
            self._problem = error
            if backend is not None:
                backend.close()
        else:
            self._backend = backend
