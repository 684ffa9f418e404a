"""The plan of a vector set: everything that decides its bytes, and the list of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import VectorError
from ...model.graph import Model
from ...support.quoting import short_repr
from ..arrays import contents
from ..arrays.contents import ArraySpec
from ..arrays.partials import LoopOrder
from ..formats import FORMATS
from ..formats.compression import COMPRESSIONS
from ..formats.word_file import Format, WordFile
from ..memory.layout import Layout
from ..memory.layout_file import layout_document
from ..memory.memory_map import Allocation, memory_map, plain_block

DOCUMENT_FORMATS = {"sv": "SystemVerilog package of shapes, fields and small parameters"}
"""What ``--format`` takes beside `FORMATS`: one file a set instead of one an array."""

_BLOCK_BYTES, _BLOCK_IMAGES = 2**23, 256
_MAX_RANGES = 10_000
MAX_IMAGES = 2**24

ImageRange = tuple[int, int]


def parse_images(text: str) -> tuple[ImageRange, ...]:
    """Return half-open ranges of a text such as ``0,5,100-199``.

    Raises
    ------
    VectorError
        When it is no such text, or an image appears twice.
    """
    ranges: list[ImageRange] = []
    for word in text.split(","):
        first, _, last = word.partition("-")
        if not re.fullmatch("[0-9]{1,9}(-[0-9]{1,9})?", word):
            raise VectorError(f"images {text!r}: not numbers and ranges such as 0,5,100-199")
        ranges.append((int(first), int(last or first) + 1))
    return merge_ranges(sorted(ranges), f"images {text!r}")


def merge_ranges(ranges: Sequence[ImageRange], where: str) -> tuple[ImageRange, ...]:
    """Return rising ranges, neighbours made one; an overlap is refused."""
    made: list[ImageRange] = []
    for first, stop in ranges:
        if stop <= first or stop > MAX_IMAGES:
            raise VectorError(f"{where}: {first} to {stop - 1} is no range of images below 2^24")
        if made and first < made[-1][1]:
            raise VectorError(f"{where}: image {first} appears twice")
        if made and first == made[-1][1]:
            made[-1] = (made[-1][0], stop)
        else:
            made.append((first, stop))
    if not made or len(made) > _MAX_RANGES:
        raise VectorError(f"{where}: {len(made)} ranges instead of 1 to {_MAX_RANGES}")
    return tuple(made)


@dataclass(frozen=True)
class SetFile:
    """A file of a set that holds an array, or one bank of it."""

    path: str
    entry: ArraySpec
    bank: int
    format: Format
    words: WordFile

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class Plan:
    """What a set is made of.

    Parameters
    ----------
    model : Model
    source : str
        ``builtin``, ``mnist``, ``file`` or ``given``.
    seed : int or None
        Of ``builtin``.
    images : tuple of (int, int)
        Half-open ranges of the stimulus, rising.
    formats : tuple of str
        In the order of `FORMATS`, then `DOCUMENT_FORMATS`.
    layout : Layout
    ops, tensors : tuple of str
        Ops that are shown as a whole, with what they read; tensors of which only the values and
        accumulators are. In execution order.
    partials : LoopOrder or None
    compression : str
        A key of `COMPRESSIONS`.
    shard : (int, int) or None
        Number of this shard, from 0, and of all.
    stimulus_sha256 : str or None
        Of the whole set's images that are not ``builtin``, so that shards are of one stimulus.
    """

    model: Model
    source: str
    seed: int | None
    images: tuple[ImageRange, ...]
    formats: tuple[str, ...]
    layout: Layout = field(default_factory=Layout)
    ops: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    partials: LoopOrder | None = None
    compression: str = ""
    shard: tuple[int, int] | None = None
    stimulus_sha256: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        known = [*FORMATS, *DOCUMENT_FORMATS]
        unknown = [f for f in self.formats if f not in known]
        arrays = [f for f in self.formats if f in FORMATS]
        if unknown or not arrays or len(set(self.formats)) != len(self.formats):
            text = ",".join(self.formats)
            raise VectorError(f"formats {text!r}: choose of {', '.join(known)}, one of arrays")
        if self.compression not in COMPRESSIONS:
            raise VectorError(f"compression {self.compression!r}: none of gz, zst")
        if self.compression and {"c", "sv"} & set(self.formats):
            raise VectorError("formats c and sv name their files to other tools: not compressed")
        object.__setattr__(self, "formats", tuple(f for f in known if f in self.formats))
        if not self.ops and not self.tensors:
            object.__setattr__(self, "ops", tuple(op.name for op in self.model.ops))
        self._check_names()
        merge_ranges(self.images, "images")
        if self.partials and not any(e.role == "partial" for e in self.entries):
            raise VectorError(f"partials {self.partials}: no chosen op has these loops")

    def _check_names(self) -> None:
        for what, chosen, all_names in (
            ("op", self.ops, [op.name for op in self.model.ops]),
            ("tensor", self.tensors, [op.output for op in self.model.ops]),
        ):
            unknown = [n for n in chosen if n not in all_names]
            if unknown or len(set(chosen)) != len(chosen):
                name = unknown[0] if unknown else max(chosen, key=chosen.count)
                problem = "none of" if unknown else "named twice of"
                raise VectorError(f"{what} {name!r}: {problem} {', '.join(all_names)}")
            ordered = tuple(n for n in all_names if n in chosen)
            object.__setattr__(self, f"{what}s", ordered)

    @property
    def count(self) -> int:
        """Number of images."""
        return sum(stop - first for first, stop in self.images)

    @cached_property
    def entries(self) -> list[ArraySpec]:
        """Parameters, stimulus, results: what the set holds, in the order of its manifest."""
        model = self.model
        ops, tensors = set(self.ops), set(self.tensors)
        read = {name for op in model.ops if op.name in ops for name in op.inputs}
        chosen = [e for op in model.ops if op.name in ops for e, _ in contents.parameter_specs(op)]
        chosen += [contents.stimulus_spec(model.tensor(name)) for name in model.inputs]
        for op in model.ops:
            whole, shown = op.name in ops, op.output in tensors
            if whole or shown or op.output in read:
                chosen.append(contents.output_spec(model, op))
            if whole or shown:
                accumulator = contents.accumulator_spec(model, op)
                chosen += [accumulator] if accumulator else []
            if whole and self.partials:
                partial = contents.partial_spec(model, op, self.partials)
                chosen += [partial] if partial else []
        return chosen

    @cached_property
    def blocks(self) -> dict[ArraySpec, Allocation]:
        """Where every array of the whole model lies, chosen or not."""
        model = self.model
        every = [e for op in model.ops for e, _ in contents.parameter_specs(op)]
        every += [contents.stimulus_spec(model.tensor(name)) for name in model.inputs]
        partials = []
        for op in model.ops:
            accumulator = contents.accumulator_spec(model, op)
            every += [contents.output_spec(model, op), *([accumulator] if accumulator else [])]
            partial = contents.partial_spec(model, op, self.partials) if self.partials else None
            partials += [partial] if partial else []
        return memory_map(self.layout, [*every, *partials])

    def files_of(
        self, entry: ArraySpec, name: str, compression: str | None = None
    ) -> list[SetFile]:
        """Return the files of an array in one format, a file a bank."""
        form = FORMATS[name]
        end = COMPRESSIONS[self.compression if compression is None else compression]
        if name == "npy":  # the array itself, whatever the layout
            plain = plain_block(entry, self.blocks[entry].packing.rule.encoding)
            (words,) = plain.word_files(Layout(), self.count)
            return [SetFile(f"{entry.path}{form.suffix}{end}", entry, 0, form, words)]
        found = self.blocks[entry].word_files(self.layout, self.count)
        ends = [f".bank{b}" for b in range(len(found))] if len(found) > 1 else [""]
        return [
            SetFile(f"{entry.path}{ends[b]}{form.suffix}{end}", entry, b, form, words)
            for b, words in enumerate(found)
        ]

    @cached_property
    def files(self) -> list[SetFile]:
        """The files of all arrays in all formats, in the order of the manifest."""
        names = self.array_formats
        return [file for e in self.entries for name in names for file in self.files_of(e, name)]

    @property
    def array_formats(self) -> list[str]:
        """The formats that have a file for each array."""
        return [f for f in self.formats if f in FORMATS]

    @property
    def end(self) -> str:
        """What compression adds to a file's name."""
        return COMPRESSIONS[self.compression]

    @cached_property
    def block_images(self) -> int:
        """Images that are worked on at a time; it decides the frames of compressed files."""
        size = sum(
            int(np.prod(e.shape, dtype=np.int64)) * np.dtype(e.dtype).itemsize
            for e in self.entries
            if e.images
        )
        return int(max(1, min(_BLOCK_IMAGES, _BLOCK_BYTES // size)))

    def image_blocks(self) -> Iterator[list[ImageRange]]:
        """Yield the ranges of images of each block, in order."""
        block: list[ImageRange] = []
        left = self.block_images
        for first, stop in self.images:
            while first < stop:
                take = min(left, stop - first)
                block.append((first, first + take))
                first += take
                left -= take
                if not left:
                    yield block
                    block, left = [], self.block_images
        if block:
            yield block

    def first(self, images: int) -> Plan:
        """Return the plan of only the first images."""
        if not 1 <= images <= self.count:
            raise VectorError(f"images {images}: the set has {self.count}; give 1 to {self.count}")
        return replace(self, images=self._between(0, images))

    def part(self, shard: int, shards: int) -> Plan:
        """Return the plan of one of `shards` disjoint pieces that make up this one."""
        if not 1 <= shards <= self.count or not 0 <= shard < shards:
            raise VectorError(
                f"shard {shard} of {shards}: from 0 to one less than the shards, of which there "
                f"are at most {self.count}, one an image"
            )
        first, stop = (self.count * k // shards for k in (shard, shard + 1))
        return replace(self, images=self._between(first, stop), shard=(shard, shards))

    def _between(self, first: int, stop: int) -> tuple[ImageRange, ...]:
        """Return the ranges of the images that are `first` to `stop - 1` in the set."""
        ranges, at = [], 0
        for start, end in self.images:
            lo, hi = max(first, at), min(stop, at + end - start)
            if lo < hi:
                ranges.append((start + lo - at, start + hi - at))
            at += end - start
        return tuple(ranges)

    @cached_property
    def parameters(self) -> dict[ArraySpec, np.ndarray]:
        """Every parameter of the model, chosen or not."""
        return {e: array for op in self.model.ops for e, array in contents.parameter_specs(op)}

    def encode(
        self, entry: ArraySpec, runs: np.ndarray, first: int
    ) -> Iterator[tuple[SetFile, bytes]]:
        """Yield the bytes of some images of an array, for each of its files.

        Parameters
        ----------
        entry : ArraySpec
        runs : ndarray, shape (n, *entry.shape)
        first : int
            Number of ``runs[0]`` among the images of the set.
        """
        packing = self.blocks[entry].packing
        banks: list[np.ndarray] = []
        for file in self.by_entry[entry]:
            if file.format.name == "npy":
                words = packing.encode(runs).view(np.uint8)
            else:
                banks = banks or packing.to_banks(packing.pack(runs))
                words = banks[file.bank]
            words = words.reshape(-1, file.words.word_bytes)
            yield file, file.format.body(file.words, words, first * file.words.run)

    @cached_property
    def by_entry(self) -> dict[ArraySpec, list[SetFile]]:
        """The files of each array."""
        found: dict[ArraySpec, list[SetFile]] = {entry: [] for entry in self.entries}
        for file in self.files:
            found[file.entry].append(file)
        return found

    def parameter_files(self) -> Iterator[tuple[SetFile, bytes]]:
        """Yield each file of a parameter with its whole content."""
        for entry, array in self.parameters.items():
            if entry in self.by_entry:
                # What a format cannot hold is refused by its head.
                heads = {file: file.format.head(file.words) for file in self.by_entry[entry]}
                for file, body in self.encode(entry, array[np.newaxis], 0):
                    yield file, heads[file] + body + file.format.tail(file.words)

    def described(self) -> dict[str, Any]:
        """Return the plan as the manifest states it, without the model."""
        return {
            "stimulus": {
                "source": self.source,
                "seed": self.seed,
                "sha256": self.stimulus_sha256,
                "images": [list(r) for r in self.images],
            },
            "shard": list(self.shard) if self.shard else None,
            "selection": {"ops": list(self.ops), "tensors": list(self.tensors)},
            "partials": str(self.partials) if self.partials else None,
            "formats": list(self.formats),
            "compression": self.compression,
            "layout": layout_document(self.layout),
        }
