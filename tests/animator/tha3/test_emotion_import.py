from __future__ import annotations

import json

import pytest

from animator.tha3 import emotion_import
from animator.tha3.emotion_import import EmotionFileError, import_emotions
from animator.tha3.pose import REST_SMIRK


def data(table: object) -> bytes:
    return json.dumps(table).encode()


def test_sillytaverns_names_become_ours() -> None:
    imported = import_emotions(
        data(
            {"joy": {"eyebrow_happy_left_index": 1.0, "head_x_index": -0.2, "mouth_aaa_index": 0.0, "mouth_delta": 0.4}}
        )
    )

    assert {
        "joy": {"eyebrow_happy_left": 1.0, "head_x": -0.2, "mouth_delta": 0.4, "mouth_smirk": REST_SMIRK}
    } == imported.expressions
    assert imported.notes == ()


def test_ravens_pose_is_read_and_its_cels_are_left_out_with_a_note() -> None:
    imported = import_emotions(
        data(
            {"Shame": {"pose": {"eye_wink_left_index": 0.5, "mouth_smirk": 0.9}, "cels": {"blush1": 1.0, "sweat1": 0}}}
        )
    )

    assert {"shame": {"eye_wink_left": 0.5, "mouth_smirk": 0.9}} == imported.expressions
    assert ("shame: drawn-on cels (blush1, sweat1) are left out.",) == imported.notes


def test_a_file_may_hold_all_defaults() -> None:
    names = ("admiration", "joy", "neutral", "zero")

    assert set(names) == set(import_emotions(data({name: {"head_x_index": 0.1} for name in names})).expressions)


def test_values_outside_their_range_are_brought_back_and_named() -> None:
    imported = import_emotions(
        data({"joy": {"eye_wink_left_index": 1.2, "eye_relaxed_left_index": -0.23, "head_y_index": -7}})
    )

    assert {"eye_wink_left": 1.0, "head_y": -1.0, "mouth_smirk": REST_SMIRK} == imported.expressions["joy"]
    assert "eye_wink_left_index 1.2, eye_relaxed_left_index -0.23, head_y_index -7" in imported.notes[0]


def test_unknown_parameters_are_named_with_the_nearest_known_one() -> None:
    imported = import_emotions(data({"joy": {"eyebrow_hapy_left_index": 1, "head_x_index": 0.1}}))

    assert {"head_x": 0.1, "mouth_smirk": REST_SMIRK} == imported.expressions["joy"]
    assert "eyebrow_hapy_left_index; did the first mean eyebrow_happy_left?" in imported.notes[0]


def test_breath_and_body_are_the_faces_own() -> None:
    imported = import_emotions(data({"joy": {"breathing_index": 1.0, "body_y_index": 0.5, "body_z_index": 0.5}}))

    assert {"mouth_smirk": REST_SMIRK} == imported.expressions["joy"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1, 2]", "a list instead of emotions"),
        (b"{}", "no emotion"),
        (b'{"joy": 1}', "'joy' is no emotion"),
        (b'{"../joy": {}}', "'../joy' is no emotion"),
        (b'{"joy": {"head_x_index": "up"}}', "head_x_index = 'up' in 'joy'"),
        (b'{"joy": {"head_x_index": true}}', "head_x_index = True"),
        (b'{"joy": {"head_x_index": NaN}}', "NaN is no number"),
        (b'{"joy": {"head_x_index": 1e999}}', "head_x_index = inf"),
        (b'{"joy": {"head_x_index": [[]]}}', "head_x_index = [[]]"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"joy": {"head_x_index": ' + b"9" * 6000 + b"}}", "not JSON"),
        (b" " * (emotion_import.MAX_BYTES + 1), "KiB"),
        (data({f"e{i}": {} for i in range(65)}), "65 emotions"),
    ],
)
def test_what_is_no_emotion_file_is_refused_in_words(content: bytes, problem: str) -> None:
    with pytest.raises(EmotionFileError) as refused:
        import_emotions(content)

    assert problem in refused.value.problem
    assert refused.value.remedy


def test_a_file_full_of_odd_names_does_not_flood_the_notes() -> None:
    table = {f"e{i}": {f"<b>{'x' * 100}{k}": 1.0 for k in range(50)} for i in range(60)}

    notes = import_emotions(data(table)).notes

    assert len(notes) == emotion_import.MAX_NOTES + 1
    assert max(map(len, notes)) < 400
    assert "<" not in "".join(notes)
