"""Benchmarks time what they say: cuts of a model, loops in C, the machine's own instructions."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from convolutions import convolution
from intgold import native
from intgold.bench import bench, thread_counts
from intgold.bench.ceiling import Ceiling, CeilingLoops
from intgold.bench.clock import pinned, take_turns
from intgold.bench.loops import ImageLoop, groups
from intgold.bench.ops import Ops, OpTime, time_ops
from intgold.bench.report import BenchReport, total
from intgold.bench.throughput import DotLoop
from intgold.cli import main
from intgold.native.compiled import ffi, lib
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.stimulus import stimulus

ROOT = Path(__file__).parents[2]
MEASURE = ROOT / "python/intgold/native/measure.c"
PACKS = {"vpdpbusd zmm": 64, "vpdpbusd ymm": 32, "vpmaddwd + vpaddd ymm": 16}


def test_groups_are_what_the_engine_fuses():
    """The shipped model's rows; no op twice, none missing, in random graphs either."""
    for isa in native.variants():
        names = [group.name for group in groups(intgold.load(), isa)]
        assert names == ["conv1", "conv2+selu2+pool2", "conv3+gelu3", "gap", "fc"]
    fused = 0
    for seed in range(60):
        model = random_model(seed) if seed % 2 else convolution(seed)
        found = groups(model, "portable")
        ops = [i for group in found for i in range(group.first, group.last + 1)]
        assert ops == list(range(len(model.ops)))
        fused += len(found) < len(model.ops)
    assert fused >= 5


def test_absorbed_refuses_what_is_no_op():
    model = intgold.load()
    session = model.prepare("portable")
    session.run(np.zeros((1, 28, 28, 1), np.int8))
    (context,) = session._native_model._idle
    absorbed = [lib.intgold_fused_ops(context.pointer, i) for i in range(-1, 9)]
    assert absorbed == [-1, 0, 2, 0, 0, 1, 0, 0, 0, -1]
    assert lib.intgold_fused_ops(ffi.NULL, 0) == -1


@pytest.mark.parametrize("isa", native.variants())
def test_loops_compute_the_model(isa):
    """Every cut leaves what the whole model produces there, of the image whose turn it is."""
    cut, count = 0, 3
    for seed in range(60):
        model = random_model(seed) if seed % 2 else convolution(seed)
        x = random_inputs(model, count, seed)
        want = model.run(x, backend="golden", trace=True).tensors
        for group in groups(model, isa):
            loop = ImageLoop(model, x, isa, group.last)
            for times, image in ((1, 0), (2, 1), (5, 1)):  # it starts at image 0 and goes round
                loop(times)
                made = {n: a.tobytes() for n, a in _outputs(model, loop, group.last)}
                for name, got in made.items():
                    assert got == want[name][image].tobytes(), (isa, seed, group.name, name)
            cut += bool(made)
    assert cut > 80


def _outputs(model, loop, last):
    """The outputs of a cut by name, in the order of the loop."""
    later = {*model.outputs, *(n for op in model.ops[last + 1 :] for n in op.inputs)}
    names = [op.output for op in model.ops[: last + 1] if op.output in later]
    return zip(names or [model.ops[last].output], loop.outputs(), strict=True)


def test_dot_loops_are_the_instruction(tmp_path):
    """Counted in the disassembly: twelve chains, nothing else touches vectors, no memory at all."""
    tools.need("objdump")
    tools.need("gcc")
    if "avx2" not in native.built():
        pytest.skip("x86-64 only")
    listed = disassembly(tmp_path)
    for function, counts in {
        "dot_zmm": {"vpdpbusd": 12},
        "dot_ymm": {"vpdpbusd": 12},
        "dot_pairs": {"vpmaddwd": 12, "vpaddd": 12},
        "dot_tiles": {"tdpbusd": 6},
    }.items():
        loop = innermost(listed[function])
        vectors = [line for line in loop if re.search(r"%[xyzt]mm", line)]
        assert len(vectors) == sum(counts.values()), (function, loop)
        for name, count in counts.items():
            own = [line for line in vectors if f"{name} " in f"{line} "]
            assert len(own) == count, (function, loop)
            sums = {line.split(",")[-1].strip() for line in own if name != "vpmaddwd"}
            assert len(sums) in (0, count), f"{function}: sums share a register"
        assert not any("(" in line for line in loop), f"{function} touches memory"


def disassembly(folder):
    """Lines of each function of measure.c as gcc compiles it for the extension."""
    made = folder / "measure.o"
    subprocess.run(
        ["gcc", "-std=c99", "-O3", "-I", ROOT / "csrc", "-c", MEASURE, "-o", made], check=True
    )
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", made], check=True, capture_output=True, text=True
    ).stdout
    return {
        name: body.splitlines()
        for name, body in re.findall(r"^\w+ <(\w+)>:\n(.*?)(?=^\w+ <|\Z)", text, re.M | re.S)
    }


