"""What neighbours and languages make of a sound. Phones are as eSpeak-NG writes them."""

from __future__ import annotations

import numpy as np
import pytest

from animator.lipsync import features, response, visemes
from animator.lipsync.mouth_track import MouthTrack
from animator.lipsync.segments import DEVOICED_GAIN, segments_of
from animator.messages import Phone

RATE = 16_000
SHUT = 0.05
Sounds = str


def said(sounds: Sounds, length_ms: float = 80) -> list[Phone]:
    """Phones of equal length from 0.1 s on, written with spaces between; "_" is a pause of 300 ms."""
    phones, at_s = [], 0.1
    for ipa in sounds.split():
        length_s = 0.3 if ipa == "_" else length_ms / 1000
        phones.append(Phone("" if ipa == "_" else ipa, at_s, at_s + length_s))
        at_s += length_s
    return phones


def shapes(sounds: Sounds, language: str = "") -> list[str]:
    return [s.viseme.name if s.viseme else "-" for s in segments_of(said(sounds), language)]


def gains(sounds: Sounds, language: str) -> list[float]:
    return [s.gain for s in segments_of(said(sounds), language)]


@pytest.mark.parametrize(
    ("sounds", "language", "names"),
    [
        ("s ä ɴ p o̞", "ja", ["SS", "aa", "PP", "PP", "oh"]),  # さんぽ: ɴ closes as its p does
        ("s ä ũ p o̞", "ja", ["SS", "aa", "PP", "PP", "oh"]),  # ... as eSpeak-NG writes it
        ("ɕ i ũ b ɯᵝ ɴ", "ja", ["SS", "ii", "PP", "PP", "mu", "KK"]),  # しんぶん
        ("h o̞ n d e̞ s ɯᵝ", "ja", ["KK", "oh", "NN", "DD", "E", "SS", "mu"]),
        ("k i p p ɯᵝ", "ja", ["KK", "ii", "PP", "PP", "mu"]),  # きっぷ
        ("k i ʔ p ɯᵝ", "ja", ["KK", "ii", "PP", "PP", "mu"]),
        ("n ʔ t", "ja", ["NN", "KK", "DD"]),
        ("ɕ ɯᵝ", "ja", ["SS", "mu"]),  # spread, not rounded as English ʃ
        ("ɸ ɯᵝ", "ja", ["BV", "mu"]),
        ("ɟ ˈʌ l", "hi", ["CH", "ah", "NN"]),  # जल
        ("c ˈaː j", "hi", ["CH", "aa", "JJ"]),  # चाय
        ("ʋ ˈoː ʈ", "hi", ["WW", "oh", "DD"]),  # वोट: rounded before o
        ("ʋ ˈaː p ə s", "hi", ["BV", "aa", "PP", "ah", "SS"]),  # वापस
        ("pʰ ˈuː l", "hi", ["PP", "KK", "uu", "NN"]),  # फूल: shut, then a breath
        ("bʰ ˈaː i", "hi", ["PP", "KK", "aa", "ii"]),
        ("mʱ a", "hi", ["PP", "aa"]),
        ("c ˈaː j ʋ", "en", ["CH", "aa", "JJ", "BV"]),  # Hinglish: Hindi letters in an English sentence
        ("c ˈaː", "hu", ["JJ", "aa"]),  # c is a palatal stop where no Indian language is spoken
        ("t y ʁ", "fr", ["DD", "yy", "KK"]),
        ("m a tʲ", "ru", ["PP", "aa", "DD"]),
        ("q a l b", "ar", ["QH", "aa", "NN", "PP"]),
        ("ɪ n b", "en", ["ih", "NN", "PP"]),  # n stays n in English
    ],
)
def test_a_language_has_its_own_shapes(sounds: str, language: str, names: list[str]) -> None:
    assert names == shapes(sounds, language)


def test_japanese_i_and_u_between_voiceless_consonants_are_hardly_seen() -> None:
    assert [1.0, DEVOICED_GAIN, 1.0, 1.0] == gains("k ɯᵝ s ä", "ja")  # くさ
    assert [1.0, DEVOICED_GAIN, 1.0, 1.0] == gains("ɕ i t ä", "ja")
    assert [1.0, 1.0, 1.0, 1.0] == gains("k i n o̞", "ja")
    assert [1.0, 1.0, DEVOICED_GAIN] == gains("d s ɯᵝ", "ja")  # です at the end
    assert gains("s iː t ə", "en") == [1.0, 1.0, 1.0, 1.0]  # only in Japanese
    assert gains("k i̥ t", "") == [1.0, DEVOICED_GAIN, 1.0]  # or where it is written


