"""`intgold_prepare` refuses every model that SPEC.md forbids, each with a status of its own."""

import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import tools
from compilers import ENGINE, LIBRARY, ROOT, engine_objects, sources
from damaged_models import DAMAGES, CModel, chain
from intgold import EngineError, ModelError, native
from intgold.native.compiled import ffi, lib
from intgold.native.engine import status_text
from intgold.native.lowering import lower

BUFFER = 1 << 20
STATUSES = ffi.typeof("intgold_status").relements


@cache
def models():
    """The models to damage, by what makes them."""
    return {make: make() for make in {damage.make for damage in DAMAGES}}


def damaged(damage):
    """The C data of a damage."""
    model = CModel.of(models()[damage.make])
    damage.do(model)
    return model


def verdict(model):
    """Status and op of a model as C data."""
    op = ffi.new("int32_t *", 77)
    return lib.intgold_check_model(model.model, ffi.new("char[]", BUFFER), BUFFER, op), op[0]


def test_models_are_taken_before_they_are_damaged():
    """Every status below is that of the damage."""
    assert len(DAMAGES) > 600 and len({damage.name for damage in DAMAGES}) == len(DAMAGES)
    for model in models().values():
        assert verdict(CModel.of(model)) == (lib.INTGOLD_OK, -1)


def test_each_damage_has_its_status_and_its_op():
    """By intgold_check_model, and by intgold_prepare; no context comes of it."""
    for damage in DAMAGES:
        model = damaged(damage)
        assert verdict(model) == (damage.number, damage.op), damage.name
        made = ffi.new("intgold_context **")
        buffer = ffi.new("char[]", BUFFER)
        status = lib.intgold_prepare(model.model, lib.INTGOLD_ISA_PORTABLE, buffer, BUFFER, made)
        assert status == damage.number and made[0] == ffi.NULL, damage.name


def test_every_status_of_a_model_is_seen():
    """No status is without a damage, but those that no model causes."""
    others = {"OK", "ERROR_ARGUMENT", "ERROR_ISA", "ERROR_BUFFER_TOO_SMALL"}
    assert {f"INTGOLD_ERROR_{damage.status}" for damage in DAMAGES} == (
        set(STATUSES) - {f"INTGOLD_{name}" for name in others}
    )


def test_sizes_of_what_is_refused_are_0():
    """Without a look at arrays: an arena of 0 bytes; no op is packed that is refused."""
    for damage in DAMAGES:
        model = damaged(damage)
        size = lib.intgold_arena_size(model.model, lib.INTGOLD_ISA_PORTABLE)
        by_values = size > 0
        if by_values:
            assert damage.status in ("FORM", "PARAMETER", "ACCUMULATOR"), damage.name
        for op in range(-1, 7):
            lib.intgold_packed_size(model.model, lib.INTGOLD_ISA_PORTABLE, op)
            lib.intgold_scratch_size(model.model, lib.INTGOLD_ISA_PORTABLE, op)


def test_a_check_needs_a_buffer():
    """NULL and too few bytes have the statuses of intgold_prepare; what an arena has is enough."""
    model, op = CModel.of(chain()), ffi.new("int32_t *")
    buffer = ffi.new("char[]", BUFFER)
    check = lib.intgold_check_model
    assert check(ffi.NULL, buffer, BUFFER, op) == lib.INTGOLD_ERROR_ARGUMENT
    assert check(model.model, ffi.NULL, BUFFER, op) == lib.INTGOLD_ERROR_ARGUMENT
    assert check(model.model, buffer, 10, op) == lib.INTGOLD_ERROR_BUFFER_TOO_SMALL
    size = lib.intgold_arena_size(model.model, lib.INTGOLD_ISA_PORTABLE)
    assert check(model.model, buffer, size, ffi.NULL) == lib.INTGOLD_OK


def test_python_names_the_model_the_op_and_the_reason():
    """ModelError for a model, EngineError for the rest, in the words of the engine."""
    prepared = native.NativeModel(lower(chain()), "portable")
    fields = ffi.cast("intgold_add *", prepared.model.ops[3].fields)
    fields.form = 9
    with pytest.raises(ModelError, match="model chain, op d: the C engine refused it: an unknown "):
        prepared.need()
    fields.form = 0
    values = ffi.cast("uint8_t *", fields.requantize.form)
    values[0] = 9
    with pytest.raises(ModelError, match="model chain, op d: .*an unknown rounding form"):
        native.engine.Context(prepared)
    values[0] = 0
    context, x, y = native.engine.Context(prepared), np.zeros(100, np.int8), np.zeros(100, np.int8)
    with pytest.raises(EngineError, match="refused a run: a null pointer or a negative count"):
        context.run(3, 1, [x], [y], None)


