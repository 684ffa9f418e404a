"""What `intgold.h` promises its users: versions, ABI, exported names, sharing, no side effects."""

import ctypes
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import intgold
import tools
from compilers import BUILDS, ENGINE, LIBRARY, ROOT, TABLE, engine_objects, source
from convolutions import convolution
from damaged_models import chain
from intgold import native
from intgold.bench.loops import groups
from intgold.exporters import write_c
from intgold.native.compiled import ffi, lib
from intgold.native.lowering import lower
from intgold.vectors.cases.random_models import random_model

GCC = BUILDS[0].command
HEADER = (ENGINE / "intgold.h").read_text()
DECLARED = set(re.findall(r"^INTGOLD_API [^;(]*?(intgold_\w+)\(", HEADER, re.M))

LAYOUTS = {
    1: "502aa95dd5c568195d181ab9faac5c01c377af92eaea445f7ccb070407829eb1",
    2: "42404930cc1cc1fcfe951b8ec339afceee65d172bdd2413e040b26c19c16d9a9",
}
"""SHA-256 of `layout()` under each INTGOLD_ABI so far."""
NOT_IN_MODELS = {"intgold_status", "intgold_isa", "intgold_feature", "intgold_trace"}


def layout():
    """Members of the structures and values of the enums that a model consists of, as text."""
    described = {}
    for name in sorted(set(re.findall(r"^\} (intgold_\w+);", HEADER, re.M)) - NOT_IN_MODELS):
        made = ffi.typeof(name)
        if made.kind == "enum":
            described[name] = sorted(made.relements.items(), key=lambda item: item[1])
        else:
            described[name] = [(member, field.type.cname) for member, field in made.fields]
    assert len(described) > 20 and "intgold_conv2d" in described
    return json.dumps(described)


def test_another_layout_has_another_number():
    """A structure or enum that changes takes the next INTGOLD_ABI and a line in LAYOUTS."""
    assert lib.INTGOLD_ABI == lib.intgold_abi() == max(LAYOUTS)
    assert LAYOUTS[lib.INTGOLD_ABI] == hashlib.sha256(layout().encode()).hexdigest()
    assert len(set(LAYOUTS.values())) == len(LAYOUTS)


def test_the_layout_sees_what_changes(monkeypatch):
    """A member of another name, type or place, and another number of an enum."""
    known = layout()
    for right, wrong in (("in_h", "in_x"), ('"int32_t"', '"int16_t"'), ('LUT", 3', 'LUT", 4')):
        assert known.replace(right, wrong, 1) != known
    for name in ("intgold_model", "intgold_requantize", "intgold_form", "intgold_kind"):
        assert name in known


def compiled(folder, header, model):
    """The compiler's run on a file of `write_c` with another text of intgold.h."""
    folder.mkdir()
    (folder / "intgold.h").write_text(header)
    write_c([model], folder / "model.c")
    command = [*GCC, "-I", folder, "-c", "model.c"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_generated_c_refuses_another_header(tmp_path):
    """Another ABI, none, another major version, an older minor one: one line that says so."""
    tools.need("gcc")
    old = replace(random_model(0, ("lut",), 1), name="old")
    new = replace(random_model(0, ("softmax_float32",), 1), name="new")
    older = HEADER.replace("SPEC_MINOR 5", "SPEC_MINOR 3")
    newer = HEADER.replace("SPEC_MINOR 5", "SPEC_MINOR 6")
    taken = [(HEADER, old), (HEADER, new), (newer, new), (older, old)]
    for i, (header, model) in enumerate(taken):
        made = compiled(tmp_path / f"taken{i}", header, model)
        assert made.returncode == 0, made.stderr
    abi = re.compile(r"^#define INTGOLD_ABI \d+\n", re.M)
    refused = [
        (older, new, "these models need SPEC 1.4 or a later 1.x"),
        (HEADER.replace("SPEC_MAJOR 1", "SPEC_MAJOR 2"), old, "need SPEC 1.0 or a later 1.x"),
        (HEADER.replace("SPEC_MAJOR 1", "SPEC_MAJOR 0"), old, "need SPEC 1.0 or a later 1.x"),
        (abi.sub("#define INTGOLD_ABI 99\n", HEADER), old, "has the structures of INTGOLD_ABI 2"),
        (abi.sub("", HEADER), old, "has the structures of INTGOLD_ABI 2"),
    ]
    for i, (header, model, message) in enumerate(refused):
        assert header != HEADER or model is not old
        made = compiled(tmp_path / f"refused{i}", header, model)
        assert made.returncode != 0 and message in made.stderr, made.stderr


def test_versions_are_those_of_the_header():
    """intgold_version() is the package's; the ABI is a number from 1 on."""
    assert ffi.string(lib.intgold_version()).decode() == intgold.__version__
    assert lib.intgold_abi() >= 1


def exported(library):
    """The names that a shared library defines for others."""
    tools.need("nm")
    command = ["nm", "-D", "--defined-only", library]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listed.splitlines()}


