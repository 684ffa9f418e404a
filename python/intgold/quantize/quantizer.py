"""A float network and its ranges to an integer model (SPEC 8), under the choices made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from ..host import affine, multiplier
from ..model.builder import Builder
from ..model.graph import Model, Tensor
from ..ops.table import OPS
from ..support.arguments import checked
from . import pwl_fit, tables
from .activations import KINDS, activation_function
from .calibrate import Ranges
from .choices import Choices
from .fusion import Node, ScaleGroups, fuse
from .inference import FloatNetwork
from .inputs import input_orders
from .layers import PAIRS
from .weights import integer_weights


@checked
@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # checked where they are taken
def quantize_network(
    network: FloatNetwork,
    ranges: Ranges,
    choices: Choices | None = None,
    name: str | None = None,
) -> Model:
    """Return the integer model of a float network.

    A ReLU or ReLU6 after an op that clamps becomes its act_min and act_max; other activations
    become an op.  Every output has the affine scale of its range; pools keep that of their input,
    what a concat joins has one in common, and a last convolution or matrix leaves int32 logits at
    one scale.  What each choice does is said in `Choices`.

    Parameters
    ----------
    network : FloatNetwork
    ranges : Ranges
        Of every layer (see `intgold.quantize.calibrate`).
    choices : Choices, optional
        `calibration` is that of the ranges, whatever is said here.
    name : str, optional

    Raises
    ------
    ModelError
        Naming the layer that cannot be quantised.
    """
    choices = choices or Choices()
    nodes = fuse(network)
    unknown = set(choices.activations) - {n.name for n in nodes if n.layer.kind in KINDS}
    if unknown:
        raise ModelError(f"activations: {min(unknown)!r} is no layer with a table or segments")
    kind = choices.activation.partition(":")[0]
    draft = _IntegerGraph(
        name or f"{network.name}_{kind}", network, ScaleGroups(nodes, ranges, choices, network)
    )
    for node in nodes:
        try:
            draft.add(node)
        except ModelError as error:
            raise ModelError(f"layer {node.name}: {error}") from None
    metadata = {
        **choices.metadata(),
        "calibration": f"{ranges.method}, {ranges.images} images",
        "float_network": network.name,
        **input_orders(network.inputs),
    }
    if network.output_order:
        output = "logits" if nodes[-1].logits else nodes[-1].name
        metadata["output_order"] = f"{output} {network.output_order}"
    if network.left_to_host:
        metadata["left_to_host"] = network.left_to_host
    return draft.builder.model(metadata=metadata)


class _IntegerGraph:
    """The integer graph as it grows, node by node; tensors have the names of their nodes."""

    def __init__(self, name: str, network: FloatNetwork, scales: ScaleGroups) -> None:
        self.scales, self.choices = scales, scales.choices
        self.builder = Builder(name)
        for x in network.inputs:
            scale, zero_point = (1 / 255, -128) if x.pixels else scales[x.name]
            self.builder.input(x.name, x.shape, "int8", scale, zero_point)

    def add(self, node: Node) -> None:
        """Add the op, or the ops, of a node."""
        kind = node.layer.kind
        if node.layer.weights is not None:
            self._weighted(node)
        elif kind in ("max_pool2d", "avg_pool2d"):
            self._pool(node)
        elif kind == "global_avg_pool":
            self._global_avg_pool(node)
        elif kind in PAIRS:
            self._pair(node)
        elif kind == "pad":
            self._pad(node)
        elif kind == "reshape":
            self._reshape(node)
        elif kind == "concat":
            self._concat(node)
        else:
            self._activation(node)

    def _input(self, node: Node) -> tuple[Tensor, float]:
        """Return the tensor that a node of one input reads, and its scale."""
        tensor = self.builder.tensor(node.inputs[0])
        return tensor, _scale(tensor)

    def _clamp(self, node: Node, scale: float, zero_point: int) -> dict[str, Any]:
        """Return act_min and act_max of the clamp that is fused into a node."""
        if node.limit is None:
            return {"act_min": -128, "act_max": 127}
        most = 127.0
        if math.isfinite(node.limit):
            most = min(float(affine.round_away(node.limit / scale)) + zero_point, 127.0)
        return {"act_min": zero_point, "act_max": max(int(most), zero_point)}

    def _weighted(self, node: Node) -> None:
        """Add a convolution or matrix."""
        layer, (_, s_x) = node.layer, self._input(node)
        s_y, zero_point = (None, 0) if node.logits else self.scales[node.name]
        fields, scale = integer_weights(layer, s_x, s_y, self.choices)
        if s_y is not None:
            fields |= self._clamp(node, s_y, zero_point)
        slide = [n for n in ("stride", "padding", "dilation") if n in OPS[layer.kind].fields]
        fields |= {name: getattr(layer, name) for name in slide}
        self.builder.op(
            layer.kind, *node.inputs, name=node.name, output="logits" if node.logits else None,
            scale=scale, zero_point=zero_point, **fields,
        )  # fmt: skip

    def _pool(self, node: Node) -> None:
        """Add a pool, which keeps the scale of its input."""
        x, scale = self._input(node)
        fields: dict[str, Any] = self._clamp(node, scale, x.zero_point)
        for key in ("kernel", "stride", "padding"):
            fields[key] = getattr(node.layer, key)
        if node.layer.kind == "avg_pool2d":
            fields["form"] = "centred_away"
        self.builder.op(
            node.layer.kind, x.name, name=node.name, scale=scale, zero_point=x.zero_point, **fields
        )

    def _global_avg_pool(self, node: Node) -> None:
        """Add a mean with a scale of its own: that of its input would waste most of int8."""
        x, s_x = self._input(node)
        cells = x.size // x.shape[-1]
        scale, zero_point = self.scales[node.name]
        real = s_x / (cells * scale)
        if not self.choices.narrow:
            self._mean(node, node.name, real, scale, zero_point)
            return
        # The scale follows the multiplier, which is the largest that does not clip.
        pair = multiplier.fixed_point_below(real, self.choices.multiplier_bits)
        real = multiplier.value(*pair)
        lo, _ = self.scales.range(node.name)
        own = s_x / (cells * real), affine.zero_point_of(lo, s_x / (cells * real))
        if self.scales.is_free(node.name):
            self._mean(node, node.name, real, *own)
        else:
            self._mean(node, f"{node.name}_mean", real, *own)
            self._rescaled(f"{node.name}_mean", scale, zero_point, node.name)

    def _mean(self, node: Node, name: str, real: float, scale: float, zero_point: int) -> None:
        by = multiplier.requantize_for([real], self.choices.form, self.choices.multiplier_bits)
        self.builder.op(
            "global_avg_pool", *node.inputs, name=name, requantize=by, scale=scale,
            zero_point=zero_point, **self._clamp(node, scale, zero_point),
        )  # fmt: skip

    def _rescaled(self, name: str, scale: float, zero_point: int, made: str) -> str:
        """Return the tensor at this scale: itself, or `made` by a table."""
        x = self.builder.tensor(name)
        if (x.scale, x.zero_point) == (scale, zero_point):
            return name
        table = tables.activation_table(
            lambda reals: reals, _scale(x), x.zero_point, scale, zero_point
        )
        return self.builder.op(
            "lut", name, name=made, table=table, scale=scale, zero_point=zero_point
        )

    def _pad(self, node: Node) -> None:
        """Add a pad; what it is filled with is 0 or in the range of the output, which is shared."""
        x, scale = self._input(node)
        top, bottom, left, right = node.layer.padding
        fill = node.layer.alpha
        if self.scales.is_camera(node.name) and not 0 <= fill <= 1:
            raise ModelError(f"a pad with {fill} of camera bytes, which lie in [0, 1]")
        value = int(affine.quantize(fill, scale, x.zero_point))
        self.builder.op(
            "pad", x.name, name=node.name, before=(top, left, 0), after=(bottom, right, 0),
            value=value, scale=scale, zero_point=x.zero_point,
        )  # fmt: skip

    def _reshape(self, node: Node) -> None:
        x, scale = self._input(node)
        shape = (*node.layer.shape, 0, 0, 0)[:3]
        self.builder.op(
            "reshape", x.name, name=node.name, shape=shape, scale=scale, zero_point=x.zero_point
        )

    def _pair(self, node: Node) -> None:
        """Add a sum, difference or product (SPEC 8.8).

        With narrow multipliers all of its scales are powers of two.
        """
        s_y, zero_point = self.scales[node.name]
        names = list(node.inputs)
        if self.choices.narrow:
            for i, name in enumerate(names):
                x = self.builder.tensor(name)
                scale = 2.0 ** math.ceil(math.log2(_scale(x)))
                lo = (-128 - x.zero_point) * _scale(x)
                point = x.zero_point if scale == x.scale else affine.zero_point_of(lo, scale)
                names[i] = self._rescaled(name, scale, point, f"{node.name}_x{i + 1}")
        s_x = [_scale(self.builder.tensor(name)) for name in names]
        twice = 2 * max(s_x)
        form, bits = self.choices.form, self.choices.multiplier_bits
        fields = self._clamp(node, s_y, zero_point)
        if node.layer.kind == "mul":
            reals = {"requantize": s_x[0] * s_x[1] / s_y}
        else:
            reals = {
                "requantize1": s_x[0] / twice,
                "requantize2": s_x[1] / twice,
                "requantize": twice / (2**20 * s_y),
            }
            difference = "_difference" if node.layer.kind == "sub" else ""
            fields |= {"form": f"shared_scale{difference}", "left_shift": 20}
        for key, real in reals.items():
            fields[key] = multiplier.requantize_for([real], form, bits)
        self.builder.op(
            "mul" if node.layer.kind == "mul" else "add", *names, name=node.name, scale=s_y,
            zero_point=zero_point, **fields,
        )  # fmt: skip

    def _concat(self, node: Node) -> None:
        """Add a chain of concats; what cannot have the common scale gets it by a table."""
        at = self.scales[node.name]
        names = [
            self._rescaled(name, *at, f"{node.name}_x{i + 1}") for i, name in enumerate(node.inputs)
        ]
        joined = names[0]
        for i, name in enumerate(names[1:], start=2):
            axis = len(self.builder.tensor(name).shape) - 1
            made = node.name if i == len(names) else f"{node.name}_to{i}"
            joined = self.builder.op(
                "concat", joined, name, name=made, axis=axis, scale=at[0], zero_point=at[1]
            )

    def _activation(self, node: Node) -> None:
        """Add a table, or segments that follow it."""
        x, s_x = self._input(node)
        s_y, zero_point = self.scales[node.name]
        function = activation_function(node.layer.kind, node.layer.alpha, node.layer.beta)
        table = tables.activation_table(function, s_x, x.zero_point, s_y, zero_point)
        segments = self.choices.segments(node.name)
        fields: Mapping[str, Any] = {"table": table}
        if segments is not None:
            made = pwl_fit.fit(table, segments)
            fields = {
                "breakpoints": made.breakpoints, "slope": made.slope, "offset": made.offset,
                "frac_bits": made.frac_bits,
            }  # fmt: skip
        self.builder.op(
            "lut" if segments is None else "pwl", x.name, name=node.name,
            scale=s_y, zero_point=zero_point, **fields,
        )  # fmt: skip


def _scale(tensor: Tensor) -> float:
    assert tensor.scale is not None, tensor.name
    return tensor.scale
