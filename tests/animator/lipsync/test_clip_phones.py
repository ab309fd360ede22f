from __future__ import annotations

import numpy as np
import pytest

from animator.lipsync import phonemes
from animator.lipsync.clip_phones import ClipPhones
from animator.lipsync.phonemes import Choice
from animator.lipsync.sources import phones_of
from animator.messages import Phone, Samples, SpeechClip
from tests.animator.lipsync.coded_speech import RATE, CodedModel, say

TEXT = "Hello mum, hello mum."
_ONCE = (("h", 60), ("ə", 60), ("l", 60), ("oʊ", 140), ("m", 80), ("ə", 100), ("m", 80))
SOUND = say(("", 200), *_ONCE, ("", 300), *_ONCE, ("", 200))


@pytest.fixture(autouse=True)
def _hears_by_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = Choice(CodedModel())
    monkeypatch.setattr(phonemes, "_chosen", lambda wanted: choice)


def piece(
    index: int, samples: Samples, *, turn: int = 1, final: bool = False, phones: tuple[Phone, ...] | None = None
) -> SpeechClip:
    text = "" if index else TEXT
    return SpeechClip(
        turn, index, samples, RATE, text, phones, final, language="en", spoken=text, continues=index > 0, final=final
    )


def test_a_clip_that_is_a_sentence_is_heard_as_a_whole() -> None:
    clip = SpeechClip(1, 0, SOUND, RATE, TEXT, None, True, language="en", spoken=TEXT)

    found = ClipPhones().hear(clip)

    assert phones_of(SOUND, RATE, TEXT, "en", model=CodedModel()).phones == found.phones
    assert ("aligned", 1, 0.0) == (found.heard.method, found.pieces, found.starts_s)


def test_pieces_of_a_sentence_are_heard_with_its_text_and_in_its_time() -> None:
    hearing = ClipPhones()
    cuts = np.split(SOUND, [4000, 9000, 14_000, 20_000])
    for index, samples in enumerate(cuts):
        found = hearing.hear(piece(index, samples, final=index == len(cuts) - 1))

    whole = phones_of(SOUND, RATE, TEXT, "en", model=CodedModel()).phones
    assert [p.ipa.strip("ˈ") for p in whole] == [p.ipa.strip("ˈ") for p in found.phones]
    assert [p.start_s for p in whole] == pytest.approx([p.start_s for p in found.phones], abs=0.02)
    assert (5, 20_000 / RATE) == (found.pieces, found.starts_s)


def test_what_was_known_for_longer_than_the_look_ahead_stays() -> None:
    hearing = ClipPhones()
    before = hearing.hear(piece(0, SOUND[:12_000]))
    after = hearing.hear(piece(1, SOUND[12_000:], final=True))

    final = [p for p in before.phones if p.end_s < 12_000 / RATE - 0.27]
    assert len(final) >= 3
    assert final == list(after.phones[: len(final)])


def test_the_phones_of_one_clip_are_told_in_its_own_time() -> None:
    hearing = ClipPhones()
    hearing.hear(piece(0, SOUND[:12_000]))
    found = hearing.hear(piece(1, SOUND[12_000:], final=True))

    own = found.own(len(SOUND[12_000:]) / RATE)

    assert own[-1].start_s == pytest.approx(found.phones[-1].start_s - 0.75)
    assert all(0.0 <= p.start_s < p.end_s <= len(SOUND[12_000:]) / RATE for p in own)


@pytest.mark.parametrize(
    "second",
    [
        piece(2, SOUND[12_000:], final=True),
        piece(1, SOUND[12_000:], turn=2, final=True),
        SpeechClip(1, 1, SOUND[12_000:], 22_050, "", None, True, continues=True),
    ],
    ids=["one is missing", "another turn", "another rate"],
)
def test_a_piece_that_does_not_follow_the_one_before_is_heard_for_itself(second: SpeechClip) -> None:
    hearing = ClipPhones()
    hearing.hear(piece(0, SOUND[:12_000]))

    found = hearing.hear(second)

    assert (1, 0.0) == (found.pieces, found.starts_s)
    assert all(p.end_s <= second.duration_s + 1e-6 for p in found.phones)


def test_a_new_sentence_forgets_one_that_never_ended() -> None:
    hearing = ClipPhones()
    hearing.hear(piece(0, SOUND[:12_000]))

    found = hearing.hear(SpeechClip(1, 1, SOUND, RATE, TEXT, None, True, language="en", spoken=TEXT))

    assert phones_of(SOUND, RATE, TEXT, "en", model=CodedModel()).phones == found.phones


def test_pieces_whose_voice_states_their_phones_are_believed() -> None:
    stated = (Phone("m", 0.0, 0.1),)
    hearing = ClipPhones()

    found = [hearing.hear(piece(k, SOUND[:4000], phones=stated)) for k in range(3)]

    assert [(stated, "durations", 1)] * 3 == [(f.phones, f.heard.method, f.pieces) for f in found]
