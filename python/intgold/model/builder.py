"""Build a model from integers that somebody already has: weights, multipliers, shifts, tables.

>>> from intgold.model.builder import Builder
>>> builder = Builder("mine")
>>> x = builder.input("image", (28, 28, 1), zero_point=-128)
>>> x = builder.op("conv2d", x, weights=weights, bias=bias, requantize=Requantize.of(m, t))
>>> model = builder.model(x)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ops.fields import Array, Integers
from ..ops.kind import OpKind
from ..ops.table import OPS
from ..support.arguments import checked
from .graph import Model, Op, Tensor

_DEFAULTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "stride": lambda given: given.get("kernel", (1, 1)),
    "padding": lambda given: (0, 0, 0, 0),
    "dilation": lambda given: (1, 1),
    "weight_zero_point": lambda given: [0],
    "weight_scale": lambda given: None,
    "act_min": lambda given: -128,
    "act_max": lambda given: 127,
}
"""What a field is when it is not given; the stride of a pool is its kernel."""

_SAME_REALS = (
    "max_pool2d",
    "avg_pool2d",
    "concat",
    "pad",
    "reshape",
    "strided_copy",
    "gather",
    "resize_bilinear",
    "maximum",
    "minimum",
)
"""Ops whose outputs stand for reals by the scale and zero point of what they read."""


class Builder:
    """A graph that grows by one op at a time.

    Every op is checked as far as it can be by itself; `model` checks the whole, the int32 proof
    included.

    Parameters
    ----------
    name : str
        Of the model.
    contract : str
        Name of the engine arithmetic that the numbers follow; provenance.
    """

    @checked
    def __init__(self, name: str, contract: str = "intgold") -> None:
        self.name, self.contract = name, contract
        self._inputs: list[Tensor] = []
        self._made: list[Tensor] = []
        self._ops: list[Op] = []

    @checked
    def input(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str = "int8",
        scale: float | None = None,
        zero_point: int = 0,
    ) -> str:
        """Add an input of the model (see `Tensor`) and return its name."""
        self._inputs.append(Tensor(name, shape, dtype, scale, zero_point))
        return name

    @checked
    def tensor(self, name: str) -> Tensor:
        """Return the tensor of this name.

        Raises
        ------
        ModelError
            When there is none.
        """
        for tensor in (*self._inputs, *self._made):
            if tensor.name == name:
                return tensor
        raise ModelError(f"model {self.name}: no tensor {name!r} so far")

    @checked
    def op(
        self,
        kind: str,
        *inputs: str,
        name: str | None = None,
        output: str | None = None,
        scale: float | None = None,
        zero_point: int | None = None,
        **fields: Any,
    ) -> str:
        """Add an op and return the name of the tensor that it produces.

        Parameters
        ----------
        kind : str
            A name of the op table (SPEC 5).
        *inputs : str
            Names of tensors.
        name : str, optional
            Of the op; by default the kind and a number.
        output : str, optional
            Name of the tensor; by default that of the op.
        scale, zero_point
            Of the tensor.  What is not given is that of the inputs, of a max_pool2d, avg_pool2d,
            concat, pad, reshape, strided_copy, gather, resize_bilinear, maximum or minimum whose
            inputs agree in it; else none and 0.
        **fields
            The fields of the op's clause in SPEC 5.  Arrays may be lists or of a wider integer
            dtype; one number stands for a pair of equal ones and for four equal paddings.  stride,
            padding, dilation, weight_zero_point, weight_scale, act_min, act_max may be left out:
            1 (of a pool: its kernel), 0, 1, 0, none, -128 and 127.

        Raises
        ------
        ModelError
            Naming the op, the field and the value.
        """
        between = "_" if str(kind)[-1:].isdigit() else ""
        name = name or f"{kind}{between}{len(self._ops)}"
        if kind not in OPS:
            raise ModelError(f"op {name}: unknown kind {kind!r}; known: {', '.join(OPS)}")
        spec = OPS[kind]
        given = {n: _value(f"op {name} {n}", spec, n, v) for n, v in fields.items()}
        for field, default in _DEFAULTS.items():
            if field in spec.fields and field not in given:
                given[field] = _value(f"op {name} {field}", spec, field, default(given))
        tensors = [self.tensor(n) for n in inputs]
        made = Op(kind, name, inputs, output or name, given)
        try:
            shape = spec.shape(made.fields, [t.shape for t in tensors])
        except ModelError as error:
            raise ModelError(f"op {name}: {error}") from None
        dtype = spec.output_dtype(made.fields)
        read = [self.tensor(n) for n in inputs] if kind in _SAME_REALS else []
        if scale is None and len({t.scale for t in read}) == 1:
            scale = read[0].scale
        if zero_point is None:
            zero_point = read[0].zero_point if len({t.zero_point for t in read}) == 1 else 0
        self._made.append(Tensor(made.output, shape, dtype, scale, zero_point))
        self._ops.append(made)
        return made.output

    @checked
    def model(self, *outputs: str, metadata: Mapping[str, str] | None = None) -> Model:
        """Return the model, checked as a whole.

        Parameters
        ----------
        *outputs : str
            Names of tensors; by default the last one made.
        metadata : mapping of str to str, optional
            Provenance for people.

        Raises
        ------
        ModelError
            Naming what breaks which rule of SPEC 6 or 7.
        """
        if not self._ops:
            raise ModelError(f"model {self.name}: no op")
        return Model(
            self.name, [*self._inputs, *self._made], self._ops,
            [t.name for t in self._inputs], outputs or (self._made[-1].name,),
            self.contract, metadata or {},
        )  # fmt: skip


def _value(where: str, spec: OpKind, name: str, value: Any) -> Any:
    """Return a field's value in the type that the op table asks for; `Op` checks the rest."""
    kind = spec.fields.get(name)
    if isinstance(kind, Integers) and isinstance(value, (int, np.integer)):
        return (value,) * len(kind.members)
    if not isinstance(kind, Array):
        return value
    array, info = np.asarray(value), np.iinfo(kind.dtype)
    if array.dtype.kind not in "iu" or not array.size:
        raise ModelError(f"{where}: an array of {array.dtype} is not of integers")
    if array.min() < info.min or array.max() > info.max:
        raise ModelError(f"{where}: [{array.min()}, {array.max()}] is beyond {kind.dtype}")
    return array.astype(kind.dtype)
