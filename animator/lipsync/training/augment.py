"""What happens to clean speech on its way: rooms, noise, other voices, music, filters, levels, damage. On the GPU.

All functions take and give sound (batch, n) at 16 kHz; each item draws its own fate. Labels never move here (speed is
changed where the sound is fetched, `training.reel`): a room's echo comes after its direct sound, filters have no delay.
"""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor

RATE_HZ = 16_000
SPEECH_DBFS = (-40.0, -12.0)
"""RMS of speech as it reaches the model, from a whisper far away to a voice at full scale."""
ROOM_SHARE = 0.4
ROOM_DECAY_S = (0.08, 0.7)
"""Time to -60 dB: from a padded booth to a hall."""
ROOM_DIRECT_DB = (0.0, 20.0)
"""Direct sound over all reflections."""
CLEAN_SHARE = 0.25
"""Items that nothing happens to but a level: what a voice of our own sounds like."""
NOISE_SHARE = 0.6
NOISE_SNR_DB = (5.0, 45.0)
BABBLE_SHARE = 0.12
BABBLE_SNR_DB = (8.0, 30.0)
MUSIC_SHARE = 0.15
MUSIC_SNR_DB = (5.0, 30.0)
FILTER_SHARE = 0.5
BAND_LIMIT_SHARE = 0.3
BAND_LIMIT_HZ = (3400.0, 7800.0)
CLIP_SHARE = 0.05
QUANTISE_SHARE = 0.1
SILENT_SHARE = 0.03
"""Items whose speech is taken away: noise and music alone are silence to the model."""