def test_a_sokuon_and_a_long_p_hold_the_lips_for_their_length() -> None:
    for sounds in ("k i p p ɯᵝ", "k i ʔ p ɯᵝ"):
        track = MouthTrack(said(sounds, 100), np.zeros(0, np.float32), RATE, language="ja")
        assert all(track.at(float(t), 1 / 60).max() <= SHUT for t in np.arange(0.29, 0.40, 0.01))
    long = MouthTrack(
        [Phone("a", 0.1, 0.3), Phone("pː", 0.3, 0.5), Phone("a", 0.5, 0.7)], np.zeros(0, np.float32), RATE
    )
    assert all(long.at(float(t), 1 / 60).max() <= SHUT for t in np.arange(0.28, 0.44, 0.01))


def test_an_aspirated_p_is_open_before_its_vowel_is_heard() -> None:
    phones = [Phone("a", 0.1, 0.3), Phone("pʰ", 0.3, 0.42), Phone("aː", 0.42, 0.6)]
    track = MouthTrack(phones, np.zeros(0, np.float32), RATE, language="hi")

    assert track.at(0.29, 1 / 60).max() <= SHUT
    assert float(response.area(track.at(0.40, 1 / 60))) > 0.15


def test_a_palatalised_consonant_is_wider_and_a_labialised_one_rounder() -> None:
    plain, palatal, labial = (visemes.classify(ipa).weights for ipa in ("k", "kʲ", "kʷ"))

    assert palatal[1] == pytest.approx(plain[1] + visemes.PALATALISED_I)
    assert labial[2] == pytest.approx(plain[2] + visemes.LABIALISED_U)
    assert visemes.classify("pʲ") is visemes.CLASSES["PP"]


@pytest.mark.parametrize(
    ("letter", "name"),
    [
        ("ᵽ", "PP"),  # p with stroke
        ("ᶊ", "SS"),  # s with palatal hook: a sibilant still
        ("ᶀ", "PP"),  # b with palatal hook: lips count before the tongue
        ("ᵹ", "KK"),
        ("ᶚ", "CH"),  # ezh with retroflex hook
        ("ᶕ", "schwa"),
        ("ж", "schwa"),  # nothing is known of it
    ],
)
def test_an_unknown_letter_looks_like_its_nearest_neighbour_by_features(letter: str, name: str) -> None:
    visemes.unknown_segments.clear()
    visemes._lookup.cache_clear()

    assert name == visemes.classify(letter).name
    assert visemes.unknown_segments == {letter: 1}


def test_a_sound_taken_out_of_the_table_falls_to_its_neighbour_on_the_chart() -> None:
    table = visemes.TABLE_OF_ASSETS
    for gone, stand_in in (("ɓ", "PP"), ("ɱ", "FF"), ("ø", "oh"), ("ɯ", "ih"), ("χ", "KK"), ("ʐ", "CH"), ("ɐ", "ae")):
        left = {symbol: v for symbol, v in table.by_symbol.items() if symbol != gone}
        nearest = features.nearest(gone, left)
        assert nearest is not None
        assert stand_in == left[nearest].name, gone


def test_every_single_letter_of_the_table_has_features() -> None:
    letters = {s for s in visemes.TABLE_OF_ASSETS.by_symbol if len(s) == 1} - set("ʧʤ")

    assert set() == letters - set(features.FEATURES)


LIPS = ("p", "b", "m")
OTHERS = ("ˈɑː", "ɪ", "ˈuː", "t", "s", "ʃ", "w", "ɹ", "ə", "ˈoʊ", "k", "f", "n", "l", "ɛ", "j", "")


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60, 75, 90, 120])
@pytest.mark.parametrize("seed", range(6))
def test_every_p_b_m_of_any_string_is_drawn_shut_at_any_frame_rate_tempo_and_phase(seed: int, fps: float) -> None:
    """The hard rule: at least one drawn frame with all six open parameters at most 0.05, within 40 ms of the label."""
    chance = np.random.default_rng(seed)
    tempo = float(chance.uniform(0.6, 1.8))
    phones, at_s = [], 0.0
    for _ in range(60):
        ipa = str(chance.choice(LIPS)) if chance.random() < 0.3 else str(chance.choice(OTHERS))
        length_s = float(chance.uniform(0.025, 0.16)) / tempo
        phones.append(Phone(ipa, at_s, at_s + length_s))
        at_s += length_s
    sound = (
        (0.2 * chance.standard_normal(round(at_s * RATE))).astype(np.float32) if seed % 2 else np.zeros(0, np.float32)
    )
    track = MouthTrack(phones, sound, RATE)

    for phase in chance.uniform(0, 1, 4):
        times = np.arange(-0.1 + phase / fps, at_s + 0.1, 1 / fps)
        shut = np.array([track.at(float(t), 1 / fps).max() <= SHUT for t in times])
        for phone in phones:
            if phone.ipa in LIPS:
                near = (times >= phone.start_s - 0.04) & (times <= phone.end_s + 0.04)
                assert shut[near].any(), (phone, fps, float(phase))
