"""Shapes that a file computes, images without the batch, constants joined to tensors."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse
from intgold.importers.tflite.graph.shape_arithmetic import fold_shapes

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from one_op_models import made
from tflite_writer import Writer

from run import both_engines


class File(Writer):
    """A file whose int8 tensors are all of scale 0.5 and zero point 3."""

    def int8(self, *shape, data=None):
        return self.tensor(shape, "int8", 0.5, 3, data)

    def int32(self, *shape):
        return self.tensor(shape, "int32")

    def held(self, values):
        return self.tensor(np.shape(values), "int32", data=np.array(values))

    def add(self, kind, inputs, output, options="", **fields):
        self.op(kind, inputs, output, 2, options, **fields)
        return output

    def sliced(self, x, begin, end, stride=1, **masks):
        ends = [self.held([v]) for v in (begin, end, stride)]
        return self.add("STRIDED_SLICE", [x, *ends], self.int32(1), "StridedSliceOptions", **masks)

    def graph(self, inputs, outputs):
        return parse(self.finish(inputs, outputs))


def model_of(graph):
    return convert(graph, contract_named("litert_reference"), "m")


def computed(add, wanted, shape=(1, 4, 3, 2)):
    """A file that reshapes a tensor as ops say that `add` adds; it says a shape of ones itself."""
    w = File()
    x, y = w.int8(*shape), w.int8(*(1,) * len(wanted))
    z = w.int8(1, int(np.prod(shape)))
    size = w.add("SHAPE", [x], w.int32(len(shape)), "ShapeOptions", OutType=2)
    w.add("RESHAPE", [x, add(w, size)], y)
    w.add("RESHAPE", [y, w.held([1, -1])], z)
    return w.graph([x], [z])


def packed(w, *values):
    return w.add("PACK", values, w.int32(len(values)), "PackOptions", ValuesCount=len(values))


def joined(w, *values):
    return w.add("CONCATENATION", values, w.int32(9), "ConcatenationOptions", Axis=0)


def gathered(w, x, at):
    return w.add("GATHER", [x, w.held(at)], w.int32(*np.shape(at)), "GatherOptions", Axis=0)


def product(w, x, keep):
    return w.add("REDUCE_PROD", [x, w.held([0])], w.int32(), "ReducerOptions", KeepDims=keep)


SHAPES = [
    (lambda w, s: s, (1, 4, 3, 2)),
    (lambda w, s: joined(w, w.sliced(s, 0, 2), w.held([6])), (1, 4, 6)),
    (lambda w, s: joined(w, w.sliced(s, 9, 2, BeginMask=1), w.held([-1])), (1, 4, 6)),
    (lambda w, s: joined(w, w.held([4]), w.sliced(s, 2, 0, EndMask=1)), (4, 3, 2)),
    (lambda w, s: joined(w, w.sliced(s, 0, 4, 2), w.held([8])), (1, 3, 8)),
    (lambda w, s: joined(w, w.sliced(s, -2, 4), w.held([4])), (3, 2, 4)),
    (lambda w, s: packed(w, w.sliced(s, -1, 0, ShrinkAxisMask=1), w.held(12)), (2, 12)),
    (lambda w, s: joined(w, gathered(w, s, [3, 0, 1]), w.held([3])), (2, 1, 4, 3)),
    (lambda w, s: packed(w, w.sliced(s, 2, 0, BeginMask=1, ShrinkAxisMask=1), w.held(24)), (1, 24)),
    (lambda w, s: joined(w, w.sliced(s, 1, 3, BeginMask=2, EndMask=2), w.held([2])), (4, 3, 2)),
    (lambda w, s: packed(w, gathered(w, s, 1), w.held(-1)), (4, 6)),
    (lambda w, s: packed(w, product(w, w.sliced(s, 1, 3), False), w.held(2)), (12, 2)),
    (lambda w, s: joined(w, product(w, w.sliced(s, 2, 4), True), w.held([4])), (6, 4)),
]


@pytest.mark.parametrize(("add", "wanted"), SHAPES)
def test_shapes_that_a_file_computes(add, wanted):
    """They stand, not what the file says of the tensor; the ops are gone."""
    graph = fold_shapes(computed(add, wanted), contract_named("litert_reference"))
    assert [op.kind for op in graph.ops] == ["RESHAPE", "RESHAPE"]
    assert graph.tensors[graph.ops[0].outputs[0]].shape == wanted


def lying(kind, second, said, options="", **fields):
    """An op on (1, 4, 3, 8) whose output the file gives the shape `said`."""
    w = File()
    x, y = w.int8(1, 4, 3, 8), w.int8(*said)
    return w.graph([x], [w.add(kind, [x, *second(w)], y, options, **fields)])


def rows_of_8(w):
    """Weights from eight values to five."""
    return [w.tensor((5, 8), "int8", 0.01, 0, np.random.default_rng(0).integers(-9, 9, (5, 8)))]


MEAN, DENSE, KEPT = "ReducerOptions", "FullyConnectedOptions", {"KeepDims": True}
LIES = [  # what LiteRT makes, and TFLM
    (("RELU", lambda w: [], (1, 3, 4, 8)), {}, (4, 3, 8), None),
    (("MEAN", lambda w: [w.held([1])], (1, 8, 3), MEAN), {}, (3, 8), None),
    (("MEAN", lambda w: [w.held([2])], (1, 4, 8), MEAN), KEPT, (4, 1, 8), None),
    (("RESHAPE", lambda w: [w.held([1, 12, 8])], (1, 8, 12)), {}, (12, 8), (8, 12)),
    (("RESHAPE", lambda w: [], (1, 8, 12), "ReshapeOptions"), {"NewShape": [1, -1, 8]},
     (12, 8), (8, 12)),
    (("SQUEEZE", lambda w: [], (1, 12, 8), "SqueezeOptions"), {}, None, None),
    (("FULLY_CONNECTED", rows_of_8, (1, 12, 5), DENSE), {"KeepNumDims": True}, (4, 3, 5),
     (12, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "fields", "litert", "tflm"), LIES)
def test_what_a_file_says_wrongly_of_a_shape(given, fields, litert, tflm):
    """LiteRT works it out; TFLM goes by the file where as many values stay in order."""
    for contract, shape in (("litert_reference", litert), ("xnnpack", litert), ("tflm", tflm)):
        graph = lying(*given, **fields)
        if shape is None:
            with pytest.raises(ImportFileError, match=r"op 0 \(|output t1"):
                convert(graph, contract_named(contract), "m")
        else:
            model = convert(graph, contract_named(contract), "m")
            assert model.tensor(model.outputs[0]).shape == shape


@pytest.mark.parametrize(
    ("named", "shape"),
    [
        ([], (6, 7)),
        ([1], (6, 7, 1)),
        ([-3], (6, 7, 1)),
        ([3, 1], (6, 7)),
        ([4], (9,)),
        ([0], (1, 7, 1)),
    ],
)
def test_squeezed_extents(named, shape):
    """Those of 1 that it names go, or all; what engines refuse is left to the checks after it."""
    w = File()
    x, y = w.int8(6, 1, 7, 1), w.int8(9)
    w.add("SQUEEZE", [x], y, "SqueezeOptions", SqueezeDims=named)
    graph = fold_shapes(w.graph([x], [y]), contract_named("xnnpack"))
    assert graph.tensors[y].shape == shape


@pytest.mark.parametrize(
    ("axis", "shape"), [(0, (1, 6, 7)), (1, (6, 1, 7)), (-1, (6, 7, 1)), (-3, (1, 6, 7)), (3, (9,))]
)
def test_an_extent_that_is_put_in(axis, shape):
    """EXPAND_DIMS counts axes of what it produces; of a wrong axis the file's shape is left."""
    w = File()
    x, y = w.int8(6, 7), w.int8(9)
    w.add("EXPAND_DIMS", [x, w.held(axis)], y, "ExpandDimsOptions")
    assert fold_shapes(w.graph([x], [y]), contract_named("xnnpack")).tensors[y].shape == shape


