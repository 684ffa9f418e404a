"""The dump of a device compared with a golden-vector set."""

from ..support.moved import renamed
from .comparison import ArrayComparison, DumpComparison, FirstDifference, verify, verify_op

__all__ = ["ArrayComparison", "DumpComparison", "FirstDifference", "verify", "verify_op"]

__getattr__ = renamed(__name__)
