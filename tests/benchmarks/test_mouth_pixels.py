"""What films are measured by: a drawn head with a mouth of a known size."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from benchmarks.mouth_pixels import mouth_area_px

SKIN, HAIR, LIPS, COAT = (253, 232, 220), (40, 110, 130), (150, 70, 80), (235, 228, 220)


def head(mouth_px: tuple[int, int], *, at: tuple[int, int] = (320, 200), tilt_deg: float = 0.0):
    """A head with eyes, a nose, and a mouth of width and height `mouth_px`; a light coat below it."""
    picture = np.full((720, 640, 3), (45, 50, 90), np.uint8)
    cv2.rectangle(picture, (60, 420), (580, 719), COAT, -1)
    x, y = at

    def ellipse(across: float, down: float, width: float, height: float, colour: tuple[int, int, int]) -> None:
        turn = math.radians(tilt_deg)
        centre = (
            round(x + (across * math.cos(turn) - down * math.sin(turn))),
            round(y + (across * math.sin(turn) + down * math.cos(turn))),
        )
        cv2.ellipse(picture, centre, (round(width / 2), round(height / 2)), tilt_deg, 0, 360, colour, -1)

    ellipse(0, -20, 220, 260, HAIR)
    ellipse(0, 0, 150, 180, SKIN)
    for side in (-1, 1):
        ellipse(side * 36, -10, 34, 40, HAIR)
    ellipse(0, 30, 3, 6, LIPS)
    if mouth_px[0]:
        ellipse(0, 62, *mouth_px, LIPS)
    return picture


@pytest.mark.parametrize("size", [(30, 4), (30, 16), (12, 12), (44, 26)])
@pytest.mark.parametrize("tilt_deg", [-15.0, 0.0, 15.0])
@pytest.mark.parametrize("at", [(320, 200), (290, 215), (350, 190)])
def test_a_mouth_is_found_and_measured_wherever_the_head_has_turned(size, tilt_deg, at):
    drawn = (head(size, at=at, tilt_deg=tilt_deg) != head((0, 0), at=at, tilt_deg=tilt_deg)).any(axis=2).sum()

    assert mouth_area_px(head(size, at=at, tilt_deg=tilt_deg)) == drawn > 0


def test_a_picture_of_half_the_size_has_a_quarter_of_the_area():
    picture = head((40, 20))

    half = mouth_area_px(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))

    assert half == pytest.approx(mouth_area_px(picture) / 4, rel=0.2)


def test_eyes_and_nose_are_no_mouth():
    assert mouth_area_px(head((0, 0))) == 0.0


def test_a_picture_without_a_face_has_no_area():
    assert math.isnan(mouth_area_px(np.zeros((100, 100, 3), np.uint8)))
