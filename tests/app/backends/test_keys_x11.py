"""Keys on a real X server, pressed as a keyboard presses them, while a window of another client has the focus."""

from __future__ import annotations

import gc
import os
import queue
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app.backends.keys_x11 import X11Keys, keysym_name
from app.errors import AppError
from app.policy.hotkeys import KEYS

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"), reason="needs an X server"
    ),
]

TIMEOUT_S = 10.0


class Desk:
    """Another program that has the focus, and the keyboard."""

    def __init__(self) -> None:
        from Xlib import X
        from Xlib.display import Display

        self.x = X
        self.display = Display()
        screen = self.display.screen()
        self.window = screen.root.create_window(
            0, 0, 60, 60, 0, screen.root_depth, event_mask=X.KeyPressMask | X.KeyReleaseMask, override_redirect=True
        )
        self.window.map()
        self.display.sync()
        self.window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.display.sync()

    def code(self, name: str) -> int:
        from Xlib import XK

        return self.display.keysym_to_keycode(XK.string_to_keysym(name))

    def _send(self, kind: int, name: str) -> None:
        from Xlib.ext import xtest

        xtest.fake_input(self.display, kind, self.code(name))
        self.display.sync()

    def down(self, *names: str) -> None:
        for name in names:
            self._send(self.x.KeyPress, name)

    def up(self, *names: str) -> None:
        for name in names:
            self._send(self.x.KeyRelease, name)

    def press(self, *names: str) -> None:
        self.down(*names)
        self.up(*reversed(names))

    def got(self, name: str) -> bool:
        """Whether this program was told that the key went down, since it was last asked."""
        self.display.sync()
        events = [self.display.next_event() for _ in range(self.display.pending_events())]
        return any(event.type == self.x.KeyPress and event.detail == self.code(name) for event in events)


class Told:
    """What the backend says, in order."""

    def __init__(self) -> None:
        self._refused: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
        self._queue: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()

    def __call__(self, keys: str, down: bool) -> None:
        self._queue.put((keys, down))

    def next(self) -> tuple[str, bool]:
        return self._queue.get(timeout=TIMEOUT_S)

    def refused(self) -> Mapping[str, str]:
        """What came of the next `grab`."""
        return self._refused.get(timeout=TIMEOUT_S)

    def refuse(self, why: Mapping[str, str]) -> None:
        self._refused.put(why)

    @property
    def is_empty(self) -> bool:
        return self._queue.empty()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.up("Control_L", "Alt_L", "Shift_L", "a", "1", "F9")
    desk.display.close()


@pytest.fixture
def make() -> Iterator[Any]:
    made = []

    def start(told: Told, *wanted: str) -> X11Keys:
        keys = X11Keys()
        keys.start(told, told.refuse)
        made.append(keys)
        keys.grab(dict.fromkeys(wanted, ""))
        return keys

    yield start
    for keys in made:
        keys.close()


def test_a_key_is_heard_down_and_up_while_another_window_has_the_focus(desk: Desk, make: Any) -> None:
    told = Told()
    make(told, "Ctrl+Alt+1", "F9")
    assert {} == told.refused()

    desk.press("Control_L", "Alt_L", "1")
    assert [("Ctrl+Alt+1", True), ("Ctrl+Alt+1", False)] == [told.next(), told.next()]
    desk.press("F9")
    assert [("F9", True), ("F9", False)] == [told.next(), told.next()]
    assert not desk.got("1")


def test_a_held_key_is_told_once_and_leaves_the_other_keys_to_the_other_program(desk: Desk, make: Any) -> None:
    """Who holds the talk key in a game still walks."""
    told = Told()
    make(told, "F9")
    told.refused()

    desk.down("F9")
    assert ("F9", True) == told.next()
    desk.press("a")
    assert desk.got("a")
    assert told.is_empty
    desk.up("F9")
    assert ("F9", False) == told.next()


def test_a_key_counts_also_while_number_and_caps_lock_are_on(desk: Desk, make: Any) -> None:
    told = Told()
    make(told, "Ctrl+Alt+1")
    told.refused()
    for lock in ("Caps_Lock", "Num_Lock"):
        desk.press(lock)
    try:
        desk.press("Control_L", "Alt_L", "1")
        assert ("Ctrl+Alt+1", True) == told.next()
    finally:
        for lock in ("Caps_Lock", "Num_Lock"):
            desk.press(lock)


def test_other_modifiers_make_it_another_key(desk: Desk, make: Any) -> None:
    told = Told()
    make(told, "F9")
    told.refused()

    desk.press("Shift_L", "F9")
    desk.press("F9")

    assert [("F9", True), ("F9", False)] == [told.next(), told.next()]
    assert told.is_empty


def test_a_key_that_another_program_has_taken_is_named_and_the_others_work(desk: Desk, make: Any) -> None:
    first, told = Told(), Told()
    make(first, "F9")
    first.refused()

    make(told, "F9", "F10")
    refused = told.refused()

    assert ["F9"] == list(refused)
    assert "Another program" in refused["F9"]
    desk.press("F10")
    assert ("F10", True) == told.next()


def test_a_key_that_is_let_go_reaches_the_other_program_again(desk: Desk, make: Any) -> None:
    told = Told()
    keys = make(told, "F9")
    keys.grab({"F10": ""})
    assert [{}, {}] == [told.refused(), told.refused()]

    desk.press("F9")
    desk.press("F10")

    assert ("F10", True) == told.next()
    assert desk.got("F9")


def test_a_key_that_is_held_when_everything_ends_is_let_go(desk: Desk, make: Any) -> None:
    told = Told()
    keys = make(told, "F9")
    told.refused()
    desk.down("F9")
    assert ("F9", True) == told.next()

    keys.close()

    assert ("F9", False) == told.next()


def test_every_key_that_can_be_named_is_known_to_x() -> None:
    from Xlib import XK

    assert [] == [key for key in KEYS if not XK.string_to_keysym(keysym_name(key))]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # python-xlib drops its sockets open
def test_where_no_server_answers_it_says_so() -> None:
    with pytest.raises(AppError, match="X server"):
        X11Keys(":9876").start(Told(), Told().refuse)
    gc.collect()
