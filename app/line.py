"""The line: microphone → vad → stt → llm → tts → playback, the turn that counts, and the gate's commands."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from animator.messages import Samples, SpeechClip
from animator.timebase import Clock
from app.bus import Bus
from app.errors import AppError
from app.guesses import Guesses
from app.messages import (
    HEARING_RATE,
    Ask,
    AudioBlock,
    CheckMicrophone,
    Command,
    Cue,
    Express,
    Feel,
    Gesture,
    LipSyncTest,
    MouthOffset,
    Mute,
    Panic,
    PreviewPose,
    PushToTalk,
    Say,
    Sentence,
    StopTalking,
    ToggleMute,
    Transcript,
    Utterance,
)
from app.policy.barge_in import BargeInOptions
from app.policy.endpointing import EndpointingOptions
from app.policy.facts import facts_in, note_of, relevant
from app.policy.flash_click import flash_click_clip
from app.policy.history import History
from app.policy.persona import Persona
from app.policy.sentences import Chunk, SentenceSplitter
from app.policy.silence import SpeakFirst
from app.policy.turn_end import TurnEndOptions
from app.ports import (
    AvatarHost,
    ChatModel,
    EchoCanceller,
    Memory,
    Microphone,
    Speaker,
    SpeechDetector,
    SpeechSynth,
    Transcriber,
    TurnDetector,
)
from app.stage import Channel, Stage, Turns
from app.stages.capture import CaptureStage
from app.stages.idle import IdleStage
from app.stages.llm import LlmStage
from app.stages.playback import PlaybackStage
from app.stages.stt import SttStage
from app.stages.tts import TtsStage
from app.stages.vad import Hearing, VadStage

__all__ = ["Channel", "Line", "LineOptions", "Stage", "Turns"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LineOptions:
    """How the line listens and speaks."""

    source: Literal["live", "file"] = "live"
    """"file": nothing is ever dropped, and the whole recording is one question, answered at its end."""
    hearing: Literal["open", "half-duplex", "hold", "toggle"] = "half-duplex"
    """"open": the user can interrupt by voice; with echo cancellation, or with headphones. "half-duplex": the
    microphone is ignored while the character speaks and 250 ms longer, so that it does not hear itself. "hold" and
    "toggle": only what is said while the talk key is held, or between two presses of it."""
    min_silence_ms: int = 600
    """Pause that ends a turn where no turn detector is there."""
    patience: float = 1.0
    """How long a pause may last, times what the turn detector finds right: 0.5 is hasty, 2 is for slow talkers."""
    threshold: float = 0.6
    """Silero's probability above which sound counts as speech."""
    speculate: bool = True
    """Decode at the first pause of 160 ms already, prepare the answer where the user has likely finished."""
    partials: bool = True
    """Decode while the user speaks: captions, and words that interrupt."""
    interrupt_words: int = 2
    interrupt_ms: int = 600
    """So many words, or so much speech, interrupt the character."""
    fallback_line: str = "Sorry, I lost my train of thought. Could you say that again?"
    """Spoken where no chat model answers."""
    clips_ahead: int = 2
    """So many clips wait behind the one that sounds."""
    ahead_s: float = 6.0
    """The voice works at most this far ahead of playout."""
    history_tokens: int = 600
    """So much of the talk the brain sees word by word."""
    speak_first_s: float = 0.0
    """Begin to talk after this long a silence; 0: never."""
    speak_first_times: int = 2
    """So often in a row without an answer."""
    guess_emotions: bool = True
    """Let words without a tag move the face."""
    face_rests_after_s: float = 1.6
    """What the brain felt fades from the face this long after its voice has ended."""
    tidy_after_s: float = 2.0
    """The brain sums up what falls out of the history once it has been quiet for this long."""
    spoken_language: str = "auto"
    """How figures, units and mixed Hindi are read out: "en", "hi", "ja", or "auto" by the text itself."""


