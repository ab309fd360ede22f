"""The characters: who there is, who is on stage, and the places where they are made and changed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFileDialog, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from animator.human.video import SUFFIXES as VIDEOS
from app.cards import import_card
from app.characters.art import SUFFIXES
from app.characters.kuchi_file import SUFFIX, export_character, import_character
from app.characters.library import Entry, built_in_root, character_at, entries, free_name, own_root, remove
from app.errors import AppError
from app.gui.characters.expression_editor import ExpressionEditor
from app.gui.characters.gallery import Gallery
from app.gui.characters.look import style_sheet
from app.gui.characters.new_character import NewCharacter
from app.gui.characters.new_photo import NewPhoto
from app.gui.characters.persona_editor import PersonaEditor
from app.gui.characters.work import Work
from app.gui.studio import Page, Studio
from app.gui.theme import Theme
from app.messages import ListCharacters, Say, SwitchCharacter


class CharactersPage(Page):
    """Gallery, new character, persona and expressions, one at a time."""

    icon = "characters"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self._list_work = Work(self)
        self._change_work = Work(self)
        self._is_shown = False
        self._after_listing: Path | None = None
        on_stage = studio.bridge.now_on_stage
        self._confirmed = studio.info.character if on_stage is None else Path(on_stage[1]).stem
        """The key or name of the character of which the show has said that it is on stage."""
        self.gallery = Gallery(studio.latest_frame, studio.theme)
        self._new: NewCharacter | None = None
        self._photo: NewPhoto | None = None
        self._persona: PersonaEditor | None = None
        self._expressions: ExpressionEditor | None = None
        self.stack = QStackedWidget()
        self.stack.addWidget(self.gallery)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stack)
        self.setAcceptDrops(True)
        self._connect()
        self._apply_theme(studio.theme)
        self.gallery.set_on_stage(self._confirmed)
        self.refresh()

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Characters")

    # The places that are not seen at once are made when they are first wanted: together they take 80 ms.

    @property
    def new(self) -> NewCharacter:
        """Where a picture becomes a character."""
        if self._new is None:
            self._new = NewCharacter(self.studio.theme)
            self._new.made.connect(self._take_new)
            self._new.left.connect(self.show_gallery)
            self.stack.addWidget(self._new)
        return self._new

    @property
    def photo(self) -> NewPhoto:
        """Where a photo of a person becomes a character."""
        if self._photo is None:
            look = self.studio.info.look_at_photo
            assert look is not None  # else nothing leads here
            self._photo = NewPhoto(self.studio.theme, look)
            self._photo.made.connect(self._take_new)
            self._photo.left.connect(self.show_gallery)
            self.stack.addWidget(self._photo)
        return self._photo

    @property
    def persona(self) -> PersonaEditor:
        """Who somebody is, to read and to change."""
        if self._persona is None:
            self._persona = PersonaEditor(self.studio)
            self._persona.saved.connect(self._take_persona)
            self._persona.left.connect(self.show_gallery)
            self.stack.addWidget(self._persona)
        return self._persona

    @property
    def expressions(self) -> ExpressionEditor:
        """What the face of somebody can show."""
        if self._expressions is None:
            self._expressions = ExpressionEditor(self.studio)
            self._expressions.saved.connect(self._take_expressions)
            self._expressions.left.connect(self.show_gallery)
            self.stack.addWidget(self._expressions)
        return self._expressions

    def _connect(self) -> None:
        studio, gallery = self.studio, self.gallery
        studio.theme_changed.connect(self._apply_theme)
        studio.bridge.on_stage.connect(lambda name, path, expressions: self._note_on_stage(Path(path).stem))
        studio.bridge.character.connect(self._note_on_stage)
        studio.bridge.failed.connect(self._note_failure)
        studio.bridge.progress.connect(gallery.set_share)
        studio.bridge.characters.connect(lambda names: self.refresh())
        gallery.new_wanted.connect(self._ask_for_picture)
        gallery.photo_wanted.connect(self._ask_for_photo)
        gallery.photo.setVisible(studio.info.look_at_photo is not None)
        gallery.import_wanted.connect(self._ask_for_import)
        gallery.stage_wanted.connect(self._put_on_stage)
        gallery.persona_wanted.connect(self._edit_persona)
        gallery.expressions_wanted.connect(self._edit_expressions)
        gallery.export_wanted.connect(self._ask_for_export)
        gallery.remove_wanted.connect(self._ask_for_removal)

    def own_rules(self) -> str:
        """How cards and editors look."""
        return style_sheet(self.studio.theme)

    def _apply_theme(self, theme: Theme) -> None:
        self.gallery.set_theme(theme)
        if self._new is not None:
            self._new.set_theme(theme)
        if self._photo is not None:
            self._photo.set_theme(theme)

    # Being seen.

    def enter(self) -> None:
        """The thumbnails may be old: characters may have been put into the folder by hand."""
        self._is_shown = True
        self.refresh()
        self._settle_views()
        if self._expressions is not None and self.stack.currentWidget() is self._expressions:
            self._expressions.resume()

    def leave(self) -> None:
        """Nothing moves for nobody, and the face is its own again."""
        self._is_shown = False
        self._settle_views()
        if self._expressions is not None:
            self._expressions.end()

    def close_down(self) -> None:
        """No timer goes on."""
        self.gallery.stop()
        if self._expressions is not None:
            self._expressions.preview.stop()

    def _settle_views(self) -> None:
        if self._is_shown and self.stack.currentWidget() is self.gallery:
            self.gallery.start()
        else:
            self.gallery.stop()

    def _show(self, view: QWidget) -> None:
        before = self.stack.currentWidget()
        if before is self._expressions and before is not view:
            self.expressions.end()
        if before is self._persona and before is not view:
            self.persona.chat.end()
        self.stack.setCurrentWidget(view)
        self._settle_views()

    def show_gallery(self) -> None:
        """All characters."""
        self._show(self.gallery)

    def refresh(self, chosen: Path | None = None) -> None:
        """Look again which characters there are."""
        self._after_listing = chosen or self._after_listing
        self._list_work.begin(entries, self._take_entries, self._say_trouble)

    def _take_entries(self, found: list[Entry]) -> None:
        chosen, self._after_listing = self._after_listing, None
        shown = [(card.entry.name, card.entry.path, card.entry.is_own) for card in self.gallery.cards]
        if chosen is not None or shown != [(each.name, each.path, each.is_own) for each in found]:
            self.gallery.set_entries(found, chosen)

    def _say_trouble(self, problem: str, remedy: str) -> None:
        self.gallery.news.say(f"{problem} {remedy}", "trouble")

    # What the user does.

    def _put_on_stage(self) -> None:
        entry = self.gallery.chosen
        if entry is not None:
            self.put_on_stage(entry)

    def put_on_stage(self, entry: Entry) -> None:
        """Load `entry`; by its path, which names nobody else."""
        self.gallery.news.say("")
        self.studio.retried.emit(("avatar", "gate"))
        self.studio.put(SwitchCharacter(str(entry.path)))
        # It is seen at once, as it was painted; the face says that it is there when it is baked, minutes later.
        self.gallery.set_on_stage(entry.key)

    def _note_on_stage(self, key: str) -> None:
        self._confirmed = key
        self.gallery.set_on_stage(key)

    def _note_failure(self, stage: str, problem: str, remedy: str) -> None:
        if stage == "gate":  # where a character that cannot be loaded is refused
            self.gallery.set_on_stage(self._confirmed)

    def _edit_persona(self) -> None:
        entry = self.gallery.chosen
        if entry is not None:
            self.persona.open(entry)
            self._show(self.persona)

    def _edit_expressions(self) -> None:
        entry = self.gallery.chosen
        if entry is not None:
            if entry is not self.gallery.on_stage:
                self.put_on_stage(entry)  # the picture is that of the one on stage
            self.expressions.open(entry)
            self._show(self.expressions)

    def _ask_for_picture(self) -> None:
        file = self._picture_called(self.tr("A picture of the character"))
        if file is not None:
            self.make_new(file)

    def make_new(self, file: Path) -> None:
        """Begin a new character of the picture in `file`."""
        self.gallery.news.say("")
        self.new.open(file)
        self._show(self.new)

    def _ask_for_photo(self) -> None:
        file = self._picture_called(self.tr("A photo or a short video of a person"), VIDEOS)
        if file is not None:
            self.make_of_photo(file)

    def _picture_called(self, title: str, videos: tuple[str, ...] = ()) -> Path | None:
        """The picture, or file of one of the endings `videos`, that is chosen in a dialogue called `title`, or None."""
        kinds = " ".join(f"*{suffix}" for suffix in (*SUFFIXES, *videos))
        words = self.tr("Pictures ({kinds});;All files (*)")
        if videos:
            words = self.tr("Pictures and videos ({kinds});;All files (*)")
        words = words.format(kinds=kinds)
        file, _ = QFileDialog.getOpenFileName(self, title, "", words)
        return Path(file) if file else None

    def make_of_photo(self, file: Path) -> None:
        """Begin a character of the photo or the video of a person in `file`."""
        self.gallery.news.say("")
        self.photo.open(file)
        self._show(self.photo)

    def _take_new(self, entry: Entry) -> None:
        self.show_gallery()
        self._note_change(entry.path)
        self.put_on_stage(entry)
        self._change_work.begin(lambda: character_at(entry.path).greeting, self._greet, self._say_trouble)

    def _greet(self, greeting: str) -> None:
        # It is drawn as it was painted until the face is ready, and speaks from the first moment.
        if greeting:
            self.studio.put(Say(greeting))

    def _note_change(self, chosen: Path | None = None) -> None:
        self.refresh(chosen)
        self.studio.put(ListCharacters())

    def _take_persona(self, entry: Entry) -> None:
        self._after_edit(entry)
        self.show_gallery()
        self.gallery.news.say(self.tr("{name} is saved.").format(name=entry.name), "fine")

    def _take_expressions(self, entry: Entry) -> None:
        self._after_edit(entry)

    def _after_edit(self, entry: Entry) -> None:
        """What was changed is to be seen: whoever was on stage, or is edited there, comes on anew."""
        edited = self.gallery.chosen
        was_on_stage = self.gallery.on_stage is not None and self.gallery.on_stage is edited
        self._note_change(entry.path)
        if was_on_stage:
            self.put_on_stage(entry)

    # In and out.

    def _ask_for_import(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Import a character"),
            "",
            self.tr("Characters and cards (*{suffix} *.png *.json);;All files (*)").format(suffix=SUFFIX),
        )
        if file:
            self.take_in(Path(file))

    def take_in(self, file: Path) -> None:
        """Make a character of a .kuchi file or of a character card."""
        self.gallery.news.say(self.tr("Importing…"))
        self._change_work.begin(partial(_imported, file), self._take_imported, self._say_trouble)

    def _take_imported(self, outcome: tuple[Entry, tuple[str, ...]]) -> None:
        entry, notes = outcome
        self._note_change(entry.path)
        words = " ".join([self.tr("{name} is there.").format(name=entry.name), *notes])
        self.gallery.news.say(words, "caution" if notes else "fine")

    def _ask_for_export(self) -> None:
        entry = self.gallery.chosen
        if entry is None:
            return
        file, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Export {name}").format(name=entry.name),
            f"{entry.key}{SUFFIX}",
            self.tr("Characters (*{suffix})").format(suffix=SUFFIX),
        )
        if file:
            self.export(entry, Path(file))

    def export(self, entry: Entry, file: Path) -> None:
        """Write `entry` into one file."""
        target = file if file.suffix else file.with_suffix(SUFFIX)

        def say(_: None) -> None:
            self.gallery.news.say(self.tr("{name} is in {file}.").format(name=entry.name, file=target.name), "fine")

        self._change_work.begin(lambda: export_character(entry.path, target), say, self._say_trouble)

    def _ask_for_removal(self) -> None:
        entry = self.gallery.chosen
        if entry is None:
            return
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(self.tr("Remove {name} from the characters?").format(name=entry.name))
        box.setInformativeText(self.tr("Its folder is kept apart, in case you want it back."))
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        if box.exec() == QMessageBox.StandardButton.Yes:
            self.remove(entry)

    def remove(self, entry: Entry) -> None:
        """Take `entry`, one of the user's own, out of the list."""

        def say(kept: Path) -> None:
            self._note_change()
            self.gallery.news.say(
                self.tr("{name} is removed; its folder is kept as {folder}.").format(name=entry.name, folder=kept),
                "fine",
            )

        self._change_work.begin(partial(remove, entry), say, self._say_trouble)

    # Dropped files, and the way back.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Pictures and .kuchi files are welcome."""
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A picture begins a new character; a .kuchi file or a card is imported."""
        file = _dropped(event)
        if file is None:
            return
        event.acceptProposedAction()
        if file.suffix.lower() in SUFFIXES:
            self.make_new(file)
        else:
            self.show_gallery()
            self.take_in(file)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes back to the gallery."""
        view = self.stack.currentWidget()
        if event.key() == Qt.Key.Key_Escape and isinstance(
            view, NewCharacter | NewPhoto | PersonaEditor | ExpressionEditor
        ):
            view.leave()
        else:
            super().keyPressEvent(event)


def _dropped(event: QDropEvent) -> Path | None:
    """The first file of a drop that the page can take."""
    for url in event.mimeData().urls():
        file = Path(url.toLocalFile())
        if url.isLocalFile() and file.suffix.lower() in (*SUFFIXES, SUFFIX, ".json"):
            return file
    return None


def _imported(file: Path) -> tuple[Entry, tuple[str, ...]]:
    there = entries()
    if file.suffix.lower() == SUFFIX:
        return import_character(file, there), ()
    stand_in = built_in_root() / "haru" / "haru_1024.png"
    name = _name_of_card(file)
    made = import_card(file, own_root(), stand_in, name=free_name(name, there) if name else "")
    return Entry(made.name, made.folder, True), made.notes


def _name_of_card(file: Path) -> str:
    """What the card calls itself; "" where `import_card` is to say what is wrong with it."""
    from app.cards import MAX_FILE_BYTES, parse_card

    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return ""
        return parse_card(file.read_bytes()).name
    except (AppError, OSError, json.JSONDecodeError):
        return ""
