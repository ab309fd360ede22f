from __future__ import annotations

import pytest

from app.policy.sentences import MAX_CHARS, SentenceSplitter, clean


def split(text: str, size: int) -> list[str]:
    splitter = SentenceSplitter()
    chunks: list[str] = []
    for start in range(0, len(text), size):
        chunks += splitter.feed(text[start : start + size])
    return chunks + splitter.finish()


CASES = {
    "the first chunk ends at the first clause": (
        "Well, that is fine, I think we should go now. It is late and dark outside.",
        ["Well, that is fine,", "I think we should go now.", "It is late and dark outside."],
    ),
    "a first clause of one word is not worth a breath": ("Yes, of course I can.", ["Yes, of course I can."]),
    "short sentences join the next": (
        "I like it a lot. Yes. Really. It was a wonderful evening.",
        ["I like it a lot.", "Yes. Really. It was a wonderful evening."],
    ),
    "numbers stay whole": (
        "That is it now. It costs $29.95 at 10:30, or 1,000.5 in all. Version 3.11 came later.",
        ["That is it now.", "It costs $29.95 at 10:30, or 1,000.5 in all.", "Version 3.11 came later."],
    ),
    "abbreviations and initials do not end a sentence": (
        "Hello my friends. Dr. Smith met J. F. Kennedy, e.g. at St. Mary. Nice people live there.",
        ["Hello my friends.", "Dr. Smith met J. F. Kennedy, e.g. at St. Mary.", "Nice people live there."],
    ),
    "addresses stay whole": (
        "Look here now. Visit https://example.com/a.b?c=d, or mail me@site.org today. Bye now, dear friend.",
        ["Look here now.", "Visit https://example.com/a.b?c=d, or mail me@site.org today.", "Bye now, dear friend."],
    ),
    "quotations stay whole": (
        'I met Anna. She said "Stop. Go away now. Please." and left the room. I stayed where I was.',
        ["I met Anna.", 'She said "Stop. Go away now. Please." and left the room.', "I stayed where I was."],
    ),
    "brackets stay whole": (
        "This is good. My cat (she is old. Very old.) sleeps all day long. I do not mind.",
        ["This is good.", "My cat (she is old. Very old.) sleeps all day long.", "I do not mind."],
    ),
    "trailing off is not an end": (
        "Let me see now. I was there... and then I was gone. So it goes, my friend.",
        ["Let me see now.", "I was there... and then I was gone.", "So it goes, my friend."],
    ),
    "thoughts are not spoken": (
        "<think>The user greets. I greet. </think>Hello to you, friend.",
        ["Hello to you,", "friend."],
    ),
    "a thought that the template opened is not spoken": ("The user greets.</think>Hello there.", ["Hello there."]),
    "a thought that never ends is not spoken": ("Hello there. <think>never ends. At all.", ["Hello there."]),
    "actions and tags are not spoken": (
        "*waves happily* Hello my dear. [happy] I am *smiles* so glad (laughs) to see you here.",
        ["Hello my dear.", "I am so glad to see you here."],
    ),
    "a stressed word is": ("I *really* mean it, you know.", ["I really mean it,", "you know."]),
    "markdown is not spoken": (
        "# My list\n- **Apples** are red\n- `Pears` are [green](http://x.org/y)\n",
        ["My list. Apples are red", "Pears are green"],
    ),
    "emoji are not spoken": (
        "I love it 😊👩‍👩‍👧! It is so nice ❤️ :) here today.",
        ["I love it!", "It is so nice here today."],
    ),
    "other scripts have marks of their own": ("これは文です。もう一つの文です。", ["これは文です。もう一つの文です。"]),
    "code is not spoken": ("Try this one: ```print('a. b. c.')``` It prints three letters.", None),
    "nothing but marks is nothing": ("... !? *** 😊", []),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_chunks(text: str, expected: list[str] | None) -> None:
    chunks = split(text, len(text))

    if expected is None:
        assert "a. b." not in " ".join(chunks)
        assert "three letters." in " ".join(chunks)
    else:
        assert chunks == expected


# What was let through before `</think>` came cannot be called back.
_CUTTABLE = {name: text for name, (text, _) in CASES.items() if "template opened" not in name}


@pytest.mark.parametrize("text", _CUTTABLE.values(), ids=_CUTTABLE.keys())
def test_chunks_do_not_depend_on_how_the_stream_is_cut(text: str) -> None:
    whole = split(text, len(text))

    assert [whole] * 4 == [split(text, size) for size in (1, 2, 3, 7)]


def test_no_chunk_is_longer_than_the_voice_likes() -> None:
    text = "so we went on and on " * 40 + "and then, at last, we were home. " + "word, " * 120

    chunks = split(text, 5)

    assert max(map(len, chunks)) <= MAX_CHARS + 1
    assert clean(text).split() == " ".join(chunks).split()


def test_the_first_clause_comes_before_the_sentence_is_over() -> None:
    splitter = SentenceSplitter()

    assert splitter.feed("Oh my goodness,") == []
    assert splitter.feed(" that") == ["Oh my goodness,"]


def test_no_word_is_lost_or_repeated() -> None:
    text = "One two, three. Four (five) six: seven; eight — nine! Ten? “Eleven.” Twelve... thirteen. " * 5

    assert clean(text).split() == " ".join(split(text, 4)).split()


def cued(text: str, size: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each chunk with its cues and what is left of it from their place on."""
    splitter = SentenceSplitter()
    chunks = [
        chunk for start in range(0, len(text), size) for chunk in splitter.feed_chunks(text[start : start + size])
    ]
    return [
        (chunk.text, [(cue.name, chunk.text[cue.at_char :]) for cue in chunk.cues])
        for chunk in chunks + splitter.finish_chunks()
    ]


CUED = {
    "[happy] Oh, that is so good to hear! [nod] Yes, I like it [joy:0.5] a lot.": [
        ("Oh, that is so good to hear!", [("happy", "Oh, that is so good to hear!")]),
        ("Yes, I like it a lot.", [("nod", "Yes, I like it a lot."), ("joy", "a lot.")]),
    ],
    "Well, well, well.[sad] I do not know. [shake]": [
        ("Well, well,", []),
        ("well. I do not know.", [("sad", "I do not know.")]),
        ("", [("shake", "")]),
    ],
    "*smiles* Hello there, *nods* my **dear** friend. [sighs] It is late (laughs) today.": [
        ("Hello there,", [("happy", "Hello there,")]),
        (
            "my dear friend. It is late today.",
            [
                ("nod", "my dear friend. It is late today."),
                ("disappointment", "It is late today."),
                ("amusement", "today."),
            ],
        ),
    ],
    "[happy, nod] Yes, I would love to. [unknown] [system] So long, my friend.": [
        ("Yes, I would love to.", [("happy", "Yes, I would love to."), ("nod", "Yes, I would love to.")]),
        ("So long, my friend.", []),
    ],
    "[happy] [nod]": [("", [("happy", ""), ("nod", "")])],
    "I am so glad to hear it. [nod]": [("I am so glad to hear it.", []), ("", [("nod", "")])],
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
@pytest.mark.parametrize("text", CUED)
def test_tags_are_never_spoken_and_keep_their_place_however_the_stream_is_cut(text: str, size: int) -> None:
    assert cued(text, size) == CUED[text]


def test_a_tag_within_a_thought_means_nothing() -> None:
    assert cued("<think>[sad] Hm.</think>[happy] Hello there, friend.", 3) == [
        ("Hello there,", [("happy", "Hello there,")]),
        ("friend.", []),
    ]
    assert cued("[sad] Hm.</think>[happy] Hello there, friend.", 200)[0] == (
        "Hello there,",
        [("happy", "Hello there,")],
    )
