from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from animator.messages import Phone, SpeechClip
from app.backends.tts_piper import LEAD_IN_S, SENTENCE_PAUSE_S, PiperSynth, to_phones, trim
from app.errors import AppError
from app.policy.levels import speech_dbfs

RATE = 1000


def ipa(phones: list[Phone]) -> list[str]:
    return [phone.ipa for phone in phones]


def test_stress_joins_the_vowel_after_it_and_length_the_sound_before() -> None:
    phones = to_phones([("^", 10), ("t", 20), ("ʃ", 20), ("ˈ", 30), ("i", 40), ("ː", 50), ("z", 60), ("$", 70)], RATE)

    assert ipa(phones) == ["", "t", "ʃ", "ˈiː", "z", ""]
    assert phones[3] == Phone("ˈiː", 0.05, 0.17)


def test_a_consonant_between_stress_and_vowel_keeps_the_time_and_the_vowel_the_mark() -> None:
    phones = to_phones([("ˈ", 30), ("j", 20), ("u", 50)], RATE)

    assert phones == [Phone("j", 0.0, 0.05), Phone("ˈu", 0.05, 0.1)]


def test_gaps_and_punctuation_are_one_pause() -> None:
    phones = to_phones([("l", 10), (",", 20), (" ", 30), ("ð", 40)], RATE)

    assert phones == [Phone("l", 0.0, 0.01), Phone("", 0.01, 0.06), Phone("ð", 0.06, 0.1)]


def test_phones_leave_no_gap_and_keep_the_whole_length() -> None:
    alignment = [
        ("^", 7),
        ("h", 11),
        ("ˈ", 13),
        ("ə", 17),
        ("̃", 3),
        ("ˌ", 5),
        ("ʊ", 19),
        (".", 23),
        ("ˈ", 2),
        ("$", 29),
    ]
    phones = to_phones(alignment, RATE, start_s=2.0)

    assert phones[0].start_s == 2.0
    assert phones[-1].end_s == pytest.approx(2.0 + sum(count for _, count in alignment) / RATE)
    assert all(a.end_s == b.start_s for a, b in pairwise(phones))


def test_silence_is_trimmed_and_phones_move_with_the_sound() -> None:
    sound = np.concatenate([np.zeros(300), 0.5 * np.ones(500), np.zeros(900)]).astype(np.float32)
    phones = [Phone("", 0.0, 0.3), Phone("a", 0.3, 0.8), Phone("", 0.8, 1.7)]

    trimmed, moved = trim(sound, RATE, phones, pause_s=0.25)

    assert len(trimmed) == 50 + 500 + 250
    assert moved == [
        Phone("", 0.0, pytest.approx(0.05)),
        Phone("a", pytest.approx(0.05), pytest.approx(0.55)),
        Phone("", pytest.approx(0.55), pytest.approx(0.8)),
    ]


def test_a_sound_that_runs_to_its_end_gets_its_pause() -> None:
    trimmed, moved = trim(np.ones(500, np.float32), RATE, [Phone("a", 0.0, 0.5)], pause_s=0.1)

    assert len(trimmed) == 600
    assert moved == [Phone("a", 0.0, 0.5), Phone("", 0.5, 0.6)]


def test_a_missing_voice_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"voice\.onnx is missing") as raised:
        PiperSynth(tmp_path / "voice.onnx").load()
    assert "kuchipaku models" in raised.value.remedy


def test_a_damaged_voice_is_an_error_to_act_on(tmp_path: Path) -> None:
    (tmp_path / "voice.onnx").write_bytes(b"not a model")
    (tmp_path / "voice.onnx.json").write_text("{}")

    with pytest.raises(AppError, match="cannot be loaded"):
        PiperSynth(tmp_path / "voice.onnx").load()


@pytest.fixture(scope="module")
def voice(models: Callable[[str], Path]) -> PiperSynth:
    synth = PiperSynth(models("piper-joe") / "en_US-joe-medium.onnx")
    synth.load()
    return synth


TEXTS = (
    "Hi!",
    "Don't worry. I'll jump high; choose joy.",
    "That's a great way to start something new, isn't it?",
    "Well,",
)


