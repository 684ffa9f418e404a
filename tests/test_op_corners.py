"""Corner cases of the ops: what each reason claims is shown to happen, by plain integers."""

import itertools
import re
from fractions import Fraction

import numpy as np
import pytest

import slow_oracle
from intgold import InputError
from intgold.fields import FORMS, INT32_MAX, INT32_MIN, Requantize
from intgold.ops import OPS
from intgold.vectors.op_corners import Case, corner_cases, random_case
from test_slow_oracle import check

HALF = Fraction(1, 2)


class Ran:
    """A case with its golden results, and the formulas of SPEC on exact fractions."""

    def __init__(self, case: Case):
        self.case, self.model, self.op = case, case.model, case.model.ops[0]
        run = case.model.run(case.x, backend="golden", trace=True)
        self.y = run.tensors["y"].astype(np.int64)
        self.acc = run.accumulators["y"].astype(np.int64) if "y" in run.accumulators else None
        self.x = next(iter(case.x.values())).astype(np.int64)
        self.zero = {t.name: t.zero_point for t in case.model.tensors}

    def entries(self, name="requantize"):
        """(form, m, t, low) of each entry."""
        by = self.op[name]
        parts = (by.multiplier, by.right_shift, by.multiplier_low)
        return list(zip(by.form, *(p.tolist() for p in parts), strict=True))

    def channels(self):
        """(entry, accumulators, outputs) of each channel, as lists."""
        count = self.acc.shape[-1]
        accs, ys = (a.reshape(-1, count).T.tolist() for a in (self.acc, self.y))
        found = self.entries()
        return list(zip(found * (count // len(found)), accs, ys, strict=True))

    def forms(self):
        """The forms of all of the op's requantize fields."""
        return {f for v in self.op.fields.values() if isinstance(v, Requantize) for f in v.form}


def exact(acc, entry):
    """The real number that R(acc) rounds."""
    _, m, t, low = entry
    return Fraction(acc * (m * 2**22 + low), 2 ** (t + 22))


def is_tie(value):
    return value % 1 == HALF


def kinds_of_ties(values):
    """(is negative, parity of the floor) of the values that are ties."""
    return {(v < 0, (v.numerator // v.denominator) % 2) for v in values if is_tie(v)}


ALL_KINDS = set(itertools.product((False, True), (0, 1)))


def ties_in_every_form(ran, only=False):
    """Ties of both signs and parities in a channel of each form; with `only`, nothing else."""
    assert {e[0] for e, _, _ in ran.channels()} == set(FORMS)
    by_form = {form: [] for form in FORMS}
    for entry, accs, _ in ran.channels():
        by_form[entry[0]] += [exact(a, entry) for a in accs]
    for values in by_form.values():
        assert kinds_of_ties(values) == ALL_KINDS
        assert not only or all(map(is_tie, values))


def clamped_by_one(ran, values):
    """The values before the clamp reach one inside, at and outside each end; none is lost."""
    lo, hi = ran.op["act_min"], ran.op["act_max"]
    values = np.asarray(values).ravel()
    wanted = {lo - 1, lo, hi, hi + 1} if lo > -128 and hi < 127 else {lo - 1, lo, lo + 1}
    assert wanted <= set(values.tolist())
    assert ran.y.ravel().tolist() == np.clip(values, lo, hi).tolist()


def one_value(ran, values):
    """Nothing but act_min comes out, whatever the value was."""
    assert len(set(np.asarray(values).ravel().tolist())) > 2
    assert set(ran.y.ravel().tolist()) == {ran.op["act_min"]} == {ran.op["act_max"]}


# The three ops with weights.


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
    away = [a for a in (-1, 1) if -128 <= y_zero + a <= 127][0]
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
    assert {(f, v) for f in FORMS[5:7] for v in (INT32_MIN, 2**30)} <= shifted


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


# Windows.


def windows(ran):
    """For each output position the valid (ky, kx, iy, ix), and how many taps there are."""
    fields = ran.op.fields
    if "kernel" in fields:
        kernel = fields["kernel"]
    else:
        kernel = fields["weights"].shape[1:3] if ran.op.kind == "conv2d" else (
            fields["weights"].shape[:2]
        )  # fmt: skip
    height, width = ran.x.shape[1:3]
    stride, (top, _, left, _) = fields["stride"], fields["padding"]
    dilation = fields.get("dilation", (1, 1))
    found = {}
    for oy, ox in itertools.product(range(ran.y.shape[1]), range(ran.y.shape[2])):
        cells = []
        for ky, kx in itertools.product(range(kernel[0]), range(kernel[1])):
            iy = oy * stride[0] - top + ky * dilation[0]
            ix = ox * stride[1] - left + kx * dilation[1]
            if 0 <= iy < height and 0 <= ix < width:
                cells.append((ky, kx, iy, ix))
        found[oy, ox] = cells
    return found, kernel[0] * kernel[1]


def hot(ran):
    """Image i has one pixel 1 above the zero point: each output shows the weight of its tap."""
    height, width = ran.x.shape[1:3]
    assert len(ran.x) == height * width and np.abs(ran.x - ran.zero["x"]).sum() == len(ran.x)
    found, _ = windows(ran)
    weights = ran.op["weights"]
    weights = weights[..., 0].transpose(1, 2, 0) if ran.op.kind == "conv2d" else weights
    assert len(set(weights.ravel().tolist())) == weights.size and (weights > 0).all()
    want = np.zeros_like(ran.acc)
    for (oy, ox), cells in found.items():
        for ky, kx, iy, ix in cells:
            want[iy * width + ix, oy, ox] += weights[ky, kx]
    assert np.array_equal(ran.acc, want) and np.array_equal(ran.y, want)
    return want.any(axis=(1, 2, 3)).reshape(height, width)


def hot_pixels(ran):
    """Every pixel shows, the corners in the outermost windows, with four paddings."""
    assert len(set(ran.op["padding"])) == 4 and min(ran.op["padding"]) > 0
    assert hot(ran).all()
    (_, height, width, _), acc = ran.x.shape, ran.acc
    corners = {0: (0, 0), width - 1: (0, -1), (height - 1) * width: (-1, 0), -1: (-1, -1)}
    for image, (oy, ox) in corners.items():
        assert acc[image, oy, ox].all()


def kernel_beyond_image(ran):
    found, taps = windows(ran)
    assert hot(ran).all() and all(0 < len(cells) < taps for cells in found.values())


def stride_beyond_kernel(ran):
    shows = hot(ran)
    assert shows.any() and not shows.all()
    assert min(ran.op["stride"]) > 2 and shows.sum() == 2 * len(windows(ran)[0])


def dilation(ran):
    shows = hot(ran)
    assert min(ran.op["dilation"]) > 1 and shows.any()
    found, taps = windows(ran)
    inner = [cells for cells in found.values() if len(cells) == taps]
    if ran.case.name == "dilation":
        rows, columns = ({cell[i] for cell in inner[0]} for i in (2, 3))
        assert sorted(rows) == [0, 2, 4] and sorted(columns) == [0, 3]
    else:
        gaps = [{cell[0] for cell in cells} for cells in found.values()]
        assert not inner and len(set(ran.op["padding"])) == 4 and {1} in gaps


def one_by_one(ran):
    assert ran.op["weights"].size == 2
    assert hot(ran).tolist() == [[True] * 2, [False] * 2, [True] * 2]


def padding_is_zero_point(ran):
    """Image 0, all zero point, leaves the bias; image 1 adds -255 (w - wz) per valid tap."""
    bias, (found, taps) = ran.op["bias"], windows(ran)
    assert (ran.x[0] == ran.zero["x"]).all() and (ran.acc[0] == bias).all()
    weights = ran.op["weights"].astype(np.int64) - int(ran.op["weight_zero_point"][0])
    weights = weights[..., 0].transpose(1, 2, 0) if ran.op.kind == "conv2d" else weights
    assert weights.all() and {len(c) < taps for c in found.values()} == {True, False}
    for (oy, ox), cells in found.items():
        want = bias + sum(-255 * weights[ky, kx] for ky, kx, _, _ in cells)
        assert np.array_equal(ran.acc[1, oy, ox], want)


def windows_of_padding(ran):
    found, _ = windows(ran)
    empty = [at for at, cells in found.items() if not cells]
    assert len(empty) == len(found) - 1 == 59
    for oy, ox in empty:
        assert (ran.acc[:, oy, ox] == ran.op["bias"]).all()
    assert (ran.acc[:, 2, 4] != ran.op["bias"]).all()


# Tables.


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


# Pools.


def max_pool(ran):
    """y is the greatest valid cell, clamped, by a loop over the window."""
    found, _ = windows(ran)
    want = np.empty_like(ran.y)
    for (oy, ox), cells in found.items():
        for i, c in itertools.product(range(len(ran.x)), range(ran.x.shape[3])):
            want[i, oy, ox, c] = max(ran.x[i, iy, ix, c] for _, _, iy, ix in cells)
    want = np.clip(want, ran.op["act_min"], ran.op["act_max"])
    assert np.array_equal(ran.y, want)
    return found


def one_valid_cell(ran):
    found = max_pool(ran)
    assert sum(len(cells) == 1 for cells in found.values()) == 4
    lone = {cells[0][2:] for cells in found.values() if len(cells) == 1}
    assert lone == {(0, 0), (0, 4), (4, 0), (4, 4)}
    assert (ran.y == -127).any(axis=(1, 2, 3)).all()  # each hot pixel wins somewhere


def all_lowest(ran):
    """A padded cell taken as 0 or as the zero point would win."""
    found = max_pool(ran)
    assert min(len(c) for c in found.values()) == 1 and ran.zero["x"] == 127
    assert set(ran.x.ravel().tolist()) == set(ran.y.ravel().tolist()) == {-128}


def uneven_padding(ran):
    max_pool(ran)
    assert len(set(ran.op["padding"])) == 4
    assert (ran.y == -19).any(axis=(1, 2, 3)).all()


def pool_stride(ran):
    """A hot pixel outside of every window changes nothing."""
    found = max_pool(ran) if ran.op.kind == "max_pool2d" else windows(ran)[0]
    read = {cell[2:] for cells in found.values() for cell in cells}
    values = ran.y if ran.acc is None else ran.acc
    shows = (values != values.min()).any(axis=(1, 2, 3)).reshape(ran.x.shape[1:3])
    assert {tuple(at) for at in np.argwhere(shows).tolist()} == read and not shows.all()


def whole_image(ran):
    found = max_pool(ran)
    assert list(found) == [(0, 0)] and len(found[0, 0]) == ran.x[0, :, :, 0].size
    assert {-128, 127} <= set(ran.y.ravel().tolist())


def pool_channels(ran):
    max_pool(ran)
    places = ran.x.reshape(-1, ran.x.shape[3]).argmax(axis=0)
    assert len(set(places.tolist())) == ran.x.shape[3]


def identity_clamp(ran):
    """Windows of one cell: the cell is what is clamped."""
    (one_value if "one_value" in ran.case.name else clamped_by_one)(ran, ran.x)


def means(ran):
    """(n, exact mean) of every window, in the order of acc, which is checked."""
    found, _ = windows(ran)
    centre = ran.zero["x"] if ran.op["form"] == "centred_away" else 0
    sums, counts = np.zeros_like(ran.acc), np.zeros_like(ran.acc)
    for (oy, ox), cells in found.items():
        for _, _, iy, ix in cells:
            sums[:, oy, ox] += ran.x[:, iy, ix] - centre
            counts[:, oy, ox] += 1
    assert np.array_equal(sums, ran.acc)
    return list(zip(counts.ravel().tolist(), sums.ravel().tolist(), strict=True))


def avg_rounded(ran):
    """y is the mean to the nearest integer; at a tie what the form's name says."""
    shift = ran.zero["y"] if ran.op["form"] == "centred_away" else 0
    for (n, acc), y in zip(means(ran), ran.y.ravel().tolist(), strict=True):
        mean = Fraction(acc, n)
        floor = mean.numerator // mean.denominator
        want = floor + (mean - floor > HALF)
        if is_tie(mean):
            want = floor + (1 if ran.op["form"] == "raw_up" or mean > 0 else 0)
        assert y == slow_oracle.clamp(want + shift, ran.op["act_min"], ran.op["act_max"])


def divisors(ran):
    avg_rounded(ran)
    assert {n for n, _ in means(ran)} == {1, 2, 3, 4, 6, 8, 9, 12}


def avg_ties(ran):
    avg_rounded(ran)
    cells, found = int(ran.case.name.rsplit("_", 1)[1]), set()
    for n, acc in means(ran):
        assert n == cells
        for d in (-1, 0, 1):
            tie = Fraction(acc - d, n)
            if is_tie(tie):
                found.add((d, tie < 0, tie.numerator // tie.denominator % 2))
    assert found == {(d, *kind) for d in (-1, 0, 1) for kind in ALL_KINDS}


def avg_zero_points(ran):
    avg_rounded(ran)
    signs = {"low": -128, "high": 127}
    assert [ran.zero["x"], ran.zero["y"]] == [signs[n] for n in ran.case.name.split("_")[-2:]]
    raw = ran.y.ravel().tolist() == ran.x[:, 0, 0, 0].tolist()
    centred = ran.op["form"] == "centred_away"
    assert raw == (not centred or ran.zero["x"] == ran.zero["y"])
    if centred:
        assert np.abs(ran.acc).max() == 4 * 255


def sum_ends(ran):
    avg_rounded(ran)
    assert set(ran.acc.ravel().tolist()) == {64 * -128, 64 * 127}


def gap_sums(ran):
    """The sums, by a loop."""
    want = sum(ran.x[:, iy, ix] - ran.zero["x"] for iy, ix in np.ndindex(*ran.x.shape[1:3]))
    assert np.array_equal(ran.acc[:, 0, 0], want)


def one_pixel(ran):
    gap_sums(ran)
    assert ran.x.shape[1:] == (1, 1, 1) and np.array_equal(ran.y, ran.x)


def gap_ties(ran):
    gap_sums(ran)
    ties_in_every_form(ran, only=True)


def gap_second_ties(ran):
    gap_sums(ran)
    second_ties(ran)
    double_rounding(ran)


def gap_saturation(ran):
    gap_sums(ran)
    assert {-256, -129, -128, 127, 128, 254} == set(ran.acc.ravel().tolist())
    assert np.array_equal(ran.y, np.clip(ran.acc, -128, 127))


def gap_zero_points(ran):
    gap_sums(ran)
    assert ran.zero["x"] == ran.zero["y"] in (-128, 127)
    sign = 1 if ran.zero["x"] == -128 else -1
    assert set(ran.acc.ravel().tolist()) == {0, sign * 49 * 255}
    assert ran.zero["y"] in ran.y and len(set(ran.y.ravel().tolist())) == 2


def gap_hot(ran):
    gap_sums(ran)
    assert len(ran.x) == 12 and (ran.acc == 1).all()


def gap_per_channel(ran):
    gap_sums(ran)
    assert len({e[2] for e in ran.entries()}) == 5 and len(ran.entries()) == 17


def gap_per_tensor(ran):
    gap_sums(ran)
    assert len(ran.entries()) == 1 and len(set(ran.y.ravel().tolist())) == 17


# Two inputs.


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
        assert sum(u) == acc
        found.append((shifted, u, acc, y))
    return found


def add_saturation(ran):
    sums = {acc + ran.zero["y"] for _, _, acc, _ in summands(ran)}
    wanted = {128, -129} if ran.case.name == "by_one" else {-256, 254}
    assert wanted <= sums and {-128, 127} <= set(ran.y.ravel().tolist())


def add_ties(ran):
    """Ties in the named requantize alone; the two others are exact."""
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


# int32 and softmax.


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
    assert {e[1] for e in ran.entries()} == {1} and ran.forms() == set(FORMS[:7])
    assert {-1, 0, 1} == set(ran.y.ravel().tolist())


def rescale_per_tensor(ran):
    assert len(ran.entries()) == 1 and ran.x.shape[-1] == 3


def argmax_row(ran):
    """Each index is the lowest of the greatest, by a loop that keeps the first."""
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


def softmax_one(ran):
    assert ran.x.shape[-1] == 1 and ran.x.size == 256 and (ran.y == 127).all()


def softmax_equal(ran):
    """Each probability is 1/depth in units of 1/256, to the nearest."""
    depth = ran.x.shape[-1]
    assert depth == int(ran.case.name.rsplit("_", 1)[1])
    assert all(len(set(row)) == 1 for row in ran.x.tolist())
    assert (np.abs((ran.y + 128) * depth - 256) * 2 <= depth).all()


def softmax_dominant(ran):
    place = 0 if ran.case.name.endswith("first") else ran.x.shape[-1] - 1
    assert ran.x[0].argmax() == place
    assert ran.y[0, place] == 127 and sorted(ran.y[0])[:-1] == [-128] * (ran.x.shape[-1] - 1)


def softmax_limit(ran):
    """The first row is at the least difference that counts, the second one beyond."""
    shift = ran.op["left_shift"]
    assert shift == int(ran.case.name.rsplit("_", 1)[1])
    limit = -(31 * 2**26 // 2**shift)
    diff = (ran.x - ran.x.max(axis=1, keepdims=True)).tolist()
    assert [sorted(set(row)) for row in diff] == [sorted({limit, 0}), [limit - 1, 0]]
    if shift >= 30:  # a row that counts or not shows in the greatest value
        assert ran.y[0, 7] != ran.y[1, 7]
    assert (ran.y[1][np.array(diff[1]) < 0] == -128).all()


def softmax_flat(ran):
    assert ran.op["left_shift"] == 0 and len(set(ran.x[0].tolist())) > 50
    assert len(set(ran.y.ravel().tolist())) == 1


def softmax_multiplier(ran):
    want = {"multiplier_high": 2**31 - 1, "multiplier_low": 2**30}[ran.case.name]
    assert ran.op["multiplier"] == want
    fields = {"multiplier": 3 * 2**29, "left_shift": ran.op["left_shift"]}
    assert slow_oracle.softmax(ran.x.tolist(), **fields) != ran.y.tolist()


def every_difference(ran):
    """Each of the seven constants of exp is used by a value that counts."""
    m, shift = ran.op["multiplier"], ran.op["left_shift"]
    taken = 0
    for diff in (ran.x[0] - ran.x.max()).tolist():
        assert diff >= -(31 * 2**26 // 2**shift)
        a = slow_oracle.softmax_p(diff * 2**shift, m)
        if a:
            taken |= (a % 2**24 - 2**24) - a
    assert taken >> 24 == 0b1111111


def softmax_pairs(ran):
    assert sorted((ran.x[:, 0] - ran.x[:, 1]).tolist()) == list(range(256))
    assert {-128, 127, 0} <= set(ran.y.ravel().tolist())


def softmax_rows(ran):
    """Each row as if it were alone."""
    op = {n: ran.op[n] for n in ("multiplier", "left_shift")}
    assert ran.x.ndim == 4 and ran.x[0, 0, 0].tolist() != ran.x[0, 1, 0].tolist()
    for row, y in zip(ran.x.reshape(-1, 3).tolist(), ran.y.reshape(-1, 3).tolist(), strict=True):
        assert slow_oracle.softmax(row, **op) == y


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
SLIDING = {
    "hot_pixels": hot_pixels,
    "kernel_beyond_image": kernel_beyond_image,
    "stride_beyond_kernel": stride_beyond_kernel,
    r"dilation(_over_padding)?": dilation,
    "one_by_one": one_by_one,
    "padding_is_zero_point": padding_is_zero_point,
    "windows_of_padding": windows_of_padding,
}
PROOFS = {
    "conv2d": COMMON | SLIDING,
    "depthwise_conv2d": COMMON | SLIDING,
    "fully_connected": COMMON,
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
    "max_pool2d": {
        "one_valid_cell": one_valid_cell,
        "all_lowest": all_lowest,
        "uneven_padding": uneven_padding,
        "stride_beyond_kernel": pool_stride,
        "whole_image": whole_image,
        "channels": pool_channels,
        r"\w+_clamp": identity_clamp,
    },
    "avg_pool2d": {
        r"(raw_away|centred_away|raw_up)_divisors": divisors,
        r"(raw_away|centred_away|raw_up)_ties_\d+": avg_ties,
        r"(raw_away|centred_away|raw_up)_zero_points_\w+": avg_zero_points,
        r"(raw_away|centred_away|raw_up)_sum_ends": sum_ends,
        r"(raw_away|centred_away|raw_up)_stride_beyond_kernel": pool_stride,
        r"(raw_away|centred_away|raw_up)_\w+_clamp": identity_clamp,
    },
    "global_avg_pool": {
        "one_pixel": one_pixel,
        "ties": gap_ties,
        "second_ties": gap_second_ties,
        "saturation": gap_saturation,
        r"zero_points_\w+": gap_zero_points,
        "hot_pixels": gap_hot,
        "per_channel": gap_per_channel,
        "per_tensor": gap_per_tensor,
        "dead_channel": dead_channel,
        r"\w+_clamp": identity_clamp,
    },
    "add": {
        "saturation|by_one": add_saturation,
        r"ties_requantize\d?_\w+": add_ties,
        r"three_roundings_\w+": three_roundings,
        "left_shift_0": left_shift_0,
        r"left_shift_22_(low|high)": left_shift_22,
        "zero_points_apart": zero_points_apart,
        r"dead(_first|_second)?": add_dead,
        "one_tensor": add_one_tensor,
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
    },
    "softmax": {
        "one_value": softmax_one,
        r"equal_\d+": softmax_equal,
        r"dominant_\w+": softmax_dominant,
        r"limit_\d+": softmax_limit,
        "left_shift_0": softmax_flat,
        r"multiplier_(high|low)": softmax_multiplier,
        "every_difference": every_difference,
        "pairs": softmax_pairs,
        "rows": softmax_rows,
    },
}
"""For each op the function that shows a case's reason, by a pattern of the case's name."""

CASES = [(op, case.name) for op in OPS for case in corner_cases(op)]


@pytest.fixture(scope="module")
def cases():
    return {(op, case.name): case for op in OPS for case in corner_cases(op)}


@pytest.mark.parametrize(("op", "name"), CASES, ids=[f"{op}-{name}" for op, name in CASES])
def test_what_the_reason_says_happens(cases, op, name):
    """One proof fits the case, and it holds."""
    fitting = [proof for pattern, proof in PROOFS[op].items() if re.fullmatch(pattern, name)]
    assert len(fitting) == 1
    ran = Ran(cases[op, name])
    if op == "avg_pool2d":
        assert name.startswith(ran.op["form"])
    fitting[0](ran)


@pytest.mark.parametrize("op", list(OPS))
def test_every_proof_has_its_cases(op):
    """No pattern is left without a case: a case that is dropped is missed."""
    names = [case.name for case in corner_cases(op)]
    for pattern in PROOFS[op]:
        assert any(re.fullmatch(pattern, name) for name in names), pattern


@pytest.mark.parametrize("op", list(OPS))
def test_golden_and_c_and_the_third_opinion_agree(op):
    """Every directed case, bit for bit."""
    for case in corner_cases(op):
        check(case.model, case.x, f"{op} {case.name}")


@pytest.mark.parametrize("op", list(OPS))
def test_names_and_reasons(op):
    """Names are identifiers and unique in the op; the model has the one op and the reason."""
    cases = list(corner_cases(op))
    names = [case.name for case in cases]
    assert len(names) >= 5 and len(set(names)) == len(names)
    for case in cases:
        assert case.name.isidentifier() and case.reason and "\n" not in case.reason
        assert [o.kind for o in case.model.ops] == [op]
        assert case.model.name == f"{op}_{case.name}"
        assert case.model.metadata["reason"] == case.reason
        assert list(case.x) == list(case.model.inputs)


@pytest.mark.parametrize("op", [k for k, v in OPS.items() if "requantize" in v.fields])
def test_every_form_is_covered(op):
    """The closed list of forms, for every requantize field of the op."""
    fields = [n for n in OPS[op].fields if n.startswith("requantize")]
    for name in fields:
        found = [case.model.ops[0][name] for case in corner_cases(op)]
        assert {form for by in found if by is not None for form in by.form} == set(FORMS)


def test_the_same_again():
    """A second call gives the same models and stimulus."""
    for op in OPS:
        for a, b in zip(corner_cases(op), corner_cases(op), strict=True):
            assert a.model.sha256 == b.model.sha256
            assert all(np.array_equal(a.x[n], b.x[n]) for n in a.x)


@pytest.mark.parametrize("op", list(OPS))
def test_random_cases(op):
    """Of one op, the same for a seed, another for another; all three opinions agree."""
    shas = set()
    for seed in range(6):
        case, again = random_case(op, seed), random_case(op, seed)
        assert case.model.sha256 == again.model.sha256 and case.name == f"random_{seed}"
        assert all(np.array_equal(case.x[n], again.x[n]) for n in case.x)
        assert [o.kind for o in case.model.ops] == [op]
        assert {len(a) for a in case.x.values()} == {11}
        shas.add((case.model.sha256, *(a.tobytes() for a in case.x.values())))
        check(case.model, case.x, f"{op} random {seed}")
    assert len(shas) == 6


def test_unknown_ops_and_seeds_are_refused():
    """One line that names the value."""
    for call in (corner_cases, lambda op: random_case(op, 0)):
        with pytest.raises(InputError, match="'conv3d' is none of conv2d, "):
            call("conv3d")
    for seed in (-1, 2**31, True, "1"):
        with pytest.raises(InputError, match="seed: "):
            random_case("lut", seed)
