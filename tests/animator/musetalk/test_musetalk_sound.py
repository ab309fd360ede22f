import numpy as np
import pytest
import torch

from animator.musetalk.config import WhisperConfig
from animator.musetalk.sound import Ears
from animator.musetalk.tensors import Checkpoint, Random
from benchmarks.human_reference import positions, sound_windows

CPU, FLOAT = torch.device("cpu"), torch.float32
CONFIG = WhisperConfig(width=24, layers=4, heads=2)


def voice(seconds: float) -> np.ndarray:
    at = np.arange(int(seconds * 16000)) / 16000
    return (0.3 * np.sin(2 * np.pi * 180 * at) * (1 + np.sin(2 * np.pi * 4 * at))).astype(np.float32)


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears(Random(CPU, FLOAT), CONFIG, CPU, FLOAT)


def test_the_mel_spectrum_is_whispers(ears: Ears) -> None:
    from transformers import WhisperFeatureExtractor

    theirs = WhisperFeatureExtractor()(voice(1.3), sampling_rate=16000, return_tensors="np").input_features
    assert np.abs(ears.mel(voice(1.3)).numpy() - theirs).max() < 1e-3


def test_the_states_are_those_of_transformers_with_the_last_one_normed() -> None:
    from transformers import WhisperConfig as Theirs
    from transformers import WhisperModel

    torch.manual_seed(1)
    model = WhisperModel(
        Theirs(d_model=24, encoder_layers=4, encoder_attention_heads=2, encoder_ffn_dim=96, decoder_layers=1,
               decoder_attention_heads=2, decoder_ffn_dim=8, vocab_size=60, pad_token_id=0, bos_token_id=1,
               eos_token_id=2, decoder_start_token_id=3)
    ).eval()  # fmt: skip
    source = Checkpoint({k: v.clone() for k, v in model.encoder.state_dict().items()}, CPU, FLOAT)
    ears = Ears(source, CONFIG, CPU, FLOAT)
    assert source.finish() == []
    with torch.inference_mode():
        theirs = model.encoder(ears.mel(voice(2.0)), output_hidden_states=True).hidden_states
    ours = ears.states(voice(2.0))
    assert ours.shape == (100, 5, 24)
    assert float((ours - torch.stack([each[0, :100] for each in theirs], 1)).abs().max()) < 1e-4


def test_a_frame_hears_four_steps_before_it_and_six_from_it_on_and_nothing_outside_of_the_sound(ears: Ears) -> None:
    states = torch.randn(40, 5, 24)
    ours = ears.tokens(states, np.arange(20))
    theirs = torch.from_numpy(sound_windows(states.numpy(), 20)) + positions(50, 24)
    assert float((ours - theirs).abs().max()) < 1e-5
    before = ears.tokens(states, np.array([-3]))[0] - positions(50, 24)
    assert float(before.abs().max()) < 1e-5
