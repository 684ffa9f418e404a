"""Causes that make the same values and are about as simple are named together, or none is."""

import re
from itertools import islice

import numpy as np
import pytest
from test_report import told

import intgold
import thin_evidence as thin
import tools
from intgold import Builder
from intgold.ops.fields import Requantize
from intgold.verify.diagnose.noise import ValueKind, noise_bits
from intgold.verify.diagnose.score import MARGIN

CONSTANTS = (-128, 127, 0)


def random_network(seed):
    """Two convolutions of few channels."""
    rng = np.random.default_rng(seed)
    b, channels = Builder("random"), int(rng.integers(2, 7))
    y = b.input("x", (4, 4, 2), zero_point=int(rng.integers(-20, 20)))
    for name, inputs in (("a", 2), ("b", channels)):
        y = b.op(
            "conv2d", y, name=name, zero_point=int(rng.integers(-60, 60)), padding=1,
            weights=rng.integers(-60, 61, (channels, 3, 3, inputs)),
            bias=rng.integers(-3000, 3000, channels), requantize=Requantize.of(2**30, 38),
        )  # fmt: skip
    return b.model()


def benches(folder, seeds):
    """The shipped network, that of every kind, and random ones; on one, two and four images."""
    for count in (1, 2):
        yield thin.Bench(folder / f"lut{count}", count, intgold.load("lut"))
        yield thin.Bench(folder / f"thin{count}", count)
    for seed in range(seeds):
        yield thin.Bench(folder / f"random{seed}", (1, 2, 4)[seed % 3], random_network(seed))


def constants(bench, most):
    """(op, results with a channel, or all of it, at a constant) of every int8 op."""
    for op in bench.model.ops:
        y = bench.tensors[op.output]
        for channel in (*range(y.shape[-1])[:: max(1, y.shape[-1] // most)], slice(None)):
            for value in CONSTANTS if y.dtype == np.int8 else ():
                got = y.copy()
                got[..., channel] = value
                if not np.array_equal(got, y):
                    yield op.name, got


def unfair(finding):
    """The causes in no doubt that are not named, and within the margin of one that is."""
    if not finding.causes:
        return []
    simplest = min(c.score.freedom for c in finding.causes)
    return [
        str(c)
        for c in finding.consistent
        if not c.score.doubt and c.score.freedom < simplest + MARGIN
    ]


def test_no_cause_is_named_while_another_as_simple_is_not(tmp_path, full):
    """Channels at a constant, only the op dumped: several are named, or none; the lane is one."""
    seen = shared = 0
    for bench in benches(tmp_path, 30 if full else 3):
        for op, got in islice(constants(bench, 8 if full else 1), 0, None, 1 if full else 7):
            first = bench.finding(**{op: got})[0]
            assert unfair(first) == [], (op, first.names)
            fitting, named = ({n for c in cs for n in c.names}
                              for cs in (first.fitting, first.causes))  # fmt: skip
            assert fitting & {"lane_stuck", "nothing_computed"}, (op, fitting)
            shared += len(named) > 1 and bool(named & {"lane_stuck", "nothing_computed"})
            seen += 1
    assert seen >= (200 if full else 20) and shared >= (20 if full else 2)
    tools.said.append(f"channels at a constant: {seen} dumps, {shared} with several named causes")


def test_a_channel_at_the_smallest_value_has_two_causes(tmp_path, capsys):
    """conv3 of the shipped network: a flipped bit of a bias, or a stuck lane; in every report."""
    bench = thin.Bench(tmp_path, 2, intgold.load("lut"))
    got = bench.tensors["conv3"].copy()
    got[..., 0] = -128
    text, document, page = told(bench, capsys, conv3=got)
    names = [c["names"] for c in document["ops"][0]["causes"]]
    assert names == [["bias_bit_flipped"], ["lane_stuck"]]
    assert document["ops"][0]["consistent"] == []
    for verification_report in (text, page):
        assert (
            "ause: 2 of those tried fit and this set cannot distinguish them" in verification_report
        )
        assert "consistent too" not in verification_report.lower()


def test_the_headline_counts_all_that_fit(tmp_path, capsys):
    """Named or not, each cause that is numbered is counted; the rest is less simple or in doubt."""
    bench, kinds = thin.Bench(tmp_path, 4, random_network(2)), set()
    y = bench.tensors["a"]
    for channel in range(y.shape[-1]):
        for got in (y ^ np.int8(1 << channel % 8), np.full_like(y, 127), np.maximum(y, 0),
                    np.where(np.arange(y.shape[-1]) == channel, 127, y).astype(np.int8),
                    np.where(np.arange(y.shape[-1]) == channel, 5, y).astype(np.int8)):  # fmt: skip
            text, document, page = told(bench, capsys, a=np.ascontiguousarray(got))
            op = document["ops"][0]
            named, rest = len(op["causes"]), len(op["consistent"])
            for verification_report in (text, page) if named else ():
                head = re.search(r"[Cc]ause: (\w+) of those tried fits?", verification_report)
                assert head and head[1] == ("one" if named + rest == 1 else str(named + rest))
                assert ("likelier than the rest" in verification_report) == (rest > 0)
                assert ("onsistent too, but " in verification_report) == (rest > 0)
            kinds.add((min(named, 2), min(rest, 1)))
    assert {(1, 0), (2, 0)} <= kinds


@pytest.mark.parametrize("value", [0, 9])
def test_a_constant_is_stated_once(value):
    """Results of which 40 become one constant: its bits and their places, however many they are."""
    rng = np.random.default_rng(value)
    y = rng.integers(20, 101, (4, 6, 6, 4)).astype(np.int8)
    some = rng.random(y.shape) < 0.1
    kind = ValueKind(8, (-128, 127))
    once = noise_bits(y, np.where(some, np.int8(value), y), kind)
    each = noise_bits(y, np.where(some, rng.integers(-100, 0, y.shape), y).astype(np.int8), kind)
    places = noise_bits(y, np.where(some, np.int8(127), y), kind)
    assert abs(once - places) < 16 < each - once
