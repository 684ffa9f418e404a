"""Where the time of one image goes: each op, or ops that run as one, against what bounds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ..describe.footprint import multiply_adds
from ..model.graph import Model
from ..support.quoting import short_repr
from .ceiling import Ceiling, CeilingLoops, form_of
from .clock import pinned, take_turns
from .loops import Group, ImageLoop, groups


@dataclass(frozen=True)
class OpTime:
    """One row: an op, or ops that the engine runs in one go.

    Parameters
    ----------
    name : str
        ``conv2+selu2+pool2``.
    seconds : float
        Of one image: how much longer the model takes up to here than up to the row before; 0 of
        what is lost in the noise.
    macs : int
        Multiply-adds, padded ones included.
    roofline : float or None
        Seconds that these take at least, by the variant's own instruction.
    tail : float or None
        Seconds of requantizing the values that leave the row, and of looking them up, where it
        does that, only by the variant's own kernels; None where the row does other work.
    """

    name: str
    seconds: float
    macs: int
    roofline: float | None
    tail: float | None

    @property
    def gmacs(self) -> float | None:
        """10^9 multiply-adds a second; None where there are none, or no time to speak of."""
        return self.macs / self.seconds * 1e-9 if self.macs and self.seconds > 0 else None

    @property
    def bound(self) -> float | None:
        """Roofline and tail, one after the other; None where one of them is not known."""
        return None if self.roofline is None or self.tail is None else self.roofline + self.tail


@dataclass(frozen=True)
class Ops:
    """All rows of one variant.

    Parameters
    ----------
    isa : str
    ceiling : Ceiling
    rows : tuple of OpTime
        In execution order; their seconds add up to those of the model.
    """

    __repr__ = short_repr

    isa: str
    ceiling: Ceiling
    rows: tuple[OpTime, ...]

    @property
    def seconds(self) -> float:
        """Of one image."""
        return sum(row.seconds for row in self.rows)


def time_ops(
    model: Model,
    isa: str,
    x: Mapping[str, np.ndarray],
    rounds: int,
    progress: Callable[[], object] = lambda: None,
) -> Ops:
    """Time every op of a model on one core, image after image, and what bounds it.

    The model is cut after every row; all cuts and the loops of the ceiling take turns, and each
    counts with its shortest time: what else the machine does can only add to it.

    Parameters
    ----------
    model : Model
    isa : str
        A name out of `intgold.native.variants`.
    x : mapping of str to ndarray
        Images, which the loops go round.
    rounds : int
    progress : callable
        Is called after each round.
    """
    parts, probe = groups(model, isa), CeilingLoops(model, isa)
    cuts = {f"up to {part.last}": ImageLoop(model, x, isa, part.last) for part in parts}
    with pinned():
        samples = take_turns({**cuts, **probe.loops}, rounds, progress=progress)
    ceiling = probe.ceiling(samples)
    ends = [0.0, *ends_of([min(samples[name]) for name in cuts])]
    rows = (_row(model, part, ends[i + 1] - ends[i], ceiling) for i, part in enumerate(parts))
    return Ops(isa, ceiling, tuple(rows))


def ends_of(measured: Sequence[float]) -> list[float]:
    """Return how long a model takes up to the end of each row, from the shortest time of each cut.

    Noise only adds, and a cut does all that a shorter one does: so a cut takes no longer than any
    longer one was seen to take.
    """
    return list(accumulate(reversed(measured), min))[::-1]


def _row(model: Model, part: Group, seconds: float, ceiling: Ceiling) -> OpTime:
    ops = model.ops[part.first : part.last + 1]
    macs = sum(multiply_adds(model).get(op.name, 0) for op in ops)
    form, looks_up = form_of(ops[0]), any(op.kind in ("lut", "pwl") for op in ops)
    values = model.tensor(ops[-1].output).size
    tail = values * ceiling.lut_seconds * looks_up
    if form is not None:
        tail += values * ceiling.requantize_seconds[form]
    roofline = None if ceiling.dot_seconds is None else macs * ceiling.dot_seconds
    return OpTime(part.name, seconds, macs, roofline, tail if macs or looks_up else None)
