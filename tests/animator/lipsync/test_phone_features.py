"""Rules of the features: 100 frames a second, no future beyond 7.5 ms, the same numbers in pieces and in training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from animator.lipsync import phone_features as features


def noise(seconds: float, seed: int = 0) -> npt.NDArray[np.float32]:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * features.SAMPLE_RATE)) * 0.1
    return samples.astype(np.float32)


def whole(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    stream = features.FeatureStream()
    return np.concatenate([stream.push(samples), stream.finish()])


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (160, 1), (161, 2), (1600, 10), (16_000, 100)])
def test_every_started_10_ms_are_a_frame(samples: int, frames: int):
    assert (frames, features.BANDS) == whole(np.ones(samples, np.float32)).shape


def test_a_click_is_loudest_in_the_frame_that_it_falls_into():
    for sample in (0, 158, 162, 5000, 15_999):
        samples = np.zeros(16_000, np.float32)
        samples[sample] = 1.0

        assert sample // features.HOP == int(whole(samples).mean(1).argmax())


def test_pieces_of_any_size_give_the_same_numbers_as_the_whole():
    samples, random = noise(1.5), np.random.default_rng(1)
    stream, pieces, at = features.FeatureStream(), [], 0
    while at < len(samples):
        size = int(random.integers(0, 700))
        pieces.append(stream.push(samples[at : at + size]))
        at += size

    np.testing.assert_allclose(whole(samples), np.concatenate([*pieces, stream.finish()]), atol=1e-6)


def test_a_frame_is_there_as_soon_as_its_window_is():
    stream = features.FeatureStream()

    assert 0 == len(stream.push(np.zeros(features.HOP + features.REACH - 1, np.float32)))
    assert 1 == len(stream.push(np.zeros(1, np.float32)))


def test_silence_has_one_value_in_all_bands():
    np.testing.assert_allclose(whole(np.zeros(1600, np.float32)), features.SILENT, rtol=1e-6)


def test_a_level_is_a_shift_that_does_not_depend_on_the_rest_of_the_sound():
    """A stream does not know how loud the sound will be, so nothing may be measured over the whole."""
    samples = noise(0.5)

    louder = whole(np.concatenate([samples, 9 * noise(0.5, 1)]))[: 50 - 2]

    np.testing.assert_allclose(whole(samples)[: 50 - 2], louder, atol=1e-6)


def test_every_band_hears_something():
    assert (whole(noise(1.0)) > features.SILENT).all()
    assert (features.filters().sum(0) > 0).all()


def test_training_sees_the_same_features():
    import torch

    from animator.lipsync.training.network import Mel

    samples = noise(1.0) * np.linspace(0, 1, 16_000, dtype=np.float32)
    padded = np.pad(samples, features.REACH)

    trained = Mel((0.9, 1.0))(torch.from_numpy(padded)[None], torch.tensor([1]))[0].numpy()

    np.testing.assert_allclose(whole(samples), trained, atol=1e-5)
