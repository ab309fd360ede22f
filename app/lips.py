"""`kuchipaku phonemes` and `kuchipaku mouth`: what is said in a sound file and when, and the mouth that goes with it.

No window, no face and no line: the sound, the phone model and the pure part of the face.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from animator.lipsync import phone_files, phonemes
from animator.lipsync.sources import Heard
from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3.composer import Composer
from animator.tha3.pose import MOUTH, MOUTH_NAMES
from animator.timebase import LEAD_S
from app import compose
from app.audio_file import read_speech
from app.errors import AppError
from app.messages import HEARING_RATE
from app.policy.spoken import espeak_language, spoken
from app.settings import Settings

Say = Callable[[str], None]

LONGEST_MINUTES = 5.0
FPS = (1.0, 240.0)
PIECE_S = 20.0
"""The mouth of a long recording is made in pieces of about this length, cut where nobody speaks."""
PAUSE_S = 0.3
"""In a pause of this length the mouth is at rest, so cutting there changes nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A sound file, what is known of it, and the phone model (as in the settings' [lips] phonemes)."""

    file: Path
    text: str = ""
    language: str = ""
    model: str = ""


def phonemes_of(request: Request, settings: Settings, *, as_json: bool, say: Say, note: Say) -> int:
    """Say which sounds are heard when; `note` gets in a line how they were found.

    Raises AppError for a file that is no sound, and for a model that was asked for and does not run.
    """
    _, heard = _hear(request, settings)
    if as_json:
        rows = [
            {
                "ipa": phone.ipa,
                "start_s": round(phone.start_s, 4),
                "end_s": round(phone.end_s, 4),
                "confidence": round(float(confidence), 3),
            }
            for phone, confidence in zip(heard.phones, heard.confidences, strict=True)
        ]
        say(json.dumps(rows, ensure_ascii=False))
    else:
        say("start s   end s  sure  sound")
        for phone, confidence in zip(heard.phones, heard.confidences, strict=True):
            say(f"{phone.start_s:7.3f} {phone.end_s:7.3f}  {confidence:4.0%}  {phone.ipa}")
    note(_source(heard))
    return 0


def mouth_of(request: Request, settings: Settings, fps: float, *, as_json: bool, say: Say, note: Say) -> int:
    """Say what the face would show at each frame of the sound; `note` gets in a line what the lips are made from.

    Raises AppError as `phonemes_of` does, and for a frame rate that nobody can want.
    """
    if not FPS[0] <= fps <= FPS[1]:
        raise AppError(f"{fps:g} frames a second cannot be drawn.", f"Give --fps from {FPS[0]:g} to {FPS[1]:g}.")
    clip, heard = _hear(request, settings)
    frames = list(mouth_frames(clip, heard.phones, fps))
    if as_json:
        rows: list[dict[str, Any]] = [
            {"t_s": round(time_s, 5)}
            | {name: round(float(value), 4) for name, value in zip(MOUTH_NAMES, values, strict=True)}
            for time_s, values in frames
        ]
        say(json.dumps({"fps": fps, "frames": rows}))
    else:
        say("    t s " + " ".join(f"{name.removeprefix('mouth_'):>5}" for name in MOUTH_NAMES))
        for time_s, values in frames:
            say(f"{time_s:7.3f} " + " ".join(f"{value:5.2f}" if value >= 0.005 else "    ." for value in values))
    note(_source(heard))
    return 0


def mouth_frames(clip: SpeechClip, phones: tuple[Phone, ...], fps: float) -> Iterator[tuple[float, np.ndarray]]:
    """(time in s of the clip, the six mouth parameters in MOUTH_NAMES order) of each frame, as the face would draw it.

    Frames lie at k / fps, from 0 to the sound's end.
    """
    composer = Composer(seed=0)
    pieces = list(_pieces(clip, phones))
    for piece, _ in pieces:
        composer.push(piece)
    for k in range(-int(LEAD_S * fps), 0):  # lips that open before the sound
        composer.pose(SpeechTime(clip.turn, 0, k / fps), k / fps)
    index = 0
    for k in range(int(clip.duration_s * fps) + 1):
        time_s = k / fps
        while index < len(pieces) - 1 and time_s >= pieces[index + 1][1]:
            index += 1
        pose = composer.pose(SpeechTime(clip.turn, index, time_s - pieces[index][1]), time_s)
        yield time_s, pose[MOUTH]


def _pieces(clip: SpeechClip, phones: tuple[Phone, ...]) -> Iterator[tuple[SpeechClip, float]]:
    """The clip with its phones, cut in pauses after about PIECE_S: each with its start in s."""
    cuts_s = [0.0]
    for before, after in pairwise(phones):
        middle_s = (before.end_s + after.start_s) / 2
        if after.start_s - before.end_s >= PAUSE_S and middle_s - cuts_s[-1] >= PIECE_S:
            cuts_s.append(middle_s)
    for index, (start_s, end_s) in enumerate(pairwise([*cuts_s, clip.duration_s])):
        first, last = round(start_s * clip.sample_rate), round(end_s * clip.sample_rate)
        own = tuple(
            Phone(phone.ipa, phone.start_s - start_s, phone.end_s - start_s)
            for phone in phones
            if start_s <= phone.start_s < end_s
        )
        yield replace(clip, index=index, samples=clip.samples[first:last], phones=own), start_s


def _hear(request: Request, settings: Settings) -> tuple[SpeechClip, Heard]:
    samples = read_speech(request.file, LONGEST_MINUTES)
    wanted = compose.phone_model(request.model or settings.lips.phonemes)
    if request.model and wanted:
        try:  # what is asked for by name is not silently replaced
            phone_files.load_model(wanted)
        except phone_files.PhoneSourceError as error:
            raise AppError(str(error), "Leave --model out for the best one that runs here.") from error
    phonemes.choose(wanted)
    words = spoken(request.text, request.language or "auto")
    code = request.language or espeak_language(words)
    clip = SpeechClip(0, 0, samples, HEARING_RATE, "", None, last=True, language=code, spoken=words)
    return clip, phonemes.heard_in(clip)


def _source(heard: Heard) -> str:
    by = f" by {heard.model}" if heard.model else ""
    how = {
        "aligned": f"The text was laid onto the sound{by}",
        "decoded": f"The sounds were heard{by}",
        "loudness": "The loudness alone was followed",
    }.get(heard.method, heard.method)
    return f"{how}: {heard.reason}." if heard.reason else f"{how}."
