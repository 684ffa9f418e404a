"""Models built by hand from integers: defaults, conversions, refusals."""

import numpy as np
import pytest

import intgold
from intgold import Builder, ModelError, Requantize


def built():
    builder = Builder("mine")
    x = builder.input("image", (6, 6, 1), zero_point=-128)
    by = Requantize.of([2**30, 2**30], [38, 39])
    x = builder.op("conv2d", x, weights=np.arange(18).reshape(2, 3, 3, 1) - 9, bias=[5, -5],
                   requantize=by, padding=1, zero_point=-3, act_min=-3)  # fmt: skip
    x = builder.op("max_pool2d", x, kernel=2, zero_point=-3)
    y = builder.op("lut", x, table=np.arange(127, -129, -1))
    x = builder.op("concat", x, y, axis=2)
    x = builder.op("fully_connected", x, weights=np.ones((3, 36), int), bias=[1, 2, 3],
                   requantize=None, name="fc", output="logits")  # fmt: skip
    return builder.model(x, metadata={"made": "by hand"})


def test_a_model_by_hand(tmp_path):
    """Defaults and conversions; it runs, is saved and comes back; golden = C."""
    model = built()
    conv, pool, _, _, fc = model.ops
    assert conv.name == "conv2d0" and conv["padding"] == (1, 1, 1, 1) and conv["stride"] == (1, 1)
    assert conv["weights"].dtype == np.int8 and conv["bias"].dtype == np.int32
    assert conv["act_max"] == 127 and conv["weight_zero_point"].tolist() == [0]
    assert pool["stride"] == (2, 2) and fc.output == "logits"
    assert model.tensor("logits").dtype == "int32" and model.metadata["made"] == "by hand"
    model.save(tmp_path / "m.npz")
    assert intgold.load(tmp_path / "m.npz").sha256 == model.sha256
    x = np.random.default_rng(0).integers(-128, 128, (5, 6, 6, 1)).astype(np.int8)
    golden, c = (model.run(x, backend=b, trace=True) for b in ("golden", "c"))
    assert all(np.array_equal(golden.tensors[n], c.tensors[n]) for n in golden.tensors)
    assert len(golden.tensors) == 5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"table": np.arange(256)}, r"lut1 table: \[0, 255\] is beyond int8"),
        ({"table": np.zeros(256)}, "float64 is not of integers"),
        ({"table": []}, "not of integers"),
        ({"table": np.zeros(3, int)}, "lut1: table of 3 entries"),
        ({"tables": np.zeros(256, int)}, "missing fields table"),
        ({}, "missing fields table"),
        ({"table": np.zeros(256, int), "scale": -1.0}, "scale: -1.0"),
        ({"table": np.zeros(256, int), "zero_point": 300}, "300 is outside"),
    ],
)
def test_refusals_name_the_op(fields, message):
    builder = Builder("mine")
    x = builder.input("image", (2, 2, 1))
    x = builder.op("max_pool2d", x, kernel=1)
    with pytest.raises(ModelError, match=message):
        builder.op("lut", x, **fields)


def test_the_whole_is_checked():
    """An accumulator beyond int32, a tensor that is not there, no op, an unknown kind."""
    builder = Builder("mine")
    x = builder.input("image", (4,))
    with pytest.raises(ModelError, match="no op"):
        builder.model()
    with pytest.raises(ModelError, match="no tensor 'y' so far"):
        builder.op("lut", "y", table=np.zeros(256, int))
    with pytest.raises(ModelError, match="unknown kind 'attention'"):
        builder.op("attention", x)
    builder.op("fully_connected", x, weights=[[127] * 4], bias=[2**31 - 1], requantize=None)
    with pytest.raises(ModelError, match="beyond int32"):
        builder.model()


def test_a_square_that_no_int64_holds_is_refused():
    """The bound of a squared difference is computed before it is compared with int32."""
    builder = Builder("m")
    x = builder.input("x", (4,))
    by = Requantize.of(2**31 - 1, 1)
    with pytest.raises(ModelError, match=r"squared difference can reach \[0, \d{20,}\], beyond"):
        builder.op(
            "add", x, x, form="shared_scale_squared_difference", left_shift=3,
            requantize1=by, requantize2=by, requantize=by, output="y",
        )  # fmt: skip
        builder.model("y")
