"""The command line: parses, calls, prints. Every verb but `run` works without a display."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from app.errors import AppError

ENGINES = ("live", "exact")


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    root = argparse.ArgumentParser(
        prog="kuchipaku",
        description="A desktop AI VTuber: talk to it, it answers in its own voice with lips in sync.",
    )
    root.add_argument("--version", action="version", version=f"kuchipaku {__version__}")
    root.add_argument(
        "--log", choices=("warning", "info", "debug"), default="warning", help="how much to log on stderr"
    )
    verbs = root.add_subparsers(dest="verb", metavar="VERB")

    run = verbs.add_parser("run", help="the window (also without any verb)")
    run.add_argument("--camera", action="store_true", help="switch the virtual camera on at once")
    run.add_argument("--character", metavar="NAME", help="name, folder or PNG")
    run.add_argument("--muted", action="store_true", help="start with the microphone off")
    run.add_argument("--trace", type=Path, metavar="FILE", help="write every fact as a JSON line")

    reply = verbs.add_parser("reply", help="answer a question in a sound file with a film")
    reply.add_argument("question", type=Path, help="WAV, FLAC or another sound file")
    reply.add_argument("--realtime", action="store_true", help="feed the file at the pace of a microphone, film live")
    _film_options(reply)

    say = verbs.add_parser("say", help="speak a text in a film")
    say.add_argument("text")
    _film_options(say)

    phonemes = verbs.add_parser("phonemes", help="which sounds are said in a sound file, and when")
    mouth = verbs.add_parser("mouth", help="what the mouth would show over a sound file")
    for verb in (phonemes, mouth):
        verb.add_argument("file", type=Path, help="WAV, FLAC, MP3 or another sound file")
        verb.add_argument("--text", default="", help="what is said in it, if that is known")
        verb.add_argument("--language", default="", metavar="CODE", help="espeak's code, such as en, ja or hi")
        verb.add_argument(
            "--model", default="", metavar="own|hama|wav2vec2|PATH", help="the phone model; default: the settings'"
        )
        verb.add_argument("--json", action="store_true", help="print JSON on stdout")
    mouth.add_argument("--fps", type=float, default=60.0, help="frames per second (60)")

    render = verbs.add_parser("render", help="draw given poses")
    render.add_argument("--character", required=True, metavar="NAME|PNG")
    render.add_argument("--poses", type=Path, required=True, help=".npy, float32 (n, 45) in THA3's order")
    render.add_argument("--engine", choices=ENGINES, default="live")
    render.add_argument("--out", type=Path, required=True, help=".npy, uint8 RGBA (n, SIZE, SIZE, 4)")
    render.add_argument(
        "--size", type=int, choices=(512, 1024), default=512, help="1024: from the large art, live only"
    )

    bake = verbs.add_parser("bake", help="prepare the live face of characters ahead of time")
    bake.add_argument("characters", nargs="*", metavar="NAME|PNG")
    bake.add_argument("--all", action="store_true", help="every character that comes with the app")

    sheet = verbs.add_parser("sheet", help="contact sheets: all 45 parameters, every viseme and every emotion")
    sheet.add_argument("character", metavar="NAME|PNG")
    sheet.add_argument("--engine", choices=ENGINES, default="exact")
    sheet.add_argument("--out", type=Path, required=True, metavar="FOLDER")

    bench = verbs.add_parser("bench", help="measure this machine: face, lips, frame_clock, …")
    bench.add_argument("name", metavar="NAME", help="a file of the checkout's folder benchmarks, such as face")
    bench.add_argument("options", nargs=argparse.REMAINDER, help="its own options, such as --json; see --help")

    models = verbs.add_parser("models", help="list, fetch, verify or remove models")
    from app.models import add_arguments

    add_arguments(models)

    brain = verbs.add_parser("brain", help="test the connection to who answers")
    actions = brain.add_subparsers(dest="action", metavar="ACTION", required=True)
    test = actions.add_parser(
        "test", help="ask each provider of the settings: reachable, model, round trip, first word"
    )
    test.add_argument("--json", action="store_true", help="print one list on stdout")

    voices = verbs.add_parser(
        "voices", help="list the voices of the settings: Piper's, and the server's where one is set"
    )
    voices.add_argument("--json", action="store_true", help="print one list on stdout")

    memory = verbs.add_parser(
        "memory", help="what the characters remember of you: list it, forget one thing, erase all"
    )
    actions = memory.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="every fact with its number")
    listed.add_argument("--json", action="store_true", help="print one list on stdout")
    forget = actions.add_parser("forget", help="forget facts by their numbers")
    forget.add_argument("facts", nargs="+", type=int, metavar="NUMBER")
    erase = actions.add_parser("erase", help="forget everything")
    for action in (listed, erase):
        action.add_argument("--character", metavar="NAME", help="of this character only")

    history = verbs.add_parser("history", help="what was said: list it, write it to a file, erase it")
    actions = history.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the newest messages")
    listed.add_argument("--last", type=int, default=50, metavar="N", help="so many (50)")
    listed.add_argument("--json", action="store_true", help="print one list on stdout")
    written = actions.add_parser("export", help="write all messages to a file")
    written.add_argument("--out", type=Path, required=True, metavar="FILE", help=".json, or .md for Markdown")
    erased = actions.add_parser("erase", help="erase all messages; asks first")
    erased.add_argument("--yes", action="store_true", help="do not ask")
    for action in (listed, written):
        action.add_argument("--search", default="", metavar="WORDS", help="only what holds these words")
    for action in (listed, written, erased):
        action.add_argument("--character", metavar="NAME", help="talks with this character only")

    characters = verbs.add_parser("characters", help="list characters, take one in, or pass one on")
    actions = characters.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="every character with its folder")
    card = actions.add_parser("import", help="take in a .kuchi file, or a card (V1, V2 or V3, PNG or JSON)")
    card.add_argument("card", type=Path, metavar="CARD")
    card.add_argument("--name", default="", help="call it otherwise than the card does")
    card.add_argument("--force", action="store_true", help="write a character of this name anew (cards)")
    photo = actions.add_parser("photo", help="make a character of a photo or a short video of a face, which then talks")
    photo.add_argument("photo", type=Path, metavar="FILE", help="JPEG, PNG or WebP; or MP4, MOV, WebM or MKV")
    photo.add_argument("--name", default="", help="else the file's name")
    photo.add_argument(
        "--i-may-use-this-face", action="store_true", help="say that the face is yours, or that the person agreed"
    )
    photo.add_argument("--cut-out", action="store_true", help="leave the photo's background away (not a video's)")
    passed_on = actions.add_parser("export", help="write a character into one .kuchi file")
    passed_on.add_argument("name", metavar="NAME")
    passed_on.add_argument("--out", type=Path, metavar="FILE.kuchi")

    obs = verbs.add_parser("obs", help="OBS Studio: set up a scene with the character, take it away, say what is there")
    actions = obs.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = actions.add_parser("setup", help="make the scene, or put it in order")
    made.add_argument("--way", choices=("auto", "browser", "stream", "camera", "window"), help="default: the settings'")
    actions.add_parser("undo", help="take away what was made, and nothing else")
    actions.add_parser("status", help="whether OBS answers, and what of ours is in it")

    doctor = verbs.add_parser("doctor", help="what is healthy, what is not, and what to do")
    doctor.add_argument("--json", action="store_true")
    return root


def _film_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--out", type=Path, required=True, metavar="FILE.mp4")
    verb.add_argument("--character", metavar="NAME", help="name, folder or PNG")
    verb.add_argument("--emotion", default="", metavar="NAME", help="what the face shows meanwhile, such as joy")
    verb.add_argument("--trace", type=Path, metavar="FILE", help="write every fact as a JSON line")
    verb.add_argument("--json", action="store_true", help="print one object on stdout")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0, 1 after a problem that was said, or 130 after Ctrl-C."""
    arguments = parser().parse_args(argv)
    levels = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
    logging.basicConfig(level=levels[arguments.log], format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    # The same as Ctrl-C: child processes are ended, half-written files removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run_verb(arguments)
    except AppError as error:
        print(f"{error.problem}\n{error.remedy}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


def _run_verb(arguments: argparse.Namespace) -> int:
    verb = arguments.verb or "run"
    if verb == "models":
        from app.models import run_models

        return run_models(arguments)
    if verb == "doctor":
        from app.doctor import run_doctor

        return run_doctor(as_json=arguments.json)
    from app import verbs

    if verb == "run":
        return verbs.run(
            camera=getattr(arguments, "camera", False),
            character=getattr(arguments, "character", None),
            muted=getattr(arguments, "muted", False),
            trace=getattr(arguments, "trace", None),
        )
    if verb == "brain":
        return verbs.brain_test(as_json=arguments.json, say=print)
    if verb == "voices":
        return verbs.voices(as_json=arguments.json, say=print)
    if verb in ("phonemes", "mouth"):
        return _run_lips(arguments)
    if verb == "memory":
        return _run_memory(arguments)
    if verb == "history":
        return _run_history(arguments)
    if verb == "characters":
        if arguments.action == "list":
            return verbs.characters_list(print)
        if arguments.action == "export":
            return verbs.characters_export(arguments.name, arguments.out, print)
        if arguments.action == "photo":
            may = arguments.i_may_use_this_face
            return verbs.characters_photo(arguments.photo, arguments.name, may, arguments.cut_out, print)
        return verbs.characters_import(arguments.card, arguments.name, arguments.force, print)
    if verb == "obs":
        return _run_obs(arguments)
    if verb == "bench":
        return verbs.bench(arguments.name, arguments.options)
    if verb == "render":
        return verbs.render(
            arguments.character, arguments.poses, arguments.engine, arguments.size, arguments.out, Progress()
        )
    if verb == "bake":
        return verbs.bake(arguments.characters, arguments.all, Progress())
    if verb == "sheet":
        print(*verbs.sheet(arguments.character, arguments.engine, arguments.out, Progress()), sep="\n")
        return 0
    film = verbs.FilmRequest(arguments.out, arguments.character, arguments.trace, arguments.emotion)
    if verb == "say":
        report = verbs.say(arguments.text, film, Progress())
    else:
        report = verbs.reply(arguments.question, film, arguments.realtime, Progress())
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        if report.get("heard"):
            print(f"heard:  {report['heard']}")
        print(f"answer: {report['answer']}")
        print(f"film:   {arguments.out} ({report['frames']} frames, {report['audio_s']:.1f} s of speech)")
    return 0


def _run_lips(arguments: argparse.Namespace) -> int:
    from app import lips, verbs

    request = lips.Request(arguments.file, arguments.text, arguments.language, arguments.model)
    settings = verbs.settings()
    if arguments.verb == "phonemes":
        return lips.phonemes_of(request, settings, as_json=arguments.json, say=print, note=_note)
    return lips.mouth_of(request, settings, arguments.fps, as_json=arguments.json, say=print, note=_note)


def _note(line: str) -> None:
    print(line, file=sys.stderr)


def _run_obs(arguments: argparse.Namespace) -> int:
    from app import verbs

    if arguments.action == "setup":
        return verbs.obs_set_up(arguments.way, print)
    return verbs.obs_undo(print) if arguments.action == "undo" else verbs.obs_status(print)


def _run_memory(arguments: argparse.Namespace) -> int:
    from app import verbs

    if arguments.action == "list":
        return verbs.memory_list(arguments.character, as_json=arguments.json, say=print)
    if arguments.action == "forget":
        return verbs.memory_forget(arguments.facts, print)
    return verbs.memory_erase(arguments.character, print)


def _run_history(arguments: argparse.Namespace) -> int:
    from app import verbs

    if arguments.action == "list":
        return verbs.history_list(
            arguments.search, arguments.character, arguments.last, as_json=arguments.json, say=print
        )
    if arguments.action == "export":
        return verbs.history_export(arguments.search, arguments.character, arguments.out, print)
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise AppError("Nothing was erased: nobody could be asked.", "Say --yes if you are sure.")
        whose = f"the talks with {arguments.character}" if arguments.character else "all talks"
        if input(f"Erase {whose} for good? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was erased.")
            return 1
    return verbs.history_erase(arguments.character, print)


class Progress:
    """One line on stderr that says what is being done and how far it is: live on a terminal, a few lines elsewhere."""

    def __init__(self) -> None:
        self._last = ("", -1.0)

    def __call__(self, what: str, share: float) -> None:
        """Show that `what` is done to `share` in [0, 1]."""
        if sys.stderr.isatty():
            bar = "█" * round(share * 24)
            line = f"\r{what:<32.32} {bar:<24} {share:4.0%}"
            print(line, end="\n" if share >= 1 else "", file=sys.stderr, flush=True)
        elif what != self._last[0] or share - self._last[1] >= 0.25 or (share >= 1 > self._last[1]):
            print(f"{what} {share:.0%}", file=sys.stderr, flush=True)
            self._last = (what, share)
