"""Hypotheses that make the same values of an op are all listed: none is dropped in silence."""

import numpy as np
import pytest
from test_report import told

import intgold
import thin_evidence as thin
import tools
from intgold import Builder
from intgold.ops.fields import Requantize
from intgold.vectors.cases.stimulus import stimulus
from intgold.verify.diagnose import diagnosis
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.hypotheses import HYPOTHESES, Evidence
from intgold.verify.diagnose.search import bugs_of
from planting import single_causes

IMAGES = 2
FIXED = [h for h in HYPOTHESES if not h.solved]
OTHER_CONSTANTS = {"input_zero_point_other", "output_zero_point_other"}
BY_NAME = {h.name: h for h in HYPOTHESES}


def paths():
    """Every op of both shipped networks, and of the network of every kind, on two images."""
    found = {}
    for model in (intgold.load("lut"), intgold.load("pwl"), thin.network()):
        x = stimulus(model, "builtin", IMAGES, 0)
        tensors = {**x, **model.run(x, trace=True).tensors}
        for op in model.ops:
            path = Datapath.of(model, op, tuple(tensors[n] for n in op.inputs))
            found.setdefault((op.name, op.kind), path)
    return found


def sisters(path):
    """The same op with other zero points and ends of the clamp, where other hypotheses apply."""
    a = path.arguments
    yield path
    for zero, low in ((-20, -128), (13, 13), (0, 5), (-128, -128)):
        fields = {n: zero for n in path.op.spec.zero_points if n in a}
        if "act_min" in a:
            fields |= {"act_min": low, "act_max": 100}
        if "weight_zero_point" in a:
            fields["weight_zero_point"] = np.full_like(a["weight_zero_point"], 3)
        yield path.with_fields(**fields)


def evidence_of(path):
    """A device without a bug."""
    y = path.results()[1]
    return Evidence(path, {"output": y}, {"output": y})


def names_by_result(path, bugs):
    """The hypotheses by what the op produces with them."""
    found = {}
    for bug in bugs:
        y = np.ascontiguousarray(bug.variant.edit(path).results()[1])
        found.setdefault(y.tobytes(), {}).setdefault(bug.hypothesis.name, str(bug))
    return found


def dropped(table):
    """(op, hypothesis, what it also gives) of those that fit and do not apply; groups that fit."""
    found, groups = [], 0
    for (op, _), path in paths().items():
        right = path.results()[1].tobytes()
        own = names_by_result(path, bugs_of(evidence_of(path), table))
        elsewhere = [b for s in sisters(path) for b in bugs_of(evidence_of(s), table)]
        for y, names in names_by_result(path, elsewhere).items():
            if y == right or y not in own:
                continue
            groups += len(own[y]) > 1
            # Known errors of a zero point have names of their own; of others no number is left out.
            missing = set(names) - set(own[y]) - OTHER_CONSTANTS
            found += [(op, name, sorted(own[y].values())) for name in sorted(missing)]
    return found, groups


def test_no_hypothesis_that_fits_is_left_out():
    """What a hypothesis would make of an op, if it applied, no other one produces by itself.

    Each variant is planted in each op, also where the zero points or the clamp of the op exclude
    it: whatever another hypothesis makes as well, both must apply.
    """
    found, groups = dropped(FIXED)
    assert found == []
    assert groups > 30
    tools.said.append(f"{groups} results that several hypotheses make")


def test_the_search_for_what_is_left_out_finds_it():
    """A ReLU at 0 that is tried for ops only with a clamp of their own."""
    relu = BY_NAME["relu_at_0"]

    def variants(evidence):
        low = evidence.path.arguments.get("act_min", -128)
        return relu.variants(evidence) if low > -128 else ()

    narrow = type(relu)(relu.name, relu.explanation, relu.look_at, variants)
    table = [h for h in FIXED if h.name.startswith(("clamp", "maximum"))]
    assert dropped([*table, relu])[0] == []
    left_out = {(op, name) for op, name, _ in dropped([*table, narrow])[0]}
    assert ("conv1", "relu_at_0") in left_out


