"""The C engine is built with and without the headers of Python, and gives the same bits."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from compilers import ROOT, by_setuptools

BUILD_WITHOUT_HEADERS = """
import runpy, sys, sysconfig
found = sysconfig.get_path
sysconfig.get_path = lambda name, *a, **k: "nowhere" if name == "include" else found(name, *a, **k)
sys.argv = ["setup.py", "-q", "build_ext", "--inplace"]
runpy.run_path("setup.py")
"""

REPORT = """
import json, intgold
from intgold.run.digests import tensor_digests
from intgold.native import compiled
from intgold.vectors.cases.stimulus import stimulus
model = intgold.load()
digests = tensor_digests(model, stimulus(model, "builtin", 40), "c", 2)
print(json.dumps([compiled.__file__, digests]))
"""


def report(folder):
    """What REPORT prints with the package of this folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "python")}
    run = [sys.executable, "-c", REPORT]
    return json.loads(subprocess.run(run, check=True, env=environment, capture_output=True).stdout)


def test_a_machine_without_python_headers(tmp_path):
    """A plain shared library opened by cffi serves as the extension module does."""
    for part in ("csrc", "python", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    native = tmp_path / "python" / "intgold" / "native"
    for compiled in [*native.glob("_*.so"), *native.glob("_intgold.py")]:
        compiled.unlink()
    build = [sys.executable, "-c", BUILD_WITHOUT_HEADERS]
    subprocess.run(build, check=True, cwd=tmp_path, env=by_setuptools())
    assert list(native.glob("_compiled*.so")) and not list(native.glob("_intgold*.so"))
    made, here = report(tmp_path), report(ROOT)
    assert Path(made[0]).parent == native
    assert made[1] == here[1] and len(made[1]) > 5
