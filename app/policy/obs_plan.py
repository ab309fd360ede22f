"""What is set up in OBS: which source, of what size and where. Decisions alone; who talks to OBS is `app/obs.py`.

Names of kinds, settings and properties are those of OBS's own plugins (linux-v4l2, linux-capture, win-dshow,
win-capture, mac-avcapture, mac-capture, obs-ffmpeg, obs-browser, text-freetype2, obs-text), versions 28 to 31.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

Way = Literal["browser", "stream", "camera", "window"]
WAYS: tuple[Way, ...] = get_args(Way)
"""The best first: real transparency, the same for an OBS without a browser, a picture with its background, a window."""
SCENE = "Kuchipaku"
PICTURE = "Kuchipaku character"
CAPTIONS = "Kuchipaku captions"
MARK = "kuchipaku"
"""Under this key of a source's settings, which OBS keeps with the scene, stands what was made along with it."""

KINDS: dict[Way, tuple[str, ...]] = {
    "browser": ("browser_source",),
    "stream": ("ffmpeg_source",),
    "camera": ("v4l2_input", "dshow_input", "macos-avcapture", "av_capture_input"),
    "window": ("xcomposite_input", "window_capture", "screen_capture"),
}
"""What shows each way, on whichever system; OBS may put "_v2" and so on behind a name."""
TEXT_KINDS = ("text_ft2_source", "text_gdiplus")
DISPLAY_KINDS = (
    "xshm_input",
    "monitor_capture",
    "display_capture",
    "screen_capture",
    "pipewire-desktop-capture-source",
    "pipewire-screen-capture-source",
)
OBS_CAMERA = "OBS Virtual Camera"
PAGE_PX = 512
"""The page's side: the face's own, which costs least (docs/investigations/browser-source.md)."""
PAGE_WITH_CAPTIONS_PX = 720
"""Words that were drawn with 512 px are blurred on a canvas of 1080."""
_BOTTOM, _TOP_LEFT = 8, 5
"""OBS's flags of alignment."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What the app offers one way: an address, the name of a camera, or the titles of its windows, the best first."""

    way: Way
    address: str = ""
    device: str = ""
    titles: tuple[str, ...] = ()
    captions_file: str = ""
    """Where the captions are to be read; "" for none, and for a page that shows them itself."""
    page_captions: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting whose value is one of a list that OBS knows: its name, and what the entry is called."""

    setting: str
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A source to be made in OBS."""

    name: str
    kind: str
    settings: dict[str, Any]
    place: dict[str, Any]
    """Its sceneItemTransform."""
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """What was made or changed along with a source, so that it can be undone from what OBS itself has kept."""

    way: Way
    scene_made: bool
    scene_before: str = ""
    """What was on OBS's programme before our scene was put there; "" where it was left alone."""
    switched_on: tuple[str, ...] = ()
    """Settings of this app that were changed for it."""

    def as_settings(self) -> dict[str, Any]:
        """As it lies in a source's settings."""
        return {MARK: {**asdict(self), "switched_on": " ".join(self.switched_on)}}


@dataclass(frozen=True, slots=True)
class Warned:
    """A loop that may come: "display", a screen capture called `source`; "obs_camera", OBS's own camera as source."""

    code: Literal["display", "obs_camera"]
    source: str


def mark_of(settings: Mapping[str, Any]) -> Mark | None:
    """The mark in a source's settings; None for a source that is not ours."""
    held = settings.get(MARK)
    if not isinstance(held, Mapping) or held.get("way") not in WAYS:
        return None
    return Mark(
        cast("Way", held["way"]),
        bool(held.get("scene_made")),
        str(held.get("scene_before", "")),
        tuple(str(held.get("switched_on", "")).split()),
    )


def kind_of(way: Way, kinds: Iterable[str]) -> str | None:
    """Which of OBS's `kinds` shows this way; None where it has none for it."""
    return _newest(KINDS[way], kinds)


def ways(chosen: str, kinds: Sequence[str]) -> tuple[Way, ...]:
    """What to try, in this order, for the setting `obs.way`, with an OBS that has these kinds of sources."""
    wanted = WAYS if chosen == "auto" else tuple(way for way in WAYS if way == chosen)
    return tuple(way for way in wanted if kind_of(way, kinds) is not None)


def picture(feed: Feed, kind: str, width_px: int, height_px: int) -> Source:
    """The source that shows the character on a canvas of this size, standing on its lower edge.

    Raises ValueError for a kind that does not show this way.
    """
    settings, choice = picture_settings(feed, kind)
    return Source(PICTURE, kind, settings, place(width_px, height_px), choice)


def place(width_px: int, height_px: int) -> dict[str, Any]:
    """As large as the canvas allows without being cut or bent."""
    return {
        "positionX": 0.0,
        "positionY": 0.0,
        "alignment": _TOP_LEFT,
        "boundsType": "OBS_BOUNDS_SCALE_INNER",
        "boundsAlignment": _BOTTOM,
        "boundsWidth": float(width_px),
        "boundsHeight": float(height_px),
    }


