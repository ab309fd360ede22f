"""Makes a pack of labelled speech: `python -m animator.lipsync.training.corpus --out FOLDER --hours H`.

Every plan (engine, language, voices, texts) has a fixed seed and writes its own files, so that a run can be repeated
and one engine made anew. Utterances whose times do not fit their sound are left out and counted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from animator.lipsync import visemes
from animator.lipsync.training.pack import Entry, PackWriter, read_index, write_index
from animator.lipsync.training.speakers import ENGINES, KOKORO_VOICES, Voice, espeak_voices
from animator.lipsync.training.speech import Speaker, quiet_pauses
from animator.lipsync.training.texts import HELD_OUT, Texts

LEADS: Mapping[str, Mapping[str, float]] = {
    "espeak": {"p": 0.036, "t": 0.037, "k": 0.036, "ʈ": 0.036},
}
"""How late an engine labels a plosive, by base letter, in s (`convention.measure`; docs/investigations/phone-model.md)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """So much speech of one language by these voices. `voices` take turns; texts come from `seed`."""

    name: str
    voices: tuple[Voice, ...]
    language: str
    seconds: float
    split: str
    seed: int
    speeds: tuple[float, float] = (0.75, 1.4)
    pitches: tuple[float, float] = (0.5, 1.6)
    texts: tuple[str, ...] = ()
    """Said one after another instead of random ones; the plan ends with the last."""


# Shares of an hour of eSpeak-NG's speech; the languages after the third are there for the phones they share.
ESPEAK_SHARES: Mapping[str, float] = {
    "en": 0.36, "ja": 0.20, "hi": 0.20, "es": 0.03, "it": 0.03, "de": 0.03, "fr": 0.03, "ko": 0.03, "id": 0.03,
    "pt": 0.02, "tr": 0.02, "pl": 0.02,
}  # fmt: skip


def espeak_plans(hours: float, seed: int) -> list[Plan]:
    """Training plans of eSpeak-NG."""
    return [
        Plan(f"espeak-{language}", tuple(espeak_voices(language, False)), language, share * hours * 3600, "train", seed)
        for language, share in ESPEAK_SHARES.items()
    ]


def piper_plans(hours: float, seed: int, model: Path) -> list[Plan]:
    """Training plan of one Piper voice, in two halves that can be made at once."""
    voice = (Voice("piper", str(model), "en"),)
    return [
        Plan(f"piper-{half}", voice, "en", hours * 1800, "train", seed * 10 + half, speeds=(0.8, 1.25))
        for half in (1, 2)
    ]


# How often each voice comes, per language, and the language's share of an engine's hours. NSK has as much as all
# English voices of Festival together: it is the one Hindi voice beside eSpeak-NG's.
_OTHERS: Mapping[str, Mapping[str, tuple[float, tuple[str, ...]]]] = {
    "flite": {"en": (1.0, ("slt", "rms", "slt", "rms", "kal16"))},
    "festival": {
        "en": (0.4, ("ked", "ked", "slt-hts", "slt-hts", "kal")),
        "hi": (0.45, ("nsk",)),
        "it": (0.15, ("lp", "pc")),
    },
    "openjtalk": {"ja": (1.0, ("0.50", "0.52", "0.54", "0.55", "0.56", "0.58", "0.60"))},
}


def other_plans(engine: str, hours: float, seed: int) -> list[Plan]:
    """Training plans of the engines of Debian's packages: flite, festival or openjtalk."""
    return [
        Plan(
            f"{engine}-{language}", tuple(Voice(engine, name, language) for name in names), language,
            share * hours * 3600, "train", seed, speeds=(0.75, 1.3), pitches=(0.75, 1.4),
        )
        for language, (share, names) in _OTHERS[engine].items()
    ]  # fmt: skip


TEST_SEED = 9001


def test_texts(language: str, count: int, spell: Callable[[str], str] = str) -> tuple[str, ...]:
    """The fixed texts of the tests: the held-out sentences, then random ones from TEST_SEED."""
    fresh = Texts(language, TEST_SEED, written_share=0)
    written = HELD_OUT.get(language, ())[:count]
    return tuple(spell(t) for t in (*written, *itertools.islice(fresh, count - len(written))))


