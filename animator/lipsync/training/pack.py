"""Packs of labelled speech: a folder with `index.json` and a few Ogg/Opus files in which utterances stand in a row.

Opus at 16 kHz mono as libsndfile writes and reads it shifts nothing: the cross-correlation of noise before and after
peaks at 0 samples (docs/investigations/phone-model.md). Between utterances stands GAP_S of silence, so that what the
codec smears over an edge reaches no neighbour.

    {"format": 1, "sample_rate": 16000,
     "engines": {"espeak": {"plosive_lead_s": {"p": 0.036, ...}}},
     "utterances": [{"file": "espeak-000.ogg", "start_s": ..., "seconds": ..., "voice": ..., "engine": ...,
                     "language": ..., "split": "train" | "test", "text": ..., "plosive_lead_s": {...},
                     "phones": [[ipa, start_s, end_s], ...]}, ...]}

`start_s` is a whole number of samples; phone times count from the utterance's start and cover it without a gap; a
pause is "". `plosive_lead_s` says how long before its label's start a plosive's closure begins in that engine's sound.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from animator.lipsync.training.speech import SAMPLE_RATE, Samples, TimedPhone, Utterance

INDEX = "index.json"
GAP_S = 0.1
SHARD_S = 600.0
"""About so much sound goes into one file (2 MB at 27 kbit/s)."""
OPUS_LEVEL = 0.91
"""libsndfile's compression level: about 25 kbit/s at 16 kHz mono (measured on noise and speech)."""
PEAK = 0.7
"""Every utterance is scaled to this highest sample, so that Opus does not clip."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance of a pack, as `index.json` holds it."""

    file: str
    start_s: float
    seconds: float
    voice: str
    engine: str
    language: str
    split: str
    text: str
    plosive_lead_s: Mapping[str, float]
    phones: tuple[TimedPhone, ...]


def check_phones(phones: tuple[TimedPhone, ...], seconds: float) -> None:
    """Check that phones cover [0, seconds] in order without gap, none of them empty.

    Raises:
        ValueError: If they do not; the message says where.
    """
    at = 0.0
    for ipa, start_s, end_s in phones:
        if abs(start_s - at) > 2e-5 or end_s <= start_s:
            raise ValueError(f"phone {ipa!r} from {start_s:.4f} to {end_s:.4f} s: expected it to start at {at:.4f} s")
        at = end_s
    if abs(at - seconds) > 2e-4:
        raise ValueError(f"phones end at {at:.4f} s; expected the sound's end at {seconds:.4f} s")


class PackWriter:
    """Writes one pack. Close it (or leave its `with`) to write the index.

    Args:
        folder: Made if it is not there. What is in it is replaced file by file.
        prefix: Of the sound files' names, so that several writers may share a folder and be merged later.
    """

    def __init__(self, folder: Path, prefix: str = "speech") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._prefix = prefix
        self._entries: list[Entry] = []
        self._pieces: list[Samples] = []
        self._samples = 0
        self._shard = 0

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(
        self, utterance: Utterance, *, voice: str, engine: str, language: str, split: str, text: str,
        plosive_lead_s: Mapping[str, float],
    ) -> None:  # fmt: skip
        """Add one utterance, scaled to PEAK.

        Raises:
            ValueError: If its phones do not cover its sound.
        """
        check_phones(utterance.phones, utterance.seconds)
        peak = float(np.max(np.abs(utterance.samples), initial=1e-4))
        sound = (utterance.samples * (PEAK / peak)).astype(np.float32)
        self._entries.append(
            Entry(
                file=f"{self._prefix}-{self._shard:03}.ogg",
                start_s=self._samples / SAMPLE_RATE,
                seconds=utterance.seconds,
                voice=voice,
                engine=engine,
                language=language,
                split=split,
                text=text,
                plosive_lead_s=plosive_lead_s,
                phones=tuple((ipa, round(s, 5), round(e, 5)) for ipa, s, e in utterance.phones),
            )
        )
        gap = np.zeros(round(GAP_S * SAMPLE_RATE), np.float32)
        self._pieces += [sound, gap]
        self._samples += len(sound) + len(gap)
        if self._samples >= SHARD_S * SAMPLE_RATE:
            self._write_shard()

    def close(self) -> None:
        """Write what is left and the index."""
        if self._pieces:
            self._write_shard()
        write_index(self._folder, self._entries)

    def _write_shard(self) -> None:
        import soundfile

        path = self._folder / f"{self._prefix}-{self._shard:03}.ogg"
        soundfile.write(
            path, np.concatenate(self._pieces), SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=OPUS_LEVEL
        )
        self._pieces, self._samples = [], 0
        self._shard += 1
        write_index(self._folder, self._entries)


def write_index(folder: Path, entries: list[Entry]) -> None:
    """Write `index.json` of a pack."""
    leads: Mapping[str, Any] = {e.engine: {"plosive_lead_s": e.plosive_lead_s} for e in entries}
    document = {
        "format": 1,
        "sample_rate": SAMPLE_RATE,
        "engines": leads,
        "utterances": [asdict(e) for e in entries],
    }
    (folder / INDEX).write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")), "utf-8")


def read_index(folder: Path) -> list[Entry]:
    """The entries of a pack.

    Raises:
        FileNotFoundError: If there is no pack in the folder.
        ValueError: If the index names a file outside the folder or phones that do not cover their utterance.
    """
    entries: list[Entry] = []
    for row in json.loads((folder / INDEX).read_text("utf-8"))["utterances"]:
        if Path(row["file"]).name != row["file"]:
            raise ValueError(f"the index names {row['file']!r}; expected a plain file name")
        entry = Entry(**{**row, "phones": tuple((str(i), float(s), float(e)) for i, s, e in row["phones"])})
        check_phones(entry.phones, entry.seconds)
        entries.append(entry)
    return entries


def read_pack(folder: Path) -> Iterator[tuple[Entry, Samples]]:
    """Every utterance of a pack with its sound (float32 mono at SAMPLE_RATE), file by file."""
    import soundfile

    name, sound = "", np.zeros(0, np.float32)
    for entry in read_index(folder):
        if entry.file != name:
            name = entry.file
            sound, rate = soundfile.read(folder / name, dtype="float32")
            if rate != SAMPLE_RATE or sound.ndim != 1:
                raise ValueError(f"{name} has {rate} Hz and shape {sound.shape}; expected {SAMPLE_RATE} Hz mono")
        first = round(entry.start_s * SAMPLE_RATE)
        yield entry, sound[first : first + round(entry.seconds * SAMPLE_RATE)]
