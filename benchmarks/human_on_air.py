"""MuseTalk as it goes on air: the face process's own engine, a photo, a voice, and frames at 30 fps on a card.

True-size networks with random weights are written as MuseTalk's folder is published and read as a user's are; speed
does not depend on the values, and the mouth that is seen means nothing. Measured for both qualities:

- ready: from choosing the photo to MuseTalk's first picture, its files read and its graphs captured;
- draw: what a frame costs the thread that draws, p50 and p99, while a voice is heard at its own pace;
- painted: share of the frames of speech in which a painted mouth was there in time;
- interrupted: from `clear` to the photo's own mouth;
- memory: of the card, with MuseTalk and after it has been let go.

    python benchmarks/human_on_air.py [--photo FILE] [--voice FILE] [--seconds 8] [--sheet OUT.jpg] [--json]

Needs an NVIDIA card, PyTorch for CUDA and Triton. Where the face's points cannot be found (no ai-edge-litert), --cache
names a cache folder in which the photo was prepared before; where soundfile is not there, --voice is a WAV of 16 bit.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from animator.messages import SpeechClip, SpeechTime  # noqa: E402
from animator.musetalk.config import TRUE  # noqa: E402
from animator.musetalk.sound import Ears  # noqa: E402
from animator.musetalk.tensors import Random  # noqa: E402
from animator.musetalk.unet import UNet  # noqa: E402
from animator.musetalk.vae import Decoder, Encoder, TinyDecoder  # noqa: E402
from animator.worker import build_engine  # noqa: E402

FPS = 30
CPU, HALF = torch.device("cpu"), torch.float16


def write_weights(folder: Path) -> None:
    """MuseTalk's folder with random networks of the true size, in half precision: 1.9 GB."""
    files: dict[str, tuple[Any, ...]] = {
        "musetalkV15/unet.safetensors": (lambda s: UNet(s, TRUE.unet),),
        "sd-vae/diffusion_pytorch_model.safetensors": (
            lambda s: Decoder(s, TRUE.vae),
            lambda s: Encoder(s, TRUE.vae),
        ),
        "taesd/diffusion_pytorch_model.safetensors": (lambda s: TinyDecoder(s, TRUE.tiny),),
        "whisper/model.safetensors": (lambda s: Ears(s, TRUE.whisper, CPU, HALF),),
    }
    for name, builds in files.items():
        source = Random(CPU, HALF)
        for build in builds:
            build(source)
        tensors = {key: source.take(key, shape) for key, shape in source.taken.items()}
        if name.startswith("whisper"):
            tensors = {f"model.encoder.{key}": value for key, value in tensors.items()}
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_file({key: value.contiguous() for key, value in tensors.items()}, folder / name)


