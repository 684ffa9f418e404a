"""Calibration: the range of the input and of every layer's output over a set of images."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import ArtefactError, IntgoldError, ModelError
from ..host.affine import quantize, scale_zero_point
from ..support.arguments import checked
from ..support.deprecation import once_by_position
from ..support.file_kinds import RANGES
from ..support.json_text import strict_json
from ..support.progress import Progress
from ..support.quoting import labelled, short_repr, shown
from ..support.safe_files import canonical_json, read_plain, replacing
from .inference import Batch, FloatNetwork

__all__ = ["METHODS", "Ranges", "calibrate"]

FORMAT = "intgold-ranges"
_FIELDS = {"format", "images", "method", "layers"}
METHODS = ("minmax", "percentile:P", "mse")
"""How a range is found, P a percentage."""
GRAIN_BITS = 7
"""Ranges are rounded outwards to this many significant bits, so that another CPU's last bits of
a float sum give the same ranges."""

_BINS = 8192
_SHRINKS = 64  # candidates for each end of a range in the search for the smallest error


@dataclass(frozen=True)
class Ranges:
    """(min, max) value of each layer by name, and how it was found.

    Parameters
    ----------
    layers : mapping of str to (float, float)
        Of every layer's output, and of every input that does not take pixels, such as ``image``.
    images : int
        How many were seen.
    method : str
        ``minmax``: the extremes. ``percentile:P``: all but 100 - P percent of the values at each
        end, P in (50, 100]. ``mse``: the range in which int8 has the smallest mean squared error.
    """

    layers: Mapping[str, tuple[float, float]]
    images: int
    method: str

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_method(self.method)
        if type(self.images) is not int or self.images < 1:
            raise ModelError(f"ranges of {shown(self.images)} images")
        for name, (lo, hi) in self.layers.items():
            if not (math.isfinite(lo) and math.isfinite(hi)) or lo > hi:
                raise ModelError(f"layer {name}: [{lo}, {hi}] is no range")
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def __reduce__(self) -> tuple[Any, ...]:
        return Ranges, (dict(self.layers), self.images, self.method)

    def __getitem__(self, layer: str) -> tuple[float, float]:
        if layer not in self.layers:
            raise ModelError(f"no range of layer {layer}; ranges of: {', '.join(self.layers)}")
        return self.layers[layer]

    @checked
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ranges as canonical JSON; reals are hexadecimal.

        Raises
        ------
        IntgoldError
            When the file cannot be written, or one that is there and not empty holds no ranges.
        """
        document = {
            "format": FORMAT,
            "images": self.images,
            "method": self.method,
            "layers": {name: [lo.hex(), hi.hex()] for name, (lo, hi) in self.layers.items()},
        }
        with replacing(path, RANGES) as file:
            file.write(canonical_json(document))

    @classmethod
    @checked
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
            if document["format"] != FORMAT:
                raise ValueError(f"format {shown(document['format'])}")
            if not isinstance(document["layers"], dict):
                raise ValueError(f"layers {shown(document['layers'])}")
            layers = {name: _ends(name, value) for name, value in document["layers"].items()}
            return cls(layers, document["images"], document["method"])
        except (ValueError, OverflowError, ModelError) as error:
            raise ArtefactError(f"{path}: not calibration ranges: {error}") from error
        except IntgoldError as error:  # it names the path
            raise ArtefactError(str(error)) from error


def _ends(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"layer {name}: {shown(value)} is not a pair")
    return _real(name, value[0]), _real(name, value[1])


