"""A model described: a table for people, and everything for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..host.host_ops import BOOL_OUTPUTS, CONSTANTS, HEAD, INPUTS, TAIL, without_values
from ..model.artefact import required_spec
from ..model.graph import Model, Op
from ..ops.bounds import Bounds
from ..ops.fields import Requantize
from ..support.arguments import checked
from ..support.quoting import controls_escaped
from ..support.text_table import columns
from .footprint import arena_sizes, footprint, multiply_adds

_HEAD = (
    "op", "kind", "output", "scale", "zero", "form", "m (first)", "t", "accumulator",
    "bits", "bytes", "MACs",
)  # fmt: skip


HOST_ENTRIES = {
    HEAD: "Left to the host before its inputs",
    TAIL: "Left to the host after its outputs",
    INPUTS: "Inputs of the file on which no integer depends",
}
"""What entries of the metadata say of the ops that are no part of a model."""
_MAX_LISTED = 8
"""Names or kinds of a `summary`."""


@checked
def describe(model: Model) -> str:
    """Return lines for people: an aligned row per op, and the totals.

    m (first) is the first multiplier, t the range of right_shift; accumulator is what the int32
    proof of SPEC 7 bounds it by, bits a register that holds it; bytes are those of all constants,
    MACs the multiply-adds of one image.
    """
    macs, rows = multiply_adds(model), [_HEAD]
    for op in model.ops:
        tensor, bounds = model.tensor(op.output), model.bounds[op.name]
        by = op.fields.get("requantize")
        rows.append(
            (
                op.name,
                op.kind,
                f"{tensor.dtype} {'x'.join(map(str, tensor.shape))}",
                "-" if tensor.scale is None else f"{tensor.scale:.6g}",
                str(tensor.zero_point),
                "/".join(sorted(set(by.form))) if by else "-",
                str(int(by.multiplier[0])) if by else "-",
                _span(by.right_shift) if by else "-",
                _reach(bounds),
                "-" if bounds.bits is None else str(bounds.bits),
                str(footprint(op).total),
                f"{macs[op.name]:,}" if op.name in macs else "-",
            )
        )
    used = footprint(model)
    inputs = ", ".join(f"{n} {model.tensor(n).shape}" for n in model.inputs)
    return "\n".join(
        [
            f"{model.name}: contract {model.contract}, inputs {inputs}",
            f"sha256 {model.sha256}",
            *(line for key, v in model.metadata.items() if v for line in _entry(key, v)),
            "",
            *columns(rows, left=range(len(rows[0]))),
            (
                f"{used.total:,} bytes: weights {used.weights:,}, biases {used.biases:,}, "
                f"multipliers and shifts {used.multipliers:,}, tables {used.tables:,}; "
                f"{sum(macs.values()):,} multiply-adds an image"
            ),
            "arena of the C engine, bytes: "
            + ", ".join(f"{isa} {size:,}" for isa, size in arena_sizes(model).items()),
        ]
    )


def _entry(key: str, text: str) -> list[str]:
    """Return an entry of the metadata as a line; an op of the host has a line of its own."""
    if key == CONSTANTS:
        text = ", ".join(map(without_values, text.split("\n")))
    first, *others = text.split("\n") if key in HOST_ENTRIES else [text]
    return [controls_escaped(f"{key}: {first}"), *(f"  {controls_escaped(o)}" for o in others)]


def summary(model: Model) -> str:
    """Return what a model is in a few lines, however many ops it has: its ``repr``."""

    def listed(texts: Iterable[str]) -> str:
        texts = list(texts)
        more = f", ... {len(texts) - _MAX_LISTED} more" * (len(texts) > _MAX_LISTED)
        return ", ".join(texts[:_MAX_LISTED]) + more

    def tensors(names: Sequence[str]) -> str:
        found = map(model.tensor, names)
        return listed(f"{t.name} {t.dtype} {'x'.join(map(str, t.shape))}" for t in found)

    kinds = Counter(op.kind for op in model.ops)
    return "\n".join(
        [
            f"<Model {model.name}: contract {model.contract}",
            f"  inputs: {tensors(model.inputs)}",
            f"  outputs: {tensors(model.outputs)}",
            f"  {len(model.ops)} ops: {listed(f'{n} {kind}' for kind, n in kinds.items())}",
            f"  {footprint(model).total:,} bytes of constants, sha256 {model.sha256}",
            "  describe() shows all of it>",
        ]
    )


def _reach(bounds: Bounds) -> str:
    if bounds.lo is None or bounds.hi is None:
        return "-"
    return f"{int(bounds.lo.min())}..{int(bounds.hi.max())}"


def _span(values: np.ndarray) -> str:
    lo, hi = int(values.min()), int(values.max())
    return str(lo) if lo == hi else f"{lo}-{hi}"


@checked
def description(model: Model) -> dict[str, Any]:
    """Return everything about a model as plain values, for JSON.

    Returns
    -------
    dict
        ``name``, ``contract``, ``spec`` (the lowest version that it needs), ``sha256``,
        ``metadata``, ``inputs``, ``outputs``; ``tensors``: name, shape, dtype, scale, zero_point;
        ``ops``: name, kind, clause, inputs, output, ``fields`` (a requantize as lists of form,
        multiplier, right_shift, multiplier_low; of weights only the dtype and shape, any
        other array as a list), ``accumulator`` (lists lo and hi, and bits; or None), ``bytes`` by
        kind, ``multiply_adds``; ``totals``: bytes by kind and multiply_adds; ``arena_bytes`` of
        the C engine by variant, those that run here.
    """
    macs = multiply_adds(model)
    return {
        "name": model.name,
        "contract": model.contract,
        "spec": required_spec(model),
        "sha256": model.sha256,
        "metadata": dict(model.metadata),
        "inputs": list(model.inputs),
        "outputs": list(model.outputs),
        "tensors": [
            {"name": t.name, "shape": list(t.shape), "dtype": t.dtype, "scale": t.scale,
             "zero_point": t.zero_point}
            for t in model.tensors
        ],
        "ops": [_op(model, op, macs.get(op.name, 0)) for op in model.ops],
        "totals": {"bytes": vars(footprint(model)), "multiply_adds": sum(macs.values())},
        "arena_bytes": arena_sizes(model),
    }  # fmt: skip


def _op(model: Model, op: Op, macs: int) -> dict[str, Any]:
    bounds = model.bounds[op.name]
    accumulator = None
    if bounds.lo is not None and bounds.hi is not None:
        accumulator = {"lo": bounds.lo.tolist(), "hi": bounds.hi.tolist(), "bits": bounds.bits}
    return {
        "name": op.name,
        "kind": op.kind,
        "clause": op.spec.clause,
        "inputs": list(op.inputs),
        "output": op.output,
        "fields": {name: _plain(name, value) for name, value in op.fields.items()},
        "accumulator": accumulator,
        "bytes": vars(footprint(op)),
        "multiply_adds": macs,
    }


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Requantize):
        parts = ("multiplier", "right_shift", "multiplier_low")
        return {"form": list(value.form), **{p: getattr(value, p).tolist() for p in parts}}
    if isinstance(value, np.ndarray):
        if name == "weights":
            return {"dtype": value.dtype.name, "shape": list(value.shape)}
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value


@checked
def notes(model: Model) -> list[str]:
    """Return what a reader of an imported model's numbers must know, a sentence a line."""
    lines = []
    if "engine" in model.metadata:
        lines.append(f"Its arithmetic: {model.metadata['engine']}.")
    if "uint8" in model.metadata:
        lines.append("The file's uint8 values x are int8 here: x ^ 0x80, which is x - 128.")
    if "bool" in model.metadata:
        lines.append("Bools are int8 of 0 and 1; an input of the file that is one takes any byte.")
    if BOOL_OUTPUTS in model.metadata:
        lines.append(f"Outputs that are bools: {model.metadata[BOOL_OUTPUTS]}.")
    if "inexact" in model.metadata:
        lines.append(f"Not exact: {model.metadata['inexact']}.")
    if "no_answer" in model.metadata:
        lines.append(f"Inputs to which the engine has no answer: {model.metadata['no_answer']}.")
    if "overwritten" in model.metadata:
        lines.append(
            "Unless all tensors are kept, the engine may overwrite a tensor too early: "
            f"{model.metadata['overwritten']}."
        )
    for key, what in HOST_ENTRIES.items():
        if key in model.metadata:
            lines.append(f"{what}: {model.metadata[key]}.".replace("\n", "; "))
    return list(map(controls_escaped, lines))
