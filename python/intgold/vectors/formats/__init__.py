"""File formats of vector sets: one writer and one reader each, of memory words (SPEC 10.3)."""

from .c_header import CHeader
from .coe import Coe
from .decimal import Decimal
from .ihex import IntelHex
from .mif import Mif
from .npy import Npy
from .raw import Raw
from .readmem import ReadMem
from .word_file import Format

_ALL: tuple[Format, ...] = (
    Npy(),
    Raw("bin", ".bin", big=False, summary="raw words, little-endian"),
    Raw("bin_be", ".be.bin", big=True, summary="raw words, big-endian"),
    ReadMem("hex", 16, "hexadecimal lines for $readmemh"),
    ReadMem("memb", 2, "binary lines for $readmemb"),
    ReadMem("mem", 16, "Xilinx memory file, hexadecimal with addresses", always_addresses=True),
    Coe("coe", ".coe", 16, "Xilinx coefficients, radix 16"),
    Coe("coe2", ".r2.coe", 2, "Xilinx coefficients, radix 2"),
    Coe("coe10", ".r10.coe", 10, "Xilinx coefficients, radix 10"),
    Mif(),
    IntelHex(),
    CHeader(),
    Decimal("dec", "decimal numbers, a word a line", rows=False),
    Decimal("csv", "decimal numbers, an image a line, separated by commas", rows=True),
)

FORMATS: dict[str, Format] = {form.name: form for form in _ALL}
"""Format by its name, in the order of manifests."""
