"""Tensors that an engine's memory plan overwrites before their last reader.

LiteRT lets some ops write over what they read.  A RESHAPE shares the memory of what it reads, and
behind it the readers of the reshaped tensor alone are counted, so that an op may write over a
tensor that a later op still reads.  No rule gives such bits; with all tensors kept (the
interpreter's option ``experimental_preserve_all_tensors``) the engine gives those of the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set

from .reader import FileGraph, FileOp

_SHARING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def overwritten(graph: FileGraph, in_place: Set[int]) -> list[str]:
    """Return which tensors may be overwritten too early, a text each.

    Parameters
    ----------
    graph : FileGraph
    in_place : set of int
        Numbers of the ops whose kernels may write over what they read.
    """
    maker = {at: op for op in graph.ops for at in op.outputs}
    return [
        f"{graph.tensors[at].name}, which {op} may write over, before {reader} reads it"
        for place, op in enumerate(graph.ops)
        if op.index in in_place and op.outputs[0] not in graph.outputs
        for at in _shared(graph, op, maker, in_place)
        for reader in graph.ops[place + 1 :]
        if at in reader.inputs
    ]


def _shared(
    graph: FileGraph, op: FileOp, maker: Mapping[int, FileOp], in_place: Set[int]
) -> Iterator[int]:
    """Yield the tensors that share the memory which an op may write over."""
    size = math.prod(graph.tensors[op.outputs[0]].shape)
    for at in dict.fromkeys(op.inputs):
        if at < 0 or math.prod(graph.tensors[at].shape) != size:
            continue
        while at in maker and maker[at].kind in _SHARING:
            at = maker[at].inputs[0]
            if at in maker and (maker[at].index in in_place or maker[at].kind in _SHARING):
                yield at
