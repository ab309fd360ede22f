"""The CUDA path's kernels against their plain forms: in Triton's interpreter, or on the card where there is one."""

import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

CARD = torch.cuda.is_available()
if not CARD and "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="Triton is not made for this system")
if not CARD and os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("Triton was loaded for a card already", allow_module_level=True)

from animator.musetalk import ops  # noqa: E402
from animator.musetalk.stream import Conv, Stream, UpConv  # noqa: E402
from animator.musetalk.tensors import Random  # noqa: E402
from animator.musetalk.unet import doubled  # noqa: E402

DEVICE = torch.device("cuda" if CARD else "cpu")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], object]], tuple[object, object]]]:
    """Runs something with the kernels and without."""

    def run(call: Callable[[], object]) -> tuple[object, object]:
        monkeypatch.setattr(ops, "interpreted", True)
        ours = call()
        monkeypatch.setattr(ops, "fused", lambda x: False)
        return ours, call()

    yield run
    monkeypatch.undo()


def some(*shape: int) -> torch.Tensor:
    return torch.randn(shape, device=DEVICE)


def near(a: torch.Tensor, b: torch.Tensor) -> bool:
    return float((a - b).abs().max()) < 2e-4


@pytest.mark.parametrize("side", [4, 96])
@pytest.mark.parametrize("vec", [True, False])
@pytest.mark.parametrize("res", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_a_group_norm_small_or_large_adds_and_normalises(
    both: Callable[..., tuple[tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]],
    side: int, vec: bool, res: bool, keep: bool,
) -> None:  # fmt: skip
    c = 20 if side == 4 else 16
    x, gamma, beta = some(2, side, side, c), some(c), some(c)
    added, arm = some(c) if vec else None, some(2, side, side, c) if res else None
    ours, plain = both(lambda: ops.group_norm(x, 4, gamma, beta, 1e-5, act=True, vec=added, res=arm, keep=keep))
    assert near(ours[0], plain[0])
    if keep:
        assert near(ours[1], plain[1])


@pytest.mark.parametrize("keep", [True, False])
def test_a_doubling_with_its_convolution_is_one_convolution_of_four_phases(
    both: Callable[..., tuple[torch.Tensor, torch.Tensor]], keep: bool
) -> None:
    source = Random(DEVICE, torch.float32)
    up, plain = UpConv(source, "c", 16), Conv(source, "c", 16, 16)
    x, gamma, beta = some(2, 12, 10, 16), some(16), some(16)

    def whole() -> torch.Tensor:
        normed, total = ops.group_norm(up(x), 4, gamma, beta, 1e-5, act=False, vec=up.bias, keep=keep, up=True)
        return torch.cat([normed, total]) if keep else normed

    ours, ours_plain = both(whole)
    assert near(ours, ours_plain)
    assert near(Stream(up(x), up.bias, up=True).value(), plain(doubled(x)) + plain.bias)


def test_layer_norm_gate_and_sum_answer_as_their_plain_forms(
    both: Callable[..., tuple[torch.Tensor, torch.Tensor]],
) -> None:
    x, vec, res, gamma, beta = some(2, 6, 40), some(40), some(2, 6, 40), some(40), some(40)
    wide = some(2, 6, 80)

    def whole() -> torch.Tensor:
        into = torch.zeros(2, 6, 120, device=DEVICE)
        normed, _ = ops.layer_norm(x, gamma, beta, vec, res, into[..., 80:])
        ops.gated(wide, into[..., :40])
        alone, _ = ops.layer_norm(x, gamma, beta)
        return torch.cat([into, normed, alone, ops.added(x, vec, res), ops.added(x, vec, None)], 2)

    assert near(*both(whole))


def test_a_face_is_pasted_as_in_the_plain_form(both: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> None:
    face, bias = some(2, 16, 16, 8), some(8)
    frames = torch.randint(0, 255, (3, 30, 24, 3), dtype=torch.uint8, device=DEVICE)
    masks = torch.randint(0, 255, (3, 30, 24), dtype=torch.uint8, device=DEVICE)
    boxes = torch.tensor([[5, 5, 29, 35], [5, 5, 25, 30], [0, 0, 20, 20]], dtype=torch.int32, device=DEVICE)
    index, gate = torch.tensor([2, 0], device=DEVICE), torch.tensor([1.0, 0.5], device=DEVICE)
    ours, plain = both(lambda: ops.paste(face, bias, frames, masks, boxes, index, gate))
    assert np.abs(ours.cpu().numpy().astype(int) - plain.cpu().numpy().astype(int)).max() <= 1
