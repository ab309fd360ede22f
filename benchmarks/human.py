"""How fast the MuseTalk engine paints on this card, beside the reference's own step, in one run.

    python benchmarks/human.py [--json] [--seconds 1.0] [--batches 1,2,4,8] [--ablate] [--compile] [--profile]

True-size networks with random weights (speed does not depend on them). The reference is diffusers' UNet and decoder in
half precision, eager, and the same in a CUDA graph; it does not count its paste-back, which runs on the CPU. Ours is
counted from sound tokens on the card to the finished picture of the face in the computer's memory. Also: how far our
picture is from the reference's on the same weights, what Whisper's encoder takes per call, and how soon the engine has
a sentence's first frame.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.messages import SpeechClip, SpeechTime  # noqa: E402
from animator.musetalk import ops  # noqa: E402
from animator.musetalk.avatar import Avatar, encoded  # noqa: E402
from animator.musetalk.config import TRUE  # noqa: E402
from animator.musetalk.engine import MuseTalk  # noqa: E402
from animator.musetalk.sound import Ears  # noqa: E402
from animator.musetalk.step import OnDevice, Step  # noqa: E402
from animator.musetalk.stream import conv  # noqa: E402
from animator.musetalk.tensors import Checkpoint, Random  # noqa: E402
from animator.musetalk.unet import UNet, doubled  # noqa: E402
from animator.musetalk.vae import Decoder, Decodes, Encoder, TinyDecoder  # noqa: E402
from animator.musetalk.weights import Models  # noqa: E402
from benchmarks.human_reference import Reference, paste, positions  # noqa: E402

CUDA, HALF = torch.device("cuda"), torch.float16
FRAMES = 4


def timed(call: Callable[[], object], seconds: float, frames: int) -> dict[str, float]:
    """Median and 99th percentile in ms of a call that waits for its result; frames a second by the median."""
    for _ in range(3):
        call()
    spent_ms: list[float] = []
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s or len(spent_ms) < 5:
        start_s = time.perf_counter()
        call()
        spent_ms.append((time.perf_counter() - start_s) * 1e3)
    median_ms = float(np.median(spent_ms))
    return {
        "median_ms": round(median_ms, 3),
        "p99_ms": round(float(np.percentile(spent_ms, 99)), 3),
        "fps": round(frames * 1e3 / median_ms, 1),
    }


def waited(call: Callable[[], object]) -> Callable[[], None]:
    """`call`, and then wait for the card."""

    def run() -> None:
        with torch.inference_mode():
            call()
        torch.cuda.synchronize()

    return run


def replayed(call: Callable[[], object]) -> Callable[[], None]:
    """`call` captured as a CUDA graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), torch.inference_mode():
        for _ in range(3):
            call()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            call()
    torch.cuda.synchronize()
    return waited(graph.replay)


def made_avatar(size_px: int = 512, seed: int = 5) -> Avatar:
    """Smooth noise with a face's box in it."""
    import cv2

    rng = np.random.default_rng(seed)
    frames = np.stack(
        [cv2.resize(rng.integers(0, 255, (12, 12, 3), np.uint8), (size_px, size_px), interpolation=cv2.INTER_CUBIC)
         for _ in range(FRAMES)]
    )  # fmt: skip
    boxes = np.array([[130 + 2 * f, 120 + f, 370 + 2 * f, 390 + f] for f in range(FRAMES)], np.int32)
    mask = np.zeros((270, 240), np.float32)
    mask[150:250, 30:210] = 255
    mask = cv2.GaussianBlur(mask, (25, 25), 0).astype(np.uint8)
    return Avatar(frames, boxes, np.repeat(mask[None], FRAMES, 0))


def reference_call(reference: Reference, batch: int, *, tiny: bool) -> Callable[[], object]:
    """The reference's step on the card, without its copies and paste-back."""
    latents = torch.randn(batch, 8, 32, 32, device=CUDA, dtype=HALF)
    windows = torch.randn(batch, 50, 384, device=CUDA, dtype=HALF)
    table = positions(50, 384).to(CUDA, HALF)
    zero = torch.zeros(1, device=CUDA, dtype=torch.int64)

    def call() -> object:
        predicted = reference.unet(latents, zero, encoder_hidden_states=windows + table).sample
        if tiny:
            return reference.tiny.decode(predicted).sample
        return reference.vae.decode(predicted / 0.18215).sample

    return call


