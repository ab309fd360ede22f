import pytest
import torch

pytest.importorskip("diffusers")

from animator.musetalk.config import SMALL, TRUE, WhisperConfig
from animator.musetalk.tensors import Checkpoint, Random
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decoder, Encoder, TinyDecoder
from benchmarks.human_reference import Reference

CPU, FLOAT = torch.device("cpu"), torch.float32


def taken(model: torch.nn.Module, *prefixes: str) -> Checkpoint:
    state = {k: v.clone() for k, v in model.state_dict().items() if not prefixes or k.startswith(prefixes)}
    return Checkpoint(state, CPU, FLOAT)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(SMALL)


def nhwc(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def far(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


def test_the_unet_answers_as_diffusers_does_and_takes_every_tensor(reference: Reference) -> None:
    source = taken(reference.unet)
    ours = UNet(source, SMALL.unet)
    assert source.finish() == []
    latents, tokens = torch.randn(2, 8, 8, 8), torch.randn(2, 50, 384)
    with torch.inference_mode():
        theirs = reference.unet(latents, torch.tensor([0]), encoder_hidden_states=tokens).sample
        assert far(ours(nhwc(latents), tokens), nhwc(theirs)) < 1e-5


def test_the_decoder_answers_as_diffusers_does(reference: Reference) -> None:
    source = taken(reference.vae, "decoder.", "post_quant")
    ours = Decoder(source, SMALL.vae)
    assert source.finish() == []
    latents = torch.randn(2, 4, 8, 8)
    with torch.inference_mode():
        theirs = reference.vae.decode(latents / 0.18215).sample
        assert far((ours(nhwc(latents)) + ours.bias)[..., :3], nhwc(theirs)) < 1e-5


def test_the_encoder_answers_as_diffusers_does(reference: Reference) -> None:
    source = taken(reference.vae, "encoder.", "quant")
    ours = Encoder(source, SMALL.vae)
    assert source.finish() == []
    crops = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        theirs = reference.vae.encode(crops).latent_dist.mode() * 0.18215
        assert far(ours(nhwc(crops)), nhwc(theirs)) < 1e-5


def test_the_tiny_decoder_answers_as_diffusers_does(reference: Reference) -> None:
    source = taken(reference.tiny, "decoder.")
    ours = TinyDecoder(source, SMALL.tiny)
    assert source.finish() == []
    latents = torch.randn(2, 4, 8, 8)
    with torch.inference_mode():
        theirs = reference.tiny.decode(latents).sample
        assert far((ours(nhwc(latents)) + ours.bias)[..., :3], nhwc(theirs)) < 1e-5


def test_the_true_size_asks_for_exactly_the_keys_of_the_published_checkpoints() -> None:
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            in_channels=8, cross_attention_dim=384, block_out_channels=(320, 640, 1280, 1280), attention_head_dim=8
        )
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
        tiny = AutoencoderTiny()

    class Meta(Random):
        def take(self, key: str, shape: tuple[int, ...], *, wide: bool = False) -> torch.Tensor:
            self.taken[key] = shape
            return torch.empty(shape, device="meta")

    for build, model, prefixes, count in (
        (lambda s: UNet(s, TRUE.unet), unet, ("",), 686),
        (lambda s: (Decoder(s, TRUE.vae), Encoder(s, TRUE.vae)), vae, ("",), 248),
        (lambda s: TinyDecoder(s, TRUE.tiny), tiny, ("decoder.",), 0),
    ):
        source = Meta(torch.device("meta"), FLOAT)
        build(source)
        theirs = {k: tuple(v.shape) for k, v in model.state_dict().items() if k.startswith(prefixes)}
        flat = {k: tuple(n for n in shape if n != 1) for k, shape in source.taken.items()}
        assert flat == {k: tuple(n for n in shape if n != 1) for k, shape in theirs.items()}
        assert count in (0, len(flat))
    assert WhisperConfig().width == 384
