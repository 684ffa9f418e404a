"""Intel HEX: bytes by address in records with checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from .collector import Collector
from .text import Comments, pieces, shown_token
from .word_file import Format, Sought, WordFile

_RECORD, _SEGMENT = 16, 2**16
_LINE = re.compile(rb":((?:[0-9a-fA-F]{2})+)")
_NONE = Comments(re.compile(rb"(?!)"), ())


def _record(kind: int, address: int, data: bytes) -> bytes:
    octets = bytes([len(data), address >> 8 & 255, address & 255, kind]) + data
    return b":%b%02X\n" % (octets.hex().upper().encode(), -sum(octets) & 255)


class IntelHex(Format):
    """Records of 16 bytes; every run starts a record, no record crosses 64 KiB."""

    name, suffix = "ihex", ".ihex"
    summary = "Intel HEX, byte addresses from the memory's base"

    def head(self, file: WordFile) -> bytes:
        """Return the upper half of the first address."""
        if file.base + file.end * file.word_bytes > 2**32:
            raise VectorError(
                f"{file.name}: Intel HEX has addresses below 2^32, not "
                f"0x{file.base + file.end * file.word_bytes - 1:x}"
            )
        return _record(4, 0, (self._start(file, 0) >> 16).to_bytes(2, "big"))

    @staticmethod
    def _start(file: WordFile, run: int) -> int:
        """Return the byte address of a run."""
        return file.base + (file.address + run * file.step) * file.word_bytes

    def _segments(self, file: WordFile, run: int) -> Iterator[tuple[int, int, bool]]:
        """Yield (first, last + 1, whether an address record precedes) of each 64 KiB of a run."""
        at = self._start(file, run)
        stop = at + file.run * file.word_bytes
        upper = at >> 16
        if run:
            upper = (self._start(file, run - 1) + file.run * file.word_bytes - 1) >> 16
        while at < stop:
            end = min(stop, at - at % _SEGMENT + _SEGMENT)
            yield at, end, at >> 16 != upper
            upper, at = at >> 16, end

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return the records of some runs."""
        data = words.tobytes()
        size = file.run * file.word_bytes
        made = []
        for i in range(len(words) // file.run):
            run = first // file.run + i
            start = self._start(file, run)
            for first_byte, end, moved in self._segments(file, run):
                if moved:
                    made.append(_record(4, 0, (first_byte >> 16).to_bytes(2, "big")))
                for at in range(first_byte, end, _RECORD):
                    offset = i * size + at - start
                    count = min(_RECORD, end - at)
                    made.append(_record(0, at & 0xFFFF, data[offset : offset + count]))
        return b"".join(made)

    def tail(self, file: WordFile) -> bytes:
        """Return the last record."""
        return b":00000001FF\n"

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that lets every byte be a record of its own."""
        return 2**16 + 48 * file.length * file.word_bytes

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word's first byte."""
        line = 1
        for run in range(word // file.run + 1):
            expected = self._start(file, run) + word % file.run * file.word_bytes
            for first, end, moved in self._segments(file, run):
                line += moved
                if run == word // file.run and first <= expected < end:
                    return line + 1 + (expected - first) // _RECORD
                line += -(-(end - first) // _RECORD)
        raise ValueError(f"word {word} of {file.words}")

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the words that have a byte in a line's record."""
        line = 1
        for run in range(file.count):
            start = self._start(file, run)
            for first, end, moved in self._segments(file, run):
                line += moved
                records = -(-(end - first) // _RECORD)
                if line < line_or_offset <= line + records:
                    at = first + (line_or_offset - line - 1) * _RECORD
                    last = min(at + _RECORD, end) - 1
                    return range(
                        run * file.run + (at - start) // file.word_bytes,
                        run * file.run + (last - start) // file.word_bytes + 1,
                    )
                line += records
        return range(0)

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file, sought)
        held = b""  # of bytes that follow one another
        lines: list[int] = []  # of each of them, where a word is sought
        start = upper = number = 0
        ended = False
        for line, piece in pieces(where, stream, _NONE):
            for number, row in enumerate(piece.split(b"\n"), line):
                text, place = row.strip(), f"{where}, line {number}"
                if not text:
                    continue
                kind, address, octets = self._fields(place, text, ended=ended)
                if kind == 0:
                    at = upper + address
                    if held and at != start + len(held):
                        yield from self._emit(place, file, inside, start, held, lines)
                        held, lines = b"", []
                    if not held:
                        start = at
                    held += octets
                    lines += [number] * len(octets) if sought else []
                elif kind in (2, 4):
                    if len(octets) != 2:
                        raise VectorError(f"{place}: an address record of {len(octets)} bytes")
                    upper = int.from_bytes(octets, "big") << (16 if kind == 4 else 4)
                elif kind == 1:
                    ended = True
                elif kind not in (3, 5):
                    raise VectorError(f"{place}: record type {kind}")
                if len(held) >= 2**16 and len(held) % file.word_bytes == 0:
                    yield from self._emit(place, file, inside, start, held, lines)
                    start, held, lines = start + len(held), b"", []
        if held:
            yield from self._emit(f"{where}, line {number}", file, inside, start, held, lines)
        if not ended:
            raise VectorError(f"{where}: no end record")
        yield from inside.finish()

    def _fields(self, place: str, text: bytes, *, ended: bool) -> tuple[int, int, bytes]:
        match = _LINE.fullmatch(text)
        octets = bytes.fromhex(match[1].decode()) if match else b""
        if len(octets) < 5 or octets[0] != len(octets) - 5:
            raise VectorError(f"{place}: {shown_token(text)} is no record")
        if sum(octets) & 255:
            expected = -sum(octets[:-1]) & 255
            raise VectorError(
                f"{place}: wrong checksum: {octets[-1]:02X} instead of {expected:02X}"
            )
        if ended:
            raise VectorError(f"{place}: more follows the end record")
        return octets[3], int.from_bytes(octets[1:3], "big"), octets[4:-1]

    def _emit(
        self, place: str, file: WordFile, inside: Collector, start: int, held: bytes,
        lines: list[int],
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """Hand on whole words; bytes that follow one another may run from one image to the next."""
        address, remainder = divmod(start - file.base, file.word_bytes)
        if remainder or len(held) % file.word_bytes or start < file.base:
            raise VectorError(f"{place}: bytes that are no whole words of this file")
        words = np.frombuffer(held, np.uint8).reshape(-1, file.word_bytes)
        spare = 8 * file.word_bytes - file.word_bits
        inside.seek(address)
        if spare:
            overfull = np.flatnonzero(words[:, -1] >> (8 - spare)).tolist()
            if any(inside.number(i) is not None or not file.memory_words for i in overfull):
                raise VectorError(f"{place}: a word has more than {file.word_bits} bits")
        line_of = (lambda i: lines[i * file.word_bytes]) if lines else None
        yield from inside.put(place, words, line_of)