def networks(reference: Reference, dtype: torch.dtype = HALF) -> tuple[UNet, Decoder, Encoder, TinyDecoder]:
    """Ours, on the reference's weights."""

    def source(model: Any, *prefixes: str) -> Checkpoint:
        state = {k: v.clone() for k, v in model.state_dict().items() if not prefixes or k.startswith(prefixes)}
        return Checkpoint(state, CUDA, dtype)

    return (
        UNet(source(reference.unet), TRUE.unet),
        Decoder(source(reference.vae, "decoder.", "post"), TRUE.vae),
        Encoder(source(reference.vae, "encoder.", "quant"), TRUE.vae),
        TinyDecoder(source(reference.tiny, "decoder."), TRUE.tiny),
    )


def painted_by(reference: Reference, avatar: Avatar, windows: torch.Tensor, *, tiny: bool) -> list[Any]:
    """The content of each frame's box by the reference's whole path, uint8 RGB."""
    found = []
    for f in range(FRAMES):
        left, top, right, bottom = box = tuple(int(each) for each in avatar.boxes[f])
        bgr = np.ascontiguousarray(avatar.frames[f, :, :, ::-1])
        latents = reference.latents(bgr[top:bottom, left:right])
        crop = reference.crops(latents, windows[f : f + 1], tiny=tiny)[0]
        found.append(paste(crop, bgr, box, avatar.masks[f])[top:bottom, left:right, ::-1].astype(np.float32) / 255)
    return found


def off(ours: list[Any], theirs: list[Any], masks: Any) -> dict[str, float]:
    """How far pictures are from each other, in parts of 1; RMS within the mouth's mask."""
    away = [np.abs(a - b) for a, b in zip(ours, theirs, strict=True)]
    squares = np.concatenate([each[mask > 127].ravel() ** 2 for each, mask in zip(away, masks, strict=True)])
    return {
        "worst": round(max(float(each.max()) for each in away), 5),
        "mean": round(float(np.mean([each.mean() for each in away])), 6),
        "rms_in_mask": round(float(np.sqrt(squares.mean())), 6),
    }


def distances(
    exact: Reference, reference: Reference, step: Step, avatar: Avatar, *, tiny: bool
) -> dict[str, dict[str, float]]:
    """Ours, the reference in half and the reference in float32, on the same weights, each beside the others.

    The weights are float32, as published; half of them is what the reference and we make of them.
    """
    windows = torch.randn(FRAMES, 50, 384, generator=torch.Generator().manual_seed(9))
    tokens = (windows + positions(50, 384)).to(CUDA, HALF)
    boxes = step.paint(tokens, np.arange(FRAMES), np.ones(FRAMES, np.float32))
    ours = []
    for f in range(FRAMES):
        left, top, right, bottom = avatar.boxes[f]
        ours.append(boxes[f, : bottom - top, : right - left].astype(np.float32) / 255)
    half = painted_by(reference, avatar, windows, tiny=tiny)
    wide = painted_by(exact, avatar, windows, tiny=tiny)
    return {
        "ours to the reference (half)": off(ours, half, avatar.masks),
        "ours to the reference (float32)": off(ours, wide, avatar.masks),
        "reference (half) to itself (float32)": off(half, wide, avatar.masks),
    }


