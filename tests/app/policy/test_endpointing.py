from __future__ import annotations

import numpy as np
import pytest

from app.policy.endpointing import (
    Endpointing,
    EndpointingOptions,
    SpeechEdge,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechSplit,
    SpeechStarted,
)

WINDOW_MS = 32


def feed(endpointing: Endpointing, *stretches: tuple[float, int]) -> list[SpeechEdge]:
    """Feed stretches of (probability, ms); windows carry a running number, so that their place can be told."""
    edges: list[SpeechEdge] = []
    for probability, ms in stretches:
        for _ in range(round(ms / WINDOW_MS)):
            number = feed.count = getattr(feed, "count", 0) + 1  # type: ignore[attr-defined]
            edges += endpointing.feed(np.full(512, number, np.float32), probability)
    return edges


def kinds(edges: list[SpeechEdge]) -> list[type]:
    return [type(edge) for edge in edges]


def length_ms(edge: SpeechEdge) -> float:
    assert isinstance(edge, SpeechEnded | SpeechSplit | SpeechPaused)
    return len(edge.samples) / 16


def test_speech_then_silence_is_one_utterance() -> None:
    edges = feed(Endpointing(), (0.01, 1000), (0.9, 1000), (0.01, 1000))

    assert kinds(edges) == [SpeechStarted, SpeechPaused, SpeechEnded]


def test_a_pause_shorter_than_min_silence_does_not_end_the_turn() -> None:
    """People breathe. 300 ms of quiet inside a sentence keeps the utterance open."""
    edges = feed(Endpointing(), (0.9, 800), (0.01, 300), (0.9, 400))

    assert kinds(edges) == [SpeechStarted, SpeechPaused, SpeechResumed]


def test_min_silence_can_be_raised() -> None:
    endpointing = Endpointing(EndpointingOptions(min_silence_ms=1500))

    assert SpeechEnded not in kinds(feed(endpointing, (0.9, 800), (0.01, 1400)))
    assert kinds(feed(endpointing, (0.01, 200))) == [SpeechEnded]


def test_a_click_is_not_speech() -> None:
    assert feed(Endpointing(), (0.01, 500), (0.95, 64), (0.01, 1000)) == []


def test_a_cough_shorter_than_250_ms_is_not_a_turn() -> None:
    assert feed(Endpointing(), (0.01, 500), (0.95, 200), (0.01, 1000)) == []


def test_a_short_yes_is_a_turn() -> None:
    edges = feed(Endpointing(), (0.01, 500), (0.95, 320), (0.01, 1000))

    assert kinds(edges) == [SpeechStarted, SpeechPaused, SpeechEnded]


def test_murmur_between_the_thresholds_neither_starts_nor_ends_a_turn() -> None:
    endpointing = Endpointing()

    assert feed(endpointing, (0.5, 2000)) == []
    assert kinds(feed(endpointing, (0.9, 400), (0.5, 3000))) == [SpeechStarted]


def test_400_ms_before_the_first_word_and_128_ms_after_the_last_are_kept() -> None:
    edges = feed(Endpointing(), (0.01, 2000), (0.9, 1024), (0.01, 1000))

    assert length_ms(edges[-1]) == pytest.approx(400 + 1024 + 128, abs=2 * WINDOW_MS)


def test_the_guess_has_the_very_samples_of_the_end() -> None:
    _, paused, ended = feed(Endpointing(), (0.01, 500), (0.9, 1000), (0.01, 600))

    assert isinstance(paused, SpeechPaused)
    assert isinstance(ended, SpeechEnded)
    np.testing.assert_array_equal(paused.samples, ended.samples)


def test_a_breath_after_the_pause_does_not_undo_the_guess_but_a_word_does() -> None:
    def revisions(*after: tuple[float, int]) -> list[int]:
        edges = feed(Endpointing(), (0.9, 800), (0.01, 300), *after, (0.01, 600))
        return [edge.revision for edge in edges if isinstance(edge, SpeechPaused | SpeechEnded)]

    assert len(set(revisions((0.8, 64)))) == 1
    assert revisions((0.9, 200)) == [0, 1, 1]


