"""Proofs of the ops that move values."""

import re

import numpy as np


def pad(ran):
    """Every value stands where the definition puts it; each named side has cells."""
    x, before, after = ran.x, ran.op["before"], ran.op["after"]
    for at in np.ndindex(*ran.y.shape):
        origin = [at[0], *(i - b for i, b in zip(at[1:], before, strict=False))]
        inside = all(0 <= i < n for i, n in zip(origin, x.shape, strict=True))
        assert ran.y[at] == (x[tuple(origin)] if inside else ran.op["value"])
    name = ran.case.name
    if found := re.fullmatch(r"rank(\d)_axis(\d)_(\w+)", name):
        assert ran.y.ndim == int(found[1]) + 1
        assert [i for i, n in enumerate(ran.op[found[3]]) if n] == [int(found[2])]
        assert sum(before) + sum(after) == 2
    elif name == "all":
        assert min(*before, *after) > 0
    elif name == "nothing":
        assert np.array_equal(ran.y, x)
    else:
        assert ran.zero == {"x": -128, "y": 5} and (ran.y == 0).sum() > (x == 0).sum()


def reshape(ran):
    """The values keep their order; the shapes are those of the name."""
    assert ran.y.ravel().tolist() == ran.x.ravel().tolist()
    names = ran.case.name.removeprefix("from_")
    told = [tuple(map(int, shape.split("x"))) for shape in names.split("_to_")]
    assert told == [ran.x.shape[1:], ran.y.shape[1:]]
    assert len(set(ran.y[0].ravel().tolist())) == ran.y[0].size


PROOFS = {"pad": {r"rank\d_axis\d_\w+|all|nothing|zero_points": pad}, "reshape": {r"\w+": reshape}}
