"""A model on a backend: runs, sessions, results, digests."""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING

from ..support.lazy import at_first_use as _at_first_use

if _TYPE_CHECKING:
    from .backends import BACKENDS, run
    from .digests import tensor_digests, traced_chunks

__all__ = ["BACKENDS", "run", "tensor_digests", "traced_chunks"]

__getattr__, __dir__ = _at_first_use(__name__, {
    "BACKENDS": "backends", "run": "backends", "tensor_digests": "digests",
    "traced_chunks": "digests",
})  # fmt: skip
