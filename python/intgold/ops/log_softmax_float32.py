"""The op log_softmax_float32 (SPEC 5.27): the table of a softmax_float32, and the scale itself."""

from __future__ import annotations

from dataclasses import replace

from . import softmax_float32
from .fields import Choice, Integer

MOST_SCALE_BITS = 240 << 23
"""The bits of 2^113: no product or difference comes near to infinity."""

OP = replace(
    softmax_float32.OP,
    name="log_softmax_float32",
    clause="5.27",
    summary="logarithm of a softmax over the last dimension by a table of float32 exponentials",
    fields={
        "form": Choice(("signed", "unsigned")),
        "scale_bits": Integer(1, MOST_SCALE_BITS),
        "table": softmax_float32.OP.fields["table"],
    },
    since="1.5",
)
