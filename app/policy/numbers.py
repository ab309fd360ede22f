"""Figures with what stands around them, as people say them: dates, times, money, units, telephone numbers. Pure.

The figures themselves stay figures: every voice here reads them. What voices get wrong is the rest, and it has to be in
the language of the sentence: a Hindi voice that meets "%" needs "प्रतिशत". English, Hindi and Japanese; other languages
get English words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_MONTHS_EN = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTHS_HI = ["जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"]
_DECADES = ["_", "tens", "twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"]
_FRACTIONS = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4"}

_EN_UNITS = {
    "km/h": "kilometers per hour",
    "kph": "kilometers per hour",
    "mph": "miles per hour",
    "m/s": "meters per second",
    "km²": "square kilometers",
    "m²": "square meters",
    "km": "kilometers",
    "cm": "centimeters",
    "mm": "millimeters",
    "m": "meters",
    "kg": "kilograms",
    "mg": "milligrams",
    "g": "grams",
    "lbs": "pounds",
    "lb": "pounds",
    "oz": "ounces",
    "ft": "feet",
    "ml": "milliliters",
    "KB": "kilobytes",
    "MB": "megabytes",
    "GB": "gigabytes",
    "TB": "terabytes",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "Hz": "hertz",
    "kWh": "kilowatt hours",
    "kW": "kilowatts",
    "ms": "milliseconds",
    "hrs": "hours",
    "°C": "degrees Celsius",
    "°F": "degrees Fahrenheit",
    "°": "degrees",
    "%": "percent",
}
_HI_UNITS = {
    "km/h": "किलोमीटर प्रति घंटा",
    "kph": "किलोमीटर प्रति घंटा",
    "mph": "मील प्रति घंटा",
    "km": "किलोमीटर",
    "cm": "सेंटीमीटर",
    "mm": "मिलीमीटर",
    "m": "मीटर",
    "kg": "किलो",
    "mg": "मिलीग्राम",
    "g": "ग्राम",
    "ft": "फ़ुट",
    "ml": "मिलीलीटर",
    "MB": "मेगाबाइट",
    "GB": "गीगाबाइट",
    "TB": "टेराबाइट",
    "°C": "डिग्री सेल्सियस",
    "°F": "डिग्री फ़ारेनहाइट",
    "°": "डिग्री",
    "%": "प्रतिशत",
}
_JA_UNITS = {
    "km": "キロメートル",
    "cm": "センチメートル",
    "mm": "ミリメートル",
    "m": "メートル",
    "kg": "キログラム",
    "mg": "ミリグラム",
    "g": "グラム",
    "ml": "ミリリットル",
    "MB": "メガバイト",
    "GB": "ギガバイト",
    "TB": "テラバイト",
    "°C": "度",
    "°F": "度",
    "°": "度",
    "%": "パーセント",
}
_SINGULAR = {"feet": "foot", "hertz": "hertz"}


@dataclass(frozen=True, slots=True)
class _Words:
    """What one language says. `money` is symbol to (whole, one whole, part, one part); "" where there are no parts."""

    units: dict[str, str]
    money: dict[str, tuple[str, str, str, str]]
    scales: dict[str, str]
    minus: str
    plus: str
    to: str
    number: str
    """With "{}" for the figure."""
    joint: str
    """Between a figure and its word."""
    date: Callable[[int, int, int], str]
    time: Callable[[int, int, int | None], str]
    fraction: Callable[[int, int], str]
    """"" where the fraction is none that is said as one."""


def _date_en(year: int, month: int, day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{_MONTHS_EN[month - 1]} {day}{ending}, {year}"


def _time_en(hour: int, minute: int, second: int | None) -> str:
    if second:
        return f"{hour} {minute:02d} and {second} seconds"
    if minute == 0:
        return "midnight" if hour == 0 else f"{hour} o'clock" if hour <= 12 else f"{hour} hundred"
    return f"{hour} oh {minute}" if minute < 10 else f"{hour} {minute}"


def _fraction_en(top: int, bottom: int) -> str:
    known = {(1, 2): "a half", (1, 3): "a third", (2, 3): "two thirds", (1, 4): "a quarter", (3, 4): "three quarters"}
    return known.get((top, bottom), f"{top} out of {bottom}" if bottom in (10, 100) and top <= bottom else "")


def _date_hi(year: int, month: int, day: int) -> str:
    return f"{day} {_MONTHS_HI[month - 1]} {year}"


def _time_hi(hour: int, minute: int, second: int | None) -> str:
    seconds = f" {second} सेकंड" if second else ""
    return f"{hour} बजकर {minute} मिनट{seconds}" if minute or second else f"{hour} बजे"


def _fraction_hi(top: int, bottom: int) -> str:
    known = {(1, 2): "आधा", (1, 3): "एक तिहाई", (2, 3): "दो तिहाई", (1, 4): "एक चौथाई", (3, 4): "तीन चौथाई"}
    return known.get((top, bottom), f"{bottom} में से {top}" if bottom in (10, 100) and top <= bottom else "")


def _date_ja(year: int, month: int, day: int) -> str:
    return f"{year}年{month}月{day}日"


def _time_ja(hour: int, minute: int, second: int | None) -> str:
    return f"{hour}時" + (f"{minute}分" if minute or second else "") + (f"{second}秒" if second else "")


def _fraction_ja(top: int, bottom: int) -> str:
    return f"{bottom}分の{top}" if 1 <= top < bottom <= 100 else ""


_EN = _Words(
    units=_EN_UNITS,
    money={
        "$": ("dollars", "dollar", "cents", "cent"),
        "€": ("euros", "euro", "cents", "cent"),
        "£": ("pounds", "pound", "pence", "penny"),
        "₹": ("rupees", "rupee", "paise", "paisa"),
        "¥": ("yen", "yen", "", ""),
    },
    scales={
        "k": "thousand",
        "K": "thousand",
        "M": "million",
        "mn": "million",
        "B": "billion",
        "bn": "billion",
        "T": "trillion",
    },
    minus="minus ",
    plus="plus ",
    to=" to ",
    number="number {}",
    joint=" ",
    date=_date_en,
    time=_time_en,
    fraction=_fraction_en,
)
_HI = _Words(
    units=_HI_UNITS,
    money={
        "$": ("डॉलर", "डॉलर", "सेंट", "सेंट"),
        "€": ("यूरो", "यूरो", "सेंट", "सेंट"),
        "£": ("पाउंड", "पाउंड", "पेंस", "पेनी"),
        "₹": ("रुपये", "रुपया", "पैसे", "पैसा"),
        "¥": ("येन", "येन", "", ""),
    },
    scales={
        "k": "हज़ार",
        "K": "हज़ार",
        "thousand": "हज़ार",
        "lakh": "लाख",
        "crore": "करोड़",
        "M": "मिलियन",
        "million": "मिलियन",
        "B": "बिलियन",
        "billion": "बिलियन",
    },
    minus="माइनस ",
    plus="प्लस ",
    to=" से ",
    number="नंबर {}",
    joint=" ",
    date=_date_hi,
    time=_time_hi,
    fraction=_fraction_hi,
)
_JA = _Words(
    units=_JA_UNITS,
    money={
        "$": ("ドル", "ドル", "セント", "セント"),
        "€": ("ユーロ", "ユーロ", "セント", "セント"),
        "£": ("ポンド", "ポンド", "ペンス", "ペニー"),
        "₹": ("ルピー", "ルピー", "パイサ", "パイサ"),
        "¥": ("円", "円", "", ""),
    },
    scales={"万": "万", "億": "億", "千": "千"},
    minus="マイナス",
    plus="プラス",
    to="から",
    number="{}番",
    joint="",
    date=_date_ja,
    time=_time_ja,
    fraction=_fraction_ja,
)
_LANGUAGES = {"en": _EN, "hi": _HI, "ja": _JA}

_NUMBER = r"\d+(?:\.\d+)?"
_GROUPED = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{2,3})*,\d{3}(?![\d,]*\d)")
_ISO_DATE = re.compile(r"(?<![\d-])(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?![\d-])")
_SLASH_DATE = re.compile(r"(?<![\d/])(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?![\d/])")
_PHONE = re.compile(
    r"(?<![\d.,+-])(?:"
    r"\+\d{1,3}(?:[ .-]?\(?\d{2,5}\)?){2,5}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}"
    r"|\d{3}[-.]\d{3}[-.]\d{4}"
    r"|\d{3}-\d{4}"
    r"|0\d{1,3}-\d{2,4}-\d{4}"
    r"|\d{5}[ -]\d{5}"
    r"|\d{10,16}"
    r")(?![\d-]|[.,]\d)"
)
_RANGE = re.compile(r"(?<=\d)\s*[-–—]\s*(?=[$€£₹¥]?\d)")
_RUPEES = re.compile(r"\bRs\.? ?(?=\d)")
_TIME = re.compile(r"(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])(?:\s?([ap])\.?m\b\.?)?", re.I)
_AM_PM = re.compile(r"(?<=\d)([ap]m)\b", re.I)
_FRACTION = re.compile(r"(?<![\d/.,])(?:(\d+) )?(\d{1,3})/(\d{1,3})(?![\d/]|\.\d)")
_SCALES = r"thousand|million|billion|trillion|lakh|crore|mn|bn|[kKMBT]|हज़ार|लाख|करोड़|万|億"
_MONEY_BEFORE = re.compile(rf"([$€£₹¥])\s?({_NUMBER})(?:\s?({_SCALES})(?![A-Za-z]))?")
_MONEY_BEHIND = re.compile(rf"(?<![A-Za-z0-9_.\u0900-\u097f])({_NUMBER})(?:\s?({_SCALES}))?\s?([$€£₹])(?!\d)")
_MINUS = re.compile(r"(?<![A-Za-z0-9_.)\]\u0900-\u097f])[-−](?=[$€£₹¥]?\d)")
_NUMERO = re.compile(r"(?:#|№|\b[Nn]o\. ?(?=\d))(?=\d)(\d+)")
_DECADE = re.compile(r"(?<![\w.,])(1[1-9]|20)?['’]?([1-9])0s\b")
_YEAR = re.compile(
    r"\b([Ii]n|[Ss]ince|until|by|of|year|summer|winter|spring|autumn|before|after) (1[1-9])(\d\d)\b(?![,.]?\d|%)"
)
_DIGITS = str.maketrans("０１２３４５６７８９％：", "0123456789%:")


def say_numbers(text: str, language: str) -> str:
    """`text` with its figures as they are said; `language` is "en", "hi", "ja" or another code."""
    words = _LANGUAGES.get(language, _EN)
    text = text.translate(_DIGITS)
    for sign, plain in _FRACTIONS.items():
        text = re.sub(rf"(?<=\d){sign}", f" {plain}", text).replace(sign, plain)
    text = _RUPEES.sub("₹", text)
    text = _ISO_DATE.sub(lambda m: _date(words, m[0], int(m[1]), int(m[2]), int(m[3])), text)
    text = _SLASH_DATE.sub(lambda m: _slash_date(words, m), text)
    text = _PHONE.sub(lambda m: _phone(words, m[0]), text)
    text = _GROUPED.sub(lambda m: m[0].replace(",", ""), text)
    text = _RANGE.sub(words.to, text)
    text = _TIME.sub(lambda m: _time(words, m), text)
    text = _AM_PM.sub(r" \1", text)
    text = _FRACTION.sub(lambda m: _fraction(words, m), text)
    text = _MINUS.sub(words.minus, text)
    text = _MONEY_BEFORE.sub(lambda m: _money(words, m[1], m[2], m[3]), text)
    text = _MONEY_BEHIND.sub(lambda m: _money(words, m[3], m[1], m[2]), text)
    text = _NUMERO.sub(lambda m: words.number.format(m[1]), text)
    if words is _JA:
        text = re.sub(rf"(?:時速)?({_NUMBER})\s?(?:km/h|kph)(?![A-Za-z])", r"時速\1キロメートル", text)
    text = _units_of(words).sub(lambda m: _unit(words, m[1], m[2]), text)
    if words is _EN:
        text = _DECADE.sub(lambda m: f"{m[1]} {_DECADES[int(m[2])]}" if m[1] else _DECADES[int(m[2])], text)
        text = _YEAR.sub(_year, text)
    return text


def _units_of(words: _Words) -> re.Pattern[str]:
    names = "|".join(re.escape(name).replace("°", "°\\s?") for name in sorted(words.units, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9_.\u0900-\u097f])({_NUMBER})\s?({names})(?![A-Za-z/²])")


def _date(words: _Words, written: str, year: int, month: int, day: int) -> str:
    return words.date(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 and year >= 1000 else written


def _slash_date(words: _Words, match: re.Match[str]) -> str:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    if first <= 12 and second <= 12 and first != second and words is _EN and "." not in match[0]:
        return match[0]  # the third of April, or the fourth of March
    day, month = (second, first) if second > 12 else (first, second)
    return _date(words, match[0], year, month, day)


def _phone(words: _Words, written: str) -> str:
    groups = re.findall(r"\d+", written)
    return (words.plus if written.startswith("+") else "") + ", ".join(" ".join(group) for group in groups)


def _time(words: _Words, match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = f" {match[4].lower()}m" if match[4] else ""
    if words is _EN and half and minute == 0 and not match[3]:
        return f"{hour}{half}"
    return words.time(hour, minute, int(match[3]) if match[3] else None) + half


def _fraction(words: _Words, match: re.Match[str]) -> str:
    said = words.fraction(int(match[2]), int(match[3]))
    if not said or not match[1]:
        return (f"{match[1]} " if match[1] else "") + (said or f"{match[2]}/{match[3]}")
    if words is _EN:
        return f"{match[1]} and {said}"
    return f"{match[1]}と{said}" if words is _JA else f"{match[1]} और {said}"


def _money(words: _Words, symbol: str, amount: str, scale: str | None) -> str:
    many, one, parts, part = words.money[symbol]
    joint = words.joint
    if scale:
        return f"{amount}{joint}{words.scales.get(scale, scale)}{joint}{many}"
    whole, _, cents = amount.partition(".")
    if cents and (len(cents) != 2 or not parts):
        return f"{amount}{joint}{many}"
    said = [f"{whole}{joint}{one if int(whole) == 1 else many}"] if int(whole) or not int(cents or 0) else []
    if int(cents or 0):
        said.append(f"{int(cents)}{joint}{part if int(cents) == 1 else parts}")
    return {"en": " and ", "": ""}.get("en" if words is _EN else joint, " ").join(said)


def _unit(words: _Words, amount: str, unit: str) -> str:
    name = words.units["".join(unit.split())]
    if words is _EN and amount == "1":
        first, _, rest = name.partition(" per ")
        first = _SINGULAR.get(
            first, first.replace("degrees", "degree") if "degree" in first else first.removesuffix("s")
        )
        name = f"{first} per {rest}" if rest else first
    return f"{amount}{words.joint}{name}"


def _year(match: re.Match[str]) -> str:
    rest = "hundred" if match[3] == "00" else f"oh {match[3][1]}" if match[3][0] == "0" else match[3]
    return f"{match[1]} {match[2]} {rest}"
