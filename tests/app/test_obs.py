"""OBS in one click against the real OBS Studio: what is made, what it shows, that it comes back, and that it can go."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from Xlib import display

from app.backends.obs_websocket import ObsWebSocket
from app.bus import Bus
from app.cli import main
from app.errors import AppError, ServiceError
from app.obs import ObsRuntime, SettingsFeeds, Studio
from app.policy.obs_plan import CAPTIONS, PICTURE, SCENE, Way
from app.settings import ObsSettings, Settings, Value, with_value
from tests.fakes import Facts
from tests.loopback import LoopbackServer, QuietHandler
from tests.obs_rig import CANVAS, PASSWORD, Obs, running_obs

pytestmark = [pytest.mark.obs, pytest.mark.timeout(180)]

RED, BLUE = (200, 0, 0), (0, 0, 200)


class Pictures(LoopbackServer):
    """A Motion JPEG stream of one colour on the left and another on the right, until released."""

    def __init__(self) -> None:
        super().__init__()
        pixels = np.zeros((256, 256, 3), np.uint8)
        pixels[:, :128], pixels[:, 128:] = RED, BLUE
        encoded = io.BytesIO()
        Image.fromarray(pixels).save(encoded, "jpeg", quality=95, subsampling=0)
        part = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + encoded.getvalue() + b"\r\n"
        released = self.released

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not released.wait(0.04):
                        self.wfile.write(part)
                except OSError:
                    self.close_connection = True

        handler: type[BaseHTTPRequestHandler] = Handler
        self.serve(handler)


class App:
    """What of the app OBS is set up by: settings in force, and an address that the test owns."""

    def __init__(self, folder: Path, address: str, settings: Settings | None = None) -> None:
        self.address = address
        self.settings = settings or Settings()
        self.ticks = 0
        self.bus = Bus(lambda: 0)
        self.facts = Facts(self.bus)
        self.feeds = SettingsFeeds(
            lambda: self.settings,
            self.change,
            self._address,
            lambda: "",
            str(folder / "captions.txt"),
            ("Kuchipaku",),
        )

    def _address(self, settings: Settings, way: Way) -> str:
        return self.address

    def change(self, name: str, value: Value) -> None:
        self.settings = with_value(self.settings, name, value)
        self.bus.emit("settings", "changed", name=name, value=value)

    def runtime(self, obs: Obs) -> ObsRuntime:
        def link(settings: Settings, on_event: Any, on_lost: Any) -> ObsWebSocket:
            return ObsWebSocket(obs.port, [PASSWORD], None, on_event, on_lost)

        return ObsRuntime(self.bus, lambda: self.settings, self.change, link, self.feeds, first_wait_s=0.05, look_s=0.5)

    def states(self) -> list[str]:
        return [fact.data["state"] for fact in self.facts.all if fact.stage == "obs"]


@pytest.fixture
def obs(tmp_path: Path) -> Iterator[Obs]:
    with running_obs(tmp_path / "obs") as obs:
        yield obs


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(tmp_path, "http://127.0.0.1:9/nobody")


@pytest.fixture
def studio(obs: Obs, app: App) -> Iterator[Studio]:
    link = ObsWebSocket(obs.port, [PASSWORD], None, lambda kind, data: None, lambda: None)
    link.connect()
    yield Studio(link, app.feeds)
    link.close()


@pytest.fixture
def runtime(obs: Obs, app: App) -> Iterator[ObsRuntime]:
    runtime = app.runtime(obs)
    runtime.start()
    yield runtime
    runtime.stop()


def sources(obs: Obs, scene: str = SCENE) -> list[str]:
    return [item["sourceName"] for item in obs.ask("GetSceneItemList", sceneName=scene)["sceneItems"]]


def test_obs_shows_the_picture_on_the_whole_canvas_and_it_is_the_one_that_was_sent(
    obs: Obs, studio: Studio, app: App, tmp_path: Path
) -> None:
    with Pictures() as pictures:
        app.address = f"{pictures.root}/picture"

        made = studio.set_up("auto", False)
        picture = obs.wait_picture(SCENE, lambda pixels: pixels[180, 260, 0] > 150)
        pictures.released.set()

    Image.fromarray(picture).save(tmp_path / "scene.png")
    assert ("stream", (PICTURE,)) == (made.mark.way, made.names)
    assert SCENE == obs.ask("GetSceneList")["currentProgramSceneName"]
    width, height = CANVAS
    assert (height, width) == picture.shape[:2]
    left, right = (width - height) // 2, (width + height) // 2  # a square in the middle, as high as the canvas
    for x, y, colour in ((left + 4, 4, RED), (left + 4, height - 4, RED), (right - 4, height - 4, BLUE)):
        assert np.abs(picture[y, x, :3].astype(int) - colour).max() <= 8, (x, y, picture[y, x])
    assert 0 == picture[:, : left - 4, :3].max()


def test_undoing_leaves_everything_as_it_was(obs: Obs, studio: Studio, app: App) -> None:
    before, settings = obs.state(), app.settings

    studio.set_up("auto", True)
    assert {PICTURE, CAPTIONS} == set(sources(obs))
    assert app.settings.browser.on
    assert app.settings.captions.file
    undone = studio.undo()

    assert undone is not None
    obs.wait_state(before)
    assert settings == app.settings
    assert None is studio.undo()


def test_after_undoing_nothing_of_ours_is_in_the_file_that_obs_keeps(obs: Obs, studio: Studio) -> None:
    studio.set_up("auto", True)
    studio.undo()

    obs.close_window()

    kept = (obs.home / ".config/obs-studio/basic/scenes/tests.json").read_text()
    assert "my colour" in kept
    assert "uchipaku" not in kept
    assert "mine" == json.loads(kept)["current_program_scene"]


def test_setting_up_again_makes_nothing_twice_and_leaves_the_place_that_the_user_has_given(
    obs: Obs, studio: Studio
) -> None:
    studio.set_up("auto", False)
    item = obs.ask("GetSceneItemId", sceneName=SCENE, sourceName=PICTURE)["sceneItemId"]
    moved = {"positionX": 77.0}
    obs.ask("SetSceneItemTransform", sceneName=SCENE, sceneItemId=item, sceneItemTransform=moved)

    again = studio.set_up("auto", False)

    assert [PICTURE] == sources(obs)
    place = obs.ask("GetSceneItemTransform", sceneName=SCENE, sceneItemId=item)["sceneItemTransform"]
    assert 77.0 == place["positionX"]
    assert ("mine", True) == (again.mark.scene_before, again.mark.scene_made)


def test_a_source_of_the_users_with_our_name_is_neither_taken_nor_removed(obs: Obs, studio: Studio) -> None:
    obs.ask("CreateInput", sceneName="mine", inputName=PICTURE, inputKind="color_source_v3", inputSettings={"color": 5})
    before = obs.state()

    with pytest.raises(AppError, match="was not made by this app"):
        studio.set_up("stream", False)

    obs.wait_state(before)
    assert None is studio.undo()
    obs.wait_state(before)


def test_what_the_user_has_put_into_our_scene_stays_with_the_scene(obs: Obs, studio: Studio) -> None:
    studio.set_up("auto", False)
    obs.ask("CreateSceneItem", sceneName=SCENE, sourceName="my colour")

    undone = studio.undo()

    assert undone is not None
    assert ["my colour"] == sources(obs)
    assert "something of yours" in undone.notes[0]


def test_a_scene_of_the_users_with_our_name_is_used_and_stays(obs: Obs, studio: Studio) -> None:
    obs.ask("CreateScene", sceneName=SCENE)
    before = obs.state()

    studio.set_up("auto", False)
    assert [PICTURE] == sources(obs)
    studio.undo()

    obs.wait_state(before)


def test_while_obs_records_the_programme_is_left_alone(obs: Obs, studio: Studio) -> None:
    home = str(obs.home)
    obs.ask("SetProfileParameter", parameterCategory="SimpleOutput", parameterName="FilePath", parameterValue=home)
    obs.ask("StartRecord")
    while not obs.ask("GetRecordStatus")["outputActive"]:
        threading.Event().wait(0.05)

    studio.set_up("auto", False)

    assert "mine" == obs.ask("GetSceneList")["currentProgramSceneName"]
    obs.ask("StopRecord")


def test_a_way_that_this_obs_does_not_have_is_said_and_a_window_that_is_not_there_leaves_nothing(
    obs: Obs, studio: Studio
) -> None:
    before = obs.state()

    with pytest.raises(AppError, match="no source for the way “browser”"):
        studio.set_up("browser", False)
    with pytest.raises(AppError, match="does not see “Kuchipaku”"):
        studio.set_up("window", False)

    obs.wait_state(before)


def test_the_window_is_found_by_its_title_among_others(obs: Obs, studio: Studio) -> None:
    screen = display.Display(obs.environment["DISPLAY"])
    try:
        for title in ("Kuchipaku - a page about it", "Kuchipaku"):
            window = screen.screen().root.create_window(0, 0, 320, 240, 0, screen.screen().root_depth)
            window.set_wm_name(title)
            window.set_wm_class("test", title)
            window.map()
            screen.sync()
        obs.wait_window("Kuchipaku")

        made = studio.set_up("window", False)

        held = obs.ask("GetInputSettings", inputName=PICTURE)["inputSettings"]["capture_window"]
        assert ("window", "Kuchipaku") == (made.mark.way, held.split("\r\n")[1])
    finally:
        screen.close()


def test_a_screen_capture_in_our_scene_is_warned_of(obs: Obs, studio: Studio) -> None:
    studio.set_up("auto", False)
    obs.ask("CreateInput", sceneName=SCENE, inputName="my screen", inputKind="xshm_input", inputSettings={})

    made = studio.set_up("auto", False)

    assert [("display", "my screen")] == [(warned.code, warned.source) for warned in made.warnings]


def test_it_comes_back_after_obs_was_killed_and_is_not_made_twice(obs: Obs, app: App, runtime: ObsRuntime) -> None:
    runtime.set_up()
    app.facts.wait("obs", "status", state="ready")
    assert app.settings.obs.on

    obs.kill()
    app.facts.wait("obs", "status", state="searching")
    app.facts.all.clear()
    obs.start()
    app.facts.wait("obs", "status", state="ready")

    assert [PICTURE] == sources(obs)
    assert "failed" not in app.states()


def test_it_comes_back_after_obs_was_closed_and_has_the_address_of_today(
    obs: Obs, app: App, runtime: ObsRuntime
) -> None:
    runtime.set_up()
    app.facts.wait("obs", "status", state="ready")

    obs.close_window()
    app.facts.wait("obs", "status", state="searching")
    app.address = "http://127.0.0.1:9/another"
    app.facts.all.clear()
    obs.start()
    app.facts.wait("obs", "status", state="ready")

    assert "http://127.0.0.1:9/another" == obs.ask("GetInputSettings", inputName=PICTURE)["inputSettings"]["input"]
    assert [PICTURE] == sources(obs)


def test_what_the_user_removes_in_obs_does_not_come_back_by_itself(obs: Obs, app: App, runtime: ObsRuntime) -> None:
    runtime.set_up()
    app.facts.wait("obs", "status", state="ready")
    obs.ask("RemoveInput", inputName=PICTURE)
    app.facts.wait("obs", "status", state="connected")

    obs.close_window()
    app.facts.wait("obs", "status", state="searching")
    app.facts.all.clear()
    obs.start()
    app.facts.wait("obs", "status", state="connected")

    assert [] == sources(obs)


def test_what_was_set_up_is_undone_by_another_run_of_the_app(obs: Obs, app: App, tmp_path: Path) -> None:
    before = obs.state()
    first = app.runtime(obs)
    first.start()
    first.set_up()
    app.facts.wait("obs", "status", state="ready")
    first.stop()

    later = App(tmp_path, app.address, app.settings)
    second = later.runtime(obs)
    second.start()
    later.facts.wait("obs", "status", state="ready")
    second.undo()
    later.facts.wait("obs", "status", state="undone")
    second.stop()

    obs.wait_state(before)
    assert not later.settings.obs.on
    assert not later.settings.browser.on


def test_an_obs_that_dies_in_the_middle_is_set_up_when_it_is_back(obs: Obs, app: App) -> None:
    class Dying(ObsWebSocket):
        def ask(self, request: str, **data: Any) -> dict[str, Any]:
            if request == "CreateInput" and not died.is_set():
                died.set()
                obs.kill()
            return super().ask(request, **data)

    died = threading.Event()
    runtime = ObsRuntime(
        app.bus,
        lambda: app.settings,
        app.change,
        lambda settings, on_event, on_lost: Dying(obs.port, [PASSWORD], None, on_event, on_lost),
        app.feeds,
        first_wait_s=0.05,
    )
    runtime.start()
    runtime.set_up()
    app.facts.wait("obs", "status", state="searching")
    obs.start()
    app.facts.wait("obs", "status", state="ready")
    runtime.stop()

    assert [PICTURE] == sources(obs)


def test_what_is_asked_for_while_obs_is_away_is_done_when_it_comes(obs: Obs, app: App) -> None:
    obs.kill()
    app.settings = Settings(obs=ObsSettings(on=True))
    runtime = app.runtime(obs)
    runtime.start()
    app.facts.wait("obs", "status", state="searching")
    runtime.set_up()
    app.facts.wait("obs", "status", state="searching", count=2)

    obs.start()
    app.facts.wait("obs", "status", state="ready")
    runtime.stop()

    assert [PICTURE] == sources(obs)


def test_without_being_asked_to_stay_connected_an_obs_that_is_away_is_said(obs: Obs, app: App) -> None:
    obs.kill()
    runtime = app.runtime(obs)
    runtime.start()

    runtime.set_up()
    said = app.facts.wait("obs", "status", state="failed")
    runtime.stop()

    assert "OBS is not running" in said.data["problem"]
    assert "Start OBS." in said.data["remedy"]


def test_a_wrong_password_is_asked_for_and_not_tried_again_and_again(obs: Obs, app: App) -> None:
    tried: list[int] = []

    def link(settings: Settings, on_event: Any, on_lost: Any) -> ObsWebSocket:
        tried.append(1)
        return ObsWebSocket(obs.port, ["wrong"], None, on_event, on_lost)

    app.settings = Settings(obs=ObsSettings(on=True))
    runtime = ObsRuntime(app.bus, lambda: app.settings, app.change, link, app.feeds, first_wait_s=0.01)
    runtime.start()
    said = app.facts.wait("obs", "status", state="failed")
    runtime.set_up()
    app.facts.wait("obs", "status", state="working")
    runtime.stop()

    assert said.data["needs_password"]
    assert 2 >= len(tried)
    assert "wrong" not in str(app.facts.all)


def test_the_commands_set_up_tell_and_undo(
    obs: Obs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(obs.home / ".config"))  # the password is found there
    monkeypatch.setattr("app.compose._obs_address", lambda settings, way: "http://127.0.0.1:9/x?token=t")
    before = obs.state()

    assert 1 == main(["obs", "status"])
    assert 0 == main(["obs", "setup", "--way", "stream"])
    assert 0 == main(["obs", "status"])
    assert 0 == main(["obs", "undo"])
    assert 1 == main(["obs", "undo"])

    said = capsys.readouterr().out
    assert "Set up by the way “stream”: Kuchipaku character." in said
    assert "browser.on was switched on" in said
    assert "token" not in said
    obs.wait_state(before)


def test_a_refused_step_is_no_lost_connection(obs: Obs) -> None:
    with pytest.raises(ServiceError) as error:
        obs.ask("GetInputSettings", inputName="nothing of this name")
    assert "refused" == error.value.kind