def innermost(lines):
    """The instructions from the target of the last backward jump to the jump."""
    at = {m[1]: i for i, line in enumerate(lines) if (m := re.match(r" *(\w+):", line))}
    jumps = [
        (at[m[1]], i)
        for i, line in enumerate(lines)
        if (m := re.search(r"\tj\w+ +(\w+)", line)) and at.get(m[1], i) < i
    ]
    first, last = jumps[-1]
    return [line.split("\t", 1)[1] for line in lines[first:last]]


def test_probes_count_what_they_do():
    """Work grows with the rounds; what a CPU lacks gives no work and no name."""
    for name, isa in native.ISAS.items():
        runs = name in native.variants()
        instruction = lib.intgold_measure_dot_name(isa)
        done = lib.intgold_measure_dot(isa, 10)
        assert (instruction != ffi.NULL) == (done > 0)
        if name != "auto" and not runs:
            assert done == 0 and lib.intgold_measure_lut(isa, 1) == 0
        if runs:
            assert done == 10 * lib.intgold_measure_dot(isa, 1)
            assert lib.intgold_measure_lut(isa, 3) == 3 * 4096
        if instruction != ffi.NULL and (pack := PACKS.get(ffi.string(instruction).decode())):
            assert done == 10 * 12 * pack
    assert lib.intgold_measure_dot_name(native.ISAS["portable"]) == ffi.NULL
    assert lib.intgold_measure_dot(native.ISAS["auto"], 1) == 0  # a variant is asked for by name
    probe = CeilingLoops(intgold.load(), "portable")
    assert set(probe.loops) == {"lut", "single"} and probe.instruction is None
    forms = {op["requantize"].form[0] for op in convolution(1).ops if "weights" in op.fields}
    assert set(CeilingLoops(convolution(1), "portable").loops) == {"lut", *forms}


def test_turns_are_taken():
    """Every call once a round, with the count that fills a sample; seconds are those of one."""
    seen, now = [], [0.0]

    def call(name, cost):
        def times(n):
            seen.append((name, n))
            now[0] += n * cost

        return times

    calls = {"a": call("a", 1e-4), "b": call("b", 1e-2)}
    rounds = []
    samples = take_turns(calls, 3, 0.02, lambda: now[0], lambda: rounds.append(0))
    assert [name for name, _ in seen[-6:]] == ["a", "b"] * 3 and len(rounds) == 3
    assert dict(seen[-6:]) == {"a": 200, "b": 2}
    assert samples["a"] == pytest.approx([1e-4] * 3) and len(samples["b"]) == 3


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_pinning_is_undone():
    """One core meanwhile, all of them after it, an error or not."""
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), pinned() as core:
        assert os.sched_getaffinity(0) == {core} and core in before
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_a_report_adds_up():
    """Rows sum up to the whole; the bound is roofline and tail by the ceiling of the same run."""
    model = intgold.load()
    x = stimulus(model, "builtin", 4)
    for isa in native.variants():
        ops = time_ops(model, isa, x, 3)
        by, rows = ops.ceiling, {row.name: row for row in ops.rows}
        assert (
            ops.seconds == pytest.approx(sum(row.seconds for row in ops.rows)) and ops.seconds > 0
        )
        assert (by.instruction is None) == (by.dot_seconds is None) == (isa == "portable")
        conv2 = rows["conv2+selu2+pool2"]
        assert conv2.macs == 28 * 28 * 16 * 72 and rows["gap"].tail is None
        values = 14 * 14 * 16  # of the pool: the sums are pooled before they are requantized
        seconds = by.requantize_seconds["single"] + by.lut_seconds
        assert conv2.tail == pytest.approx(values * seconds)
        if by.dot_seconds is not None:
            assert conv2.roofline == pytest.approx(conv2.macs * by.dot_seconds)
            assert conv2.bound == conv2.roofline + conv2.tail
            assert conv2.seconds > conv2.roofline, "faster than its own instruction"
        whole = total(ops)
        assert whole.macs == 1_863_104 and whole.seconds == ops.seconds


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_no_row_takes_less_than_no_time(rounds, monkeypatch):
    """However few the rounds and strong the noise; the rows are those of the true times without."""
    model, x = intgold.load(), stimulus(intgold.load(), "builtin", 2)
    true = {"up to 0": 1e-6, "up to 3": 4e-6, "up to 5": 9e-6, "up to 6": 9.1e-6, "up to 7": 9.3e-6}
    rng = np.random.default_rng(rounds)

    def noisy(calls, rounds, progress):
        rest = dict.fromkeys(calls, 1e-6)
        return {
            name: [seconds + noise * rng.exponential(5e-6) for _ in range(rounds)]
            for name, seconds in (rest | true).items()
        }

    monkeypatch.setattr("intgold.bench.ops.take_turns", noisy)
    assert {f"up to {group.last}" for group in groups(model, "portable")} == set(true)
    below = 0
    for noise in [0.0] + [1.0] * 50:
        found = time_ops(model, "portable", x, rounds)
        seconds = [row.seconds for row in found.rows]
        assert min(seconds) >= 0 and "-" not in f"{min(seconds):.9f}"
        if noise == 0.0:
            assert seconds == pytest.approx([1e-6, 3e-6, 5e-6, 1e-7, 2e-7])
        below += 0.0 in seconds
        assert found.seconds >= sum(seconds) * 0.999999 and found.seconds >= 9.3e-6 * 0.999999
        about = dict.fromkeys(("intgold", "CPU", "engine"), "")
        assert not re.search(r" -\d", str(BenchReport(about, "m", "", 1, rounds, (), (), (found,))))
    assert below > 5, "no noise was stronger than a row"


