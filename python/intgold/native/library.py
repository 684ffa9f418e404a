"""The compiled C engine as ``ffi`` and ``lib``, in whichever of its two forms build.py made it."""

from importlib.util import find_spec

from ._intgold import ffi

try:
    from ._intgold import lib
except ImportError:
    library = find_spec(f"{__package__}._library")
    assert library is not None
    lib = ffi.dlopen(library.origin)

__all__ = ["ffi", "lib"]
