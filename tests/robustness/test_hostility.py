"""Nothing that a stranger hands over breaks a command: it is refused in one line, or it is legal.

Thousands of damaged files of every kind, each kind in a process of its own whose memory is
bounded, where a crash is seen (`hostile_batch.py` says what is asserted of each file).
"""

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

import hostile_kinds
import intgold
import mutated_models
import tools
from compilers import BUILDS, Runner
from hostile_batch import ALLOWED
from intgold.run.digests import tensor_digests
from intgold.vectors.cases.random_models import random_inputs

FOLDER = Path(__file__).parents[1] / "support"
COUNTS = {
    "model": (200, 1500),
    "rehashed_model": (400, 3000),
    "vector_set": (130, 900),
    "rehashed_set": (150, 1000),
    "dump": (120, 900),
    "images": (150, 1200),
    "labels": (100, 600),
    "network": (130, 900),
    "ranges": (130, 900),
    "absurd": (8, 60),
    "layout": (60, 700),
    "signatures": (40, 400),
    "op_set": (60, 500),
    "picture": (40, 400),
    "packed_set": (25, 150),
    "bomb": (16, 150),
}
"""Files of each kind; in `make prove`."""
NONE_TAKEN = ("vector_set", "bomb")
MEMORY = {"absurd": 3 * 2**29}
"""Bytes that a batch may have used: of the others, what the widest float network holds."""


def run_batch(kind, count, folder, seed=0):
    """The tally of a batch; a crash or a hang fails, naming the file that it was at."""
    batch = [
        sys.executable,
        FOLDER / "hostile_batch.py",
        kind,
        seed,
        count,
        folder,
    ]
    run = subprocess.run([str(a) for a in batch], capture_output=True, text=True)
    assert run.returncode == 0, f"{kind}: status {run.returncode}, at {run.stderr[-3000:]}"
    return json.loads(run.stdout)


@pytest.mark.parametrize("kind", COUNTS)
def test_damaged_files(kind, full, tmp_path):
    """Refused in one line that names the file, nothing written; or read as it should be."""
    count = COUNTS[kind][full]
    tally = run_batch(kind, count, tmp_path)
    assert tally["wrong"] == [], "\n".join(tally["wrong"][:20])
    assert tally["refused"] + tally["taken"] == count
    assert tally["refused"] > 0 and (tally["taken"] > 0 or kind in NONE_TAKEN)
    assert tally["memory"] < MEMORY.get(kind, ALLOWED)
    tools.said.append(
        f"hostile {kind}: {count} files, {tally['refused']} refused, {tally['taken']} legal, "
        f"at most {tally['slowest']:.1f} s and {tally['memory'] / 2**20:.0f} MB"
    )


def test_the_counts():
    """Some 1,500 files by default, 10,000 in `make prove`."""
    assert sum(few for few, _ in COUNTS.values()) >= 1500
    assert sum(many for _, many in COUNTS.values()) >= 10_000


def test_legal_models_under_sanitizers(tmp_path, full):
    """Models that were changed and are legal run in C without a stray access or an overflow."""
    build = next(build for build in BUILDS if build.name == "gcc sanitizers")
    for tool in build.needs:
        tools.need(tool)
    (tmp_path / "valid").mkdir()
    base = hostile_kinds.Base(tmp_path / "valid")
    models = []
    while len(models) < (300 if full else 25):
        rng = Random(len(models))
        case = None
        while case is None:
            members = base.zip_of(f"random{rng.randrange(len(base.random))}.npz")
            _, changed = mutated_models.model(rng, *mutated_models.read(members))
            mutated_models.write(tmp_path / "model.npz", changed)
            with contextlib.suppress(intgold.ModelError):
                case = intgold.load(tmp_path / "model.npz")
                case = case if hostile_kinds.work(case) < 2**18 else None
        models.append(replace(case, name=f"m{len(models)}"))
    runner = Runner(build, models, tmp_path)
    for model in models:
        x = random_inputs(model, 2, 1)
        assert runner.digests(model, x) == tensor_digests(model, x, backend="golden"), model.name


