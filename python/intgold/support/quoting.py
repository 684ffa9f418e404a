"""Values and errors as text for people: bounded, printable, whatever the value is."""

from __future__ import annotations

import dataclasses
import re
import reprlib
from typing import Any

MAX_CHARS = 2000
"""Characters of an error's line at most."""
_MAX_READ = 2**16  # characters that are looked at
_LONG = re.compile(r"[^\s/]{512,}")
"""Longer than the name of any file: what a hostile file calls something."""
_ENDS = 60  # characters of each end of it that are shown
_MAX_GIVEN = 200  # characters of an argument
_MAX_BITS = 320  # of an integer that is written out: Python refuses those of thousands of digits


def one_line(text: str) -> str:
    """Return `text` without what a terminal would act on, at most `MAX_CHARS` characters of it.

    What is left out is replaced by " ... "; what has no blank and is longer than the name of a
    file shows its first and last characters.
    """
    text = _middle_out(text, _MAX_READ)
    text = controls_escaped(text)
    text = _LONG.sub(lambda run: f"{run[0][:_ENDS]}...{run[0][-_ENDS:]}", text)
    return _middle_out(text, MAX_CHARS)


def controls_escaped(text: str) -> str:
    """Return all of `text`, what is not printable, line ends too, as Python's escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _middle_out(text: str, most: int) -> str:
    half = (most - 5) // 2
    return text if len(text) <= most else f"{text[:half]} ... {text[-half:]}"


class _Short(reprlib.Repr):
    """`repr` that is bounded in time and length, of any value."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 80, 300
        self.maxtuple = self.maxlist = self.maxdict = self.maxset = self.maxfrozenset = 8

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > _MAX_BITS:
            return f"<integer of {x.bit_length()} bits>"
        return repr(x)

    def repr_mappingproxy(self, x: Any, level: int) -> str:
        return self.repr_dict(dict(x), level)

    def repr_ndarray(self, x: Any, level: int) -> str:
        if x.ndim == 0:
            return f"{x.dtype} {self.repr1(x.item(), level - 1)}"
        return f"<array of {x.dtype}, shape {x.shape}>"

    def repr_MaskedArray(self, x: Any, level: int) -> str:  # noqa: N802 (a type's name)
        return f"<masked array of {x.dtype}, shape {x.shape}>"

    def repr1(self, x: Any, level: int) -> str:
        try:
            first, _, more = super().repr1(x, level).partition("\n")
            return f"{first} ...>" if more else first
        except Exception:  # a repr of somebody else's, or an array that is none
            return f"<{type(x).__name__}>"


_short = _Short()


def shown(value: Any) -> str:
    """Return a short `repr` of any value: an array is its dtype and shape, a list its start."""
    return _short.repr(value)


def labelled(role: str, name: str) -> str:
    """Return ``input x``; an input whose name is ``input`` is not called so twice."""
    return f"the {role}" if name == role else f"{role} {name}"


def batch_of(shape: tuple[int, ...]) -> str:
    """Return the shape of a batch of any number: ``(n, 20)``."""
    return f"({', '.join(('n', *map(str, shape)))})"


def is_of_torch(value: Any) -> bool:
    """Return whether a value is a tensor or module of PyTorch, which need not be there."""
    return any(kind.__module__.partition(".")[0] == "torch" for kind in type(value).__mro__)


def given(value: Any) -> str:
    """Return what an argument is, for an error: its type, and the value where that is short."""
    kind, text = type(value).__name__, _middle_out(shown(value), _MAX_GIVEN)
    if is_of_torch(value):
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        return f"<{kind}>" if shape is None else f"<{kind} of {dtype}, shape {tuple(shape)}>"
    if value is None or text.startswith((f"<{kind}", f"{kind}(", "<array")):
        return text
    return f"{kind} {text}"


def short_repr(self: Any) -> str:
    """Return the fields of a dataclass, each shortened; the ``__repr__`` of those that are big."""
    fields = [f.name for f in dataclasses.fields(self) if f.repr]
    parts = [f"{name}={shown(getattr(self, name, None))}" for name in fields]
    return _middle_out(f"{type(self).__name__}({', '.join(parts)})", MAX_CHARS)
