"""What a host computes after a model, as text and for JSON; none of it is of the integer model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..host.host_ops import HostOp
from ..host.host_tail import HostValues
from ..support.text_table import columns
from .detected import ClassNames, detected, detection_document, detection_lines, detection_op
from .terminal import printable

ARITHMETIC = "host arithmetic in float64, not part of the integer model"
_OF_BOXES = "host arithmetic in float32, not part of the integer model"
_OF_BOTH = "host arithmetic in float64, of boxes in float32, not part of the integer model"
_MAX_VALUES, _MAX_OPS = 10, 12


def host_ends(host: HostValues) -> dict[str, np.ndarray]:
    """Return the outputs of the file that are made after the model, by name; reals left out.

    Reals that only a DEQUANTIZE produces are those of the model's own outputs.
    """
    return {name: host.values[name] for name, op in host.ends.items() if op.kind != "DEQUANTIZE"}


def left_line(host: HostValues) -> list[str]:
    """Return a line that names what predict does not do, none where it does all."""
    why = {index: f": {reason}" for index, reason in host.reasons.items()}
    names = ", ".join(
        f"op {op.index} ({op.kind}{why.get(op.index, '')})" for op in host.left[:_MAX_OPS]
    )
    more = f", and {len(host.left) - _MAX_OPS} more" * (len(host.left) > _MAX_OPS)
    return [f"left to the host and not done here: {names}{more}"] if names else []


def host_document(host: HostValues) -> dict[str, Any]:
    """Return what JSON says of the ops after a model."""
    found = detection_op(host)
    others = any(op is not found for op in host.ends.values())
    of_boxes = _OF_BOTH if others else _OF_BOXES
    return {
        "arithmetic": ARITHMETIC if found is None else of_boxes,
        "outputs": {name: str(op) for name, op in host.ends.items()},
        "not_done": [{"op": str(op), "reason": host.reasons.get(op.index)} for op in host.left],
    }


def finite_json(document: Mapping[str, Any]) -> str:
    """Return a document as JSON, which has null in place of what is infinite or no number."""
    return json.dumps(_finite(document), indent=1, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def image_values(host: HostValues, index: int) -> dict[str, Any]:
    """Return the values of one image for JSON: nested lists by name, without the file's batch."""
    shown = {**host.indices, **{name: host.values[name] for name in host.ends}}
    return {name: _of_image(values, index).tolist() for name, values in shown.items()}


def image_document(host: HostValues, index: int, name: str, names: ClassNames) -> dict[str, Any]:
    """Return what JSON says of an image that gives no class: its values, and its detections."""
    document: dict[str, Any] = {"name": name, "host": image_values(host, index)}
    if detection_op(host) is not None:
        document["detections"] = detection_document(detected(host, index), names)
    return document


def image_lines(
    host: HostValues, index: int, name: str, names: ClassNames, encoding: str | None
) -> list[str]:
    """Return the values of one image as lines, where they give no class: a table of few values.

    Of more than ten reals the range is shown, of classes how often each occurs; of detections a
    row each.
    """
    found = detection_op(host)
    lines = [printable(name, encoding)]
    if found is not None:
        lines += [*detection_lines(detected(host, index), names, encoding), _OF_BOXES]
    others = {output: op for output, op in host.ends.items() if op is not found}
    if others or host.indices or found is None:
        lines += [*_value_lines(host, index, others), *[ARITHMETIC] * bool(others)]
    return [*lines, *left_line(host)]


def _value_lines(host: HostValues, index: int, ends: Mapping[str, HostOp]) -> list[str]:
    rows = [("output", "made by", "shape", "values")]
    shown = [(output, "argmax", values) for output, values in host.indices.items()]
    shown += [(output, op.kind, host.values[output]) for output, op in ends.items()]
    for output, maker, batch in shown:
        values = _of_image(batch, index)
        shape = "x".join(map(str, values.shape)) or "1"
        rows.append((output, maker, shape, _shown(values)))
    return columns(rows, left=range(4))


def _of_image(values: np.ndarray, index: int) -> np.ndarray:
    image: np.ndarray = values[index]
    return image[0] if image.shape[:1] == (1,) else image


def _shown(values: np.ndarray) -> str:
    if values.size <= _MAX_VALUES:
        return " ".join(f"{v:.6g}" for v in values.ravel().tolist())
    if values.dtype.kind == "f":
        return f"{values.min():.6g} to {values.max():.6g}"
    classes, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MAX_VALUES]
    listed = ", ".join(f"{classes[i]} {counts[i] / values.size:.1%}" for i in order)
    return f"{listed}{', ...' * (len(classes) > _MAX_VALUES)}"
