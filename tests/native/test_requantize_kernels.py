"""Requantize in every form, by every variant of the C kernels, against exact integers."""

import shutil

import pytest

from compilers import ENGINE, source
from intgold import native
from intgold.ops.fields import FORMS
from requantize_checker import build, check
from tools import need

TRIPLES, FULL_TRIPLES = 200_000, 10_000_000  # of each form, and as many of mixed ones


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The checker with the engine as it is."""
    need("gcc")
    return build(tmp_path_factory.mktemp("checker"))


@pytest.mark.parametrize("isa", native.variants())
def test_every_form_is_exact(isa, checker, full):
    """Random operands, the ends of the ranges, and accumulators beside every tie: 0 differ."""
    triples = FULL_TRIPLES if full else TRIPLES
    for done, differing in check(checker, isa, triples):
        assert done >= triples and differing == 0


def test_the_checker_sees_a_rounding(tmp_path):
    """With a half that is 1 too small the forms that use one differ, the others do not."""
    need("gcc")
    engine = shutil.copytree(ENGINE, tmp_path / "csrc")
    right = "? (int64_t)1 << (t - 1) : 0"
    path = source("rounding.h", engine)
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, "? ((int64_t)1 << (t - 1)) - 1 : 0"))
    program = build(tmp_path, engine=engine, defined=("INTGOLD_PORTABLE_ONLY",))
    seen = [differing > 0 for _, differing in check(program, "portable", 20_000)]
    assert seen == [form not in ("single_down", "single_zero") for form in FORMS] + [True]
