from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.lipsync import wav2vec2
from animator.lipsync.phone_files import PhoneSourceError, load_model
from animator.lipsync.sources import ear_of, phones_of
from animator.lipsync.text_phones import TextPhones
from animator.lipsync.wav2vec2 import Wav2Vec2Error, describe, load

RATE = 16_000
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
PHONES = tuple(
    """
    n s t ə l a i k d m ɛ ɾ e ɪ p o ɐ z ð f j v b ɹ ʁ ʊ iː r w ʌ u ɡ æ aɪ ʃ h ɔ ɑː ŋ ɚ eɪ β uː y ɑ̃ oʊ ᵻ eː θ aʊ ts
    oː ɔ̃ ɣ ɜ ɑ dʒ əl x ɜː ç ʒ tʃ ɔː ɑːɹ ɛ̃ ʎ ɔːɹ ʋ aː ɕ œ ø oːɹ ɲ yː ʔ iə i5 tɕ ?? nʲ ɛː œ̃ ɭ ts. rʲ ɪɹ i.5 ɔɪ aɪɚ
    th [ʊ
    """.split()  # noqa: SIM905
)
"""Entries of the published vocabulary, as they look: diphthongs, tones, r-coloured and broken ones."""
SOUND = (0.1 * np.random.default_rng(0).standard_normal(24_000)).astype(np.float32)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` and the published models lay it out, with a tiny network of random weights."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    folder = tmp_path_factory.mktemp("wav2vec2")
    vocabulary = {token: i for i, token in enumerate((*SPECIAL, *PHONES))}
    torch.manual_seed(3)
    network = Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            conv_dim=(16,) * 7,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            conv_bias=True,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
            pad_token_id=0,
        )
    )
    network.save_pretrained(folder)
    write(folder, "vocab.json", vocabulary)
    write(
        folder,
        "preprocessor_config.json",
        {
            "do_normalize": True,
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "feature_size": 1,
            "padding_side": "right",
            "padding_value": 0,
            "return_attention_mask": True,
            "sampling_rate": 16_000,
        },
    )
    write(
        folder,
        "special_tokens_map.json",
        dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), SPECIAL, strict=True)),
    )
    write(
        folder, "tokenizer_config.json", {"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer", "phonemizer_lang": "en-us"}
    )
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(published, tmp_path / "model"))


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def changed(folder: Path, name: str, **values: Any) -> None:
    write(folder, name, {**json.loads((folder / name).read_text("utf-8")), **values})


def test_a_published_folder_loads_and_hears(published: Path) -> None:
    model = load(published, "cpu")
    scores = model.log_probs(SOUND)

    assert (75, len(SPECIAL) + len(PHONES)) == scores.shape
    assert np.exp(scores).sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert ("", "", "", "", "n", "s") == model.symbols[:6]
    assert scores[:, 1:4].max() <= -30.0


def test_it_gives_what_the_librarys_own_model_and_feature_extractor_give(published: Path) -> None:
    import torch
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    extractor = Wav2Vec2FeatureExtractor.from_pretrained(published)
    with torch.inference_mode():
        network = Wav2Vec2ForCTC.from_pretrained(published).eval()
        inputs = extractor(SOUND, sampling_rate=RATE, return_tensors="pt")
        expected = torch.log_softmax(network(inputs.input_values).logits[0], -1).numpy()

    # The library gives no frame whose 400 samples would reach past the end.
    found = load(published, "cpu").log_probs(SOUND)
    assert 74 == len(expected)
    assert np.abs(found[:74, 4:] - expected[:, 4:]).max() < 1e-4


@pytest.mark.parametrize("length", [0, 1, 100, 800, 15_999, 16_000])
def test_there_is_a_frame_for_every_20_ms_however_short_the_sound(published: Path, length: int) -> None:
    assert -(-length // 320) == len(load(published, "cpu").log_probs(SOUND[:length]))


def test_the_older_files_weights_are_read_without_running_their_code(folder: Path) -> None:
    """The published models are pytorch_model.bin, with the older names of weight norm and a mask for training."""
    import torch
    from safetensors.torch import load_file

    def older(name: str) -> str:
        name = name.replace("parametrizations.weight.original0", "weight_g")
        return name.replace("parametrizations.weight.original1", "weight_v")

    expected = load(folder, "cpu").log_probs(SOUND)
    weights = {older(name): tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    weights.setdefault("wav2vec2.masked_spec_embed", torch.zeros(32))
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()

    assert np.array_equal(expected, load(folder, "cpu").log_probs(SOUND))


def test_a_pickle_that_holds_code_is_refused(folder: Path, tmp_path: Path) -> None:
    import torch

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    (folder / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Evil()}, folder / "pytorch_model.bin")

    with pytest.raises(Wav2Vec2Error, match="more than tensors"):
        load(folder, "cpu")
    assert not (tmp_path / "ran").exists()


def _cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _without(tensor: str) -> Callable[[Path], None]:
    def take(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        del weights[tensor]
        save_file(weights, folder / "model.safetensors")

    return take


def _not_finite(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["lm_head.bias"][3] = float("nan")
    save_file(weights, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), r"config\.json is missing"),
        (lambda f: (f / "vocab.json").unlink(), r"vocab\.json is missing"),
        (lambda f: (f / "preprocessor_config.json").unlink(), r"preprocessor_config\.json is missing"),
        (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors \(or pytorch_model\.bin\) is missing"),
        (lambda f: (f / "config.json").write_text("{"), r"config\.json cannot be read as JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "holds no JSON object"),
        (lambda f: (f / "vocab.json").write_bytes(b"\xff\xfe"), r"vocab\.json cannot be read"),
        (lambda f: (f / "vocab.json").write_text("[" * 100_000), r"vocab\.json cannot be read"),
        (lambda f: changed(f, "config.json", model_type="bert"), "expected a wav2vec2 model"),
        (lambda f: changed(f, "config.json", architectures=["Wav2Vec2ForPreTraining"]), "Wav2Vec2ForCTC"),
        (lambda f: changed(f, "config.json", architectures=None), "Wav2Vec2ForCTC"),
        (lambda f: changed(f, "config.json", vocab_size=392), "392 classes, vocab.json holds 97"),
        (lambda f: changed(f, "config.json", pad_token_id=5), "has its blank at 5"),
        (lambda f: changed(f, "config.json", conv_stride=[5, 2, 2, 2, 2, 2, 1]), "every 320"),
        (lambda f: changed(f, "config.json", conv_kernel="ten"), "every 320"),
        (lambda f: changed(f, "config.json", hidden_size=33), "no network that can be built"),
        (lambda f: changed(f, "config.json", hidden_size=64), "has the shape"),
        (lambda f: changed(f, "config.json", num_hidden_layers=3), "is missing"),
        (lambda f: changed(f, "config.json", num_hidden_layers=1), "is not known"),
        (lambda f: changed(f, "vocab.json", extra=7), "without gaps"),
        (lambda f: changed(f, "vocab.json", **{"<pad>": 1, "<s>": 0}), "<pad>, <s> elsewhere"),
        (lambda f: changed(f, "preprocessor_config.json", sampling_rate=8000), "8000 Hz"),
        (lambda f: write(f, "kuchipaku.json", {"bias_s": 3}), "bias_s of 3"),
        (lambda f: write(f, "kuchipaku.json", {"bias_s": 0, "biases_s": {"p": [1]}}), "biases_s that do not fit"),
        (_cut, "is damaged"),
        (_without("lm_head.weight"), "lm_head.weight is missing"),
        (_not_finite, "lm_head.bias has values that are no numbers"),
    ],
)
def test_what_is_missing_or_not_what_it_claims_is_said(
    folder: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(folder)

    with pytest.raises(Wav2Vec2Error, match=message) as caught:
        load(folder, "cpu")

    assert str(folder) in str(caught.value)
    assert any(word in str(caught.value) for word in ("Fetch the model's files again", "Measure it again"))


def test_no_code_that_a_folder_names_runs(folder: Path) -> None:
    changed(folder, "config.json", auto_map={"AutoModelForCTC": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit('ran')")

    assert len(load(folder, "cpu").log_probs(SOUND))


def test_a_measured_bias_stands_in_the_folder(folder: Path) -> None:
    write(folder, "kuchipaku.json", {"bias_s": 0.031})

    assert 0.031 == describe(folder).bias_s


def test_so_does_what_single_sounds_add(folder: Path) -> None:
    write(folder, "kuchipaku.json", {"bias_s": 0.031, "biases_s": {"p": [0.01, 0.02, 0.03]}})

    assert {"p": (0.01, 0.02, 0.03)} == describe(folder).biases_s == load(folder, "cpu").biases_s


def test_as_onnx_it_hears_the_same(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "small.onnx"
    assert 0 == wav2vec2.main(["export", str(published), str(out)])

    torch_model, onnx_model = load(published, "cpu"), load(out)

    assert "small.onnx" in capsys.readouterr().out
    assert wav2vec2.is_export(out)
    assert torch_model.symbols == onnx_model.symbols
    for length in (100, 8000, 24_000):
        found, expected = onnx_model.log_probs(SOUND[:length]), torch_model.log_probs(SOUND[:length])
        assert np.abs(found - expected).max() < 1e-3
    assert "wav2vec2 (ONNX)" == load_model(str(out)).name


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x08\x01"])
def test_an_onnx_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)

    assert not wav2vec2.is_export(path)
    with pytest.raises(Wav2Vec2Error, match=r"other\.onnx"):
        load(path)


def test_a_folder_that_cannot_be_exported_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == wav2vec2.main(["export", str(tmp_path), str(tmp_path / "out.onnx")])

    assert "config.json is missing" in capsys.readouterr().err


def test_espeak_segments_are_found_in_its_vocabulary_by_the_longest_match(published: Path) -> None:
    ear = ear_of(load(published, "cpu"))
    script = ear.script(TextPhones((("f", "ˈaɪɚ"), ("k", "ˈɑːɹ"), ("t", "ʊ"))))

    assert script is not None
    assert ("f", "ˈaɪɚ", "k", "ˈɑːɹ", "t", "ʊ") == script.ipa
    symbols = ear.model.symbols
    assert ["aɪɚ"] == [symbols[c] for c in script.target.classes[1]]
    assert "ɑːɹ" == symbols[script.target.classes[3][0]]


def test_a_network_that_knows_nothing_leaves_the_loudness(published: Path) -> None:
    model = load_model(str(published))

    heard = phones_of(SOUND, RATE, "Please bring my umbrella.", "en", model=model)

    assert heard.method in ("loudness", "decoded")
    assert heard.reason


def test_pieces_give_as_many_frames_as_the_whole(published: Path) -> None:
    model = load(published, "cpu")
    stream = model.stream()

    frames = sum(len(stream.push(SOUND[at : at + 1777])) for at in range(0, len(SOUND), 1777)) + len(stream.finish())

    assert 75 == frames


def test_a_damaged_folder_is_refused_with_its_sentence_by_name(folder: Path) -> None:
    (folder / "vocab.json").unlink()

    with pytest.raises(PhoneSourceError, match=r"vocab\.json is missing"):
        load_model(str(folder))