def hearing_of(options: LineOptions) -> Hearing:
    """How the vad stage listens under these options."""
    is_file = options.source == "file"
    turn_end = TurnEndOptions(patience=options.patience, without_detector_ms=options.min_silence_ms)
    # Without a decision sooner, silence alone ends a turn.
    longest_ms = 1500 if is_file else round(turn_end.hard_stop_ms * turn_end.patience)
    is_push = options.hearing in ("hold", "toggle") and not is_file
    return Hearing(
        EndpointingOptions(
            threshold=options.threshold,
            # Silero's own distance between the two thresholds, and never above the first.
            neg_threshold=min(0.35, options.threshold * 0.6),
            # Who holds the key may think as long as he likes.
            min_silence_ms=600_000 if is_push else longest_ms,
        ),
        turn_end,
        BargeInOptions(
            speech_ms=options.interrupt_ms,
            words=options.interrupt_words,
            has_words=options.partials and not is_file,
        ),
        talk="push" if is_push else "open",
        one_question=is_file,
        speculate=options.speculate,
        partials=options.partials and not is_file,
    )


@dataclass(frozen=True, slots=True)
class _Nudge:
    """Put into the gate by the line itself: look at the backlog; `seen` is set once what came before is done."""

    seen: threading.Event | None = None


class Line:
    """All stages, wired and in order. `start` loads the models in parallel; `stop` joins every thread.

    A turn begins when the user starts to speak, asks or lets something be said. It makes every older turn stale:
    channels are cut, loudspeaker and avatar fall silent, and whatever still comes out of a stage is dropped by the
    next one. Each turn ends with one fact: `turn_finished`, or `stopped`.

    `microphone` (with `detector` and `transcriber`) may be None where nobody is listened to, `chat` where nothing is
    asked, `avatar` where no face is shown. `on_command` gets the commands that the line does not own (SwitchCharacter,
    SwitchCamera, Quit), and those that change a setting (Mute, MouthOffset) once they are done, on the gate's thread.
    The avatar is not closed by `stop`: whoever made it does that.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        microphone: Microphone | None,
        detector: SpeechDetector | None,
        transcriber: Transcriber | None,
        chat: ChatModel | None,
        synth: SpeechSynth,
        speaker: Speaker,
        avatar: AvatarHost | None,
        persona: str | Persona,
        options: LineOptions | None = None,
        *,
        turn_detector: TurnDetector | None = None,
        echo: EchoCanceller | None = None,
        accept: Callable[[str], str] = lambda text: text,
        memory: Memory | None = None,
        fallback_speaker: Speaker | None = None,
        on_command: Callable[[Command], None] | None = None,
    ) -> None:
        self.options = options or LineOptions()
        self._bus = bus
        self._clock = clock
        self._avatar = avatar
        self._persona = _as_persona(persona)
        self._memory = memory
        self._memory_failed = False
        self._told: dict[int, str] = {}
        """What was asked in turns of which nothing was heard yet: a question may still be withdrawn."""
        self._to_remember: deque[tuple[str, str]] = deque()
        self._speak_first = SpeakFirst(self.options.speak_first_s, self.options.speak_first_times)
        self._pinned_emotion = False
        self._felt_turn: int | None = None
        """The turn whose emotion the face shows."""
        self._spoke_ns = clock.now_ns()
        self._is_tidy = True
        self._on_command = on_command
        self._turns = Turns()
        self._history = History(self.options.history_tokens)
        self._history_lock = threading.Lock()
        self._configuring = threading.Lock()
        self._muted = threading.Event()
        self._pushed = threading.Event()
        self._is_off_air = self._muted_by_panic = False
        """Between Panic(True) and Panic(False) (gate thread)."""
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._open_turn: int | None = None
        self._test_turn: int | None = None
        """The turn of the newest lip-sync test (gate thread)."""
        self._recording = threading.Event()
        """Set while the microphone is being recorded for the user's own ears."""
        self._check_turn: int | None = None
        """The turn in which the newest such recording is played."""
        self._backlog: deque[Ask | Say] = deque()
        self._source_ended = microphone is None
        self._started = self._stopped = False

        is_file = self.options.source == "file"
        utterances: Channel[Utterance] = Channel(1000, "wait")
        transcripts: Channel[Transcript] = Channel(1000, "wait")
        sentences: Channel[Sentence] = Channel(1000, "wait")
        clips: Channel[SpeechClip] = Channel(1000, "wait")
        self._utterances, self._transcripts, self._sentences = utterances, transcripts, sentences
        self._clips = clips

        self._playback = PlaybackStage(
            bus,
            clock,
            self._turns,
            clips,
            speaker,
            fallback_speaker,
            avatar,
            on_heard=self._heard,
            on_finished=self._finished,
            on_cue=self._show_cue,
        )
        self._tts = TtsStage(
            bus,
            clock,
            self._turns,
            sentences,
            clips,
            synth,
            lambda turn, sent, clips: self._playback.wait_for_room(turn, sent, clips, self.options.ahead_s),
            sentences_ahead=self.options.clips_ahead,
            language=self.options.spoken_language,
            on_cues=self._playback.add_cues,
        )
        self._stages: list[Stage[Any]] = []
        self._capture: CaptureStage | None = None
        self._vad: VadStage | None = None
        self._stt: SttStage | None = None
        if microphone is not None and detector is not None and transcriber is not None:
            # 2 s of sound in blocks of a window or more: enough to ride out a busy moment.
            blocks: Channel[AudioBlock] = Channel(64, "wait" if is_file else "drop oldest")
            guesses = Guesses()
            self._stt = SttStage(bus, clock, self._turns, utterances, transcripts, transcriber, guesses, accept)
            self._capture = CaptureStage(
                bus,
                clock,
                microphone,
                blocks,
                self._muted.is_set,
                self._end_of_source,
                reopen=not is_file,
                clean=echo.cancel if echo is not None else None,
            )
            self._vad = VadStage(
                bus,
                self._turns,
                blocks,
                utterances,
                detector,
                turn_detector,
                hearing_of(self.options),
                guesses,
                begin_turn=self._begin_turn,
                release=self._playback.release,
                prepare=self._stt.prepare,
                is_deaf=self._is_deaf,
                is_busy=self._is_answering,
                is_sounding=self._playback.is_sounding,
                is_pushed=self._pushed.is_set,
                spoken=self._playback.spoken,
                duck=self._playback.duck,
                on_end=self._end_of_source,
            )
            self._stages += [self._capture, self._vad, self._stt]
        self._llm: LlmStage | None = None
        if chat is not None:
            self._llm = LlmStage(
                bus,
                clock,
                self._turns,
                transcripts,
                sentences,
                chat,
                persona=self._current_persona,
                history=self._history,
                history_lock=self._history_lock,
                on_asked=self._asked,
                on_thinking=self._think,
                note=self._note,
                guess_emotions=self.options.guess_emotions,
            )
            self._stages.append(self._llm)
        self._stages += [self._tts, self._playback, IdleStage(bus, self._look)]
        self._gate = threading.Thread(target=self._read_gate, name="line-gate", daemon=True)

    # Life

    def start(self) -> None:
        """Start every thread; returns at once. Each stage loads its model on its own thread."""
        if self._started:
            raise RuntimeError("a line starts once; make a new one")
        self._started = True
        for stage in self._stages:
            stage.start()
        self._gate.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End in flow order and release microphone, loudspeaker and chat model; safe to call twice.

        False if a thread was still busy after `timeout_s` (a model that is being loaded cannot be interrupted; the
        thread ends with the load).
        """
        if not self._started or self._stopped:
            return True
        self._stopped = True
        self._stopping.set()
        deadline_ns = self._clock.now_ns() + int(timeout_s * 1e9)
        with self._turns.lock:
            turn = self._turns.mint()
            self._playback.clear(turn)
        for stage in self._stages:
            stage.request_stop()
        self._put_in_gate(_Nudge())
        ended = True
        for thread_join in [stage.join for stage in self._stages] + [self._join_gate]:
            left_s = max(0.05, min(timeout_s, (deadline_ns - self._clock.now_ns()) / 1e9))
            ended = thread_join(left_s) and ended
        self._playback.close()
        if self._llm is not None:
            try:
                self._llm.close()
            except Exception as error:
                _log.warning("closing the chat model failed: %s", type(error).__name__)
        if self._memory is not None:
            self._write_memory()
            try:
                self._memory.close()
            except AppError as error:
                _log.warning("closing the memory failed: %s", type(error).__name__)
        with self._changed:
            self._changed.notify_all()
        return ended

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait until every stage has finished loading, well or badly."""
        deadline_ns = self._clock.now_ns() + int(timeout_s * 1e9)
        return all(stage.loaded.wait(max(0.0, (deadline_ns - self._clock.now_ns()) / 1e9)) for stage in self._stages)

    def wait_until_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until every command put into the gate before this call is done and its turn is over.

        With a file source, also until the file has ended. False on a timeout; True when the line was stopped.
        """
        seen = threading.Event()
        self._put_in_gate(_Nudge(seen))
        if not seen.wait(timeout_s) and not self._stopping.is_set():
            return False
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping.is_set() or self._is_idle(), timeout_s)

    # Settings, while it runs. Each waits until what is being worked on is done; call them on a thread of your own.

    def configure(self, **changes: Any) -> None:
        """Listen, remember and speak by these fields of LineOptions from now on. `source` and `speculate` stay."""
        with self._configuring:
            old = self.options
            self.options = options = replace(old, **changes)
        if self._vad is not None and hearing_of(old) != hearing_of(options):
            self._vad.listen(hearing_of(options))
        if old.hearing != options.hearing and self._pushed.is_set():
            self._pushed.clear()
            self._bus.emit("capture", "talk_key", on=False)
        with self._history_lock:
            self._history.keep(options.history_tokens)
        if (old.speak_first_s, old.speak_first_times) != (options.speak_first_s, options.speak_first_times):
            self._speak_first = SpeakFirst(options.speak_first_s, options.speak_first_times)
        self._tts.read_out_in(options.spoken_language)
        if self._llm is not None:
            self._llm.guess_emotions(options.guess_emotions)

    def accept_by(self, accept: Callable[[str], str]) -> None:
        """Let `accept` say what of the words is meant for the character."""
        if self._stt is not None:
            self._stt.accept_by(accept)

    def replace_chat(self, chat: ChatModel) -> None:
        """Ask `chat`, which is loaded, from the next question on."""
        if self._llm is None:
            raise RuntimeError("this line asks nobody")
        self._llm.replace(chat)

    def replace_transcriber(self, transcriber: Transcriber) -> None:
        """Hear with `transcriber`, which is loaded, from the next utterance on."""
        if self._stt is None:
            raise RuntimeError("this line hears nothing")
        self._stt.replace(transcriber)

    def replace_synth(self, synth: SpeechSynth) -> None:
        """Speak with `synth`, which is loaded, from the next sentence on."""
        self._tts.replace(synth)

    def speak_at(self, speed: float) -> bool:
        """Speak at this speed from the next sentence on; False where the voice has to be made anew for that."""
        return self._tts.speak_at(speed)

    def replace_microphone(self, microphone: Microphone, echo: EchoCanceller | None) -> None:
        """Listen to `microphone`, not opened yet, through `echo`; raises what its `open` does, the old one goes on."""
        if self._capture is None:
            raise RuntimeError("this line hears nothing")
        self._capture.replace(microphone, echo.cancel if echo is not None else None)

    def replace_echo(self, echo: EchoCanceller | None) -> None:
        """Take the echo out by `echo` from now on."""
        if self._capture is not None:
            self._capture.clean_by(echo.cancel if echo is not None else None)

    def replace_speaker(self, speaker: Speaker) -> None:
        """Speak through `speaker`, not opened yet; raises what its `open` does, and then the old one goes on."""
        self._playback.replace(speaker)

    def replace_memory(self, memory: Memory | None) -> None:
        """Remember what the user tells in `memory` from now on, or not at all."""
        with self._history_lock:
            old, self._memory = self._memory, memory
            self._memory_failed = False
            self._told.clear()
        if memory is None:
            self._to_remember.clear()
        if old is not None:
            old.close()

    def mute(self, muted: bool) -> None:
        """Switch the microphone off (True) or on. Any thread."""
        if muted:
            self._muted.set()
        else:
            self._muted.clear()
        if self._capture is not None:
            self._capture.say_state("off" if muted else "ready")

    # Turns

    @property
    def turn(self) -> int:
        """The newest turn; 0 before the first."""
        return self._turns.current

    def is_current(self, turn: int) -> bool:
        """Whether `turn` still counts. Long calls check it between pieces of work."""
        return self._turns.is_current(turn)

    def is_speaking(self) -> bool:
        """Whether the character is heard now (with a tail of 250 ms)."""
        return self._playback.is_speaking()

    def set_persona(self, persona: str | Persona, *, keep_talk: bool = False) -> None:
        """Another character: its own persona, and a new conversation unless it is to `keep_talk`."""
        with self._history_lock:
            self._persona = _as_persona(persona)
            if keep_talk:
                return
            self._history.clear()
            self._told.clear()
        self._is_tidy = False

    def withdraw(self, turn: int) -> None:
        """Take back the question of `turn`: the user had not finished it. It leaves no trace in history or memory."""
        with self._history_lock:
            self._history.withdraw(turn)
            self._told.pop(turn, None)

    def _current_persona(self) -> Persona:
        persona = self._persona
        return persona if persona.fallback_line else replace(persona, fallback_line=self.options.fallback_line)

    def _is_answering(self) -> bool:
        """Whether an answer is being worked on or spoken."""
        with self._changed:
            return self._open_turn is not None

    def _begin_turn(self, continues: int | None = None, *, opened: bool = True) -> int:
        """Mint a turn and silence the older ones.

        `continues` names the turn that the user goes on with: it leaves no trace. With `opened` False nobody answers
        (the stop button).
        """
        with self._turns.lock:
            turn = self._turns.mint()
            with self._changed:
                older, self._open_turn = self._open_turn, turn if opened else None
                self._changed.notify_all()
            if continues is not None and older == continues:
                self.withdraw(continues)
                older = None
            if older is not None:
                with self._history_lock:
                    self._history.cut(older, self._playback.heard_of(older))
            self._utterances.discard(lambda item: item.turn < turn)
            self._sentences.discard(lambda item: item.turn < turn)
            # Transcripts are not cut: the chat stage drops old ones itself, but remembers the words.
            self._playback.clear(turn)
        if older is not None:
            self._bus.emit("playback", "stopped", turn=older)
        return turn

    def _think(self, turn: int, on: bool = True) -> None:
        """Tell the face that an answer is being worked on, or no longer."""
        if self._avatar is not None:
            self._avatar.think(turn, on)

    def _heard(self, turn: int, text: str) -> None:
        with self._history_lock:
            self._history.heard(turn, text)
            self._keep_what_was_told(turn)

    def _finished(self, turn: int) -> None:
        self._spoke_ns = self._clock.now_ns()
        self._is_tidy = False
        with self._history_lock:
            self._keep_what_was_told(turn)
        self._think(turn, on=False)  # where nothing came of the question, nothing was heard that would end it
        with self._changed:
            if self._open_turn != turn:
                return
            self._open_turn = None
            # Inside the lock, so that whoever waits for idle finds the fact published.
            self._bus.emit("playback", "turn_finished", turn=turn)
            self._changed.notify_all()
        if self._backlog:
            self._put_in_gate(_Nudge())

    # Between the words

    def _asked(self, turn: int, text: str) -> None:
        """The user said or wrote something (llm thread, with the history's lock)."""
        self._speak_first.heard_user()
        if self._memory is not None:
            self._told[turn] = text

    def _note(self, question: str, is_capable: bool) -> str:
        """What is known of the user for this question, as data (llm thread)."""
        name = self._persona.name
        memory = self._memory
        if memory is None or not name:
            return ""
        try:
            facts = [fact for _, fact in memory.facts(name)]
        except AppError as error:
            self._say_memory_failed(error)
            return ""
        return note_of(relevant(facts, question, 6 if is_capable else 2, only_matching=not is_capable))

    def _keep_what_was_told(self, turn: int) -> None:
        """The turns up to this one are decided: what was told in them may be remembered. With the history's lock."""
        for decided in [each for each in self._told if each <= turn]:
            self._to_remember.append((self._persona.name, self._told.pop(decided)))

    def _write_memory(self) -> None:
        memory = self._memory
        while self._to_remember and memory is not None:
            name, text = self._to_remember.popleft()
            facts = facts_in(text)
            if facts and name:
                try:
                    memory.remember(name, facts)
                except AppError as error:
                    self._say_memory_failed(error)

    def _say_memory_failed(self, error: AppError) -> None:
        if not self._memory_failed:  # said once; the talk goes on without
            self._memory_failed = True
            self._bus.emit(
                "memory", "state", state="failed", label="Memory", problem=error.problem, remedy=error.remedy
            )

    def _show_cue(self, turn: int, cue: Cue) -> None:
        """A word that moves the face is heard (a thread of the loudspeaker's)."""
        if self._avatar is None or not self._turns.is_current(turn):
            return
        if cue.kind == "gesture":
            self._avatar.gesture(cue.name)
        elif not self._pinned_emotion:
            self._spoke_ns = self._clock.now_ns()
            self._felt_turn = turn if cue.name != "neutral" else None
            self._avatar.feel(cue.name, cue.intensity)

    def _look(self) -> None:
        """Some ten times a second (idle thread): let the face rest, write down what was told, break a silence."""
        now_ns = self._clock.now_ns()
        is_speaking = self._playback.is_speaking()
        if is_speaking:
            self._spoke_ns = now_ns
        quiet_s = (now_ns - self._spoke_ns) / 1e9
        is_over = self._felt_turn is not None and self._felt_turn != self._open_turn
        if is_over and quiet_s >= self.options.face_rests_after_s and self._avatar is not None:
            self._felt_turn = None
            self._avatar.feel("neutral", 1.0)
        self._write_memory()
        self._playback.try_again()
        if self._llm is None:
            return
        is_busy = is_speaking or self._open_turn is not None or bool(self._backlog) or not self._llm.loaded.is_set()
        if not is_busy and not self._is_tidy and quiet_s >= self.options.tidy_after_s:
            self._is_tidy = True
            self._transcripts.put(Transcript(self._turns.current, "", "", now_ns, purpose="tidy"))
        if self.options.source == "live" and self._speak_first.due(now_ns / 1e9, is_busy=is_busy):
            self._break_silence(now_ns)

    def _break_silence(self, now_ns: int) -> None:
        with self._turns.lock:
            if self._open_turn is not None or self._stopping.is_set() or self._is_off_air:
                return  # the user was quicker, or is away
            turn = self._begin_turn()
            self._playback.release(turn)
        self._speak_first.began()
        opener = self._speak_first.opener(self._persona.openers)
        self._transcripts.put(Transcript(turn, opener, "", now_ns, purpose="open"))

    def _end_of_source(self) -> None:
        with self._changed:
            self._source_ended = True
            self._changed.notify_all()

    def _is_idle(self) -> bool:
        is_source_done = self.options.source != "file" or self._source_ended
        return self._open_turn is None and not self._backlog and is_source_done

    def _is_deaf(self) -> bool:
        if self._muted.is_set() or self._recording.is_set():
            return True
        if self._check_turn is not None and self._check_turn == self._open_turn:
            return True  # what is played now is the user's own voice
        # A recording is not an echo of the character's own voice.
        is_echo_possible = self.options.hearing == "half-duplex" and self.options.source == "live"
        return is_echo_possible and self._playback.is_speaking()

    # The gate

    def _put_in_gate(self, nudge: _Nudge) -> None:
        # The gate's type lists what others may put in.
        self._bus.gate.put(cast("Command", nudge))

    def _join_gate(self, timeout_s: float) -> bool:
        self._gate.join(timeout_s)
        return not self._gate.is_alive()

    def _read_gate(self) -> None:
        while not self._stopping.is_set():
            command: Command | _Nudge = self._bus.gate.get()
            try:
                self._obey(command)
            except Exception as error:
                self._say_failed(command, error)
            if isinstance(command, _Nudge) and command.seen is not None:
                command.seen.set()

    def _obey(self, command: Command | _Nudge) -> None:
        match command:
            case _Nudge():
                self._take_from_backlog()
            case Ask() | Say() if self._is_off_air:
                raise AppError("Nothing is said while you are off air.", "Press the panic key or button once more.")
            case Ask() | Say():
                if self._has_to_wait():
                    self._backlog.append(command)
                    # The turn may have ended in between, so that nobody would look again.
                    self._take_from_backlog()
                else:
                    self._start_typed(command)
            case Mute() | ToggleMute():
                muted = not self._muted.is_set() if isinstance(command, ToggleMute) else command.muted
                self.mute(muted)
                self._pass_on(Mute(muted))
            case Panic(on=on):
                self._panic(on)
                self._pass_on(command)  # the picture that viewers get is not the line's
            case CheckMicrophone(seconds=seconds):
                self._check_microphone(seconds)
            case PushToTalk(pressed=pressed):
                self._push(pressed)
            case StopTalking():
                self._backlog.clear()
                self._begin_turn(opened=False)
            case Express(name=name):
                if self._avatar is not None:
                    self._avatar.express(name)
                self._bus.emit("avatar", "expression", name=name)
            case Feel(name=name, intensity=intensity):
                # What is asked for here stays, whatever the brain feels, until "neutral" lets go of it.
                self._pinned_emotion, self._felt_turn = name != "neutral", None
                if self._avatar is not None:
                    self._avatar.feel(name, intensity)
            case Gesture(name=name):
                if self._avatar is not None:
                    self._avatar.gesture(name)
            case PreviewPose(values=values):
                if self._avatar is not None:
                    self._avatar.preview(None if values is None else dict(values))
            case LipSyncTest(on=on):
                self._test_lip_sync(on)
            case MouthOffset(offset_ms=offset_ms):
                if self._avatar is not None:
                    self._avatar.mouth_offset(offset_ms)
                self._bus.emit("avatar", "mouth_offset", ms=offset_ms)
                self._pass_on(command)  # who keeps the settings keeps this one
            case _:
                self._pass_on(command)

    def _pass_on(self, command: Command) -> None:
        if self._on_command is not None:
            self._on_command(command)

    def _test_lip_sync(self, on: bool) -> None:
        """Clicks and flashes, all the way that a sentence goes; or their end."""
        if not on:
            if self._test_turn is not None and self._test_turn == self._open_turn:
                self._begin_turn(opened=False)
            return
        self._backlog.clear()
        turn = self._test_turn = self._begin_turn()
        self._playback.release(turn)
        self._bus.emit("avatar", "lip_sync_test", turn=turn)
        self._clips.put(flash_click_clip(turn))

    def _check_microphone(self, seconds: float) -> None:
        """Record the user, then play it: what the character hears."""
        if self._capture is None:
            raise AppError("This show has no microphone.", "Start it with the microphone of the settings.")
        self._capture.record(seconds, self._play_recording)
        self._recording.set()
        self._begin_turn(opened=False)
        self._bus.emit("capture", "check", phase="recording")

    def _play_recording(self, samples: Samples | None) -> None:
        """The recording is there (capture thread)."""
        self._recording.clear()
        if samples is None:
            self._bus.emit("capture", "check", phase="failed")
            return
        with self._turns.lock:
            turn = self._check_turn = self._begin_turn()
            self._playback.release(turn)
        peak = float(np.max(np.abs(samples), initial=0.0))
        peak_dbfs = round(20 * math.log10(max(peak, 1e-6)), 1)
        self._bus.emit("capture", "check", phase="playing", turn=turn, peak_dbfs=peak_dbfs)
        self._clips.put(SpeechClip(turn, 0, samples, HEARING_RATE, "", phones=(), last=True))

    def _has_to_wait(self) -> bool:
        """While models load, typed texts queue up instead of interrupting each other: none is ever lost."""
        is_loading = not all(
            stage.loaded.is_set() for stage in self._stages if stage.name in ("llm", "tts", "playback")
        )
        return bool(self._backlog) or (is_loading and self._open_turn is not None)

    def _take_from_backlog(self) -> None:
        with self._changed:
            if self._open_turn is not None or not self._backlog or self._stopping.is_set():
                return
            command = self._backlog.popleft()
        self._start_typed(command)

    def _start_typed(self, command: Ask | Say) -> None:
        text = command.text.strip()
        if not text:
            return
        turn = self._begin_turn()
        self._playback.release(turn)
        if isinstance(command, Ask):
            self._bus.emit("stt", "transcript", turn=turn, text=text, took_ms=0, typed=True)
            if self._llm is not None:
                self._transcripts.put(Transcript(turn, text, "", self._clock.now_ns()))
                return
            text = self._current_persona().fallback_line
        splitter = SentenceSplitter()
        chunks = splitter.feed_chunks(text) + splitter.finish_chunks() or [Chunk("", ())]
        for index, chunk in enumerate(chunks):
            self._sentences.put(Sentence(turn, index, chunk.text, index == len(chunks) - 1, chunk.cues))

    def _panic(self, on: bool) -> None:
        """Silence, nothing queued, a face at rest, no microphone; and what of that was otherwise before, back again."""
        if on and not self._is_off_air:
            self._is_off_air = True
            self._muted_by_panic = not self._muted.is_set()
            self.mute(True)
            self._pass_on(Mute(True))
        elif not on and self._is_off_air:
            self._is_off_air = False
            if self._muted_by_panic:
                self.mute(False)
                self._pass_on(Mute(False))
        if not on:
            return
        self._backlog.clear()
        self._begin_turn(opened=False)
        self._pinned_emotion, self._felt_turn = False, None
        if self._pushed.is_set():
            self._pushed.clear()
            self._bus.emit("capture", "talk_key", on=False)
        if self._avatar is not None:
            self._avatar.express("neutral")
            self._avatar.feel("neutral", 1.0)
        self._bus.emit("avatar", "expression", name="neutral")

    def _push(self, pressed: bool) -> None:
        is_toggle = self.options.hearing == "toggle"
        if is_toggle and not pressed:
            return
        if (is_toggle and self._pushed.is_set()) or not pressed:
            self._pushed.clear()
        else:
            self._pushed.set()
        self._bus.emit("capture", "talk_key", on=self._pushed.is_set())

    def _say_failed(self, command: Command | _Nudge, error: Exception) -> None:
        name = type(command).__name__
        if isinstance(error, AppError):
            problem, remedy = error.problem, error.remedy
        else:
            _log.error("command %s failed: %s", name, type(error).__name__)
            problem = f"The command {name} failed with an unexpected {type(error).__name__}."
            remedy = "The show goes on; if it happens again, report it with the log file."
        self._bus.emit("gate", "state", state="failed", label=name, problem=problem, remedy=remedy)


def _as_persona(persona: str | Persona) -> Persona:
    return Persona(persona) if isinstance(persona, str) else persona
