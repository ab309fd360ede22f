"""Every voice of the training speech, by engine and language, and which of them are held out for tests.

Held out, never in training: eSpeak-NG's variants f4, m7 and klatt3 in every language, flite's awb, and Kokoro.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from animator.lipsync.training.speech import Speaker

ESPEAK_HELD_OUT = ("f4", "m7", "klatt3")
"""Variants of eSpeak-NG that only the test packs hear."""
# fmt: off
ESPEAK_VARIANTS = (
    "", "m1", "m2", "m3", "m4", "m5", "m6", "m8", "f1", "f2", "f3", "f5", "klatt", "klatt2", "klatt4",
    "Annie", "Andy", "Gene", "Gene2", "Lee", "Mario", "Michael", "Mike", "Reed", "Alex", "Alicia", "belinda", "linda",
    "steph", "david", "Denis", "Diogo", "Hugo", "Jacky", "Marco", "max", "adam", "anika", "antonio", "edward", "ed",
    "grandma", "norbert", "paul", "pablo", "quincy", "robert", "sandro", "shelby", "travis", "victor", "zac",
    "aunty", "boris", "caleb", "gustave", "ian", "john", "miguel", "michel",
)
# fmt: on
"""Variants used in training. Left out: whispering, croaking and robot voices."""

ESPEAK_ACCENTS: Mapping[str, tuple[str, ...]] = {
    "en": ("en-us", "en-us", "en-us", "en", "en", "en-gb-x-rp", "en-gb-scotland", "en-029"),
    "es": ("es", "es-419"),
    "pt": ("pt", "pt-br"),
}
"""eSpeak-NG's voices of a language; one not named here has one voice of its own code."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice that can be made anywhere: `make` loads it, in whatever process speaks."""

    engine: str
    name: str
    language: str
    held_out: bool = False

    def make(self) -> Speaker:
        """Load the voice.

        Raises:
            EngineMissing: If its engine is not installed; the message names the package.
        """
        if self.engine == "espeak":
            from animator.lipsync.training.speakers_espeak import EspeakSpeaker

            return EspeakSpeaker(self.name, self.language)
        if self.engine == "piper":
            from animator.lipsync.training.speakers_piper import PiperSpeaker

            return PiperSpeaker(Path(self.name), Path(self.name).name.split("-")[1], self.language)
        if self.engine == "flite":
            from animator.lipsync.training.speakers_flite import FliteSpeaker

            return FliteSpeaker(self.name)
        if self.engine == "festival":
            from animator.lipsync.training.speakers_festival import FestivalSpeaker

            return FestivalSpeaker(self.name)
        if self.engine == "openjtalk":
            from animator.lipsync.training.speakers_openjtalk import OpenJTalkSpeaker

            return OpenJTalkSpeaker(float(self.name))
        if self.engine == "kokoro":
            from animator.lipsync.training.speakers_kokoro import KokoroSpeaker

            return KokoroSpeaker(self.name, self.language)
        raise ValueError(f"there is no engine {self.engine!r}; expected one of {', '.join(ENGINES)}")


KOKORO_VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
ENGINES = ("espeak", "piper", "flite", "festival", "openjtalk", "kokoro")


def espeak_voices(language: str, held_out: bool) -> list[Voice]:
    """All eSpeak-NG voices of a language: those for tests, or those for training."""
    variants = ESPEAK_HELD_OUT if held_out else ESPEAK_VARIANTS
    accents = ESPEAK_ACCENTS.get(language, (language,))
    if held_out:
        accents = tuple(dict.fromkeys(accents))[:2]
    return [
        Voice("espeak", f"{accent}+{variant}" if variant else accent, language, held_out)
        for variant in variants
        for accent in accents
    ]


def loaded(voices: Sequence[Voice]) -> dict[str, Speaker]:
    """Voices by name, each loaded once."""
    return {voice.name: voice.make() for voice in voices}
