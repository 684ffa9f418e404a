"""Proofs of the three ops with weights."""

import itertools
from fractions import Fraction

import numpy as np

import slow_oracle
from intgold.ops.fields import DOUBLE_FORMS, FORMS, INT32_MAX, INT32_MIN

from .ran import (
    ALL_KINDS,
    HALF,
    clamped_by_one,
    exact,
    is_tie,
    kinds_of_ties,
    one_value,
    ties_in_every_form,
)
from .windows import SLIDING


def smallest(ran):
    assert ran.op["weights"].size == 1 and sorted(ran.x.ravel()) == list(range(-128, 128))
    assert ran.y.ravel().tolist() == ran.x.ravel().tolist()


def saturation(ran):
    """The entry is R(acc) = acc: 128 and -129 and far values become 127 and -128."""
    values = ran.acc + ran.zero["y"]
    assert {128, -129, 127, -128} <= set(values.ravel().tolist())
    assert values.max() > 10_000 and values.min() < -10_000
    assert np.array_equal(ran.y, np.clip(values, -128, 127))


def weighted_narrow_clamp(ran):
    clamped_by_one(ran, ran.acc + ran.zero["y"])


def relu(ran):
    assert ran.op["act_min"] == ran.zero["y"] == -20
    clamped_by_one(ran, ran.acc + ran.zero["y"])
    assert (ran.y[ran.acc < 0] == -20).all() and (ran.acc < 0).any()


def weighted_one_value(ran):
    one_value(ran, ran.acc)


def zero_points(ran):
    signs = {"low": -128, "high": 127}
    x_zero, y_zero = (signs[n] for n in ran.case.name.split("_")[2:])
    assert (ran.zero["x"], ran.zero["y"]) == (x_zero, y_zero)
    assert set(ran.op["weight_zero_point"].tolist()) == {-128, 127}
    assert set(ran.x.ravel().tolist()) >= {-128, 127}
    assert ran.acc.max() == 255 * 255 and ran.acc.min() == -255 * 255
    away = next(a for a in (-1, 1) if -128 <= y_zero + a <= 127)
    assert (ran.y == y_zero).any() and (np.sign(ran.y - y_zero) == away).any()


def largest_products(ran):
    assert set(ran.op["weights"].ravel().tolist()) == {-128, 127}
    sign = 1 if ran.zero["x"] == -128 else -1
    assert {-128 * 255 * 16 * sign, 127 * 255 * 16 * sign} <= set(ran.acc.ravel().tolist())


def ties(ran):
    ties_in_every_form(ran, only=True)


def second_ties(ran):
    ties_in_every_form(ran)
    for (form, m, t, _), accs, _ in ran.channels():
        if form.startswith("double"):
            assert t > 31
            h = [Fraction(a * m, 2**31) for a in accs]
            assert kinds_of_ties([v / 2 ** (t - 31) for v in h if v.denominator == 1]) == ALL_KINDS


def double_rounding(ran):
    """The double forms miss the nearest integer; double_up does so on both sides of 0."""
    for entry, accs, ys in ran.channels():
        missed = [a for a, y in zip(accs, ys, strict=True) if abs(y - exact(a, entry)) > HALF]
        if entry[0].startswith("double"):
            assert {a > 0 for a in missed} == ({True} if entry[0] == "double" else {True, False})
        elif entry[0] not in ("single_down", "single_zero"):
            assert not missed


def double_rounding_alone(ran):
    """Nothing is within a 500th of a tie, and each double form is wrong for both signs."""
    missed = set()
    for entry, accs, ys in ran.channels():
        for a, y in zip(accs, ys, strict=True):
            value = exact(a, entry)
            assert abs(value % 1 - HALF) > Fraction(1, 500)
            if abs(y - value) > HALF:
                missed.add((entry[0], a > 0))
    assert missed == set(itertools.product(("double", "double_up"), (True, False)))


