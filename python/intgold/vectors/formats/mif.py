"""Intel memory initialisation files: ``address : word;`` between BEGIN and END."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import Comments, pieces, shown_token, token_lines
from .tokens import Decimals, Digits, InvalidTokenError
from .word_file import Format, Sought, WordFile, too_few_words

_COMMENTS = Comments(re.compile(rb"--[^\n]*|%[^%]*%"), (b"-", b"%"), b"%")
_FIELD = re.compile(rb"\s*(WIDTH|DEPTH|ADDRESS_RADIX|DATA_RADIX)\s*=\s*(\w{1,20})\s*", re.I)
_BEGIN = re.compile(rb"(?:^|(?<=;))\s*CONTENT\s+BEGIN\b", re.I)
_END = re.compile(rb"(?:^|(?<=;))\s*END\s*;", re.I)
_SINGLE = re.compile(rb"\s*[0-9a-fA-F]{1,19}\s*:\s*-?\w+\s*")
_LINE = re.compile(rb"\s*(?:\[\s*(\w+)\s*\.\.\s*(\w+)\s*\]|(\w+))\s*:\s*([^:]*?)\s*")
_RADIX = {b"HEX": 16, b"BIN": 2, b"OCT": 8, b"UNS": 10, b"DEC": 10}
_HEAD_BYTES = 2**20
_ADDRESS = {2: rb"[01]{1,64}", 8: rb"[0-7]{1,22}", 10: rb"[0-9]{1,19}", 16: rb"[0-9a-fA-F]{1,16}"}


@dataclass(frozen=True)
class _MifHeader:
    """What the fields before CONTENT say."""

    depth: int
    address_radix: int
    parser: Digits | Decimals


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
        return digits.join_columns(columns, len(words))

    @staticmethod
    def _address_bits(file: WordFile) -> int:
        return max(4, (file.end - 1).bit_length())

    def tail(self, file: WordFile) -> bytes:
        """Return the end."""
        return b"END;\n"

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each word a line with a comment."""
        return 2**16 + (96 + file.word_bits) * file.length

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return word + 6 + self._comment_lines(file)

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the word of a line."""
        return file.only(line_or_offset - self.line_or_offset(file, 0))

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file, sought)
        fields: _MifHeader | None = None
        ended, text, at = False, b"", 1
        for line, piece in pieces(where, stream, _COMMENTS):
            text += piece
            if fields is None:
                begin = _BEGIN.search(text)
                if begin is None and len(text) <= _HEAD_BYTES:
                    continue
                fields = _fields(where, file, text[: begin.start()] if begin else text)
                text = text[begin.end() :] if begin else text
            at = line + piece.count(b"\n") - text.count(b"\n")
            end = None if ended else _END.search(text)
            cut = end.start() if end else text.rfind(b";") + 1
            if ended and text.strip():
                raise VectorError(f"{where}, line {at}: more follows the end")
            statements = text[:cut].split(b";")[:-1]
            for single, group in groupby(statements, lambda s: _SINGLE.fullmatch(s) is not None):
                rows = [*group]
                if single and len(rows) > 1:
                    yield from self._singles(where, at, fields, rows, inside)
                else:
                    yield from self._lines(where, at, fields, rows, inside)
                at += sum(row.count(b"\n") for row in rows)
            text = text[end.end() if end else cut :]
            ended = ended or bool(end)
            if ended and text.strip():
                raise VectorError(f"{where}: more follows the end")
        remainder = text.strip()
        if fields is None or (not ended and remainder.upper() != b"END"):
            problem = (
                f"{shown_token(remainder)} does not end with a semicolon" if remainder else "no END"
            )
            raise VectorError(f"{where}: {problem if fields else 'no CONTENT BEGIN'}")
        yield from inside.finish()

    def _singles(
        self, where: str, at: int, fields: _MifHeader, rows: list[bytes],
        inside: Collector,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """Take statements of one address and one word, those that follow one another at once."""
        halves = [row.split(b":") for row in rows]
        try:
            places = [int(a, fields.address_radix) for a, _ in halves]
            # What is wrong with a word is said line by line.
            words = fields.parser.words([w.strip() for _, w in halves], lambda i: i)
        except (ValueError, InvalidTokenError):
            yield from self._lines(where, at, fields, rows, inside)
            return
        if max(places) >= min(fields.depth, 2**62):
            yield from self._lines(where, at, fields, rows, inside)
            return
        breaks = (np.flatnonzero(np.diff(np.array(places, np.int64)) != 1) + 1).tolist()
        for start, stop in zip([0, *breaks], [*breaks, len(rows)], strict=True):
            lead = rows[start][: len(rows[start]) - len(rows[start].lstrip())].count(b"\n")
            later = " or later" if stop > start + 1 else ""
            inside.seek(places[start])
            yield from inside.put(
                f"{where}, line {at + lead}{later}", words[start:stop],
                partial(_row_line, at, rows[start:stop]),
            )  # fmt: skip
            at += sum(row.count(b"\n") for row in rows[start:stop])

    def _lines(
        self, where: str, at: int, fields: _MifHeader, rows: list[bytes],
        inside: Collector,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """Take statements one by one."""
        for row in rows:
            lead = row[: len(row) - len(row.lstrip())].count(b"\n")
            yield from self._line(where, at + lead, fields, row.strip(), inside)
            at += row.count(b"\n")

    @staticmethod
    def _line(
        where: str, line: int, fields: _MifHeader, statement: bytes, inside: Collector
    ) -> Iterator[np.ndarray]:
        place = f"{where}, line {line}"
        match = _LINE.fullmatch(statement)
        text = shown_token(statement.strip())
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
            words = fields.parser.words(tokens, inside.undefined)
        except InvalidTokenError as bad:
            raise inside.refused(place, bad) from None
        head = statement[: match.start(4)]
        lines = token_lines(line + head.count(b"\n"), match[4])
        if match[3]:
            yield from inside.put(place, words, lines.__getitem__)
        else:
            yield from inside.fill(place, start, stop + 1, words, lines.__getitem__)


def _row_line(at: int, rows: list[bytes], index: int) -> int:
    """Return the line of the word of a statement, the first of which starts at line `at`."""
    word = rows[index].rstrip()
    return at + sum(row.count(b"\n") for row in rows[:index]) + word.count(b"\n")


def _fields(where: str, file: WordFile, text: bytes) -> _MifHeader:
    """Return what the fields say; they must fit the file."""
    stated: dict[bytes, bytes] = {}
    line = 1
    for statement in text.split(b";"):
        lead = statement[: len(statement) - len(statement.lstrip())]
        field = _FIELD.fullmatch(statement)
        if (field is None and statement.strip()) or (field and field[1].upper() in stated):
            place = f"{where}, line {line + lead.count(bytes([10]))}"
            raise VectorError(f"{place}: {shown_token(statement.strip())} is no field")
        line += statement.count(b"\n")
        if field:
            stated[field[1].upper()] = field[2].upper()
    numbers = {}
    for name, expected in ((b"WIDTH", file.word_bits), (b"DEPTH", file.end)):
        value = stated.get(name, b"nothing").decode("ascii", "replace")
        numbers[name] = int(value) if value.isdecimal() else 0
        # A whole memory may end before this array, which is then not in it.
        fewest = 1 if file.memory_words else expected
        fits = numbers[name] == expected or (name == b"DEPTH" and numbers[name] >= fewest)
        if not fits:
            problem = f"{name.decode()} {value} instead of {expected}"
            images = (numbers[name] - file.address - file.run) // file.step + 1
            whole = file.address + (images - 1) * file.step + file.run == numbers[name]
            if name == b"DEPTH" and whole and 0 < images < file.count:
                raise too_few_words(where, problem, file, images * file.run)
            raise VectorError(f"{where}: {problem}")
    for name in (b"ADDRESS_RADIX", b"DATA_RADIX"):
        if stated.get(name, b"HEX") not in _RADIX:
            raise VectorError(f"{where}: {name.decode()} {shown_token(stated[name])} is no radix")
    address, data = (_RADIX[stated.get(n, b"HEX")] for n in (b"ADDRESS_RADIX", b"DATA_RADIX"))
    parser: Digits | Decimals = Decimals(file.word_bits)
    if data != 10:
        parser = Digits(file.word_bits, data, signed=file.signed, alike=False)
    return _MifHeader(numbers[b"DEPTH"], address, parser)
