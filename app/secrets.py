"""Keys of services: from the environment, else from the system's credential store. Never in a file of ours.

The store may ask the user to unlock it, and then waits: call nothing here on the window's thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.errors import AppError

SERVICE = "kuchipaku"
"""Under this name the keys lie in the store."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that the app can use: the environment variable that holds it, and what it is for."""

    variable: str
    purpose: str


SECRETS = {
    "groq": Secret("GROQ_API_KEY", "Groq"),
    "server": Secret("KUCHIPAKU_SERVER_KEY", "the chat server"),
    "voice": Secret("KUCHIPAKU_VOICE_KEY", "the voice server"),
    "obs": Secret("KUCHIPAKU_OBS_PASSWORD", "OBS"),
}
Place = Literal["environment", "store", "none"]

_lock = threading.Lock()
_known: dict[str, str] = {}
"""What was read of the store, so that it is asked once."""


def store_name() -> str:
    """What the credential store is called.

    Raises AppError with what to do where there is none.
    """
    try:
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
    except Exception as error:  # whatever a store's library raises while it looks for its service
        raise _no_store(type(error).__name__) from error
    backends = getattr(backend, "backends", [backend])  # a chain of several, or one
    usable = [each for each in backends if not isinstance(each, (fail.Keyring, null.Keyring))]
    if not usable:
        raise _no_store("none was found")
    return str(getattr(usable[0], "name", type(usable[0]).__name__))


def read(name: str) -> str:
    """The key called `name` (of SECRETS), "" where there is none. Never raises: a store that fails holds nothing."""
    return os.environ.get(SECRETS[name].variable, "").strip() or _stored(name)


def place(name: str) -> Place:
    """Where the key called `name` comes from."""
    if os.environ.get(SECRETS[name].variable, "").strip():
        return "environment"
    return "store" if _stored(name) else "none"


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment (or `base`) with the keys of the store in the variables that are not set."""
    found = dict(os.environ if base is None else base)
    for name, secret in SECRETS.items():
        if not found.get(secret.variable, "").strip() and (key := _stored(name)):
            found[secret.variable] = key
    return found


def keep(name: str, key: str) -> None:
    """Put `key` into the store under `name`, in place of an older one.

    Raises AppError where it is no key, or where there is no store, or it refuses.
    """
    key = key.strip()
    if not key or any(letter.isspace() or ord(letter) < 33 or ord(letter) > 126 for letter in key):
        raise AppError(
            f"That is no key of {SECRETS[name].purpose}: a key is one word of plain letters and signs.",
            "Copy it again, without spaces or line breaks.",
        )
    store_name()
    _ask(name, "kept", lambda store: store.set_password(SERVICE, name, key))
    with _lock:
        _known[name] = key


def forget(name: str) -> None:
    """Remove the key called `name` from the store; nothing happens where it is not there. Raises AppError as `keep`."""
    store_name()
    if _ask(name, "read", lambda store: store.get_password(SERVICE, name)) is not None:
        _ask(name, "removed", lambda store: store.delete_password(SERVICE, name))
    with _lock:
        _known[name] = ""


def look_again() -> None:
    """Ask the store anew at the next use."""
    with _lock:
        _known.clear()


def _stored(name: str) -> str:
    with _lock:
        if name in _known:
            return _known[name]
    try:
        store_name()
        key = str(_ask(name, "read", lambda store: store.get_password(SERVICE, name)) or "").strip()
    except AppError:
        key = ""
    with _lock:
        return _known.setdefault(name, key)


def _ask(name: str, done: str, question: Any) -> Any:
    import keyring

    try:
        return question(keyring)
    except Exception as error:  # each store raises errors of its own
        raise AppError(
            f"The key of {SECRETS[name].purpose} could not be {done}: the credential store says "
            f"{type(error).__name__}.",  # never its message, which might hold the key
            f"Unlock the store (on Linux the login keyring), or set {SECRETS[name].variable} before the start.",
        ) from None


def _no_store(why: str) -> AppError:
    variables = ", ".join(secret.variable for secret in SECRETS.values())
    return AppError(
        f"This system offers no credential store ({why}), so no key can be kept.",
        "On Linux install GNOME Keyring or KWallet and log in again, or set the key in the environment before the "
        f"start ({variables}).",
    )
