"""A `FloatNetwork` in torch, folded as it is: to compare with, in accuracy and speed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..inference import IMAGE, FloatNetwork
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

    def forward(self, images: Tensor) -> Tensor:
        """Return (n, classes), or (n, h, w, c) of a network that ends in an image."""
        live = {IMAGE: images.permute(0, 3, 1, 2)}
        for layer in self.layers:
            x = self._apply(layer, *(live[name] for name in layer.inputs))
            live[layer.name] = x
        if x.ndim == 4:
            x = x.permute(0, 2, 3, 1)
            x = x.flatten(1) if x.shape[1:3] == (1, 1) else x
        return x

    def _apply(self, layer: Layer, *inputs: Tensor) -> Tensor:
        x, kind = inputs[0], layer.kind
        top, bottom, left, right = layer.padding
        pads = (left, right, top, bottom)
        if layer.weights is not None:
            weights = getattr(self, f"{layer.name}_weights")
            bias = getattr(self, f"{layer.name}_bias")
            if kind == "fully_connected":
                flat = x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x
                return functional.linear(flat, weights, bias)
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
        if kind == "add":
            return x + inputs[1]
        if kind == "concat":
            return torch.cat(inputs, 1)
        return _activation(kind, layer.alpha, x)


def _oihw(layer: Layer) -> Any:
    assert layer.weights is not None
    if layer.kind == "conv2d":
        return layer.weights.transpose(0, 3, 1, 2)
    if layer.kind == "depthwise_conv2d":
        return layer.weights.transpose(2, 0, 1)[:, np.newaxis]
    return layer.weights


def _activation(kind: str, alpha: float, x: Tensor) -> Tensor:
    if kind == "gelu_tanh":
        return functional.gelu(x, approximate="tanh")
    if kind in ("leaky_relu", "elu"):
        return getattr(functional, kind)(x, alpha)
    if kind in ("tanh", "sigmoid"):
        return getattr(torch, kind)(x)
    return getattr(functional, kind)(x)


def torch_runner(network: FloatNetwork) -> Any:
    """Return a function of float32 images (n, h, w, c) that gives what `FloatNetwork.run` does."""
    module = TorchNetwork(network).eval()

    @torch.inference_mode()
    def run(images: np.ndarray) -> np.ndarray:
        return module(torch.from_numpy(images)).numpy()

    return run
