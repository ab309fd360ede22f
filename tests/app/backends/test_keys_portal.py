"""Keys by the portal of a Wayland desktop, which is played here on a message bus of its own."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.backends.keys_portal import PATH, PORTAL, REQUEST, SESSION, SHORTCUTS, PortalKeys, trigger_of
from app.errors import AppError
from tests.fakes import TIMEOUT_S

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("dbus-daemon") is None, reason="needs dbus-daemon"
)


class Desktop:
    """A desktop with the portal: it agrees to keys unless the test says otherwise, and presses them."""

    def __init__(self, address: str) -> None:
        from jeepney import message_bus
        from jeepney.io.blocking import open_dbus_connection

        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(PORTAL))
        self.agrees = True
        self.bound: queue.SimpleQueue[dict[str, dict[str, str]]] = queue.SimpleQueue()
        self.closed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.session = ""
        self._sessions = 0
        self._ending = threading.Event()
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            while not self._outbox.empty():
                self._connection.send(self._outbox.get())
            try:
                message = self._connection.receive(timeout=0.01)
            except TimeoutError:
                continue
            self._answer(message)

    def _answer(self, message: Any) -> None:
        from jeepney import HeaderFields, MessageType, new_error, new_method_return

        if message.header.message_type is not MessageType.method_call:
            return
        fields = message.header.fields
        member = fields[HeaderFields.member]
        if member == "Get":
            self._connection.send(new_method_return(message, "v", (("u", 1),)))
        elif member in ("CreateSession", "BindShortcuts"):
            token = message.body[-1]["handle_token"][1]
            request = f"/org/freedesktop/portal/desktop/request/1/{token}"
            self._connection.send(new_method_return(message, "o", (request,)))
            results: dict[str, Any] = {}
            if member == "CreateSession":
                self._sessions += 1
                self.session = f"/org/freedesktop/portal/desktop/session/1/{self._sessions}"
                results = {"session_handle": ("s", self.session)}
                self._signal(request, REQUEST, "Response", "ua{sv}", (0, results))
            else:
                found = {name: {key: value[1] for key, value in about.items()} for name, about in message.body[1]}
                self._signal(request, REQUEST, "Response", "ua{sv}", (0 if self.agrees else 1, results))
                self.bound.put(found)
        elif member == "Close":
            self.closed.put(fields[HeaderFields.path])
            self._connection.send(new_method_return(message))
        else:
            self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _signal(self, path: str, interface: str, member: str, signature: str, body: tuple[Any, ...]) -> None:
        from jeepney import DBusAddress, new_signal

        self._connection.send(new_signal(DBusAddress(path, interface=interface), member, signature, body))

    def press(self, keys: str, down: bool) -> None:
        from jeepney import DBusAddress, new_signal

        member = "Activated" if down else "Deactivated"
        address = DBusAddress(PATH, interface=SHORTCUTS)
        self._outbox.put(new_signal(address, member, "osta{sv}", (self.session, keys, 1, {})))

    def end_session(self) -> None:
        from jeepney import DBusAddress, new_signal

        self._outbox.put(new_signal(DBusAddress(self.session, interface=SESSION), "Closed", "a{sv}", ({},)))

    def close(self) -> None:
        self._ending.set()
        self._thread.join(TIMEOUT_S)
        self._connection.close()


class Told:
    def __init__(self) -> None:
        self.keys: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self.refusals: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def start(self, backend: PortalKeys) -> None:
        backend.start(lambda keys, down: self.keys.put((keys, down)), self.refusals.put)

    def key(self) -> tuple[str, bool]:
        return self.keys.get(timeout=TIMEOUT_S)

    def refused(self) -> dict[str, str]:
        return self.refusals.get(timeout=TIMEOUT_S)


@pytest.fixture
def bus_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    process = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    yield address
    process.terminate()
    process.wait(TIMEOUT_S)
    process.stdout.close()


@pytest.fixture
def desktop(bus_address: str) -> Iterator[Desktop]:
    desktop = Desktop(bus_address)
    yield desktop
    desktop.close()


@pytest.fixture
def start(desktop: Desktop) -> Iterator[Callable[[], tuple[PortalKeys, Told]]]:
    made: list[PortalKeys] = []

    def make() -> tuple[PortalKeys, Told]:
        keys, told = PortalKeys(), Told()
        told.start(keys)
        made.append(keys)
        return keys, told

    yield make
    for keys in made:
        keys.close()


def test_keys_are_asked_for_with_what_they_do_and_heard_down_and_up(desktop: Desktop, start: Any) -> None:
    keys, told = start()
    keys.grab({"Ctrl+Alt+1": "Expression: happy"})
    bound = desktop.bound.get(timeout=TIMEOUT_S)
    assert {} == told.refused()

    desktop.press("Ctrl+Alt+1", True)
    desktop.press("Ctrl+Alt+1", False)

    assert {"Ctrl+Alt+1": {"description": "Expression: happy", "preferred_trigger": "CTRL+ALT+1"}} == bound
    assert [("Ctrl+Alt+1", True), ("Ctrl+Alt+1", False)] == [told.key(), told.key()]


def test_fewer_keys_ask_nobody_again_and_new_ones_ask_for_all(desktop: Desktop, start: Any) -> None:
    keys, told = start()
    keys.grab({"F9": "a", "F10": "b"})
    desktop.bound.get(timeout=TIMEOUT_S)
    told.refused()
    first = desktop.session

    keys.grab({"F9": "a"})
    told.refused()
    assert desktop.bound.empty()
    keys.grab({"F11": "c"})

    assert {"F9", "F10", "F11"} == set(desktop.bound.get(timeout=TIMEOUT_S))
    assert first == desktop.closed.get(timeout=TIMEOUT_S)


def test_keys_that_the_user_does_not_agree_to_are_said(desktop: Desktop, start: Any) -> None:
    desktop.agrees = False
    keys, told = start()
    keys.grab({"F9": "a"})

    assert "not agreed" in told.refused()["F9"]


def test_a_session_that_the_desktop_ends_lets_go_of_what_was_held(desktop: Desktop, start: Any) -> None:
    keys, told = start()
    keys.grab({"F9": "a"})
    told.refused()
    desktop.press("F9", True)
    assert ("F9", True) == told.key()

    desktop.end_session()

    assert ("F9", False) == told.key()
    assert ["F9"] == list(told.refused())


def test_the_end_ends_the_session_too(desktop: Desktop, start: Any) -> None:
    keys, told = start()
    keys.grab({"F9": "a"})
    told.refused()

    keys.close()

    assert desktop.session == desktop.closed.get(timeout=TIMEOUT_S)


def test_a_desktop_without_the_portal_is_explained(bus_address: str) -> None:
    with pytest.raises(AppError, match="portal is missing") as caught:
        Told().start(PortalKeys())
    assert "control" in caught.value.remedy


def test_without_a_message_bus_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    with pytest.raises(AppError, match="message bus"):
        Told().start(PortalKeys())


@pytest.mark.parametrize(
    ("keys", "trigger"),
    [
        ("Ctrl+Alt+1", "CTRL+ALT+1"),
        ("Meta+Space", "LOGO+space"),
        ("Shift+F9", "SHIFT+F9"),
        ("Num5", "KP_5"),
        ("Ctrl+A", "CTRL+a"),
    ],
)
def test_keys_are_written_as_the_portal_wants_them(keys: str, trigger: str) -> None:
    assert trigger == trigger_of(keys)
