"""Damaged files, drawn from valid ones by a seeded generator: bytes, .npy, IDX, JSON.

Each function takes a `Random` and something valid and returns (what was done, the damaged file).
`mutated_zips.py` has archives, `mutated_models.py` the changes that a right digest covers up.
"""

from __future__ import annotations

import copy
import gzip
import io
import os
import pickle
import struct
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from intgold.support.safe_files import canonical_json, npy_bytes

HUGE = (2**31, 2**32 - 1, 2**63, 2**64 - 1, -1, 0)
Mutation = tuple[str, bytes]


class Bomb:
    """Unpickled, it makes a file: the proof that something was unpickled."""

    path = "unpickled"

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


# --- bytes ---------------------------------------------------------------------------------------


def place(rng: Random, data: bytes) -> int:
    """An offset at or beside something that readers look for, or anywhere."""
    mark = rng.choice((b"PK", b"\x93NUMPY", b"\n", b"{", b'"', b"(", b"", b""))
    found = [i for i in range(len(data)) if mark and data.startswith(mark, i)]
    at = rng.choice(found) + rng.randint(-2, 12) if found else rng.randrange(len(data) + 1)
    return min(max(at, 0), len(data))


def damage(rng: Random, data: bytes) -> Mutation:
    """One fault of the kind that disks, transfers and hands make."""
    at = min(place(rng, data), len(data) - 1)
    end = min(len(data), at + rng.choice((1, 2, 4, 8, 64)))
    other = rng.randrange(len(data))
    number = rng.choice(HUGE) & (2**64 - 1)
    faults: dict[str, Callable[[], bytes]] = {
        "bit": lambda: data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :],
        "byte": lambda: data[:at] + rng.randbytes(1) + data[at + 1 :],
        "run": lambda: data[:at] + rng.randbytes(end - at) + data[end:],
        "cut": lambda: data[:at],
        "cut last": lambda: data[: -rng.choice((1, 2, 4, 22))],
        "gap": lambda: data[:at] + data[end:],
        "twice": lambda: data[:end] + data[at:],
        "swap": lambda: data[max(at, other) :] + data[: max(at, other)],
        "append": lambda: data + rng.choice((b"\0", b"\n", b"x" * 100, data, bytes(2**16))),
        "before": lambda: rng.choice((b"\0", b"\xef\xbb\xbf", b"#!/bin/sh\n", data)) + data,
        "uint32": lambda: data[:at] + struct.pack("<I", number & 0xFFFFFFFF) + data[at + 4 :],
        "uint64": lambda: data[:at] + struct.pack(rng.choice("<>") + "Q", number) + data[at + 8 :],
        "empty": lambda: b"",
        "foreign": lambda: rng.choice((b"\x89PNG\r\n", b"\x7fELF", b"{}", b"PK\5\6", b"\xff")),
    }  # fmt: skip
    name = rng.choice(list(faults))
    return f"{name} at {at}", faults[name]()


# --- .npy ----------------------------------------------------------------------------------------

_DESCR = (
    "'<f4'", "'<f8'", "'<f2'", "'>i4'", "'|O'", "'O'", "'|V8'", "'<U4'", "'<M8[ns]'", "'<c8'",
    "'|b1'", "'<i8'", "'|u1'", "'|i1'", "'<i4'", "[('a', '<i4')]", "('<i4', (2,))", "'<i99'", "5",
)  # fmt: skip


