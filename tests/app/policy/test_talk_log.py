"""What was said, from facts."""

from app.messages import Fact
from app.policy.talk_log import Spoken, TalkLog


def told(*facts):
    log = TalkLog()
    found = []
    for at_ns, (stage, event, data) in enumerate(facts, start=1):
        found += log.take(Fact(at_ns, stage, event, data))
    return [(each.who, each.text, each.cut) for each in found], log


def heard(turn, text, typed=False):
    return "stt", "transcript", {"turn": turn, "text": text, "typed": typed}


def sounds(turn, index, text):
    return "playback", "clip_started", {"turn": turn, "index": index, "text": text}


def ended(turn):
    return "playback", "turn_finished", {"turn": turn}


def stopped(turn):
    return "playback", "stopped", {"turn": turn}


def test_a_turn_is_told_when_it_is_over_sentence_after_sentence():
    messages, _ = told(heard(1, "Hello?"), sounds(1, 0, "Hello!"), sounds(1, 1, ""), sounds(1, 2, "Nice."), ended(1))

    assert messages == [("user", "Hello?", False), ("character", "Hello! Nice.", False)]


def test_an_interrupted_answer_is_kept_as_far_as_it_was_heard():
    messages, _ = told(heard(1, "Tell me."), sounds(1, 0, "Once upon a time."), stopped(1))

    assert messages[1] == ("character", "Once upon a time.", True)


def test_half_a_question_that_the_user_went_on_with_leaves_no_trace():
    messages, _ = told(
        heard(1, "What do you"),
        ("vad", "speech_resumed", {"turn": 2, "continues": 1}),
        heard(2, "What do you like?"),
        sounds(2, 0, "Tea."),
        ended(2),
    )

    assert [text for _, text, _ in messages] == ["What do you like?", "Tea."]


def test_a_question_without_an_answer_is_kept_with_the_next_turn():
    messages, _ = told(heard(1, "Anybody?"), heard(2, "Hello?"), sounds(2, 0, "Yes."), ended(2))

    assert [text for _, text, _ in messages] == ["Anybody?", "Hello?", "Yes."]


def test_what_was_only_thought_is_not_told():
    messages, _ = told(
        heard(1, "Hello?"), ("llm", "sentence", {"turn": 1, "index": 0, "text": "Hm", "last": True}), ended(1)
    )

    assert messages == [("user", "Hello?", False)]


def test_silence_is_no_message():
    assert told(heard(1, "  "), ended(1))[0] == []


def test_what_was_being_said_at_the_end_is_told_at_last():
    messages, log = told(heard(1, "Hello?"), sounds(1, 0, "Hello!"))

    assert messages == []
    assert log.finish() == [Spoken(1, "user", "Hello?"), Spoken(2, "character", "Hello!", True)]
    assert log.finish() == []
