"""A file on its real engine and as a model: every tensor compared, bit by bit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ...contracts.table import Contract
from ...errors import EngineError, ImportFileError
from ...importers.tflite.convert import ConvertedGraph, convert_graph
from ...importers.tflite.file.reader import FileGraph, parse
from ...support.progress import Progress
from ...support.quoting import short_repr, shown
from ...support.safe_files import read_plain
from ...support.text_table import columns
from .engine_answers import Answer, EngineRequest, answer_as_int8, engine_answers
from .file_stimulus import FileStimulus, file_stimulus, integers_of
from .real_engines import PACKAGES

_BLOCK_VALUES = 2**25
"""Values of a trace that are held at once."""
_MAX_BYTES = 2**31
_LISTED = 12
"""Outputs that a line names."""


@dataclass
class TensorCheck:
    """How many values of a tensor were compared with an engine, and how many differ.

    Parameters
    ----------
    op : str
        What produces it, such as ``op 3 (CONV_2D)``, or that it is an output.
    tensor : str
        Its name in the model.
    values, differing : int
    """

    op: str
    tensor: str
    values: int = 0
    differing: int = 0


@dataclass(frozen=True, eq=False)
class EngineCheck:
    """What a check found.

    Parameters
    ----------
    contract : str
    engine : str
        Package and version; the version that the contract was compared with.
    images : int
    overwritten : str
        Tensors that the engine may overwrite too early unless it keeps all: outputs that differ
        may be due to it; see `intgold.importers.tflite.graph.memory_hazards`.
    tensors : list of TensorCheck
        Of a run that keeps all tensors, in the order of the file; then outputs of a plain run.
    not_compared : list of str
        Outputs of the file that the host computes after the model, by more than a DEQUANTIZE.
    """

    contract: str
    engine: str
    images: int
    overwritten: str = ""
    tensors: list[TensorCheck] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)

    __repr__ = short_repr

    @property
    def differing(self) -> int:
        """How many values differ."""
        return sum(t.differing for t in self.tensors)

    def __str__(self) -> str:
        head = ("op", "tensor", "values", "differing")
        rows = [(t.op, t.tensor, f"{t.values:,}", f"{t.differing:,}") for t in self.tensors]
        lines = columns([head, *rows], left=(0, 1))
        values = sum(t.values for t in self.tensors)
        lines.append(
            f"{self.images} images on {self.engine}, as {self.contract}: {values:,} values "
            f"compared, {self.differing:,} differ"
        )
        if self.not_compared:
            names = ", ".join(self.not_compared[:_LISTED])
            more = f" and {len(self.not_compared) - _LISTED} more"
            names += more * (len(self.not_compared) > _LISTED)
            lines.append(f"outputs not compared, since the host computes them: {names}")
        if self.overwritten:
            lines.append(f"the engine may overwrite a tensor too early: {self.overwritten}")
        return "\n".join(lines)


def check_file(
    path: str | os.PathLike[str],
    contract: Contract,
    count: int,
    *,
    signature: str | None = None,
    progress: bool = False,
) -> EngineCheck:
    """Run a file on the engine of a contract and as a model; compare every tensor.

    Parameters
    ----------
    path : path
        A .tflite file.
    contract : Contract
    count : int
        Images: corners first, then random ones.
    signature : str, optional
        Of the main subgraph: engines run no other.
    progress : bool

    Raises
    ------
    ImportFileError
        When the file is not imported.
    EngineError
        When the engine is not installed where this runs, or refuses the file; when the signature
        is that of another subgraph.
    """
    engine = installed_engine(contract)
    data = read_plain(path, _MAX_BYTES)
    try:
        graph = parse(data, signature)
        if graph.subgraph:
            raise EngineError(
                f"{path}: signature {shown(graph.signature)} names subgraph {graph.subgraph}; "
                "engines are run on the main one, 0"
            )
        converted = convert_graph(graph, contract, "checked")
    except ImportFileError as error:
        raise ImportFileError(f"{path}: {error}") from None
    given = file_stimulus(graph, converted.cut, count)
    early = converted.model.metadata.get("overwritten", "")
    found = EngineCheck(contract.name, engine, given.images, early)
    found.not_compared.extend(
        graph.tensors[at].name
        for at in graph.outputs
        if _integers_of_output(graph, converted, at) is None
    )
    by_name: dict[tuple[str, str], TensorCheck] = {}
    step = max(1, _BLOCK_VALUES // converted.model.ports.span)
    blocks = list(given.blocks(step))
    for block in Progress(blocks, unit="block", label="check", show=progress and len(blocks) > 1):
        asked = asked_of(data, graph, converted, block)
        answer = engine_answers(sys.executable, contract.name, {"file": asked})["file"]
        if isinstance(answer, str):
            raise EngineError(f"{path}: {engine} refuses it: {answer}")
        run = converted.model.run(integer_inputs(converted, block, answer), backend="c", trace=True)
        for tensor in tensor_checks(graph, converted, block, answer, run.tensors):
            total = by_name.setdefault(
                (tensor.op, tensor.tensor), TensorCheck(tensor.op, tensor.tensor)
            )
            total.values += tensor.values
            total.differing += tensor.differing
    found.tensors.extend(by_name.values())
    return found


def installed_engine(contract: Contract) -> str:
    """Return the package of a contract's engine and its version.

    The version that the contract was compared with stands beside it.

    Raises
    ------
    EngineError
        When no package brings the engine, or it is not installed where this runs.
    """
    if contract.name not in PACKAGES:
        raise EngineError(
            f"no package brings the engine of contract {contract.name}; those of "
            f"{', '.join(PACKAGES)} can be run"
        )
    package = PACKAGES[contract.name]
    try:
        return f"{package} {version(package)} (contract: {contract.version})"
    except PackageNotFoundError:
        raise EngineError(
            f"contract {contract.name}: the package {package} is not installed: "
            f"pip install {package}"
        ) from None


def asked_of(
    data: bytes, graph: FileGraph, converted: ConvertedGraph, given: FileStimulus
) -> EngineRequest:
    """Return what an engine is asked: outputs, and each tensor that the model has as well.

    A tensor that nothing reads is left out: a delegate does not produce it.
    """
    read = {*graph.outputs, *(at for op in graph.ops for at in op.inputs)}
    quantised = [at for at in converted.cut.graph.inputs if at not in graph.inputs]
    made = [at for op in converted.cut.graph.ops for at in op.outputs if at in converted.names]
    made = [at for at in made if at in read]
    return EngineRequest(data, given.inputs, graph.outputs, (*quantised, *made), given.at_once)


def integer_inputs(
    converted: ConvertedGraph, given: FileStimulus, answer: Answer
) -> dict[str, np.ndarray]:
    """Return the inputs of the model: those of the file, and what the engine's QUANTIZE made."""
    found = {}
    for at, name in converted.inputs.items():
        x = answer.tensors[at] if at in answer.tensors else answer_as_int8(given.integers[at])
        found[name] = x.reshape(-1, *converted.model.tensor(name).shape)
    return found


