"""The arithmetic data sheet of a model: formulas with its own constants, worked elements."""

from .document import data_sheet, write_sheet

__all__ = ["data_sheet", "write_sheet"]
