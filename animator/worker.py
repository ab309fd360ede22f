"""The animator process, `python -m animator.worker`: messages in on stdin, frames out by shared memory.

Facts go out on stdout.

Two ways to run: free, where frame k is drawn in the interval before it is due (start + k / fps) and is there at
its deadline; and stepped (`--stepped`), where each frame is asked for, so that a film can be made slower or faster
than life. Both call the same `render`.

Threads: *inbox* reads messages; *lips* prepares the lips of clips, which takes a while where their phones are not known
(stepped, inbox does it: a film waits for them); *loader* takes characters in; *main* draws. The process ends when its
stdin does, so it never outlives the app.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from animator.border import Header, anchor_of, clip_of, read_message, write_message
from animator.clock import SystemClock
from animator.frames import FrameSlots
from animator.memory import begin, give_back
from animator.messages import Pixels, SpeechClip, SpeechTime
from animator.priority import give_way
from animator.protocol import Animator
from animator.timebase import STALE_S, Clock, FrameClock, Playout

ENGINES = ("tha3", "musetalk")
"""The second draws photos with MuseTalk, and everything else as the first does."""
LARGEST_PX = 1024
"""The largest frame that any engine draws, width and height."""
MAX_MOUTH_OFFSET_MS = 200
"""How much earlier or later than the sound the user may have the mouth."""
SWITCH_S = 0.0005
"""How long a thread of Python's own work goes on while another one waits."""
HELD_BACK = 0.3
"""Of a frame's time: so long after the deadline before its own a frame is there at the earliest. Whoever sends pictures
looks a little after a deadline, for what is late; a photo is drawn in 4 ms, and its next frame would be there now just
before the look, now just after."""
FLASH_S = 0.1
"""How long the picture flashes at a click of the lip-sync test: three frames at 30 fps are seen even on a stream."""


def flashed(pixels: Pixels) -> Pixels:
    """The frame with the character as a light shape, the same everywhere; its alpha stays."""
    light = pixels.copy()
    light[..., :3] = 255
    return light


