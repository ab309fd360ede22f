"""How much later than the truth a phone model puts onsets, and how well it finds phones with that taken off.

    python benchmarks/phones_bias.py [own|hama|PATH ...] [--voice PATH.onnx] [--sentences N] [--store] [--json]

Piper speaks sentences and says when each sound falls; that is hidden from the model. `--store` measures the bias first,
on sentences that no figure is measured on (CALIBRATION): a constant, and what single sounds add to it inside and at
the beginning of words (`animator/lipsync/onset_bias.py`). It is written into the file of our own model (its weights
stay as they are) or into the folder of a wav2vec2 model; hama's is printed for `animator/lipsync/hama_model.py`.

Then the sentences of `lips_sentences.py` are measured, with the text forced onto the sound and with what is heard
without it: as the model hears them with the constant alone (`raw`: its median is taken off), and as it is used.
`bias_ms` is the median by which onsets are late, the rest is what is left around it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.lipsync import inventory, onset_bias, phone_files, phone_model, visemes, wav2vec2  # noqa: E402
from animator.lipsync.align import Scores  # noqa: E402
from animator.lipsync.mouth_track import merge_phones  # noqa: E402
from animator.lipsync.onset_bias import Biases, OnsetError  # noqa: E402
from animator.lipsync.sources import AcousticModel, AcousticStream, phones_of  # noqa: E402
from animator.lipsync.training.export import store_biases  # noqa: E402
from animator.lipsync.training.texts import WRITTEN  # noqa: E402
from animator.messages import Phone, Samples  # noqa: E402
from benchmarks.lips import spoken  # noqa: E402
from benchmarks.lips_metrics import Utterance, matched, phone_figures  # noqa: E402
from benchmarks.lips_sentences import SENTENCES  # noqa: E402

CALIBRATION = tuple(text for text in WRITTEN["en"] if text not in SENTENCES)
"""55 sentences with every sound of English, which our own model was trained with."""
GAP_S = 0.001


class Raw:
    """A model as it hears, with no bias or with another one taken off."""

    def __init__(self, model: AcousticModel, bias_s: float = 0.0, biases_s: Biases = onset_bias.NONE) -> None:
        self._model = model
        self.bias_s, self.biases_s = bias_s, biases_s
        self.name, self.symbols, self.hop_s = model.name, model.symbols, model.hop_s
        self.blank, self.silence, self.look_ahead_s = model.blank, model.silence, model.look_ahead_s
        self.bigram = getattr(model, "bigram", None)

    def log_probs(self, samples: Samples) -> Scores:
        """As the model's own."""
        return self._model.log_probs(samples)

    def stream(self) -> AcousticStream:
        """As the model's own."""
        return self._model.stream()


def sounds_of(phones: Sequence[Phone]) -> list[tuple[int, float | None, str, bool]]:
    """(class, onset in s, row of the bias, whether a gap is before it) of every sound, put together as for figures.

    A model without diphthongs has the bias of the first half. A label's second sound has no onset.
    """
    labels: dict[float, tuple[str, bool]] = {}
    end_s = -1.0
    for phone in phones:
        if visemes.normalise(phone.ipa):
            labels[phone.start_s] = onset_bias.key_of(phone.ipa), phone.start_s - end_s > GAP_S
            end_s = phone.end_s
    found: list[tuple[int, float | None, str, bool]] = []
    for phone in merge_phones(phones):
        row, has_gap = labels.get(phone.start_s, (onset_bias.OTHER, False))
        for k, token in enumerate(inventory.tokens_of(phone.ipa)):
            found.append((token, None if k else phone.start_s, row, has_gap))
    return found


