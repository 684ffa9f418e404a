"""Only integers in the integer engines: no float in golden/, none in csrc/."""

import ast
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tools
from compilers import BUILDS, ENGINE, engine_objects, sources
from intgold import golden
from intgold.vectors.cases.random_models import random_inputs, random_model

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "python/intgold/golden").glob("*.py"))
SIMD = [p for p in sources() if p.parent.name in ("x86", "arm")]
CORE = [p for p in sources() if p.stem != "dispatch" and p not in SIMD]

FLOAT_NAMES = re.compile(
    r"^(c?longdouble|half|single|double|c?float\d*|complex\d*|mean|average|std|var|round|rint|around|"
    r"fix|divide|true_divide|sqrt|exp|exp2|log|log2|tanh|erf|power|linspace|floor_?|ceil|trunc|"
    r"ldexp|frexp|interp|inexact|floating|float_power|reciprocal|fabs|hypot|einsum_float)$"
)


def floats_in(source: str) -> list[str]:
    """Return what computes or names a float in Python source."""
    found = []
    for node in ast.walk(ast.parse(source)):
        where = f"line {getattr(node, 'lineno', '?')}"
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            found.append(f"{where}: literal {node.value}")
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            found.append(f"{where}: true division")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = node.right
            negative = isinstance(exponent, ast.UnaryOp) and isinstance(exponent.op, ast.USub)
            if negative or not isinstance(exponent, ast.Constant):
                found.append(f"{where}: power that may be negative")
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("np", "numpy", "math")
            and (FLOAT_NAMES.match(node.attr) or node.value.id == "math")
        ):
            found.append(f"{where}: {node.value.id}.{node.attr}")
        if isinstance(node, ast.Name) and node.id in ("float", "complex", "round"):
            found.append(f"{where}: {node.id}")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
            if any(n.split(".")[0] in ("math", "torch", "fractions", "floating") for n in names):
                found.append(f"{where}: import {names}")
        if isinstance(node, ast.Call):
            for argument in [*node.args, *(k.value for k in node.keywords)]:
                text = argument.value if isinstance(argument, ast.Constant) else None
                if isinstance(text, str) and re.fullmatch(r"[<>=]?(f[248]|float\d*|c8|c16)", text):
                    found.append(f"{where}: dtype {text!r}")
    return found


@pytest.mark.parametrize(
    "planted",
    ["x = 0.5", "y = a / b", "a /= 2", "x = 2 ** -3", "z = np.round(a)", "a.astype('f4')",
     "a.astype(float)", "np.float32(a)", "np.mean(a)", "import math", "x = 2 ** n", "1e3"],
)  # fmt: skip
def test_the_wall_sees_a_float(planted):
    """Each way to compute a float is found: the check below can fail."""
    assert floats_in(planted)


def test_golden_computes_no_float():
    """No float literal, division, power, function or dtype in any file of golden/."""
    assert len(GOLDEN) >= 15
    for path in GOLDEN:
        assert floats_in(path.read_text()) == [], path.name


def test_golden_ops_give_and_take_integers():
    """At every op's boundary of random graphs: int8 or int32, as the op table says."""
    for seed in range(60):
        model = random_model(seed)
        run = model.run(random_inputs(model, 2, seed), backend="golden", trace=True)
        for op in model.ops:
            assert run.tensors[op.output].dtype == op.spec.output_dtype(op.fields)
        assert {a.dtype for a in run.accumulators.values()} <= {np.dtype(np.int32)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.int64])
