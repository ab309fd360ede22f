"""From sound to the UNet's tokens: log-mel, Whisper's encoder, a window of its states around each frame.

All by openai/whisper-tiny's recipe; the windows as MuseTalk was trained: at 25 frames a second, frame f hears the
encoder steps [2f - 4, 2f + 6), which is 80 ms before its start to 120 ms after. Outside of the sound steps are zero.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from animator.musetalk.config import STATES, TOKENS, WINDOW_STEPS, WhisperConfig
from animator.musetalk.tensors import Source

RATE_HZ = 16000
FFT = 400
HOP = 160
STEP_SAMPLES = 2 * HOP
"""Samples of one encoder step (20 ms)."""
FRAME_STEPS = 2
STEPS_BEFORE = 4
FPS = RATE_HZ / (STEP_SAMPLES * FRAME_STEPS)
"""The model's own frame rate: 25."""
LOOK_AHEAD_S = (WINDOW_STEPS - STEPS_BEFORE) * STEP_SAMPLES / RATE_HZ
"""Sound that must be known past a frame's start: 0.12 s."""


def mel_filters(mels: int) -> npt.NDArray[np.float32]:
    """Slaney's mel bands over the bins of a 400-point spectrum at 16 kHz, area-normalised: float32 (mels, 201)."""
    knee_hz, knee_mel, log_step = 1000.0, 15.0, math.log(6.4) / 27.0  # linear below 1 kHz, then logarithmic

    def to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.where(mel < knee_mel, mel * knee_hz / knee_mel, knee_hz * np.exp(log_step * (mel - knee_mel)))

    top = knee_mel + math.log(RATE_HZ / 2 / knee_hz) / log_step
    edges = to_hz(np.linspace(0.0, top, mels + 2))
    bins = np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return bands.astype(np.float32)


class Ears:
    """Whisper's encoder with its log-mel front. Any device; one thread at a time.

    Args:
        source: Gives the tensors, keys without the file's `model.encoder.`.
        config: The shapes.
        device: Where it runs.
        dtype: What the encoder computes in; the mel spectrum is always float32.
    """

    def __init__(self, source: Source, config: WhisperConfig, device: torch.device, dtype: torch.dtype) -> None:
        w = config.width
        self._config, self._device, self._dtype = config, device, dtype
        self._filters = torch.from_numpy(mel_filters(config.mels)).to(device)
        self._window = torch.hann_window(FFT, device=device)
        self._conv1 = (source.take("conv1.weight", (w, config.mels, 3)), source.take("conv1.bias", (w,)))
        self._conv2 = (source.take("conv2.weight", (w, w, 3)), source.take("conv2.bias", (w,)))
        self._places = source.take("embed_positions.weight", (config.steps, w))
        self._layers = [_Layer(source, f"layers.{i}", w, config.heads) for i in range(config.layers)]
        self._norm = (source.take("layer_norm.weight", (w,)), source.take("layer_norm.bias", (w,)))
        self.samples = config.steps * STEP_SAMPLES
        """Sound of one call: 480,000 samples, 30 s."""
        self.table = positions(TOKENS, w).to(device, dtype)

    def mel(self, samples: npt.NDArray[np.float32]) -> Tensor:
        """Log-mel of up to 30 s of 16 kHz sound, padded with silence: float32 (1, mels, 2 * steps)."""
        sound = torch.zeros(self.samples)
        sound[: len(samples)] = torch.from_numpy(np.ascontiguousarray(samples[: self.samples], dtype=np.float32))
        spectrum = torch.stft(sound.to(self._device), FFT, HOP, window=self._window, return_complex=True)
        power = spectrum[:, :-1].abs() ** 2
        level = (self._filters @ power).clamp(min=1e-10).log10()
        return ((torch.maximum(level, level.max() - 8.0) + 4.0) / 4.0)[None]

    @torch.inference_mode()
    def states(self, samples: npt.NDArray[np.float32]) -> Tensor:
        """All five hidden states of up to 30 s of 16 kHz sound: (steps that sound, 5, width)."""
        x = self.mel(samples).to(self._dtype)
        x = F.gelu(F.conv1d(x, *self._conv1, padding=1))
        x = F.gelu(F.conv1d(x, *self._conv2, stride=2, padding=1)).transpose(1, 2) + self._places
        states = [x]
        for layer in self._layers:
            x = layer(x)
            states.append(x)
        states[-1] = F.layer_norm(x, (x.shape[-1],), *self._norm)
        heard = min(-(-len(samples) // STEP_SAMPLES), self._config.steps)
        return torch.cat(states).transpose(0, 1)[:heard].contiguous()

    def tokens(self, states: Tensor, frames: npt.NDArray[np.int64]) -> Tensor:
        """The windows of these frames with positions added: (N, 50, width); frames may lie outside of the sound."""
        at = torch.from_numpy(frames[:, None] * FRAME_STEPS - STEPS_BEFORE + np.arange(WINDOW_STEPS)[None])
        known = (at >= 0) & (at < len(states))
        at = torch.where(known, at, torch.zeros_like(at)).to(states.device)
        windows = states[at] * known.to(states.device, states.dtype)[..., None, None]
        return windows.view(len(frames), WINDOW_STEPS * STATES, -1) + self.table


class _Layer:
    def __init__(self, source: Source, key: str, width: int, heads: int) -> None:
        def pair(name: str, out: int, inside: int) -> tuple[Tensor, Tensor]:
            return source.take(f"{key}.{name}.weight", (out, inside)), source.take(f"{key}.{name}.bias", (out,))

        def norm(name: str) -> tuple[Tensor, Tensor]:
            return source.take(f"{key}.{name}.weight", (width,)), source.take(f"{key}.{name}.bias", (width,))

        self.heads = heads
        self.norm1, self.norm2 = norm("self_attn_layer_norm"), norm("final_layer_norm")
        q, v = pair("self_attn.q_proj", width, width), pair("self_attn.v_proj", width, width)
        k = source.take(f"{key}.self_attn.k_proj.weight", (width, width))
        self.qkv = (torch.cat([q[0], k, v[0]]), torch.cat([q[1], torch.zeros_like(q[1]), v[1]]))
        self.out = pair("self_attn.out_proj", width, width)
        self.fc1, self.fc2 = pair("fc1", 4 * width, width), pair("fc2", width, 4 * width)

    def __call__(self, x: Tensor) -> Tensor:
        n, length, c = x.shape
        parts = F.linear(F.layer_norm(x, (c,), *self.norm1), *self.qkv).chunk(3, 2)
        q, k, v = (each.view(n, length, self.heads, c // self.heads).transpose(1, 2) for each in parts)
        x = x + F.linear(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, c), *self.out)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, (c,), *self.norm2), *self.fc1)), *self.fc2)


def positions(length: int, width: int) -> Tensor:
    """Sines and cosines by turns, base 10,000: float32 (length, width)."""
    at = np.arange(length)[:, None] / 10000.0 ** (np.arange(0, width, 2) / width)
    table = np.stack([np.sin(at), np.cos(at)], 2).reshape(length, width)
    return torch.from_numpy(table.astype(np.float32))
