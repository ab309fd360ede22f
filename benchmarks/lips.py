"""How well the lips fit real speech: every source of phones, and the peers' schemes beside it.

    kuchipaku bench lips [--json] [--sentences N] [--sources voice,forced:hama] [--voice PATH.onnx] [--pack FOLDER]

Piper speaks 216 sentences and says exactly when each sound falls; that is the truth, which no source but `voice` sees.
With `--pack` recorded speech with known phone times is measured instead, one table for each of its groups (synthesiser
and language); its labels follow another convention, so each source's bias is taken off before its mouths are measured.
What the columns mean stands in `lips_metrics.py`.

Sources of phones for this project's lips:

voice            the voice's own durations
forced:MODEL     the words are known and laid over the sound by an acoustic model (own, hama, or a path by --model)
free:MODEL       the sound alone, as an acoustic model hears it
package:hama     the sound alone, as the package hama decodes it by itself
loudness         syllables by loudness: what stands in where no model runs

Peers' schemes: `volume` (mouth_aaa follows the loudness), `random` (twelve times a second mouth_aaa is set anew, while
there is speech), `one-morph` (the voice's durations; each sound sets one morph to 1, smoothed by 0.3 per 25 fps frame).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.lipsync import phone_files, phonemes, visemes  # noqa: E402
from animator.lipsync.mouth_track import MouthTrack, merge_phones  # noqa: E402
from animator.lipsync.sources import AcousticModel, phones_of  # noqa: E402
from animator.messages import Phone  # noqa: E402
from app import paths  # noqa: E402
from benchmarks.lips_metrics import Array, Mouths, Utterance, envelope, mouth_figures, phone_figures  # noqa: E402
from benchmarks.lips_sentences import SENTENCES  # noqa: E402

FPS = (30.0, 60.0)
PHASES = 4
RANDOM_HZ = 12.0
KEPT = 0.7
"""Of one 25 fps frame's mouth, in the smoother that peers put behind theirs."""

Source = Callable[[Utterance], Sequence[Phone]]
Scheme = Callable[[Utterance], Mouths]


# --- Mouths ----------------------------------------------------------------------------------------------------------


class TrackMouths:
    """This project's lips."""

    def __init__(self, track: MouthTrack) -> None:
        self._track = track

    def drawn(self, times_s: Array, fps: float) -> Array:
        """The track at each frame."""
        return np.array([self._track.at(float(t), 1 / fps) for t in times_s])

    def visemes(self, times_s: Array, fps: float) -> list[str] | None:
        """Its ruling shapes."""
        return [self._track.viseme(float(t), 1 / fps).name for t in times_s]


@dataclass(frozen=True)
class PlainMouths:
    """A peer's lips, which know no visemes."""

    draw: Callable[[Array, float], Array]

    def drawn(self, times_s: Array, fps: float) -> Array:
        """The scheme at each frame."""
        return self.draw(times_s, fps)

    def visemes(self, times_s: Array, fps: float) -> list[str] | None:
        """None."""
        return None


def volume(utterance: Utterance) -> Mouths:
    """mouth_aaa as loud as the voice."""

    def draw(times: Array, _: float) -> Array:
        made = np.zeros((len(times), 6))
        made[:, 0] = np.clip(envelope(utterance.samples, utterance.sample_rate, times), 0, 1)
        return made

    return PlainMouths(draw)


def at_random(utterance: Utterance) -> Mouths:
    """mouth_aaa jumps twelve times a second while the sentence lasts, as in SillyTavern."""

    def draw(times: Array, _: float) -> Array:
        chance = np.random.default_rng(5)
        values = [0.0]
        for _step in range(int((float(times[-1]) + 1.0) * RANDOM_HZ) + 2):
            values.append(float(np.clip(abs(1 - values[-1]) + chance.uniform(-2, 2), 0, 1)))
        made = np.zeros((len(times), 6))
        made[:, 0] = np.array(values)[np.maximum((times * RANDOM_HZ).astype(int), 0)]
        made[(times < 0) | (times > utterance.duration_s)] = 0.0
        return made

    return PlainMouths(draw)


def one_morph(utterance: Utterance) -> Mouths:
    """The strongest morph of each sound at 1, the others at 0, through an exponential smoother."""
    phones = merge_phones(utterance.reference)

    def draw(times: Array, fps: float) -> Array:
        keep = KEPT ** (25 / fps)
        state = np.zeros(6)
        made = []
        for t in times:
            target = np.zeros(6)
            phone = next((p for p in phones if p.start_s <= t < p.end_s), None)
            weights = np.array(visemes.classify(phone.ipa).weights if phone else [0.0] * 6)
            if weights.any():
                target[int(weights.argmax())] = 1.0
            state = target + keep * (state - target)
            made.append(state)
        return np.array(made)

    return PlainMouths(draw)


PEERS: dict[str, Scheme] = {"volume": volume, "random": at_random, "one-morph": one_morph}


# --- Sources of phones -----------------------------------------------------------------------------------------------


def sources(more: Sequence[str] = ()) -> dict[str, Source]:
    """Every source that runs here, by its name; `more` are paths of further acoustic models."""
    found: dict[str, Source] = {"voice": lambda u: u.reference}
    for name in (*phone_files.NAMES, *more):
        try:
            model = phone_files.load_model(name)
        except phone_files.PhoneSourceError as error:
            print(f"{name} is left out. {error}", file=sys.stderr)
            continue
        short = Path(name).stem
        found[f"forced:{short}"] = partial(_heard_with, model, True)
        found[f"free:{short}"] = partial(_heard_with, model, False)
        if name == "hama":
            found["package:hama"] = _package_decode()
    found["loudness"] = lambda u: phonemes.LOUDNESS.phones(u.samples, u.sample_rate)
    return found


def _heard_with(model: AcousticModel, knows_text: bool, utterance: Utterance) -> Sequence[Phone]:
    text = utterance.text if knows_text else ""
    return phones_of(utterance.samples, utterance.sample_rate, text, utterance.language, model=model).phones


def _package_decode() -> Source:
    """What the package `hama` itself decodes, with its own times."""
    from hama import ASRModel

    model = ASRModel()

    def decode(utterance: Utterance) -> Sequence[Phone]:
        import soxr

        sound = np.asarray(soxr.resample(utterance.samples, utterance.sample_rate, 16_000), np.float32)
        spans = model.phoneme_spans(model.transcribe_waveform(sound, 16_000))
        onsets = [(0.02 * s.start_frame, s.phoneme) for s in spans if not s.phoneme.startswith("<")]
        ends = [start for start, _ in onsets[1:]] + [utterance.duration_s]
        return [Phone(ipa, start, end) for (start, ipa), end in zip(onsets, ends, strict=True) if end > start]

    return decode


# --- Speech ----------------------------------------------------------------------------------------------------------


def spoken(voice_path: Path, sentences: Sequence[str]) -> list[Utterance]:
    """The sentences by a Piper voice, with its own durations; kept in the cache folder for the next time."""
    print(f"speaking {len(sentences)} sentences", file=sys.stderr)
    made = []
    voice = None
    folder = paths.cache_dir() / "bench-lips"
    folder.mkdir(parents=True, exist_ok=True)
    for i, text in enumerate(sentences):
        name = hashlib.sha256(f"{voice_path.name} {voice_path.stat().st_size} {text}".encode()).hexdigest()[:24]
        kept = folder / f"{name}.npz"
        if not kept.exists():
            if voice is None:
                from app.backends.tts_piper import PiperSynth

                voice = PiperSynth(voice_path)
                voice.load()
            clip = voice.synthesize(0, i, text, last=False)
            assert clip.phones is not None
            phones = json.dumps([[p.ipa, p.start_s, p.end_s] for p in clip.phones]).encode()
            part = kept.with_suffix(f".{os.getpid()}.part")
            with part.open("wb") as file:
                np.savez(file, samples=clip.samples, rate=clip.sample_rate, phones=np.frombuffer(phones, np.uint8))
            part.replace(kept)
        with np.load(kept, allow_pickle=False) as held:
            phones = tuple(Phone(*row) for row in json.loads(held["phones"].tobytes()))
            made.append(Utterance(text, "en-us", "Piper, en", held["samples"], int(held["rate"]), phones))
    return made


