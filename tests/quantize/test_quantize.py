"""From floats to integers: affine, multipliers, tables, segments, whole networks."""

import hashlib
import math
import re
from fractions import Fraction
from random import Random

import numpy as np
import pytest

import intgold
import tools
from build_shipped_models import build
from intgold import ArtefactError, InputError, ModelError, Requantize, golden
from intgold.golden.requantize import scale
from intgold.host import affine, multiplier
from intgold.ops.fields import FORMS
from intgold.quantize import pwl_fit, shipped, tables
from intgold.quantize.activations import gelu_tanh, selu
from intgold.quantize.calibrate import Ranges, calibrate
from intgold.quantize.choices import Choices
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer
from intgold.quantize.quantizer import quantize_network


def test_affine_range():
    """S = (rmax - rmin)/255, Z = round(-128 - rmin/S), 0 has an exact integer."""
    assert affine.scale_zero_point(0.0, 255.0) == (1.0, -128)
    assert affine.scale_zero_point(-128.0, 127.0) == (1.0, 0)
    assert affine.scale_zero_point(1.0, 255.0) == (1.0, -128)  # widened to hold 0
    assert affine.scale_zero_point(-255.0, -3.0) == (1.0, 127)
    assert affine.scale_zero_point(0.0, 0.0) == (1.0, 0)
    assert affine.scale_zero_point(-0.5, 254.5) == (1.0, -128)  # -127.5 goes away from zero
    for bad in ((math.nan, 1), (0, math.inf), (2, 1)):
        with pytest.raises(ModelError, match="no range"):
            affine.scale_zero_point(*bad)


def test_host_rounding_is_half_away():
    values = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, -0.49999999999999994]
    assert affine.round_away(np.array(values)).tolist() == [-3, -2, -1, 1, 2, 3, 0, 0]


def test_quantize_and_dequantize_invert_each_other():
    tensor = intgold.Tensor("t", (256,), "int8", 0.037, -5)
    q = np.arange(-128, 128).astype(np.int8)
    assert np.array_equal(affine.quantize(affine.dequantize(q, tensor), 0.037, -5), q)
    with pytest.raises(InputError, match="nan"):
        affine.quantize(np.array([1.0, math.nan]), 1.0)
    with pytest.raises(InputError, match="int16"):
        affine.dequantize(q.astype(np.int16), tensor)
    with pytest.raises(InputError, match="no scale"):
        affine.dequantize(q, intgold.Tensor("t", (256,)))


