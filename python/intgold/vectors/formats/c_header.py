"""C headers: sizes as macros, and the words as a ``static const`` array."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import VectorError
from . import digits
from .collector import Collector
from .text import pieces, shown
from .word_file import Format, WordFile

_COMMENT = re.compile(rb"/\*.*?\*/", re.S)
_MACRO = re.compile(rb"#define (\w+) ([^\n]*)\n")
_INT32_MIN = b"(-2147483647 - 1)"


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
            return digits.joined(columns, len(words))
        columns = [b"{"]
        for i in range(file.word_bytes):
            octet = np.ascontiguousarray(words[:, i : i + 1])
            columns += [b"0x", digits.to_digits(octet, 8, 16), b"u,"]
        return digits.joined([*columns, b"},\n"], len(words))

    def tail(self, file: WordFile) -> bytes:
        """Return the end of array and header."""
        return b"};\n#endif\n"

    def most_bytes(self, file: WordFile) -> int:
        """Return a size that leaves each byte room for white space."""
        return 2**16 + 64 * file.words * file.word_bytes

    def place(self, file: WordFile, word: int) -> int:
        """Return the line of a word."""
        return self._HEAD_LINES + 1 + word

    def words_at(self, file: WordFile, place: int) -> range:
        """Return the word of a line."""
        return file.only(place - self.place(file, 0))

    def read(self, where: str, file: WordFile, stream: BinaryIO) -> Iterator[np.ndarray]:
        """Yield the words; see `Format.read`."""
        inside = Collector(where, file)
        begun = ended = False
        behind = b""
        for line, text, _ in pieces(where, stream, _COMMENT, b"/*", b"\n"):
            if not begun:
                text = self._after_head(where, file, text)
                begun = True
            end = None if ended else re.search(rb"\}\s*;", text)
            if end or ended:
                behind += text[end.end() :] if end else text
                text, ended = text[: end.start()] if end else b"", True
                if not b"#endif".startswith(behind.strip()):
                    raise VectorError(f"{where}: more follows the end of the array")
            words = self._words(where, file, text)
            if len(words):
                yield from inside.put(f"{where}, line {line} or later", inside.next, words)
        if behind.strip() != b"#endif":
            raise VectorError(f"{where}: the array or its header has no end")
        yield from inside.finish()

    def _after_head(self, where: str, file: WordFile, text: bytes) -> bytes:
        start = text.find(b"= {")
        macros = {m[1]: m[2] for m in _MACRO.finditer(text[: max(start, 0)])}
        upper = file.name.upper().encode()
        for key, wanted in (
            (b"WORD_BITS", file.word_bits), (b"WORDS", file.words), (b"COUNT", file.count),
        ):  # fmt: skip
            told = macros.get(upper + b"_" + key)
            if told != str(wanted).encode():
                found = "nothing" if told is None else shown(told)
                raise VectorError(
                    f"{where}: {(upper + b'_' + key).decode()} is {found} instead of {wanted}"
                )
        if f"static const {self._type(file)} {file.name}[".encode() not in text[:start]:
            raise VectorError(f"{where}: no static const {self._type(file)} {file.name}")
        return text[start + 3 :]

    def _words(self, where: str, file: WordFile, text: bytes) -> np.ndarray:
        text = text.replace(_INT32_MIN, b"-2147483648")
        if file.word_bits > 64:
            rows = re.findall(rb"\{([^{}]*)\}\s*,", text)
            if re.sub(rb"\{[^{}]*\}\s*,", b"", text).strip():
                raise VectorError(f"{where}: not rows of bytes")
            octets = [self._numbers(where, row, 8, False) for row in rows]
            if any(len(row) != file.word_bytes for row in octets):
                raise VectorError(f"{where}: a row is not of {file.word_bytes} bytes")
            return np.array(octets, np.uint8).reshape(-1, file.word_bytes)
        values = self._numbers(where, text, file.word_bits, file.signed)
        return digits.from_integers(values, file.word_bytes) if values else np.zeros((0, 1))

    @staticmethod
    def _numbers(where: str, text: bytes, bits: int, signed: bool) -> list[int]:
        *tokens, rest = (t.strip() for t in text.split(b","))
        if rest:
            raise VectorError(f"{where}: {shown(rest)} has no comma after it")
        good = re.compile(rb"-?\d{1,10}" if signed else rb"0x[0-9a-f]{1,16}(?:u|ull)")
        lo, hi = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
        values = []
        for token in tokens:
            if not good.fullmatch(token):
                raise VectorError(f"{where}: {shown(token)} is no word")
            value = int(token) if signed else int(token.rstrip(b"ul"), 16)
            if not lo <= value < hi:
                raise VectorError(f"{where}: {shown(token)} is outside {bits} bits")
            values.append(value & (2**bits - 1))
        return values
