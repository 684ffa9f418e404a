"""Models that exist are valid: graphs, shapes, ranges, and the int32 proof, which is tight."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

import intgold
from intgold import InputError, IntgoldError, Model, ModelError, Op, Requantize, Tensor, native
from intgold.model.graph import BOUNDARY
from intgold.native.lowering import plan
from intgold.ops.fields import INT32_MAX, INT32_MIN, Scales
from intgold.ops.table import OPS
from intgold.vectors.cases.random_models import random_inputs, random_model


def fully_connected(weights, bias, x_zero_point=0, requantize=None, **changes):
    weights = np.array(weights, np.int8)
    fields = {
        "weights": weights,
        "weight_zero_point": np.zeros(1, np.int8),
        "weight_scale": None,
        "bias": np.array(bias, np.int32),
        "requantize": requantize,
        "act_min": -128,
        "act_max": 127,
        **changes,
    }
    dtype = "int32" if requantize is None else "int8"
    return Model(
        "one",
        [
            Tensor("x", (weights.shape[1],), "int8", None, x_zero_point),
            Tensor("y", (weights.shape[0],), dtype),
        ],
        [Op("fully_connected", "fc", ("x",), "y", fields)],
        ["x"],
        ["y"],
    )


def test_the_int32_proof_is_tight():
    """The largest bias that fits is accepted, the next one is refused, on both sides."""
    fully_connected([[127, -128]], [INT32_MAX - 127 * 127 - 128 * 128])
    with pytest.raises(ModelError, match=r"op fc: channel 0: accumulator .* beyond int32"):
        fully_connected([[127, -128]], [INT32_MAX - 127 * 127 - 128 * 128 + 1])
    least = INT32_MIN + 127 * 128 + 128 * 127
    fully_connected([[127, -128]], [least])
    with pytest.raises(ModelError, match="beyond int32"):
        fully_connected([[127, -128]], [least - 1])


def test_the_proof_covers_partial_sums():
    """A total that fits is refused when an order of summation does not."""
    with pytest.raises(ModelError, match="channel 1"):
        fully_connected([[0, 0], [127, 0]], [0, INT32_MAX - 100])


def test_the_double_forms_need_room_for_their_left_shift():
    """right_shift below 31 shifts the accumulator left first: that must fit as well."""
    for shift, fits in ((30, True), (16, True), (1, False)):
        by = Requantize.of(2**30, shift, "double")
        if fits:
            fully_connected([[1]], [0], requantize=by)
            continue
        fully_connected([[1]], [0], requantize=Requantize.of(2**30, shift, "single"))
        with pytest.raises(ModelError, match="pre-shifted accumulator"):
            fully_connected([[127] * 1000], [2**20], requantize=by)


def test_bounds_hold_and_are_reached():
    """No accumulator of a random graph leaves its bounds; bits are enough for each."""
    reached = 0
    for seed in range(200):
        model = random_model(seed)
        run = model.run(random_inputs(model, 3, seed), backend="golden", trace=True)
        for op in model.ops:
            bounds, y = model.bounds[op.name], run.tensors[op.output]
            assert bounds.output[0] <= y.min() and y.max() <= bounds.output[1]
            assert (bounds.bits is None) == (not op.spec.accumulator)
            if bounds.bits is not None:
                acc = run.accumulators[op.output]
                assert bounds.lo.min() <= acc.min() and acc.max() <= bounds.hi.max()
                assert -(2 ** (bounds.bits - 1)) <= acc.min() and acc.max() < 2 ** (bounds.bits - 1)
                reached += bounds.bits < 32
    assert reached > 100


def test_conv_bounds_are_the_extreme_of_all_inputs():
    """Brute force over the corners of every input: the bound is the largest partial sum."""
    model = fully_connected([[3, -5, 7]], [11], x_zero_point=-7)
    lo, hi = -128 + 7, 127 + 7
    best = sum(max(0, w * lo, w * hi) for w in (3, -5, 7)) + 11
    worst = sum(min(0, w * lo, w * hi) for w in (3, -5, 7))
    assert (int(model.bounds["fc"].hi[0]), int(model.bounds["fc"].lo[0])) == (best, worst)


def test_pwl_bounds_cover_the_product_and_the_offset():
    """The example of SPEC 7.6: neither is wider than the register that the proof asks for."""
    fields = dict(
        breakpoints=np.array([-128], np.int8),
        slope=np.array([3], np.int16),
        offset=np.array([-300], np.int32),
        frac_bits=4,
        act_min=-128,
        act_max=127,
    )
    model = Model("m", tensors("x", "y"), [Op("pwl", "p", ("x",), "y", fields)], ["x"], ["y"])
    bounds = model.bounds["p"]
    assert (int(bounds.lo[0]), int(bounds.hi[0]), bounds.bits) == (-684, 381, 11)


def tensors(*names):
    return [Tensor(n, (4, 4, 2)) for n in names]


def lut(name, source, target):
    return Op("lut", name, (source,), target, {"table": np.zeros(256, np.int8)})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Model("m", tensors("a"), [], ["a"], ["a"]), "no op"),
        (lambda: Model("m", tensors("a", "b"), [lut("o", "a", "b")], ["a"], []), "no output"),
        (lambda: Model("m", tensors("a", "b"), [lut("o", "a", "b")], ["a"], ["a"]), "not made by"),
        (lambda: Model("m", tensors("a", "b"), [lut("o", "b", "b")], ["a"], ["b"]), "before it"),
        (lambda: Model("m", tensors("a", "b", "a"), [lut("o", "a", "b")], ["a"], ["b"]), "twice"),
        (lambda: Model("m", tensors("a", "b", "c"), [lut("o", "a", "b")], ["a"], ["b"]), "tensors"),
        (lambda: Model("9", tensors("a", "b"), [lut("o", "a", "b")], ["a"], ["b"]), "not a name"),
        (lambda: Model("m", [Tensor("a", (4, 4, 2)), Tensor("b", (4, 4, 3))],
                       [lut("o", "a", "b")], ["a"], ["b"]), "produces int8"),
        (lambda: Model("m", [Tensor("a", (4,), "int32"), Tensor("b", (4,))],
                       [lut("o", "a", "b")], ["a"], ["b"]), "lut takes int8"),
        (lambda: Op("lut", "o", ("a",), "b", {}), "missing fields table"),
        (lambda: Op("argmax", "o", ("a",), "b", {"z": 1, "a": 2}), "unknown fields a, z"),
        (lambda: Op("lut", "o", ("a", "b"), "c", {"table": np.zeros(256, np.int8)}), "2 inputs"),
        (lambda: Op("lut", "o", ("a",), "b", {"table": np.zeros(256)}), "dtype float64"),
        (lambda: lut("o", "a", "b").spec.shape({"table": np.zeros(9, np.int8)}, [(4,)]), "9 entr"),
        (lambda: Tensor("t", (4,), "int8", float("nan")), "scale"),
        (lambda: Tensor("t", (4,), "int8", -1.0), "scale"),
        (lambda: Tensor("t", (4,), "int32", None, 3), "outside"),
        (lambda: Requantize.of(-1, 31), "outside"),
        (lambda: Requantize.of(2**31, 31), "outside"),
        (lambda: Requantize.of(1, 0), "outside"),
        (lambda: Requantize.of(1, 63), "outside"),
        (lambda: Requantize.of(2**29, 31, "float32"), "not normalised"),
        (lambda: Requantize.of(2**30 + 1, 31, "float32"), "24 significant bits"),
        (lambda: Requantize.of(2**30, 31, "single", 1), "outside"),
        (lambda: Requantize.of([1, 2], [3, 4, 5]), "different lengths"),
        (lambda: Requantize.of(1.5, 31), "integers"),
        (lambda: Requantize.of(1, 31, "triple"), "unknown form 'triple'"),
        (lambda: fully_connected([[1]], [0, 0]), "bias: 2 entries"),
        (lambda: fully_connected([[1]], [0], act_min=5, act_max=4), "act_min 5 is above"),
        (lambda: fully_connected([[1]], [0], act_min=-129), "-129 is outside"),
        (lambda: fully_connected([[1]], [0], act_min=0.5), "not an integer"),
    ],
)  # fmt: skip
def test_invalid_models_are_refused_in_one_line(build, message):
    """Each rule names the thing and the value."""
    with pytest.raises(ModelError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_models_are_frozen():
    model = random_model(0)
    with pytest.raises(AttributeError):
        model.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        model.ops[0]["weights"][0] = 1
    with pytest.raises(TypeError):
        model.ops[0].fields["act_min"] = 0


@pytest.mark.parametrize("seed", range(8))
def test_models_travel_to_other_processes(seed):
    """A pickled model comes back with the same content and the same proof."""
    model = random_model(seed)
    again = pickle.loads(pickle.dumps(model))
    assert again.sha256 == model.sha256 and again.describe() == model.describe()


@pytest.mark.parametrize("path", [None, 3, b"lut"])
def test_only_names_and_paths_are_loaded(path):
    with pytest.raises(InputError, match="load: path: .* instead of a path"):
        intgold.load(path)


@pytest.mark.parametrize("backend", ["c", "golden"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x.astype(np.int16), "int16 instead of"),
        (lambda x: x[..., :0], "instead of"),
        (lambda x: x[0], "instead of"),
        (lambda x: x[:0], "no images"),
        (lambda x: x.tolist(), r"list \[.* instead of an array of int8: numpy.array"),
        (lambda x: x.astype(np.float32), "float32 instead of .*: model.quantize_input"),
        (lambda x: {"other": x}, "input 'other' is unknown"),
        (lambda x: {0: x, "other": x}, "input 0 is unknown"),
        (lambda x: {}, "is missing; inputs: "),
    ],
)
def test_wrong_inputs_are_refused(backend, change, message):
    model = fully_connected([[1, 2, 3]], [0])
    x = np.arange(6, dtype=np.int8).reshape(2, 3)
    assert model.run(x, backend=backend).output.tolist() == [[8], [26]]
    with pytest.raises(InputError, match=message):
        model.run(change(x), backend=backend)


def unaligned(array):
    """Return the same values one byte off their boundary."""
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
    raw[:] = array.view(np.uint8).ravel()
    return raw.view(array.dtype).reshape(array.shape)


@pytest.mark.parametrize("backend", ["c", "golden"])
@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: np.asfortranarray(x),
        lambda x: x[::-1].copy()[::-1],
        lambda x: np.broadcast_to(x[:1], x.shape),
    ],
    ids=["strided", "fortran", "negative", "broadcast"],
)
def test_any_order_of_memory_is_taken(backend, change):
    """The values count, not where they lie."""
    model = fully_connected([[1, 2, 3]], [0])
    x = change(np.arange(6, dtype=np.int8).reshape(2, 3))
    wanted = [[int(a + 2 * b + 3 * c)] for a, b, c in x.astype(int)]
    assert not x.flags.c_contiguous
    assert model.run(x, backend=backend).output.tolist() == wanted


@pytest.mark.parametrize("backend", ["c", "golden"])
def test_unaligned_inputs_are_copied(backend):
    """An int32 off its boundary is undefined behaviour in C."""
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    tensors = [Tensor("in", (3,), "int32"), Tensor("out", (1,), "int32")]
    model = Model("m", tensors, [Op("argmax", "op", ("in",), "out")], ["in"], ["out"])
    odd = unaligned(x)
    assert np.array_equal(odd, x) and not odd.flags.aligned
    assert model.run(odd, backend=backend).output.tolist() == [[2], [2]]
    with pytest.raises(InputError, match="not aligned"):
        native.argmax(odd)
    assert model.run(odd.copy("C"), backend=backend).output.tolist() == [[2], [2]]


def test_predict_answers_what_an_argmax_says():
    """The same classes, whether the model ends with its logits or decides itself."""
    logits = fully_connected([[1, 0], [0, 1], [1, 1]], [0, 0, -5])
    by_argmax = Model(
        "decided",
        [*logits.tensors, Tensor("class", (1,), "int32")],
        [*logits.ops, Op("argmax", "pick", (logits.outputs[0],), "class")],
        logits.inputs,
        ["class"],
    )
    x = np.array([[9, 1], [1, 9], [9, 9], [7, 7]], np.int8)
    for backend in ("c", "golden"):
        want = logits.predict(x, backend=backend)
        assert want.tolist() == np.argmax(logits.run(x).output, axis=1).tolist()
        assert len(set(want.tolist())) == 3
        assert np.array_equal(by_argmax.predict(x, backend=backend), want)


def test_predict_wants_one_answer_per_image():
    model = Model("m", tensors("a", "b"), [lut("o", "a", "b")], ["a"], ["b"])
    with pytest.raises(InputError, match=r"\(4, 4, 2\) is more than one answer per image"):
        model.predict(np.zeros((1, 4, 4, 2), np.int8))


def test_a_float64_add_is_proved_with_its_low_bits():
    """The sum of the two inputs passes 2^31 - 1 by only the low multiplier."""
    tensors = [Tensor("a", (1,), zero_point=-125), Tensor("b", (1,)), Tensor("c", (1,))]
    tensors.append(Tensor("sum", (1,)))

    def build(low):
        fields = {
            "left_shift": 19,
            "requantize1": Requantize.of(1090785344, 26, "float64", low),
            "requantize2": Requantize.of(2**30, 56, "single"),
            "form": "shared_scale",
            "requantize": Requantize.of(2**30, 55, "single"),
            "act_min": -128,
            "act_max": 127,
        }
        table = Op("lut", "table", ("b",), "c", {"table": np.full(256, -128, np.int8)})
        add = Op("add", "op", ("a", "c"), "sum", fields)
        return Model("m", [*tensors], [table, add], ["a", "b"], ["sum"])

    build(0)
    with pytest.raises(
        ModelError, match=r"op op: channel 0: accumulator can reach .* beyond int32"
    ):
        build(2**22 - 1)


def test_tensors_beyond_the_limit_are_refused():
    """SPEC 6.2: the spans of all tensors of one image; one more luts' output passes it."""

    def chain(count):
        names = [f"t{i}" for i in range(count + 1)]
        luts = [lut(f"o{i}", names[i], names[i + 1]) for i in range(count)]
        shaped = [Tensor(n, (2**14, 2**14)) for n in names]
        return Model("m", shaped, luts, names[:1], names[-1:])

    assert plan(chain(6))[1] == 2 * 2**28
    with pytest.raises(ModelError, match="its tensors have 2147483648 bytes"):
        chain(7)


