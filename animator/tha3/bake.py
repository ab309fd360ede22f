"""Bakes one character for the live tier: runs the networks over a fixed set of poses and keeps what they say.

`python -m animator.tha3.bake --image X.png --weights DIR --cache DIR` does it as a process of low priority. It prints
one JSON object per line on stdout: "what", "share" and "stage", which names a stage just finished or is null; the
last also has "folder". It stops when its standard input closes or SIGTERM comes. What is finished by then is kept,
and the next run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels, Pose
from animator.tha3 import bake_flow, graphs, likeness, live_fit, live_nodes, live_store, providers, srgb
from animator.tha3.face import FACE_COLS, FACE_ROWS, check_image
from animator.tha3.live_parts import SCALE, Eyes, Layer
from animator.tha3.live_store import bake_key
from animator.tha3.live_warp import Floats, Layout, Region
from animator.tha3.pose import BODY, EYEBROW, FACE, MOUTH, REST_SMIRK, pose_of, set_value

__all__ = ["BakeStopped", "bake", "bake_key", "main"]

_CHANGED = 3.0
"""A pixel belongs to a part's box if some node changes it by more than this, of 255."""
_VISIBLE = 8
"""Alpha above this, of 255, is the character."""
_MARGIN_PX = 40
"""Room around the neutral character for head and body to move in."""
MOUTH_TOP = 130
"""Row of the face crop below which expressions are told by the mouth alone."""
FLOW_DIRECTIONS, CORRECTION_DIRECTIONS = 64, 16
"""Principal components kept. The true flow laid onto 28 of 180 runs' gives 38.5 dB; 96 directions instead of 64 give
another 0.2 dB, for a millisecond a frame."""
_CORRECTION_NOISE = 0.01
"""Corrections follow the pose less closely than flows do: the regression must not chase every run."""