def test_rows_without_time():
    """What is lost in the noise has no rate; nothing is divided by it."""
    ceiling = Ceiling("x", 1e-12, {"single": 1e-9}, 1e-10)
    with pytest.warns(DeprecationWarning, match="finish_seconds is now .*requantize_seconds"):
        assert ceiling.finish_seconds is ceiling.requantize_seconds
    row = OpTime("fc", 0.0, 320, 3.2e-10, 0.0)
    assert row.gmacs is None and row.bound == 3.2e-10
    ops = Ops("x", ceiling, (row, OpTime("conv", 1e-6, 1000, 1e-9, 2e-9)))
    assert total(ops).gmacs == pytest.approx(1320 / 1e-6 * 1e-9)


def test_bench_command(capsys, tmp_path):
    """Table, JSON and picture; the variants, batches and threads that were asked for."""
    arguments = ["bench", "lut", "--isa", "portable", "--batch", "1,4", "--threads", "1,2"]
    arguments += ["--rounds", "2"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    for part in ("mnist_lut, 1,863,104 multiply-adds", "CPU ", "built by", "conv2+selu2+pool2",
                 "portable: no dot product of its own"):  # fmt: skip
        assert part in out
    # One image has no use for two threads; portable has no dot product of its own.
    assert re.search(r"^portable +2 +- +[\d,]+ +\d\.\d\d +-$", out, re.M)
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sha256"] == intgold.load().sha256 and told["rounds"] == 2
    rates = {(r["isa"], r["threads"], r["batch"]): r["images_per_second"] for r in told["rates"]}
    assert set(rates) == {("portable", 1, 1), ("portable", 1, 4), ("portable", 2, 4)}
    assert all(rate > 1 for rate in rates.values())
    assert all(row["seconds"] >= 0 for ops in told["ops"] for row in ops["rows"])
    assert told["dots"] == []
    (ceiling,) = (ops["ceiling"] for ops in told["ops"])
    assert ceiling["requantize_seconds"]["single"] > 0
    assert ceiling["finish_seconds"] == ceiling["requantize_seconds"]
    assert [ops["isa"] for ops in told["ops"]] == ["portable"] and len(told["ops"][0]["rows"]) == 5
    tools.need("matplotlib")
    path = tmp_path / "bench.svg"
    assert main([*arguments, "--plot", str(path)]) == 0
    text = path.read_text()
    assert "<svg" in text and text.count("<path") > 20


def test_dot_products_on_several_threads():
    """Each of them does the work of one."""
    for isa in native.variants():
        one, two = DotLoop(isa, 1), DotLoop(isa, 2)
        assert two.macs == 2 * one.macs and (one.macs > 0) == (isa != "portable")
        if one.macs:
            samples = take_turns({"one": one, "two": two}, 3, clock=time.process_time)
            assert 1.5 < min(samples["two"]) / min(samples["one"]) < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--isa", "mmx"], "'mmx' does not run here; these do: portable"),
        (["--batch", "0"], "batch: 0 is not"),
        (["--batch", "1,x"], "--batch 1,x: not integers"),
        (["--threads", "1025"], "threads: 1025 is not"),
        (["--batch", "1,2", "--threads", "3"], "no more than 2 images for 3 threads"),
        (["--rounds", "0"], "rounds: 0 is not"),
        (["--plot", "bench.txt"], "bench.txt: a picture ends in"),
        (["--plot", "nowhere/bench.svg"], "nowhere/bench.svg"),
    ],
)
def test_bad_arguments(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "lut", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and message in err and list(tmp_path.iterdir()) == []


def test_bench_of_any_graph():
    """Several inputs and outputs, ops without weights, forms other than single."""
    for seed in (2, 5, 11):
        report = bench(random_model(seed), ["portable"], [2], [1], 1)
        assert "op0" in str(report)
    assert thread_counts()[0] == 1


def test_call_overhead_runs():
    """The benchmark of calls: a row per way and model, C alone faster than any call.

    Something else may take the core for a moment: three runs, of which one must say so.
    """
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, ROOT / "benchmarks/call_overhead.py", "--rounds", "5"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        rows = re.findall(r"^(one_table|mnist_lut) +(.*?)  +([\d.]+) +([\d.]+) ", run.stdout, re.M)
        assert len(rows) == 6
        if all(float(call) > float(alone) for _, _, call, alone in rows):
            return
    raise AssertionError(run.stdout)
