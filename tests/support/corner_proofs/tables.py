"""Proofs of lut and pwl."""

import itertools
from fractions import Fraction

import slow_oracle
from intgold.ops.fields import INT32_MAX

from .ran import ALL_KINDS, HALF, clamped_by_one, is_tie, kinds_of_ties, one_value


def lut(ran):
    """Every entry is read exactly once, and any other index gives another answer."""
    table = ran.op["table"].tolist()
    assert sorted(ran.x.ravel().tolist()) == list(range(-128, 128))
    assert ran.y.ravel().tolist() == [table[v + 128] for v in ran.x.ravel()]
    if ran.case.name == "last_bit":
        assert all(a != b for a, b in itertools.pairwise(table))
    else:
        assert sorted(table) == list(range(-128, 128))


def segments(ran):
    """(k, acc) of each input by the definition."""
    points, slope, offset = (ran.op[n].tolist() for n in ("breakpoints", "slope", "offset"))
    found = []
    for x in ran.x.ravel().tolist():
        k = max(i for i, b in enumerate(points) if b <= x)
        found.append((k, slope[k] * x + offset[k]))
    assert [a for _, a in found] == ran.acc.ravel().tolist()
    return found


def pwl_values(ran):
    """acc as an exact fraction of 2^frac_bits."""
    return [Fraction(a, 2 ** ran.op["frac_bits"]) for _, a in segments(ran)]


def breakpoints(ran):
    """Each breakpoint with both neighbours; one segment early or late shows in y."""
    points, xs = ran.op["breakpoints"].tolist(), ran.x.ravel().tolist()
    wanted = {b + d for b in points for d in (-1, 0, 1)} - {-129, 128}
    assert wanted <= set(xs) and {k for k, _ in segments(ran)} == set(range(len(points)))
    for k in range(1, len(points)):
        for x, wrong in ((points[k], k - 1), (points[k] - 1, k)):
            acc = int(ran.op["slope"][wrong]) * x + int(ran.op["offset"][wrong])
            y = slow_oracle.clamp(slow_oracle.up(acc, ran.op["frac_bits"]), -128, 127)
            assert y != ran.y.ravel()[xs.index(x)]


def segment_count(ran):
    count = {"one_segment": 1, "segment_per_value": 256}[ran.case.name]
    assert ran.op["slope"].size == count and {k for k, _ in segments(ran)} == set(range(count))
    assert ran.x.size == 256


def frac_bits_0(ran):
    values = pwl_values(ran)
    assert ran.op["frac_bits"] == 0 and max(values) > 127 and min(values) < -128
    assert {-128, 127} <= set(ran.y.ravel().tolist())


def frac_bits_15(ran):
    values = pwl_values(ran)
    assert ran.op["frac_bits"] == 15 and set(ran.op["slope"].tolist()) == {2**15 - 1, -(2**15)}
    assert all(map(is_tie, values[128:])) and not any(map(is_tie, values[:128]))
    assert all(abs(v % 1 - HALF) < Fraction(1, 2**7) for v in values[:128])


def pwl_ties(ran):
    assert kinds_of_ties(pwl_values(ran)) == ALL_KINDS


def pwl_near_ties(ran):
    step, found = Fraction(1, 2 ** ran.op["frac_bits"]), set()
    for value in pwl_values(ran):
        for d in (-1, 0, 1):
            tie = value - d * step
            if is_tie(tie):
                found.add((d, tie < 0, tie.numerator // tie.denominator % 2))
    assert found == {(d, *kind) for d in (-1, 0, 1) for kind in ALL_KINDS}


def proof_ends(ran):
    """Each segment is at the limit of the rule, and sum and half reach the end of it."""
    bits = ran.op["frac_bits"]
    half = 2 ** (bits - 1) if bits else 0
    for s, o in zip(ran.op["slope"].tolist(), ran.op["offset"].tolist(), strict=True):
        assert abs(s) * 128 + abs(o) + half == INT32_MAX
    assert {-(2**15), 2**15 - 1} == set(ran.op["slope"].tolist()) and bits in (0, 15)
    if "low" in ran.case.name:
        assert ran.acc.min() == -(INT32_MAX - half)
    else:
        assert ran.acc.max() + half == INT32_MAX


def pwl_narrow_clamp(ran):
    clamped_by_one(ran, pwl_values(ran))


def pwl_one_value(ran):
    one_value(ran, pwl_values(ran))


PROOFS = {
    "lut": {r"identity|reversed|permutation|last_bit|image": lut},
    "pwl": {
        "breakpoints": breakpoints,
        "one_segment|segment_per_value": segment_count,
        "frac_bits_0": frac_bits_0,
        "frac_bits_15": frac_bits_15,
        "ties": pwl_ties,
        "near_ties": pwl_near_ties,
        r"proof_(ends|low)_(0|15)": proof_ends,
        "narrow_clamp": pwl_narrow_clamp,
        "one_value_clamp": pwl_one_value,
    },
}
