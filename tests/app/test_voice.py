"""From the settings' words to a voice."""

from __future__ import annotations

import socket

import pytest

from app import voice
from app.backends.tts_alltalk import AllTalkSynth
from app.backends.tts_failover import FailoverSynth
from app.backends.tts_openai import OpenAiSynth
from app.bus import Bus
from app.compose import speech_synth
from app.errors import AppError
from app.settings import Settings, VoiceSettings
from tests.alltalk_server import AllTalkServer
from tests.fakes import Facts, FakeClock, FakeSynth
from tests.speech_server import SpeechServer


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUCHIPAKU_VOICE_KEY", raising=False)
    monkeypatch.delenv("GROQ_API_KEY", raising=False)


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize(
    ("settings", "engine"),
    [
        (VoiceSettings(), "piper"),
        (VoiceSettings(server_url="   "), "piper"),
        (VoiceSettings(server_url="http://127.0.0.1:7851"), "alltalk"),
        (VoiceSettings(server_url="http://192.168.1.7:9000/"), "alltalk"),
        (VoiceSettings(server_url="http://127.0.0.1:8880/v1"), "openai"),
        (VoiceSettings(server_url=" http://127.0.0.1:8880/v1/ "), "openai"),
        (VoiceSettings(server_url="https://api.groq.com/openai/v1"), "openai"),
        (VoiceSettings(engine="piper", server_url="http://127.0.0.1:8880/v1"), "piper"),
        (VoiceSettings(engine="alltalk"), "alltalk"),
        (VoiceSettings(engine="alltalk", server_url="http://127.0.0.1:8880/v1"), "alltalk"),
        (VoiceSettings(engine="openai", server_url="http://127.0.0.1:5000"), "openai"),
        (VoiceSettings(engine="kokoro"), "kokoro"),
    ],
)
def test_the_engine_is_the_one_that_the_settings_mean(settings: VoiceSettings, engine: str) -> None:
    assert voice.engine_of(settings) == engine


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (VoiceSettings(), type(None)),
        (VoiceSettings(engine="alltalk"), AllTalkSynth),
        (VoiceSettings(server_url="http://127.0.0.1:7851"), AllTalkSynth),
        (VoiceSettings(server_url=" http://127.0.0.1:8880/v1 "), OpenAiSynth),
    ],
)
def test_settings_become_a_voice_that_was_not_reached_yet(settings: VoiceSettings, kind: type) -> None:
    found = voice.server_voice(settings)

    assert isinstance(found, kind)
    if found is not None:
        found.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (VoiceSettings(engine="openai"), "no address is set"),
        (VoiceSettings(engine="kokoro"), "Kokoro cannot speak inside the app"),
        (VoiceSettings(engine="alltalk", server_url="nonsense"), "is not one"),
        (VoiceSettings(engine="openai", server_url="http://[::1/v1"), "is not one"),
        (VoiceSettings(server_url="https://api.groq.com/openai/v1"), "no Groq key is set"),
    ],
)
def test_settings_that_cannot_work_say_what_to_write(settings: VoiceSettings, says: str) -> None:
    with pytest.raises(AppError, match=says):
        voice.server_voice(settings)


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({}, ""),
        ({"KUCHIPAKU_VOICE_KEY": " secret "}, "Bearer secret"),
        ({"GROQ_API_KEY": "groq's own"}, ""),
    ],
)
def test_a_key_comes_from_its_variable_and_groqs_goes_to_groq_only(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sent: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with SpeechServer() as server:
        # An address that only looks like Groq's gets nothing either.
        for url in (server.url, server.url.replace("/v1", "/api.groq.com/v1")):
            synth = voice.server_voice(VoiceSettings(server_url=url))
            assert isinstance(synth, OpenAiSynth)
            synth.voices()
            synth.close()

        assert server.keys == [sent, sent]


# What `kuchipaku voices` shows


def test_piper_is_reported_alone_where_no_server_is_set() -> None:
    (report,) = voice.reports(VoiceSettings(), "joe")

    assert report.as_json() == {
        "engine": "piper",
        "name": "Piper (built in)",
        "voices": ["joe"],
        "in_use": True,
        "problem": "",
        "remedy": "",
    }


def test_the_voices_of_a_server_are_reported() -> None:
    with SpeechServer() as speech, AllTalkServer() as alltalk:
        piper, found = voice.reports(VoiceSettings(server_url=speech.url, server_voice="anna"), "joe")
        _, other = voice.reports(VoiceSettings(server_url=alltalk.url), "joe")

    assert (piper.in_use, found.in_use) == (False, True)
    assert (found.engine, found.name, found.voices) == ("openai", "anna (127.0.0.1)", ("af_heart", "jf_alpha"))
    assert (other.engine, other.voices) == ("alltalk", alltalk.voices)
    assert found.problem == other.problem == ""


@pytest.mark.parametrize("engine", ["openai", "kokoro"])
def test_what_is_wrong_with_a_voice_is_reported_and_not_raised(engine: str) -> None:
    url = f"http://127.0.0.1:{closed_port()}/v1"

    _, found = voice.reports(VoiceSettings(engine=engine, server_url=url), "joe")

    assert found.problem
    assert found.remedy
    assert found.voices == ()


# In the app


def test_piper_alone_has_no_stand_in() -> None:
    piper = FakeSynth()

    assert speech_synth(Settings(), piper, Bus(FakeClock().now_ns), required=True) is piper


def test_a_voice_server_that_is_away_is_said_where_the_voices_state_is_shown() -> None:
    bus = Bus(FakeClock().now_ns)
    facts = Facts(bus)
    settings = Settings(voice=VoiceSettings(server_url=f"http://127.0.0.1:{closed_port()}/v1"))

    synth = speech_synth(settings, FakeSynth(), bus, required=True)
    assert isinstance(synth, FailoverSynth)
    synth.load()
    pieces = list(synth.speak("Hello there.", lambda: False))
    synth.close()

    assert pieces
    failed = facts.wait("tts", "state", state="failed")
    assert failed.data["label"] == "fake voice"
    assert "cannot be reached" in failed.data["problem"]


def test_settings_that_cannot_work_are_piper_in_the_window_and_an_error_in_a_verb() -> None:
    bus = Bus(FakeClock().now_ns)
    facts = Facts(bus)
    settings = Settings(voice=VoiceSettings(engine="openai"))
    piper = FakeSynth()

    assert speech_synth(settings, piper, bus, required=False) is piper
    assert "no address is set" in facts.wait("tts", "state", state="failed").data["problem"]
    with pytest.raises(AppError, match="no address is set"):
        speech_synth(settings, piper, bus, required=True)
