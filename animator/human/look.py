"""Look at a photo or a video in a process of its own: `python -m animator.human.look FILE --cache FOLDER`.

For whoever wants to know whether it can talk before it becomes a character, without loading networks itself.
Writes one JSON object a line: `{"what", "share"}` for progress, then `{"notes", "size_px"}` or `{"problem",
"remedy"}`. Ends with 0 or 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from animator.human.avatar import prepare_file
from animator.human.photo import PhotoError


def main(argv: list[str] | None = None) -> int:
    """Prepare the portrait, which is kept for the character to come, and say how that went."""
    parser = argparse.ArgumentParser(prog="python -m animator.human.look", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="the folder of the bakes")
    parser.add_argument("--picture", type=Path, help="write the portrait there, as PNG")
    arguments = parser.parse_args(argv)

    def tell(**facts: Any) -> None:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    try:
        avatar = prepare_file(
            arguments.file, arguments.cache, lambda what, share: tell(what=what, share=round(share, 2))
        )
    except PhotoError as error:
        tell(problem=error.problem, remedy=error.remedy)
        return 1
    if arguments.picture is not None:
        Image.fromarray(avatar.portrait.picture).save(arguments.picture, format="PNG")
    tell(notes=list(avatar.notes), size_px=avatar.portrait.picture.shape[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
