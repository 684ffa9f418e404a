"""What a node of an exported graph says: its function, its arguments, its place in the module."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from torch.fx import Node

from ...errors import ModelError


def argument(node: Node, index: int, name: str, default: Any) -> Any:
    """Return an argument, given by position or by name, or its default."""
    return node.args[index] if len(node.args) > index else node.kwargs.get(name, default)


def pair(value: Any, axes: int = 2, before: int = 1) -> tuple[int, int]:
    """Return (height, width) of what is given for `axes` axes; `before` is the height of one."""
    values = [value] if isinstance(value, int) else list(value)
    return (values[0] if axes == 2 else before, values[-1])


def float32(array: np.ndarray) -> np.ndarray:
    """Return what a layer keeps: float32 in C order."""
    return np.ascontiguousarray(array, np.float32)


def function_of(node: Node) -> str:
    """Return the name of the function that a node calls, without package and overload."""
    name = getattr(node.target, "__name__", str(node.target))
    return str(name).removeprefix("aten.").partition(".")[0]


def legal_name(name: str, kind: str) -> str:
    """Return a name that a layer may have."""
    stem = re.sub(r"\W", "_", name, flags=re.ASCII)
    return (stem if stem[:1].isalpha() else f"{kind}_{stem}")[:64]


def module_name(node: Node) -> str:
    """Return the name of the module in which a node was made, if it is a leaf with one."""
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if not modules:
        return ""
    path, kind = modules[-1]  # the class, or its name
    return str(path) if str(getattr(kind, "__module__", kind)).startswith("torch.nn") else ""


def source_location(node: Node) -> str:
    """Return what messages call a node: its module and the class of that, else its own name."""
    modules = list((node.meta.get("nn_module_stack") or {}).values())
    if modules and modules[-1][0]:
        kind = modules[-1][1]
        kind = kind if isinstance(kind, str) else kind.__name__
        return f"{modules[-1][0]} ({kind.rpartition('.')[2]})"
    return node.name


def torch_layer(node: Node) -> tuple[str, str]:
    """Return the path and class of the outermost layer of torch.nn that a node is part of.

    Both are empty where it is in none: a function in a module of the user's own.  A container such
    as Sequential is no layer.
    """
    for path, kind in (node.meta.get("nn_module_stack") or {}).values():
        full = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        if full.startswith("torch.nn.") and not full.startswith("torch.nn.modules.container."):
            return str(path), full.rpartition(".")[2].removeprefix("Parametrized")
    return "", ""


def shape_of(node: Any) -> tuple[int, ...]:
    """Return the shape of what a node gives, the batch first."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor):
        raise ModelError(f"{node.name}: gives no single tensor")
    return tuple(value.shape)
