"""Vectors of the signature block (SPEC 10.9): each wire, each byte, idle beats."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from random import Random

WIDTHS = (1, 4, 16)
_RANDOM = 200


def signature_lines(width: int, seed: int = 0) -> Iterator[str]:
    """Yield beats as text: start, valid, keep, data, the signature after the beat; hexadecimal.

    Parameters
    ----------
    width : int
        Bytes of a beat.
    seed : int
    """
    crc = 0
    for start, valid, keep, data in _beats(width, Random(f"{width} {seed}")):
        if valid:
            octets = data.to_bytes(width, "little")
            kept = bytes(b for i, b in enumerate(octets) if keep >> i & 1)
            crc = zlib.crc32(kept, 0 if start else crc)
        digits = 2 * width
        yield f"{start} {valid} {keep:x} {data:0{digits}x} {crc:08x}"


def _beats(width: int, rng: Random) -> Iterator[tuple[int, int, int, int]]:
    every, most = (1 << width) - 1, (1 << (8 * width)) - 1
    for data in (0, most, int.from_bytes(b"123456789abcdefg"[:width], "little")):
        yield 1, 1, every, data
        yield 0, 1, every, data
    for bit in range(8 * width):  # each wire of the data by itself
        yield 1, 1, every, 1 << bit
    for octet in range(width):  # each byte left out, each as the only one
        yield 0, 1, every & ~(1 << octet), rng.randrange(most + 1)
        yield 0, 1, 1 << octet, rng.randrange(most + 1)
    yield 0, 0, every, most  # no beat: nothing changes
    yield 1, 0, every, most
    yield 0, 1, 0, most  # a beat without bytes
    for _ in range(_RANDOM):
        yield (
            int(rng.random() < 0.1), int(rng.random() < 0.8), rng.randrange(every + 1),
            rng.randrange(most + 1),
        )  # fmt: skip
