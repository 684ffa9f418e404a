"""THE table of hypotheses: bugs that devices have, each with the function that plants it."""

from . import (
    accumulator,
    activation,
    delivery,
    elementwise,
    flips,
    operands,
    pools,
    rounding,
    tables,
    windows,
)
from .hypothesis import Evidence, Hypothesis, Variant

HYPOTHESES: tuple[Hypothesis, ...] = (
    *rounding.HYPOTHESES,
    *accumulator.HYPOTHESES,
    *operands.HYPOTHESES,
    *windows.HYPOTHESES,
    *activation.HYPOTHESES,
    *tables.HYPOTHESES,
    *pools.HYPOTHESES,
    *elementwise.HYPOTHESES,
    *delivery.HYPOTHESES,
    *flips.HYPOTHESES,
)

__all__ = ["HYPOTHESES", "Evidence", "Hypothesis", "Variant"]
