"""Documented names of version 0.1: until 0.3 they work, with a warning that gives the new name."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` would cost milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOVED = {
    "artefact": "model.artefact", "build": "model.builder", "engine": "run.backends",
    "session": "run.session", "digests": "run.digests", "answers": "predict.predictions",
    "selftest": "regression.selftest", "footprint": "describe.footprint",
    "sheet": "describe.data_sheet", "diagnose": "verify.diagnose",
    "floating": "quantize", "floating.affine": "host.affine",
    "floating.multiplier": "host.multiplier", "floating.study": "study.quantisation",
    "floating.study.explore": "study.quantisation.sweep",
    "study.quantisation.explore": "study.quantisation.sweep",
    "fields": "ops.fields", "shapes": "ops.shapes", "accumulators": "ops.bounds",
    "vectors.generate": "vectors.sets.generate", "vectors.manifest": "vectors.sets.manifest",
    "vectors.stimulus": "vectors.cases.stimulus",
    "vectors.random_models": "vectors.cases.random_models",
    "vectors.layout_file": "vectors.memory.layout_file",
    "vectors.op_sets": "vectors.op_vectors.sets", "vectors.op_lines": "vectors.op_vectors.lines",
    "vectors.dump": "verify.dump", "vectors.locate": "verify.locate",
    "vectors.signatures": "verify.signatures",
}  # fmt: skip
"""Old name -> new name, both without ``intgold.``; what lies inside moved with it."""

RENAMED = {
    "bench": {"Report": "BenchReport"},
    "bench.report": {"Report": "BenchReport"},
    "contracts": {"Rule": "OpRule"},
    "native": {"Prepared": "NativeModel"},
    "predict.predictions": {"Answers": "Predictions", "answer": "predict_images"},
    "study.quantisation.compare": {"Comparison": "NetworkComparison", "Way": "BackendResult"},
    "study.quantisation.sweep": {
        "Row": "SweepRow", "explore": "run_sweep", "table": "sweep_table",
    },
    "verify": {
        "Comparison": "ArrayComparison", "Difference": "FirstDifference",
        "Report": "DumpComparison",
    },
    "verify.comparison": {
        "Comparison": "ArrayComparison", "Difference": "FirstDifference",
        "Report": "DumpComparison", "compare": "compare_dump",
    },
}  # fmt: skip
"""By module: old name -> new name of what the module defines or exports."""


def renamed(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module in `RENAMED`; `module` is its ``__name__``."""
    names = RENAMED[module.removeprefix("intgold.")]

    def getattr_(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        import warnings

        warnings.warn(
            f"{module}.{name} is now {names[name]}; the old name goes in version 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(sys.modules[module], names[name])

    return getattr_


def renamed_attribute(owner: str, old: str, new: str) -> Any:
    """Return the property `old` of a class `owner`: attribute `new`, with a warning."""

    def get(self: object) -> Any:
        import warnings

        warnings.warn(
            f"{owner}.{old} is now {owner}.{new}; the old name goes in version 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(self, new)

    return property(get, doc=f"Old name of `{new}`, until version 0.3.")


def successor(name: str) -> str | None:
    """Return the full new name of a module of version 0.1; None where it did not move."""
    old, rest = name.removeprefix("intgold."), ""
    while old:
        if old in MOVED:
            return f"intgold.{MOVED[old]}{rest}"
        old, dot, last = old.rpartition(".")
        rest = dot + last + rest
    return None


class _Loader:
    """Gives the module of the new name, as it is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: object) -> object:
        from importlib import import_module

        module = import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: object) -> None:
        module.__spec__ = self._spec  # type: ignore[attr-defined]


def _keep_public(package: str, name: str) -> None:
    """Have a public name of a package stay what it is when an old module of that name is loaded."""
    home = sys.modules[package]
    if name not in getattr(home, "__all__", ()):
        return
    from types import ModuleType

    class Package(ModuleType):
        def __setattr__(self, key: str, value: object) -> None:
            if key != name or not isinstance(value, ModuleType):
                super().__setattr__(key, value)

    home.__class__ = Package


class _Finder:
    """Asked first: what lies in a package that moved must not be loaded twice."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        new = successor(name) if name.startswith("intgold.") else None
        if new is None:
            return None
        import warnings
        from importlib.machinery import ModuleSpec

        warnings.warn(
            f"{name} is now {new}; the old name goes in version 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        _keep_public(*name.rpartition(".")[::2])
        return ModuleSpec(name, _Loader(new))  # type: ignore[arg-type]


def install() -> None:
    """Let old names be found; once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
