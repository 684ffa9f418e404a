"""The types of op fields: what a field may hold, and how it is written to an artefact.

``<op>.py`` declares its fields with these types; everything that handles fields without
knowing the op (the artefact, the C binding, the C exporter, ``info``) works from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ModelError
from ..support.quoting import given, short_repr, shown

FORMS = (
    "single",
    "single_away",
    "single_even",
    "single_down",
    "single_zero",
    "double",
    "double_up",
    "float32",
    "float64",
)
"""The closed set of requantize forms of SPEC 4.2, in the order of ``enum intgold_form``."""
SINGLE_FORMS, DOUBLE_FORMS, FLOAT_FORMS = (
    tuple(form for form in FORMS if form.startswith(kind)) for kind in ("single", "double", "float")
)
INTEGER_FORMS = tuple(form for form in FORMS if form not in FLOAT_FORMS)
"""Forms by what they round: those without a float take multipliers of any width."""

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
DTYPE_RANGE = {"int8": (-128, 127), "int32": (INT32_MIN, INT32_MAX)}
"""The dtypes of tensors, with the smallest and the largest integer."""


def integer(where: str, value: Any, lo: int, hi: int) -> int:
    """Return `value` as an int in [lo, hi] or raise ModelError naming `where`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ModelError(f"{where}: {shown(value)} is not an integer")
    if not lo <= value <= hi:
        raise ModelError(f"{where}: {shown(value)} is outside [{lo}, {hi}]")
    return int(value)


def scale(where: str, value: Any) -> float:
    """Return a positive finite real number as a float or raise ModelError naming `where`."""
    try:
        is_number = not isinstance(value, (bool, np.bool_, str, bytes))
        number = float(value) if is_number else 0.0
    except Exception:  # of no number, of a large one, of somebody's own
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise ModelError(f"{where}: {shown(value)} is not a positive finite number")
    return number


def frozen(where: str, value: Any, dtype: str, ndim: int) -> np.ndarray:
    """Return `value` as a read-only, C-ordered, little-endian copy of exactly this dtype."""
    array = value if isinstance(value, np.ndarray) else _array(where, value)
    if array.dtype != np.dtype(dtype):
        raise ModelError(f"{where}: dtype {array.dtype} instead of {dtype}")
    if array.ndim != ndim or array.size == 0:
        raise ModelError(f"{where}: shape {array.shape} instead of {ndim} non-empty dimensions")
    array = np.array(array, dtype=np.dtype(dtype), order="C", copy=True)
    array.setflags(write=False)
    return array


