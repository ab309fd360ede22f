"""The learned kernel: what it compares, that it is a kernel, and that a damaged file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from animator.tha3 import likeness, live_nodes, live_store
from animator.tha3.likeness import LOOK_SIZE, Likeness, LikenessError
from animator.tha3.live_fit import turns_of
from animator.tha3.training.kernel import Kernel, scaled


@pytest.fixture(scope="module")
def kernel() -> Likeness:
    return likeness.bundled()


def some(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    turns = np.stack([turns_of(pose) for pose in live_nodes.run_poses()[:count]])
    return turns, rng.normal(0, 0.2, (count, LOOK_SIZE)).astype(np.float32)


def arrays() -> dict[str, np.ndarray]:
    with np.load(likeness.BUNDLED, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def test_what_poses_have_in_common_is_mutual_and_never_less_than_nothing(kernel: Likeness):
    seen = kernel.features(*some(120))
    common = kernel.between(seen, seen)

    assert np.allclose(common, common.T)
    assert np.linalg.eigvalsh(common).min() > -1e-6 * common.max()


def test_one_pose_is_compared_as_it_is_among_many(kernel: Likeness):
    turns, looks = some(30)
    many = kernel.features(turns, looks)

    one = kernel.between(kernel.features(turns[4:5], looks[4:5]), many)

    assert np.allclose(one[0], kernel.between(many, many)[4])


def test_a_face_at_rest_looks_like_nothing(kernel: Likeness):
    look = kernel.look_of(np.zeros((192, 192, 4), np.float32))

    assert (LOOK_SIZE,) == look.shape
    assert not look.any()


def test_the_kernel_that_is_trained_is_the_one_that_draws():
    torch.manual_seed(1)
    rng = np.random.default_rng(2)
    basis = rng.normal(0, 0.02, (1728, 12))
    trained = Kernel(rng.normal(0, 0.3, (12, LOOK_SIZE)))
    small = rng.normal(0, 20, (9, 24, 24, 3)).astype(np.float32)
    turns, _ = some(9)

    drawn = Likeness(trained.arrays(basis))
    looks = np.stack(
        [
            drawn.look_of(np.pad(np.kron(each, np.ones((8, 8, 1), np.float32)), ((0, 0), (0, 0), (0, 1))))
            for each in small
        ]
    )
    seen = trained.look(
        torch.from_numpy(scaled(turns)), torch.from_numpy(small.reshape(9, -1).astype(np.float64) @ basis)
    )

    features = drawn.features(turns, looks)
    assert np.allclose(trained(seen, seen).detach().numpy(), drawn.between(features, features), rtol=1e-3, atol=1e-3)
    assert drawn.noise == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("look", np.zeros((3, 3), np.float32), "'look'"),
        ("tied", np.full(5, np.nan, np.float32), "'tied'"),
        ("head", np.zeros(3, np.int64), "'head'"),
        ("on", np.zeros((2, 2), np.float32), "'on'"),
    ],
)
def test_a_kernel_with_a_wrong_array_is_refused_by_name(name: str, value: np.ndarray, named: str):
    with pytest.raises(LikenessError, match=named):
        Likeness({**arrays(), name: value})


def test_a_kernel_that_lacks_an_array_is_refused_by_name():
    rest = arrays()
    del rest["much"]

    with pytest.raises(LikenessError, match="'much'"):
        Likeness(rest)


def test_a_missing_or_damaged_file_says_what_to_do(tmp_path: Path):
    damaged = tmp_path / "likeness.npz"
    damaged.write_bytes(likeness.BUNDLED.read_bytes()[:5000])

    with pytest.raises(LikenessError, match="Reinstall"):
        likeness.read(tmp_path / "none.npz")
    with pytest.raises(LikenessError, match="reinstall"):
        likeness.read(damaged)


def test_a_bake_belongs_to_the_kernel_and_the_poses_it_was_made_with(monkeypatch: pytest.MonkeyPatch, image, weights):
    before = live_store.bake_key(image, weights)

    monkeypatch.setattr(live_store, "learned_fingerprint", lambda: "another")

    assert before != live_store.bake_key(image, weights)
