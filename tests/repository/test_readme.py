"""The README and the page of claims do what they say: code runs, commands work, tests exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tools

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
CLAIMS = (ROOT / "docs" / "claims.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


def test_python_blocks_run(tmp_path, monkeypatch, capsys):
    """All of them, in order, in one namespace."""
    monkeypatch.chdir(tmp_path)
    names = {}
    assert len(blocks("python")) >= 3
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert "conv2d" in capsys.readouterr().out and (tmp_path / "model.c").is_file()


def commands():
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("intgold ")]


def test_commands_work(tmp_path):
    """Every intgold command, in order, exits 0 (training apart)."""
    assert len(commands()) >= 5
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in commands():
        if not command.startswith("intgold train"):
            subprocess.run(command.split(), cwd=tmp_path, env=environment, check=True)


FEWER = """
import sys
from intgold.cli import main
from intgold.quantize.training import train
train._QUICK_IMAGES = 1_280
sys.exit(main())
"""


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("intgold train")])
def test_training_works(tmp_path, command, full):
    """The quick training writes the float network and both integer models, which load.

    It learns from fewer images but in `make prove`.
    """
    for tool in ("torch", "pytorch_optimizer", "MNIST"):
        tools.need(tool)
    import intgold

    environment = dict(os.environ)
    from intgold.images.mnist import find_mnist

    environment["MNIST_DIR"] = str(Path(find_mnist()).resolve())
    program = [Path(sys.executable).parent / "intgold"] if full else [sys.executable, "-c", FEWER]
    subprocess.run([*program, *command.split()[1:]], cwd=tmp_path, env=environment, check=True)
    made = sorted(p.name for p in (tmp_path / "trained").iterdir())
    assert {"mnist_float.npz", "mnist_lut.npz", "mnist_pwl.npz"} <= set(made)
    for name in ("lut", "pwl"):
        assert intgold.load(tmp_path / "trained" / f"mnist_{name}.npz").ops


def test_make_targets_exist():
    """The two commands are targets of the Makefile."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    assert {"golden", "test", "prove", "bench"} <= set(targets)


def test_every_claim_names_its_tests():
    """Each row of the table of claims names tests, all of which exist; README links to it."""
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", CLAIMS, re.M)[1:]
    assert len(rows) >= 35
    for claim, tests in rows:
        names = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert names and ", ".join(f"`{name}`" for name in names) == tests, claim
        for name in names:
            assert (ROOT / name).exists(), name
    assert "](docs/claims.md)" in TEXT


def test_the_readme_is_short():
    """What is longer has a page in docs/."""
    assert len(TEXT.splitlines()) <= 200
