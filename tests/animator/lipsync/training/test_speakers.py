"""Voices that state their phone times: the times are those of the sound."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.lipsync import visemes
from animator.lipsync.training import convention, kana, speakers_festival, speakers_flite, speakers_openjtalk
from animator.lipsync.training.speakers import ESPEAK_HELD_OUT, ESPEAK_VARIANTS, Voice, espeak_voices
from animator.lipsync.training.speakers_espeak import EspeakSpeaker, espeak_phones, espeak_words, phones_of_events
from animator.lipsync.training.speakers_piper import PiperSpeaker, joined, phones_of_alignment
from animator.lipsync.training.speech import EngineMissing, Utterance, level_db

SENTENCES = {
    "en-us": "Papa bought a big bucket. A happy puppy ate the bait, about to go back again.",
    "ja": "ぱぱは、たべた。かばと、ばっぐ。",
    "hi": "पापा, बाबा और चाचा का डिब्बा।",
}


@pytest.mark.parametrize("voice", ["en-us", "en-us+f2", "en+klatt2", "ja", "hi+m3"])
def test_espeaks_phones_cover_its_sound_without_a_gap(voice: str) -> None:
    utterance = EspeakSpeaker(voice, "x").speak(SENTENCES.get(voice.split("+")[0], SENTENCES["en-us"]))

    ends = [0.0, *(end for _, _, end in utterance.phones)]

    assert [start for _, start, _ in utterance.phones] == ends[:-1]
    assert utterance.seconds == ends[-1]


def test_espeak_says_p_t_k_at_their_burst_and_b_d_g_at_their_closure() -> None:
    """36 ms is what `corpus.LEADS` moves the voiceless ones by."""
    speaker = EspeakSpeaker("en-us", "en")

    found = convention.measure(speaker.speak(SENTENCES["en-us"], speed) for speed in (0.8, 0.9, 1.0, 1.1))

    assert found["p"].lead_s == pytest.approx(0.036, abs=0.012)
    assert found["k"].lead_s == pytest.approx(0.036, abs=0.012)
    assert found["b"].lead_s == pytest.approx(0.0, abs=0.010)


def test_espeak_is_quiet_where_it_states_a_pause() -> None:
    utterance = EspeakSpeaker("en-us", "en").speak("Papa. Mama. Baby.")
    level = level_db(utterance.samples)
    pauses = [(s, e) for ipa, s, e in utterance.phones if not ipa and e - s > 0.1]

    assert len(pauses) >= 2
    for start_s, end_s in pauses:
        assert np.max(level[round(start_s * 100) + 2 : round(end_s * 100) - 2]) < np.max(level) - 40


def test_espeak_is_faster_and_higher_when_told() -> None:
    speaker = EspeakSpeaker("en-us", "en")
    low, high = (speaker.speak("A long, long banana.", pitch=p).samples for p in (0.3, 1.7))

    assert speaker.speak("A long banana.", speed=1.4).seconds < 0.8 * speaker.speak("A long banana.").seconds
    assert _pitch_hz(high) > 1.3 * _pitch_hz(low)


def _pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.fft.rfft(samples, 1 << 18)
    together = np.fft.irfft(np.abs(spectrum) ** 2)[:400]
    return 16_000 / (40 + int(np.argmax(together[40:])))


def test_a_bare_mark_of_espeak_joins_the_sound_before_it() -> None:
    phones = phones_of_events([("", 0), ("k", 100), ("ʲ", 150), ("o", 300), ("", 400)], 400, 1000)

    assert [("", 0.0, 0.1), ("kʲ", 0.1, 0.3), ("o", 0.3, 0.4)] == phones


def test_a_text_without_a_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        EspeakSpeaker("en-us", "en").speak("...")


def test_an_unknown_espeak_voice_is_named() -> None:
    with pytest.raises(ValueError, match="tlh-nowhere"):
        EspeakSpeaker("tlh-nowhere", "x").speak("hello")


def test_espeak_gives_the_sounds_of_a_text_and_of_each_word() -> None:
    assert ["h", "ə", "l", "oʊ"] == [p.strip("ˈˌ") for p in espeak_phones("hello")]
    assert [["b", "ɪ", "ɡ"], ["b", "ɔɪ"]] == [[p.strip("ˈˌ") for p in word] for word in espeak_words("big boy")]


def test_pipers_phones_follow_its_sound(models: Callable[[str], Path]) -> None:
    """Its b and p are labelled about at their burst: 20 to 80 ms after the closure begins."""
    speaker = PiperSpeaker(next(models("piper-joe").glob("*.onnx")))

    utterances = [speaker.speak("Papa bought a bucket."), speaker.speak("A happy puppy ate about a bite.", speed=0.9)]

    assert all(u.phones[-1][2] == u.seconds for u in utterances)
    assert {"aɪ", "b", "p"} <= {visemes.normalise(ipa) for u in utterances for ipa, _, _ in u.phones}
    assert 0.01 < convention.measure(utterances)["all"].lead_s < 0.08


def test_the_sound_goes_on_between_pipers_words(models: Callable[[str], Path]) -> None:
    utterance = PiperSpeaker(next(models("piper-joe").glob("*.onnx"))).speak("We saw one more")

    said = [ipa.strip("ˈˌ") for ipa, _, _ in utterance.phones]
    assert ["", "w", "iː", "s", "ɔː", "w", "ʌ", "n", "m", "ɔː", "ɹ", ""] == said


def test_pipers_marks_join_their_vowel_and_units_their_letters() -> None:
    symbols = [("^", 10), ("ˈ", 5), ("a", 10), ("ɪ", 10), ("ː", 5), (" ", 7), ("t", 10), ("ʃ", 10), ("ˈ", 5), ("ɪ", 10)]

    phones = joined(phones_of_alignment(symbols, 100), ("aɪ", "tʃ"))

    assert ["", "ˈa", "ɪː", " ", "tʃ", "ˈɪ"] == [ipa for ipa, _, _ in phones]
    assert 0.82 == phones[-1][2]


def test_flites_listing_starts_again_with_every_sentence() -> None:
    listing = "pau:0.2 b:0.3 iy:0.5 \npau:0.1 hh:0.2 \n"

    phones = speakers_flite.phones_of_listing(listing)

    assert [("", 0.0, 0.2), ("b", 0.2, 0.3), ("iː", 0.3, 0.5), ("", 0.5, 0.6), ("h", 0.6, 0.7)] == [
        (ipa, round(s, 3), round(e, 3)) for ipa, s, e in phones
    ]


def test_festivals_segments_are_read() -> None:
    text = "#\n0.2200 100 pau\n0.3000 100 bh\n0.4500 100 aa\n"

    phones = speakers_festival.phones_of_segments(text, speakers_festival.VOICES["nsk"].phones)

    assert [("", 0.0, 0.22), ("bʰ", 0.22, 0.3), ("aː", 0.3, 0.45)] == phones


def test_open_jtalks_trace_is_read() -> None:
    trace = (
        "[Output label]\n0 2700000 xx^xx-sil+ky=o/A:xx\n2700000 3650000 xx^sil-ky+o=o/A:1\n"
        "3650000 4250000 sil^ky-o+o=w/A:2\n\n[Global parameter]\n1 2 a^b-c+d=e\n"
    )

    assert [("sil", 0.0, 0.27), ("ky", 0.27, 0.365), ("o", 0.365, 0.425)] == [
        (symbol, round(s, 4), round(e, 4)) for symbol, s, e in speakers_openjtalk.phones_of_trace(trace)
    ]


@pytest.mark.parametrize(
    ("make", "package"),
    [
        (lambda: speakers_flite.FliteSpeaker("slt"), "flite"),
        (lambda: speakers_festival.FestivalSpeaker("nsk"), "festvox-hi-nsk"),
        (lambda: speakers_openjtalk.OpenJTalkSpeaker(), "open-jtalk-mecab-naist-jdic"),
    ],
)
def test_an_engine_that_is_not_installed_names_its_package(
    make: Callable[[], object], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(EngineMissing, match=package):
        make()


def test_kana_writes_long_vowels_out() -> None:
    assert "ケンキュウ、パアティイ" == kana.written_out("ケンキュー、パーティー")


def test_japanese_without_open_jtalks_dictionary_names_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kana, "DICTIONARY", tmp_path / "none")
    kana.open_jtalk.cache_clear()

    with pytest.raises(EngineMissing, match="open-jtalk-mecab-naist-jdic"):
        kana.to_kana("猫")


def test_held_out_voices_are_never_trained_on() -> None:
    for language in ("en", "ja", "hi"):
        held_out = {v.name for v in espeak_voices(language, True)}

        assert held_out.isdisjoint(v.name for v in espeak_voices(language, False))
        assert len(held_out) >= 3
    assert not set(ESPEAK_HELD_OUT) & set(ESPEAK_VARIANTS)


def test_every_espeak_voice_can_speak() -> None:
    for variant in (*ESPEAK_VARIANTS, *ESPEAK_HELD_OUT):
        voice = f"en-us+{variant}" if variant else "en-us"
        assert isinstance(Voice("espeak", voice, "en").make().speak("Oh."), Utterance)


def test_an_engine_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="festival"):
        Voice("parrot", "polly", "en").make()
