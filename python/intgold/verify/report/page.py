"""The report as one HTML page: why, the first wrong value, maps, histogram, every array."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...document.blocks import DocumentBlock, Heading, Remark, Section
from ...document.html_page import to_html
from ...support.file_kinds import REPORT
from ...support.safe_files import replacing
from ..comparison import array_table, error_spread, first_place, first_value, outcome, stray_words
from .maps import error_maps, histogram, legend
from .verification_report import VerificationReport


def write_page(report: VerificationReport, path: str | os.PathLike[str]) -> None:
    """Write the page.

    Raises
    ------
    IntgoldError
        When the file cannot be written, or one that is there and not empty is no such page or was
        changed.
    """
    with replacing(path, REPORT) as file:
        file.write(to_html(page_blocks(report), "verify").encode())


def page_blocks(report: VerificationReport) -> list[DocumentBlock]:
    """Return what the page says: all that the text says, pictures, and where the text is brief."""
    comparison, model = report.comparison, report.dump.plan.model
    return [
        Heading(f"{model.name}: device against golden model"),
        Remark(f"{report.dump.plan.count} images; model {model.sha256[:16]}", "soft"),
        outcome(comparison),
        *stray_words(comparison),
        *_differences(report),
        Heading("Every array", 2),
        array_table(comparison),
    ]


def _differences(report: VerificationReport) -> Iterator[DocumentBlock]:
    first, comparison = report.comparison.first, report.comparison
    if first is None:
        return
    if why := report.explanation():
        yield Heading(f"Why op {first.op} differs", 2)
        yield from why
    yield Heading("The first wrong value", 2)
    yield Section(first_place(first), tuple(first_value(first)))
    yield from report.arithmetic()
    tally = next(
        c.tally for c in comparison.comparisons if (c.op, c.role) == (first.op, first.role)
    )
    where, by_how_much = error_spread(comparison)
    yield Heading(f"Where {first.op} differs", 2)
    yield where
    if tally.places is not None:
        yield Remark(legend(tally.places, report.dump.plan.count), "soft")
        yield from error_maps(tally.places)
    yield Heading("Got - expected", 2)
    yield by_how_much
    yield histogram(tally.histogram())
