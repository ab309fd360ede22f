"""MuseTalk's files: what they are called, whether they are there, and the shapes that they state. Loads no PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from animator.musetalk.config import AUDIO_WIDTH, STATES, TRUE, Configs

QUALITIES = ("best", "fast")
MAX_CONFIG_BYTES = 64 * 1024
MAX_WIDTH = 4096
MAX_STEPS = 3000


class WeightsError(ValueError):
    """A file is missing, damaged or of another model: `problem` says what, `remedy` what to do."""

    def __init__(
        self, problem: str, remedy: str = "Fetch MuseTalk's files again, or choose the folder that holds them."
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Part:
    """One network's file: `published` as MuseTalk's own folder has it, `places` where it is looked for, in order."""

    name: str
    published: str
    places: tuple[str, ...]
    most_bytes: int


UNET = Part(
    "MuseTalk's UNet",
    "musetalkV15/unet.pth",
    (
        "musetalkV15/unet.safetensors",
        "musetalkV15/unet.pth",
        "musetalk/pytorch_model.safetensors",
        "musetalk/pytorch_model.bin",
        "unet.safetensors",
        "unet.pth",
    ),
    3_500_000_000,
)
VAE = Part(
    "Stable Diffusion's autoencoder (sd-vae-ft-mse)",
    "sd-vae/diffusion_pytorch_model.bin",
    tuple(
        f"{folder}diffusion_pytorch_model.{kind}"
        for folder in ("sd-vae/", "sd-vae-ft-mse/", "")
        for kind in ("safetensors", "bin")
    ),
    360_000_000,
)
WHISPER = Part(
    "Whisper's encoder (whisper-tiny)",
    "whisper/pytorch_model.bin",
    ("whisper/model.safetensors", "whisper/pytorch_model.bin", "whisper-tiny/model.safetensors"),
    170_000_000,
)
TINY = Part(
    "the fast decoder (taesd)",
    "taesd/diffusion_pytorch_model.safetensors",
    ("taesd/diffusion_pytorch_model.safetensors", "taesd/diffusion_pytorch_model.bin"),
    12_000_000,
)


def find(folder: Path, part: Part) -> Path:
    """The file of `part` in `folder`. Raises WeightsError where none is there."""
    path = _file_of(folder, part)
    if path is None:
        raise WeightsError(f"{part.name} is missing in {folder}; expected one of {', '.join(part.places)}.")
    return path


def _file_of(folder: Path, part: Part) -> Path | None:
    return next((folder / place for place in part.places if (folder / place).is_file()), None)


def wanted(quality: str) -> tuple[Part, ...]:
    """The networks that `quality` needs."""
    return (UNET, VAE, WHISPER, *((TINY,) if quality == "fast" else ()))


def missing(folder: Path, quality: str) -> list[Part]:
    """The networks whose files are not in `folder`; [] where all that `quality` needs are there."""
    return [part for part in wanted(quality) if _file_of(folder, part) is None]


def check_there(folder: Path, quality: str) -> None:
    """Whether every file that `quality` needs is there, and none is too large to be what it is called.

    Raises:
        WeightsError: Names the files that are not, and where each is looked for.
    """
    if not folder.is_dir():
        raise WeightsError(f"MuseTalk's files are not there: there is no folder {folder}.", _GET)
    absent = missing(folder, quality)
    if absent:
        lacks = "; ".join(f"{part.name}, {part.published}" for part in absent)
        raise WeightsError(f"{folder} lacks {lacks}.", _GET)
    for part in wanted(quality):
        path = find(folder, part)
        size = path.stat().st_size
        if size > part.most_bytes:
            raise WeightsError(f"{path} has {size:,} bytes; the file of {part.name} has at most {part.most_bytes:,}.")
        if not _looks_right(path):
            kind = "a safetensors file" if path.suffix == ".safetensors" else "a file of PyTorch's (zip)"
            raise WeightsError(f"{path} is not {kind} with {part.name}: {size:,} bytes that begin otherwise.", _AGAIN)


def _looks_right(path: Path) -> bool:
    """Whether the first bytes are those of the format. What a download page or Git LFS leaves behind is neither."""
    with path.open("rb") as stream:
        start = stream.read(9)
    if path.suffix == ".safetensors":
        return len(start) == 9 and 2 <= int.from_bytes(start[:8], "little") < path.stat().st_size and start[8:] == b"{"
    return start.startswith(b"PK\x03\x04")


_AGAIN = "Fetch the file itself: a page about it, or a pointer of Git LFS, is much smaller."
_GET = "Get the files that docs/engines.md names, then run: kuchipaku models add musetalk FOLDER"


def version_of(folder: Path) -> str:
    """By the place of the UNet's file: "1.5" or "1.0", "" where the place does not say."""
    place = find(folder, UNET).relative_to(folder).parts[0]
    return {"musetalkV15": "1.5", "musetalk": "1.0"}.get(place, "")


