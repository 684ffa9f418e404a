"""Models written for other tools."""

from .c import c_source, write_c

__all__ = ["c_source", "write_c"]