@pytest.fixture(scope="module")
def clips(voice: PiperSynth) -> list[SpeechClip]:
    return [voice.synthesize(3, i, text, last=False) for i, text in enumerate(TEXTS)]


@pytest.mark.slow
def test_phones_cover_the_clip_exactly(clips: list[SpeechClip]) -> None:
    for clip in clips:
        assert clip.phones
        assert clip.phones[0].start_s == 0.0
        assert clip.phones[-1].end_s == pytest.approx(clip.duration_s, abs=1e-6)
        assert all(a.end_s == pytest.approx(b.start_s) for a, b in pairwise(clip.phones))
        assert all(phone.end_s > phone.start_s for phone in clip.phones)


@pytest.mark.slow
def test_lips_close_where_the_text_has_an_m_or_a_p(clips: list[SpeechClip]) -> None:
    sounds = [phone.ipa for phone in clips[1].phones or ()]

    assert "ˈʌ" in sounds
    assert sounds.index("m") + 1 == sounds.index("p")
    assert "ˈuː" in sounds


@pytest.mark.slow
def test_sound_lies_in_the_phones_and_silence_in_the_pauses(clips: list[SpeechClip]) -> None:
    clip = clips[2]
    loud = [np.abs(clip.samples[int(p.start_s * 22050) : int(p.end_s * 22050)]).mean() for p in clip.phones or ()]
    vowels = [level for level, p in zip(loud, clip.phones or (), strict=True) if p.ipa and p.ipa[0] == "ˈ"]
    long_pauses = [
        level for level, p in zip(loud, clip.phones or (), strict=True) if not p.ipa and p.end_s - p.start_s > 0.15
    ]

    assert min(vowels) > 5 * max(long_pauses)


@pytest.mark.slow
def test_every_clip_has_one_level_no_peak_and_soft_edges(clips: list[SpeechClip]) -> None:
    for clip in clips:
        assert clip.samples.dtype == np.float32
        assert speech_dbfs(clip.samples, clip.sample_rate) == pytest.approx(-20, abs=1.5)
        assert np.abs(clip.samples).max() <= 0.89
        assert clip.samples[0] == clip.samples[-1] == 0.0


@pytest.mark.slow
def test_clips_start_soon_and_end_with_a_breath(clips: list[SpeechClip]) -> None:
    for clip, pause_s in zip(clips, (0.25, SENTENCE_PAUSE_S, 0.25, 0.10), strict=True):
        loud = np.flatnonzero(np.abs(clip.samples) > 0.02)
        assert loud[0] / clip.sample_rate < LEAD_IN_S + 0.06
        assert clip.duration_s - loud[-1] / clip.sample_rate == pytest.approx(pause_s, abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["", "...", "?!"])
def test_nothing_to_say_is_a_clip_of_no_samples(voice: PiperSynth, text: str) -> None:
    clip = voice.synthesize(1, 0, text, last=True)

    assert (len(clip.samples), clip.phones, clip.last) == (0, (), True)


@pytest.mark.slow
def test_a_faster_voice_is_shorter(voice: PiperSynth, models: Callable[[str], Path]) -> None:
    quick = PiperSynth(models("piper-joe") / "en_US-joe-medium.onnx", speed=1.5)
    quick.load()
    text = "The quick brown fox jumps over the lazy dog."

    # The voice says a sentence a little differently each time.
    fast, usual = (sum(each.synthesize(1, k, text, True).duration_s for k in range(4)) for each in (quick, voice))

    assert fast / usual == pytest.approx(1 / 1.5, abs=0.12)


@pytest.mark.slow
def test_the_pace_changes_with_the_next_sentence_and_the_voice_is_not_loaded_anew(voice: PiperSynth) -> None:
    # Long enough that the pauses around it and the voice's own whims do not count.
    text = "The quick brown fox jumps over the lazy dog."
    usual = voice.synthesize(1, 0, text, last=True).duration_s
    voice.set_speed(1.5)
    try:
        fast = voice.synthesize(1, 1, text, last=True).duration_s
    finally:
        voice.set_speed(1.0)

    assert fast < 0.85 * usual
