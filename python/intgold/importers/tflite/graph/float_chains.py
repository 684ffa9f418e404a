"""Folds floats of one integer between two integer ops: each such island is a table.

A converter leaves an op in float for which there is no integer kernel, as NEG, between a DEQUANTIZE
and a QUANTIZE.  Where each float depends on one value of the same place, the whole is a function
of 256 values, and so it is of a bool that a CAST makes a float.
"""

from __future__ import annotations

from dataclasses import replace

from ..file.reader import FileGraph, FileOp
from ..formulas.float32_ops import FLOAT32_OPS

FLOAT32_CHAIN = "FLOAT32_CHAIN"
"""Name of a folded island among the ops of a graph; its option `ops` are those of the file."""
_FROM = {"int8": "DEQUANTIZE", "uint8": "DEQUANTIZE", "bool": "CAST"}
_FROM_INTEGERS = frozenset(_FROM.values())
_TYPES = (("int8", "int8"), ("uint8", "uint8"), ("bool", "int8"), ("bool", "uint8"))
"""Of an island's input and output."""
_MOST_OPS = 64
"""In one island: deeper ones are left as they are."""


def fold_float_chains(graph: FileGraph) -> FileGraph:
    """Return a graph whose islands of one integer are one op each, in the QUANTIZE's place.

    Float ops that nothing reads any more are left out.
    """
    makers = {at: op for op in graph.ops for at in op.outputs}
    folded = {op.index: made for op in graph.ops if (made := _folded(op, graph, makers))}
    if not folded:
        return graph
    ops = [folded.get(op.index, op) for op in graph.ops]
    inside = {op.index for made in folded.values() for op in made.options["ops"]}
    read = {*graph.outputs, *(at for op in ops if op.index not in inside for at in op.inputs)}
    kept = []
    for op in reversed(ops):
        if op.index in inside and op.kind != FLOAT32_CHAIN and read.isdisjoint(op.outputs):
            continue
        read.update(op.inputs)
        kept.append(op)
    return replace(graph, ops=tuple(reversed(kept)))


def _folded(quantize: FileOp, graph: FileGraph, makers: dict[int, FileOp]) -> FileOp | None:
    """Return the op that an island up to this QUANTIZE becomes; None where it is none."""
    if quantize.kind != "QUANTIZE" or (len(quantize.inputs), len(quantize.outputs)) != (1, 1):
        return None
    y = graph.tensors[quantize.outputs[0]]
    inside: dict[int, FileOp] = {}
    sources: set[int] = set()
    waiting = [(quantize.inputs[0], quantize.index)]
    while waiting:
        at, reader = waiting.pop()
        tensor, op = graph.tensors[at], makers.get(at)
        if at < 0 or tensor.dtype != "float32" or len(inside) > _MOST_OPS:
            return None
        if op is None:
            if tensor.data is None or tensor.data.size != 1 or len(tensor.shape) > len(y.shape):
                return None
            continue
        if op.index >= reader or tensor.shape != y.shape or len(op.outputs) != 1:
            return None
        if op.index in inside:
            continue
        inside[op.index] = op
        if op.kind in _FROM_INTEGERS and len(op.inputs) == 1:
            sources.add(op.inputs[0])
        elif op.kind in FLOAT32_OPS and len(op.inputs) == FLOAT32_OPS[op.kind].inputs:
            waiting += [(i, op.index) for i in op.inputs]
        else:
            return None
    if len(sources) != 1 or min(sources) < 0:
        return None
    (x,) = (graph.tensors[at] for at in sources)
    if x.data is not None or x.shape != y.shape or (x.dtype, y.dtype) not in _TYPES:
        return None
    ops = tuple(inside[i] for i in sorted(inside))
    if any(op.kind != _FROM[x.dtype] for op in ops if op.kind in _FROM_INTEGERS):
        return None
    return FileOp(quantize.index, FLOAT32_CHAIN, (x.index,), quantize.outputs, {"ops": ops})
