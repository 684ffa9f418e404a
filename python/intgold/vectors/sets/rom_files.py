"""Files that hold a whole memory of a layout (SPEC 10.4): every array at its address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...errors import LayoutError
from ..arrays.contents import ArraySpec
from ..formats import FORMATS
from ..formats.compression import COMPRESSIONS
from ..formats.word_file import Format, WordFile
from ..memory.layout import Memory
from .plan import Plan, SetFile

FOLDER = "memory"


@dataclass(frozen=True)
class RomFile:
    """All parameters of a memory, or of one bank of it, in one file.

    Parameters
    ----------
    path, memory : str
    bank : int
    format : Format
    words : WordFile
    """

    path: str
    memory: str
    bank: int
    format: Format
    words: WordFile


def rom_files(plan: Plan) -> list[RomFile]:
    """Return the files of the memories that the layout wants as a whole, in order.

    Raises
    ------
    LayoutError
        When such a memory has no parameter, or the set no format of words.
    """
    names = [name for name in plan.array_formats if name != "npy"]
    made = []
    for name, memory in plan.layout.memories:
        if not memory.whole:
            continue
        blocks = [plan.blocks[e] for e in plan.parameters if plan.blocks[e].memory == name]
        if not blocks:
            raise LayoutError(f"layout: memory {name}: whole, but no parameter is in it")
        if not names:
            raise LayoutError(f"layout: memory {name}: whole needs a format of words, not npy")
        size = max(b.address + b.words for b in blocks)
        for form in (FORMATS[n] for n in names):
            made += [
                RomFile(
                    f"{_stem(name, memory, bank)}{form.suffix}{plan.end}", name, bank, form,
                    _rom_words(plan, name, memory, bank, size),
                )
                for bank in range(memory.banks)
            ]  # fmt: skip
    return made


def _stem(name: str, memory: Memory, bank: int) -> str:
    return f"{FOLDER}/{name}.bank{bank}" if memory.banks > 1 else f"{FOLDER}/{name}"


def _rom_words(plan: Plan, name: str, memory: Memory, bank: int, size: int) -> WordFile:
    banked = memory.banks > 1
    title = f"memory {name}: every parameter at its address"
    words = -(-size // memory.banks)
    return WordFile(
        f"memory_{name}_bank{bank}" if banked else f"memory_{name}",
        f"{title}, bank {bank} of {memory.banks}" if banked else title,
        memory.word_bits, 1, words, "", (words,), base=0 if banked else memory.base,
        addresses=bool(plan.layout.addresses),
        comments="none" if plan.layout.comments == "none" else "head",
    )  # fmt: skip


def rom_contents(plan: Plan) -> Iterator[tuple[RomFile, bytes]]:
    """Yield each file of `rom_files` with all that it holds; words of no parameter are 0."""
    held: dict[tuple[str, int], np.ndarray] = {}
    for file in rom_files(plan):
        key = (file.memory, file.bank)
        if key not in held:
            held[key] = _content(plan, file)
        words, form = file.words, file.format
        yield file, form.head(words) + form.body(words, held[key], 0) + form.tail(words)


def _content(plan: Plan, file: RomFile) -> np.ndarray:
    content = np.zeros((file.words.words, file.words.word_bytes), np.uint8)
    for entry, array in plan.parameters.items():
        block = plan.blocks[entry]
        if block.memory == file.memory:
            packing = block.packing
            part = packing.to_banks(packing.pack(array[np.newaxis]))[file.bank][0]
            start = block.address // packing.rule.banks
            content[start : start + len(part)] = part
    return content


def memory_files(plan: Plan, entry: ArraySpec, name: str, compression: str) -> list[SetFile]:
    """Return the files of the memory that an array is in, one per bank, as a dump may name them.

    None where the layout declares no such memory, and for formats that hold arrays only.
    """
    block = plan.blocks[entry]
    memory = dict(plan.layout.memories).get(block.memory)
    if memory is None or name == "npy":
        return []
    ends = [
        b.address + (plan.count - 1) * b.frame + b.words
        for b in plan.blocks.values()
        if b.memory == block.memory
    ]
    # A memory may have the size of one image; the files of a set go on by its frames.
    size = -(-max(memory.size, *ends) // memory.banks)
    form = FORMATS[name]
    end = COMPRESSIONS[compression]
    return [
        SetFile(
            f"{_stem(block.memory, memory, bank)}{form.suffix}{end}", entry, bank, form,
            # Other arrays may have other lanes: numbers are whole words.
            replace(words, memory_words=size, lanes=None),
        )
        for bank, words in enumerate(block.word_files(plan.layout, plan.count))
    ]  # fmt: skip
