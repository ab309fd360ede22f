"""The THA3 engine behind its protocol: characters come and go, what is said stays."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3.animator import Tha3
from animator.tha3.composer import Composer
from animator.tha3.exact_choice import FaceFailed
from animator.tha3.live import LiveFace

pytestmark = pytest.mark.slow

HARU = Path(__file__).resolve().parents[3] / "characters" / "haru"
RATE = 22_050


def vowel(turn: int = 1) -> SpeechClip:
    """One second of an open a."""
    samples = (0.3 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
    return SpeechClip(turn, 0, samples, RATE, "", (Phone("ɑː", 0.0, 1.0),), True)


@pytest.fixture
def engine(weights, bake_folder) -> Tha3:
    return Tha3(weights, bake_folder.parent, "live")


def mouth(engine: Tha3, speech: SpeechTime | None, host_ns: int = 10**9) -> np.ndarray:
    return engine.render(speech, host_ns)[160:195, 236:276].astype(int)


def test_a_baked_character_is_there_at_once_and_live(engine):
    told = []

    engine.load(HARU, lambda what, share: told.append(share))

    assert told == [1.0]
    assert engine.capabilities.tier == "live"


def test_the_mouth_opens_for_a_vowel_and_rests_after_clear(engine):
    engine.load(HARU, lambda *_: None)
    rest = mouth(engine, None, 1_000_000_000)
    engine.push(vowel())

    speaking = mouth(engine, SpeechTime(1, 0, 0.5), 1_500_000_000)
    engine.clear(before_turn=2)
    for k in range(8):
        after = mouth(engine, None, 1_500_000_000 + k * 33_000_000)

    assert np.abs(speaking - rest).max() > 60
    assert np.abs(after - rest).mean() < np.abs(speaking - rest).mean() / 3


def test_whoever_comes_on_in_mid_sentence_goes_on_speaking_it(engine):
    engine.load(HARU, lambda *_: None)
    rest = mouth(engine, None)
    engine.push(vowel())

    engine.load(HARU, lambda *_: None)  # read anew: another character as far as the engine can tell

    assert np.abs(mouth(engine, SpeechTime(1, 0, 0.5), 1_500_000_000) - rest).max() > 60


def test_a_clip_that_comes_while_a_character_comes_on_is_spoken_by_it(engine, monkeypatch):
    engine.load(HARU, lambda *_: None)
    rest = mouth(engine, None)
    taking_over, pushing = Composer.take_over, []

    def meanwhile(self, before):
        taken = taking_over(self, before)
        pushing.append(threading.Thread(target=engine.push, args=(vowel(),)))
        pushing[0].start()
        return taken

    monkeypatch.setattr(Composer, "take_over", meanwhile)
    engine.load(HARU, lambda *_: None)
    pushing[0].join(10)

    assert np.abs(mouth(engine, SpeechTime(1, 0, 0.5), 1_500_000_000) - rest).max() > 60


def test_a_face_has_drawn_before_it_is_seen(engine, monkeypatch):
    """Its first frame takes longer than others, and would come late."""
    drawn, shown = [], []
    draw, swap = LiveFace.draw, Tha3._swap_in
    monkeypatch.setattr(LiveFace, "draw", lambda face, pose: (drawn.append(face), draw(face, pose))[1])
    monkeypatch.setattr(Tha3, "_swap_in", lambda self, face: (shown.append(face in drawn), swap(self, face))[1])

    engine.load(HARU, lambda *_: None)

    assert [True] == shown


def test_a_character_that_cannot_be_used_leaves_the_one_before(engine, tmp_path):
    engine.load(HARU, lambda *_: None)
    before = engine.render(None, 0)

    with pytest.raises(ValueError, match="no character"):
        engine.load(tmp_path / "nobody", lambda *_: None)

    assert np.array_equal(before, engine.render(None, 0))


def test_an_unknown_tier_is_refused(weights, tmp_path):
    with pytest.raises(ValueError, match="auto, live or exact"):
        Tha3(weights, tmp_path, "fast")


class BrokenCard:
    """A face that draws one frame and then fails as PyTorch does when its device is gone."""

    tier = "exact"

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.drawn = 0

    def draw(self, pose: np.ndarray) -> np.ndarray:
        self.drawn += 1
        if self.drawn > 1:
            raise self.error
        return np.full((512, 512, 4), 77, np.uint8)


def wait_for_the_other_face() -> None:
    for thread in threading.enumerate():
        if thread.name == "face-fallback":
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "no memory left"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "stopped answering"),
    ],
)
def test_a_card_that_fails_while_drawing_keeps_its_picture_until_the_live_face_draws(
    weights, bake_folder, monkeypatch, error, problem
):
    card = BrokenCard(error)
    monkeypatch.setattr("animator.tha3.animator.open_exact", lambda *_: card)
    engine = Tha3(weights, bake_folder.parent, "exact")
    engine.load(HARU, lambda *_: None)
    last = engine.render(None, 0)

    with pytest.raises(FaceFailed, match=problem) as caught:
        engine.render(None, 33_000_000)
    meanwhile_tier = engine.capabilities.tier
    wait_for_the_other_face()
    live = engine.render(None, 66_000_000)

    assert (last == 77).all()
    assert caught.value.remedy
    assert meanwhile_tier in ("picture", "live")
    assert ("live", str(caught.value)) == (engine.capabilities.tier, engine.capabilities.problem)
    assert not (live == 77).all()
    assert 2 == card.drawn


def test_the_live_face_comes_in_even_while_something_else_is_being_loaded(weights, bake_folder, monkeypatch):
    monkeypatch.setattr("animator.tha3.animator.open_exact", lambda *_: BrokenCard(RuntimeError("CUDA error")))
    engine = Tha3(weights, bake_folder.parent, "exact")
    engine.load(HARU, lambda *_: None)
    engine.render(None, 0)

    with engine._loading:
        with pytest.raises(FaceFailed):
            engine.render(None, 33_000_000)
        deadline_s = time.monotonic() + 60
        while engine.capabilities.tier != "live" and time.monotonic() < deadline_s:
            engine.render(None, 66_000_000)
        assert "live" == engine.capabilities.tier
    wait_for_the_other_face()


def test_between_the_failure_and_the_live_face_the_last_picture_is_drawn(weights, bake_folder, monkeypatch):
    monkeypatch.setattr("animator.tha3.animator.open_exact", lambda *_: BrokenCard(RuntimeError("CUDA error")))
    engine = Tha3(weights, bake_folder.parent, "exact")
    engine.load(HARU, lambda *_: None)
    engine.render(None, 0)
    monkeypatch.setattr("animator.tha3.animator.open_bake", lambda *_: None)  # nothing is baked so far

    with engine._loading:
        with pytest.raises(FaceFailed):
            engine.render(None, 33_000_000)
        after = engine.render(None, 66_000_000)
        monkeypatch.undo()
    wait_for_the_other_face()

    assert (after == 77).all()


def test_an_exact_face_has_its_live_stand_in_baked(weights, bake_folder, monkeypatch):
    """Baked while the exact one draws, so that it is there within a second when the card fails."""
    baked = []
    monkeypatch.setattr("animator.tha3.animator.open_exact", lambda *_: BrokenCard(RuntimeError("CUDA error")))
    monkeypatch.setattr("animator.tha3.animator.open_bake", lambda *_: None)
    monkeypatch.setattr(Tha3, "_run_bake", lambda self, character, *_: baked.append(character.name))
    engine = Tha3(weights, bake_folder.parent, "exact")

    engine.load(HARU, lambda *_: None)

    assert ("exact", ["Haru"]) == (engine.capabilities.tier, baked)


def test_a_card_without_memory_for_the_face_loads_the_live_one_and_says_why(weights, bake_folder, monkeypatch):
    def no_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("animator.tha3.animator.cuda_is_there", lambda: True)
    monkeypatch.setattr("animator.tha3.animator.open_cuda", no_memory)
    told = []
    engine = Tha3(weights, bake_folder.parent, "auto")

    engine.load(HARU, lambda what, share: told.append(what))

    assert engine.capabilities.tier == "live"
    assert "no memory left" in engine.capabilities.problem
    assert engine.capabilities.problem in told


def test_the_reason_is_forgotten_with_the_next_character(weights, bake_folder, monkeypatch):
    monkeypatch.setattr("animator.tha3.animator.open_exact", lambda *_: BrokenCard(RuntimeError("CUDA error")))
    engine = Tha3(weights, bake_folder.parent, "exact")
    engine.load(HARU, lambda *_: None)
    engine.render(None, 0)
    with pytest.raises(FaceFailed):
        engine.render(None, 1)
    wait_for_the_other_face()

    engine.load(HARU, lambda *_: None)

    assert ("exact", "") == (engine.capabilities.tier, engine.capabilities.problem)


def test_a_pose_that_is_no_number_is_counted_and_never_drawn(engine, monkeypatch, caplog):
    engine.load(HARU, lambda *_: None)
    good = engine.render(None, 10**9)
    honest = engine._composer.pose

    def mad(speech, time_s):
        pose = honest(speech, time_s)
        pose[39] = np.nan
        pose[26] = 50.0
        return pose

    monkeypatch.setattr(engine._composer, "pose", mad)
    drawn = [engine.render(None, 10**9), engine.render(None, 10**9)]

    assert 4 == engine.clamped
    assert all(np.isfinite(frame).all() for frame in drawn)
    assert np.abs(drawn[0][:20].astype(int) - good[:20]).max() < 60
    assert 1 == sum("clamped" in record.message for record in caplog.records)


def test_large_art_is_drawn_at_its_own_size_where_that_is_wanted(weights, bake_folder):
    sharp = Tha3(weights, bake_folder.parent, "live", large=True)
    plain = Tha3(weights, bake_folder.parent, "live")
    for engine in (sharp, plain):
        engine.load(HARU, lambda *_: None)

    large, small = (engine.render(None, 10**9) for engine in (sharp, plain))

    assert ((1024, 1024, 4), 1024) == (large.shape, sharp.capabilities.width_px)
    assert ((512, 512, 4), 512) == (small.shape, plain.capabilities.width_px)
    # The same picture, but for what 512 px cannot show.
    shrunk = large.reshape(512, 2, 512, 2, 4).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 1.5
