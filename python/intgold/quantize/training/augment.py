"""Random small deformations of digits: one affine map and one smooth field per image."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

# The largest deformation at strength 1.
ROTATION = math.radians(12)
SCALE = 0.12
SHEAR = 0.15
SHIFT = 2.0  # pixels
ELASTIC_SIGMA = 0.8  # pixels, at the nodes of the field
ELASTIC_NODES = 5


def augment(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return the images, each deformed by a map of its own.

    Rotation, scale per axis, shear and shift are uniform within their bounds times `strength`;
    the elastic field is normal at 5x5 nodes and bicubic between them. All of it is one map and
    one bilinear look-up, so that an image is blurred once; outside lies background (0).

    Parameters
    ----------
    images : Tensor, float32 (n, 1, h, w), in [0, 1]
    strength : float
        0 leaves the images as they are.
    generator : torch.Generator

    Returns
    -------
    Tensor, float32 (n, 1, h, w), in [0, 1]
    """
    if strength == 0:
        return images
    count, _, height, width = images.shape
    affine = _affine_maps(count, (height, width), strength, generator)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    nodes = torch.randn(count, 2, ELASTIC_NODES, ELASTIC_NODES, generator=generator)
    field = functional.interpolate(
        nodes * (ELASTIC_SIGMA * strength), (height, width), mode="bicubic", align_corners=True
    )
    # A pixel is 2/width of the grid's [-1, 1].
    grid = grid + field.permute(0, 2, 3, 1) * torch.tensor([2 / width, 2 / height])
    return functional.grid_sample(images, grid, mode="bilinear", align_corners=False)


def _affine_maps(
    count: int, size: tuple[int, int], strength: float, generator: torch.Generator
) -> Tensor:
    """Return (count, 2, 3): from where each pixel of the deformed image is taken."""
    rotation, scale_x, scale_y, shear, shift_x, shift_y = (
        strength * (2 * torch.rand(6, count, generator=generator) - 1)
    ).unbind()
    cosine, sine = torch.cos(ROTATION * rotation), torch.sin(ROTATION * rotation)
    scale_x, scale_y, shear = 1 + SCALE * scale_x, 1 + SCALE * scale_y, SHEAR * shear
    shift_x, shift_y = SHIFT * shift_x * (2 / size[1]), SHIFT * shift_y * (2 / size[0])
    # Rotation times [[scale_x, shear], [0, scale_y]].
    row_x = (cosine * scale_x, cosine * shear - sine * scale_y, shift_x)
    row_y = (sine * scale_x, sine * shear + cosine * scale_y, shift_y)
    return torch.stack([torch.stack(row_x, 1), torch.stack(row_y, 1)], 1)
