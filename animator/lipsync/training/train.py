"""Train the phone model: `python -m animator.lipsync.training.train --packs DIR [DIR ..] --out model.onnx --minutes 8`.

Everything is loaded to the device as sound; batches are cut, damaged and turned into features there. Writes
`model.npz` (weights, settings, the bigram of phones, figures) beside the model, and the model itself where `onnx` is
installed; `training.export` makes it from the `.npz` elsewhere.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from animator.lipsync import phone_features as features
from animator.lipsync.inventory import PHONES, SILENCE, tokens_of
from animator.lipsync.training import validate
from animator.lipsync.training.augment import Augment
from animator.lipsync.training.network import Mel, PhoneNet, Shape, load_arrays, to_arrays
from animator.lipsync.training.reel import IGNORE, Batch, Reel, Utterance, with_closures

WARPS = tuple(round(w, 3) for w in np.linspace(0.88, 1.14, 14))
"""Vocal-tract lengths; the one nearest 1 is what validation uses."""
PLAIN = min(range(len(WARPS)), key=lambda k: abs(WARPS[k] - 1))
ONSET_WEIGHT = 0.2
ONSET_POSITIVE = 3.0
"""A phone starts in about one frame of eight."""
SAVE_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. Either `minutes` or `steps` ends it."""

    minutes: float = 8.0
    steps: int | None = None
    items: int = 64
    frames: int = 400
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.02
    warmup_steps: int = 500
    ema: float = 0.999
    dropout: float = 0.1
    seed: int = 5
    width: int = 256
    expansion: int = 3
    most_tests: int = 80
    report_every: int = 200


def load_packs(folders: Sequence[Path]) -> list[Utterance]:
    """All utterances of all packs; sound files are decoded in parallel."""
    import soundfile

    from animator.lipsync.training import pack

    def decode(path: Path) -> npt.NDArray[np.int16]:
        samples, rate = soundfile.read(path, dtype="int16")
        if rate != features.SAMPLE_RATE or samples.ndim != 1:
            raise ValueError(f"{path.name} has {rate} Hz and shape {samples.shape}; expected 16000 Hz mono")
        return np.asarray(samples, np.int16)

    utterances: list[Utterance] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for folder in folders:
            entries = pack.read_index(folder)
            files = sorted({entry.file for entry in entries})
            sounds = dict(zip(files, pool.map(decode, [folder / name for name in files]), strict=True))
            for entry in entries:
                first = round(entry.start_s * features.SAMPLE_RATE)
                samples = sounds[entry.file][first : first + round(entry.seconds * features.SAMPLE_RATE)]
                utterances.append(
                    Utterance(
                        samples,
                        entry.phones,
                        entry.voice,
                        entry.engine,
                        entry.language,
                        entry.split,
                        entry.plosive_lead_s,
                    )
                )
    return utterances


def loss_of(
    log_probs: Tensor, onset: Tensor, batch: Batch, class_weights: Tensor, smoothing: float, spoken: Tensor
) -> Tensor:
    """Cross-entropy over quarters of frames (weighted by class, smoothed) plus the onsets' (spoken items only)."""
    labels = torch.where(spoken[:, None, None], batch.labels, SILENCE)
    known = labels != IGNORE
    target = labels.masked_fill(~known, SILENCE)
    weight = class_weights[target] * known
    likelihood = log_probs.gather(2, target)
    smooth = log_probs.mean(2, keepdim=True)
    losses = -((1 - smoothing) * likelihood + smoothing * smooth) * weight
    classes = losses.sum() / weight.sum().clamp(min=1)
    onsets = F.binary_cross_entropy_with_logits(
        onset,
        (batch.onsets & spoken[:, None]).float(),
        pos_weight=torch.tensor(ONSET_POSITIVE, device=onset.device),
    )
    return classes + ONSET_WEIGHT * onsets


