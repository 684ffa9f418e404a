"""What a host computes after an imported model: reals and classes in float64, boxes in float32.

This is arithmetic of the host, not of the model: no clause of SPEC.md binds it, and an engine that
computes in float32 has other last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from ..model.graph import Model
from ..support.quoting import short_repr
from .affine import dequantize
from .detection import ANCHORS, DetectionOptions, detections
from .detection import KIND as DETECTION
from .host_ops import OUTPUTS, TAIL, HostOp, host_constants, host_ops, listed_names

_ALONG_AN_AXIS = ("SOFTMAX", "LOG_SOFTMAX", "ARG_MAX", "ARG_MIN")
_RESHAPING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_INTEGERS = ("int8", "uint8", "int16", "int32", "int64")
_Function = Callable[[HostOp, list[np.ndarray]], np.ndarray]


def _softmax(op: HostOp, x: np.ndarray) -> np.ndarray:
    beta = float(op.options.get("beta", "1.0"))
    exponentials = np.exp(beta * (x - x.max(-1, keepdims=True)))
    made: np.ndarray = exponentials / exponentials.sum(-1, keepdims=True)
    return made


def _log_softmax(x: np.ndarray) -> np.ndarray:
    shifted = x - x.max(-1, keepdims=True)
    made: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return made


def _logistic(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))  # never overflows
    made: np.ndarray = np.where(x >= 0, 1, small) / (1 + small)
    return made


FUNCTIONS: Mapping[str, _Function] = {
    "SOFTMAX": lambda op, x: _softmax(op, x[0]),
    "LOG_SOFTMAX": lambda op, x: _log_softmax(x[0]),
    "LOGISTIC": lambda op, x: _logistic(x[0]),
    "ARG_MAX": lambda op, x: x[0].argmax(_axis(op)),
    "ARG_MIN": lambda op, x: x[0].argmin(_axis(op)),
    "CONCATENATION": lambda op, x: np.concatenate(x, _axis(op)),
    **dict.fromkeys(_RESHAPING, lambda op, x: x[0]),
}
"""Of reals, an image first; axes count from the last."""


@dataclass(frozen=True, eq=False)
class HostValues:
    """What ops of a model's tail compute from its outputs.

    Parameters
    ----------
    values : dict of str to ndarray of float64, float32 or int64, shape (n, ...)
        By name, in their order; extents after n are those of the file.
    ends : dict of str to HostOp
        What there is to show, with the ops that make it: outputs of the file, and what no op reads
        that is done here.
    sources : dict of str to str
        For each value that is made of one tensor only: the output of the model.
    indices : dict of str to ndarray of int32, shape (n, ...)
        Outputs of the model that an argmax produces, of which the same is true.
    left : list of HostOp
        What is not done: ops of other kinds, and those that read what these make.
    reasons : dict of int to str
        Why one of them is not done, by its number, where there is more to say than its kind.
    """

    __repr__ = short_repr

    values: dict[str, np.ndarray]
    ends: dict[str, HostOp]
    sources: dict[str, str]
    indices: dict[str, np.ndarray]
    left: list[HostOp]
    reasons: dict[int, str] = field(default_factory=dict)


def run_host_tail(model: Model, outputs: Mapping[str, np.ndarray]) -> HostValues:
    """Return what the ops of a model's tail compute from the outputs of a run, as far as known.

    Parameters
    ----------
    model : Model
    outputs : mapping of str to ndarray
        By name, shape (n, ...).

    Raises
    ------
    ModelError
        When the metadata of the model has a line that is no op, or no constant.
    """
    known, constants = dict(outputs), host_constants(model.metadata)
    of_file = listed_names(model.metadata, OUTPUTS)
    maps = {name: outputs[name][..., 0] for name in index_outputs(model) if name in outputs}
    made = HostValues({}, {}, {}, maps, [])
    for op in host_ops(model.metadata, TAIL):
        if op.kind == DETECTION:
            try:
                values = _detections(model, op, known, constants)
            except ValueError as error:  # the kernel refuses it as well
                values, made.reasons[op.index] = [], str(error)
        else:
            value = _value(model, op, known)
            values = [] if value is None else [value]
        if not values:
            made.left.append(op)
            continue
        for y, value in zip(op.outputs, values, strict=True):
            made.values[y.name] = known[y.name] = value
            made.ends[y.name] = op
        for read in set(op.inputs) - of_file:
            made.ends.pop(read, None)
            made.indices.pop(read, None)
        if len(op.inputs) == len(op.outputs) == 1:
            source = made.sources.get(op.inputs[0], op.inputs[0])
            if source in outputs:
                made.sources[op.outputs[0].name] = source
    return made


def index_outputs(model: Model) -> list[str]:
    """Return the outputs of a model that an argmax produces."""
    made = {op.output for op in model.ops if op.kind == "argmax"}
    return [name for name in model.outputs if name in made]


def _detections(
    model: Model,
    op: HostOp,
    known: Mapping[str, np.ndarray],
    constants: Mapping[tuple[int, int], np.ndarray],
) -> list[np.ndarray]:
    """Return boxes, classes, scores and their number, an image first; none where not done.

    Raises
    ------
    ValueError
        When options or shapes are none that the kernel takes.
    """
    read = []
    for name in op.inputs[:2]:
        if name not in known:
            return []
        x = known[name]
        if x.dtype.kind != "f":
            if name not in model.outputs or model.tensor(name).scale is None:
                return []
            x = dequantize(x, model.tensor(name))
        with np.errstate(all="ignore"):
            read.append(x.astype(np.float32))
    anchors = constants.get((op.index, ANCHORS))
    if anchors is None or len(op.inputs) != 3 or len(op.outputs) != 4:
        return []
    options = DetectionOptions.of(op.options)
    images = [
        detections(options, a.reshape(a.shape[-2:]), b.reshape(b.shape[-2:]), anchors)
        for a, b in zip(*read, strict=True)
    ]
    return [np.stack(values) for values in zip(*images, strict=True)]


def _value(model: Model, op: HostOp, known: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return what an op produces from known values, None where it is not done."""
    if len(op.outputs) != 1 or not op.inputs or not all(name in known for name in op.inputs):
        return None
    x = [known[name] for name in op.inputs]
    integers = x[0].dtype != np.float64
    if integers and op.kind not in ("DEQUANTIZE", "CAST", *_RESHAPING):
        return None
    if op.kind == "DEQUANTIZE" and op.inputs[0] not in model.outputs:
        return None  # integers that the tail made have no scale
    try:
        if op.kind == "DEQUANTIZE":
            made = dequantize(x[0], model.tensor(op.inputs[0]))
        elif op.kind == "CAST":
            made = _cast(op, x[0], own=op.inputs[0] in model.outputs)
        elif op.kind in FUNCTIONS and not _across_images(op, x[0]):
            made = FUNCTIONS[op.kind](op, x)
        else:
            return None
        return made.reshape(len(x[0]), *op.outputs[0].shape)
    except (ValueError, OverflowError, InputError):  # no shapes or axes of the tensors; no scale
        return None


def _across_images(op: HostOp, x: np.ndarray) -> bool:
    """Return whether an op may compute along the batch of the file, of which x has one image.

    Axis 0 of x is that of the images that are run; the next is the file's first.
    """
    axis = _axis(op) + x.ndim
    first = axis == 1 and x.shape[1] == 1
    return axis <= 0 or (first and op.kind in _ALONG_AN_AXIS)


def _cast(op: HostOp, x: np.ndarray, *, own: bool) -> np.ndarray:
    """Return values as another type; `own`: of an output of the model, uint8 as x ^ 0x80."""
    wide = x.astype(np.int64) + 128 if own and op.options.get("from") == "uint8" else x
    made = op.outputs[0].dtype
    if made == "float32":
        return wide.astype(np.float64)
    whole = np.trunc(wide)
    if made not in _INTEGERS or not np.isin(whole, whole.astype(made)).all():
        raise ValueError(f"values beyond {made}")
    return whole.astype(np.int64)


def _axis(op: HostOp) -> int:
    return int(op.options.get("axis", "-1"))