def live(avatar: Avatar, models: Models) -> dict[str, float]:
    """The engine itself: how long after a sentence comes its first painted frame is there, and what `render` takes."""
    # One frame: a loop's next frame would pass for a painted one.
    avatar = Avatar(avatar.frames[:1], avatar.boxes[:1], avatar.masks[:1])
    with tempfile.TemporaryDirectory() as cache:
        engine = MuseTalk(lambda path, progress: avatar, lambda progress: models, Path(cache), "best")
        engine.load(Path("made"), lambda what, share: None)
        at = np.arange(4 * 24000)
        samples = (0.3 * np.sin(at * 0.05) * (1.2 + np.sin(at * 0.001))).astype(np.float32)
        still = engine.render(None, 0)
        waits_ms, draws_ms = [], []
        for turn in range(12):
            start_s = time.perf_counter()
            engine.push(SpeechClip(turn, 0, samples, 24000, "", None, last=True))
            while np.array_equal(engine.render(SpeechTime(turn, 0, 0.2), 0), still):
                time.sleep(0.0005)
            waits_ms.append((time.perf_counter() - start_s) * 1e3)
            for k in range(20):
                start_s = time.perf_counter()
                engine.render(SpeechTime(turn, 0, 0.2 + 0.04 * k), 0)
                draws_ms.append((time.perf_counter() - start_s) * 1e3)
            engine.clear(turn + 1)
            engine.render(None, 10**9 * (turn + 1))
            engine.render(None, 10**9 * (turn + 2))
        engine.close()
    return {
        "first_frame_ms": round(float(np.median(waits_ms)), 1),
        "first_frame_worst_ms": round(float(np.max(waits_ms[2:])), 1),
        "render_ms": round(float(np.median(draws_ms)), 2),
        "render_p99_ms": round(float(np.percentile(draws_ms, 99)), 2),
    }


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """PyTorch's own operators in place of the kernels, to see what these bring."""
    before = ops.fused
    ops.fused = lambda x: False
    try:
        yield
    finally:
        ops.fused = before


def ablations(reference: Reference, batch: int, seconds: float) -> dict[str, dict[str, float]]:
    """UNet and decoder in a graph with one of the engine's means left out."""
    found = {}
    for title, dtype in (("half", HALF), ("bfloat16", torch.bfloat16)):
        unet, decoder, _, _ = networks(reference, dtype)
        tokens = torch.randn(batch, 50, 384, device=CUDA, dtype=dtype)
        eight = torch.randn(batch, 32, 32, 8, device=CUDA, dtype=dtype)

        def call(unet: UNet = unet, decoder: Decoder = decoder, tokens: Any = tokens, eight: Any = eight) -> object:
            return decoder(unet(eight, tokens))

        found[f"{title}, batch {batch}"] = timed(replayed(call), seconds, batch)
        if dtype is HALF:
            with plain():
                found[f"without our kernels, batch {batch}"] = timed(replayed(call), seconds, batch)
            torch.backends.cudnn.benchmark = False
            found[f"without cuDNN's own choice by trial, batch {batch}"] = timed(replayed(call), seconds, batch)
            torch.backends.cudnn.benchmark = True
            for level, (_, up) in enumerate(decoder.levels):
                if up is not None:
                    c = up.bias.shape[0]
                    size = 32 << level
                    x = torch.randn(batch, size, size, c, device=CUDA, dtype=HALF)
                    whole = torch.randn(c, c, 3, 3, device=CUDA, dtype=HALF).to(memory_format=torch.channels_last)
                    name = f"doubling to {2 * size} px, {c} channels, batch {batch}"
                    found[f"{name}: four phases"] = timed(replayed(lambda up=up, x=x: up(x)), seconds / 4, batch)
                    found[f"{name}: enlarge, then 3 x 3"] = timed(
                        replayed(lambda whole=whole, x=x: conv(doubled(x), whole, 1, 1)), seconds / 4, batch
                    )
    return found


