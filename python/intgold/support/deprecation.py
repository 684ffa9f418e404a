"""Calls that version 0.3 takes away: until then they work, with a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

REMOVED_IN = "0.3"


def once_by_position(
    first: int, *names: str, unless: type | None = None
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take by position what it now takes by name only, with a warning.

    Parameters
    ----------
    first : int
        How many parameters are still taken by position.
    *names : str
        Those that followed them, in their old order.
    unless : type, optional
        Of what is taken at position `first`: an argument of this type, or None, is as meant.

    Warns
    -----
    DeprecationWarning
        Naming the function and the parameters.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> T:
            surplus = args[first:]
            if surplus and unless is not None and isinstance(surplus[0], (unless, type(None))):
                surplus = ()
            if not surplus or len(surplus) > len(names):
                return function(*args, **kwargs)
            given = dict(zip(names, surplus, strict=False))
            warnings.warn(
                f"{function.__name__}: give {', '.join(given)} by name; that it is taken by "
                f"position goes in version {REMOVED_IN}",
                DeprecationWarning,
                stacklevel=2,
            )
            return function(*args[:first], **given, **kwargs)

        return call

    return decorate
