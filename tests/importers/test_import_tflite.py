"""TFLite files as models: the bits of the named engine, clear refusals, nothing trusted."""

import dataclasses
import hashlib
import json
import shutil
import sys
import time
import tracemalloc
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import main
from intgold.contracts import CONTRACTS, contract_named
from intgold.errors import ContractError, ImportFileError
from intgold.importers import import_tflite
from intgold.importers.tflite.convert import convert
from intgold.importers.tflite.file.reader import FileOp, parse
from intgold.importers.tflite.formulas.scales import FACTORS
from intgold.importers.tflite.graph.float_chains import fold_float_chains
from intgold.importers.tflite.handlers.op_context import ConstantBudget, OpContext
from intgold.model.builder import Builder
from intgold.study.contracts.differences import run_probe
from intgold.study.contracts.probes import PROBES, probe
from intgold.verify.diagnose.finding import contracts_of

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "conformance"))

from batched_networks import network  # noqa: E402
from directed import file_of  # noqa: E402
from host_tails import detection  # noqa: E402
from one_op_models import MODELS, made  # noqa: E402

from run import as_inputs, both_engines, every_output  # noqa: E402

FROZEN = json.loads((ROOT / "conformance" / "answers.json").read_text())["answers"]


def of_name(name):
    """(op, dtype, seed) of a model of the frozen set."""
    op, dtype, seed = name.rsplit("_", 2)
    return op.upper(), dtype, int(seed)


def test_the_frozen_set_holds_every_contract():
    """Engines that lack an op have no answers; each op is answered by some, int8 and uint8."""
    assert set(FROZEN) == {c.name for c in CONTRACTS.values() if c.provenance == "measured"}
    answered = {of_name(name)[:2] for answers in FROZEN.values() for name in answers}
    assert {op for op, _ in answered} == set(MODELS)
    int8_only = {"ELU", "ABS", "SQRT", "RSQRT", "EXP", "LOG"}
    int8_only |= {"BATCH_MATMUL", "FLOOR_DIV", "FLOOR_MOD", "SQUARED_DIFFERENCE"}
    int8_only |= {f"{op}_PAIRS" for op in int8_only}
    int8_only |= {"SQUARED_DIFFERENCE_LARGE", "ABS_FACTORS", "BATCH_MATMUL_FACTORS"}
    assert {op for op, dtype in answered if dtype == "uint8"} >= set(MODELS) - int8_only
    assert sum(map(len, FROZEN.values())) > 300


@pytest.mark.parametrize("contract", list(FROZEN))
def test_imported_models_have_the_bits_of_the_engine(contract, tmp_path):
    """Random models of one op: golden = C = what the real engine answered when it was frozen."""
    for name, digest in FROZEN[contract].items():
        op, dtype, seed = of_name(name)
        model, stimulus = made(op, seed, dtype)
        file = tmp_path / f"{name}.tflite"
        file.write_bytes(model.data)
        found = every_output(import_tflite(file, contract), stimulus)
        values = b"".join(y.tobytes() for y in found)
        assert hashlib.sha256(values).hexdigest() == digest, (contract, name)
    assert len(FROZEN[contract]) > 50
    tools.said.append(
        f"imported under {contract}: {len(FROZEN[contract])} models, bits of the engine"
    )