def tensor_checks(
    graph: FileGraph,
    converted: ConvertedGraph,
    given: FileStimulus,
    answer: Answer,
    tensors: dict[str, np.ndarray],
) -> Iterator[TensorCheck]:
    """Yield how each tensor that an engine shows compares with that of a model.

    Parameters
    ----------
    tensors : dict of str to ndarray
        Of the model, by a run with a trace on `integer_inputs`.
    """
    names, inputs = converted.names, converted.cut.graph.inputs
    makers = {at: op for op in graph.ops for at in op.outputs}
    for at, theirs in answer.tensors.items():
        if at not in inputs:
            yield _tensor_check(str(makers[at]), names[at], tensors[names[at]], theirs)
        elif at in given.integers:  # made by a QUANTIZE of floats
            ours = answer_as_int8(given.integers[at])
            yield _tensor_check(str(makers[at]), names[at], ours, theirs)
    for at, theirs in answer.outputs.items():
        integers = _integers_of_output(graph, converted, at)
        if integers is None:
            continue
        source, name = graph.tensors[integers], names[integers]
        if integers == at:
            yield _tensor_check("output", name, tensors[name], theirs)
        else:
            raw = tensors[name].astype(np.int32) + (128 if source.dtype == "uint8" else 0)
            yield _tensor_check(f"output, {makers[at]}", name, raw, integers_of(theirs, source))


def _integers_of_output(graph: FileGraph, converted: ConvertedGraph, at: int) -> int | None:
    """Return the tensor of the integer part that an output of the file is, or is the reals of.

    None: the host computes the output.
    """
    made = converted.names.keys() - converted.inputs.keys()
    op = next((op for op in graph.ops if at in op.outputs), None)
    if op and op.kind == "DEQUANTIZE":
        (at,) = op.inputs
    return at if at in made else None


def _tensor_check(op: str, name: str, ours: np.ndarray, theirs: np.ndarray) -> TensorCheck:
    differing = int(np.count_nonzero(ours.reshape(theirs.shape) != theirs))
    return TensorCheck(op, name, theirs.size, differing)
