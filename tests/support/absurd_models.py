"""Legal models that no engine was made for: windows, paddings, strides, dilations at their limits.

`ABSURD` run at once, `MONSTROUS` are refused.  Files of both have a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intgold import Model, Op, Tensor
from intgold.ops.fields import Requantize
from intgold.ops.table import OPS

MOST = 2**15


def _model(kind: str, shape: tuple[int, ...], fields: dict, dtype: str = "int8") -> Model:
    tensors = [Tensor("x", shape, zero_point=-7)]
    checked = {n: t.check(n, fields[n]) for n, t in OPS[kind].fields.items()}
    out = OPS[kind].shape(checked, [shape])
    tensors.append(Tensor("y", out, dtype, zero_point=0 if dtype == "int32" else 5))
    return Model("absurd", tensors, [Op(kind, "op", ("x",), "y", fields)], ["x"], ["y"])


def _weighted(
    kind: str,
    shape: tuple[int, ...],
    weights: tuple[int, ...],
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    zero: int = 0,
    bare: bool = False,
) -> Model:
    draw = np.random.default_rng(sum(weights))
    out_c = weights[0] if kind == "conv2d" else weights[-1]
    fields = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "weights": draw.integers(-20, 20, weights).astype(np.int8),
        "weight_zero_point": np.array([zero], np.int8),
        "weight_scale": None,
        "bias": draw.integers(-1000, 1000, out_c).astype(np.int32),
        "requantize": None if bare else Requantize.of(3 << 28, 36, "single"),
        "act_min": -128,
        "act_max": 127,
    }
    return _model(kind, shape, fields, "int32" if bare else "int8")


def conv(shape: tuple[int, ...], weights: tuple[int, ...], **rest) -> Model:
    """Return a conv2d."""
    return _weighted("conv2d", shape, weights, **rest)


def depthwise(shape: tuple[int, ...], weights: tuple[int, ...], **rest) -> Model:
    """Return a depthwise_conv2d."""
    return _weighted("depthwise_conv2d", shape, weights, **rest)


def pool(
    kind: str,
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    stride: tuple[int, int] = (1, 1),
) -> Model:
    """Return a max_pool2d or an avg_pool2d."""
    fields = {"kernel": kernel, "stride": stride, "padding": padding, "act_min": -100,
              "act_max": 100} | ({"form": "raw_up"} if kind == "avg_pool2d" else {})  # fmt: skip
    return _model(kind, shape, fields)


def _wide(channels: int) -> Callable[[], Model]:
    return lambda: conv((1, 1, channels), (1, 1, 1, channels), padding=(0, 0, MOST, MOST))


_TALL, _FLAT, _ALL = (MOST, MOST, 0, 0), (0, 0, MOST, MOST), (MOST,) * 4

ABSURD: dict[str, Callable[[], Model]] = {
    "conv of 4,096 channels, padded": lambda: conv((1, 1, 4096), (1, 3, 1, 4096), padding=_TALL),
    "conv of 33,000 channels, padded": _wide(33_000),
    "conv of 40,000 channels, padded": _wide(40_000),
    "conv of 65,536 channels, padded": _wide(65_536),
    "conv of a weight zero point, padded": lambda: conv(
        (2, 3, 300), (3, 2, 2, 300), padding=_FLAT, zero=-128
    ),
    "conv larger than its input": lambda: conv(
        (1, 1, 1), (2, 150, 150, 1), padding=(149,) * 4, bare=True
    ),
    "conv dilated": lambda: conv(
        (2, 2, 3), (4, 3, 3, 3), padding=_ALL, dilation=(MOST, MOST), bare=True
    ),
    "conv dilated, few outputs": lambda: conv(
        (1, 3000, 2), (5, 1, 3, 2), padding=_FLAT, dilation=(1, MOST)
    ),
    "conv of large steps": lambda: conv(
        (9, 9, 64), (20, 2, 2, 64), padding=_ALL, stride=(MOST, MOST)
    ),
    "conv of large steps on a long input": lambda: conv(
        (1, 2**21, 1), (3, 1, 1, 1), stride=(MOST, MOST)
    ),
    "conv of steps and dilation": lambda: conv(
        (5, 5, 8), (20, 3, 3, 8), padding=_ALL, stride=(7, MOST), dilation=(MOST, 3)
    ),
    "conv of a long kernel": lambda: conv((1, 4000, 1), (1, 1, 4000, 1), padding=(0, 0, 3999, 0)),
    "conv of mostly padding": lambda: conv((1, 1, 1), (1, 1, 1, 1), padding=(700,) * 4, bare=True),
    "depthwise of 4,096 channels, padded": lambda: depthwise(
        (1, 1, 4096), (3, 1, 4096), padding=(400, 400, 0, 0)
    ),
    "depthwise of 33,000 channels, padded": lambda: depthwise(
        (1, 1, 33_000), (1, 3, 33_000), padding=(0, 0, 40, 40)
    ),
    "depthwise larger than its input": lambda: depthwise(
        (1, 1, 2), (100, 100, 6), padding=(99,) * 4, zero=127
    ),
    "depthwise of a long kernel": lambda: depthwise(
        (4000, 1, 2), (4000, 1, 2), padding=(3999, 0, 0, 0)
    ),
    "depthwise dilated": lambda: depthwise(
        (2, 2, 3), (3, 3, 3), padding=_ALL, dilation=(MOST, MOST)
    ),
    "depthwise of large steps": lambda: depthwise(
        (9, 9, 3), (2, 2, 9), padding=_ALL, stride=(MOST, MOST), bare=True
    ),
    "depthwise of large steps on a long input": lambda: depthwise(
        (2**20, 1, 1), (2, 1, 1), stride=(MOST, 1)
    ),
    **{
        f"{kind}, {name}": lambda kind=kind, arguments=arguments: pool(kind, *arguments)
        for kind in ("max_pool2d", "avg_pool2d")
        for name, arguments in {
            "4,000 by 4,000 on 2 by 2": ((2, 2, 1), (4000, 4000), (3999, 0, 0, 3999)),
            "4,000 by 400 outputs": ((2, 2, 1), (4000, 400), (3999, 3999, 399, 399)),
            "as large as can be": ((1, 1, 3), (MOST, 100), (MOST - 1, 0, 0, 99)),
            "of large steps": ((3, 3, 5), (MOST, 3), (MOST - 1, MOST - 2, 2, 2), (MOST, MOST)),
            "on a long input": ((1, 2**18, 1), (1, MOST), (0, 0, MOST - 1, 0), (1, 4096)),
        }.items()
    },
}  # fmt: skip

MONSTROUS: dict[str, Callable[[], Model]] = {
    "max_pool2d": lambda: pool("max_pool2d", (9000, 9000, 1), (4000, 4000)),
    "avg_pool2d": lambda: pool("avg_pool2d", (9000, 9000, 1), (3000, 3000)),
    "conv": lambda: conv((16000, 16000, 1), (1, 70, 70, 1)),
    "depthwise": lambda: depthwise((16000, 16000, 1), (70, 70, 1)),
}
