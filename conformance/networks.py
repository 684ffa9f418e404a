"""Whole networks in the live proof: every tensor of every file, under every contract.

    TFLITE_DIR=~/models python conformance/run.py --networks
    >>> from networks import hold
    >>> rows, answers = hold("kws", Path("kws_ref_model.tflite").read_bytes(), ["tflm"])
    >>> rows[0].tensors, rows[0].differing
    (13, 0)

The files are those of the folder TFLITE_DIR (by default data/tflite, where it exists) and
random networks that the public converter makes (see random_networks.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from engines import HERE, OUT, Answer, Stimulus, answers, as_int8, environment, run_worker

from intgold.contracts import contract_named
from intgold.errors import IntgoldError
from intgold.importers.tflite.convert import convert, prepared
from intgold.importers.tflite.op_context import output_label
from intgold.importers.tflite.reader import FileGraph, FileTensor, parse
from intgold.model.graph import Model
from intgold.support.progress import Progress
from intgold.support.text_table import columns

CONVERTER = "tensorflow-cpu==2.21.0"
FOLDER = HERE.parent / "data" / "tflite"
"""Where public networks are looked for when TFLITE_DIR is not set: beside the checkout."""
RANDOM_IMAGES, NARROW_IMAGES = 64, 27
_BLOCK_VALUES = 2**25
"""Values of a trace that are held at once."""


@dataclass
class Row:
    """What was found of a network under a contract.

    Parameters
    ----------
    network, contract : str
    images : int
    tensors, values, differing : int
        Of the engine and the golden model: outputs, then every tensor that the engine shows.
    traced, unequal : int
        Values in the traces of the golden model and of C, accumulators included, and how many
        differ.
    first : str
        The first tensor that differs.
    refused, declined : str
        Why the engine, or the importer, does not take the file.
    """

    network: str
    contract: str
    images: int = 0
    tensors: int = 0
    values: int = 0
    differing: int = 0
    traced: int = 0
    unequal: int = 0
    first: str = ""
    refused: str = ""
    declined: str = ""

    @property
    def failed(self) -> bool:
        """Whether anything differs, or the importer refuses what the engine takes."""
        return bool(self.differing or self.unequal or (self.declined and not self.refused))


class DiffersError(Exception):
    """Some networks fail; it names them."""


def public() -> dict[str, bytes]:
    """Return the files of TFLITE_DIR by name; none where it is not set and there is no default.

    Raises
    ------
    SystemExit
        When the folder holds no .tflite file: a wrong setting is not an absent one.
    """
    setting = os.environ.get("TFLITE_DIR")
    folder = Path(setting) if setting else FOLDER
    files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.tflite"))}
    if setting and not files:
        raise SystemExit(f"TFLITE_DIR={setting}: no .tflite file is there")
    return files


def converted() -> dict[str, bytes]:
    """Return the random networks by name, made anew."""
    folder = OUT / "networks"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.tflite"):
        path.unlink()
    run_worker(environment(CONVERTER), HERE / "converter_worker.py", folder)
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.tflite"))}


def prove(contracts: Sequence[str]) -> Iterator[str]:
    """Yield the lines of both tables, networks against engines and engines against each other.

    Raises
    ------
    DiffersError
        After the last line, when a network fails.
    """
    files = public()
    if not files:
        yield "public networks: not run: set TFLITE_DIR to a folder with the files"
    rows: list[Row] = []
    pairs: list[tuple[str, ...]] = []
    every = (files | converted()).items()
    for name, data in Progress(every, unit="network", label="networks", show=True):
        held, found = hold(name, data, contracts)
        rows += held
        pairs += differences(name, found)
    yield from table(rows)
    if pairs:
        head = ("network", "engine", "other engine", "tensor values", "differ", "largest",
                "output values", "differ", "largest")  # fmt: skip
        yield from ("", *columns([head, *pairs], left=(0, 1, 2)))
    failed = sorted({row.network for row in rows if row.failed})
    if failed:
        raise DiffersError(", ".join(failed))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table, and of what was refused."""
    head = ("network", "contract", "images", "tensors", "values", "differ", "golden to C", "differ",
            "first")  # fmt: skip
    cells = [
        (r.network, r.contract, str(r.images), str(r.tensors), f"{r.values:,}", f"{r.differing:,}",
         f"{r.traced:,}", f"{r.unequal:,}", r.first or "-")
        for r in rows
    ]  # fmt: skip
    yield from columns([head, *cells], left=(0, 1, 8))
    for row in rows:
        name = f"{row.network} {row.contract}"
        if row.refused:
            yield f"{name}: refused by the engine: {row.refused}"
        if row.declined:
            yield f"{name}: not imported: {row.declined}"
    compared, differing = sum(r.values for r in rows), sum(r.differing for r in rows)
    traced, unequal = sum(r.traced for r in rows), sum(r.unequal for r in rows)
    lost = sum(bool(r.declined and not r.refused) for r in rows)
    yield (
        f"{compared:,} values compared with the engines, {differing:,} differ; {traced:,} values "
        f"of the golden model with C, {unequal:,} differ; not imported: {lost}"
    )


