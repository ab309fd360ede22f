"""Every setting is in force at once in the running show, and what cannot be leaves everything as it was."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from animator.clock import SystemClock
from animator.timebase import Clock
from app import compose, paths, secrets, show
from app.bus import Bus
from app.characters import library
from app.characters.character_file import Texts, save_expression, save_texts
from app.errors import AppError
from app.face import HeldFacts
from app.fonts import Typefaces
from app.messages import (
    Ask,
    Configure,
    Encoded,
    Frame,
    ListDevices,
    MouthOffset,
    Mute,
    NextCharacter,
    Panic,
    Record,
    SaveReplay,
    Screenshot,
    SecretChanged,
    ShowTestCard,
    SoundStatus,
    SwitchCamera,
    SwitchCharacter,
    TestBrain,
    TestFace,
    ToggleMute,
    ToggleRecording,
    TryPersona,
)
from app.settings import Settings, Value, setting_names, value_of, with_value
from app.settings_file import keep_setting, open_settings
from tests.fakes import (
    TIMEOUT_S,
    Facts,
    FakeAvatar,
    FakeChat,
    FakeClock,
    FakeDetector,
    FakeMicrophone,
    FakeSpeaker,
    FakeSynth,
    FakeTranscriber,
    silence,
    speech,
)
from tests.other_values import other_value

FACES = Path(__file__).parents[1] / "data" / "faces"
VALUES: dict[str, Value] = {
    "face.character": "rei",
    "face.human": "grace",
    "lips.phonemes": "own",
    "recording.folder": os.environ["KUCHIPAKU_RECORDINGS"],
    "captions.file": str(Path(os.environ["KUCHIPAKU_RECORDINGS"]).parent / "captions.txt"),
}
"""Settings that name something that has to be there."""


class FakeFace(FakeAvatar):
    """A face that is ready at once, or never."""

    def __init__(self, problem: AppError | None = None) -> None:
        super().__init__()
        self._problem = problem

    def wait_loaded(self, timeout_s: float) -> None:
        if self._problem is not None:
            raise self._problem

    def latest(self) -> Frame | None:
        return Frame(1, np.zeros((2, 2, 4), np.uint8), 0)


class FakePage:
    """A browser source that listens nowhere."""

    def start(self) -> None:
        pass

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        pass

    def send(self, frame: Frame) -> None:
        pass

    def show_captions(self, on: bool) -> None:
        pass

    def caption(self, text: str, heard: int) -> None:
        pass

    def close(self) -> None:
        pass


class FakeSink:
    """A virtual camera of a given size and device; "broken" cannot be opened."""

    def __init__(self, settings: Settings, captions: Any) -> None:
        self.captions = captions
        camera = settings.camera
        self.size, self.device = (camera.width_px, camera.height_px), camera.device
        self.fps = 0.0
        self.is_open = False

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        if self.device == "broken":
            raise AppError("No virtual camera could be opened.", "Install one.")
        self.is_open, self.fps = True, fps

    def send(self, frame: Frame) -> None:
        pass

    def close(self) -> None:
        self.is_open = False


class NamedSpeaker(FakeSpeaker):
    def __init__(self, name: str) -> None:
        broken = AppError(f"The loudspeaker {name!r} cannot be opened.", "Plug it in.") if name == "broken" else None
        super().__init__(instant=True, broken=broken)
        self.name = name

    def played(self) -> Any:
        return np.zeros(0, np.float32), 16_000, 0


class NamedMicrophone(FakeMicrophone):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def open(self) -> None:
        if self.name == "broken":
            raise AppError("The microphone 'broken' cannot be opened.", "Plug it in.")
        super().open()


def make_grace() -> Path:
    """A character of the user's own that is a photo of a person."""
    return library.create_photo("Grace", FACES / "grace_hopper.jpg", consent=True).path


