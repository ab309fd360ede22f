"""The shapes of MuseTalk's networks. Versions 1.0 and 1.5 are the same; only their weights differ."""

from __future__ import annotations

from dataclasses import dataclass

AUDIO_WIDTH = 384
"""Channels of a sound token: whisper-tiny's."""
STATES = 5
"""Hidden states of the Whisper encoder that go into a token window: its input and four layers' outputs."""
WINDOW_STEPS = 10
"""Encoder steps (20 ms each) around a frame."""
TOKENS = STATES * WINDOW_STEPS
LATENT_SCALE = 0.18215
"""By which Stable Diffusion 1's latents are multiplied (diffusers `AutoencoderKL`, default)."""


@dataclass(frozen=True, slots=True)
class UNetConfig:
    """`UNet2DConditionModel` of Stable Diffusion 1 with 8 channels in and sound in place of words (musetalk.json)."""

    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    layers: int = 2
    heads: int = 8
    groups: int = 32
    in_channels: int = 8
    out_channels: int = 4
    context: int = AUDIO_WIDTH


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """`AutoencoderKL` (stabilityai/sd-vae-ft-mse)."""

    channels: tuple[int, ...] = (128, 256, 512, 512)
    layers: int = 2
    groups: int = 32
    latent: int = 4


@dataclass(frozen=True, slots=True)
class TinyConfig:
    """`AutoencoderTiny` (madebyollin/taesd); blocks per size, smallest first."""

    channels: int = 64
    blocks: tuple[int, ...] = (3, 3, 3, 1)
    latent: int = 4


@dataclass(frozen=True, slots=True)
class WhisperConfig:
    """The encoder of openai/whisper-tiny."""

    width: int = AUDIO_WIDTH
    layers: int = 4
    heads: int = 6
    mels: int = 80
    steps: int = 1500


@dataclass(frozen=True, slots=True)
class Configs:
    """All networks of one engine. `face_px`: side of the crop."""

    unet: UNetConfig = UNetConfig()
    vae: VaeConfig = VaeConfig()
    tiny: TinyConfig = TinyConfig()
    whisper: WhisperConfig = WhisperConfig()
    face_px: int = 256


TRUE = Configs()
SMALL = Configs(
    UNetConfig(channels=(32, 64, 64, 64), heads=4, groups=8),
    VaeConfig(channels=(16, 32, 32, 32), groups=8),
    TinyConfig(channels=16),
    face_px=64,
)
"""The same key layout on a CPU in a second, for tests. The sound's width stays."""
