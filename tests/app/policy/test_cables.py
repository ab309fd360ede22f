"""Virtual cables are known by their names, and the test tone has no click."""

from __future__ import annotations

import numpy as np
import pytest

from app.policy.cables import OTHER_ENDS, cable_kind, cables_of
from app.policy.tone import LEVEL, trial_tone


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("CABLE Input (VB-Audio Virtual Cable)", "vb-cable"),
        ("CABLE In 16ch (VB-Audio Virtual Cable)", "vb-cable"),
        ("CABLE-A Input (VB-Audio Cable A)", "vb-cable"),
        ("VB-Cable", "vb-cable"),
        ("Voicemeeter Input (VB-Audio Voicemeeter VAIO)", "voicemeeter"),
        ("VoiceMeeter Aux Input (VB-Audio VoiceMeeter AUX VAIO)", "voicemeeter"),
        ("BlackHole 2ch", "blackhole"),
        ("Null Output", "null-sink"),
        ("Kuchipaku", "own"),
        ("Headphones (Realtek Audio)", None),
        ("Speakers with cable", None),
    ],
)
def test_a_cable_is_known_by_its_name(name: str, kind: str | None) -> None:
    assert kind == cable_kind(name)
    assert kind is None or OTHER_ENDS[kind]


def test_the_apps_own_cable_comes_first() -> None:
    assert ("Kuchipaku", "BlackHole 2ch") == cables_of(["Speakers", "BlackHole 2ch", "Kuchipaku"])


def test_the_test_tone_begins_and_ends_in_silence_and_is_as_loud_as_a_voice() -> None:
    tone = trial_tone(48_000)

    assert (0.0, 0.0) == (tone[0], tone[-1])
    assert LEVEL == pytest.approx(np.abs(tone).max(), rel=0.01)
