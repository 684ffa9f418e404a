"""Golden-vector sets for hardware verification: stimuli, cases, layouts, formats.

>>> from intgold import vectors
>>> vectors.write_set(model, "vectors", count=16, formats=("hex",))
"""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING

from ..support.lazy import at_first_use as _at_first_use

if _TYPE_CHECKING:
    from .cases.random_models import random_inputs, random_model
    from .cases.stimulus import stimulus
    from .formats import FORMATS
    from .memory.layout import Layout
    from .memory.layout_file import read_layout
    from .op_vectors.sets import OpSetOptions, write_op_sets
    from .sets.generate import Summary, merge_sets, write_set
    from .sets.options import SetOptions
    from .sets.plan import DOCUMENT_FORMATS

__all__ = [
    "DOCUMENT_FORMATS",
    "FORMATS",
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

# Lower rooms are in here: what imports one of them must not load the higher ones.
__getattr__, __dir__ = _at_first_use(__name__, {
    "DOCUMENT_FORMATS": "sets.plan", "FORMATS": "formats", "Layout": "memory.layout",
    "OpSetOptions": "op_vectors.sets", "SetOptions": "sets.options", "Summary": "sets.generate",
    "merge_sets": "sets.generate", "random_inputs": "cases.random_models",
    "random_model": "cases.random_models", "read_layout": "memory.layout_file",
    "stimulus": "cases.stimulus", "write_op_sets": "op_vectors.sets",
    "write_set": "sets.generate",
})  # fmt: skip
