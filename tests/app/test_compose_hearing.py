"""What the user writes under [hearing] reaches the parts that listen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from animator.messages import Samples
from app import compose
from app.bus import Bus
from app.settings import HearingSettings, Settings
from app.stages.vad import VadStage
from tests.fakes import (
    RATE,
    FakeChat,
    FakeClock,
    FakeDetector,
    FakeMicrophone,
    FakeSpeaker,
    FakeSynth,
    FakeTranscriber,
    FakeTurnDetector,
)


class PlayingSpeaker(FakeSpeaker):
    """A loudspeaker that can say what it played."""

    def played(self) -> tuple[Samples, int, int]:
        return np.zeros(0, np.float32), RATE, 0


def line_of(hearing: HearingSettings, speaker: FakeSpeaker, *, from_file: bool = False) -> Any:
    clock = FakeClock()
    parts = compose.Parts(FakeDetector(), FakeTranscriber(), FakeChat("Yes."), FakeSynth(), FakeTurnDetector(0.9))
    settings = replace(Settings(), hearing=hearing, brain=replace(Settings().brain, memory=False))
    character = compose.character_of(compose.find_character("haru"))
    return compose.build_line(
        Bus(clock.now_ns), clock, settings, character, parts, FakeMicrophone(), speaker, None, from_file=from_file
    )


def vad_of(line: Any) -> VadStage:
    return next(stage for stage in line._stages if stage.name == "vad")


def test_threshold_patience_and_what_interrupts_reach_the_part_that_decides() -> None:
    chosen = HearingSettings(threshold=0.8, patience=1.7, min_silence_ms=900, interrupt_ms=750, interrupt_words=3)

    hearing = vad_of(line_of(chosen, FakeSpeaker()))._hearing

    assert hearing.endpointing.threshold == 0.8
    assert hearing.endpointing.neg_threshold < 0.8
    assert (hearing.turn_end.patience, hearing.turn_end.without_detector_ms) == (1.7, 900)
    assert (hearing.barge_in.speech_ms, hearing.barge_in.words) == (750, 3)


@pytest.mark.parametrize(
    ("mode", "echo", "speaker", "heard_as"),
    [
        ("open", "auto", PlayingSpeaker, "open"),
        ("open", "auto", FakeSpeaker, "half-duplex"),  # no echo cancellation: it would hear itself
        ("open", "off", FakeSpeaker, "open"),  # headphones
        ("half_duplex", "auto", PlayingSpeaker, "half-duplex"),
        ("hold", "auto", PlayingSpeaker, "hold"),
        ("toggle", "auto", PlayingSpeaker, "toggle"),
    ],
)
def test_an_open_microphone_needs_echo_cancellation_or_headphones(
    mode: str, echo: str, speaker: type[FakeSpeaker], heard_as: str
) -> None:
    line = line_of(HearingSettings(mode=mode, echo=echo), speaker())

    assert line.options.hearing == heard_as


def test_without_captions_nothing_is_decoded_while_the_user_speaks() -> None:
    assert not vad_of(line_of(HearingSettings(captions=False), FakeSpeaker()))._hearing.partials
    assert vad_of(line_of(HearingSettings(), FakeSpeaker()))._hearing.partials


def test_a_recorded_question_is_one_question_and_has_no_echo() -> None:
    hearing = vad_of(line_of(HearingSettings(mode="hold"), PlayingSpeaker(), from_file=True))._hearing

    assert (hearing.one_question, hearing.talk, hearing.partials) == (True, "open", False)


def test_with_the_wake_word_only_what_names_the_character_is_let_through() -> None:
    line = line_of(HearingSettings(wake_word=True), FakeSpeaker())
    stt = next(stage for stage in line._stages if stage.name == "stt")

    assert stt._accept("Pass me the salt.") == ""
    assert stt._accept("Haru, do you like salt?") == "Haru, do you like salt?"
