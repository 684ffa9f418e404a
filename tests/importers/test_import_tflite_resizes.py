"""RESIZE_BILINEAR, MAXIMUM, PRELU, roots: what they become, tables, refusals in one line."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

from run import both_engines

EVERY = np.arange(-128, 128)


def imported(data, contract="litert_reference"):
    return convert(parse(data), contract_named(contract), "m")


def resized(shape, size, dtype="int8", aligned=False, centred=False, y_scale=0.5):
    """A file that resizes an image."""
    w = Writer()
    x = w.tensor((1, *shape), dtype, 0.5, 3)
    held = w.tensor((2,), "int32", data=np.array(size))
    y = w.tensor((1, *size, shape[2]), dtype, y_scale, 3)
    w.op("RESIZE_BILINEAR", [x, held], y, 3, "ResizeBilinearOptions", AlignCorners=aligned,
         HalfPixelCenters=centred)  # fmt: skip
    return w.finish([x], [y])


def two(kind, x2_scale=0.5, x2_zero=3, data=None, shape=(1, 4)):
    w = Writer()
    x1 = w.tensor((1, 4), "int8", 0.5, 3)
    x2 = w.tensor(shape, "int8", x2_scale, x2_zero, data)
    y = w.tensor((1, 4), "int8", 0.5, 3)
    w.op(kind, [x1, x2], y, 2, "MaximumMinimumOptions")
    return w.finish([x1] if data is not None else [x1, x2], [y])


def unary(kind, x, y, version=2):
    """A file of one op on every value; x, y: scale and zero point."""
    w = Writer()
    tensors = [w.tensor((1, 256), "int8", *quantised) for quantised in (x, y)]
    w.op(kind, tensors[:1], tensors[1], version)
    return w.finish(tensors[:1], tensors[1:])


def test_the_tables_of_a_resize():
    """The example of SPEC 8.14; eleven bits of the same; aligned corners; ends that are clamped."""
    (op,) = imported(resized((2, 2, 1), (3, 3))).ops
    assert (op["form"], op["frac_bits"]) == ("away", 10)
    tables = [op[n].tolist() for n in ("row0", "row1", "row_weight")]
    assert tables == [[0, 0, 1], [0, 1, 1], [0, 683, 0]]
    (op,) = imported(resized((2, 2, 1), (3, 3)), "xnnpack").ops
    assert (op["form"], op["frac_bits"]) == ("up", 11)
    assert op["column_weight"].tolist() == [0, 1365, 0] and op["column1"].tolist() == [1, 1, 1]
    for contract in ("litert_reference", "xnnpack"):
        (op,) = imported(resized((3, 3, 1), (5, 5), aligned=True), contract).ops
        half = 1 << op["frac_bits"] >> 1
        assert op["row_weight"].tolist() == [0, half, 0, half, 0]
        (op,) = imported(resized((2, 2, 1), (4, 4), centred=True), contract).ops
        assert op["row_weight"][0] == op["row_weight"][3] == 0
        assert op["row_weight"].tolist()[1:3] == [half // 2, 3 * half // 2]


def test_bytes_that_float32_interpolates():
    """Weights of few bits are imported, with as many bits as they need; others are refused."""
    (op,) = imported(resized((33, 33, 1), (513, 513), "uint8", aligned=True)).ops
    assert (op["form"], op["frac_bits"]) == ("up", 4)
    with pytest.raises(ImportFileError) as error:
        imported(resized((2, 2, 1), (3, 3), "uint8"))
    assert str(error.value) == (
        "op 0 (RESIZE_BILINEAR): uint8: the engine interpolates in float32, and these weights are "
        "no multiples of 2^-11: no integers give its bits"
    )
    assert imported(resized((2, 2, 1), (3, 3), "uint8"), "xnnpack").ops[0]["frac_bits"] == 11


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (resized((2, 2, 1), (3, 3), aligned=True, centred=True),
         "op 0 (RESIZE_BILINEAR): align_corners with half_pixel_centers"),
        (resized((2, 2, 1), (3, 3), y_scale=0.25),
         "op 0 (RESIZE_BILINEAR): the input has another scale or zero point than the output"),
        (resized((1, 2, 1), (1, 2 * 1700), centred=True),
         "op 0 (RESIZE_BILINEAR): column 2 of 2 is read, beyond the input"),
        (two("MAXIMUM", x2_scale=0.25),
         "op 0 (MAXIMUM): input 1 has another scale or zero point than the output"),
        (two("MINIMUM", x2_zero=4),
         "op 0 (MINIMUM): input 1 has another scale or zero point than the output"),
    ],
)  # fmt: skip
def test_what_is_refused(data, why):
    """One line that names the op and what is wrong."""
    with pytest.raises(ImportFileError) as error:
        imported(data)
    assert str(error.value) == why


@pytest.mark.parametrize("kind", ["MAXIMUM", "MINIMUM"])
def test_extremes_of_tensors_and_constants(kind):
    """A maximum or a minimum; of one value a table; of a constant per place both as they are."""
    pick = {"MAXIMUM": np.maximum, "MINIMUM": np.minimum}[kind]
    x = np.array([[-128, 5, 20, 127]], np.int8)
    model = imported(two(kind))
    assert [op.kind for op in model.ops] == [kind.lower()]
    assert np.array_equal(both_engines(model, [x, x[:, ::-1].copy()]), pick(x, x[:, ::-1]))
    model = imported(two(kind, data=np.array([7]), shape=(1,)))
    assert [op.kind for op in model.ops] == ["lut"]
    assert np.array_equal(both_engines(model, [x]), pick(x, 7))
    model = imported(two(kind, data=np.array([[7, -9, 127, 0]]), shape=(1, 4)))
    assert model.ops[-1].kind == kind.lower()
    assert np.array_equal(both_engines(model, [x]), pick(x, [[7, -9, 127, 0]]))


@pytest.mark.parametrize("contract", [c for c in CONTRACTS if c != "intgold"])
def test_slopes_of_parametric_relu(contract):
    """By exact reals: negative values by the slope of their channel, no value of both parts."""
    w, slopes = Writer(), np.array([-128, -1, 3, 127])
    x = w.tensor((1, 16, 16, 4), "int8", 0.5, 10)
    alpha = w.tensor((1, 1, 4), "int8", 0.01, 3, slopes.reshape(1, 1, 4))
    y = w.tensor((1, 16, 16, 4), "int8", 0.25, -7)
    w.op("PRELU", [x, alpha], y)
    model = imported(w.finish([x], [y]), contract)
    assert [op.kind for op in model.ops] == ["lut", "lut", "depthwise_conv2d", "add"]
    values = np.repeat(EVERY.astype(np.int8).reshape(1, 16, 16, 1), 4, axis=3)
    made = both_engines(model, [values]).astype(int)
    v = (values.astype(int) - 10) * 2.0
    real = np.where(v >= 0, v, v * (slopes - 3) * 0.01) - 7
    assert abs(made - real.clip(-128, 127)).max() <= 0.5 + 1e-6
    assert len({tuple(column) for column in made.reshape(256, 4).T.tolist()}) == 4


def test_roots():
    """SQRT drops the fraction; RSQRT is next to the real; both say where the engine has none."""
    model = imported(unary("SQRT", (0.3, -100), (0.05, -20)))
    v = np.maximum(EVERY + 100, 0)
    want = np.floor(np.sqrt(np.float32(0.3) * v.astype(np.float32)) / np.float32(0.05)) - 20
    assert model.ops[0]["table"].tolist() == want.clip(-128, 127).tolist()
    assert "values below the zero point" in model.metadata["no_answer"]
    model = imported(unary("RSQRT", (0.3, -128), (0.02, -128)))
    assert "no_answer" not in model.metadata
    table = model.ops[0]["table"].astype(int)
    reals = [1 / math.sqrt(0.3 * v) / 0.02 - 128 for v in range(1, 256)]
    assert table[0] == 127 and abs(table[1:] - np.clip(reals, -128, 127)).max() < 0.51


def test_logarithms_and_powers():
    """What has no logarithm is the lowest value; powers beyond float32 are the highest."""
    table = imported(unary("LOG", (0.1, 0), (0.05, 0))).ops[0]["table"].astype(int)
    assert (table[:129] == -128).all() and table[128 + 10] == 0 and table[255] == 51
    table = imported(unary("EXP", (1.0, 0), (0.5, -128))).ops[0]["table"].astype(int)
    assert table[128] == -126 and (table[128 + 5 :] == 127).all() and table[0] == -128


@pytest.mark.parametrize("kind", ["ABS", "SQRT", "RSQRT", "EXP", "LOG"])
def test_what_engines_lack(kind):
    """uint8 of all of them; TFLite Micro has int8 of two."""
    with pytest.raises(ImportFileError, match="no kernel for it on uint8"):
        w = Writer()
        x, y = (w.tensor((1, 4), "uint8", 0.5, 0) for _ in range(2))
        w.op(kind, [x], y)
        imported(w.finish([x], [y]))
    if kind in ("ABS", "RSQRT"):
        assert imported(unary(kind, (0.3, -128), (0.02, 0)), "tflm").ops[0].kind == "lut"
    else:
        with pytest.raises(ImportFileError, match="no kernel for it on int8"):
            imported(unary(kind, (0.3, -128), (0.02, 0)), "tflm")
