"""A residual network of CIFAR size (ResNet-20, 32x32x3), quantised and run on both engines.

The weights are random and so are the images: what is shown is the way from a PyTorch module to
bits. With a trained module and real images nothing changes but the numbers.
"""

import numpy as np
import torch
from torch import nn

from intgold.quantize import quantize


class Block(nn.Module):
    """Two convolutions and a shortcut; with a stride the shortcut is a convolution too."""

    def __init__(self, in_c, out_c, stride):
        """Build the layers."""
        super().__init__()
        self.conv1 = nn.Conv2d(in_c, out_c, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_c)
        self.conv2 = nn.Conv2d(out_c, out_c, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_c)
        self.shortcut = nn.Identity()
        if stride != 1 or in_c != out_c:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_c, out_c, 1, stride, bias=False), nn.BatchNorm2d(out_c)
            )

    def forward(self, x):
        """Return (n, out_c, h/stride, w/stride)."""
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet20(nn.Module):
    """He et al. (2016): three stages of three blocks, 16, 32 and 64 channels."""

    def __init__(self):
        """Build the layers."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        sizes = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)]
        sizes += [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(Block(*size) for size in sizes))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    def forward(self, x):
        """Return the logits (n, 10)."""
        return self.head(self.blocks(self.stem(x)))


torch.manual_seed(0)
module = ResNet20()
module(torch.rand(64, 3, 32, 32))  # fills the statistics of the normalisations
images = torch.rand(48, 3, 32, 32)

model = quantize(module, images, calibration="mse")
model.save("resnet20.npz")
print(f"{len(model.ops)} ops, {sum(op.kind == 'add' for op in model.ops)} of them add")

# The model takes images as (n, h, w, c); PyTorch has (n, c, h, w).
x = model.quantize_input(images.permute(0, 2, 3, 1).numpy()[:16])
golden = model.run(x, backend="golden", trace=True)
c = model.run(x, backend="c", threads=2, trace=True)
values = differing = 0
for name in golden.tensors:
    values += golden.tensors[name].size
    differing += int((golden.tensors[name] != c.tensors[name]).sum())
for name in golden.accumulators:
    values += golden.accumulators[name].size
    differing += int((golden.accumulators[name] != c.accumulators[name]).sum())
print(f"golden = C: {values} values, {differing} differing")

with torch.no_grad():
    reals = module.eval()(images[:16]).numpy()
errors = np.abs(model.dequantize(c.output) - reals)
print(f"largest error {errors.max() / np.ptp(reals):.2%} of the range of the logits")
