"""What Whisper makes up where nothing was said. Pure."""

from __future__ import annotations

import re

# What Whisper was trained to write over silence: the ends of subtitle files.
_PHRASES = frozenset(
    {
        "amara org community",
        "bye",
        "bye bye",
        "please subscribe",
        "please subscribe to my channel",
        "see you in the next video",
        "subscribe",
        "subtitles by the amara org community",
        "thank you",
        "thank you for watching",
        "thank you so much for watching",
        "thank you very much",
        "thanks",
        "thanks for watching",
        "the end",
        "you",
    }
)
_SOUND_NOTES = re.compile(r"[\[(♪][^\])♪]*[\])♪]?")
_LATIN = re.compile(r"[A-Za-z]")
_LETTER = re.compile(r"[^\W\d_]")


def without_sound_notes(text: str) -> str:
    """Drop notes such as "[BLANK_AUDIO]", "(music)" and "♪ ♪", which are descriptions and not words."""
    return " ".join(_SOUND_NOTES.sub(" ", text).split())


def is_repeated(text: str) -> bool:
    """Whether the same one to six words come at least four times in a row and make up most of the text."""
    words = re.findall(r"[\w']+", text.lower())
    for size in range(1, 7):
        for start in range(len(words) - 4 * size + 1):
            unit = words[start : start + size]
            times = 1
            while words[start + times * size : start + (times + 1) * size] == unit:
                times += 1
            if times >= 4 and times * size * 2 > len(words):
                return True
    return False


def keep(
    text: str,
    *,
    duration_s: float,
    no_speech_probability: float = 0.0,
    mean_log_probability: float = 0.0,
    compression_ratio: float = 1.0,
    english: bool = True,
) -> str:
    """The text that was really said, or "".

    Args:
        text: What the model wrote.
        duration_s: Length of the sound it heard.
        no_speech_probability: Whisper's own, in [0, 1].
        mean_log_probability: Mean over tokens, at most 0.
        compression_ratio: Text length over its zlib length.
        english: Whether Latin letters are expected.

    Thresholds: Whisper's published ones (0.6, -1.0, 2.4); a stock phrase is believed only where the model was sure that
    there was speech (below 0.06), or where the sound is long enough for it not to be a breath.
    """
    text = without_sound_notes(text)
    if not re.search(r"\w", text):
        return ""
    if no_speech_probability > 0.6 and mean_log_probability < -1.0:
        return ""
    if no_speech_probability > 0.9 or compression_ratio > 2.4 or is_repeated(text):
        return ""
    if english and _LETTER.search(text) and not _LATIN.search(text):
        return ""
    words = re.findall(r"\w+", text.lower())
    if " ".join(words) in _PHRASES and (no_speech_probability > 0.06 or duration_s < 0.6):
        return ""
    if duration_s > 0 and len(words) / duration_s > 8 and len(words) > 4:
        return ""
    return text
