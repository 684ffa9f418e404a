"""Names of version 0.1 import, with a warning that gives the new one."""

import importlib
import subprocess
import sys

import pytest

import intgold
from intgold.support.moved import MOVED, RENAMED, successor


@pytest.mark.parametrize("old", MOVED)
def test_an_old_module_is_the_new_one(old):
    """The very same module, whose name stays the new one."""
    sys.modules.pop(f"intgold.{old}", None)
    new = f"intgold.{MOVED[old]}"
    with pytest.warns(DeprecationWarning, match=f"intgold.{old} is now {new}; .* version 0.3"):
        module = importlib.import_module(f"intgold.{old}")
    assert module is sys.modules[new]
    assert module.__name__ == new == module.__spec__.name


@pytest.mark.parametrize("module", RENAMED)
def test_an_old_name_of_a_module_is_the_new_one(module):
    """It warns and gives the same object; no other name is found, and none is listed."""
    home = importlib.import_module(f"intgold.{module}")
    for old, new in RENAMED[module].items():
        with pytest.warns(DeprecationWarning, match=f"{module}.{old} is now {new}; .* 0.3"):
            assert getattr(home, old) is getattr(home, new)
        assert old not in getattr(home, "__all__", ())
    with pytest.raises(AttributeError, match=f"intgold.{module}.* no attribute 'nothing'"):
        home.nothing  # noqa: B018


def test_an_old_module_leaves_a_public_function_of_its_name():
    """`intgold.vectors.stimulus` is a function, and was a module as well."""
    code = (
        "import intgold.vectors.stimulus\n"
        "from intgold.vectors.stimulus import stimulus\n"
        "assert intgold.vectors.stimulus is stimulus and callable(stimulus)\n"
        "import intgold.vectors.sets.generate\n"
        "assert intgold.vectors.sets.generate.__name__ == 'intgold.vectors.sets.generate'\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_documented_imports_of_version_0_1():
    """As they stood in its README and docs, in a fresh process."""
    code = (
        "from intgold.floating import quantize\n"
        "from intgold.floating.simulate import deviations\n"
        "from intgold.floating.choices import Choices\n"
        "from intgold.verify import verify\n"
        "from intgold.vectors.generate import write_set\n"
        "from intgold.vectors.stimulus import stimulus\n"
        "from intgold.exporters import write_c, copy_engine\n"
        "from intgold.engine import run\n"
        "from intgold.digests import tensor_digests\n"
        "from intgold.footprint import footprint\n"
        "from intgold.describe import describe\n"
        "from intgold.ops import OPS\n"
        "from intgold.model import Model\n"
        "from intgold.floating.study.explore import explore\n"
        "from intgold.floating.inputs import Input\n"
        "from intgold.verify import Comparison, Difference, Report\n"
        "from intgold.bench import Report\n"
        "import intgold\n"
        "print(intgold.artefact.load.__module__, intgold.build.Builder.__name__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "intgold.model.artefact Builder\n"), run.stderr


def test_other_names_are_not_found():
    """A name that never was is an error as ever."""
    assert successor("intgold.nothing") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("intgold.nothing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        intgold.nothing  # noqa: B018


def test_public_names_are_there():
    """What the rooms export is defined, and documented."""
    for room in ("", ".vectors", ".verify", ".quantize", ".importers", ".exporters", ".model"):
        module = importlib.import_module(f"intgold{room}")
        for name in module.__all__:
            value = getattr(module, name)
            assert not callable(value) or value.__doc__, (room, name)
