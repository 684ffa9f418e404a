"""THE table of contracts: how named engines compute the ops of a network file, as data.

A contract is chosen when a file is imported, and its numbers are frozen into the model; no engine
knows a contract's name.  A rule says which arithmetic an op follows; `intgold.importers` turns it
into ops and fields of SPEC.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import ContractError


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
        The ratios of scales s_a * s_b / s_y for which the rule is proved, both ends included; an op
        beyond them is refused.
    """

    form: str = ""
    factor: str = "float64"
    way: str = ""
    group: int = 0
    rest: str = ""
    bounds: str = "away"
    limits: tuple[float, float] = (0.0, math.inf)


@dataclass(frozen=True)
class Contract:
    """The arithmetic of one engine.

    Parameters
    ----------
    name, engine, version : str
        The version is that of the package that the rules were held against.
    rules : mapping of str to Rule
        By the name of the TFLite op.
    unproved : tuple of str
        Ops with a dtype behind them, such as ``MUL uint8``, whose rule was not found: refused.
    """

    name: str
    engine: str
    version: str
    rules: Mapping[str, Rule]
    unproved: tuple[str, ...] = ()


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
    "FULLY_CONNECTED": Rule("double_up", "product32"),
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
_XNNPACK = {
    **_OPTIMISED,
    **dict.fromkeys(
        ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"),
        Rule("float32", "float32", bounds="even", limits=(2**-32, 255.0)),
    ),
    "ADD": Rule("single", way="direct", bounds="even", limits=(2**-10, 255.0)),
    "SUB": Rule("single", way="direct", bounds="even", limits=(2**-10, 255.0)),
    "MUL": Rule("float32", "float32", bounds="even", limits=(2**-16, 255.0)),
    "MEAN": Rule("float32", "float32", way="divided", limits=(2**-8, 127.0)),
    "QUANTIZE": Rule(way="eighths", limits=(2**-8, 127.0)),
    "LEAKY_RELU": Rule(way="eighths", limits=(2**-8, 127.0)),
}
_OPEN = ("DEPTHWISE_CONV_2D uint8",)
_OPEN_X86 = (*_OPEN, "ADD uint8", "SUB uint8")
CONTRACTS: dict[str, Contract] = {
    c.name: c
    for c in (
        Contract("litert_reference", "LiteRT reference kernels", "2.3.0", _REFERENCE),
        Contract(
            "litert_optimised_x86",
            "LiteRT optimised kernels on x86",
            "2.3.0",
            _OPTIMISED,
            _OPEN_X86,
        ),
        Contract("xnnpack", "XNNPACK as LiteRT's delegate", "2.3.0", _XNNPACK, _OPEN),
        Contract("tflm", "TFLite Micro reference kernels", "2026-10-23", _TFLM),
    )
}


def contract_named(name: str) -> Contract:
    """Return the contract of this name."""
    if name not in CONTRACTS:
        raise ContractError(f"no contract {name!r}; there are {', '.join(CONTRACTS)}")
    return CONTRACTS[name]
