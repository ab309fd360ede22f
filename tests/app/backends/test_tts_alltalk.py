"""AllTalk on its good and its bad days, against a server with its quirks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.backends.tts_alltalk import AllTalkSynth, AllTalkTimeouts
from app.errors import AppError
from app.messages import SpeechPiece
from tests.alltalk_server import AllTalkServer
from tests.fakes import TIMEOUT_S

QUICK = AllTalkTimeouts(ready_s=5.0, poll_s=0.02, ask_s=2.0, sentence_s=5.0, next_chunk_s=1.0, stop_s=1.0)
SENTENCE = "Hello there, my friend."

Make = Callable[..., AllTalkSynth]


@pytest.fixture
def voice() -> Iterator[Make]:
    made: list[AllTalkSynth] = []

    def make(server: AllTalkServer, *, load: bool = True, **options: object) -> AllTalkSynth:
        made.append(AllTalkSynth(server.url, timeouts=QUICK, **options))  # type: ignore[arg-type]
        if load:
            made[-1].load()
            server.said.clear()
            server.spoken_text.clear()
        return made[-1]

    yield make
    for synth in made:
        synth.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "voice-alltalk"]


def say(synth: AllTalkSynth, text: str = SENTENCE) -> list[SpeechPiece]:
    return list(synth.speak(text, lambda: False))


def seconds(pieces: list[SpeechPiece]) -> float:
    return sum(len(piece.samples) / piece.sample_rate for piece in pieces)


# What it is


@pytest.mark.parametrize(("version", "engine"), [(1, "xtts"), (2, "xtts"), (2, "piper")])
def test_the_version_and_the_engine_are_found_out(voice: Make, version: int, engine: str) -> None:
    with AllTalkServer(version, engine=engine) as server:
        synth = voice(server)

        assert synth.info is not None
        assert (synth.info.version, synth.info.engine) == (version, engine)
        assert synth.info.voices == server.voices
        assert synth.info.rvc_voices == (("anna\\anna.pth",) if version == 2 else ())


def test_a_server_that_is_still_loading_is_waited_for(voice: Make) -> None:
    with AllTalkServer(ready=False) as server:
        synth = voice(server, load=False)
        loading = threading.Thread(target=synth.load)
        loading.start()
        while server.requests.count("GET /api/ready") < 3:
            time.sleep(0.01)
        assert loading.is_alive()

        server.is_ready.set()
        loading.join(TIMEOUT_S)

        assert synth.info is not None


def test_closing_ends_the_wait_for_a_server(voice: Make) -> None:
    with AllTalkServer(ready=False) as server:
        synth = voice(server, load=False)
        problems: list[AppError] = []

        def load() -> None:
            try:
                synth.load()
            except AppError as error:
                problems.append(error)

        loading = threading.Thread(target=load)
        loading.start()
        while not server.requests:
            time.sleep(0.01)
        synth.close()
        loading.join(TIMEOUT_S)

        assert not loading.is_alive()
        assert problems


def test_a_server_that_is_not_there_is_an_error_to_act_on() -> None:
    with AllTalkServer() as server:
        url = server.url
    synth = AllTalkSynth(url, timeouts=AllTalkTimeouts(ready_s=0.1, poll_s=0.02))

    with pytest.raises(AppError, match="cannot be reached") as raised:
        synth.load()

    synth.close()
    assert "server_url" in raised.value.remedy


@pytest.mark.parametrize("version", [1, 2])
def test_a_voice_that_is_not_there_is_named_with_those_that_are(voice: Make, version: int) -> None:
    with AllTalkServer(version) as server, pytest.raises(AppError, match=r"'bob'; it has female_01\.wav"):
        voice(server, voice="bob")


def test_version_1_without_voices_says_where_they_belong(voice: Make) -> None:
    with AllTalkServer(1, voices=()) as server, pytest.raises(AppError, match="no voices"):
        voice(server)


def test_a_name_without_its_ending_finds_its_voice(voice: Make) -> None:
    with AllTalkServer(engine="vits") as server:
        say(voice(server, voice="Male_01"))

        assert "male_01.wav" == server.said[0]["character_voice_gen"]


# What is sent


def test_version_2_gets_the_text_unfiltered_in_an_explicit_language(voice: Make) -> None:
    """Its filter would delete the dash without leaving a space, its "auto" would read Hindi as English."""
    with AllTalkServer(engine="piper") as server:
        synth = voice(server, speed=1.2, rvc_voice="anna\\anna.pth", rvc_pitch=3)
        say(synth, "यार, मैं office में हूँ—well.")

        form = server.said[0]
        assert ("hi", "none", "false", "false") == (
            form["language"],
            form["text_filtering"],
            form["narrator_enabled"],
            form["autoplay"],
        )
        assert ("1.2", "anna\\anna.pth", "3") == (
            form["speed"],
            form["rvccharacter_voice_gen"],
            form["rvccharacter_pitch"],
        )
        assert ["यार, मैं office में हूँ—well."] == server.spoken_text


def test_every_sentence_has_a_file_of_its_own(voice: Make) -> None:
    with AllTalkServer(engine="piper") as server:
        synth = voice(server)
        say(synth)
        say(synth)

        names = {form["output_file_name"] for form in server.said}
        assert 2 == len(names)
        assert all(len(name) == 32 and int(name, 16) for name in names)


def test_version_1_gets_all_the_fields_that_it_insists_on_and_its_dead_address_is_not_used(voice: Make) -> None:
    """It says http://0.0.0.0:…/audio/x.wav; the name is fetched from where we reached the server."""
    with AllTalkServer(1) as server:
        synth = voice(server)
        data = synth._generate(SENTENCE, "en", lambda: False)

        assert data[:4] == b"RIFF"
        assert "speed" not in server.said[0]
        assert server.said[0]["narrator_voice_gen"] == "female_01.wav"


