"""The photo puppet: lips that shut, a face at rest that is still, nothing that tears."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.human.avatar import prepare
from animator.human.portrait import Portrait
from animator.lipsync.mouth_track import MouthTrack
from animator.messages import Phone
from animator.puppet.curves import moved_rows
from animator.puppet.face import PuppetFace
from animator.puppet.face_shape import mouth_of
from animator.tha3 import pose as p

FACES = sorted((Path(__file__).parents[2] / "data" / "faces").glob("*.jpg"))


@pytest.fixture(scope="module", params=FACES, ids=lambda path: path.stem)
def portrait(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    return prepare(request.param.read_bytes(), tmp_path_factory.mktemp("cache"), lambda what, share: None).portrait


@pytest.fixture(scope="module")
def face(portrait: Portrait) -> PuppetFace:
    return PuppetFace(portrait, ai_mark=False)


@pytest.fixture
def at_rest(portrait: Portrait, face: PuppetFace) -> np.ndarray:
    """The portrait with shut lips, uint8 RGBA."""
    picture = np.dstack([portrait.picture, np.full(portrait.person.shape, 255, np.uint8)])
    picture[(*face.mouth.box, slice(0, 3))] = face.mouth.draw(mouth_of(p.neutral()))
    return picture


def spoken(ipa: str) -> MouthTrack:
    phones = (Phone("a", 0.1, 0.4), Phone(ipa, 0.4, 0.52), Phone("a", 0.52, 0.8))
    sound = 0.3 * np.sin(2 * np.pi * 140 * np.arange(14_400) / 16_000)
    return MouthTrack(phones, sound.astype(np.float32), 16_000)


@pytest.mark.parametrize("ipa", ["p", "b", "m"])
def test_lips_shut_exactly_on_p_b_and_m_and_part_around_them(face: PuppetFace, ipa: str) -> None:
    track = spoken(ipa)
    gaps = []
    for k in range(27):
        pose = p.neutral()
        pose[p.MOUTH] = track.at(k / 30)
        gaps.append(face.mouth.gap_px(mouth_of(pose)))

    assert 0.0 == min(gaps[11:17])
    assert max(gaps) > 8.0


def test_a_face_at_rest_is_the_same_in_every_frame_whatever_came_between(face: PuppetFace) -> None:
    first = face.draw(p.neutral())
    face.draw(p.pose_of(mouth_aaa=1, eye_wink=1, head_y=0.4, eyebrow_raised=1))

    assert np.array_equal(first, face.draw(p.neutral()))


def test_a_wider_ah_opens_wider_and_never_paints_outside_the_lips(face: PuppetFace) -> None:
    shut = face.mouth.gap_px(mouth_of(p.neutral()))
    half = face.mouth.gap_px(mouth_of(p.pose_of(mouth_aaa=0.5)))
    wide = face.mouth.gap_px(mouth_of(p.pose_of(mouth_aaa=1)))

    assert 0.0 == shut < half < wide


def test_rounded_vowels_narrow_the_mouth_and_spread_ones_widen_it() -> None:
    assert mouth_of(p.pose_of(mouth_uuu=1)).width < mouth_of(p.pose_of(mouth_ooo=1)).width < 1.0
    assert 1.0 < mouth_of(p.pose_of(mouth_iii=1)).width


@pytest.mark.parametrize(
    "values",
    [
        {"mouth_aaa": 1.0},
        {"mouth_uuu": 1.0},
        {"eye_wink": 1.0},
        {"head_y": 0.5},
        {"neck_z": -0.5},
        {"eyebrow_raised": 1.0},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_moves_does_not_tear_the_border_of_the_picture(face: PuppetFace, values: dict[str, float]) -> None:
    """Sides and lower edge stay where they are, so no seam shows where the photo ends."""
    rest, moved = (face.draw(pose).astype(int) for pose in (p.neutral(), p.pose_of(**values)))

    assert np.abs(moved[-1] - rest[-1]).max() <= 2
    assert np.abs(moved[:, :1] - rest[:, :1]).mean() <= 1.0
    assert np.abs(moved[:, -1:] - rest[:, -1:]).mean() <= 1.0


@pytest.mark.parametrize("pose", [p.neutral(), p.pose_of(head_y=0.4, neck_z=-0.3, body_y=0.5, breathing=1, eye_wink=1)])
def test_a_picture_that_somebody_else_painted_moves_as_the_puppets_own_does(
    face: PuppetFace, at_rest: np.ndarray, pose: np.ndarray
) -> None:
    own = face.draw(pose)

    around = face.draw_around(at_rest, pose)

    assert np.abs(around.astype(int) - own).max() <= 2


def test_a_mouth_that_somebody_else_painted_goes_with_the_head(face: PuppetFace, at_rest: np.ndarray) -> None:
    left, top = face.landmarks((61,))[0]
    at_rest[top - 6 : top + 6, left + 10 : left + 40, :3] = (255, 0, 255)

    def where_px(turn: float) -> float:
        seen = face.draw_around(at_rest.copy(), p.pose_of(head_y=turn)).astype(int)
        is_paint = (seen[..., 0] > 220) & (seen[..., 1] < 60) & (seen[..., 2] > 220)
        return float(np.nonzero(is_paint)[1].mean())

    places = [where_px(turn) for turn in (-0.4, 0.0, 0.4)]
    assert places == sorted(places) or places == sorted(places, reverse=True)
    assert abs(places[2] - places[0]) > 4.0


def test_the_patches_of_mouth_and_eyes_end_without_a_step(face: PuppetFace) -> None:
    """What is drawn into the photo changes nothing at the patch's own border."""
    rest = face.mouth.draw(mouth_of(p.neutral())).astype(int)
    wide = face.mouth.draw(mouth_of(p.pose_of(mouth_aaa=1, mouth_uuu=0.3))).astype(int)

    for border in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        assert np.abs(wide[border] - rest[border]).max() <= 6


