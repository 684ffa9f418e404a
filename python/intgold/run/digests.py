"""SHA-256 of every tensor and accumulator of a run: what is frozen, and what devices compare."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from ..model.graph import Model
from ..support.arguments import checked
from ..support.quoting import shown
from .backends import check_inputs, run
from .result import Result

CHUNK = 500
"""Images that are held at a time."""

Digests = dict[str, dict[str, str]]


@checked
def tensor_digests(
    model: Model,
    x: np.ndarray | Mapping[str, np.ndarray],
    backend: str = "c",
    threads: int = 1,
    progress: Any = None,
    isa: str = "auto",
) -> Digests:
    """Return tensor name -> {"output": SHA-256, "accumulator": SHA-256} of every op.

    The digest is over the values of all images in C order, little-endian; "accumulator" is there
    for the ops that have one (SPEC 6).

    Parameters
    ----------
    model : Model
    x : ndarray or mapping
        See `intgold.run.backends.run`.
    backend, threads, isa
        Cannot change a digest.
    progress : Progress, optional
        Is advanced by images.
    """
    hashes: dict[str, dict[str, Any]] = {
        op.output: {
            what: hashlib.sha256()
            for what in ("output", "accumulator")
            if what == "output" or op.spec.accumulator
        }
        for op in model.ops
    }
    for part in traced_chunks(model, x, backend, threads, CHUNK, isa):
        for name, parts in hashes.items():
            parts["output"].update(little_endian(part.tensors[name]))
            if "accumulator" in parts:
                parts["accumulator"].update(little_endian(part.accumulators[name]))
        if progress is not None:
            progress.update(len(part.output))
    return {
        name: {what: h.hexdigest() for what, h in parts.items()} for name, parts in hashes.items()
    }


@checked
def traced_chunks(
    model: Model,
    x: np.ndarray | Mapping[str, np.ndarray],
    backend: str,
    threads: int = 1,
    chunk: int = CHUNK,
    isa: str = "auto",
) -> Iterator[Result]:
    """Yield traced runs of some images at a time, in order.

    Parameters
    ----------
    model : Model
    x : ndarray or mapping of str to ndarray
        Of each input int8 or int32, ``(images, *shape)``.
    backend : str
        ``"golden"`` or ``"c"``.
    threads : int
        Of the C engine.
    chunk : int
        Images of a run, 1 or more.
    isa : str
        The variant of the C kernels.

    Raises
    ------
    InputError
        When an argument is not of these.
    """
    if chunk < 1:
        raise InputError(f"chunk: {shown(chunk)} instead of 1 image or more")
    return _traced_chunks(model, check_inputs(model, x), backend, threads, chunk, isa)


def _traced_chunks(
    model: Model, inputs: Mapping[str, np.ndarray], backend: str, threads: int, chunk: int, isa: str
) -> Iterator[Result]:
    for first in range(0, len(inputs[model.inputs[0]]), chunk):
        part = {name: array[first : first + chunk] for name, array in inputs.items()}
        yield run(model, part, backend=backend, threads=threads, trace=True, isa=isa)


def little_endian(array: np.ndarray) -> bytes:
    """Return the values in C order, little-endian."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