class Augment:
    """Draws from one seeded generator on `device`: the same seed gives the same damage."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(seed)
        self._order = random.Random(seed)  # for what must not wait for the device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Evenly between the bounds."""
        return low + (high - low) * torch.rand(shape, device=self.device, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """White noise."""
        return torch.randn(shape, device=self.device, generator=self.generator)

    def chance(self, share: float, count: int) -> Tensor:
        """Which of `count` items, bool (count, 1)."""
        return self.uniform(0, 1, count, 1) < share

    def __call__(self, speech: Tensor, is_speech: Tensor) -> tuple[Tensor, Tensor]:
        """Damage a batch.

        Args:
            speech: (batch, n), any level.
            is_speech: bool (batch, n), False in pauses: levels are measured where there is speech.

        Returns:
            The sound, and which items still hold speech, bool (batch,).
        """
        count, length = speech.shape
        mask = is_speech.float()
        power = (speech.square() * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1)
        sound = speech / power.sqrt().clamp(min=1e-5)
        clean, is_clean = sound, self.chance(CLEAN_SHARE, count)
        sound = self._filtered(sound)
        babble = self._babble(sound)
        sound = sound * (~self.chance(SILENT_SHARE, count)).float()
        holds_speech = (sound.abs().amax(1) > 0) | is_clean.squeeze(1)
        sound = sound + babble
        sound = sound + self._at(self._noise(count, length), NOISE_SHARE, NOISE_SNR_DB)
        sound = sound + self._at(self._music(count, length), MUSIC_SHARE, MUSIC_SNR_DB)
        gain = _gain(self.uniform(*SPEECH_DBFS, count, 1))
        sound = sound * gain
        ceiling = torch.where(self.chance(CLIP_SHARE, count), _gain(self.uniform(-18, 0, count, 1)), 1.0)
        # A clipped voice is a loud one: the ceiling comes down onto it and the rest is scaled with it.
        sound = torch.maximum(torch.minimum(sound, ceiling * sound.abs().amax(1, keepdim=True).clamp(max=1)), -ceiling)
        return torch.where(is_clean, clean * gain, self._quantised(sound)).clamp(-1, 1), holds_speech

    def _at(self, noise: Tensor, share: float, snr_db: tuple[float, float]) -> Tensor:
        count = len(noise)
        level = _gain(-self.uniform(*snr_db, count, 1)) * self.chance(share, count)
        return torch.mul(noise / noise.square().mean(1, keepdim=True).sqrt().clamp(min=1e-5), level)

    def _babble(self, sound: Tensor) -> Tensor:
        """Two to four other items of the batch, mixed."""
        count = len(sound)
        shifts = [self._order.randrange(1, max(2, count)) for _ in range(4)]
        others = sum(torch.roll(sound, shift, 0) * self.chance(0.6, count) for shift in shifts)
        return self._at(torch.as_tensor(others), BABBLE_SHARE, BABBLE_SNR_DB)

    def _noise(self, count: int, length: int) -> Tensor:
        """Noise whose power falls by 0 to 9 dB an octave (white, pink, brown), slowly swelling, with clicks in some."""
        spectrum = torch.fft.rfft(self.normal(count, length))
        hz = torch.linspace(0, RATE_HZ / 2, spectrum.shape[1], device=self.device).clamp(min=40)
        noise = torch.fft.irfft(spectrum * torch.pow(hz, -self.uniform(0, 1.5, count, 1)), length)
        swell = torch.sin(
            torch.arange(length, device=self.device) * (math.tau / RATE_HZ) * self.uniform(0.1, 4, count, 1)
            + self.uniform(0, math.tau, count, 1)
        )
        noise = noise / noise.square().mean(1, keepdim=True).sqrt() * (1 + 0.8 * swell * self.chance(0.4, count))
        clicks = (self.uniform(0, 1, count, length) < 2e-4) * self.normal(count, length) * 30
        return torch.add(noise, clicks * self.chance(0.1, count))

    def _music(self, count: int, length: int, notes: int = 4, partials: int = 6) -> Tensor:
        """Chords of harmonic tones that change every 0.2 to 1 s, with a beat."""
        t = torch.arange(length, device=self.device) / RATE_HZ
        beat_s = self.uniform(0.2, 1.0, count, 1)
        beat = (t / beat_s).long()
        seeds = self.uniform(0, 1, count, notes, int(length / RATE_HZ / 0.2) + 2)
        envelope = torch.exp(-(t / beat_s - beat) * self.uniform(0, 4, count, 1))
        music = torch.zeros(count, length, device=self.device)
        for note in range(notes):
            semitones = (seeds[:, note].gather(1, beat.clamp(max=seeds.shape[2] - 1)) * 36).floor()
            phase = torch.cumsum(math.tau * 110 / RATE_HZ * torch.pow(2.0, semitones / 12), 1)
            bright = self.uniform(0.3, 2, count, 1)
            for partial in range(1, partials + 1):
                music += torch.sin(phase * partial) * torch.pow(float(partial), -bright)
        return torch.mul(music, envelope)

    def _filtered(self, sound: Tensor) -> Tensor:
        """A room, a microphone's colour and a band limit, in one multiplication of the spectrum."""
        count, length = sound.shape
        n_fft = 1 << (length + RATE_HZ // 2).bit_length()
        spectrum = torch.fft.rfft(sound, n_fft)
        bins = spectrum.shape[1]
        response = self._rooms(count, n_fft)
        # Colour: a sum of slow cosines over log frequency, up to about +-10 dB.
        octave = torch.log2(torch.linspace(0, RATE_HZ / 2, bins, device=self.device).clamp(min=60) / 60) / 7
        colour_db = sum(
            self.uniform(-6, 6, count, 1)
            / k**0.5
            * torch.cos(math.pi * k * octave + self.uniform(0, math.pi, count, 1))
            for k in (1, 2, 3, 5)
        )
        response = response * _gain(torch.as_tensor(colour_db) * self.chance(FILTER_SHARE, count))
        hz = torch.linspace(0, RATE_HZ / 2, bins, device=self.device)
        top_hz = torch.where(self.chance(BAND_LIMIT_SHARE, count), self.uniform(*BAND_LIMIT_HZ, count, 1), 9000.0)
        low_hz = torch.where(self.chance(BAND_LIMIT_SHARE, count), self.uniform(40, 320, count, 1), 10.0)
        limit = torch.sigmoid((top_hz - hz) / 80) * (1 - 1 / (1 + (hz / low_hz) ** 4))
        filtered: Tensor = torch.fft.irfft(spectrum * response * limit, n_fft)[:, :length]
        return filtered

    def _rooms(self, count: int, n_fft: int) -> Tensor:
        """Spectra of impulse responses: the direct sound, a gap of 1 to 20 ms, then decaying noise."""
        length = RATE_HZ // 2
        t = torch.arange(length, device=self.device) / RATE_HZ
        decay_s = self.uniform(*ROOM_DECAY_S, count, 1)
        tail = self.normal(count, length) * torch.exp(-t * (math.log(1000) / decay_s))
        tail = tail * (t > self.uniform(0.001, 0.020, count, 1))
        tail = tail / tail.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
        tail = tail * _gain(-self.uniform(*ROOM_DIRECT_DB, count, 1)) * self.chance(ROOM_SHARE, count)
        tail[:, 0] = 1.0
        spectra: Tensor = torch.fft.rfft(tail, n_fft)
        return spectra

    def _quantised(self, sound: Tensor) -> Tensor:
        """Eight bits by mu-law or a coarse straight line, as old telephones and bad converters do."""
        count = len(sound)
        peak = sound.abs().amax(1, keepdim=True).clamp(min=1e-5)
        scaled = sound / peak
        mu = 255.0
        law = torch.sign(scaled) * torch.log1p(mu * scaled.abs()) / math.log1p(mu)
        law = (law * 127).round() / 127
        law = torch.sign(law) * torch.expm1(law.abs() * math.log1p(mu)) / mu
        steps = torch.pow(2.0, self.uniform(7, 11, count, 1))
        line = (scaled * steps).round() / steps
        coarse = torch.where(self.chance(0.5, count), law, line) * peak
        return torch.where(self.chance(QUANTISE_SHARE, count), coarse, sound)

    def mask_bands(self, mel: Tensor, frames_share: float = 0.05) -> Tensor:
        """SpecAugment: up to two stretches of bands and a few short times lose their detail (batch, frames, bands)."""
        count, frames, bands = mel.shape
        keep = torch.ones_like(mel, dtype=torch.bool)
        band = torch.arange(bands, device=self.device)
        for _ in range(2):
            width = self.uniform(0, 14, count, 1) * self.chance(0.5, count)
            first = self.uniform(0, 1, count, 1) * (bands - width)
            keep &= ~((band >= first) & (band < first + width))[:, None, :]
        frame = torch.arange(frames, device=self.device)
        for _ in range(max(1, int(frames * frames_share / 4))):
            width = self.uniform(0, 8, count, 1) * self.chance(0.5, count)
            first = self.uniform(0, 1, count, 1) * (frames - width)
            keep &= ~((frame >= first) & (frame < first + width))[:, :, None]
        return torch.where(keep, mel, mel.mean((1, 2), keepdim=True))


def _gain(db: Tensor) -> Tensor:
    return torch.pow(10.0, db / 20)
