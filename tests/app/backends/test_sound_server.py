"""The voice through a real sound server: what its sinks get is what was said, and it survives the server's death."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.clock import SystemClock
from animator.messages import PlayoutAnchor, SpeechClip
from app.backends import pulse
from app.backends.portaudio import Registry, import_sounddevice
from app.backends.sound_outlet import FIRST_CABLE
from app.backends.speaker_sounddevice import Destination, SoundDeviceSpeaker
from app.errors import AppError
from app.messages import SoundStatus
from tests import sound_server
from tests.fakes import TIMEOUT_S
from tests.sound_server import RATE, STEREO, Recording, SoundServer, offset

pytestmark = [
    pytest.mark.sound_server,
    pytest.mark.skipif(bool(sound_server.missing()), reason=sound_server.missing() or "there is one"),
]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., SoundServer]]:
    servers: list[SoundServer] = []

    def start(*modules: str) -> SoundServer:
        servers.append(SoundServer(tmp_path, modules))
        servers[0].start()
        sd = import_sounddevice()
        sd._terminate()
        sd._initialize()
        return servers[0]

    yield start
    for server in servers:
        server.close()


class Voice:
    """A loudspeaker and what it says of itself."""

    def __init__(self, *destinations: Destination) -> None:
        self.status: tuple[SoundStatus, ...] = ()
        self.anchors: list[PlayoutAnchor] = []
        self.played: list[tuple[int, int]] = []
        self._changed = threading.Condition()
        self.speaker = SoundDeviceSpeaker(SystemClock(), destinations, streams=Registry(), tell=self._tell)
        self.speaker.open(self._note(self.anchors), lambda turn, index: self._note(self.played)((turn, index)))

    def _note(self, into: list[Any]) -> Callable[[Any], None]:
        def note(what: Any) -> None:
            with self._changed:
                into.append(what)
                self._changed.notify_all()

        return note

    def _tell(self, status: tuple[SoundStatus, ...]) -> None:
        with self._changed:
            self.status = status
            self._changed.notify_all()

    def wait(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, TIMEOUT_S), (self.status, self.played)

    def say(self, samples: np.ndarray, index: int = 0) -> None:
        self.speaker.play(SpeechClip(1, index, samples.astype(np.float32), RATE, "", None, False))


@pytest.fixture
def speak() -> Iterator[Callable[..., Voice]]:
    voices: list[Voice] = []

    def start(*destinations: Destination) -> Voice:
        voices.append(Voice(*destinations))
        return voices[-1]

    yield start
    for voice in voices:
        voice.speaker.close()


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(5).normal(0.0, 0.1, round(seconds * RATE)).clip(-0.9, 0.9).astype(np.float32)


def part(name: str, sink: str, volume: float = 1.0) -> Destination:
    return Destination(name, name, sink, volume)


def test_what_a_sink_gets_is_what_was_said_sample_for_sample(serve: Any, speak: Any) -> None:
    serve(STEREO.format(name="one"))
    voice = speak(part("headphones", "one"))
    recording = Recording("one")
    said = noise(3.0)

    voice.say(said)
    voice.wait(lambda: bool(voice.played))
    recording.wait_for(0.5)

    heard = recording.stop()
    at = offset(heard[:, 0], said)
    for channel in (0, 1):
        np.testing.assert_array_equal(heard[at : at + len(said), channel], said)
    assert not heard[:at].any()
    assert not heard[at + len(said) :].any()


def test_each_device_gets_the_voice_at_its_own_volume(serve: Any, speak: Any) -> None:
    serve(STEREO.format(name="one"), STEREO.format(name="two"))
    voice = speak(part("headphones", "one", 0.25), part("stream", "two"))
    recordings = Recording("one"), Recording("two")
    recordings[0].wait_for(1.0)  # the second one listens first, how early the first one hands over
    said = noise(3.0)

    voice.say(said)
    voice.wait(lambda: bool(voice.played))
    recordings[1].wait_for(0.5)

    one, two = (recording.stop()[:, 0] for recording in recordings)
    own = one[offset(one, said) :][: len(said)]
    np.testing.assert_allclose(own, 0.25 * said, atol=1e-6)
    level_db = 20 * np.log10(np.sqrt(np.mean(two**2) * len(two)) / np.sqrt(np.mean(said**2) * len(said)))
    assert abs(level_db) < 0.5
    assert {"headphones", "stream"} == {each.part for each in voice.status}


def test_two_devices_play_at_the_same_moment(serve: Any, speak: Any) -> None:
    """Both are one side each of one sink, so that one recording has them both."""
    remap = "module-remap-sink sink_name={} master=both channels=1 channel_map=mono remix=no master_channel_map={}"
    serve(STEREO.format(name="both"), remap.format("one", "front-left"), remap.format("two", "front-right"))
    voice = speak(part("headphones", "one"), part("stream", "two"))
    recording = Recording("both")
    recording.wait_for(2.0)
    said = noise(8.0)

    voice.say(said)
    voice.wait(lambda: bool(voice.played))
    recording.wait_for(0.5)

    heard = recording.stop()
    pieces = np.split(said, 8)
    off = [offset(heard[:, 1], piece) - offset(heard[:, 0], piece) for piece in pieces]
    assert abs(float(np.median(off))) / RATE < 0.02
    assert ["", ""] == [each.problem for each in voice.status]


def test_after_the_sound_servers_death_the_voice_is_back_on_both_and_goes_on_in_mid_word(
    serve: Any, speak: Any
) -> None:
    server = serve(STEREO.format(name="one"), STEREO.format(name="two"))
    voice = speak(part("headphones", "one"), part("stream", "two"))
    said = noise(20.0)
    voice.say(said)
    voice.wait(lambda: bool(voice.anchors) and voice.anchors[-1].sample > RATE)

    server.kill()
    voice.wait(lambda: all(each.problem for each in voice.status))
    lost_at = voice.anchors[-1].sample
    server.start()
    recordings = Recording("one"), Recording("two")
    voice.wait(lambda: voice.anchors[-1].sample > lost_at + RATE and not any(each.problem for each in voice.status))
    for recording in recordings:
        recording.wait_for(5.0)

    for recording in recordings:
        heard = recording.stop()[:, 0]
        begun = heard[np.flatnonzero(heard)[0] :]
        # Seconds of several pieces: on a busy machine some have gaps in them, or are played faster to catch up.
        alike = []
        for first in range(RATE, 4 * RATE, RATE // 5):
            piece = begun[first : first + RATE // 5]
            at = offset(said, piece)
            alike.append(float(np.dot(said[at : at + len(piece)], piece) / np.dot(piece, piece)))
            assert lost_at - RATE < at or alike[-1] < 0.8
        assert max(alike) > 0.8, alike


def test_a_cable_of_its_own_is_made_once_found_again_and_taken_away(serve: Any) -> None:
    server = serve(STEREO.format(name="one"))

    pulse.make_cable()
    pulse.make_cable()  # as after a crash, which left it

    assert ["one", "kuchipaku"] == server.sinks()
    assert "Kuchipaku" == next(sink.description for sink in pulse.sinks() if sink.is_own)
    pulse.remove_cable()
    assert ["one"] == server.sinks()


def test_the_first_cable_is_the_apps_own(serve: Any, speak: Any) -> None:
    serve(STEREO.format(name="other"))
    pulse.make_cable()
    voice = speak(Destination("stream", "stream", FIRST_CABLE))
    recording = Recording("kuchipaku")

    voice.speaker.test("stream")
    recording.wait_for(1.5)

    assert 0.2 == pytest.approx(np.abs(recording.stop()).max(), abs=0.01)
    assert "Kuchipaku" == voice.speaker.name


def test_a_stream_does_not_go_on_in_another_device_when_its_cable_is_taken_away(serve: Any, speak: Any) -> None:
    serve(STEREO.format(name="one"))
    pulse.make_cable()
    voice = speak(part("headphones", "one"), Destination("stream", "stream", "Kuchipaku"))
    voice.wait(lambda: len(voice.status) == 2)

    pulse.remove_cable()

    voice.wait(lambda: bool(voice.status[1].problem) and not voice.status[0].problem)


def test_without_a_server_the_reason_is_told(tmp_path: Path) -> None:
    server = SoundServer(tmp_path, [])
    try:
        assert () == pulse.sinks()
        with pytest.raises(AppError, match="refused"):
            pulse.make_cable()
    finally:
        server.close()