@pytest.mark.parametrize(("language", "limit"), [("hi", 150), ("ja", 71), ("zh", 82), ("en", 250)])
def test_a_long_sentence_is_sent_in_parts_that_the_engine_can_take(voice: Make, language: str, limit: int) -> None:
    with AllTalkServer(engine="piper") as server:
        say(voice(server, language=language), "word, and another word " * 30)

        sent = [form["text_input"] for form in server.said]
        assert max(map(len, sent)) <= limit
        assert " ".join(sent).split() == ("word, and another word " * 30).split()


def test_text_without_a_word_is_never_sent(voice: Make) -> None:
    with AllTalkServer(engine="piper") as server:
        assert say(voice(server), "... ?!") == []
        assert not server.said


# What comes back


@pytest.mark.parametrize("day", ["good", "stereo 44.1"])
def test_a_sentence_comes_as_one_clip_with_short_silences_around_it(voice: Make, day: str) -> None:
    with AllTalkServer(engine="piper", day=day) as server:
        (piece,) = say(voice(server))

        assert piece.sample_rate == (24_000 if day == "good" else 44_100)
        assert piece.final
        assert seconds([piece]) == pytest.approx(0.08 * 4 + 0.2 + 0.25, abs=0.02)
        assert piece.samples[0] == piece.samples[-1] == 0


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("500", "failed at a sentence"),
        ("400", "refused a sentence"),
        ("422", "refused a sentence"),
        ("half wav", "half a sound"),
        ("empty wav", "no length"),
        ("not a wav", "not a sound"),
        ("lost file", "404"),
        ("no json", "not what AllTalk sends"),
        ("dies", "cannot be reached"),
        ("dies in the file", "cannot be reached"),
        ("evil name", "named no file"),
        ("huge", "more than 64 MB"),
    ],
)
def test_a_bad_day_costs_one_sentence_and_the_next_one_is_spoken(
    voice: Make, version: int, day: str, says: str
) -> None:
    with AllTalkServer(version, engine="piper") as server:
        synth = voice(server, rvc_voice="x" if version == 1 else "")  # version 1 would stream otherwise
        server.day = day

        with pytest.raises(AppError, match=says) as raised:
            say(synth)
        server.day = "good"

        assert seconds(say(synth)) > 0.5
        assert "secret words" not in raised.value.problem + raised.value.remedy


