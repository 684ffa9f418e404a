"""Words as tools print them: digits of a radix, filled up or not, or decimal numbers.

A printer treats all words of a file alike. So do these readers, which keep what the words so far
have shown: it tells a word that was cut short from one that has few digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from . import digits
from .text import shown_token

Number = Callable[[int], int | None]
"""Which word of the array a token is, by its place among those that are read; None: of none."""

MAX_DIGITS = 1100
"""Of a token: more than any word has in any radix."""

_LIKE = {b":": "; it looks like a record of Intel HEX", b"|": "; it looks like hexdump -C"}
"""By the first byte of a token: what a file of another kind shows there."""

_PREFIX = {16: (b"0x", b"0X"), 2: (b"0b", b"0B"), 8: (b"0o", b"0O")}
_GOOD = {2: rb"[01]+", 8: rb"[0-7]+", 16: rb"[0-9a-fA-F]+"}
_UNDEFINED = {
    2: re.compile(rb"[01]*[uxzwlhUXZWLH-][01uxzwlhUXZWLH-]*"),
    8: re.compile(rb"[0-7]*[xzXZ][0-7xzXZ]*"),
    10: re.compile(rb"[xzXZ]+"),
    16: re.compile(rb"[0-9a-fA-F]*[uxzUXZ][0-9a-fA-FuxzUXZ]*"),
}
_KIND = {2: "binary", 8: "octal", 10: "decimal", 16: "hex"}


class InvalidTokenError(Exception):
    """A token that is no word.

    Parameters
    ----------
    index : int
        Which of the tokens.
    problem : str
    undefined : bool
        Whether it is a simulator's x, z or the like.
    """

    def __init__(self, index: int, problem: str, *, undefined: bool = False) -> None:
        super().__init__(problem)
        self.index, self.problem, self.undefined = index, problem, undefined


class Digits:
    """Reads words of radix 2, 8 or 16.

    A word may have fewer digits than its bits take, and more where the surplus says nothing: copies
    of the sign of a signed word, zeros of another. ``_`` may stand between digits. Either all
    words have a prefix such as ``0x`` or none, and either all are filled up with zeros to one
    number of digits or none is: a shorter word among longer ones with leading zeros was cut.

    Parameters
    ----------
    bits : int
        Of a word.
    radix : {2, 8, 16}
    signed : bool
        Whether a word is one signed value.
    alike : bool
        Whether the words must be filled up alike.
    """

    def __init__(self, bits: int, radix: int, *, signed: bool, alike: bool = True) -> None:
        self._bits, self._radix, self._signed, self._alike = bits, radix, signed, alike
        self.width = digits.count(bits, radix)
        self._good = re.compile(_GOOD[radix])
        self._step = {2: 1, 8: 3, 16: 4}[radix]
        self._prefixed: bool | None = None
        self._least = MAX_DIGITS  # digits of the shortest word
        self._filled = 0  # digits of the words that start with zeros

    def rows(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the words of ASCII digits, shape (n, width); None where they are none."""
        if self._prefixed or len(rows) == 0:
            return None
        words = digits.from_digits(rows, self._bits, self._radix)
        if words is None:
            return None
        zeros = self.width > 1 and bool((rows[:, 0] == ord("0")).any())
        if not self._note(self.width, self.width if zeros else 0):
            return None
        self._prefixed = False
        return words

    def words(self, tokens: Sequence[bytes], number: Number) -> np.ndarray:
        """Return the words of tokens.

        Raises
        ------
        InvalidTokenError
            Naming the first that is none. One that is undefined, and of no word of the array, is 0.
        """
        if self._prefixed is None:
            self._prefixed = self._have_prefix(tokens)
        found = self._quick(tokens)
        if found is not None:
            return found
        values = [self._value(i, token, number) for i, token in enumerate(tokens)]
        return digits.from_integers(values, -(-self._bits // 8))

    def _have_prefix(self, tokens: Sequence[bytes]) -> bool:
        """A nibble x in second place looks like a prefix: only the number of digits tells."""
        prefix = _PREFIX[self._radix]
        if not all(t.startswith(prefix) and len(t) > 2 for t in tokens):
            return False
        return self._radix != 16 or any(len(t.replace(b"_", b"")) != self.width for t in tokens)

    def _note(self, shortest: int, filled: int) -> bool:
        """Keep what words show; False, and nothing kept, where they differ from the others."""
        shortest = min(self._least, shortest)
        if self._alike:
            both = {filled, self._filled} - {0}
            if len(both) > 1 or shortest < max(both, default=0):
                return False
        self._least, self._filled = shortest, filled or self._filled
        return True

    def _quick(self, tokens: Sequence[bytes]) -> np.ndarray | None:
        """Return words of only digits, no more than need be; None: look at each."""
        if self._prefixed or self._radix == 8 or max(map(len, tokens)) > self.width:
            return None
        filled = {len(t) for t in tokens if t[0] == ord("0") and len(t) > 1}
        if len(filled) > 1 and self._alike:
            return None
        padded = b"".join([t.rjust(self.width, b"0") for t in tokens])
        rows = np.frombuffer(padded, np.uint8).reshape(-1, self.width)
        found = digits.from_digits(rows, self._bits, self._radix)
        if found is None or not self._note(min(map(len, tokens)), max(filled, default=0)):
            return None
        return found

    def _value(self, index: int, token: bytes, number: Number) -> int:
        text = token.replace(b"_", b"")
        if self._prefixed:
            if not text.startswith(_PREFIX[self._radix]):
                problem = (
                    f"{shown_token(token)} has no {_PREFIX[self._radix][0].decode()} as others have"
                )
                raise InvalidTokenError(index, problem)
            text = text[2:]
        kind, count = _KIND[self._radix], len(text)
        if not self._prefixed and text.startswith(_PREFIX[16]) and count not in (2, self.width):
            raise InvalidTokenError(index, f"{shown_token(token)} has a prefix, not every word has")
        if not self._good.fullmatch(text) or count > MAX_DIGITS:
            if _UNDEFINED[self._radix].fullmatch(text) and count <= MAX_DIGITS:
                if number(index) is None:
                    return 0
                raise InvalidTokenError(index, f"{shown_token(token)} is undefined", undefined=True)
            like = _LIKE.get(token[:1], "")
            raise InvalidTokenError(index, f"{shown_token(token)} is no {kind} word{like}")
        value = int(text, self._radix)
        room = self._step * count
        lowest = -(1 << self._bits - 1)
        if self._signed and count > self.width:
            value = value - (1 << room) if value >> room - 1 else value
            fits = lowest <= value < -lowest
        else:
            fits = value < 1 << self._bits or (
                self._signed and room > self._bits and value - (1 << room) >= lowest
            )
        if not fits:
            problem = f"{shown_token(token)} has more than {self._bits} bits"
            if self._signed and count > self.width:
                problem += ", those above not copies of its sign"
            raise InvalidTokenError(index, problem)
        if not self._note(count, count if count > 1 and text.startswith(b"0") else 0):
            others = (
                f"are filled up with zeros to {self._filled}"
                if self._filled
                else f"have {self._least} and no zeros before them"
            )
            raise InvalidTokenError(
                index, f"{shown_token(token)} has {count} {kind} digits, words before it {others}"
            )
        return value & (1 << self._bits) - 1


_EXACT = re.compile(
    rb"([+-]?)([0-9]{1,400})(?:\.([0-9]{0,60}))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII
)


class Decimals:
    """Reads decimal numbers of some bits.

    They are those of two's complement, or unsigned ones of the same bits; a file that has negative
    numbers and ones of only the unsigned range is of neither.

    Parameters
    ----------
    bits : int
    exact : bool
        Whether an integer may be printed as a real: ``-1.280e+02`` is -128, ``0.5`` none.
    lanes : int
        Numbers that a word has.
    """

    def __init__(self, bits: int, *, exact: bool = False, lanes: int = 1) -> None:
        self._bits, self._exact, self._lanes = bits, exact, lanes
        self._low, self._high = 0, 0  # the extremes so far

    def values(self, tokens: Sequence[bytes], number: Number) -> list[int]:
        """Return numbers; raises `InvalidTokenError` as `Digits.words` does."""
        values = self._plain(tokens)
        if values is None:
            values = [self._value(i, token, number) for i, token in enumerate(tokens)]
        if values:
            self.check(tokens, values)
        return values

    def words(self, tokens: Sequence[bytes], number: Number) -> np.ndarray:
        """Return words of the numbers in two's complement; see `values`."""
        mask = (1 << self._bits) - 1
        found = [value & mask for value in self.values(tokens, number)]
        return digits.from_integers(found, -(-self._bits // 8))

    @staticmethod
    def _plain(tokens: Sequence[bytes]) -> list[int] | None:
        if not re.fullmatch(rb"[0-9 -]*", b" ".join(tokens)) or max(map(len, tokens)) > 400:
            return None
        try:
            return list(map(int, tokens))
        except ValueError:
            return None

    def _value(self, index: int, token: bytes, number: Number) -> int:
        match = _EXACT.fullmatch(token)
        if match is None or (not self._exact and (match[3] is not None or match[4])):
            if _UNDEFINED[10].fullmatch(token):
                if number(index) is None:
                    return 0
                raise InvalidTokenError(index, f"{shown_token(token)} is undefined", undefined=True)
            raise InvalidTokenError(index, f"{shown_token(token)} is no decimal number")
        fraction = match[3] or b""
        value, shift = int(match[2] + fraction), int(match[4] or 0) - len(fraction)
        power: int = 10 ** abs(shift)
        value, remainder = (value * power, 0) if shift >= 0 else divmod(value, power)
        if remainder:
            raise InvalidTokenError(index, f"{shown_token(token)} is no integer")
        return -value if match[1] == b"-" else value

    def check(self, tokens: Sequence[bytes], values: Sequence[int]) -> None:
        """Refuse a value that does not fit, itself or beside those before it."""
        low, high = min(self._low, *values), max(self._high, *values)
        half = 1 << self._bits - 1
        if low >= -half and high < (half if low < 0 else 2 * half):
            self._low, self._high = low, high
            return
        low, high = self._low, self._high
        for i, value in enumerate(values):
            problem = f"{shown_token(tokens[i])} is outside {self._bits} bits"
            if not -half <= value < 2 * half:
                packed = 1 << self._bits * self._lanes
                if self._lanes > 1 and -packed // 2 <= value < packed:
                    problem += (
                        f": a word has {self._lanes} numbers, one a lane, not one for all of it"
                    )
                raise InvalidTokenError(i, problem)
            low, high = min(low, value), max(high, value)
            if low < 0 and high >= half:
                other = high if value < 0 else low
                raise InvalidTokenError(
                    i, f"{problem}, signed or unsigned, as the file has {other} as well"
                )
