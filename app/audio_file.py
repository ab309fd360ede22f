"""Sound files: read in pieces as 16 kHz mono, whatever they are; written as WAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from animator.messages import Samples
from app.errors import AppError
from app.media_file import MediaError, MediaFile
from app.messages import HEARING_RATE

MAX_MINUTES = 10.0
"""Longer recordings are refused: a question is never that long, and reading one would only look like a hang."""


class AudioFile:
    """An open sound file (whatever libsndfile or FFmpeg reads), converted as it is read.

    Memory stays at one piece, however long the file is.

    Raises:
        AppError: If there is no such file, if it is empty or not sound, or longer than `max_minutes`.
    """

    def __init__(self, path: Path, max_minutes: float = MAX_MINUTES) -> None:
        self._file = _open(path)
        self.sample_rate: int = self._file.samplerate
        self.duration_s: float = self._file.frames / self.sample_rate
        if self._file.frames <= 0:
            self.close()
            raise AppError(f"{path.name} holds no sound.", "Choose a recording that is not empty.")
        if self.duration_s > max_minutes * 60:
            self.close()
            raise AppError(
                f"{path.name} is {self.duration_s / 60:.0f} minutes long; at most {max_minutes:g} are taken.",
                "Cut the recording down to the question.",
            )
        self._name = path.name
        self._max_minutes = max_minutes

    def pieces(self, samples: int = 512) -> Iterator[Samples]:
        """The sound as mono float32 in [-1, 1] at HEARING_RATE, in pieces of exactly `samples` (the last is shorter).

        Raises AppError where the file turns out to be damaged.
        """
        resample = soxr.ResampleStream(self.sample_rate, HEARING_RATE, 1, dtype="float32", quality="HQ")
        waiting = np.zeros(0, np.float32)
        is_last = False
        total = 0
        while not is_last:
            try:
                read = self._file.read(self.sample_rate // 5, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, MediaError, RuntimeError) as error:
                raise AppError(f"{self._name} is damaged and cannot be read to its end.", "Export it again.") from error
            is_last = len(read) == 0
            total += len(read)
            if total > (self._max_minutes * 60 + 1) * self.sample_rate:  # a file that does not say how long it is
                raise AppError(f"{self._name} is longer than {self._max_minutes:g} minutes.", "Cut the recording down.")
            # Broken float files hold NaN or huge values; neither may reach a model.
            mono = np.nan_to_num(read.mean(axis=1, dtype=np.float32), posinf=0.0, neginf=0.0).clip(-1.0, 1.0)
            waiting = np.concatenate([waiting, resample.resample_chunk(mono, last=is_last)])
            whole = len(waiting) // samples * samples
            for start in range(0, whole, samples):
                yield waiting[start : start + samples]
            waiting = waiting[whole:]
        if len(waiting):
            yield waiting

    def close(self) -> None:
        """Release the file; safe to call twice."""
        self._file.close()


def read_speech(path: Path, max_minutes: float = MAX_MINUTES) -> Samples:
    """The whole file as mono float32 at HEARING_RATE. Raises AppError as AudioFile does."""
    file = AudioFile(path, max_minutes)
    try:
        return np.concatenate([*file.pieces(HEARING_RATE), np.zeros(0, np.float32)])
    finally:
        file.close()


def write_wav(path: Path, samples: Samples, sample_rate: int) -> None:
    """Write mono 16-bit WAV, whole or not at all. Raises AppError where the place cannot be written."""
    partial = path.with_name(path.name + ".part")
    try:
        soundfile.write(partial, np.clip(samples, -1.0, 1.0), sample_rate, subtype="PCM_16", format="WAV")
        os.replace(partial, path)
    except (OSError, soundfile.SoundFileError) as error:
        partial.unlink(missing_ok=True)
        raise AppError(f"{path} cannot be written.", "Choose a folder that exists and is yours to write.") from error


def _open(path: Path) -> Any:
    if not path.exists():
        raise AppError(f"There is no file {path}.", "Check the name and the folder.")
    if path.is_dir():
        raise AppError(f"{path} is a folder.", "Name a sound file, such as question.wav.")
    try:
        if path.stat().st_size == 0:
            raise AppError(f"{path.name} is empty.", "Choose a recording that is not empty.")
        return soundfile.SoundFile(path)
    except soundfile.SoundFileError as not_by_libsndfile:
        try:
            return MediaFile(path)
        except MediaError:
            raise _no_sound(path) from not_by_libsndfile
    except OSError as error:
        raise _no_sound(path) from error


def _no_sound(path: Path) -> AppError:
    return AppError(
        f"{path.name} is not a sound file that can be read.", "Use WAV, FLAC, OGG, MP3 or M4A; convert others first."
    )
