"""What max_pool2d and avg_pool2d share: fields and shapes."""

from __future__ import annotations

from collections.abc import Sequence

from .fields import KERNEL, PADDING, STRIDE, Field
from .shapes import Fields, Shape, image, image_dims, need, need_clamp, windows

POOL: dict[str, Field] = {"kernel": KERNEL, "stride": STRIDE, "padding": PADDING}


def pool_shape(fields: Fields, shapes: Sequence[Shape]) -> Shape:
    """Every window has a valid cell."""
    in_shape, kernel, pad = image(shapes), fields["kernel"], fields["padding"]
    fits = max(pad[:2]) < kernel[0] and max(pad[2:]) < kernel[1]
    need(fits, f"padding {pad} leaves windows of kernel {kernel} without a valid cell")
    need_clamp(fields)
    return (*windows(fields, in_shape, kernel), in_shape[2])


def pool_dims(fields: Fields, shapes: Sequence[Shape], out: Shape) -> dict[str, int]:
    """Sizes of the image and the output; the kernel is a field."""
    return image_dims(shapes, out)
