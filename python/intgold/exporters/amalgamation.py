"""The C engine as one file.

Private names are unique in all of ``csrc/``, so that its C files can stand one after another.  A
header with an include guard comes once, before the first file that needs it.  One without is text
for one file, a set of vector kernels, and stands where it is included; its macros, and those of the
file, end with the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_ORDER = ("arithmetic/", "kernels/portable/", "kernels/", "ops/", "engine/")
"""The first that a path begins with says where it stands."""
_INCLUDE = re.compile(r'^#include "([\w/]+\.h)"\n', re.MULTILINE)
_GUARD = re.compile(r"^#ifndef INTGOLD_\w+_H\n#define ", re.MULTILINE)
_MACRO = re.compile(r"^ *# *define (\w+)", re.MULTILINE)
_HEAD = """\
/* intgold {version}: the C engine in one file, made of csrc/.
 *
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The intgold authors
 *
 * C99, and C++20 (earlier C++ by gcc and clang).  All kernels for x86-64 and AArch64 are here, and
 * one is chosen at run time, without a compiler flag; INTGOLD_PORTABLE_ONLY leaves them out. */
#include "intgold.h"

#if INTGOLD_ABI != {abi}
#error "intgold.h is not of this intgold.c: its INTGOLD_ABI is not {abi}"
#endif
#if defined(__GNUC__) /* not all variants use all functions */
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#if defined(__cplusplus) && defined(__GNUC__) /* tables name the members that they have */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#if !defined(__clang__) /* gcc's own intrinsics look uninitialised to gcc, as C++ only */
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif
#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic ignored "-Wc++20-designator"
#endif
"""


def amalgamation(sources: Mapping[str, str]) -> str:
    """Return the engine as the text of one C file.

    Parameters
    ----------
    sources : mapping of str to str
        The text of every C file and header by its path below ``csrc/``.
    """
    header = sources["intgold.h"]
    parts = [_HEAD.format(version=_version(header), abi=_number("INTGOLD_ABI", header))]
    written = {"intgold.h"}
    left: list[str] = []
    for path in sorted((p for p in sources if p.endswith(".c")), key=_place):
        for header in _guarded(path, sources):
            if header not in written:
                written.add(header)
                left += _private_macros(sources[header])
                parts.append(_section(header, _INCLUDE.sub("", sources[header])))
        text = _whole(sources[path], sources)
        parts.append(_section(path, text + _ended(_private_macros(text))))
    return "".join(parts) + "\n" + _ended(left)


def _place(path: str) -> tuple[int, str]:
    return next(i for i, room in enumerate(_ORDER) if path.startswith(room)), path


def _version(header: str) -> str:
    return ".".join(_number(f"INTGOLD_VERSION_{p}", header) for p in ("MAJOR", "MINOR", "PATCH"))


def _number(name: str, header: str) -> str:
    (value,) = re.findall(rf"^#define {name} (\d+)$", header, re.MULTILINE)
    return str(value)


def _guarded(path: str, sources: Mapping[str, str]) -> Iterator[str]:
    """Yield the guarded headers that a file needs, each after those that it needs itself."""
    for name in _INCLUDE.findall(sources[path]):
        yield from _guarded(name, sources)
        if _GUARD.search(sources[name]):
            yield name


def _whole(text: str, sources: Mapping[str, str]) -> str:
    """Return a file with the headers that have no guard in their places."""

    def included(match: re.Match[str]) -> str:
        header = sources[match[1]]
        return "" if _GUARD.search(header) else _whole(header, sources)

    return _INCLUDE.sub(included, text)


def _section(path: str, text: str) -> str:
    return f"\n/* ======== {path} */\n" + re.sub(r"\n{3,}", "\n\n", text)


def _private_macros(text: str) -> list[str]:
    found = dict.fromkeys(_MACRO.findall(text))
    return [name for name in found if not name.startswith(("INTGOLD_", "_"))]


def _ended(macros: list[str]) -> str:
    return "".join(f"#undef {name}\n" for name in macros)
