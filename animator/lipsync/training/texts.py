"""Texts for the training speech: written sentences and random ones from lists of frequent words.

Random sentences follow patterns of their language, so that pauses and function words fall as in speech. Where two or
more random sentences could be said, the one is taken whose sounds were heard least so far: that is how rare phones
(ʒ, ɔɪ, θ …) and the lips' own (p b m f v w) come to be said often enough. Every choice comes from a seed.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

LIP_SOUNDS = frozenset("pbmfvwʋɸ")
"""Sounds that the lips make; a sentence with many of them is preferred."""
LIP_WORTH = 2.0
"""How much more than another equally rare sound one of LIP_SOUNDS counts (tuned until p b m f v w were 20 %)."""

Phonemise = Callable[[str], Sequence[str]]

WRITTEN: dict[str, tuple[str, ...]] = {
    "en": (
        "Hello there, it is nice to see you again!",
        "Yes.",
        "No, not really.",
        "Maybe.",
        "Okay, sure, why not?",
        "Thanks, that made my day.",
        "Bob, please bring the big blue umbrella from my bedroom.",
        "Pop! The bubble burst above my thumb.",
        "My mother bakes plum pie for the whole family every February.",
        "Five fine fish fell off the ferry and vanished below the waves.",
        "We were away for a week, watching whales in warm water.",
        "A measure of pleasure, a vision of treasure, and a beige garage.",
        "The boy enjoys noisy toys, but the coin is his first choice.",
        "Both of them think that Thursday's bath was worth the bother.",
        "Their father's other brother would rather gather feathers there.",
        "How now? The brown cow found a loud mouse around the house.",
        "I might try to fly by night, if the sky is bright.",
        "They say the train to Spain will be late again today.",
        "Go slowly down the road, the snow is cold and the boat won't float.",
        "The cook took a good look at the book and shook her foot.",
        "Two blue shoes and a cool new tune: who knew?",
        "Her nurse heard the first bird's word early on Thursday.",
        "The chef should share the sugar, the shell, and the fresh fish.",
        "Which child chose the cheap cheese and the peach?",
        "George just changed the large orange jug on the bridge.",
        "The king sang a long song, bringing young things along.",
        "Hey, who has a happy heart behind that huge hedge?",
        "Beauty and music: a few cute human views.",
        "Really, rural roads are rarely red or round.",
        "The little bottle in the middle of the table is full of metal.",
        "Cat, cot, caught, cut. Bet, bit, beat, boot.",
        "Kate quickly kicked the cake back to Greg's big garden gate.",
        "Don't do that, Dad, the dog did it on Tuesday!",
        "She sells seashells; he sees six thick thistles sticking.",
        "Zoe's zebra is lazy, busy, and amazingly easy to please.",
        "I am here, you are there, and our tour is over in an hour.",
        "Hmm, let me think about that for a moment.",
        "Wow, that was a wonderful move!",
        "What? I have never heard of a penguin who could play the piano.",
        "If the volume is above five, the video moves forward very fast.",
        "Stop! Wait a minute. Did you hear that?",
        "One, two, three, four, five, six, seven, eight, nine, ten.",
        "Amber remembered the number of members in November.",
        "The map on the lamp was pumped up by a tiny pump.",
        "Welcome back, everyone, to the evening stream.",
        "Above all, be brave, believe in people, and move on.",
        "Of course. Fair enough. Very well. Perhaps.",
        "Pepper, butter, mama, papa, baby, puppy, movie, fifty, seven, away.",
        "Well, well, well, what have we got over there?",
        "Ah, I see. Oh no! Oops. Ugh.",
        "Football, handball, cupboard, subway, webpage, comfort, triumph, obvious.",
        "Please remember to breathe: in, out, and in again.",
        "The thirty-third thief thought that he thrilled the throne.",
        "Singing in the rain, I'm laughing at the clouds up above.",
        "Can I help you? Probably. Absolutely! Not at all.",
    ),
    "ja": (
        "こんにちは。",
        "はい。",
        "いいえ。",
        "ありがとうございます。",
        "えっと、ちょっとまってください。",
        "ほんとうに、うれしいです。",
        "きょうは、とてもいいてんきですね。",
        "ぼくのぼうしは、あかいぺんきでぬられました。",
        "ままとぱぱは、ぱんやでぱんをたべました。",
        "ふゆのふじさんは、ふしぎなふうけいです。",
        "わたしは、あわてて、わにのわをかいました。",
        "びっくりした! ぽっぷなぴあのがなった。",
        "さんぽのとちゅうで、しんぶんをみました。",
        "がっこうで、いっぱいべんきょうしました。",
        "きゃべつと、きゅうりと、みょうがをかってきた。",
        "ちゃいろいちょうちょが、じゅうびきとんでいる。",
        "りょうりのれしぴは、りんごとれもんです。",
        "つくえのうえの、ずかんをとってください。",
        "ざぶとんをぞうが、ぜんぶつぶした。",
        "ひゃくにんのひとが、ひょうしをうった。",
        "にゃんこが、にゅうすをみて、にやりとした。",
        "ぴょんぴょんはねる、ぴんくのうさぎ。",
        "びょういんで、ぴゅうと、ぐりんぴいすをたべた。",
        "げんきなげえむの、ごがつのごご。",
        "もしもし、まめをみっつ、もってきて。",
        "ええ、そうですね。",
        "あめが、ばらばらと、やねをたたいた。",
        "へびは、はやく、ほらあなへはいった。",
        "うみのむこうに、あおいしまがみえる。",
        "なんでやねん!",
        "だいじょうぶ、もんだいありません。",
        "どうぶつえんで、ぱんだとかばをみた。",
        "ふぁん、ふぃるむ、ふぇすた、ふぉーく。",
        "みゃくと、びゃくや、ぎゃく、ぎゅうにく、ぎょうざ。",
        "しゃしんをとって、しゅみのざっしにおくった。",
        "つぎはいつ、あえますか。",
    ),
    "hi": (
        "नमस्ते।",
        "हाँ।",
        "नहीं।",
        "आप कैसे हैं?",
        "बहुत बहुत धन्यवाद।",
        "मेरा नाम विमल है, और मैं मुंबई में रहता हूँ।",
        "बाबा ने बड़े भाई को बाज़ार भेजा।",
        "पापा ने पीले फूल और पपीता माँगा।",
        "माँ ने मुझे मीठे आम खिलाए।",
        "भालू भूखा था, इसलिए वह भागकर भोजन के पास गया।",
        "फल वाला फिर से फाटक के बाहर आया।",
        "वह वहाँ हवा में वायुयान देख रहा है।",
        "झील के पास झूला झूलते बच्चे खुश हैं।",
        "छह छोटी चिड़ियाँ छत पर चहचहा रही हैं।",
        "ठंडा पानी और गरम चाय, दोनों ठीक हैं।",
        "ढोल की ढम ढम से डर मत।",
        "घर के पीछे घोड़ा घास खा रहा है।",
        "धीरे धीरे धूप निकली, और धूल उड़ गई।",
        "थोड़ा थोड़ा दूध और दही दो।",
        "ऋषि ने शांति से कृपा की भाषा में बात की।",
        "ज्ञान और विज्ञान की शिक्षा सबके लिए है।",
        "क्या तुम कल शाम को मेरे साथ खेलोगे?",
        "पढ़ना, बढ़ना, चढ़ना, और लड़ना।",
        "आज मौसम बहुत अच्छा है, चलो बाहर चलें।",
        "औरत ने ऐनक पहनकर अख़बार पढ़ा।",
        "ओह! अरे वाह, कमाल कर दिया।",
        "मुझे नहीं पता, शायद बाद में बताऊँगा।",
        "अंगूर, बंदर, चाँद, साँप, पंप, कंबल।",
        "एक, दो, तीन, चार, पाँच, छह, सात, आठ, नौ, दस।",
        "गणेश ने बाण से पहाड़ पर निशाना लगाया।",
        "भारत में बारिश का मौसम सबको प्यारा लगता है।",
        "विवेक, वैभव और विभा बाग में आम बाँट रहे हैं।",
        "फ़ोन, ज़रूर, ग़लत, क़लम, ख़बर।",
        "ठीक है।",
        "बिल्कुल।",
        "अच्छा, फिर मिलेंगे।",
    ),
}
"""Sentences of our own that hold every phone of the three languages."""

# `{}` stands for a content word; what is between commas is one breath.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "en": (
        "{}.",
        "{}!",
        "{}, {}?",
        "{} {}.",
        "{} and {}.",
        "The {} {} was {}.",
        "I think the {} is {} {}.",
        "Do you {} the {} with {}?",
        "She said {} {}, but {} is {}.",
        "We have a {} {} of {} in the {}.",
        "My {} and your {} were {} by the {}.",
        "Why would {} {} become {}?",
        "When {} {}, people {} the {} for {}.",
        "There is {} {}, {} {}, and {} {} above the {}.",
        "If you {} from {} to {}, the {} {} will be {} before {}.",
        "{}, {}, {}, {}.",
        "Well, {} is what {} makes of {}.",
        "Please {} my {} {} as {} as {}.",
        "They were {} about {}, {} about {}, and never {} with the {} of this {} {}.",
        "Oh, {}! That {} is {}.",
    ),
    "ja": (
        "{}。",
        "{}、{}。",
        "{}です。",
        "{}は{}です。",
        "{}の{}が{}しました。",
        "{}と{}を{}。",
        "{}に{}がありますか。",
        "{}も、{}も、{}ですね。",
        "{}から{}まで、{}の{}を{}。",
        "{}が{}で、{}が{}だから、{}でした。",
        "{}を{}して、{}へ。",
        "えっと、{}、{}、{}。",
        "{}の{}の{}は、{}より{}。",
    ),
    "hi": (
        "{}।",
        "{}, {}।",
        "{} और {}।",
        "{} का {} {} है।",
        "मैं {} में {} के साथ {} हूँ।",
        "क्या {} {} {} है?",
        "वह {} पर {} को {} रहा था।",
        "{} ने {} से {} की {} के लिए {} {}।",
        "अगर {} {} हो, तो {} {} मत {}।",
        "{}, {}, {} और {}।",
        "मुझे {} बहुत {} लगता है, लेकिन {} नहीं।",
        "यह {} मेरे {} की {} में {} भी है।",
    ),
}
_PATTERNS_ELSEWHERE = ("{}.", "{}, {}.", "{} {} {}.", "{} {} {} {} {}.", "{} {} {}, {} {} {} {}.", "{} {}?", "{}!")

_SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u309f\u30a1-\u30fc\u4e00-\u9fff]{2,8}"),
    "hi": re.compile(r"[\u0901-\u0963]{2,14}"),
    "mr": re.compile(r"[\u0901-\u0963]{2,14}"),
    "ko": re.compile(r"[\uac00-\ud7a3]{1,8}"),
    "bn": re.compile(r"[\u0981-\u09e3]{2,14}"),
    "en": re.compile(r"(?:[a-z]{2,14}|[ai])"),
}
_LATIN = re.compile(r"[^\W\d_]{2,16}")
WORDS = 6000
"""So many of a language's most frequent words are drawn from."""


