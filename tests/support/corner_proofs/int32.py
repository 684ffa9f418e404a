"""Proofs of rescale and argmax."""

import itertools

import slow_oracle
from intgold.ops.fields import FORMS, INT32_MAX, INT32_MIN, INTEGER_FORMS

from .ran import ALL_KINDS, HALF, exact, is_tie, kinds_of_ties


def met(ran):
    """(entry, value, y) of every value of a rescale, the value before it saturates."""
    channels = ran.x.shape[-1]
    entries = ran.entries() * (channels // len(ran.entries()))
    rows = zip(ran.x.reshape(-1, channels), ran.y.reshape(-1, channels), strict=True)
    return [(entries[c], int(xs[c]), int(ys[c])) for xs, ys in rows for c in range(channels)]


def rescale_ends(ran):
    reached = {(e[0], x) for e, x, _ in met(ran)}
    assert reached >= set(itertools.product(FORMS, (INT32_MIN, INT32_MAX)))
    most = {(e[0], e[1], e[3]) for e, _, _ in met(ran)}
    assert ("float64", 2**31 - 1, 2**22 - 1) in most and ("float32", 2**31 - 128, 0) in most


def rescale_saturation(ran):
    """Values beyond either end become it, in every form that can leave int32."""
    by_form = {}
    for entry, x, y in met(ran):
        value = slow_oracle.scale(x, *entry)
        assert y == slow_oracle.sat(value)
        by_form.setdefault(entry[0], set()).add((value > INT32_MAX) - (value < INT32_MIN))
    assert set(by_form) == set(FORMS) - {"double", "double_up"}
    assert all(sides == {-1, 0, 1} for sides in by_form.values())
    if ran.case.name == "saturation":
        values = {slow_oracle.scale(x, *e) for e, x, _ in met(ran)}
        assert {2**31, INT32_MIN - 2, INT32_MIN, INT32_MAX - 1} <= values
    else:
        assert {e[2] for e, _, _ in met(ran)} == {1}


def rescale_62(ran):
    assert {e[2] for e, _, _ in met(ran)} == {62}
    tied = {e[0] for e, x, _ in met(ran) if exact(x, e) == -HALF}
    assert tied == set(FORMS) and {y for _, _, y in met(ran)} == {-1, 0, 1}


def rescale_ties(ran):
    by_form = {form: [] for form in FORMS}
    for entry, x, _ in met(ran):
        by_form[entry[0]].append(exact(x, entry))
    for values in by_form.values():
        assert kinds_of_ties(values) == ALL_KINDS
    if ran.case.name == "ties":
        assert {INT32_MIN + 1, INT32_MAX} <= set(ran.x.ravel().tolist())


def rescale_second_ties(ran):
    rescale_ties(ran)
    missed = {e[0] for e, x, y in met(ran) if abs(y - exact(x, e)) > HALF}
    assert {"double", "double_up"} == missed - {"single_down", "single_zero"}


def rescale_near_ties(ran):
    found = set()
    for entry, x, _ in met(ran):
        for d in (-1, 0, 1):
            tie = exact(x - d, entry)
            if is_tie(tie):
                found.add((entry[0], d, tie))
    tied = [s * v for v in (HALF, 3 * HALF) for s in (1, -1)]
    assert found == set(itertools.product(FORMS, (-1, 0, 1), tied))


def significands(ran):
    """float32 moves values of 25 bits and more, down and up; the others leave them."""
    moved = set()
    for entry, x, y in met(ran):
        if entry[0] == "float32":
            assert (y == x) or abs(x).bit_length() > 24
            moved.add((x > 0, (abs(y) > abs(x)) - (abs(y) < abs(x))))
        else:
            assert x == y
    assert moved == set(itertools.product((True, False), (-1, 0, 1)))


def double_precision(ran):
    """Form float64 misses the nearest integer where the product had 54 bits."""
    missed = {(e[0], x) for e, x, y in met(ran) if abs(y - exact(x, e)) > HALF}
    assert missed and {form for form, _ in missed} == {"float64"}
    assert {x > 0 for _, x in missed} == {True, False}
    for _, x in missed:
        assert (abs(x) * (1431655765 * 2**22 + 1398101)).bit_length() > 53


def rescale_dead(ran):
    assert ran.forms() == set(FORMS) and ran.x.any() and not ran.y.any()
    assert not ran.op["requantize"].multiplier.any()


def multiplier_1(ran):
    assert {e[1] for e in ran.entries()} == {1} and ran.forms() == set(INTEGER_FORMS)
    assert {-1, 0, 1} == set(ran.y.ravel().tolist())


def rescale_per_tensor(ran):
    assert len(ran.entries()) == 1 and ran.x.shape[-1] == 3


def argmax_row(ran):
    """Each index is the lowest of the largest, by a loop that keeps the first."""
    depth = ran.x.shape[-1]
    for row, got in zip(ran.x.reshape(-1, depth).tolist(), ran.y.ravel().tolist(), strict=True):
        best = 0
        for i, value in enumerate(row):
            if value > row[best]:
                best = i
        assert got == best
    return ran.x.reshape(-1, depth).tolist()


def argmax_ties(ran):
    rows = argmax_row(ran)
    assert all(row.count(max(row)) > 1 for row in rows if max(row) != 7)
    assert any(y > 0 for y in ran.y.ravel()) and any(row.count(7) > 1 for row in rows)


def argmax_equal(ran):
    rows = argmax_row(ran)
    assert all(len(set(row)) == 1 for row in rows) and not ran.y.any()
    assert {INT32_MIN, INT32_MAX} <= {row[0] for row in rows}


def argmax_ends(ran):
    """A difference of int32 that wraps would choose another index."""
    rows = argmax_row(ran)

    def wrapped(row):
        best = 0
        for i, value in enumerate(row):
            if (value - row[best] + 2**31) % 2**32 - 2**31 > 0:
                best = i
        return best

    assert any(wrapped(row) != y for row, y in zip(rows, ran.y.ravel().tolist(), strict=True))
    assert {INT32_MIN, INT32_MAX} <= {v for row in rows for v in row}


def argmax_each(ran):
    argmax_row(ran)
    assert ran.y.ravel().tolist() == list(range(17))


def argmax_one(ran):
    argmax_row(ran)
    assert ran.x.shape[-1] == 1 and not ran.y.any()


def argmax_image(ran):
    argmax_row(ran)
    assert ran.x.ndim == 4 and ran.y.shape == (*ran.x.shape[:3], 1)


def argmax_ends_of_int8(ran):
    """A difference of int8 that wraps would choose another index."""
    rows = argmax_row(ran)

    def wrapped(row):
        best = 0
        for i, value in enumerate(row):
            if (value - row[best] + 128) % 256 - 128 > 0:
                best = i
        return best

    assert any(wrapped(row) != y for row, y in zip(rows, ran.y.ravel().tolist(), strict=True))
    assert {-128, 127} <= {v for row in rows for v in row}


def argmax_each_of_int8(ran):
    argmax_row(ran)
    assert ran.y.ravel().tolist() == list(range(21))


def argmax_long(ran):
    """Ties within a block of 256 and between two, and an index that 8 bits do not hold."""
    rows = argmax_row(ran)
    where = [[i for i, v in enumerate(row) if v == max(row)] for row in rows]
    assert any(at[0] > 255 for at in where)
    assert any(len(at) > 1 and at[0] // 256 == at[1] // 256 for at in where)
    assert any(len(at) > 1 and at[0] // 256 != at[1] // 256 for at in where)


PROOFS = {
    "rescale": {
        "ends": rescale_ends,
        "saturation|right_shift_1": rescale_saturation,
        "right_shift_62": rescale_62,
        "ties": rescale_ties,
        "second_ties": rescale_second_ties,
        "near_ties": rescale_near_ties,
        "significands": significands,
        "double_precision": double_precision,
        "dead_channel": rescale_dead,
        "multiplier_1": multiplier_1,
        "per_tensor": rescale_per_tensor,
    },
    "argmax": {
        "ties": argmax_ties,
        "all_equal": argmax_equal,
        "ends": argmax_ends,
        "each_index": argmax_each,
        "one_value": argmax_one,
        "image": argmax_image,
        "int8_ties": argmax_ties,
        "int8_ends": argmax_ends_of_int8,
        "int8_each_index": argmax_each_of_int8,
        "int8_long": argmax_long,
    },
}