def test_a_convolution_behind_a_wrong_shape():
    """A delegate chooses its kernel by what the file says: no rule tells its bits."""
    w = File()
    x, image, y = w.int8(1, 24), w.int8(1, 1, 1, 1), w.int8(1, 4, 3, 1)
    weights = w.tensor((1, 1, 1, 2), "int8", 0.01, 0, np.ones((1, 1, 1, 2)))
    w.add("RESHAPE", [x, w.held([1, 4, 3, 2])], image)
    w.add("CONV_2D", [image, weights], y, "Conv2DOptions", StrideH=1, StrideW=1)
    graph = w.graph([x], [y])
    assert model_of(graph).ops
    with pytest.raises(ImportFileError, match=r"op 1 \(CONV_2D\): the file says a wrong shape"):
        convert(graph, contract_named("xnnpack"), "m")


def test_an_engine_that_goes_by_the_file_reads_no_operand():
    """TFLM runs a RESHAPE to the file's shape, whatever its operand says; LiteRT refuses it."""
    for wanted in ([1, 99], [0], [-1, 5]):
        graph = lying("RESHAPE", lambda w, wanted=wanted: [w.held(wanted)], (1, 12, 8))
        model = convert(graph, contract_named("tflm"), "m")
        assert model.tensor(model.outputs[0]).shape == (12, 8)
        with pytest.raises(ImportFileError, match=r"op 0 \(RESHAPE\): .* as \("):
            model_of(graph)


