"""The files of a sweep: its rows as comma-separated values and as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ...quantize.choices import Choices
from ...support.file_kinds import SWEEP_COLUMNS
from .sweep import SweepRow, mapping_text


def records(rows: Sequence[SweepRow]) -> list[dict[str, Any]]:
    """Return flat dictionaries: every choice, then every measure."""
    made = []
    for row in rows:
        measures = {f.name: getattr(row, f.name) for f in fields(SweepRow) if f.name != "choices"}
        chosen = {f.name: _plain(getattr(row.choices, f.name)) for f in fields(Choices)}
        made.append({**chosen, **measures})
    return made


def _plain(value: Any) -> Any:
    return mapping_text(value) if isinstance(value, Mapping) else value


def csv_text(rows: Sequence[SweepRow]) -> str:
    """Return the records as comma-separated values with a header."""
    stream = io.StringIO()
    table = records(rows)
    writer = csv.DictWriter(stream, SWEEP_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return stream.getvalue()


def json_text(rows: Sequence[SweepRow]) -> str:
    """Return the records as a JSON array."""
    return json.dumps(records(rows), indent=1) + "\n"
