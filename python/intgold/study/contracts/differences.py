"""Where two contracts differ: per op how often, and a witness that the golden model replays."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...contracts.evidence import op_names
from ...contracts.table import Contract, contract_named
from ...errors import ImportFileError
from ...model.graph import Model
from ...support.text_table import columns
from .probes import DIRECTED, PROBES, OpProbe, probe

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
        The input values that the output hangs on; of MEAN and SUM its column, of SOFTMAX and
        LOG_SOFTMAX its row.
    a, b : int
        The output of each contract.
    text : str
        Scales and constants of the op, for people.
    among : str
        Which value it is of how many: kernels that take whole groups do the rest differently.
    """

    seed: int
    place: tuple[int, ...]
    operands: tuple[int, ...]
    a: int
    b: int
    text: str
    among: str


@dataclass(frozen=True)
class ContractDifference:
    """What was found of one op.

    Parameters
    ----------
    op : str
    without : tuple of str
        Which of the two contracts have no kernel for it on int8.
    same : bool
        Both have one rule for it.
    values, differing : int
        Of the first probes, which are random: their ratio is a rate.  Those that are searched
        further for a witness do not count.
    largest : int
        The largest difference seen.
    witness : Witness or None
        The one with the smallest operands.
    """

    op: str
    without: tuple[str, ...] = ()
    same: bool = False
    values: int = 0
    differing: int = 0
    largest: int = 0
    witness: Witness | None = None

    @property
    def compared(self) -> bool:
        """Whether there are two rules to compare."""
        return not (self.without or self.same)


def difference(op: str, a: str, b: str, models: int = MODELS) -> ContractDifference:
    """Return where contracts `a` and `b` differ on an op, by as many probes.

    Parameters
    ----------
    op : str
        A name of `intgold.study.contracts.probes.PROBES`.
    a, b : str
        Names of contracts.
    """
    first, second = contract_named(a), contract_named(b)
    found = ContractDifference(op, _without(op, "int8", a, b), same=_same(op, "int8", a, b))
    if not found.compared:
        return found
    first_ones = range(models)
    for seed in (*first_ones, *DIRECTED.get(op, range(models, _PATIENCE * models))):
        if seed not in first_ones and found.witness:
            break
        at = probe(op, seed)
        try:
            y = [run_probe(at, contract) for contract in (first, second)]
        except ImportFileError:  # what no model can be made of is not compared
            continue
        found = _with(found, at, seed, *y, counts=seed in first_ones)
    return found


def _with(
    found: ContractDifference, at: OpProbe, seed: int, a: np.ndarray, b: np.ndarray, *, counts: bool
) -> ContractDifference:
    """Return what was found so far with one more probe's outputs."""
    distance = np.abs(a.astype(int) - b)
    places = [tuple(map(int, place)) for place in np.argwhere(distance)]
    smallest = min(places, key=lambda place: _size(_operands(at, place)), default=None)
    witness = found.witness
    if smallest is not None and (
        witness is None or _size(_operands(at, smallest)) < _size(witness.operands)
    ):
        witness = _witness(at, seed, smallest, a, b)
    return replace(
        found,
        values=found.values + counts * distance.size,
        differing=found.differing + counts * len(places),
        largest=max(found.largest, int(distance.max())),
        witness=witness,
    )


def differences(a: str, b: str, models: int = MODELS) -> list[ContractDifference]:
    """Return where two contracts differ, per op."""
    return [difference(op, a, b, models) for op in PROBES]


def run_probe(at: OpProbe, contract: Contract) -> np.ndarray:
    """Return what a probe produces under a contract, by the golden model."""
    model = probe_model(at, contract)
    x = dict(zip(model.inputs, at.inputs, strict=True))
    shape = at.graph.tensors[at.graph.outputs[0]].shape
    return np.asarray(model.run(x, backend="golden").output.reshape(-1, *shape[1:]))


def probe_model(at: OpProbe, contract: Contract) -> Model:
    """Return the model of a probe under a contract."""
    from ...importers.tflite.convert import convert

    return convert(at.graph, contract, at.graph.ops[0].kind.lower())


def difference_lines(a: str, b: str, models: int = MODELS) -> Iterator[str]:
    """Yield a table of where two contracts differ, and a witness per op."""
    found = differences(a, b, models)
    compared = [d for d in found if d.compared]
    if compared:
        yield from columns([HEAD, *map(row, compared)], left=(0,))
        yield ""
        yield "the smallest witness of each:"
        yield from (f"  {d.op}: {witness(d, a, b)}" for d in compared)
        yield ""
    yield from _of("the same rule", (op for op in op_names() if _same(op, "int8", a, b)))
    for dtype in ("int8", "uint8"):
        for contract in dict.fromkeys((a, b)):
            unsupported = [op for op in op_names() if _without(op, dtype, contract)]
            if len(unsupported) > len(op_names()) // 2:
                unsupported = [
                    f"all but {', '.join(op for op in op_names() if op not in unsupported)}"
                ]
            yield from _of(f"{contract} has no kernel on {dtype}", unsupported)


