"""What each stage needs from the world, in flow order. Backends keep these promises; fakes keep them in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from animator.messages import Pixels, PlayoutAnchor, Samples, SpeechClip
from app.messages import AudioBlock, Encoded, Frame, SpeechPiece, UserFact


class Microphone(Protocol):
    """A source of sound at 16 kHz mono."""

    def open(self) -> None:
        """Start; raises AppError with a remedy where there is no such device."""
        ...

    def read(self, timeout_s: float) -> AudioBlock | None:
        """The next block (any length), or None if none came within `timeout_s`.

        A file source ends with one block whose `end_of_stream` is True.
        """
        ...

    def close(self) -> None:
        """Stop and release the device; safe to call twice."""
        ...


class SpeechDetector(Protocol):
    """Tells speech from everything else. Keeps state between calls."""

    window: int
    """Samples per call at 16 kHz (512 for Silero)."""

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that this window of exactly `window` samples is speech."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


class EchoCanceller(Protocol):
    """Takes the character's own voice out of what the microphone hears."""

    def cancel(self, block: AudioBlock) -> AudioBlock:
        """The block without echo; same length and times. Called on the capture thread."""
        ...


class TurnDetector(Protocol):
    """Tells a finished turn from a pause for thought, by the sound of the voice. Keeps no state between calls."""

    name: str
    """What the user reads in the status line."""

    def load(self) -> None:
        """Load the model and ask once, so that the first real query is warm; raises AppError with a remedy."""
        ...

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] that the speaker has finished, from the turn's sound so far.

        16 kHz mono, only the last 8 s count.
        """
        ...


class PendingText(Protocol):
    """A text that is being made somewhere else."""

    def result(self, otherwise: str, should_stop: Callable[[], bool]) -> str | None:
        """Wait for it; `otherwise` where it fails or is late, None where `should_stop()` came first (ask again)."""
        ...

    def cancel(self) -> None:
        """Nobody wants it any more; safe to call twice."""
        ...


class Transcriber(Protocol):
    """Speech to text.

    One that has better ears for a whole turn also has `begin_final(samples) -> PendingText | None`, which returns at
    once and never raises; one that holds a connection has `close()`. The attribute `language` is that of the last text.
    """

    def load(self) -> None:
        """Load the model and decode once, so that the first real call is warm."""
        ...

    def transcribe(self, samples: Samples) -> str:
        """Text of one utterance (16 kHz mono); "" where nothing was said."""
        ...


class ChatModel(Protocol):
    """Text to answer, streamed."""

    name: str
    """What the user reads in the status line, e.g. "SmolLM2-135M (local)". A model that follows instructions (that can
    set tags, sum up, break a silence) also has `capable = True`."""

    def load(self) -> None:
        """Start or reach the model; raises AppError with a remedy."""
        ...

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Yield pieces of the answer to chat `messages` ({"role", "content"}).

        Stops soon after `should_stop()` is true. Raises AppError, also in mid-stream.
        """
        ...

    def close(self) -> None:
        """Release processes and connections; safe to call twice."""
        ...


class Memory(Protocol):
    """What the user told, per character, kept over restarts. Thread-safe; every method may raise AppError."""

    def facts(self, character: str | None = None) -> list[tuple[str, UserFact]]:
        """(character, fact) of one character or of all, oldest first."""
        ...

    def remember(self, character: str, facts: Sequence[UserFact]) -> None:
        """Add facts; one with a known key replaces what was known. Bounded."""
        ...

    def close(self) -> None:
        """Release the store; safe to call twice."""
        ...


class SpeechSynth(Protocol):
    """Text to the character's voice.

    One that can change its pace without being loaded anew also has `set_speed(speed)`.
    """

    name: str
    """What the user reads in the status line, e.g. "Piper en_US-joe-medium"."""

    def load(self) -> None:
        """Load or reach the voice, and speak once silently where the first real call would be slow otherwise."""
        ...

    def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
        """Speak one sentence, in one piece or in several as it streams in; nothing where there is nothing to say.

        Gives up within 50 ms of `should_stop()` being true, also in the middle of a wait, and then ends without an
        error. Raises AppError, also in mid-sentence. Called by one thread at a time, one sentence at a time.
        """
        ...

    def close(self) -> None:
        """Release connections; ends a `load` that is still waiting. Called from any thread; safe to call twice."""
        ...


class Speaker(Protocol):
    """Plays clips one after another and says when each sample is heard."""

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Start. `on_anchor` gets an anchor at each clip's start and about 10 times a second.

        `on_played(turn, index)` says that a clip has ended. Both are called on a thread of the speaker's own, never in
        a device callback.
        """
        ...

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip; returns at once."""
        ...

    def queued_s(self) -> float:
        """Seconds of sound still to be played."""
        ...

    def clear(self) -> None:
        """Fade out within 30 ms and drop what is queued."""
        ...

    def duck(self, on: bool) -> None:
        """Lower the voice by 12 dB within 30 ms, or bring it back. Any thread."""
        ...

    def close(self) -> None:
        """Stop; safe to call twice."""
        ...


