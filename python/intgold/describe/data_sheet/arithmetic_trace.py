"""Requantize worked through in Python's integers, a line of text for every step (SPEC 4).

Written from the clauses and not from the golden model, which the results are compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...support.quoting import short_repr


@dataclass
class ArithmeticTrace:
    """Lines of arithmetic, and how many summands of a sum they write out."""

    __repr__ = short_repr

    lines: list[str] = field(default_factory=list)
    products: int = 0

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)


def up(p: int, t: int) -> int:
    """Return floor((p + 2^(t-1)) / 2^t); p for t = 0."""
    return (p + (1 << t >> 1)) >> t


def away(p: int, t: int) -> int:
    """Return the nearest of p/2^t, halves away from zero."""
    return -up(-p, t) if p < 0 else up(p, t)


def even(p: int, t: int) -> int:
    """Return the nearest of p/2^t, halves to even."""
    floor, remainder = p >> t, p & ((1 << t) - 1)
    half = 1 << t >> 1
    return floor + (remainder > half or (remainder == half and t > 0 and floor & 1))


def down(p: int, t: int) -> int:
    """Return the floor of p/2^t."""
    return p >> t


def zero(p: int, t: int) -> int:
    """Return p/2^t without its fraction."""
    return -(-p >> t) if p < 0 else p >> t


def significand(p: int, bits: int) -> int:
    """Return p with `bits` significant bits, ties to even."""
    surplus = max(abs(p).bit_length() - bits, 0)
    return even(p, surplus) << surplus


def float32_of(bits: int) -> int:
    """Return the float32 of these bits, not negative, in units of 2^-149 (SPEC 5.17)."""
    return bits if bits < 1 << 23 else ((1 << 23) + (bits & 0x7FFFFF)) << (bits >> 23) - 1


_EXP_OF_MINUS_POWER = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-2^(b-26)) in Q0.31 for b from 24 (SPEC 5.10.2)."""


def exp_of(a: int) -> int:
    """Return EXP(a), Q5.26 to Q0.31, for a <= 0 (SPEC 5.10.2 and 5.10.3)."""
    if a == 0:
        return 2**31 - 1
    r = a % 2**24 - 2**24
    z = 32 * r + 2**28
    z2 = up(z * z, 31)
    z3, z4 = up(z2 * z, 31), away(up(z2 * z2, 31), 2)
    p = away(up((z4 + z3) * 715827883, 31) + z2, 1)
    v = 1895147668 + up(1895147668 * (z + p), 31)
    for i, factor in enumerate(_EXP_OF_MINUS_POWER):
        if (r - a) >> (24 + i) & 1:
            v = up(v * factor, 31)
    return v


def reciprocal(c: int) -> int:
    """Return REC(c) = 1/(1 + c) in Q0.31 (SPEC 5.10.4)."""
    h = (c + 2**31) // 2
    v = 1515870810 + up(h * -1010580540, 31)
    for _ in range(3):
        v += _saturated(4 * up(v * (2**29 - up(h * v, 31)), 31))
    return _saturated(2 * v)


def _saturated(a: int) -> int:
    return max(-(2**31), min(a, 2**31 - 1))


_SINGLE: dict[str, tuple[Callable[[int, int], int], str]] = {
    "single": (up, "(p + 2^(t-1)) >> t"),
    "single_away": (away, "sign(p) * ((|p| + 2^(t-1)) >> t)"),
    "single_even": (even, "p / 2^t to the nearest, ties to even"),
    "single_down": (down, "p >> t"),
    "single_zero": (zero, "sign(p) * (|p| >> t)"),
}


def formula(form: str) -> str:
    """Return what R(acc) is, in one line; >> is the arithmetic shift (floor)."""
    if form in _SINGLE:
        return f"p = acc*m;  R = {_SINGLE[form][1]}"
    return {
        "double": "h = (acc*2^max(31-t,0)*m + 2^30) >> 31;  s = max(t-31,0);  "
        "R = sign(h) * ((|h| + 2^(s-1)) >> s), h for s = 0",
        "double_up": "h = (acc*2^max(31-t,0)*m + 2^30) >> 31;  s = max(t-31,0);  "
        "R = (h + 2^(s-1)) >> s, h for s = 0",
        "float32": "a = sig24(acc);  p = sig24(a*m);  R = p / 2^t to the nearest, ties to even; "
        "sig24 keeps 24 significant bits, ties to even",
        "float64": "p = sig53(acc*(m*2^22 + low));  R = p / 2^(t+22) to the nearest, ties away "
        "from zero; sig53 keeps 53 significant bits, ties to even",
    }[form]


def trace_requantize(steps: ArithmeticTrace, acc: int, form: str, m: int, t: int, low: int) -> int:
    """Return R(acc), saying every step."""
    if form in _SINGLE:
        rounded, _ = _SINGLE[form]
        p = acc * m
        made = rounded(p, t)
        steps.say(f"p = {acc} * {m} = {p}")
        steps.say(f"R = {p} / 2^{t} = {_quotient(p, t)}, {form}: {made}")
        return made
    if form in ("double", "double_up"):
        left, right = max(31 - t, 0), max(t - 31, 0)
        h = up((acc << left) * m, 31)
        made = (away if form == "double" else up)(h, right)
        steps.say(f"h = ({acc} * 2^{left} * {m} + 2^30) >> 31 = {h}")
        steps.say(f"R = {h} / 2^{right} = {_quotient(h, right)}, {form}: {made}")
        return made
    if form == "float32":
        a = significand(acc, 24)
        p = significand(a * m, 24)
        made = even(p, t)
        steps.say(f"a = sig24({acc}) = {a};  p = sig24({a} * {m}) = {p}")
        steps.say(f"R = {p} / 2^{t} = {_quotient(p, t)}, ties to even: {made}")
        return made
    d = (m << 22) + low
    p = significand(acc * d, 53)
    made = away(p, t + 22)
    steps.say(f"p = sig53({acc} * {d}) = {p}")
    steps.say(f"R = {p} / 2^{t + 22} = {_quotient(p, t + 22)}, ties away: {made}")
    return made


def _quotient(p: int, t: int) -> str:
    """Return p/2^t with four decimals cut off, in integers."""
    whole, remainder = divmod(abs(p), 1 << t)
    return f"{'-' if p < 0 else ''}{whole}.{remainder * 10_000 >> t:04d}.."


def some_of(values: list[int]) -> str:
    """Return the first of some values, and how many there are."""
    more = f", ... ({len(values)} in all)" if len(values) > 16 else ""
    return ", ".join(map(str, values[:16])) + more


def clamped(steps: ArithmeticTrace, value: int, zero_point: int, lo: int, hi: int) -> int:
    """Return ``clamp(zero_point + value, lo, hi)``, saying it."""
    made = max(lo, min(zero_point + value, hi))
    steps.say(f"y = clamp({zero_point} + {value}, {lo}, {hi}) = {made}")
    return made