class Worker:
    """Runs one engine. Everything it is told arrives in `take`; everything it says goes through `tell`."""

    def __init__(
        self,
        engine: Animator,
        frames: FrameSlots,
        clock: Clock,
        tell: Callable[[Header], None],
        fps: float,
        *,
        lips_aside: bool = False,
        mouth_offset_ms: int = 0,
    ) -> None:
        self._engine = engine
        self._frames = frames
        self._clock = clock
        self._tell = tell
        self._fps = fps
        self._playout = Playout(STALE_S)
        self._lock = threading.Lock()
        self._lips_aside = lips_aside
        self._lips: queue.SimpleQueue[SpeechClip | None] = queue.SimpleQueue()
        self._oldest_turn = 0
        self._loads: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._steps: queue.SimpleQueue[Header] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._seq = 0
        self._speaking_turn: int | None = None
        self._mouth_offset_ns = mouth_offset_ms * 1_000_000
        self._flashes: dict[tuple[int, int], tuple[float, ...]] = {}
        self._film_ns: int | None = None
        self._drawn = threading.Event()

    def take(self, header: Header, payload: bytes) -> None:
        """Act on one message (inbox thread)."""
        kind = header["type"]
        if kind == "clip":
            self._push(clip_of(header, payload))
        elif kind == "anchor":
            anchor = anchor_of(header)
            with self._lock:
                self._playout.anchor(anchor)
        elif kind == "clear":
            before_turn = self._oldest_turn = int(header["before_turn"])
            with self._lock:
                self._playout.clear(before_turn)
                self._flashes = {key: at_s for key, at_s in self._flashes.items() if key[0] >= before_turn}
            self._engine.clear(before_turn)
        elif kind == "mouth_offset":
            offset_ms = int(header["ms"])
            if abs(offset_ms) > MAX_MOUTH_OFFSET_MS:
                raise ValueError(f"a mouth offset of {offset_ms} ms; expected {MAX_MOUTH_OFFSET_MS} at most either way")
            self._mouth_offset_ns = offset_ms * 1_000_000
        elif kind in ("express", "feel", "gesture"):
            self._act(kind, header)
        elif kind == "preview":
            self._preview(header["values"])
        elif kind == "think":
            self._engine.think(int(header["turn"]), bool(header["on"]), self._now_ns())
        elif kind == "load":
            self._engine.cancel_load()  # the newest wish counts; first, or it would meet the new load
            self._loads.put(Path(str(header["character"])))
        elif kind == "step":
            self._steps.put(header)
        elif kind == "quit":
            self.stop()
        else:
            raise ValueError(f"no message of type {kind!r} is known")

    def _act(self, kind: str, header: Header) -> None:
        name, now_ns = str(header["name"]), self._now_ns()
        try:
            if kind == "express":
                self._engine.express(name, now_ns)
                fact: Header = {"event": "expression", "name": name}
            elif kind == "feel":
                intensity = float(header["intensity"])
                self._engine.feel(name, intensity, now_ns)
                fact = {"event": "emotion", "name": name, "intensity": intensity}
            else:
                self._engine.gesture(name, now_ns)
                fact = {"event": "gesture", "name": name}
        except ValueError as error:
            remedy = f"Choose one of the character's {'gestures' if kind == 'gesture' else 'expressions'}."
            self._tell({"event": "problem", "problem": str(error), "remedy": remedy})
        else:
            self._tell(fact)

    def _preview(self, values: object) -> None:
        if values is not None and not isinstance(values, dict):
            raise ValueError("a preview's values are no table of names and numbers")
        found = None if values is None else {str(name): float(value) for name, value in values.items()}
        try:
            self._engine.preview(found, self._now_ns())
        except ValueError as error:
            self._tell({"event": "problem", "problem": str(error), "remedy": "Name THA3's parameters."})

    def _now_ns(self) -> int:
        """Host time, or the film's own time where frames are asked for."""
        return self._clock.now_ns() if self._film_ns is None else self._film_ns

    def _push(self, clip: SpeechClip) -> None:
        with self._lock:
            self._playout.add_clip(clip.turn, clip.index, clip.duration_s)
            if clip.flashes_s:
                self._flashes[clip.turn, clip.index] = clip.flashes_s
        if self._lips_aside:
            self._lips.put(clip)
        else:
            self._prepare(clip)

    def _prepare(self, clip: SpeechClip) -> None:
        start_ns = self._clock.now_ns()
        lips = self._engine.push(clip)
        if lips is None or clip.flashes_s:  # a click of the lip-sync test says nothing of the voice's lips
            return
        self._tell(
            {
                "event": "pushed",
                "turn": clip.turn,
                "index": clip.index,
                "method": lips.method,
                "model": lips.model,
                "reason": lips.reason,
                "lips_ms": round((self._clock.now_ns() - start_ns) / 1e6, 1),
            }
        )

    def lips_loop(self) -> None:
        """Prepare lips until stopped (lips thread). A full pipe would hold up the voice, so inbox never waits."""
        while not self._stopping.is_set():
            clip = self._lips.get()
            if clip is None:
                return
            if clip.turn < self._oldest_turn:
                continue
            try:
                self._prepare(clip)
            except Exception as error:
                self._tell({"event": "problem", "problem": str(error), "remedy": getattr(error, "remedy", "")})

    def stop(self) -> None:
        """Ask every loop to end; safe from any thread."""
        self._stopping.set()
        self._loads.put(None)
        self._lips.put(None)
        self._steps.put({})
        self._drawn.set()

    def load_loop(self) -> None:
        """Take characters in until stopped (loader thread). A character that cannot be used leaves the one before."""
        if self._lips_aside:  # in a film nobody draws meanwhile
            give_way()
        while not self._stopping.is_set():
            character = self._loads.get()
            if character is None:
                return
            try:
                self._engine.load(
                    character, lambda what, share: self._tell({"event": "progress", "what": what, "share": share})
                )
            except Exception as error:  # the face in use stays; the user is told why the new one did not come
                self._tell({"event": "problem", "problem": str(error), "remedy": getattr(error, "remedy", "")})
            else:
                found = self._engine.capabilities
                why = {"problem": found.problem, "remedy": found.remedy} if found.problem else {}
                self._tell({"event": "character", "path": str(character), "tier": found.tier, **why})
                if self._lips_aside:  # a film ends soon, and its frames wait for their turn
                    self._forget_the_last()

    def _forget_the_last(self) -> None:
        """Give the memory of the character before back (loader thread)."""
        for _ in range(2):  # the frame that was being drawn, and one with the new character
            self._drawn.clear()
            self._drawn.wait(1.0)
        # Circles of dead objects are found rarely by themselves, and hold arrays of megabytes. What lives was frozen at
        # the start, so this takes a millisecond.
        gc.collect()
        give_back()

    def draw(self, speech: SpeechTime | None, host_ns: int, not_before_ns: int = 0) -> None:
        """Draw one frame and publish it, from `not_before_ns` on.

        A frame that fails is reported and the last one stays.
        """
        try:
            pixels = self._engine.render(speech, host_ns)
        except Exception as error:  # one bad frame must not end the show
            problem = getattr(error, "problem", "") or f"A frame could not be drawn: {error}"
            remedy = getattr(error, "remedy", "") or "Choose the character again."
            tier = self._engine.capabilities.tier
            self._tell({"event": "problem", "problem": problem, "remedy": remedy, "tier": tier})
            return
        if speech is not None and self._is_flash(speech):
            pixels = flashed(pixels)
        self._clock.sleep_until(not_before_ns)
        self._seq += 1
        turn = speech.turn if speech else None
        self._frames.write(pixels, self._seq, host_ns, turn)
        if turn is not None and turn != self._speaking_turn:
            self._tell({"event": "speaking_frame", "turn": turn, "host_ns": self._clock.now_ns()})
        self._speaking_turn = turn if turn is not None else self._speaking_turn
        self._drawn.set()

    def _is_flash(self, speech: SpeechTime) -> bool:
        """Whether the lip-sync test wants a flash: from the frame that is nearest to the click, for FLASH_S."""
        half_frame_s = 0.5 / self._fps
        at_s = self._flashes.get((speech.turn, speech.index), ())
        return any(-half_frame_s <= speech.time_s - each_s < FLASH_S - half_frame_s for each_s in at_s)

    def free_loop(self) -> None:
        """Draw frame k in the interval before its deadline, until stopped (main thread)."""
        period_ns = int(1e9 / self._fps)
        frame_clock = FrameClock(self._clock.now_ns(), self._fps)
        late = drawn = 0
        report_ns = self._clock.now_ns() + 1_000_000_000
        due_before = late_before = missed_before = 0
        # Collections of the long-lived baked arrays cost up to 20 ms; the loop itself makes no cycles.
        gc.collect()
        gc.freeze()
        while not self._stopping.is_set():
            due_ns = frame_clock.next_due_ns(self._clock.now_ns())
            self._clock.sleep_until(due_ns - period_ns)
            with self._lock:
                # The only place where the user's offset counts: later is what was heard a little before.
                speech = self._playout.speech_time(due_ns - self._mouth_offset_ns)
            self.draw(speech, due_ns, due_ns - round((1.0 - HELD_BACK) * period_ns))
            drawn += 1
            now_ns = self._clock.now_ns()
            if now_ns > due_ns:
                late += 1
            if now_ns >= report_ns:
                report_ns = now_ns + 1_000_000_000
                due, missed = frame_clock.due - due_before, frame_clock.missed - missed_before + late - late_before
                due_before, missed_before, late_before = frame_clock.due, frame_clock.missed, late
                tier = self._engine.capabilities.tier
                clamped = self._engine.clamped
                self._tell(
                    {"event": "frames", "fps": drawn, "due": due, "missed": missed, "tier": tier, "clamped": clamped}
                )
                drawn = 0

    def stepped_loop(self) -> None:
        """Draw exactly the frames that are asked for, until stopped (main thread)."""
        self._film_ns = 0
        while not self._stopping.is_set():
            step = self._steps.get()
            if not step:
                return
            place = step["speech"]
            speech = None if place is None else SpeechTime(int(place[0]), int(place[1]), float(place[2]))
            self._film_ns = int(step["host_ns"])
            self.draw(speech, self._film_ns)
            self._tell({"event": "stepped", "id": step["id"]})


