"""Calibration: the range of every layer's output over a set of images."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..errors import ArtefactError, ModelError
from ..files import canonical_json, replacing
from .inference import FloatNetwork

FORMAT = "intgold-ranges"
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
            document = json.loads(Path(path).read_bytes())
            if set(document) != {"format", "images", "percentile", "layers"}:
                raise ValueError(f"fields {sorted(document)}")
            if document["format"] != FORMAT or type(document["images"]) is not int:
                raise ValueError(f"format {document['format']!r}, images {document['images']!r}")
            layers = {
                name: (float.fromhex(lo), float.fromhex(hi))
                for name, (lo, hi) in document["layers"].items()
            }
            return cls(layers, document["images"], float.fromhex(document["percentile"]))
        except (OSError, ValueError, TypeError, AttributeError, ModelError) as error:
            raise ArtefactError(f"{path}: not calibration ranges: {error}") from error


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
    layers = {}
    for name, values in network.trace(images).items():
        if percentile == 100:
            lo, hi = values.min(), values.max()
        else:
            lo, hi = np.percentile(values, [100 - percentile, percentile])
        layers[name] = (-_outwards(-min(float(lo), 0.0)), _outwards(max(float(hi), 0.0)))
    return Ranges(layers, len(images), percentile)


def _outwards(x: float) -> float:
    """Return the least value of `GRAIN_BITS` significant bits that is not below x >= 0."""
    fraction, exponent = math.frexp(x)
    return math.ldexp(math.ceil(math.ldexp(fraction, GRAIN_BITS)), exponent - GRAIN_BITS)
