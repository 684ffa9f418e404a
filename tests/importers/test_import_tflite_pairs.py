"""Ops of two operands that are data: what they become, exact answers, refusals in one line."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError, ModelError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

EVERY = np.arange(-128, 128)


def imported(data, contract="litert_reference"):
    return convert(parse(data), contract_named(contract), "m")


def both(kind, dtype="int8", scales=(0.5, 0.5, 0.5), zeros=(3, 3, 3), shapes=((1, 4),) * 2,
         data=None, made=None, options=""):  # fmt: skip
    """A file of one op of two operands; `data`: of the second one."""
    w = Writer()
    x1, x2 = (w.tensor(s, dtype, scale, z, held) for s, scale, z, held in
              zip(shapes, scales, zeros, (None, data), strict=False))  # fmt: skip
    bools = made == "bool"
    quantised = (None, 0) if bools else (scales[2], zeros[2])
    y = w.tensor(np.broadcast_shapes(*shapes), made or dtype, *quantised)
    w.op(kind, [x1, x2], y, 2, options)
    return w.finish([x1] if data is not None else [x1, x2], [y])


def pairs():
    """Every pair of int8, shape (256, 256) of images of one value."""
    a, b = np.meshgrid(EVERY, EVERY, indexing="ij")
    return a.reshape(-1, 1), b.reshape(-1, 1)


def run(model, *inputs):
    x = {name: v.astype(np.int8).reshape(len(v), *model.tensor(name).shape) for name, v in
         zip(model.inputs, inputs, strict=True)}  # fmt: skip
    golden, c = (model.run(x, backend=b).output for b in ("golden", "c"))
    assert np.array_equal(golden, c)
    return golden.astype(int)


COMPARE = {
    "EQUAL": np.equal, "NOT_EQUAL": np.not_equal, "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal, "LESS": np.less, "LESS_EQUAL": np.less_equal,
}  # fmt: skip


@pytest.mark.parametrize("kind", COMPARE)
def test_a_comparison_is_a_difference_and_a_table(kind):
    """Of one scale by every pair: reals are compared, by two ops; of a constant by one table."""
    a, b = pairs()
    model = imported(both(kind, zeros=(3, 5, 0), shapes=((1, 1),) * 2, made="bool"))
    assert [op.kind for op in model.ops] == ["add", "lut"]
    assert model.ops[0]["form"] == "shared_scale_difference"
    assert model.metadata["bool"] == "stored as 0 and 1"
    wanted = COMPARE[kind](a - 3, b - 5).astype(int)
    assert np.array_equal(run(model, a, b).reshape(-1, 1), wanted)
    held = np.array(20)
    model = imported(both(kind, zeros=(3, 5, 0), shapes=((1, 1), ()), data=held, made="bool"))
    assert [op.kind for op in model.ops] == ["lut"]
    column = EVERY.reshape(-1, 1)
    assert np.array_equal(run(model, column).reshape(-1, 1), COMPARE[kind](column - 3, 15))


SPREAD = [
    ((1, 2, 1, 3, 4), (1, 1, 5, 3, 4)),
    ((1, 1, 2, 3), (1, 4, 3, 2, 1)),
    ((1, 2, 1, 3, 1, 2), (1, 1, 5, 1, 2, 1)),
    ((1, 2, 3, 1, 2, 1), (1, 3, 1, 1)),
]


@pytest.mark.parametrize("shapes", SPREAD)
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("kind", ["MAXIMUM", "ADD", "MUL", "LESS", "FLOOR_MOD"])
def test_operands_of_five_and_six_dimensions(kind, shapes, held):
    """Spread over each other as arrays are, data or a constant."""
    wanted = {
        "MAXIMUM": np.maximum, "ADD": lambda a, b: np.clip(a + b, -128, 127),
        "MUL": lambda a, b: np.clip(np.trunc(a * b / 2 + np.copysign(0.5, a * b)), -128, 127),
        "LESS": np.less, "FLOOR_MOD": np.mod,
    }[kind]  # fmt: skip
    rng = np.random.default_rng(7)
    a, b = (rng.integers(1, 100, s) for s in shapes)
    model = imported(both(
        kind, zeros=(0, 0, 0), shapes=shapes, data=b if held else None,
        made="bool" if kind == "LESS" else None,
    ))  # fmt: skip
    given = [a, b][: 1 if held else 2]
    y = run(model, *(v if v.shape[0] == 1 else v[None] for v in given))
    assert np.array_equal(y.ravel(), wanted(a, b).astype(int).ravel())


def test_close_reals_of_different_scales_are_equal():
    """Engines compare multiples of 2^-8: 0.001 and 0.0011 round to the same, and then are equal."""
    data = both("EQUAL", scales=(1e-3, 1.1e-3, 1), zeros=(0, 0, 0), shapes=((1, 1),) * 2,
                made="bool")  # fmt: skip
    a, b = (np.array([[v]]) for v in (1, 1))
    assert run(imported(data), a, b).item() == 1


@pytest.mark.parametrize("kind", ["SELECT", "SELECT_V2"])
def test_a_select_chooses(kind):
    """Every pair by both values of the condition; other bytes of a bool are true."""
    w = Writer()
    c = w.tensor((1, 1), "bool")
    x1, x2, y = (w.tensor((1, 1), "int8", 0.5, 3) for _ in range(3))
    w.op(kind, [c, x1, x2], y, 1)
    model = imported(w.finish([c, x1, x2], [y]))
    assert {op.kind for op in model.ops} == {"lut", "minimum", "maximum"}
    a, b = pairs()
    for value, wanted in ((1, a), (0, b), (-1, a), (2, a)):
        assert np.array_equal(run(model, np.full_like(a, value), a, b).reshape(-1, 1), wanted)


def test_a_select_of_constants():
    """Of two constants it is one table; of one, the other one passes a minimum."""

    def choosing(first, second):
        w = Writer()
        c = w.tensor((1, 1), "bool")
        x1, x2 = (w.tensor((1, 1), "int8", 0.5, 3, v) for v in (first, second))
        y = w.tensor((1, 1), "int8", 0.5, 3)
        w.op("SELECT_V2", [c, x1, x2], y, 1)
        given = [c] + [x for x, v in ((x1, first), (x2, second)) if v is None]
        return imported(w.finish(given, [y]))

    model = choosing(np.array([[-7]]), np.array([[100]]))
    assert [op.kind for op in model.ops] == ["lut", "lut"]  # the first makes 0 and 1 of the input
    assert run(model, np.array([[1], [0]])).ravel().tolist() == [-7, 100]
    model = choosing(None, np.array([[-128]]))
    x = EVERY.reshape(-1, 1)
    for value, wanted in ((1, x), (0, np.full_like(x, -128))):
        assert np.array_equal(run(model, np.full_like(x, value), x).reshape(-1, 1), wanted)


def opposite(dtype):
    """A file of a LOGICAL_NOT."""
    w = Writer()
    x, y = w.tensor((1, 1), dtype), w.tensor((1, 1), dtype)
    w.op("LOGICAL_NOT", [x], y)
    return w.finish([x], [y])


def test_logical_ops():
    """A minimum, a maximum, a table."""
    bits = np.array([[0], [0], [1], [1]]), np.array([[0], [1], [0], [1]])
    for kind, op, wanted in (
        ("LOGICAL_AND", "minimum", [0, 0, 0, 1]), ("LOGICAL_OR", "maximum", [0, 1, 1, 1]),
    ):  # fmt: skip
        model = imported(both(kind, "bool", (None,) * 3, (0, 0, 0), ((1, 1),) * 2))
        assert [o.kind for o in model.ops] == ["lut", "lut", op]  # of each input 0 and 1
        assert run(model, *bits).ravel().tolist() == wanted
    assert run(imported(opposite("bool")), bits[1]).ravel().tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("kind", ["LOGICAL_AND", "EQUAL"])
def test_any_byte_is_a_bool(kind):
    """All but 0 are true: every pair of bytes gives 0 or 1, as if 0 and 1 were fed."""
    a, b = pairs()
    model = imported(both(kind, "bool", (None,) * 3, (0,) * 3, ((1, 1),) * 2, made="bool"))
    wanted = {"LOGICAL_AND": np.logical_and, "EQUAL": np.equal}[kind](a != 0, b != 0)
    assert np.array_equal(run(model, a, b).reshape(-1, 1), wanted.astype(int))
    assert model.metadata["bool_outputs"] == model.outputs[0]


def test_quotients():
    """FLOOR_DIV, FLOOR_MOD and DIV of every pair; what a divisor of 0 gives is not known."""
    a, b = pairs()
    safe = np.where(b == 0, 1, b)
    for kind, wanted in (("FLOOR_DIV", np.minimum(a // safe, 127)), ("FLOOR_MOD", a % safe)):
        model = imported(both(kind, scales=(None,) * 3, zeros=(0,) * 3, shapes=((1, 1),) * 2))
        assert [op.kind for op in model.ops] == ["lut2d"]
        assert "divisor of 0" in model.metadata["no_answer"]
        assert ("-128 / -1" in model.metadata["no_answer"]) == (kind == "FLOOR_DIV")
        assert np.array_equal(run(model, a, b).reshape(-1, 1)[b != 0], wanted[b != 0])
    data = both("DIV", "uint8", (0.5,) * 3, (3, 131, 3), ((1, 2),) * 2, np.array([[3, 130]]),
                options="DivOptions")  # fmt: skip
    assert "no_answer" not in imported(data).metadata
    data = both("DIV", "uint8", (0.5,) * 3, (3, 131, 3), ((1, 2),) * 2, np.array([[3, 131]]),
                options="DivOptions")  # fmt: skip
    assert "divisor of 0" in imported(data).metadata["no_answer"]
    for held, noted in ((3, False), (-1, True)):
        data = both("FLOOR_DIV", zeros=(0,) * 3, shapes=((1, 1), ()), data=np.array(held))
        assert ("no_answer" in imported(data).metadata) == noted
    data = both("DIV", scales=(0.5, 0.5, 0.25), zeros=(0, 0, 3), shapes=((1, 1),) * 2,
                options="DivOptions")  # fmt: skip
    exact = a * 4 / safe
    rounded = np.clip(np.sign(exact) * np.floor(abs(exact) + 0.5) + 3, -128, 127)
    own = run(imported(data, "intgold"), a, b).reshape(-1, 1)
    assert np.array_equal(own[b != 0], rounded[b != 0])
    model = imported(data)
    assert "x86" in model.metadata["inexact"]
    theirs = run(model, a, b).reshape(-1, 1)
    large = (b != 0) & (abs(a) >= abs(b))
    assert abs(theirs - own)[large].max() <= 1
    # A small one is shifted by more than 31 bits: the engines make 127 of -7 / -128.
    at = (a == -7) & (b == -128)
    assert (own[at].item(), theirs[at].item()) == (3, 127)


def test_a_squared_difference_is_arithmetic():
    """An add of its own form; of scales that are equal the square of the difference."""
    data = both("SQUARED_DIFFERENCE", scales=(0.5, 0.5, 64.0), zeros=(3, 5, -128),
                shapes=((1, 1),) * 2)  # fmt: skip
    model = imported(data)
    assert [op.kind for op in model.ops] == ["add"]
    assert model.ops[0]["form"] == "shared_scale_squared_difference"
    a, b = pairs()
    exact = ((a - 3) - (b - 5)) ** 2 / 256 - 128
    assert abs(run(model, a, b).reshape(-1, 1) - np.clip(exact, -128, 127)).max() <= 0.5


def test_squares_that_are_enlarged():
    """Of a last factor of 1 or more: TFLite Micro shifts to the left, LiteRT ends the process."""
    data = both("SQUARED_DIFFERENCE", scales=(64.0, 64.0, 0.75), zeros=(3, 5, -128),
                shapes=((1, 1),) * 2)  # fmt: skip
    a, b = pairs()
    exact = ((a - 3) - (b - 5)) ** 2 * (64.0 * 64.0 / 0.75) - 128
    y = run(imported(data, "tflm"), a, b).reshape(-1, 1)
    assert abs(y - np.clip(exact, -128, 127)).max() <= 0.5
    with pytest.raises(ModelError, match="pre-shifted accumulator can reach .*, beyond int32"):
        imported(both("SQUARED_DIFFERENCE", scales=(64.0, 64.0, 0.01)), "tflm")
    for contract in ("litert_reference", "litert_optimised_x86", "xnnpack"):
        with pytest.raises(ImportFileError, match="factor is 1.33.*: the engine ends the process"):
            imported(data, contract)
    scale = np.float32(1 + 2894 * 2.0**-23)
    made = np.float32(4 * float(scale) ** 2 / 2**14)
    assert 1 - 2.0**-32 < 4 * float(scale) ** 2 / 2**14 / float(made) < 1  # 31 bits round it to 1
    with pytest.raises(ImportFileError, match="factor is 1: the engine ends the process"):
        imported(both("SQUARED_DIFFERENCE", scales=(scale, scale, made)))


def matmul(shapes, adj=(False, False), held=None, x2_zero=0, scales=(0.05, 0.04, 0.3)):
    w = Writer()
    x1 = w.tensor(shapes[0], "int8", scales[0], 3)
    x2 = w.tensor(shapes[1], "int8", scales[1], x2_zero, held)
    y = w.tensor(shapes[2], "int8", scales[2], -4)
    w.op("BATCH_MATMUL", [x1, x2], y, 4, "BatchMatMulOptions", AdjX=adj[0], AdjY=adj[1])
    return w.finish([x1] if held is not None else [x1, x2], [y])


def test_matrices():
    """Both of data: a matmul; transposed ones are copied; of constants it is a convolution."""
    shapes = ((1, 2, 5, 7), (1, 2, 6, 7), (1, 2, 5, 6))
    assert [op.kind for op in imported(matmul(shapes, (False, True))).ops] == ["matmul"]
    shapes = ((1, 2, 5, 7), (1, 2, 7, 6), (1, 2, 5, 6))
    assert [op.kind for op in imported(matmul(shapes)).ops] == ["strided_copy", "matmul"]
    shapes = ((1, 2, 5, 7), (1, 1, 7, 6), (1, 2, 5, 6))
    assert [op.kind for op in imported(matmul(shapes)).ops] == ["strided_copy", "matmul"]
    held = np.random.default_rng(0).integers(-128, 128, (7, 6))
    model = imported(matmul(((1, 5, 7), (7, 6), (1, 5, 6)), held=held, x2_zero=9))
    assert [op.kind for op in model.ops] == ["reshape", "conv2d", "reshape"]
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (3, 1, 5, 7))
    real = ((x - 3) @ (held - 9))[:, 0] * (0.05 * 0.04 / 0.3) - 4
    assert abs(run(model, x) - np.clip(real, -128, 127)).max() <= 0.501


def test_a_delegate_takes_matrices_whose_zero_point_is_0():
    """Of others XNNPACK leaves a BATCH_MATMUL to the kernels of the runtime."""
    shapes = ((1, 2, 5, 7), (1, 2, 6, 7), (1, 2, 5, 6))
    for zero, form in ((0, "float32"), (1, "double")):
        data = matmul(shapes, (False, True), x2_zero=zero)
        assert imported(data, "xnnpack").ops[0]["requantize"].form == (form,)


def dense_of_data(scales=(0.05, 0.04, 0.2)):
    """A file of a FULLY_CONNECTED whose weights are an input, reshaped."""
    w = Writer()
    x, flat = w.tensor((1, 5), "int8", scales[0], 3), w.tensor((1, 15), "int8", scales[1], 2)
    weights = w.tensor((3, 5), "int8", scales[1], 2)
    w.op("RESHAPE", [flat, w.tensor((2,), "int32", data=np.array([3, 5]))], weights)
    bias = w.tensor((3,), "int32", scales[0] * scales[1], 0, np.array([100, -200, 300]))
    y = w.tensor((1, 3), "int8", scales[2], -4)
    w.op("FULLY_CONNECTED", [x, weights, bias], y, 4, "FullyConnectedOptions",
         FusedActivationFunction=0, WeightsFormat=0, KeepNumDims=False)  # fmt: skip
    return w.finish([x, flat], [y])


def test_weights_of_data():
    """A FULLY_CONNECTED whose weights an op makes is a matmul, with its biases."""
    model = imported(dense_of_data(), "xnnpack")
    (op,) = (op for op in model.ops if op.kind == "matmul")
    assert op["bias"].tolist() == [100, -200, 300] and op["requantize"].form == ("double_up",)


def choosing(kind, shape, dtype, scales=(0.5, 0.5), zeros=(3, 3)):
    """A file of a SELECT of two tensors of shape (1, 3, 4) by a condition of this shape."""
    w = Writer()
    c = w.tensor(shape, "bool")
    x1, x2, y = (
        w.tensor((1, 3, 4), dtype, *(() if dtype == "bool" else quantised))
        for quantised in (*zip(scales, zeros, strict=True), (0.5, 3))
    )
    w.op(kind, [c, x1, x2], y, 1)
    return w.finish([c, x1, x2], [y])


@pytest.mark.parametrize("shape", [(1,), (1, 3, 4)])
def test_conditions_of_a_select(shape):
    """One value, or as many as there are."""
    assert imported(choosing("SELECT", shape, "int8"), "xnnpack").ops


def test_batches_are_images():
    """A file of three images: each compared, selected and multiplied by itself."""
    data = both("GREATER", zeros=(3, 5, 0), shapes=((3, 4),) * 2, made="bool")
    assert imported(data).tensor(imported(data).inputs[0]).shape == (4,)
    model = imported(matmul(((3, 5, 7), (3, 6, 7), (3, 5, 6)), (False, True)))
    assert model.tensor(model.inputs[0]).shape == (5, 7)
    with pytest.raises(ImportFileError, match="mix the 3 images"):
        imported(matmul(((3, 5), (3, 5), (3, 3)), (False, True)))


@pytest.mark.parametrize(
    ("data", "contract", "why"),
    [
        *((both(kind, "bool", (None,) * 3, (0,) * 3, made="bool"), contract,
           "no kernel for it on bool")
          for kind in ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
          for contract in ("litert_reference", "litert_optimised_x86", "xnnpack", "tflm")),
        *((choosing(kind, shape, dtype), contract, why) for kind, shape, dtype, contract, why in (
            ("SELECT", (1, 1, 1), "int8", "xnnpack", r"shapes \(1, 1, 1\), \(1, 3, 4\)"),
            ("SELECT", (1, 3, 1), "int8", "xnnpack", r"shapes \(1, 3, 1\), \(1, 3, 4\)"),
            ("SELECT_V2", (1, 3, 4), "bool", "tflm", "no kernel for it on bool"),
        )),
        (both("EQUAL", scales=(1.0, 0.5, 1), made="bool"), "litert_reference",
         "op 0 .EQUAL.: input 0 has a scale of 1: engines shift by a negative"),
        (both("EQUAL"), "litert_reference", "int8 and int8 to int8"),
        (both("GREATER", "uint8", made="bool"), "tflm", "no kernel for it on uint8"),
        (both("LOGICAL_AND"), "litert_reference", "input 0 is int8; bool is read"),
        (both("ADD", "bool", (None,) * 3, (0,) * 3, options="AddOptions"), "litert_reference",
         "tensor of bools; it is read on int8 and uint8"),
        (both("FLOOR_DIV", "uint8"), "litert_reference", "no kernel for it on uint8"),
        (both("FLOOR_MOD"), "tflm", "no kernel for it on int8"),
        (both("SQUARED_DIFFERENCE", "uint8"), "xnnpack", "no kernel for it on uint8"),
        (both("SQUARED_DIFFERENCE", scales=(9.0, 9.0, 0.001)), "xnnpack", "last factor is 19.77"),
        (both("SQUARED_DIFFERENCE", scales=(0.5, 0.5, 3e38)), "tflm",
         "its output has a scale of 3e.38: 2.14 of it is beyond float32"),
        (matmul(((1, 5, 7), (1, 7, 6), (1, 5, 6)), scales=(1e-38, 1, 1)), "xnnpack",
         "input 0 has a scale of 9.9999994e-39, which is no normal float32"),
        (opposite("int8"), "xnnpack", "input 0 is int8; bool is read"),
        (choosing("SELECT", (1, 3, 4), "int8", (0.5, 0.25)), "xnnpack",
         "input 2 has another scale or zero point than the output"),
        (choosing("SELECT", (1, 3, 4), "int8", zeros=(4, 3)), "xnnpack",
         "input 1 has another scale or zero point than the output"),
        (dense_of_data((100.0, 100.0, 0.9)), "litert_reference",
         "values of up to 3.62e.09 before the clamp, beyond int32"),
        *((both("DIV", dtype, zeros=(3, zero, 3), data=np.ones((1, 4)), options="DivOptions"),
           "tflm" if dtype == "int8" else "xnnpack",
           rf"^op 0 .DIV.: constant t1 has the zero point {zero}, beyond {dtype}$")
          for dtype, zero in (("int8", 300), ("int8", -129), ("uint8", -1), ("int8", 2**40))),
        (both("DIV", scales=(1.0, 1.0, 1e-8), options="DivOptions"), "tflm", "negative number"),
        (both("POW"), "litert_reference", r"op 0 \(POW\): this op is not known"),
        (matmul(((1, 5, 7), (1, 6, 8), (1, 5, 6)), (False, True)), "tflm", r"\(1, 6, 8\) to"),
        (matmul(((1, 1, 1, 1, 5, 7), (1, 7, 6), (1, 1, 1, 1, 5, 6))), "tflm", "2 to 5 dimensions"),
        (matmul(((1, 5, 7), (7, 6), (1, 5, 6)), held=np.ones((7, 6)), scales=(1, 1, 1e-3)),
         "xnnpack", "ratio of scales 999.99994 is beyond"),
    ],
)  # fmt: skip
def test_what_is_refused(data, contract, why):
    with pytest.raises(ImportFileError, match=why) as error:
        imported(data, contract)
    assert "\n" not in str(error.value)


def many(kind, number, shapes, held=None, options="", **fields):
    """A file of an op again and again, of the same operands."""
    w = Writer()
    x1, x2 = w.tensor(shapes[0], "int8", 0.5, 0), w.tensor(shapes[1], "int8", 0.5, 0, held)
    outputs = [w.tensor(shapes[2], "int8", 0.5, 0) for _ in range(number)]
    for y in outputs:
        w.op(kind, [x1, x2], y, 1, options, **fields)
    return w.finish([x1] if held is not None else [x1, x2], outputs)


def test_constants_that_a_file_does_not_have():
    """A small file gets no large model: tables of pairs, a constant matrix that is copied often."""
    shapes = ((1, 2),) * 3
    assert len(imported(many("FLOOR_MOD", 64, shapes)).ops) == 64
    with pytest.raises(ImportFileError, match=r"op 64 .FLOOR_MOD.: 65536 constants that are not"):
        imported(many("FLOOR_MOD", 65, shapes))
    shapes = ((1, 2, 1, 128), (2, 128, 256), (1, 2, 1, 256))
    with pytest.raises(ImportFileError, match=r"op 4 .BATCH_MATMUL.: 65536 constants that are not"):
        imported(many("BATCH_MATMUL", 5, shapes, np.ones(shapes[1]), "BatchMatMulOptions",
                      AdjX=False, AdjY=False))  # fmt: skip
