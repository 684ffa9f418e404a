"""THE table of contracts: how named engines compute the ops of a network file, as data.

A contract is chosen when a file is imported, and its numbers are frozen into the model; no engine
knows a contract's name.  A rule says which arithmetic an op follows; `intgold.importers` turns it
into ops and fields of SPEC.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import ContractError


@dataclass(frozen=True)
class Rule:
    """How an engine computes one op.

    Parameters
    ----------
    form : str
        How it brings int32 to int8 (SPEC 4.2); "" where nothing is scaled.
    factor : str
        How the real factor comes of the scales s_a, s_b (or s_w) and s_y:
        ``float64``: s_a * s_b / s_y in float64; ``product32``: s_a * s_b in float32, the division
        in float64; ``float32``: every step in float32.
    way : str
        Where engines differ in more than a form: the arithmetic by name.
    group : int
        Where a kernel takes so many values at once and does the rest otherwise; 0: it does not.
    rest : str
        The form of the values behind the last whole group.
    bounds : str
        How the ends of a fused activation are quantised: ``away`` or ``even``.
    limits : (float, float)
        The ratios of scales s_a * s_b / s_y that the kernel takes, both ends included.
    slopes : (float, float)
        What the ratio times alpha of LEAKY_RELU may be; its size has the lower limit, too.
    declined : Rule, optional
        Of the kernel that runs an op beyond the limits; without one such a file is refused, as the
        engine does.
    """

    form: str = ""
    factor: str = "float64"
    way: str = ""
    group: int = 0
    rest: str = ""
    bounds: str = "away"
    limits: tuple[float, float] = (0.0, math.inf)
    slopes: tuple[float, float] = (-math.inf, math.inf)
    declined: Rule | None = None


@dataclass(frozen=True)
class Contract:
    """The arithmetic of one engine.

    Parameters
    ----------
    name, engine, version : str
        The version is that of the package that the rules were held against.
    basis : str
        What the rules rest on: ``measured``: held against the engine; ``sources``: read in its
        public sources, as no package brings the engine; ``definition``: SPEC.md.
    rules : mapping of str to Rule
        By the name of the TFLite op; where the dtype matters, ``uint8`` behind it.
    """

    name: str
    engine: str
    version: str
    basis: str
    rules: Mapping[str, Rule]

    def rule(self, op: str, dtype: str) -> Rule | None:
        """Return the rule of an op on int8 or uint8; None: there is none."""
        return self.rules.get(f"{op} {dtype}", self.rules.get(op))


_DOUBLE = Rule("double")
_FLOAT32 = Rule("double", "float32")
_EXACT = Rule()
_MOVED = dict.fromkeys(
    ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "PADV2", "CONCATENATION", "MAX_POOL_2D",
     "AVERAGE_POOL_2D", "SOFTMAX"),
    _EXACT,
)  # fmt: skip
_TABLES = dict.fromkeys(("LOGISTIC", "TANH", "GELU", "ELU", "HARD_SWISH"), _EXACT)

_REFERENCE = {
    **_MOVED, **_TABLES,
    "CONV_2D": _DOUBLE, "DEPTHWISE_CONV_2D": _DOUBLE, "FULLY_CONNECTED": Rule("float64"),
    "ADD": _DOUBLE, "SUB": _DOUBLE, "MUL": _FLOAT32, "MEAN": _DOUBLE,
    "QUANTIZE": _DOUBLE, "LEAKY_RELU": _FLOAT32,
    "RELU": _FLOAT32, "RELU6": _FLOAT32, "RELU_N1_TO_1": _FLOAT32,
}  # fmt: skip
_OPTIMISED = {
    **_REFERENCE,
    "CONV_2D": Rule("double_up"),
    "DEPTHWISE_CONV_2D": Rule("double_up", group=8, rest="double"),
    "DEPTHWISE_CONV_2D uint8": _DOUBLE,
    "FULLY_CONNECTED": Rule("double_up", "product32"),
    "ADD": Rule("double", way="single_inputs", group=16, rest="double"),
    "ADD uint8": Rule("double", way="floored_inputs", group=8, rest="double"),
    "QUANTIZE": Rule("double_up", group=16, rest="double"),
    "MEAN": Rule("double_up", way="raw_sum", group=16, rest="double"),
}
_TFLM = {
    **_REFERENCE,
    "FULLY_CONNECTED": _DOUBLE,
    "MUL": _DOUBLE,
    "RELU6": Rule(way="clamp_alone"),
    "LOGISTIC": Rule(way="fixed_point"),
    "TANH": Rule(way="fixed_point"),
}
# A delegate runs an op only where the ratio of its scales suits its kernels.
_BELOW_256 = 256 - 2.0**-16  # the float32 before it
_WEIGHTED = Rule("float32", "float32", bounds="even", limits=(0.0, _BELOW_256))
_DIRECT = Rule("single", way="direct", bounds="even", limits=(2**-10, _BELOW_256))
_EIGHTHS = Rule(way="eighths", limits=(2**-8, 128.0))
_XNNPACK = {
    **_OPTIMISED,
    "CONV_2D": _WEIGHTED,
    "DEPTHWISE_CONV_2D": _WEIGHTED,
    "DEPTHWISE_CONV_2D uint8": replace(_WEIGHTED, way="axis_0", declined=_DOUBLE),
    "FULLY_CONNECTED": _WEIGHTED,
    "ADD": replace(_DIRECT, declined=_OPTIMISED["ADD"]),
    "ADD uint8": replace(_DIRECT, declined=_OPTIMISED["ADD uint8"]),
    "SUB": replace(_DIRECT, declined=_DOUBLE),
    "MUL": Rule(
        "float32", "float32", bounds="even", limits=(2**-16, _BELOW_256), declined=_FLOAT32
    ),
    "MEAN": Rule("float32", "float32", way="raw_float32"),
    **dict.fromkeys(("LOGISTIC", "TANH", "ELU"), Rule(way="zero_point_first")),
    "QUANTIZE": replace(_EIGHTHS, declined=_OPTIMISED["QUANTIZE"]),
    "LEAKY_RELU": replace(_EIGHTHS, slopes=(-127.99609375, 128.0), declined=_FLOAT32),
}
# Every factor in float64, every op rounded once: what a model that is quantised here computes.
_INTGOLD = {
    **_REFERENCE,
    **dict.fromkeys(
        ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "QUANTIZE",
         "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1"),
        Rule("single"),
    ),
    "MEAN": Rule("single", way="divided"),
}  # fmt: skip
_LITERT = "2.3.0"
CONTRACTS: dict[str, Contract] = {
    c.name: c
    for c in (
        Contract("intgold", "intgold", "SPEC 1.3", "definition", _INTGOLD),
        Contract(
            "litert_reference", "LiteRT reference kernels", _LITERT, "measured", _REFERENCE
        ),
        Contract(
            "litert_optimised_x86", "LiteRT optimised kernels on x86", _LITERT, "measured",
            _OPTIMISED,
        ),
        Contract("xnnpack", "XNNPACK as LiteRT's delegate", _LITERT, "measured", _XNNPACK),
        Contract("tflm", "TFLite Micro reference kernels", "2026-10-23", "measured", _TFLM),
        Contract("cmsis_nn", "CMSIS-NN below TFLite Micro", "default build", "sources", _TFLM),
    )
}  # fmt: skip


def contract_named(name: str) -> Contract:
    """Return the contract of this name."""
    if name not in CONTRACTS:
        raise ContractError(f"no contract {name!r}; there are {', '.join(CONTRACTS)}")
    return CONTRACTS[name]
