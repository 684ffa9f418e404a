"""Forms of TFLite ops beside the plain ones, and what is refused: golden = C, one line each."""

import ctypes
import ctypes.util
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import CONTRACTS, contract_named, evidence
from intgold.errors import ImportFileError
from intgold.host.multiplier import requantize_for
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.importers.tflite.formulas.expf import expf

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

import form_models
import operand_models
import shape_models
import softmax_models
from one_op_models import made
from tflite_writer import Writer

from run import both_engines


def small(kind, *inputs, y="int8", shape=(1, 4), options="", outputs=None, **fields):
    """A graph of one op on tensors of (shape, dtype, data)."""
    w = Writer()
    held = [w.tensor(s, dtype, 0.5, 0, data) for s, dtype, data in inputs]
    out = w.tensor(shape, y, 0.5, 0)
    w.op(kind, held, out, 2, options, **fields)
    given = [i for i, (_, _, data) in zip(held, inputs, strict=True) if data is None]
    return parse(w.finish(given, [out] if outputs is None else outputs))


X, ONES = ((1, 4), "int8", None), np.ones((1, 4))
ADD = {"options": "AddOptions", "FusedActivationFunction": 0}
POOL = {
    "options": "Pool2DOptions", "FusedActivationFunction": 0, "Padding": 1,
    **dict.fromkeys(("StrideH", "StrideW", "FilterHeight", "FilterWidth"), 2),
}  # fmt: skip


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (lambda: small("RELU", X, y="int16"), r"op 0 \(RELU\): output t1 is int16; int8, uint8"),
        (lambda: small("RELU", X, y="float32"), "float throughout: no op of 1, the first op 0"),
        (lambda: small("RELU", ((1, 4), "int32", None)), "input t0 is int32; int8, uint8 and"),
        (lambda: small("RELU", X, y="uint8"), r"op 0 \(RELU\): int8 to uint8; one type is read"),
        (lambda: small("LSTM", X), r"op 0 \(LSTM\): this op is not known"),
        (lambda: small("RELU", ((1, -1), "int8", None)), r"input t0: shape \(1, -1\) is not fixed"),
        (lambda: small("RELU", ((2, 4), "int8", None)), r"op 0 \(RELU\): it may mix the 2 images"),
        (lambda: small("RELU", X, outputs=[1, 0]), "output t0 is an input of the file"),
        (lambda: small("RELU", X, outputs=[]), "no output"),
        (lambda: small("ADD", X, ((1, 3), "int8", None), **ADD), r"\(1, 4\) and \(1, 3\) do not"),
        (lambda: small("ADD", X, X, shape=(1, 4, 4), **ADD), r"give \(1, 4\), not \(1, 4, 4\)"),
        (
            lambda: small("ADD", *[((1, 4), "int8", ONES)] * 2, **ADD),
            r"op 0 \(ADD\): both inputs are constants",
        ),
        (
            lambda: small("MAX_POOL_2D", ((1, 4, 4, 1), "int8", None), shape=(1, 3, 3, 1), **POOL),
            r"op 0 \(MAX_POOL_2D\): output t1 has shape \(3, 3, 1\); it produces \(2, 2, 1\)",
        ),
        (
            lambda: small("MEAN", X, ((1,), "int32", np.array([2])), options="ReducerOptions"),
            r"op 0 \(MEAN\): axes \[2\] of a tensor of 2",
        ),
        (
            lambda: small("MEAN", X, ((1,), "int32", np.array([-2])), options="ReducerOptions"),
            r"op 0 \(MEAN\): axes \[-2\]: over the batch",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_in_one_line(graph, why):
    with pytest.raises(ImportFileError, match=why) as told:
        convert(graph(), contract_named("litert_reference"), "m")
    assert "\n" not in str(told.value)


def test_int8_concatenations_of_other_scales_are_refused():
    """No engine takes them; of uint8 each input is brought to the output's scale."""
    graph = parse(made("CONCATENATION_SCALES", 0)[0].data)
    with pytest.raises(ImportFileError, match="input 0 has another scale or zero point"):
        convert(graph, contract_named("tflm"), "m")


def added(dtype, scales, shapes, constant=None):
    """A graph of ADD, and a stimulus of every value for it."""
    w, rng = Writer(), np.random.default_rng(0)
    data = [None, None if constant is None else np.full(shapes[1], constant)]
    zeros = [128, 131] if dtype == "uint8" else [0, 3]
    held = [
        w.tensor(shape, dtype, scale, zero, d)
        for shape, scale, zero, d in zip(shapes, scales[:2], zeros, data, strict=True)
    ]
    y = w.tensor(np.broadcast_shapes(*shapes), dtype, scales[2], zeros[0])
    w.op("ADD", held, y, 2, "AddOptions", FusedActivationFunction=0)
    inputs = [i for i, d in zip(held, data, strict=True) if d is None]
    x = [rng.integers(-128, 128, (4, *shapes[held.index(i)][1:])).astype(np.int8) for i in inputs]
    return parse(w.finish(inputs, [y])), x


def weighted(bias=3, scales=(0.5,) * 3, zeros=0, axis=0, **fields):
    """A graph of FULLY_CONNECTED of four values to three."""
    w = Writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 3), "int8", 0.5, 0)
    k = w.tensor((3, 4), "int8", scales, zeros, np.ones((3, 4)), axis)
    b = w.tensor((bias,), "int32", 0.25, 0, np.zeros(bias))
    options = {"FusedActivationFunction": 0, "WeightsFormat": 0, "KeepNumDims": False} | fields
    w.op("FULLY_CONNECTED", [x, k, b], y, 4, "FullyConnectedOptions", **options)
    return parse(w.finish([x], [y]))


