"""A set as a SystemVerilog package (SPEC 10.7): shapes, fields, small parameters, file names.

An array is one vector with element 0 in the least significant bits, ``NAME[i*NAME_BITS +:
NAME_BITS]``: every simulator and synthesiser takes that, unpacked parameters they do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import VectorError
from ...model.graph import Op
from ...ops.fields import FORMS, Choice, Integer, Integers, Requantization
from ..memory.constants import UNUSED_OFF, UNUSED_ON, defined_once
from ..memory.layout import ACTIVATIONS
from ..memory.memory_map import ENCODED

if TYPE_CHECKING:
    from .plan import Plan

NAME = "vectors_pkg.sv"
MAX_ELEMENTS = 1024
"""Of a parameter that is written out; the data of larger ones are in files."""

_LOADABLE = ("hex", "mem", "memb")
_PER_LINE = 8
_ARRAY = re.compile(r"\s*localparam logic \[(\d+):0\] (\w+) = \{(.*?)\};", re.S)
_INTEGER = re.compile(r"\s*localparam int (\w+) = (-?\d+);")
_TEXT = re.compile(r'\s*localparam (\w+) = "([^"\\]*)";')
_OTHER = re.compile(r"\s*(?://[^\n]*|package vectors_pkg;|endpackage)\s*?(?=\n|$)|\s+$")


def write_package(plan: Plan) -> str:
    """Return the text of the package."""
    lines = [
        f"// Golden vectors of model {plan.model.name}, {plan.count} images.",
        "// Element i of an array is NAME[i*NAME_BITS +: NAME_BITS].",
        UNUSED_OFF,
        "package vectors_pkg;",
        f"  localparam int IMAGES = {plan.count};",
    ]
    encoded = any(block.packing.offset_binary for block in plan.blocks.values())
    for op in plan.model.ops:
        if op.name in plan.ops:
            lines += ["", f"  // op {op.name}: {op.kind}, SPEC {op.spec.clause}"]
            for name, value, word in _scalars(plan, op):
                word = "in q" if encoded and name.endswith("_zero_point") else word
                comment = f"  // {word}" if word else ""
                lines.append(f"  localparam int {f'{op.name}_{name}'.upper()} = {value};{comment}")
    parameters = dict(plan.parameters)
    for entry in plan.entries:
        block = plan.blocks[entry]
        packing = block.packing
        encoding = f", {ENCODED}" if packing.offset_binary else ""
        axes = "N" * entry.images + entry.axes
        lines += ["", f"  // {entry.path}: {packing.stored.name}{encoding}, axes {axes}"]
        name = entry.identifier.upper()
        facts = [(f"DIM_{a}", n) for a, n in zip(entry.axes, entry.shape, strict=True)]
        facts += [("WORDS", block.words), ("WORD_BITS", block.packing.word_bits)]
        facts += [("ADDRESS", block.address)] if block.address < 2**31 else []
        if entry.role in ACTIVATIONS:
            facts.append(("ZERO_POINT", packing.stored_value(entry.zero_point)))
        for key, value in facts:
            comment = "  // as stored: q + 128" if encoding and key == "ZERO_POINT" else ""
            lines.append(f"  localparam int {name}_{key} = {value};{comment}")
        loadable = [f for f in _LOADABLE if f in plan.formats]
        for file in plan.files_of(entry, loadable[0]) if loadable else ():
            bank = f"_BANK{file.bank}" if block.packing.rule.banks > 1 else ""
            lines.append(f'  localparam {name}{bank}_FILE = "{file.path}";')
        if entry in parameters and parameters[entry].size <= MAX_ELEMENTS:
            lines += _array(name, packing.encode(parameters[entry]))
    text = "\n".join([*lines, "", "endpackage", UNUSED_ON, ""])
    defined_once(NAME, [text])
    return text


def _scalars(plan: Plan, op: Op) -> Iterator[tuple[str, int, str]]:
    """Yield the whole numbers of an op; forms and choices as their number in SPEC 4.2 and 5.

    The text with each says what its number stands for; "" where it is a number.
    """
    for name, kind in op.spec.fields.items():
        value: Any = op[name]
        if isinstance(kind, Integer):
            yield name, value, ""
        elif isinstance(kind, Integers):
            yield from ((m, v, "") for m, v in zip(kind.members, value, strict=True))
        elif isinstance(kind, Choice):
            yield name, kind.values.index(value), f"{value}, SPEC {op.spec.clause}"
        elif isinstance(kind, Requantization) and value is not None:
            yield f"{name}_entries", value.count, ""
            if len(set(value.form)) == 1:
                form = value.form[0]
                yield f"{name}_form", FORMS.index(form), f"{form}, SPEC 4.2"
    tensors = dict(zip((*op.spec.inputs, "y"), (*op.inputs, op.output), strict=True))
    for name in op.spec.zero_points:
        yield name, plan.model.tensor(tensors[name.removesuffix("_zero_point")]).zero_point, ""


def _array(name: str, array: np.ndarray) -> list[str]:
    bits = 8 * array.dtype.itemsize
    digits = [f"{bits}'h{int(v) & (2**bits - 1):0{bits // 4}x}" for v in array.ravel()[::-1]]
    rows = ["    " + ", ".join(digits[i : i + _PER_LINE]) for i in range(0, len(digits), _PER_LINE)]
    return [
        f"  localparam int {name}_BITS = {bits};",
        f"  localparam logic [{array.size * bits - 1}:0] {name} = {{",
        *[row + "," for row in rows[:-1]],
        rows[-1],
        "  };",
    ]


def read_package(text: str) -> dict[str, int | str | list[int]]:
    """Return what a package says: numbers, texts, and arrays as unsigned elements, by name.

    Raises
    ------
    VectorError
        Naming the line that is not of a package that `write_package` wrote.
    """
    found: dict[str, int | str | list[int]] = {}
    at = 0
    while at < len(text):
        if match := _INTEGER.match(text, at):
            name, value = match[1], int(match[2])
            found[name] = value
        elif match := _TEXT.match(text, at):
            found[match[1]] = match[2]
        elif match := _ARRAY.match(text, at):
            found[match[2]] = _elements(match)
        elif not (match := _OTHER.match(text, at)):
            line = text.count("\n", 0, at + len(text[at:]) - len(text[at:].lstrip())) + 1
            raise VectorError(f"{NAME}, line {line}: not of a package of vectors")
        at = match.end()
    if "IMAGES" not in found or not text.endswith(f"\nendpackage\n{UNUSED_ON}\n"):
        raise VectorError(f"{NAME}: not a whole package of vectors")
    return found


def _elements(match: re.Match[str]) -> list[int]:
    words = [re.fullmatch(r"\s*(\d+)'h([0-9a-f]+)\s*", w) for w in match[3].split(",")]
    if not all(words):
        raise VectorError(f"{NAME}: {match[2]}: an element is no hexadecimal number")
    values = [int(w[2], 16) for w in words if w]
    bits = {int(w[1]) for w in words if w}
    if len(bits) != 1 or len(values) * min(bits) != int(match[1]) + 1:
        raise VectorError(f"{NAME}: {match[2]}: its elements do not fill {int(match[1]) + 1} bits")
    return values[::-1]
