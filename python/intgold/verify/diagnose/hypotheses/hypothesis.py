"""What a hypothesis is, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ....support.quoting import short_repr
from ....vectors.memory.readings import Reading
from ..datapath import Datapath

Edit = Callable[[Datapath], Datapath]
"""Plants a bug in a datapath."""
Readings = Callable[[], Mapping[str, Sequence[Reading]]]
Follow = Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Evidence:
    """An op that differs: what it should have made, and what the device made.

    Parameters
    ----------
    path : Datapath
        The op without a bug, on what it read.
    expected, got : dict of str to ndarray
        ``output`` and ``accumulator``, those that the device dumped.
    follow : callable, optional
        Where the device did not dump this op's output: from its accumulators and output to the
        arrays after it that `expected` and `got` are of, by other keys.
    readings : callable
        By which other rules of a layout the words of the op's results may be read, by role.
    """

    __repr__ = short_repr

    path: Datapath
    expected: dict[str, np.ndarray]
    got: dict[str, np.ndarray]
    follow: Follow | None = None
    readings: Readings = dict

    def differs(self) -> np.ndarray:
        """Return where any array of the device is wrong, bool in the shape of the output."""
        found = [self.got[r] != self.expected[r] for r in self.got]
        return np.asarray(np.logical_or.reduce(found))


@dataclass(frozen=True)
class Variant:
    """One way in which a hypothesis may hold.

    Parameters
    ----------
    label : str
        Its parameters for people, such as ``16 bits``; "" where there are none.
    edit : callable
        From a datapath to the datapath with the bug.
    bits : float, optional
        The freedom of its parameters: log2 of how many it could have been.  Those that are solved
        from what the device made state it; else it is log2 of how many variants there are.
    doubt : str
        Why it is never named by itself, however much it explains; "" where it may be.
    reading : str
        The label of the `intgold.vectors.memory.readings.Reading` that it is; "" where it is none.
    granted : callable, optional
        From a datapath to one that produces of what the device dumped only what `edit` takes
        from there; that is no evidence.
    """

    label: str
    edit: Edit
    bits: float | None = None
    doubt: str = ""
    reading: str = ""
    granted: Edit | None = None


@dataclass(frozen=True)
class Wording:
    """A hypothesis in other words, where the usual ones would be wrong of a device.

    Parameters
    ----------
    explanation, look_at : str
    name : str
        "" where the usual one is right.
    labels : mapping of str to str
        Labels of variants that differ.
    """

    __repr__ = short_repr

    explanation: str
    look_at: str
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A bug that devices have.

    Parameters
    ----------
    name : str
        An identifier.
    explanation : str
        What the device would do.
    look_at : str
        Where in the RTL to look.
    variants : callable
        ``(evidence) -> iterable of Variant``; none where it does not apply to the op.
    solved : bool
        Whether the variants are found from what the device made, and are no fixed list; each then
        states its bits of freedom.
    mixes_images : bool
        Whether an image's result depends on other images.
    of_bytes : Wording, optional
        Of a device whose int8 arrays are unsigned bytes, q + 128.
    of_accumulators : Wording, optional
        Where only the accumulators differ, though the outputs were dumped too.
    """

    name: str
    explanation: str
    look_at: str
    variants: Callable[[Evidence], Iterable[Variant]]
    solved: bool = False
    mixes_images: bool = False
    of_bytes: Wording | None = None
    of_accumulators: Wording | None = None

    def worded(self, *, of_bytes: bool, of_accumulators: bool) -> Hypothesis:
        """Return the hypothesis as it is said of a device."""
        by = self.of_accumulators if of_accumulators else self.of_bytes if of_bytes else None
        if by is None:
            return self

        def variants(evidence: Evidence) -> Iterable[Variant]:
            for variant in self.variants(evidence):
                yield replace(variant, label=by.labels.get(variant.label, variant.label))

        return replace(
            self, name=by.name or self.name, explanation=by.explanation, look_at=by.look_at,
            variants=variants,
        )  # fmt: skip
