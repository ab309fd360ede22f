"""The real show and the real OBS: what the button asks for is done, and undone."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.clock import SystemClock
from app import compose, paths
from app.bus import Bus
from app.messages import SetUpObs, UndoObs
from app.policy.obs_plan import PICTURE, SCENE
from app.settings import BrowserSettings, KeySettings, ObsSettings, Settings, load_settings
from app.show import Show
from tests.fakes import Facts, FakeMicrophone
from tests.obs_rig import running_obs

pytestmark = [pytest.mark.slow, pytest.mark.obs]


def is_face(pixels: np.ndarray) -> bool:
    """Somebody stands in the middle of the canvas, on its lower edge, with nothing beside."""
    height, width = pixels.shape[:2]
    middle, edge = pixels[:, width // 2, 3], pixels[:, : width // 8, 3]
    return bool((middle[height // 2 :] == 255).all() and not edge.any() and pixels[..., :3].std() > 20)


def test_the_button_sets_obs_up_and_takes_it_back(
    baked_haru: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path / "config"))
    with running_obs(tmp_path / "obs") as obs:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(obs.home / ".config"))  # its password is found there
        before = obs.state()
        clock = SystemClock()
        bus = Bus(clock.now_ns)
        facts = Facts(bus)
        settings = Settings(
            keys=KeySettings(on=False),
            browser=BrowserSettings(port=port),
            obs=ObsSettings(way="stream"),  # Debian's OBS has no browser source
        )
        show = Show(
            bus,
            clock,
            settings,
            compose.find_character("haru"),
            microphone=FakeMicrophone(),
            speaker=compose.null_speaker(clock),
            greet=False,
        )
        try:
            show.start()
            bus.gate.put(SetUpObs())
            facts.wait("obs", "status", state="ready")
            held = obs.ask("GetInputSettings", inputName=PICTURE)["inputSettings"]
            kept = load_settings(paths.settings_file())
            assert held["input"].startswith(f"http://127.0.0.1:{port}/")
            assert (True, True) == (kept.obs.on, kept.browser.on)
            assert SCENE == obs.ask("GetSceneList")["currentProgramSceneName"]

            face = obs.wait_picture(SCENE, is_face)
            Image.fromarray(face).save(tmp_path / "scene.png")

            bus.gate.put(UndoObs())
            facts.wait("obs", "status", state="undone")
            obs.wait_state(before)
            assert (False, False) == (show.settings.obs.on, show.settings.browser.on)
        finally:
            show.stop()
    token = held["input"].partition("token=")[2]
    assert token
    assert not [fact for fact in facts.all if token in str(fact.data)]
