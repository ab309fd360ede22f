"""Minutes with the app by script, as `kuchipaku bench session` plays them: no freeze, no leak, no lost setting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import compose
from app.cli import main
from app.settings import setting_names

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.timeout(900),  # with the bake, where this test is the first that needs one
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it weighs processes by /proc"),
]

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def report(models: Callable[[str], Path]) -> dict[str, Any]:
    """The figures of the short session, played once in a process of its own."""
    for name in (compose.FACE_MODEL, compose.HEARING_MODEL, compose.BRAIN_MODEL, compose.VOICE_MODEL):
        models(name)
    assert main(["bake"]) == 0  # for the same cache as every other test's
    command = [sys.executable, str(ROOT / "benchmarks" / "session.py"), "--short", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.stdout, done.stderr[-4000:]
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_nothing_of_it_went_wrong(report: dict[str, Any]) -> None:
    """Times and memory are figures of the machine: `missed` holds them, and the benchmark says them."""
    assert [] == report["failures"], report


def test_it_did_all_that_it_is_for(report: dict[str, Any]) -> None:
    assert (2, 20, 2, 2) == (
        len(report["rounds"]),
        report["switches"],
        len(report["kills_s"]),
        len(report["unplugs_s"]),
    )
    assert ["sharing.on"] == report["elsewhere"]
    assert set(setting_names()) - set(report["elsewhere"]) <= set(report["changed"])
    assert report["questions"] >= 5


def test_only_what_no_page_offers_is_set_without_one(report: dict[str, Any]) -> None:
    """A picture is no longer used, but not forgotten; first steps are asked for now, and not for the next start."""
    assert ["stage.picture", "window.first_steps"] == report["by_command"]
