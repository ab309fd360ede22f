"""A recording in, an answer out: Silero, Whisper, SmolLM2 and Piper for real, only the loudspeaker is silent."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jiwer
import pytest

from animator.clock import SystemClock
from animator.messages import SpeechClip
from app.backends.llm_llama_server import LlamaServerChat
from app.backends.mic_file import FileMicrophone
from app.backends.speaker_null import NullSpeaker
from app.backends.stt_faster_whisper import FasterWhisperTranscriber
from app.backends.tts_piper import PiperSynth
from app.backends.vad_silero import SileroDetector
from app.bus import Bus
from app.line import Line, LineOptions
from app.messages import Ask
from tests.fakes import Facts, FakeAvatar

pytestmark = pytest.mark.slow

JFK = Path(__file__).parents[1] / "data" / "jfk.flac"
JFK_WORDS = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
PERSONA = "You are Kuchi, a cheerful young woman who streams on the internet. Answer in one or two short sentences."


class _Brain:
    """The real one; keeps what it said."""

    def __init__(self, real: LlamaServerChat) -> None:
        self.name, self.load, self.read_ahead, self.close = real.name, real.load, real.read_ahead, real.close
        self._real = real
        self.said: list[str] = []

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        self.said.append("")
        for piece in self._real.reply(messages, should_stop):
            self.said[-1] += piece
            yield piece


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


class _Ears(FakeAvatar):
    """Keeps the clips themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.clips: list[SpeechClip] = []

    def push(self, clip: SpeechClip) -> None:
        super().push(clip)
        self.clips.append(clip)


def test_a_recorded_question_is_heard_answered_and_spoken(models: Callable[[str], Path]) -> None:
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    facts, avatar = Facts(bus), _Ears()
    whisper = FasterWhisperTranscriber(models("whisper-tiny-en"))
    brain = _Brain(LlamaServerChat(next(models("smollm2-135m").glob("*.gguf")), persona=PERSONA))
    line = Line(
        bus,
        clock,
        FileMicrophone(JFK),
        SileroDetector(),
        whisper,
        brain,
        PiperSynth(models("piper-joe") / "en_US-joe-medium.onnx"),
        NullSpeaker(clock),
        avatar,
        PERSONA,
        LineOptions(source="file"),
    )
    line.start()
    assert line.wait_until_idle(120)
    bus.gate.put(Ask("What is the capital of France?"))
    assert line.wait_until_idle(60)
    assert line.stop()

    heard = facts.wait("stt", "transcript", typed=False).data["text"]
    assert jiwer.wer(JFK_WORDS, " ".join(words(heard))) <= 0.10
    assert len(facts.of("playback", "turn_finished")) == 2
    assert not [fact for fact in facts.all if fact.data.get("state") == "failed"]
    assert [True, True] == [len(said) > 10 for said in brain.said]
    for clip in avatar.clips:
        assert clip.phones
        assert clip.phones[-1].end_s == pytest.approx(clip.duration_s, abs=1e-6)
    for turn, said in enumerate(brain.said, 1):
        assert words(said) == words(" ".join(clip.text for clip in avatar.clips if clip.turn == turn))
    assert [] == [thread.name for thread in threading.enumerate() if thread.name.startswith(("line-", "speaker-"))]