class NoEncoder:
    """Makes no packets."""

    has_alpha = False

    def picture(self, pixels: Any, index: int, *, key: bool = False) -> list[Encoded]:
        return []

    def sound(self, samples: Any) -> list[Encoded]:
        return []


class Studio:
    """A show on fakes, with everything that `compose` was asked for."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Without a `clock` time jumps on, and nothing is encoded: a second would be hours."""
        monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path / "config"))
        monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path / "data"))
        make_grace()
        self.file = paths.settings_file()
        self.clock = clock or FakeClock(jumps=True)
        if clock is None:
            monkeypatch.setattr(compose, "recording_encoder", lambda *_: NoEncoder())
        self.bus = Bus(self.clock.now_ns)
        self.facts = Facts(self.bus)
        self.made: dict[str, list[Any]] = {}
        self.problems: dict[str, AppError] = {}
        """Part → why it cannot be made."""

        def making(part: str, make: Any) -> Any:
            def made(*arguments: Any, **options: Any) -> Any:
                if part in self.problems:
                    raise self.problems[part]
                self.made.setdefault(part, []).append(make(*arguments, **options))
                return self.made[part][-1]

            return made

        def parts(settings: Settings, *rest: Any, **options: Any) -> compose.Parts:
            self.made["chat"], self.made["ears"], self.made["voice"] = (
                [FakeChat("One.")],
                [FakeTranscriber()],
                [FakeSynth()],
            )
            return compose.Parts(
                FakeDetector(),
                self.made["ears"][0],
                self.made["chat"][0],
                self.made["voice"][0],  # type: ignore[arg-type]
            )

        monkeypatch.setattr(compose, "line_parts", parts)
        for name, part, make in (
            ("device_microphone", "microphone", lambda chosen, clock: NamedMicrophone(chosen.hearing.device)),
            ("device_speaker", "speaker", lambda chosen, clock, tap, tell: NamedSpeaker(chosen.voice.device)),
            ("transcriber_of", "ears", lambda chosen, bus: FakeTranscriber(*["I heard you."] * 9)),
            ("chat_of", "chat", lambda chosen, character, bus: FakeChat("Two.")),
            ("voice_synth", "voice", lambda chosen, character, bus, required: FakeSynth()),
            ("start_face", "face", lambda bus, chosen, folder, stepped: FakeFace(self.problems.get("face load"))),
            ("virtual_camera", "camera", lambda chosen, scene, captions: FakeSink(chosen, captions)),
            ("memory", "memory", lambda chosen: None),
        ):
            monkeypatch.setattr(compose, name, making(part, make))
        next_face = making("face", lambda bus, chosen, folder: FakeFace(self.problems.get("face load")))
        monkeypatch.setattr(compose, "next_face", lambda bus, *rest: (next_face(bus, *rest), HeldFacts(bus)))
        monkeypatch.setattr(compose, "browser_source", lambda port: FakePage())
        monkeypatch.setattr(compose, "frame_sharing", lambda: FakePage())
        self.cables: list[bool] = []
        monkeypatch.setattr(compose, "sound_cable", self.cables.append)
        monkeypatch.setattr(compose, "browser_source", lambda port, settings, scene: FakePage())
        chosen = settings or Settings()
        self.show = show.Show(self.bus, self.clock, chosen, compose.find_character("haru"), greet=False, keys=False)

    def start(self, **options: bool) -> None:
        self.show.start(**options)
        assert self.show.wait_until_loaded(TIMEOUT_S)

    def set(self, name: str, value: Value) -> None:
        self.bus.gate.put(Configure(name, value))
        self.settle()

    def settle(self) -> None:
        assert self.show.wait_until_idle(TIMEOUT_S)
        assert self.show.wait_until_settled(TIMEOUT_S)


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(monkeypatch, tmp_path)
    made.start()
    yield made
    made.show.stop()


def refusal(studio: Studio, name: str) -> str:
    return str(studio.facts.wait("settings", "refused", name=name).data["problem"])


