"""No variant of the kernels reads or writes outside its buffers; sanitizers find nothing."""

import shutil
import subprocess
from dataclasses import replace
from itertools import count as numbers
from itertools import islice

import pytest

import tools
from compilers import BUILDS, ENGINE, ROOT, TABLE, engine_objects, source
from convolutions import ON_VALUES, convolution, depthwise, on_values, transposed
from intgold import native
from intgold.exporters import write_c
from intgold.vectors.cases.random_models import random_model

NATIVE_BUILDS = [b for b in BUILDS if not b.emulator and "-m32" not in b.command]
AARCH64 = {"AArch64 with dotprod": ["portable", "neon", "dotprod"],
           "AArch64 without": ["portable", "neon"]}  # fmt: skip


def program(build, models, folder, engine=ENGINE):
    """Compile tests/c/placement.c with the models."""
    for tool in build.needs:
        tools.need(tool)
    write_c(models, folder / "models.c")
    sources = [ROOT / "tests/c/placement.c", folder / "models.c"]
    parts = [*engine_objects(build.command, engine), *sources]
    subprocess.run(
        [*build.command, TABLE, "-I", engine, *parts, "-o", folder / "placement"], check=True
    )
    return folder / "placement"


def small_models(count):
    """Random graphs and convolutions whose weights a compiler takes in seconds."""
    small = []
    for draw in (convolution, transposed):
        models = (draw(seed) for seed in range(10 * count))
        small += [m for m in models if m.ops[0]["weights"].size < 6000][:count]
    assert len(small) == 2 * count
    named = [replace(m, name=f"{m.name}_{i}") for i, m in enumerate(small)]
    return [*(random_model(seed) for seed in range(count)), *named, *filling_models()]


def filling_models():
    """Convolutions that use the last byte of the scratch: the sums of whole chunks of pixels."""

    def fills(model):
        height, width, channels = model.tensor("y").shape
        light = channels > 16 and model.ops[0]["weights"].size < 6000
        return light and height >= 8 and width in (14, 28)

    yield from islice(filter(fills, map(convolution, numbers(10_000))), 6)
    wide = (m for m in map(depthwise, numbers()) if m.tensor("y").shape[1] >= 56)
    yield from (replace(m, name=f"wide{i}") for i, m in enumerate(islice(wide, 6)))
    resized = filter(_reads_beyond, map(on_values, range(6, 10**5, len(ON_VALUES))))
    yield from (replace(m, name=f"resized{i}") for i, m in enumerate(islice(resized, 2)))
    values = (m for m in map(on_values, numbers()) if m.ops[0].kind in ("add", "resize_bilinear"))
    yield from (replace(m, name=f"values{i}") for i, m in enumerate(islice(values, 12)))


def _reads_beyond(model):
    """Whether blends read beyond the last row of words, which ends where the scratch does."""
    _, width, channels = model.tensor("x").shape
    last = model.ops[0]["column1"].max() == width - 1
    return last and width * channels % 16 == 0 and channels % 8 != 0


def check(build, models, folder, variants):
    """Run them by all variants; nothing differs, and no variant is left out."""
    command = [*build.emulator, program(build, models, folder), "2", "1"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:2000]
    rows = [line.split() for line in run.stdout.splitlines()]
    assert {row[0] for row in rows} == set(variants)
    assert [row[1:] for row in rows] == [[str(len(models)), "0"]] * len(rows)


@pytest.mark.parametrize("build", NATIVE_BUILDS, ids=lambda build: build.name)
def test_buffers_beside_guard_pages(build, tmp_path, full):
    """Inputs, outputs, tensors, accumulators and arena: nothing beside them is touched."""
    check(build, small_models(200 if full else 6), tmp_path, native.variants())


@pytest.mark.parametrize("name", AARCH64)
def test_aarch64_under_an_emulator(name, tmp_path, full):
    """NEON with dot products and without: nothing differs from the portable kernels."""
    (build,) = (b for b in BUILDS if b.name == name)
    check(build, small_models(1000 if full else 30), tmp_path, AARCH64[name])


BROKEN = (
    ("kernels_portable.c", "i < count; i++) y[i] = table", "i <= count; i++) y[i] = table"),
    ("conv2d_band.c", "* sizeof(int32_t);\n}", "* sizeof(int32_t) - 64;\n}"),
    ("resize_bilinear.c", "(row, INTGOLD_BLEND_BEYOND * sizeof(int32_t))", "(row, 0)"),
    ("depthwise_plan.c", "DEPTHWISE_CHUNK * vector)", "DEPTHWISE_CHUNK * vector - 64)"),
)


@pytest.mark.parametrize(("file", "right", "wrong"), BROKEN, ids=[file for file, _, _ in BROKEN])
def test_what_lies_beyond_is_seen(file, right, wrong, tmp_path, full):
    """A table that looks up one value too many, and scratch that is too small, end the program."""
    engine = shutil.copytree(ENGINE, tmp_path / "csrc")
    path = source(file, engine)
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    models = small_models(5 if full else 1)
    built = program(NATIVE_BUILDS[0], models, tmp_path, engine)
    assert subprocess.run([built, "2", "1"], capture_output=True).returncode < 0  # a signal
