"""What the reason of each corner case claims, shown to happen by plain integers."""

from . import elementwise, int32, pools, tables, weighted
from .ran import Ran as Ran

PROOFS = weighted.PROOFS | tables.PROOFS | pools.PROOFS | elementwise.PROOFS | int32.PROOFS
"""For each op the function that shows a case's reason, by a pattern of the case's name."""
