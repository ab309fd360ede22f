"""Does a conversation feel live? Everything from the end of the user's voice to the first sound of the answer.

    python benchmarks/talk.py [--json] [--only latency servers gaps echo interruptions starts pauses]

latency        the whole app with its own local models, fed in real time with recorded utterances (recordings.toml)
servers        the same with a brain of 120 ms to the first token and a voice of 100 ms to the first sound, on loopback
gaps           silence between clauses beyond the pause that belongs to them
echo           turns that the character begins by hearing itself, over three echo delays and two levels
interruptions  real voices over the character's own at -6 dB echo: how soon it gets quiet, and stops
starts         first syllables after silence: is the beginning of the voice in what was cut out?
pauses         pauses of 300 to 700 ms inside sentences: how many cut a turn short?

The first three run on the clock and load the machine as the app does (--no-face leaves the face out). The others run
the real vad stage, echo canceller and models on simulated time, the same in every run. Prints what the machine was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soxr

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

from frame_clock import cpu_model  # noqa: E402
from hearing_rig import RATE, Rig, at_level, load_ears, room  # noqa: E402
from loopback_servers import LoopbackServers  # noqa: E402
from recordings import Recording, recordings, with_pause  # noqa: E402

from animator.clock import SystemClock  # noqa: E402
from animator.messages import Samples, SpeechClip  # noqa: E402
from app import compose  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.messages import AudioBlock, Fact, Say, StopTalking  # noqa: E402
from app.models import default_store  # noqa: E402
from app.settings import BrainSettings, HearingSettings, Settings, VoiceSettings  # noqa: E402
from app.show import Show  # noqa: E402

BLOCK = RATE // 50
ANSWER_WITHIN_S = 15.0
FIRST_TOKEN_MS, FIRST_SOUND_MS = 120.0, 100.0
NEXT_TOKEN_MS = 2.0
"""500 words a second, as Groq's models write."""
USER_DBFS, OWN_DBFS = -20.0, -19.0
ECHOES = [(delay_ms, level_db) for delay_ms in (20.0, 80.0, 200.0) for level_db in (-6.0, -18.0)]
OWN_LINES = (
    "Oh, nice question! I was just thinking about the sea today.",
    "Did you know that the ocean covers most of our planet?",
    "I love the sound of waves at night.",
    "Music is a bit like that for me, it comes and goes.",
    "What about you, do you play an instrument?",
    "Hmm, let me think.",
    "I would say that a bowl of noodles fixes almost everything.",
    "Games are fun too, especially with friends on a rainy day.",
    "Sure! Why did the bicycle fall over? Because it was two tired.",
    "Stop me if you have heard that one before.",
    "Wait, there is more, and it gets better from here.",
    "No way, you finished the whole thing in one evening?",
)


class LiveMicrophone:
    """A room in which a recording is said now and then, at its own pace; quiet noise in between."""

    name = "recordings"

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._queue = np.zeros(0, np.float32)
        self._given = 0
        self._start_ns = 0
        self._rng = np.random.default_rng(1)

    def open(self) -> None:
        """Begin now."""
        self._start_ns = self._clock.now_ns()

    def say(self, samples: Samples) -> int:
        """Say this from the next block on; the host time of its first sample."""
        with self._lock:
            self._queue = samples.astype(np.float32)
            return self._start_ns + self._given * 1_000_000_000 // RATE

    def read(self, timeout_s: float) -> AudioBlock:
        """The next 20 ms, when they are over."""
        with self._lock:
            piece, self._queue = self._queue[:BLOCK], self._queue[BLOCK:]
            self._given += BLOCK
            end_ns = self._start_ns + self._given * 1_000_000_000 // RATE
        noise = (10 ** (-65 / 20) * self._rng.standard_normal(BLOCK)).astype(np.float32)
        noise[: len(piece)] += piece
        self._clock.sleep_until(end_ns)
        return AudioBlock(noise, self._given - BLOCK, heard_ns=end_ns)

    def close(self) -> None:
        """Nothing to close."""


