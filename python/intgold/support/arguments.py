"""What callers hand to public functions: checked against the annotations before anything is done.

`checked` reads a function's own annotations, so that they are documentation, type checking and
this check at once.
"""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import functools
import inspect
import os
import sys
import types
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

from ..errors import InputError, ModelError
from .quoting import given, is_of_torch

P = ParamSpec("P")
T = TypeVar("T")

ADVICE: list[Callable[[Any, Any], str | None]] = []
"""What rooms above this one say of a value that is not of an annotation: advice, or None."""

_NAMES = {
    str: "text", int: "a whole number of 64 bits", float: "a real number", bool: "True or False",
    np.ndarray: "a NumPy array", os.PathLike: "a path", type(None): "None",
}  # fmt: skip
_LISTS = (abc.Sequence, list, tuple)

Kinds = frozenset[type] | None
_NONE: frozenset[type] = frozenset()


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Let a public function refuse arguments that are not what its annotations say.

    What it does not know (a protocol, a type of a package that is not there) it lets pass.

    Raises
    ------
    InputError
        Naming the function, the argument, what was given and what is wanted.
    """
    signature = inspect.signature(function)
    hints = functools.cache(lambda: hints_of(function))
    usual = functools.cache(lambda: _usual(signature, hints()))

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if _is_usual(args, kwargs, *usual()):
            return function(*args, **kwargs)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # a missing or unknown argument: Python says it as it always does
            return function(*args, **kwargs)
        for name, hint in hints().items():
            if name in bound.arguments:
                value = bound.arguments[name] = _plain(bound.arguments[name], hint)
                check(f"{function.__name__}: {name}", value, hint)
        return function(*bound.args, **bound.kwargs)

    call.__checked__ = True  # type: ignore[attr-defined]
    return call


def fit_fields(instance: Any, where: str) -> None:
    """Hold the fields of a frozen dataclass to its annotations, as `checked` does arguments.

    Raises
    ------
    InputError
        Naming `where`, the field, what was given and what is wanted.
    """
    for name, hint in _fields_of(instance.__class__).items():
        value = _plain(getattr(instance, name), hint)
        check(f"{where}: {name}", value, hint)
        object.__setattr__(instance, name, value)


def check_fields(instance: Any, where: str) -> None:
    """Raise ModelError unless the fields of a dataclass are what its annotations say."""
    for name, hint in _fields_of(instance.__class__).items():
        value = getattr(instance, name)
        if not fits(value, hint):
            raise ModelError(f"{where} {name}: {given(value)} instead of {wanted(hint)}")


@functools.cache
def _fields_of(kind: type[Any]) -> dict[str, Any]:
    names = sys.modules[kind.__module__].__dict__
    return {f.name: _resolved(f.type, names) for f in dataclasses.fields(kind) if f.init}


def are_bytes(array: np.ndarray) -> bool:
    """Return whether an array has the values of camera bytes in wider integers."""
    wide = array.dtype.kind in "iu" and array.dtype != np.uint8 and array.size > 0
    return wide and bool(array.min() >= 0 and array.max() <= 255)


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what each parameter of a function must fit; `Any` for what is not known here."""
    names, own = sys.modules[function.__module__].__dict__, ("self", "cls")
    parameters = inspect.signature(function).parameters.items()
    return {n: _evaluated(p, names) for n, p in parameters if n not in own}


def check(where: str, value: Any, hint: Any) -> None:
    """Raise InputError, with what to do, unless a value is of an annotation."""
    if not fits(value, hint):
        text = f"{where}: {given(value)} instead of {wanted(hint)}"
        raise InputError(text + _advice(value, hint))


def _evaluated(parameter: inspect.Parameter, names: dict[str, Any]) -> Any:
    hint = _resolved(parameter.annotation, names)
    if hint is Any:
        return hint
    if parameter.kind is parameter.VAR_POSITIONAL:
        return types.GenericAlias(abc.Sequence, (hint,))
    if parameter.kind is parameter.VAR_KEYWORD:
        return types.GenericAlias(abc.Mapping, (str, hint))
    return hint


def _usual(
    signature: inspect.Signature, hints: dict[str, Any]
) -> tuple[list[Kinds], dict[str, Kinds]]:
    """Return the usual types of the parameters that are given by place, and of all by name."""
    by_name = {n: _kinds(hints.get(n, Any)) for n in signature.parameters}
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [by_name[n] for n, p in signature.parameters.items() if p.kind in kinds], by_name


def _is_usual(
    args: tuple[Any, ...], kwargs: dict[str, Any], by_place: list[Kinds], by_name: dict[str, Kinds]
) -> bool:
    """Return whether each argument fits by its type: one look at a call that is right."""
    if len(args) > len(by_place):
        return False
    for value, kinds in zip(args, by_place, strict=False):
        if kinds is not None and (type(value) not in kinds or _is_long(value)):
            return False
    for name, value in kwargs.items():
        kinds = by_name.get(name, _NONE)
        if kinds is not None and (type(value) not in kinds or _is_long(value)):
            return False
    return True


def _is_long(value: Any) -> bool:
    return type(value) is int and not -(2**63) <= value < 2**63


def _kinds(hint: Any) -> Kinds:
    """Return the types whose values fit an annotation, but for long integers; None: all types."""
    parts = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [_kinds(part) for part in parts]
        if None in kinds:
            return None
        is_path = any(get_origin(part) is os.PathLike for part in parts)
        return _NONE.union(*filter(None, kinds)) - ({str} if is_path else _NONE)
    if hint in (Any, object):
        return None
    if hint is None:
        return frozenset([type(None)])
    if hint is float:
        return frozenset([int, float])
    return frozenset([hint]) if isinstance(hint, type) and not parts else _NONE


