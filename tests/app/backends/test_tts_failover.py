"""Two voices: who speaks when, and what is said about it."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from app.backends.tts_alltalk import AllTalkSynth, AllTalkTimeouts
from app.backends.tts_failover import FailoverSynth
from app.backends.tts_openai import OpenAiSynth, SpeechTimeouts
from app.errors import AppError
from app.messages import SpeechPiece
from app.policy.rests import Rests
from app.ports import SpeechSynth
from tests.fakes import TIMEOUT_S, FakeClock, FakeSynth
from tests.speech_server import SpeechServer


class MoodyVoice(FakeSynth):
    """A voice whose next sentences fail, before or in the middle, and whose loading fails or waits."""

    name = "server voice"

    def __init__(self, *, pieces: int = 1) -> None:
        super().__init__(pieces=pieces)
        self.trouble = ""
        self.load_trouble: AppError | Exception | None = None
        self.may_load = threading.Event()
        self.may_load.set()
        self.loads = 0

    def load(self) -> None:
        self.loads += 1
        assert self.may_load.wait(TIMEOUT_S)
        if self.load_trouble is not None:
            raise self.load_trouble

    def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
        if self.trouble == "before":
            raise AppError("The server is away.", "Start it.")
        if self.trouble == "nothing":
            return
        for piece in super().speak(text, should_stop):
            yield piece
            if self.trouble == "in the middle":
                raise AppError("The server broke off.", "Start it.")

    def close(self) -> None:
        super().close()
        self.may_load.set()


class Pair:
    """A FailoverSynth on two fakes and what it told."""

    def __init__(self, main: MoodyVoice | None = None, piper: FakeSynth | None = None, **options: float) -> None:
        self.main = main or MoodyVoice()
        self.piper = piper or FakeSynth()
        self.told: list[tuple[str, str]] = []
        self.news = threading.Event()
        self.clock = FakeClock()
        self.synth = FailoverSynth(
            self.main,
            self.piper,
            self.tell,
            clock_s=lambda: self.clock.now_ns() / 1e9,
            **options,
        )

    def tell(self, name: str, error: AppError | None) -> None:
        self.told.append((name, "" if error is None else error.problem))
        self.news.set()

    def say(self, text: str) -> str:
        """Who spoke."""
        before = len(self.main.spoken), len(self.piper.spoken)
        list(self.synth.speak(text, lambda: False))
        after = len(self.main.spoken), len(self.piper.spoken)
        return {(1, 0): "main", (0, 1): "piper", (0, 0): "nobody"}.get(
            (after[0] - before[0], after[1] - before[1]), "both"
        )


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def make(*, load: bool = True, **parts: object) -> Pair:
        made.append(Pair(**parts))  # type: ignore[arg-type]
        if load:
            made[-1].synth.load()
        return made[-1]

    yield make
    for one in made:
        one.synth.close()
        one.synth.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "voice-load"]


def test_the_main_voice_speaks_while_it_can_and_nothing_is_said_about_it(pair: Callable[..., Pair]) -> None:
    p = pair()

    assert [p.say("One."), p.say("Two.")] == ["main", "main"]
    assert (p.synth.name, p.told) == ("server voice", [])


def test_a_sentence_that_fails_is_spoken_by_the_other_voice_and_the_change_is_said_once(
    pair: Callable[..., Pair],
) -> None:
    p = pair()
    p.main.trouble = "before"

    spoken = [p.say(f"Sentence {i}.") for i in range(6)]

    assert spoken == ["piper"] * 6
    assert p.told == [("fake voice", "The server is away.")]
    assert p.synth.name == "fake voice"


def test_it_comes_back_by_itself_and_that_is_said_once(pair: Callable[..., Pair]) -> None:
    """Tried again with the very next sentence, then after rests of 1, 3 and 7 sentences."""
    p = pair()
    p.main.trouble = "before"
    assert [p.say("One."), p.say("Two.")] == ["piper", "piper"]
    p.main.trouble = ""

    assert [p.say(f"Sentence {i}.") for i in range(4)] == ["piper", "main", "main", "main"]
    assert [name for name, _ in p.told] == ["fake voice", "server voice"]
    assert p.synth.name == "server voice"


def test_a_sentence_that_breaks_off_is_not_said_twice(pair: Callable[..., Pair]) -> None:
    p = pair(main=MoodyVoice(pieces=3))
    p.main.trouble = "in the middle"

    assert p.say("A sentence of some length.") == "main"
    p.main.trouble = "before"
    assert p.say("The next one.") == "piper"
    assert [problem for _, problem in p.told] == ["The server broke off."]


def test_a_voice_that_says_nothing_has_failed(pair: Callable[..., Pair]) -> None:
    p = pair()
    p.main.trouble = "nothing"

    assert p.say("Hello there.") == "piper"
    assert p.told == [("fake voice", "server voice said nothing.")]


def test_a_turn_that_is_over_is_no_failure(pair: Callable[..., Pair]) -> None:
    p = pair(main=MoodyVoice(pieces=3))

    assert list(p.synth.speak("Not wanted any more.", lambda: True)) == []
    assert p.piper.spoken == []
    assert p.told == []
    assert p.say("The next one.") == "main"


def test_where_neither_can_speak_the_main_voices_trouble_is_said(pair: Callable[..., Pair]) -> None:
    p = pair(piper=FakeSynth(unspeakable="Hello"))
    p.main.trouble = "before"

    with pytest.raises(AppError, match="The server is away"):
        p.say("Hello there.")


# Loading


def test_a_server_that_takes_long_holds_up_nothing_and_speaks_once_it_is_there(pair: Callable[..., Pair]) -> None:
    main = MoodyVoice()
    main.may_load.clear()
    p = pair(main=main, grace_s=0.0)

    assert p.say("The greeting.") == "piper"
    assert p.synth.name == "fake voice"
    main.may_load.set()
    assert p.news.wait(TIMEOUT_S)

    assert p.say("The answer.") == "main"
    assert p.told == [("server voice", "")]


@pytest.mark.parametrize("trouble", [AppError("No server there.", "Start it."), ValueError("secret words")])
def test_a_server_that_is_away_at_the_start_is_said_and_tried_again(
    pair: Callable[..., Pair], trouble: Exception
) -> None:
    main = MoodyVoice()
    main.load_trouble = trouble
    p = pair(main=main, reload_s=0.01)

    assert p.say("The greeting.") == "piper"
    main.load_trouble = None
    while p.synth.name != "server voice":
        p.news.wait(0.01)

    assert p.say("The answer.") == "main"
    assert main.loads >= 2
    assert len(p.told) == 2
    assert p.told[0][0] == "fake voice"
    assert "secret words" not in p.told[0][1]


def test_without_either_voice_loading_fails_with_the_main_voices_words(pair: Callable[..., Pair]) -> None:
    class Broken(FakeSynth):
        def load(self) -> None:
            raise AppError("Piper has no file.", "Fetch it.")

    main = MoodyVoice()
    main.load_trouble = AppError("No server there.", "Start it.")
    p = pair(load=False, main=main, piper=Broken())

    with pytest.raises(AppError, match="No server there"):
        p.synth.load()


def test_the_main_voice_is_enough(pair: Callable[..., Pair]) -> None:
    class Broken(FakeSynth):
        def load(self) -> None:
            raise AppError("Piper has no file.", "Fetch it.")

    p = pair(piper=Broken())

    assert p.say("Hello.") == "main"


def test_closing_ends_a_load_that_waits(pair: Callable[..., Pair]) -> None:
    main = MoodyVoice()
    main.may_load.clear()
    p = pair(main=main, grace_s=0.0)

    p.synth.close()

    assert main.closed == 1
    assert p.piper.closed == 1
    assert p.told == []


# With a server


def test_a_real_server_may_go_and_come_back() -> None:
    told: list[str] = []
    with SpeechServer() as server:
        main = OpenAiSynth(server.url, voice="anna", timeouts=SpeechTimeouts(first_s=5.0))
        synth = FailoverSynth(main, FakeSynth(), lambda name, error: told.append(name), clock_s=lambda: 0.0)
        synth.load()
        names = []
        for day in ("stream", "500", "dies", "whole", "whole", "whole"):
            server.day = day
            pieces = list(synth.speak("One two three four.", lambda: False))
            names.append(pieces[0].voice)
        synth.close()

    anna = "anna (127.0.0.1)"
    # What broke off had begun; it is the second failure in a row, and followed by one sentence of rest.
    assert names == [anna, "", anna, "", anna, anna]
    assert told == ["fake voice", anna, "fake voice", anna]


# How long it rests


def test_rests_grow_with_failures_and_end_with_a_success() -> None:
    rests = Rests()
    sentences = []
    for _ in range(5):
        rests.failed(0.1)
        sentences.append(0)
        while not rests.may_try():
            sentences[-1] += 1
    assert sentences == [0, 1, 3, 7, 7]

    rests.succeeded()
    rests.failed(0.1)
    assert rests.may_try()


def test_a_failure_that_was_heard_as_a_silence_rests_longer() -> None:
    rests = Rests()
    rests.failed(5.0)

    assert [rests.may_try() for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize("fails", ["to load", "to speak", "both to load and to speak"])
def test_voices_that_are_no_longer_wanted_are_let_go_at_once_after_an_error_too(fails: str) -> None:
    """A Piper holds 200 MB; Python looks for objects that hold each other only every now and then."""
    main, piper = MoodyVoice(), MoodyVoice()
    if "load" in fails:
        main.load_trouble = AppError("The server is away.", "Start it.")
    main.trouble = "before"
    piper.trouble = "before" if fails.startswith("both") else ""
    synth = FailoverSynth(main, piper, grace_s=0.0)
    held = weakref.ref(piper)
    gc.disable()
    try:
        synth.load()
        with contextlib.suppress(AppError):
            list(synth.speak("One.", lambda: False))
        synth.close()
        del synth, main, piper

        assert held() is None
    finally:
        gc.enable()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("kind", ["alltalk", "openai"])
def test_a_server_that_is_not_there_keeps_nothing_of_whoever_asked_it(kind: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    main: SpeechSynth
    if kind == "alltalk":
        main = AllTalkSynth(url, timeouts=AllTalkTimeouts(ready_s=0.1, poll_s=0.02, ask_s=1.0))
    else:
        main = OpenAiSynth(f"{url}/v1", timeouts=SpeechTimeouts())
    piper = MoodyVoice()
    held = weakref.ref(piper)
    gc.disable()
    try:
        synth = FailoverSynth(main, piper, grace_s=TIMEOUT_S)
        synth.load()
        list(synth.speak("One.", lambda: False))
        synth.close()
        del synth, main, piper

        assert held() is None
    finally:
        gc.enable()