class Turn:
    """When what happened in the newest turn."""

    def __init__(self, bus: Bus) -> None:
        self._changed = threading.Condition()
        self.at_ns: dict[str, int] = {}
        self.text = ""
        self.answer: list[str] = []
        self.resumed = 0
        self.problems: list[str] = []
        bus.listen(self._take)

    def reset(self) -> None:
        """A new question."""
        with self._changed:
            self.at_ns, self.text, self.answer, self.resumed = {}, "", [], 0

    def wait(self, what: str, timeout_s: float) -> bool:
        """Until `what` has happened."""
        with self._changed:
            return self._changed.wait_for(lambda: what in self.at_ns, timeout_s)

    def _take(self, fact: Fact) -> None:
        key = f"{fact.stage} {fact.event}"
        with self._changed:
            if key == "vad speech_resumed":
                self.resumed += 1
                for old in ("llm first_token", "stt guess", "tts clip"):
                    self.at_ns.pop(old, None)
            if key == "stt transcript":
                self.text = fact.data["text"]
            if key == "playback clip_started":
                self.answer.append(fact.data["text"])
            if fact.data.get("state") == "failed":
                self.problems.append(f"{fact.stage}: {fact.data.get('problem')}")
            if key == "stt guess":
                self.at_ns[key] = fact.at_ns
            else:
                self.at_ns.setdefault(key, fact.at_ns)
            self._changed.notify_all()


def latency(settings: Settings, *, face: bool, repeat: int = 1) -> dict[str, Any]:
    """Feed every recording to the running app; from the end of its voice to each stage, in ms."""
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    microphone = LiveMicrophone(clock)
    turn = Turn(bus)
    folder = compose.find_character("haru")
    show = Show(
        bus, clock, settings, folder, microphone=microphone, speaker=compose.null_speaker(clock), greet=False, face=face
    )
    rows: list[dict[str, Any]] = []
    try:
        show.start()
        show.wait_until_loaded(180.0)
        threading.Event().wait(1.0)
        for recording in [r for _ in range(repeat) for r in recordings()]:
            turn.reset()
            quiet = np.zeros(RATE // 2, np.float32)
            start_ns = microphone.say(np.concatenate([quiet, recording.samples]))
            end_ns = start_ns + round((0.5 + recording.speech_end_s) * 1e9)
            answered = turn.wait("playback clip_started", recording.speech_end_s + ANSWER_WITHIN_S)
            turn.wait("stt transcript", 1.0)
            row: dict[str, Any] = {"name": recording.name, "voice": recording.voice, "heard": turn.text}
            for name, key in (
                ("guess", "stt guess"),
                ("decided", "vad speech_ended"),
                ("transcript", "stt transcript"),
                ("first_token", "llm first_token"),
                ("first_clip", "tts clip"),
                ("first_audio", "playback clip_started"),
            ):
                at = turn.at_ns.get(key)
                row[name] = None if at is None else round((at - end_ns) / 1e6)
            row |= {"answered": answered, "resumed": turn.resumed, "answer": " ".join(turn.answer)}
            row["wer"] = word_error_rate(recording.text, turn.text)
            rows.append(row)
            sys.stderr.write(f"{json.dumps(row, ensure_ascii=False)}\n")
            bus.gate.put(StopTalking())
            show.wait_until_idle(30.0)
            threading.Event().wait(1.0)
    finally:
        show.stop()
    out = {"rows": rows, "problems": turn.problems, **summary(rows)}
    ears = load_ears(default_store().path)
    offline = [word_error_rate(r.text, ears.transcriber.transcribe(r.samples)) for r in recordings()]
    return out | {"mean_word_error_rate_offline": round(statistics.fmean(offline), 3)}


def servers(arguments: argparse.Namespace) -> dict[str, Any]:
    """The same talk with a brain of 120 ms to the first token and a voice of 100 ms to the first sound on loopback."""
    with LoopbackServers(FIRST_TOKEN_MS, NEXT_TOKEN_MS, FIRST_SOUND_MS) as loopback:
        settings = Settings(
            hearing=HearingSettings(echo="off"),
            brain=BrainSettings(provider="server", server_url=loopback.url, server_model="bench", memory=False),
            voice=VoiceSettings(engine="openai", server_url=loopback.url, server_voice="bench"),
        )
        out = latency(settings, face=not arguments.no_face, repeat=arguments.repeat)
    # What is left once everybody else's time is taken away: from the later of the decision and the transcript on,
    # or from the decision where the answer was ready by then.
    overheads = []
    for row in out["rows"]:
        if row["first_audio"] is None or row["decided"] is None or row["transcript"] is None:
            continue
        ready = (row["guess"] or row["transcript"]) + FIRST_TOKEN_MS + FIRST_SOUND_MS
        overheads.append(row["first_audio"] - max(row["decided"], ready))
    out["own_overhead_ms"] = percentiles(overheads)
    return out


class GapMeter:
    """A loudspeaker that keeps time, and notes by how much each clip came after the end of the one before."""

    name = "no sound"

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._speaker = compose.null_speaker(clock)
        self._end_ns: dict[int, int] = {}
        self.gaps_ms: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._speaker, name)

    def play(self, clip: SpeechClip) -> None:
        """Note when it came, and queue it."""
        now_ns = self._clock.now_ns()
        end_ns = self._end_ns.get(clip.turn)
        if end_ns is not None:
            self.gaps_ms.append(max(0.0, (now_ns - end_ns) / 1e6))
        self._end_ns[clip.turn] = max(now_ns, end_ns or 0) + round(clip.duration_s * 1e9)
        self._speaker.play(clip)


