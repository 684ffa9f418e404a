"""What a benchmark found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..support.moved import renamed
from ..support.quoting import short_repr
from .ops import Ops, OpTime
from .throughput import DotRate, Rate


@dataclass(frozen=True)
class BenchReport:
    """All figures of one run.

    Parameters
    ----------
    about : dict of str to str
        See `intgold.run.environment.about`.
    model, sha256 : str
    macs : int
        Multiply-adds of one image, padded ones included.
    rounds : int
    rates : tuple of Rate
    dots : tuple of DotRate
    ops : tuple of Ops
        One for each variant.
    """

    __repr__ = short_repr

    about: dict[str, str]
    model: str
    sha256: str
    macs: int
    rounds: int
    rates: tuple[Rate, ...]
    dots: tuple[DotRate, ...]
    ops: tuple[Ops, ...]

    def __str__(self) -> str:
        return "\n".join(
            [*self._head(), "", *self._rates(), *(line for o in self.ops for line in self._ops(o))]
        )

    def document(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold; times are seconds."""
        document = asdict(self)
        for ops in document["ops"]:  # the key of version 0.1 stays
            ops["ceiling"]["finish_seconds"] = ops["ceiling"]["requantize_seconds"]
        return document

    def _head(self) -> Iterator[str]:
        yield f"{self.model}, {self.macs:,} multiply-adds an image; best of {self.rounds} rounds"
        for name in ("intgold", "CPU", "engine"):
            yield f"{name:9}{self.about[name]}"

    def _rates(self) -> Iterator[str]:
        batches = list(dict.fromkeys(rate.batch for rate in self.rates))
        found = {(r.isa, r.threads, r.batch): r.images_per_second for r in self.rates}
        dots = {(d.isa, d.threads): d.macs_per_second for d in self.dots}
        head = f"{'images/s':13}{'threads':>8}" + "".join(f"{f'batch {b}':>14}" for b in batches)
        several = any(rate.threads > 1 for rate in self.rates)
        head += f"{'x 1 thread':>14}{'dot product':>14}" if several else ""
        yield from (head, "-" * len(head))
        for isa, threads in dict.fromkeys((r.isa, r.threads) for r in self.rates):
            cells = [_number(found.get((isa, threads, b)), ",.0f") for b in batches]
            if several:
                most = max(batches)
                cells += [
                    _number(_times(found.get((isa, threads, most)), found.get((isa, 1, most)))),
                    _number(_times(dots.get((isa, threads)), dots.get((isa, 1)))),
                ]
            yield f"{isa:13}{threads:8}" + "".join(f"{cell:>14}" for cell in cells)

    def _ops(self, ops: Ops) -> Iterator[str]:
        by = ops.ceiling
        parts = [f"requantize {form} {s * 1e9:.3f} ns" for form, s in by.requantize_seconds.items()]
        dot = "no dot product of its own" if by.gmacs is None else (
            f"roofline {by.gmacs:,.0f} GMAC/s, {by.instruction}"
        )  # fmt: skip
        yield ""
        yield f"{ops.isa}: {dot}; a value: {', '.join(parts)}, table {by.lut_seconds * 1e9:.3f} ns"
        width = max(len("all"), *(len(row.name) for row in ops.rows))
        head = (
            f"{'op':{width}}{'us':>9}{'share':>8}{'MACs':>12}{'GMAC/s':>9}{'of roofline':>13}"
            f"{'roofline+tail us':>18}{'of it':>7}"
        )
        yield from (head, "-" * len(head))
        for row in ops.rows:
            yield self._row(row, width, ops.seconds)
        yield self._row(total(ops), width, ops.seconds)

    @staticmethod
    def _row(row: OpTime, width: int, seconds: float) -> str:
        rate = "-" if row.gmacs is None else f"{row.gmacs:.1f}"
        of_roofline = _share(row.roofline if row.macs else None, row.seconds)
        bound = "-" if row.bound is None else f"{row.bound * 1e6:.2f}"
        return (
            f"{row.name:{width}}{row.seconds * 1e6:9.2f}{row.seconds / seconds:8.1%}"
            f"{f'{row.macs:,}' if row.macs else '-':>12}{rate:>9}{of_roofline:>13}{bound:>18}"
            f"{_share(row.bound, row.seconds):>7}"
        )


def total(ops: Ops) -> OpTime:
    """Return the sum of all rows; its tail is that of the rows which have one."""
    known = ops.ceiling.dot_seconds is not None
    return OpTime(
        "all", ops.seconds, sum(row.macs for row in ops.rows),
        sum(row.roofline or 0.0 for row in ops.rows) if known else None,
        sum(row.tail or 0.0 for row in ops.rows),
    )  # fmt: skip


def _number(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def _times(rate: float | None, of: float | None) -> float | None:
    return None if rate is None or of is None else rate / of


def _share(part: float | None, seconds: float) -> str:
    return "-" if part is None or seconds <= 0 else f"{part / seconds:.1%}"


__getattr__ = renamed(__name__)
