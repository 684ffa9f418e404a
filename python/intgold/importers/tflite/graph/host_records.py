"""What is left to the host of a file, as the text that a model keeps of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ....host.detection import ANCHORS, OPTION_NAMES
from ....host.detection import KIND as DETECTION
from ....host.host_ops import (
    CONSTANTS,
    HEAD,
    INPUTS,
    OUTPUTS,
    TAIL,
    HostOp,
    HostTensor,
    constant_line,
)
from ..file.reader import FileOp, FileTensor
from .batches import tensor_of_one_image
from .float_islands import CutGraph

_MAX_VALUES = 8
"""Values of a constant that are written out."""
_AXIS_OPERAND = frozenset({"ARG_MAX", "ARG_MIN"})
"""Ops whose second input is the axis."""
_WITHOUT_CONSTANTS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
"""Ops of which the shape of the output says all."""


def host_records(
    cut: CutGraph,
    file_outputs: Sequence[int],
    names: dict[int, str],
    name_for: Callable[[str], str],
) -> dict[str, str]:
    """Return the entries of a model's metadata that say what is left to the host.

    Parameters
    ----------
    cut : CutGraph
    file_outputs : sequence of int
    names : dict of int to str
        The model's tensor for each tensor of the file; those of the host are added.
    name_for : callable
        What gives a tensor of the file a name.
    """
    tensors = [
        tensor_of_one_image(t) if t.data is None and t.shape[:1] == (cut.batch,) else t
        for t in cut.graph.tensors
    ]

    def named(at: int) -> str:
        if at not in names:
            names[at] = name_for(tensors[at].name)
        return names[at]

    return {
        HEAD: "\n".join(str(_record(op, tensors, named)) for op in cut.head),
        TAIL: "\n".join(str(_record(op, tensors, named)) for op in cut.tail),
        OUTPUTS: ", ".join(map(named, file_outputs if cut.tail else ())),
        INPUTS: ", ".join(str(_made(tensors[at], named)) for at in cut.unread),
        CONSTANTS: "\n".join(line for op in cut.tail for line in _constants(op, tensors)),
    }


def _constants(op: FileOp, tensors: Sequence[FileTensor]) -> Iterator[str]:
    """Yield the lines of constant operands that the host needs as reals."""
    at = op.inputs[ANCHORS] if op.kind == DETECTION and len(op.inputs) > ANCHORS else -1
    held = tensors[at].data if at >= 0 else None
    if held is not None and held.ndim:
        if held.dtype.kind in "iu":
            if tensors[at].scale.size != 1:
                return  # the reals are not known: the host leaves the op undone
            zero = np.float32(tensors[at].zero_point[0] if tensors[at].zero_point.size else 0)
            with np.errstate(all="ignore"):
                held = (held.astype(np.float32) - zero) * tensors[at].scale
        yield constant_line(op.index, ANCHORS, held)


def _record(op: FileOp, tensors: Sequence[FileTensor], named: Callable[[int], str]) -> HostOp:
    shown = list(op.inputs)
    options = {}
    if op.kind in _AXIS_OPERAND and len(shown) == 2 and min(shown) >= 0:
        axis = _axis(tensors[shown.pop()].data, tensors[shown[0]])
        options["axis"] = "unknown" if axis is None else str(axis)
    elif op.kind in _WITHOUT_CONSTANTS:
        del shown[1:]
    elif op.kind == "CONCATENATION":
        axis = _axis(np.array(op.options["Axis"]), tensors[op.outputs[0]])
        options["axis"] = "unknown" if axis is None else str(axis)
    elif op.kind == "CAST" and shown[0] >= 0:
        options["from"] = tensors[shown[0]].dtype.replace(" ", "_")
    elif op.kind == DETECTION:
        options |= {name: str(op.options[name]) for name in OPTION_NAMES if name in op.options}
    elif op.kind == "SOFTMAX":
        options["beta"] = str(float(op.options["Beta"]))
    return HostOp(
        op.index, re.sub(r"[^A-Za-z0-9_ ]", "_", op.kind),
        tuple(_read(at, tensors, named) for at in shown),
        tuple(_made(tensors[at], named) for at in op.outputs if at >= 0), options,
    )  # fmt: skip


def _read(at: int, tensors: Sequence[FileTensor], named: Callable[[int], str]) -> str:
    if at < 0:
        return "-"
    tensor = tensors[at]
    if tensor.data is None:
        return named(at)
    if tensor.data.size <= _MAX_VALUES:
        return f"[{' '.join(map(str, tensor.data.ravel().tolist()))}]"
    return f"constant {tensor.dtype.replace(' ', '_')} {'x'.join(map(str, tensor.shape))}"


def _made(tensor: FileTensor, named: Callable[[int], str]) -> HostTensor:
    shape = tuple(max(n, 0) for n in tensor.shape)
    return HostTensor(named(tensor.index), tensor.dtype.replace(" ", "_"), shape)


def _axis(value: np.ndarray | None, tensor: FileTensor) -> int | None:
    """Return an axis as counted from the last one, None where it is none of the tensor."""
    rank = len(tensor.shape)
    if value is None or value.size != 1 or value.dtype.kind not in "iu":
        return None
    axis = int(value.item())
    return axis % rank - rank if -rank <= axis < rank else None
