"""Photos of faces and what phones do to them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

FACES = Path(__file__).parents[2] / "data" / "faces"


@pytest.fixture(scope="session")
def grace() -> Image.Image:
    return Image.open(FACES / "grace_hopper.jpg").convert("RGB")


@pytest.fixture(scope="session")
def eileen() -> Image.Image:
    return Image.open(FACES / "eileen_collins.jpg").convert("RGB")


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """A function: a picture as the bytes of a file."""

    def encode(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
        written = BytesIO()
        picture.save(written, kind, **options)
        return written.getvalue()

    return encode
