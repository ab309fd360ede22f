"""The words by which other programs of this computer prove that the user let them in: one each for what they may do.

They lie in files that only the user can read, because scripts have to read them too.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from app import paths
from app.errors import AppError

PAGE_PATH, ALPHA_PATH, JPEG_PATH = "/", "/alpha.nut", "/picture.mjpeg"
"""Of the browser source's server: the page, the stream with alpha, and the one that shows what the camera shows."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")


def token_file() -> Path:
    """Where the one lies that controls the app."""
    return paths.config_dir() / "control_token"


def browser_token_file() -> Path:
    """Where the one lies that only shows the character: it stands in an address, which OBS keeps in its scenes."""
    return paths.config_dir() / "browser_token"


def browser_url(port: int, token: str, path: str = PAGE_PATH) -> str:
    """The address that a browser source (PAGE_PATH) or a media source (the others) is given."""
    return f"http://127.0.0.1:{port}{path}?token={token}"


def control_token(path: Path) -> str:
    """The token of the file at `path`, which is made where it is not there or holds none.

    Raises AppError where it can be neither read nor written.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        held = path.read_text(encoding="ascii").strip()
        if _TOKEN.fullmatch(held):
            return held
    return new_token(path)


def new_token(path: Path) -> str:
    """Another token in place of the one before, which no longer counts. Raises AppError where it cannot be written."""
    token = secrets.token_urlsafe(24)
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        # Nobody else's from its first byte on.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        os.replace(partial, path)
    except OSError as error:
        raise AppError(
            f"The token for other programs cannot be written to {path}: {error.strerror}.",
            "Make that folder writable, then switch it off and on again.",
        ) from error
    return token
