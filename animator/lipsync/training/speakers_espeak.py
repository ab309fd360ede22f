"""eSpeak-NG in its many voices: it says at which sample each of its phones begins."""

from __future__ import annotations

import ctypes
import functools
import re
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from animator.lipsync.training.speech import SAMPLE_RATE, EngineMissing, TimedPhone, Utterance, fill, to_16k

_RATE_WPM, _PITCH, _RANGE = 1, 3, 4
_RETRIEVAL = 1
_PHONEME_EVENTS, _PHONEME_IPA = 1 << 0, 1 << 1
_DONT_EXIT = 1 << 15
_UTF8 = 1
_EVENT_PHONEME = 7
_NORMAL_WPM = 175
_FINAL_PAUSE_S = 0.02
_IPA_WITH_SEPARATOR = 2 | ord("_") << 8
_MARKS = frozenset("ʲʰʱʷː")
_LANGUAGE_MARK = re.compile(r"\([a-z-]*\)?")
"""“(en)” says that another language's rules follow; it is no sound."""


class _Event(ctypes.Structure):
    """`espeak_EVENT` of espeak-ng's speak_lib.h; the last field is the union, here as text."""

    _fields_ = [  # noqa: RUF012
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_lock = threading.Lock()


@functools.cache
def _library() -> tuple[Any, int]:
    """The loaded library and its sample rate in Hz. It is one per process, and is never unloaded."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise EngineMissing("eSpeak-NG is not installed; expected the Python package espeakng-loader.") from error
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(
        _RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), _PHONEME_EVENTS | _PHONEME_IPA | _DONT_EXIT
    )
    if rate <= 0:
        raise EngineMissing("eSpeak-NG cannot read its data; install the Python package espeakng-loader again.")
    return library, int(rate)


def _run(voice: str, text: str, wpm: int, pitch: int, pitch_range: int) -> tuple[Any, list[tuple[str, int]], int]:
    """Samples (int16), (IPA, first sample) of each phone, sample rate."""
    library, rate = _library()
    sound: list[Any] = []
    events: list[tuple[str, int]] = []

    def heard(wave: Any, count: int, event: Any) -> int:
        if wave and count > 0:
            sound.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while event[i].type:
            if event[i].type == _EVENT_PHONEME:
                # Eight bytes at most, without an end mark when all eight are used: a letter may be cut.
                raw = ctypes.string_at(ctypes.addressof(event[i]) + _Event.string.offset, 8).split(b"\0")[0]
                ipa = _LANGUAGE_MARK.sub("", raw.decode("utf-8", "ignore"))
                events.append((ipa, int(event[i].sample)))
            i += 1
        return 0

    callback = _Callback(heard)
    with _lock:
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak-NG has no voice {voice!r}; expected LANGUAGE or LANGUAGE+VARIANT, as en-us+f2")
        for parameter, value in ((_RATE_WPM, wpm), (_PITCH, pitch), (_RANGE, pitch_range)):
            library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        library.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 1, 0, _UTF8, None, None)
        library.espeak_Synchronize()
    return (np.concatenate(sound) if sound else np.zeros(0, np.int16)), events, rate


def phones_of_events(events: Sequence[tuple[str, int]], total: int, rate: int) -> list[TimedPhone]:
    """Phones of (IPA, first sample), each as long as to the next; a bare mark (`ʲ`) joins the sound before it."""
    starts: list[tuple[str, int]] = []
    for ipa, sample in events:
        if starts and ipa and all(c in _MARKS for c in ipa):
            starts[-1] = (starts[-1][0] + ipa, starts[-1][1])
        elif starts and starts[-1][1] == sample and not starts[-1][0]:
            starts[-1] = (ipa, sample)
        else:
            starts.append((ipa, min(sample, total)))
    ends = [sample for _, sample in starts[1:]] + [total]
    return [(ipa, start / rate, end / rate) for (ipa, start), end in zip(starts, ends, strict=True) if end > start]


def espeak_phones(text: str, voice: str = "en-us") -> list[str]:
    """The sounds of a text in espeak IPA, without pauses (fast: nothing is kept of the sound)."""
    return [ipa for ipa, _ in _run(voice, text, 400, 50, 50)[1] if ipa]


def espeak_words(text: str, voice: str = "en-us") -> list[list[str]]:
    """The sounds of each word of a text in espeak IPA with stress; words that espeak runs together come as one."""
    library, _ = _library()
    with _lock:
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"eSpeak-NG has no voice {voice!r}; expected LANGUAGE or LANGUAGE+VARIANT, as en-us+f2")
        translate = library.espeak_TextToPhonemes
        translate.restype = ctypes.c_char_p
        place = ctypes.c_char_p(text.encode())
        found = ""
        while place.value:
            found += (translate(ctypes.byref(place), _UTF8, _IPA_WITH_SEPARATOR) or b"").decode("utf-8", "ignore") + " "
    words = _LANGUAGE_MARK.sub("", found).split()
    return [[p for p in word.split("_") if p.strip("ˈˌ-")] for word in words]


class EspeakSpeaker:
    """One eSpeak-NG voice, by LANGUAGE or LANGUAGE+VARIANT (`en-us+f2`). One sentence at a time per process.

    Args:
        voice: As espeak names it.
        language: Of the corpus: en, ja, hi or another.
        pitch_range: How lively the melody is, 0 to 100; espeak's own is 50.
    """

    engine = "espeak"

    def __init__(self, voice: str, language: str, pitch_range: int = 50) -> None:
        self.voice = voice
        self.language = language
        self._range = pitch_range
        _library()

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text`. `pitch` 1 is espeak's 50 of 0 to 99."""
        sound, events, rate = _run(
            self.voice, text, round(_NORMAL_WPM * speed), min(99, max(0, round(50 * pitch))), self._range
        )
        if not any(ipa for ipa, _ in events):
            raise ValueError("there is nothing to say in the text")
        samples = to_16k(sound, rate)
        return Utterance(samples, fill(phones_of_events(events, len(sound), rate), len(samples) / SAMPLE_RATE))
