"""`intgold import`: what it prints of a file's ends, of other contracts, of the real engine."""

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

import intgold
import stand_in_engine
from intgold.cli import main
from intgold.contracts import CONTRACTS
from intgold.study.engines import engine_check

sys.path.insert(0, str(Path(__file__).parents[2] / "conformance"))

from tflite_writer import TYPES, Writer


def wrapped(path, kind="RELU", integers=False, tail=("DEQUANTIZE", "SOFTMAX")):
    """A file: QUANTIZE, an op, a second one of it, and a tail; or without both ends."""
    w = Writer()
    x = w.tensor((1, 4), "float32", name="image")
    a, b, c = (w.tensor((1, 4), "int8", s, 3, name=n)
               for s, n in ((0.5, "input"), (0.5, "mid"), (0.7, "logits")))  # fmt: skip
    if not integers:
        w.op("QUANTIZE", [x], a)
    w.op(kind, [a], b, 1, *(["GeluOptions"] if kind == "GELU" else []))
    w.op("ADD", [a, b], c, 1, "AddOptions")
    last = c
    for op in () if integers else tail:
        y = w.tensor((1, 4), "float32", name=f"{op.lower()}_y")
        fields = {"options": "SoftmaxOptions", "Beta": 1.0} if op == "SOFTMAX" else {}
        w.op(op, [last], y, 1, **fields)
        last = y
    path.write_bytes(w.finish([a if integers else x], [last]))
    return str(path)


HEAD = "op 0 QUANTIZE(image) -> input int8 1x4"
TAIL = (
    "op 3 DEQUANTIZE(logits) -> dequantize_y float32 1x4",
    "op 4 SOFTMAX(dequantize_y, beta=1.0) -> softmax_y float32 1x4",
)


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_what_is_left_to_the_host_is_listed(tmp_path, capsys):
    """By import, by info on lines of their own, by the data sheet and the README of a set."""
    file, made = wrapped(tmp_path / "m.tflite"), tmp_path / "m.npz"
    status, out, _ = run(capsys, "import", file, "--contract", "tflm", "-o", made)
    assert status == 0 and out.splitlines() == [
        f"{made}: 2 ops, contract tflm",
        f"left to the host before its inputs: {HEAD}",
        "left to the host after its outputs:",
        *(f"  {line}" for line in TAIL),
    ]
    lines = run(capsys, "info", made)[1].splitlines()
    at = lines.index(f"host_tail: {TAIL[0]}")
    assert lines[at + 1] == f"  {TAIL[1]}" and f"host_head: {HEAD}" in lines
    assert run(capsys, "info", made, "--sheet", tmp_path / "sheet.md")[0] == 0
    assert run(capsys, "vectors", made, "--count", 1, "-o", tmp_path / "set")[0] == 0
    for page in ("sheet.md", "set/README.md"):
        text = (tmp_path / page).read_text().replace("\\", "")
        assert f"Left to the host before its inputs: {HEAD}." in text
        assert f"Left to the host after its outputs: {'; '.join(TAIL)}." in text


def test_a_long_tail_is_cut_short(tmp_path, capsys):
    """Twelve lines, and how many more."""
    file = wrapped(tmp_path / "m.tflite", tail=("DEQUANTIZE", *["TANH"] * 14))
    out = run(capsys, "import", file, "--contract", "tflm", "-o", tmp_path / "m.npz")[1]
    assert out.splitlines()[-1] == "  and 3 more, which intgold info lists"
    assert out.count("\n  op ") == 12


