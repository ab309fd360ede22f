"""The THA3 face as an engine: idle motion, expressions and lips composed to a pose, drawn live or exactly.

Which tier draws is decided when a character is loaded: the exact networks where a CUDA device is there, the
baked live tier everywhere else. A bake that is not complete is built by a process of its own at low priority;
the face is drawn with what is there and gets better stage by stage.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from animator.character import Character, load_character
from animator.messages import Pixels, SpeechClip, SpeechTime
from animator.protocol import Capabilities, Progress
from animator.tha3.bake import bake_key
from animator.tha3.composer import Composer
from animator.tha3.face import Face
from animator.tha3.finish import finished
from animator.tha3.live import LiveFace
from animator.tha3.live_nodes import STAGES

SIZE_PX = 512
CLIPS_KEPT = 8
"""More than a voice works ahead of its sound."""


class StillFace:
    """The character's own picture, shown until the first baked stage is there."""

    tier = "picture"

    def __init__(self, image: Pixels) -> None:
        self._image = image

    def draw(self, pose: np.ndarray) -> Pixels:
        """The picture as it is, whatever the pose."""
        return self._image


def cuda_is_there() -> bool:
    """Whether PyTorch finds a CUDA device; asked only where a driver is, since importing torch costs seconds."""
    if not (Path("/proc/driver/nvidia").exists() or Path("C:/Windows/System32/nvcuda.dll").exists()):
        return False
    import torch

    return torch.cuda.is_available()


class Tha3:
    """The engine behind `animator.protocol.Animator`."""

    def __init__(self, weights: Path, cache: Path, engine: str = "auto", seed: int = 20) -> None:
        if engine not in ("auto", "live", "exact"):
            raise ValueError(f"got engine {engine!r}; expected auto, live or exact")
        self._weights = weights
        self._cache = cache
        self._engine = engine
        self._seed = seed
        self._composer = Composer(seed, {})
        self._character: Character | None = None
        self._clips: deque[SpeechClip] = deque(maxlen=CLIPS_KEPT)
        self._face: Face = StillFace(np.zeros((SIZE_PX, SIZE_PX, 4), dtype=np.uint8))
        self._bake: subprocess.Popen[str] | None = None
        self._cancelled = False
        self.capabilities = Capabilities(SIZE_PX, SIZE_PX, self._face.tier)

    def load(self, character: Path, progress: Progress) -> None:
        """Take a character in (loader thread; may take a minute); the one before stays until this one can be drawn.

        Raises ValueError with a clear sentence for a character that cannot be used; nothing changes then.
        """
        self._cancelled = False
        loaded = load_character(character)
        if self._engine == "exact" or (self._engine == "auto" and cuda_is_there()):
            from animator.tha3.exact import ExactFace

            progress("Loading the face networks", 0.0)
            self._swap(loaded, ExactFace(self._weights, loaded.image))
            progress("Loading the face networks", 1.0)
            return
        self._load_live(loaded, progress)

    def _swap(self, character: Character, face: Face) -> None:
        if character is not self._character:
            composer = Composer(self._seed, character.expressions, character.motion)
            composer.take_over(self._composer)
            for clip in list(self._clips):  # whoever comes on in mid-sentence goes on speaking it
                composer.push(clip)
            self._character = character
            self._composer = composer
        self._face = face
        self.capabilities = Capabilities(SIZE_PX, SIZE_PX, face.tier)

    def _load_live(self, character: Character, progress: Progress) -> None:
        folder = self._cache / bake_key(character.image, self._weights)
        face = open_bake(folder)
        if face is None:
            self._swap(character, StillFace(character.image))
        else:
            self._swap(character, face)
            if face.stages >= frozenset(STAGES):
                progress("Face ready", 1.0)
                return

        def on_stage() -> None:
            nonlocal face
            if face is not None:
                face.reload()  # reads what is new; the face on screen gets better where it is
                return
            face = open_bake(folder)
            if face is not None:
                self._swap(character, face)

        self._run_bake(character, progress, on_stage)

    def _run_bake(self, character: Character, progress: Progress, on_stage: Callable[[], None]) -> None:
        with tempfile.TemporaryDirectory(prefix="kuchipaku-") as scratch:
            picture = Path(scratch) / "picture.png"
            Image.fromarray(character.image).save(picture)
            command = [sys.executable, "-m", "animator.tha3.bake", "--image", str(picture)]
            command += ["--weights", str(self._weights), "--cache", str(self._cache)]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
            self._bake = process
            if self._cancelled:  # said while the process was being started
                process.terminate()
            assert process.stdout is not None
            for line in process.stdout:
                try:
                    report = json.loads(line)
                    what, share, stage = str(report["what"]), float(report["share"]), report.get("stage")
                except (ValueError, KeyError, TypeError):
                    continue
                if stage:
                    on_stage()
                progress(what, share)
            code = process.wait()
            self._bake = None
            if self._cancelled:
                return
            if code != 0:
                raise OSError(
                    f"Preparing the face stopped with exit code {code}. The face keeps what it has; "
                    "try `kuchipaku bake` to see the reason."
                )
            on_stage()
            progress("Face ready", 1.0)

    def push(self, clip: SpeechClip) -> None:
        """Prepare the lips of one clip."""
        self._clips.append(clip)
        self._composer.push(clip)

    def clear(self, before_turn: int) -> None:
        """Drop older turns; the mouth comes to rest."""
        self._clips = deque((c for c in self._clips if c.turn >= before_turn), maxlen=CLIPS_KEPT)
        self._composer.clear(before_turn)

    def express(self, name: str, host_ns: int) -> None:
        """Fade to expression `name`."""
        self._composer.express(name, host_ns / 1e9)

    def feel(self, name: str, intensity: float, host_ns: int) -> None:
        """Fade to emotion `name` at `intensity`, under what the user has chosen."""
        self._composer.feel(name, host_ns / 1e9, intensity)

    def gesture(self, name: str, host_ns: int) -> None:
        """Begin gesture `name`."""
        self._composer.gesture(name, host_ns / 1e9)

    def think(self, turn: int, on: bool, host_ns: int) -> None:
        """Look away while the brain works on `turn`, and back when it no longer does."""
        if on:
            self._composer.think(turn, host_ns / 1e9)
        else:
            self._composer.attend(turn, host_ns / 1e9)

    def render(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Draw the face at `host_ns`."""
        pixels = self._face.draw(self._composer.pose(speech, host_ns / 1e9))
        return finished(pixels, self._character.finish) if self._character is not None else pixels

    def cancel_load(self) -> None:
        """End a bake that is running, so that `load` returns soon (any thread). What is baked so far is kept."""
        self._cancelled = True
        bake = self._bake
        if bake is not None:
            bake.terminate()


def open_bake(folder: Path) -> LiveFace | None:
    """The live face of a bake folder; None where there is nothing usable yet."""
    if not folder.is_dir():
        return None
    try:
        face = LiveFace(folder)
    except (OSError, ValueError):
        return None
    return face if face.stages else None
