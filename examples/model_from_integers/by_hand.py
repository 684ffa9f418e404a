"""A model from integers that exist already: an RTL design and its numbers, no float anywhere.

A camera byte goes through a Sobel pair, a table for the magnitude, a 4x4 pool and a matrix.
The design shifts instead of multiplying: multiplier 2^30 with right_shift 30 + s is acc / 2^s.
"""

import numpy as np

from intgold import Builder, Requantize


def shift(s):
    """Return the requantize entry that divides by 2^s, halves up."""
    return Requantize.of(multiplier=2**30, right_shift=30 + s, form="single")


sobel_x = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
sobel_y = [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
filters = np.array([sobel_x, sobel_y])[..., np.newaxis]  # (out_c, kernel_h, kernel_w, in_c)
magnitude = np.minimum(np.abs(np.arange(-128, 128)), 127)

builder = Builder("edges")
x = builder.input("image", (28, 28, 1), zero_point=-128)  # camera byte ^ 0x80
x = builder.op(
    "conv2d", x, name="sobel", weights=filters, bias=[0, 0], requantize=shift(3), padding=1
)
x = builder.op("lut", x, name="magnitude", table=magnitude)
x = builder.op("avg_pool2d", x, name="pool", kernel=4, form="raw_up")
weights = (np.arange(4 * 98).reshape(4, 98) * 37 % 255) - 127
x = builder.op(
    "fully_connected", x, name="classes", weights=weights, bias=[100, -50, 0, 7], requantize=None
)
model = builder.model(x, metadata={"origin": "numbers of an existing design"})
model.save("edges.npz")
print(model.describe())

images = (np.arange(3 * 784) * 97 % 256).astype(np.uint8).reshape(3, 28, 28, 1)
int8 = (images ^ 0x80).view(np.int8)
golden = model.run(int8, backend="golden", trace=True)
c = model.run(int8, backend="c", trace=True)
differing = sum(int((golden.tensors[n] != c.tensors[n]).sum()) for n in golden.tensors)
print(f"golden = C: {differing} differing")

# One output worked by hand, without the engines: image 0, pixel (5, 9), the horizontal filter.
pixels = images[0, 4:7, 8:11, 0].tolist()
acc = int((np.array(sobel_x) * np.array(pixels)).sum())
assert acc == golden.accumulators["sobel"][0, 5, 9, 0]
rounded = (acc + 2**2) >> 3
assert max(-128, min(rounded, 127)) == golden.tensors["sobel"][0, 5, 9, 0]
print(f"image 0, pixel (5, 9): acc {acc}, ({acc} + 4) >> 3 = {rounded}")
