"""Requantize in every form, by every variant of the C kernels, against exact integers."""

import shutil
import subprocess
from pathlib import Path

import pytest

from intgold import native
from intgold.fields import FORMS
from tools import need

ROOT = Path(__file__).resolve().parents[1]
TRIPLES, FULL_TRIPLES = 200_000, 10_000_000  # of each form, and as many of mixed ones


def build(folder: Path, engine: Path = ROOT / "csrc") -> Path:
    """Compile the checker with the engine's sources."""
    need("gcc")
    program = folder / "requantize_check"
    command = ["gcc", "-O2", "-I", engine, *sorted(engine.glob("*.c"))]
    command += [ROOT / "tests/c/requantize_check.c", "-o", program]
    subprocess.run(command, check=True)
    return program


def check(program: Path, isa: str, triples: int) -> list[tuple[int, int]]:
    """Return (triples, differing) of each form, then of mixed ones."""
    command = [program, str(native.ISAS[isa]), str(triples), "1"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in printed.splitlines()]
    assert [(row[0], int(row[1])) for row in rows] == [(isa, i) for i in range(len(FORMS) + 1)]
    return [(int(row[2]), int(row[3])) for row in rows]


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The checker with the engine as it is."""
    return build(tmp_path_factory.mktemp("checker"))


@pytest.mark.parametrize("isa", native.variants())
def test_every_form_is_exact(isa, checker, full):
    """Random operands, the ends of the ranges, and accumulators beside every tie: 0 differ."""
    triples = FULL_TRIPLES if full else TRIPLES
    for done, differing in check(checker, isa, triples):
        assert done >= triples and differing == 0


def test_the_checker_sees_a_rounding(tmp_path):
    """With a half that is 1 too small the forms that use one differ, the others do not."""
    engine = shutil.copytree(ROOT / "csrc", tmp_path / "csrc")
    right = "? (int64_t)1 << (t - 1) : 0"
    text = (engine / "rounding.h").read_text()
    assert text.count(right) == 1
    (engine / "rounding.h").write_text(text.replace(right, "? ((int64_t)1 << (t - 1)) - 1 : 0"))
    seen = [differing > 0 for _, differing in check(build(tmp_path, engine), "portable", 20_000)]
    assert seen == [form not in ("single_down", "single_zero") for form in FORMS] + [True]
