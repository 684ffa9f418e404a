"""The op table is the whole truth: every place that knows ops knows exactly these."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from intgold import golden, native
from intgold.native.compiled import ffi, lib
from intgold.ops.fields import FORMS, Scales
from intgold.ops.table import OPS
from intgold.vectors.cases import random_models

ROOT = Path(__file__).parents[2]
NAMES = list(OPS)


def test_every_engine_has_exactly_the_ops_of_the_table():
    """Golden, native and the random models cover the same set, in order."""
    assert NAMES and len(set(NAMES)) == len(NAMES)
    for table in (golden.FUNCTIONS, native.FUNCTIONS, random_models._FIELDS):
        assert list(table) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_op_has_one_name_in_every_place(name):
    """ops/<op>.py, golden/<op>.py, csrc/ops/<op>.c, the C names, and the SPEC clause."""
    spec = OPS[name]
    assert import_module(f"intgold.ops.{name}").OP is spec
    assert (ROOT / "python/intgold/golden" / f"{name}.py").is_file()
    source = (ROOT / "csrc/ops" / f"{name}.c").read_text()
    assert all(f"void {spec.c_name(dtype)}(" in source for dtype in spec.input_dtypes)
    assert spec.input_dtypes and f"SPEC clause {spec.clause}" in source
    assert f"(SPEC {spec.clause})" in golden.FUNCTIONS[name].__globals__["__doc__"]
    assert f"SPEC {spec.clause} " in native.FUNCTIONS[name].__doc__
    assert all(hasattr(lib, spec.c_name(dtype)) for dtype in spec.input_dtypes)
    assert getattr(lib, f"INTGOLD_{name.upper()}") == NAMES.index(name)
    assert re.search(
        rf"^### {re.escape(spec.clause)} {name}$", (ROOT / "SPEC.md").read_text(), re.M
    )
    assert re.search(rf"def {name}\(", (ROOT / "tests/slow_oracle.py").read_text())


def test_c_has_no_op_that_the_table_lacks():
    """The header's kinds and structures, and the files of csrc/ops/, are those of the table."""
    kinds = ffi.typeof("intgold_kind").relements
    assert sorted(kinds) == sorted(f"INTGOLD_{name.upper()}" for name in NAMES)
    files = {path.stem for path in (ROOT / "csrc/ops").glob("*.c")}
    assert files - set(NAMES) == {
        "conv2d_band", "conv2d_plan", "depthwise_plan", "direct", "single_op", "table_lines",
    }  # fmt: skip
    assert set(NAMES) <= files
    clauses = re.findall(r"^### 5\.\d+ (\w+)$", (ROOT / "SPEC.md").read_text(), re.M)
    assert [c for c in clauses if c != "windows"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_golden_takes_what_the_table_declares(name):
    """Positional inputs, then by keyword the fields (scales are the host's) and zero points."""
    spec = OPS[name]
    parameters = inspect.signature(golden.FUNCTIONS[name]).parameters.values()
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    keywords = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert tuple(positional) == spec.inputs
    read = {n for n, t in spec.fields.items() if not isinstance(t, Scales)}
    assert keywords == read | set(spec.zero_points)


@pytest.mark.parametrize("name", NAMES)
def test_c_knows_which_ops_accumulate(name):
    """`intgold_has_accumulator` is the table's `accumulator`; 0 for a kind beyond it."""
    assert lib.intgold_has_accumulator(len(NAMES)) == lib.intgold_has_accumulator(2**31 - 1) == 0
    assert lib.intgold_has_accumulator(NAMES.index(name)) == OPS[name].accumulator


def test_forms_are_the_c_enum_in_order():
    """The index of a form in Python is its value in C."""
    declared = ffi.typeof("intgold_form").relements
    assert [f"INTGOLD_FORM_{form.upper()}" for form in FORMS] == sorted(declared, key=declared.get)


def test_spec_version_is_the_same_in_c_and_python():
    """SPEC_VERSION, the header and the heading of SPEC.md agree."""
    from intgold import SPEC_VERSION

    assert f"{lib.INTGOLD_SPEC_MAJOR}.{lib.INTGOLD_SPEC_MINOR}" == SPEC_VERSION
    assert f"\nVersion {SPEC_VERSION}. " in (ROOT / "SPEC.md").read_text()