_WORKERS = min(os.cpu_count() or 1, 4)
"""Runs of all networks that go on at once: more take 150 MB of memory each."""
_THREADS = max((os.cpu_count() or 1) // _WORKERS, 1)

Progress = Callable[[str, float], None]
Arrays = dict[str, npt.NDArray[Any]]


class BakeStopped(Exception):
    """`should_stop` said so; finished stages are kept."""


def bake(image: Pixels, weights: Path, cache_root: Path, progress: Progress, should_stop: Callable[[], bool]) -> Path:
    """Bake `image`, or what is missing of it.

    Args:
        image: The character, uint8 RGBA (512,512,4), straight alpha.
        weights: Folder with THA3's five weight files.
        cache_root: Where bakes are kept, at most `live_store.CACHE_MAX_BYTES` in all.
        progress: Told what is being done and the share done in [0, 1], after every network run.
        should_stop: Asked after every network run.

    Returns:
        The bake's folder, for `LiveFace`.

    Raises:
        ValueError: If the picture is of the wrong kind.
        WeightsError: If the weights do not fit.
        LikenessError: If the file of the kernel that comes along is missing or damaged.
        BakeStopped: If `should_stop` said so.
        OSError: If the disk does not take it.
    """
    image = check_image(image)
    folder = cache_root / bake_key(image, weights)
    done = live_store.drop_damaged(folder)
    missing = [stage for stage in live_nodes.STAGES if stage not in done]
    live_store.trim(cache_root, keep=[folder.name])
    if missing:
        progress("loading networks", 0.0)
        networks = graphs.Graphs(graphs.ready(cache_root, weights), threads=_THREADS)
        baker = _Baker(image, networks, folder, progress, should_stop, missing)
        for stage in missing:
            live_store.write_stage(folder, stage, baker.stage(stage))
        live_store.drop_runs(folder)
        live_store.trim(cache_root, keep=[folder.name])
    live_store.mark_used(folder)
    progress("ready", 1.0)
    return folder


@dataclass(frozen=True, slots=True)
class _Run:
    """What all networks together made of one pose."""

    turns: Floats
    look: Floats
    flow: Floats
    """A vector, see `Layout`."""
    correction: Floats
    """(height/2, width/2, 4)"""


class _Baker:
    """One character's way through the stages."""

    def __init__(
        self,
        image: Pixels,
        networks: graphs.Graphs,
        folder: Path,
        progress: Progress,
        should_stop: Callable[[], bool],
        missing: Sequence[str],
    ) -> None:
        self._networks = networks
        # A card works at one run at a time anyway, and DirectML must not be asked for a second one meanwhile.
        self._workers = _WORKERS if networks.provider == providers.CPU else 1
        self._folder = folder
        self._progress = progress
        self._should_stop = should_stop
        self._mouths = live_nodes.mouth_nodes()
        self._talk_mouths = live_nodes.talk_nodes()
        self._poses = live_nodes.run_poses()
        self._runs: list[_Run] = []
        self._runs_due = sum(self._due(stage) for stage in missing)
        self._runs_done = 0
        self._what = ""
        self._image = image
        self._character = networks.character(image)
        self._resting = networks.brows(self._character, pose_of()[EYEBROW])
        neutral = networks.face(self._resting, pose_of()[FACE])
        self._full = self._with(neutral)
        self._visible = srgb.pixels(self._full)[:, :, 3] > _VISIBLE
        self._region = _region(self._visible)
        self._layout = Layout(self._region, self._visible[self._region.full])
        self._likeness = likeness.bundled()
        self._detail = live_store.read_detail(folder, (self._region.height, self._region.width, 4))
        self._neutral_srgb = srgb.steps(neutral)
        self._step("drawing the first picture", 1)

    def stage(self, name: str) -> Arrays:
        """All arrays of one stage."""
        stages: dict[str, tuple[str, Callable[[], Arrays]]] = {
            "first": ("drawing the first picture", self._first),
            "talk": ("learning to talk", self._talk),
            "mouth": ("learning the mouth", lambda: self._mouth(self._mouths)),
            "eyes": ("learning the eyes", self._eyes),
            "faces": ("learning expressions", self._faces),
            "motion": ("learning to move", lambda: self._motion("motion")),
            "fine": ("refining movements", lambda: self._motion("fine")),
        }
        self._what, make = stages[name]
        self._step(self._what, 0)
        return make()

    def _due(self, stage: str) -> int:
        """About how much work a stage is, in runs of the face morpher (a run of all networks is worth 7)."""
        n = live_nodes
        corners = 2 * len(n.corner_changes())
        return {
            "first": 7,
            "talk": len(self._talk_mouths) + corners + 7 * n.RUNS["talk"],
            "mouth": len(self._mouths) + corners,
            "eyes": len(n.IRIS_LEVELS) ** 2
            + 5 * len(n.WINK_LEVELS[1:])
            + 4 * (1 + len(n.EYE_EXTRAS) + 2 * len(n.BROWS)),
            "faces": 2 * (len(n.browed_poses()) + len(n.face_poses())),
            "motion": 7 * (n.RUNS["motion"] - n.RUNS["talk"]),
            "fine": 7 * (n.RUNS["fine"] - n.RUNS["motion"]),
        }[stage]

    def _step(self, what: str, runs: int) -> None:
        self._runs_done += runs
        self._progress(what, min(self._runs_done / max(self._runs_due, 1), 0.999))
        if self._should_stop():
            raise BakeStopped

    # Stages

    def _first(self) -> Arrays:
        run, correction = self._worked_out(pose_of(), self._full, *self._body(self._full, pose_of()))
        r = self._region
        return {
            "region": np.array([r.top, r.bottom, r.left, r.right], np.int32),
            "visible": np.packbits(self._visible[r.full]),
            "art": self._image[r.full],
            "face": np.rint(self._neutral_srgb * SCALE).astype(np.int16),
            "flow": run.flow.astype(np.float16),
            "correction": correction.astype(np.float16),
        }

    def _talk(self) -> Arrays:
        return {**self._mouth(self._talk_mouths), **self._motion("talk")}

    def _mouth(self, nodes: Floats) -> Arrays:
        residuals = self._residuals([self._mouth_pose(node) for node in nodes])
        rest, opened = pose_of(), pose_of(mouth_aaa=live_nodes.OPEN_AT)
        changed: list[Floats] = []
        for base in (rest, opened):
            baked = residuals[_index_of(nodes, base[MOUTH])]
            poses = [_with_values(base, changes) for changes in live_nodes.corner_changes()]
            changed += [residual - baked for residual in self._residuals(poses)]
        return {
            "nodes": nodes,
            **_packed("mouth", residuals),
            **_packed("corners", changed),
        }

    def _eyes(self) -> Arrays:
        n = live_nodes
        iris = self._residuals(
            [pose_of(iris_rotation_x=x, iris_rotation_y=y) for x in n.IRIS_LEVELS for y in n.IRIS_LEVELS]
        )
        winks = [np.zeros_like(iris[0]), *self._residuals([pose_of(eye_wink=level) for level in n.WINK_LEVELS[1:]])]
        seen = [np.ones(iris[0].shape[:2], np.float32)]
        seen += [
            self._still_seen(level, wink, iris) for level, wink in zip(n.WINK_LEVELS[1:-1], winks[1:-1], strict=True)
        ]
        seen.append(np.zeros_like(seen[0]))
        happy = self._residuals([pose_of(eye_happy_wink=level) for level in n.HAPPY_WINK_LEVELS[1:]])
        extras = self._residuals([pose_of(**{name: level}) for name in n.EYE_EXTRAS for level in n.LEVELS[1:]])
        eye_residuals = [*iris, *winks, *happy, *extras]
        packed = _packed("eyes", eye_residuals)
        top, bottom, left, right = packed["eyes_box"]
        brows = self._residuals([pose_of(**{name: level}) for name in n.BROWS for level in n.LEVELS[1:]])
        return {
            **packed,
            "seen": np.rint(np.stack(seen)[:, top:bottom, left:right] * 255.0).astype(np.uint8),
            **_packed("brows", brows),
        }

    def _faces(self) -> Arrays:
        """What expressions show that the sum of their parts does not."""
        eyes = Eyes(live_store.read_stage(self._folder, "eyes"))
        browed = self._left_out("browed", live_nodes.browed_poses(), [eyes])
        layer = Layer(browed, "browed", live_nodes.BROWS)
        return {**browed, **self._left_out("faces", live_nodes.face_poses(), [eyes, layer])}

    def _left_out(self, name: str, poses: Sequence[Pose], below: Sequence[Eyes | Layer]) -> Arrays:
        left_out: list[Floats] = []
        for pose, change in zip(poses, self._residuals(poses), strict=True):
            parts = np.zeros_like(change)
            for layer in below:
                layer.add_to(parts, pose)
            out = change - parts
            # Below, the mouth has its own nodes.
            out[MOUTH_TOP:] = 0.0
            left_out.append(out)
        return {f"{name}_poses": np.stack(poses), **_packed(name, left_out)}

    def _still_seen(self, level: float, wink: Floats, iris: Sequence[Floats]) -> Floats:
        """Share of each pixel's iris movement that is left at a wink level, by least squares over a few iris places."""
        levels = live_nodes.IRIS_LEVELS
        product = np.zeros(wink.shape[:2], np.float32)
        square = np.zeros_like(product)
        probes = live_nodes.IRIS_PROBES
        poses = [pose_of(eye_wink=level, iris_rotation_x=x, iris_rotation_y=y) for x, y in probes]
        for (x, y), residual in zip(probes, self._residuals(poses), strict=True):
            moved = residual - wink
            whole = iris[levels.index(x) * len(levels) + levels.index(y)]
            product += (moved * whole).sum(axis=2)
            square += (whole * whole).sum(axis=2)
        # The constant leans pixels that never move towards 0: there is nothing to see there.
        return np.clip(product / (square + 300.0), 0.0, 1.0)

    def _motion(self, stage: str) -> Arrays:
        """Run all networks over the poses that are due, and learn how the picture follows."""
        due = range(len(self._runs), live_nodes.RUNS[stage])
        known = {k: live_store.read_run(self._folder, k, self._poses[k]) for k in due}
        # Several runs at once, each on its own core, take three quarters of the time of one after the other on all.
        with ThreadPoolExecutor(self._workers) as pool:
            ready: dict[int, tuple[Future[list[tuple[_Run, Floats]]], int]] = {}
            for ks in self._same_brows([k for k in due if known[k] is None]):
                answers = pool.submit(self._answers, ks)
                ready.update({k: (answers, place) for place, k in enumerate(ks)})
            try:
                for k in due:
                    run = known[k]
                    if run is not None:
                        self._runs.append(_Run(**run))
                    else:
                        answers, place = ready.pop(k)
                        self._runs.append(self._keep(k, *answers.result()[place]))
                    self._step(self._what, 7)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        live_store.write_detail(self._folder, self._detail)
        return self._learned()

    def _same_brows(self, due: Sequence[int]) -> list[list[int]]:
        """The poses that are due, in pairs that share their brows where they do: those cost a run of their own."""
        pairs: list[list[int]] = []
        for k in due:
            last = pairs[-1] if pairs else []
            if len(last) == 1 and np.array_equal(self._poses[last[0]][EYEBROW], self._poses[k][EYEBROW]):
                last.append(k)
            else:
                pairs.append([k])
        return pairs

    def _answers(self, poses: Sequence[int]) -> list[tuple[_Run, Floats]]:
        """What all networks make of poses that share their brows (any thread)."""
        brows = self._brows(self._poses[poses[0]])
        out: list[tuple[_Run, Floats]] = []
        for k in poses:
            pose = self._poses[k]
            full = self._with(self._networks.face(brows, pose[FACE]))
            out.append(self._worked_out(pose, full, *self._body(full, pose)))
        return out

    def _keep(self, k: int, run: _Run, correction: Floats) -> _Run:
        self._detail.add(correction - _enlarged(run.correction, correction.shape))
        kept = {"turns": run.turns, "look": run.look, "flow": run.flow, "correction": run.correction}
        live_store.write_run(self._folder, k, self._poses[k], kept)
        return run

    def _learned(self) -> Arrays:
        turns, looks = np.stack([run.turns for run in self._runs]), np.stack([run.look for run in self._runs])
        flows = np.stack([run.flow for run in self._runs])
        corrections = np.stack([run.correction.ravel() for run in self._runs])
        out: Arrays = {"turns": turns, "looks": looks, "detail": self._detail.mean()}
        features = self._likeness.features(turns, looks)
        common = self._likeness.between(features, features)
        for name, vectors, count, noise in (
            ("flow", flows, FLOW_DIRECTIONS, self._likeness.noise),
            ("correction", corrections, CORRECTION_DIRECTIONS, _CORRECTION_NOISE),
        ):
            basis = live_fit.fit(common, vectors, count, noise)
            out[f"{name}_mean"] = basis.mean.astype(np.float16)
            out[f"{name}_directions"] = basis.directions.astype(np.float16)
            out[f"{name}_votes"] = basis.votes
        return out

    # Network runs

    def _mouth_pose(self, node: Floats) -> Floats:
        pose = pose_of(mouth_smirk=REST_SMIRK)
        pose[MOUTH] = node
        return pose

    def _residuals(self, poses: Sequence[Pose]) -> list[Floats]:
        """What each pose changes in the neutral face: float32 (192,192,4), in 8-bit sRGB steps."""

        def residual(pose: Pose) -> Floats:
            return srgb.steps(self._networks.face(self._brows(pose), pose[FACE])) - self._neutral_srgb

        out: list[Floats] = []
        with ThreadPoolExecutor(self._workers) as pool:
            found = [pool.submit(residual, pose) for pose in poses]
            try:
                for pose, future in zip(poses, found, strict=True):
                    out.append(future.result())
                    self._step(self._what, 2 if pose[EYEBROW].any() else 1)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return out

    def _brows(self, pose: Pose) -> graphs.Brows:
        """The brows in `pose` (any thread); at rest they are there already."""
        brows = pose[EYEBROW]
        return self._networks.brows(self._character, brows) if brows.any() else self._resting

    def _with(self, face: Floats) -> Floats:
        """The whole picture with `face` in place, linear (1,4,512,512)."""
        picture: Floats = self._character.image.copy()
        picture[:, :, FACE_ROWS, FACE_COLS] = face
        return picture

    def _body(self, full: Floats, pose: Pose) -> tuple[Floats, Floats]:
        body = self._networks.body(full, pose[BODY])
        return body.picture, body.grid_change[0]

    def _worked_out(self, pose: Pose, full: Floats, picture: Floats, grid_change: Floats) -> tuple[_Run, Floats]:
        """A run, and its correction at full size."""
        region = self._region
        flow = bake_flow.forward_flow(grid_change, self._visible, region)
        correction = bake_flow.correction(full, picture, grid_change, flow, region)
        half = cv2.resize(correction, (region.width // 2, region.height // 2), interpolation=cv2.INTER_AREA)
        look = self._likeness.look_of(srgb.steps(full[:, :, FACE_ROWS, FACE_COLS]) - self._neutral_srgb)
        return _Run(live_fit.turns_of(pose), look, self._layout.pack(flow), half), correction


def _with_values(base: Pose, values: Mapping[str, float]) -> Pose:
    pose = base.copy()
    for name, value in values.items():
        set_value(pose, name, value)
    return pose


def _enlarged(half: Floats, shape: tuple[int, ...]) -> Floats:
    return np.asarray(cv2.resize(half, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _region(visible: npt.NDArray[np.bool_]) -> Region:
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    size = visible.shape[0]

    def even_bounds(line: npt.NDArray[np.intp]) -> tuple[int, int]:
        first, last = int(line[0]) - _MARGIN_PX, int(line[-1]) + 1 + _MARGIN_PX
        return max(first, 0) // 2 * 2, min((last + 1) // 2 * 2, size)

    return Region(*even_bounds(rows), *even_bounds(columns))


def _index_of(nodes: Floats, node: Floats) -> int:
    nearest: np.intp = np.abs(nodes - node).sum(axis=1).argmin()
    return int(nearest)


def _packed(name: str, residuals: Sequence[Floats]) -> Arrays:
    """Residuals cut to the box of what any of them changes, as int16."""
    stack = np.stack(residuals)
    changed = np.abs(stack).max(axis=(0, 3)) > _CHANGED
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    # A part that changes nothing keeps one pixel, so that all boxes are real.
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)
    cut = stack[:, top:bottom, left:right] * SCALE
    return {
        f"{name}_box": np.array([top, bottom, left, right], np.int32),
        f"{name}_residuals": np.rint(cut).astype(np.int16),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a process; returns the exit status: 0 done, 1 failed, 3 stopped."""
    parser = argparse.ArgumentParser(prog="python -m animator.tha3.bake", description="Bake a character.")
    parser.add_argument("--image", type=Path, required=True, help="PNG, 512 x 512, RGBA")
    parser.add_argument("--weights", type=Path, required=True, help="folder with THA3's five .pt files")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps bakes")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(10)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def watch_stdin() -> None:
        # The parent holds the other end: when the parent is gone, so is the need for this bake.
        try:
            while sys.stdin.buffer.read(4096):
                pass
        except (OSError, ValueError):
            pass
        stop.set()

    threading.Thread(target=watch_stdin, name="stdin", daemon=True).start()

    def say(**fact: object) -> None:
        try:
            sys.stdout.write(json.dumps(fact) + "\n")
            sys.stdout.flush()
        except OSError:
            stop.set()

    try:
        image = read_png(given.image)
        folder = given.cache / bake_key(image, given.weights)

        known = set(live_store.stages_on_disk(folder))

        def progress(what: str, share: float) -> None:
            new = [stage for stage in live_store.stages_on_disk(folder) if stage not in known]
            known.update(new)
            say(what=what, share=round(share, 4), stage=new[-1] if new else None)

        bake(image, given.weights, given.cache, progress, stop.is_set)
    except BakeStopped:
        return 3
    except (ValueError, OSError) as error:
        say(what="failed", share=0.0, stage=None, error=str(error))
        return 1
    say(what="ready", share=1.0, stage=live_nodes.STAGES[-1], folder=str(folder))
    return 0


def read_png(path: Path) -> Pixels:
    """A picture file as uint8 RGBA.

    Raises:
        ValueError: If it is no picture of 512 x 512.
        OSError: If it cannot be read.
    """
    from PIL import Image

    with Image.open(path) as picture:
        if picture.size != (512, 512):
            raise ValueError(f"{path} is {picture.size[0]} x {picture.size[1]} px; THA3 takes 512 x 512.")
        return np.array(picture.convert("RGBA"))


if __name__ == "__main__":
    # A library's thread still at work must not hold up a stop.
    status = main()
    sys.stdout.flush()
    os._exit(status)
