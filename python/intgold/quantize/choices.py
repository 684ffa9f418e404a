"""The choices of quantisation: each has a default, is checked, and is stored in the artefact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from ..errors import ModelError
from ..ops.fields import FLOAT_FORMS, FORMS
from ..support.arguments import check_fields
from ..support.quoting import short_repr, shown
from .calibrate import check_method

_ACTIVATION = re.compile(r"lut|pwl:(\d{1,2})")


@dataclass(frozen=True)
class Choices:
    """How a float network becomes an integer model.

    Parameters
    ----------
    calibration : str
        ``minmax``, ``percentile:P`` or ``mse``: see `intgold.quantize.calibrate.Ranges`.
    activation : str
        ``lut``: tables of 256 entries; ``pwl:N``: at most N linear segments, 2 to 64.
    activations : mapping of str to str
        The same for single layers, by name; it goes before `activation`.
    per_channel : bool
        One weight scale per output channel, or one per layer.
    weight_bits : int
        2 to 8: weights lie in [-(2^(bits-1) - 1), 2^(bits-1) - 1], stored as int8.
    weight_scales : str
        ``max``: the largest weight fills the range; ``mse``: the scale with the
        smallest squared error.
    multiplier_bits : int
        1 to 31 significant bits of every multiplier; 1 is only a shift.  Below 31 the weights
        and the scales follow the multiplier.
    form : str
        Of every requantize (SPEC 4.2).

    Raises
    ------
    ModelError
        Naming the choice and the value.
    """

    __repr__ = short_repr

    calibration: str = "minmax"
    activation: str = "lut"
    activations: Mapping[str, str] = field(default_factory=dict)
    per_channel: bool = True
    weight_bits: int = 8
    weight_scales: str = "max"
    multiplier_bits: int = 31
    form: str = "single"

    def __post_init__(self) -> None:
        _within("weight_bits", self.weight_bits, 2, 8)
        _within("multiplier_bits", self.multiplier_bits, 1, 31)
        check_method(self.calibration)
        check_fields(self, "choices:")
        object.__setattr__(self, "activations", MappingProxyType(dict(self.activations)))
        for choice in (self.activation, *self.activations.values()):
            _segments(choice)
        if self.weight_scales not in ("max", "mse"):
            raise ModelError(f"weight_scales {self.weight_scales!r} is neither max nor mse")
        if self.form not in FORMS:
            raise ModelError(f"unknown form {self.form!r}; known: {', '.join(FORMS)}")
        if self.form in FLOAT_FORMS and self.multiplier_bits < 31:
            raise ModelError(
                f"multiplier_bits {self.multiplier_bits}: form {self.form} has its own width"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return _rebuilt, ({**values, "activations": dict(self.activations)},)

    @property
    def largest_weight(self) -> int:
        """The largest integer weight: 127 for eight bits."""
        return int(2 ** (self.weight_bits - 1) - 1)

    @property
    def narrow(self) -> bool:
        """Whether multipliers have fewer than 31 bits, so that scales must follow them."""
        return self.multiplier_bits < 31

    @property
    def significant_bits(self) -> int:
        """Bits of a multiplier: those of float32 and float64 in the forms of that name."""
        return {"float32": 24, "float64": 53}.get(self.form, self.multiplier_bits)

    def segments(self, layer: str) -> int | None:
        """Return the most segments of an activation layer, or None for a table."""
        return _segments(self.activations.get(layer, self.activation))

    def metadata(self) -> dict[str, str]:
        """Return the choices as texts by name, for the artefact."""
        return {
            "calibration": self.calibration,
            "activation": self.activation,
            "activations": ", ".join(f"{n}={c}" for n, c in sorted(self.activations.items())),
            "weights": "per output channel" if self.per_channel else "per tensor",
            "weight_bits": str(self.weight_bits),
            "weight_scales": self.weight_scales,
            "multiplier_bits": str(self.significant_bits),
            "form": self.form,
        }


def _rebuilt(values: dict[str, Any]) -> Choices:
    return Choices(**values)


def _segments(choice: str) -> int | None:
    found = _ACTIVATION.fullmatch(str(choice))
    if found is None or (found[1] and not 2 <= int(found[1]) <= 64):
        raise ModelError(f"activation {choice!r} is neither lut nor pwl:N with N from 2 to 64")
    return int(found[1]) if found[1] else None


def _within(name: str, value: int, lo: int, hi: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not lo <= value <= hi:
        raise ModelError(f"{name} {shown(value)} is not an integer from {lo} to {hi}")
