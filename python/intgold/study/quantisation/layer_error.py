"""How far each tensor of an integer model is from the float network's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...errors import ModelError
from ...host.affine import dequantize, quantize_input
from ...model.graph import Model
from ...quantize.fusion import fuse
from ...quantize.inference import Batch, FloatNetwork
from ...run.digests import traced_chunks
from ...support.arguments import checked

__all__ = ["LayerError", "layer_errors"]

_CHUNK = 100


@dataclass(frozen=True)
class LayerError:
    """The error of one tensor against the float layer that it stands for.

    Parameters
    ----------
    tensor, layer : str
        Of the model; of the network (the last one fused into the op).
    sqnr : float
        Signal to quantisation noise, ``10*log10(sum r^2 / sum (q - r)^2)``, in dB; infinite
        where nothing differs.
    largest : float
        Largest difference, in the reals that they stand for.
    scale : float
        Of the tensor: one LSB.
    """

    tensor: str
    layer: str
    sqnr: float
    largest: float
    scale: float


@checked
def layer_errors(network: FloatNetwork, model: Model, images: Batch) -> list[LayerError]:
    """Return the error of every tensor that a layer of the network stands for, in order.

    Parameters
    ----------
    network : FloatNetwork
    model : Model
        Quantised from `network`.
    images : ndarray or mapping of str to ndarray, float32
        As the network takes them; see `FloatNetwork.batch`.

    Raises
    ------
    ModelError
        When the model does not have the network's layers.
    """
    pairs = [("logits" if node.logits else node.name, node.ranged) for node in fuse(network)]
    names = {tensor.name for tensor in model.tensors}
    missing = [tensor for tensor, _ in pairs if tensor not in names]
    if missing:
        raise ModelError(f"model {model.name}: no tensor {missing[0]} of network {network.name}")
    sums = {tensor: [0.0, 0.0, 0.0] for tensor, _ in pairs}
    batch = network.batch(images)
    x = {name: quantize_input(model, array, name) for name, array in batch.items()}
    for i, run in enumerate(traced_chunks(model, x, "c", chunk=_CHUNK)):
        part = slice(i * _CHUNK, (i + 1) * _CHUNK)
        reals = network.trace({name: array[part] for name, array in batch.items()})
        for tensor, layer in pairs:
            expected = reals[layer].astype(np.float64).ravel()
            error = dequantize(run.tensors[tensor], model.tensor(tensor)).ravel() - expected
            kept = sums[tensor]
            kept[0] += float(expected @ expected)
            kept[1] += float(error @ error)
            kept[2] = max(kept[2], float(np.abs(error).max()))
    return [
        LayerError(tensor, layer, _decibel(*sums[tensor][:2]), sums[tensor][2], _lsb(model, tensor))
        for tensor, layer in pairs
    ]


def _lsb(model: Model, name: str) -> float:
    return model.tensor(name).scale or math.nan


def _decibel(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf
