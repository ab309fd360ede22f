"""How well the lips fit real speech, beside two simpler schemes.

    python benchmarks/lips.py [--voice PATH.onnx] [--json]

Piper speaks ten sentences and says exactly when each sound falls. At 30 fps and eight frame phases are measured:

closure recall   share of p b m with a drawn frame whose six open parameters are all at most 0.05, within 40 ms
envelope         correlation of the mouth's open area with the loudness, at the best lag within 100 ms, and that lag
silence leak     share of frames with an open area above 0.05 in pauses over 150 ms, from 120 ms after the last sound to
                 120 ms before the next
jitter           changes of direction of the open area per second

Schemes: `track` (this project, phones from the voice), `heard` (phones recognised from the sound alone), `volume`
(mouth_aaa follows the loudness), `one-morph` (each sound sets one morph to 1, smoothed by 0.3 per 25 fps frame, as
common talking-head servers do).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from animator.lipsync import phonemes, response, visemes
from animator.lipsync.mouth_track import MouthTrack, merge_phones
from animator.messages import SpeechClip

FPS = 30
PHASES = 8
SENTENCES = (
    "Please bring my blue umbrella, maybe the big pump is broken.",
    "My mom bought a brown paper bag for Bob.",
    "I know, you saw five boys boiling oil.",
    "She sells sea shells by the stormy shore.",
    "Peter Piper picked a peck of pickled peppers.",
    "Robots remember many important problems from before.",
    "The weather is beautiful today, and I feel wonderful about it.",
    "What would you like to talk about? I have plenty of time.",
    "Oh! That is a lovely idea. Let me think about it for a moment.",
    "Hmm, who knew that the moon was blue?",
)

Scheme = Callable[[SpeechClip], Callable[[np.ndarray], np.ndarray]]
"""From a clip to a function from frame times (n,) to mouths (n, 6)."""


def track(clip: SpeechClip) -> Callable[[np.ndarray], np.ndarray]:
    """This project's lips, with the voice's own phones."""
    made = MouthTrack(clip.phones or (), clip.samples, clip.sample_rate)
    return lambda times: np.array([made.at(float(t), 1 / FPS) for t in times])


def heard(clip: SpeechClip) -> Callable[[np.ndarray], np.ndarray]:
    """This project's lips, with phones recognised from the sound."""
    made = MouthTrack(phonemes.phones_for(clip.samples, clip.sample_rate), clip.samples, clip.sample_rate)
    return lambda times: np.array([made.at(float(t), 1 / FPS) for t in times])


def envelope(clip: SpeechClip, times: np.ndarray) -> np.ndarray:
    """RMS over 50 ms at `times`, relative to the 95th percentile."""
    window = round(0.05 * clip.sample_rate)
    rms = np.sqrt(np.convolve(np.square(clip.samples), np.full(window, 1 / window), mode="same"))
    at = np.clip((times * clip.sample_rate).astype(int), 0, len(rms) - 1)
    return np.where((times >= 0) & (times < clip.duration_s), rms[at] / np.percentile(rms, 95), 0.0)


def volume(clip: SpeechClip) -> Callable[[np.ndarray], np.ndarray]:
    """mouth_aaa as loud as the voice."""

    def mouths(times: np.ndarray) -> np.ndarray:
        made = np.zeros((len(times), 6))
        made[:, 0] = np.clip(envelope(clip, times), 0, 1)
        return made

    return mouths


def one_morph(clip: SpeechClip) -> Callable[[np.ndarray], np.ndarray]:
    """The strongest morph of each sound at 1, the others at 0, through an exponential smoother."""
    phones = merge_phones(clip.phones or ())

    def mouths(times: np.ndarray) -> np.ndarray:
        keep = (1 - 0.3) ** (25 / FPS)
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

    return mouths


SCHEMES: dict[str, Scheme] = {"track": track, "heard": heard, "volume": volume, "one-morph": one_morph}


def measure(scheme: Scheme, clips: list[SpeechClip]) -> dict[str, float]:
    """All figures of one scheme."""
    closed = closures = leaks = silent = turns = 0
    seen_s = build_s = 0.0
    correlations, lags = [], []
    for clip in clips:
        start_s = time.perf_counter()
        mouths_at = scheme(clip)
        build_s += time.perf_counter() - start_s
        for phase in range(PHASES):
            times = np.arange(-0.2 + phase / PHASES / FPS, clip.duration_s + 0.4, 1 / FPS)
            mouths = mouths_at(times)
            areas = response.area(mouths)
            assert clip.phones
            for phone in clip.phones:
                near = (times >= phone.start_s - 0.04) & (times <= phone.end_s + 0.04)
                if visemes.normalise(phone.ipa) in {"p", "b", "m"}:
                    closures += 1
                    closed += int(mouths[near].max(axis=1).min() <= 0.05)
                elif not phone.ipa and phone.end_s - phone.start_s > 0.15:
                    until_s = math.inf if phone is clip.phones[-1] else phone.end_s - 0.12
                    inside = (times > phone.start_s + 0.12) & (times < until_s)
                    silent += int(inside.sum())
                    leaks += int((areas[inside] > 0.05).sum())
            speed = np.diff(areas)
            moving = speed[np.abs(speed) > 0.01]
            turns += int((np.diff(np.sign(moving)) != 0).sum())
            seen_s += len(times) / FPS
            if phase == 0:
                loud = [float(np.corrcoef(areas, envelope(clip, times + lag))[0, 1]) for lag in LAGS_S]
                correlations.append(max(loud))
                lags.append(LAGS_S[int(np.argmax(loud))])
    return {
        "closure_recall": closed / closures,
        "closures": closures / PHASES,
        "envelope_correlation": float(np.mean(correlations)),
        "mouth_ahead_ms": 1000 * float(np.median(lags)),
        "silence_leak": leaks / silent if silent else math.nan,
        "silent_frames": silent / PHASES,
        "jitter_hz": turns / seen_s,
        "build_ms_per_s": 1000 * build_s / sum(clip.duration_s for clip in clips),
    }


LAGS_S = [k * 0.01 for k in range(-10, 11)]


def main() -> None:
    """Speak, measure, print."""
    parser = argparse.ArgumentParser(description="How well the lips fit real speech, beside two simpler schemes.")
    parser.add_argument("--voice", type=Path, help="a Piper .onnx (default: the installed voice)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    from app.backends.tts_piper import PiperSynth

    if options.voice is None:
        from app.models import default_store

        options.voice = next(default_store().path("piper-joe").glob("*.onnx"))
    voice = PiperSynth(options.voice)
    voice.load()
    clips = [voice.synthesize(0, i, text, last=False) for i, text in enumerate(SENTENCES)]
    phonemes.best_source()
    figures = {name: measure(scheme, clips) for name, scheme in SCHEMES.items()}
    if options.json:
        print(json.dumps({"voice": voice.name, "fps": FPS, "schemes": figures}, indent=1))
        return
    print(f"{voice.name}, {len(clips)} sentences, {sum(c.duration_s for c in clips):.1f} s, {FPS} fps, {PHASES} phases")
    columns = list(next(iter(figures.values())))
    print(f"{'scheme':<10}" + "".join(f"{column:>22}" for column in columns))
    for name, values in figures.items():
        print(f"{name:<10}" + "".join(f"{values[column]:>22.3f}" for column in columns))


if __name__ == "__main__":
    main()
