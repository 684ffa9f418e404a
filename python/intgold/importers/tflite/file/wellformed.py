"""What every op, input and output of a file must be before anything else looks at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ....errors import ImportFileError
from .reader import MAX_TABLES, FileGraph, FileOp

_ONE, _TWO = (1, 1), (2, 2)
_ANY = (1, MAX_TABLES)
ARITIES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), (2, 3)),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MEAN", "SUM", "EXPAND_DIMS", "PAD", "MAXIMUM",
                     "MINIMUM", "RESIZE_BILINEAR",
                     "PRELU", "SQUARED_DIFFERENCE", "DIV", "FLOOR_DIV", "FLOOR_MOD", "EQUAL",
                     "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "LOGICAL_AND",
                     "LOGICAL_OR", "BATCH_MATMUL"), _TWO),
    **dict.fromkeys(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D", "SOFTMAX", "LOG_SOFTMAX", "SQUEEZE", "QUANTIZE",
         "CAST", "RELU", "RELU_N1_TO_1", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "GELU", "ELU",
         "HARD_SWISH", "ABS", "SQRT", "RSQRT", "EXP", "LOG", "LOGICAL_NOT", "FLOAT32_CHAIN"),
        _ONE,
    ),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), _TWO),
    "TRANSPOSE_CONV": (3, 4), "RESHAPE": (1, 2), "PADV2": (3, 3), "CONCATENATION": _ANY,
    "SHAPE": _ONE, "STRIDED_SLICE": (4, 4), "REDUCE_PROD": _TWO, "PACK": _ANY, "UNPACK": _ONE,
    **dict.fromkeys(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), _ONE),
    **dict.fromkeys(
        ("GATHER", "GATHER_ND", "TRANSPOSE", "TILE", "BROADCAST_TO", "MIRROR_PAD", "REVERSE_V2",
         "RESIZE_NEAREST_NEIGHBOR", "REDUCE_MAX", "REDUCE_MIN", "SPLIT"),
        _TWO,
    ),
    **dict.fromkeys(("SLICE", "SPLIT_V", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND",
                     "SELECT", "SELECT_V2"), (3, 3)),
}  # fmt: skip
"""How many inputs each op has at least and at most.

Those beyond the minimum may be left out, by a shorter list or by -1: a bias, the shape of a
RESHAPE.
"""

INDEX_OPS = frozenset(("ARG_MAX", "ARG_MIN"))
"""Ops of int8 or uint8 whose output is an index, of int32 or int64 and without a scale."""
_SEVERAL = frozenset(("SPLIT", "SPLIT_V", "UNPACK"))
"""Ops that may have several outputs."""


def check_graph(graph: FileGraph) -> None:
    """Refuse what the schema's tables can hold but no network has.

    Raises
    ------
    ImportFileError
        Naming an op with a wrong number of inputs or outputs, or without one that it needs; a
        tensor that is an input or output of the file more than once, has data and is an input or
        made by an op, or keeps its values from one run to the next.
    """
    for at in graph.inputs:
        _check_tensor(graph, at, "input", made=True)
    for what, ends in (("input", graph.inputs), ("output", graph.outputs)):
        for at, times in Counter(ends).items():
            if times > 1:
                raise ImportFileError(f"{what} {graph.tensors[at].name} is listed {times} times")
    for op in graph.ops:
        _check_arity(op)
        for at in op.inputs:
            if at >= 0:
                _check_tensor(graph, at, f"{op}: input", made=False)
        for at in op.outputs:
            _check_tensor(graph, at, f"{op}: output", made=True)


def _check_arity(op: FileOp) -> None:
    fewest, most = ARITIES[op.kind]
    if len(op.outputs) != 1 and not (op.outputs and op.kind in _SEVERAL):
        raise ImportFileError(f"{op}: outputs: {len(op.outputs)} instead of 1")
    if not fewest <= len(op.inputs) <= most:
        expected = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise ImportFileError(f"{op}: inputs: {len(op.inputs)} instead of {expected}")
    if min(op.outputs) < 0:
        raise ImportFileError(f"{op}: its output is missing")
    needed = len(op.inputs) if most == MAX_TABLES else fewest
    for i, at in enumerate(op.inputs[:needed]):
        if at < 0:
            raise ImportFileError(f"{op}: input {i} is missing")


def _check_tensor(graph: FileGraph, at: int, what: str, *, made: bool) -> None:
    tensor = graph.tensors[at]
    if tensor.variable:
        raise ImportFileError(
            f"{what} {tensor.name} is a variable tensor, which keeps its values between runs"
        )
    if made and tensor.data is not None:
        raise ImportFileError(f"{what} {tensor.name} has data in the file: a constant")
