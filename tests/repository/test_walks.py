"""ARCHITECTURE.md's walks: the files that one array, one set, one diagnosis pass, as traced."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import intgold
from intgold.vectors import write_set
from intgold.verify.dump import Dump
from intgold.verify.report.verification_report import verification_report
from walks import walk

TEXT = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text()
CALLED_BACK = {
    ("model/graph.py", "model/budget.py"), ("model/graph.py", "native/lowering.py"),
    ("model/graph.py", "run/backends.py"), ("model/graph.py", "run/session.py"),
    ("model/graph.py", "model/artefact.py"), ("model/artefact.py", "model/graph.py"),
    ("golden/conv2d.py", "golden/windows.py"),
    ("vectors/formats/word_file.py", "vectors/formats/npy.py"),
    ("vectors/sets/reader.py", "verify/dump.py"), ("verify/dump.py", "vectors/sets/reader.py"),
    ("verify/comparison.py", "vectors/sets/strays.py"),
    *(("verify/diagnose/datapath.py", f"verify/diagnose/hypotheses/{name}.py")
      for name in ("accumulator", "activation", "operands", "output_order", "weights")),
}  # fmt: skip
"""(file, caller): a file that a later one calls: the model is asked for its tensors, a function is
passed on (the sum of a window, the steps of a datapath, the values of a dump).
"""


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The traced calls by their heading; each has run once before, so that nothing is imported."""
    folder, model = tmp_path_factory.mktemp("walks"), intgold.load()
    x = np.zeros((1, *model.tensor(model.inputs[0]).shape), np.int8)
    vectors, dump = folder / "vectors", folder / "dump"
    write_set(model, vectors, count=2)
    shutil.copytree(vectors, dump)
    spoilt = np.load(dump / "outputs" / "conv1.npy")
    spoilt.flat[5] ^= 1
    np.save(dump / "outputs" / "conv1.npy", spoilt)
    (dump / "outputs" / "conv1.hex").unlink()
    models = iter([intgold.load() for _ in range(2)])
    found = {
        "One image in C": lambda: next(models).run(x),
        "One image in NumPy": lambda: model.run(x, "golden"),
        "One vector set": lambda: write_set(model, folder / "again", count=2),
        "One diagnosis": lambda: str(verification_report(Dump(vectors, dump), causes=True)),
    }
    for call in found.values():
        call()
    return found


def sections():
    """The fenced list under each heading of the walks."""
    part = TEXT.split("\n## Walks\n")[1].split("\n## ")[0]
    return {
        heading: block.split()
        for heading, block in re.findall(r"\n### ([^\n]+)\n.*?```text\n(.*?)```", part, re.DOTALL)
    }


def test_every_walk_is_listed(calls):
    assert set(sections()) == set(calls)


@pytest.mark.parametrize("heading", sections())
def test_walk(heading, calls):
    """The files in the order of their first call; none is come back to but for a reason."""
    found = walk(calls[heading])
    assert found.files == sections()[heading]
    assert found.returns <= CALLED_BACK