LOWER_ENDS = {
    "relu_extra": lambda path: path.model.tensor(path.op.output).zero_point,
    "relu_at_0": lambda path: 0,
    "clamp_symmetric": lambda path: -127,
}
"""What bugs make of results that are right, of whatever op: the smallest value left."""


def not_tried(table):
    """(op kind, hypothesis) of lower ends that an int8 op may have and that are not tried; tries.

    That an op's right results show no difference is no excuse: the stage before the end is given
    every value.
    """
    found, seen = [], set()
    for (_, kind), path in paths().items():
        for name, end in LOWER_ENDS.items():
            low = end(path)
            if path.dtype != np.int8 or path.arguments.get("act_min", -128) >= low:
                continue
            every = np.broadcast_to(np.arange(-128, 128)[:, None], (256, 1)) - path.y_zero_point
            wanted = np.maximum(path.output_stage(path, every), low)
            bugs = bugs_of(evidence_of(path), [h for h in table if h.name == name])
            made = [b.variant.edit(path) for b in bugs]
            if not any(np.array_equal(m.output_stage(m, every), wanted) for m in made):
                found.append((kind, name))
            seen.add((kind, name))
    return found, seen


def test_a_lower_end_is_tried_of_every_int8_op():
    """A ReLU that is extra, one at 0 and a symmetric clamp: after tables, pools and all others."""
    found, seen = not_tried(FIXED)
    assert found == []
    kinds = {kind for kind, _ in seen}
    assert {"lut", "max_pool2d", "pwl", "avg_pool2d", "add", "conv2d", "global_avg_pool"} <= kinds
    assert {("lut", "clamp_symmetric"), ("max_pool2d", "relu_extra")} <= seen
    missing = not_tried([h for h in FIXED if h.name != "relu_extra"])[0]
    assert missing and {name for _, name in missing} == {"relu_extra"}


@pytest.mark.parametrize(
    ("op", "low", "names"),
    [
        ("pool2", -123, {"relu_extra"}),
        ("gelu3", -127, {"clamp_symmetric", "relu_extra"}),  # its zero point is -127
        ("selu2", 0, {"relu_at_0"}),
        ("pool2", -127, {"clamp_symmetric"}),
    ],
)
def test_a_lower_end_after_a_table_or_a_pool(op, low, names, tmp_path):
    """Of the shipped network, the op dumped by itself or with all after it: named, of this op."""
    bench = shipped(tmp_path)
    got = np.maximum(bench.tensors[op], low).astype(np.int8)
    first = bench.finding(**{op: got})[0]
    assert {(op, name) for name in names} <= {(c.op.name, *c.names) for c in first.causes}
    before = [o.output for o in bench.model.ops]
    before = {n: bench.tensors[n] for n in before[: before.index(op)]}
    first = bench.finding(**bench.all_from(op, got) | before)[0]
    assert first.op == op and {name for c in first.causes for name in c.names} >= names


def shipped(folder, count=2):
    """The shipped network as a bench."""
    return thin.Bench(folder, count, intgold.load("lut"))


def requantized(bench, op, zero_point, low=-128):
    """Results of the shipped rounding with another zero point and clamp."""
    acc = bench.accumulators[op].astype(np.int64)
    by = next(o for o in bench.model.ops if o.name == op)["requantize"]
    t = by.right_shift.astype(np.int64)
    scaled = (acc * by.multiplier + (1 << (t - 1))) >> t
    return np.clip(scaled + zero_point, low, 127).astype(np.int8)


def test_a_relu_at_0_of_the_shipped_network(tmp_path, capsys):
    """conv1 never exceeds 127, so a clamp to 0..255 does the same: both, and why none can tell."""
    bench = shipped(tmp_path)
    assert np.array_equal(requantized(bench, "conv1", -128), bench.tensors["conv1"])
    text, document, page = told(bench, capsys, conv1=requantized(bench, "conv1", -128, 0))
    names = {tuple(c["names"]) for c in document["ops"][0]["causes"]}
    assert names == {("clamp_unsigned",), ("relu_at_0",)}
    assert "2 of those tried fit and this set cannot distinguish them" in text
    assert "they give the same for every accumulator that this op can have" in text
    assert "give the same for every accumulator" in page
    (apart,) = document["ops"][0]["told_apart_by"]
    assert apart["same"] and apart["image"] is None and apart["accumulator"] is None
    assert ", the first of 2 causes that fit\n" in text


