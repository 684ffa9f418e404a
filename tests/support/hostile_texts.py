"""More kinds of damaged files: layouts, read-outs, op vectors, pictures, packed sets; and bombs.

A bomb is a small file that a careless reader makes much of: of time, of memory, or of the line that
says what is wrong with it.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import tomllib
import zstandard
from PIL import Image

import mutated_models
import mutated_zips
import mutations
from hostile_kinds import Base, Case
from intgold.support.safe_files import canonical_json, write_zip
from intgold.vectors.cases.random_models import random_model
from intgold.vectors.op_vectors.sets import write_op_sets
from intgold.vectors.sets.generate import write_set
from intgold.verify.signatures import write_signatures

LAYOUT = """# a comment
[memory.act]
word_bits = 64
base = 0x1000
[default]
memory = "act"
lanes = 2
lane_order = "low_first"
[output]
memory = "act"
padding = 0
order = "HWC"
row_alignment = 1
[array."outputs/gap"]
lanes = 1
"""
_LONG = "x" * 60_000
_VALUES = (
    "9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "0b" + "1" * 900, "1e999", "nan", "inf",
    "[" * 900, "[" * 400 + "]" * 400, "{a = " * 300 + "1" + "}" * 300, '"' + _LONG + '"', "true",
    "1979-05-27T07:32:00Z", '"""', "'\x01'", '"\\u0007\\u001b[2J"', "-1", "0", "3", "1025", "[]",
    "{}", '"N"', "0x" + "f" * 800,
)  # fmt: skip


def _made(base: Base, name: str, make: Callable[[Path], object]) -> Path:
    """A valid file or folder that is made when it is first asked for."""
    path = base.folder / name
    if not path.exists():
        make(path)
    return path


def layout(rng: Random, base: Base, folder: Path) -> Case:
    """A layout: refused, or it says what TOML says, as another reader has it."""
    path = folder / "layout.toml"
    lines = LAYOUT.splitlines()
    keys = [i for i, line in enumerate(lines) if " = " in line]
    at = rng.choice(keys)
    key = lines[at].split(" = ")[0]
    what = rng.choice(("bytes", "value", "value", "value", "key", "table", "many", "drop"))
    if what == "value":
        lines[at] = f"{key} = {rng.choice(_VALUES)}"
    elif what == "key":
        odd = ("a" + ".a" * 50_000, _LONG, '"\\u001b[31m"', '""', f"{key}.{key}", key.upper())
        lines[at] = f"{rng.choice(odd)} = 1"
    elif what == "table":
        odd = ("a" + ".a" * 50_000, "memory", "memory." + _LONG, 'array."../x"', "[default]", "")
        lines.insert(at, f"[{rng.choice(odd)}]")
    elif what == "many":
        lines += [
            "\n".join(f"[memory.m{i}]\nword_bits = 8" for i in range(9000)),
            "\n".join("[default" + ".a" * 15 + f".k{i}]" for i in range(9000)),
            "x = [\n" + ("[]," * 300 + "\n") * 1000 + "]",
            "\n".join(f"k{i}{'.a' * 16} = 1" for i in range(15_000)),
        ][rng.randrange(4) :][:1]
    elif what == "drop":
        del lines[at]
    data = "\n".join(lines).encode()
    label, data = mutations.damage(rng, data) if what == "bytes" else (what, data)
    path.write_bytes(data)

    def answer(status: int, out: str) -> str | None:
        same = tomllib.loads(data.decode()) == tomllib.loads(LAYOUT)
        wanted = _map(base, LAYOUT)
        return "the same layout gives another map" if same and out != wanted else None

    arguments = ["map", base.folder / "model.npz", "--layout", path]
    return Case(f"{label} {key}", arguments, (), answer)  # the plan does not know the file


def _map(base: Base, text: str) -> str:
    path = _made(base, "layout.toml", lambda p: p.write_text(text))
    return base.success("map", base.folder / "model.npz", "--layout", path)