@lru_cache(maxsize=32)
def frequent_words(language: str, count: int = WORDS) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Words of a language and the weight each is drawn with: the square root of its frequency, so that rare ones come.

    Args:
        language: Code of `wordfreq`: en, ja, hi, es, it, de, fr, ko, id …
        count: How many of the most frequent entries are looked at (numbers and other scripts are left out).

    Raises:
        ImportError: If the package `wordfreq` (extra `dev`) is not installed.
    """
    import wordfreq

    shape = _SCRIPTS.get(language, _LATIN)
    found = [w for w in wordfreq.top_n_list(language, count) if shape.fullmatch(unicodedata.normalize("NFC", w))]
    table: Any = wordfreq.get_frequency_dict(language)
    return tuple(found), tuple(float(table[w]) ** 0.5 for w in found)


class Texts:
    """An endless, repeatable source of texts of one language.

    Args:
        language: Code of `wordfreq`.
        seed: The same seed gives the same texts.
        phonemise: Sounds of a text; with it the rarest of `candidates` texts is taken each time.
        spell: Writes a text as the engine reads it (Japanese in kana, for instance).
        candidates: How many random texts one is chosen from.
        written_share: Share of texts that come from WRITTEN.
    """

    def __init__(
        self,
        language: str,
        seed: int,
        phonemise: Phonemise | None = None,
        spell: Callable[[str], str] = str,
        candidates: int = 3,
        written_share: float = 0.12,
    ) -> None:
        self._language = language
        self._random = random.Random(f"{language} {seed}")
        self._phonemise = phonemise
        self._spell = spell
        self._candidates = candidates if phonemise is not None else 1
        self._written = WRITTEN.get(language, ())
        self._written_share = written_share if self._written else 0.0
        self.heard: Counter[str] = Counter()
        """How often each sound was in the texts given so far (with `phonemise`)."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._random.random() < self._written_share:
            return self._taken(self._random.choice(self._written))
        texts = [self._spell(self._sentence()) for _ in range(self._candidates)]
        if self._phonemise is None:
            return texts[0]
        return self._taken(max(texts, key=self._worth))

    def _sentence(self) -> str:
        pattern = self._random.choice(_PATTERNS.get(self._language, _PATTERNS_ELSEWHERE))
        words, weights = frequent_words(self._language)
        text = pattern.format(*self._random.choices(words, weights, k=pattern.count("{}")))
        return text[0].upper() + text[1:]

    def _worth(self, text: str) -> float:
        assert self._phonemise is not None
        sounds = self._phonemise(text)
        worth = ((LIP_WORTH if s[:1] in LIP_SOUNDS else 1.0) / (20.0 + self.heard[s]) for s in sounds)
        return sum(worth) / (len(sounds) + 4.0) if sounds else 0.0

    def _taken(self, text: str) -> str:
        if self._phonemise is not None:
            self.heard.update(self._phonemise(text))
        return text


