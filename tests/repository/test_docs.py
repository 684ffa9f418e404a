"""The documentation does what it says: examples, code, commands, API reference."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tools
from compilers import BUILDS, engine_objects, sources
from intgold.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_code_of_the_pages_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
    if any("torch" in block for block in blocks):
        tools.need("torch")
    monkeypatch.chdir(tmp_path)
    run(blocks, page)


def run(blocks, page):
    names = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)


def test_the_commands_on_a_network_of_ones_own(tmp_path, monkeypatch, capsys):
    """The console lines of the quantisation page run on the files that its code wrote."""
    tools.need("torch")
    page = DOCS / "quantisation.md"
    text = page.read_text()
    monkeypatch.chdir(tmp_path)
    run([b for b in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "np.save" in b
         or b.startswith("import torch")], page)  # fmt: skip
    commands = re.findall(r"^\$ intgold (.*)$", text, re.M)
    assert len(commands) == 2
    for command in commands:
        assert main(command.split()) == 0, command
    out = capsys.readouterr().out
    assert "4 models, 300 images" in out and "0 differing values: golden = c" in out
    assert "left_to_host: softmax (layer 6 (Softmax))" in out
    assert (tmp_path / "rows_w4.npz").exists()


def test_the_c_code_compiles(tmp_path):
    """The snippet of the embedded page, with the exported model and the engine."""
    tools.need("gcc")
    import intgold
    from intgold.exporters import copy_engine, write_c

    text = (DOCS / "embedded.md").read_text()
    _, code = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "main.c").write_text(code + "int main(void) { int8_t x[784] = {0}; int32_t y[10];"
                                     " return classify(x, y); }\n")  # fmt: skip
    write_c([intgold.load()], tmp_path / "model.c")
    engine = [p for p in copy_engine(tmp_path / "engine") if p.suffix == ".c"]
    assert {p.name for p in engine} == {p.name for p in sources()}
    command = BUILDS[0].command
    objects = engine_objects(command, tmp_path / "engine")
    subprocess.run(
        [*command, "-I", "engine", "main.c", "model.c", *objects, "-o", "main"], cwd=tmp_path,
        check=True,
    )  # fmt: skip
    assert subprocess.run([tmp_path / "main"]).returncode == 0


def test_from_nothing_to_a_digit(tmp_path, monkeypatch):
    """The first commands of the embedded page, one after another, print what it says."""
    tools.need("gcc")
    text = (DOCS / "embedded.md").read_text().split("## In a project of your own")[0]
    export, build = re.findall(r"^```sh\n([^#\n]*).*\n```", text, re.M)
    (code,) = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "main.c").write_text(code)
    monkeypatch.chdir(tmp_path)
    assert main(export.split()[1:]) == 0
    compiled, separator, run = build.partition(" && ")
    assert separator and run.strip() == "./digit"
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([*compiled.split(), *strict], check=True)
    said = subprocess.run("./digit", capture_output=True, text=True, check=True).stdout
    assert f"prints `{said.strip()}`." in text and said == "7\n"


def shell(command, folder):
    """Run a line of the shell there, with the `intgold` of this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PATH": path},
    )  # fmt: skip


def check_session(text, folder):
    """Assert that the commands of console blocks print what the page shows; return them."""
    commands = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            run = shell(command, folder)
            assert run.returncode == 0 and run.stdout == output, (command, run.stdout, run.stderr)
            commands.append(command)
    return commands


def test_the_quick_start(tmp_path):
    """Every command runs and prints what the page shows."""
    assert len(check_session((DOCS / "quickstart.md").read_text(), tmp_path)) == 6


def test_the_testbench_of_the_walk_through(tmp_path):
    """Every command of the page's session runs and says what the page says; a bug is then found."""
    tools.need("iverilog")
    text = (DOCS / "verification.md").read_text()
    text = text[text.index("## A testbench") :]
    (source,) = re.findall(r"^```systemverilog\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "tb.sv").write_text(source)
    said = check_session(text, tmp_path)
    assert len(said) == 9
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    (tmp_path / "tb.sv").write_text(source.replace("k < 4", "k < 3"))
    shell(said[2], tmp_path), shell(said[3], tmp_path)
    run = shell(said[4], tmp_path)
    assert run.returncode == 1 and "first difference: op pool2 (max_pool2d)" in run.stdout
