"""intgold: variants C (../peer_lib.c, camera bytes in) and Python (a prepared model, int8 in)."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path

import numpy as np
from peer_lib import LIBRARY

import intgold

from .network import CLASSES, Network

ORDERS_ITSELF = True


def _bytes(images: np.ndarray) -> np.ndarray:
    return np.round(images * 255).astype(np.uint8)


def _library() -> ctypes.CDLL:
    """Return the library, loaded anew: each holds one model."""
    with tempfile.TemporaryDirectory() as folder:
        return ctypes.CDLL(shutil.copy(LIBRARY, Path(folder, "peer.so")))


class FromC:
    """The engine without Python: one call from a loop, by ctypes."""

    def __init__(self, name: str, batch: int) -> None:
        library = _library()
        if library.peer_init(name.encode()):
            raise RuntimeError(f"peer_init {name} failed")
        self._images = np.zeros((batch, 784), np.uint8)
        self._logits = np.zeros((batch, CLASSES), np.int32)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (self._images, self._logits)]
        arguments = pointers[0], ctypes.c_int(batch), pointers[1]
        self.run = lambda: library.peer_run(*arguments)
        self._model = intgold.load(name)

    def feed(self, images: np.ndarray) -> None:
        """Write the images as camera bytes."""
        self._images[:] = _bytes(images).reshape(self._images.shape)

    def answers(self) -> np.ndarray:
        """Return the logits as reals."""
        return self._model.dequantize(self._logits)


class FromPython:
    """`Session.run` on a batch that is int8 already."""

    def __init__(self, name: str) -> None:
        self._model = intgold.load(name)
        self._session = self._model.prepare()

    def feed(self, images: np.ndarray) -> None:
        """Take the images as int8."""
        self._x = self._model.quantize_input(_bytes(images))

    def run(self) -> None:
        """Compute the batch."""
        self._y = self._session.run(self._x).output

    def answers(self) -> np.ndarray:
        """Return the logits as reals."""
        return self._model.dequantize(self._y)


def build(network: Network, batch: int, calibration: np.ndarray, variant: str) -> object:
    """Return a runner."""
    return FromC(network.name, batch) if variant == "C" else FromPython(network.name)
