"""Which ops of a file are known, what adds each of them to the model, and what they are read on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..addresses.layouts import LAYOUT_OPS
from ..file import wellformed
from ..graph.float_chains import FLOAT32_CHAIN
from . import (
    comparisons,
    data_movement,
    elementwise,
    float_chains,
    indices,
    layout_ops,
    matrices,
    means_and_sums,
    pools,
    prelu,
    quotients,
    resizes,
    softmax,
    unary,
    weighted,
)
from .op_context import OpContext

HANDLERS: Mapping[str, Callable[[OpContext], None]] = {
    "CONV_2D": weighted.conv2d,
    "DEPTHWISE_CONV_2D": weighted.depthwise_conv2d,
    "FULLY_CONNECTED": weighted.fully_connected,
    "TRANSPOSE_CONV": weighted.transpose_conv,
    "ADD": elementwise.add,
    "SUB": elementwise.sub,
    "MUL": elementwise.mul,
    "MAXIMUM": elementwise.extreme("maximum"),
    "MINIMUM": elementwise.extreme("minimum"),
    "SQUARED_DIFFERENCE": elementwise.squared_difference,
    "DIV": quotients.div,
    "FLOOR_DIV": quotients.floor_div,
    "FLOOR_MOD": quotients.floor_mod,
    **dict.fromkeys(comparisons.COMPARISONS, comparisons.comparison),
    **dict.fromkeys(("SELECT", "SELECT_V2"), comparisons.choice),
    "LOGICAL_AND": comparisons.logical("minimum"),
    "LOGICAL_OR": comparisons.logical("maximum"),
    "LOGICAL_NOT": comparisons.logical_not,
    "BATCH_MATMUL": matrices.batch_matmul,
    "AVERAGE_POOL_2D": pools.average_pool_2d,
    "MAX_POOL_2D": pools.max_pool_2d,
    **dict.fromkeys(("MEAN", "SUM"), means_and_sums.mean_or_sum),
    "SOFTMAX": softmax.softmax,
    "LOG_SOFTMAX": softmax.log_softmax,
    "RESHAPE": data_movement.reshape,
    "SQUEEZE": data_movement.reshape,
    "EXPAND_DIMS": data_movement.reshape,
    "CAST": data_movement.cast,
    "PAD": data_movement.pad,
    "PADV2": data_movement.pad,
    "CONCATENATION": data_movement.concatenation,
    "PACK": layout_ops.pack,
    **dict.fromkeys(LAYOUT_OPS, layout_ops.layout),
    **dict.fromkeys(("REDUCE_MAX", "REDUCE_MIN"), layout_ops.reduce_extreme),
    **dict.fromkeys(wellformed.INDEX_OPS, indices.arg_extreme),
    "RESIZE_BILINEAR": resizes.resize_bilinear,
    "QUANTIZE": unary.quantize,
    "RELU": unary.relu(1),
    "RELU_N1_TO_1": unary.relu(2),
    "RELU6": unary.relu(3),
    "LEAKY_RELU": unary.leaky_relu,
    "LOGISTIC": unary.real_function("LOGISTIC"),
    "TANH": unary.real_function("TANH"),
    "GELU": unary.real_function("GELU"),
    "ELU": unary.real_function("ELU"),
    "HARD_SWISH": unary.hard_swish,
    "ABS": unary.absolute,
    "SQRT": unary.root("SQRT"),
    "RSQRT": unary.root("RSQRT"),
    "EXP": unary.real_function("EXP"),
    "LOG": unary.real_function("LOG"),
    "PRELU": prelu.parametric_relu,
    FLOAT32_CHAIN: float_chains.float_chain,
}
"""What adds each op of a file to the model."""
WITH_BATCH = frozenset(
    ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM", "PAD",
     "PADV2", "CONCATENATION", "TRANSPOSE_CONV", "RESIZE_BILINEAR")
)  # fmt: skip
"""Ops that count axes from the batch on."""
OF_TWO_TYPES = wellformed.INDEX_OPS | {"CAST"}
"""Ops of which an engine has kernels by both the input's and the output's type."""
OF_IMAGES = frozenset(
    ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN",
     "SUM", "PAD", "PADV2", "CONCATENATION")
)  # fmt: skip
"""Ops that are read on tensors of at most four dimensions, batch included, or three without it."""
OF_BOOLS = frozenset(
    (*comparisons.COMPARISONS, "SELECT", "SELECT_V2", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT",
     "RESHAPE", "SQUEEZE", "EXPAND_DIMS", FLOAT32_CHAIN)
)  # fmt: skip
"""Ops that are read on bools."""
OF_MIXED_TYPES = OF_TWO_TYPES | {
    *comparisons.COMPARISONS,
    "QUANTIZE",
    "SELECT",
    "SELECT_V2",
    FLOAT32_CHAIN,
}
"""Ops whose handlers look at the types themselves."""
