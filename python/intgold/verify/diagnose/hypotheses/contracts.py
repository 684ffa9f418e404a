"""The device implements another contract: it computes the op as another engine does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ....contracts import CONTRACTS, Contract, contract_named
from ....errors import IntgoldError
from ....importers.tflite.convert import convert
from ....importers.tflite.file.reader import FileGraph
from ....importers.tflite.graph.reconstruct import candidates
from ....model.graph import Model
from ....ops.fields import Requantize
from ....support.array_types import IntArray
from ..datapath import Datapath
from .hypothesis import Edit, Evidence, Hypothesis, Variant

NAME = "another_contract"
_SCALING = ("left_shift", "requantize1", "requantize2", "requantize", "table", "multiplier")
"""Fields that contracts set differently; padding and clamps stay those of the op."""
_WHOLE = ("global_avg_pool", "softmax", "softmax_float32", "log_softmax",
          "log_softmax_float32")  # fmt: skip
"""What another engine may make by other ops, or by several: only its output can be had."""


def _variants(evidence: Evidence) -> Iterator[Variant]:
    path = evidence.path
    if path.model.contract not in CONTRACTS:
        return
    own = contract_named(path.model.contract)
    dtypes = ("uint8", "int8") if "uint8" in path.model.metadata else ("int8",)
    for graph in (g for dtype in dtypes for g in candidates(path.model, path.op, dtype)):
        if _changed_fields(_made(graph, own), path) != {}:  # not what the op came from
            continue
        for contract in CONTRACTS.values():
            made = _made(graph, contract)
            edit = _edit(made, path)
            if edit is not None and not (
                own.provenance == "definition" and _only_form_differs(made, path)
            ):
                yield Variant(contract.name, edit)
        return


def _only_form_differs(model: Model | None, path: Datapath) -> bool:
    """Return whether a contract sets another form of R and nothing else.

    Against the definition such a device has that form, which is a hypothesis of its own; what is
    chosen in a network that is quantised here is a form, too, and no engine.
    """
    fields = _changed_fields(model, path) or {}
    by = path.arguments.get("requantize")
    other = fields.get("requantize")
    if list(fields) != ["requantize"] or not isinstance(by, Requantize):
        return False
    return isinstance(other, Requantize) and _same_factor(by, other)


def _made(graph: FileGraph, contract: Contract) -> Model | None:
    """Return the graph as a model under a contract; None where it cannot be one."""
    try:
        return convert(graph, contract, "other", geometry=False)
    except IntgoldError:
        return None


def _changed_fields(model: Model | None, path: Datapath) -> dict[str, Any] | None:
    """Return the fields in which a model of one op differs; None where it is of other ops."""
    if model is None or [op.kind for op in model.ops] != [path.op.kind]:
        return None
    fields = model.ops[0].fields
    return {
        name: fields[name]
        for name in _SCALING
        if name in fields and not _equal(fields[name], path.arguments[name])
    }


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Requantize):
        return isinstance(b, Requantize) and _spread(a.form, b.form) and _same_factor(a, b)
    return bool(np.array_equal(a, b))


def _same_factor(a: Requantize, b: Requantize) -> bool:
    parts = ("multiplier", "right_shift", "multiplier_low")
    return all(np.array_equal(getattr(a, p), getattr(b, p)) for p in parts)


def _spread(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Return whether forms are the same: one for all channels, or one each."""
    n = max(len(a), len(b))
    return (a * n if len(a) == 1 else a) == (b * n if len(b) == 1 else b)


def _edit(model: Model | None, path: Datapath) -> Edit | None:
    """Return what computes the op as the model does; None where that is nothing new."""
    fields = _changed_fields(model, path)
    if fields:
        return lambda path: path.with_fields(**fields)
    if fields == {} or model is None or path.op.kind not in _WHOLE:
        return None
    return lambda path: path.with_accumulate(lambda p: _output(model, p)).with_stage(
        scale=lambda p, acc: acc, output_stage=lambda p, y: y
    )


def _output(model: Model, path: Datapath) -> IntArray:
    x = dict(zip(model.inputs, path.inputs, strict=True))
    found = model.run(x, backend="golden").output
    return found.reshape(len(found), *path.model.tensor(path.op.output).shape).astype(np.int64)


HYPOTHESES = (
    Hypothesis(
        NAME,
        "The op is computed by the rule of another contract: as another engine does.",
        "which engine the device was built to match: import the file under that contract",
        _variants,
    ),
)