def take_messages(worker: Worker, stream: BinaryIO, tell: Callable[[Header], None]) -> None:
    """Feed `worker` until the app closes the stream; a message that is not understood is reported and left."""
    while True:
        try:
            message = read_message(stream)
        except OSError:
            break  # after a damaged stream no message border can be found again
        if message is None:
            break
        try:
            worker.take(*message)
        except Exception as error:
            tell({"event": "problem", "problem": f"The face did not understand a message: {error}", "remedy": ""})
    worker.stop()


def build_engine(name: str, arguments: argparse.Namespace) -> Animator:
    """Import and build the engine called `name`; only the chosen one is ever imported."""
    if name not in ENGINES:
        raise ValueError(f"no animator engine is called {name!r}; there are {', '.join(ENGINES)}")
    from animator.lipsync import phonemes
    from animator.tha3.animator import Tha3

    phonemes.choose(arguments.phonemes)
    tha3 = Tha3(arguments.weights, arguments.cache, arguments.tier, large=arguments.large)
    if name == "tha3":
        return tha3
    from animator.musetalk.opening import open_musetalk

    return open_musetalk(
        tha3,
        arguments.musetalk_weights,
        arguments.cache,
        arguments.musetalk_quality,
        device=arguments.musetalk_device,
        large=arguments.large,
        waits=arguments.stepped,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the animator process."""
    parser = argparse.ArgumentParser(prog="python -m animator.worker", description=__doc__)
    parser.add_argument("--frames", type=Path, required=True, help="file to make the frame slots in")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--engine", default="tha3", help=" or ".join(ENGINES))
    parser.add_argument("--musetalk-weights", type=Path, default=Path(), help="folder with MuseTalk's files")
    parser.add_argument("--musetalk-quality", default="best", choices=("best", "fast"))
    parser.add_argument("--musetalk-device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tier", default="auto", choices=("auto", "live", "exact"))
    parser.add_argument("--large", action="store_true", help="draw at the art's own size where it is larger")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--phonemes", default="", help="phone model: own, hama or a path; empty is the best that runs")
    parser.add_argument("--mouth-offset-ms", type=int, default=0, help="show the mouth so much later than the sound")
    parser.add_argument("--stepped", action="store_true")
    arguments = parser.parse_args(argv)

    begin()
    # Whoever draws asks for the interpreter some hundred times a picture. While the loader has it, each time took 5 ms.
    sys.setswitchinterval(SWITCH_S)
    # Ctrl-C in a terminal reaches the whole process group; the app decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries that print would break the message stream: give them stderr, keep the real stdout to ourselves.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lock = threading.Lock()

    def tell(header: dict[str, Any]) -> None:
        with lock, contextlib.suppress(OSError, ValueError):  # the app has gone: stdin says so in a moment
            write_message(out, header)

    try:
        engine = build_engine(arguments.engine, arguments)
    except Exception as error:
        tell(
            {
                "event": "failed",
                "problem": f"The face engine could not start: {error}",
                "remedy": "Run `kuchipaku doctor`.",
            }
        )
        return 1
    frames = FrameSlots.create(arguments.frames, LARGEST_PX, LARGEST_PX)
    worker = Worker(
        engine,
        frames,
        SystemClock(),
        tell,
        arguments.fps,
        lips_aside=not arguments.stepped,
        mouth_offset_ms=arguments.mouth_offset_ms,
    )
    inbox = threading.Thread(target=take_messages, args=(worker, sys.stdin.buffer, tell), name="inbox", daemon=True)
    loader = threading.Thread(target=worker.load_loop, name="loader", daemon=True)
    lips = threading.Thread(target=worker.lips_loop, name="lips", daemon=True)
    inbox.start()
    lips.start()
    loader.start()
    tell({"event": "ready", "width_px": frames.width_px, "height_px": frames.height_px})
    try:
        if arguments.stepped:
            worker.stepped_loop()
        else:
            worker.free_loop()
    finally:
        engine.close()
        frames.unlink()
    return 0


def run_process() -> None:
    """Run and leave at once: the inbox thread sits in a read of stdin that nothing can interrupt (gh-87135)."""
    code = main()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run_process()
