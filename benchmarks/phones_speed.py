"""How long phone models take for a second of speech, on this machine, side by side in one run.

    python benchmarks/phones_speed.py [--devices cpu,cuda] [--chunks 1,2,5,10] [--repeats N] [--onnx] [--json]

wav2vec2 is of the published models' true size (24 layers, 1024 wide, 16 heads, 4096 inside, 392 classes: 315.8 million
parameters) with random weights: its speed does not depend on them. float32 on the CPU, float16 on a graphics card;
the sound's way to the card and the log-probabilities' way back count. `--onnx` adds the exported file (1.3 GB on
disk). Models whose packages are missing are named and left out. Needs NumPy; PyTorch and transformers for wav2vec2.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.lipsync import wav2vec2  # noqa: E402
from animator.lipsync.align import Kind, Target, align  # noqa: E402
from animator.messages import Samples  # noqa: E402

RATE_HZ = 16_000
CLASSES = 392
SYMBOLS = ("",) * 4 + tuple(f"s{i}" for i in range(CLASSES - 4))

Run = Callable[[Samples], object]


def machine() -> dict[str, str]:
    """What was measured on."""
    found = {"python": platform.python_version(), "system": platform.platform(), "cores": str(os.cpu_count())}
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        if (cpuinfo.is_file())
        else []
    )
    found["cpu"] = names[0] if names else platform.processor()
    for package in ("numpy", "torch", "transformers", "onnxruntime", "hama"):
        try:
            found[package] = str(getattr(__import__(package), "__version__", "there"))
        except ImportError:
            found[package] = "missing"
    if found["torch"] != "missing":
        import torch

        found["torch_threads"] = str(torch.get_num_threads())
        if torch.cuda.is_available():
            found["gpu"] = torch.cuda.get_device_name()
    return found


def true_size() -> Any:
    """The published models' network, with random weights."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(0)
    config = Wav2Vec2Config(
        vocab_size=CLASSES,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        pad_token_id=0,
    )
    return Wav2Vec2ForCTC(config).eval()


def models(devices: list[str], with_onnx: bool, folder: Path, missing: dict[str, str]) -> dict[str, Run]:
    """Every model that runs here, by its name; `missing` is filled with the others."""
    found: dict[str, Run] = {}
    try:
        # Both need packages that a machine with PyTorch may not have.
        from animator.lipsync import phone_files

        for name in phone_files.NAMES:
            try:
                found[f"{name} cpu"] = phone_files.load_model(name).log_probs
            except (phone_files.PhoneSourceError, ImportError) as error:
                missing[name] = str(error)
    except ImportError as error:
        missing["own, hama"] = str(error)
    try:
        import torch

        network = true_size()
        parameters = sum(p.numel() for p in network.parameters())
        print(f"wav2vec2: {parameters / 1e6:.1f} million parameters", file=sys.stderr)
        if with_onnx:
            path = folder / "wav2vec2.onnx"
            wav2vec2.export_network(network, SYMBOLS, True, 0.0, path)
            found["wav2vec2 onnx"] = wav2vec2.load(path).log_probs
        for device in devices:
            if device.startswith("cuda") and not torch.cuda.is_available():
                missing[f"wav2vec2 {device}"] = "PyTorch finds no graphics card"
                continue
            import copy

            logits = wav2vec2.torch_logits(copy.deepcopy(network), device)
            found[f"wav2vec2 {device}"] = wav2vec2.Wav2Vec2Model(device, SYMBOLS, logits, True, 0.0).log_probs
    except ImportError as error:
        missing["wav2vec2"] = str(error)
    return found


def seconds(run: Run, sound: Samples, repeats: int) -> list[float]:
    """Each of `repeats` runs, after one that warms up."""
    run(sound)
    took = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        run(sound)
        took.append(time.perf_counter() - start_s)
    return took


def alignment_ms(repeats: int) -> dict[str, float]:
    """Forced alignment alone: 60 phones of a 5 s sentence, 10 ms frame-wise and 20 ms CTC."""
    rng = np.random.default_rng(1)
    found = {}
    for name, frames, kind in (("10 ms frames", 500, Kind(silence=0)), ("20 ms CTC", 250, Kind(blank=0))):
        scores = np.log(rng.dirichlet(np.ones(66) * 0.05, frames) + 1e-9).astype(np.float32)
        target = Target(tuple((int(c),) for c in rng.integers(1, 66, 60)), tuple(i // 4 for i in range(60)))
        took = []
        for _ in range(max(5, repeats)):
            start_s = time.perf_counter()
            align(scores, target, kind)
            took.append(1000 * (time.perf_counter() - start_s))
        found[name] = statistics.median(took)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Seconds per second of speech of the phone models.")
    parser.add_argument("--devices", default="cpu,cuda", help="for wav2vec2, separated by commas")
    parser.add_argument("--chunks", default="1,2,5,10", help="lengths of sound in s")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="of PyTorch (default: its own choice)")
    parser.add_argument("--onnx", action="store_true", help="measure wav2vec2's exported file too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.threads:
        try:
            import torch

            torch.set_num_threads(options.threads)
        except ImportError:
            print("PyTorch is missing.", file=sys.stderr)
    missing: dict[str, str] = {}
    chunks = [float(each) for each in options.chunks.split(",")]
    rng = np.random.default_rng(0)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        found = models(options.devices.split(","), options.onnx, Path(folder), missing)
        for name, run in found.items():
            rows[name] = {}
            for chunk_s in chunks:
                sound = (0.1 * rng.standard_normal(round(chunk_s * RATE_HZ))).astype(np.float32)
                took = seconds(run, sound, options.repeats)
                rows[name][f"{chunk_s:g}"] = {
                    "median_s_per_s": statistics.median(took) / chunk_s,
                    "worst_s_per_s": max(took) / chunk_s,
                }
    about, aligned = machine(), alignment_ms(options.repeats)
    if options.json:
        print(json.dumps({"machine": about, "missing": missing, "models": rows, "alignment_ms": aligned}, indent=1))
        return 0
    print("  ".join(f"{key} {value}" for key, value in about.items()))
    print(f"{'s per s of speech':<20}" + "".join(f"{chunk_s:>16g} s" for chunk_s in chunks))
    for name, row in rows.items():
        cells = (f"{cell['median_s_per_s']:.4f} ({cell['worst_s_per_s']:.4f})" for cell in row.values())
        print(f"{name:<20}" + "".join(f"{cell:>18}" for cell in cells))
    print("median (worst) of", options.repeats)
    print("forced alignment of 5 s: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in aligned.items()))
    for name, reason in missing.items():
        print(f"left out: {name}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
