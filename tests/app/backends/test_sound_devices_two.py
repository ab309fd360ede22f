"""Headphones and stream on a PortAudio that the test drives by hand: volumes, loss and return of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from animator.messages import PlayoutAnchor, SpeechClip
from app.backends.portaudio import Registry
from app.backends.sound_outlet import FIRST_CABLE
from app.backends.speaker_sounddevice import HOLD_S, Destination, SoundDeviceSpeaker
from app.errors import AppError
from app.messages import SoundStatus
from app.sound_tap import SoundTap
from tests.app.backends.test_sounddevice import RATE, FakePortAudio, FakeStream
from tests.fakes import TIMEOUT_S, FakeClock

BLOCK = 480
HEADPHONES, CABLE = "Headphones", "CABLE Input"


class Cards(FakePortAudio):
    """Two devices; those in `gone` cannot be opened, those in `refused` not at their own rate."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self.refused: set[int] = set()
        for name in names:
            self.plug_in(name, inputs=0)
        self._initialize()

    def OutputStream(self, **options: Any) -> FakeStream:
        if self.devices[options["device"]]["name"] in self.gone:
            raise OSError("Error opening OutputStream: Device unavailable [PaErrorCode -9985]")
        if options["samplerate"] in self.refused:
            raise OSError("Error opening OutputStream: Invalid sample rate [PaErrorCode -9997]")
        return super().OutputStream(**options)


class Desk:
    """The loudspeaker on both, and what it tells."""

    def __init__(self, *destinations: Destination, cards: Cards | None = None, tap: SoundTap | None = None) -> None:
        self.clock = FakeClock()
        self.cards = cards if cards is not None else Cards(HEADPHONES, CABLE)
        self.status: tuple[SoundStatus, ...] = ()
        self.anchors: list[PlayoutAnchor] = []
        self.played: list[tuple[int, int]] = []
        self._changed = threading.Condition()
        self.speaker = SoundDeviceSpeaker(
            self.clock, destinations, sounddevice=self.cards, streams=Registry(), tap=tap, tell=self._tell
        )
        self.speaker.open(self.anchors.append, lambda turn, index: self._ended((turn, index)))

    def _tell(self, status: tuple[SoundStatus, ...]) -> None:
        with self._changed:
            self.status = status
            self._changed.notify_all()

    def _ended(self, clip: tuple[int, int]) -> None:
        with self._changed:
            self.played.append(clip)
            self._changed.notify_all()

    def wait(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, TIMEOUT_S), (self.status, self.played)

    def say(self, samples: np.ndarray) -> None:
        self.speaker.play(SpeechClip(1, 0, samples.astype(np.float32), RATE, "", None, False))

    def stream(self, number: int) -> FakeStream:
        return self.cards.streams[number]

    def run(self, blocks: int, *streams: FakeStream) -> list[np.ndarray]:
        """Let these devices ask in turn, the first one 40 ms further ahead; what each got."""
        got: list[list[np.ndarray]] = [[] for _ in streams]
        for _ in range(blocks):
            for at, stream in enumerate(streams):
                got[at].append(stream.pull(BLOCK, ahead_s=0.09 if at == 0 else 0.05)[:, 0])
            self.clock.advance(BLOCK / RATE)
        return [np.concatenate(each) for each in got]


def ramp(seconds: float) -> np.ndarray:
    """Every sample says where it is."""
    return np.linspace(0.1, 0.9, round(seconds * RATE), dtype=np.float32)


def heard(device: str = HEADPHONES, volume: float = 1.0) -> Destination:
    return Destination("headphones", "loudspeaker", device, volume)


def streamed(device: str = CABLE, volume: float = 1.0) -> Destination:
    return Destination("stream", "sound device of the stream", device, volume)


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(*destinations: Destination, **options: Any) -> Desk:
        made.append(Desk(*destinations, **options))
        return made[-1]

    yield make
    for each in made:
        each.speaker.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("speaker-")]


