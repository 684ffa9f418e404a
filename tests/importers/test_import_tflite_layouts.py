"""Ops of TFLite that only move values, against NumPy; chains that are folded; files of a batch."""

import sys
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import contract_named
from intgold.errors import ImportFileError
from intgold.importers.tflite.addresses.address_walk import AddressWalk, Pick
from intgold.importers.tflite.addresses.nearest import nearest_places
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import parse

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from one_op_models import made
from tflite_writer import Writer

from run import both_engines, every_output

IMAGES = 3


class File(Writer):
    """A file whose int8 tensors are all of scale 0.5 and zero point 3, or of none."""

    def __init__(self, scale=0.5):
        super().__init__()
        self.scale = scale

    def int8(self, *shape, data=None):
        return self.tensor(shape, "int8", self.scale, 3 if self.scale else 0, data)

    def held(self, values):
        return self.tensor(np.shape(values), "int32", data=np.array(values))

    def graph(self, inputs, outputs):
        return parse(self.finish(inputs, outputs))


def one(kind, shape, out, *operands, options="", first=False, scale=0.5, **fields):
    """A file of one op on a tensor of this shape; `out`: a shape, or a list of several."""
    w = File(scale)
    x, outs = w.int8(*shape), out if isinstance(out, list) else [out]
    ys = [w.int8(*s) for s in outs]
    held = [w.held(v) for v in operands]
    w.op(kind, [*held, x] if first else [x, *held], ys, 1, options, **fields)
    return w.graph([x], ys)


def model_of(graph, contract="litert_reference"):
    return convert(graph, contract_named(contract), "m")


def images(shape):
    """Values that tell places apart, the image first."""
    return (
        np.random.default_rng(1)
        .permutation(IMAGES * int(np.prod(shape)))
        .astype(np.int8)
        .reshape(IMAGES, *shape[1:])
    )


