from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.backends.mic_file import FileMicrophone
from app.errors import AppError
from tests.fakes import TIMEOUT_S, FakeClock


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    soundfile.write(path, np.linspace(-0.5, 0.5, 16_000), 16_000, subtype="FLOAT")
    return path


def test_the_whole_file_comes_in_order_and_ends(recording: Path) -> None:
    microphone = FileMicrophone(recording)
    microphone.open()
    blocks = []
    while not (blocks and blocks[-1].end_of_stream):
        block = microphone.read(0.1)
        assert block is not None
        blocks.append(block)
    microphone.close()
    microphone.close()

    samples = np.concatenate([block.samples for block in blocks])
    np.testing.assert_allclose(samples, np.linspace(-0.5, 0.5, 16_000), atol=2e-3)
    starts = np.cumsum([0] + [len(block.samples) for block in blocks[:-1]])
    assert starts.tolist() == [block.first_sample for block in blocks]


def test_with_a_clock_a_block_comes_when_its_last_sample_would_have_been_spoken(recording: Path) -> None:
    clock = FakeClock()
    microphone = FileMicrophone(recording, clock)
    microphone.open()
    came = threading.Event()
    thread = threading.Thread(target=lambda: (microphone.read(1.0), came.set()))
    thread.start()

    clock.advance(0.031)
    early = came.wait(0.05)
    clock.advance(0.001)

    assert came.wait(TIMEOUT_S)
    assert not early
    thread.join()
    microphone.close()


def test_a_timeout_shorter_than_a_block_gives_none_and_loses_nothing(recording: Path) -> None:
    clock = FakeClock(jumps=True)
    microphone = FileMicrophone(recording, clock)
    microphone.open()

    reads = [microphone.read(0.010) for _ in range(4)]
    microphone.close()

    assert [None, None, None] == reads[:3]
    assert reads[3] is not None
    assert reads[3].first_sample == 0


def test_a_file_that_is_not_there_fails_at_open(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="There is no file"):
        FileMicrophone(tmp_path / "nothing.wav").open()
