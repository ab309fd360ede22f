import numpy as np
import pytest

from animator.messages import SpeechTime
from animator.musetalk.speech import Speech, mirrored

RATE = 16000


def loud(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(np.arange(int(seconds * RATE)) * 0.1)).astype(np.float32)


def silent(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


def painted(speech: Speech) -> list[int]:
    """All frames until nothing is to be painted."""
    found: list[int] = []
    while (job := speech.next_job()) is not None:
        found += job.frames.tolist()
    return found


def test_the_first_frame_comes_alone_and_batches_grow_with_the_lead() -> None:
    speech = Speech()
    speech.add(0, 0, loud(4.0), continues=False, final=True)
    sizes = []
    while (job := speech.next_job()) is not None:
        sizes.append(len(job.frames))
    assert sizes[0] == 1
    assert sizes == sorted(sizes[:-1]) + sizes[-1:]
    assert max(sizes) == 8


def test_no_more_is_painted_than_a_second_and_a_half_ahead_of_what_is_heard() -> None:
    speech = Speech()
    speech.add(0, 0, loud(10.0), continues=False, final=True)
    assert len(painted(speech)) <= 38 + 8
    speech.hear(SpeechTime(0, 0, 1.0))
    more = painted(speech)
    assert more
    assert max(more) <= 25 + 38 + 8


def test_silence_shows_the_source_and_the_mouth_fades_over_120_ms() -> None:
    speech = Speech()
    sentence = speech.add(0, 0, np.concatenate([loud(1.0), silent(1.0), loud(1.0)]), continues=False, final=True)
    assert sentence is not None
    gate = sentence.gate(np.arange(-5, 80))
    at = {k: gate[k + 5] for k in range(-5, 80)}
    assert at[-4] == 0.0
    assert at[12] == at[60] == 1.0
    assert at[37] == 0.0
    assert 0.0 < at[26] < 1.0
    steps = np.abs(np.diff(gate))
    assert steps.max() <= 0.04 / 0.12 + 1e-6


def test_a_short_pause_is_painted_through() -> None:
    speech = Speech()
    sentence = speech.add(0, 0, np.concatenate([loud(1.0), silent(0.2), loud(1.0)]), continues=False, final=True)
    assert sentence is not None
    assert sentence.gate(np.arange(50)).min() == 1.0


def test_frames_that_show_nothing_are_not_painted() -> None:
    speech = Speech()
    speech.add(0, 0, np.concatenate([loud(0.4), silent(0.8), loud(0.1)]), continues=False, final=True)
    frames = painted(speech)
    assert 20 not in frames
    assert {0, 5, 31} <= set(frames)


def test_a_stream_is_painted_as_far_as_120_ms_before_its_end_until_it_goes_on() -> None:
    speech = Speech()
    speech.add(0, 0, loud(1.0), continues=False, final=False)
    assert max(painted(speech)) == 22
    speech.add(0, 1, loud(1.0), continues=True, final=True)
    frames = painted(speech)
    assert frames[0] == 23
    assert speech.find(SpeechTime(0, 1, 0.5)) == (speech.sentences[0], 1.5)


def test_a_frame_that_is_due_is_painted_though_the_stream_has_stopped() -> None:
    speech = Speech()
    speech.add(0, 0, loud(1.0), continues=False, final=False)
    painted(speech)
    speech.hear(SpeechTime(0, 0, 0.95))
    assert max(painted(speech)) == 24


def test_frames_that_have_passed_are_not_painted() -> None:
    speech = Speech()
    speech.add(0, 0, loud(3.0), continues=False, final=True)
    speech.hear(SpeechTime(0, 0, 2.0))
    job = speech.next_job()
    assert job is not None
    assert job.frames[0] == 50


def test_a_cleared_turn_is_forgotten_and_does_not_come_back() -> None:
    speech = Speech()
    speech.add(0, 0, loud(3.0), continues=False, final=True)
    speech.clear(1)
    assert speech.next_job() is None
    assert speech.add(0, 1, loud(1.0), continues=False, final=True) is None
    assert speech.add(1, 0, loud(1.0), continues=False, final=True) is not None


def test_a_sentence_whose_sound_was_held_up_goes_on() -> None:
    speech = Speech()
    speech.add(0, 0, loud(2.0), continues=False, final=True)
    speech.hear(SpeechTime(0, 0, 1.0))
    speech.hear(None)
    assert speech.hear(SpeechTime(0, 0, 1.1)) is not None
    speech.hear(SpeechTime(0, 0, 2.1))
    speech.hear(None)
    assert speech.sentences == ()


@pytest.mark.parametrize(("count", "frame"), [(0, 0), (3, 3), (4, 2), (6, 0), (7, 1)])
def test_a_loop_runs_forth_and_back(count: int, frame: int) -> None:
    assert mirrored(count, 4) == frame
