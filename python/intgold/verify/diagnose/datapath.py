"""An op as the stages of its hardware, each of which a bug may replace.

The stages, in order: the operands (inputs and fields), ``accumulate``, ``accumulator_register``,
``scale`` (R), ``output_stage`` (zero point and clamp), ``write_output`` (how the results
leave the device).  Without a bug they give the golden model's bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import golden
from ...golden import rounding
from ...golden.requantize import scale as scaled_by
from ...golden.windows import taps
from ...model.graph import Model, Op
from ...ops.fields import INT32_MAX, INT32_MIN, Requantize
from ...support.array_types import IntArray
from ...support.quoting import short_repr
from .products import conv2d_sums

Accumulate = Callable[["Datapath"], IntArray]
StageFunction = Callable[["Datapath", IntArray], IntArray]

WEIGHTED = ("conv2d", "depthwise_conv2d", "fully_connected", "transpose_conv2d")
SLIDING = ("conv2d", "depthwise_conv2d")

_STAGES = {"accumulator_register", "scale", "output_stage", "write_output"}
_LATE = {"requantize", "y_zero_point", "act_min", "act_max", "frac_bits"}
"""Fields that are read after the accumulator, of every op."""


class ExcludedError(ValueError):
    """A bug that another one excludes: it leaves no input, or none of the shape that is needed."""


def _accumulate(path: Datapath) -> IntArray:
    """Return the accumulators, or what the op moves or looks up where it has none."""
    arguments = dict(path.arguments)
    if path.op.kind in WEIGHTED:
        arguments["requantize"] = None
    if path.op.kind == "conv2d":
        return conv2d_sums(path.inputs[0], arguments).astype(np.int64)
    if path.op.kind == "rescale":
        return path.inputs[0].astype(np.int64)
    if path.op.kind == "max_pool2d":
        arguments |= {"act_min": -128, "act_max": 127}
    with np.errstate(divide="ignore"):  # a mean whose window a bug moved off the image
        made = golden.FUNCTIONS[path.op.kind](*path.inputs, **arguments)
    values: IntArray = made[1] if path.op.spec.accumulator else made
    return values.astype(np.int64)


def _accumulator_register(path: Datapath, acc: IntArray) -> IntArray:
    return acc


def _scale(path: Datapath, acc: IntArray) -> IntArray:
    by = path.arguments.get("requantize")
    if by is not None:
        return scaled_by(acc, by)
    if path.op.kind == "pwl":
        return rounding.up(acc, path.arguments["frac_bits"])
    if path.op.kind == "resize_bilinear":
        shift = {"up": rounding.up, "away": rounding.away}[path.arguments["form"]]
        return shift(acc, 2 * path.arguments["frac_bits"])
    if path.op.kind == "avg_pool2d":
        return path.divide(acc, path.cells())
    return acc


def _output_stage(path: Datapath, scaled: IntArray) -> IntArray:
    return path.clamp(scaled + path.y_zero_point)


def _write_output(path: Datapath, y: IntArray) -> IntArray:
    return y


@dataclass(frozen=True, eq=False)
class Datapath:
    """An op on some images, stage by stage.

    Parameters
    ----------
    model : Model
    op : Op
    inputs : tuple of ndarray
        What the op reads, shape (n, ...).
    arguments : dict
        Of the golden function; a bug may hold values here that no model may have.
    accumulate, accumulator_register, scale, output_stage, write_output : callable
        The stages.
    made : dict
        What was computed, shared as long as the operands are: ``acc``, the accumulators, and
        ``after``, stages with what they made of them.
    images : ndarray, shape (n,), optional
        Which images of the set these are.
    dumped : mapping of str to ndarray
        What the device dumped of the op on these images, by role.
    """

    __repr__ = short_repr

    model: Model
    op: Op
    inputs: tuple[IntArray, ...]
    arguments: dict[str, Any]
    accumulate: Accumulate = _accumulate
    accumulator_register: StageFunction = _accumulator_register
    scale: StageFunction = _scale
    output_stage: StageFunction = _output_stage
    write_output: StageFunction = _write_output
    made: dict[str, Any] = field(default_factory=dict)
    images: IntArray | None = None
    dumped: Mapping[str, IntArray] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, op: Op, inputs: tuple[IntArray, ...]) -> Datapath:
        """Return the op without a bug."""
        return cls(model, op, inputs, dict(model.arguments(op)))

    @property
    def requantizes(self) -> bool:
        """Whether R produces int8 from the accumulator."""
        return self.arguments.get("requantize") is not None and self.op.kind != "rescale"

    @property
    def y_zero_point(self) -> int:
        """What is added to the scaled value; 0 where the op adds none."""
        centred = self.arguments.get("form") == "centred_away" or self.requantizes
        return int(self.arguments.get("y_zero_point", 0)) if centred else 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the output."""
        return np.dtype(self.model.tensor(self.op.output).dtype)

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the window of a convolution or pool."""
        if "kernel" in self.arguments:
            h, w = self.arguments["kernel"]
            return h, w
        first = 0 if self.op.kind == "depthwise_conv2d" else 1
        h, w = self.arguments["weights"].shape[first : first + 2]
        return h, w

    def clamp(self, values: IntArray) -> IntArray:
        """Return what the op's clamp leaves of the values."""
        if self.op.kind == "rescale":
            low, high = INT32_MIN, INT32_MAX
        elif "act_min" in self.arguments and self.dtype != np.int32:
            low, high = self.arguments["act_min"], self.arguments["act_max"]
        else:
            return values
        clamped: IntArray = np.minimum(np.maximum(values, low), high)
        return clamped  # np.clip takes longer to begin

    def cells(self) -> IntArray:
        """Return the number of valid cells of each window of a pool, shape (1, oh, ow, 1)."""
        ones = np.ones((1, *self.inputs[0].shape[1:3], 1), np.int64)
        a = self.arguments
        under = taps(ones, a["kernel"], a["stride"], a["padding"], (1, 1), 0)
        # Without a bug every window has one.
        counts: IntArray = np.sum([cells for _, _, cells in under], axis=0)
        return np.maximum(counts, 1)

    def divide(self, acc: IntArray, n: IntArray | int) -> IntArray:
        """Return the mean as avg_pool2d rounds it."""
        halves_up = self.arguments["form"] == "raw_up"
        return (rounding.divide_up if halves_up else rounding.divide_away)(acc, n)

    def with_inputs(self, *inputs: IntArray) -> Datapath:
        """Return the path on other inputs."""
        return self._with(inputs=tuple(np.ascontiguousarray(x) for x in inputs), made={})

    def with_fields(self, **fields: Any) -> Datapath:
        """Return the path with other values of fields."""
        made = self.made if set(fields) <= _LATE else {}
        return self._with(arguments={**self.arguments, **fields}, made=made)

    def with_accumulate(self, accumulate: Accumulate) -> Datapath:
        """Return the path with another sum."""
        return self._with(accumulate=accumulate, made={})

    def with_stage(self, **stages: StageFunction) -> Datapath:
        """Return the path with other stages, by their names."""
        if not stages.keys() <= _STAGES:
            raise TypeError(f"no stages: {', '.join(stages.keys() - _STAGES)}")
        return self._with(**stages)

    def _with(self, **changes: Any) -> Datapath:
        """Return a path with other values; `dataclasses.replace` takes several times as long."""
        path = object.__new__(Datapath)
        path.__dict__.update(self.__dict__, **changes)
        return path

    def plain_sums(self, x: IntArray, weights: IntArray) -> IntArray:
        """Return the sums of products of values as they are: no zero points, no bias."""
        arguments = {
            **self.arguments, "x_zero_point": 0, "weights": weights,
            "weight_zero_point": np.zeros_like(self.arguments["weight_zero_point"]),
            "bias": np.zeros_like(self.arguments["bias"]), "requantize": None,
        }  # fmt: skip
        x = np.ascontiguousarray(x, np.int8)
        if self.op.kind == "conv2d":
            return conv2d_sums(x, arguments).astype(np.int64)
        return np.asarray(golden.FUNCTIONS[self.op.kind](x, **arguments)[1], np.int64)

    def accumulators(self) -> IntArray:
        """Return the sums, int64, before any register holds them."""
        if "acc" not in self.made:
            self.made["acc"] = self.accumulate(self)
        acc: IntArray = self.made["acc"]
        return acc

    def after(self, acc: IntArray) -> tuple[IntArray, IntArray]:
        """Return (accumulators held, results) of some accumulators, not yet delivered."""
        held = self.accumulator_register(self, acc)
        y = self.output_stage(self, self.scale(self, held))
        return held.astype(np.int32), y.astype(self.dtype)

    def undelivered(self) -> tuple[IntArray, IntArray]:
        """Return (accumulators held, results) of the accumulators; not to be written to.

        Those of the first path that asks are kept, for the many bugs of ``write_output``.
        """
        stages = (self.arguments, self.accumulator_register, self.scale, self.output_stage)
        kept = self.made.get("after")
        if kept and all(a is b for a, b in zip(kept[0], stages, strict=True)):
            held, y = kept[1]
            return held, y
        made = self.after(self.accumulators())
        if kept is None:
            for array in made:
                array.flags.writeable = False
            self.made["after"] = stages, made
        return made

    def results(self) -> tuple[IntArray, IntArray]:
        """Return (accumulators held, results delivered), each of the shape of the output."""
        held, y = self.undelivered()
        return held, self.write_output(self, y)


def replace_entries(by: Requantize, **parts: Any) -> Requantize:
    """Return `by` with other parts, not checked: hardware may hold what no model may."""
    values = {
        "form": by.form,
        "multiplier": by.multiplier.astype(np.int64),
        "right_shift": by.right_shift.astype(np.int64),
        "multiplier_low": by.multiplier_low.astype(np.int64),
    }
    return Requantize(**{**values, **parts})
