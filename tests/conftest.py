"""What every test shares: folders that are not the user's own, and the real models."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `installer` and `tests` are not installed packages
    sys.path.insert(0, str(ROOT))

# Before anything of the app is imported, and inherited by every process that a test starts.
_SCRATCH = tempfile.TemporaryDirectory(prefix="kuchipaku-tests-", ignore_cleanup_errors=True)
for _variable in (
    "KUCHIPAKU_CACHE",
    "KUCHIPAKU_CONFIG",
    "KUCHIPAKU_MEMORY",
    "KUCHIPAKU_HISTORY",
    "KUCHIPAKU_RECORDINGS",
):
    os.environ.setdefault(_variable, str(Path(_SCRATCH.name) / _variable.lower()))
os.environ.pop("GROQ_API_KEY", None)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # never the user's own keys


@pytest.fixture(scope="session")
def models() -> Callable[[str], Path]:
    """A function from a model's name to its folder, whole and checked; fetched into the user's store if need be."""
    from app.models import default_store

    store = default_store()

    def folder(name: str) -> Path:
        store.fetch(name)
        return store.path(name)

    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the bake, however slow the machine: only the tests themselves are timed."""
    for item in items:
        if "baked_haru" in getattr(item, "fixturenames", ()) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300, func_only=True))


@pytest.fixture(scope="session")
def baked_haru(models: Callable[[str], Path]) -> None:
    """Haru's face in the scratch cache, once for all tests: a copy of the user's own bake, else baked here."""
    from animator.tha3.live_store import bake_key
    from app import compose, paths
    from app.cli import main
    from app.settings import Settings

    for name in (compose.FACE_MODEL, compose.HEARING_MODEL, compose.BRAIN_MODEL, compose.VOICE_MODEL):
        models(name)
    weights = compose.weights(Settings())
    key = bake_key(compose.character_of(compose.find_character("haru")).image, weights)
    users = platformdirs.user_cache_path(paths.APP_NAME, appauthor=False) / compose.bakes_dir().name
    for folder in (users / key, *users.glob("graphs-*")):
        here = compose.bakes_dir() / folder.name
        if folder.is_dir() and not here.exists():
            shutil.copytree(folder, here)  # what is damaged or not whole is made anew below
    assert main(["bake"]) == 0


@pytest.fixture(scope="session", autouse=True)
def x_server() -> Iterator[None]:
    """One client of the X server that stays: Xvfb begins anew when its last one leaves, and refuses all meanwhile."""
    if not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"):
        yield
        return
    from Xlib.display import Display

    display = Display()
    yield
    display.close()
