from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from animator.lipsync import phone_files, phonemes, response, visemes
from animator.lipsync.hama_model import HamaModel
from animator.lipsync.mouth_track import MouthTrack
from animator.lipsync.phone_files import PhoneSourceError, load_model
from animator.lipsync.phonemes import LOUDNESS, best_source, choose, heard_in, phones_for, source_for
from animator.lipsync.sources import phones_of
from animator.messages import Phone, Samples, SpeechClip

RATE = 22_050
RNG = np.random.default_rng(3)

needs_hama = pytest.mark.skipif(sys.platform == "win32", reason="the package hama has no Windows library")


@pytest.fixture(autouse=True)
def _as_nobody_chose() -> Iterator[None]:
    yield
    choose(phonemes.DEFAULT)


def seconds(length_s: float) -> np.ndarray:
    return np.arange(int(length_s * RATE)) / RATE


def syllables(count: int) -> Samples:
    """`count` bursts of 150 ms with 100 ms between them, in a second of silence on either side."""
    t = seconds(2 + 0.25 * count)
    on = ((t >= 1) & (t < 1 + 0.25 * count)) & (((t - 1) % 0.25) < 0.15)
    return (0.4 * on * np.sin(2 * np.pi * 140 * t)).astype(np.float32)


MUSIC = (0.2 * sum(np.sin(2 * np.pi * f * seconds(2)) for f in (220, 277, 330))).astype(np.float32)
ODD_SOUNDS: dict[str, Samples] = {
    "empty": np.zeros(0, np.float32),
    "three samples": np.full(3, 0.5, np.float32),
    "50 ms": syllables(2)[RATE : RATE + RATE // 20],
    "silence": np.zeros(RATE, np.float32),
    "faint hiss": (1e-4 * RNG.standard_normal(RATE)).astype(np.float32),
    "noise": (0.2 * RNG.standard_normal(2 * RATE)).astype(np.float32),
    "music": MUSIC,
    "not a number": np.full(RATE, np.nan, np.float32),
    "clipped": np.sign(MUSIC) * 3,
}


@pytest.mark.parametrize("text", ["", "Please bring my umbrella.", "😀"])
@pytest.mark.parametrize("name", ODD_SOUNDS)
def test_any_sound_gives_phones_inside_the_clip_in_order(name: str, text: str) -> None:
    samples = ODD_SOUNDS[name]
    found = phones_for(samples, RATE, text, "en")

    assert all(0 <= p.start_s < p.end_s <= len(samples) / RATE + 1e-6 for p in found)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in itertools.pairwise(found))
    assert all(visemes.parts(p.ipa) for p in found)
    MouthTrack(found, samples, RATE).at(0.1)


@pytest.mark.parametrize("name", ["empty", "silence", "faint hiss", "not a number"])
def test_nothing_is_said_in_silence(name: str) -> None:
    assert phones_for(ODD_SOUNDS[name], RATE) == ()


@pytest.mark.parametrize("name", ["noise", "music"])
@pytest.mark.parametrize("text", ["", "Please bring my umbrella."])
def test_the_mouth_does_not_flap_to_noise_and_chords(name: str, text: str) -> None:
    samples = ODD_SOUNDS[name]
    track = MouthTrack(phones_for(samples, RATE, text, "en"), samples, RATE)

    areas = np.array([float(response.area(track.at(float(t)))) for t in np.arange(0, 2, 1 / 60)])
    moves = np.diff(areas)[np.abs(np.diff(areas)) > 0.01]
    assert int((np.diff(np.sign(moves)) != 0).sum()) / 2.0 <= 10.0


@pytest.mark.parametrize("source", ["best", "loudness"])
def test_the_mouth_does_not_flap_in_the_silence_around_sound(source: str) -> None:
    samples = syllables(4)
    found = phones_for(samples, RATE) if source == "best" else LOUDNESS.phones(samples, RATE)
    track = MouthTrack(found, samples, RATE)

    quiet = [*np.arange(0.0, 0.8, 1 / 60), *np.arange(2.2, 3.0, 1 / 60)]

    assert max(float(response.area(track.at(float(t)))) for t in quiet) == 0.0


def test_loudness_finds_one_vowel_per_syllable() -> None:
    found = LOUDNESS.phones(syllables(4), RATE)

    assert len(found) == 4
    for k, phone in enumerate(found):
        assert phone.start_s == pytest.approx(1 + 0.25 * k, abs=0.04)
        assert phone.end_s == pytest.approx(1.15 + 0.25 * k, abs=0.06)


def clip(samples: Samples, phones: tuple[Phone, ...] | None = None, spoken: str = "") -> SpeechClip:
    return SpeechClip(1, 0, samples, RATE, spoken, phones, last=True, language="en", spoken=spoken)


def test_a_clip_whose_voice_states_its_phones_is_believed() -> None:
    stated = (Phone("m", 0.0, 0.1),)

    heard = heard_in(clip(syllables(1), stated))

    assert (stated, "durations") == (heard.phones, heard.method)


def test_without_any_model_the_loudness_is_left_and_the_reasons_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise PhoneSourceError(f"{name} does not run.")

    monkeypatch.setattr(phone_files, "load_model", none)
    phonemes._chosen.cache_clear()
    try:
        choice = best_source()
        heard = heard_in(clip(syllables(3)))
    finally:
        phonemes._chosen.cache_clear()

    assert (None, "own does not run.; hama does not run.") == (choice.model, choice.reason)
    assert (LOUDNESS.phones(syllables(3), RATE), "loudness") == (heard.phones, heard.method)


