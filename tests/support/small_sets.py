"""A small network by hand, layouts that a user would write for it, and dumps of its devices."""

from functools import cache
from pathlib import Path

import numpy as np

from intgold import Builder, Model, Requantize
from intgold.vectors.arrays.contents import ArraySpec
from intgold.vectors.memory.layout import Layout
from intgold.vectors.memory.layout_file import read_layout
from intgold.vectors.sets.plan import Plan

IMAGES = 2

DOCUMENTED = """
[memory.weights]
word_bits = 64
base = 0x4000_0000
[memory.buffers]
word_bits = 128
base = 0x8000_0000
banks = 4
[parameter]
memory = "weights"
order = "OHWI"
alignment = 8
[output]
memory = "buffers"
order = "NCHWc"
tile = { c = 16 }
padding = "zero_point"
row_alignment = 2
[stimulus]
memory = "buffers"
order = "NCHW"
lane_order = "high_first"
[array."accumulators/conv1"]
word_bits = 72
lanes = 2
"""
"""That of docs/verification.md, in which a test finds it."""

LAYOUTS = {
    "default": "",
    "stimulus permuted": '[stimulus]\norder = "NCHW"\n',
    "all permuted": '[default]\norder = "NCHW"\n[parameter]\norder = "HWIO"\n',
    "documented": DOCUMENTED,
    "tiles": '[default]\nword_bits = 128\n[output]\norder = "NCHWc"\ntile = { c = 16 }\n'
             'padding = "zero_point"\n[stimulus]\norder = "NHCWc"\ntile = { c = 4 }\n',
    "wide": '[default]\nword_bits = 1024\norder = "NWHC"\nlane_order = "high_first"\n'
            '[parameter]\norder = "IOHW"\n',
    "odd": "[default]\nword_bits = 36\n[stimulus]\nlanes = 3\npadding = 5\n",
    "banks": '[default]\nword_bits = 32\nbanks = 3\nbank_order = "blocked"\norder = "NCHW"\n'
             '[parameter]\norder = "OHWI"\n',
    "rows": "[default]\nword_bits = 64\nrow_alignment = 3\nbanks = 2\npadding = 9\n",
    "narrow": '[accumulator]\nword_bits = 16\nbyte_order = "big"\norder = "NCHW"\n'
              "[files]\naddresses = true\n",
    "unsigned": '[default]\nword_bits = 32\nencoding = "offset_binary"\npadding = "zero_point"\n'
                '[stimulus]\norder = "NCHW"\n',
}  # fmt: skip


def layout_of(text: str, folder: Path) -> Layout:
    """Read a layout as a user would."""
    path = folder / "layout.toml"
    path.write_text(text)
    return read_layout(path)


@cache
def network() -> Model:
    """Ten channels, which fill no tile; an image of 5 x 4, a vector, several accumulators."""
    rng = np.random.default_rng(5)
    builder = Builder("small")
    x = builder.input("image", (5, 4, 3), zero_point=-20)
    by = Requantize.of(rng.integers(2**30, 2**31, 10).tolist(), [40] * 10)
    x = builder.op("conv2d", x, name="conv1", weights=rng.integers(-127, 128, (10, 3, 3, 3)),
                   bias=rng.integers(-900, 900, 10), requantize=by, padding=1,
                   zero_point=-7)  # fmt: skip
    table = rng.permutation(256) - 128
    x = builder.op("lut", x, name="lut1", table=table, zero_point=3)
    x = builder.op("max_pool2d", x, name="pool1", kernel=2)
    builder.op("fully_connected", x, name="fc1", weights=rng.integers(-9, 10, (3, 40)),
               bias=[5, 6, 7], requantize=None)  # fmt: skip
    return builder.model()


def write_dump(plan: Plan, folder: Path, name: str, arrays: dict[ArraySpec, np.ndarray]) -> None:
    """Write what a device holds of a set's results, whatever its own formats, in this one."""
    for entry, array in arrays.items():
        packing = plan.blocks[entry].packing
        banks = packing.to_banks(packing.pack(array))
        write_words(plan, folder, name, entry, banks if name != "npy" else [packing.encode(array)])


def write_words(
    plan: Plan, folder: Path, name: str, entry: ArraySpec, banks: list[np.ndarray]
) -> None:
    """Write words as a device may hold them, shape (n, words, word_bytes), one array a bank."""
    for file, words in zip(plan.files_of(entry, name), banks, strict=True):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        octets = np.ascontiguousarray(words).view(np.uint8).reshape(-1, file.words.word_bytes)
        form = file.format
        path.write_bytes(
            form.head(file.words) + form.body(file.words, octets, 0) + form.tail(file.words)
        )
