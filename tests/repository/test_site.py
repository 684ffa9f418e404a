"""The site that `make docs` builds: every public name, command and C declaration has its place."""

import importlib
import os
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import public_names
import tools

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages: warnings are errors, and torch is not imported."""
    tools.need("sphinx")
    tools.need("sphinx-c-autodoc")
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


class Page(HTMLParser):
    """The anchors and the links of a page."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links = set(), set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.anchors.add(value)
            elif name in ("href", "src"):
                self.links.add(value)


def test_every_link_of_the_site_leads_somewhere(site):
    """Pages, anchors, downloads, pictures; the viewer needs the network for other sites only."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    checked, wrong = 0, set()
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            checked += 1
            if not target.exists() or (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                wrong.add((str(path.relative_to(site)), link))
    assert checked > 3000 and wrong == set()


def objects(site):
    """Name -> (kind, page) of everything that has an anchor of its own; aliases (-1) left out."""
    data = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(data).decode().splitlines()
    rows = (re.fullmatch(r"(.+) (\S+:\S+) (-?\d+) (\S+) .*", line).groups() for line in lines)
    return {
        name: (kind, place.partition("#")[0]) for name, kind, rank, place in rows if rank != "-1"
    }


@pytest.mark.parametrize("name", public_names.MODULES)
def test_every_public_name_has_its_place(site, name):
    """Functions and classes of `__all__` stand on a page of the Python reference."""
    tools.need("torch")
    module = importlib.import_module(name)
    found = objects(site)
    names = [n for n in module.__all__ if callable(getattr(module, n))]
    assert names
    for own in names:
        value = getattr(module, own)
        places = [
            f"{other}.{own}"
            for other in public_names.MODULES
            if getattr(importlib.import_module(other), own, None) is value
        ]
        kind, page = next(found[place] for place in places if place in found)
        assert kind.startswith("py:") and page.startswith("reference/python/"), own


def test_nothing_private_has_a_place(site):
    """Whatever Python object stands on the site is a public name, or a part of one."""
    tools.need("torch")
    public = set()
    for name in public_names.MODULES:
        module = importlib.import_module(name)
        for own in module.__all__:
            value = getattr(module, own)
            public |= {f"{name}.{own}", f"{getattr(value, '__module__', name)}.{own}"}
    shown = {n for n, (kind, _) in objects(site).items() if kind.startswith("py:")}
    shown -= {n for n in shown if n in public or n.rpartition(".")[0] in public}
    assert shown <= {*public_names.MODULES, "intgold.errors"}


def test_every_command_and_option_has_its_place(site):
    """The page of commands has each subcommand that `--help` lists, with its options."""
    from intgold.cli import COMMANDS

    found = objects(site)
    for command in COMMANDS:
        assert found[f"intgold-{command}.--help"] == ("std:cmdoption", "reference/commands.html")
    assert "intgold-vectors.--partials" in found and "intgold-verify.--dut" in found


def test_every_c_declaration_has_its_place(site):
    """Structures with their fields, enumerators, functions, macros of csrc/intgold.h."""
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "csrc/intgold.h").read_text(), flags=re.S)
    functions = set(re.findall(r"\b(intgold_\w+)\(", header))
    types = set(re.findall(r"typedef (?:struct|enum) (intgold_\w+)", header))
    enumerators = set(re.findall(r"^ {4}(INTGOLD_\w+) = ", header, re.M))
    assert len(functions) > 25 and len(types) > 25 and len(enumerators) > 40
    page = {name for name, (_, place) in objects(site).items() if place == "reference/c.html"}
    assert functions | types | enumerators <= page
    assert {"intgold_conv2d.pad_left", "intgold_tensor.offset"} <= page


def test_every_cause_has_its_place(site):
    """The page of causes has a row for each hypothesis, in its order."""
    from intgold.verify.diagnose.hypotheses import HYPOTHESES

    page = (site / "reference" / "causes.html").read_text()
    rows = re.findall(r'<td><p><code class="docutils literal notranslate">(.*?)</code>', page)
    names = [re.sub("<[^>]+>", "", row) for row in rows]
    assert names == [hypothesis.name for hypothesis in HYPOTHESES]
