"""A .tflite file becomes a model: op by op, each by the rule of the contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...contracts import Contract, contract_named
from ...contracts.table import DEFAULT_CONTRACT
from ...errors import ImportFileError, ModelError
from ...host.host_ops import BOOL_OUTPUTS
from ...model.builder import Builder
from ...model.graph import Model
from ...support.arguments import checked
from ...support.quoting import short_repr, shown
from .file import wellformed
from .file.reader import FileGraph, FileOp, FileTensor, read
from .graph.batches import one_image
from .graph.dilated_convolutions import fold_dilations
from .graph.float_chains import FLOAT32_CHAIN, fold_float_chains
from .graph.float_islands import CutGraph, cut_float_ends
from .graph.host_records import host_records
from .graph.memory_hazards import memory_hazards
from .graph.model_names import ModelNames, identifier, op_label
from .graph.shape_arithmetic import COMPUTED, fold_shapes
from .handlers import indices
from .handlers.op_context import ConstantBudget, OpContext, inner, whole, zero_point
from .handlers.table import (
    HANDLERS,
    OF_BOOLS,
    OF_IMAGES,
    OF_MIXED_TYPES,
    OF_TWO_TYPES,
    WITH_BATCH,
)

_MAX_RANK = 6
_TRUTH = (np.arange(-128, 128) != 0).astype(np.int8)
"""Table of a lut: 0 and 1 of any byte."""
_HINTS = {
    "SHAPE": "; a file converted with a fixed batch of 1 does without",
}


@checked
def import_tflite(
    path: str | os.PathLike[str],
    contract: str = DEFAULT_CONTRACT,
    name: str | None = None,
    signature: str | None = None,
) -> Model:
    """Return the model of a .tflite file, with the arithmetic of a named engine.

    Float ops before the first QUANTIZE and after the last DEQUANTIZE are left out; the entries
    ``host_head`` and ``host_tail`` of the model's metadata have a line for each.

    Parameters
    ----------
    path : path
    contract : str
        See `intgold.contracts`.
    name : str, optional
        Of the model; by default that of the file.
    signature : str, optional
        Which one of the file names the subgraph that is imported; by default the only one of the
        file, or else the main subgraph.

    Raises
    ------
    ImportFileError
        Naming the op by number, and what is missing or wrong.
    """
    graph = read(path, signature)
    stem = identifier(name or Path(path).stem)
    chosen = contract_named(contract)
    try:
        return convert(graph, chosen, stem)
    except (ImportFileError, ModelError) as error:
        raise ImportFileError(f"{path}: {error}") from None


@dataclass(frozen=True, eq=False)
class ConvertedGraph:
    """A model beside the graph that it came from.

    Parameters
    ----------
    model : Model
    cut : CutGraph
        The integer part, without ops that compute shapes; what was left to the host.
    names : mapping of int to str
        The model's tensor for each tensor of the graph that it has.
    """

    __repr__ = short_repr

    model: Model
    cut: CutGraph
    names: Mapping[int, str]

    @property
    def inputs(self) -> dict[int, str]:
        """The model's input for each input of the integer part: as fed, bools as any bytes."""
        return dict(zip(self.cut.graph.inputs, self.model.inputs, strict=True))


def convert(graph: FileGraph, contract: Contract, name: str, *, geometry: bool = True) -> Model:
    """Return the model of a graph; see `convert_graph`."""
    return convert_graph(graph, contract, name, geometry=geometry).model


