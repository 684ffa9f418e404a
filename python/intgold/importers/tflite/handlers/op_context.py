"""One op of the file on its way into the model: its tensors, its rule, what it may add."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....contracts import Algorithm, OpRule
from ....errors import ImportFileError
from ....model.builder import Builder
from ....ops.fields import Requantize
from ....support.quoting import short_repr
from ..file.reader import FileOp, FileTensor
from ..formulas.scales import scale_of


@dataclass
class ConstantBudget:
    """Bytes that constants may still take which are made here and are not in the file.

    What a file claims of its shapes costs it nothing; so it gets 64 times its constants and 4 MiB.
    """

    left: int

    @classmethod
    def of(cls, tensors: tuple[FileTensor, ...]) -> ConstantBudget:
        """Return the budget of a file."""
        return cls(64 * sum(t.data.nbytes for t in tensors if t.data is not None) + 2**22)


IDENTITY = Requantize.of(2**30, 30)
"""R of a factor of 1."""
_PER_PLACE = 32
"""Bytes of a weight, a bias and an entry of R."""


@dataclass(eq=False)
class OpContext:
    """An op of the file, and the model as far as it has grown.

    Parameters
    ----------
    op : FileOp
    rule : OpRule
        Of the contract that computes it.
    tensors : sequence of FileTensor
    builder : Builder
    names : dict of int to str
        The model's tensor for each tensor of the file that exists so far.
    label : str
        Name of the op in the model; further ops that it needs have a number after it.
    outputs : tuple of str
        Names of the tensors that it produces.
    budget : ConstantBudget
        Of the file, shared by all its ops.
    declined : bool
        Whether the delegate declined it.
    notes : list of str
        Inputs to which the engine has no answer.
    batch : int
        Images that the file takes at once.
    """

    __repr__ = short_repr

    op: FileOp
    rule: OpRule
    tensors: tuple[FileTensor, ...]
    builder: Builder
    names: dict[int, str]
    label: str
    outputs: tuple[str, ...]
    budget: ConstantBudget
    extra: int = 0
    declined: bool = False
    notes: list[str] = field(default_factory=list)
    batch: int = 1

    def need_whole_groups(self, size: int, group: int) -> None:
        """Refuse a batch of images of `size` values whose kernel groups values across images.

        Which values come after the last whole group then differs from image to image.
        """
        if self.batch > 1 and size % group:
            raise self.fail(
                f"the kernel computes {group} values at once, across the {self.batch} images of "
                f"the file's batch; an image has {size}"
            )

    def note(self, what: str) -> None:
        """Keep what a user of the model must know of the op."""
        self.notes.append(f"{self.op}, {what}")

    def fail(self, why: str) -> ImportFileError:
        """Return the error that names the op."""
        return ImportFileError(f"{self.op}: {why}")

    @property
    def y(self) -> FileTensor:
        """The output of the op, the first one where it has several."""
        return self.tensors[self.op.outputs[0]]

    def file(self, i: int) -> FileTensor:
        """Return input `i` as in the file."""
        return self.tensors[self.op.inputs[i]]

    def has(self, i: int) -> bool:
        """Return whether input `i` is there."""
        return i < len(self.op.inputs) and self.op.inputs[i] >= 0

    def x(self, i: int = 0) -> str:
        """Return the model's tensor for input `i`, which is no constant."""
        found = self.names.get(self.file(i).index)
        if found is None:
            raise self.fail(f"input {i} ({self.file(i).name}) is a constant")
        return found

    def constant(self, i: int, dtypes: tuple[str, ...]) -> np.ndarray:
        """Return input `i`, a constant of one of these dtypes."""
        tensor = self.file(i)
        if tensor.data is None:
            raise self.fail(f"input {i} ({tensor.name}) is no constant")
        if tensor.dtype not in dtypes:
            raise self.fail(f"input {i} is {tensor.dtype}; {' or '.join(dtypes)} is read")
        return tensor.data

    def scale(self, tensor: FileTensor) -> np.float32:
        """Return the scale of a tensor."""
        if tensor.scale.size != 1 or not 0 < float(tensor.scale[0]) < float("inf"):
            raise self.fail(f"tensor {tensor.name}: no scale for the whole tensor")
        return scale_of(tensor)

    def need_normal(self, i: int) -> None:
        """Refuse an input whose scale is no normal float32, which XNNPACK does not take."""
        scale = self.scale(self.file(i))
        if scale < np.finfo(np.float32).tiny:
            raise self.fail(f"input {i} has a scale of {scale:.8g}, which is no normal float32")

    def zero_point(self, tensor: FileTensor) -> int:
        """Return the zero point of a tensor as int8."""
        return zero_point(tensor)

    def spend(self, weights: int, entries: int = 0) -> None:
        """Refuse an op that needs more constants than the file may have made for it.

        Parameters
        ----------
        weights, places : int
            Weights, and entries of R with a bias each.
        """
        self.budget.left -= weights + _PER_PLACE * entries
        if self.budget.left < 0:
            raise self.fail(f"{weights + entries} constants that are not in the file: too many")

    def decide(self, *ratios: float, slope: float = 1.0) -> None:
        """Take the rule of the kernel that runs the op: another one where a delegate declines it.

        Parameters
        ----------
        ratios : float
            Of scales, as ``s_a * s_b / s_y`` in the order of the rule.
        slope : float
            What LEAKY_RELU multiplies negative values by.
        """
        low, high = self.rule.limits
        lowest, highest = self.rule.slopes
        beyond = [r for r in ratios if not low <= r <= high]
        if not (
            lowest <= slope <= highest
            and (self.rule.algorithm is not Algorithm.Q8_MULTIPLIER or abs(slope) >= low)
        ):
            beyond.append(slope)
        if beyond:
            self.decline(f"ratio of scales {beyond[0]:.8g} is beyond [{low:.8g}, {high:.8g}]")

    def decline(self, why: str) -> None:
        """Take the rule of the kernel that runs what a delegate declines."""
        if self.rule.fallback is None:
            raise self.fail(f"{why}: the engine does not take it")
        self.rule, self.declined = self.rule.fallback, True

    def add(
        self,
        kind: str,
        *inputs: str,
        last: bool = True,
        like: FileTensor | None = None,
        zero: int | None = None,
        number: int = 0,
        **fields: Any,
    ) -> str:
        """Add an op to the model and return the tensor that it produces.

        Parameters
        ----------
        last : bool
            It produces an output of the op.
        like : FileTensor, optional
            Whose scale and zero point the tensor has; the output's by default.
        zero : int, optional
            Another zero point.
        number : int
            Which output of the op it is for.
        """
        quantised = like or self.tensors[self.op.outputs[number]]
        name = output_label(self.label, number)
        if not last:
            self.extra += 1
            name = f"{self.label[:58]}_{self.extra}"
        return self.builder.op(
            kind, *inputs, name=name, output=self.outputs[number] if last else name,
            scale=float(quantised.scale[0]) if quantised.scale.size else None,
            zero_point=zero_point(quantised) if zero is None else zero, **fields,
        )  # fmt: skip


