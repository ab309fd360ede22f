"""Control by other programs of this computer: what they may ask for, and what they are told. Off unless switched on.

What can be asked for is what a key can do, and to say or answer a text. What is told holds no word of the talk.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from app.bus import Bus
from app.errors import AppError
from app.messages import Ask, Fact, Say
from app.policy.hotkeys import ACTIONS, DEFAULT_S, SECONDS, Mode
from app.ports import ControlServer
from app.settings import ControlSettings, Settings, with_value

STAGE = "control"
MAX_TEXT = 2000
"""Letters: more than a small model's context takes."""
GESTURES = ("nod", "shake", "tilt", "bow", "lean")


class Act(Protocol):
    """Do as a key would: `app.keys.KeyRuntime.act`."""

    def __call__(self, action: str, pressed: bool, mode: Any = None, for_s: float = DEFAULT_S) -> None:
        """Raises AppError for an action that there is none."""
        ...


class Control:
    """What a request means. All methods may be called from any thread."""

    def __init__(self, bus: Bus, act: Act, expressions: Callable[[], tuple[str, ...]]) -> None:
        """`expressions` gives the names of the character on stage."""
        self._bus = bus
        self._act = act
        self._expressions = expressions
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {
            "character": "",
            "expression": "neutral",
            "microphone": "starting",
            "panic": False,
            "recording": False,
            "speaking": False,
        }
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def state(self) -> dict[str, Any]:
        """What the show is doing; no words."""
        with self._lock:
            return dict(self._state)

    def actions(self) -> list[str]:
        """Every action that a request can name."""
        return [
            *ACTIONS,
            *(f"express {name}" for name in self._expressions()),
            *(f"gesture {name}" for name in GESTURES),
        ]

    def request(self, wanted: object) -> tuple[str, bool] | None:
        """Do what a request asks for; returns what it holds down from now on, if anything: action and pressed.

        Raises AppError for a request that means nothing; its text repeats no text that was to be said.
        """
        if not isinstance(wanted, Mapping):
            raise AppError("A request is a JSON object.", 'Send one such as {"action": "mute"}.')
        for word, kind in (("say", Say), ("ask", Ask)):
            if word in wanted:
                self._bus.gate.put(kind(_text(word, wanted[word])))
                return None
        action, pressed = wanted.get("action"), wanted.get("pressed")
        if not isinstance(action, str) or not (pressed is None or isinstance(pressed, bool)):
            raise AppError(
                '"action" must be a text and "pressed", where it is there, true or false.',
                "GET /v1/actions lists the actions.",
            )
        mode, for_s = _mode(wanted.get("mode")), _seconds(wanted.get("seconds", DEFAULT_S))
        if pressed is None:
            self._act(action, True, mode, for_s)
            self._act(action, False, mode, for_s)
            return None
        self._act(action, pressed, mode, for_s)
        return action, pressed

    def let_go(self, action: str) -> None:
        """Whoever held `action` has gone."""
        self._act(action, False, "hold" if action.startswith("express ") else None)

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener` with the state whenever it changes, on any thread; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def follow(self, fact: Fact) -> None:
        """Note what a fact says of the state (any thread; does not wait)."""
        changed: dict[str, Any] = {}
        match fact.stage, fact.event:
            case "avatar", "character":
                changed["character"] = str(fact.data.get("name", ""))
            case "avatar", "expression":
                changed["expression"] = str(fact.data.get("name", ""))
            case "capture", "state":
                changed["microphone"] = str(fact.data.get("state", ""))
            case "show", "panic":
                changed["panic"] = bool(fact.data.get("on"))
            case "recording", "status":
                changed["recording"] = bool(fact.data.get("on"))
            case "playback", "clip_started":
                changed["speaking"] = True
            case "playback", "turn_finished" | "stopped":
                changed["speaking"] = False
        with self._lock:
            if not changed or changed.items() <= self._state.items():
                return
            self._state.update(changed)
            state, listeners = dict(self._state), list(self._listeners)
        for listener in listeners:
            listener(state)


def _text(word: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise AppError(f'"{word}" must be a text of 1 to {MAX_TEXT} letters.', "Shorten it.")
    return value


def _mode(value: object) -> Mode | None:
    modes: dict[object, Mode] = {"toggle": "toggle", "hold": "hold", "timed": "timed"}
    if value is None:
        return None
    if isinstance(value, str) and value in modes:
        return modes[value]
    raise AppError('"mode" must be "toggle", "hold" or "timed".', 'Leave it out for "toggle".')


def _seconds(value: object) -> float:
    low, high = SECONDS
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise AppError(f'"seconds" must be a number from {low:g} to {high:g}.', f"Leave it out for {DEFAULT_S:g} s.")
    return float(value)


class ControlRuntime:
    """Has the server run while the settings want it. What became of it is told in the fact `control status`.

    The fact holds on, port, problem and remedy; the token is in no fact, or it would be in every trace.
    """

    def __init__(
        self,
        bus: Bus,
        settings: ControlSettings,
        control: Control,
        make: Callable[[int], ControlServer],
    ) -> None:
        """`make` gives a server for a port, or raises AppError."""
        self._bus = bus
        self._settings = settings
        self._control = control
        self._make = make
        self._server: ControlServer | None = None
        self._changes: queue.SimpleQueue[Fact | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._bus.listen(self._listen)
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.5) -> None:
        """End the server; safe to call twice."""
        self._changes.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _listen(self, fact: Fact) -> None:
        if (fact.stage, fact.event) == ("settings", "changed"):
            if str(fact.data.get("name", "")).startswith("control."):
                self._changes.put(fact)
        else:
            self._control.follow(fact)

    def _run(self) -> None:
        self._apply()
        while (fact := self._changes.get()) is not None:
            try:
                changed = with_value(Settings(control=self._settings), str(fact.data["name"]), fact.data["value"])
            except AppError:
                continue  # whoever changes settings checks them
            if changed.control != self._settings:
                self._settings = changed.control
                self._apply()
        self._end()

    def _apply(self) -> None:
        self._end()
        problem = remedy = ""
        if self._settings.on:
            try:
                server = self._make(self._settings.port)
                server.start(self._control)
            except AppError as error:
                problem, remedy = error.problem, error.remedy
            else:
                self._server = server
        self._bus.emit(
            STAGE,
            "status",
            on=self._server is not None,
            port=self._settings.port,
            problem=problem,
            remedy=remedy,
        )

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
