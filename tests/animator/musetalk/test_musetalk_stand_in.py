"""MuseTalk with the photo puppet behind it: who draws when, and what is given back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.messages import SpeechClip, SpeechTime
from animator.musetalk.failure import MuseFailed
from animator.musetalk.files import WeightsError
from animator.musetalk.stand_in import WithStandIn
from animator.protocol import Capabilities, Lips
from tests.animator.human.clips import face, film
from tests.fakes import TIMEOUT_S

FACE = Path(__file__).parents[2] / "data" / "faces" / "grace_hopper.jpg"
HARU = Path(__file__).parents[3] / "characters" / "haru"
FRAME_NS = 1_000_000_000 // 30


class FlatFace:
    """Draws one colour, and writes down what it is told."""

    clamped = 0

    def __init__(self, tier: str, colour: int) -> None:
        self.capabilities = Capabilities(512, 512, tier)
        self.colour = colour
        self.calls: list[tuple[Any, ...]] = []
        self.broken: BaseException | None = None
        self.refuses: BaseException | None = None
        self.closed = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.loading = threading.Event()

    def load(self, character: Path, progress: Callable[[str, float], None]) -> None:
        self.loading.set()
        assert self.goes_on.wait(TIMEOUT_S)
        if self.refuses is not None:
            raise self.refuses
        self.calls.append(("load", character.name))
        self.capabilities = Capabilities(512, 512, self.capabilities.tier)

    def cancel_load(self) -> None:
        pass

    def push(self, clip: SpeechClip) -> Lips | None:
        self.calls.append(("push", clip.turn, clip.index))
        return Lips("decoded", self.capabilities.tier)

    def clear(self, before_turn: int) -> None:
        self.calls.append(("clear", before_turn))

    def express(self, name: str, host_ns: int) -> None:
        self.calls.append(("express", name))

    def render(self, speech: SpeechTime | None, host_ns: int) -> np.ndarray:
        if self.broken is not None:
            raise self.broken
        return np.full((512, 512, 4), self.colour, np.uint8)

    def follow(self, speech: SpeechTime | None, host_ns: int) -> None:
        self.calls.append(("follow", speech))

    def draw_around(self, picture: np.ndarray, speech: SpeechTime | None, host_ns: int) -> np.ndarray:
        self.calls.append(("around", speech))
        moved = picture.copy()
        moved[0, 1, 0] = 77
        return moved

    def close(self) -> None:
        self.closed.set()


PUPPET, MUSE = 10, 200


class Show:
    def __init__(self) -> None:
        self.puppet = FlatFace("photo puppet", PUPPET)
        self.muses: list[FlatFace] = []
        self.prepare: Callable[[FlatFace], None] = lambda muse: None
        self.engine = WithStandIn(self.puppet, self._make)  # type: ignore[arg-type]
        self.now_ns = 0

    def _make(self) -> FlatFace:
        muse = FlatFace("MuseTalk 1.5, best", MUSE)
        self.prepare(muse)
        self.muses.append(muse)
        return muse

    def load(self, character: Path) -> None:
        self.engine.load(character, lambda what, share: None)

    def load_until_the_networks_are_read(self, character: Path) -> threading.Thread:
        """Load on another thread, which gets no further before the muse's `goes_on` is set."""
        self.prepare = lambda muse: muse.goes_on.clear()
        loader = threading.Thread(target=self.load, args=(character,))
        loader.start()
        while not self.muses:
            threading.Event().wait(0.01)
        assert self.muses[0].loading.wait(TIMEOUT_S)
        return loader

    def drawn(self, speech: SpeechTime | None = None) -> int:
        """What is seen a second later."""
        self.now_ns += 1_000_000_000
        return int(self.engine.render(speech, self.now_ns)[0, 0, 0])


@pytest.fixture
def show() -> Show:
    return Show()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    folder = tmp_path / "grace"
    folder.mkdir()
    shutil.copy(FACE, folder / "photo.jpg")
    (folder / "character.toml").write_text('name = "Grace"\nphoto = "photo.jpg"\nconsent = true\n', "utf-8")
    return folder


def clip(turn: int = 0, index: int = 0, *, continues: bool = False) -> SpeechClip:
    return SpeechClip(turn, index, np.zeros(1600, np.float32), 16_000, "", None, True, continues=continues)


def test_musetalk_draws_a_photo_with_the_mark_and_says_so(show: Show, photo: Path) -> None:
    show.load(photo)

    frame = show.engine.render(None, 0)

    assert MUSE == frame[0, 0, 0]
    assert 77 == frame[0, 1, 0], "eyes and head are the photo puppet's"
    assert "MuseTalk 1.5, best" == show.engine.capabilities.tier
    assert len(np.unique(frame[370:400, 70:200, 0])) > 10, "the corner says who draws"


def test_one_picture_of_the_photo_fades_into_the_other(show: Show, photo: Path) -> None:
    loader = show.load_until_the_networks_are_read(photo)
    show.engine.render(None, 0)
    show.muses[0].goes_on.set()
    loader.join(TIMEOUT_S)

    seen = [int(show.engine.render(None, k * FRAME_NS)[0, 0, 0]) for k in range(1, 9)]

    assert sorted(seen) == seen
    assert PUPPET < seen[0] < 100
    assert MUSE == seen[-1]


def test_a_character_without_the_mark_has_none(show: Show, photo: Path) -> None:
    with (photo / "character.toml").open("a", encoding="utf-8") as file:
        file.write("ai_mark = false\n")

    show.load(photo)

    assert (show.engine.render(None, 0)[1:] == MUSE).all()


