"""Recordings of the show are decoded again: picture and sound together, alpha, crashes, replays, full disks."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app.backends.recording_av import AvEncoder
from app.bus import Bus
from app.canvas import Scene
from app.errors import AppError
from app.media_note import NOTE
from app.messages import Encoded, Frame
from app.recorder import WAITING_FRAMES, Recorder
from app.settings import CameraSettings, RecordingSettings, Settings
from app.sound_tap import SoundTap
from tests.fakes import TIMEOUT_S, Facts

FPS = 30
RATE = 48_000
WIDTH_PX, HEIGHT_PX = 640, 360
FLASHES_S = (0.5, 1.5, 2.5, 3.5)
"""In each second one picture is white, and with it a click sounds."""


class Camera:
    """Who hands out frames, as far as a recorder sees it."""

    def __init__(self) -> None:
        self.sinks: list[Any] = []

    def add(self, sink: Any) -> None:
        sink.open(512, 512, FPS)
        self.sinks.append(sink)

    def remove(self, sink: Any) -> None:
        if sink in self.sinks:
            self.sinks.remove(sink)
            sink.close()


def figure(colour: tuple[int, int, int], alpha: int = 255) -> np.ndarray:
    """A frame with a square in the middle of what viewers see."""
    pixels = np.zeros((512, 512, 4), np.uint8)
    pixels[160:360, 160:360] = (*colour, alpha)
    return pixels


@dataclass
class Rig:
    """A recorder with both ends in the test's hand."""

    folder: Path
    recording: RecordingSettings
    make: Callable[..., Any] = AvEncoder
    camera: Camera = field(default_factory=Camera)
    sound: SoundTap = field(default_factory=SoundTap)
    frame_number: int = 0

    def __post_init__(self) -> None:
        self.bus = Bus(lambda: 0)
        self.facts = Facts(self.bus)
        self.settings = Settings(
            camera=CameraSettings(width_px=WIDTH_PX, height_px=HEIGHT_PX), recording=self.recording
        )
        self.dark, self.bright = figure((40, 40, 60)), figure((255, 255, 255))
        self.recorder = Recorder(
            self.bus,
            lambda: self.settings,
            self.camera,  # type: ignore[arg-type]
            self.sound,
            lambda: self.scene,
            lambda: Frame(1, self.dark, 0),
            self.make,
            lambda: self.folder,
        )
        self.scene = Scene()
        self.recorder.start()

    @property
    def now_ns(self) -> int:
        return 1_000_000_000 + self.frame_number * 1_000_000_000 // FPS

    def settle(self) -> None:
        """Wait until all that was asked for is done."""
        self.recorder._ask(lambda: None).result(TIMEOUT_S)

    def film(self, seconds: float, sound: bool = True) -> None:
        """So much of a show: pictures to whoever looks, and what the loudspeaker plays, 50 ms before it is heard."""
        for number in range(round(seconds * FPS)):
            if number % (WAITING_FRAMES // 2) == 0:
                self.settle()
            in_second = self.frame_number % FPS
            is_flash = in_second == FPS // 2
            for sink in list(self.camera.sinks):
                sink.send(Frame(self.frame_number, self.bright if is_flash else self.dark, self.now_ns))
            if sound:
                block = np.zeros(RATE // FPS, np.float32)
                if is_flash:
                    block[:240] = 0.8
                self.sound.put(block, RATE, self.now_ns)
            self.frame_number += 1
        self.settle()

    def kept(self, kind: str = "recording") -> tuple[Path, dict[str, Any]]:
        data = self.facts.wait("recording", "saved", kind=kind).data
        return Path(data["path"]), data


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(recording: RecordingSettings | None = None, **changes: Any) -> Rig:
        made.append(Rig(tmp_path / "Videos", recording or RecordingSettings(), **changes))
        return made[-1]

    yield make
    for rig in made:
        rig.recorder.stop()


def flashes_of(path: Path) -> list[float]:
    """When the picture turns bright, in s."""
    times, levels = [], []
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            grey = frame.to_ndarray(format="gray")
            times.append(float(frame.time))
            levels.append(
                float(grey[HEIGHT_PX // 2 - 20 : HEIGHT_PX // 2 + 20, WIDTH_PX // 2 - 20 : WIDTH_PX // 2 + 20].mean())
            )
    bright = np.array(levels) > 150
    return [times[k] for k in range(1, len(times)) if bright[k] and not bright[k - 1]]


def clicks_of(path: Path) -> list[float]:
    """When a click begins, in s."""
    found: list[float] = []
    with av.open(str(path)) as film:
        for frame in film.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray().ravel()) > 0.3)
            if len(loud):
                at = float(frame.pts * frame.time_base) + loud[0] / frame.rate
                if not found or at - found[-1] > 0.3:
                    found.append(at)
    return found


def length_of(path: Path) -> tuple[float, float]:
    """Up to where picture and sound can be decoded, in s."""
    with av.open(str(path)) as film:
        picture = max(float(frame.time) + 1 / FPS for frame in film.decode(video=0))
    with av.open(str(path)) as film:
        sound = max(float(frame.time) + frame.samples / frame.rate for frame in film.decode(audio=0))
    return picture, sound


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_what_was_recorded_plays_with_picture_and_sound_together(make_rig: Callable[..., Rig], format: str) -> None:
    rig = make_rig(RecordingSettings(format=format))
    rig.recorder.record(True)
    rig.film(4.0)
    rig.recorder.record(False)
    path, told = rig.kept()

    flashes, clicks = flashes_of(path), clicks_of(path)
    assert path.suffix == f".{format}"
    assert pytest.approx(4.0, abs=0.1) == told["duration_s"]
    assert pytest.approx((4.0, 4.0), abs=0.1) == length_of(path)
    assert FLASHES_S == pytest.approx(flashes, abs=0.002)
    assert flashes == pytest.approx(clicks, abs=0.02)
    with av.open(str(path)) as file:
        assert NOTE in file.metadata.values(), "a recording says that it is synthetic"
    assert [] == rig.facts.of("recording", "state", state="failed")


def test_an_mp4_that_was_closed_is_an_ordinary_one(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.record(True)
    rig.film(1.0)
    rig.recorder.record(False)
    path, _ = rig.kept()

    content = path.read_bytes()
    assert b"moof" not in content[: content.index(b"mdat")]
    with av.open(str(path)) as film:
        assert ["h264", "aac"] == [stream.codec_context.name for stream in film.streams]


def test_colours_are_those_of_the_show_and_the_file_says_by_which_matrix(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.dark = rig.bright = figure((200, 0, 0))
    rig.recorder.record(True)
    rig.film(0.5)
    rig.recorder.record(False)

    with av.open(str(rig.kept()[0])) as film:
        frame = next(film.decode(video=0))
        shown = frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
    assert 1 == frame.colorspace  # ITU-R BT.709
    assert np.abs(shown[HEIGHT_PX // 2, WIDTH_PX // 2].astype(int) - (200, 0, 0)).max() <= 4


def test_a_camera_of_any_size_can_be_recorded(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.settings = Settings(camera=CameraSettings(width_px=643, height_px=362))
    rig.recorder.record(True)
    rig.film(0.5)
    rig.recorder.record(False)

    with av.open(str(rig.kept()[0])) as film:
        assert (640, 360) == (film.streams.video[0].width, film.streams.video[0].height)


def test_silence_is_written_where_nothing_is_played(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.record(True)
    rig.film(3.0, sound=False)
    rig.recorder.record(False)
    path, _ = rig.kept()

    assert pytest.approx((3.0, 3.0), abs=0.1) == length_of(path)
    assert [] == clicks_of(path)


def test_while_the_computer_slept_nothing_is_recorded(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.record(True)
    rig.film(2.0)
    rig.frame_number += 8 * 3600 * FPS
    rig.film(2.0)
    rig.recorder.record(False)
    path, _ = rig.kept()

    flashes, clicks = flashes_of(path), clicks_of(path)
    assert FLASHES_S == pytest.approx(flashes, abs=0.002)
    assert flashes == pytest.approx(clicks, abs=0.02)
    assert pytest.approx((4.0, 4.0), abs=0.1) == length_of(path)


def test_a_recording_begins_with_the_picture_after_the_command(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(RecordingSettings(replay=True, replay_s=5))
    rig.film(2.2)
    rig.recorder.record(True)
    rig.film(2.0)
    rig.recorder.record(False)
    path, _ = rig.kept()

    flashes, clicks = flashes_of(path), clicks_of(path)
    assert (0.3, 1.3) == pytest.approx(flashes, abs=0.05)
    assert flashes == pytest.approx(clicks, abs=0.02)


CHILD = """
import sys
from pathlib import Path
from app.settings import RecordingSettings
from tests.app.test_recorder import Rig

rig = Rig(Path(sys.argv[1]), RecordingSettings(format=sys.argv[2]))
rig.recorder.record(True)
for _ in range(1000):
    rig.film(0.1)
    print(rig.frame_number, flush=True)
"""


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_recording_whose_app_is_killed_plays_to_within_a_second_of_its_end(tmp_path: Path, format: str) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), format]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        frames = 0
        while frames < 4.7 * FPS:
            frames = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        child.wait(TIMEOUT_S)
    (path,) = tmp_path.glob(f"*.{format}")

    picture_s, sound_s = length_of(path)
    assert picture_s >= frames / FPS - 1.0
    assert sound_s >= frames / FPS - 1.0
    flashes, clicks = flashes_of(path), clicks_of(path)
    assert len(flashes) >= 3
    assert flashes == pytest.approx(clicks[: len(flashes)], abs=0.02)


def rgba_frames(path: Path) -> list[np.ndarray]:
    """With alpha, which only libvpx's own decoder gives."""
    decoder = av.codec.CodecContext.create("libvpx-vp9", "r")
    frames = []
    with av.open(str(path)) as film:
        for packet in film.demux(video=0):
            frames += [frame.to_ndarray(format="rgba") for frame in decoder.decode(packet)]
    return frames


def test_a_webm_is_transparent_around_the_character_and_shows_no_rim_over_a_colour(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(RecordingSettings(format="webm"))
    rig.dark = rig.bright = figure((240, 220, 60))
    rig.recorder.record(True)
    rig.film(1.0)
    rig.recorder.record(False)
    path, _ = rig.kept()

    with av.open(str(path)) as film:
        assert "1" == {key.lower(): value for key, value in film.streams.video[0].metadata.items()}["alpha_mode"]
    shown = rgba_frames(path)[-1].astype(float)
    share = shown[..., 3:] / 255
    over = shown[..., :3] * share + np.array([0.0, 90.0, 200.0]) * (1 - share)
    middle = over[HEIGHT_PX // 2 - 10 : HEIGHT_PX // 2 + 10, WIDTH_PX // 2 - 10 : WIDTH_PX // 2 + 10]
    assert np.abs(middle - (240, 220, 60)).max() < 12
    assert np.abs(over[:40, :40] - (0, 90, 200)).max() < 3
    # Whatever mixes the two grounds lies between them: a dark rim would not.
    assert over[..., 1].min() > 80


def test_a_screenshot_is_transparent_and_as_large_as_the_camera(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.screenshot()
    path, _ = rig.kept("screenshot")

    with Image.open(path) as picture:
        pixels = np.asarray(picture)
        assert NOTE == picture.info["Comment"]
    assert (HEIGHT_PX, WIDTH_PX, 4) == pixels.shape
    assert (0, 0, 0, 0) == tuple(pixels[0, 0])
    assert (40, 40, 60, 255) == tuple(pixels[HEIGHT_PX // 2, WIDTH_PX // 2])


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_replay_is_as_long_as_the_settings_say(make_rig: Callable[..., Rig], format: str) -> None:
    rig = make_rig(RecordingSettings(format=format, replay=True, replay_s=5))
    rig.film(9.0)
    rig.recorder.save_replay()
    path, told = rig.kept("replay")

    flashes, clicks = flashes_of(path), clicks_of(path)
    assert 5.0 <= told["duration_s"] <= 6.1
    assert 5.0 <= length_of(path)[0] <= 6.1
    assert len(flashes) >= 5
    assert flashes == pytest.approx(clicks[: len(flashes)], abs=0.02)
    rig.film(1.0)
    rig.recorder.save_replay()
    rig.facts.wait("recording", "saved", count=2, kind="replay")


def test_recording_goes_on_while_a_replay_is_kept(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(RecordingSettings(replay=True, replay_s=5))
    rig.recorder.record(True)
    rig.film(2.0)
    rig.recorder.save_replay()
    rig.film(1.0)
    rig.recorder.record(False)

    assert pytest.approx(3.0, abs=0.1) == length_of(rig.kept()[0])[0]
    assert pytest.approx(2.0, abs=0.1) == length_of(rig.kept("replay")[0])[0]


def test_nothing_is_encoded_and_no_sound_kept_while_nobody_wants_it(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(RecordingSettings(replay=True))
    rig.settle()
    assert [rig.recorder] == rig.camera.sinks
    old = rig.settings.recording

    rig.recorder.configure(old, RecordingSettings())

    assert [] == rig.camera.sinks
    assert not rig.sound.on
    assert not rig.facts.of("recording", "status")[-1].data["replay"]


def test_a_replay_that_nobody_held_is_refused_with_what_to_do(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.save_replay()

    failed = rig.facts.wait("recording", "state", state="failed").data
    assert "not being held" in failed["problem"]
    assert "Instant replay" in failed["remedy"]


def test_a_folder_that_cannot_be_written_is_one_sentence_and_the_setting_is_refused(
    make_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    wrong = RecordingSettings(folder=str(tmp_path / "file" / "inside"))
    rig = make_rig(wrong)
    rig.recorder.record(True)

    problem = rig.facts.wait("recording", "state", state="failed").data["problem"]
    assert str(tmp_path / "file") in problem
    assert not rig.facts.of("recording", "status", on=True)
    with pytest.raises(AppError, match="Not a directory"):
        rig.recorder.configure(RecordingSettings(), wrong)
    with pytest.raises(AppError, match="full path"):
        rig.recorder.configure(RecordingSettings(), RecordingSettings(folder="Videos"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk to try with")
@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_full_disk_ends_the_recording_with_one_sentence_and_the_next_one_works(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    rig = make_rig(RecordingSettings(format=format))
    monkeypatch.setattr(rig.recorder, "_new_path", lambda name, suffix: Path("/dev/full"))
    rig.recorder.record(True)
    rig.film(3.0)

    failed = rig.facts.wait("recording", "state", state="failed").data
    assert "no room left" in failed["problem"]
    assert 1 == len(rig.facts.of("recording", "state", state="failed"))
    assert not rig.facts.of("recording", "status")[-1].data["on"]
    assert [] == rig.camera.sinks
    monkeypatch.undo()
    rig.recorder.record(True)
    rig.film(1.0)
    rig.recorder.record(False)
    assert pytest.approx(1.0, abs=0.1) == length_of(rig.kept()[0])[0]


def test_a_disk_that_is_nearly_full_is_said_beforehand(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig()
    monkeypatch.setattr("app.recorder.LEAST_BYTES", 1 << 60)
    rig.recorder.record(True)

    assert "MB are free" in rig.facts.wait("recording", "state", state="failed").data["problem"]


class StuckEncoder:
    """An encoder that has come to nothing yet."""

    has_alpha = False

    def __init__(self, *_: Any) -> None:
        self.may_go_on = threading.Event()
        self.indices: list[int] = []

    def picture(self, pixels: np.ndarray, index: int, *, key: bool = False) -> list[Encoded]:
        assert self.may_go_on.wait(TIMEOUT_S)
        self.indices.append(index)
        return []

    def sound(self, samples: np.ndarray) -> list[Encoded]:
        return []

    def finish(self) -> list[Encoded]:
        return []

    def file(self, path: Path) -> Any:
        raise AssertionError("nothing is recorded here")


def test_an_encoder_that_cannot_keep_up_costs_pictures_of_the_recording_and_nothing_else(
    make_rig: Callable[..., Rig],
) -> None:
    encoder = StuckEncoder()
    rig = make_rig(RecordingSettings(replay=True), make=lambda *_: encoder)
    rig.settle()

    for number in range(100):
        rig.camera.sinks[0].send(Frame(number, rig.dark, number * 1_000_000_000 // FPS))
    encoder.may_go_on.set()
    rig.settle()

    assert WAITING_FRAMES <= len(encoder.indices) <= WAITING_FRAMES + 1
    assert sorted(set(encoder.indices)) == encoder.indices


def test_stopping_the_show_finishes_the_recording(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.record(True)
    rig.film(1.0)
    rig.recorder.stop()

    assert pytest.approx(1.0, abs=0.1) == length_of(rig.kept()[0])[0]


def test_toggling_begins_and_ends(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.recorder.toggle()
    rig.film(0.5)
    rig.recorder.toggle()
    rig.settle()

    assert [True, False] == [fact.data["on"] for fact in rig.facts.of("recording", "status")]
    assert rig.kept()[0].is_file()
