"""What the reason of each corner case claims, shown to happen by plain integers."""

from . import (
    elementwise,
    int32,
    layout,
    log_softmax,
    matrices,
    pools,
    resizes,
    softmax,
    tables,
    transposed,
    weighted,
)
from .ran import Ran as Ran

_ROOMS = (
    weighted,
    tables,
    pools,
    elementwise,
    layout,
    int32,
    softmax,
    transposed,
    resizes,
    matrices,
    log_softmax,
)

PROOFS = {op: proofs for room in _ROOMS for op, proofs in room.PROOFS.items()}
"""For each op the function that shows a case's reason, by a pattern of the case's name."""
