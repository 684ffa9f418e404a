"""Models written for other tools."""

from .c import c_source, write_c
from .engine import copy_engine, export_c

__all__ = ["c_source", "copy_engine", "export_c", "write_c"]
