"""A picture of where the time goes (extra ``plot``)."""

from __future__ import annotations

import os
from typing import Any

from ..study.quantisation.plots import check_plot, save_picture
from .ops import Ops
from .report import BenchReport

_PARTS = ("at the roofline", "requantize, tables", "all else")
_COLOURS = ("#1f4e79", "#7fb2e5", "#d9d9d9")


def plot_report(report: BenchReport, path: str | os.PathLike[str]) -> None:
    """Draw the time of every op of every variant, cut into what bounds it and the rest.

    Parameters
    ----------
    report : BenchReport
    path : path
        Ends in .png, .svg or .pdf.

    Raises
    ------
    IntgoldError
        When matplotlib is absent, or the name ends differently.
    """
    check_plot(path)
    from matplotlib.figure import Figure

    rows = max(len(ops.rows) for ops in report.ops)
    figure = Figure(figsize=(9, len(report.ops) * (0.34 * rows + 1.0) + 0.8))
    panels = figure.subplots(len(report.ops), squeeze=False)[:, 0]
    for panel, ops in zip(panels, report.ops, strict=True):
        _draw(panel, ops)
    panels[-1].set_xlabel("microseconds an image, one thread")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper right", ncols=len(labels), frameon=False)
    figure.suptitle(
        f"{report.model} on {report.about['CPU']}", x=0.01, ha="left", fontsize="medium"
    )
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.4 / figure.get_figheight()))
    save_picture(figure, path)


def _draw(panel: Any, ops: Ops) -> None:
    names = [row.name for row in ops.rows]
    roofline = [(row.roofline or 0.0) * 1e6 for row in ops.rows]
    tail = [(row.tail or 0.0) * 1e6 for row in ops.rows]
    whole = [row.seconds * 1e6 for row in ops.rows]
    left = [0.0] * len(names)
    remaining = [max(0.0, w - a - b) for w, a, b in zip(whole, roofline, tail, strict=True)]
    for part, colour, widths in zip(_PARTS, _COLOURS, (roofline, tail, remaining), strict=True):
        panel.barh(names, widths, left=left, color=colour, label=part)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for i, (row, end) in enumerate(zip(ops.rows, left, strict=True)):
        rate = "" if row.gmacs is None else f"  {row.gmacs:.1f} GMAC/s"
        text = f" {row.seconds * 1e6:.2f} us{rate}"
        panel.text(end, i, text, va="center", fontsize="small")
    by = ops.ceiling
    dot = "no dot product of its own" if by.gmacs is None else (
        f"roofline {by.gmacs:,.0f} GMAC/s ({by.instruction})"
    )  # fmt: skip
    panel.set_title(f"{ops.isa}, {dot}", loc="left", fontsize="medium")
    panel.invert_yaxis()
    panel.margins(x=0.25)
    panel.spines[["top", "right"]].set_visible(False)
