"""Films: picture and sound on one time line, read back from the file."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest

from animator.messages import PlayoutAnchor, SpeechClip
from app.backends.video_file import VideoFile
from app.errors import AppError
from app.film import LEAD_IN_S, LEAD_OUT_S, FilmSpeaker, LiveFilm
from app.media_note import NOTE
from app.messages import Frame

FPS = 30
RATE = 22_050
QUIET = np.zeros((512, 512, 4), np.uint8)
QUIET[..., 3] = 255
TALKING = QUIET.copy()
TALKING[..., 1] = 255


def tone(seconds):
    return (0.5 * np.sin(np.arange(round(RATE * seconds)) * 0.2)).astype(np.float32)


def clip(index, seconds, last=False, turn=1):
    return SpeechClip(turn, index, tone(seconds), RATE, "", (), last)


class SteppedFace:
    """Green while a word sounds, black otherwise."""

    def __init__(self):
        self.asked = []

    def step(self, speech, host_ns):
        self.asked.append((speech, host_ns))
        speaking = speech is not None and 0 <= speech.time_s
        return Frame(len(self.asked), TALKING if speaking else QUIET, host_ns)


def read_back(path: Path):
    with av.open(str(path)) as film:
        times = [float(f.pts * f.time_base) for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        bright = [f.to_ndarray(format="rgb24")[300:420, 600:700, 1].mean() > 100 for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        sound = np.concatenate([f.to_ndarray()[0] for f in film.decode(audio=0)])
        rate = film.streams.audio[0].rate
    return np.array(times), np.array(bright), sound, rate


def heard_from_to(sound, rate):
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    return loud[0] / rate, loud[-1] / rate


def test_a_film_says_ten_times_a_second_what_is_heard(tmp_path):
    """Faces move at their words in films as well."""
    film = VideoFile(tmp_path / "a.mp4", FPS)
    anchors: list[PlayoutAnchor] = []
    speaker = FilmSpeaker(film, SteppedFace(), FPS)
    speaker.open(anchors.append, lambda turn, index: None)

    speaker.play(clip(0, 1.0, last=True))
    speaker.finish()
    speaker.close()
    film.close()

    assert [anchor.sample / RATE for anchor in anchors] == pytest.approx(
        [0.1 * k for k in range(len(anchors))], abs=0.04
    )
    assert len(anchors) >= 8
    assert [anchor.host_ns / 1e9 - anchor.sample / RATE for anchor in anchors] == pytest.approx(
        [LEAD_IN_S] * len(anchors), abs=1e-4
    )


def test_a_film_shows_speech_exactly_while_it_sounds(tmp_path):
    film = VideoFile(tmp_path / "a.mp4", FPS)
    played = []
    speaker = FilmSpeaker(film, SteppedFace(), FPS)
    speaker.open(lambda _: None, lambda turn, index: played.append((turn, index)))

    speaker.play(clip(0, 1.0))
    speaker.play(clip(1, 0.5, last=True))
    speaker.finish()
    speaker.close()
    film.close()
    times, bright, sound, rate = read_back(tmp_path / "a.mp4")

    assert [(1, 0), (1, 1)] == played
    assert np.diff(times) == pytest.approx(1 / FPS, abs=1e-4)
    assert times[-1] + 1 / FPS == pytest.approx(LEAD_IN_S + 1.5 + LEAD_OUT_S, abs=0.04)
    starts_s, ends_s = heard_from_to(sound, rate)
    assert starts_s == pytest.approx(LEAD_IN_S, abs=0.025)
    assert times[bright][0] == pytest.approx(starts_s, abs=0.04)
    assert ends_s == pytest.approx(LEAD_IN_S + 1.5, abs=0.03)


def test_film_time_stands_still_while_the_next_clip_is_made(tmp_path):
    film = VideoFile(tmp_path / "a.mp4", FPS)
    face = SteppedFace()
    speaker = FilmSpeaker(film, face, FPS)
    done = threading.Event()
    speaker.open(lambda _: None, lambda turn, index: done.set() if index else speaker.play(clip(1, 0.5, last=True)))

    speaker.play(clip(0, 0.5))
    assert done.wait(60)
    speaker.finish()
    speaker.close()
    film.close()
    _, _, sound, rate = read_back(tmp_path / "a.mp4")

    starts_s, ends_s = heard_from_to(sound, rate)
    assert ends_s - starts_s == pytest.approx(1.0, abs=0.03)  # no gap between the clips
    assert len(face.asked) == film.frames


def test_a_face_that_fails_ends_the_film_with_its_reason(tmp_path):
    class Broken:
        def step(self, speech, host_ns):
            raise AppError("The face drew no frame.", "Run `kuchipaku doctor`.")

    film = VideoFile(tmp_path / "a.mp4", FPS)
    speaker = FilmSpeaker(film, Broken(), FPS)
    played = []
    speaker.open(lambda _: None, lambda turn, index: played.append(index))

    speaker.play(clip(0, 0.5))
    speaker.play(clip(1, 0.5, last=True))
    speaker.finish()

    assert isinstance(speaker.problem, AppError)
    assert [0, 1] == played  # the line does not wait for a film that has ended
    speaker.close()
    film.discard()
    assert [] == list(tmp_path.iterdir())


def test_a_live_film_keeps_the_delay_that_viewers_saw(tmp_path):
    """Clip 1 came 0.5 s late; a deadline was missed. The film shows both, and sound lies where it was heard."""
    film = VideoFile(tmp_path / "a.mp4", FPS)
    live = LiveFilm(film, FPS)
    start_ns = 50_000_000_000
    live.clip(clip(0, 1.0))
    live.clip(clip(1, 0.5, last=True))
    words = [(0.0, 1.0), (1.5, 2.0)]
    for k in range(-30, 90):
        host_ns = start_ns + round(k / FPS * 1e9)
        if k == -3:
            live.anchor(PlayoutAnchor(1, 0, 0, RATE, start_ns))
        if k == 40:
            live.anchor(PlayoutAnchor(1, 1, 0, RATE, start_ns + 1_500_000_000))
        if k == 20:
            continue
        speaking = any(first <= k / FPS < end for first, end in words)
        live.send(Frame(k + 31, TALKING if speaking else QUIET, host_ns))
    live.finish()
    film.close()
    times, bright, sound, rate = read_back(tmp_path / "a.mp4")

    assert np.diff(times) == pytest.approx(1 / FPS, abs=1e-4)
    assert times[bright][0] == pytest.approx(LEAD_IN_S, abs=0.04)
    gap = np.flatnonzero(np.abs(sound) > 0.1) / rate
    starts = gap[np.flatnonzero(np.diff(gap, prepend=-1) > 0.3)]
    assert starts == pytest.approx([LEAD_IN_S, LEAD_IN_S + 1.5], abs=0.03)


def test_a_film_appears_only_when_it_is_finished(tmp_path):
    film = VideoFile(tmp_path / "a.mp4", FPS)
    film.frame(QUIET)

    assert not (tmp_path / "a.mp4").exists()
    film.close()
    assert [tmp_path / "a.mp4"] == list(tmp_path.iterdir())
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert NOTE == file.metadata["comment"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(AppError, match="nowhere"):
        VideoFile(tmp_path / "nowhere" / "a.mp4", FPS)


def test_another_ending_than_mp4_is_refused(tmp_path):
    with pytest.raises(AppError, match="MP4"):
        VideoFile(tmp_path / "a.avi", FPS)