def _array(where: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except Exception:  # ragged lists, or somebody's own __array__
        raise ModelError(f"{where}: {given(value)} is no array") from None


@dataclass(frozen=True, eq=False)
class Requantize:
    """How an int32 accumulator becomes an int8 value (SPEC 4): one entry or one per channel.

    Parameters
    ----------
    form : tuple of str
        Names out of `FORMS`.
    multiplier : ndarray of int32, shape (count,)
        In [0, 2^31-1]; the stored fraction, of weight 2^-right_shift.
    right_shift : ndarray of uint8, shape (count,)
        In [1, 62].
    multiplier_low : ndarray of int32, shape (count,)
        In [0, 2^22-1]: the 22 bits below `multiplier`; only the form ``float64`` has any.
    """

    form: tuple[str, ...]
    multiplier: np.ndarray
    right_shift: np.ndarray
    multiplier_low: np.ndarray

    def __repr__(self) -> str:
        def span(values: np.ndarray) -> str:
            lo, hi = int(np.min(values)), int(np.max(values))
            return str(lo) if lo == hi else f"{lo}..{hi}"

        forms = "/".join(dict.fromkeys(self.form))
        return (
            f"<Requantize of {self.count}: {forms}, multiplier {span(self.multiplier)}, "
            f"right_shift {span(self.right_shift)}>"
        )

    @property
    def count(self) -> int:
        """Number of entries: 1 (per tensor) or the number of channels."""
        return len(self.form)

    @classmethod
    def of(
        cls,
        multiplier: int | Sequence[int] | np.ndarray,
        right_shift: int | Sequence[int] | np.ndarray,
        form: str | Sequence[str] = "single",
        multiplier_low: int | Sequence[int] | np.ndarray = 0,
    ) -> Requantize:
        """Build and check from plain integers; scalars are broadcast to the longest entry."""
        given_parts = (multiplier, right_shift, multiplier_low)
        parts = [np.atleast_1d(_array("requantize", a)) for a in given_parts]
        if not isinstance(form, (str, tuple, list)):
            raise ModelError(f"requantize form: {given(form)} instead of names")
        forms = [form] if isinstance(form, str) else list(form)
        for part, name in zip(parts, ("multiplier", "right_shift", "multiplier_low"), strict=True):
            if part.dtype.kind not in "iu" or part.ndim != 1:
                raise ModelError(f"requantize {name}: integers in one dimension are needed")
        count = max([len(forms), *(p.size for p in parts)])
        if any(n not in (1, count) for n in (len(forms), *(p.size for p in parts))):
            raise ModelError("requantize: entries of different lengths")
        m, t, low = (np.broadcast_to(p.astype(np.int64), count) for p in parts)
        forms = forms * count if len(forms) == 1 else forms
        for c in range(count):
            _check_entry(f"requantize entry {c}", forms[c], int(m[c]), int(t[c]), int(low[c]))
        dtypes = ("int32", "uint8", "int32")
        typed = zip((m, t, low), dtypes, strict=True)
        arrays = [frozen("requantize", a.astype(d), d, 1) for a, d in typed]
        return cls(tuple(forms), *arrays)


def _check_entry(where: str, form: str, multiplier: int, right_shift: int, low: int) -> None:
    """Raise ModelError unless the entry obeys SPEC 4.1."""
    if form not in FORMS:
        raise ModelError(
            f"{where}: unknown form {shown(form)}; this version knows {', '.join(FORMS)}"
        )
    integer(f"{where} multiplier", multiplier, 0, INT32_MAX)
    integer(f"{where} right_shift", right_shift, 1, 62)
    integer(f"{where} multiplier_low", low, 0, 2**22 - 1 if form == "float64" else 0)
    if form in ("float32", "float64") and 0 < multiplier < 2**30:
        raise ModelError(f"{where}: multiplier {multiplier} of form {form} is not normalised")
    if form == "float32" and multiplier % 2**7:
        raise ModelError(f"{where}: multiplier {multiplier} has more than 24 significant bits")
    if form == "float64" and multiplier == 0 and low:
        raise ModelError(f"{where}: multiplier 0 with multiplier_low {low}")


@dataclass(frozen=True)
class Integer:
    """One int in [lo, hi]."""

    lo: int
    hi: int

    def check(self, where: str, value: Any) -> int:
        """Return the checked value."""
        return integer(where, value, self.lo, self.hi)


@dataclass(frozen=True)
class Integers:
    """A fixed number of ints in [lo, hi], each with the name that C gives it."""

    members: tuple[str, ...]
    lo: int
    hi: int

    def check(self, where: str, value: Any) -> tuple[int, ...]:
        """Return the checked value, a tuple, list or array, as a tuple."""
        if isinstance(value, np.ndarray) and value.ndim == 1:
            value = tuple(value)
        if not isinstance(value, (list, tuple)) or len(value) != len(self.members):
            raise ModelError(f"{where}: {shown(value)} instead of ({', '.join(self.members)})")
        pairs = zip(self.members, value, strict=True)
        return tuple(integer(f"{where} {m}", v, self.lo, self.hi) for m, v in pairs)


@dataclass(frozen=True)
class Choice:
    """One of a closed list of names; C sees its index.

    Parameters
    ----------
    values : tuple of str
    since : mapping of str to str
        The SPEC version of those that are younger than the op.
    """

    __repr__ = short_repr

    values: tuple[str, ...]
    since: Mapping[str, str] = field(default_factory=dict)

    def check(self, where: str, value: Any) -> str:
        """Return the checked value."""
        if not isinstance(value, str) or value not in self.values:
            raise ModelError(f"{where}: {shown(value)} is none of {', '.join(self.values)}")
        return str(value)


@dataclass(frozen=True)
class Array:
    """A read-only integer array of this dtype and number of dimensions."""

    dtype: str
    ndim: int

    def check(self, where: str, value: Any) -> np.ndarray:
        """Return the checked value as a read-only C-ordered array."""
        return frozen(where, value, self.dtype, self.ndim)

    def holds(self, array: np.ndarray) -> bool:
        """Return whether `check` would take an array."""
        return array.dtype == np.dtype(self.dtype) and array.ndim == self.ndim and array.size > 0


@dataclass(frozen=True)
class Requantization:
    """A `Requantize`; `optional` ops leave the int32 accumulator when it is None."""

    optional: bool = False

    def check(self, where: str, value: Any) -> Requantize | None:
        """Return the checked value."""
        if value is None and self.optional:
            return None
        if not isinstance(value, Requantize):
            raise ModelError(f"{where}: {type(value).__name__} instead of a Requantize")
        return Requantize.of(value.multiplier, value.right_shift, value.form, value.multiplier_low)


@dataclass(frozen=True)
class Scales:
    """Optional positive float64 scales: metadata for the host, never read by an engine."""

    def check(self, where: str, value: Any) -> tuple[float, ...] | None:
        """Return the checked value as a tuple of float."""
        if value is None:
            return None
        try:
            scales = tuple(value)
        except Exception as error:  # of no sequence, of somebody's own
            raise ModelError(f"{where}: {shown(value)} is not a list of scales") from error
        if not scales:
            raise ModelError(f"{where}: an empty list of scales")
        return tuple(scale(where, v) for v in scales)


Field = Integer | Integers | Choice | Array | Requantization | Scales


XY_ZERO_POINTS = ("x_zero_point", "y_zero_point")
ACT: dict[str, Field] = {"act_min": Integer(-128, 127), "act_max": Integer(-128, 127)}
KERNEL = Integers(("kernel_h", "kernel_w"), 1, 2**15)
STRIDE = Integers(("stride_h", "stride_w"), 1, 2**15)
DILATION = Integers(("dilation_h", "dilation_w"), 1, 2**15)
PADDING = Integers(("pad_top", "pad_bottom", "pad_left", "pad_right"), 0, 2**15)
"""Fields, and names of zero points, that several ops declare."""
