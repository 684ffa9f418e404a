"""A cause is named only on evidence: noise, upsets and bugs of no table never have one."""

from collections import Counter

import numpy as np
import pytest

import thin_evidence as thin
import tools
from intgold import golden
from intgold.model.builder import Builder
from intgold.ops.fields import Requantize
from intgold.verify.diagnose import diagnosis
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.hypotheses import HYPOTHESES, Evidence
from intgold.verify.diagnose.hypotheses.freedom import choose_bits, solved_order
from intgold.verify.diagnose.noise import ValueKind, noise_bits
from intgold.verify.diagnose.score import MARGIN

COUNTS = (1, 2, 8, 64)


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    return {n: thin.Bench(tmp_path_factory.mktemp(f"thin{n}"), n) for n in COUNTS}


def names(finding):
    """What is named, single bugs and pairs."""
    return {" and ".join(cause.names) for cause in finding.causes}


def upto(bench, op, y):
    """A dump of every output to this op, which produces `y`."""
    makers = [o.output for o in bench.model.ops]
    return {n: bench.tensors[n] for n in makers[: makers.index(op)]} | {op: y}


@pytest.mark.parametrize("count", COUNTS)
def test_noise_has_no_cause(count, benches, full):
    """Random values and upsets in every kind of op, on sets of every size: nothing is named."""
    bench, found = benches[count], Counter()
    for seed in range(5 if full else 1):
        rng = np.random.default_rng((count, seed))
        for op in thin.OPS:
            y, classes = bench.tensors[op], 10 if op == "top" else 0
            shares = ("upset", 0.0, 0.01, 0.1, 0.9)
            for share in shares if full else (*shares[:2], shares[rng.integers(2, 5)]):
                if share == "upset":
                    got = thin.upset(y, rng, int(rng.integers(3)) if classes else None)
                else:
                    got = thin.noise(y, share, rng, classes)
                (first, *_) = bench.finding(**upto(bench, op, got))
                assert first.op == op and first.causes == (), (op, share, seed, names(first))
                assert first.consistent == () or first.needed_evidence
                found["consistent" if first.consistent else "none fits"] += 1
    assert sum(found.values()) >= 30
    tools.said.append(f"noise on {count} images: {sum(found.values())} dumps, 0 named; {found}")


def test_noise_has_no_pair_of_causes(benches, full):
    """Nor are two bugs at once named, of which there are thousands to choose from."""
    rng = np.random.default_rng(4)
    for op in thin.OPS if full else ("gap", "fc", "top"):
        for count in (1, 2, 8) if full else (1, 8):
            y = benches[count].tensors[op]
            got = thin.noise(y, 0.0, rng, 10 if op == "top" else 0)
            first = benches[count].finding(pairs=True, **upto(benches[count], op, got))[0]
            assert first.causes == (), (op, count, names(first))
            assert first.pairs > 0 or first.consistent


@pytest.mark.parametrize("count", COUNTS[1:])
def test_images_in_other_order(count, benches, full):
    """Permuted results are reported so where they are worth more than the order; else not."""
    bench = benches[count]
    for seed in range(10 if full else 2):
        rng = np.random.default_rng((5, count, seed))
        order = rng.permutation(count)
        for op in thin.OPS:
            y = bench.tensors[op]
            if np.array_equal(y[order], y):
                continue
            first = bench.finding(**upto(bench, op, y[order]))[0]
            if op == "top":
                assert names(first) <= {"images_in_other_order", "result_of_image_before"}
                assert first.causes == () or _by_a_rule(first.causes[0])
            else:
                assert "images_in_other_order" in names(first) or count == 2, (op, count)


def _by_a_rule(cause):
    return cause.score.freedom < 20


def test_a_permutation_of_answers_cannot_be_told(benches):
    """64 permuted answers of ten classes: the order has as much freedom as they have evidence."""
    bench = benches[64]
    top = bench.tensors["top"]
    shuffled = top[np.random.default_rng(11).permutation(64)]
    first = bench.finding(**upto(bench, "top", shuffled))[0]
    assert first.causes == ()
    (cause,) = first.consistent
    assert cause.names == ("images_in_other_order",)
    assert cause.score.evidence < cause.score.freedom + MARGIN
    first = bench.finding(**upto(bench, "top", top[::-1]))[0]  # an order by a rule is simple
    assert names(first) == {"images_in_other_order"}


