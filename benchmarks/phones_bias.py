"""How much later than the truth a phone model puts onsets, and how well it finds phones once that is taken off.

    python benchmarks/phones_bias.py [own|hama|PATH ...] [--voice PATH.onnx] [--sentences N] [--store] [--json]

Piper speaks the sentences of `lips_sentences.py` and says when each sound falls; that is hidden from the model, whose
own bias is set to 0. Printed for the text forced onto the sound and for what is heard without it: the median by which
onsets are late (the bias), and what is left around it. `--store` writes the bias into the folder of a wav2vec2 model;
hama's stands in `animator/lipsync/hama_model.py`, our own model's in its file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.lipsync import phone_files, wav2vec2  # noqa: E402
from animator.lipsync.align import Scores  # noqa: E402
from animator.lipsync.sources import AcousticModel, AcousticStream, phones_of  # noqa: E402
from animator.messages import Samples  # noqa: E402
from benchmarks.lips import spoken  # noqa: E402
from benchmarks.lips_metrics import Utterance, phone_figures  # noqa: E402
from benchmarks.lips_sentences import SENTENCES  # noqa: E402


class Raw:
    """A model as it hears, without its bias taken off."""

    bias_s = 0.0

    def __init__(self, model: AcousticModel) -> None:
        self._model = model
        self.name, self.symbols, self.hop_s = model.name, model.symbols, model.hop_s
        self.blank, self.silence, self.look_ahead_s = model.blank, model.silence, model.look_ahead_s
        self.bigram = getattr(model, "bigram", None)

    def log_probs(self, samples: Samples) -> Scores:
        """As the model's own."""
        return self._model.log_probs(samples)

    def stream(self) -> AcousticStream:
        """As the model's own."""
        return self._model.stream()


def measure(model: AcousticModel, utterances: list[Utterance]) -> dict[str, dict[str, float]]:
    """Figures with and without the text; `bias_ms` is the constant, all other times are around it."""
    raw = Raw(model)
    return {
        way: phone_figures(
            [
                (u.reference, phones_of(u.samples, u.sample_rate, u.text if way == "forced" else "", model=raw).phones)
                for u in utterances
            ]
        )
        for way in ("forced", "free")
    }


def main() -> int:
    """Speak, measure, print, store."""
    parser = argparse.ArgumentParser(description="The constant delay of a phone model.")
    parser.add_argument("models", nargs="*", default=list(phone_files.NAMES), metavar="own|hama|PATH")
    parser.add_argument("--voice", type=Path, help="a Piper .onnx (default: the installed voice)")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="how many of them")
    parser.add_argument("--store", action="store_true", help="write it into the folder of a wav2vec2 model")
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
        found[name] = {"now_ms": 1000 * model.bias_s, **measure(model, utterances)}
        if options.store and Path(name).is_dir():
            path = Path(name) / wav2vec2.BIAS_FILE
            path.write_text(json.dumps({"bias_s": round(found[name]["forced"]["bias_ms"] / 1000, 4)}), "utf-8")
            print(f"{path} written", file=sys.stderr)
    if options.json:
        print(json.dumps({"voice": options.voice.name, "sentences": len(utterances), "models": found}, indent=1))
        return 0 if found else 1
    print(f"{options.voice.name}, {len(utterances)} sentences, {sum(u.duration_s for u in utterances):.0f} s")
    for name, figures in found.items():
        print(f"{name} (its bias is set to {figures.pop('now_ms'):.1f} ms)")
        for way, values in figures.items():
            print(f"  {way:<7}" + "  ".join(f"{key} {value:.3g}" for key, value in values.items()))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
