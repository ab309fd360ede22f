"""What the user tells about themselves, found by rule, and which of it matters for a question. Pure; rather too little.

Only plain statements count: no questions, suppositions, quotations or things denied. Secrets are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.messages import UserFact
from app.policy.quoting import framed, neutral

MAX_CHARS = 120
_WORD = r"[^\W\d_][\w'’-]*"
_NAME = rf"({_WORD}(?:\s+(?-i:[A-Z])[\w'’-]*)?)"
_REST = r"([^.!?;,\n]{2,70}?)"
_END = r"(?=\s*(?:[.!?;,\n]|$|\b(?:but|and i|because|so|when|if|though|although|lol|haha)\b))"
_PETS = (
    "dog|cat|puppy|kitten|rabbit|hamster|parrot|bird|fish|turtle|horse|snake|guinea pig|ferret|lizard|chicken|cow|goat"
)
_PEOPLE = (
    "mom|mum|mother|dad|father|brother|sister|son|daughter|wife|husband|girlfriend|boyfriend|partner|best friend"
    "|friend|boss|grandma|grandmother|grandpa|grandfather|uncle|aunt|cousin|teacher"
)
_JOBS = (
    r"teacher|doctor|nurse|engineer|student|artist|writer|musician|developer|programmer|designer|streamer|cook|chef"
    r"|driver|farmer|lawyer|scientist|photographer|gamer|singer|dancer|painter|carpenter|electrician|plumber|pilot"
    r"|vegetarian|vegan|night owl|morning person"
)
_VAGUE = re.compile(
    r"^(?:it|this|that|these|those|you|your|him|her|them|us|me|one|to\s+(?:know|say|ask|see if)|how|when|what|where|why"
    r"|the way|everything|nothing|something|someone|here|there|talking to you|a lot|so much|not)\b",
    re.IGNORECASE,
)
_NOT_A_NAME = frozenset(
    re.findall(
        r"\S+",
        r"not a an the so very really just also still sure here there fine good okay ok well happy sad sorry glad "
        r"tired back going trying looking thinking in on at from my your what who and but ",
    )
)
_SECRET = re.compile(
    r"password|passcode|\bpin\b|api key|secret|token|credit card|card number|\bcvv\b|\bssn\b|\d(?:[\s-]?\d){6,}",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"^\W*(?:if|unless|imagine|suppose|pretend|let's say|say that|maybe|perhaps|when|do|does|did|can|could|would|should"
    r"|is|are|am|was|what|who|where|why|how|which|tell me|he|she|they|you(?! can call me))\b",
    re.IGNORECASE,
)

_Rule = tuple[str, re.Pattern[str], str, str, int]
"""Kind, pattern, key, text, importance. {0}, {1} are the pattern's groups; one key holds one fact."""


def _rule(kind: str, pattern: str, key: str, text: str, importance: int) -> _Rule:
    return kind, re.compile(pattern, re.IGNORECASE), key, text, importance


