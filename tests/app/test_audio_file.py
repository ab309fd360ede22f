from __future__ import annotations

import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from app.audio_file import AudioFile, read_speech, write_wav
from app.errors import AppError


def tone(rate: int, seconds: float, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)
    return np.stack([wave] * channels, axis=1)


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [
        (8_000, 1, "PCM_16", "wav"),
        (16_000, 1, "PCM_16", "flac"),
        (22_050, 2, "PCM_24", "wav"),
        (44_100, 2, "FLOAT", "wav"),
        (48_000, 6, "PCM_32", "wav"),
        (48_000, 1, "PCM_U8", "wav"),
        (96_000, 2, "PCM_24", "flac"),
    ],
)
def test_any_rate_width_and_number_of_channels_becomes_16_khz_mono(
    tmp_path: Path, rate: int, channels: int, subtype: str, suffix: str
) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(rate, 2.0, channels), rate, subtype=subtype)

    samples = read_speech(path)

    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(32_000, abs=4)
    spectrum = np.abs(np.fft.rfft(samples[8_000:24_000]))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(samples[8_000:24_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)


def encoded(path: Path, codec: str, rate: int, layout: str, seconds: float) -> None:
    with av.open(str(path), "w") as media:
        stream = media.add_stream(codec, rate=rate, layout=layout)
        channels = 2 if layout == "stereo" else 1
        wave = np.ascontiguousarray(tone(rate, seconds, channels).T.astype(np.float32))
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout=layout)
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)


@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("mkv", "aac"), ("webm", "libopus"), ("mp4", "aac")])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_what_libsndfile_does_not_read_is_decoded_too(tmp_path: Path, suffix: str, codec: str, layout: str) -> None:
    path = tmp_path / f"tone.{suffix}"
    encoded(path, codec, 48_000, layout, 2.0)

    samples = read_speech(path)

    assert len(samples) == pytest.approx(32_000, abs=1600)
    spectrum = np.abs(np.fft.rfft(samples[8_000:24_000]))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(samples[8_000:24_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_a_long_film_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "film.m4a"
    encoded(path, "aac", 8_000, "mono", 90.0)

    with pytest.raises(AppError, match="at most 1 are taken"):
        read_speech(path, max_minutes=1.0)


def test_a_film_that_is_cut_off_gives_what_it_holds_or_says_that_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    encoded(path, "aac", 16_000, "mono", 4.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    samples = read_speech(path)

    assert 16_000 < len(samples) < 48_000


def test_a_playlist_that_names_other_files_is_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "private.wav", tone(16_000, 1.0), 16_000)
    path = tmp_path / "list.m4a"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/private.wav\n#EXT-X-ENDLIST\n")

    with pytest.raises(AppError, match="not a sound file"):
        read_speech(path)


def test_pieces_are_whole_but_the_last(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(44_100, 1.01), 44_100)
    file = AudioFile(path)

    lengths = [len(piece) for piece in file.pieces(512)]
    file.close()

    assert set(lengths[:-1]) == {512}
    assert 0 < lengths[-1] <= 512


def test_a_long_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(48_000 * 240, np.int16), 48_000)
    file = AudioFile(path)

    tracemalloc.start()
    total = sum(len(piece) for piece in file.pieces(512))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    file.close()

    assert total == pytest.approx(16_000 * 240, abs=10)
    assert peak < 4_000_000


def test_a_long_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "hours.wav"
    soundfile.write(path, np.zeros(8_000 * 60 * 11, np.int16), 8_000)

    with pytest.raises(AppError, match="11 minutes long; at most 10") as raised:
        AudioFile(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "no frames", "cut header"])
def test_what_is_not_sound_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "sound.wav"
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("RIFF? No, a poem." * 50)
    elif kind == "no frames":
        soundfile.write(path, np.zeros(0), 16_000)
    elif kind == "cut header":
        soundfile.write(path, tone(16_000, 1.0), 16_000)
        path.write_bytes(path.read_bytes()[:20])

    with pytest.raises(AppError) as raised:
        AudioFile(path)

    assert "\n" not in str(raised.value)
    assert raised.value.remedy


def test_broken_numbers_in_a_float_file_do_not_get_through(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    wave = tone(16_000, 0.5)[:, 0].astype(np.float32)
    wave[100], wave[200], wave[300] = np.nan, np.inf, 1e30
    soundfile.write(path, wave, 16_000, subtype="FLOAT")

    samples = read_speech(path)

    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1.5


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    write_wav(path, tone(22_050, 0.5)[:, 0].astype(np.float32), 22_050)

    back, rate = soundfile.read(path)
    assert (rate, len(back)) == (22_050, 11_025)
    assert [path] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_an_error_to_act_on(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="cannot be written"):
        write_wav(tmp_path / "nowhere" / "out.wav", np.zeros(10, np.float32), 16_000)
