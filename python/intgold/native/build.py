"""Build script: compiles csrc/ for cffi, by path, where intgold cannot be imported yet.

With the headers of Python, ``intgold.native._intgold`` is an extension module (API mode, stable
ABI).  A bare machine often lacks them (Debian keeps them in python3-dev); then the same sources
become a plain shared library, ``_compiled``, that ``_intgold.py`` describes (ABI mode).  Either
way the C declarations are those of the one public header.
"""

import re
import sysconfig
from pathlib import Path

from cffi import FFI
from setuptools import Extension

ROOT = Path(__file__).resolve().parents[3]
HEADERS = Path(sysconfig.get_path("include"), "Python.h").exists()


def declarations(header: str) -> str:
    """Return what ``ffi.cdef`` takes: the header without its preprocessor scaffolding."""
    header = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
    header = re.sub(r"#if [^\n]*NO_DEPRECATED.*?#endif", "", header, flags=re.DOTALL)
    scaffolding = r"^#(include|if|ifndef|else|endif|define INTGOLD_(H|API)\b).*$|\bINTGOLD_API "
    return re.sub(scaffolding, "", header, flags=re.MULTILINE)


def version(header: str) -> str:
    """Return the package's version, which the header states."""
    found = [re.search(rf"^#define INTGOLD_VERSION_{part} (\d+)$", header, re.MULTILINE)
             for part in ("MAJOR", "MINOR", "PATCH")]  # fmt: skip
    return ".".join(match[1] for match in found if match)


ENGINE = ROOT / "csrc"
HEADER = (ENGINE / "intgold.h").read_text()
NATIVE = "python/intgold/native"
MEASURE = (ROOT / NATIVE / "measure.h").read_text()
"""What `intgold.bench` times beside the engine."""
COMPILED = {
    "sources": [
        *sorted(path.relative_to(ROOT).as_posix() for path in ENGINE.rglob("*.c")),
        f"{NATIVE}/measure.c",
    ],
    "include_dirs": ["csrc"],
    "depends": [
        *sorted(path.relative_to(ROOT).as_posix() for path in ENGINE.rglob("*.h")),
        f"{NATIVE}/measure.h",
    ],
    # A call without a prototype would cut a pointer to an int.
    "extra_compile_args": [
        "-O3",
        "-fvisibility=hidden",
        "-Werror=implicit-function-declaration",
    ],
}

ffi = FFI()
ffi.cdef(declarations(HEADER + MEASURE))
if HEADERS:
    ffi.set_source("intgold.native._intgold", f'#include "intgold.h"\n{MEASURE}', **COMPILED)
else:
    ffi.set_source("intgold.native._intgold", None)

LIBRARY = Extension("intgold.native._compiled", **COMPILED, py_limited_api=True)
SETUP = {
    "version": version(HEADER),
    "cffi_modules": ["python/intgold/native/build.py:ffi"],
    "ext_modules": [] if HEADERS else [LIBRARY],
    "options": {"bdist_wheel": {"py_limited_api": "cp310"}},
}
"""What setup.py passes to setuptools."""