def test_a_slow_server_is_given_up_after_its_time_and_its_job_is_waited_for(voice: Make) -> None:
    with AllTalkServer(engine="piper") as server:
        synth = voice(server)
        server.day = "slow"
        synth._timeouts = AllTalkTimeouts(sentence_s=0.2)

        with pytest.raises(AppError, match="did not answer in time"):
            say(synth)
        with pytest.raises(AppError, match="did not answer in time"):
            say(synth, "Another one.")
        server.day = "good"
        server.released.set()
        synth._timeouts = QUICK
        say(synth)

        assert server.most_parallel == 1


def test_a_turn_that_is_over_is_left_at_once_while_the_server_still_works(voice: Make) -> None:
    with AllTalkServer(engine="piper", day="good") as server:
        synth = voice(server)
        server.day = "slow"

        pieces = list(synth.speak(SENTENCE, server.working.is_set))

        assert pieces == []
        assert server.parallel == 1  # it knows no way to stop, and nobody waits for it
        assert "PUT /api/stop-generation" not in server.requests


# Streams


@pytest.mark.parametrize("version", [1, 2])
def test_xtts_streams_and_the_pieces_make_up_the_sentence(voice: Make, version: int) -> None:
    """Chunks of 4801 bytes split a sample each: an odd byte that was lost would turn the tone into noise."""
    with AllTalkServer(version) as server:
        pieces = say(voice(server))

        assert len(pieces) > 2
        assert not any(piece.final for piece in pieces[:-1])
        assert pieces[-1].final
        whole = np.concatenate([piece.samples for piece in pieces])
        assert len(whole) / 24_000 == pytest.approx(1.6 + 0.25, abs=0.05)
        spectrum = np.abs(np.fft.rfft(whole))
        assert np.argmax(spectrum) * 24_000 / len(whole) == pytest.approx(220, abs=2)
        assert server.streamed[0]["language"] == "en"
        assert len(server.said) == 0


@pytest.mark.parametrize("options", [{"voice": "latent:anna.json"}, {"rvc_voice": "anna\\anna.pth"}, {"speed": 1.3}])
def test_what_a_stream_cannot_do_comes_as_a_file(voice: Make, options: dict[str, object]) -> None:
    with AllTalkServer() as server:
        (piece,) = say(voice(server, **options))

        assert piece.final
        assert not server.streamed


def test_a_stream_that_is_not_wanted_any_more_is_stopped_before_it_is_closed(voice: Make) -> None:
    """In this order, or the flag stays set and the next stream is empty; and version 1 keeps its lock."""
    with AllTalkServer(1) as server:
        synth = voice(server)
        pieces = synth.speak("word " * 40, lambda: server.working.is_set())
        server.day = "slow"

        heard = list(pieces)
        while server.is_streaming:
            time.sleep(0.01)
        server.day = "good"

        assert seconds(heard) < 3
        assert "PUT /api/stop-generation" == server.requests[-1]
        assert not server.stream_locked
        assert not server.stop_flag
        assert seconds(say(synth)) == pytest.approx(1.85, abs=0.05)
        assert 2 == len(server.streamed)


def test_a_stop_flag_that_somebody_left_set_costs_one_retry_and_no_sentence(voice: Make) -> None:
    with AllTalkServer() as server:
        synth = voice(server)
        server.stop_flag = True

        assert seconds(say(synth)) == pytest.approx(1.85, abs=0.05)
        assert 2 == len(server.streamed)


def test_a_stream_of_nothing_but_its_header_is_tried_once_more_and_then_said(voice: Make) -> None:
    with AllTalkServer(day="header only") as server:
        synth = voice(server)

        with pytest.raises(AppError, match="no sound in it"):
            say(synth)

        assert 2 == len(server.streamed)


def test_a_server_that_dies_in_the_middle_of_a_stream_keeps_what_was_heard(voice: Make) -> None:
    with AllTalkServer() as server:
        synth = voice(server)
        server.day = "dies in the stream"
        heard: list[SpeechPiece] = []

        with pytest.raises(AppError, match="cannot be reached"):
            heard.extend(synth.speak("word " * 30, lambda: False))
        server.day = "good"

        # Whether a second piece was complete depends on how the chunks came; the first one has 0.23 s and more.
        assert seconds(heard) > 0.2
        assert say(synth)