def test_every_status_has_a_text():
    """One line each, none twice, and one for numbers that are none."""
    texts = [status_text(number) for number in STATUSES.values()]
    assert sorted(STATUSES.values()) == list(range(len(STATUSES)))
    assert len(set(texts)) == len(texts) and all(8 <= len(text) < 100 for text in texts)
    unknown = "an unknown status"
    assert unknown not in texts
    assert {status_text(number) for number in (len(texts), 2**31 - 1)} == {unknown}
    assert status_text(ffi.cast("intgold_status", -1)) == unknown


# ---- Every check is needed.

CHECKS = ("validate.c", "op_rules.c", "members.c", "prove.c")
FILES = {name: (ENGINE / "engine" / name).read_text() for name in CHECKS}
EVERY = "\n    {INT32_MIN, INT32_MAX, INTGOLD_OK},\n};\n\n/* An int32_t of a structure. */"

TOGETHER = tuple(f"intgold_pad in{axis}" for axis in range(3))
"""Limits of which two settle the third, since the size of a tensor is their product."""


def without_checks():
    """(what, file, text): the files without one check, or one part of it, each."""
    for file, text in FILES.items():
        for found in re.finditer(r"if \(([^;{}]*)\)\s+return INTGOLD_ERROR_\w+;", text):
            parts = re.split(r" \|\|\s+", found[1])
            whole = any(part.count("(") != part.count(")") for part in parts)
            for part in [found[1]] if whole else parts:
                left = " || ".join(p for p in parts if p != part) if len(parts) > 1 else "0"
                start, end = found.span(1)
                yield part, file, text[:start] + ("0" if whole else left) + text[end:]
    limits = FILES["members.c"].replace("\n};\n\n/* An int32_t of a structure. */", EVERY)
    kinds = FILES["members.c"].split("typedef enum limits {")[1].split("}")[0]
    number = re.sub(r"/\*.*?\*/", "", kinds).count(",") + 1
    off = f"{{0, {number}}}"
    rows = r"\bM\((\w+), (\w+), [A-Z0-9_]+\)"
    for found in re.finditer(rows, limits):
        start, end = found.span()
        row = f"{found[1]} {found[2]}"
        if row not in TOGETHER:
            yield row, "members.c", limits[:start] + off + limits[end:]
    without = re.sub(rows, lambda m: off if f"{m[1]} {m[2]}" in TOGETHER else m[0], limits)
    yield ", ".join(TOGETHER), "members.c", without


VERDICTS = """
import ctypes, sys
sys.path.insert(0, "{support}")
from damaged_models import DAMAGES, CModel
from intgold.native.compiled import ffi
check = ctypes.CDLL("{library}").intgold_check_model
check.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
buffer, made = ctypes.create_string_buffer({size}), {{}}
for damage in DAMAGES:
    if damage.make not in made:
        made[damage.make] = damage.make()
    model = CModel.of(made[damage.make])
    damage.do(model)
    op = ctypes.c_int32(77)
    address = int(ffi.cast("uintptr_t", model.model))
    status = check(address, buffer, {size}, ctypes.byref(op))
    if (status, op.value) != (damage.number, damage.op):
        sys.exit(damage.name)
"""


def passes(folder, file=None, text=None):
    """Whether every damage has its status by an engine with another text of one file."""
    objects = dict(zip(sources(), engine_objects(LIBRARY), strict=True))
    if file is not None:
        (folder / file).write_text(text)
        source = ENGINE / "engine" / file
        objects[source] = folder / f"{file}.o"
        subprocess.run(
            [*LIBRARY, "-I", ENGINE, "-c", folder / file, "-o", objects[source]], check=True
        )
    library = folder / "engine.so"
    subprocess.run(["gcc", "-shared", "-o", library, *objects.values()], check=True)
    script = VERDICTS.format(support=ROOT / "tests/support", library=library, size=BUFFER)
    return subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


def test_no_check_can_be_left_out(tmp_path, full):
    """Without any one of them some damage gets another status, or ends the program."""
    tools.need("gcc")
    assert passes(tmp_path)
    every = list(without_checks())
    assert len(every) > 130
    chosen = every if full else every[::23]
    assert [what for what, file, text in chosen if passes(tmp_path, file, text)] == []
