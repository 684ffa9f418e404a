"""The wheel: what it holds, what it pulls, and that it runs from a place of its own."""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import intgold
import tools
from compilers import ROOT, by_setuptools


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The files that git knows: nothing stale from an earlier build."""
    tools.need("git")
    source = tmp_path_factory.mktemp("source")
    known = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in known.split("\0")[:-1]:
        if not name.startswith(("golden/", "tests/")) and (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """The wheel of these files."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w",
         folder, source], check=True, capture_output=True, env=by_setuptools(),
    )  # fmt: skip
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_is_whole(wheel):
    """Engine, its sources, models, type marker; three needs at run time; one version."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (stated,) = (n for n in names if n.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(stated))
    assert {"intgold/py.typed", "intgold/models/mnist_lut.npz"} <= names
    assert any(re.match(r"intgold/native/_(intgold|compiled)\..*so", n) for n in names)
    modules = {str(p.relative_to(ROOT / "python")) for p in ROOT.glob("python/intgold/**/*.py")}
    made = {"intgold/native/_intgold.py"}  # without the headers of Python
    assert {n for n in names if n.endswith(".py")} - made == modules - made
    for source in (ROOT / "csrc").rglob("*.[ch]"):
        assert f"intgold/csrc/{source.relative_to(ROOT / 'csrc').as_posix()}" in names
    needs = [n for n in metadata.get_all("Requires-Dist") if "extra ==" not in n]
    assert sorted(re.match(r"\w+", n)[0] for n in needs) == ["cffi", "numpy", "tqdm"]
    assert {"train", "plot", "test"} <= set(metadata.get_all("Provides-Extra"))
    assert metadata["Version"] == intgold.__version__ == wheel.name.split("-")[1]
    header = (ROOT / "csrc" / "intgold.h").read_text()
    parts = re.findall(r"^#define INTGOLD_VERSION_\w+ (\d+)$", header, re.M)
    assert ".".join(parts) == intgold.__version__


def test_tools_of_the_repository_are_in_the_sdist_only(source, wheel, tmp_path):
    """What `tools/` holds is for whoever builds intgold, not for whoever installs it."""
    known = {path.name for path in (ROOT / "tools").glob("*.py")}
    assert {"build_shipped_models.py", "contracts_page.py"} <= known
    subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "-d", tmp_path], cwd=source,
        check=True, capture_output=True,
    )  # fmt: skip
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        held = {"/".join(name.split("/")[1:]) for name in archive.getnames()}
    assert {f"tools/{name}" for name in known} <= held
    with zipfile.ZipFile(wheel) as archive:
        assert known.isdisjoint(name.split("/")[-1] for name in archive.namelist())


def test_the_wheel_runs(wheel, tmp_path):
    """Installed beside numpy, cffi and tqdm, far from the sources: both engines agree."""
    venv.create(tmp_path / "v", with_pip=False, system_site_packages=False)
    site = next((tmp_path / "v").glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    import numpy

    # What numpy, cffi and tqdm bring lies in one folder here; intgold itself comes from the wheel.
    (site / "others.pth").write_text(str(Path(numpy.__file__).parents[1]))
    run = subprocess.run(
        [tmp_path / "v/bin/python", "-m", "intgold", "selftest", "--graphs", "20", "--images",
         "5"], cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0 and "differing values" in run.stdout, run.stderr
    where = subprocess.run(
        [tmp_path / "v/bin/python", "-c", "import intgold; print(intgold.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(site))


def made_of(target, rules):
    """The targets that a target of the Makefile needs, itself among them."""
    found = {target}
    for name in rules.get(target, ()):
        found |= made_of(name, rules)
    return found


def test_torch_is_installed_for_what_needs_it_alone():
    """Targets of the Makefile that install the extra `test`, or torch by name."""
    text = (ROOT / "Makefile").read_text()
    rules = {}
    for heads, needs in re.findall(r"^([\w./ ]+):(?: \.venv/\.%:)? ([^\n=]*)$", text, re.M):
        for head in heads.split():
            rules[head] = needs.split()
    assert {"docs", "golden", "test", "bench", "freeze", "conformance"} <= set(rules)
    for target in (
        "golden",
        "data",
        "bench",
        "peer",
        "peers",
        "conformance",
        "docs",
        "wheel",
        "freeze",
    ):
        assert ".venv/.tests" not in made_of(target, rules), target
    for target in ("test", "prove", "lint"):
        assert ".venv/.tests" in made_of(target, rules), target


def test_the_readme_states_the_versions_of_the_project():
    """Python, torch, extras: what README says is what pyproject.toml has."""
    readme, project = (ROOT / "README.md").read_text(), (ROOT / "pyproject.toml").read_text()
    (python,) = re.findall(r'^requires-python = ">=([\d.]+)"$', project, re.M)
    assert set(re.findall(r"Python (3\.\d+)", readme)) == {python}
    (torch,) = re.findall(r'^train = \["torch>=([\d.]+)"', project, re.M)
    assert set(re.findall(r"torch (\d\.\d+)(?:\s+or newer)", readme)) == {torch}
    pinned = set(re.findall(r'"torch==([\d.]+)"', project))
    assert len(pinned) == 1 and pinned.pop().startswith(f"{torch}.")
    assert set(re.findall(r"torch==([\d.]+)", (ROOT / "Makefile").read_text())) <= {f"{torch}.0"}
    needs = re.findall(r'^dependencies = \["(\w+)[^"]*", "(\w+)[^"]*", "(\w+)', project, re.M)[0]
    assert "It pulls numpy, cffi and tqdm" in " ".join(readme.split()) and needs == (
        "numpy",
        "cffi",
        "tqdm",
    )
    extras = set(
        re.findall(
            r"^(\w+) = \[", project.split("optional-dependencies")[1].split("[project.")[0], re.M
        )
    )
    stated = set(
        re.findall(
            r"`(\w+)`", re.search(r"Extras: (.*?)\n\n|Extras: (.*?)torch from", readme, re.S)[0]
        )
    )
    assert extras <= stated, extras - stated
