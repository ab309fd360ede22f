"""Microphone and loudspeaker on a PortAudio that the test drives by hand."""

from __future__ import annotations

import builtins
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from animator.messages import PlayoutAnchor, SpeechClip
from app.backends.mic_sounddevice import SoundDeviceMicrophone
from app.backends.portaudio import Registry, Ring, chosen, import_sounddevice
from app.backends.speaker_sounddevice import SoundDeviceSpeaker
from app.errors import AppError
from app.policy.voice_queue import FADE_MS
from app.sound_tap import SoundTap
from tests.fakes import TIMEOUT_S, FakeClock

RATE = 48_000


class FakeStream:
    def __init__(self, **options: Any) -> None:
        self.options = options
        self.active = False
        self.closed = False
        self.latency = 0.08
        self.played: list[np.ndarray] = []

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active, self.closed = False, True

    def record(self, samples: np.ndarray, *, overflow: bool = False, ago_s: float = 0.03) -> None:
        """`ago_s`: how long ago the block's first sample was in the air, by the driver."""
        time = SimpleNamespace(inputBufferAdcTime=10.0 - ago_s, currentTime=10.0)
        self.options["callback"](samples, len(samples), time, SimpleNamespace(input_overflow=overflow))

    def pull(self, frames: int, *, ahead_s: float = 0.05, underflow: bool = False) -> np.ndarray:
        out = np.full((frames, self.options["channels"]), 9.0, np.float32)
        time = SimpleNamespace(outputBufferDacTime=10.0 + ahead_s, currentTime=10.0)
        self.options["callback"](out, frames, time, SimpleNamespace(output_underflow=underflow))
        self.played.append(out)
        return out


class FakePortAudio:
    """Stands in for the sounddevice module."""

    def __init__(self, *, broken: str = "", rate: int = RATE, channels: int = 2) -> None:
        self.broken = broken
        self.rate = rate
        self.channels = channels
        self.streams: list[FakeStream] = []
        self.plugged_in: list[dict[str, Any]] = []
        """What the system has; PortAudio sees it when it is started."""
        self.devices: list[dict[str, Any]] = []
        self.default = SimpleNamespace(hostapi=0)
        self.starts = 0

    def plug_in(self, name: str, *, inputs: int = 2, outputs: int = 2, hostapi: int = 0) -> None:
        device = {"name": name, "max_input_channels": inputs, "max_output_channels": outputs, "hostapi": hostapi}
        self.plugged_in.append(device)

    def _terminate(self) -> None:
        assert all(stream.closed for stream in self.streams), "an open stream would have been torn down"

    def _initialize(self) -> None:
        self.starts += 1
        self.devices = list(self.plugged_in)

    def query_devices(self, device: object = None, kind: str = "") -> Any:
        if self.broken:
            raise ValueError(self.broken)
        if not kind:
            return self.devices
        if isinstance(device, int) and device >= len(self.devices):
            raise ValueError(f"no device {device}")
        return {
            "name": self.devices[device]["name"] if isinstance(device, int) else "Card",
            "default_samplerate": float(self.rate),
            "max_input_channels": self.channels,
            "max_output_channels": self.channels,
            "default_low_output_latency": 0.01,
        }

    def InputStream(self, **options: Any) -> FakeStream:
        self.streams.append(FakeStream(**options))
        return self.streams[-1]

    OutputStream = InputStream


# Ring


def test_the_ring_gives_back_what_was_written_across_its_end() -> None:
    ring = Ring(100)
    out = []
    for k in range(50):
        ring.write(np.arange(k * 30, k * 30 + 30, dtype=np.float32))
        out.append(ring.read())

    np.testing.assert_array_equal(np.concatenate(out), np.arange(1500))
    assert ring.dropped == 0


def test_a_slow_reader_loses_the_oldest_and_it_is_counted() -> None:
    ring = Ring(100)
    for k in range(5):
        ring.write(np.arange(k * 50, k * 50 + 50, dtype=np.float32))

    np.testing.assert_array_equal(ring.read(), np.arange(150, 250))
    assert ring.dropped == 150


