"""Which contracts a file can be imported under, and in how many values they differ on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...contracts.table import CONTRACTS
from ...errors import ImportFileError, ModelError
from ...importers.tflite.convert import ConvertedGraph, convert_graph
from ...importers.tflite.file.reader import FileGraph, read
from ...support.quoting import short_repr
from ...support.text_table import columns
from ..engines.engine_answers import answer_as_int8
from ..engines.file_stimulus import file_stimulus, integer_batch

_IMAGES = 8
_TRACE_VALUES = 2**25
"""Of all images; fewer images are run of a network with large tensors."""
_MAX_OUTPUTS = 4
"""Outputs with a column each."""


@dataclass(frozen=True)
class FileContract:
    """What a file is under one contract, beside the chosen one.

    Parameters
    ----------
    contract : str
    refused : str
        Why the file cannot be imported under it; "" where it can.
    values, differing : int
        Of all tensors that ops of the file make.
    outputs : mapping of str to int
        How many values of each output differ.
    first : str
        The first op whose values differ, and how many of them; "" without any.
    """

    contract: str
    refused: str = ""
    values: int = 0
    differing: int = 0
    outputs: dict[str, int] = field(default_factory=dict)
    first: str = ""

    __repr__ = short_repr


def file_contracts(
    path: str | os.PathLike[str], chosen: str, signature: str | None = None
) -> tuple[list[FileContract], int]:
    """Return what a file is under each contract, and on how many random images that was seen.

    Parameters
    ----------
    path : path
        A .tflite file.
    chosen : str
        The contract that others are compared with; where it does not take the file, they are not
        compared.
    signature : str, optional
        Which subgraph of the file; see `intgold.importers.import_tflite`.

    Raises
    ------
    ImportFileError
        When the file cannot be read.
    """
    graph = read(path, signature)
    converted: dict[str, ConvertedGraph] = {}
    refused: dict[str, str] = {}
    for contract in CONTRACTS.values():
        try:
            converted[contract.name] = convert_graph(graph, contract, "m")
        except (ImportFileError, ModelError) as error:
            refused[contract.name] = str(error)
    images, runs = _runs(graph, chosen, converted)
    found = [
        FileContract(name, refused.get(name, ""))
        if name not in runs
        else _beside(converted[chosen], runs[chosen], converted[name], runs[name])
        for name in CONTRACTS
    ]
    return found, images


def _runs(
    graph: FileGraph, chosen: str, converted: dict[str, ConvertedGraph]
) -> tuple[int, dict[str, dict[str, np.ndarray]]]:
    """Return how many images, and the tensors of each contract's model on them."""
    if chosen not in converted:
        return 0, {}
    own = converted[chosen]
    images = max(1, min(_IMAGES, _TRACE_VALUES // own.model.ports.span))
    # No corners: what is uniform says little of a network.
    given = file_stimulus(graph, own.cut, images, corners=False)
    rng = np.random.default_rng(0)
    runs = {}
    for name, other in converted.items():
        x = {}
        for at, label in other.inputs.items():
            batch = given.integers.get(at)
            if batch is None:  # after further ops of a float head
                batch = integer_batch(rng, graph.tensors[at], images, corners=False)
            x[label] = answer_as_int8(batch).reshape(images, *other.model.tensor(label).shape)
        runs[name] = dict(other.model.run(x, backend="c", trace=True).tensors)
    return images, runs


def _beside(
    own: ConvertedGraph,
    ours: dict[str, np.ndarray],
    other: ConvertedGraph,
    theirs: dict[str, np.ndarray],
) -> FileContract:
    """Return how a contract's model compares with that of the chosen contract."""
    values = differing = 0
    first = ""
    outputs = dict.fromkeys((own.names[at] for at in own.cut.graph.outputs), 0)
    for op in own.cut.graph.ops:
        for at in op.outputs:
            if at not in own.names or at not in other.names:
                continue
            a, b = ours[own.names[at]], theirs[other.names[at]]
            unequal = a.size if a.size != b.size else int(np.count_nonzero(a.ravel() != b.ravel()))
            values, differing = values + a.size, differing + unequal
            if unequal and not first:
                first = f"{op}: {unequal:,} of {a.size:,}"
            if own.names[at] in outputs:
                outputs[own.names[at]] = unequal
    return FileContract(other.model.contract, "", values, differing, outputs, first)


def file_contract_lines(found: Sequence[FileContract], images: int, chosen: str) -> Iterator[str]:
    """Yield a table of what `file_contracts` found."""
    possible = [f for f in found if not f.refused]
    if images:
        outputs = next(f for f in found if f.contract == chosen).outputs
        shown = list(outputs) if len(outputs) <= _MAX_OUTPUTS else []
        heads = [f"of {name}" for name in shown] or ["of outputs"]
        rows = [
            (f.contract, f"{f.values:,}", f"{f.differing:,}",
             *([f"{f.outputs[n]:,}" for n in shown] or [f"{sum(f.outputs.values()):,}"]),
             f.first or "-")
            for f in possible if f.contract != chosen
        ]  # fmt: skip
        yield f"beside {chosen}, on {images} random images:"
        head = ("contract", "values", "differing", *heads, "first op that differs")
        yield from columns([head, *rows], left=(0, len(head) - 1))
    elif possible:
        yield f"contracts that take the file: {', '.join(f.contract for f in possible)}"
    yield from (f"not under {f.contract}: {f.refused}" for f in found if f.refused)
