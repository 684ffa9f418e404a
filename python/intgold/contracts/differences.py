"""Where two contracts differ: per op how often, and a witness that the golden model replays."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..columns import columns
from ..errors import ImportFileError
from ..model import Model
from .probes import DIRECTED, PROBES, Probe, probe
from .standing import ops
from .table import Contract, contract_named

MODELS = 40
"""Probes of an op by default."""
_PATIENCE = 25
"""How many times as many are searched where those show no difference."""


@dataclass(frozen=True)
class Witness:
    """One output on which two contracts differ.

    Parameters
    ----------
    seed : int
        Of the probe.
    place : tuple of int
        (image, coordinates ...) of the output in it.
    operands : tuple of int
        The input values that the output hangs on; of MEAN its column, of SOFTMAX its row.
    a, b : int
        The output of each contract.
    text : str
        Scales and constants of the op, for people.
    """

    seed: int
    place: tuple[int, ...]
    operands: tuple[int, ...]
    a: int
    b: int
    text: str


@dataclass(frozen=True)
class Difference:
    """What was found of one op.

    Parameters
    ----------
    op : str
    same : bool
        Both contracts have one rule for it, or one has none.
    values, differing : int
        Of the first probes, which are random: their ratio is a rate.  Those that are searched
        further for a witness do not count.
    largest : int
        The largest difference seen.
    witness : Witness or None
        The smallest: of the least operands.
    """

    op: str
    same: bool
    values: int
    differing: int
    largest: int
    witness: Witness | None


def difference(op: str, a: str, b: str, models: int = MODELS) -> Difference:
    """Return where contracts `a` and `b` differ on an op, by as many probes.

    Parameters
    ----------
    op : str
        A name of `intgold.contracts.probes.PROBES`.
    a, b : str
        Names of contracts.
    """
    first, second = contract_named(a), contract_named(b)
    rules = {first.rule(op, "int8"), second.rule(op, "int8")}
    if len(rules) == 1 or None in rules:
        return Difference(op, True, 0, 0, 0, None)
    found = Difference(op, False, 0, 0, 0, None)
    first_ones = range(models)
    for seed in (*first_ones, *DIRECTED.get(op, range(models, _PATIENCE * models))):
        if seed not in first_ones and found.witness:
            break
        at = probe(op, seed)
        try:
            y = [run(at, contract) for contract in (first, second)]
        except ImportFileError:  # what no model can be made of is not compared
            continue
        found = _with(found, at, seed, *y, counts=seed in first_ones)
    return found


def _with(
    found: Difference, at: Probe, seed: int, a: np.ndarray, b: np.ndarray, *, counts: bool
) -> Difference:
    """Return what was found so far with one more probe's outputs."""
    apart = np.abs(a.astype(int) - b)
    places = [tuple(map(int, place)) for place in np.argwhere(apart)]
    seen = [_witness(at, seed, place, a, b) for place in places]
    known = [found.witness] if found.witness else []
    return replace(
        found,
        values=found.values + counts * apart.size,
        differing=found.differing + counts * len(places),
        largest=max(found.largest, int(apart.max())),
        witness=min([*known, *seen], key=_size, default=None),
    )


def differences(a: str, b: str, models: int = MODELS) -> list[Difference]:
    """Return where two contracts differ, per op."""
    return [difference(op, a, b, models) for op in PROBES]


def run(at: Probe, contract: Contract) -> np.ndarray:
    """Return what a probe makes under a contract, by the golden model."""
    model = probe_model(at, contract)
    x = dict(zip(model.inputs, at.inputs, strict=True))
    shape = at.graph.tensors[at.graph.outputs[0]].shape
    return np.asarray(model.run(x, backend="golden").output.reshape(-1, *shape[1:]))


def probe_model(at: Probe, contract: Contract) -> Model:
    """Return the model of a probe under a contract."""
    from ..importers.tflite.convert import convert

    return convert(at.graph, contract, at.graph.ops[0].kind.lower())


def lines(a: str, b: str, models: int = MODELS) -> Iterator[str]:
    """Yield a table of where two contracts differ, and a witness per op."""
    found = differences(a, b, models)
    apart = [d for d in found if not d.same]
    if apart:
        yield from columns([HEAD, *map(row, apart)], left=(0,))
        yield ""
        yield "the smallest witness of each:"
        yield from (f"  {d.op}: {witness(d, a, b)}" for d in apart)
        yield ""
    first, second = contract_named(a), contract_named(b)
    others = [d.op for d in found if d.same] + [op for op in ops() if op not in PROBES]
    alike = [op for op in others if first.rule(op, "int8") and second.rule(op, "int8")]
    yield from textwrap.wrap(f"the same rule: {', '.join(alike)}", 100)
    if len(alike) < len(others):
        yield f"no kernel in one of them: {', '.join(op for op in others if op not in alike)}"
    unsigned = [op for op in alike if first.rule(op, "uint8") != second.rule(op, "uint8")]
    if unsigned:
        yield f"on uint8 not the same: {', '.join(unsigned)}"


HEAD = ("op", "values", "differ", "rate", "largest")


def row(found: Difference) -> tuple[str, ...]:
    """Return a difference as cells under `HEAD`."""
    return (
        found.op, f"{found.values:,}", f"{found.differing:,}", rate(found), str(found.largest)
    )  # fmt: skip


def rate(found: Difference) -> str:
    """Return how often values differ; where a search alone found any, that it is rare."""
    if not found.differing:
        return "rare" if found.witness else "none found"
    return f"{found.differing / found.values:.1e}"


def witness(found: Difference, a: str, b: str) -> str:
    """Return the witness of a difference as text."""
    w = found.witness
    return f"{w.text}: {w.a} by {a}, {w.b} by {b}" if w else "none was found"


def _size(witness: Witness) -> int:
    return sum(map(abs, witness.operands))


def _witness(at: Probe, seed: int, place: tuple[int, ...], a: np.ndarray, b: np.ndarray) -> Witness:
    """Return the witness at a place of a probe's output."""
    graph, op = at.graph, at.graph.ops[0]
    tensors = [graph.tensors[i] for i in op.inputs]
    y = graph.tensors[op.outputs[0]]
    channel = place[-1]
    if op.kind == "MEAN":
        operands = at.inputs[0][place[0], ..., channel].ravel()
    elif op.kind == "FULLY_CONNECTED":
        operands = at.inputs[0][place[0]]
    elif op.kind in ("CONV_2D", "SOFTMAX"):
        operands = at.inputs[0][place[:-1]]
    else:
        operands = np.array([x[place] for x in at.inputs])
    values = tuple(int(v) for v in operands)
    scales = [t.scale[min(channel, t.scale.size - 1)] for t in (*tensors, y) if t.scale.size]
    zeros = [int(t.zero_point[0]) for t in (*tensors, y) if t.scale.size]
    text = [f"x={','.join(map(str, values))}"]
    if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        held = [t.data for t in tensors[1:] if t.data is not None]
        weight, bias = held[0].reshape(-1)[channel], held[1][channel]
        text.append(f"w={weight} bias={bias}")
    if op.kind == "LEAKY_RELU":
        text.append(f"alpha={np.float32(op.options['Alpha'])}")
    text.append(f"scales {' '.join(map(str, scales))}, zero points {' '.join(map(str, zeros))}")
    return Witness(seed, place, values, int(a[place]), int(b[place]), ", ".join(text))