# --- Measuring -------------------------------------------------------------------------------------------------------


def measure(
    utterances: Sequence[Utterance],
    wanted: dict[str, Source],
    peers: dict[str, Scheme],
    fps: Iterable[float],
    phases: int,
    without_bias: bool,
) -> dict[str, Any]:
    """Figures of each source and scheme: phones once, mouths at each frame rate.

    `without_bias`: the truth is moved by the source's own bias first. Whoever labels speech has a convention where a
    sound begins; between two of them 20 to 40 ms are usual, which say nothing about the lips.
    """
    seconds = sum(u.duration_s for u in utterances)
    figures: dict[str, Any] = {}
    for name, source in wanted.items():
        start_s = time.perf_counter()
        heard = [tuple(source(u)) for u in utterances]
        heard_s = time.perf_counter() - start_s
        start_s = time.perf_counter()
        pairs = list(zip(heard, utterances, strict=True))
        tracks = [MouthTrack(p, u.samples, u.sample_rate, language=u.language) for p, u in pairs]
        build_s = time.perf_counter() - start_s
        mouths: list[Mouths] = [TrackMouths(track) for track in tracks]
        heard_figures = phone_figures([(u.reference, p) for p, u in pairs])
        late_s = heard_figures["bias_ms"] / 1000 if without_bias and math.isfinite(heard_figures["bias_ms"]) else 0.0
        truth = [moved(u, late_s) for u in utterances] if late_s else utterances
        figures[name] = {
            "phones": heard_figures,
            "mouths": {f"{rate:g}": mouth_figures(truth, mouths, rate, phases) for rate in fps},
            "phones_s_per_s": heard_s / seconds,
            "track_s_per_s": build_s / seconds,
        }
    for name, scheme in peers.items():
        mouths = [scheme(u) for u in utterances]
        figures[name] = {"mouths": {f"{rate:g}": mouth_figures(utterances, mouths, rate, phases) for rate in fps}}
    return figures


def moved(utterance: Utterance, by_s: float) -> Utterance:
    """The same sound with its truth moved to `by_s` later."""
    phones = tuple(Phone(p.ipa, p.start_s + by_s, p.end_s + by_s) for p in utterance.reference)
    return replace(utterance, reference=phones)


PHONE_COLUMNS = (
    ("per", "PER", 100, "%"),
    ("phones_found", "found", 100, "%"),
    ("bias_ms", "bias", 1, " ms"),
    ("onset_median_ms", "median", 1, " ms"),
    ("onset_p90_ms", "p90", 1, " ms"),
    ("onset_20_ms", "<=20 ms", 100, "%"),
    ("onset_40_ms", "<=40 ms", 100, "%"),
)
MOUTH_COLUMNS = (
    ("closure_recall", "pbm shut", 100, "%"),
    ("closure_precision", "shut right", 100, "%"),
    ("near_recall", "fv near", 100, "%"),
    ("viseme_accuracy", "viseme", 100, "%"),
    ("viseme_strict", "strict", 100, "%"),
    ("shape_accuracy", "looks", 100, "%"),
    ("openness", "openness", 1, ""),
    ("envelope", "envelope", 1, ""),
    ("lag_ms", "lag", 1, " ms"),
    ("silence_leak", "leak", 100, "%"),
    ("jitter_hz", "turns/s", 1, ""),
)


def _cell(value: float, scale: float, unit: str) -> str:
    digits = 2 if not unit else 0 if unit == " ms" else 1
    return "-" if value != value else f"{value * scale:.{digits}f}{unit}"


