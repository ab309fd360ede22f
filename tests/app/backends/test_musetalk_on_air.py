"""MuseTalk in the real face process: a photo, small networks of the true architecture on the CPU, and a voice."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

from animator.human.avatar import prepare
from animator.human.mark import mark_of
from animator.human.mouth_mask import crop_box, mouth_mask
from animator.human.photo import read_bytes
from animator.messages import SpeechClip, SpeechTime
from animator.musetalk.stand_in import MARK_TEXT
from animator.puppet.face import PuppetFace
from app.backends.animator_process import AnimatorOptions, AnimatorProcess
from tests.animator.musetalk.weights_folder import write_whole

DATA = Path(__file__).parents[2] / "data"
WITHIN_S = 120.0
FRAME_NS = 1_000_000_000 // 30
REACH_PX = 16
PAUSE_S = (0.7, 1.4)
"""Where the voice is silent."""
Pixels = np.ndarray


class Told:
    """What the process tells."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []

    def emit(self, stage: str, event: str, **data: Any) -> None:
        if event == "state":
            self.states.append(data)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whole(tmp_path_factory.mktemp("musetalk"))


@pytest.fixture(scope="module")
def grace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grace")
    shutil.copy(DATA / "faces" / "grace_hopper.jpg", folder / "photo.jpg")
    (folder / "character.toml").write_text('name = "Grace"\nphoto = "photo.jpg"\nconsent = true\n', "utf-8")
    return folder


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory, grace: Path) -> Iterator[Callable[..., Any]]:
    """Start a face process with the photo; returns it and what it tells."""
    started: list[AnimatorProcess] = []
    cache = tmp_path_factory.getbasetemp() / "cache-of-faces"

    def begin(weights: Path, kills: int = 0, **options: Any) -> tuple[AnimatorProcess, Told]:
        told = Told()
        chosen = {"engine": "musetalk", "musetalk_quality": "fast", "musetalk_device": "cpu", "stepped": True}
        face = AnimatorProcess(
            told, AnimatorOptions(cache / "no-weights", cache, musetalk_weights=weights, **{**chosen, **options})
        )
        started.append(face)
        face.load(str(grace))
        for _ in range(kills):
            process = face._process
            assert process is not None
            process.kill()
            while face._process is process:
                threading.Event().wait(0.01)
        face.wait_loaded(WITHIN_S)
        return face, told

    yield begin
    for face in started:
        face.close()


def voice(turn: int = 0) -> SpeechClip:
    """Nearly two seconds of a voice, with a pause."""
    samples, rate = soundfile.read(DATA / "speech" / "dashwood-leisure.flac", dtype="float32")
    loud = samples[np.flatnonzero(np.abs(samples) > 0.05)[0] :][: round(1.8 * rate)].copy()
    loud[round(PAUSE_S[0] * rate) : round(PAUSE_S[1] * rate)] = 0.0
    return SpeechClip(turn, 0, loud, rate, "", None, last=True)


def frames_of(face: AnimatorProcess, clip: SpeechClip) -> list[tuple[float, Pixels]]:
    """Time in the clip, and the picture then; 30 a second."""
    found = []
    for k in range(round(clip.duration_s * 30)):
        pixels = face.step(SpeechTime(clip.turn, 0, k / 30), k * FRAME_NS).pixels
        found.append((k / 30, pixels.copy()))
    return found


class Source:
    """The photo as it is seen at rest; the head of what is drawn moves, by less than REACH_PX."""

    def __init__(self, character: Path, cache: Path) -> None:
        portrait = prepare(read_bytes(character / "photo.jpg"), cache, lambda what, share: None).portrait
        side = portrait.picture.shape[0]
        self._picture = portrait.picture
        box = crop_box(portrait.points, side, side)
        left, top = box[:2]
        rows, columns = np.nonzero(mouth_mask(portrait.points, box))
        self.mouth = (
            slice(top + int(rows.min()), top + int(rows.max()) + 1),
            slice(left + int(columns.min()), left + int(columns.max()) + 1),
        )
        brow = round(float(portrait.points[:468, 1].min()))
        self.forehead = (slice(brow, brow + 30), self.mouth[1])
        eyes = [rig.box for rig in PuppetFace(portrait).eyes.values()]
        self.eyes = (
            slice(min(each[0].start for each in eyes), max(each[0].stop for each in eyes)),
            slice(min(each[1].start for each in eyes), max(each[1].stop for each in eyes)),
        )
        self._mark_left, self._mark_top, self._mark = mark_of(MARK_TEXT, side)

    def likeness(self, pixels: Pixels, part: tuple[slice, slice]) -> float:
        """How much the photo's `part` is to be found about where it was: 1 is wholly."""
        wide = tuple(slice(each.start - REACH_PX, each.stop + REACH_PX) for each in part)
        found = cv2.matchTemplate(
            np.ascontiguousarray(pixels[(*wide, slice(0, 3))]), self._picture[part], cv2.TM_CCOEFF_NORMED
        )
        return float(found.max())

    def has_its_mouth(self, pixels: Pixels) -> bool:
        """Turned, it is 0.88 to 0.98 like the photo's; what the networks paint is 0.3 like it."""
        return self.likeness(pixels, self.mouth) > 0.8

    def is_marked(self, pixels: Pixels) -> bool:
        high, wide = self._mark.shape[:2]
        corner = pixels[self._mark_top : self._mark_top + high, self._mark_left : self._mark_left + wide, :3]
        return int(corner[self._mark[..., 0] == 255].min()) > 220


