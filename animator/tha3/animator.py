"""The face as an engine: idle motion, expressions and lips composed to a THA3 pose, drawn live or exactly.

A character that is a photo is drawn by the photo puppet (`animator.puppet`), which the same pose moves; so one worker
shows both kinds, and a change in mid-sentence goes on with the same lips.

Which tier draws is decided when a character is loaded: the exact networks where a CUDA device is there, the
baked live tier everywhere else. An exact face that fails later (memory full, card lost) is replaced by the live one;
the last picture stays until that can draw. A bake that is not complete is built by a process of its own at low
priority; the face is drawn with what is there and gets better stage by stage.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from animator.character import Character, load_character
from animator.messages import Pixels, SpeechClip, SpeechTime
from animator.protocol import Capabilities, Lips, LoadCancelled, Progress, unless
from animator.puppet.face import PuppetFace
from animator.puppet.opening import open_puppet
from animator.tha3 import pose as p
from animator.tha3.bake import bake_key
from animator.tha3.composer import Composer
from animator.tha3.exact_choice import FaceFailed, cuda_is_there, failure, open_cuda, open_exact
from animator.tha3.face import Face
from animator.tha3.finish import finished
from animator.tha3.live import LiveFace
from animator.tha3.live_nodes import STAGES
from animator.tha3.pose import clamp
from animator.tha3.providers import first_line

_log = logging.getLogger(__name__)

SIZE_PX = 512
CLIPS_KEPT = 8
"""More than a voice works ahead of its sound."""


_WARMING = (
    p.pose_of(
        mouth_aaa=0.5, mouth_iii=0.2, eye_wink=0.5, eyebrow_raised=0.5, iris_rotation_y=0.1, head_x=0.1, neck_z=0.1
    ),
    p.neutral(),
)
Drawn = TypeVar("Drawn", LiveFace, PuppetFace)

_FAILED: list[Face] = []
"""Exact faces whose card failed, kept: PyTorch ends the process when a card that is gone is asked to free something."""


class StillFace:
    """The character's own picture, shown until the first baked stage is there."""

    tier = "picture"

    def __init__(self, image: Pixels) -> None:
        self._image = image

    def draw(self, pose: np.ndarray) -> Pixels:
        """The picture as it is, whatever the pose."""
        return self._image