@pytest.mark.parametrize("error", [-1, 1, 2, -17, 40])
def test_another_output_zero_point(error, tmp_path):
    """Of every op that adds one: named, with the constant."""
    bench = thin.Bench(tmp_path, 4)
    seen = 0
    for op in bench.model.ops:
        path = Datapath.of(bench.model, op, tuple(bench.tensors[n] for n in op.inputs))
        zero = path.y_zero_point
        if not (path.requantizes or op.fields.get("form") == "centred_away"):
            continue
        if error in (-zero, zero, -2 * zero):  # missing, twice, subtracted
            continue
        got = path.with_fields(y_zero_point=zero + error).results()[1]
        causes = single_causes(path_evidence(path, got))
        label = f"{zero + error} instead of {zero}"
        assert any(f"output_zero_point_other ({label})" == str(c) for c in causes), (op.name, error)
        seen += 1
    assert seen >= 2


@pytest.mark.parametrize("error", [-1, 1, 23])
def test_another_input_zero_point(error, tmp_path):
    """Of every op with weights: named by its accumulators, with the constant; 1 by outputs too."""
    bench, seen = thin.Bench(tmp_path, 4), 0
    for op in bench.model.ops:
        path = Datapath.of(bench.model, op, tuple(bench.tensors[n] for n in op.inputs))
        zero = path.arguments.get("x_zero_point")
        if "weights" not in path.arguments or zero + error in (0, -zero):
            continue
        held, y = path.with_fields(x_zero_point=zero + error).results()
        wanted = dict(zip(("accumulator", "output"), path.results(), strict=True))
        cause = f"input_zero_point_other ({zero + error} instead of {zero}"
        both = Evidence(path, wanted, {"accumulator": held, "output": y})
        assert any(str(c).startswith(cause) for c in single_causes(both)), op.name
        if abs(error) == 1:
            causes = single_causes(path_evidence(path, y))
            assert any(str(c).startswith(cause) for c in causes), op.name
        seen += 1
    assert seen >= 2


def path_evidence(path, got):
    """A device that dumped its output alone."""
    return Evidence(path, {"output": path.results()[1]}, {"output": got})


@pytest.mark.parametrize(
    ("conv", "lut", "error"),
    [("conv2", "selu2", -1), ("conv2", "selu2", 1), ("conv3", "gelu3", -1), ("conv3", "gelu3", 2)],
)
def test_a_zero_point_of_a_conv_that_was_not_dumped(conv, lut, error, tmp_path, capsys):
    """The table after it may be read one entry beside as well: both, and which dump would tell."""
    bench = shipped(tmp_path)
    zero = {"conv2": 13, "conv3": 22}[conv]
    assert np.array_equal(requantized(bench, conv, zero), bench.tensors[conv])
    table = next(o for o in bench.model.ops if o.name == lut)["table"]
    y = table[requantized(bench, conv, zero + error).astype(int) + 128]
    names = [o.name for o in bench.model.ops]
    before = {name: bench.tensors[name] for name in names[: names.index(conv)]}
    text, document, page = told(bench, capsys, **before, **{lut: y})
    found = {(c["op"], *c["names"]) for c in document["ops"][0]["causes"]}
    one_beside = {(lut, "table_index_off_by_one")} if abs(error) == 1 else set()
    assert {(conv, "output_zero_point_other"), *one_beside} <= found
    assert f"output_zero_point_other ({zero + error} instead of {zero})" in text
    tells = "show which op it is" if one_beside else "confirm it"
    assert f"a dump of {conv} would {tells}" in text.lower() and f"{conv} would {tells}" in page
    wrong = requantized(bench, conv, zero + error)
    text, document, _ = told(bench, capsys, **before, **{conv: wrong})
    (cause,) = document["ops"][0]["causes"]
    assert cause["names"] == ["output_zero_point_other"] and "would confirm" not in text