def voice_of(file: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Samples of one channel in [-1, 1], and their rate in Hz."""
    if file.suffix == ".wav":
        with wave.open(str(file)) as sound:
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, sound.getnchannels())
            return (pcm[:, 0] / 32768.0).astype(np.float32), sound.getframerate()
    import soundfile

    samples, rate = soundfile.read(file, dtype="float32")
    return samples, int(rate)


def used_mb() -> float:
    """Of the card's memory, by anybody."""
    free, total = torch.cuda.mem_get_info()
    return round((total - free) / 2**20)


def at_pace(
    engine: Any, begun_s: float, now_s: float, speech: SpeechTime | None
) -> tuple[npt.NDArray[np.uint8], float]:
    """The picture of `now_s`, waited for until its moment has come, and what it cost in ms."""
    time.sleep(max(0.0, begun_s + now_s - time.perf_counter()))
    start_s = time.perf_counter()
    pixels = engine.render(speech, round(now_s * 1e9))
    return pixels, 1e3 * (time.perf_counter() - start_s)


def on_air(
    quality: str, weights: Path, photo: Path, cache: Path, voice: tuple[npt.NDArray[np.float32], int]
) -> tuple[dict[str, Any], list[npt.NDArray[np.uint8]]]:
    """One quality's figures, and some of its frames."""
    options = argparse.Namespace(
        **{"weights": ROOT / "none", "cache": cache, "tier": "live", "large": False, "phonemes": "own"},
        **{"musetalk_weights": weights, "musetalk_quality": quality, "musetalk_device": "cuda", "stepped": False},
    )
    before_mb = used_mb()
    engine: Any = build_engine("musetalk", options)
    begun_s = time.perf_counter()
    engine.load(photo, lambda what, share: None)
    ready_s = time.perf_counter() - begun_s
    tier, problem = engine.capabilities.tier, engine.capabilities.problem
    samples, rate = voice
    clip = SpeechClip(0, 0, samples, rate, "", (), last=True)
    begun_s = time.perf_counter()
    silent_ms, ms, sheet, painted = [], [], [], []
    silent_ms.extend(at_pace(engine, begun_s, k / FPS, None)[1] for k in range(2 * FPS))
    engine.push(clip)
    muse = engine._muse  # noqa: SLF001 - whether a mouth was there in time is nobody else's business
    for k in range(round(clip.duration_s * FPS)):
        speech = SpeechTime(0, 0, k / FPS)
        pixels, spent_ms = at_pace(engine, begun_s, 2.0 + k / FPS, speech)
        ms.append(spent_ms)
        if muse is not None:
            with muse._lock:  # noqa: SLF001
                if muse._is_open(speech):  # noqa: SLF001
                    painted.append(muse._shown is not None)  # noqa: SLF001
        if k % 20 == 10:
            sheet.append(pixels)
    engine.push(SpeechClip(1, 0, clip.samples, rate, "", (), last=True))
    now_s = 2.0 + clip.duration_s
    for k in range(FPS):
        at_pace(engine, begun_s, now_s + k / FPS, SpeechTime(1, 0, 0.5 + k / FPS))
    engine.clear(2)
    shut_ms = -1.0
    for k in range(1, FPS):
        at_pace(engine, begun_s, now_s + 1.0 + k / FPS, None)
        if muse is not None and muse._leaving is None and muse._shown is None:  # noqa: SLF001
            shut_ms = 1e3 * k / FPS
            break
    with_mb = used_mb()
    engine.close()
    torch.cuda.empty_cache()
    return {
        "quality": quality,
        "tier": tier,
        "problem": problem,
        "ready_s": round(ready_s, 1),
        "draw_silent_ms": round(float(np.median(silent_ms)), 2),
        "draw_ms": round(float(np.median(ms)), 2),
        "draw_p99_ms": round(float(np.percentile(ms, 99)), 2),
        "painted": round(float(np.mean(painted)), 4) if painted else 0.0,
        "shut_after_ms": round(shut_ms, 1),
        "card_mb": [before_mb, with_mb, used_mb()],
    }, sheet


def main() -> int:
    """Write the weights, go on air with both qualities, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=ROOT / "tests" / "data" / "faces" / "grace_hopper.jpg")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--voice", type=Path, default=ROOT / "tests" / "data" / "jfk.flac")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--sheet", type=Path, metavar="JPG")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    samples, rate_hz = voice_of(chosen.voice)
    voice = samples[: round(chosen.seconds * rate_hz)], rate_hz
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        character = folder / "somebody"
        character.mkdir()
        shutil.copy(chosen.photo, character / "photo.jpg")
        (character / "character.toml").write_text('name = "Somebody"\nphoto = "photo.jpg"\nconsent = true\n', "utf-8")
        begun_s = time.perf_counter()
        write_weights(folder / "weights")
        print(f"weights written in {time.perf_counter() - begun_s:.0f} s", flush=True)
        rows, frames = [], []
        for quality in ("best", "fast"):
            row, sheet = on_air(quality, folder / "weights", character, chosen.cache or folder / "cache", voice)
            rows.append(row)
            frames += sheet[:8]
            print(json.dumps(row), flush=True)
    if chosen.sheet is not None and frames:
        small = [cv2.resize(each[..., :3], (256, 256), interpolation=cv2.INTER_AREA) for each in frames]
        rows_of = [np.hstack(small[at : at + 8]) for at in range(0, len(small) - len(small) % 8, 8)]
        cv2.imwrite(str(chosen.sheet), cv2.cvtColor(np.vstack(rows_of), cv2.COLOR_RGB2BGR))
    machine = {"card": torch.cuda.get_device_name(), "torch": torch.__version__, "system": platform.platform()}
    print(json.dumps({"machine": machine, "rows": rows}) if chosen.json else machine)
    return int(any(row["problem"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