def test_both_play_the_same_at_the_same_moment_each_at_its_volume(desk: Any) -> None:
    both, tap = desk(heard(volume=0.5), streamed(volume=0.25)), None
    one, two = both.stream(0), both.stream(1)
    both.run(100, one, two)
    both.say(ramp(2.0))

    first, second = both.run(150, one, two)

    assert tap is None
    np.testing.assert_array_equal(first[: 2 * BLOCK], 0.5 * ramp(2.0)[: 2 * BLOCK])
    # What the first one gets now is heard in 90 ms, what the second one gets in 50 ms.
    late = 4 * BLOCK
    np.testing.assert_allclose(second[late + 480 : late + 48_000], 0.25 * ramp(2.0)[480:48_000], atol=1e-4)


def test_recordings_and_stream_do_not_hear_how_loud_the_headphones_are(desk: Any) -> None:
    tap = SoundTap()
    both = desk(heard(volume=0.0), streamed(), tap=tap)
    tap.on = True
    both.say(ramp(0.1))

    [first] = both.run(20, both.stream(0))

    assert not first.any()
    taken = np.concatenate([block.samples for block in tap.take()])
    np.testing.assert_array_equal(taken[: len(ramp(0.1))], ramp(0.1))


def test_a_volume_is_changed_without_a_click(desk: Any) -> None:
    alone = desk(heard())
    alone.say(np.full(RATE, 0.8, np.float32))
    alone.run(2, alone.stream(0))

    alone.speaker.set_volume("headphones", 0.25)
    [sound] = alone.run(4, alone.stream(0))

    assert np.abs(np.diff(sound)).max() < 0.002
    assert 0.2 == pytest.approx(sound[-1])


def test_a_device_that_stopped_without_a_word_is_lost_and_the_other_goes_on(desk: Any) -> None:
    both = desk(heard(), streamed())
    one, two = both.stream(0), both.stream(1)
    both.run(100, one, two)
    both.say(ramp(20.0))
    both.run(50, one, two)
    both.cards.gone.add(CABLE)

    two.active = False
    both.wait(lambda: bool(both.status) and bool(both.status[1].problem))
    [first] = both.run(50, one)

    assert "was lost" in both.status[1].problem
    assert "" == both.status[0].problem
    np.testing.assert_allclose(np.diff(first), np.diff(ramp(20.0))[0], atol=1e-6)


def test_where_the_headphones_are_lost_the_stream_sets_the_pace_without_a_gap(desk: Any) -> None:
    both = desk(heard(), streamed())
    one, two = both.stream(0), both.stream(1)
    both.run(100, one, two)
    both.say(ramp(20.0))
    _, before = both.run(50, one, two)
    both.cards.gone.add(HEADPHONES)

    one.active = False
    both.wait(lambda: bool(both.status) and bool(both.status[0].problem))
    after = np.concatenate([two.pull(BLOCK, ahead_s=0.05)[:, 0] for _ in range(100)])

    steps = np.diff(np.concatenate([before[-BLOCK:], after]))
    np.testing.assert_allclose(steps, np.diff(ramp(20.0))[0], atol=2e-6)
    assert both.status[1].sets_pace


def test_a_lost_device_comes_back_by_itself_follows_and_sets_the_pace_again_in_the_next_silence(desk: Any) -> None:
    both = desk(heard(), streamed())
    one, two = both.stream(0), both.stream(1)
    both.run(100, one, two)
    both.say(ramp(3.0))
    both.run(50, one, two)
    both.cards.gone.add(HEADPHONES)
    one.active = False
    both.wait(lambda: bool(both.status) and bool(both.status[0].problem))

    both.cards.gone.clear()
    both.clock.advance(1.0)
    both.wait(lambda: not both.status[0].problem)
    again = both.stream(-1)
    # What the stream is handed is heard 40 ms later than at the headphones now.
    both.run(100, two, again)
    assert (False, True) == (both.status[0].sets_pace, both.status[1].sets_pace)
    assert np.concatenate(again.played[-20:]).any()
    both.run(400, two, again)
    both.wait(lambda: both.status[0].sets_pace and not both.status[1].sets_pace)


