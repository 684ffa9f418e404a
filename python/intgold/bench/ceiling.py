"""What bounds a variant of the kernels: its own instructions and kernels, each run by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.graph import Model, Op
from ..native import ISAS
from ..native.compiled import ffi, lib
from ..native.structures import Structures
from ..ops.fields import Requantize
from ..support.moved import renamed_attribute
from ..support.quoting import short_repr

DOT, LUT = "dot", "lut"


@dataclass(frozen=True)
class Ceiling:
    """What the machine gave a variant in this run.

    Parameters
    ----------
    instruction : str or None
        What the variant's dot products are made of; None where it has none of its own.
    dot_seconds : float or None
        Per multiply-add, with only that instruction, in registers: the *roofline*.
    requantize_seconds : mapping of str to float
        Per value that is requantised, by form, only the kernel on what the first cache holds.
    lut_seconds : float
        Per value that is looked up, likewise.
    """

    __repr__ = short_repr

    instruction: str | None
    dot_seconds: float | None
    requantize_seconds: Mapping[str, float]
    lut_seconds: float
    finish_seconds = renamed_attribute("Ceiling", "finish_seconds", "requantize_seconds")

    @property
    def gmacs(self) -> float | None:
        """The roofline in 10^9 multiply-adds a second."""
        return None if self.dot_seconds is None else 1e-9 / self.dot_seconds


def form_of(op: Op) -> str | None:
    """Return the form in which an op with weights requantises its first channel, if it does."""
    by = op.fields.get("requantize")
    return by.form[0] if isinstance(by, Requantize) and "weights" in op.fields else None


class CeilingLoops:
    """The loops whose times make a `Ceiling`, to take turns with what is compared with it.

    Parameters
    ----------
    model : Model
        Whose forms of requantize are measured, with the multiplier of the first op of each.
    isa : str
    """

    def __init__(self, model: Model, isa: str) -> None:
        self._isa = ISAS[isa]
        self._owner = Structures()
        name = lib.intgold_measure_dot_name(self._isa)
        self.instruction = None if name == ffi.NULL else ffi.string(name).decode()
        self._work: dict[str, Callable[[int], int]] = {
            LUT: lambda n: lib.intgold_measure_lut(self._isa, n)
        }
        if self.instruction is not None:
            self._work[DOT] = lambda n: lib.intgold_measure_dot(self._isa, n)
        for op in model.ops:
            form = form_of(op)
            if form is not None and form not in self._work:
                self._work[form] = self._requantize(op["requantize"])
        self.loops: dict[str, Callable[[int], object]] = dict(self._work)

    def _requantize(self, by: Requantize) -> Callable[[int], int]:
        struct: Any = self._owner.keep(ffi.new("intgold_requantize *"))
        self._owner.requantize(struct, by)
        return lambda n: lib.intgold_measure_requantize(self._isa, struct, n)

    def ceiling(self, samples: Mapping[str, Sequence[float]]) -> Ceiling:
        """Return what the samples of `loops` say: the smallest seconds per value of each."""
        fastest = {name: min(samples[name]) / work(1) for name, work in self._work.items()}
        forms = {n: s for n, s in fastest.items() if n not in (DOT, LUT)}
        return Ceiling(self.instruction, fastest.get(DOT), forms, fastest[LUT])
