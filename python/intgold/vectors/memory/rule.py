"""The layout of one array (SPEC 10.4), as data."""

from __future__ import annotations

from dataclasses import dataclass

from ...support.quoting import short_repr

LANE_ORDERS = ("low_first", "high_first")
BYTE_ORDERS = ("little", "big")
BANK_ORDERS = ("interleaved", "blocked")
ENCODINGS = ("twos_complement", "offset_binary")


@dataclass(frozen=True)
class PackingRule:
    """The layout of one array.

    Parameters
    ----------
    word_bits : int
        8 to 1024; 0: the width of an element.
    lanes : int
        Elements of a word; 0: as many as fit. An element wider than a word takes several words.
    lane_order : {"low_first", "high_first"}
        Whether the first element lies in the least or the most significant lane.
    byte_order : {"little", "big"}
        Of the bytes of an element, from its lane's least significant bits (lowest word) up.
    order : str
        Axes from the slowest to the fastest, such as NHWC, NCHW or OHWI; a small letter is the
        inner part of its axis, cut into tiles (NCHWc). "": as the array is.
    tile : tuple of (str, int)
        Extent of each small letter; the last tile is filled with padding.
    padding : int or "zero_point"
        The value of lanes that hold no element, as it is encoded.
    row_axis : str
        A row is what comes after this axis in the order.
    row_alignment : int
        Each row starts at a multiple of this number of words; 0: rows follow each other without
        a gap.
    alignment : int
        The array starts at a multiple of this number of words.
    memory : str
        The memory that the array is in; "": one of its own.
    banks : int
        Memories side by side that the words are dealt to.
    bank_order : {"interleaved", "blocked"}
        Word a is in bank ``a mod banks``, or the first part of the words is in bank 0.
    encoding : {"twos_complement", "offset_binary"}
        Of an int8 element q: q itself, or q + 128 as an unsigned byte.  Elements of other dtypes
        are in two's complement.
    """

    __repr__ = short_repr

    word_bits: int = 0
    lanes: int = 0
    lane_order: str = "low_first"
    byte_order: str = "little"
    order: str = ""
    tile: tuple[tuple[str, int], ...] = ()
    padding: int | str = 0
    row_axis: str = "H"
    row_alignment: int = 0
    alignment: int = 1
    memory: str = ""
    banks: int = 1
    bank_order: str = "interleaved"
    encoding: str = "twos_complement"
