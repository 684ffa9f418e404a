"""The site that `make docs` builds: every public name, command and C declaration has its place."""

import importlib
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import tools

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PUBLIC = ("vectors", "verify", "quantize", "importers", "exporters", "native", "golden")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages: warnings are errors, and torch is not imported."""
    tools.need("sphinx")
    absent = tmp_path_factory.mktemp("absent")
    for name in ("torch", "pytorch_optimizer"):
        (absent / f"{name}.py").write_text(f"raise RuntimeError('{name} was imported')")
    html = tmp_path_factory.mktemp("site") / "html"
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", DOCS, html],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(absent)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return html


def objects(site):
    """Name -> (kind, page) of everything that has an anchor of its own."""
    data = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(data).decode().splitlines()
    rows = (re.fullmatch(r"(.+) (\S+:\S+) -?\d+ (\S+) .*", line).groups() for line in lines)
    return {name: (kind, place.partition("#")[0]) for name, kind, place in rows}


@pytest.mark.parametrize("room", ["", *PUBLIC])
def test_every_public_name_has_its_place(site, room):
    """Functions and classes of `__all__` stand on the page of their module."""
    module = importlib.import_module(f"intgold.{room}".rstrip("."))
    found = objects(site)
    names = [n for n in module.__all__ if callable(getattr(module, n))]
    assert names
    for name in names:
        kind, page = found[f"{module.__name__}.{name}"]
        assert kind.startswith("py:") and page == f"reference/python/{room or 'intgold'}.html", name
