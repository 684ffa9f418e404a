"""Tensors that an engine overwrites before their last reader: the pattern against the engines.

    python conformance/overwritten.py

Small graphs in which an op reads a tensor that another has read through a RESHAPE before it, or of
which it reads another RESHAPE.  Each engine runs them as it does by default, and with all tensors
kept.  The model has to be right of the latter, and the import has to name every graph of which the
two differ.  Exit status: 0 when that holds, else 1.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
from engines import PACKAGES, Stimulus, answer_as_int8, answers
from tflite_writer import Writer

from intgold.contracts import contract_named
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.support.progress import Progress
from intgold.support.text_table import columns

FIRST = ("ADD", "SUB", "MUL", "DIV", "SOFTMAX", "RESHAPE", "RELU", "QUANTIZE")
OF_TWO = ("ADD", "SUB", "MUL", "DIV")
BETWEEN = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "")
SECOND = ("ADD", "SUB", "MUL", "DIV", "SOFTMAX", "RELU", "QUANTIZE")
LAST = ("nothing", "the tensor", "another RESHAPE of it", "a RESHAPE of the RESHAPE")
HEAD = ("contract", "graphs", "overwritten", "named", "not named", "values differing with all kept")
SHAPE, FLAT, IMAGES = (1, 1, 6, 8), (1, 6, 8), 4


class _Graph(Writer):
    """Tensors of one scale, each made by one op; `declines`: so that no delegate takes an ADD."""

    def __init__(self, declines: bool) -> None:
        super().__init__()
        self.declines = declines

    def made(self, kind: str, x: int, shape: tuple[int, ...]) -> int:
        """Add an op on a tensor; two of them come from the tensor and a constant of it."""
        scale = 0.07 if self.declines and kind in OF_TWO else 0.05
        y = self.tensor(shape, "int8", *((1 / 256, -128) if kind == "SOFTMAX" else (scale, 3)))
        if kind in OF_TWO:
            own = 1e-5 if self.declines else 0.03  # ratios beyond what a delegate takes
            row = self.tensor(shape[-1:], "int8", own, 5, np.arange(shape[-1]) * 9)
            fields = {"FusedActivationFunction": 0}
            self.op(kind, [x, row], y, 2, f"{kind.title()}Options", **fields)
        elif kind == "SOFTMAX":
            self.op(kind, [x], y, 2, "SoftmaxOptions", Beta=1.0)
        elif kind == "RESHAPE":
            to = self.tensor((len(shape),), "int32", data=np.array(shape))
            self.op(kind, [x, to], y, 1)
        elif kind == "SQUEEZE":
            self.op(kind, [x], y, 1, "SqueezeOptions", SqueezeDims=[1])
        elif kind == "EXPAND_DIMS":
            self.op(kind, [x, self.tensor((), "int32", data=np.array(1))], y, 1)
        else:
            self.op(kind, [x], y, 1, "QuantizeOptions" * (kind == "QUANTIZE"))
        return y


def graph(
    first: str, between: str, second: str, last: str, declines: bool
) -> tuple[bytes, list[int]]:
    """Return a file and its outputs: `first`, of which `second` reads what `between` makes.

    last: what is read at the end.
    """
    w = _Graph(declines)
    before, behind = (FLAT, SHAPE) if between == "EXPAND_DIMS" else (SHAPE, FLAT)
    behind = behind if between in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS") else before
    x = w.tensor(before, "int8", 0.05, 3)
    read = w.made(first, w.made("RELU", x, before), before)
    other = w.made("RESHAPE", read, FLAT) if last == LAST[2] else read
    through = w.made(between, read, behind) if between else read
    if last == LAST[3]:
        other = w.made("RESHAPE", through, FLAT)
    made = w.made(second, through, behind)
    outputs = [w.made("RELU", made, behind)]
    if last != LAST[0]:
        outputs.append(w.made("QUANTIZE", other, before if other == read else FLAT))
    return w.finish([x], outputs), outputs


def check(contract: str) -> tuple[int, int, int, int, int]:
    """Return how many graphs: all, overwritten, named; not named; and values that differ."""
    rng = np.random.default_rng(0)
    every = product(FIRST, BETWEEN, SECOND, LAST, (True, False))
    files = {f"g{number}": graph(*at) for number, at in enumerate(every)}
    stimuli = {
        name: Stimulus(
            data, {parse(data).inputs[0]: _images(rng, data)}, tuple(outputs), tuple(outputs)
        )
        for name, (data, outputs) in files.items()
    }
    graphs = overwritten = named = unnamed = differing = 0
    for name, found in answers(contract, stimuli).items():
        if isinstance(found, str):
            continue
        data, outputs = files[name]
        model = convert(parse(data), contract_named(contract), "m")
        x = {model.inputs[0]: answer_as_int8(next(iter(stimuli[name].inputs.values())))}
        ours = model.run(x).outputs
        for at, output in zip(outputs, model.outputs, strict=True):
            kept = found.tensors[at]
            differing += int(np.count_nonzero(ours[output].reshape(kept.shape) != kept))
        early = any(not np.array_equal(found.outputs[at], found.tensors[at]) for at in outputs)
        told = "overwritten" in model.metadata
        graphs, overwritten, named = graphs + 1, overwritten + early, named + told
        unnamed += early and not told
    return graphs, overwritten, named, unnamed, differing


def _images(rng: np.random.Generator, data: bytes) -> np.ndarray:
    file = parse(data)
    shape = file.tensors[file.inputs[0]].shape
    return rng.integers(-128, 128, (IMAGES, *shape[1:])).astype(np.int8)


def main() -> int:
    """Run the command line."""
    engines = Progress(PACKAGES, unit="engine", label="overwritten", show=True)
    found = {contract: check(contract) for contract in engines}
    rows = [(contract, *map(str, counts)) for contract, counts in found.items()]
    print(*columns([HEAD, *rows], left=(0,)), sep="\n")
    return 1 if any(unnamed or differing for *_, unnamed, differing in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