def test_camera_bytes_become_int8_by_the_top_bit():
    """x ^ 0x80 for scale 1/255 and zero point -128; a missing channel is added."""
    model = intgold.load()
    images = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    q = model.quantize_input(images)
    assert q.dtype == np.int8 and q.shape == (2, 28, 28, 1) and q.flags.c_contiguous
    assert np.array_equal(q[..., 0], (images ^ 0x80).view(np.int8))
    assert np.array_equal(q, model.quantize_input(images.astype(np.float64) / 255))
    assert np.array_equal(q, model.quantize_input(q))
    for bad, message in (
        (images.astype(np.int64), "int64"), (images[:, :5], "shape"), ("x", "str"),
        (np.full((1, 28, 28, 1), np.nan), "nan"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            model.quantize_input(bad)


@pytest.mark.parametrize("bits", [1, 4, 8, 16, 31])
def test_multipliers_are_the_nearest(bits):
    """|m*2^-t - real| is at most half a unit of the last bit; exact arithmetic."""
    rng = Random(bits)
    for _ in range(500):
        real = math.ldexp(rng.random() + 0.5, rng.randint(-30, 28))
        m, t = multiplier.fixed_point(real, bits)
        assert 0 < m < 2**31 and 1 <= t <= 62 and m % 2 ** (31 - bits) == 0
        unit = Fraction(2) ** (math.frexp(real)[1] - bits)
        assert abs(Fraction(m, 2**t) - Fraction(real)) <= unit / 2
        above = Fraction(*multiplier_pair(multiplier.fixed_point_above(real, bits)))
        assert 0 <= above - Fraction(real) < unit


def multiplier_pair(pair):
    return pair[0], 2 ** pair[1]


def test_multiplier_corners():
    """Carry to 2^31, dead channels, the refused ends."""
    assert multiplier.fixed_point(1 - 2**-40) == (2**30, 30)  # rounds up to 2^31: halved
    assert multiplier.fixed_point(0.5) == (2**30, 31)
    assert multiplier.fixed_point(0.0) == (0, 31)
    assert multiplier.fixed_point(2.0**-32) == (2**30, 62)
    assert multiplier.fixed_point(2.0**-33) == (0, 31)
    assert multiplier.fixed_point(2.0**30 * 0.75) == (3 * 2**29, 1)
    for bad in (2.0**30, -1.0, math.nan, math.inf):
        with pytest.raises(ModelError, match="multiplier"):
            multiplier.fixed_point(bad)
    with pytest.raises(ModelError, match="32 bits"):
        multiplier.fixed_point(0.5, 32)


def test_float_forms_hold_their_real_exactly():
    rng = Random(2)
    for _ in range(300):
        real = math.ldexp(rng.random() + 0.5, rng.randint(-30, 28))
        m, t, low = multiplier.float64_entry(real)
        assert multiplier.value(m, t, low) == real
        Requantize.of(m, t, "float64", low)
        m, t = multiplier.float32_entry(np.float32(real))
        assert multiplier.value(m, t) == float(np.float32(real))
        Requantize.of(m, t, "float32")
    with pytest.raises(ModelError, match="not a float32"):
        multiplier.float32_entry(0.5)
    for bad in (-1.0, math.nan, math.inf, 2.0**30):
        with pytest.raises(ModelError, match="multiplier"):
            multiplier.float32_entry(np.float32(bad))
        with pytest.raises(ModelError, match="multiplier"):
            multiplier.float64_entry(bad)


@pytest.mark.parametrize("of", [np.float32, np.float64])
def test_factors_around_2_to_the_minus_32(of):
    """2^-32 is the last that has bits; below it 0, which is what float hardware makes of int32."""
    ends, none = np.array([[-(2**31)], [2**31 - 1], [-(2**31) + 127], [1], [0]]), of(0)
    form = of.__name__
    for real in map(of, (2.0**-32, 2.0**-33, 1e-20, 1e-38, 1e-40, 1e-45, 0)):
        for exact in (real, np.nextafter(real, none)):
            if form == "float32":
                m, t = multiplier.float32_entry(exact)
                real_products = ends.astype(of) * exact
                rounded = np.rint(real_products)
            else:
                m, t, _ = multiplier.float64_entry(float(exact))
                real_products = ends * exact
                rounded = np.sign(real_products) * (np.abs(real_products) >= 0.5)
            assert ((m, t) == (0, 31)) == (exact < 2.0**-32)
            made = scale(ends, Requantize.of(m, t, form))
            np.testing.assert_array_equal(made, rounded.astype(np.int64))


@pytest.mark.parametrize("form", FORMS)
def test_requantize_approximates_the_real(form):
    """For every form R(acc) is within one of acc times the real multiplier."""
    by = multiplier.requantize_for([0.00123], form)
    acc = np.arange(-(2**20), 2**20, 997, dtype=np.int32)
    got = scale(acc.reshape(1, -1, 1), by).ravel()
    assert np.abs(got - acc * 0.00123).max() <= 1.0


@pytest.mark.parametrize("function", [selu, gelu_tanh])
@pytest.mark.parametrize(("rmin", "rmax"), [(-4, 4), (-36, 36), (-1, 9)])
def test_segments_follow_the_table(function, rmin, rmax):
    """Eight segments stay within 1 LSB on SELU and GELU; what is stated is what golden gives."""
    x_scale, x_zero = affine.scale_zero_point(rmin, rmax)
    reals = function(np.linspace(rmin, rmax, 4001))
    y_scale, y_zero = affine.scale_zero_point(reals.min(), reals.max())
    table = tables.activation_table(function, x_scale, x_zero, y_scale, y_zero)
    made = pwl_fit.fit(table, 8)
    assert made.max_error <= 1 and len(made.slope) <= 8 and made.breakpoints[0] == -128
    q = np.arange(-128, 128).astype(np.int8).reshape(1, -1)
    y, _ = intgold.golden.pwl(
        q, breakpoints=made.breakpoints, slope=made.slope, offset=made.offset,
        frac_bits=made.frac_bits, act_min=-128, act_max=127,
    )  # fmt: skip
    errors = np.abs(y[0].astype(int) - table)
    assert errors.max() == made.max_error and (errors > 0).sum() == made.differing
    more = pwl_fit.fit(table, 16)
    assert (more.max_error, more.differing) <= (made.max_error, made.differing)


def test_segments_are_optimal_where_it_can_be_known():
    """Exactly piecewise-linear tables come back without error; fewer segments cost error."""
    q = np.arange(-128, 128)
    ramp = np.where(q < 0, -100, -100 + q).astype(np.int8)
    assert pwl_fit.fit(ramp, 2).differing == 0
    assert pwl_fit.fit(ramp, 1).max_error > 0
    stairs = ((q // 32) * 20).clip(-128, 127).astype(np.int8)
    assert pwl_fit.fit(stairs, 8).differing == 0
    with pytest.raises(ModelError, match="0 segments"):
        pwl_fit.fit(ramp, 0)
    with pytest.raises(ModelError, match="256 values"):
        pwl_fit.fit(ramp[:5], 8)


def test_ranges_come_back_and_are_strict(tmp_path):
    ranges = Ranges({"a": (-1.5, 2.25), "b": (0.0, 0.1)}, 10, "percentile:99.9")
    path = tmp_path / "ranges.json"
    ranges.save(path)
    loaded = Ranges.load(path)
    assert dict(loaded.layers) == dict(ranges.layers) and loaded.method == "percentile:99.9"
    with pytest.raises(ModelError, match="no range of layer c"):
        loaded["c"]
    for bad in (b"", b"{}", b"[]", path.read_bytes().replace(b"images", b"pictures")):
        path.write_bytes(bad)
        with pytest.raises(ArtefactError, match=r"ranges\.json"):
            Ranges.load(path)
    with pytest.raises(ModelError, match="no range"):
        Ranges({"a": (1.0, math.nan)}, 1, "minmax")


def small_network(seed=0):
    """A network of another shape: strides, uneven padding, relu after a matrix."""
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return rng.normal(0, 0.3, shape).astype(np.float32)

    return FloatNetwork(
        "small",
        (9, 7, 2),
        (
            Layer("a", "conv2d", weights(4, 3, 2, 2), weights(4), (2, 1), (1, 0, 0, 1)),
            Layer("b", "gelu_tanh"),
            Layer("c", "max_pool2d", stride=(2, 2), kernel=(2, 2)),
            Layer("d", "fully_connected", weights(5, 24), weights(5)),
            Layer("e", "relu"),
            Layer("f", "fully_connected", weights(3, 5), weights(3)),
        ),
    )


@pytest.mark.parametrize("activation", ["lut", "pwl:8"])
@pytest.mark.parametrize("form", ["single", "double", "float32", "float64"])
def test_other_networks_can_be_quantised(activation, form):
    """Not the MNIST network: the integer form follows the float one closely."""
    network = small_network()
    x = np.random.default_rng(1).random((64, 9, 7, 2)).astype(np.float32)
    choices = Choices(activation=activation, form=form)
    model = quantize_network(network, calibrate(network, x), choices)
    assert [op.kind for op in model.ops] == [
        "conv2d", activation.partition(":")[0], "max_pool2d", "fully_connected", "fully_connected",
    ]  # fmt: skip
    assert model.ops[3]["act_min"] == model.tensor("d").zero_point  # the fused relu
    real = network.run(x)
    got = model.dequantize(model.run(model.quantize_input(x)).output)
    assert np.abs(got - real).max() < 0.05 * np.abs(real).max()


@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_narrow_multipliers_keep_the_function(bits):
    """The weights follow a narrow multiplier: even a power of two costs only resolution."""
    network = small_network()
    x = np.random.default_rng(1).random((64, 9, 7, 2)).astype(np.float32)
    model = quantize_network(network, calibrate(network, x), Choices(multiplier_bits=bits))
    for op in model.ops:
        by = op.fields.get("requantize")
        if by is not None and op.kind != "global_avg_pool":
            assert all(m % 2 ** (31 - bits) == 0 for m in by.multiplier.tolist())
    real = network.run(x)
    got = model.dequantize(model.run(model.quantize_input(x)).output)
    assert np.abs(got - real).max() < 0.1 * np.abs(real).max()


def test_networks_that_cannot_be_quantised_are_refused():
    network = small_network()
    ranges = calibrate(network, np.zeros((1, 9, 7, 2), np.float32))
    with pytest.raises(ModelError, match="layer a: no range of layer a"):
        quantize_network(network, Ranges({"x": (0.0, 1.0)}, 1, "minmax"))
    with pytest.raises(ModelError, match="'a' is no layer with a table"):
        quantize_network(network, ranges, Choices(activations={"a": "lut"}))
    with pytest.raises(ModelError, match="0 images"):
        calibrate(network, np.zeros((0, 9, 7, 2), np.float32))


def test_shipped_float_weights_give_the_shipped_bytes(tmp_path):
    """Without torch, without MNIST: quantised anew, every artefact byte for byte."""
    models = build()
    assert set(models) == set(intgold.SHIPPED)
    for name, model in models.items():
        model.save(tmp_path / "again.npz")
        frozen = (shipped.MODELS / f"mnist_{name}.npz").read_bytes()
        assert (tmp_path / "again.npz").read_bytes() == frozen, (
            f"mnist_{name}.npz: run `python tools/build_shipped_models.py`"
        )


def test_the_models_are_those_of_their_readme():
    """models/README.md states the SHA-256 of every file, and of no other."""
    text = (shipped.MODELS / "README.md").read_text()
    stated = dict(re.findall(r"^\| `(\S+)` \| ([0-9a-f]{64}) \|$", text, re.M))
    files = {p.name: p.read_bytes() for p in shipped.MODELS.iterdir() if p.name != "README.md"}
    assert stated == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def test_few_segments_give_the_tables():
    """The shipped pwl model answers all 256 inputs as the lut model does, as the README says."""
    q = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
    segments = []
    for by_table, by_lines in zip(intgold.load("lut").ops, intgold.load("pwl").ops, strict=True):
        if by_lines.kind == "pwl":
            segments.append(by_lines["slope"].size)
            y, _ = golden.pwl(q, **intgold.load("pwl").arguments(by_lines))
            assert np.array_equal(golden.lut(q, table=by_table["table"]), y)
    assert segments == [2, 3]


def test_shipped_networks_are_the_network():
    """6,218 parameters; the ops and shapes of the README; int32 logits."""
    for name, kind in (("lut", "lut"), ("pwl", "pwl")):
        model = intgold.load(name)
        assert [op.kind for op in model.ops] == [
            "conv2d", "conv2d", kind, "max_pool2d", "conv2d", kind, "global_avg_pool",
            "fully_connected",
        ]  # fmt: skip
        assert model.tensor("logits").dtype == "int32" and model.tensor("logits").shape == (10,)
        sizes = [o[f].size for o in model.ops for f in ("weights", "bias") if f in o.fields]
        assert sum(sizes) == 6218
        # The pool has a scale of its own.
        assert model.tensor("gap").scale != model.tensor("gelu3").scale
    segments = [op for op in intgold.load("pwl").ops if op.kind == "pwl"]
    assert len(segments) == 2 and all(2 <= len(op["slope"]) <= 8 for op in segments)
    for op, table in zip(segments, (o for o in intgold.load().ops if o.kind == "lut"), strict=True):
        arguments = intgold.load("pwl").arguments(op)
        q = np.arange(-128, 128).astype(np.int8).reshape(1, -1)
        y, _ = intgold.golden.pwl(q, **arguments)
        assert np.abs(y[0].astype(int) - table["table"]).max() <= 1


def test_accuracy_on_mnist():
    """At least 99.25 % float and int8; at most 15 of 10,000 answers differ from float."""
    tools.need("MNIST")
    from intgold.images.mnist import load_mnist

    images, labels = load_mnist("test")
    network = FloatNetwork.load(shipped.MODELS / "mnist_float.npz")
    real = network.predict(images.astype(np.float32) / np.float32(255))
    assert (real == labels).mean() >= 0.9925
    for name in ("lut", "pwl"):
        answers = intgold.load(name).predict(images)
        assert (answers == labels).mean() >= 0.9925
        assert (answers != real).sum() <= 15


def test_calibration_gives_the_shipped_ranges():
    """From the shipped weights and MNIST: the ranges that are shipped."""
    tools.need("MNIST")
    images = shipped.calibration_images()
    for prefix in ("", "relu_"):
        network = FloatNetwork.load(shipped.MODELS / f"mnist_{prefix}float.npz")
        frozen = Ranges.load(shipped.MODELS / f"mnist_{prefix}ranges.json")
        assert dict(calibrate(network, images).layers) == dict(frozen.layers)


def test_weights_that_leave_their_scales_are_refused(recwarn):
    """An input scale so small that 0/0 would become a bias: the layer is named, nothing warns."""
    weights, bias = np.full((2, 4), 1e-45, np.float32), np.zeros(2, np.float32)
    layers = (Layer("selu", "selu"), Layer("fc", "fully_connected", weights, bias))
    network = FloatNetwork("tiny", (2, 2, 1), layers)
    ranges = Ranges({"selu": (0.0, 1e-300), "fc": (0.0, 1.0)}, 1, "minmax")
    with pytest.raises(ModelError, match="layer fc: weights or bias do not fit their scales"):
        quantize_network(network, ranges)
    assert not recwarn.list