def test_a_shared_library_exports_the_header_only(tmp_path):
    """Built with -fvisibility=hidden: the functions of intgold.h, all of them, and no other."""
    tools.need("gcc")
    assert len(DECLARED) > 35 and "intgold_prepare" in DECLARED
    library = tmp_path / "libintgold.so"
    assert "-fvisibility=hidden" in LIBRARY
    subprocess.run(["gcc", "-shared", *engine_objects(LIBRARY), "-o", library], check=True)
    assert exported(library) == DECLARED


def test_the_binding_exports_no_more_than_it_needs():
    """Those, what `intgold.bench` measures with, and the entry of the module."""
    (library,) = Path(native.__file__).parent.glob("_*.so")
    others = {n for n in exported(library) if not n.startswith(("intgold_", "PyInit_", "_cffi"))}
    assert others - {"_init", "_fini"} == set()
    measured = {n for n in exported(library) if n.startswith("intgold_measure_")}
    assert len(measured) == 5
    assert {n for n in exported(library) if n.startswith("intgold_")} == DECLARED | measured


def test_every_function_of_the_header_is_declared_for_export():
    """No declaration of a function is without INTGOLD_API."""
    code = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.S)
    assert set(re.findall(r"\b(intgold_\w+)\(", code)) == DECLARED


# ---- What runs together.


def test_no_more_ops_run_together_than_the_header_says():
    """Never more than INTGOLD_MAX_FUSED after a convolution, and at times as many."""
    found = [group for seed in range(60) for group in groups(convolution(seed), "portable")]
    assert max(group.last - group.first for group in found) == lib.INTGOLD_MAX_FUSED


def test_another_maximum_does_not_compile(tmp_path):
    """fuse.c says how many it fuses; a header that says something else is refused."""
    tools.need("gcc")
    engine = shutil.copytree(ENGINE, tmp_path / "csrc")
    right = f"#define INTGOLD_MAX_FUSED {lib.INTGOLD_MAX_FUSED}\n"
    assert HEADER.count(right) == 1
    (engine / "intgold.h").write_text(HEADER.replace(right, "#define INTGOLD_MAX_FUSED 1\n"))
    command = [*GCC, "-I", engine, "-c", source("fuse.c", engine), "-o", tmp_path / "fuse.o"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode != 0 and "intgold_max_fused_is_right" in made.stderr


# ---- Queries have no side effects.

ON_LINUX_X86 = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="Linux on x86-64 only"
)
ASKED = """
import ctypes, sys
import numpy as np
import intgold
from intgold import native

def permitted():
    libc, mask = ctypes.CDLL(None), ctypes.c_uint64(0)
    ARCH_PRCTL, GET_XCOMP_PERM, XTILEDATA = 158, 0x1022, 18
    libc.syscall(ARCH_PRCTL, GET_XCOMP_PERM, ctypes.byref(mask))
    return mask.value >> XTILEDATA & 1

model = intgold.load()
before = permitted()
intgold.describe.footprint.arena_sizes(model)
variants = native.variants()
native.isa_name()
queried = permitted()
isa = sys.argv[1] if sys.argv[1] in variants else "portable"
model.run(np.zeros((1, 28, 28, 1), np.int8), isa=isa)
print(before, queried, permitted(), "amx" in variants)
"""