@needs_hama
def test_a_model_that_is_not_there_is_replaced_and_that_is_said() -> None:
    choose("/nowhere/at/all")

    choice = best_source()

    assert choice.model is not None
    assert "There is no phone model '/nowhere/at/all'" in choice.reason


@needs_hama
@pytest.mark.parametrize(
    ("language", "name"), [("en", "hama"), ("en-gb", "hama"), ("ja", "own"), ("hi", "own"), ("", "own")]
)
def test_each_language_is_heard_by_the_model_that_knows_it_best(language: str, name: str) -> None:
    assert source_for(language).model is phonemes._chosen(name).model


@needs_hama
@pytest.mark.parametrize(("language", "name"), [("en", "hama"), ("ja", "own")])
def test_a_clip_is_heard_by_the_model_of_its_language(language: str, name: str) -> None:
    spoken = SpeechClip(1, 0, syllables(3), RATE, "", None, last=True, language=language)

    assert heard_in(spoken).model == name


def test_a_model_that_was_chosen_by_name_hears_every_language() -> None:
    choose("own")

    assert source_for("en").model is phonemes._chosen("own").model


def test_where_hama_does_not_run_english_is_heard_by_our_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_model("own")

    def only_own(name: str) -> object:
        if name == "hama":
            raise PhoneSourceError("hama does not run.")
        return own

    monkeypatch.setattr(phone_files, "load_model", only_own)
    phonemes._chosen.cache_clear()
    try:
        found = source_for("en").model
    finally:
        phonemes._chosen.cache_clear()

    assert found is own


@needs_hama
def test_the_chosen_model_is_used() -> None:
    choose("hama")

    choice = best_source()

    assert choice.model is not None
    assert ("hama", "") == (choice.model.name, choice.reason)


@pytest.mark.parametrize("name", ["", "whisper", "~", "\0", "x" * 3000, "hama/../hama"])
def test_a_name_that_is_no_model_says_what_to_choose(name: str) -> None:
    with pytest.raises(PhoneSourceError):
        load_model(name)


def test_an_onnx_file_that_is_no_phone_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"nothing")

    with pytest.raises(PhoneSourceError, match=r"other\.onnx"):
        load_model(str(path))


def test_without_a_library_hama_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    assert HamaModel.load() is None


@pytest.fixture(scope="module")
def hama() -> HamaModel:
    model = HamaModel.load()
    assert model is not None
    return model


@needs_hama
@pytest.mark.slow
def test_the_phones_of_a_known_text_lie_where_a_real_voice_says_them(
    spoken: tuple[SpeechClip, ...], hama: HamaModel
) -> None:
    """Against the voice's own timing, hidden from the aligner: every p b m, and onsets within 40 ms."""
    late_s: list[float] = []
    closures = found = 0
    for said in spoken:
        heard = phones_of(said.samples, said.sample_rate, said.text, "en", model=hama)
        assert "aligned" == heard.method
        starts = {name: [p.start_s for p in heard.phones if visemes.normalise(p.ipa) == name] for name in "pbm"}
        for phone in said.phones or ():
            near = [s - phone.start_s for s in starts.get(visemes.normalise(phone.ipa), [])]
            if visemes.normalise(phone.ipa) in starts:
                closures += 1
                late_s += [min(near, key=abs)] if near else []
                found += int(bool(near) and min(map(abs, near)) <= 0.06)

    assert closures >= 25
    assert found / closures >= 0.95
    assert abs(float(np.median(late_s))) <= 0.012
    assert float(np.median(np.abs(late_s))) <= 0.018


@needs_hama
@pytest.mark.slow
def test_p_b_m_heard_in_a_real_voice_close_the_lips_where_they_are_said(
    spoken: tuple[SpeechClip, ...], hama: HamaModel
) -> None:
    """Without a text; within ±60 ms, at 30 fps."""
    closed = count = 0
    for said in spoken:
        heard = phones_of(said.samples, said.sample_rate, model=hama)
        track = MouthTrack(heard.phones, said.samples, said.sample_rate)
        times = np.arange(0, said.duration_s, 1 / 30)
        widest = np.array([track.at(float(t)).max() for t in times])
        for phone in said.phones or ():
            if visemes.normalise(phone.ipa) in {"p", "b", "m"}:
                count += 1
                near = (times >= phone.start_s - 0.06) & (times <= phone.end_s + 0.06)
                closed += int(widest[near].min() <= 0.05)

    assert count >= 25
    assert closed / count >= 0.85


@needs_hama
@pytest.mark.slow
def test_sounds_heard_in_a_real_voice_move_the_mouth_as_the_known_ones_do(
    spoken: tuple[SpeechClip, ...], hama: HamaModel
) -> None:
    likeness = []
    for said in spoken:
        heard = phones_of(said.samples, said.sample_rate, model=hama)
        known = MouthTrack(said.phones or (), said.samples, said.sample_rate)
        track = MouthTrack(heard.phones, said.samples, said.sample_rate)
        times = np.arange(0, said.duration_s, 1 / 30)
        areas = [[float(response.area(each.at(float(t)))) for t in times] for each in (track, known)]
        likeness.append(np.corrcoef(areas)[0, 1])

    assert np.mean(likeness) > 0.6


@needs_hama
@pytest.mark.slow
def test_long_sound_is_heard_as_a_whole(spoken: tuple[SpeechClip, ...], hama: HamaModel) -> None:
    once = spoken[0]
    found = phones_of(np.tile(once.samples, 12), once.sample_rate, model=hama).phones

    per_repeat = [
        sum(1 for p in found if k * once.duration_s <= p.start_s < (k + 1) * once.duration_s) for k in range(12)
    ]
    assert min(per_repeat) >= 0.85 * max(per_repeat) > 30
