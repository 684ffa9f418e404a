"""The op table: every op with its fields, shape rule and int32 bounds (SPEC 3 to 7)."""

from .table import OPS, OpKind

__all__ = ["OPS", "OpKind"]