HELD_OUT: dict[str, tuple[str, ...]] = {
    "en": (
        "What are you going to do about the broken window?",
        "I would love a cup of coffee with a bit of milk.",
        "Perhaps we should move the piano away from the wall.",
        "The weather has been beautiful for most of the week.",
        "Did you remember to feed the puppy before we left?",
        "My favourite movie begins with a very long silence.",
        "Please put the map back on top of the bookshelf.",
        "Both windows above the porch were wide open.",
        "Never mind, I will probably find it by myself.",
        "Bye for now!",
        "Absolutely, I agree.",
        "Hmm.",
        "Could you explain that problem once more, please?",
        "A bumblebee landed on the big purple flower.",
        "The library closes at half past five on Fridays.",
        "Everybody moved five steps forward and waved.",
        "We ought to thank the woman who gave us the vase.",
        "Jump over the puddle, or you'll ruin your shoes.",
        "It's only a joke, don't be so serious!",
        "They measured the garage, but the vision was unusual.",
        "How much wood would you need for such a bridge?",
        "Tomorrow morning, the ship leaves for Lisbon.",
        "The judge was a gentle man with a huge beard.",
        "Nothing is worth more than the truth, they think.",
        "Choose a peach, a cherry, or a piece of cheese.",
        "I heard the first words, but not the rest of the verse.",
        "The oil in the engine was boiling, to our annoyance.",
        "You look good in blue, who knew?",
        "Our flower power shower lasted an hour.",
        "No. Yes. Maybe. Why?",
        "A small mammal swam among the lamps of the empty pool.",
        "Papa brought popcorn, bubble gum, and a pumpkin pie.",
        "Fame and fortune favour very few of the brave.",
        "Which one of you was away when the whistle blew?",
        "Let me see whether I can reach the middle shelf.",
        "Sing me a song about the long, strong king.",
        "He has been here before; he'll be here again.",
        "Welcome! What shall we talk about tonight?",
        "That's amazing, I can't believe you made it.",
        "Stop pushing me, the bus won't come any faster.",
        "Apart from Bob, nobody brought an umbrella.",
        "The committee will vote on seven of the proposals.",
        "I'm afraid I have to leave in about ten minutes.",
        "Give them back their money, both of them.",
        "She plays the violin, the viola, and, badly, the drums.",
        "Some problems simply solve themselves over time.",
        "Have you ever been to the mountains in winter?",
        "The robot vacuumed the room from wall to wall.",
        "Once upon a time, a prince became a frog.",
        "Thank you so much for watching, see you next time!",
    ),
    "ja": (
        "おはようございます。", "昨日は友達と映画を見ました。", "すみません、もう一度お願いします。",
        "母は毎朝パンとバナナを食べます。", "本を三冊と、ペンを一本買いたいです。", "あの病院の前で待ちましょう。",
        "夏休みに北海道へ行くつもりです。", "ピアノの先生はとても優しいです。", "窓を開けてもいいですか。",
        "犬がボールを追いかけて走っている。", "晩ご飯は何にしようかな。", "それは本当にびっくりしました。",
        "冬の空は星がきれいです。", "目を閉じて、耳をすませて。", "さあ、みんなで歌いましょう。", "うん、わかった。",
        "学校まで自転車で十分かかります。", "難しい問題だけど、がんばってみる。", "雨が止んだら、公園で遊ぼう。",
        "ごめんね、ちょっと遅れちゃった。",
    ),
    "hi": (
        "आज मैं बहुत खुश हूँ।", "कल सुबह हम बाज़ार चलेंगे।", "मेरी बहन भोपाल में पढ़ती है।", "पापा, मुझे एक नई किताब चाहिए।",
        "बारिश में भीगना मुझे पसंद है।", "क्या आपको हिंदी आती है?", "यह फूल बहुत सुंदर है।", "माफ़ कीजिए, मैं भूल गया।",
        "बिल्ली मेज़ के ऊपर बैठी है।", "उसने मुझे कुछ भी नहीं बताया।", "चाय में थोड़ी चीनी और डालो।", "वह बहुत मेहनती लड़का है।",
        "मुंबई की भीड़ में हम खो गए।", "अब मुझे चलना चाहिए।", "पहले खाना खाओ, फिर बात करेंगे।", "वाह, क्या बात है!",
        "मम्मी ने आलू के पराँठे बनाए।", "हवा बहुत तेज़ चल रही है।", "तुम्हारे बिना घर सूना लगता है।", "जी हाँ, बिल्कुल।",
    ),
}  # fmt: skip
"""Sentences that only the test packs hear."""
