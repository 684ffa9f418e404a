"""Files whose ends are float: cut at QUANTIZE and DEQUANTIZE, what is cut is kept as text."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ImportFileError, ModelError
from intgold.host.host_ops import HEAD, INPUTS, TAIL, host_ops
from intgold.importers.tflite.convert import convert, convert_graph
from intgold.importers.tflite.file.reader import FileOp, parse
from intgold.importers.tflite.graph.float_islands import cut_float_ends

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import Writer

SHAPE = (1, 2, 3)


class File(Writer):
    """A file of small tensors: floats, and int8 of scale 0.5 and zero point 3."""

    def real(self, *shape, data=None, name=None):
        return self.tensor(shape or SHAPE, "float32", data=data, name=name)

    def int8(self, *shape, scale=0.5, data=None, name=None):
        return self.tensor(shape or SHAPE, "int8", scale, 3, data, name=name)

    def add(self, kind, x, y, **fields):
        options = {"SOFTMAX": "SoftmaxOptions", "ARG_MAX": "ArgMaxOptions", "ADD": "AddOptions",
                   "CONCATENATION": "ConcatenationOptions", "MUL": "MulOptions"}  # fmt: skip
        self.op(kind, x if isinstance(x, list) else [x], y, 1, options.get(kind, ""), **fields)
        return y

    def quantized(self, x, **at):
        return self.add("QUANTIZE", x, self.int8(*self.tensors[x]["shape"], **at))

    def relu(self, x):
        return self.add("RELU", x, self.int8(*self.tensors[x]["shape"]))

    def dequantized(self, x, name=None):
        return self.add("DEQUANTIZE", x, self.real(*self.tensors[x]["shape"], name=name))

    def unary(self, kind, x, **fields):
        return self.add(kind, x, self.real(*self.tensors[x]["shape"]), **fields)

    def graph(self, inputs, outputs):
        return parse(self.finish(inputs, outputs))


def cut_of(graph):
    """The cut graph, after every contract made a model of the same ends of it."""
    for contract in CONTRACTS.values():
        found = convert_graph(graph, contract, "m")
        assert len(found.model.inputs) == len(found.cut.graph.inputs)
        assert [found.names[at] for at in found.cut.graph.outputs] == list(found.model.outputs)
    return cut_float_ends(graph)


def numbers(ops):
    return [op.index for op in ops]


def test_a_head_and_a_tail():
    """What QUANTIZE makes is the input, what DEQUANTIZE reads the output; the rest is text."""
    w = File()
    x = w.real(name="serving/image:0")
    a = w.quantized(x, name="image_int8")
    b = w.relu(a)
    y = w.unary("SOFTMAX", w.dequantized(b, name="logits"), Beta=0.5)
    graph = w.graph([x], [y])
    cut = cut_of(graph)
    assert (cut.graph.inputs, cut.graph.outputs, cut.unread) == ((a,), (b,), ())
    assert (numbers(cut.head), numbers(cut.graph.ops), numbers(cut.tail)) == ([0], [1], [2, 3])
    model = convert(graph, contract_named("tflm"), "m")
    assert model.inputs == ("image_int8",) and model.outputs == ("t2",)
    assert model.tensor("image_int8").zero_point == 3
    assert model.metadata[HEAD] == "op 0 QUANTIZE(image) -> image_int8 int8 1x2x3"
    assert model.metadata[TAIL] == (
        "op 2 DEQUANTIZE(t2) -> logits float32 1x2x3\n"
        "op 3 SOFTMAX(logits, beta=0.5) -> t4 float32 1x2x3"
    )
    assert INPUTS not in model.metadata


def test_the_text_is_read_back():
    """Kind, inputs, outputs with shapes, options; a line that is none is an error."""
    w = File()
    x = w.real()
    b = w.relu(w.quantized(x))
    real = w.dequantized(b)
    scaled = w.add("MUL", [real, w.real(1, 1, 2, data=np.array([0.5, -2]))], w.real())
    table = w.real(1, 3, 3, data=np.arange(9.0))
    joined = w.add("CONCATENATION", [scaled, table], w.real(1, 5, 3), Axis=1)
    shape = w.tensor((1,), "int32", data=np.array([15]))
    flat = w.add("RESHAPE", [joined, shape], w.real(15))
    best = w.tensor((), "int32")
    w.add("ARG_MAX", [flat, w.tensor((), "int32", data=np.array(0))], best)
    metadata = convert(w.graph([x], [best]), contract_named("tflm"), "m").metadata
    ops = host_ops(metadata, TAIL)
    assert [str(op) for op in ops] == metadata[TAIL].split("\n")
    assert [op.kind for op in ops] == ["DEQUANTIZE", "MUL", "CONCATENATION", "RESHAPE", "ARG_MAX"]
    assert ops[1].inputs == ("t3", "[0.5 -2.0]")
    assert ops[2].inputs == ("t5", "constant float32 1x3x3") and ops[2].options == {"axis": "-2"}
    assert ops[3].inputs == ("t7",) and ops[3].outputs[0].shape == (15,)
    assert ops[4].options == {"axis": "-1"}
    assert (ops[4].outputs[0].dtype, ops[4].outputs[0].shape) == ("int32", ())
    assert host_ops({}, TAIL) == []
    for line in ("DEQUANTIZE(a) -> b int8 1", "op 1 RELU(a)", "op 1 RELU(a) -> b int8 1xx"):
        with pytest.raises(ModelError, match=f"metadata host_tail: {re.escape(repr(line))} is no"):
            host_ops({TAIL: line}, TAIL)


def test_outputs_are_in_the_order_of_the_file():
    """Each integer once, also where it is an output as well; a float of several gives several."""
    w = File()
    x = w.real()
    first = w.relu(w.quantized(x))
    second, third, fourth = w.relu(first), w.relu(first), w.relu(first)
    joined = w.add(
        "CONCATENATION", [w.dequantized(third), w.dequantized(second)], w.real(1, 2, 6), Axis=-1
    )
    outputs = [joined, fourth, w.dequantized(fourth), w.dequantized(third), second]
    cut = cut_of(w.graph([x], outputs))
    assert cut.graph.outputs == (third, second, fourth)
    assert len(cut.tail) == 5


def test_a_head_of_several_ops_and_inputs():
    """Integers that are only made into floats are part of the head; an input may have two sides."""
    w = File()
    raw, both, unused, real = (
        w.tensor(SHAPE, "uint8", 1.0, 0), w.int8(), w.real(name="mask"), w.real(),
    )  # fmt: skip
    half = w.real(1, data=np.array([0.5]))
    normal = w.add("MUL", [w.dequantized(raw), half], w.real(), FusedActivationFunction=0)
    w.unary("TANH", unused)
    a, b = w.quantized(real), w.quantized(normal)
    side = w.unary("TANH", w.dequantized(both))
    summed = w.add("ADD", [w.add("ADD", [a, b], w.int8()), both], w.int8())
    y = w.add("ADD", [w.dequantized(summed), side], w.real())
    graph = w.graph([raw, both, unused, real], [y])
    cut = cut_of(graph)
    assert cut.graph.inputs == (b, both, a) and cut.graph.outputs == (summed,)
    assert cut.unread == (unused,)
    assert [op.kind for op in cut.head] == [
        "DEQUANTIZE", "MUL", "TANH", "QUANTIZE", "QUANTIZE", "DEQUANTIZE", "TANH"
    ]  # fmt: skip
    assert [op.kind for op in cut.tail] == ["DEQUANTIZE", "ADD"]
    model = convert(graph, contract_named("tflm"), "m")
    assert model.metadata[INPUTS] == "mask float32 1x2x3"


def test_a_shape_that_is_computed_of_the_float_input():
    """A RESHAPE of integers by it: the integers have that shape, too."""
    w = File()
    x = w.real(1, 4, 3)
    shape = w.add("SHAPE", x, w.tensor((3,), "int32"))
    a = w.quantized(x)
    b = w.add(
        "RESHAPE", [w.relu(a), w.tensor((2,), "int32", data=np.array([1, 12]))], w.int8(1, 12)
    )
    c = w.add("RESHAPE", [b, shape], w.int8(1, 4, 3))
    graph = w.graph([x], [w.dequantized(c)])
    found = convert_graph(graph, contract_named("litert_reference"), "m")
    assert [op.kind for op in found.cut.graph.ops] == ["RELU", "RESHAPE", "RESHAPE"]
    assert found.model.tensor(found.model.outputs[0]).shape == (4, 3)
    assert numbers(found.cut.head) == [1]


def test_what_reads_indices_is_left_to_the_host():
    """What follows ARG_MAX of int8, which is in the model; a custom op that reads int8 itself."""
    w = File()
    x = w.int8()
    b = w.relu(x)
    axis = w.tensor((), "int32", data=np.array(2))
    best = w.add("ARG_MAX", [b, axis], w.tensor((1, 2), "int32"))
    flat = w.add("RESHAPE", best, w.tensor((2,), "int32"))
    boxes = w.add("CUSTOM", [x, b], w.real(1, 4))
    graph = w.graph([x], [flat, boxes])
    cut = cut_of(graph)
    assert (cut.graph.inputs, cut.graph.outputs) == ((x,), (best, b))
    assert not cut.head and numbers(cut.tail) == [2, 3]
    model = convert(graph, contract_named("tflm"), "m")
    assert model.tensor(model.outputs[0]).dtype == "int32"
    lines = model.metadata[TAIL].split("\n")
    assert lines[0] == "op 2 RESHAPE(t3) -> t4 int32 2"
    assert lines[1] == "op 3 custom (t0, t1) -> t5 float32 1x4"


def test_constants_that_are_made_into_floats():
    """They belong to the side that reads them."""
    w = File()
    x = w.real()
    weights = w.int8(data=np.arange(6))
    head = w.add("MUL", [x, w.dequantized(weights)], w.real())
    b = w.relu(w.quantized(head))
    y = w.add("MUL", [w.dequantized(b), w.dequantized(weights)], w.real())
    cut = cut_of(w.graph([x], [y]))
    assert numbers(cut.head) == [0, 1, 2] and numbers(cut.tail) == [4, 5, 6]


def test_integers_that_end_the_tail():
    """Floats that are made into int8 at the end are a tail, as long as no integer op reads them."""
    w = File()
    x = w.int8()
    b = w.relu(x)
    y = w.quantized(w.unary("TANH", w.dequantized(b)))
    graph = w.graph([x], [y])
    assert cut_of(graph).graph.outputs == (b,)
    w = File()
    x = w.int8()
    y = w.quantized(w.unary("TANH", w.dequantized(w.relu(x))))
    with pytest.raises(ImportFileError, match="op 2 \\(TANH\\): float in the middle"):
        cut_float_ends(w.graph([x], [w.relu(y)]))


def test_what_an_index_picks_is_a_tail():
    """Integer ops after an ARG_MAX are the host's, through floats and back, those beside it not."""
    w = File()
    x = w.int8()
    a = w.relu(x)
    cell = picked(w, a)
    again = w.quantized(w.unary("TANH", w.dequantized(cell)))
    b = w.relu(a)
    y = w.add("ADD", [w.relu(again), w.int8(3, data=np.arange(3))], w.int8(3))
    cut = cut_of(w.graph([x], [y, b]))
    index = cut.graph.ops[1].outputs[0]
    assert (cut.graph.outputs, numbers(cut.graph.ops)) == ((a, index, b), [0, 1, 6])
    assert numbers(cut.tail) == [2, 3, 4, 5, 7, 8]


