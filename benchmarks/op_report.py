"""The tables of ops.py, and which of their rows are weak."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from op_models import Case

ORT = "onnxruntime"
WEAK = 0.5
"""Of the median per cent of the roofline in the op's group: below it a figure is weak."""


@dataclass
class Row:
    """What was measured of one op: microseconds by way, a variant or `ORT`."""

    case: Case
    us: dict[str, float] = field(default_factory=dict)
    ort_activations: str = ""

    def rate(self, isa: str) -> float:
        """Return multiply-adds per second, in 10^9."""
        return self.case.products / self.us[isa] / 1e3


@dataclass
class Report:
    """Rows, and the roofline of each variant that has a dot product, in 10^9/s."""

    rows: list[Row]
    isas: list[str]
    rooflines: dict[str, float]

    @property
    def fastest(self) -> str:
        """The variant that runs unless one is asked for, or the newest of those that were."""
        return self.isas[-1]

    def per_cent(self, row: Row, isa: str) -> float | None:
        """Return how near the roofline the op came, if it has products."""
        if not row.case.products or isa not in self.rooflines:
            return None
        return 100 * row.rate(isa) / self.rooflines[isa]

    def median(self, group: str, isa: str) -> float:
        """Return the median per cent of the roofline of a group of ops."""
        found = (self.per_cent(row, isa) for row in self.rows if row.case.group == group)
        return statistics.median([each for each in found if each is not None])

    def weak(self, row: Row, isa: str) -> bool:
        """Return whether the op is far below the others of its group."""
        found = self.per_cent(row, isa)
        return found is not None and found < WEAK * self.median(row.case.group, isa)

    def slower(self, row: Row) -> bool:
        """Return whether ONNX Runtime is faster than the fastest variant."""
        return ORT in row.us and row.us[ORT] < row.us[self.fastest]

    def times(self) -> str:
        """Return the table of microseconds."""
        peer = any(ORT in row.us for row in self.rows)
        lines = [_line("us", [*self.isas, *(["ORT", "ORT/here"] if peer else [])])]
        lines.append("-" * len(lines[0]))
        for row in self.rows:
            cells = [_us(row.us[isa]) for isa in self.isas]
            if ORT in row.us:
                cells += [_us(row.us[ORT]), f"{row.us[ORT] / row.us[self.fastest]:.2f}"]
            elif peer:
                cells += ["-", "-"]
            lines.append(_line(row.case.name, cells, ["<" if self.slower(row) else ""]))
        return "\n".join(lines)

    def rates(self) -> str:
        """Return the table of 10^9 multiply-adds per second and per cents of the roofline."""
        lines = [_line("GMAC/s", self.isas, width=14)]
        lines.append("-" * len(lines[0]))
        for row in self.rows:
            if row.case.products:
                cells = [self._rate(row, isa) for isa in self.isas]
                lines.append(_line(row.case.name, cells, width=14))
        tops = [f"{self.rooflines[i]:.0f}     " if i in self.rooflines else "-     "
                for i in self.isas]  # fmt: skip
        return "\n".join([*lines, _line("roofline", tops, width=14)])

    def _rate(self, row: Row, isa: str) -> str:
        per_cent = self.per_cent(row, isa)
        share = "" if per_cent is None else _share(per_cent)
        return f"{row.rate(isa):.1f} {share:>5}{'*' if self.weak(row, isa) else ' '}"

    def weak_rows(self) -> list[str]:
        """Return a line for each weak row of the fastest variant."""
        isa, lines = self.fastest, []
        for row in self.rows:
            why = []
            if self.weak(row, isa):
                share, median = self.per_cent(row, isa) or 0.0, self.median(row.case.group, isa)
                why.append(
                    f"{_share(share)} of the roofline, the median of {row.case.group} is "
                    f"{_share(median)}"
                )
            if self.slower(row):
                why.append(f"ONNX Runtime takes {_us(row.us[ORT])} us, {isa} {_us(row.us[isa])}")
            best = min(self.isas, key=row.us.__getitem__)
            if row.us[best] < 0.9 * row.us[isa]:
                why.append(f"{best} takes {_us(row.us[best])} us, {isa} {_us(row.us[isa])}")
            if why:
                lines.append(f"{row.case.name}: {'; '.join(why)}")
        return lines

    def as_json(self) -> dict[str, object]:
        """Return every figure."""
        rows = [
            {
                "name": row.case.name,
                "group": row.case.group,
                "products": row.case.products,
                "microseconds": row.us,
                "ort_activations": row.ort_activations or None,
                "gmac_per_second": {i: row.rate(i) for i in self.isas if row.case.products},
                "per_cent_of_roofline": {i: self.per_cent(row, i) for i in self.isas},
                "weak": [isa for isa in self.isas if self.weak(row, isa)],
                "slower_than_ort": self.slower(row),
            }
            for row in self.rows
        ]
        return {"rooflines": self.rooflines, "rows": rows, "weak": self.weak_rows()}


def _line(name: str, cells: list[str], marks: list[str] | None = None, width: int = 11) -> str:
    line = f"{name:32}" + "".join(f"{cell:>{width}}" for cell in cells) + "".join(marks or ())
    return line.rstrip()


def _us(microseconds: float) -> str:
    return f"{microseconds:.{1 if microseconds >= 10 else 2}f}"


def _share(per_cent: float) -> str:
    return f"{per_cent:.{0 if per_cent >= 10 else 1}f}%"
