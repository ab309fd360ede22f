"""The wire between app and animator, and the frames beside it."""

import dataclasses
import io
import threading

import numpy as np
import pytest

from animator.border import (
    BorderError,
    anchor_message,
    anchor_of,
    clip_message,
    clip_of,
    read_message,
    write_message,
)
from animator.frames import FrameSlots
from animator.messages import Phone, PlayoutAnchor, SpeechClip


def over_the_wire(header, payload=b""):
    stream = io.BytesIO()
    write_message(stream, header, payload)
    stream.seek(0)
    return read_message(stream)


def test_a_clip_arrives_as_it_was_sent():
    samples = np.linspace(-1, 1, 1000, dtype=np.float32)
    sent = SpeechClip(
        3,
        1,
        samples,
        22_050,
        'ˈ"quoted"\nまあ 5 %',
        (Phone("m", 0.0, 0.1), Phone("", 0.1, 0.2)),
        True,
        language="ja",
        spoken='ˈ"quoted" まあ 5パーセント',
        continues=True,
        final=False,
        flashes_s=(0.5, 1.0),
    )

    got = clip_of(*over_the_wire(*clip_message(sent)))

    assert np.array_equal(sent.samples, got.samples)
    for name in (field.name for field in dataclasses.fields(SpeechClip) if field.name != "samples"):
        assert getattr(sent, name) == getattr(got, name), name


def test_a_clip_without_phones_stays_without():
    sent = SpeechClip(0, 0, np.zeros(0, np.float32), 16_000, "", None, False)

    assert clip_of(*over_the_wire(*clip_message(sent))).phones is None


def test_a_clip_of_which_nobody_said_more_is_a_whole_sentence_in_an_unknown_language():
    got = clip_of(*over_the_wire(*clip_message(SpeechClip(0, 0, np.zeros(4, np.float32), 16_000, "", None, False))))

    assert (False, True, "", "") == (got.continues, got.final, got.language, got.spoken)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sample_rate", 0),
        ("sample_rate", -22_050),
        ("sample_rate", 2**40),
        ("sample_rate", 22_050.5),
        ("sample_rate", None),
        ("turn", "1"),
        ("index", True),
        ("text", None),
        ("text", ["secret"]),
        ("spoken", 7),
        ("spoken", "secret " * 20_000),
        ("language", "../../secret"),
        ("language", "secret" * 10),
        ("language", None),
        ("continues", "no"),
        ("final", None),
        ("last", 1),
        ("flashes_s", None),
        ("flashes_s", ["secret"]),
        ("flashes_s", [float("nan")]),
        ("flashes_s", [0.5] * 101),
        ("phones", "secret"),
        ("phones", [["secret", 0.0]]),
        ("phones", [["secret", 0.0, "soon"]]),
        ("phones", [["secret", 0.0, float("inf")]]),
        ("phones", [["secret", float("nan"), 0.1]]),
        ("phones", [["a", 0, 1]] * 100_001),
    ],
)
def test_a_header_that_no_clip_can_have_is_refused_without_repeating_its_words(key, value):
    header, payload = clip_message(SpeechClip(1, 0, np.zeros(4, np.float32), 16_000, "Hi.", (), False))

    with pytest.raises(BorderError) as caught:
        clip_of({**header, key: value}, payload)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("payload", [b"123", bytes(4 * 1000 * 601)])
def test_sound_that_is_no_float32_or_longer_than_any_sentence_is_refused(payload):
    header, _ = clip_message(SpeechClip(1, 0, np.zeros(4, np.float32), 1000, "", None, False))

    with pytest.raises(BorderError, match="float32"):
        clip_of(header, payload)


def test_an_anchor_arrives_as_it_was_sent():
    sent = PlayoutAnchor(1, 2, 3, 22_050, 123_456_789_012)

    assert sent == anchor_of(over_the_wire(anchor_message(sent))[0])


def test_the_end_of_the_stream_is_no_message():
    assert read_message(io.BytesIO()) is None


@pytest.mark.parametrize(
    "wire",
    [
        b"no json\n",
        b'{"type":"clip"}\n',
        b'{"bytes":-1}\n',
        b'{"bytes":999999999999}\n',
        b'{"bytes":10}\nshort',
        b'{"bytes":0}',
        b"[1]\n",
    ],
)
def test_a_damaged_stream_is_an_error_and_not_a_wait(wire):
    with pytest.raises(BorderError):
        read_message(io.BytesIO(wire))


def test_the_latest_frame_wins(tmp_path):
    writer = FrameSlots.create(tmp_path / "f", 8, 4)
    reader = FrameSlots.attach(tmp_path / "f")

    assert reader.read() is None
    for seq in range(1, 6):
        writer.write(np.full((4, 8, 4), seq, np.uint8), seq, due_ns=seq * 10, speaking_turn=None if seq < 5 else 0)
    seq, due_ns, turn, pixels = reader.read()

    assert (5, 50, 0) == (seq, due_ns, turn)
    assert np.all(pixels == 5)


def test_a_frame_is_never_read_half_written(tmp_path):
    writer = FrameSlots.create(tmp_path / "f", 64, 64)
    reader = FrameSlots.attach(tmp_path / "f")
    done = threading.Event()

    def write():
        for seq in range(1, 2000):
            writer.write(np.full((64, 64, 4), seq % 251, np.uint8), seq, seq)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    torn = 0
    while not done.is_set():
        got = reader.read()
        if got is not None:
            torn += int(not np.all(got[3] == got[0] % 251))
    thread.join()

    assert torn == 0


def test_frames_of_different_sizes_follow_each_other(tmp_path):
    writer = FrameSlots.create(tmp_path / "f", 8, 8)
    reader = FrameSlots.attach(tmp_path / "f")

    for seq, (height_px, width_px) in enumerate([(8, 8), (4, 8), (2, 2), (8, 4)], start=1):
        writer.write(np.full((height_px, width_px, 4), seq, np.uint8), seq, 0)
        pixels = reader.read()[3]
        assert (height_px, width_px, 4) == pixels.shape
        assert np.all(pixels == seq)


def test_a_frame_that_is_too_large_is_refused(tmp_path):
    slots = FrameSlots.create(tmp_path / "f", 8, 4)

    with pytest.raises(ValueError, match=r"\(4, 8, 4\)"):
        slots.write(np.zeros((8, 4, 4), np.uint8), 1, 0)


def test_a_file_that_holds_no_frames_is_refused(tmp_path):
    (tmp_path / "f").write_bytes(b"\0" * 4096)

    with pytest.raises(ValueError, match="no frame slots"):
        FrameSlots.attach(tmp_path / "f")
