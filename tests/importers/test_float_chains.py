"""Floats between integer ops that depend on one value: tables, of each engine's float32."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert, convert_graph
from intgold.importers.tflite.file.reader import FileOp, parse
from intgold.importers.tflite.graph.float_chains import FLOAT32_CHAIN, fold_float_chains

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

EVERY = np.arange(-128, 128)
FLOAT = np.float32


class File(Writer):
    """A file of int8 tensors, scale 0.5 and zero point 3, and of floats between them."""

    def __init__(self, *shape):
        super().__init__()
        self.shape = shape or (1, 256)

    def int8(self, scale=0.5, zero=3, dtype="int8"):
        return self.tensor(self.shape, dtype, scale, zero)

    def real(self, kind, *inputs, options="", **fields):
        y = self.tensor(self.shape, "float32")
        self.op(kind, list(inputs), y, 1, options, **fields)
        return y

    def held(self, value, shape=()):
        return self.tensor(shape, "float32", data=np.full(shape, value))

    def quantized(self, x, *at, **of):
        y = self.int8(*at, **of)
        self.op("QUANTIZE", [x], y, 1)
        return y

    def graph(self, inputs, outputs):
        return parse(self.finish(inputs, outputs))


def negative(scale=0.5, zero=3, made=(0.7, -5), size=256, dtype="int8"):
    w = File(1, size)
    x = w.int8(scale, zero, dtype)
    y = w.quantized(w.real("NEG", w.real("DEQUANTIZE", x)), *made, dtype=dtype)
    return w.graph([x], [y])


def imported(graph, contract="litert_reference"):
    return convert(graph, contract_named(contract), "m")


def answers(model):
    x = EVERY.astype(np.int8)[None]
    golden, c = (model.run(x, backend=b).output for b in ("golden", "c"))
    assert np.array_equal(golden, c)
    return golden.astype(int).ravel()


def test_neg_is_a_table():
    """Of a lut alone; every answer by its definition, in exact rationals but for ties."""
    model = imported(negative(made=(0.5, 3)))
    assert [op.kind for op in model.ops] == ["lut"]
    assert answers(model).tolist() == np.clip(6 - EVERY, -128, 127).tolist()


@pytest.mark.parametrize(
    ("contract", "wanted"),
    [("litert_reference", [-2, 1, 2, 3]), ("tflm", [-2, 1, 2, 3]), ("intgold", [-2, 1, 2, 3]),
     ("xnnpack", [-2, 0, 2, 2]), ("litert_optimised_x86", [-2, 0, 2, 2])],
)  # fmt: skip
def test_halves(contract, wanted):
    """-(-3) / 2 and the like: away from 0, or to even."""
    model = imported(negative(scale=1.0, zero=0, made=(2.0, 0)), contract)
    made = dict(zip(EVERY.tolist(), answers(model).tolist(), strict=True))
    assert [made[v] for v in (3, -1, -3, -5)] == wanted


def test_what_the_optimised_kernel_rounds_twice():
    """Whole groups: scale times value and times zero point apart; the rest in float64."""
    scale, zero, y_scale = FLOAT(0.11979284), 127, FLOAT(0.05989642 * 4)
    graph = negative(scale, zero, (y_scale, 0), size=260)
    x = np.concatenate([EVERY, EVERY[:4]]).astype(np.int8)[None]
    model = imported(graph, "litert_optimised_x86")
    assert [op.kind for op in model.ops].count("lut") == 2
    y = model.run(x, backend="c").output.astype(int).ravel()
    twice = scale * EVERY.astype(FLOAT) + scale * FLOAT(-zero)
    whole = np.clip(np.rint(-twice * (FLOAT(1) / y_scale)), -128, 127)
    assert y[:256].tolist() == whole.tolist()
    once = (-(scale * (EVERY[:4] - zero).astype(FLOAT))).astype(float) / float(y_scale)
    rest = np.clip(np.trunc(once + np.copysign(0.5, once)), -128, 127)
    assert y[256:].tolist() == rest.tolist()
    assert len(imported(negative(size=256), "litert_optimised_x86").ops) == 1
    assert len(imported(negative(size=7), "litert_optimised_x86").ops) == 1


def test_uint8():
    """Zero points of the file are those of uint8."""
    graph = negative(scale=0.5, zero=131, made=(0.5, 131), dtype="uint8")
    assert answers(imported(graph)).tolist() == np.clip(6 - EVERY, -128, 127).tolist()
    with pytest.raises(ImportFileError, match="no kernel for it on uint8"):
        imported(graph, "tflm")


def test_several_ops_and_constants():
    """x * relu6(x + 3) / 6 in float: one table; float ops with a fused activation."""
    w = File()
    x = w.int8(0.0625, 0)
    f = w.real("DEQUANTIZE", x)
    g = w.real("ADD", f, w.held(3, (1,)), options="AddOptions", FusedActivationFunction=3)
    h = w.real("DIV", w.real("MUL", f, g), w.held(6))
    y = w.quantized(h, 0.125, -10)
    model = imported(w.graph([x], [y]))
    assert [op.kind for op in model.ops] == ["lut"]
    real = FLOAT(0.0625) * EVERY.astype(FLOAT)
    swish = real * np.clip(real + FLOAT(3), 0, 6).astype(FLOAT) / FLOAT(6)
    at = (swish / FLOAT(0.125)).astype(float)
    wanted = np.clip(np.trunc(at + np.copysign(0.5, at)) - 10, -128, 127)
    assert answers(model).tolist() == wanted.tolist()


def test_a_bool_that_is_cast():
    """0.0 and 1.0."""
    w = File()
    a, b = w.int8(), w.int8()
    bools = w.tensor(w.shape, "bool")
    w.op("GREATER", [a, b], bools, 2)
    y = w.quantized(w.real("CAST", bools), 0.25, 7)
    model = imported(w.graph([a, b], [y]))
    assert [op.kind for op in model.ops] == ["add", "lut", "lut"]
    x = dict(zip(model.inputs, (EVERY.astype(np.int8)[None], np.zeros((1, 256), np.int8)),
                 strict=True))  # fmt: skip
    assert model.run(x).output.ravel().tolist() == np.where(EVERY > 0, 11, 7).tolist()


def test_a_float_that_the_host_reads_too():
    """The float stays in the tail, beside the table."""
    w = File()
    x, made, z = w.int8(), w.int8(), w.int8()
    w.op("RELU", [x], made)
    g = w.real("NEG", w.real("DEQUANTIZE", made))
    w.op("RELU", [w.quantized(g)], z)
    found = convert_graph(w.graph([x], [z, g]), contract_named("litert_reference"), "m")
    assert [op.kind for op in found.model.ops] == ["lut"] * 3
    assert [op.kind for op in found.cut.tail] == ["DEQUANTIZE", "NEG"]


def test_a_dequantize_and_a_quantize_alone():
    """Without an op between them they are a table as well, as they are at the end of a file."""
    w = File()
    x = w.int8()
    y = w.quantized(w.real("DEQUANTIZE", x), 1.0, 3)
    model = imported(w.graph([x], [y]))
    assert (
        answers(model).tolist()
        == (3 + np.trunc((EVERY - 3) / 2 + np.copysign(0.5, EVERY - 3))).astype(int).tolist()
    )


def not_folded():
    """Graphs whose floats are of no one value, by what keeps them from it."""
    for name in ("kind", "two", "spread", "shape", "constant", "from uint8", "rank"):
        w = File()
        x, other = w.int8(), w.int8()
        f = w.real("DEQUANTIZE", x)
        if name == "kind":
            f = w.real("SIN", f)
        elif name == "two":
            f = w.real("ADD", f, w.real("DEQUANTIZE", other))
        elif name == "spread":
            f = w.real("MUL", f, w.tensor((256,), "float32", data=np.ones(256)))
        elif name == "rank":
            f = w.real("MUL", f, w.held(1, (1, 1, 1)))
        elif name == "shape":
            w.shape = (256, 1)
            f = w.real("NEG", f)
        elif name == "constant":
            f = w.real("NEG", w.tensor(w.shape, "float32", data=np.ones(w.shape)))
        y = w.quantized(f, dtype="uint8" if name == "from uint8" else "int8")
        yield pytest.param(w.graph([x, other], [y]), id=name)


@pytest.mark.parametrize("graph", [*not_folded()])
def test_what_is_no_chain(graph):
    """It stays as it is: a tail, or refused as floats in the middle."""
    assert fold_float_chains(graph) is graph


def test_damaged_chains():
    """Ops in no order, without inputs, in a circle, of no tensor: left as they are."""
    graph = negative()
    dequantize, neg, quantize = graph.ops
    for ops in (
        (neg, dequantize, quantize),
        (dequantize, FileOp(1, "NEG", (), neg.outputs, {}), quantize),
        (dequantize, FileOp(1, "NEG", (-1,), neg.outputs, {}), quantize),
        (dequantize, FileOp(1, "NEG", neg.outputs, neg.outputs, {}), quantize),
        (dequantize, FileOp(1, "ADD", (*neg.inputs, quantize.outputs[0]), neg.outputs, {}),
         quantize),
        (FileOp(0, "DEQUANTIZE", (-1,), dequantize.outputs, {}), neg, quantize),
    ):  # fmt: skip
        numbered = tuple(FileOp(i, o.kind, o.inputs, o.outputs, {}) for i, o in enumerate(ops))
        damaged = type(graph)(graph.tensors, numbered, graph.inputs, graph.outputs)
        assert fold_float_chains(damaged) is damaged


@pytest.mark.parametrize(
    ("constant", "kind", "why"),
    [(1e-38, "DIV", "int8 -128 becomes -inf in float, -inf scales"),
     (1e30, "MUL", "int8 -128 becomes -6.55e+31 in float"), (np.nan, "ADD", "becomes nan")],
)  # fmt: skip
def test_what_no_integer_holds(constant, kind, why):
    """Engines cast it to int32, which C leaves undefined: refused with the value."""
    w = File()
    x = w.int8()
    y = w.quantized(w.real(kind, w.real("DEQUANTIZE", x), w.held(constant)))
    with pytest.raises(ImportFileError, match=rf"^op 2 \({FLOAT32_CHAIN}\): ") as error:
        imported(w.graph([x], [y]))
    assert why in str(error.value)


def in_a_row(*ops, scale=0.5):
    """A graph of ops of one float: a kind, or a kind and a constant, of which RDIV is over it."""
    w = File()
    x = w.int8(scale, 0)
    f = w.real("DEQUANTIZE", x)
    for kind, *constant in ops:
        operands = [f, *(w.held(value) for value in constant)]
        reverse = kind == "RDIV"
        f = w.real("DIV" if reverse else kind, *(operands[::-1] if reverse else operands))
    return w.graph([x], [w.quantized(f, scale, 0)])


@pytest.mark.parametrize(
    ("graph", "why"),
    [(in_a_row(("MUL", 1e-30), ("MUL", 1e-10), ("MUL", 1e30), ("MUL", 1e10)), "op 2 (MUL): "),
     (in_a_row(("MUL", 1e-40), ("MUL", 1e30), ("MUL", 1e10)), "op 1 (MUL): 9.9999461e-41 is no"),
     (in_a_row(("NEG",), scale=2.0**-127), "5.8774718e-39 is no")],
)  # fmt: skip
def test_subnormal_floats(graph, why):
    """XNNPACK takes them for 0, or ends the process; the other engines compute with them."""
    for contract in ("litert_reference", "litert_optimised_x86", "tflm"):
        assert np.abs(answers(imported(graph, contract)) / np.where(EVERY, EVERY, 1)).max() == 1
    with pytest.raises(ImportFileError) as error:
        imported(graph, "xnnpack")
    assert why in str(error.value) and "no normal float32; the engine takes 0" in str(error.value)


@pytest.mark.parametrize("contract", ["litert_reference", "tflm", "xnnpack"])
def test_a_divisor_of_0(contract):
    """min(1 / -x, 6) of 0 is 6 or -inf by the sign that an engine gives to 0."""
    graph = in_a_row(("NEG",), ("RDIV", 1), ("RELU6",))
    with pytest.raises(ImportFileError, match=r"op 2 \(DIV\) divides by 0, of which"):
        imported(graph, contract)


@pytest.mark.parametrize(
    ("contract", "kinds"),
    [("litert_reference", {"CEIL", "ROUND"}), ("tflm", {"RELU_N1_TO_1"}), ("xnnpack", set()),
     ("litert_optimised_x86", set())],
)  # fmt: skip
def test_float_ops_without_a_kernel(contract, kinds):
    """An engine refuses a file with such an op: no model has its bits."""
    refused = set()
    for kind in ("NEG", "ABS", "SQUARE", "FLOOR", "CEIL", "ROUND", "RELU", "RELU_N1_TO_1", "RELU6"):
        try:
            imported(in_a_row((kind,)), contract)
        except ImportFileError as error:
            assert f"no kernel for op 1 ({kind}) on float32" in str(error)
            refused.add(kind)
    assert refused == kinds
