"""Decimal text: what ``$fdisplay("%d")``, VHDL's textio, numpy.savetxt and spreadsheets write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import Comments, pieces, token_lines
from .tokens import Decimals, InvalidTokenError
from .word_file import Format, Lanes, Sought, WordFile

_COMMENTS = Comments(re.compile(rb"#[^\n]*"), (b"#",))
_SEPARATORS = b",;"
_BLANK = bytes(32 if c in _SEPARATORS else c for c in range(256))
_NO_VALUE = re.compile(rb"^[ \t]*[,;]|[,;][ \t]*[,;]", re.M)
_FIRST_CELL = re.compile(rb"^[^,;\n]*[,;]", re.M)
_NAME = re.compile(rb"(?!(?:[xXzZuU]+|nan|inf)$)[A-Za-z_][^,;\t]*", re.I)


def _lanes(file: WordFile) -> Lanes:
    return file.lanes or Lanes(1, file.word_bits, file.signed)


class Decimal(Format):
    """Numbers; the words of a line are one (``dec``) or those of an image (``csv``).

    The numbers of a word come in the order of the layout, those that are padding with them.
    """

    def __init__(self, name: str, summary: str, *, rows: bool) -> None:
        self.name, self.suffix, self.summary = name, f".{name}", summary
        self._rows = rows  # a line is a run

    def _has_title(self, file: WordFile) -> bool:
        return file.comments != "none" and not self._rows

    def _per_run(self, file: WordFile) -> bool:
        return file.comments == "images" and not self._rows

    def head(self, file: WordFile) -> bytes:
        """Return the comment; spreadsheets know none."""
        return f"# {file.title}\n".encode() if self._has_title(file) else b""

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return one line a word or a run."""
        lanes = _lanes(file)
        texts = [b"%d" % v for v in _numbers(file, words)]
        group, mark = lanes.count, b" "
        if self._rows:
            group, mark = lanes.count * file.run, b","
        lines = [mark.join(texts[i : i + group]) + b"\n" for i in range(0, len(texts), group)]
        if not self._per_run(file):
            return b"".join(lines)
        made = []
        for i in range(len(words) // file.run):
            made.append(b"# image %d\n" % (first // file.run + i))
            made += lines[i * file.run : (i + 1) * file.run]
        return b"".join(made)

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each number room as a real, in a line of its own."""
        lanes = _lanes(file)
        return 2**16 + (64 + 32 * lanes.count + file.word_bits) * file.length

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        if self._rows:
            return 1 + word // file.run
        return 1 + self._has_title(file) + (word // file.run + 1) * self._per_run(file) + word

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the words of a line."""
        if self._rows:
            inside = 1 <= line_or_offset <= file.count
            return (
                range((line_or_offset - 1) * file.run, line_or_offset * file.run)
                if inside
                else range(0)
            )
        extra = self._per_run(file)
        run, at = divmod(line_or_offset - 1 - self._has_title(file), file.run + extra)
        if run < 0 or at < extra:
            return range(0)
        return file.only(run * file.run + at - extra)

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        lanes = _lanes(file)
        inside, parser = (
            Collector(where, file, sought),
            Decimals(lanes.bits, exact=True, lanes=lanes.count),
        )
        held: list[int] = []  # numbers of a word that is not whole yet
        lines: list[int] = []  # of these numbers
        lane = min(sought.lane, lanes.count - 1) if sought else 0
        lane = lanes.count - 1 - lane if lanes.high_first else lane
        for line, text in _without_header(file, pieces(where, stream, _COMMENTS)):
            match = _NO_VALUE.search(text)
            if match:
                number = line + text.count(b"\n", 0, match.end())
                raise VectorError(f"{where}, line {number}: a value is missing")
            tokens = [_bare(t) for t in text.translate(_BLANK).split()]
            if not tokens:
                continue
            first = len(held)

            def word_of(token: int, first: int = first) -> int | None:
                return inside.undefined((first + token) // lanes.count)

            try:
                held += parser.values(tokens, word_of)
            except InvalidTokenError as bad:
                place = f"{where}, line {token_lines(line, text, _SEPARATORS)[bad.index]}"
                bad.index = (first + bad.index) // lanes.count
                raise inside.refused(place, bad) from None
            whole = len(held) // lanes.count
            too_many = whole > inside.room()
            if sought or too_many or inside.has_gaps or len(held) % lanes.count:  # it takes time
                lines += token_lines(line, text, _SEPARATORS)
            number = lines[inside.room() * lanes.count] if too_many else line
            words = _words(file, held[: whole * lanes.count])
            yield from inside.put(
                f"{where}, line {number}", words, lines[lane :: lanes.count].__getitem__
            )
            held, lines = held[whole * lanes.count :], lines[whole * lanes.count :]
        if held:
            raise VectorError(f"{where}: the last word has {len(held)} of {lanes.count} numbers")
        yield from inside.finish()


def _bare(token: bytes) -> bytes:
    """Return a cell without its quotes."""
    return token[1:-1] if len(token) > 2 and token[:1] == token[-1:] == b'"' else token


def _without_header(
    file: WordFile, source: Iterator[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes]]:
    """Yield (line, text) without a line of names or column numbers, and the index that it shows."""
    begun = index = False
    for line, text in source:
        if not begun and text.strip():
            begun = True
            start = text.find(text.lstrip(b" \t\n")[:1])
            start = text.rfind(b"\n", 0, start) + 1
            head, _, tail = text[start:].partition(b"\n")
            index = bool(re.match(rb"(?:\"\")?[,;]", head)) and not _NO_VALUE.search(head, 1)
            cells = _cells(head)
            counts = cells == [b"%d" % i for i in range(len(cells))]
            header = bool(cells) and all(_NAME.fullmatch(cell) for cell in cells)
            if counts and not index and len(cells) > 1 and not file.memory_words:
                # Column numbers or values: only how many there are tells.
                others = [*source]
                found = sum(
                    len(t.translate(_BLANK).split()) for t in (tail, *(o[1] for o in others))
                )
                header = found == file.words * _lanes(file).count
                source = iter(others)
            if header or (index and counts):
                text = text[:start] + b"\n" + tail
            else:
                index = False
            yield line, _FIRST_CELL.sub(b"", text) if index else text
            for line, text in source:
                yield line, _FIRST_CELL.sub(b"", text) if index else text
            return


def _cells(head: bytes) -> list[bytes]:
    cells = re.split(rb"[,;\t]", head) if re.search(rb"[,;\t]", head) else head.split()
    return [_bare(cell.strip()) for cell in cells if cell.strip() not in (b"", b'""')]


def _numbers(file: WordFile, words: np.ndarray) -> list[int]:
    """Return the numbers of words in order."""
    lanes = _lanes(file)
    if lanes.bits not in (8, 16, 32):
        values = digits.to_integers(words)
        half = 1 << lanes.bits - 1
        return [v - 2 * half if lanes.signed and v >= half else v for v in values]
    octets = np.ascontiguousarray(words[:, : lanes.count * lanes.bits // 8])
    order = ">" if lanes.big_endian else "<"
    kind = f"{order}{'i' if lanes.signed else 'u'}{lanes.bits // 8}"
    found = octets.reshape(len(words), -1).view(kind)
    return (found[:, ::-1] if lanes.high_first else found).ravel().tolist()


def _words(file: WordFile, numbers: list[int]) -> np.ndarray:
    """Return the words of numbers in order, the inverse of `_numbers`."""
    lanes = _lanes(file)
    mask = (1 << lanes.bits) - 1
    if lanes.bits not in (8, 16, 32):
        return digits.from_integers([n & mask for n in numbers], file.word_bytes)
    values = (np.array(numbers, np.int64) & mask).astype(f"u{lanes.bits // 8}")
    values = values.reshape(-1, lanes.count)
    values = values[:, ::-1] if lanes.high_first else values
    kind = f"{'>' if lanes.big_endian else '<'}u{lanes.bits // 8}"
    octets = np.ascontiguousarray(values.astype(kind)).view(np.uint8)
    words = np.zeros((len(values), file.word_bytes), np.uint8)
    words[:, : octets.shape[1]] = octets
    return words
