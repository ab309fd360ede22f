"""Hindi that is typed in Latin letters between English words: which words they are, and how they are written. Pure.

The voice gets Hindi words in Devanagari, so that it speaks them by Hindi rules; English words stay as they are. On
screen nothing changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from app.policy.hindi_words import AFTER_CONSONANT, AFTER_VOWEL, STEMS, SUFFIXES, WORDS

_TOKEN = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|[\u0900-\u097f]+|[^A-Za-z\u0900-\u097f]+")
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_CLAUSE_END = re.compile(r"[.!?;:।…\n]")

# Words of both languages, and of which one they are where nothing around them says so.
_BOTH = {
    "main": "मैं",
    "mein": "में",
    "me": "में",
    "to": "तो",
    "hi": "ही",
    "the": "थे",
    "is": "इस",
    "us": "उस",
    "in": "इन",
    "un": "उन",
    "are": "अरे",
    "or": "और",
    "do": "दो",
    "so": "सो",
    "he": "है",
    "use": "उसे",
    "mere": "मेरे",
    "pass": "पास",
    "band": "बंद",
    "bad": "बाद",
    "age": "आगे",
    "pal": "पल",
    "bat": "बात",
    "man": "मन",
    "rat": "रात",
    "hat": "हट",
    "gum": "ग़म",
    "char": "चार",
    "sat": "सात",
    "ram": "राम",
    "jag": "जाग",
    "raj": "राज",
}

_ENGLISH = frozenset(
    re.findall(
        r"\S+",
        "a an and any all am as at be been being but by can could did does doing done don't can't won't didn't "
        "doesn't isn't aren't wasn't i'm i'll i've i'd it's that's you're they're we're he's she's let's there's "
        "what's for from had has have her here hers him his how i if it its just like make made many may more "
        "most much must my myself no not now of off on one only our out over own she should some such than that "
        "their them then there these they this those too two under up very was we were what when where which "
        "while who why will with would yes you your yours about after again before because been between both down "
        "during each few get give go going got into know let look love need never new next nice old okay ok "
        "please really right said say see same something still sure take tell thank thanks thing things think "
        "time today tomorrow tonight try want wanted way well went work good great happy hello hey come back home "
        "best better big little long last first another every everyone everything people",
    )
)
_BEFORE_ENGLISH_ME = frozenset(
    re.findall(
        r"\S+",
        "tell give call let help show ask text for with to from of about and on at by love send make want trust "
        "believe excuse hate miss like message dm ping remind teach kill save follow join hear see between near "
        "than",
    )
)
_AFTER_ENGLISH_MAIN = frozenset(
    [
        "problem",
        "reason",
        "thing",
        "issue",
        "point",
        "character",
        "road",
        "topic",
        "part",
        "menu",
        "course",
        "event",
        "cast",
        "door",
        "gate",
        "idea",
        "question",
    ]
)
_BEFORE_ENGLISH_TO = frozenset(
    [
        "want",
        "going",
        "have",
        "need",
        "has",
        "had",
        "able",
        "like",
        "used",
        "got",
        "trying",
        "ready",
        "close",
        "up",
        "according",
    ]
)
_AFTER_SO = frozenset(
    [
        "raha",
        "rahi",
        "rahe",
        "rha",
        "rhi",
        "gaya",
        "gayi",
        "gaye",
        "jao",
        "ja",
        "jaa",
        "jaata",
        "jaati",
        "jaana",
        "jana",
        "ke",
        "kar",
        "ja",
    ]
)
_AFTER_BAND = frozenset(
    ["kar", "karo", "karke", "karna", "kiya", "kardo", "ho", "hai", "hua", "tha", "karen", "kijiye"]
)
_PASS_AFTER = frozenset(
    ["mere", "tere", "uske", "aapke", "apke", "apne", "tumhare", "ke", "hamare", "humare", "kiske", "unke", "iske"]
)
# Spellings that English hardly ever has.
_LOOKS_HINDI = re.compile(
    r"^(?:bh|dh|jh|kh|chh|gh(?!o|e))[aeiou]|aa|(?:iye|unga|ungi|oonga|enge|ega|egi|oge|ogi|wala|wali|iyan|iyon)$"
)


@cache
def _lexicon() -> tuple[dict[str, str], frozenset[str]]:
    """(spelling to Devanagari, spellings that are words of other languages too)."""
    words: dict[str, str] = {}
    doubtful: set[str] = set(_BOTH)
    for entry in re.split(r"[;\n]", WORDS):
        hindi, *spellings = entry.split() or [""]
        for spelling in spellings:
            plain = spelling.rstrip("_")
            words.setdefault(plain, hindi)
            if spelling.endswith("_"):
                doubtful.add(plain)
    for entry in re.split(r"[;\n]", STEMS):
        hindi, *spellings = entry.split() or [""]
        for stem in spellings:
            if len(stem) > 3:
                words.setdefault(stem, hindi)
            ends_in_vowel = stem[-1] in "aeiou" or hindi[-1] in "ाीूेो"
            for suffix, sign in (*SUFFIXES, *(AFTER_VOWEL if ends_in_vowel else AFTER_CONSONANT)):
                words.setdefault(stem + suffix, hindi + sign)
    for spelling in _NEVER:
        words.pop(spelling, None)
    words.update(_BOTH)
    doubtful |= _ALSO_ENGLISH & words.keys()
    return words, frozenset(doubtful)


# Found by comparing the lexicon with the frequencies of English words (wordfreq, Zipf 2.6 and more).
_ALSO_ENGLISH = frozenset(
    re.findall(
        r"\S+",
        "banana bees han mann lena hum ham milo sunni haste hara fir dar sher rani raja puri ped das beech sham kamal "
        "jo ab todo nacho roo pao jana giro didi dara kari baal kala matlab varna mil der ta baba chand rote rota "
        "sochi gaon wah hua lao zara par karen mila baja dur thay soo",
    )
)
_NEVER = frozenset(re.findall(r"\S+", "late lake lane gate dare lagoon hansen pane pate jodi toda parson bake"))
_SMALL = frozenset(re.findall(r"\S+", "ya na ho ap yr pe wo vo ja ka ki ko ke se ye tu hai hu ji ha tm tum kal koi ek"))
"""So short that one of them alone, between English words, may be a typing error or an interjection: "see ya"."""


def is_hindi(text: str) -> list[tuple[str, bool]]:
    """The words of `text` in order, each with whether it is Hindi."""
    tokens = _TOKEN.findall(text)
    flags = _decide(tokens)
    return [(token, flag) for token, flag in zip(tokens, flags, strict=True) if flag is not None]


def mixed_script(text: str) -> str:
    """`text` with its Hindi words in Devanagari and everything else as it was.

    Unchanged where no word is Hindi beyond doubt: "I am in the main hall" stays English.
    """
    tokens = _TOKEN.findall(text)
    flags = _decide(tokens)
    words = _lexicon()[0]
    out: list[str] = []
    for i, (token, flag) in enumerate(zip(tokens, flags, strict=True)):
        is_letter = len(token) == 1 and (token.isupper() or i == 0 or tokens[i - 1].strip() == "/")  # H100, km/h
        if not flag or is_letter or _DEVANAGARI.match(token):
            out.append(token)
        elif token.lower() in ("mein", "me", "main"):
            out.append(_main_or_in(tokens, i))
        elif token.lower() == "ki" and _last_word(tokens, i) in _BEFORE_THAT:
            out.append("कि")
        else:
            out.append(words.get(token.lower()) or _inflected(token.lower()) or devanagari(token.lower()))
    return "".join(out)


def has_hindi(text: str) -> bool:
    """Whether `text` is, at least in part, Hindi."""
    return bool(_DEVANAGARI.search(text)) or any(flag for _, flag in is_hindi(text))


def _decide(tokens: Sequence[str]) -> list[bool | None]:
    """For each token: Hindi, not Hindi, or None for what is no word."""
    words, doubtful = _lexicon()
    lower = [token.lower().replace("’", "'") for token in tokens]
    values: list[float | None] = []
    is_shouted = sum(t.isupper() for t in tokens) > len(tokens) / 3
    for token, low in zip(tokens, lower, strict=True):
        if not token[0].isalpha() and not _DEVANAGARI.match(token):
            values.append(None)
        elif _DEVANAGARI.match(token):
            values.append(1.0)
        elif token.isupper() and len(token) > 1 and not is_shouted:
            values.append(-0.3)  # TV, OMG
        elif low in doubtful:
            values.append(0.0)
        elif low in words or (_inflected(low) and low not in _ENGLISH):
            values.append(1.0)
        elif low in _ENGLISH or "'" in low:
            values.append(-1.0)
        else:
            values.append(-0.2)
    hindi = sum(value == 1.0 for value in values)
    english = sum(value == -1.0 for value in values)
    plain = [low for low, value in zip(lower, values, strict=True) if value == 1.0]
    if not hindi or (hindi == 1 and english and plain[0] in _SMALL):
        return [None if value is None else False for value in values]
    lean = 0.35 if hindi >= english else -0.35
    flags: list[bool | None] = [None if value is None else value == 1.0 for value in values]
    for i, value in enumerate(values):
        if value == -0.2 and _LOOKS_HINDI.search(lower[i]) and hindi >= english:
            flags[i], values[i] = True, 0.8
    # Those with a rule of their own last: what the others turned out to be helps them.
    doubts = [i for i, value in enumerate(values) if value == 0.0]
    for i in sorted(doubts, key=lambda i: (lower[i] in _BOTH, i)):
        if values[i] == 0.0:
            around = _Around(lower, values, i)
            flags[i] = _is_doubtful_hindi(lower[i], around, lean)
            values[i] = 0.7 if flags[i] else -0.6
    return flags


class _Around:
    """The words beside the one at `i`, within its clause."""

    def __init__(self, lower: Sequence[str], values: Sequence[float | None], i: int) -> None:
        self.left = self._words(lower, values, range(i - 1, -1, -1))
        self.right = self._words(lower, values, range(i + 1, len(lower)))

    @staticmethod
    def _words(lower: Sequence[str], values: Sequence[float | None], order: range) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        for at in order:
            value = values[at]
            if value is None:
                if _CLAUSE_END.search(lower[at]):
                    break
                if "," in lower[at]:
                    found.append((",", 0.0))
                continue
            found.append((lower[at], value))
            if len(found) >= 4:
                break
        return found

    def word(self, side: int, at: int = 0) -> str:
        words = self.left if side < 0 else self.right
        return words[at][0] if at < len(words) else ""

    def value(self, side: int, at: int = 0) -> float:
        words = self.left if side < 0 else self.right
        return words[at][1] if at < len(words) else 0.0

    def score(self) -> float:
        weights = (1.0, 0.5, 0.25, 0.1)
        return sum(
            weight * value
            for words in (self.left, self.right)
            for weight, (_, value) in zip(weights, words, strict=False)
        )


def _is_doubtful_hindi(word: str, around: _Around, lean: float) -> bool:
    before, after = around.word(-1), around.word(1)
    left, right = around.value(-1), around.value(1)
    score = around.score() + lean
    match word:
        case "me":
            if before in _BEFORE_ENGLISH_ME or not before or after in ("too", "up", "out"):
                return not before and right > 0
            return score > 0 or right > 0
        case "mein":
            return True
        case "main":
            if after in _AFTER_ENGLISH_MAIN or before in ("the", "my", "a", "our", "your", "its"):
                return False
            return score > -0.3
        case "to":
            if before in _BEFORE_ENGLISH_TO or (left == -1.0 and right <= 0):
                return False
            return left > 0 or right > 0
        case "hi":
            return left > 0
        case "the":
            return left > 0 and (right > 0 or not after or after == ",")
        case "is":
            return right > 0 and left >= -0.2
        case "us" | "un" | "use":
            if word == "use" and after.startswith(("kar", "ho", "me")):
                return False
            return right > 0 or (left > 0 and score > 0 and word != "us" and not after)
        case "in":
            return right > 0 and left > -0.1
        case "are":
            return (not before and right > 0) or (before == "," and right > 0)
        case "or":
            return left > 0 and (right > 0 or score > 0.4)
        case "do":
            return left > 0 or (right > 0 and not before)
        case "so":
            return after in _AFTER_SO
        case "he":
            return left > 0 and (not after or after == ",")
        case "h" | "n":
            return left > 0
        case "pass":
            return before in _PASS_AFTER
        case "band":
            return after in _AFTER_BAND
        case "bad":
            return before in ("ke", "uske", "iske", "kuch", "aur")
        case "age":
            return left > 0 and right > 0
        case "ha" | "oh":
            return score > 0.8
    return score > 0.25


_BEFORE_THAT = frozenset(
    re.findall(
        r"\S+",
        "hai hain tha thi hoon hun ho h bola boli bole kaha kahte kehte kehta lagta lagti laga socha sochta pata "
        "bataya batao suna dekha jaise kyunki matlab umeed socho yaad malum maloom hoga kar",
    )
)
"""Behind these, "ki" is the word for "that", and not the one for "of"."""


def _last_word(tokens: Sequence[str], i: int) -> str:
    return next((token.lower() for token in reversed(tokens[:i]) if token[0].isalpha()), "")


def _main_or_in(tokens: Sequence[str], i: int) -> str:
    """मैं (I) at the head of a clause and before what I do; में (in) behind the noun that it belongs to."""
    word = tokens[i].lower()
    if word == "main":
        return "मैं"
    before = [t for t in tokens[:i] if t[0].isalpha() or _DEVANAGARI.match(t)]
    separator = tokens[i - 1] if i else ""
    starts = (
        not before or bool(re.search(r"[,.!?;:।]", separator)) or before[-1].lower() in ("aur", "toh", "to", "lekin")
    )
    return "मैं" if word == "mein" and starts else "में"


_PLURALS = (("iyon", "ियों"), ("iyan", "ियाँ"), ("iya", "ियाँ"), ("on", "ों"), ("ein", "ें"))


def _inflected(word: str) -> str:
    """Devanagari of a plural or an oblique form of a word that is known; "" where it is none."""
    words, doubtful = _lexicon()
    for ending, sign in _PLURALS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        for base in (stem, stem + "a", stem + "i"):
            if base in words and base not in doubtful:
                root = words[base]
                if base != stem:
                    root = root.removesuffix("ा").removesuffix("ी")
                return root + sign
    return ""


# Letters

_CONSONANTS = (
    ("chh", "छ"),
    ("ksh", "क्ष"),
    ("gy", "ज्ञ"),
    ("kh", "ख"),
    ("gh", "घ"),
    ("ch", "च"),
    ("jh", "झ"),
    ("th", "थ"),
    ("dh", "ध"),
    ("ph", "फ"),
    ("bh", "भ"),
    ("sh", "श"),
    ("k", "क"),
    ("q", "क़"),
    ("g", "ग"),
    ("c", "क"),
    ("j", "ज"),
    ("t", "त"),
    ("d", "द"),
    ("n", "न"),
    ("p", "प"),
    ("b", "ब"),
    ("f", "फ़"),
    ("m", "म"),
    ("y", "य"),
    ("r", "र"),
    ("l", "ल"),
    ("v", "व"),
    ("w", "व"),
    ("s", "स"),
    ("h", "ह"),
    ("z", "ज़"),
    ("x", "क्स"),
)
_VOWELS = (
    ("aa", "आ", "ा"),
    ("ai", "ऐ", "ै"),
    ("au", "औ", "ौ"),
    ("ou", "औ", "ौ"),
    ("ee", "ई", "ी"),
    ("ii", "ई", "ी"),
    ("oo", "ऊ", "ू"),
    ("uu", "ऊ", "ू"),
    ("ei", "ए", "े"),
    ("a", "अ", ""),
    ("i", "इ", "ि"),
    ("u", "उ", "ु"),
    ("e", "ए", "े"),
    ("o", "ओ", "ो"),
)
_LONG_AT_END = {"a": ("आ", "ा"), "i": ("ई", "ी"), "u": ("ऊ", "ू")}
_ONSETS = frozenset(
    [
        "pr",
        "kr",
        "tr",
        "gr",
        "dr",
        "br",
        "ky",
        "py",
        "gy",
        "ny",
        "ty",
        "vy",
        "sw",
        "sy",
        "st",
        "sk",
        "sp",
        "sm",
        "sn",
        "shr",
        "kl",
        "gl",
        "pl",
        "bl",
        "tw",
        "dw",
        "jw",
    ]
)


def devanagari(word: str) -> str:
    """A romanised Hindi word by rule, for words that no lexicon has: the spelling of chats, sounds before letters.

    An "a" between consonants is the one that Devanagari does not write; at the end it is long. Only consonants that
    begin the word, stand twice, or have a y behind them are joined: in "karta" the r keeps its silent vowel.
    """
    word = re.sub(r"[^a-z]", "", word.lower())
    units: list[tuple[str, str, str]] = []  # kind, letters, sign
    at = 0
    while at < len(word):
        for letters, sign in _CONSONANTS:
            if word.startswith(letters, at):
                units.append(("c", letters, sign))
                at += len(letters)
                break
        else:
            for letters, alone, _ in _VOWELS:
                if word.startswith(letters, at):
                    units.append(("v", letters, alone))
                    at += len(letters)
                    break
            else:
                at += 1
    signs = {letters: sign for letters, _, sign in _VOWELS}
    out = ""
    for i, (kind, letters, sign) in enumerate(units):
        previous = units[i - 1] if i else ("", "", "")
        following = units[i + 1] if i + 1 < len(units) else ("", "", "")
        is_end = i == len(units) - 1
        if kind == "v":
            alone, joined = sign, signs[letters]
            if is_end and letters in _LONG_AT_END and i:
                alone, joined = _LONG_AT_END[letters]
            out += joined if previous[0] == "c" else alone
            continue
        if (
            letters == "n"
            and is_end
            and previous[0] == "v"
            and previous[1] in ("ai", "ei", "oo", "o", "aa", "ee", "au")
        ):
            out += "ँ" if previous[1] in ("oo", "aa") else "ं"
            continue
        if letters in ("n", "m") and previous[0] == "v" and following[0] == "c" and following[1][0] not in "nmyrlvwhs":
            out += "ं"
            continue
        out += sign
        if following[0] == "c":
            pair = letters + following[1]
            if letters == following[1] or (following[1] == "y" and previous[0] != "") or (i == 0 and pair in _ONSETS):
                out += "्"
    return out


_INDEPENDENT = {"अ": "a", "आ": "aa", "इ": "i", "ई": "ee", "उ": "u", "ऊ": "oo", "ऋ": "ri", "ए": "e", "ऐ": "ai"}
_INDEPENDENT |= {"ओ": "o", "औ": "au", "ऑ": "o", "ऍ": "e"}
_SIGNS = {
    "ा": "aa",
    "ि": "i",
    "ी": "ee",
    "ु": "u",
    "ू": "oo",
    "ृ": "ri",
    "े": "e",
    "ै": "ai",
    "ो": "o",
    "ौ": "au",
    "ॉ": "o",
    "ॅ": "e",
}
_LETTERS = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसहळ",
        [
            "k",
            "kh",
            "g",
            "gh",
            "ng",
            "ch",
            "chh",
            "j",
            "jh",
            "n",
            "t",
            "th",
            "d",
            "dh",
            "n",
            "t",
            "th",
            "d",
            "dh",
            "n",
            "p",
            "ph",
            "b",
            "bh",
            "m",
            "y",
            "r",
            "l",
            "v",
            "sh",
            "sh",
            "s",
            "h",
            "l",
        ],
        strict=True,
    )
)
_DOTTED = {"क": "q", "ख": "kh", "ग": "g", "ज": "z", "ड": "r", "ढ": "rh", "फ": "f", "य": "y"}
_COMPOSED = {"क़": "q", "ख़": "kh", "ग़": "g", "ज़": "z", "ड़": "r", "ढ़": "rh", "फ़": "f", "य़": "y"}


def romanised(text: str) -> str:
    """`text` with its Devanagari in Latin letters, as chats spell it, for a voice that reads nothing else."""
    return re.sub(r"[\u0900-\u097f]+", lambda match: _roman_word(match[0]), text)


@cache
def _known_roman() -> dict[str, str]:
    known: dict[str, str] = {}
    for entry in re.split(r"[;\n]", WORDS):
        hindi, *spellings = entry.split() or [""]
        if spellings and "_" not in spellings[0]:
            known.setdefault(hindi, spellings[0])
    return known


def _roman_word(word: str) -> str:
    if word in ("।", "॥"):
        return "."
    if known := _known_roman().get(word):
        return known
    sounds: list[tuple[str, str]] = []  # consonant, vowel ("a?" where it may be silent)
    for char in word:
        if char in _COMPOSED:
            sounds.append((_COMPOSED[char], "a?"))
        elif char in _LETTERS:
            sounds.append((_LETTERS[char], "a?"))
        elif char == "़" and sounds:
            base = next((k for k, v in _LETTERS.items() if v == sounds[-1][0] and k in _DOTTED), "")
            sounds[-1] = (_DOTTED.get(base, sounds[-1][0]), sounds[-1][1])
        elif char == "्" and sounds:
            sounds[-1] = (sounds[-1][0], "")
        elif char in _SIGNS and sounds:
            sounds[-1] = (sounds[-1][0], _SIGNS[char])
        elif char in _INDEPENDENT:
            sounds.append(("", _INDEPENDENT[char]))
        elif char in "ंँ":
            sounds.append(("n", ""))
        elif "०" <= char <= "९":
            sounds.append((str(ord(char) - ord("०")), ""))
        elif char in "।॥":
            sounds.append((".", ""))
    out = ""
    for i, (consonant, vowel) in enumerate(sounds):
        if vowel == "a?":
            is_end = i == len(sounds) - 1
            # The silent vowel: at the end, and between a vowel and a syllable that has one of its own.
            is_silent = is_end and i > 0
            if 0 < i < len(sounds) - 1:
                following = sounds[i + 1]
                is_silent = bool(sounds[i - 1][1]) and out[-1:] in "aeiou" and following[1] not in ("", "a?")
            vowel = "" if is_silent else "a"
        out += consonant + vowel
    return re.sub(r"aa$", "a", out) if len(out) > 3 else out