def indexed(values):
    """Indices as the op dumps them."""
    return values[..., None].astype(np.int32)


ARGMAX_BUGS = {
    "argmax_unsigned": lambda x: np.argmax(x & 0xFFFFFFFF, -1),
    "argmax_index_shifted": lambda x: np.argmax(x, -1) + 1,
    "argmax_without_end": lambda x: np.argmax(x[:, :-1], -1),
    "argmax_of_other_order": lambda x: np.argmin(x, -1),
    "no low bits": lambda x: np.argmax(x >> 10, -1),
    "16 bits": lambda x: np.argmax(((x + 2**13) & 0x3FFF), -1),
    "odd classes": lambda x: 2 * np.argmax(x[:, 1::2], -1) + 1,
    "class 3": lambda x: 0 * np.argmax(x, -1) + 3,
}


@pytest.mark.parametrize("bug", ARGMAX_BUGS)
def test_bugs_of_argmax(bug, benches):
    """Everything dumped: the right cause or none; on 64 images those of the table are named."""
    for count in COUNTS:
        bench = benches[count]
        got = indexed(ARGMAX_BUGS[bug](bench.tensors["fc"].astype(np.int64)))
        if np.array_equal(got, bench.tensors["top"]):
            continue
        first = bench.finding(**upto(bench, "top", got))[0]
        assert names(first) <= {bug}, (count, names(first))
        if count == 64 and bug.isidentifier():
            assert names(first) == {bug}


