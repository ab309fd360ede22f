"""Contact strips: the drawn mouth under the words and sounds of a sentence, to be read by somebody who reads lips.

    python benchmarks/lips_strip.py [--character haru] [--out docs/pictures] [--fps 18] ["A sentence." ...]

The sentence is spoken by Piper, put through the app's own composer and drawn by the live face, as a viewer sees it;
each cell is the picture at one moment, with the word and the sound that are heard then. p and b carry their name from
45 ms before their burst until it, while the voice is down and the lips have to be shut. Every p b m must be shut, w
and oo round, ee wide.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.character import load_character  # noqa: E402
from animator.lipsync.mouth_track import merge_phones  # noqa: E402
from animator.manner import Motion  # noqa: E402
from animator.messages import Phone, Pixels, SpeechClip, SpeechTime  # noqa: E402
from animator.tha3.composer import Composer  # noqa: E402
from animator.tha3.pose import MOUTH  # noqa: E402
from animator.tha3.render import render_poses  # noqa: E402
from benchmarks.lips import spoken  # noqa: E402
from benchmarks.lips_metrics import CLOSED_EARLY_S, Utterance  # noqa: E402

SENTENCES = ("Peter bought my new blue boat.", "We choose to see the moon, you know.")
CROP = (231, 158, 281, 192)
"""Mouth and chin in the picture of 512 px: left, top, right, bottom."""
CELL_PX = (150, 102)
COLUMNS = 12
BURST_S = 0.015
AFTER_S = 0.15
"""So long after the last sound the strip goes on."""
GAP_PX = 4
WORD_PX, SOUND_PX = 22, 26
BACKGROUND = (24, 28, 34)
SKIN_BACKGROUND = (118, 196, 118)
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial Unicode.ttf", "LiberationSans-Regular.ttf")
"""Tried in this order: the phonetic letters need a font that holds them."""


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The first font of FONTS that is installed, else Pillow's own."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def words_of(text: str, phones: Sequence[Phone]) -> list[tuple[str, float, float]]:
    """Words with their times, where the voice leaves a gap between every two of them; [] where it does not."""
    words = text.split()
    spans: list[list[float]] = []
    gap = True
    for phone in phones:
        if not phone.ipa:
            gap = True
        elif gap:
            spans.append([phone.start_s, phone.end_s])
            gap = False
        else:
            spans[-1][1] = phone.end_s
    return [(w, a, b) for w, (a, b) in zip(words, spans, strict=True)] if len(words) == len(spans) else []


def frames_of(utterance: Utterance, character: Path, fps: float) -> tuple[npt.NDArray[np.float64], list[Pixels]]:
    """Times in the sound and the pictures drawn for them."""
    from app import compose
    from app.settings import Settings

    who = load_character(character)
    composer = Composer(
        1, who.expressions, Motion(liveliness=0.0, blink_every_s=20.0, gestures=False), who.mouth_shapes
    )
    clip = SpeechClip(1, 0, utterance.samples, utterance.sample_rate, "", utterance.reference, last=True)
    composer.push(clip)
    last_s = max(p.end_s for p in utterance.reference if p.ipa)
    times = np.arange(-1.0 / fps, last_s + AFTER_S, 1 / fps)
    still = composer.pose(None, 0.0)
    poses = []
    for t in times:
        pose = still.copy()  # a head that stands still, so that every crop shows the same place
        pose[MOUTH] = composer.pose(SpeechTime(1, 0, float(t)), 10.0 + float(t))[MOUTH]
        poses.append(pose)
    weights = compose.weights(Settings())
    drawn = render_poses(
        who.image, weights, compose.bakes_dir(), np.array(poses, np.float32), "live", lambda _s, _d: None, who.large
    )
    return times, list(drawn)


def strip(utterance: Utterance, times: npt.NDArray[np.float64], pictures: Sequence[Pixels]) -> Image.Image:
    """The sheet: rows of mouths with their words and sounds."""
    phones = [phone for phone in merge_phones(utterance.reference) if phone.ipa]
    sounds = _heard(phones)
    words = words_of(utterance.text, utterance.reference)
    cell_w, cell_h = CELL_PX
    rows = -(-len(pictures) // COLUMNS)
    row_h = WORD_PX + SOUND_PX + cell_h + 3 * GAP_PX
    sheet = Image.new("RGB", (GAP_PX + COLUMNS * (cell_w + GAP_PX), 36 + rows * row_h), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP_PX + 2, 18), utterance.text, font=font(20), fill="white", anchor="lm")
    step_s = float(times[1] - times[0])
    shown = -1
    for k, (t, picture) in enumerate(zip(times, pictures, strict=True)):
        x = GAP_PX + (k % COLUMNS) * (cell_w + GAP_PX)
        y = 36 + (k // COLUMNS) * row_h
        word = next((i for i, (_, a, b) in enumerate(words) if a - step_s / 2 <= t < b + step_s / 2), -1)
        if word >= 0:
            draw.rectangle((x - GAP_PX, y, x + cell_w, y + WORD_PX - 3), fill=(52, 66, 92))
            if word != shown:
                draw.text(
                    (x + 4, y + WORD_PX // 2 - 1), words[word][0], font=font(15), fill=(190, 214, 255), anchor="lm"
                )
        shown = word
        label = " ".join(sound for sound, a, b in sounds if a < t + step_s / 4 and b > t - step_s / 4)
        draw.text((x + 4, y + WORD_PX + SOUND_PX // 2 - 2), label, font=font(18), fill="white", anchor="lm")
        time = f"{1000 * t:.0f}"
        draw.text((x + cell_w - 4, y + WORD_PX + SOUND_PX // 2), time, font=font(11), fill=(120, 130, 140), anchor="rm")
        sheet.paste(_mouth(picture), (x, y + WORD_PX + SOUND_PX))
    return sheet


def _heard(phones: Sequence[Phone]) -> list[tuple[str, float, float]]:
    """Sounds with the times at which their lips are due: p and b are labelled at the burst that ends their closure."""
    found: list[tuple[str, float, float]] = []
    for phone in phones:
        start_s, end_s = phone.start_s, phone.end_s
        if phone.ipa[:1] in {"p", "b"}:
            start_s, end_s = phone.start_s - CLOSED_EARLY_S, phone.start_s + BURST_S
        if found and phone.start_s - found[-1][2] < phone.end_s - phone.start_s and found[-1][0][:1] in {"p", "b"}:
            start_s = found[-1][2]  # what follows the burst is the next sound already
        found.append((phone.ipa, start_s, end_s))
    return found


def _mouth(picture: Pixels) -> Image.Image:
    scale = picture.shape[0] / 512
    rgba = picture.astype(np.float32)
    alpha = rgba[:, :, 3:] / 255.0
    flat = rgba[:, :, :3] * alpha + np.array(SKIN_BACKGROUND, dtype=np.float32) * (1.0 - alpha)
    image = Image.fromarray(np.round(flat).astype(np.uint8)).crop(tuple(round(scale * edge) for edge in CROP))
    return image.resize(CELL_PX, Image.Resampling.LANCZOS)


def main() -> None:
    """Speak, draw, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sentence", nargs="*", default=SENTENCES)
    parser.add_argument("--character", type=Path, default=ROOT / "characters" / "haru")
    parser.add_argument("--voice", type=Path, help="a Piper .onnx (default: the installed voice)")
    parser.add_argument("--fps", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    options = parser.parse_args()
    if options.voice is None:
        from app.models import default_store

        options.voice = next(default_store().path("piper-joe").glob("*.onnx"))
    options.out.mkdir(parents=True, exist_ok=True)
    for utterance in spoken(options.voice, tuple(options.sentence)):
        name = "-".join("".join(c for c in word if c.isalnum()) for word in utterance.text.lower().split()[:2])
        path = options.out / f"lips-{name}.png"
        sheet = strip(utterance, *frames_of(utterance, options.character, options.fps))
        sheet.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
            path, optimize=True
        )
        print(path)


if __name__ == "__main__":
    main()