def gaps(*, face: bool) -> dict[str, Any]:
    """Silence between two clauses beyond the pause that belongs to them, over half a minute of Piper."""
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    speaker = GapMeter(clock)
    microphone = LiveMicrophone(clock)
    folder = compose.find_character("haru")
    settings = Settings(hearing=HearingSettings(echo="off"))
    show = Show(bus, clock, settings, folder, microphone=microphone, speaker=speaker, greet=False, face=face)
    try:
        show.start()
        show.wait_until_loaded(180.0)
        for _ in range(2):
            bus.gate.put(Say(" ".join(OWN_LINES)))
            show.wait_until_idle(120.0)
    finally:
        show.stop()
    return {
        "clauses": len(speaker.gaps_ms) + 2,
        "largest_gap_ms": round(max(speaker.gaps_ms)),
        "over_80_ms": sum(g > 80 for g in speaker.gaps_ms),
    }


def word_error_rate(reference: str, heard: str) -> float:
    """As jiwer counts it, without case and punctuation."""
    plain = [
        " ".join("".join(c if c.isalnum() or c == "'" else " " for c in t.lower()).split()) for t in (reference, heard)
    ]
    return round(float(jiwer.wer(plain[0], plain[1])), 3)


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Median and 90th percentile of each stage over the turns that got there."""
    out: dict[str, Any] = {"turns": len(rows), "answered": sum(row["answered"] for row in rows)}
    for name in ("guess", "decided", "transcript", "first_token", "first_clip", "first_audio"):
        values = sorted(row[name] for row in rows if row[name] is not None)
        if values:
            out[name] = {"p50": round(float(np.percentile(values, 50))), "p90": round(float(np.percentile(values, 90)))}
    out["mean_word_error_rate"] = round(statistics.fmean(row["wer"] for row in rows), 3)
    return out


def own_voice(seconds: float) -> tuple[Samples, str]:
    """The character talking for `seconds`, at OWN_DBFS, and its words."""
    from app.backends.tts_piper import PiperSynth

    synth = PiperSynth(next(default_store().path(compose.VOICE_MODEL).glob("*.onnx")))
    synth.load()
    pieces = []
    for line in OWN_LINES:
        clip = synth.synthesize(0, 0, line, last=False)
        pieces.append(soxr.resample(clip.samples, clip.sample_rate, RATE).astype(np.float32))
    once = at_level(np.concatenate(pieces), OWN_DBFS)
    return np.resize(once, round(seconds * RATE)), " ".join(OWN_LINES)


def echo(seconds: float) -> dict[str, Any]:
    """Turns begun by nobody while the character talks for `seconds` at each level; and for 30 s without cancelling."""
    ears = load_ears(default_store().path)
    each_s = seconds / len({delay_ms for delay_ms, _ in ECHOES})
    out: dict[str, Any] = {"minutes_per_level": round(seconds / 60, 1), "rows": []}
    for cancel, length_s in ((True, each_s), (False, 30.0)):
        own, text = own_voice(length_s)
        for delay_ms, level_db in ECHOES:
            rig = Rig(ears, own=own, own_text=text, echo=room(delay_ms, level_db), cancel=cancel)
            rig.feed(np.zeros(len(own), np.float32))
            out["rows"].append(
                {
                    "cancelled": cancel,
                    "delay_ms": delay_ms,
                    "level_db": level_db,
                    "self_triggered_turns": len(rig.at_ms("speech_started")),
                    "ducked": len(rig.at_ms("ducked", on=True)),
                }
            )
    cancelled = [row for row in out["rows"] if row["cancelled"]]
    out["self_triggered_turns"] = {
        f"{level_db:g} dB": sum(row["self_triggered_turns"] for row in cancelled if row["level_db"] == level_db)
        for level_db in sorted({level_db for _, level_db in ECHOES})
    }
    out["rooms_triggered_within_30_s_without_cancelling"] = sum(
        row["self_triggered_turns"] > 0 for row in out["rows"] if not row["cancelled"]
    )
    out["needlessly_ducked"] = sum(row["ducked"] for row in cancelled)
    return out


def interruptions(trials: int) -> dict[str, Any]:
    """Real and other voices that speak over the character at -6 dB echo, and short noises that must not stop it."""
    ears = load_ears(default_store().path)
    own, text = own_voice(30.0)
    users = [r for r in recordings() if r.is_real and r.speech_end_s - r.speech_start_s > 1.2]
    rows: list[dict[str, Any]] = []
    for trial in range(trials):
        recording = users[trial % len(users)]
        delay_ms = (20.0, 80.0, 200.0)[trial % 3]
        start = max(0.0, recording.speech_start_s - 0.05)
        voice = at_level(recording.samples[round(start * RATE) : round((start + 3.0) * RATE)], USER_DBFS)
        at_s = 4.0 + trial * 0.37 % 9.0
        near = np.zeros(round((at_s + 5.0) * RATE), np.float32)
        first = round(at_s * RATE)
        near[first : first + len(voice)] = voice
        rig = Rig(ears, own=own, own_text=text, echo=room(delay_ms, -6.0, seed=trial + 1))
        rig.feed(near)
        onset_ms = 1000 * (at_s + recording.speech_start_s - start)
        enough_ms = speech_reaches(ears.detector, near, 600.0)
        stopped = [at for at in rig.at_ms("speech_started") if at > onset_ms]
        ducked = [at for at in rig.at_ms("ducked", on=True) if at > onset_ms - 200]
        rows.append(
            {
                "voice": recording.voice,
                "delay_ms": delay_ms,
                "before": len([at for at in rig.at_ms("speech_started") if at <= onset_ms]),
                "duck_ms": round(ducked[0] - onset_ms) if ducked else None,
                "stop_ms": round(stopped[0] - onset_ms) if stopped else None,
                "after_enough_ms": round(stopped[0] - enough_ms) if stopped and enough_ms else None,
            }
        )
    taken = [row for row in rows if row["after_enough_ms"] is not None and row["after_enough_ms"] <= 400]
    stops = sorted(row["stop_ms"] for row in rows if row["stop_ms"] is not None)
    ducks = sorted(row["duck_ms"] for row in rows if row["duck_ms"] is not None)
    return {
        "trials": trials,
        "taken_within_400_ms_of_600_ms_of_speech": len(taken),
        "within_200_ms": len([row for row in taken if row["after_enough_ms"] <= 200]),
        "stop_ms_from_onset": percentiles(stops),
        "duck_ms_from_onset": percentiles(ducks),
        "rows": rows,
    }


def percentiles(values: Sequence[float]) -> dict[str, int]:
    """Median, 90th percentile and largest."""
    if not values:
        return {}
    return {
        "p50": round(float(np.percentile(values, 50))),
        "p90": round(float(np.percentile(values, 90))),
        "max": round(max(values)),
    }


def speech_reaches(detector: Any, near: Samples, ms: float) -> float | None:
    """When the user's voice alone (no echo) has had `ms` of speech, in ms from the start."""
    detector.reset()
    windows, count = 0, len(near) // 512
    for k in range(count):
        windows += detector.probability(near[k * 512 : (k + 1) * 512]) > 0.35
        if windows * 32 >= ms:
            return (k + 1) * 32.0
    return None


