"""Optional tools and data of the tests: what is absent is listed as *not run*, never passed over.

`need` gives the tool or skips the test with what brings it.  With ``CI=true`` an absent tool is a
failure.  conftest.py prints the list in the last lines of a run.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

BROUGHT_BY = {
    "gcc": "Debian package gcc",
    "clang": "Debian package clang",
    "gcc-sanitizers": "Debian package gcc (libasan, libubsan)",
    "gcc-thread-sanitizer": "Debian package gcc (libtsan)",
    "clang-sanitizers": "Debian package libclang-rt-dev (libclang-rt-14-dev on Debian 12)",
    "gcc-m32": "Debian package gcc-12-multilib",
    "gcc-m32-sanitizers": "Debian package gcc-12-multilib (lib32asan8, lib32ubsan1)",
    "s390x-linux-gnu-gcc": "Debian packages gcc-s390x-linux-gnu and libc6-dev-s390x-cross",
    "qemu-s390x": "Debian package qemu-user",
    "aarch64-linux-gnu-gcc": "Debian packages gcc-aarch64-linux-gnu and libc6-dev-arm64-cross",
    "qemu-aarch64": "Debian package qemu-user",
    "iverilog": "Debian package iverilog",
    "verilator": "Debian packages verilator and g++",
    "g++": "Debian package g++",
    "clang++": "Debian package clang",
    "yosys": "Debian package yosys",
    "srec_cat": "Debian package srecord",
    "objcopy": "Debian package binutils",
    "nm": "Debian package binutils",
    "objdump": "Debian package binutils",
    "git": "Debian package git",
    "torch": "pip install torch==2.13.0",
    "pytorch_optimizer": "pip install pytorch_optimizer",
    "matplotlib": "pip install matplotlib",
    "argcomplete": "pip install argcomplete",
    "sphinx": "pip install sphinx numpydoc myst-parser furo",
    "sphinx-c-autodoc": "pip install sphinx-c-autodoc clang==18.1.8 libclang==18.1.1",
    "pillow": "pip install pillow",
    "ruff": "pip install 'intgold[lint]'",
    "mypy": "pip install 'intgold[lint]'",
    "MNIST": "intgold data, or MNIST_DIR with the four IDX files",
}

_TRIALS = {
    "gcc-sanitizers": ["gcc", "-fsanitize=address,undefined"],
    "gcc-thread-sanitizer": ["gcc", "-fsanitize=thread"],
    "clang-sanitizers": ["clang", "-fsanitize=address,undefined"],
    "gcc-m32": ["gcc", "-m32"],
    "gcc-m32-sanitizers": ["gcc", "-m32", "-fsanitize=address,undefined"],
}

_MODULES = {
    "argcomplete": "argcomplete",
    "matplotlib": "matplotlib",
    "mypy": "mypy",
    "pillow": "PIL",
    "pytorch_optimizer": "pytorch_optimizer",
    "ruff": "ruff",
    "sphinx": "sphinx",
    "sphinx-c-autodoc": "sphinx_c_autodoc",
    "torch": "torch",
}

not_run: dict[str, set[str]] = {}
"""Tool -> names of the tests that it kept from running."""

said: list[str] = []
"""Lines that a test wants at the end of the run."""


def need(tool: str) -> None:
    """Skip the running test (fail with ``CI=true``) unless `tool` is there."""
    if _present(tool):
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "?").split(" ")[0]
    not_run.setdefault(tool, set()).add(test)
    message = f"{tool} is absent; it comes with: {BROUGHT_BY[tool]}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@cache
def _present(tool: str) -> bool:
    if tool == "MNIST":
        from intgold.images.mnist import find_mnist

        return find_mnist() is not None  # with MNIST_DIR set, missing data raises
    if tool in _MODULES:
        return importlib.util.find_spec(_MODULES[tool]) is not None
    if tool in _TRIALS:
        return _compiles(_TRIALS[tool])
    return shutil.which(tool) is not None


def _compiles(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "trial.c")
        source.write_text("#include <stdlib.h>\nint main(void) { return 0; }\n")
        run = subprocess.run([*command, source, "-o", f"{folder}/trial"], capture_output=True)
        return run.returncode == 0