def test_plans(engine: str, model: Path | None) -> list[Plan]:
    """Plans of the test split of one engine: held-out voices, or for Piper held-out texts of the voice trained on."""
    plans = {
        "espeak": [("en", 60, espeak_voices("en", True)), ("ja", 54, espeak_voices("ja", True)),
                   ("hi", 54, espeak_voices("hi", True))],
        "flite": [("en", 60, [Voice("flite", "awb", "en", True)])],
        "piper": [("en", 220, [Voice("piper", str(model), "en")])],
        "kokoro": [(language, 54, [Voice("kokoro", name, language, True) for name in KOKORO_VOICES])
                   for language in ("en", "ja")],
    }.get(engine, [])  # fmt: skip
    made: list[Plan] = []
    for language, count, voices in plans:
        texts = test_texts(language, count, _spelling(language, engine))
        still = engine in ("piper", "kokoro")
        made.append(
            Plan(
                f"test-{engine}-{language}", tuple(voices), language, 36_000.0, "test", TEST_SEED,
                speeds=(0.95, 1.05) if still else (0.85, 1.2), pitches=(0.8, 1.25), texts=texts,
            )
        )  # fmt: skip
    return made


def _spelling(language: str, engine: str) -> Callable[[str], str]:
    if language == "ja" and engine == "espeak":
        from animator.lipsync.training.kana import to_kana

        return to_kana
    return str


def _phonemiser(language: str) -> Callable[[str], Sequence[str]]:
    from animator.lipsync.training.speakers_espeak import espeak_phones

    voice = {"en": "en-us"}.get(language, language)
    return lambda text: [visemes.normalise(p) for p in espeak_phones(text, voice)]


def run_plan(plan: Plan, folder: Path) -> dict[str, int]:
    """Speak one plan into a pack of its own; gives how many utterances were kept and why others were not."""
    chance = random.Random(f"{plan.name} {plan.seed}")
    spell = _spelling(plan.language, plan.voices[0].engine)
    texts = Texts(
        plan.language, plan.seed, _phonemiser(plan.language), spell, written_share=0.12 if plan.split == "train" else 0
    )
    speakers: dict[str, Speaker] = {}
    counts: Counter[str] = Counter()
    order = list(plan.voices)
    chance.shuffle(order)
    seconds, index = 0.0, 0
    with PackWriter(folder, plan.name) as pack:
        while seconds < plan.seconds and counts["failed"] < 100 + index / 2:
            if plan.texts and index >= len(plan.texts):
                break
            text = plan.texts[index] if plan.texts else next(texts)
            voice = order[index % len(order)]
            index += 1
            if voice.name not in speakers:
                speakers[voice.name] = voice.make()
            speed, pitch = chance.uniform(*plan.speeds), chance.uniform(*plan.pitches)
            try:
                utterance = quiet_pauses(speakers[voice.name].speak(text, speed, pitch))
                if not 0.2 < utterance.seconds < 30.0 or not any(ipa for ipa, _, _ in utterance.phones):
                    raise ValueError("too short, too long or without a phone")
                pack.add(
                    utterance,
                    voice=speakers[voice.name].voice,
                    engine=voice.engine,
                    language=plan.language,
                    split=plan.split,
                    text=text,
                    plosive_lead_s=dict(LEADS.get(voice.engine, {})),
                )
            except ValueError as error:
                counts["failed"] += 1
                counts[str(error)[:60]] += 1
                continue
            counts["kept"] += 1
            seconds += utterance.seconds
    return dict(counts)


def merge(parts: Sequence[Path], out: Path) -> list[Entry]:
    """Put packs with different file names into one folder; the parts are removed."""
    entries: list[Entry] = []
    out.mkdir(parents=True, exist_ok=True)
    for part in parts:
        found = read_index(part)
        for name in dict.fromkeys(e.file for e in found):
            shutil.move(part / name, out / name)
        entries += found
        shutil.rmtree(part)
    write_index(out, entries)
    return entries


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(prog="corpus", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the pack")
    parser.add_argument("--hours", type=float, default=1.0, help="hours of training speech per engine")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="the test split has fixed texts")
    parser.add_argument("--only", default="espeak", help="engines, with commas")
    parser.add_argument("--piper", type=Path, help="Piper's voice, the .onnx file")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    plans: list[Plan] = []
    for engine in options.only.split(","):
        if options.split == "test":
            plans += test_plans(engine, options.piper)
        elif engine == "espeak":
            plans += espeak_plans(options.hours, options.seed)
        elif engine == "piper":
            plans += piper_plans(options.hours, options.seed, options.piper)
        elif engine in ("flite", "festival", "openjtalk"):
            plans += other_plans(engine, options.hours, options.seed)
        else:
            parser.error(f"there is no engine {engine!r}; expected some of {', '.join(ENGINES)}")
    parts = [options.out / "parts" / plan.name for plan in plans]
    with ProcessPoolExecutor(options.jobs) as pool:
        for plan, counts in zip(plans, pool.map(run_plan, plans, parts), strict=True):
            sys.stdout.write(f"{plan.name}: {json.dumps(counts, ensure_ascii=False)}\n")
    entries = merge(parts, options.out)
    shutil.rmtree(options.out / "parts")
    sys.stdout.write(f"{sum(e.seconds for e in entries) / 3600:.2f} h in {len(entries)} utterances\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