def zero_point(tensor: FileTensor) -> int:
    """Return the zero point of a tensor as int8: uint8 is stored as x ^ 0x80, bool as 0 or 1."""
    if tensor.dtype == "bool":
        return 0
    value = int(tensor.zero_point[0]) if tensor.zero_point.size else 0
    return value - 128 if tensor.dtype == "uint8" else value


def as_int8(values: np.ndarray) -> np.ndarray:
    """Return int8, uint8 or bool values as int8."""
    if values.dtype == np.uint8:
        return (values ^ np.uint8(0x80)).view(np.int8)
    return values.astype(np.int8)


def output_label(label: str, number: int) -> str:
    """Return the name of the op of the model that produces an output of an op of the file."""
    return label if number == 0 else f"{label}_output{number}"


def inner(tensor: FileTensor) -> tuple[int, ...]:
    """Return the shape that a tensor has in the model, see `image_of`."""
    return image_of(tensor.shape)


def image_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one image, of one dimension to three.

    That is the tensor's without the batch of 1.  Inside a file a tensor may have lost the batch, as
    (1, 6, 7) reshaped to (6, 7) has: then all of its extents are the image's.  Of more than three
    the first ones become one: the values stay in C order.
    """
    own = (shape[1:] if shape[:1] == (1,) else shape) or (1,)
    return own if len(own) <= 3 else (math.prod(own[:-2]), *own[-2:])


def whole(tensor: FileTensor) -> bool:
    """Return whether a tensor has no batch of 1 first."""
    return tensor.shape[:1] != (1,)


def extents(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape as the field of a reshape: three extents, 0 for those that it lacks."""
    return (*shape, 0, 0)[:3]