_RULES: tuple[_Rule, ...] = (
    _rule("name", rf"\b(?:my name(?:'s| is)|(?:please |you can )?call me|i(?:'m| am) called)\s+{_NAME}", "name",
          "The user's name is {0}.", 9),
    _rule("name", rf"\bmera naam\s+{_NAME}\s+hai\b", "name", "The user's name is {0}.", 9),
    _rule("name", r"मेरा नाम\s+([\u0900-\u097f]{2,20}(?:\s[\u0900-\u097f]{2,20})?)\s+है", "name",
          "The user's name is {0}.", 9),
    _rule("name", r"(?:私|僕|俺|わたし|ぼく)の名前は([\w]{1,12}?)(?:です|だよ|だ)(?:[。.!]|$)", "name",
          "The user's name is {0}.", 9),
    _rule("birthday", rf"\bmy birthday(?:'s| is)\s+(?:on\s+)?{_REST}{_END}", "birthday",
          "The user's birthday: {0}.", 8),
    _rule("birthday", rf"\bi was born (?:on|in)\s+{_REST}{_END}", "born", "The user was born: {0}.", 7),
    _rule("age", r"\bi(?:'m| am)\s+(\d{1,2})\s+years old\b", "age", "The user is {0} years old.", 7),
    _rule("place", rf"\bi (?:live|am living)\s+in\s+{_REST}{_END}", "lives", "The user lives in {0}.", 8),
    _rule("place", rf"\bi(?:'m living) in\s+{_REST}{_END}", "lives", "The user lives in {0}.", 8),
    _rule("place", rf"\bi(?:'m| am| come) from\s+{_REST}{_END}", "from", "The user is from {0}.", 7),
    _rule("work", rf"\bi work (as|at|for|in)\s+{_REST}{_END}", "work", "The user works {0} {1}.", 7),
    _rule("work", rf"\bi(?:'m| am) an?\s+((?:{_WORD}\s+){{0,2}}(?:{_JOBS}))\b", "is {0}", "The user is a {0}.", 6),
    _rule("study", rf"\bi(?:'m| am)? (?:study|studying)\s+{_REST}{_END}", "study", "The user studies {0}.", 6),
    _rule("health", rf"\bi(?:'m| am) allergic to\s+{_REST}{_END}", "allergic {0}", "The user is allergic to {0}.", 9),
    _rule("pet", rf"\bmy ({_PETS})(?:'s name is| is called| is named|'s called)\s+{_NAME}", "pet {0}",
          "The user's {0} is called {1}.", 7),
    _rule("pet", rf"\bi (?:have|own|got|'ve got) an?\s+((?:{_WORD}\s+)?(?:{_PETS}))\s+(?:called|named)\s+{_NAME}",
          "pet {0}", "The user's {0} is called {1}.", 7),
    _rule("pet", rf"\bi (?:have|own)\s+((?:an?|two|three|four|\d+)\s+(?:{_WORD}\s+)?(?:{_PETS})s?)\b", "has {0}",
          "The user has {0}.", 6),
    _rule("people", rf"\bmy ({_PEOPLE})(?:'s name is| is called| is named)\s+{_NAME}", "person {0}",
          "The user's {0} is called {1}.", 6),
    _rule("favourite", rf"\bmy favou?rite\s+((?:{_WORD}\s+)?{_WORD})\s+(?:is|are)\s+{_REST}{_END}", "favourite {0}",
          "The user's favourite {0}: {1}.", 6),
    _rule("dislike", rf"\bi (?:really )?(?:hate|dislike|can't stand|don't like|do not like)\s+{_REST}{_END}",
          "taste {0}", "The user does not like {0}.", 4),
    _rule("like", rf"\bi (?:really |also |just |absolutely )*(?:like|love|enjoy|adore)\s+{_REST}{_END}", "taste {0}",
          "The user likes {0}.", 4),
    _rule("like", r"मुझे\s+([\u0900-\u097f ]{2,40}?)\s+(?:बहुत\s+)?पसंद\s+(?:है|हैं)", "taste {0}", "The user likes {0}.", 4),
    _rule("like", r"([\w]{1,15}?)が(?:大)?好き(?:です|だ|なん)", "taste {0}", "The user likes {0}.", 4),
)  # fmt: skip
_REMEMBER = re.compile(
    r"^\W*(?:(?:and|so|okay|ok|hey|oh|well|also)\W+)*(?:please\W+|can you\W+|could you\W+)?"
    r"(?:remember|don't forget|keep in mind|note)\s+(?:that\s+|this:?\s+|:\s*)?"
    r"(?!when\b|how\b|what\b|where\b|who\b|me\b|to\b|the time\b|last\b)(.{4,})$",
    re.IGNORECASE | re.DOTALL,
)


def facts_in(text: str) -> list[UserFact]:
    """What `text`, said by the user, tells about them; mostly nothing. At most four, each at most MAX_CHARS long."""
    found: dict[str, UserFact] = {}
    plain = text.replace("’", "'")[:1000]
    for sentence in re.split(r"(?<=[.!?。！？।])\s+|\n+|(?<=[。！？।])", plain):
        if _SECRET.search(sentence):
            continue
        asked = _REMEMBER.match(sentence.rstrip(" ?"))
        if asked:
            what = neutral(asked[1].strip(" .!"), MAX_CHARS)
            found.setdefault(what.casefold(), _fact("told", what.casefold(), f"To be remembered: {what}.", 8))
            continue
        if sentence.rstrip(" \"'”’)").endswith(("?", "？")) or _SUPPOSED.match(sentence):
            continue
        for kind, pattern, key, wording, importance in _RULES:
            for match in pattern.finditer(sentence):
                if _is_denied(sentence[: match.start()]):
                    continue
                groups = [neutral(group or "", 60).strip(" '-") for group in match.groups()]
                if not all(groups) or not _is_telling(kind, groups):
                    continue
                name = key.format(*(group.casefold() for group in groups))
                found.setdefault(name, _fact(kind, name, wording.format(*groups), importance))
    return list(found.values())[:4]