def test_a_missing_portaudio_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(AppError) as raised:
        import_sounddevice()

    assert "sudo apt-get install libportaudio2" in raised.value.remedy


# Microphone


def test_the_microphone_gives_16_khz_mono_of_both_channels() -> None:
    audio = FakePortAudio()
    microphone = SoundDeviceMicrophone(sounddevice=audio)
    microphone.open()
    t = np.arange(RATE) / RATE
    stereo = np.stack([np.sin(2 * np.pi * 440 * t), np.zeros(RATE)], axis=1).astype(np.float32)

    blocks = []
    for start in range(0, RATE, RATE // 50):
        audio.streams[0].record(stereo[start : start + RATE // 50])
        block = microphone.read(0.5)
        assert block is not None
        blocks.append(block)
    microphone.close()

    samples = np.concatenate([block.samples for block in blocks])
    assert len(samples) == pytest.approx(16_000, abs=400)
    assert np.argmax(np.abs(np.fft.rfft(samples, 16_000))) == 440
    assert np.abs(samples[4000:]).max() == pytest.approx(0.5, abs=0.02)
    assert blocks[-1].first_sample + len(blocks[-1].samples) == len(samples)


def test_no_sound_within_the_timeout_is_none() -> None:
    microphone = SoundDeviceMicrophone(sounddevice=FakePortAudio())
    microphone.open()

    assert microphone.read(0.02) is None
    microphone.close()


def test_an_unplugged_microphone_is_an_error_and_can_be_opened_again() -> None:
    audio = FakePortAudio()
    microphone = SoundDeviceMicrophone(sounddevice=audio)
    microphone.open()
    audio.streams[0].active = False

    with pytest.raises(AppError, match="was lost"):
        microphone.read(0.1)
    microphone.close()
    microphone.open()
    audio.streams[1].record(np.zeros((RATE // 50, 2), np.float32), overflow=True)

    assert microphone.read(0.5) is not None
    assert microphone.overflows == 1
    microphone.close()


@pytest.mark.parametrize("kind", [SoundDeviceMicrophone, lambda *a, **k: SoundDeviceSpeaker(FakeClock(), *a, **k)])
def test_an_unknown_device_is_named_with_a_remedy(kind: Any) -> None:
    device = kind("Mic 7", sounddevice=FakePortAudio(broken="No device matching 'Mic 7'"))

    with pytest.raises(AppError, match="'Mic 7' cannot be opened") as raised:
        device.open(*([] if isinstance(device, SoundDeviceMicrophone) else [lambda a: None, lambda t, i: None]))
    assert "settings" in raised.value.remedy


# Loudspeaker


class Out:
    """An open loudspeaker with everything it reports."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.audio = FakePortAudio(**options)
        self.speaker = SoundDeviceSpeaker(self.clock, sounddevice=self.audio)
        self.anchors: list[PlayoutAnchor] = []
        self.played: list[tuple[int, int]] = []
        self._changed = threading.Condition()
        self.speaker.open(self._on_anchor, self._on_played)
        self.stream = self.audio.streams[0]

    def _on_anchor(self, anchor: PlayoutAnchor) -> None:
        with self._changed:
            self.anchors.append(anchor)
            self._changed.notify_all()

    def _on_played(self, turn: int, index: int) -> None:
        with self._changed:
            self.played.append((turn, index))
            self._changed.notify_all()

    def wait(self, anchors: int = 0, played: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.anchors) >= anchors and len(self.played) >= played, TIMEOUT_S
            ), (self.anchors, self.played)

    def sound(self) -> np.ndarray:
        return np.concatenate(self.stream.played)[:, 0]


def clip(index: int, seconds: float, *, turn: int = 1, rate: int = RATE, level: float = 0.5) -> SpeechClip:
    return SpeechClip(turn, index, np.full(round(seconds * rate), level, np.float32), rate, "", None, False)


@pytest.fixture
def out() -> Any:
    made = Out()
    yield made
    made.speaker.close()
    made.speaker.close()
    assert "speaker-helper" not in [thread.name for thread in threading.enumerate()]


def test_clips_sound_one_after_another_and_then_there_is_silence(out: Out) -> None:
    out.speaker.play(clip(0, 0.1, level=0.2))
    out.speaker.play(clip(1, 0.1, level=0.4))
    for _ in range(30):
        out.stream.pull(480)

    sound = out.sound()
    assert np.unique(sound[:4800]).tolist() == [np.float32(0.2)]
    assert np.unique(sound[4800:9600]).tolist() == [np.float32(0.4)]
    assert not sound[9600:].any()
    assert out.speaker.queued_s() == 0.0


def test_an_anchor_says_when_the_dac_plays_the_first_sample(out: Out) -> None:
    out.stream.pull(480)
    out.speaker.play(clip(0, 0.5))
    out.stream.pull(480, ahead_s=0.05)
    out.wait(anchors=1)

    assert out.anchors[0] == PlayoutAnchor(1, 0, 0, RATE, out.clock.now_ns() + 50_000_000)


def test_a_clip_that_begins_in_the_middle_of_a_buffer_is_anchored_there(out: Out) -> None:
    out.speaker.play(clip(0, 0.005))
    out.speaker.play(clip(1, 0.5))
    out.stream.pull(480, ahead_s=0.05)
    out.wait(anchors=2)

    assert out.anchors[1].host_ns - out.anchors[0].host_ns == 5_000_000


def test_a_driver_without_dac_times_falls_back_to_the_streams_latency(out: Out) -> None:
    out.speaker.play(clip(0, 0.5))
    out.stream.pull(480, ahead_s=-10.05)
    out.wait(anchors=1)

    assert out.anchors[0].host_ns == out.clock.now_ns() + 80_000_000


def test_a_clip_counts_as_played_when_it_was_heard_not_when_it_was_copied(out: Out) -> None:
    out.speaker.play(clip(0, 0.01))
    out.stream.pull(960, ahead_s=0.05)
    out.wait(anchors=1)
    before = list(out.played)

    out.clock.advance(0.06)
    out.wait(played=1)

    assert before == []
    assert out.played == [(1, 0)]


def test_anchors_come_about_ten_times_a_second(out: Out) -> None:
    out.speaker.play(clip(0, 1.0))
    for _ in range(100):
        out.stream.pull(480)
        out.clock.advance(0.01)
    out.clock.advance(0.1)
    out.wait(anchors=9, played=1)

    assert 9 <= len(out.anchors) <= 12


def test_clear_fades_out_within_30_ms_and_the_next_turn_plays(out: Out) -> None:
    out.speaker.play(clip(0, 2.0))
    out.speaker.play(clip(1, 2.0))
    out.stream.pull(480)

    out.speaker.clear()
    out.speaker.play(clip(0, 0.1, turn=2, level=0.3))
    for _ in range(20):
        out.stream.pull(480)

    sound = out.sound()
    fade = RATE * FADE_MS // 1000
    assert FADE_MS <= 30
    assert (np.diff(sound[480 : 480 + fade]) <= 0).all()
    assert np.abs(np.diff(sound[470 : 480 + fade])).max() < 0.01
    np.testing.assert_allclose(sound[480 + fade : 480 + fade + 4800], 0.3)


def test_clear_before_anything_sounded_drops_it_unheard(out: Out) -> None:
    out.speaker.play(clip(0, 1.0))
    out.speaker.clear()

    assert not out.stream.pull(4800).any()
    assert out.speaker.queued_s() == 0.0


def test_a_voice_of_another_rate_keeps_its_length_and_pitch(out: Out) -> None:
    t = np.arange(22_050) / 22_050
    voice = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    out.speaker.play(SpeechClip(1, 0, voice, 22_050, "", None, False))
    out.stream.pull(RATE)

    assert np.argmax(np.abs(np.fft.rfft(out.sound()))) == 440


def test_underruns_are_counted(out: Out) -> None:
    out.stream.pull(480, underflow=True)

    assert out.speaker.underruns == 1


def test_after_an_underrun_what_is_heard_when_is_said_at_once(out: Out) -> None:
    out.speaker.play(clip(0, 1.0))
    out.stream.pull(480)
    out.clock.advance(0.01)
    out.stream.pull(480)
    out.clock.advance(0.06)  # the device got nothing for 50 ms
    out.stream.pull(480, underflow=True)
    out.wait(anchors=2)

    first, second = out.anchors
    assert (0, 960) == (first.sample, second.sample)
    assert second.host_ns - first.host_ns == 70_000_000


def test_a_mono_device_is_fine() -> None:
    made = Out(channels=1, rate=44_100)
    made.speaker.play(clip(0, 0.1, rate=44_100))

    assert made.stream.pull(441).shape == (441, 1)
    made.speaker.close()


# What echo cancellation needs of both


def test_a_block_is_stamped_with_the_time_it_was_in_the_air() -> None:
    audio, clock = FakePortAudio(channels=1), FakeClock()
    microphone = SoundDeviceMicrophone(clock=clock, sounddevice=audio)
    microphone.open()

    audio.streams[0].record(np.zeros((960, 1), np.float32), ago_s=0.05)
    block = microphone.read(0.0)

    assert block is not None
    assert block.heard_ns == clock.now_ns() - 30_000_000  # 20 ms of sound that began 50 ms ago


def test_a_driver_without_times_still_gives_a_stamp() -> None:
    audio, clock = FakePortAudio(channels=1), FakeClock()
    microphone = SoundDeviceMicrophone(clock=clock, sounddevice=audio)
    microphone.open()

    audio.streams[0].record(np.zeros((960, 1), np.float32), ago_s=10.0)
    block = microphone.read(0.0)

    assert block is not None
    assert block.heard_ns == clock.now_ns()


def test_ducking_lowers_the_voice_by_12_db_without_a_click_and_brings_it_back() -> None:
    audio, clock = FakePortAudio(), FakeClock()
    speaker = SoundDeviceSpeaker(clock, sounddevice=audio)
    speaker.open(lambda anchor: None, lambda turn, index: None)
    speaker.play(SpeechClip(1, 0, np.full(RATE, 0.8, np.float32), RATE, "Aaaa.", (), True))

    before = audio.streams[0].pull(480)
    speaker.duck(True)
    fall = np.concatenate([audio.streams[0].pull(480) for _ in range(4)])
    speaker.duck(False)
    rise = np.concatenate([audio.streams[0].pull(480) for _ in range(4)])
    speaker.close()

    assert before.min() == pytest.approx(0.8)
    assert fall[-1, 0] == pytest.approx(0.8 * 10 ** (-12 / 20), rel=1e-3)
    assert rise[-1, 0] == pytest.approx(0.8)
    steps = np.abs(np.diff(np.concatenate([before, fall, rise])[:, 0]))
    assert steps.max() < 0.001
    assert np.all(fall[25 * RATE // 1000 :, 0] < 0.21)


def test_what_was_played_can_be_had_for_echo_cancellation_silence_and_ducking_included() -> None:
    audio, clock = FakePortAudio(), FakeClock()
    speaker = SoundDeviceSpeaker(clock, sounddevice=audio)
    speaker.open(lambda anchor: None, lambda turn, index: None)
    speaker.play(SpeechClip(1, 0, np.full(480, 0.5, np.float32), RATE, "Aa.", (), True))

    heard = np.concatenate([audio.streams[0].pull(480)[:, 0] for _ in range(3)])
    samples, rate, end_ns = speaker.played()
    speaker.close()

    np.testing.assert_array_equal(samples, heard)
    assert rate == RATE
    assert end_ns == clock.now_ns() + 60_000_000  # 50 ms until the last block begins to be heard, and its 10 ms
    assert len(speaker.played()[0]) == 0


def test_a_recorder_gets_what_was_played_block_by_block_with_the_time_of_its_first_sample() -> None:
    audio, clock, tap = FakePortAudio(), FakeClock(), SoundTap()
    speaker = SoundDeviceSpeaker(clock, sounddevice=audio, tap=tap)
    speaker.open(lambda anchor: None, lambda turn, index: None)
    audio.streams[0].pull(480)
    tap.on = True
    speaker.play(SpeechClip(1, 0, np.full(720, 0.5, np.float32), RATE, "Aa.", (), True))

    heard = np.concatenate([audio.streams[0].pull(480)[:, 0] for _ in range(3)])
    speaker.close()
    blocks = tap.take()

    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), heard)
    assert [clock.now_ns() + 50_000_000] * 3 == [block.heard_ns for block in blocks]
    assert {RATE} == {block.sample_rate for block in blocks}


# Devices that come and go


def test_a_device_is_found_by_its_name_in_the_default_interface_or_by_a_part_of_it() -> None:
    audio = FakePortAudio()
    audio.default.hostapi = 1
    for name, inputs, outputs, hostapi in (
        ("Blue Yeti", 0, 2, 0),
        ("Blue Yeti", 2, 0, 0),
        ("Blue  Yeti", 2, 0, 1),
        ("Blue Yeti Nano", 2, 0, 1),
    ):
        audio.plug_in(name, inputs=inputs, outputs=outputs, hostapi=hostapi)
    audio._initialize()

    assert [2, 0, 3, 2] == [
        chosen(audio, "Blue Yeti", "input"),
        chosen(audio, "blue yeti", "output"),
        chosen(audio, "nano", "input"),
        chosen(audio, "Blue", "input"),
    ]
    assert [None, 7] == [chosen(audio, None, "input"), chosen(audio, 7, "input")]
    with pytest.raises(ValueError, match="no input device"):
        chosen(audio, "Rode", "input")


def test_a_microphone_that_was_plugged_in_after_the_start_is_found_and_the_silent_loudspeaker_comes_back() -> None:
    audio, streams = FakePortAudio(), Registry()
    speaker = SoundDeviceSpeaker(FakeClock(), sounddevice=audio, streams=streams)
    speaker.open(lambda anchor: None, lambda turn, index: None)
    audio.plug_in("Blue Yeti")
    microphone = SoundDeviceMicrophone("Blue Yeti", sounddevice=audio, streams=streams)

    microphone.open()

    first, again, heard = audio.streams
    assert (True, True, True) == (first.closed, again.active, heard.active)
    assert "Blue Yeti" == microphone.name
    speaker.play(clip(0, 0.1))
    assert 0.1 == pytest.approx(speaker.queued_s(), abs=0.001)
    microphone.close()
    speaker.close()


def test_while_something_sounds_no_device_is_looked_for() -> None:
    audio, streams = FakePortAudio(), Registry()
    speaker = SoundDeviceSpeaker(FakeClock(), sounddevice=audio, streams=streams)
    speaker.open(lambda anchor: None, lambda turn, index: None)
    speaker.play(clip(0, 1.0))
    audio.plug_in("Blue Yeti")

    with pytest.raises(AppError, match="cannot be opened"):
        SoundDeviceMicrophone("Blue Yeti", sounddevice=audio, streams=streams).open()

    assert (0, True) == (audio.starts, audio.streams[0].active)
    speaker.close()


def test_a_device_that_stays_away_is_looked_for_ever_more_rarely_and_another_one_at_once() -> None:
    now_s = [0.0]
    audio, streams = FakePortAudio(), Registry(lambda: now_s[0])
    looked_at_s = []
    for second in range(120):
        now_s[0] = float(second)
        if streams.look_again(audio, "Blue Yeti"):
            looked_at_s.append(second)

    assert [0, 4, 12, 28, 60] == looked_at_s
    assert streams.look_again(audio, "Rode")


def test_a_loudspeaker_that_was_plugged_in_late_is_found_while_the_microphone_listens() -> None:
    audio, streams = FakePortAudio(), Registry()
    microphone = SoundDeviceMicrophone(sounddevice=audio, streams=streams)
    microphone.open()
    audio.plug_in("Headphones")

    speaker = SoundDeviceSpeaker(FakeClock(), "Headphones", sounddevice=audio, streams=streams)
    speaker.open(lambda anchor: None, lambda turn, index: None)

    assert "Headphones" == speaker.name
    assert [False, True, True] == [stream.active for stream in audio.streams]
    audio.streams[1].record(np.zeros((RATE // 50, 2), np.float32))
    assert microphone.read(0.5) is not None
    speaker.close()
    microphone.close()
