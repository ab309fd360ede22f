"""A test pack of people's recordings, their phone times found by pocketsphinx: independent of every model of ours.

    python -m animator.lipsync.training.human --recordings benchmarks/recordings.toml --root . --out FOLDER

pocketsphinx aligns each recording's known text with its own American model (in the wheel), states of 10 ms. How far
these times can be trusted is in docs/investigations/phone-model.md.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from animator.lipsync.training.pack import PackWriter
from animator.lipsync.training.phone_maps import CMU
from animator.lipsync.training.speech import (
    SAMPLE_RATE,
    EngineMissing,
    Samples,
    TimedPhone,
    Utterance,
    fill,
    quiet_pauses,
)

_FRAME_S = 0.01
# pocketsphinx's dictionary writes no stress: AH is espeak's ʌ and ə, ER its ɜː and ɚ. The longer ones are taken for the
# stressed ones: a rough rule, so do not count these two pairs against a model.
_STRESSED_S = {"ah": (0.08, "ʌ", "ə"), "er": (0.1, "ɜː", "ɚ")}


def align(samples: Samples, text: str) -> list[TimedPhone]:
    """Phones of a text in a recording of it, in espeak IPA.

    Args:
        samples: float32 mono at SAMPLE_RATE.
        text: What is said, in English.

    Raises:
        EngineMissing: If pocketsphinx is not installed.
        ValueError: If a word is not in its dictionary, or the text cannot be found in the sound.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise EngineMissing("pocketsphinx is not installed; expected the Python package pocketsphinx.") from error
    decoder: Any = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL", bestpath=False)
    words = re.sub(r"[^a-z' ]", " ", text.lower()).split()
    if unknown := [w for w in words if decoder.lookup_word(w) is None]:
        raise ValueError(f"{len(unknown)} words are not in pocketsphinx's dictionary")
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes()
    decoder.set_align_text(" ".join(words))
    for phones_too in (False, True):
        if phones_too:
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
    phones: list[TimedPhone] = []
    for word in decoder.get_alignment() or ():
        for phone in word:
            name = phone.name.lower().strip("+")
            seconds = phone.duration * _FRAME_S
            ipa = CMU.get(name, "")
            if name in _STRESSED_S:
                limit_s, longer, shorter = _STRESSED_S[name]
                ipa = longer if seconds >= limit_s else shorter
            phones.append((ipa, phone.start * _FRAME_S, phone.start * _FRAME_S + seconds))
    if not phones:
        raise ValueError("pocketsphinx did not find the text in the sound")
    return phones


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; see the module's text."""
    import soundfile

    parser = argparse.ArgumentParser(prog="human", description=__doc__)
    parser.add_argument("--recordings", type=Path, default=Path("benchmarks/recordings.toml"))
    parser.add_argument("--root", type=Path, default=Path(), help="folder that the recordings' paths start from")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    with PackWriter(options.out, "human") as pack:
        for row in tomllib.loads(options.recordings.read_text("utf-8"))["recording"]:
            if "file" not in row or ":" in row["file"]:
                continue
            sound, rate = soundfile.read(options.root / row["file"], dtype="float32")
            if rate != SAMPLE_RATE or sound.ndim != 1:
                raise ValueError(f"{row['file']} has {rate} Hz, shape {sound.shape}; expected {SAMPLE_RATE} Hz mono")
            first, last = (round(row.get(k, d) * rate) for k, d in (("start_s", 0.0), ("end_s", len(sound) / rate)))
            cut = sound[first:last]
            phones = align(cut, row["text"])
            utterance = quiet_pauses(Utterance(cut, fill(phones, len(cut) / rate)))
            pack.add(
                utterance, voice=row["voice"], engine="human" if row["real"] else "kokoro-recording", language="en",
                split="test", text=row["text"], plosive_lead_s={},
            )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