def test_an_engine_that_lacks_an_op_of_integers():
    """TFLM has no REDUCE_PROD, which Keras writes for dense layers on rows."""
    graph = computed(
        lambda w, s: packed(w, product(w, w.sliced(s, 1, 3), False), w.held(2)), (12, 2)
    )
    assert model_of(graph).ops
    with pytest.raises(ImportFileError, match=r"op 2 \(REDUCE_PROD\): TFLite Micro.*: no kernel"):
        convert(graph, contract_named("tflm"), "m")


def test_the_ops_behind_a_computed_shape():
    """A dense layer on rows, a converter wrote 1 for each extent that it could not tell."""
    w = File()
    x, rows, y, z = w.int8(1, 6, 7), w.int8(1, 1), w.int8(1, 5), w.int8(1, 6, 5)
    between = w.int8(1, 5)
    size = w.add("SHAPE", [x], w.int32(3), "ShapeOptions", OutType=2)
    first = product(w, gathered(w, size, [0, 1]), False)
    back = joined(w, gathered(w, size, [0, 1]), w.held([5]))
    w.add("RESHAPE", [x, packed(w, first, w.held(7))], rows)
    values = np.random.default_rng(0).integers(-127, 128, (5, 7))
    weights = w.tensor((5, 7), "int8", 0.01, 0, values)
    w.add("FULLY_CONNECTED", [rows, weights], y, "FullyConnectedOptions", KeepNumDims=False)
    w.add("RELU", [y], between)
    w.add("RESHAPE", [between, back], z)
    model = model_of(w.graph([x], [z]))
    assert model.tensor(model.outputs[0]).shape == (6, 5)
    images = np.random.default_rng(1).integers(-128, 128, (3, 6, 7)).astype(np.int8)
    real = (images.astype(int) - 3) @ values.T * 0.01
    wanted = np.clip(np.maximum(np.rint(real), 0) + 3, -128, 127)
    near = np.abs(real % 1 - 0.5) > 1e-6  # halves apart
    found = both_engines(model, [images])
    assert near.mean() > 0.5 and np.array_equal(found[near], wanted[near])
    assert np.array_equal(both_engines(model, [images[1:2]]), found[1:2])


def test_an_engine_is_still_told_from_another_behind_a_computed_shape():
    """The delegate runs the ops there, too: its bits are not those of the kernels after it."""
    differ = 0
    for seed in range(20):
        model, stimulus = made("FULLY_CONNECTED_COMPUTED", seed)
        graph = parse(model.data)
        names = ("litert_reference", "xnnpack", "litert_optimised_x86")
        each = [both_engines(convert(graph, contract_named(n), "m"), stimulus) for n in names]
        differ += sum(not np.array_equal(each[1], e) for e in (each[0], each[2]))
    assert differ > 2


def shape_as_output():
    w = File()
    x = w.int8(1, 4)
    return w.graph([x], [w.add("SHAPE", [x], w.int32(2), "ShapeOptions", OutType=2)])


def pads_by_shape():
    w = File()
    x, y = w.int8(1, 4), w.int8(1, 9)
    size = w.add("SHAPE", [x], w.int32(2), "ShapeOptions", OutType=2)
    return w.graph([x], [w.add("PAD", [x, packed(w, size, size)], y, "PadOptions")])


def too_late(of):
    """A shape that is computed after the op that reads it, or from a tensor made after it."""
    w = File()
    x, y, z = w.int8(1, 4), w.int8(1, 2, 2), w.int8(1, 4)
    size = w.int32(2)
    kinds = [("RESHAPE", [x, size], y), ("SHAPE", [x if of == "x" else z], size), ("RELU", [y], z)]
    for kind, inputs, output in kinds if of == "x" else (kinds[1], kinds[0], kinds[2]):
        w.add(kind, inputs, output, "ShapeOptions" * (kind == "SHAPE"))
    return w.graph([x], [y])


def without_batch(kind, options, out, *behind, end=False, **fields):
    """An op on an image that lost its batch; `end`: the file ends there."""
    w = File()
    x, image, y, z = w.int8(1, 6, 7), w.int8(6, 7), w.int8(*out), w.int8(1, 42)
    w.add("RESHAPE", [x, w.held([6, 7])], image)
    if end:
        return w.graph([x], [image])
    w.add(kind, [image, *(w.held(v) for v in behind)], y, options, **fields)
    return w.graph([x], [w.add("RESHAPE", [y], z)])