def test_wrong_backend_and_threads_are_refused():
    model = fully_connected([[1, 2, 3]], [0])
    x = np.zeros((1, 3), np.int8)
    for arguments in ({"backend": "fpga"}, {"threads": 0}, {"threads": True}, {"threads": 5000}):
        with pytest.raises(InputError, match="fpga|threads"):
            model.run(x, **arguments)


def test_living_tensors_never_overlap_in_the_arena():
    """For every pair alive at the same time, bytes are disjoint; dead ones are reused."""
    reused = 0
    for seed in range(300):
        model = random_model(seed)
        offsets, size = plan(model)
        made = {op.output: i for i, op in enumerate(model.ops)}
        last = {n: i for i, op in enumerate(model.ops) for n in (*op.inputs, op.output)}
        spans = {
            n: range(o, o + model.tensor(n).size * (4 if model.tensor(n).dtype == "int32" else 1))
            for n, o in offsets.items()
        }
        outside = {*model.inputs, *model.outputs}
        assert set(spans) == {t.name for t in model.tensors} - outside
        for a, span in spans.items():
            assert span.start % BOUNDARY == 0 and span.stop <= size
            for b, other in spans.items():
                overlap = span.start < other.stop and other.start < span.stop
                if a != b and overlap:
                    assert last[a] < made[b] or last[b] < made[a]
                    reused += 1
    assert reused > 50