def test_samples_are_in_order_and_none_is_missing() -> None:
    edges = feed(Endpointing(), (0.01, 500), (0.9, 500), (0.01, 300), (0.9, 500), (0.01, 600))

    assert isinstance(edges[-1], SpeechEnded)
    numbers = edges[-1].samples[::512]
    np.testing.assert_array_equal(np.diff(numbers), 1)


def test_thirty_seconds_are_split_at_the_longest_pause() -> None:
    edges = feed(Endpointing(), (0.9, 8000), (0.01, 200), (0.9, 9000), (0.01, 416), (0.9, 13000), (0.01, 600))

    split = next(edge for edge in edges if isinstance(edge, SpeechSplit))
    assert length_ms(split) == pytest.approx(8000 + 200 + 9000 + 208, abs=2 * WINDOW_MS)
    assert kinds(edges).count(SpeechStarted) == 1
    assert isinstance(edges[-1], SpeechEnded)


def test_speech_without_any_pause_is_split_too_and_nothing_is_lost() -> None:
    edges = feed(Endpointing(), (0.9, 70_000), (0.01, 600))

    parts = [edge for edge in edges if isinstance(edge, SpeechSplit | SpeechEnded)]
    assert max(map(length_ms, parts)) <= 30_000
    numbers = np.concatenate([part.samples for part in parts])[::512]
    np.testing.assert_array_equal(np.diff(numbers), 1)


def test_flush_ends_an_open_turn_and_reset_forgets_it() -> None:
    endpointing = Endpointing()
    feed(endpointing, (0.9, 1000))
    assert kinds(endpointing.finish()) == [SpeechEnded]
    assert endpointing.finish() == []

    feed(endpointing, (0.9, 1000))
    endpointing.reset()

    assert not endpointing.is_speaking
    assert endpointing.finish() == []


def test_speech_s_counts_speech_only() -> None:
    edges = feed(Endpointing(), (0.01, 500), (0.9, 640), (0.01, 320), (0.9, 640), (0.01, 600))

    assert isinstance(edges[-1], SpeechEnded)
    assert edges[-1].speech_s == pytest.approx(1.28, abs=0.05)


def test_a_voice_that_has_ended_is_quiet_although_the_detector_still_hears_it() -> None:
    """Silero lags by 100 to 200 ms at a voice's end: what is 26 dB below it is no voice."""
    endpointing = Endpointing()
    loud, room = np.full(512, 0.2, np.float32), np.full(512, 0.002, np.float32)
    for _ in range(20):
        endpointing.feed(loud, 0.95)

    endpointing.feed(room, 0.9)

    assert not endpointing.hears_speech
    assert endpointing.quiet_ms == WINDOW_MS
    endpointing.feed(loud, 0.9)
    assert endpointing.hears_speech
    assert endpointing.quiet_ms == 0


def test_a_soft_voice_in_a_loud_room_is_the_detectors_business_alone() -> None:
    endpointing = Endpointing()
    for level in (0.2, 0.2, 0.2, 0.2, 0.05, 0.05, 0.05):
        endpointing.feed(np.full(512, level, np.float32), 0.9)

        assert endpointing.hears_speech


def test_what_the_turn_holds_so_far_can_be_had_without_ending_it() -> None:
    endpointing = Endpointing()
    feed(endpointing, (0.01, 500), (0.9, 1024), (0.01, 416))

    ended = endpointing.ended()

    assert endpointing.is_speaking
    assert ended.speech_s == pytest.approx(1.024, abs=0.04)
    assert length_ms(ended) == pytest.approx(400 + 1024 + 128, abs=2 * WINDOW_MS)
    assert kinds(feed(endpointing, (0.9, 200))) == [SpeechResumed]


@pytest.mark.parametrize("options", [{"threshold": 0.3, "neg_threshold": 0.4}, {"min_silence_ms": 100}])
def test_options_that_contradict_each_other_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        EndpointingOptions(**options)  # type: ignore[arg-type]
