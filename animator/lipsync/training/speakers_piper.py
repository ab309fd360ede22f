"""Piper voices: VITS models whose own durations say when each phone falls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from animator.lipsync.training.boundaries import share_gaps
from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, TimedPhone, Utterance, fill, to_16k

_STRESS = frozenset("ˈˌ")
_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɞɘɤɨɪɯɵʉʊʌʏɶᵻᵿ")
_PAUSES = frozenset("^$_ .,;:!?…-—–\"'()«»“”¡¿")
WORD_GAP = " "
LONGEST_GAP_S = 0.12
"""A gap between words without punctuation that is longer is a pause (joe: 80 % last 35 to 70 ms and are not silent)."""
_AFTER = frozenset("ːˑʰʲʷˠˤ\u0329\u0303\u032f\u031e\u0308")


def phones_of_alignment(alignment: Iterable[tuple[str, int]], sample_rate: int) -> list[TimedPhone]:
    """Phones from pairs of (symbol, samples): a stress mark's time joins the vowel after it, a length mark's the sound
    before it; punctuation and the ends are pauses, a gap between words is WORD_GAP. Two vowels or an affricate that one phone of espeak
    holds come as Piper's symbols do, one by one; `joined` puts them together.
    """
    rows: list[list[Any]] = []
    stress, waiting = "", 0
    for symbol, samples in alignment:
        if symbol in _STRESS:
            stress += symbol
            waiting += samples
        elif symbol in _PAUSES:
            pause = WORD_GAP if symbol == " " else ""
            if rows and not rows[-1][0].strip():
                rows[-1] = [rows[-1][0] and pause, rows[-1][1] + samples + waiting]
            else:
                rows.append([pause, samples + waiting])
            stress, waiting = "", 0
        elif symbol in _AFTER and rows:
            rows[-1][0] += symbol if rows[-1][0].strip() else ""
            rows[-1][1] += samples
        else:
            vowel = symbol[0] in _VOWELS
            rows.append([(stress if vowel else "") + symbol, samples + waiting])
            waiting = 0
            stress = "" if vowel else stress
    if waiting:
        rows.append(["", waiting])
    phones: list[TimedPhone] = []
    at = 0
    for ipa, samples in rows:
        phones.append((ipa, at / sample_rate, (at + samples) / sample_rate))
        at += samples
    return phones


def joined(phones: Sequence[TimedPhone], units: Sequence[str]) -> list[TimedPhone]:
    """Phones with neighbours put together to the multi-letter `units` of espeak (aɪ, tʃ, əl …), leftmost first.

    `units` are base letters without stress and length, as espeak's own phones of the same text have them.
    """
    known = {u for u in units if len(u) > 1}
    out: list[TimedPhone] = []
    i = 0
    while i < len(phones):
        pair = phones[i : i + 2]
        letters = "".join(p[0] for p in pair).lstrip("ˈˌ")
        # A stress mark inside means that a new phone begins there: then the letters are not a unit's.
        width = 2 if len(pair) == 2 and letters in known else 1
        group = phones[i : i + width]
        out.append(("".join(p[0] for p in group), group[0][1], group[-1][2]))
        i += width
    return out


class PiperSpeaker:
    """One Piper voice. `pitch` is not its to change.

    Args:
        model: The voice's `.onnx` file, its settings beside it as `.onnx.json`.
        voice: Name in the corpus.
        threads: Of onnxruntime.
    """

    engine = "piper"

    def __init__(self, model: Path, voice: str = "joe", language: str = "en", threads: int = 1) -> None:
        import onnx
        import onnxruntime

        try:
            from piper import PiperVoice
            from piper.config import PiperConfig
            from piper.patch_voice_with_alignment import add_alignment_output
        except ImportError as error:
            raise EngineMissing("Piper is not installed; expected the Python package piper-tts[alignment].") from error
        self.voice = voice
        self.language = language
        graph = onnx.load(str(model))
        add_alignment_output(graph)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
        config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text("utf-8")))
        self._voice = PiperVoice(config=config, session=session)

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`; sentences follow one another without a pause beyond the voice's own."""
        from piper.config import SynthesisConfig

        rate = int(self._voice.config.sample_rate)
        options = SynthesisConfig(length_scale=1.0 / speed, normalize_audio=False)
        pieces: list[Any] = []
        pairs: list[tuple[str, int]] = []
        for chunk in self._voice.synthesize(text, options, include_alignments=True):
            pieces.append(np.asarray(chunk.audio_float_array, np.float32))
            if not chunk.phoneme_alignments:
                raise ValueError("the voice gave no alignment; expected a model with a durations output")
            pairs += [(a.phoneme, int(a.num_samples)) for a in chunk.phoneme_alignments]
        if not pieces:
            raise ValueError("there is nothing to say in the text")
        sound = np.concatenate(pieces)
        total = sum(n for _, n in pairs)
        if total != len(sound):
            raise ValueError(f"the voice's durations hold {total} samples, its sound {len(sound)}; expected the same")
        phones = joined(phones_of_alignment(pairs, rate), ESPEAK_UNITS)
        samples = to_16k(sound, rate)
        phones = share_gaps(phones, samples, WORD_GAP, LONGEST_GAP_S)
        return Utterance(samples, fill(phones, len(samples) / SAMPLE_RATE))


# Not əl and aɪɚ, which espeak counts as one phone each: Piper knows when their second sound begins.
ESPEAK_UNITS = ("aɪ", "aʊ", "eɪ", "oʊ", "əʊ", "ɔɪ", "tʃ", "dʒ")
"""What espeak writes with two letters for one sound in English."""
