"""OBS in one click: what the app sets up there, keeps working, and takes away. What to make: `policy/obs_plan.py`.

All that is known of what was made lies in OBS itself, in the settings of our own sources: so it is right in every scene
collection, after either program was started anew, and where the app's own files are gone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.bus import Bus
from app.errors import AppError, ServiceError
from app.messages import Fact
from app.policy import obs_plan
from app.policy.obs_plan import CAPTIONS, PICTURE, SCENE, Feed, Mark, Source, Warned, Way, mark_of
from app.ports import ObsLink
from app.settings import Settings, Value, value_of

STAGE = "obs"
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 20.0
"""OBS is looked for after 1, 2, 4 … s: a refused connection on this computer costs nothing."""
LOOK_S = 3.0
"""So long after the last event it is looked whether all is still there, and whether the address is another one now."""
SETTLE_S, SETTLE_STEP_S = 5.0, 0.05
"""OBS removes a source a moment after it has said so."""


@dataclass(frozen=True, slots=True)
class Made:
    """What of ours there is in OBS now."""

    mark: Mark
    names: tuple[str, ...]
    """Of the sources."""
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be done beside it, in sentences."""


class Feeds(Protocol):
    """What the app offers to OBS, and can switch on for it."""

    def offer(self, way: Way, captions: bool) -> tuple[Feed, tuple[str, ...]]:
        """Switch on what this way needs; returns the settings that were changed. Raises AppError where it cannot be."""
        ...

    def feed(self, way: Way, captions: bool) -> Feed:
        """What is offered as things are now. Raises AppError."""
        ...

    def withdraw(self, switched_on: tuple[str, ...]) -> None:
        """Change settings back that `offer` changed."""
        ...


