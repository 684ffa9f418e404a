"""Intel memory initialisation files: ``address : word;`` between BEGIN and END."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import pieces, shown
from .word_file import BadWordError, Format, WordFile

_COMMENT = re.compile(rb"--[^\n]*|%[^%]*%", re.S)
_FIELD = re.compile(rb"\s*(WIDTH|DEPTH|ADDRESS_RADIX|DATA_RADIX)\s*=\s*(\w+)\s*", re.I)
_BEGIN = re.compile(rb"\s*CONTENT\s+BEGIN\b", re.I)
_LINE = re.compile(rb"\s*(?:\[\s*(\w+)\s*\.\.\s*(\w+)\s*\]|(\w+))\s*:\s*([^:]*?)\s*")
_RADIX = {b"HEX": 16, b"BIN": 2, b"OCT": 8, b"UNS": 10, b"DEC": 10}


class Mif(Format):
    """One word a line, with its address."""

    name, suffix = "mif", ".mif"
    summary = "Intel memory initialisation file"

    def _comment_lines(self, file: WordFile) -> int:
        return int(file.comments != "none")

    def head(self, file: WordFile) -> bytes:
        """Return the fields."""
        comment = f"-- {file.title}\n" if file.comments != "none" else ""
        return (
            f"{comment}WIDTH={file.word_bits};\nDEPTH={file.end};\n"
            "ADDRESS_RADIX=HEX;\nDATA_RADIX=HEX;\nCONTENT BEGIN\n"
        ).encode()

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return one line a word."""
        at = np.arange(first, first + len(words), dtype=np.int64)
        addresses = file.address + at // file.run * file.step + at % file.run
        octets = addresses.astype("<i8").view(np.uint8).reshape(-1, 8)
        columns: list[np.ndarray | bytes] = [
            digits.to_digits(octets, self._address_bits(file), 16), b" : ",
            digits.to_digits(words, file.word_bits, 16), b";\n",
        ]  # fmt: skip
        return digits.joined(columns, len(words))

    @staticmethod
    def _address_bits(file: WordFile) -> int:
        return max(4, (file.end - 1).bit_length())

    def tail(self, file: WordFile) -> bytes:
        """Return the end."""
        return b"END;\n"

    def most_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word a line with a comment."""
        return 2**16 + (96 + file.word_bits) * file.words

    def place(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return word + 6 + self._comment_lines(file)

    def words_at(self, file: WordFile, place: int) -> range:
        """Return the word of a line."""
        return file.only(place - self.place(file, 0))

    def read(self, where: str, file: WordFile, stream: BinaryIO) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file)
        fields: dict[bytes, bytes] = {}
        begun = ended = False
        for line, text, _ in pieces(where, stream, _COMMENT, b"%", b";"):
            *statements, rest = text.split(b";")
            quick = self._plain(file, statements, inside.next) if begun and not ended else None
            if quick is not None and not rest.strip():
                yield from inside.put(where, inside.next, quick)
                continue
            for statement in statements:
                lead = statement[: len(statement) - len(statement.lstrip())]
                place = f"{where}, line {line + lead.count(bytes([10]))}"
                line += statement.count(b"\n")
                if ended:
                    raise VectorError(f"{place}: more follows the end")
                if not begun and (match := _BEGIN.match(statement)):
                    begun = True
                    self._check_fields(where, file, fields)
                    statement = statement[match.end() :]
                if not begun:
                    field = _FIELD.fullmatch(statement)
                    if field is None or field[1].upper() in fields:
                        raise VectorError(f"{place}: {shown(statement.strip())} is no field")
                    fields[field[1].upper()] = field[2].upper()
                elif statement.strip().upper() == b"END":
                    ended = True
                else:
                    yield from self._line(place, file, fields, statement, inside)
            if rest.strip():
                raise VectorError(f"{where}: {shown(rest.strip())} does not end with a semicolon")
        if not ended:
            raise VectorError(f"{where}: no END")
        yield from inside.finish()

    def _plain(self, file: WordFile, statements: list[bytes], first: int) -> np.ndarray | None:
        """Return the words of lines as the writer makes them; None where any is otherwise."""
        count = len(statements)
        if count < 2 or first + count > file.words:
            return None
        text = b";".join(statements).lstrip()
        width = digits.count(file.word_bits, 16)
        start = digits.count(self._address_bits(file), 16)
        if len(text) != count * (start + 3 + width + 2) - 2:
            return None
        zeros = np.zeros((count, file.word_bytes), np.uint8)
        wanted = np.frombuffer(self.body(file, zeros, first), np.uint8)
        rows = np.frombuffer(text + b";\n", np.uint8).reshape(count, -1)
        frame = wanted.reshape(count, -1)
        fixed = np.ones(frame.shape[1], bool)
        fixed[start + 3 : start + 3 + width] = False
        if (rows[:, fixed] != frame[:, fixed]).any():
            return None
        return digits.from_digits(rows[:, ~fixed], file.word_bits, 16)

    def _check_fields(self, where: str, file: WordFile, fields: dict[bytes, bytes]) -> None:
        for name, wanted in ((b"WIDTH", file.word_bits), (b"DEPTH", file.end)):
            told = fields.get(name, b"nothing").decode("ascii", "replace")
            if told != str(wanted) and (name == b"WIDTH" or not told.isdecimal()
                                        or int(told) < wanted):  # fmt: skip
                raise VectorError(f"{where}: {name.decode()} {told} instead of {wanted}")
        for name in (b"ADDRESS_RADIX", b"DATA_RADIX"):
            if fields.get(name, b"HEX") not in _RADIX:
                raise VectorError(f"{where}: {name.decode()} {shown(fields[name])} is no radix")

    def _line(
        self, place: str, file: WordFile, fields: dict[bytes, bytes], statement: bytes,
        inside: Collector,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        match = _LINE.fullmatch(statement)
        if match is None:
            raise VectorError(f"{place}: {shown(statement.strip())} is not an address and a word")
        radix = _RADIX[fields.get(b"ADDRESS_RADIX", b"HEX")]
        first, last = match[1] or match[3], match[2] or match[3]
        try:
            start, stop = int(first, radix), int(last, radix) + 1
        except ValueError:
            raise VectorError(f"{place}: {shown(statement.strip())}: no address") from None
        number = file.word_of(start)
        values = [self._value(place, file, fields, w, number) for w in match[4].split()]
        if match[3]:
            stop = start + len(values)
        if not values or stop <= start or stop > file.end:
            raise VectorError(f"{place}: {shown(statement.strip())}: no words, or beyond the end")
        repeated = [values[i % len(values)] for i in range(stop - start)]
        yield from inside.put_at(place, start, digits.from_integers(repeated, file.word_bytes))

    def _value(
        self, place: str, file: WordFile, fields: dict[bytes, bytes], word: bytes,
        number: int | None,
    ) -> int:  # fmt: skip
        kind = fields.get(b"DATA_RADIX", b"HEX")
        if re.fullmatch(rb"[0-9a-fA-F]*[xXzZ][0-9a-fA-FxXzZ]*", word) and number is not None:
            raise BadWordError(place, number, f"{shown(word)} is undefined")
        good = rb"-?[0-9]+" if kind == b"DEC" else rb"[0-9a-fA-F]+"
        try:
            if not re.fullmatch(good, word) or len(word) > 1100:
                raise ValueError
            value = int(word, _RADIX[kind])
        except ValueError:
            raise VectorError(
                f"{place}: {shown(word)} is no word of radix {kind.decode()}"
            ) from None
        if value < 0:
            value += 1 << file.word_bits
        if value < 0 or value >> file.word_bits:
            raise VectorError(f"{place}: {shown(word)} has more than {file.word_bits} bits")
        return value
