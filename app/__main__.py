"""`python -m app` and the command `kuchipaku` are the same."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line."""
    from app.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
