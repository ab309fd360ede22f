"""Videos are checked before they are decoded; their frames come upright, 25 a second, of the first 20 s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.human.video import MAX_FILE_BYTES, VideoError, first_frame, opened
from tests.animator.human.clips import face, film, held_sideways


def counted(k: int) -> np.ndarray:
    """A picture that says which frame it is by how bright it is."""
    return np.full((160, 240, 3), 20 + 2 * k, np.uint8)


def brightness(file: Path) -> list[int]:
    with opened(file) as clip:
        return [round(float(frame.mean())) for frame in clip.frames()]


def test_frames_of_another_rate_are_those_that_are_seen_at_each_25th_of_a_second(tmp_path: Path) -> None:
    fast = brightness(film(tmp_path / "fast.mp4", 60, counted, fps=50))
    slow = brightness(film(tmp_path / "slow.mp4", 15, lambda k: counted(4 * k), fps=12))

    assert 30 == len(fast)
    assert np.abs(np.diff(fast) - 4).max() <= 2
    assert 1.15 <= len(slow) / 25 <= 1.26
    assert all(step <= 2 or 6 <= step <= 10 for step in np.diff(slow))


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.mov", "mpeg4")])
def test_what_phones_and_browsers_write_is_read(tmp_path: Path, name: str, codec: str) -> None:
    assert 30 == len(brightness(film(tmp_path / name, 30, counted, codec=codec)))


def test_sound_is_not_looked_at(tmp_path: Path) -> None:
    assert 30 == len(brightness(film(tmp_path / "a.mp4", 30, counted, with_sound=True)))


def test_of_a_longer_one_the_first_20_s_are_used_and_that_is_known(tmp_path: Path) -> None:
    file = film(tmp_path / "long.mp4", 21 * 10, lambda k: counted(k % 100), fps=10)
    with opened(file) as clip:
        count = sum(1 for _ in clip.frames())

        assert 500 == count == clip.count
        assert clip.is_cut


def test_a_camera_that_was_held_sideways_is_turned_back(tmp_path: Path) -> None:
    upright = face(height_px=240)
    file = held_sideways(film(tmp_path / "a.mp4", 30, lambda k: np.rot90(upright)))

    with opened(file) as clip:
        frame = next(clip.frames())

        assert clip.is_turned
    even = upright[: frame.shape[0], : frame.shape[1]].astype(int)
    assert np.abs(frame[: even.shape[0], : even.shape[1]] - even).mean() < 6


def test_the_same_content_has_the_same_key_wherever_it_lies(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mp4", 30, counted)
    (tmp_path / "b.mp4").write_bytes(file.read_bytes())
    with opened(file) as one, opened(tmp_path / "b.mp4") as other:
        assert one.key() == other.key()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty file"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://localhost/x.ts\n", "no MP4, MOV, WebM or MKV"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(400), "damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(400), "damaged"),
    ],
)
def test_what_is_no_video_is_refused_in_a_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "a.mp4").write_bytes(data)

    with pytest.raises(VideoError, match=says):
        first_frame(tmp_path / "a.mp4")


def test_what_is_too_short_too_small_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    wide = film(tmp_path / "wide.mp4", 30, counted)
    data = bytearray(wide.read_bytes())
    refused = {
        film(tmp_path / "short.mp4", 20, counted): "only 0.8 s long",
        film(tmp_path / "small.mp4", 30, lambda k: counted(k)[:100, :100]): "only 100x100 pixels",
        large: "larger than 512 MiB",
        tmp_path / "none.mp4": "cannot be opened",
        tmp_path: "(cannot be opened|no plain file|not a plain file)",
    }
    for file, says in refused.items():
        with pytest.raises(VideoError, match=says):
            first_frame(file)
    at = data.index(b"avc1") + 28  # width and height of the sample entry
    data[at : at + 4] = (20_000).to_bytes(2, "big") * 2
    wide.write_bytes(data)
    with opened(wide) as clip:  # the stream's own header is what counts
        assert (240, 160) == (clip.facts.width_px, clip.facts.height_px)


def test_more_pixels_than_can_be_decoded_safely_are_refused_by_the_header(tmp_path: Path) -> None:
    huge = film(tmp_path / "huge.mp4", 26, lambda k: np.zeros((2600, 4000, 3), np.uint8))

    with pytest.raises(VideoError, match="more than can be decoded safely"):
        first_frame(huge)


def test_of_a_video_that_breaks_off_there_is_what_there_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    file = film(tmp_path / "a.mkv", 50, lambda k: rng.integers(0, 255, (160, 240, 3), np.uint8))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    assert 10 < len(brightness(file)) < 50


def test_a_stream_of_nonsense_is_called_damaged(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mp4", 50, counted)
    data = bytearray(file.read_bytes())
    begin = data.index(b"mdat") + 8
    end = data.index(b"moov") - 4
    data[begin:end] = bytes([255]) * (end - begin)
    file.write_bytes(data)

    with pytest.raises(VideoError, match="damaged"):
        brightness(file)
