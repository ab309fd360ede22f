"""What every test shares: folders that are not the user's own, and the real models."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `installer` and `tests` are not installed packages
    sys.path.insert(0, str(ROOT))

# Before anything of the app is imported, and inherited by every process that a test starts.
_SCRATCH = tempfile.TemporaryDirectory(prefix="kuchipaku-tests-", ignore_cleanup_errors=True)
for _variable in ("KUCHIPAKU_CACHE", "KUCHIPAKU_CONFIG", "KUCHIPAKU_MEMORY", "KUCHIPAKU_HISTORY"):
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