def test_a_topk_is_a_tail():
    """It, and what depends on it, in integers and floats; what it reads is an output."""
    w = File()
    a = w.relu(w.int8())
    k = w.tensor((), "int32", data=np.array(2))
    values, places = w.int8(1, 2, 2), w.tensor((1, 2, 2), "int32")
    w.op("TOPK_V2", [a, k], [values, places])
    again = w.relu(values)
    b = w.relu(a)
    cut = cut_of(w.graph([0], [w.dequantized(again), places, b]))
    assert (cut.graph.outputs, numbers(cut.graph.ops)) == ((a, b), [0, 3])
    assert numbers(cut.tail) == [1, 2, 4]


def middle(kind="TANH"):
    """Floats between integer ops."""
    w = File()
    x = w.real()
    real = w.dequantized(w.relu(w.quantized(x)))
    if kind == "MUL":
        weights = w.dequantized(w.int8(data=np.arange(6)))
        made = w.add("MUL", [real, weights], w.real())
    else:
        made = w.unary(kind, real)
    return w.graph([x], [w.dequantized(w.relu(w.quantized(made)))])


def picked(w, x):
    """What stands at the place of the largest value, which the host finds."""
    axis = w.tensor((), "int32", data=np.array(2))
    best = w.add("ARG_MAX", [x, axis], w.tensor((1, 2), "int32"))
    return w.add("GATHER_ND", [x, best], w.int8(3))


