"""The verbs of `python installer` and the order of the steps."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from installer import system
from installer.checks import run_checks
from installer.console import ExitCode, InstallError, say, warn
from installer.environment import Environment

ROOT = Path(__file__).resolve().parents[1]
VERBS = ("open", "run", "setup", "test")

HELP = """\
python installer               set everything up if need be, then open Kuchipaku
python installer setup         only set up
python installer run ARGS...   run `kuchipaku ARGS...`
python installer test ARGS...  run linters, types, import contracts and pytest ARGS...

Exit codes: 0 done, 1 a step failed, 2 wrong arguments, 3 Python too old, 4 --offline but not set up, 130 stopped."""


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split the command line into our options and what is passed on.

    Options for the installer stand before the verb or, but for `run`, anywhere; what follows `run` is Kuchipaku's own.
    """
    parser = argparse.ArgumentParser(
        prog="python installer",
        description="Sets up and opens Kuchipaku.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("verb", nargs="?", choices=VERBS, default="open", help="default: open")
    parser.add_argument("--yes", "-y", action="store_true", help="install system packages without asking")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    words = list(argv)
    if "run" in words and not any(word in VERBS for word in words[: words.index("run")]):
        cut = words.index("run") + 1
        return parser.parse_args(words[:cut]), words[cut:]
    options, rest = parser.parse_known_args(words)
    if rest and options.verb != "test":
        parser.error(f"unknown argument {rest[0]}")
    return options, rest


def set_up(environment: Environment, dev: bool, yes: bool, offline: bool) -> bool:
    """Bring everything into place; quick where it already is.

    Returns:
        Whether the models are complete. All else that is not raised is only a warning.
    """
    fresh = not environment.is_ready(dev)
    if fresh and offline:
        raise InstallError(
            "Kuchipaku is not set up yet, and --offline forbids the network.",
            "Run this once with a connection: python installer setup",
            ExitCode.NEEDS_NETWORK,
        )
    if fresh or dev:
        say("[1/4] System packages")
        system.ensure(dev=dev, yes=yes, offline=offline)
    if fresh:
        say("[2/4] Python packages")
        environment.fill(dev)
        say("[3/4] Models")
    models = ["fetch", "--all", *([] if fresh else ["--quiet"]), *(["--offline"] if offline else [])]
    complete = subprocess.run(environment.command("app.models", *models), check=False).returncode == 0
    if not complete:
        warn("Not every model could be fetched.", "What needs them says so. Again: kuchipaku models fetch --all")
    elif fresh:
        say("[4/4] Characters")
        prepare_characters(environment)
    return complete


def prepare_characters(environment: Environment) -> None:
    """Bake the characters that come along, so that the first start shows a moving face at once."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(environment.command("app", "bake", "--help"), check=False, **quiet).returncode != 0:  # type: ignore[call-overload]
        return
    if subprocess.run(environment.command("app", "bake", "--all"), check=False).returncode != 0:
        warn("The characters could not be prepared in advance.", "Kuchipaku prepares them when they are first shown.")


def open_app(environment: Environment, arguments: Sequence[str]) -> int:
    """Become Kuchipaku."""
    command = environment.command("app", *arguments)
    sys.stdout.flush()
    if os.name != "nt":  # Windows has no exec that keeps the terminal
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


def main(argv: Sequence[str]) -> int:
    """Run the installer; returns the exit code."""
    options, rest = parse(argv)
    environment = Environment(ROOT)
    try:
        dev = options.verb == "test"
        complete = set_up(environment, dev=dev, yes=options.yes, offline=options.offline)
        if options.verb == "setup":
            if complete:
                say(f"Kuchipaku is set up in {ROOT}. Open it with: python installer")
            return ExitCode.OK if complete else ExitCode.FAILED
        if dev:
            return run_checks(environment, rest)
        return open_app(environment, rest)
    except InstallError as error:
        print(f"{error.problem}\n  {error.remedy}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("\nStopped. Start again with the same command: it goes on where it was.", file=sys.stderr)
        return ExitCode.INTERRUPTED
