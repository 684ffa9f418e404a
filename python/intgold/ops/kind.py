"""How an op is declared: `OpKind`, one row of the op table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..support.quoting import short_repr
from .bounds import Bounds, InputRanges, Range, need_int32, need_pre_shift
from .fields import Choice, Field
from .shapes import Fields, Shape


def spec_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of a version of SPEC.md."""
    major, minor = text.split(".")
    return int(major), int(minor)


@dataclass(frozen=True)
class OpKind:
    """The declaration of one op.

    Parameters
    ----------
    name : str
        The one name in every place: golden, native, C, SPEC, tests and vectors.
    clause : str
        The SPEC clause that defines it.
    summary : str
        One line for people.
    inputs : tuple of str
        Argument names of the input tensors.
    fields : mapping of str to Field
        Everything else that the op needs, by name, in the order of the C struct.
    shape : callable
        ``(fields, input_shapes) -> output_shape``; raises ModelError on a mismatch.
    dims : callable
        ``(fields, input_shapes, output_shape) -> dict`` of the C struct's dimensions.
    bounds : callable
        ``(fields, input_ranges) -> Bounds`` of accumulator and output; see `prove`.
    input_dtypes : tuple of str
        What the inputs may be: ``int8``, ``int32``, or one of the two.
    dtypes_since : mapping of str to str
        The SPEC version of input dtypes that are younger than the op.
    zero_points : tuple of str
        Zero points that the arithmetic uses, taken from the tensors (``<input>_zero_point``).
    accumulator : bool
        True when the op has an int32 accumulator per output value that a trace shows.
    scratch : bool
        True when the C function works in scratch memory.
    since : str
        The SPEC version that brought it; an artefact asks for no newer one than it needs.
    """

    name: str
    clause: str
    summary: str
    inputs: tuple[str, ...]
    fields: Mapping[str, Field]
    shape: Callable[[Fields, Sequence[Shape]], Shape]
    dims: Callable[[Fields, Sequence[Shape], Shape], dict[str, int]]
    bounds: Callable[[Fields, InputRanges], Bounds]
    input_dtypes: tuple[str, ...] = ("int8",)
    dtypes_since: Mapping[str, str] = field(default_factory=dict)
    zero_points: tuple[str, ...] = ()
    accumulator: bool = False
    scratch: bool = False
    since: str = "1.0"

    __repr__ = short_repr

    def c_name(self, input_dtype: str) -> str:
        """Return the name of the C function for inputs of this dtype."""
        return f"intgold_{self.name}_{'s8' if input_dtype == 'int8' else 's32'}"

    @property
    def takes(self) -> str:
        """The dtypes of inputs, for people."""
        return " or ".join(self.input_dtypes)

    @property
    def can_overflow(self) -> bool:
        """Whether the int32 proof can refuse the op: it has sums, or requantizes."""
        return self.accumulator or "requantize" in self.fields

    def needs(self, fields: Fields, input_dtype: str) -> str:
        """Return the SPEC version that an op with these fields and inputs asks for."""
        chosen = [
            kind.since.get(fields[name], self.since)
            for name, kind in self.fields.items()
            if isinstance(kind, Choice)
        ]
        dtype = self.dtypes_since.get(input_dtype, self.since)
        return max([self.since, dtype, *chosen], key=spec_version)

    def output_dtype(self, fields: Fields) -> str:
        """Return ``int8``; ``int32`` of ops that take int32, and of one that is not requantized."""
        bare = "requantize" in self.fields and fields["requantize"] is None
        return "int32" if bare or "int32" in self.input_dtypes else "int8"

    def prove(
        self, fields: Fields, ranges: Sequence[Range], zero_points: Sequence[int], shape: Shape
    ) -> Bounds:
        """Return the bounds of an op with these fields (SPEC 7).

        Parameters
        ----------
        fields : mapping
            The op's fields.
        ranges : sequence of (int, int)
            Range of each input tensor, raw values.
        zero_points : sequence of int
            Zero point of each input tensor.
        shape : tuple of int
            Of the first input tensor.

        Raises
        ------
        ModelError
            Naming the channel and the bound, where a sum can leave int32.
        """
        centred = [(lo - z, hi - z) for (lo, hi), z in zip(ranges, zero_points, strict=True)]
        bounds = self.bounds(fields, InputRanges(ranges, centred, shape))
        need_int32(bounds.lo, bounds.hi, "accumulator")
        requantize = fields.get("requantize")
        if requantize is not None and bounds.lo is not None and bounds.hi is not None:
            need_pre_shift(requantize, bounds.lo, bounds.hi)
        return bounds
