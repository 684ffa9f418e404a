"""The report of a dump: text, JSON and page say what was planted; nothing leaves the page."""

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import intgold
import planted_bugs
import thin_evidence as thin
import tools
from compilers import LIBRARY, source
from intgold.cli import main
from intgold.vectors.cases.stimulus import stimulus
from intgold.vectors.sets.generate import write_set
from intgold.verify.comparison import compare_dump
from intgold.verify.diagnose.datapath import Datapath
from intgold.verify.diagnose.diagnosis import diagnose
from intgold.verify.diagnose.hypotheses import Evidence
from intgold.verify.diagnose.search import bugs_of
from intgold.verify.dump import Dump

COUNT = 12


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "set"
    write_set(intgold.load(), folder, count=COUNT, formats=["npy"], backend="c")
    return folder


def device(folder, bugs, accumulators=True, without=()):
    """Dump what a device produces whose ops have these bugs, given as (op, hypothesis, label)."""
    model = intgold.load()
    live = dict(stimulus(model, "builtin", COUNT, 0))
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "outputs").mkdir(parents=True)
    (folder / "accumulators").mkdir()
    for op in model.ops:
        path = Datapath.of(model, op, tuple(live[n] for n in op.inputs))
        y = path.results()[1]
        for _, name, label in (bug for bug in bugs if bug[0] == op.name):
            (edit,) = [
                b.variant.edit for b in bugs_of(Evidence(path, {"output": y}, {"output": y}))
                if (b.hypothesis.name, b.variant.label) == (name, label)
            ]  # fmt: skip
            path = edit(path)
        acc, y = path.results()
        live[op.output] = np.ascontiguousarray(y)
        if op.name not in without:
            np.save(folder / "outputs" / f"{op.output}.npy", live[op.output])
            if accumulators and op.spec.accumulator:
                np.save(folder / "accumulators" / f"{op.output}.npy", acc)
    return folder


def found(vectors, folder):
    dump = Dump(vectors, folder, partial=True)
    return diagnose(dump, compare_dump(dump))


def test_two_ops_with_a_bug_each(vectors, tmp_path):
    """The second is diagnosed on the device's own inputs; what follows is reported to follow."""
    bugs = [("conv2", "bias_missing", ""), ("gap", "rounds_single_down", "")]
    first, *others = found(vectors, device(tmp_path / "d", bugs))
    assert (first.op, first.names, first.inputs) == ("conv2", [("bias_missing",)], "golden")
    assert first.images == COUNT
    told = {f.op: f for f in others}
    assert told["gap"].names == [("rounds_single_down",)] and told["gap"].inputs == "device"
    assert {n for n, f in told.items() if f.propagates} == {
        "selu2",
        "pool2",
        "conv3",
        "gelu3",
        "fc",
    }


def test_an_op_that_was_not_dumped(vectors, tmp_path):
    """The cause is found through the ops after it."""
    folder = device(tmp_path / "d", [("conv2", "kernel_transposed", "")], False, ("conv2", "selu2"))
    first = found(vectors, folder)[0]
    assert (first.op, first.names) == ("pool2", [("kernel_transposed",)])
    assert {c.op.name for c in first.causes} == {"conv2"}


def luts(folder, tables, reads, count=20, without=(), table=None):
    """A set of luts A, B, ... and the dump of a device with these tables; reads: op -> tensor."""
    rng = np.random.default_rng(5)
    if table is None:
        table = rng.permutation(256).astype(np.uint8).view(np.int8)
    tensors = [intgold.Tensor(name, (4, 2, 4)) for name in ("x", *reads)]
    ops = [intgold.Op("lut", n.upper(), (r,), n, {"table": table}) for n, r in reads.items()]
    model = intgold.Model("luts", tensors, ops, ["x"], list(reads))
    x = {"x": rng.integers(-128, 128, (count, 4, 2, 4), np.int8)}
    write_set(model, folder / "set", source=x, formats=["npy"])
    (folder / "dut" / "outputs").mkdir(parents=True)
    live = dict(x)
    for name, read in reads.items():
        live[name] = tables.get(name, table)[live[read].astype(int) + 128]
        if name not in without:
            np.save(folder / "dut" / "outputs" / f"{name}.npy", live[name])
    return folder / "set", folder / "dut", np.roll(table, 1)


