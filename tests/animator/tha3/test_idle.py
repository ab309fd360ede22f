from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import idle
from animator.tha3 import pose as p

SEEDS = (0, 1, 20, 12345)


def column(name: str, times: np.ndarray, seed: int, energy: float = 0.0, nod: float = 0.0) -> np.ndarray:
    return np.array([idle.idle_pose(float(t), seed, energy, nod)[p.INDEX[name]] for t in times])


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_minutes_of_idling_stay_within_the_baked_range(seed: int) -> None:
    poses = np.array([idle.idle_pose(float(t), seed, 1.0, 1.0) for t in np.arange(0, 600, 0.1)])

    for name in ("head_x", "head_y", "neck_z"):
        assert np.abs(poses[:, p.INDEX[name]]).max() <= idle.HEAD_LIMIT
    assert (poses >= p.LOW).all()
    assert (poses <= p.HIGH).all()
    assert np.abs(poses[:, p.MOUTH]).max() == 0.0
    assert np.abs(poses[:, p.EYEBROW]).max() == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_every_blink_is_drawn_shut_at_30_fps_whatever_the_phase(seed: int) -> None:
    for phase in (0.0, 0.011, 0.023, 0.032):
        times = np.arange(phase, 120, 1 / 30)
        shut = np.array([idle.blink(float(t), seed) for t in times])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (shut > 0.02).astype(int), [0]])))
        blinks = [shut[a:b].max() for a, b in zip(edges[::2], edges[1::2], strict=True)]
        assert len(blinks) > 20
        assert min(blinks) > 0.99


@pytest.mark.parametrize("seed", SEEDS)
def test_blinks_come_every_2_to_6_s_and_sometimes_twice(seed: int) -> None:
    times = np.arange(0, 600, 0.005)
    shut = np.array([idle.blink(float(t), seed) for t in times])
    starts = times[np.flatnonzero(np.diff((shut > 0.5).astype(int)) == 1)]
    gaps = np.diff(starts)
    doubles = gaps < 0.5

    assert 100 < len(starts) < 220
    assert 3 <= doubles.sum() <= 40
    assert gaps[~doubles].min() > 1.6
    assert gaps.max() < 6.1
    assert gaps[~doubles].std() > 0.4


def test_a_blink_takes_80_ms_down_40_ms_shut_140_ms_up() -> None:
    t = np.arange(0, 0.3, 0.001)
    lid = np.array([idle._lid(float(x)) if x <= idle.BLINK_S else 0.0 for x in t])

    assert t[np.argmax(lid >= 0.999)] == pytest.approx(0.08, abs=0.003)
    assert t[lid >= 0.999].max() == pytest.approx(0.12, abs=0.006)
    assert t[lid > 0.001].max() == pytest.approx(0.26, abs=0.006)


@pytest.mark.parametrize("seed", SEEDS)
def test_eyes_jump_and_hold_and_mostly_look_at_the_viewer(seed: int) -> None:
    times = np.arange(0, 300, 0.01)
    looks = np.array([idle.look(float(t), seed) for t in times])
    moving = np.abs(np.diff(looks, axis=0)).max(axis=1) > 1e-6

    assert np.abs(looks[:, 0]).max() <= idle.LOOK_X
    assert np.abs(looks[:, 1]).max() <= idle.LOOK_Y
    assert moving.mean() < 0.05
    assert looks[:, 1].std() > 0.03
    assert (np.abs(looks).max(axis=1) < 1e-9).mean() > 0.25


def test_the_body_follows_the_head_by_150_ms_at_a_fixed_ratio() -> None:
    times = np.arange(100, 160, 0.05)

    np.testing.assert_allclose(
        column("body_y", times, 7), idle.BODY_PER_HEAD * column("head_y", times - 0.15, 7), atol=1e-6
    )
    np.testing.assert_allclose(
        column("body_z", times, 7), idle.BODY_PER_HEAD * column("neck_z", times - 0.15, 7), atol=1e-6
    )


def test_speech_makes_the_head_livelier_and_nods_it() -> None:
    times = np.arange(0, 120, 0.2)

    assert column("head_y", times, 7, energy=1.0).std() > 1.4 * column("head_y", times, 7).std()
    np.testing.assert_allclose(column("head_x", times, 7, nod=1.0), column("head_x", times, 7) - idle.NOD, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_head_never_jumps(seed: int) -> None:
    times = np.arange(0, 60, 1 / 60)
    poses = np.array([idle.idle_pose(float(t), seed) for t in times])

    assert np.abs(np.diff(poses[:, p.BODY], axis=0)).max() < 0.02


def test_the_same_time_and_seed_give_the_same_pose_and_another_seed_another() -> None:
    np.testing.assert_array_equal(idle.idle_pose(123_456.789, 5), idle.idle_pose(123_456.789, 5))
    assert np.abs(idle.idle_pose(100.0, 5) - idle.idle_pose(100.0, 6)).max() > 0.01
    assert np.isfinite(idle.idle_pose(-5.0, 5)).all()