def configs_of(folder: Path) -> Configs:
    """The shapes that the published `config.json` beside each file states; MuseTalk's own where there is none.

    Raises:
        WeightsError: If one is no config, or is that of another model.
    """
    unet = _table(folder, UNET, ("musetalk.json",))
    vae = _table(folder, VAE, ("config.json",))
    whisper = _table(folder, WHISPER, ("config.json",))
    found = replace(
        TRUE,
        unet=replace(
            TRUE.unet,
            channels=_widths(unet, "block_out_channels", TRUE.unet.channels),
            heads=_whole(unet, "attention_head_dim", TRUE.unet.heads, 64),
            groups=_whole(unet, "norm_num_groups", TRUE.unet.groups, 64),
        ),
        vae=replace(
            TRUE.vae,
            channels=_widths(vae, "block_out_channels", TRUE.vae.channels),
            groups=_whole(vae, "norm_num_groups", TRUE.vae.groups, 64),
        ),
        whisper=replace(TRUE.whisper, steps=_whole(whisper, "max_source_positions", TRUE.whisper.steps, MAX_STEPS)),
    )
    width = _whole(whisper, "d_model", AUDIO_WIDTH, MAX_WIDTH)
    layers = _whole(whisper, "encoder_layers", STATES - 1, 64)
    if (width, layers) != (AUDIO_WIDTH, STATES - 1):
        raise WeightsError(
            f"The Whisper in {folder} has {layers} layers of width {width}; MuseTalk hears by whisper-tiny's "
            f"{STATES - 1} of {AUDIO_WIDTH}."
        )
    for part, divisors, channels in (
        (UNET, (found.unet.groups, found.unet.heads), found.unet.channels),
        (VAE, (found.vae.groups,), found.vae.channels),
    ):
        if any(each % divisor for each in channels for divisor in divisors):
            raise WeightsError(f"The config of {part.name} in {folder} states channels that its groups do not divide.")
    if _file_of(folder, TINY) is not None:
        tiny = _table(folder, TINY, ("config.json",))
        widths = _widths(tiny, "decoder_block_out_channels", (TRUE.tiny.channels,) * 4)
        found = replace(found, tiny=replace(TRUE.tiny, channels=widths[0]))
    return found


def _table(folder: Path, part: Part, names: tuple[str, ...]) -> Mapping[str, Any]:
    place = find(folder, part).parent
    path = next((place / name for name in names if (place / name).is_file()), None)
    if path is None:
        return {}
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("too large")
        table = json.loads(path.read_text("utf-8"))
        if not isinstance(table, dict):
            raise ValueError("no table")
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read as the config of {part.name}.") from error
    return table


def _whole(table: Mapping[str, Any], key: str, default: int, most: int) -> int:
    value = table.get(key, default)
    if type(value) is not int or not 1 <= value <= most:
        raise WeightsError(f"A config of MuseTalk's files states {key} as {value!r:.40}; expected 1 to {most}.")
    return value


def _widths(table: Mapping[str, Any], key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    value = table.get(key, default)
    if not isinstance(value, list | tuple) or len(value) != len(default):
        count = len(default)
        raise WeightsError(f"A config of MuseTalk's files states {key} as {value!r:.40}; expected {count} widths.")
    return tuple(_whole({key: each}, key, 0, MAX_WIDTH) for each in value)
