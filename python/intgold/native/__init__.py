"""The C engine of csrc/ from Python: every op by itself, and whole models.

The functions have the names and signatures of `intgold.golden` and give the same bits.
"""

from .engine import ISAS, Prepared, acquire_isa, built, compiler, isa_name, variants
from .single_op import FUNCTIONS

globals().update(FUNCTIONS)

__all__ = [
    *FUNCTIONS, "FUNCTIONS", "ISAS", "Prepared", "acquire_isa", "built", "compiler", "isa_name",
    "variants",
]  # fmt: skip
