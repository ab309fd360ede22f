from __future__ import annotations

import numpy as np

from app.policy.flash_click import CLICK_S, PEAK, flash_click_clip


def test_every_click_begins_exactly_where_the_picture_flashes() -> None:
    clip = flash_click_clip(3)
    loud = np.abs(clip.samples) > 0.8 * PEAK
    first = [int(each) for each in np.flatnonzero(loud) if not loud[max(0, each - clip.sample_rate // 2) : each].any()]

    assert [round(at_s * clip.sample_rate) for at_s in clip.flashes_s] == first
    assert len(first) >= 8
    assert {1.0} == set(np.diff(clip.flashes_s))


def test_between_the_clicks_there_is_silence_and_nobody_speaks() -> None:
    clip = flash_click_clip(3)
    for at_s in clip.flashes_s:
        first = round(at_s * clip.sample_rate)
        clip.samples[first : first + round(CLICK_S * clip.sample_rate)] = 0.0

    assert not clip.samples.any()
    assert (3, 0, "", "", (), True) == (clip.turn, clip.index, clip.text, clip.spoken, clip.phones, clip.last)
    assert clip.duration_s > clip.flashes_s[-1] + 0.5
