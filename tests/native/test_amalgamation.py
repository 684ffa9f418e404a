"""The C engine as one file gives the bits of the golden model, by every compiler, as C++ too."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

import intgold
import tools
from compilers import BUILDS, ROOT, Build, Runner, engine_objects, source, sources
from intgold import native
from intgold.cli import main
from intgold.exporters import copy_engine, write_c
from intgold.exporters.amalgamation import amalgamation
from intgold.run.digests import tensor_digests
from intgold.vectors.cases.random_models import random_inputs, random_model
from intgold.vectors.cases.stimulus import stimulus


def quick(build):
    """Return the build with -O1, which compiles the joined file in half of the time."""
    levels = ("-O2", "-O3")
    return replace(build, command=tuple("-O1" if w in levels else w for w in build.command))


GCC = quick(BUILDS[0])
PLAIN = [build for build in BUILDS if "sanitizers" not in build.name]
"""Sanitizers see the same functions in files of their own."""
PORTABLE = "INTGOLD_PORTABLE_ONLY"
_STRICT = ("-std=c++20", "-Wall", "-Wextra", "-Werror", "-pedantic")
CXX = (
    Build("g++", ("g++", "-O1", *_STRICT), ("g++",)),
    Build("clang++", ("clang++", "-O1", *_STRICT), ("clang++",)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The folder of the one file."""
    folder = tmp_path_factory.mktemp("engine")
    made = copy_engine(folder, amalgamated=True)
    assert [path.name for path in made] == ["intgold.c", "intgold.h"]
    return folder


@pytest.fixture(scope="module")
def runs(request):
    """Random graphs, which have every op, and a shipped network: digests of the golden model."""
    full = request.config.getoption("--full")
    models = [random_model(seed) for seed in range(600 if full else 40)]
    made = [(m, random_inputs(m, 2, seed)) for seed, m in enumerate(models)]
    shipped = intgold.load("lut")
    made.append((shipped, stimulus(shipped, "builtin", 8, 0)))
    assert {op.kind for m, _ in made for op in m.ops} >= {"conv2d", "add", "softmax", "pwl"}
    return [(m, x, tensor_digests(m, x, backend="golden")) for m, x in made]


def differing(runner, runs, isa="auto"):
    """Names of the models whose digests are not those of the golden model."""
    found = runner.digests_of_all([(m, x) for m, x, _ in runs], isa)
    return [m.name for (m, _, want), got in zip(runs, found, strict=True) if got != want]


@pytest.mark.parametrize("build", PLAIN, ids=lambda build: build.name)
def test_one_file_by_every_compiler(build, engine, runs, tmp_path, full):
    """Without a warning and without a flag for the processor; all digests, by the best variant."""
    runner = Runner(build if full else quick(build), [m for m, _, _ in runs], tmp_path, engine)
    assert differing(runner, runs) == []


@pytest.mark.parametrize("build", CXX, ids=lambda build: build.name)
def test_one_file_is_cxx(build, engine, runs, tmp_path):
    """Compiled as C++, linked with a program in C."""
    for tool in build.needs:
        tools.need(tool)
    folder = shutil.copytree(engine, tmp_path / "engine")
    (folder / "intgold.c").rename(folder / "intgold.cpp")
    made = tmp_path / "intgold.o"
    subprocess.run([*build.command, "-c", folder / "intgold.cpp", "-o", made], check=True)
    runner = Runner(GCC, [m for m, _, _ in runs], tmp_path, engine, objects=[made])
    assert differing(runner, runs) == []


@pytest.mark.parametrize("build", CXX, ids=lambda build: build.name)
def test_models_are_cxx(build, engine, runs, tmp_path):
    """Members stand in the order of the header, which C++ insists on; no warning."""
    for tool in build.needs:
        tools.need(tool)
    write_c([model for model, _, _ in runs], tmp_path / "models.c")
    (tmp_path / "models.c").rename(tmp_path / "models.cpp")
    command = [*build.command, f"-I{engine}", "-c", "models.cpp", "-o", "models.o"]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_one_file_is_of_one_header(engine, tmp_path):
    """Beside a header of other structures it does not compile, and says why."""
    folder = shutil.copytree(engine, tmp_path / "engine")
    header = (folder / "intgold.h").read_text()
    found = re.search(r"#define INTGOLD_ABI (\d+)", header)
    (folder / "intgold.h").write_text(header.replace(found[0], f"#define INTGOLD_ABI {found[1]}9"))
    run = subprocess.run(
        [*GCC.command, "-c", "intgold.c", "-o", "x.o"], cwd=folder, capture_output=True, text=True
    )
    assert run.returncode != 0 and "intgold.h is not of this intgold.c" in run.stderr


def test_every_variant_is_in_the_file(engine, runs, tmp_path):
    """Those that this CPU runs give the same digests; the portable one has no other."""
    few = runs[-4:]
    runner = Runner(GCC, [m for m, _, _ in few], tmp_path, engine)
    for isa in intgold.native.variants():
        assert differing(runner, few, isa) == [], isa
    (tmp_path / "alone").mkdir()
    objects = engine_objects(GCC.command, engine, (PORTABLE,))
    alone = Runner(GCC, [m for m, _, _ in few], tmp_path / "alone", engine, objects)
    assert differing(alone, few) == []
    for isa in set(intgold.native.ISAS) - {"auto", "portable"}:
        with pytest.raises(AssertionError, match=f"no variant {isa}"):
            differing(alone, few, isa)


