"""Packs of labelled speech are what they say: phones without a gap, sound where the index says it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from animator.lipsync.training import corpus
from animator.lipsync.training.pack import PackWriter, check_phones, read_index, read_pack
from animator.lipsync.training.speakers import Voice
from animator.lipsync.training.speech import Utterance, fill, quiet_pauses
from animator.lipsync.training.texts import HELD_OUT, WRITTEN, Texts


def _noise(seconds: float, seed: int, loud: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(round(seconds * 16_000)) * loud).clip(-1, 1).astype(np.float32)


def _write(folder: Path, utterances: list[Utterance]) -> None:
    with PackWriter(folder, "t") as pack:
        for i, utterance in enumerate(utterances):
            pack.add(
                utterance, voice="v", engine="e", language="en", split="train", text=str(i), plosive_lead_s={"p": 0.03}
            )


def test_a_pack_gives_back_what_was_written_and_opus_shifts_nothing(tmp_path: Path) -> None:
    written = [Utterance(_noise(s, i), (("", 0.0, 0.1), ("aɪ", 0.1, s))) for i, s in enumerate((0.5, 0.8, 0.37))]
    _write(tmp_path, written)

    for (entry, sound), utterance in zip(read_pack(tmp_path), written, strict=True):
        assert utterance.phones == entry.phones
        assert {"p": 0.03} == entry.plosive_lead_s
        shifts = np.fft.irfft(np.fft.rfft(sound, 16_384) * np.conj(np.fft.rfft(utterance.samples, 16_384)))
        assert 0 == int(np.argmax(shifts))


def test_phones_with_a_gap_are_not_packed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected it to start at 0\.1000"):
        _write(tmp_path, [Utterance(_noise(0.5, 1), (("", 0.0, 0.1), ("a", 0.2, 0.5)))])


def test_phones_that_end_before_their_sound_are_not_packed() -> None:
    with pytest.raises(ValueError, match="end at"):
        check_phones((("a", 0.0, 0.4),), 0.5)


def test_an_index_that_points_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, [Utterance(_noise(0.5, 1), (("a", 0.0, 0.5),))])
    index = json.loads((tmp_path / "index.json").read_text("utf-8"))
    index["utterances"][0]["file"] = "../secret.ogg"
    (tmp_path / "index.json").write_text(json.dumps(index), "utf-8")

    with pytest.raises(ValueError, match="plain file name"):
        read_index(tmp_path)


def test_filling_makes_gaps_pauses_and_one_of_neighbouring_pauses() -> None:
    phones = fill([("a", 0.1, 0.2), ("", 0.2, 0.3), ("b", 0.4, 0.5)], 0.6)

    assert (("", 0.0, 0.1), ("a", 0.1, 0.2), ("", 0.2, 0.4), ("b", 0.4, 0.5), ("", 0.5, 0.6)) == phones


def test_phones_that_run_backwards_are_refused() -> None:
    with pytest.raises(ValueError, match="follows"):
        fill([("a", 0.1, 0.3), ("b", 0.2, 0.4)], 0.6)


def test_quiet_beside_a_pause_belongs_to_it_but_for_a_plosives_closure() -> None:
    sound = np.concatenate([np.zeros(4800, np.float32), _noise(0.3, 1), np.zeros(4800, np.float32)])

    vowel = quiet_pauses(Utterance(sound, (("", 0.0, 0.2), ("a", 0.2, 0.7), ("", 0.7, 0.9))))
    plosive = quiet_pauses(Utterance(sound, (("", 0.0, 0.2), ("p", 0.2, 0.5), ("a", 0.5, 0.9))))

    assert [0.3, 0.6] == [round(t, 3) for t in vowel.phones[1][1:]]
    assert 0.25 == round(plosive.phones[1][1], 3)


def test_a_plan_speaks_the_same_texts_in_the_same_voices_each_time(tmp_path: Path) -> None:
    voices = (Voice("espeak", "hi", "hi"), Voice("espeak", "hi+f1", "hi"))
    plan = corpus.Plan("espeak-hi", voices, "hi", 12.0, "train", 7)

    for name in ("a", "b"):
        corpus.run_plan(plan, tmp_path / name)

    entries, again = read_index(tmp_path / "a"), read_index(tmp_path / "b")
    assert [(e.text, e.voice) for e in entries] == [(e.text, e.voice) for e in again]
    assert [[ipa for ipa, _, _ in e.phones] for e in entries] == [[ipa for ipa, _, _ in e.phones] for e in again]
    assert {"hi", "hi+f1"} == {e.voice for e in entries}
    assert sum(e.seconds for e in entries) >= 12.0
    assert corpus.LEADS["espeak"] == entries[0].plosive_lead_s


def test_merged_packs_hold_the_utterances_of_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with PackWriter(tmp_path / name, name) as pack:
            pack.add(
                Utterance(_noise(0.5, 1), (("a", 0.0, 0.5),)),
                voice=name, engine="e", language="en", split="train", text="", plosive_lead_s={},
            )  # fmt: skip

    corpus.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all")

    assert ["a", "b"] == [entry.voice for entry, _ in read_pack(tmp_path / "all")]


def test_texts_repeat_for_the_same_seed_and_differ_for_another() -> None:
    first, again, other = ([t for t, _ in zip(Texts("en", s), range(20), strict=False)] for s in (1, 1, 2))

    assert first == again
    assert first != other


def test_held_out_sentences_are_never_trained_on() -> None:
    for language, sentences in HELD_OUT.items():
        assert not set(sentences) & set(WRITTEN[language])
        assert sentences[:5] == corpus.held_out_texts(language, 5)
