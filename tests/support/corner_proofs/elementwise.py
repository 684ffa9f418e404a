"""Proofs of the ops with two inputs."""

import itertools
import re

import numpy as np

import slow_oracle
from intgold.ops.fields import INT32_MAX

from .ran import ALL_KINDS, clamped_by_one, exact, is_tie, kinds_of_ties, one_value


def operands(ran):
    """The centred values of both inputs, flat."""
    centred = []
    for name in ran.op.inputs:
        values = ran.case.x[name].astype(np.int64).ravel()
        centred.append((values - ran.model.tensor(name).zero_point).tolist())
    return centred


def summands(ran):
    """((c1, c2), (u1, u2), acc, y) of every value; acc is checked by the third opinion."""
    found = []
    first, second = ran.entries("requantize1")[0], ran.entries("requantize2")[0]
    rows = zip(*operands(ran), ran.acc.ravel().tolist(), ran.y.ravel().tolist(), strict=True)
    for a, b, acc, y in rows:
        shifted = [v << ran.op["left_shift"] for v in (a, b)]
        u = [slow_oracle.scale(v, *e) for v, e in zip(shifted, (first, second), strict=True)]
        joined = {
            "shared_scale": sum(u),
            "shared_scale_difference": u[0] - u[1],
            "shared_scale_squared_difference": (u[0] - u[1]) ** 2,
        }
        assert joined[ran.op["form"]] == acc
        found.append((shifted, u, acc, y))
    return found


def add_saturation(ran):
    sums = {acc + ran.zero["y"] for _, _, acc, _ in summands(ran)}
    wanted = {128, -129} if ran.case.name == "by_one" else {-256, 254}
    assert wanted <= sums and {-128, 127} <= set(ran.y.ravel().tolist())


def add_ties(ran):
    """Ties only in the named requantize; the two others are exact."""
    _, place, form = re.fullmatch(r"(ties)_(requantize\d?)_(\w+)", ran.case.name).groups()
    values = {"requantize1": [], "requantize2": [], "requantize": []}
    for (a, b), _, acc, _ in summands(ran):
        for name, value in (("requantize1", a), ("requantize2", b), ("requantize", acc)):
            values[name].append(exact(value, ran.entries(name)[0]))
    assert ran.entries(place)[0][0] == form
    assert kinds_of_ties(values.pop(place)) == ALL_KINDS
    assert all(v.denominator == 1 for others in values.values() for v in others)


def three_roundings(ran):
    form = ran.case.name.removeprefix("three_roundings_")
    assert {e[0] for n in ("requantize1", "requantize2", "requantize") for e in ran.entries(n)} == {
        form
    }
    rounded = set()
    for (a, b), _, acc, _ in summands(ran):
        entries = [ran.entries(n)[0] for n in ("requantize1", "requantize2", "requantize")]
        rounded.add(tuple(is_tie(exact(v, e)) for v, e in zip((a, b, acc), entries, strict=True)))
    wanted = set(itertools.product((True, False), repeat=3))
    if form in ("single_even", "float32"):  # two ties make an even sum, and no third one
        wanted.remove((True, True, True))
    assert rounded == wanted


def left_shift_0(ran):
    assert ran.op["left_shift"] == 0
    assert any(exact(v[0], ran.entries("requantize1")[0]) % 1 for v, *_ in summands(ran))


def left_shift_22(ran):
    """Both inputs 255 from their zero points: the sum is within a hundredth of an int32 end."""
    low = ran.case.name.endswith("low")
    zero = -128 if low else 127
    assert ran.op["left_shift"] == 22 and ran.zero["x1"] == ran.zero["x2"] == zero
    reach = max(acc if low else -acc for _, _, acc, _ in summands(ran))
    assert len(set(ran.y.ravel().tolist())) > 5
    assert 0.99 * 2**31 < reach <= INT32_MAX


def zero_points_apart(ran):
    assert [ran.zero[n] for n in ("x1", "x2", "y")] == [-128, 127, 127]
    assert {255, -255} <= {acc for _, _, acc, _ in summands(ran)}


