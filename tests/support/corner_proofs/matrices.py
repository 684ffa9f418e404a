"""Proofs of matmul: sums over plain integers."""

import numpy as np

from intgold.ops.fields import INT32_MAX, INT32_MIN

from .ran import ALL_KINDS, clamped_by_one, exact, kinds_of_ties


def products(ran):
    """(row, column, acc, y) of each output; acc is the sum of the clause."""
    found, names = [], ran.op.inputs
    x1, x2 = (ran.case.x[n].astype(int) - ran.zero[n] for n in names)
    for at in np.ndindex(*ran.y.shape):
        *batch, i, j = at
        row, column = x1[(*batch, i)].tolist(), x2[(*batch, j)].tolist()
        acc = int(ran.op["bias"][j]) + sum(a * b for a, b in zip(row, column, strict=True))
        assert ran.acc[at] == acc
        found.append((row, column, acc, int(ran.y[at])))
    return found


def hot(ran):
    """Each row of x1 has one value, so that each accumulator is one term; every place is hot."""
    depth = int(ran.case.name.removeprefix("hot_"))
    rows = [row for row, *_ in products(ran)]
    assert all(sum(v != 0 for v in row) == 1 for row in rows) and len(rows[0]) == depth
    assert {next(i for i, v in enumerate(row) if v) for row in rows} == set(range(depth))


def shapes(ran):
    rows, columns = (int(n) for n in ran.case.name.split("_")[1::2])
    found = products(ran)
    assert ran.y.shape[1:] == (rows, columns)
    assert len({tuple(row) for row, *_ in found}) == rows
    biases = np.tile(ran.op["bias"], rows).tolist()
    pairs = zip((column for _, column, *_ in found), biases, strict=True)
    assert len({(*column, bias) for column, bias in pairs}) == columns


def batches(ran):
    products(ran)
    assert ran.y.ndim == 4 and len({ran.acc[i, b].tobytes() for i, b in np.ndindex(2, 3)}) == 6


def ties(ran):
    form = ran.case.name.removeprefix("ties_")
    entry = ran.entries()[0]
    assert entry[0] == form
    assert kinds_of_ties([exact(acc, entry) for *_, acc, _ in products(ran)]) == ALL_KINDS


def saturation(ran):
    accs = {acc for *_, acc, _ in products(ran)}
    assert {128 * 128, -128 * 127} <= accs and {-128, 127} == set(ran.y.ravel().tolist())


def zero_points(ran):
    factors = {abs(v) for row, column, *_ in products(ran) for v in (*row, *column)}
    assert {ran.zero["x1"], ran.zero["x2"]} <= {-128, 127} and 255 in factors
    assert max(abs(acc) for *_, acc, _ in products(ran)) == 40 * 255 * 255


def int32(ran):
    ((*_, acc, _),) = products(ran)
    assert acc == (INT32_MAX if ran.case.name == "int32_high" else INT32_MIN)


def zero_operand(ran):
    assert {acc for *_, acc, _ in products(ran)} == set(ran.op["bias"].tolist())


def one_tensor(ran):
    products(ran)
    assert ran.op.inputs == ("x", "x") and (ran.acc == ran.acc.swapaxes(-1, -2)).all()


def dead(ran):
    assert len({acc for *_, acc, _ in products(ran)}) > 1 and (ran.y == ran.zero["y"]).all()


def clamp(ran):
    clamped_by_one(ran, [acc for *_, acc, _ in products(ran)])


PROOFS = {
    "matmul": {
        r"hot_\d+": hot,
        r"rows_\d+_columns_\d+": shapes,
        "batches": batches,
        r"ties_\w+": ties,
        "saturation": saturation,
        r"zero_points_\w+": zero_points,
        r"int32_(high|low)": int32,
        "zero_operand": zero_operand,
        "one_tensor": one_tensor,
        "dead": dead,
        "narrow_clamp": clamp,
    }
}