def test_every_setting_can_be_changed_while_it_runs_and_is_there_after_a_restart(studio: Studio) -> None:
    wanted = Settings()
    for name in setting_names():
        value = VALUES.get(name, other_value(name))
        wanted = with_value(wanted, name, value)

        studio.set(name, value)

        assert value == value_of(studio.show.settings, name), studio.facts.of("settings", "refused")
        assert value == studio.facts.wait("settings", "changed", name=name).data["value"]
    assert (wanted, None) == open_settings(studio.file)
    assert [] == studio.facts.of("settings", "refused")
    assert [] == studio.facts.of("settings", "state")


@pytest.mark.parametrize("name", setting_names())
def test_each_setting_alone_changes_nothing_else(studio: Studio, name: str) -> None:
    value = VALUES.get(name, other_value(name))

    studio.set(name, value)

    assert with_value(Settings(), name, value) == studio.show.settings == open_settings(studio.file)[0]


def test_another_brain_answers_the_next_question(studio: Studio) -> None:
    studio.set("brain.groq_model", "another")
    studio.bus.gate.put(Ask("Hello?"))

    assert "Two." == studio.facts.wait("playback", "clip_started").data["text"]
    assert 1 == studio.made["chat"][0].closed
    assert "fake brain" == studio.facts.of("llm", "state", state="ready")[-1].data["label"]


def test_a_brain_that_cannot_be_leaves_the_old_one(studio: Studio) -> None:
    studio.problems["chat"] = AppError("The settings ask for Groq, and no Groq key is set.", "Store one.")

    studio.set("brain.provider", "groq")
    studio.bus.gate.put(Ask("Hello?"))

    assert "no Groq key" in refusal(studio, "brain.provider")
    assert "One." == studio.facts.wait("playback", "clip_started").data["text"]
    assert (0, "auto") == (studio.made["chat"][0].closed, studio.show.settings.brain.provider)
    assert not studio.file.exists()


def test_another_voice_speaks_the_next_sentence(studio: Studio) -> None:
    studio.set("voice.speed", 1.5)
    studio.bus.gate.put(Ask("Hello?"))
    studio.settle()

    assert ([], ["One."]) == tuple(voice.spoken for voice in studio.made["voice"])
    assert 0 < studio.made["voice"][0].closed


def test_a_voice_that_can_speak_faster_is_not_made_anew(studio: Studio) -> None:
    speeds: list[float] = []
    studio.made["voice"][0].set_speed = speeds.append

    studio.set("voice.speed", 1.5)

    assert ([1.5], 1) == (speeds, len(studio.made["voice"]))


def test_another_whisper_hears_the_next_utterance(studio: Studio) -> None:
    studio.set("hearing.model", "base.en")
    studio.made["microphone"][0].say(silence(300), speech(800), silence(2500))

    assert "I heard you." == studio.facts.wait("stt", "transcript", typed=False).data["text"]


def test_another_microphone_is_listened_to(studio: Studio) -> None:
    studio.facts.wait("capture", "state", state="ready")

    studio.set("hearing.device", "Blue")

    old, new = studio.made["microphone"]
    assert (1, 1) == (old.closed, new.opened)
    studio.facts.wait("capture", "state", state="ready", label="Blue")


def test_a_microphone_that_cannot_be_opened_is_refused_and_the_old_one_opened_again(studio: Studio) -> None:
    studio.facts.wait("capture", "state", state="ready")

    studio.set("hearing.device", "broken")

    assert "cannot be opened" in refusal(studio, "hearing.device")
    studio.facts.wait("capture", "state", count=2, state="ready")
    assert (2, "") == (studio.made["microphone"][0].opened, studio.show.settings.hearing.device)


