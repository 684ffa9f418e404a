"""Sizes of memory: exact or refused in size_t of 32 and 64 bits, and scratch within its bound."""

import subprocess
from functools import cache
from math import prod

import numpy as np
import pytest

import intgold
import tools
from absurd_models import ABSURD
from compilers import BUILDS, ENGINE, ROOT, engine_objects
from convolutions import convolution, depthwise, transposed
from intgold import EngineError, Model, Op, Requantize, Tensor, native
from intgold.describe import footprint
from intgold.native.compiled import lib
from intgold.native.lowering import lower
from intgold.run.session import sessions_of
from intgold.vectors.cases.random_models import random_model

MEMORY, SIZE, SHAPE, OFFSET = 4, 5, 10, 11
WIDE, NARROW = "gcc sanitizers", "gcc -m32 sanitizers"
MOST = 2**31 - 1
"""No object of 32 bits is larger."""
TABLES = 8192
"""Bytes of pointers and the like, of which 64 bits need more."""


@cache
def said(name):
    """Return what tests/c/sizes.c prints by a build: (op, dims) -> (arena, status)."""
    (build,) = (b for b in BUILDS if b.name == name)
    for tool in build.needs:
        tools.need(tool)
    objects, source = engine_objects(build.command), ROOT / "tests/c/sizes.c"
    made = objects[0].with_name(f"sizes {name}")
    subprocess.run([*build.command, "-I", ENGINE, *objects, source, "-o", made], check=True)
    run = subprocess.run([made], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:2000]
    rows = [line.split() for line in run.stdout.splitlines()]
    return {(op, dims): (int(size), int(status)) for op, dims, size, status in rows}


def arenas(name):
    return {key: row for key, row in said(name).items() if key[0] not in ("sums", "images", "null")}


def test_an_arena_of_32_bits_is_that_of_64_or_refused():
    """Next to 2^31 and 2^32: no size wraps, and what does not fit has a status of its own."""
    wide, narrow = arenas(WIDE), arenas(NARROW)
    assert wide.keys() == narrow.keys() and len(wide) > 100
    refused = 0
    for key, (size, status) in wide.items():
        own, own_status = narrow[key]
        if key[0] == "placed":
            assert own_status == status and (own == 0) == (size == 0), key
            continue
        assert own_status == (MEMORY if own else SIZE), key
        if own:
            assert 0 <= size - own <= TABLES and status == MEMORY, key
        else:
            refused += 1
            assert size > MOST, key
    assert refused > 20


def test_an_arena_holds_the_weights():
    """64 bits: packed weights of the portable kernels have two bytes each, none is left out."""
    for (op, dims), (size, _) in arenas(WIDE).items():
        dense = op == "fully_connected"
        in_c, out_c, activations = map(int, dims.split(",")) if dense else (0, 0, 0)
        if dense:
            assert 2 * in_c * out_c + activations <= size, dims


def test_a_tensor_beyond_the_activations_is_refused():
    """Offsets and sizes that are negative, unaligned or too large, and the limits of those."""
    for name in (WIDE, NARROW):
        placed = {dims: row for (op, dims), row in arenas(name).items() if op == "placed"}
        fits = {dims for dims, (size, _) in placed.items() if size}
        assert fits == {"64,0,64,128", "16,1,64,128"} and len(placed) == 11
        assert {status for size, status in placed.values() if not size} == {OFFSET, SHAPE}


@pytest.mark.parametrize("name", [WIDE, NARROW])
def test_missing_buffers_are_refused(name):
    """NULL in place of an input or an output is INTGOLD_ERROR_ARGUMENT."""
    rows = {dims: row for (op, dims), row in said(name).items() if op == "null"}
    assert len(rows) == 2 and all(row[0] == 1 for row in rows.values()), rows


def test_images_that_32_bits_cannot_hold_are_refused():
    """A run of more images than buffers can have is refused before it reads anything."""
    rows = {dims: row for (op, dims), row in said(NARROW).items() if op == "images"}
    assert rows == {"8": (0, SIZE), "16": (0, SIZE), "2147483647": (0, SIZE)}


def test_sums_of_packed_weights_may_wrap():
    """Weights that sum to more than int32 on an input of one value: the accumulator is the bias."""
    for name in (WIDE, NARROW):
        assert [acc for (op, _), (acc, _) in said(name).items() if op == "sums"] == [-12345] * 4


def multiplied(rows, columns, depth):
    """A matmul of this shape, with zero points that take weights of several parts."""
    builder = intgold.Builder("m")
    x1, x2 = (
        builder.input("x1", (rows, depth)),
        builder.input("x2", (columns, depth), zero_point=-90),
    )
    builder.op("matmul", x1, x2, bias=np.zeros(columns, np.int32), requantize=Requantize.of(1, 8))
    return builder.model()


