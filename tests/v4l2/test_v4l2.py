"""The app's own camera on a real `/dev/video`, read back by ffmpeg and OpenCV.

One boot of a small virtual machine (`machine.py`) plays all scenes (`inside.py`); the tests judge what came of each.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app import test_card
from tests.v4l2 import machine

pytestmark = [pytest.mark.v4l2, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    try:
        kernel = machine.build()
    except machine.NotPossible as error:
        pytest.skip(str(error))
    job = tmp_path_factory.mktemp("job")
    outcome = machine.run(kernel, [sys.executable, "tests/v4l2/inside.py", "/job"], job)
    assert 0 == outcome.status, outcome.output[-4000:]
    found: dict[str, Any] = json.loads((Path(job) / "results.json").read_text("utf-8"))
    return found


def scene(results: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = results[name]
    assert "error" not in found, found["error"]
    return found


def assert_in_order(numbers: list[int], skipped: int) -> None:
    """Frame for frame: none twice, none out of order, and no more than so many that the slow viewer missed."""
    steps = [later - earlier for earlier, later in itertools.pairwise(numbers)]
    assert min(steps) >= 1, numbers
    assert sum(steps) - len(steps) <= skipped, numbers


def test_every_byte_of_the_character_and_its_captions_arrives(results: dict[str, Any]) -> None:
    found = scene(results, "the_character_with_captions")

    assert "Camera: /dev/video10" == found["device"]
    assert found["caption"]
    assert 0 == found["worst"]
    assert 30 == len(found["numbers"])
    assert_in_order(found["numbers"], skipped=10)


def test_opencv_sees_the_same_picture(results: dict[str, Any]) -> None:
    assert {"got": 5, "size": [1280, 720], "worst": 0} == scene(results, "the_character_with_captions")["opencv"]


def test_a_viewer_that_reads_a_webcam_by_bt709_sees_the_test_cards_colours(results: dict[str, Any]) -> None:
    found = scene(results, "the_colours_of_the_test_card")

    for expected, seen in zip(test_card.BARS, found["bars"], strict=True):
        assert seen == pytest.approx(expected, abs=2)
    assert_in_order(found["numbers"], skipped=10)


def test_be_right_back_is_seen_and_the_character_after_it(results: dict[str, Any]) -> None:
    assert {"worst": 0, "after": 0} == scene(results, "be_right_back_and_back")


def test_a_viewer_that_was_killed_and_comes_back_sees_the_picture_and_nobody_notices(results: dict[str, Any]) -> None:
    found = scene(results, "a_viewer_that_is_killed")

    assert {"before": 0, "after": 0, "states": ["starting", "ready"]} == found


def test_a_camera_that_another_program_has_is_taken_up_once_it_is_free(results: dict[str, Any]) -> None:
    found = scene(results, "a_camera_that_another_program_has")

    assert "Another program sends to the virtual camera /dev/video11. It is open in ffmpeg." == found["refused"]
    assert found["refused"] == found["problem"]
    assert "choose another device" in found["remedy"]
    assert 0 == found["worst"]


@pytest.mark.parametrize("size", ["512x512", "1920x1080"])
def test_every_size_arrives_byte_for_byte(size: str, results: dict[str, Any]) -> None:
    assert 0 == scene(results, "other_sizes")[size]


def test_a_camera_that_is_taken_away_is_missed_and_taken_up_again(results: dict[str, Any]) -> None:
    found = scene(results, "cameras_that_are_taken_away_and_come_back")

    assert 0 != found["in_use"]  # the kernel keeps the module while somebody sends
    assert "/dev/video10" in found["lost"]["problem"]
    assert "starting" == found["lost"]["state"]
    assert "Camera: /dev/video10" == found["again"]


def test_a_module_that_is_loaded_later_is_found_without_being_asked_for(results: dict[str, Any]) -> None:
    found = scene(results, "cameras_that_are_taken_away_and_come_back")

    assert "sudo modprobe v4l2loopback" in found["missing"]["remedy"]
    assert "Camera: /dev/video10" == found["back"]
    assert 0 == found["worst"]


def test_nothing_is_left_open_by_a_camera_that_is_asked_for_in_vain(results: dict[str, Any]) -> None:
    found = scene(results, "a_camera_that_another_program_has")

    assert found["open_files"] <= 0
