"""The folders of examples/ run as their READMEs say, and a bug in a design is found."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tools

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDS = {
    "c_firmware": ("gcc",),
    "icarus_testbench": ("iverilog",),
    "model_from_integers": (),
    "own_network": ("torch",),
    "verilator_testbench": ("verilator", "g++"),
}


@pytest.fixture
def folder(request, tmp_path):
    """A copy of all examples, since each writes into its own folder."""
    for tool in NEEDS[request.param]:
        tools.need(tool)
    shutil.copytree(EXAMPLES, tmp_path / "e", ignore=shutil.ignore_patterns("build", "*.npz"))
    return tmp_path / "e" / request.param


def example(*names):
    return pytest.mark.parametrize("folder", names, ids=names, indirect=True)


def shell(command, folder):
    """Run a line of a README with this Python and its `intgold`."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}  # of `make test`
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**own, "PATH": path, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip


def blocks(folder, language):
    text = (folder / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


@example(*NEEDS)
def test_an_example_runs(folder):
    """The command of its README runs, and prints last what the README shows."""
    (command,) = blocks(folder, "sh")
    (shown,) = blocks(folder, "text")
    run = shell(command, folder)
    assert run.returncode == 0, run.stdout
    assert run.stdout.endswith("\n" + shown), run.stdout[-2000:]


@example("icarus_testbench", "verilator_testbench")
def test_a_bug_in_the_design_is_found(folder):
    """The one of the README: the rounding constant is missing."""
    design = folder.parent / "rtl" / "conv2_requantize.sv"
    text = design.read_text()
    assert text.count("64'sd1") == 1
    design.write_text(text.replace("64'sd1", "64'sd0"))
    run = shell("make", folder)
    assert run.returncode != 0 and "26383 differ" in run.stdout, run.stdout
    if folder.name == "icarus_testbench":
        (cause,) = re.findall(r"the cause, `(\w+)`", (folder / "README.md").read_text())
        assert f"1. {cause}\n" in run.stdout


@example("c_firmware")
def test_the_program_needs_no_python(folder):
    """What Python wrote is enough: the rest is gcc."""
    assert shell("make build/firmware/models.c", folder).returncode == 0
    run = shell("make INTGOLD=false", folder)
    assert run.returncode == 0 and run.stdout.endswith("\n7\n"), run.stdout


@example("own_network")
def test_larger_networks_run(folder):
    """Golden = C in every tensor of those with random weights."""
    for name in ("residual", "depthwise"):
        run = shell(f"python3 {name}.py", folder)
        assert run.returncode == 0, run.stdout
        differing = re.findall(r"golden = C: .*?(\d+) differing", run.stdout)
        assert differing and set(differing) == {"0"}
    assert (folder / "resnet20.npz").exists() and (folder / "depthwise.c").exists()


def test_examples_are_small_and_whole():
    """Each folder has a short README and is run here; nothing that a program made is in git."""
    tools.need("git")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "."], cwd=EXAMPLES, capture_output=True,
        text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    folders = {name.split("/")[0] for name in listed}
    assert folders == {*NEEDS, "rtl"}
    for name in NEEDS:
        assert len((EXAMPLES / name / "README.md").read_text().splitlines()) <= 30
    written = {".md", ".sv", ".cpp", ".c", ".py", ""}
    assert {Path(name).suffix for name in listed} == written
    docs = EXAMPLES.parent / "docs"
    page = (docs / "examples.md").read_text()
    assert all(f"](../examples/{name}/README.md)" in page for name in NEEDS)
    assert {path.stem for path in (docs / "examples").iterdir()} == {*NEEDS}