def test_scratch_is_bounded():
    """Every op of random graphs, convolutions and absurd models, by every variant."""
    models = [random_model(seed) for seed in range(20)]
    models += [f(seed) for seed in range(60) for f in (convolution, depthwise, transposed)]
    models += [make() for make in ABSURD.values()]
    models += [
        multiplied(*shape) for shape in ((1, 1, 4000), (1, 300, 33), (300, 1, 33), (7, 65, 1))
    ]
    seen = 0
    for model in models:
        native_model = native.NativeModel(lower(model), "portable")
        for isa in native.variants():
            for i, op in enumerate(model.ops):
                scratch = lib.intgold_scratch_size(native_model.model, native.ISAS[isa], i)
                *cells, in_c = model.tensor(op.inputs[0]).shape
                b = prod(cells) * max(in_c, model.tensor(op.output).shape[-1])
                if op.kind == "matmul":
                    rows, columns = model.tensor(op.output).shape[-2:]
                    b = (rows + columns + 64) * (in_c + columns + 64)
                assert scratch <= min(2**20 + 16 * b, 2**30), (model.name, op.name, isa)
                assert scratch == 0 or op.spec.scratch
                seen += scratch > 0
    assert seen > 100


@pytest.mark.parametrize(
    ("kind", "shape", "out_c", "kernel", "stride", "padding"),
    [
        ("depthwise_conv2d", (1, 16000, 1), 16, (1, 9), (1, 1), (0, 0, 4, 4)),
        ("depthwise_conv2d", (1, 16000, 1), 64, (1, 9), (1, 4), (0, 0, 4, 4)),
        ("depthwise_conv2d", (1, 16000, 8), 64, (1, 31), (1, 1), (0, 0, 15, 15)),
        ("depthwise_conv2d", (2, 8000, 8), 64, (2, 9), (1, 1), (0, 0, 4, 4)),
        ("conv2d", (1, 1, 512), 512, (4, 4), (1, 1), (3, 3, 3, 3)),
        ("conv2d", (1, 1, 512), 512, (7, 7), (1, 1), (6, 6, 6, 6)),
        ("conv2d", (4, 4, 256), 256, (3, 3), (1, 1), (1, 1, 1, 1)),
        ("transpose_conv2d", (1, 1, 512), 256, (7, 7), (1, 1), (0, 0, 0, 0)),
        ("transpose_conv2d", (16, 16, 21), 21, (64, 64), (32, 32), (16, 16, 16, 16)),
        ("transpose_conv2d", (64, 64, 64), 32, (2, 2), (2, 2), (0, 0, 0, 0)),
    ],
)
def test_layers_of_real_networks_run_in_strips(kind, shape, out_c, kernel, stride, padding):
    """Long rows, many channels, much padding: tap by tap they would take many times as long."""
    own = (*kernel, out_c) if kind == "depthwise_conv2d" else (out_c, *kernel, shape[-1])
    builder = intgold.Builder("m")
    x = builder.input("x", shape)
    builder.op(
        kind, x, name="c", weights=np.ones(own, np.int8), bias=np.zeros(out_c, np.int32),
        stride=stride, padding=padding, requantize=Requantize.of(2**30, 45),
    )  # fmt: skip
    native_model = native.NativeModel(lower(builder.model("c")), "portable")
    for isa in native.variants():
        assert lib.intgold_scratch_size(native_model.model, native.ISAS[isa], 0) > 0, isa


def test_an_arena_that_does_not_fit_names_its_op(monkeypatch):
    """By Python and `info`: what the machine cannot hold is refused with the op and the bytes."""
    weights = {"weights": np.ones((3, 50), np.int8), "weight_zero_point": np.zeros(1, np.int8)}
    fields = {"weight_scale": None, "bias": np.zeros(3, np.int32), "requantize": None}
    fields |= {**weights, "act_min": 0, "act_max": 0}
    tensors = [Tensor("x", (50,)), Tensor("y", (3,), "int32")]
    model = Model("m", tensors, [Op("fully_connected", "dense", ("x",), "y", fields)], ["x"], ["y"])
    x = np.zeros((1, 50), np.int8)
    assert model.run(x).output.shape == (1, 3)
    monkeypatch.setattr("intgold.model.budget._SMALL", 100)
    monkeypatch.setattr("intgold.model.budget.available", lambda: 1000)
    sessions_of(model).clear()
    with pytest.raises(
        EngineError, match=r"of op dense take [\d,]+ bytes, the arena [\d,]+ bytes, more"
    ):
        model.run(x)
    monkeypatch.setattr("intgold.native.engine.lib", Overflowing())
    with pytest.raises(EngineError, match="of op dense take 18,.* bytes, the arena more than"):
        model.run(x)
    with pytest.raises(EngineError, match="of op dense take 18,.* bytes, the arena more than"):
        footprint.arena_sizes(model)


class Overflowing:
    """The engine where size_t does not hold the packed weights."""

    def __getattr__(self, name):
        replaced = {"intgold_arena_size": 0, "intgold_packed_size": 2**64 - 1}
        return (lambda *_: replaced[name]) if name in replaced else getattr(lib, name)
