"""What is set up in OBS: which way, which source, of what size, and which loops are warned of."""

from __future__ import annotations

import pytest

from app.policy import obs_plan
from app.policy.obs_plan import Choice, Feed, Mark, Warned

DEBIAN = ["image_source", "xcomposite_input", "xshm_input", "v4l2_input", "ffmpeg_source", "text_ft2_source_v2"]
WINDOWS = ["browser_source", "ffmpeg_source", "dshow_input", "window_capture", "monitor_capture", "text_gdiplus_v3"]
MACOS = ["browser_source", "av_capture_input_v2", "macos-avcapture", "screen_capture", "text_ft2_source_v2"]


@pytest.mark.parametrize(
    ("chosen", "kinds", "expected"),
    [
        ("auto", WINDOWS, ("browser", "stream", "camera", "window")),
        ("auto", DEBIAN, ("stream", "camera", "window")),
        ("camera", MACOS, ("camera",)),
        ("browser", DEBIAN, ()),
    ],
)
def test_the_best_way_that_this_obs_knows_is_tried_first(chosen: str, kinds: list[str], expected: tuple[str]) -> None:
    assert expected == obs_plan.ways(chosen, kinds)


def test_the_newest_kind_of_a_source_is_taken_and_the_one_of_the_system() -> None:
    assert "dshow_input" == obs_plan.kind_of("camera", WINDOWS)
    assert "macos-avcapture" == obs_plan.kind_of("camera", MACOS)
    assert "av_capture_input_v2" == obs_plan.kind_of("camera", ["av_capture_input", "av_capture_input_v2"])


def test_the_page_is_as_large_as_the_face_and_larger_where_words_are_to_be_read() -> None:
    plain = obs_plan.picture(Feed("browser", "http://127.0.0.1:1/?token=t"), "browser_source", 1920, 1080)
    worded = obs_plan.picture(Feed("browser", "http://127.0.0.1:1/", page_captions=True), "browser_source", 1920, 1080)

    assert ("http://127.0.0.1:1/?token=t", 512, 512) == tuple(plain.settings[key] for key in ("url", "width", "height"))
    assert 720 == worded.settings["height"]


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
def test_the_picture_fills_the_canvas_without_being_cut_and_stands_on_its_edge(size: tuple[int, int]) -> None:
    place = obs_plan.picture(Feed("stream", "http://x"), "ffmpeg_source", *size).place

    assert (*size, "OBS_BOUNDS_SCALE_INNER") == (place["boundsWidth"], place["boundsHeight"], place["boundsType"])
    assert (0.0, 0.0, 8) == (place["positionX"], place["positionY"], place["boundsAlignment"])


@pytest.mark.parametrize("kind", [kind for kinds in obs_plan.KINDS.values() for kind in kinds])
def test_every_kind_that_is_planned_has_its_settings(kind: str) -> None:
    way = next(way for way, kinds in obs_plan.KINDS.items() if kind in kinds)
    settings, choice = obs_plan.picture_settings(Feed(way, "http://x", "/dev/video10", ("Kuchipaku",)), kind)

    assert settings or choice


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Kuchipaku", True),
        ("[python.exe]: Kuchipaku", True),
        ("[Python] Kuchipaku", True),
        ("How to install Kuchipaku - Browser", False),
        ("OBS 30.2.3 - Scenes: Kuchipaku", False),
    ],
)
def test_the_window_is_known_by_its_whole_title(name: str, wanted: bool) -> None:
    items = [{"itemName": "Something", "itemValue": "1"}, {"itemName": name, "itemValue": "2"}]

    assert ("2" if wanted else None) == obs_plan.chosen_item(Choice("window", ("Kuchipaku",)), items)


def test_the_window_without_a_frame_is_preferred() -> None:
    items = [{"itemName": "Kuchipaku", "itemValue": "1"}, {"itemName": "Kuchipaku mini view", "itemValue": "2"}]

    assert "2" == obs_plan.chosen_item(Choice("window", ("Kuchipaku mini view", "Kuchipaku")), items)


def test_a_camera_is_known_by_its_device_or_by_its_name() -> None:
    linux = [{"itemName": "Kuchipaku (platform:v4l2loopback-000)", "itemValue": "/dev/video10"}]
    windows = [{"itemName": "Unity Video Capture", "itemValue": "Unity Video Capture:id"}]

    assert "/dev/video10" == obs_plan.chosen_item(Choice("device_id", ("/dev/video10",)), linux)
    assert "Unity Video Capture:id" == obs_plan.chosen_item(Choice("device", ("Unity Video Capture",)), windows)


def test_a_screen_capture_beside_the_picture_is_warned_of_and_our_own_window_capture_is_not() -> None:
    inputs = [(obs_plan.PICTURE, "screen_capture"), ("my screen", "monitor_capture"), ("me", "dshow_input")]

    assert (Warned("display", "my screen"),) == obs_plan.warnings(Feed("window"), inputs)


def test_obs_showing_its_own_camera_is_warned_of() -> None:
    assert (Warned("obs_camera", "OBS Virtual Camera"),) == obs_plan.warnings(
        Feed("camera", device="OBS Virtual Camera"), []
    )
    assert () == obs_plan.warnings(Feed("camera", device="/dev/video10"), [])


def test_what_was_made_is_read_back_from_a_sources_settings_and_from_nobody_elses() -> None:
    mark = Mark("browser", True, "my scene, the best", ("browser.on", "browser.captions"))

    assert mark == obs_plan.mark_of({"url": "x", **mark.as_settings()})
    assert None is obs_plan.mark_of({"url": "x"})
    assert None is obs_plan.mark_of({obs_plan.MARK: {"way": "something"}})


def test_captions_are_read_from_the_file_by_whichever_text_source_there_is() -> None:
    linux = obs_plan.captions("/tmp/c.txt", DEBIAN, 1280, 720)
    windows = obs_plan.captions("C:/c.txt", WINDOWS, 1280, 720)

    assert linux is not None
    assert windows is not None
    assert ("/tmp/c.txt", True) == (linux.settings["text_file"], linux.settings["from_file"])
    assert ("C:/c.txt", True) == (windows.settings["file"], windows.settings["read_from_file"])
    assert None is obs_plan.captions("/tmp/c.txt", ["image_source"], 1280, 720)
