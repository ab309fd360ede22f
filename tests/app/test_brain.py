"""Every bad day of a provider, over loopback, with the show going on: the next question is answered."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from app import brain
from app.backends.llm_failover import Candidate, FailoverChat
from app.backends.llm_groq import GroqChat
from app.backends.llm_openai import OpenAiChat
from app.backends.openai_stream import StreamTimeouts
from app.bus import Bus
from app.errors import AppError
from app.line import Line, LineOptions
from app.messages import Ask
from app.models import default_store
from app.policy.cues import HINT
from app.ports import ChatModel
from app.settings import BrainSettings
from tests.fakes import TIMEOUT_S, Facts, FakeClock, FakeSpeaker, FakeSynth
from tests.servers import ChatServer

QUICK = StreamTimeouts(connect_s=1.0, first_token_s=0.4, next_token_s=0.3)
EXCUSE = "My head is in the clouds."
STAND_IN = "I stand in for the other one."


class Stage:
    """A line whose brain is made of Groq's SDK and a plain server, both on loopback."""

    def __init__(self, stack: ExitStack) -> None:
        self.clock = FakeClock()
        self.bus = Bus(self.clock.now_ns)
        self.facts = Facts(self.bus)
        self.first = stack.enter_context(ChatServer(answer="I am here, and I am well. Ask me more."))
        self.second = stack.enter_context(ChatServer(answer=STAND_IN))
        self.groq = GroqChat("gsk_secret", base_url=self.first.root, timeouts=QUICK, on_change=self.say)
        server = OpenAiChat(self.second.url, "tiny", timeouts=QUICK)
        self.chat = FailoverChat(
            [Candidate(self.groq, "Groq"), Candidate(server, "server")], self.clock, on_switch=self.say
        )
        self.speaker = FakeSpeaker(instant=True)
        self.line = self.make_line(self.chat)
        self.line.start()
        stack.callback(self.line.stop)
        assert self.line.wait_until_loaded(TIMEOUT_S)

    def make_line(self, chat: ChatModel) -> Line:
        options = LineOptions(fallback_line=EXCUSE)
        return Line(
            self.bus, self.clock, None, None, None, chat, FakeSynth(), self.speaker, None, "You are Kuchi.", options
        )

    def say(self, name: str, error: AppError) -> None:
        self.bus.emit("llm", "state", state="failed", label=name, problem=error.problem, remedy=error.remedy)

    def ask(self, text: str = "How are you?") -> str:
        """What is said in answer to one question."""
        return self.ask_line(self.line, text)

    def ask_line(self, line: Line, text: str = "How are you?") -> str:
        before = len(self.speaker.clips)
        self.bus.gate.put(Ask(text))
        assert line.wait_until_idle(TIMEOUT_S)
        return " ".join(clip.text for clip in self.speaker.clips[before:])

    def problems(self) -> list[str]:
        return [fact.data["problem"] for fact in self.facts.of("llm", "state", state="failed")]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(stack)


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("401", "does not accept the key"),
        ("403", "does not accept the key"),
        ("404", "does not know this model"),
        ("429", "has reached its limit"),
        ("500", "has trouble of its own"),
        ("503", "has trouble of its own"),
        ("slow", "did not answer in time"),
        ("hang up", "cannot be reached"),
        ("empty", "gave an empty answer"),
        ("only think", "gave an empty answer"),
        ("cut at once", "broke off"),
        ("garbage", "broke off"),
    ],
)
def test_before_the_first_word_the_next_provider_answers_the_same_question(
    stage: Stage, day: str, problem: str
) -> None:
    stage.first.day = day

    assert stage.ask() == STAND_IN
    assert problem in stage.problems()[0]
    assert stage.second.seen[0]["messages"][-1] == {"role": "user", "content": "How are you?"}
    assert stage.ask("And now?") != ""
    assert "secret" not in str(stage.facts.all)


