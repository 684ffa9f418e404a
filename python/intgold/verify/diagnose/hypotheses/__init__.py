"""THE table of hypotheses: bugs that devices have, each with the function that plants it."""

from . import (
    accumulator,
    activation,
    bit_flips,
    contracts,
    elementwise,
    operands,
    output_order,
    pools,
    rounding,
    stuck_at,
    tables,
    weights,
    windows,
)
from .hypothesis import Evidence as Evidence
from .hypothesis import Hypothesis as Hypothesis
from .hypothesis import Variant as Variant
from .hypothesis import Wording as Wording

HYPOTHESES: tuple[Hypothesis, ...] = (
    *contracts.HYPOTHESES,
    *rounding.HYPOTHESES,
    *accumulator.HYPOTHESES,
    *operands.HYPOTHESES,
    *weights.HYPOTHESES,
    *windows.HYPOTHESES,
    *activation.HYPOTHESES,
    *tables.HYPOTHESES,
    *pools.HYPOTHESES,
    *elementwise.HYPOTHESES,
    *output_order.HYPOTHESES,
    *stuck_at.HYPOTHESES,
    *bit_flips.HYPOTHESES,
)
