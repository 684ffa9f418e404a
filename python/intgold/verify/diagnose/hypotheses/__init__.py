"""THE table of hypotheses: bugs that devices have, each with the function that plants it."""

from . import (
    accumulator,
    activation,
    contracts,
    delivery,
    elementwise,
    flips,
    operands,
    pools,
    rounding,
    stuck,
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
    *delivery.HYPOTHESES,
    *stuck.HYPOTHESES,
    *flips.HYPOTHESES,
)

__all__ = ["HYPOTHESES", "Evidence", "Hypothesis", "Variant", "Wording"]