def counted():
    w = File()
    x, y = w.int8(), w.int8(1, 2)
    held = w.int8(2, 3, data=np.arange(6))
    return w.graph([x], [w.add("FULLY_CONNECTED", [picked(w, w.relu(x)), held, -1], y)])


@pytest.mark.parametrize(
    "kind",
    ["CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "BATCH_MATMUL", "SVDF", "RNN",
     "UNIDIRECTIONAL_SEQUENCE_RNN", "LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"],
)  # fmt: skip
def test_a_layer_after_an_index_is_no_tail(kind):
    """Each layer of a network is refused there; an op of post-processing is left to the host."""
    graph = counted()
    *before, last = graph.ops
    with pytest.raises(ImportFileError, match=r"op 2 \(GATHER_ND\): left to the host in the"):
        cut_float_ends(replace(graph, ops=(*before, replace(last, kind=kind))))
    cut = cut_float_ends(replace(graph, ops=(*before, replace(last, kind="POST_PROCESS"))))
    assert numbers(cut.tail) == [2, 3]


def of_floats(ends=False):
    w = File()
    x = w.int8() if ends else w.real()
    real = w.dequantized(x) if ends else x
    y = w.unary("TANH", real)
    return w.graph([x], [w.quantized(y) if ends else y])


def of_a_constant():
    w = File()
    x, y = w.int8(), w.int8()
    made = w.quantized(w.real(data=np.ones(6)))
    return w.graph([x], [w.add("ADD", [x, made], y)])


