"""tests/c/requantize_check.c: every requantize form of a variant against 128-bit integers."""

import subprocess
from pathlib import Path

from compilers import BUILDS, ENGINE, ROOT, engine_objects
from intgold import native
from intgold.ops.fields import FORMS

COMPILER = BUILDS[0].command


def build(
    folder: Path,
    compiler: tuple[str, ...] = COMPILER,
    engine: Path = ENGINE,
    defined: tuple[str, ...] = (),
) -> Path:
    """Compile the checker, which 128-bit integers keep from being pedantic, with the engine."""
    program = folder / "requantize_check"
    parts = [*engine_objects(compiler, engine, defined), ROOT / "tests/c/requantize_check.c"]
    own = [word for word in compiler if word != "-pedantic"]
    own.append("-Werror=implicit-function-declaration")
    subprocess.run([*own, "-I", engine, *parts, "-o", program], check=True)
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
