"""The page of all causes that `intgold verify` tries, made from its table of hypotheses."""

from __future__ import annotations

from collections.abc import Iterator

from command_reference import escaped
from sphinx.application import Sphinx

from intgold.verify.diagnose import hypotheses

PAGE = "reference/causes"


def show(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add a section for each file of hypotheses to the page."""
    if docname == PAGE:
        source[0] += "\n" + "\n".join(_files())


def _files() -> Iterator[str]:
    for module in hypotheses.FILES:
        name = module.__name__.rpartition(".")[2]
        title = name.replace("_", " ").capitalize()
        yield from (title, "-" * len(title), "", escaped(f"{module.__doc__}".splitlines()[0]), "")
        yield from (".. list-table::", "   :header-rows: 1", "   :widths: 25 40 35", "")
        for row in (("cause", "what the device does", "look at"), *map(_row, module.HYPOTHESES)):
            yield from (f"   {' ' if at else '*'} - {cell}" for at, cell in enumerate(row))
        yield ""


def _row(hypothesis: hypotheses.Hypothesis) -> tuple[str, str, str]:
    return (
        f"``{hypothesis.name}``",
        escaped(hypothesis.explanation),
        escaped(hypothesis.look_at),
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of pages."""
    app.connect("source-read", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
