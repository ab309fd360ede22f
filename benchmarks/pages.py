"""Pictures of every page of the window, in both themes and languages and at any size of the text, to be looked at.

The window is the real one, over a bus of its own: what it shows of the show (levels, states, a short talk) is said by
this script, and the character is a still picture. No device, model or network is used, and no settings file.

    xvfb-run -a -s "-screen 0 2600x1700x24" python benchmarks/pages.py OUT [--theme light dark] [--language en ja]
        [--text-scale 1.0 2.0] [--size 1280x800] [--page stage hearing ...] [--sheets docs/pictures/pages]

Writes OUT/THEME-LANGUAGE-SCALE/PAGE.png, further ones (PAGE-2.png) where a page scrolls, and the three first steps;
of the pages that are taken also what is seen in trouble (a hotkey that two want, a setting that is refused, a part that
failed) and the places of the page of the characters (persona, expressions, a new one).
Screens of 200 % are tried with QT_SCALE_FACTOR=2.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app import compose  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.gui import pages  # noqa: E402
from app.gui.form_page import FormPage  # noqa: E402
from app.gui.language import install  # noqa: E402
from app.gui.main_window import MainWindow  # noqa: E402
from app.gui.pages.characters_page import CharactersPage  # noqa: E402
from app.gui.pages.keys_page import KeysPage  # noqa: E402
from app.gui.window_info import WindowInfo  # noqa: E402
from app.messages import Frame  # noqa: E402
from app.settings import Settings, WindowSettings  # noqa: E402

SETTLE_MS = 400
SHEET_COLUMNS = 4
EXPRESSIONS = ["neutral", "happy", "sad", "angry", "surprised", "relaxed", "shy", "wink"]


def frame() -> Frame:
    """The picture of a character that comes with the app."""
    picture = Image.open(ROOT / "characters" / "haru" / "haru.png").convert("RGBA").resize((512, 512))
    return Frame(1, np.asarray(picture), 0)


def tell(bus: Bus) -> None:
    """What a show in good health says of itself, and a first exchange of words."""
    for stage, label in (
        ("capture", "USB Microphone"),
        ("vad", "Silero, smart-turn"),
        ("stt", "Whisper tiny.en"),
        ("llm", "SmolLM2-135M (local)"),
        ("tts", "Piper"),
        ("playback", "Headphones"),
        ("avatar", "Live"),
    ):
        bus.emit(stage, "state", state="ready", label=label)
    bus.emit("camera", "state", state="off", label="")
    bus.emit("avatar", "frames", fps=30.0, due=30, missed=0, tier="live", clamped=0)
    bus.emit("stt", "transcript", turn=1, text="What is your name?", took_ms=180, typed=False)
    bus.emit("playback", "clip_started", turn=1, index=0, text="I am Haru. Nice to meet you!")
    bus.emit("playback", "turn_finished", turn=1)


def tell_devices(bus: Bus) -> None:
    """What is asked for by a page that comes up, and the level of this moment."""
    bus.emit("devices", "list", microphones=["USB Microphone"], speakers=["Headphones"], cameras=["/dev/video10"])
    bus.emit("capture", "level", dbfs=-18.0)
    bus.emit("vad", "probability", p=0.8)


def save(window: MainWindow, folder: Path, name: str) -> None:
    """The window as it is, and again for each further part of a page that scrolls."""
    window.grab().save(str(folder / f"{name}.png"))
    page = window.page
    area = page.area if isinstance(page, FormPage) else None
    if not isinstance(area, QScrollArea):
        return
    bar, part = area.verticalScrollBar(), 1
    while bar.value() < bar.maximum():
        bar.setValue(bar.value() + area.viewport().height() - 40)
        QTest.qWait(50)
        part += 1
        window.grab().save(str(folder / f"{name}-{part}.png"))


def wait_for(is_there: Callable[[], bool]) -> None:
    """Let the window work until it is there, a minute at most."""
    until_s = time.monotonic() + 60.0
    while not is_there():
        if time.monotonic() > until_s:
            raise SystemExit("The window did not come to the state that was to be seen.")
        QTest.qWait(20)
    QTest.qWait(SETTLE_MS)


def failed_part(window: MainWindow, bus: Bus, folder: Path) -> None:
    """The banner of a part that failed."""
    problem = "AllTalk did not answer at http://127.0.0.1:7851 within 5 s."
    remedy = "Start AllTalk and wait for it to report ready; Piper speaks meanwhile."
    bus.emit("tts", "state", state="failed", label="AllTalk", problem=problem, remedy=remedy)
    wait_for(window.banner.isVisible)
    save(window, folder, "stage-failed")
    window.banner.close_button.click()
    bus.emit("tts", "state", state="ready", label="Piper")
    QTest.qWait(SETTLE_MS)


def refused_setting(window: MainWindow, bus: Bus, folder: Path) -> None:
    """Why a value is refused, beside its field."""
    page = window.page
    assert isinstance(page, FormPage)
    page.area.verticalScrollBar().setValue(0)
    problem = "The microphone 'USB Microphone' cannot be opened: another program holds it."
    remedy = "Close that program, or choose another microphone."
    bus.emit("settings", "refused", name="hearing.device", value="USB Microphone", problem=problem, remedy=remedy)
    wait_for(page.field("hearing.device").problem.isVisible)
    window.grab().save(str(folder / "hearing-refused.png"))


def wanted_twice(window: MainWindow, bus: Bus, folder: Path) -> None:
    """Two actions with one key."""
    page = window.page
    assert isinstance(page, KeysPage)
    before = {name: str(window.studio.value(f"keys.bindings.{name}")) for name in ("mute", "stop")}
    for name in before:
        bus.emit("settings", "changed", name=f"keys.bindings.{name}", value="Ctrl+Alt+M")
    page.area.verticalScrollBar().setValue(0)
    wait_for(page.row("stop").problem.isVisible)
    window.grab().save(str(folder / "keys-conflict.png"))
    for name, keys in before.items():
        bus.emit("settings", "changed", name=f"keys.bindings.{name}", value=keys)


def character_places(window: MainWindow, bus: Bus, folder: Path) -> None:
    """Who somebody is, what the face can show, and a new one."""
    page = window.page
    assert isinstance(page, CharactersPage)
    wait_for(lambda: page.gallery.chosen is not None)
    page.gallery.persona.click()
    wait_for(page.persona.persona.isEnabled)
    save(window, folder, "characters-persona")
    page.persona.back.click()
    page.gallery.expressions.click()
    wait_for(page.expressions.names.isEnabled)
    save(window, folder, "characters-expressions")
    page.expressions.back.click()
    art = Image.open(ROOT / "characters" / "rei" / "rei_1024.png").convert("RGBA")
    ground = Image.new("RGBA", art.size, (120, 190, 170, 255))
    ground.alpha_composite(art)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "Luna.png"
        ground.save(file)
        page.make_new(file)
        wait_for(page.new.create_button.isEnabled)
    save(window, folder, "characters-new")
    page.new.cancel.click()
    page.make_of_photo(ROOT / "tests" / "data" / "faces" / "grace_hopper.jpg")
    wait_for(page.photo.consent.isEnabled)
    page.photo.consent.setChecked(True)
    save(window, folder, "characters-photo")
    page.photo.cancel.click()


STATES: dict[str, Callable[[MainWindow, Bus, Path], None]] = {
    "stage": failed_part,
    "hearing": refused_setting,
    "keys": wanted_twice,
    "characters": character_places,
}
"""What else is to be seen on a page."""


def make_window(
    settings: WindowSettings, size: tuple[int, int], latest: Callable[[], Frame | None]
) -> tuple[MainWindow, Bus]:
    """The real window on the screen, with the frames of `latest`, and the bus that it is over."""
    ticks = itertools.count()
    bus = Bus(lambda: next(ticks))
    info = WindowInfo(
        title="Kuchipaku",
        version="1.0",
        characters=[(name.capitalize(), str(ROOT / "characters" / name)) for name in ("haru", "rei")],
        character="Haru",
        expressions=EXPRESSIONS,
        camera_on=False,
        microphone_on=True,
        settings=Settings(window=settings),
        whispers=("tiny.en",),
        check_up=tuple,
        look_at_photo=compose.look_at_photo,
    )
    window = MainWindow(bus, latest, info)
    window.resize(*size)
    window.show()
    tell(bus)
    return window, bus


def take(folder: Path, wanted: list[str], size: tuple[int, int], settings: WindowSettings) -> None:
    """One window's pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = frame()
    window, bus = make_window(settings, size, lambda: shown)
    QTest.qWait(SETTLE_MS)
    for name in wanted:
        page = window.show_page(name)
        if isinstance(page, FormPage):
            page.finish()
        QTest.qWait(SETTLE_MS)
        tell_devices(bus)
        QTest.qWait(100)
        save(window, folder, name)
        if name in STATES:
            STATES[name](window, bus, folder)
    steps = window.show_first_steps()
    for number in (1, 2, 3):
        QTest.qWait(SETTLE_MS)
        tell_devices(bus)
        QTest.qWait(100)
        save(window, folder, f"first-steps-{number}")
        if number < 3:
            steps.next.click()
    window.close()