def add_dead(ran):
    rows = summands(ran)
    if ran.case.name == "dead":
        assert {y for *_, y in rows} == {9} and len({acc for _, _, acc, _ in rows}) > 9
        return
    at = 0 if ran.case.name == "dead_first" else 1
    assert all(u[at] == 0 and acc == shifted[1 - at] for shifted, u, acc, _ in rows)
    assert len({shifted[at] for shifted, *_ in rows}) > 5


def add_one_tensor(ran):
    assert ran.op.inputs == ("x", "x") and ran.acc.ravel().tolist() == (2 * ran.x).ravel().tolist()


def difference_ends(ran):
    accs = {acc for _, _, acc, _ in summands(ran)}
    assert {-255, 255} <= accs and {-128, 127} <= set(ran.y.ravel().tolist())


def difference_ties(ran):
    """The tie is rounded up before its sign changes: a tie of -u2 would give another value."""
    entry = ran.entries("requantize2")[0]
    rows = summands(ran)
    assert kinds_of_ties([exact(b, entry) for (_, b), *_ in rows]) == ALL_KINDS
    ties = [(b, acc) for (_, b), _, acc, _ in rows if is_tie(exact(b, entry))]
    assert all(acc != slow_oracle.scale(-b, *entry) for b, acc in ties)


def difference_of_one_tensor(ran):
    assert ran.op.inputs == ("x", "x") and not ran.acc.any() and (ran.y == -9).all()


def squared_ties(ran):
    """Squares have one sign, and those that are ties lie above even integers."""
    form = ran.case.name.removeprefix("squared_ties_")
    entry = ran.entries()[0]
    assert entry[0] == form and ran.op["form"] == "shared_scale_squared_difference"
    values = [exact(acc, entry) for _, _, acc, _ in summands(ran)]
    assert kinds_of_ties(values) == {(False, 0)}


def squared_ends(ran):
    """The largest square is that of 2^7 * 255, and no other order of halving gives it."""
    accs = {acc for _, _, acc, _ in summands(ran)}
    assert max(accs) == (255 * 2**7) ** 2 and min(accs) == 0
    assert len(set(ran.y.ravel().tolist())) > 5


def squared_saturation(ran):
    reached = {acc + ran.zero["y"] for _, _, acc, _ in summands(ran)}
    assert {6, 127, 255**2 + 6} <= reached
    assert set(ran.y.ravel().tolist()) <= {6, 127} | {r for r in reached if r < 127}


def lut2d(ran):
    """Each value is the entry of its pair; what the reason says of the table holds."""
    x1, x2 = (ran.case.x[n].astype(int) for n in ran.op.inputs)
    table, name = ran.op["table"].astype(int), ran.case.name
    pairs = list(zip(x1.ravel().tolist(), x2.ravel().tolist(), strict=True))
    assert ran.y.ravel().tolist() == [table[a + 128][b + 128] for a, b in pairs]
    if name == "every_pair":
        assert len(set(pairs)) == 65536
        assert (np.diff(table, axis=0) != 0).all() and (np.diff(table, axis=1) != 0).all()
    elif name == "one_tensor":
        assert ran.op.inputs == ("x", "x") and len(set(pairs)) == 256
    elif name == "zero_points":
        assert len({ran.zero[n] for n in ("x1", "x2", "y")}) == 3
    else:
        at = name == "second_only"
        assert ran.y.ravel().tolist() == [pair[at] for pair in pairs]


def elementwise_clamp(ran):
    (one_value if "one_value" in ran.case.name else clamped_by_one)(ran, ran.acc)


def products(ran):
    assert [a * b for a, b in zip(*operands(ran), strict=True)] == ran.acc.ravel().tolist()


def mul_saturation(ran):
    products(ran)
    assert ran.acc.max() == 128 * 128 and ran.acc.min() == -127 * 128
    assert {-128, 127} <= set(ran.y.ravel().tolist())


def mul_ties(ran):
    products(ran)
    entry = ran.entries()[0]
    assert entry[0] == ran.case.name.removeprefix("ties_")
    assert kinds_of_ties([exact(a, entry) for a in ran.acc.ravel().tolist()]) == ALL_KINDS


