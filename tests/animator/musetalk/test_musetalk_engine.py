import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from animator.messages import SpeechClip, SpeechTime
from animator.musetalk.avatar import Avatar, AvatarError
from animator.musetalk.config import SMALL, WhisperConfig
from animator.musetalk.engine import MuseTalk, build
from animator.musetalk.failure import MuseFailed
from animator.musetalk.sound import Ears
from animator.musetalk.tensors import Random
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Encoder, TinyDecoder
from animator.musetalk.weights import Models
from animator.protocol import Progress
from tests.animator.musetalk.avatars import made

CPU, FLOAT = torch.device("cpu"), torch.float32


def small_models(progress: Progress) -> Models:
    source = Random(CPU, FLOAT)
    return Models(
        UNet(source, SMALL.unet), TinyDecoder(source, SMALL.tiny), Encoder(source, SMALL.vae),
        Ears(source, WhisperConfig(steps=300), CPU, FLOAT), "hash", CPU, FLOAT, SMALL,
    )  # fmt: skip


def clip(turn: int = 0, index: int = 0, seconds: float = 0.6) -> SpeechClip:
    samples = (0.3 * np.sin(np.arange(int(seconds * 16000)) * 0.1)).astype(np.float32)
    return SpeechClip(turn, index, samples, 16000, "", None, last=True)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[MuseTalk]:
    found = MuseTalk(lambda path, progress: made(), small_models, tmp_path, "fast")
    found.load(Path("face"), lambda what, share: None)
    yield found
    found.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait for the muse thread; the test's own time limit ends it."""
    while not holds():
        threading.Event().wait(0.01)


def source() -> np.ndarray:
    return made().frames[0]


def speaks(engine: MuseTalk, at_s: float, turn: int = 0) -> bool:
    return not np.array_equal(engine.render(SpeechTime(turn, 0, at_s), 0)[..., :3], source())


def test_in_silence_the_source_is_shown_as_it_is(engine: MuseTalk) -> None:
    pixels = engine.render(None, 0)
    assert pixels.shape == (128, 128, 4)
    assert np.array_equal(pixels[..., :3], source())
    assert (pixels[..., 3] == 255).all()
    assert engine.capabilities.tier == "MuseTalk, fast"


def test_while_it_speaks_the_mouth_is_painted_and_nothing_outside_of_the_mask(engine: MuseTalk) -> None:
    lips = engine.push(clip())
    assert lips is not None
    assert lips.model == "musetalk"
    until(lambda: speaks(engine, 0.3))
    changed = (engine.render(SpeechTime(0, 0, 0.3), 0)[..., :3] != source()).any(2)
    left, top, right, bottom = made().boxes[0]
    outside = np.ones_like(changed)
    outside[top:bottom, left:right] = made().masks[0] == 0
    assert not changed[outside].any()
    assert np.array_equal(engine.render(None, 10**9)[..., :3], source())


def test_an_interrupted_mouth_is_the_sources_within_100_ms(engine: MuseTalk) -> None:
    engine.push(clip())
    until(lambda: speaks(engine, 0.3))
    engine.render(SpeechTime(0, 0, 0.3), 1_000_000_000)
    engine.clear(1)
    place = SpeechTime(0, 0, 0.33)
    off = [
        float(np.abs(engine.render(place, 1_000_000_000 + k * 33_333_333)[..., :3].astype(int) - source()).mean())
        for k in (1, 2, 3)
    ]
    assert off[0] > off[1] > off[2] == 0.0
    assert engine.push(clip(turn=0, index=1)) is None


def test_a_sentence_is_painted_anew_for_another_face(engine: MuseTalk) -> None:
    engine.push(clip(seconds=1.0))
    until(lambda: speaks(engine, 0.2))
    engine.load(Path("another"), lambda what, share: None)
    until(lambda: speaks(engine, 0.5))


def test_a_face_that_cannot_be_used_leaves_the_one_before(engine: MuseTalk, tmp_path: Path) -> None:
    def refuse(path: Path, progress: Progress) -> Avatar:
        raise AvatarError("no face is in the picture")

    engine._prepare = refuse
    with pytest.raises(AvatarError, match="no face"):
        engine.load(Path("bad"), lambda what, share: None)
    assert np.array_equal(engine.render(None, 0)[..., :3], source())


def test_a_card_that_fails_is_told_once_and_the_source_stays(engine: MuseTalk) -> None:
    def broken(*arguments: object) -> np.ndarray:
        raise RuntimeError("CUDA error: out of memory")

    assert engine._step is not None
    engine._step.paint = broken  # type: ignore[method-assign]
    engine.push(clip())

    def told() -> bool:
        try:
            engine.render(SpeechTime(0, 0, 0.1), 0)
        except MuseFailed as error:
            problems.append(f"{error.problem} {error.remedy}")
        return bool(problems)

    problems: list[str] = []
    until(told)
    assert "memory" in problems[0]
    assert np.array_equal(engine.render(SpeechTime(0, 0, 0.2), 0)[..., :3], source())


def test_a_card_that_hangs_is_given_up_within_a_second(engine: MuseTalk) -> None:
    goes_on = threading.Event()

    def hangs(*arguments: object) -> np.ndarray:
        goes_on.wait()
        raise RuntimeError("late")

    assert engine._step is not None
    engine._step.paint = hangs  # type: ignore[method-assign]
    engine.push(clip(seconds=2.0))
    frame_ns = 33_333_333
    for k in range(20):
        engine.render(SpeechTime(0, 0, 0.1 + k / 30), k * frame_ns)

    def a_third_of_a_second_more() -> None:
        for k in range(20, 30):
            engine.render(SpeechTime(0, 0, 0.1 + k / 30), k * frame_ns)

    with pytest.raises(MuseFailed, match="painted nothing"):
        a_third_of_a_second_more()
    goes_on.set()


def test_for_a_film_every_frame_is_waited_for(tmp_path: Path) -> None:
    engine = MuseTalk(lambda path, progress: made(), small_models, tmp_path, "fast", waits=True)
    engine.load(Path("face"), lambda what, share: None)
    engine.push(clip(seconds=1.0))
    assert all(speaks(engine, k / 30) for k in range(30))
    engine.close()


def test_while_another_draws_what_is_over_is_not_painted_any_more(engine: MuseTalk) -> None:
    engine.push(clip(turn=0, seconds=0.4))
    engine.push(clip(turn=1, seconds=0.4))
    engine.follow(SpeechTime(1, 0, 0.1), 0)
    assert [1] == [each.turn for each in engine._speech.sentences]
    until(lambda: speaks(engine, 0.2, turn=1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_the_engine_says_what_to_do(tmp_path: Path) -> None:
    engine = build(tmp_path, tmp_path, "best", lambda path, progress: made())
    with pytest.raises(MuseFailed, match="needs an NVIDIA card"):
        engine.load(Path("face"), lambda what, share: None)
    engine.close()


def test_wishes_that_a_painted_mouth_cannot_fulfil_are_refused_in_words(engine: MuseTalk) -> None:
    engine.express("neutral", 0)
    engine.feel("joy", 1.0, 0)
    with pytest.raises(ValueError, match="no expression 'smile'"):
        engine.express("smile", 0)
    with pytest.raises(ValueError, match="no gesture 'nod'"):
        engine.gesture("nod", 0)