def test_a_blink_covers_the_iris(face: PuppetFace) -> None:
    rig = face.eyes["left"]
    pupil = rig.iris_px
    patch = np.s_[pupil[1] - 1 : pupil[1] + 2, pupil[0] - 1 : pupil[0] + 2, :3]
    open_, shut = (face.draw(pose)[patch].mean() for pose in (p.neutral(), p.pose_of(eye_wink=1)))

    assert shut > open_ + 25


def test_the_nose_goes_further_than_the_ears_when_the_head_turns(face: PuppetFace) -> None:
    ahead, turned = (cv2.cvtColor(face.draw(p.pose_of(head_y=v)), cv2.COLOR_RGBA2GRAY) for v in (0.0, 0.4))
    flow = cv2.calcOpticalFlowFarneback(ahead, turned, None, 0.5, 4, 25, 5, 7, 1.5, 0)
    nose, ear, corner = (
        flow[y - 6 : y + 7, max(x - 6, 0) : x + 7, 0].mean() for x, y in (*face.landmarks((1, 234)), (8, 60))
    )

    assert abs(nose) > 1.4 * abs(ear)
    assert abs(corner) < 0.3


def test_a_frame_is_opaque_unless_the_person_is_cut_out(face: PuppetFace, tmp_path: Path) -> None:
    portrait = prepare(FACES[0].read_bytes(), tmp_path, lambda what, share: None).portrait
    cut = PuppetFace(portrait, cut_out=True, ai_mark=False).draw(p.neutral())

    assert (face.draw(p.neutral())[..., 3] == 255).all()
    assert 0 == cut[40, -20, 3]
    assert 255 == cut[300, 256, 3]


def test_the_mark_is_on_unless_it_is_switched_off(tmp_path: Path) -> None:
    portrait = prepare(FACES[0].read_bytes(), tmp_path, lambda what, share: None).portrait
    plain, marked = (PuppetFace(portrait, ai_mark=on).draw(p.neutral()) for on in (False, True))
    rows, columns = np.nonzero((plain != marked).any(axis=2))

    assert 0.72 < rows.min() / 512 < rows.max() / 512 < 0.797
    assert 0.125 < columns.min() / 512 < columns.max() / 512 < 0.875


def test_rows_between_curves_are_spread_evenly_and_what_touches_leaves_nothing_out() -> None:
    rows = np.arange(100, dtype=np.float32)
    seen = [np.full(3, v, np.float32) for v in (10, 40, 60, 90)]
    shown = [np.full(3, v, np.float32) for v in (10, 50, 50, 90)]

    moved = moved_rows(rows, seen, shown)

    assert np.allclose(moved[:10], rows[:10, None])
    assert np.allclose(moved[30], 25.0)
    assert np.allclose(moved[49], 10 + 39 * 30 / 40)
    assert np.allclose(moved[51], 60 + 1 * 30 / 40, atol=0.05)
    assert np.allclose(moved[95], 95.0, atol=0.05)
    assert (np.diff(moved, axis=0) >= 0).all()
