"""The layout of a whole set (SPEC 10.4): the rule of each array, and the memories they share.

A layout is data, read from a small file by `intgold.vectors.memory.layout_file`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...errors import LayoutError
from ...support.quoting import short_repr
from .rule import PackingRule


@dataclass(frozen=True)
class Memory:
    """An address space that arrays share.

    Parameters
    ----------
    word_bits : int
    base : int
        Byte address of its word 0 in the system.
    size : int
        Words; 0: no bound.
    frame : int
        Words from the buffers of one image to those of the next; 0: as many as they have.
    banks, bank_order
        See `PackingRule`.
    whole : bool
        Whether a set has all parameters of the memory in one file as well, at their addresses.
    """

    word_bits: int
    base: int = 0
    size: int = 0
    frame: int = 0
    banks: int = 1
    bank_order: str = "interleaved"
    whole: bool = False


ACTIVATIONS = ("stimulus", "output")
"""Roles that the encoding of the table ``default`` is for."""
ROLES = ("stimulus", "output", "accumulator", "partial", "parameter")


@dataclass(frozen=True)
class Layout:
    """How the arrays of a set become words, and how words are written.

    Parameters
    ----------
    rules : mapping, as a tuple of (str, tuple of (key, value))
        Keys of `PackingRule` by table name: ``default``, a role of `ROLES`, or the path of an
        array; the later of these count more.
    memories : tuple of (str, Memory)
    addresses : bool or None
        Whether files that may leave addresses out contain them; None: those of parameters that are
        in one of `memories`.  Without memories None becomes False.
    comments : str
        See `intgold.vectors.formats.word_file.WordFile`.
    """

    __repr__ = short_repr

    rules: tuple[tuple[str, tuple[tuple[str, object], ...]], ...] = ()
    memories: tuple[tuple[str, Memory], ...] = ()
    addresses: bool | None = None
    comments: str = "head"

    def __post_init__(self) -> None:
        if self.addresses is None and not self.memories:
            object.__setattr__(self, "addresses", False)

    @property
    def is_default(self) -> bool:
        """Whether this is the layout without a file: one element a word, memories of their own."""
        return self == Layout(addresses=self.addresses, comments=self.comments)

    def rule(self, role: str, path: str) -> PackingRule:
        """Return the rule of an array."""
        tables = dict(self.rules)
        merged: dict[str, object] = {}
        for name in ("default", role, path):
            merged |= dict(tables.get(name, ()))
            if name == "default" and role not in ACTIVATIONS:
                merged.pop("encoding", None)
        rule = replace(PackingRule(), **merged)  # type: ignore[arg-type]
        if not rule.memory:
            return rule
        memory = dict(self.memories).get(rule.memory)
        if memory is None:
            raise LayoutError(f"layout: {path} is in memory {rule.memory!r}, which is not declared")
        of_memory = {"word_bits", "banks", "bank_order"} & set(merged)
        if of_memory:
            raise LayoutError(
                f"layout: {min(of_memory)} of {path} is a matter of its memory {rule.memory!r}"
            )
        return replace(
            rule, word_bits=memory.word_bits, banks=memory.banks, bank_order=memory.bank_order
        )