def test_golden_ops_refuse_other_dtypes(dtype):
    """No op casts its input silently."""
    from intgold import InputError

    for seed in range(24):
        model = random_model(seed, max_ops=1)
        op = model.ops[0]
        x = [random_inputs(model, 1, 0)[n].astype(dtype) for n in op.inputs]
        with pytest.raises(InputError, match=np.dtype(dtype).name):
            golden.FUNCTIONS[op.kind](*x, **model.arguments(op))


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> list[Path]:
    """The freestanding core, compiled for general registers only."""
    tools.need("gcc")
    folder, objects = tmp_path_factory.mktemp("core"), []
    for source in CORE:
        made = folder / f"{source.stem}.o"
        subprocess.run(
            ["gcc", "-std=c99", "-O2", "-ffreestanding", "-mgeneral-regs-only", "-fno-pie",
             "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Werror", "-pedantic",
             "-I", ENGINE, "-c", source, "-o", made],
            check=True,
        )  # fmt: skip
        objects.append(made)
    return objects


def test_core_compiles_without_floating_point_registers(core, tmp_path):
    """The freestanding core, general registers only; a planted float does not compile."""
    assert len(core) >= 14
    bad = tmp_path / "bad.c"
    bad.write_text("int f(int a, double b) { return (int)(a * b); }\n")
    command = ["gcc", "-mgeneral-regs-only", "-ffreestanding", "-c", bad, "-o", tmp_path / "bad.o"]
    assert subprocess.run(command, capture_output=True).returncode != 0


def test_core_needs_memcpy_and_memset_only(core, tmp_path):
    """`nm -u` over the linked core: memcpy, memset and the dispatcher, nothing else."""
    tools.need("nm")
    linked = tmp_path / "core.o"
    subprocess.run(["ld", "-r", *core, "-o", linked], check=True)
    listed = subprocess.run(["nm", "-u", linked], check=True, capture_output=True, text=True)
    undefined = {line.split()[-1] for line in listed.stdout.splitlines()}
    dispatcher = {"intgold_dispatch", "intgold_dispatch_without_tiles", "intgold_acquire_isa"}
    assert undefined <= {"memcpy", "memset", *dispatcher, "_GLOBAL_OFFSET_TABLE_"}
    assert dispatcher <= undefined


def test_c_sources_name_no_float():
    """No float type in the engine's sources, comments aside."""
    assert len(SIMD) >= 12
    for source in ENGINE.rglob("*.[ch]"):
        code = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.DOTALL)
        assert not re.search(r"\b(float|double|long double)\b", code), source.name


def test_core_has_no_mutable_global(core):
    """No symbol of the core lies in writable data."""
    tools.need("nm")
    for made in core:
        listed = subprocess.run(["nm", made], check=True, capture_output=True, text=True).stdout
        kinds = {line.split()[-2] for line in listed.splitlines() if len(line.split()) >= 2}
        assert not kinds & set("bBdDcCsSgG"), made.name


FLOATING = re.compile(
    r"\tv?(f?n?m?(add|sub|mul|div|sqrt|min|max|rcp\w*|rsqrt\w*|dp|round|scalef|fixupimm|getexp|getmant|"
    r"range|reduce|comi|ucomi|cmp\w*|hadd|hsub|addsub)|fn?m(add|sub)\w*)(ps|pd|ss|sd|ph|sh)\b"
    r"|\tv?cvt\w*(ps|pd|ss|sd|ph|sh)\w*|\tvdpbf16|\tf(add|sub|mul|div|madd|msub|nmadd|cvt)\w*\b"
)
"""Mnemonics that compute in or convert to floating point; moves and broadcasts are none."""


def test_simd_kernels_compute_no_float(tmp_path):
    """The disassembly of every SIMD kernel; a planted float multiplication is seen."""
    tools.need("gcc")
    tools.need("objdump")

    def floats(made: Path) -> list[str]:
        listed = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", made],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return [line for line in listed.stdout.splitlines() if FLOATING.search(line)]

    command = BUILDS[0].command
    engine = dict(zip(sources(), engine_objects(command), strict=True))
    for source in SIMD:
        assert floats(engine[source]) == [], source.name
    bad = tmp_path / "bad.c"
    bad.write_text("float f(float a, int b) { return a * b; }\n")
    subprocess.run([*command, "-c", bad, "-o", tmp_path / "bad.o"], check=True)
    assert len(floats(tmp_path / "bad.o")) == 2