def test_describe_tells_every_op():
    """One line per op with its accumulator bits; the head has the content hash."""
    model = random_model(0)
    text = model.describe()
    assert model.sha256 in text
    for op in model.ops:
        assert any(line.split()[:2] == [op.name, op.kind] for line in text.splitlines())


def test_public_names():
    """What `import intgold` gives is what it lists, documented."""
    for name in intgold.__all__:
        assert hasattr(intgold, name)
    for kind in OPS.values():
        assert kind.summary and kind.clause.startswith("5.")
    assert Fraction(intgold.SPEC_VERSION) >= 1


@pytest.mark.parametrize(
    "number",
    [1, 0.5, np.float32(0.5), np.float16(0.25), np.int8(3), Fraction(1, 3), np.longdouble(2)],
)
def test_scales_are_real_numbers_of_any_type(number):
    """Of a tensor and of weights, by the class and by the builder: a float of the same value."""
    assert type(Tensor("t", (4,), "int8", number).scale) is float
    assert Tensor("t", (4,), "int8", number).scale == float(number)
    builder = intgold.Builder("m")
    if not isinstance(number, Fraction):
        assert builder.tensor(builder.input("x", (4,), scale=number)).scale == float(number)
    assert Scales().check("f", [number, number]) == (float(number),) * 2


@pytest.mark.parametrize(
    "value",
    [True, np.True_, 0, -1, float("nan"), float("inf"), pytest.param(10**400, id="long"),
     np.float32("nan"), "1.5", b"1", 1j, [1.0], 5e-324 / 2],
)  # fmt: skip
def test_what_is_no_scale(value):
    """One line that names tensor and value."""
    with pytest.raises(ModelError, match=r"^tensor t scale: .* is not a positive finite number$"):
        Tensor("t", (4,), "int8", value)
    with pytest.raises(ModelError, match=r"^f: .* is not a positive finite number$"):
        Scales().check("f", [0.5, value])
    with pytest.raises(IntgoldError, match="scale"):
        intgold.Builder("m").input("x", (4,), scale=value)
