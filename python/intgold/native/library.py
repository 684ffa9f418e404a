"""The compiled C engine as ``ffi`` and ``lib``, in whichever of its two forms build.py made it."""

from importlib.util import find_spec
from typing import Any

from ._intgold import ffi

lib: Any
try:
    from ._intgold import lib
except ImportError:
    lib = ffi.dlopen(find_spec(f"{__package__}._library").origin)

__all__ = ["ffi", "lib"]
