"""flite's voices: `flite -psdur` prints each phone and when it ends."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

from animator.lipsync.training.phone_maps import CMU
from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, TimedPhone, Utterance, fill, to_16k

MAX_DRIFT_S = 0.03
"""The last phone's end and the sound's may differ by so much; then the times are not those of the sound."""


def phones_of_listing(listing: str) -> list[TimedPhone]:
    """Phones of flite's listing, `phone:end_s` in a row, one line per sentence; each line's times start at 0.

    Raises:
        ValueError: If a phone is unknown or the listing is not one.
    """
    phones: list[TimedPhone] = []
    offset_s = at = 0.0
    for line in listing.splitlines():
        offset_s = at
        for item in line.split():
            name, _, end = item.partition(":")
            if not end or name not in CMU:
                raise ValueError(f"flite has a phone {name!r} that is not in the table")
            end_s = offset_s + float(end)
            phones.append((CMU[name], at, end_s))
            at = end_s
    return phones


class FliteSpeaker:
    """One of flite's voices (kal16, rms, slt, awb): American English, awb with a Scottish accent.

    Args:
        voice: As `flite -lv` lists it.
    """

    engine = "flite"
    language = "en"

    def __init__(self, voice: str) -> None:
        program = shutil.which("flite")
        if program is None:
            raise EngineMissing("flite is not installed; expected the Debian package flite.")
        self.voice = voice
        self._program = program

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`. `pitch` is not flite's to change."""
        import soundfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            done = subprocess.run(
                [
                    self._program, "-voice", self.voice, "-psdur", "--setf", f"duration_stretch={1 / speed:.3f}",
                    "-t", text, "-o", str(path),
                ],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            if done.returncode or not path.is_file():
                raise ValueError(f"flite ended with {done.returncode} and no sound")
            sound, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")
        phones = phones_of_listing(done.stdout)
        samples = to_16k(sound, rate)
        seconds = len(samples) / SAMPLE_RATE
        # kal's sound ends inside the last pause.
        if phones and not phones[-1][0] and phones[-1][1] < seconds < phones[-1][2]:
            phones[-1] = ("", phones[-1][1], seconds)
        if not phones or abs(phones[-1][2] - seconds) > MAX_DRIFT_S:
            raise ValueError("flite's times do not fit its sound")
        return Utterance(samples, fill(phones, seconds))
