"""Files of `write_c` in a program of the user's: linked side by side, their arenas sized."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

import intgold
import tools
from compilers import BUILDS, ENGINE, ROOT, TABLE, engine_objects
from intgold.exporters import write_c
from intgold.vectors.cases.random_models import random_inputs, random_model

GCC = BUILDS[0].command
MAIN = """#include <stdio.h>
#include "intgold.h"
extern const intgold_model intgold_model_one, intgold_model_two;
int main(void) {
    static unsigned char arena[1 << 20];
    static int8_t x[1 << 16], y[1 << 16];
    const intgold_model *const models[2] = {&intgold_model_one, &intgold_model_two};
    const void *inputs[1] = {x};
    void *outputs[1] = {y};
    int i;
    for (i = 0; i < 2; i++) {
        const intgold_model *m = models[i];
        intgold_context *context;
        if (fread(x, 1, (size_t)m->tensors[m->inputs[0]].size, stdin) == 0) return 3;
        if (intgold_prepare(m, INTGOLD_ISA_AUTO, arena, sizeof arena, &context)) return 1;
        if (intgold_run(context, 1, inputs, outputs, NULL)) return 2;
        fwrite(y, 1, (size_t)m->tensors[m->outputs[0]].size, stdout);
    }
    return 0;
}
"""


def link(folder, *words):
    """Compile files of a folder with the engine into the program p; return the compiler's run."""
    return subprocess.run(
        [*GCC, "-I", ENGINE, *words, *engine_objects(GCC), "-o", "p"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip


def single(seed):
    """A random model of one int8 input and one int8 output, from a seed on."""
    while True:
        model = random_model(seed)
        ends = [model.tensor(name) for name in (*model.inputs, *model.outputs)]
        if len(ends) == 2 and {t.dtype for t in ends} == {"int8"}:
            return model
        seed += 1


@pytest.mark.parametrize("seed", [0, 100])
def test_two_exports_link_into_one_program(seed, tmp_path):
    """Each in a file of its own; both run there, and give golden's bits."""
    tools.need("gcc")
    models = [replace(single(seed), name="one"), replace(single(seed + 50), name="two")]
    assert models[0].sha256 != models[1].sha256
    want, given = b"", b""
    for model in models:
        write_c([model], tmp_path / f"{model.name}.c")
        x = random_inputs(model, 1, seed)
        given += x[model.inputs[0]].tobytes()
        want += model.run(x, backend="golden").output.tobytes()
    assert np.frombuffer(want, np.int8).any()
    (tmp_path / "main.c").write_text(MAIN)
    made = link(tmp_path, "main.c", "one.c", "two.c")
    assert made.returncode == 0, made.stderr
    run = subprocess.run([tmp_path / "p"], input=given, capture_output=True)
    assert run.returncode == 0 and run.stdout == want


def test_one_file_may_have_the_table(tmp_path):
    """`intgold_models` is there where the macro is defined, and in no other file."""
    tools.need("gcc")
    for name in ("one", "two"):
        write_c([replace(single(0), name=name)], tmp_path / f"{name}.c")
    main = tmp_path / "main.c"
    main.write_text(
        '#include "intgold.h"\nextern const intgold_model *const intgold_models[];\n'
        "int main(void) { return !intgold_models[0] || intgold_models[1]; }\n"
    )
    assert "undefined reference to `intgold_models'" in link(tmp_path, "main.c", "one.c").stderr
    subprocess.run([*GCC, TABLE, "-I", ENGINE, "-c", "one.c"], check=True, cwd=tmp_path)
    assert link(tmp_path, "main.c", "one.o", "two.c").returncode == 0
    assert subprocess.run([tmp_path / "p"]).returncode == 0
    clash = link(tmp_path, TABLE, "main.c", "one.c", "two.c")
    assert clash.returncode != 0 and "intgold_models" in clash.stderr


def arenas(build, models, folder):
    """{name: bytes of the arena, portable kernels} by a build."""
    for tool in build.needs:
        tools.need(tool)
    write_c(models, folder / "models.c")
    parts = [*engine_objects(build.command), ROOT / "tests/c/arena.c", folder / "models.c"]
    subprocess.run(
        [*build.command, TABLE, "-I", ENGINE, *parts, "-o", folder / "arena"], check=True
    )
    out = subprocess.run([folder / "arena"], check=True, capture_output=True, text=True).stdout
    return {name: int(size) for name, size in map(str.split, out.splitlines())}


def test_the_arena_of_a_32_bit_target_fits_in_that_of_64(tmp_path, full):
    """The shipped networks and random graphs: 32 bits need no more than `intgold info` says."""
    models = [*map(intgold.load, intgold.SHIPPED), *map(random_model, range(600 if full else 40))]
    by_name = {build.name: build for build in BUILDS}
    narrow = arenas(by_name["gcc -m32"], models, tmp_path)
    wide = {model.name: model.prepare("portable").arena_size for model in models}
    assert narrow.keys() == wide.keys() and len(wide) == len(models)
    assert [name for name in wide if not 0 < narrow[name] <= wide[name]] == []
    assert any(narrow[name] < wide[name] for name in wide)
