"""Archives whose members or headers are not what they should be."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from random import Random
from typing import Any

from mutations import HUGE, Mutation


def zip_bytes(members: list[tuple[bytes, bytes]], edit: dict[str, Any] | None = None) -> bytes:
    """A stored zip whose fields can be falsified.

    `edit` has, for the member number `at`: method, flags, crc, size, packed, offset, extra; for
    the end: entries.  `local` and `central` say in which of the two headers.
    """
    edit = edit or {}
    body, directory = b"", b""
    for number, (name, data) in enumerate(members):
        changes = edit if edit.get("at") == number else {}
        offset = len(body)
        headers = []
        for where in ("local", "central"):
            own = changes if changes.get(where, True) else {}
            method = own.get("method", 0)
            payload = data
            if own.get("deflate"):
                squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
                payload, method = squeeze.compress(data) + squeeze.flush(), own.get("method", 8)
            extra = own.get("extra", b"")
            fields = struct.pack(
                "<HHHHHIIIHH", 20, own.get("flags", 0), method, 0, 0x21,
                own.get("crc", zlib.crc32(data)), own.get("packed", len(payload)) & 0xFFFFFFFF,
                own.get("size", len(data)) & 0xFFFFFFFF, len(name), len(extra),
            )  # fmt: skip
            headers.append((fields, extra, own.get("offset", offset) & 0xFFFFFFFF))
        body += b"PK\x03\x04" + headers[0][0] + name + headers[0][1] + payload
        fields, extra, at = headers[1]
        directory += b"PK\x01\x02\x14\x03" + fields + struct.pack("<HHHII", 0, 0, 0, 0, at)
        directory += name + extra
    count = edit.get("entries", len(members)) & 0xFFFF
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


@cache
def overlapping(count: int, size: int) -> bytes:
    """A zip in which the data of each member holds all members after it: n^2 out of n."""
    tail, entries = bytes(size), []
    for name in [b"%d.npy" % i for i in reversed(range(count))]:
        fields = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(tail), len(tail), len(tail), len(name), 0
        )
        tail = b"PK\x03\x04" + fields + name + tail
        entries.append((fields, name, len(tail)))
    directory = b"".join(
        b"PK\x01\x02\x14\x03" + f + struct.pack("<HHHII", 0, 0, 0, 0, len(tail) - rest) + name
        for f, name, rest in reversed(entries)
    )
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(tail), 0)
    return tail + directory + b"PK\x05\x06" + end


def directory(count: int) -> bytes:
    """A zip of one empty member that its directory lists N times, by N names."""
    body = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0) + b"0"
    listed = b"".join(
        b"PK\x01\x02\x14\x03"
        + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, 0, 0, 0, len(b"%d" % i), 0)
        + struct.pack("<HHHII", 0, 0, 0, 0, 0)
        + b"%d" % i
        for i in range(count)
    )
    end = struct.pack("<HHHHIIH", 0, 0, 65535, 65535, len(listed), len(body), 0)
    return body + listed + b"PK\x05\x06" + end


_NAMES = (
    b"../../evil", b"/etc/passwd", b"a/b/c.npy", b"dir/", b"", b"\xff\xfe", b"nul\0.npy",
    b"C:\\x", b"x" * 300, b"model.json", b"\x1b[31mred", b"new\nline", b".", b"\xed\xa0\x80",
)  # fmt: skip
_ZIP64 = struct.pack("<HHQQ", 1, 16, 2**63, 2**63)


def archive(rng: Random, members: dict[str, bytes]) -> Mutation:
    """A zip with members or headers that are not what they should be."""
    listed = [(name.encode(), data) for name, data in members.items()]
    at = rng.randrange(len(listed))
    name, data = listed[at]
    other = rng.randrange(len(listed))
    edits: dict[str, dict[str, Any]] = {
        "deflated": {"deflate": True},
        "method": {"method": rng.choice((1, 8, 9, 12, 14, 99, 65535))},
        "encrypted": {"flags": rng.choice((1, 0x41, 0x2001)), "local": rng.random() < 0.5},
        "flags": {"flags": rng.choice((8, 0x20, 0x40, 0x800, 0xFFFE))},
        "size": {"size": rng.choice(HUGE), "local": rng.random() < 0.5},
        "packed": {"packed": rng.choice((*HUGE, len(data) + 1)), "local": rng.random() < 0.5},
        "both sizes": dict.fromkeys(("size", "packed"), rng.choice((*HUGE, len(data) - 1))),
        "zip64": {"size": -1, "packed": -1, "extra": _ZIP64[: rng.choice((20, 12, 4, 3))]},
        "extra": {"extra": rng.randbytes(rng.randint(1, 40))},
        "crc": {"crc": rng.getrandbits(32)},
        "offset": {"offset": rng.choice((*HUGE, 1, 30))},
        "entries": {"entries": rng.choice((0, 1, len(listed) + 1, 65535))},
    }
    what = rng.choice([*edits, "drop", "duplicate", "rename", "exchange", "bomb", "overlap",
                       "surplus", "replace", "many"])  # fmt: skip
    if what in edits:
        return f"{what} {name!r}", zip_bytes(listed, {"at": at, **edits[what]})
    if what == "bomb":
        return what, zip_bytes([*listed, (b"z.npy", bytes(2**26))], {"at": at + 1, "deflate": True})
    if what == "overlap":
        return what, overlapping(600, 2**21)
    changed = {
        "drop": listed[:at] + listed[at + 1 :],
        "duplicate": [*listed, (name, rng.choice((data, b"")))],
        "rename": [*listed[:at], (rng.choice(_NAMES), data), *listed[at + 1 :]],
        "exchange": [
            (n, listed[{at: other, other: at}.get(i, i)][1]) for i, (n, _) in enumerate(listed)
        ],
        "surplus": [*listed, (rng.choice(_NAMES), data)],
        "replace": [*listed[:at], (name, rng.randbytes(rng.randint(0, 300))), *listed[at + 1 :]],
        "many": [*listed, *((b"%d" % i, b"") for i in range(2000))],
    }  # fmt: skip
    return f"{what} {name!r}", zip_bytes(changed[what])


def members_of(data: bytes) -> dict[str, bytes]:
    """The members of a valid zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
