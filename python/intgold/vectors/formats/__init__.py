"""File formats of vector sets: one module per format, all with the same four functions.

``header(dtype, shape)`` gives the first bytes of a file, ``encode(part)`` those of some images,
``decode(where, data, dtype, shape)`` the array in a whole file, which has at most
``most_bytes(dtype, shape)``.  A new format is a module and a
row of `FORMATS`.
"""

from types import ModuleType

from . import hexlines, npy

FORMATS: dict[str, ModuleType] = {"npy": npy, "hex": hexlines}
"""Format by its name, which is also the file extension."""