def near_ties(ran):
    step, found = Fraction(1, 512), set()
    for entry, accs, _ in ran.channels():
        values = sorted(exact(a, entry) for a in accs)
        assert values[1] - values[0] == values[2] - values[1] == step and is_tie(values[1])
        found.add((entry[0], values[1]))
    tied = [s * v for v in (HALF, 3 * HALF) for s in (1, -1)]
    assert found == set(itertools.product(FORMS, tied))


def float32_accumulator(ran):
    """Odd accumulators of 25 bits, not ties: form float32 differs from nearest, in both signs."""
    missed = set()
    for entry, accs, ys in ran.channels():
        for a, y in zip(accs, ys, strict=True):
            value = exact(a, entry)
            if abs(y - value) > HALF:
                assert entry[0] == "float32" and a % 2 and abs(a).bit_length() == 25
                assert not is_tie(value)
                missed.add((a > 0, abs(value) > 1))
    assert missed == ALL_KINDS


def float_products(ran):
    """SPEC 4.4: float32 takes 3/6 and a bit for the tie 0.5, float64 3/6 less a bit."""
    got = {}
    for i, (entry, accs, ys) in enumerate(ran.channels()):
        at = accs.index(3)
        got[i] = (entry[0], is_tie(exact(3, entry)), exact(3, entry) > HALF, ys[at])
    assert list(got.values()) == [
        ("float32", False, True, 0), ("single", False, True, 1),
        ("float64", False, False, 1), ("single", False, False, 0),
    ]  # fmt: skip


def dead_channel(ran):
    assert ran.forms() == set(FORMS) and not ran.op["requantize"].multiplier.any()
    assert {True, False} <= set((ran.acc > 0).ravel().tolist())
    assert set(ran.y.ravel().tolist()) == {ran.zero["y"]} == {-3}


def right_shift_1(ran):
    assert ran.forms() == set(FORMS)
    shifted = set()
    for entry, accs, ys in ran.channels():
        assert entry[2] == 1
        if entry[0].startswith("single"):
            assert kinds_of_ties([exact(a, entry) for a in accs]) == ALL_KINDS
        elif entry[0].startswith("double"):
            shifted |= {(entry[0], a << 30) for a in accs}
        else:
            assert max(exact(a, entry) for a in accs) > INT32_MAX
            assert min(exact(a, entry) for a in accs) < INT32_MIN
            assert {-128, 127} <= set(ys)
    assert {(f, v) for f in DOUBLE_FORMS for v in (INT32_MIN, 2**30)} <= shifted


def right_shift_62(ran):
    near, tied = set(), set()
    for entry, accs, _ in ran.channels():
        assert entry[2] == 62
        for a in accs:
            value = exact(a, entry)
            if a in (INT32_MIN, INT32_MAX) and 1 > abs(value) > 1 - Fraction(1, 2**22):
                near.add((entry[0], value > 0))
            if value == -HALF:
                tied.add(entry[0])
    assert near == set(itertools.product(FORMS, (True, False))) and tied == set(FORMS)


def multiplier_ends(ran):
    by_form = {f: {(e[1], e[3]) for e, _, _ in ran.channels() if e[0] == f} for f in FORMS}
    assert by_form.pop("float32") == {(2**31 - 128, 0), (2**30, 0)}
    assert by_form.pop("float64") == {(2**31 - 1, 2**22 - 1), (2**30, 0)}
    assert all(m == {(2**31 - 1, 0), (2**30, 0), (1, 0)} for m in by_form.values())
    for entry, accs, ys in ran.channels():  # just below a half: only the double forms say 1
        if entry[1] > 2**30:
            assert HALF - Fraction(1, 2**23) < exact(64, entry) < HALF
            assert ys[accs.index(64)] == entry[0].startswith("double")


def per_channel(ran):
    assert ran.forms() == set(FORMS)
    entries = ran.entries()
    assert len(set(entries)) == len({(m, t) for _, m, t, _ in entries}) == len(FORMS)
    assert len(set(ran.op["weight_zero_point"].tolist())) == len(FORMS)
    assert len(set(ran.op["bias"].tolist())) == len(FORMS)
    for entry, accs, ys in ran.channels():  # another channel's entry would show
        others = [e for e in entries if e[1:] != entry[1:]]
        wrong = [[slow_oracle.clamp(slow_oracle.scale(a, *e), -128, 127) for a in accs]
                 for e in others]  # fmt: skip
        assert ys not in wrong


