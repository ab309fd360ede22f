"""`python installer test`: everything that has to be green before a change is merged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from installer.console import ExitCode, say
from installer.environment import Environment

LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def pytest_command(environment: Environment, arguments: Sequence[str], xvfb_run: str | None) -> list[str]:
    """Pytest with `arguments`, inside a virtual X server where there is one: real windows, on nobody's screen."""
    command = environment.command("pytest", *arguments)
    return [xvfb_run, "-a", "-s", "-screen 0 1280x1024x24", *command] if xvfb_run else command


def pytest_variables(xvfb_run: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for pytest: without a virtual X server Qt draws into memory."""
    return {**environ, "QT_QPA_PLATFORM": "xcb" if xvfb_run else "offscreen"}


def run_checks(environment: Environment, pytest_arguments: Sequence[str]) -> ExitCode:
    """Run linter, formatter, types, import contracts and tests; all of them, even after a failure."""
    xvfb_run = None
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and shutil.which("xauth"):
        xvfb_run = shutil.which("xvfb-run")
    steps: list[tuple[str, list[str], dict[str, str] | None]] = [
        ("ruff check", environment.command("ruff", "check", "."), None),
        ("ruff format", environment.command("ruff", "format", "--check", "."), None),
        ("mypy", environment.command("mypy"), None),
        ("lint-imports", [str(environment.python), "-P", "-c", LINT_IMPORTS], None),
        (
            "pytest",
            pytest_command(environment, pytest_arguments, xvfb_run),
            pytest_variables(xvfb_run, os.environ),
        ),
    ]
    failed: list[str] = []
    for name, command, variables in steps:
        say(f"\n== {name}")
        if subprocess.run(command, cwd=environment.root, env=variables, check=False).returncode != 0:
            failed.append(name)
    if failed:
        say("Failed: " + ", ".join(failed))
        return ExitCode.FAILED
    return ExitCode.OK
