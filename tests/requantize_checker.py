"""tests/c/requantize_check.c: every requantize form of a variant against 128-bit integers."""

import subprocess
from pathlib import Path

from intgold import native
from intgold.fields import FORMS

ROOT = Path(__file__).resolve().parents[1]


def build(folder: Path, compiler: tuple[str, ...], engine: Path = ROOT / "csrc") -> Path:
    """Compile the checker with the engine's sources."""
    program = folder / "requantize_check"
    sources = [*sorted(engine.glob("*.c")), ROOT / "tests/c/requantize_check.c"]
    subprocess.run([*compiler, "-I", engine, *sources, "-o", program], check=True)
    return program


def check(
    program: Path, isa: str, triples: int, emulator: tuple[str, ...] = ()
) -> list[tuple[int, int]]:
    """Return (triples, differing) of each form, then of mixed ones."""
    command = [*emulator, program, str(native.ISAS[isa]), str(triples), "1"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in printed.splitlines()]
    assert [(row[0], int(row[1])) for row in rows] == [(isa, i) for i in range(len(FORMS) + 1)]
    return [(int(row[2]), int(row[3])) for row in rows]
