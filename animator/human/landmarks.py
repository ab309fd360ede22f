"""Where faces are in a photo, and the 478 points of one: MediaPipe's networks through ONNX Runtime, on the CPU.

Points are numbered as in MediaPipe's face mesh (468, then five each for the right and the left iris); "right" is the
person's right, the viewer's left. Source of the anchors, boxes and crops: the model cards of BlazeFace and Face Mesh
V2 and MediaPipe's published graph options. The networks and their licence: assets/human/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

ASSETS = Path(__file__).parents[2] / "assets" / "human"

Points = npt.NDArray[np.float32]
"""float32, shape (n, 3): x and y in px of the picture, z in px too, smaller is nearer to the camera."""
Rgb = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""

MIN_SCORE = 0.5
"""Detections below this are no faces. MediaPipe's default."""
MIN_PRESENCE = 0.5
"""The mesh network's own opinion of whether it sees a face, in [0, 1]."""
OVERLAP = 0.3
"""Boxes that share more than this of their union are one face."""

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
)
RIGHT_EYE = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    *(130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190),
    *(226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189),
    *(35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193),
)
LEFT_EYE = (
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
    *(359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414),
    *(446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413),
    *(
        265,
        353,
        276,
        283,
        282,
        295,
        372,
        340,
        346,
        347,
        348,
        349,
        350,
        357,
        465,
        383,
        300,
        293,
        334,
        296,
        336,
        285,
        417,
    ),
)
"""Points that the heads with attention place, in the order of their outputs."""
# Subset, point on the left of it, point on its right (the line between them is level in the head's crop).
_HEADS = {"lips": (LIPS, 61, 291), "left_eye": (RIGHT_EYE, 33, 133), "right_eye": (LEFT_EYE, 362, 263)}
"""By the network's file; the model calls the eye on the viewer's left "left"."""

_MESH_PX = 192
_FEATURES_PX = 48
_HEAD_PX = 16


@dataclass(frozen=True, slots=True)
class Detection:
    """One face: its box (left, top, right, bottom) and six points, in px of the picture.

    `points` are right eye, left eye, nose tip, mouth, right ear, left ear: float32 (6, 2).
    """

    score: float
    box: tuple[float, float, float, float]
    points: npt.NDArray[np.float32]

    @property
    def width_px(self) -> float:
        """Width of the box."""
        return self.box[2] - self.box[0]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The points of one face: float32 (478, 3), and how sure the network is that this is one, in [0, 1]."""

    points: Points
    presence: float


@cache
def network(name: str) -> Any:
    """The ONNX Runtime session of one of the networks in `assets/human`, on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(ASSETS / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])


def run(name: str, values: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """What the network `name` answers to one input."""
    session = network(name)
    answer: list[npt.NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: values})
    return answer


def _anchors(strides: tuple[int, ...], size_px: int) -> npt.NDArray[np.float32]:
    """Middles of the cells, in parts of the input."""
    rows: list[tuple[float, float]] = []
    k = 0
    while k < len(strides):
        same = k
        while same < len(strides) and strides[same] == strides[k]:
            same += 1
        cells = size_px // strides[k]
        per_cell = 2 * (same - k) if len(strides) > 1 else 1
        for y in range(cells):
            for x in range(cells):
                rows += [((x + 0.5) / cells, (y + 0.5) / cells)] * per_cell
        k = same
    return np.array(rows, dtype=np.float32)


def detect(picture: Rgb) -> list[Detection]:
    """The faces of `picture`, the largest first; small ones in a large picture may be missed."""
    found = [
        *_detect(picture, "face_far", 192, _anchors((4,), 192)),
        *_detect(picture, "face_near", 128, _anchors((8, 16, 16, 16), 128)),
    ]
    kept: list[Detection] = []
    for each in sorted(found, key=lambda one: -one.score):
        if all(_overlap(each.box, other.box) < OVERLAP for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda one: -one.width_px)


def _detect(picture: Rgb, name: str, size_px: int, anchors: npt.NDArray[np.float32]) -> list[Detection]:
    height, width = picture.shape[:2]
    scale = size_px / max(height, width)
    small = cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    left, top = (size_px - small.shape[1]) // 2, (size_px - small.shape[0]) // 2
    boxed = np.zeros((size_px, size_px, 3), np.float32)
    boxed[top : top + small.shape[0], left : left + small.shape[1]] = small / 127.5 - 1.0
    regressed, scores = run(name, boxed[None])
    score = 1.0 / (1.0 + np.exp(-np.clip(scores[0, :, 0], -80.0, 80.0)))
    keep = np.flatnonzero(score >= MIN_SCORE)
    found: list[Detection] = []
    offset = np.array([left, top], np.float32)
    for k in keep[np.argsort(-score[keep])]:
        raw = regressed[0, k].reshape(8, 2) / size_px
        raw[[0, *range(2, 8)]] += anchors[k]
        middle, size = (raw[0] * size_px - offset) / scale, raw[1] * size_px / scale
        box = (*(middle - size / 2), *(middle + size / 2))
        if all(_overlap(box, other.box) < OVERLAP for other in found):
            points = ((raw[2:] * size_px - offset) / scale).astype(np.float32)
            found.append(Detection(float(score[k]), tuple(float(v) for v in box), points))  # type: ignore[arg-type]
    return found


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (areas - width * height)


