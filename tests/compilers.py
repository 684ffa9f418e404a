"""The builds in which the C engine is tested without Python: one list for all tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tools
from intgold import Model
from intgold.exporters import write_c

ROOT = Path(__file__).parents[1]
_STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
_SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


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
    Build("gcc sanitizers", ("gcc", *_STRICT, *_SANITIZE), ("gcc-sanitizers",), slow=True),
    Build("clang sanitizers", ("clang", *_STRICT, *_SANITIZE), ("clang-sanitizers",), slow=True),
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


class Runner:
    """tests/c/runner.c with models compiled in, by one build."""

    def __init__(self, build: Build, models: list[Model], folder: Path) -> None:
        for tool in build.needs:
            tools.need(tool)
        self._build, self._folder = build, folder
        write_c(models, folder / "models.c")
        sources = [*sorted((ROOT / "csrc").glob("*.c")), ROOT / "tests/c/runner.c"]
        subprocess.run(
            [*build.command, "-I", ROOT / "csrc", *sources, folder / "models.c",
             "-o", folder / "runner"],
            check=True,
        )  # fmt: skip

    def digests(self, model: Model, inputs: dict[str, np.ndarray]) -> dict[str, dict[str, str]]:
        """Return tensor -> {"output": SHA-256, "accumulator": SHA-256} of a run."""
        paths = []
        for name in model.inputs:
            paths.append(self._folder / f"{model.name}_{name}.bin")
            array = inputs[name]
            array.astype(array.dtype.newbyteorder("<")).tofile(paths[-1])
        count = len(inputs[model.inputs[0]])
        run = subprocess.run(
            [*self._build.emulator, self._folder / "runner", model.name, str(count), *paths],
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, f"{self._build.name}, {model.name}: {run.stderr[:2000]}"
        found: dict[str, dict[str, str]] = {}
        for line in run.stdout.splitlines():
            tensor, what, digest = line.split()
            found.setdefault(tensor, {})[what] = digest
        return found
