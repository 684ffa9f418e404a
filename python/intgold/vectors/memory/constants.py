"""Constants of the C and SystemVerilog documents of a set: each name is defined once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import VectorError

UNUSED_OFF = "// verilator lint_off UNUSEDPARAM"
"""A testbench uses some of a package's constants."""
UNUSED_ON = "// verilator lint_on UNUSEDPARAM"

_DEFINED = re.compile(r"^(?:#define (\w+) |\s*localparam [^=\n]*?(\w+) =)", re.M)


def defined_once(document: str, texts: Iterable[str]) -> None:
    """Raise VectorError where texts that are read together define a name twice.

    Model names differ by case, files by dots and folders; names of constants have neither.

    Parameters
    ----------
    document : str
        What the error names.
    texts : iterable of str
    """
    seen: set[str] = set()
    for text in texts:
        for match in _DEFINED.finditer(text):
            name = match[1] or match[2]
            if name in seen:
                raise VectorError(
                    f"{document} would define {name} twice: names of the model's tensors and ops "
                    "are too alike for constants; rename one"
                )
            seen.add(name)