def _plain(value: Any, hint: Any) -> Any:
    """Return what an annotation takes of a value that NumPy or an iterator made.

    NumPy's integers become Python's where a number is wanted, by itself or as elements; an array of
    one dimension, and what comes one after another, become a list where one is wanted.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint in (int, float):
        is_numpy = isinstance(value, np.integer) and value.dtype.kind in "iu"  # not a timedelta64
        return int(value) if is_numpy else value
    if origin in (Union, types.UnionType):
        if isinstance(value, abc.Iterator) and any(get_origin(p) in _LISTS for p in parts):
            value = list(value)
        if fits(value, hint):
            return value
        tried = ((_plain(value, part), part) for part in parts)
        return next((made for made, part in tried if fits(made, part)), value)
    if origin not in _LISTS or not parts:
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        value = value.tolist() if value.ndim == 1 else list(value)
    if isinstance(value, abc.Iterator):
        value = list(value)
    if not isinstance(value, (list, tuple)):
        return value
    each = parts if origin is tuple and parts[-1] is not Ellipsis else parts[:1] * len(value)
    if len(each) != len(value):
        return value
    made = [_plain(element, part) for element, part in zip(value, each, strict=True)]
    return tuple(made) if isinstance(value, tuple) else made


def _resolved(hint: Any, names: dict[str, Any]) -> Any:
    try:
        found = eval(hint, names) if isinstance(hint, str) else hint  # text of this package
    except NameError:  # a type that only a type checker imports
        return Any
    return np.ndarray if get_origin(found) is np.ndarray else found  # of any dtype


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value is of an annotation, its elements included."""
    if type(value) is hint and hint is not int:
        return True
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        is_path = any(get_origin(part) is os.PathLike for part in parts)
        return any(fits(value, part) for part in parts) and not (is_path and "\0" in str(value))
    if hint is Any or hint is None:
        return hint is Any or value is None
    if hint is bool:
        return isinstance(value, (bool, np.bool_))
    if hint is int:
        return type(value) is int and not _is_long(value)
    if hint is float:
        return fits(value, int) or isinstance(value, (float, np.floating))
    if origin is os.PathLike:
        return isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)
    if origin is tuple:
        return _tuple_fits(value, parts)
    if origin in (abc.Sequence, list):
        # A set has an order that its user did not choose.
        other = isinstance(value, (str, bytes, abc.Mapping, abc.Set, np.ndarray))
        plain = isinstance(value, abc.Collection) and not other
        return plain and all(fits(element, parts[0]) for element in value)
    if origin in (abc.Mapping, dict):
        return isinstance(value, abc.Mapping) and all(
            fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items()
        )
    if origin is abc.Callable:
        return callable(value)
    if hint is np.ndarray and isinstance(value, np.ma.MaskedArray):
        return False  # the mask would be lost without a word
    return not isinstance(hint, type) or isinstance(value, hint)


def _tuple_fits(value: Any, parts: tuple[Any, ...]) -> bool:
    if not isinstance(value, (tuple, list)):
        return False
    if len(parts) == 2 and parts[1] is Ellipsis:
        return all(fits(element, parts[0]) for element in value)
    return len(value) == len(parts) and all(map(fits, value, parts))


def wanted(hint: Any) -> str:
    """Return an annotation in words."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        texts = dict.fromkeys(wanted(part) for part in parts)
        if "a path" in texts:  # str | PathLike
            texts.pop("text", None)
        return " or ".join(texts)
    if origin is tuple and parts and parts[-1] is not Ellipsis:
        return f"{len(parts)} {_plural(wanted(parts[0]))}"
    if origin in _LISTS and parts:
        return f"a list of {_plural(wanted(parts[0]))}"
    if origin in (abc.Mapping, dict):
        return f"a mapping of {wanted(parts[0])} to {wanted(parts[1])}"
    kind = origin or hint
    return "None" if hint is None else _NAMES.get(kind, f"a {getattr(kind, '__name__', kind)}")


def _plural(words: str) -> str:
    """Return ``paths`` of ``a path``, ``lists of text`` of ``a list of text``, for each choice."""
    choices = []
    for choice in words.split(" or "):
        noun, of, what = choice.partition(" of ")
        end = "" if noun.endswith("s") else "s"
        choices.append(f"{noun[2:]}{end}{of}{what}" if choice.startswith("a ") else choice)
    return " or ".join(choices)


def _advice(value: Any, hint: Any) -> str:
    """Return what to do about a usual mistake, or nothing."""
    for advice in ADVICE:
        if (text := advice(value, hint)) is not None:
            return text
    if hint is str and isinstance(value, np.ndarray):
        return ": are the arguments swapped?"
    if fits(np.empty(0), hint):
        is_result = isinstance(getattr(type(value), "output", None), property)
        return ": its .output is one" if is_result else array_advice(value)
    return ": are the arguments swapped?" if is_of_torch(value) else ""


def array_advice(value: Any, dtype: str = "") -> str:
    """Return how an array is made of what is none, or nothing."""
    if isinstance(value, np.ma.MaskedArray):
        return ": x.filled(value) produces a plain array"
    if is_of_torch(value):
        return ": x.detach().cpu().numpy() produces one" * hasattr(value, "numpy")
    if isinstance(value, (list, tuple)):
        if any(isinstance(part, np.ndarray) and part.ndim for part in value):
            return ": give one array; for several inputs, model.run({name: array, ...})"
        return (
            f": numpy.array(x, numpy.{dtype}) produces one"
            if dtype
            else (": numpy.array(...) produces one")
        )
    return ""
