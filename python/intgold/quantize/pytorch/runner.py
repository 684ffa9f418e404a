"""A `FloatNetwork` in torch, folded as it is: to compare with, in accuracy and speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..inference import Batch, FloatNetwork
from ..layers import Layer


class TorchNetwork(nn.Module):
    """The layers of a float network, run by torch; images are NHWC outside, NCHW inside."""

    def __init__(self, network: FloatNetwork) -> None:
        """Take the weights of `network`, float32."""
        super().__init__()
        self.layers = network.layers
        for layer in network.layers:
            if layer.weights is not None and layer.bias is not None:
                weights = torch.from_numpy(_oihw(layer).copy())
                self.register_buffer(f"{layer.name}_weights", weights)
                self.register_buffer(f"{layer.name}_bias", torch.from_numpy(layer.bias.copy()))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return (n, classes), or (n, h, w, c) of a network that ends in an image."""
        live = {name: _channels_first(x) for name, x in batch.items()}
        for layer in self.layers:
            x = self._apply(layer, *(live[name] for name in layer.inputs))
            live[layer.name] = x
        x = _channels_last(x)
        return x.flatten(1) if x.ndim == 4 and x.shape[1:3] == (1, 1) else x

    def _apply(self, layer: Layer, *inputs: Tensor) -> Tensor:
        x, kind = inputs[0], layer.kind
        top, bottom, left, right = layer.padding
        pads = (left, right, top, bottom)
        if layer.weights is not None:
            weights = getattr(self, f"{layer.name}_weights")
            bias = getattr(self, f"{layer.name}_bias")
            if kind == "fully_connected":
                return functional.linear(_channels_last(x).flatten(1), weights, bias)
            if kind == "transpose_conv2d":
                full = functional.conv_transpose2d(x, weights, None, layer.stride)
                cut = functional.pad(full, (-left, -right, -top, -bottom))
                biased: Tensor = cut + bias.reshape(-1, 1, 1)
                return biased
            groups = x.shape[1] if kind == "depthwise_conv2d" else 1
            if (top, left) == (bottom, right):
                return functional.conv2d(
                    x, weights, bias, layer.stride, (top, left), layer.dilation, groups
                )
            x = functional.pad(x, pads)
            return functional.conv2d(x, weights, bias, layer.stride, 0, layer.dilation, groups)
        if kind == "max_pool2d":
            x = functional.pad(x, pads, value=-torch.inf) if any(pads) else x
            return functional.max_pool2d(x, layer.kernel, layer.stride)
        if kind == "avg_pool2d":
            total = functional.avg_pool2d(functional.pad(x, pads), layer.kernel, layer.stride)
            valid = functional.pad(torch.ones_like(x[:1, :1]), pads)
            return total / functional.avg_pool2d(valid, layer.kernel, layer.stride)
        if kind == "global_avg_pool":
            return x.mean((2, 3), keepdim=True)
        if kind in _COMBINED:
            return _COMBINED[kind](*inputs)
        if kind == "concat":
            return torch.cat(inputs, 1)
        if kind == "pad":
            return functional.pad(x, pads, value=layer.alpha)
        if kind == "reshape":
            return _channels_first(_channels_last(x).reshape(len(x), *layer.shape))
        return _activation(layer, x)


_COMBINED: dict[str, Callable[..., Tensor]] = {"add": torch.add, "sub": torch.sub, "mul": torch.mul}


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _oihw(layer: Layer) -> Any:
    assert layer.weights is not None
    if layer.kind == "conv2d":
        return layer.weights.transpose(0, 3, 1, 2)
    if layer.kind == "transpose_conv2d":
        return layer.weights.transpose(3, 0, 1, 2)
    if layer.kind == "depthwise_conv2d":
        return layer.weights.transpose(2, 0, 1)[:, np.newaxis]
    return layer.weights


def _activation(layer: Layer, x: Tensor) -> Tensor:
    kind, alpha = layer.kind, layer.alpha
    if kind == "affine":
        return alpha * x + layer.beta
    if kind == "clip":
        return torch.clamp(x, alpha, layer.beta)
    if kind == "absolute":
        return torch.abs(x)
    if kind == "gelu_tanh":
        return functional.gelu(x, approximate="tanh")
    if kind in ("leaky_relu", "elu"):
        with_alpha: Callable[[Tensor, float], Tensor] = getattr(functional, kind)
        return with_alpha(x, alpha)
    plain: Callable[[Tensor], Tensor]
    plain = getattr(torch if kind in ("tanh", "sigmoid") else functional, kind)
    return plain(x)


def torch_runner(network: FloatNetwork) -> Any:
    """Return a function of float32 inputs that gives what `FloatNetwork.run` does."""
    module = TorchNetwork(network).eval()

    @torch.inference_mode()
    def run(given: Batch) -> np.ndarray:
        batch = network.batch(given)
        y: Tensor = module({name: torch.from_numpy(x) for name, x in batch.items()})
        return y.numpy()

    return run
