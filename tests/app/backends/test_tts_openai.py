"""A voice with OpenAI's interface, against a server on its good and its bad days."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.backends.tts_openai import GROQ_URL, OpenAiSynth, SpeechTimeouts
from app.backends.voice_http import POLL_S
from app.errors import AppError
from app.messages import SpeechPiece
from tests.fakes import TIMEOUT_S
from tests.speech_server import SpeechServer

QUICK = SpeechTimeouts(connect_s=2.0, first_s=5.0, next_s=5.0)
SENTENCE = "Hello there, my friend."
SENTENCE_S = 1.6 + 0.25
"""Four words of the server's tone, and the pause after a sentence."""

Make = Callable[..., OpenAiSynth]


@pytest.fixture
def voice() -> Iterator[Make]:
    made: list[OpenAiSynth] = []

    def make(server: SpeechServer, **options: object) -> OpenAiSynth:
        made.append(OpenAiSynth(server.url, **{"timeouts": QUICK, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for synth in made:
        synth.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "voice-openai"]


def say(synth: OpenAiSynth, text: str = SENTENCE) -> list[SpeechPiece]:
    return list(synth.speak(text, lambda: False))


def seconds(pieces: list[SpeechPiece]) -> float:
    return sum(len(piece.samples) / piece.sample_rate for piece in pieces)


def pitch_hz(pieces: list[SpeechPiece]) -> float:
    whole = np.concatenate([piece.samples for piece in pieces])
    return float(np.argmax(np.abs(np.fft.rfft(whole))) * pieces[0].sample_rate / len(whole))


# Sound


@pytest.mark.parametrize("day", ["whole", "stream", "pcm only", "flac", "float wav"])
def test_every_way_of_sending_a_sentence_gives_the_same_sound(voice: Make, day: str) -> None:
    """Streams come in chunks that split samples and the header: one odd byte lost would turn the tone into noise."""
    with SpeechServer(day) as server:
        pieces = say(voice(server))

    assert seconds(pieces) == pytest.approx(SENTENCE_S, abs=0.05)
    assert pitch_hz(pieces) == pytest.approx(220, abs=2)
    assert [piece.final for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {piece.sample_rate for piece in pieces} == {24_000}


@pytest.mark.parametrize(("day", "comes_in_pieces"), [("whole", False), ("stream", True), ("pcm only", True)])
def test_what_streams_is_cut_up_and_what_is_ready_is_not(voice: Make, day: str, comes_in_pieces: bool) -> None:
    with SpeechServer(day) as server:
        assert (len(say(voice(server))) > 1) is comes_in_pieces


def test_a_stream_is_heard_before_the_server_is_done(voice: Make) -> None:
    with SpeechServer("stalls") as server:
        pieces = voice(server).speak("word " * 12, lambda: False)

        first = next(pieces)
        assert server.working.wait(TIMEOUT_S)
        assert not server.released.is_set()
        server.released.set()
        rest = list(pieces)

    assert seconds([first, *rest]) == pytest.approx(12 * 0.4 + 0.25, abs=0.05)


def test_a_refused_format_is_asked_for_once_and_never_again(voice: Make) -> None:
    with SpeechServer("pcm only") as server:
        synth = voice(server)
        say(synth)
        say(synth)

        assert [asked["response_format"] for asked in server.asked] == ["wav", "pcm", "pcm"]


def test_the_request_is_what_the_settings_say(voice: Make) -> None:
    with SpeechServer() as server:
        say(voice(server, model="kokoro", voice="af_heart", speed=1.2))

        assert server.asked == [
            {"model": "kokoro", "input": SENTENCE, "voice": "af_heart", "response_format": "wav", "speed": 1.2}
        ]


def test_a_long_sentence_goes_in_parts_and_only_the_last_is_final(voice: Make) -> None:
    with SpeechServer() as server:
        pieces = say(voice(server), "This is a rather long clause, " * 20)

        assert len(server.asked) > 1
        assert max(len(asked["input"]) for asked in server.asked) <= 250
        assert [piece.final for piece in pieces] == [False] * (len(pieces) - 1) + [True]


def test_a_voice_that_reads_latin_letters_only_gets_no_devanagari(voice: Make) -> None:
    with SpeechServer() as server:
        say(voice(server, language="en"), "नमस्ते my friend.")
        say(voice(server), "नमस्ते my friend.")

        assert server.asked[0]["input"].isascii()
        assert server.asked[1]["input"] == "नमस्ते my friend."


# Loading, voices


def test_loading_speaks_once_so_that_the_first_answer_is_not_the_slow_one(voice: Make) -> None:
    with SpeechServer() as server:
        voice(server).load()

        assert [asked["input"] for asked in server.asked] == ["Ready."]


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (["af_heart", "jf_alpha"], ("af_heart", "jf_alpha")),
        ([{"id": "a"}, {"name": "b"}, {"id": 3}, 7, None], ("a", "b")),
        ("nonsense", ()),
        (None, ()),
    ],
)
def test_voices_are_listed_where_the_server_has_a_list(voice: Make, listed: object, names: tuple[str, ...]) -> None:
    with SpeechServer(voices=listed) as server:
        assert voice(server).voices() == names


# The key


def test_the_key_goes_along(voice: Make) -> None:
    with SpeechServer(key="secret") as server:
        synth = voice(server, key="secret")
        synth.load()
        assert say(synth)

        assert set(server.keys) == {"Bearer secret"}


@pytest.mark.parametrize(
    "url", ["http://192.168.1.5:8880/v1", "http://voice.example/v1", "http://127.0.0.1.example/v1"]
)
def test_a_key_goes_only_to_https_or_to_this_computer(url: str) -> None:
    with pytest.raises(AppError, match="would get the key unencrypted") as raised:
        OpenAiSynth(url, key="secret")

    assert "secret" not in raised.value.problem + raised.value.remedy
    OpenAiSynth(url.replace("http:", "https:"), key="secret").close()
    OpenAiSynth(url).close()


def test_a_redirect_is_not_followed_with_the_sentence_in_it(voice: Make) -> None:
    with SpeechServer("302") as server, pytest.raises(AppError, match=r"refused a sentence \(302\)"):
        say(voice(server))


def test_groq_needs_its_key_and_has_names_of_its_own() -> None:
    with pytest.raises(AppError, match="no Groq key is set"):
        OpenAiSynth(GROQ_URL)
    synth = OpenAiSynth(GROQ_URL, key="secret")

    assert synth.is_groq
    assert synth.name == "hannah (api.groq.com)"
    synth.close()


@pytest.mark.parametrize("url", ["", "voice", "ftp://127.0.0.1/v1", "http://", "http://127.0.0.1:port/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AppError, match="is not one"):
        OpenAiSynth(url)


# Bad days


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("400", r"refused a sentence \(400\)"),
        ("401", r"does not accept the key \(401\)"),
        ("403", r"does not accept the key \(403\)"),
        ("404", r"knows no such voice, model or address \(404\)"),
        ("418", r"refused a sentence \(418\)"),
        ("422", r"refused a sentence \(422\)"),
        ("429", r"has reached its limit \(429\)"),
        ("500", r"has trouble of its own \(500\)"),
        ("503", r"has trouble of its own \(503\)"),
        ("empty", "sent no sound"),
        ("header only", "sent no sound"),
        ("garbage", "not a sound"),
        ("html", "not a sound"),
        ("json", "not a sound"),
        ("half", "sent half a sound"),
        ("dies", "broke off in the middle of a sentence"),
    ],
)
def test_a_bad_day_is_said_in_words_and_the_next_sentence_is_spoken(voice: Make, day: str, says: str) -> None:
    with SpeechServer(day) as server:
        synth = voice(server)

        with pytest.raises(AppError, match=says) as raised:
            say(synth)
        server.day = "whole"

        assert seconds(say(synth)) == pytest.approx(SENTENCE_S, abs=0.05)
        assert "my friend" not in raised.value.problem + raised.value.remedy


def test_how_long_a_limit_lasts_is_said(voice: Make) -> None:
    with SpeechServer("429") as server, pytest.raises(AppError) as raised:
        say(voice(server))

    assert raised.value.remedy.startswith("Wait for 7 s")


@pytest.mark.parametrize(("day", "says"), [("huge", "sent more than 64 MB"), ("endless", "does not come to an end")])
def test_a_sound_without_an_end_is_given_up(voice: Make, day: str, says: str) -> None:
    """The second is a voice that is caught in a loop: after two minutes nobody wants to hear more."""
    with SpeechServer(day) as server:
        synth = voice(server)
        with pytest.raises(AppError, match=says):
            for _ in synth.speak(SENTENCE, lambda: False):
                pass

        assert server.left.wait(TIMEOUT_S)


@pytest.mark.parametrize("day", ["slow", "stalls"])
def test_a_server_that_does_not_go_on_is_given_up_after_its_time(voice: Make, day: str) -> None:
    with SpeechServer(day) as server:
        synth = voice(server, timeouts=SpeechTimeouts(connect_s=0.1, first_s=0.1, next_s=0.1))

        with pytest.raises(AppError, match="did not answer in time"):
            say(synth, "word " * 12)


def test_no_server_is_a_problem_with_a_remedy(voice: Make) -> None:
    with SpeechServer() as server:
        synth = voice(server)

    with pytest.raises(AppError, match="cannot be reached"):
        synth.load()
    with pytest.raises(AppError, match="cannot be reached") as raised:
        say(synth)
    assert raised.value.remedy.startswith("Start the server at http://127.0.0.1")


# Giving up


@pytest.mark.parametrize("day", ["slow", "stalls"])
def test_a_turn_that_is_over_is_left_within_50_ms_while_the_server_still_works(voice: Make, day: str) -> None:
    """Counted in questions to `should_stop`, not in the machine's time: one every 20 ms, the first yes ends it."""
    with SpeechServer(day) as server:
        synth = voice(server)
        answers: list[bool] = []

        def should_stop() -> bool:
            answers.append(server.working.is_set())
            return answers[-1]

        heard = list(synth.speak("word " * 12, should_stop))

        assert not any(piece.final for piece in heard)
        assert not server.released.is_set()  # it is still at it
        # Once in the wait, and twice on the way out.
        assert answers.count(True) <= 3
        assert POLL_S <= 0.025
        server.released.set()
        server.day = "whole"
        assert say(synth)


def test_closing_ends_a_sentence_that_is_waited_for(voice: Make) -> None:
    with SpeechServer("slow") as server:
        synth = voice(server)
        heard: list[SpeechPiece] = []
        speaking = threading.Thread(target=lambda: heard.extend(say(synth)))
        speaking.start()
        assert server.working.wait(TIMEOUT_S)

        synth.close()
        speaking.join(TIMEOUT_S)

        assert not speaking.is_alive()
        assert heard == []


def test_a_connection_is_closed_when_its_sentence_is_dropped(voice: Make) -> None:
    with SpeechServer("endless") as server:
        pieces = voice(server).speak("word", lambda: False)
        next(pieces)

        pieces.close()  # type: ignore[attr-defined]

        assert server.left.wait(TIMEOUT_S)
