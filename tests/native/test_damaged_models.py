"""Models damaged at random: `intgold_prepare` refuses them, or they run, and nothing else."""

import shutil
import subprocess
from dataclasses import replace

import pytest

import tools
from compilers import BUILDS, ENGINE, ROOT, TABLE, engine_objects, source
from intgold.exporters import write_c
from intgold.native.compiled import ffi
from intgold.ops.table import OPS
from intgold.vectors.cases.random_models import random_model

SANITIZERS = [b for b in BUILDS if "sanitizers" in b.name]
COUNT, FULL_COUNT = 20_000, 400_000
OTHERS = {"INTGOLD_ERROR_ARGUMENT", "INTGOLD_ERROR_ISA", "INTGOLD_ERROR_SIZE"}
"""Statuses that no random damage is likely to have."""


def models():
    """Models of one op, every kind, and graphs."""
    single = [(kind, seed) for kind in OPS for seed in range(4)]
    yield from (
        replace(random_model(100 * seed + 7, (kind,), 1), name=f"{kind}_{seed}")
        for kind, seed in single
    )
    yield from map(random_model, range(34))


def own_objects(build, folder):
    """Compile tests/c/damaged.c and the models."""
    for tool in build.needs:
        tools.need(tool)
    write_c(list(models()), folder / "models.c")
    sources = [ROOT / "tests/c/damaged.c", folder / "models.c"]
    subprocess.run([*build.command, TABLE, "-I", ENGINE, "-c", *sources], check=True, cwd=folder)
    return [folder / "damaged.o", folder / "models.o"]


def link(build, objects, folder, engine=ENGINE):
    """Link them with an engine; return the program."""
    parts = [*engine_objects(build.command, engine), *objects]
    subprocess.run([*build.command, *parts, "-o", folder / "damaged"], check=True)
    return folder / "damaged"


@pytest.mark.parametrize("build", SANITIZERS, ids=lambda build: build.name)
def test_damaged_models_are_refused_or_run(build, tmp_path, full):
    """Hundreds of thousands with --full: no access outside arrays, nothing undefined, no bit that
    differs between variants and traces of what is accepted; every status is seen.
    """
    built = link(build, own_objects(build, tmp_path), tmp_path)
    count = FULL_COUNT if full else COUNT
    run = subprocess.run([built, str(count), "1"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:2000]
    rows = dict(map(str.split, run.stdout.splitlines()))
    ran = int(rows.pop("ran"))
    seen = {int(status): int(times) for status, times in rows.items()}
    assert ran > count // 10 and sum(seen.values()) > count * 0.9
    statuses = ffi.typeof("intgold_status").relements
    assert {statuses[name] for name in set(statuses) - OTHERS} <= set(seen)


CHECKS = (
    ("op_rules.c", "if (!slides(rows)) return", "if (0) return"),
    ("validate.c", "t < 0 || t >= own", "t < 0"),
    ("op_rules.c", "!op->breakpoints || ", ""),
    ("validate.c", "tensor->offset + validate_bytes_of(tensor) > model->activations_size", "0"),
    ("validate.c", "if (!is_kept(model, i))", "if (0 && !is_kept(model, i))"),
    ("op_rules.c", "(size_t)kind < sizeof rules_of / sizeof *rules_of", "kind >= 0"),
    ("op_rules.c", "if (at->y->size != op->in_c)", "if (0)"),
    ("op_rules.c", "if (at->y->size != op->rows)", "if (0)"),
    ("op_rules.c", "if (at->x->size != count || at->y->size != count)",
     "if (at->x->size != count)"),
    ("op_rules.c", "by->count != 1 && by->count != channels", "by->count < 1 || channels < 1"),
    ("op_rules.c", "if (op->out_c % op->in_c != 0)", "if (0)"),
    ("prove.c", "by->right_shift < 1 || by->right_shift > 62", "by->right_shift < 1"),
    ("prove.c", "if (op->breakpoints[0] != -128)", "if (0)"),
    ("prove.c", "!intgold_takes(acc->lo, &by) || !intgold_takes(acc->hi, &by)",
     "acc->lo > acc->hi"),
    ("prove.c", "} else if (!fit_int32(&acc)) {", "} else if (0) {"),
)  # fmt: skip
"""Checks whose absence a sanitizer shows."""


def test_every_check_can_be_left_out():
    """Its text is there once."""
    for file, right, _ in CHECKS:
        assert source(file).read_text().count(right) == 1, right


def test_a_check_that_is_missing_is_found(tmp_path, full):
    """An engine without one check: the program above ends with an error."""
    build, survived = SANITIZERS[0], []
    objects = own_objects(build, tmp_path)
    for file, right, wrong in CHECKS if full else CHECKS[::7]:
        engine = shutil.copytree(ENGINE, tmp_path / "csrc")
        path = source(file, engine)
        text = path.read_text()
        assert text.count(right) == 1
        path.write_text(text.replace(right, wrong))
        built = link(build, objects, tmp_path, engine)
        if subprocess.run([built, str(10 * COUNT), "2"], capture_output=True).returncode == 0:
            survived.append(right)
        shutil.rmtree(engine)
    assert survived == []
