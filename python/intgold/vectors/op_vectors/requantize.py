"""Requantize by itself (SPEC 4): directed and random operands as lines that a testbench scans.

Multipliers of b bits are ``m_b * 2^(31-b)`` with m_b in [2^(b-1), 2^b - 1], so that the block is
tried with the multipliers that a datapath of b bits has.  The lines have the columns of
`COLUMNS`, in the notation of `op_lines`; comments (``//``) give the reason of what follows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import NamedTuple

import numpy as np

from ...errors import InputError, VectorError
from ...golden.requantize import scale
from ...ops.fields import FORMS, INT32_MAX, INT32_MIN, Requantize
from .lines import LineColumn, read_columns, read_row

COLUMNS = (
    LineColumn("acc", "int32"),
    LineColumn("multiplier", "int32"),
    LineColumn("multiplier_low", "int32"),
    LineColumn("right_shift", "uint8"),
    LineColumn("zero_point", "int8"),
    LineColumn("act_min", "int8"),
    LineColumn("act_max", "int8"),
    LineColumn("r", "int64"),
    LineColumn("y", "int8"),
)

_SHIFTS = range(1, 63)
_OUTPUTS = ((0, -128, 127), (-128, -128, 127), (127, -128, 127), (5, -100, 90), (-7, -7, 127))
"""zero_point, act_min and act_max that take turns; a ReLU among them."""
_CHUNK = 4096
_SEARCH = 3000


class RequantizeLine(NamedTuple):
    """Operands and results of one requantize: R(acc) and the int8 y (SPEC 4.2 and 4.3)."""

    acc: int
    multiplier: int
    multiplier_low: int
    right_shift: int
    zero_point: int
    act_min: int
    act_max: int
    r: int
    y: int


class _RequantizeOperand(NamedTuple):
    """What a line is made of; `d` is m, or m * 2^22 + low in form float64."""

    acc: int
    d: int
    right_shift: int
    output: tuple[int, int, int] | None = None


def requantize_lines(form: str, bits: int, count: int, seed: int) -> Iterator[str]:
    """Return an iterator over the lines of one form, without line ends.

    Directed groups first: multiplier 0, the ends of the accumulator at every right_shift, exact
    ties with both neighbours at every right_shift, what the inner roundings of the form do, zero
    point and clamp.  Then random ones, only from `random.Random(seed).getrandbits`; the order of
    the draws of a line is that of `_draw`.  An accumulator that a double form shifts left first
    fits int32 when it is shifted (SPEC 4.2.2).

    Parameters
    ----------
    form : str
        Out of `FORMS`.
    bits : int
        Significant bits of the multipliers: 1 to 31; 24 in form float32, 53 in form float64.
    count : int
        Random lines, 0 to 2^24.
    seed : int
        In [0, 2^31).

    Raises
    ------
    InputError
        Naming the argument that is out of its range.
    """
    if form not in FORMS:
        raise InputError(f"form: {form!r} is none of {', '.join(FORMS)}")
    only = {"float32": 24, "float64": 53}.get(form)
    if only is not None and bits != only:
        raise InputError(f"bits: form {form} has multipliers of {only} bits only, not {bits!r}")
    for name, value, lo, hi in (
        ("bits", bits, 1, only or 31),
        ("count", count, 0, 2**24),
        ("seed", seed, 0, 2**31 - 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not lo <= value <= hi:
            raise InputError(f"{name}: {value!r} is not a number from {lo} to {hi}")
    return _lines(_FormCases(form, bits), count, seed)


class _FormCases:
    """A form with multipliers of some bits: what its directed operands depend on."""

    def __init__(self, form: str, bits: int) -> None:
        self.form, self.bits = form, bits
        self.double = form.startswith("double")
        self.extra = 22 if form == "float64" else 0
        """Bits below right_shift that the product has."""

    def place(self, m_b: int) -> int:
        """Return the multiplier of these significant bits in its full width."""
        return m_b << (31 + self.extra - self.bits)

    def multipliers(self) -> list[int]:
        """Return the ends, odd ones and a third; of 4 bits and fewer, all."""
        low, high = 2 ** (self.bits - 1), 2**self.bits - 1
        if self.bits <= 4:
            chosen = set(range(low, high + 1))
        else:
            chosen = {low, low | 1, low | 3, low + low // 3 | 1, high & ~2, high - 1, high}
        return [self.place(m_b) for m_b in sorted(chosen)]

    def limits(self, t: int) -> tuple[int, int]:
        """Return the smallest and largest accumulator that the form takes at this right_shift."""
        return (-(2**t), 2**t - 1) if self.double and t < 31 else (INT32_MIN, INT32_MAX)

    def fits(self, acc: int, t: int) -> bool:
        """Return whether the form takes this accumulator."""
        lo, hi = self.limits(t)
        return lo <= acc <= hi

    def groups(self) -> Iterator[tuple[str, list[_RequantizeOperand]]]:
        """Yield (reason, operands) of each directed group."""
        yield (
            "multiplier 0: a dead channel gives the zero point",
            [_RequantizeOperand(a, 0, t) for t in _SHIFTS for a in self._ends(t)],
        )
        yield (
            "the ends of the accumulator at every right_shift",
            [
                _RequantizeOperand(a, d, t)
                for d in self.multipliers()
                for t in _SHIFTS
                for a in self._ends(t)
            ],
        )
        for reason, distance in (
            ("exact ties of both signs", 0),
            ("one below a tie", -1),
            ("one above a tie", 1),
        ):
            yield (
                f"{reason}, both parities, at every right_shift with such ties",
                self._ties(distance),
            )
        if self.double:
            yield "ties of the first rounding", self._first_ties()
            yield "the first rounding produces a tie that was not there", self._made_ties()
        if self.form.startswith("float"):
            yield (
                "accumulators that 24 bits do not hold, and their neighbours",
                self._significands(),
            )
            yield "products half-way between two significands", self._product_ties()
            yield (
                "multipliers nearest to a third: products next to a tie, or one once rounded",
                self._thirds(),
            )
        yield (
            "the zero point is added before the clamp; act_min = act_max",
            [
                _RequantizeOperand(a, self.place(2 ** (self.bits - 1)), 30, output)
                for output in (
                    *_OUTPUTS,
                    (0, 7, 7),
                    (-128, -128, -128),
                    (127, 127, 127),
                    (0, -3, 5),
                )
                for a in (-300, -256, -255, -129, -128, -127, -4, -3, -1, 0, 1, 5, 6, 127, 128, 255)
            ],
        )

    def _ends(self, t: int) -> list[int]:
        lo, hi = self.limits(t)
        return sorted({lo, lo + 1, -1, 0, 1, hi - 1, hi})

    def _ties(self, distance: int) -> list[_RequantizeOperand]:
        """Return operands whose product is an odd multiple of 2^(t-1), or next to one."""
        found = []
        for d in self.multipliers():
            zeros = (d & -d).bit_length() - 1
            for t in _SHIFTS:
                exponent = t + self.extra - 1 - zeros
                odd = (1, -1, 3, -3, 5, -5) if exponent >= 0 else ()
                accs = [(k << exponent) + distance for k in odd]
                found += [_RequantizeOperand(a, d, t) for a in accs if self.fits(a, t)]
        return found

    def _first_ties(self) -> list[_RequantizeOperand]:
        """Return operands with acc * 2^max(31-t, 0) * m an odd multiple of 2^30."""
        found = []
        for d in self.multipliers():
            zeros = (d & -d).bit_length() - 1
            for t in _SHIFTS:
                exponent = 30 - zeros - max(31 - t, 0)
                accs = [k << exponent for k in (1, -1, 3, -3)] if exponent >= 0 else []
                found += [_RequantizeOperand(a, d, t) for a in accs if self.fits(a, t)]
        return found

    def _made_ties(self) -> list[_RequantizeOperand]:
        """Return operands whose h is half-way for the second rounding, but not their product."""
        found = []
        for d in self.multipliers():
            for t in range(32, 38):
                for sign in (1, -1):
                    made = (a for a in range(sign, sign * _SEARCH, sign) if _made_tie(a * d, t))
                    found += [_RequantizeOperand(a, d, t) for a in islice(made, 2)]
        return found

    def _significands(self) -> list[_RequantizeOperand]:
        bases = (2**24, 3 * 2**23, 2**25, 3 * 2**24, 2**30)
        accs = [s * (b + k) for b in bases for k in range(-3, 8) for s in (1, -1)]
        d = self.place(2 ** (self.bits - 1))
        return [_RequantizeOperand(a, d, t) for t in (30, 31, 54, 55, 56, 60) for a in accs]

    def _product_ties(self) -> list[_RequantizeOperand]:
        """Return small accumulators whose product has its rounded-off bits at exactly a half."""
        found = []
        for d in self.multipliers():
            tied = (a for a in range(1, _SEARCH) if _half_lost(a * d, self.bits))
            for a in islice(tied, 4):
                first = (a * d).bit_length() - self.extra - 6
                shifts = range(min(max(first, 1), 56), min(max(first, 1), 56) + 7)
                found += [_RequantizeOperand(s * a, d, t) for t in shifts for s in (1, -1)]
        return found

    def _thirds(self) -> list[_RequantizeOperand]:
        below = 2 ** (self.bits + 1) // 3
        pairs = [(a << k, 33 + k) for a in (1, 3, 9, 15) for k in range(0, 24, 3)]
        return [
            _RequantizeOperand(s * a, self.place(m_b), t)
            for m_b in (below, below + 1)
            for a, t in pairs
            for s in (1, -1)
        ]


def _half_lost(product: int, bits: int) -> bool:
    lost = product.bit_length() - bits
    return lost > 0 and product % 2**lost == 2 ** (lost - 1)


def _made_tie(product: int, t: int) -> bool:
    h, step, half = (product + 2**30) >> 31, 1 << (t - 31), 1 << (t - 32)
    return h % step == half and product % (1 << t) != 1 << (t - 1)


def _draw(block: _FormCases, rng: Random) -> _RequantizeOperand:
    """Draw acc (32 bits, shifted right by 5), m_b, right_shift, zero point and clamp."""
    word = rng.getrandbits(32)
    acc = (word - ((word >> 31) << 32)) >> rng.getrandbits(5)
    d = block.place(rng.getrandbits(block.bits) | 2 ** (block.bits - 1))
    t = 1 + rng.getrandbits(6) % 62
    if rng.getrandbits(1):  # so that R is of the size of int8
        t = min(max((abs(acc) * d).bit_length() - block.extra - 8 + rng.getrandbits(2), 1), 62)
    if not block.fits(acc, t):
        acc >>= 31 - t
    zero, a, b = (rng.getrandbits(8) - 128 for _ in range(3))
    clamp = (min(a, b), max(a, b)) if rng.getrandbits(1) else (-128, 127)
    return _RequantizeOperand(acc, d, t, (zero, *clamp))


def _lines(block: _FormCases, count: int, seed: int) -> Iterator[str]:
    yield f"// requantize, form {block.form}, multipliers of {block.bits} bits"
    yield f"// columns: {' '.join(map(str, COLUMNS))}"
    for reason, operands in block.groups():
        if operands:
            yield f"// {reason}"
            yield from _formatted(block, operands)
    if count:
        yield f"// {count} random ones of seed {seed}"
    rng = Random(seed)
    for start in range(0, count, _CHUNK):
        drawn = [_draw(block, rng) for _ in range(min(_CHUNK, count - start))]
        yield from _formatted(block, drawn)


def _formatted(block: _FormCases, operands: list[_RequantizeOperand]) -> Iterator[str]:
    accs, ds, shifts = (np.array([o[i] for o in operands], np.int64) for i in range(3))
    multipliers, lows = ds >> block.extra, ds & (2**block.extra - 1)
    outputs = np.array(
        [o.output or _OUTPUTS[i % len(_OUTPUTS)] for i, o in enumerate(operands)], np.int64
    )
    r = scale(accs.astype(np.int32), Requantize.of(multipliers, shifts, block.form, lows))
    zero, act_min, act_max = outputs.T
    y = np.clip(zero + r, act_min, act_max)
    values = (accs, multipliers, lows, shifts, zero, act_min, act_max, r, y)
    words = np.stack([c.unsigned(v).ravel() for c, v in zip(COLUMNS, values, strict=True)], 1)
    layout = " ".join(column.layout for column in COLUMNS)
    for row in words.tolist():
        yield layout % tuple(row)


def read_requantize_lines(text: str) -> list[tuple[str, RequantizeLine]]:
    """Return (reason, line) of every line of a text that `requantize_lines` wrote.

    Raises
    ------
    VectorError
        Naming the line and what is wrong with it.
    """
    found: list[tuple[str, RequantizeLine]] = []
    reason, declared = "", False
    for number, line in enumerate(text.splitlines(), 1):
        where = f"line {number}"
        if line.startswith("// columns: "):
            if read_columns(line, where) != COLUMNS:
                raise VectorError(f"{where}: other columns than {' '.join(map(str, COLUMNS))}")
            declared = True
        elif line.startswith("//"):
            reason = line.removeprefix("//").strip()
        elif line.strip():
            if not declared:
                raise VectorError(f"{where}: a line before the columns")
            found.append((reason, RequantizeLine(**read_row(COLUMNS, line, where))))  # type: ignore[arg-type]
    if not found:
        raise VectorError("no line: a text of requantize cases is needed")
    return found
