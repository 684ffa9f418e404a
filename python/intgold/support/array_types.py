"""Array types for annotations: with the kind of number, type checkers know what operators give."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.signedinteger[Any]]
"""Signed integers: int8 and int32 of a model, int64 between two steps."""
FloatArray: TypeAlias = NDArray[np.floating[Any]]
"""Real numbers in float32 or float64."""
BoolArray: TypeAlias = NDArray[np.bool_]
"""A truth for each element."""