def _fact(kind: str, key: str, text: str, importance: int) -> UserFact:
    return UserFact(kind, key[:80], neutral(text, MAX_CHARS + 24), importance)


def _is_denied(before: str) -> bool:
    """Whether what comes is not the user's own statement: "I never said that my name is", "she says: I live"."""
    return bool(
        re.search(
            r"\b(?:not|never|n't|said|says|if|whether|wish|would|thinks?|pretend)\b[^,.;]{0,30}$|[\"“”]\s*$",
            before,
            re.IGNORECASE,
        )
    )


def _is_telling(kind: str, groups: Sequence[str]) -> bool:
    last = groups[-1]
    if kind in ("name", "people", "pet") and last.split()[0].casefold() in _NOT_A_NAME:
        return False
    if kind in ("like", "dislike", "favourite", "place", "work") and _VAGUE.match(last):
        return False
    return len(last) <= 60 and len(last.split()) <= 9


# Which of them matter

_STOP = frozenset(
    re.findall(
        r"\S+",
        r"a an the i you he she it we they me my your his her our their is are was were be been do does did have "
        r"has had can could will would should what who where when why how which that this these those of in on at "
        r"to for from with about and or but not no yes so very really just like likes user user's called there here "
        r"s t m re ll ve d tell know think remember remembered let hi hello hey ",
    )
)
_TOPICS = {
    "name": frozenset({"name", "called", "call", "who"}),
    "birthday": frozenset({"birthday", "born", "age", "old", "party"}),
    "age": frozenset({"old", "age", "born", "years"}),
    "place": frozenset({"live", "from", "home", "city", "country", "town", "weather", "travel"}),
    "work": frozenset({"work", "job", "living", "office", "boss"}),
    "study": frozenset({"study", "school", "university", "exam"}),
    "pet": frozenset({"pet", "animal", "dog", "cat"}),
    "people": frozenset({"family", "friend"}),
    "like": frozenset({"like", "love", "favourite", "favorite", "enjoy", "hobby", "hobbies", "recommend"}),
    "favourite": frozenset({"favourite", "favorite", "recommend"}),
    "dislike": frozenset({"hate", "dislike"}),
    "health": frozenset({"eat", "food", "allergic", "allergy", "cook", "dinner", "lunch"}),
}


def _stems(text: str) -> set[str]:
    words = re.findall(r"[\w']+", text.casefold().replace("’", "'"))
    return {_stem(word.removesuffix("'s")) for word in words} - _STOP


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "s", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def relevant(facts: Sequence[UserFact], question: str, most: int = 6, *, only_matching: bool = False) -> list[UserFact]:
    """The facts to put before the brain with this question, the most fitting first.

    Those that share a word or a topic with the question, then (unless `only_matching`) the user's name and what is
    important and new.
    """
    asked, raw = _stems(question), set(re.findall(r"\w+", question.casefold()))
    newest = max((fact.at_s for fact in facts), default=0.0)

    def score(fact: UserFact) -> float:
        shared = len(asked & _stems(fact.text))
        topic = bool(raw & _TOPICS.get(fact.kind, frozenset())) and ("my" in raw or "i" in raw or "me" in raw)
        # Half of the newness is gone after a week.
        newness: float = 0.5 ** ((newest - fact.at_s) / 604_800)
        return 10.0 * shared + 8.0 * topic + 0.3 * fact.importance + newness

    matching = 7.0
    ranked = sorted(facts, key=lambda fact: (-score(fact), -fact.at_s, fact.key))
    if only_matching:
        return [fact for fact in ranked if score(fact) >= matching][:most]
    named = [fact for fact in ranked if fact.kind == "name"][:1]
    return (named + [fact for fact in ranked if fact not in named])[:most]


def note_of(facts: Sequence[UserFact]) -> str:
    """The facts as a note for the brain; "" where there are none."""
    return framed("What the user told you before", [fact.text for fact in facts], MAX_CHARS + 24)
