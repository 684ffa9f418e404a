"""The dump of a device compared with a golden-vector set."""

from .comparison import Comparison, Difference, Report, verify, verify_op

__all__ = ["Comparison", "Difference", "Report", "verify", "verify_op"]