def per_tensor(ran):
    assert len(ran.entries()) == 1 and ran.op["weight_zero_point"].tolist() == [-2]
    columns = {tuple(ys) for _, _, ys in ran.channels()}
    assert len(columns) > 2


def narrow_multiplier(ran):
    bits = int(ran.case.name.rsplit("_", 1)[1])
    ties_in_every_form(ran)
    for (_, m, _, _), _, _ in ran.channels():
        assert m % 2 ** (31 - bits) == 0 and (m >> (31 - bits)).bit_length() == bits
        assert (m >> (31 - bits)) % 2


def accumulator_ends(ran):
    """The bounds of the proof are the ends of int32, and the stimulus attains them."""
    bounds = ran.model.bounds["op"]
    assert bounds.hi.max() == INT32_MAX and bounds.lo.min() == INT32_MIN
    assert ran.acc.max() == INT32_MAX and ran.acc.min() == INT32_MIN
    if ran.op["requantize"] is None:
        assert np.array_equal(ran.y, ran.acc)
        return
    ends = {(e[0], a) for e, accs, _ in ran.channels() for a in accs}
    assert ends >= set(itertools.product(FORMS, (INT32_MIN, INT32_MAX)))
    assert set(ran.y.ravel().tolist()) >= {-64, 63, 64}


def int32_left(ran):
    assert ran.op["requantize"] is None and ran.op["act_min"] == ran.op["act_max"] == 3
    assert np.array_equal(ran.y, ran.acc) and ran.model.tensor("y").dtype == "int32"
    assert ran.acc.max() > 2**20 and ran.acc.min() < -(2**20)


def input_channel_ends(ran):
    """Image 0 is all zero point, image 1 differs in the first channel, image 2 in the last."""
    centred = (ran.x - ran.zero["x"]).reshape(3, 17)
    assert [np.flatnonzero(row).tolist() for row in centred] == [[], [0], [16]]
    acc = ran.acc.reshape(3, -1)
    assert not acc[0].any()
    if ran.op.kind == "depthwise_conv2d":
        assert [np.flatnonzero(row).tolist() for row in acc[1:]] == [[0, 1], [32, 33]]
    else:
        assert acc[1:].all()


def output_channel_end(ran):
    last = ran.acc.shape[-1] - 1
    alone = 0 if ran.case.name.startswith("first") else last
    acc = ran.acc.reshape(-1, last + 1)
    assert np.flatnonzero(acc.any(axis=0)).tolist() == [alone] and last >= 8
    assert np.flatnonzero(ran.y.reshape(-1, last + 1).any(axis=0)).tolist() == [alone]


COMMON = {
    "smallest": smallest,
    "saturation": saturation,
    "narrow_clamp": weighted_narrow_clamp,
    "one_value_clamp": weighted_one_value,
    "relu": relu,
    r"zero_points_\w+": zero_points,
    r"largest_products_\w+": largest_products,
    "ties": ties,
    "second_ties": second_ties,
    "double_rounding": double_rounding,
    "double_rounding_alone": double_rounding_alone,
    "near_ties": near_ties,
    "float32_accumulator": float32_accumulator,
    "float_products": float_products,
    "dead_channel": dead_channel,
    "right_shift_1": right_shift_1,
    "right_shift_62": right_shift_62,
    "multiplier_ends": multiplier_ends,
    "per_channel": per_channel,
    "per_tensor": per_tensor,
    r"narrow_multiplier_[1-8]": narrow_multiplier,
    r"accumulator_ends(_scaled)?": accumulator_ends,
    "int32_left": int32_left,
    "input_channel_ends": input_channel_ends,
    r"(first|last)_output_channel": output_channel_end,
}

PROOFS = {
    "conv2d": COMMON | SLIDING,
    "depthwise_conv2d": COMMON | SLIDING,
    "fully_connected": COMMON,
}
