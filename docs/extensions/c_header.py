"""The page of the C interface: what csrc/intgold.h declares, with its comments.

The header keeps plain comments.  Before sphinx-c-autodoc reads it, each becomes a comment that
documents what follows it (``/**``), or what it follows on its line (``/**<``); names are links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from clang import cindex
from sphinx.application import Sphinx

from intgold.ops import OPS

HEADER = Path(__file__).parents[2] / "csrc" / "intgold.h"
PAGE = "reference/c"
# The package `clang` has no library of its own; the one beside it comes with `libclang`.
cindex.Config.set_library_path(str(Path(cindex.__file__).with_name("native")))

_COMMENT = re.compile(r"/\*(?!\*)(.*?)\*/", re.S)
_DECLARED = re.compile(
    r"typedef (?P<kind>struct|enum) (?P<type>intgold_\w+)|\b(?P<function>intgold_\w+)\("
    r"|#define (?P<macro>INTGOLD_\w+) \d+$", re.M,
)  # fmt: skip


def declarations() -> dict[str, str]:
    """Return name -> "struct", "enum", "function" or "macro", in the order of the header."""
    names = {}
    for found in _DECLARED.finditer(_COMMENT.sub("", HEADER.read_text(encoding="utf-8"))):
        if found["type"]:
            names.setdefault(found["type"], found["kind"])
        else:
            kind = "function" if found["function"] else "macro"
            names.setdefault(found["function"] or found["macro"], kind)
    return names


def show(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add a section for each group of declarations to the page."""
    if docname == PAGE:
        app.env.note_dependency(str(HEADER))
        source[0] += "\n" + "\n".join(_sections(declarations()))


def _sections(kinds: dict[str, str]) -> Iterator[str]:
    ops = {name: _op_of(name) for name in kinds}
    own = {name: kind for name, kind in kinds.items() if not ops[name]}
    yield from _section("Functions", [n for n in own if own[n] == "function"], kinds)
    yield from _section("Types", [n for n in own if own[n] in ("struct", "enum")], kinds)
    yield from _section("Versions", [n for n in own if own[n] == "macro"], kinds)
    yield from ("Ops", "---", "", "One structure and one function each: the portable kernels.", "")
    for op in dict.fromkeys(filter(None, ops.values())):
        yield from _section(op, [n for n in kinds if ops[n] == op], kinds, "~")


def _op_of(name: str) -> str | None:
    """Return the op to which a declaration belongs, as the longest name of one says."""
    fitting = [op for op in OPS if re.match(rf"intgold_{op}(_s8|_s32|_form|_scratch_size)?$", name)]
    if name in ("intgold_requantize", "intgold_form"):
        return "requantize"
    return fitting[0] if fitting else None


def _section(
    title: str, names: list[str], kinds: dict[str, str], under: str = "-"
) -> Iterator[str]:
    yield from (title, under * len(title), "")
    for name in names:
        yield f".. autoc{kinds[name]}:: intgold.h::{name}"
        if kinds[name] in ("struct", "enum"):
            yield from ("   :members:", "   :undoc-members:", "   :member-order: bysource")
        yield ""


def prepare(app: Sphinx, filename: str, contents: list[str]) -> None:
    """Replace the comments of a header in place."""
    text = re.sub(r"^INTGOLD_API ", "", contents[0], flags=re.M)  # an attribute, no type
    code = _COMMENT.sub("", text)
    functions = set(re.findall(r"\b(intgold_\w+)\(", code))
    others = set(re.findall(r"\b(intgold_\w+|INTGOLD_\w+)\b", code)) - functions

    def comment(found: re.Match[str]) -> str:
        if found[1].startswith(" ----"):
            return found[0]  # a heading of the file
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        return f"/**{'<' if line.strip() else ''}{_as_rst(found[1], functions, others)}*/"

    contents[0] = _COMMENT.sub(comment, text)


def _as_rst(body: str, functions: set[str], others: set[str]) -> str:
    """Return the text of a comment with its names marked up; indented lines are code."""
    body = re.sub(r"`[^`]+`", lambda quoted: re.sub(r"\s*\n\s*\*?\s*", " ", quoted[0]), body)
    body = re.sub(r"(\n \*)(\n \* {4,}\S)", r"\1\n * ::\n\1\2", body, count=1)
    lines = body.split("\n")
    return "\n".join(
        line if re.match(r" \* {4,}\S", line) else _marked(line, functions, others)
        for line in lines
    )


def _marked(line: str, functions: set[str], others: set[str]) -> str:
    def name(found: re.Match[str]) -> str:
        if found[1]:
            return f"``{found[1]}``"
        if found[2] in functions:
            return f":c:func:`{found[2]}`"
        return f":c:expr:`{found[2]}`" if found[2] in others else found[0]

    start = re.match(r"\s*(\*(?!\w))?", line)
    head = start[0] if start else ""
    text = re.sub(r"\*(?=\w)", r"\\*", line[len(head) :])
    return head + re.sub(r"`([^`]+)`|\b((?:intgold|INTGOLD)_\w+)\b(?:\(\))?", name, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of pages and to what sphinx-c-autodoc reads."""
    app.connect("source-read", show)
    app.connect("c-autodoc-pre-process", prepare)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