def test_a_microphone_is_found_again_by_its_name_after_it_was_unplugged(studio: Studio) -> None:
    studio.set("hearing.device", "Blue")
    blue = studio.made["microphone"][1]
    studio.facts.wait("capture", "state", state="ready", label="Blue")

    blue.lose()

    assert "lost" in studio.facts.wait("capture", "state", state="failed").data["problem"]
    studio.facts.wait("capture", "state", count=2, state="ready", label="Blue")
    assert 2 == blue.opened


def test_what_sounds_goes_on_from_another_loudspeaker(studio: Studio) -> None:
    studio.made["speaker"][0].instant = False
    studio.bus.gate.put(Ask("Hello?"))
    studio.made["speaker"][0].wait_for_clips(1)

    studio.bus.gate.put(Configure("voice.device", "Headphones"))

    turn = studio.facts.wait("stt", "transcript").data["turn"]
    studio.facts.wait("playback", "turn_finished", turn=turn)
    studio.settle()
    assert ["One."] == [clip.text for clip in studio.made["speaker"][1].clips]
    assert 1 == studio.made["speaker"][0].closed


def test_a_loudspeaker_that_cannot_be_opened_is_refused_and_the_old_one_plays_on(studio: Studio) -> None:
    studio.set("voice.device", "broken")
    studio.bus.gate.put(Ask("Hello?"))
    studio.settle()

    assert "cannot be opened" in refusal(studio, "voice.device")
    assert ["One."] == [clip.text for clip in studio.made["speaker"][0].clips]


def test_the_echo_is_that_of_the_loudspeaker_that_plays(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[Any] = []

    class Canceller:
        def cancel(self, block: Any) -> Any:
            return block

    def canceller(settings: Settings, speaker: Any) -> Any:
        bound.append(speaker)
        return Canceller()

    monkeypatch.setattr(compose, "echo_canceller", canceller)

    studio.set("voice.device", "Headphones")
    studio.set("hearing.device", "Blue")

    assert [studio.made["speaker"][1]] * 2 == bound


def test_another_face_takes_over_when_it_is_there(studio: Studio) -> None:
    studio.set("face.tier", "exact")

    old, new = studio.made["face"]
    assert (("close", None) in old.calls, ("close", None) in new.calls) == (True, False)
    assert studio.show.latest() is not None


def test_a_face_that_cannot_be_drawn_is_refused_and_the_old_one_stays(studio: Studio) -> None:
    studio.problems["face load"] = AppError("The folder lacks editor.pt.", "Add it.")

    studio.set("face.weights", "/nowhere")

    assert "editor.pt" in refusal(studio, "face.weights")
    old, new = studio.made["face"]
    assert (("close", None) in old.calls, ("close", None) in new.calls) == (False, True)


def test_a_phone_model_that_is_not_there_is_refused(studio: Studio) -> None:
    studio.set("lips.phonemes", "/nowhere/model")

    assert "no phone model" in refusal(studio, "lips.phonemes")
    assert 1 == len(studio.made["face"])


def test_the_mouth_is_moved_at_once(studio: Studio) -> None:
    studio.set("lips.mouth_offset_ms", 40)

    assert ("mouth_offset", 40) in studio.made["face"][0].calls


def test_the_camera_is_opened_again_for_another_size_and_rate(studio: Studio) -> None:
    studio.set("camera.on", True)
    studio.set("camera.width_px", 640)
    studio.set("face.fps", 60)

    cameras = studio.made["camera"]
    assert [False, False, True] == [camera.is_open for camera in cameras]
    assert ((640, 720), 60.0) == (cameras[-1].size, cameras[-1].fps)


def test_a_camera_that_cannot_be_opened_is_refused_and_the_old_one_goes_on(studio: Studio) -> None:
    studio.set("camera.on", True)

    studio.set("camera.device", "broken")

    assert "No virtual camera" in refusal(studio, "camera.device")
    assert (True, "") == (studio.made["camera"][-1].is_open, studio.made["camera"][-1].device)


def test_a_camera_that_was_switched_by_a_key_is_told_but_not_kept(studio: Studio) -> None:
    studio.bus.gate.put(SwitchCamera(True))

    studio.facts.wait("settings", "changed", name="camera.on", value=True)
    assert not studio.file.exists()


def test_a_character_that_was_chosen_is_there_after_a_restart(studio: Studio) -> None:
    studio.bus.gate.put(SwitchCharacter(str(compose.find_character("rei"))))

    studio.facts.wait("settings", "changed", name="face.character", value="rei")
    studio.settle()
    assert "rei" == open_settings(studio.file)[0].face.character


def test_the_next_character_comes_after_this_one_and_the_first_after_the_last(studio: Studio) -> None:
    count = len(compose.list_characters(*compose.character_roots()))
    for _ in range(count):
        studio.bus.gate.put(NextCharacter())

    studio.facts.wait("settings", "changed", count=count, name="face.character")
    studio.settle()
    loaded = [call[1] for call in studio.made["face"][0].calls if call[0] == "load"]
    assert count == len(set(loaded))
    assert "haru" == studio.show.settings.face.character


def test_who_is_on_stage_and_what_it_can_show_is_told_at_once(studio: Studio) -> None:
    assert "Haru" == studio.facts.wait("show", "character").data["name"]

    studio.bus.gate.put(SwitchCharacter("rei"))

    told = studio.facts.wait("show", "character", name="Rei").data
    assert str(compose.find_character("rei")) == told["path"]
    assert list(compose.character_of(compose.find_character("rei")).expressions) == told["expressions"]
    assert [] == studio.facts.of("avatar", "character"), "the fake face never says that it is ready"


def own_haru(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path / "data"))
    return library.own_copy(library.Entry("Haru", compose.find_character("haru"), False)).path


