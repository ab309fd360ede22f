from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from animator.musetalk.avatar import AvatarError, with_latents
from animator.musetalk.config import SMALL
from animator.musetalk.tensors import Random
from animator.musetalk.vae import Encoder
from tests.animator.musetalk.avatars import made

CPU, FLOAT = torch.device("cpu"), torch.float32


class Counting(Encoder):
    calls = 0

    def __call__(self, crops: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return super().__call__(crops)


def test_latents_are_computed_once_and_kept_without_pickles(tmp_path: Path) -> None:
    encoder = Counting(Random(CPU, FLOAT), SMALL.vae)

    def latents() -> np.ndarray:
        found = with_latents(made(2), encoder, "hash", SMALL.face_px, tmp_path, CPU, FLOAT).latents
        assert found is not None
        return found

    first = latents()
    assert first.shape == (2, 8, 8, 8)
    calls = encoder.calls
    assert np.array_equal(latents(), first)
    assert encoder.calls == calls
    (file,) = tmp_path.iterdir()
    np.load(file, allow_pickle=False)["latents"]
    file.write_bytes(b"damaged")
    assert np.array_equal(latents(), first)
    assert encoder.calls == 2 * calls


def test_another_box_or_encoder_has_latents_of_its_own() -> None:
    avatar = made()
    moved = replace(avatar, boxes=avatar.boxes + np.array([1, 0, 1, 0], np.int32))
    assert len({avatar.key("a"), avatar.key("b"), moved.key("a")}) == 3


def test_the_masked_half_is_black_and_the_reference_whole(tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []

    class Looking(Encoder):
        def __call__(self, crops: torch.Tensor) -> torch.Tensor:
            seen.append(crops)
            return super().__call__(crops)

    with_latents(made(), Looking(Random(CPU, FLOAT), SMALL.vae), "h", SMALL.face_px, tmp_path, CPU, FLOAT)
    masked, whole = seen
    assert float(masked[:, 32:].max()) == -1.0
    assert torch.equal(masked[:, :32], whole[:, :32])


@pytest.mark.parametrize(
    ("box", "said"), [([0, 0, 40, 90], "at least 48 px"), ([100, 0, 190, 90], "must lie in the picture")]
)
def test_a_box_that_is_too_small_or_outside_is_refused(box: list[int], said: str) -> None:
    with pytest.raises(AvatarError, match=said):
        replace(made(), boxes=np.array([box], np.int32))
