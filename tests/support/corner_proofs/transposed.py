"""Proofs of transpose_conv2d: which outputs each input reaches, and by which tap."""

import itertools

import numpy as np

from .weighted import COMMON


def meetings(ran):
    """For each (iy, ix) its (ky, kx, oy, ox) within the output."""
    _, kernel_h, kernel_w, _ = ran.op["weights"].shape
    (stride_h, stride_w), (top, _, left, _) = ran.op["stride"], ran.op["padding"]
    _, out_h, out_w, _ = ran.y.shape
    found = {}
    for iy, ix in itertools.product(*map(range, ran.x.shape[1:3])):
        places = [
            (ky, kx, iy * stride_h + ky - top, ix * stride_w + kx - left)
            for ky, kx in itertools.product(range(kernel_h), range(kernel_w))
        ]
        found[iy, ix] = [p for p in places if 0 <= p[2] < out_h and 0 <= p[3] < out_w]
    return found


def reached(ran):
    """How many taps meet an input at each output."""
    counts = np.zeros(ran.y.shape[1:3], int)
    for places in meetings(ran).values():
        for _, _, oy, ox in places:
            counts[oy, ox] += 1
    return counts


def spread(ran):
    """Image i has one pixel 1 above the zero point: it adds the kernel to some outputs."""
    height, width = ran.x.shape[1:3]
    assert len(ran.x) == height * width and np.abs(ran.x - ran.zero["x"]).sum() == len(ran.x)
    weights = ran.op["weights"][..., 0].transpose(1, 2, 0)
    assert len(set(weights.ravel().tolist())) == weights.size and (weights > 0).all()
    want = np.broadcast_to(ran.op["bias"], ran.acc.shape).copy()
    for (iy, ix), places in meetings(ran).items():
        for ky, kx, oy, ox in places:
            want[iy * width + ix, oy, ox] += weights[ky, kx]
    assert np.array_equal(ran.acc, want) and np.array_equal(ran.y, want)
    return np.array([len(p) for p in meetings(ran).values()]).reshape(height, width)


def taps(ran):
    return ran.op["weights"][0].size


def hot_pixels(ran):
    assert (spread(ran) == taps(ran)).all() and ran.op["padding"] == (0, 0, 0, 0)
    assert ran.op["stride"] == (2, 3) and ran.y.shape[1:3] == (7, 14)


def four_cuts(ran):
    shows = spread(ran)
    assert len(set(ran.op["padding"])) == 4 and min(ran.op["padding"]) == 0
    assert {n < taps(ran) for n in shows.ravel().tolist()} == {True, False} and shows.all()


def stride_1(ran):
    assert spread(ran).all() and ran.op["stride"] == (1, 1) and reached(ran).max() == taps(ran)


def stride_beyond_kernel(ran):
    assert (spread(ran) == taps(ran)).all()
    assert all(s > k for s, k in zip(ran.op["stride"], (2, 2), strict=True))
    empty = reached(ran) == 0
    assert empty.any() and (ran.acc[:, empty] == ran.op["bias"]).all()
    assert empty.all(axis=1).any() and empty.all(axis=0).any()


def output_padding(ran):
    assert spread(ran).all()
    empty = reached(ran) == 0
    _, bottom, _, right = ran.op["padding"]
    assert bottom < 0 and right < -1
    assert empty[:, right + 0 :].all(axis=0).sum() == -right
    assert empty[bottom:].all() and (ran.acc[:, empty] == ran.op["bias"]).all()


def inputs_cut_off(ran):
    shows = spread(ran)
    assert not shows[0].any() and not shows[:, 0].any() and shows.any()
    assert not shows[-1].any() and not shows[:, -1].any()


def kernel_in_squares(ran):
    assert (spread(ran) == taps(ran)).all() and (reached(ran) == 1).all()


def inserted_zeros_add_nothing(ran):
    """Image 0, all zero point, leaves the bias; image 1 adds -255 (w - wz) per tap that meets."""
    bias = ran.op["bias"]
    assert (ran.x[0] == ran.zero["x"]).all() and (ran.acc[0] == bias).all()
    weights = ran.op["weights"].astype(np.int64)[..., 0] - int(ran.op["weight_zero_point"][0])
    assert weights.all() and set(reached(ran).ravel().tolist()) == {0, 1, 2, 4}
    want = np.broadcast_to(bias, ran.acc.shape[1:]).astype(np.int64)
    for places in meetings(ran).values():
        for ky, kx, oy, ox in places:
            want[oy, ox] += -255 * weights[:, ky, kx]
    assert np.array_equal(ran.acc[1], want)


def bias_alone(ran):
    assert not reached(ran).any() and (ran.acc == ran.op["bias"]).all()
    assert len(ran.x) == 2 and (ran.x[0] != ran.x[1]).all() and ran.y[0].size > 2


PROOFS = {
    "transpose_conv2d": COMMON
    | {
        "hot_pixels": hot_pixels,
        "four_cuts": four_cuts,
        "stride_1": stride_1,
        "stride_beyond_kernel": stride_beyond_kernel,
        "output_padding": output_padding,
        "inputs_cut_off": inputs_cut_off,
        "kernel_in_squares": kernel_in_squares,
        "inserted_zeros_add_nothing": inserted_zeros_add_nothing,
        "bias_alone": bias_alone,
    }
}