def test_a_cause_in_what_was_not_dumped_says_which_dump_confirms_it(tmp_path):
    """Of each op of every kind that is wrong and not dumped, whatever causes are named."""
    bench, seen = thin.Bench(tmp_path, 4), 0
    for op, after in zip(bench.model.ops[:-1], bench.model.ops[1:], strict=True):
        path = Datapath.of(bench.model, op, tuple(bench.tensors[n] for n in op.inputs))
        for bug in list(bugs_of(evidence_of(path), FIXED))[::29]:
            y = np.ascontiguousarray(bug.variant.edit(path).results()[1])
            arrays = bench.all_from(op.output, y)
            if np.array_equal(y, bench.tensors[op.output]) or op.output not in after.inputs:
                continue
            del arrays[op.output]
            (first, *_) = bench.finding(**arrays) or [None]
            if first is None:
                continue
            blamed = {c.op.name for c in first.fitting} - {first.op}
            remarks = " ".join(diagnosis_remarks(first))
            for name in blamed:
                assert name in remarks and "would" in remarks, (op.name, str(bug), remarks)
            seen += bool(blamed)
    assert seen >= 8


def diagnosis_remarks(finding):
    """What the report adds to the causes."""
    from intgold.verify.report.explanation import remarks

    return [remark.text for remark in remarks(finding)]


def convolution(zero_point):
    """A conv2d that reads this zero point, which is padded too."""
    rng = np.random.default_rng(3)
    builder = Builder("narrow")
    x = builder.input("x", (10, 10, 3), zero_point=zero_point)
    builder.op(
        "conv2d", x, name="conv", zero_point=4, padding=1, bias=rng.integers(-900, 900, 6),
        weights=rng.integers(-90, 90, (6, 3, 3, 3)), requantize=Requantize.of(2**30, 38),
    )  # fmt: skip
    return builder.model()


@pytest.mark.parametrize("zero_point", [-128, -20, 7])
def test_a_difference_of_8_bits(zero_point, tmp_path):
    """x - zero_point that wraps: at -128 it is what unsigned inputs make; elsewhere not."""
    bench = thin.Bench(tmp_path, 4, convolution(zero_point))
    (op,) = bench.model.ops
    x = bench.x["x"].astype(np.int64) - zero_point
    narrow = ((x + 128) & 255) - 128
    path = Datapath.of(bench.model, op, (narrow.astype(np.int8),)).with_fields(x_zero_point=0)
    first = bench.finding(conv=path.results()[1])[0]
    wanted = {("input_difference_narrow",)}
    if zero_point == -128:
        wanted |= {("input_unsigned",)}
    assert {c.names for c in first.causes} == wanted


@pytest.mark.parametrize("by", [-1, 1])
def test_the_shift_of_one_channel(by, tmp_path):
    """One entry of the shift table: named, with its channel."""
    bench = shipped(tmp_path)
    op = next(o for o in bench.model.ops if o.name == "conv2")
    path = Datapath.of(bench.model, op, tuple(bench.tensors[n] for n in op.inputs))
    requantize = op["requantize"]
    shifts = requantize.right_shift.astype(np.int64)
    shifts[5] += by
    got = path.with_fields(requantize=diagnosis_entries(requantize, shifts)).results()[1]
    first = bench.finding(conv2=got)[0]
    word = "more" if by > 0 else "less"
    assert f"right_shift_of_one_channel (channel 5, one {word})" in map(str, first.causes)
    assert set(np.flatnonzero((got != bench.tensors["conv2"]).any(axis=(0, 1, 2)))) == {5}


def diagnosis_entries(requantize, shifts):
    """The requantize with other shifts."""
    from intgold.verify.diagnose.datapath import replace_entries

    return replace_entries(requantize, right_shift=shifts)


def test_nothing_says_padding_where_there_is_none():
    """No op without padding has a cause that speaks of it."""
    assert diagnosis.HYPOTHESES is HYPOTHESES
    labels = 0
    for path in paths().values():
        if not any(path.arguments.get("padding", ())):
            for bug in bugs_of(evidence_of(path), FIXED):
                assert "padding" not in bug.variant.label, (path.op.name, str(bug))
                labels += 1
    assert labels > 100
