from pathlib import Path

from animator.human.face_choice import choose_face
from animator.human.photo import read_photo
from animator.human.portrait import portrait_of
from animator.musetalk.from_photo import avatar_of

FACE = Path(__file__).parents[2] / "data" / "faces" / "eileen_collins.jpg"


def test_a_photos_mouth_lies_in_the_lower_half_of_the_crop_and_in_the_mask() -> None:
    chosen = choose_face(read_photo(FACE))
    portrait = portrait_of(chosen.picture, chosen.points)
    avatar = avatar_of(portrait, cut_out=True)
    left, top, _, bottom = avatar.boxes[0]
    lips = portrait.points[[13, 14, 61, 291], :2]
    assert (lips[:, 1] > (top + bottom) / 2).all()
    inside = avatar.masks[0][(lips[:, 1] - top).astype(int), (lips[:, 0] - left).astype(int)]
    assert (inside > 200).all()
    assert avatar.masks[0][: (bottom - top) // 4].max() == 0
    assert avatar.opacity is not None
