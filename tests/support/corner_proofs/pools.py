"""Proofs of the pools."""

import itertools
from fractions import Fraction

import numpy as np

import slow_oracle

from .ran import ALL_KINDS, HALF, clamped_by_one, is_tie, one_value, ties_in_every_form
from .weighted import dead_channel, double_rounding, second_ties
from .windows import windows


def max_pool(ran):
    """y is the largest valid cell, clamped, by a loop over the window."""
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


PROOFS = {
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
}