@ON_LINUX_X86
@pytest.mark.parametrize("isa", ["amx", "portable"])
def test_only_a_run_by_amx_requests_its_permission(isa):
    """By the mask that the kernel keeps of a process: before, after queries, after a run."""
    run = subprocess.run([sys.executable, "-c", ASKED, isa], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    before, queried, after, has_amx = run.stdout.split()
    assert (before, queried) == ("0", "0")
    assert after == ("1" if isa == "amx" and has_amx == "True" else "0")


PRETENDED = (
    ("static int has_amx(void) {", "static int has_amx(void) {\n    return 1;"),
    ("static int request_tiles(void) {\n",
     ("INTGOLD_API int requests, granted;\n"
      "static int request_tiles(void) {\n    return requests++, granted;\n")),
    ("    uint32_t found = 0;\n",
     "    uint32_t found = INTGOLD_FEATURE_AVX512VNNI | INTGOLD_FEATURE_AVX512VBMI;\n"),
)  # fmt: skip
"""A CPU with AMX, and a system that grants it or not and counts how often it was asked."""


@pytest.fixture(scope="module")
def pretending(tmp_path_factory):
    """A shared library of an engine that believes to have AMX."""
    tools.need("gcc")
    folder = tmp_path_factory.mktemp("pretending")
    engine = shutil.copytree(ENGINE, folder / "csrc")
    path = source("dispatch.c", engine)
    text = path.read_text()
    for right, wrong in PRETENDED:
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    path.write_text(text)
    objects = engine_objects(LIBRARY, engine)
    subprocess.run(["gcc", "-shared", *objects, "-o", folder / "engine.so"], check=True)
    library = ctypes.CDLL(str(folder / "engine.so"))
    library.intgold_isa_name.restype = ctypes.c_char_p
    library.intgold_arena_size.restype = library.intgold_packed_size.restype = ctypes.c_size_t
    return library


@ON_LINUX_X86
def test_queries_request_nothing(pretending):
    """Names, sizes, checks: no system call for tiles; one for what is about to run."""
    asked = ctypes.c_int.in_dll(pretending, "requests")
    asked.value = 0
    prepared = native.NativeModel(lower(intgold.load()), "portable")
    model = ctypes.c_void_p(int(ffi.cast("uintptr_t", prepared.model)))
    buffer = ctypes.create_string_buffer(1 << 16)
    sizes = {}
    for isa in (lib.INTGOLD_ISA_AUTO, lib.INTGOLD_ISA_AMX, lib.INTGOLD_ISA_AVX512VBMI):
        sizes[isa] = pretending.intgold_arena_size(model, isa)
        pretending.intgold_packed_size(model, isa, 0)
        pretending.intgold_scratch_size(model, isa, 0)
        pretending.intgold_isa_name(isa)
    assert pretending.intgold_isa_name(lib.INTGOLD_ISA_AUTO) == b"amx"
    assert pretending.intgold_best_isa(2**31 - 1) == lib.INTGOLD_ISA_AMX
    assert pretending.intgold_cpu_features() & lib.INTGOLD_FEATURE_AMX
    assert pretending.intgold_check_model(model, buffer, ctypes.c_size_t(1 << 16), None) == 0
    assert asked.value == 0
    # What AUTO may become fits in what it is said to need.
    assert sizes[lib.INTGOLD_ISA_AUTO] == max(sizes.values()) > 0
    pretending.intgold_acquire_isa(lib.INTGOLD_ISA_AVX512VBMI)
    assert asked.value == 0
    pretending.intgold_acquire_isa(lib.INTGOLD_ISA_AUTO)
    assert asked.value == 1


@ON_LINUX_X86
def test_a_system_that_refuses_tiles(pretending):
    """AUTO is the next best variant, AMX by its name is INTGOLD_ERROR_ISA."""
    granted = ctypes.c_int.in_dll(pretending, "granted")
    acquire = pretending.intgold_acquire_isa
    granted.value = 1
    assert acquire(lib.INTGOLD_ISA_AUTO) == acquire(lib.INTGOLD_ISA_AMX) == lib.INTGOLD_ISA_AMX
    granted.value = 0
    assert acquire(lib.INTGOLD_ISA_AUTO) == lib.INTGOLD_ISA_AVX512VBMI
    assert acquire(lib.INTGOLD_ISA_AMX) == lib.INTGOLD_ISA_AUTO
    prepared = native.NativeModel(lower(intgold.load()), "portable")
    model = ctypes.c_void_p(int(ffi.cast("uintptr_t", prepared.model)))
    buffer, made = ctypes.create_string_buffer(8), ctypes.c_void_p()
    status = pretending.intgold_prepare(
        model, lib.INTGOLD_ISA_AMX, buffer, ctypes.c_size_t(8), ctypes.byref(made)
    )
    assert status == lib.INTGOLD_ERROR_ISA and made.value is None


# ---- What may be shared.

SHARED = ROOT / "tests/c/shared.c"


BUILD = {build.name: build for build in BUILDS}["gcc sanitizers"]
SHARING = {
    "gcc-thread-sanitizer": ("gcc", "-std=c99", "-O0", "-g1", "-fsanitize=thread"),
    "gcc-sanitizers": BUILD.command,
}


@pytest.mark.parametrize("tool", SHARING)
def test_contexts_of_one_model_in_many_threads(tool, tmp_path):
    """One constant model, a context per thread, inputs that overlap: the same outputs, no race."""
    tools.need(tool)
    write_c([chain(), intgold.load()], tmp_path / "models.c")
    parts = [*engine_objects(SHARING[tool]), SHARED, tmp_path / "models.c", "-pthread"]
    program, flags = tmp_path / "shared", [TABLE, "-I", ENGINE]
    subprocess.run([*SHARING[tool], *flags, *parts, "-o", program], check=True)
    run = subprocess.run([program], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "4 threads, 0 differing\n"), run.stderr[:2000]
