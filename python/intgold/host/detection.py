"""Detections of a box predictor: boxes decoded, those that overlap dropped; float32 of the host.

The arithmetic is that of LiteRT's kernel for TFLite_Detection_PostProcess, operation by operation
(tflite/kernels/detection_postprocess.cc): float32, the decoding in float64 and rounded once.
Where an anchor gives several classes, equal scores of one anchor come in the order of the classes;
the engine's order is then that of its C++ library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

KIND = "custom TFLite_Detection_PostProcess"
"""As host records name the op."""
ANCHORS = 2
"""Place of the anchors among its operands."""
_MAX_ROWS = 2**20
_F = np.float32


@dataclass(frozen=True)
class DetectionOptions:
    """Options of the op, with its defaults: of the file, 0 where it has none.

    Parameters
    ----------
    max_detections, max_classes_per_detection, detections_per_class, num_classes : int
    use_regular_nms : int
        1: each class for itself; 0: all classes at once, by the best score of each anchor.
    nms_score_threshold, nms_iou_threshold : float
    y_scale, x_scale, h_scale, w_scale : float
    """

    max_detections: int = 0
    max_classes_per_detection: int = 0
    detections_per_class: int = 100
    use_regular_nms: int = 0
    nms_score_threshold: float = 0.0
    nms_iou_threshold: float = 0.0
    num_classes: int = 0
    y_scale: float = 0.0
    x_scale: float = 0.0
    h_scale: float = 0.0
    w_scale: float = 0.0

    @classmethod
    def of(cls, options: Mapping[str, str]) -> DetectionOptions:
        """Return the options that texts say.

        Raises
        ------
        ValueError
            Naming one that is no finite number; of a float, in float32.
        """
        found: dict[str, int | float] = {}
        for part in fields(cls):
            if part.name not in options:
                continue
            text = options[part.name]
            try:
                with np.errstate(over="ignore"):
                    value = float(text) if part.type == "int" else float(_F(text))
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise ValueError(f"{part.name} {text} is no finite number")
            found[part.name] = int(value) if part.type == "int" else value
        return cls(**found)  # type: ignore[arg-type]


OPTION_NAMES = tuple(part.name for part in fields(DetectionOptions))


def detections(
    options: DetectionOptions, encodings: np.ndarray, scores: np.ndarray, anchors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return what the op produces for one image.

    Parameters
    ----------
    options : DetectionOptions
    encodings : ndarray of float32, shape (boxes, at least 4)
        y, x, h, w relative to the anchor.
    scores : ndarray of float32, shape (boxes, classes)
        With or without a first class for the background.
    anchors : ndarray of float32, shape (boxes, 4)
        y, x, h, w.

    Returns
    -------
    boxes : ndarray of float32, shape (1, rows, 4)
        ymin, xmin, ymax, xmax; 0 after the last detection.
    classes, scores : ndarray of float32, shape (1, rows)
        The rows of a box are those of its best classes.
    count : ndarray of float32, shape (1,)
        Boxes.

    Raises
    ------
    ValueError
        When shapes or options are none that the kernel takes.
    """
    _check(options, encodings, scores, anchors)
    boxes = _decoded(options, encodings, anchors)
    if (boxes[:, 0] > boxes[:, 2]).any() or (boxes[:, 1] > boxes[:, 3]).any():
        raise ValueError("a box is turned inside out")
    background = scores.shape[1] - options.num_classes
    found = (_each_class if options.use_regular_nms else _all_classes)(
        options, boxes, scores[:, background:]
    )
    rows = options.max_detections * options.max_classes_per_detection
    made = np.zeros((1, rows, 4), _F), np.zeros((1, rows), _F), np.zeros((1, rows), _F)
    for row, box, kind in found:
        made[0][0, row], made[1][0, row] = boxes[box], kind
        made[2][0, row] = scores[box, kind + background]
    each = 1 if options.use_regular_nms else _classes_of_a_box(options)
    return (*made, np.array([len(found) // each], _F))


def _check(
    options: DetectionOptions, encodings: np.ndarray, scores: np.ndarray, anchors: np.ndarray
) -> None:
    if encodings.ndim != 2 or encodings.shape[1] < 4 or anchors.shape != (len(encodings), 4):
        raise ValueError(f"boxes {encodings.shape} and anchors {anchors.shape}")
    number = len(encodings)
    if scores.ndim != 2 or len(scores) != number:
        raise ValueError(f"scores {scores.shape} of {number} boxes")
    if options.num_classes < 1 or scores.shape[1] - options.num_classes not in (0, 1):
        raise ValueError(f"{options.num_classes} classes, scores {scores.shape}")
    per_class = options.detections_per_class if options.use_regular_nms else 1
    if min(options.max_detections, options.max_classes_per_detection, per_class) < 1:
        raise ValueError(f"{options.max_detections} detections")
    if options.max_detections * options.max_classes_per_detection > _MAX_ROWS:
        raise ValueError(f"{options.max_detections} detections; at most {_MAX_ROWS}")
    if not 0 < options.nms_iou_threshold <= 1:
        raise ValueError(f"overlap {options.nms_iou_threshold}")


def _decoded(options: DetectionOptions, encodings: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return boxes as ymin, xmin, ymax, xmax."""
    with np.errstate(all="ignore"):  # as the kernel: what is no number overlaps nothing
        y, x, h, w = encodings[:, :4].astype(np.float64).T
        anchor_y, anchor_x, anchor_h, anchor_w = anchors.astype(np.float64).T
        centre_y = (y / options.y_scale * anchor_h + anchor_y).astype(_F)
        centre_x = (x / options.x_scale * anchor_w + anchor_x).astype(_F)
        half_h = (0.5 * _exp(h / options.h_scale) * anchor_h).astype(_F)
        half_w = (0.5 * _exp(w / options.w_scale) * anchor_w).astype(_F)
        corners = (centre_y - half_h, centre_x - half_w, centre_y + half_h, centre_x + half_w)
    return np.stack(corners, 1)


def _exp(x: np.ndarray) -> np.ndarray:
    """Return exp of the C library; that of NumPy may differ in the last bit."""

    def of_one(value: float) -> float:
        try:
            return math.exp(value)
        except OverflowError:
            return math.inf

    return np.array([of_one(value) for value in x.tolist()])


def _all_classes(
    options: DetectionOptions, boxes: np.ndarray, scores: np.ndarray
) -> list[tuple[int, int, int]]:
    """Return row, box and class of each detection, by the best score of each anchor."""
    each = _classes_of_a_box(options)
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :each]
    kept = _suppressed(options, boxes, scores.max(1), options.max_detections)
    return [
        (options.max_classes_per_detection * place + n, box, int(ranked[box, n]))
        for place, box in enumerate(kept)
        for n in range(each)
    ]


def _classes_of_a_box(options: DetectionOptions) -> int:
    return min(options.max_classes_per_detection, options.num_classes)


def _each_class(
    options: DetectionOptions, boxes: np.ndarray, scores: np.ndarray
) -> list[tuple[int, int, int]]:
    """Return row, box and class of each detection, each class suppressed for itself."""
    per_class = min(options.detections_per_class, options.max_detections)
    found: list[tuple[int, int]] = []
    for kind in range(options.num_classes):
        found += [(box, kind) for box in _suppressed(options, boxes, scores[:, kind], per_class)]
        found.sort(key=lambda of: -scores[of])  # stable: of equal scores the earlier class
        del found[options.max_detections :]
    return [(row, box, kind) for row, (box, kind) in enumerate(found)]


def _suppressed(
    options: DetectionOptions, boxes: np.ndarray, scores: np.ndarray, most: int
) -> list[int]:
    """Return the boxes that stay, the highest score first."""
    kept = np.flatnonzero(scores >= _F(options.nms_score_threshold))
    waiting = kept[np.argsort(-scores[kept], kind="stable")]
    found: list[int] = []
    while len(waiting) and len(found) < most:
        first, others = int(waiting[0]), waiting[1:]
        found.append(first)
        overlap = _overlaps(boxes[first], boxes[others])
        waiting = others[~(overlap > _F(options.nms_iou_threshold))]
    return found


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of a box with each of others, float32.

    Of two empty boxes it is NaN, which is above no threshold.
    """
    with np.errstate(all="ignore"):
        area = (box[2] - box[0]) * (box[3] - box[1])
        areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
        h = np.maximum(np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0]), _F(0))
        w = np.maximum(np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1]), _F(0))
        shared = h * w
        ratio: np.ndarray = shared / (area + areas - shared)
    return ratio
