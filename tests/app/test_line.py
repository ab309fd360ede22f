"""The line's rules, on fakes: no device, no model, no network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from animator.messages import Samples
from app.backends.tts_failover import FailoverSynth
from app.backends.tts_openai import OpenAiSynth
from app.bus import Bus
from app.errors import AppError
from app.line import Line, LineOptions
from app.messages import (
    Ask,
    CheckMicrophone,
    Command,
    Express,
    Feel,
    Gesture,
    LipSyncTest,
    MouthOffset,
    Mute,
    Panic,
    PushToTalk,
    Quit,
    Say,
    SpeechPiece,
    StopTalking,
    SwitchCharacter,
)
from app.policy.history import CUT_OFF
from tests.fakes import (
    RATE,
    TIMEOUT_S,
    BlockedChat,
    Facts,
    FakeAvatar,
    FakeChat,
    FakeClock,
    FakeDetector,
    FakeMicrophone,
    FakeSpeaker,
    FakeSynth,
    FakeTranscriber,
    FakeTurnDetector,
    silence,
    speech,
)
from tests.speech_server import SpeechServer

QUESTION = (silence(300), speech(800), silence(800))


class Rig:
    """A line on fakes, every part of it within reach."""

    def __init__(self, **parts: Any) -> None:
        self.clock = FakeClock()
        self.bus = Bus(self.clock.now_ns)
        self.facts = Facts(self.bus)
        self.microphone: Any = parts.get("microphone", FakeMicrophone())
        self.transcriber = parts.get("transcriber", FakeTranscriber("What is your name?"))
        self.chat = parts.get("chat", FakeChat("My name is Kuchi. It means mouth."))
        self.synth = parts.get("synth", FakeSynth())
        self.speaker = parts.get("speaker", FakeSpeaker(instant=True))
        self.avatar = FakeAvatar()
        self.commands: list[Command] = []
        self.line = Line(
            self.bus,
            self.clock,
            self.microphone,
            FakeDetector(),
            self.transcriber,
            self.chat,
            self.synth,
            self.speaker,
            self.avatar,
            "You are Kuchi.",
            parts.get("options", LineOptions(partials=False)),
            turn_detector=parts.get("turn_detector"),
            fallback_speaker=parts.get("fallback_speaker"),
            on_command=parts.get("on_command", self.commands.append),
        )

    def put(self, *commands: Command) -> None:
        for command in commands:
            self.bus.gate.put(command)

    def ends(self, turn: int) -> list[str]:
        facts = self.facts.of("playback", "turn_finished", turn=turn) + self.facts.of("playback", "stopped", turn=turn)
        return [fact.event for fact in facts]

    def said(self) -> list[str]:
        return [clip.text for clip in self.speaker.clips]


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(*, load: bool = True, **parts: Any) -> Rig:
        rigs.append(Rig(**parts))
        rigs[-1].line.start()
        if load:
            assert rigs[-1].line.wait_until_loaded(TIMEOUT_S)
        return rigs[-1]

    yield make
    for made in rigs:
        assert made.line.stop()


def line_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("line-")]


# From ear to mouth


def test_what_is_heard_is_answered_aloud_and_the_avatar_gets_every_clip(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.microphone.say(*QUESTION)
    r.facts.wait("playback", "turn_finished", turn=1)

    assert r.said() == ["My name is Kuchi.", "It means mouth."]
    assert r.facts.wait("stt", "transcript").data["text"] == "What is your name?"
    assert [call for call in r.avatar.calls if call[0] == "push"] == [("push", (1, 0)), ("push", (1, 1))]
    assert {("anchor", (1, 0)), ("anchor", (1, 1))} <= set(r.avatar.calls)
    assert r.chat.asked[0] == [
        {"role": "system", "content": "You are Kuchi."},
        {"role": "user", "content": "What is your name?"},
    ]


def test_facts_come_in_the_order_of_the_line(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.microphone.say(*QUESTION)
    r.facts.wait("playback", "turn_finished", turn=1)

    first: dict[str, int] = {}
    for i, fact in enumerate(r.facts.all):
        first.setdefault(f"{fact.stage} {fact.event}", i)
    order = [
        "vad speech_started",
        "vad speech_ended",
        "stt transcript",
        "llm first_token",
        "llm sentence",
        "tts clip",
        "playback clip_started",
        "playback turn_finished",
    ]
    assert order == sorted(order, key=first.__getitem__)


def test_captions_follow_the_words_that_are_heard(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())

    r.put(Say("One two three four."))
    clip = r.speaker.start()
    r.speaker.hear(clip, 0.5)
    r.speaker.hear(clip, 0.5)
    r.speaker.hear(clip, 1.0)
    r.speaker.finish()
    r.facts.wait("playback", "turn_finished", turn=1)

    captions = [fact.data for fact in r.facts.of("playback", "caption", turn=1)]
    assert {"One two three four."} == {data["text"] for data in captions}
    heard = [data["heard"] for data in captions]
    assert heard == sorted(set(heard))
    assert heard[-1] == len("One two three four.")
    assert all("One two three four. "[count] == " " for count in heard)


def test_a_typed_question_is_answered_like_a_spoken_one(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Ask("  Who are you?  "))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.facts.wait("stt", "transcript").data == {"turn": 1, "text": "Who are you?", "took_ms": 0, "typed": True}
    assert r.said() == ["My name is Kuchi.", "It means mouth."]


def test_say_is_spoken_as_it_is_and_the_brain_is_not_asked(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Say("Good evening. Tonight we bake a cake."))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == ["Good evening.", "Tonight we bake a cake."]
    assert r.chat.asked == []


def test_the_next_question_carries_what_was_said_before(rig: Callable[..., Rig]) -> None:
    r = rig()

    for text in ("First question?", "Second question?"):
        r.put(Ask(text))
        assert r.line.wait_until_idle(TIMEOUT_S)

    assert [message["role"] for message in r.chat.asked[1]][1:] == ["user", "assistant", "user"]
    assert r.chat.asked[1][2]["content"] == "My name is Kuchi. It means mouth."


def test_a_recording_is_one_question_however_long_its_pauses(rig: Callable[..., Rig]) -> None:
    """People think between two phrases; 2 s of quiet inside a file does not begin a second turn."""
    r = rig(options=LineOptions(source="file"), transcriber=FakeTranscriber("Ask not", "what you can do."))

    r.microphone.say(speech(900), silence(2000), speech(900), silence(100), end=True)

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert [fact.data["text"] for fact in r.facts.of("stt", "transcript")] == ["Ask not what you can do."]
    assert len(r.chat.asked) == 1


def test_a_recording_without_speech_ends_without_a_turn(rig: Callable[..., Rig]) -> None:
    r = rig(options=LineOptions(source="file"))

    r.microphone.say(silence(2000), end=True)

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.line.turn == 0
    assert r.said() == []


def test_a_click_is_not_a_turn(rig: Callable[..., Rig]) -> None:
    """Only what lasts 250 ms interrupts what is being said or thought."""
    r = rig(options=LineOptions(source="file"))

    r.microphone.say(silence(500), speech(130), silence(2000), end=True)

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.line.turn == 0


def test_a_guess_at_the_first_pause_is_reused_when_the_user_had_finished(rig: Callable[..., Rig]) -> None:
    r = rig(transcriber=FakeTranscriber("Guessed once.", "Decoded twice."))
    r.microphone.say(silence(300), speech(800))
    wait_until_heard(r)
    r.microphone.say(silence(260))
    wait_for_decodes(r, 1)

    r.microphone.say(silence(500))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert r.facts.wait("stt", "transcript").data["text"] == "Guessed once."
    assert len(r.transcriber.heard_s) == 1


def test_a_guess_is_dropped_when_the_user_goes_on(rig: Callable[..., Rig]) -> None:
    r = rig(transcriber=FakeTranscriber("I think", "I think so."))
    r.microphone.say(silence(300), speech(800))
    wait_until_heard(r)
    r.microphone.say(silence(300))
    wait_for_decodes(r, 1)

    r.microphone.say(speech(600), silence(800))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert r.facts.wait("stt", "transcript").data["text"] != "I think"
    assert r.transcriber.heard_s[-1] > 1.5


def wait_for(what: Callable[[], bool]) -> None:
    nudge = threading.Event()
    for _ in range(int(TIMEOUT_S / 0.005)):
        if what():
            return
        nudge.wait(0.005)
    raise AssertionError("it never came true")


def wait_until_heard(r: Rig) -> None:
    """Until the detector has caught up: behind with listening, nothing is guessed."""
    r.facts.wait("vad", "speech_started")
    vad = next(stage for stage in r.line._stages if stage.name == "vad")
    wait_for(lambda: r.microphone.is_drained and len(vad.inbox) == 0)


def hear(r: Rig, *sounds: Samples) -> None:
    """Say this at a pace that the detector keeps up with, and wait until it has heard it."""
    vad = next(stage for stage in r.line._stages if stage.name == "vad")
    for sound in sounds:
        for start in range(0, len(sound), RATE // 5):
            r.microphone.say(sound[start : start + RATE // 5])
            wait_for(lambda: r.microphone.is_drained and len(vad.inbox) == 0)


def wait_for_decodes(r: Rig, count: int) -> None:
    wait_for(lambda: len(r.transcriber.heard_s) >= count)


# Turns


def test_a_new_turn_silences_the_old_one_at_once(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())
    r.put(Ask("Tell me a story."))
    r.speaker.start()

    r.put(Say("Stop that now."))
    r.facts.wait("playback", "stopped", turn=1)

    r.speaker.wait_for_clips(1)
    assert r.speaker.start().turn == 2
    r.speaker.finish()
    assert r.line.wait_until_idle(TIMEOUT_S)
    assert ("clear", 2) in r.avatar.calls
    after = r.avatar.calls[r.avatar.calls.index(("clear", 2)) :]
    assert all(turn == 2 for name, (turn, _) in [c for c in after if c[0] in ("push", "anchor")])  # type: ignore[misc]


def test_an_answer_that_was_cut_off_is_remembered_as_far_as_it_was_heard(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), chat=FakeChat("First I woke up. Then I had some breakfast. Then it rained.", "Yes."))
    r.put(Ask("How was your day?"))
    r.speaker.start()
    r.facts.wait("playback", "clip_started", turn=1, index=0)

    r.put(Ask("Did it rain?"))
    r.facts.wait("llm", "sentence", turn=2)

    assert r.chat.asked[1][2]["content"] == "First I woke up. —"


def test_a_brain_that_still_thinks_about_an_old_turn_is_stopped(rig: Callable[..., Rig]) -> None:
    chat = BlockedChat("Let me think about that. ")
    r = rig(chat=chat, speaker=FakeSpeaker())
    r.put(Ask("Hard question?"))
    assert chat.thinks.wait(TIMEOUT_S)
    chat.thinks.clear()

    r.put(Ask("Another one?"))

    assert chat.thinks.wait(TIMEOUT_S)
    assert chat.asked[1][1]["content"] == "Hard question?\nAnother one?"


def test_every_turn_ends_with_exactly_one_fact(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())

    r.put(Ask("One?"), Ask("Two?"), Say("Three."), StopTalking(), Ask("Five?"))
    r.facts.wait("llm", "sentence", turn=5, last=True)
    for _ in r.facts.of("llm", "sentence", turn=5):
        r.speaker.start()
        r.speaker.finish()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert [r.ends(turn) for turn in (1, 2, 3)] == [["stopped"]] * 3
    assert r.ends(5) == ["turn_finished"]


def test_stop_talking_falls_silent_and_leaves_nothing_queued(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())
    r.put(Say("A long, long story about a small, small dog."))
    r.speaker.start()

    r.put(StopTalking())

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.ends(1) == ["stopped"]
    assert r.speaker.queued_s() == 0.0
    assert not r.facts.of("playback", "turn_finished")


def test_the_voice_works_at_most_two_clips_ahead_of_playout(rig: Callable[..., Rig]) -> None:
    story = " ".join(f"This is sentence number {i} of the story." for i in range(8))
    r = rig(speaker=FakeSpeaker(), chat=FakeChat(story))
    r.put(Ask("A story, please."))

    r.speaker.wait_for_clips(3)
    r.facts.wait("llm", "sentence", last=True)
    at_first = len(r.synth.spoken)
    r.speaker.start()
    r.speaker.finish()
    r.speaker.wait_for_clips(3)

    assert at_first == 3
    assert len(r.synth.spoken) == 4
    r.put(StopTalking())


# Hearing


def test_half_duplex_does_not_hear_the_character_itself(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())
    r.put(Say("I am talking."))
    r.speaker.start()

    r.microphone.say(*QUESTION)
    r.facts.wait("capture", "level", count=30)
    r.speaker.finish()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.facts.of("vad", "speech_started") == []
    assert r.ends(1) == ["turn_finished"]


def test_open_hearing_lets_the_user_interrupt_by_voice(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), options=LineOptions(hearing="open", partials=False))
    r.put(Say("I am talking."))
    r.speaker.start()

    for sound in (silence(300), speech(900), silence(900)):
        hear(r, sound)
    r.facts.wait("playback", "stopped", turn=1)

    assert r.facts.wait("vad", "speech_started").data["turn"] == 2
    assert r.speaker.start().turn == 2


def test_a_cough_lowers_the_voice_for_a_moment_and_stops_nothing(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), options=LineOptions(hearing="open", partials=False))
    r.put(Say("I am talking."))
    r.speaker.start()

    for sound in (silence(300), speech(200), silence(1200)):
        hear(r, sound)
    r.facts.wait("vad", "ducked", on=False)
    r.speaker.finish()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.speaker.ducked == [True, False]
    assert r.ends(1) == ["turn_finished"]
    assert r.line.turn == 1


def test_a_single_word_that_means_it_stops_the_voice(rig: Callable[..., Rig]) -> None:
    """ "Stop!" lasts 400 ms: shorter than an interruption has to be, but its word decides."""
    r = rig(
        speaker=FakeSpeaker(),
        options=LineOptions(hearing="open"),
        transcriber=FakeTranscriber("Stop!", "Stop!", "Stop!"),
    )
    r.put(Say("I am talking."))
    r.speaker.start()

    for sound in (silence(300), speech(420), silence(1500)):
        hear(r, sound)

    r.facts.wait("playback", "stopped", turn=1)
    assert r.facts.wait("stt", "transcript").data["text"] == "Stop!"


def test_mm_hm_stops_nothing(rig: Callable[..., Rig]) -> None:
    r = rig(
        speaker=FakeSpeaker(),
        options=LineOptions(hearing="open"),
        transcriber=FakeTranscriber("Mm-hm.", "Mm-hm.", "Mm-hm.", "Mm-hm."),
    )
    r.put(Say("I am talking."))
    r.speaker.start()

    for sound in (silence(300), speech(640), silence(2500)):
        hear(r, sound)
    r.facts.wait("vad", "ducked", on=False)
    r.speaker.finish()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.line.turn == 1


def test_what_was_not_heard_of_an_interrupted_answer_is_not_remembered_as_said(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), chat=FakeChat("I was just thinking about the sea today, and about you."))
    r.put(Ask("What were you thinking?"))
    clip = r.speaker.start()
    r.speaker.hear(clip, 0.5)

    r.put(Ask("Stop, what?"))
    r.facts.wait("playback", "stopped", turn=1)
    r.facts.wait("llm", "first_token", count=2)

    said = next(message["content"] for message in r.chat.asked[1] if message["role"] == "assistant")
    assert said.endswith(CUT_OFF)
    words = said.removesuffix(CUT_OFF).split()
    assert words == clip.text.split()[: len(words)]
    assert 0 < len(words) < len(clip.text.split())


def test_a_sentence_that_was_heard_piece_by_piece_is_remembered(rig: Callable[..., Rig]) -> None:
    """A voice that streams gives its text with the first piece only."""
    r = rig(speaker=FakeSpeaker(), synth=FakeSynth(pieces=2), chat=FakeChat("I was just thinking about the sea."))
    r.put(Ask("What were you thinking?"))
    r.speaker.start()
    r.speaker.finish()
    r.speaker.hear(r.speaker.start(), 0.5)

    r.put(Ask("Stop, what?"))
    r.facts.wait("llm", "first_token", count=2)

    said = next(message["content"] for message in r.chat.asked[1] if message["role"] == "assistant")
    assert said == "I was just thinking about the sea." + CUT_OFF


# The end of a turn


def test_the_answer_is_prepared_while_it_is_still_being_decided(rig: Callable[..., Rig]) -> None:
    """The brain is asked at the first pause; nothing is heard until the turn is over."""
    r = rig(turn_detector=FakeTurnDetector(0.9), speaker=FakeSpeaker(), options=LineOptions(partials=False))
    hear(r, silence(300), speech(800), silence(300))
    r.facts.wait("tts", "clip", turn=1)

    assert r.speaker.clips == []
    assert r.facts.of("vad", "speech_ended") == []

    hear(r, silence(500))
    assert r.speaker.start().turn == 1
    assert len(r.chat.asked) == 1
    assert r.facts.of("stt", "transcript")[0].data["text"] == "What is your name?"


def test_who_goes_on_after_a_pause_is_asked_as_a_whole_and_the_half_is_forgotten(rig: Callable[..., Rig]) -> None:
    r = rig(
        turn_detector=FakeTurnDetector(0.9),
        transcriber=FakeTranscriber("What is.", "What is your name?"),
        options=LineOptions(partials=False),
    )
    hear(r, silence(300), speech(800), silence(300))
    r.facts.wait("llm", "sentence", turn=1)

    hear(r, speech(600), silence(300))
    hear(r, silence(600))
    r.facts.wait("playback", "turn_finished", turn=2)

    assert r.facts.wait("vad", "speech_resumed").data == {"turn": 2, "continues": 1}
    assert [fact.data["text"] for fact in r.facts.of("stt", "transcript")] == ["What is your name?"]
    assert [message["content"] for message in r.chat.asked[-1] if message["role"] == "user"] == ["What is your name?"]
    assert {clip.turn for clip in r.speaker.clips} == {2}
    assert r.ends(1) == []


def test_who_goes_on_before_the_answer_is_heard_was_not_finished(rig: Callable[..., Rig]) -> None:
    """Decided, but the brain is slow: what is said now still belongs to the question."""
    r = rig(
        turn_detector=FakeTurnDetector(0.9),
        transcriber=FakeTranscriber("What is.", "What is your name?"),
        chat=BlockedChat("Hm"),
        options=LineOptions(partials=False),
    )
    hear(r, silence(300), speech(800), silence(900))
    r.facts.wait("stt", "transcript", turn=1)

    hear(r, speech(600), silence(900))
    r.facts.wait("stt", "transcript", turn=2)

    assert r.facts.wait("vad", "speech_resumed").data["continues"] == 1
    assert r.transcriber.heard_s[-1] > 2.0


def test_who_went_on_is_answered_as_early_as_anybody(rig: Callable[..., Rig]) -> None:
    r = rig(
        turn_detector=FakeTurnDetector(0.9),
        transcriber=FakeTranscriber("What is.", "What is your name?"),
        chat=BlockedChat("Hm"),
        options=LineOptions(partials=False),
    )
    hear(r, silence(300), speech(800), silence(900))
    r.facts.wait("stt", "transcript", turn=1)

    hear(r, speech(600), silence(300))

    wait_for(lambda: len(r.chat.asked) == 2)
    assert r.facts.of("vad", "speech_ended", turn=2) == []


def test_a_very_long_question_loses_no_word_when_its_speaker_goes_on(rig: Callable[..., Rig]) -> None:
    """Its first half minute was decoded apart, and is not said again."""
    r = rig(
        turn_detector=FakeTurnDetector(0.9),
        transcriber=FakeTranscriber("The first half minute.", "And the rest.", "One more thing."),
        chat=BlockedChat("Hm"),
        options=LineOptions(partials=False, speculate=False),
    )
    hear(r, silence(300), speech(31_000), silence(900))
    r.facts.wait("stt", "transcript", text="The first half minute. And the rest.")

    hear(r, speech(900), silence(900))
    r.facts.wait("stt", "transcript", text="One more thing.")

    wait_for(lambda: len(r.chat.asked) == 2)
    asked = " ".join(message["content"] for message in r.chat.asked[1] if message["role"] == "user")
    assert asked.split() == ["The", "first", "half", "minute.", "And", "the", "rest.", "One", "more", "thing."]


def test_a_microphone_that_is_lost_leaves_neither_a_low_voice_nor_an_open_turn(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), options=LineOptions(hearing="open", partials=False))
    r.put(Say("I am talking."))
    r.speaker.start()
    hear(r, silence(300), speech(200))
    r.facts.wait("vad", "ducked", on=True)

    r.microphone.lose()
    r.facts.wait("vad", "ducked", on=False)
    r.speaker.finish()
    assert r.line.wait_until_idle(TIMEOUT_S)

    assert r.speaker.ducked == [True, False]


def test_a_microphone_that_is_lost_in_mid_sentence_closes_the_turn(rig: Callable[..., Rig]) -> None:
    r = rig(options=LineOptions(partials=False))
    hear(r, silence(300), speech(800))
    r.facts.wait("vad", "speech_started", turn=1)

    r.microphone.lose()

    r.facts.wait("playback", "turn_finished", turn=1)


def test_a_pause_that_sounds_unfinished_is_waited_out(rig: Callable[..., Rig]) -> None:
    r = rig(turn_detector=FakeTurnDetector(0.02), options=LineOptions(partials=False))
    hear(r, silence(300), speech(800), silence(1300))

    assert r.facts.of("vad", "speech_ended") == []

    hear(r, silence(1500))
    r.facts.wait("playback", "turn_finished", turn=1)


def test_patience_makes_it_wait_longer(rig: Callable[..., Rig]) -> None:
    def quiet_until_the_end_ms(patience: float) -> int:
        r = rig(turn_detector=FakeTurnDetector(0.9), options=LineOptions(partials=False, patience=patience))
        hear(r, silence(300), speech(800))
        for quiet_ms in range(0, 4000, 100):
            if r.facts.of("vad", "speech_ended"):
                return quiet_ms
            hear(r, silence(100))
        raise AssertionError("the turn never ended")

    assert quiet_until_the_end_ms(0.5) < quiet_until_the_end_ms(1.0) < quiet_until_the_end_ms(2.0)


# The talk key


def test_only_what_is_said_while_the_key_is_held_counts_and_letting_go_ends_it(rig: Callable[..., Rig]) -> None:
    r = rig(options=LineOptions(hearing="hold", partials=False))
    hear(r, silence(300), speech(900), silence(900))
    assert r.line.turn == 0

    r.put(PushToTalk(True))
    r.facts.wait("capture", "talk_key", on=True)
    hear(r, speech(900), silence(3000), speech(300))
    assert r.facts.of("stt", "transcript") == []

    r.put(PushToTalk(False))
    r.facts.wait("capture", "talk_key", on=False)
    hear(r, silence(100))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert r.transcriber.heard_s[-1] > 4.0


def test_pressing_the_key_silences_the_character_at_once(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker(), options=LineOptions(hearing="hold", partials=False))
    r.put(Say("I am talking."))
    r.speaker.start()

    r.put(PushToTalk(True))
    r.facts.wait("capture", "talk_key", on=True)
    hear(r, silence(100))
    r.facts.wait("playback", "stopped", turn=1)

    r.put(PushToTalk(False))
    r.facts.wait("capture", "talk_key", on=False)
    hear(r, silence(100))
    assert r.line.wait_until_idle(TIMEOUT_S)


def test_in_toggle_mode_each_press_switches(rig: Callable[..., Rig]) -> None:
    r = rig(options=LineOptions(hearing="toggle", partials=False))

    r.put(PushToTalk(True), PushToTalk(False), PushToTalk(True), PushToTalk(False))
    assert r.line.wait_until_idle(TIMEOUT_S)

    assert [fact.data["on"] for fact in r.facts.of("capture", "talk_key")] == [True, False]


def test_a_muted_microphone_is_not_heard_and_its_level_not_shown(rig: Callable[..., Rig]) -> None:
    r = rig()
    r.put(Mute(True))
    r.facts.wait("capture", "state", state="off")

    r.microphone.say(*QUESTION)
    r.put(Ask("Do you hear me?"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.facts.of("vad", "speech_started") == []
    assert r.facts.of("capture", "level") == []


def test_muting_in_the_middle_of_a_sentence_closes_its_turn(rig: Callable[..., Rig]) -> None:
    r = rig()
    r.microphone.say(speech(800))
    r.facts.wait("vad", "speech_started", turn=1)

    r.put(Mute(True))
    r.facts.wait("capture", "state", state="off")
    r.microphone.say(silence(100))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.ends(1) == ["turn_finished"]
    assert r.said() == []


def test_a_lost_microphone_is_opened_again(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.stages.capture.REOPEN_AFTER_S", 0.01)
    r = rig()

    r.microphone.lose()
    failed = r.facts.wait("capture", "state", state="failed")
    r.facts.wait("capture", "state", state="ready", count=2)
    r.microphone.say(*QUESTION)
    r.facts.wait("playback", "turn_finished", turn=1)

    assert failed.data["remedy"] == "Plug it in again."


# Loading


def test_a_question_typed_while_the_brain_loads_is_answered_when_it_is_ready(rig: Callable[..., Rig]) -> None:
    loaded = threading.Event()
    r = rig(load=False, chat=FakeChat("Here I am.", loaded=loaded))
    r.put(Ask("Are you there?"))
    r.facts.wait("stt", "transcript", typed=True)

    loaded.set()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == ["Here I am."]


def test_nothing_that_was_typed_while_loading_is_lost(rig: Callable[..., Rig]) -> None:
    """Two questions and a sentence to be spoken, before anything is ready: all three happen, in order."""
    chat_loaded, voice_loaded = threading.Event(), threading.Event()
    r = rig(
        load=False,
        chat=FakeChat("Answer number one.", "Answer number two.", loaded=chat_loaded),
        synth=FakeSynth(loaded=voice_loaded),
    )
    r.put(Ask("Question one?"), Say("Say this in between."), Ask("Question two?"))
    r.facts.wait("stt", "transcript", text="Question one?")

    chat_loaded.set()
    voice_loaded.set()

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == ["Answer number one.", "Say this in between.", "Answer number two."]
    assert [r.ends(turn) for turn in (1, 2, 3)] == [["turn_finished"]] * 3


def test_stages_report_starting_then_ready_with_a_label(rig: Callable[..., Rig]) -> None:
    r = rig()

    for stage, label in (("stt", "fake ears"), ("llm", "fake brain"), ("tts", "fake voice")):
        states = [fact.data["state"] for fact in r.facts.of(stage, "state")]
        assert states == ["starting", "ready"]
        assert label == r.facts.of(stage, "state", state="ready")[0].data["label"]


# Failures


def test_a_question_that_cannot_be_decoded_costs_that_question_only(rig: Callable[..., Rig]) -> None:
    r = rig(
        transcriber=FakeTranscriber(RuntimeError("what was said"), "Second try."),
        options=LineOptions(speculate=False, partials=False),
    )

    r.microphone.say(*QUESTION)
    r.facts.wait("playback", "turn_finished", turn=1)
    r.microphone.say(*QUESTION)
    r.facts.wait("playback", "turn_finished", turn=2)

    failed = r.facts.of("stt", "state", state="failed")
    assert len(failed) == 1
    assert "what was said" not in failed[0].data["problem"]
    assert [fact.data["text"] for fact in r.facts.of("stt", "transcript")] == ["", "Second try."]


def test_a_brain_that_fails_is_excused_aloud_and_asked_again_next_time(rig: Callable[..., Rig]) -> None:
    broken = AppError("Groq cannot be reached.", "Check the internet connection.")
    r = rig(
        chat=FakeChat(broken, "Now it works."),
        options=LineOptions(partials=False, fallback_line="My head is empty today."),
    )

    for text in ("First?", "Second?"):
        r.put(Ask(text))
        assert r.line.wait_until_idle(TIMEOUT_S)

    assert r.said() == ["My head is empty today.", "Now it works."]
    assert r.facts.wait("llm", "state", state="failed").data["problem"] == "Groq cannot be reached."
    assert r.chat.asked[1][1:] == [{"role": "user", "content": "Second?"}]


def test_an_answer_that_breaks_off_is_spoken_as_far_as_it_came(rig: Callable[..., Rig]) -> None:
    r = rig(chat=FakeChat(["I will tell you everything. And now", AppError("It broke off.", "Ask again.")]))

    r.put(Ask("Well?"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == ["I will tell you everything."]
    assert r.ends(1) == ["turn_finished"]


def test_a_sentence_that_cannot_be_spoken_is_skipped(rig: Callable[..., Rig]) -> None:
    r = rig(
        synth=FakeSynth(unspeakable="dragon"),
        chat=FakeChat("I like all the cats. I fear the angry dragon. I like dogs too."),
    )

    r.put(Ask("What do you like?"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == ["I like all the cats.", "I like dogs too."]


def test_an_answer_with_nothing_to_say_still_ends_its_turn(rig: Callable[..., Rig]) -> None:
    r = rig(chat=FakeChat("<think>hm</think> 😊"))

    r.put(Ask("Smile!"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.said() == []
    assert r.ends(1) == ["turn_finished"]


def test_without_a_sound_card_the_show_goes_on_in_silence_and_says_so_once(rig: Callable[..., Rig]) -> None:
    error = AppError("There is no loudspeaker.", "Plug one in.")
    silent = FakeSpeaker(instant=True)
    r = rig(speaker=FakeSpeaker(broken=error), fallback_speaker=silent)

    for text in ("First.", "Second."):
        r.put(Say(text))
        assert r.line.wait_until_idle(TIMEOUT_S)

    assert [clip.text for clip in silent.clips] == ["First.", "Second."]
    assert [fact.data["problem"] for fact in r.facts.of("playback", "state", state="failed")] == [
        "There is no loudspeaker."
    ]


def test_a_loudspeaker_that_is_pulled_out_is_replaced_by_silence(rig: Callable[..., Rig]) -> None:
    silent = FakeSpeaker(instant=True)
    r = rig(fallback_speaker=silent)
    r.speaker.broken = AppError("The loudspeaker was lost.", "Plug it in again.")

    r.put(Say("Can you hear me?"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert [clip.text for clip in silent.clips] == ["Can you hear me?"]
    assert r.ends(1) == ["turn_finished"]


# The gate


def test_commands_that_the_line_does_not_own_are_passed_on(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(SwitchCharacter("nova"), Quit())

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert [SwitchCharacter("nova"), Quit()] == r.commands


def test_an_expression_reaches_the_avatar_and_the_window(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Express("happy"))

    assert r.facts.wait("avatar", "expression").data["name"] == "happy"
    assert ("express", "happy") in r.avatar.calls


def test_emotions_and_gestures_reach_the_avatar(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Feel("joy", 0.6), Gesture("nod"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert ("feel", ("joy", 0.6)) in r.avatar.calls
    assert ("gesture", "nod") in r.avatar.calls


def test_the_avatar_thinks_from_the_question_on_and_no_longer_when_the_turn_is_over(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Ask("Are you there?"))

    assert r.line.wait_until_idle(TIMEOUT_S)
    calls = [call for call in r.avatar.calls if call[0] in ("think", "anchor")]
    assert ("think", (1, True)) == calls[0]
    assert ("think", (1, False)) == calls[-1]


def test_what_is_said_without_the_brain_needs_no_thought(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(Say("Hello there."))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert ("think", (1, True)) not in r.avatar.calls


def test_a_command_that_fails_does_not_close_the_gate(rig: Callable[..., Rig]) -> None:
    def fail(command: Command) -> None:
        raise AppError("There is no such character.", "Choose another.")

    r = rig(on_command=fail)

    r.put(SwitchCharacter("nobody"), Say("Still here."))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert r.facts.wait("gate", "state", state="failed").data["problem"] == "There is no such character."
    assert r.said() == ["Still here."]


# Ending


def test_stop_ends_every_thread_while_everything_is_busy() -> None:
    chat = BlockedChat("Let me think about it. ")
    r = Rig(chat=chat, speaker=FakeSpeaker())
    r.line.start()
    assert r.line.wait_until_loaded(TIMEOUT_S)
    r.put(Ask("Hard question?"))
    assert chat.thinks.wait(TIMEOUT_S)

    assert r.line.stop(timeout_s=2.0)

    assert line_threads() == []
    assert (chat.closed, r.speaker.closed) == (1, 1)
    assert r.microphone.closed >= 1


def test_stop_may_be_called_twice_and_before_start() -> None:
    never_started, started = Rig(), Rig()
    started.line.start()

    assert all([never_started.line.stop(), started.line.stop(), started.line.stop()])
    assert line_threads() == []


def test_two_hundred_turns_leave_no_thread_and_no_turn_open() -> None:
    """Spoken, typed, interrupted and stopped turns in a fixed mix."""
    r = Rig(
        transcriber=FakeTranscriber(*["Hello there."] * 200),
        chat=FakeChat(*["One thing. And another thing too."] * 200),
    )
    r.line.start()
    assert r.line.wait_until_loaded(TIMEOUT_S)
    threads = threading.active_count()
    turn = 0
    for k in range(50):
        r.microphone.say(*QUESTION)
        turn += 1
        r.facts.wait("playback", "turn_finished", turn=turn)
        r.clock.advance(1.0)
        r.put(Ask("And?"), Say("Well."), StopTalking())
        turn += 3
        assert r.line.wait_until_idle(TIMEOUT_S), k

    assert r.line.turn == 200
    assert threads == threading.active_count()
    minted = {turn for turn in range(1, 201) if turn % 4}
    assert dict.fromkeys(minted, 1) == {turn: len(r.ends(turn)) for turn in minted}
    assert r.line.stop()
    assert line_threads() == []


# A voice that streams


def test_pieces_of_a_sentence_are_numbered_in_playing_order_and_the_first_carries_its_words(
    rig: Callable[..., Rig],
) -> None:
    r = rig(synth=FakeSynth(pieces=3), chat=FakeChat("My name is Kuchi. It means mouth."))

    r.put(Ask("Who are you?"))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert [(clip.index, clip.text) for clip in r.speaker.clips] == [
        (0, "My name is Kuchi."),
        (1, ""),
        (2, ""),
        (3, "It means mouth."),
        (4, ""),
        (5, ""),
    ]
    started = r.facts.of("playback", "clip_started")
    assert ["My name is Kuchi.", "It means mouth."] == [fact.data["text"] for fact in started]


def test_the_lips_are_told_which_pieces_belong_to_one_sentence_and_what_the_voice_was_given(
    rig: Callable[..., Rig],
) -> None:
    class Streaming(FakeSynth):
        """Knows which piece is the last of a sentence."""

        def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
            yield SpeechPiece(speech(100), 16_000, None, final=False)
            yield SpeechPiece(speech(100), 16_000, None, final=True)

    r = rig(synth=Streaming(), chat=FakeChat("It costs 12 %. ええ、そうです。"))

    r.put(Ask("How much?"))
    r.facts.wait("playback", "turn_finished", turn=1)

    told = [(c.text, c.spoken, c.language, c.continues, c.final, c.last) for c in r.speaker.clips]
    assert told == [
        ("It costs 12 %.", "It costs 12 percent.", "en", False, False, False),
        ("", "", "en", True, True, False),
        ("ええ、そうです。", "ええ、そうです。", "ja", False, False, False),
        ("", "", "ja", True, True, True),
    ]
    assert not any("percent" in str(fact.data) for fact in r.facts.all)


def test_a_sentence_that_breaks_off_is_not_continued_by_the_next_one(rig: Callable[..., Rig]) -> None:
    class Breaking(FakeSynth):
        def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
            yield SpeechPiece(speech(100), 16_000, None, final=False)
            if "name" in text:
                raise AppError("The voice failed.", "Choose another voice.")

    r = rig(synth=Breaking(), chat=FakeChat("My name is Kuchi. It means mouth."))

    r.put(Ask("Who are you?"))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert [(c.spoken, c.continues) for c in r.speaker.clips] == [
        ("My name is Kuchi.", False),
        ("It means mouth.", False),
    ]


def test_history_holds_a_streamed_sentence_once(rig: Callable[..., Rig]) -> None:
    r = rig(synth=FakeSynth(pieces=3), chat=FakeChat("My name is Kuchi. It means mouth.", "Yes."))

    r.put(Ask("Who are you?"))
    r.facts.wait("playback", "turn_finished", turn=1)
    r.put(Ask("Really?"))
    r.facts.wait("playback", "turn_finished", turn=2)

    assert "My name is Kuchi. It means mouth." == r.chat.asked[1][2]["content"]


def test_the_next_sentence_is_made_while_a_streamed_one_of_many_pieces_sounds(rig: Callable[..., Rig]) -> None:
    """Twelve pieces wait to be heard, and yet the voice is one sentence ahead."""
    r = rig(
        synth=FakeSynth(pieces=12),
        speaker=FakeSpeaker(),
        chat=FakeChat("My name is Kuchi. It means mouth, dear friend. And that is all there is to say."),
        options=LineOptions(clips_ahead=1),
    )

    r.put(Ask("Who are you?"))
    r.speaker.wait_for_clips(24)

    assert r.synth.spoken == ["My name is Kuchi.", "It means mouth, dear friend."]


def test_a_turn_that_ends_in_the_middle_of_a_streamed_sentence_leaves_nothing_behind(
    rig: Callable[..., Rig],
) -> None:
    class Endless(FakeSynth):
        def __init__(self) -> None:
            super().__init__()
            self.ended = threading.Event()
            self.streams = threading.Event()

        def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
            if "name" not in text:
                yield from super().speak(text, should_stop)
                return
            try:
                while not should_stop():
                    self.streams.set()
                    yield SpeechPiece(speech(100), 16_000, None, final=False)
            finally:
                self.ended.set()

    synth = Endless()
    r = rig(synth=synth, speaker=FakeSpeaker(), chat=FakeChat("My name is Kuchi.", "Something else."))

    r.put(Ask("Who are you?"))
    assert synth.streams.wait(TIMEOUT_S)
    r.put(Ask("And what else?"))
    assert synth.ended.wait(TIMEOUT_S)
    r.facts.wait("tts", "clip", turn=2)
    r.speaker.wait_for_clips(1)

    assert {clip.turn for clip in r.speaker._queue} == {2}
    assert [message["content"] for message in r.chat.asked[1]] == [
        "You are Kuchi.",
        "Who are you?\nAnd what else?",
    ]


# Lips and sound


def test_clicks_and_flashes_go_the_way_that_a_sentence_goes(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(LipSyncTest(True))
    r.facts.wait("playback", "turn_finished", turn=1)

    assert [len(clip.flashes_s) for clip in r.speaker.clips] == [12]
    assert ("push", (1, 0)) in r.avatar.calls
    assert ("anchor", (1, 0)) in r.avatar.calls
    assert 1 == r.facts.wait("avatar", "lip_sync_test").data["turn"]
    assert r.facts.of("playback", "clip_started") == []
    assert r.chat.asked == []


def test_the_test_can_be_stopped_and_ends_when_somebody_speaks(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())

    r.put(LipSyncTest(True))
    r.speaker.wait_for_clips(1)
    r.put(LipSyncTest(False))
    r.facts.wait("playback", "stopped", turn=1)
    r.put(LipSyncTest(True), Say("Hello there."))
    r.facts.wait("playback", "stopped", turn=3)
    r.put(LipSyncTest(False))
    r.speaker.wait_for_clips(1)
    r.speaker.start()
    r.speaker.finish()
    r.facts.wait("playback", "turn_finished", turn=4)

    assert r.ends(4) == ["turn_finished"]


def test_a_new_mouth_offset_reaches_the_face_at_once_and_those_who_keep_it(rig: Callable[..., Rig]) -> None:
    r = rig()

    r.put(MouthOffset(80), MouthOffset(120, keep=True))
    r.facts.wait("avatar", "mouth_offset", ms=120)
    assert r.line.wait_until_idle(TIMEOUT_S)

    assert [("mouth_offset", 80), ("mouth_offset", 120)] == [c for c in r.avatar.calls if c[0] == "mouth_offset"]
    assert r.commands == [MouthOffset(80), MouthOffset(120, keep=True)]


# A voice on a server


def test_the_show_goes_on_in_the_other_voice_while_the_server_is_away(rig: Callable[..., Rig]) -> None:
    told: list[str] = []
    is_back = threading.Event()

    def tell(name: str, error: AppError | None) -> None:
        told.append(name)
        if error is None:
            is_back.set()

    with SpeechServer("500") as server:
        piper = FakeSynth()
        synth = FailoverSynth(OpenAiSynth(server.url, voice="anna"), piper, tell, clock_s=lambda: 0.0, reload_s=0.01)
        r = rig(synth=synth)

        r.put(Ask("Who are you?"))
        assert r.line.wait_until_idle(TIMEOUT_S)
        server.day = "stream"
        assert is_back.wait(TIMEOUT_S)
        r.put(Ask("And now?"))
        assert r.line.wait_until_idle(TIMEOUT_S)

    answers = [text for text in r.said() if text]  # a sentence that streams is several clips, the first with the text
    assert answers == ["My name is Kuchi.", "It means mouth.", "I see what you mean."]
    assert piper.spoken == ["My name is Kuchi.", "It means mouth."]
    assert told == ["fake voice", "anna (127.0.0.1)"]
    assert r.ends(1) == r.ends(2) == ["turn_finished"]


def test_a_server_that_breaks_off_in_mid_sentence_ends_that_sentence_and_not_the_turn(rig: Callable[..., Rig]) -> None:
    with SpeechServer() as server:
        synth = FailoverSynth(OpenAiSynth(server.url), FakeSynth(), clock_s=lambda: 0.0)
        r = rig(synth=synth)
        server.day = "dies"

        r.put(Ask("Who are you?"))
        assert r.line.wait_until_idle(TIMEOUT_S)

    assert r.ends(1) == ["turn_finished"]
    assert [text for text in r.said() if text] == ["My name is Kuchi.", "It means mouth."]


def test_panic_silences_everything_at_once_and_closes_the_microphone(rig: Callable[..., Rig]) -> None:
    r = rig(speaker=FakeSpeaker())
    r.put(Express("happy"))
    r.put(Say("One sentence. Another one."))
    r.facts.wait("tts", "clip")

    r.put(Panic(True))
    r.facts.wait("playback", "stopped")
    r.facts.wait("capture", "state", state="off")

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert ("express", "neutral") in r.avatar.calls
    assert ("feel", ("neutral", 1.0)) in r.avatar.calls
    assert Panic(True) in r.commands


def test_off_air_nothing_is_said_and_afterwards_all_is_as_before(rig: Callable[..., Rig]) -> None:
    r = rig()
    r.put(Panic(True))
    r.put(Say("Hello."))
    r.facts.wait("gate", "state", label="Say")

    r.put(Panic(False))
    r.facts.wait("capture", "state", state="ready")
    r.put(Say("Hello again."))

    r.facts.wait("playback", "clip_started")
    assert ["Hello again."] == [fact.data["text"] for fact in r.facts.of("playback", "clip_started")]


def test_a_microphone_that_was_off_before_the_panic_stays_off(rig: Callable[..., Rig]) -> None:
    r = rig()
    r.put(Mute(True))
    r.put(Panic(True))
    r.put(Panic(True))
    r.put(Panic(False))

    assert r.line.wait_until_idle(TIMEOUT_S)
    assert "off" == r.facts.of("capture", "state")[-1].data["state"]


# The microphone, for the user's own ears


def test_a_microphone_check_plays_what_was_heard_and_nobody_answers(rig):
    made = rig()
    made.put(CheckMicrophone(0.5))
    made.facts.wait("capture", "check", phase="recording")

    made.microphone.say(speech(600), silence(1500))
    finished = made.facts.wait("capture", "check", phase="playing")
    made.facts.wait("playback", "turn_finished", turn=finished.data["turn"])

    assert [""] == made.said()
    assert [] == made.facts.of("stt", "transcript")
    assert -20 < finished.data["peak_dbfs"] <= 0
    (clip,) = made.speaker.clips
    assert 0.5 == pytest.approx(len(clip.samples) / clip.sample_rate, abs=0.02)


def test_after_a_microphone_check_the_talk_goes_on(rig):
    made = rig()
    made.put(CheckMicrophone(0.5))
    made.facts.wait("capture", "check", phase="recording")
    made.microphone.say(silence(600))
    played = made.facts.wait("capture", "check", phase="playing")
    made.facts.wait("playback", "turn_finished", turn=played.data["turn"])
    made.clock.advance(1.0)  # half-duplex: it is deaf for a moment after each sound

    made.microphone.say(*QUESTION)

    made.facts.wait("stt", "transcript")


def test_a_check_without_a_microphone_says_so(rig):
    made = rig()
    made.microphone.lose()
    made.facts.wait("capture", "state", state="failed")

    made.put(CheckMicrophone())

    failure = made.facts.wait("gate", "state", state="failed")
    assert "no microphone" in failure.data["problem"]


def test_how_sure_the_detector_is_that_somebody_speaks_is_told(rig):
    made = rig()
    made.microphone.say(*QUESTION)

    made.facts.wait("stt", "transcript")

    told = [fact.data["p"] for fact in made.facts.of("vad", "probability")]
    assert max(told) > 0.6 > min(told)
    assert len(told) <= 20