def ours_rows(
    name: str, unet: UNet, decode: Decodes, step: Step, batch: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Our whole step, and its parts alone as graphs."""
    tokens = torch.randn(batch, 50, 384, device=CUDA, dtype=HALF)
    index, gate = np.arange(batch) % FRAMES, np.ones(batch, np.float32)
    latents = torch.randn(batch, 32, 32, 4, device=CUDA, dtype=HALF)
    eight = torch.randn(batch, 32, 32, 8, device=CUDA, dtype=HALF)
    found = {f"{name} ours, batch {batch}": timed(lambda: step.paint(tokens, index, gate), seconds, batch)}
    found[f"{name} ours, batch {batch}, decoder alone"] = timed(replayed(lambda: decode(latents)), seconds / 4, batch)
    if name == "best":
        found[f"ours, batch {batch}, UNet alone"] = timed(replayed(lambda: unet(eight, tokens)), seconds / 4, batch)
    for title, numbers in found.items():
        print(f"{title:42} " + "  ".join(f"{k} {v}" for k, v in numbers.items()), flush=True)
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--batches", default="1,2,4,8")
    parser.add_argument("--compile", action="store_true", help="also the reference under torch.compile, batch 1 and 8")
    parser.add_argument("--ablate", action="store_true", help="also ours with one of its means left out")
    parser.add_argument("--profile", action="store_true", help="print the kernels of one batch of 8")
    arguments = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    batches = tuple(int(each) for each in arguments.batches.split(","))
    told: dict[str, Any] = {
        "machine": f"{torch.cuda.get_device_name()}, torch {torch.__version__}, Python {platform.python_version()}"
    }
    print(told["machine"], flush=True)

    def row(name: str, found: dict[str, float]) -> None:
        told[name] = found
        print(f"{name:42} " + "  ".join(f"{k} {v}" for k, v in found.items()), flush=True)

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # float32 is to be float32
    exact = Reference(TRUE, "cuda", torch.float32)
    reference = exact.rounded(HALF)
    unet, decoder, encoder, tiny = networks(exact)
    made = made_avatar()
    avatar = Avatar(made.frames, made.boxes, made.masks, encoded(made, encoder, 256, CUDA, HALF))
    on_device = OnDevice.of(avatar, CUDA, HALF)
    ears = Ears(Random(CUDA, HALF), TRUE.whisper, CUDA, HALF)
    sound = np.random.default_rng(1).normal(0, 0.1, 6 * 16000).astype(np.float32)

    def hear() -> object:
        return ears.tokens(ears.states(sound), np.arange(8))

    row("sound of a sentence to tokens, one call", timed(waited(hear), arguments.seconds, 1))
    for name, decode in (("best", decoder), ("fast", tiny)):
        start_s = time.perf_counter()
        step = Step(unet, decode, on_device, (*batches, FRAMES) if FRAMES not in batches else batches)
        print(f"{name}: prepared in {time.perf_counter() - start_s:.1f} s", flush=True)
        for title, found in distances(exact, reference, step, avatar, tiny=name == "fast").items():
            row(f"{name} {title}", found)
        for batch in batches:
            for kind, wrap in (("eager", waited), ("graph", replayed)):
                if kind == "eager" or batch in (1, 8):
                    call = reference_call(reference, batch, tiny=name == "fast")
                    row(f"{name} reference {kind}, batch {batch}", timed(wrap(call), arguments.seconds, batch))
            told.update(ours_rows(name, unet, decode, step, batch, arguments.seconds))
        if arguments.profile:
            profile(step, batches[-1])
            profile(step, 1)
        del step
    models = Models(unet, decoder, encoder, ears, "made", CUDA, HALF, TRUE)
    row("live, best", live(made, models))
    if arguments.ablate:
        for batch in (1, 8):
            for title, found in ablations(exact, batch, arguments.seconds / 2).items():
                row(title, found)
    if arguments.compile:
        for batch in (1, 8):
            start_s = time.perf_counter()
            call = torch.compile(reference_call(reference, batch, tiny=False), mode="default", dynamic=False)
            waited(call)()
            print(f"torch.compile took {time.perf_counter() - start_s:.0f} s", flush=True)
            row(f"best reference compiled + graph, batch {batch}", timed(replayed(call), arguments.seconds, batch))
    if arguments.json:
        print(json.dumps(told))


def profile(step: Step, batch: int) -> None:
    """Print where the card's time goes."""
    tokens = torch.randn(batch, 50, 384, device=CUDA, dtype=HALF)
    index, gate = torch.arange(batch, device=CUDA) % FRAMES, torch.ones(batch, device=CUDA)
    with torch.inference_mode(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as found:
        for _ in range(3):
            step.compute(tokens, index, gate)
        torch.cuda.synchronize()
    events = [e for e in found.key_averages() if e.device_time_total > 0]
    events.sort(key=lambda e: -e.device_time_total)
    total = sum(e.device_time_total for e in events)
    print(f"batch {batch}: {total / 3e3:.2f} ms in {sum(e.count for e in events) // 3} kernels")
    for e in events[:24]:
        print(f"  {e.device_time_total / 3e3:7.3f} ms {e.count // 3:4} x {e.key[:110]}")


if __name__ == "__main__":
    main()
