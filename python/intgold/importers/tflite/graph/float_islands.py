"""Cuts a file where floats become integers and back: its head and tail are left to the host.

A converter that keeps float inputs and outputs puts a QUANTIZE before the integer ops and a
DEQUANTIZE after them; there may be more ops on the float side of each.  What is between is the
model.  Floats between two integer ops are no head or tail, and are refused.  What depends on an
index that the host finds, as after an ARG_MAX, is a tail as well, integer or not, up to a layer;
so is a TOPK_V2 with all that depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from ....errors import ImportFileError
from ....support.quoting import short_repr
from ..file.reader import FileGraph, FileOp
from ..file.wellformed import INDEX_OPS
from .batches import images_at_once

_FLOATS = frozenset({"float32", "type 1", "type 10"})  # the last are float16 and float64
_BYTES = frozenset({"int8", "uint8"})

_SORTS = frozenset({"TOPK_V2"})
"""Ops that find indices, and stay on the host themselves."""
_LAYERS = re.compile(
    "CONV_2D|CONV_3D|DEPTHWISE_CONV_2D|TRANSPOSE_CONV|FULLY_CONNECTED|BATCH_MATMUL|SVDF|.*(RNN|LSTM)"
)
"""Ops that no post-processing has: what they read is not left to the host."""


class _Place(IntEnum):
    """Where a tensor or an op is; data goes from a lower place to a higher one only."""

    HEAD = 0
    CORE = 1
    TAIL = 2


@dataclass(frozen=True, eq=False)
class CutGraph:
    """The integer part of a file, and the ops that are left to the host.

    Parameters
    ----------
    graph : FileGraph
        Its inputs are those of the file that are integers, and what a QUANTIZE produces from
        floats; its outputs are what a DEQUANTIZE or another op of the tail reads, each once.
    head, tail : tuple of FileOp
        QUANTIZE and DEQUANTIZE among them.
    unread : tuple of int
        Inputs of the file on which no integer depends.
    batch : int
        Images that the file takes at once.
    """

    __repr__ = short_repr

    graph: FileGraph
    head: tuple[FileOp, ...] = ()
    tail: tuple[FileOp, ...] = ()
    unread: tuple[int, ...] = ()
    batch: int = 1


def cut_float_ends(graph: FileGraph) -> CutGraph:
    """Return a file as its integer part, its head and its tail.

    Raises
    ------
    ImportFileError
        When no op computes on int8 or uint8; when floats stand between integer ops, naming the
        first op to blame and where they begin and end; when a constant is quantised.
    """
    cutter = _Cutter(graph)
    for op in graph.ops:
        cutter.add(op)
    return cutter.cut()


class _Cutter:
    """A graph that is walked op by op, each put in its place."""

    def __init__(self, graph: FileGraph) -> None:
        self._graph, self._tensors = graph, graph.tensors
        self._place: dict[int, _Place] = dict.fromkeys(graph.inputs, _Place.HEAD)
        """Of each tensor but constants, and what is computed of constants only."""
        self._maker: dict[int, FileOp] = {}
        self._ops: dict[_Place, list[FileOp]] = {place: [] for place in _Place}
        self._of_an_index: set[int] = set()  # tensors of the tail
        self._of_constants: list[FileOp] = []
        self._quantised: list[int] = []  # what a QUANTIZE produces from the head
        self._indices: set[int] = set()  # what only the host may read
        self._as_integers: dict[int, int] = {}
        """Of floats that a QUANTIZE reads: what the first one produces."""
        for op in graph.ops:
            if self._is_quantize(op):
                self._as_integers.setdefault(op.inputs[0], op.outputs[0])

    def add(self, op: FileOp) -> None:
        """Put an op in its place."""
        read = {self._place[at] for at in op.inputs if at in self._place}
        of_floats = self._reads_or_makes_floats(op)
        place = self._float_op(op, read) if of_floats else self._other(op, read)
        if place is not _Place.CORE and min(op.outputs, default=-1) < 0:
            raise ImportFileError(f"{op}: an output is missing")
        for at in op.outputs:
            self._maker[at] = op
        if place is None:
            self._of_constants.append(op)
            return
        self._ops[place].append(op)
        if place is _Place.HEAD and self._is_quantize(op):
            place = _Place.CORE
            self._quantised += op.outputs
        if place is _Place.CORE and op.kind in INDEX_OPS:
            place = _Place.TAIL
            self._indices.update(op.outputs)
        if place is _Place.TAIL and self._depends_on_an_index(op):
            self._of_an_index.update(op.outputs)
        self._place.update(dict.fromkeys(op.outputs, place))

    def _float_op(self, op: FileOp, read: set[_Place]) -> _Place | None:
        if self._is_quantize(op) and not read:
            x = self._tensors[op.inputs[0]]
            if x.data is None and x.index not in self._maker:
                raise ImportFileError(f"{op}: input {x.name} is not made before it")
            raise ImportFileError(f"{op}: quantises a constant; a head begins at an input")
        if not read:
            return None
        if max(read) > _Place.HEAD:
            return _Place.TAIL
        # Converters compute the shape of a RESHAPE of integers from the float input of the file:
        # the integers have it as well.
        shape_of_both = op.kind == "SHAPE" and self._as_integers.get(op.inputs[0])
        return _Place.CORE if shape_of_both else _Place.HEAD

    def _other(self, op: FileOp, read: set[_Place]) -> _Place:
        makes_bytes = any(self._dtype(at) in _BYTES for at in op.outputs)
        if op.kind in _SORTS and _Place.CORE in read:
            return _Place.TAIL
        if _Place.TAIL in read:
            after = self._depends_on_an_index(op) and not _LAYERS.fullmatch(op.kind)
            if makes_bytes and not after:
                raise self._in_the_middle(op)
            return _Place.TAIL
        known = min(op.outputs, default=-1) >= 0  # without an output it is refused later, by number
        if op.kind == "CAST" and known and not makes_bytes and self._reads_integers(op):
            return _Place.TAIL
        on_head = any(self._place.get(at) is _Place.HEAD and at in self._maker for at in op.inputs)
        return _Place.HEAD if on_head and not makes_bytes else _Place.CORE

    def _reads_integers(self, op: FileOp) -> bool:
        """Return whether an op reads an integer of the model: an input of the file is one."""
        return any(
            self._place.get(at) is _Place.CORE
            or (at in self._graph.inputs and self._dtype(at) in (*_BYTES, "bool"))
            for at in op.inputs
        )

    def _depends_on_an_index(self, op: FileOp) -> bool:
        return op.kind in INDEX_OPS | _SORTS or not self._of_an_index.isdisjoint(op.inputs)

    def _dtype(self, at: int) -> str:
        return self._tensors[at].dtype if at >= 0 else ""

    def _reads_or_makes_floats(self, op: FileOp) -> bool:
        return any(self._dtype(at) in _FLOATS for at in (*op.inputs, *op.outputs))

    def _is_quantize(self, op: FileOp) -> bool:
        """Return whether an op turns floats into integers by a scale."""
        return (
            op.kind == "QUANTIZE"
            and len(op.inputs) == len(op.outputs) == 1
            and self._dtype(op.inputs[0]) in _FLOATS
            and self._dtype(op.outputs[0]) not in _FLOATS
        )

    def _in_the_middle(self, reader: FileOp) -> ImportFileError:
        """Return the error of an integer op that reads what the host produces."""
        last = [self._maker[at] for at in reader.inputs if self._place.get(at) is _Place.TAIL]
        island = self._reached(at for op in last for at in op.outputs)
        found = sorted({op.index: op for op in island}.values(), key=lambda op: op.index)
        if not self._indices.isdisjoint(reader.inputs):  # the model has no op on indices
            return ImportFileError(f"{reader}: it reads the index that {last[0]} produces")
        blamed = [op for op in found if op.kind not in ("QUANTIZE", "DEQUANTIZE")]
        op = (blamed or last)[0]
        what = "float" if self._reads_or_makes_floats(op) else "left to the host"
        return ImportFileError(
            f"{op}: {what} in the middle of the file: from {found[0]} to {last[0]}, whose result "
            f"{reader} reads; only a float head or tail is cut off"
        )

    def _reached(self, tensors: Iterable[int]) -> list[FileOp]:
        """Return the ops of the tail that these tensors of the tail come from."""
        waiting, seen, found = list(tensors), set[int](), []
        while waiting:
            at = waiting.pop()
            if at in seen | self._indices or self._place.get(at) is not _Place.TAIL:
                continue
            seen.add(at)
            found.append(self._maker[at])
            waiting += self._maker[at].inputs
        return found

    def cut(self) -> CutGraph:
        """Return what was found."""
        head, core, tail = (self._ops[place] for place in _Place)
        if not (head or tail or self._of_constants):
            return CutGraph(self._graph, batch=images_at_once(self._graph))
        if not any(self._dtype(at) in _BYTES for op in core for at in (*op.inputs, *op.outputs)):
            raise ImportFileError(
                f"float throughout: no op of {len(self._graph.ops)}, the first {self._graph.ops[0]}"
                ", computes on int8 or uint8; convert the network with full integer quantisation, "
                "which takes a representative data set"
            )
        core = [
            replace(op, inputs=tuple(self._as_integers.get(at, at) for at in op.inputs))
            for op in core
        ]
        inputs, unread = self._inputs(core, head)
        graph = replace(
            self._graph, ops=tuple(core), inputs=inputs, outputs=self._outputs(set(inputs))
        )
        of_tail = {at for op in (*tail, *self._of_constants) for at in op.inputs} - {
            at for op in head for at in op.inputs
        }
        for op in self._of_constants:
            (head if of_tail.isdisjoint(op.outputs) else tail).append(op)
        for ops in (head, tail):
            ops.sort(key=lambda op: op.index)
        return CutGraph(graph, tuple(head), tuple(tail), unread, images_at_once(graph))

    def _inputs(
        self, core: list[FileOp], head: list[FileOp]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the inputs of the integer part in the order of the file, and those left out."""
        read_by_core = {at for op in core for at in op.inputs}
        read_by_host = {at for op in self._graph.ops for at in op.inputs} - read_by_core
        first = {at: place for place, at in enumerate(self._graph.inputs)}
        for op in head:
            source = min((first[at] for at in op.inputs if at in first), default=None)
            if source is not None:
                for at in op.outputs:
                    first.setdefault(at, source)
        made_at: dict[int, list[int]] = {}
        for at in dict.fromkeys(self._quantised):
            made_at.setdefault(first.get(at, 0), []).append(at)
        needed = self._needed(head)
        inputs: list[int] = []
        unread: list[int] = []
        for place, at in enumerate(self._graph.inputs):
            if self._dtype(at) not in _FLOATS and (at in read_by_core or at not in read_by_host):
                inputs.append(at)
            elif at not in needed:
                unread.append(at)
            inputs += made_at.get(place, [])
        return tuple(inputs), tuple(unread)

    def _needed(self, head: list[FileOp]) -> set[int]:
        """Return the tensors of the head that a QUANTIZE depends on."""
        needed = set(self._quantised)
        for op in reversed(head):
            if not needed.isdisjoint(op.outputs):
                needed.update(op.inputs)
        return needed

    def _outputs(self, inputs: set[int]) -> tuple[int, ...]:
        """Return the integers that the outputs of the file are or depend on, in their order."""
        found: dict[int, None] = {}
        seen: set[int] = set()
        for output in self._graph.outputs:
            waiting = [output]
            while waiting:
                at = waiting.pop()
                if at in seen:
                    continue
                seen.add(at)
                if at in self._indices:
                    found[at] = None
                elif self._place.get(at) is _Place.TAIL:
                    waiting += reversed(self._maker[at].inputs)
                elif self._place.get(at) is _Place.CORE and (at == output or at not in inputs):
                    found[at] = None
        return tuple(found)
