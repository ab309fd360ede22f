"""The MuseTalk engine: an avatar whose mouth is repainted from the voice.

Threads: *muse* owns the card: it reads the networks, captures the graphs and paints ahead of what is heard, in growing
batches. `render` only picks what was painted and puts it into the frame, so that a slow card never holds up the camera.
The mouth of the source is shown in silence; we decide what silence is, since the network's mouth trembles there.
"""

from __future__ import annotations

import gc
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import soxr
import torch

from animator.lipsync.loudness import clean
from animator.messages import Pixels, SpeechClip, SpeechTime
from animator.musetalk.avatar import Avatar, with_latents
from animator.musetalk.failure import MuseFailed
from animator.musetalk.sound import FPS, RATE_HZ, STEP_SAMPLES
from animator.musetalk.speech import BEGINNING, HOLD_FRAMES, Job, Sentence, Speech, mirrored
from animator.musetalk.step import BATCHES, OnDevice, Step
from animator.musetalk.weights import Models, load
from animator.protocol import Capabilities, Lips, LoadCancelled, Progress, unless

_log = logging.getLogger(__name__)

CLEAR_S = 0.08
"""How long a mouth that is interrupted takes back to the source's."""
CONTEXT_S = 2.0
"""Sound before a frame that the encoder hears in sentences of more than 30 s."""
HOLD_S = 2.0
"""At most so long the loop of a video waits for a sentence to be heard."""
GIVE_UP_S = 0.8
"""So long nothing comes for a mouth that is heard: the card hangs, or is far too slow."""
LONGEST_STEP_S = 0.1
"""Of that, at most so much is counted for one frame: a process that was held up says nothing of the card."""
CLOSE_S = 1.0
Answer = TypeVar("Answer")
Prepare = Callable[[Path, Progress], Avatar]
"""Makes an avatar, without latents, of what the user chose."""
OpenModels = Callable[[Progress], Models]
"""Reads the networks."""


_LOST: list[object] = []
"""What lies on cards that failed, kept: PyTorch ends the process when one that is gone is asked to free something."""


@dataclass(frozen=True, slots=True, eq=False)
class _Painted:
    """One painted frame: which of the avatar's frames it lies on, and the content of that frame's box (RGB)."""

    frame: int
    box: npt.NDArray[np.uint8]


