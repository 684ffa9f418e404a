"""Intel memory initialisation files: ``address : word;`` between BEGIN and END."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import Comments, pieces, shown
from .tokens import BadTokenError, Decimals, Digits
from .word_file import Format, WordFile

_COMMENTS = Comments(re.compile(rb"--[^\n]*|%[^%]*%"), (b"-", b"%"), b"%")
_FIELD = re.compile(rb"\s*(WIDTH|DEPTH|ADDRESS_RADIX|DATA_RADIX)\s*=\s*(\w{1,20})\s*", re.I)
_BEGIN = re.compile(rb"\s*CONTENT\s+BEGIN\b", re.I)
_LINE = re.compile(rb"\s*(?:\[\s*(\w+)\s*\.\.\s*(\w+)\s*\]|(\w+))\s*:\s*([^:]*?)\s*")
_RADIX = {b"HEX": 16, b"BIN": 2, b"OCT": 8, b"UNS": 10, b"DEC": 10}
_ADDRESS = {2: rb"[01]{1,64}", 8: rb"[0-7]{1,22}", 10: rb"[0-9]{1,19}", 16: rb"[0-9a-fA-F]{1,16}"}


@dataclass(frozen=True)
class _Fields:
    """What the fields before CONTENT say."""

    depth: int
    address_radix: int
    parser: Digits | Decimals
    plain: bool  # both radices are the writer's


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
        told: dict[bytes, bytes] = {}
        fields: _Fields | None = None
        ended, rest, start = False, b"", 1
        for line, piece, _ in pieces(where, stream, _COMMENTS):
            *statements, rest = (rest + piece).split(b";")
            if fields and fields.plain and not ended and not rest.strip():
                first = inside.expected
                quick = self._plain(file, statements, first)
                if first is not None and quick is not None:
                    yield from inside.take(f"{where}, line {start} or later", first, quick)
                    start = line + piece.count(b"\n") - rest.count(b"\n")
                    continue
            for statement in statements:
                lead = statement[: len(statement) - len(statement.lstrip())]
                place = f"{where}, line {start + lead.count(bytes([10]))}"
                start += statement.count(b"\n")
                if ended:
                    raise VectorError(f"{place}: more follows the end")
                if fields is None and (match := _BEGIN.match(statement)):
                    fields = self._fields(where, file, told)
                    statement = statement[match.end() :]
                if fields is None:
                    field = _FIELD.fullmatch(statement)
                    if field is None or field[1].upper() in told:
                        raise VectorError(f"{place}: {shown(statement.strip())} is no field")
                    told[field[1].upper()] = field[2].upper()
                elif statement.strip().upper() == b"END":
                    ended = True
                else:
                    yield from self._line(place, file, fields, statement, inside)
            start = line + piece.count(b"\n") - rest.count(b"\n")
        last = rest.strip()
        if last.upper() == b"END" and fields and not ended:
            ended = True
        elif last:
            raise VectorError(f"{where}: {shown(last)} does not end with a semicolon")
        if not ended:
            raise VectorError(f"{where}: no END")
        yield from inside.finish()

    def _plain(
        self, file: WordFile, statements: list[bytes], first: int | None
    ) -> np.ndarray | None:
        """Return the words of lines as the writer makes them; None where any is otherwise."""
        count = len(statements)
        if file.memory_words or first is None or count < 2 or first + count > file.words:
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

    @staticmethod
    def _fields(where: str, file: WordFile, told: dict[bytes, bytes]) -> _Fields:
        for name, wanted in ((b"WIDTH", file.word_bits), (b"DEPTH", file.end)):
            value = told.get(name, b"nothing").decode("ascii", "replace")
            fits = value == str(wanted) or (
                name == b"DEPTH" and value.isdecimal() and int(value) >= wanted
            )
            if not fits and not (value.isdecimal() and int(value) == wanted):
                raise VectorError(f"{where}: {name.decode()} {value} instead of {wanted}")
        for name in (b"ADDRESS_RADIX", b"DATA_RADIX"):
            if told.get(name, b"HEX") not in _RADIX:
                raise VectorError(f"{where}: {name.decode()} {shown(told[name])} is no radix")
        address, data = (_RADIX[told.get(n, b"HEX")] for n in (b"ADDRESS_RADIX", b"DATA_RADIX"))
        parser: Digits | Decimals = Decimals(file.word_bits)
        if data != 10:
            parser = Digits(file.word_bits, data, file.signed, alike=False)
        return _Fields(int(told[b"DEPTH"]), address, parser, address == data == 16)

    @staticmethod
    def _line(
        place: str, file: WordFile, fields: _Fields, statement: bytes, inside: Collector
    ) -> Iterator[np.ndarray]:
        match = _LINE.fullmatch(statement)
        text = shown(statement.strip())
        if match is None or not match[4]:
            raise VectorError(f"{place}: {text} is not an address and a word")
        start, stop = (
            int(word, fields.address_radix)
            if re.fullmatch(_ADDRESS[fields.address_radix], word)
            else -1
            for word in (match[1] or match[3], match[2] or match[3])
        )
        tokens = match[4].split()
        stop = start + len(tokens) - 1 if match[3] else stop
        if start < 0 or stop < start:
            raise VectorError(f"{place}: {text}: no address")
        if stop >= fields.depth:
            raise VectorError(f"{place}: {text}: beyond DEPTH {fields.depth}")
        inside.seek(start)
        try:
            words = fields.parser.words(tokens, inside.number)
        except BadTokenError as bad:
            raise inside.refused(place, bad) from None
        if match[3]:
            yield from inside.put(place, words)
        else:
            yield from inside.fill(place, start, stop + 1, words)