def convert_graph(
    graph: FileGraph, contract: Contract, name: str, *, geometry: bool = True
) -> ConvertedGraph:
    """Return the model of a graph; float ops before and after its integer ops are left out.

    Parameters
    ----------
    geometry : bool
        Refuse an op whose output has another shape than the graph says.
    """
    cut = cut_float_ends(fold_float_chains(graph))
    for op in cut.graph.ops:
        if op.kind not in HANDLERS and op.kind not in COMPUTED:
            raise _unknown(op)
    wellformed.check_graph(cut.graph)
    cut = replace(cut, graph=prepared(cut.graph, contract))
    importer = _GraphImporter(cut.graph, contract, name, cut.batch)
    for at in cut.graph.inputs:
        importer.add_input(cut.graph.tensors[at])
    for op in cut.graph.ops:
        importer.add_op(op, geometry=geometry)
    return importer.converted(cut, graph.outputs)


def prepared(graph: FileGraph, contract: Contract) -> FileGraph:
    """Return a well-formed graph as it is converted: of one image, shapes known, chains folded."""
    return fold_dilations(fold_shapes(one_image(graph), contract), contract)


def _unknown(op: FileOp) -> ImportFileError:
    return ImportFileError(f"{op}: this op is not known{_HINTS.get(op.kind, '')}")


