"""What a run costs, checked before it starts: operations of an image, and bytes of memory.

A file of a kilobyte may describe a window of 10^8 cells on a tensor of 10^8 values.  Both engines
visit valid cells only, and refuse what is beyond the limits here, naming op and numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import EngineError
from .graph import Model, Op

MAX_OPERATIONS = 2**40
"""Of one image: minutes of one core in C."""

_SMALL = 2**28
"""Bytes that are never asked about."""
_GOLDEN_BYTES = 160
"""Of a value of the widest tensor, at the peak of the golden model's costliest form (`float64`)."""


def operations(model: Model) -> dict[str, int]:
    """Return the operations of each op for one image.

    SPEC 6.3: products of valid taps or of a matmul, or valid cells of all windows, and the output
    values; for other ops the values of inputs and output.
    """
    return {op.name: _operations(model, op) for op in model.ops}


def _operations(model: Model, op: Op) -> int:
    (x, *_), y = (model.tensor(n) for n in op.inputs), model.tensor(op.output)
    if op.kind == "fully_connected":
        return int(op["weights"].size) + y.size
    if op.kind == "matmul":
        return y.size * (x.shape[-1] + 1)
    if op.kind == "transpose_conv2d":  # the kernel slides over the output, a step for each input
        rows, columns = (
            _valid(y.shape[i], x.shape[i], op["weights"].shape[1 + i], op["stride"][i], 1,
                   op["padding"][2 * i])
            for i in (0, 1)
        )  # fmt: skip
        return y.size + rows * columns * x.shape[2] * y.shape[2]
    if "stride" not in op.fields:
        return y.size + sum(model.tensor(n).size for n in op.inputs)
    if op.kind == "conv2d":
        kernel, products = op["weights"].shape[1:3], op["weights"].shape[0] * x.shape[2]
    elif op.kind == "depthwise_conv2d":
        kernel, products = op["weights"].shape[:2], op["weights"].shape[2]
    else:
        kernel, products = op["kernel"], x.shape[2]
    pads, dilation = op["padding"], op.fields.get("dilation", (1, 1))
    rows, columns = (
        _valid(x.shape[i], y.shape[i], kernel[i], op["stride"][i], dilation[i], pads[2 * i])
        for i in (0, 1)
    )
    return y.size + rows * columns * int(products)


def _valid(in_size: int, out: int, kernel: int, stride: int, dilation: int, before: int) -> int:
    """Return the valid taps of all windows along one axis."""
    offset = np.arange(kernel, dtype=np.int64) * dilation - before
    first = np.maximum(-(offset // stride), 0)
    end = np.minimum((in_size - 1 - offset) // stride + 1, out)
    return int(np.maximum(end - first, 0).sum())


def check_work(model: Model) -> None:
    """Raise EngineError when an image takes more than `MAX_OPERATIONS`."""
    by_op = operations(model)
    total = sum(by_op.values())
    if total > MAX_OPERATIONS:
        most = max(by_op, key=by_op.__getitem__)
        raise EngineError(
            f"model {model.name}: an image takes {total:,} operations, most of them in op {most}; "
            f"at most {MAX_OPERATIONS:,} are run"
        )


def check_golden(model: Model, count: int, step: int, *, trace: bool) -> None:
    """Raise EngineError when the golden model takes too long, or more memory than is free.

    Parameters
    ----------
    count : int
        Images in all.
    step : int
        Images at once.
    """
    check_work(model)
    kept = [op.output for op in model.ops] if trace else model.outputs
    # Parts are joined at the end: each is there twice; a trace keeps int32 accumulators too.
    bytes_of = sum(2 * model.tensor(n).span + 8 * model.tensor(n).size * trace for n in kept)
    widest = max(t.size for t in model.tensors)
    check_memory(
        f"model {model.name}: the golden model takes",
        count * bytes_of + min(step, count) * widest * _GOLDEN_BYTES,
    )


def check_memory(what: str, needed: int) -> None:
    """Raise EngineError when `needed` bytes are more than this machine has free."""
    if needed <= _SMALL:
        return
    free = available()
    if free is not None and needed > free:
        raise EngineError(f"{what} {needed:,} bytes, more than the {free:,} that are free")


def available() -> int | None:
    """Return the bytes that a process can still take here; None where nobody says."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    """Yield what the kernel calls available, with free swap; and the limit of the container."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        yield 1024 * sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
        yield int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError, KeyError):  # another system, or no limit
        return
