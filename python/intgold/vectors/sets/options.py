"""What a vector set holds, and how it is written: the choices of `write_set`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import VectorError
from ...run.backends import BACKENDS
from ...support.arguments import fit_fields
from ...support.quoting import short_repr
from ..memory.layout import Layout

Stimulus = str | os.PathLike[str] | Mapping[str, np.ndarray]

_MAX_JOBS = 1024


@dataclass(frozen=True, eq=False)
class SetOptions:
    """What a vector set holds and how it is written; `write_set` takes each field by name, too.

    Parameters
    ----------
    source : str, path or mapping of str to ndarray
        See `intgold.vectors.stimulus`; or the arrays themselves, by input.  Where the layout says
        that an input is in offset binary, uint8 are its bytes in the device's encoding.
    count, seed : int
        See `intgold.vectors.stimulus`; by default all images of a file or folder, and 16 of
        ``builtin`` or ``mnist``.
    formats : sequence of str
        Names out of `intgold.vectors.formats.FORMATS` and `DOCUMENT_FORMATS`.
    images : str, optional
        Which images of the stimulus, such as ``0,5,100-199``; default the first `count`.
    layout : Layout, optional
        How arrays become memory words; default one element a word.
    ops, tensors : sequence of str
        What to show: ops as a whole with what they read, tensors with their accumulators; default
        all.
    partials : str, optional
        A loop order (SPEC 10.6), such as ``ic:8,ky``, at whose boundaries accumulators are shown.
    compression : {"", "gz", "zst"}
    shards, shard : int
        Write piece `shard` (from 0) of `shards`; `merge_sets` produces the whole set from all.
    backend : {"golden", "c"}
        Cannot change a byte.
    isa : str
        The variant of the C kernels; cannot change a byte.
    jobs : int
        Processes, 1 to 1024; cannot change a byte.  More than one start as Python's
        `multiprocessing` spawns them: a script that asks for them is a file and does its work
        under ``if __name__ == "__main__":``.

    Raises
    ------
    InputError
        When a field is not of its type.
    VectorError
        When `jobs`, `backend` or `shard` is none of those above.
    """

    __repr__ = short_repr

    source: Stimulus = "builtin"
    count: int | None = None
    seed: int = 0
    formats: Sequence[str] = ("npy", "hex")
    images: str | None = None
    layout: Layout | None = None
    ops: Sequence[str] = ()
    tensors: Sequence[str] = ()
    partials: str | None = None
    compression: str = ""
    shards: int = 1
    shard: int | None = None
    backend: str = "golden"
    isa: str = "auto"
    jobs: int = 1

    def __post_init__(self) -> None:
        fit_fields(self, "write_set")
        if not 1 <= self.jobs <= _MAX_JOBS or self.backend not in BACKENDS:
            raise VectorError(
                f"jobs {self.jobs}: a number from 1 to {_MAX_JOBS}; "
                f"backend: {' or '.join(BACKENDS)}"
            )
        if self.shards != 1 and self.shard is None:
            raise VectorError(f"shards {self.shards}: --shard says which of them to write")