def table(rows: dict[str, dict[str, float]], columns: Sequence[tuple[str, str, float, str]]) -> str:
    """Rows of figures under the columns' headings."""
    width = max([len(name) for name in rows] + [6]) + 2
    lines = [" " * width + "".join(f"{heading:>11}" for _, heading, _, _ in columns)]
    for name, values in rows.items():
        cells = "".join(f"{_cell(values[key], scale, unit):>11}" for key, _, scale, unit in columns)
        lines.append(f"{name:<{width}}{cells}")
    return "\n".join(lines)


def report(result: dict[str, Any]) -> str:
    """All tables, for a person."""
    about = result["machine"]
    lines = [f"{about['processor']}, {about['cores']} cores, load {about['load_1min']}, Python {about['python']}"]
    for group, part in result["groups"].items():
        figures = part["figures"]
        lines += ["", f"{group}: {part['utterances']} utterances, {part['seconds']:.0f} s, {part['phones']} sounds"]
        heard = {name: each["phones"] for name, each in figures.items() if "phones" in each and name != "voice"}
        if heard:
            lines += ["", "phones against the reference", table(heard, PHONE_COLUMNS)]
        for rate in result["fps"]:
            rows = {name: each["mouths"][f"{rate:g}"] for name, each in figures.items()}
            closures = next(iter(rows.values()))["closures"]
            lines += ["", f"mouths at {rate:g} fps, {result['phases']} phases, {closures:.0f} p b m"]
            lines.append(table(rows, MOUTH_COLUMNS))
        lines.append("")
        for name, each in figures.items():
            if "phones" in each:
                costs = f"{each['phones_s_per_s']:.4f} s for its phones, {each['track_s_per_s']:.4f} s for the track"
                lines.append(f"{name}: {costs}, per second of speech")
    return "\n".join(lines)


def main() -> None:
    """Speak or read, measure, print."""
    parser = argparse.ArgumentParser(prog="kuchipaku bench lips", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--voice", type=Path, help="a Piper .onnx (default: the installed voice)")
    parser.add_argument("--pack", type=Path, action="append", help="a folder of recorded speech with an index.json")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="how many of the sentences (all)")
    parser.add_argument("--sources", help="names of sources and schemes, with commas between (all that run here)")
    parser.add_argument("--model", action="append", default=[], help="the path of one more acoustic model")
    parser.add_argument("--fps", help="frame rates, with commas between (30,60)")
    parser.add_argument("--with-bias", action="store_true", help="of a pack: measure against its labels as they are")
    parser.add_argument("--phases", type=int, default=PHASES, help=f"phases of the frame clock ({PHASES})")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    without_bias = bool(options.pack) and not options.with_bias
    fps = tuple(float(rate) for rate in options.fps.split(",")) if options.fps else FPS
    if options.pack:
        from benchmarks.lips_pack import read_pack  # its sound library is not everybody's

        utterances = [u for folder in options.pack for u in read_pack(folder, options.sentences)]
    else:
        if options.voice is None:
            from app.models import default_store

            options.voice = next(default_store().path("piper-joe").glob("*.onnx"))
        step = max(1, len(SENTENCES) // max(options.sentences, 1))
        utterances = spoken(options.voice, SENTENCES[::step][: options.sentences])
    wanted, peers = sources(options.model), dict(PEERS)
    if options.sources:
        names = options.sources.split(",")
        if unknown := set(names) - set(wanted) - set(peers):
            parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join([*wanted, *peers])}")
        wanted = {name: source for name, source in wanted.items() if name in names}
        peers = {name: scheme for name, scheme in peers.items() if name in names}

    from benchmarks.face import machine

    groups: dict[str, Any] = {}
    for group in dict.fromkeys(u.group for u in utterances):
        members = [u for u in utterances if u.group == group]
        groups[group] = {
            "utterances": len(members),
            "seconds": sum(u.duration_s for u in members),
            "phones": sum(1 for u in members for phone in merge_phones(u.reference) if phone.ipa),
            "figures": measure(members, wanted, peers, fps, options.phases, without_bias),
        }
    result = {"machine": machine(), "fps": list(fps), "phases": options.phases, "groups": groups}
    print(json.dumps(result, indent=1) if options.json else report(result))


if __name__ == "__main__":
    main()