def concatenation(*shapes, constants=(1,), scale=0.5, out=(1, 8)):
    w = File()
    held = [
        w.tensor(s, "int8", scale if i in constants else 0.5, 3,
                 np.arange(np.prod(s)) if i in constants else None)
        for i, s in enumerate(shapes)
    ]  # fmt: skip
    inputs = [t for i, t in enumerate(held) if i not in constants]
    y = w.add("CONCATENATION", held, w.int8(*out), "ConcatenationOptions", Axis=1)
    return w.graph(inputs or [w.int8(1, 1)], [y])


def mean(axes, out, keep):
    w = File()
    x, y = w.int8(1, 4, 1), w.int8(*out)
    w.add("MEAN", [x, w.held(axes)], y, "ReducerOptions", KeepDims=keep)
    return w.graph([x], [y])


PADDINGS = [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("graph", "why"),
    [
        (shape_as_output, r"op 0 \(SHAPE\): this op is not known"),
        (
            pads_by_shape,
            r"op 2 \(PAD\): input t3 is computed; only the shape of a RESHAPE or TRANSPOSE_CONV",
        ),
        (lambda: too_late("x"), r"op 0 \(RESHAPE\): input t3 is not made before it"),
        (lambda: too_late("z"), r"op 0 \(SHAPE\): this op is not known"),
        (
            lambda: without_batch("MEAN", "ReducerOptions", (6,), [1]),
            r"op 1 \(MEAN\): tensor t1 has no batch of 1 first",
        ),
        (
            lambda: without_batch("PAD", "PadOptions", (6, 9), PADDINGS),
            r"op 1 \(PAD\): tensor t1 has no batch of 1 first",
        ),
        (
            lambda: without_batch("RELU", "", (6, 7), end=True),
            r"op 0 \(RESHAPE\): output t1: shape \(6, 7\); a batch of 1 first",
        ),
        (
            lambda: without_batch("RESHAPE", "", (6, 7, 1, 1, 1, 1, 1)),
            r"op 1 \(RESHAPE\): output t2: shape \(6, 7, 1, 1, 1, 1, 1\); a batch of 1 first",
        ),
        (lambda: concatenation((1, 4), (1, 4), constants=(0, 1)), "all inputs are constants"),
        (lambda: concatenation((1, 4), (1, 4), scale=0.25), "input 1 has another scale or zero"),
        (lambda: concatenation((1, 4), (4,)), r"input 1 of shape \(4,\) in an output of \(1, 8\)"),
        (lambda: concatenation((1, 4), (1, 3)), r"2 inputs that do not fill an output of \(1, 8\)"),
        (
            lambda: lying("RESHAPE", lambda w: [w.held([0, 12, 8])], (1, 12, 8)),
            r"op 0 \(RESHAPE\): \(1, 4, 3, 8\) as \(0, 12, 8\)",
        ),
        (
            lambda: lying("FULLY_CONNECTED", lambda w: [w.int8(5, 4, data=np.ones((5, 4)))],
                          (1, 4, 6, 5), DENSE, KeepNumDims=True),
            r"op 0 \(FULLY_CONNECTED\): input of shape \(1, 4, 3, 8\), rows of 4 that it keeps",
        ),
        (
            lambda: lying("SVDF", lambda w: [w.held([1])], (1, 12, 8)),
            r"op 0 \(SVDF\): this op is not known",
        ),
        (lambda: mean([0, 1], (1,), False), r"axes \[0, 1\]: over the batch, or over none"),
        (lambda: mean([0], (1, 4, 1), True), r"axes \[0\]: over the batch, or over none"),
    ],
)  # fmt: skip
def test_what_is_refused(graph, why):
    """In one line that names the op or the tensor."""
    with pytest.raises(ImportFileError, match=why) as told:
        model_of(graph())
    assert "\n" not in str(told.value)


def test_the_like_of_it_that_is_imported():
    """Beside each refusal; a constant of one value needs only a pad."""
    assert model_of(without_batch("RELU", "", (6, 7))).ops
    joined_by = {(1, 4): ["pad", "reshape", "depthwise_conv2d", "reshape"], (1, 1): ["pad"]}
    for shape, kinds in joined_by.items():
        model = model_of(concatenation((1, 4), shape, out=(1, 4 + shape[1])))
        assert [op.kind for op in model.ops] == kinds
        x = np.arange(-128, -120, dtype=np.int8).reshape(2, 4)
        constant = np.arange(shape[1], dtype=np.int8)
        wanted = np.hstack([x, np.broadcast_to(constant, (2, shape[1]))])
        assert np.array_equal(both_engines(model, [x]), wanted)
    x = np.array([[[-128], [-127], [5], [6]], [[1], [1], [1], [5]]], np.int8)
    found = both_engines(model_of(mean([0, 1], (1, 1, 1), True)), [x])
    assert np.array_equal(found.ravel(), [-61, 2])  # of each image, not of both
