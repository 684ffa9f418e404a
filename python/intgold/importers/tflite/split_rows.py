"""Rows of a tensor cut in two, where a kernel computes the last values of each differently."""

from __future__ import annotations

from .address_walk import AddressWalk, Pick
from .op_context import OpContext, extents, inner
from .reader import FileTensor


def split_rows(
    context: OpContext, x: str, like: FileTensor, rows: int, run: int, whole: int
) -> list[str]:
    """Add what cuts the rows of `x` and return their first `whole` values, and the rest.

    Parameters
    ----------
    x : str
        A tensor of scale and zero point of `like`.
    rows, run : int
        Its values are `rows` rows of `run` values.

    Returns
    -------
    list of str
        Images of shape (rows, values, 1).
    """
    every = AddressWalk.over((rows, run, 1))
    return [
        context.add(
            "strided_copy", x, last=False, like=like, shape=(rows, len(places), 1),
            **every.picked(1, Pick.along(places)).fields(),
        )
        for places in (range(whole), range(whole, run))
    ]  # fmt: skip


def join_rows(context: OpContext, parts: list[str]) -> None:
    """Add what joins the two parts of rows, as the output of the op."""
    rows = context.add("concat", *parts, last=False, axis=1)
    context.add("reshape", rows, shape=extents(inner(context.y)))