def inside(op, first, last, reader):
    return (
        f"{op} in the middle of the file: from {first} to {last}, whose result {reader} reads; "
        "only a float head or tail is cut off"
    )


def throughout(ops, first):
    return (
        f"float throughout: no op of {ops}, the first {first}, computes on int8 or uint8; convert "
        "the network with full integer quantisation, which takes a representative data set"
    )


D, Q, G = "op 2 (DEQUANTIZE)", "op 4 (QUANTIZE)", "op 2 (GATHER_ND)"
REFUSED = [
    (middle, inside("op 3 (TANH): float", D, Q, "op 5 (RELU)")),
    (
        lambda: middle("MUL"),
        inside("op 4 (MUL): float", D, "op 5 (QUANTIZE)", "op 6 (RELU)"),
    ),
    (counted, inside(f"{G}: left to the host", G, G, "op 3 (FULLY_CONNECTED)")),
    (of_floats, throughout(1, "op 0 (TANH)")),
    (lambda: of_floats(True), throughout(3, "op 0 (DEQUANTIZE)")),
    (of_a_constant, "op 0 (QUANTIZE): quantises a constant; a head begins at an input"),
]


@pytest.mark.parametrize(("graph", "why"), REFUSED)
def test_what_is_refused(graph, why):
    """In one line: the op to blame, where floats begin and end, and what to do."""
    with pytest.raises(ImportFileError) as told:
        convert(graph(), contract_named("tflm"), "m")
    assert str(told.value) == why


def test_integer_files_are_as_they_were():
    """Not even another object, and nothing is said of it."""
    w = File()
    x = w.int8()
    graph = w.graph([x], [w.relu(x)])
    assert cut_float_ends(graph).graph is graph
    assert not {HEAD, TAIL, INPUTS} & set(convert(graph, contract_named("tflm"), "m").metadata)


def test_ops_without_ends():
    """Lists that no converter writes: one line."""
    w = File()
    x = w.real()
    y = w.unary("TANH", w.dequantized(w.relu(w.quantized(x))))
    spare = w.real()
    graph = w.graph([x], [y])
    last = graph.ops[3]
    for outputs in ((), (-1,)):
        ops = (*graph.ops[:3], replace(last, outputs=outputs))
        with pytest.raises(ImportFileError, match=r"op 3 \(TANH\): an output is missing"):
            convert(replace(graph, ops=ops), contract_named("tflm"), "m")
    left_out = replace(graph, ops=(*graph.ops, FileOp(4, "ARG_MAX", (4, -1), (spare,), {})))
    metadata = convert(left_out, contract_named("tflm"), "m").metadata
    assert metadata[TAIL].endswith("op 4 ARG_MAX(t4, -) -> t5 float32 1x2x3")