@pytest.mark.parametrize(
    ("cause", "bug"),
    [
        ("argmax_of_last", lambda x: 20 - np.argmax(x[..., ::-1], -1)),
        ("argmax_unsigned", lambda x: np.argmax(x & 255, -1)),
        ("argmax_index_shifted", lambda x: np.argmax(x, -1) + 1),
        ("argmax_without_end", lambda x: np.argmax(x[..., :-1], -1)),
        ("argmax_of_other_order", lambda x: np.argmin(x, -1)),
    ],
)
def test_bugs_of_argmax_on_int8(cause, bug, tmp_path):
    """A class for each pixel of a map: the cause is named, and no other."""
    builder = Builder("pixels")
    x = builder.input("x", (6, 6, 21))
    y = builder.op("lut", x, name="low", table=np.arange(-128, 128) // 8)
    builder.op("argmax", y, name="top")
    bench = thin.Bench(tmp_path, 8, builder.model())
    got = indexed(bug(bench.tensors["low"].astype(np.int64)))
    assert not np.array_equal(got, bench.tensors["top"])
    assert names(bench.finding(**upto(bench, "top", got))[0]) == {cause}


def ties(folder, table):
    """Bytes through a table, as int32, then argmax; what a device answers with >= for >."""
    builder = Builder("ties")
    x = builder.input("x", (10,))
    y = builder.op("lut", x, name="low", table=table)
    y = builder.op(
        "fully_connected",
        y,
        name="wide",
        weights=np.eye(10, dtype=int),
        bias=np.zeros(10, int),
        requantize=None,
    )
    builder.op("argmax", y, name="top")
    bench = thin.Bench(folder, 64, builder.model())
    return bench, indexed(9 - np.argmax(bench.tensors["wide"][:, ::-1], -1))  # fmt: skip


def test_ties_to_the_last(tmp_path):
    """Few ties that go to the last value are consistent with that; many name it."""
    bench, last = ties(tmp_path / "few", np.arange(-128, 128))
    assert 0 < np.count_nonzero(last != bench.tensors["top"]) < 6
    first = bench.finding(**upto(bench, "top", last))[0]
    assert first.causes == () and ("argmax_of_last",) in {c.names for c in first.consistent}
    assert any("images" in line for line in first.needed_evidence)
    bench, last = ties(tmp_path / "many", np.arange(-128, 128) // 64)
    assert np.count_nonzero(last != bench.tensors["top"]) > 20
    assert names(bench.finding(**upto(bench, "top", last))[0]) == {"argmax_of_last"}


def _some_biases(a, rng):
    bias = a["bias"].copy()
    bias[rng.permutation(len(bias))[: rng.integers(1, 5)]] = 0
    return {**a, "bias": bias}


def _some_weights(a, rng):
    w = a["weights"].copy()
    at = rng.integers(0, w.size, 4)
    w.reshape(-1)[at] = rng.integers(-60, 61, 4)
    return {**a, "weights": w}


def _even_weights(a, rng):
    return {**a, "weights": (a["weights"] // 2 * 2).astype(np.int8)}


def _more_bias(a, rng):
    return {**a, "bias": a["bias"] + int(rng.integers(-300, 300))}


def test_bugs_of_no_table_behind_what_was_dumped(benches, full):
    """Only answers or logits are dumped of a device with a bug of its own: nothing is named."""
    rng, seen, model = np.random.default_rng(6), 0, thin.network()
    kinds = (_some_biases, _some_weights, _even_weights, _more_bias)
    for number in range(60 if full else 12):
        bench, at = benches[(8, 64)[number % 2]], ("conv", "deep", "fc")[number // 2 % 3]
        change, dumped = kinds[number % 4], ("top", "fc")[number // 3 % 2]
        live, hit = dict(bench.tensors), False
        for op in model.ops:
            arguments = dict(model.arguments(op))
            if op.name == at:
                arguments, hit = change(arguments, rng), True
            if hit:
                made = golden.FUNCTIONS[op.kind](*(live[n] for n in op.inputs), **arguments)
                live[op.output] = made[0] if op.spec.accumulator else made
        if at == dumped or np.array_equal(live[dumped], bench.tensors[dumped]):
            continue
        first = bench.finding(**{dumped: live[dumped]})[0]
        assert first.causes == (), (number, at, change.__name__, dumped, names(first))
        seen += 1
    assert seen >= (30 if full else 6)
    tools.said.append(f"bugs of no table seen from far: {seen} dumps, 0 named")


def relu(zero_point, largest=127):
    """A conv2d whose results go far beyond 8 bits."""
    rng = np.random.default_rng(3)
    builder = Builder("relu")
    x = builder.input("x", (10, 10, 3), zero_point=-128)
    builder.op(
        "conv2d", x, name="conv", zero_point=zero_point, act_min=zero_point, padding=1,
        weights=rng.integers(-largest, largest + 1, (6, 5, 5, 3)), bias=rng.integers(-900, 900, 6),
        requantize=Requantize.of(2**30, 39, "single_down"),
    )  # fmt: skip
    return builder.model()


def cut(values):
    """The lower 8 bits, signed."""
    return (((values + 128) & 255) - 128).astype(np.int8)


CLAMPS = {
    "below alone": (lambda s, lo, zero: np.maximum(s, 0) + zero, "clamp_one_sided"),
    "above alone": (lambda s, lo, zero: np.minimum(s + zero, 127), "clamp_one_sided"),
    "none": (lambda s, lo, zero: s + zero, "clamp_missing"),
    "behind the cut": (lambda s, lo, zero: np.maximum(cut(s + zero).astype(int), lo),
                       "clamp_after_cut"),
}  # fmt: skip


@pytest.mark.parametrize("zero_point", [-128, 0, -20])
@pytest.mark.parametrize("kind", CLAMPS)
def test_clamps_of_one_side(kind, zero_point, tmp_path):
    """A right ReLU without one of its ends: its own cause, with and without accumulators."""
    bench = thin.Bench(tmp_path, 4, relu(zero_point))
    acc = bench.accumulators["conv"]
    change, name = CLAMPS[kind]
    got = cut(change(acc.astype(np.int64) >> 9, zero_point, zero_point))
    assert np.count_nonzero(got != bench.tensors["conv"]) > 50
    for more in ({}, {"conv_acc": acc}):
        first = bench.finding(conv=got, **more)[0]
        assert name in names(first), names(first)
        assert "accumulator_bit_stuck" not in first.causes[0].names
        assert "accumulator_bit_stuck" not in names(first)
        freedoms = [cause.freedom for cause in first.causes]
        assert freedoms == sorted(freedoms)


def test_a_stuck_bit_that_a_clamp_could_be(tmp_path, monkeypatch):
    """Where the right neighbour is not in the table, the stuck bit is no more than consistent."""
    table = [h for h in HYPOTHESES if not h.name.startswith(("clamp", "output_zero", "relu"))]
    monkeypatch.setattr(diagnosis, "HYPOTHESES", table)
    bench = thin.Bench(tmp_path, 4, relu(-128, 100))
    acc = bench.accumulators["conv"]
    s = acc.astype(np.int64) >> 9
    assert 255 < s.max() < 512
    got = cut((np.maximum(s, 0) & 255) - 128)
    first = bench.finding(conv=got)[0]
    assert first.causes == ()
    (cause,) = first.consistent
    assert cause.names == ("accumulator_bit_stuck",) and "one range" in cause.score.doubt
    assert "the accumulators of conv" in first.needed_evidence
    assert bench.finding(conv=got, conv_acc=acc)[0].fitting == ()


def test_a_stuck_bit_that_alternates_is_named(tmp_path):
    """A bit in the middle of the register: right and wrong ranges alternate."""
    bench = thin.Bench(tmp_path, 4, relu(-128))
    (op,) = bench.model.ops
    acc = bench.accumulators["conv"] & ~(1 << 14)
    got = Datapath.of(bench.model, op, (bench.x["x"],)).after(acc.astype(np.int64))[1]
    assert names(bench.finding(conv=got)[0]) == {"accumulator_bit_stuck"}
    assert names(bench.finding(conv=got, conv_acc=acc)[0]) == {"accumulator_bit_stuck"}


def wrapped(acc, bits):
    """As a register of `bits` bits holds it."""
    half = 1 << (bits - 1)
    return ((acc + half) & ((1 << bits) - 1)) - half


def few_that_wrap(folder, change):
    """A bench of `relu` whose register of 17 bits spoils one value or two; (bench, acc, output)."""
    for largest in range(30, 128):
        model = relu(-20, largest)
        x = np.random.default_rng(4).integers(-128, 128, (4, 10, 10, 3), np.int8)
        acc = change(model, model.run(x, trace=True).accumulators["conv"].astype(np.int64))
        if 0 < np.count_nonzero(np.abs(acc) >= 1 << 16) <= 2:
            break
    bench = thin.Bench(folder, 4, model)
    (op,) = bench.model.ops
    held = wrapped(acc, 17)
    path = Datapath.of(bench.model, op, (bench.x["x"],))
    assert np.count_nonzero(path.after(held)[1] != path.after(acc)[1]) in (1, 2)
    return bench, path.after(held)[1]


def test_the_largest_accumulator_alone(tmp_path):
    """One value of 1,536 differs, that of the largest accumulator: many a bug does that."""
    bench, got = few_that_wrap(tmp_path, lambda model, acc: acc)
    first = bench.finding(conv=got)[0]
    assert first.causes == (), names(first)
    assert ("accumulator_wraps",) in {c.names for c in first.consistent}
    assert "the accumulators of conv" in first.needed_evidence


def test_a_second_bug_needs_evidence_of_its_own(tmp_path):
    """A missing bias and one value more: the pair that fits has the evidence of that value."""
    bench, got = few_that_wrap(tmp_path, lambda model, acc: acc - model.ops[0]["bias"])
    assert np.count_nonzero(got != bench.tensors["conv"]) > 300
    first = bench.finding(pairs=True, conv=got)[0]
    assert first.causes == (), names(first)
    assert first.consistent and all("bias_missing" in c.names for c in first.consistent)
    assert all(c.score.evidence < 60 for c in first.consistent)
    bias = bench.model.ops[0]["bias"].astype(np.int64)
    path = Datapath.of(bench.model, bench.model.ops[0], (bench.x["x"],))
    both = path.after(wrapped(path.accumulators() - bias, 14))[1]  # of many, the pair is named
    assert "accumulator_wraps and bias_missing" in names(bench.finding(pairs=True, conv=both)[0])


def test_what_is_solved_states_its_freedom(benches):
    """Of an upset, one channel, a constant or another order: every solved variant has bits."""
    bench, rng, seen = benches[8], np.random.default_rng(8), set()
    for op in bench.model.ops:
        path = Datapath.of(bench.model, op, tuple(bench.tensors[n] for n in op.inputs))
        y = bench.tensors[op.output]
        one, constant, bit = y.copy(), np.full_like(y, 5), y.copy()
        one[..., -1] = 17
        bit[..., 0] ^= 4
        stuck_at = np.ascontiguousarray(y)
        if op.spec.accumulator:
            held = path.accumulators() | 1 << 9
            stuck_at = path.after(held)[1]
        table = y.copy()
        table[table == y.flat[0]] ^= 1
        for got in (thin.upset(y, rng), one, constant, bit, y[::-1], y[..., ::-1], stuck_at, table):
            got = np.ascontiguousarray(got)
            if np.array_equal(got, y):
                continue
            evidence = Evidence(path, {"output": y}, {"output": got})
            for hypothesis in (h for h in HYPOTHESES if h.solved):
                for variant in hypothesis.variants(evidence):
                    assert variant.bits is not None and variant.bits > 0, hypothesis.name
                    seen.add(hypothesis.name)
    assert len(seen) >= 8, seen


def test_noise_is_stated_as_briefly_as_it_can_be():
    """Uniform noise costs what its places and values are worth; a limit, a small step cost less."""
    rng = np.random.default_rng(9)
    y = rng.integers(-100, 101, (8, 10, 10, 4)).astype(np.int8)
    kind = ValueKind(8, (-128, 127))
    assert noise_bits(y, y, kind) == 0
    for share in (0.0, 0.01, 0.1, 0.5):
        got = thin.noise(y, share, rng)
        k = int(np.count_nonzero(got != y))
        worth = choose_bits(y.size, k) + k * np.log2(255)
        assert 0.85 * worth - 12 < noise_bits(y, got, kind) < worth + 40, share
    some = rng.random(y.shape) < 0.1
    costs = {
        name: noise_bits(y, np.where(some, values, y).astype(np.int8), kind)
        for name, values in {
            "random": np.roll(y, 1, 0), "one more": y + 1, "a bit": y ^ 16, "a limit": 0 * y + 127,
        }.items()
    }  # fmt: skip
    assert costs["a limit"] < costs["one more"] < costs["a bit"] < costs["random"]
    largest = y == y.max()
    ends = [
        noise_bits(y, np.where(largest, -7, y).astype(np.int8), ValueKind(8, key=k))
        for k in (y, None)
    ]
    assert ends[0] < ends[1] - 10  # that the largest are wrong is soon said
    whole = np.full_like(y, 127)
    assert noise_bits(y, whole, kind) < 30  # everything is saturated: it says nothing


def test_answers_are_worth_little():
    """Ten classes: a constant, runners-up of close rows and few classes cost less than random."""
    rng = np.random.default_rng(10)
    rows = rng.integers(-1000, 1000, (256, 10))
    top = indexed(np.argmax(rows, -1))
    kind = ValueKind(32, classes=10, rows=rows)
    random = noise_bits(top, thin.noise(top, 1, rng, 10), kind)
    assert 256 * 2.9 < random < 256 * np.log2(10) + 30
    close = np.argsort(np.diff(np.sort(rows)[:, -2:]).ravel())[:40]
    turned = top.copy()
    turned[close, 0] = np.argsort(rows)[close, -2]
    far = rng.permutation(256)[:40]
    other = top.copy()
    other[far, 0] = np.argsort(rows)[far, -2]
    turned, other = (noise_bits(top, got, kind) for got in (turned, other))
    assert turned < 80 < other < random
    assert noise_bits(top, 0 * top + 3, kind) < 20


def test_orders_by_a_rule_have_little_freedom():
    """Rotated, backwards, in blocks, interleaved; a swap costs its places, a permutation all."""
    rows = np.arange(64)[:, None]
    for rule in ([*range(5, 64), *range(5)], [*range(63, -1, -1)], [i ^ 4 for i in range(64)],
                 [j for i in range(8) for j in range(i, 64, 8)], [9] * 64):  # fmt: skip
        order, bits = solved_order(rows, rows[rule])
        assert order == rule and bits < 9
    swap = [1, 0, *range(2, 62), 63, 62]
    order, bits = solved_order(rows, rows[swap])
    assert order == swap and 30 < bits < 60
    shuffled = np.random.default_rng(0).permutation(64)
    order, bits = solved_order(rows, rows[shuffled])
    assert order == shuffled.tolist() and bits > 300
    assert solved_order(rows, rows) is None and solved_order(rows, rows + 1) is None
