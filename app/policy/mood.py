"""Guesses what a sentence feels like from its words, where the brain set no tag. Pure, and rather silent than wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.messages import Cue

_PHRASES: Mapping[str, str] = {
    # English. "~" ends a stem.
    "joy": "happy|happily|glad|delighted|overjoyed|yay|hooray|hurray|so much fun|great news|made my day|wonderful",
    "amusement": "ha ?ha~|hehe~|lol|hilarious|so funny|just kidding|i'm kidding|cracks me up|made me laugh",
    "excitement": "can't wait|cannot wait|so excited|exciting|woo+hoo+|awesome|thrilled|let's go",
    "love": "i love you|love you|adore you|sweetheart",
    "gratitude": "thank you|thanks|grateful|i appreciate",
    "admiration": "well done|impressive|good job|great job|nice work|congratulations|congrats|brilliant",
    "caring": "here for you|take care|take a deep breath|feel better soon|it's okay to|you're not alone|poor thing",
    "sadness": "i'm sad|so sad|makes me sad|heartbroken|i miss|lonely|sorry to hear|oh no|my condolences|sad news",
    "remorse": "i'm sorry|so sorry|my bad|i apologi[sz]e|my apologies|forgive me|my mistake",
    "surprise": "wow|whoa|no way|oh my|unbelievable|i didn't expect|what a surprise|you're kidding",
    "curiosity": "i wonder|i'm curious|tell me more|how interesting|that's interesting|fascinating",
    "confusion": "i don't understand|i'm confused|confusing|i'm not sure what|what do you mean|makes no sense",
    "nervousness": "i'm nervous|i'm worried|worries me|makes me nervous",
    "fear": "i'm scared|i'm afraid of|terrified|terrifying|creepy|spooky",
    "anger": "i'm angry|furious|how dare|makes me angry|outrageous",
    "annoyance": "annoying|ugh~|so irritating|for crying out loud",
    "embarrassment": "embarrassed|embarrassing|i'm blushing|makes me blush|flattered",
    "disgust": "eww~|yuck|disgusting|so gross",
    "relief": "phew|what a relief|thank goodness",
    "pride": "i'm proud|so proud|nailed it|i did it",
    "optimism": "don't worry|cheer up|it will be fine|it'll be fine|you can do it|you've got this",
    "sleepy": "i'm sleepy|so sleepy|i'm tired|so tired|yawn~",
}
_OTHER_SCRIPTS: Mapping[str, str] = {
    "joy": "嬉し|うれし|楽しい|楽しみ|やった|खुश|khush hoon|khushi hui",
    "amusement": "面白い|おもしろい|あはは|ふふ|मज़ा|मजा आ|maza aa",
    "love": "大好き|愛して|प्यार करत|pyaar kart",
    "gratitude": "ありがとう|感謝|धन्यवाद|शुक्रिया|dhanyavaad|shukriya",
    "sadness": "悲しい|かなしい|寂しい|さびしい|दुख|उदास|dukhi hoon|udaas hoon",
    "remorse": "ごめん|すみません|申し訳|माफ़ कर|माफ कर|maaf kar",
    "surprise": "びっくり|驚|まさか|वाह|अरे वाह|arre waah",
    "excitement": "すごい|わくわく|最高",
    "fear": "怖い|こわい|डर लग|darr lag",
    "anger": "怒って|ムカつ|गुस्सा|gussa aa",
    "sleepy": "眠い|ねむい|नींद आ|neend aa",
    "curiosity": "気になる|不思議",
}
_NEGATED = re.compile(
    r"(?:\b(?:not|never|no|without|hardly|nothing|nobody|neither|nor|less|cannot)\b|n't\b)(?:\W+\w+){0,3}\W*$",
    re.IGNORECASE,
)
_NEGATED_AFTER = re.compile(r"^\w{0,3}\s*(?:くない|くは?ありません|じゃない|ではない|नहीं|नही|मत|nahi|nahin|mat)(?!\w)")
_OF_ANOTHER = re.compile(r"^\W*(?:if|when|whenever|unless|are you|were you|do you|did you|would you)\b", re.IGNORECASE)
_STRONG = re.compile(r"!|\b(?:so|really|very|truly|absolutely)\b|本当|とても|बहुत|bahut", re.IGNORECASE)
# Such words may stand in a question; what a question says of joy or sorrow is the listener's.
_ASKED = frozenset({"surprise", "curiosity", "confusion", "amusement"})

GUESS, STRONG_GUESS = 0.55, 0.75
"""Intensity: a guess is never shown at full strength."""
HOLD_SENTENCES = 2
"""A face keeps what it shows for so many sentences, or it would twitch."""


def _compiled() -> list[tuple[str, re.Pattern[str]]]:
    found = []
    for name, phrases in _PHRASES.items():
        words = "|".join(rf"{word[:-1]}\w*" if word.endswith("~") else rf"{word}\b" for word in phrases.split("|"))
        found.append((name, re.compile(rf"\b(?:{words})", re.IGNORECASE)))
    found += [(name, re.compile(words, re.IGNORECASE)) for name, words in _OTHER_SCRIPTS.items()]
    return found


_WORDS = _compiled()


def guess(text: str) -> Cue | None:
    """The one emotion that the words of this sentence speak of, at their place; None where they are silent or differ.

    Knows English and a little Japanese and Hindi. What is denied, asked or supposed does not count.
    """
    plain = text[:400].replace("’", "'")
    if _OF_ANOTHER.match(plain):
        return None
    found: dict[str, int] = {}
    for name, pattern in _WORDS:
        for match in pattern.finditer(plain):
            before, after = plain[: match.start()], plain[match.end() :]
            clause = re.split(r"[.!?;,。！？、।]", before)[-1]
            if _NEGATED.search(clause) or _NEGATED_AFTER.match(after):
                continue
            end = re.search(r"[.!?。！？।]", after)
            if end is not None and end.group() in "?？" and name not in _ASKED:
                continue
            found.setdefault(name, match.start())
    if len(found) > 2 or not found:
        return None
    # Of two the last says where it goes: "Oh no, I'm sorry" is sorry.
    name = max(found, key=lambda each: found[each])
    return Cue("emotion", name, STRONG_GUESS if _STRONG.search(plain) else GUESS, found[name])


class Mood:
    """What the face shows over one answer, guessed sentence by sentence. Tags of the brain's own switch it off."""

    def __init__(self) -> None:
        self._shown = ""
        self._since = 0
        self._is_tagged = False

    def cues(self, text: str, tagged: tuple[Cue, ...]) -> tuple[Cue, ...]:
        """The cues of the next sentence: those that it came with, or a guess where the answer has no tag so far."""
        self._is_tagged = self._is_tagged or any(cue.kind == "emotion" for cue in tagged)
        if self._is_tagged:
            return tagged
        self._since += 1
        felt = guess(text)
        if felt is None or felt.name == self._shown or (self._shown and self._since <= HOLD_SENTENCES):
            return tagged
        self._shown, self._since = felt.name, 0
        return (*tagged, felt)
