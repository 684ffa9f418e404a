"""The builds in which the C engine is tested without Python: one list for all tests.

Tests that link the engine take it from `engine_objects`, which compiles no file twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

import tools
from intgold import Model
from intgold.exporters import write_c

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "csrc"
_INCLUDED = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
TABLE = "-DINTGOLD_MODEL_TABLE"
"""Makes a file of `write_c` define the list of its models."""
_STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
_SANITIZE = ("-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# ASan's checks as calls, in the same places: vector code compiles in less time.
_GCC_SANITIZE = (*_SANITIZE, "--param", "asan-instrumentation-with-call-threshold=0")
_CLANG_SANITIZE = (
    *_SANITIZE,
    "-mllvm",
    "-asan-instrumentation-with-call-threshold=0",
    "-Wno-unused-command-line-argument",  # where it only links
)


@dataclass(frozen=True)
class Build:
    """A compiler with its flags, what must be installed for it, and how its programs are run."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]
    emulator: tuple[str, ...] = ()
    slow: bool = False


BUILDS = (
    Build("gcc", ("gcc", "-O3", *_STRICT), ("gcc",)),
    Build("clang", ("clang", "-O3", *_STRICT), ("clang",)),
    Build("gcc -m32", ("gcc", "-m32", "-O2", *_STRICT), ("gcc-m32",)),
    Build("gcc sanitizers", ("gcc", *_STRICT, *_GCC_SANITIZE), ("gcc-sanitizers",), slow=True),
    Build(
        "gcc -m32 sanitizers",
        ("gcc", "-m32", *_STRICT, *_GCC_SANITIZE),
        ("gcc-m32-sanitizers",),
        slow=True,
    ),
    Build(
        "clang sanitizers", ("clang", *_STRICT, *_CLANG_SANITIZE), ("clang-sanitizers",), slow=True
    ),
    Build(
        "s390x (big endian)",
        ("s390x-linux-gnu-gcc", "-O2", "-static", *_STRICT),
        ("s390x-linux-gnu-gcc", "qemu-s390x"),
        ("qemu-s390x",),
        slow=True,
    ),
    Build(
        "AArch64 with dotprod",
        ("aarch64-linux-gnu-gcc", "-O2", "-static", *_STRICT),
        ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
        ("qemu-aarch64", "-cpu", "max"),
        slow=True,
    ),
    Build(
        "AArch64 without",
        ("aarch64-linux-gnu-gcc", "-O2", "-static", *_STRICT),
        ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
        ("qemu-aarch64", "-cpu", "cortex-a53"),
        slow=True,
    ),
)

LIBRARY = ("gcc", "-std=c99", "-O0", "-fPIC", "-fvisibility=hidden")
"""Of objects for a shared library, which exports what `intgold.h` declares."""

_OWN = tempfile.TemporaryDirectory()
_FOLDER = Path(os.environ.get("INTGOLD_TEST_OBJECTS", _OWN.name))
"""Where objects lie; conftest.py gives the processes of one run the same folder."""


def by_setuptools() -> dict[str, str]:
    """Return the environment of a build by setuptools that compiles no file twice in a run.

    With -O1, which takes half the time; the package under test is built with -O3.
    """
    usual = os.environ.get("CC") or sysconfig.get_config_var("CC")
    own = {
        "CC": shlex.quote(str(ROOT / "tests/support/compile_once.sh")),
        "INTGOLD_CC": usual,
        "INTGOLD_LAST": "-O1",
        "INTGOLD_TEST_OBJECTS": str(_FOLDER),
    }
    return {**os.environ, **own}


def engine_objects(
    command: tuple[str, ...], engine: Path = ENGINE, defined: tuple[str, ...] = ()
) -> list[Path]:
    """Return the engine's object files by a compiler and its flags, in the order of their names.

    A file that a copy of the engine, or a macro of `defined`, leaves with the text that was
    compiled before, headers of the engine included, is not compiled again.
    """
    if engine == ENGINE and not defined:
        return list(_own_objects(command))
    return [_object(command, engine, path, defined) for path in sources(engine)]


