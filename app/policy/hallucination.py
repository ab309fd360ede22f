"""What Whisper makes up where nothing was said. Pure."""

from __future__ import annotations

import re
import unicodedata
import zlib

# What Whisper was trained to write over silence: the ends of subtitle files. People say some of these as well.
_PHRASES = (
    *("amara org community", "bye", "bye bye", "please subscribe", "please subscribe to my channel"),
    *("see you in the next video", "subscribe", "thank you", "thank you for watching"),
    *("thank you so much for watching", "thank you very much", "thanks", "thanks for watching", "the end", "you"),
    *("ありがとうございました", "ありがとうございます", "おやすみなさい", "またね", "バイバイ"),
    *("धन्यवाद", "नमस्कार", "शुक्रिया", "प्रस्तुत्र", "सब्सक्राइब", "सब्सक्राइब करें", "लाइक और सब्सक्राइब करें"),
    *("감사합니다", "다음 영상에서 만나요", "谢谢", "謝謝", "多謝"),
    *("merci", "danke", "vielen dank", "gracias", "obrigado", "продолжение следует", "спасибо"),
)
_NEVER = (
    # Nobody says these to somebody; large models write them with full confidence.
    *("by the amara org community", "subtitles by", "amara org"),
    *("ご視聴ありがとうございま", "ご清聴ありがとうございま", "ご視聴いただきありがとうございま", "チャンネル登録"),
    *("次の動画でお会いしましょう", "次回の動画でお会いしましょう"),
    *("देखने के लिए धन्यवाद", "चैनल को सब्सक्राइब", "वीडियो को लाइक"),
    *("시청해 주셔서 감사합니다", "구독과 좋아요", "mbc 뉴스"),
    *("请不吝点赞", "請不吝點贊", "谢谢观看", "謝謝觀看", "感谢观看", "感謝觀看"),
    *("merci d'avoir regardé cette vidéo", "suscríbete al canal", "субтитры сделал", "субтитры создавал"),
    *("untertitelung des zdf", "untertitelung im auftrag des zdf", "izlediğiniz için teşekkür"),
)
_SOUND_NOTES = re.compile(r"[\[(（【♪][^\])）】♪]*[\])）】♪]?")
_LATIN = r"A-Za-z\u00aa-\u024f\uff21-\uff5a"
_CJK = r"\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f"
_NO_SPACES = re.compile(f"[{_CJK}\\uac00-\\ud7af]")
_SCRIPTS = {
    "en": re.compile(f"[{_LATIN}]"),
    "hi": re.compile(f"[{_LATIN}\\u0900-\\u097f]"),
    "ja": re.compile(f"[{_LATIN}{_CJK}]"),
}
_WORDS_PER_S, _CHARACTERS_PER_S = 8, 18
"""Nobody is faster: quick talkers reach 5 words a second, and 10 to 12 kana."""


def _words(text: str) -> list[str]:
    # Not \w, which leaves out the vowel signs of Hindi.
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text.lower())
    return "".join(kept).split()


_PHRASES_JOINED = frozenset("".join(_words(phrase)) for phrase in _PHRASES)
_NEVER_JOINED = tuple("".join(_words(phrase)) for phrase in _NEVER)


def without_sound_notes(text: str) -> str:
    """Drop notes such as "[BLANK_AUDIO]", "(music)" and "♪ ♪", which are descriptions and not words."""
    return " ".join(_SOUND_NOTES.sub(" ", text).split())


def compression_ratio(text: str) -> float:
    """Length over zlib length, as Whisper's own for Latin text; 1 for an empty one.

    One byte a character: in UTF-8 every letter of Hindi begins with the same two bytes, and plain speech would look
    like a loop.
    """
    data = bytes(ord(c) & 0xFF for c in text)
    return len(data) / len(zlib.compress(data)) if data else 1.0


def is_repeated(text: str) -> bool:
    """Whether the same few words, or characters where none stand between words, are most of the text.

    One to six words at least four times in a row; of characters one ten times, two or three six times, more four times.
    """
    words = _words(text)
    for size in range(1, 7):
        for start in range(len(words) - 4 * size + 1):
            unit = words[start : start + size]
            times = 1
            while words[start + times * size : start + (times + 1) * size] == unit:
                times += 1
            if times >= 4 and times * size * 2 > len(words):
                return True
    joined = "".join(words)
    if not _NO_SPACES.search(joined):
        return False
    # People laugh "はははは" and agree "そうそうそうそう".
    loops = (r"(.)\1{9,}", r"(.{2,3}?)\1{5,}", r"(.{4,20}?)\1{3,}")
    return any(2 * len(found.group()) > len(joined) for loop in loops for found in re.finditer(loop, joined))


def is_other_script(text: str, language: str) -> bool:
    """Whether most letters are of a script that `language` is not written in; False for a language not known here."""
    letters = [c for c in text if c.isalpha()]
    script = _SCRIPTS.get(language)
    return script is not None and 2 * sum(script.match(c) is not None for c in letters) < len(letters)


def keep(
    text: str,
    *,
    duration_s: float,
    no_speech_probability: float = 0.0,
    mean_log_probability: float = 0.0,
    compression_ratio: float = 1.0,
    language: str = "en",
) -> str:
    """The text that was really said, or "".

    Args:
        text: What the model wrote.
        duration_s: Length of the sound it heard.
        no_speech_probability: Whisper's own, in [0, 1].
        mean_log_probability: Mean over tokens, at most 0.
        compression_ratio: That of this module.
        language: What is spoken, a Whisper code: "en" comes in Latin letters, "hi" also in Devanagari, "ja" also in
            kana and kanji; any other in any script.

    Thresholds: Whisper's published ones (0.6, -1.0, 2.4); a stock phrase is believed only where the model was sure that
    there was speech (below 0.06), or where the sound is long enough for it not to be a breath.
    """
    text = without_sound_notes(text)
    words = _words(text)
    joined = "".join(words)
    if not joined.strip("'"):
        return ""
    if no_speech_probability > 0.6 and mean_log_probability < -1.0:
        return ""
    if no_speech_probability > 0.9 or compression_ratio > 2.4 or is_repeated(text) or is_other_script(text, language):
        return ""
    if any(phrase in joined for phrase in _NEVER_JOINED):
        return ""
    if joined in _PHRASES_JOINED and (no_speech_probability > 0.06 or duration_s < 0.6):
        return ""
    if duration_s > 0 and len(words) / duration_s > _WORDS_PER_S and len(words) > 4:
        return ""
    unspaced = len(_NO_SPACES.findall(joined))
    if duration_s > 0 and unspaced / duration_s > _CHARACTERS_PER_S and unspaced > 12:
        return ""
    return text