def signatures(rng: Random, base: Base, folder: Path) -> Case:
    """Read-outs of a chip: refused, or distinguished as the same lines read by other means."""
    vectors = base.folder / "set"
    golden = _made(base, "golden.txt", lambda p: write_signatures(vectors, (2, 2, 2), p))
    whole = golden.read_bytes()
    lines = whole.split(b"\n")[:-1]
    outs = [i for i, line in enumerate(lines) if not line.startswith(b"#")]
    at = rng.choice(outs)
    what = rng.choice(("bytes", "crc", "twice", "drop", "number", "name", "tile", "empty", "long"))
    array, image, tile, crc = lines[at].split(b" ")
    if what == "crc":
        lines[at] = b" ".join((array, image, tile, b"%08x" % (int(crc, 16) ^ 1)))
    elif what == "twice":
        lines.append(lines[at])
    elif what == "drop":
        del lines[at]
    elif what == "number":
        odd = rng.choice((b"9" * 5000, b"-1", b"1e3", b"99999999", b"\xd9\xa1"))
        lines[at] = b" ".join((array, odd, tile, crc))
    elif what == "name":
        odd = rng.choice((_LONG.encode(), b"\x1b[31m", b"outputs/none", b"\xff\xfe"))
        lines[at] = b" ".join((odd, image, tile, crc))
    elif what == "tile":
        odd = rng.choice((b"# tile 0,1,1", b"# tile " + b"9" * 5000, b"# tile 2,2,2", b"# tile"))
        lines.insert(at, odd)
    elif what == "empty":
        lines[at:at] = [b""] * 1_000_000
    elif what == "long":
        lines[at] += b" " * 2**26
    data = b"\n".join(lines) + b"\n"
    label, data = mutations.damage(rng, whole) if what == "bytes" else (what, data)
    path = folder / "read.txt"
    path.write_bytes(data)

    def answer(status: int, out: str) -> str | None:
        stated = {tuple(k.lower().split()) for k in data.decode("ascii", "replace").split("\n")
                  if k and not k.startswith("#")}  # fmt: skip
        right = {tuple(k.split()) for k in whole.decode().split("\n") if k and k[0] != "#"}
        wrong = len({k for k in stated if k} - right)
        return None if status == (1 if wrong else 0) else f"status {status}, {wrong} are wrong"

    return Case(label, ["verify", vectors, "--signatures", path], (path,), answer)


def op_set(rng: Random, base: Base, folder: Path) -> Case:
    """Vectors of one op with a changed manifest or file: never taken, unless nothing changed."""
    valid = _made(base, "op", lambda p: write_op_sets("lut", p, formats=("npy",)))
    target = folder / "op"
    shutil.copytree(valid, target)
    path = target / "manifest.json"
    whole = path.read_bytes()
    what = rng.choice(("text", "rehashed", "file", "surplus"))
    if what == "text":
        label, data = mutations.json_file(rng, json.loads(whole))
        path.write_bytes(data)
    elif what == "rehashed":
        label, changed = mutations.document(rng, json.loads(whole))
        path.write_bytes(
            mutated_models.digest(changed) if isinstance(changed, dict) else canonical_json(changed)
        )
    elif what == "file":
        files = sorted(p for p in target.rglob("*") if p.is_file() and p != path)
        path = rng.choice(files)
        whole = path.read_bytes()
        label, data = mutations.damage(rng, whole)
        path.write_bytes(data)
    else:
        label = what
        (target / rng.choice(("x", "x" * 200, "\x1b[31m"))).write_bytes(b"")
    same = what != "surplus" and path.read_bytes() == whole

    def answer(status: int, out: str) -> str | None:
        # A manifest with a right digest may tell other reasons, never other files.
        return None if same or (what == "rehashed" and status == 0) else "changed vectors"

    return Case(f"{what}: {label}", ["verify", target, "--dut", valid], (target,), answer)


def picture(rng: Random, base: Base, folder: Path) -> Case:
    """A picture: refused, or answered as the same picture decoded by other means."""
    kind = rng.choice(("PNG", "BMP", "GIF", "PPM", "TIFF", "JPEG"))
    stream = io.BytesIO()
    Image.fromarray(base.images[0]).save(stream, kind)
    whole = stream.getvalue()
    what = rng.choice(("bytes", "bytes", "bomb", "huge", "long text"))
    label, data = mutations.damage(rng, whole)
    if what == "bomb":
        side = rng.choice((8000, 30_000, 2**31 - 1))
        data = _png(side, zlib.compress(bytes(2**24), 9))
    elif what == "huge":
        data = b"P5 " + b"9" * rng.choice((9, 5000)) + b" 6 255\n" + bytes(36)
    elif what == "long text":
        data = whole[:8] + _chunk(b"tEXt", b"k\0" + bytes(2**20)) * 4 + whole[8:]
    path = folder / "picture"
    path.write_bytes(data)

    def answer(status: int, out: str) -> str | None:
        found = re.match(r"[^\n]*picture: (\d)\n", out)
        return None if found and int(found[1]) < 5 else f"no answer: {out[:200]!r}"

    arguments = ["predict", base.folder / "model.npz", path]
    return Case(f"{kind} {what} {label}", arguments, (path,), answer)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(side: int, packed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*part) for part in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    )