@pytest.mark.parametrize("contract", list(FROZEN))
def test_another_way_to_compute_a_factor_is_seen(contract):
    """A rule with the order or precision of another one: other parameters give other bits, too."""
    named, files = contract_named(contract), {}
    for name in FROZEN[contract]:
        op, dtype, _ = of_name(name)
        if op.endswith("_FACTORS"):
            files.setdefault((op.removesuffix("_FACTORS"), dtype), []).append(name)
    changed, seen = set(), set()
    for (kind, dtype), names in files.items():
        key = f"{kind} {dtype}" if f"{kind} {dtype}" in named.rules else kind
        ways = {(kind, dtype, way) for way in set(FACTORS) - {named.rules[key].factor}}
        for name in names:
            model, stimulus = made(kind + "_FACTORS", of_name(name)[2], dtype)
            graph, sha256 = parse(model.data), None
            for kind_and_way in sorted(ways - seen):
                rule = dataclasses.replace(named.rules[key], factor=kind_and_way[2])
                other = dataclasses.replace(named, rules={**named.rules, key: rule})
                try:
                    found = convert(graph, other, "m")
                except ImportFileError:
                    continue
                sha256 = sha256 or convert(graph, named, "m").sha256
                if found.sha256 == sha256:
                    continue
                changed.add(kind_and_way)
                outputs = found.run(as_inputs(found, stimulus), backend="c").outputs
                values = b"".join(outputs[name].tobytes() for name in found.outputs)
                if hashlib.sha256(values).hexdigest() != FROZEN[contract][name]:
                    seen.add(kind_and_way)
            if ways <= seen:
                break
    assert not changed - seen and len(changed) > 10, (changed - seen, len(changed))


@pytest.mark.parametrize("op", PROBES)
def test_probes_of_contracts_as_files(op):
    """conformance/directed.py gives engines the op that the table was made with."""
    at, imported = probe(op, 3), 0
    for contract in map(contract_named, FROZEN):
        try:
            expected = run_probe(at, contract)
        except ImportFileError:
            continue
        model = convert(fold_float_chains(parse(file_of(at))), contract, "m")
        outputs = model.run(as_inputs(model, at.inputs), backend="c").outputs
        assert np.array_equal(outputs[model.outputs[0]].ravel(), expected.ravel()), contract.name
        imported += 1
    assert imported


