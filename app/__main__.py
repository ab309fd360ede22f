"""`python -m app` and the command `kuchipaku` are the same."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, then leave at once.

    By then every stage has ended or was told to. A model that is still being loaded cannot be interrupted, and an
    interpreter that shuts down under a native thread ends in that library's abort.
    """
    from app.cli import main as run

    try:
        code = run()
    except SystemExit as exit_:  # argparse: --help, a wrong option
        code = exit_.code if isinstance(exit_.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
