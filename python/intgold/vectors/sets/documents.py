"""What a set says of itself to people and tools (SPEC 10.7): each text follows from the plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...describe.summary import notes
from ...ops.fields import Array, Requantization, Scales
from ...support.safe_files import canonical_json
from ..formats import FORMATS
from ..memory import memory_map
from ..memory.constants import defined_once
from ..memory.packing import Packing
from . import sv_package

if TYPE_CHECKING:
    from .plan import Plan


def documents(plan: Plan) -> dict[str, str]:
    """Return the text of each document by its name.

    Raises
    ------
    VectorError
        When a document would define a constant twice.
    """
    made = {"README.md": readme(plan), "ops.json": ops_json(plan)}
    if not plan.layout.is_default:
        chosen = plan.blocks
        made["memory_map.txt"] = memory_map.as_table(chosen)
        made["memory_map.json"] = memory_map.as_json(chosen).decode()
        made["memory_map.h"] = memory_map.as_c(chosen)
        made["memory_map_pkg.sv"] = memory_map.as_sv(chosen)
    if "c" in plan.formats:
        made["vectors.h"] = _C_HEADER
        made["vectors.c"] = c_table(plan)
        files = [f for e in plan.entries for f in plan.files_of(e, "c")]
        heads = (f.format.head(f.words).decode() for f in files)
        defined_once("vectors.c", (h.replace("#define VECTORS_ALIGNED", "") for h in heads))
    if "sv" in plan.formats:
        made[sv_package.NAME] = sv_package.write_package(plan)
    return made


def ops_json(plan: Plan) -> str:
    """Return every chosen op with its numbers, as JSON: what is no array in ``parameters/``."""
    found = []
    for op in plan.model.ops:
        if op.name not in plan.ops:
            continue
        plain = {n: k for n, k in op.spec.fields.items() if not isinstance(k, (Array, Scales))}
        fields: dict[str, Any] = {}
        for name, kind in plain.items():
            value = op[name]
            if isinstance(kind, Requantization):
                value = None if value is None else {"form": list(value.form)}
            fields[name] = list(value) if isinstance(value, tuple) else value
        tensors = [plan.model.tensor(t) for t in (*op.inputs, op.output)]
        bounds = plan.model.bounds[op.name]
        found.append(
            {
                "name": op.name,
                "kind": op.kind,
                "clause": op.spec.clause,
                "inputs": list(op.inputs),
                "output": op.output,
                "zero_points": [t.zero_point for t in tensors],
                "shapes": [list(t.shape) for t in tensors],
                "dtypes": [t.dtype for t in tensors],
                "accumulator_bits": bounds.bits,
                "fields": fields,
            }
        )
    return canonical_json(found).decode()


def _images(plan: Plan) -> str:
    return ", ".join(
        str(first) if stop == first + 1 else f"{first} to {stop - 1}"
        for first, stop in plan.images[:8]
    ) + (", ..." if len(plan.images) > 8 else "")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("-" * len(cell) for cell in head), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]


def _encodings(plan: Plan) -> str:
    if not any(plan.blocks[e].packing.offset_binary for e in plan.entries):
        return "Values in two's complement"
    return (
        f"Values in two's complement; those marked so in {memory_map.ENCODED}, of the q of SPEC.md "
        "and `ops.json`"
    )


def _dtype(packing: Packing) -> str:
    return packing.stored.name + (" (q + 128)" if packing.offset_binary else "")


def readme(plan: Plan) -> str:
    """Return the page of the set for people."""
    model = plan.model
    seed = f", seed {plan.seed}" if plan.seed is not None else ""
    shard = f"Shard {plan.shard[0]} of {plan.shard[1]}. " if plan.shard else ""
    stored = () if plan.layout.is_default else ("stored order",)
    lines = [
        f"# Golden vectors of {model.name}",
        "",
        f"{shard}{plan.count} images of the stimulus {plan.source}{seed}: {_images(plan)}.",
        f"Model SHA-256 {model.sha256}, contract {model.contract}.",
        "",
        "Every value follows from `model.npz` and the stimulus by integer arithmetic (SPEC.md of",
        "intgold); a device equals it or differs, there is no tolerance. `manifest.json` holds the",
        "SHA-256 of every file.",
        "",
        *([*model_notes, ""] if (model_notes := notes(model)) else []),
        "## Ops",
        "",
        *_table(
            ("op", "kind", "SPEC", "reads", "makes", "accumulator bits"),
            [
                (
                    f"{op.name}", op.kind, op.spec.clause, ", ".join(op.inputs), op.output,
                    str(model.bounds[op.name].bits or ""),
                )
                for op in model.ops
            ],
        ),
        "",
        "Zero points, strides, clamps and rounding forms: `ops.json`.",
        "",
        "## Files",
        "",
        f"{_encodings(plan)}; each format of an array lies beside the others:",
        "",
        *[f"- `{FORMATS[f].suffix}{plan.end}`: {FORMATS[f].summary}" for f in plan.array_formats],
        "",
        *_table(
            ("array", "dtype", "axes", "shape", *stored, "word bits", "words", "banks"),
            [
                (
                    e.path, _dtype(plan.blocks[e].packing), "N" * e.images + e.axes,
                    "x".join(map(str, e.whole(plan.count))),
                    *(plan.blocks[e].packing.stored_order(images=e.images) for _ in stored),
                    str(plan.blocks[e].packing.word_bits),
                    str(plan.blocks[e].words * (plan.count if e.images else 1)),
                    str(plan.blocks[e].packing.rule.banks),
                )
                for e in plan.entries
            ],
        ),
        "",
    ]  # fmt: skip
    if plan.partials:
        lines += [
            f"`partials/`: the accumulators at the boundaries of the loop order `{plan.partials}`,",
            "axis S.",
            "",
        ]
    if not plan.layout.is_default:
        lines += [
            "`axes` and `shape` are those of the array, as in an `.npy`; its words have the axes",
            "in the stored order, the slowest first; a small letter is the inside of a tile.",
            "Words follow the layout in `manifest.json`; addresses: `memory_map.txt`, `.json`,",
            "`.h`, `memory_map_pkg.sv`. A file of one bank counts from the bank's start.",
            "",
        ]
    if any(memory.whole for _, memory in plan.layout.memories):
        lines += ["`memory/`: all parameters of a memory in one file, at their addresses.", ""]
    lines += [
        "## Compare a device",
        "",
        "Dump what the device computes under the same names, then",
        "",
        "    intgold verify THIS_FOLDER --dut DUMP",
        "    intgold locate THIS_FOLDER outputs/NAME IMAGE,Y,X,C",
        "",
    ]
    return "\n".join(lines)


_C_HEADER = """/* Every array of the set by its name: what a test program walks through. */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>

typedef struct {
    const char *name;      /* path of the array in the set */
    const void *data;      /* its words */
    size_t words;          /* all images */
    size_t run;            /* words of one image */
    size_t element_bytes;  /* of one C array element */
    unsigned word_bits;
} golden_vector;

extern const golden_vector golden_vectors[];
extern const size_t golden_vector_count;

#endif
"""


def c_table(plan: Plan) -> str:
    """Return the C source that includes the header of every array and lists them."""
    files = [f for e in plan.entries for f in plan.files_of(e, "c")]
    lines = ["/* The arrays of the set. */", '#include "vectors.h"', ""]
    lines += [f'#include "{f.path}"' for f in files]
    lines += ["", "const golden_vector golden_vectors[] = {"]
    for f in files:
        name = f.words.name
        bank = f".bank{f.bank}" if f.words.name != f.entry.identifier else ""
        lines.append(
            f'    {{"{f.entry.path}{bank}", {name}, {f.words.words}u, {f.words.run}u, '
            f"sizeof {name}[0], {f.words.word_bits}u}},"
        )
    lines += [
        "};",
        "const size_t golden_vector_count = sizeof golden_vectors / sizeof golden_vectors[0];",
        "",
    ]
    return "\n".join(lines)
