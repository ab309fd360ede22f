"""What travels down the line, in flow order: the whole product on one page.

`SpeechClip` and `PlayoutAnchor` cross the process border and live in `animator.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from animator.messages import Phone, Pixels, PlayoutAnchor, Samples, SpeechClip

__all__ = [
    "Ask",
    "AudioBlock",
    "Command",
    "Configure",
    "Cue",
    "Encoded",
    "Express",
    "Fact",
    "Feel",
    "Frame",
    "Gesture",
    "LipSyncTest",
    "ListCharacters",
    "ListDevices",
    "MouthOffset",
    "Mute",
    "NextCharacter",
    "Panic",
    "Phone",
    "PlaceCharacter",
    "PlayoutAnchor",
    "PreviewPose",
    "PushToTalk",
    "Quit",
    "Record",
    "RecordKey",
    "Samples",
    "SaveReplay",
    "Say",
    "Screenshot",
    "SecretChanged",
    "Sentence",
    "SetUpObs",
    "ShowTestCard",
    "SoundStatus",
    "SpeechClip",
    "SpeechPiece",
    "StageColours",
    "StopTalking",
    "SwitchCamera",
    "SwitchCharacter",
    "TestBrain",
    "TestFace",
    "TestSound",
    "ToggleHuman",
    "ToggleMute",
    "ToggleRecording",
    "Transcript",
    "TryPersona",
    "UndoObs",
    "UserFact",
    "Utterance",
]

HEARING_RATE = 16_000
"""Hz. Everything after capture hears at Whisper's and Silero's own rate."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """capture → vad: mono float32 in [-1, 1] at HEARING_RATE; `first_sample` counts from the stream's start.

    `heard_ns` is the host time just after the block's last sample; 0 where nobody stamped it. An empty block that
    `is_lost` says that the microphone is gone: whatever was being said is over.
    """

    samples: Samples
    first_sample: int
    end_of_stream: bool = False
    heard_ns: int = 0
    is_lost: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """vad → stt: what the user said, at HEARING_RATE, pre-roll included. `ended_ns`: host time of the end of speech.

    A long turn comes in parts, numbered from 0; the one with `last` closes it (and may be empty). A `speculative`
    one is a guess that the user has finished: its text is kept and used if the real part has the same `revision`.
    A `partial` one is what has been said so far, for captions and interruptions, dropped as soon as anything newer
    waits; then `revision` is the sound's number.
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
    """stt → llm: what was heard (or typed). `ended_ns` as in Utterance.

    A `speculative` one comes before it is sure that the user has finished: its answer is prepared, and heard only if
    he has. If he goes on, its turn is over and leaves no trace.

    `purpose`: "answer" it; "open" the talk again after a silence, for which `text` is not the user's but a stand-in
    where the brain has no idea of its own; "tidy" up the history while nobody speaks (`text` is empty).
    """

    turn: int
    text: str
    language: str
    ended_ns: int
    purpose: Literal["answer", "open", "tidy"] = "answer"
    speculative: bool = False


@dataclass(frozen=True, slots=True)
class UserFact:
    """Something that the user told about themselves. A fact with the same `key` replaces an older one.

    `importance` is 0 to 9, `at_s` the Unix time and `id` the number in the memory (0 before it is there).
    """

    kind: str
    key: str
    text: str
    importance: int
    at_s: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Cue:
    """What the face does at a word: an emotion with its `intensity` in (0, 1], or a gesture.

    `at_char` is where that word begins in its sentence's text; len(text) means after the last one.
    """

    kind: Literal["emotion", "gesture"]
    name: str
    intensity: float = 1.0
    at_char: int = 0