def test_a_file_is_not_written_over_itself(tmp_path, capsys):
    """Another path to the same file is seen, too; the file stays as it was."""
    file, link = tmp_path / "a.tflite", tmp_path / "link"
    file.write_bytes(made("RELU", 0)[0].data)
    link.symlink_to(file)
    before = file.read_bytes()
    for output in (file, link):
        assert main(["import", str(file), "--contract", "tflm", "-o", str(output)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert file.read_bytes() == before


def test_contracts_differ():
    """The frozen answers tell the contracts apart: a rule of another one is seen."""
    for a in FROZEN:
        for b in FROZEN:
            if a < b:
                both = set(FROZEN[a]) & set(FROZEN[b])
                assert [n for n in both if FROZEN[a][n] != FROZEN[b][n]], (a, b)


def test_the_command(tmp_path, capsys):
    """A file becomes an artefact that loads, runs and names its contract."""
    model, stimulus = made("CONV_2D", 0)
    (tmp_path / "a.tflite").write_bytes(model.data)
    arguments = ["import", str(tmp_path / "a.tflite"), "--contract", "tflm"]
    assert main([*arguments, "-o", str(tmp_path / "a.npz")]) == 0
    assert "1 ops, contract tflm" in capsys.readouterr().out
    loaded = intgold.load(tmp_path / "a.npz")
    assert loaded.contract == "tflm" and loaded.name == "a"
    both_engines(loaded, stimulus)
    assert main([*arguments, "--name", "größe", "-o", str(tmp_path / "g.npz")]) == 0
    assert "name: gr__e, since 'größe' is no name in C" in capsys.readouterr().out
    assert main([*arguments, "--name", "size", "-o", str(tmp_path / "g.npz")]) == 0
    assert "name:" not in capsys.readouterr().out
    assert main([*arguments[:3], "none", "-o", str(tmp_path / "b.npz")]) == 2
    assert "no contract 'none'" in capsys.readouterr().err
    (tmp_path / "a.tflite").write_bytes(model.data[:100])
    assert main([*arguments, "-o", str(tmp_path / "b.npz")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "a.tflite" in error and not (tmp_path / "b.npz").exists()


def test_an_unknown_contract():
    with pytest.raises(ContractError, match="no contract 'x'"):
        contract_named("x")


def before(value, towards):
    """The float32 beside a value."""
    return float(np.nextafter(np.float32(value), np.float32(towards)))


@pytest.mark.parametrize(
    ("op", "ratio", "slope", "declined"),
    [
        ("QUANTIZE", before(2**-8, 0), 1.0, True), ("QUANTIZE", 2**-8, 1.0, False),
        ("QUANTIZE", 128.0, 1.0, False), ("QUANTIZE", before(128, 200), 1.0, True),
        ("ADD", before(2**-10, 0), 1.0, True), ("ADD", 2**-10, 1.0, False),
        ("SUB", before(256, 0), 1.0, False), ("SUB", 256.0, 1.0, True),
        ("MUL", before(2**-16, 0), 1.0, True), ("MUL", 2**-16, 1.0, False),
        ("MUL", 256.0, 1.0, True), ("LEAKY_RELU", 1.0, 128.0, False),
        ("LEAKY_RELU", 1.0, -127.99609375, False), ("LEAKY_RELU", 1.0, -128.0, True),
        ("LEAKY_RELU", 1.0, before(2**-8, 0), True), ("LEAKY_RELU", 1.0, -(2**-8), False),
    ],
)  # fmt: skip
def test_ratios_that_a_delegate_declines(op, ratio, slope, declined):
    """Beyond its limits, probed to the last bit, the kernels after it compute an op."""
    rule = contract_named("xnnpack").rules[op]
    step = OpContext(
        FileOp(0, op, (), (), {}), rule, (), Builder("m"), {}, "a", "b", ConstantBudget(0)
    )
    step.decide(ratio, slope=slope)
    assert step.rule is (rule.fallback if declined else rule)
    assert rule.fallback is not None and rule.fallback != rule


def test_a_ratio_that_the_engine_refuses():
    from tflite_writer import Writer

    from intgold.importers.tflite.convert import convert

    w = Writer()
    x = w.tensor((1, 1, 1, 1), "int8", 256, 0)
    k = w.tensor((1, 1, 1, 1), "int8", 1, 0, np.ones((1, 1, 1, 1)))
    b = w.tensor((1,), "int32", 256, 0, np.zeros(1))
    y = w.tensor((1, 1, 1, 1), "int8", 1, 0)
    options = dict.fromkeys(("StrideH", "StrideW", "DilationHFactor", "DilationWFactor"), 1)
    w.op("CONV_2D", [x, k, b], y, 3, "Conv2DOptions", Padding=1, **options)
    graph = parse(w.finish([x], [y]))
    assert convert(graph, contract_named("litert_reference"), "m").ops
    with pytest.raises(ImportFileError, match=r"op 0 \(CONV_2D\): ratio of scales 256 is beyond"):
        convert(graph, contract_named("xnnpack"), "m")


def test_scales_that_are_next_to_nothing():
    """Numbers that no engine could use are refused as the op's, whatever goes wrong with them."""
    from tflite_writer import Writer

    from intgold.importers.tflite.convert import convert

    for kind in ("HARD_SWISH", "LOGISTIC", "RELU6"):
        w = Writer()
        x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 1e-44, 0)
        w.op(kind, [x], y)
        with pytest.raises(ImportFileError, match=rf"op 0 \({kind}\): "):
            convert(parse(w.finish([x], [y])), contract_named("litert_reference"), "m")


def test_what_is_not_known_is_named(tmp_path):
    """The op by number and name, and what is missing."""
    from tflite_writer import Writer

    w = Writer()
    x, y = w.tensor((1, 4), "int8", 0.5, 0), w.tensor((1, 4), "int8", 0.5, 0)
    w.op("SIN", [x], y)
    (tmp_path / "m.tflite").write_bytes(w.finish([x], [y]))
    with pytest.raises(ImportFileError, match=r"op 0 \(SIN\): this op is not known"):
        import_tflite(tmp_path / "m.tflite", "tflm")


def test_foreign_files(tmp_path):
    """What is no TFLite file is said to be none."""
    for data in (b"", b"TFL3", bytes(100), b"\x1c\0\0\0TFL3" + bytes(10)):
        with pytest.raises(ImportFileError, match="not a TFLite file"):
            parse(data)
    with pytest.raises(ImportFileError, match="nowhere"):
        import_tflite(tmp_path / "nowhere.tflite", "tflm")


MAX_COPIES = 6
"""Of the 64 times its size and 4 MiB that may be made of a file: by the proof of int32."""


def test_damaged_files(full, tmp_path):
    """Bytes changed and cut: a model, or one line naming the file, in little memory and time."""
    rng, refused, count = Random(0), 0, 20_000 if full else 400
    sources = [made(op, 0)[0].data for op in MODELS]
    sources += [*(detection(n).data for n in range(4)), *(network(n) for n in range(2))]
    path = tmp_path / "m.tflite"
    most = copies = longest = 0.0
    tracemalloc.start()
    for _ in range(count):
        data = bytearray(rng.choice(sources))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(len(data))
            data[at] = rng.choice((0, 255, 128, data[at] ^ 1 << rng.randrange(8)))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        contract = rng.choice(["litert_reference", "litert_optimised_x86", "xnnpack", "tflm"])
        tracemalloc.reset_peak()
        before, started = tracemalloc.get_traced_memory()[0], time.monotonic()
        try:
            import_tflite(path, contract)
        except ImportFileError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        peak = tracemalloc.get_traced_memory()[1] - before
        most, copies = max(most, peak), max(copies, peak / (64 * len(data) + 2**22))
        longest = max(longest, time.monotonic() - started)
    tracemalloc.stop()
    tools.said.append(
        f"damaged TFLite files: {count}, {refused} refused, the others legal; at most "
        f"{most / 2**20:.1f} MiB of memory, {copies:.2f} of what a file may take, {longest:.1f} s"
    )
    assert copies < MAX_COPIES and longest < 30
    assert 0 < refused < count


def test_a_file_of_batch_1_runs_at_any_batch():
    """A stimulus of any batch gives image by image what each gives by itself."""
    model, stimulus = made("DEPTHWISE_CONV_2D", 3)
    from intgold.importers.tflite.convert import convert

    imported = convert(parse(model.data), contract_named("xnnpack"), "m")
    together = both_engines(imported, stimulus)
    alone = [both_engines(imported, [x[i : i + 1] for x in stimulus]) for i in range(3)]
    assert np.array_equal(together[:3], np.concatenate(alone))


@pytest.mark.parametrize(
    ("op", "seed", "contract", "device"),
    [
        ("CONV_2D", 3, "tflm", "xnnpack"),
        ("DEPTHWISE_CONV_2D", 35, "litert_optimised_x86", "litert_reference"),
        ("DEPTHWISE_CONV_2D", 50, "tflm", "xnnpack"),  # two channels of each
        ("FULLY_CONNECTED", 45, "litert_reference", "tflm"),
        ("ADD", 8, "litert_reference", "xnnpack"),
        ("MUL", 3, "litert_reference", "xnnpack"),
        ("MEAN", 28, "tflm", "xnnpack"),
        ("MEAN", 0, "litert_reference", "litert_optimised_x86"),
        ("QUANTIZE", 1, "tflm", "xnnpack"),
        ("SOFTMAX_WIDE", 111, "xnnpack", "tflm"),
        ("CONV_2D", 157, "intgold", "xnnpack"),
        ("ADD", 4, "intgold", "litert_reference"),
        ("MEAN", 4, "intgold", "tflm"),
        ("CONV_2D uint8", 6, "litert_reference", "xnnpack"),
        ("ADD uint8", 55, "litert_reference", "xnnpack"),
        ("MUL uint8", 0, "litert_reference", "xnnpack"),
        ("MEAN uint8", 6, "litert_reference", "xnnpack"),
        ("SOFTMAX uint8", 21, "litert_reference", "xnnpack"),
    ],
)
def test_a_device_of_another_contract_is_told_so(op, seed, contract, device, tmp_path, capsys):
    """A device that implements another engine: `verify` names the contract that it computes by."""
    # The two engines differ in one of 3,840 values of SOFTMAX: 64 images do not say enough.
    count = 1024 if op == "SOFTMAX uint8" else 64
    dut = dumped(op, seed, contract, device, tmp_path, count)
    capsys.readouterr()
    assert main(["verify", str(tmp_path / contract), *dut]) == 1
    told = capsys.readouterr().out
    assert "another_contract" in told
    last = [line for line in told.splitlines() if line.startswith("every op that is wrong")]
    assert len(last) == 1 and device in last[0], told
    assert contract not in last[0]
    assert told.index(last[0]) < told.index("cause: ")
    page = tmp_path / "page.html"
    assert main(["verify", str(tmp_path / contract), *dut, "--json", "--html", str(page)]) == 1
    assert device in json.loads(capsys.readouterr().out)["contracts"]
    text = page.read_text()
    assert text.index(f"<p>E{last[0][1:]}.</p>") < text.index("<b>1. ")


def test_a_device_of_another_contract_in_one_value(tmp_path, capsys):
    """One value that is one off: consistent with the other contract, and no more is said."""
    dut = dumped("SOFTMAX uint8", 21, "litert_reference", "xnnpack", tmp_path)
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "litert_reference"), *dut]) == 1
    told = capsys.readouterr().out
    assert "this dump cannot decide" in told and "  1. another_contract (" in told
    assert "images as these are; the set has 64" in told
    assert "every op that is wrong" not in told


