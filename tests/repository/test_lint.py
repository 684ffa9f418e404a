"""What `make lint` holds: ruff's rules, ruff's format, strict types; and that each can fail."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tools

ROOT = Path(__file__).parents[2]


def lint(*command, folder=ROOT):
    tools.need(command[0])
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)]
)
def test_the_tree_is_clean(command):
    """As in the Makefile."""
    run = lint(*command)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("no-untyped-def", "def f(x):\n    return x\n"),
        ("type-arg", "def f(x: list) -> None: ...\n"),
        (
            "no-any-return",
            "import numpy as np\ndef f(x: np.ndarray) -> np.ndarray:\n    return x.sum(axis=0)\n",
        ),
        ("unused-ignore", "x: int = 1  # type: ignore\n"),
        ("attr-defined", "from intgold.vectors.sets.generate import Path\n"),
    ],
)
def test_types_are_strict(code, text, tmp_path):
    """mypy refuses what only its strict mode refuses."""
    (tmp_path / "planted.py").write_text(text)
    run = lint("mypy", "--config-file", "pyproject.toml", str(tmp_path / "planted.py"))
    assert run.returncode == 1 and f"[{code}]" in run.stdout, run.stdout


def test_no_text_holds_the_marks_of_a_merge():
    """Lines that git writes where it could not merge."""
    marks = re.compile(rb"^(<{7} |={7}$|>{7} )", re.M)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name]
    assert len(paths) > 500
    assert [p for p in paths if p.is_file() and marks.search(p.read_bytes())] == []
