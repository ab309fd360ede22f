"""Cuts a sentence that is longer than a voice server takes at one go. Pure."""

from __future__ import annotations

import re

LIMIT_CHARS = {
    "en": 250,
    "hi": 150,
    "zh-cn": 82,
    "zh": 82,
    "ja": 71,
    "fr": 273,
    "de": 253,
    "es": 239,
    "it": 213,
    "pt": 203,
    "pl": 224,
    "tr": 226,
    "ru": 182,
    "nl": 251,
    "cs": 186,
    "ar": 166,
    "hu": 224,
    "ko": 95,
}
"""XTTS's soft limits per language (idiap's fork of Coqui TTS); longer text is cut off or garbled."""
DEFAULT_LIMIT_CHARS = 200

_BREAKS = (re.compile(r"[.!?…。！？।][\"'”’)]*\s*"), re.compile(r"[,;:—、，；：]\s*"), re.compile(r"\s+"))


def limit_for(language: str) -> int:
    """Characters that may be sent at once."""
    return LIMIT_CHARS.get(language, DEFAULT_LIMIT_CHARS)


def split_for(text: str, limit: int) -> list[str]:
    """`text` in parts of at most `limit` characters, cut at ends of sentences, else at commas, else between words.

    Every part has a letter or a digit: punctuation alone makes some servers fail.
    """
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > limit:
        cut = next((at for at in (_last(pattern, rest, limit) for pattern in _BREAKS) if at), limit)
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    parts.append(rest)
    return [part for part in parts if any(c.isalnum() for c in part)]


def _last(pattern: re.Pattern[str], text: str, limit: int) -> int:
    """Where the last break within `limit` ends; 0 if there is none past a third of it (shorter parts sound chopped)."""
    ends = [match.end() for match in pattern.finditer(text) if len(text[: match.end()].rstrip()) <= limit]
    return ends[-1] if ends and ends[-1] > limit // 3 else 0


def language_of(text: str) -> str:
    """The language of `text` by its script, in AllTalk's names; "en" where the letters are Latin."""
    counts = {"hi": 0, "ja": 0, "zh-cn": 0, "ko": 0, "ru": 0, "ar": 0, "en": 0}
    for char in text:
        code = ord(char)
        if 0x0900 <= code <= 0x097F:
            counts["hi"] += 1
        elif 0x3040 <= code <= 0x30FF:
            counts["ja"] += 3  # kana settle it, however many Chinese characters stand beside them
        elif 0x4E00 <= code <= 0x9FFF:
            counts["zh-cn"] += 2
        elif 0xAC00 <= code <= 0xD7AF:
            counts["ko"] += 2
        elif 0x0400 <= code <= 0x04FF:
            counts["ru"] += 1
        elif 0x0600 <= code <= 0x06FF:
            counts["ar"] += 1
        elif char.isalpha():
            counts["en"] += 1
    if counts["ja"] and counts["zh-cn"]:
        counts["ja"] += counts["zh-cn"]
    if counts["hi"]:
        # Mixed sentences are spoken by Hindi rules: they read English words too, English rules read no Devanagari.
        return "hi"
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else "en"