class SettingsFeeds:
    """What the settings offer; whatever is missing is switched on in them."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        change: Callable[[str, Value], None],
        address: Callable[[Settings, Way], str],
        camera: Callable[[], str],
        captions_file: str,
        titles: tuple[str, ...],
    ) -> None:
        """Args.

        settings: Those in force.
        change: Puts one in force and returns once it is; raises AppError.
        address: Where a browser ("browser") or a media source ("stream") finds the character; raises AppError.
        camera: What the virtual camera is called, "" where there is none.
        captions_file: Where captions are written if the settings name no file.
        titles: Of the windows that show the character, the best first.
        """
        self._settings = settings
        self._change = change
        self._address = address
        self._camera = camera
        self._captions_file = captions_file
        self._titles = titles

    def offer(self, way: Way, captions: bool) -> tuple[Feed, tuple[str, ...]]:
        """As `Feeds`."""
        wanted: list[tuple[str, Value, Value]] = []
        if way in ("browser", "stream"):
            self._address(self._settings(), way)  # can it be at all
            wanted.append(("browser.on", False, True))
        elif way == "camera":
            wanted.append(("camera.on", False, True))
        if captions and way == "browser":
            wanted.append(("browser.captions", False, True))
        elif captions:
            wanted.append(("captions.file", "", self._captions_file))
        done: list[str] = []
        try:
            for name, off, on in wanted:
                if value_of(self._settings(), name) == off:
                    self._change(name, on)
                    done.append(name)
            return self.feed(way, captions), tuple(done)
        except AppError:
            self.withdraw(tuple(done))
            raise

    def feed(self, way: Way, captions: bool) -> Feed:
        """As `Feeds`."""
        settings = self._settings()
        has_own = way == "browser" or (way == "camera" and settings.captions.picture)
        file = settings.captions.file if captions and not has_own else ""
        match way:
            case "browser":
                return Feed(way, self._address(settings, way), page_captions=settings.browser.captions)
            case "stream":
                return Feed(way, self._address(settings, way), captions_file=file)
            case "camera":
                device = self._camera()
                if not device:
                    raise AppError("There is no virtual camera.", "Switch the camera on first; its line says why not.")
                return Feed(way, device=device, captions_file=file)
            case "window":
                return Feed(way, titles=self._titles, captions_file=file)

    def withdraw(self, switched_on: tuple[str, ...]) -> None:
        """As `Feeds`; what has been changed since then stays."""
        for name in switched_on:
            off: Value = "" if name == "captions.file" else False
            if name != "captions.file" or value_of(self._settings(), name) == self._captions_file:
                self._change(name, off)


class Studio:
    """What is done to OBS over one connection. Used by one thread at a time."""

    def __init__(self, link: ObsLink, feeds: Feeds) -> None:
        self._ask = link.ask
        self._feeds = feeds
        self._tick = threading.Event()

    def find(self) -> Made | None:
        """What of ours there is in the scene collection that OBS shows now."""
        marks = {name: mark for name in self._inputs() if (mark := self._mark(name)) is not None}
        if PICTURE not in marks:
            return None
        return Made(marks[PICTURE], tuple(marks))

    def set_up(self, chosen: str, captions: bool) -> Made:
        """Make the scene with the character in it, or put what is there in order; nothing is ever made twice.

        `chosen` and `captions` as in the settings. What is made before something fails is taken away again.

        Raises AppError, with all ways that were tried.
        """
        kinds = [str(kind) for kind in self._ask("GetInputKindList", unversioned=False)["inputKinds"]]
        ways = obs_plan.ways(chosen, kinds)
        if not ways:
            raise AppError(
                f"This OBS has no source for the way “{chosen}”.",
                "Choose another way, or install OBS from obsproject.com.",
            )
        failed: list[AppError] = []
        for way in ways:
            try:
                return self._set_up_way(way, kinds, captions)
            except ServiceError as error:
                if error.kind != "refused":
                    raise
                failed.append(error)
            except AppError as error:
                failed.append(error)
        if len(failed) == 1:
            raise failed[0]
        raise AppError(
            "None of the ways works here. " + " ".join(f"{error.problem}" for error in failed), failed[0].remedy
        )

    def refresh(self, made: Made, captions: bool) -> Made:
        """Tell OBS an address that has changed. Raises AppError."""
        feed = self._feeds.feed(made.mark.way, captions)
        current = self._ask("GetInputSettings", inputName=PICTURE)
        wanted, _ = obs_plan.picture_settings(feed, str(current["inputKind"]))
        held = current["inputSettings"]
        if any(key in wanted and held.get(key) != wanted[key] for key in ("url", "input")):
            self._ask("SetInputSettings", inputName=PICTURE, inputSettings=wanted, overlay=True)
        return replace(made, warnings=self._warnings(feed))

    def reload(self, made: Made) -> None:
        """Have OBS's browser ask again: one that found nobody at the address does not do so by itself."""
        if made.mark.way == "browser":
            self._ask("PressInputPropertiesButton", inputName=PICTURE, propertyName="refreshnocache")

    def undo(self) -> Made | None:
        """Take away what was made, and nothing else; None where there was nothing.

        A scene in which other things lie by now stays, with a note.
        """
        made = self.find()
        if made is None:
            return None
        mark, notes = made.mark, []
        scenes = self._ask("GetSceneList")
        names = [str(scene["sceneName"]) for scene in scenes["scenes"]]
        is_shown = scenes.get("currentProgramSceneName") == SCENE
        for name in made.names:
            self._remove(name)
        if is_shown and mark.scene_before in names:
            self._ask("SetCurrentProgramScene", sceneName=mark.scene_before)
        if mark.scene_made and SCENE in names:
            if self._items(SCENE):
                notes.append(f"The scene {SCENE} stays, because there is something of yours in it.")
            elif len(names) == 1:
                notes.append(f"The scene {SCENE} stays, because OBS keeps its last scene.")
            else:
                self._ask("RemoveScene", sceneName=SCENE)
        self._feeds.withdraw(mark.switched_on)
        return replace(made, notes=tuple(notes))

    # Steps

    def _set_up_way(self, way: Way, kinds: list[str], captions: bool) -> Made:
        kind = obs_plan.kind_of(way, kinds)
        assert kind is not None  # `ways` holds only those
        before = self.find()
        if before is not None and before.mark.way != way:
            self.undo()
            before = None
        feed, switched_on = self._feeds.offer(way, captions)
        made: list[tuple[str, str]] = []
        notes: list[str] = []
        try:
            self._refuse_loop(feed)
            video = self._ask("GetVideoSettings")
            size = int(video["baseWidth"]), int(video["baseHeight"])
            scene_made = self._ensure_scene(made)
            if before is not None:
                scene_made = scene_made or before.mark.scene_made
                switched_on = tuple(dict.fromkeys((*before.mark.switched_on, *switched_on)))
            mark = Mark(way, scene_made, before.mark.scene_before if before else "", switched_on)
            if before is None and (shown := self._may_show()):
                mark = replace(mark, scene_before=shown)
            self._ensure_source(obs_plan.picture(feed, kind, *size), mark, made)
            names = [PICTURE]
            if feed.captions_file:
                text = obs_plan.captions(feed.captions_file, kinds, *size)
                if text is None:
                    notes.append("This OBS has no text source for the captions.")
                else:
                    self._ensure_source(text, Mark(way, False), made)
                    names.append(CAPTIONS)
            elif self._mark(CAPTIONS) is not None:
                self._remove(CAPTIONS)
            if mark.scene_before and before is None:
                self._ask("SetCurrentProgramScene", sceneName=SCENE)
            return Made(mark, tuple(names), self._warnings(feed), tuple(notes))
        except AppError as error:
            if not isinstance(error, ServiceError) or error.kind == "refused":
                self._take_back(made)
                self._feeds.withdraw(tuple(name for name in switched_on if not before))
            raise

    def _refuse_loop(self, feed: Feed) -> None:
        if feed.way != "camera" or not obs_plan.is_obs_camera(feed):
            return
        if self._ask("GetVirtualCamStatus").get("outputActive"):
            raise AppError(
                "OBS's own virtual camera is running, and it is the camera that would be shown: a loop.",
                "Stop the virtual camera in OBS, or choose the browser source or the window here.",
            )

    def _ensure_scene(self, made: list[tuple[str, str]]) -> bool:
        """Whether the scene had to be made."""
        if SCENE in [scene["sceneName"] for scene in self._ask("GetSceneList")["scenes"]]:
            return False
        self._ask("CreateScene", sceneName=SCENE)
        made.append(("scene", SCENE))
        return True

    def _may_show(self) -> str:
        """The scene that is on the programme, where ours may take its place: nothing is on air. Else ""."""
        for output in ("GetStreamStatus", "GetRecordStatus", "GetVirtualCamStatus"):
            try:
                if self._ask(output).get("outputActive"):
                    return ""
            except ServiceError as error:
                if error.kind != "refused":
                    raise  # no virtual camera on this computer is a refusal
        shown = str(self._ask("GetSceneList").get("currentProgramSceneName") or "")
        return "" if shown == SCENE else shown

    def _ensure_source(self, source: Source, mark: Mark, made: list[tuple[str, str]]) -> None:
        settings = {**source.settings, **mark.as_settings()}
        kind = self._inputs().get(source.name)
        if kind is not None and self._mark(source.name) is None:
            raise AppError(
                f"OBS already has a source “{source.name}” that was not made by this app.",
                "Rename it in OBS, then try again.",
            )
        if kind is not None and kind != source.kind:
            self._remove(source.name)
            kind = None
        if kind is not None:
            self._ask("SetInputSettings", inputName=source.name, inputSettings=settings, overlay=True)
            items = self._items(SCENE)
            item = next((item["sceneItemId"] for item in items if item["sourceName"] == source.name), None)
            if item is None:
                item = self._ask("CreateSceneItem", sceneName=SCENE, sourceName=source.name)["sceneItemId"]
                self._place(item, source)
        else:
            item = self._ask(
                "CreateInput",
                sceneName=SCENE,
                inputName=source.name,
                inputKind=source.kind,
                inputSettings=settings,
                sceneItemEnabled=source.choice is None,  # until it is told which, OBS would show any window
            )["sceneItemId"]
            made.append(("input", source.name))
            self._place(item, source)
        if source.choice is not None:
            self._choose(source)
            if made and made[-1] == ("input", source.name):
                self._ask("SetSceneItemEnabled", sceneName=SCENE, sceneItemId=item, sceneItemEnabled=True)

    def _place(self, item: int, source: Source) -> None:
        self._ask("SetSceneItemTransform", sceneName=SCENE, sceneItemId=item, sceneItemTransform=source.place)

    def _choose(self, source: Source) -> None:
        choice = source.choice
        assert choice is not None
        items = self._ask("GetInputPropertiesListPropertyItems", inputName=source.name, propertyName=choice.setting)
        value = obs_plan.chosen_item(choice, items["propertyItems"])
        if value is None:
            wanted = " / ".join(choice.wanted)
            raise AppError(
                f"OBS does not see “{wanted}”.",
                "Have it running and not minimised before OBS is set up, or choose another way.",
            )
        self._ask("SetInputSettings", inputName=source.name, inputSettings={choice.setting: value}, overlay=True)

    def _warnings(self, feed: Feed) -> tuple[Warned, ...]:
        found = [(str(item["sourceName"]), str(item.get("inputKind") or "")) for item in self._items(SCENE)]
        return obs_plan.warnings(feed, found)

    def _take_back(self, made: list[tuple[str, str]]) -> None:
        for what, name in reversed(made):
            if what == "input":
                self._remove(name)
            else:
                self._ask("RemoveScene", sceneName=name)

    def _remove(self, name: str) -> None:
        """Remove a source, and wait until it is gone: its name is free again only then."""
        # OBS itself takes it out of a scene only when it draws that scene, and keeps it until then.
        for scene in [str(scene["sceneName"]) for scene in self._ask("GetSceneList")["scenes"]]:
            for item in self._items(scene):
                if item["sourceName"] == name:
                    self._ask("RemoveSceneItem", sceneName=scene, sceneItemId=item["sceneItemId"])
        try:
            self._ask("RemoveInput", inputName=name)
        except ServiceError as error:
            if error.kind != "refused":
                raise
            return  # nothing held it any more
        for _ in range(round(SETTLE_S / SETTLE_STEP_S)):
            if name not in self._inputs():
                return
            self._tick.wait(SETTLE_STEP_S)

    def _items(self, scene: str) -> list[dict[str, Any]]:
        return list(self._ask("GetSceneItemList", sceneName=scene)["sceneItems"])

    def _inputs(self) -> dict[str, str]:
        """Name and kind of every source in OBS."""
        return {str(each["inputName"]): str(each["inputKind"]) for each in self._ask("GetInputList")["inputs"]}

    def _mark(self, name: str) -> Mark | None:
        if name not in (PICTURE, CAPTIONS) or name not in self._inputs():
            return None
        try:
            return mark_of(self._ask("GetInputSettings", inputName=name)["inputSettings"])
        except ServiceError as error:
            if error.kind != "refused":
                raise
            return None  # it has gone this moment


