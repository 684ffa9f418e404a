"""The float network: NumPy against torch, folding, the networks in the package."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tools
from intgold.errors import InputError, ModelError
from intgold.images import mnist
from intgold.quantize.activations import KINDS, activation_function
from intgold.quantize.inference import FloatNetwork
from intgold.quantize.layers import Layer

MODELS = Path(mnist.__file__).parents[1] / "models"
NAMES = {
    "selu_gelu": ["conv1", "relu1", "conv2", "selu2", "pool2", "conv3", "gelu3", "gap", "fc"],
    "relu": ["conv1", "relu1", "conv2", "relu2", "pool2", "conv3", "relu3", "gap", "fc"],
}
PARAMETERS = 6_218
RNG = np.random.default_rng(7)
# Of unequal brightness: the mean over all places makes images of plain noise all but equal.
IMAGES = (
    RNG.random((9, 28, 28, 1), np.float32) ** np.arange(9, dtype=np.float32)[:, None, None, None]
)


def random_network() -> FloatNetwork:
    """Return the MNIST network with random weights, built without torch."""

    def weighted(*shape: int) -> dict:
        rng = np.random.default_rng(shape)
        weights = rng.normal(size=shape).astype(np.float32) / np.float32(np.prod(shape[1:]) ** 0.5)
        return {"weights": weights, "bias": rng.normal(size=shape[0]).astype(np.float32)}

    pad = {"padding": (1, 1, 1, 1)}
    return FloatNetwork(
        "random",
        (28, 28, 1),
        (
            Layer("conv1", "conv2d", **weighted(8, 3, 3, 1), **pad),
            Layer("relu1", "relu"),
            Layer("conv2", "conv2d", **weighted(16, 3, 3, 8), **pad),
            Layer("selu2", "selu"),
            Layer("pool2", "max_pool2d", kernel=(2, 2), stride=(2, 2)),
            Layer("conv3", "conv2d", **weighted(32, 3, 3, 16), **pad),
            Layer("gelu3", "gelu_tanh"),
            Layer("gap", "global_avg_pool"),
            Layer("fc", "fully_connected", **weighted(10, 32)),
        ),
    )


def torch_module(activations: str):
    """Return a torch network at rest whose normalisation is far from the identity."""
    tools.need("torch")
    import torch

    from intgold.quantize.training.network import MnistNetwork

    generator = torch.Generator().manual_seed(3)
    module = MnistNetwork(activations, generator).eval()
    for block in module.blocks():
        for tensor, low, high in (
            (block.norm.weight.data, -1.5, 1.5),
            (block.norm.bias.data, -0.5, 0.5),
            (block.norm.running_mean, -0.3, 0.3),
            (block.norm.running_var, 0.05, 0.5),
        ):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    module.fc_bias.data.uniform_(-1, 1, generator=generator)
    return module


def torch_logits(module, images: np.ndarray) -> np.ndarray:
    """Return the logits of NHWC images in the dtype of the images."""
    import torch

    with torch.no_grad():
        inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        return module.to(inputs.dtype)(inputs).numpy()


@pytest.mark.parametrize("activations", NAMES)
def test_folding_gives_the_network_of_the_design(activations: str) -> None:
    """6,218 parameters in nine layers of these names, float32, for both activations."""
    module = torch_module(activations)
    from intgold.quantize.training.network import fold

    network = fold(module)
    assert network.parameters == PARAMETERS
    assert [layer.name for layer in network.layers] == NAMES[activations]
    assert network.input_shape == (28, 28, 1)
    shapes = [layer.weights.shape for layer in network.layers if layer.weights is not None]
    assert shapes == [(8, 3, 3, 1), (16, 3, 3, 8), (32, 3, 3, 16), (10, 32)]
    with pytest.raises(ModelError, match="'tanh'"):
        type(module)("tanh")


@pytest.mark.parametrize("activations", NAMES)
def test_numpy_equals_torch(activations: str) -> None:
    """Folded NumPy equals torch with its normalisation, at rest.

    Bounds, relative to the largest logit. In float64 only the rounding of the folded weights to
    float32 is left, 2^-24 each, in three layers: 2^-22. In float32 the two also add sums of up to
    144 products, and the mean of 196, in another order and round at each: 2^-18 (2^-21 is seen).
    A wrong layer gives 1e-2 and more, which the last lines make sure of.
    """
    module = torch_module(activations)
    from intgold.quantize.training.network import fold

    network = fold(module)
    for dtype, bound in ((np.float32, 2**-18), (np.float64, 2**-22)):
        images = IMAGES.astype(dtype)
        expected = torch_logits(module, images)
        logits = network.run(images)
        assert logits.dtype == dtype and logits.shape == (9, 10)
        assert np.ptp(expected, axis=0).max() > 0.05  # the images are distinguished
        assert np.abs(logits - expected).max() <= bound * np.abs(expected).max()
    layers = list(network.layers)
    layers[6] = dataclasses.replace(layers[6], kind="selu")
    other = FloatNetwork("other", network.input_shape, tuple(layers)).run(images)
    assert np.abs(other - expected).max() > 1e-2 * np.abs(expected).max()


def test_activations_equal_torch() -> None:
    """Every function over [-20, 20], in both precisions, to eight ulp of the largest value."""
    tools.need("torch")
    import torch
    from torch.nn import functional

    functions = {
        **{kind: getattr(functional, kind) for kind in KINDS if hasattr(functional, kind)},
        "absolute": torch.abs,
        "affine": lambda x: 0.3 * x + 0.7,
        "clip": lambda x: torch.clamp(x, 0.3, 0.7),
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "leaky_relu": lambda x: functional.leaky_relu(x, 0.3),
        "elu": lambda x: functional.elu(x, 0.3),
    }
    assert len(functions) == len(KINDS)
    for dtype in (np.float32, np.float64):
        x = np.linspace(-20, 20, 4001, dtype=dtype)
        for kind, function in functions.items():
            y = activation_function(kind, 0.3, 0.7)(x)
            assert y.dtype == dtype, kind
            error = np.abs(y - function(torch.from_numpy(x)).numpy())
            assert (error <= 8 * np.finfo(dtype).eps * np.maximum(1, np.abs(x))).all(), kind
    with pytest.raises(ModelError, match="'swish'"):
        activation_function("swish")


def test_the_network_runs_without_torch() -> None:
    """A network is loaded, run and saved in a process that imported no torch."""
    code = (
        "import sys, numpy; from intgold.quantize.inference import FloatNetwork;"
        "from intgold.quantize.layers import Layer;"
        "FloatNetwork('x', (2, 2, 1), (Layer('gap', 'global_avg_pool'),))"
        ".run(numpy.zeros((1, 2, 2, 1), 'f4')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_layers_by_hand() -> None:
    """Convolution (padding, stride, channel order), pool and mean against plain loops."""
    weights = RNG.normal(size=(2, 3, 2, 3)).astype(np.float32)
    bias = np.array([0.5, -2.0], np.float32)
    layer = Layer("c", "conv2d", weights, bias, stride=(2, 1), padding=(2, 1, 0, 1))
    x = RNG.normal(size=(2, 5, 4, 3))
    padded = np.zeros((2, 8, 5, 3))
    padded[:, 2:7, :4] = x
    y = layer.apply(x)
    assert y.shape == (2, 3, 4, 2) and y.dtype == np.float64
    for n, oy, ox, oc in np.ndindex(y.shape):
        window = padded[n, 2 * oy : 2 * oy + 3, ox : ox + 2]
        assert abs(y[n, oy, ox, oc] - (window * weights[oc]).sum() - bias[oc]) < 1e-12
    pool = Layer("p", "max_pool2d", kernel=(2, 3), stride=(1, 2), padding=(1, 0, 0, 1))
    pooled = pool.apply(-np.abs(x))
    assert pooled.shape == (2, 5, 2, 3)
    for n, oy, ox, c in np.ndindex(pooled.shape):
        window = -np.abs(x)[n, max(0, oy - 1) : oy + 1, 2 * ox : 2 * ox + 3, c]
        assert pooled[n, oy, ox, c] == window.max()
    mean = Layer("g", "global_avg_pool").apply(x)
    assert np.abs(mean.reshape(2, 3) - x.reshape(2, 20, 3).sum(1) / 20).max() < 1e-15


def test_trace_ends_in_run() -> None:
    """The trace names every layer in order, across chunks; its last entry is the output."""
    network = random_network()
    images = RNG.random((260, 28, 28, 1), np.float32)
    trace = network.trace(images)
    assert list(trace) == NAMES["selu_gelu"]
    assert trace["pool2"].shape == (260, 14, 14, 16) and trace["gap"].shape == (260, 1, 1, 32)
    logits = network.run(images)
    assert np.array_equal(trace["fc"], logits)
    assert np.array_equal(network.predict(images), logits.argmax(1))
    assert np.abs(network.run(images[255:258]) - logits[255:258]).max() < 1e-5


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 28, 28, 1), np.int16), "int16"),
        (np.zeros((1, 1, 28, 28), np.float32), r"\(1, 1, 28, 28\)"),
        (np.zeros((28, 28, 1), np.float32), r"\(28, 28, 1\)"),
        (np.zeros((0, 28, 28, 1), np.float32), r"\(0, 28, 28, 1\)"),
        (np.full((1, 28, 28, 1), 255, np.float32), "255"),
        (np.full((1, 28, 28, 1), np.nan, np.float32), r"NaN at \(0, 0, 0, 0\)"),
    ],
    ids=["integers", "channels first", "one image", "no image", "not divided", "NaN"],
)
def test_refuses_other_images(images: np.ndarray, message: str) -> None:
    """Wrong dtype, shape, range and NaN are an InputError with the value."""
    with pytest.raises(InputError, match=message):
        random_network().run(images)


def test_camera_bytes_stand_for_reals() -> None:
    """uint8 gives what the same bytes over 255 give, where the input is only camera bytes."""
    network, images = random_network(), RNG.integers(0, 256, (3, 28, 28, 1)).astype(np.uint8)
    assert np.array_equal(network.run(images), network.run(images.astype("f4") / np.float32(255)))
    reals = FloatNetwork("reals", network.input_shape, network.layers, pixels=False)
    with pytest.raises(InputError, match="uint8"):
        reals.run(images)


@pytest.mark.parametrize(
    ("file", "activations", "least"),
    [("mnist_float.npz", "selu_gelu", 9_925), ("mnist_relu_float.npz", "relu", 9_900)],
)
def test_the_packaged_networks(file: str, activations: str, least: int) -> None:
    """The networks in the package are those of the design and know the test images."""
    network = FloatNetwork.load(MODELS / file)
    assert network.parameters == PARAMETERS
    assert [layer.name for layer in network.layers] == NAMES[activations]
    tools.need("MNIST")
    images, labels = mnist.load_mnist("test")
    right = network.predict(images.astype(np.float32) / np.float32(255)) == labels
    assert right.sum() >= least
