"""The arithmetic data sheet of a model: formulas with its own constants, worked elements."""

from .content import data_sheet as data_sheet
from .content import write_sheet as write_sheet
