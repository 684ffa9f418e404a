"""NumPy .npy, version 1.0, little-endian, C order: the array itself, whatever the layout."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from ...support.safe_files import npy_header
from .raw import Raw, read_exactly
from .word_file import Format, Sought, WordFile, too_few_words


class Npy(Format):
    """The words are the elements."""

    name, suffix, lines = "npy", ".npy", False
    summary = "NumPy, the array itself"
    _values = Raw("values", "", big=False, summary="")

    def head(self, file: WordFile) -> bytes:
        """Return the header of a file of the array's dtype and shape."""
        stream = io.BytesIO()
        descr = np.lib.format.dtype_to_descr(np.dtype(file.dtype).newbyteorder("<"))
        np.lib.format.write_array_header_1_0(
            stream, {"descr": descr, "fortran_order": False, "shape": file.shape}
        )
        return stream.getvalue()

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return the values."""
        return words.tobytes()

    def max_bytes(self, file: WordFile) -> int:
        """Return the size of the values and of the longest header of version 1.0."""
        return 2**16 + 10 + file.words * file.word_bytes

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the byte offset of a value."""
        return len(self.head(file)) + word * file.word_bytes

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the value of a byte."""
        return self._values.words_at(file, line_or_offset - len(self.head(file)))

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the values; dtype and shape must be exactly the array's."""
        start = read_exactly(stream, 10)
        text = read_exactly(stream, int.from_bytes(start[8:10], "little"))
        dtype, shape, fortran = npy_header(where, start + text)
        if fortran:
            raise VectorError(f"{where}: in Fortran order; save numpy.ascontiguousarray(x)")
        if dtype != np.dtype(file.dtype) or shape != file.shape:
            problem = f"{dtype} {shape} instead of {file.dtype} {file.shape}"
            if dtype == np.dtype(file.dtype) and shape[1:] == file.shape[1:] and shape:
                raise too_few_words(where, problem, file, shape[0] * file.run)
            raise VectorError(f"{where}: {problem}")
        yield from self._values.read(where, file, stream)