def test_a_drawing_is_drawn_by_the_other_engine_and_the_memory_is_given_back(show: Show, photo: Path) -> None:
    show.load(photo)

    show.load(HARU)

    assert PUPPET == show.drawn()
    assert "photo puppet" == show.engine.capabilities.tier
    assert show.muses[0].closed.wait(TIMEOUT_S)
    show.load(photo)
    assert MUSE == show.drawn()
    assert 2 == len(show.muses)


def test_while_musetalk_gets_ready_the_photo_puppet_draws_and_both_hear(show: Show, photo: Path) -> None:
    loader = show.load_until_the_networks_are_read(photo)
    muse = show.muses[0]

    show.engine.push(clip(3))

    assert PUPPET == show.drawn(SpeechTime(3, 0, 0.1))
    assert ("push", 3, 0) in muse.calls
    assert ("push", 3, 0) in show.puppet.calls
    muse.goes_on.set()
    loader.join(TIMEOUT_S)
    assert MUSE == show.drawn(SpeechTime(3, 0, 0.2))
    assert ("around", SpeechTime(3, 0, 0.2)) in show.puppet.calls, "its lips stay in step"


def test_it_comes_on_in_mid_sentence_with_that_sentence_and_none_that_is_over(show: Show, photo: Path) -> None:
    for index in range(4):
        show.engine.push(clip(0, index, continues=index == 2))
    show.drawn(SpeechTime(0, 2, 0.1))

    show.load(photo)

    assert [("push", 0, 1), ("push", 0, 2), ("push", 0, 3)] == [
        call for call in show.muses[0].calls if call[0] == "push"
    ]


def test_what_was_said_before_a_silence_is_not_said_again(show: Show, photo: Path) -> None:
    show.engine.push(clip(0, 0))
    show.drawn(SpeechTime(0, 0, 0.1))
    show.drawn(None)

    show.load(photo)

    assert [] == [call for call in show.muses[0].calls if call[0] == "push"]


def test_another_character_is_not_waited_for_while_the_networks_are_read(show: Show, photo: Path) -> None:
    loader = show.load_until_the_networks_are_read(photo)

    show.engine.cancel_load()
    loader.join(TIMEOUT_S)

    assert not loader.is_alive()
    show.load(HARU)
    assert PUPPET == show.drawn()
    show.muses[0].goes_on.set()
    assert show.muses[0].closed.wait(TIMEOUT_S), "what was left alone gives its memory back"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (WeightsError("unet.pth does not fit."), "unet.pth does not fit. The photo puppet draws instead."),
        (MuseFailed("No memory.", "Close.", is_memory=True), "No memory. The photo puppet draws instead."),
        (OSError("the disk is gone"), "the disk is gone The photo puppet draws instead."),
    ],
)
def test_where_musetalk_cannot_come_on_the_photo_puppet_draws_and_says_why(
    show: Show, photo: Path, error: BaseException, says: str
) -> None:
    def refuse(muse: FlatFace) -> None:
        muse.refuses = error

    show.prepare = refuse

    show.load(photo)

    assert PUPPET == show.drawn()
    found = show.engine.capabilities
    assert ("photo puppet", says) == (found.tier, found.problem)
    assert found.remedy
    assert show.muses[0].closed.wait(TIMEOUT_S)


def test_a_card_that_fails_while_it_draws_leaves_the_next_frame_to_the_photo_puppet(show: Show, photo: Path) -> None:
    show.load(photo)
    show.engine.push(clip(0, 0))
    show.muses[0].broken = MuseFailed("The card is gone.", "Restart.")

    with pytest.raises(MuseFailed, match=r"The card is gone\. The photo puppet draws instead\."):
        show.drawn()

    assert PUPPET == show.drawn()
    assert "photo puppet" == show.engine.capabilities.tier
    assert "The card is gone." in show.engine.capabilities.problem
    show.prepare = lambda muse: None
    show.load(photo)
    assert MUSE == show.drawn(), "chosen again, it is tried again"
    assert "" == show.engine.capabilities.problem


def test_a_photo_that_cannot_be_used_changes_nothing(show: Show, photo: Path) -> None:
    show.load(photo)
    show.puppet.refuses = ValueError("no face")

    with pytest.raises(ValueError, match="no face"):
        show.load(photo)

    assert MUSE == show.drawn()


def test_an_interruption_and_a_wish_reach_both(show: Show, photo: Path) -> None:
    show.load(photo)

    show.engine.clear(5)
    show.engine.express("happy", 0)

    assert ("clear", 5) in show.muses[0].calls
    assert [("clear", 5), ("express", "happy")] == [c for c in show.puppet.calls if c[0] in ("clear", "express")]


def test_at_the_end_both_are_closed(show: Show, photo: Path) -> None:
    show.load(photo)

    show.engine.close()

    assert show.muses[0].closed.is_set()
    assert show.puppet.closed.is_set()


def test_a_video_moves_by_itself_so_neither_eyes_nor_head_are_laid_over_it(show: Show, tmp_path: Path) -> None:
    made = tmp_path / "moving"
    made.mkdir()
    film(made / "clip.mp4", 26, lambda k: face(height_px=240))
    (made / "character.toml").write_text('video = "clip.mp4"\nconsent = true\nai_mark = false\n')
    show.load(made)

    drawn = show.engine.render(None, 10**9)

    assert MUSE == int(drawn[0, 1, 0])
    assert ("follow", None) in show.puppet.calls
    assert "around" not in [each[0] for each in show.puppet.calls]
