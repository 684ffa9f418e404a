"""Rows of a tensor cut in two, where a kernel computes the last values of each differently."""

from __future__ import annotations

from ..addresses.address_walk import AddressWalk, Pick
from ..file.reader import FileTensor
from .op_context import OpContext, extents, inner


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
    parts = (range(whole), range(whole, run))
    return [part_of_rows(context, x, like, (rows, run), places) for places in parts]


def part_of_rows(
    context: OpContext, x: str, like: FileTensor, shape: tuple[int, int], places: range
) -> str:
    """Add what takes some places of each row of `x`, which has (rows, values of a row)."""
    walk = AddressWalk.over((*shape, 1)).picked(1, Pick.along(places))
    image = (shape[0], len(places), 1)
    return context.add("strided_copy", x, last=False, like=like, shape=image, **walk.fields())


def join_rows(context: OpContext, parts: list[str]) -> None:
    """Add what joins the two parts of rows, as the output of the op."""
    rows = context.add("concat", *parts, last=False, axis=1)
    context.add("reshape", rows, shape=extents(inner(context.y)))
