"""What each command does. The same parts as the window's, from `compose`; only the ends of the line differ."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from animator.character import SIZE_PX, Character, list_characters
from animator.clock import SystemClock
from app import __version__, brain, compose, doctor, history_store, paths, secrets, voice
from app.backends.animator_process import AnimatorProcess
from app.backends.memory_sqlite import SqliteMemory
from app.backends.mic_rehearsal import RehearsalMicrophone
from app.bus import Bus
from app.cards import import_card
from app.characters import kuchi_file, library
from app.errors import AppError
from app.film import LEAD_OUT_S, FilmedSpeaker, FilmSpeaker, LiveFilm
from app.history_store import HistoryStore
from app.messages import Fact, Feel, Say
from app.models import default_store
from app.obs import Studio as ObsStudio
from app.policy.obs_plan import SCENE
from app.ports import Microphone, Speaker
from app.settings import Settings, Value, load_settings
from app.settings_file import keep_setting, open_settings
from app.show import Show
from app.stages.camera import CameraStage

if TYPE_CHECKING:  # the window's start is not kept waiting for FFmpeg
    from app.backends.video_file import VideoFile

Progress = Callable[[str, float], None]

OBS_WARNINGS = {
    "display": "“{source}” captures a screen in the same scene: keep this app's window away from it.",
    "obs_camera": "“{source}” is OBS's own camera: do not start the virtual camera in OBS while it is shown.",
}
FPS = 30
BAKE_TIMEOUT_S = 900.0
LOAD_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class FilmRequest:
    """Where a film goes, who plays in it (None: the settings' character), where the trace goes, and what is felt."""

    out: Path
    character: str | None
    trace: Path | None
    emotion: str = ""


def settings() -> Settings:
    """The user's settings."""
    return load_settings(paths.settings_file())


@contextlib.contextmanager
def tracing(bus: Bus, path: Path | None) -> Iterator[None]:
    """Write every fact as one JSON line with at_s (from the start), stage, event and its data."""
    if path is None:
        yield
        return
    try:
        file = path.open("w", encoding="utf-8", buffering=1)  # line by line: whoever reads along is not late
    except OSError as error:
        raise AppError(f"The trace {path} cannot be written: {error.strerror}.", "Choose another --trace.") from error
    lock = threading.Lock()
    start_ns = SystemClock().now_ns()

    def write(fact: Fact) -> None:
        line = {"at_s": round((fact.at_ns - start_ns) / 1e9, 4), "stage": fact.stage, "event": fact.event, **fact.data}
        with lock:
            if not file.closed:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    bus.listen(write)
    try:
        yield
    finally:
        with lock:
            file.close()


class Report:
    """What `--json` prints, gathered from the facts of one turn. Facts come on any thread."""

    def __init__(self, bus: Bus, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._at_ns: dict[str, int] = {}
        self._heard: list[str] = []
        self._answer: list[str] = []
        self._audio_s = 0.0
        self._ended_ns: int | None = None
        self.problems: list[AppError] = []
        bus.listen(self._take)

    def _take(self, fact: Fact) -> None:
        key, data = (fact.stage, fact.event), fact.data
        with self._lock:
            if key == ("vad", "speech_ended"):
                self._ended_ns = data.get("ended_ns", fact.at_ns)
            elif key == ("stt", "transcript"):
                self._at_ns["transcript"] = fact.at_ns
                self._heard.append(data["text"])
            elif key == ("llm", "first_token"):
                self._at_ns.setdefault("first_token", fact.at_ns)
            elif key == ("tts", "clip"):
                self._audio_s += data["duration_s"]
            elif key == ("playback", "clip_started"):
                self._at_ns.setdefault("first_audio", fact.at_ns)
                self._answer.append(data["text"])
            elif key == ("avatar", "speaking_frame"):
                self._at_ns.setdefault("first_frame", data.get("host_ns", fact.at_ns))
            elif data.get("state") == "failed":
                self.problems.append(AppError(data.get("problem", "Something failed."), data.get("remedy", "")))
        if key == ("avatar", "progress"):
            self._progress(data["what"], data["share"])

    def as_json(self, film: VideoFile) -> dict[str, Any]:
        """The object of `--json`; latencies are null where a stage was not reached."""
        with self._lock:
            ended_ns = self._ended_ns
            latency_ms = {
                name: round((self._at_ns[name] - ended_ns) / 1e6, 1) if ended_ns and name in self._at_ns else None
                for name in ("transcript", "first_token", "first_audio", "first_frame")
            }
            return {
                "heard": " ".join(self._heard),
                "answer": " ".join(text for text in self._answer if text),
                "audio_s": round(self._audio_s, 3),
                "frames": film.frames,
                "fps": float(FPS),
                "latency_ms": latency_ms,
            }


def reply(question: Path, film: FilmRequest, realtime: bool, progress: Progress) -> dict[str, Any]:
    """Answer the question in a sound file with a film; returns the object of `--json`.

    Raises AppError for a file that is not sound, and where any part cannot work.
    """
    return _film(film, realtime, progress, question=question, text=None)


def say(text: str, film: FilmRequest, progress: Progress) -> dict[str, Any]:
    """Speak `text` in a film."""
    if not any(character.isalnum() for character in text):
        raise AppError("There is nothing to say in that text.", "Give it at least one word.")
    report = _film(film, False, progress, question=None, text=text)
    del report["heard"], report["latency_ms"]
    return report


def _film(
    request: FilmRequest, realtime: bool, progress: Progress, question: Path | None, text: str | None
) -> dict[str, Any]:
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    chosen = settings()
    folder = compose.find_character(request.character or chosen.face.character)
    character = compose.character_of(folder)
    _check_emotion(request.emotion, character)
    hears = question is not None
    with contextlib.ExitStack() as stack:
        stack.enter_context(tracing(bus, request.trace))
        report = Report(bus, progress)
        microphone: Microphone | None = None
        if question is not None:
            microphone = (
                compose.rehearsal_microphone(question, clock, chosen) if realtime else compose.file_microphone(question)
            )
            microphone.open()  # a file that is no sound is refused before anything loads
            microphone.close()
        parts = compose.line_parts(chosen, character, hears=hears, answers=hears, bus=bus)
        from app.backends.video_file import VideoFile

        video = VideoFile(request.out, FPS)
        stack.callback(video.discard)
        face = compose.start_face(bus, chosen, folder, stepped=not realtime)
        stack.callback(face.close)
        show: _SteppedShow | _LiveShow
        if realtime:
            show = _LiveShow(video, compose.null_speaker(clock), compose.camera_stage(bus, clock, face, chosen))
        else:
            show = _SteppedShow(video, face)
        line = compose.build_line(bus, clock, chosen, character, parts, microphone, show.speaker, face, from_file=True)
        stack.callback(line.stop)
        face.wait_loaded(BAKE_TIMEOUT_S)
        show.start()
        stack.callback(show.stop)
        line.start()
        if isinstance(microphone, RehearsalMicrophone):
            line.wait_until_loaded(LOAD_TIMEOUT_S)
            microphone.begin()
        if request.emotion:
            bus.gate.put(Feel(request.emotion))
        if text is not None:
            bus.gate.put(Say(text))
        if not line.wait_until_idle(ANSWER_TIMEOUT_S):
            raise AppError(f"There was no answer within {ANSWER_TIMEOUT_S:.0f} s.", "Run `kuchipaku doctor`.")
        show.finish()
        if video.frames == 0:
            raise report.problems[0] if report.problems else NOTHING_SAID
        line.stop()
        video.close()
        return report.as_json(video)


def _check_emotion(name: str, character: Character) -> None:
    from animator.tha3.expressions import PRESETS

    known = {**character.expressions, **PRESETS}
    if name and name not in known:
        raise AppError(f"There is no emotion called {name!r}.", f"There are {', '.join(known)}.")


NOTHING_SAID = AppError("Nothing was said in that file, so there is no answer.", "Record a question with a voice.")


class _SteppedShow:
    """Filmed frame by frame, on the speech's own time."""

    def __init__(self, video: VideoFile, face: AnimatorProcess) -> None:
        self.speaker = FilmSpeaker(video, face, FPS)

    def start(self) -> None:
        """The speaker starts with the line."""

    def finish(self) -> None:
        """Film the lead-out; raises what stopped the film early."""
        self.speaker.finish()
        if self.speaker.problem is not None:
            raise self.speaker.problem

    def stop(self) -> None:
        """Let go."""
        self.speaker.close()


class _LiveShow:
    """Filmed as viewers would see it, at the clock's pace."""

    def __init__(self, video: VideoFile, speaker: Speaker, camera: CameraStage) -> None:
        self._camera = camera
        self._film = LiveFilm(video, FPS)
        self.speaker = FilmedSpeaker(speaker, self._film)

    def start(self) -> None:
        """Let the camera run."""
        self._camera.add(self._film)
        self._camera.start()

    def finish(self) -> None:
        """Keep the camera on for the lead-out, then lay the sound."""
        threading.Event().wait(LEAD_OUT_S)
        self._camera.stop()
        self._film.finish()

    def stop(self) -> None:
        """Let go."""
        self._camera.stop()


def render(character: str, poses_file: Path, engine: str, size_px: int, out: Path, progress: Progress) -> int:
    """Draw the poses of a .npy file with one engine into another, 512 or 1024 px large."""
    from animator.tha3.render import render_poses

    try:
        poses = np.load(poses_file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise AppError(
            f"{poses_file} is not a NumPy file of poses: {error}", "Save float32 (n, 45) by numpy.save."
        ) from error
    drawn = compose.character_of(compose.find_character(character))
    large = None if size_px == SIZE_PX else drawn.large
    if size_px != SIZE_PX and large is None:
        raise AppError(
            f"{drawn.name} has no art of {size_px} x {size_px} px.",
            "Name one with image_large in its character.toml, or leave --size out.",
        )
    weights = compose.weights(settings())
    try:
        frames = render_poses(drawn.image, weights, compose.bakes_dir(), poses, engine, progress, large)
        with _npy_writer(out, len(poses), size_px) as target:
            for index, pixels in enumerate(frames):
                target[index] = pixels
                progress("Drawing", (index + 1) / len(poses))
    except ValueError as error:
        raise AppError(str(error), "Give float32 poses of shape (n, 45) in THA3's order.") from error
    return 0


@contextlib.contextmanager
def _npy_writer(out: Path, count: int, size_px: int) -> Iterator[np.ndarray]:
    # Mapped, because 1,000 frames are a gibibyte.
    try:
        frames = np.lib.format.open_memmap(out, mode="w+", dtype=np.uint8, shape=(count, size_px, size_px, 4))
    except OSError as error:
        raise AppError(f"{out} cannot be written: {error.strerror}.", "Choose another --out.") from error
    yield frames
    frames.flush()


def bake(names: Sequence[str], every: bool, progress: Progress) -> int:
    """Prepare the live face of characters; what is ready already takes no time."""
    from animator.puppet.opening import open_puppet
    from animator.tha3 import graphs
    from animator.tha3.bake import bake as bake_character

    folders = [compose.find_character(name) for name in names]
    if every:
        folders += [folder for _, folder in list_characters(*compose.character_roots())]
    if not folders:
        folders = [compose.find_character(settings().face.character)]
    drawn = []
    for folder in folders:
        character = compose.character_of(folder)
        if not character.is_person:
            drawn.append(character)
        else:
            open_puppet(character, compose.bakes_dir(), progress)
    if not drawn:
        return 0
    weights = compose.weights(settings())
    try:
        graphs.ready(compose.bakes_dir(), weights)  # also where every bake is ready: nobody is to wait for it later
    except (ValueError, OSError) as error:
        raise AppError(f"The face's networks cannot be prepared: {error}", "Run: kuchipaku models verify") from error
    for character in drawn:

        def named(what: str, share: float, name: str = character.name) -> None:
            progress(f"{name}: {what}", share)

        bake_character(character.image, weights, compose.bakes_dir(), named, lambda: False)
    return 0


def brain_test(as_json: bool, say: Callable[[str], None]) -> int:
    """Ask every provider of the settings for a word, and say how that went; 1 where none of them answers."""
    found = brain.candidates(settings().brain, default_store(), brain.CHECK_PERSONA, lambda name, note: None)

    def say_one(report: brain.ProviderReport) -> None:
        if as_json:
            return
        if report.problem:
            say(f"{report.provider}: {report.problem}\n    {report.remedy}")
            return
        trip = "" if report.round_trip_ms is None else f"round trip {report.round_trip_ms:.0f} ms, "
        say(f"{report.provider}: {report.model} answers: {trip}first words after {report.first_token_ms:.0f} ms")

    reports = brain.check(found, SystemClock(), say_one)
    if as_json:
        say(json.dumps([report.as_json() for report in reports], ensure_ascii=False))
    return 0 if any(not report.problem for report in reports) else 1


def voices(as_json: bool, say: Callable[[str], None]) -> int:
    """Say which voices there are and which one speaks; 1 where the one of the settings cannot."""
    found = voice.reports(settings().voice, next(iter(compose.VOICES)))
    if as_json:
        say(json.dumps([report.as_json() for report in found], ensure_ascii=False))
    else:
        for report in found:
            say(f"{report.name}: {'in use' if report.in_use else 'speaks where the other cannot'}")
            if report.problem:
                say(f"    {report.problem}\n    {report.remedy}")
            for name in report.voices:
                say(f"    {name}")
    return 1 if any(report.problem for report in found) else 0


def memory_list(character: str | None, as_json: bool, say: Callable[[str], None]) -> int:
    """Say what is remembered of the user."""
    with _memory() as memory:
        found = memory.facts(_name_of(character))
    if as_json:
        rows = [
            {"number": fact.id, "character": name, "fact": fact.text, "kind": fact.kind, "at_s": round(fact.at_s)}
            for name, fact in found
        ]
        say(json.dumps(rows, ensure_ascii=False))
        return 0
    for name, fact in found:
        say(f"{fact.id:5d}  {name}: {fact.text}")
    if not found:
        say("Nothing is remembered.")
    return 0


def memory_forget(numbers: Sequence[int], say: Callable[[str], None]) -> int:
    """Forget facts; 1 where one of them is not there."""
    with _memory() as memory:
        gone = {number: memory.forget(number) for number in numbers}
    for number, was_there in gone.items():
        say(f"{number} is forgotten." if was_there else f"There is no fact with the number {number}.")
    return 0 if all(gone.values()) else 1


def memory_erase(character: str | None, say: Callable[[str], None]) -> int:
    """Forget everything, of one character or of all."""
    with _memory() as memory:
        count = memory.erase(_name_of(character))
    say(f"{count} facts are forgotten." if count != 1 else "1 fact is forgotten.")
    return 0


def _name_of(character: str | None) -> str | None:
    """A character's own name, however it was given; what is remembered of one that is gone is still reached."""
    if character is None:
        return None
    try:
        return compose.character_of(compose.find_character(character)).name
    except AppError:
        return character


@contextlib.contextmanager
def _memory() -> Iterator[SqliteMemory]:
    memory = SqliteMemory(paths.memory_file())
    try:
        yield memory
    finally:
        memory.close()


def history_list(words: str, character: str | None, last: int, *, as_json: bool, say: Callable[[str], None]) -> int:
    """Say what was said, the newest messages last."""
    with contextlib.closing(HistoryStore(paths.history_file())) as store:
        found = store.find(words, _name_of(character), max(0, last))
    if as_json:
        say(history_store.as_json(found).rstrip())
        return 0
    for each in found:
        at = datetime.fromtimestamp(each.at_s)
        who = "You" if each.who == "user" else each.character
        say(f"{at:%Y-%m-%d %H:%M}  {who}: {each.text}{' (interrupted)' if each.cut else ''}")
    if not found:
        say("Nothing was found." if words or character else "Nothing is kept.")
    return 0


def history_export(words: str, character: str | None, out: Path, say: Callable[[str], None]) -> int:
    """Write what was said to a file, JSON where its name ends so, else Markdown."""
    with contextlib.closing(HistoryStore(paths.history_file())) as store:
        found = store.find(words, _name_of(character))
    history_store.export(found, out)
    say(f"{len(found)} messages are in {out}.")
    return 0


def history_erase(character: str | None, say: Callable[[str], None]) -> int:
    """Erase what was said, with one character or with all."""
    with contextlib.closing(HistoryStore(paths.history_file())) as store:
        count = store.erase(_name_of(character))
    say(f"{count} messages are erased." if count != 1 else "1 message is erased.")
    return 0


def obs_set_up(way: str | None, say: Callable[[str], None]) -> int:
    """Set up a running OBS by the settings; what is switched on for it in them counts from the app's next start."""
    chosen = settings().obs
    with _obs() as studio:
        made = studio.set_up(way or chosen.way, chosen.captions)
    _keep_setting("obs.on", True)
    say(f"The scene {SCENE} of OBS shows the character by the way “{made.mark.way}”: {', '.join(made.names)}.")
    for name in made.mark.switched_on:
        say(f"{name} was switched on; an app that is running has to be started anew.")
    for warned in made.warnings:
        say(OBS_WARNINGS[warned.code].format(source=warned.source))
    for note in made.notes:
        say(note)
    return 0


def obs_undo(say: Callable[[str], None]) -> int:
    """Take away what was set up in OBS; 1 where there was nothing."""
    with _obs() as studio:
        undone = studio.undo()
    _keep_setting("obs.on", False)
    if undone is None:
        say("There is nothing of Kuchipaku in OBS.")
        return 1
    say(f"Removed from OBS: {', '.join(undone.names)}.")
    for note in undone.notes:
        say(note)
    return 0


def obs_status(say: Callable[[str], None]) -> int:
    """Say whether OBS answers, and what of ours is in it; 1 where it is nothing."""
    with _obs(say) as studio:
        made = studio.find()
    if made is None:
        say("There is nothing of Kuchipaku in its scene collection.")
        return 1
    say(f"Set up by the way “{made.mark.way}”: {', '.join(made.names)}.")
    return 0


@contextlib.contextmanager
def _obs(say: Callable[[str], None] | None = None) -> Iterator[ObsStudio]:
    def camera() -> str:
        device = settings().camera.device
        return device or next(iter(compose.devices().cameras), "")

    link = compose.obs_link(settings(), lambda kind, data: None, lambda: None)
    version = link.connect()
    try:
        if say is not None:
            say(f"OBS {version} answers.")
        yield ObsStudio(link, compose.obs_feeds(settings, _keep_setting, camera))
    finally:
        link.close()


def _keep_setting(name: str, value: Value) -> None:
    keep_setting(paths.settings_file(), name, value)


def characters_list(say: Callable[[str], None]) -> int:
    """Say which characters there are."""
    for name, folder in list_characters(*compose.character_roots()):
        say(f"{name:<24} {folder}")
    return 0


def characters_import(file: Path, name: str, force: bool, say: Callable[[str], None]) -> int:
    """Make a character of a .kuchi file or of a card in the user's folder of characters."""
    if file.suffix.lower() == kuchi_file.SUFFIX:
        entry = kuchi_file.import_character(file)
        say(f"{entry.name} is there: kuchipaku run --character {entry.path.name}")
        return 0
    own, users = compose.character_roots()
    made = import_card(file, users, own / "haru" / "haru_1024.png", name=name, force=force)
    say(f"{made.name} is there: kuchipaku run --character {made.folder.name}")
    for note in made.notes:
        say(note)
    say(f"What it says and how can be changed in {made.folder / 'character.toml'}")
    return 0


def characters_photo(photo: Path, name: str, consent: bool, cut_out: bool, say: Callable[[str], None]) -> int:
    """Make a character of a photo or a video in the user's folder, if there is a face in it that can be moved."""
    if not consent:
        raise AppError(
            "Whether this face may be used has not been said.",
            "If it is yours, or the person agreed, add --i-may-use-this-face.",
        )
    looked = compose.look_at_photo(photo)
    entry = library.create_photo(name or photo.stem, photo, consent=consent, cut_out=cut_out, picture=looked.picture)
    say(f"{entry.name} is there: kuchipaku run --character {entry.path.name}")
    for note in looked.notes:
        say(note)
    say(f"What it says and how can be changed in {entry.path / 'character.toml'}")
    return 0


def characters_export(name: str, out: Path | None, say: Callable[[str], None]) -> int:
    """Write a character into one file, by default `NAME.kuchi` in the current folder."""
    folder = compose.find_character(name)
    target = out or Path(folder.stem + kuchi_file.SUFFIX)
    kuchi_file.export_character(folder, target)
    say(f"{target} is written.")
    return 0


def bench(name: str, options: Sequence[str]) -> int:
    """Run one of the checkout's benchmarks in a process of its own, which takes the names of `benchmarks/*.py`.

    Returns:
        Its exit status.

    Raises:
        AppError: If there is no such benchmark; the remedy lists those there are.
    """
    folder = paths.REPOSITORY / "benchmarks"
    known = sorted(path.stem for path in folder.glob("*.py"))
    if name not in known:
        raise AppError(
            f"There is no benchmark called {name!r}.",
            f"There are {', '.join(known)}."
            if known
            else "Benchmarks come with the source: run the command of a checkout of the repository.",
        )
    return subprocess.run([sys.executable, str(folder / f"{name}.py"), *options], check=False).returncode


def sheet(character: str, engine: str, out: Path, progress: Progress) -> tuple[Path, ...]:
    """Write the contact sheets of a character: its parameters, its visemes, its expressions and emotions."""
    from animator.contact_sheet import make_sheets
    from animator.puppet.opening import open_puppet
    from animator.tha3.expressions import expression_poses
    from animator.tha3.face import Face
    from animator.tha3.render import open_face

    found = compose.find_character(character)
    loaded = compose.character_of(found)
    face: Face
    if loaded.is_person:
        face = open_puppet(loaded, compose.bakes_dir(), progress)
    else:
        face = open_face(loaded.image, compose.weights(settings()), compose.bakes_dir(), engine, progress)
    out.mkdir(parents=True, exist_ok=True)
    poses = expression_poses(loaded.expressions)
    return make_sheets(face.draw, out, name=found.stem, progress=progress, expressions=poses)


def _added(prefix: str) -> tuple[str, ...]:
    """The names of the models of one kind that the user has added."""
    store = default_store(offline=True)
    there = [name for name, model in store.brought().items() if not model.missing(store.root / name)]
    return tuple(name for name in there if name.startswith(prefix))


def _short(whisper: str) -> str:
    """A Whisper as the settings name it: whisper-base-en is base.en."""
    name = whisper.removeprefix("whisper-")
    return name.replace("-en", ".en") if name.endswith("-en") else name


def _check_up() -> tuple[str, ...]:
    """The lines of `kuchipaku doctor`."""
    lines = []
    for check in doctor.examine():
        remedy = f" → {check.remedy}" if check.remedy else ""
        lines.append(f"{check.status:<5} {check.name:<32} {check.detail}{remedy}")
    return tuple(lines)


def run(camera: bool, character: str | None, muted: bool, trace: Path | None) -> int:
    """Open the window and run until it is closed."""
    from app.gui.display import require_display

    require_display()
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    chosen, trouble = open_settings(paths.settings_file())
    if trouble is not None:
        _say_trouble(bus, "settings", "Settings", trouble)
    folder, loaded = _character_to_start_with(bus, chosen) if character is None else _character_called(character)
    camera_on, muted = camera or chosen.camera.on, muted or chosen.hearing.muted
    with tracing(bus, trace):
        show = Show(bus, clock, chosen, folder, character=loaded)
        # Qt loads while the face's process, which takes longest, is under way.
        from app.gui.main_window import run_window
        from app.gui.window_info import WindowInfo

        def end(_number: int, _frame: FrameType | None) -> None:
            # An exception would end up in whichever Qt slot runs at that moment; the window closes itself instead.
            bus.emit("app", "state", state="off", label="Ending")

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        try:
            info = WindowInfo(
                title="Kuchipaku",
                version=__version__,
                characters=[(name, str(path)) for name, path in list_characters(*compose.character_roots())],
                character=show.character.name,
                expressions=list(show.expressions),
                camera_on=camera_on,
                microphone_on=not muted,
                mouth_offset_ms=chosen.lips.mouth_offset_ms,
                settings=show.settings,
                whispers=("tiny.en", *map(_short, _added("whisper-"))),
                weights=_added("tha3-"),
                secrets=secrets,
                check_up=_check_up,
                history=show.history,
                look_at_photo=compose.look_at_photo,
            )
            # The line's parts begin once the window is there: on two cores they would take its time for their own.
            return run_window(bus, show.latest, info, lambda: show.start(muted=muted, camera_on=camera_on))
        finally:
            show.stop()


def _character_called(name: str) -> tuple[Path, Character]:
    folder = compose.find_character(name)
    return folder, compose.character_of(folder)


def _character_to_start_with(bus: Bus, chosen: Settings) -> tuple[Path, Character]:
    """The settings' character; the app's own where that one is gone or damaged, which is said."""
    try:
        return _character_called(chosen.face.character)
    except AppError as error:
        _say_trouble(bus, "settings", "Character", error)
        return _character_called(Settings().face.character)


def _say_trouble(bus: Bus, stage: str, label: str, error: AppError) -> None:
    bus.emit(stage, "state", state="failed", label=label, problem=error.problem, remedy=error.remedy)
