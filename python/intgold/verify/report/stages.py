"""The first wrong value, stage by stage: as it should be, and as the device computed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...document.blocks import DocumentBlock, Remark, Section, Table
from ...support.quoting import short_repr
from ..comparison import FirstDifference
from ..diagnose.datapath import Datapath
from ..diagnose.finding import OpFinding, cause_groups
from ..diagnose.search import Cause
from ..diagnose.traces import of_images
from ..dump import Dump


@dataclass(frozen=True)
class Stage:
    """One stage of an op at one place.

    Parameters
    ----------
    name : str
    expected, got : int
        What it should produce, and what it produces with the cause planted.
    """

    name: str
    expected: int
    got: int


@dataclass(frozen=True)
class Stages:
    """The stages of the first wrong value, with the simplest cause that is named.

    Parameters
    ----------
    cause : str
    stages : tuple of Stage
        Empty where no cause of the op is named, or it is none of a single place.
    of : int
        Causes that are named.
    """

    __repr__ = short_repr

    cause: str = ""
    stages: tuple[Stage, ...] = ()
    of: int = 1

    def blocks(self) -> list[DocumentBlock]:
        """Return a table under what it shows; nothing where no stages are known."""
        if not self.stages:
            return []
        by = "" if self.of == 1 else f", the first of {self.of} causes that fit"
        head = f"the first wrong value, as the device computed it: with {self.cause}{by}"
        table = Table(
            ("", "as it should be", "as the device computed it"),
            tuple((s.name, str(s.expected), str(s.got)) for s in self.stages),
            right=frozenset({1, 2}),
            marked=frozenset(i for i, s in enumerate(self.stages) if s.expected != s.got),
        )
        return [Section(Remark(head), (table,))]


def stages_of(dump: Dump, first: FirstDifference, findings: tuple[OpFinding, ...]) -> Stages:
    """Return the stages of the first value that differs, where a cause of its op is named."""
    causes: list[Cause] = [c for f in findings if f.op == first.op for c in f.causes]
    if not causes or causes[0].op.name != first.op or causes[0].mixes_images:
        return Stages()
    if first.role not in ("output", "accumulator"):
        return Stages()
    path = of_images(dump, [first.image]).path(causes[0].op)
    made = _stages(path, causes[0], first.coordinate)
    at = -1 if first.role == "output" else _REGISTER
    # Where only accumulators are dumped in another order, no stage produces the value.
    encoded = 128 if first.dtype == "uint8" else 0  # the difference is in the device's numbers
    if (made[at].expected + encoded, made[at].got + encoded) != (first.expected, first.got):
        return Stages()
    return Stages(str(causes[0]), tuple(_shown(path, made)), len(cause_groups(causes)))


_NAMES = ("accumulator", "its register", "scaled: R(acc)", "output", "as it is written")
_REGISTER = 1


def _stages(path: Datapath, cause: Cause, where: tuple[int, ...]) -> list[Stage]:
    expected, got = (_values(p, where) for p in (path, cause.plant(path)))
    return [Stage(*row) for row in zip(_NAMES, expected, got, strict=True)]


def _values(path: Datapath, where: tuple[int, ...]) -> list[int]:
    """Return what each stage produces at a place, before anything moves and after."""
    acc = path.accumulators()
    held = path.accumulator_register(path, acc)
    scaled = path.scale(path, held)
    y = path.output_stage(path, scaled).astype(path.dtype)
    made: list[np.ndarray[Any, Any]] = [acc, held, scaled, y, path.write_output(path, y)]
    return [int(values.reshape(y.shape)[(0, *where)]) for values in made]


def _shown(path: Datapath, stages: list[Stage]) -> list[Stage]:
    """Leave out what the op does not have, and stages that change nothing in either."""
    found: list[Stage] = []
    for stage in stages if path.op.spec.accumulator else stages[3:]:
        if stage.name == "output" or not found or _pair(stage) != _pair(found[-1]):
            found.append(stage)
    return found


def _pair(stage: Stage) -> tuple[int, int]:
    return stage.expected, stage.got
