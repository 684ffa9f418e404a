"""Proofs of resize_bilinear: sums of exact fractions, whose rounding is looked at."""

import itertools
import re
from fractions import Fraction

import numpy as np

from .ran import ALL_KINDS, is_tie, kinds_of_ties


def sums(ran):
    """(weights, values, exact value, y) of each output; acc and y are what the clause says."""
    op, found = ran.op, []
    one = 2 ** op["frac_bits"]
    for i, oy, ox, c in np.ndindex(*ran.y.shape):
        w, v = int(op["row_weight"][oy]), int(op["column_weight"][ox])
        rows, columns = ((op[f"{a}0"][o], op[f"{a}1"][o]) for a, o in (("row", oy), ("column", ox)))
        places = itertools.product(zip((one - w, w), rows, strict=True),
                                   zip((one - v, v), columns, strict=True))  # fmt: skip
        terms = [(a * b, int(ran.x[i, y, x, c])) for (a, y), (b, x) in places]
        acc = sum(weight * value for weight, value in terms)
        assert ran.acc[i, oy, ox, c] == acc
        exact = Fraction(acc, one * one)
        y = int(ran.y[i, oy, ox, c])
        assert abs(exact - y) <= Fraction(1, 2)
        if is_tie(exact):
            assert y - exact == Fraction(1 if op["form"] == "up" or exact > 0 else -1, 2)
        found.append((terms, exact, y))
    return found


def ties(ran):
    exact = [e for _, e, _ in sums(ran)]
    assert all(map(is_tie, exact)) and kinds_of_ties(exact) == ALL_KINDS and len(exact) == 255


def quarters(ran):
    exact = [e for _, e, _ in sums(ran)]
    assert kinds_of_ties(exact) == ALL_KINDS
    assert {e % 1 for e in exact} == {Fraction(k, 4) for k in range(4)}


def weights(ran):
    found = sums(ran)
    axis = ran.case.name.removeprefix("weights_")
    assert {0, 1, 2047, 2048} <= set(ran.op[f"{axis}_weight"].tolist())
    assert found[0][2] == -128 and found[-1][2] == 127 and len({e for _, e, _ in found}) == 7


def addresses(ran):
    sums(ran)
    axis = re.sub("addresses_", "", ran.case.name)
    first, second = ran.op[f"{axis}0"].tolist(), ran.op[f"{axis}1"].tolist()
    assert any(a == b for a, b in zip(first, second, strict=True)) and len(set(first)) < len(first)
    assert {np.sign(b - a) for a, b in zip(first, second, strict=True)} == {-1, 0, 1}


def four_values(ran):
    found = sums(ran)
    assert any(len({w for w, _ in terms}) == 4 and all(w for w, _ in terms) for terms, *_ in found)


def sum_end(ran):
    ((_, exact, y),) = sums(ran)
    assert exact == y == (-128 if ran.case.name == "sum_low" else 127)
    assert abs(ran.acc.item()) == abs(y) * 2**22


def no_fraction(ran):
    assert {w for terms, *_ in sums(ran) for w, _ in terms} == {0, 1}
    assert np.array_equal(ran.y, ran.x)


def zero_points(ran):
    sums(ran)
    assert ran.zero == {"x": 127, "y": -128}


PROOFS = {
    "resize_bilinear": {
        r"ties_\w+": ties,
        r"quarters_\w+": quarters,
        r"weights_\w+": weights,
        r"addresses_\w+": addresses,
        "four_values": four_values,
        "sum_(low|high)": sum_end,
        "no_fraction": no_fraction,
        "zero_points": zero_points,
    }
}