def test_right_on_the_first_images_and_wrong_later(tmp_path):
    """An op follows from its inputs only if it does on every image."""
    vectors, dut, _ = luts(tmp_path, {}, {"a": "x", "b": "a"})
    a, b = (np.load(dut / "outputs" / f"{n}.npy") for n in "ab")
    a[0, 0, 0, 0] ^= 1
    table = intgold.load(vectors / "model.npz").ops[1]["table"]
    b[0] = table[a[0].astype(int) + 128]
    b[15] = 7
    np.save(dut / "outputs" / "a.npy", a), np.save(dut / "outputs" / "b.npy", b)
    told = {f.op: f for f in found(vectors, dut)}
    assert not told["B"].propagates and told["B"].causes == ()
    b[15] = table[a[15].astype(int) + 128]
    np.save(dut / "outputs" / "b.npy", b)
    assert {f.op: f for f in found(vectors, dut)}["B"].propagates


def test_behind_an_op_that_was_not_dumped_the_wrong_input_counts(tmp_path):
    """A is wrong; B, not dumped, and C do right what they do."""
    reads = {"a": "x", "b": "a", "c": "b"}
    _, _, wrong = luts(tmp_path / "0", {}, reads)
    vectors, dut, _ = luts(tmp_path / "1", {"a": wrong}, reads, without=("b",))
    first, last = found(vectors, dut)
    assert first.op == "A" and ("table_index_off_by_one",) in first.names
    assert last.op == "C" and last.propagates


def test_a_cause_must_explain_all_that_was_dumped_behind_it(tmp_path):
    """B was not dumped: what is right in C, which reads it too, clears it of what D made."""
    reads = {"b": "x", "c": "b", "d": "b"}
    _, _, wrong = luts(tmp_path / "0", {}, reads)
    table = intgold.load(tmp_path / "0" / "set" / "model.npz").ops[0]["table"]
    # What D makes is what it would make of a B with a wrong index.
    turned = table[wrong.astype(int) + 128]
    back = np.empty(256, np.int8)
    back[table.astype(int) + 128] = turned
    vectors, dut, _ = luts(tmp_path / "1", {"d": back}, reads, without=("b",))
    (only,) = found(vectors, dut)
    assert only.op == "D" and "B" not in {c.op.name for c in only.causes}
    vectors, dut, _ = luts(tmp_path / "2", {"b": wrong}, reads, without=("b",))
    first = found(vectors, dut)[0]
    fitting = {c.op.name for c in first.causes if c.names == ("table_index_off_by_one",)}
    assert fitting == {"B"}


