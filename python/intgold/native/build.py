"""cffi build script: compiles csrc/ into ``intgold.native._intgold`` (API mode, stable ABI).

The C declarations are those of the one public header.  setup.py runs this file by path, in an
environment where intgold itself cannot be imported yet.
"""

import re
from pathlib import Path

from cffi import FFI

ROOT = Path(__file__).resolve().parents[3]


def declarations(header: str) -> str:
    """Return what ``ffi.cdef`` takes: the header without its preprocessor scaffolding."""
    header = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
    header = re.sub(r"^#(include|ifndef|endif|define INTGOLD_H).*$", "", header, flags=re.MULTILINE)
    return header


ffi = FFI()
ffi.cdef(declarations((ROOT / "csrc" / "intgold.h").read_text()))
ffi.set_source(
    "intgold.native._intgold",
    '#include "intgold.h"',
    sources=sorted(f"csrc/{path.name}" for path in (ROOT / "csrc").glob("*.c")),
    include_dirs=["csrc"],
    depends=sorted(f"csrc/{path.name}" for path in (ROOT / "csrc").glob("*.h")),
    extra_compile_args=["-O3"],
)
