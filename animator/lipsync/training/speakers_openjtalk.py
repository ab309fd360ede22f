"""Open JTalk: Japanese HTS voices; its trace holds every phone's start and end."""

from __future__ import annotations

import importlib.util
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from animator.lipsync.training.kana import DICTIONARY
from animator.lipsync.training.phone_maps import japanese
from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, Utterance, fill, to_16k

_LABEL = re.compile(r"^(\d+) (\d+) \S*?-([A-Za-z]+)\+", re.MULTILINE)
_UNIT_S = 1e-7


def phones_of_trace(trace: str) -> list[tuple[str, float, float]]:
    """Open JTalk's own phones with start and end in s, of the text that `open_jtalk -ot` writes."""
    labels = trace.partition("[Output label]")[2].partition("[Global parameter]")[0]
    return [(symbol, int(start) * _UNIT_S, int(end) * _UNIT_S) for start, end, symbol in _LABEL.findall(labels)]


class OpenJTalkSpeaker:
    """The voice `mei` (Nagoya Institute of Technology, CC BY 3.0), whose vocal tract can be stretched.

    Args:
        all_pass: HTS's frequency warping, 0.55 is mei's own; 0.50 sounds like a longer, 0.60 like a shorter throat.
    """

    engine = "openjtalk"
    language = "ja"

    def __init__(self, all_pass: float = 0.55) -> None:
        program = shutil.which("open_jtalk")
        if program is None or not DICTIONARY.is_dir():
            raise EngineMissing(
                "Open JTalk is not installed; expected the Debian packages open-jtalk and open-jtalk-mecab-naist-jdic."
            )
        found = importlib.util.find_spec("pyopenjtalk")
        if found is None or found.origin is None:
            raise EngineMissing("The voice mei is missing; expected the Python package pyopenjtalk, which carries it.")
        self.voice = f"mei{all_pass:.2f}"
        self._program = program
        self._model = Path(found.origin).parent / "htsvoice" / "mei_normal.htsvoice"
        self._all_pass = all_pass

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`."""
        import soundfile

        with tempfile.TemporaryDirectory() as folder:
            sound_path, trace_path = Path(folder) / "speech.wav", Path(folder) / "trace"
            done = subprocess.run(
                [
                    self._program, "-x", str(DICTIONARY), "-m", str(self._model), "-ow", str(sound_path),
                    "-ot", str(trace_path), "-r", f"{speed:.3f}", "-fm", f"{12 * math.log2(pitch):.2f}",
                    "-a", f"{self._all_pass:.3f}",
                ],
                input=text.replace("\n", " "), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            if done.returncode or not sound_path.is_file() or not trace_path.is_file():
                raise ValueError(f"Open JTalk ended with {done.returncode} and no sound")
            sound, rate = soundfile.read(sound_path, dtype="float32")
            phones = japanese(phones_of_trace(trace_path.read_text("utf-8")))
        samples = to_16k(sound, rate)
        return Utterance(samples, fill(phones, len(samples) / SAMPLE_RATE))
