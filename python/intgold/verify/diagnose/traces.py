"""What a device had at each op, on some images: what it dumped, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ... import golden
from ...model.graph import Model, Op
from ...vectors.arrays import contents
from ...vectors.arrays.contents import ArraySpec
from ...vectors.memory.readings import Reading
from ..dump import Dump
from .datapath import Datapath
from .hypotheses import Evidence

Arrays = Mapping[ArraySpec, np.ndarray]
ByRole = Mapping[str, Sequence[Reading]]


class Traces:
    """The tensors of a device on some images.

    Parameters
    ----------
    model : Model
    arrays : mapping of ArraySpec to ndarray
        The stimulus, and the outputs and accumulators that the device dumped.
    images : sequence of int
        Which images of the set these are.
    readings : callable, optional
        ``(op name) -> by role``, see `intgold.verify.dump.Dump.readings`.
    """

    def __init__(
        self, model: Model, arrays: Arrays, images: Sequence[int],
        readings: Callable[[str], ByRole] = lambda _: {},
    ) -> None:  # fmt: skip
        self.model, self._images, self._readings = model, np.array(images), readings
        x = {e.name: a for e, a in arrays.items() if e.role == "stimulus"}
        self.golden = {**x, **model.run(x, trace=True).tensors}
        self.seen: dict[str, dict[str, np.ndarray]] = {}
        for entry, array in arrays.items():
            if entry.role != "stimulus":
                self.seen.setdefault(entry.owner, {})[entry.role] = array
        self.live = dict(x)
        for op in model.ops:
            self.live[op.output] = self._of_device(op)

    def _of_device(self, op: Op) -> np.ndarray:
        """Return an output as it was dumped, else as it follows from what the device had."""
        seen = self.seen.get(op.name, {})
        if "output" in seen:
            return seen["output"]
        path = self.path(op)
        acc = seen["accumulator"].astype(np.int64) if "accumulator" in seen else path.accumulators()
        return path.after(acc)[1]

    def path(self, op: Op) -> Datapath:
        """Return the op without a bug, on what the device had before it."""
        path = Datapath.of(self.model, op, tuple(self.live[n] for n in op.inputs))
        return replace(path, images=self._images, dumped=self.seen.get(op.name, {}))

    def evidence(self, op: Op) -> Evidence:
        """Return what the op should have made of its inputs, and what the device dumped of it."""
        path, got = self.path(op), self.seen[op.name]
        acc, y = path.results()
        expected = {"output": y, "accumulator": acc}
        readings = partial(self._readings, op.name)
        return Evidence(path, {role: expected[role] for role in got}, got, readings=readings)

    def reads_golden(self, op: Op) -> bool:
        """Return whether the inputs are golden, as far as they were dumped."""
        return all(np.array_equal(self.live[n], self.golden[n]) for n in op.inputs)

    def not_dumped(self, op: Op) -> list[Op]:
        """Return the ops before `op` whose outputs were not dumped, the nearest first."""
        makers = {o.output: o for o in self.model.ops}
        found: list[Op] = []
        waiting = list(op.inputs)
        while waiting:
            maker = makers.get(waiting.pop())
            if maker and maker not in found and "output" not in self.seen.get(maker.name, {}):
                found.append(maker)
                waiting += maker.inputs
        return [o for o in reversed(self.model.ops) if o in found]

    def through(self, before: Op) -> Evidence:
        """Return the evidence of an op that was not dumped: all that was dumped after it."""
        path = self.path(before)
        held, y = path.results()
        expected = self._downstream(before, held, y)
        got = {key: self.seen[key[0]][key[1]] for key in expected}

        def follow(its_held: np.ndarray, its_y: np.ndarray) -> dict[str, np.ndarray]:
            if np.array_equal(its_y, y) and np.array_equal(its_held, held):
                return _named(expected)  # many bugs change nothing here
            return _named(self._downstream(before, its_held, its_y))

        return Evidence(path, _named(expected), _named(got), follow)

    def _downstream(
        self, before: Op, held: np.ndarray, y: np.ndarray
    ) -> dict[tuple[str, str], np.ndarray]:
        """Return what the device dumped that depends on an output, by (op, role)."""
        made: dict[tuple[str, str], np.ndarray] = {}
        if "accumulator" in self.seen.get(before.name, {}):
            made[before.name, "accumulator"] = held
        live = {before.output: y}  # of tensors that depend on it and were not dumped
        for op in self.model.ops:
            if not any(n in live for n in op.inputs):
                continue
            inputs = tuple(live[n] if n in live else self.live[n] for n in op.inputs)
            if op.kind == "conv2d":
                acc, out = Datapath.of(self.model, op, inputs).results()
            else:
                result = golden.FUNCTIONS[op.kind](*inputs, **self.model.arguments(op))
                out, acc = result if op.spec.accumulator else (result, result)
            seen = self.seen.get(op.name, {})
            for role, array in (("output", out), ("accumulator", acc)):
                if role in seen:
                    made[op.name, role] = array
            if "output" not in seen:
                live[op.output] = out
        return made


def _named(arrays: Mapping[tuple[str, str], np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{op} {role}": array for (op, role), array in arrays.items()}


def of_images(dump: Dump, images: Sequence[int]) -> Traces:
    """Return the traces of some images, which rise."""
    arrays = {e: dump.expected(e, images) for e in _stimulus(dump)}
    arrays |= {e: dump.got(e, images) for e in _dumped(dump)}
    return Traces(dump.plan.model, arrays, images, dump.readings)


def in_blocks(dump: Dump) -> Iterator[tuple[int, Traces]]:
    """Yield (first image, traces) of all images, some at a time, each file read once."""
    first = 0
    for arrays in dump.blocks(_stimulus(dump), _dumped(dump)):
        count = len(next(iter(arrays.values())))
        yield first, Traces(dump.plan.model, arrays, range(first, first + count))
        first += count


def _stimulus(dump: Dump) -> list[ArraySpec]:
    model = dump.plan.model
    return [contents.stimulus_spec(model.tensor(n)) for n in model.inputs]


def _dumped(dump: Dump) -> list[ArraySpec]:
    return [e for e in dump.files if dump.has(e) and e.role in ("output", "accumulator")]
