"""The dequantise-then-compute form, for comparison: close to the integers, and not equal."""

import numpy as np
import pytest

import intgold
from intgold import Model, ModelError, Op, Tensor
from intgold.host.multiplier import requantize_for
from intgold.ops.table import OPS
from intgold.quantize.simulate import _REAL, deviations, simulate
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.stimulus import stimulus


def test_simulation_is_close_and_not_equal():
    """Dequantise-then-compute differs from the integers, by little: that is why integers rule."""
    model = intgold.load()
    x = stimulus(model, "builtin", 24, 0)
    found = {d.tensor: d for d in deviations(model, x)}
    assert list(found) == [op.output for op in model.ops]
    assert found["conv1"].largest <= 1
    assert max(d.largest for n, d in found.items() if n != "logits") <= 4
    assert simulate(model, x)["logits"].dtype == np.int32
    bare = random_model(0)
    with pytest.raises(ModelError, match="scale"):
        simulate(bare, random_inputs(bare, 1, 0))


def scaled_model(kind):
    """A model of one op whose multipliers follow from its scales; padding, stride, dilation."""
    rng = np.random.default_rng(5)
    s_x, s_w, s_y, shape = 0.04, np.array([0.01, 0.003, 0.02]), 0.11, (6, 7, 3)
    window = {"stride": (2, 1), "padding": (1, 0, 2, 1)}
    act = {"act_min": -100, "act_max": 120}
    by = requantize_for
    weighted = {
        "weight_zero_point": np.array([3, -2, 0], np.int8), "weight_scale": tuple(s_w.tolist()),
        "bias": np.array([900, -50, 4], np.int32), "requantize": by(list(s_x * s_w / s_y)), **act,
    }  # fmt: skip
    sizes = {"conv2d": (3, 2, 3, 3), "depthwise_conv2d": (2, 3, 3), "fully_connected": (3, 126)}
    if kind == "transpose_conv2d":
        weights = rng.integers(-128, 128, (3, 2, 3, 3)).astype(np.int8)
        fields = {"stride": (2, 1), "padding": (1, -1, 2, 0), "weights": weights, **weighted}
    elif kind in sizes:
        weights = rng.integers(-128, 128, sizes[kind]).astype(np.int8)
        slide = {} if kind == "fully_connected" else {**window, "dilation": (1, 2)}
        fields = {**slide, "weights": weights, **weighted}
    else:
        add = [s_x / (2 * s_x), s_x / (2 * s_x), 2 * s_x / (2**20 * s_y)]
        fields = {
            "avg_pool2d": {"kernel": (3, 3), **window, "form": "centred_away", **act},
            "global_avg_pool": {"requantize": by([s_x / (42 * s_y)]), **act},
            "add": {
                "form": "shared_scale", "left_shift": 20, "requantize1": by(add[:1]),
                "requantize2": by(add[1:2]), "requantize": by(add[2:]), **act,
            },
            "sub": {
                "form": "shared_scale_difference", "left_shift": 20, "requantize1": by(add[:1]),
                "requantize2": by(add[1:2]), "requantize": by(add[2:]), **act,
            },
            "mul": {"requantize": by([s_x * s_x / s_y]), **act},
        }[kind]  # fmt: skip
    kind = "add" if kind == "sub" else kind
    spec = OPS[kind]
    inputs = [Tensor(n, shape, "int8", s_x, -7 + 9 * i) for i, n in enumerate(spec.inputs)]
    op = Op(kind, "op", spec.inputs, "y", fields)
    scale = s_x if kind == "avg_pool2d" else s_y
    y = Tensor("y", spec.shape(op.fields, [shape] * len(inputs)), "int8", scale, 12)
    return Model("one", [*inputs, y], [op], spec.inputs, ["y"])


@pytest.mark.parametrize("kind", [*_REAL, "sub"])
def test_each_simulated_op_is_the_real_one(kind):
    """Where only the last rounding differs, the integer form is within 1 LSB of the real one."""
    model = scaled_model(kind)
    [found] = deviations(model, random_inputs(model, 8, 1))
    values = model.run(random_inputs(model, 8, 1)).output
    assert found.largest <= 1 and found.differing < found.values / 20
    assert len(np.unique(values)) > 10