def test_contracts_are_compared(tmp_path, capsys):
    """Without --contract: a row for each other one, how often it differs and from which op on."""
    file, made = wrapped(tmp_path / "m.tflite", "HARD_SWISH"), tmp_path / "m.npz"
    status, out, _ = run(capsys, "import", file, "-o", made)
    assert status == 0 and intgold.load(made).contract == "litert_reference"
    lines = out.splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith("beside"))
    assert lines[head] == "beside litert_reference, on 8 random images:"
    assert lines[head + 1].split() == [
        "contract", "values", "differing", "of", "logits", "first", "op", "that", "differs"
    ]  # fmt: skip
    rows = {line.split()[0]: line.split()[1:] for line in lines[head + 3 :]}
    assert set(rows) == set(CONTRACTS) - {"litert_reference"}
    assert rows["tflm"] == ["64", "0", "0", "-"]
    assert run(capsys, "import", file, "-o", made, "-q")[1].count("beside") == 0


def test_where_contracts_differ(tmp_path, capsys):
    """What the table counts is what the models say: per tensor and per output."""
    w = Writer()
    x, y, z = (w.tensor((1, 40), "int8", s, 3, name=n)
               for s, n in ((0.5, "x"), (0.4, "y"), (0.3, "z")))  # fmt: skip
    w.op("QUANTIZE", [x], y)
    w.op("LEAKY_RELU", [y], z, 1, "LeakyReluOptions", Alpha=0.3)
    file = tmp_path / "m.tflite"
    file.write_bytes(w.finish([x], [z, y]))
    out = run(capsys, "import", file, "-o", tmp_path / "m.npz")[1].splitlines()
    row = next(line for line in out if line.startswith("xnnpack")).split()
    from intgold.contracts import contract_named
    from intgold.importers.tflite.convert import convert_graph
    from intgold.importers.tflite.file.reader import read
    from intgold.study.engines.file_stimulus import file_stimulus

    graph = read(file)
    models = [convert_graph(graph, contract_named(c), "m") for c in ("litert_reference", "xnnpack")]
    given = file_stimulus(graph, models[0].cut, 8, corners=False).inputs[0]
    a, b = (m.model.run(given, backend="golden", trace=True).tensors for m in models)
    differing = [int((a[n] != b[n]).sum()) for n in ("y", "z")]
    assert min(differing) > 0
    assert row == [
        "xnnpack", "640", str(sum(differing)), str(differing[1]), str(differing[0]),
        "op", "0", "(QUANTIZE):", str(differing[0]), "of", "320",
    ]  # fmt: skip


def test_contracts_that_do_not_take_a_file(tmp_path, capsys):
    """Each with the reason; where the default does not, those that do are named, and status 2."""
    file = wrapped(tmp_path / "gelu.tflite", "GELU")
    status, out, _ = run(capsys, "import", file, "-o", tmp_path / "m.npz")
    assert status == 0
    assert "not under tflm: op 1 (GELU): TFLite Micro reference kernels: no kernel for it on" in out
    file = wrapped(tmp_path / "elu.tflite", "ELU")
    status, out, err = run(capsys, "import", file, "-o", tmp_path / "none.npz")
    assert status == 2 and not (tmp_path / "none.npz").exists()
    assert out.splitlines()[0] == (
        "contracts that take the file: intgold, litert_optimised_x86, xnnpack, tflm, cmsis_nn"
    )
    assert out.splitlines()[1].startswith("not under litert_reference: op 1 (ELU): ")
    assert err.startswith(f"intgold import: {file}: op 1 (ELU): LiteRT reference kernels: no kern")


def test_a_file_that_no_contract_takes(tmp_path, capsys):
    """The one line, and no table."""
    file = wrapped(tmp_path / "m.tflite", "LSTM")
    status, out, err = run(capsys, "import", file, "-o", tmp_path / "m.npz")
    assert (status, out) == (2, "")
    assert err == f"intgold import: {file}: op 1 (LSTM): this op is not known\n"