def chain(order):
    """A graph of two RELU, in this order, the second of which reads what the first produces."""
    w = Writer()
    x, between, y = (w.tensor((1, 4), "int8", 0.5, 0) for _ in range(3))
    ends = [(x, between), (between, y), (x, y)]
    for i in order:
        w.op("RELU", [ends[i][0]], ends[i][1], 2)
    return parse(w.finish([x], [y]))


SOFTMAX = {"options": "SoftmaxOptions", "Beta": 1.0}
CONCAT = {"options": "ConcatenationOptions", "shape": (1, 8), "Axis": 1}


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (lambda: weighted(bias=2), "2 biases for 3 channels"),
        (lambda: weighted(axis=1), "quantised along axis 1 instead of 0"),
        (lambda: weighted(zeros=[0, 1, 0]), "weights with several zero points"),
        (lambda: weighted(scales=(0.5,) * 2), "2 scales of weights; 1 or 3"),
        (lambda: weighted(WeightsFormat=1), "weights format 1"),
        (lambda: weighted(FusedActivationFunction=4), "fused activation 4; none, RELU"),
        (lambda: chain([1, 0]), r"op 0 \(RELU\): input t1 is not made before it"),
        (lambda: chain([0, 1, 2]), r"op 2 \(RELU\): output t2 exists already"),
        (lambda: small("SOFTMAX", X, **SOFTMAX), "output that is not of scale 1/256"),
        (
            lambda: small("CONCATENATION", X, X, FusedActivationFunction=1, **CONCAT),
            "a fused activation",
        ),
    ],
)  # fmt: skip
def test_what_a_network_may_not_be(graph, why):
    """Refused in one line; the like of it that is right is imported."""
    assert convert(chain([0, 1]), contract_named("tflm"), "m").ops
    assert convert(weighted(), contract_named("tflm"), "m").ops
    with pytest.raises(ImportFileError, match=why):
        convert(graph(), contract_named("tflm"), "m")


def test_kernels_that_an_engine_lacks():
    """No rule of another engine stands in for them."""
    graph = small("GELU", X, options="GeluOptions", Approximate=False)
    assert convert(graph, contract_named("litert_reference"), "m").ops
    with pytest.raises(ImportFileError, match="TFLite Micro.*: no kernel for it on int8"):
        convert(graph, contract_named("tflm"), "m")


