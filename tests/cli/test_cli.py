"""The command line: examples in every help, one line per error, exit status 2, nothing left."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import intgold
import tools
from intgold.cli import COMMANDS, main
from intgold.quantize import shipped
from intgold.support.safe_files import canonical_json, write_zip


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("command", list(COMMANDS))
def test_help_shows_examples(command, capsys):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "examples:" in out and f"intgold {command}" in out.split("examples:")[1]
    assert COMMANDS[command].EXAMPLES in out


def test_version_and_help(capsys):
    for flag, text in (("--version", intgold.__version__), ("--help", "selftest")):
        assert main([flag]) == 0 and text in capsys.readouterr().out


def test_no_command_shows_the_help(capsys):
    """On the standard output, as git does; the status is not 0, and 1 would mean "different"."""
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out.startswith("usage: intgold")
    assert all(re.search(rf"^    {command}\b", captured.out, re.M) for command in COMMANDS)


def test_two_ways_to_start_it():
    """The command and ``python -m intgold`` say the same."""
    ways = ([Path(sys.executable).parent / "intgold"], [sys.executable, "-m", "intgold"])
    said = [
        subprocess.run([*way, "contracts", "--help"], capture_output=True, text=True, check=True)
        for way in ways
    ]
    assert said[0].stdout == said[1].stdout and "intgold contracts" in said[0].stdout


def test_the_package_is_light_until_it_is_used():
    """A command that starts can be interrupted: NumPy is not loaded before it handles that."""
    loaded = "intgold, intgold.support.interrupts, intgold.__main__"
    script = f"import sys, {loaded}; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
    assert set(intgold.__all__) <= set(dir(intgold))
    for name in intgold.__all__:
        assert getattr(intgold, name) is not None
    with pytest.raises(AttributeError, match="laod"):
        intgold.laod  # noqa: B018


def complete(line, folder):
    """What a shell is offered at the end of a line."""
    environment = {
        **os.environ, "_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n", "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "offered"), "_ARGCOMPLETE_IFS": "\n",
    }  # fmt: skip
    subprocess.run([Path(sys.executable).parent / "intgold"], env=environment, cwd=folder)
    return (folder / "offered").read_text().split("\n")


def test_shell_completion(tmp_path):
    """Commands, options, choices and files, by argcomplete."""
    tools.need("argcomplete")
    (tmp_path / "kws.npz").touch()
    assert complete("intgold ve", tmp_path) == ["vectors", "verify"]
    assert "--stimulus" in complete("intgold vectors lut --st", tmp_path)
    assert complete("intgold predict lut --backend g", tmp_path) == ["golden"]
    assert complete("intgold info k", tmp_path) == ["kws.npz"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nowhere.npz"], "nowhere.npz"),
        (["predict", "lut", "nowhere.npy"], "nowhere.npy"),
        (["predict", "lut"], "--mnist"),
        (["vectors", "lut", "--count", "0", "-o", "set"], "count: 0"),
        (["vectors", "lut", "--formats", "oct", "-o", "set"], "oct"),
        (["vectors", "lut", "--stimulus", "nowhere.npy", "-o", "set"], "nowhere.npy"),
        (["verify", "nowhere", "--dut", "."], "nowhere"),
        (["quantize", "nowhere.npz", "--ranges", "r.json", "-o", "m.npz"], "nowhere.npz"),
        (["selftest", "--graphs", "0"], "0 graphs"),
        (["regress", "--count", "0", "-o", "o"], "count: 0"),
        (["regress", "--seed", "-1", "-o", "o"], "seed: -1"),
        (["regress", "--isa", "mmx", "-o", "o"], "isa 'mmx' does not run here"),
        (["vectors", "lut", "--backend", "c", "--isa", "mmx", "-o", "set"], "isa 'mmx'"),
        (["vectors", "lut", "--isa", "portable", "-o", "set"], "isa: 'portable' is a variant of"),
    ],
)
def test_errors_are_one_line_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert status == 2 and out == "" and err.count("\n") == 1
    assert err.startswith(f"intgold {arguments[0]}: ") and message in err
    assert list(tmp_path.iterdir()) == []


def test_a_long_error_is_cut(capsys, tmp_path):
    """Whatever a file holds, a line that people can read; its ends name file and fault."""
    path = tmp_path / "model.npz"
    write_zip(path, {"model.json": canonical_json({"format": "intgold-model"}), "\x1b[2J\n": b""})
    status, _, err = run(capsys, "info", path)
    assert status == 2 and err.count("\n") == 1 and err[:-1].isprintable() and str(path) in err
    document = {"format": "x" * 10**6, "images": 1, "method": "", "layers": {}}
    (tmp_path / "ranges.json").write_bytes(canonical_json(document))
    status, _, err = run(
        capsys, "quantize", shipped.MODELS / "mnist_float.npz",
        "--ranges", tmp_path / "ranges.json", "-o", tmp_path / "m.npz",
    )  # fmt: skip
    assert status == 2 and len(err) < 3000 and err.endswith("x'\n")
    assert str(tmp_path / "ranges.json") in err


def test_no_memory_is_one_line(capsys, tmp_path, monkeypatch):
    """Wherever it ends, and by what engine."""
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))

    def fail(*arguments, **options):
        raise MemoryError("Unable to allocate 9 GiB")

    arguments = ["predict", "lut", tmp_path / "x.npy"]
    for backend, name in (("golden", "run.backends._run_golden"), ("c", "native.NativeModel.run")):
        with monkeypatch.context() as patch:
            patch.setattr(f"intgold.{name}", fail)
            status, _, err = run(capsys, *arguments, "--backend", backend)
            assert status == 2 and err.count("\n") == 1
            assert "for 2 images, the tensors of one have " in err and "9 GiB" in err
    monkeypatch.setattr("intgold.cli.predict.call", fail)
    status, _, err = run(capsys, *arguments)
    assert status == 2 and err == "intgold predict: not enough memory: Unable to allocate 9 GiB\n"


def test_info(capsys):
    status, out, _ = run(capsys, "info", "pwl")
    assert status == 0 and "accumulator" in out and "global_avg_pool" in out


def test_quantize_gives_the_shipped_model(capsys, tmp_path):
    """The command with its defaults produces the same content as the shipped pwl model."""
    status, _, _ = run(
        capsys, "quantize", shipped.MODELS / "mnist_float.npz",
        "--ranges", shipped.MODELS / "mnist_ranges.json", "--activation", "pwl:8",
        "-o", tmp_path / "m.npz",
    )  # fmt: skip
    assert status == 0
    made, frozen = intgold.load(tmp_path / "m.npz"), intgold.load("pwl")
    x = np.arange(-128, 656, dtype=np.int64).astype(np.int8).reshape(1, 28, 28, 1)
    assert np.array_equal(made.run(x).output, frozen.run(x).output)


def test_quantize_by_name(capsys, tmp_path):
    """A shipped network has its own ranges; any other needs them."""
    assert run(capsys, "quantize", "mnist", "-o", tmp_path / "m.npz")[0] == 0
    made, frozen = intgold.load(tmp_path / "m.npz"), intgold.load("lut")
    assert dict(made.metadata) == dict(frozen.metadata)
    assert made.tensors == frozen.tensors
    network = shipped.MODELS / "mnist_relu_float.npz"
    status, _, err = run(capsys, "quantize", network, "-o", tmp_path / "n.npz")
    assert status == 2 and "--ranges" in err and not (tmp_path / "n.npz").exists()
    assert run(capsys, "quantize", "mnist_relu", "-o", tmp_path / "n.npz")[0] == 0


def test_quantize_calibrates_on_images(capsys, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    status, out, _ = run(
        capsys, "quantize", shipped.MODELS / "mnist_float.npz", "--images",
        tmp_path / "images.npy", "--form", "double", "--per-tensor", "-o", tmp_path / "m.npz",
    )  # fmt: skip
    assert status == 0 and "double" in out
    assert intgold.load(tmp_path / "m.npz").ops[0]["requantize"].count == 1


def test_predict(capsys, tmp_path):
    """One answer a line; with labels the accuracy; .npy and IDX files."""
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    want = intgold.load().predict(images).tolist()
    np.save(tmp_path / "x.npy", images)
    idx = bytes((0, 0, 8, 3)) + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    (tmp_path / "x.idx").write_bytes(idx)
    for name in ("x.npy", "x.idx"):
        for backend in ("c", "golden"):
            status, out, _ = run(capsys, "predict", "lut", tmp_path / name, "--backend", backend)
            assert status == 0 and [int(line) for line in out.split()] == want
    np.save(tmp_path / "y.npy", np.array([*want[:4], (want[4] + 1) % 10], np.uint8))
    status, out, _ = run(
        capsys, "predict", "lut", tmp_path / "x.npy", "--labels", tmp_path / "y.npy"
    )
    assert status == 0 and out == "4 of 5 right, 80.00%\n"
    np.save(tmp_path / "y.npy", np.array([*want[:4], 10], np.uint8))
    line = ("predict", "lut", tmp_path / "x.npy", "--labels", tmp_path / "y.npy")
    status, _, err = run(capsys, *line)
    assert status == 2 and "labels: 10 at (4,) is no class; they are 0 to 9" in err
    (tmp_path / "x.idx").write_bytes(idx[:-1])
    assert run(capsys, "predict", "lut", tmp_path / "x.idx")[0] == 2


def test_selftest_and_golden(capsys, tmp_path):
    """The tables, the last line and the vector sets; the sets verify."""
    status, out, _ = run(capsys, "selftest", "--graphs", 30, "--images", 10)
    assert status == 0 and re.search(r"^0 differing values, \d+ s: golden = c$", out, re.M)
    for line in (
        f"intgold   {intgold.__version__}, SPEC",
        "CPU ",
        f"engine    {intgold.native.isa_name()}, built by",
    ):
        assert f"\n{line}" in "\n" + out
    status, out, _ = run(capsys, "regress", "-o", tmp_path / "out", "--count", 20)
    last = out.splitlines()[-1]
    assert status == 0 and " tensors, 0 differing values, golden = c; vectors in " in last
    for name in ("lut", "pwl"):
        vectors = tmp_path / "out" / name
        assert run(capsys, "verify", vectors, "--dut", vectors)[0] == 0
    status, _, error = run(capsys, "regress", "-o", vectors, "--count", 20)
    assert (status, error) == (
        2,
        f"intgold regress: {vectors}: a vector set; give a folder that is none\n",
    )


def test_every_variant_writes_the_same(capsys, tmp_path):
    """--isa of predict, vectors and golden: the answers and bytes of the golden model."""
    np.save(tmp_path / "x.npy", np.random.default_rng(1).integers(0, 256, (9, 28, 28), np.uint8))
    answers = run(capsys, "predict", "lut", tmp_path / "x.npy", "--backend", "golden")[1]
    assert len(set(answers.split())) > 1
    assert run(capsys, "vectors", "lut", "--count", 2, "-o", tmp_path / "golden")[0] == 0
    for isa in intgold.native.variants():
        assert run(capsys, "predict", "lut", tmp_path / "x.npy", "--isa", isa)[1] == answers
        made = tmp_path / isa
        arguments = ["lut", "--count", 2, "--backend", "c", "--isa", isa, "-o", made]
        assert run(capsys, "vectors", *arguments)[0] == 0
        for path in (tmp_path / "golden").rglob("*.*"):
            twin = made / path.relative_to(tmp_path / "golden")
            assert path.read_bytes() == twin.read_bytes(), path
    out = run(capsys, "regress", "--isa", "portable", "--count", 3, "-o", tmp_path / "job")[1]
    assert " 0 differing values, golden = c; vectors in " in out


def test_selftest_proves_each_variant(capsys, monkeypatch):
    """A line per variant; one wrong value in one of them fails; the absent ones are named."""
    isas = intgold.native.variants()
    status, out, _ = run(capsys, "selftest", "--graphs", 12, "--images", 2)
    rows = dict(re.findall(r"^(\w+) +([\d,]+ +\d+)$", out.split("variant ")[1], re.M))
    assert status == 0 and set(rows) == set(isas)
    assert len(set(rows.values())) == 1 and next(iter(rows.values())).endswith(" 0")
    right = intgold.Session.run

    def wrong(self, *arguments, **options):
        made = right(self, *arguments, **options)
        if self.isa == isas[-1]:
            made.output.flat[0] ^= 1
        return made

    monkeypatch.setattr(intgold.Session, "run", wrong)
    monkeypatch.setattr(intgold.native, "built", lambda: (*isas, "riscv"))
    status, out, _ = run(capsys, "selftest", "--graphs", 12, "--images", 2)
    assert status == 1 and out.endswith("FAILED\n")
    rows = dict(re.findall(r"^(\w+) +[\d,]+ +(\d+)$", out.split("variant ")[1], re.M))
    assert {name for name, differing in rows.items() if differing != "0"} == {isas[-1]}
    assert "\nunproved here: riscv (in this build; this CPU cannot run them)\n" in out


def test_built_variants_are_those_of_the_sources():
    """What runs here is in the build; the names are those that the kernels themselves have."""
    built = intgold.native.built()
    assert set(intgold.native.variants()) <= set(built) and "portable" in built
    sources = (Path(__file__).parents[2] / "csrc/kernels").rglob("kernels_*.c")
    named = {n for s in sources for n in re.findall(r'\.name = "(\w+)"', s.read_text())}
    assert set(built) <= named == {n for n in intgold.native.ISAS if n != "auto"}


def test_golden_sees_a_difference(capsys, monkeypatch):
    """With one wrong value in one engine the tally is not 0: the job can fail."""
    from intgold.regression.selftest import MismatchCount
    from intgold.vectors.cases.random_models import random_inputs, random_model

    model = random_model(0)
    x = random_inputs(model, 2, 0)
    one, other = model.run(x, trace=True), model.run(x, trace=True)
    tally = MismatchCount()
    tally.add(one, other)
    assert tally.differing == 0 and tally.values > 0
    next(iter(other.accumulators.values())).flat[0] += 1
    tally.add(one, other)
    assert tally.differing == 1


def test_data_says_where_mnist_is(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "data", "--check")
    assert status == 2 and "MNIST" in err
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "nowhere"))
    status, _, err = run(capsys, "data", "--check")
    assert status == 2 and "nowhere" in err


def test_a_reader_that_stops_is_no_error():
    """`intgold info lut | head -1` ends quietly."""
    program = Path(sys.executable).parent / "intgold"
    run = subprocess.run(
        f"{program} info lut | head -1", shell=True, capture_output=True, text=True,
        env=dict(os.environ),
    )  # fmt: skip
    assert run.returncode == 0 and run.stderr == "" and run.stdout.startswith("mnist_lut")


def test_a_defect_is_neither_different_nor_bad_input(monkeypatch, capsys):
    """What nobody foresaw: status 3, one line that asks for a report, the traceback on request."""

    def broken(path):
        raise ZeroDivisionError("at \x1b[31m" + "x" * 60_000)

    monkeypatch.setattr(intgold, "load", broken)
    for more in ([], ["-v"]):
        assert main(["info", "lut", *more]) == 3
        captured = capsys.readouterr()
        said = [line for line in captured.err.splitlines() if "a defect of intgold" in line]
        assert captured.out == "" and len(said) == 1 and len(said[0]) <= 2000
        assert said[0].startswith("intgold info: a defect of intgold, please report")
        assert "ZeroDivisionError: at \\x1b[31mxxx" in said[0] and "-v shows where" in said[0]
        assert ("Traceback" in captured.err) == bool(more)


@pytest.mark.parametrize(
    "arguments",
    [
        ["vectors", "lut", "--count"],
        ["verify", "set", "--dut", "set", "--products"],
        ["bench", "--batches"],
        ["signatures", "set", "-o", "x", "--tile"],
        ["vectors", "lut", "--images"],
        ["vectors", "lut", "--partials"],
        ["quantize", "mnist", "--multiplier-bits"],
        ["info"],
        ["locate", "set"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "value", ["9" * 5000, "ic:" + "9" * 5000, "x" * 60_000, "\x1b[31m\n" * 900]
)
def test_arguments_of_any_length(arguments, value, tmp_path, monkeypatch, capsys):
    """Numbers of thousands of digits and long names: status 2 and a line that people can read."""
    monkeypatch.chdir(tmp_path)
    try:
        status = main([*arguments, value])
    except SystemExit as left:
        status = left.code
    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    assert status == 2 and captured.out == "" and last.isprintable() and len(last) < 2200


@pytest.mark.parametrize("flag", ["-q", "--quiet", "-v", "--verbose"])
def test_verbosity_before_the_command(flag, capsys):
    """By itself or before a command, the last line says where it goes."""
    for line in ([flag], [flag, "info", "lut"]):
        with pytest.raises(SystemExit) as stop:
            main(line)
        assert stop.value.code == 2
        last = capsys.readouterr().err.splitlines()[-1]
        assert last == f"intgold: error: {flag} goes after the command: intgold COMMAND {flag}"


def test_what_verbosity_says(tmp_path, capsys):
    """-v names the folder of a set and counts its files; -q leaves the result, and no notes."""
    out = tmp_path / "set"
    for count in (1, 2):  # a new folder, one that is replaced
        assert main(["vectors", "lut", "-v", "--count", str(count), "-o", str(out)]) == 0
        files = sum(path.is_file() for path in out.rglob("*"))
        assert f"wrote folder {out}, {files} files\n" in capsys.readouterr().err
    assert main(["vectors", "lut", "-q", "--count", "2", "-o", str(out)]) == 0
    got = capsys.readouterr()
    assert got.err == "" and "images" in got.out
