"""The choices of quantisation: refusals, calibration methods, few bits, shared scales."""

import dataclasses
import pickle

import numpy as np
import pytest
from test_quantize import small_network

import intgold
from intgold import ModelError
from intgold.quantize import shipped
from intgold.quantize.calibrate import _Spread, calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.quantize.quantizer import quantize_network
from intgold.study.quantisation.layer_error import layer_errors


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"calibration": "percentile"}, "calibration 'percentile'"),
        ({"calibration": "percentile:50"}, "percentile:50"),
        ({"calibration": "percentile:101"}, "percentile:101"),
        ({"activation": "pwl"}, "activation 'pwl'"),
        ({"activation": "pwl:1"}, "pwl:1"),
        ({"activation": "pwl:65"}, "pwl:65"),
        ({"activations": {"a": "table"}}, "'table'"),
        ({"weight_bits": 1}, "weight_bits 1"),
        ({"weight_bits": True}, "weight_bits True"),
        ({"multiplier_bits": 32}, "multiplier_bits 32"),
        ({"weight_scales": "min"}, "weight_scales 'min'"),
        ({"form": "triple"}, "unknown form 'triple'"),
        ({"form": "float32", "multiplier_bits": 8}, "has its own width"),
    ],
)
def test_refusals_name_the_choice(choice, message):
    with pytest.raises(ModelError, match=message):
        Choices(**choice)


def test_choices_travel():
    """Worker processes get them whole."""
    choices = Choices(activations={"a": "pwl:3"}, weight_bits=3)
    again = pickle.loads(pickle.dumps(choices))
    assert dataclasses.replace(again, activations={}) == dataclasses.replace(
        choices, activations={}
    )
    assert dict(again.activations) == {"a": "pwl:3"}


def spread(values):
    made = _Spread(float(values.min()), float(values.max()))
    made.add(values)
    return made


def test_percentile_leaves_outliers_out():
    """At each end at most the share asked for lies outside; one bin further, more than that."""
    values = np.random.default_rng(0).normal(0, 1, 100_000)
    width = np.ptp(values) / 8192
    for percentile in (99.0, 99.9, 75.0):
        lo, hi = spread(values).within(percentile)
        beyond = (1 - percentile / 100) * len(values)
        assert (values < lo).sum() <= beyond < (values < lo + 1.001 * width).sum()
        assert (values > hi).sum() <= beyond < (values > hi - 1.001 * width).sum()
    assert spread(values).within(100) == pytest.approx((values.min(), values.max()))


def test_least_error_beats_the_extremes():
    """A heavy tail is clipped, to less squared error than the extremes have; ends are found."""
    from intgold.host.affine import quantize, scale_zero_point

    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 1_000_000), [30.0]])

    def error(lo, hi):
        scale, zero = scale_zero_point(lo, hi)
        return (((quantize(values, scale, zero).astype(int) - zero) * scale - values) ** 2).sum()

    lo, hi = spread(values).min_error()
    assert hi < 15 and error(lo, hi) < 0.5 * error(values.min(), values.max())
    flat = rng.uniform(0, 1, 100_000)
    assert spread(flat).min_error() == pytest.approx((0, 1), abs=0.02)
    assert spread(np.zeros(9)).min_error() == (0.0, 0.0)


def test_methods_order_as_they_must():
    """Ranges: percentile within minmax; all cover 0; unknown methods are refused."""
    network = small_network()
    x = np.random.default_rng(1).random((64, 9, 7, 2)).astype(np.float32)
    wide, narrow, least = (calibrate(network, x, m) for m in ("minmax", "percentile:95", "mse"))
    assert set(wide.layers) == {layer.name for layer in network.layers}
    smaller = 0
    for name, (lo, hi) in wide.layers.items():
        for other in (narrow, least):
            assert lo <= other[name][0] <= 0 <= other[name][1] <= hi
        smaller += narrow[name] != (lo, hi)
    assert smaller >= 4
    assert least.method == "mse" and least.images == 64


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7, 8])
def test_weight_bits(bits):
    """Weights use exactly the range of their bits; the searched scales err less."""
    network = small_network()
    x = np.random.default_rng(1).random((64, 9, 7, 2)).astype(np.float32)
    ranges, most = calibrate(network, x), 2 ** (bits - 1) - 1
    errors = {}
    for scales in ("max", "mse"):
        model = quantize_network(network, ranges, Choices(weight_bits=bits, weight_scales=scales))
        squared = 0.0
        for op, name in zip((model.ops[0], model.ops[3]), ("a", "d"), strict=True):
            assert np.abs(op["weights"]).max() == most
            real = next(x for x in network.layers if x.name == name).weights
            scale = np.array(op["weight_scale"]).reshape(-1, *[1] * (real.ndim - 1))
            squared += float(((op["weights"] * scale - real) ** 2).sum())
        errors[scales] = squared
    assert errors["mse"] <= errors["max"]
    if bits <= 4:
        assert errors["mse"] < errors["max"]


