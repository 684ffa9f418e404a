"""THE table of contracts: how named engines compute the ops of a network file, as data.

A contract is chosen when a file is imported, and its numbers are frozen into the model; no engine
knows a contract's name.  A rule says which arithmetic an op follows; `intgold.importers` turns it
into ops and fields of SPEC.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from ..errors import ContractError
from ..model.graph import SPEC_VERSION
from ..support.arguments import checked
from ..support.moved import renamed_attribute
from ..support.quoting import short_repr


class Algorithm(Enum):
    """Where engines differ in more than a form: the arithmetic by name; its value says it."""

    PLAIN = ""
    SINGLE_INPUTS = "inputs of whole groups by `single`"
    FLOORED_INPUTS = "inputs of whole groups by `double` with a floor at last"
    RAW_SUM = "raw values summed, both zero points in one bias"
    DIVIDED = "s_x / (n * s_y) in one factor"
    DIRECT = "s_a / s_y and s_b / s_y in float32, times 2^t, rounded to integers; `up(., t)`"
    Q8_MULTIPLIER = "multipliers of 8 fraction bits"
    RAW_FLOAT32 = "raw sum times factor plus one bias in float32, then halves go to even"
    RAW_FLOAT32_AWAY = (
        "raw sum times s_x / s_y plus the input's zero points in float32, halves away from 0"
    )
    ZERO_POINT_FIRST = "the zero point is added in float32, then halves go to even"
    FLOAT32_STEPS = "table of exp(x) - 1, both steps in float32"
    INT16_STEPS = "fixed point of int16"
    CLAMP_ONLY = "the input is clamped, the output's scale is not used"
    FIXED_POINT = "table of the engine's own fixed point"
    FLOAT32_TABLE = "exponentials by a float32 table, their sum and quotient in float32"
    FLOAT32_TABLE_HALF_ADDED = (
        "exponentials by a float32 table, their sum and quotient in float32; "
        "1/2 is added in float32, then the fraction dropped"
    )
    FLOAT32_LOGARITHM = (
        "exponentials by a float32 table; their sum, its logarithm and the rest in float32"
    )
    CELLS_OF_0 = "cells of padding are the byte 0, whatever the zero point is"
    WEIGHTS_OF_10_BITS = "positions and weights of 10 fraction bits in integers; `away(., 20)`"
    WEIGHTS_OF_11_BITS = "positions in float32, weights rounded to 11 fraction bits; `up(., 22)`"
    FLOAT32_WEIGHTS = "positions, weights and their sum in float32"
    TRUNCATED = "table of the square root in float32, the fraction dropped"
    AXIS_0 = "weights of quantized dimension 0"
    SECOND_ZERO_POINT_0 = "zero point of the second operand 0"
    QUOTIENT_AWAY = "s_x * (x - z_x) and the floats over s_y in float32, halves away from 0"
    INVERSE_EVEN = "s_x * (x - z_x) and the floats times 1 / s_y in float32, halves to even"
    ZERO_POINT_TIMES_SCALE = (
        "s_x * x - s_x * z_x and the floats times 1 / s_y in float32, halves to even; "
        "the rest s_x * (x - z_x) in float32 and over s_y in float64, halves away from 0"
    )
    STRIDE_WITHIN_KERNEL = "output shape constant, no stride beyond the kernel with SAME padding"


@dataclass(frozen=True)
class OpRule:
    """How an engine computes one op.

    Parameters
    ----------
    form : str
        How it brings int32 to int8 (SPEC 4.2); "" where nothing is scaled.
    factor : str
        How the real factor comes of the scales s_a, s_b (or s_w) and s_y:
        ``float64``: s_a * s_b / s_y in float64; ``product32``: s_a * s_b in float32, the division
        in float64; ``float32``: every step in float32.  Of DIV it is s_a / (s_b * s_y).
    channel_factor : str
        The same where each channel of the weights has a scale of its own; "": as `factor`.
    algorithm : Algorithm
    group : int
        How many values a kernel takes at once, where it does the rest differently; 0: it does not.
    remainder_form : str
        The form of the values after the last whole group.
    clamp_rounding : str
        How the ends of a fused activation are quantised: halves ``away``, then the zero point is
        added; or halves to ``even`` after the zero point, in float32.
    limits : (float, float)
        The ratios of scales s_a * s_b / s_y that the kernel takes, both ends included.
    slopes : (float, float)
        What the ratio times alpha of LEAKY_RELU may be; its size has the lower limit, too.
    int16 : bool
        It wraps outputs that int16 does not hold before the clamp: such an op is refused.  No bit
        of others depends on it, so it does not distinguish rules.
    below_1 : bool
        It ends the process where the last factor of a SQUARED_DIFFERENCE is 1 or more, or is 0:
        such an op is refused.  It distinguishes no rule, as `int16`.
    inexact : str
        What keeps the model from some of the engine's bits; said wherever the op is.
    overflow : str
        What the engine does where the exponentials of a SOFTMAX add up to 512 times the largest:
        its shift is beyond 31 bits then.  Said of an op whose rows are that long; it distinguishes
        no rule.
    fallback : OpRule, optional
        Of the kernel that runs an op beyond the limits; without one such a file is refused, as the
        engine does.
    """

    form: str = ""
    factor: str = "float64"
    channel_factor: str = ""
    algorithm: Algorithm = Algorithm.PLAIN
    group: int = 0
    remainder_form: str = ""
    clamp_rounding: str = "away"
    limits: tuple[float, float] = (0.0, math.inf)
    slopes: tuple[float, float] = (-math.inf, math.inf)
    fallback: OpRule | None = None
    int16: bool = field(default=False, compare=False)
    below_1: bool = field(default=False, compare=False)
    inexact: str = field(default="", compare=False)
    overflow: str = field(default="", compare=False)

    way = renamed_attribute("OpRule", "way", "algorithm")
    rest = renamed_attribute("OpRule", "rest", "remainder_form")
    bounds = renamed_attribute("OpRule", "bounds", "clamp_rounding")
    declined = renamed_attribute("OpRule", "declined", "fallback")


@dataclass(frozen=True)
class Contract:
    """The arithmetic of one engine.

    Parameters
    ----------
    name, engine, version : str
        The version is that of the package that the rules were compared with.
    provenance : str
        What the rules rest on: ``measured``: compared with the engine; ``sources``: read in its
        public sources, as no package brings the engine; ``definition``: SPEC.md.
    rules : mapping of str to OpRule
        By the name of the TFLite op; where the dtype matters, followed by ``uint8``.
    unsupported : set of str
        Ops, followed by a dtype, for which the engine has no kernel; ``integers`` as dtype: of
        those that compute shapes; ``float32``: of those in a FLOAT32_CHAIN.  Those of bools are
        read where all tensors are bools.
    silent : set of str
        Ops, followed by a dtype, whose kernel ends without an error and writes no output.
    in_place : set of str
        Ops that may write over a tensor that is still to be read, see
        `intgold.importers.tflite.graph.memory_hazards`; followed by ``fallback``: where a delegate
        declines it.
    delegates : bool
        A delegate takes ops by the shapes that the file says.
    resizes : bool
        It works out the shape of an op's output, whatever the file says; else the file's stands.
    """

    name: str
    engine: str
    version: str
    provenance: str
    rules: Mapping[str, OpRule]
    unsupported: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    in_place: frozenset[str] = frozenset()
    delegates: bool = False
    resizes: bool = True

    __repr__ = short_repr
    basis = renamed_attribute("Contract", "basis", "provenance")
    lacks = renamed_attribute("Contract", "lacks", "unsupported")

    def refusal(self, op: str, dtype: str) -> str:
        """Return why there is no rule of an op on int8 or uint8; empty where there may be."""
        known = op in self.rules or f"{op} {dtype}" in self.rules
        if not known or f"{op} {dtype}" in self.unsupported:
            return f"no kernel for it on {dtype}"
        silent = f"{op} {dtype}" in self.silent
        return f"its kernel on {dtype} writes no output" if silent else ""

    def rule(self, op: str, dtype: str) -> OpRule | None:
        """Return the rule of an op on int8 or uint8; None: there is none."""
        if self.refusal(op, dtype):
            return None
        return self.rules.get(f"{op} {dtype}", self.rules.get(op))


_DOUBLE = OpRule("double")
_FLOAT32 = OpRule("double", "float32")
_PRODUCT32 = OpRule("double", "product32")
_EXACT = OpRule()
_MOVED = dict.fromkeys(
    ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "CONCATENATION", "MAX_POOL_2D",
     "AVERAGE_POOL_2D", "SOFTMAX", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V",
     "PACK", "UNPACK", "REVERSE_V2", "TILE", "BROADCAST_TO", "MIRROR_PAD", "GATHER", "GATHER_ND",
     "DEPTH_TO_SPACE", "SPACE_TO_DEPTH", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND",
     "RESIZE_NEAREST_NEIGHBOR", "REDUCE_MAX", "REDUCE_MIN",
     "MAXIMUM", "MINIMUM", "ARG_MAX", "ARG_MIN", "CAST"),
    _EXACT,
)  # fmt: skip
_LIBM = (
    "the engine takes tanh, erfc and expm1 of float32 from the machine's C library, which may miss "
    "the last bit"
)
_LIBM_LOG = (
    "the engine takes log of float32 from the machine's C library, which may miss the last bit"
)
_SHIFTS = (
    "the engine shifts by more than 31 bits where the quotient is small, which C leaves undefined; "
    "the model does as x86 does"
)
_TABLES = {
    "LOGISTIC": _EXACT, "EXP": _EXACT, "LOG": OpRule(inexact=_LIBM_LOG),
    **dict.fromkeys(("TANH", "GELU", "ELU"), OpRule(inexact=_LIBM)),
}  # fmt: skip

_ABORTS = OpRule(overflow="the engine ends the process")
_UNDEFINED = OpRule(overflow="the engine shifts int32 by 32 bits or more, which C leaves undefined")

_REFERENCE = {
    **_MOVED, **_TABLES,
    "SOFTMAX": _ABORTS, "LOG_SOFTMAX": _EXACT,
    "CONV_2D": _DOUBLE, "DEPTHWISE_CONV_2D": _DOUBLE, "FULLY_CONNECTED": OpRule("float64"),
    "CONV_2D uint8": _PRODUCT32, "DEPTHWISE_CONV_2D uint8": _PRODUCT32,
    "TRANSPOSE_CONV": _DOUBLE, "TRANSPOSE_CONV uint8": _PRODUCT32,
    "ADD": _DOUBLE, "SUB": _DOUBLE, "MUL": _FLOAT32, "MEAN": _DOUBLE, "SUM": _DOUBLE,
    "SQUARED_DIFFERENCE": replace(_DOUBLE, below_1=True),
    "DIV": OpRule(factor="float32", algorithm=Algorithm.FIXED_POINT, inexact=_SHIFTS),
    "FLOOR_DIV": _EXACT, "FLOOR_MOD": _EXACT,
    **dict.fromkeys(
        ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"), _DOUBLE
    ),
    **dict.fromkeys(
        ("SELECT", "SELECT_V2", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT"), _EXACT
    ),
    "BATCH_MATMUL": _PRODUCT32,
    "QUANTIZE": _DOUBLE, "LEAKY_RELU": _FLOAT32,
    "RELU": _FLOAT32, "RELU6": _FLOAT32, "RELU_N1_TO_1": _FLOAT32,
    "HARD_SWISH": OpRule(factor="float32", algorithm=Algorithm.INT16_STEPS),
    "ABS": _FLOAT32, "PRELU": _FLOAT32,
    "SQRT": OpRule(algorithm=Algorithm.TRUNCATED),
    "RSQRT": OpRule(algorithm=Algorithm.FIXED_POINT),
    "FLOAT32_CHAIN": OpRule(algorithm=Algorithm.QUOTIENT_AWAY),
    "RESIZE_BILINEAR": OpRule(algorithm=Algorithm.WEIGHTS_OF_10_BITS),
    "RESIZE_BILINEAR uint8": OpRule(algorithm=Algorithm.FLOAT32_WEIGHTS),
}  # fmt: skip
_OPTIMISED = {
    **_REFERENCE,
    "CONV_2D": OpRule("double_up"),
    "CONV_2D uint8": OpRule("double_up", "product32"),
    "TRANSPOSE_CONV": OpRule("double_up", group=8, remainder_form="double"),
    "TRANSPOSE_CONV uint8": OpRule("double_up", "product32", group=16, remainder_form="double"),
    "DEPTHWISE_CONV_2D": OpRule("double_up", group=8, remainder_form="double"),
    "FULLY_CONNECTED": OpRule("double_up", "product32", channel_factor="float64"),
    "ADD": OpRule(
        "double", algorithm=Algorithm.SINGLE_INPUTS, group=16, remainder_form="double", int16=True
    ),
    "ADD uint8": OpRule(
        "double", algorithm=Algorithm.FLOORED_INPUTS, group=8, remainder_form="double", int16=True
    ),
    "MUL": OpRule("double", "float32", int16=True),
    "SOFTMAX": OpRule(algorithm=Algorithm.FLOAT32_TABLE),
    "SOFTMAX uint8": OpRule(
        algorithm=Algorithm.FLOAT32_TABLE_HALF_ADDED
    ),  # AArch64 rounds as with int8
    "LOG_SOFTMAX": OpRule(algorithm=Algorithm.FLOAT32_LOGARITHM),
    "QUANTIZE": OpRule("double_up", group=16, remainder_form="double"),
    "MEAN": OpRule("double_up", algorithm=Algorithm.RAW_SUM, group=16, remainder_form="double"),
    "SUM": OpRule("single", "float32", algorithm=Algorithm.RAW_FLOAT32_AWAY),
    "FLOAT32_CHAIN": OpRule(algorithm=Algorithm.ZERO_POINT_TIMES_SCALE, group=8),
}
_TFLM = {
    **_REFERENCE,
    "FULLY_CONNECTED": _DOUBLE,
    "BATCH_MATMUL": _DOUBLE,
    "ABS": _DOUBLE,
    "PRELU": _DOUBLE,
    "MUL": _DOUBLE,
    "DIV": OpRule(algorithm=Algorithm.FIXED_POINT, inexact=_SHIFTS),
    "SQUARED_DIFFERENCE": _DOUBLE,
    "RELU": _DOUBLE,
    "LEAKY_RELU": _DOUBLE,
    "RELU6": OpRule(algorithm=Algorithm.CLAMP_ONLY),
    "ELU": OpRule(algorithm=Algorithm.FLOAT32_STEPS),
    "HARD_SWISH": OpRule(algorithm=Algorithm.INT16_STEPS),
    "LOGISTIC": OpRule(algorithm=Algorithm.FIXED_POINT),
    "TANH": OpRule(algorithm=Algorithm.FIXED_POINT),
    "SPACE_TO_BATCH_ND": OpRule(algorithm=Algorithm.CELLS_OF_0),
}
_INT8_ONLY = frozenset(
    f"{op} uint8"
    for op in (
        "ELU", "ABS", "SQRT", "RSQRT", "EXP", "LOG", "SQUARED_DIFFERENCE", "FLOOR_DIV",
        "FLOOR_MOD", "BATCH_MATMUL",
    )
)  # fmt: skip
_ORDER_OF_BOOLS = frozenset(
    f"{op} bool" for op in ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
)
_IN_PLACE = frozenset({"ADD", "SUB", "MUL", "DIV", "SOFTMAX"})
_IN_PLACE_FALLBACK = frozenset({"ADD declined", "SUB declined", "MUL declined", "DIV", "SOFTMAX"})
_TFLM_UNSUPPORTED = frozenset(
    {
        "RELU_N1_TO_1 int8",
        "RELU_N1_TO_1 float32",
        "GELU int8",
        "TILE int8",
        "SQRT int8",
        "EXP int8",
        "LOG int8",
        "REDUCE_PROD integers",
        "FLOOR_DIV int8",
        "FLOOR_MOD int8",
        "SELECT int8",
        "ARG_MAX int64",
        "ARG_MIN int64",
        "EXPAND_DIMS bool",
        "SELECT_V2 bool",
    }
    | _ORDER_OF_BOOLS
    | {
        f"{op} uint8"
        for op in {o.split()[0] for o in _TFLM}
        - {"RESHAPE", "SQUEEZE", "REVERSE_V2", "BROADCAST_TO"}
    }
)
# A delegate runs an op only where the ratio of its scales suits its kernels.
_BELOW_256 = 256 - 2.0**-16  # the float32 before it
_WEIGHTED = OpRule("float32", "float32", clamp_rounding="even", limits=(0.0, _BELOW_256))
_DIRECT = OpRule(
    "single", algorithm=Algorithm.DIRECT, clamp_rounding="even", limits=(2**-10, _BELOW_256)
)
_Q8 = OpRule(algorithm=Algorithm.Q8_MULTIPLIER, limits=(2**-8, 128.0))
_WEIGHTS_OF_11_BITS = dict.fromkeys(
    ("RESIZE_BILINEAR", "RESIZE_BILINEAR uint8"), OpRule(algorithm=Algorithm.WEIGHTS_OF_11_BITS)
)
_XNNPACK = {
    **_OPTIMISED,
    "CONV_2D": _WEIGHTED,
    "CONV_2D uint8": _WEIGHTED,
    "DEPTHWISE_CONV_2D": _WEIGHTED,
    "DEPTHWISE_CONV_2D uint8": replace(_WEIGHTED, algorithm=Algorithm.AXIS_0, fallback=_PRODUCT32),
    "FULLY_CONNECTED": replace(_WEIGHTED, fallback=_OPTIMISED["FULLY_CONNECTED"]),
    "BATCH_MATMUL": replace(
        _WEIGHTED, algorithm=Algorithm.SECOND_ZERO_POINT_0, fallback=_PRODUCT32
    ),
    **{
        op: replace(_WEIGHTED, algorithm=Algorithm.STRIDE_WITHIN_KERNEL, fallback=_OPTIMISED[op])
        for op in ("TRANSPOSE_CONV", "TRANSPOSE_CONV uint8")
    },
    "ADD": replace(_DIRECT, fallback=_OPTIMISED["ADD"]),
    "ADD uint8": replace(_DIRECT, fallback=_OPTIMISED["ADD uint8"]),
    "SUB": replace(_DIRECT, fallback=_DOUBLE),
    "MUL": replace(_WEIGHTED, limits=(2**-16, _BELOW_256), fallback=_OPTIMISED["MUL"]),
    "MEAN": OpRule("float32", "float32", algorithm=Algorithm.RAW_FLOAT32),
    "SUM": OpRule("float32", "float32", algorithm=Algorithm.RAW_FLOAT32),
    **_WEIGHTS_OF_11_BITS,
    "LOGISTIC": OpRule(algorithm=Algorithm.ZERO_POINT_FIRST),
    **dict.fromkeys(("TANH", "ELU"), OpRule(algorithm=Algorithm.ZERO_POINT_FIRST, inexact=_LIBM)),
    "MAX_POOL_2D": OpRule(clamp_rounding="even"),
    "FLOAT32_CHAIN": OpRule(algorithm=Algorithm.INVERSE_EVEN),
    "QUANTIZE": replace(_Q8, fallback=_OPTIMISED["QUANTIZE"]),
    "LEAKY_RELU": replace(_Q8, slopes=(-127.99609375, 128.0), fallback=_FLOAT32),
}
# Every factor in float64, one rounding at each R: what a model that is quantised here computes.
_INTGOLD = {
    **_REFERENCE,
    **dict.fromkeys(
        ("CONV_2D", "CONV_2D uint8", "DEPTHWISE_CONV_2D", "DEPTHWISE_CONV_2D uint8",
         "FULLY_CONNECTED", "TRANSPOSE_CONV", "TRANSPOSE_CONV uint8", "ADD", "SUB", "MUL",
         "QUANTIZE",
         "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1", "ABS", "PRELU", "SQUARED_DIFFERENCE",
         "BATCH_MATMUL", "SUM"),
        OpRule("single"),
    ),
    **dict.fromkeys(
        ("TANH", "GELU", "ELU", "SOFTMAX", "LOG_SOFTMAX", "SQRT", "RSQRT", "LOG", "DIV"), _EXACT
    ),
    "MEAN": OpRule("single", algorithm=Algorithm.DIVIDED),
    **_WEIGHTS_OF_11_BITS,
}  # fmt: skip
_LITERT = "2.3.0"
CONTRACTS: dict[str, Contract] = {
    c.name: c
    for c in (
        Contract("intgold", "intgold", f"SPEC {SPEC_VERSION}", "definition", _INTGOLD),
        Contract(
            "litert_reference", "LiteRT reference kernels", _LITERT, "measured", _REFERENCE,
            _INT8_ONLY | _ORDER_OF_BOOLS | {"ELU int8", "CEIL float32", "ROUND float32"},
            frozenset({"SUM int8"}), _IN_PLACE,
        ),
        Contract(
            "litert_optimised_x86", "LiteRT optimised kernels on x86 with AVX", _LITERT, "measured",
            _OPTIMISED, _INT8_ONLY | _ORDER_OF_BOOLS, in_place=_IN_PLACE,
        ),
        Contract(
            "xnnpack", "XNNPACK as LiteRT's delegate on x86", _LITERT, "measured", _XNNPACK,
            _INT8_ONLY | _ORDER_OF_BOOLS, in_place=_IN_PLACE_FALLBACK, delegates=True,
        ),
        Contract(
            "tflm", "TFLite Micro reference kernels", "2026-10-23", "measured", _TFLM,
            _TFLM_UNSUPPORTED, resizes=False,
        ),
        Contract(
            "cmsis_nn", "CMSIS-NN below TFLite Micro", "default build", "sources",
            {**_TFLM, "SOFTMAX": _UNDEFINED},
            _TFLM_UNSUPPORTED, resizes=False,
        ),
    )
}  # fmt: skip
"""Every contract by its name."""
DEFAULT_CONTRACT = "litert_reference"
"""What a file is imported under where nothing else is asked for."""


@checked
def contract_named(name: str) -> Contract:
    """Return the contract of this name."""
    if name not in CONTRACTS:
        raise ContractError(f"no contract {name!r}; there are {', '.join(CONTRACTS)}")
    return CONTRACTS[name]
