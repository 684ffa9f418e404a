"""A depthwise network of MobileNetV2's blocks, from an untrained module to a C file.

Inverted residuals: expand by a 1x1 convolution, filter each channel by itself, project back.
ReLU6 costs nothing: it is the clamp of the op before it. Hardswish becomes a table.
"""

import numpy as np
import torch
from torch import nn

from intgold.exporters import write_c
from intgold.quantize import quantize


def conv(in_c, out_c, kernel, stride=1, groups=1, activation=None):
    """Return convolution, normalisation and perhaps an activation."""
    layers = [
        nn.Conv2d(in_c, out_c, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_c),
    ]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class InvertedResidual(nn.Module):
    """Expand, depthwise, project; with a shortcut where the shapes agree."""

    def __init__(self, in_c, out_c, stride, expand, activation):
        """Build the layers."""
        super().__init__()
        wide = in_c * expand
        self.layers = nn.Sequential(
            conv(in_c, wide, 1, activation=activation),
            conv(wide, wide, 3, stride, groups=wide, activation=activation),
            conv(wide, out_c, 1),
        )
        self.residual = stride == 1 and in_c == out_c

    def forward(self, x):
        """Return (n, out_c, h/stride, w/stride)."""
        return x + self.layers(x) if self.residual else self.layers(x)


torch.manual_seed(0)
module = nn.Sequential(
    conv(3, 16, 3, 2, activation=nn.Hardswish),
    InvertedResidual(16, 24, 2, 4, nn.ReLU6),
    InvertedResidual(24, 24, 1, 4, nn.ReLU6),
    InvertedResidual(24, 40, 2, 4, nn.Hardswish),
    InvertedResidual(40, 40, 1, 4, nn.Hardswish),
    conv(40, 96, 1, activation=nn.Hardswish),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Dropout(0.2),
    nn.Linear(96, 10),
)
module(torch.rand(64, 3, 64, 64))  # fills the statistics of the normalisations

# Camera bytes: the module gets x/255, the model's input is x ^ 0x80.
images = torch.randint(0, 256, (40, 3, 64, 64), dtype=torch.uint8)
for choices in ({}, {"multiplier_bits": 1}, {"activation": "pwl:8", "weight_bits": 6}):
    model = quantize(module, images, name="depthwise", **choices)
    x = model.quantize_input(np.ascontiguousarray(images.numpy()[:8].transpose(0, 2, 3, 1)))
    golden = model.run(x, backend="golden", trace=True)
    c = model.run(x, backend="c", trace=True)
    differing = sum(int((golden.tensors[n] != c.tensors[n]).sum()) for n in golden.tensors)
    with torch.no_grad():
        reals = module.eval()(images[:8].float() / 255).numpy()
    error = np.abs(model.dequantize(c.output) - reals).max() / np.ptp(reals)
    kinds = sorted({op.kind for op in model.ops})
    print(f"{choices}: {len(model.ops)} ops ({', '.join(kinds)})")
    print(f"  golden = C: {differing} differing; largest error {error:.2%} of the range")

write_c([model], "depthwise.c")  # constants to link with csrc/
