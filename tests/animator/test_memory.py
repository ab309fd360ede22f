"""What is left behind goes back to the system where that is worth the moment it takes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from animator.memory import Leftovers, held_beyond_use_bytes

MB = 1 << 20


class Process:
    """Holds more than it uses; trimming leaves what other libraries hold."""

    def __init__(self, unused_mb: int) -> None:
        self.unused_mb = unused_mb
        self.others_mb = 60
        self.trims = 0

    def unused_bytes(self) -> int:
        return self.unused_mb * MB

    def trim(self) -> None:
        self.trims += 1
        self.unused_mb = self.others_mb


def leftovers_of(process: Process) -> Leftovers:
    return Leftovers(32 * MB, unused_bytes=process.unused_bytes, trim=process.trim)


def test_the_first_time_finds_out_what_others_hold() -> None:
    process = Process(unused_mb=300)
    leftovers = leftovers_of(process)

    leftovers.give_back()

    assert (1, 60) == (process.trims, process.unused_mb)


@pytest.mark.parametrize(("left_mb", "trims"), [(0, 1), (31, 1), (32, 2), (400, 2)])
def test_only_as_much_as_is_worth_it_is_given_back(left_mb: int, trims: int) -> None:
    process = Process(unused_mb=60)
    leftovers = leftovers_of(process)
    leftovers.give_back()

    process.unused_mb += left_mb
    leftovers.give_back()

    assert trims == process.trims


def test_little_by_little_counts_together() -> None:
    process = Process(unused_mb=60)
    leftovers = leftovers_of(process)
    leftovers.give_back()

    for _ in range(4):
        process.unused_mb += 10
        leftovers.give_back()

    assert 2 == process.trims


def test_what_was_counted_wrongly_once_does_not_stay_so() -> None:
    process = Process(unused_mb=60)
    process.others_mb = 200
    leftovers = leftovers_of(process)
    leftovers.give_back()

    process.unused_mb, process.others_mb = 50, 50
    leftovers.give_back()
    process.unused_mb = 90
    leftovers.give_back()

    assert 2 == process.trims


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other C libraries cannot be asked")
def test_the_system_tells_what_is_held_beyond_use() -> None:
    """Memory in use is none of it, touched or not as it may be."""
    before = held_beyond_use_bytes()
    used = np.full(200 * MB, 1, np.uint8)
    after = held_beyond_use_bytes()

    assert abs(after - before) < 100 * MB
    assert used[-1] == 1
