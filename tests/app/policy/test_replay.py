"""The last seconds are held, from a key picture on, and no more than that."""

from __future__ import annotations

from fractions import Fraction

from app.messages import Encoded
from app.policy.replay import ReplayRing

FPS = 30


def picture(index: int, size: int = 100) -> Encoded:
    return Encoded("picture", bytes(size), index, index, 1, Fraction(1, FPS), index % FPS == 0)


def sound(index: int) -> Encoded:
    return Encoded("sound", bytes(10), index * 1600, index * 1600, 1600, Fraction(1, 48_000), True)


def test_it_holds_at_least_the_seconds_and_at_most_one_group_of_pictures_more() -> None:
    ring = ReplayRing(5.0)
    for index in range(20 * FPS):
        ring.add(picture(index))
        ring.add(sound(index))

    held = ring.packets()
    assert held[0].kind == "picture"
    assert held[0].is_key
    assert 5.0 <= float(held[-1].at - held[0].at) <= 6.0
    assert sum(len(each.data) for each in held) == ring.bytes


def test_a_short_show_is_held_whole() -> None:
    ring = ReplayRing(30.0)
    for index in range(2 * FPS):
        ring.add(picture(index))

    assert 2 * FPS == len(ring.packets())


def test_nothing_is_held_before_a_picture_that_can_be_shown() -> None:
    ring = ReplayRing(5.0)
    ring.add(sound(0))
    ring.add(picture(7))

    assert [] == ring.packets()


def test_memory_is_bounded_whatever_the_seconds() -> None:
    ring = ReplayRing(300.0, most_bytes=100_000)
    for index in range(60 * FPS):
        ring.add(picture(index, size=1000))

    assert ring.bytes <= 100_000
    assert ring.packets()[0].is_key
