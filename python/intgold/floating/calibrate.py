"""Calibration: the range of every layer's output over a set of images."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import ArtefactError, IntgoldError, ModelError
from ..files import canonical_json, read_plain, replacing, strict_json
from .inference import FloatNetwork

FORMAT = "intgold-ranges"
_FIELDS = {"format", "images", "percentile", "layers"}
_CHUNK = 250  # images at a time
GRAIN_BITS = 7
"""Ranges are rounded outwards to this many significant bits, so that another CPU's last bits of
a float sum give the same ranges."""


@dataclass(frozen=True)
class Ranges:
    """(least, greatest) output of each layer by name, and how it was found.

    Parameters
    ----------
    layers : mapping of str to (float, float)
    images : int
        How many were seen.
    percentile : float
        100 takes the extremes; less leaves outliers out on both sides.
    """

    layers: Mapping[str, tuple[float, float]]
    images: int
    percentile: float

    def __post_init__(self) -> None:
        for name, (lo, hi) in self.layers.items():
            if not (math.isfinite(lo) and math.isfinite(hi)) or lo > hi:
                raise ModelError(f"layer {name}: [{lo}, {hi}] is no range")
        if not 50 < self.percentile <= 100 or self.images < 1:
            raise ModelError(f"ranges of {self.images} images, percentile {self.percentile}")
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def __getitem__(self, layer: str) -> tuple[float, float]:
        if layer not in self.layers:
            raise ModelError(f"no range of layer {layer}; ranges of: {', '.join(self.layers)}")
        return self.layers[layer]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ranges as canonical JSON; reals are hexadecimal."""
        document = {
            "format": FORMAT,
            "images": self.images,
            "percentile": float(self.percentile).hex(),
            "layers": {name: [lo.hex(), hi.hex()] for name, (lo, hi) in self.layers.items()},
        }
        with replacing(path) as file:
            file.write(canonical_json(document))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Ranges:
        """Read what `save` wrote.

        Raises
        ------
        ArtefactError
            Naming the file and what is wrong with it.
        """
        try:
            document = strict_json(read_plain(path))
            if not isinstance(document, dict) or set(document) != _FIELDS:
                raise ValueError(f"not an object of {', '.join(sorted(_FIELDS))}")
            if document["format"] != FORMAT or type(document["images"]) is not int:
                raise ValueError(f"format {document['format']!r}, images {document['images']!r}")
            if not isinstance(document["layers"], dict):
                raise ValueError(f"layers {document['layers']!r}")
            layers = {name: _ends(name, value) for name, value in document["layers"].items()}
            return cls(layers, document["images"], _real("percentile", document["percentile"]))
        except (ValueError, OverflowError, ModelError) as error:
            raise ArtefactError(f"{path}: not calibration ranges: {error}") from error
        except IntgoldError as error:  # it names the path
            raise ArtefactError(str(error)) from error


def _ends(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"layer {name}: {value!r} is not a pair")
    return _real(name, value[0]), _real(name, value[1])


def _real(name: str, value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{name}: {value!r} is not a hexadecimal real")
    return float.fromhex(value)


def calibrate(network: FloatNetwork, images: np.ndarray, percentile: float = 100.0) -> Ranges:
    """Return the range of each layer's output.

    Parameters
    ----------
    network : FloatNetwork
    images : ndarray of float32, shape (n, *input shape)
    percentile : float
        In (50, 100].

    Raises
    ------
    ModelError
        When there are no images, or the percentile is out of range.
    """
    if len(images) == 0 or not 50 < percentile <= 100:
        raise ModelError(f"calibration on {len(images)} images, percentile {percentile}")
    # A percentile needs every value at once, the extremes do not.
    step = _CHUNK if percentile == 100 else len(images)
    layers: dict[str, tuple[float, float]] = {}
    for first in range(0, len(images), step):
        for name, values in network.trace(images[first : first + step]).items():
            if percentile == 100:
                lo, hi = float(values.min()), float(values.max())
            else:
                lo, hi = np.percentile(values, [100 - percentile, percentile]).tolist()
            if not (math.isfinite(lo) and math.isfinite(hi)):
                raise ModelError(f"layer {name}: its output leaves the range of float32")
            least, greatest = layers.get(name, (0.0, 0.0))
            layers[name] = (min(least, lo), max(greatest, hi))
    outwards = {name: (-_outwards(-lo), _outwards(hi)) for name, (lo, hi) in layers.items()}
    return Ranges(outwards, len(images), percentile)


def _outwards(x: float) -> float:
    """Return the least value of `GRAIN_BITS` significant bits that is not below x >= 0."""
    fraction, exponent = math.frexp(x)
    return math.ldexp(math.ceil(math.ldexp(fraction, GRAIN_BITS)), exponent - GRAIN_BITS)
