"""The C engine of csrc/ from Python: every op by itself, and whole models.

The functions have the names and signatures of `intgold.golden` and give the same bits.
"""

from ..support.moved import renamed
from .engine import ISAS, NativeModel, built, compiler, isa_name, variants
from .single_op import FUNCTIONS

globals().update(FUNCTIONS)

__all__ = [
    *FUNCTIONS,
    "FUNCTIONS",
    "ISAS",
    "NativeModel",
    "built",
    "compiler",
    "isa_name",
    "variants",
]

__getattr__ = renamed(__name__)
