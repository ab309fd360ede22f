"""Keys that work everywhere on Wayland, by the desktop's GlobalShortcuts portal.

A Wayland desktop tells no program of keys that are pressed elsewhere; it may offer a portal instead, in which the user
agrees to them (and may choose others). Source: the documentation of org.freedesktop.portal.GlobalShortcuts, .Request
and .Session, and the shortcuts specification of XDG for how keys are written.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from app.backends.wake_pipe import WakePipe
from app.errors import AppError

_log = logging.getLogger(__name__)

PORTAL, PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
REQUEST, SESSION = "org.freedesktop.portal.Request", "org.freedesktop.portal.Session"
APP_ID = "io.github.kuchipaku.Kuchipaku"

CALL_S = 3.0
ASK_S = 120.0
"""The user may take this long to agree."""

REMEDY = (
    "Switch on the control (below) and let a shortcut of your desktop's own settings call it; KDE Plasma, GNOME 48 "
    "and Hyprland have the portal. In the window the keys of the stage work everywhere."
)

_NAMES = {
    "Space": "space",
    "Enter": "Return",
    "Esc": "Escape",
    "Backspace": "BackSpace",
    "PageUp": "Page_Up",
    "PageDown": "Page_Down",
    "Quote": "apostrophe",
    "BracketLeft": "bracketleft",
    "BracketRight": "bracketright",
    "ScrollLock": "Scroll_Lock",
    "PrintScreen": "Print",
    **{f"Num{n}": f"KP_{n}" for n in range(10)},
    **{f"Num{name}": f"KP_{name}" for name in ("Add", "Subtract", "Multiply", "Divide", "Decimal")},
    **{
        name: name.lower() for name in ("Minus", "Equal", "Comma", "Period", "Slash", "Backslash", "Semicolon", "Grave")
    },
}


def trigger_of(keys: str) -> str:
    """Keys such as "Ctrl+Alt+1" as the portal wants them: "CTRL+ALT+1"."""
    *held, key = keys.split("+")
    modifiers = {"Ctrl": "CTRL", "Alt": "ALT", "Shift": "SHIFT", "Meta": "LOGO"}
    return "+".join([*(modifiers[each] for each in held), _NAMES.get(key, key.lower() if len(key) == 1 else key)])


class PortalKeys:
    """Keeps `app.ports.GlobalKeys`. One thread owns the connection.

    A session's keys are bound once, and every binding may ask the user. So keys that are no longer wanted stay bound
    (whoever listens knows better what they mean), and only new ones make a new session.
    """

    name = "Wayland"
    chooses_itself = True

    def __init__(self) -> None:
        self._on_key: Callable[[str, bool], None] = lambda keys, down: None
        self._on_refused: Callable[[Mapping[str, str]], None] = lambda refused: None
        self._connection: Any = None
        self._session = ""
        self._bound: dict[str, str] = {}
        self._down: set[str] = set()
        self._wanted: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self._waker = WakePipe()
        self._tokens = itertools.count(1)
        self._responses: dict[str, tuple[int, dict[str, Any]]] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def start(self, on_key: Callable[[str, bool], None], on_refused: Callable[[Mapping[str, str]], None]) -> None:
        """Find the portal. Raises AppError where this desktop has none."""
        self._on_key, self._on_refused = on_key, on_refused
        try:
            from jeepney.io.blocking import open_dbus_connection

            self._connection = open_dbus_connection(bus="SESSION")
        except Exception as error:  # no address, no socket, no permission, or the package is missing
            raise AppError(f"This desktop's message bus cannot be reached ({type(error).__name__}).", REMEDY) from error
        try:
            self._check()
            self._listen()
        except AppError:
            self._connection.close()
            raise
        self._thread = threading.Thread(target=self._run, name="keys-portal", daemon=True)
        self._thread.start()

    def grab(self, keys: Mapping[str, str]) -> None:
        """Want these keys; returns at once. The desktop may ask the user first."""
        self._wanted.put(dict(keys))
        self._waker.wake()

    def close(self) -> None:
        """End the session; safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self._waker.wake()
        if self._thread is not None:
            self._thread.join(1.0)
        self._waker.close()

    # Messages

    def _address(self, interface: str, path: str = PATH, name: str = PORTAL) -> Any:
        from jeepney import DBusAddress

        return DBusAddress(path, bus_name=name, interface=interface)

    def _check(self) -> None:
        from jeepney import Properties

        try:
            version = self._call(Properties(self._address(SHORTCUTS)).get("version"))
        except AppError as error:
            raise AppError(
                "This Wayland desktop offers no keys that work while another program has the focus "
                "(the GlobalShortcuts portal is missing).",
                REMEDY,
            ) from error
        _log.info("global shortcuts portal, version %s", version[0][1] if version else "unknown")

    def _listen(self) -> None:
        from jeepney import MatchRule, message_bus, new_method_call

        for interface in (SHORTCUTS, REQUEST, SESSION):
            self._call(message_bus.AddMatch(MatchRule(type="signal", sender=PORTAL, interface=interface)))
        # Outside a sandbox a program may say who it is; older portals do not know this call.
        registry = self._address("org.freedesktop.host.portal.Registry")
        with contextlib.suppress(AppError):
            self._call(new_method_call(registry, "Register", "sa{sv}", (APP_ID, {})))

    def _call(self, message: Any) -> Any:
        """The answer to a method call. Raises AppError where there is none or an error."""
        from jeepney import HeaderFields, MessageType

        serial = next(self._connection.outgoing_serial)
        self._connection.send(message, serial=serial)
        deadline_s = time.monotonic() + CALL_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            found = self._receive(left_s)
            if found is None:
                continue
            if found.header.fields.get(HeaderFields.reply_serial) != serial:
                self._take(found)
                continue
            if found.header.message_type == MessageType.error:
                name = found.header.fields.get(HeaderFields.error_name, "an error")
                raise AppError(f"The desktop's portal refused: {name}.", REMEDY)
            return found.body
        raise AppError("The desktop's portal did not answer.", REMEDY)

    def _receive(self, timeout_s: float) -> Any:
        try:
            return self._connection.receive(timeout=timeout_s)
        except TimeoutError:
            return None
        except (OSError, EOFError) as error:
            raise AppError("The desktop's message bus has gone.", REMEDY) from error

    def _request(self, method: str, signature: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Call a method that answers later, after the user was asked. Raises AppError if that came to nothing."""
        from jeepney import new_method_call

        call = new_method_call(self._address(SHORTCUTS), method, signature, arguments)
        path = str(self._call(call)[0])
        deadline_s = time.monotonic() + ASK_S
        while path not in self._responses:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or self._closing:
                raise AppError("The desktop has not agreed to the keys.", REMEDY)
            found = self._receive(min(left_s, 0.25))
            if found is not None:
                self._take(found)
        code, results = self._responses.pop(path)
        if code != 0:
            raise AppError(
                "The keys were not agreed to in the desktop's dialog.", "Switch the keys off and on to be asked again."
            )
        return results

    def _take(self, message: Any) -> None:
        from jeepney import HeaderFields

        fields = message.header.fields
        interface, member = fields.get(HeaderFields.interface), fields.get(HeaderFields.member)
        if interface == REQUEST and member == "Response":
            code, results = message.body
            self._responses[str(fields.get(HeaderFields.path))] = (
                int(code),
                {name: value for name, (_, value) in results.items()},
            )
        elif interface == SESSION and member == "Closed" and fields.get(HeaderFields.path) == self._session:
            self._session = ""
            self._let_go()
            self._on_refused(dict.fromkeys(self._bound, "The desktop has ended these keys."))
            self._bound = {}
        elif interface == SHORTCUTS and member in ("Activated", "Deactivated") and message.body[0] == self._session:
            keys, is_down = str(message.body[1]), member == "Activated"
            if is_down and keys not in self._down:
                self._down.add(keys)
                self._on_key(keys, True)
            elif not is_down and keys in self._down:
                self._down.discard(keys)
                self._on_key(keys, False)

    def _let_go(self) -> None:
        while self._down:
            self._on_key(self._down.pop(), False)

    # Life

    def _run(self) -> None:
        try:
            while not self._closing:
                self._bind_if_wanted()
                while (found := self._receive(0)) is not None:
                    self._take(found)
                readable, _, _ = select.select([self._connection.sock, self._waker], [], [])
                if self._waker in readable:
                    self._waker.drain()
        except AppError as error:
            if not self._closing:
                _log.warning("the portal for keys has gone")
                self._on_refused(dict.fromkeys(self._bound, error.problem))
        finally:
            self._let_go()
            with contextlib.suppress(Exception):
                self._end_session()
                self._connection.close()

    def _bind_if_wanted(self) -> None:
        wanted: dict[str, str] | None = None
        with contextlib.suppress(queue.Empty):
            while True:
                wanted = self._wanted.get_nowait()
        if wanted is None:
            return
        if wanted.keys() <= self._bound.keys():
            self._on_refused({})
            return
        try:
            self._bind({**self._bound, **wanted})
        except AppError as error:
            self._on_refused(dict.fromkeys(wanted, error.problem))
        else:
            self._on_refused({})

    def _bind(self, keys: dict[str, str]) -> None:
        self._end_session()
        results = self._request(
            "CreateSession",
            "a{sv}",
            ({"handle_token": ("s", self._token()), "session_handle_token": ("s", self._token())},),
        )
        self._session = str(results["session_handle"])
        shortcuts = [
            (each, {"description": ("s", words), "preferred_trigger": ("s", trigger_of(each))})
            for each, words in keys.items()
        ]
        self._request(
            "BindShortcuts",
            "oa(sa{sv})sa{sv}",
            (self._session, shortcuts, "", {"handle_token": ("s", self._token())}),
        )
        self._bound = keys

    def _end_session(self) -> None:
        from jeepney import new_method_call

        session, self._session, self._bound = self._session, "", {}
        if session:
            with contextlib.suppress(AppError):
                self._call(new_method_call(self._address(SESSION, session), "Close"))

    def _token(self) -> str:
        return f"kuchipaku_{os.getpid()}_{next(self._tokens)}"
