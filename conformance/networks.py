"""Whole networks in the live proof: every tensor of every file, under every contract.

    TFLITE_DIR=~/models python conformance/run.py --networks
    >>> from networks import hold
    >>> rows, answers = hold("kws", Path("kws_ref_model.tflite").read_bytes(), ["tflm"])
    >>> rows[0].tensors, rows[0].differing
    (13, 0)

Of a file with a float head or tail, the integer part is compared: its engine is fed with the reals
of the integers.  The files are those of the folder TFLITE_DIR (by default data/tflite, where it
exists), random networks that the public converter makes (see random_networks.py), and networks of
several images at once (see batched_networks.py).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import batched_networks
import numpy as np
from engines import HERE, OUT, Answer, Stimulus, answers, environment, run_worker

from intgold.contracts import contract_named
from intgold.errors import IntgoldError
from intgold.importers.tflite.convert import ConvertedGraph, convert_graph
from intgold.importers.tflite.file.reader import FileGraph, parse
from intgold.importers.tflite.graph.float_islands import cut_float_ends
from intgold.study.engines.engine_check import asked_of, integer_inputs, tensor_checks
from intgold.study.engines.file_stimulus import FileStimulus, file_stimulus
from intgold.support.progress import Progress
from intgold.support.text_table import columns

CONVERTER = "tensorflow-cpu==2.21.0"
FOLDER = HERE.parent / "data" / "tflite"
"""Where public networks are looked for when TFLITE_DIR is not set: beside the checkout."""
IMAGES = 97
"""Five corners, 65 of random bytes, 27 of bytes near the zero point."""
_PARTS = ("tensors", "outputs")
MIXED = re.compile(r"across the \d+ images of the file's batch")
"""Why a file may be declined that its engine takes: no model of one image has its values."""
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
        return bool(self.differing or self.unequal or self.lost)

    @property
    def lost(self) -> bool:
        """Whether the importer refuses what the engine takes, and not because it mixes images."""
        return bool(self.declined) and not self.refused and not MIXED.search(self.declined)


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
    batched = {f"batch_{n}": batched_networks.network(n) for n in range(batched_networks.COUNT)}
    every = (files | converted() | batched).items()
    for name, data in Progress(every, unit="network", label="networks", show=True):
        held, found = hold(name, data, contracts)
        rows += held
        pairs += found
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
    lost = sum(r.lost for r in rows)
    yield (
        f"{compared:,} values compared with the engines, {differing:,} differ; {traced:,} values "
        f"of the golden model with C, {unequal:,} differ; not imported: {lost}"
    )


def hold(
    network: str, data: bytes, contracts: Sequence[str]
) -> tuple[list[Row], list[tuple[str, ...]]]:
    """Return a row for each contract, and the cells of each pair of engines that take the file."""
    rows = {contract: Row(network, contract) for contract in contracts}
    try:
        file = parse(data)
        given = file_stimulus(file, cut_float_ends(file), IMAGES)
    except IntgoldError as error:
        return [Row(network, c, declined=str(error)) for c in contracts], []
    converted: dict[str, ConvertedGraph] = {}
    for contract, row in rows.items():
        try:
            converted[contract] = convert_graph(file, contract_named(contract), "network")
        except IntgoldError as error:
            row.declined = str(error)
    pairs = {pair: PairCount() for pair in combinations(contracts, 2)}
    every = sum(math.prod(tensor.shape) for tensor in file.tensors if tensor.data is None)
    for block in given.blocks(max(1, _BLOCK_VALUES // max(every, 1))):
        found: dict[str, Answer] = {}
        for contract, row in rows.items():
            if row.refused:
                continue
            own = converted.get(contract) or next(iter(converted.values()), None)
            shown = asked_of(data, file, own, block) if own else Stimulus(
                data, block.inputs, file.outputs, (), block.at_once
            )  # fmt: skip
            answer = answers(contract, {network: shown})[network]
            if isinstance(answer, str):
                row.refused = answer
                continue
            found[contract] = answer
            row.images += block.images
            if contract in converted:
                compare(row, file, converted[contract], block, answer)
        for (a, b), count in pairs.items():
            if a in found and b in found:
                count.add(found[a], found[b])
    cells = [(network, *pair, *count.cells()) for pair, count in pairs.items() if count.compared]
    return list(rows.values()), cells


def compare(
    row: Row, file: FileGraph, converted: ConvertedGraph, given: FileStimulus, answer: Answer
) -> None:
    """Run the model on both engines, and count in the row what differs."""
    row.tensors = len(answer.tensors)
    x = integer_inputs(converted, given, answer)
    golden, c = (converted.model.run(x, backend=b, trace=True) for b in ("golden", "c"))
    for ours, other in ((golden.tensors, c.tensors), (golden.accumulators, c.accumulators)):
        if set(ours) != set(other) or not golden.tensors:
            raise AssertionError(f"{row.network}: traces hold different tensors")
        row.traced += sum(a.size for a in ours.values())
        row.unequal += sum(int(np.count_nonzero(a != other[n])) for n, a in ours.items())
    checks = list(tensor_checks(file, converted, given, answer, golden.tensors))
    for check in sorted(checks, key=lambda check: not check.op.startswith("output")):
        row.values, row.differing = row.values + check.values, row.differing + check.differing
        if check.differing and not row.first:
            row.first = check.tensor


@dataclass
class PairCount:
    """In how many values two engines differ, tensors and outputs, and by how much at most."""

    compared: bool = False
    values: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))
    differing: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))
    largest: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))

    def add(self, a: Answer, b: Answer) -> None:
        """Count the answers of both engines to a batch."""
        self.compared = True
        for part in _PARTS:
            ours, theirs = getattr(a, part), getattr(b, part)
            for at in ours.keys() & theirs.keys():
                u, v = ours[at], theirs[at]
                distance = np.abs(u.astype(np.float64) - v)
                self.values[part] += u.size
                self.differing[part] += int(np.count_nonzero(u != v))
                self.largest[part] = max(self.largest[part], float(distance.max()))

    def cells(self) -> tuple[str, ...]:
        """Return values, those that differ and the largest difference, of tensors and outputs."""
        return tuple(
            cell
            for part in _PARTS
            for cell in (
                f"{self.values[part]:,}", f"{self.differing[part]:,}", f"{self.largest[part]:.4g}"
            )
        )  # fmt: skip
