"""Packs of recorded speech with the time of every sound: a folder with an `index.json` and sound files at 16 kHz.

    {"sample_rate": 16000, "utterances": [{"file": "espeak-000.ogg", "start_s": 0.0, "seconds": 2.1, "voice": "...",
     "engine": "espeak", "language": "en", "split": "test", "text": "...", "phones": [["h", 0.05, 0.11], ...]}]}

`start_s` is the utterance's place in the file (0 where it is missing); phone times count from the utterance's start.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from animator.messages import Phone
from benchmarks.lips_metrics import Utterance


def read_pack(folder: Path, most: int, split: str = "test") -> list[Utterance]:
    """Up to `most` utterances of each engine and language, evenly from all voices of `split` (or of all).

    Raises:
        FileNotFoundError: If the folder has no index.
        ValueError: If the index names a file outside the folder.
    """
    rows = json.loads((folder / "index.json").read_text("utf-8"))["utterances"]
    rows = [row for row in rows if row.get("split", split) == split] or rows
    groups: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        groups.setdefault(f"{row.get('engine', folder.name)}, {row.get('language', '?')}", []).append(row)
    made: list[Utterance] = []
    sounds: dict[str, tuple[np.ndarray, int]] = {}
    for group, members in groups.items():
        step = max(1, len(members) // most)
        for row in members[::step][:most]:
            name = str(row["file"])
            if Path(name).name != name:
                raise ValueError(f"{folder / 'index.json'} names {name!r}; expected a plain file name")
            if name not in sounds:
                sounds = {name: soundfile.read(folder / name, dtype="float32")}
            sound, rate = sounds[name]
            first = round(float(row.get("start_s", 0.0)) * rate)  # type: ignore[arg-type]
            seconds = float(row.get("seconds", len(sound) / rate))  # type: ignore[arg-type]
            phones = tuple(Phone(str(i), float(a), float(b)) for i, a, b in row["phones"])  # type: ignore[attr-defined]
            samples = np.ascontiguousarray(sound[first : first + round(seconds * rate)], np.float32)
            language = str(row.get("language", ""))
            made.append(Utterance(str(row.get("text", "")), language, group, samples, int(rate), phones))
    return made
