"""What travels down the line, in flow order: the whole product on one page.

`SpeechClip` and `PlayoutAnchor` cross the process border and live in `animator.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from animator.messages import Phone, Pixels, PlayoutAnchor, Samples, SpeechClip

__all__ = [
    "Ask",
    "AudioBlock",
    "Command",
    "Express",
    "Fact",
    "Feel",
    "Frame",
    "Gesture",
    "Mute",
    "Phone",
    "PlayoutAnchor",
    "Quit",
    "Samples",
    "Say",
    "Sentence",
    "SpeechClip",
    "StopTalking",
    "SwitchCamera",
    "SwitchCharacter",
    "Transcript",
    "Utterance",
]

HEARING_RATE = 16_000
"""Hz. Everything after capture hears at Whisper's and Silero's own rate."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """capture → vad: mono float32 in [-1, 1] at HEARING_RATE; `first_sample` counts from the stream's start.

    `heard_ns` is the host time just after the block's last sample; 0 where nobody stamped it.
    """

    samples: Samples
    first_sample: int
    end_of_stream: bool = False
    heard_ns: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """vad → stt: what the user said, at HEARING_RATE, pre-roll included. `ended_ns`: host time of the end of speech.

    A long turn comes in parts, numbered from 0; the one with `last` closes it (and may be empty). A `speculative`
    one is a guess that the user has finished: its text is kept and used if the real part has the same `revision`.
    A `partial` one is the part as it has grown so far, sent while the user speaks: it is decoded for the fact
    `stt partial` only, and dropped as soon as anything newer waits.
    """

    turn: int
    samples: Samples
    ended_ns: int
    part: int = 0
    last: bool = True
    speculative: bool = False
    revision: int = 0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """stt → llm: what was heard (or typed). `ended_ns` as in Utterance."""

    turn: int
    text: str
    language: str
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """llm → tts: the unit of speech; `index` from 0 within the turn. An empty `text` with `last` only ends the turn."""

    turn: int
    index: int
    text: str
    last: bool


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """avatar → sinks: one picture. `seq` grows by one per rendered frame; `due_ns` is its place on the host clock."""

    seq: int
    pixels: Pixels
    due_ns: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, for the window, the trace and the tests; facts go up through `bus.tap`.

    `data` holds JSON values. Facts are shown to the user (captions), so they may hold words; logs may not.

    | stage | event | data |
    |---|---|---|
    | any | state | state ("starting" "ready" "busy" "off" "failed"), label, and with "failed": problem, remedy |
    | capture | level | dbfs (about 20 a second) |
    | vad | speech_started | turn |
    | vad | speech_ended | turn, speech_s, ended_ns (host time of the last speech) |
    | stt | partial | turn, text (so far), committed (its start that no longer changes), words (how many in text) |
    | stt | transcript | turn, text, took_ms, typed (bool) |
    | llm | first_token | turn, took_ms |
    | llm | sentence | turn, index, text, last |
    | tts | clip | turn, index, duration_s, took_ms |
    | playback | clip_started | turn, index, text |
    | playback | turn_finished | turn |
    | playback | stopped | turn (barge-in, stop button) |
    | avatar | progress | what, share in [0, 1] |
    | avatar | speaking_frame | turn (the first frame whose mouth belongs to this turn) |
    | avatar | frames | fps, due, missed, tier (once a second), clamped (bad pose values so far) |
    | avatar | expression | name (the user's choice; "neutral" where there is none) |
    | avatar | emotion | name, intensity in [0, 1] |
    | avatar | gesture | name |
    | avatar | character | name |
    | camera | frames | sent, repeated |
    """

    at_ns: int
    stage: str
    event: str
    data: dict[str, Any] = field(default_factory=dict)


# Commands enter at one gate (`bus.gate`).


@dataclass(frozen=True, slots=True)
class Ask:
    """The user typed `text` to the character: a new turn, which interrupts the one being spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Speak `text` as it is, without asking the brain: a new turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Switch the microphone off (True) or on."""

    muted: bool


@dataclass(frozen=True, slots=True)
class StopTalking:
    """Fall silent now and drop what is queued."""


@dataclass(frozen=True, slots=True)
class Express:
    """The user's wish: show expression `name`, over any emotion; "neutral" lets go of it."""

    name: str


@dataclass(frozen=True, slots=True)
class Feel:
    """Show emotion `name` (a go-emotions name or any expression) at `intensity` in [0, 1]."""

    name: str
    intensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Gesture:
    """Make a gesture: nod, shake, tilt, bow or lean."""

    name: str


@dataclass(frozen=True, slots=True)
class SwitchCharacter:
    """Load the character called `name`."""

    name: str


@dataclass(frozen=True, slots=True)
class SwitchCamera:
    """Switch the virtual camera on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """End every stage."""


Command = Ask | Say | Mute | StopTalking | Express | Feel | Gesture | SwitchCharacter | SwitchCamera | Quit
