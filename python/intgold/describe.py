"""A model as a table for people."""

from __future__ import annotations

from .model import Model


def describe(model: Model) -> str:
    """Return one line per op: shapes, scale, requantisation, accumulator bits."""
    rows = [("op", "kind", "output", "scale", "zero", "form", "m (first)", "t", "acc bits")]
    for op in model.ops:
        tensor, bounds = model.tensor(op.output), model.bounds[op.name]
        by = op.fields.get("requantize")
        forms = "/".join(sorted(set(by.form))) if by else "-"
        rows.append(
            (
                op.name,
                op.kind,
                f"{tensor.dtype} {'x'.join(map(str, tensor.shape))}",
                "-" if tensor.scale is None else f"{tensor.scale:.6g}",
                str(tensor.zero_point),
                forms,
                str(int(by.multiplier[0])) if by else "-",
                str(int(by.right_shift[0])) if by else "-",
                "-" if bounds.bits is None else str(bounds.bits),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    inputs = ", ".join(f"{n} {model.tensor(n).shape}" for n in model.inputs)
    head = f"{model.name}: contract {model.contract}, inputs {inputs}, sha256 {model.sha256}"
    return "\n".join([head, lines[0], "-" * len(lines[0]), *lines[1:]])
