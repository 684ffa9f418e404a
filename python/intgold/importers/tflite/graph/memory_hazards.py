"""Tensors that an engine's memory plan overwrites before their last reader.

LiteRT lets some ops write over what they read where nothing else reads it.  A RESHAPE shares the
memory of what it reads; where that came to share memory as well, only the readers of the reshaped
tensor are counted, so that an op may write over a tensor that a later op still reads.  No rule
gives such bits.  With all tensors kept (the interpreter's option
``experimental_preserve_all_tensors``) the engine gives those of the model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from ..file.reader import FileGraph, FileOp

_SHARING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def memory_hazards(graph: FileGraph, in_place: AbstractSet[int]) -> list[str]:
    """Return which tensors may be overwritten too early, a text each.

    Parameters
    ----------
    graph : FileGraph
    in_place : set of int
        Numbers of the ops whose kernels may write over what they read.
    """
    roots, maker = _roots(graph), {at: op for op in graph.ops for at in op.outputs}
    uses = Counter(at for op in graph.ops for at in op.inputs)
    found = []
    for place, op in enumerate(graph.ops):
        if op.index not in in_place or op.outputs[0] in graph.outputs:
            continue
        size = math.prod(graph.tensors[op.outputs[0]].shape)
        sharers = {
            at
            for at in op.inputs
            if uses[at] == 1 and math.prod(graph.tensors[at].shape) == size
            if _shares_twice(at, maker, in_place)
        }
        for reader in graph.ops[place + 1 :]:
            found += [
                f"{graph.tensors[at].name}, which {op} may write over, before {reader} reads it"
                for at in dict.fromkeys(reader.inputs)
                if any(roots.get(at) == roots[own] for own in sharers)
            ]
    return found


def _shares_twice(at: int, maker: Mapping[int, FileOp], in_place: AbstractSet[int]) -> bool:
    """Return whether a tensor shares the memory of one that shares or took over another's."""
    if at not in maker or maker[at].kind not in _SHARING:
        return False
    source = maker.get(maker[at].inputs[0])
    return source is not None and (source.kind in _SHARING or source.index in in_place)


def _roots(graph: FileGraph) -> dict[int, int]:
    """Return for each tensor that ops make the one whose memory it shares."""
    roots: dict[int, int] = {}
    for op in graph.ops:
        for at in op.outputs:
            roots[at] = roots.get(op.inputs[0], at) if op.kind in _SHARING else at
    return roots