class AvatarHost(Protocol):
    """The animator process as the app sees it."""

    def push(self, clip: SpeechClip) -> None:
        """Send a clip ahead of its sound."""
        ...

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """Say what is heard when."""
        ...

    def clear(self, before_turn: int) -> None:
        """Drop older turns; the mouth comes to rest."""
        ...

    def express(self, name: str) -> None:
        """The user's wish: show an expression; "neutral" lets go of it."""
        ...

    def feel(self, name: str, intensity: float) -> None:
        """Show an emotion at `intensity` in [0, 1], where the user has chosen no expression."""
        ...

    def gesture(self, name: str) -> None:
        """Make a gesture: nod, shake, tilt, bow or lean."""
        ...

    def preview(self, values: Mapping[str, float] | None) -> None:
        """Show these parameters by name in place of the expression, until None ends it. Nothing is kept."""
        ...

    def mouth_offset(self, offset_ms: int) -> None:
        """Show the mouth so much later than the sound (negative: earlier), from now on."""
        ...

    def think(self, turn: int, on: bool) -> None:
        """The brain works on `turn`: look away until it is heard. `on` False: it no longer does."""
        ...

    def load(self, character: str) -> None:
        """Switch the character (folder or PNG path)."""
        ...

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first. Called from any one thread at a time."""
        ...

    def close(self) -> None:
        """End the process within 2 s; safe to call twice."""
        ...


class GlobalKeys(Protocol):
    """Keys that reach the app while another program has the focus. Keys are written as in "Ctrl+Alt+1"."""

    name: str
    """What makes them work, shown to the user: "X11", "Windows", …"""
    chooses_itself: bool
    """Whether the desktop asks the user and may take other keys than those wanted."""

    def start(self, on_key: Callable[[str, bool], None], on_refused: Callable[[Mapping[str, str]], None]) -> None:
        """Begin. `on_key` gets the keys and whether they went down (True) or up; a key that is held is told once.

        `on_refused` gets, after each `grab` and whenever it changes, why for each of the keys that cannot be had. Both
        are called on a thread that must not be kept. Raises AppError where this desktop cannot do it, with what can
        be done.
        """
        ...

    def grab(self, keys: Mapping[str, str]) -> None:
        """Take these keys, each with what it does in words, and let every other go; returns at once."""
        ...

    def close(self) -> None:
        """Let every key go; safe to call twice."""
        ...


class RemoteControl(Protocol):
    """What other programs may ask for. All methods may be called from any thread and return at once."""

    def state(self) -> dict[str, Any]:
        """What the show is doing, as JSON values."""
        ...

    def actions(self) -> list[str]:
        """Every action that a request can name."""
        ...

    def request(self, wanted: object) -> tuple[str, bool] | None:
        """Do what a parsed request asks for; returns an action that is held down (True) or let go by it.

        Raises AppError for a request that means nothing.
        """
        ...

    def let_go(self, action: str) -> None:
        """Whoever held `action` has gone."""
        ...

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener` with the state whenever it changes, on any thread; returns what ends that."""
        ...


class ControlServer(Protocol):
    """Where other programs of this computer ask."""

    def start(self, control: RemoteControl) -> None:
        """Listen; raises AppError where that cannot be."""
        ...

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        ...


class FrameSink(Protocol):
    """Where frames go: a window, a virtual camera, a file. All three take the same stream."""

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Start; raises AppError with a remedy where it cannot."""
        ...

    def send(self, frame: Frame) -> None:
        """Take one frame; called at every deadline, the last frame repeated where no newer one is there."""
        ...

    def close(self) -> None:
        """Finish; safe to call twice."""
        ...


class BrowserPage(FrameSink, Protocol):
    """A page for browsers of this computer that shows frames with their alpha."""

    def start(self) -> None:
        """Listen; raises AppError where that cannot be."""
        ...

    def show_captions(self, on: bool) -> None:
        """Whether captions are to be seen. Any thread; does not wait."""
        ...

    def caption(self, text: str, heard: int) -> None:
        """What is being said, and how many of its characters have begun to sound. Any thread; does not wait."""
        ...


class RecordingFile(Protocol):
    """One recording on disk, which plays up to half a second before the end however the app ends."""

    path: Path

    @property
    def duration_s(self) -> float:
        """How long it plays so far."""
        ...

    def write(self, packets: Iterable[Encoded]) -> None:
        """Add packets; it begins with the first key picture. Raises AppError on a full disk."""
        ...

    def close(self) -> None:
        """Finish it. Raises AppError where that cannot be."""
        ...

    def abandon(self) -> None:
        """Let go of a file that could not be written; never raises."""
        ...


class RecordingEncoder(Protocol):
    """Makes packets of pictures and sound, for as many files as want them. Used by one thread at a time."""

    has_alpha: bool

    def picture(self, pixels: Pixels, index: int, *, key: bool = False) -> list[Encoded]:
        """Add the picture that is shown from `index` / fps s on: RGB, or RGBA with straight alpha for `has_alpha`."""
        ...

    def sound(self, samples: Samples) -> list[Encoded]:
        """Add mono sound at 48 kHz after what is there."""
        ...

    def finish(self) -> list[Encoded]:
        """The last packets."""
        ...

    def file(self, path: Path) -> RecordingFile:
        """A new file for its packets. Raises AppError where it cannot be written."""
        ...


class ObsLink(Protocol):
    """A connection to OBS Studio. Any thread; everything but `close` may wait for seconds."""

    def connect(self) -> str:
        """Connect, and return OBS's version. Raises ServiceError."""
        ...

    def ask(self, request: str, **data: Any) -> dict[str, Any]:
        """Have OBS do something, by the names of its protocol. Raises ServiceError ("refused" where it will not)."""
        ...

    def close(self) -> None:
        """Let go; whoever waits for an answer gets none. Safe to call twice."""
        ...
