"""THE table of hypotheses: bugs that devices have, each with the function that plants it."""

from . import (
    accumulator,
    activation,
    addressing,
    bit_flips,
    contracts,
    elementwise,
    logarithms,
    operands,
    output_order,
    pairs,
    pools,
    resizes,
    rounding,
    stuck_at,
    tables,
    transposed,
    weights,
    windows,
)
from .hypothesis import Evidence as Evidence
from .hypothesis import Hypothesis as Hypothesis
from .hypothesis import Variant as Variant
from .hypothesis import Wording as Wording

FILES = (
    contracts,
    rounding,
    accumulator,
    operands,
    weights,
    windows,
    transposed,
    activation,
    tables,
    pools,
    resizes,
    logarithms,
    elementwise,
    pairs,
    addressing,
    output_order,
    stuck_at,
    bit_flips,
)
"""The kinds of bugs, a file each, in the order in which they are tried."""

HYPOTHESES: tuple[Hypothesis, ...] = tuple(h for file in FILES for h in file.HYPOTHESES)