@cache
def _own_objects(command: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(_object(command, ENGINE, path, ()) for path in sources())


def _object(command: tuple[str, ...], engine: Path, source: Path, defined: tuple[str, ...]) -> Path:
    """Return what a file is compiled to, known by its text and those of its headers."""
    plain = [*command, "-I", engine, "-c", source]
    compiler = [*plain, *(f"-D{macro}" for macro in defined)]
    if defined and _preprocessed(compiler) == _preprocessed(plain):
        compiler, defined = plain, ()
    texts = list(_texts(engine, source).values())
    name = hashlib.sha256(repr((command, defined, texts)).encode()).hexdigest()
    made = _FOLDER / f"{name}.o"
    if not made.exists():
        own = _FOLDER / f"{name}.{os.getpid()}.o"
        subprocess.run([*compiler, "-o", own], check=True)
        own.replace(made)
    return made


def _preprocessed(compiler: list[str | Path]) -> bytes:
    return subprocess.run([*compiler, "-E", "-P"], check=True, capture_output=True).stdout


def _texts(engine: Path, source: Path) -> dict[Path, str]:
    """Return the texts of a file and of the engine's headers that it may include."""
    found: dict[Path, str] = {}
    missing = [source]
    while missing:
        path = missing.pop()
        if path not in found:
            found[path] = path.read_text()
            missing += (engine / name for name in _INCLUDED.findall(found[path]))
    return found


def sources(engine: Path = ENGINE) -> list[Path]:
    """Return the C files of the engine, whatever rooms they are in, in the order of their names."""
    return sorted(engine.rglob("*.c"), key=lambda source: source.name)


def source(name: str, engine: Path = ENGINE) -> Path:
    """Return the one file of the engine with a name, whatever room it is in."""
    (found,) = engine.rglob(name)
    return found


Digests = dict[str, dict[str, str]]
"""Tensor -> {"output": SHA-256, "accumulator": SHA-256} of a run."""


class Runner:
    """tests/c/runner.c with models compiled in, by one build."""

    def __init__(
        self,
        build: Build,
        models: list[Model],
        folder: Path,
        engine: Path = ENGINE,
        objects: list[Path] | None = None,
    ) -> None:
        for tool in build.needs:
            tools.need(tool)
        self._build, self._folder = build, folder
        write_c(models, folder / "models.c")
        sources = [ROOT / "tests/c/runner.c", folder / "models.c"]
        engine_parts = engine_objects(build.command, engine) if objects is None else objects
        parts = [*engine_parts, *sources]
        subprocess.run(
            [*build.command, TABLE, "-I", engine, *parts, "-o", folder / "runner"], check=True
        )

    def digests(self, model: Model, inputs: dict[str, np.ndarray]) -> Digests:
        """Return the digests of a run of one model by the fastest variant."""
        return self.digests_of_all([(model, inputs)])[0]

    def digests_of_all(
        self,
        runs: list[tuple[Model, dict[str, np.ndarray]]],
        isa: str = "auto",
        emulator: tuple[str, ...] | None = None,
    ) -> list[Digests]:
        """Return the digests of runs of different models, by one process."""
        emulator = self._build.emulator if emulator is None else emulator
        arguments = [word for model, inputs in runs for word in self._arguments(model, inputs)]
        run = subprocess.run(
            [*emulator, "./runner", isa, *arguments],
            capture_output=True,
            text=True,
            cwd=self._folder,
        )
        assert run.returncode == 0, f"{self._build.name}, {arguments[0]}: {run.stderr[:2000]}"
        found: dict[str, Digests] = {model.name: {} for model, _ in runs}
        for line in run.stdout.splitlines():
            model, tensor, what, digest = line.split()
            found[model].setdefault(tensor, {})[what] = digest
        return list(found.values())

    def _arguments(self, model: Model, inputs: dict[str, np.ndarray]) -> list[str]:
        """Write a model's inputs; return what the runner is given of them."""
        names = [f"{model.name}_{name}.bin" for name in model.inputs]
        for name, file in zip(model.inputs, names, strict=True):
            array = inputs[name]
            array.astype(array.dtype.newbyteorder("<")).tofile(self._folder / file)
        return [model.name, str(len(inputs[model.inputs[0]])), *names]