def npy(rng: Random, data: bytes) -> Mutation:
    """A .npy file with another header, of another version, or with a pickle for values."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header = data[10:start].decode()
    shape = header[header.index("(") : header.index(")") + 1]
    extents = [n.strip() for n in shape.strip("()").split(",") if n.strip()] or ["1"]
    changed = list(extents)
    changed[rng.randrange(len(extents))] = rng.choice(
        (
            "-1",
            "0",
            str(2**31),
            str(2**63),
            str(2**64),
            "10" * 40,
            "1.0",
            "True",
            "'a'",
            "+3",
            "0x3",
        )
    )
    descr = header[header.index(":") + 2 : header.index(", 'fortran")]
    texts = {
        "extent": header.replace(shape, f"({', '.join(changed)},)"),
        "zeros": header.replace(shape, f"(0, {2**31}, {2**33}, {2**33})"),
        "rank": header.replace(shape, f"({', '.join(['1'] * 40)})"),
        "no shape": header.replace(shape, rng.choice(("()", "(,)", "[3]", "None", "(3"))),
        "fortran": header.replace("False", rng.choice(("True", "1", "None"))),
        "descr": header.replace(descr, rng.choice(_DESCR)),
        "key": header.replace("'descr'", rng.choice(("'shape'", "'dtype'", "descr"))),
        "call": f"__import__('os').mkdir({Bomb.path!r})\n",
        "deep": "(" * 1000 + "\n",
    }
    name = rng.choice([*texts, "version", "length", "pickle", "object", "floats", "longer"])
    if name in texts:
        return name, npy_with(texts[name], data[start:])
    if name == "version":
        major = rng.choice((0, 2, 3, 9, 255))
        wide = struct.pack("<I", len(header)) if major in (2, 3) else data[8:10]
        return name, data[:6] + bytes((major, 0)) + wide + data[10:]
    if name == "length":
        return name, data[:8] + struct.pack("<H", rng.choice((0, 1, 117, 119, 65535))) + data[10:]
    if name == "pickle":
        return name, npy_with(header.replace(descr, "'|O'"), pickle.dumps([Bomb()]))
    if name == "object":
        stream = io.BytesIO()
        array = np.empty(1, object)
        array[0] = Bomb()
        np.save(stream, array, allow_pickle=True)
        return name, stream.getvalue()
    if name == "floats":
        return name, npy_bytes(
            np.array([np.nan, np.inf, -np.inf, 1e38], rng.choice(("<f4", "<f8")))
        )
    return name, data + rng.randbytes(rng.randint(1, 9))


def npy_with(header: str, values: bytes) -> bytes:
    """A version 1.0 file with this header text."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values


# --- IDX -----------------------------------------------------------------------------------------


def idx(rng: Random, data: bytes) -> Mutation:
    """An IDX file with another magic, rank or extent."""
    rank = data[3]
    at = 4 + 4 * rng.randrange(rank)
    faults = {
        "extent": data[:at] + struct.pack(">I", rng.choice(HUGE) & 0xFFFFFFFF) + data[at + 4 :],
        "near": data[:at] + struct.pack(">I", rng.choice((1, 2, 5, 1000))) + data[at + 4 :],
        "rank": data[:3] + bytes([rng.choice((0, 1, 2, 4, 9, 255))]) + data[4:],
        "dtype": data[:2] + bytes([rng.choice((0, 9, 0xB, 0xD, 0xE))]) + data[3:],
        "magic": rng.randbytes(2) + data[2:],
    }
    name = rng.choice(list(faults))
    return name, faults[name]