class Tha3:
    """The engine behind `animator.protocol.Animator`."""

    def __init__(
        self, weights: Path, cache: Path, engine: str = "auto", seed: int = 20, *, large: bool = False
    ) -> None:
        if engine not in ("auto", "live", "exact"):
            raise ValueError(f"got engine {engine!r}; expected auto, live or exact")
        self._weights = weights
        self._cache = cache
        self._engine = engine
        self._seed = seed
        self._large = large
        """Whether the live face moves art of 1024 px at its own size."""
        self._composer = Composer(seed, {})
        self._character: Character | None = None
        self._clips: deque[SpeechClip] = deque(maxlen=CLIPS_KEPT)
        self._face: Face = StillFace(np.zeros((SIZE_PX, SIZE_PX, 4), dtype=np.uint8))
        self._bake: subprocess.Popen[str] | None = None
        self._cancelled = False
        self._pushing = threading.Lock()
        """Held while a clip is taken in or a character comes on: no clip may get lost between two of them."""
        self._drawing: Face | None = None
        """What draws at this moment."""
        self._drawn = threading.Event()
        self._loading = threading.Lock()
        """Held by whoever takes a face in: the loader thread, or the one that replaces an exact face that failed."""
        self._progress: Progress = lambda what, share: None
        self._last = np.zeros((SIZE_PX, SIZE_PX, 4), dtype=np.uint8)
        self._clamped = 0
        self._told_clamped = False
        self._why: FaceFailed | None = None
        """Why the face is not the exact one that was wanted."""
        self.capabilities = Capabilities(SIZE_PX, SIZE_PX, self._face.tier)

    @property
    def clamped(self) -> int:
        """Values of poses so far that were no numbers or that no layer may give; they were clamped, never drawn."""
        return self._clamped + self._composer.not_finite

    def load(self, character: Path, progress: Progress) -> None:
        """Take a character in (loader thread; may take a minute); the one before stays until this one can be drawn.

        Raises ValueError with a clear sentence for a character that cannot be used; nothing changes then.
        """
        with self._loading:
            self._cancelled = False
            before = self._face
            loaded = load_character(character)
            self._progress = progress
            self._why = None
            if loaded.is_person:
                told = unless(lambda: self._cancelled, progress)
                try:
                    puppet = open_puppet(loaded, self._cache, told, large=self._large)
                except LoadCancelled:  # a video takes half a minute
                    return
                self._swap(loaded, warmed(puppet))
                self._wait_for_the_last_frame_of(before)
                return
            if self._engine == "exact" or (self._engine == "auto" and cuda_is_there()):
                progress("Loading the face networks", 0.0)
                if self._character is None:  # a card's kernels take a while the first time: show what there is
                    self._swap(loaded, self._baked(loaded) or StillFace(loaded.image))
                try:
                    face = self._open_exact(loaded.image)
                except (ImportError, RuntimeError, MemoryError) as error:
                    _log.warning("the exact face cannot be opened: %s", first_line(error))
                    self._why = failure(error)
                    progress(self._why.problem, 0.0)
                    self._load_live(loaded, progress, StillFace(loaded.image))
                    return
                self._swap(loaded, face)
                progress("Loading the face networks", 1.0)
                self._prepare_stand_in(loaded)
                return
            self._load_live(loaded, progress, StillFace(loaded.image))
            self._wait_for_the_last_frame_of(before)

    def _open_exact(self, image: Pixels) -> Face:
        # Asked for by name, the networks draw even on a CPU; by themselves they must keep up with the clock.
        if self._engine == "exact":
            return open_exact(self._weights, image, self._cache)
        return open_cuda(self._weights, image)

    def _swap(self, character: Character, face: Face) -> None:
        if character is not self._character:
            composer = Composer(self._seed, character.expressions, character.motion, character.mouth_shapes)
            with self._pushing:
                old = self._composer
                if not composer.take_over(old):
                    for clip in list(self._clips):  # whoever comes on in mid-sentence goes on speaking it
                        composer.push(clip)
                self._clamped += old.not_finite
                self._character = character
                self._composer = composer
                composer.clear(old.oldest_turn)  # what was cleared meanwhile
        self._swap_in(face)

    def _wait_for_the_last_frame_of(self, face: Face) -> None:
        """So that it is this thread that frees its memory, some 10 ms, and not the one that draws."""
        while self._drawing is face is not self._face:
            self._drawn.clear()
            if self._drawing is face and not self._drawn.wait(1.0):
                return

    def _swap_in(self, face: Face) -> None:
        self._face = face
        why = self._why
        size_px = face.size_px if isinstance(face, LiveFace | PuppetFace) else SIZE_PX
        self.capabilities = Capabilities(
            size_px, size_px, face.tier, why.problem if why else "", why.remedy if why else ""
        )

    def _baked(self, character: Character) -> LiveFace | None:
        return self._opened(self._cache / bake_key(character.image, self._weights), character)

    def _opened(self, folder: Path, character: Character) -> LiveFace | None:
        face = open_bake(folder, character.large if self._large else None)
        return face if face is None else warmed(face)

    def _prepare_stand_in(self, character: Character) -> None:
        """Bake the live face that takes over should the exact one fail."""
        ready = self._baked(character)
        if ready is not None and ready.stages >= frozenset(STAGES):
            return
        del ready

        def on_stage() -> None:
            if self._face.tier == StillFace.tier and self._character is character:  # it has failed meanwhile
                self._stand_in(character)

        try:
            self._run_bake(character, lambda what, share: None, on_stage)
        except OSError as error:
            _log.warning("the live face that stands in for the exact one could not be prepared: %s", first_line(error))

    def _stand_in(self, character: Character) -> None:
        face = self._baked(character)
        if face is not None and self._face.tier == StillFace.tier and self._character is character:
            self._swap_in(face)

    def _load_live(self, character: Character, progress: Progress, meanwhile: Face) -> None:
        folder = self._cache / bake_key(character.image, self._weights)
        face = self._opened(folder, character)
        if face is None:
            self._swap(character, meanwhile)
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
            face = self._opened(folder, character)
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

    def push(self, clip: SpeechClip) -> Lips | None:
        """Prepare the lips of one clip; returns what they are made from."""
        with self._pushing:
            self._clips.append(clip)
            return self._composer.push(clip)

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

    def preview(self, values: Mapping[str, float] | None, host_ns: int) -> None:
        """Show these parameters in place of the expression; None ends it."""
        self._composer.preview(values, host_ns / 1e9)

    def think(self, turn: int, on: bool, host_ns: int) -> None:
        """Look away while the brain works on `turn`, and back when it no longer does."""
        if on:
            self._composer.think(turn, host_ns / 1e9)
        else:
            self._composer.attend(turn, host_ns / 1e9)

    def render(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Draw the face at `host_ns`.

        Raises:
            FaceFailed: Once, if the exact face failed; from then on the last picture is drawn, and within a second
                the live face where it is baked.
        """
        pose, clamped = clamp(self._composer.pose(speech, host_ns / 1e9))
        self._clamped += clamped
        if self.clamped and not self._told_clamped:
            self._told_clamped = True
            _log.warning("values of a pose were no numbers or out of range; they are clamped and counted")
        self._drawing = face = self._face
        try:
            self._last = face.draw(pose)
        except Exception as error:
            if face.tier != "exact":
                raise
            # Whatever it was, the networks' face is no longer to be trusted; the show goes on without it.
            self._why = failure(error)
            self._swap_in(StillFace(self._last))
            _FAILED.append(face)
            threading.Thread(target=self._replace, name="face-fallback", daemon=True).start()
            raise self._why from error
        finally:
            self._drawing = None
            self._drawn.set()
        # The last picture stays as it was drawn: it may be drawn, and finished, again.
        return self._last if self._character is None else finished(self._last, self._character.finish)

    def follow(self, speech: SpeechTime | None, host_ns: int) -> None:
        """Let lips, gestures and moods go on without drawing."""
        self._composer.pose(speech, host_ns / 1e9)

    def draw_around(self, picture: Pixels, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """Let time pass as `follow`, and give `picture`, a photo's portrait at rest, eyes, brows and the head's motion.

        `picture` (uint8 RGBA) may be written to; it comes back as it is where another face is drawn.
        """
        pose, _ = clamp(self._composer.pose(speech, host_ns / 1e9))
        face = self._face
        if isinstance(face, PuppetFace) and picture.shape[:2] == (face.size_px, face.size_px):
            return face.draw_around(picture, pose)
        return picture

    def close(self) -> None:
        """End a bake that is running."""
        self.cancel_load()

    def _replace(self) -> None:
        """Take the live face in for an exact one that failed, unless another character has come by then."""
        character = self._character
        if character is None:
            return
        self._stand_in(character)  # at once, where anything is baked
        with self._loading:
            if self._cancelled or self._character is not character or self._face.tier == "exact":
                return
            try:
                self._load_live(character, self._progress, self._face)
            except (ValueError, OSError) as error:
                _log.warning("the live face could not replace the exact one: %s", first_line(error))

    def cancel_load(self) -> None:
        """End a bake that is running, so that `load` returns soon (any thread). What is baked so far is kept."""
        self._cancelled = True
        bake = self._bake
        if bake is not None:
            bake.terminate()


def warmed(face: Drawn) -> Drawn:
    """The face, which has drawn what moves all of it: a first frame takes 20 ms longer than the next."""
    for pose in _WARMING:
        face.draw(pose)
    return face


def open_bake(folder: Path, large: Pixels | None = None) -> LiveFace | None:
    """The live face of a bake folder, at the size of `large` where that is given; None where nothing is usable yet."""
    if not folder.is_dir():
        return None
    try:
        face = LiveFace(folder, large)
    except (OSError, ValueError):
        return None
    return face if face.stages else None