def test_what_hangs_on_the_c_library_is_said():
    """At a tie the last bit of the engine's own tanh, erfc or expm1 decides."""
    said = {
        (op, name)
        for op in ("TANH", "GELU", "ELU", "LOGISTIC")
        for name, contract in CONTRACTS.items()
        if (rule := contract.rule(op, "int8")) and rule.inexact
    }
    engines = ("litert_reference", "litert_optimised_x86", "xnnpack")
    wanted = {(op, name) for op in ("TANH", "GELU", "ELU") for name in engines}
    assert said == wanted - {("ELU", "litert_reference")}  # which has no kernel
    graph = small("GELU", X, options="GeluOptions", Approximate=False)
    assert "erfc" in convert(graph, contract_named("xnnpack"), "m").metadata["inexact"]
    assert "inexact" not in convert(graph, contract_named("intgold"), "m").metadata
    listed = [line for line in evidence.inexact() if "ELU: " in line]
    assert len(listed) == 5 and not any("litert_reference ELU" in line for line in listed)


@pytest.mark.parametrize("alpha", [-0.3, -1.7, 0.0, 1.7])
def test_slopes_of_either_sign(alpha):
    """LEAKY_RELU by its definition: x alpha / y of the values below the zero point."""
    graph = of_scales("LEAKY_RELU", (0.5, 0.5), (3, -7), "LeakyReluOptions", Alpha=alpha)
    model = convert(graph, contract_named("intgold"), "m")
    x = np.arange(-128, 128, dtype=np.int8).reshape(32, 8)
    real = np.where(x >= 3, 1.0, np.float64(np.float32(alpha))) * (x.astype(int) - 3)
    wanted = np.clip(np.rint(real) - 7, -128, 127)
    near = np.abs(np.abs(real) % 1 - 0.5) > 1e-6  # halves apart
    np.testing.assert_array_equal(both_engines(model, [x])[near], wanted[near])


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("constant", [None, 5])
def test_a_row_that_one_value_is_added_to(dtype, constant):
    """LiteRT's optimised ADD floors its inputs in groups: entries of R nearby have the bits."""
    graph, x = added(dtype, (0.5, 0.3, 0.7), ((1, 3, 7), (1, 1, 1)), constant)
    both_engines(convert(graph, contract_named("litert_optimised_x86"), "m"), x)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_factor_of_a_fully_connected(channels):
    """LiteRT multiplies the scales in float32 where the weights have one, in float64 otherwise."""
    w, (x_scale, y_scale) = Writer(), np.float32([0.123, 7.7])
    scales = np.float32([0.0117, 0.0231, 0.0093])[:channels]
    x = w.tensor((1, 1), "int8", x_scale)
    weights = w.tensor((3, 1), "int8", scales, 0, np.ones((3, 1)), 0)
    y = w.tensor((1, 3), "int8", y_scale)
    w.op("FULLY_CONNECTED", [x, weights], y, 4, "FullyConnectedOptions",
         FusedActivationFunction=0, WeightsFormat=0, KeepNumDims=False)  # fmt: skip
    graph = parse(w.finish([x], [y]))
    precise = [float(x_scale) * float(s) / float(y_scale) for s in scales]
    rounded = [float(x_scale * s) / float(y_scale) for s in scales]
    wanted = {
        name: requantize_for(reals, form).multiplier.tolist()
        for name, reals, form in (
            ("litert_optimised_x86", rounded if channels == 1 else precise, "double_up"),
            ("tflm", precise, "double"),
        )
    }
    assert requantize_for(precise, "double").multiplier.tolist() != (
        requantize_for(rounded, "double").multiplier.tolist()
    )
    for name, multipliers in wanted.items():
        (op,) = convert(graph, contract_named(name), "m").ops
        assert op["requantize"].multiplier.tolist() == multipliers, name


@pytest.mark.parametrize(("channels", "whole"), [(3, []), (8, [8]), (11, [8, 3])])
def test_rows_of_an_add_of_uint8(channels, whole):
    """A group of 8 is within what both operands have in a row: the channels."""
    graph, x = added("uint8", (0.5, 0.3, 0.7), ((1, 4, 5, channels), (channels,)), 9)
    model = convert(graph, contract_named("litert_optimised_x86"), "m")
    both_engines(model, x)
    adds = [op for op in model.ops if op.kind == "add"]
    plain = [op["requantize1"].form == ("double",) for op in adds]
    assert plain == [n % 8 > 0 for n in whole or [channels]]