@pytest.fixture
def source(grace: Path, tmp_path: Path) -> Source:
    return Source(grace, tmp_path)


def test_a_photo_speaks_with_a_painted_mouth_and_has_its_own_in_every_silence(
    start: Callable[..., Any], weights: Path, source: Source
) -> None:
    face, told = start(weights)
    clip = voice()

    before = face.step(None, 0).pixels.copy()
    face.push(clip)
    frames = frames_of(face, clip)
    after = face.step(None, 4_000_000_000).pixels.copy()

    assert "Face (MuseTalk 1.5, fast)" == told.states[-1]["label"]
    assert source.has_its_mouth(before)
    assert source.has_its_mouth(after)
    mouths: list[np.ndarray] = []
    for at_s, pixels in frames:
        assert source.is_marked(pixels)
        assert source.likeness(pixels, source.forehead) > 0.9, "only the mouth is painted"
        if PAUSE_S[0] + 0.25 < at_s < PAUSE_S[1] - 0.25:
            assert source.has_its_mouth(pixels), f"the mouth moves in the silence at {at_s:.2f} s"
        elif at_s < PAUSE_S[0] - 0.1:
            assert not source.has_its_mouth(pixels), f"the mouth is still at {at_s:.2f} s of speech"
            mouths.append(pixels[(*source.mouth, slice(0, 3))].astype(int))
    changes = [float(np.abs(one - other).mean()) for one, other in itertools.pairwise(mouths)]
    assert np.median(changes) > 1.0, "the mouth does not change with what is said"


def test_it_blinks_while_it_says_nothing(start: Callable[..., Any], weights: Path, source: Source) -> None:
    face, _ = start(weights)

    open_eyes = [source.likeness(face.step(None, k * 3 * FRAME_NS).pixels, source.eyes) for k in range(100)]

    dips = [min(open_eyes[k - 2], open_eyes[k + 2]) - open_eyes[k] for k in range(2, 98)]
    assert max(dips) > 0.06, "a turn of the head changes it slowly, a blink at once"


def test_its_head_moves_while_it_says_nothing_and_takes_the_mouth_with_it(
    start: Callable[..., Any], weights: Path, source: Source
) -> None:
    face, _ = start(weights)

    frames = [face.step(None, k * 15 * FRAME_NS).pixels.copy() for k in range(20)]

    assert all(source.has_its_mouth(pixels) for pixels in frames)
    assert len({pixels[(*source.mouth, slice(0, 3))].tobytes() for pixels in frames}) > 10


def test_an_interrupted_mouth_is_at_rest_within_100_ms(
    start: Callable[..., Any], weights: Path, source: Source
) -> None:
    face, _ = start(weights)
    face.push(voice())
    open_mouth = face.step(SpeechTime(0, 0, 0.4), 400_000_000).pixels.copy()

    face.clear(1)
    face.step(None, 400_000_000 + FRAME_NS)
    shut = face.step(None, 400_000_000 + FRAME_NS + 100_000_000).pixels

    assert not source.has_its_mouth(open_mouth)
    assert source.has_its_mouth(shut)


def test_without_its_files_the_photo_puppet_draws_and_the_status_says_which_are_missing(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    face, told = start(tmp_path)

    face.push(voice())
    frames = frames_of(face, voice())

    assert "Face (photo puppet)" == told.states[-1]["label"]
    assert "lacks MuseTalk's UNet, musetalkV15/unet.pth" in told.states[-1]["problem"]
    assert "The photo puppet draws instead." in told.states[-1]["problem"]
    assert "kuchipaku models add musetalk FOLDER" in told.states[-1]["remedy"]
    assert len({pixels.tobytes() for _, pixels in frames}) > 15


def test_a_file_of_another_network_is_named_and_the_photo_puppet_draws(
    start: Callable[..., Any], weights: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(weights, other)
    shutil.copy(weights / "sd-vae" / "diffusion_pytorch_model.bin", other / "musetalkV15" / "unet.pth")

    _, told = start(other)

    assert "Face (photo puppet)" == told.states[-1]["label"]
    assert "unet.pth does not fit MuseTalk's UNet" in told.states[-1]["problem"]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a card")
def test_without_a_card_the_photo_puppet_draws_and_the_status_says_why(
    start: Callable[..., Any], weights: Path
) -> None:
    _, told = start(weights, musetalk_device="cuda")

    assert "Face (photo puppet)" == told.states[-1]["label"]
    assert "needs an NVIDIA card" in told.states[-1]["problem"]


def test_a_process_that_dies_of_musetalk_twice_comes_back_without_it(start: Callable[..., Any], weights: Path) -> None:
    face, told = start(weights, kills=2)

    assert "Face (photo puppet)" == told.states[-1]["label"]
    assert "ended twice while MuseTalk got ready" in told.states[-1]["problem"]
    assert face.step(None, 0).pixels.any()