class _GraphImporter:
    """A model that grows by the inputs and ops of a graph, in their order."""

    def __init__(self, graph: FileGraph, contract: Contract, name: str, batch: int) -> None:
        self._graph, self._contract, self._batch = graph, contract, batch
        self._builder = Builder(name, contract.name)
        self._labels = ModelNames([op_label(op) for op in graph.ops])
        self._names: dict[int, str] = {}  # in the model, of the tensors of the graph
        self._budget = ConstantBudget.of(graph.tensors)
        self._inexact: dict[str, str] = {}
        self._no_answer: list[str] = []
        self._in_place: set[int] = set()

    def add_input(self, tensor: FileTensor) -> None:
        """Add an input of the graph."""
        _check(tensor, f"input {tensor.name}", at_an_end=True)
        if -1 in tensor.shape_signature[1:]:
            raise ImportFileError(
                f"input {tensor.name}: shape {tensor.shape_signature} is not fixed; "
                "convert the file with a fixed shape"
            )
        name = self._builder.input(
            self._labels.new(tensor.name),
            inner(tensor),
            "int8",
            float(tensor.scale[0]) if tensor.scale.size else None,
            zero_point(tensor),
        )
        if tensor.dtype == "bool":  # ops read 0 and 1, whatever byte is fed
            made = self._labels.new(f"{name}_bool")
            name = self._builder.op("lut", name, name=made, table=_TRUTH)
        self._names[tensor.index] = name

    def add_op(self, op: FileOp, *, geometry: bool) -> None:
        """Add an op; its output has the shape that the graph says, if `geometry` is asked for."""
        made = [self._graph.tensors[at] for at in op.outputs]
        context = self._convert(op, made)
        self._no_answer += context.notes
        if context.rule.inexact:
            self._inexact[op.kind] = context.rule.inexact
        if (f"{op.kind} declined" if context.declined else op.kind) in self._contract.in_place:
            self._in_place.add(op.index)
        for y in made if geometry else ():
            shape = self._builder.tensor(self._names[y.index]).shape
            expected = indices.indices_shape(y) if op.kind in wellformed.INDEX_OPS else inner(y)
            if shape != expected:
                raise ImportFileError(
                    f"{op}: output {y.name} has shape {expected}; it produces {shape}"
                )

    def _convert(self, op: FileOp, made: list[FileTensor]) -> OpContext:
        """Run the handler of an op; return its context, with the rule that it went by."""
        if op.kind not in HANDLERS:
            raise _unknown(op)
        for y in made:
            self._check_operands(op, y)
        y = made[0]
        tensors, contract = self._graph.tensors, self._contract
        of = tensors[op.inputs[0]].dtype
        if op.kind in OF_TWO_TYPES:
            dtype, needed = of, [of, y.dtype]
        else:  # QUANTIZE may have two types, and so do bools; SPLIT has the axis first
            dtype = next((d for d in ("int8", "uint8") if d in (of, y.dtype)), y.dtype)
            needed = [dtype]
        refusal = next(filter(None, (contract.refusal(op.kind, each) for each in needed)), "")
        rule = contract.rule(op.kind, dtype)
        if rule is None or refusal:
            raise ImportFileError(f"{op}: {contract.engine}: {refusal}")
        for part in op.options["ops"] if op.kind == FLOAT32_CHAIN else ():
            if f"{part.kind} float32" in contract.unsupported:
                raise ImportFileError(f"{op}: {contract.engine}: no kernel for {part} on float32")
        context = OpContext(
            op, rule, tensors, self._builder, self._names, op_label(op),
            tuple(self._labels.new(y.name) for y in made), self._budget, batch=self._batch,
        )  # fmt: skip
        try:
            with np.errstate(all="ignore"):  # what leaves float32 is refused below
                HANDLERS[op.kind](context)
        except (ModelError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Numbers of a damaged file: a scale that is next to nothing, an empty constant.
            raise ImportFileError(f"{op}: {error}") from None
        self._names.update({y.index: name for y, name in zip(made, context.outputs, strict=True)})
        return context

    def _check_operands(self, op: FileOp, y: FileTensor) -> None:
        tensors, names = self._graph.tensors, self._names
        if op.kind in wellformed.INDEX_OPS:
            _check_index(op, y)
        else:
            _check(y, f"{op}: output {y.name}", at_an_end=y.index in self._graph.outputs)
        if y.index in names:
            raise ImportFileError(f"{op}: output {y.name} exists already")
        for at in (*op.inputs, y.index) if op.kind in WITH_BATCH else ():
            if (at in names or at == y.index) and whole(tensors[at]):
                raise ImportFileError(f"{op}: tensor {tensors[at].name} has no batch of 1 first")
        for at in (*op.inputs, y.index) if op.kind in OF_IMAGES else ():
            if at == y.index or at in names:
                _check_rank(op, tensors[at])
        for at in (at for at in op.inputs if at >= 0):
            if tensors[at].data is None and at not in names:
                raise ImportFileError(f"{op}: input {tensors[at].name} is not made before it")
            _check_zero_points(op, tensors[at])
            dtypes = {tensors[at].dtype, y.dtype}
            if at in names and "bool" in dtypes and op.kind not in OF_BOOLS:
                raise ImportFileError(f"{op}: tensor of bools; it is read on int8 and uint8")
            if at in names and len(dtypes) > 1 and op.kind not in OF_MIXED_TYPES:
                raise ImportFileError(f"{op}: {tensors[at].dtype} to {y.dtype}; one type is read")

    def converted(self, cut: CutGraph, file_outputs: tuple[int, ...]) -> ConvertedGraph:
        """Return the model with the outputs of the graph, and what is said of it.

        Parameters
        ----------
        cut : CutGraph
            The graph, and what was left out of the file.
        file_outputs : tuple of int
            Of the file.
        """
        graph, outputs = self._graph, []
        if not graph.outputs:
            raise ImportFileError("no output")
        for at in graph.outputs:
            if at not in self._names or at in graph.inputs:
                why = "an input of the file" if at in graph.inputs else "not made by an op"
                raise ImportFileError(f"output {graph.tensors[at].name} is {why}")
            outputs.append(self._names[at])
        model = self._builder.model(*outputs, metadata=self._metadata(cut, file_outputs))
        return ConvertedGraph(model, cut, dict(self._names))

    def _metadata(self, cut: CutGraph, file_outputs: tuple[int, ...]) -> dict[str, str]:
        tensors, contract = self._graph.tensors, self._contract
        tail = (op for op in cut.tail if op.inputs)
        as_in_file = replace(
            self._graph, ops=(*self._graph.ops, *tail), outputs=file_outputs
        )  # an engine keeps no other outputs
        unsigned, bools = (
            any(t.dtype == dtype and t.data is None for t in tensors) for dtype in ("uint8", "bool")
        )
        found = {
            "engine": f"{contract.engine}, {contract.version}",
            "inexact": "; ".join(f"{kind}: {why}" for kind, why in self._inexact.items()),
            "no_answer": "; ".join(self._no_answer),
            "overwritten": "; ".join(memory_hazards(as_in_file, self._in_place)),
            "signature": _signature(self._graph),
            "uint8": "stored as x ^ 0x80" if unsigned else "",
            "bool": "stored as 0 and 1" if bools else "",
            BOOL_OUTPUTS: ", ".join(
                self._names[at] for at in self._graph.outputs if tensors[at].dtype == "bool"
            ),
            **host_records(cut, file_outputs, dict(self._names), self._labels.new),
        }
        return {key: text for key, text in found.items() if text}


def _check(tensor: FileTensor, what: str, *, at_an_end: bool) -> None:
    """Refuse a tensor that is not of int8, uint8 or bool, of one scale, for one image.

    Inputs and outputs of the file have a batch first, which is 1.
    """
    if tensor.dtype not in ("int8", "uint8", "bool"):
        raise ImportFileError(f"{what} is {tensor.dtype}; int8, uint8 and bool are read")
    if tensor.scale.size and not (
        tensor.scale.size == 1 and 0 < float(tensor.scale[0]) < float("inf")
    ):
        raise ImportFileError(f"{what}: no scale for the whole tensor")
    if tensor.zero_point.size > 1 or not -128 <= zero_point(tensor) <= 127:
        raise ImportFileError(
            f"{what}: {tensor.zero_point.size} zero points, the first {tensor.zero_point[0]}"
        )
    if min(tensor.shape, default=1) < 1:
        raise ImportFileError(f"{what}: shape {tensor.shape} is not fixed")
    if not 1 <= len(tensor.shape) <= _MAX_RANK or (at_an_end and whole(tensor)):
        raise ImportFileError(
            f"{what}: shape {tensor.shape}; a batch of 1 first, at most {_MAX_RANK} dimensions"
        )


def _check_zero_points(op: FileOp, tensor: FileTensor) -> None:
    """Refuse a constant with a zero point that its type does not hold."""
    if tensor.data is None or tensor.dtype not in ("int8", "uint8"):
        return
    ends = np.iinfo(tensor.dtype)
    beyond = tensor.zero_point[(tensor.zero_point < ends.min) | (tensor.zero_point > ends.max)]
    if beyond.size:
        raise ImportFileError(
            f"{op}: constant {tensor.name} has the zero point {beyond[0]}, beyond {tensor.dtype}"
        )


def _check_index(op: FileOp, tensor: FileTensor) -> None:
    """Refuse an output that is not of int32 or int64, of one index or more."""
    if tensor.dtype not in ("int32", "int64"):
        raise ImportFileError(
            f"{op}: output {tensor.name} is {tensor.dtype}; int32 and int64 are read"
        )
    if tensor.scale.size:
        raise ImportFileError(f"{op}: output {tensor.name} has a scale, and is an index")
    if min(tensor.shape, default=1) < 1 or len(tensor.shape) >= _MAX_RANK:
        raise ImportFileError(f"{op}: output {tensor.name}: shape {tensor.shape}")


def _check_rank(op: FileOp, tensor: FileTensor) -> None:
    most = 3 if whole(tensor) else 4
    if len(tensor.shape) > most:
        raise ImportFileError(
            f"{op}: tensor {tensor.name} of shape {tensor.shape}; {most} dimensions are read"
        )


def _signature(graph: FileGraph) -> str:
    """Return which signature and subgraph a graph is of, where there are others."""
    if len(graph.signatures) < 2 and not graph.subgraph:
        return ""
    own = "none" if graph.signature is None else shown(graph.signature)
    others = f", of {', '.join(map(shown, graph.signatures))}" * (len(graph.signatures) > 1)
    return f"{own}{others}" + f"; subgraph {graph.subgraph}" * (graph.subgraph > 0)