SLICES = "StridedSliceOptions"
CASES = {
    "transpose": (
        one("TRANSPOSE", (1, 3, 4, 5), (1, 5, 3, 4), [0, 3, 1, 2]),
        lambda x: x.transpose(0, 3, 1, 2),
        ["strided_copy"],
    ),
    "transpose of six": (
        one("TRANSPOSE", (1, 2, 3, 2, 3, 2), (1, 2, 3, 2, 3, 2), [0, 5, 4, 3, 2, 1]),
        lambda x: x.transpose(0, 5, 4, 3, 2, 1),
        ["strided_copy"],
    ),
    "transpose of ones": (
        one("TRANSPOSE", (1, 1, 4, 5), (1, 4, 1, 5), [0, 2, 1, 3]),
        lambda x: x.transpose(0, 2, 1, 3),
        ["reshape"],
    ),
    "slice": (
        one("SLICE", (1, 4, 5, 2), (1, 2, 4, 2), [0, 1, 1, 0], [1, 2, -1, 2]),
        lambda x: x[:, 1:3, 1:],
        ["strided_copy"],
    ),
    "strided slice": (
        one(
            "STRIDED_SLICE",
            (1, 5, 6, 3),
            (1, 3, 6),
            [0, -1, 5, 1],
            [0, 0, 0, 9],
            [1, -2, -1, 1],
            options=SLICES,
            BeginMask=1,
            EndMask=7,
            ShrinkAxisMask=8,
        ),
        lambda x: x[:, ::-2, ::-1, 1],
        ["strided_copy"],
    ),
    "ellipsis and new axis": (
        one(
            "STRIDED_SLICE",
            (1, 5, 4),
            (1, 5, 1, 2),
            [0, 0, 1],
            [0, 0, 3],
            [1, 1, 1],
            options=SLICES,
            EllipsisMask=1,
            NewAxisMask=2,
        ),
        lambda x: x[..., None, 1:3],
        ["strided_copy"],
    ),
    "end after begin": (
        one("STRIDED_SLICE", (1, 6), (1, 2), [0, 3], [1, 2], [1, 1], options=SLICES, Offset=True),
        lambda x: x[:, 3:5],
        ["strided_copy"],
    ),
    "reverse": (
        one("REVERSE_V2", (1, 3, 4, 2), (1, 3, 4, 2), [1, -1]),
        lambda x: x[:, ::-1, :, ::-1],
        ["strided_copy"],
    ),
    "tile": (
        one("TILE", (1, 3, 2), (1, 6, 6), [1, 2, 3]),
        lambda x: np.tile(x, (1, 2, 3)),
        ["strided_copy"],
    ),
    "tile of more than six counters": (
        one("TILE", (1, 2, 3, 2, 3), (1, 4, 6, 4, 6), [1, 2, 2, 2, 2]),
        lambda x: np.tile(x, (1, 2, 2, 2, 2)),
        ["strided_copy", "strided_copy"],
    ),
    "broadcast": (
        one("BROADCAST_TO", (1, 3, 1), (1, 2, 3, 4), [1, 2, 3, 4]),
        lambda x: np.broadcast_to(x[:, None], (IMAGES, 2, 3, 4)),
        ["strided_copy"],
    ),
    "mirror without the edge": (
        one(
            "MIRROR_PAD", (1, 4, 5), (1, 7, 9), [[0, 0], [1, 2], [4, 0]], options="MirrorPadOptions"
        ),
        lambda x: np.pad(x, ((0, 0), (1, 2), (4, 0)), "reflect"),
        ["gather", "gather"],
    ),
    "mirror with the edge": (
        one(
            "MIRROR_PAD",
            (1, 4, 5),
            (1, 4, 12),
            [[0, 0], [0, 0], [5, 2]],
            options="MirrorPadOptions",
            Mode=1,
        ),
        lambda x: np.pad(x, ((0, 0), (0, 0), (5, 2)), "symmetric"),
        ["gather"],
    ),
    "gather": (
        one(
            "GATHER",
            (1, 3, 5, 2),
            (1, 3, 2, 2, 2),
            [[4, 0], [1, 1]],
            options="GatherOptions",
            Axis=2,
        ),
        lambda x: x[:, :, [[4, 0], [1, 1]]],
        ["gather", "reshape"],
    ),
    "gather of a range": (
        one("GATHER", (1, 6, 2), (1, 3, 2), [1, 3, 5], options="GatherOptions", Axis=-2),
        lambda x: x[:, 1::2],
        ["strided_copy"],
    ),
    "gather of the batch": (
        one("GATHER", (1, 3), (1, 2, 3), [[0, 0]], options="GatherOptions", Axis=0),
        lambda x: np.repeat(x[:, None], 2, axis=1),
        ["strided_copy"],
    ),
    "gather places": (
        one("GATHER_ND", (1, 3, 4, 2), (1, 3, 2), [[[0, 2, 0], [0, 0, 3], [0, 1, 1]]]),
        lambda x: x[:, [2, 0, 1], [0, 3, 1]],
        ["reshape", "gather", "reshape"],
    ),
    "depth to space": (
        one(
            "DEPTH_TO_SPACE", (1, 2, 3, 8), (1, 4, 6, 2), options="DepthToSpaceOptions", BlockSize=2
        ),
        lambda x: (
            x.reshape(IMAGES, 2, 3, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(IMAGES, 4, 6, 2)
        ),
        ["strided_copy"],
    ),
    "space to depth": (
        one(
            "SPACE_TO_DEPTH", (1, 4, 6, 2), (1, 2, 3, 8), options="SpaceToDepthOptions", BlockSize=2
        ),
        lambda x: (
            x.reshape(IMAGES, 2, 2, 3, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(IMAGES, 2, 3, 8)
        ),
        ["strided_copy"],
    ),
    "nearest, twice as large": (
        one("RESIZE_NEAREST_NEIGHBOR", (1, 3, 4, 2), (1, 6, 8, 2), [6, 8]),
        lambda x: x.repeat(2, axis=1).repeat(2, axis=2),
        ["strided_copy"],
    ),
    "nearest": (
        one(
            "RESIZE_NEAREST_NEIGHBOR",
            (1, 3, 4, 2),
            (1, 5, 4, 2),
            [5, 4],
            options="ResizeNearestNeighborOptions",
            HalfPixelCenters=True,
        ),
        lambda x: x[:, [0, 0, 1, 2, 2]],
        ["gather"],
    ),
    "largest": (
        one("REDUCE_MAX", (1, 3, 4, 5), (1, 5), [1, 2], options="ReducerOptions"),
        lambda x: x.max(axis=(1, 2)),
        ["reshape", "max_pool2d", "reshape"],
    ),
    "smallest": (
        one(
            "REDUCE_MIN",
            (1, 3, 4, 5),
            (1, 1, 4, 1),
            [1, -1],
            options="ReducerOptions",
            KeepDims=True,
        ),
        lambda x: x.min(axis=(1, 3)),
        ["lut", "reshape", "max_pool2d", "reshape", "max_pool2d", "lut", "reshape"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_numpy_computes(name):
    """Each op, with a scale and without, in as few ops as there can be."""
    graph, wanted, kinds = CASES[name]
    x = images(graph.tensors[graph.inputs[0]].shape)
    model = model_of(graph)
    assert [op.kind for op in model.ops] == kinds
    found = both_engines(model, [x])
    assert found.ravel().tolist() == wanted(x).ravel().tolist()
    assert model.tensor(model.outputs[0]).scale == 0.5


def test_tensors_without_a_scale():
    """Bytes that are only moved need none; an op that scales names the tensor."""
    graph = one("TRANSPOSE", (1, 3, 4), (1, 4, 3), [0, 2, 1], scale=None)
    model, x = model_of(graph), images((1, 3, 4))
    assert [model.tensor(n).scale for n in (*model.inputs, *model.outputs)] == [None, None]
    assert np.array_equal(both_engines(model, [x]), x.transpose(0, 2, 1))
    with pytest.raises(ImportFileError, match=r"^op 0 \(RELU\): tensor t0: no scale for the whole"):
        model_of(one("RELU", (1, 4), (1, 4), scale=None))


PARTS = {
    "SPLIT": (
        one(
            "SPLIT", (1, 6, 2), [(1, 2, 2)] * 3, 1, first=True, options="SplitOptions", NumSplits=3
        ),
        lambda x: np.split(x, 3, axis=1),
    ),
    "SPLIT_V": (
        one("SPLIT_V", (1, 6, 2), [(1, 1, 2), (1, 3, 2), (1, 2, 2)], [1, -1, 2], -2),
        lambda x: np.split(x, [1, 4], axis=1),
    ),
    "UNPACK": (
        one("UNPACK", (1, 3, 4), [(1, 3)] * 4, options="UnpackOptions", Axis=2, Num=4),
        lambda x: [x[..., i] for i in range(4)],
    ),
}


@pytest.mark.parametrize("kind", PARTS)
def test_ops_of_several_outputs(kind):
    """A copy for each, in the order of the file; the names of the ops say which."""
    graph, wanted = PARTS[kind]
    model, x = model_of(graph), images(graph.tensors[graph.inputs[0]].shape)
    label = f"{kind.lower()}_0"
    names = [label, *(f"{label}_output{i}" for i in range(1, len(graph.outputs)))]
    assert [op.name for op in model.ops] == names
    assert {op.kind for op in model.ops} == {"strided_copy"}
    for found, part in zip(every_output(model, [x]), wanted(x), strict=True):
        assert found.ravel().tolist() == part.ravel().tolist()


@pytest.mark.parametrize("axis", range(4))
def test_pack(axis):
    """Two tensors along an axis of their own, that of the batch among them."""
    w = File()
    inputs, shape = [w.int8(1, 3, 2), w.int8(1, 3, 2)], [1, 3, 2]
    shape.insert(axis, 2)
    y = w.int8(*shape)
    w.op("PACK", inputs, y, 1, "PackOptions", ValuesCount=2, Axis=axis)
    z = w.int8(1, 12)
    w.op("RESHAPE", [y, w.held([1, 12])], z)
    x = [images((1, 3, 2)), images((1, 3, 2)) ^ np.int8(85)]
    found = both_engines(model_of(w.graph(inputs, [z])), x)
    wanted = [np.stack([a[None], b[None]], axis).ravel() for a, b in zip(*x, strict=True)]
    assert np.array_equal(found, wanted)


def dilated(cells, crops, block=(2, 2), contract="litert_reference", stride=1, reader=False):
    """A 3x3 convolution of phases of a 6x6 image."""
    w = File()
    x = w.int8(1, 6, 6, 2)
    whole = [6 + sum(c) for c in cells]
    cut = [n // b for n, b in zip(whole, block, strict=True)]
    count = int(np.prod(block))
    phases, made_here = w.int8(count, *cut, 2), w.int8(count, *(n - 2 for n in cut), 4)
    w.op("SPACE_TO_BATCH_ND", [x, w.held(block), w.held(cells)], phases)
    rng = np.random.default_rng(0)
    weights = w.tensor((4, 3, 3, 2), "int8", 0.1, 0, rng.integers(-127, 128, (4, 3, 3, 2)))
    w.op(
        "CONV_2D",
        [phases, weights],
        made_here,
        1,
        "Conv2DOptions",
        Padding=1,
        StrideH=stride,
        StrideW=stride,
        DilationHFactor=1,
        DilationWFactor=1,
    )
    out = [(n - 2) * b - sum(c) for n, b, c in zip(cut, block, crops, strict=True)]
    y = w.int8(1, *out, 4)
    w.op("BATCH_TO_SPACE_ND", [made_here, w.held(block), w.held(crops)], y)
    outputs = [y]
    if reader:
        outputs.append(w.int8(1, count * int(np.prod(cut)) * 2))
        w.op("RESHAPE", [phases, w.held([1, -1])], outputs[1])
    return model_of(w.graph([x], outputs), contract)


def test_phases_become_a_dilated_convolution():
    """The padding is what the cells add and the crops take away again."""
    (op,) = dilated([(2, 2), (2, 2)], [(0, 0), (1, 0)]).ops
    assert (op.kind, op.name, op["dilation"]) == ("conv2d", "conv_2d_1", (2, 2))
    assert op["padding"] == (2, 2, 1, 2)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (
            lambda: dilated([(0, 0), (0, 0)], [(1, 0), (0, 0)]),
            r"op 1 \(CONV_2D\): tensor t1 has no batch",
        ),
        (
            lambda: dilated([(2, 2), (2, 2)], [(0, 0), (0, 0)], reader=True),
            r"op 1 \(CONV_2D\): tensor t1",
        ),
        (
            lambda: dilated([(2, 2), (2, 2)], [(0, 0), (0, 0)], contract="tflm"),
            r"op 0 \(SPACE_TO_BATCH_ND\): its cells are the byte 0 in TFLite Micro",
        ),
        (
            lambda: model_of(one("TRANSPOSE", (1, 2, 3), (1, 3, 2), [0, 2, 2])),
            r"permutation \[0, 2, 2\]",
        ),
        (
            lambda: model_of(one("TRANSPOSE", (1, 2, 3), (1, 2, 3), [0, 2, 1]), "tflm"),
            r"output t1 has shape \(1, 2, 3\); it produces \(1, 3, 2\)",
        ),
        (
            lambda: model_of(one("SLICE", (1, 4), (1, 2), [0, 3], [1, 2])),
            r"axis 1 of 4 places from 3, of size 2",
        ),
        (
            lambda: model_of(
                one("STRIDED_SLICE", (1, 4), (1, 2), [0, 0], [1, 4], [1, 0], options=SLICES)
            ),
            "a stride of 0",
        ),
        (
            lambda: model_of(
                one(
                    "STRIDED_SLICE",
                    (1, 4),
                    (1, 4),
                    [0, 0, 0],
                    [0, 1, 4],
                    [1, 1, 1],
                    options=SLICES,
                    EllipsisMask=1,
                )
            ),
            "an ellipsis of no dimension",
        ),
        (
            lambda: model_of(
                one(
                    "STRIDED_SLICE",
                    (1, 4),
                    (1,),
                    [0, 4],
                    [1, 5],
                    [1, 1],
                    options=SLICES,
                    ShrinkAxisMask=2,
                )
            ),
            "place 4 of axis 1, which has 4",
        ),
        (
            lambda: model_of(
                one(
                    "SPLIT",
                    (1, 5),
                    [(1, 2)] * 2,
                    1,
                    first=True,
                    options="SplitOptions",
                    NumSplits=2,
                )
            ),
            "5 places of axis 1 in 2 outputs",
        ),
        (
            lambda: model_of(one("SPLIT_V", (1, 5), [(1, 2)] * 2, [2, 2], 1)),
            r"sizes \[2, 2\] of 5 places",
        ),
        (
            lambda: model_of(
                one("GATHER", (1, 3), (1, 2), [0, 3], options="GatherOptions", Axis=1)
            ),
            "some that are not from 0 to 2",
        ),
        (
            lambda: model_of(
                one("GATHER", (1, 3), (1, 2), [0, -1], options="GatherOptions", Axis=1)
            ),
            "some that are not from 0 to 2",
        ),
        (
            lambda: model_of(
                one("MIRROR_PAD", (1, 3), (1, 6), [[0, 0], [3, 0]], options="MirrorPadOptions")
            ),
            "3 and 0 places beside the 3 of axis 1",
        ),
        (
            lambda: model_of(
                one(
                    "MIRROR_PAD",
                    (1, 2**30),
                    (1, 2**30 + 1),
                    [[0, 0], [1, 0]],
                    options="MirrorPadOptions",
                )
            ),
            "1073741824 places of axis 1; at most 262144 are mirrored",
        ),
        (lambda: model_of(one("TILE", (1, 3), (1, 6), [1, 2]), "tflm"), "no kernel for it on int8"),
        (lambda: model_of(one("BROADCAST_TO", (1, 3), (1, 4), [1, 4])), r"\(1, 3\) as \(1, 4\)"),
        (
            lambda: model_of(one("REDUCE_MAX", (1, 3), (1,), [2], options="ReducerOptions")),
            r"axes \[2\] of 2 dimensions",
        ),
        (
            lambda: model_of(
                one(
                    "DEPTH_TO_SPACE",
                    (1, 2, 2, 6),
                    (1, 4, 4, 1),
                    options="DepthToSpaceOptions",
                    BlockSize=2,
                )
            ),
            "blocks of 2 of 6 channels",
        ),
    ],
)
def test_what_is_refused(call, why):
    """In one line that names the op."""
    with pytest.raises(ImportFileError, match=why) as told:
        call()
    assert "\n" not in str(told.value) and str(told.value).startswith("op ")


def test_options_that_are_absent():
    """They have the defaults of the schema: of UNPACK axis 0, of which there is one."""
    w = File()
    x, y = w.int8(1, 3, 2), w.int8(1, 3, 2)
    w.op("GATHER", [x, w.held([0])], y)
    found = both_engines(model_of(w.graph([x], [y])), [images((1, 3, 2))])
    assert np.array_equal(found, images((1, 3, 2)))


def batched(add, shape=(4, 6, 2), out=(4, 6, 2)):
    w = File()
    x, y = w.int8(*shape), w.int8(*out)
    add(w, x, y)
    return w.graph([x], [y])


def test_files_of_a_batch():
    """A file of four images is the model of one; shapes that it states are those of one."""

    def add(w, x, y):
        flat, back = w.int8(4, 12), w.int8(4, 12)
        w.op("RESHAPE", [x, w.held([4, 12])], flat)
        w.op("RELU", [flat], back, 2)
        shape, part = w.held([4, 6, 2]), w.int8(4, 6, 2)
        w.op("RESHAPE", [back, shape], part)
        w.op("SLICE", [part, w.held([0, 0, 0]), shape], y)

    model = model_of(batched(add))
    assert model.tensor(model.inputs[0]).shape == (6, 2)
    x = images((1, 6, 2))
    assert np.array_equal(both_engines(model, [x]), np.maximum(x, 3))


@pytest.mark.parametrize(
    ("add", "out", "kind"),
    [
        (lambda w, x, y: w.op("TRANSPOSE", [x, w.held([1, 0, 2])], y), (6, 4, 2), "TRANSPOSE"),
        (lambda w, x, y: w.op("REVERSE_V2", [x, w.held([0])], y), (4, 6, 2), "REVERSE_V2"),
        (
            lambda w, x, y: w.op("CONCATENATION", [x, x], y, 1, "ConcatenationOptions", Axis=0),
            (8, 6, 2),
            "CONCATENATION",
        ),
        (lambda w, x, y: w.op("RESHAPE", [x, w.held([2, 24])], y), (2, 24), "RESHAPE"),
        (
            lambda w, x, y: w.op(
                "ADD", [x, w.int8(4, 1, 1, data=np.arange(4))], y, 1, "AddOptions"
            ),
            (4, 6, 2),
            "ADD",
        ),
        (
            lambda w, x, y: w.op("SLICE", [x, w.held([1, 0, 0]), w.held([3, 6, 2])], y),
            (3, 6, 2),
            "SLICE",
        ),
    ],
)
def test_ops_that_mix_images(add, out, kind):
    """They are refused by name."""
    with pytest.raises(ImportFileError, match=rf"^op 0 \({kind}\): it may mix the 4 images of the"):
        model_of(batched(add, out=out))


@pytest.mark.parametrize(
    "kind",
    ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "DIV", "LESS", "SELECT_V2",
     "BATCH_MATMUL"],
)  # fmt: skip
def test_an_operand_whose_batch_meets_an_axis_of_images(kind):
    """Of lower rank it is broadcast over the batch, each image with values of all: refused."""
    w = File()
    x, z = w.int8(4, 4, 4), w.int8(4, 4)
    y = w.tensor((4, 4, 4), "bool") if kind == "LESS" else w.int8(4, 4, 4)
    options = {"MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions",
               "BATCH_MATMUL": "BatchMatMulOptions"}  # fmt: skip
    own = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}
    chosen = [w.tensor((1,), "bool", data=np.array([True]))] * (kind == "SELECT_V2")
    w.op(kind, [*chosen, x, z], y, 1, (options | own).get(kind, ""))
    with pytest.raises(ImportFileError, match=rf"^op 0 \({kind}\): it may mix the 4 images of the"):
        model_of(w.graph([x, z], [y]))


def test_weights_that_images_make():
    """Every image would meet those of all."""
    w = File()
    x, made, y = w.int8(4, 5), w.int8(4, 5), w.int8(4, 4)
    w.op("RELU", [x], made)
    w.op("FULLY_CONNECTED", [x, made, -1], y, 4, "FullyConnectedOptions")
    with pytest.raises(ImportFileError, match=r"^op 1 \(FULLY_CONNECTED\): it may mix the 4"):
        model_of(w.graph([x], [y]))


def in_groups(kind, shape):
    """A file of an op that LiteRT's optimised kernels compute in groups of 16 values."""
    w = File()
    x, y = w.int8(*shape), w.tensor(shape, "int8", 0.7, 1)
    w.op(kind, [x, x] if kind == "ADD" else [x], y, 2, "AddOptions" if kind == "ADD" else "")
    return w.graph([x], [y])


@pytest.mark.parametrize("kind", ["ADD", "QUANTIZE"])
def test_groups_of_values_across_images(kind):
    """Kernels that count values over the whole batch: an image is of whole groups, or refused."""
    optimised = contract_named("litert_optimised_x86")
    for image in ((4, 4), (3, 5), (16,)):
        once = convert(in_groups(kind, (1, *image)), optimised, "m")
        if np.prod(image) % 16 == 0:
            several = convert(in_groups(kind, (3, *image)), optimised, "m")
            assert [op.kind for op in several.ops] == [op.kind for op in once.ops]
            continue
        named = rf"op 0 \({kind}\): the kernel computes 16 values at once, across the 3 images"
        with pytest.raises(ImportFileError, match=named):
            convert(in_groups(kind, (3, *image)), optimised, "m")
        assert convert(in_groups(kind, (3, *image)), contract_named("tflm"), "m").ops


def test_picks():
    """Indices become at most two counters, or none do."""
    assert Pick.of(np.array([5, 4, 3])) == Pick(5, ((1, 0), (3, -1)))
    assert Pick.of(np.array([0, 0, 1, 1])) == Pick(0, ((2, 1), (2, 0)))
    assert Pick.of(np.array([0, 1, 0, 1])) == Pick(0, ((2, 0), (2, 1)))
    assert Pick.of(np.array([0, 1, 3])) is None
    walk = AddressWalk.over((2, 3, 4))
    assert walk.joined() == ((24, 1),) and walk.is_plain(24) and not walk.is_plain(48)
    assert not walk.picked(0, Pick.along(range(2)[::-1])).is_plain(24)
    assert not AddressWalk(((),), 1).is_plain(1)


@pytest.mark.parametrize(("corners", "centres"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_nearest_places(corners, centres):
    """The formula in exact fractions, but where float32 rounds; always a place of the axis."""
    for size in range(1, 12):
        for resized in range(1, 30):
            at = nearest_places(
                size, resized, align_corners=bool(corners), half_pixel_centers=bool(centres)
            )
            assert at.shape == (resized,) and at.min() >= 0 and at.max() < size
            assert (np.diff(at) >= 0).all()
            if size == resized and not (corners and centres):
                assert at.tolist() == list(range(size))


def test_frozen_models_are_of_every_kind():
    """Each generator of layouts gives files that import under LiteRT's rules."""
    for op in ("TRANSPOSE", "STRIDED_SLICE", "SPLIT", "GATHER_ND", "REDUCE_MIN"):
        file, stimulus = made(op, 2)
        every_output(model_of(parse(file.data)), stimulus)