@pytest.mark.parametrize("ends", ["QUANTIZE", "integers", "SOFTMAX"])
def test_check_compares_every_tensor(ends, tmp_path, capsys, monkeypatch):
    """On the engine of the contract: reals that its QUANTIZE brings to integers, plain outputs."""
    stand_in_engine.install(monkeypatch, tmp_path)
    tail = ("DEQUANTIZE", "SOFTMAX") if ends == "SOFTMAX" else ("DEQUANTIZE",)
    file = wrapped(tmp_path / "m.tflite", integers=ends == "integers", tail=tail)
    status, out, _ = run(capsys, "import", file, "--check", "--count", 7)
    lines = out.splitlines()
    if ends == "SOFTMAX":
        assert lines.pop() == "outputs not compared, since the host computes them: softmax_y"
    first = 0 if ends == "integers" else 1
    rows = [
        *(["op", "0", "(QUANTIZE)", "input", "28", "0"],) * first,
        ["op", str(first), "(RELU)", "mid", "28", "0"],
        ["op", str(first + 1), "(ADD)", "logits", "28", "0"],
        *{
            "integers": [["output", "logits", "28", "0"]],
            "QUANTIZE": [["output,", "op", "3", "(DEQUANTIZE)", "logits", "28", "0"]],
        }.get(ends, []),
    ]
    assert status == 0 and [line.split() for line in lines[2:-1]] == rows
    values = 28 * len(rows)
    assert lines[-1] == (
        "7 images on ai-edge-litert 9.8 (contract: 2.3.0), as litert_reference: "
        f"{values} values compared, 0 differ"
    )


def test_check_of_several_images_at_once(tmp_path, capsys, monkeypatch):
    """As many images as the file takes, or a multiple."""
    stand_in_engine.install(monkeypatch, tmp_path)
    w = Writer()
    x, y = (w.tensor((4, 3), "float32") for _ in range(2))
    a, b = (w.tensor((4, 3), "int8", 0.5, 3, name=n) for n in "ab")
    for kind, read, made in (("QUANTIZE", x, a), ("RELU", a, b), ("DEQUANTIZE", b, y)):
        w.op(kind, [read], made)
    file = tmp_path / "m.tflite"
    file.write_bytes(w.finish([x], [y]))
    status, out, _ = run(capsys, "import", file, "--check", "--count", 6)
    lines = [line.split() for line in out.splitlines()]
    assert status == 0 and lines[-1][:2] == ["8", "images"]
    assert [line[-2:] for line in lines[2:-1]] == [["24", "0"]] * 3


def test_check_leaves_out_what_nothing_reads(tmp_path, capsys, monkeypatch):
    """A delegate does not produce such a tensor: it is not asked for."""
    stand_in_engine.install(monkeypatch, tmp_path)
    w = Writer()
    x, unread, y = (w.tensor((1, 4), "int8", 0.5, 3, name=n) for n in ("x", "unread", "y"))
    w.op("RELU", [x], unread)
    w.op("RELU", [x], y)
    file = tmp_path / "m.tflite"
    file.write_bytes(w.finish([x], [y]))
    status, out, _ = run(capsys, "import", file, "--check", "--count", 7)
    rows = [line.split() for line in out.splitlines()[2:-1]]
    assert status == 0 and rows[0] == ["op", "1", "(RELU)", "y", "28", "0"]
    assert not any("unread" in row for row in rows)


def with_bools(path, *unread):
    """A file of a bool and int8: a SELECT by the bool, and what no integer depends on."""
    w = Writer()
    c = w.tensor((1, 4), "bool", name="which")
    a, b, y = (w.tensor((1, 4), "int8", 0.5, 3, name=n) for n in "aby")
    w.op("SELECT_V2", [c, a, b], y)
    z = w.tensor((1, 4), "bool", name="neither")
    w.op("LOGICAL_NOT", [c], z)
    inputs, outputs = [c, a, b], [y, z]
    for dtype in unread:
        x, cos = (w.tensor((1, 4), dtype, name=f"{n}_{dtype}") for n in ("host", "cos"))
        w.op("COS", [x], cos)
        inputs.append(x)
        outputs.append(cos)
    path.write_bytes(w.finish(inputs, outputs))
    return str(path)