def test_floored_inputs_that_no_entry_has():
    """Scales that differ by a hair, whose sums are all near ties: one line, not other bits."""
    near = np.float32(0.5 * (1 - 5 * 2**-24))
    graph, _ = added("uint8", (0.5, near, 1.0), ((1, 16), (1, 16)))
    with pytest.raises(ImportFileError, match=r"op 0 \(ADD\): inputs that are floored at last"):
        convert(graph, contract_named("litert_optimised_x86"), "m")


def of_scales(kind, scales, zeros=(0, 0, 0), options="", dtype="int8", **fields):
    """A graph of one op on eight values, of these scales and zero points; the last: the output."""
    w = Writer()
    held = [w.tensor((1, 8), dtype, s, z) for s, z in zip(scales, zeros, strict=False)]
    w.op(kind, held[:-1], held[-1], 2, options, **fields)
    return parse(w.finish(held[:-1], held[-1:]))


MUL = {"kind": "MUL", "options": "MulOptions", "FusedActivationFunction": 0}


@pytest.mark.parametrize(
    ("contract", "graph", "why"),
    [
        ("litert_optimised_x86", {**MUL, "scales": (1, 1, 0.5)}, "values from -32512 to 32768 bef"),
        ("litert_optimised_x86", {**MUL, "scales": (1, 1, 0.51)}, None),
        ("litert_reference", {**MUL, "scales": (1, 1, 0.5)}, None),
        ("xnnpack", {**MUL, "scales": (1, 1, 0.5)}, None),
        ("xnnpack", {**MUL, "scales": (1, 1, 2**-8)}, "values from"),  # declined: as optimised
        ("litert_reference", {"kind": "RELU6", "scales": (1, 1e-10)}, "end 6.0 at a scale"),
        ("litert_reference", {"kind": "RELU6", "scales": (1, 1e-8)}, None),
        ("tflm", {"kind": "HARD_SWISH", "scales": (1, 2**-8)}, "ratio of scales of 128 or more"),
        ("tflm", {"kind": "DEQUANTIZE", "scales": (1, 1)}, "this op is not known$"),
    ],
)  # fmt: skip
def test_what_leaves_an_engines_integers(contract, graph, why):
    """An engine wraps it, or ends: one line; what just fits is imported."""
    graph = of_scales(**graph)
    if why is None:
        assert convert(graph, contract_named(contract), "m").ops
        return
    with pytest.raises(ImportFileError, match=why):
        convert(graph, contract_named(contract), "m")


def test_a_softmax_of_a_large_scale():
    """beta * scale of 16 and more: only the largest values of a row count (SPEC 5.10.1)."""
    w = Writer()
    x = w.tensor((1, 8), "int8", 40.0, 0)
    y = w.tensor((1, 8), "int8", 1 / 256, -128)
    w.op("SOFTMAX", [x], y, 2, "SoftmaxOptions", Beta=1.0)
    model = convert(parse(w.finish([x], [y])), contract_named("litert_reference"), "m")
    made = both_engines(model, [np.array([[3, 2, 3, -128, 127, 127, 0, 1]], np.int8)])
    assert made.ravel().tolist() == [-128, -128, -128, -128, 0, 0, -128, -128]


