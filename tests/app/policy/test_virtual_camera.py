"""What pyvirtualcam says (0.15; the strings are its own), and what the user is told."""

from __future__ import annotations

import pytest

from app.policy.virtual_camera import INSTALL, explain

SIZE = (1280, 720)
NO_LOOPBACK = (
    "'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]. Did you run 'modprobe v4l2loopback'? "
    "See also pyvirtualcam's documentation."
)
NO_OBS = "'obs' backend: OBS Virtual Camera device not found! Did you install OBS?"
NO_UNITY = "'unitycapture' backend: No camera registered. Did you install any camera?"
NO_EXTENSION = (
    "'obs' backend: OBS Virtual Camera is not installed in your system. Use the Virtual Camera function in OBS 30.0 or "
    "later to trigger the installation and activate the System Extension in System Settings. [Device not found]"
)


@pytest.mark.parametrize(
    ("said", "platform", "names"),
    [
        (NO_LOOPBACK, "linux", "modprobe v4l2loopback"),
        (f"{NO_OBS}; {NO_UNITY}", "win32", "OBS Studio"),
        (f"{NO_OBS}; {NO_UNITY}", "win32", "Unity Capture"),
        (NO_EXTENSION, "darwin", "System Settings"),
    ],
)
def test_a_computer_without_a_virtual_camera_is_told_what_to_install(said: str, platform: str, names: str) -> None:
    problem, remedy = explain(said, platform, "", SIZE, {})

    assert "no virtual camera" in problem
    assert INSTALL[platform] == remedy
    assert names in remedy


def test_a_camera_that_is_taken_says_who_has_it() -> None:
    said = "'v4l2loopback' backend: Device /dev/video10 is not a video output device."

    problem, remedy = explain(said, "linux", "/dev/video10", SIZE, {"/dev/video10": ["obs", "firefox"]})

    assert "Another program sends to the virtual camera /dev/video10. It is open in firefox, obs." == problem
    assert "Stop Virtual Camera" in remedy
    assert "devices=2" in remedy


def test_where_every_camera_is_taken_none_is_called_missing() -> None:
    problem, _ = explain(NO_LOOPBACK, "linux", "", SIZE, {"/dev/video10": ["obs"], "/dev/video11": []})

    assert "Another program sends to the virtual camera /dev/video10, /dev/video11. It is open in obs." == problem


def test_obs_that_has_its_own_camera_on_is_asked_to_let_it_go() -> None:
    said = f"'obs' backend: virtual camera output could not be started; {NO_UNITY}"

    problem, remedy = explain(said, "win32", "", SIZE, {})

    assert "Another program" in problem
    assert "Stop Virtual Camera" in remedy
    assert "modprobe" not in remedy


def test_a_real_camera_is_told_from_one_that_is_taken() -> None:
    said = "'v4l2loopback' backend: Device /dev/video0 is not a video output device."

    problem, remedy = explain(said, "linux", "/dev/video0", SIZE, {"/dev/video10": []})

    assert "/dev/video0 is no virtual camera" in problem
    assert "/dev/video10" in remedy


def test_a_device_that_is_gone_names_those_that_are_there() -> None:
    said = "'v4l2loopback' backend: Device /dev/video12 does not exist."

    assert ("There is no virtual camera /dev/video12.", "Choose another device (/dev/video10).") == explain(
        said, "linux", "/dev/video12", SIZE, {"/dev/video10": []}
    )


def test_a_format_that_is_refused_names_the_size() -> None:
    said = "'v4l2loopback' backend: Virtual camera device /dev/video10 could not be configured: Invalid argument"

    problem, remedy = explain(said, "linux", "", (8000, 5000), {"/dev/video10": []})

    assert "8000 × 5000" in problem
    assert "another size" in remedy


def test_a_user_who_may_not_write_is_told_the_group() -> None:
    said = "'v4l2loopback' backend: Could not access /dev/video10 due to missing permissions."

    _, remedy = explain(said, "linux", "/dev/video10", SIZE, {"/dev/video10": []})

    assert "usermod -aG video" in remedy


def test_what_nobody_foresaw_is_told_in_the_librarys_words() -> None:
    problem, remedy = explain("the moon\nis full", "win32", "", SIZE, {})

    assert "No virtual camera could be opened: the moon is full" == problem
    assert INSTALL["win32"] == remedy
