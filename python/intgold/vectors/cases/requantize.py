"""Directed operands of requantize, each group with its reason, for every form (SPEC 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from ...golden.requantize import scale
from ...ops.fields import FORMS, INT32_MAX, INT32_MIN, Requantize

Operand = tuple[int, int, int, int]
"""acc, multiplier, right_shift, multiplier_low."""

_ENDS = (INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX)
_SIGNIFICAND = (2**24 - 1, 2**24, 2**24 + 1, 2**24 + 2, 2**24 + 3, 2**25 + 2, 2**25 + 6)


def _both_signs(values: tuple[int, ...] | range) -> list[int]:
    return [s * v for v in values for s in (1, -1)]


def requantize_groups(form: str) -> Iterator[tuple[str, list[Operand]]]:
    """Yield (reason, operands) of one form."""
    low = 2**22 - 1 if form == "float64" else 0
    most = 2**31 - 128 if form == "float32" else 2**31 - 1
    double = form.startswith("double")
    yield "multiplier 0: a dead channel gives 0", [(a, 0, 31, 0) for a in _ENDS]
    yield (
        "ends of int32 by the least and greatest multiplier",
        [(a, m, t, 0) for a in _ENDS for m in (2**30, most) for t in (31, 32, 62)],
    )
    if not double:
        yield (
            "the least right_shift: the product is far beyond int32",
            [(a, m, 1, 0) for a in _ENDS for m in (2**30, most)],
        )
    else:
        yield (
            "right_shift below 31: the accumulator is shifted left first",
            [(a, m, t, 0) for a in (-127, -1, 1, 127) for m in (2**30, most) for t in (8, 24, 30)],
        )
    yield (
        "exact ties: an odd accumulator by a half, both signs, both parities",
        [(a, 2**30, 31, 0) for a in _both_signs(range(1, 16, 2))],
    )
    yield (
        "exact ties one and two shifts further right",
        [(a << s, 2**30, 31 + s, 0) for a in _both_signs(range(1, 16, 2)) for s in (1, 2)],
    )
    yield (
        "one below and one above a tie",
        [((a << 8) + d, 2**30, 39, 0) for a in _both_signs(range(1, 8, 2)) for d in (-1, 1)],
    )
    yield (
        "accumulators of 24 and 25 bits: float32 rounds them first",
        [(a, 2**30, t, 0) for a in _both_signs(_SIGNIFICAND) for t in (31, 34)],
    )
    yield (
        "a full significand: products that need their second rounding",
        [(a, most, t, low) for a in _both_signs((3, 255, 65537, 2**24 - 3)) for t in (31, 40, 46)],
    )
    rng = Random(FORMS.index(form))
    mask = ~0x7F if form == "float32" else ~0
    yield (
        "random operands of a layer's size",
        [
            (
                rng.randint(-(2**20), 2**20),
                rng.randrange(2**30, 2**31) & mask,
                rng.randint(34, 44),
                rng.randrange(2**22) if low else 0,
            )
            for _ in range(200)
        ],
    )


def tie_operands() -> list[Operand]:
    """Return operands whose product is an exact half, for narrow multipliers (SPEC 4.4)."""
    operands = []
    for bits in range(1, 9):
        for m_b in sorted({2 ** (bits - 1) | 1, 2**bits - 1}):
            m, t = m_b << (31 - bits), 31 - bits + 4
            # acc * m_b odd multiples of 8: halves of 2^4.
            operands += [(8 * a, m, t, 0) for a in _both_signs(range(1, 24, 2)) if m_b % 2]
    return operands


def case_lines(form: str, groups: Iterator[tuple[str, list[Operand]]]) -> bytes:
    """Return hexadecimal lines, one case each: acc, multiplier, low, right_shift, R(acc).

    Two's complement; 32, 32, 24, 8 and 64 bits.  Reasons stand before their cases as comments.
    """
    lines = [f"// requantize, form {form}: acc multiplier multiplier_low right_shift R(acc)"]
    for reason, operands in groups:
        lines.append(f"// {reason}")
        for acc, m, t, low in operands:
            by = Requantize.of(m, t, form, low)
            result = int(scale(np.array([acc], np.int32), by)[0])
            words = (acc & 0xFFFFFFFF, m, low, t, result & 0xFFFFFFFFFFFFFFFF)
            lines.append("{:08x} {:08x} {:06x} {:02x} {:016x}".format(*words))
    return "\n".join(lines).encode() + b"\n"


def read_case_lines(data: bytes) -> list[tuple[int, int, int, int, int]]:
    """Return (acc, multiplier, right_shift, multiplier_low, R(acc)) of every case."""
    cases = []
    for line in data.decode("ascii").splitlines():
        if not line.startswith("//"):
            acc, m, low, t, result = (int(word, 16) for word in line.split())
            acc, result = acc - ((acc >> 31) << 32), result - ((result >> 63) << 64)
            cases.append((acc, m, t, low, result))
    return cases
