"""What each ATen function of an exported graph becomes, and the list of it for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...support.quoting import short_repr
from . import arithmetic, pools, views, weights
from .sketch import Sketch, Take


@dataclass(frozen=True)
class SupportedLayer:
    """One row of the list of what is taken.

    Parameters
    ----------
    what : str
        Modules and functions of torch.
    becomes : str
        Ops of the model.
    limits : str
        What of it is not taken.
    functions : mapping of str to callable
        By the name of the ATen function, without a trailing _ (in place).
    """

    __repr__ = short_repr

    what: str
    becomes: str
    limits: str
    functions: Mapping[str, Take] = field(repr=False)


def _each(take: Take, *names: str) -> dict[str, Take]:
    return dict.fromkeys(names, take)


_TABLES = {
    "relu6": "relu6", "selu": "selu", "silu": "silu", "tanh": "tanh", "sigmoid": "sigmoid",
    "hardswish": "hardswish", "hardsigmoid": "hardsigmoid", "mish": "mish", "abs": "absolute",
}  # fmt: skip

ROWS = (
    SupportedLayer(
        "`Conv2d`, `Conv1d`",
        "`conv2d`, `depthwise_conv2d`",
        "any kernel, stride, dilation and padding (zeros); a sequence is a picture of height 1; "
        "with groups, but for one per channel, a dense `conv2d` with weights of 0 between them",
        _each(weights.convolution, "conv1d", "conv2d"),
    ),
    SupportedLayer(
        "`ConvTranspose2d`",
        "`transpose_conv2d`",
        "any kernel, stride, padding and output_padding; groups 1, dilation 1",
        _each(weights.transposed_convolution, "conv_transpose2d"),
    ),
    SupportedLayer(
        "`Linear`",
        "`fully_connected`, `conv2d`",
        "on (n, features), or on the last axis of (n, length, features)",
        {"linear": weights.linear},
    ),
    SupportedLayer(
        "`BatchNorm1d`, `BatchNorm2d`",
        "part of the layer before it, or `depthwise_conv2d`",
        "with running statistics",
        {"batch_norm": weights.batch_norm},
    ),
    SupportedLayer(
        "`ReLU`, `ReLU6`",
        "a clamp of the op before it, or `lut`",
        "",
        {"relu": arithmetic.activation("relu"), "relu6": arithmetic.activation("relu6")},
    ),
    SupportedLayer(
        "`SELU`, `SiLU`, `Mish`, `Tanh`, `Sigmoid`, `Hardswish`, `Hardsigmoid`, `abs`",
        "`lut` or `pwl`",
        "",
        {name: arithmetic.activation(kind) for name, kind in _TABLES.items() if name != "relu6"},
    ),
    SupportedLayer(
        "`LeakyReLU`, `PReLU`, `ELU`, `GELU`, `Softplus`",
        "`lut` or `pwl`",
        "`PReLU` with one slope, `Softplus` with beta 1",
        {
            "leaky_relu": arithmetic.with_alpha("leaky_relu", "negative_slope", 0.01),
            "prelu": arithmetic.prelu,
            "elu": arithmetic.with_alpha("elu", "alpha", 1.0),
            "gelu": arithmetic.gelu,
            "softplus": arithmetic.softplus,
        },
    ),
    SupportedLayer(
        "`Hardtanh`, `clamp`",
        "`lut` or `pwl`, or as ReLU",
        "between numbers",
        _each(arithmetic.clamp, "hardtanh", "clamp", "clamp_min", "clamp_max", "clip"),
    ),
    SupportedLayer(
        "`MaxPool1d`, `MaxPool2d`",
        "`max_pool2d`",
        "dilation 1; no partial window of ceil_mode",
        _each(pools.max_pool, "max_pool1d", "max_pool2d"),
    ),
    SupportedLayer(
        "`AvgPool1d`, `AvgPool2d`",
        "`avg_pool2d`, `global_avg_pool`, `depthwise_conv2d`",
        "no partial window of ceil_mode",
        _each(pools.avg_pool, "avg_pool1d", "avg_pool2d"),
    ),
    SupportedLayer(
        "`AdaptiveAvgPool`, `AdaptiveMaxPool`, 1d and 2d",
        "`global_avg_pool`, `max_pool2d`",
        "to 1",
        {
            **_each(pools.adaptive_avg_pool, "adaptive_avg_pool1d", "adaptive_avg_pool2d"),
            **_each(pools.adaptive_max_pool, "adaptive_max_pool1d", "adaptive_max_pool2d"),
            "getitem": pools.first_of_pair,
        },
    ),
    SupportedLayer(
        "`mean`, `amax`, `max(dim)[0]`",
        "`global_avg_pool`, `avg_pool2d`, `max_pool2d`",
        "over height, width or length",
        {"mean": pools.mean, **_each(pools.maximum, "amax", "max")},
    ),
    SupportedLayer(
        "`x + y`, `x - y`, `x * y`, `x ** 2`",
        "`add`, `mul`",
        "tensors of one shape",
        {
            **_each(arithmetic.arithmetic, "add", "sub", "rsub", "mul", "subtract", "multiply"),
            **_each(arithmetic.power, "pow", "square"),
        },
    ),
    SupportedLayer(
        "`+`, `-`, `*`, `/` with a number or a parameter, in both orders; `-x`",
        "part of the layer before it; else `lut` for one number, `depthwise_conv2d` for one per "
        "channel",
        "no `1/x`; the same for every position",
        {
            **_each(arithmetic.arithmetic, "div", "true_divide"),
            **_each(arithmetic.negative, "neg", "negative"),
        },
    ),
    SupportedLayer(
        "`cat`",
        "`concat`",
        "over channels or features",
        _each(arithmetic.concat, "cat", "concat", "concatenate"),
    ),
    SupportedLayer(
        "`ZeroPad1d`, `ZeroPad2d`, `ConstantPad`, `F.pad`",
        "padding of the convolution after it, or `pad`",
        "mode constant; height, width, length",
        _each(views.pad, "pad", "constant_pad_nd"),
    ),
    SupportedLayer(
        "`x[:, :, a:b:c]`, `x[:, :, i]`",
        "less padding of the convolution before it; else `depthwise_conv2d`, `max_pool2d`",
        "along height, width or length",
        {"slice": views.take_slice, "select": views.select},
    ),
    SupportedLayer(
        "`Flatten`, `Unflatten`, `view`, `reshape`, `squeeze`, `unsqueeze`, `permute`, `transpose`",
        "nothing, or `reshape`",
        "of each example by itself; values are never moved, so what reads them must take channels "
        "last",
        {
            **_each(
                views.reshape, "flatten", "unflatten", "view", "reshape", "squeeze", "unsqueeze"
            ),
            **_each(views.permute, "permute", "transpose", "swapaxes"),
        },
    ),
    SupportedLayer(
        "`Dropout` and its kinds, `Identity`, `contiguous`, `clone`, `detach`, `float`",
        "nothing",
        "",
        {
            **_each(
                views.dropout,
                "dropout",
                "feature_dropout",
                "alpha_dropout",
                "feature_alpha_dropout",
            ),
            **_each(views.same, "contiguous", "clone", "detach", "alias", "lift_fresh_copy"),
            **_each(views.to_dtype, "to", "_to_copy", "type_as"),
        },
    ),
    SupportedLayer(
        "`Softmax`, `LogSoftmax`, `argmax`",
        "nothing: left to the host, as `info` says",
        "only at the end",
        _each(Sketch.leave_to_host, "softmax", "log_softmax", "argmax"),
    ),
    SupportedLayer("functions of parameters only, such as `weight_norm`", "weights", "", {}),
)
"""What intgold takes of a module, in the order of the documentation."""

SUPPORTED: dict[str, Take] = {name: take for row in ROWS for name, take in row.functions.items()}
"""What each ATen function becomes; a trailing _ (in place) is left out."""


def is_listed(kind: str) -> bool:
    """Return whether a class of torch.nn is in the list, perhaps of another number of axes."""
    names = [name for row in ROWS for name in re.findall(r"`(\w+)`", row.what)]
    stems = [re.sub(r"\dd$", "", name) for name in (kind, *names)]
    return stems[0] in stems[1:] or "Dropout" in kind


def supported_layers() -> str:
    """Return the list of what is taken as a Markdown table."""
    head = "| PyTorch | becomes | limits |\n|---|---|---|\n"
    return head + "".join(f"| {row.what} | {row.becomes} | {row.limits} |\n" for row in ROWS)
