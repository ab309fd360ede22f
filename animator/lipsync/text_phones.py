"""From a text to the sounds that eSpeak NG would make of it, word by word.

The library comes with the package `espeakng-loader` (nothing has to be installed on the system) and is called through
`phonemizer`. It is loaded at the first call and is not safe for threads: one lock serves all. Nothing here logs.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import Any

from animator.lipsync import visemes

DEFAULT_LANGUAGE = "en-us"
MAX_CHARS = 4000
"""A sentence is a few hundred characters; what is longer is cut here, at a word."""

_ESPEAK = {"en": "en-us", "zh": "cmn", "zh-cn": "cmn", "zh-tw": "cmn", "pt": "pt-br", "jp": "ja", "fr": "fr-fr"}
"""Codes that espeak names otherwise (it knows `fr` as `fr-fr`, and its plain `en` is British)."""
_FLAG = re.compile(r"\([a-z]{2,3}(?:-[a-z0-9-]+)?\)")
_DEVANAGARI = re.compile(r"([\u0900-\u097f]+(?:[\s\u200c\u200d]*[\u0900-\u097f]+)*)")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々]")
_LONG = "ーｰ〜~"
_SAYABLE = frozenset("\u200c\u200d%&+=$€£¥@" + _LONG)
_HAN_LANGUAGES = frozenset({"cmn", "yue", "hak"})
_VOWEL_KANA = {"A": "あ", "I": "い", "U": "う", "E": "え", "O": "お"}


@dataclass(frozen=True, slots=True)
class TextPhones:
    """The sounds of a text.

    `words` holds for each word its espeak segments in order, stress and length marks included. It is empty where there
    is nothing to say, or where the text cannot be read; then `problem` says why, in words without the text.
    """

    words: tuple[tuple[str, ...], ...]
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.words)


def language_of(text: str) -> str:
    """An espeak code from the script alone: "ja", "hi", "ko", "ru", "cmn" or "en-us"."""
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        return "cmn"
    if re.search(r"[\u0900-\u097f]", text) and not re.search(r"[A-Za-z]", text):
        return "hi"
    if re.search(r"[\uac00-\ud7a3]", text):
        return "ko"
    if re.search(r"[\u0400-\u04ff]", text) and not re.search(r"[A-Za-z]", text):
        return "ru"
    return DEFAULT_LANGUAGE


def text_phones(text: str, language: str = "") -> TextPhones:
    """The sounds of `text` by espeak's rules for `language` (an espeak or ISO code; "" or "auto": by the script).

    Devanagari within another language is read by Hindi rules, whatever the text is in. Emoji, symbols and punctuation
    say nothing. Characters that espeak cannot read (Kanji in Japanese) make the whole text unknown. Never raises.
    """
    try:
        if len(text) > MAX_CHARS:
            text = text[:MAX_CHARS].rpartition(" ")[0] or text[:MAX_CHARS]
        return _text_phones(text, language)
    except Exception as error:  # a native library and a foreign package: whatever they do, lips go on by the sound
        return TextPhones((), f"espeak failed ({type(error).__name__})")


def _text_phones(text: str, language: str) -> TextPhones:
    text = _sayable(text)
    if not any(c.isalnum() for c in text):
        return TextPhones(())
    code = language.strip().lower()
    code = language_of(text) if code in ("", "auto") else _ESPEAK.get(code, code)
    if code == "ja":
        if _HAN.search(text):
            return TextPhones((), "espeak cannot read Kanji")
        text = _spell_long_vowels(text)
    elif _KANA.search(text) or (_HAN.search(text) and code not in _HAN_LANGUAGES):
        # espeak would spell "Japanese letter", "Chinese letter"; no voice does.
        return TextPhones((), "the text is written in another language's letters")
    else:
        text = re.sub(f"[{_LONG}]", " ", text)
    if not any(c.isalnum() for c in text):
        return TextPhones(())
    words: list[tuple[str, ...]] = []
    for run in _DEVANAGARI.split(text):
        if not any(c.isalnum() for c in run):
            continue
        voice = "hi" if _DEVANAGARI.fullmatch(run) and code not in _DEVANAGARI_LANGUAGES else code
        read = _ESPEAK_LIBRARY.read(run, voice)
        if read is None:
            return TextPhones((), "espeak has no such language")
        words += read
    return TextPhones(tuple(words))


_DEVANAGARI_LANGUAGES = frozenset({"hi", "mr", "ne", "kok", "bpy"})


def _sayable(text: str) -> str:
    """`text` without what a voice leaves out: emoji and other symbols, controls, marks that stand alone."""
    kept = []
    for c in unicodedata.normalize("NFC", text):
        # Joiners belong to Indic scripts (and to emoji); symbols, controls, surrogates and unassigned say nothing.
        is_said = c in _SAYABLE or unicodedata.category(c)[0] in "LMNPZ"
        kept.append(c if is_said or c.isspace() else " ")
    return "".join(kept).replace("’", "'")


def _spell_long_vowels(text: str) -> str:
    """Japanese with its long-vowel marks written as vowels, which espeak can read: ラーメン becomes ラあメン."""
    spelled = ""
    for c in text:
        if c in _LONG:
            name = unicodedata.name(spelled[-1], "") if spelled else ""
            spelled += _VOWEL_KANA.get(name[-1:], "") if " LETTER " in name else ""
        else:
            spelled += c
    return spelled


class _Library:
    """espeak-ng, loaded once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._espeak: Any = None
        self._voice = ""
        self._unknown: set[str] = set()

    def read(self, text: str, voice: str) -> list[tuple[str, ...]] | None:
        """Words as segments; None where espeak has no such voice."""
        with self._lock:
            if self._espeak is None:
                self._espeak = _load()
            if voice != self._voice:
                if voice in self._unknown:
                    return None
                try:
                    self._espeak.set_voice(voice)
                except RuntimeError:
                    self._unknown.add(voice)
                    self._voice = ""
                    return None
                self._voice = voice
            written = str(self._espeak.text_to_phonemes(text.replace("\0", " ")))
        words = []
        for word in _FLAG.sub("_", written).split():
            segments = tuple(each for each in word.split("_") if visemes.normalise(each))
            if segments:
                words.append(_assimilated(segments) if voice == "ja" else segments)
        return words


def _assimilated(segments: tuple[str, ...]) -> tuple[str, ...]:
    """Japanese ん before p, b and m is said with shut lips; espeak writes a nasal vowel there."""
    said = list(segments)
    for i, after in enumerate(segments[1:]):
        is_nasal = visemes.normalise(segments[i]) in ("u", "ɯ") and "\u0303" in unicodedata.normalize(
            "NFD", segments[i]
        )
        if is_nasal and after.startswith(("p", "b", "m")):
            said[i] = "m"
    return tuple(said)


def _load() -> Any:
    import espeakng_loader
    from phonemizer.backend.espeak.wrapper import EspeakWrapper

    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    return EspeakWrapper()


_ESPEAK_LIBRARY = _Library()