def gzipped(rng: Random, data: bytes) -> Mutation:
    """An IDX file in gzip: damaged inside or outside, or a bomb whose header fits or does not."""
    name = rng.choice(("inside", "outside", "members", "level", "bomb", "fitting bomb"))
    if name == "inside":
        what, damaged = idx(rng, data)
        return f"{name} {what}", gzip.compress(damaged)
    if name == "outside":
        what, damaged = damage(rng, gzip.compress(data))
        return f"{name} {what}", damaged
    if name == "members":
        return name, gzip.compress(data[:20]) + gzip.compress(data[20:])
    if name == "level":
        return name, gzip.compress(data, 0)
    stated = struct.pack(">I", 2**30 // max(len(data) // 5, 1)) if name == "fitting bomb" else b""
    return name, gzip.compress(data[:4] + (stated or data[4:8]) + data[8:] + bytes(2**24), 9)


# --- JSON ----------------------------------------------------------------------------------------


def _pool(rng: Random) -> Any:
    """A value that belongs nowhere, or nearly somewhere."""
    return rng.choice((
        None, True, False, -1, 0, 1, 2, 3, 127, 128, -129, 255, 2**15, 2**15 + 1, 2**24, 2**31 - 1,
        2**31, 2**63, -(2**63), 10**100, 0.5, 1.0, -0.0, 1e300, "", "x", "y" * 300, "../x", "a b",
        "\ud800", "\x1b[2J", "line\nline", "\u6f22", "0x1.0000000000000p+0", "0x1p99999", "nan",
        "-0x1p+0", "inf", "int8", "int32", "single", "float32", [], {}, [[]], [None], {"": []},
        [1, 2], [1, 2, 3], [0, 0, 0, 0], ["x", "x"],
    ))  # fmt: skip


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [at, *(path for key in keys for path in _paths(value[key], (*at, key)))]


def document(rng: Random, value: Any) -> tuple[str, Any]:
    """A copy of a JSON value, changed at one to three places."""
    value, said = copy.deepcopy(value), []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(_paths(value)[1:] or [()])
        if not path:
            return "nothing left", value
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        said.append(f"{_alter(rng, parent, path[-1])} {'.'.join(map(str, path))}")
    return ", ".join(said), value


def _alter(rng: Random, parent: Any, key: Any) -> str:
    """Change `parent[key]` in place; return what was done."""
    old = parent[key]
    what = rng.choice(("replace", "replace", "near", "drop", "child", "wrap", "sibling", "list"))
    if what == "near" and type(old) is int:
        parent[key] = old + rng.choice((-1, 1, 2, -2, 255, -256, 2**8, 2**16))
    elif what == "drop":
        del parent[key]
    elif what == "child" and isinstance(old, (dict, list)) and old:
        parent[key] = rng.choice(list(old.values()) if isinstance(old, dict) else old)
    elif what == "wrap":
        parent[key] = rng.choice(([old], {"x": old}, [old, old]))
    elif what == "sibling":
        parent[key] = rng.choice(list(parent.values()) if isinstance(parent, dict) else parent)
    elif what == "list" and isinstance(old, list) and old:
        rng.choice((old.reverse, old.pop, old.clear, lambda: old.append(old[0])))()
    elif isinstance(parent, dict) and rng.random() < 0.2:
        parent[rng.choice(("colour", "", "\ud800", key.upper()))] = parent.pop(key)
        what = "rename"
    else:
        parent[key], what = _pool(rng), "replace"
    return what


def json_text(rng: Random, data: bytes) -> Mutation:
    """JSON text that no reader should take, or that only a lax one does."""
    digit = next((i for i in range(place(rng, data), len(data)) if data[i : i + 1].isdigit()), 0)
    depth = rng.choice((33, 900, 990, 1100, 100_000))
    faults = {
        "deep": b"[" * depth,
        "deep and closed": b"[" * depth + b"]" * depth,
        "deep objects": b'{"format":' * depth + b"1" + b"}" * depth,
        "deep value": data[: data.index(b":") + 1] + b"[" * depth + b"]" * depth + b"}",
        "digits": data[:digit] + b"9" * rng.choice((20, 400, 5000)) + data[digit:],
        "exponent": data[:digit] + b"1e400" + data[digit + 1 :],
        "nan": data[:digit] + rng.choice((b"NaN", b"Infinity", b"-Infinity")) + data[digit + 1 :],
        "twice": data.replace(b"{", b"{" + data[data.index(b"{") + 1 :].split(b",")[0] + b",", 1),
        "utf-16": data.decode().encode("utf-16"),
        "latin-1": data[:digit] + b"\xe9\xff" + data[digit:],
        "space": data.replace(b" ", b"  ", 1),
        "comment": b"// x\n" + data,
        "null": b"null",
        "string": b'"' + b"x" * 2_000_000 + b'"',
    }
    name = rng.choice(list(faults))
    return name, faults[name]


def json_file(rng: Random, value: Any) -> Mutation:
    """A JSON file with a changed value or changed text."""
    if rng.random() < 0.5:
        said, changed = document(rng, value)
        return said, canonical_json(changed)
    return rng.choice((json_text, damage))(rng, canonical_json(value))