def test_a_difference_in_the_one_file_is_seen(engine, runs, tmp_path):
    """A bug in a portable kernel of a copy changes digests."""
    broken = shutil.copytree(engine, tmp_path / "engine")
    right, text = "table[x[i] + 128]", (broken / "intgold.c").read_text()
    assert right in text
    (broken / "intgold.c").write_text(text.replace(right, "table[(x[i] + 129) & 255]"))
    objects = engine_objects(GCC.command, broken, (PORTABLE,))
    runner = Runner(GCC, [m for m, _, _ in runs], tmp_path, broken, objects)
    assert intgold.load("lut").name in differing(runner, runs, "portable")


def test_a_form_without_vector_code_goes_to_the_scalar_code(engine, runs, tmp_path):
    """Forms beyond the limit never reach the vectors, which are wrong for one of them here."""
    limit = "INTGOLD_LAST_LANE_FORM = INTGOLD_FORM_FLOAT64"
    wrong = {
        "    default: bias = zero; break;": "    default: bias = unit; break;",
        "FORM_SINGLE_ZERO: scaled = _mm512_srlv_epi64(magnitude, shift); break;":
            "FORM_SINGLE_ZERO: scaled = magnitude; break;",
        "vshlq_s64(vaddq_s64(p, vbicq_s64(negative, vshlq_s64(negative, t))), right);": "p;",
    }  # fmt: skip
    text = (engine / "intgold.c").read_text()
    for old, new in wrong.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert text.count(limit) == 1
    seen = {}
    for name, last in (("vectors", "FLOAT64"), ("scalar", "SINGLE_DOWN")):
        folder = shutil.copytree(engine, tmp_path / name)
        (folder / "intgold.c").write_text(text.replace(limit, f"{limit[:-7]}{last}"))
        (tmp_path / f"{name}_run").mkdir()
        runner = Runner(GCC, [m for m, _, _ in runs], tmp_path / f"{name}_run", folder)
        seen[name] = differing(runner, runs)
    assert seen["scalar"] == []
    assert seen["vectors"] != [] or native.variants() == ("portable",)


def test_the_file_holds_every_file_once(engine):
    """All that is in csrc/, but for what was an include of it; no private macro is left."""
    text = (engine / "intgold.c").read_text()
    titles = re.findall(r"^/\* ======== (\S+) \*/$", text, re.M)
    assert len(set(titles)) == len(titles)
    assert {t.rpartition("/")[2] for t in titles if t.endswith(".c")} == {p.name for p in sources()}
    assert not re.findall(r'^#include "(?!intgold.h").*', text, re.M)
    defined = set(re.findall(r"^ *# *define ([A-Za-z]\w*)", text, re.M))
    ended = set(re.findall(r"^#undef (\w+)$", text, re.M))
    assert {name for name in defined - ended if not name.startswith("INTGOLD_")} == set()


def test_names_that_are_private_twice_do_not_compile():
    """Two files with one static name: the joined file is refused by the compiler."""
    tools.need("gcc")
    header = source("intgold.h").read_text()
    files = {"ops/a.c": "static int f;\n", "ops/b.c": "static int f(void);\n"}
    text = amalgamation({"intgold.h": header, **files})
    compiled = subprocess.run(
        ["gcc", "-x", "c", "-fsyntax-only", "-I", source("intgold.h").parent, "-"],
        input=text, capture_output=True, text=True,
    )  # fmt: skip
    assert compiled.returncode != 0 and "redeclared" in compiled.stderr


def test_make_writes_what_the_command_writes(engine, tmp_path, monkeypatch, capsys):
    """`intgold export engine`: flat, then as one file in the same folder; the Makefile calls it."""
    monkeypatch.chdir(tmp_path)
    assert main(["export", "engine", "-o", "e"]) == 0
    assert {p.name for p in sources()} < {p.name for p in (tmp_path / "e").iterdir()}
    assert main(["export", "engine", "-o", "e", "--amalgamated"]) == 0
    for name in ("intgold.c", "intgold.h"):
        assert (tmp_path / "e" / name).read_bytes() == (engine / name).read_bytes()
    capsys.readouterr()
    assert "export engine --amalgamated -o" in (ROOT / "Makefile").read_text()


def test_models_beside_the_engine(engine, tmp_path, monkeypatch, capsys):
    """`intgold export c`: the models as `write_c` writes them, and the engine."""
    monkeypatch.chdir(tmp_path)
    assert main(["export", "c", "lut", "relu", "-o", "firmware"]) == 0
    assert capsys.readouterr().out == "firmware\n"
    names = {p.name for p in (tmp_path / "firmware").iterdir()}
    assert names == {"models.c", "intgold.c", "intgold.h", "intgold-files.json"}
    write_c([intgold.load("lut"), intgold.load("relu")], tmp_path / "m.c")
    assert (tmp_path / "firmware/models.c").read_bytes() == (tmp_path / "m.c").read_bytes()
    (tmp_path / "firmware/models.c").write_text("mine")
    for words, problem in (
        (["c", "lut", "-o", "firmware"], "models.c was changed"),
        (["c", "-o", "new"], "name a model"),
        (["c", "lut", "lut", "-o", "new"], "given twice"),
        (["engine", "lut", "-o", "new"], "takes no model, not lut"),
    ):
        assert main(["export", *words]) == 2
        captured = capsys.readouterr()
        assert problem in captured.err and captured.err.count("\n") == 1
    assert (tmp_path / "firmware/models.c").read_text() == "mine"
    assert not (tmp_path / "new").exists()