class MuseTalk:
    """The engine behind `animator.protocol.Animator`.

    Args:
        prepare: Makes an avatar of a photo, a video or a folder (loader thread).
        open_models: Reads the networks; called once, on the muse thread.
        cache: Folder in which latents are kept.
        quality: "best" or "fast", for what is shown to the user.
        waits: Whether `render` waits until its frame is painted, for films; else whatever is late is left out.
    """

    def __init__(
        self,
        prepare: Prepare,
        open_models: OpenModels,
        cache: Path,
        quality: str = "best",
        *,
        waits: bool = False,
    ) -> None:
        self._prepare = prepare
        self._open_models = open_models
        self._cache = cache
        self._quality = quality
        self._waits = waits
        self._models: Models | None = None
        self._avatar: Avatar | None = None
        self._step: Step | None = None
        self._cancelled = False
        self._lock = threading.Lock()
        """Around the speech and what was painted."""
        self._speech = Speech()
        self._painted: dict[tuple[int, int], _Painted] = {}
        """By the sentence's identity and the frame."""
        self._states: tuple[int, int, int, torch.Tensor] | None = None
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._failed: MuseFailed | None = None
        self._place = 0.0
        """Where the avatar's loop stands, in frames that are counted on without end."""
        self._last_ns: int | None = None
        self._held_s = 0.0
        self._starved_s = 0.0
        self._shown: _Painted | None = None
        self._leaving: tuple[_Painted, int] | None = None
        """An interrupted mouth, and when it was seen last as it was."""
        self.capabilities = Capabilities(512, 512, "picture")
        self._thread = threading.Thread(target=self._muse, name="muse", daemon=True)
        self._thread.start()

    @property
    def clamped(self) -> int:
        """Always 0: there is no pose."""
        return 0

    def load(self, character: Path, progress: Progress) -> None:
        """Take an avatar in (loader thread). The first time the networks are read and the graphs captured: a minute.

        Raises:
            ValueError: If the avatar or the networks' files cannot be used; nothing changes then.
            MuseFailed: If the card cannot run them.
        """
        self._cancelled = False
        try:
            avatar = self._prepare(character, unless(lambda: self._cancelled, progress))
        except LoadCancelled:
            return
        try:
            avatar, step = self._on_muse(lambda: self._open(avatar, progress))
        except (RuntimeError, MemoryError) as error:
            raise _failure(error) from error
        if self._cancelled:  # another was chosen meanwhile
            return
        height, width = avatar.frames.shape[1:3]
        with self._lock:
            self._avatar, self._step = avatar, step
            self._failed = None
            self._forget()
            self.capabilities = Capabilities(width, height, self._tier())
        progress("Face ready", 1.0)

    def _tier(self) -> str:
        version = self._models.version if self._models is not None else ""
        return f"MuseTalk {version}, {self._quality}" if version else f"MuseTalk, {self._quality}"

    def _open(self, avatar: Avatar, progress: Progress) -> tuple[Avatar, Step]:
        if self._models is None:
            self._models = self._open_models(progress)
        models = self._models
        progress("Computing the face's latents", 0.0)
        face_px = models.configs.face_px
        avatar = with_latents(
            avatar, models.encoder, models.vae_hash, face_px, self._cache, models.device, models.dtype
        )
        progress("Preparing the card", 0.5)
        step = Step(models.unet, models.decode, OnDevice.of(avatar, models.device, models.dtype), BATCHES)
        models.ears.states(np.zeros(RATE_HZ, np.float32))
        return avatar, step

    def cancel_load(self) -> None:
        """Have a `load` that is running leave what is on screen (any thread)."""
        self._cancelled = True

    def push(self, clip: SpeechClip) -> Lips | None:
        """Take the sound of one clip; its frames are painted on the muse thread, the next to be heard first."""
        samples = clean(clip.samples)
        if clip.sample_rate != RATE_HZ and len(samples):
            samples = np.asarray(soxr.resample(samples, clip.sample_rate, RATE_HZ), dtype=np.float32)
        with self._lock:
            found = self._speech.add(clip.turn, clip.index, samples, continues=clip.continues, final=clip.final)
        if found is None:
            return None
        self._wake()
        return Lips("decoded", "musetalk")

    def clear(self, before_turn: int) -> None:
        """Drop older turns; a mouth that is open goes back to the source's within 80 ms of the picture before."""
        with self._lock:
            self._speech.clear(before_turn)
            kept = {each.number for each in self._speech.sentences}
            self._painted = {key: value for key, value in self._painted.items() if key[0] in kept}
            if self._shown is not None and self._last_ns is not None:
                self._leaving = (self._shown, self._last_ns)
                self._shown = None

    def express(self, name: str, host_ns: int) -> None:
        """A repainted mouth has no expressions: "neutral" alone is known."""
        if name != "neutral":
            raise ValueError(f"the human face has no expression {name!r}; it only speaks")

    def feel(self, name: str, intensity: float, host_ns: int) -> None:
        """Left: the source's face keeps its mood."""

    def gesture(self, name: str, host_ns: int) -> None:
        """A repainted mouth has no gestures."""
        raise ValueError(f"the human face has no gesture {name!r}; it only speaks")

    def preview(self, values: Mapping[str, float] | None, host_ns: int) -> None:
        """A repainted mouth has no parameters."""
        if values:
            raise ValueError(f"the human face has no parameter {next(iter(values))!r}")

    def think(self, turn: int, on: bool, host_ns: int) -> None:
        """Left: the source's gaze stays."""

    def render(self, speech: SpeechTime | None, host_ns: int) -> Pixels:
        """The avatar at `host_ns`: its loop, and the painted mouth of what is heard.

        Raises:
            MuseFailed: Once, if the card failed, or has painted nothing for so long that it must hang; from then on
                the source is shown.
        """
        avatar = self._avatar
        if avatar is None:
            return np.zeros((512, 512, 4), np.uint8)
        if self._waits:
            self._paint_for(speech)
        with self._lock:
            failed, self._failed = self._failed, None
            passed_s = self._advance(host_ns)
            painted = self._find(speech)
            leaving = self._leaving
            is_late = painted is None and self._is_open(speech) and self._step is not None
            self._starved_s = self._starved_s + min(passed_s, LONGEST_STEP_S) if is_late else 0.0
        self._wake()
        if failed is None and self._starved_s > GIVE_UP_S:
            failed = self._give_up()
        if failed is not None:
            raise failed
        if painted is not None:
            self._shown, self._leaving = painted, None
            return self._composed(avatar, painted.frame, painted.box, 1.0)
        self._shown = None
        here = mirrored(int(self._place), len(avatar.frames))
        if leaving is not None:
            mouth, since_ns = leaving
            share = 1.0 - (host_ns - since_ns) / 1e9 / CLEAR_S
            self._leaving = (mouth, since_ns) if share > 0.0 else None
            if share > 0.0:
                return self._composed(avatar, mouth.frame, mouth.box, share)
        return self._composed(avatar, here, None, 0.0)

    def follow(self, speech: SpeechTime | None, host_ns: int) -> None:
        """Let time pass without drawing: what is over is not painted any more."""
        with self._lock:
            self._advance(host_ns)
            self._find(speech)

    def _paint_for(self, speech: SpeechTime | None) -> None:
        """Paint what is heard now, and wait for that."""
        with self._lock:
            found = self._speech.hear(speech)
            is_wanted = self._step is not None and self._is_open(speech)
        if found is None or not is_wanted:
            return
        key = (found[0].number, int(np.floor(found[1] * FPS)))

        def is_there() -> bool:
            with self._lock:
                return key in self._painted

        try:
            self._on_muse(lambda: self._paint_next(is_there))
        except Exception as error:
            with self._lock:
                self._failed = self._fail(error)

    def _is_open(self, speech: SpeechTime | None) -> bool:
        """Whether a painted mouth is wanted at this moment. Holds the lock."""
        found = None if speech is None else self._speech.find(speech)
        return found is not None and float(found[0].gate(np.array([int(np.floor(found[1] * FPS))]))[0]) > 0.0

    def _give_up(self) -> MuseFailed:
        with self._lock:
            return self._fail(
                MuseFailed(
                    f"The graphics card has painted nothing for {GIVE_UP_S:g} s.",
                    "Close what else uses the card, choose the fast quality, or use the photo puppet.",
                )
            )

    def _fail(self, error: BaseException) -> MuseFailed:
        """Paint no more. Holds the lock."""
        failure = _failure(error)
        if not failure.is_memory and self._models is not None and self._models.device.type == "cuda":
            _LOST.extend((self._step, self._models))
        self._step = None
        return failure

    def _find(self, speech: SpeechTime | None) -> _Painted | None:
        """What was painted for this moment, or shortly before it where that is late."""
        found = self._speech.hear(speech)
        left = {each.number for each in self._speech.sentences}
        for key in [each for each in self._painted if each[0] not in left]:
            del self._painted[key]
        if found is None:
            return None
        sentence, at_s = found
        frame = int(np.floor(at_s * FPS))
        for key in [each for each in self._painted if each[0] == sentence.number and each[1] < frame - HOLD_FRAMES]:
            del self._painted[key]
        if sentence.first_frame is not None and frame > BEGINNING:
            self._place = sentence.first_frame + at_s * FPS
        if float(sentence.gate(np.array([frame]))[0]) <= 0.0:
            return None
        for back in range(HOLD_FRAMES + 1):
            painted = self._painted.get((sentence.number, frame - back))
            if painted is not None:
                return painted
        return None

    def _advance(self, host_ns: int) -> float:
        """Move the loop on; it stands still for a moment where a sentence waits that was painted from here on.

        Returns the s that have passed since the frame before.
        """
        passed_s = 0.0 if self._last_ns is None else min(max(host_ns - self._last_ns, 0) / 1e9, 1.0)
        self._last_ns = host_ns
        self._held_s = self._held_s + passed_s if self._speech.waits else 0.0
        if not 0.0 < self._held_s < HOLD_S:
            self._place += passed_s * FPS
        return passed_s

    @staticmethod
    def _composed(avatar: Avatar, frame: int, box: npt.NDArray[np.uint8] | None, share: float) -> Pixels:
        """The avatar's frame with the content of its box, blended by `share` in [0, 1]."""
        out: Pixels = cv2.cvtColor(avatar.frames[frame], cv2.COLOR_RGB2RGBA)
        if avatar.opacity is not None:
            out[..., 3] = avatar.opacity[frame]
        if box is not None:
            left, top, right, bottom = avatar.boxes[frame]
            mouth = box[: bottom - top, : right - left]
            if share < 1.0:
                mouth = cv2.addWeighted(avatar.frames[frame, top:bottom, left:right], 1.0 - share, mouth, share, 0.0)
            out[top:bottom, left:right, :3] = mouth
        return out

    def close(self) -> None:
        """End the muse thread and let go of the card; a card that hangs is not waited for. Safe to call twice."""
        self._work.put(None)
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            return
        on_card = self._models is not None and self._models.device.type == "cuda"
        self._step = self._models = self._states = None
        if on_card and not _LOST:
            gc.collect()
            torch.cuda.empty_cache()  # PyTorch keeps what is freed, for itself alone

    def _forget(self) -> None:
        """Painted frames belong to the avatar that was; sentences are painted anew from what is heard on."""
        self._painted = {}
        self._shown = self._leaving = None
        self._place = 0.0
        for sentence in self._speech.sentences:
            sentence.again()

    def _wake(self) -> None:
        if self._step is not None and self._work.empty():
            self._work.put(self._paint_next)

    def _on_muse(self, call: Callable[[], Answer]) -> Answer:
        """Run `call` on the muse thread and wait for its answer."""
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(call())
            except BaseException as error:  # the caller's thread raises it
                answer.set_exception(error)

        self._work.put(run)
        found: Answer = answer.result()
        return found

    def _muse(self) -> None:
        """The muse thread: does what it is given, one after the other."""
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception as error:
                _log.warning("painting failed: %s", str(error).splitlines()[0] if str(error) else type(error).__name__)
                with self._lock:
                    self._failed = self._fail(error)

    def _paint_next(self, is_enough: Callable[[], bool] | None = None) -> None:
        """Paint until nothing is to be painted, or it is enough: by itself when something else is to be done (muse)."""
        while self._work.empty() if is_enough is None else not is_enough():
            with self._lock:
                step, models, avatar = self._step, self._models, self._avatar
                job = self._speech.next_job() if step is not None else None
                if job is not None and job.sentence.first_frame is None:
                    job.sentence.first_frame = self._first_frame(job.sentence)
                samples = job.sentence.samples if job is not None else None
            if job is None or step is None or models is None or avatar is None or samples is None:
                return
            assert job.sentence.first_frame is not None
            states, first_step = self._heard(models, job, samples)
            tokens = models.ears.tokens(states, job.frames - first_step // 2)
            count = len(avatar.frames)
            index = np.array([mirrored(job.sentence.first_frame + int(k), count) for k in job.frames], np.int64)
            boxes = step.paint(tokens, index, job.gate)
            with self._lock:
                if self._step is step and job.sentence in self._speech.sentences:
                    for k, frame, box in zip(job.frames, index, boxes, strict=True):
                        self._painted[job.sentence.number, int(k)] = _Painted(int(frame), box)

    def _first_frame(self, sentence: Sentence) -> int:
        """Where the loop stands under the sentence's beginning: where the one before ends, or where it waits."""
        before = self._speech.before(sentence)
        if before is not None and before.first_frame is not None:
            return before.first_frame + round(before.duration_s * FPS)
        return round(self._place) - BEGINNING - 1

    def _heard(self, models: Models, job: Job, samples: npt.NDArray[np.float32]) -> tuple[torch.Tensor, int]:
        """The encoder's states that these frames need, and the step of the sentence at which they begin."""
        most = models.ears.samples
        first_step = 0
        if len(samples) > most:
            first_step = max(0, 2 * int(job.frames[0]) - round(CONTEXT_S * RATE_HZ / STEP_SAMPLES))
            first_step -= first_step % 500  # ten seconds of frames share one call
        key = (job.sentence.number, len(samples), first_step)
        if self._states is None or self._states[:3] != key:
            part = samples[first_step * STEP_SAMPLES :][:most]
            self._states = (*key, models.ears.states(part))
        return self._states[3], first_step


def build(
    weights: Path, cache: Path, quality: str, prepare: Prepare, *, device: str = "cuda", waits: bool = False
) -> MuseTalk:
    """The engine with MuseTalk's files.

    Args:
        weights: Folder with MuseTalk's files, see `animator.musetalk.weights.load`; read at the first `load`.
        cache: Folder in which latents are kept.
        quality: "best" or "fast".
        prepare: Makes an avatar of what the user chose.
        device: "cuda", or "cpu", which keeps up with small networks only.
        waits: As `MuseTalk`.
    """
    return MuseTalk(
        prepare, lambda progress: open_models(weights, quality, progress, device), cache, quality, waits=waits
    )


def open_models(weights: Path, quality: str, progress: Progress, device: str = "cuda") -> Models:
    """Read the networks: onto the card in half precision, or for the CPU in single precision.

    Raises:
        MuseFailed: If there is no card.
        WeightsError: As `load`.
    """
    if device == "cpu":
        return load(weights, quality, torch.device("cpu"), torch.float32, progress)
    if not torch.cuda.is_available():
        raise no_card()
    torch.backends.cudnn.benchmark = True
    return load(weights, quality, torch.device("cuda"), torch.float16, progress)


def no_card() -> MuseFailed:
    """What is said where PyTorch finds no card."""
    return MuseFailed(
        "MuseTalk needs an NVIDIA card with 4 GB, and PyTorch for CUDA; none is found here.",
        "Use the photo puppet, which needs neither, or install PyTorch for CUDA.",
    )


def _failure(error: BaseException) -> MuseFailed:
    """What `error` means to the user. PyTorch's errors are known by name."""
    if isinstance(error, MuseFailed):
        return error
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "out of memory" in said.lower():
        return MuseFailed(
            "The graphics card has not enough memory for MuseTalk; it needs about 4 GB.",
            "Close what else uses the card, choose the fast quality, or use the photo puppet.",
            is_memory=True,
        )
    return MuseFailed(
        f"MuseTalk could not paint ({said}).", "Choose the face again; if it stays so, use the photo puppet."
    )
