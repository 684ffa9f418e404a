"""The compiled C engine as ``ffi`` and ``lib``, in whichever of its two forms build.py made it."""

from importlib.util import find_spec

from ._intgold import ffi as ffi

try:
    from ._intgold import lib as lib
except ImportError:
    spec = find_spec(f"{__package__}._compiled")
    assert spec is not None
    lib = ffi.dlopen(spec.origin)
