"""Activation functions in NumPy, each in the dtype of its argument (float32 or float64)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import ModelError
from ..support.array_types import FloatArray

Activation = Callable[[FloatArray], FloatArray]

# The constants of the SELU paper (Klambauer et al., 2017), in float64.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

CLAMPS: dict[str, float] = {"relu": math.inf, "relu6": 6.0}
"""Activations that are a clamp to [0, limit]: the integer ops clamp at no cost."""


def _erf(x: FloatArray) -> FloatArray:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), x.dtype)


def relu(x: FloatArray) -> FloatArray:
    """Return max(x, 0)."""
    return np.maximum(x, x.dtype.type(0))


def relu6(x: FloatArray) -> FloatArray:
    """Return min(max(x, 0), 6)."""
    return np.clip(x, x.dtype.type(0), x.dtype.type(6))


def leaky_relu(x: FloatArray, alpha: float) -> FloatArray:
    """Return x above 0 and alpha*x below."""
    return np.where(x > 0, x, x.dtype.type(alpha) * x)


def selu(x: FloatArray) -> FloatArray:
    """Return SELU."""
    one = x.dtype.type
    negative = one(SELU_SCALE * SELU_ALPHA) * np.expm1(np.minimum(x, one(0)))
    return np.where(x > 0, one(SELU_SCALE) * x, negative)


def elu(x: FloatArray, alpha: float) -> FloatArray:
    """Return x above 0 and alpha*(exp(x) - 1) below."""
    one = x.dtype.type
    return np.where(x > 0, x, one(alpha) * np.expm1(np.minimum(x, one(0))))


def gelu(x: FloatArray) -> FloatArray:
    """Return GELU, x times the distribution function of the normal distribution."""
    one = x.dtype.type
    return one(0.5) * x * (one(1) + _erf(x * one(math.sqrt(0.5))))


def gelu_tanh(x: FloatArray) -> FloatArray:
    """Return GELU in its tanh form."""
    one = x.dtype.type
    inner = one(np.sqrt(2.0 / np.pi)) * (x + one(0.044715) * x * x * x)
    return one(0.5) * x * (one(1) + np.tanh(inner))


def sigmoid(x: FloatArray) -> FloatArray:
    """Return 1/(1 + exp(-x)), by tanh: it overflows nowhere."""
    one = x.dtype.type
    return one(0.5) * (one(1) + np.tanh(one(0.5) * x))


def silu(x: FloatArray) -> FloatArray:
    """Return x*sigmoid(x)."""
    return x * sigmoid(x)


def tanh(x: FloatArray) -> FloatArray:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


def absolute(x: FloatArray) -> FloatArray:
    """Return the absolute value."""
    return np.abs(x)


def hardsigmoid(x: FloatArray) -> FloatArray:
    """Return min(max(x + 3, 0), 6)/6."""
    return relu6(x + x.dtype.type(3)) / x.dtype.type(6)


def softplus(x: FloatArray) -> FloatArray:
    """Return log(1 + exp(x)), which overflows nowhere."""
    return np.logaddexp(x.dtype.type(0), x)


def mish(x: FloatArray) -> FloatArray:
    """Return x*tanh(softplus(x))."""
    return x * np.tanh(softplus(x))


def affine(x: FloatArray, alpha: float, beta: float) -> FloatArray:
    """Return alpha*x + beta."""
    return x.dtype.type(alpha) * x + x.dtype.type(beta)


def clip(x: FloatArray, alpha: float, beta: float) -> FloatArray:
    """Return min(max(x, alpha), beta)."""
    return np.clip(x, x.dtype.type(alpha), x.dtype.type(beta))


def hardswish(x: FloatArray) -> FloatArray:
    """Return x*min(max(x + 3, 0), 6)/6."""
    return x * relu6(x + x.dtype.type(3)) / x.dtype.type(6)


_PLAIN: dict[str, Activation] = {
    f.__name__: f
    for f in (
        relu, relu6, selu, gelu, gelu_tanh, silu, tanh, sigmoid, hardswish, absolute, hardsigmoid,
        softplus, mish,
    )
}  # fmt: skip
_WITH_ALPHA: dict[str, Callable[[FloatArray, float], FloatArray]] = {
    f.__name__: f for f in (leaky_relu, elu)
}
_WITH_BOTH: dict[str, Callable[[FloatArray, float, float], FloatArray]] = {
    f.__name__: f for f in (affine, clip)
}
KINDS = (*_PLAIN, *_WITH_ALPHA, *_WITH_BOTH)
"""Every activation by name."""


def takes_alpha(kind: str) -> bool:
    """Return whether an activation has the parameter alpha."""
    return kind in _WITH_ALPHA or kind in _WITH_BOTH


def takes_beta(kind: str) -> bool:
    """Return whether an activation has the parameter beta."""
    return kind in _WITH_BOTH


def activation_function(kind: str, alpha: float = 0.0, beta: float = 0.0) -> Activation:
    """Return the function of an activation.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    alpha, beta : float
        Slope of leaky_relu below 0, height of elu; factor and summand of affine, lower and upper
        bound of clip; the others have none.

    Raises
    ------
    ModelError
        When there is no such activation.
    """
    if kind in _WITH_ALPHA:
        function = _WITH_ALPHA[kind]
        return lambda x: function(x, alpha)
    if kind in _WITH_BOTH:
        both = _WITH_BOTH[kind]
        return lambda x: both(x, alpha, beta)
    if kind not in _PLAIN:
        raise ModelError(f"activation {kind!r} is none of {', '.join(KINDS)}")
    return _PLAIN[kind]
