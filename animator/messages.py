"""What crosses the border between the app and the animator process.

Everything here is plain data. Nothing is ever pickled: an array pickled by one NumPy does not load in
another, and a pickle from outside can run code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono sound, float32 in [-1, 1], shape (n,)."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""One picture, uint8 RGBA, sRGB, straight alpha, shape (height, width, 4)."""

Pose: TypeAlias = npt.NDArray[np.float32]
"""THA3's 45 parameters in its own order (`animator.tha3.pose.NAMES`), float32, shape (45,)."""


@dataclass(frozen=True, slots=True)
class Phone:
    """One speech sound in espeak IPA, with times in s from the clip's start.

    Stress marks `ˈ ˌ` and length `ː` may be part of `ipa`. A pause is a phone whose `ipa` is the empty string.
    """

    ipa: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, eq=False)
class SpeechClip:
    """One sentence or clause of the character's own voice, or a piece of it, in playing order within its turn.

    `phones` is None where the voice could not say when each sound falls; the animator then works it out
    from the sound, with the help of `spoken` where that is given.

    `text` is the sentence as it was written, `spoken` the words that the voice was given ("12 %" is "12 percent"
    there); a sentence's first clip carries both for the whole of it, the later ones are empty. `language` is an espeak
    code such as "en" or "ja", "" where nobody knows.

    `continues`: goes on in the middle of the sentence that the clip before it (`index` - 1) began. `final`: the
    sentence ends with this clip. A stream that does not know its end beforehand leaves it False; then the sentence is
    over when a clip comes that does not continue it, or none.

    `flashes_s`: moments in s from the clip's start at which the picture flashes, for the lip-sync test.
    """

    turn: int
    index: int
    samples: Samples
    sample_rate: int
    text: str
    phones: tuple[Phone, ...] | None
    last: bool
    language: str = ""
    spoken: str = ""
    continues: bool = False
    final: bool = True
    flashes_s: tuple[float, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the sound in s."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True, slots=True)
class PlayoutAnchor:
    """Says: sample `sample` of clip `index` of `turn` is heard at `host_ns` (may lie in the near future)."""

    turn: int
    index: int
    sample: int
    sample_rate: int
    host_ns: int


@dataclass(frozen=True, slots=True)
class SpeechTime:
    """A place in the character's speech: `time_s` from the start of clip `index`.

    It may be a little below zero or past the clip's end: lips open before the sound and close after it.
    """

    turn: int
    index: int
    time_s: float
