"""Festival's voices, one Festival per speaker, told by its pipe what to say; the Segment relation has the times."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from animator.lipsync.training.phone_maps import CMU, ITALIAN, NSK_HINDI
from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, TimedPhone, Utterance, fill, to_16k

_PATIENCE_S = 10.0
_READY = b"@READY@"
_UNSAID = re.compile(r'[\\"()]')
_NUKTA = "\u093c"
MAX_DRIFT_S = 0.06
"""Festival's diphone voices end up to 50 ms after the last segment's end."""


@dataclass(frozen=True, slots=True)
class FestivalVoice:
    """How Festival calls a voice, what its phones are in espeak IPA, and the Debian packages that bring it."""

    command: str
    language: str
    phones: Mapping[str, str]
    packages: str


VOICES: Mapping[str, FestivalVoice] = {
    "kal": FestivalVoice("voice_kal_diphone", "en", CMU, "festival festlex-cmu festlex-poslex festvox-kallpc16k"),
    "ked": FestivalVoice("voice_ked_diphone", "en", CMU, "festival festlex-cmu festlex-poslex festvox-kdlpc16k"),
    "slt-hts": FestivalVoice(
        "voice_cmu_us_slt_arctic_hts", "en", CMU, "festival festlex-cmu festlex-poslex festvox-us-slt-hts"
    ),
    "nsk": FestivalVoice("voice_hindi_NSK_diphone", "hi", NSK_HINDI, "festival festival-hi festvox-hi-nsk"),
    "lp": FestivalVoice("voice_lp_diphone", "it", ITALIAN, "festival festlex-ifd festvox-italp16k"),
    "pc": FestivalVoice("voice_pc_diphone", "it", ITALIAN, "festival festlex-ifd festvox-itapc16k"),
}
"""Voices by the name they have in the corpus."""


def phones_of_segments(segments: str, table: Mapping[str, str]) -> list[TimedPhone]:
    """Phones of a file of `utt.save.segs`: after the line `#`, one `end_s number name` a line.

    Raises:
        ValueError: If a phone is not in the table.
    """
    phones: list[TimedPhone] = []
    at = 0.0
    for line in segments.partition("#\n")[2].splitlines():
        end, _, name = line.split()
        if name not in table:
            raise ValueError(f"Festival has a phone {name!r} that is not in the table")
        phones.append((table[name], at, float(end)))
        at = float(end)
    return phones


class FestivalSpeaker:
    """One Festival voice. The program is started when it is first needed, and again after a text that it dies of.

    Args:
        voice: One of VOICES.
    """

    engine = "festival"

    def __init__(self, voice: str) -> None:
        if voice not in VOICES:
            raise ValueError(f"there is no Festival voice {voice!r}; expected one of {', '.join(VOICES)}")
        self.voice = voice
        self.language = VOICES[voice].language
        self._voice = VOICES[voice]
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`. `pitch` moves the diphone voices' mean; the HTS voice keeps its own."""
        import soundfile

        # Nukta letters end Festival's Hindi with a segmentation fault.
        said = _UNSAID.sub(" ", text).replace(_NUKTA, "").replace("\n", " ")
        if self.language == "it":  # its rules know no accented letter in UTF-8
            said = "".join(c for c in unicodedata.normalize("NFD", said) if not unicodedata.combining(c))
        folder = Path(self._folder.name)
        sound_path, segments_path = folder / "speech.wav", folder / "segments"
        for path in (sound_path, segments_path):
            path.unlink(missing_ok=True)
        half_tones = f"{pitch:.3f}"
        self._tell(
            f"(Parameter.set 'Duration_Stretch {1 / speed:.3f})"
            f"(if (and (boundp 'int_lr_params) base_lr) (set! int_lr_params (mapcar (lambda (p) "
            f"(if (string-equal (car p) 'target_f0_mean) (list (car p) (* {half_tones} (cadr p))) p)) base_lr)))"
            f'(set! u (utt.synth (Utterance Text "{said}")))'
            f'(utt.save.segs u "{segments_path}")(utt.save.wave u "{sound_path}" \'riff)'
        )
        if not sound_path.is_file() or not segments_path.is_file():
            raise ValueError("Festival said nothing")
        sound, rate = soundfile.read(sound_path, dtype="float32")
        phones = phones_of_segments(segments_path.read_text("utf-8"), self._voice.phones)
        samples = to_16k(sound, rate)
        seconds = len(samples) / SAMPLE_RATE
        if not phones or abs(phones[-1][2] - seconds) > MAX_DRIFT_S:
            raise ValueError("Festival's times do not fit its sound")
        return Utterance(samples, fill(phones, seconds))

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._folder.cleanup()

    def _started(self) -> subprocess.Popen[bytes]:
        program = shutil.which("festival")
        missing = EngineMissing(
            f"Festival's voice {self.voice} is not installed; expected the Debian packages {self._voice.packages}."
        )
        if program is None:
            raise missing
        self._process = subprocess.Popen(
            [program, "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._tell("")
        # A voice that is not there is an error in Scheme: the line after it in the same expression is not reached.
        marker = Path(self._folder.name) / "voice"
        self._tell(
            f"(set! base_lr nil)(begin ({self._voice.command}) (if (boundp 'int_lr_params) "
            f'(set! base_lr int_lr_params)) (fclose (fopen "{marker}" "w")))'
        )
        if not marker.is_file():
            self._process.kill()
            raise missing
        return self._process

    def _tell(self, scheme: str) -> None:
        """Have Festival evaluate something, and wait until it has."""
        process = self._process if self._process is not None and self._process.poll() is None else self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        try:
            process.stdin.write(f'{scheme}\n(format t "{_READY.decode()}\n")(fflush nil)\n'.encode())
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while not answer.rstrip().endswith(_READY):
                    if not selector.select(_PATIENCE_S):
                        process.kill()
                        raise ValueError(f"Festival said nothing for {_PATIENCE_S:.0f} s")
                    piece = os.read(process.stdout.fileno(), 4096)
                    if not piece:
                        raise ValueError("Festival died of the text")
                    answer += piece
        except BrokenPipeError as error:
            raise ValueError("Festival died of the text") from error
