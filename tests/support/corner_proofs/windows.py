"""Proofs of windows: which cell of which input each output reads."""

import itertools

import numpy as np


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


SLIDING = {
    "hot_pixels": hot_pixels,
    "kernel_beyond_image": kernel_beyond_image,
    "stride_beyond_kernel": stride_beyond_kernel,
    r"dilation(_over_padding)?": dilation,
    "one_by_one": one_by_one,
    "padding_is_zero_point": padding_is_zero_point,
    "windows_of_padding": windows_of_padding,
}
