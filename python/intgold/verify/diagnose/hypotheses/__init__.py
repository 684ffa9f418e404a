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
from .hypothesis import Evidence, Hypothesis, Variant, Wording

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

__all__ = ["HYPOTHESES", "Evidence", "Hypothesis", "Variant", "Wording"]
