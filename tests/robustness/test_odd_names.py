"""Paths, locales and streams of every kind: each command works, or says why not in one line."""

import errno
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from test_writing import network, ranges

import intgold
from intgold.cli import COMMANDS, main
from intgold.exporters import write_c
from intgold.vectors.sets.manifest import read_manifest

NAMES = (
    "with space",
    "quo'te\"s",
    "new\nline",
    "ü漢字🙂",
    "$(x);&|*?",
    "\x1b[31m",
    os.fsdecode(b"\xff"),
)


def every_command(folder):
    """Commands that read and write below `folder`, in order; all succeed."""
    lut = f"{folder}/lut.npz"
    return [
        ["quantize", f"{folder}/float.npz", "--ranges", f"{folder}/ranges.json", "-o", lut],
        ["info", lut],
        ["predict", lut, f"{folder}/images.npy", "--labels", f"{folder}/labels.npy"],
        ["quantize", f"{folder}/float.npz", "--images", f"{folder}/images.npy", "-o", lut],
        ["vectors", lut, "--stimulus", f"{folder}/images.npy", "--count=1", "-o", f"{folder}/set"],
        ["verify", f"{folder}/set", "--dut", f"{folder}/set"],
    ]  # fmt: skip


def fill(folder):
    """Put what `every_command` reads into `folder`."""
    folder.mkdir()
    network(1.0).save(folder / "float.npz")
    ranges(16.0).save(folder / "ranges.json")
    np.save(folder / "images.npy", np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    np.save(folder / "labels.npy", np.zeros(3, np.uint8))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_odd_names(name, tmp_path, capsys):
    """Every command reads from and writes to such a place; errors stay one line."""
    folder = tmp_path / name
    fill(folder)
    for arguments in every_command(folder):
        assert main(arguments) == 0, arguments
        captured = capsys.readouterr()
        assert captured.out and captured.err == ""
    write_c([intgold.load(folder / "lut.npz")], folder / "model.c")
    read_manifest(folder / "set")
    for arguments in every_command(tmp_path / name / "nowhere"):
        assert main(arguments) == 2, arguments
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1
        assert captured.err[:-1].isprintable() and captured.err.startswith("intgold ")


def program(arguments, **options):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "intgold", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, **options)


LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "UTF-8": {"PYTHONUTF8": "1"},
}


@pytest.mark.parametrize("locale", LOCALES)
def test_names_in_any_locale(locale, tmp_path):
    """Printing a name that the locale cannot hold is no error, and never a traceback."""
    for name in ("ü漢字🙂", os.fsdecode(b"\xff\xfe")):
        folder = tmp_path / name
        fill(folder)
        environment = {**os.environ, **LOCALES[locale]}
        for arguments in every_command(folder)[0], every_command(folder)[4]:
            run = program(arguments, stdout=subprocess.PIPE, env=environment)
            assert (run.returncode, run.stderr) == (0, b"") and run.stdout
        run = program(["info", folder / "nowhere"], stdout=subprocess.PIPE, env=environment)
        assert run.returncode == 2 and run.stderr.count(b"\n") == 1
        assert b"nowhere" in run.stderr and b"Traceback" not in run.stderr


def test_golden_writes_to_odd_places(tmp_path, capsys):
    """The main job: into a folder of an odd name, and not through a file."""
    folder = tmp_path / "ü 漢字\n"
    assert main(["regress", "--count", "4", "-o", str(folder)]) == 0
    for name in ("lut", "pwl"):
        read_manifest(folder / name)
    (tmp_path / "file").write_text("mine")
    capsys.readouterr()
    assert main(["regress", "--count", "4", "-o", str(tmp_path / "file")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and str(tmp_path / "file") in captured.err
    assert (tmp_path / "file").read_text() == "mine"


FULL = [["info", "lut"], ["info", "lut", "--json"], ["map", "pwl"], ["contracts"]]
PRINTED = [[], ["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)]
"""What is printed before any command runs."""


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", FULL, ids=" ".join)
def test_a_full_standard_output(command, unbuffered, monkeypatch):
    """One line that says so and status 2, when it is written and when Python ends."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with open("/dev/full", "w") as full:
        run = program(command, stdout=full)
    said = f"intgold {command[0]}: cannot write standard output: No space left on device\n"
    assert (run.returncode, run.stderr.decode()) == (2, said)


class Full(io.TextIOBase):
    """A disk with room for nothing: said by every write, or only by the flush."""

    def __init__(self, buffered):
        self._buffered = buffered

    def write(self, text):
        if not self._buffered:
            self.flush()
        return len(text)

    def flush(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", PRINTED, ids=" ".join)
def test_a_full_standard_output_of_a_help(command, buffered, monkeypatch, capsys):
    """Of every command: one line that says so and status 2, at once and at the end."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Full(buffered))
        status = main(command)
    said = "intgold: cannot write standard output: No space left on device\n"
    assert (status, capsys.readouterr().err) == (2, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", PRINTED[:4], ids=" ".join)
def test_a_full_standard_output_of_the_program(command, unbuffered, monkeypatch):
    """As the program itself meets it, with and without a buffer of Python's."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with open("/dev/full", "w") as full:
        run = program(command, stdout=full)
    said = "intgold: cannot write standard output: No space left on device\n"
    assert (run.returncode, run.stderr.decode()) == (2, said)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_before_a_help(unbuffered, monkeypatch):
    """As of `head`: nothing is said, status 0."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reader, writer = os.pipe()
    os.close(reader)
    run = program(["info", "--help"], stdout=writer)
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize("closed", [1, 2])
def test_closed_streams(closed, tmp_path):
    """Without a standard output or error the command does what it does."""
    fill(tmp_path / "x")
    commands = every_command(tmp_path / "x")
    for command in commands[0], commands[4], commands[5]:
        run = program(command, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(closed))
        assert run.returncode == 0 and run.stderr == b"", command
    read_manifest(tmp_path / "x" / "set")
    run = program(["info", "nowhere"], stdout=subprocess.PIPE, preexec_fn=lambda: os.close(closed))
    assert run.returncode == 2 and run.stdout == b"" and b"Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["x" * 300, "file/x", "loop", "loop/x", ""], ids=lambda n: n[:8])
def test_paths_that_cannot_be(name, tmp_path, monkeypatch, capsys):
    """Too long, below a file, a link to itself, none: one line for whatever reads there."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "x")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to("loop")
    assert main(every_command("x")[0]) == 0 and main(every_command("x")[4]) == 0
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    for arguments in (
        ["info", name],
        ["predict", "x/lut.npz", name],
        ["predict", "x/lut.npz", "x/images.npy", "--labels", f"./{name}"],
        ["quantize", name, "--ranges", "x/ranges.json", "-o", "y"],
        ["quantize", "x/float.npz", "--ranges", f"./{name}", "-o", "y"],
        ["quantize", "x/float.npz", "--images", f"./{name}", "-o", "y"],
        ["vectors", "x/lut.npz", "--stimulus", name, "-o", "y"],
        ["verify", name, "--dut", "x/set"],
        ["verify", "x/set", "--dut", name],
    ):
        assert main(arguments) == 2, arguments
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1 and captured.out == "", arguments
    assert sorted(tmp_path.rglob("*")) == before