@dataclass(frozen=True, slots=True)
class _Job:
    what: str
    """"set_up", "undo", "look" (settings have changed), "event", "lost", "stop"."""
    data: dict[str, Any] = field(default_factory=dict)
    link: ObsLink | None = None
    """Of which connection it tells."""


MakeLink = Callable[[Settings, Callable[[str, dict[str, Any]], None], Callable[[], None]], ObsLink]
"""Makes a connection for these settings, given who hears of events and of its end. Raises AppError."""


class ObsRuntime:
    """Sets OBS up, takes it back, and keeps it working while `obs.on`, on a thread of its own.

    The fact `obs status` tells what is known: no address, no password.
    """

    def __init__(
        self,
        bus: Bus,
        settings: Callable[[], Settings],
        keep: Callable[[str, Value], None],
        make_link: MakeLink,
        feeds: Feeds,
        *,
        first_wait_s: float = FIRST_WAIT_S,
        look_s: float = LOOK_S,
    ) -> None:
        """`keep` notes and keeps a setting that is in force (`obs.on`)."""
        self._bus = bus
        self._settings = settings
        self._keep = keep
        self._make_link = make_link
        self._feeds = feeds
        self._first_wait_s = first_wait_s
        self._look_s = look_s
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._link: ObsLink | None = None
        self._version = ""
        self._made: Made | None = None
        self._wanted = ""
        """What OBS went away from in the middle of: "set_up", "undo" or ""."""
        self._was_there = False
        """Seen in this run, and not removed by the user since: an OBS that was killed may have forgotten it."""
        self._is_ending = False
        """OBS is on its way out and takes its sources down."""
        self._wait_s = first_wait_s
        self._may_retry = True
        self._stopped = False
        self._told: dict[str, Any] = {}
        self._is_keeping = False
        bus.listen(self._follow)

    def start(self) -> None:
        """Begin; OBS is looked for where the settings say so."""
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()
        self.look()

    def set_up(self) -> None:
        """Set OBS up. Returns at once; a fact says how it went."""
        self._jobs.put(_Job("set_up"))

    def undo(self) -> None:
        """Take away what was set up; likewise."""
        self._jobs.put(_Job("undo"))

    def look(self) -> None:
        """The settings have changed, or a password was stored: go by them."""
        self._jobs.put(_Job("look"))

    def stop(self, timeout_s: float = 1.8) -> None:
        """Let go of OBS, in which everything stays; safe to call twice."""
        self._stopped = True
        self._jobs.put(_Job("stop"))
        link = self._link
        if link is not None:
            link.close()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped:
            try:
                job = self._jobs.get(timeout=self._pause_s())
            except queue.Empty:
                job = _Job("try")
            if job.what == "stop" or self._stopped:
                break
            try:
                self._do(job)
            except ServiceError as error:
                self._fail(error)
            except AppError as error:
                self._tell(problem=error.problem, remedy=error.remedy)
        self._let_go()

    def _pause_s(self) -> float | None:
        if self._link is not None:
            return self._look_s
        return self._wait_s if self._is_wanted() and self._may_retry else None

    def _is_wanted(self) -> bool:
        return self._settings().obs.on or bool(self._wanted)

    def _do(self, job: _Job) -> None:
        if job.link is not None and job.link is not self._link:
            return  # of a connection before
        match job.what:
            case "set_up" | "undo":
                self._tell(state="working")
                self._wanted = job.what if self._settings().obs.on else ""  # done once OBS is there
                self._connect()
                self._wanted = ""
                self._carry_out(job.what)
            case "look":
                self._may_retry, self._wait_s = True, self._first_wait_s
                if not self._is_wanted():
                    self._let_go()
                    self._tell(state="off")
                    return
                self._let_go()  # port or password may be others
                self._come_back()
            case "try" if self._link is None:
                self._come_back()
            case "try" if self._made is not None and not self._is_ending:
                self._look_after(self._made)
            case "lost":
                self._let_go()
                self._wait_s = self._first_wait_s
                self._tell(state="searching" if self._is_wanted() else "off")
            case "event":
                self._hear(str(job.data["type"]))

    def _carry_out(self, what: str) -> None:
        obs = self._settings().obs
        try:
            if what == "set_up":
                self._made = self._studio().set_up(obs.way, obs.captions)
                self._was_there = True
                self._keep_on(True)
                self._tell_made()
                return
            undone = self._studio().undo()
        except ServiceError as error:
            if error.kind in ("broken", "timeout"):
                self._wanted = what  # gone on with once OBS is back
            raise
        self._made, self._was_there = None, False
        self._keep_on(False)
        self._let_go()
        self._tell(state="undone" if undone else "nothing", notes=undone.notes if undone else ())

    def _keep_on(self, on: bool) -> None:
        if self._settings().obs.on != on:
            self._is_keeping = True
            self._keep("obs.on", on)
            self._is_keeping = False

    def _follow(self, fact: Fact) -> None:
        is_ours = fact.stage == "settings" and fact.event == "changed" and fact.data["name"] in ("obs.on", "obs.port")
        if is_ours and not self._is_keeping:
            self.look()

    def _come_back(self) -> None:
        """OBS may be there (again): go on where it was left."""
        self._connect()
        if self._wanted:
            what, self._wanted = self._wanted, ""
            self._carry_out(what)
            return
        studio = self._studio()
        found = studio.find()
        if found is None and self._was_there:
            self._carry_out("set_up")
            return
        self._made = found
        if found is not None:
            self._was_there = True
            self._made = studio.refresh(found, self._settings().obs.captions)
            studio.reload(found)
        self._tell_made()

    def _look_after(self, made: Made) -> None:
        """Look whether all is as it was, a while after the last event.

        OBS 29 takes its sources down before it says that it ends: only what is missing while OBS goes on was removed by
        the user, and does not come back by itself.
        """
        studio = self._studio()
        if studio.find() is None:
            self._made, self._was_there = None, False
        else:
            self._made = studio.refresh(made, self._settings().obs.captions)
        self._tell_made()

    def _connect(self) -> None:
        if self._link is None:
            made: list[ObsLink] = []
            link = self._make_link(
                self._settings(),
                lambda kind, data: self._jobs.put(_Job("event", {"type": kind}, made[0])),
                lambda: self._jobs.put(_Job("lost", {}, made[0])),
            )
            made.append(link)
            self._link = link  # `stop` can cut it off from now on
            try:
                self._version = link.connect()
            except AppError:
                self._link = None
                raise
            self._is_ending = False
            self._wait_s = self._first_wait_s

    def _hear(self, event: str) -> None:
        if event in ("ExitStarted", "CurrentSceneCollectionChanging"):
            self._is_ending = True
        elif event == "CurrentSceneCollectionChanged":
            self._is_ending = False
            self._made = self._studio().find()
            self._was_there = self._made is not None
            self._tell_made()

    def _fail(self, error: ServiceError) -> None:
        """Say what cannot be; where OBS is only away and was set up before, look for it quietly."""
        is_gone = error.kind in ("unreachable", "broken", "timeout")
        if error.kind != "refused":
            self._let_go()
        self._may_retry = is_gone
        is_quiet = is_gone and self._is_wanted()
        if is_quiet:
            self._tell(state="searching")
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        else:
            self._tell(problem=error.problem, remedy=error.remedy, needs_password=error.kind == "key")

    def _studio(self) -> Studio:
        if self._link is None:
            raise ServiceError("The connection to OBS was lost.", "Start OBS again.", "broken")
        return Studio(self._link, self._feeds)

    def _let_go(self) -> None:
        link, self._link = self._link, None
        self._made = None
        if link is not None:
            link.close()

    def _tell_made(self) -> None:
        made = self._made
        if made is None:
            self._tell(state="connected")
            return
        self._tell(
            state="ready",
            way=made.mark.way,
            made=made.names,
            warnings=tuple((warned.code, warned.source) for warned in made.warnings),
            notes=made.notes,
        )

    def _tell(
        self,
        *,
        state: str = "failed",
        way: str = "",
        made: tuple[str, ...] = (),
        warnings: tuple[tuple[str, str], ...] = (),
        notes: tuple[str, ...] = (),
        problem: str = "",
        remedy: str = "",
        needs_password: bool = False,
    ) -> None:
        told: dict[str, Any] = {
            "state": state,
            "version": self._version if self._link is not None else "",
            "way": way,
            "made": list(made),
            "warnings": [list(each) for each in warnings],
            "notes": list(notes),
            "problem": problem,
            "remedy": remedy,
            "needs_password": needs_password,
        }
        if told != self._told and not self._stopped:
            self._told = told
            self._bus.emit(STAGE, "status", **told)
