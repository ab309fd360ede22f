"""The commands `phonemes` and `mouth`: what they print, and that no sound upsets them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from animator.lipsync import phonemes
from animator.messages import Phone, SpeechClip
from animator.tha3.pose import MOUTH_NAMES
from app.cli import main
from app.lips import mouth_frames

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Please bring my blue umbrella, maybe the big pump is broken."
RATE = 22_050


@pytest.fixture(autouse=True)
def the_default_model_afterwards():
    yield
    phonemes.choose(phonemes.DEFAULT)


@pytest.fixture(scope="module")
def voice(models: Callable[[str], Path]):
    from app.backends.tts_piper import PiperSynth

    made = PiperSynth(next(models("piper-joe").glob("*.onnx")))
    made.load()
    return made


@pytest.fixture(scope="module")
def spoken(voice) -> SpeechClip:
    return voice.synthesize(0, 0, TEXT, last=True)


@pytest.fixture(scope="module")
def other(voice) -> SpeechClip:
    return voice.synthesize(0, 0, "The quick brown fox jumps over the lazy dog.", last=True)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, spoken: SpeechClip) -> Path:
    path = tmp_path_factory.mktemp("sound") / "spoken.wav"
    soundfile.write(path, spoken.samples, spoken.sample_rate)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[object, str]:
    """What a command prints as JSON, and its note; it has to succeed."""
    assert main([str(word) for word in words] + ["--json"]) == 0
    said = capsys.readouterr()
    return json.loads(said.out), said.err


def openness(report: dict) -> np.ndarray:
    return np.array([max(frame[name] for name in MOUTH_NAMES) for frame in report["frames"]])


# What they print


@pytest.mark.slow
def test_phonemes_lists_the_sounds_in_time_order_with_how_sure_they_are(capsys, sound, spoken):
    rows, note = run(capsys, "phonemes", sound, "--text", TEXT, "--language", "en")

    assert [{"ipa", "start_s", "end_s", "confidence"}] * len(rows) == [set(row) for row in rows]
    assert all(0.0 <= row["start_s"] <= row["end_s"] <= spoken.duration_s + 1e-3 for row in rows)
    assert [row["start_s"] for row in rows] == sorted(row["start_s"] for row in rows)
    assert all(0.0 <= row["confidence"] <= 1.0 for row in rows)
    assert "laid onto the sound" in note
    truth = np.array([phone.start_s for phone in spoken.phones if phone.ipa[-1:] in ("b", "p", "m")])
    found = np.array([row["start_s"] for row in rows if row["ipa"][-1:] in ("b", "p", "m")])
    assert len(found) == len(truth)
    assert np.median(np.abs(found - truth)) < 0.04


@pytest.mark.slow
@pytest.mark.parametrize("fps", [60, 25])
def test_mouth_gives_every_frame_of_the_sound_as_the_face_would_show_it(capsys, sound, spoken, fps):
    report, _ = run(capsys, "mouth", sound, "--text", TEXT, "--fps", str(fps))

    assert {"fps", "frames"} == set(report)
    assert fps == report["fps"]
    assert all({"t_s", *MOUTH_NAMES} == set(frame) for frame in report["frames"])
    times = np.array([frame["t_s"] for frame in report["frames"]])
    assert np.arange(len(times)) / fps == pytest.approx(times, abs=1e-4)
    assert spoken.duration_s - 1.5 / fps <= times[-1] <= spoken.duration_s + 1e-6
    opened = openness(report)
    assert (opened.min(), opened.max() <= 1.0, opened.max() > 0.5) == (0.0, True, True)


@pytest.mark.slow
def test_without_json_both_print_a_table(capsys, sound):
    assert main(["phonemes", str(sound)]) == 0
    assert main(["mouth", str(sound), "--fps", "10"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "sound" in lines[0]
    assert any(line.split()[:1] == ["t"] and "aaa" in line for line in lines)
    assert len(lines) > 40


@pytest.mark.slow
def test_stereo_any_rate_and_other_formats_are_the_same_sound(capsys, tmp_path, spoken, sound):
    import soxr

    stereo = np.repeat(soxr.resample(spoken.samples, spoken.sample_rate, 48_000)[:, None], 2, axis=1)
    soundfile.write(tmp_path / "stereo.flac", stereo, 48_000)

    once, _ = run(capsys, "mouth", sound, "--fps", "30")
    twice, _ = run(capsys, "mouth", tmp_path / "stereo.flac", "--fps", "30")

    count = min(len(once["frames"]), len(twice["frames"]))
    assert np.corrcoef(openness(once)[:count], openness(twice)[:count])[0, 1] > 0.9


def test_no_window_no_face_and_no_torch_are_loaded(tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sin(np.arange(RATE)), RATE)
    program = (
        "import sys; from app.cli import main; code = main(['mouth', sys.argv[1], '--json']); "
        "print(sorted({'PySide6', 'torch', 'transformers', 'animator.tha3.live'} & set(sys.modules)), "
        "file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.wav")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "[]" == done.stderr.splitlines()[-1]


# Sounds and words that nobody expects


def sounds(spoken: SpeechClip, other: SpeechClip) -> dict[str, np.ndarray]:
    chance = np.random.default_rng(1)
    time_s = np.arange(6 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hz * time_s) for hz in (220.0, 277.2, 329.6, 440.0))
    both = min(len(spoken.samples), len(other.samples))
    return {
        "music": 0.12 * chord * np.exp(-3.0 * (time_s % 0.5)),
        "noise": 0.2 * chance.normal(size=4 * RATE),
        "two voices": 0.5 * (spoken.samples[:both] + other.samples[:both]),
        "a moment": spoken.samples[RATE // 2 : RATE // 2 + RATE // 20],
        "one sample": spoken.samples[:1],
        "silence": np.zeros(30 * RATE),
        "clipped": np.clip(20.0 * spoken.samples, -1.0, 1.0),
        "faint": 1e-4 * spoken.samples,
    }


KINDS = ("music", "noise", "two voices", "a moment", "one sample", "silence", "clipped", "faint")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_sound_upsets_the_commands_or_makes_the_mouth_flap(capsys, tmp_path, spoken, other, kind):
    path = tmp_path / "sound.wav"
    samples = sounds(spoken, other)[kind]
    soundfile.write(path, np.clip(samples, -1.0, 1.0), RATE, subtype="FLOAT")

    rows, note = run(capsys, "phonemes", path)
    report, _ = run(capsys, "mouth", path, "--fps", "60")

    assert note.strip()
    assert all(np.isfinite([row["start_s"], row["end_s"], row["confidence"]]).all() for row in rows)
    opened = openness(report)
    assert ((opened >= 0.0) & (opened <= 1.0)).all()
    if len(opened) > 60:
        moves = np.diff(opened)[np.abs(np.diff(opened)) > 0.01]
        turns = np.count_nonzero(np.diff(np.sign(moves)))
        assert turns / (len(opened) / 60) <= 16.0  # twice a fast speaker's syllables: each opens and shuts


@pytest.mark.slow
def test_in_silence_the_mouth_rests_and_the_note_says_why_nothing_is_heard(capsys, tmp_path, spoken, other):
    path = tmp_path / "silence.wav"
    soundfile.write(path, sounds(spoken, other)["silence"], RATE)

    rows, note = run(capsys, "phonemes", path, "--text", TEXT)
    report, _ = run(capsys, "mouth", path, "--text", TEXT)

    assert rows == []
    assert "no sound" in note
    assert openness(report).max() == 0.0
    assert len(report["frames"]) == 1801


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--text", "Nobody has ever said these completely different words here."),
            "the text (does not match|cannot be made out)|decoded freely",
        ),
        (("--text", "😀 🎉 ✨"), "not known"),
        (("--text", TEXT, "--language", "no-such-language"), "language"),
        (("--language", "ja"), "not known"),
        (("--text", "?!... ---"), "not known"),
    ],
)
def test_words_that_do_not_fit_are_left_aside_and_the_note_says_so(capsys, sound, options, says):
    rows, note = run(capsys, "phonemes", sound, *options)

    assert len(rows) > 10
    assert re.search(says, note)


@pytest.mark.slow
def test_a_text_in_another_script_does_no_harm(capsys, sound):
    for text, language in (("これはまったく別の文章です。", "ja"), ("यह कुछ और है", "hi"), (TEXT * 40, "en")):
        rows, note = run(capsys, "phonemes", sound, "--text", text, "--language", language)
        assert rows
        assert note.strip()


# What cannot be used


@pytest.mark.parametrize("verb", ["phonemes", "mouth"])
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"a poem " * 300), "not a sound file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: soundfile.write(path, np.zeros(RATE * 60 * 6, np.int16), RATE), "at most 5"),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence(capsys, tmp_path, verb, make, says):
    path = tmp_path / "sound.wav"
    make(path)

    assert main([verb, str(path)]) == 1

    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--model", "telepathy"), "no phone model 'telepathy'"),
        (("--model", "wav2vec2"), "models add wav2vec2-espeak"),
        (("--model", "."), "missing"),
        (("--fps", "0"), "--fps from"),
        (("--fps", "nan"), "--fps from"),
    ],
)
def test_a_model_or_a_frame_rate_that_is_not_there_is_said_with_what_to_do(
    capsys, tmp_path, monkeypatch, options, says
):
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    soundfile.write(tmp_path / "a.wav", 0.3 * np.sin(np.arange(RATE)), RATE)

    assert main(["mouth", str(tmp_path / "a.wav"), *options]) == 1

    assert says in capsys.readouterr().err


# Long recordings


def test_a_long_recording_is_made_in_pieces_that_do_not_show():
    """The same words, said again and again with pauses: the mouth does the same each time."""
    words = (Phone("m", 0.2, 0.3), Phone("ˈɑː", 0.3, 0.6), Phone("p", 0.6, 0.7), Phone("i", 0.7, 0.9))
    period_s, times = 2.0, 31
    phones = tuple(Phone(p.ipa, p.start_s + k * period_s, p.end_s + k * period_s) for k in range(times) for p in words)
    once = np.zeros(round(period_s * 16_000), np.float32)
    once[3200:14_400] = 0.3 * np.sin(np.arange(11_200) * 0.05)

    clip = SpeechClip(0, 0, np.tile(once, times), 16_000, "", phones, last=True)

    values = np.array([v for _, v in mouth_frames(clip, phones, 20.0)])

    each = values[: times * 40].reshape(times, 40, 6)
    assert each.max() > 0.4
    assert np.abs(each[1:] - each[1]).max() < 0.02
