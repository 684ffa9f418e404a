"""The class of an image: the index of the largest output (SPEC 8.12)."""

from __future__ import annotations

import numpy as np

from .. import golden
from ..errors import InputError
from ..host.affine import quantize_input
from ..host.host_ops import BOOL_OUTPUTS, listed_names
from ..model.graph import Model
from ..support.arguments import checked
from ..support.quoting import batch_of
from .backends import run


@checked
def predict(model: Model, images: np.ndarray, backend: str = "c", threads: int = 1) -> np.ndarray:
    """Return the class of each image (SPEC 8.12).

    That is the index of the largest value of the first output, ties to the lowest index; where an
    ``argmax`` produces that output, what it says.

    Parameters
    ----------
    images : ndarray
        Camera bytes (uint8), reals, or the int8 input itself; see `Model.quantize_input`.

    Returns
    -------
    ndarray of int32, shape (n,)

    Raises
    ------
    InputError
        When the model has several inputs, or an image more than one answer, as in segmentation,
        or one number that no ``argmax`` produces, as in regression, or bools.
    """
    check_predictable(model)
    if images.dtype != np.int8:
        images = quantize_input(model, images)
    return _decide(model, run(model, images, backend=backend, threads=threads).output)


def check_predictable(model: Model) -> None:
    """Raise InputError where only images give no class, before anything is read or run."""
    check_one_input(model)
    _is_decided(model)


def check_one_input(model: Model) -> None:
    """Raise InputError where a model takes more than images."""
    if len(model.inputs) > 1:
        raise InputError(
            f"model {model.name} has the inputs {', '.join(model.inputs)}; predict takes models of "
            "one input: model.run({name: model.quantize_input(x, name), ...}) runs it"
        )
    tensor = model.tensor(model.inputs[0])
    if tensor.dtype != "int8":
        raise InputError(f"model {model.name}: input {tensor.name} is {tensor.dtype}, not int8")


@checked
def is_decided(model: Model) -> bool:
    """Return whether the first output is already the class: whether an ``argmax`` produces it.

    Raises
    ------
    InputError
        When an image has more than one answer, or one number or bools, which are no class.
    """
    return _is_decided(model)


def _is_decided(model: Model) -> bool:
    name = model.outputs[0]
    tensor = model.tensor(name)
    if tensor.size != tensor.shape[-1]:
        raise InputError(f"output {name}: shape {tensor.shape} is more than one answer per image")
    if name in listed_names(model.metadata, BOOL_OUTPUTS):
        raise InputError(
            f"output {name} of model {model.name} is of bools, which are no class: "
            "model.run(x).output gives them"
        )
    decided = any(op.kind == "argmax" and op.output == name for op in model.ops)
    if tensor.size == 1 and not decided:
        raise InputError(
            f"output {name} of model {model.name} is one number each, which is no class: "
            "model.dequantize(model.run(x).output) gives it"
        )
    return decided


@checked
def decide(model: Model, output: np.ndarray) -> np.ndarray:
    """Return the classes, int32 (n,), of what a run left in the first output; see `predict`."""
    tensor = model.tensor(model.outputs[0])
    if output.shape[1:] != tensor.shape or output.dtype != tensor.dtype:
        raise InputError(
            f"output {tensor.name}: {output.dtype} {output.shape} instead of {tensor.dtype} "
            f"{batch_of(tensor.shape)}"
        )
    return _decide(model, output)


def _decide(model: Model, output: np.ndarray) -> np.ndarray:
    values = output.astype(np.int32)
    classes = values if _is_decided(model) else golden.FUNCTIONS["argmax"](values)
    return classes.reshape(len(values))
