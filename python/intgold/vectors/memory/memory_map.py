"""The memory map (SPEC 10.4): where every array of a model lies in the memories of a layout.

In each memory the parameters come first, then the buffers of one image: those of image i lie
``i * frame`` words after those of image 0.  Ops and tensors that a set leaves out change no
address; partials come last, and lengthen the frame of a memory that they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

from ...errors import LayoutError
from ...support.safe_files import canonical_json
from ...support.text_table import columns
from ..arrays.contents import ArraySpec
from ..formats.word_file import Lanes, WordFile
from .constants import UNUSED_OFF, UNUSED_ON, defined_once
from .layout import ACTIVATIONS, Layout, Memory
from .packing import Packing
from .rule import ENCODINGS, PackingRule

ENCODED = "offset binary (q + 128)"
"""What the texts of a set say of an array of this encoding."""


@dataclass(frozen=True)
class Allocation:
    """An array in a memory.

    Parameters
    ----------
    entry : ArraySpec
    packing : Packing
    memory : str
    address : int
        Of its first word, in words from the memory's start.
    frame : int
        Words from one image to the next; 0 for a parameter.
    base : int
        Byte address of the memory's start.
    """

    entry: ArraySpec
    packing: Packing
    memory: str
    address: int
    frame: int
    base: int

    @property
    def words(self) -> int:
        """Words of a whole parameter, or of one image."""
        return self.packing.run_words

    @property
    def byte_address(self) -> int:
        """Where it starts in the system, each word taking whole bytes."""
        return self.base + self.address * self.packing.word_bytes

    def word_files(self, layout: Layout, count: int) -> list[WordFile]:
        """Return the files of `count` images, one a bank; addresses are those of the bank."""
        rule, entry = self.packing.rule, self.entry
        banks = rule.banks
        shape, dtype = entry.whole(count), self.packing.stored.name
        packing = self.packing
        dims, order = shape, ""
        if rule.order and len(packing.axis_order) > 1:
            dims = (*shape[: int(entry.images)], *packing.stored_shape)
            order = f", order {packing.stored_order(images=entry.images)}"
        encoding = ENCODED if packing.offset_binary else "two's complement"
        title = f"{entry.path}: {dtype} {'x'.join(map(str, dims))}{order}, {encoding}"
        bits = 8 * packing.dtype.itemsize
        signed = dtype != "uint8"
        lanes = Lanes(
            packing.lanes, bits, signed, rule.lane_order == "high_first", rule.byte_order == "big"
        )
        addresses = layout.addresses
        if addresses is None:  # so that several files may be loaded into one memory
            addresses = entry.role == "parameter" and bool(rule.memory)
        return [
            WordFile(
                name=f"{entry.identifier}_bank{bank}" if banks > 1 else entry.identifier,
                title=f"{title}, bank {bank} of {banks}" if banks > 1 else title,
                word_bits=self.packing.word_bits,
                count=count if entry.images else 1,
                run=self.words // banks,
                dtype=dtype, shape=shape,
                address=self.address // banks,
                step=self.frame // banks if entry.images else 0,
                base=0 if banks > 1 else self.base,
                signed=packing.word_bits == bits and signed and rule.byte_order == "little",
                addresses=addresses, comments=layout.comments,
                lanes=lanes if packing.words_per_element == 1 else None,
            )
            for bank in range(banks)
        ]  # fmt: skip


def memory_map(layout: Layout, entries: Sequence[ArraySpec]) -> dict[ArraySpec, Allocation]:
    """Return where each array lies, in the order of `entries`.

    Raises
    ------
    LayoutError
        When a rule does not fit an array, or a memory is too small.
    """
    _check_paths(layout, entries)
    _check_encodings(layout, entries)
    packings = {}
    for e in entries:
        rule = layout.rule(e.role, e.path)
        packings[e] = Packing(f"layout: {e.path}", rule, e.dtype, e.shape, e.axes, e.zero_point)
    memories = dict(layout.memories)
    members: dict[str, list[ArraySpec]] = {}
    for entry, packing in packings.items():
        members.setdefault(packing.rule.memory or entry.path, []).append(entry)
    blocks: dict[ArraySpec, Allocation] = {}
    for name, inside in members.items():
        memory = memories.get(name) or Memory(packings[inside[0]].word_bits)
        blocks |= {b.entry: b for b in _place(name, memory, inside, packings)}
    unused = sorted(set(memories) - set(members))
    if unused:
        raise LayoutError(f"layout: no array is in memory {unused[0]!r}")
    return {entry: blocks[entry] for entry in entries}


def _check_paths(layout: Layout, entries: Sequence[ArraySpec]) -> None:
    """Refuse a rule for an array that the model does not have: it would have no effect."""
    known = {e.path for e in entries}
    # A layout may speak of partials that this set was not asked for.
    known |= {p.replace("accumulators/", "partials/") for p in known}
    for name, _ in layout.rules:
        if "/" in name and name not in known:
            raise LayoutError(f"layout: array {name!r}: the model has {', '.join(sorted(known))}")


def _check_encodings(layout: Layout, entries: Sequence[ArraySpec]) -> None:
    """Refuse an encoding that would have no effect: only int8 has more than one."""
    for name, keys in layout.rules:
        roles = ACTIVATIONS if name == "default" else (name,)
        if dict(keys).get("encoding") == "offset_binary" and not any(
            e.dtype == "int8" and (e.role in roles or e.path == name) for e in entries
        ):
            raise LayoutError(f"layout: {name}: encoding is of int8 arrays, there it has none")


def plain_block(entry: ArraySpec, encoding: str) -> Allocation:
    """Return an array by itself, one element a word."""
    packing = Packing(
        entry.path,
        PackingRule(encoding=encoding),
        entry.dtype,
        entry.shape,
        entry.axes,
        entry.zero_point,
    )
    return Allocation(entry, packing, entry.path, 0, packing.run_words if entry.images else 0, 0)


def _place(
    name: str, memory: Memory, inside: list[ArraySpec], packings: Mapping[ArraySpec, Packing]
) -> Iterator[Allocation]:
    at = 0
    placed: list[tuple[ArraySpec, int]] = []
    start = 0
    widest = 1
    for entry in sorted(inside, key=lambda e: e.images):
        packing = packings[entry]
        unit = lcm(packing.rule.alignment, packing.rule.banks)
        if entry.images:
            widest = lcm(widest, unit)
        at += -at % unit
        if entry.images and not any(e.images for e, _ in placed):
            start = at
        placed.append((entry, at))
        at += packing.run_words
    frame = -(-(at - start) // widest) * widest
    if memory.frame:
        if memory.frame < frame or memory.frame % widest:
            raise LayoutError(
                f"layout: memory {name}: frame {memory.frame} is not a multiple of {widest} "
                f"that holds the {frame} words of an image"
            )
        frame = memory.frame
    if memory.size and at > memory.size:
        raise LayoutError(
            f"layout: memory {name}: {at} words are needed, its size is {memory.size}"
        )
    for entry, address in placed:
        step = frame if entry.images else 0
        yield Allocation(entry, packings[entry], name, address, step, memory.base)


def map_rows(blocks: Mapping[ArraySpec, Allocation]) -> list[dict[str, Any]]:
    """Return what the documents of a map say of each array; encodings where there are several."""
    several = any(b.packing.offset_binary for b in blocks.values())
    return [
        {
            "array": entry.path,
            "role": entry.role,
            "memory": b.memory,
            "word_bits": b.packing.word_bits,
            "lanes": b.packing.lanes,
            "banks": b.packing.rule.banks,
            "address": b.address,
            "words": b.words,
            "byte_address": b.byte_address,
            "bytes": b.words * b.packing.word_bytes,
            "frame": b.frame,
            **({"encoding": ENCODINGS[b.packing.offset_binary]} if several else {}),
        }
        for entry, b in blocks.items()
    ]


def as_json(blocks: Mapping[ArraySpec, Allocation]) -> bytes:
    """Return the map as canonical JSON: a list of objects, one an array."""
    return canonical_json(map_rows(blocks))


def as_table(blocks: Mapping[ArraySpec, Allocation]) -> str:
    """Return the map for people."""
    lines: list[tuple[str, ...]] = [
        ("array", "memory", "bits", "lanes", "banks", "address", "words", "byte address", "frame")
    ]
    table_rows = map_rows(blocks)
    if table_rows and "encoding" in table_rows[0]:
        lines[0] += ("encoding",)
    for row in table_rows:
        lines.append(
            (
                row["array"], "" if row["memory"] == row["array"] else row["memory"],
                str(row["word_bits"]), str(row["lanes"]), str(row["banks"]),
                f"0x{row['address']:x}", str(row["words"]), f"0x{row['byte_address']:x}",
                str(row["frame"]), *([row["encoding"]] if "encoding" in row else []),
            )
        )  # fmt: skip
    return "\n".join(columns(lines, left=range(2))) + "\n"


_CONSTANTS = ("address", "words", "word_bits", "banks", "byte_address", "frame")


def _constants(blocks: Mapping[ArraySpec, Allocation]) -> Iterator[tuple[str, str, int]]:
    for (entry, block), row in zip(blocks.items(), map_rows(blocks), strict=True):
        title = f"{entry.path}: {ENCODED}" if block.packing.offset_binary else entry.path
        for key in _CONSTANTS:
            yield title, f"map_{entry.identifier}_{key}".upper(), row[key]


def as_c(blocks: Mapping[ArraySpec, Allocation]) -> str:
    """Return the map as a C header of macros."""
    lines = [
        "/* Memory map: addresses and words count words of WORD_BITS, BYTE_ADDRESS bytes. */",
        "#ifndef MEMORY_MAP_H", "#define MEMORY_MAP_H",
    ]  # fmt: skip
    path = ""
    for of, name, value in _constants(blocks):
        if of != path:
            lines += ["", f"/* {of} */"]
            path = of
        lines.append(f"#define {name} {value}ULL")
    text = "\n".join([*lines, "", "#endif", ""])
    defined_once("memory_map.h", [text])
    return text


def as_sv(blocks: Mapping[ArraySpec, Allocation]) -> str:
    """Return the map as a SystemVerilog package of localparams."""
    lines = [
        "// Memory map: addresses and words count words of WORD_BITS, BYTE_ADDRESS bytes.",
        UNUSED_OFF,
        "package memory_map_pkg;",
    ]
    path = ""
    for of, name, value in _constants(blocks):
        if of != path:
            lines += ["", f"  // {of}"]
            path = of
        lines.append(f"  localparam longint {name} = 64'd{value};")
    text = "\n".join([*lines, "", "endpackage", UNUSED_ON, ""])
    defined_once("memory_map_pkg.sv", [text])
    return text
