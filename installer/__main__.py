"""Entry point of `python installer`. Old Pythons must be able to read this file: no newer syntax here."""

import os
import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.stderr.write(
        "Kuchipaku needs Python {0}.{1} or newer; this is Python {2}.{3} ({4}).\n"  # noqa: UP030
        "Install a newer one from https://www.python.org/downloads/ and start it by its name, "
        "for example: python3.12 installer\n".format(*(OLDEST + tuple(sys.version_info[:2]) + (sys.executable,)))
    )
    sys.exit(3)

# `python installer` puts this folder first on the path; the package lies one above.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from installer.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