def _real(name: str, value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{name}: {shown(value)} is not a hexadecimal real")
    return float.fromhex(value)


def check_method(method: str) -> float | None:
    """Return the percentile that a method names, or None.

    Raises
    ------
    ModelError
        When it is none of `METHODS`.
    """
    if not isinstance(method, str):
        raise ModelError(f"calibration {shown(method)} is none of {', '.join(METHODS)}")
    if method in ("minmax", "mse"):
        return None
    found = re.fullmatch(r"percentile:(\d{2,3}(?:\.\d{1,9})?)", method)
    if found and 50 < float(found[1]) <= 100:
        return float(found[1])
    raise ModelError(
        f"calibration {shown(method)} is none of {', '.join(METHODS)} (P more than 50, at most 100)"
    )


@once_by_position(3, "progress")
@checked
def calibrate(
    network: FloatNetwork, images: Batch, method: str = "minmax", *, progress: bool = False
) -> Ranges:
    """Return the range of each layer's output, and of each input that does not take pixels.

    Parameters
    ----------
    network : FloatNetwork
    images : ndarray or mapping of str to ndarray
        float32; see `FloatNetwork.batch`.
    method : str
        See `Ranges`.
    progress : bool
        Show a bar.

    Warns
    -----
    UserWarning
        When all values of an input are the same.

    Raises
    ------
    ModelError
        When there are no images, a layer gives NaN or infinity, or the method is unknown.
    """
    percentile = check_method(method)
    images = network.batch(images)
    count = min(len(array) for array in images.values())
    if count == 0:
        raise ModelError("calibration on 0 images")
    _warn_of_constants(images)
    passes = 1 if method == "minmax" else 2
    with Progress[int](
        total=passes * count, unit="image", label=f"calibration {method}", show=progress
    ) as bar:
        extremes = _extremes(_values(network, images, bar))
        spreads = {} if passes == 1 else _spreads(_values(network, images, bar), extremes)
    found = dict(extremes)
    if method != "minmax":
        for name, spread in spreads.items():
            found[name] = spread.min_error() if percentile is None else spread.within(percentile)
    layers = {
        name: (-_outwards(-min(lo, 0.0)), _outwards(max(hi, 0.0)))
        for name, (lo, hi) in found.items()
    }
    return Ranges(layers, count, method)


def _warn_of_constants(batch: Mapping[str, np.ndarray]) -> None:
    """Warn of an input without any spread: the ranges that are found of it hold for nothing else.

    What is no array of numbers `FloatNetwork.chunks` refuses.
    """
    for name, array in batch.items():
        is_reals = isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.size > 0
        if is_reals and (array == array.flat[0]).all():
            where = labelled("input", name)
            warnings.warn(
                f"calibration data: all {array.size} values of {where} are {array.flat[0]:g}; the "
                "ranges found of them fit nothing else",
                stacklevel=4,
            )


def _values(
    network: FloatNetwork, images: Batch, bar: Progress[int]
) -> Iterator[tuple[str, np.ndarray]]:
    reals = [x.name for x in network.inputs if not x.pixels]
    if reals:
        yield from ((name, part[name]) for part in network.chunks(images) for name in reals)
    last = network.layers[-1].name
    for name, x in network.passages(images):
        yield name, x
        if name == last:
            bar.update(len(x))


def _extremes(values: Iterator[tuple[str, np.ndarray]]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for name, x in values:
        lo, hi = float(x.min()), float(x.max())
        if not (math.isfinite(lo) and math.isfinite(hi)):
            raise ModelError(f"layer {name}: gives {lo} to {hi} on the calibration images")
        if name in found:
            lo, hi = min(lo, found[name][0]), max(hi, found[name][1])
        found[name] = lo, hi
    return found


class _Spread:
    """How often the values of one layer lie in each of many equal bins, and their mean there."""

    def __init__(self, lo: float, hi: float) -> None:
        self.lo, self.width = lo, (hi - lo) / _BINS
        self.counts = np.zeros(_BINS)
        self.sums = np.zeros(_BINS)

    def add(self, x: np.ndarray) -> None:
        values = x.ravel().astype(np.float64)
        if self.width > 0:
            bins = np.minimum((values - self.lo) / self.width, _BINS - 1).astype(np.int64)
        else:
            bins = np.zeros(values.shape, np.int64)
        self.counts += np.bincount(bins, minlength=_BINS)
        self.sums += np.bincount(bins, values, minlength=_BINS)

    def within(self, percentile: float) -> tuple[float, float]:
        """Return the bins' bounds beyond which lie at most 100 - percentile percent, each side."""
        beyond = (1 - percentile / 100) * self.counts.sum()
        first = int((np.cumsum(self.counts) > beyond).argmax())
        last = _BINS - int((np.cumsum(self.counts[::-1]) > beyond).argmax())
        return self.lo + first * self.width, self.lo + last * self.width

    def min_error(self) -> tuple[float, float]:
        """Return the range of the smallest mean squared int8 error, one end after the other."""
        seen = self.counts > 0
        counts, means = self.counts[seen], self.sums[seen] / self.counts[seen]

        def error(lo: float, hi: float) -> float:
            scale, zero_point = scale_zero_point(lo, hi)
            reals = (quantize(means, scale, zero_point).astype(np.float64) - zero_point) * scale
            return float((counts * (reals - means) ** 2).sum())

        shares = [share / _SHRINKS for share in range(_SHRINKS, 0, -1)]
        lo, hi = min(self.lo, 0.0), max(self.lo + _BINS * self.width, 0.0)
        ends = lo, hi
        for _ in range(2):
            hi = ends[1] * min(shares, key=lambda share: error(lo, ends[1] * share))
            lo = ends[0] * min(shares, key=lambda share: error(ends[0] * share, hi))
        return lo, hi


def _spreads(
    values: Iterator[tuple[str, np.ndarray]], extremes: Mapping[str, tuple[float, float]]
) -> dict[str, _Spread]:
    spreads = {name: _Spread(*ends) for name, ends in extremes.items()}
    for name, x in values:
        spreads[name].add(x)
    return spreads


def _outwards(x: float) -> float:
    """Return the smallest value of `GRAIN_BITS` significant bits that is not below x >= 0."""
    fraction, exponent = math.frexp(x)
    return math.ldexp(math.ceil(math.ldexp(fraction, GRAIN_BITS)), exponent - GRAIN_BITS)