def test_a_model_of_many_ops(tmp_path):
    """20,000 ops in a row are read, planned and run in seconds: nothing is quadratic."""
    model = hostile_kinds.chain("int32", (3,), "argmax", {}, 20_000)
    model.save(tmp_path / "model.npz")
    started = time.process_time()
    loaded = intgold.load(tmp_path / "model.npz")
    x = np.array([[3, 5, 4]], np.int32)
    assert loaded.run(x).output.tolist() == loaded.run(x, backend="golden").output.tolist() == [[0]]
    assert time.process_time() - started < 10


BREAKS = {
    "model": ("intgold.support.safe_files", "plain_size", "lambda *a: 2**40"),
    "rehashed_model": ("intgold.model.graph:Model", "_check_shapes", "lambda *a: None"),
    "vector_set": ("intgold.vectors.sets.manifest", "check_folder", "lambda *a, **k: None"),
    "rehashed_set": (
        "intgold.vectors.sets.manifest",
        "_digests",
        "lambda f: {g['path']: '' for g in f}",
    ),
    "dump": ("intgold.verify.dump", "refuse_unknown", "lambda *a: print('x')"),
    "images": (
        "intgold.images.arrays",
        "read_npy",
        "lambda w, d, **k: np.load(io.BytesIO(d), None, True)",
    ),
    "labels": (
        "intgold.images.arrays",
        "_read_idx",
        "lambda p, e: np.fromfile(p, 'u1', 6, offset=8)",
    ),
    "network": ("intgold.quantize.network_file", "strict_json", "json.loads"),
    "ranges": ("intgold.quantize.calibrate", "strict_json", "json.loads"),
    "layout": ("intgold.vectors.memory.layout_file", "_value", "lambda w, k, v, n: v"),
    "signatures": (
        "intgold.verify.signatures",
        "_LINE",
        "re.compile(r'(\\S+) (\\S+) (\\S+) (\\S+)')",
    ),
    "op_set": (
        "intgold.vectors.op_vectors.sets",
        "paths_below",
        (
            "(lambda real: lambda f: real(f) if f.name[0] == '.' else {'manifest.json', "
            "*json.loads((f / 'manifest.json').read_bytes())['files']})(pkgutil.resolve_name("
            "'intgold.vectors.op_vectors.sets:paths_below'))"
        ),
    ),
    "picture": ("intgold.images.pictures", "DataError", "ValueError"),
    "packed_set": ("intgold.vectors.sets.manifest", "check_packed", "lambda *a, **k: None"),
    "bomb": ("intgold.support.json_text", "MAX_PARTS", "2**40"),
}
"""Of each kind a check that is taken away, or spoilt: owner, name, what is there instead."""
FEW = {"bomb": 8, "packed_set": 40, "layout": 30, "picture": 30, "op_set": 60}
"""Files of the kinds that take longer."""


@pytest.mark.parametrize("kind", BREAKS)
def test_a_missing_check_is_seen(kind, tmp_path):
    """The batch can fail: it tells of the files that are wrong, breaks, or takes more memory."""
    owner, name, broken = BREAKS[kind]
    program = (
        "import io, json, pathlib, pkgutil, re, sys, numpy as np, hostile_batch\n"
        f"setattr(pkgutil.resolve_name({owner!r}), {name!r}, {broken})\n"
        f"folder, count = pathlib.Path({str(tmp_path)!r}), {FEW.get(kind, 100)}\n"
        f"made = hostile_batch.batch({kind!r}, 0, count, folder, to_first_wrong=True)\n"
        "print(json.dumps(made))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, capture_output=True)
    assert run.returncode != 1, run.stderr[-2000:]  # no break, but a mistake above
    if run.returncode == 0:
        made = json.loads(run.stdout)
        assert made["wrong"] or made["memory"] > ALLOWED
