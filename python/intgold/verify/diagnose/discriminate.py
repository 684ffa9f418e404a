"""A stimulus that distinguishes hypotheses which a set cannot distinguish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...vectors.cases.stimulus import stimulus
from .datapath import Datapath
from .search import Cause

_IMAGES, _SEEDS = 64, 4
_FEW = 4
"""Images that are tried before all."""
_VALUES = 2**14
_EVERY = 2**22
"""Accumulators of all channels up to which every one is tried."""


@dataclass(frozen=True)
class Discrimination:
    """What separates two causes.

    Parameters
    ----------
    first, second : str
    seed, image : int or None
        An image of the built-in stimulus on which their results differ.
    accumulator : tuple of (int, int, int, int) or None
        Where no such image was found: a channel, an accumulator, and what both make of it.
    tried : int
        Images that were tried.
    mixed : bool
        One of them mixes images, so those before the image are needed too.
    same : bool
        They make the same of every accumulator that the op can have.
    """

    first: str
    second: str
    seed: int | None
    image: int | None
    accumulator: tuple[int, int, int, int] | None
    tried: int
    mixed: bool = False
    same: bool = False

    def __str__(self) -> str:
        pair = f"{self.first} and {self.second}"
        if self.image is not None:
            images = f"images 0 to {self.image}" if self.mixed else f"image {self.image}"
            verb = "distinguish" if self.mixed else "distinguishes"
            return f"{images} of --stimulus builtin --seed {self.seed} {verb} {pair}"
        if self.accumulator is not None:
            channel, acc, one, two = self.accumulator
            return (
                f"no image of {self.tried} distinguishes {pair}; "
                f"accumulator {acc} of channel {channel} does: {one} and {two}"
            )
        if self.same:
            return (
                f"no image distinguishes {pair}: they give the same for every accumulator that "
                "this op can have; only the source of the device can decide"
            )
        return f"no image of {self.tried} distinguishes {pair}"


def discriminate(path: Datapath, causes: Sequence[Cause]) -> list[Discrimination]:
    """Return what separates the first of the causes from each other one.

    Parameters
    ----------
    path : Datapath
        The op without a bug.
    causes : sequence of Cause
        All reproduce the device on the set; of each name one is enough.
    """
    # An order of images that was solved for is known only of the images that it was solved on.
    causes = [c for c in causes if not any(b.hypothesis.solved for b in c.bugs if c.mixes_images)]
    open_, found = list(causes[1:]), []
    for seed in range(_SEEDS if open_ else 0):
        x = stimulus(path.model, "builtin", _IMAGES, seed)
        tried = _IMAGES * (seed + 1)
        images = _separating_images(path, causes[0], open_, x)
        for cause, image in zip(list(open_), images, strict=True):
            if image is not None:
                mixed = cause.mixes_images or causes[0].mixes_images
                found.append(
                    Discrimination(
                        str(causes[0]), str(cause), seed, image, None, tried, mixed and image > 0
                    )
                )
                open_.remove(cause)
    for cause in open_:
        acc, same = _accumulator(path, causes[0], cause)
        pair = str(causes[0]), str(cause)
        found.append(Discrimination(*pair, None, None, acc, _IMAGES * _SEEDS, same=same))
    return found


def _separating_images(
    path: Datapath, one: Cause, others: Sequence[Cause], x: Mapping[str, np.ndarray]
) -> list[int | None]:
    """Return the first image on which each other cause gives another result; None where none does.

    The first few separate most of them; unless a cause mixes images, no later one matters then.
    """
    found: list[int | None] = [None] * len(others)
    waiting = list(range(len(others)))
    for count in (_FEW, _IMAGES):
        if count < _IMAGES and (one.mixes_images or any(c.mixes_images for c in others)):
            continue
        if not waiting:
            break
        some = {name: array[:count] for name, array in x.items()}
        tensors = {**some, **path.model.run(some, trace=True).tensors}
        other = Datapath.of(path.model, path.op, tuple(tensors[n] for n in path.op.inputs))
        expected = one.plant(other).results()[1]
        for i in waiting:
            made = others[i].plant(other).results()[1]
            differs = np.flatnonzero((made != expected).reshape(count, -1).any(axis=1))
            found[i] = int(differs[0]) if len(differs) else None
        waiting = [i for i in waiting if found[i] is None]
    return found


def _accumulator(
    path: Datapath, one: Cause, two: Cause
) -> tuple[tuple[int, int, int, int] | None, bool]:
    """Return a channel, an accumulator within its proved bounds, and what both make of it.

    And whether all that lie within the bounds were tried, and make the same.
    """
    first, second = one.plant(path), two.plant(path)
    bounds = path.model.bounds[path.op.name]
    if bounds.lo is None or bounds.hi is None or path.op.kind == "avg_pool2d":
        return None, False
    if first.made is not path.made or second.made is not path.made:
        return None, False
    if first.write_output is not path.write_output or second.write_output is not path.write_output:
        return None, False  # they move results of whole images; a single accumulator has none
    channels = path.accumulators().shape[-1]
    lo, hi = (np.broadcast_to(end, channels) for end in (bounds.lo, bounds.hi))
    every = (int(hi.max()) - int(lo.min()) + 1) * channels <= _EVERY
    if every:
        rising = np.arange(lo.min(), int(hi.max()) + 1, dtype=np.int64)
        acc = np.clip(rising[:, None], lo, hi)
    else:
        values = np.random.default_rng(0).integers(lo, hi + 1, (_VALUES, channels), dtype=np.int64)
        around_zero = np.clip(np.arange(-4096, 4097, dtype=np.int64)[:, None], lo, hi)
        acc = np.concatenate([around_zero, values])
    a, b = (path_.after(acc)[1] for path_ in (first, second))
    differs = np.argwhere(a != b)
    if not len(differs):
        return None, every
    row, channel = (int(i) for i in differs[0])
    return (channel, int(acc[row, channel]), int(a[row, channel]), int(b[row, channel])), False