def test_every_op_that_was_not_dumped_may_be_the_cause(tmp_path, capsys):
    """Three tables that change nothing, only the last dumped: any of them may lie backwards."""
    reads, same = {"a": "x", "b": "a", "c": "b"}, np.arange(-128, 128).astype(np.int8)
    vectors, dut, _ = luts(
        tmp_path, {"c": same[::-1]}, reads, without=("a", "b"), table=same
    )  # fmt: skip
    (only,) = found(vectors, dut)
    assert {c.op.name for c in only.causes if c.names == ("table_backwards",)} == {"A", "B", "C"}
    assert main(["verify", str(vectors), "--dut", str(dut), "--partial"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"^  \d\. table_backwards$", told, re.M)
    assert re.search(r"^  \d\. in A, which was not dumped: table_backwards$", told, re.M)
    assert "a dump of B, A would show which op it is" in told
    assert "assumed correct" not in told  # none of them is


def test_an_op_behind_one_that_was_not_dumped_is_not_blamed(tmp_path, capsys):
    """B, not dumped, is wrong; C and D, which read it, share the cause, or are not sure to err."""
    reads = {"b": "x", "c": "b", "d": "b"}
    _, _, wrong = luts(tmp_path / "0", {}, reads)
    vectors, dut, _ = luts(tmp_path / "1", {"b": wrong}, reads, without=("b",))
    assert main(["verify", str(vectors), "--dut", str(dut), "--partial"]) == 1
    told = capsys.readouterr().out
    assert "wrong by itself:" not in told
    assert "the same cause makes D (lut) wrong as C" in told
    page = tmp_path / "page.html"
    arguments = ["verify", str(vectors), "--dut", str(dut), "--partial"]
    assert main([*arguments, "--html", str(page)]) == 1
    assert_page_says(capsys.readouterr().out, page.read_text())
    same = "<details><summary>The same cause makes D (lut) wrong as C.</summary>"
    _, there, unfolded = page.read_text().partition(same)
    assert there and "eproduces every value of D on" in unfolded.partition("</details>")[0]
    assert "reproduces every value of D" not in told
    noise = np.random.default_rng(9).integers(-128, 128, 256, np.int8)
    vectors, dut, _ = luts(tmp_path / "2", {"b": noise}, reads, without=("b",))
    assert main(["verify", str(vectors), "--dut", str(dut), "--partial"]) == 1
    assert "wrong by itself, or by B, not dumped: D (lut)" in capsys.readouterr().out


def test_inputs_are_compared_on_every_image(tmp_path):
    """A is wrong on an image that the search does not look at."""
    vectors, dut, _ = luts(tmp_path, {}, {"a": "x", "b": "a"}, count=12)
    table = intgold.load(vectors / "model.npz").ops[1]["table"]
    a = np.load(dut / "outputs" / "a.npy")
    a[10] = 3
    np.save(dut / "outputs" / "a.npy", a)
    np.save(dut / "outputs" / "b.npy", table[a.astype(int) + 128])
    told = {f.op: f for f in found(vectors, dut)}
    assert told["B"].propagates and told["B"].inputs == "device"


def test_a_later_op_has_its_name_where_partials_differ_first(tmp_path, capsys):
    """The first difference is a partial; the cause that follows is of another op, and says so."""
    write_set(intgold.load(), tmp_path / "set", count=2, formats=["npy"], ops=["conv2", "pool2"],
              partials="ky")  # fmt: skip
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    for file in ("partials/conv2", "outputs/pool2"):
        y = np.load(tmp_path / "dut" / f"{file}.npy")
        y.flat[7] += 1
        y.flat[900] ^= 5
        np.save(tmp_path / "dut" / f"{file}.npy", y)
    page = tmp_path / "r.html"
    arguments = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut"), "--partial"]
    assert main([*arguments, "--html", str(page)]) == 1
    told = capsys.readouterr().out
    assert "cause: not sought: of conv2, only partial accumulators differ" in told
    assert "pool2 (max_pool2d)\n  cause: none known fits" in told
    assert "of conv2, only partial accumulators differ" in page.read_text()


def test_a_folder_that_cannot_be_read_is_named(vectors, tmp_path, capsys):
    """A dangling link is no empty folder."""
    folder = device(tmp_path / "d", [])
    shutil.rmtree(folder / "outputs")
    (folder / "outputs").symlink_to("nowhere")
    assert main(["verify", str(vectors), "--dut", str(folder), "--partial"]) == 2
    assert f"{folder / 'outputs'}: no readable folder" in capsys.readouterr().err


def test_what_mixes_images_is_held_against_all(tmp_path):
    """A constant or an order of the first images is no cause where the others deny it."""
    vectors, dut, _ = luts(tmp_path, {}, {"a": "x"})
    right = np.load(dut / "outputs" / "a.npy")
    noise = np.random.default_rng(1).integers(-128, 128, right.shape, np.int8)
    constant, swapped = noise.copy(), noise.copy()
    constant[:12] = 7
    swapped[:12] = right[[0, 2, 1, *range(3, 12)]]
    for y in (constant, swapped):
        np.save(dut / "outputs" / "a.npy", y)
        (first,) = found(vectors, dut)
        assert first.causes == ()
    for order, name in (
        ([0, 2, 1, *range(3, 20)], "images_in_other_order"),
        ([*range(19, -1, -1)], "images_in_other_order"),
        ([5] * 20, "images_in_other_order"),
        ([0] * 20, "result_of_first_image"),
        ([0, *range(19)], "result_of_image_before"),
    ):
        np.save(dut / "outputs" / "a.npy", right[order])
        (first,) = found(vectors, dut)
        assert (name,) in first.names and first.images == 20, (name, first.names)


@pytest.mark.parametrize("accumulators", [True, False])
@pytest.mark.parametrize("name", ["lane_stuck", "channels_in_other_order", "bit_of_lane_stuck"])
def test_outputs_broken_behind_right_accumulators(name, accumulators, vectors, tmp_path):
    """What is solved from the output is found whether accumulators were dumped or not."""
    folder = device(tmp_path / "d", [], accumulators)
    y = np.load(folder / "outputs" / "conv2.npy")
    if name == "lane_stuck":
        y[..., 2] = 17
    elif name == "bit_of_lane_stuck":
        y[..., 3] |= 4
    else:
        y = np.ascontiguousarray(y[..., [1, 0, 3, 2, 4, 5, 7, 6, *range(8, 16)]])
    np.save(folder / "outputs" / "conv2.npy", y)
    for tensor in ("selu2", "pool2", "conv3", "gelu3", "gap", "logits"):
        for role in ("outputs", "accumulators"):
            (folder / role / f"{tensor}.npy").unlink(missing_ok=True)
    (first,) = found(vectors, folder)
    assert (name,) in first.names, first.names
    if name == "channels_in_other_order":
        (cause,) = [c for c in first.causes if c.names == (name,)]
        assert str(cause) == (
            f"{name} (0 holds 1, 1 holds 0, 2 holds 3, 3 holds 2, 6 holds 7, 7 holds 6)"
        )


@pytest.mark.parametrize("seed", range(12))
def test_an_order_names_what_moved_alone(seed, tmp_path, capsys):
    """Channels that hold others, and no more: in text, page and JSON."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(2, 40))
    order = np.arange(channels)
    some = rng.choice(channels, min(channels, int(rng.integers(2, 6))), replace=False)
    order[some] = np.roll(some, 1)
    builder = intgold.Builder("m")
    x = builder.input("x", (1, 1, channels))
    builder.op("lut", x, name="o", table=rng.permutation(256) - 128)
    write_set(builder.model(), tmp_path / "set", count=16, formats=["npy"])
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    y = np.load(tmp_path / "set/outputs/o.npy")
    np.save(tmp_path / "dut/outputs/o.npy", np.ascontiguousarray(y[..., order]))
    moved = ", ".join(f"{i} holds {n}" for i, n in enumerate(order.tolist()) if i != n)
    arguments = ["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut")]
    page = tmp_path / "page.html"
    assert main([*arguments, "--html", str(page)]) == 1
    told = capsys.readouterr().out
    lane = "lane_order" in told  # of two channels, and the like: the simpler name
    wanted = f"channels_in_other_order ({moved})"
    assert lane or (wanted in told and f"channels_in_other_order</b> ({moved})" in page.read_text())
    assert main([*arguments, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["ops"][0]
    variants = [v for c in [*found["causes"], *found["consistent"]] for v in c["variants"]]
    assert lane or wanted in variants


@pytest.mark.parametrize("signs", ["negative", "positive", "mixed"])
@pytest.mark.parametrize("role", ["output", "accumulator"])
def test_offset_binary_of_int32(signs, role, tmp_path, capsys):
    """Logits, or accumulators, with their most significant bit inverted: the encoding, first."""
    rng = np.random.default_rng(1)
    builder = intgold.Builder("m")
    x = builder.input("x", (6,))
    bias = {"negative": -(10**6), "positive": 10**6, "mixed": 0}[signs]
    by = None if role == "output" else intgold.Requantize.of([2**30] * 5, [40] * 5)
    builder.op("fully_connected", x, name="o", weights=rng.integers(-99, 99, (5, 6)),
               bias=[bias] * 5, requantize=by)  # fmt: skip
    write_set(builder.model(), tmp_path / "set", count=16, formats=["npy"])
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    for path in (tmp_path / "dut").glob("*s/o.npy"):
        y = np.load(path)
        assert y.dtype == np.int8 or signs == "mixed" or (y < 0).all() == (signs == "negative")
        if y.dtype == np.int32:
            np.save(path, y ^ np.int32(-(2**31)))
    assert main(["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut")]) == 1
    told = capsys.readouterr().out
    label = "" if role == "output" else r" \(accumulators\)"
    assert re.search(rf"^  1\. output_in_other_encoding{label}$", told, re.M), told
    assert signs != "mixed" or "bit_stuck" not in told


HIDDEN = [
    ("conv2", "bias_missing", ("conv2", "selu2"), "pool2"),
    ("selu2", "table_index_off_by_one", ("selu2",), "pool2"),
    ("conv2", "bias_missing", ("conv2",), "selu2"),
]


@pytest.mark.parametrize(("at", "name", "without", "seen"), HIDDEN)
def test_a_cause_in_an_op_that_was_not_dumped_says_what_would_confirm_it(
    at, name, without, seen, vectors, tmp_path, capsys
):
    """Its outputs and those of what follows it, in text, page and JSON; where dumped, nothing."""
    labels = {b.variant.label for b in bugs_at(at) if b.hypothesis.name == name}
    bug = (at, name, min(labels))
    folder = device(tmp_path / "d", [bug], accumulators=False, without=without)
    page = tmp_path / "page.html"
    arguments = ["verify", str(vectors), "--dut", str(folder), "--partial"]
    assert main([*arguments, "--html", str(page)]) == 1
    told = capsys.readouterr().out
    assert f"in {at}, which was not dumped: {name}" in told
    ops = ", ".join(reversed(without))
    hint = rf"a dump of {ops} would (confirm it|tell which op it is)"
    assert re.search(hint, told) and re.search(hint, page.read_text())
    assert main([*arguments, "--json"]) == 1
    first = json.loads(capsys.readouterr().out)["ops"][0]
    assert first["op"] == seen and first["would_confirm"] == list(reversed(without))
    shutil.rmtree(folder)
    device(folder, [bug], accumulators=False)
    assert main(arguments) == 1
    assert "would confirm it" not in capsys.readouterr().out


def bugs_at(name):
    model = intgold.load()
    live = stimulus(model, "builtin", 2, 0)
    tensors = {**live, **model.run(live, trace=True).tensors}
    op = next(o for o in model.ops if o.name == name)
    path = Datapath.of(model, op, tuple(tensors[n] for n in op.inputs))
    y = path.results()[1]
    return list(bugs_of(Evidence(path, {"output": y}, {"output": y})))


def test_partials_alone(tmp_path, capsys):
    """They take no part in the search, and the report says so."""
    write_set(intgold.load(), tmp_path / "set", count=2, formats=["npy"], ops=["conv1"],
              partials="ky")  # fmt: skip
    shutil.copytree(tmp_path / "set", tmp_path / "dut")
    y = np.load(tmp_path / "dut" / "partials" / "conv1.npy")
    y[1, 0, 3, 3, 3] += 1
    np.save(tmp_path / "dut" / "partials" / "conv1.npy", y)
    assert main(["verify", str(tmp_path / "set"), "--dut", str(tmp_path / "dut")]) == 1
    assert (
        "cause: not sought: of conv1, only partial accumulators differ" in capsys.readouterr().out
    )


def test_a_bug_of_one_image_alone(vectors, tmp_path):
    """What fits on eight images and not on the others is no cause."""
    folder = device(tmp_path / "d", [("conv3", "bias_missing", "")])
    right = np.load(vectors / "outputs" / "conv3.npy")
    wrong = np.load(folder / "outputs" / "conv3.npy")
    wrong[-1] = right[-1]
    np.save(folder / "outputs" / "conv3.npy", wrong)
    for name in ("gelu3", "gap", "logits"):
        (folder / "outputs" / f"{name}.npy").unlink()
    shutil.rmtree(folder / "accumulators")
    (first,) = found(vectors, folder)
    assert first.op == "conv3" and first.causes == ()


def test_what_comes_close(vectors, tmp_path):
    """Where nothing fits, what explains most is reported."""
    folder = device(tmp_path / "d", [("conv2", "bias_missing", "")], False)
    y = np.load(folder / "outputs" / "conv2.npy")
    rng = np.random.default_rng(0)
    at = tuple(rng.integers(0, n, 50) for n in y.shape)
    y[at] ^= rng.integers(1, 128, 50, np.int8)
    np.save(folder / "outputs" / "conv2.npy", y)
    first = found(vectors, folder)[0]
    assert first.causes == () and first.pairs > 1000
    assert first.close_matches[0][0] == "bias_missing" and first.close_matches[0][1] <= 50


def test_the_command(vectors, tmp_path, capsys):
    """Text, JSON and page of one dump; exit status 1."""
    folder = device(tmp_path / "d", [("conv2", "padding_0", "")])
    arguments = ["verify", str(vectors), "--dut", str(folder)]
    assert main([*arguments, "--html", str(tmp_path / "r.html"), "--products", "100"]) == 1
    text = capsys.readouterr().out
    assert (
        "cause: one of those tried fits\n  1. padding_0\n" in text
        and "look at the value that the line buffer" in text
    )
    assert "accumulators/conv2.npy byte 128" in text and "only at the border" in text
    assert "more:" not in text  # every product
    assert main([*arguments, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ops"][0]["causes"][0]["names"] == ["padding_0"]
    assert document["first"]["op"] == "conv2" and not document["equal"]
    assert main([*arguments, "--no-causes"]) == 1
    assert "cause" not in capsys.readouterr().out
    assert main(["verify", str(vectors), "--dut", str(vectors), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["equal"] is True
    assert main([*arguments, "--products", "-1"]) == 2
    check_page((tmp_path / "r.html").read_text())


def test_causes_are_numbered_the_simplest_first(tmp_path, capsys):
    """What each explains, its evidence and freedom; in text, JSON and page alike."""
    bench = thin.Bench(tmp_path, 8)
    acc = bench.accumulators["conv"].astype(np.int64)
    got = np.clip((acc >> 7) - 20, -128, 127).astype(np.int8)  # a shift without its constant
    n = int(np.count_nonzero(got != bench.tensors["conv"]))
    text, document, page = told(bench, capsys, conv=got)
    first = text.index(f"  1. rounds_single_down\n     explains {n} of {n} differing values")
    second = text.index("  2. accumulator_bit_stuck (bit 6 at 0)\n")
    assert "this set cannot distinguish them" in text[:first] and first < second
    assert "no simpler one explains any; evidence" in text[first:second]
    assert "a simpler one explains them too; evidence" in text[second:]
    causes = document["ops"][0]["causes"]
    assert [c["names"] for c in causes] == [["rounds_single_down"], ["accumulator_bit_stuck"]]
    assert [c["simpler_explains"] for c in causes] == [0, n] and causes[0]["explains"] == n
    assert all(c["evidence_bits"] >= c["freedom_bits"] + 10 for c in causes)
    assert causes[0]["freedom_bits"] < causes[1]["freedom_bits"]
    assert "<b>1. rounds_single_down</b>" in page and "<b>2. accumulator_bit_stuck</b>" in page
    assert f"Explains {n} of {n} differing values" in page


def told(bench, capsys, **arrays):
    """What verify says of a dump: text, JSON, page."""
    dut = bench.write_dump(**arrays)
    page = bench.folder / "r.html"
    dump = ["verify", str(bench.folder / "set"), "--dut", str(dut), "--partial"]
    capsys.readouterr()
    assert main([*dump, "--html", str(page)]) == 1
    text = capsys.readouterr().out
    assert main([*dump, "--json"]) == 1
    assert_page_says(text, page.read_text())
    return text, json.loads(capsys.readouterr().out), page.read_text()


def plain(text):
    """A text without what a medium gives it: breaks, capitals, full stops, rules of tables."""
    return re.sub(r"-{9,}|[\s.]", "", text).lower()


def assert_page_says(text, page):
    """Every line of the terminal is on the page, in its words."""
    said = plain(html.unescape(re.sub("<[^>]*>", "", page.partition("<body>")[2])))
    lines = [line for line in text.splitlines() if plain(line)]
    assert len(lines) > 5
    assert [line for line in lines if plain(line) not in said] == []


def test_as_the_device_computed_it(tmp_path, capsys):
    """Accumulator, scaled value and output of the first wrong value, beside what they should be."""
    bench = thin.Bench(tmp_path, 8)
    (conv, *_) = bench.model.ops
    bias = conv["bias"].astype(np.int64)
    acc = bench.accumulators["conv"].astype(np.int64) - bias  # a bias that is not added
    got = np.clip(((acc + 64) >> 7) - 20, -128, 127).astype(np.int8)
    at = tuple(np.argwhere(got != bench.tensors["conv"])[0])
    text, document, page = told(bench, capsys, conv=got)
    wanted = int(bench.accumulators["conv"][at])
    rows = {
        "accumulator": (wanted, wanted - int(bias[at[-1]])),
        "scaled: R(acc)": ((wanted + 64) >> 7, int((acc[at] + 64) >> 7)),
        "output": (int(bench.tensors["conv"][at]), int(got[at])),
    }
    assert "the first wrong value, as the device computed it: with bias_missing\n" in text
    for name, (should, computed) in rows.items():
        assert re.search(rf"^  {re.escape(name)} +{should} +{computed}$", text, re.M), text
        cells = f'<td>{name}</td><td class="n">{should}</td><td class="n">{computed}</td>'
        assert f'<tr class="marked">{cells}</tr>' in page
    stages = document["as_the_device_computed_it"]
    assert stages["cause"] == "bias_missing"
    assert {s["name"]: (s["wanted"], s["got"]) for s in stages["stages"]} == rows
    held = bench.accumulators["conv"].astype(np.int64) & ~(1 << 9)  # a stuck bit of the register
    got = np.clip(((held + 64) >> 7) - 20, -128, 127).astype(np.int8)
    at = tuple(np.argwhere(got != bench.tensors["conv"])[0])
    text = told(bench, capsys, conv=got)[0]
    row = rf"^  its register +{bench.accumulators['conv'][at]} +{held[at]}$"
    assert "with accumulator_bit_stuck (bit 9 at 0)" in text and re.search(row, text, re.M), text
    lanes = bench.tensors["conv"][..., ::-1]  # results that move: only the last stage differs
    text = told(bench, capsys, conv=lanes)[0]
    assert re.search(r"^  as it is written  ", text, re.M), text


def test_what_this_dump_cannot_tell(tmp_path, capsys):
    """Thin evidence: no cause, what is consistent, and what would tell; no stages of a device."""
    bench = thin.Bench(tmp_path, 1)
    y = bench.tensors["gap"].copy()
    y[0, 0, 0, 3] ^= 4
    arrays = {name: bench.tensors[name] for name in thin.OPS[: thin.OPS.index("gap")]}
    text, document, page = told(bench, capsys, **arrays, gap=y)
    assert "cause: this dump cannot decide; consistent with it, as others may be\n  1. " in text
    assert re.search(r"explains 1 of 1 differing values; .*; evidence \d+ bits, freedom", text)
    assert "what would decide: the accumulators of gap; or about" in text
    assert "as the device computed it" not in text + page
    (finding,) = document["ops"]
    assert finding["causes"] == [] and finding["consistent"] and finding["would_tell"]
    assert all(c["evidence_bits"] < c["freedom_bits"] + 10 for c in finding["consistent"])
    assert (
        "this dump cannot decide" in page and "What would decide: the accumulators of gap" in page
    )


def test_places_have_names(tmp_path, capsys):
    """Image, y, x, channel; of a vector the channel; of a partial sum the step."""
    bench = thin.Bench(tmp_path, 2)
    wrong = {name: bench.tensors[name].copy() for name in ("conv", "fc")}
    wrong["conv"][1, 2, 7, 1] ^= 3
    wrong["fc"][0, 4] += 1
    text, document, page = told(bench, capsys, conv=wrong["conv"])
    assert "output of conv, image 1, y 2, x 7, channel 1\n" in text
    assert document["first"]["place"] == "image 1, y 2, x 7, channel 1"
    assert document["first"]["coordinate"] == [2, 7, 1]
    assert "image 1, y 2, x 7, channel 1" in page
    assert "  Got - expected: " in text and "<h2>Got - expected</h2>" in page
    assert "output of fc, image 0, channel 4\n" in told(bench, capsys, fc=wrong["fc"])[0]
    folder = tmp_path / "partial"
    write_set(intgold.load(), folder / "set", count=1, formats=["npy"], ops=["conv1"],
              partials="ky")  # fmt: skip
    shutil.copytree(folder / "set", folder / "dut")
    y = np.load(folder / "dut" / "partials" / "conv1.npy")
    y[0, 2, 3, 4, 5] += 1
    np.save(folder / "dut" / "partials" / "conv1.npy", y)
    assert main(["verify", str(folder / "set"), "--dut", str(folder / "dut")]) == 1
    assert "image 0, step 2, y 3, x 4, channel 5\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ((slice(None), slice(None), 0), "only column 0"),
        ((slice(None), -1), "only row 11"),
        ((slice(None), slice(None), [0, -1]), "only the first and the last column"),
        ((slice(None), [0, 0, 5, 11], [0, 7, 0, 3]), "only at the border"),
    ],
)
def test_the_border_is_all_of_it(where, said, tmp_path, capsys):
    """One row or column is named; that it lies at the border would say less."""
    bench = thin.Bench(tmp_path, 2)
    y = bench.tensors["conv"].copy()
    y[where] ^= np.random.default_rng(0).integers(1, 100, y[where].shape, np.int8)
    text = told(bench, capsys, conv=y)[0]
    assert said in text and ("border" in text) == ("border" in said)


def check_page(text):
    """Well-formed, one language, nothing that a browser would fetch."""

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.seen = [], set()

        def handle_starttag(self, tag, attributes):
            self.seen.add(tag)
            assert not {"src", "href", "data", "poster"} & {name for name, _ in attributes}, tag
            if tag not in ("meta", "rect", "td", "th"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            if tag in self.open:
                while self.open.pop() != tag:
                    pass

    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and {"h1", "svg", "table", "pre"} <= reader.seen
    assert "script" not in reader.seen and "url(" not in text and "@import" not in text
    assert not re.search(r"https?:", text) and "default-src 'none'" in text
    assert "padding_0" in text and "only at the border" in text


def test_odd_names_do_not_break_the_page(vectors, tmp_path):
    """What comes from files is text, never markup."""
    from intgold.document.html_page import to_html
    from intgold.verify.report.page import page_blocks
    from intgold.verify.report.verification_report import verification_report

    folder = device(tmp_path / "<b>&d", [("conv1", "clamp_missing", "")])
    made = verification_report(Dump(vectors, folder), products=9)
    assert "<b>&d" not in to_html(page_blocks(made), "verify")


def test_a_page_that_cannot_be_written(vectors, tmp_path, capsys):
    folder = device(tmp_path / "d", [("fc", "bias_missing", "")])
    assert (
        main(["verify", str(vectors), "--dut", str(folder), "--html", str(tmp_path / "no" / "r")])
        == 2
    )
    assert capsys.readouterr().err.count("\n") == 1


_CLAMP = "intgold_clamp(scaled + epilogue->y_zero_point, min, max)"
PATCHES = {
    "shift": ("kernels_portable.c", "by->multiplier, by->right_shift);",
              "by->multiplier, by->right_shift - 1);", "lut", "conv1", "right_shift_one_less"),
    "floor": ("kernels_portable.c", "intgold_round_up((int64_t)*sums",
              "intgold_round_down((int64_t)*sums", "lut", "conv1", "rounds_single_down"),
    "zero point": ("kernels_portable.c", "scaled + epilogue->y_zero_point",
                   "scaled + 2 * epilogue->y_zero_point",
                   "lut", "conv1", "output_zero_point_twice"),
    "clamp": ("kernels_portable.c", _CLAMP, "(scaled + epilogue->y_zero_point)", "lut", "conv1",
              "clamp_missing"),
    "boundary": ("pwl.c", "while (op->breakpoints[k] > x[i])",
                 "while (k && op->breakpoints[k] >= x[i])", "pwl", "selu2",
                 "segment_boundary_strict"),
    "table": ("kernels_portable.c", "table[x[i] + 128]", "table[(x[i] + 129) & 255]", "lut",
              "selu2", "table_index_off_by_one"),
    "window": ("max_pool2d.c", "intgold_min(top + op->kernel_h, op->in_h)",
               "intgold_min(top + op->kernel_h - 1, op->in_h)", "lut", "pool2", "window_short"),
    "mean": ("global_avg_pool.c", "raw[c] = start", "raw[c] = 0", "lut", "gap",
             "input_zero_point_ignored"),
    "kernel": ("weights.h", "(size_t)(run % weights->n_runs)",
               "(size_t)(weights->n_runs - 1 - run % weights->n_runs)", "lut", "conv1", None),
    "one bias in four": ("kernels_portable.c", "a1 = by->bias[1]", "a1 = 0", "lut", "conv1", None),
}  # fmt: skip
"""Patched engines: file, text, what it becomes, model, op that differs first, what is named."""

_DUMP = """
import sys
from pathlib import Path
import numpy as np
import intgold
from intgold.vectors.cases.stimulus import stimulus
name, folder = sys.argv[1], Path(sys.argv[2])
model = intgold.load(name)
run = model.run(stimulus(model, "builtin", 8, 0), trace=True, isa="portable")
for role, arrays in (("outputs", run.tensors), ("accumulators", run.accumulators)):
    (folder / role).mkdir(parents=True)
    for tensor, values in arrays.items():
        np.save(folder / role / f"{tensor}.npy", values)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    tools.need("gcc")
    return planted_bugs.Copy(tmp_path_factory.mktemp("copy"), LIBRARY)


def diagnosed(name, copy, folder):
    """The finding of the first op that a patched engine makes wrong, accumulators not dumped."""
    file, old, new, model, *_ = PATCHES[name]
    path = source(file, copy.folder / "csrc")
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    try:
        copy.build()
        subprocess.run(
            [sys.executable, "-c", _DUMP, model, str(folder / "dut")], check=True,
            env=copy.environment(),
        )  # fmt: skip
    finally:
        path.write_text(text)
    shutil.rmtree(folder / "dut" / "accumulators")
    write_set(intgold.load(model), folder / "set", count=8, formats=["npy"], backend="c")
    dump = Dump(folder / "set", folder / "dut", partial=True)
    return diagnose(dump, compare_dump(dump))[0]


def test_patched_engines_are_devices(copy, tmp_path, full):
    """Bugs of the C source, not of the table, are named; what is not in the table is not."""
    for name in PATCHES if full else ("mean", "one bias in four"):
        first = diagnosed(name, copy, tmp_path / name)
        op, cause = PATCHES[name][-2:]
        names = [" and ".join(n) for n in first.names]
        near = [label for label, _, _ in first.close_matches]
        said = names or f"none fits; close: {near}"
        tools.said.append(f"patched engine, {name}: {first.op}: {said}")
        assert first.op == op, name
        assert cause is None or (cause,) in first.names, name
