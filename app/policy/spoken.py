"""Writes text the way it is spoken, for a voice that reads letters and figures only. Pure."""

from __future__ import annotations

import re

from app.policy.hinglish import mixed_script
from app.policy.sentences import clean

_URL = re.compile(r"(?:https?://|www\.)([^\s/?#]+)[^\s]*", re.IGNORECASE)
_EMAIL = re.compile(r"([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")
_MONEY = re.compile(r"([$€£₹¥])\s?(\d[\d,]*(?:\.\d+)?)(\s(?:thousand|million|billion|trillion))?")
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "₹": "rupees", "¥": "yen"}
_UNITS = (
    (r"°\s?C\b", " degrees Celsius"),
    (r"°\s?F\b", " degrees Fahrenheit"),
    ("°", " degrees"),
    (r"(?<=\d)\s?%", " percent"),
)
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


def spoken(text: str, language: str = "auto") -> str:
    """`text` in words; "" where there is nothing to say. Figures stay, since the voice reads them itself."""
    text = clean("".join(c if c.isprintable() else " " for c in text))
    if language in ("auto", "hi"):
        text = mixed_script(text)
    ends_with_comma = text.endswith(",")
    text = _EMAIL.sub(lambda m: f"{m[1]} at {m[2].replace('.', ' dot ')}", text)
    text = _URL.sub(lambda m: m[1].removeprefix("www.").rstrip(".,!?").replace(".", " dot "), text)
    text = _MONEY.sub(lambda m: f"{m[2]}{m[3] or ''} {_CURRENCIES[m[1]]}", text)
    for pattern, words in _UNITS:
        text = re.sub(pattern, words, text)
    text = re.sub(r"#(?=\d)", "number ", text).replace("#", " ")
    text = re.sub(r"(?<=\d)\s*[-–—]\s*(?=\d)", " to ", text)
    text = "".join(_SYMBOLS.get(c, c) for c in text)
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
