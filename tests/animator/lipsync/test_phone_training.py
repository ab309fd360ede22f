"""Rules of training: labels and batches keep the sounds' times, the loss falls, the model's file agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from animator.lipsync.inventory import PHONES, token_of
from animator.lipsync.phone_model import PhoneModel
from animator.lipsync.training.augment import Augment
from animator.lipsync.training.export import export
from animator.lipsync.training.network import Shape
from animator.lipsync.training.reel import IGNORE, Reel, Utterance, label_cells, with_closures
from animator.lipsync.training.train import Settings, Trainer, save

CPU = torch.device("cpu")
SOUNDS = {"a": (700.0, 1200.0), "i": (300.0, 2300.0), "u": (320.0, 800.0), "s": None, "": ()}


def speak(text: str, seed: int, voice: str = "one", split: str = "train") -> Utterance:
    """Vowels of two formants, noise for s, silence for a space: a language of four sounds with exact times."""
    random = np.random.default_rng(seed)
    pieces: list[npt.NDArray[np.float64]] = []
    phones: list[tuple[str, float, float]] = []
    at = 0
    for letter in text.replace(" ", "_"):
        ipa = "" if letter == "_" else letter
        length = int(random.integers(1600, 3200))
        t = np.arange(length) / 16_000
        formants = SOUNDS[ipa]
        sound = random.standard_normal(length) * 1e-4
        if formants is None:
            sound = np.diff(random.standard_normal(length + 1)) * 0.1
        elif formants:
            pitch_hz = random.uniform(100, 200)
            for k in range(1, 20):
                gain = sum(1 / (1 + ((k * pitch_hz - f) / 120) ** 2) for f in formants)
                sound += 0.1 * gain * np.sin(2 * np.pi * k * pitch_hz * t)
        pieces.append(sound)
        phones.append((ipa, at / 16_000, (at + length) / 16_000))
        at += length
    samples = (np.clip(np.concatenate(pieces), -1, 1) * 32767).astype(np.int16)
    return Utterance(samples, phones, voice, "made", "en", split, {})


@pytest.fixture(scope="module")
def talk() -> list[Utterance]:
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("aius "), 12)).strip() or "a" for _ in range(12)]
    return [speak(text, k, split="test" if k % 4 == 3 else "train") for k, text in enumerate(texts)]


def test_a_cell_has_the_class_that_sounds_in_it():
    labels, starts = label_cells([("", 0.0, 0.01), ("p", 0.01, 0.02), ("aː", 0.02, 0.03)], 12)

    assert [0] * 4 + [token_of("p")] * 4 + [token_of("a")] * 4 == labels.tolist()
    assert [0] * 4 + [1] * 4 + [2] * 4 == starts.tolist()


def test_the_middle_of_a_segment_of_two_sounds_teaches_nothing():
    labels, starts = label_cells([("ɔːɹ", 0.0, 0.1)], 40)

    assert (token_of("ɔ"), IGNORE, token_of("ɹ")) == (labels[0], labels[20], labels[39])
    assert [1] * 40 == starts.tolist()


def test_a_short_pause_between_sounds_teaches_nothing_and_a_long_one_is_silence():
    short, _ = label_cells([("a", 0.0, 0.05), ("", 0.05, 0.08), ("a", 0.08, 0.1)], 40)
    long, _ = label_cells([("a", 0.0, 0.02), ("", 0.02, 0.09), ("a", 0.09, 0.1)], 40)

    assert ({IGNORE}, {0}) == (set(short[20:32].tolist()), set(long[8:36].tolist()))


def test_a_late_plosive_is_moved_to_its_closure_and_the_sound_before_gives_way():
    phones = [("a", 0.0, 0.2), ("pʰ", 0.2, 0.3), ("b", 0.3, 0.4), ("tʃ", 0.4, 0.5)]

    moved = with_closures(phones, {"p": 0.036, "t": 0.04})

    assert [("a", 0.0, 0.164), ("pʰ", 0.164, 0.3), ("b", 0.3, 0.36), ("tʃ", 0.36, 0.5)] == [
        (ipa, round(start_s, 6), round(end_s, 6)) for ipa, start_s, end_s in moved
    ]


def test_a_closure_takes_at_most_half_of_the_sound_before_it():
    moved = with_closures([("a", 0.0, 0.04), ("p", 0.04, 0.1)], {"p": 0.036})

    assert [0.02, 0.02] == [round(moved[0][2], 6), round(moved[1][1], 6)]


def test_labels_follow_the_sound_at_any_speed(talk: list[Utterance]):
    """Where the sound is loud there is a label, where it is not there is silence, however fast it was read."""
    reel = Reel(talk, CPU, seed=1)
    shape = Shape(width=8)

    batch = reel.batch(6, 200, shape)

    first = (shape.left * 160) + 120
    sound = batch.sound[:, first : first + 200 * 160].reshape(6, 200 * 4, 40)
    loud = sound.square().mean(2) > 1e-5
    speech = (batch.labels.view(6, -1) != 0) & (batch.labels.view(6, -1) != IGNORE)
    assert float((loud == speech).float().mean()) > 0.97


def test_sound_far_along_the_tape_is_read_sample_by_sample(monkeypatch: pytest.MonkeyPatch):
    """35 minutes of silence come first: single precision would no longer tell neighbouring samples apart there."""
    monkeypatch.setattr("animator.lipsync.training.reel.SPEED_SHARE", 0.0)
    silence = Utterance(np.zeros(1 << 25, np.int16), [], "nobody", "made", "en", "train", {})
    ramp = Utterance((np.arange(320_000) % 20_000).astype(np.int16), [], "one", "made", "en", "train", {})
    reel = Reel([silence, ramp], CPU, seed=1)
    reel.weights[0] = 0  # it only takes up room

    sound = reel.batch(4, 50, Shape(width=8)).sound * 32768

    rises = sound[:, 1:] - sound[:, :-1]
    read = (sound[:, 1:] > 0) & (sound[:, :-1] > 0)
    assert int(read.sum()) > 50_000
    assert float(((rises[read] - 1).abs() < 0.1).float().mean()) > 0.99


def test_a_phone_starts_where_its_label_does(talk: list[Utterance]):
    reel = Reel(talk, CPU, seed=2)

    batch = reel.batch(4, 200, Shape(width=8))

    centre = batch.labels[:, :, 2]
    changed = (centre[:, 1:] != centre[:, :-1]) & (centre[:, 1:] != 0) & (centre[:, 1:] != IGNORE)
    near = torch.nn.functional.max_pool1d(batch.onsets.float(), 3, 1, 1)[:, 1:] > 0
    assert float(near[changed].float().mean()) > 0.9
    assert 0.02 < float(batch.onsets.float().mean()) < 0.2


def test_the_same_seed_cuts_and_damages_the_same_batch(talk: list[Utterance]):
    shape = Shape(width=8)
    once, twice = (Reel(talk, CPU, seed=4).batch(3, 50, shape) for _ in range(2))
    damaged = [Augment(CPU, 7)(batch.sound, batch.is_speech)[0] for batch in (once, twice)]

    assert torch.equal(once.sound, twice.sound)
    assert torch.equal(damaged[0], damaged[1])


def test_damage_stays_within_full_scale_and_keeps_the_time(talk: list[Utterance]):
    """The loudest moments of clean and damaged sound coincide: labels would be wrong otherwise."""
    batch = Reel(talk, CPU, seed=5).batch(24, 100, Shape(width=8))

    sound, spoken = Augment(CPU, 8)(batch.sound, batch.is_speech)

    assert torch.isfinite(sound).all()
    assert float(sound.abs().max()) <= 1.0
    shifts = []
    for clean, hurt in zip(batch.sound[spoken], sound[spoken], strict=True):
        envelopes = [x.abs().unfold(0, 160, 80).mean(1) for x in (clean, hurt)]
        a, b = (e - e.mean() for e in envelopes)
        correlation = torch.fft.irfft(torch.fft.rfft(b, 4096) * torch.fft.rfft(a, 4096).conj())
        shift = int(correlation.argmax())
        shifts.append(shift - 4096 if shift > 2048 else shift)
    assert abs(float(np.median(shifts))) <= 1


def test_some_items_lose_their_speech_and_are_silence(talk: list[Utterance]):
    batch = Reel(talk, CPU, seed=6).batch(4, 20, Shape(width=8))
    augment = Augment(CPU, 9)

    kept = torch.cat([augment(batch.sound, batch.is_speech)[1] for _ in range(60)])

    assert 0 < int((~kept).sum()) < 0.1 * len(kept)


def test_the_loss_falls_and_the_file_agrees_with_the_network(talk: list[Utterance], tmp_path: Path):
    settings = Settings(steps=20, items=8, frames=100, width=24, expansion=2, warmup_steps=5, learning_rate=5e-3)
    trainer = Trainer(talk, settings, CPU)
    trainer.network.train()

    losses = []
    for step in range(20):
        trainer.take_step(step / 20)
        losses.append(trainer.loss())
    save(trainer, tmp_path / "w.onnx", {})
    export(tmp_path / "w.npz", tmp_path / "w.onnx", half=False)

    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    test = next(u for u in talk if u.split == "test")
    model = PhoneModel.load(tmp_path / "w.onnx")
    np.testing.assert_allclose(
        trainer.log_probs(test.samples), model.log_probs(test.samples / np.float32(32768)), atol=1e-4
    )
    assert PHONES == model.symbols


def test_half_size_weights_change_little(talk: list[Utterance], tmp_path: Path):
    trainer = Trainer(talk, Settings(steps=3, items=2, frames=50, width=64), CPU)
    save(trainer, tmp_path / "w.onnx", {})
    answers, sizes = [], []
    for half in (False, True):
        export(tmp_path / "w.npz", tmp_path / "w.onnx", half=half)
        sizes.append((tmp_path / "w.onnx").stat().st_size)
        answers.append(PhoneModel.load(tmp_path / "w.onnx").log_probs(talk[0].samples / np.float32(32768)))

    assert sizes[1] < 0.65 * sizes[0]
    np.testing.assert_allclose(answers[0], answers[1], atol=0.02)


def test_figures_come_by_engine_and_language(talk: list[Utterance]):
    trainer = Trainer(talk, Settings(steps=1, items=2, frames=50, width=8), CPU)

    groups = trainer.evaluate()

    assert ["made en", "all"] == list(groups)
    assert 3 == groups["all"].utterances


def test_training_without_utterances_says_so():
    with pytest.raises(ValueError, match="expected packs with the split 'train'"):
        Reel([], CPU, seed=0)
