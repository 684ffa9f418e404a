"""The op log_softmax (SPEC 5.26): fields and depth of a softmax."""

from __future__ import annotations

from dataclasses import replace

from . import softmax

OP = replace(
    softmax.OP,
    name="log_softmax",
    clause="5.26",
    summary="logarithm of a fixed-point softmax over the last dimension",
    since="1.5",
)