def test_bools_are_fed(tmp_path, capsys, monkeypatch):
    """To the models of other contracts and to the engine: 0 and 1; floats that the host reads."""
    stand_in_engine.install(monkeypatch, tmp_path)
    file, made = with_bools(tmp_path / "m.tflite", "float32", "float16"), tmp_path / "m.npz"
    status, out, _ = run(capsys, "import", file, "-o", made)
    rows = [line.split() for line in out.splitlines()]
    assert status == 0 and ["xnnpack", "64", "0", "0", "0", "-"] in rows
    assert "bool_outputs: neither\n" in run(capsys, "info", made)[1]
    assert run(capsys, "vectors", made, "--count", 1, "-o", tmp_path / "set")[0] == 0
    assert "Outputs that are bools: neither." in (tmp_path / "set" / "README.md").read_text()
    status, out, _ = run(capsys, "import", file, "--check", "--count", 7)
    rows = [line.split() for line in out.splitlines()]
    assert status == 0 and ["op", "0", "(SELECT_V2)", "y", "28", "0"] in rows
    assert ["output", "neither", "28", "0"] in rows
    assert out.splitlines()[-1] == (
        "outputs not compared, since the host computes them: cos_float32, cos_float16"
    )


def test_stimuli_of_bools():
    """0, 1, a checker, then as many of either; without corners none of the first."""
    from intgold.importers.tflite.file.reader import FileTensor
    from intgold.study.engines.file_stimulus import integer_batch

    tensor = FileTensor(
        0, "x", (1, 50), "bool", np.zeros(0, np.float32), np.zeros(0, np.int64), 0, None
    )  # fmt: skip
    x, plain = (
        integer_batch(np.random.default_rng(0), tensor, 40, corners=corners)
        for corners in (True, False)
    )
    assert x.dtype == plain.dtype == bool and x.shape == plain.shape == (40, 50)
    assert not x[0].any() and x[1].all() and np.array_equal(x[4], np.arange(50) % 2 == 1)
    assert all(0.4 < batch[5:].mean() < 0.6 for batch in (x, plain))


def test_inputs_that_only_the_host_reads(tmp_path):
    """Bools 0 and 1 alike, float16 as float32; the values are those of the file's types."""
    from intgold.importers.tflite.file.reader import read
    from intgold.importers.tflite.graph.float_islands import cut_float_ends
    from intgold.study.engines.file_stimulus import file_stimulus

    w = Writer()
    x, y = (w.tensor((1, 4), "int8", 0.5, 3) for _ in range(2))
    w.op("RELU", [x], y)
    host = [w.tensor((1, 99), of) for of in ("bool", "float16")]
    for at in host:
        w.op("CAST", [at], w.tensor((1, 99), "float32"))
    (tmp_path / "m.tflite").write_bytes(w.finish([x, *host], [y]))
    graph = read(tmp_path / "m.tflite")
    bools, reals = (file_stimulus(graph, cut_float_ends(graph), 20).inputs[at] for at in host)
    assert (bools.dtype, reals.dtype) == (bool, np.float16) and 0.4 < bools.mean() < 0.6
    assert reals.min() < -1 and reals.max() > 9


def test_a_comparison_that_cannot_be_made(tmp_path, capsys):
    """The import is done, status 0: a line says why contracts are not compared."""
    w = Writer()
    x, y = (w.tensor((1, 4), "int8", 0.5, 3, name=n) for n in "xy")
    text = w.tensor((1, 4), "int16", name="text")
    w.op("RELU", [x], y)
    w.op("DEQUANTIZE", [text], w.tensor((1, 4), "float32", name="real"))
    kept, TYPES["int16"] = TYPES["int16"], 5  # strings
    try:
        data = w.finish([x, text], [y])
    finally:
        TYPES["int16"] = kept
    file, made = tmp_path / "m.tflite", tmp_path / "m.npz"
    file.write_bytes(data)
    status, out, err = run(capsys, "import", file, "-o", made)
    assert (status, err) == (0, "") and made.exists()
    assert out.splitlines()[-1] == (
        "contracts are not compared: input text: type 5 of the schema is not fed"
    )


