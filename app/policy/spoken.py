"""Writes text the way it is spoken, for a voice that reads letters and figures only. Pure."""

from __future__ import annotations

import re

from app.policy.chunks import language_of
from app.policy.hinglish import mixed_script
from app.policy.numbers import say_numbers
from app.policy.sentences import clean

# Words that English does not have, since "main", "to" and "are" are both: one of them has to be there.
_SURELY_HINDI = re.compile(
    r"\b(?:hai|hain|hoon|hun|kya|kyun|kyu|kaise|kaisa|kaisi|kaun|kahan|kab|nahi|nahin|mera|meri|mere|tera|teri|tum|tumhara|"
    r"aap|aapka|hum|humara|yeh|woh|aur|bhi|bahut|bohot|kuch|abhi|phir|accha|acha|achha|theek|thik|yaar|bhai|arre|arey|"
    r"chalo|karo|karna|karke|raha|rahi|rahe|gaya|gayi|hota|hoti|wala|wali|lekin|kyunki|matlab|namaste|dost|dosto|"
    r"shukriya|dhanyavaad|suno|dekho|bolo|batao|mujhe|tujhe|usko|isko|apna|apni|sab|kal|aaj|haan|nahi)\b",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://|www\.)([^\s/?#]+)[^\s]*", re.IGNORECASE)
_EMAIL = re.compile(r"([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")
_SYMBOLS = {
    "%": " percent ",
    "&": " and ",
    "@": " at ",
    "+": " plus ",
    "=": " equals ",
    "×": " times ",
    "÷": " divided by ",
    "≈": " about ",
    "→": ", ",
    "—": ", ",
    "–": ", ",
    "…": "... ",
    "/": " ",
    "\\": " ",
    "|": ", ",
    "_": " ",
    "^": " ",
    "~": " ",
    "<": " ",
    ">": " ",
    "{": " ",
    "}": " ",
    "(": ", ",
    ")": ", ",
    "[": ", ",
    "]": ", ",
    '"': "",
    "“": "",
    "”": "",
    "«": "",
    "»": "",
    "’": "'",
    "‘": "'",
}


_SYMBOLS_OF = {
    "hi": {
        "%": " प्रतिशत ",
        "&": " और ",
        "@": " ऐट ",
        "+": " प्लस ",
        "=": " बराबर ",
        "×": " गुणा ",
        "÷": " भाग ",
        "≈": " लगभग ",
    },
    "ja": {
        "%": "パーセント",
        "&": "アンド",
        "@": "アット",
        "+": "たす",
        "=": "は",
        "×": "かける",
        "÷": "わる",
        "≈": "およそ",
    },
}


_ESPEAK_NAMES = {"zh": "cmn", "zh-cn": "cmn"}
"""Where espeak names a language otherwise than voice servers do."""
_CODE = re.compile(r"[a-z0-9-]{1,16}")


def espeak_language(words: str, language: str = "auto") -> str:
    """The espeak code of what `spoken` returned: that of the settings, where "auto" goes by the script.

    "" where there are no words, or where the settings hold no code.
    """
    if not words:
        return ""
    code = language_of(words) if language in ("", "auto") else language.strip().lower().replace("_", "-")
    code = _ESPEAK_NAMES.get(code, code)
    return code if _CODE.fullmatch(code) else ""


def spoken(text: str, language: str = "auto") -> str:
    """`text` in words of `language`, which "auto" finds by its script; "" where there is nothing to say.

    Figures stay, since the voice reads them itself.
    """
    text = clean("".join(c if c.isprintable() else " " for c in text))
    if language in ("auto", "hi") and _SURELY_HINDI.search(text):
        text = mixed_script(text)
    ends_with_comma = text.endswith(",")
    text = _EMAIL.sub(lambda m: f"{m[1]} at {m[2].replace('.', ' dot ')}", text)
    text = _URL.sub(lambda m: m[1].removeprefix("www.").rstrip(".,!?").replace(".", " dot "), text)
    if language in ("", "auto"):
        language = language_of(text)
    text = say_numbers(text, language).replace("#", " ")
    symbols = _SYMBOLS | _SYMBOLS_OF.get(language, {})
    text = "".join(symbols.get(c, c) for c in text)
    # Awwwww, sooooo: the voice would spell them.
    text = re.sub(r"([^\W\d])\1{3,}", r"\1\1", text)
    text = re.sub(r"([!?,;:])\1+", r"\1", text)
    text = re.sub(r"\.{4,}", "...", text)
    text = re.sub(r"\s+([,.!?;:])", r"\1", " ".join(text.split()))
    text = re.sub(r",(?:\s*,)+", ",", text)
    text = re.sub(r"([.!?;:]),|,\s*([.!?;:])", r"\1\2", text).rstrip(" ;:-")
    if not ends_with_comma:
        text = text.rstrip(",")
    text = text.lstrip(" ,;:-.!?")
    if not any(c.isalnum() for c in text):
        return ""
    return text if not text[-1].isalnum() else text + "."
