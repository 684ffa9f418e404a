"""Long work says how far it is: a bar on a terminal, lines elsewhere, nothing with --quiet."""

import io
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from intgold.cli import COMMANDS, main
from intgold.quantize.layers import Layer
from intgold.support import progress
from intgold.support.progress import Progress, ended

PROGRAM = Path(sys.executable).parent / "intgold"


class Stream(io.StringIO):
    def __init__(self, terminal=False):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


def no_terminal(monkeypatch):
    """A standard error that is no terminal; a hundred times as many lines as people get."""
    made = Stream()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(progress, "FIRST", 0.05)
    monkeypatch.setattr(progress, "EVERY", 0.1)
    return made


def until(condition):
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_lines_off_a_terminal(monkeypatch):
    """One soon, then at intervals though nothing is counted meanwhile, and one at the end."""
    stream = no_terminal(monkeypatch)
    with Progress(total=4, unit="image", label="vectors", show=True) as bar:
        assert stream.getvalue() == ""
        until(lambda: stream.getvalue().count("\n") >= 2)
        bar.update(2)
        bar.facts(loss="0.5")
        so_far = stream.getvalue().count("\n")
        until(lambda: stream.getvalue().count("\n") > so_far)
        bar.update(2)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "vectors: 0 of 4 images, 00:00"
    assert re.fullmatch(r"vectors: 2 of 4 images, loss 0\.5, 00:00, about 00:00 left", lines[-2])
    assert lines[-1] == "vectors: 4 of 4 images, loss 0.5, 00:00"


def test_the_intervals_are_those_of_people():
    """What takes less than a second says nothing; then a line every ten seconds."""
    assert (progress.FIRST, progress.EVERY) == (1, 10)


def test_quick_work_says_nothing(monkeypatch):
    stream = no_terminal(monkeypatch)
    monkeypatch.setattr(progress, "FIRST", 5.0)
    assert list(Progress(range(3), unit="op", label="diagnose", show=True)) == [0, 1, 2]
    with Progress(total=1, unit="op", label="x", show=False) as bar:
        bar.update()
    assert stream.getvalue() == "" and ended() == ""


def test_a_bar_on_a_terminal(monkeypatch):
    terminal = Stream(terminal=True)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(Progress(range(3), unit="op", label="diagnose", show=True)) == [0, 1, 2]
    assert "diagnose: 100%" in terminal.getvalue() and "\r" in terminal.getvalue()


def test_without_a_standard_error(monkeypatch):
    """As where it was closed before the start."""
    monkeypatch.setattr(sys, "stderr", None)
    assert list(Progress(range(2), unit="op", label="x", show=True)) == [0, 1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_how_far_it_was(error):
    """Of the innermost work that ended early, in a loop or a block; reported once."""
    with pytest.raises(error), Progress(total=9, unit="B", label="outer", show=False):
        for i in Progress(range(5), unit="op", label="inner", show=False):
            if i == 2:
                raise error
    assert ended() == "inner: 2 of 5 ops"
    assert ended() == "" and not progress._active


def test_a_signal_before_the_first_is_counted(monkeypatch):
    """While the bar or the thread is being made."""

    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "_tqdm", stopped)
    with pytest.raises(KeyboardInterrupt):
        Progress(range(3), label="work", unit="op", show=True)
    assert ended() == "work: 0 of 3 ops" and not progress._active


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_quiet_or_verbose(command, capsys):
    """Both options are there, and exclude each other."""
    with pytest.raises(SystemExit) as stopped:
        main([command, "-q", "-v"])
    assert stopped.value.code == 2 and "not allowed with" in capsys.readouterr().err


def test_quiet_and_verbose(tmp_path, capsys, monkeypatch):
    """Quiet: nothing but warnings. Verbose: what is written, how long it took, where it failed."""
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.001)
    line = ["vectors", "lut", "--count", "2", "-o", str(tmp_path / "set")]
    assert main([*line, "-q"]) == 0 and capsys.readouterr().err == ""
    assert main(line) == 0 and "vectors: 0 of 2 images" in capsys.readouterr().err
    line[3] = "1"
    assert main([*line, "-q"]) == 0
    err = capsys.readouterr().err
    assert err.startswith(
        f"intgold vectors: replacing the vector set in {tmp_path / 'set'} (model "
    )
    assert err.count("\n") == 1 and ", 2 images, written 20" in err
    assert main([*line, "-v"]) == 0
    err = capsys.readouterr().err
    assert f"intgold vectors: wrote folder {tmp_path / 'set'}, 84 files\n" in err
    assert re.search(r"^intgold vectors: \d+\.\d s$", err, re.M)
    assert main(["info", "nowhere.npz", "-v"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback") and "\nintgold info: nowhere.npz: " in err
    assert main(["info", "nowhere.npz"]) == 2 and "Traceback" not in capsys.readouterr().err


def test_float_work_says_how_far_it_is(tmp_path, capsys, monkeypatch):
    """Calibration and the answers of the float network count images; Ctrl-C says how many."""
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.001)
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).integers(0, 256, (600, 28, 28)).astype(np.uint8))
    line = ["quantize", "mnist", "--images", "x.npy", "--calibration", "mse", "-o", "m.npz"]
    assert main([*line, "-q"]) == 0 and capsys.readouterr().err == ""
    assert main(line) == 0
    assert re.search(r"^calibration mse: [\d,]+ of 1,200 images, ", capsys.readouterr().err, re.M)
    applied, seen = Layer.apply, []

    def apply(self, *inputs):
        seen.extend([self] * (len(inputs[0]) == 250))
        if seen.count(self) == 2:  # the second part
            raise KeyboardInterrupt
        return applied(self, *inputs)

    monkeypatch.setattr(Layer, "apply", apply)
    for command, where in (
        (line, "calibration mse: 250 of 1,200 images"),
        (["sweep", "mnist", "--images", "x.npy", "--calibrate", "x.npy"],
         "float answers: 250 of 600 images"),
    ):  # fmt: skip
        seen.clear()
        assert main(command) == 130
        assert f"interrupted at {where};" in capsys.readouterr().err


def test_a_log_has_lines(tmp_path):
    """A command whose work takes seconds, its standard error in a file."""
    with open(tmp_path / "log", "w") as log:
        subprocess.run(
            [PROGRAM, "selftest", "--graphs", "300", "--images", "20"], stderr=log, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    lines = (tmp_path / "log").read_text().splitlines()
    assert any(re.match(r"(random graphs|golden = c): [\d,]+ of ", line) for line in lines)
    assert not any("\r" in line for line in lines)