def stimulus(graph: FileGraph, seed: int = 0) -> dict[int, np.ndarray]:
    """Return a batch for each input: corners, random bytes, and bytes near the zero point.

    The corners are the smallest value, the largest, the zero point, a ramp and a checker of the
    smallest and the largest.
    """
    rng = np.random.default_rng(seed)
    return {at: _batch(rng, graph.tensors[at]) for at in graph.inputs}


def _batch(rng: np.random.Generator, tensor: FileTensor) -> np.ndarray:
    if tensor.dtype not in ("int8", "uint8"):
        raise IntgoldError(f"input {tensor.name}: {tensor.dtype}; int8 and uint8 are fed")
    shape = tensor.shape[1:]
    least = np.iinfo(tensor.dtype).min
    zero = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    ramp = np.arange(int(np.prod(shape))).reshape(shape) % 256 + least
    checker = np.indices(shape).sum(0) % 2 * 255 + least
    corners = [np.full(shape, v) for v in (least, least + 255, zero)] + [ramp, checker]
    wide = rng.integers(least, least + 256, (RANDOM_IMAGES, *shape))
    spread = 10 ** rng.uniform(0, 2, (NARROW_IMAGES, *[1] * len(shape)))
    near = np.rint(zero + rng.normal(size=(NARROW_IMAGES, *shape)) * spread)
    every = np.concatenate([np.stack(corners), wide, near.clip(least, least + 255)])
    return every.astype(tensor.dtype)


def hold(
    network: str, data: bytes, contracts: Sequence[str]
) -> tuple[list[Row], dict[str, Answer]]:
    """Return a row for each contract, and the answers of the engines that take the file."""
    try:
        file = parse(data)
        graph = prepared(file, contract_named("litert_reference"))
        given = Stimulus(data, stimulus(graph), graph.outputs, _shown(graph))
    except IntgoldError as error:
        return [Row(network, c, declined=str(error)) for c in contracts], {}
    rows, found = [], {}
    for contract in contracts:
        row = Row(network, contract, len(next(iter(given.inputs.values()))))
        rows.append(row)
        answer = answers(contract, {network: given})[network]
        if isinstance(answer, str):
            row.refused = answer
        else:
            found[contract] = answer
        try:
            model = convert(file, contract_named(contract), "network")
        except IntgoldError as error:
            row.declined = str(error)
            continue
        if contract in found:
            compare(row, graph, model, given, found[contract])
    return rows, found


def _shown(graph: FileGraph) -> tuple[int, ...]:
    """Return the tensors that ops make, in their order."""
    return tuple(at for op in graph.ops for at in op.outputs if at >= 0)


def compare(row: Row, graph: FileGraph, model: Model, given: Stimulus, answer: Answer) -> None:
    """Run the model on both engines, and count in the row what differs."""
    names = _names(graph, model)
    row.tensors = len(answer.tensors)
    block = max(1, _BLOCK_VALUES // model.ports.span)
    for start in range(0, row.images, block):
        part = slice(start, start + block)
        x = {
            name: as_int8(batch[part]).reshape(-1, *model.tensor(name).shape)
            for name, batch in zip(model.inputs, given.inputs.values(), strict=True)
        }
        golden, c = (model.run(x, backend=b, trace=True) for b in ("golden", "c"))
        for ours, other in ((golden.tensors, c.tensors), (golden.accumulators, c.accumulators)):
            if set(ours) != set(other) or not golden.tensors:
                raise AssertionError(f"{row.network}: traces hold different tensors")
            row.traced += sum(a.size for a in ours.values())
            row.unequal += sum(int(np.count_nonzero(a != other[n])) for n, a in ours.items())
        outputs = [(n, golden.outputs[n], answer.outputs[at][part])
                   for n, at in zip(model.outputs, graph.outputs, strict=True)]  # fmt: skip
        tensors = [(names[at], golden.tensors[names[at]], a[part])
                   for at, a in answer.tensors.items()]  # fmt: skip
        for name, ours, theirs in outputs + tensors:
            differing = int(np.count_nonzero(ours.reshape(theirs.shape) != theirs))
            row.values, row.differing = row.values + theirs.size, row.differing + differing
            if differing and not row.first:
                row.first = name


def _names(graph: FileGraph, model: Model) -> dict[int, str]:
    """Return the model's tensor for each tensor of the file that an op makes."""
    made = {op.name: op.output for op in model.ops}
    return {
        at: made[output_label(f"{op.kind.lower()}_{op.index}", number)]
        for op in graph.ops
        for number, at in enumerate(op.outputs)
    }


def differences(network: str, found: Mapping[str, Answer]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each pair of engines: in how many values they differ on a network."""
    contracts = list(found)
    for i, a in enumerate(contracts):
        for b in contracts[i + 1 :]:
            cells = [network, a, b]
            for part in ("tensors", "outputs"):
                pairs = [
                    (v, getattr(found[b], part)[n]) for n, v in getattr(found[a], part).items()
                ]
                differing = sum(int(np.count_nonzero(u != v)) for u, v in pairs)
                largest = max(int(np.abs(u.astype(int) - v).max()) for u, v in pairs)
                cells += [f"{sum(u.size for u, _ in pairs):,}", f"{differing:,}", str(largest)]
            yield tuple(cells)
