"""Files of other tools as integer models, each with the arithmetic of a named engine."""

from .tflite.convert import import_tflite

__all__ = ["import_tflite"]
