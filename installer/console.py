"""What the installer prints and how it gives up."""

from __future__ import annotations

import enum
import sys


class ExitCode(enum.IntEnum):
    """What `python installer` ends with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PYTHON_TOO_OLD = 3
    NEEDS_NETWORK = 4
    INTERRUPTED = 130


class InstallError(Exception):
    """The installation cannot go on: what happened and what to do."""

    def __init__(self, problem: str, remedy: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.code = code


def say(text: str = "") -> None:
    """Print a line at once, also where output is a pipe."""
    print(text, flush=True)


def warn(problem: str, remedy: str) -> None:
    """Print what went wrong without ending anything."""
    print(f"Warning: {problem}\n  {remedy}", file=sys.stderr, flush=True)


def confirm(question: str) -> bool:
    """Ask on the terminal; Enter means yes."""
    return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