def test_a_file_of_several_images_at_once():
    """The model and the text are of one image."""
    w = File()
    x = w.real(4, 2, 3)
    y = w.unary("SOFTMAX", w.dequantized(w.relu(w.quantized(x))), Beta=1.0)
    graph = w.graph([x], [y])
    assert cut_float_ends(graph).batch == 4
    model = convert(graph, contract_named("tflm"), "m")
    assert model.tensor(model.inputs[0]).shape == (2, 3)
    for key in (HEAD, TAIL):
        assert {op.outputs[0].shape for op in host_ops(model.metadata, key)} == {(1, 2, 3)}


KINDS = (
    "QUANTIZE",
    "DEQUANTIZE",
    "TANH",
    "ARG_MAX",
    "RESHAPE",
    "SHAPE",
    "custom X",
    "CONCATENATION",
)
CHANGES = ("kind", "inputs", "outputs", "order", "ends", "dtype", "shape")


def changed(graph, rng):
    """A graph with one thing changed to what a file can hold."""
    what = CHANGES[rng.integers(len(CHANGES))]
    ops, tensors = list(graph.ops), list(graph.tensors)
    i, j, count = rng.integers(len(ops)), rng.integers(len(tensors)), len(tensors)
    some = tuple(rng.integers(0, count, rng.integers(4)).tolist())
    if what == "kind":
        options = {"Axis": int(rng.integers(-5, 5)), "NewShape": (), "SqueezeDims": ()}
        ops[i] = replace(ops[i], kind=KINDS[rng.integers(len(KINDS))], options=options)
    elif what in ("inputs", "outputs"):
        ops[i] = replace(ops[i], **{what: tuple(at - 1 for at in some)})
    elif what == "order":
        ops = [ops[k] for k in rng.permutation(len(ops))]
    elif what == "ends":
        graph = replace(graph, **{("inputs", "outputs")[rng.integers(2)]: some})
    elif what == "dtype":
        dtype = ("int8", "float32", "uint8", "int32", "type 1")[rng.integers(5)]
        tensors[j] = replace(tensors[j], dtype=dtype)
    else:
        tensors[j] = replace(tensors[j], shape=tuple(rng.integers(-1, 4, rng.integers(6)).tolist()))
    return replace(graph, ops=tuple(ops), tensors=tuple(tensors))


def test_damaged_graphs():
    """A model with a readable head and tail, or one line."""
    rng = np.random.default_rng(0)
    w = File()
    x = w.real()
    b = w.relu(w.quantized(w.unary("TANH", x)))
    real = w.unary("LOGISTIC", w.dequantized(b))
    axis = w.tensor((), "int32", data=np.array(2))
    best = w.add("ARG_MAX", [b, axis], w.tensor((1, 2), "int32"))
    whole = w.graph([x], [real, best])
    made = refused = 0
    for _ in range(1500):
        graph = changed(changed(whole, rng), rng)
        try:
            model = convert(graph, contract_named("tflm"), "m")
        except ImportFileError as error:
            refused += 1
            assert "\n" not in str(error)
            continue
        made += 1
        for key in (HEAD, TAIL):
            assert "\n".join(map(str, host_ops(model.metadata, key))) == model.metadata.get(key, "")
    assert made > 200 < refused


def overwritten(dequantized):
    """An ADD that may write over what a later RELU reads; its result is an output or behind one."""
    w = File()
    x = w.int8()
    held = w.add("ADD", [w.relu(x), w.int8(data=np.arange(6))], w.int8())
    shape = w.tensor((2,), "int32", data=np.array([1, 6]))
    flat = w.add("RESHAPE", [held, shape], w.int8(1, 6))
    made = w.add("ADD", [flat, w.int8(1, 6, data=np.arange(6))], w.int8(1, 6))
    late = w.relu(held)
    return w.finish([x], [w.dequantized(made) if dequantized else made, late])


@pytest.mark.parametrize("dequantized", [False, True])
def test_a_tensor_before_a_dequantize_may_be_overwritten(dequantized):
    """An engine keeps the outputs of the file, not those of its integer part."""
    graph = parse(overwritten(dequantized))
    model = convert(graph, contract_named("litert_reference"), "m")
    assert ("overwritten" in model.metadata) == dequantized
