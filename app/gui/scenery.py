"""Keeps a stage view and the show in one scene: the settings', the theme's and the mouse's."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject

from app.canvas import Placement, Scene
from app.errors import AppError
from app.gui.background import in_background
from app.gui.preview import glow_of
from app.gui.stage_view import StageView
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.messages import PlaceCharacter, StageColours
from app.scene import after, scene_of
from app.settings import StageSettings


def _looks(stage: StageSettings) -> tuple[str, str, str]:
    return stage.background, stage.colour, stage.picture


def _placement(stage: StageSettings) -> Placement:
    return Placement(stage.zoom, stage.x, stage.y)


class Scenery(QObject):
    """Shows what is in force on `stage`, and tells the show where the mouse has put the character."""

    def __init__(self, studio: Studio, stage: StageView) -> None:
        super().__init__(stage)
        self._studio = studio
        self._stage = stage
        self._shown = studio.settings.stage
        self._told: StageColours | None = None
        stage.placed.connect(self._tell_place)
        stage.kept.connect(self._keep)
        studio.setting_changed.connect(self._note)
        studio.theme_changed.connect(self._tell_colours)
        self._tell_colours(studio.theme)
        stage.set_safe_area(self._shown.safe_area)
        self._load(self._shown)

    def _note(self, name: str, value: object) -> None:
        if name in ("camera.width_px", "camera.height_px"):
            camera = self._studio.settings.camera
            self._stage.set_aspect(camera.width_px / camera.height_px)
        elif name.startswith("stage."):
            old, self._shown = self._shown, self._studio.settings.stage
            self._stage.set_safe_area(self._shown.safe_area)
            if _looks(old) != _looks(self._shown):
                self._load(self._shown)
            elif not self._stage.is_moving:
                scene = self._stage.scene
                self._stage.set_scene(replace(scene, placement=after(scene.placement, old, self._shown)))

    def _load(self, stage: StageSettings) -> None:
        """Show another background; a picture is read away from the window's thread."""
        before = self._stage.scene
        if stage.background == "picture" and before.picture_file != stage.picture:
            in_background(self, lambda: scene_of(stage), lambda scene: self._show(stage, scene), self._show_none)
            return
        try:
            self._show(stage, scene_of(stage, before=before))
        except AppError as error:
            self._show_none(error)

    def _show(self, stage: StageSettings, scene: Scene) -> None:
        if _looks(stage) != _looks(self._shown):
            return  # another one was asked for meanwhile
        now = self._stage.scene
        placement = now.placement if self._stage.is_moving else _placement(self._shown)
        self._stage.set_scene(replace(scene, placement=placement, glow=glow_of(self._studio.theme)))

    def _show_none(self, error: AppError) -> None:
        """The show has said why: it reads the same file."""
        self._stage.set_scene(Scene(placement=_placement(self._shown), glow=glow_of(self._studio.theme)))

    def _tell_colours(self, theme: Theme) -> None:
        colours = StageColours(theme.stage_top, theme.stage_bottom, theme.stage_glow)
        if colours != self._told:
            self._told = colours
            self._studio.put(colours)

    def _tell_place(self, placement: Placement) -> None:
        self._studio.put(PlaceCharacter(placement.zoom, placement.x, placement.y))

    def _keep(self, placement: Placement) -> None:
        for name in ("zoom", "x", "y"):
            self._studio.set(f"stage.{name}", round(getattr(placement, name), 4))