@pytest.mark.parametrize("day", ["cut", "error event", "stall"])
def test_an_answer_that_is_cut_keeps_what_was_said_and_nobody_else_goes_on(stage: Stage, day: str) -> None:
    stage.first.day = day

    assert stage.ask() == "I am here,"
    assert stage.second.seen == []
    assert stage.ask("And now?") == STAND_IN
    assert stage.second.seen[0]["messages"][1:] == [
        {"role": "user", "content": "How are you?"},
        {"role": "assistant", "content": "I am here,"},
        {"role": "user", "content": "And now?"},
    ]


def test_a_connection_that_was_closed_in_the_very_moment_is_made_anew(stage: Stage) -> None:
    stage.first.hang_ups = 1

    assert stage.ask() == "I am here, and I am well. Ask me more."
    assert stage.problems() == []
    assert stage.second.seen == []


def test_a_refused_key_is_not_tried_again(stage: Stage) -> None:
    stage.first.day = "401"
    stage.ask()
    stage.first.day = "good"
    stage.clock.advance(3600)

    assert stage.ask() == STAND_IN
    assert len(stage.first.seen) == 1


def test_a_limit_rests_for_exactly_its_time_and_the_next_takes_over_at_once(stage: Stage) -> None:
    stage.first.day = "429"
    stage.first.retry_after = "12.5"
    answers = [stage.ask()]
    stage.first.day = "good"
    stage.clock.advance(12.4)
    answers.append(stage.ask())
    stage.clock.advance(0.2)
    answers.append(stage.ask())

    assert answers == [STAND_IN, STAND_IN, "I am here, and I am well. Ask me more."]
    assert len(stage.first.seen) == 2


def test_a_model_that_is_gone_is_replaced_by_its_nearest_of_the_same_provider_and_that_is_said(stage: Stage) -> None:
    stage.first.models = ["whisper-large-v3", "openai/gpt-oss-120b"]

    assert stage.ask().startswith("I am here,")
    assert stage.problems() == ["Groq has no model 'openai/gpt-oss-20b' any more; openai/gpt-oss-120b answers instead."]
    assert stage.facts.of("llm", "state", state="ready")[-1].data["label"] == "openai/gpt-oss-120b (Groq)"
    assert stage.second.seen == []


@pytest.mark.parametrize("day", ["reasoning", "think"])
def test_thoughts_are_never_spoken(stage: Stage, day: str) -> None:
    stage.first.day = day

    assert stage.ask() == "I am here, and I am well. Ask me more."


def test_when_everybody_fails_one_line_in_character_is_said_and_forgotten(stage: Stage) -> None:
    stage.first.day, stage.second.day = "500", "503"
    said = stage.ask()
    stage.first.day = stage.second.day = "good"
    stage.clock.advance(60)
    stage.ask("And now?")

    assert said == EXCUSE
    assert [message["content"] for message in stage.first.seen[-1]["messages"]] == ["You are Kuchi.", "And now?"]


def test_a_server_that_went_away_is_replaced_and_used_again_when_it_is_back(stage: Stage) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, but nobody listens
        gone = OpenAiChat(f"http://127.0.0.1:{bound.getsockname()[1]}/v1", "tiny", timeouts=QUICK)
        back = OpenAiChat(stage.second.url, "tiny", timeouts=QUICK)
        chat = FailoverChat([Candidate(gone, "gone"), Candidate(back, "back")], stage.clock)
        chat.load()
        answer = "".join(chat.reply([{"role": "user", "content": "Hi"}], lambda: False))
        chat.close()

    assert answer == STAND_IN


def test_a_model_that_can_is_asked_for_tags_and_none_of_them_is_spoken(stage: Stage) -> None:
    stage.second.answer = "[happy] Oh, how nice to see you! [nod] Yes, it is. [smile] Bye."
    settings = BrainSettings(provider="server", server_url=stage.second.url, server_model="tiny")
    (candidate,) = brain.candidates(settings, default_store(), "", stage.say, {})
    stage.line.stop()
    line = stage.make_line(candidate.model)
    line.start()
    assert line.wait_until_loaded(TIMEOUT_S)

    said = stage.ask_line(line)
    line.stop()

    system = stage.second.seen[-1]["messages"][0]["content"]
    assert system == f"You are Kuchi.\n{HINT}"
    assert said == "Oh, how nice to see you! Yes, it is. Bye."


