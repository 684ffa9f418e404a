"""The op table: every op with its fields, shape rule and int32 bounds, one file each."""

from .kind import OpKind
from .table import OPS

__all__ = ["OPS", "OpKind"]