def find_points(picture: Rgb, detection: Detection) -> Face:
    """The points of the face that `detection` found; looked at again in the crop that the first points want."""
    eyes = detection.points[1] - detection.points[0]
    x0, y0, x1, y1 = detection.box
    middle, side = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), 1.5 * max(x1 - x0, y1 - y0)
    face = _mesh(picture, middle, side, float(np.arctan2(eyes[1], eyes[0])))
    for _ in range(2):
        face = find_again(picture, face.points)
    return face


def find_again(picture: Rgb, points: Points) -> Face:
    """The points of the face that had `points` a moment ago, or at a first look: one look in the crop they want."""
    xy = points[:468, :2]
    line = xy[263] - xy[33]
    angle = float(np.arctan2(line[1], line[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    level = xy @ turn.T
    low, high = level.min(axis=0), level.max(axis=0)
    return _mesh(picture, turn.T @ ((low + high) / 2), 1.5 * float((high - low).max()), angle)


def _mesh(picture: Rgb, middle: npt.NDArray[Any], side_px: float, angle: float) -> Face:
    cos, sin = np.cos(angle), np.sin(angle)
    step = side_px / _MESH_PX
    # Pixel centres of the crop to those of the picture.
    to_picture = np.array([[cos, -sin], [sin, cos]]) * step
    corner = middle - to_picture @ np.full(2, (_MESH_PX - 1) / 2)
    placed = np.concatenate([to_picture, corner[:, None]], axis=1)
    if step > 1.5:  # no pixel may be skipped
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * step)
    crop = cv2.warpAffine(picture, placed, (_MESH_PX, _MESH_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    mesh, flag, features = run("face_mesh", (crop.astype(np.float32) / 255.0)[None])
    points = np.concatenate([mesh.reshape(468, 3), np.zeros((10, 3), np.float32)])
    for name, (subset, left, right) in _HEADS.items():
        matrix = _crop_matrix(points[:, :2] * np.float32(_FEATURES_PX / _MESH_PX), subset, left, right)
        outs = run(name, _sampled(features[0], matrix)[None])
        to_mesh = matrix.copy()
        to_mesh[:, 2] *= _MESH_PX / _FEATURES_PX
        placed_points = [_moved(out.reshape(-1, 2), to_mesh) for out in outs]
        points[list(subset), :2] = placed_points[0]
        if name != "lips":
            start = 468 if name == "left_eye" else 473
            points[start : start + 5, :2] = placed_points[1]
            ring = subset[:16]
            points[start : start + 5, 2] = points[list(ring), 2].mean()
    points[:, :2] = points[:, :2] @ to_picture.T + corner
    points[:, 2] *= step
    return Face(points.astype(np.float32), float(1.0 / (1.0 + np.exp(-np.clip(flag.reshape(-1)[0], -80.0, 80.0)))))


def _crop_matrix(
    xy: npt.NDArray[np.float32], subset: tuple[int, ...], left: int, right: int
) -> npt.NDArray[np.float64]:
    """From a head's 16 x 16 crop to the features' 48 x 48: the subset's level box, half as large again."""
    line = xy[right] - xy[left]
    angle = float(np.arctan2(line[1], line[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    level = xy[list(subset)] @ turn.T
    low, high = level.min(axis=0), level.max(axis=0)
    size, middle = 1.5 * (high - low), turn.T @ ((low + high) / 2)
    matrix = turn.T * (size / _HEAD_PX)
    return np.concatenate([matrix, (middle - matrix @ np.full(2, _HEAD_PX / 2))[:, None]], axis=1)


def _sampled(features: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The crop of `features` (48, 48, 32), bilinear, 0 outside: float32 (16, 16, 32)."""
    y, x = np.mgrid[0:_HEAD_PX, 0:_HEAD_PX].astype(np.float64)
    at = np.stack([x, y], axis=-1).reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
    low = np.floor(at).astype(int)
    share = (at - low).astype(np.float32)
    padded = np.pad(features, ((1, 2), (1, 2), (0, 0)))
    total = np.zeros((_HEAD_PX * _HEAD_PX, features.shape[2]), np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (share[:, 0] if dx else 1 - share[:, 0]) * (share[:, 1] if dy else 1 - share[:, 1])
            column = np.clip(low[:, 0] + dx + 1, 0, padded.shape[1] - 1)
            row = np.clip(low[:, 1] + dy + 1, 0, padded.shape[0] - 1)
            total += weight[:, None] * padded[row, column]
    return total.reshape(_HEAD_PX, _HEAD_PX, -1)


def _moved(xy: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    moved: npt.NDArray[np.float64] = xy @ matrix[:, :2].T + matrix[:, 2]
    return moved
