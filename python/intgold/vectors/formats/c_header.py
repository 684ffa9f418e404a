"""C headers: sizes as macros, and the words as a ``static const`` array."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from ...support.quoting import short_repr
from . import digits
from .braces import Braces, bare
from .collector import Collector
from .text import Comments, pieces, shown_token
from .tokens import Decimals, InvalidTokenError
from .word_file import Format, Sought, WordFile, too_few_words

_COMMENTS = Comments(re.compile(rb"//[^\n]*|/\*.*?\*/", re.S), (b"/",), b"/*")
_MACRO = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+([^\n]*)$", re.M)
_DIRECTIVE = re.compile(rb"^[ \t]*#[^\n]*$", re.M)
_ARRAY = re.compile(rb"\w+\s*((?:\[[\w\s]*\]\s*)+)[^;={}]*=\s*\{")
_EXTENT = re.compile(rb"\[([\w\s]*)\]")
_SCALAR = re.compile(
    rb"\s*(?:(?:const|static|unsigned|int|long|char|short|size_t|u?int(?:8|16|32|64)_t)\s+)+"
    rb"(\w+)\s*=\s*(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,18})[uUlL]*\s*;"
)
_NUMBER = re.compile(
    rb"([+-]?)(?:0[xX]([0-9a-fA-F]{1,16})|0[bB]([01]{1,64})|([0-9]{1,20}))[uUlL]{0,3}"
)
_INT32_MIN = b"(-2147483647 - 1)"
_MINIMUM = re.compile(rb"\(\s*-\s*2147483647L?\s*-\s*1L?\s*\)|\bINT32_MIN\b")
_HEAD_BYTES = 2**20
_MAX_EXTENTS = 32


@dataclass(frozen=True, eq=False)
class _OpenArray:
    """The array of a file that is being read: who takes its tokens, braces and words."""

    __repr__ = short_repr

    where: str
    file: WordFile
    parser: Decimals
    braces: Braces
    words: Collector


class CHeader(Format):
    """One word a line; words beyond 64 bits are rows of bytes, least significant first."""

    name, suffix = "c", ".h"
    summary = "C header, a static const array"

    @staticmethod
    def _type(file: WordFile) -> str:
        if file.signed:
            return f"int{file.word_bits}_t"
        wide = next((b for b in (8, 16, 32, 64) if file.word_bits <= b), 8)
        return f"uint{wide}_t"

    def head(self, file: WordFile) -> bytes:
        """Return macros and the start of the array."""
        name, upper = file.name, file.name.upper()
        extent = f"[{upper}_WORDS]"
        if file.word_bits > 64:
            extent += f"[{file.word_bytes}]"
        lines = [
            f"/* {file.title} */",
            f"#ifndef {upper}_H",
            f"#define {upper}_H",
            "#include <stdint.h>",
            "#ifndef VECTORS_ALIGNED",
            "#if defined(__GNUC__)",
            "#define VECTORS_ALIGNED __attribute__((aligned(64)))",
            "#else",
            "#define VECTORS_ALIGNED",
            "#endif",
            "#endif",
            f"#define {upper}_WORD_BITS {file.word_bits}",
            f"#define {upper}_WORDS {file.words}",
            f"#define {upper}_COUNT {file.count}",
            f"#define {upper}_RUN {file.run}",
            f"#define {upper}_RANK {len(file.shape)}",
            f"#define {upper}_SHAPE {{{', '.join(map(str, file.shape))}}}",
            f"#define {upper}_ADDRESS {file.address}ULL",
            f"static const {self._type(file)} {name}{extent} VECTORS_ALIGNED = {{",
        ]
        return "\n".join(lines).encode() + b"\n"

    _HEAD_LINES = 19

    def body(self, file: WordFile, words: np.ndarray, first: int) -> bytes:
        """Return one line a word."""
        if file.signed:
            kind = np.dtype(f"<i{file.word_bytes}")
            values = np.ascontiguousarray(words).view(kind).ravel().tolist()
            text = b"".join(b"%d,\n" % v for v in values)
            return text.replace(b"-2147483648,", _INT32_MIN + b",")
        if file.word_bits <= 64:
            columns: list[np.ndarray | bytes] = [
                b"0x", digits.to_digits(words, file.word_bits, 16), b"u,\n",
            ]  # fmt: skip
            if file.word_bits > 32:
                columns[-1] = b"ull,\n"
            return digits.join_columns(columns, len(words))
        columns = [b"{"]
        for i in range(file.word_bytes):
            octet = np.ascontiguousarray(words[:, i : i + 1])
            columns += [b"0x", digits.to_digits(octet, 8, 16), b"u,"]
        return digits.join_columns([*columns, b"},\n"], len(words))

    def tail(self, file: WordFile) -> bytes:
        """Return the end of array and header."""
        return b"};\n#endif\n"

    def max_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each byte room for white space."""
        return 2**16 + 64 * file.length * file.word_bytes

    def line_or_offset(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return self._HEAD_LINES + 1 + word

    def words_at(self, file: WordFile, line_or_offset: int) -> range:
        """Return the word of a line."""
        return file.only(line_or_offset - self.line_or_offset(file, 0))

    def read(
        self, where: str, file: WordFile, stream: BinaryIO, sought: Sought | None = None
    ) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file, sought)
        parser = Decimals(8 if file.word_bits > 64 else file.word_bits)
        head, ended, own = b"", False, False
        array: _OpenArray | None = None  # from its start on
        carry = trailing = b""
        for line, piece in pieces(where, stream, _COMMENTS):
            text = piece
            if array is None:
                head += piece
                plain = _DIRECTIVE.sub(lambda m: b" " * len(m[0]), head)
                match = _ARRAY.search(plain)
                if match is None:
                    if len(head) > _HEAD_BYTES:
                        break
                    continue
                own = self._check_head(where, file, head, plain[: match.end()])
                braces = Braces(where, self._extents(where, head, match[1]))
                array = _OpenArray(where, file, parser, braces, inside)
                text = head[match.end() :]
                line += piece.count(b"\n") - text.count(b"\n")
            if ended:
                trailing += text
                continue
            start = line - carry.count(b"\n")
            text, semicolon, remainder = (carry + text).partition(b";")
            if semicolon:
                ended, trailing, carry = True, remainder, b""
                text = text.rstrip()
                if not text.endswith(b"}"):
                    raise VectorError(f"{where}: the array has no end")
                text = text[:-1].rstrip().removesuffix(b",")
            else:
                # What follows the last comma, or row, is not whole yet.
                mark = b"}," if file.word_bits > 64 else b","
                cut = text.rfind(mark)
                carry = text[cut + len(mark) :] if cut >= 0 else text
                text = text[: cut + len(mark) - 1] if cut >= 0 else b""
            if text.strip():
                yield from self._put(array, start, text)
        if array is None or not ended:
            raise VectorError(f"{where}: the array or its header has no end")
        array.braces.finish()
        self._check_end(where, file, trailing, own=own)
        yield from inside.finish()

    def _check_head(self, where: str, file: WordFile, head: bytes, declared: bytes) -> bool:
        """Return whether the header is one of a set; if so it must be that of this array."""
        macros = {m[1]: m[2].strip() for m in _MACRO.finditer(head)}
        if file.memory_words or not any(name.endswith(b"_WORD_BITS") for name in macros):
            return False
        upper = file.name.upper().encode()
        for key, expected in (
            (b"WORD_BITS", file.word_bits), (b"WORDS", file.words), (b"COUNT", file.count),
        ):  # fmt: skip
            stated = macros.get(upper + b"_" + key)
            if stated != str(expected).encode():
                found = "nothing" if stated is None else shown_token(stated)
                problem = f"{(upper + b'_' + key).decode()} is {found} instead of {expected}"
                if (
                    key == b"WORDS"
                    and stated
                    and stated.isdigit()
                    and int(stated[:12]) < file.words
                ):
                    raise too_few_words(where, problem, file, int(stated[:12]))
                raise VectorError(f"{where}: {problem}")
        if f"static const {self._type(file)} {file.name}[".encode() not in declared:
            raise VectorError(f"{where}: no static const {self._type(file)} {file.name}")
        return True

    def _extents(self, where: str, head: bytes, declared: bytes) -> list[int | None]:
        """Return the numbers in the brackets of an array, and of macros that are one number."""
        macros: dict[bytes, list[bytes]] = {}
        for name, text in _MACRO.findall(head):
            macros.setdefault(name, []).append(text.strip(b"() \t\r"))
        extents: list[int | None] = []
        found = _EXTENT.findall(declared)
        if len(found) > _MAX_EXTENTS:
            raise VectorError(f"{where}: an array of {len(found)} dimensions")
        for text in found:
            meant = macros.get(text.strip(), [text])
            try:
                extents.append(self._number(0, meant[0]) if len(meant) == 1 else None)
            except InvalidTokenError:  # nothing, or no number
                extents.append(None)
        return extents

    @staticmethod
    def _check_end(where: str, file: WordFile, trailing: bytes, *, own: bool) -> None:
        """Refuse what follows the array, but for lengths and the end of what is open."""
        remainder = _DIRECTIVE.sub(b"", trailing)
        sizes = (file.words, file.words * file.word_bytes)
        while scalar := _SCALAR.match(remainder):
            name, number = scalar.groups()
            if (
                re.search(rb"(?:len|length|size|count)$", name, re.I)
                and int(number, 0) not in sizes
            ):
                raise VectorError(
                    f"{where}: {shown_token(name)} is {int(number, 0)} instead of {sizes[1]}"
                )
            remainder = remainder[scalar.end() :]
        if remainder.strip() not in (b"", b"}"):
            raise VectorError(f"{where}: more follows the end of the array")
        if own and trailing.strip() != b"#endif":
            raise VectorError(f"{where}: the array or its header has no end")

    def _put(self, array: _OpenArray, line: int, text: bytes) -> Iterator[np.ndarray]:
        """Yield the words of a piece of the array that starts at a line."""
        where, file = array.where, array.file
        text = _MINIMUM.sub(_minimum, text)
        tokens = text.split(b",")
        wide = file.word_bits > 64
        if wide:
            rows = re.findall(rb"\{([^{}]*)\}", text)
            if re.sub(rb"\s*\{[^{}]*\}\s*", b"", text) != b"," * (len(rows) - 1):
                raise VectorError(f"{where}, line {line} or later: not rows of bytes")
            if any(row.rstrip().rstrip(b",").count(b",") != file.word_bytes - 1 for row in rows):
                raise VectorError(
                    f"{where}, line {line} or later: a row is not of {file.word_bytes} bytes"
                )
            tokens = [t for row in rows for t in row.rstrip().rstrip(b",").split(b",")]
        try:
            values = [self._number(i, token) for i, token in enumerate(tokens)]
            array.parser.check([token.strip() for token in tokens], values)
        except InvalidTokenError as bad:
            at = f"{line} or later" if wide else f"{_token_line(line, tokens, bad.index)}"
            raise VectorError(f"{where}, line {at}: {bad.problem}") from None
        array.braces.take(text, lambda index: _token_line(line, text.split(b","), index))
        mask = (1 << (8 if wide else file.word_bits)) - 1
        if wide:
            octets = bytes(v & mask for v in values)
            words = np.frombuffer(octets, np.uint8).reshape(-1, file.word_bytes)
        else:
            words = digits.from_integers([v & mask for v in values], file.word_bytes)

        def line_of(index: int) -> int:
            if wide:  # where its row starts
                row = next(islice(re.finditer(rb"\{", text), index, None))
                return line + text[: row.start()].count(b"\n")
            return _token_line(line, tokens, index)

        yield from array.words.put(f"{where}, line {line} or later", words, line_of)

    @staticmethod
    def _number(index: int, token: bytes) -> int:
        text = bare(token)
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise InvalidTokenError(index, f"{shown_token(text)} is no word")
        sign, hexadecimal, binary, decimal = match.groups()
        if decimal and len(decimal) > 1 and decimal.startswith(b"0"):
            raise InvalidTokenError(index, f"{shown_token(text)} is octal in C")
        radix = 16 if hexadecimal else 2 if binary else 10
        value = int(hexadecimal or binary or decimal, radix)
        return -value if sign == b"-" else value


def _minimum(match: re.Match[bytes]) -> bytes:
    """Return the number that C cannot write as one, on the lines that it took."""
    return b"-2147483648" + b"\n" * match[0].count(b"\n")


def _token_line(line: int, tokens: list[bytes], index: int) -> int:
    """Return the line where a token starts, of tokens between commas that start at `line`."""
    token = tokens[index]
    lead = token[: len(token) - len(token.lstrip(b" \t\n\r\f\v{}"))]
    return line + sum(t.count(b"\n") for t in tokens[:index]) + lead.count(b"\n")
