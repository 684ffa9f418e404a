"""What a run gives: outputs and, with a trace, every tensor and accumulator, by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import EngineError, InputError
from ..model.ports import ModelPorts
from ..support.quoting import shown

_MAX_ROWS = 6  # of each kind of array that the repr of a result lists


class NamedArrays(dict[str, np.ndarray]):
    """Arrays by name; a name that is none is refused with those that are."""

    def __missing__(self, name: object) -> np.ndarray:
        known = f"there are {', '.join(self)}" if self else "run with trace=True to keep them"
        raise InputError(f"tensor {shown(name)}: {known}")


@dataclass(eq=False, slots=True)
class Result:
    """What a run gives.

    Parameters
    ----------
    outputs : dict of str to ndarray
        Every output of the model by name, shape (n, ...), in its own dtype.
    tensors : dict of str to ndarray
        With a trace: the output of every op by tensor name, in execution order.
    accumulators : dict of str to ndarray of int32
        With a trace: the accumulators of the ops that have one (SPEC 6), by output tensor name.
    """

    outputs: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]
    accumulators: dict[str, np.ndarray]

    def __repr__(self) -> str:
        lines = ["<Result"]
        for title, arrays in (
            ("outputs", self.outputs), ("tensors", self.tensors),
            ("accumulators", self.accumulators),
        ):  # fmt: skip
            rows = [f"    {n}: {a.dtype} {a.shape}" for n, a in arrays.items()]
            if len(rows) > _MAX_ROWS:
                rows = [*rows[:_MAX_ROWS], f"    ... and {len(rows) - _MAX_ROWS} more"]
            lines += [f"  {title}:" if rows else f"  {title}: none, without a trace", *rows]
        return "\n".join(lines) + ">"

    @property
    def output(self) -> np.ndarray:
        """The first output."""
        return next(iter(self.outputs.values()))


def too_large(name: str, ports: ModelPorts, count: int, error: MemoryError) -> EngineError:
    """Return the error of a batch that the memory does not hold."""
    return EngineError(
        f"model {name}: not enough memory for {count} images, "
        f"the tensors of one have {ports.span} bytes: {error}"
    )