@pytest.mark.slow
def test_two_hundred_turns_of_good_and_bad_days_leave_nothing_behind(stage: Stage) -> None:
    days = ("good", "500", "cut", "empty", "hang up")
    threads = {thread.name for thread in threading.enumerate() if thread.name.startswith(("line-", "chat-"))}
    for k in range(200):
        stage.first.day, stage.second.day = days[k % 5], days[(k // 5) % 5]
        assert stage.ask(f"My name is Sam {k}.")
        stage.clock.advance(60)

    assert threads == {thread.name for thread in threading.enumerate() if thread.name.startswith(("line-", "chat-"))}
    assert len(stage.facts.of("playback", "turn_finished")) == 200


# What the settings ask for


def made(settings: BrainSettings, **environment: str) -> list[tuple[str, str]]:
    found = brain.candidates(settings, default_store(), "", lambda name, note: None, environment)
    return [(candidate.provider, candidate.model.name) for candidate in found]


def test_auto_is_groq_then_the_server_then_the_local_model(models: Callable[[str], Any]) -> None:
    models("smollm2-135m")
    settings = BrainSettings(server_url="http://127.0.0.1:11434/v1", server_model="llama3.2")

    assert made(settings, GROQ_API_KEY="gsk_x") == [
        ("Groq", "openai/gpt-oss-20b (Groq)"),
        ("Groq", "openai/gpt-oss-120b (Groq)"),
        ("server", "llama3.2 (127.0.0.1)"),
        ("local", "SmolLM2-135M (local)"),
    ]
    assert made(BrainSettings()) == [("local", "SmolLM2-135M (local)")]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (BrainSettings(provider="groq"), "no Groq key"),
        (BrainSettings(provider="server"), "no address"),
        (BrainSettings(provider="server", server_url="file:///etc/passwd"), "no address of a server"),
        (BrainSettings(provider="server", server_url="http://name:pass@host/v1"), "no address of a server"),
        (BrainSettings(provider="server", server_url="http://host:port/v1"), "no address of a server"),
    ],
)
def test_what_cannot_work_is_said_with_its_remedy(settings: BrainSettings, says: str) -> None:
    with pytest.raises(AppError, match=says):
        made(settings)


@pytest.mark.parametrize(
    ("pasted", "url"),
    [
        ("http://127.0.0.1:1234", "http://127.0.0.1:1234/v1"),
        (" http://127.0.0.1:1234/v1/ ", "http://127.0.0.1:1234/v1"),
        ("https://host/api/v1/chat/completions", "https://host/api/v1"),
    ],
)
def test_an_address_is_taken_as_people_paste_it(pasted: str, url: str) -> None:
    assert brain.checked_url(pasted) == url


def test_the_check_reports_each_provider_and_hides_the_key() -> None:
    with ChatServer() as good, ChatServer(day="401") as bad:
        found = [
            Candidate(GroqChat("gsk_secret", base_url=bad.root, timeouts=QUICK), "Groq"),
            Candidate(OpenAiChat(good.url, "tiny", key="sk-secret", timeouts=QUICK), "server"),
        ]
        told: list[str] = []
        refused, works = brain.check(found, FakeClock(), lambda report: told.append(report.provider))

    assert told == ["Groq", "server"]
    assert not refused.reachable
    assert "does not accept the key" in refused.problem
    assert (works.reachable, works.model, works.problem) == (True, "tiny (127.0.0.1)", "")
    assert works.round_trip_ms is not None
    assert works.first_token_ms is not None
    assert "secret" not in str([refused.as_json(), works.as_json()])