def branching(pixels):
    """image -> a; sum of a and b(a); concat of that, a pool and the image; mean; fc."""
    rng = np.random.default_rng(5)

    def weights(*shape):
        return rng.normal(0, 0.3, shape).astype(np.float32)

    pad = {"padding": (1, 1, 1, 1)}
    layers = (
        Layer("a", "conv2d", weights(4, 3, 3, 2), weights(4), **pad),
        Layer("b", "conv2d", weights(4, 3, 3, 4), weights(4), **pad),
        Layer("silu", "silu"),
        Layer("sum", "add", inputs=("a", "silu")),
        Layer("clip", "relu6"),
        Layer("pool", "max_pool2d", kernel=(3, 3), inputs=("a",), **pad),
        Layer("all", "concat", inputs=("clip", "pool", "image")),
        Layer("mean", "global_avg_pool"),
        Layer("fc", "fully_connected", weights(3, 10), weights(3)),
    )
    return FloatNetwork("branching", (8, 8, 2), layers, pixels)


@pytest.mark.parametrize("pixels", [True, False])
@pytest.mark.parametrize("bits", [31, 8, 1])
def test_shared_scales(pixels, bits):
    """What a concat joins has one scale; with narrow multipliers a sum's are powers of two."""
    network = branching(pixels)
    x = np.random.default_rng(1).random((50, 8, 8, 2)).astype(np.float32)
    if not pixels:
        x = 4 * x - 1
    model = quantize_network(network, calibrate(network, x), Choices(multiplier_bits=bits))
    for op in model.ops:
        scales = [model.tensor(n).scale for n in (*op.inputs, op.output)]
        points = [model.tensor(n).zero_point for n in (*op.inputs, op.output)]
        if op.kind in ("concat", "max_pool2d"):
            assert len(set(scales)) == len(set(points)) == 1
        if op.kind == "add" and bits < 31:
            assert all(np.log2(s).is_integer() for s in scales)
        for field in ("requantize", "requantize1", "requantize2"):
            by = op.fields.get(field)
            if by is not None:
                assert all(m % 2 ** (31 - bits) == 0 for m in by.multiplier.tolist())
    # A camera's scale is fixed: it needs a table before it can be joined.
    assert any(op.kind == "lut" and op.inputs == ("image",) for op in model.ops) == pixels
    errors = {e.tensor: e.sqnr for e in layer_errors(network, model, x)}
    assert set(errors) == {"a", "b", "silu", "sum", "pool", "all", "mean", "logits"}
    assert min(errors.values()) > 22
    q = model.quantize_input(x)
    golden, c = (model.run(q, backend=b, trace=True) for b in ("golden", "c"))
    assert all(np.array_equal(golden.tensors[n], c.tensors[n]) for n in golden.tensors)


def test_float_networks_of_graphs_come_back(tmp_path):
    network = branching(False)
    network.save(tmp_path / "n.npz")
    again = FloatNetwork.load(tmp_path / "n.npz")
    x = np.random.default_rng(1).random((5, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(again.run(x), network.run(x)) and again.pixels is False


def test_graphs_that_make_no_sense():
    """Unread layers, unknown inputs, wrong shapes: one line each."""
    fc = Layer("fc", "fully_connected", np.zeros((2, 4), "f4"), np.zeros(2, "f4"))
    for layers, message in (
        ((Layer("r", "relu"), dataclasses.replace(fc, inputs=("image",))), "nothing reads 'r'"),
        ((dataclasses.replace(fc, inputs=("r",)),), "reads 'r', which is not before it"),
        (
            (Layer("s", "add", inputs=("image", "image")), Layer("image", "relu")),
            "'image' is empty",
        ),
        ((), "no layers"),
    ):
        with pytest.raises(ModelError, match=message):
            FloatNetwork("x", (2, 2, 1), layers)
    for fields, message in (
        ({"kind": "add", "inputs": ("a",)}, "of 1 inputs"),
        ({"kind": "relu", "alpha": 0.5}, "alpha 0.5"),
        ({"kind": "elu", "alpha": float("nan")}, "alpha nan"),
        ({"kind": "max_pool2d"}, "kernel"),
    ):
        with pytest.raises(ModelError, match=message):
            Layer("x", **fields)


def test_the_shipped_models_state_their_choices():
    for name, (_, activation) in shipped.RECIPES.items():
        metadata = intgold.load(name).metadata
        assert metadata["activation"] == activation and metadata["form"] == "single"
        assert metadata["calibration"] == "minmax, 2000 images"
