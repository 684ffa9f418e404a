"""PyTorch: variants eager, compile (TorchInductor) and int8 (pt2e for x86, then TorchInductor).

Each also as ``... bf16``, under autocast.
"""

from __future__ import annotations

import contextlib

import numpy as np
import torch
from torch import nn

from .network import SHAPE, Layer, Network

torch.set_num_threads(1)


class Runner:
    """A callable on one tensor."""

    def __init__(self, module, batch: int, bf16: bool = False) -> None:
        self._module = module
        self._x = torch.zeros(batch, 1, *SHAPE[:2])
        self._y = self._x
        self._context = torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext()

    def feed(self, images: np.ndarray) -> None:
        """Write the images."""
        self._x.copy_(torch.from_numpy(np.ascontiguousarray(images)).reshape(self._x.shape))

    def run(self) -> None:
        """Compute the batch."""
        with torch.inference_mode(), self._context:
            self._y = self._module(self._x)

    def answers(self) -> np.ndarray:
        """Return the logits."""
        return self._y.float().numpy()


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> Runner:
    """Return a runner."""
    import torch._inductor.config as inductor

    how, _, bf16 = variant.partition(" ")
    module = to_torch(network)
    if how == "eager":
        return Runner(module.to(memory_format=torch.channels_last), batch, bool(bf16))
    inductor.freezing = True  # weights are constants: packed once
    x = torch.zeros(batch, 1, *SHAPE[:2])
    if how == "int8":
        module = _quantized(module, x, calibration)
    with torch.no_grad():
        return Runner(torch.compile(module, dynamic=False), batch, bool(bf16))


def _quantized(module: nn.Module, x: torch.Tensor, calibration: np.ndarray) -> nn.Module:
    import torchao.quantization.pt2e.quantizer.x86_inductor_quantizer as x86
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    torch._inductor.config.cpp_wrapper = True  # as the tutorial of PyTorch has it
    exported = torch.export.export(module, (x,), strict=False).module()
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(exported, quantizer)
    calibrate(prepared, x, calibration)
    return convert_pt2e(prepared)


def calibrate(module: nn.Module, x: torch.Tensor, calibration: np.ndarray) -> None:
    """Run calibration images through a module in batches of the shape of x."""
    whole = len(calibration) // len(x) * len(x)
    with torch.no_grad():
        for part in torch.from_numpy(calibration[:whole]).reshape(-1, *x.shape):
            module(part.clone())


def to_torch(network: Network) -> nn.Module:
    """Return the network as a module on (n, 1, 28, 28)."""
    return nn.Sequential(*map(_module, network.layers)).eval()


def _module(layer: Layer) -> nn.Module:
    if layer.kind == "conv2d":
        outputs, _, _, inputs = layer.weights.shape
        return _filled(nn.Conv2d(inputs, outputs, 3, padding=1), layer.oihw(), layer.bias)
    if layer.kind == "fully_connected":
        return _filled(nn.Linear(*layer.weights.shape[::-1]), layer.weights, layer.bias)
    if layer.kind == "max_pool2d":
        return nn.MaxPool2d(2)
    if layer.kind == "global_avg_pool":
        return _Mean()
    return {"relu": nn.ReLU(), "selu": nn.SELU(), "gelu_tanh": nn.GELU("tanh")}[layer.kind]


def _filled(module, weights: np.ndarray, bias: np.ndarray) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weights))
        module.bias.copy_(torch.from_numpy(bias))
    return module


class _Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))