@pytest.mark.parametrize(("bug", "row"), [
    ("op 1", ["op", "1", "(RELU)", "mid", "28", "7"]),
    ("plain", ["output,", "op", "3", "(DEQUANTIZE)", "logits", "28", "7"]),
])  # fmt: skip
def test_check_counts_what_differs(bug, row, tmp_path, capsys, monkeypatch):
    """Status 1; a tensor on the way, or an output only where tensors are not kept."""
    stand_in_engine.install(monkeypatch, tmp_path)
    monkeypatch.setenv("STAND_IN_BUG", bug)
    file, made = wrapped(tmp_path / "m.tflite", tail=("DEQUANTIZE",)), tmp_path / "m.npz"
    status, out, _ = run(capsys, "import", file, "--check", "--count", 7, "-o", made)
    assert status == 1 and made.exists()
    assert row in [line.split() for line in out.splitlines()]
    assert out.splitlines()[-1].endswith(", 7 differ")


@pytest.mark.parametrize(("bug", "why"), [
    ("refuses", "{file}: ai-edge-litert 9.8 (contract: 2.3.0) refuses it: refused: no such kernel"),
    ("ends", "the engine of litert_reference ended with status -6: "),
])  # fmt: skip
def test_an_engine_that_gives_no_answer(bug, why, tmp_path, capsys, monkeypatch):
    """It refuses the file, or ends its process: one line, status 2."""
    stand_in_engine.install(monkeypatch, tmp_path)
    monkeypatch.setenv("STAND_IN_BUG", bug)
    file = wrapped(tmp_path / "m.tflite")
    status, out, err = run(capsys, "import", file, "--check")
    assert (status, out) == (2, "")
    assert err.startswith(f"intgold import: {why.format(file=file)}") and err.count("\n") == 1


def test_what_check_needs(tmp_path, capsys, monkeypatch):
    """A package that is here, a contract with one; an output or a check; a count that is one."""

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(engine_check, "version", absent)
    file = wrapped(tmp_path / "m.tflite")
    missing = "contract {}: the package {} is not installed: pip install {}".format
    package, other = "ai-edge-litert", "tflite-micro"
    known = "litert_reference, litert_optimised_x86, xnnpack, tflm"
    no_package = f"no package brings the engine of contract cmsis_nn; those of {known} can be run"
    for arguments, why in (
        (["--check"], missing("litert_reference", package, package)),
        (["--check", "--contract", "tflm"], missing("tflm", other, other)),
        (["--check", "--contract", "cmsis_nn"], no_package),
        ([], "give -o NPZ to write the model, --check to compare it, or both"),
        (["--count", "3", "-o", tmp_path / "m.npz"], "--count 3 goes with --check"),
        (["--check", "--count", "0"], "--count 0: 1 to 10000"),
    ):
        status, out, err = run(capsys, "import", file, *arguments)
        assert (status, out, err) == (2, "", f"intgold import: {why}\n")


def test_reals_are_brought_back_exactly():
    """(q - zero) * scale in float32, divided or times the reciprocal: the integer, to 1e-4."""
    from intgold.importers.tflite.file.reader import FileTensor
    from intgold.study.engines.file_stimulus import integers_of, reals

    rng = np.random.default_rng(0)
    for scale in (10 ** rng.uniform(-20, 20, 200)).astype(np.float32):
        tensor = FileTensor(
            0, "x", (256,), "int8", np.array([scale]), np.array([-7]), 0, None
        )  # fmt: skip
        q = np.arange(-128, 128).astype(np.int8)
        x = reals(q, tensor)
        assert x.dtype == np.float32
        for back in (x / scale, x * (np.float32(1) / scale)):
            assert np.abs(back - (q.astype(int) + 7)).max() < 1e-4
        other = np.float32(scale) * q.astype(np.float32) + np.float32(7 * scale)
        for made in (x, other):
            assert np.array_equal(integers_of(made, tensor), q)
        assert np.isnan(integers_of(x + scale / 4, tensor)).all()
