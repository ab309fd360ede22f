"""The wire between app and animator, and the frames beside it."""

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
    sent = SpeechClip(3, 1, samples, 22_050, 'ˈ"quoted"\nまあ', (Phone("m", 0.0, 0.1), Phone("", 0.1, 0.2)), True)

    got = clip_of(*over_the_wire(*clip_message(sent)))

    assert np.array_equal(sent.samples, got.samples)
    assert (sent.turn, sent.index, sent.sample_rate, sent.text, sent.phones, sent.last) == (
        got.turn,
        got.index,
        got.sample_rate,
        got.text,
        got.phones,
        got.last,
    )


def test_a_clip_without_phones_stays_without():
    sent = SpeechClip(0, 0, np.zeros(0, np.float32), 16_000, "", None, False)

    assert clip_of(*over_the_wire(*clip_message(sent))).phones is None


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