def _same(op: str, dtype: str, a: str, b: str) -> bool:
    rules = [contract_named(c).rule(op, dtype) for c in (a, b)]
    return rules[0] == rules[1] and rules[0] is not None


def _without(op: str, dtype: str, *contracts: str) -> tuple[str, ...]:
    return tuple(c for c in contracts if contract_named(c).rule(op, dtype) is None)


def _of(what: str, names: Iterable[str]) -> Iterator[str]:
    """Yield a list of names under a heading, on lines that fit; nothing of none."""
    listed = ", ".join(names)
    if listed:
        yield from textwrap.wrap(f"{what}: {listed}", 100)


HEAD = ("op", "values", "differ", "rate", "largest")


def row(found: ContractDifference) -> tuple[str, ...]:
    """Return a difference as cells under `HEAD`."""
    return (
        found.op, f"{found.values:,}", f"{found.differing:,}", rate(found), str(found.largest)
    )  # fmt: skip


def rate(found: ContractDifference) -> str:
    """Return how often values differ; where only a search found any, that it is rare."""
    if not found.differing:
        return "rare" if found.witness else "none found"
    return f"{found.differing / found.values:.1e}"


def witness(found: ContractDifference, a: str, b: str) -> str:
    """Return the witness of a difference as text."""
    w = found.witness
    if w is None:
        return "none was found"
    grouped = any((rule := contract_named(c).rule(found.op, "int8")) and rule.group for c in (a, b))
    return f"{w.text}{f', {w.among}' * grouped}: {w.a} by {a}, {w.b} by {b}"


def _size(operands: Iterable[int]) -> int:
    return sum(map(abs, operands))


def _operands(at: OpProbe, place: tuple[int, ...]) -> list[int]:
    """Return what a place of a probe's output is computed of."""
    op, channel = at.graph.ops[0], place[-1]
    if op.kind in ("MEAN", "SUM", "RESIZE_BILINEAR"):
        operands = at.inputs[0][place[0], ..., channel].ravel()
    elif op.kind == "FULLY_CONNECTED":
        operands = at.inputs[0][place[0]]
    elif op.kind in ("CONV_2D", "TRANSPOSE_CONV", "SOFTMAX", "LOG_SOFTMAX"):
        operands = at.inputs[0][place[:-1]]
    elif op.kind == "BATCH_MATMUL":
        operands = np.array([at.inputs[0][0, place[1], 0], at.inputs[1][0, 0, place[2]]])
    elif op.kind == "SPACE_TO_BATCH_ND":  # only padded cells can differ
        operands = np.zeros(0, np.int8)
    else:
        return [int(x[place]) for x in at.inputs]
    return operands.tolist()


def _witness(
    at: OpProbe, seed: int, place: tuple[int, ...], a: np.ndarray, b: np.ndarray
) -> Witness:
    """Return the witness at a place of a probe's output."""
    graph, op = at.graph, at.graph.ops[0]
    tensors = [graph.tensors[i] for i in op.inputs]
    y = graph.tensors[op.outputs[0]]
    channel = place[-1]
    values = tuple(_operands(at, place))
    scales = [t.scale[min(channel, t.scale.size - 1)] for t in (*tensors, y) if t.scale.size]
    zeros = [int(t.zero_point[0]) for t in (*tensors, y) if t.scale.size]
    text = [f"x={','.join(map(str, values))}" if values else "a padded cell"]
    if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"):
        held = [t.data for t in tensors[1:] if t.data is not None]
        weight, bias = held[0].reshape(-1)[channel], held[1][channel]
        text.append(f"w={weight} bias={bias}")
    if op.kind == "PRELU" and tensors[1].data is not None:
        text.append(f"alpha={tensors[1].data[..., channel].item()}")
    if op.kind == "RESIZE_BILINEAR":
        text.append(f"2 x 2 to {y.shape[1]} x {y.shape[2]} at {place[1]}, {place[2]}")
    if op.kind == "LEAKY_RELU":
        text.append(f"alpha={np.float32(op.options['Alpha'])}")
    text.append(f"scales {' '.join(map(str, scales))}, zero points {' '.join(map(str, zeros))}")
    if op.kind in ("DEPTHWISE_CONV_2D", "MEAN", "SUM"):  # groups of channels
        among = f"channel {channel} of {a.shape[-1]}"
    else:
        at_image = np.ravel_multi_index(place[1:], a.shape[1:])
        among = f"value {at_image} of {a[0].size}"
    return Witness(seed, place, values, int(a[place]), int(b[place]), ", ".join(text), among)