def test_a_device_that_only_rounds_otherwise_is_told_by_its_form(tmp_path, capsys):
    """Against `intgold`: the form is the cause, and no engine is named for it."""
    dut = dumped("CONV_2D", 15, "intgold", "litert_reference", tmp_path)
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "intgold"), *dut]) == 1
    told = capsys.readouterr().out
    assert "rounds_double" in told and "another_contract" not in told


def test_the_contract_of_a_device_is_one_of_every_op_that_is_wrong():
    """Pairs of bugs do not count, nor does an op that does right what it does."""

    def finding(*labels, propagates=False, pair=False):
        bugs = [
            SimpleNamespace(
                hypothesis=SimpleNamespace(name="another_contract"),
                variant=SimpleNamespace(label=label),
            )
            for label in labels
        ]
        causes = [SimpleNamespace(bugs=[bug] * (1 + pair)) for bug in bugs]
        return SimpleNamespace(propagates=propagates, causes=causes)

    assert contracts_of([finding("tflm", "xnnpack"), finding("xnnpack")]) == ["xnnpack"]
    assert contracts_of([finding("b", "a")]) == ["a", "b"]
    assert contracts_of([finding("a"), finding("b", propagates=True)]) == ["a"]
    for wrong in ([], [finding("a"), finding("b")], [finding("a"), finding()]):
        assert contracts_of(wrong) == []
    assert contracts_of([finding("a", pair=True)]) == []


def dumped(op, seed, contract, device, folder, count=64):
    """Write the vectors of a model under two contracts; return the second as options of a dump."""
    file = folder / "a.tflite"
    file.write_bytes(made(op.split()[0], seed, *op.split()[1:])[0].data)
    for name in (contract, device):
        model = folder / f"{name}.npz"
        assert main(["import", str(file), "--contract", name, "-o", str(model)]) == 0
        arguments = ["vectors", str(model), "--stimulus", "builtin"]
        arguments += ["--count", str(count)]
        assert main([*arguments, "-o", str(folder / name)]) == 0
    dump = folder / "dump"  # by the names of the set: an engine may take more ops
    for array in (folder / contract).glob("[oa]*/*.hex"):
        own = array.relative_to(folder / contract)
        if (folder / device / own).exists():
            (dump / own).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / device / own, dump / own)
    return ["--dut", str(dump), "--partial"]