def mul_zero_points(ran):
    products(ran)
    same = ran.zero["x1"] == ran.zero["x2"]
    assert {ran.zero["x1"], ran.zero["x2"]} <= {-128, 127}
    reach = {True: ran.acc.max(), False: ran.acc.min()}[same]
    assert reach == (1 if same else -1) * 255 * 255


def zero_operand(ran):
    products(ran)
    assert not ran.acc.any() and (ran.y == ran.zero["y"]).all()
    assert all(len(set(values)) > 2 for values in operands(ran))


def mul_vanishes(ran):
    products(ran)
    assert ran.acc.any() and (ran.y == ran.zero["y"]).all()
    entry = ran.entries()[0]
    assert entry[1] == 0 if ran.case.name == "dead" else entry[2] == 62


def mul_one_tensor(ran):
    assert ran.op.inputs == ("x", "x") and np.array_equal(ran.acc, ran.x**2)


def concat(ran):
    """Every value stands where the definition puts it; no two values are equal."""
    names = ran.op.inputs
    parts = [ran.case.x[n].astype(np.int64) for n in names]
    axis = ran.op["axis"] + 1
    first = parts[0].shape[axis]
    for at in np.ndindex(*ran.y.shape):
        second = at[axis] >= first
        origin = [*at]
        origin[axis] -= first * second
        assert ran.y[at] == parts[second][tuple(origin)]
    if ran.case.name.startswith("rank"):
        assert len(set(ran.y.ravel().tolist())) == ran.y.size
        rank, axis_named = (int(d) for d in re.findall(r"\d", ran.case.name))
        assert (ran.y.ndim - 1, ran.op["axis"]) == (rank, axis_named)
        equal = parts[0].shape[axis] == parts[1].shape[axis]
        assert equal == ran.case.name.endswith("equal")
    elif ran.case.name == "one_tensor":
        assert names == ("x", "x")
    else:
        assert len({ran.zero[n] for n in ("x1", "x2", "y")}) == 3


def extremes(ran):
    """Each value is the larger, or the smaller, of two as they are stored."""
    x1, x2 = (ran.case.x[n].astype(np.int64) for n in ran.op.inputs)
    pick = {"maximum": max, "minimum": min}[ran.op.kind]
    pairs = list(zip(x1.ravel().tolist(), x2.ravel().tolist(), strict=True))
    assert ran.y.ravel().tolist() == [pick(pair) for pair in pairs]
    name = ran.case.name
    if name.startswith("next_"):
        assert len(pairs) == 255 and {b - a for a, b in pairs} == {
            1 if name == "next_above" else -1
        }
    elif name == "one_tensor":
        assert ran.op.inputs == ("x", "x") and len(set(pairs)) == 256
    else:
        assert {np.sign(a * b) for a, b in pairs} == {-1, 0, 1} and len(set(pairs)) == 49
        assert len({ran.zero[n] for n in ("x1", "x2", "y")}) == (3 if name == "zero_points" else 1)


PROOFS = {
    "add": {
        "saturation|by_one": add_saturation,
        r"ties_requantize\d?_\w+": add_ties,
        r"three_roundings_\w+": three_roundings,
        "left_shift_0": left_shift_0,
        r"left_shift_22_(low|high)": left_shift_22,
        "zero_points_apart": zero_points_apart,
        r"dead(_first|_second)?": add_dead,
        "one_tensor": add_one_tensor,
        "difference_ends": difference_ends,
        "difference_ties": difference_ties,
        "difference_of_one_tensor": difference_of_one_tensor,
        r"squared_ties_\w+": squared_ties,
        "squared_ends": squared_ends,
        "squared_saturation": squared_saturation,
        r"\w+_clamp": elementwise_clamp,
    },
    "mul": {
        "saturation": mul_saturation,
        r"ties_\w+": mul_ties,
        r"zero_points_\w+": mul_zero_points,
        "zero_operand": zero_operand,
        "dead|right_shift_62": mul_vanishes,
        "one_tensor": mul_one_tensor,
        r"\w+_clamp": elementwise_clamp,
    },
    "concat": {r"rank\d_axis\d_\w+|one_tensor|zero_points": concat},
    "maximum": {r"\w+": extremes},
    "minimum": {r"\w+": extremes},
    "lut2d": {r"\w+": lut2d},
}
