"""Golden-vector sets for hardware verification: stimuli, cases, layouts, formats.

>>> from intgold import vectors
>>> vectors.write_set(model, "vectors", count=16, formats=("hex",))
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from .cases.random_models import random_inputs, random_model
    from .cases.stimulus import stimulus
    from .memory.layout import Layout
    from .memory.layout_file import read_layout
    from .op_vectors.sets import OpSetOptions, write_op_sets
    from .sets.generate import Summary, merge_sets, write_set
    from .sets.options import SetOptions

_HOME = {
    "Layout": "memory.layout", "OpSetOptions": "op_vectors.sets", "SetOptions": "sets.options",
    "Summary": "sets.generate", "merge_sets": "sets.generate",
    "random_inputs": "cases.random_models", "random_model": "cases.random_models",
    "read_layout": "memory.layout_file", "stimulus": "cases.stimulus",
    "write_op_sets": "op_vectors.sets", "write_set": "sets.generate",
}  # fmt: skip
"""Where a public name is defined; loaded at its first use, since lower rooms are in here."""


def __getattr__(name: str) -> _Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(f".{_HOME[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


__all__ = [
    "Layout",
    "OpSetOptions",
    "SetOptions",
    "Summary",
    "merge_sets",
    "random_inputs",
    "random_model",
    "read_layout",
    "stimulus",
    "write_op_sets",
    "write_set",
]