def captions(file: str, kinds: Sequence[str], width_px: int, height_px: int) -> Source | None:
    """The source that shows the captions' file in the lowest sixth of the canvas; None where OBS has no such kind."""
    kind = _newest(TEXT_KINDS, kinds)
    if kind is None:
        return None
    size_px = max(16, round(height_px * 0.055))
    if kind.startswith("text_ft2_source"):
        settings: dict[str, Any] = {
            "from_file": True,
            "text_file": file,
            "font": {"face": "Sans Serif", "size": size_px, "flags": 0, "style": "Bold"},
            "outline": True,
            "word_wrap": True,
            "custom_width": round(width_px * 0.9),
        }
    else:
        settings = {
            "read_from_file": True,
            "file": file,
            "font": {"face": "Segoe UI", "size": size_px, "flags": 1, "style": "Bold"},
            "outline": True,
            "outline_size": 3,
            "outline_color": 0xFF1E1210,
            "align": "center",
            "extents": True,
            "extents_cx": round(width_px * 0.9),
            "extents_cy": round(height_px * 0.16),
        }
    where = {
        "positionX": width_px / 2,
        "positionY": height_px * 0.96,
        "alignment": _BOTTOM,
        "boundsType": "OBS_BOUNDS_NONE",
    }
    return Source(CAPTIONS, kind, settings, where)


def chosen_item(choice: Choice, items: Iterable[Mapping[str, Any]]) -> Any:
    """The value of the entry that is wanted, of OBS's list for a setting; None where it is not there.

    Windows are listed by their title, on Windows and macOS behind the program's name in brackets; cameras by name or
    device.
    """
    listed = [(str(item.get("itemName", "")).strip(), item.get("itemValue")) for item in items]
    for wanted in choice.wanted:
        for name, value in listed:
            title = name.split("]", 1)[1].lstrip(" :") if name.startswith("[") and "]" in name else name
            if wanted in (name, title, value):
                return value
    return None


def warnings(feed: Feed, inputs: Iterable[tuple[str, str]]) -> tuple[Warned, ...]:
    """Pictures that may show themselves. `inputs` are name and kind of what is in the scene with our picture."""
    found = [Warned("display", name) for name, kind in inputs if name != PICTURE and _is_kind(kind, DISPLAY_KINDS)]
    if feed.way == "camera" and is_obs_camera(feed):
        found.append(Warned("obs_camera", feed.device))
    return tuple(found)


def is_obs_camera(feed: Feed) -> bool:
    """Whether the camera is OBS's own, which OBS cannot send to while it shows it."""
    return OBS_CAMERA.casefold() in feed.device.casefold()


def picture_settings(feed: Feed, kind: str) -> tuple[dict[str, Any], Choice | None]:
    """The settings of a source of this kind, and the one whose value OBS has to be asked for.

    Raises ValueError for a kind that does not show this way.
    """
    base = _base(kind)
    if base == "browser_source":
        side_px = PAGE_WITH_CAPTIONS_PX if feed.page_captions else PAGE_PX
        # Hidden it costs nothing; shut down then, it would come back empty for a moment.
        return {"url": feed.address, "width": side_px, "height": side_px, "shutdown": False, "css": ""}, None
    if base == "ffmpeg_source":
        return {
            "is_local_file": False,
            "input": feed.address,
            "input_format": "",
            "hw_decode": False,
            "buffering_mb": 0,
            "reconnect_delay_sec": 1,
            "restart_on_activate": False,
            "clear_on_media_end": False,
        }, None
    if base == "v4l2_input":
        return {"buffering": False, "auto_reset": True}, Choice("device_id", (feed.device,))
    if base == "dshow_input":
        return {"buffering": 2}, Choice("video_device_id", (feed.device,))  # 2: none
    if base in ("av_capture_input", "macos-avcapture"):
        return {}, Choice("device", (feed.device,))
    if base == "xcomposite_input":
        return {"show_cursor": False, "exclude_alpha": False}, Choice("capture_window", feed.titles)
    if base == "window_capture":
        return {"cursor": False, "client_area": True}, Choice("window", feed.titles)
    if base == "screen_capture":
        return {"type": 1, "show_cursor": False}, Choice("window", feed.titles)  # 1: a window
    raise ValueError(f"no source of ours is of the kind {kind!r}")


def _newest(wanted: Sequence[str], kinds: Iterable[str]) -> str | None:
    there = sorted(kinds, reverse=True)
    for base in wanted:
        for kind in there:
            if _base(kind) == base:
                return kind
    return None


def _is_kind(kind: str, bases: Sequence[str]) -> bool:
    return _base(kind) in bases


def _base(kind: str) -> str:
    """A kind's name without its version."""
    head, separator, version = kind.rpartition("_v")
    return head if separator and version.isdigit() else kind