def starts(trials: int) -> dict[str, Any]:
    """First syllables after silence: the cut-out utterance has to begin before the voice does."""
    ears = load_ears(default_store().path)
    users = list(recordings())
    lost, rows = 0, []
    for trial in range(trials):
        recording = users[trial % len(users)]
        quiet_s = 1.5 + trial * 0.23 % 1.7
        level = (-20.0, -30.0)[trial // len(users) % 2]
        samples = at_level(recording.samples, level)
        rig = Rig(ears, options=replace(Rig.__dataclass_fields__["options"].default_factory(), partials=False))
        rig.feed(np.concatenate([np.zeros(round(quiet_s * RATE), np.float32), samples, np.zeros(3 * RATE, np.float32)]))
        whole = [u for u in rig.utterances if not u.speculative and not u.partial and len(u.samples)]
        begins = rig.began_ms
        onset_ms = 1000 * (quiet_s + recording.speech_start_s)
        ok = bool(whole) and begins is not None and begins <= onset_ms
        lost += not ok
        rows.append(
            {
                "name": recording.name,
                "level_dbfs": level,
                "pre_roll_ms": None if begins is None else round(onset_ms - begins),
            }
        )
    return {"starts": trials, "first_syllables_lost": lost, "rows": rows}


def pauses(answer_ms: float) -> dict[str, Any]:
    """Pauses of 300 to 700 ms inside sentences, the speakers' own and put in.

    `answer_ms`: from the end of speech until an answer can be heard at the earliest, here that of the fast servers. A
    turn is cut short where the character's voice begins in the pause, or before it is noticed that the user goes on.
    """
    ears = load_ears(default_store().path)
    rows = []
    cases: list[tuple[Recording, float, float]] = []
    for recording in [*recordings(), *recordings(long=True)]:
        cases += [(recording, a, b) for a, b in recording.pauses_s if 0.3 <= b - a <= 0.7]
    for number, (recording, at_s) in enumerate((r, at) for r in recordings() for at in r.gaps_s):
        pause_s = (0.3, 0.4, 0.5, 0.6, 0.7)[number % 5]
        longer = with_pause(recording, at_s, pause_s)
        cases.append((longer, *longer.pauses_s[0]))
    for recording, from_s, to_s in cases:
        rig = Rig(ears, answer_ms=answer_ms)
        rig.feed(
            np.concatenate(
                [
                    np.zeros(RATE // 2, np.float32),
                    at_level(recording.samples, USER_DBFS),
                    np.zeros(RATE * 2, np.float32),
                ]
            )
        )
        low, high = 1000 * (from_s + 0.5), 1000 * (to_s + 0.5)
        decided = [at for at in rig.at_ms("speech_ended") if low < at < high + 150]
        heard = [at for at in rig.heard_ms if low < at < high + 150]
        rows.append(
            {"name": recording.name, "pause_ms": round(high - low), "decided": bool(decided), "cut": bool(heard)}
        )
    return {
        "pauses": len(rows),
        "cut": sum(row["cut"] for row in rows),
        "decided_too_soon": sum(row["decided"] for row in rows),
        "answer_ms": answer_ms,
        "rows": rows,
    }


def main() -> None:
    """Run the parts and print them."""
    parts: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "latency": lambda a: latency(
            Settings(hearing=HearingSettings(echo="off")), face=not a.no_face, repeat=a.repeat
        ),
        "servers": servers,
        "gaps": lambda a: gaps(face=not a.no_face),
        "echo": lambda a: echo(a.echo_minutes * 60.0),
        "interruptions": lambda a: interruptions(40),
        "starts": lambda a: starts(40),
        "pauses": lambda a: pauses(700.0),
    }
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="one object on stdout, with every row")
    arguments.add_argument("--only", nargs="+", choices=list(parts), default=list(parts))
    arguments.add_argument("--no-face", action="store_true", help="latency without the face's process beside it")
    arguments.add_argument("--repeat", type=int, default=1, help="say every recording so many times")
    arguments.add_argument("--echo-minutes", type=float, default=10.0)
    chosen = arguments.parse_args()
    result: dict[str, Any] = {
        "machine": {
            "cpu": cpu_model(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        }
    }
    for name in chosen.only:
        result[name] = parts[name](chosen)
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    for name, part in result.items():
        print(f"{name}: {json.dumps({k: v for k, v in part.items() if k != 'rows'}, ensure_ascii=False)}")


if __name__ == "__main__":
    main()
