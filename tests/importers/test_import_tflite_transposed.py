"""TRANSPOSE_CONV: what it becomes under each contract, and what is refused, in one line."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from shape_models import Shapes
from tflite_writer import Writer

SAME, VALID = 0, 1


def transposing(
    out, *, dtype="int8", shape=(1, 3, 4, 2), kernel=(3, 3), stride=(2, 2), padding=SAME,
    scale=0.5, held="constant", weights_c=2, out_c=5,
):  # fmt: skip
    """A graph of one TRANSPOSE_CONV; held: where its output shape comes from."""
    w, zero = Writer(), 128 if dtype == "uint8" else 0
    x = w.tensor(shape, dtype, 0.5, zero)
    data = np.arange(out_c * kernel[0] * kernel[1] * weights_c) % 100
    weights = w.tensor((out_c, *kernel, weights_c), dtype, 0.25, zero, data)
    extents = w.tensor((4,), "int32", data=np.array(out))
    if held == "computed":
        s = Shapes(w)
        extents = s.pack([s.first(s.shape_of(x, 4)), *(s.held(n) for n in out[1:])])
    if held == "given":
        extents = w.tensor((4,), "int32")
    y = w.tensor(out, dtype, scale, zero)
    w.op(
        "TRANSPOSE_CONV", [extents, weights, x], y, 4, "TransposeConvOptions", Padding=padding,
        StrideH=stride[0], StrideW=stride[1], FusedActivationFunction=0,
    )  # fmt: skip
    return parse(w.finish([x], [y]))


def imported(graph, contract="litert_reference"):
    return convert(graph, contract_named(contract), "m")


@pytest.mark.parametrize(
    ("out", "kernel", "stride", "padding", "sides"),
    [
        ((6, 8), (3, 3), (2, 2), SAME, (0, 1, 0, 1)),  # twice the size, the odd row at the end
        ((6, 8), (4, 4), (2, 2), SAME, (1, 1, 1, 1)),
        ((5, 7), (3, 3), (2, 2), SAME, (1, 1, 1, 1)),
        ((3, 4), (3, 2), (1, 1), SAME, (1, 1, 0, 1)),
        ((7, 9), (3, 3), (2, 2), VALID, (0, 0, 0, 0)),
        ((8, 10), (3, 3), (2, 2), VALID, (0, -1, 0, -1)),
        ((9, 12), (2, 1), (3, 3), VALID, (0, -1, 0, -2)),  # a stride beyond the kernel
    ],
)
def test_the_padding_is_that_of_a_convolution_of_the_output(out, kernel, stride, padding, sides):
    """SAME and VALID by the output's size; what is left of the full result is after it."""
    graph = transposing((1, *out, 5), kernel=kernel, stride=stride, padding=padding)
    (op,) = imported(graph).ops
    assert (op.kind, op["padding"], op["stride"]) == ("transpose_conv2d", sides, stride)


def forms(model):
    (op,) = model.ops
    return op["requantize"].form


def test_each_contract_has_its_rounding():
    """Groups of eight channels of the optimised kernels; XNNPACK by float32, or by those."""
    graph = transposing((1, 6, 8, 19), out_c=19)
    assert set(forms(imported(graph))) == set(forms(imported(graph, "tflm"))) == {"double"}
    by_groups = ("double_up",) * 16 + ("double",) * 3
    assert forms(imported(graph, "litert_optimised_x86")) == by_groups
    assert set(forms(imported(graph, "xnnpack"))) == {"float32"}
    assert set(forms(imported(graph, "intgold"))) == {"single"}
    computed = transposing((1, 6, 8, 19), out_c=19, held="computed")
    assert forms(imported(computed, "xnnpack")) == by_groups
    wide = transposing((1, 6, 8, 19), out_c=19, kernel=(3, 1))
    assert forms(imported(wide, "xnnpack")) == by_groups
    valid = transposing((1, 7, 8, 19), out_c=19, kernel=(3, 1), padding=VALID)
    assert set(forms(imported(valid, "xnnpack"))) == {"float32"}


@pytest.mark.parametrize(
    ("out", "kinds"),
    [
        ((1, 4, 4, 1), {"double_up"}),  # one whole group of sixteen values
        ((1, 3, 4, 1), {"double"}),  # less than one
        ((1, 5, 4, 1), {"double_up", "double"}),
    ],
)
def test_groups_of_uint8_are_those_of_all_values(out, kinds):
    """The optimised kernel of uint8 rounds the image's last values differently."""
    shape = (1, *(n for n in out[1:3]), 2)
    graph = transposing(
        out, dtype="uint8", shape=shape, stride=(1, 1), out_c=1, padding=SAME, scale=77.0
    )
    model = imported(graph, "litert_optimised_x86")
    convolutions = [op for op in model.ops if op.kind == "transpose_conv2d"]
    assert {f for op in convolutions for f in op["requantize"].form} == kinds
    x = np.random.default_rng(0).integers(-128, 128, (3, *shape[1:])).astype(np.int8)
    made = model.run(x, backend="golden").output.reshape(3, -1)
    assert np.array_equal(made, model.run(x).output.reshape(3, -1))
    acc = model.run(x, trace=True).accumulators[convolutions[0].output].reshape(3, -1)
    for part, of in ((slice(0, 16), "double_up"), (slice(16, None), "double")):
        held = [op for op in convolutions if of in op["requantize"].form]
        if held and acc[:, part].size:
            own = model.run(x, trace=True).tensors[held[0].output].reshape(3, -1)
            assert np.array_equal(made[:, part], own[:, part])


@pytest.mark.parametrize(
    ("graph", "contract", "why"),
    [
        (lambda: transposing((1, 9, 8, 5)), "tflm",
         r"output shape \(1, 9, 8, 5\), that no convolution brings to the input's \(3, 4, 2\)"),
        (lambda: transposing((1, 9, 9, 5), padding=VALID), "xnnpack",
         r"output shape \(1, 9, 9, 5\), that no convolution brings to the input's \(3, 4, 2\)"),
        (lambda: transposing((1, 6, 8, 4)), "tflm",
         r"output shape \(1, 6, 8, 4\); 1, height, width, 5 is needed"),
        (lambda: transposing((1, 6, 8, 5), weights_c=3), "tflm",
         r"weights of shape \(5, 3, 3, 3\) on an input of shape \(3, 4, 2\)"),
        (lambda: transposing((1, 6, 8, 5), stride=(0, 2)), "tflm", r"stride \(0, 2\), padding 0"),
        (lambda: transposing((1, 6, 8, 5), padding=7), "tflm", r"stride \(2, 2\), padding 7"),
        (lambda: transposing((1, 6, 8, 5), held="given"), "tflm",
         r"input t3 is not made before it"),
        (lambda: transposing((1, 6, 8, 5), scale=1e-5), "xnnpack",
         r"ratio of scales 12500 is beyond \[0, 255.99998\]: the engine does not take it"),
        (lambda: transposing((1, 6, 8, 5), dtype="uint8"), "tflm",
         r"TFLite Micro reference kernels: no kernel for it on uint8"),
    ],
)  # fmt: skip
def test_what_is_refused(graph, contract, why):
    with pytest.raises(ImportFileError, match=rf"op \d \(TRANSPOSE_CONV\): {why}") as caught:
        imported(graph(), contract)
    assert "\n" not in str(caught.value)
