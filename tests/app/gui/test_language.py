"""The window in Japanese: no string is missing, and what Qt reads is what the translators wrote."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from app.gui.language import FOLDER, LANGUAGES, install, language_of
from app.gui.translations import tools

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

HOLE = re.compile(r"\{[^}]*\}")


def messages(file: Path) -> Iterator[tuple[str, str, ET.Element]]:
    """(context, source, translation) of every message."""
    for context in ET.parse(file).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            yield context.findtext("name") or "", message.findtext("source") or "", translation


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_of_the_window_is_translated(language: str, tmp_path: Path) -> None:
    file = tmp_path / f"{language}.ts"
    shutil.copy(FOLDER / f"{language}.ts", file)
    tools.update(file)

    found = list(messages(file))
    missing = [(c, s) for c, s, translation in found if translation.get("type") == "unfinished" or not translation.text]

    assert len(found) > 300
    assert [] == missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_places_for_values(language: str) -> None:
    wrong = [
        (source, translation.text)
        for _, source, translation in messages(FOLDER / f"{language}.ts")
        if sorted(HOLE.findall(source)) != sorted(HOLE.findall(translation.text or ""))
    ]

    assert [] == wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_qt_reads_is_made_of_what_was_translated(language: str, tmp_path: Path) -> None:
    made = tmp_path / f"{language}.qm"
    tools.release(FOLDER / f"{language}.ts", made)

    assert made.read_bytes() == (FOLDER / f"{language}.qm").read_bytes()


@pytest.mark.parametrize(
    ("wish", "wanted", "language"),
    [
        ("auto", ["ja-JP", "en-US"], "ja"),
        ("auto", ["en-GB", "ja-JP"], "en"),
        ("auto", ["de-DE", "ja_JP"], "ja"),
        ("auto", ["de-DE"], "en"),
        ("auto", [], "en"),
        ("en", ["ja-JP"], "en"),
        ("ja", ["en-US"], "ja"),
    ],
)
def test_the_language_is_the_settings_or_the_systems(wish: str, wanted: list[str], language: str) -> None:
    assert language == language_of(wish, wanted)


@pytest.fixture
def japanese(qapp: QApplication) -> Iterator[None]:
    translators = install(qapp, "ja")
    assert translators
    yield
    for translator in translators:
        qapp.removeTranslator(translator)


def test_the_window_speaks_japanese(japanese: None, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()

    assert "ステージ" == rig.window.rail.buttons[0].accessibleName()
    assert "メッセージを入力…" == rig.page.field.placeholderText()
    assert "マイク" == rig.page.microphone.text()
    assert "うれしい" in rig.page.expressions.buttons[1].accessibleName()


def test_no_page_is_left_in_english(japanese: None, make_rig: Callable[..., Rig]) -> None:
    from app.gui.form_page import FormPage
    from app.gui.pages import PAGES

    rig = make_rig()
    english = []
    for entry in PAGES:
        page = rig.window.show_page(entry.name)
        if isinstance(page, FormPage):
            page.finish()
        english += [
            f"{entry.name}: {words}"
            for widget in page.findChildren(QWidget)
            for words in words_of(widget)
            if is_english(words)
        ]

    assert [] == english


def words_of(widget: QWidget) -> list[str]:
    """What a label or a button shows, and what is said of it."""
    shown = [widget.text()] if isinstance(widget, QLabel | QAbstractButton) else []
    return [*shown, widget.toolTip(), widget.accessibleName()]


def is_english(words: str) -> bool:
    """Three plain words in a row and no kana: names and addresses have fewer."""
    return re.search(r"\b[a-z]+ [a-z]+ [a-z]+\b", words) is not None and re.search("[ぁ-ヿ]", words) is None


def test_the_locale_of_numbers_is_left_alone(japanese: None) -> None:
    assert QCoreApplication.translate("pages", "Stage") == "ステージ"
    assert QLocale().decimalPoint() == QLocale.system().decimalPoint()