def sheet(folder: Path, file: Path) -> None:
    """All pictures of `folder` on one, SHEET_COLUMNS beside each other and half as large."""
    pictures = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
    width_px, height_px = (side // 2 for side in pictures[0].size)
    rows = -(-len(pictures) // SHEET_COLUMNS)
    whole = Image.new("RGB", (SHEET_COLUMNS * (width_px + 8) - 8, rows * (height_px + 8) - 8), "#808080")
    for place, picture in enumerate(pictures):
        small = picture.resize((width_px, height_px), Image.Resampling.LANCZOS)
        whole.paste(small, ((place % SHEET_COLUMNS) * (width_px + 8), (place // SHEET_COLUMNS) * (height_px + 8)))
    whole.save(file, quality=80)


def main() -> int:
    """Take every picture that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--theme", nargs="+", default=["light", "dark"])
    parser.add_argument("--language", nargs="+", default=["en", "ja"])
    parser.add_argument("--text-scale", nargs="+", type=float, default=[1.0, 2.0])
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="also one WebP of all pages for each, in FOLDER")
    parser.add_argument("--page", nargs="+", default=[entry.name for entry in pages.PAGES])
    chosen = parser.parse_args()
    width_px, height_px = (int(side) for side in chosen.size.split("x"))
    application = QApplication([])
    application.setStyle("Fusion")
    for language in chosen.language:
        translators = install(application, language)
        for theme, scale in itertools.product(chosen.theme, chosen.text_scale):
            settings = WindowSettings(theme=theme, language=language, text_scale=scale, first_steps=False)
            folder = chosen.out / f"{theme}-{language}-{scale:g}"
            take(folder, chosen.page, (width_px, height_px), settings)
            print(folder)
            if chosen.sheets is not None:
                sheet(folder, chosen.sheets / f"{folder.name}.webp")
        for translator in translators:
            application.removeTranslator(translator)
    return 0


if __name__ == "__main__":
    sys.exit(main())