def asked_with(studio: Studio, text: str) -> list[str]:
    """What the brain is shown beside `text`: earlier questions and answers."""
    studio.bus.gate.put(Ask(text))
    studio.settle()
    seen = studio.made["chat"][0].asked[-1]
    return [message["content"] for message in seen if message["role"] != "system"]


def test_another_face_for_the_same_person_goes_on_with_the_talk(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing an expression of a character that comes with the app makes a copy, and the copy comes on."""
    own = own_haru(tmp_path, monkeypatch)
    save_expression(own, "victory", {"mouth_smirk": 1.0})
    asked_with(studio, "What is your name?")

    studio.bus.gate.put(SwitchCharacter(str(own)))
    assert "victory" in studio.facts.wait("show", "character", path=str(own)).data["expressions"]

    assert any("What is your name?" in each for each in asked_with(studio, "And again?"))


def test_another_persona_begins_a_new_talk(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_haru(tmp_path, monkeypatch)
    save_texts(own, Texts("Haru", "You are Haru and you whisper.", "Hi.", "", "", ""))
    asked_with(studio, "What is your name?")

    studio.bus.gate.put(SwitchCharacter(str(own)))
    studio.facts.wait("show", "character", path=str(own))

    assert not any("What is your name?" in each for each in asked_with(studio, "And again?"))


def test_a_persona_is_tried_out_with_the_stored_key_and_the_settings_in_force(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {"groq": ""}
    monkeypatch.setattr(secrets, "_stored", lambda name: stored.get(name, ""))
    studio.set("brain.provider", "groq")
    studio.bus.gate.put(TryPersona(1, "You are Mika.", "Hi"))
    assert "no Groq key" in studio.facts.wait("brain", "tried", number=1, done=True).data["problem"]

    stored["groq"] = "gsk_a_key"
    made = compose.try_out_model(studio.show.settings, "You are Mika.")

    assert studio.show.settings.brain.groq_model in made.name


def test_one_key_mutes_and_unmutes(studio: Studio) -> None:
    studio.bus.gate.put(ToggleMute())
    studio.facts.wait("settings", "changed", name="hearing.muted", value=True)
    studio.facts.wait("capture", "state", state="off")

    studio.bus.gate.put(ToggleMute())

    studio.facts.wait("settings", "changed", name="hearing.muted", value=False)
    assert not studio.file.exists()


def test_the_lip_sync_tests_result_is_kept(studio: Studio) -> None:
    studio.bus.gate.put(MouthOffset(-20))
    studio.bus.gate.put(MouthOffset(-40, keep=True))

    studio.facts.wait("settings", "changed", name="lips.mouth_offset_ms", value=-20)
    studio.facts.wait("settings", "changed", name="lips.mouth_offset_ms", value=-40)
    studio.settle()
    assert -40 == open_settings(studio.file)[0].lips.mouth_offset_ms


def test_what_a_start_argument_changes_is_told_and_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    studio = Studio(monkeypatch, tmp_path, with_value(Settings(), "face.character", "rei"))
    try:
        studio.start(muted=True, camera_on=True)

        for name, value in (("hearing.muted", True), ("camera.on", True), ("face.character", "haru")):
            studio.facts.wait("settings", "changed", name=name, value=value)
        assert not studio.file.exists()
    finally:
        studio.show.stop()


def test_a_camera_that_was_on_is_waited_for_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted = with_value(with_value(Settings(), "camera.on", True), "camera.device", "broken")
    studio = Studio(monkeypatch, tmp_path, wanted)
    try:
        studio.start(camera_on=True)

        waiting = studio.facts.wait("camera", "state", problem="No virtual camera could be opened.")
        assert ("starting", "Install one.") == (waiting.data["state"], waiting.data["remedy"])
        studio.set("camera.device", "")
        studio.facts.wait("camera", "state", state="ready")
        assert studio.show.settings.camera.on
    finally:
        studio.show.stop()


def test_the_test_card_is_shown_until_it_is_taken_away_or_panic_comes(studio: Studio) -> None:
    studio.bus.gate.put(ShowTestCard(True))
    studio.facts.wait("show", "test_card", on=True)
    studio.set("stage.zoom", 2.0)  # other settings of the stage leave it
    assert 1 == len(studio.facts.of("show", "test_card"))

    studio.bus.gate.put(Panic(True))

    studio.facts.wait("show", "test_card", on=False)


@pytest.mark.skipif(Typefaces().fallback is None, reason="this machine has no fonts")
def test_captions_are_drawn_on_the_picture_while_they_are_wanted(studio: Studio) -> None:
    studio.set("camera.on", True)
    studio.set("captions.picture", True)
    captions = studio.made["camera"][-1].captions
    assert captions(640, 360) is None
    told = threading.Event()
    studio.show._captions.add(lambda *_: told.set())  # after those who draw

    studio.bus.emit("playback", "caption", turn=1, index=0, text="Hello", heard=5)

    assert told.wait(TIMEOUT_S)
    assert captions(640, 360) is not None
    studio.set("captions.picture", False)
    assert captions(640, 360) is None


def test_a_file_that_was_damaged_meanwhile_is_not_written_over(studio: Studio) -> None:
    keep_setting(studio.file, "voice.speed", 1.2)
    studio.file.write_text("[voice\n", encoding="utf-8")

    studio.set("window.theme", "dark")

    assert "dark" == studio.show.settings.window.theme
    assert "could not be kept" in studio.facts.wait("settings", "state", state="failed").data["problem"]
    assert "[voice\n" == studio.file.read_text(encoding="utf-8")


def test_a_key_that_was_stored_is_used_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(secrets, "look_again", lambda: asked.append("again"))

    studio.bus.gate.put(SecretChanged("groq"))
    studio.settle()

    assert (["again"], 2) == (asked, len(studio.made["chat"]))


def test_each_provider_of_the_settings_is_tested(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [
        compose.brain.ProviderReport("Groq", "gpt-oss", True, 80.0, 210.0),
        compose.brain.ProviderReport("local", "SmolLM2", False, problem="It is gone.", remedy="Fetch it."),
    ]
    monkeypatch.setattr(compose, "ask_brain", lambda settings, clock, say: [say(report) for report in reports])

    studio.bus.gate.put(TestBrain())

    good = studio.facts.wait("brain", "tested", provider="Groq").data
    assert (True, 80.0, 210.0, "") == (good["ok"], good["round_trip_ms"], good["first_token_ms"], good["detail"])
    bad = studio.facts.wait("brain", "tested", provider="local").data
    assert (False, "It is gone. Fetch it.") == (bad["ok"], bad["detail"])


def test_a_face_is_measured_and_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    speed = compose.FaceSpeed("exact", 41.5, "CPU")
    monkeypatch.setattr(compose, "measure_face", lambda settings, folder, tier, clock, bus: speed)

    studio.bus.gate.put(TestFace("exact"))

    assert {"tier": "exact", "fps": 41.5, "device": "CPU", "problem": ""} == studio.facts.wait("avatar", "tested").data


def test_the_devices_that_are_there_now_are_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compose.Devices(("Blue",), ("Headphones", "CABLE Input"), ("/dev/video10",), ("CABLE Input",))
    monkeypatch.setattr(compose, "devices", lambda: found)

    studio.bus.gate.put(ListDevices())

    told = studio.facts.wait("devices", "list").data
    assert (["Blue"], ["Headphones", "CABLE Input"], ["/dev/video10"], ["CABLE Input"]) == tuple(told.values())


def test_a_volume_is_in_force_without_opening_a_device_anew(studio: Studio) -> None:
    volumes: list[tuple[str, float]] = []
    studio.made["speaker"][0].set_volume = lambda part, volume: volumes.append((part, volume))

    studio.set("sound.headphones_volume", 0.4)

    assert [("headphones", 0.4), ("stream", 1.0)] == volumes
    assert 1 == len(studio.made["speaker"])


def test_a_stream_is_opened_when_it_is_switched_on(studio: Studio) -> None:
    studio.set("sound.stream", True)

    assert (2, 1) == (len(studio.made["speaker"]), studio.made["speaker"][0].closed)


def test_the_apps_own_cable_is_there_while_it_is_wanted_and_the_app_runs(studio: Studio) -> None:
    studio.set("sound.cable", True)
    assert [True] == studio.cables

    studio.show.stop()

    assert [True, False] == studio.cables


def test_a_sound_device_that_is_lost_and_back_is_told(studio: Studio) -> None:
    report = studio.show._sound_report
    plays = SoundStatus("headphones", "Blue", True, "", "", -60.0, None, 0, 0)

    report([dataclasses.replace(plays, problem="It was lost.", remedy="Plug it in.")])
    report([dataclasses.replace(plays, problem="It was lost.", remedy="Plug it in.", gaps=1)])
    report([plays])

    states = [fact.data["state"] for fact in studio.facts.of("sound", "state")]
    assert ["failed", "ready"] == states
    assert 3 == len(studio.facts.of("sound", "status"))


def test_whoever_owns_a_table_may_refuse_its_values(studio: Studio) -> None:
    def apply(old: Settings, new: Settings) -> None:
        raise AppError("Ctrl+Alt+Q is taken by another action.", "Choose another key.")

    studio.show.route(("keys",), apply)

    studio.set("keys.bindings.talk", "Ctrl+Alt+Q")

    assert "taken" in refusal(studio, "keys.bindings.talk")


@pytest.mark.parametrize(
    ("action", "keys", "says"),
    [
        ("talk", "Ctrl+Alt+Nokey", "no key called"),
        ("talk", "C", "alone"),
        ("fly", "F9", "No key can do"),
        ("mute", "F9", ""),
    ],
)
def test_what_is_no_key_or_no_action_is_refused(studio: Studio, action: str, keys: str, says: str) -> None:
    studio.set(f"keys.bindings.{action}", keys)

    if says:
        assert says in refusal(studio, f"keys.bindings.{action}")
    assert (keys == "F9" and action == "mute") == (studio.show.settings.keys.bindings.get(action) == keys)


def test_mute_stays_over_a_change_of_the_microphone(studio: Studio) -> None:
    studio.bus.gate.put(Mute(True))

    studio.set("hearing.device", "Blue")

    assert "Blue" == studio.facts.wait("capture", "state", state="off", label="Blue").data["label"]


def test_nothing_is_left_running_after_the_end(studio: Studio) -> None:
    studio.set("voice.speed", 1.5)

    studio.show.stop()

    left = [thread.name for thread in threading.enumerate() if thread.name.startswith(("line-", "settings-"))]
    assert [] == [name for name in left if not name.startswith("settings-")]
    assert 0 < studio.made["voice"][-1].closed


def test_a_recording_is_made_by_command_and_kept_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    studio = Studio(monkeypatch, tmp_path, clock=SystemClock())
    studio.start()
    studio.set("recording.folder", str(tmp_path / "kept"))
    studio.bus.gate.put(Record(True))
    path = Path(str(studio.facts.wait("recording", "status", on=True).data["path"]))
    studio.facts.wait("camera", "frames")
    studio.bus.gate.put(Screenshot())
    studio.facts.wait("recording", "saved", kind="screenshot")
    studio.bus.gate.put(ToggleRecording())
    saved = studio.facts.wait("recording", "saved", kind="recording", path=str(path))
    studio.show.stop()

    assert tmp_path / "kept" == path.parent
    assert ["mp4", "png"] == sorted(each.suffix[1:] for each in path.parent.iterdir())
    assert 0.9 < saved.data["duration_s"] < TIMEOUT_S


def test_a_folder_for_recordings_that_cannot_be_is_refused(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    studio.set("recording.folder", str(tmp_path / "file" / "inside"))

    assert "Recordings cannot be kept" in refusal(studio, "recording.folder")
    assert "" == studio.show.settings.recording.folder


def test_the_last_seconds_are_held_while_the_settings_want_it(studio: Studio) -> None:
    studio.bus.gate.put(SaveReplay())
    assert "not being held" in str(studio.facts.wait("recording", "state", state="failed").data["problem"])

    studio.set("recording.replay", True)
    assert studio.facts.wait("recording", "status", replay=True)
    studio.set("recording.replay", False)
    assert not studio.facts.of("recording", "status")[-1].data["replay"]


def test_sharing_that_cannot_be_is_refused_and_the_show_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_sharing() -> Any:
        raise AppError("Spout is only on Windows, and Syphon only on macOS.", "Use the browser source.")

    monkeypatch.setattr(compose, "frame_sharing", no_sharing)
    studio.set("sharing.on", True)

    assert "only on Windows" in refusal(studio, "sharing.on")
    assert not studio.show.settings.sharing.on
    studio.bus.gate.put(Ask("Hello?"))
    studio.facts.wait("playback", "clip_started")


def test_a_settings_file_that_asks_for_sharing_where_it_cannot_be_is_told_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    studio = Studio(monkeypatch, tmp_path, with_value(Settings(), "sharing.on", True))

    def no_sharing() -> Any:
        raise AppError("Spout is only on Windows, and Syphon only on macOS.", "Use the browser source.")

    monkeypatch.setattr(compose, "frame_sharing", no_sharing)
    studio.start()
    try:
        said = studio.facts.wait("sharing", "status", on=False)
        assert "only on Windows" in said.data["problem"]
        told = studio.facts.wait("gate", "state", state="failed")
        assert "only on Windows" in told.data["problem"]
        studio.bus.gate.put(Ask("Hello?"))
        studio.facts.wait("playback", "clip_started")
    finally:
        studio.show.stop()
