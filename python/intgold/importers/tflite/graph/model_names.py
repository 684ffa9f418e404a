"""Names of a file as names of a model: letters and digits, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..file.reader import FileOp


class ModelNames:
    """Names of the file as names of a model, each once.

    Labels of ops are kept free, and so are those with a number after them: tensors that an op
    adds on its way.  Converters give such names to tensors as well.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        self.labels = set(labels)
        self.used = set(self.labels)

    def new(self, text: str) -> str:
        """Return a name that is not used yet, made of one of the file."""
        base = identifier(text)
        if base in self.labels or re.sub(r"_\d+$", "", base) in self.labels:
            base = f"t_{base}"
        name, number = base, 1
        while name in self.used:
            number += 1
            name = f"{base[:58]}_{number}"
        self.used.add(name)
        return name


def op_label(op: FileOp) -> str:
    """Return the name that an op has in the model."""
    return identifier(f"{op.kind.lower()}_{op.index}")


def identifier(text: str) -> str:
    """Return a name of the file as one of a model, of only letters and digits.

    Converters write scope/layer/op, those of all ops that became one in a list: the layer of the
    first.
    """
    parts = [p for p in re.split("[;:]", text)[0].split("/") if p]
    part = parts[1] if len(parts) > 2 else parts[-1] if parts else "t"
    made = re.sub(r"[^A-Za-z0-9_]", "_", part)[:56]
    return made if made[:1].isalpha() else f"t_{made}"