def packed_set(rng: Random, base: Base, folder: Path) -> Case:
    """A compressed set with a file that is damaged, endless or packed anew, its digests right.

    Taken only if the file holds what it held.
    """
    end = rng.choice(("gz", "zst"))
    valid = _made(base, f"set.{end}", lambda p: write_set(
        random_model(0), p, count=2, formats=("hex",), compression=end))  # fmt: skip
    target = folder / "set"
    shutil.copytree(valid, target)
    document = json.loads((target / "manifest.json").read_bytes())
    entry = rng.choice([e for e in document["files"] if e["stored_sha256"]])
    path = target / entry["path"]
    whole = path.read_bytes()
    what = rng.choice(("bytes", "bomb", "bomb", "frames", "stored", "packed anew"))
    if what == "bytes":
        label, data = mutations.damage(rng, whole)
    elif what == "frames":
        label, data = what, whole * 2
    elif what == "stored":
        label, data = what, b"00\n"
    elif what == "packed anew":
        content = gzip.decompress(whole) if end == "gz" else zstandard.decompress(whole)
        label = what
        data = gzip.compress(content, 1) if end == "gz" else zstandard.compress(content, 1)
    else:
        label, data = what, _bomb(end)
    path.write_bytes(data)
    mutated_models.restate(entry, data)
    (target / "manifest.json").write_bytes(mutated_models.digest(document))
    arguments: list[str | Path] = ["verify", target, "--dut", valid]
    same = _content(end, data) == _content(end, whole)
    return Case(
        f"{end} {label}", arguments, (target,), lambda *_: None if same else "another set was taken"
    )


def _content(end: str, data: bytes) -> bytes | None:
    """What a small packed file holds, read by other means; None of a damaged one or of a bomb."""
    if len(data) > 2**14 or data == _bomb(end):
        return None
    reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
    try:
        return gzip.decompress(data) if end == "gz" else reader.read(2**20)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        return None


@cache
def _bomb(end: str) -> bytes:
    """A few kilobytes that hold gigabytes; as frames of the same content they are quickly made."""
    if end == "gz":
        return gzip.compress(bytes(2**24), 9) * 64
    return zstandard.ZstdCompressor(19).compress(bytes(2**24)) * 4096


def bomb(rng: Random, base: Base, folder: Path) -> Case:
    """JSON and zip that cost a careless reader a gigabyte, or a line of 60,000 characters."""
    texts = {
        "lists": lambda: b"[" + b"[]," * 9_300_000 + b"1]",
        "dicts": lambda: b"[" + b'{"":1},' * 1_040_000 + b"1]",
        "most lists": lambda: b"[" + b"[]," * 1_040_000 + b"1]",
        "string": lambda: b'["' + b"x" * (2**26 - 5) + b'"]',
        "number": lambda: b"[" + b"9" * 2**20 + b"]",
        "real": lambda: b"[0." + b"9" * 2**20 + b"]",
        "key": lambda: b'{"' + _LONG.encode() + b'": 1}',
        "escaped key": lambda: b'{"' + b"\\u001b" * 10_000 + b'": 1}',
        "deep": lambda: b"[" * 2**20,
    }
    readers: dict[str, tuple[str, list[str | Path], str | None]] = {
        "model.json": ("model.npz", ["info"], "model.npz"),
        "network.json": ("network.npz", ["quantize"], "network.npz"),
        "ranges": ("ranges.json", ["quantize", base.folder / "network.npz", "--ranges"], None),
        "manifest": ("set/manifest.json", ["verify"], None),
        "op manifest": ("op/manifest.json", ["verify"], None),
    }
    reader = rng.choice([*readers, "members", "names", "npy name"])
    label = rng.choice(list(texts))
    if reader not in readers:
        path = folder / "model.npz"
        members = base.zip_of("model.npz")
        odd = {"members": lambda i: b"%d" % i, "names": lambda i: b"%d" % i + b"\x1b" * 60_000,
               "npy name": lambda i: b"n" * 60_000 + b".npy"}[reader]  # fmt: skip
        count = {"members": 200_000, "names": 100, "npy name": 1}[reader]
        listed = [(n.encode(), d) for n, d in members.items()]
        data = mutated_zips.zip_bytes([*listed, *((odd(i), b"") for i in range(count))]) \
            if count < 200_000 else mutated_zips.directory(count)  # fmt: skip
        path.write_bytes(data)
        return Case(reader, ["info", path], (path,), lambda *_: "took it")
    name, command, archive = readers[reader]
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    if archive:
        write_zip(path, {**base.zip_of(archive), reader: texts[label]()})
    else:
        path.write_bytes(texts[label]())
    tail: list[str | Path] = []
    if command == ["quantize"]:
        tail = ["--ranges", base.folder / "ranges.json"]
    if command[0] == "quantize":
        tail += ["-o", folder / "out.npz"]
    given = path.parent if command == ["verify"] else path
    if command == ["verify"]:
        tail = ["--dut", base.folder / "set"]
    return Case(f"{reader} {label}", [*command, given, *tail], (given,), lambda *_: "took it")


KINDS: dict[str, Callable[[Random, Base, Path], Case]] = {
    f.__name__: f for f in (layout, signatures, op_set, picture, packed_set, bomb)
}
