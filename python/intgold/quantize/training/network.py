"""The MNIST network in torch, as it is trained, and its folding into a `FloatNetwork`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import ModelError
from ..inference import FloatNetwork
from ..layers import Layer

INPUT_SHAPE = (28, 28, 1)
CLASSES = 10
ACTIVATIONS = {"selu_gelu": ("relu", "selu", "gelu"), "relu": ("relu", "relu", "relu")}
NAMES = {"selu_gelu": "mnist", "relu": "mnist_relu"}
_PAD_ONE = (1, 1, 1, 1)


def _gelu_tanh(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


_FUNCTIONS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "relu": ("relu", torch.relu),
    "selu": ("selu", torch.selu),
    "gelu": ("gelu_tanh", _gelu_tanh),
}
"""Short name of an activation -> its kind of layer, its function."""


def _uniform(rows: int, columns: int, generator: torch.Generator) -> nn.Parameter:
    """Return a (rows, columns) matrix, uniform within 1/sqrt(columns): variance 1/3 of 1/fan-in."""
    values = torch.rand(rows, columns, generator=generator)
    return nn.Parameter((2 * values - 1) / columns**0.5)


class ConvBlock(nn.Module):
    """Convolution 3x3 with padding 1, batch normalisation, activation.

    The kernel is kept as a matrix (out_c, in_c * 9), columns in the order (in_c, ky, kx): SOAP
    then preconditions two sides, outputs and taps. The convolution has no bias, for the batch
    normalisation would take it away again.
    """

    def __init__(self, in_c: int, out_c: int, activation: str, generator: torch.Generator) -> None:
        """Start from random weights and the identity as normalisation."""
        super().__init__()
        self.in_c, self.out_c, self.activation = in_c, out_c, activation
        self.weight = _uniform(out_c, in_c * 9, generator)
        self.norm = nn.BatchNorm2d(out_c)

    def kernel(self) -> Tensor:
        """Return the weights as a tensor (out_c, in_c, 3, 3)."""
        return self.weight.view(self.out_c, self.in_c, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, out_c, h, w) for `x` (n, in_c, h, w)."""
        return _FUNCTIONS[self.activation][1](
            self.norm(functional.conv2d(x, self.kernel(), padding=1))
        )


class MnistNetwork(nn.Module):
    """The network of the design: three blocks, one pool, the global average, one matrix.

    Parameters
    ----------
    activations : {"selu_gelu", "relu"}
        ReLU, SELU, GELU as designed; or the sibling with ReLU throughout.
    generator : torch.Generator, optional
        Where the first weights come from.
    """

    def __init__(
        self, activations: str = "selu_gelu", generator: torch.Generator | None = None
    ) -> None:
        """Start from random weights, or refuse unknown activations."""
        super().__init__()
        if activations not in ACTIVATIONS:
            raise ModelError(f"activations {activations!r} is none of {', '.join(ACTIVATIONS)}")
        generator = generator or torch.Generator().manual_seed(0)
        first, second, third = ACTIVATIONS[activations]
        self.activations = activations
        self.block1 = ConvBlock(1, 8, first, generator)
        self.block2 = ConvBlock(8, 16, second, generator)
        self.block3 = ConvBlock(16, 32, third, generator)
        self.fc_weight = _uniform(CLASSES, 32, generator)
        self.fc_bias = nn.Parameter(torch.zeros(CLASSES))

    def blocks(self) -> tuple[ConvBlock, ConvBlock, ConvBlock]:
        """Return the three convolution blocks, first to last."""
        return self.block1, self.block2, self.block3

    def matrices(self) -> list[nn.Parameter]:
        """Return the four matrices, which SOAP preconditions and weight decay acts on."""
        return [*(block.weight for block in self.blocks()), self.fc_weight]

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, 10) of images (n, 1, 28, 28) in [0, 1]."""
        x = functional.max_pool2d(self.block2(self.block1(x)), 2)
        return functional.linear(self.block3(x).mean(dim=(2, 3)), self.fc_weight, self.fc_bias)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _fold_block(block: ConvBlock, name: str) -> Layer:
    """Return the convolution that equals it followed by its batch normalisation at rest.

    Computed in float64 and rounded once, so that folding costs half a float32 ulp per weight.
    """
    norm = block.norm
    assert norm.running_mean is not None and norm.running_var is not None
    gain = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    kernel = _array(block.kernel()) * gain[:, None, None, None]
    return Layer(
        name,
        "conv2d",
        weights=np.ascontiguousarray(kernel.transpose(0, 2, 3, 1).astype(np.float32)),
        bias=(_array(norm.bias) - _array(norm.running_mean) * gain).astype(np.float32),
        padding=_PAD_ONE,
    )


def fold(module: MnistNetwork) -> FloatNetwork:
    """Return the network at rest in NumPy, batch normalisation folded into the convolutions.

    Parameters
    ----------
    module : MnistNetwork
        Its running statistics are the ones that are folded; its mode does not matter.

    Returns
    -------
    FloatNetwork
        6,218 parameters, named mnist or mnist_relu.
    """
    layers: list[Layer] = []
    for number, block in enumerate(module.blocks(), start=1):
        layers.append(_fold_block(block, f"conv{number}"))
        layers.append(Layer(f"{block.activation}{number}", _FUNCTIONS[block.activation][0]))
        if number == 2:
            layers.append(Layer("pool2", "max_pool2d", kernel=(2, 2), stride=(2, 2)))
    layers.append(Layer("gap", "global_avg_pool"))
    weights = _array(module.fc_weight).astype(np.float32)
    bias = _array(module.fc_bias).astype(np.float32)
    layers.append(Layer("fc", "fully_connected", weights=weights, bias=bias))
    return FloatNetwork(NAMES[module.activations], INPUT_SHAPE, tuple(layers))
