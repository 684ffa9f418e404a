"""The arithmetic data sheet of a model: formulas with its own constants, worked elements."""

from .document import data_sheet as data_sheet
from .document import write_sheet as write_sheet