@pytest.mark.parametrize(
    ("contract", "dtype", "form"),
    [
        ("xnnpack", "int8", "rounded"), ("xnnpack", "uint8", "half_added"),
        ("litert_optimised_x86", "int8", "rounded"),
        ("litert_optimised_x86", "uint8", "half_added"),
    ],
)  # fmt: skip
def test_the_table_of_a_softmax(contract, dtype, form):
    """Entries are expf of the C library (SPEC 8.10); the form hangs on the type."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    libm.expf.restype, libm.expf.argtypes = ctypes.c_float, [ctypes.c_float]
    for scale, beta in ((0.1, 1.0), (0.0037, 0.3), (3.7, 1.0), (1e-9, 2.0), (0.5, 0.0)):
        zero = 128 if dtype == "uint8" else 0
        graph = of_scales("SOFTMAX", (scale, 1 / 256), (zero - 128, zero - 128), "SoftmaxOptions",
                          dtype=dtype, Beta=beta)  # fmt: skip
        (op,) = convert(graph, contract_named(contract), "m").ops
        factor = -(np.float32(scale) * np.float32(beta))
        want = [libm.expf(factor * np.float32(d)) for d in range(255, -1, -1)]
        assert (op.kind, op["form"]) == ("softmax_float32", form)
        assert op["table"].tolist() == np.array(want, np.float32).view(np.int32).tolist()
    reference = convert(graph_of_softmax(1.0), contract_named("litert_reference"), "m")
    assert [op.kind for op in reference.ops] == ["softmax"]
    with pytest.raises(ImportFileError, match="SOFTMAX.*beta -1.0 times its scale is -0.5"):
        convert(graph_of_softmax(-1.0), contract_named(contract), "m")


def graph_of_softmax(beta):
    return of_scales("SOFTMAX", (0.5, 1 / 256), (0, -128), "SoftmaxOptions", Beta=beta)


def test_expf_is_that_of_the_c_library():
    """Bit for bit from underflow to overflow, though not always the nearest float32."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    libm.expf.restype, libm.expf.argtypes = ctypes.c_float, [ctypes.c_float]
    v = np.random.default_rng(8).uniform(-105, 90, 50_000).astype(np.float32)
    want = np.array([libm.expf(x) for x in v.tolist()], np.float32)
    assert np.array_equal(expf(v), want)
    with np.errstate(over="ignore"):
        nearest = np.exp(v.astype(np.float64)).astype(np.float32)
    assert 0 < np.count_nonzero(nearest != want) < 100


@pytest.mark.parametrize(
    "op",
    sorted(
        {*operand_models.MODELS, *form_models.MODELS, *shape_models.MODELS, *softmax_models.MODELS}
    ),
)
def test_the_other_forms_of_ops(op, full):
    """Constants, broadcasting, axes, rows, groups, scales: golden = C, whatever the contract."""
    found = 0
    for seed in range(40 if full else 6):
        for contract in CONTRACTS:
            for dtype in ("int8", "uint8"):
                model, stimulus = made(op, 100 + seed, dtype)
                try:
                    imported = convert(parse(model.data), contract_named(contract), "m")
                except ImportFileError:
                    continue
                both_engines(imported, stimulus)
                found += 1
    assert found > 6


def dense(count, order=1):
    """A file of fully_connected layers that share their weights, each an output of it."""
    w = Writer()
    x, *made_by = (w.tensor((1, 4), "int8", 0.5, 0) for _ in range(count + 1))
    weights = w.tensor((4, 4), "int8", 0.5, 0, np.arange(16).reshape(4, 4))
    for source, to in pairwise((x, *made_by)):
        w.op(
            "FULLY_CONNECTED", [source, weights], to, 4, "FullyConnectedOptions",
            FusedActivationFunction=0, WeightsFormat=0, KeepNumDims=False,
        )  # fmt: skip
    return convert(parse(w.finish([x], made_by[::order])), contract_named("xnnpack"), "m")


def test_an_output_that_is_used_inside_and_weights_of_two_ops():
    """Outputs come in the order of the file."""
    model, one = dense(2, order=-1), dense(1)
    assert list(model.outputs) == ["t2", "t1"]
    batch = np.random.default_rng(0).integers(-128, 128, (5, 4)).astype(np.int8)
    golden, c = (model.run({"t0": batch}, backend=b).outputs for b in ("golden", "c"))
    once = both_engines(one, [batch])
    for name, wanted in (("t1", once), ("t2", both_engines(one, [once]))):
        assert np.array_equal(golden[name], wanted) and np.array_equal(c[name], wanted)


def test_what_is_near_and_not_exact_is_said():
    """In the model's metadata, once per kind of op; not under the contracts that are exact."""
    tanh, elu = small("TANH", X), small("ELU", X)
    for contract, graph, said in (
        ("xnnpack", tanh, "TANH: "), ("tflm", tanh, None), ("xnnpack", elu, "ELU: "),
    ):  # fmt: skip
        found = convert(graph, contract_named(contract), "m").metadata.get("inexact")
        assert found is None if said is None else found.startswith(said), contract
