"""A float network and its ranges to an integer model (SPEC 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from ..fields import INT32_MAX, Requantize
from ..model import Model, Op, Tensor
from ..ops import OPS
from . import affine, multiplier, pwl_fit, tables
from .calibrate import Ranges
from .inference import FloatNetwork, Layer
from .inference import activation as activation_function

ACTIVATIONS = ("lut", "pwl")
_FULL = {"act_min": -128, "act_max": 127}


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # checked where they are taken
def quantize_network(
    network: FloatNetwork,
    ranges: Ranges,
    activation: str = "lut",
    segments: int = 8,
    name: str | None = None,
    form: str = "single",
    multiplier_bits: int = 31,
    per_channel: bool = True,
) -> Model:
    """Return the integer model of a float network.

    A ReLU behind a convolution or matrix becomes its ``act_min``; other activations become an op.
    Every output has the affine scale of its range, a max pool keeps that of its input, and the
    last layer leaves int32 logits at one scale.

    Parameters
    ----------
    network : FloatNetwork
        Whose input is [0, 1]: a camera byte over 255.
    ranges : Ranges
        Of every layer (see `intgold.floating.calibrate`).
    activation : {"lut", "pwl"}
        Tables of 256 entries, or linear segments.
    segments : int
        Of each activation with ``pwl``.
    name : str, optional
    form : str
        Of every requantize (SPEC 4.2).
    multiplier_bits : int
        1 to 31 significant bits; below 31, the weights follow the multiplier.
    per_channel : bool
        One weight scale per output channel, or one per layer.

    Raises
    ------
    ModelError
        Naming the layer that cannot be quantised.
    """
    if activation not in ACTIVATIONS:
        raise ModelError(f"activation {activation!r} is none of {', '.join(ACTIVATIONS)}")
    draft = _Draft(network, ranges, activation, segments, form, multiplier_bits, per_channel)
    layers = list(network.layers)
    while layers:
        layer = layers.pop(0)
        relu = bool(layers) and layer.weights is not None and layers[0].kind == "relu"
        behind = layers.pop(0) if relu else layer
        try:
            draft.add(layer, behind, last=not layers)
        except ModelError as error:
            raise ModelError(f"layer {layer.name}: {error}") from None
    metadata = {
        "activation": activation + (f", {segments} segments" if activation == "pwl" else ""),
        "calibration": f"{ranges.images} images, percentile {ranges.percentile:g}",
        "float_network": network.name,
        "requantize": f"{form}, {multiplier_bits}-bit multipliers",
        "weights": "per output channel" if per_channel else "per tensor",
    }
    made = [tensor.name for tensor in draft.tensors]
    return Model(
        name or f"{network.name}_{activation}",
        draft.tensors, draft.ops, made[:1], made[-1:], metadata=metadata,
    )  # fmt: skip


class _Draft:
    """The integer graph as it grows, layer by layer."""

    def __init__(
        self, network: FloatNetwork, ranges: Ranges, activation: str, segments: int,
        form: str, bits: int, per_channel: bool,
    ) -> None:  # fmt: skip
        self.ranges, self.activation, self.segments = ranges, activation, segments
        self.form, self.bits, self.per_channel = form, bits, per_channel
        self.tensors = [Tensor("image", network.input_shape, "int8", 1 / 255, -128)]
        self.ops: list[Op] = []

    def add(self, layer: Layer, behind: Layer, last: bool) -> None:
        """Add `layer`; `behind` is the ReLU fused into it, or the layer itself."""
        fused = behind is not layer
        if layer.weights is not None:
            self._weighted(layer, None if last and not fused else behind.name, fused)
        elif layer.kind == "max_pool2d":
            fields = {
                "kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding, **_FULL,
            }  # fmt: skip
            self._append("max_pool2d", layer.name, fields, self._x.scale, self._x.zero_point)
        elif layer.kind == "global_avg_pool":
            self._global_avg_pool(layer)
        else:
            self._activation(layer)

    @property
    def _x(self) -> Tensor:
        return self.tensors[-1]

    def _scale(self, tensor: Tensor) -> float:
        if tensor.scale is None:
            raise ModelError(f"input {tensor.name} has no scale")
        return tensor.scale

    def _append(
        self, kind: str, name: str, fields: Mapping[str, Any],
        scale: float | None, zero_point: int = 0, tensor: str | None = None,
    ) -> None:  # fmt: skip
        op = Op(kind, name, (self._x.name,), tensor or name, fields)
        shape = OPS[kind].shape(op.fields, [self._x.shape])
        dtype = OPS[kind].output_dtype(op.fields)
        self.tensors.append(Tensor(op.output, shape, dtype, scale, zero_point))
        self.ops.append(op)

    def _output(self, layer: str) -> tuple[float, int]:
        return affine.scale_zero_point(*self.ranges[layer])

    def _weighted(self, layer: Layer, ranged: str | None, relu: bool) -> None:
        """Add a convolution or matrix; `ranged` names the layer whose range its output has."""
        assert layer.weights is not None and layer.bias is not None
        weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
        s_x = self._scale(self._x)
        last = ranged is None
        s_y, zero_point = (1.0, 0) if ranged is None else self._output(ranged)
        s_w = _weight_scales(weights, bias, s_x, self.per_channel and not last)
        requantize = None
        if not last:
            s_w, requantize = self._requantize(s_w, s_x, s_y)
        fields: dict[str, Any] = {
            **_integer_weights(weights, bias, s_w, s_x),
            "weight_zero_point": np.zeros(1, np.int8),
            "weight_scale": tuple(s_w.tolist()),
            "requantize": requantize,
            "act_min": zero_point if relu else -128,
            "act_max": 127,
        }
        if layer.kind == "conv2d":
            fields |= {"stride": layer.stride, "padding": layer.padding, "dilation": (1, 1)}
        scale = s_x * float(s_w[0]) if last else s_y
        tensor = "logits" if last else None
        self._append(layer.kind, layer.name, fields, scale, zero_point, tensor)

    def _requantize(self, s_w: np.ndarray, s_x: float, s_y: float) -> tuple[np.ndarray, Requantize]:
        """Return the weight scales and their multipliers ``s_x * s_w / s_y``.

        A narrow multiplier comes first and the weight scale follows it: rounding the multiplier
        alone would change the function.
        """
        reals = (s_x * s_w / s_y).tolist()
        if self.bits < 31 and self.form not in ("float32", "float64"):
            pairs = [multiplier.fixed_point_above(real, self.bits) for real in reals]
            reals = [multiplier.value(*pair) for pair in pairs]
            s_w = np.array([real * s_y / s_x for real in reals])
        return s_w, multiplier.requantize_for(reals, self.form, self.bits)

    def _global_avg_pool(self, layer: Layer) -> None:
        """Add a mean with a scale of its own: that of its input would waste most of int8."""
        height, width, _ = self._x.shape
        s_y, zero_point = self._output(layer.name)
        real = self._scale(self._x) / (height * width * s_y)
        requantize = multiplier.requantize_for([real], self.form, self.bits)
        fields = {"requantize": requantize, **_FULL}
        self._append("global_avg_pool", layer.name, fields, s_y, zero_point)

    def _activation(self, layer: Layer) -> None:
        s_y, zero_point = self._output(layer.name)
        table = tables.activation_table(
            activation_function(layer.kind),
            self._scale(self._x),
            self._x.zero_point,
            s_y,
            zero_point,
        )
        if self.activation == "lut":
            self._append("lut", layer.name, {"table": table}, s_y, zero_point)
            return
        made = pwl_fit.fit(table, self.segments)
        fields = {
            "breakpoints": made.breakpoints, "slope": made.slope, "offset": made.offset,
            "frac_bits": made.frac_bits, **_FULL,
        }  # fmt: skip
        self._append("pwl", layer.name, fields, s_y, zero_point)


def _weight_scales(
    weights: np.ndarray, bias: np.ndarray, s_x: float, per_channel: bool
) -> np.ndarray:
    """Return s_w: weights fill [-127, 127], and the bias stays within 2^30; all-zero gives 1."""
    rows = np.abs(weights).reshape(len(bias), -1).max(axis=1)
    scales = np.maximum(rows / 127, np.abs(bias) / (s_x * 2**30))
    if not per_channel:
        scales = scales.max(keepdims=True)
    return np.where(scales == 0, 1.0, scales)


def _integer_weights(
    weights: np.ndarray, bias: np.ndarray, s_w: np.ndarray, s_x: float
) -> dict[str, np.ndarray]:
    scaled = weights / s_w.reshape(-1, *[1] * (weights.ndim - 1))
    scaled_bias = affine.round_away(bias / (s_x * s_w))
    if not np.isfinite(scaled).all() or not (np.abs(scaled_bias) <= INT32_MAX).all():
        raise ModelError(f"weights or bias do not fit their scales, from {s_w.min()}")
    return {
        "weights": np.clip(affine.round_away(scaled), -127, 127).astype(np.int8),
        "bias": scaled_bias.astype(np.int32),
    }