class Trainer:
    """One training run on one device."""

    def __init__(self, utterances: Sequence[Utterance], settings: Settings, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.device = device
        self.train = [u for u in utterances if u.split == "train"]
        self.tests = [u for u in utterances if u.split == "test"]
        self.shape = Shape(width=settings.width, expansion=settings.expansion)
        self.network = PhoneNet(self.shape, settings.dropout).to(device)
        self.averaged = copy.deepcopy(self.network).eval()
        self.mel = Mel(WARPS).to(device)
        self.reel = Reel(self.train, device, settings.seed)
        self.augment = Augment(device, settings.seed + 1)
        decayed = [p for p in self.network.parameters() if p.ndim >= 2]
        others = [p for p in self.network.parameters() if p.ndim < 2]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            fused=device.type == "cuda",
        )
        self.step = 0
        self.losses: list[Tensor] = []

    def _warps(self, items: int) -> Tensor:
        drawn = torch.randint(len(WARPS), (items,), generator=self.augment.generator, device=self.device)
        return torch.where(self.augment.chance(0.5, items).squeeze(1), drawn, PLAIN)

    def take_step(self, progress: float) -> None:
        """One batch; `progress` in [0, 1] sets the learning rate (linear warm-up, then half a cosine)."""
        settings = self.settings
        rate = min(1.0, (self.step + 1) / settings.warmup_steps) * (
            0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
        )
        for group in self.optimiser.param_groups:
            group["lr"] = settings.learning_rate * rate
        with torch.no_grad():
            batch = self.reel.batch(settings.items, settings.frames, self.shape)
            sound, spoken = self.augment(batch.sound, batch.is_speech)
            mel = self.augment.mask_bands(self.mel(sound, self._warps(settings.items)))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            log_probs, onset = self.network(mel)
        loss = loss_of(log_probs, onset, batch, self.reel.class_weights, settings.label_smoothing, spoken)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.losses.append(loss.detach())
        self._average()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for kept, new in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            kept.lerp_(new, 1 - decay)

    def loss(self) -> float:
        """Mean loss since the last call."""
        mean = float(torch.stack(self.losses).mean()) if self.losses else math.nan
        self.losses.clear()
        return mean

    def run(self, out: Path | None = None) -> None:
        """Train until the time or the steps are over; weights are saved about once a minute to `out`."""
        settings = self.settings
        began_s = saved_s = time.monotonic()
        self.network.train()
        while True:
            elapsed_s = time.monotonic() - began_s
            progress = self.step / settings.steps if settings.steps else elapsed_s / (60 * settings.minutes)
            if progress >= 1:
                break
            self.take_step(progress)
            if self.step % settings.report_every == 0:
                loss = self.loss()
                heard_h = self.step * settings.items * settings.frames * validate.HOP_S / 3600
                elapsed_s = time.monotonic() - began_s
                _say(f"step {self.step:6} {elapsed_s:6.1f} s  loss {loss:.4f}  heard {heard_h:7.1f} h")
                if not math.isfinite(loss):
                    raise RuntimeError(f"the loss is {loss} at step {self.step}; lower --learning-rate")
                if out is not None and time.monotonic() - saved_s > SAVE_EVERY_S:
                    save(self, out, {})
                    saved_s = time.monotonic()

    @torch.no_grad()
    def log_probs(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
        """What the averaged network says of one whole sound, (frames, classes)."""
        frames = -(-len(samples) // features.HOP)
        sound = torch.zeros(1, frames * features.HOP + 2 * features.REACH, device=self.device)
        sound[0, features.REACH : features.REACH + len(samples)] = torch.from_numpy(samples / np.float32(32768))
        mel = self.mel(sound, torch.tensor([PLAIN], device=self.device))
        mel = F.pad(mel, (0, 0, self.shape.left, self.shape.right), value=float(features.SILENT))
        found, _ = self.averaged(mel)
        return np.asarray(found[0].cpu().numpy(), np.float32)

    def evaluate(self) -> dict[str, validate.Tally]:
        """The test part, by engine and language, at most `most_tests` utterances of each, and all together."""
        chosen: dict[str, list[Utterance]] = defaultdict(list)
        for u in self.tests:
            chosen[f"{u.engine} {u.language}"].append(u)
        table = bigram(self.train)
        jobs: list[tuple[str, npt.NDArray[np.float32], Utterance]] = []
        for name in sorted(chosen):
            group = chosen[name]
            picked = np.random.default_rng(self.settings.seed).permutation(len(group))[: self.settings.most_tests]
            jobs += [(name, self.log_probs(group[k].samples), group[k]) for k in picked]
        groups: dict[str, validate.Tally] = {}
        total = validate.Tally()
        for name, log_probs, u in jobs:
            tally = validate.measure(log_probs, with_closures(u.phones, u.plosive_lead_s), table)
            groups.setdefault(name, validate.Tally()).add(tally)
            total.add(tally)
        return {**groups, "all": total}


def bigram(utterances: Sequence[Utterance]) -> npt.NDArray[np.float32]:
    """Logarithm of p(class | class before), float32 (classes, classes), one added to every count."""
    counts = np.ones((len(PHONES), len(PHONES)), np.float64)
    for u in utterances:
        before = SILENCE
        for ipa, _, _ in u.phones:
            for token in tokens_of(ipa) or (SILENCE,):
                if token != before:
                    counts[before, token] += 1
                before = token
    return np.asarray(np.log(counts / counts.sum(1, keepdims=True)), np.float32)


def summary(utterances: Sequence[Utterance]) -> dict[str, dict[str, float]]:
    """Hours and voices by split, engine and language."""
    found: dict[str, dict[str, Any]] = {}
    for u in utterances:
        row = found.setdefault(f"{u.split} {u.engine} {u.language}", {"hours": 0.0, "utterances": 0, "voices": set()})
        row["hours"] += len(u.samples) / features.SAMPLE_RATE / 3600
        row["utterances"] += 1
        row["voices"].add(u.voice)
    return {
        name: {"hours": round(row["hours"], 3), "utterances": row["utterances"], "voices": len(row["voices"])}
        for name, row in sorted(found.items())
    }


def machine() -> str:
    """What it ran on."""
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{card}, {os.cpu_count()} cores ({platform.machine()}), {versions}"


def save(trainer: Trainer, out: Path, figures: dict[str, Any]) -> Path:
    """Write `out` with the ending .npz: the averaged weights and all that the model's file needs beside them."""
    about = {
        "shape": trainer.shape.to_plain(),
        "symbols": list(PHONES),
        "figures": figures,
        "data": summary([*trainer.train, *trainer.tests]),
        "steps": trainer.step,
        "machine": machine(),
    }
    path = out.with_suffix(".npz")
    partial = path.with_suffix(".part.npz")
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(about, ensure_ascii=False)),
        "bigram": bigram(trainer.train),
        **to_arrays(trainer.averaged),
    }
    np.savez_compressed(partial, **arrays)
    partial.replace(path)
    return path


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0 when the model is written."""
    parser = argparse.ArgumentParser(description="Train the phone model from packs of labelled speech.")
    parser.add_argument("--packs", nargs="+", type=Path, required=True, help="folders with index.json")
    parser.add_argument("--out", type=Path, required=True, help="model file to write (.onnx)")
    parser.add_argument("--start", type=Path, help="go on from the weights of this .npz")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    defaults = Settings()
    for name, value in (
        ("minutes", defaults.minutes),
        ("items", defaults.items),
        ("frames", defaults.frames),
        ("learning_rate", defaults.learning_rate),
        ("dropout", defaults.dropout),
        ("ema", defaults.ema),
        ("seed", defaults.seed),
        ("width", defaults.width),
        ("expansion", defaults.expansion),
        ("most_tests", defaults.most_tests),
        ("report_every", defaults.report_every),
    ):
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--steps", type=int, help="instead of --minutes: does not depend on how fast the machine is")
    options = vars(parser.parse_args(arguments))
    packs, out, start, device = (options.pop(key) for key in ("packs", "out", "start", "device"))
    settings = Settings(**options)

    _say(machine())
    began_s = time.monotonic()
    utterances = load_packs(packs)
    _say(f"loaded {len(utterances)} utterances in {time.monotonic() - began_s:.1f} s")
    for name, row in summary(utterances).items():
        _say(f"  {name}: {row}")
    trainer = Trainer(utterances, settings, torch.device(device))
    if start is not None:
        with np.load(start, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in trainer.network.state_dict()}
        load_arrays(trainer.network, weights)
        load_arrays(trainer.averaged, weights)
    parameters = sum(p.numel() for p in trainer.network.parameters())
    look_ahead_ms = 1000 * (trainer.shape.right * features.HOP + features.REACH) / features.SAMPLE_RATE
    _say(f"{parameters / 1e6:.2f} M parameters, look-ahead {look_ahead_ms:.1f} ms, past {trainer.shape.left} frames")
    began_s = time.monotonic()
    trainer.run(out)
    _say(f"{trainer.step} steps in {time.monotonic() - began_s:.1f} s")
    path = save(trainer, out, {})
    began_s = time.monotonic()
    groups = trainer.evaluate()
    _say(f"validated in {time.monotonic() - began_s:.1f} s\n{validate.table(groups)}")
    save(trainer, out, {name: tally.row() for name, tally in groups.items()})
    try:
        from animator.lipsync.training.export import export

        export(path, out)
        _say(f"wrote {out} ({out.stat().st_size / 1e6:.2f} MB)")
    except ImportError as error:
        _say(f"wrote {path}; the model file needs the package {error.name}: python -m ...training.export {path} {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