@dataclass(frozen=True, slots=True)
class Sentence:
    """llm → tts: the unit of speech; `index` from 0 within the turn. An empty `text` with `last` only ends the turn."""

    turn: int
    index: int
    text: str
    last: bool
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SpeechPiece:
    """voice → tts: a sentence's sound, or a part of it; edges are free of clicks, the loudness is the voice's own.

    `phones` as in SpeechClip, with times from this piece's start. `final`: nothing more of this sentence will come;
    a stream that does not know so beforehand leaves it False. `voice` names whose loudness this is.
    """

    samples: Samples
    sample_rate: int
    phones: tuple[Phone, ...] | None = None
    final: bool = True
    voice: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """avatar → sinks: one picture. `seq` grows by one per rendered frame; `due_ns` is its place on the host clock."""

    seq: int
    pixels: Pixels
    due_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """encoder → files and replay: one packet. `at` is when it is shown or heard, in s of the encoder's time line.

    `pts`, `dts` and `duration` count in `time_base`; `is_key`: a picture that needs none before it. `alpha` is what
    the encoder keeps beside the packet for its transparency; only who writes files looks into it.
    """

    kind: Literal["picture", "sound"]
    data: bytes
    pts: int
    dts: int
    duration: int
    time_base: Fraction
    is_key: bool
    alpha: Any = None

    @property
    def at(self) -> Fraction:
        """When it is shown or heard, in s."""
        return self.pts * self.time_base


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, for the window, the trace and the tests; facts go up through `bus.tap`.

    `data` holds JSON values. Facts are shown to the user (captions), so they may hold words; logs may not.

    | stage | event | data |
    |---|---|---|
    | any | state | state ("starting" "ready" "busy" "off" "failed"), label, and with "failed", or whatever else is
      in want of something: problem, remedy |
    | capture | level | dbfs (about 20 a second) |
    | capture | check | phase ("recording", "playing", "failed"); with "playing": turn, peak_dbfs (the loudest sample) |
    | capture | talk_key | on (what is said counts, in the modes "hold" and "toggle") |
    | vad | probability | p (of speech, in [0, 1]: the highest of the last tenth of a second) |
    | vad | speech_started | turn |
    | vad | speech_resumed | turn, continues (the turn that it takes over: the user went on after a pause) |
    | vad | speech_ended | turn, speech_s, ended_ns (host time of the last speech), finished (smart-turn's p, or None) |
    | vad | ducked | on (the voice is lowered because somebody may be interrupting) |
    | stt | partial | turn, text (so far), committed (its start that no longer changes), words (how many in text) |
    | stt | guess | turn, took_ms (what may be the whole turn was decoded at a pause) |
    | stt | transcript | turn, text, took_ms, typed (bool) |
    | llm | first_token | turn, took_ms |
    | llm | sentence | turn, index, text, last |
    | tts | clip | turn, index, duration_s, took_ms (from the sentence's start), sentence (its index) |
    | playback | clip_started | turn, index, text |
    | playback | caption | turn, index, text (a sentence), heard (so many of its characters, as each word begins) |
    | playback | turn_finished | turn |
    | playback | stopped | turn (barge-in, stop button) |
    | avatar | progress | what, share in [0, 1] |
    | avatar | speaking_frame | turn (the first frame whose mouth belongs to this turn) |
    | avatar | pushed | turn, index, method, model, reason (of `animator.protocol.Lips`), lips_ms (how long that took) |
    | avatar | frames | fps, due, missed, tier (once a second), clamped (bad pose values so far) |
    | avatar | expression | name (the user's choice; "neutral" where there is none) |
    | avatar | emotion | name, intensity in [0, 1] |
    | avatar | gesture | name |
    | avatar | character | name |
    | avatar | mouth_offset | ms (how much later than the sound the mouth is shown) |
    | avatar | lip_sync_test | turn (clicks and flashes have begun; the turn ends as any other) |
    | camera | frames | sent, repeated |
    | show | test_card | on |
    | settings | changed | name, value (in force; also once for each that differs from the file's after a start) |
    | settings | refused | name, value, problem, remedy (what was in force stays) |
    | devices | list | microphones, speakers, cameras (names, in the system's order), cables (among the speakers) |
    | sound | status | devices (each as of `SoundStatus`; the first sets the pace where it can) |
    | brain | tested | provider, model, ok, detail, round_trip_ms, first_token_ms (None where not reached); one each |
    | brain | tried | number (of the TryPersona), text (so far), done, and where nobody could answer: problem, remedy |
    | avatar | tested | tier, fps, device (None for fps where it cannot run here), problem |
    | show | panic | on |
    | show | character | name, path, expressions (all names, those of the keys 1 to 8 first): who is on stage from now
      on; at once, while the fact `avatar character` comes when the face of it is ready |
    | show | characters | names, paths (the list of all has changed) |
    | keys | pressed | action (a key that works everywhere was pressed), key |
    | keys | status | on, how (what makes them work, "" for nothing), chooses_itself (the desktop asks the user, and
      may take others), problem and remedy, refused (why, by keys), wrong (why, by the binding's name), character |
    | browser | status | on (a browser source can be shown now), port, problem and remedy as above; never the token |
    | sharing | status | on (Spout or Syphon shows the character now), problem and remedy as above |
    | recording | status | on, path (of the recording that goes on), replay (the last seconds are kept) |
    | recording | saved | kind ("recording", "replay", "screenshot"), path, duration_s (0 of a screenshot) |
    | obs | status | state ("off", "searching", "working", "connected", "ready", "undone", "nothing" to undo, "failed"),
      version (of OBS), way, made (names of the sources), warnings ([code, source] each), notes, problem, remedy,
      needs_password; never an address or a password |
    | control | status | on (other programs may ask now), port, problem and remedy where it cannot be; never the token |
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
class CheckMicrophone:
    """Record what the microphone hears for `seconds` s, at most 10, and play it back; nobody answers meanwhile."""

    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class PushToTalk:
    """The talk key was pressed (True) or let go; in the mode "toggle" each press switches."""

    pressed: bool


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
class MouthOffset:
    """Show the mouth `offset_ms` ms later than the sound (negative: earlier). `keep`: also after a restart."""

    offset_ms: int
    keep: bool = False


@dataclass(frozen=True, slots=True)
class LipSyncTest:
    """Begin the lip-sync test (True), clicks with flashes for some seconds, or end it: a new turn."""

    on: bool


@dataclass(frozen=True, slots=True)
class SwitchCharacter:
    """Load the character called `name`, which may also be the path of its folder or PNG: that names nobody else."""

    name: str


@dataclass(frozen=True, slots=True)
class SwitchCamera:
    """Switch the virtual camera on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class ShowTestCard:
    """Show viewers the test card instead of the character, until False or a panic."""

    on: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Begin (True) or end a recording of what viewers see and hear, in the folder of the settings."""

    on: bool


@dataclass(frozen=True, slots=True)
class ToggleRecording:
    """Begin a recording where there is none, else end it."""


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Keep the picture of this moment as a PNG, transparent around the character."""


@dataclass(frozen=True, slots=True)
class SoundStatus:
    """How one device that plays the voice is: `part` is "headphones" or "stream"."""

    part: str
    device: str
    sets_pace: bool
    """Whether pictures are chosen by this one's clock; the other one follows it."""
    problem: str
    """Why it does not play; "" where it does."""
    remedy: str
    peak_db: float
    """The loudest since the last report, in dB below full scale; -60 in silence."""
    drift_ppm: int | None
    """How much faster than the clock of the pictures it runs; None before that can be told."""
    lag_ms: int
    """So much later than at the other device everything is heard."""
    gaps: int
    """How often it had nothing to play in time."""


@dataclass(frozen=True, slots=True)
class SaveReplay:
    """Keep the last seconds, which are held while the setting `recording.replay` is on."""


@dataclass(frozen=True, slots=True)
class SetUpObs:
    """Make the scene with the character in OBS, by the settings `obs`; what came of it is told in a fact."""


@dataclass(frozen=True, slots=True)
class UndoObs:
    """Take away what was set up in OBS, and nothing else; told likewise."""


@dataclass(frozen=True, slots=True)
class PlaceCharacter:
    """Show the character there from now on, without keeping it (while the mouse is moved).

    `zoom`, `x` and `y` as in the settings `stage.zoom`, `stage.x` and `stage.y`.
    """

    zoom: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class StageColours:
    """The window's colours, each "#rrggbb": the background "theme" falls from `top` to `bottom` around a light."""

    top: str
    bottom: str
    light: str


@dataclass(frozen=True, slots=True)
class NextCharacter:
    """Load the character after this one in the list of all, the first one after the last."""


@dataclass(frozen=True, slots=True)
class ToggleHuman:
    """Show a photo of a person in place of the character's face, or the character's face again."""


@dataclass(frozen=True, slots=True)
class ToggleMute:
    """Switch the microphone off if it is on, and on if it is off."""


@dataclass(frozen=True, slots=True)
class RecordKey:
    """A key is being recorded (True): those that work everywhere do nothing until that is over (False)."""

    on: bool


@dataclass(frozen=True, slots=True)
class Panic:
    """True: silence, empty queues, neutral face, microphone off, "be right back" to viewers; False: back on air."""

    on: bool


@dataclass(frozen=True, slots=True)
class PreviewPose:
    """Show these THA3 values by name over the expression, live, without keeping them; None ends it."""

    values: tuple[tuple[str, float], ...] | None


@dataclass(frozen=True, slots=True)
class Configure:
    """Change the setting `name`, such as "voice.speed": checked, kept in the settings file, and in force at once."""

    name: str
    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class SecretChanged:
    """The key called `name` was stored or removed in the system's credential store: use it from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class TestBrain:
    """Ask each provider of the settings for a word; what comes of it is told in facts."""

    __test__ = False  # no test of pytest's


@dataclass(frozen=True, slots=True)
class TestFace:
    """Measure how many frames a second the tier `tier` ("live" or "exact") draws here; told in a fact."""

    __test__ = False

    tier: str


@dataclass(frozen=True, slots=True)
class ListDevices:
    """Look again which microphones, loudspeakers and cameras are there; told in a fact."""


@dataclass(frozen=True, slots=True)
class TestSound:
    """Play a test tone on "headphones" or "stream" alone."""

    __test__ = False

    part: str


@dataclass(frozen=True, slots=True)
class ListCharacters:
    """Look again which characters there are; told in a fact."""


@dataclass(frozen=True, slots=True)
class TryPersona:
    """Ask the brain `text` as a character of `persona`, aside from the show: not spoken, not kept.

    `before` is what was asked and answered in this try-out so far. The answer is told in facts with this `number`; a
    newer one ends the one before, and an empty `text` ends the try-out.
    """

    number: int
    persona: str
    text: str
    before: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Quit:
    """End every stage."""


Command = (
    Ask
    | Say
    | Mute
    | CheckMicrophone
    | PushToTalk
    | StopTalking
    | Express
    | Feel
    | Gesture
    | MouthOffset
    | LipSyncTest
    | SwitchCharacter
    | SwitchCamera
    | ShowTestCard
    | Record
    | ToggleRecording
    | Screenshot
    | SaveReplay
    | SetUpObs
    | UndoObs
    | PlaceCharacter
    | StageColours
    | NextCharacter
    | ToggleHuman
    | ToggleMute
    | Panic
    | RecordKey
    | PreviewPose
    | Configure
    | SecretChanged
    | TestBrain
    | TestFace
    | ListDevices
    | TestSound
    | ListCharacters
    | TryPersona
    | Quit
)
