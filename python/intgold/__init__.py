"""intgold: the executable arithmetic contract of an int8 neural network.

One frozen integer model gives the same bits from a NumPy golden model that anyone can read, from
a portable C engine, and from the hardware that a team builds against it.

>>> import intgold
>>> model = intgold.load()
>>> model.predict(images)
"""

from importlib.metadata import version as _version
from importlib.resources import files as _files
from os import PathLike as _PathLike
from pathlib import Path as _Path

from .build import Builder
from .engine import Result
from .errors import (
    ArtefactError,
    DataError,
    EngineError,
    InputError,
    IntgoldError,
    LayoutError,
    ModelError,
    VectorError,
)
from .fields import Requantize
from .model import SPEC_VERSION, Model, Op, Tensor
from .session import Session

__version__ = _version("intgold")

SHIPPED = ("lut", "pwl", "relu")
"""Names of the frozen reference models in the package."""


def load(path: str | _PathLike[str] = "lut") -> Model:
    """Load a model: a shipped one by name (``lut``, ``pwl``, ``relu``) or an artefact by path.

    Raises
    ------
    ArtefactError
        Naming the file and what is wrong with it.
    InputError
        When `path` is neither text nor a path.
    """
    from . import artefact

    if not isinstance(path, (str, _PathLike)):
        raise InputError(f"load: {path!r} is neither a name nor a path")
    if path in SHIPPED:
        return artefact.load(str(_files("intgold") / "models" / f"mnist_{path}.npz"))
    if not _Path(path).exists() and not _Path(path).suffix:
        raise ArtefactError(f"{path}: neither a file nor one of the models {', '.join(SHIPPED)}")
    return artefact.load(path)


__all__ = [
    "SHIPPED",
    "SPEC_VERSION",
    "ArtefactError",
    "Builder",
    "DataError",
    "EngineError",
    "InputError",
    "LayoutError",
    "IntgoldError",
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