def onset_errors(reference: Sequence[Phone], heard: Sequence[Phone]) -> list[OnsetError]:
    """How late each sound is that both hold; words begin where the reference has a gap."""
    said, got = sounds_of(reference), sounds_of(heard)
    _, same = matched([token for token, *_ in said], [token for token, *_ in got])
    errors = []
    for i, j in same:
        (_, true_s, _, is_initial), (_, heard_s, row, _) = said[i], got[j]
        if true_s is not None and heard_s is not None:
            errors.append(OnsetError(row, is_initial, heard_s - true_s))
    return errors


def calibrated(model: AcousticModel, utterances: Sequence[Utterance]) -> tuple[float, Biases]:
    """The constant in s and the table, with the text forced."""
    raw = Raw(model)
    errors: list[OnsetError] = []
    for each in utterances:
        heard = phones_of(each.samples, each.sample_rate, each.text, model=raw)
        if heard.method == "aligned":
            errors += onset_errors(each.reference, heard.phones)
    return onset_bias.calibrate(errors)


def store(name: str, bias_s: float, biases_s: Biases) -> None:
    """Where the model called `name` looks for it."""
    path = Path(name)
    if name == "own" or path.suffix == ".onnx":
        path = phone_model.BUNDLED if name == "own" else path
        store_biases(path, bias_s, biases_s)
    elif path.is_dir():
        path /= wav2vec2.BIAS_FILE
        held = {"bias_s": round(bias_s, 4), "biases_s": onset_bias.to_plain(biases_s)}
        path.write_text(json.dumps(held, ensure_ascii=False), "utf-8")
    else:
        print(f"{name}: BIAS_S = {bias_s:.4f}", file=sys.stderr)
        for sound, row in biases_s.items():
            print(
                f"    {json.dumps(sound, ensure_ascii=False)}: " + f"({', '.join(f'{x:.4f}' for x in row)}),",
                file=sys.stderr,
            )
        return
    print(f"{path} written", file=sys.stderr)


def measure(model: AcousticModel, utterances: list[Utterance]) -> dict[str, dict[str, float]]:
    """Figures with and without the text, raw and as the model is used."""
    return {
        f"{way}{suffix}": phone_figures(
            [
                (u.reference, phones_of(u.samples, u.sample_rate, u.text if way == "forced" else "", model=each).phones)
                for u in utterances
            ]
        )
        for each, suffix in ((Raw(model), ", raw"), (model, ""))
        for way in ("forced", "free")
    }


def main() -> int:
    """Speak, measure, print, store."""
    parser = argparse.ArgumentParser(description="The delay of a phone model.")
    parser.add_argument("models", nargs="*", default=list(phone_files.NAMES), metavar="own|hama|PATH")
    parser.add_argument("--voice", type=Path, help="a Piper .onnx (default: the installed voice)")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="how many of them")
    parser.add_argument("--store", action="store_true", help="measure the bias and store it with the model first")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.voice is None:
        from app.models import default_store

        options.voice = next(default_store().path("piper-joe").glob("*.onnx"))
    utterances = spoken(options.voice, SENTENCES[: options.sentences])
    found: dict[str, Any] = {}
    for name in options.models:
        try:
            model = phone_files.load_model(name)
        except phone_files.PhoneSourceError as error:
            print(error, file=sys.stderr)
            continue
        if options.store:
            bias_s, biases_s = calibrated(model, spoken(options.voice, CALIBRATION))
            store(name, bias_s, biases_s)
            model = Raw(model, bias_s, biases_s)
        found[name] = {"now_ms": 1000 * model.bias_s, **measure(model, utterances)}
    if options.json:
        print(json.dumps({"voice": options.voice.name, "sentences": len(utterances), "models": found}, indent=1))
        return 0 if found else 1
    print(f"{options.voice.name}, {len(utterances)} sentences, {sum(u.duration_s for u in utterances):.0f} s")
    for name, figures in found.items():
        print(f"{name} (its bias is set to {figures.pop('now_ms'):.1f} ms)")
        for way, values in figures.items():
            print(f"  {way:<13}" + "  ".join(f"{key} {value:.3g}" for key, value in values.items()))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
