"""intgold: the executable arithmetic contract of an int8 neural network.

One frozen integer model gives the same bits from a NumPy golden model that anyone can read, from
a portable C engine, and from the hardware that a team builds against it.

>>> import intgold
>>> model = intgold.load()
>>> model.predict(images)
"""

from __future__ import annotations

from os import PathLike as _PathLike

from .support.moved import MOVED as _MOVED
from .support.moved import install as _install

TYPE_CHECKING = False  # type checkers take it as true; `typing` would cost milliseconds
if TYPE_CHECKING:
    from typing import Any as _Any

    from .errors import (
        ArtefactError,
        ContractError,
        DataError,
        EngineError,
        ImportFileError,
        InputError,
        IntgoldError,
        LayoutError,
        ModelError,
        VectorError,
    )
    from .model.builder import Builder
    from .model.graph import SPEC_VERSION, Model, Op, Tensor
    from .ops.fields import Requantize
    from .run.result import Result
    from .run.session import Session

    __version__: str

SHIPPED = ("lut", "pwl", "relu")
"""Names of the frozen reference models in the package."""
FLOAT_NETWORKS = ("mnist", "mnist_relu")
"""Names of the float networks in the package, which the commands that quantise take."""

_ERRORS = (
    "Artefact", "Contract", "Data", "Engine", "ImportFile", "Input", "Intgold", "Layout", "Model",
    "Vector",
)  # fmt: skip
_MODULES = {
    "Builder": "model.builder", "Result": "run.result", "Requantize": "ops.fields",
    "Session": "run.session",
    **dict.fromkeys(("SPEC_VERSION", "Model", "Op", "Tensor"), "model.graph"),
    **dict.fromkeys((f"{name}Error" for name in _ERRORS), "errors"),
}  # fmt: skip
"""Where a public name is defined: loaded at its first use, so that the command is there at once,
and a signal meanwhile finds it (`intgold.support.interrupts`), before NumPy is."""
_SUBMODULES = (
    "bench", "contracts", "describe", "errors", "exporters", "golden", "host", "images",
    "importers", "model", "native", "ops", "predict", "quantize", "regression", "run", "study",
    "support", "vectors", "verify",
)  # fmt: skip
"""Loaded at their first use, too."""
del TYPE_CHECKING
_install()


def __getattr__(name: str) -> _Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        value: _Any = version("intgold")
    elif name in _MODULES:
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    elif name in _SUBMODULES or name in _MOVED:
        return import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, "__version__"})


def load(path: str | _PathLike[str] = "lut") -> Model:
    """Load a model.

    Parameters
    ----------
    path : str or path
        A shipped model by name (``lut``, ``pwl``, ``relu``), or an artefact.

    Returns
    -------
    Model

    Raises
    ------
    ArtefactError
        Naming the file and what is wrong with it.
    InputError
        When `path` is neither text nor a path.
    """
    from importlib.resources import files
    from os.path import exists
    from pathlib import Path

    from .errors import ArtefactError
    from .model import artefact
    from .support.arguments import check

    check("load: path", path, str | _PathLike[str])
    if path in SHIPPED:
        return artefact.load(str(files("intgold") / "models" / f"mnist_{path}.npz"))
    if not exists(path) and not Path(path).suffix:
        hint = ": a float network, intgold quantize produces a model from it" * (
            path in FLOAT_NETWORKS
        )
        raise ArtefactError(
            f"{path}: neither a file nor one of the models {', '.join(SHIPPED)}{hint}"
        )
    return artefact.load(path)


__all__ = [
    "FLOAT_NETWORKS",
    "SHIPPED",
    "SPEC_VERSION",
    "ArtefactError",
    "Builder",
    "ContractError",
    "DataError",
    "EngineError",
    "ImportFileError",
    "InputError",
    "IntgoldError",
    "LayoutError",
    "Model",
    "ModelError",
    "Op",
    "Requantize",
    "Result",
    "Session",
    "Tensor",
    "VectorError",
    "__version__",
    "load",
]