def test_without_any_device_the_voice_waits_and_goes_on_in_mid_word_when_one_is_back(desk: Any) -> None:
    alone = desk(heard())
    alone.say(ramp(10.0))
    [before] = alone.run(50, alone.stream(0))
    alone.cards.gone.add(HEADPHONES)
    alone.stream(0).active = False
    alone.wait(lambda: bool(alone.status) and bool(alone.status[0].problem))

    alone.cards.gone.clear()
    alone.clock.advance(0.6)
    alone.wait(lambda: not alone.status[0].problem)
    after = alone.stream(-1).pull(BLOCK)[:, 0]

    np.testing.assert_allclose(after[0] - before[-1], np.diff(ramp(10.0))[0], atol=1e-6)


def test_without_any_device_for_long_it_goes_on_unheard_so_that_nobody_waits(desk: Any) -> None:
    alone = desk(heard())
    alone.say(ramp(1.0))
    alone.run(1, alone.stream(0))
    alone.cards.gone.add(HEADPHONES)
    alone.stream(0).active = False
    alone.wait(lambda: bool(alone.status) and bool(alone.status[0].problem))

    alone.clock.advance(HOLD_S + 0.1)
    for _ in range(200):
        alone.clock.advance(0.1)
        if alone.played:
            break
        threading.Event().wait(0.02)

    assert [(1, 0)] == alone.played


def test_with_both_switched_off_time_passes_in_silence(desk: Any) -> None:
    none = desk()
    none.say(ramp(0.5))
    for _ in range(200):
        none.clock.advance(0.1)
        if none.played:
            break
        threading.Event().wait(0.02)

    assert [(1, 0)] == none.played
    assert "no sound" == none.speaker.name


def test_a_stream_that_cannot_be_opened_is_told_and_the_headphones_play(desk: Any) -> None:
    cards = Cards(HEADPHONES, CABLE)
    cards.gone.add(CABLE)

    both = desk(heard(), streamed(), cards=cards)
    both.wait(lambda: bool(both.status))

    assert "cannot be opened: it is gone, or another program has it" in both.status[1].problem
    assert "exclusive" in both.status[1].remedy
    both.say(ramp(0.1))
    assert both.run(1, both.stream(0))[0].any()


def test_where_no_device_can_be_opened_that_is_an_error() -> None:
    cards = Cards(HEADPHONES)
    cards.gone.add(HEADPHONES)
    speaker = SoundDeviceSpeaker(FakeClock(), [heard()], sounddevice=cards, streams=Registry())

    with pytest.raises(AppError, match="another program has it"):
        speaker.open(lambda anchor: None, lambda turn, index: None)


def test_a_device_that_takes_another_rate_than_it_states_is_opened_with_that(desk: Any) -> None:
    cards = Cards(HEADPHONES)
    cards.refused.add(RATE)

    alone = desk(heard(), cards=cards)

    assert 44_100 == alone.stream(0).options["samplerate"]


def test_a_device_that_takes_no_rate_says_which_were_tried() -> None:
    cards = Cards(HEADPHONES)
    cards.refused |= {RATE, 44_100}
    speaker = SoundDeviceSpeaker(FakeClock(), [heard()], sounddevice=cards, streams=Registry())

    with pytest.raises(AppError, match="takes none of the sample rates"):
        speaker.open(lambda anchor: None, lambda turn, index: None)


def test_the_first_virtual_cable_is_taken_where_none_is_named(desk: Any) -> None:
    alone = desk(streamed(FIRST_CABLE))

    assert CABLE == alone.speaker.name


def test_without_a_virtual_cable_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.backends.sound_outlet.sinks", lambda: ())
    cards = Cards(HEADPHONES)
    speaker = SoundDeviceSpeaker(FakeClock(), [streamed(FIRST_CABLE)], sounddevice=cards, streams=Registry())

    with pytest.raises(AppError, match="No virtual cable"):
        speaker.open(lambda anchor: None, lambda turn, index: None)


def test_a_test_tone_sounds_on_one_device_alone(desk: Any) -> None:
    both = desk(heard(), streamed())

    both.speaker.test("stream")
    first, second = both.run(70, both.stream(0), both.stream(1))

    assert not first.any()
    assert 0.2 == pytest.approx(np.abs(second).max(), abs=0.01)
    assert np.abs(np.diff(second)).max() < 0.03
    assert not second[-BLOCK:].any()


def test_a_device_that_is_switched_off_has_no_test_tone(desk: Any) -> None:
    with pytest.raises(AppError, match="switched off"):
        desk(heard()).speaker.test("stream")
