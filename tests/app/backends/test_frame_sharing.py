"""Spout and Syphon, with stand-ins for their libraries that are as particular as these are."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app import compose
from app.backends.frame_sharing import GL_RGBA, FrameSharing, SpoutOutlet, SyphonOutlet
from app.errors import AppError
from app.messages import Frame
from app.ports import FrameSink
from tests.fakes import TIMEOUT_S


def picture(width_px: int, height_px: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Every pixel another one, half of them half transparent, and colours that premultiplying would change."""
    made = np.arange(width_px * height_px * 4, dtype=np.uint32).reshape(height_px, width_px, 4) % 251
    made[..., 3] = np.where(made[..., 0] % 2, 128, 255)
    return made.astype(np.uint8)


class Programs:
    """What other programs see, and which threads the library was used on."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.shown: list[np.ndarray[Any, Any]] = []
        """Top row first, as a viewer has it before them."""
        self.names: list[str] = []
        self.threads: set[int] = set()
        self.log: list[str] = []
        self.fails = ""

    def used(self, what: str) -> None:
        with self.changed:
            self.threads.add(threading.get_ident())
            self.log.append(what)
            self.changed.notify_all()

    def show(self, pixels: np.ndarray[Any, Any]) -> None:
        with self.changed:
            self.shown.append(pixels)
            self.changed.notify_all()

    def wait(self, count: int) -> np.ndarray[Any, Any]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.shown) >= count, TIMEOUT_S), self.log
            return self.shown[count - 1]


def fake_spout(programs: Programs) -> ModuleType:
    """SpoutGL 0.1.1: positional arguments only, buffers checked as the wrapper does, failure said by False."""

    class SpoutSender:
        def __init__(self) -> None:
            self._context: int | None = None

        def createOpenGL(self, /) -> bool:
            programs.used("createOpenGL")
            if programs.fails == "open":
                return False
            self._context = threading.get_ident()
            return True

        def closeOpenGL(self, /) -> bool:
            programs.used("closeOpenGL")
            self._context = None
            return True

        def setSenderName(self, name: str, /) -> None:
            programs.names.append(name)

        def releaseSender(self, /) -> None:
            programs.used("releaseSender")
            programs.names.clear()

        def sendImage(self, pixels: Any, width: int, height: int, gl_format: int, invert: bool, fbo: int, /) -> bool:
            programs.used("sendImage")
            view = memoryview(pixels)
            if view.nbytes < width * height * 4:
                raise BufferError("Buffer not large enough")
            if not view.c_contiguous:
                raise BufferError("Buffer must be contiguous")
            if programs.fails == "send" or self._context != threading.get_ident():
                return False
            assert (GL_RGBA, 0) == (gl_format, fbo)
            rows = np.frombuffer(view.tobytes(), np.uint8).reshape(height, width, 4)
            programs.show(rows[::-1] if invert else rows)
            return True

    module = ModuleType("SpoutGL")
    module.SpoutSender = SpoutSender  # type: ignore[attr-defined]
    return module


def fake_syphon(programs: Programs) -> dict[str, ModuleType]:
    """syphon-python 0.1.1 and PyObjC: textures of one size, pictures that begin at the bottom, pools per frame."""
    pools: list[int] = []

    class Texture:
        def __init__(self, width: int, height: int) -> None:
            self.size, self.data = (width, height), b""

    class SyphonMetalServer:
        device = "card"

        def __init__(self, name: str, device: Any = None, command_queue: Any = None) -> None:
            assert pools
            programs.used("start")
            self.context = None if programs.fails == "open" else object()
            self.has_clients = programs.fails != "nobody"
            programs.names.append(name)

        def publish_frame_texture(
            self,
            texture: Texture,
            region: Any = None,
            size: Any = None,
            is_flipped: bool = False,
            command_buffer: Any = None,
            auto_commit: bool = True,
        ) -> None:
            assert pools, "what Metal makes would stay for good"
            if programs.fails == "send":
                raise ValueError("objc: no command buffer")
            width, height = texture.size
            rows = np.frombuffer(texture.data, np.uint8).reshape(height, width, 4)
            surface = rows[::-1] if is_flipped else rows
            programs.show(surface[::-1])  # a client takes the surface's first row for the bottom

        def stop(self) -> None:
            programs.used("stop")
            programs.names.clear()

    def create_mtl_texture(device: Any, width: int, height: int, pixel_format: int = 70) -> Texture:
        assert device == "card"
        programs.used(f"texture {width} x {height}")
        return Texture(width, height)

    def copy_image_to_mtl_texture(image: Any, texture: Texture) -> None:
        programs.used("copy")
        assert image.shape == (texture.size[1], texture.size[0], 4), "Metal would read beyond it"
        texture.data = image.tobytes()

    @contextlib.contextmanager
    def autorelease_pool() -> Iterator[None]:
        pools.append(1)
        yield
        pools.pop()

    made = {
        name: ModuleType(name) for name in ("objc", "syphon", "syphon.utils", "syphon.utils.numpy", "syphon.utils.raw")
    }
    made["objc"].autorelease_pool = autorelease_pool  # type: ignore[attr-defined]
    made["syphon"].SyphonMetalServer = SyphonMetalServer  # type: ignore[attr-defined]
    made["syphon.utils.numpy"].copy_image_to_mtl_texture = copy_image_to_mtl_texture  # type: ignore[attr-defined]
    made["syphon.utils.raw"].create_mtl_texture = create_mtl_texture  # type: ignore[attr-defined]
    return made


@pytest.fixture
def programs() -> Programs:
    return Programs()


@pytest.fixture(params=["Spout", "Syphon"])
def sink(request: pytest.FixtureRequest, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Iterator[FrameSink]:
    if request.param == "Spout":
        monkeypatch.setitem(sys.modules, "SpoutGL", fake_spout(programs))
        made = FrameSharing(SpoutOutlet)
    else:
        for name, module in fake_syphon(programs).items():
            monkeypatch.setitem(sys.modules, name, module)
        made = FrameSharing(SyphonOutlet)
    yield made
    made.close()


def test_a_picture_arrives_upright_with_straight_alpha(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    sent = picture(5, 3)
    sink.send(Frame(1, sent, 0))

    np.testing.assert_array_equal(sent, programs.wait(1))
    assert ["Kuchipaku"] == programs.names


def test_a_picture_that_is_a_part_of_another_arrives_whole(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    part = picture(8, 8)[2:6, 1:7]
    sink.send(Frame(1, part, 0))

    np.testing.assert_array_equal(part, programs.wait(1))


def test_pictures_may_change_their_size(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    for count, size in enumerate([(4, 4), (4, 4), (6, 2)], 1):
        sink.send(Frame(count, picture(*size), 0))
        np.testing.assert_array_equal(picture(*size), programs.wait(count))

    assert [each for each in programs.log if each.startswith("texture")] in ([], ["texture 4 x 4", "texture 6 x 2"])


def test_a_library_is_used_on_one_thread_of_its_own(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    sink.send(Frame(1, picture(4, 4), 0))
    programs.wait(1)
    sink.close()

    assert 1 == len(programs.threads)
    assert threading.get_ident() not in programs.threads


def test_after_closing_no_program_sees_it(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    sink.close()
    sink.close()

    assert [] == programs.names
    assert programs.log[-2:] in (["releaseSender", "closeOpenGL"], ["start", "stop"])


def test_a_library_that_cannot_start_says_what_to_do(sink: FrameSink, programs: Programs) -> None:
    programs.fails = "open"
    with pytest.raises(AppError) as refused:
        sink.open(512, 512, 30)

    assert "browser source" in refused.value.remedy


def test_a_library_that_fails_is_said_with_the_next_picture(sink: FrameSink, programs: Programs) -> None:
    sink.open(512, 512, 30)
    programs.fails = "send"
    sink.send(Frame(1, picture(4, 4), 0))
    with programs.changed:
        assert programs.changed.wait_for(lambda: {"stop", "closeOpenGL"} & set(programs.log), TIMEOUT_S)
    with pytest.raises(AppError) as said:
        sink.send(Frame(2, picture(4, 4), 0))

    assert "off and on again" in said.value.remedy
    assert [] == programs.names


def test_syphon_copies_nothing_while_nobody_looks(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, module in fake_syphon(programs).items():
        monkeypatch.setitem(sys.modules, name, module)
    programs.fails = "nobody"
    outlet = SyphonOutlet()
    outlet.open()
    outlet.send(picture(4, 4))
    outlet.close()

    assert ["start", "stop"] == programs.log


@pytest.mark.parametrize(("outlet", "module"), [(SpoutOutlet, "SpoutGL"), (SyphonOutlet, "objc")])
def test_a_library_that_does_not_load_is_said(
    outlet: Callable[[], Any], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    sink = FrameSharing(outlet)
    with pytest.raises(AppError, match="does not load") as refused:
        sink.open(512, 512, 30)

    assert "pip install" in refused.value.remedy


@pytest.mark.parametrize(
    ("platform", "said"), [("linux", "only on Windows"), ("win32", "for Spout"), ("darwin", "for Syphon")]
)
def test_where_it_cannot_be_it_is_said_why(platform: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.policy.sharing.sys.platform", platform)
    monkeypatch.setattr("app.policy.sharing.importlib.util.find_spec", lambda name: None)
    with pytest.raises(AppError, match=said):
        compose.frame_sharing()
